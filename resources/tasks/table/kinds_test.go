package table_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// A kind is one kind of change, as its name says, which leaves the record of a task or a comment.
type kind struct {
	name string
	make func(t *testing.T, s *store.Store) store.Activity
	undo func(t *testing.T, s *store.Store, a store.Activity)
}

// kinds are all that there are. Version 0.1 has made the same ones, in testdata.
var kinds = append(changes(),
	kind{"created",
		func(t *testing.T, s *store.Store) store.Activity {
			return asAda(t, s, func(tx *store.Tx) error {
				_, err := table.CreateTask(tx, "acme", titled("created", table.Task{Labels: []string{"tea"}}))
				return err
			})
		},
		func(t *testing.T, s *store.Store, a store.Activity) {
			undo(t, s, a)
			if got := anyTask(t, s, a.Target); !got.DeletedAt.Equal(s.Now()) {
				t.Errorf("created: %+v", got)
			}
		}},
	kind{"deleted", deleted("deleted"),
		func(t *testing.T, s *store.Store, a store.Activity) {
			undo(t, s, a)
			got, err := table.Get(t.Context(), s, "acme", a.Target)
			if err != nil || got.Title != "deleted" || fmt.Sprint(got.Labels) != "[tea]" ||
				found(t, s, "deleted") != 1 {
				t.Errorf("deleted: %+v, %v", got, err)
			}
		}},
	kind{"restored",
		func(t *testing.T, s *store.Store) store.Activity {
			restore := func(t *table.Task) { t.DeletedAt = time.Time{} }
			return changed(t, s, deleted("restored")(t, s).Target, true, restore)
		},
		func(t *testing.T, s *store.Store, a store.Activity) {
			undo(t, s, a)
			// It is deleted from now on, so that it can be brought back for as long as any other.
			if got := anyTask(t, s, a.Target); !got.DeletedAt.Equal(s.Now()) || found(t, s, "restored") != 0 {
				t.Errorf("restored: %+v", got)
			}
		}},
	kind{"undone",
		func(t *testing.T, s *store.Store) store.Activity {
			return undo(t, s, changed(t, s, create(t, s, "acme", titled("before the undo", table.Task{})).ID, false,
				func(t *table.Task) { t.Title = "after the undo" }))
		},
		func(t *testing.T, s *store.Store, a store.Activity) {
			undo(t, s, a)
			if got := anyTask(t, s, a.Target); got.Title != "after the undo" || found(t, s, "after undo") != 1 {
				t.Errorf("undone: %+v", got)
			}
		}},
	kind{"comment added", commented("added"), undoComment("added", false)},
	kind{"comment removed",
		func(t *testing.T, s *store.Store) store.Activity { return undo(t, s, commented("removed")(t, s)) },
		undoComment("removed", true)},
	kind{"comment put back",
		func(t *testing.T, s *store.Store) store.Activity {
			return undo(t, s, undo(t, s, commented("put back")(t, s)))
		},
		undoComment("put back", false)},
)

// changes are the kinds of changes that keep the task: those of each field, and of all of them.
func changes() (list []kind) {
	for _, c := range []struct {
		name   string
		before table.Task
		change func(*table.Task)
	}{
		{"title", table.Task{Title: "one"}, func(t *table.Task) { t.Title = "two" }},
		{"notes", table.Task{Notes: "some words 会议"}, func(t *table.Task) { t.Notes = "quite others <&>" }},
		{"long notes", table.Task{Notes: strings.Repeat("a long text 語 ", 100)},
			func(t *table.Task) { t.Notes = "" }},
		{"state", table.Task{}, func(t *table.Task) { t.State = "in_progress" }},
		{"due", table.Task{Due: "2026-12-01"}, func(t *table.Task) { t.Due = "2027-01-31" }},
		{"first due", table.Task{}, func(t *table.Task) { t.Due = "2026-12-01" }},
		{"priority", table.Task{}, func(t *table.Task) { t.Priority = 4 }},
		{"assignee", table.Task{Assignee: "grace"}, func(t *table.Task) { t.Assignee = "" }},
		{"labels", table.Task{Labels: []string{"home", "office"}}, func(t *table.Task) { t.Labels = []string{"tea"} }},
		{"first labels", table.Task{}, func(t *table.Task) { t.Labels = []string{"tea"} }},
		{"last labels", table.Task{Labels: []string{"tea"}}, func(t *table.Task) { t.Labels = []string{} }},
		{"completed", table.Task{}, func(t *table.Task) { t.State = "done" }},
		{"reopened", table.Task{State: "done"}, func(t *table.Task) { t.State = "open" }},
		{"everything", table.Task{Notes: "notes of it", Due: "2026-12-01", Priority: 3, Assignee: "grace",
			Labels: []string{"home"}}, func(t *table.Task) {
			t.Title, t.Notes, t.State, t.Due = "all else", "other notes", "done", ""
			t.Priority, t.Assignee, t.Labels = 1, "hank", []string{"tea", "office"}
		}},
	} {
		original := titled(cmp.Or(c.before.Title, c.name), c.before)
		list = append(list, kind{c.name,
			func(t *testing.T, s *store.Store) store.Activity {
				return changed(t, s, create(t, s, "acme", original).ID, false, c.change)
			},
			func(t *testing.T, s *store.Store, a store.Activity) {
				undo(t, s, a)
				got := anyTask(t, s, a.Target)
				if fieldsOf(got) != fieldsOf(original) || !got.DeletedAt.IsZero() || got.Version != 3 ||
					got.CompletedAt.IsZero() != (original.State != "done") {
					t.Errorf("%s is %s, want %s", c.name, fieldsOf(got), fieldsOf(original))
				}
				for _, words := range []string{original.Title, original.Notes} {
					if words != "" && found(t, s, words) < 1 {
						t.Errorf("%s is not found by %q", c.name, words)
					}
				}
			}})
	}
	return list
}

