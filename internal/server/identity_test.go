package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"guestpass"
	"guestpass/gpttest"
	"guestpass/stytchtest"
)

const (
	graceAtAcme = "grace@acme.example at Acme"
	hankAtG     = "hank@globex.example at Globex"
	globex      = "organization-test-bbbbbbbb-0000-4000-8000-000000000001"
)

// passwordSession signs somebody in apart from any browser; without an organization, a user.
func (w *world) passwordSession(email, organization string) string {
	w.t.Helper()
	path, body := "/passwords/authenticate", fields{"email": email}
	if organization != "" {
		path, body = "/b2b/passwords/authenticate", fields{"email_address": email, "organization_id": organization}
	}
	body["password"], body["session_duration_minutes"] = stytchtest.DevelopmentPassword, 60
	_, reply := w.stytchPost("", path, body)
	token, _ := reply["session_token"].(string)
	if token == "" {
		w.t.Fatalf("%s: no session: %v", email, reply)
	}
	return token
}

// sessionCookie returns a script that gives the browser that session.
func sessionCookie(token string) string {
	return "document.cookie = 'stytch_session=" + token + "; path=/'"
}

// withSession returns a browser in which something else of this origin has signed somebody in.
func (w *world) withSession(email, organization string) step {
	return func(p *person) error {
		return p.do(newTabAt(w.url+"/privacy"), see("ChatGPT"),
			script(sessionCookie(w.passwordSession(email, organization))))
	}
}

func script(text string) step { return func(p *person) error { return p.evaluate(text) } }

// nobodyReturned wants that the browser was not sent to ChatGPT until now.
func nobodyReturned(p *person) error {
	select {
	case came := <-p.w.callbacks.came:
		return fmt.Errorf("came back with %s", came.RawQuery)
	default:
		return nil
	}
}

// A sentLink is a link that somebody else has had sent to themselves, and what follows its use.
type sentLink struct {
	name     string
	vertical string // consumer, or B2B
	methods  []string
	send     func(w *world) string // returns the link
	then     []step                // once it is used
	who      string                // is signed in at the end
}

// mailed has Stytch send a mail, as anybody can with the public token, and returns its link.
func mailed(path string, body fields, redirects ...string) func(w *world) string {
	return func(w *world) string {
		for _, name := range redirects {
			body[name] = w.url + "/idp"
		}
		if status, reply := w.stytchPost("", path, body); status != http.StatusOK {
			w.t.Fatalf("%s: %d %v", path, status, reply)
		}
		return w.stytch.Inbox()[0].Link
	}
}

// provided returns the return from a provider at which somebody has chosen to be who they are.
func provided(start, email string, redirects ...string) func(w *world) string {
	return func(w *world) string {
		query := url.Values{"public_token": {w.stytch.Export().Project.PublicToken}}
		for _, name := range redirects {
			query.Set(name, w.url+"/idp")
		}
		client := http.Client{CheckRedirect: func(*http.Request,
			[]*http.Request) error {
			return http.ErrUseLastResponse
		}}
		address := w.stytch.URL + start + "?" + query.Encode()
		for range 2 { // to the provider's page, and back from it
			response, err := client.Get(address)
			if err != nil {
				w.t.Fatal(err)
			}
			response.Body.Close()
			next, err := response.Location()
			if err != nil {
				w.t.Fatalf("%s: %d, %v", address, response.StatusCode, err)
			}
			address = next.String() + "?" + url.Values{"email": {email}}.Encode()
			if strings.HasPrefix(next.String(), w.url) {
				return next.String()
			}
		}
		w.t.Fatal("the provider leads nowhere")
		return ""
	}
}

func invited(w *world) string {
	if r := w.call("POST", "/api/v1/members/invitations", w.token(ada, "members:invite"),
		`{"email":"eva@acme.example"}`); r.status != 201 {
		w.t.Fatalf("inviteMember: %d %s", r.status, r.body)
	}
	return w.stytch.Inbox()[0].Link
}

