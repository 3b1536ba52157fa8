package table_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"guestpass/internal/postgrestest"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// ofVersion01 opens a database that the program of version 0.1 has left: its dump, restored. For each [kind] it has a
// change with that name for its request, the last one of its target. before is what the tables held.
func ofVersion01(t *testing.T, name string) (s *store.Store, c *clock, before string) {
	t.Helper()
	dump, err := os.ReadFile("testdata/version-0.1-" + strings.ToLower(name) + ".sql")
	if err != nil {
		t.Fatal(err)
	}
	url := "sqlite:" + filepath.Join(t.TempDir(), "guestpass.db")
	if name == "Postgres" {
		url = postgrestest.Shared(t).Database(t)
	}
	restored := openRaw(t, url)
	restored.SetMaxOpenConns(1)
	restored.exec(string(dump))
	before = rowsIn(t, restored)
	if err := restored.Close(); err != nil {
		t.Fatal(err)
	}
	c = &clock{now: time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)}
	return open(t, store.Options{URL: url, Now: c.Now}), c, before
}

func onBothOfVersion01(t *testing.T, test func(t *testing.T, s *store.Store, c *clock, before string)) {
	for _, name := range []string{"SQLite", "Postgres"} {
		t.Run(name, func(t *testing.T) {
			s, c, before := ofVersion01(t, name)
			test(t, s, c, before)
		})
	}
}

// rowsIn is what the tables hold, in a text with a line for each row.
func rowsIn(t *testing.T, db raw) (text string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), keptRows+" ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			t.Fatal(err)
		}
		text += row + "\n"
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return text
}

// TestADatabaseOfVersion01IsWhole looks for everything that was kept in it.
func TestADatabaseOfVersion01IsWhole(t *testing.T) {
	onBothOfVersion01(t, func(t *testing.T, s *store.Store, c *clock, before string) {
		if after := lines(t, s, keptRows+" ORDER BY 1"); after != before || strings.Count(before, "tsk_") < 21 {
			t.Errorf("there are\n%s, before there were\n%s", after, before)
		}
		for _, owner := range []string{"acme", "globex"} {
			if got, want := counted(t, s, owner); got != want || got == "" {
				t.Errorf("counted for %s:\n%s, want\n%s", owner, got, want)
			}
		}
		if rows, breaks, err := s.VerifyActivity(t.Context()); err != nil || len(breaks) > 0 || rows != 49 {
			t.Errorf("the record: %d rows, %v, %v", rows, breaks, err)
		}
		page, err := table.List(t.Context(), s, "acme", table.TaskQuery{Sort: "created", Limit: 100})
		if err != nil || len(page.Tasks) != 19 {
			t.Errorf("%d tasks, %v", len(page.Tasks), err)
		}
		for search, want := range map[string]int{"everything": 0, "all else": 1, "会议": 0, "quite others": 1,
			"undo": 1, "before": 1, "deleted": 0, "GRACE": 1, "globex": 0} {
			if n := found(t, s, search); n != want {
				t.Errorf("%s is found %d times, want %d", search, n, want)
			}
		}
		for label, want := range map[string]int{"tea": 4, "office": 1, "home": 0} {
			page, err := table.List(t.Context(), s, "acme", table.TaskQuery{Sort: "due", Label: label, Limit: 100})
			if err != nil || len(page.Tasks) != want {
				t.Errorf("%d tasks are labelled %s, want %d, %v", len(page.Tasks), label, want, err)
			}
		}
		commented := taskOf(t, s, "commented")
		comments, err := table.ListComments(t.Context(), s, "acme", commented.ID, "", 10)
		if err != nil || len(comments) != 2 || comments[0].Text != "added" || comments[1].Text != "put back" {
			t.Errorf("%+v, %v", comments, err)
		}
		if list, err := s.Connections(t.Context(), "acme", "ada", 10); err != nil || len(list) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		if list, err := s.Denials(t.Context(), time.Time{}); err != nil || len(list) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		reply, kept, err := s.Reply(t.Context(), store.Claim{Key: "key", Body: "body"})
		if err != nil || !kept || reply.JSON != `{"id":"x"}` {
			t.Errorf("%+v, %t, %v", reply, kept, err)
		}
		made := create(t, s, "acme", table.Task{Title: "made since", Creator: "ada"})
		if found(t, s, "made since") != 1 {
			t.Errorf("%s is not found", made.ID)
		}
		c.advance(400 * day)
		if err := s.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := counted(t, s, "acme"); got != want {
			t.Errorf("after a year:\n%s, want\n%s", got, want)
		}
	})
}

// TestWhatVersion01RecordedIsUndone undoes one change of each kind, whose rows have format 1.
func TestWhatVersion01RecordedIsUndone(t *testing.T) {
	onBothOfVersion01(t, func(t *testing.T, s *store.Store, _ *clock, _ string) {
		for _, k := range kinds {
			activity := recorded(t, s, k.name)
			if strings.Contains(activity.Before+activity.After, `"v":`) {
				t.Errorf("%s has a later format: %s", k.name, activity.Before)
			}
			k.undo(t, s, activity)
		}
		if got, want := counted(t, s, "acme"); got != want {
			t.Errorf("counted:\n%s, want\n%s", got, want)
		}
		if _, breaks, err := s.VerifyActivity(t.Context()); err != nil || len(breaks) > 0 {
			t.Errorf("the record: %v, %v", breaks, err)
		}
	})
}

// recorded is the activity of acme with that request.
func recorded(t *testing.T, s *store.Store, request string) store.Activity {
	t.Helper()
	var id, subject string
	err := s.QueryRow(t.Context(), "SELECT id, subject FROM activity WHERE owner = 'acme' AND request = $1",
		request).Scan(&id, &subject)
	if err != nil {
		t.Fatalf("%s: %v", request, err)
	}
	activity, err := s.Activity(t.Context(), "acme", subject, id)
	if err != nil {
		t.Fatalf("%s: %v", request, err)
	}
	return activity
}

// taskOf is the task of acme with that title.
func taskOf(t *testing.T, s *store.Store, title string) table.Task {
	t.Helper()
	var id string
	err := s.QueryRow(t.Context(), "SELECT id FROM tasks WHERE owner = 'acme' AND title = $1", title).Scan(&id)
	if err != nil {
		t.Fatalf("%s: %v", title, err)
	}
	task, err := table.GetAny(t.Context(), s, "acme", id)
	if err != nil {
		t.Fatalf("%s: %v", title, err)
	}
	return task
}
