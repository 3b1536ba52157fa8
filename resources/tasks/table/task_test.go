package table_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"guestpass/resources/tasks/table"
	"guestpass/store"
)

func TestATaskIsKeptAsItWasGiven(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		made := create(t, s, "acme", table.Task{Title: "Bräu Tee", Notes: "# ☕\n'quoted'", Due: "2026-12-01",
			Priority: 4,
			Assignee: "member-1", Labels: []string{"kitchen", "tea"}, Creator: "member-2"})
		read, err := table.Get(t.Context(), s, "acme", made.ID)
		if err != nil || !reflect.DeepEqual(read, made) {
			t.Errorf("%+v, %v, want %+v", read, err, made)
		}
		if made.Version != 1 || !made.CreatedAt.Equal(c.Now()) || len(made.ID) != len("tsk_")+16 {
			t.Errorf("%+v", made)
		}
		if _, err := table.Get(t.Context(), s, "globex", made.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another owner's task: %v", err)
		}
	})
}

func TestAStaleChangeChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		made := create(t, s, "acme", table.Task{Title: "one"})
		change := func(version int64, title string) error {
			return s.Write(t.Context(), func(tx *store.Tx) error {
				_, err := table.ChangeTask(tx, "acme", made.ID, version, false, func(t *table.Task) error {
					t.Title = title
					return nil
				})
				return err
			})
		}
		if err := change(1, "two"); err != nil {
			t.Fatal(err)
		}
		var stale *table.StaleError
		if err := change(1, "three"); !errors.As(err, &stale) || stale.Current.Title != "two" ||
			stale.Current.Version != 2 {
			t.Errorf("%v", err)
		}
		if err := change(0, "four"); err != nil {
			t.Error(err)
		}
	})
}

// TestAChangeKeepsLittleMoreThanWhatItReplaces sends notes of every kind that JSON, SQL or the index make longer.
func TestAChangeKeepsLittleMoreThanWhatItReplaces(t *testing.T) {
	for name, text := range map[string]string{"markup": "<", "quotes": `"`, "words": "ab ", "han": "語",
		"four bytes": "𠮷", "lines": "\n"} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
				notes := strings.Repeat(text, 9_990/len([]rune(text)))
				task := create(t, s, "acme", table.Task{Title: "x", Notes: notes})
				var kept store.Activity
				for i := range 3 {
					kept = record(t, s, "acme", "updateTask", func(tx *store.Tx) error {
						_, err := table.ChangeTask(tx, "acme", task.ID, 0, false,
							func(t *table.Task) error { t.Notes = notes + fmt.Sprint(i); return nil })
						return err
					})
				}
				if n, most := len(kept.Before)+len(kept.After), 2*len(notes)+2_000; n > most {
					t.Errorf("a change of %d bytes keeps %d on record, more than %d", len(notes), n, most)
				}
				record(t, s, "acme", "undoActivity",
					func(tx *store.Tx) error { return tx.Undo(kept, table.UndoTask) })
				if got, err := table.Get(t.Context(), s, "acme", task.ID); err != nil || got.Notes != notes+"1" ||
					got.Title != "x" {
					t.Errorf("after the undo: %v, %d bytes of notes", err, len(got.Notes))
				}
			})
		})
	}
}