// sentLinks returns all kinds of link that the page can be led to by.
func sentLinks() []sentLink {
	const hank, adaUser, newPassword = "hank@globex.example", "ada@example.com", "Guest-pass-2"
	b2b := []string{"login_redirect_url", "signup_redirect_url"}
	globexOnly := []step{see("Globex"), press("Globex")}
	setPassword := []step{fill("input[type=password]", newPassword), press("Continue")}
	organizationLink := mailed("/b2b/magic_links/email/login_or_signup", fields{"organization_id": globex,
		"email_address": hank}, b2b...)
	return []sentLink{
		{name: "organization's link", methods: []string{"email_link"}, who: hankAtG, send: organizationLink},
		{name: "link of an administrator of the same organization",
			methods: []string{"email_link"}, who: "ada@acme.example at Acme",
			send: mailed("/b2b/magic_links/email/login_or_signup", fields{"organization_id": acme,
				"email_address": "ada@acme.example"}, b2b...)},
		{name: "discovery link", methods: []string{"email_link"}, who: hankAtG, then: globexOnly,
			send: mailed("/b2b/magic_links/email/discovery/send", fields{"email_address": hank},
				"discovery_redirect_url")},
		{name: "invitation", who: "eva@acme.example at Acme", send: invited},
		{name: "new password", methods: []string{"password"}, who: hankAtG, then: slices.Concat(setPassword,
			globexOnly),
			send: mailed("/b2b/passwords/discovery/reset/start", fields{"email_address": hank},
				"discovery_redirect_url", "reset_password_redirect_url")},
		{name: "new password of an organization", methods: []string{"password"}, who: hankAtG, then: setPassword,
			send: mailed("/b2b/passwords/email/reset/start", fields{"organization_id": globex, "email_address": hank},
				"login_redirect_url", "reset_password_redirect_url")},
		{name: "provider", methods: []string{"google"}, who: hankAtG, then: globexOnly,
			send: provided("/v1/b2b/public/oauth/google/discovery/start", hank, "discovery_redirect_url")},
		{name: "user's link", vertical: "consumer", methods: []string{"email_link"}, who: adaUser,
			send: mailed("/magic_links/email/login_or_create", fields{"email": adaUser}, "login_magic_link_url",
				"signup_magic_link_url")},
		{name: "user's new password", vertical: "consumer", methods: []string{"password"}, who: adaUser,
			then: setPassword,
			send: mailed("/passwords/email/reset/start", fields{"email": adaUser}, "login_redirect_url",
				"reset_password_redirect_url")},
		{name: "user's provider", vertical: "consumer", methods: []string{"google"}, who: adaUser,
			send: provided("/v1/public/oauth/google/start", adaUser, "login_redirect_url", "signup_redirect_url")},
	}
}

// first returns who is signed in when a link of somebody else comes.
func (l sentLink) first() (seed stytchtest.Seed, email, organization, who string) {
	if l.vertical == "consumer" {
		return stytchtest.DevelopmentConsumer(), "grace@example.com", "", "grace@example.com"
	}
	return stytchtest.Development(), "grace@acme.example", acme, graceAtAcme
}

// A link of another person asks before it takes the place of a session, and is untouched if
// the answer is no. Whoever grants is whom the page names, either way.
func TestEndToEndALinkAsksBeforeItReplacesASession(t *testing.T) {
	t.Parallel()
	for _, tt := range sentLinks() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			seed, email, organization, who := tt.first()
			endToEnd(t, seed, func(w *world) error {
				p := w.newPerson()
				if err := w.withSession(email, organization)(p); err != nil {
					return err
				}
				link := tt.send(w)
				asked := []step{newTabAt(link), see("You are signed in as " + who + "."), absent("Allow")}
				stays := slices.Concat([]step{see("Signed in as " + who + ".")}, asked,
					[]step{look("asked"), press("Stay signed in as " + email),
						see("Signed in as " + who + "."), absent("Before, it was"), see("Allow ChatGPT to:"),
						press("Allow")})
				if err := w.connectAs(p, email, stays...); err != nil {
					return fmt.Errorf("staying: %w", err)
				}
				goes := slices.Concat([]step{see("Signed in as " + who + ".")}, asked,
					[]step{press("Sign out and go on as that person")}, tt.then,
					[]step{see("You are signed in as " + tt.who + " now. Before, it was " + who + "."),
						see("Signed in as " + tt.who + "."),
						see("Allow ChatGPT to:"), look("replaced"), press("Allow")})
				if err := w.connectAs(p, strings.Fields(tt.who)[0], goes...); err != nil {
					return fmt.Errorf("going on: %w", err)
				}
				return nil
			}, func(o *guestpass.Options) { o.LoginMethods = tt.methods })
		})
	}
}

