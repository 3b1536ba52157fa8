package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"guestpass"
	"guestpass/stytchtest"
)

// is waits until the expression, which holds the page to something, says so.
func is(expression string) step { return func(p *person) error { return p.until(expression) } }

// noToken wants the person's token to be nowhere but in the memory of the page.
func noToken(p *person) error {
	const kept = `[location.href, document.documentElement.outerHTML, ...[localStorage, sessionStorage].flatMap((s) =>
		Object.entries(s).filter(([k]) => !k.startsWith("stytch_")).flat())]
		.filter((text) => /eyJ[\w-]+\.eyJ/.test(text)).map((text) => text.slice(0, 200)).join()`
	found, err := chromedp.Run(p.tab, chromedp.Evaluate[string](kept))
	if err == nil && found != "" {
		err = fmt.Errorf("the token is kept in %s", found)
	}
	return err
}

func TestEndToEndAnOperationIsTriedFromItsPage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, who string
		seed      func() stytchtest.Seed
		signIn    []step
		width     int64
		scheme    string
	}{
		{"member", "ada@acme.example", stytchtest.Development, byCode("ada@acme.example", "Acme"), 1200, "light"},
		{"user on a telephone", "ada@example.com", stytchtest.DevelopmentConsumer, byCode("ada@example.com", ""), 390,
			"dark"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, tt.seed(), func(w *world) error {
				p := w.newPerson()
				open := []step{newTabAt(w.url + "/docs#/default/listTasks"), device(tt.width, tt.scheme),
					see("Code samples"), see("Sign in, and you can try"),
					absent("Try it out"), look("signed-out"), press("Sign in to try")}
				allow := []step{see("Allow Operations page to:"), absent("Stay connected"), look("consent"),
					press("Allow"), see("Signed in as " + tt.who)}
				answered := func(status string) step {
					return is(`document.querySelector(".live-responses-table .response td")?.innerText.startsWith("` +
						status + `")`)
				}
				try := []step{is("location.href === " + quoted(w.url+"/docs#/default/listTasks")), press("Try it out"),
					press("Execute"), answered("200"),
					see(`"tasks"`), see("Authorization: Bearer ACCESS_TOKEN"), look("tried"), noToken,
					press("List tasks"), press("Create a task"), press("Try it out"), press("Execute"), answered("201"),
					see(`"title": "Water the plants"`)}
				leave := []step{press("Sign out"), see("Sign in, and you can try"), see("Code samples"),
					absent("Try it out"), absent("Signed in as"), noToken}
				if err := p.do(slices.Concat(open, tt.signIn, allow, try, leave)...); err != nil {
					return err
				}
				return p.complaints()
			})
		})
	}
}

func TestInABrowserOperationsAreSearchedAndShownAsCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.newPerson()
	shown := func(ids ...string) step {
		return is(fmt.Sprintf(
			`[...document.querySelectorAll(".opblock-summary-operation-id")].map((e) => e.textContent).sort()
				.join() === %q`, strings.Join(ids, ",")))
	}
	must(t, p.do(newTabAt(w.url+"/docs"), see("16 operations"), look("docs"),
		fill("#search", "Comment"), shown("addTaskComment", "listTaskComments"), see("2 of 16"), look("searched"),
		fill("#search", "post invit"), shown("inviteMember"), see("1 of 16"),
		fill("#search", "true"), shown(), see("None of 16 operations has these words"),
		fill("#search", " "), see("16 operations"),
		fill("#search", "createTask"), shown("createTask"), press("Create a task"),
		is(`!!document.querySelector(".samples summary")`),
		func(p *person) error { return p.evaluate(`document.querySelector(".samples summary").click()`) },
		see("curl -X 'POST'"), see(`-d '{"title":"Water the plants"}'`), see("Authorization: Bearer ACCESS_TOKEN"), see(
			"await fetch("), see("import requests"), look("samples")))
	must(t, p.complaints())
}

