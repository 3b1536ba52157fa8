package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

// expands is the line by which a migration says that programs which do not know it go on as before: it only adds, and
// what it adds they need not fill. docs/operating.md tells of expanding and contracting.
const expands = "-- +guestpass Expand"

// compatibleSince returns the oldest migration that a program must know to go on with all of them.
func (s *Store) compatibleSince(schema Schema, provider *goose.Provider) (int64, error) {
	files, err := schema.filesFor(s.database)
	if err != nil {
		return 0, err
	}
	for _, source := range slices.Backward(provider.ListSources()) {
		content, err := fs.ReadFile(files, source.Path)
		if err != nil {
			return 0, err
		}
		if !slices.Contains(strings.Split(string(content), "\n"), expands) {
			return source.Version, nil
		}
	}
	return 0, nil
}

// noteCompatible keeps for older programs whether they may go on.
func (s *Store) noteCompatible(ctx context.Context) error {
	return s.eachSchema(func(schema Schema, provider *goose.Provider) error {
		since, err := s.compatibleSince(schema, provider)
		if err != nil {
			return err
		}
		var version, noted int64
		err = s.QueryRow(ctx, "SELECT version, since FROM schema_compatibility WHERE name = $1", schema.Name).Scan(
			&version, &noted)
		last := latest(provider)
		if err == nil && (version > last || version == last && noted == since) { // nothing is written to a standby
			return nil
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		return s.Write(ctx, func(tx *Tx) error {
			tx.reserved = true
			_, err := tx.Exec(`INSERT INTO schema_compatibility (name, version, since) VALUES ($1, $2, $3)
				ON CONFLICT (name) DO UPDATE SET version = excluded.version, since = excluded.since
				WHERE schema_compatibility.version <= excluded.version`, schema.Name, last, since)
			return err
		})
	})
}

// mayGoOn reports whether whoever made the last migration says that a program which knows less may go on.
func (s *Store) mayGoOn(ctx context.Context, schema Schema, last, known int64) (bool, error) {
	there, err := s.tables(ctx, s.schema)
	if err != nil || there["schema_compatibility"] == nil {
		return false, err
	}
	var version, since int64
	err = s.QueryRow(ctx, "SELECT version, since FROM "+in(s.schema, "schema_compatibility")+" WHERE name = $1",
		schema.Name).Scan(&version, &since)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask whether a newer schema is one for this program: %w", err)
	}
	return version == last && since <= known, nil
}
