package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"guestpass/stytchtest"
)

// once wants one thing on the page that says what is wrong, be it ours or Stytch's.
func once(p *person) error {
	const said = `[...document.querySelectorAll('main [role=alert], [class*="_destructive_"], [class*="_header_"]')]
		.filter((e) => e.checkVisibility() && (!e.matches('[class*="_header_"]') || /error/.test(e.innerText)))
		.map((e) => e.innerText)`
	got, err := chromedp.Run(p.tab, chromedp.Evaluate[[]string](said))
	if err == nil && len(got) != 1 {
		err = fmt.Errorf("%d things say what is wrong: %q; the page shows: %s", len(got), got, p.shown())
	}
	return err
}

var reference = regexp.MustCompile(`Reference: (?:<bdi>)?(req-[a-z2-7]+)`)

// inLog wants the reference that the page shows to be in the log, with the reason.
func inLog(reason string) step {
	return func(p *person) error {
		if err := see("Reference: ")(p); err != nil {
			return err
		}
		found := reference.FindStringSubmatch(p.shown())
		if found == nil {
			return fmt.Errorf("no reference: %s", p.shown())
		}
		return p.w.logged(found[1], reason)
	}
}

// logged wants a line of the log with both.
func (w *world) logged(id, reason string) error {
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, `"request_id":"`+id+`"`) && strings.Contains(line, `"reason":"`+reason+`"`) {
			return nil
		}
	}
	return fmt.Errorf("the log has no line of %s with the reason %s", id, reason)
}

// A scope that the project does not know fails the whole request. Stytch has the client and its address all the same,
// so the client hears of it there, with the state as it came, when the person presses the button.
func TestEndToEndAScopeThatThereIsNot(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		seed   stytchtest.Seed
		signIn []step
	}{
		"members": {stytchtest.Development(), byCode("ada@acme.example", "Acme")},
		"users":   {stytchtest.DevelopmentConsumer(), byCode("ada@example.com", "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, tt.seed, func(w *world) error {
				request := w.authorizeURL(scopes("openid nonsense:read"))
				return w.newPerson().do(slices.Concat([]step{newTabAt(request)}, tt.signIn,
					[]step{see("missing scope"), see("Back to ChatGPT"), once, inLog("missing_scope"),
						everywhere("scope"),
						press("Back to ChatGPT"), came(func(q url.Values) error {
							if q.Get("error") != "invalid_scope" || q.Get("state") != stateOf(request) ||
								q.Has("code") {
								return fmt.Errorf("came back with %v", q)
							}
							return nil
						})})...)
			})
		})
	}
}

// To an address that Stytch has not found among the client's own nobody is led, whatever else is wrong.
func TestEndToEndNobodyIsLedToAnAddressOfOthers(t *testing.T) {
	t.Parallel()
	signIn := byCode("ada@acme.example", "Acme")
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		other := redirectsTo("http://127.0.0.1:9/other")
		return w.newPerson().do(slices.Concat(
			[]step{newTabAt(w.authorizeURL(scopes("openid nonsense:read"), other))}, signIn,
			[]step{see("Nothing was allowed"), once, inLog("unregistered_callback"), absent("Back to"),
				evaluates(`[...document.links].some((a) => a.href.includes("/other"))`, false), look("other")})...)
	})
	// Whatever Stytch says first: what counts is that it has taken the address in the end.
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		w.stytch.Fail(stytchtest.Fault{Path: "/sdk/v1/idp/b2b/oauth/authorize/start", Status: 400,
			Type: "oauth_invalid_scope_requested"})
		return w.newPerson().do(slices.Concat([]step{newTabAt(w.authorizeURL())}, signIn,
			[]step{see("missing scope"), once, inLog("missing_scope"), absent("Back to"), look("unproved")})...)
	})
}

// Where nothing is a person's to give there is nothing to decide.
func TestEndToEndNothingIsTheirsToGive(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		return w.newPerson().do(slices.Concat([]step{newTabAt(w.authorizeURL(scopes("members:invite")))},
			byCode("grace@acme.example", "Acme"), []step{see("There is nothing to allow"),
				see("ChatGPT asked only for what is not yours to give: Invite people to your organization."), once,
				inLog("nothing_to_grant"), absent("Deny"), everywhere("nothing"), press("Back to ChatGPT"),
				returns("access_denied")})...)
	})
}

