package store_test

import (
	"testing"
	"time"

	"guestpass/store"
)

// TestADenialThatRepeatsOneGrowsNothing is why what denies needs no quota.
func TestADenialThatRepeatsOneGrowsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		deny := func() {
			c.advance(time.Second)
			write(t, s, func(tx *store.Tx) error {
				if err := tx.Deny(store.Denial{Subject: "ada", Client: "app", Owner: "acme", RevokedAt: c.Now(),
					ExpiresAt: c.Now().Add(time.Hour)}); err != nil {
					return err
				}
				tx.Changed("app", map[string]string{"connected_by": "ada"}, nil)
				_, err := tx.Record(store.Activity{Owner: "acme", Subject: "ada", Operation: "revokeConnection",
					Outcome: store.Done})
				return err
			})
		}
		recorded := func() int {
			list, err := s.Activities(t.Context(), "acme", store.ActivityQuery{Subject: "ada", Removals: true,
				Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		for range 5 {
			deny()
		}
		if n := recorded(); n != 1 {
			t.Errorf("%d on record", n)
		}
		c.advance(time.Minute)
		write(t, s, func(tx *store.Tx) error {
			return tx.NoteUse(store.Connection{Owner: "acme", Subject: "ada", Client: "app", LastUsed: c.Now()})
		})
		deny()
		deny()
		if n := recorded(); n != 2 {
			t.Errorf("%d on record after it was used again", n)
		}
	})
}
