package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/internal/inside"
	"guestpass/internal/postgrestest"
	"guestpass/internal/stytch"
	"guestpass/stytchtest"
)

// TestEndToEndRevoking is the story of a person who connects the GPT, lets it work, sees
// on their account page what it may and did, and revokes.
func TestEndToEndRevoking(t *testing.T) {
	t.Parallel()
	b2b, consumer := stytchtest.Development(), stytchtest.DevelopmentConsumer()
	for _, tt := range []struct {
		name, email, organization, who string
		seed                           stytchtest.Seed
	}{
		{"member", "grace@acme.example", "Acme", "Signed in as grace@acme.example at Acme.", b2b},
		{"user", "ada@example.com", "", "Signed in as ada@example.com.", consumer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			endToEnd(t, tt.seed, func(w *world) error {
				gpt, p := w.gpt(), w.newPerson()
				if err := p.do(newTabAt(w.url+"/account"), see("Sign in to see which apps"),
					look("signed-out")); err != nil {
					return err
				}
				if _, err := w.connect(gpt, p, append(byCode(tt.email, tt.organization),
					press("Allow"))...); err != nil {
					return err
				}
				if r, err := w.callUntil(gpt, "createTask", map[string]any{"title": "Water the plants"}); err != nil ||
					r.Status != 201 {
					return fmt.Errorf("create a task: %v %w", r, err)
				}
				err := p.do(newTabAt(w.url+"/account"), see(tt.who), see("Created task “Water the plants”"),
					see("Stay connected until you disconnect"), absent("not yet"), look("account"),
					device(390, "dark"), look("account-phone"), press("Revoke access"),
					see("Once it is revoked"), look("revoking"), press("Revoke access"),
					see("Access is revoked."),
					see("No app acts for you here."), look("revoked"))
				if err != nil {
					return err
				}
				if r, err := gpt.Call(t.Context(), "listTasks", nil); err != nil || r.Status != 401 {
					return fmt.Errorf("after the revocation: %v %w", r, err)
				}
				if _, err := gpt.Refresh(t.Context()); err == nil {
					return errors.New("the refresh token still works")
				}
				return nil
			})
		})
	}
}

// TestEndToEndSigningInForTheAccount begins at the account page and comes back to it.
func TestEndToEndSigningInForTheAccount(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		methods []string
		steps   []step
	}{
		{"code", nil, byCode("grace@acme.example", "Acme")},
		{"link", []string{"email_link"}, []step{fill("input[type=email]", "grace@acme.example"),
			press("Continue with email"), see("Check your email"),
			openLink("magic_link"), press("Acme")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			endToEnd(t, stytchtest.Development(), func(w *world) error {
				p := w.newPerson()
				if err := p.do(append(append([]step{newTabAt(w.url + "/account"), press("Sign in")}, tt.steps...),
					see("No app acts for you here."))...); err != nil {
					return err
				}
				return p.complaints()
			}, func(o *guestpass.Options) { o.LoginMethods = tt.methods })
		})
	}
}

func TestEndToEndRevokingForAnotherMember(t *testing.T) {
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		w.consent(grace)
		steps := append([]step{newTabAt(w.url + "/account"), press("Sign in")}, byCode("ada@acme.example", "Acme")...)
		return w.newPerson().do(append(steps, see("grace@acme.example (Grace Hopper)"), look("account"),
			press("Revoke access"), see("It acts for grace@acme.example."), press("Revoke access"),
			see("Access is revoked."),
			see("No app acts for another member of the organization."), look("revoked"))...)
	})
}

// signedIn is a browser's session, made as Stytch's API for servers makes them.
type signedIn struct {
	w      *world
	cookie string
}

// signIn makes a session for a person of the seed.
func (w *world) signIn(subject string) signedIn {
	w.t.Helper()
	address := map[string]string{ada: "ada@acme.example", grace: "grace@acme.example", hank: "hank@globex.example",
		userAda: "ada@example.com", userGrace: "grace@example.com"}[subject]
	path, body := "/v1/b2b/passwords/authenticate", map[string]any{"organization_id": w.organization(subject),
		"email_address": address}
	if strings.HasPrefix(subject, "user-") {
		path, body = "/v1/passwords/authenticate", map[string]any{"email": address}
	}
	body["password"], body["session_duration_minutes"] = stytchtest.DevelopmentPassword, 60
	return signedIn{w, "stytch_session=" + w.platform(path, body)["session_token"].(string)}
}

