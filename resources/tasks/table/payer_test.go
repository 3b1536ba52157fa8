package table_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// change is what a person does to a task of acme, on record.
func change(s *store.Store, who, id string, deleted bool, edit func(*store.Tx, *table.Task)) (kept store.Activity,
	err error) {
	err = s.Write(context.Background(), func(tx *store.Tx) error {
		tx.By(who)
		if _, err := table.ChangeTask(tx, "acme", id, 0, deleted,
			func(t *table.Task) error { edit(tx, t); return nil }); err != nil {
			return err
		}
		kept, err = tx.Record(store.Activity{Owner: "acme", Subject: who, Operation: "updateTask", Outcome: store.Done})
		return err
	})
	return kept, err
}

func notes(text string) func(*store.Tx, *table.Task) {
	return func(_ *store.Tx, t *table.Task) { t.Notes = text }
}

// share is how many tasks and bytes are counted for a person of acme.
func share(t *testing.T, s *store.Store, who string) (tasks, bytes int64) {
	t.Helper()
	err := s.QueryRow(t.Context(), `SELECT
			coalesce((SELECT number FROM quota_things WHERE owner = 'acme' AND person = $1 AND kind = 'tasks'), 0),
			coalesce((SELECT bytes FROM quota_usage WHERE owner = 'acme' AND person = $1), 0)`,
		who).Scan(&tasks, &bytes)
	if err != nil {
		t.Fatal(err)
	}
	return tasks, bytes
}

