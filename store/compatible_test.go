package store_test

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"guestpass/internal/postgrestest"
	"guestpass/store"
)

// A program meets a schema that a newer one has made, as in a rolling update: it goes on where the migration says that
// it only adds, and is refused else.
func TestAnOlderProgramGoesOnWithWhatOnlyAdds(t *testing.T) {
	steps := []string{"CREATE TABLE notes (id TEXT PRIMARY KEY);",
		"-- +guestpass Expand\nALTER TABLE notes ADD COLUMN title TEXT NOT NULL DEFAULT '';",
		"-- +guestpass Expand\nALTER TABLE notes ADD COLUMN text TEXT NOT NULL DEFAULT '';",
		"ALTER TABLE notes DROP COLUMN title;"}
	program := func(known int) store.Schema {
		files := fstest.MapFS{}
		for i, step := range steps[:known] {
			name := "0000" + string(rune('1'+i)) + "_notes.sql"
			files[name] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + step + "\n")}
		}
		return store.Schema{Name: "notes", Files: files}
	}
	for name, url := range map[string]string{"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "test.db"),
		"Postgres": postgrestest.Shared(t).Database(t)} {
		t.Run(name, func(t *testing.T) {
			start := func(known int) error {
				s, err := store.Open(t.Context(), store.Options{URL: url, Schemas: []store.Schema{program(known)}})
				if err != nil {
					return err
				}
				defer s.Close()
				if err := s.Ping(t.Context()); err != nil {
					return err
				}
				return s.Write(t.Context(), func(tx *store.Tx) error {
					_, err := tx.Exec("INSERT INTO notes (id) VALUES ($1)", store.NewID("not_"))
					return err
				})
			}
			for _, known := range []int{1, 3, 1, 2, 3, 1} {
				if err := start(known); err != nil {
					t.Errorf("the program that knows %d: %v", known, err)
				}
			}
			must(t, start(4))
			for _, known := range []int{1, 2, 3} {
				if err := start(known); err == nil || !strings.Contains(err.Error(), "a newer version has changed") ||
					!strings.Contains(err.Error(), "guestpass migrate down-to ") {
					t.Errorf("the program that knows %d: %v", known, err)
				}
			}
			must(t, start(4))
		})
	}
}
