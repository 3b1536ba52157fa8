package table

import (
	"database/sql"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"guestpass/internal/postgrestest"
	"guestpass/store"
)

// TestNoQueryIsWithoutItsIndex asks both databases how they would run each query of tasks:
// without an index they scan the table, and without the right one SQLite sorts.
func TestNoQueryIsWithoutItsIndex(t *testing.T) {
	for name, tt := range map[string]struct {
		url     string
		explain string
		scan    *regexp.Regexp // in a plan that reads a whole table
	}{
		"SQLite": {"sqlite:" + filepath.Join(t.TempDir(), "test.db"), "EXPLAIN QUERY PLAN ",
			regexp.MustCompile(`SCAN (\w+)(;|$)`)},
		"Postgres": {postgrestest.Shared(t).Database(t), "EXPLAIN ", regexp.MustCompile(`Seq Scan`)},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(t.Context(), store.Options{URL: tt.url, Schemas: []store.Schema{Schema()}})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			fill(t, s, tt.url)
			check := func(index string, sorts bool, query string, values ...any) {
				t.Helper()
				got := plan(t, s, tt.explain+query, values...)
				// it weighs indexes by what the tables hold
				if s.Database() == store.Postgres && index != "tasks_by_word" {
					index, sorts = "", true
				}
				if !strings.Contains(got, index) || tt.scan.MatchString(got) || (!sorts && strings.Contains(got,
					"TEMP B-TREE")) {
					t.Errorf("want %s in %s\n%s", index, query, got)
				}
			}
			for _, tt := range []struct{ query, index string }{
				{"SELECT seq FROM tasks WHERE deleted_at > 0 AND deleted_at <= 1 ORDER BY deleted_at, seq LIMIT 50",
					"tasks_by_deletion"},
				{"SELECT seq FROM task_comments WHERE deleted_at > 0 AND deleted_at <= 1 ORDER BY deleted_at LIMIT 500",
					"task_comments_by_deletion"},
				{"SELECT c.seq FROM tasks t JOIN task_comments c ON c.task_id = t.id WHERE t.deleted_at > 0 " +
					"AND t.deleted_at <= 1 LIMIT 500", "task_comments_of_task"},
				{"SELECT 1 FROM task_comments c JOIN tasks t ON t.id = c.task_id WHERE c.id = 'cmt_1' " +
					"AND c.owner = 'owner7' AND c.deleted_at = 0 AND t.deleted_at = 0", "task_comments"},
				{"SELECT 1 FROM tasks t WHERE t.id = 'tsk_7' AND t.owner = 'owner7' AND t.deleted_at = 0", ""},
				{"SELECT 1 FROM task_comments WHERE owner = 'owner7' AND task_id = 'tsk_7' AND seq > 3 " +
					"AND deleted_at = 0 ORDER BY seq LIMIT 4", "task_comments_by_task"},
				{"DELETE FROM task_labels WHERE task = 1", "task_labels_by_task"},
			} {
				check(tt.index, false, tt.query)
			}
			check("task_comments_by_task", true, `SELECT author, count(*) FROM task_comments
				WHERE owner = 'owner7' AND task_id = 'tsk_7' AND deleted_at = 0 GROUP BY author`) // sorts one task's
		})
	}
}

// plan returns how the database would run a query: the last column of each step.
func plan(t *testing.T, s *store.Store, query string, values ...any) string {
	t.Helper()
	steps, err := store.List(t.Context(), s, func(row store.Scanner) (step string, err error) {
		if s.Database() == store.SQLite {
			return step, row.Scan(new(int), new(int), new(int), &step)
		}
		return step, row.Scan(&step)
	}, query, values...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return strings.Join(steps, "; ")
}

// fill makes rows of twenty owners, which Postgres plans for; SQLite plans alike for any,
// as nobody runs ANALYZE there.
func fill(t *testing.T, s *store.Store, url string) {
	t.Helper()
	if s.Database() == store.SQLite {
		return
	}
	db := rawOf(t, url)
	const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
	for _, statement := range []string{
		numbers + `INSERT INTO tasks (id, owner, title, notes, state, due, priority, assignee, labels, creator,
				version, created_at, updated_at, completed_at, deleted_at, words)
			SELECT 'tsk_' || i, 'owner' || (i % 20), 'common task ' || i, '',
				CASE WHEN i % 7 = 0 THEN 'open' ELSE 'done' END, '20' || (10 + i % 89) || '-01-01',
				1 + i % 4, 'member-' || (i % 97), '', 'member-1', 1, i, i, 0, 0,
				array_to_tsvector(ARRAY['owner:owner' || (i % 20), 'common', 'task', '' || i]) FROM n`,
		numbers + "INSERT INTO task_labels (owner, label, task) SELECT 'owner' || (i % 20), 'label' || (i % 11), i " +
			"FROM n",
		numbers + `INSERT INTO task_comments (id, owner, task_id, author, text, created_at, deleted_at)
			SELECT 'cmt_' || i, 'owner' || (i % 20), 'tsk_' || (1 + i % 1000), 'member-1', 'text', i, 0 FROM n`,
		"VACUUM ANALYZE", // as Postgres does by itself
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// rawOf opens the database as another program does.
func rawOf(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", url+"&search_path=guestpass"
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, dsn = "sqlite", path
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
