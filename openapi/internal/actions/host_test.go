package actions

import (
	"net/url"
	"strings"
	"testing"
)

func TestOnlyWhatTheWorldCanReachIsPublic(t *testing.T) {
	for _, host := range []string{
		"api.example.com", "example.com", "api.paint-example.com", "a.co.uk", "x.github.io", "b\u00fccher.de",
		"xn--bcher-kva.de", "r3---sn-abc.example.net",
		"1.example.com", "a1b2.example.io", "api.test.com", "localhost.example.com", "internal.example.org",
		"0x7f.example.com", strings.Repeat("a", 63) + ".com",
	} {
		if why := Unreachable(host); why != "" {
			t.Errorf("%s %s", host, why)
		}
	}
	for _, host := range []string{
		"localhost", "api.localhost", "printer.local", "billing.internal", "shop.test", "api.invalid", "api.example",
		"nas.home.arpa", "x.onion", "x.alt",
		"1.0.0.127.in-addr.arpa", "nas.lan", "wiki.corp", "api.home", "app.intranet", "api.localdomain", "API.LOCAL",
		"intranet", "com", "api.\u0435xample.\u0442est0",
		"127.0.0.1", "10.1.2.3", "192.0.2.7", "8.8.8.8", "::1", "fd00::1", "2001:db8::1", "::ffff:10.0.0.1",
		"fe80::1%eth0", "127.1", "2130706433", "0x7f000001", "0x7f.1",
		"0177.0.0.1", "127.0.0.1.", "1.2.3", "0x", "\uff11\uff12\uff17.0.0.1",
		"a..b.com", ".example.com", "-bad-.com", "bad-.example.com", "-bad.example.com", "a_b.example.com",
		"xn--a.example.com", "xn--\u00fc.example.com", "api.example.com.",
		"api.local.", strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 126) +
			"com", "a b.example.com", "a%b.example.com", "*.example.com", "a,b.com", "",
	} {
		if Unreachable(host) == "" {
			t.Errorf("%q is public", host)
		}
	}
}

func TestAServerIsHTTPSWithoutPort(t *testing.T) {
	for _, address := range []string{"http://api.example.com", "https://api.example.com:443",
		"https://api.example.com:0", "https://api.example.com:", "https://[::1]", "https://[::ffff:127.0.0.1]"} {
		u, err := url.Parse(address)
		if err != nil || NotPublic(u) == "" {
			t.Errorf("%s: %v", address, err)
		}
	}
}
