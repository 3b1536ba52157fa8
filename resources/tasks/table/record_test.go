package table_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"guestpass/resources/tasks/table"
	"guestpass/store"
)

func TestUndoPutsBackWhatWasUnlessSomethingCameLater(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		var task table.Task
		created := record(t, s, "acme", "createTask", func(tx *store.Tx) (err error) {
			task, err = table.CreateTask(tx, "acme", table.Task{Title: "one", State: "open", Priority: 2,
				Labels: []string{"a"}})
			return err
		})
		updated := record(t, s, "acme", "updateTask", func(tx *store.Tx) error {
			_, err := table.ChangeTask(tx, "acme", task.ID, 0, false, func(t *table.Task) error {
				t.Title, t.State, t.Labels = "two", "done", []string{"b"}
				return nil
			})
			return err
		})
		var later *store.LaterError
		err := s.Write(t.Context(), func(tx *store.Tx) error { return tx.Undo(created, table.UndoTask) })
		if !errors.As(err, &later) || later.Later.ID != updated.ID {
			t.Fatalf("undo of what was changed later: %v", err)
		}
		undone := record(t, s, "acme", "undoActivity",
			func(tx *store.Tx) error { return tx.Undo(updated, table.UndoTask) })
		got, err := table.Get(t.Context(), s, "acme", task.ID)
		if err != nil || got.Title != "one" || got.State != "open" || !got.CompletedAt.IsZero() ||
			got.Labels[0] != "a" || got.Version != 3 {
			t.Errorf("after the undo: %+v, %v", got, err)
		}
		record(t, s, "acme", "undoActivity", func(tx *store.Tx) error { return tx.Undo(undone, table.UndoTask) })
		got, err = table.Get(t.Context(), s, "acme", task.ID)
		if err != nil || got.Title != "two" || got.State != "done" {
			t.Errorf("after the undo of the undo: %+v, %v", got, err)
		}
	})
}

func TestUndoOfACommentRemovesItAndOfThatBringsItBack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		task := create(t, s, "acme", table.Task{Title: "one"})
		added := record(t, s, "acme", "addTaskComment", func(tx *store.Tx) error {
			_, err := table.AddComment(tx, "acme", table.Comment{TaskID: task.ID, Author: "ada", Text: "hello"})
			return err
		})
		count := func() int {
			comments, err := table.ListComments(t.Context(), s, "acme", task.ID, "", 10)
			if err != nil {
				t.Fatal(err)
			}
			return len(comments)
		}
		undone := record(t, s, "acme", "undoActivity",
			func(tx *store.Tx) error { return tx.Undo(added, table.UndoComment) })
		if n := count(); n != 0 {
			t.Errorf("%d comments after the undo", n)
		}
		record(t, s, "acme", "undoActivity",
			func(tx *store.Tx) error { return tx.Undo(undone, table.UndoComment) })
		if n := count(); n != 1 {
			t.Errorf("%d comments after the undo of the undo", n)
		}
	})
}

// TestEveryKindOfChangeIsUndone has rows of the format of now, and looks that each says so.
func TestEveryKindOfChangeIsUndone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		for _, k := range kinds {
			activity := k.make(t, s)
			for _, kept := range []string{activity.Before, activity.After} {
				if kept != "" && !strings.Contains(kept, `"v":2`) {
					t.Errorf("%s has another format: %s", k.name, kept)
				}
			}
			c.advance(time.Minute)
			k.undo(t, s, activity)
		}
		if got, want := counted(t, s, "acme"); got != want {
			t.Errorf("counted:\n%s, want\n%s", got, want)
		}
	})
}

// TestTheFormatOfRecordsIsThatOfTheRowsThereAre holds the names and forms that rows have been kept with: other ones
// need a number of their own.
func TestTheFormatOfRecordsIsThatOfTheRowsThereAre(t *testing.T) {
	s := open(t, store.Options{URL: databases()["SQLite"](t),
		Now: (&clock{now: time.Date(2026, 11, 25, 12, 0, 0, 5e6, time.UTC)}).Now})
	const now = `"2026-11-25T12:00:00.005Z"`
	kept := map[string][2]string{
		"created": {"", `{"assignee":"","completed_at":"","deleted_at":"","due":"","labels":["tea"],"notes":"",` +
			`"priority":2,"state":"open","title":"created","v":2}`},
		"everything": {`{"assignee":"grace","completed_at":"","due":"2026-12-01","labels":["home"],` +
			`"notes":"notes of it","priority":3,"state":"open","title":"everything","v":2}`,
			`{"assignee":"hank","completed_at":` + now + `,"due":"","labels":["tea","office"],"notes":"other notes",` +
				`"priority":1,"state":"done","title":"all else","v":2}`},
		// The title is there to tell which task it was; rows up to November 2026 lack it where it stayed.
		"last labels": {`{"labels":["tea"],"title":"last labels","v":2}`, `{"labels":[],"title":"last labels","v":2}`},
		"deleted": {`{"deleted_at":"","title":"deleted","v":2}`,
			`{"deleted_at":` + now + `,"title":"deleted","v":2}`},
		"restored": {`{"deleted_at":` + now + `,"title":"restored","v":2}`,
			`{"deleted_at":"","title":"restored","v":2}`},
		"comment added":    {"", `{"text":"added","v":2}`},
		"comment removed":  {`{"v":2,"deleted_at":""}`, `{"v":2,"deleted_at":` + now + `}`},
		"comment put back": {`{"v":2,"deleted_at":` + now + `}`, `{"v":2,"deleted_at":""}`},
	}
	for _, k := range kinds {
		want, there := kept[k.name]
		if got := k.make(t, s); there && (got.Before != want[0] || got.After != want[1]) {
			t.Errorf("%s: %s and %s, want %s and %s", k.name, got.Before, got.After, want[0], want[1])
		}
		delete(kept, k.name)
	}
	if len(kept) > 0 {
		t.Errorf("no kinds are %v", kept)
	}
}

