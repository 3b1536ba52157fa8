package idp

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Whatever is asked for as return address, what is accepted is the registered one, byte for
// byte, or plainly this machine, for which Stytch has rules of its own.
func FuzzRedirectURI(f *testing.F) {
	for _, seed := range []string{callback, callback + "/", callback + "#x", "https://chatgpt.com@evil.example/",
		"https://chatgpt.com/aip/g-dev/oauth/../callback", "//evil.example",
		"http://localhost:9999/callback", "http://localhost@evil.example/", "http://127.0.0.1.evil.example/",
		"http://[::1]/", "http://[::1%25evil]/", "http://localhost\\@evil.example/",
		"http://localhost%2eevil.example/", "javascript:alert(1)", "http://LOCALHOST/", ""} {
		f.Add(seed)
	}
	client := Client{RedirectURIs: []string{callback}}
	f.Fuzz(func(t *testing.T, redirect string) {
		request := url.Values{"client_id": {testClient}, "redirect_uri": {redirect}}
		if checkClient(client, request) != nil || redirect == callback {
			return
		}
		// A browser goes to what stands between the slashes: read it as plainly as it does.
		rest, ok := strings.CutPrefix(strings.ToLower(redirect), "http://")
		authority, _, _ := strings.Cut(strings.NewReplacer("\\", "/", "?", "/", "#", "/").Replace(rest), "/")
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			authority = authority[at+1:]
		}
		host := authority
		if colon := strings.LastIndexByte(authority, ':'); colon >= 0 && !strings.HasSuffix(authority, "]") {
			host = authority[:colon]
		}
		if !ok || !slices.Contains([]string{"localhost", "127.0.0.1", "[::1]"}, host) {
			t.Fatalf("accepted %q, whose host is %q", redirect, host)
		}
	})
}

// Whatever the query is, what is accepted names every parameter once and is read the same
// when it is written again, as the cookie does.
func FuzzAuthorizationRequest(f *testing.F) {
	for _, seed := range []string{"client_id=" + testClient + "&redirect_uri=" + url.QueryEscape(callback) +
		"&scope=openid&state=x", "client_id=a&client_id=b&redirect_uri=c",
		"client_id=a&redirect_uri=b&resource=c&resource=d", "%zz", "client_id=a;redirect_uri=b",
		"client_id=a&redirect_uri=b&response_type=token", "organization_id=a%00b&client_id=a&redirect_uri=b", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		request, err := parseRequest(query)
		if err != nil || request == nil {
			return
		}
		for name, values := range request {
			if !slices.Contains(parameters, name) || (len(values) != 1 && name != "resource") {
				t.Fatalf("accepted %s = %q of %q", name, values, query)
			}
		}
		again, err := parseRequest(request.Encode())
		if len(request.Encode()) <= maxQuery && (err != nil || again.Encode() != request.Encode()) {
			t.Fatalf("%q is read as %q, then as %q, %v", query, request.Encode(), again.Encode(), err)
		}
	})
}