// titled is a task with this title and what else a task must have.
func titled(title string, of table.Task) table.Task {
	of.Title, of.Creator = title, "ada"
	of.State, of.Priority = cmp.Or(of.State, "open"), cmp.Or(of.Priority, 2)
	return of
}

// fieldsOf are those that people set.
func fieldsOf(t table.Task) string {
	slices.Sort(t.Labels)
	return fmt.Sprintf("%q", []string{t.Title, t.Notes, t.State, t.Due, strconv.Itoa(t.Priority), t.Assignee,
		strings.Join(t.Labels, ",")})
}

// asAda makes a change that is on record.
func asAda(t *testing.T, s *store.Store, change func(*store.Tx) error) store.Activity {
	t.Helper()
	return record(t, s, "acme", "operation", func(tx *store.Tx) error {
		tx.By("ada")
		return change(tx)
	})
}

// changed is a change of a task that Ada makes, on record.
func changed(t *testing.T, s *store.Store, id string, deleted bool, edit func(*table.Task)) store.Activity {
	t.Helper()
	return asAda(t, s, func(tx *store.Tx) error {
		_, err := table.ChangeTask(tx, "acme", id, 0, deleted, func(t *table.Task) error { edit(t); return nil })
		return err
	})
}

// undo undoes an activity of a task or a comment, and returns the one that this is itself.
func undo(t *testing.T, s *store.Store, a store.Activity) store.Activity {
	t.Helper()
	return asAda(t, s, func(tx *store.Tx) error { return tx.Undo(a, reverting(a)) })
}

func reverting(a store.Activity) func(*store.Tx, store.Activity) error {
	if strings.HasPrefix(a.Target, "cmt_") {
		return table.UndoComment
	}
	return table.UndoTask
}

// anyTask is a task of acme, deleted or not.
func anyTask(t *testing.T, s *store.Store, id string) table.Task {
	t.Helper()
	task, err := table.GetAny(t.Context(), s, "acme", id)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	return task
}

func deleted(title string) func(t *testing.T, s *store.Store) store.Activity {
	return func(t *testing.T, s *store.Store) store.Activity {
		id := create(t, s, "acme", titled(title, table.Task{Labels: []string{"tea"}})).ID
		return changed(t, s, id, false, func(t *table.Task) { t.DeletedAt = s.Now() })
	}
}

func commented(text string) func(t *testing.T, s *store.Store) store.Activity {
	return func(t *testing.T, s *store.Store) store.Activity {
		id := create(t, s, "acme", titled("commented", table.Task{})).ID
		return asAda(t, s, func(tx *store.Tx) error {
			_, err := table.AddComment(tx, "acme", table.Comment{TaskID: id, Author: "ada", Text: text})
			return err
		})
	}
}

// undoComment undoes, and looks whether the comment can be seen, with its text.
func undoComment(text string, seen bool) func(t *testing.T, s *store.Store, a store.Activity) {
	return func(t *testing.T, s *store.Store, a store.Activity) {
		undo(t, s, a)
		if there, err := table.HasComment(t.Context(), s, "acme", a.Target); err != nil || there != seen {
			t.Errorf("the comment %s is there: %t, %v", text, there, err)
		}
		var kept string
		err := s.QueryRow(t.Context(), "SELECT text FROM task_comments WHERE id = $1", a.Target).Scan(&kept)
		if err != nil || kept != text {
			t.Errorf("the comment %s is %s, %v", text, kept, err)
		}
	}
}
