package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// A Migration is one step of the schema.
type Migration struct {
	Name    string
	Applied bool
}

// MigrateUp applies what is missing of the schema. On Postgres an advisory lock lets
// one instance do it while others wait; SQLite's file has one process.
func (s *Store) MigrateUp(ctx context.Context) error {
	provider, err := s.provider()
	if err != nil {
		return err
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("bring the database's schema up to date: %w", classify(err))
	}
	for _, r := range results {
		s.log.InfoContext(ctx, "schema changed", "migration", r.Source.Path, "took_ms", r.Duration.Milliseconds())
	}
	return nil
}

// Migrations are all steps, in order.
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	provider, err := s.provider()
	if err != nil {
		return nil, err
	}
	statuses, err := provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the database's schema: %w", classify(err))
	}
	steps := make([]Migration, len(statuses))
	for i, status := range statuses {
		steps[i] = Migration{Name: status.Source.Path, Applied: status.State == goose.StateApplied}
	}
	return steps, nil
}

func (s *Store) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations/"+string(s.database))
	if err != nil {
		return nil, err
	}
	if s.database == sqliteDatabase {
		return goose.NewProvider(goose.DialectSQLite3, s.write.(*groupWriter).db, files)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, s.read, files, goose.WithSessionLocker(locker))
}