// connectAs takes the steps and wants the pass to be of the person with that address.
func (w *world) connectAs(p *person, email string, steps ...step) error {
	gpt := w.gpt()
	token, err := w.connect(gpt, p, steps...)
	if err != nil {
		return err
	}
	return w.isFor(gpt, token, email)
}

// What the settings do not offer is not redeemed, whether or not somebody is signed in.
func TestEndToEndALinkOfAKindThatIsNotOfferedIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range sentLinks() {
		if tt.name == "invitation" { // as much offered as inviteMember is
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			seed, email, organization, who := tt.first()
			endToEnd(t, seed, func(w *world) error {
				p, link := w.newPerson(), tt.send(w)
				relabelled := strings.Replace(link, "stytch_token_type=discovery&", "stytch_token_type=sso&", 1)
				left := see("of a kind that is not used here")
				if err := p.do(newTabAt(w.authorizeURL()), see("Continue with email"), newTabAt(link), left,
					see("Continue with email"),
					newTabAt(relabelled), left, w.withSession(email, organization), newTabAt(link), left, look("left"),
					see("Signed in as "+who+"."), see("Allow ChatGPT to:"), press("Allow"), returns("")); err != nil {
					return err
				}
				for _, r := range w.stytch.Requests() {
					if r.Status < 300 && (strings.HasSuffix(r.Path, "magic_links/authenticate") ||
						strings.Contains(r.Path, "oauth/authenticate") ||
						strings.Contains(r.Path, "discovery/authenticate")) {
						return fmt.Errorf("%s was called", r.Path)
					}
				}
				return nil
			})
		})
	}
}

// Whoever takes the place of the person shown, by whatever way, is named on the page that is
// open already, with a list of their own.
func TestEndToEndAnotherAccountInAnotherTabIsNamed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		other func(w *world) step
	}{
		{"signed in on the page", func(*world) step {
			return func(p *person) error {
				return p.do(slices.Concat([]step{newTabAt(p.w.authorizeURL()), press("Not you?")},
					byCode("hank@globex.example", "Globex"),
					[]step{see("Signed in as " + hankAtG)})...)
			}
		}},
		{"a cookie of something else", func(w *world) step { return w.withSession("hank@globex.example", globex) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, stytchtest.Development(), func(w *world) error {
				p := w.newPerson()
				var first context.Context
				keep := func(p *person) error { first = p.tab; return nil }
				back := func(p *person) error { p.tab = first; return nil }
				return w.connectAs(p, "hank@globex.example", slices.Concat(byCode("grace@acme.example", "Acme"),
					[]step{see("not yours to give"), see("Signed in as " + graceAtAcme), keep, tt.other(w), back,
						see("Signed in as " + hankAtG + "."), see("Allow ChatGPT to:"), absent("not yours to give"),
						look("named"), press("Allow")})...)
			})
		})
	}
}

// At the last moment, before the page can hear of it: the session changes and Allow is
// pressed within one task of the browser. Nothing is allowed, and the page names who it is now.
func TestEndToEndAllowComparesWhoDecides(t *testing.T) {
	t.Parallel()
	twice := stytchtest.Development()
	twice.Members = append(twice.Members, stytchtest.Member{ID: "member-test-bbbbbbbb-0000-4000-8000-000000000009",
		OrganizationID: globex,
		Email:          "grace@acme.example", Name: "Grace Hopper", Status: "active"})
	for _, tt := range []struct {
		name                string
		seed                stytchtest.Seed
		first               [2]string
		email, organization string
		who                 string
	}{
		{"another organization's administrator", stytchtest.Development(), [2]string{"grace@acme.example", acme},
			"hank@globex.example", globex, hankAtG},
		{"an administrator of the same one", stytchtest.Development(), [2]string{"grace@acme.example", acme},
			"ada@acme.example", acme, "ada@acme.example at Acme"},
		{"the same address at another one", twice, [2]string{"grace@acme.example", acme}, "grace@acme.example", globex,
			"grace@acme.example at Globex"},
		{"another user", stytchtest.DevelopmentConsumer(), [2]string{"grace@example.com", ""}, "ada@example.com", "",
			"ada@example.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, tt.seed, func(w *world) error {
				p, session := w.newPerson(), w.sessionAt(tt.email, tt.organization)
				if err := w.withSession(tt.first[0], tt.first[1])(p); err != nil {
					return err
				}
				steps := []step{see("Signed in as " + tt.first[0]), see("Allow ChatGPT to:"),
					is("!!" + fmt.Sprintf(findButton, quoted("Allow"))),
					script(sessionCookie(session) + ", " + fmt.Sprintf(findButton, quoted("Allow")) + ".click()"),
					see("Signed in as " + tt.who + "."), see("Nothing was allowed yet"), see("Allow ChatGPT to:"),
					nobodyReturned, look("compared"), press("Allow")}
				return w.connectAs(p, tt.email, steps...)
			})
		})
	}
}

