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
				if s.database == Postgres {
					index, sorts = "", true
				}
				if !strings.Contains(got, index) || tt.scan.MatchString(got) || (!sorts && strings.Contains(got,
					"TEMP B-TREE")) {
					t.Errorf("want %s in %s\n%s", index, query, got)
				}
			}
			for _, tt := range []struct {
				index string
				query ActivityQuery
			}{
				{"activity_by_subject", ActivityQuery{}},
				{"activity_by_client", ActivityQuery{Client: "app"}},
				{"activity_by_client", ActivityQuery{NoClient: true, Kind: Changed}},
				{"activity_of_removal", ActivityQuery{Removals: true}},
				{"activity_app_of_removal", ActivityQuery{Removals: true, Client: "app"}},
				{"activity_by_subject", ActivityQuery{Kind: Created, Operations: []string{"a", "b"}}},
				{"activity_by_client", ActivityQuery{Client: "app", Since: "3"}},
			} {
				index, query := tt.index, tt.query
				query.Subject, query.After = "member-7", "9"
				statement, err := query.statement("owner7")
				if err != nil {
					t.Fatal(err)
				}
				check(index, false, "SELECT "+activityColumns+statement.Text, append(statement.Values, 25)...)
			}
			for _, tt := range []struct{ query, index string }{
				{"SELECT min(seq) FROM activity WHERE owner = 'owner7' AND seq > 1 AND seq <= 500 AND at > 7",
					"activity"},
				{"SELECT number FROM quota_things WHERE owner = 'owner7' AND person = '' AND kind = 'things'",
					"quota_things"},
				{"SELECT bytes FROM quota_usage WHERE owner = 'owner7' AND person = ''", "quota_usage"},
				{"SELECT 1 FROM connections c WHERE c.owner = 'owner7' AND c.subject = 'm' AND c.client = 'c' " +
					"AND c.last_used > 7", "connections"},
				{"SELECT 1 FROM activity a WHERE owner = 'owner7' AND subject = 'member-7' AND seq < 9 " +
					"ORDER BY seq DESC LIMIT 4", "activity_by_subject"},
				{"SELECT 1 FROM activity WHERE owner = 'owner7' AND target = 'tsk_7' ORDER BY seq DESC LIMIT 1",
					"activity_by_target"},
				{"SELECT id FROM activity WHERE owner = 'owner7' AND seq IN (SELECT max(seq) FROM activity " +
					"WHERE owner = 'owner7' AND target IN ('tsk_7', 'tsk_8') GROUP BY target)", "activity_by_target"},
				{"SELECT key FROM replies WHERE expires_at <= 1 ORDER BY expires_at LIMIT 500", "replies_by_expiry"},
			} {
				check(tt.index, false, tt.query)
			}
			check("replies", false, selectReply, "k", 1)
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
	if s.database == SQLite {
		return
	}
	const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
	for _, statement := range []string{
		numbers + `INSERT INTO activity (owner, seq, id, at, subject, client, operation, target, before, after, outcome,
				refers_to, request, conversation, hash)
			SELECT 'owner' || (i % 20), i, 'act_' || i, i, 'member-' || (i % 97), '', '', 'tsk_' || (i % 1000), '', '',
				'done', '', '', '', '' FROM n`,
		numbers + "INSERT INTO quota_usage (owner, person, activities, bytes) SELECT 'owner' || i, '', 1, 1 FROM n",
		numbers + "INSERT INTO quota_things SELECT 'owner' || i, '', 'things', 1 FROM n",
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
