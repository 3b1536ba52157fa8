package server_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"guestpass"
	"guestpass/stytchtest"
)

// An htmlPage is an answer that a browser shows.
type htmlPage struct {
	name, path string
	status     int
	kept       bool // the authorization request, in the cookie
}

const origin = "https://gpt.example.com"

// htmlPages returns all of them, the sign-in page with every kind of refusal.
func (w *world) htmlPages() []htmlPage {
	request := func(change ...string) string {
		q := url.Values{"client_id": {"connected-app-test-dddddddd-0000-4000-8000-000000000001"}, "scope": {"openid"},
			"state":        {"s"},
			"redirect_uri": {"https://chatgpt.com/aip/g-dev/oauth/callback"}}
		for i := 0; i < len(change); i += 2 {
			q.Set(change[i], change[i+1])
		}
		return "/idp?" + q.Encode()
	}
	return []htmlPage{
		{"landing", "/", 200, false},
		{"operations", "/docs", 200, false},
		{"privacy", "/privacy", 200, false},
		{"sign in", request(), 200, true},
		{"sign in to an organization", request("organization_id", "acme"), 200, true},
		{"link of an e-mail", "/idp?stytch_token_type=discovery&token=t", 200, false},
		{"log out", "/idp?client_id=c&post_logout_redirect_uri=" + url.QueryEscape("https://evil.example"), 200, false},
		{"nothing asked for", "/idp", 400, false},
		{"unknown client", request("client_id", "connected-app-test-other"), 400, false},
		{"wrong return address", request("redirect_uri", "https://evil.example/callback"), 400, false},
		{"no return address", request("redirect_uri", ""), 400, false},
		{"unknown organization", request("organization_id", "initech"), 400, false},
		{"repeated parameter", request() + "&state=other", 400, false},
		{"repeated parameter of a log-out", "/idp?client_id=c&post_logout_redirect_uri=a&post_logout_redirect_uri=b",
			400, false},
		{"implicit flow", request("response_type", "token"), 400, false},
		{"plain challenge", request("code_challenge", "c", "code_challenge_method", "plain"), 400, false},
		{"long state", request("state", strings.Repeat("s", 2049)), 400, false},
		{"long query", request() + "&x=" + strings.Repeat("x", 8<<10), 400, false},
		{"malformed query", "/idp?client_id=%zz", 400, false},
		{"sign in to the account", "/idp?return=account", 200, true},
		{"account of nobody", "/account", 200, false},
	}
}

// headersOf returns those of a page, all of them, but for the ones that differ from answer to answer.
func headersOf(path, api, scheme string) map[string]string {
	h := map[string]string{
		"Content-Type":                 "text/html; charset=utf-8",
		"X-Frame-Options":              "DENY",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Strict-Transport-Security":    "max-age=63072000",
		"Cache-Control":                "no-cache",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Permissions-Policy": "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), " +
			"microphone=(), payment=(), usb=(), publickey-credentials-get=(), browsing-topics=()",
	}
	const closed = "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	policies := map[string]string{
		"/": "default-src 'none'; style-src 'self'; img-src 'self'" + closed + "; script-src 'self'",
		"/docs": "default-src 'none'; style-src 'self'; img-src 'self'" + closed + "; script-src 'self'; " +
			"connect-src 'self'",
		"/privacy": "default-src 'none'; style-src 'self'; img-src 'self'" + closed,
		"/idp": "default-src 'none'; script-src 'self'; style-src 'self' " +
			"'sha256-goG6NTJVb+JLlVfyyLcbrBJO1e6OPG6DpOWkP/MQIRQ=' " +
			"'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; img-src 'self'; connect-src 'self' " +
			api + closed + "; require-trusted-types-for 'script'",
	}
	policies["/account"] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri " +
		"'none'; form-action 'self'; frame-ancestors 'none'"
	h["Content-Security-Policy"] = policies[path]
	switch path {
	case "/", "/docs": // those for builders are in English
		h["Vary"] = "Accept-Encoding"
	case "/privacy": // as all that is made once
		h["Vary"] = "Accept-Language, Accept-Encoding"
	default:
		h["Vary"] = "Accept-Language"
	}
	if path == "/account" {
		h["Cache-Control"] = "no-store"
	}
	if path == "/idp" { // a sign-in can come from a window of ChatGPT's
		delete(h, "Cross-Origin-Opener-Policy")
		h["Cache-Control"] = "no-store"
		h["Referrer-Policy"] = "strict-origin" // Stytch is told the origin, never the query
		h["Permissions-Policy"] = strings.Replace(h["Permissions-Policy"], "get=()", "get=(self)", 1)
	}
	if scheme == "http" {
		delete(h, "Strict-Transport-Security")
	}
	return h
}