func (w *world) organization(subject string) string {
	if subject == hank {
		return "organization-test-bbbbbbbb-0000-4000-8000-000000000001"
	}
	return acme
}

// consent connects the GPT for a person, without a browser.
func (w *world) consent(subject string) {
	w.t.Helper()
	app := stytchtest.Development().ConnectedApps[0]
	path, body := "/v1/b2b/idp/oauth/authorize", map[string]any{"organization_id": w.organization(subject),
		"member_id": subject}
	if strings.HasPrefix(subject, "user-") {
		path, body = "/v1/idp/oauth/authorize", map[string]any{"user_id": subject}
	}
	body["client_id"], body["redirect_uri"], body["response_type"] = app.ClientID, app.RedirectURLs[0], "code"
	body["consent_granted"], body["scopes"], body["state"] = true, []string{"openid", "tasks:read", "tasks:write"}, "s"
	w.platform(path, body)
}

func (w *world) platform(path string, body map[string]any) map[string]any {
	return w.platformSend("POST", path, body)
}

// platformSend calls Stytch's API for servers.
func (w *world) platformSend(method, path string, body map[string]any) (answer map[string]any) {
	w.t.Helper()
	content, _ := json.Marshal(body)
	r, err := http.NewRequest(method, w.stytch.URL+path, bytes.NewReader(content))
	must(w.t, err)
	project := w.stytch.Export().Project
	r.SetBasicAuth(project.ID, project.Secret)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	must(w.t, err)
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != 200 {
		w.t.Fatalf("%s: %d %v %v", path, response.StatusCode, answer, err)
	}
	return answer
}

// page returns the account page.
func (s signedIn) page() string {
	s.w.t.Helper()
	return s.at("/account").body
}

var (
	askPattern = regexp.MustCompile(
		`href="(/account/revoke[^"]+)">Revoke access<span class="unseen"> of ([^<]+)</span>`)
	formPattern = regexp.MustCompile(`name="form" value="([^"]+)"`)
)

// at returns a page as it reads: without what isolates the directions of names.
func (s signedIn) at(path string) reply {
	s.w.t.Helper()
	r := s.w.call("GET", html.UnescapeString(path), "", "", func(r *http.Request) { r.Header.Set("Cookie", s.cookie) })
	r.body = strings.NewReplacer("<bdi>", "", "</bdi>", "").Replace(r.body)
	return r
}

// form returns what the button to revoke sends on the page that asks once more; name is what the link there is for, as
// a screen reader tells.
func (s signedIn) form(name string) string {
	s.w.t.Helper()
	page := s.page()
	for _, found := range askPattern.FindAllStringSubmatch(page, -1) {
		if strings.Trim(found[2], "“”") != name { // in quotation marks unless somebody listed it
			continue
		}
		if form := formPattern.FindStringSubmatch(s.at(found[1]).body); form != nil {
			return form[1]
		}
	}
	s.w.t.Fatalf("there is no button to revoke the access of %q on\n%s", name, page)
	return ""
}

func (s signedIn) revoke(form string, change ...func(*http.Request)) reply {
	s.w.t.Helper()
	return s.send("/account/revoke", form, change...)
}

// send posts a form as the page does.
func (s signedIn) send(path, form string, change ...func(*http.Request)) reply {
	s.w.t.Helper()
	headers := func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Cookie", s.cookie)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Origin", "null") // under no-referrer
	}
	return s.w.call("POST", path, "", url.Values{"form": {form}}.Encode(),
		append([]func(*http.Request){headers}, change...)...)
}

func (w *world) reads(token string) int {
	w.t.Helper()
	return w.call("GET", "/api/v1/tasks", token, "").status
}

// gptName returns how the GPT's app is called in the seed.
func gptName() string { return stytchtest.Development().ConnectedApps[0].Name }

