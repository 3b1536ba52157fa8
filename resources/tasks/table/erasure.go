package table

import (
	"fmt"
	"strings"

	"guestpass/store"
)

// erase removes the comments that a person wrote, and has nobody assigned to what they were. Tasks are the
// organization's, and stay; in Consumer projects they go.
func erase(tx *store.Tx, e *store.Erasure) error {
	if e.Alone() {
		return eraseOwner(tx, e)
	}
	if err := eraseComments(tx, e); err != nil {
		return fmt.Errorf("erase comments: %w", err)
	}
	for table, update := range map[string]string{"tasks": "UPDATE tasks SET assignee = '', version = version + 1",
		"task_labels": "UPDATE task_labels SET assignee = ''"} {
		rows, err := tx.Exec(update+" WHERE owner = $1 AND assignee = $2", e.Owner, e.ID)
		if err != nil {
			return fmt.Errorf("assign nobody: %w", err)
		}
		e.Count(table, rows)
	}
	return eraseMentions(tx, e)
}

// eraseOwner removes all there is, what refers to something else first.
func eraseOwner(tx *store.Tx, e *store.Erasure) error {
	const ofOwner = " (SELECT seq FROM tasks WHERE owner = $1)"
	statements := []struct{ table, condition string }{{"task_labels", "owner = $1"}, {"task_comments", "owner = $1"},
		{"tasks", "owner = $1"}}
	if tx.Database() == store.SQLite {
		if _, err := tx.Exec("DELETE FROM task_words WHERE rowid IN"+ofOwner, e.ID); err != nil {
			return fmt.Errorf("erase words: %w", err)
		}
		if err := eraseWords(tx); err != nil {
			return err
		}
	}
	for _, s := range statements {
		rows, err := tx.Exec("DELETE FROM "+s.table+" WHERE "+s.condition, e.ID)
		if err != nil {
			return fmt.Errorf("erase %s: %w", s.table, err)
		}
		e.Count(s.table, rows)
	}
	return nil
}

func eraseComments(tx *store.Tx, e *store.Erasure) error {
	var shown int64
	if err := tx.QueryRow(`SELECT count(*) FROM task_comments c JOIN tasks t ON t.id = c.task_id
		WHERE c.owner = $1 AND c.author = $2 AND c.deleted_at = 0 AND t.deleted_at = 0`, e.Owner,
		e.ID).Scan(&shown); err != nil {
		return err
	}
	rows, err := tx.DeleteCounted(`DELETE FROM task_comments WHERE owner = $1 AND author = $2
		RETURNING owner, author, bytes`, e.Owner, e.ID)
	tx.Use(e.Owner, e.ID, store.Usage{Kind: Comments, Number: -shown})
	e.Count("task_comments", rows)
	return err
}

// eraseMentions takes the person out of titles, notes and labels, and so out of the index of words.
func eraseMentions(tx *store.Tx, e *store.Erasure) error {
	has := "instr(%s, $2) > 0"
	if tx.Database() == store.Postgres {
		has = "strpos(%s, $2) > 0"
	}
	conditions := []string{}
	for _, column := range []string{"t.title", "t.notes", "t.labels"} {
		conditions = append(conditions, fmt.Sprintf(has, column))
	}
	found, err := store.ListTx(tx, scanTask, "SELECT "+taskColumns+" FROM tasks t WHERE t.owner = $1 AND ("+
		strings.Join(conditions, " OR ")+")", e.Owner, e.ID)
	if err != nil {
		return err
	}
	for _, t := range found {
		t.Title, t.Notes = e.Replace(t.Title), e.Replace(t.Notes)
		for i := range t.Labels {
			t.Labels[i] = e.Replace(t.Labels[i])
		}
		if _, err := tx.Exec(`UPDATE tasks SET title = $1, notes = $2, labels = $3, version = version + 1
			WHERE seq = $4`, t.Title, t.Notes, strings.Join(t.Labels, ","), t.seq); err != nil {
			return err
		}
		if err := index(tx, ownedTask{e.Owner, t}); err != nil {
			return fmt.Errorf("index task: %w", err)
		}
		if _, err := tx.Exec("DELETE FROM task_labels WHERE task = $1", t.seq); err != nil {
			return err
		}
		if err := label(tx, e.Owner, t); err != nil {
			return err
		}
		e.Count("tasks", 1)
	}
	if len(found) == 0 || tx.Database() != store.SQLite {
		return nil
	}
	return eraseWords(tx)
}

// eraseWords has SQLite make its index of words anew without those of rows that were removed, which it else keeps.
func eraseWords(tx *store.Tx) error {
	if _, err := tx.Exec("INSERT INTO task_words (task_words) VALUES ('optimize')"); err != nil {
		return fmt.Errorf("erase words: %w", err)
	}
	return nil
}
