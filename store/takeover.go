package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
	goosedb "github.com/pressly/goose/v3/database"
)

// Versions before this one shared goose's usual version table and, on Postgres, the schema that everybody uses. Their
// tables are recognized by their columns, never by names alone: a host's own tasks, or its goose_db_version, stay where
// they are.

// earlier is what an earlier version has made of a schema.
type earlier struct {
	place    string // the schema of Postgres; "" on SQLite
	version  int64
	tables   tables
	versions []int64 // in the old version table, which may be another program's as well
}

// earlier returns what an earlier version has made of the schema, if there is anything.
func (s *Store) earlier(ctx context.Context, schema Schema, provider *goose.Provider) (e earlier, found bool,
	err error) {
	if e.place, err = s.oldPlace(ctx); err != nil {
		return e, false, err
	}
	there, err := s.tables(ctx, e.place)
	if err != nil {
		return e, false, err
	}
	if schema.WasBuiltIn {
		return s.builtIn(ctx, schema, provider, e.place)
	}
	if !isVersionTable(there[schema.oldVersionTable()]) {
		return e, false, nil
	}
	if e.versions, err = s.versions(ctx, e.place, schema.oldVersionTable()); err != nil {
		return e, false, err
	}
	var last tables
	for _, source := range slices.Backward(provider.ListSources()) {
		if !slices.Contains(e.versions, source.Version) {
			continue
		}
		wanted, err := s.expected(schema, source.Version)
		if err != nil {
			return e, false, err
		}
		if wanted.match(there) {
			e.version, e.tables = source.Version, wanted
			return e, true, nil
		}
		if last == nil && wanted.partly(there, schema) {
			last = wanted
		}
	}
	if last != nil {
		return e, false, s.notTakenOver(e.place, last.differing(there))
	}
	return e, false, nil
}

// builtIn looks for tables that were the store's own: where the store is now, or where an earlier version of it was.
func (s *Store) builtIn(ctx context.Context, schema Schema, provider *goose.Provider, oldPlace string) (e earlier,
	found bool, err error) {
	own, err := s.expected(Schema{Files: migrations}, math.MaxInt64)
	if err != nil {
		return e, false, err
	}
	for _, place := range slices.Compact([]string{s.schema, oldPlace}) {
		there, err := s.tables(ctx, place)
		if err != nil {
			return e, false, err
		}
		maps.DeleteFunc(there, func(table string, columns []string) bool {
			return own[table] != nil || isVersionTable(columns)
		})
		if len(there) == 0 {
			continue
		}
		var fewest []string // that differ, of a version that has made some of what is there
		for _, source := range slices.Backward(provider.ListSources()) {
			wanted, err := s.expected(schema, source.Version)
			if err != nil {
				return e, false, err
			}
			differing := wanted.differing(there)
			if len(differing) == 0 {
				return earlier{place: place, version: source.Version, tables: wanted}, true, nil
			}
			if len(differing) < len(wanted) && (fewest == nil || len(differing) < len(fewest)) {
				fewest = differing
			}
		}
		if fewest != nil {
			return e, false, s.notTakenOver(place, fewest)
		}
	}
	return e, false, nil
}

func (s *Store) notTakenOver(place string, differing []string) error {
	return fmt.Errorf("the tables of an earlier Guestpass%s are not as it made them, and so are not "+
		"taken over: %s; put back a backup", inSchema(place), strings.Join(differing, ", "))
}

func inSchema(place string) string {
	if place == "" {
		return ""
	}
	return " in the schema " + place
}

// match reports whether all tables are there with exactly these columns.
func (wanted tables) match(there tables) bool { return len(wanted.differing(there)) == 0 }

func (wanted tables) differing(there tables) (names []string) {
	for _, table := range slices.Sorted(maps.Keys(wanted)) {
		if !equal(wanted[table], there[table]) {
			names = append(names, table)
		}
	}
	return names
}

