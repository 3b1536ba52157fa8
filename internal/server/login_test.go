package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"guestpass"
	"guestpass/internal/inside"
	"guestpass/stytchtest"
)

// people are Ada's in both verticals.
var people = []struct {
	vertical            string
	seed                func() stytchtest.Seed
	who, email, subject string
}{
	{"members", stytchtest.Development, "Signed in as ada@acme.example at Acme.", "ada@acme.example", ada},
	{"users", stytchtest.DevelopmentConsumer, "Signed in as ada@example.com.", "ada@example.com", userAda},
}

// Who is not signed in goes to the application's login page, and decides here with the session of there. So they do
// for their account page, which then knows them.
func TestEndToEndSigningInAtTheApplication(t *testing.T) {
	t.Parallel()
	for _, tt := range people {
		t.Run(tt.vertical, func(t *testing.T) {
			t.Parallel()
			app := newLoginApp(t)
			endToEnd(t, tt.seed(), func(w *world) error {
				w.login = app
				app.signedIn = func(rw http.ResponseWriter, r *http.Request, returnTo string) {
					returnsWith(rw, r, returnTo, app.session(w)...)
				}
				gpt, p := w.gpt(), w.newPerson()
				// It has to get through the application's check.
				p.request = func(query url.Values) { query.Set("extra", "~!*'() grün\n&=😀") }
				token, err := w.connect(gpt, p, see("Log in to Acme"), press("Log in as Ada"), see(tt.who),
					see("Allow ChatGPT to:"), look("consent"), press("Allow"))
				if err != nil {
					return err
				}
				other := w.newPerson()
				return errors.Join(app.came(1), w.isFor(gpt, token, tt.subject),
					other.do(newTabAt(w.url+"/account"), press("Sign in at "+host4(app.url)), see("Log in to Acme"),
						press("Log in as Ada"), see(tt.who), see("Everything that was done in your name")))
			}, app.forGuestpass)
		})
	}
}

// A token is as good as a session, by a form or behind #, and for the account page too.
func TestEndToEndComingBackWithAToken(t *testing.T) {
	t.Parallel()
	for _, tt := range people {
		for name, sends := range map[string]sending{
			"form": byForm, "form of a page without referrer": byFormUnnamed, "fragment": byFragment} {
			t.Run(tt.vertical+" by "+name, func(t *testing.T) {
				t.Parallel()
				app, seed := newLoginApp(t), tt.seed()
				app.signsTokens(&seed)
				endToEnd(t, seed, func(w *world) error {
					w.login = app
					var sent []string
					app.signedIn = func(rw http.ResponseWriter, r *http.Request, returnTo string) {
						sent = append(sent, app.token(tt.email))
						sends(rw, r, returnTo, sent[len(sent)-1])
					}
					gpt, p := w.gpt(), w.newPerson()
					token, err := w.connect(gpt, p, press("Log in as Ada"), see(tt.who), see("Allow ChatGPT to:"),
						addressWithout("trusted_auth_token", "login_state"), press("Allow"))
					if err != nil {
						return err
					}
					err = errors.Join(app.came(1), w.isFor(gpt, token, tt.subject))
					return errors.Join(err, w.neverLogged(sent...))
				}, app.tokensForGuestpass)
			})
		}
	}
}

