package main

import (
	"fmt"
	"strings"
)

// introspectWrites is the value of GUESTPASS_INTROSPECT besides off.
const introspectWrites = "writes"

// checkIntrospection never repeats a secret.
func (c config) checkIntrospection() (faults []error) {
	for i, entry := range trimmed(c.IntrospectSecrets) {
		if id, secret, _ := strings.Cut(entry, "="); !strings.HasPrefix(id, "connected-app-") || secret == "" {
			faults = append(faults, fmt.Errorf("GUESTPASS_INTROSPECT_SECRETS: entry %d must be CLIENT_ID=SECRET, with the id and the secret of a connected app", i+1))
		}
	}
	if c.Introspect == introspectWrites && len(trimmed(c.IntrospectSecrets)) == 0 {
		faults = append(faults, fmt.Errorf("GUESTPASS_INTROSPECT is %s and GUESTPASS_INTROSPECT_SECRETS is not set: Stytch tells of a token to the connected app that has it only, as CLIENT_ID=SECRET", introspectWrites))
	}
	return faults
}

// clientSecrets are those of the connected apps that tokens are introspected for.
func (c config) clientSecrets() map[string]string {
	secrets := map[string]string{}
	for _, entry := range trimmed(c.IntrospectSecrets) {
		id, secret, _ := strings.Cut(entry, "=")
		secrets[id] = secret
	}
	return secrets
}
