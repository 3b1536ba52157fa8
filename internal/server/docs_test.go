package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
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
				open := []step{newTabAt(w.url + "/docs#listTasks"), device(tt.width, tt.scheme),
					see("Code samples"), see("Sign in, and you can try"),
					absent("Call listTasks"), look("signed-out"), press("Sign in to try")}
				allow := []step{see("Allow Operations page to:"), absent("Stay connected"), look("consent"),
					press("Allow"), see("Signed in as " + tt.who)}
				try := []step{is("location.href === " + quoted(w.url+"/docs#listTasks")),
					fill("#listTasks-limit", "5"), press("Call listTasks"),
					see("200 OK: GET /api/v1/tasks?limit=5"), see(`"tasks": [`), look("tried"), noToken,
					unfold("createTask"), press("Call createTask"), see("201 Created: POST /api/v1/tasks"),
					see(`"title": "Water the plants"`), noToken}
				leave := []step{press("Sign out"), see("Sign in, and you can try"), see("Code samples"),
					absent("Call listTasks"), absent("Signed in as"), noToken}
				if err := p.do(slices.Concat(open, tt.signIn, allow, try, leave)...); err != nil {
					return err
				}
				return p.complaints()
			})
		})
	}
}

// unfold opens an operation as people do, by what it is called.
func unfold(id string) step {
	summary := "document.getElementById(" + quoted(id) + ").closest('details').querySelector('summary')"
	return func(p *person) error {
		if err := p.until(summary + ".checkVisibility()"); err != nil {
			return err
		}
		return p.evaluate(summary + ".click()")
	}
}

func TestInABrowserOperationsAreSearchedAndShownAsCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.newPerson()
	shown := func(ids ...string) step {
		return is(fmt.Sprintf(`[...document.querySelectorAll(".operation > .inside")].filter((e) =>
			e.parentElement.checkVisibility()).map((e) => e.id).sort().join() === %q`, strings.Join(ids, ",")))
	}
	must(t, p.do(newTabAt(w.url+"/docs"), see("16 operations"), look("docs"),
		fill("#search", "Comment"), shown("addTaskComment", "listTaskComments"), see("2 of 16"), look("searched"),
		fill("#search", "post invit"), shown("inviteMember"), see("1 of 16"),
		is(`document.querySelectorAll(".resource:not([hidden])").length === 1`),
		fill("#search", "nowhere"), shown(), see("No operation has these words"),
		fill("#search", " "), see("16 operations"),
		fill("#search", "createTask"), shown("createTask"), unfold("createTask"),
		func(p *person) error {
			return p.evaluate(`document.querySelector("#createTask .samples summary").click()`)
		},
		see("curl -X POST"), see(`-d '{"title":"Water the plants"}'`), see("Authorization: Bearer ACCESS_TOKEN"), see(
			"await fetch("), see("import requests"), see("Invoke-RestMethod"), look("samples")))
	must(t, p.complaints())
}

// TestInABrowserWhatRemovesIsCalledOnPurpose: neither the button nor Enter calls it before somebody has said so, for
// each call anew.
func TestInABrowserWhatRemovesIsCalledOnPurpose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	task := func(title string) string {
		var made struct {
			ID string `json:"task_id"`
		}
		r := w.call("POST", "/api/v1/tasks", w.token(ada, "tasks:write"), `{"title":"`+title+`"}`)
		if err := json.Unmarshal([]byte(r.body), &made); err != nil || made.ID == "" {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return made.ID
	}
	id := task("One")
	sure := func(p *person) error {
		return p.evaluate(`document.querySelector("#deleteTask [type=checkbox]").click()`)
	}
	p := w.newPerson()
	must(t, p.do(slices.Concat([]step{newTabAt(w.url + "/docs#deleteTask"), press("Sign in to try")},
		byCode("ada@acme.example", "Acme"), []step{press("Allow"), see("Signed in as ada@acme.example"),
			press("Call deleteTask"), is(`document.activeElement.id === "deleteTask-task_id"`), // it is required
			fill("#deleteTask-task_id", id), press("Call deleteTask"),
			is(`document.activeElement.matches("#deleteTask [type=checkbox]")`), look("asked"),
			absent("DELETE /api/v1/tasks/" + id)})...))
	if r := w.call("GET", "/api/v1/tasks/"+id, w.token(ada, "tasks:read"), ""); r.status != 200 {
		t.Fatalf("the task is gone: %d %s", r.status, r.body)
	}
	must(t, p.do(sure, press("Call deleteTask"), see("200 OK: DELETE /api/v1/tasks/"+id),
		is(`!document.querySelector("#deleteTask [type=checkbox]").checked`), look("removed")))
	must(t, p.complaints())
}