// partly reports whether part of the tables is certainly there: of our own schema a table that nobody else has.
func (wanted tables) partly(there tables, schema Schema) bool {
	if schema.Name == "" {
		return equal(wanted["activity_heads"], there["activity_heads"])
	}
	return len(wanted.differing(there)) < len(wanted)
}

// upTo returns the versions that were applied.
func (e earlier) upTo(provider *goose.Provider) (applied []int64) {
	for _, source := range provider.ListSources() {
		if source.Version <= e.version {
			applied = append(applied, source.Version)
		}
	}
	return applied
}

// isVersionTable reports whether a table has the columns of goose's.
func isVersionTable(columns []string) bool {
	return slices.Contains(columns, "version_id") && slices.Contains(columns, "is_applied")
}

// versions returns those that a version table calls applied.
func (s *Store) versions(ctx context.Context, place, table string) ([]int64, error) {
	return List(ctx, s, func(row Scanner) (version int64, err error) { return version, row.Scan(&version) },
		"SELECT DISTINCT version_id FROM "+in(place, table)+" WHERE is_applied ORDER BY version_id")
}

// identifier quotes a name, which may be a keyword of SQL.
func identifier(name string) string { return pgx.Identifier{name}.Sanitize() }

// in returns the name of a table with its place.
func in(place, table string) string {
	if place == "" {
		return identifier(table)
	}
	return pgx.Identifier{place, table}.Sanitize()
}

// prepare does what comes before the first migration of a schema: it takes over what an
// earlier version has made, and refuses to begin among the tables of another program.
func (s *Store) prepare(ctx context.Context, schema Schema, provider *goose.Provider) error {
	old, found, err := s.examine(ctx, schema, provider)
	if err != nil || !found {
		return err
	}
	return s.takeOver(ctx, schema, provider, old)
}

// examineAll returns the error of the first schema that cannot be used as it is. It changes nothing.
func (s *Store) examineAll(ctx context.Context) error {
	return s.eachSchema(func(schema Schema, provider *goose.Provider) error {
		_, _, err := s.examine(ctx, schema, provider)
		return err
	})
}

// examine returns what an earlier version has made. It changes nothing. Tables of another program are an error.
func (s *Store) examine(ctx context.Context, schema Schema, provider *goose.Provider) (old earlier, found bool,
	err error) {
	there, err := s.tables(ctx, s.schema)
	if err != nil {
		return old, false, err
	}
	if columns := there[schema.versionTable()]; columns != nil {
		if !isVersionTable(columns) {
			return old, false, s.foreign(schema.versionTable())
		}
		return old, false, s.knownVersions(ctx, schema, provider)
	}
	if s.database == SQLite && len(there) == 0 { // a new file
		return old, false, nil
	}
	old, found, err = s.earlier(ctx, schema, provider)
	if err != nil {
		return old, false, err
	}
	if found && old.place != s.schema && s.schema != defaultSchema && s.database == Postgres {
		return old, false, fmt.Errorf("the schema %s has the tables of an earlier Guestpass: if they are this "+
			"one's, start it once without GUESTPASS_DATABASE_SCHEMA, which moves them "+
			"to the schema %s, and then run ALTER SCHEMA %s RENAME TO %s; if they are another one's, start that one "+
			"with this version first",
			old.place, defaultSchema, defaultSchema, identifier(s.schema))
	}
	if found {
		return old, true, nil
	}
	if s.database == SQLite && schema.Name == "" && len(there) > 0 { // a file is one program's alone
		return old, false, s.foreign(slices.Sorted(maps.Keys(there))...)
	}
	wanted, err := s.expected(schema, latest(provider))
	if err != nil { // then there is nothing to compare; the migrations say themselves what is wrong
		return old, false, nil
	}
	var taken []string
	for _, table := range slices.Sorted(maps.Keys(wanted)) {
		if there[table] != nil {
			taken = append(taken, table)
		}
	}
	if len(taken) > 0 {
		return old, false, s.foreign(taken...)
	}
	return old, false, nil
}

