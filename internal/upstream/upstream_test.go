package upstream

import (
	"net"
	"strings"
	"testing"
	"time"
)

func TestHostsThatAreNotStytchs(t *testing.T) {
	for _, host := range []string{"words-1234.customers.stytch.com", "login.example.com", "localhost.example.com",
		"127.0.0.1.example.com", "internal.example.com", "xn--bcher-kva.example"} {
		if Internal(host) || Loopback(host) {
			t.Errorf("%s is refused", host)
		}
	}
	for _, host := range []string{"", "localhost", "LOCALHOST", "localhost.", "a.localhost", "login", "db.internal",
		"metadata.google.internal", "printer.local", "nas.lan", "nas.home.arpa", "login.corp", "127.0.0.1", "127.1",
		"2130706433", "1.0x7f", "0x7f000001", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200",
		"203.0.113.1", "::1", "::ffff:127.0.0.1", "fe80::1%eth0", "fd00:ec2::254", "0.0.0.0", "::"} {
		if !Internal(host) {
			t.Errorf("%s is taken for a host of Stytch's", host)
		}
	}
}

// Whatever a name says, the address decides.
func TestNamesThatResolveInwards(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.0.1",
		"169.254.169.254",
		"100.100.100.200", "192.0.0.192", "198.18.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "[::1]",
		"[::]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[fe80::1]", "[fd00:ec2::254]", "[ff02::1]",
		"[64:ff9b::7f00:1]"} {
		if err := check("login.example.com", address+":443"); err == nil ||
			!strings.Contains(err.Error(), "internal address") {
			t.Errorf("%s: %v", address, err)
		}
		own := strings.Contains(address, "127.") || address == "[::1]"
		if err := check("localhost", address+":443"); (err == nil) != own {
			t.Errorf("localhost at %s: %v", address, err)
		}
	}
	for _, address := range []string{"93.184.215.14", "[2606:2800:21f::1]"} {
		if err := check("login.example.com", address+":443"); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestDialLooksAtTheAddress(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dial := Dial(2 * time.Second)
	connection, err := dial(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	connection.Close()
	for _, address := range []string{"169.254.169.254:80", "10.255.255.1:443", "[fd00::1]:443", "0.0.0.0:1"} {
		if _, err := dial(t.Context(), "tcp", address); err == nil || !strings.Contains(err.Error(),
			"internal address") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
