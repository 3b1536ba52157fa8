package table

import (
	"cmp"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass/internal/postgrestest"
	"guestpass/store"
)

// TestEveryListIsExact compares lists, page by page, with what is sorted and filtered in memory: for every combination
// of filters, in every order, with bounds so narrow that each way of reading is taken, and is given up.
func TestEveryListIsExact(t *testing.T) {
	usual := most
	t.Cleanup(func() { most = usual })
	for name, url := range map[string]string{
		"SQLite":   "sqlite:" + filepath.Join(t.TempDir(), "test.db"),
		"Postgres": postgrestest.Shared(t).Database(t),
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
			s, err := store.Open(t.Context(), store.Options{URL: url, Schemas: []store.Schema{Schema()},
				Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			all := someTasks(t, s, &now)
			for _, bounds := range []bounds{usual, {30, 11, 11, 7, 6, 9, 1, 3}, {400, 60, 40, 20, 90, 5, 3, 40}} {
				most = bounds
				for _, q := range combinations() {
					compare(t, s, all, q)
				}
			}
		})
	}
}

// LookThrough sets how many tasks a search on Postgres looks through before it asks the index, for one test.
func LookThrough(t *testing.T, recent int) {
	t.Helper()
	usual := most
	t.Cleanup(func() { most = usual })
	most.recent = recent
}

// someTasks makes tasks, some of which are changed, deleted or somebody else's.
func someTasks(t *testing.T, s *store.Store, now *time.Time) (all []Task) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(values ...string) string { return values[random.IntN(len(values))] }
	make := func(i int) Task {
		task := Task{Title: "task " + pick("common", "common", "rare"),
			State: pick("open", "done", "done", "in_progress"),
			Due:   pick("", "2026-01-02", "2026-02-03", "2026-03-04"), Priority: 1 + random.IntN(4),
			Assignee: pick("", "ada", "grace")}
		switch {
		case i == 3:
			task.Title, task.Labels, task.Assignee = "task single", []string{"once"}, "hank"
		case i > 100:
			task.Title += " late"
		}
		if i%3 == 0 {
			task.Labels = append(task.Labels, pick("a", "b"), "c")
		}
		return task
	}
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		for i := range 240 {
			*now = now.Add(time.Millisecond * time.Duration(i%2))
			for _, owner := range []string{"acme", "globex"} {
				task, err := CreateTask(tx, owner, make(i))
				if err != nil {
					return err
				}
				if owner == "acme" {
					all = append(all, task)
				}
			}
		}
		return nil
	})
	for i := range all {
		if err == nil && i%7 == 0 {
			err = s.Write(t.Context(), func(tx *store.Tx) (err error) {
				all[i], err = ChangeTask(tx, "acme", all[i].ID, 0, false, func(t *Task) error {
					changed := make(i)
					t.State, t.Labels, t.Assignee, t.Due = changed.State, changed.Labels, changed.Assignee, changed.Due
					if i%5 == 0 {
						t.DeletedAt = tx.Now()
					}
					return nil
				})
				return err
			})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// combinations returns queries with each combination of filters, in each order.
func combinations() (all []TaskQuery) {
	for _, state := range []string{"", "open", "in_progress"} {
		for _, assignee := range []string{"", "ada", "hank"} {
			for _, label := range []string{"", "a", "once"} {
				for _, due := range []string{"", "2026-02-03", "2027-01-01"} {
					q := TaskQuery{State: state, Assignee: assignee, Label: label, DueBefore: due}
					for _, q.Sort = range []string{"due", "updated", "priority", "created"} {
						all = append(all, q)
					}
					for _, q.Search = range []string{"task", "common", "rare late", "single", "nowhere"} {
						all = append(all, q)
					}
				}
			}
		}
	}
	return all
}

// compare reads a list to its end.
func compare(t *testing.T, s *store.Store, all []Task, q TaskQuery) {
	t.Helper()
	want := expected(all, q)
	var got []string
	q.Limit = 17
	for pages := 0; ; pages++ {
		page, err := List(t.Context(), s, "acme", q)
		if err != nil || pages > 300 {
			t.Fatalf("%+v: %v", q, err)
		}
		if page.Total != len(want) && page.Total != -1 || page.Total == -1 && most.passed == 1000 &&
			(q.Search == "" || len(all) <= most.recent) {
			t.Errorf("%+v: %d in total, want %d", q, page.Total, len(want))
		}
		for _, task := range page.Tasks {
			got = append(got, task.ID)
		}
		if page.Next == "" && len(page.Tasks) < q.Limit {
			break
		}
		if q.After = page.Next; page.Next == "" {
			q.After = page.Position(page.Tasks[len(page.Tasks)-1])
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%+v, %+v:\n%s, want\n%s", most, q, strings.Join(got, " "), strings.Join(want, " "))
	}
}

func expected(all []Task, q TaskQuery) []string {
	fitting := []Task{}
	for _, t := range all {
		fits := t.DeletedAt.IsZero() && (q.State == "" || t.State == q.State) &&
			(q.Assignee == "" || t.Assignee == q.Assignee) && (q.Label == "" || slices.Contains(t.Labels, q.Label)) &&
			(q.DueBefore == "" || t.storedDue() < q.DueBefore)
		for _, word := range strings.Fields(q.Search) {
			fits = fits && slices.Contains(strings.Fields(t.Title), word)
		}
		if fits {
			fitting = append(fitting, t)
		}
	}
	slices.SortFunc(fitting, func(a, b Task) int {
		switch q.Sort {
		case "due":
			return cmp.Or(cmp.Compare(a.storedDue(), b.storedDue()), cmp.Compare(a.seq, b.seq))
		case "updated":
			return -cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), cmp.Compare(a.seq, b.seq))
		case "priority":
			return -cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.seq, b.seq))
		}
		return -cmp.Compare(a.seq, b.seq)
	})
	ids := []string{}
	for _, t := range fitting {
		ids = append(ids, t.ID)
	}
	return ids
}
