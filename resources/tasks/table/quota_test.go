package table_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// counted is what the store believes an owner keeps, and found what there is.
func counted(t *testing.T, s *store.Store, owner string) (counted, found string) {
	t.Helper()
	const people = `SELECT person, sum(tasks), sum(comments), sum(activities), sum(bytes) FROM (
		SELECT person, 0 AS tasks, 0 AS comments, activities, bytes FROM quota_usage WHERE owner = $1
		UNION ALL SELECT person, CASE kind WHEN 'tasks' THEN number ELSE 0 END,
			CASE kind WHEN 'comments' THEN number ELSE 0 END, 0, 0 FROM quota_things WHERE owner = $1) x
		GROUP BY person ORDER BY person`
	const rows = `SELECT coalesce(nullif(payer, ''), creator) AS person,
				CASE WHEN deleted_at = 0 THEN 1 ELSE 0 END AS tasks, 0 AS comments, 0 AS activities, bytes
			FROM tasks WHERE owner = $1
		UNION ALL SELECT c.author, 0, CASE WHEN c.deleted_at = 0 AND t.deleted_at = 0 THEN 1 ELSE 0 END, 0, c.bytes
			FROM task_comments c JOIN tasks t ON t.id = c.task_id WHERE c.owner = $1
		UNION ALL SELECT subject, 0, 0, 1, bytes FROM activity WHERE owner = $1
		UNION ALL SELECT person, 0, 0, 0, bytes FROM replies WHERE owner = $1`
	line := func(row store.Scanner) (string, error) {
		var person string
		var tasks, comments, activities, bytes int64
		err := row.Scan(&person, &tasks, &comments, &activities, &bytes)
		return fmt.Sprintln(person, tasks, comments, activities, bytes), err
	}
	read := func(query string) string {
		t.Helper()
		lines, err := store.List(t.Context(), s, line, query, owner)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, one := range lines {
			if !strings.HasSuffix(one, " 0 0 0 0\n") { // of whom nothing is left
				text += one
			}
		}
		return text
	}
	sums := "SELECT person, sum(tasks), sum(comments), sum(activities), sum(bytes) FROM (" + rows +
		") x GROUP BY person"
	all := "SELECT '' AS person, coalesce(sum(tasks), 0), coalesce(sum(comments), 0), coalesce(sum(activities), 0), " +
		"coalesce(sum(bytes), 0) FROM (" + rows + ") y"
	return read(people), read("SELECT * FROM (" + sums + " UNION ALL " + all + ") z ORDER BY person")
}

// TestWhatIsCountedIsWhatThereIs does this and that at random, months of it, and counts by hand.
func TestWhatIsCountedIsWhatThereIs(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		random := rand.New(rand.NewPCG(1, 2))
		people := []string{"ada", "grace", "hank"}
		var tasks []string
		var done []store.Activity
		taken := 0 // tasks that others pay for, over time
		for step := range 400 {
			who := people[random.IntN(len(people))]
			var kept store.Activity
			err := s.Write(t.Context(), func(tx *store.Tx) error {
				tx.By(who)
				act := store.Activity{Owner: "acme", Subject: who, Operation: "x", Outcome: store.Done}
				claim := store.Claim{Key: fmt.Sprint(random.IntN(40)), Body: "b", Owner: "acme", Person: who,
					For: time.Hour}
				if _, taken, err := tx.Claim(claim); err != nil || !taken {
					return errors.Join(err, errTaken)
				}
				if err := atRandom(tx, random, who, &tasks, done); err != nil {
					return err
				}
				var err error
				if kept, err = tx.Record(act); err != nil {
					return err
				}
				if random.IntN(4) == 0 {
					return tx.Release(claim)
				}
				return tx.KeepReply(claim, store.Reply{JSON: strings.Repeat("x", random.IntN(300))})
			})
			var later *store.LaterError
			switch {
			case err == nil:
				done = append(done, kept)
			case !errors.As(err, &later) && !errors.Is(err, errTaken) && !errors.Is(err, store.ErrNotFound) &&
				!errors.Is(err, store.ErrFinal):
				t.Fatal(err)
			}
			c.advance(time.Duration(random.IntN(24)) * time.Hour)
			if step%40 == 39 {
				if err := s.Purge(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got, want := counted(t, s, "acme"); got != want {
					t.Fatalf("after step %d:\n%s, want\n%s", step, got, want)
				}
				taken += takenOver(t, s)
			}
		}
		if taken < 20 {
			t.Errorf("only %d tasks were ever paid for by others", taken)
		}
		c.advance(400 * 24 * time.Hour)
		if err := s.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, want := counted(t, s, "acme")
		if got != want || !strings.Contains(got, " 0 ") {
			t.Errorf("in the end:\n%s, want\n%s", got, want)
		}
		if rows, breaks, err := s.VerifyActivity(t.Context()); err != nil || len(breaks) > 0 || rows != 0 {
			t.Errorf("%d rows, %v, %v", rows, breaks, err)
		}
	})
}