// sessionAt returns a session by code for who may have no password there.
func (w *world) sessionAt(email, organization string) string {
	if organization == "" {
		return w.passwordSession(email, "")
	}
	return w.session(email, organization)
}

// setRoles returns what somebody does in Stytch's dashboard.
func (w *world) setRoles(organization, member string, roles ...string) step {
	return w.manage(http.MethodPut, "/v1/b2b/organizations/"+organization+"/members/"+member,
		fields{"roles": append([]string{}, roles...)})
}

// manage calls Stytch's server API.
func (w *world) manage(method, path string, body fields) step {
	return func(*person) error {
		content, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r, err := http.NewRequest(method, w.stytch.URL+path, bytes.NewReader(content))
		if err != nil {
			return err
		}
		project := w.stytch.Export().Project
		r.SetBasicAuth(project.ID, project.Secret)
		r.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s %s: %d", method, path, response.StatusCode)
		}
		return nil
	}
}

// What changes at Stytch between the list and the click is not allowed unseen.
func TestEndToEndAllowComparesWhatCanBeAllowed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(w *world) step
		email  string
		then   []step
		scope  string // may come with the pass, or not
		given  bool
	}{
		{"more", func(w *world) step { return w.setRoles(acme, grace, "stytch_admin") }, "grace@acme.example",
			[]step{see("so it is listed anew"), see("Allow ChatGPT to:"), absent("not yours to give"), nobodyReturned,
				look("more"), press("Allow")},
			"members:invite", true},
		{"less", func(w *world) step { return w.setRoles(acme, ada) }, "ada@acme.example",
			[]step{see("so it is listed anew"), see("not yours to give"), nobodyReturned, press("Allow")},
			"members:invite", false},
		{"the organization's name", func(w *world) step {
			return w.manage(http.MethodPut, "/v1/b2b/organizations/"+acme,
				fields{"organization_name": "Acme Incorporated"})
		}, "grace@acme.example", []step{see("Signed in as grace@acme.example at Acme Incorporated."),
			see("Allow ChatGPT to:"), nobodyReturned, press("Allow")},
			"members:invite", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, stytchtest.Development(), func(w *world) error {
				steps := slices.Concat(byCode(tt.email, "Acme"), []step{see("Allow ChatGPT to:"), tt.change(w),
					press("Allow")}, tt.then)
				token, err := w.connect(w.gpt(), w.newPerson(), steps...)
				if err == nil && strings.Contains(token.Scope, tt.scope) != tt.given {
					err = fmt.Errorf("granted %q", token.Scope)
				}
				return err
			})
		})
	}
}

// Who is gone, or signed out elsewhere, allows nothing.
func TestEndToEndWhoIsSignedOutElsewhereAllowsNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world) step{
		"deleted": func(w *world) step {
			return func(p *person) error { return errors.Join(w.stytch.SetStatus(grace, "deleted"), press("Allow")(p)) }
		},
		"signed out in another tab": func(w *world) step {
			return func(p *person) error {
				first := p.tab
				err := p.do(newTabAt(w.authorizeURL()), press("Not you?"), see("Continue with email"))
				p.tab = first
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, stytchtest.Development(), func(w *world) error {
				return w.newPerson().do(slices.Concat([]step{newTabAt(w.authorizeURL())}, byCode("grace@acme.example",
					"Acme"),
					[]step{see("Allow ChatGPT to:"), change(w), see("Your sign-in had ended"),
						see("Continue with email"), absent("Signed in as"), nobodyReturned})...)
			})
		})
	}
}