// TestARecordOfALaterFormatIsNotUndone has the rows of each kind say that a later version has made them. What needs no
// record, as it was created by the change, is undone all the same.
func TestARecordOfALaterFormatIsNotUndone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		for _, k := range kinds {
			later := k.make(t, s)
			later.Before = strings.Replace(later.Before, `"v":2`, `"v":3`, 1)
			rows := rowsOf(t, s)
			err := s.Write(t.Context(), func(tx *store.Tx) error { return tx.Undo(later, reverting(later)) })
			if later.Before == "" {
				if err != nil {
					t.Errorf("%s: %v", k.name, err)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), "undo "+later.ID+": ") ||
				!strings.Contains(err.Error(), "format 3") || !strings.Contains(err.Error(), "later version") {
				t.Errorf("%s: %v", k.name, err)
			}
			if after := rowsOf(t, s); after != rows {
				t.Errorf("%s: something was changed", k.name)
			}
		}
	})
}

// TestARecordThatCannotBeReadIsNotUndone has its JSON cut off, or of another kind.
func TestARecordThatCannotBeReadIsNotUndone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		for _, k := range kinds {
			for what, damage := range map[string]func(string) string{
				"cut off":     func(record string) string { return record[:len(record)-1] },
				"no object":   func(string) string { return "[]" },
				"no date":     func(string) string { return `{"v":2,"deleted_at":"yesterday"}` },
				"a date of 1": func(string) string { return `{"DeletedAt":"yesterday"}` },
			} {
				damaged := k.make(t, s)
				if damaged.Before == "" {
					continue
				}
				damaged.Before = damage(damaged.Before)
				rows := rowsOf(t, s)
				err := s.Write(t.Context(), func(tx *store.Tx) error { return tx.Undo(damaged, reverting(damaged)) })
				if err == nil || !strings.Contains(err.Error(), "undo "+damaged.ID+": ") {
					t.Errorf("%s, %s: %v", k.name, what, err)
				}
				if after := rowsOf(t, s); after != rows {
					t.Errorf("%s, %s: something was changed", k.name, what)
				}
			}
		}
	})
}

// rowsOf is what the tables hold, but for the search index.
func rowsOf(t *testing.T, s *store.Store) string {
	t.Helper()
	return lines(t, s, keptRows+`
		UNION ALL SELECT person || ' ' || activities || ' ' || bytes FROM quota_usage
		UNION ALL SELECT person || ' ' || kind || ' ' || number FROM quota_things ORDER BY 1`)
}

// lines are the rows of an answer that has one column.
func lines(t *testing.T, s *store.Store, query string) string {
	t.Helper()
	rows, err := store.List(t.Context(), s, func(row store.Scanner) (text string, err error) {
		return text, row.Scan(&text)
	}, query)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(rows, "\n") + "\n"
}

const keptRows = `SELECT seq || ' ' || id || ' ' || owner || ' ' || title || ' ' || notes || ' ' || state ||
			' ' || due || ' ' || priority || ' ' || assignee || ' ' || labels || ' ' || creator || ' ' || version ||
			' ' || created_at || ' ' || updated_at || ' ' || completed_at || ' ' || deleted_at ||
			' ' || bytes || ' ' || payer FROM tasks
		UNION ALL SELECT seq || ' ' || id || ' ' || owner || ' ' || task_id || ' ' || author || ' ' || text || ' ' ||
			created_at || ' ' || deleted_at || ' ' || bytes FROM task_comments
		UNION ALL SELECT owner || ' ' || label || ' ' || task FROM task_labels
		UNION ALL SELECT id || ' ' || owner || ' ' || seq || ' ' || target || ' ' || before || ' ' || after ||
			' ' || hash FROM activity`
