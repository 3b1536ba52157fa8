package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/store"
	"guestpass/internal/postgrestest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	postgrestest.StopShared()
	os.Exit(code)
}

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
	for name, url := range map[string]func(*testing.T) string{
		"SQLite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") },
		"Postgres": func(t *testing.T) string { return postgrestest.Shared(t).Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			c := &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
			test(t, open(t, url(t), c), c)
		})
	}
}

func open(t *testing.T, url string, c *clock) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url, Now: c.Now})
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

func create(t *testing.T, s *store.Store, owner string, task store.Task) store.Task {
	t.Helper()
	if task.State == "" {
		task.State = "open"
	}
	if task.Priority == 0 {
		task.Priority = 2
	}
	var created store.Task
	write(t, s, func(tx *store.Tx) (err error) {
		created, err = tx.CreateTask(owner, task)
		return err
	})
	return created
}

func TestATaskIsKeptAsItWasGiven(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		made := create(t, s, "acme", store.Task{Title: "Bräu Tee", Notes: "# ☕\n'quoted'", Due: "2026-12-01",
			Priority: 4,
			Assignee: "member-1", Labels: []string{"kitchen", "tea"}, Creator: "member-2"})
		read, err := s.Task(t.Context(), "acme", made.ID)
		if err != nil || !reflect.DeepEqual(read, made) {
			t.Errorf("%+v, %v, want %+v", read, err, made)
		}
		if made.Version != 1 || !made.CreatedAt.Equal(c.Now()) || len(made.ID) != len("tsk_")+16 {
			t.Errorf("%+v", made)
		}
		if _, err := s.Task(t.Context(), "globex", made.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another owner's task: %v", err)
		}
	})
}

func TestAStaleChangeChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		made := create(t, s, "acme", store.Task{Title: "one"})
		change := func(version int64, title string) error {
			return s.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.ChangeTask("acme", made.ID, version, false, func(t *store.Task) error {
					t.Title = title
					return nil
				})
				return err
			})
		}
		if err := change(1, "two"); err != nil {
			t.Fatal(err)
		}
		var stale *store.StaleError
		if err := change(1, "three"); !errors.As(err, &stale) || stale.Current.Title != "two" ||
			stale.Current.Version != 2 {
			t.Errorf("%v", err)
		}
		if err := change(0, "four"); err != nil {
			t.Error(err)
		}
	})
}

func TestListsGoThroughEveryTaskOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		for i := range 60 {
			due := ""
			if i%3 > 0 {
				due = fmt.Sprintf("2026-12-%02d", i%7+1)
			}
			task := store.Task{Title: fmt.Sprintf("task %d common", i), Due: due, Priority: i%4 + 1,
				Assignee: fmt.Sprint("m", i%2)}
			if i%5 == 0 {
				task.Labels = []string{"fifth"}
			}
			create(t, s, "acme", task)
			create(t, s, "globex", store.Task{Title: "foreign common", Labels: []string{"fifth"}})
			c.advance(time.Millisecond * time.Duration(i%2))
		}
		for name, tt := range map[string]struct {
			query store.TaskQuery
			want  int
		}{
			"due":          {store.TaskQuery{Sort: "due"}, 60},
			"updated":      {store.TaskQuery{Sort: "updated"}, 60},
			"priority":     {store.TaskQuery{Sort: "priority"}, 60},
			"created":      {store.TaskQuery{Sort: "created"}, 60},
			"state":        {store.TaskQuery{Sort: "due", State: "open"}, 60},
			"no state":     {store.TaskQuery{Sort: "due", State: "done"}, 0},
			"assignee":     {store.TaskQuery{Sort: "updated", Assignee: "m1"}, 30},
			"label":        {store.TaskQuery{Sort: "priority", Label: "fifth"}, 12},
			"due before":   {store.TaskQuery{Sort: "due", DueBefore: "2026-12-03"}, 12},
			"search":       {store.TaskQuery{Sort: "created", Search: "COMMON"}, 60},
			"rare word":    {store.TaskQuery{Sort: "created", Search: "common 17"}, 1},
			"search label": {store.TaskQuery{Sort: "created", Search: "task", Label: "fifth"}, 12},
			"operators":    {store.TaskQuery{Sort: "created", Search: `" OR * NEAR( owner:x -`}, 0},
		} {
			seen := map[string]bool{}
			query := tt.query
			for query.Limit = 7; ; {
				page, err := s.Tasks(t.Context(), "acme", query)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if page.Total != tt.want {
					t.Errorf("%s: total %d, want %d", name, page.Total, tt.want)
				}
				for _, task := range page.Tasks {
					if seen[task.ID] || task.Title == "foreign common" {
						t.Errorf("%s: %s twice, or foreign", name, task.ID)
					}
					seen[task.ID] = true
				}
				if len(page.Tasks) < query.Limit {
					break
				}
				query.After = query.Position(page.Tasks[len(page.Tasks)-1])
			}
			if len(seen) != tt.want {
				t.Errorf("%s: %d tasks, want %d", name, len(seen), tt.want)
			}
		}
	})
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
					if _, err := tx.CreateTask("acme", store.Task{Title: "once", State: "open",
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
		page, err := s.Tasks(t.Context(), "acme", store.TaskQuery{Sort: "due", Limit: 10})
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
					if _, err := tx.CreateTask("acme", store.Task{Title: "x", State: "open", Priority: 2}); err != nil {
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
		page, err := s.Tasks(t.Context(), "acme", store.TaskQuery{Sort: "due", Limit: 100})
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
			s, err := store.Open(context.Background(), store.Options{URL: url})
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
	server, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Stop() }()
	s := open(t, server.Database(t), &clock{now: time.Now()})
	made := create(t, s, "acme", store.Task{Title: "before"})
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.CreateTask("acme", store.Task{Title: "meanwhile", State: "open", Priority: 2})
		return err
	})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a write meanwhile: %v", err)
	}
	if _, err := s.Task(t.Context(), "acme", made.ID); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a read meanwhile: %v", err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Task(t.Context(), "acme", made.ID); err != nil {
		t.Errorf("after it is back: %v", err)
	}
	create(t, s, "acme", store.Task{Title: "after"})
}

func TestAPanicInAChangeHarmsNoOther(t *testing.T) {
	s := open(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"), &clock{now: time.Now()})
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		_, _ = tx.CreateTask("acme", store.Task{Title: "x", State: "open", Priority: 2})
		panic("a secret")
	})
	if err == nil || !strings.Contains(err.Error(), "panicked") || strings.Contains(err.Error(), "a secret") {
		t.Errorf("%v", err)
	}
	create(t, s, "acme", store.Task{Title: "after"})
	page, err := s.Tasks(t.Context(), "acme", store.TaskQuery{Sort: "due", Limit: 10})
	if err != nil || len(page.Tasks) != 1 {
		t.Errorf("%d tasks, %v", len(page.Tasks), err)
	}
}
