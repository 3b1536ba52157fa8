package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// A Comment is a remark on a task.
type Comment struct {
	ID, TaskID, Author, Text string
	CreatedAt, DeletedAt     time.Time

	seq int64
}

// AddComment keeps a comment on a task that is not deleted. ID and time are set here.
func (tx *Tx) AddComment(owner string, c Comment) (Comment, error) {
	t, err := tx.task(owner, c.TaskID)
	if err != nil {
		return c, fmt.Errorf("add comment: %w", err)
	}
	if !t.DeletedAt.IsZero() {
		return c, fmt.Errorf("add comment: %w", ErrNotFound)
	}
	c.ID, c.CreatedAt = newID("cmt_"), tx.now
	_, err = tx.exec(`INSERT INTO task_comments (id, owner, task_id, author, text, created_at, deleted_at)
		VALUES ($1, $2, $3, $4, $5, $6, 0)`, c.ID, owner, c.TaskID, c.Author, c.Text, millis(c.CreatedAt))
	if err != nil {
		return c, fmt.Errorf("add comment: %w", err)
	}
	tx.changed = Change{Target: c.ID, After: c.snapshot()}
	return c, nil
}

// setCommentDeleted removes a comment from its task's list, or puts it back.
func (tx *Tx) setCommentDeleted(owner, id string, deleted bool) error {
	before, after := Comment{ID: id}, Comment{ID: id}
	now := int64(0)
	if deleted {
		now, after.DeletedAt = millis(tx.now), tx.now
	} else {
		before.DeletedAt = tx.now
	}
	changed, err := tx.exec("UPDATE task_comments SET deleted_at = $1 WHERE id = $2 AND owner = $3", now, id, owner)
	if err != nil {
		return fmt.Errorf("change comment: %w", err)
	}
	if changed == 0 {
		return ErrNotFound
	}
	tx.changed = Change{Target: id, Before: before.snapshot(), After: after.snapshot()}
	return nil
}

func (c Comment) snapshot() string {
	text, _ := json.Marshal(c)
	return string(text)
}

// Position is where the list goes on after the comment.
func (c Comment) Position() string { return strconv.FormatInt(c.seq, 10) }

// Comments returns up to limit comments of a task, the oldest first, after a position.
func (s *Store) Comments(ctx context.Context, owner, taskID, after string, limit int) ([]Comment, error) {
	var seq int64
	if after != "" {
		var err error
		if seq, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, fmt.Errorf("position %q of a comment list: %w", after, err)
		}
	}
	rows, err := s.read.QueryContext(ctx, `SELECT seq, id, author, text, created_at FROM task_comments
		WHERE owner = $1 AND task_id = $2 AND seq > $3 AND deleted_at = 0 ORDER BY seq LIMIT $4`, owner, taskID, seq, limit)
	if err != nil {
		return nil, fmt.Errorf("list comments: %w", classify(err))
	}
	defer rows.Close()
	comments := []Comment{}
	for rows.Next() {
		c := Comment{TaskID: taskID}
		var created int64
		if err := rows.Scan(&c.seq, &c.ID, &c.Author, &c.Text, &created); err != nil {
			return nil, fmt.Errorf("list comments: %w", classify(err))
		}
		c.CreatedAt = fromMillis(created)
		comments = append(comments, c)
	}
	return comments, classify(rows.Err())
}