// Who comes back as nobody is told so, and why, and is not sent round in a circle: this login page sends people back at
// once, as one does that knows them.
func TestEndToEndComingBackAsNobody(t *testing.T) {
	t.Parallel()
	const again = "but you are not signed in here. Nothing was allowed."
	session := func(change func(*http.Cookie)) func(*loginApp, *world) answering {
		return func(app *loginApp, w *world) answering {
			return func(rw http.ResponseWriter, r *http.Request, returnTo string) {
				cookies := app.session(w)
				for _, cookie := range cookies {
					change(cookie)
				}
				returnsWith(rw, r, returnTo, cookies...)
			}
		}
	}
	token := func(email string, change func(string) string) func(*loginApp, *world) answering {
		return func(app *loginApp, _ *world) answering {
			made := app.token(email) // always the same one
			return func(rw http.ResponseWriter, r *http.Request, returnTo string) {
				byFragment(rw, r, returnTo, change(made))
			}
		}
	}
	asItIs := func(token string) string { return token }
	for _, tt := range []struct {
		name    string
		tokens  bool
		answers func(*loginApp, *world) answering
		change  func(*guestpass.Options)
		sees    string
		reason  string
	}{
		{name: "without a session", answers: func(*loginApp, *world) answering {
			return func(rw http.ResponseWriter, r *http.Request, returnTo string) { returnsWith(rw, r, returnTo) }
		}, sees: again, reason: "login_without_session"},
		{name: "with a session that scripts do not see",
			answers: session(func(c *http.Cookie) { c.HttpOnly = true }), sees: again, reason: "login_http_only"},
		{name: "with a session of another project",
			answers: session(func(c *http.Cookie) { c.Value += "x" }), sees: again, reason: "login_other_session"},
		{name: "without our parameter", answers: func(*loginApp, *world) answering {
			return func(rw http.ResponseWriter, r *http.Request, returnTo string) {
				back, _ := url.Parse(returnTo)
				query := back.Query()
				query.Del("login_state")
				back.RawQuery = query.Encode()
				returnsWith(rw, r, back.String())
			}
		}, sees: "and come back here to decide."},
		{name: "without a token", tokens: true, answers: func(*loginApp, *world) answering {
			return func(rw http.ResponseWriter, r *http.Request, returnTo string) { returnsWith(rw, r, returnTo) }
		}, sees: again, reason: "login_without_token"},
		{name: "with a token that was changed", tokens: true,
			answers: token("ada@acme.example", func(token string) string { return token[:len(token)-9] + "AAAAAAAAA" }),
			sees:    "is not good here: it may be too old, or was used before", reason: "login_token_refused"},
		{name: "with a token for nobody", tokens: true, answers: token("mary@acme.example", asItIs),
			sees: "but nobody knows you here", reason: "login_unknown_person"},
		{name: "with a token of another profile", tokens: true, answers: token("ada@acme.example", asItIs),
			change: func(o *guestpass.Options) { o.Login.TokenProfile += "-2" },
			sees:   "Signing in is not set up right here", reason: "login_profile"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app, seed := newLoginApp(t), stytchtest.Development()
			app.atOnce = true
			changes := []func(*guestpass.Options){app.forGuestpass}
			if tt.tokens {
				app.signsTokens(&seed)
				changes = []func(*guestpass.Options){app.tokensForGuestpass}
			}
			if tt.change != nil {
				changes = append(changes, tt.change)
			}
			endToEnd(t, seed, func(w *world) error {
				w.login, app.signedIn = app, tt.answers(app, w)
				address, _, err := w.gpt().AuthorizeURL(w.callbacks.url)
				if err != nil {
					return err
				}
				p := w.newPerson()
				if err := p.do(newTabAt(address), see(tt.sees), look("nobody")); err != nil {
					return err
				}
				if err := app.came(1); err != nil {
					return err
				}
				if err := w.isTold(p, tt.reason); err != nil {
					return err
				}
				if tt.reason == "login_profile" { // nobody mends that by signing in again
					return p.complaints()
				}
				button := "Sign in at " + host4(app.url)
				if tt.tokens && tt.reason != "login_without_token" {
					button = "Try again"
				}
				return errors.Join(p.do(press(button), app.hasCome(2), see(tt.sees)), app.came(2), p.complaints())
			}, changes...)
		})
	}
}

// A browser without cookies is told so before it is sent anywhere.
func TestEndToEndABrowserWithoutCookiesIsSentNowhere(t *testing.T) {
	t.Parallel()
	app := newLoginApp(t)
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		w.login = app
		address, _, err := w.gpt().AuthorizeURL(w.callbacks.url)
		if err != nil {
			return err
		}
		p := w.newPerson()
		return errors.Join(p.do(newTabAt(w.url+"/privacy"), withoutCookies, open(address),
			see("Your browser keeps no cookies for this page"), look("without cookies")), app.came(0))
	}, app.forGuestpass)
}

