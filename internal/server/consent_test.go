package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"guestpass"
	"guestpass/gpttest"
	"guestpass/stytchtest"
)

// authorizeURL returns a request of the GPT, changed as wanted.
func (w *world) authorizeURL(change ...func(url.Values)) string {
	w.t.Helper()
	address, _, err := w.gpt().AuthorizeURL(w.callbacks.url)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range change {
		address = changed(address, c)
	}
	return address
}

func scopes(names string) func(url.Values) { return func(q url.Values) { q.Set("scope", names) } }

// byCode signs in with a code, and into the first organization of that name if there is one.
func byCode(email, organization string) []step {
	steps := []step{fill("input[type=email]", email), press("Continue with email"), typeCode}
	if organization != "" {
		steps = append(steps, press(organization))
	}
	return steps
}

// returns wants the browser to be back with a code, or with the error.
func returns(want string) step {
	return func(p *person) error {
		back, err := p.comesBack()
		if err != nil {
			return err
		}
		if got := back.Query().Get("error"); got != want || want == "" && back.Query().Get("code") == "" {
			return fmt.Errorf("came back with %s, want the error %q", back.RawQuery, want)
		}
		return nil
	}
}

// visit opens a request in a tab, takes the steps and wants to be back with a code.
func (w *world) visit(steps []step, change ...func(url.Values)) step {
	return func(p *person) error {
		return p.do(slices.Concat([]step{newTabAt(w.authorizeURL(change...))}, steps, []step{returns("")})...)
	}
}

// Whoever opens the page chooses the client and the state: nothing of it leaves without a
// click, whatever Stytch remembers or would not ask for
// (https://stytch.com/docs/connected-apps/resources/consent-management).
func TestEndToEndNoCodeLeavesWithoutAClick(t *testing.T) {
	t.Parallel()
	signedIn := byCode("ada@acme.example", "Acme")
	allow := []step{see("Allow an app called “ChatGPT” to:"), nobodyReturned, press("Allow")} // nobody listed it
	first := slices.Concat(signedIn, allow)
	openid := scopes("openid members:read")
	firstParty := func(s *stytchtest.Seed) { s.ConnectedApps[0].Type = "first_party" }
	prompt := func(value string) func(url.Values) { return func(q url.Values) { q.Set("prompt", value) } }
	for _, tt := range []struct {
		name string
		seed func(*stytchtest.Seed)
		then func(w *world) []step
	}{
		{"third parties that were allowed before", nil, func(w *world) []step {
			return []step{w.visit(first, openid), w.visit(allow, openid), w.visit(allow, scopes("openid"))}
		}},
		{"whatever the client asks for instead", nil, func(w *world) []step {
			return []step{w.visit(first, openid), w.visit(allow, openid, prompt("none")),
				w.visit(allow, openid, prompt("login")), w.visit(allow, openid, prompt(""))}
		}},
		{"first parties", firstParty, func(w *world) []step {
			return []step{w.visit(first, openid),
				w.visit(allow, openid, prompt("none"))}
		}},
		{"first parties that may bypass it", func(s *stytchtest.Seed) {
			firstParty(s)
			s.ConnectedApps[0].BypassOfflineConsent = true
		}, func(w *world) []step { return []step{w.visit(first, scopes("openid offline_access members:read"))} }},
		{"clients that nobody listed", func(s *stytchtest.Seed) { s.Project.Registration = true },
			func(w *world) []step {
				id, redirect := w.registered("ChatGPT", w.callbacks.url)
				theirs := func(q url.Values) {
					q.Set("client_id", id)
					q.Set("redirect_uri", redirect)
					q.Set("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
				}
				return []step{w.visit(first, openid, theirs), w.visit(allow, openid, theirs)}
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			seed := stytchtest.Development()
			if tt.seed != nil {
				tt.seed(&seed)
			}
			endToEnd(t, seed, func(w *world) error { return w.newPerson().do(tt.then(w)...) },
				func(o *guestpass.Options) { o.ClientIDs = nil }) // every connected app of the project
		})
	}
}

// registered returns a client that registered itself.
func (w *world) registered(name, redirect string) (id, uri string) {
	w.t.Helper()
	body := `{"client_name":` + quoted(name) + `,"redirect_uris":[` + quoted(redirect) +
		`],"token_endpoint_auth_method":"none"}`
	response, err := http.Post(w.stytch.URL+"/v1/oauth2/register", "application/json", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	var client struct {
		ID string `json:"client_id"`
	}
	if err := json.NewDecoder(response.Body).Decode(&client); err != nil || client.ID == "" {
		w.t.Fatalf("register: %d %v", response.StatusCode, err)
	}
	return client.ID, redirect
}

// What is not a person's to give is said, and not granted.
func TestEndToEndScopesThatCannotBeGrantedAreSaidAndLeftOut(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		gpt := w.gpt()
		token, err := w.connect(gpt, w.newPerson(), slices.Concat(byCode("grace@acme.example", "Acme"),
			[]step{see("Allow ChatGPT to:"), see("See who is in your organization"), see("not yours to give"),
				see("Invite people to your organization"), look("consent"), press("Allow")})...)
		if err != nil {
			return err
		}
		if token.Scope != "openid profile email offline_access members:read tasks:read tasks:write activity:read" {
			return fmt.Errorf("granted %q", token.Scope)
		}
		result, err := w.callUntil(gpt, "inviteMember", map[string]any{"email": "guest@acme.example",
			"name": "Mary Guest"})
		if err == nil && result.Status != 403 {
			err = fmt.Errorf("inviteMember: %d %s", result.Status, result.Body)
		}
		return err
	})
}