func TestOnlyThePageItselfCanRevoke(t *testing.T) {
	w := newWorld(t, func(o *guestpass.Options) { o.PublicURL = origin })
	token := w.token(grace, everything...)
	w.reads(token)
	p, other := w.signIn(grace), w.signIn(ada)
	form := p.form(gptName())
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	without := func(names ...string) func(*http.Request) {
		return func(r *http.Request) {
			for _, name := range names {
				r.Header.Del(name)
			}
		}
	}
	tried, changed := 0, 0
	for name, tt := range map[string]struct {
		form   string
		change []func(*http.Request)
	}{
		"cross-site":                 {form, []func(*http.Request){set("Sec-Fetch-Site", "cross-site")}},
		"same-site":                  {form, []func(*http.Request){set("Sec-Fetch-Site", "same-site")}},
		"typed by hand":              {form, []func(*http.Request){set("Sec-Fetch-Site", "none")}},
		"null origin, no fetch site": {form, []func(*http.Request){without("Sec-Fetch-Site")}},
		"foreign origin": {form, []func(*http.Request){without("Sec-Fetch-Site"),
			set("Origin", "https://evil.example")}},
		"foreign origin, same-origin": {form, []func(*http.Request){set("Origin", "https://evil.example")}},
		"another port": {form, []func(*http.Request){without("Sec-Fetch-Site"),
			set("Origin", "http://127.0.0.1:1")}},
		"absent":                 {form, []func(*http.Request){without("Sec-Fetch-Site", "Origin")}},
		"no form":                {"", nil},
		"altered form":           {form[:len(form)/2] + flipped(form[len(form)/2:]), nil},
		"half a form":            {form[:len(form)/2], nil},
		"another session's form": {other.form(gptName() + " for grace@acme.example"), nil},
		"another session":        {form, []func(*http.Request){set("Cookie", other.cookie)}},
		"no session":             {form, []func(*http.Request){without("Cookie")}},
		"two sessions":           {form, []func(*http.Request){set("Cookie", p.cookie+"; "+other.cookie)}},
		"as JSON":                {form, []func(*http.Request){set("Content-Type", "application/json")}},
	} {
		tried++
		if r := p.revoke(tt.form, tt.change...); r.status != 403 || !strings.Contains(r.body, "Nothing was revoked") ||
			r.header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		if got := w.reads(token); got != 200 {
			changed++
			t.Errorf("%s: it was revoked all the same: %d", name, got)
		}
	}
	if strings.Contains(w.log.String(), "evil.example") {
		t.Error("the log has an Origin header")
	}
	w.stytch.Advance(61 * time.Minute)
	if r := w.signIn(grace).revoke(form); r.status != 403 {
		t.Errorf("a form that is too old: %d", r.status)
	}
	t.Logf("%d forged posts and one too old: %d revoked anything", tried, changed)
}

// flipped is other text, which can be decoded all the same.
func flipped(text string) string {
	if text[0] == 'A' {
		return "B" + text[1:]
	}
	return "A" + text[1:]
}

// beforeRevoking is Grace at her account page, whose app has used its token.
func (w *world) beforeRevoking() (token string, p signedIn, form string) {
	w.t.Helper()
	w.consent(grace)
	token = w.token(grace, everything...)
	w.reads(token)
	p = w.signIn(grace)
	return token, p, p.form(gptName())
}

// Who presses the button and goes away has revoked.
func TestWhoLeavesAfterRevokingHasRevoked(t *testing.T) {
	w := newWorld(t)
	token, p, form := w.beforeRevoking()
	ctx, leave := context.WithCancel(t.Context())
	leave()
	w.app.ServeHTTP(httptest.NewRecorder(),
		p.request(strings.NewReader(url.Values{"form": {form}}.Encode())).WithContext(ctx))
	if got := w.reads(token); got != 401 || len(w.connected(grace)) != 0 {
		t.Errorf("the token reads with %d, at Stytch are %v", got, w.connected(grace))
	}
}

// request presses the button of the page.
func (s signedIn) request(form io.Reader) *http.Request {
	r := httptest.NewRequest("POST", "http://localhost/account/revoke", form)
	r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {s.cookie},
		"Sec-Fetch-Site": {"same-origin"}, "Origin": {"null"}}
	return r
}

// Nobody needs to sign in to send half a form, or to read a page slowly.
func TestWhoIsSlowOnThePagesKeepsNobodyOut(t *testing.T) {
	w := newWorld(t, limited(guestpass.Limits{InFlight: 1}))
	token := w.token(ada, "tasks:read")
	p := w.signIn(ada)
	body := &slowBody{began: make(chan struct{}), finish: make(chan struct{})}
	reader := &slowReader{began: make(chan struct{}, 2*pagesAtOnce), finish: make(chan struct{})}
	var slow sync.WaitGroup
	slow.Go(func() { w.app.ServeHTTP(httptest.NewRecorder(), signedIn{}.request(body)) })
	<-body.began
	for range pagesAtOnce {
		slow.Go(func() {
			w.app.ServeHTTP(reader.of(), httptest.NewRequest("GET", "http://localhost/idp?return=account", nil))
		})
		slow.Go(func() {
			r := httptest.NewRequest("GET", "http://localhost/account", nil)
			r.Header.Set("Cookie", p.cookie)
			w.app.ServeHTTP(reader.of(), r)
		})
	}
	for range 2 * pagesAtOnce {
		<-reader.began
	}
	if got := w.reads(token); got != 200 {
		t.Errorf("a read beside them: %d", got)
	}
	if r := w.call("GET", "/idp?return=account", "", ""); r.status != 200 {
		t.Errorf("another's page: %d", r.status)
	}
	if page := p.page(); !strings.Contains(page, "Signed in") {
		t.Errorf("another's account: %s", page)
	}
	close(body.finish)
	close(reader.finish)
	slow.Wait()
}

