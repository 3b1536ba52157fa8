package store_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/internal/postgrestest"
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

// archivedIn returns what is in a folder, by name.
func archivedIn(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", entry.Name(), info.Mode(), err)
		}
		found[entry.Name()] = string(content)
	}
	return found
}

// TestWhatIsNotKeptIsInTheArchive day by day, and the record can be checked with it from its first row on.
func TestWhatIsNotKeptIsInTheArchive(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "archive")
	onBothWith(t, store.Options{Archive: folder, Keep: 40 * day}, func(t *testing.T, s *store.Store, c *clock) {
		defer os.RemoveAll(folder)
		days := 3
		for range days {
			for range 4 {
				record(t, s, "acme", "createTask", func(tx *store.Tx) error {
					tx.Changed("tsk_1", nil, map[string]string{"title": "<b> & “”\u2028"})
					return nil
				})
			}
			record(t, s, "globex", "x", func(*store.Tx) error { return nil })
			c.advance(day)
		}
		c.advance(37 * day)
		for range days { // a row each day is too old
			if err := s.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.advance(day)
		}
		archived := archivedIn(t, folder)
		if len(archived) != days {
			t.Errorf("%d files, want one for each day: %v", len(archived), archived)
		}
		for name, text := range archived {
			if n := strings.Count(text, "\n"); n != 5 || !strings.Contains(text, `"before":"","after":"{`) {
				t.Errorf("%s has %d lines: %s", name, n, text)
			}
		}
		verified := func(what string, rows int, wants ...string) {
			t.Helper()
			found, err := s.VerifyArchived(t.Context(), folder)
			if err != nil || found.Rows != rows || len(found.Breaks) != len(wants) {
				t.Errorf("%s: %+v, %v", what, found, err)
				return
			}
			for i, want := range wants {
				if !strings.Contains(found.Breaks[i].What, want) {
					t.Errorf("%s: %+v, want %s", what, found.Breaks, want)
				}
			}
			if _, breaks, err := s.VerifyActivity(t.Context()); err != nil || len(breaks) > 0 {
				t.Errorf("%s: %v, %v", what, breaks, err)
			}
		}
		verified("as it was written", 5*days)
		names := slices.Sorted(maps.Keys(archived))
		put := func(name, text string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		second, last := names[1], names[days-1]
		lines := strings.SplitAfter(archived[second], "\n")
		put(second, strings.Join(lines[1:], ""))
		verified("a line is gone", 5*days-1, "1 rows before it are missing")
		put(second, strings.Replace(archived[second], `"client":""`, `"client":"x"`, 1))
		verified("a line is altered", 5*days, "the row, or its hash, was altered")
		put(second, archived[second])
		lines = strings.SplitAfter(archived[last], "\n")
		put(last, strings.Join(lines[:2], "")+strings.Join(lines[4:], ""))
		verified("the end is gone", 5*days-2, "2 rows at the end are missing")
		put(last, archived[last][:len(archived[last])-9]) // killed while it was written
		verified("the end is cut", 5*days-1, "rows at the end are missing")
		put(last, archived[last]+archived[last]) // written, but not removed at once
		verified("twice", 5*days+5)
		put(last, archived[last][:len(archived[last])-9]+"\n"+archived[last]) // and the first time cut off
		verified("twice, once cut off", 5*days+4)
		put(last, archived[last])
		if err := os.Remove(filepath.Join(folder, names[0])); err != nil { // moved away, as operators do
			t.Fatal(err)
		}
		if found, err := s.VerifyArchived(t.Context(), folder); err != nil || len(found.Breaks) > 0 ||
			!slices.Equal(found.Notes, []string{"acme: rows 1 to 4 are not there",
				"globex: rows 1 to 1 are not there"}) {
			t.Errorf("%+v %v", found, err)
		}
	})
}

// TestNothingIsRemovedThatTheArchiveDoesNotTake, nor does a server start that could not archive.
func TestNothingIsRemovedThatTheArchiveDoesNotTake(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "archive")
	onBothWith(t, store.Options{Archive: folder}, func(t *testing.T, s *store.Store, c *clock) {
		record(t, s, "acme", "x", func(*store.Tx) error { return nil })
		c.advance(400 * day)
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		if err := s.Purge(t.Context()); err == nil || !strings.Contains(err.Error(), "which stay in the database") {
			t.Errorf("%v", err)
		}
		if rows, breaks, err := s.VerifyActivity(t.Context()); err != nil || len(breaks) > 0 || rows != 1 {
			t.Errorf("%d %v %v", rows, breaks, err)
		}
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := s.Purge(t.Context()); err != nil || len(archivedIn(t, folder)) != 1 {
			t.Error(err)
		}
		_ = os.RemoveAll(folder)
	})
	for _, bad := range []string{"archive", "/nowhere/archive", os.Args[0]} {
		_, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "x.db"),
			Archive: bad})
		if err == nil || !strings.Contains(err.Error(), "the archive "+bad) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestARowThatIsArchivedAgainCounts as it was then: the first time it was not removed, and was changed since, as