var errTaken = errors.New("taken")

// takenOver is how many tasks somebody else than their creator pays for.
func takenOver(t *testing.T, s *store.Store) (tasks int) {
	t.Helper()
	err := s.QueryRow(t.Context(), "SELECT count(*) FROM tasks WHERE payer <> '' AND payer <> creator").Scan(&tasks)
	if err != nil {
		t.Fatal(err)
	}
	return tasks
}

// atRandom changes something in a transaction.
func atRandom(tx *store.Tx, random *rand.Rand, who string, tasks *[]string, done []store.Activity) error {
	text := strings.Repeat("語 word ", random.IntN(60))
	any := func() string { return (*tasks)[random.IntN(len(*tasks))] }
	what := random.IntN(6)
	if len(*tasks) == 0 {
		what = 0
	}
	switch what {
	case 0:
		made, err := table.CreateTask(tx, "acme", table.Task{Title: "t", Notes: text, State: "open", Priority: 2,
			Creator: who, Labels: []string{"a"}})
		*tasks = append(*tasks, made.ID)
		return err
	case 1:
		_, err := table.ChangeTask(tx, "acme", any(), 0, false, func(t *table.Task) error {
			t.Notes = text
			return nil
		})
		return err
	case 2:
		_, err := table.ChangeTask(tx, "acme", any(), 0, false,
			func(t *table.Task) error { t.DeletedAt = tx.Now(); return nil })
		return err
	case 3:
		_, err := table.ChangeTask(tx, "acme", any(), 0, true,
			func(t *table.Task) error { t.DeletedAt = time.Time{}; return nil })
		return err
	case 4:
		_, err := table.AddComment(tx, "acme", table.Comment{TaskID: any(), Author: who, Text: text + "."})
		return err
	}
	if len(done) == 0 {
		return nil
	}
	undone := done[random.IntN(len(done))]
	if strings.HasPrefix(undone.Target, "cmt_") {
		return tx.Undo(undone, table.UndoComment)
	}
	return tx.Undo(undone, table.UndoTask)
}

