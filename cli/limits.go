package cli

import (
	"net/netip"

	"guestpass"

	"guestpass/internal/limits"
)

// noProxies is the word of GUESTPASS_TRUSTED_PROXIES that says that there are no proxies.
const noProxies = "none"

// checkProxies demands to know who stands in front of a server that the world sees under https: where it speaks no TLS
// itself a proxy does, and everybody has that proxy's address. A public URL that is not known yet counts as https.
func (c config) checkProxies() error {
	const name = "GUESTPASS_TRUSTED_PROXIES"
	if len(c.TrustedProxies) > 0 || c.wrong[name] || c.speaksTLS() {
		return nil
	}
	if c.PublicURL == "" {
		return c.fault(name, "is not set: the address ranges of the proxy in front, such as 10.1.2.0/24, or "+
			"127.0.0.1/32 on "+
			"the same host, or %s (only with a GUESTPASS_PUBLIC_URL on this machine it may be left out)", noProxies)
	}
	public, err := parseOrigin(c.PublicURL)
	if err != nil || public.Scheme != "https" || loopback(public.Hostname()) {
		return nil
	}
	return c.fault(name, "is not set, but GUESTPASS_PUBLIC_URL is https, which without GUESTPASS_TLS a proxy in "+
		"front must speak: all people would share its address, and one visitor could use up the requests of all; "+
		"name the proxy's address, such as 10.1.2.0/24, or 127.0.0.1/32 on the same host, or say %s if "+
		"connections come with the client's own address", noProxies)
}

func (c config) memberLimit() int {
	if c.MemberLimit == 0 {
		return limits.DefaultMember
	}
	return c.MemberLimit
}

// trustedProxies returns the trusted proxies of a checked config.
func (c config) trustedProxies() (prefixes []netip.Prefix) {
	for _, proxy := range c.TrustedProxies {
		if prefix, err := netip.ParsePrefix(proxy); err == nil {
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes
}

// limits returns the limits of a checked config.
func (c config) limits() guestpass.Limits {
	return guestpass.Limits{Address: c.AddressLimit, Member: c.memberLimit(), Organization: c.OrganizationLimit,
		Client: c.ClientLimit, InFlight: c.MaxInFlight, RedisURL: c.RedisURL}
}
