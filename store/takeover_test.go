package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"guestpass/internal/postgrestest"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

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

func TestTablesOfAnEarlierVersionAreTakenOver(t *testing.T) {
	for schema, want := range map[string]string{"": "guestpass", "guestpass": "guestpass", "public": "public"} {
		t.Run("schema "+schema, func(t *testing.T) {
			url, db := earlierDatabase(t)
			db.exec("CREATE TABLE hosts_own (id INT)")
			options := store.Options{URL: url, Schema: schema, Schemas: []store.Schema{table.Schema(), bookmarks}}
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
				task, err := table.Get(t.Context(), s, "acme", "tsk_aaaaaaaaaaaaaaa1")
				if err != nil || len(task.Labels) != 1 {
					t.Errorf("%+v, %v", task, err)
				}
				if denials, err := s.Denials(t.Context(), time.Unix(0, 0)); err != nil || len(denials) != 1 {
					t.Errorf("%+v, %v", denials, err)
				}
				create(t, s, "acme", table.Task{Title: "new"}) // the sequence came along
				_ = s.Close()
			}
			for _, tt := range []struct{ query, value string }{
				{"SELECT title FROM " + want + ".bookmarks", "The Go blog"},
				{"SELECT text FROM " + want + ".task_comments", "a comment"},
				{"SELECT max(version_id)::text FROM " + want + ".guestpass_migrations", "7"},
				{"SELECT string_agg(version_id::text, ' ' ORDER BY id) FROM " + want + ".guestpass_migrations_tasks",
					"0 1 3 4 5 6 8"},
				{"SELECT max(version_id)::text FROM " + want + ".guestpass_migrations_bookmarks", "1"},
				{"SELECT count(*)::text FROM pg_tables WHERE tablename LIKE 'goose%'", "0"},
				{"SELECT schemaname::text FROM pg_tables WHERE tablename = 'hosts_own'", "public"},
				{"SELECT count(DISTINCT schemaname)::text FROM pg_tables WHERE tablename = 'tasks'", "1"},
			} {
				if got := db.one(tt.query); got != tt.value {
					t.Errorf("%s: %s, want %s", tt.query, got, tt.value)
				}
			}
			if left := db.one(fmt.Sprintf(namedTables, "public")); want != "public" && left != "hosts_own" {
				t.Errorf("%s is left in public", left)
			}
		})
	}
}

func TestAnEarlierVersionsTablesAreNotTakenByAnotherInstance(t *testing.T) {
	url, db := earlierDatabase(t)
	o := withTasks(url)
	o.Schema = "second"
	_, err := store.Open(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), `ALTER SCHEMA guestpass RENAME TO "second"`) {
		t.Errorf("%v", err)
	}
	if tables := db.one(fmt.Sprintf(namedTables, "public")); !strings.Contains(tables, "activity_heads") {
		t.Errorf("public has %s", tables)
	}
}

func TestDamagedTablesOfAnEarlierVersionAreNotTakenOver(t *testing.T) {
	for _, damage := range []struct{ statement, names string }{
		{"DROP TABLE replies", "replies"},
		{"ALTER TABLE task_comments DROP COLUMN text", "task_comments"},
		{"DROP TABLE task_labels", "task_labels"},
		{"ALTER TABLE tasks ADD COLUMN color TEXT", "tasks"},
	} {
		url, db := earlierDatabase(t)
		db.exec(damage.statement)
		before := db.one(fmt.Sprintf(namedTables, "public"))
		want := "in the schema public are not as it made them, and so are not taken over: " + damage.names + ";"
		if _, err := store.Open(t.Context(), withTasks(url)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", damage.statement, err)
		}
		if after := db.one(fmt.Sprintf(namedTables, "public")); after != before {
			t.Errorf("%s: public has %s, before %s", damage.statement, after, before)
		}
		if made := db.one(fmt.Sprintf(namedTables, "guestpass")); made != "" {
			t.Errorf("%s: guestpass has %s", damage.statement, made)
		}
	}
}

