package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// A Scanner is one row of an answer, as of [database/sql].
type Scanner interface{ Scan(...any) error }

// A Row is the first row of an answer.
type Row struct {
	row *sql.Row
	err error
}

// Scan reads the row; [ErrNotFound] if there is none.
func (r Row) Scan(fields ...any) error {
	if r.err != nil {
		return r.err
	}
	return classify(r.row.Scan(fields...))
}

// QueryRow reads what is committed. Parameters are $1, $2… on both databases.
func (s *Store) QueryRow(ctx context.Context, query string, args ...any) Row {
	if s == nil {
		return Row{err: errNoStore}
	}
	return Row{row: s.read.QueryRowContext(ctx, query, args...)}
}

// List reads what is committed, all rows of it: give the query a LIMIT. It returns an
// empty slice for no rows.
func List[T any](ctx context.Context, s *Store, scan func(Scanner) (T, error), query string, args ...any) ([]T, error) {
	list := []T{}
	err := s.each(ctx, func(row Scanner) error {
		element, err := scan(row)
		list = append(list, element)
		return err
	}, query, args...)
	return list, err
}

// each calls f with every row, one at a time.
func (s *Store) each(ctx context.Context, f func(Scanner) error, query string, args ...any) error {
	if s == nil {
		return errNoStore
	}
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return classify(err)
		}
	}
	return classify(rows.Err())
}

// errNoStore is what a service without a store answers.
var errNoStore = fmt.Errorf("%w: there is none", ErrUnavailable)

// QueryRow reads within the change: what is committed, and what the change has done.
func (tx *Tx) QueryRow(query string, args ...any) Row {
	return Row{row: tx.sql.QueryRowContext(tx.ctx, query, args...)}
}

// Exec returns how many rows the statement has changed.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	result, err := tx.sql.ExecContext(tx.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Changed notes for the activity record what the change did to the target: what it was
// before and is after, as values that JSON can hold, nil for none. The last note counts.
func (tx *Tx) Changed(target string, before, after any) {
	tx.changed = Change{Target: target, Before: snapshot(before), After: snapshot(after)}
}

func snapshot(value any) string {
	if value == nil {
		return ""
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // a type that JSON cannot hold; the change is undone and told as an error
	}
	return string(text)
}