func TestEndToEndWhoDeniesIsSentBackWithAccessDenied(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.DevelopmentConsumer(), func(w *world) error {
		_, err := w.connect(w.gpt(), w.newPerson(), append(byCode("ada@example.com", ""), see("Allow ChatGPT to:"),
			press("Deny"))...)
		var denied *gpttest.DeniedError
		if !errors.As(err, &denied) || denied.Code != "access_denied" {
			return fmt.Errorf("%w, want a denial", err)
		}
		return nil
	})
}

// "Not you?" leads to the login of the same request.
func TestEndToEndNotYou(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		vertical      string
		seed          func() stytchtest.Seed
		first, second []step
		who           string
	}{
		{"members", stytchtest.Development, byCode("ada@acme.example", "Acme"), byCode("grace@acme.example", "Acme"),
			"grace@acme.example at Acme"},
		{"users", stytchtest.DevelopmentConsumer, byCode("ada@example.com", ""), byCode("grace@example.com", ""),
			"grace@example.com"},
	} {
		t.Run(tt.vertical, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, tt.seed(), func(w *world) error {
				return w.newPerson().do(w.visit(slices.Concat(tt.first, []step{see("Not you?"), look("who"),
					press("Not you?")},
					tt.second, []step{see("Signed in as " + tt.who), press("Allow")})))
			})
		})
	}
}

// Whoever is signed in to another organization than the request's is asked first.
func TestEndToEndSignedInElsewhere(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		acme := func(q url.Values) { q.Set("organization_id", acme) }
		return w.newPerson().do(
			w.visit(append(byCode("hank@globex.example", "Globex"), press("Allow"))),
			w.visit(slices.Concat([]step{see("You are signed in at Globex"), absent("Allow"), look("switch"),
				press("Sign out and go to Acme"),
				see("Sign in to Acme")}, byCode("ada@acme.example", ""),
				[]step{see("Signed in as ada@acme.example at Acme."), press("Allow")}), acme))
	})
}

func TestEndToEndUnknownOrganization(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		return w.newPerson().do(newTabAt(w.authorizeURL(func(q url.Values) { q.Set("organization_id", "initech") })),
			see("Unknown organization"), look("refused"))
	})
}

// A session that ended while the person was reading is noticed when they decide.
func TestEndToEndExpiredSession(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		vertical string
		seed     func() stytchtest.Seed
		signIn   []step
	}{
		{"members", stytchtest.Development, byCode("ada@acme.example", "Acme")},
		{"users", stytchtest.DevelopmentConsumer, byCode("ada@example.com", "")},
	} {
		t.Run(tt.vertical, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, tt.seed(), func(w *world) error {
				expire := func(*person) error { w.stytch.Advance(2 * time.Hour); return nil }
				return w.newPerson().do(w.visit(slices.Concat(tt.signIn, []step{see("Allow ChatGPT to:"), expire,
					press("Allow"),
					see("Your sign-in had ended"), look("ended")}, tt.signIn, []step{see("Allow ChatGPT to:"),
					press("Allow")})))
			})
		})
	}
}

// The login component drops the failure of a forgotten password's mail; the page tells it.
func TestEndToEndAFailureThatTheComponentDropsIsTold(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.DevelopmentConsumer(), func(w *world) error {
		fail := func(*person) error {
			w.stytch.FailNext("/sdk/v1/passwords/email/reset/start", http.StatusTooManyRequests)
			return nil
		}
		return w.newPerson().do(newTabAt(w.authorizeURL()), fill("input[type=email]", "ada@example.com"),
			press("Continue with email"), see("Forgot your password?"),
			fail, press("Forgot your password?"), see("A fault on purpose."), look("told"))
	}, func(o *guestpass.Options) { o.LoginMethods = []string{"password"} })
}

// Somebody who was deactivated has to sign in again, and cannot.
func TestEndToEndDeactivatedMember(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		deactivate := func(*person) error { return w.stytch.SetStatus(ada, "deleted") }
		p := w.newPerson()
		return p.do(w.visit(append(byCode("ada@acme.example", "Acme"), press("Allow"))), deactivate,
			newTabAt(w.authorizeURL()),
			fill("input[type=email]", "ada@acme.example"), press("Continue with email"), typeCode,
			see("Create an organization"), absent("Acme"), look("nowhere"))
	})
}

