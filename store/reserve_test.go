package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"guestpass/internal/postgrestest"
)

// smallDisk is a folder of so many bytes, where the tests may mount one.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "guestpass-disk-")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d,mode=0777", bytes), "tmpfs",
		folder).CombinedOutput(); err != nil {
		_ = os.Remove(folder)
		t.Skipf("a small disk cannot be mounted here: %s", out)
	}
	t.Cleanup(func() {
		_ = exec.Command("umount", "--lazy", folder).Run()
		_ = os.Remove(folder)
	})
	return folder
}

// noise is text that no database can make shorter.
func noise(n int) string {
	return base64.StdEncoding.EncodeToString(incompressible(2 * n))[n/2 : n/2+n]
}

// fillUp writes tasks until there is no space for the smallest.
func fillUp(t *testing.T, s *Store) (kept int) {
	t.Helper()
	size := 9000
	for range 20_000 {
		err := s.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.CreateTask("acme", Task{Title: "x", Notes: noise(size), State: "open", Priority: 2,
				Creator: "ada"})
			if err == nil {
				_, err = tx.Record(Activity{Owner: "acme", Subject: "ada", Operation: "createTask", Outcome: Done})
			}
			return err
		})
		switch {
		case err == nil:
			kept++
		case !errors.Is(err, ErrFull):
			t.Fatalf("neither kept nor refused as full: %v", err)
		case size <= 1:
			return kept
		default:
			size /= 2
			if s.database == postgresDatabase { // on which it is tried once a second only
				s.reserve.lent.Store(false)
			}
		}
	}
	t.Fatal("the disk is never full")
	return 0
}

func denyOne(ctx context.Context, s *Store, n int) error {
	return s.Write(ctx, func(tx *Tx) error {
		d := Denial{Subject: fmt.Sprint("member-", n), Client: "app", Owner: "globex", RevokedAt: tx.Now(),
			ExpiresAt: tx.Now().Add(time.Hour)}
		if err := tx.Deny(d); err != nil {
			return err
		}
		tx.Changed("app", map[string]string{"connected_by": d.Subject}, nil)
		_, err := tx.Record(Activity{Owner: "globex", Subject: d.Subject, Operation: "revokeConnection", Outcome: Done})
		return err
	})
}