// TestAttackOneMemberUsesUpAnothersShare has Grace write as much as she can into tasks that Ada gave her.
func TestAttackOneMemberUsesUpAnothersShare(t *testing.T) {
	onBothWith(t, store.Quota{Bytes: 1 << 20}, func(t *testing.T, s *store.Store, c *clock) {
		var given []string
		for range 14 {
			given = append(given, create(t, s, "acme", table.Task{Title: "x", Creator: "ada", Assignee: "grace"}).ID)
		}
		_, before := share(t, s, "ada")
		var quota *store.QuotaError
		for round := 0; quota == nil && round < 20; round++ {
			for i, id := range given {
				_, err := change(s, "grace", id, false, notes(strings.Repeat("x", 10_000)+fmt.Sprint(" ", round, i)))
				if err != nil && !errors.As(err, &quota) {
					t.Fatal(err)
				}
			}
		}
		if quota == nil || !quota.Person || quota.Quota != "bytes" || quota.Limit != 1<<19 {
			t.Fatalf("Grace is refused by %+v, not by her own share", quota)
		}
		if _, bytes := share(t, s, "ada"); bytes > before {
			t.Errorf("%d bytes are counted for Ada, who has written %d", bytes, before)
		}
		if _, bytes := share(t, s, "grace"); bytes < 14*10_000 || bytes > quota.Limit {
			t.Errorf("%d bytes are counted for Grace", bytes)
		}
		if err := s.Write(t.Context(), func(tx *store.Tx) error {
			_, err := table.CreateTask(tx, "acme", table.Task{Title: "x", Notes: strings.Repeat("x", 10_000),
				State: "open", Priority: 2, Creator: "ada"})
			return err
		}); err != nil {
			t.Errorf("Ada cannot write any more: %v", err)
		}
		if got, want := counted(t, s, "acme"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// TestWhoMakesATaskBiggerPaysForIt goes through what can be done to a task, each by another person.
func TestWhoMakesATaskBiggerPaysForIt(t *testing.T) {
	remove := func(tx *store.Tx, t *table.Task) { t.DeletedAt = tx.Now() }
	restore := func(_ *store.Tx, t *table.Task) { t.DeletedAt = time.Time{} }
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		id := create(t, s, "acme", table.Task{Title: "x", Notes: "some words", Creator: "ada"}).ID
		var last store.Activity
		for _, step := range []struct {
			what, who string
			deleted   bool
			edit      func(*store.Tx, *table.Task) // nil: undo what was done last
			tasks     int64
			payer     string
		}{
			{"making it smaller", "grace", false, notes(""), 1, "ada"},
			{"what takes no room", "grace", false, func(_ *store.Tx, t *table.Task) { t.State = "done" }, 1, "ada"},
			{"growing it", "grace", false, notes("quite other words"), 1, "grace"},
			{"growing it by a label", "hank", false, func(_ *store.Tx, t *table.Task) { t.Labels = []string{"a"} }, 1,
				"hank"},
			{"taking the label away", "ada", false, func(_ *store.Tx, t *table.Task) { t.Labels = []string{} }, 1,
				"hank"},
			{"undoing that", "ada", false, nil, 1, "ada"},
			{"undoing the undo", "grace", false, nil, 1, "ada"},
			{"deleting it", "grace", false, remove, 0, "ada"},
			{"undoing the deletion", "grace", true, nil, 1, "grace"},
			{"deleting it again", "grace", false, remove, 0, "grace"},
			{"restoring it", "hank", true, restore, 1, "hank"},
			{"deleting it at last", "ada", false, remove, 0, "hank"},
		} {
			var err error
			if step.edit != nil {
				last, err = change(s, step.who, id, step.deleted, step.edit)
			} else {
				err = s.Write(t.Context(), func(tx *store.Tx) (err error) {
					tx.By(step.who)
					if err := tx.Undo(last, table.UndoTask); err != nil {
						return err
					}
					last, err = tx.Record(store.Activity{Owner: "acme", Subject: step.who, Operation: "undoActivity",
						Outcome: store.Done})
					return err
				})
			}
			if err != nil {
				t.Fatalf("%s: %v", step.what, err)
			}
			for _, who := range []string{"ada", "grace", "hank"} {
				want := int64(0)
				if who == step.payer {
					want = step.tasks
				}
				if tasks, _ := share(t, s, who); tasks != want {
					t.Errorf("%s by %s: %d tasks are counted for %s, want %d", step.what, step.who, tasks, who, want)
				}
			}
			var payer string
			if err := s.QueryRow(t.Context(), "SELECT coalesce(nullif(payer, ''), creator) FROM tasks").Scan(
				&payer); err != nil || payer != step.payer {
				t.Errorf("%s by %s: %s pays, %v, want %s", step.what, step.who, payer, err, step.payer)
			}
			if got, want := counted(t, s, "acme"); got != want {
				t.Errorf("%s: %s, want %s", step.what, got, want)
			}
		}
		c.advance(31 * 24 * time.Hour)
		if err := s.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := counted(t, s, "acme"); got != want || strings.Contains(got, "hank") && !strings.Contains(got,
			"hank 0 0") {
			t.Errorf("after it is gone: %s, want %s", got, want)
		}
	})
}

// TestATaskThatNamesNoPayerIsItsCreators is one from before there were payers.
func TestATaskThatNamesNoPayerIsItsCreators(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		taken, kept := create(t, s, "acme", table.Task{Title: "x", Creator: "ada"}).ID,
			create(t, s, "acme", table.Task{Title: "y", Creator: "ada"}).ID
		write(t, s, func(tx *store.Tx) error { _, err := tx.Exec("UPDATE tasks SET payer = ''"); return err })
		if _, err := change(s, "grace", taken, false, notes("more")); err != nil {
			t.Fatal(err)
		}
		for who, want := range map[string]int64{"ada": 1, "grace": 1} {
			if tasks, _ := share(t, s, who); tasks != want {
				t.Errorf("%d tasks of %s", tasks, who)
			}
		}
		if _, err := change(s, "grace", kept, false,
			func(tx *store.Tx, t *table.Task) { t.DeletedAt = tx.Now() }); err != nil {
			t.Fatal(err)
		}
		c.advance(31 * 24 * time.Hour)
		if err := s.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if tasks, bytes := share(t, s, "ada"); tasks != 0 || bytes != 0 {
			t.Errorf("%d tasks, %d bytes are counted for Ada, of whom nothing is left", tasks, bytes)
		}
		if got, want := counted(t, s, "acme"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// TestPayersAreExactUnderWritesAtOnce has several people take the same tasks from each other.
func TestPayersAreExactUnderWritesAtOnce(t *testing.T) {
	onBothWith(t, store.Quota{Bytes: 200_000}, func(t *testing.T, s *store.Store, c *clock) {
		var ids []string
		for range 4 {
			ids = append(ids, create(t, s, "acme", table.Task{Title: "x", Creator: "ada"}).ID)
		}
		var group sync.WaitGroup
		for i, who := range []string{"ada", "grace", "hank", "ada", "grace", "hank"} {
			group.Go(func() {
				random := rand.New(rand.NewPCG(3, uint64(i)))
				for range 40 {
					id, size := ids[random.IntN(len(ids))], random.IntN(3000)
					var err error
					switch random.IntN(5) {
					case 0:
						_, err = change(s, who, id, false, func(tx *store.Tx, t *table.Task) { t.DeletedAt = tx.Now() })
					case 1:
						_, err = change(s, who, id, true,
							func(_ *store.Tx, t *table.Task) { t.DeletedAt = time.Time{} })
					default:
						_, err = change(s, who, id, false, notes(strings.Repeat("x", size)))
					}
					var quota *store.QuotaError
					var stale *table.StaleError
					if err != nil && !errors.As(err, &quota) && !errors.As(err, &stale) && !errors.Is(err,
						store.ErrNotFound) {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if got, want := counted(t, s, "acme"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}
