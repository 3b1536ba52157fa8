package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// A Schema is the tables of a resource of your own: goose SQL files, the same ones for
// both databases, numbered by themselves. Name is lower-case letters, digits and _.
type Schema struct {
	Name  string
	Files fs.FS
}

// A Migration is one step of the schema.
type Migration struct {
	Name    string
	Applied bool
}

// MigrateUp applies what is missing of the schema. On Postgres an advisory lock lets
// one instance do it while others wait; SQLite's file has one process.
func (s *Store) MigrateUp(ctx context.Context) error {
	return s.eachSchema(func(schema Schema, provider *goose.Provider) error {
		results, err := provider.Up(ctx)
		if err != nil {
			return fmt.Errorf("bring the database's schema up to date: %w", classify(err))
		}
		for _, r := range results {
			s.log.InfoContext(ctx, "schema changed", "migration", schema.step(r.Source), "took_ms", r.Duration.Milliseconds())
		}
		return nil
	})
}

// Migrations are all steps, in order.
func (s *Store) Migrations(ctx context.Context) (steps []Migration, err error) {
	err = s.eachSchema(func(schema Schema, provider *goose.Provider) error {
		statuses, err := provider.Status(ctx)
		if err != nil {
			return fmt.Errorf("read the database's schema: %w", classify(err))
		}
		for _, status := range statuses {
			steps = append(steps, Migration{Name: schema.step(status.Source), Applied: status.State == goose.StateApplied})
		}
		return nil
	})
	return steps, err
}

// step names one of our own by its file, others with their resource.
func (schema Schema) step(source *goose.Source) string { return path.Join(schema.Name, source.Path) }

var schemaName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// eachSchema calls f with our own schema, then with the others. Each has a table of its
// own that says what is applied, so that their numbers never meet.
func (s *Store) eachSchema(f func(Schema, *goose.Provider) error) error {
	files, err := fs.Sub(migrations, "migrations/"+string(s.database))
	if err != nil {
		return err
	}
	for _, schema := range append([]Schema{{Files: files}}, s.more...) {
		table := goose.DefaultTablename
		if schema.Name != "" {
			if !schemaName.MatchString(schema.Name) {
				return fmt.Errorf("the schema's name %q must be lower-case letters, digits and _", schema.Name)
			}
			table += "_" + schema.Name
		}
		provider, err := s.provider(schema.Files, table)
		if err != nil {
			return err
		}
		if err := f(schema, provider); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) provider(files fs.FS, table string) (*goose.Provider, error) {
	options := []goose.ProviderOption{goose.WithTableName(table)}
	if s.database == sqliteDatabase {
		return goose.NewProvider(goose.DialectSQLite3, s.write.(*groupWriter).db, files, options...)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, s.read, files, append(options, goose.WithSessionLocker(locker))...)
}
