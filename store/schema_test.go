package store_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"guestpass/internal/postgrestest"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// bookmarks is a resource of somebody's own.
var bookmarks = store.Schema{Name: "bookmarks", Files: fstest.MapFS{"00001_bookmarks.sql": {Data: []byte(`-- +goose Up
CREATE TABLE bookmarks (
	id         TEXT    PRIMARY KEY,
	owner      TEXT    NOT NULL,
	title      TEXT    NOT NULL,
	url        TEXT    NOT NULL,
	created_at BIGINT  NOT NULL,
	deleted    BOOLEAN NOT NULL
);`)}}}

// raw is the database as another program sees it.
type raw struct {
	*sql.DB
	t *testing.T
}

func openRaw(t *testing.T, driver, dsn string) raw {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return raw{db, t}
}

func (r raw) exec(statements ...string) {
	r.t.Helper()
	for _, statement := range statements {
		if _, err := r.Exec(statement); err != nil {
			r.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// one returns the first value of the query's answer, as text.
func (r raw) one(query string) (value string) {
	r.t.Helper()
	if err := r.QueryRow(query).Scan(&value); err != nil {
		r.t.Fatalf("%s: %v", query, err)
	}
	return value
}

const namedTables = `SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class c
	JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname = '%s'`

func found(t *testing.T, s *store.Store, search string) int {
	t.Helper()
	page, err := table.List(t.Context(), s, "acme", table.TaskQuery{Sort: "created", Search: search, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return page.Total
}

// TestAHostsTablesAreLeftAlone is a database whose application uses goose as well, and has
// tables of the same names.
func TestAHostsTablesAreLeftAlone(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	host := openRaw(t, "pgx", address)
	host.exec("CREATE TABLE goose_db_version (id SERIAL PRIMARY KEY, version_id BIGINT NOT NULL, is_applied BOOLEAN "+
		"NOT NULL, tstamp TIMESTAMP DEFAULT now())",
		"INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), "+
			"(20260101000000, true)",
		"CREATE TABLE tasks (id INT, title "+
			"TEXT)", "INSERT INTO tasks VALUES (1, 'the host''s')", "CREATE TABLE activity (id INT)",
		"CREATE TABLE bookmarks (id INT)", "CREATE TABLE replies (key TEXT PRIMARY KEY, body TEXT, reply TEXT, "+
			"expires_at BIGINT)")
	s := openWith(t, store.Options{URL: address, Schemas: []store.Schema{bookmarks}})
	create(t, s, "acme", table.Task{Title: "ours"})
	if err := s.Ping(t.Context()); err != nil || found(t, s, "ours") != 1 {
		t.Errorf("%v", err)
	}
	for query, want := range map[string]string{
		"SELECT string_agg(title, '') FROM public.tasks":     "the host's",
		"SELECT count(*)::text FROM public.goose_db_version": "4",
		fmt.Sprintf(namedTables,
			"public"): "activity bookmarks goose_db_version replies tasks",
		"SELECT count(*)::text FROM guestpass.bookmarks":                  "0",
		"SELECT string_agg(title, '') FROM guestpass.tasks":               "ours",
		"SELECT count(*)::text FROM guestpass.guestpass_migrations":       "8",
		"SELECT count(*)::text FROM guestpass.guestpass_migrations_tasks": "7",
		"SELECT current_setting('search_path')":                           `"$user", public`,
	} {
		if got := host.one(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	_, err := store.Open(t.Context(), store.Options{URL: address, Schema: "public"})
	if err == nil || !strings.Contains(err.Error(), "(activity, replies)") ||
		!strings.Contains(err.Error(), "GUESTPASS_DATABASE_SCHEMA") {
		t.Errorf("among the host's tables: %v", err)
	}
	if tables := host.one(fmt.Sprintf(namedTables,
		"public")); tables != "activity bookmarks goose_db_version replies tasks" {
		t.Errorf("public has %s", tables)
	}
}

func TestMigrationsOfAnotherProgramAreRefusedInWords(t *testing.T) {
	for name, statement := range map[string]string{
		"guestpass_migrations":       "CREATE TABLE guestpass_migrations (a INT)",
		"activity":                   "CREATE TABLE activity (a INT)",
		"tasks":                      "CREATE TABLE tasks (a INT)",
		"guestpass_migrations_tasks": "CREATE TABLE guestpass_migrations_tasks (a INT)",
	} {
		address := postgrestest.Shared(t).Database(t)
		db := openRaw(t, "pgx", address)
		db.exec(statement, "CREATE TABLE goose_db_version (a INT)")
		o := withTasks(address)
		o.Schema = "public"
		want := "the schema public has tables of another program (" + name + ")"
		if _, err := store.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", statement, err)
		}
		if tables := strings.Fields(db.one(fmt.Sprintf(namedTables, "public"))); len(tables) != 2 {
			t.Errorf("%s: among them were made %s", statement, tables)
		}
		s, err := store.Connect(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Migrations(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: status: %v", statement, err)
		}
		_ = s.Close()
	}
}

func TestWhatANewerVersionMadeIsRefused(t *testing.T) {
	for _, url := range []string{"sqlite:" + filepath.Join(t.TempDir(), "test.db"),
		postgrestest.Shared(t).Database(t)} {
		o := store.Options{URL: url, Schemas: []store.Schema{table.Schema(), bookmarks}}
		s, err := store.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		driver, dsn, prefix := "sqlite", strings.TrimPrefix(url, "sqlite:"), ""
		if dsn == url {
			driver, prefix = "pgx", "guestpass."
		}
		db := openRaw(t, driver, dsn)
		for _, name := range []string{"guestpass_migrations_bookmarks", "guestpass_migrations_tasks",
			"guestpass_migrations"} {
			db.exec("INSERT INTO " + prefix + name + " (version_id, is_applied) VALUES (99, true)")
			want := "the table " + name + " says 99"
			if s, err := store.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", url, err, want)
				_ = s.Close()
			}
			reading, err := store.Connect(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := reading.Migrations(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: status: %v, want %q", url, err, want)
			}
			_ = reading.Close()
		}
	}
}

func TestASchemaMayBeCalledLikeAWordOfSQL(t *testing.T) {
	url := postgrestest.Shared(t).Database(t)
	for _, schema := range []string{"select", "user"} {
		o := withTasks(url)
		o.Schema = schema
		s, err := store.Open(t.Context(), o)
		if err != nil {
			t.Errorf("%s: %v", schema, err)
			continue
		}
		create(t, s, "acme", table.Task{Title: "kept"})
		_ = s.Close()
	}
}

func TestTwoGuestpassesShareADatabase(t *testing.T) {
	url := postgrestest.Shared(t).Database(t)
	var stores []*store.Store
	for _, schema := range []string{"", "eu", "_x9"} {
		s := openWith(t, store.Options{URL: url, Schema: schema, Schemas: []store.Schema{bookmarks}})
		create(t, s, "acme", table.Task{Title: "of " + schema})
		stores = append(stores, s)
	}
	for _, s := range stores {
		if n := found(t, s, "of"); n != 1 {
			t.Errorf("%d tasks", n)
		}
	}
	for _, name := range []string{"a-b", "A", "pg_x", "9", `x"; DROP TABLE tasks; --`, "a,public",
		strings.Repeat("a", 64), "information_schema"} {
		if _, err := store.Open(t.Context(), store.Options{URL: url, Schema: name}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestARoleWithoutRightsIsToldWhatIsMissing starts as one that a careful host has made.
func TestARoleWithoutRightsIsToldWhatIsMissing(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	admin := openRaw(t, "pgx", address)
	admin.exec("DROP ROLE IF EXISTS restricted", "CREATE ROLE restricted LOGIN")
	u, _ := url.Parse(address)
	u.User = url.User("restricted")
	start := func(want string) {
		t.Helper()
		s, err := store.Open(t.Context(), withTasks(u.String()))
		if s != nil {
			_ = s.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	start(`CREATE SCHEMA "guestpass" AUTHORIZATION "restricted"`)
	admin.exec("CREATE SCHEMA guestpass")
	start(`GRANT USAGE, CREATE ON SCHEMA "guestpass"`)
	admin.exec("GRANT USAGE ON SCHEMA guestpass TO restricted")
	start("permission denied for schema guestpass")
	s, err := store.Open(t.Context(), withTasks(address)) // an administrator does what migrate up does
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	start("permission denied for table guestpass_migrations")
	admin.exec("GRANT SELECT ON ALL TABLES IN SCHEMA guestpass TO restricted")
	start("may not read and write in the schema guestpass: activity")
	admin.exec("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA guestpass TO restricted")
	start("")
	admin.exec("REASSIGN OWNED BY restricted TO postgres", "DROP OWNED BY restricted", "DROP ROLE restricted")
}

func TestLostTablesAreNamed(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		write(t, s, func(tx *store.Tx) error {
			_, err := tx.Exec("DROP TABLE replies")
			if err == nil {
				_, err = tx.Exec("ALTER TABLE connections DROP COLUMN scopes")
			}
			if err == nil {
				_, err = tx.Exec("DROP TABLE task_comments")
			}
			return err
		})
		if err := s.Ping(t.Context()); err == nil ||
			!strings.Contains(err.Error(), "connections.scopes, replies, task_comments") {
			t.Errorf("%v", err)
		}
	})
}

func TestAStartWithoutItsTablesIsRefused(t *testing.T) {
	for driver, url := range map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "test.db"),
		"pgx": postgrestest.Shared(t).Database(t)} {
		s, err := store.Open(t.Context(), withTasks(url))
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		db := openRaw(t, driver, strings.TrimPrefix(url, "sqlite:"))
		if driver == "pgx" {
			db = openRaw(t, driver, url+"&search_path=guestpass")
		}
		for _, lost := range []struct{ statement, want string }{
			{"ALTER TABLE tasks DROP COLUMN notes", ": tasks.notes;"},
			{"DROP TABLE denials", ": denials, tasks.notes;"},
			{"DROP TABLE task_labels", ": denials, task_labels, tasks.notes;"},
			{"DROP TABLE task_comments", ": denials, task_comments, task_labels, tasks.notes;"},
			{"DROP TABLE indexing", ": denials, indexing, task_comments, task_labels, tasks.notes;"},
			{"DROP TABLE tasks", ": denials, indexing, task_comments, task_labels, tasks;"},
		} {
			db.exec(lost.statement)
			if _, err := store.Open(t.Context(), withTasks(url)); err == nil ||
				!strings.Contains(err.Error(), lost.want) || !strings.Contains(err.Error(), "put back a backup") {
				t.Errorf("%s, %s: %v", driver, lost.statement, err)
			}
		}
	}
}

func TestMigrationsAreReadWithoutMakingAnything(t *testing.T) {
	applied := func(url, schema string, more ...store.Schema) (names []string) {
		t.Helper()
		s, err := store.Connect(t.Context(), store.Options{URL: url, Schema: schema, Schemas: more})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		steps, err := s.Migrations(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps {
			if step.Applied {
				names = append(names, step.Name+" "+step.Place)
			}
		}
		return names
	}
	lossy := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
	s, err := store.Open(t.Context(), withTasks(lossy))
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	openRaw(t, "sqlite", strings.TrimPrefix(lossy, "sqlite:")).exec("ALTER TABLE tasks DROP COLUMN notes")
	if s, err = store.Connect(t.Context(), withTasks(lossy)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrations(t.Context()); err == nil || !strings.Contains(err.Error(), "tasks.notes") {
		t.Errorf("a column was lost: %v", err)
	}
	_ = s.Close()
	fresh := postgrestest.Shared(t).Database(t)
	if steps := applied(fresh, "", table.Schema(), bookmarks); steps != nil {
		t.Errorf("%v", steps)
	}
	if n := openRaw(t, "pgx",
		fresh).one("SELECT count(*)::text FROM pg_namespace WHERE nspname = 'guestpass'"); n != "0" {
		t.Error("a schema was made")
	}
	url, db := earlierDatabase(t)
	before := db.one(fmt.Sprintf(namedTables, "public"))
	want := []string{"00001_activity.sql public", "00002_connections.sql public", "tasks/00001_tasks.sql public",
		"bookmarks/00001_bookmarks.sql public"}
	if steps := applied(url, "", table.Schema(), bookmarks); !slices.Equal(steps, want) {
		t.Errorf("%q", steps)
	}
	if after := db.one(fmt.Sprintf(namedTables, "public")); after != before {
		t.Errorf("%s, before %s", after, before)
	}
}