// TestAHostThatBeganAfterwardsKeepsItsVersions is one whose goose went on in the table that an
// earlier version of Guestpass had made.
func TestAHostThatBeganAfterwardsKeepsItsVersions(t *testing.T) {
	url, db := earlierDatabase(t)
	db.exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (7, true)")
	s := openWith(t, store.Options{URL: url})
	if n := found(t, s, "会议"); n != 1 {
		t.Errorf("found %d times", n)
	}
	if n := db.one("SELECT count(*)::text FROM public.goose_db_version"); n != "4" {
		t.Errorf("the host has %s versions", n)
	}
}

func TestInstancesThatStartTogetherTakeOverOnce(t *testing.T) {
	url, _ := earlierDatabase(t)
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			s, err := store.Open(context.Background(), store.Options{URL: url,
				Schemas: []store.Schema{table.Schema(), bookmarks}})
			if err != nil {
				t.Error(err)
				return
			}
			_ = s.Close()
		})
	}
	group.Wait()
}

// TestAFileOfAnEarlierVersionIsTakenOver has tables of goose's usual name, or those of another program.
func TestAFileOfAnEarlierVersionIsTakenOver(t *testing.T) {
	earlier := func(more ...string) string {
		path := filepath.Join(t.TempDir(), "guestpass.db")
		db := openRaw(t, "sqlite", path)
		for _, name := range []string{"00001_tasks.sql", "00002_connections.sql"} {
			migration, err := os.ReadFile("testdata/version-0.1/sqlite/" + name)
			if err != nil {
				t.Fatal(err)
			}
			up, _, _ := strings.Cut(string(migration), "-- +goose Down")
			db.exec(up)
		}
		db.exec("CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, "+
			"is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))",
			"INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1), (2, 1)",
			`INSERT INTO tasks (id, owner, title, notes, state, due, priority, assignee, labels, creator,
					version, created_at, updated_at, completed_at, deleted_at)
				VALUES ('tsk_1', 'acme', '明天的会议准备', '', 'open', '9999-99-99', 2, '', '',
					'member-1', 1, 1, 1, 0, 0)`)
		db.exec(more...)
		_ = db.Close()
		return path
	}
	for what, more := range map[string][]string{"alone": nil,
		"with a host's versions": {"INSERT INTO goose_db_version (version_id, is_applied) VALUES (9, 1)"}} {
		path := earlier(more...)
		if n := found(t, openFile(t, path), "会议"); n != 1 {
			t.Errorf("%s: found %d times", what, n)
		}
		var left int
		if err := openRaw(t, "sqlite", path).QueryRow("SELECT count(*) FROM sqlite_master WHERE name = " +
			"'goose_db_version'").Scan(&left); err != nil || left != len(more) {
			t.Errorf("%s: %d tables of goose are left, %v", what, left, err)
		}
	}
	host := filepath.Join(t.TempDir(), "host.db")
	openRaw(t, "sqlite", host).exec("CREATE TABLE tasks (id INT)",
		"CREATE TABLE goose_db_version (id INT, version_id INT, is_applied INT)")
	if got := refused(t, "sqlite:"+host); !strings.Contains(got, host+": it has tables of another program ("+
		"goose_db_version, tasks)") {
		t.Error(got)
	}
}