func withoutCookies(p *person) error {
	_, err := chromedp.Call(p.tab, emulation.SetDocumentCookieDisabled,
		emulation.SetDocumentCookieDisabledParams{Disabled: true})
	return err
}

func open(address string) step {
	return func(p *person) error { return p.evaluate("location.href = " + quoted(address)) }
}

// Who is not the one that the page names goes to the login page again, which is asked to let them choose.
func TestEndToEndSigningInAtTheApplicationAsSomebodyElse(t *testing.T) {
	t.Parallel()
	app, seed := newLoginApp(t), stytchtest.Development()
	app.signsTokens(&seed)
	endToEnd(t, seed, func(w *world) error {
		w.login = app
		app.signedIn = func(rw http.ResponseWriter, r *http.Request, returnTo string) {
			email := []string{"ada@acme.example", "grace@acme.example"}[len(app.visited())-1]
			byForm(rw, r, returnTo, app.token(email))
		}
		gpt := w.gpt()
		token, err := w.connect(gpt, w.newPerson(), press("Log in as Ada"),
			see("Signed in as ada@acme.example at Acme."), press("Not you? Sign out"),
			press("Log in as Ada"), see("Signed in as grace@acme.example at Acme."),
			press("Allow"))
		if err != nil {
			return err
		}
		if visits := app.visited(); len(visits) != 2 || visits[0].Has("prompt") || visits[1].Get("prompt") != "login" {
			return fmt.Errorf("visits %v", visits)
		}
		return w.isFor(gpt, token, grace)
	}, app.tokensForGuestpass)
}

// Somebody who has a token of their own cannot have another person act as them: it counts only in a browser that was
// sent to sign in for the request that comes back, and once.
func TestEndToEndATokenThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	const unasked = "Somebody's sign-in came here that this browser had not asked for"
	app, seed := newLoginApp(t), stytchtest.Development()
	app.signsTokens(&seed)
	endToEnd(t, seed, func(w *world) error {
		w.login = app
		returned := ""
		app.signedIn = func(rw http.ResponseWriter, r *http.Request, returnTo string) {
			returned = returnTo
			byForm(rw, r, returnTo, app.token("ada@acme.example"))
		}
		address, _, err := w.gpt().AuthorizeURL(w.callbacks.url)
		if err != nil {
			return err
		}
		evil := func(address string, sends sending) step {
			path := app.serve(func(rw http.ResponseWriter, r *http.Request) {
				sends(rw, r, address, app.token("grace@acme.example"))
			})
			return newTabAt(app.url + path)
		}
		p := w.newPerson()
		guessed := address + "&login_state=00000000-0000-4000-8000-000000000000"
		for _, sends := range []sending{byForm, byFormUnnamed, byFragment} {
			if err := p.do(evil(guessed, sends), see(unasked), see("you are not signed in here"),
				absent("Signed in as")); err != nil {
				return err
			}
		}
		if err := p.do(look("unasked"), newTabAt(address), see("Log in to Acme")); err != nil {
			return err
		}
		// This journey is one for another request.
		other := strings.Replace(app.visited()[0].Get("return_to"), "&state=", "&state=x", 1)
		if err := p.do(evil(other, byForm), see(unasked), absent("Signed in as"), newTabAt(address),
			press("Sign in at"), press("Log in as Ada"), see("Signed in as ada@acme.example"),
			see("Allow ChatGPT to:")); err != nil {
			return err
		}
		// And this one has ended.
		for _, address := range []string{returned, guessed, address} {
			if err := p.do(evil(address, byForm), see(unasked), see("Signed in as ada@acme.example"),
				see("Allow ChatGPT to:")); err != nil {
				return err
			}
		}
		return errors.Join(w.isTold(p, "login_unasked"), p.complaints())
	}, app.tokensForGuestpass)
}