// knownVersions refuses tables that a newer program has made, unless that says that older ones keep them right.
func (s *Store) knownVersions(ctx context.Context, schema Schema, provider *goose.Provider) error {
	applied, err := s.versions(ctx, s.schema, schema.versionTable())
	if err != nil {
		return err
	}
	if len(applied) == 0 { // goose begins with a 0
		return s.foreign(schema.versionTable())
	}
	if last, known := slices.Max(applied), latest(provider); last > known {
		if goOn, err := s.mayGoOn(ctx, schema, last, known); err != nil || goOn {
			return err
		}
		return fmt.Errorf("a newer version has changed the database%s: the table %s says %d, and this program knows "+
			"%d at most; start the newer one, have it undo the change (guestpass migrate down-to %s), or put back a "+
			"backup from before", inSchema(s.schema), schema.versionTable(), last, known,
			path.Join(schema.Name, strconv.FormatInt(known, 10)))
	}
	return nil
}

// maxNamed is how many tables of another program are named.
const maxNamed = 10

// foreign refuses tables of another program.
func (s *Store) foreign(tables ...string) error {
	if len(tables) > maxNamed {
		tables = append(tables[:maxNamed:maxNamed], "…")
	}
	if s.database == SQLite {
		return s.file.errorf("it has tables of another program (%s): name another file", strings.Join(tables, ", "))
	}
	return fmt.Errorf("the schema %s has tables of another program (%s): set GUESTPASS_DATABASE_SCHEMA to the name "+
		"of one that is Guestpass's alone",
		s.schema, strings.Join(tables, ", "))
}

// takeOver moves the tables to the store's place, all or none.
func (s *Store) takeOver(ctx context.Context, schema Schema, provider *goose.Provider, old earlier) error {
	err := s.write.run(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if old.place != s.schema {
			for table := range old.tables {
				if _, err := tx.ExecContext(ctx, "ALTER TABLE "+in(old.place, table)+" SET SCHEMA "+
					identifier(s.schema)); err != nil {
					return err
				}
			}
		}
		return s.takeOverVersions(ctx, tx, schema, provider, old)
	})
	if denied(err) {
		return fmt.Errorf("take over the tables of an earlier version: the role must own them, and may have to make "+
			"tables in the schema %s: %w", s.schema, err)
	}
	if err != nil {
		return fmt.Errorf("take over the tables of an earlier version: %w", s.classify(err))
	}
	s.log.InfoContext(ctx, "taken over from an earlier version", "from", old.place, "to", s.schema, "tables",
		slices.Sorted(maps.Keys(old.tables)))
	return nil
}

// takeOverVersions takes over the versions. It leaves the old version table to others if that has their migrations,
// too.
func (s *Store) takeOverVersions(ctx context.Context, tx *sql.Tx, schema Schema, provider *goose.Provider,
	old earlier) error {
	applied := append([]int64{0}, old.upTo(provider)...) // goose begins with a 0
	if slices.Equal(applied, old.versions) {
		moved := []string{"ALTER TABLE " + in(s.schema, schema.oldVersionTable()) + " RENAME TO " +
			schema.versionTable()}
		if old.place != s.schema {
			moved = append([]string{"ALTER TABLE " + in(old.place, schema.oldVersionTable()) + " SET SCHEMA " +
				identifier(s.schema)}, moved...)
		}
		for _, statement := range moved {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}
	dialect := goosedb.DialectPostgres
	if s.database == SQLite {
		dialect = goosedb.DialectSQLite3
	}
	table, err := goosedb.NewStore(dialect, schema.versionTable())
	if err != nil {
		return err
	}
	err = table.CreateVersionTable(ctx, tx)
	for _, version := range applied {
		err = errors.Join(err, table.Insert(ctx, tx, goosedb.InsertRequest{Version: version}))
	}
	return err
}
