package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/stytchtest"
)

// refused returns the attributes of the latest refusal in the log.
func (w *world) refused() (attributes map[string]string) {
	w.t.Helper()
	for line := range strings.SplitSeq(w.log.String(), "\n") {
		var read map[string]any
		if json.Unmarshal([]byte(line), &read) == nil && read["msg"] == "refused" {
			attributes = map[string]string{}
			for name, value := range read {
				attributes[name] = fmt.Sprint(value)
			}
		}
	}
	return attributes
}

// A project with a custom domain issues tokens under it and under its default one.
// isKind reports whether an issuer is told by its kind alone.
func isKind(found string) bool {
	return slices.Contains([]string{"an https address", "an http address", "stytch.com/project-test-..."}, found) ||
		strings.HasPrefix(found, "a string, length ")
}

func TestTokensOfEveryDomainAreAdmitted(t *testing.T) {
	const custom, third = "https://login.example.com", "https://third.example.com"
	w := newWorld(t, func(o *guestpass.Options) { o.OtherDomains = []string{custom + "/", third} })
	of := func(issuer string) string {
		return w.mint(stytchtest.MintRequest{Subject: ada, Scopes: []string{"openid", "tasks:read"}, Issuer: issuer})
	}
	for _, issuer := range []string{w.stytch.URL, custom, third, "stytch.com/" + stytchtest.Development().Project.ID} {
		if r := w.call("GET", protected, of(issuer), ""); r.status != 200 {
			t.Errorf("a token of %s: %d %s", issuer, r.status, r.body)
		}
	}
	for _, issuer := range []string{"https://words-1234.customers.stytch.dev", custom + "/",
		"http://login.example.com"} {
		r := w.call("GET", protected, of(issuer), "")
		told := w.refused()
		if r.status != 401 || strings.Contains(r.body+r.header.Get("WWW-Authenticate"), issuer) ||
			strings.Contains(r.body, "STYTCH_DOMAIN") {
			t.Errorf("a token of %s: %d %v %s", issuer, r.status, r.header, r.body)
		}
		if told["reason"] != "iss" || told["claim"] != "iss" || !isKind(told["found"]) ||
			!strings.Contains(told["expected"], custom+" or "+third) ||
			!strings.Contains(told["hint"], "STYTCH_DOMAIN") {
			t.Errorf("the log says %v", told)
		}
	}
	var metadata struct {
		Servers []string `json:"authorization_servers"`
	}
	if err := json.Unmarshal([]byte(w.call("GET", "/.well-known/oauth-protected-resource", "", "").body),
		&metadata); err != nil || !slices.Equal(metadata.Servers, []string{w.stytch.URL}) {
		t.Errorf("the authorization servers are %q, want the first domain", metadata.Servers)
	}
	if page := w.call("GET", "/idp?client_id=x", "",
		""); strings.Contains(page.body+page.header.Get("Content-Security-Policy"), "example.com") {
		t.Error("the page knows the other domains")
	}
}

// The keys are those of the first domain that answers; both serve the same.
func TestKeysAreHadFromTheOtherDomain(t *testing.T) {
	var asked int
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer away.Close()
	w := newWorld(t, func(o *guestpass.Options) { o.Domain, o.OtherDomains = away.URL, []string{o.Domain} })
	for _, issuer := range []string{w.stytch.URL, away.URL} {
		token := w.mint(stytchtest.MintRequest{Subject: ada, Scopes: []string{"tasks:read"}, Issuer: issuer})
		if r := w.call("GET", protected, token, ""); r.status != 200 {
			t.Errorf("a token of %s: %d %s", issuer, r.status, r.body)
		}
	}
	if asked == 0 {
		t.Error("the first domain was not asked")
	}
}

// What real projects put into tokens: a long life, and many groups.
func TestTokensOfRealProjectsAreAdmitted(t *testing.T) {
	groups := func(n int) map[string]any {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf("group-%d", i)
		}
		return map[string]any{"https://acme.example/groups": names}
	}
	w := newWorld(t)
	mint := func(m stytchtest.MintRequest) string {
		m.Subject, m.Scopes = ada, []string{"tasks:read"}
		return w.mint(m)
	}
	for what, token := range map[string]string{
		"64 groups":  mint(stytchtest.MintRequest{Claims: groups(64)}),
		"65 groups":  mint(stytchtest.MintRequest{Claims: groups(65)}),
		"300 groups": mint(stytchtest.MintRequest{Claims: groups(300)}),
		"8 hours":    mint(stytchtest.MintRequest{ExpiresIn: 8 * 3600}),
		"24 hours":   mint(stytchtest.MintRequest{ExpiresIn: 24 * 3600}),
	} {
		if r := w.call("GET", protected, token, ""); r.status != 200 {
			t.Errorf("%s: %d %s", what, r.status, r.body)
		}
	}
	w.call("GET", protected, mint(stytchtest.MintRequest{ExpiresIn: 24*3600 + 1}), "")
	if told := w.refused(); told["reason"] != "lifetime" || told["found"] != "a lifetime of 24h0m1s" ||
		told["expected"] != "24h0m0s at most" || !strings.Contains(told["hint"], "GUESTPASS_MAX_TOKEN_LIFETIME") ||
		told["operation"] == "" {
		t.Errorf("the log says %v", told)
	}
	long := newWorld(t, func(o *guestpass.Options) { o.MaxTokenLifetime = 48 * time.Hour })
	token := long.mint(stytchtest.MintRequest{Subject: grace, Scopes: []string{"tasks:read"}, ExpiresIn: 48 * 3600})
	if status := long.reads(token); status != 200 {
		t.Errorf("48 hours where they are allowed: %d", status)
	}
	_, p, form := long.beforeRevoking()
	p.revoke(form)
	for range 48 { // until the token has ended
		long.stytch.Advance(time.Hour)
		if status := long.reads(token); status != 401 {
			t.Fatalf("revoked, and %d at %v", status, long.stytch.Now())
		}
	}
}