// A token in the address is refused, and not repeated anywhere.
func TestEndToEndATokenInTheAddressIsRefused(t *testing.T) {
	t.Parallel()
	app, seed := newLoginApp(t), stytchtest.Development()
	app.signsTokens(&seed)
	endToEnd(t, seed, func(w *world) error {
		w.login = app
		sent := app.token("ada@acme.example")
		app.signedIn = func(rw http.ResponseWriter, r *http.Request, returnTo string) { byQuery(rw, r, returnTo, sent) }
		address, _, err := w.gpt().AuthorizeURL(w.callbacks.url)
		if err != nil {
			return err
		}
		p := w.newPerson()
		if err := p.do(newTabAt(address), press("Log in as Ada"), see("This sign-in is not safe to use"),
			look("token in the address")); err != nil {
			return err
		}
		return errors.Join(w.isTold(p, "token_in_query"), w.neverLogged(sent))
	}, app.tokensForGuestpass)
}

// isTold waits until whoever runs the server is told the reason, which the page may send after it shows it.
func (w *world) isTold(p *person, reason string) error {
	ctx, cancel := context.WithTimeout(p.tab, patience())
	defer cancel()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for reason != "" && (inside.Refusals(w.app)[reason] == 0 || !strings.Contains(w.log.String(), `"`+reason+`"`)) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("nobody is told %s, but %v", reason, inside.Refusals(w.app))
		case <-tick.C:
		}
	}
	return nil
}

// neverLogged wants none of the tokens in the log, nor their claims alone.
func (w *world) neverLogged(tokens ...string) error {
	for _, token := range tokens {
		for _, part := range strings.Split(token, ".")[1:] {
			if strings.Contains(w.log.String(), part) {
				return errors.New("a token is in the log")
			}
		}
	}
	return nil
}

// addressWithout wants an address that has none of the words.
func addressWithout(words ...string) step {
	return func(p *person) error {
		address, err := chromedp.Run(p.tab, chromedp.Evaluate[string]("location.href"))
		if err != nil {
			return err
		}
		for _, word := range words {
			if strings.Contains(address, word) {
				return fmt.Errorf("the address still has %s", word)
			}
		}
		return nil
	}
}

// An application and Guestpass on neighbouring hosts have one session between them, in a cookie of their common domain.
func TestEndToEndOneSessionForTwoHosts(t *testing.T) {
	t.Parallel()
	app := newLoginApp(t)
	const domain = "acme.localhost" // names below localhost are of this machine
	neighbour := func(host, address string) string { return strings.Replace(address, "127.0.0.1", host+"."+domain, 1) }
	entrance := app.url + app.serve(func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, app.url+"/login?"+r.URL.RawQuery, http.StatusSeeOther)
	})
	app.url = neighbour("app", app.url)
	seed := stytchtest.Development()
	endToEnd(t, seed, func(w *world) error {
		w.login = app
		app.signedIn = func(rw http.ResponseWriter, r *http.Request, returnTo string) {
			cookies := app.session(w)
			for _, cookie := range cookies {
				cookie.Domain = domain
			}
			returnsWith(rw, r, returnTo, cookies...)
		}
		public := neighbour("gpt", w.url)
		w.stytch.SetAuthorizationURL(public + "/idp")
		w.url = public
		p := w.newPerson()
		return errors.Join(p.do(newTabAt(public+"/account"), press("Sign in at "+host4(entrance)),
			press("Log in as Ada"), see("Signed in as ada@acme.example at Acme."),
			see("Everything that was done in your name"), oneSession),
			p.complaints())
	}, func(o *guestpass.Options) {
		o.PublicURL = neighbour("gpt", o.PublicURL)
		app.forGuestpass(o)
		o.Login.URL, o.Login.CookieDomain = entrance, domain
	})
}

// oneSession wants one cookie of each name.
func oneSession(p *person) error {
	const cookies = `document.cookie.split("; ").map((pair) => pair.split("=")[0]).sort().join(" ")`
	names, err := chromedp.Run(p.tab, chromedp.Evaluate[string](cookies))
	if err == nil && names != "stytch_session stytch_session_jwt" {
		err = fmt.Errorf("cookies: %s", names)
	}
	return err
}
