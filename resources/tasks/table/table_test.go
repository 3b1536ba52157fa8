package table_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/internal/postgrestest"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// clock is set by the tests.
type clock struct {
	mu  sync.Mutex // guards now
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// onBoth runs a test on SQLite and on Postgres.
func onBoth(t *testing.T, test func(t *testing.T, s *store.Store, c *clock)) {
	onBothWith(t, store.Quota{}, test)
}

// onBothWith is onBoth with a quota.
func onBothWith(t *testing.T, q store.Quota, test func(t *testing.T, s *store.Store, c *clock)) {
	for name, url := range databases() {
		t.Run(name, func(t *testing.T) {
			c := &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
			test(t, open(t, store.Options{URL: url(t), Now: c.Now, Quota: q}), c)
		})
	}
}

// databases makes an empty one of each, and returns its URL.
func databases() map[string]func(*testing.T) string {
	return map[string]func(*testing.T) string{
		"SQLite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") },
		"Postgres": func(t *testing.T) string { return postgrestest.Shared(t).Database(t) },
	}
}

// open opens a store with the tables of tasks.
func open(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	o.Schemas = append(o.Schemas, table.Schema())
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// raw is the database as another program sees it, with Guestpass's schema before others.
type raw struct {
	*sql.DB
	t testing.TB
}

func openRaw(t testing.TB, url string) raw {
	t.Helper()
	driver, dsn := "pgx", url+"&search_path=guestpass,public"
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, dsn = "sqlite", path
	}
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
			r.t.Fatalf("%.300s: %v", statement, err)
		}
	}
}

func write(t *testing.T, s *store.Store, f func(*store.Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, s *store.Store, owner string, task table.Task) table.Task {
	t.Helper()
	if task.State == "" {
		task.State = "open"
	}
	if task.Priority == 0 {
		task.Priority = 2
	}
	var created table.Task
	write(t, s, func(tx *store.Tx) (err error) {
		created, err = table.CreateTask(tx, owner, task)
		return err
	})
	return created
}

// record changes a task and records it as the API does.
func record(t *testing.T, s *store.Store, owner, operation string, change func(*store.Tx) error) store.Activity {
	t.Helper()
	var kept store.Activity
	write(t, s, func(tx *store.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		var err error
		kept, err = tx.Record(store.Activity{Owner: owner, Subject: "ada", Operation: operation, Outcome: store.Done})
		return err
	})
	return kept
}

func found(t *testing.T, s *store.Store, search string) int {
	t.Helper()
	page, err := table.List(t.Context(), s, "acme", table.TaskQuery{Sort: "created", Search: search, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return page.Total
}