func TestEveryPageHasExactlyTheseHeaders(t *testing.T) {
	answers := 0
	defer func() { t.Logf("%d answers compared, header by header", answers) }()
	for scheme, change := range map[string]func(*guestpass.Options){
		"https": func(o *guestpass.Options) { o.PublicURL = origin },
		"http":  func(*guestpass.Options) {},
	} {
		w := newWorld(t, change)
		for _, page := range w.htmlPages() {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				got := w.call(method, page.path, "", "")
				if got.status != page.status {
					t.Errorf("%s: %s %s: %d, want %d", scheme, method, page.name, got.status, page.status)
				}
				if cookies := got.header.Values("Set-Cookie"); page.kept != (len(cookies) == 1) || len(cookies) == 1 &&
					!ours(scheme, cookies[0]) {
					t.Errorf("%s: %s %s sets %q", scheme, method, page.name, cookies)
				}
				path, _, _ := strings.Cut(page.path, "?")
				sameHeaders(t, scheme+": "+method+" "+page.name, got.header, headersOf(path, w.stytch.URL, scheme))
				answers++
			}
		}
	}
}

// ours: the one cookie that we set, with every attribute that it must have.
func ours(scheme, cookie string) bool {
	name, attributes := "guestpass-request=", "; Path=/; Max-Age=900; HttpOnly; SameSite=Lax"
	if scheme == "https" {
		name, attributes = "__Host-guestpass-request=", "; Path=/; Max-Age=900; HttpOnly; Secure; SameSite=Lax"
	}
	return strings.HasPrefix(cookie, name) && strings.HasSuffix(cookie, attributes)
}

// sameHeaders leaves out what differs from answer to answer.
func sameHeaders(t *testing.T, name string, got http.Header, want map[string]string) {
	t.Helper()
	for _, name := range []string{"Date", "Content-Length", "X-Request-Id", "Set-Cookie"} {
		got.Del(name)
	}
	for _, header := range slices.Sorted(maps.Keys(got)) {
		if value, known := want[header]; !known || strings.Join(got[header], ", ") != value {
			t.Errorf("%s: %s: %q, want %q", name, header, got[header], value)
		}
	}
	for header := range want {
		if len(got.Values(header)) == 0 {
			t.Errorf("%s lacks %s", name, header)
		}
	}
}

// The account page answers in more ways: to somebody, after a form, and while Stytch is away.
func TestEveryAnswerOfTheAccountHasTheHeaders(t *testing.T) {
	for scheme, change := range map[string]func(*guestpass.Options){
		"https": func(o *guestpass.Options) { o.PublicURL = origin },
		"http":  func(*guestpass.Options) {},
	} {
		w := newWorld(t, change)
		w.consent(grace)
		p := w.signIn(grace)
		with := func(r *http.Request) { r.Header.Set("Cookie", p.cookie) }
		crossSite := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
		form := p.form(gptName())
		check := func(name string, got reply, status int) {
			t.Helper()
			if got.status != status {
				t.Errorf("%s: %s: %d %s, want %d", scheme, name, got.status, got.body, status)
			}
			want := headersOf("/account", w.stytch.URL, scheme)
			got.header.Del("Retry-After")
			got.header.Del("Location")
			if status == http.StatusSeeOther { // it says nothing
				delete(want, "Vary")
			}
			sameHeaders(t, scheme+": "+name, got.header, want)
		}
		check("somebody's page", w.call("GET", "/account", "", "", with), 200)
		if scheme == "https" { // a local server answers nothing to a website
			check("a refused form", p.revoke(form, crossSite), 403)
		}
		check("a form of nobody", w.call("POST", "/account/revoke", "", ""), 403)
		check("a form that is taken", p.revoke(form), 303)
		check("the page afterwards", w.call("GET", "/account?revoked", "", "", with), 200)
		w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: http.StatusServiceUnavailable})
		check("a form in an outage", p.revoke(form), 303)
		check("the page of an outage", w.call("GET", "/account", "", "", with), 503)
	}
}

