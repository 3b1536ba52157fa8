package table

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"guestpass/store"
)

// A Task is something to be done, of one owner.
type Task struct {
	ID       string
	Title    string
	Notes    string // markdown
	State    string // open, in_progress or done
	Due      string // YYYY-MM-DD, or ""
	Priority int    // 1 low to 4 urgent
	Assignee string // a member's id, or ""
	Labels   []string
	Creator  string
	Version  int64 // counts changes, from 1

	CreatedAt, UpdatedAt, CompletedAt, DeletedAt time.Time // zero: not yet

	seq   int64  // in order of creation
	bytes int64  // that it takes, as it is kept
	payer string // to whom it is counted; see pay
}

// A StaleError says that a task has another version than the change expected, or is in a state that does not allow it.
type StaleError struct {
	Current Task
	Reason  string
}

func (e *StaleError) Error() string { return e.Reason }

const (
	taskColumns = `t.seq, t.id, t.title, t.notes, t.state, t.due, t.priority, t.assignee, t.labels, t.creator,
		t.version, t.created_at, t.updated_at, t.completed_at, t.deleted_at, t.bytes,
		coalesce(nullif(t.payer, ''), t.creator)`
	noDue = "9999-99-99" // sorts after every date
)

func scanTask(row store.Scanner) (t Task, err error) {
	var labels string
	var created, updated, completed, deleted int64
	err = row.Scan(&t.seq, &t.ID, &t.Title, &t.Notes, &t.State, &t.Due, &t.Priority, &t.Assignee, &labels, &t.Creator,
		&t.Version,
		&created, &updated, &completed, &deleted, &t.bytes, &t.payer)
	if err != nil {
		return t, err
	}
	if t.Due == noDue {
		t.Due = ""
	}
	t.Labels = []string{}
	if labels != "" {
		t.Labels = strings.Split(labels, ",")
	}
	t.CreatedAt, t.UpdatedAt = store.FromMillis(created), store.FromMillis(updated)
	t.CompletedAt, t.DeletedAt = store.FromMillis(completed), store.FromMillis(deleted)
	return t, nil
}

func (t Task) storedDue() string {
	if t.Due == "" {
		return noDue
	}
	return t.Due
}

// Get returns one task that is not deleted. It returns [store.ErrNotFound] for another owner's, too.
func Get(ctx context.Context, s *store.Store, owner, id string) (Task, error) {
	return scanTask(s.QueryRow(ctx, selectTask+" AND t.deleted_at = 0", id, owner))
}

// GetAny is Get for deleted tasks, too.
func GetAny(ctx context.Context, s *store.Store, owner, id string) (Task, error) {
	return scanTask(s.QueryRow(ctx, selectTask, id, owner))
}

const selectTask = "SELECT " + taskColumns + " FROM tasks t WHERE t.id = $1 AND t.owner = $2"

func task(tx *store.Tx, owner, id string) (Task, error) {
	return scanTask(tx.QueryRow(selectTask, id, owner))
}

const (
	insertTask = insertTaskColumns + ") VALUES (" + insertTaskValues + ") RETURNING seq"
	// Postgres
	insertTaskWithWords = insertTaskColumns + ", words) VALUES (" + insertTaskValues +
		", CAST($17 AS tsvector)) RETURNING seq"
	insertTaskColumns = `INSERT INTO tasks (id, owner, title, notes, state, due, priority, assignee, labels, creator,
			version, created_at, updated_at, completed_at, deleted_at, bytes, payer`
	insertTaskValues = "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, $15, $16"
)

// CreateTask keeps a new task. It sets ID, version and times.
func CreateTask(tx *store.Tx, owner string, t Task) (Task, error) {
	t.ID, t.Version, t.CreatedAt, t.UpdatedAt = store.NewID("tsk_"), 1, tx.Now(), tx.Now()
	t.CompletedAt, t.bytes, t.payer = completedAt(t, Task{}, tx.Now()), sizeOf(tx, t, Task{}), t.Creator
	insert, values := insertTask, []any{t.ID, owner, t.Title, t.Notes, t.State, t.storedDue(), t.Priority, t.Assignee,
		strings.Join(t.Labels, ","), t.Creator, t.Version, store.Millis(t.CreatedAt), store.Millis(t.UpdatedAt),
		store.Millis(t.CompletedAt), t.bytes, t.payer}
	if tx.Database() == store.Postgres {
		insert, values = insertTaskWithWords, append(values, t.tsvector(owner))
	}
	if err := tx.QueryRow(insert, values...).Scan(&t.seq); err != nil {
		return t, fmt.Errorf("create task: %w", err)
	}
	if tx.Database() == store.SQLite {
		if err := insertWords(tx, owner, t); err != nil {
			return t, fmt.Errorf("index task: %w", err)
		}
	}
	if err := label(tx, owner, t); err != nil {
		return t, err
	}
	tx.Use(owner, t.payer, t.usage())
	tx.ChangedFields(t.ID, nil, recordOf(t))
	return t, nil
}

