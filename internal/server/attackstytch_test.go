package server_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"guestpass/internal/inside"
	"guestpass/store"
	"guestpass/stytchtest"
)

// shows returns a request with a session cookie.
func shows(cookie string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Cookie", "stytch_session="+cookie) }
}

// Somebody makes one endpoint of Stytch fail, with whatever they like in a cookie: everything
// else goes on, also for people whose session is asked for at that endpoint.
func TestAttackOneEndpointOfStytchStopsNothingElse(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]stytchtest.Fault{
		"a firewall's page": {Status: 403, Kind: "html"},
		"an error's page":   {Status: 500, Kind: "html"},
		"503":               {Status: 503},
		"429":               {Status: 429},
		"no answer":         {Kind: "reset"},
		"nonsense":          {Status: 200, Kind: "html"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			token, p, form := w.beforeRevoking()
			fault.Path = "/v1/b2b/sessions/authenticate"
			w.stytch.Fail(fault)
			for i := range 40 {
				for _, junk := range []string{fmt.Sprintf("<script>%d</script>", i), fmt.Sprintf("made-up-session-%d",
					i)} {
					w.call("GET", "/account", "", "", shows(junk))
				}
			}
			if r := w.call("POST", "/api/v1/tasks", token, `{"title":"x"}`); r.status != 201 {
				t.Errorf("a write: %d %s", r.status, r.body)
			}
			if r := w.call("GET", "/api/v1/members", token, ""); r.status != 200 {
				t.Errorf("a list: %d %s", r.status, r.body)
			}
			if r := w.call("GET", "/readyz", "", ""); !strings.Contains(r.body, `"directory":"ok"`) {
				t.Errorf("readyz: %s", r.body)
			}
			w.stytch.ClearFaults()
			if page := p.page(); !strings.Contains(page, "Signed in") {
				t.Errorf("somebody who is signed in, afterwards: %s", page)
			}
			if r := p.revoke(form); r.status != 303 {
				t.Errorf("a revocation: %d %s", r.status, r.body)
			}
		})
	}
}

// A hundred requests of somebody who makes everything up cost Stytch a few calls, and those who
// are known at the same address nothing.
func TestAttackAnonymousRequestsSpendLittleOfStytch(t *testing.T) {
	w := newWorld(t)
	token, p, _ := w.beforeRevoking()
	idp := "/idp?client_id=" + stytchtest.Development().ConnectedApps[0].ClientID +
		"&scope=openid&state=s&redirect_uri=" +
		stytchtest.Development().ConnectedApps[0].RedirectURLs[0]
	if r := w.call("GET", idp, "", ""); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	before := len(w.stytch.Requests())
	limited := 0
	for i := range 100 {
		w.call("GET", idp+fmt.Sprint("&organization_id=nobody-", i), "", "")
		if r := w.call("GET", "/account", "", "", shows(fmt.Sprint("made-up-session-", i))); r.status == 429 &&
			r.header.Get("Retry-After") != "" {
			limited++
		}
		w.call("GET", "/account", "", "", shows("the-same-made-up-session"))
		w.call("GET", "/account", "", "", shows("<script>"))
	}
	calls := len(w.stytch.Requests()) - before
	t.Logf("400 anonymous requests: %d calls of Stytch, %d refused", calls, limited)
	if calls > 25 || limited < 80 {
		t.Errorf("%d calls of Stytch, %d refused", calls, limited)
	}
	if page := p.page(); !strings.Contains(page, "Signed in") {
		t.Errorf("somebody who is signed in, at the same address: %s", page)
	}
	if r := w.call("GET", idp+"&organization_id=acme", "", ""); r.status != 200 && r.status != 400 {
		t.Errorf("a page for an organization that there is: %d", r.status)
	}
	if r := w.call("POST", "/api/v1/tasks", token, `{"title":"x"}`); r.status != 201 {
		t.Errorf("a write: %d %s", r.status, r.body)
	}
	fresh := w.signIn(grace) // at the address that has spent all
	if r := w.call("GET", "/account", "", "",
		func(r *http.Request) { r.Header.Set("Cookie", fresh.cookie) }); r.status != 429 {
		t.Errorf("somebody who shows a new token alone: %d", r.status)
	}
	fresh.cookie += "; stytch_session_jwt=" + w.mint(stytchtest.MintRequest{Kind: "session", Subject: grace})
	if page := fresh.page(); !strings.Contains(page, "Signed in") {
		t.Errorf("somebody whose JWT Stytch has signed: %s", page)
	}
	for i := range 40 { // with a good JWT, and made-up tokens
		fresh.cookie = fmt.Sprintf("stytch_session=made-up-by-grace-%d; %s", i,
			fresh.cookie[strings.Index(fresh.cookie, "stytch_session_jwt"):])
		if page := fresh.page(); strings.Contains(page, "Signed in") {
			t.Fatal("the JWT lets somebody in")
		}
	}
	if calls := len(w.stytch.Requests()) - before; calls > 60 {
		t.Errorf("in all %d calls of Stytch", calls)
	}
}

