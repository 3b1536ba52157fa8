package store_test

import (
	"fmt"
	"strings"
	"testing"

	"guestpass/internal/postgrestest"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// TestEveryStepCanBeUndoneAndDoneAgain goes down one version after the other, and up again each time: a start finds the
// tables of each version as its own steps make them, or says that they are not.
func TestEveryStepCanBeUndoneAndDoneAgain(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"SQLite":   func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/test.db" },
		"Postgres": func(t *testing.T) string { return postgrestest.Shared(t).Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			o := withTasks(url(t))
			ofTasks := []int64{6, 5, 4, 3, 1, 0}
			if name == "Postgres" {
				ofTasks = append([]int64{8}, ofTasks...)
			} else {
				ofTasks = append([]int64{7}, ofTasks...)
			}
			for i, version := range ofTasks {
				started(t, o, 1+i)
				down(t, o, map[string]int64{"tasks": version})
			}
			for i, version := range []int64{6, 5, 4, 3, 2, 1, 0} {
				started(t, o, []int{1, 2, 1, 1, 1, 1, 1}[i])
				to := map[string]int64{"": version}
				if version < 6 {
					to["tasks"] = 0
				}
				down(t, o, to)
			}
			started(t, o, 1)
		})
	}
}

// started has a server of this version make a task, and search for all that there are then.
func started(t *testing.T, o store.Options, want int) {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	record(t, s, "acme", "createTask", func(tx *store.Tx) error {
		_, err := table.CreateTask(tx, "acme", table.Task{Title: "kept", State: "open", Priority: 2,
			Labels: []string{"home"}})
		return err
	})
	if n := found(t, s, "kept"); n != want {
		t.Errorf("found %d, want %d", n, want)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// down goes down and says what that takes away, before and after.
func down(t *testing.T, o store.Options, to map[string]int64) {
	t.Helper()
	reading, err := store.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	planned, err := reading.PlanDown(t.Context(), to)
	_ = reading.Close()
	if err != nil {
		t.Fatal(err)
	}
	done, err := store.Down(t.Context(), o, to)
	if err != nil || fmt.Sprint(done) != fmt.Sprint(planned) {
		t.Errorf("down to %v: %v, planned %v; %v", to, done, planned, err)
	}
	if reading, err = store.Connect(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	steps, err := reading.Migrations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		var number int64
		name, file := "", step.Name
		if schema, rest, found := strings.Cut(step.Name, "/"); found {
			name, file = schema, rest
		}
		_, _ = fmt.Sscanf(file, "%05d", &number)
		if version, asked := to[name]; asked && step.Applied != (number <= version) {
			t.Errorf("down to %v: %s is applied: %v", to, step.Name, step.Applied)
		}
	}
}

// TestWhatGoingDownTakesAwayIsNamed, and what cannot be is refused before anything is undone.
func TestWhatGoingDownTakesAwayIsNamed(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		record(t, s, "acme", "createTask", func(tx *store.Tx) error {
			_, err := table.CreateTask(tx, "acme", table.Task{Title: "x", State: "open", Priority: 2,
				Labels: []string{"home"}})
			return err
		})
		for _, tt := range []struct {
			to   map[string]int64
			want string
		}{
			{map[string]int64{"tasks": 6}, "[]"},
			{map[string]int64{"tasks": 5}, "of the 1 rows of task_labels"},
			{map[string]int64{"tasks": 0}, "the table tasks with 1 rows"},
			{map[string]int64{"": 6}, "the table schema_compatibility with 2 rows"},
			{map[string]int64{"": 5}, "have tasks/0 undone as well"},
			{map[string]int64{"": 8}, "the store cannot go down to version 8: it is at 7, and has 0 1 2 3 4 5 6 7"},
			{map[string]int64{"tasks": 2}, "tasks cannot go down to version 2"},
			{map[string]int64{"notes": 2}, `there is no schema "notes"; there are the store's own, without a `},
		} {
			d, err := s.PlanDown(t.Context(), tt.to)
			got := fmt.Sprint(d.Lost)
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, tt.want) {
				t.Errorf("%v: %s, want %s", tt.to, got, tt.want)
			}
		}
	})
	o := store.Options{URL: "sqlite:" + t.TempDir() + "/test.db", Schemas: []store.Schema{bookmarks}}
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Down(t.Context(), o, map[string]int64{"bookmarks": 0}); err == nil ||
		!strings.Contains(err.Error(), "another process") {
		t.Errorf("beside a server: %v", err)
	}
	_ = s.Close()
	if _, err := store.Down(t.Context(), o, map[string]int64{"bookmarks": 0}); err == nil ||
		!strings.Contains(err.Error(), "bookmarks/00001_bookmarks.sql cannot be undone") {
		t.Errorf("a step that does not say how: %v", err)
	}
	if _, err := store.Down(t.Context(), o, map[string]int64{"bookmarks": 1, "": 6}); err != nil {
		t.Error(err)
	}
}