// ChangeTask applies change to a task. expected is the version that the caller has seen, 0 for any; with another one
// ChangeTask returns a [StaleError] that has the task as it is. An error of change stops it. deleted says which tasks
// can be changed: those that are not deleted, or those that are.
func ChangeTask(tx *store.Tx, owner, id string, expected int64, deleted bool, change func(*Task) error) (Task, error) {
	old, err := task(tx, owner, id)
	if err != nil {
		return old, fmt.Errorf("change task: %w", err)
	}
	if old.DeletedAt.IsZero() == deleted {
		return old, fmt.Errorf("change task: %w", store.ErrNotFound)
	}
	if expected != 0 && expected != old.Version {
		return old, &StaleError{old, "the task has changed since: it has version " + strconv.FormatInt(old.Version, 10)}
	}
	t := old
	if err := change(&t); err != nil {
		return old, err
	}
	return replaceTask(tx, owner, old, t)
}

// replaceTask keeps t instead of old. The version in the condition makes two changes at once happen one after the other
// on Postgres. A task that is deleted for good stays as it is, whoever asks.
func replaceTask(tx *store.Tx, owner string, old, t Task) (Task, error) {
	if store.Final(old.DeletedAt, tx.Now()) {
		return t, store.ErrFinal
	}
	t.bytes = sizeOf(tx, t, old)
	t.payer = pays(tx, old, t)
	t.Version, t.UpdatedAt = old.Version+1, tx.Now()
	t.CompletedAt = completedAt(t, old, tx.Now())
	changed, err := tx.Exec(
		`UPDATE tasks SET title = $1, notes = $2, state = $3, due = $4, priority = $5, assignee = $6, labels = $7,
			version = $8, updated_at = $9, completed_at = $10, deleted_at = $11, bytes = $12, payer = $13
		WHERE id = $14 AND owner = $15 AND version = $16`,
		t.Title, t.Notes, t.State, t.storedDue(), t.Priority, t.Assignee, strings.Join(t.Labels, ","),
		t.Version, store.Millis(t.UpdatedAt), store.Millis(t.CompletedAt), store.Millis(t.DeletedAt), t.bytes,
		t.payer, t.ID, owner, old.Version)
	if err != nil {
		return t, fmt.Errorf("change task: %w", err)
	}
	if changed == 0 {
		current, err := task(tx, owner, t.ID)
		if err != nil {
			return t, err
		}
		return t, &StaleError{current, "the task was changed by somebody else at the same moment"}
	}
	if t.Title != old.Title || t.Notes != old.Notes {
		if err := index(tx, ownedTask{owner, t}); err != nil {
			return t, fmt.Errorf("index task: %w", err)
		}
	}
	if _, err := tx.Exec("DELETE FROM task_labels WHERE task = $1", t.seq); err != nil {
		return t, fmt.Errorf("change labels: %w", err)
	}
	if err := label(tx, owner, t); err != nil {
		return t, err
	}
	tx.ChangedFields(t.ID, recordOf(old), recordOf(t))
	return t, useTask(tx, owner, old, t)
}

// pays returns the person for whom a task counts after a change. Whoever makes it bigger, or brings it back, takes over
// all of it, bytes and number. So nobody uses up another's share, each row counts for one person only, and the count
// can be made anew from the rows. Making a task smaller takes nothing over.
func pays(tx *store.Tx, old, t Task) string {
	restored := !old.DeletedAt.IsZero() && t.DeletedAt.IsZero()
	if tx.Person() != "" && (restored || t.bytes > old.bytes) {
		return tx.Person()
	}
	return old.payer
}

// usage returns what the task counts for its payer.
func (t Task) usage() store.Usage {
	if t.DeletedAt.IsZero() {
		return store.Usage{Kind: Tasks, Number: 1, Bytes: t.bytes}
	}
	return store.Usage{Bytes: t.bytes}
}

// useTask counts what the change of a task uses. The comments of a deleted one do not count.
func useTask(tx *store.Tx, owner string, old, t Task) error {
	before := old.usage()
	tx.Use(owner, old.payer, store.Usage{Kind: before.Kind, Number: -before.Number, Bytes: -before.Bytes})
	tx.Use(owner, t.payer, t.usage())
	if old.DeletedAt.IsZero() == t.DeletedAt.IsZero() {
		return nil
	}
	by := int64(1)
	if !t.DeletedAt.IsZero() {
		by = -1
	}
	type comments struct {
		author string
		number int64
	}
	counted, err := store.ListTx(tx, func(row store.Scanner) (c comments, err error) {
		return c, row.Scan(&c.author, &c.number)
	}, `SELECT author, count(*) FROM task_comments
		WHERE owner = $1 AND task_id = $2 AND deleted_at = 0 GROUP BY author`, owner, t.ID)
	for _, c := range counted {
		tx.Use(owner, c.author, store.Usage{Kind: Comments, Number: by * c.number})
	}
	return err
}

func completedAt(t, old Task, now time.Time) time.Time {
	switch {
	case t.State != "done":
		return time.Time{}
	case old.State == "done":
		return old.CompletedAt
	}
	return now
}

func label(tx *store.Tx, owner string, t Task) error {
	for _, label := range t.Labels {
		if _, err := tx.Exec("INSERT INTO task_labels (owner, label, task) VALUES ($1, $2, $3)", owner, label,
			t.seq); err != nil {
			return fmt.Errorf("label task: %w", err)
		}
	}
	return nil
}
