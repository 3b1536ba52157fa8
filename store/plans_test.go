package store

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"guestpass/internal/postgrestest"
)

// explain returns how the database would run a query.
type explain func(query string, values ...any) string

// TestNoQueryIsWithoutItsIndex asks both databases how they would run each query:
// without an index they scan the table, and without the right one SQLite sorts.
func TestNoQueryIsWithoutItsIndex(t *testing.T) {
	for name, tt := range map[string]struct {
		url     string
		explain func(*testing.T, *Store) explain
		scan    *regexp.Regexp // in a plan that reads a whole table
	}{
		"SQLite": {"sqlite:" + filepath.Join(t.TempDir(), "test.db"), explainSQLite,
			regexp.MustCompile(`SCAN (\w+)(;|$)`)},
		"Postgres": {postgrestest.Shared(t).Database(t), explainPostgres, regexp.MustCompile(`Seq Scan`)},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), Options{URL: tt.url})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			fill(t, s)
			plan := tt.explain(t, s)
			check := func(index string, sorts bool, query string, values ...any) {
				t.Helper()
				got := plan(query, values...)
				// it weighs indexes by what the tables hold
				if s.database == postgresDatabase && index != "tasks_by_word" {
					index, sorts = "", true
				}
				if !strings.Contains(got, index) || tt.scan.MatchString(got) || (!sorts && strings.Contains(got,
					"TEMP B-TREE")) {
					t.Errorf("want %s in %s\n%s", index, query, got)
				}
			}
			for _, list := range []struct {
				index string
				query TaskQuery
			}{
				{"tasks_by_due", TaskQuery{Sort: "due"}},
				{"tasks_by_update", TaskQuery{Sort: "updated"}},
				{"tasks_by_priority", TaskQuery{Sort: "priority"}},
				{"tasks_by_creation", TaskQuery{Sort: "created"}},
				{"tasks_by_state_due", TaskQuery{Sort: "due", State: "open"}},
				{"tasks_by_assignee_due", TaskQuery{Sort: "due", Assignee: "member-7"}},
				{"tasks_by_due", TaskQuery{Sort: "due", DueBefore: "2026-01-01"}},
				{"tasks_by_update", TaskQuery{Sort: "updated", State: "open"}},
				{"label=?", TaskQuery{Sort: "due", Label: "label7"}},
				{"", TaskQuery{Sort: "created", Search: "7777"}},
				{"", TaskQuery{Sort: "created", Search: "7777", State: "open"}},
				{"", TaskQuery{Sort: "created", Search: "会議の準備"}},
			} {
				for _, after := range []string{"", "2 10007"} {
					list.query.After = after
					statements, err := s.statements("owner7", list.query)
					if err != nil {
						t.Fatal(err)
					}
					for _, statement := range statements {
						query, values := "SELECT "+taskColumns+statement.text, append(statement.values, 25)
						if statement.anew { // it sorts the matches, which are few: see searchPostgres
							check("tasks_by_word", true, query, values...)
						} else {
							check(list.index, false, query, values...)
						}
					}
				}
			}
			for index, query := range map[string]ActivityQuery{
				"activity_by_subject":     {},
				"activity_by_client":      {Client: "app"},
				"activity_of_removal":     {Removals: true},
				"activity_app_of_removal": {Removals: true, Client: "app"},
			} {
				query.Subject, query.After = "member-7", "9"
				statement, err := query.statement("owner7")
				if err != nil {
					t.Fatal(err)
				}
				check(index, false, "SELECT "+activityColumns+statement.text, append(statement.values, 25)...)
			}
			for query, index := range map[string]string{
				"SELECT seq FROM tasks WHERE deleted_at > 0 AND deleted_at <= 1 ORDER BY deleted_at, seq LIMIT 50":                                                     "tasks_by_deletion",
				"SELECT seq FROM task_comments WHERE deleted_at > 0 AND deleted_at <= 1 ORDER BY deleted_at LIMIT 500":                                                 "task_comments_by_deletion",
				"SELECT c.seq FROM tasks t JOIN task_comments c ON c.task_id = t.id WHERE t.deleted_at > 0 AND t.deleted_at <= 1 LIMIT 500":                            "task_comments_of_task",
				"SELECT min(seq) FROM activity WHERE owner = 'owner7' AND seq > 1 AND seq <= 500 AND at > 7":                                                           "activity",
				"SELECT tasks FROM quota_usage WHERE owner = 'owner7' AND person = ''":                                                                                 "quota_usage",
				"SELECT 1 FROM connections c WHERE c.owner = 'owner7' AND c.subject = 'm' AND c.client = 'c' AND c.last_used > 7":                                      "connections",
				"SELECT 1 FROM task_comments c JOIN tasks t ON t.id = c.task_id WHERE c.id = 'cmt_1' AND c.owner = 'owner7' AND c.deleted_at = 0 AND t.deleted_at = 0": "task_comments",
				"SELECT 1 FROM tasks t WHERE t.id = 'tsk_7' AND t.owner = 'owner7' AND t.deleted_at = 0":                                                               "",
				"SELECT 1 FROM task_comments WHERE owner = 'owner7' AND task_id = 'tsk_7' AND seq > 3 AND deleted_at = 0 ORDER BY seq LIMIT 4":                         "task_comments_by_task",
				"SELECT 1 FROM activity a WHERE owner = 'owner7' AND subject = 'member-7' AND seq < 9 ORDER BY seq DESC LIMIT 4":                                       "activity_by_subject",
				"SELECT 1 FROM activity WHERE owner = 'owner7' AND target = 'tsk_7' ORDER BY seq DESC LIMIT 1":                                                         "activity_by_target",
				"DELETE FROM task_labels WHERE task = 1":                                      "task_labels_by_task",
				"SELECT key FROM replies WHERE expires_at <= 1 ORDER BY expires_at LIMIT 500": "replies_by_expiry",
			} {
				check(index, false, query)
			}
			check("replies", false, selectReply, "k", 1)
			check("task_comments_by_task", true, `SELECT author, count(*) FROM task_comments
				WHERE owner = 'owner7' AND task_id = 'tsk_7' AND deleted_at = 0 GROUP BY author`) // sorts one task's
		})
	}
}

