package store

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

// A Descent is what going back to earlier versions of schemas does.
type Descent struct {
	Steps []Migration // to be undone, in this order
	Lost  []string    // what is no longer there afterwards: tables and columns with their rows, in words
}

// countedSince is the step of the store's schema in whose tables resources count what they keep.
const countedSince = 6

// PlanDown returns what going back to versions does, by the names of schemas; "" is the store's own. It changes
// nothing.
func (s *Store) PlanDown(ctx context.Context, to map[string]int64) (d Descent, err error) {
	plans, err := s.descents(ctx, to)
	for _, p := range plans {
		d.Steps = append(d.Steps, p.steps...)
		lost, err := s.lost(ctx, p)
		if err != nil {
			return d, err
		}
		d.Lost = append(d.Lost, lost...)
	}
	return d, err
}

// Down goes back to versions of schemas. No server may run: on SQLite none can.
func Down(ctx context.Context, o Options, to map[string]int64) (d Descent, err error) {
	reading, err := Connect(ctx, o) // which makes no file
	if err != nil {
		return d, err
	}
	if err := reading.Close(); err != nil {
		return d, err
	}
	s := New(o)
	if err := s.connect(ctx, true); err != nil {
		return d, err
	}
	defer s.Close()
	err = s.locked(ctx, func() error {
		if d, err = s.PlanDown(ctx, to); err != nil {
			return err
		}
		plans, err := s.descents(ctx, to)
		if err != nil {
			return err
		}
		for _, p := range plans {
			if err := s.descend(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
	return d, err
}

// A descent is of one schema.
type descent struct {
	Schema
	from, to int64
	steps    []Migration
}

// descents returns those that the versions ask for: of resources first, as they use the store's tables.
func (s *Store) descents(ctx context.Context, to map[string]int64) (plans []descent, err error) {
	there, err := s.tables(ctx, s.schema)
	if err != nil {
		return nil, err
	}
	current, known := map[string]int64{}, []string{}
	err = s.eachSchema(func(schema Schema, provider *goose.Provider) error {
		known = append(known, cmp.Or(schema.Name, "the store's own, without a name"))
		if there[schema.versionTable()] != nil {
			applied, err := s.versions(ctx, s.schema, schema.versionTable())
			if err != nil || len(applied) == 0 {
				return err
			}
			current[schema.Name] = slices.Max(applied)
		}
		target, asked := to[schema.Name]
		if !asked {
			return nil
		}
		p, err := s.descentOf(schema, provider, current[schema.Name], target)
		plans = append(plans, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	for name := range to {
		if !slices.ContainsFunc(plans, func(p descent) bool { return p.Name == name }) {
			return nil, fmt.Errorf("there is no schema %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	if target, asked := to[""]; asked && target < countedSince {
		for name, version := range current {
			if left, asked := to[name]; name != "" && (asked && left > 0 || !asked && version > 0) {
				return nil, fmt.Errorf("the tables of %s count in those of the store's step %d: have %s/0 undone as "+
					"well", name, countedSince, name)
			}
		}
	}
	slices.Reverse(plans)
	return plans, nil
}

func (s *Store) descentOf(schema Schema, provider *goose.Provider, from, to int64) (p descent, err error) {
	p = descent{Schema: schema, from: from, to: to}
	name := cmp.Or(schema.Name, "the store")
	files, err := schema.filesFor(s.database)
	if err != nil {
		return p, err
	}
	versions := []int64{0}
	for _, source := range provider.ListSources() {
		versions = append(versions, source.Version)
	}
	if !slices.Contains(versions, to) || to > from {
		return p, fmt.Errorf("%s cannot go down to version %d: it is at %d, and has %s", name, to, from,
			strings.Trim(fmt.Sprint(versions), "[]"))
	}
	for _, source := range slices.Backward(provider.ListSources()) {
		if source.Version <= to || source.Version > from {
			continue
		}
		content, err := fs.ReadFile(files, source.Path)
		if err != nil {
			return p, err
		}
		if !strings.Contains(string(content), "-- +goose Down") {
			return p, fmt.Errorf("%s cannot be undone, as it does not say how: put back a backup from before",
				schema.step(source))
		}
		p.steps = append(p.steps, Migration{Name: schema.step(source), Applied: true})
	}
	return p, nil
}

// lost compares the tables of both versions. Nobody has to say what a step's undoing takes away.
func (s *Store) lost(ctx context.Context, p descent) (words []string, err error) {
	if p.from == p.to {
		return nil, nil
	}
	now, err := s.expected(p.Schema, p.from)
	if err != nil { // they are in words that only Postgres knows
		return []string{"whatever the steps of " + p.Name + " have made"}, nil
	}
	then := tables{}
	if p.to > 0 {
		if then, err = s.expected(p.Schema, p.to); err != nil {
			return nil, err
		}
	}
	for _, table := range slices.Sorted(maps.Keys(now)) {
		gone := []string{}
		for _, column := range now[table] {
			if !slices.Contains(then[table], column) {
				gone = append(gone, column)
			}
		}
		if len(gone) == 0 {
			continue
		}
		var rows int64
		err := s.QueryRow(ctx, "SELECT count(*) FROM "+in(s.schema, table)).Scan(&rows)
		switch {
		case err != nil:
			return nil, err
		case rows == 0:
		case then[table] == nil:
			words = append(words, fmt.Sprintf("the table %s with %d rows", table, rows))
		default:
			words = append(words, fmt.Sprintf("%s of the %d rows of %s", strings.Join(gone, ", "), rows, table))
		}
	}
	return words, nil
}

// descend undoes the steps of one schema, and has older programs ask nobody whether they may go on.
func (s *Store) descend(ctx context.Context, p descent) error {
	provider, err := s.provider(p.Schema)
	if err != nil {
		return err
	}
	results, err := provider.DownTo(ctx, p.to)
	if err != nil {
		return fmt.Errorf("undo the steps of %s: %w", cmp.Or(p.Name, "the store"), s.classify(err))
	}
	for _, r := range results {
		s.log.InfoContext(ctx, "schema changed back", "migration", p.step(r.Source), "took_ms",
			r.Duration.Milliseconds())
	}
	there, err := s.tables(ctx, s.schema)
	if err != nil || there["schema_compatibility"] == nil {
		return err
	}
	return s.Write(ctx, func(tx *Tx) error {
		tx.reserved = true
		_, err := tx.Exec("DELETE FROM schema_compatibility WHERE name = $1", p.Name)
		return err
	})
}
