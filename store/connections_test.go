package store_test

import (
	"reflect"
	"testing"
	"time"

	"guestpass/store"
)

func TestUseOfConnections(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		first := c.Now()
		use := func(owner, subject, client, scopes string, at time.Time) {
			write(t, s, func(tx *store.Tx) error {
				return tx.NoteUse(store.Connection{Owner: owner, Subject: subject, Client: client, Scopes: scopes,
					LastUsed: at})
			})
		}
		use("acme", "ada", "gpt", "openid", first)
		use("acme", "ada", "gpt", "openid tasks:read", first.Add(time.Hour))
		use("acme", "ada", "gpt", "openid", first.Add(time.Minute)) // of an instance that comes late
		use("acme", "grace", "gpt", "openid", first)
		use("globex", "hank", "gpt", "openid", first)
		adas := store.Connection{Owner: "acme", Subject: "ada", Client: "gpt", Scopes: "openid tasks:read",
			FirstUsed: first, LastUsed: first.Add(time.Hour)}
		graces := store.Connection{Owner: "acme", Subject: "grace", Client: "gpt", Scopes: "openid", FirstUsed: first,
			LastUsed: first}
		for subject, want := range map[string][]store.Connection{"ada": {adas}, "": {adas, graces}, "hank": {}} {
			if got, err := s.Connections(t.Context(), "acme", subject, 10); err != nil || !reflect.DeepEqual(got,
				want) {
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
			got, err := s.Denials(t.Context(), time.Time{})
			if err != nil || !reflect.DeepEqual(got, append([]store.Denial{}, wanted...)) {
				t.Errorf("%s: %+v %v", what, got, err)
			}
		}
		now := c.Now()
		d := store.Denial{Subject: "ada", Client: "gpt", Owner: "acme", RevokedAt: now, ExpiresAt: now.Add(time.Hour),
			RetryAt: now.Add(time.Minute)}
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
		settle := func(d store.Denial, revoked time.Time) {
			write(t, s, func(tx *store.Tx) error { return tx.Settle(d, revoked, revoked.Add(time.Hour)) })
		}
		c.advance(2 * time.Hour)
		want("Stytch has not revoked: it does not end", d)
		asked := d
		d.RevokedAt, d.ExpiresAt, d.RetryAt = c.Now(), c.Now().Add(time.Hour), c.Now().Add(time.Minute)
		deny(d)
		want("a later one replaces it", d)
		settle(asked, c.Now().Add(time.Second))
		want("Stytch has revoked what was denied before: it is to revoke again", d)
		settle(d, d.RevokedAt.Add(time.Second))
		d.RevokedAt, d.ExpiresAt, d.RetryAt = d.RevokedAt.Add(time.Second), d.ExpiresAt.Add(time.Second), time.Time{}
		want("Stytch has revoked", d)
		behind := store.Denial{Subject: "ada", Client: "gpt", Owner: "acme", RevokedAt: now,
			ExpiresAt: now.Add(time.Hour), RetryAt: now.Add(time.Minute)}
		deny(behind)
		d.RetryAt = behind.RetryAt
		want("one by a clock that is behind: Stytch is to revoke again, and no time is moved back", d)
		settle(d, now)
		d.RetryAt = time.Time{}
		want("settled by a clock that is behind", d)
		for since, counts := range map[time.Time]bool{d.RevokedAt.Add(-time.Millisecond): true, d.RevokedAt: false} {
			if got, err := s.Denials(t.Context(), since); err != nil || (len(got) == 1) != counts {
				t.Errorf("tokens since %v: %+v %v", since, got, err)
			}
		}
		c.advance(time.Hour + time.Second)
		want("it has ended")
	})
}