// OpenID Connect RP-initiated logout 1.0: the session ends and the browser goes back.
func TestEndToEndLogout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		vertical string
		seed     func() stytchtest.Seed
		signIn   []step
	}{
		{"members", stytchtest.Development, byCode("ada@acme.example", "Acme")},
		{"users", stytchtest.DevelopmentConsumer, byCode("ada@example.com", "")},
	} {
		t.Run(tt.vertical, func(t *testing.T) {
			t.Parallel()
			seed := tt.seed()
			seed.ConnectedApps[0].PostLogoutRedirectURLs = []string{"http://127.0.0.1:1/bye"}
			endToEnd(t, seed, func(w *world) error {
				logout := func(to string) string {
					return w.url + "/idp?" + url.Values{"client_id": {seed.ConnectedApps[0].ClientID},
						"post_logout_redirect_uri": {to}, "state": {"bye"}}.Encode()
				}
				p := w.newPerson()
				if err := p.do(w.visit(append(tt.signIn, press("Allow"))), newTabAt(logout("http://127.0.0.1:1/other")),
					see("an address that it has not registered"), look("refused"),
					newTabAt(logout("http://127.0.0.1:1/bye"))); err != nil {
					return err
				}
				if err := p.until("location.href.startsWith('chrome-error') || " +
					"location.href.includes('/bye?state=bye')"); err != nil {
					return err
				}
				return p.do(newTabAt(w.authorizeURL()), see("Continue with email")) // signed out
			})
		})
	}
}

// The whole way without a mouse.
func TestEndToEndByKeyboardAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		vertical string
		seed     func() stytchtest.Seed
		steps    []step
	}{
		{"members", stytchtest.Development, []step{tabTo("Email"), typeText("ada@acme.example"), key(kb.Enter),
			tabTo("One-time passcode"), typeMailed,
			tabTo("Acme"), key(kb.Enter)}},
		{"users", stytchtest.DevelopmentConsumer, []step{tabTo("Email"), typeText("ada@example.com"), key(kb.Enter),
			tabTo("One-time passcode"), typeMailed}},
	} {
		t.Run(tt.vertical, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, tt.seed(), func(w *world) error {
				return w.newPerson().do(w.visit(append(tt.steps, see("Allow ChatGPT to:"), tabTo("Allow"),
					look("focus"), key(kb.Enter))))
			})
		})
	}
}

// tabTo presses Tab until something with that name has the focus.
func tabTo(name string) step {
	return func(p *person) error {
		const focused = `(() => { const e = document.activeElement; if (!e.matches("input, button, a")) return ""; ` +
			`return [...(e.labels ?? [])].map(l => l.innerText).join(" ") + " " + (e.ariaLabel ?? "") + " " + ` +
			`(e.placeholder ?? "") + " " + e.innerText; })()`
		wanted := fmt.Sprintf("[...document.querySelectorAll('input, button, a')].some(e => e.checkVisibility() && "+
			"!e.disabled && !e.closest('[inert]') && ([...(e.labels ?? [])].map(l => l.innerText).join(' ') + ' ' + "+
			"(e.ariaLabel ?? '') + ' ' + (e.placeholder ?? '') + ' ' + "+
			"e.innerText).toLowerCase().includes(%s))", quoted(strings.ToLower(name)))
		if err := p.until(wanted); err != nil {
			return err
		}
		for range 40 {
			now, err := chromedp.Run(p.tab, chromedp.Evaluate[string](focused))
			if err != nil {
				return err
			}
			if strings.Contains(strings.ToLower(now), strings.ToLower(name)) {
				return nil
			}
			if err := key(kb.Tab)(p); err != nil {
				return err
			}
		}
		return fmt.Errorf("%q cannot be reached by Tab; the page shows: %s", name, p.shown())
	}
}

func key(k string) step {
	return func(p *person) error { return chromedp.Do(p.tab, chromedp.KeyEvent(k)) }
}

func typeText(text string) step { return key(text) }

// typeMailed types the code that was mailed, digit by digit.
func typeMailed(p *person) error {
	m, err := p.mail("otp")
	if err != nil {
		return err
	}
	return typeText(m.Code)(p)
}

// On a telephone, in the dark, nothing is cut off and nothing needs sideways scrolling.
func TestEndToEndOnATelephoneInTheDark(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		vertical string
		seed     func() stytchtest.Seed
		email    string
		choose   []step
	}{
		{"members", stytchtest.Development, "grace@acme.example", []step{see("Acme"), look("organizations"),
			press("Acme")}},
		{"users", stytchtest.DevelopmentConsumer, "grace@example.com", nil},
	} {
		t.Run(tt.vertical, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, tt.seed(), func(w *world) error {
				steps := slices.Concat([]step{device(390, "dark"), reload, see("Continue with email"), look("login"),
					fill("input[type=email]", tt.email),
					press("Continue with email"), see("passcode"), look("code"), typeCode}, tt.choose,
					[]step{see("Allow ChatGPT to:"), look("consent"), press("Allow")})
				return w.newPerson().do(w.visit(steps))
			})
		})
	}
}
