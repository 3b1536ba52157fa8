package connections_test

import (
	"strings"
	"testing"
	"time"

	"guestpass/internal/connections"
	"guestpass/store"
)

// TestErasingAPersonRevivesNoToken: neither here, where the revocation was known before, nor in a process that reads
// it for the first time; and nobody writes the person's name back.
func TestErasingAPersonRevivesNoToken(t *testing.T) {
	w := newWorld(t)
	c := w.instance(0)
	w.must(c.Revoke(t.Context(), grace, target(grace)).Written)
	token := issued(grace, w.stytch.Now())
	w.stytch.Advance(5 * time.Second)
	if !revoked(c.Check(t.Context(), token, false)) {
		t.Fatal("it is not known")
	}
	_, err := w.store.Erase(t.Context(), store.Person{Owner: acme, ID: grace})
	w.must(err)
	for range 2 {
		w.stytch.Advance(5 * time.Second)
		for _, instance := range []*connections.Connections{c, w.instance(0)} {
			if !revoked(instance.Check(t.Context(), token, false)) {
				t.Error("the token is good again")
			}
			instance.Retry(t.Context())
		}
		w.must(c.Check(t.Context(), issued(ada, token.IssuedAt), false))
		w.must(c.Check(t.Context(), issued(grace, w.stytch.Now()), false)) // somebody who is there again
	}
	denials, err := w.store.Denials(t.Context(), time.Time{})
	w.must(err)
	for _, d := range denials {
		if strings.Contains(d.Subject+d.Owner, grace) {
			t.Errorf("the person is named again: %+v", d)
		}
	}
	if len(denials) != 1 {
		t.Errorf("%+v", denials)
	}
}
