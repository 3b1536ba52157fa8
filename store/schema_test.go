package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"guestpass/store"
	"guestpass/internal/postgrestest"
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

const namedTables = `SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
	WHERE relkind = 'r' AND nspname = '%s'`

// earlierDatabase is one that an earlier version has made, with a resource: its dump, restored.
func earlierDatabase(t *testing.T) (url string, db raw) {
	t.Helper()
	dump, err := os.ReadFile("testdata/postgres-earlier.sql")
	if err != nil {
		t.Fatal(err)
	}
	url = postgrestest.Shared(t).Database(t)
	db = openRaw(t, "pgx", url)
	db.exec(string(dump))
	return url, db
}

func found(t *testing.T, s *store.Store, search string) int {
	t.Helper()
	page, err := s.Tasks(t.Context(), "acme", store.TaskQuery{Sort: "created", Search: search, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return page.Total
}

func TestTablesOfAnEarlierVersionAreTakenOver(t *testing.T) {
	for schema, want := range map[string]string{"": "guestpass", "guestpass": "guestpass", "public": "public"} {
		t.Run("schema "+schema, func(t *testing.T) {
			url, db := earlierDatabase(t)
			db.exec("CREATE TABLE hosts_own (id INT)")
			options := store.Options{URL: url, Schema: schema, More: []store.Schema{bookmarks}}
			for range 2 { // once taken over, and once as they are
				s, err := store.Open(t.Context(), options)
				if err != nil {
					t.Fatal(err)
				}
				for _, search := range []string{"会议", "明天", "acme", "muller", "plain"} {
					if n := found(t, s, search); n != 1 {
						t.Errorf("%s is found %d times", search, n)
					}
				}
				task, err := s.Task(t.Context(), "acme", "tsk_aaaaaaaaaaaaaaa1")
				if err != nil || len(task.Labels) != 1 {
					t.Errorf("%+v, %v", task, err)
				}
				if denials, err := s.Denials(t.Context(), time.Unix(0, 0)); err != nil || len(denials) != 1 {
					t.Errorf("%+v, %v", denials, err)
				}
				create(t, s, "acme", store.Task{Title: "new"}) // the sequence came along
				_ = s.Close()
			}
			for query, value := range map[string]string{
				"SELECT title FROM " + want + ".bookmarks":                                         "The Go blog",
				"SELECT text FROM " + want + ".task_comments":                                      "a comment",
				"SELECT max(version_id)::text FROM " + want + ".guestpass_migrations":              "5",
				"SELECT max(version_id)::text FROM " + want + ".guestpass_migrations_bookmarks":    "1",
				"SELECT count(*)::text FROM pg_tables WHERE tablename LIKE 'goose%'":               "0",
				"SELECT schemaname::text FROM pg_tables WHERE tablename = 'hosts_own'":             "public",
				"SELECT count(DISTINCT schemaname)::text FROM pg_tables WHERE tablename = 'tasks'": "1",
			} {
				if got := db.one(query); got != value {
					t.Errorf("%s: %s, want %s", query, got, value)
				}
			}
		})
	}
}

func TestAnEarlierVersionsTablesAreNotTakenByAnotherInstance(t *testing.T) {
	url, db := earlierDatabase(t)
	_, err := store.Open(t.Context(), store.Options{URL: url, Schema: "second"})
	if err == nil || !strings.Contains(err.Error(), `ALTER SCHEMA guestpass RENAME TO "second"`) {
		t.Errorf("%v", err)
	}
	if tables := db.one(fmt.Sprintf(namedTables, "public")); !strings.Contains(tables, "activity_heads") {
		t.Errorf("public has %s", tables)
	}
}

func TestDamagedTablesOfAnEarlierVersionAreNotTakenOver(t *testing.T) {
	for what, damage := range map[string]string{"replies": "DROP TABLE replies",
		"task_comments": "ALTER TABLE task_comments DROP COLUMN text"} {
		url, db := earlierDatabase(t)
		db.exec(damage)
		if _, err := store.Open(t.Context(), store.Options{URL: url}); err == nil ||
			!strings.Contains(err.Error(), "in the schema public") || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", damage, err)
		}
	}
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
	s, err := store.Open(t.Context(), store.Options{URL: address, More: []store.Schema{bookmarks}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	create(t, s, "acme", store.Task{Title: "ours"})
	if err := s.Ping(t.Context()); err != nil || found(t, s, "ours") != 1 {
		t.Errorf("%v", err)
	}
	for query, want := range map[string]string{
		"SELECT string_agg(title, '') FROM public.tasks":     "the host's",
		"SELECT count(*)::text FROM public.goose_db_version": "4",
		fmt.Sprintf(namedTables,
			"public"): "activity bookmarks goose_db_version replies tasks",
		"SELECT count(*)::text FROM guestpass.bookmarks":            "0",
		"SELECT string_agg(title, '') FROM guestpass.tasks":         "ours",
		"SELECT count(*)::text FROM guestpass.guestpass_migrations": "6",
		"SELECT current_setting('search_path')":                     `"$user", public`,
	} {
		if got := host.one(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	_, err = store.Open(t.Context(), store.Options{URL: address, Schema: "public"})
	if err == nil || !strings.Contains(err.Error(), "activity, replies, tasks") ||
		!strings.Contains(err.Error(), "GUESTPASS_DATABASE_SCHEMA") {
		t.Errorf("among the host's tables: %v", err)
	}
	if tables := host.one(fmt.Sprintf(namedTables,
		"public")); tables != "activity bookmarks goose_db_version replies tasks" {
		t.Errorf("public has %s", tables)
	}
}

func TestMigrationsOfAnotherProgramAreRefusedInWords(t *testing.T) {
	for _, statement := range []string{"CREATE TABLE guestpass_migrations (a INT)", "CREATE TABLE tasks (a INT)"} {
		address := postgrestest.Shared(t).Database(t)
		openRaw(t, "pgx", address).exec(statement, "CREATE TABLE goose_db_version (a INT)")
		o := store.Options{URL: address, Schema: "public"}
		const want = "the schema public has tables of another program ("
		if _, err := store.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", statement, err)
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
		s, err := store.Open(t.Context(), store.Options{URL: url, More: []store.Schema{bookmarks}})
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		driver, dsn, prefix := "sqlite", strings.TrimPrefix(url, "sqlite:"), ""
		if dsn == url {
			driver, prefix = "pgx", "guestpass."
		}
		db := openRaw(t, driver, dsn)
		for _, table := range []string{"guestpass_migrations_bookmarks", "guestpass_migrations"} {
			db.exec("INSERT INTO " + prefix + table + " (version_id, is_applied) VALUES (99, true)")
			want := "the table " + table + " says 99"
			o := store.Options{URL: url, More: []store.Schema{bookmarks}}
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
		s, err := store.Open(t.Context(), store.Options{URL: url, Schema: schema})
		if err != nil {
			t.Errorf("%s: %v", schema, err)
			continue
		}
		create(t, s, "acme", store.Task{Title: "kept"})
		_ = s.Close()
	}
}

// TestAHostThatBeganAfterwardsKeepsItsVersions is one whose goose went on in the table that an
// earlier version of Guestpass had made.
func TestAHostThatBeganAfterwardsKeepsItsVersions(t *testing.T) {
	url, db := earlierDatabase(t)
	db.exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (7, true)")
	s, err := store.Open(t.Context(), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n := found(t, s, "会议"); n != 1 {
		t.Errorf("found %d times", n)
	}
	if n := db.one("SELECT count(*)::text FROM public.goose_db_version"); n != "4" {
		t.Errorf("the host has %s versions", n)
	}
}

func TestTwoGuestpassesShareADatabase(t *testing.T) {
	url := postgrestest.Shared(t).Database(t)
	var stores []*store.Store
	for _, schema := range []string{"", "eu", "_x9"} {
		s, err := store.Open(t.Context(), store.Options{URL: url, Schema: schema, More: []store.Schema{bookmarks}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		create(t, s, "acme", store.Task{Title: "of " + schema})
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

func TestInstancesThatStartTogetherTakeOverOnce(t *testing.T) {
	url, _ := earlierDatabase(t)
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			s, err := store.Open(context.Background(), store.Options{URL: url, More: []store.Schema{bookmarks}})
			if err != nil {
				t.Error(err)
				return
			}
			_ = s.Close()
		})
	}
	group.Wait()
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
		s, err := store.Open(t.Context(), store.Options{URL: u.String()})
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
	s, err := store.Open(t.Context(), store.Options{URL: address}) // an administrator does what migrate up does
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
			return err
		})
		if err := s.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "connections.scopes, replies") {
			t.Errorf("%v", err)
		}
	})
}

func TestAStartWithoutItsTablesIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	address := postgrestest.Shared(t).Database(t)
	for driver, url := range map[string]string{"sqlite": "sqlite:" + path, "pgx": address} {
		s, err := store.Open(t.Context(), store.Options{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		if driver == "sqlite" {
			openRaw(t, driver, path).exec("DROP TABLE denials")
		} else {
			openRaw(t, driver, url).exec("DROP TABLE guestpass.denials")
		}
		if _, err := store.Open(t.Context(), store.Options{URL: url}); err == nil ||
			!strings.Contains(err.Error(), "denials") {
			t.Errorf("%s: %v", driver, err)
		}
	}
}

func TestMigrationsAreReadWithoutMakingAnything(t *testing.T) {
	applied := func(url, schema string, more ...store.Schema) (names []string) {
		t.Helper()
		s, err := store.Connect(t.Context(), store.Options{URL: url, Schema: schema, More: more})
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
	s, err := store.Open(t.Context(), store.Options{URL: lossy})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	openRaw(t, "sqlite", strings.TrimPrefix(lossy, "sqlite:")).exec("ALTER TABLE tasks DROP COLUMN notes")
	if s, err = store.Connect(t.Context(), store.Options{URL: lossy}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrations(t.Context()); err == nil || !strings.Contains(err.Error(), "tasks.notes") {
		t.Errorf("a column was lost: %v", err)
	}
	_ = s.Close()
	fresh := postgrestest.Shared(t).Database(t)
	if steps := applied(fresh, "", bookmarks); steps != nil {
		t.Errorf("%v", steps)
	}
	if n := openRaw(t, "pgx",
		fresh).one("SELECT count(*)::text FROM pg_namespace WHERE nspname = 'guestpass'"); n != "0" {
		t.Error("a schema was made")
	}
	url, db := earlierDatabase(t)
	before := db.one(fmt.Sprintf(namedTables, "public"))
	want := []string{"00001_tasks.sql public", "00002_connections.sql public", "bookmarks/00001_bookmarks.sql public"}
	if steps := applied(url, "", bookmarks); !slices.Equal(steps, want) {
		t.Errorf("%q", steps)
	}
	if after := db.one(fmt.Sprintf(namedTables, "public")); after != before {
		t.Errorf("%s, before %s", after, before)
	}
}