// somebody was erased.
func TestARowThatIsArchivedAgainCounts(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "archive")
	onBothWith(t, store.Options{Archive: folder}, func(t *testing.T, s *store.Store, c *clock) {
		defer os.RemoveAll(folder)
		for _, subject := range []string{alan, grace, alan} {
			write(t, s, func(tx *store.Tx) error {
				_, err := tx.Record(store.Activity{Owner: "acme", Subject: subject, Operation: "x",
					Outcome: store.Done})
				return err
			})
		}
		raw := func(statement string) {
			t.Helper()
			write(t, s, func(tx *store.Tx) error { _, err := tx.Exec(statement); return err })
		}
		c.advance(400 * day)
		raw("ALTER TABLE quota_usage RENAME TO away")
		if err := s.Purge(t.Context()); err == nil || len(archivedIn(t, folder)) != 1 {
			t.Fatalf("nothing failed after the rows were archived: %v", err)
		}
		raw("ALTER TABLE away RENAME TO quota_usage")
		if _, err := s.Erase(t.Context(), store.Person{Owner: "acme", ID: grace}); err != nil {
			t.Fatal(err)
		}
		if err := s.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if found, err := s.VerifyArchived(t.Context(), folder); err != nil || found.Rows != 6 || len(found.Breaks) > 0 {
			t.Errorf("%+v, %v", found, err)
		}
	})
}

// TestInstancesArchiveOneAtATime: rows that two of them remove at once are in the archive once.
func TestInstancesArchiveOneAtATime(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "archive")
	c := &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	o := store.Options{URL: postgrestest.Shared(t).Database(t), Now: c.Now, Archive: folder}
	instances := []*store.Store{openWith(t, o), openWith(t, o), openWith(t, o)}
	const owners, rows = 10, 20
	for i := range owners * rows {
		record(t, instances[0], fmt.Sprint("owner", i%owners), "x", func(*store.Tx) error { return nil })
	}
	c.advance(400 * day)
	var group sync.WaitGroup
	for _, s := range instances {
		group.Go(func() {
			if err := s.Purge(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := instances[0].Purge(t.Context()); err != nil { // what the others were left for
		t.Error(err)
	}
	found, err := instances[1].VerifyArchived(t.Context(), folder)
	if err != nil || found.Rows != owners*rows || len(found.Breaks) > 0 || len(found.Notes) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestConnectionsAndRepliesHaveRetentionOfTheirOwn.
func TestConnectionsAndRepliesHaveRetentionOfTheirOwn(t *testing.T) {
	o := store.Options{Keep: 300 * day, KeepConnections: 60 * day, KeepReplies: 48 * time.Hour}
	onBothWith(t, o, func(t *testing.T, s *store.Store, c *clock) {
		record(t, s, "acme", "x", func(tx *store.Tx) error {
			return tx.NoteUse(store.Connection{Owner: "acme", Subject: "ada", Client: "chatgpt", LastUsed: c.Now()})
		})
		if got := s.KeepReplies(); got != 48*time.Hour {
			t.Error(got)
		}
		for passed, want := range []int{1, 0} {
			c.advance(time.Duration(59-58*passed) * day)
			if err := s.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			list, err := s.Connections(t.Context(), "acme", "", 10)
			if err != nil || len(list) != want {
				t.Errorf("after %d days: %v, %v", 59+passed, list, err)
			}
		}
		if rows, _, err := s.VerifyActivity(t.Context()); err != nil || rows != 1 {
			t.Errorf("%d rows of the record, %v", rows, err)
		}
	})
}

// TestArchivesAreOneRecordInWhateverOrderTheyWereWritten: instances with a folder each take turns, and clocks are set
// back.
func TestArchivesAreOneRecordInWhateverOrderTheyWereWritten(t *testing.T) {
	file, c := filepath.Join(t.TempDir(), "x.db"), &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	folders := []string{filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")}
	turn := func(folder string, do func(s *store.Store)) {
		t.Helper()
		s, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + file, Now: c.Now, Archive: folder,
			Keep: 40 * day})
		if err != nil {
			t.Fatal(err)
		}
		do(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	turn(folders[0], func(s *store.Store) {
		for range 6 {
			record(t, s, "acme", "x", func(*store.Tx) error { return nil })
			c.advance(time.Hour)
		}
	})
	c.advance(40*day - 6*time.Hour)
	for i := range 3 { // a row or two each time
		turn(folders[i%2], func(s *store.Store) {
			c.advance(time.Hour)
			if err := s.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
	for _, order := range [][]string{folders, {folders[1], folders[0]}} {
		turn("", func(s *store.Store) {
			found, err := s.VerifyArchived(t.Context(), order...)
			if err != nil || found.Rows == 0 || len(found.Breaks) > 0 || len(found.Notes) > 0 {
				t.Errorf("%+v, %v", found, err)
			}
		})
	}
}
