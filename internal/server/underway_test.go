package server_test

import (
	"testing"
	"time"

	"guestpass/stytchtest"
)

// An equal call that is still being carried out is no failure: who repeats it is told when to ask again.
func TestAnEqualCallUnderWaySaysWhenToAskAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(ada, "members:invite")
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/magic_links/email/invite", Delay: time.Second})
	first := make(chan reply)
	const body = `{"email":"nia@acme.example"}`
	go func() { first <- w.call("POST", "/api/v1/members/invitations", token, body) }()
	for limit := time.Now().Add(20 * time.Second); w.options.Store != nil; {
		var claims int
		if err := w.options.Store.QueryRow(t.Context(), "SELECT count(*) FROM replies").Scan(&claims); err != nil {
			t.Fatal(err)
		}
		if claims > 0 {
			break
		}
		if time.Now().After(limit) {
			t.Fatal("the first call is not under way")
		}
	}
	r := w.call("POST", "/api/v1/members/invitations", token, body)
	if r.status != 409 || r.header.Get("Retry-After") != "2" {
		t.Errorf("%d %v %s", r.status, r.header, r.body)
	}
	if r := <-first; r.status != 201 {
		t.Errorf("the first: %d %s", r.status, r.body)
	}
}
