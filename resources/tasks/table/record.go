package table

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"guestpass/store"
)

// What the record of changes keeps of a task and of a comment has a form of its own, so that changes of tables and
// operations leave old rows readable. A row keeps the fields that differ. Rows of format 1, up to version 0.1, have no
// v, and field names as in Go.
const recordFormat = 2

type taskRecord struct {
	Format      int      `json:"v"`
	Title       string   `json:"title" record:"always"`
	Notes       string   `json:"notes"`
	State       string   `json:"state"`
	Due         string   `json:"due"`
	Priority    int      `json:"priority"`
	Assignee    string   `json:"assignee"`
	Labels      []string `json:"labels"`
	CompletedAt moment   `json:"completed_at"`
	DeletedAt   moment   `json:"deleted_at"`
}

type commentRecord struct {
	Format int    `json:"v"`
	Text   string `json:"text"`
}

// A deletionRecord is the record of a comment that is taken away or put back.
type deletionRecord struct {
	Format    int    `json:"v"`
	DeletedAt moment `json:"deleted_at"`
}

// A moment is a time in RFC 3339, "" for none.
type moment string

func momentOf(t time.Time) moment {
	if t.IsZero() {
		return ""
	}
	return moment(t.UTC().Format(time.RFC3339Nano))
}

func (m moment) time() (time.Time, error) {
	if m == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, string(m))
}

func recordOf(t Task) taskRecord {
	return taskRecord{Format: recordFormat, Title: t.Title, Notes: t.Notes, State: t.State, Due: t.Due,
		Priority: t.Priority, Assignee: t.Assignee, Labels: slices.Clone(t.Labels),
		CompletedAt: momentOf(t.CompletedAt), DeletedAt: momentOf(t.DeletedAt)}
}

// putInto makes the task what the record says.
func (r taskRecord) putInto(t *Task) (err error) {
	t.Title, t.Notes, t.State, t.Due, t.Priority = r.Title, r.Notes, r.State, r.Due, r.Priority
	t.Assignee, t.Labels = r.Assignee, r.Labels
	if t.CompletedAt, err = r.CompletedAt.time(); err != nil {
		return err
	}
	t.DeletedAt, err = r.DeletedAt.time()
	return err
}

// taskBefore returns the task as it was before an activity: as it is now, except for the fields that the record names.
func taskBefore(current Task, record string) (Task, error) {
	before := current
	var err error
	switch formatOf(record) {
	case 1:
		err = readFirst(record, &before)
	case recordFormat:
		r := recordOf(current)
		if err = json.Unmarshal([]byte(record), &r); err == nil {
			err = r.putInto(&before)
		}
	default:
		err = errLater(record)
	}
	return before, err
}

// commentWasThere reports whether the comment existed before an activity.
func commentWasThere(record string) (bool, error) {
	if record == "" {
		return false, nil
	}
	var deleted time.Time
	var err error
	switch formatOf(record) {
	case 1:
		var first struct{ DeletedAt time.Time }
		err = json.Unmarshal([]byte(record), &first)
		deleted = first.DeletedAt
	case recordFormat:
		var r deletionRecord
		if err = json.Unmarshal([]byte(record), &r); err == nil {
			deleted, err = r.DeletedAt.time()
		}
	default:
		err = errLater(record)
	}
	return deleted.IsZero(), err
}

// errLater refuses a record that this version would misread.
func errLater(record string) error {
	return fmt.Errorf("a later version has made its record, in format %d, and this one reads %d at most",
		formatOf(record), recordFormat)
}

func formatOf(record string) int {
	var marked struct {
		Format int `json:"v"`
	}
	if json.Unmarshal([]byte(record), &marked) != nil || marked.Format == 0 {
		return 1
	}
	return marked.Format
}

// firstTask is a task in format 1. What is missing stays as it is.
type firstTask struct {
	Title, Notes, State, Due, Assignee *string
	Priority                           *int
	Labels                             []string
	CompletedAt, DeletedAt             *time.Time
}

func readFirst(record string, t *Task) error {
	var first firstTask
	if err := json.Unmarshal([]byte(record), &first); err != nil {
		return err
	}
	put(&t.Title, first.Title)
	put(&t.Notes, first.Notes)
	put(&t.State, first.State)
	put(&t.Due, first.Due)
	put(&t.Assignee, first.Assignee)
	put(&t.Priority, first.Priority)
	put(&t.CompletedAt, first.CompletedAt)
	put(&t.DeletedAt, first.DeletedAt)
	if first.Labels != nil {
		t.Labels = first.Labels
	}
	return nil
}

func put[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// UndoTask puts a task back to what it was before the activity; one that the activity
// created is deleted.
func UndoTask(tx *store.Tx, a store.Activity) error {
	current, err := task(tx, a.Owner, a.Target)
	if err != nil {
		return err
	}
	restored := current
	if a.Before == "" { // it was created
		restored.DeletedAt = tx.Now()
	} else if restored, err = taskBefore(current, a.Before); err != nil {
		return fmt.Errorf("undo %s: %w", a.ID, err)
	}
	// What is deleted now can be brought back from now on, however long ago it was deleted before.
	if current.DeletedAt.IsZero() && !restored.DeletedAt.IsZero() {
		restored.DeletedAt = tx.Now()
	}
	if store.IsPseudonym(restored.Assignee) { // of somebody whose data was erased
		restored.Assignee = ""
	}
	_, err = replaceTask(tx, a.Owner, current, restored)
	return err
}

// UndoComment takes back the addition of a comment, or the undo of one.
func UndoComment(tx *store.Tx, a store.Activity) error {
	there, err := commentWasThere(a.Before)
	if err != nil {
		return fmt.Errorf("undo %s: %w", a.ID, err)
	}
	return setCommentDeleted(tx, a.Owner, a.Target, !there)
}
