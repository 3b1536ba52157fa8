package store

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/pressly/goose/v3"

	"guestpass/internal/pattern"
)

//go:embed migrations
var embedded embed.FS

var migrations, _ = fs.Sub(embedded, "migrations") // fails for an invalid name only

// A Schema is the tables of a resource. They have a version table of their own and are kept beside Guestpass's: in its
// schema of Postgres, or in its SQLite file.
type Schema struct {
	Name string // lower-case letters, digits and _

	// Files are goose SQL files, numbered by themselves: the same ones for both databases, or, where there are folders
	// of these names, those in sqlite and in postgres. A file with the line "-- +guestpass Expand" says that programs
	// which do not know it go on beside it; else they are refused at their next start.
	Files fs.FS

	// Postgres changes columns, by the name of their table, from those that the files for SQLite make to those that the
	// files for Postgres make; nil if they are the same. A start checks that they are there.
	Postgres func(columns map[string][]string)

	// Migrated is called once the tables are there, at every start, before anybody uses them; nil for nothing to do.
	// Other instances wait for it.
	Migrated func(context.Context, *Store) error

	// Purge removes for good what was deleted before, see [Store.InSteps]. It is called every hour; nil for nothing to
	// do.
	Purge func(ctx context.Context, s *Store, before time.Time) error

	// Export calls row with what the tables tell of a person in rows that do not name them; see [Store.Export], which
	// finds the others by itself. nil: nothing.
	Export func(ctx context.Context, s *Store, p Person, row func(table string, row PersonalRow) error) error

	// Erase removes what is the person's alone from the tables, and takes them out of texts that an index of the
	// resource's own has. Where they are named after it, [Store.Erase] puts the pseudonym. nil: nothing is removed, but
	// all that belongs to the owner if that is the person.
	Erase func(tx *Tx, e *Erasure) error

	// Quotas are how many things of each kind one owner may have, unless Options.Quota says otherwise.
	Quotas map[string]int64

	// WasBuiltIn is set for tables that the store itself made up to version 0.1, in the same place: it takes them over.
	WasBuiltIn bool
}

// A Migration is one step of the schema.
type Migration struct {
	Name    string
	Applied bool
	Place   string // where an earlier version has applied it, from which [Open] takes it over; else ""
}

// Missing reports whether [Open] would apply the step, or take it over.
func (m Migration) Missing() bool { return !m.Applied || m.Place != "" }

