package table

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"guestpass/store"
)

// ownedTask is a task to be indexed.
type ownedTask struct {
	owner string
	Task
}

// index rebuilds the entries of the tasks in the search index.
func index(tx *store.Tx, tasks ...ownedTask) error {
	if tx.Database() == store.Postgres {
		seqs, words := []int64{}, []string{}
		for _, t := range tasks {
			seqs, words = append(seqs, t.seq), append(words, t.tsvector(t.owner))
		}
		_, err := tx.Exec(`UPDATE tasks t SET words = CAST(v.words AS tsvector)
			FROM unnest(CAST($1 AS bigint[]), CAST($2 AS text[])) v (seq, words)
			WHERE t.seq = v.seq AND t.words IS DISTINCT FROM CAST(v.words AS tsvector)`, seqs, words)
		return err
	}
	for _, t := range tasks {
		if _, err := tx.Exec("DELETE FROM task_words WHERE rowid = $1", t.seq); err != nil {
			return err
		}
		if err := insertWords(tx, t.owner, t.Task); err != nil {
			return err
		}
	}
	return nil
}

// insertWords makes the first entry of a task, on SQLite.
func insertWords(tx *store.Tx, owner string, t Task) error {
	units, pairs := t.fts5Texts(ownerMark(owner))
	_, err := tx.Exec("INSERT INTO task_words (rowid, units, pairs) VALUES ($1, $2, $3)", t.seq, units, pairs)
	return err
}

// How much is indexed in one transaction, for which others wait, and which must end within groupTimeout.
const (
	stepTasks = 1000
	stepBytes = 500_000
)

// indexOldTasks indexes tasks that are older than the present form of the index, a step at a time. After an
// interruption it goes on where it was: the table indexing says how far it is, and a migration that changes the index
// sets that back.
func indexOldTasks(ctx context.Context, s *store.Store, log *slog.Logger) error {
	logged, atOnce := time.Now(), stepTasks
	for {
		var done, last int64
		err := s.Write(ctx, func(tx *store.Tx) (err error) {
			done, last, err = indexStep(tx, atOnce)
			return err
		})
		switch {
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil && atOnce > 1: // a slow disk
			atOnce /= 4
			continue
		case err != nil:
			return fmt.Errorf("index the tasks for search: %w", err)
		case done >= last:
			return shrinkMemory(ctx, s)
		}
		if time.Since(logged) > 5*time.Second {
			logged = time.Now()
			log.InfoContext(ctx, "indexing tasks for search", "done", done, "of", last)
		}
	}
}

// shrinkMemory frees the memory of SQLite's writing connection. All connections share one bound: the rest of a large
// write would keep everybody else's pages out, and each search would read the file.
func shrinkMemory(ctx context.Context, s *store.Store) error {
	if s.Database() == store.Postgres {
		return nil
	}
	return s.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("PRAGMA shrink_memory")
		return err
	})
}

// indexStep indexes the tasks after those that are done, and returns how far it is.
func indexStep(tx *store.Tx, atOnce int) (done, last int64, err error) {
	if err := tx.QueryRow("SELECT done, last FROM indexing").Scan(&done, &last); err != nil || done >= last {
		return done, last, err
	}
	tasks, err := tasksBetween(tx, done, last, atOnce)
	if err != nil {
		return done, last, err
	}
	if err := index(tx, tasks...); err != nil {
		return done, last, err
	}
	done = last
	if len(tasks) > 0 {
		done = tasks[len(tasks)-1].seq
	}
	_, err = tx.Exec("UPDATE indexing SET done = $1", done)
	return done, last, err
}

// tasksBetween returns as many tasks as are indexed at once.
func tasksBetween(tx *store.Tx, after, last int64, atOnce int) (tasks []ownedTask, err error) {
	tasks, err = store.ListTx(tx, func(row store.Scanner) (t ownedTask, err error) {
		return t, row.Scan(&t.owner, &t.seq, &t.Title, &t.Notes)
	}, "SELECT owner, seq, title, notes FROM tasks WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3", after, last,
		atOnce)
	bytes := 0
	for i, t := range tasks {
		if bytes += len(t.Title) + len(t.Notes); bytes >= stepBytes {
			return tasks[:i+1], err
		}
	}
	return tasks, err
}
