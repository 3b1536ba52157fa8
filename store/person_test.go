package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"guestpass/internal/postgrestest"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

const (
	grace = "member-test-aaaaaaaa-0000-4000-8000-000000000001"
	alan  = "member-test-aaaaaaaa-0000-4000-8000-000000000002"
	alone = "user-test-aaaaaaaa-0000-4000-8000-000000000003"
)

// visits is a resource that says nothing of people, with columns of several kinds.
var visits = store.Schema{Name: "visits", Files: fstest.MapFS{
	"sqlite/00001_visits.sql":   {Data: []byte("-- +goose Up\n" + strings.ReplaceAll(visitsTable, "KIND", "JSON"))},
	"postgres/00001_visits.sql": {Data: []byte("-- +goose Up\n" + strings.ReplaceAll(visitsTable, "KIND", "JSONB"))},
}}

const visitsTable = `CREATE TABLE visits (id VARCHAR(80) PRIMARY KEY, owner TEXT NOT NULL, "order" TEXT, guests KIND);`

// personal puts rows of every table there that tell of a person, beside those of somebody else.
func personal(t *testing.T, s *store.Store, c *clock, owner, person string) {
	t.Helper()
	by := func(subject, operation string, change func(tx *store.Tx) error) {
		t.Helper()
		write(t, s, func(tx *store.Tx) error {
			tx.By(subject)
			if err := change(tx); err != nil {
				return err
			}
			_, err := tx.Record(store.Activity{Owner: owner, Subject: subject, Client: "chatgpt", Operation: operation,
				Outcome: store.Done, Conversation: "about " + subject})
			return err
		})
	}
	var first table.Task
	for i, task := range []table.Task{
		{Title: "Write to Ada", Notes: "secret", State: "open", Priority: 2, Creator: person, Assignee: alan,
			Labels: []string{"home"}},
		{Title: "Ask " + person, State: "open", Priority: 2, Creator: alan, Assignee: person,
			Labels: []string{"home", person}},
	} {
		by(task.Creator, "createTask", func(tx *store.Tx) (err error) {
			task, err = table.CreateTask(tx, owner, task)
			if i == 0 {
				first = task
			}
			return err
		})
	}
	for author, text := range map[string]string{person: "own words in " + owner, alan: "said " + person} {
		by(author, "addComment", func(tx *store.Tx) error {
			_, err := table.AddComment(tx, owner, table.Comment{TaskID: first.ID, Author: author, Text: text})
			return err
		})
	}
	write(t, s, func(tx *store.Tx) error {
		if err := tx.NoteUse(store.Connection{Owner: owner, Subject: person, Client: "chatgpt", Scopes: "tasks:read",
			LastUsed: c.Now()}); err != nil {
			return err
		}
		for _, who := range []string{person, alan} {
			claim := store.Claim{Key: store.Digest(owner, who), Owner: owner, Person: who, For: time.Hour}
			if _, _, err := tx.Claim(claim); err != nil {
				return err
			}
			if err := tx.KeepReply(claim, store.Reply{JSON: `{"assignee":"` + person + `"}`}); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`INSERT INTO visits (id, owner, "order", guests) VALUES ($1, $2, $3, $4)`, "v-"+owner,
			owner, person, `["`+person+`", "`+alan+`"]`); err != nil {
			return err
		}
		return tx.Deny(store.Denial{Subject: person, Client: "chatgpt", Owner: owner, RevokedAt: c.Now(),
			ExpiresAt: c.Now().Add(time.Hour)})
	})
}

