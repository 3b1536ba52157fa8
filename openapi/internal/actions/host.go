package actions

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"guestpass/internal/pattern"
)

// NotPublic tells why OpenAI's servers would not call u (M6), or nothing.
func NotPublic(u *url.URL) string {
	switch {
	case u.Scheme != "https":
		return "is not https"
	case u.Port() != "" || strings.HasSuffix(u.Host, ":"):
		return "has a port"
	}
	return Unreachable(u.Hostname())
}

// Unreachable tells why the world cannot reach a host by its name, or nothing. The domains
// example.com, example.net and example.org are in use, and count as names like any other
// (RFC 6761 section 6.5).
func Unreachable(host string) string {
	ascii, err := hostNames.ToASCII(strings.ToLower(host))
	_, notAnAddress := netip.ParseAddr(host)
	switch {
	case notAnAddress == nil || lastIsNumber.MatchString(strings.TrimSuffix(ascii, ".")):
		return "has an address for a host"
	case strings.HasSuffix(ascii, "."):
		return "has a host that ends in a dot"
	case err != nil || slices.ContainsFunc(strings.Split(ascii, "."), malformedLabel):
		return "has a host that is no host name"
	case !strings.Contains(ascii, "."):
		return "has a host that is not public"
	case reserved(ascii):
		return "has a host under " + ascii[strings.LastIndex(ascii, ".")+1:] + ", which is not public"
	}
	return ""
}

// hostNames are names as browsers read them (UTS 46), with the lengths of the DNS.
var hostNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(true),
	idna.CheckHyphens(false), idna.VerifyDNSLength(true))

// lastIsNumber finds the names that are addresses of IPv4 in another spelling, such as 127.1,
// 2130706433 and 0x7f.0.0.1: those whose last label is a number (WHATWG URL section 3.5).
var lastIsNumber = pattern.New(`(^|\.)([0-9]+|0x[0-9a-f]*)$`)

func malformedLabel(label string) bool {
	return label == "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-")
}

// specialUse are top-level domains of the public suffix list that the DNS of the world does
// not answer for: RFC 7686, and RFC 3172 with RFC 8375 for arpa, in which no API stands.
var specialUse = []string{"onion", "arpa"}

// reserved reports whether a name is under a top-level domain that does not exist: those
// kept for special use (RFC 6761, RFC 6762, RFC 9476, ICANN's internal) and those that people
// make up, such as lan and corp.
func reserved(host string) bool {
	top := host[strings.LastIndex(host, ".")+1:]
	suffix, known := publicsuffix.PublicSuffix(host)
	return slices.Contains(specialUse, top) || !known && suffix == top
}
