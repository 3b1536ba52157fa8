package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
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

	seq int64 // in order of creation
}

// RestoreWindow is how long a deleted task can be restored.
const RestoreWindow = 30 * 24 * time.Hour

// A StaleError says that a task has another version than the change expected, or is in
// no state for it.
type StaleError struct {
	Current Task
	Reason  string
}

func (e *StaleError) Error() string { return e.Reason }

const (
	taskColumns = `t.seq, t.id, t.title, t.notes, t.state, t.due, t.priority, t.assignee, t.labels, t.creator, t.version,
		t.created_at, t.updated_at, t.completed_at, t.deleted_at`
	noDue = "9999-99-99" // sorts after every date
)

func scanTask(row Scanner) (t Task, err error) {
	var labels string
	var created, updated, completed, deleted int64
	err = row.Scan(&t.seq, &t.ID, &t.Title, &t.Notes, &t.State, &t.Due, &t.Priority, &t.Assignee, &labels, &t.Creator, &t.Version,
		&created, &updated, &completed, &deleted)
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
	t.CreatedAt, t.UpdatedAt = fromMillis(created), fromMillis(updated)
	t.CompletedAt, t.DeletedAt = fromMillis(completed), fromMillis(deleted)
	return t, nil
}

func (t Task) storedDue() string {
	if t.Due == "" {
		return noDue
	}
	return t.Due
}

// Task returns one task that is not deleted; [ErrNotFound] for another owner's too.
func (s *Store) Task(ctx context.Context, owner, id string) (Task, error) {
	return scanTask(s.QueryRow(ctx, selectTask+" AND t.deleted_at = 0", id, owner))
}

// AnyTask is Task for deleted ones, too.
func (s *Store) AnyTask(ctx context.Context, owner, id string) (Task, error) {
	return scanTask(s.QueryRow(ctx, selectTask, id, owner))
}

const selectTask = "SELECT " + taskColumns + " FROM tasks t WHERE t.id = $1 AND t.owner = $2"

func (tx *Tx) task(owner, id string) (Task, error) {
	return scanTask(tx.QueryRow(selectTask, id, owner))
}

// CreateTask keeps a new task. ID, version and times are set here.
func (tx *Tx) CreateTask(owner string, t Task) (Task, error) {
	t.ID, t.Version, t.CreatedAt, t.UpdatedAt = NewID("tsk_"), 1, tx.now, tx.now
	t.CompletedAt = completedAt(t, Task{}, tx.now)
	err := tx.QueryRow(`INSERT INTO tasks (id, owner, title, notes, state, due, priority, assignee, labels, creator, version,
			created_at, updated_at, completed_at, deleted_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0) RETURNING seq`,
		t.ID, owner, t.Title, t.Notes, t.State, t.storedDue(), t.Priority, t.Assignee, strings.Join(t.Labels, ","), t.Creator, t.Version,
		millis(t.CreatedAt), millis(t.UpdatedAt), millis(t.CompletedAt)).Scan(&t.seq)
	if err != nil {
		return t, fmt.Errorf("create task: %w", err)
	}
	if err := tx.label(owner, t); err != nil {
		return t, err
	}
	tx.Changed(t.ID, nil, t)
	return t, nil
}

// ChangeTask applies change to a task. expected is the version that the caller has
// seen, 0 for whichever; another one is a [StaleError] with the task as it is. The
// error of change stops it. deleted says which tasks can be changed: those that are
// not deleted, or those that are.
func (tx *Tx) ChangeTask(owner, id string, expected int64, deleted bool, change func(*Task) error) (Task, error) {
	old, err := tx.task(owner, id)
	if err != nil {
		return old, fmt.Errorf("change task: %w", err)
	}
	if old.DeletedAt.IsZero() == deleted {
		return old, fmt.Errorf("change task: %w", ErrNotFound)
	}
	if expected != 0 && expected != old.Version {
		return old, &StaleError{old, "the task has changed since: it has version " + strconv.FormatInt(old.Version, 10)}
	}
	t := old
	if err := change(&t); err != nil {
		return old, err
	}
	return tx.replaceTask(owner, old, t)
}

// replaceTask keeps t instead of old. The version in the condition is what makes two
// changes at once one after the other on Postgres.
func (tx *Tx) replaceTask(owner string, old, t Task) (Task, error) {
	t.Version, t.UpdatedAt = old.Version+1, tx.now
	t.CompletedAt = completedAt(t, old, tx.now)
	changed, err := tx.Exec(`UPDATE tasks SET title = $1, notes = $2, state = $3, due = $4, priority = $5, assignee = $6, labels = $7,
			version = $8, updated_at = $9, completed_at = $10, deleted_at = $11
		WHERE id = $12 AND owner = $13 AND version = $14`,
		t.Title, t.Notes, t.State, t.storedDue(), t.Priority, t.Assignee, strings.Join(t.Labels, ","),
		t.Version, millis(t.UpdatedAt), millis(t.CompletedAt), millis(t.DeletedAt), t.ID, owner, old.Version)
	if err != nil {
		return t, fmt.Errorf("change task: %w", err)
	}
	if changed == 0 {
		current, err := tx.task(owner, t.ID)
		if err != nil {
			return t, err
		}
		return t, &StaleError{current, "the task was changed by somebody else at the same moment"}
	}
	if _, err := tx.Exec("DELETE FROM task_labels WHERE task = $1", t.seq); err != nil {
		return t, fmt.Errorf("change labels: %w", err)
	}
	if err := tx.label(owner, t); err != nil {
		return t, err
	}
	tx.Changed(t.ID, old, t)
	return t, nil
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

func (tx *Tx) label(owner string, t Task) error {
	for _, label := range t.Labels {
		if _, err := tx.Exec("INSERT INTO task_labels (owner, label, task) VALUES ($1, $2, $3)", owner, label, t.seq); err != nil {
			return fmt.Errorf("label task: %w", err)
		}
	}
	return nil
}
