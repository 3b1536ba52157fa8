package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"guestpass"
	"guestpass/api"
	"guestpass/stytchtest"
)

// A state is a page as somebody may find it. The list of them is complete: every route that answers with a page has
// one, every text of the sign-in page is seen in one, and every reason for which nobody comes in is counted in one.
type state struct {
	name  string
	route string // that answers; "" for an address that there is not
	at    string // which of the servers below; "" for the usual one
	only  string // the vertical that alone has it; "" for both
	alike bool   // it differs by its words alone from another, which is looked at on every screen and in both verticals
	steps func(w *world) []step
}

// A place is a server whose pages differ from the usual one's by its settings.
type place struct {
	seed   func(*stytchtest.Seed)
	change func(*guestpass.Options)
	login  func(*loginApp, *stytchtest.Seed) func(*guestpass.Options)
}

var places = map[string]place{
	"": {change: dynamic},
	"with a brand": {change: func(o *guestpass.Options) {
		brand(o)
		o.LoginMethods = []string{"email_link", "password", "google"}
	}},
	"beside an application": {change: func(o *guestpass.Options) { o.Resources = nil; o.DocsClientID = "" }},
	"with a login page": {login: func(app *loginApp, _ *stytchtest.Seed) func(*guestpass.Options) {
		return app.forGuestpass
	}},
	"with a login page of tokens": {login: func(app *loginApp, seed *stytchtest.Seed) func(*guestpass.Options) {
		app.signsTokens(seed)
		return app.tokensForGuestpass
	}},
	"by role":            {change: func(o *guestpass.Options) { o.Access = api.ByRole }},
	"of another project": {change: func(o *guestpass.Options) { o.Secret = "secret-test-wrong" }},
	"without its store":  {},
}

// somebody has the names of a vertical's people.
type somebody struct{ subject, email, organization, choose, other, otherEmail string }

func (w *world) ada() somebody {
	if w.options.Vertical == "consumer" {
		return somebody{userAda, "ada@example.com", "", "", userGrace, "grace@example.com"}
	}
	return somebody{ada, "ada@acme.example", acme, "Acme", grace, "grace@acme.example"}
}

// at is a state of which the address is all that it takes.
func at(path string, keys ...string) func(w *world) []step {
	return func(w *world) []step { return []step{open(w.url + path), says(keys...)} }
}

// asked is a request of the GPT to the server, with changes by name and value. A value of "-" leaves it out.
func asked(changes ...string) string {
	query := url.Values{"client_id": {stytchtest.Development().ConnectedApps[0].ClientID}, "scope": {"openid"},
		"state": {"s"}, "redirect_uri": {"https://chatgpt.com/aip/g-dev/oauth/callback"}}
	for i := 0; i < len(changes); i += 2 {
		if query.Set(changes[i], changes[i+1]); changes[i+1] == "-" {
			query.Del(changes[i])
		}
	}
	return "/idp?" + query.Encode()
}

// english are the words of the pages by key.
func english(t testing.TB) map[string]string {
	t.Helper()
	content, err := os.ReadFile("../page/words/en.json")
	must(t, err)
	words := map[string]string{}
	must(t, json.Unmarshal(content, &words))
	return words
}

// anything is the pattern of a value in words.
const anything = `[^\n]+?`

var wordPlace = regexp.MustCompile(`\\\{\w+\\\}`)

// saying is the pattern of a key's words, in browsers and in Go.
func saying(words map[string]string, key string) string {
	return wordPlace.ReplaceAllString(regexp.QuoteMeta(words[key]), anything)
}