// An outage of Stytch is told on a page with the same headers.
func TestThePageOfAnOutageHasTheHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *guestpass.Options) { o.PublicURL = origin })
	w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: http.StatusServiceUnavailable})
	for i, page := range w.htmlPages()[3:5] {
		got := w.call(http.MethodGet, page.path, "", "")
		if want := []int{200, 400}[i]; got.status != want { // the organization decides where people sign in
			t.Errorf("%s: %d, want %d", page.name, got.status, want)
		}
		sameHeaders(t, page.name, got.header, headersOf("/idp", w.stytch.URL, "https"))
	}
}

// What is no page is JSON, sets no cookie, does not say what the server is made of, and is
// not shown by a browser that was led astray.
func TestOtherAnswersCarryNothingForABrowser(t *testing.T) {
	w := newWorld(t)
	token := w.token(ada, "openid", "tasks:read", "tasks:write")
	for _, tt := range []struct {
		method, path, token, body string
		status                    int
	}{
		{"GET", "/nowhere", "", "", 404},
		{"GET", "/idp/", "", "", 404},
		{"GET", "/idp/assets/", "", "", 404},
		{"POST", "/idp", "", "", 405},
		{"POST", "/", "", "", 405},
		{"DELETE", "/docs", "", "", 405},
		{"GET", "/api/v1/userinfo", "", "", 401},
		{"GET", "/api/v1/userinfo", token, "", 200},
		{"GET", "/api/v1/members", token, "", 403},
		{"GET", "/api/v1/tasks/tsk_0000000000000000", token, "", 404},
		{"POST", "/api/v1/tasks", token, `{"title":"x"}`, 201},
		{"POST", "/api/v1/tasks", token, `{"title":`, 400},
		{"POST", "/api/v1/tasks", token, `{"title":7}`, 422},
		{"GET", "/api/v1/nowhere", token, "", 404},
		{"PUT", "/api/v1/tasks", token, "", 405},
		{"GET", "/oauth2/token", "", "", 405},
		{"POST", "/oauth2/token", "", "{}", 415},
		{"GET", "/openapi.json", "", "", 200},
		{"GET", "/.well-known/oauth-protected-resource", "", "", 200},
		{"GET", "/healthz", "", "", 200},
	} {
		name := fmt.Sprint(tt.method, " ", tt.path, " ", tt.status)
		got := w.call(tt.method, tt.path, tt.token, tt.body)
		if got.status != tt.status {
			t.Errorf("%s: answered %d %s", name, got.status, got.body)
		}
		for _, header := range []string{"Set-Cookie", "Server", "Via", "X-Powered-By", "Location", "Refresh"} {
			if len(got.header.Values(header)) > 0 {
				t.Errorf("%s: has %s: %q", name, header, got.header.Get(header))
			}
		}
		if kind := got.header.Get("Content-Type"); !strings.Contains(kind, "json") ||
			got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: is %q, nosniff %q", name, kind, got.header.Get("X-Content-Type-Options"))
		}
		if cache := got.header.Get("Cache-Control"); (tt.status >= 400 || strings.HasPrefix(tt.path, "/api/")) &&
			cache != "no-store" {
			t.Errorf("%s: may be cached: %q", name, cache)
		}
	}
}