// TestInABrowserOperationsAreFoundByKeyboardAlone: from the top of the page to one, into it, and to its samples.
func TestInABrowserOperationsAreFoundByKeyboardAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.newPerson()
	// tabTo goes on until what has the focus is that, within as many steps as a person would bear.
	tabTo := func(selector string, most int) step {
		return func(p *person) error {
			for range most {
				if err := key("\t")(p); err != nil {
					return err
				}
				there, err := chromedp.Run(p.tab, chromedp.Evaluate[bool](`(() => {
					const e = document.activeElement, outline = getComputedStyle(e);
					return e.matches(`+quoted(selector)+`) && outline.outlineStyle !== "none" && e.checkVisibility();
				})()`))
				if err != nil || there {
					return err
				}
			}
			return fmt.Errorf("%d times the tabulator do not lead to %s, with an outline", most, selector)
		}
	}
	must(t, p.do(newTabAt(w.url+"/docs"), see("16 operations"), tabTo("#search", 10), typeText("create task"),
		see("1 of 16"), tabTo("summary", 1), key("\r"), see("Creates a task and returns it"),
		tabTo(`[href="#createTask"]`, 1), tabTo(".samples summary", 1), key(" "), see("curl -X POST"),
		tabTo("button.copy", 1), key("\r"), see("Copied"), look("samples"),
		is(`document.getElementById("copy-status").textContent === "Copied: curl sample"`)))
	must(t, p.complaints())
}

// TestInABrowserARefusalOfATriedCallIsShown, with the server's own words, and an answer that does not come.
func TestInABrowserARefusalOfATriedCallIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.newPerson()
	must(t, p.do(slices.Concat([]step{newTabAt(w.url + "/docs#createTask"), press("Sign in to try")},
		byCode("ada@acme.example", "Acme"), []step{press("Allow"), see("Signed in as ada@acme.example"),
			fill("#createTask-body", `{"title":`), press("Call createTask"), see("400 Bad Request: POST /api/v1/tasks"),
			see(`"detail":`), look("refused"),
			func(p *person) error { return p.evaluate("window.fetch = () => Promise.reject(new TypeError())") },
			press("Call createTask"), see("No answer came to POST /api/v1/tasks."), absent(`"detail":`)})...))
}

// TestInABrowserOperationsAreReadWithoutScript: all that there is to read is there, the search of the browser and
// links find it, and nothing is offered that would do nothing.
func TestInABrowserOperationsAreReadWithoutScript(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.newPerson()
	must(t, p.do(newTabAt(w.url+"/privacy"), withoutScript, see("Privacy"), func(p *person) error {
		return p.evaluate("location.href = " + quoted(w.url+"/docs#updateTask"))
	}, see("With JavaScript, operations can be searched and tried"),
		is(`document.getElementById("updateTask").parentElement.open`), // the link unfolds it
		see("tasks:write (Create, change and delete tasks)"), see("Change a task"), see("apps are told to ask before"),
		absent("Sign in to try"), absent("Search operations"), absent("Call updateTask"), look("without-script"),
		unfoldAll, fits))
	must(t, p.complaints())
	for _, op := range w.app.Operations() {
		if r := w.call("GET", "/docs", "", ""); !strings.Contains(r.body, `<div id="`+op.ID+`"`) ||
			!strings.Contains(r.body, html.EscapeString(op.Summary)) {
			t.Errorf("%s is not on the page", op.ID)
		}
	}
}

// TestInABrowserTheFirstViewOfOperationsIsSmall: 60 kB on the wire with all that the page loads, of this server alone.
func TestInABrowserTheFirstViewOfOperationsIsSmall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := newTab(t, newBrowser(t))
	var mu sync.Mutex
	loaded := 0.0
	must(t, chromedp.Listen(b.ctx, func(event any) {
		if e, ok := event.(*network.EventLoadingFinished); ok {
			mu.Lock()
			defer mu.Unlock()
			loaded += e.EncodedDataLength
		}
	}))
	b.open(w.url+"/docs", "16 operations")
	b.check("docs", w.url)
	mu.Lock()
	defer mu.Unlock()
	if loaded < 5_000 || loaded > 60_000 {
		t.Errorf("%.0f bytes came", loaded)
	}
	t.Logf("%.0f bytes came", loaded)
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
	must(t, p.do(newTabAt(w.url+"/docs?code=x&state=y#listTasks"),
		see("Operations cannot be tried on this page"), see("Code samples"),
		absent("Sign in to try"), absent("Call listTasks")))
	must(t, p.complaints())
	token := w.mint(stytchtest.MintRequest{Kind: "access", Subject: ada,
		ClientID: stytchtest.Development().ConnectedApps[1].ClientID, Scopes: []string{"openid"}})
	if r := w.call("GET", "/api/v1/userinfo", token, ""); r.status != 401 {
		t.Errorf("a token of an app that is not admitted: %d %s", r.status, r.body)
	}
}
