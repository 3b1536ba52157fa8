// Package clients knows which OAuth clients may act here: connected apps that were made at
// Stytch, by their ids; those that register themselves (RFC 7591), to which Stytch gives ids that
// nobody can know before; and those whose id is the https URL of a document about themselves
// (OAuth Client ID Metadata Documents), by its host. In a token Stytch names every one of them
// by the id of a connected app.
//
// It knows no request and asks nobody.
package clients

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"guestpass/internal/credentials"
	"guestpass/internal/pattern"
)

// Dynamic is the word of GUESTPASS_CLIENT_IDS for clients that nobody can list before they come.
const Dynamic = "dynamic"

const maxURL = 512 // bytes of a client id that is a URL

// Admitted are those that may act. The zero value admits every one of the project.
type Admitted struct {
	IDs     []string // connected apps
	Hosts   []string // of the documents of clients whose id is a URL
	Dynamic bool     // every one that the project has, whoever made it
}

// Parse reads what [CheckWord] has let through.
func Parse(words []string) (a Admitted) {
	for _, word := range words {
		switch {
		case word == Dynamic:
			a.Dynamic = true
		case strings.HasPrefix(word, string(credentials.ConnectedApp)+"-"):
			a.IDs = append(a.IDs, word)
		default:
			a.Hosts = append(a.Hosts, word)
		}
	}
	return a
}

// hostPattern is a name in ASCII with a dot in it, as clients write it.
var hostPattern = pattern.New(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// CheckWord tells in words what is wrong with one entry of GUESTPASS_CLIENT_IDS. Its errors never
// repeat a value: it may be a secret in the wrong place.
func CheckWord(word string) error {
	if err := credentials.CheckText(word); err != nil {
		return err
	}
	switch {
	case word == Dynamic:
		return nil
	case strings.HasPrefix(word, string(credentials.ConnectedApp)):
		_, err := credentials.ConnectedApp.Check(word)
		return err
	case credentials.HasSecret(word):
		return errors.New("holds a secret")
	case strings.HasSuffix(word, ".stytch.com") || strings.HasSuffix(word, ".stytch.dev"):
		return errors.New("has a host of Stytch's, which has no clients' documents: it belongs into STYTCH_DOMAIN")
	}
	return checkHost(word)
}

// checkHost tells each way in which a host is mostly written wrong. What is no host at all may have been meant for
// another kind of entry.
func checkHost(word string) error {
	const one = ", such as claude.ai"
	switch {
	case strings.Contains(word, "://"):
		return errors.New("is a URL: leave out https:// and the path, and write the host alone" + one)
	case strings.Contains(word, "*"):
		return fmt.Errorf("has a *, and there are no wildcards: write each host"+one+", or the word %s for every "+
			"client", Dynamic)
	case word != strings.ToLower(word):
		return errors.New("must be in lower case")
	case strings.Contains(word, "/"):
		return errors.New("has a slash: leave it and the path out, and write the host alone" + one)
	case strings.Contains(word, ":"):
		return errors.New("has a port: write the host alone" + one)
	case !strings.Contains(word, "."):
		return fmt.Errorf("is neither a connected app (connected-app-live-… or connected-app-test-…) nor the word "+
			"%s nor a host, which has a dot in it"+one, Dynamic)
	case addressPattern.MatchString(word):
		return errors.New("is an address: write the name of a host" + one)
	case len(word) > 253 || !hostPattern.MatchString(word):
		return errors.New("is no host name: it has letters, digits, hyphens within and dots between, and no more " +
			"than 253 of them" + one)
	}
	return nil
}

// addressPattern is what ends in a number, which no host name does.
var addressPattern = pattern.New(`\.[0-9]+$`)

// Everyone reports whether every connected app of the project is admitted.
func (a Admitted) Everyone() bool {
	return a.Dynamic || len(a.IDs) == 0 && len(a.Hosts) == 0
}

// Lists reports whether whoever runs the server named the connected app.
func (a Admitted) Lists(id string) bool { return slices.Contains(a.IDs, id) }

// Takes reports whether a client may act whose document is at that URL.
func (a Admitted) Takes(documentURL string) bool {
	u, err := ParseURL(documentURL)
	return err == nil && (a.Everyone() || slices.Contains(a.Hosts, u.Host))
}

// IsURL reports whether a client id is meant as the URL of a document, well formed or not.
func IsURL(id string) bool { return strings.Contains(id, "://") }

// ParseURL holds what the draft demands of a client id that is a URL: https, a path, no dot
// segments, no fragment, no user; and what keeps it from being read in two ways: ASCII, and the
// host in lower case. http is for a client on this machine (see [IsLoopback]) and its caller to allow.
func ParseURL(id string) (*url.URL, error) {
	if len(id) > maxURL {
		return nil, fmt.Errorf("is longer than %d bytes", maxURL)
	}
	if strings.ContainsFunc(id, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("\"'<>\\^`{|}",
			r)
	}) {
		return nil, errors.New("has characters that no URL has")
	}
	u, err := url.Parse(id)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, errors.New("is no URL")
	case u.Scheme != "https" && (u.Scheme != "http" || !IsLoopback(u)):
		return nil, errors.New("is not https")
	case u.User != nil || strings.Contains(id, "#") || u.Hostname() == "":
		return nil, errors.New("has a user or a fragment, or no host")
	case u.Host != strings.ToLower(u.Host) || strings.HasSuffix(u.Hostname(), ".") || strings.HasSuffix(u.Host, ":"):
		return nil, errors.New("has a host that is not in its plain form")
	case u.Path == "" || u.Path == "/" || hasDotSegment(u.EscapedPath()):
		return nil, errors.New("has no path of a document")
	case IsLoopback(u) && (strings.Contains(id, "?") || !strings.HasSuffix(u.Path, ".json")):
		return nil, errors.New("is on this computer, where other programs listen, and no plain path of a .json file")
	}
	return u, nil
}

func hasDotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil || plain == "." || plain == ".." {
			return true
		}
	}
	return false
}

// IsLoopback reports whether a URL leads to the reader's own machine, by one of the three names that
// browsers and Stytch take for it.
func IsLoopback(u *url.URL) bool {
	return slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
}
