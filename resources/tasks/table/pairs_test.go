package table

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"guestpass/internal/postgrestest"
	"guestpass/store"
)

// GrowthSQL makes $1 tasks of one owner, from number $2 on. Values are common or rare, as their names say; those that
// are called far are of one task, the oldest. What is early is due early and made early, and so far from the newest.
const GrowthSQL = `WITH RECURSIVE n (i) AS (SELECT CAST($2 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
	INSERT INTO tasks (id, owner, title, notes, state, due, priority, assignee, labels, creator, version, created_at,
		updated_at, completed_at, deleted_at)
	SELECT 'tsk_' || i, 'acme', 'common task ' || i || CASE WHEN i = 1 THEN ' far' ELSE '' END
			|| CASE WHEN i % 100 = 50 THEN ' medium' ELSE '' END || CASE WHEN i % 10000 = 50 THEN ' rare' ELSE '' END,
		'words of no interest',
		CASE WHEN i % 10 = 0 THEN 'open' WHEN i = 1 THEN 'in_progress' ELSE 'done' END,
		CASE WHEN i = 1 THEN '2000-01-01' WHEN i % 3 = 0 THEN '9999-99-99' WHEN i * 2 < $1
			THEN '20' || (10 + i % 10) || '-01-01' ELSE '20' || (30 + i % 60) || '-01-01' END,
		1 + i % 4,
		CASE WHEN i = 1 THEN 'far' WHEN i % 10000 = 51 THEN 'rare' ELSE 'common-' || (i % 3) END,
		CASE WHEN i = 1 THEN 'far' WHEN i % 10000 = 52 THEN 'rare' WHEN i % 2 = 0 THEN 'common' ELSE '' END,
		'member-1', 1, i, i * 7919 % 1000003, 0, 0 FROM n`

// GrowthWords fills the search index with the words of those tasks.
func GrowthWords(s *store.Store) string {
	if s.Database() == store.Postgres {
		return "UPDATE tasks SET words = to_tsvector('simple', title || ' ' || notes) || " +
			"array_to_tsvector(ARRAY['owner:' || owner])"
	}
	mark := ownerMark("acme")
	return "INSERT INTO task_words (rowid, units, pairs) SELECT seq, '" + mark + "' || " +
		"replace(title || ' ' || notes, ' ', ' " + mark + "'), '' FROM tasks"
}

// filters are the values of each filter: common, rare, of one task at the far end, and of none.
var filters = map[string]map[string]TaskQuery{
	"state": {"common": {State: "done"}, "some": {State: "open"}, "far": {State: "in_progress"}},
	"assignee": {"common": {Assignee: "common-1"}, "rare": {Assignee: "rare"}, "far": {Assignee: "far"},
		"none": {Assignee: "nobody"}},
	"label": {"common": {Label: "common"}, "rare": {Label: "rare"}, "far": {Label: "far"}, "none": {Label: "nothing"}},
	"due_before": {"common": {DueBefore: "2080-01-01"}, "early": {DueBefore: "2020-01-01"},
		"far": {DueBefore: "2001-01-01"}, "none": {DueBefore: "1999-01-01"}},
	"search": {"common": {Search: "common"}, "medium": {Search: "medium"}, "rare": {Search: "rare"},
		"far": {Search: "far"}, "none": {Search: "nowhere"}, "pair": {Search: "common medium"}},
}

// both returns a query with the filters of two.
func both(a, b TaskQuery) TaskQuery {
	for _, field := range []struct {
		to   *string
		from string
	}{{&a.State, b.State}, {&a.Assignee, b.Assignee}, {&a.Label, b.Label}, {&a.DueBefore, b.DueBefore},
		{&a.Search, b.Search}} {
		if field.from != "" {
			*field.to = field.from
		}
	}
	return a
}

