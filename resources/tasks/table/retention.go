package table

import (
	"context"
	"errors"
	"time"

	"guestpass/store"
)

// How many rows are removed at once, while all writers wait.
const (
	stepRows  = 500
	stepFinal = 50 // tasks, each with its entries in the search index
)

// purge removes tasks and comments that were deleted before that time.
func purge(ctx context.Context, s *store.Store, before time.Time) error {
	until := store.Millis(before)
	return errors.Join(
		s.InSteps(ctx, stepRows, func(tx *store.Tx) (int64, error) { return removeFinalComments(tx, until) }),
		s.InSteps(ctx, stepRows, func(tx *store.Tx) (int64, error) { return removeCommentsOfFinalTasks(tx, until) }),
		s.InSteps(ctx, stepFinal, func(tx *store.Tx) (int64, error) { return removeFinalTasks(tx, until) }))
}

func removeFinalComments(tx *store.Tx, until int64) (int64, error) {
	return tx.DeleteCounted(`DELETE FROM task_comments WHERE seq IN (SELECT seq FROM task_comments
		WHERE deleted_at > 0 AND deleted_at <= $1 ORDER BY deleted_at LIMIT $2)
		RETURNING owner, author, bytes`, until, stepRows)
}

func removeCommentsOfFinalTasks(tx *store.Tx, until int64) (int64, error) {
	return tx.DeleteCounted(`DELETE FROM task_comments WHERE seq IN (SELECT c.seq FROM tasks t
		JOIN task_comments c ON c.task_id = t.id WHERE t.deleted_at > 0 AND t.deleted_at <= $1 LIMIT $2)
		RETURNING owner, author, bytes`, until, stepRows)
}

const finalTasks = ` IN (SELECT seq FROM tasks WHERE deleted_at > 0 AND deleted_at <= $1
	ORDER BY deleted_at, seq LIMIT $2)`

func removeFinalTasks(tx *store.Tx, until int64) (int64, error) {
	statements := []string{"DELETE FROM task_labels WHERE task" + finalTasks}
	if tx.Database() == store.SQLite {
		statements = append(statements, "DELETE FROM task_words WHERE rowid"+finalTasks)
	}
	for _, statement := range statements {
		if _, err := tx.Exec(statement, until, stepFinal); err != nil {
			return 0, err
		}
	}
	return tx.DeleteCounted("DELETE FROM tasks WHERE seq"+finalTasks+
		" RETURNING owner, coalesce(nullif(payer, ''), creator), bytes", until, stepFinal)
}