// texts returns, for each column of each table, what it has, without a list of tables.
func texts(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	query := `SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE n.nspname = 'guestpass' AND c.relkind = 'r'`
	gather := `SELECT coalesce(string_agg(CAST("%s" AS text), ' '), '') FROM %s`
	if s.Database() == store.SQLite {
		query = `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
			WHERE m.type = 'table' AND m.name NOT LIKE 'task_words%'`
		gather = `SELECT coalesce(group_concat(CAST("%s" AS text), ' '), '') FROM %s`
	}
	all := map[string]string{}
	columns, err := store.List(t.Context(), s, func(row store.Scanner) (c [2]string, err error) {
		return c, row.Scan(&c[0], &c[1])
	}, query)
	if err != nil || len(columns) < 60 {
		t.Fatalf("%d columns: %v", len(columns), err)
	}
	for _, c := range columns {
		var text string
		if err := s.QueryRow(t.Context(), fmt.Sprintf(gather, c[1], c[0])).Scan(&text); err != nil {
			t.Fatal(err)
		}
		all[c[0]+"."+c[1]] = text
	}
	return all
}

// naming returns the columns that have the text.
func naming(all map[string]string, text string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if strings.Contains(all[name], text) {
			names = append(names, name)
		}
	}
	return names
}

// nobodys are the tables that tell of nobody.
var nobodys = []string{"activity_heads", "guestpass_migrations", "guestpass_migrations_tasks",
	"guestpass_migrations_visits", "indexing", "reserve", "schema_compatibility", "sqlite_sequence"}