// Whoever is led to the page with somebody else's code is not signed in as them.
func TestInABrowserAForeignSignInIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, query := range []string{"?code=foreign&state=foreign", "?code=foreign", "?error=access_denied", "?state="} {
		p := w.newPerson()
		must(t, p.do(newTabAt(w.url+"/docs"+query), see("This sign-in was not begun in this tab"),
			see("Sign in to try"),
			is("location.href === "+quoted(w.url+"/docs")), look("foreign")))
		must(t, p.complaints())
	}
	started := w.newPerson()
	must(t, started.do(newTabAt(w.url+"/docs"), press("Sign in to try"), see("Sign in to continue"),
		func(p *person) error {
			return p.evaluate("location.href = " + quoted(w.url+"/docs?code=foreign&state=foreign"))
		}, see("This sign-in was not begun in this tab")))
	if strings.Contains(w.log.String(), `"msg":"token request"`) {
		t.Error("a foreign code was sent to the token endpoint")
	}
}

func TestEndToEndWhoDeniesThePageIsTold(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		return w.newPerson().do(slices.Concat([]step{newTabAt(w.url + "/docs"), press("Sign in to try")},
			byCode("ada@acme.example", "Acme"),
			[]step{see("Allow Operations page to:"), press("Deny"),
				see("You did not allow it, so nothing was granted."), look("denied")})...)
	})
}

// The page has no secret, so that a code is worth nothing without the verifier.
func TestEndToEndACodeOfThePageNeedsItsVerifier(t *testing.T) {
	t.Parallel()
	seed := stytchtest.Development()
	docs := &seed.ConnectedApps[1]
	docs.RedirectURLs = append(docs.RedirectURLs, "http://127.0.0.1/callback")
	endToEnd(t, seed, func(w *world) error {
		const verifier = "a-verifier-of-forty-three-characters-at-least-so"
		sum := sha256.Sum256([]byte(verifier))
		request := w.authorizeURL(func(q url.Values) {
			q.Set("client_id", docs.ClientID)
			q.Set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
			q.Set("code_challenge_method", "S256")
		})
		p := w.newPerson()
		if err := p.do(slices.Concat([]step{newTabAt(request)}, byCode("ada@acme.example", "Acme"),
			[]step{press("Allow")})...); err != nil {
			return err
		}
		came, err := p.comesBack()
		if err != nil {
			return err
		}
		form := url.Values{"grant_type": {"authorization_code"}, "client_id": {docs.ClientID},
			"redirect_uri": {w.callbacks.url}, "code": {came.Query().Get("code")}}
		for _, wrong := range []url.Values{{}, {"code_verifier": {verifier + "x"}}, {"code_verifier": {verifier},
			"client_secret": {"guessed"}}} {
			if r := w.exchange(form, wrong); r.status != 400 || strings.Contains(r.body, "access_token") {
				return fmt.Errorf("with %v: %d %s", wrong, r.status, r.body)
			}
		}
		if r := w.exchange(form, url.Values{"code_verifier": {verifier}}); r.status != 200 || !strings.Contains(r.body,
			"access_token") {
			return fmt.Errorf("with the verifier: %d %s", r.status, r.body)
		}
		return nil
	})
}

func (w *world) exchange(form, more url.Values) reply {
	body := form.Encode() + "&" + more.Encode()
	return w.call("POST", "/oauth2/token", "", body,
		func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") })
}

func TestInABrowserWithoutAnAppThePageOnlyShows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *guestpass.Options) { o.DocsClientID = "" })
	p := w.newPerson()
	must(t, p.do(newTabAt(w.url+"/docs?code=x&state=y#/default/listTasks"),
		see("Operations cannot be tried on this page"), see("Code samples"),
		absent("Sign in to try"), absent("Try it out")))
	must(t, p.complaints())
	token := w.mint(stytchtest.MintRequest{Kind: "access", Subject: ada,
		ClientID: stytchtest.Development().ConnectedApps[1].ClientID, Scopes: []string{"openid"}})
	if r := w.call("GET", "/api/v1/userinfo", token, ""); r.status != 401 {
		t.Errorf("a token of an app that is not admitted: %d %s", r.status, r.body)
	}
}
