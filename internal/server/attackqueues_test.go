package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"guestpass"

	"guestpass/stytchtest"
)

// account loads a page without a browser, also while others wait.
func (s signedIn) account() int {
	r, recorded := httptest.NewRequest("GET", "http://localhost/account", nil), httptest.NewRecorder()
	r.Header.Set("Cookie", s.cookie)
	s.w.app.ServeHTTP(recorded, r)
	return recorded.Code
}

// Whoever makes an organization is its administrator, and may have connected hundreds of apps:
// while Stytch is slow with these, others sign in and see their accounts.
func TestAttackAnAdministratorKeepsNobodyOut(t *testing.T) {
	d := newDoor(t)
	w := newWorld(t, d.before)
	w.consent(hank)
	w.consent(grace)
	admin, colleague, other := w.signIn(ada), w.signIn(grace), w.signIn(hank)
	d.hold("/v1/b2b/organizations/" + acme + "/connected_apps")
	statuses := make(chan int, 100)
	var loads sync.WaitGroup
	const held = 4 // places of one person
	for range 17 {
		loads.Go(func() { statuses <- admin.account() })
	}
	for range held {
		<-d.arrived
	}
	for range 17 - held {
		if status := <-statuses; status != http.StatusServiceUnavailable {
			t.Errorf("beyond the administrator's places: %d", status)
		}
	}
	seen := 0
	for range 10 {
		for name, status := range map[string]int{"sign-in": w.call("GET", "/idp?return=account", "", "").status,
			"a member of the same organization":    colleague.account(),
			"another organization's administrator": other.account()} {
			if seen++; status != http.StatusOK {
				t.Errorf("%s: %d", name, status)
			}
		}
	}
	d.open()
	loads.Wait()
	for range held {
		if status := <-statuses; status != http.StatusOK {
			t.Errorf("the administrator's own page: %d", status)
		}
	}
	t.Logf("17 loads of an administrator's page: %d wait for Stytch; of %d pages of others meanwhile all are "+
		"shown", held, seen)
}

// One who revokes much, while Stytch hangs or not, takes nothing of what others revoke with, nor
// of their own page.
func TestAttackOneWhoRevokesKeepsNobodyFromIt(t *testing.T) {
	d := newDoor(t)
	w := newWorld(t, d.before)
	for _, subject := range []string{ada, grace, hank} {
		w.consent(subject)
	}
	admin, colleague, other := w.signIn(ada), w.signIn(grace), w.signIn(hank)
	form, colleagues, others := admin.form(gptName()), colleague.form(gptName()), other.form(gptName())
	d.hold("/v1/b2b/organizations/" + acme + "/members/" + ada)
	statuses := make(chan int, 100)
	var revocations sync.WaitGroup
	for range 20 {
		revocations.Go(func() { statuses <- admin.revoke(form).status })
	}
	for range 4 { // places of one person
		<-d.arrived
	}
	for name, revoke := range map[string]func() reply{
		"a member of the same organization": func() reply { return colleague.revoke(colleagues) },
		"another organization's":            func() reply { return other.revoke(others) }} {
		if r := revoke(); r.status != http.StatusSeeOther {
			t.Errorf("%s revokes with %d %s", name, r.status, r.body)
		}
	}
	d.open()
	revocations.Wait()
	limited := 0
	for range 80 {
		if r := admin.revoke(form); r.status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited == 0 {
		t.Error("one person revokes without a limit")
	}
	if r := colleague.revoke(colleagues); r.status != http.StatusSeeOther {
		t.Errorf("a member of the same organization: %d %s", r.status, r.body)
	}
	if status := admin.account(); status != http.StatusOK {
		t.Errorf("the page of who has revoked too often: %d", status)
	}
}

// One member's calls that wait leave places to the others of the organization, one
// organization's to others, one app's to others, and those of whom nobody knows to people.
func TestAttackPlacesOfOperationsAreShared(t *testing.T) {
	arrived, let := make(chan struct{}, 1000), make(chan struct{})
	w := newWorld(t, limited(guestpass.Limits{InFlight: 16}), waiting(t, arrived, let))
	strangers := 0
	var waits sync.WaitGroup
	for address := range 8 {
		for range 4 {
			waits.Go(func() {
				r := httptest.NewRequest("GET", "http://localhost/api/v1/patience", nil)
				r.RemoteAddr = fmt.Sprintf("198.51.100.%d:4711", address)
				w.app.ServeHTTP(httptest.NewRecorder(), r)
			})
		}
	}
	for range 8 { // half of the places
		<-arrived
		strangers++
	}
	for _, subject := range []string{ada, grace, hank} {
		if r := w.call("GET", "/api/v1/userinfo", w.token(subject, "openid"), ""); r.status != http.StatusOK {
			t.Errorf("%s, beside %d strangers: %d %s", subject, strangers, r.status, r.body)
		}
	}
	close(let)
	waits.Wait()
}

// Five wrong codes, or five hundred, from the address that all of ChatGPT's people share.
func TestAttackWrongCodesLockNobodyOut(t *testing.T) {
	w := newWorld(t)
	app := stytchtest.Development().ConnectedApps[0]
	redeem := func(code string) int {
		form := fmt.Sprintf("grant_type=authorization_code&code=%s&redirect_uri=%s&client_id=%s&client_secret=%s",
			code, app.RedirectURLs[0], app.ClientID, app.ClientSecret)
		return w.call("POST", "/oauth2/token", "", form, func(r *http.Request) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}).status
	}
	right, wrong := 0, 0
	for round := range 10 {
		for i := range 5 * (round + 1) {
			if status := redeem(fmt.Sprintf("junk-%d-%d", round, i)); round > 0 && status != http.StatusBadRequest {
				t.Fatalf("junk %d: %d", i, status)
			}
			wrong++
		}
		if status := redeem(w.code(grace)); status != http.StatusOK {
			t.Fatalf("a right code after %d wrong ones: %d", wrong, status)
		}
		right++
	}
	t.Logf("%d wrong codes from one address: of %d right ones between them all are redeemed", wrong, right)
}

// code returns one that Stytch has issued for the GPT.
func (w *world) code(subject string) string {
	w.t.Helper()
	app := stytchtest.Development().ConnectedApps[0]
	answer := w.platform("/v1/b2b/idp/oauth/authorize", map[string]any{"organization_id": w.organization(subject),
		"member_id": subject,
		"client_id": app.ClientID, "redirect_uri": app.RedirectURLs[0], "response_type": "code",
		"consent_granted": true,
		"scopes":          []string{"openid"}, "state": "s"})
	code, _ := answer["authorization_code"].(string)
	return code
}