// migrateUp takes over what an earlier version has made, and applies the migrations that are missing. On Postgres one
// instance does so while others wait; a SQLite file has one process.
func (s *Store) migrateUp(ctx context.Context) error {
	return s.locked(ctx, func() error {
		if s.asItIs {
			return s.takeAsItIs(ctx)
		}
		if err := s.makeSchema(ctx); err != nil {
			return err
		}
		if err := s.examineAll(ctx); err != nil { // before anything is begun that a later schema refuses
			return err
		}
		err := s.eachSchema(func(schema Schema, provider *goose.Provider) error {
			if err := s.prepare(ctx, schema, provider); err != nil {
				return err
			}
			results, err := provider.Up(ctx)
			if err != nil {
				if schema.Name != "" {
					err = fmt.Errorf("the tables of %s: %w", schema.Name, err)
				}
				return fmt.Errorf("bring the database's schema up to date: %w", s.classify(err))
			}
			for _, r := range results {
				s.log.InfoContext(ctx, "schema changed", "migration", schema.step(r.Source), "took_ms",
					r.Duration.Milliseconds())
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := s.expectTables(ctx); err != nil {
			return err
		}
		if err := s.verify(ctx); err != nil {
			return err
		}
		return s.makeReady(ctx)
	})
}

// takeAsItIs refuses a schema that is not up to date.
func (s *Store) takeAsItIs(ctx context.Context) error {
	if err := s.examineAll(ctx); err != nil {
		return err
	}
	if err := s.checkUpToDate(ctx); err != nil {
		return err
	}
	return s.makeReady(ctx)
}

// makeReady has each resource make ready the tables that are there.
func (s *Store) makeReady(ctx context.Context) error {
	if err := s.noteCompatible(ctx); err != nil {
		return err
	}
	ctx = context.WithValue(ctx, makingKey, true)
	for _, schema := range s.schemas {
		if schema.Migrated == nil {
			continue
		}
		if err := schema.Migrated(ctx, s); err != nil {
			return fmt.Errorf("make the tables of %s ready: %w", schema.Name, err)
		}
	}
	return nil
}

// Migrations returns all steps, in order. It only reads. If all are applied and tables or columns are missing all the
// same, the error names them.
func (s *Store) Migrations(ctx context.Context) (steps []Migration, err error) {
	there, err := s.tables(ctx, s.schema)
	if err != nil {
		return nil, fmt.Errorf("read the database's schema: %w", err)
	}
	err = s.eachSchema(func(schema Schema, provider *goose.Provider) error {
		var applied []int64
		var place string
		earlier, found, err := s.examine(ctx, schema, provider)
		if err != nil {
			return err
		}
		if found {
			applied, place = earlier.upTo(provider), cmp.Or(earlier.place, "the same file")
		} else if there[schema.versionTable()] != nil {
			applied, err = s.versions(ctx, s.schema, schema.versionTable())
		}
		for _, source := range provider.ListSources() {
			step := Migration{Name: schema.step(source), Applied: slices.Contains(applied, source.Version)}
			if step.Applied {
				step.Place = place
			}
			steps = append(steps, step)
		}
		return err
	})
	if err != nil || slices.ContainsFunc(steps, Migration.Missing) {
		return steps, err
	}
	if err := s.expectTables(ctx); err != nil {
		return steps, err
	}
	return steps, s.verify(ctx)
}

// step names a migration of our own by its file, others with their resource.
func (schema Schema) step(source *goose.Source) string { return path.Join(schema.Name, source.Path) }

// versionTable returns the name of the table of applied migrations. No other program uses that name.
func (schema Schema) versionTable() string { return schema.tableName("guestpass_migrations") }

// oldVersionTable returns the earlier name of that table, goose's usual one.
func (schema Schema) oldVersionTable() string { return schema.tableName(goose.DefaultTablename) }

func (schema Schema) tableName(name string) string {
	if schema.Name != "" {
		name += "_" + schema.Name
	}
	return name
}

var schemaName = pattern.New(`^[a-z][a-z0-9_]{0,39}$`)

// eachSchema calls f with our own schema, then with the others. Each has a table of its
// own that says what is applied, so that their numbers never meet.
func (s *Store) eachSchema(f func(Schema, *goose.Provider) error) error {
	for _, schema := range append([]Schema{{Files: migrations}}, s.schemas...) {
		if schema.Name != "" && !schemaName.MatchString(schema.Name) {
			return fmt.Errorf("the schema's name %q must be lower-case letters, digits and _", schema.Name)
		}
		if schema.Files == nil {
			return fmt.Errorf("the schema %q has no Files: give it the migrations of its tables, or leave it out",
				schema.Name)
		}
		provider, err := s.provider(schema)
		if err != nil {
			return fmt.Errorf("the tables of %s: %w", cmp.Or(schema.Name, "the store"), err)
		}
		if err := f(schema, provider); err != nil {
			return err
		}
	}
	return nil
}

// filesFor returns a schema's files for one of the two databases.
func (schema Schema) filesFor(d Database) (fs.FS, error) {
	if entry, err := fs.Stat(schema.Files, string(d)); err == nil && entry.IsDir() {
		return fs.Sub(schema.Files, string(d))
	}
	return schema.Files, nil
}

func (s *Store) provider(schema Schema) (*goose.Provider, error) {
	dialect, db := goose.DialectPostgres, s.making
	if s.database == SQLite {
		dialect, db = goose.DialectSQLite3, s.read
		if writer, ok := s.write.(*groupWriter); ok {
			db = writer.db
		}
	}
	files, err := schema.filesFor(s.database)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, db, files, goose.WithTableName(schema.versionTable()))
}