// Nothing can be written: Stytch is told of a revocation all the same, this server refuses the
// app, and the page says which half is done.
func TestAttackAFullStoreKeepsNobodyIn(t *testing.T) {
	w := newWorld(t)
	token, p, form := w.beforeRevoking()
	must(t, w.options.Store.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec("CREATE TRIGGER no_denials BEFORE INSERT ON denials BEGIN SELECT RAISE(FAIL, 'no'); END")
		return err
	}))
	for name, tt := range map[string]struct {
		fault *stytchtest.Fault
		says  []string
		told  string
	}{
		"2: Stytch does not answer": {&stytchtest.Fault{Path: "/v1/b2b/organizations", Status: 503},
			[]string{"not certain", "could not store", "Stytch does not answer", "revoke it once more"},
			`"stytch_told":false`},
		"1: Stytch answers": {nil, []string{"Half of it is done", "Stytch has ended the connection", "could not store",
			"revoke it once more"}, `"stytch_told":true`},
	} {
		if tt.fault != nil {
			w.stytch.Fail(*tt.fault)
		}
		r := p.revoke(form)
		if r.status != 503 || r.header.Get("Retry-After") == "" || strings.Contains(r.body, "Nothing was revoked") {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		for _, words := range tt.says {
			if !strings.Contains(r.body, words) {
				t.Errorf("%s: the page does not say %q: %s", name, words, r.body)
			}
		}
		if !strings.Contains(w.log.String(), tt.told) {
			t.Errorf("%s: not in the log", name)
		}
		w.stytch.ClearFaults()
	}
	if got := w.reads(token); got != 401 {
		t.Errorf("the app reads on: %d", got)
	}
	if left := w.connected(grace); len(left) != 0 {
		t.Errorf("at Stytch is still %v", left)
	}
	must(t, w.options.Store.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec("DROP TRIGGER no_denials")
		return err
	}))
	inside.RetryRevocations(w.app, t.Context())
	if got := w.twin().reads(token); got != 401 {
		t.Errorf("it is not written when that is possible again: another instance answers %d", got)
	}
}

// While the database cannot be read the page lists what Stytch says, and revokes there.
func TestAttackADatabaseThatIsAwayKeepsNobodyIn(t *testing.T) {
	w := newWorld(t)
	token, p, _ := w.beforeRevoking()
	must(t, w.options.Store.Close())
	w.stytch.Advance(10 * time.Second)
	page := p.page()
	if !strings.Contains(page, "cannot be read at the moment") || strings.Contains(page, "not yet") ||
		strings.Contains(page, "Nothing was changed") {
		t.Errorf("the page says\n%s", page)
	}
	if r := p.revoke(p.form(gptName())); r.status != 503 || !strings.Contains(r.body,
		"Stytch has ended the connection") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if got := w.reads(token); got != 401 {
		t.Errorf("the app reads on: %d", got)
	}
	if left := w.connected(grace); len(left) != 0 {
		t.Errorf("at Stytch is still %v", left)
	}
}

// An administrator of many apps gets them in pages, and each person's app once.
func TestAnAdministratorsAppsComeInPages(t *testing.T) {
	seed := stytchtest.Development()
	for i := range 60 {
		app := seed.ConnectedApps[0]
		app.ClientID, app.Name = fmt.Sprintf("connected-app-test-dddddddd-0000-4000-8000-0000000009%02d", i),
			fmt.Sprintf("App %02d.", i)
		seed.ConnectedApps = append(seed.ConnectedApps, app)
	}
	w := newWorldOf(t, stytchtest.Options{Seed: &seed})
	for _, app := range seed.ConnectedApps[len(seed.ConnectedApps)-60:] {
		w.platform("/v1/b2b/idp/oauth/authorize", map[string]any{"organization_id": acme, "member_id": grace,
			"client_id":    app.ClientID,
			"redirect_uri": app.RedirectURLs[0], "response_type": "code", "consent_granted": true,
			"scopes": []string{"openid"}, "state": "s"})
	}
	p := w.signIn(ada)
	seen, pages, at := map[string]int{}, 0, "/account"
	for at != "" && pages < 5 {
		page := w.call("GET", at, "", "", func(r *http.Request) { r.Header.Set("Cookie", p.cookie) }).body
		page = strings.NewReplacer("<bdi>", "", "</bdi>", "").Replace(page)
		for i := range 60 {
			if name := fmt.Sprintf("App %02d.", i); strings.Contains(page, "<h3>“"+name+"”</h3>") {
				seen[name]++
			}
		}
		at = ""
		if found := regexp.MustCompile(`href="(/account\?after=[^"]+)"`).FindStringSubmatch(page); found != nil {
			at = found[1]
		}
		pages++
	}
	if len(seen) != 60 || pages != 2 {
		t.Errorf("%d of 60 apps on %d pages", len(seen), pages)
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("%s is on %d pages", name, n)
		}
	}
}

// The page tells a revocation that Stytch does not know of yet from one that it does.
func TestThePageSaysWhetherStytchKnowsOfARevocation(t *testing.T) {
	w := newWorld(t)
	_, p, form := w.beforeRevoking()
	notice := func() string {
		r := p.revoke(form)
		if r.status != 303 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return w.call("GET", r.header.Get("Location"), "", "",
			func(r *http.Request) { r.Header.Set("Cookie", p.cookie) }).body
	}
	const pending = "Stytch has not ended the connection yet"
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/organizations/" + acme + "/members/" + grace + "/connected_apps/",
		Status: 503})
	if page := notice(); !strings.Contains(page, "Access is revoked. Every call") || !strings.Contains(page, pending) {
		t.Errorf("Stytch is away:\n%s", page)
	}
	w.stytch.ClearFaults()
	if page := notice(); !strings.Contains(page, "Access is revoked. Every call") || strings.Contains(page, pending) {
		t.Errorf("Stytch answers:\n%s", page)
	}
}

// What bounds calls to Stytch is on the server's list, by construction.
func TestWhatBoundsStytchIsOnTheList(t *testing.T) {
	made := inside.Limits(newWorld(t).app)
	kinds := map[string]int{}
	for _, b := range made.Bounds() {
		kind, _, _ := strings.Cut(b.Name, ":")
		kinds[kind]++
	}
	for _, kind := range []string{"calls to Stytch at once", "failures of Stytch", "owners remembered for Stytch"} {
		if kinds[kind] != 14*5 {
			t.Errorf("%s: %d on the list", kind, kinds[kind])
		}
	}
}
