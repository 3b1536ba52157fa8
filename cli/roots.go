package cli

// Whom to trust where the system has no list, as in an image made from nothing. Where there is a list it counts.
import _ "golang.org/x/crypto/x509roots/fallback"
