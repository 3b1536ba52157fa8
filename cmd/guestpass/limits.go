package main

import (
	"fmt"
	"log/slog"
	"net/netip"

	"guestpass/internal/limits"
)

func (c config) checkLimits() (faults []error) {
	for _, limit := range []struct {
		name  string
		value int
	}{
		{"GUESTPASS_LIMIT_ADDRESS", c.AddressLimit},
		{"GUESTPASS_LIMIT_MEMBER", c.memberLimit()},
		{"GUESTPASS_LIMIT_ORGANIZATION", c.OrganizationLimit},
		{"GUESTPASS_LIMIT_CLIENT", c.ClientLimit},
		{"GUESTPASS_MAX_IN_FLIGHT", c.MaxInFlight},
	} {
		if limit.value < 1 || limit.value > 1_000_000 {
			faults = append(faults, fmt.Errorf("%s is %d, it must be between 1 and 1000000", limit.name, limit.value))
		}
	}
	for _, proxy := range c.TrustedProxies {
		if len(c.TrustedProxies) == 1 && proxy == noProxies {
			break
		}
		prefix, err := netip.ParsePrefix(proxy)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("GUESTPASS_TRUSTED_PROXIES names %q, which is no range of addresses such as 10.1.2.0/24, or 10.1.2.3/32 for one", proxy))
		case prefix.Bits() == 0:
			faults = append(faults, fmt.Errorf("GUESTPASS_TRUSTED_PROXIES names %q, which is everybody: anybody could then choose the address that is counted; name your proxies", proxy))
		}
	}
	if err := limits.CheckRedisURL(c.RedisURL); c.RedisURL != "" && err != nil {
		faults = append(faults, fmt.Errorf("GUESTPASS_REDIS_URL %w", err))
	}
	return faults
}

// noProxies is the word of GUESTPASS_TRUSTED_PROXIES for that there are none to name.
const noProxies = "none"

// checkProxies wants to know who stands in front of a server that the world sees under
// https: it speaks no TLS itself, so somebody does, and all people have that one's address.
func (c config) checkProxies() error {
	public, err := parseOrigin(c.PublicURL)
	if err != nil || public.Scheme != "https" || loopback(public.Hostname()) || len(c.TrustedProxies) > 0 {
		return nil
	}
	return fmt.Errorf("GUESTPASS_TRUSTED_PROXIES is not set, but GUESTPASS_PUBLIC_URL %q is https, which a proxy in front must speak: all people would share its address, and one visitor could use up the requests of all; name the proxy's address, such as 10.1.2.0/24, or 127.0.0.1/32 on the same host, or say %s if connections come with the client's own address", c.PublicURL, noProxies)
}

func (c config) memberLimit() int {
	if c.MemberLimit == nil {
		return limits.DefaultMember
	}
	return *c.MemberLimit
}

// trustedProxies are those of a checked config.
func (c config) trustedProxies() (prefixes []netip.Prefix) {
	for _, proxy := range c.TrustedProxies {
		if prefix, err := netip.ParsePrefix(proxy); err == nil {
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes
}

// openLimits makes the limits of a checked config. Close them after use.
func (c config) openLimits(log *slog.Logger) (*limits.Limits, error) {
	return limits.New(limits.Options{Address: c.AddressLimit, Member: c.memberLimit(), Organization: c.OrganizationLimit,
		Client: c.ClientLimit, InFlight: c.MaxInFlight, RedisURL: c.RedisURL, Project: c.ProjectID, Log: log})
}
