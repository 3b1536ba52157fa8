package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"guestpass/internal/pattern"
)

// A Person is somebody whose data is exported or erased: a member of an organization or, in Consumer projects, a user,
// who is an owner by themselves.
type Person struct{ Owner, ID string }

// personID is what Stytch's identifiers of people look like, as a whole: one of which a part was lost on the way would
// be part of many.
var personID = pattern.New(`^(member|user)-(live|test)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Check returns what is wrong with the person's identifiers.
func (p Person) Check() error {
	switch {
	case !personID.MatchString(p.ID):
		return errors.New("the person's id must be that of Stytch, as a whole: member-live-… or user-live-…, with " +
			"32 digits and letters up to f in five groups behind it")
	case p.Owner == "":
		return errors.New("the organization's id must be said")
	case p.Alone() != strings.HasPrefix(p.ID, "user-"):
		return errors.New("a member is one of an organization, and a user of a Consumer project: their ids begin " +
			"with member- and user-")
	}
	return nil
}

// Alone reports whether everything of the owner is the person's.
func (p Person) Alone() bool { return p.Owner == p.ID }

// ErasedSubject is what a revocation has in place of a person whose data was erased: nobody reads from it who that was,
// and their tokens are still refused.
func ErasedSubject(id string) string { return erasedSubject + Digest("revoked for", id)[:40] }

// IsErasedSubject reports whether a subject is what [ErasedSubject] returns.
func IsErasedSubject(subject string) bool { return strings.HasPrefix(subject, erasedSubject) }

const erasedSubject = "erased-sha256-"

// A PersonalRow is a row that tells of a person, by the names of its columns.
type PersonalRow map[string]any

// Export calls f with every row of every table that names the person in some column, or belongs to the person alone,
// and with what the resources' Export adds. It reads while others write: each table is of one moment.
func (s *Store) Export(ctx context.Context, p Person, f func(table string, row PersonalRow) error) error {
	if err := p.Check(); err != nil {
		return err
	}
	all, err := s.textTables(ctx)
	if err != nil {
		return fmt.Errorf("read the database's schema: %w", err)
	}
	for _, t := range all {
		if err := s.exportTable(ctx, t, p, f); err != nil {
			return fmt.Errorf("export from %s: %w", t.name, err)
		}
	}
	for _, schema := range s.schemas {
		if schema.Export == nil {
			continue
		}
		if err := schema.Export(ctx, s, p, f); err != nil {
			return fmt.Errorf("export from the tables of %s: %w", schema.Name, err)
		}
	}
	return nil
}

func (s *Store) exportTable(ctx context.Context, t textTable, p Person, f func(string, PersonalRow) error) error {
	query, args := "SELECT * FROM "+in(s.schema, t.name)+" WHERE ", []any{p.ID}
	switch {
	case t.name == "denials":
		query, args = query+"subject IN ($1, $2)", append(args, ErasedSubject(p.ID))
	case t.has("owner") && !p.Alone():
		query, args = query+"owner = $2 AND "+s.names(t), append(args, p.Owner)
	default:
		query += s.names(t)
	}
	return s.EachRow(ctx, func(row PersonalRow) error { return f(t.name, row) }, query, args...)
}

// EachRow calls f with each row of an answer. It is for a resource's Export.
func (s *Store) EachRow(ctx context.Context, f func(PersonalRow) error, query string, args ...any) error {
	with, err := s.session(ctx, false)
	if err != nil {
		return s.classify(err)
	}
	defer with.end()
	rows, err := with.QueryContext(with.ctx, query, args...)
	if err != nil {
		return s.classify(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return s.classify(err)
		}
		row := PersonalRow{}
		for i, column := range columns {
			if text, ok := values[i].([]byte); ok {
				values[i] = string(text)
			}
			row[column] = values[i]
		}
		if err := f(row); err != nil {
			return err
		}
	}
	return s.classify(rows.Err())
}

// Leftovers returns the columns, as table.column, in which the person is still named, with how many rows have it.
func (s *Store) Leftovers(ctx context.Context, p Person) (map[string]int64, error) {
	left := map[string]int64{}
	all, err := s.textTables(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		counts, into := make([]int64, len(t.ordered)), make([]any, len(t.ordered))
		sums := make([]string, len(t.ordered))
		for i, column := range t.ordered {
			into[i], sums[i] = &counts[i], "coalesce(sum(CASE WHEN "+s.hasText(column)+" THEN 1 ELSE 0 END), 0)"
		}
		if err := s.QueryRow(ctx, "SELECT "+strings.Join(sums, ", ")+" FROM "+in(s.schema, t.name),
			p.ID).Scan(into...); err != nil {
			return nil, fmt.Errorf("search %s: %w", t.name, err)
		}
		for i, column := range t.ordered {
			if counts[i] > 0 {
				left[t.name+"."+column] = counts[i]
			}
		}
	}
	return left, nil
}
