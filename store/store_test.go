package store_test

import (
	"context"
	"errors"
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
	onBothWith(t, store.Options{}, test)
}

// onBothWith is onBoth with options.
func onBothWith(t *testing.T, o store.Options, test func(t *testing.T, s *store.Store, c *clock)) {
	for name, url := range map[string]func(*testing.T) string{
		"SQLite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") },
		"Postgres": func(t *testing.T) string { return postgrestest.Shared(t).Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			c := &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
			o := o
			o.URL, o.Now = url(t), c.Now
			test(t, openWith(t, o), c)
		})
	}
}

// withTasks are options for a store that has the tables of tasks, as a resource of which there is something to keep.
func withTasks(url string) store.Options {
	return store.Options{URL: url, Schemas: []store.Schema{table.Schema()}}
}

func open(t *testing.T, url string, c *clock) *store.Store {
	t.Helper()
	return openWith(t, store.Options{URL: url, Now: c.Now})
}

// openWith opens a store with the tables of tasks beside whatever else the options say.
func openWith(t *testing.T, o store.Options) *store.Store {
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

func TestEqualClaimsAreGrantedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		claim := store.Claim{Key: store.Digest("k"), Body: "b", For: time.Minute}
		const callers = 100
		var group sync.WaitGroup
		var mu sync.Mutex // guards the counters
		granted, answered := 0, 0
		for range callers {
			group.Go(func() {
				var first bool
				var reply store.Reply
				err := s.Write(context.Background(), func(tx *store.Tx) (err error) {
					if reply, first, err = tx.Claim(claim); err != nil || !first {
						return err
					}
					if _, err := table.CreateTask(tx, "acme", table.Task{Title: "once", State: "open",
						Priority: 2}); err != nil {
						return err
					}
					return tx.KeepReply(claim, store.Reply{JSON: `{"n":1}`})
				})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					t.Error(err)
				case first:
					granted++
				case reply.JSON == `{"n":1}`:
					answered++
				}
			})
		}
		group.Wait()
		page, err := table.List(t.Context(), s, "acme", table.TaskQuery{Sort: "due", Limit: 10})
		if err != nil || granted != 1 || answered != callers-1 || len(page.Tasks) != 1 {
			t.Errorf("%d granted, %d answered, %d tasks, %v", granted, answered, len(page.Tasks), err)
		}
		other := claim
		other.Body = "another"
		if _, _, err := s.Reply(t.Context(), other); !errors.Is(err, store.ErrOtherBody) {
			t.Errorf("another body: %v", err)
		}
		c.advance(time.Minute + time.Second)
		if _, found, err := s.Reply(t.Context(), claim); found || err != nil {
			t.Errorf("after its time: %v %v", found, err)
		}
	})
}

func TestAFailedChangeLeavesNothingAndHarmsNoOther(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		refused := errors.New("refused")
		var group sync.WaitGroup
		for i := range 40 {
			group.Go(func() {
				err := s.Write(context.Background(), func(tx *store.Tx) error {
					task := table.Task{Title: "x", State: "open", Priority: 2}
					if _, err := table.CreateTask(tx, "acme", task); err != nil {
						return err
					}
					if i%2 == 0 {
						return refused
					}
					return nil
				})
				if (i%2 == 0) != errors.Is(err, refused) {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		group.Wait()
		page, err := table.List(t.Context(), s, "acme", table.TaskQuery{Sort: "due", Limit: 100})
		if err != nil || len(page.Tasks) != 20 {
			t.Errorf("%d tasks, %v", len(page.Tasks), err)
		}
	})
}

func TestInstancesThatStartTogetherMakeOneSchema(t *testing.T) {
	url := postgrestest.Shared(t).Database(t)
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			s, err := store.Open(context.Background(), withTasks(url))
			if err != nil {
				t.Error(err)
				return
			}
			_ = s.Close()
		})
	}
	group.Wait()
}

func TestWritesGoOnAfterTheDatabaseWasGone(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by make quick: it needs Postgres")
	}
	server, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Stop() }()
	s := open(t, server.Database(t), &clock{now: time.Now()})
	made := create(t, s, "acme", table.Task{Title: "before"})
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := table.CreateTask(tx, "acme", table.Task{Title: "meanwhile", State: "open", Priority: 2})
		return err
	})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a write meanwhile: %v", err)
	}
	if _, err := table.Get(t.Context(), s, "acme", made.ID); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a read meanwhile: %v", err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Get(t.Context(), s, "acme", made.ID); err != nil {
		t.Errorf("after it is back: %v", err)
	}
	create(t, s, "acme", table.Task{Title: "after"})
}

func TestAPanicInAChangeHarmsNoOther(t *testing.T) {
	s := open(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"), &clock{now: time.Now()})
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		_, _ = table.CreateTask(tx, "acme", table.Task{Title: "x", State: "open", Priority: 2})
		panic("a secret")
	})
	if err == nil || !strings.Contains(err.Error(), "panicked") || strings.Contains(err.Error(), "a secret") {
		t.Errorf("%v", err)
	}
	create(t, s, "acme", table.Task{Title: "after"})
	page, err := table.List(t.Context(), s, "acme", table.TaskQuery{Sort: "due", Limit: 10})
	if err != nil || len(page.Tasks) != 1 {
		t.Errorf("%d tasks, %v", len(page.Tasks), err)
	}
}
