package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// TestANewSecretSignsNobodyOut changes STYTCH_SECRET as docs/operating.md says: one instance has the first, another the
// second. Whoever is signed in at one of them is at the other; what they have signed for themselves is not good there.
func TestANewSecretSignsNobodyOut(t *testing.T) {
	seed := stytchtest.Development()
	const second = "secret-test-Zk3vPq6nTr8vR2mX5qT9wL4s"
	seed.Project.Secrets = []stytchtest.Secret{{ID: "secret-1", Secret: seed.Project.Secret, CreatedAt: time.Now()},
		{ID: "secret-2", Secret: second, CreatedAt: time.Now()}}
	w := newWorldOf(t, stytchtest.Options{Seed: &seed})
	token, p, form := w.beforeRevoking()
	w.call("POST", "/api/v1/tasks", token, `{"title":"one"}`)
	w.call("POST", "/api/v1/tasks", token, `{"title":"two"}`)
	_, after, _ := strings.Cut(w.call("GET", "/api/v1/tasks?limit=1", token, "").body, `"next_cursor":"`)
	cursor, _, _ := strings.Cut(after, `"`)

	w.options.Secret = second
	next := w.twin()
	if got := next.reads(token); got != http.StatusOK {
		t.Errorf("the token at the instance with the other secret: %d", got)
	}
	person := signedIn{next, p.cookie}
	if page := person.page(); !strings.Contains(page, "Revoke access") {
		t.Errorf("the session is over there: %s", page)
	}
	r := next.call("GET", "/api/v1/tasks?limit=1&cursor="+cursor, token, "")
	if r.status != http.StatusUnprocessableEntity {
		t.Errorf("the other's cursor: %d %s", r.status, r.body)
	}
	if r := person.revoke(form); next.reads(token) != http.StatusOK {
		t.Errorf("the other's form revokes: %d", r.status)
	}
	if r := person.revoke(person.form(gptName())); next.reads(token) != http.StatusUnauthorized {
		t.Errorf("loaded again, the form revokes nothing: %d %s", r.status, r.body)
	}
}