// says waits until the page says the words of these keys.
func says(keys ...string) step {
	return func(p *person) error {
		words := english(p.w.t)
		for _, key := range keys {
			if words[key] == "" {
				return fmt.Errorf("there are no words %s", key)
			}
			pattern := "new RegExp(" + quoted(saying(words, key)) + ").test(document.body?.innerText)"
			if err := p.until(pattern); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
		return nil
	}
}

// signedInAs gives the browser a session of somebody, as something else of this origin does.
func (w *world) signedInAs(email, organization string) step {
	return func(p *person) error {
		token := w.passwordSession(email, organization)
		_, err := chromedp.Call(p.tab, network.SetCookie, network.SetCookieParams{Name: "stytch_session",
			Value: token, URL: w.url})
		return err
	}
}

func (w *world) asAda() step   { return w.signedInAs(w.ada().email, w.ada().organization) }
func (w *world) asGrace() step { return w.signedInAs(w.ada().otherEmail, w.ada().organization) }

// fails has Stytch answer so.
func (w *world) fails(path string, status int, kind string) step {
	return func(*person) error {
		w.stytch.Fail(stytchtest.Fault{Path: path, Status: status, Type: kind})
		return nil
	}
}

// of returns the states of a vertical.
func of(vertical string) (some []state) {
	for _, s := range states() {
		if s.only == vertical || s.only == "" && (!s.alike || vertical == "b2b") {
			some = append(some, s)
		}
	}
	return some
}

func states() []state {
	return slices.Concat(builderStates(), refusalStates(), signInStates(), accountStates())
}

// builderStates are the pages that are the same for everybody.
func builderStates() []state {
	return []state{
		{name: "landing", route: "GET /", steps: at("/")},
		{name: "landing unfolded", route: "GET /", steps: func(w *world) []step {
			return []step{open(w.url), see("Make a GPT with it"), unfoldAll}
		}},
		{name: "landing beside an application", at: "beside an application", route: "GET /", steps: at("/")},
		{name: "operations", route: "GET /docs", steps: func(w *world) []step {
			return []step{open(w.url + "/docs"), see("listTasks")}
		}},
		{name: "operations, one unfolded", route: "GET /docs", steps: func(w *world) []step {
			return []step{open(w.url + "/docs#createTask"), see("Creates a task")}
		}},
		{name: "privacy", route: "GET /privacy", steps: at("/privacy", "privacy.ends_itself")},
		{name: "privacy beside an application", at: "beside an application", route: "GET /privacy",
			steps: at("/privacy", "privacy.kept_beside")},
		{name: "privacy with a brand", at: "with a brand", route: "GET /privacy", steps: at("/privacy")},
		{name: "mistyped address", steps: at("/acount", "notfound.heading")},
		{name: "mistyped address with a brand", at: "with a brand", steps: at("/acount", "layout.get_help")},
	}
}

// refusalStates are requests that cannot go on.
func refusalStates() []state {
	idp := func(name, path string, keys ...string) state {
		return state{name: name, route: "GET /idp", alike: name != "unknown client",
			steps: at(path, append(keys, "signin.not_done")...)}
	}
	return []state{
		idp("nothing asked for", "/idp", "failure.nothing_text"),
		idp("no client", asked("client_id", ""), "failure.no_app_text"),
		idp("unknown client", asked("client_id", "connected-app-test-other"), "failure.unknown_app_text"),
		idp("no return address", asked("redirect_uri", "-"), "failure.incomplete_text"),
		idp("wrong return address", asked("redirect_uri", "https://evil.example/x"), "failure.wrong_return_text"),
		idp("return address of no kind", asked("redirect_uri", "javascript:alert(1)"), "failure.wrong_return_kind"),
		idp("unknown organization", asked("organization_id", "initech"), "failure.unknown_organization_text"),
		idp("repeated parameter", asked()+"&state=other", "failure.ambiguous_text"),
		idp("two things", asked()+"&stytch_token_type=discovery", "failure.two_things"),
		idp("implicit flow", asked("response_type", "token"), "failure.response_type"),
		idp("plain challenge", asked("code_challenge", "c", "code_challenge_method", "plain"),
			"failure.challenge_method"),
		idp("long state", asked("state", strings.Repeat("s", 2049)), "failure.long_state"),
		idp("long address", asked("x", strings.Repeat("x", 8<<10)), "failure.too_long_text"),
		idp("malformed address", "/idp?client_id=%zz", "failure.malformed_text"),
		idp("token in the address", "/idp?trusted_auth_token=x", "failure.unsafe_text"),
		{name: "organization that cannot be looked up", only: "b2b", route: "GET /idp", steps: func(w *world) []step {
			return append([]step{w.fails("/v1", 503, "")},
				at(asked("organization_id", "another"), "failure.no_sign_in_text")(w)...)
		}},
		{name: "organization of another project", only: "b2b", at: "of another project", route: "GET /idp", alike: true,
			steps: at(asked("organization_id", "another"), "failure.no_sign_in_text")},
		{name: "client of a host that is not listed", at: "of another project", route: "GET /idp", alike: true,
			steps: at(asked("client_id", "https://other.example/client.json"), "failure.unknown_app_text")},
		{name: "unreadable sign-in", only: "b2b", at: "with a login page of tokens", route: "POST /idp",
			steps: func(w *world) []step {
				w.login.signedIn = func(rw http.ResponseWriter, r *http.Request, returnTo string) {
					byForm(rw, r, returnTo, "not a token")
				}
				return []step{open(w.authorizeURL()), press("Log in as Ada"), says("failure.unreadable_text")}
			}},
	}
}

// signInStates are those of the page on which people sign in and decide.
func signInStates() []state {
	code := func(w *world) []step {
		return []step{fill("input[type=email]", w.ada().email), press("Continue with email"), see("passcode")}
	}
	all := []state{
		{name: "sign in", steps: func(w *world) []step {
			return []step{open(w.authorizeURL()), see("Continue with email")}
		}},
		{name: "sign in with a brand", at: "with a brand", steps: func(w *world) []step {
			return []step{open(w.authorizeURL()), see("Continue with Google")}
		}},
		{name: "sign in for the account", steps: func(w *world) []step {
			return []step{open(w.url + "/idp?return=account"), see("Continue with email")}
		}},
		{name: "sign in to an organization", only: "b2b", steps: func(w *world) []step {
			return []step{open(w.authorizeURL(func(q url.Values) { q.Set("organization_id", "acme") })),
				says("signin.to_organization_for"), see("Continue with email")}
		}},
		{name: "sign in to an organization while the client cannot be looked up", only: "b2b", alike: true,
			steps: func(w *world) []step {
				return []step{w.fails("/v1/connected_apps", 503, ""), open(w.url + asked("organization_id", "acme")),
					says("signin.to_organization"), see("Continue with email")}
			}},
		{name: "sign in for a client with a document", steps: func(w *world) []step {
			id := w.describedBy("ChatGPT", strings.Replace(w.callbacks.url, hostOf(w.callbacks.url), "127.0.0.1", 1))
			return []step{w.asAda(), open(w.asksAs(id, "openid offline_access", "s1")), says("script.host_called")}
		}},
		{name: "sign in for an app that nobody listed", steps: func(w *world) []step {
			id, _ := w.registered("Desk", "http://127.0.0.1/callback")
			return []step{open(w.asksAs(id, "openid", "s1")), says("signin.unchecked"), see("Continue with email")}
		}},
		{name: "code", steps: func(w *world) []step {
			return append([]step{open(w.authorizeURL())}, code(w)...)
		}},
		{name: "wrong code", steps: func(w *world) []step {
			return append(append([]step{open(w.authorizeURL())}, code(w)...),
				fill("input[autocomplete=one-time-code]", "000000"), see("nvalid"))
		}},
		{name: "organizations", only: "b2b", steps: func(w *world) []step {
			return append(append([]step{open(w.authorizeURL())}, code(w)...), typeCode, see("Acme"))
		}},
		{name: "no organization", only: "b2b", steps: func(w *world) []step {
			return []step{open(w.authorizeURL()), fill("input[type=email]", "mary@wonder.example"),
				press("Continue with email"), typeCode, see("Create an organization")}
		}},
		{name: "link sent, or an account to create", at: "with a brand", steps: func(w *world) []step {
			return []step{open(w.authorizeURL()), fill("input[type=email]", "mary@wonder.example"),
				press("Continue with email"), is(`document.body.innerText.includes("mary@wonder.example") ||
					document.body.innerText.includes("Create an account")`)}
		}},
	}
	all = slices.Concat(all, consentStates(), linkStates(), troubleStates(), loginPageStates())
	for i := range all {
		if all[i].route == "" {
			all[i].route = "GET /idp"
		}
	}
	return all
}

func consentStates() []state {
	return []state{
		{name: "consent", steps: func(w *world) []step {
			return []step{w.asAda(), open(w.authorizeURL()), says("script.allow", "script.decide")}
		}},
		{name: "consent with a brand", at: "with a brand", steps: func(w *world) []step {
			return []step{w.asAda(), open(w.authorizeURL()), says("script.allow", "script.decide")}
		}},
		{name: "consent that is not all theirs", only: "b2b", steps: func(w *world) []step {
			return []step{w.asGrace(), open(w.authorizeURL()), says("script.refused")}
		}},
		{name: "consent to nothing", only: "b2b", steps: func(w *world) []step {
			return []step{w.asGrace(), open(w.authorizeURL(scopes("members:invite"))), says("script.nothing",
				"script.nothing_yours", "script.back_to", "script.reference")}
		}},
		{name: "consent by role", only: "b2b", at: "by role", steps: func(w *world) []step {
			return []step{w.asGrace(), open(w.authorizeURL()), says("script.as_yourself")}
		}},
		{name: "consent to each kind", only: "b2b", steps: func(w *world) []step {
			return []step{w.asAda(), open(w.authorizeURL()), says("script.allow_see", "script.allow_change",
				"script.allow_remove", "signin.take_back")}
		}},
		{name: "allowed, and the client shows nothing", steps: func(w *world) []step {
			return []step{w.asAda(), open(w.authorizeURL(redirectsTo(w.silent))), press("Allow"),
				says("script.allowed", "script.may_now", "script.go_now", "script.no_app", "script.go_to")}
		}},
		{name: "denied, and the client shows nothing", steps: func(w *world) []step {
			return []step{w.asAda(), open(w.authorizeURL(redirectsTo(w.silent))), press("Deny"),
				says("script.denied", "script.may_nothing", "script.no_app_denied")}
		}},
		{name: "come back to what was decided", steps: func(w *world) []step {
			return []step{w.asAda(), open(w.authorizeURL(redirectsTo(w.silent))), press("Deny"),
				says("script.no_app_denied"), reload, says("script.came_back", "signin.decide_again")}
		}},
		{name: "consent to a client that nobody listed", steps: func(w *world) []step {
			id, _ := w.registered("Desk", "http://127.0.0.1/callback")
			return []step{w.asAda(), open(w.asksAs(id, "openid", "s1")), says("script.app_called_within")}
		}},
		{name: "consent of somebody else than before", steps: func(w *world) []step {
			return []step{w.asAda(), open(w.authorizeURL()), says("script.allow"), w.asGrace(),
				script("dispatchEvent(new Event('focus'))"), says("script.other_person")}
		}},
		{name: "consent that has changed", only: "b2b", steps: func(w *world) []step {
			return []step{w.asGrace(), open(w.authorizeURL()), says("script.allow"),
				w.setRoles(acme, grace, "stytch_admin"), press("Allow"), says("script.changed"),
				w.setRoles(acme, grace)}
		}},
		{name: "another organization", only: "b2b", steps: func(w *world) []step {
			return []step{w.signedInAs("hank@globex.example", globex),
				open(w.authorizeURL(func(q url.Values) { q.Set("organization_id", acme) })),
				says("script.is_for", "script.signed_in_at", "script.switch")}
		}},
		{name: "ended while reading", steps: func(w *world) []step {
			expire := func(*person) error { w.stytch.Advance(2 * time.Hour); return nil }
			return []step{w.asAda(), open(w.authorizeURL()), says("script.allow"), expire, press("Allow"),
				says("script.had_ended"), see("Continue with email")}
		}},
		{name: "denied in vain", only: "b2b", steps: func(w *world) []step {
			return []step{w.asAda(), insecureStytch(w.authorizeURL(), "/idp/b2b/oauth/authorize/submit",
				`(data) => { data.authorization_code = "code-in-spite"; }`), press("Deny"), says("script.not_denied")}
		}},
		{name: "logging out to an unknown address", steps: func(w *world) []step {
			return []step{w.asAda(), open(w.url + "/idp?" + url.Values{"client_id": {w.options.ClientIDs[0]},
				"post_logout_redirect_uri": {"http://127.0.0.1:1/other"}}.Encode()), says("script.unregistered")}
		}},
	}
}

// linkStates are what links of mails lead to, and of other services.
func linkStates() []state {
	link := func(w *world, name string) string {
		for _, l := range sentLinks() {
			if l.name == name {
				return l.send(w)
			}
		}
		panic("no link " + name)
	}
	own := func(w *world) string {
		if w.options.Vertical == "consumer" {
			return "user's "
		}
		return ""
	}
	return []state{
		{name: "link of an invitation", only: "b2b", steps: func(w *world) []step {
			return []step{open(link(w, "invitation")), says("script.signed_in", "script.go_back")}
		}},
		{name: "link that was used", only: "b2b", steps: func(w *world) []step {
			return []step{open(link(w, "invitation") + "x"), says("script.link_spent")}
		}},
		{name: "link of a kind that is not used", steps: func(w *world) []step {
			name := "discovery link"
			if own(w) != "" {
				name = "user's link"
			}
			return []step{open(link(w, name)), says("script.link_refused")}
		}},
		{name: "link of somebody else", only: "b2b", at: "with a brand", steps: func(w *world) []step {
			return []step{w.asGrace(), open(link(w, "discovery link")), says("script.somebody_else",
				"script.opened_link", "script.stay_as")}
		}},
		{name: "link of another service", at: "with a brand", steps: func(w *world) []step {
			return []step{w.asGrace(), open(link(w, own(w)+"provider")), says("script.other_service")}
		}},
		{name: "link of another's new password", at: "with a brand", steps: func(w *world) []step {
			return []step{w.asGrace(), open(link(w, own(w)+"new password")), says("script.other_password",
				"script.password_link")}
		}},
		{name: "link of a new password", at: "with a brand", steps: func(w *world) []step {
			return []step{open(link(w, own(w)+"new password")), says("script.new_password"),
				is("!!document.querySelector('input[type=password]')")}
		}},
		{name: "link opened elsewhere", only: "b2b", at: "with a brand", steps: func(w *world) []step {
			return []step{w.fails("/sdk/v1/b2b/magic_links", 400, "pkce_mismatch"),
				open(link(w, "organization's link")), says("script.link_elsewhere")}
		}},
	}
}

// troubleStates are what is wrong at Stytch, or between it and the browser.
func troubleStates() []state {
	starting := func(w *world) string {
		if w.options.Vertical == "consumer" {
			return "/sdk/v1/idp/oauth/authorize/start"
		}
		return "/sdk/v1/idp/b2b/oauth/authorize/start"
	}
	told := func(status int, kind string, keys ...string) func(w *world) []step {
		return func(w *world) []step {
			return []step{w.fails(starting(w), status, kind), w.asAda(), open(w.authorizeURL()), says(keys...)}
		}
	}
	all := []state{
		{name: "return address that Stytch does not know",
			steps: told(401, "connected_app_supplied_redirect_url_not_found_in_client", "script.unregistered")},
		{name: "too many requests", steps: func(w *world) []step {
			return append(told(429, "too_many_requests")(w), see("A fault on purpose."))
		}},
		{name: "Stytch is away", steps: func(w *world) []step {
			return []step{w.asAda(), w.fails("/sdk", 503, ""), open(w.authorizeURL()), says("script.unreachable")}
		}},
		{name: "no cookies", steps: func(w *world) []step {
			return []step{withoutCookies, open(w.authorizeURL()), says("script.cookies")}
		}},
	}
	for cause, kind := range map[string]string{"bad_domain": "bad_domain_for_stytch_sdk",
		"wrong_vertical": "bad_vertical_for_stytch_sdk", "wrong_public_token": "public_token_not_found",
		"not_enabled":               "endpoint_not_authorized_for_sdk",
		"unregistered_redirect_url": "no_discovery_redirect_urls_set", "captcha": "captcha_required",
		"missing_scope":     "oauth_invalid_scope_requested",
		"http_only_cookies": "cname_required_for_http_only_cookies", "session_duration": "invalid_session_duration",
		"login_profile": "trusted_token_profile_not_found"} {
		words := "script.set_up_wrongly"
		if cause == "missing_scope" {
			words = "script.missing_scope"
		}
		all = append(all, state{name: "set up wrongly: " + cause, alike: words != "script.missing_scope" &&
			cause != "captcha", steps: told(400, kind, words)})
	}
	slices.SortFunc(all, func(a, b state) int { return strings.Compare(a.name, b.name) })
	return all
}

// loginPageStates are those of people who sign in on the application's own page, and come back.
func loginPageStates() []state {
	const cookies, tokens = "with a login page", "with a login page of tokens"
	comes := func(answers func(w *world) answering, keys ...string) func(w *world) []step {
		return func(w *world) []step {
			w.login.signedIn = answers(w)
			return []step{open(w.authorizeURL()), press("Log in as Ada"), says(keys...)}
		}
	}
	session := func(change func(*http.Cookie)) func(w *world) answering {
		return func(w *world) answering {
			return func(rw http.ResponseWriter, r *http.Request, returnTo string) {
				cookies := w.login.session(w)
				for _, cookie := range cookies {
					change(cookie)
				}
				returnsWith(rw, r, returnTo, cookies...)
			}
		}
	}
	nobody := func(*world) answering {
		return func(rw http.ResponseWriter, r *http.Request, returnTo string) { returnsWith(rw, r, returnTo) }
	}
	token := func(email string, change func(string) string) func(w *world) answering {
		return func(w *world) answering {
			return func(rw http.ResponseWriter, r *http.Request, returnTo string) {
				byFragment(rw, r, returnTo, change(w.login.token(email)))
			}
		}
	}
	forged := func(token string) string { return token[:len(token)-9] + "AAAAAAAAA" }
	asItIs := func(token string) string { return token }
	return []state{
		{name: "back as nobody", only: "b2b", at: cookies,
			steps: comes(nobody, "script.back_nobody", "script.if_again", "script.to_continue")},
		{name: "back with a hidden session", only: "b2b", at: cookies,
			steps: comes(session(func(c *http.Cookie) { c.HttpOnly = true }), "script.back_nobody")},
		{name: "back with a session of another project", only: "b2b", at: cookies,
			steps: comes(session(func(c *http.Cookie) { c.Value += "x" }), "script.back_nobody")},
		{name: "sent there a moment ago", only: "b2b", at: cookies, steps: func(w *world) []step {
			request := w.authorizeURL()
			return []step{open(request), see("Log in to Acme"), open(request), says("script.sign_in_there")}
		}},
		{name: "back without a token", only: "b2b", at: tokens, steps: comes(nobody, "script.back_nobody")},
		{name: "back with a forged token", only: "b2b", at: tokens,
			steps: comes(token("ada@acme.example", forged), "script.not_good")},
		{name: "back as a stranger", only: "b2b", at: tokens,
			steps: comes(token("mary@acme.example", asItIs), "script.unknown_here")},
		{name: "back while Stytch is away", only: "b2b", at: tokens, steps: func(w *world) []step {
			drops := func(*person) error {
				w.stytch.Fail(stytchtest.Fault{Path: "/sdk/v1/b2b/sessions/attest", Kind: "drop"})
				return nil
			}
			return append([]step{drops},
				comes(token("ada@acme.example", asItIs), "script.unreachable_nothing")(w)...)
		}},
		{name: "a sign-in that nobody asked for", only: "b2b", at: tokens, steps: func(w *world) []step {
			path := w.login.serve(func(rw http.ResponseWriter, r *http.Request) {
				byForm(rw, r, w.authorizeURL(), w.login.token("ada@acme.example"))
			})
			return []step{w.asAda(), open(w.login.url + path), says("script.unasked")}
		}},
	}
}

// spoilForm sends the form of a page as nobody has made it.
var spoilForm = script(`setTimeout(() => {
	const form = [...document.forms].find((one) => one.form);
	form.form.value = "x";
	form.submit();
})`)

// accountStates are those of the page that shows what is connected and was done.
func accountStates() []state {
	account := func(who func(w *world) step, path string, keys ...string) func(w *world) []step {
		return func(w *world) []step { return []step{who(w), open(w.url + "/account" + path), says(keys...)} }
	}
	return []state{
		{name: "account of nobody", route: "GET /account", steps: at("/account", "account.lead", "account.sign_in")},
		{name: "account without apps", route: "GET /account", steps: func(w *world) []step {
			email, organization := "hank@globex.example", globex
			if w.options.Vertical == "consumer" {
				email, organization = w.ada().otherEmail, ""
			}
			return []step{w.signedInAs(email, organization), open(w.url + "/account"), says("account.no_app")}
		}},
		{name: "account", route: "GET /account", steps: account((*world).asAda, "", "account.signed_in",
			"account.done")},
		{name: "account with a brand", at: "with a brand", route: "GET /account",
			steps: account((*world).asAda, "", "account.no_app")},
		{name: "changes", route: "GET /account", steps: account((*world).asAda, "?changes=all", "account.changes")},
		{name: "what was deleted", route: "GET /account", steps: account((*world).asAda, "?changes=all&kind=deleted",
			"account.changes", "account.undo")},
		{name: "nothing of a kind", route: "GET /account", steps: account((*world).asAda,
			"?changes=here&kind=created", "account.none")},
		{name: "account at a wrong address", route: "GET /account",
			steps: account((*world).asAda, "?after=a&after=b", "account.bad_address")},
		{name: "account while Stytch is away", route: "GET /account", steps: func(w *world) []step {
			return append([]step{w.asAda(), w.fails("/v1", 503, "")},
				at("/account", "account.not_shown", "account.load_again")(w)...)
		}},
		{name: "account at a server of another project", at: "of another project", route: "GET /account",
			steps: account((*world).asAda, "", "account.fault")},
		{name: "account without the store", at: "without its store", route: "GET /account",
			steps: account((*world).asAda, "", "account.unknown")},
		{name: "asked to revoke", route: "GET /account/revoke", steps: func(w *world) []step {
			return []step{w.asAda(), open(w.url + "/account"), press("Revoke access"), says("account.ask_revoke",
				"account.keep", "account.revoke_means")}
		}},
		{name: "revoked", route: "POST /account/revoke", steps: func(w *world) []step {
			again := func(*person) error { w.consent(w.ada().subject); return nil }
			return []step{again, w.asAda(), open(w.url + "/account"), press("Revoke access"),
				says("account.ask_revoke"), press("Revoke access"), says("account.revoked"), again}
		}},
		{name: "revoked with an old form", route: "POST /account/revoke", steps: func(w *world) []step {
			return []step{w.asAda(), open(w.url + "/account"), press("Revoke access"), says("account.ask_revoke"),
				spoilForm, says("account.refused")}
		}},
		{name: "asked to undo", route: "GET /account/undo", steps: func(w *world) []step {
			return []step{w.asAda(), open(w.url + "/account?changes=all&kind=deleted"), press("Undo"),
				says("account.ask_undo", "account.afterwards", "account.leave")}
		}},
		{name: "undone with an old form", route: "POST /account/undo", steps: func(w *world) []step {
			return []step{w.asAda(), open(w.url + "/account?changes=all&kind=deleted"), press("Undo"),
				says("account.ask_undo"), spoilForm, says("account.undo_refused")}
		}},
		{name: "undone", route: "POST /account/undo", steps: func(w *world) []step {
			return []step{w.asAda(), open(w.url + "/account?changes=all&kind=deleted"), press("Undo"),
				says("account.ask_undo"), press("Undo"), says("account.undone", "account.undid")}
		}},
		{name: "table for nobody", route: "GET /account/changes.csv",
			steps: func(w *world) []step {
				return append([]step{open(w.url + "/account"), says("account.lead")},
					at("/account/changes.csv", "account.download_signed_out")(w)...)
			}},
		{name: "download of an unknown kind", route: "GET /account/changes.json",
			steps: account((*world).asAda, "/changes.json?kind=x", "account.bad_address")},
	}
}
