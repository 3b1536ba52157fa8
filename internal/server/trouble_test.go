package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/internal/inside"
	"guestpass/stytchtest"
)

// counted waits for the reason to be counted: the page sends it on its own.
func counted(w *world, want string) step {
	return func(*person) error {
		return eventually(func() error {
			if counts := inside.Refusals(w.app); counts[want] == 0 {
				return fmt.Errorf("%s is not counted: %v", want, counts)
			}
			return nil
		})
	}
}

func eventually(check func() error) (err error) {
	deadline, tick := time.After(20*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		if err = check(); err == nil {
			return nil
		}
		select {
		case <-deadline:
			return err
		case <-tick.C:
		}
	}
}

// What has to be mended at Stytch is told to the person, counted, and in the log with what to do.
func TestEndToEndTroubleOfThePageIsTold(t *testing.T) {
	t.Parallel()
	const send, start = "/sdk/v1/b2b/otps/email/discovery/send", "/sdk/v1/idp/b2b/oauth/authorize/start"
	for _, tt := range []struct {
		path, kind    string
		status        int
		reason, words string
	}{
		{send, "bad_domain_for_stytch_sdk", 400, "bad_domain", "authorized domains"},
		{send, "bad_vertical_for_stytch_sdk", 400, "wrong_vertical", "STYTCH_VERTICAL"},
		{send, "endpoint_not_authorized_for_sdk", 401, "not_enabled", "GUESTPASS_LOGIN_METHODS"},
		{send, "no_discovery_redirect_urls_set", 400, "unregistered_redirect_url", "redirect URLs"},
		{send, "captcha_required", 400, "captcha", "captchas"},
		{start, "oauth_invalid_scope_requested", 400, "missing_scope", "Roles & Permissions"},
		{start, "connected_app_supplied_redirect_url_not_found_in_client", 401, "unregistered_callback",
			"callback URL"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, stytchtest.Development(), func(w *world) error {
				w.stytch.Fail(stytchtest.Fault{Path: tt.path, Status: tt.status, Type: tt.kind})
				steps := []step{newTabAt(w.authorizeURL())}
				if tt.path == send {
					steps = append(steps, fill("input[type=email]", "ada@acme.example"), press("Continue with email"))
				} else {
					steps = append(steps, byCode("ada@acme.example", "Acme")...)
				}
				told := see("runs this page: " + strings.ReplaceAll(tt.reason, "_", " "))
				if tt.reason == "unregistered_callback" {
					told = see("an address that it has not registered")
				}
				if err := w.newPerson().do(slices.Concat(steps,
					[]step{told, look(tt.reason), counted(w, tt.reason)})...); err != nil {
					return err
				}
				return eventually(func() error { // it is counted before it is in the log
					log := w.log.String()
					if !strings.Contains(log, `"reason":"`+tt.reason+`"`) || !strings.Contains(log, tt.words) ||
						!strings.Contains(log, `"seen_by":"browser"`) {
						return fmt.Errorf("log: %s", log)
					}
					return nil
				})
			})
		})
	}
}

// A public token of another project is refused at the first thing that somebody does.
func TestEndToEndAWrongPublicTokenIsTold(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		return w.newPerson().do(newTabAt(w.authorizeURL()), fill("input[type=email]", "ada@acme.example"),
			press("Continue with email"),
			see("Tell whoever runs this page: wrong public token"), look("told"), counted(w, "wrong_public_token"))
	}, func(o *guestpass.Options) { o.PublicToken = "public-token-test-99999999-9999-4999-8999-999999999999" })
}

