package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"guestpass/internal/postgrestest"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// record changes a task and records it as the API does.
func record(t *testing.T, s *store.Store, owner, operation string, change func(*store.Tx) error) store.Activity {
	t.Helper()
	var kept store.Activity
	write(t, s, func(tx *store.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		var err error
		kept, err = tx.Record(store.Activity{Owner: owner, Subject: "ada", Operation: operation, Outcome: store.Done})
		return err
	})
	return kept
}

// TestEveryAlteredOrMissingRowIsFound tampers with each of the rows in turn, past the
// program.
func TestEveryAlteredOrMissingRowIsFound(t *testing.T) {
	c := &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	path := filepath.Join(t.TempDir(), "test.db")
	s := open(t, "sqlite:"+path, c)
	const rows = 30
	for i := range rows {
		owner := []string{"acme", "globex"}[i%2]
		record(t, s, owner, "createTask", func(tx *store.Tx) error {
			_, err := table.CreateTask(tx, owner, table.Task{Title: "x", State: "open", Priority: 2})
			return err
		})
	}
	breaks := func() []store.Break {
		_, found, err := s.VerifyActivity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := breaks(); len(found) != 0 {
		t.Fatalf("untouched: %v", found)
	}
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := raw.Exec(query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE kept AS SELECT * FROM activity")
	for _, owner := range []string{"acme", "globex"} {
		for seq := 1; seq <= rows/2; seq++ {
			for _, tampering := range []string{
				"DELETE FROM activity WHERE owner = $1 AND seq = $2",
				"UPDATE activity SET after = after || ' ' WHERE owner = $1 AND seq = $2",
				"UPDATE activity SET subject = 'eve' WHERE owner = $1 AND seq = $2",
				"UPDATE activity SET at = at + 1 WHERE owner = $1 AND seq = $2",
				"UPDATE activity SET hash = 'x' WHERE owner = $1 AND seq = $2",
			} {
				exec(tampering, owner, seq)
				if len(breaks()) == 0 {
					t.Errorf("not found: %s, %s %d", tampering, owner, seq)
				}
				exec("DELETE FROM activity")
				exec("INSERT INTO activity SELECT * FROM kept")
			}
		}
	}
	exec("INSERT INTO activity SELECT owner, seq + 1, id || 'x', at, subject, client, operation, target, before, "+
		"after, outcome, refers_to, request, conversation, hash, 0, 0 FROM kept WHERE seq = $1", rows/2)
	if len(breaks()) == 0 {
		t.Error("rows put in at the end were not found")
	}
}

func TestActivityIsTheSubjectsOwnAndPaged(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		for i := range 12 {
			write(t, s, func(tx *store.Tx) error {
				_, err := tx.Record(store.Activity{Owner: "acme", Subject: fmt.Sprint("m", i%2), Operation: "x",
					Outcome: store.Done})
				return err
			})
		}
		first, err := s.Activities(t.Context(), "acme", store.ActivityQuery{Subject: "m1", Limit: 4})
		if err != nil || len(first) != 4 || first[0].Seq != 12 {
			t.Fatalf("%v %v", first, err)
		}
		rest, err := s.Activities(t.Context(), "acme", store.ActivityQuery{Subject: "m1", Limit: 4,
			After: first[3].Position()})
		if err != nil || len(rest) != 2 || rest[1].Seq != 2 {
			t.Errorf("%v %v", rest, err)
		}
		if _, err := s.Activity(t.Context(), "acme", "m0", first[0].ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("somebody else's: %v", err)
		}
	})
}

// TestAChangeInTheMiddleOfAnUndoIsNotLost has somebody change the target after the undo has looked at it and before
// it has it to itself, as only Postgres allows.
func TestAChangeInTheMiddleOfAnUndoIsNotLost(t *testing.T) {
	c := &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	s := open(t, postgrestest.Shared(t).Database(t), c)
	var task table.Task
	create := func(tx *store.Tx) (err error) {
		task, err = table.CreateTask(tx, "acme", table.Task{Title: "first", State: "open", Priority: 2})
		return err
	}
	created := record(t, s, "acme", "createTask", create)
	var later store.Activity
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		return tx.Undo(created, func(tx *store.Tx, a store.Activity) error {
			later = record(t, s, "acme", "updateTask", func(other *store.Tx) error {
				_, err := table.ChangeTask(other, "acme", task.ID, 0, false, func(t *table.Task) error {
					t.Title = "second"
					return nil
				})
				return err
			})
			return table.UndoTask(tx, a)
		})
	})
	var told *store.LaterError
	if !errors.As(err, &told) || told.Later.ID != later.ID {
		t.Errorf("%v, want %s", err, later.ID)
	}
	if got, err := table.Get(t.Context(), s, "acme", task.ID); err != nil || got.Title != "second" || got.Version != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}