// builtBy makes a database as version 0.1, or one before it, left it after its migrations up to this one, in which all
// tables were the store's own, with rows that it had from the beginning. The place is a schema of Postgres; the first
// versions had goose's usual names in public.
func builtBy(t *testing.T, database store.Database, place string, version int64) (url string, db raw) {
	t.Helper()
	dialect, driver := goose.DialectSQLite3, "sqlite"
	if database == store.Postgres {
		dialect, driver = goose.DialectPostgres, "pgx"
		url = postgrestest.Shared(t).Database(t)
		db = openRaw(t, driver, url+"&search_path="+place)
		db.exec("CREATE SCHEMA IF NOT EXISTS " + place)
	} else {
		path := filepath.Join(t.TempDir(), "guestpass.db")
		url, db = "sqlite:"+path, openRaw(t, driver, path)
	}
	name := "guestpass_migrations"
	if place == "public" {
		name = goose.DefaultTablename
	}
	provider, err := goose.NewProvider(dialect, db.DB, os.DirFS("testdata/version-0.1/"+string(database)),
		goose.WithTableName(name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	db.exec(`INSERT INTO tasks (id, owner, title, notes, state, due, priority, assignee, labels, creator, version,
				created_at, updated_at, completed_at, deleted_at) VALUES
			('tsk_1', 'acme', '明天的会议准备', 'notes', 'open', '2026-12-01', 2, '', 'office', 'ada', 2, 1, 1,
				0, 0),
			('tsk_2', 'acme', 'deleted', '', 'open', '9999-99-99', 2, '', '', 'grace', 1, 1, 1, 0, 1795607999000),
			('tsk_3', 'globex', 'of globex', '会议', 'open', '9999-99-99', 2, '', '', 'ada', 1, 1, 1, 0, 0)`,
		`INSERT INTO task_labels (owner, label, task) VALUES ('acme', 'office', 1)`,
		`INSERT INTO task_comments (id, owner, task_id, author, text, created_at, deleted_at) VALUES
			('cmt_1', 'acme', 'tsk_1', 'grace', 'hello', 1, 0),
			('cmt_2', 'acme', 'tsk_1', 'ada', 'removed', 1, 1795607999000)`,
		`INSERT INTO activity (owner, seq, id, at, subject, client, operation, target, before, after, outcome,
				refers_to, request, conversation, hash) VALUES
			('acme', 1, 'act_1', 1, 'ada', 'app', 'updateTask', 'tsk_1',
				'{"ID":"tsk_1","Title":"before","Notes":"old","State":"open","Due":"","Priority":3,"Assignee":"",'||
				'"Labels":["x"],"Creator":"ada","Version":1,"DeletedAt":"0001-01-01T00:00:00Z"}',
				'{"Title":"one"}', 'done', '', '', '', 'h'),
			('acme', 2, 'act_2', 1, 'grace', 'app', 'deleteTask', 'tsk_2', '{"DeletedAt":"0001-01-01T00:00:00Z"}',
				'{"DeletedAt":"2026-01-01T00:00:00Z"}', 'done', '', '', '', 'h'),
			('acme', 3, 'act_3', 1, 'ada', '', 'revokeConnection', 'app',
				'{"connected_by":"ada"}', '', 'done', '', '', '', 'h')`,
		"INSERT INTO activity_heads (owner, seq, hash) VALUES ('acme', 3, 'h')")
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	return url, db
}

// TestTablesThatWereTheStoresOwnAreTakenOver begins at each of the versions, in the place where the tables were at
// first and in that of now. The tables of tasks get a version table of their own, and no row is lost or counted twice.
func TestTablesThatWereTheStoresOwnAreTakenOver(t *testing.T) {
	for _, database := range []store.Database{store.SQLite, store.Postgres} {
		for _, place := range []string{"public", "guestpass"} {
			last, ofTasks := int64(5), "0 1 3 4 5 6 8"
			if database == store.SQLite {
				ofTasks = "0 1 3 4 5 6 7"
			}
			if database == store.Postgres && place == "public" {
				last = 3 // the later ones never were there
			}
			for version := int64(1); version <= last; version++ {
				t.Run(fmt.Sprint(database, " ", place, " ", version), func(t *testing.T) {
					url, db := builtBy(t, database, place, version)
					c := &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
					if steps := migrations(t, url); strings.Contains(steps, "tasks/00001_tasks.sql: missing") {
						t.Errorf("before the start: %s", steps)
					}
					for range 2 { // taken over, and as they are
						s := open(t, url, c)
						checkTakenOver(t, s)
						_ = s.Close()
					}
					steps := migrations(t, url)
					if strings.Contains(steps, "missing") || strings.Contains(steps, "of ") {
						t.Errorf("after the start: %s", steps)
					}
					if database == store.Postgres {
						if left := db.one(fmt.Sprintf(namedTables, "public")); left != "" {
							t.Errorf("%s is left in public", left)
						}
					}
					s := open(t, url, c)
					if versions := versionsIn(t, s, "guestpass_migrations"); versions != "0 1 2 3 4 5 6 7" {
						t.Errorf("the store's own: %s", versions)
					}
					if versions := versionsIn(t, s, "guestpass_migrations_tasks"); versions != ofTasks {
						t.Errorf("of tasks: %s", versions)
					}
					undoEarlier(t, s)
					if made := create(t, s, "acme", table.Task{Title: "new", Creator: "ada"}); found(t, s, "new") != 1 {
						t.Errorf("%s is not found", made.ID)
					}
				})
			}
		}
	}
}

// migrations are what the command migrate status shows.
func migrations(t *testing.T, url string) (text string) {
	t.Helper()
	s, err := store.Connect(t.Context(), withTasks(url))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	steps, err := s.Migrations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		switch {
		case !step.Applied:
			text += step.Name + ": missing\n"
		case step.Place != "":
			text += step.Name + ": of " + step.Place + "\n"
		}
	}
	return text
}

func versionsIn(t *testing.T, s *store.Store, name string) string {
	t.Helper()
	versions, err := store.List(t.Context(), s, func(row store.Scanner) (version string, err error) {
		return version, row.Scan(&version)
	}, "SELECT version_id FROM "+name+" WHERE is_applied ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(versions, " ")
}

// checkTakenOver looks for what builtBy has made.
func checkTakenOver(t *testing.T, s *store.Store) {
	t.Helper()
	if n := found(t, s, "会议"); n != 1 {
		t.Errorf("found %d times", n)
	}
	kept, err := table.Get(t.Context(), s, "acme", "tsk_1")
	if err != nil || kept.Title != "明天的会议准备" || kept.Due != "2026-12-01" ||
		fmt.Sprint(kept.Labels) != "[office]" {
		t.Errorf("%+v, %v", kept, err)
	}
	if deleted, err := table.GetAny(t.Context(), s, "acme", "tsk_2"); err != nil || deleted.DeletedAt.IsZero() {
		t.Errorf("%+v, %v", deleted, err)
	}
	comments, err := table.ListComments(t.Context(), s, "acme", "tsk_1", "", 10)
	if err != nil || len(comments) != 1 || comments[0].Text != "hello" || comments[0].Author != "grace" {
		t.Errorf("%+v, %v", comments, err)
	}
	labelled, err := table.List(t.Context(), s, "acme", table.TaskQuery{Sort: "due", Label: "office", Limit: 10})
	if err != nil || len(labelled.Tasks) != 1 {
		t.Errorf("%+v, %v", labelled, err)
	}
	text := func(row store.Scanner) (text string, err error) { return text, row.Scan(&text) }
	things, err := store.List(t.Context(), s, text, `SELECT owner || ' ' || person || ' ' || kind || ' ' || number
		FROM quota_things WHERE number <> 0 ORDER BY owner, person, kind`)
	const wanted = "acme  comments 1, acme  tasks 1, acme ada tasks 1, acme grace comments 1, globex  tasks 1, " +
		"globex ada tasks 1"
	if got := strings.Join(things, ", "); err != nil || got != wanted {
		t.Errorf("counted are %s, %v", got, err)
	}
	wrong, err := store.List(t.Context(), s, text, `SELECT u.owner || ' ' || u.activities || ' ' || u.bytes
		FROM quota_usage u WHERE u.person = '' AND (
			u.activities <> (SELECT count(*) FROM activity a WHERE a.owner = u.owner)
			OR u.bytes <> (SELECT coalesce(sum(bytes), 0) FROM tasks t WHERE t.owner = u.owner)
				+ (SELECT coalesce(sum(bytes), 0) FROM task_comments c WHERE c.owner = u.owner)
				+ (SELECT coalesce(sum(bytes), 0) FROM activity a WHERE a.owner = u.owner))`)
	if err != nil || len(wrong) > 0 {
		t.Errorf("counted wrongly: %s, %v", wrong, err)
	}
	removals, err := store.List(t.Context(), s, text, "SELECT id FROM activity WHERE removes = 1 ORDER BY seq")
	if err != nil || fmt.Sprint(removals) != "[act_2 act_3]" {
		t.Errorf("%v, %v", removals, err)
	}
}

// undoEarlier undoes what the first version had recorded, which was the whole task.
func undoEarlier(t *testing.T, s *store.Store) {
	t.Helper()
	update, err := s.Activity(t.Context(), "acme", "ada", "act_1")
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, func(tx *store.Tx) error { return tx.Undo(update, table.UndoTask) })
	undone, err := table.Get(t.Context(), s, "acme", "tsk_1")
	if err != nil || undone.Title != "before" || undone.Notes != "old" || undone.Due != "" || undone.Priority != 3 ||
		fmt.Sprint(undone.Labels) != "[x]" {
		t.Errorf("after the undo: %+v, %v", undone, err)
	}
	if err := s.Purge(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAStoreWithoutTasksHasNoneOfTheirTables is one whose resources were all left out.
func TestAStoreWithoutTasksHasNoneOfTheirTables(t *testing.T) {
	names := func(t *testing.T, s *store.Store) string {
		t.Helper()
		query := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
		if s.Database() == store.Postgres {
			query = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'guestpass' ORDER BY tablename"
		}
		list, err := store.List(t.Context(), s, func(row store.Scanner) (name string, err error) {
			return name, row.Scan(&name)
		}, query)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(list, " ")
	}
	for name, url := range map[string]string{"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "test.db"),
		"Postgres": postgrestest.Shared(t).Database(t)} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(t.Context(), store.Options{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			want := "activity activity_heads connections denials guestpass_migrations quota_things quota_usage replies"
			if name == "Postgres" {
				want += " reserve"
			}
			want += " schema_compatibility"
			if got := names(t, s); got != want {
				t.Errorf("there are %s", got)
			}
			_ = s.Close()
			s = openWith(t, store.Options{URL: url}) // they are made when they are needed first
			got := strings.Fields(names(t, s))
			for _, name := range []string{"guestpass_migrations_tasks", "indexing", "task_comments", "task_labels",
				"tasks"} {
				if !slices.Contains(got, name) {
					t.Errorf("%s is not made: there are %s", name, got)
				}
			}
			create(t, s, "acme", table.Task{Title: "kept"})
			_ = s.Close()
			// They stay when they are left out again.
			if s, err = store.Open(t.Context(), store.Options{URL: url}); err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			s = openWith(t, store.Options{URL: url})
			if n := found(t, s, "kept"); n != 1 {
				t.Errorf("found %d times", n)
			}
		})
	}
}

// TestTasksThatWereLeftOutAreTakenOverLater has a database of version 0.1, at first started without them.
func TestTasksThatWereLeftOutAreTakenOverLater(t *testing.T) {
	for _, database := range []store.Database{store.SQLite, store.Postgres} {
		for _, place := range []string{"public", "guestpass"} {
			url, _ := builtBy(t, database, place, map[string]int64{"public": 2, "guestpass": 5}[place])
			c := &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
			s, err := store.Open(t.Context(), store.Options{URL: url, Now: c.Now})
			if err != nil {
				t.Errorf("%s, %s: %v", database, place, err)
				continue
			}
			_ = s.Close()
			checkTakenOver(t, open(t, url, c))
		}
	}
}

// TestTablesOfTasksThatAreAnotherProgramsAreRefused has one of their names in a store that was started without them.
func TestTablesOfTasksThatAreAnotherProgramsAreRefused(t *testing.T) {
	for driver, url := range map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "test.db"),
		"pgx": postgrestest.Shared(t).Database(t)} {
		s, err := store.Open(t.Context(), store.Options{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		dsn := strings.TrimPrefix(url, "sqlite:")
		if driver == "pgx" {
			dsn += "&search_path=guestpass"
		}
		db := openRaw(t, driver, dsn)
		db.exec("CREATE TABLE tasks (id INT, title TEXT)", "CREATE TABLE indexing (a INT)")
		if _, err := store.Open(t.Context(), withTasks(url)); err == nil ||
			!strings.Contains(err.Error(), "tables of another program (indexing, tasks)") {
			t.Errorf("%s: %v", driver, err)
		}
		if n := db.one("SELECT CAST(count(*) AS text) FROM tasks"); n != "0" {
			t.Errorf("%s: %s rows", driver, n)
		}
		db.exec("DROP TABLE tasks", "DROP TABLE indexing")
		create(t, openWith(t, store.Options{URL: url}), "acme", table.Task{Title: "kept"})
	}
}