// What the server refuses by itself is counted by it.
func TestRefusalsOfThePageAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	request := func(change ...string) string {
		q := url.Values{"client_id": {"connected-app-test-dddddddd-0000-4000-8000-000000000001"},
			"redirect_uri": {"https://chatgpt.com/aip/g-dev/oauth/callback"}}
		for i := 0; i < len(change); i += 2 {
			q.Set(change[i], change[i+1])
		}
		return "/idp?" + q.Encode()
	}
	const marker = "canary-q1w2e3"
	for path, reason := range map[string]string{
		request("client_id", "connected-app-test-"+marker):      "unknown_client",
		request("redirect_uri", "https://evil.example/"+marker): "unregistered_callback",
		request("organization_id", marker):                      "unknown_organization",
		request("response_type", "token"+marker):                "malformed_request",
		request() + "&client_id=x":                              "malformed_request",
	} {
		before := inside.Refusals(w.app)[reason]
		for range 500 {
			w.call("GET", path, "", "")
		}
		if got := inside.Refusals(w.app)[reason] - before; got != 500 {
			t.Errorf("%s: counted %d of 500", reason, got)
		}
	}
	log := w.log.String()
	if lines := strings.Count(log, "trouble on the sign-in page"); lines != 4 {
		t.Errorf("%d lines of 2,500 refusals for 4 reasons in a minute", lines)
	}
	if strings.Contains(log, marker) {
		t.Error("what anybody may send is in the log")
	}
	w.call("GET", "/idp", "", "") // nothing is asked for: nobody has to mend that
	w.stytch.Advance(61 * time.Second)
	w.call("GET", request("organization_id", "initech"), "", "")
	if log := w.log.String(); strings.Count(log, "trouble on the sign-in page") != 5 ||
		!strings.Contains(log, `"times":500`) || !strings.Contains(log, `"since_start":501`) {
		t.Errorf("after a minute: %s", log[strings.LastIndex(log, "trouble"):])
	}
	w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: 503})
	w.call("GET", request("organization_id", "other"), "", "")
	if inside.Refusals(w.app)["stytch_unavailable"] == 0 {
		t.Errorf("an outage is not counted: %v", inside.Refusals(w.app))
	}
	w.stytch.ClearFaults()
	w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: 401, Type: "unauthorized_credentials"})
	w.call("GET", request("organization_id", "another"), "", "")
	if inside.Refusals(w.app)["credentials_refused"] == 0 {
		t.Errorf("refused credentials are not told apart from an outage: %v", inside.Refusals(w.app))
	}
}

func TestReportsAreOneWordOfTheList(t *testing.T) {
	w := newWorld(t)
	from := func(headers ...string) func(*http.Request) {
		return func(r *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
		}
	}
	own := from("Sec-Fetch-Site", "same-origin")
	for _, tt := range []struct {
		name, body string
		from       func(*http.Request)
		status     int
	}{
		{"a word", "bad_domain", own, 200},
		{"an old browser's", "bad_domain", from("Origin", w.url), 200},
		{"free text", "bad_domain is wrong", own, 400},
		{"nothing", "", own, 400},
		{"more than a word", strings.Repeat("bad_domain", 100), own, 400},
		{"another site's", "bad_domain", from("Sec-Fetch-Site", "cross-site", "Origin", w.url), 403},
		{"a neighbour's", "bad_domain", from("Sec-Fetch-Site", "same-site"), 403},
		{"a form's", "bad_domain", from("Sec-Fetch-Site", "none"), 403},
		{"another origin", "bad_domain", from("Origin", "https://evil.example"), 403},
		{"nobody's", "bad_domain", from(), 403},
	} {
		if got := w.call("POST", "/idp/report", "", tt.body, tt.from); got.status != tt.status ||
			got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", tt.name, got.status, got.body)
		}
	}
	if got := inside.Refusals(w.app)["bad_domain"]; got != 2 {
		t.Errorf("counted %d", got)
	}
	limited := 0
	for range 50 {
		if got := w.call("POST", "/idp/report", "", "captcha", own); got.status == http.StatusTooManyRequests &&
			got.header.Get("Retry-After") != "" {
			limited++
		}
	}
	if counted := inside.Refusals(w.app)["captcha"]; limited != 42 || counted != 8 {
		t.Errorf("of 50 more %d are limited, %d counted", limited, counted)
	}
}
