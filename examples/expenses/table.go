package expenses

import (
	"context"
	"fmt"
	"strings"
	"time"

	"guestpass/store"
)

// An expense is one row.
type expense struct {
	record
	id, creator string
	version     int64
	bytes       int64 // what the quota counts for it
}

const columns = "id, creator, cents, currency, category, spent_on, note, version, deleted_at, bytes"

func scan(row store.Scanner) (x expense, err error) {
	var deletedAt int64
	err = row.Scan(&x.id, &x.creator, &x.Cents, &x.Currency, &x.Category, &x.SpentOn, &x.Note, &x.version, &deletedAt,
		&x.bytes)
	x.Format = format
	x.deleteAt(store.FromMillis(deletedAt))
	return x, err
}

// read returns an expense, deleted or not.
func read(ctx context.Context, s *store.Store, owner, id string) (expense, error) {
	return scan(s.QueryRow(ctx, "SELECT "+columns+" FROM expenses WHERE id = $1 AND owner = $2", id, owner))
}

// position is where a list goes on behind the expense.
func (x expense) position() string { return x.SpentOn + " " + x.id }

func where(owner string, f Filter) *store.Statement {
	s := new(store.Statement)
	s.And(" FROM expenses WHERE owner = ? AND deleted_at = 0", owner)
	if f.Category != "" {
		s.And(" AND category = ?", f.Category)
	}
	if f.Currency != "" {
		s.And(" AND currency = ?", f.Currency)
	}
	if f.From != "" {
		s.And(" AND spent_on >= ?", f.From)
	}
	if f.Until != "" {
		s.And(" AND spent_on <= ?", f.Until)
	}
	return s
}

// find returns up to limit expenses, the latest day first, behind a position.
func find(ctx context.Context, s *store.Store, owner string, f Filter, after string, limit int) ([]expense, error) {
	query := where(owner, f)
	if after != "" {
		day, id, _ := strings.Cut(after, " ")
		query.And(" AND (spent_on, id) < (?, ?)", day, id)
	}
	query.And(" ORDER BY spent_on DESC, id DESC LIMIT ?", limit)
	return store.List(ctx, s, scan, "SELECT "+columns+query.Text, query.Values...)
}

func months(ctx context.Context, s *store.Store, owner string, f Filter) ([]Month, error) {
	query := where(owner, f)
	query.And(" GROUP BY 1, 2 ORDER BY 1 DESC, 2 LIMIT 120")
	return store.List(ctx, s, func(row store.Scanner) (m Month, err error) {
		return m, row.Scan(&m.Month, &m.Currency, &m.Cents, &m.Number)
	}, "SELECT substr(spent_on, 1, 7), currency, CAST(sum(cents) AS BIGINT), count(*)"+query.Text, query.Values...)
}

// insert keeps a new expense.
func insert(tx *store.Tx, owner string, x expense) (expense, error) {
	x.id, x.version, x.bytes = store.NewID(prefix), 1, x.size()
	_, err := tx.Exec("INSERT INTO expenses ("+columns+", owner) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
		x.id, x.creator, x.Cents, x.Currency, x.Category, x.SpentOn, x.Note, x.version,
		store.Millis(x.deletedAt()), x.bytes, owner)
	if err != nil {
		return x, fmt.Errorf("add an expense: %w", err)
	}
	x.count(tx, owner, 1)
	tx.Changed(x.id, nil, x.record)
	return x, nil
}

// change changes an expense that is not deleted.
func change(tx *store.Tx, owner, id string, edit func(*expense) error) (expense, error) {
	return replace(tx, owner, id, func(x *expense) error {
		if x.deleted() {
			return store.ErrNotFound
		}
		return edit(x)
	})
}

// replace changes an expense, deleted or not. Its first statement locks the row, which makes two changes at once one
// after the other on Postgres.
func replace(tx *store.Tx, owner, id string, edit func(*expense) error) (expense, error) {
	old, err := scan(tx.QueryRow(
		"UPDATE expenses SET version = version WHERE id = $1 AND owner = $2 RETURNING "+columns, id, owner))
	if err != nil {
		return old, err
	}
	x := old
	if err := edit(&x); err != nil {
		return old, err
	}
	if old.deleted() && store.Final(old.deletedAt(), tx.Now()) {
		return old, store.ErrFinal
	}
	x.version, x.bytes = old.version+1, x.size()
	_, err = tx.Exec(`UPDATE expenses SET cents = $1, currency = $2, category = $3, spent_on = $4, note = $5,
		version = $6, deleted_at = $7, bytes = $8 WHERE id = $9 AND owner = $10`, x.Cents, x.Currency, x.Category,
		x.SpentOn, x.Note, x.version,
		store.Millis(x.deletedAt()), x.bytes, id, owner)
	if err != nil {
		return old, fmt.Errorf("change an expense: %w", err)
	}
	old.count(tx, owner, -1)
	x.count(tx, owner, 1)
	tx.Changed(id, old.record, x.record)
	return x, nil
}

// size is about what a row takes, with its indexes.
func (x expense) size() int64 { return int64(400 + len(x.Note)) }

// count adds the expense to what is counted for who entered it, or takes it off.
func (x expense) count(tx *store.Tx, owner string, by int64) {
	usage := store.Usage{Kind: kind, Number: by, Bytes: by * x.bytes}
	if x.deleted() {
		usage.Number = 0 // it takes room until it is removed for good
	}
	tx.Use(owner, x.creator, usage)
}

// purge removes for good what was deleted before.
func purge(ctx context.Context, s *store.Store, before time.Time) error {
	const atOnce = 500
	return s.InSteps(ctx, atOnce, func(tx *store.Tx) (int64, error) {
		return tx.DeleteCounted(`DELETE FROM expenses WHERE id IN (SELECT id FROM expenses
			WHERE deleted_at > 0 AND deleted_at <= $1 ORDER BY deleted_at LIMIT $2)
			RETURNING owner, creator, bytes`, store.Millis(before), atOnce)
	})
}

// erase empties the notes that a person wrote. What was spent stays, and the store puts a pseudonym for who entered it.
func erase(tx *store.Tx, e *store.Erasure) error {
	rows, err := tx.Exec("UPDATE expenses SET note = '' WHERE owner = $1 AND creator = $2 AND note <> ''",
		e.Owner, e.ID)
	e.Count("expenses", rows)
	return err
}
