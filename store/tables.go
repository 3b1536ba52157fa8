package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/pressly/goose/v3"
)

// tables are the columns of each table.
type tables map[string][]string

// expected returns the tables that a schema's migrations make, up to a version. Nobody has to keep a second list.
func (s *Store) expected(schema Schema, version int64) (tables, error) {
	found, err := inMemory(schema, version)
	if err == nil && s.database == Postgres && schema.Postgres != nil {
		schema.Postgres(found)
	}
	return found, err
}

// A history is what a schema's migrations for SQLite are, up to a version.
type history struct {
	name    string
	version int64
	files   [sha256.Size]byte
}

// made has for each history a func() (tables, error) that makes its tables once. A start asks for the same ones several
// times.
var made sync.Map

// Foresee makes in memory what [Store.Open] looks for in the database: a tenth of a start that can pass beside other
// work. What is wrong Open says.
func (s *Store) Foresee() {
	for _, schema := range append([]Schema{{Files: migrations}}, s.schemas...) {
		if schema.Files != nil {
			_, _ = inMemory(schema, math.MaxInt64)
		}
	}
}

// inMemory runs a schema's migrations in memory, after our own. The tables are the caller's to change.
func inMemory(schema Schema, version int64) (tables, error) {
	files, err := schema.filesFor(SQLite)
	if err != nil {
		return nil, err
	}
	digest, err := digestOf(files)
	if err != nil {
		return nil, err
	}
	version = min(version, latestOf(files))
	run, _ := made.LoadOrStore(history{schema.Name, version, digest}, sync.OnceValues(func() (tables, error) {
		return runInMemory(schema, version)
	}))
	found, err := run.(func() (tables, error))()
	return found.clone(), err
}

// latestOf returns the number of the last migration among files.
func latestOf(files fs.FS) (last int64) {
	names, _ := fs.Glob(files, "*.sql") // the pattern is a good one
	for _, name := range names {
		if number, err := goose.NumericComponent(name); err == nil {
			last = max(last, number)
		}
	}
	return last
}

// digestOf returns one of the names and the content of all files.
func digestOf(files fs.FS) (digest [sha256.Size]byte, err error) {
	all := sha256.New()
	err = fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		fmt.Fprintf(all, "%q %q\n", path, content)
		return err
	})
	return [sha256.Size]byte(all.Sum(nil)), err
}

func runInMemory(schema Schema, version int64) (tables, error) {
	ctx := context.Background() // for whoever asks, whether or not the first to ask waits for it
	own, err := ownMemory()
	if err != nil {
		return nil, err
	}
	if schema.Name == "" && version >= own.version {
		return own.tables.clone(), nil
	}
	memory, err := newMemory()
	if err != nil {
		return nil, err
	}
	defer memory.read.Close()
	if schema.Name == "" {
		return memory.make(ctx, schema, version)
	}
	if err := memory.raw(ctx, func(c serializer) error { return c.Deserialize(own.image) }); err != nil {
		return nil, err
	}
	found, err := memory.make(ctx, schema, version)
	maps.DeleteFunc(found, func(name string, _ []string) bool { return own.tables[name] != nil })
	return found, err
}

// newMemory returns an empty database in memory. Close its readers.
func newMemory() (*Store, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // each connection has a memory of its own
	return &Store{database: SQLite, read: db}, nil
}

// own is a database with our own tables alone.
type own struct {
	version int64 // the last
	tables  tables
	image   []byte
}

// ownMemory makes it once: the migrations of every other schema come after ours.
var ownMemory = sync.OnceValues(func() (o own, err error) {
	memory, err := newMemory()
	if err != nil {
		return o, err
	}
	defer memory.read.Close()
	ctx, schema := context.Background(), Schema{Files: migrations}
	if o.tables, err = memory.make(ctx, schema, math.MaxInt64); err != nil {
		return o, err
	}
	provider, err := memory.provider(schema)
	if err != nil {
		return o, err
	}
	o.version = latest(provider)
	err = memory.raw(ctx, func(c serializer) error {
		o.image, err = c.Serialize()
		return err
	})
	return o, err
})

// A serializer is a connection of the driver, which writes a database as the bytes of its file, and takes them.
type serializer interface {
	Serialize() ([]byte, error)
	Deserialize(image []byte) error
}