// GrowthQueries returns each filter and each pair of two, with each of their values in each order, by the filters.
func GrowthQueries() map[string][]TaskQuery {
	all := map[string][]TaskQuery{}
	add := func(name string, q TaskQuery) {
		sorts := []string{"due", "updated", "priority", "created"}
		if q.Search != "" {
			sorts = []string{"created"}
		}
		for _, q.Sort = range sorts {
			q.Limit = 26
			all[name] = append(all[name], q)
		}
	}
	add("no filter", TaskQuery{})
	names := slices.Sorted(maps.Keys(filters))
	for i, name := range names {
		for _, a := range filters[name] {
			add(name, a)
			for _, other := range names[i+1:] {
				for _, b := range filters[other] {
					add(name+" and "+other, both(a, b))
				}
			}
		}
	}
	return all
}

// TestNoPairOfFiltersReadsWithoutBound runs each filter and each pair of filters, with common values, rare ones and
// those of nothing, in each order, among so many tasks that reading them all would show, and asks both databases what
// each query of them reads.
func TestNoPairOfFiltersReadsWithoutBound(t *testing.T) {
	for name, url := range map[string]string{
		"SQLite":   "sqlite:" + filepath.Join(t.TempDir(), "test.db"),
		"Postgres": postgrestest.Shared(t).Database(t),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(t.Context(), store.Options{URL: url, Schemas: []store.Schema{Schema()}})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			fillGrowth(t, s, url, plannedTasks)
			asked := map[string]bool{}
			note := func(what string) func(string, []any) {
				return func(query string, values []any) {
					if s.Database() == store.Postgres || !asked[query] {
						asked[query] = true
						checkRead(t, s, what, query, values)
					}
				}
			}
			middle := Task{seq: plannedTasks / 2, Due: "2036-01-01", Priority: 2}
			for what, queries := range GrowthQueries() {
				for _, q := range queries {
					for range 2 {
						l := &list{ctx: t.Context(), s: s, owner: "acme", TaskQuery: q, note: note(what)}
						if err := l.run(); err != nil {
							t.Fatal(err)
						}
						q.After = l.page.Position(middle)
					}
				}
			}
		})
	}
}

// plannedTasks are more than any bound.
const plannedTasks = 40_000

var (
	wholeTable = regexp.MustCompile(`SCAN (tasks|t|task_labels|l)\b`)
	ofWindow   = regexp.MustCompile(`(CO-ROUTINE|MATERIALIZE) w|json_each`)
	rowsRead   = regexp.MustCompile(`actual rows=(\d+) loops=(\d+)|Removed by [A-Za-z ]+: (\d+)`)
)

// checkRead complains of a query that reads more than the bounds allow: of three states as much as of one.
func checkRead(t *testing.T, s *store.Store, what, query string, values []any) {
	t.Helper()
	if s.Database() == store.SQLite {
		got := plan(t, s, "EXPLAIN QUERY PLAN "+query, values...)
		// what a window has may be sorted, the entries of an index not: they are merged in their order
		if wholeTable.MatchString(got) || strings.Contains(got, "TEMP B-TREE") && !ofWindow.MatchString(got) {
			t.Errorf("%s: %s\n%s", what, query, got)
		}
		return
	}
	got := plan(t, s, "EXPLAIN (ANALYZE, TIMING OFF) "+query, values...)
	for _, found := range rowsRead.FindAllStringSubmatch(got, -1) {
		read, _ := strconv.Atoi(found[1] + found[3])
		loops, _ := strconv.Atoi(found[2])
		if read*max(loops, 1) > 4*most.passed {
			t.Errorf("%s: it reads %s:\n%s %v\n%s", what, found[0], query, values, got)
			return
		}
	}
}

// fillGrowth makes tasks in large numbers.
func fillGrowth(t *testing.T, s *store.Store, url string, size int) {
	t.Helper()
	db := rawOf(t, url)
	analyze := "SELECT 1"
	if s.Database() == store.Postgres {
		analyze = "VACUUM ANALYZE" // as it does by itself
	}
	for _, statement := range []string{
		strings.NewReplacer("$1", fmt.Sprint(size), "$2", "1").Replace(GrowthSQL), GrowthWords(s),
		"INSERT INTO task_labels (owner, label, task) SELECT owner, labels, seq FROM tasks WHERE labels <> ''", analyze,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}