func explainSQLite(t *testing.T, s *Store) explain {
	return func(query string, values ...any) string {
		t.Helper()
		steps, err := List(t.Context(), s, func(row Scanner) (step string, err error) {
			return step, row.Scan(new(int), new(int), new(int), &step)
		}, "EXPLAIN QUERY PLAN "+query, values...)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return strings.Join(steps, "; ")
	}
}

func explainPostgres(t *testing.T, s *Store) explain {
	return func(query string, values ...any) string {
		t.Helper()
		steps, err := List(t.Context(), s, func(row Scanner) (step string, err error) { return step, row.Scan(&step) },
			"EXPLAIN "+query, values...)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return strings.Join(steps, "\n")
	}
}

// fill makes rows of twenty owners, which Postgres plans for; SQLite plans alike for any,
// as nobody runs ANALYZE there.
func fill(t *testing.T, s *Store) {
	t.Helper()
	if s.database == sqliteDatabase {
		return
	}
	const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
	for _, statement := range []string{
		numbers + `INSERT INTO tasks (id, owner, title, notes, state, due, priority, assignee, labels, creator, version, created_at, updated_at, completed_at, deleted_at, words)
			SELECT 'tsk_' || i, 'owner' || (i % 20), 'common task ' || i, '', CASE WHEN i % 7 = 0 THEN 'open' ELSE 'done' END, '20' || (10 + i % 89) || '-01-01',
				1 + i % 4, 'member-' || (i % 97), '', 'member-1', 1, i, i, 0, 0,
				array_to_tsvector(ARRAY['owner:owner' || (i % 20), 'common', 'task', '' || i]) FROM n`,
		numbers + "INSERT INTO task_labels (owner, label, task) SELECT 'owner' || (i % 20), 'label' || (i % 11), i " +
			"FROM n",
		numbers + `INSERT INTO task_comments (id, owner, task_id, author, text, created_at, deleted_at)
			SELECT 'cmt_' || i, 'owner' || (i % 20), 'tsk_' || (1 + i % 1000), 'member-1', 'text', i, 0 FROM n`,
		numbers + `INSERT INTO activity (owner, seq, id, at, subject, client, operation, target, before, after, outcome, refers_to, request, conversation, hash)
			SELECT 'owner' || (i % 20), i, 'act_' || i, i, 'member-' || (i % 97), '', '', 'tsk_' || (i % 1000), '', '', 'done', '', '', '', '' FROM n`,
		numbers + "INSERT INTO quota_usage SELECT 'owner' || i, '', 1, 1, 1, 1 FROM n",
		numbers + "INSERT INTO connections SELECT 'owner' || i, 'member-' || i, 'app', '', i, i FROM n",
		numbers + "INSERT INTO replies (key, body, reply, expires_at) SELECT 'key' || i, '', '', i FROM n",
	} {
		if err := s.Write(t.Context(), func(tx *Tx) error { _, err := tx.Exec(statement); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.read.ExecContext(t.Context(), "VACUUM ANALYZE"); err != nil { // as Postgres does by itself
		t.Fatal(err)
	}
}

func TestAMountedFileIsFound(t *testing.T) {
	const table = `36 35 98:0 /n.db /srv/with\040blank/guestpass.db rw,noatime master:1 - ext4 /dev/sda rw
37 35 98:0 / /srv rw - ext4 /dev/sda rw
`
	for path, want := range map[string]bool{"/srv/with blank/guestpass.db": true, "/srv": true,
		"/srv/guestpass.db": false,
		"/n.db":             false} {
		if isMountPoint(table, path) != want {
			t.Errorf("%s: %t", path, !want)
		}
	}
}
