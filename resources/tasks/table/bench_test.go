package table_test

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"guestpass/internal/postgrestest"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

var benchTasks = flag.Int("tasks", 1_000_000, "largest number of tasks in the benchmarks, of one owner")

// seedSQL makes $1 tasks of one owner; every one has the word "common", one in ten
// thousand "rare", and nearly all and one in ten thousand a word within text without spaces.
// Both databases take it.
const seedSQL = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
	INSERT INTO tasks (id, owner, title, notes, state, due, priority, assignee, labels, creator, version, created_at,
		updated_at, completed_at, deleted_at)
	SELECT 'tsk_' || i, 'acme', 'common task ' || i,
		CASE WHEN i % 10000 = 5000 THEN 'rare 珍しい会議です'
			ELSE 'words of no interest 普通の仕事です' END,
		CASE WHEN i % 10 = 0 THEN 'open' ELSE 'done' END,
		CASE WHEN i % 3 = 0 THEN '9999-99-99' ELSE '20' || (10 + i % 90) || '-01-01' END,
		1 + i % 4, 'member-' || (i % 100), '', 'member-1', 1, i, i, 0, 0 FROM n`

// BenchmarkTasks runs each operation on both databases at three sizes. What an
// operation costs must not depend on the size: compare the lines of one run.
func BenchmarkTasks(b *testing.B) {
	for _, size := range []int{1_000, 100_000, 1_000_000} {
		if size > *benchTasks {
			continue
		}
		for name, url := range map[string]string{
			"sqlite":   "sqlite:" + filepath.Join(b.TempDir(), fmt.Sprint(size, ".db")),
			"postgres": postgrestest.Shared(b).Database(b),
		} {
			o := store.Options{URL: url, Schemas: []store.Schema{table.Schema()}}
			s, err := store.Open(b.Context(), o)
			if err != nil {
				b.Fatal(err)
			}
			s.Close()
			// the tasks are indexed when it is opened next
			db := openRaw(b, url)
			db.exec(strings.Replace(seedSQL, "$1", fmt.Sprint(size), 1),
				"UPDATE indexing SET done = 0, last = (SELECT max(seq) FROM tasks)")
			if s.Database() == store.Postgres {
				db.exec("ANALYZE") // it does so by itself; on SQLite nobody does
			}
			start := time.Now()
			if s, err = store.Open(b.Context(), o); err != nil {
				b.Fatal(err)
			}
			b.Logf("%s: %d tasks indexed in %s", name, size, time.Since(start).Round(time.Millisecond))
			benchmarkTasks(b, fmt.Sprintf("%s/%d", name, size), s, size)
			s.Close()
		}
	}
}

func benchmarkTasks(b *testing.B, name string, s *store.Store, size int) {
	b.Run("getTask/"+name, func(b *testing.B) {
		for b.Loop() {
			if _, err := table.Get(b.Context(), s, "acme", fmt.Sprint("tsk_", size/2)); err != nil {
				b.Fatal(err)
			}
		}
	})
	for what, query := range map[string]table.TaskQuery{
		"page1":       {Sort: "due"},
		"page1000":    {Sort: "due", After: far(b, s, size)},
		"common":      {Sort: "created", Search: "common"},
		"rare":        {Sort: "created", Search: "rare"},
		"commonInRun": {Sort: "created", Search: "仕事"},
		"phraseInRun": {Sort: "created", Search: "普通の仕事"},
		"oneInRun":    {Sort: "created", Search: "珍"},
		"rareInRun":   {Sort: "created", Search: "会議"},
	} {
		query.Limit = 25
		b.Run("listTasks_"+what+"/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := table.List(b.Context(), s, "acme", query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("createTask/"+name, func(b *testing.B) {
		b.SetParallelism(32)
		start := time.Now()
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				err := s.Write(context.Background(), func(tx *store.Tx) error {
					if _, err := table.CreateTask(tx, "acme", table.Task{Title: "new", State: "open", Priority: 2,
						Creator: "member-1"}); err != nil {
						return err
					}
					_, err := tx.Record(store.Activity{Owner: "acme", Subject: "member-1", Operation: "createTask",
						Outcome: store.Done})
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "creates/s")
	})
}

// far is where page 1,000 begins; of a short list, its middle.
func far(b *testing.B, s *store.Store, size int) string {
	b.Helper()
	query := table.TaskQuery{Sort: "due", Limit: min(999*25, size/2)}
	page, err := table.List(b.Context(), s, "acme", query)
	if err != nil {
		b.Fatal(err)
	}
	return page.Position(page.Tasks[len(page.Tasks)-1])
}