// raw calls f with the connection of a database in memory.
func (s *Store) raw(ctx context.Context, f func(serializer) error) error {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error {
		driver, ok := c.(serializer)
		if !ok {
			return fmt.Errorf("the driver of SQLite has %T, which cannot copy a database in memory", c)
		}
		return f(driver)
	})
}

// clone returns tables that can be changed apart from these.
func (t tables) clone() tables {
	copied := make(tables, len(t))
	for name, columns := range t {
		copied[name] = slices.Clone(columns)
	}
	return copied
}

// make applies a schema's migrations up to a version, and returns all tables but the version tables.
func (s *Store) make(ctx context.Context, schema Schema, version int64) (tables, error) {
	provider, err := s.provider(schema)
	if err != nil {
		return nil, err
	}
	if _, err := provider.UpTo(ctx, min(version, latest(provider))); err != nil {
		return nil, err
	}
	found, err := s.tables(ctx, "")
	maps.DeleteFunc(found, func(name string, columns []string) bool { return isVersionTable(columns) })
	return found, err
}

const (
	sqliteTables = `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%'`
	postgresTables = `SELECT c.relname, a.attname FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`
	postgresUsable = postgresTables +
		` AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
		AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')`
)

// tables returns the tables of a place: a schema of Postgres, or the SQLite file.
func (s *Store) tables(ctx context.Context, place string) (tables, error) {
	if s.database == SQLite {
		return s.readTables(ctx, sqliteTables)
	}
	return s.readTables(ctx, postgresTables, place)
}

func (s *Store) readTables(ctx context.Context, query string, args ...any) (tables, error) {
	found := tables{}
	err := s.each(ctx, func(row Scanner) error {
		var table, column string
		err := row.Scan(&table, &column)
		found[table] = append(found[table], column)
		return err
	}, query, args...)
	return found, err
}

// lacking names the tables and columns that are wanted and missing, in order.
func (wanted tables) lacking(found tables) (names []string) {
	for _, table := range slices.Sorted(maps.Keys(wanted)) {
		if found[table] == nil {
			names = append(names, table)
			continue
		}
		for _, column := range wanted[table] {
			if !slices.Contains(found[table], column) {
				names = append(names, table+"."+column)
			}
		}
	}
	return names
}

// equal reports whether both tables have the same columns, in any order.
func equal(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// expectTables makes verify look for all tables of all schemas.
func (s *Store) expectTables(ctx context.Context) error {
	s.wanted = tables{}
	return s.eachSchema(func(schema Schema, provider *goose.Provider) error {
		wanted, err := s.expected(schema, latest(provider))
		if err != nil && s.database == Postgres && schema.Name != "" { // in words that only Postgres knows
			s.log.WarnContext(ctx, "tables of a resource are not verified: its migrations run on Postgres only",
				"resource", schema.Name, "error", err)
			return nil
		}
		maps.Copy(s.wanted, wanted)
		return err
	})
}

// latest returns the number of the last migration.
func latest(provider *goose.Provider) int64 {
	sources := provider.ListSources()
	if len(sources) == 0 {
		return 0
	}
	return sources[len(sources)-1].Version
}

// verify returns an error that names the tables and columns that are missing.
func (s *Store) verify(ctx context.Context) error {
	query, args := sqliteTables, []any{}
	if s.database == Postgres {
		query, args = postgresUsable, []any{s.schema}
	}
	found, err := s.readTables(ctx, query, args...)
	if err != nil {
		return err
	}
	lacking := s.wanted.lacking(found)
	if len(lacking) == 0 {
		return nil
	}
	where := "the SQLite file"
	if s.file != nil {
		where += " " + s.file.path
	}
	if s.database == Postgres {
		there, err := s.tables(ctx, s.schema)
		if err != nil {
			return err
		}
		if len(s.wanted.lacking(there)) == 0 {
			return fmt.Errorf("%w: the role may not read and write in the schema %s: %s", errTables, s.schema,
				strings.Join(lacking, ", "))
		}
		where = "the schema " + s.schema
	}
	return fmt.Errorf("%w: %s lacks what its migrations made: %s; put back a backup", errTables, where,
		strings.Join(lacking, ", "))
}

var errTables = errors.New("the tables are not as they should be")
