// Package upstream knows which hosts Stytch can have, and connects to no others: keys, codes and
// secrets must not come from, or go to, this machine or the network that it stands in.
package upstream

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// Loopback reports whether a host is this machine by its name alone.
func Loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// inward are the ends of names that no public DNS has: of this machine, of a local network, or of
// what a cloud tells its machines.
var inward = []string{"localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "private",
	"home.arpa"}

// Internal reports whether a host can be no host of Stytch's: an address instead of a name, a name
// without a domain, or one of this machine's or of a local network's.
func Internal(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
		return true
	}
	for _, end := range inward {
		if strings.HasSuffix(host, "."+end) {
			return true
		}
	}
	last := host[strings.LastIndex(host, ".")+1:] // 127.1 and 0x7f.1 are addresses to some
	return strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x")
}

// notPublic are ranges that netip has no word for: this network, carriers' (RFC 6598), protocol
// assignments, benchmarks, reserved, documentation, and IPv4 within IPv6 (RFC 3056, 4380).
var notPublic = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20")}

// unicast6 is what is given out of IPv6 at all (RFC 4291): whatever else there is may lead inwards somewhere, also by
// a translator (RFC 6052).
var unicast6 = netip.MustParsePrefix("2000::/3")

// Public reports whether an address is one that the whole world can reach.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap()
	if ip.Is6() && !unicast6.Contains(ip) {
		return false
	}
	for _, prefix := range notPublic {
		if prefix.Contains(ip) {
			return false
		}
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate()
}

// Dial returns a function for http.Transport. It looks at the address to which a name resolves,
// and connects to this machine only where the name itself says so, as the emulator's does.
func Dial(timeout time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		dialer := &net.Dialer{Timeout: timeout, Control: func(_, resolved string, _ syscall.RawConn) error {
			return check(host, resolved)
		}}
		return dialer.DialContext(ctx, network, address)
	}
}

// check is asked right before connecting to an address and port to which a host has resolved.
func check(host, resolved string) error {
	to, err := netip.ParseAddrPort(resolved)
	if err != nil {
		return err
	}
	if ip := to.Addr(); !Public(ip) && !(Loopback(host) && ip.Unmap().IsLoopback()) {
		return fmt.Errorf("%s resolves to the internal address %s", host, ip)
	}
	return nil
}