const pagesAtOnce = 16

// slowReader takes replies so slowly that none ends before it finishes.
type slowReader struct{ began, finish chan struct{} }

func (s *slowReader) of() http.ResponseWriter { return &slowReply{http.Header{}, s} }

type slowReply struct {
	header http.Header
	reader *slowReader
}

func (s *slowReply) Header() http.Header { return s.header }
func (s *slowReply) WriteHeader(int)     {}
func (s *slowReply) Write(content []byte) (int, error) {
	s.reader.began <- struct{}{}
	<-s.reader.finish
	return len(content), nil
}

// Visitors whom nobody knows keep nobody from working and revoking, also while Stytch hangs.
func TestManyPagesKeepNobodyFromRevoking(t *testing.T) {
	d := newDoor(t)
	w := newWorld(t, d.before)
	token, p, form := w.beforeRevoking()
	d.hold("/v1/b2b/sessions")
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var loads sync.WaitGroup
	for range 12 {
		loads.Go(func() {
			r := httptest.NewRequest("GET", "http://localhost/account", nil).WithContext(ctx)
			r.Header.Set("Cookie", "stytch_session="+rand.Text())
			w.app.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	<-d.arrived
	d.pass()
	if r := w.call("GET", "/idp?return=account", "", ""); r.status != 200 {
		t.Errorf("a page that needs no Stytch: %d %s", r.status, r.body)
	}
	if r := w.call("GET", "/account", "", "",
		func(r *http.Request) { r.Header.Set("Cookie", p.cookie) }); r.status != 200 {
		t.Errorf("somebody who was seen here: %d %s", r.status, r.body)
	}
	if r := p.revoke(form); r.status != 303 {
		t.Errorf("revoking: %d %s", r.status, r.body)
	}
	if got := w.reads(token); got != 401 {
		t.Errorf("revoked, and reads: %d", got)
	}
	leave()
	loads.Wait()
}

// Whoever loads their page again and again is refused before Stytch is asked, in every session
// of theirs, and can revoke all the same.
func TestPagesOfAPersonAreLimited(t *testing.T) {
	w := newWorld(t)
	w.consent(grace)
	token := w.token(grace, everything...)
	p := w.signIn(grace)
	form := p.form(gptName()) // the first
	for range pagesOfPerson - 1 {
		p.page()
	}
	calls := len(w.stytch.Requests())
	again := w.call("GET", "/account", "", "", func(r *http.Request) { r.Header.Set("Cookie", p.cookie) })
	if n := len(w.stytch.Requests()); n != calls {
		t.Errorf("%d calls of Stytch for a page that is refused", n-calls)
	}
	other := w.call("GET", "/account", "", "", func(r *http.Request) { r.Header.Set("Cookie", w.signIn(grace).cookie) })
	for name, r := range map[string]reply{"a page": again, "a page of another session": other} {
		want := fmt.Sprintf(`"person";q=%d;w=60`, pagesOfPerson)
		if r.status != 429 || r.header.Get("Retry-After") == "" || r.header.Get("RateLimit-Policy") != want ||
			r.header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d %v", name, r.status, r.header)
		}
	}
	if got := w.reads(token); got != 200 {
		t.Errorf("an operation: %d", got)
	}
	if page := w.signIn(ada).page(); !strings.Contains(page, "Signed in") {
		t.Errorf("somebody else gets\n%s", page)
	}
	if r := p.revoke(form); r.status != 303 {
		t.Errorf("revoking: %d %s", r.status, r.body)
	}
}

const pagesOfPerson = 30 // a minute

// What is said of a revocation is true.
func TestThePageSaysWhetherItWasRevoked(t *testing.T) {
	const done = "Access is revoked."
	w := newWorld(t)
	w.consent(grace)
	p := w.signIn(grace)
	load := func(p signedIn, path string) string {
		return w.call("GET", path, "", "", func(r *http.Request) { r.Header.Set("Cookie", p.cookie) }).body
	}
	form := p.form(gptName())
	r := p.revoke(form)
	for _, name := range []string{"Content-Security-Policy", "X-Frame-Options", "Referrer-Policy", "Cache-Control"} {
		if r.header.Get(name) == "" {
			t.Errorf("the redirect has no %s", name)
		}
	}
	notice := r.header.Get("Location")
	if page := load(p, notice); !strings.Contains(page, done) {
		t.Errorf("after revoking\n%s", page)
	}
	for name, page := range map[string]string{
		"a link":            load(p, "/account?revoked"),
		"a made-up link":    load(p, "/account?revoked=1"),
		"a form in a link":  load(p, "/account?revoked="+form),
		"another's session": load(w.signIn(ada), notice),
	} {
		if strings.Contains(page, done) || !strings.Contains(page, "Signed in") {
			t.Errorf("%s: the page says\n%s", name, page)
		}
	}
	if r := p.revoke(strings.TrimPrefix(notice, "/account?revoked=")); r.status != 403 {
		t.Errorf("the notice for a form: %d", r.status)
	}
	w.stytch.Advance(2 * time.Minute)
	if page := load(p, notice); strings.Contains(page, done) {
		t.Error("two minutes later it says so still")
	}
	must(t, w.options.Store.Close())
	if r := p.revoke(form); r.status != 503 || !strings.Contains(r.body,
		"Half of it is done. Stytch has ended the connection") {
		t.Errorf("without the database: %d %s", r.status, r.body)
	}
}

// Stytch away is one thing, our own secret refused another: then nobody knows who asks.
func TestTheFormAloneCountsOnlyWhileStytchIsAway(t *testing.T) {
	w := newWorld(t)
	token, p, form := w.beforeRevoking()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"status_code":401,"error_type":"unauthorized_credentials",`+
			`"error_message":"Unauthorized credentials.","request_id":"r"}`)
	}))
	t.Cleanup(refusing.Close)
	w.options.BaseURL = refusing.URL
	if r := (signedIn{w.twin(), p.cookie}).revoke(form); r.status != 503 || !strings.Contains(r.body,
		"Nothing was revoked") {
		t.Errorf("Stytch refuses our secret: %d %s", r.status, r.body)
	}
	if got := w.reads(token); got != 200 {
		t.Errorf("it was revoked all the same: %d", got)
	}
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/sessions", Status: 503})
	if r := p.revoke(form); r.status != 303 || w.reads(token) != 401 {
		t.Errorf("Stytch is away: %d %s", r.status, r.body)
	}
}

var revocations = flag.Int("revocations", 1, "how often TestRevokingReachesEveryInstance revokes in each case")

// Two instances share a database: what is revoked on one is refused there at once, and on
// the other within five seconds, whether or not Stytch answers.
func TestRevokingReachesEveryInstance(t *testing.T) {
	t.Parallel()
	for name, seed := range map[string]stytchtest.Seed{"b2b": stytchtest.Development(),
		"consumer": stytchtest.DevelopmentConsumer()} {
		for _, down := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, Stytch down %t", name, down), func(t *testing.T) {
				subject := map[string]string{"b2b": grace, "consumer": userGrace}[name]
				here, there := 0, 0
				each := 10 // in one world: a person sees 30 pages a minute
				if down {
					each = 1 // then that person's circuit to Stytch is open for half a minute
				}
				for done := 0; done < *revocations; done += each {
					w := newWorldOf(t, stytchtest.Options{Seed: &seed}, quiet)
					second, p := w.twin(), w.signIn(subject)
					for range min(each, *revocations-done) {
						atOnce, later := w.revokeOnce(second, p, subject, down)
						here, there = here+atOnce, there+later
					}
				}
				t.Logf("%d revocations: refused at once on the same instance %d, 5 s later on another %d", *revocations,
					here, there)
				if here != *revocations || there != *revocations {
					t.Error("some were not")
				}
			})
		}
	}
}

// revokeOnce connects, revokes, and connects again; it returns 1 for each of the two
// instances that refuses in time.
func (w *world) revokeOnce(second *world, p signedIn, subject string, down bool) (here, there int) {
	w.t.Helper()
	w.consent(subject)
	token := w.token(subject, everything...)
	if w.reads(token) != 200 || second.reads(token) != 200 {
		w.t.Fatal("the token is not good to begin with")
	}
	form := p.form(gptName())
	if down {
		w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: 503})
	}
	for range 2 { // a button may be pressed twice
		if r := p.revoke(form); r.status != 303 || !strings.HasPrefix(r.header.Get("Location"), "/account?revoked=") {
			w.t.Fatalf("%d %s", r.status, r.body)
		}
	}
	if w.reads(token) == 401 {
		here = 1
	}
	w.stytch.Advance(5 * time.Second)
	if second.reads(token) == 401 {
		there = 1
	}
	w.stytch.ClearFaults()
	if down {
		w.settle(subject)
	}
	if page := p.page(); !strings.Contains(page, "No app acts for you here.") {
		w.t.Errorf("the page still shows\n%s", page)
	}
	w.stytch.Advance(6 * time.Second)
	if got := w.reads(w.token(subject, everything...)); got != 200 {
		w.t.Errorf("connected again, seconds later: %d", got)
	}
	return here, there
}

// twin is another instance on the same database.
func (w *world) twin() *world {
	w.t.Helper()
	twin := *w
	app, err := guestpass.New(w.options)
	must(w.t, err)
	running := httptest.NewServer(app)
	w.t.Cleanup(running.Close)
	twin.app, twin.url = app, running.URL
	return &twin
}

// settle has Stytch asked again. Until then it may issue tokens, which are refused too.
func (w *world) settle(subject string) {
	w.t.Helper()
	w.stytch.Advance(2 * time.Second)
	if got := w.reads(w.token(subject, everything...)); got != 401 {
		w.t.Errorf("a token that was renewed while Stytch had not revoked: %d", got)
	}
	if len(w.connected(subject)) != 1 {
		w.t.Error("Stytch has revoked already, although it was down")
	}
	w.stytch.Advance(15 * time.Second)
	inside.RetryRevocations(w.app, w.t.Context())
	if left := w.connected(subject); len(left) != 0 {
		w.t.Errorf("Stytch was not asked again: %v", left)
	}
}

// connected returns the person's apps, as Stytch has them.
func (w *world) connected(subject string) []stytch.Connection {
	w.t.Helper()
	organization := w.organization(subject)
	if strings.HasPrefix(subject, "user-") {
		organization = ""
	}
	list, err := inside.Directory(w.app).Connections(w.t.Context(), organization, subject)
	must(w.t, err)
	return list
}

func TestAdministratorsRevokeForTheirOwnOrganizationOnly(t *testing.T) {
	w := newWorld(t)
	tokens := map[string]string{}
	for _, who := range []string{ada, grace, hank} {
		w.consent(who)
		tokens[who] = w.token(who, everything...)
		w.reads(tokens[who])
	}
	if page := w.signIn(grace).page(); strings.Contains(page, "other members") || strings.Contains(page,
		"ada@acme.example") {
		t.Errorf("a member sees others:\n%s", page)
	}
	admin := w.signIn(ada)
	page := admin.page()
	if !strings.Contains(page, "grace@acme.example (Grace Hopper)") || strings.Contains(page, "hank") {
		t.Errorf("an administrator sees\n%s", page)
	}
	form := admin.form(gptName() + " for grace@acme.example")
	if r := admin.revoke(form); r.status != 303 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if w.reads(tokens[grace]) != 401 || w.reads(tokens[ada]) != 200 || w.reads(tokens[hank]) != 200 ||
		len(w.connected(grace)) != 0 {
		t.Error("not Grace's access was revoked, or others' as well")
	}
	if r := w.call("GET", "/api/v1/activity", tokens[ada], ""); !strings.Contains(r.body,
		`"operation":"revokeConnection"`) || !strings.Contains(r.body, grace) {
		t.Errorf("it is not on record: %s", r.body)
	}
	w.platformSend("PUT", "/v1/b2b/organizations/"+acme+"/members/"+ada, map[string]any{"roles": []string{}})
	if r := admin.revoke(form); r.status != 403 {
		t.Errorf("an administrator who is none any more: %d", r.status)
	}
}

func TestTheAccountPageIsForWhoIsSignedIn(t *testing.T) {
	w := newWorld(t)
	good := w.signIn(grace)
	for name, cookie := range map[string]string{"none": "", "unknown": "stytch_session=made-up-session-unknown",
		"no session": "stytch_session=unknown", "unknown JWT": "stytch_session_jwt=a.b.c",
		"twice": good.cookie + "; stytch_session=other", "an access token": "stytch_session_jwt=" + w.token(grace,
			everything...)} {
		if page := (signedIn{w, cookie}).page(); !strings.Contains(page, `href="/idp?return=account"`) ||
			strings.Contains(page, "Signed in") {
			t.Errorf("%s:\n%s", name, page)
		}
	}
	if page := (signedIn{w, good.cookie + "; " + good.cookie}).page(); !strings.Contains(page, "Signed in") {
		t.Error("the same session, also in the cookie of a neighbouring host, is none")
	}
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/sessions", Status: 503})
	if r := w.call("GET", "/account", "", "",
		func(r *http.Request) { r.Header.Set("Cookie", good.cookie) }); r.status != 503 ||
		r.header.Get("Retry-After") == "" {
		t.Errorf("while Stytch is down: %d", r.status)
	}
	for _, where := range []string{"https://evil.example", "//evil.example", "account/", "/account", "Account",
		"account&return=account"} {
		if r := w.call("GET", "/idp?return="+where, "", ""); r.status != 400 || strings.Contains(r.body, "evil") {
			t.Errorf("a return to %s: %d", where, r.status)
		}
	}
}

// Who is signed in, at a server that Stytch refuses, would be sent to sign in again and again.
func TestWrongCredentialsAreNoSignInLoop(t *testing.T) {
	for vertical, seed := range map[string]stytchtest.Seed{"b2b": stytchtest.Development(),
		"consumer": stytchtest.DevelopmentConsumer()} {
		w := newWorldOf(t, stytchtest.Options{Seed: &seed},
			func(o *guestpass.Options) { o.Secret = "secret-test-wrong" })
		for name, cookie := range map[string]string{"a token": "stytch_session=a-token-of-the-right-form",
			"a JWT": "stytch_session_jwt=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"} {
			r := w.call("GET", "/account", "", "", func(r *http.Request) { r.Header.Set("Cookie", cookie) })
			id := r.header.Get("X-Request-Id")
			if r.status != http.StatusServiceUnavailable || r.header.Get("Location") != "" ||
				r.header.Get("Retry-After") != "" ||
				!strings.Contains(r.body, "set up wrongly") || !strings.Contains(r.body, id) ||
				strings.Contains(r.body, "Sign in to see") {
				t.Errorf("%s, %s: %d %s", vertical, name, r.status, r.body)
			}
			if log := w.log.String(); !strings.Contains(log, id) || !strings.Contains(log, "STYTCH_SECRET") {
				t.Errorf("%s, %s: the log does not say why: %s", vertical, name, log)
			}
		}
		if r := w.call("GET", "/readyz", "", ""); r.status != http.StatusServiceUnavailable ||
			!strings.Contains(r.body, `"directory":"credentials refused"`) {
			t.Errorf("%s: %d %s", vertical, r.status, r.body)
		}
	}
}

func TestWritesAreIntrospected(t *testing.T) {
	t.Parallel()
	for name, seed := range map[string]stytchtest.Seed{"b2b": stytchtest.Development(),
		"consumer": stytchtest.DevelopmentConsumer()} {
		t.Run(name, func(t *testing.T) {
			app := seed.ConnectedApps[0]
			w := newWorldOf(t, stytchtest.Options{Seed: &seed}, func(o *guestpass.Options) {
				o.Introspect, o.ClientSecrets = true, map[string]string{app.ClientID: app.ClientSecret}
			})
			subject := map[string]string{"b2b": grace, "consumer": userGrace}[name]
			token := w.token(subject, everything...)
			creates := func() int {
				return w.call("POST", "/api/v1/tasks", token,
					`{"title":"Water the plants"}`).status
			}
			if got := creates(); got != 201 {
				t.Fatalf("a good token: %d", got)
			}
			w.stytch.Fail(stytchtest.Fault{Path: "/v1/public", Status: 503})
			w.stytch.Advance(31 * time.Second)
			if got := creates(); got != 503 {
				t.Errorf("Stytch cannot be asked: %d", got)
			}
			if got := w.reads(token); got != 200 {
				t.Errorf("a read meanwhile: %d", got)
			}
			w.stytch.ClearFaults()
			w.revokeToken(app, token)
			if got := creates(); got != 401 {
				t.Errorf("a token that was revoked at Stytch: %d", got)
			}
			if got := w.reads(token); got != 200 {
				t.Errorf("a read is not introspected: %d", got)
			}
		})
	}
	w := newWorld(t, func(o *guestpass.Options) { o.Introspect = true })
	if r := w.call("POST", "/api/v1/tasks", w.token(grace, everything...),
		`{"title":"Water the plants"}`); r.status != 502 {
		t.Errorf("without the app's secret: %d %s", r.status, r.body)
	}
}

// revokeToken ends one token at Stytch alone (RFC 7009).
func (w *world) revokeToken(app stytchtest.ConnectedApp, token string) {
	w.t.Helper()
	response, err := http.PostForm(w.stytch.URL+"/v1/oauth2/revoke", url.Values{"token": {token},
		"client_id": {app.ClientID}, "client_secret": {app.ClientSecret}})
	must(w.t, err)
	response.Body.Close()
	if response.StatusCode != 200 {
		w.t.Fatalf("revoke: %d", response.StatusCode)
	}
}

var departures = flag.Int("departures", 1, "how many people TestWhoIsGoneReadsForAMinuteAtMost lets go in each way")

// Who is deactivated, and whose organization is removed, reads for a minute at most; an
// outage of Stytch lets nobody in that was not in before, and nobody out.
func TestWhoIsGoneReadsForAMinuteAtMost(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]func(*world){
		"deactivated member": func(w *world) { must(w.t, w.stytch.SetStatus(grace, "deleted")) },
		"removed member": func(w *world) {
			w.platformSend("DELETE", "/v1/b2b/organizations/"+acme+"/members/"+grace, map[string]any{})
		},
		"removed organization": func(w *world) {
			w.platformSend("DELETE", "/v1/b2b/organizations/"+acme,
				map[string]any{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			refused := 0
			for range *departures {
				w := newWorld(t, quiet)
				token := w.token(grace, everything...)
				if got := w.reads(token); got != 200 {
					t.Fatalf("an active member: %d", got)
				}
				gone(w)
				if r := w.call("POST", "/api/v1/tasks", token, `{"title":"Water the plants"}`); r.status != 401 {
					t.Errorf("a write, at once: %d", r.status)
				}
				w.stytch.Advance(time.Minute)
				if got := w.reads(token); got == 401 {
					refused++
				}
				w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: 503})
				w.stytch.Advance(time.Minute)
				if got := w.reads(token); got != 401 {
					t.Errorf("while Stytch is down: %d", got)
				}
			}
			t.Logf("%d gone: refused a minute later %d", *departures, refused)
			if refused != *departures {
				t.Error("some still read")
			}
		})
	}
	w := newWorld(t)
	known, unknown := w.token(grace, everything...), w.token(ada, everything...)
	w.reads(known)
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b", Status: 503})
	for range 10 {
		w.stytch.Advance(time.Minute)
		if got := w.reads(known); got != 200 {
			t.Errorf("somebody known, while Stytch is down: %d", got)
		}
	}
	if got := w.reads(unknown); got != 503 {
		t.Errorf("somebody unknown, while Stytch is down: %d", got)
	}
}

// While the database is away nobody knows what was revoked elsewhere: writes are refused,
// reads go by what was known.
func TestRevocationsWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out by make quick: it needs Postgres")
	}
	postgres, err := postgrestest.Start()
	must(t, err)
	t.Cleanup(func() { _ = postgres.Stop() })
	address := postgres.Database(t)
	w := newWorld(t, func(o *guestpass.Options) { o.Store = openStore(t, address, o.Now) })
	w.consent(grace)
	revoked, good := w.token(grace, everything...), w.token(ada, everything...)
	w.reads(revoked)
	p := w.signIn(grace)
	if r := p.revoke(p.form(gptName())); r.status != 303 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	members := func(token string) int { return w.call("GET", "/api/v1/members", token, "").status } // needs no database
	members(good)
	must(t, postgres.Kill())
	w.stytch.Advance(10 * time.Second)
	if got := members(revoked); got != 401 {
		t.Errorf("a read with a revoked token: %d", got)
	}
	if got := members(good); got != 200 {
		t.Errorf("a read with a good token: %d", got)
	}
	r := w.call("POST", "/api/v1/members/invitations", good, `{"email":"n@acme.example","name":"N"}`)
	if r.status != 503 || r.header.Get("Retry-After") == "" || len(w.stytch.Inbox()) != 0 {
		t.Errorf("a write: %d %s", r.status, r.body)
	}
}