func TestAQuotaIsExactUnderWritesAtOnce(t *testing.T) {
	const room, callers = 10, 40
	quota := store.Quota{Things: map[string]int64{table.Tasks: room}}
	onBothWith(t, quota, func(t *testing.T, s *store.Store, c *clock) {
		var group sync.WaitGroup
		var mu sync.Mutex // guards the counters
		kept, refused := 0, 0
		for i := range callers {
			group.Go(func() { // each a person of their own: many members have no more than one
				err := s.Write(context.Background(), func(tx *store.Tx) error {
					_, err := table.CreateTask(tx, "acme", table.Task{Title: "x", State: "open", Priority: 2,
						Creator: fmt.Sprint("m", i)})
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				var quota *store.QuotaError
				switch {
				case err == nil:
					kept++
				case errors.As(err, &quota) && *quota == store.QuotaError{Quota: "tasks", Used: room, Limit: room}:
					refused++
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if kept != room || refused != callers-room {
			t.Errorf("%d kept, %d refused", kept, refused)
		}
		if got, want := counted(t, s, "acme"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// TestEachQuotaRefusesWhatGrowsIt fills each quota, looks that reading, deleting and others go on, and
// that there is room again when something is gone.
func TestEachQuotaRefusesWhatGrowsIt(t *testing.T) {
	for name, q := range map[string]store.Quota{
		"tasks":    {Things: map[string]int64{table.Tasks: 3}},
		"comments": {Things: map[string]int64{table.Comments: 6}},
		"activity": {Activities: 9},
		"bytes":    {Bytes: 40_000},
	} {
		t.Run(name, func(t *testing.T) {
			onBothWith(t, q, func(t *testing.T, s *store.Store, c *clock) {
				f := filling{t, s, nil}
				quota := f.until("acme", "ada")
				if quota.Quota != name || quota.Limit == 0 {
					t.Fatalf("%+v", quota)
				}
				person := f.until("acme", "ada")
				if person.Used > person.Limit {
					t.Errorf("more than the limit is kept: %+v", person)
				}
				f.until("acme", "grace")
				if whole := f.until("acme", "grace"); whole.Used > whole.Limit {
					t.Errorf("more than the limit is kept: %+v", whole)
				}
				if err := f.one("globex", "hank", 0); err != nil {
					t.Errorf("another owner: %v", err)
				}
				page, err := table.List(t.Context(), s, "acme", table.TaskQuery{Sort: "created", Limit: 100})
				if err != nil || len(page.Tasks) == 0 {
					t.Errorf("%v %v", page, err)
				}
				for _, task := range page.Tasks { // what takes away is never refused
					f.must(func(tx *store.Tx) error {
						_, err := table.ChangeTask(tx, "acme", task.ID, 0, false,
							func(t *table.Task) error { t.DeletedAt = tx.Now(); return nil })
						if err != nil {
							return err
						}
						_, err = tx.Record(store.Activity{Owner: "acme", Subject: "ada", Operation: "deleteTask",
							Outcome: store.Done})
						return err
					})
				}
				f.must(func(tx *store.Tx) error { // nor what tells of something done elsewhere
					tx.BeyondQuota()
					_, err := tx.Record(store.Activity{Owner: "acme", Subject: "ada", Operation: "inviteMember",
						Outcome: store.Failed, RefersTo: "act_x"})
					return err
				})
				f.must(func(tx *store.Tx) error {
					if err := tx.Deny(store.Denial{Subject: "ada", Client: "c", Owner: "acme"}); err != nil {
						return err
					}
					_, err := tx.Record(store.Activity{Owner: "acme", Subject: "ada", Operation: "revokeConnection",
						Outcome: store.Done})
					return err
				})
				if name == "activity" || name == "bytes" {
					var quota *store.QuotaError
					if err := f.one("acme", "ada", 0); !errors.As(err, &quota) {
						t.Errorf("before it is final: %v", err)
					}
					c.advance(31 * 24 * time.Hour)
					if err := s.Purge(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				if err := f.one("acme", "ada", 0); err != nil {
					t.Errorf("with room again: %v", err)
				}
			})
		})
	}
}

// filling creates tasks with a comment.
type filling struct {
	t     *testing.T
	s     *store.Store
	tasks []string
}

func (f *filling) must(change func(*store.Tx) error) {
	f.t.Helper()
	write(f.t, f.s, change)
}

// one is a task with a comment, on record.
func (f *filling) one(owner, who string, notes int) error {
	return f.s.Write(context.Background(), func(tx *store.Tx) error {
		task, err := table.CreateTask(tx, owner, table.Task{Title: "x", Notes: strings.Repeat("x", notes),
			State: "open", Priority: 2, Creator: who})
		if err != nil {
			return err
		}
		if _, err := table.AddComment(tx, owner, table.Comment{TaskID: task.ID, Author: who, Text: "x"}); err != nil {
			return err
		}
		_, err = tx.Record(store.Activity{Owner: owner, Subject: who, Operation: "createTask", Outcome: store.Done})
		return err
	})
}

// until goes on until there is no more room.
func (f *filling) until(owner, who string) store.QuotaError {
	f.t.Helper()
	for range 100 {
		err := f.one(owner, who, 100)
		var quota *store.QuotaError
		if errors.As(err, &quota) {
			return *quota
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
	f.t.Fatal("nothing was refused")
	return store.QuotaError{}
}

// TestOnePersonHasHalf leaves the other half to the rest; a user, who is their own owner, has all.
func TestOnePersonHasHalf(t *testing.T) {
	onBothWith(t, store.Quota{Things: map[string]int64{table.Tasks: 10}}, func(t *testing.T, s *store.Store, c *clock) {
		f := filling{t: t, s: s}
		for _, tt := range []struct {
			owner, who string
			want       store.QuotaError
		}{
			{"acme", "grace", store.QuotaError{Quota: "tasks", Used: 5, Limit: 5, Person: true}},
			{"acme", "ada", store.QuotaError{Quota: "tasks", Used: 10, Limit: 10}},
			{"acme", "third", store.QuotaError{Quota: "tasks", Used: 10, Limit: 10}},
			{"user-1", "user-1", store.QuotaError{Quota: "tasks", Used: 10, Limit: 10}},
		} {
			if got := f.until(tt.owner, tt.who); got != tt.want {
				t.Errorf("%s of %s: %+v", tt.who, tt.owner, got)
			}
		}
	})
}