func export(t *testing.T, s *store.Store, p store.Person) map[string]int {
	t.Helper()
	rows := map[string]int{}
	err := s.Export(t.Context(), p, func(name string, row store.PersonalRow) error {
		rows[name]++
		text, err := json.Marshal(row)
		if !strings.Contains(string(text), p.ID) && !strings.Contains(string(text), store.ErasedSubject(p.ID)) {
			t.Errorf("%s: %s", name, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// onBothBeside runs a test on a server's store and on a second one beside it, as a command has it.
func onBothBeside(t *testing.T, test func(t *testing.T, s, beside *store.Store, c *clock)) {
	for name, url := range map[string]func(*testing.T) string{
		"SQLite":   func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/test.db" },
		"Postgres": func(t *testing.T) string { return postgrestest.Shared(t).Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			c := &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
			o := store.Options{URL: url(t), Now: c.Now, Schemas: []store.Schema{visits, table.Schema()}}
			s, err := store.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			beside, err := store.Beside(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			test(t, s, beside, c)
			if err := beside.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAPersonIsExportedAndErased knows no list of tables but of those that tell of nobody: a table that comes later is
// looked at as well.
func TestAPersonIsExportedAndErased(t *testing.T) {
	onBothBeside(t, func(t *testing.T, s, beside *store.Store, c *clock) {
		p := store.Person{Owner: "acme", ID: grace}
		personal(t, s, c, "acme", grace)
		personal(t, s, c, "globex", "member-test-aaaaaaaa-0000-4000-8000-000000000009")
		before := texts(t, s)
		tables := map[string]bool{}
		for name := range before {
			name, _, _ = strings.Cut(name, ".")
			tables[name] = !slices.Contains(nobodys, name)
		}
		exported := export(t, beside, p)
		for name, tells := range tables {
			named := naming(before, grace)
			isNamed := slices.ContainsFunc(named, func(c string) bool { return strings.HasPrefix(c, name+".") })
			if tells != isNamed || tells != (exported[name] > 0) {
				t.Errorf("%s: a row names the person: %v, exported %d; put one there, or say that it tells of nobody",
					name, isNamed, exported[name])
			}
		}
		e, err := beside.Erase(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		after := texts(t, s)
		if left := naming(after, grace); len(left) > 0 {
			t.Errorf("still there in %v", left)
		}
		for _, words := range []string{"own words in acme", "about " + grace} {
			if left := naming(after, words); len(left) > 0 {
				t.Errorf("%q is still there in %v", words, left)
			}
		}
		for name, tells := range tables {
			if tells && e.Rows[name] == 0 {
				t.Errorf("%s is not in the report: %v", name, e.Rows)
			}
		}
		if rows, breaks, err := s.VerifyActivity(t.Context()); err != nil || len(breaks) > 0 || rows != 9 {
			t.Errorf("%d rows, %v, %v", rows, breaks, err)
		}
		for _, others := range []string{alan, "globex", "member-test-aaaaaaaa-0000-4000-8000-000000000009"} {
			if was, is := naming(before, others), naming(after, others); !slices.Equal(was, is) {
				t.Errorf("%s was in %v, and is in %v", others, was, is)
			}
		}
		again, err := beside.Erase(t.Context(), p)
		if err != nil || len(again.Rows) > 0 {
			t.Errorf("again: %v, %v", again.Rows, err)
		}
		if exported := export(t, beside, p); len(exported) != 1 || exported["denials"] != 1 {
			t.Errorf("exported afterwards: %v", exported)
		}
		if found(t, s, "secret") != 1 || found(t, s, "Ask") != 1 || found(t, s, grace) != 0 {
			t.Error("the organization's tasks are not found, or by the person")
		}
		counted(t, s)
	})
}

// counted fails if what quotas count is not what the rows say.
func counted(t *testing.T, s *store.Store) {
	t.Helper()
	var wrong string
	err := s.QueryRow(t.Context(), `SELECT coalesce(max(u.owner || ' ' || u.person), '') FROM quota_usage u WHERE
		u.bytes <> (SELECT coalesce(sum(bytes), 0) FROM (
			SELECT owner, subject AS person, bytes FROM activity
			UNION ALL SELECT owner, person, bytes FROM replies
			UNION ALL SELECT owner, author, bytes FROM task_comments
			UNION ALL SELECT owner, coalesce(nullif(payer, ''), creator), bytes FROM tasks) r
			WHERE r.owner = u.owner AND (u.person = '' OR r.person = u.person))`).Scan(&wrong)
	if err != nil || wrong != "" {
		t.Errorf("counted wrong for %q: %v", wrong, err)
	}
	err = s.QueryRow(t.Context(), `SELECT coalesce(max(q.owner || ' ' || q.person || ' ' || q.kind), '')
		FROM quota_things q WHERE q.kind = 'comments' AND q.number <> (SELECT count(*) FROM task_comments c
			WHERE c.owner = q.owner AND c.deleted_at = 0 AND (q.person = '' OR c.author = q.person))`).Scan(&wrong)
	if err != nil || wrong != "" {
		t.Errorf("counted wrong for %q: %v", wrong, err)
	}
}

// TestAUserOfAConsumerProjectLeavesNothing but what refuses their tokens.
func TestAUserOfAConsumerProjectLeavesNothing(t *testing.T) {
	onBothBeside(t, func(t *testing.T, s, beside *store.Store, c *clock) {
		personal(t, s, c, alone, alone)
		const other = "user-test-aaaaaaaa-0000-4000-8000-000000000004"
		personal(t, s, c, other, other)
		write(t, s, func(tx *store.Tx) error { _, err := tx.Exec("DELETE FROM visits"); return err })
		e, err := beside.Erase(t.Context(), store.Person{Owner: alone, ID: alone})
		if err != nil || e.Rows["tasks"] != 2 || e.Rows["activity"] != 4 {
			t.Fatalf("%v %v", e.Rows, err)
		}
		after := texts(t, s)
		for _, words := range []string{alone, "erased-" + strings.TrimPrefix(e.Pseudonym, "erased-")} {
			if left := naming(after, words); len(left) > 0 {
				t.Errorf("%s is still there in %v", words, left)
			}
		}
		if rows, breaks, err := s.VerifyActivity(t.Context()); err != nil || len(breaks) > 0 || rows != 4 {
			t.Errorf("%d rows, %v, %v", rows, breaks, err)
		}
		denials, err := s.Denials(t.Context(), time.Time{})
		if err != nil || !slices.ContainsFunc(denials, func(d store.Denial) bool {
			return d.Subject == store.ErasedSubject(alone) && d.RevokedAt.Equal(c.Now())
		}) {
			t.Errorf("the revocation is gone: %v, %v", denials, err)
		}
	})
}

// TestNothingIsErasedThatCannotBe leaves everything as it was.
func TestNothingIsErasedThatCannotBe(t *testing.T) {
	onBothBeside(t, func(t *testing.T, s, beside *store.Store, c *clock) {
		personal(t, s, c, "acme", grace)
		p := store.Person{Owner: "acme", ID: grace}
		refused := func(p store.Person, want string) {
			t.Helper()
			before := texts(t, s)
			if _, err := beside.Erase(context.Background(), p); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
			if !maps.Equal(before, texts(t, s)) {
				t.Error("something was changed")
			}
		}
		refused(store.Person{Owner: "acme", ID: "ada"}, "must be that of Stytch")
		// a part was lost on the way: it is part of the ids of Grace and Alan
		for _, part := range []string{grace[:len(grace)-1], grace[:16], grace[1:], grace + "0"} {
			refused(store.Person{Owner: "acme", ID: part}, "must be that of Stytch, as a whole")
		}
		refused(store.Person{Owner: grace, ID: grace}, "a member is one of an organization")
		refused(store.Person{Owner: "acme", ID: alone}, "a member is one of an organization")
		refused(store.Person{ID: grace}, "the organization's id must be said")
		write(t, s, func(tx *store.Tx) error {
			return tx.Keep(store.Denial{Subject: grace, Client: "claude", Owner: "acme", RevokedAt: c.Now(),
				ExpiresAt: c.Now().Add(time.Hour), RetryAt: c.Now()})
		})
		refused(p, "has not reached Stytch yet")
		write(t, s, func(tx *store.Tx) error { _, err := tx.Exec("UPDATE denials SET retry_at = 0"); return err })
		write(t, s, func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE activity SET operation = 'listTasks' WHERE seq = 2")
			return err
		})
		refused(p, "the record of changes is not as it was written")
		write(t, s, func(tx *store.Tx) error {
			if _, err := tx.Exec("CREATE TABLE letters (sender TEXT)"); err != nil {
				return err
			}
			_, err := tx.Exec("INSERT INTO letters VALUES ($1)", grace)
			return err
		})
		refused(p, "the table letters names the person in 1 rows")
	})
}

// TestErasingGoesBesideWriters, whose changes are kept and chained, before and after.
func TestErasingGoesBesideWriters(t *testing.T) {
	onBothBeside(t, func(t *testing.T, s, beside *store.Store, c *clock) {
		personal(t, s, c, "acme", grace)
		const writers, each = 4, 25
		var group sync.WaitGroup
		for range writers {
			group.Go(func() {
				for range each {
					record(t, s, "acme", "createTask", func(tx *store.Tx) error {
						_, err := table.CreateTask(tx, "acme", table.Task{Title: "x", State: "open", Priority: 2,
							Creator: alan, Assignee: alan})
						return err
					})
				}
			})
		}
		if _, err := beside.Erase(t.Context(), store.Person{Owner: "acme", ID: grace}); err != nil {
			t.Error(err)
		}
		group.Wait()
		if rows, breaks, err := s.VerifyActivity(t.Context()); err != nil || len(breaks) > 0 || rows != writers*each+5 {
			t.Errorf("%d rows, %v, %v", rows, breaks, err)
		}
		counted(t, s)
	})
}

// TestUndoingAssignsNobodyWhoWasErased to a task that was theirs before.
func TestUndoingAssignsNobodyWhoWasErased(t *testing.T) {
	onBothBeside(t, func(t *testing.T, s, beside *store.Store, c *clock) {
		task := create(t, s, "acme", table.Task{Title: "x", Creator: alan, Assignee: grace})
		changed := record(t, s, "acme", "updateTask", func(tx *store.Tx) error {
			_, err := table.ChangeTask(tx, "acme", task.ID, 0, false, func(t *table.Task) error {
				t.Assignee = alan
				return nil
			})
			return err
		})
		if _, err := beside.Erase(t.Context(), store.Person{Owner: "acme", ID: grace}); err != nil {
			t.Fatal(err)
		}
		changed, err := s.Activity(t.Context(), "acme", "ada", changed.ID)
		if err != nil {
			t.Fatal(err)
		}
		write(t, s, func(tx *store.Tx) error { return tx.Undo(changed, table.UndoTask) })
		if task, err = table.Get(t.Context(), s, "acme", task.ID); err != nil || task.Assignee != "" {
			t.Errorf("%+v %v", task, err)
		}
	})
}

// TestALongRecordIsChainedAnew over more than what is read at once, and the erasure says how it ended before.
func TestALongRecordIsChainedAnew(t *testing.T) {
	onBothBeside(t, func(t *testing.T, s, beside *store.Store, c *clock) {
		const rows = 1203
		write(t, s, func(tx *store.Tx) error {
			for i := range rows {
				tx.Changed("tsk_1", nil, i)
				if _, err := tx.Record(store.Activity{Owner: "acme", Subject: []string{alan, alan, grace}[i%3],
					Operation: "x", Outcome: store.Done}); err != nil {
					return err
				}
			}
			return nil
		})
		end := func() (hash string) {
			if err := s.QueryRow(t.Context(), "SELECT hash FROM activity WHERE owner = 'acme' AND seq = $1",
				rows).Scan(&hash); err != nil {
				t.Fatal(err)
			}
			return hash
		}
		before := end()
		e, err := beside.Erase(t.Context(), store.Person{Owner: "acme", ID: grace})
		if err != nil || e.Rows["activity"] != rows/3 {
			t.Fatalf("%v %v", e, err)
		}
		var was, is string
		if err := s.QueryRow(t.Context(), "SELECT before, after FROM activity WHERE operation = $1 AND target = $2",
			store.EraseOperation, e.Pseudonym).Scan(&was, &is); err != nil || !strings.Contains(was, before) ||
			!strings.Contains(is, end()) || before == end() {
			t.Errorf("%s %s %v", was, is, err)
		}
		if n, breaks, err := s.VerifyActivity(t.Context()); err != nil || len(breaks) > 0 || n != rows+1 {
			t.Errorf("%d rows, %v, %v", n, breaks, err)
		}
	})
}

// TestNothingOfAnErasedPersonIsLeftInTheFiles of SQLite, also while a server goes on, and in what its index of words is
// made of.
func TestNothingOfAnErasedPersonIsLeftInTheFiles(t *testing.T) {
	for owner, person := range map[string]string{alone: alone, "acme": grace} {
		folder, c := t.TempDir(), &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
		o := withTasks("sqlite:" + filepath.Join(folder, "x.db"))
		o.Now = c.Now
		s := openWith(t, o)
		for range 20 {
			create(t, s, owner, table.Task{Title: "x", Notes: "a lot of other words", State: "open", Creator: alan})
		}
		write(t, s, func(tx *store.Tx) error {
			_, err := table.CreateTask(tx, owner, table.Task{Title: "quixotically " + person, Notes: "flabbergasted",
				State: "open", Creator: person, Labels: []string{person}})
			if err != nil {
				return err
			}
			_, err = tx.Record(store.Activity{Owner: owner, Subject: person, Client: "chatgpt", Operation: "createTask",
				Outcome: store.Done, Conversation: "about pumpernickel"})
			return err
		})
		beside, err := store.Beside(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := beside.Erase(t.Context(), store.Person{Owner: owner, ID: person}); err != nil {
			t.Fatal(err)
		}
		if err := beside.Close(); err != nil {
			t.Fatal(err)
		}
		look := func(when string) {
			for _, name := range files(t, folder) {
				content, err := os.ReadFile(filepath.Join(folder, name))
				if err != nil {
					t.Fatal(err)
				}
				for _, word := range []string{person, "pumpernickel", "quixotically", "flabbergasted"} {
					theirs := owner == alone || word == person || word == "pumpernickel" // else the organization's
					if n := strings.Count(string(content), word); theirs && n > 0 {
						t.Errorf("%s %s: %s has %s %d times", owner, when, name, word, n)
					}
				}
			}
		}
		look("running")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		look("closed")
	}
}
