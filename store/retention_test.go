package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"guestpass/store"
)

const day = 24 * time.Hour

// TestTheRecordForgetsFromItsBeginning keeps what is younger, says since when it knows, and can still
// be checked.
func TestTheRecordForgetsFromItsBeginning(t *testing.T) {
	onBothWith(t, store.Options{Quota: store.Quota{Activities: 100}}, func(t *testing.T, s *store.Store, c *clock) {
		add := func(owner string, n int) (last store.Activity) {
			for range n {
				last = record(t, s, owner, "x", func(*store.Tx) error { return nil })
			}
			return last
		}
		kept := func(owner string, want int, since time.Time) {
			t.Helper()
			if err := s.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			var rows int
			if err := s.QueryRow(t.Context(), "SELECT count(*) FROM activity WHERE owner = $1",
				owner).Scan(&rows); err != nil || rows != want {
				t.Errorf("%s: %d rows, want %d, %v", owner, rows, want, err)
			}
			if known, err := s.KnownSince(t.Context(), owner); err != nil || !known.Equal(since) {
				t.Errorf("%s: known since %s, want %s, %v", owner, known, since, err)
			}
			if _, breaks, err := s.VerifyActivity(t.Context()); err != nil || len(breaks) > 0 {
				t.Errorf("%s: %v %v", owner, breaks, err)
			}
		}
		begin := c.Now()
		add("acme", 45)
		add("globex", 10)
		c.advance(29 * day)
		for range 50 { // another person's: the first has used their half nearly up
			write(t, s, func(tx *store.Tx) error {
				_, err := tx.Record(store.Activity{Owner: "acme", Subject: "grace", Operation: "x",
					Outcome: store.Done})
				return err
			})
		}
		kept("acme", 95, time.Time{}) // more than nine tenths, but all can still be undone
		c.advance(2 * day)
		kept("acme", 90, begin)
		kept("globex", 10, time.Time{})
		c.advance(335 * day)
		kept("acme", 45, begin.Add(29*day)) // Grace has used nine tenths of her half
		kept("globex", 0, begin)
		last := add("globex", 3)
		kept("globex", 3, begin)
		raw := func(query string, args ...any) {
			t.Helper()
			write(t, s, func(tx *store.Tx) error { _, err := tx.Exec(query, args...); return err })
		}
		raw("DELETE FROM activity WHERE owner = 'globex' AND seq = $1", last.Seq-2)
		if _, breaks, err := s.VerifyActivity(t.Context()); err != nil || len(breaks) != 1 ||
			!strings.Contains(breaks[0].What, "1 rows before it are missing") {
			t.Errorf("a row was removed that was kept: %v, %v", breaks, err)
		}
		raw("UPDATE activity_heads SET floor_seq = $1 WHERE owner = 'globex'", last.Seq-2)
		if _, breaks, err := s.VerifyActivity(t.Context()); err != nil || len(breaks) != 1 ||
			!strings.Contains(breaks[0].What, "altered") {
			t.Errorf("and the beginning was moved: %v, %v", breaks, err)
		}
		raw("DELETE FROM activity_heads WHERE owner = 'globex'")
		if _, breaks, err := s.VerifyActivity(t.Context()); err != nil || len(breaks) != 1 ||
			breaks[0].Owner != "globex" {
			t.Errorf("and the head was removed: %v, %v", breaks, err)
		}
	})
}

// TestWhatAnAppDidIsFoundBesideWhateverOthersDid records 2,000 changes after those of the quiet app. The account
// page's test has 20,000.
func TestWhatAnAppDidIsFoundBesideWhateverOthersDid(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		through := func(client string, n int, removes bool) {
			for done := 0; done < n; done += 100 { // a transaction has ten seconds, also under the race detector
				write(t, s, func(tx *store.Tx) error {
					for i := range min(100, n-done) {
						_, err := tx.Record(store.Activity{Owner: "acme", Subject: "ada", Client: client,
							Operation: fmt.Sprint("op", done+i), Outcome: store.Done, Removes: removes})
						if err != nil {
							return err
						}
					}
					return nil
				})
			}
		}
		through("quiet", 1, true)
		through("quiet", 30, false)
		through("busy", 2000, false)
		for _, tt := range []struct {
			query store.ActivityQuery
			want  int
		}{
			{store.ActivityQuery{Client: "quiet"}, 31},
			{store.ActivityQuery{Client: "quiet", Removals: true}, 1},
			{store.ActivityQuery{Removals: true}, 1},
			{store.ActivityQuery{Client: "busy", Removals: true}, 0},
			{store.ActivityQuery{Client: "busy"}, 50},
		} {
			tt.query.Subject, tt.query.Limit = "ada", 50
			list, err := s.Activities(t.Context(), "acme", tt.query)
			if err != nil || len(list) != tt.want {
				t.Errorf("%+v: %d, %v", tt.query, len(list), err)
			}
		}
	})
}
