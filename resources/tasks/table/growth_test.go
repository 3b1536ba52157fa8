package table_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass/internal/postgrestest"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

var growthTable = flag.String("growth", "", "file for the table that BenchmarkGrowth measures, in markdown")
var growthDatabases = flag.String("databases", "SQLite Postgres", "databases that BenchmarkGrowth measures")

// BenchmarkGrowth measures getTask, every list and every search at three sizes on both databases, and how many times
// slower each is than with a hundred tasks, in one run. Of the values, orders and pages of a filter it tells the median
// and the slowest, and which that is if it takes more than three times as long.
func BenchmarkGrowth(b *testing.B) {
	sizes := []int{100, 200_000, 1_000_000}
	var lines, slow strings.Builder
	for _, name := range strings.Fields(*growthDatabases) {
		measured := map[int]map[string][]sample{}
		for _, size := range sizes {
			if size <= *benchTasks {
				measured[size] = growth(b, name, size)
			}
		}
		for _, what := range slices.Sorted(maps.Keys(measured[100])) {
			few := measured[100][what]
			fmt.Fprintf(&lines, "| %s | %s | %s |", name, what, slowest(few).took.Round(time.Microsecond))
			for _, size := range sizes[1:] {
				if measured[size] == nil {
					lines.WriteString(" – | – |")
					continue
				}
				median, worst, of := ratios(few, measured[size][what])
				fmt.Fprintf(&lines, " %.1f | %.1f |", median, worst)
				b.ReportMetric(worst, strings.ReplaceAll(fmt.Sprintf("%s/%s/%d", name, what, size), " ", "_"))
				if worst > 3 {
					fmt.Fprintf(&slow, "%s, %d tasks: %.1f times as long, %s: %s\n", name, size, worst, of.took,
						of.name)
				}
			}
			lines.WriteString("\n")
		}
	}
	b.Logf("\n%s\n%s", lines.String(), slow.String())
	if *growthTable != "" {
		if err := os.WriteFile(*growthTable, []byte(lines.String()+"\n"+slow.String()), 0o600); err != nil {
			b.Fatal(err)
		}
	}
}

// sample is how long one query takes.
type sample struct {
	name string
	took time.Duration
}

func slowest(samples []sample) sample {
	return slices.MaxFunc(samples, func(a, b sample) int { return int(a.took - b.took) })
}

// ratios compares the queries with those with the same filters among few tasks: the median with the median, and the
// slowest with the slowest.
func ratios(few, many []sample) (median, worst float64, of sample) {
	middle := func(all []sample) time.Duration {
		all = slices.Clone(all)
		slices.SortFunc(all, func(a, b sample) int { return int(a.took - b.took) })
		return all[len(all)/2].took
	}
	of = slowest(many)
	return float64(middle(many)) / float64(middle(few)), float64(of.took) / float64(slowest(few).took), of
}

// growth fills a database and measures.
func growth(b *testing.B, name string, size int) map[string][]sample {
	b.Helper()
	url := "sqlite:" + filepath.Join(b.TempDir(), "growth.db")
	if name == "Postgres" {
		url = postgrestest.Shared(b).Database(b)
	}
	start := time.Now()
	o := store.Options{URL: url, Schemas: []store.Schema{table.Schema()}}
	s, err := store.Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	db := openRaw(b, url)
	indexes := db.withoutIndexes(map[string]string{
		"SQLite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql <> '' " +
			"AND tbl_name IN ('tasks', 'task_labels')",
		"Postgres": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'guestpass' " +
			"AND tablename IN ('tasks', 'task_labels') AND indexdef NOT LIKE '%UNIQUE%'"}[name])
	for from := 1; from <= size; from += 100_000 {
		db.exec(strings.NewReplacer("$2", fmt.Sprint(from), "n WHERE i < $1", "n WHERE i < "+
			fmt.Sprint(min(size, from+99_999)), "$1", fmt.Sprint(size)).Replace(table.GrowthSQL))
	}
	db.exec(table.GrowthWords(s),
		"INSERT INTO task_labels (owner, label, task) SELECT owner, labels, seq FROM tasks WHERE labels <> ''")
	filled := time.Now()
	db.exec(indexes...)
	indexed := time.Since(filled)
	if name == "Postgres" {
		db.exec("VACUUM ANALYZE") // as it does by itself
	}
	b.Logf("%s: %d tasks made in %s, of which indexes %s", name, size, time.Since(start).Round(time.Second),
		indexed.Round(time.Second))
	measured := map[string][]sample{}
	measured["getTask"] = []sample{{"", fastest(b, func() error {
		_, err := table.Get(b.Context(), s, "acme", fmt.Sprint("tsk_", size/2))
		return err
	})}}
	for what, queries := range table.GrowthQueries() {
		for _, q := range queries {
			measured[what] = append(measured[what], pages(b, s, q, size)...)
		}
	}
	return measured
}

// withoutIndexes drops indexes, and returns what makes them.
func (r raw) withoutIndexes(query string) (definitions []string) {
	r.t.Helper()
	rows, err := r.Query(query)
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	names := []string{}
	for rows.Next() {
		var name, definition string
		if err := rows.Scan(&name, &definition); err != nil {
			r.t.Fatal(err)
		}
		names, definitions = append(names, "DROP INDEX "+name), append(definitions, definition)
	}
	if err := rows.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.exec(names...)
	return definitions
}

// pages measures the first page of a list, and one from the middle on.
func pages(b *testing.B, s *store.Store, q table.TaskQuery, size int) (samples []sample) {
	half, err := table.Get(b.Context(), s, "acme", fmt.Sprint("tsk_", size/2+1))
	if err != nil {
		b.Fatal(err)
	}
	first, err := table.List(b.Context(), s, "acme", q)
	if err != nil {
		b.Fatal(err)
	}
	for _, q.After = range []string{"", first.Position(half)} {
		samples = append(samples, sample{fmt.Sprintf("%+v", q), fastest(b, func() error {
			_, err := table.List(b.Context(), s, "acme", q)
			return err
		})})
	}
	return samples
}

// fastest returns the shortest time of several: the others say what else the machine does.
func fastest(b *testing.B, do func() error) time.Duration {
	b.Helper()
	took := time.Hour
	for range 9 {
		start := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		took = min(took, time.Since(start))
	}
	return took
}
