package openapi

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"guestpass/openapi/internal/actions"
)

// normalOrigin writes an origin the way the editor compares it (G011, M6, C; G013, I):
// lower-case host, no default port, no trailing slash. What is no origin stays as it is.
func normalOrigin(origin string) string {
	u, err := url.Parse(strings.TrimRight(origin, "/"))
	if err != nil || u.Host == "" {
		return origin
	}
	u.Host = strings.ToLower(u.Host)
	if u.Scheme == "https" {
		u.Host = strings.TrimSuffix(u.Host, ":443")
	}
	return u.String()
}

// checkServer is G010 (M5, C) and G011 (M6, C).
func checkServer(o Options, found *report) {
	at := place{operation: "document", part: "PublicURL"}
	u := actions.Absolute(o.PublicURL)
	switch {
	case u == nil:
		found.fault("G010", at, fmt.Sprintf("%q is no absolute URL", o.PublicURL),
			"set Options.PublicURL, as https://api.example.com")
		return
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		found.fault("G011", at, o.PublicURL+" is more than an origin", "write scheme and host only")
	}
	if isLoopback(u) {
		found.note("G011 waived: %s is on this machine; ChatGPT cannot reach it, and the editor refuses it",
			o.PublicURL)
		return
	}
	if problem := actions.NotPublic(u); problem != "" {
		found.fault("G011", at, o.PublicURL+" "+problem, "use https on a public host name and the default port")
	}
}

func isLoopback(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
}

// checkOAuth is G111 (M26, D) for each URL, then G110 (M25, C, A) for all of them.
func checkOAuth(o Options, found *report) {
	server := actions.Absolute(o.PublicURL)
	if server == nil {
		return // already a fault, from which the defaults of the others follow
	}
	complete := true
	for _, endpoint := range []struct{ name, text string }{
		{"AuthorizationURL", o.AuthorizationURL}, {"TokenURL", o.TokenURL},
	} {
		at := place{operation: "document", part: endpoint.name}
		u := actions.Absolute(endpoint.text)
		switch {
		case u == nil || u.Fragment != "" || u.User != nil:
			found.fault("G111", at, fmt.Sprintf("%q is no absolute URL without credentials and fragment",
				endpoint.text), "write it in full, beginning with https")
			complete = false
		case u.Scheme == "https":
		case isLoopback(u) && isLoopback(server):
			found.note("G111 waived: %s %s is on this machine", endpoint.name, endpoint.text)
		default:
			found.fault("G111", at, endpoint.text+" is not https", "use https")
		}
	}
	if complete {
		checkDomain(o, server, found)
	}
}

// checkDomain is G110 (M25, C, A): authorization URL, token URL and API share a
// registrable domain. Whether the editor counts private suffixes such as vercel.app is
// not known; here they count.
func checkDomain(o Options, server *url.URL, found *report) {
	if isLoopback(server) {
		found.note("G110 waived: on this machine there are no registrable domains to compare")
		return
	}
	home := actions.Registrable(server.Hostname())
	for _, endpoint := range []struct{ name, text string }{
		{"AuthorizationURL", o.AuthorizationURL}, {"TokenURL", o.TokenURL},
	} {
		host := actions.Absolute(endpoint.text).Hostname()
		if actions.SharesDomain(host, server.Hostname()) {
			continue
		}
		found.fault("G110", place{operation: "document", part: endpoint.name},
			fmt.Sprintf("%s is not under %s, the domain of the API", host, home),
			"either (1) set up a Stytch custom domain under "+home+
				" and use it, or (2) forward on the API's own host: "+o.PublicURL+
				// #nosec G101 -- paths
				map[string]string{"AuthorizationURL": "/idp", "TokenURL": "/oauth2/token"}[endpoint.name])
	}
}

// checkScopes is G112 (D) and G116 (A).
func checkScopes(o Options, found *report) {
	at := place{operation: "document", part: "Scopes"}
	if len(o.Scopes) == 0 {
		found.warn("G112", at, "the OAuth scheme lists no scope", "list in Options.Scopes what the operations need")
		return
	}
	seen := map[string]bool{}
	for _, scope := range o.Scopes {
		if scope.Name == "" || strings.ContainsAny(scope.Name, " \"\\") || seen[scope.Name] { // RFC 6749 section 3.3
			found.fault("G112", at, fmt.Sprintf("%q is no scope name, or listed twice", scope.Name),
				"list each scope once, without spaces and quotes")
		}
		seen[scope.Name] = true
		if scope.Description == "" {
			found.warn("G112", at, "the scope "+scope.Name+" is not described", "say what it allows")
		}
	}
	if !seen["offline_access"] {
		found.warn("G116", at, "offline_access is not among the scopes, so people must sign in again whenever their "+
			"token expires", "add it")
	}
}

// checkPrivacy is the part of G120 (M27, B) that shows without a request.
func checkPrivacy(o Options, found *report) {
	if o.PrivacyURL == "" || strings.HasPrefix(o.PrivacyURL, o.PublicURL+"/") { // checkServer has judged the origin
		return
	}
	if u := actions.Absolute(o.PrivacyURL); u != nil && isLoopback(u) {
		found.note("G120 waived: the privacy policy %s is on this machine", o.PrivacyURL)
	} else if err := CheckPrivacyURL(o.PrivacyURL); err != nil {
		found.fault("G120", place{operation: "document", part: "PrivacyURL"}, errNoPrivacyURL.Error(),
			"write it in full, or leave it out")
	}
}

var errNoPrivacyURL = errors.New("is no https URL of a public host")

// CheckPrivacyURL tells what is wrong with the address of a privacy policy, and never repeats
// it. None, and one on this machine, are admitted.
func CheckPrivacyURL(text string) error {
	u := actions.Absolute(text)
	switch {
	case text == "", u != nil && u.User == nil && isLoopback(u):
		return nil
	case u == nil, u.Scheme != "https", u.User != nil, actions.Unreachable(u.Hostname()) != "":
		return fmt.Errorf("%w: write it in full, or leave it out", errNoPrivacyURL)
	}
	return nil
}