// Whatever goes wrong is said once, by the component or by the page.
func TestEndToEndWhatIsWrongIsSaidOnce(t *testing.T) {
	t.Parallel()
	const send, start = "/sdk/v1/b2b/otps/email/discovery/send", "/sdk/v1/idp/b2b/oauth/authorize/start"
	const submit, check = "/sdk/v1/idp/b2b/oauth/authorize/submit", "/sdk/v1/b2b/otps/email/discovery/authenticate"
	email := []step{fill("input[type=email]", "ada@acme.example"), press("Continue with email")}
	for _, tt := range []struct {
		name  string
		fault stytchtest.Fault
		steps []step
		cause string // "": the component says it by itself
	}{
		{"set up wrongly", stytchtest.Fault{Path: send, Status: 400, Type: "bad_domain_for_stytch_sdk"}, email,
			"bad_domain"},
		{"too often", stytchtest.Fault{Path: send, Status: 429, Type: "too_many_requests"}, email, ""},
		{"an outage", stytchtest.Fault{Path: send, Status: 503}, email, ""},
		{"a code that is not taken", stytchtest.Fault{Path: check, Status: 401, Type: "otp_code_not_found"},
			append(slices.Clone(email), typeCode), ""},
		{"a request that is refused", stytchtest.Fault{Path: start, Status: 400, Type: "something_new"},
			byCode("ada@acme.example", "Acme"), "refused_by_stytch"},
		{"a decision that is refused", stytchtest.Fault{Path: submit, Status: 400, Type: "something_new"},
			append(byCode("ada@acme.example", "Acme"), press("Allow")), "refused_by_stytch"},
		{"a decision in an outage", stytchtest.Fault{Path: submit, Status: 503},
			append(byCode("ada@acme.example", "Acme"), press("Deny")), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, stytchtest.Development(), func(w *world) error {
				w.stytch.Fail(tt.fault)
				steps := slices.Concat([]step{newTabAt(w.authorizeURL())}, tt.steps, []step{
					waits(`!!document.querySelector('#problem:not([hidden]), main [class*="_destructive_"]')`), once,
					look("once")})
				if tt.cause != "" {
					steps = append(steps, inLog(tt.cause))
				}
				return w.newPerson().do(steps...)
			})
		})
	}
}

// What the server refuses by itself has a reference too, which is in the log.
func TestARefusalHasAReferenceThatIsInTheLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.callbacks = &callbacks{url: "http://localhost:8090/callback"}
	for path, reason := range map[string]string{
		"/idp":                        "no_request",
		"/idp?client_id=x":            "malformed_request",
		w.authorizeURL()[len(w.url):]: "",
		"/idp?client_id=" + "%zz":     "malformed_request",
		w.refusedBy("client_id", "connected-app-test-x"):        "unknown_client",
		w.refusedBy("redirect_uri", "https://evil.example/"):    "unregistered_callback",
		w.refusedBy("organization_id", "initech"):               "unknown_organization",
		w.refusedBy("response_type", "token"):                   "malformed_request",
		w.refusedBy("trusted_auth_token", "a.b.c"):              "token_in_query",
		w.refusedBy("client_id", "https://evil.example/c.json"): "unlisted_host",
	} {
		body := w.call("GET", path, "", "").body
		found := reference.FindStringSubmatch(body)
		if reason == "" {
			if found != nil {
				t.Errorf("%s is not refused, and has the reference %s", path, found[1])
			}
			continue
		}
		if found == nil {
			t.Errorf("%s: no reference: %s", path, body)
		} else if err := w.logged(found[1], reason); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for range 30 {
		if found := reference.FindStringSubmatch(w.call("GET", "/idp", "", "").body); found != nil {
			if err := w.logged(found[1], "no_request"); err != nil {
				t.Error(err)
			}
		}
	}
	if lines := strings.Count(w.log.String(), "refused on the sign-in page"); lines > 10 {
		t.Errorf("%d lines of one address in a minute", lines)
	}
}

// refusedBy returns a request with one thing changed.
func (w *world) refusedBy(name, value string) string {
	return changed(w.authorizeURL(), func(q url.Values) { q.Set(name, value) })[len(w.url):]
}

// What the sign-in page needs before it is of use, but for Stytch's component and as browsers ask for it, is below
// 60 kB in each language.
func TestTheFirstViewOfTheSignInPageIsSmall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.callbacks = &callbacks{url: "http://localhost:8090/callback"}
	asked := func(r *http.Request) {
		r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
		r.Header.Set("Accept-Language", "de")
	}
	page := w.call("GET", w.authorizeURL()[len(w.url):], "", "", asked)
	total, files := len(page.body), 0
	linked := regexp.MustCompile(`(?:src|href)="(/(?:idp/)?assets/[^"]+)"`)
	for _, path := range linked.FindAllStringSubmatch(page.body, -1) {
		if !strings.Contains(path[1], "stytch-") {
			total += len(w.call("GET", path[1], "", "", asked).body)
			files++
		}
	}
	for _, name := range []string{"cookies", "login", "report", "session", "words"} { // those that idp.js imports
		total += len(w.call("GET", "/idp/assets/"+name+".js", "", "", asked).body)
		files++
	}
	if total >= 60_000 || files < 8 {
		t.Errorf("%d bytes in the page and %d files", total, files)
	}
	t.Logf("%d bytes", total)
}
