package server_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestAPersonWhoMistypesAnAddressGetsAPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const browser, program = "text/html,application/xhtml+xml,*/*;q=0.8", "*/*"
	for _, tt := range []struct {
		method, path, accept string
		page                 bool
	}{
		{"GET", "/acount", browser, true}, {"HEAD", "/acount", browser, true}, {"GET", "/docs/tasks", browser, true},
		{"GET", "/apidocs", browser, true}, {"GET", "/acount", program, false}, {"GET", "/acount", "", false},
		{"GET", "/acount", "application/json", false}, {"POST", "/acount", browser, false},
		{"GET", "/api/v1/none", browser, false}, {"GET", "/api", browser, false},
		{"GET", "/.well-known/openid-configuration", browser, false}, {"GET", "/oauth2/none", browser, false},
		{"GET", "/openapi.yml", browser, false}, {"GET", "/mcp/nothing", browser, false}, {"GET", "/authorize", browser,
			false},
		{"GET", "/token", browser, false}, {"GET", "/register", browser, false},
		{"GET", "/swagger.yaml", browser, false}, {"GET", "/openapi-3.0.yaml", browser, false},
	} {
		r := w.call(tt.method, tt.path, "", "", func(r *http.Request) { r.Header.Set("Accept", tt.accept) })
		kind := r.header.Get("Content-Type")
		if r.status != http.StatusNotFound || tt.page != strings.HasPrefix(kind, "text/html") ||
			!tt.page && kind != "application/problem+json" {
			t.Errorf("%s %s for %q: %d %s", tt.method, tt.path, tt.accept, r.status, kind)
		}
		if policy := r.header.Get("Content-Security-Policy"); tt.page && !strings.Contains(policy,
			"frame-ancestors 'none'") {
			t.Errorf("%s %s: the policy is %q", tt.method, tt.path, policy)
		}
		if tt.page && tt.method == "GET" && !strings.Contains(r.body, "There is no page at this address") {
			t.Errorf("%s: %s", tt.path, r.body)
		}
	}
}
