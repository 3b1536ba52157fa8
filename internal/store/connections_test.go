package store_test

import (
	"reflect"
	"testing"
	"time"

	"guestpass/internal/store"
)

func TestUseOfConnections(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		first := c.Now()
		use := func(owner, subject, client, scopes string, at time.Time) {
			write(t, s, func(tx *store.Tx) error {
				return tx.NoteUse(store.Connection{Owner: owner, Subject: subject, Client: client, Scopes: scopes, LastUsed: at})
			})
		}
		use("acme", "ada", "gpt", "openid", first)
		use("acme", "ada", "gpt", "openid tasks:read", first.Add(time.Hour))
		use("acme", "ada", "gpt", "openid", first.Add(time.Minute)) // of an instance that comes late
		use("acme", "grace", "gpt", "openid", first)
		use("globex", "hank", "gpt", "openid", first)
		adas := store.Connection{Owner: "acme", Subject: "ada", Client: "gpt", Scopes: "openid tasks:read", FirstUsed: first, LastUsed: first.Add(time.Hour)}
		graces := store.Connection{Owner: "acme", Subject: "grace", Client: "gpt", Scopes: "openid", FirstUsed: first, LastUsed: first}
		for subject, want := range map[string][]store.Connection{"ada": {adas}, "": {adas, graces}, "hank": {}} {
			if got, err := s.Connections(t.Context(), "acme", subject, 10); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%q: %+v %v", subject, got, err)
			}
		}
		if got, err := s.Connections(t.Context(), "acme", "", 1); err != nil || len(got) != 1 {
			t.Errorf("the first: %+v %v", got, err)
		}
	})
}

func TestDenials(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		deny := func(d store.Denial) { write(t, s, func(tx *store.Tx) error { return tx.Deny(d) }) }
		want := func(what string, wanted ...store.Denial) {
			t.Helper()
			got, err := s.Denials(t.Context())
			if err != nil || !reflect.DeepEqual(got, append([]store.Denial{}, wanted...)) {
				t.Errorf("%s: %+v %v", what, got, err)
			}
		}
		now := c.Now()
		d := store.Denial{Subject: "ada", Client: "gpt", Owner: "acme", RevokedAt: now, ExpiresAt: now.Add(time.Hour), RetryAt: now.Add(time.Minute)}
		deny(d)
		want("one", d)
		for n, mine := range []bool{true, false} { // two instances are about to ask Stytch
			write(t, s, func(tx *store.Tx) error {
				if got, err := tx.Postpone(d, now.Add(2*time.Minute)); got != mine || err != nil {
					t.Errorf("instance %d: %t %v", n, got, err)
				}
				return nil
			})
		}
		d.RetryAt = now.Add(2 * time.Minute)
		earlier := d
		earlier.RevokedAt = now.Add(-time.Minute)
		deny(earlier)
		want("an earlier one does not replace it", d)
		c.advance(2 * time.Hour)
		want("Stytch has not revoked: it does not end", d)
		d.RevokedAt, d.ExpiresAt, d.RetryAt = c.Now(), c.Now().Add(time.Hour), time.Time{}
		deny(d)
		want("a later one replaces it", d)
		c.advance(time.Hour)
		want("it has ended")
	})
}
