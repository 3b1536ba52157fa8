package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// A Scanner is one row of an answer, as in [database/sql].
type Scanner interface{ Scan(...any) error }

// A Row is the first row of an answer.
type Row struct {
	rows     *sql.Rows
	err      error
	classify func(error) error
	end      func() // nil: nothing to do
}

// Scan reads the row. It returns [ErrNotFound] if there is none.
func (r Row) Scan(fields ...any) error {
	if r.end != nil {
		defer r.end()
	}
	if r.err != nil {
		return r.err
	}
	return r.classify(r.scan(fields))
}

// scan is [sql.Row.Scan], of rows.
func (r Row) scan(fields []any) error {
	defer r.rows.Close()
	if !r.rows.Next() {
		return cmp.Or(r.rows.Err(), sql.ErrNoRows)
	}
	if err := r.rows.Scan(fields...); err != nil {
		return err
	}
	return r.rows.Close() // an answer that breaks off is none
}

// QueryRow reads what is committed. Parameters are $1, $2… on both databases. Scan the row: until then it has a
// connection.
func (s *Store) QueryRow(ctx context.Context, query string, args ...any) Row {
	if s == nil {
		return Row{err: errNoStore}
	}
	rows, end, err := s.query(ctx, query, args)
	if err != nil {
		return Row{err: s.classify(err)}
	}
	return Row{rows: rows, classify: s.classify, end: end}
}

// query reads what is committed. Call end once the rows are read; there is nothing to end after an error.
func (s *Store) query(ctx context.Context, query string, args []any) (rows *sql.Rows, end func(), err error) {
	if s.reads != nil {
		rows, err = s.reads.query(ctx, query, args)
		return rows, func() {}, err
	}
	with, err := s.session(ctx, false)
	if err != nil {
		return nil, nil, err
	}
	rows, err = with.QueryContext(with.ctx, query, s.toPrepare(ctx, args)...)
	if s.mustPrepareAnew(ctx, err) {
		rows, err = with.QueryContext(with.ctx, query, args...)
	}
	if err != nil {
		with.end()
		return nil, nil, err
	}
	return rows, with.end, nil
}

// List reads what is committed, all rows of it: give the query a LIMIT. It returns an
// empty slice for no rows. Postgres plans the query for these values, each time, also where it is prepared: for any, it
// would not know that one of them is rare.
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
	rows, end, err := s.query(ctx, query, args)
	if err != nil {
		return s.classify(err)
	}
	defer end()
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return s.classify(err)
		}
	}
	return s.classify(rows.Err())
}

// errNoStore is the answer of a service without a store.
var errNoStore = fmt.Errorf("%w: there is none", ErrUnavailable)

// QueryRow reads within the change: what is committed, and what the change has done.
func (tx *Tx) QueryRow(query string, args ...any) Row {
	if err := tx.check(); err != nil {
		return Row{err: err}
	}
	rows, err := tx.sql.QueryContext(tx.ctx, query, tx.store.toPrepare(tx.ctx, args)...)
	if err != nil {
		return Row{err: classify(err)}
	}
	return Row{rows: rows, classify: classify}
}

// check refuses a statement that may not use the reserve while nothing else may be written.
func (tx *Tx) check() error {
	if tx.reserved {
		return nil
	}
	return tx.refused
}

// Exec runs a statement and returns how many rows it has changed.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	if err := tx.check(); err != nil {
		return 0, err
	}
	result, err := tx.sql.ExecContext(tx.ctx, query, tx.store.toPrepare(tx.ctx, args)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Conn returns the transaction itself, for code of an application that takes a [sql.Tx]. What is done in it is kept
// with the change or not at all. Do not end it, and read all rows of an answer before the next statement.
func (tx *Tx) Conn() *sql.Tx { return tx.sql }

// ListTx is [List] within the change.
func ListTx[T any](tx *Tx, scan func(Scanner) (T, error), query string, args ...any) ([]T, error) {
	if err := tx.check(); err != nil {
		return nil, err
	}
	rows, err := tx.sql.QueryContext(tx.ctx, query, tx.store.toPrepare(tx.ctx, args)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []T{}
	for rows.Next() {
		element, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, element)
	}
	return list, rows.Err()
}

// A Statement is put together from constant conditions. Values are bound, never part of the text.
type Statement struct {
	Text   string
	Values []any

	placed int // parameters in Text
}

// And adds a condition, in which each ? stands for one of the values. Conditions are constants of the program.
func (s *Statement) And(condition string, values ...any) {
	for strings.Contains(condition, "?") {
		s.placed++
		condition = strings.Replace(condition, "?", "$"+strconv.Itoa(s.placed), 1)
	}
	s.Text += condition
	s.Values = append(s.Values, values...)
}