// insecureStytch makes the page's browser see other answers of Stytch's than the emulator gives.
func insecureStytch(authorizeURL, path, change string) step {
	return func(p *person) error {
		if err := newTabAt("about:blank")(p); err != nil {
			return err
		}
		source := `{ const real = window.fetch; window.fetch = async (url, options) => {
			const response = await real(url, options);
			if (!String(url).endsWith(` + quoted(path) + `)) return response;
			const reply = await response.json();
			(` + change + `)(reply.data);
			return new Response(JSON.stringify(reply), { status: response.status,
				headers: { "Content-Type": "application/json" } });
		}; }`
		if _, err := chromedp.Call(p.tab, page.AddScriptToEvaluateOnNewDocument,
			page.AddScriptToEvaluateOnNewDocumentParams{Source: source}); err != nil {
			return err
		}
		return p.evaluate("location.href = " + quoted(authorizeURL))
	}
}

// That prompt=consent makes Stytch ask is its documentation's word. The page asks whether or
// not Stytch does, and passes no code on to whoever was refused.
func TestEndToEndTheClickDoesNotHangOnStytch(t *testing.T) {
	t.Parallel()
	const wantsNoConsent, codeInSpite = `(data) => { data.consent_required = false; }`,
		`(data) => { data.authorization_code = "code-in-spite"; }`
	for _, tt := range []struct {
		name, path, change string
		steps              []step
	}{
		{"no consent wanted", "/idp/b2b/oauth/authorize/start", wantsNoConsent, []step{see("Allow ChatGPT to:"),
			nobodyReturned, press("Allow"), returns("")}},
		{"a code for who denies", "/idp/b2b/oauth/authorize/submit", codeInSpite,
			[]step{press("Deny"), see("did not take the refusal"), nobodyReturned, look("denied")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, stytchtest.Development(), func(w *world) error {
				return w.newPerson().do(slices.Concat([]step{w.withSession("grace@acme.example", acme),
					insecureStytch(w.authorizeURL(), tt.path, tt.change)}, tt.steps)...)
			})
		})
	}
}

// Where nothing can be allowed, nobody is asked, and the way back is a denial: an empty list of scopes would be
// Stytch's usual ones.
func TestEndToEndNothingIsNothing(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		p := w.newPerson()
		p.request = scopes("members:invite")
		_, err := w.connect(w.gpt(), p, append(byCode("grace@acme.example", "Acme"), see("There is nothing to allow"),
			see("not yours to give"), absent("Deny"), look("nothing"), press("Back to ChatGPT"))...)
		var denied *gpttest.DeniedError
		if !errors.As(err, &denied) || denied.Code != "access_denied" {
			return fmt.Errorf("%w, want a denial", err)
		}
		return nil
	})
}

// The question is read and answered on a telephone, in the dark, without a mouse.
func TestEndToEndTheQuestionIsForEverybody(t *testing.T) {
	t.Parallel()
	seed := stytchtest.Development()
	seed.Organizations[0].Name = "The Honourable Company of Makers of Everything That Was Ever Asked For"
	endToEnd(t, seed, func(w *world) error {
		link := mailed("/b2b/magic_links/email/login_or_signup", fields{"organization_id": globex,
			"email_address": "hank@globex.example"},
			"login_redirect_url", "signup_redirect_url")(w)
		focused := is("document.activeElement.id === 'heading'")
		return w.newPerson().do(w.withSession("grace@acme.example", acme), newTabAt(w.authorizeURL()),
			see("Allow ChatGPT to:"),
			newTabAt(link), device(360, "dark"), see("Sign in as somebody else?"), focused, look("dark"),
			device(1200, "light"), look("light"), device(360, "light"),
			tabTo("Stay signed in as grace@acme.example"), look("telephone"), tabTo("Sign out and go on"), key("\r"),
			see("You are signed in as "+hankAtG+" now."), focused, look("replaced"), device(360, "dark"),
			look("replaced-dark"),
			tabTo("Allow"), key("\r"), returns(""))
	}, func(o *guestpass.Options) { o.LoginMethods = []string{"email_link"} })
}
