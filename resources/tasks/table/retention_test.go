package table_test

import (
	"errors"
	"testing"
	"time"

	"guestpass/resources/tasks/table"
	"guestpass/store"
)

const day = 24 * time.Hour

// TestWhatWasDeletedIsFinalAfterThirtyDays goes by the second, for restoring and undoing alike, and looks
// that nothing is left.
func TestWhatWasDeletedIsFinalAfterThirtyDays(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		for _, tt := range []struct {
			after time.Duration
			want  error
		}{{store.RestoreWindow, nil}, {store.RestoreWindow + time.Millisecond, store.ErrFinal}} {
			task := create(t, s, "acme", table.Task{Title: "one", Creator: "ada"})
			added := record(t, s, "acme", "addTaskComment", func(tx *store.Tx) error {
				_, err := table.AddComment(tx, "acme", table.Comment{TaskID: task.ID, Author: "ada", Text: "hello"})
				return err
			})
			removed := record(t, s, "acme", "undoActivity",
				func(tx *store.Tx) error { return tx.Undo(added, table.UndoComment) })
			deleted := record(t, s, "acme", "deleteTask", func(tx *store.Tx) error {
				_, err := table.ChangeTask(tx, "acme", task.ID, 0, false,
					func(t *table.Task) error { t.DeletedAt = tx.Now(); return nil })
				return err
			})
			c.advance(tt.after)
			if err := s.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			takeBack := errors.New("take back")
			want := tt.want
			if want != nil {
				want = store.ErrNotFound // it is gone; see below for what is not yet
			}
			for name, change := range map[string]func(*store.Tx) error{
				"restore": func(tx *store.Tx) error {
					_, err := table.ChangeTask(tx, "acme", task.ID, 0, true,
						func(t *table.Task) error { t.DeletedAt = time.Time{}; return nil })
					return err
				},
				"undo":         func(tx *store.Tx) error { return tx.Undo(deleted, table.UndoTask) },
				"undo comment": func(tx *store.Tx) error { return tx.Undo(removed, table.UndoComment) },
			} {
				err := s.Write(t.Context(), func(tx *store.Tx) error { return errors.Join(change(tx), takeBack) })
				if want != nil && !errors.Is(err, want) || want == nil && err.Error() != takeBack.Error() {
					t.Errorf("%s after %s: %v, want %v", name, tt.after, err, want)
				}
			}
		}
		for _, table := range []string{"tasks", "task_comments", "task_labels"} {
			var rows int
			if err := s.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows); err != nil || rows > 2 {
				t.Errorf("%d rows of %s are left, %v", rows, table, err)
			}
		}
	})
}

// TestWhatIsFinalAndNotYetPurged is not brought back either.
func TestWhatIsFinalAndNotYetPurged(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		task := create(t, s, "acme", table.Task{Title: "one", Creator: "ada"})
		added := record(t, s, "acme", "addTaskComment", func(tx *store.Tx) error {
			_, err := table.AddComment(tx, "acme", table.Comment{TaskID: task.ID, Author: "ada", Text: "hello"})
			return err
		})
		removed := record(t, s, "acme", "undoActivity",
			func(tx *store.Tx) error { return tx.Undo(added, table.UndoComment) })
		deleted := record(t, s, "acme", "deleteTask", func(tx *store.Tx) error {
			_, err := table.ChangeTask(tx, "acme", task.ID, 0, false,
				func(t *table.Task) error { t.DeletedAt = tx.Now(); return nil })
			return err
		})
		c.advance(31 * day)
		for name, change := range map[string]func(*store.Tx) error{
			"restore": func(tx *store.Tx) error {
				_, err := table.ChangeTask(tx, "acme", task.ID, 0, true,
					func(t *table.Task) error { t.DeletedAt = time.Time{}; return nil })
				return err
			},
			"undo":         func(tx *store.Tx) error { return tx.Undo(deleted, table.UndoTask) },
			"undo comment": func(tx *store.Tx) error { return tx.Undo(removed, table.UndoComment) },
		} {
			if err := s.Write(t.Context(), change); !errors.Is(err, store.ErrFinal) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestThePurgeGoesOnUntilNothingIsLeft has more of everything than one step removes.
func TestThePurgeGoesOnUntilNothingIsLeft(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		for range 3 {
			write(t, s, func(tx *store.Tx) error {
				for range 40 {
					task, err := table.CreateTask(tx, "acme", table.Task{Title: "findable", State: "open", Priority: 2,
						Creator: "ada", Labels: []string{"x"}})
					if err != nil {
						return err
					}
					for range 10 {
						if _, err := table.AddComment(tx, "acme", table.Comment{TaskID: task.ID, Author: "ada",
							Text: "x"}); err != nil {
							return err
						}
						if _, err := tx.Record(store.Activity{Owner: "acme", Subject: "ada", Operation: "x",
							Outcome: store.Done}); err != nil {
							return err
						}
					}
					_, err = table.ChangeTask(tx, "acme", task.ID, 0, false,
						func(t *table.Task) error { t.DeletedAt = tx.Now(); return nil })
					if err != nil {
						return err
					}
				}
				return tx.NoteUse(store.Connection{Owner: "acme", Subject: "ada", Client: "c", LastUsed: tx.Now()})
			})
		}
		alive := create(t, s, "acme", table.Task{Title: "findable and alive", Creator: "ada"})
		c.advance(366 * day)
		if err := s.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		for table, want := range map[string]int{"tasks": 1, "task_comments": 0, "task_labels": 0, "activity": 0,
			"connections": 0} {
			var rows int
			if err := s.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows); err != nil || rows != want {
				t.Errorf("%d rows of %s are left, %v", rows, table, err)
			}
		}
		page, err := table.List(t.Context(), s, "acme", table.TaskQuery{Sort: "created", Search: "findable", Limit: 10})
		if err != nil || len(page.Tasks) != 1 || page.Tasks[0].ID != alive.ID {
			t.Errorf("%v, %v", page, err)
		}
		if got, want := counted(t, s, "acme"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}
