package store

import (
	"errors"
	"path/filepath"
	"testing"

	"guestpass/internal/postgrestest"
)

// TestAQuotaOfThingsIsAsTheOptionsOrElseTheSchemaSay has an owner who is the only person, and so has all of it.
func TestAQuotaOfThingsIsAsTheOptionsOrElseTheSchemaSay(t *testing.T) {
	for what, tt := range map[string]struct {
		schema, options map[string]int64
		limit           int // 0: none
	}{
		"the schema alone":              {schema: map[string]int64{"things": 3}, limit: 3},
		"the options alone":             {options: map[string]int64{"things": 4}, limit: 4},
		"both":                          {map[string]int64{"things": 3}, map[string]int64{"things": 5}, 5},
		"zero is as the schema says":    {map[string]int64{"things": 3}, map[string]int64{"things": 0}, 3},
		"nobody":                        {},
		"another kind's is none of its": {map[string]int64{"others": 1}, map[string]int64{"more": 1}, 0},
	} {
		for database, url := range map[string]string{"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "test.db"),
			"Postgres": postgrestest.Shared(t).Database(t)} {
			t.Run(what+" "+database, func(t *testing.T) {
				schema := things
				schema.Quotas = tt.schema
				s, err := Open(t.Context(), Options{URL: url, Schemas: []Schema{schema},
					Quota: Quota{Things: tt.options}})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				fillThings(t, s, tt.limit)
			})
		}
	}
}

// fillThings creates things up to the limit, looks that one more is refused and leaves nothing, and that there is room
// again when one is gone.
func fillThings(t *testing.T, s *Store, limit int) {
	t.Helper()
	create := func() error {
		return s.Write(t.Context(), func(tx *Tx) error { _, err := createThing(tx, "ada", "x"); return err })
	}
	const many = 8
	room := limit
	if limit == 0 {
		room = many
	}
	for n := range room {
		if err := create(); err != nil {
			t.Fatalf("thing %d: %v", n+1, err)
		}
	}
	if limit == 0 {
		return
	}
	var quota *QuotaError
	want := QuotaError{Quota: "things", Used: int64(limit), Limit: int64(limit)}
	if err := create(); !errors.As(err, &quota) || *quota != want {
		t.Errorf("beyond the limit: %v, want %v", err, &want)
	}
	if n := countThings(t, s, "ada"); n != limit {
		t.Errorf("there are %d", n)
	}
	err := s.Write(t.Context(), func(tx *Tx) error {
		tx.Use("ada", "ada", Usage{Kind: "things", Number: -1})
		_, err := tx.Exec("UPDATE things SET deleted_at = 1 WHERE id = (SELECT min(id) FROM things)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := create(); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