// denyMany has a full store keep a thousand denials, and then nothing else until there is space.
func denyMany(t *testing.T, s *Store, makeSpace func()) {
	t.Helper()
	const denials = 500
	for n := range denials {
		if err := denyOne(t.Context(), s, n); err != nil {
			t.Fatalf("denial %d on a full disk: %v", n+1, err)
		}
	}
	list, err := s.Denials(t.Context(), time.Time{})
	if err != nil || len(list) != denials {
		t.Errorf("%d denials, %v", len(list), err)
	}
	if page, err := s.Tasks(t.Context(), "acme", TaskQuery{Sort: "created", Limit: 5}); err != nil ||
		len(page.Tasks) != 5 {
		t.Errorf("reading: %v, %v", page, err)
	}
	makeSpace()
	s.reserve.tried = time.Time{} // a second later
	if err := s.Write(t.Context(), func(tx *Tx) error {
		_, err := tx.CreateTask("acme", Task{Title: "x", State: "open", Priority: 2, Creator: "ada"})
		return err
	}); err != nil {
		t.Errorf("with space again: %v", err)
	}
	if s.reserve.lent.Load() {
		t.Error("the reserve was not taken again")
	}
	if err := s.CheckIntegrity(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAFullDiskOfSQLiteKeepsDenials has a disk that is really full, to the last block.
func TestAFullDiskOfSQLiteKeepsDenials(t *testing.T) {
	disk := smallDisk(t, 12<<20)
	ballast := filepath.Join(disk, "of-another-program")
	if err := os.WriteFile(ballast, make([]byte, 5<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	options := Options{URL: "sqlite:" + filepath.Join(disk, "test.db"), Log: slog.New(slog.NewTextHandler(&told, nil))}
	s, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("full after %d tasks", fillUp(t, s))
	if err := s.Close(); err != nil { // what was denied must count after a start on the full disk, too
		t.Logf("close: %v", err)
	}
	if s, err = Open(t.Context(), options); err != nil {
		t.Fatalf("a start on a full disk: %v", err)
	}
	defer s.Close()
	fillUp(t, s)
	denyMany(t, s, func() { _ = os.Remove(ballast) })
	if !strings.Contains(told.String(), "a revocation takes reserved space") {
		t.Errorf("the disk was not full: %s", told.String())
	}
	if info, err := os.Stat(filepath.Join(disk, "test.db"+reserveSuffix)); err != nil || info.Size() != reserveBytes ||
		info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestAFullDiskOfPostgresKeepsDenials has the tables on a disk of their own. Where the write-ahead log is
// on the full disk, too, Postgres itself stops.
func TestAFullDiskOfPostgresKeepsDenials(t *testing.T) {
	disk := smallDisk(t, 16<<20)
	ballast := filepath.Join(disk, "of-another-program")
	if err := os.WriteFile(ballast, make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	tables := filepath.Join(disk, "tables")
	if err := os.Mkdir(tables, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "postgres", tables).CombinedOutput(); err != nil {
		t.Skipf("%s", out)
	}
	postgres, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = postgres.Stop() })
	url := postgres.Database(t)
	admin, err := Open(t.Context(), Options{URL: url, Schema: "other"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.read.ExecContext(t.Context(), "CREATE TABLESPACE small LOCATION '"+tables+"'"); err != nil {
		t.Fatal(err)
	}
	_ = admin.Close()
	var told bytes.Buffer
	s, err := Open(t.Context(), Options{URL: url + "&default_tablespace=small", Quota: Quota{Bytes: 1 << 40},
		Log: slog.New(slog.NewTextHandler(&told, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	t.Logf("full after %d tasks", fillUp(t, s))
	denyMany(t, s, func() { _ = os.Remove(ballast) })
	if !strings.Contains(told.String(), "a revocation takes reserved space") {
		t.Errorf("the disk was not full: %s", told.String())
	}
	var rows int
	if err := s.QueryRow(t.Context(), "SELECT count(*) FROM reserve").Scan(&rows); err != nil || rows != reserveRows {
		t.Errorf("%d rows are reserved, %v", rows, err)
	}
}

// TestWithoutAReserveNothingElseIsWritten starts where there is too little space for it.
func TestWithoutAReserveNothingElseIsWritten(t *testing.T) {
	disk := smallDisk(t, 2<<20)
	s, err := Open(t.Context(), Options{URL: "sqlite:" + filepath.Join(disk, "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Write(t.Context(), func(tx *Tx) error {
		_, err := tx.CreateTask("acme", Task{Title: "x", State: "open", Priority: 2})
		return err
	}); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	if err := denyOne(t.Context(), s, 1); err != nil {
		t.Error(err)
	}
}

// heavy are notes of the kinds that take the most of the index; n makes each different.
var heavy = map[string]func(n int) string{
	"tiny":  func(int) string { return "x" },
	"words": func(int) string { return strings.Repeat("ab cd ", 1600) },
	"distinct": func(n int) string {
		var b strings.Builder
		for i := 0; b.Len() < 9900; i++ {
			fmt.Fprintf(&b, "w%dz%d ", n, i)
		}
		return b.String()
	},
	"han":        func(n int) string { return random('\u4e00', 20_000, n) },
	"four bytes": func(n int) string { return random('\U00020000', 40_000, n) },
}

// random are 9,900 characters from one on.
func random(first rune, characters, seed int) string {
	r := rand.New(rand.NewPCG(uint64(seed), 1)) // #nosec G115 -- a test's
	text := make([]rune, 9900)
	for i := range text {
		text[i] = first + rune(r.IntN(characters)) // #nosec G115 -- small
	}
	return string(text)
}

// TestWhatIsCountedIsAboutWhatTheDiskHolds compares the count with the size of what is there, so that a quota
// of bytes bounds the disk: rows, indexes, the search index, and what changes leave behind.
func TestWhatIsCountedIsAboutWhatTheDiskHolds(t *testing.T) {
	for database, url := range map[string]func(*testing.T) string{
		"SQLite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") },
		"Postgres": func(t *testing.T) string { return postgrestest.Shared(t).Database(t) },
	} {
		for kind, notes := range heavy {
			t.Run(database+" "+kind, func(t *testing.T) {
				s, err := Open(t.Context(), Options{URL: url(t), Quota: Quota{Bytes: 1 << 40}})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				empty := s.onDisk(t)
				// those with few words fill few pages
				tasks := cmp.Or(map[string]int{"tiny": 200, "words": 40}[kind], 10)
				for n := range tasks {
					err := s.Write(t.Context(), func(tx *Tx) error {
						task, err := tx.CreateTask("organization-test-aaaaaaaa-0000-4000-8000-000000000001",
							Task{Title: "x", Notes: notes(n),
								State: "open", Priority: 2, Creator: "member-test-aaaaaaaa-0000-4000-8000-000000000001",
								Labels: []string{"one", "two"}})
						if err != nil {
							return err
						}
						a := Activity{Owner: "organization-test-aaaaaaaa-0000-4000-8000-000000000001",
							Subject: task.Creator, Client: "connected-app-test-dddddddd-0000-4000-8000-000000000001",
							Operation: "createTask", Outcome: Done, Request: "host/abcdefghij-000001"}
						if _, err = tx.Record(a); err != nil {
							return err
						}
						_, err = tx.ChangeTask(a.Owner, task.ID, 0, false,
							func(t *Task) error { t.Notes = notes(n + 1000); return nil })
						if err == nil {
							_, err = tx.Record(a)
						}
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				var counted int64
				if err := s.QueryRow(t.Context(), "SELECT bytes FROM quota_usage WHERE person = ''").Scan(
					&counted); err != nil {
					t.Fatal(err)
				}
				held := s.onDisk(t) - empty
				t.Logf("counted %d, held %d: %.2f", counted, held, float64(held)/float64(counted))
				most := 1.5
				if s.database == postgresDatabase {
					most = 2.5 // what was changed leaves room for what is changed next
				}
				if float64(held) > most*float64(counted) {
					t.Error("the count says too little")
				}
			})
		}
	}
}

// onDisk is the size of what is kept, after what removes the remains has run.
func (s *Store) onDisk(t *testing.T) (bytes int64) {
	t.Helper()
	query := "SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)"
	if s.database == postgresDatabase {
		if _, err := s.read.ExecContext(t.Context(), "VACUUM"); err != nil {
			t.Fatal(err)
		}
		query = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = " +
			"relnamespace WHERE nspname = 'guestpass' AND relkind = 'r'"
	}
	if err := s.QueryRow(t.Context(), query).Scan(&bytes); err != nil {
		t.Fatal(err)
	}
	return bytes
}

// TestATaskThatIsChangedAgainAndAgainTakesNoMoreSpace looks that the search index forgets, and that the
// write-ahead log does not stay long.
func TestATaskThatIsChangedAgainAndAgainTakesNoMoreSpace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, err := Open(t.Context(), Options{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var task Task
	change := func(n int) {
		t.Helper()
		if err := s.Write(t.Context(), func(tx *Tx) (err error) {
			if task.ID == "" {
				task, err = tx.CreateTask("acme", Task{Title: "x", State: "open", Priority: 2, Creator: "ada"})
				return err
			}
			_, err = tx.ChangeTask("acme", task.ID, 0, false,
				func(t *Task) error { t.Notes = heavy["han"](n); return nil })
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 20 {
		change(n)
	}
	before := s.onDisk(t)
	for n := range 80 { // five times as much, if nothing were forgotten
		change(n)
	}
	if after := s.onDisk(t); after > 3*before {
		t.Errorf("after 20 changes %d bytes, after 100 %d", before, after)
	} else {
		t.Logf("after 20 changes %d bytes, after 100 %d", before, after)
	}
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() > 20<<20 {
		t.Errorf("the log: %v, %v", info.Size(), err)
	}
}

// TestWhatIsThereIsCountedByTheMigration begins with what the version before has made.
func TestWhatIsThereIsCountedByTheMigration(t *testing.T) {
	for name, url := range map[string]string{"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "test.db"),
		"Postgres": postgrestest.Shared(t).Database(t)} {
		t.Run(name, func(t *testing.T) {
			s, err := connect(t.Context(), Options{URL: url}, true)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.makeSchema(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := s.eachSchema(func(_ Schema, p *goose.Provider) error {
				_,
					err := p.UpTo(t.Context(), 3)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			for _, statement := range []string{
				`INSERT INTO tasks (id, owner, title, notes, state, due, priority, assignee, labels, creator, version, created_at, updated_at, completed_at, deleted_at)
					VALUES ('tsk_1', 'acme', 'one', 'notes', 'open', '9999-99-99', 2, '', 'a', 'ada', 2, 1, 1, 0, 0),
					('tsk_2', 'acme', 'two', '', 'open', '9999-99-99', 2, '', '', 'grace', 1, 1, 1, 0, 5)`,
				`INSERT INTO task_comments (id, owner, task_id, author, text, created_at, deleted_at) VALUES ('cmt_1', 'acme', 'tsk_1', 'grace', 'hello', 1, 0)`,
				`INSERT INTO activity (owner, seq, id, at, subject, client, operation, target, before, after, outcome, refers_to, request, conversation, hash) VALUES
					('acme', 1, 'act_1', 1, 'ada', 'app', 'updateTask', 'tsk_1', '{"ID":"tsk_1","Title":"before","Notes":"old","State":"open","Due":"","Priority":3,"Assignee":"","Labels":["x"],"Creator":"ada","Version":1,"DeletedAt":"0001-01-01T00:00:00Z"}', '{"Title":"one"}', 'done', '', '', '', 'h'),
					('acme', 2, 'act_2', 1, 'grace', 'app', 'deleteTask', 'tsk_2', '{"DeletedAt":"0001-01-01T00:00:00Z"}', '{"DeletedAt":"2026-01-01T00:00:00Z"}', 'done', '', '', '', 'h'),
					('acme', 3, 'act_3', 1, 'ada', '', 'revokeConnection', 'app', '{"connected_by":"ada"}', '', 'done', '', '', '', 'h')`,
				`INSERT INTO activity_heads (owner, seq, hash) VALUES ('acme', 3, 'h')`,
				`INSERT INTO replies (key, body, reply, expires_at) VALUES ('k', 'b', '{}', 1)`,
			} {
				if err := s.Write(t.Context(),
					func(tx *Tx) error { _, err := tx.Exec(statement); return err }); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
			_ = s.Close()
			if s, err = Open(t.Context(), Options{URL: url}); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			counts, err := List(t.Context(), s, func(row Scanner) (string, error) {
				var person string
				var tasks, comments, activities, bytes int64
				err := row.Scan(&person, &tasks, &comments, &activities, &bytes)
				return fmt.Sprint(person, " ", tasks, comments, activities, bytes > 1000), err
			}, "SELECT person, tasks, comments, activities, bytes FROM quota_usage WHERE owner = 'acme' ORDER BY "+
				"person")
			if err != nil || fmt.Sprint(counts) != "[ 1 1 3 true ada 1 0 2 true grace 0 1 1 true]" {
				t.Errorf("%v, %v", counts, err)
			}
			removals, err := List(t.Context(), s, func(row Scanner) (id string, err error) { return id, row.Scan(&id) },
				"SELECT id FROM activity WHERE removes = 1 ORDER BY seq")
			if err != nil || fmt.Sprint(removals) != "[act_2 act_3]" {
				t.Errorf("%v, %v", removals, err)
			}
			update, err := s.Activity(t.Context(), "acme", "ada", "act_1")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Write(t.Context(), func(tx *Tx) error { return tx.Undo(update, (*Tx).UndoTask) }); err != nil {
				t.Fatal(err)
			}
			if task, err := s.Task(t.Context(), "acme", "tsk_1"); err != nil || task.Title != "before" ||
				task.Priority != 3 || fmt.Sprint(task.Labels) != "[x]" {
				t.Errorf("what an earlier version recorded is undone: %+v, %v", task, err)
			}
			if err := s.forget(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Purge(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
