package table

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"guestpass/store"
)

// A Comment is a remark on a task.
type Comment struct {
	ID, TaskID, Author, Text string
	CreatedAt, DeletedAt     time.Time

	seq int64
}

// AddComment keeps a comment on a task that is not deleted. It sets ID and time.
func AddComment(tx *store.Tx, owner string, c Comment) (Comment, error) {
	t, err := task(tx, owner, c.TaskID)
	if err != nil {
		return c, fmt.Errorf("add comment: %w", err)
	}
	if !t.DeletedAt.IsZero() {
		return c, fmt.Errorf("add comment: %w", store.ErrNotFound)
	}
	c.ID, c.CreatedAt = store.NewID("cmt_"), tx.Now()
	bytes := int64(commentOverhead + len(c.Text))
	_, err = tx.Exec(`INSERT INTO task_comments (id, owner, task_id, author, text, created_at, deleted_at, bytes)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7)`,
		c.ID, owner, c.TaskID, c.Author, c.Text, store.Millis(c.CreatedAt), bytes)
	if err != nil {
		return c, fmt.Errorf("add comment: %w", err)
	}
	tx.Use(owner, c.Author, store.Usage{Kind: Comments, Number: 1, Bytes: bytes})
	tx.ChangedFields(c.ID, nil, commentRecord{Format: recordFormat, Text: c.Text})
	return c, nil
}

// setCommentDeleted removes a comment from its task's list, or puts it back.
func setCommentDeleted(tx *store.Tx, owner, id string, deleted bool) error {
	var author string
	var since, ofTask int64
	err := tx.QueryRow(`SELECT c.author, c.deleted_at, t.deleted_at
		FROM task_comments c JOIN tasks t ON t.id = c.task_id WHERE c.id = $1 AND c.owner = $2`,
		id, owner).Scan(&author, &since, &ofTask)
	if err != nil {
		return err
	}
	before, after := Comment{DeletedAt: store.FromMillis(since)}, Comment{}
	if store.Final(before.DeletedAt, tx.Now()) || store.Final(store.FromMillis(ofTask), tx.Now()) {
		return store.ErrFinal
	}
	if deleted {
		after.DeletedAt = tx.Now()
	}
	changed, err := tx.Exec("UPDATE task_comments SET deleted_at = $1 WHERE id = $2 AND owner = $3 AND deleted_at = $4",
		store.Millis(after.DeletedAt), id, owner, since)
	if err != nil {
		return fmt.Errorf("change comment: %w", err)
	}
	if changed == 0 {
		return store.ErrNotFound
	}
	if ofTask == 0 && before.DeletedAt.IsZero() == deleted {
		by := int64(1)
		if deleted {
			by = -1
		}
		tx.Use(owner, author, store.Usage{Kind: Comments, Number: by})
	}
	tx.Changed(id, deletionRecord{recordFormat, momentOf(before.DeletedAt)},
		deletionRecord{recordFormat, momentOf(after.DeletedAt)})
	return nil
}

// HasComment reports whether the comment can be seen: neither it nor its task is deleted.
func HasComment(ctx context.Context, s *store.Store, owner, id string) (bool, error) {
	err := s.QueryRow(ctx, `SELECT 1 FROM task_comments c JOIN tasks t ON t.id = c.task_id
		WHERE c.id = $1 AND c.owner = $2 AND c.deleted_at = 0 AND t.deleted_at = 0`, id, owner).Scan(new(int))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Position returns where the list goes on after the comment.
func (c Comment) Position() string { return strconv.FormatInt(c.seq, 10) }

// ListComments returns up to limit comments of a task, the oldest first, after a position.
func ListComments(ctx context.Context, s *store.Store, owner, taskID, after string, limit int) ([]Comment, error) {
	var seq int64
	if after != "" {
		var err error
		if seq, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, fmt.Errorf("position %q of a comment list: %w", after, err)
		}
	}
	comments, err := store.List(ctx, s, func(row store.Scanner) (Comment, error) {
		c, created := Comment{TaskID: taskID}, int64(0)
		err := row.Scan(&c.seq, &c.ID, &c.Author, &c.Text, &created)
		c.CreatedAt = store.FromMillis(created)
		return c, err
	}, `SELECT seq, id, author, text, created_at FROM task_comments
		WHERE owner = $1 AND task_id = $2 AND seq > $3 AND deleted_at = 0 ORDER BY seq LIMIT $4`,
		owner, taskID, seq, limit)
	if err != nil {
		return nil, fmt.Errorf("list comments: %w", err)
	}
	return comments, nil
}
