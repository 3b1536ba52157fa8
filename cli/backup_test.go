//go:build !production

package cli

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"guestpass/stytchtest"
)

// server is a real one on a SQLite file, with somebody's token.
type server struct {
	*process
	folder, token string
	environ       []string
	seed          stytchtest.Seed
	t             *testing.T
}

func startServer(t *testing.T, more ...string) *server {
	t.Helper()
	seed := stytchtest.Development()
	stytch := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	s := &server{folder: t.TempDir(), token: tokenOf(t, stytch, seed.Members[0].ID), seed: seed, t: t}
	s.environ = forStytch(stytch, seed, append([]string{"GUESTPASS_DATABASE_URL=sqlite:" + s.path(),
		"GUESTPASS_MAX_IN_FLIGHT=1024"}, more...)...)
	s.process = startProcess(t, s.environ)
	return s
}

func (s *server) path() string { return filepath.Join(s.folder, "guestpass.db") }

// call returns the status and the id of the task that it is about.
func (s *server) call(method, path, body string) (status int, id string) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	var task struct {
		ID string `json:"task_id"`
	}
	_ = json.NewDecoder(response.Body).Decode(&task)
	return response.StatusCode, task.ID
}

// write has several people of one app create tasks until the returned function is called, which returns how many were
// acknowledged. acknowledged returns the ids so far.
func (s *server) write(writers int) (acknowledged func() []string, stop func()) {
	var mu sync.Mutex // guards ids
	var ids []string
	var ended atomic.Bool
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := 0; !ended.Load(); i++ {
				status, id := s.call("POST", "/api/v1/tasks", fmt.Sprintf(`{"title":"task %d of %d"}`, i, w))
				if status == http.StatusCreated {
					mu.Lock()
					ids = append(ids, id)
					mu.Unlock()
				}
			}
		})
	}
	return func() []string {
			mu.Lock()
			defer mu.Unlock()
			return append([]string{}, ids...)
		}, func() {
			ended.Store(true)
			group.Wait()
		}
}

// TestABackupUnderLoadHasAllThatWasAcknowledgedBefore takes both kinds of copy from a server that is written to, and
// has a server of its own on each that is restored.
func TestABackupUnderLoadHasAllThatWasAcknowledgedBefore(t *testing.T) {
	s := startServer(t)
	acknowledged, stop := s.write(16)
	for len(acknowledged()) < 200 { // each waits for answers
		if s.call("GET", "/healthz", ""); t.Failed() {
			t.FailNow()
		}
	}
	copies := map[string][]string{}
	for _, to := range []string{filepath.Join(s.folder, "file.db"), stream} {
		before := acknowledged()
		code, stdout, stderr := execute(t, s.environ, "backup", to)
		if code != 0 {
			t.Fatalf("exit code %d, %s", code, stderr)
		}
		if to == stream {
			to = filepath.Join(s.folder, "stream.db")
			if err := os.WriteFile(to, []byte(stdout), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		copies[to] = before
	}
	stop()
	s.stop(t)
	for name, before := range copies {
		restored := *s
		restored.folder = t.TempDir()
		restored.environ = append(restored.environ[:len(restored.environ):len(restored.environ)],
			"GUESTPASS_DATABASE_URL=sqlite:"+restored.path())
		code, stdout, stderr := execute(t, restored.environ, "restore", name)
		if code != 0 || !strings.Contains(stdout, "all as they were written") ||
			!strings.Contains(stdout, "GUESTPASS_TOKENS_ISSUED_AFTER=20") {
			t.Fatalf("exit code %d, %s%s", code, stdout, stderr)
		}
		if info, err := os.Stat(restored.path()); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
		restored.process = startProcess(t, restored.environ)
		for _, id := range before {
			if status, _ := restored.call("GET", "/api/v1/tasks/"+id, ""); status != http.StatusOK {
				t.Errorf("%s: the task %s was acknowledged before, and is %d", name, id, status)
			}
		}
		t.Logf("%s: %d tasks were acknowledged before", filepath.Base(name), len(before))
	}
}

// TestWhatIsNotRestored leaves nothing in the place, or what is there as it is.
func TestWhatIsNotRestored(t *testing.T) {
	s := startServer(t)
	s.call("POST", "/api/v1/tasks", `{"title":"kept"}`)
	whole := filepath.Join(s.folder, "whole.db")
	if code, _, stderr := execute(t, s.environ, "backup", whole); code != 0 {
		t.Fatal(stderr)
	}
	content, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	made := func(name string, change func([]byte) []byte) string {
		path := filepath.Join(s.folder, name)
		if err := os.WriteFile(path, change(bytes.Clone(content)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	altered := func(name, statement string) string {
		path := made(name, func(b []byte) []byte { return b })
		alter(t, path, statement)
		return path
	}
	place := filepath.Join(t.TempDir(), "guestpass.db")
	for file, want := range map[string]string{
		made("cut.db", func(b []byte) []byte { return b[:len(b)/2] }):   "it is damaged",
		made("text.db", func([]byte) []byte { return []byte("hello") }): "it is no SQLite database",
		made("empty.db", func([]byte) []byte { return nil }):            "it is no SQLite database",
		made("dump.db", func([]byte) []byte { return []byte("PGDMP") }): "it is a dump of a Postgres",
		made("page.db", func(b []byte) []byte { return damaged(b) }):    "damaged",
		altered("others.db", "DROP TABLE guestpass_migrations"):         "tables of another program",
		altered("later.db", "INSERT INTO guestpass_migrations (version_id, is_applied) VALUES (99, true)"): "a newer " +
			"version has changed",
		altered("lost.db", "DROP TABLE denials"):                    "lacks what its migrations made: denials",
		altered("record.db", "UPDATE activity SET operation = 'x'"): "its record of changes is not as it was written",
		altered("record2.db", "DELETE FROM activity"):               "its record of changes is not as it was written",
		filepath.Join(s.folder, "nowhere.db"):                       "no such file",
	} {
		code, stdout, stderr := execute(t, []string{"GUESTPASS_DATABASE_URL=sqlite:" + place}, "restore", file)
		if code != 1 || stdout != "" || !strings.Contains(stderr, want) || strings.Contains(stderr, "-restore-") {
			t.Errorf("%s: exit code %d, %s", file, code, stderr)
		}
		left, err := os.ReadDir(filepath.Dir(place))
		if err != nil || len(left) > 1 || len(left) == 1 && left[0].Name() != "guestpass.db-lock" {
			t.Errorf("%s leaves %v, %v", file, left, err)
		}
	}
	refused := func(want string) {
		t.Helper()
		if code, _, stderr := execute(t, s.environ, "restore", whole); code != 1 || !strings.Contains(stderr, want) {
			t.Errorf("exit code %d, %s, want %s", code, stderr, want)
		}
	}
	refused(fmt.Sprintf("process id %d", s.command.Process.Pid))
	if err := os.Rename(s.path(), s.path()+".away"); err != nil { // under a server that uses it
		t.Fatal(err)
	}
	refused(fmt.Sprintf("process id %d", s.command.Process.Pid))
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
	refused("-wal exists, and is not overwritten")
	code, _, stderr := execute(t, []string{"GUESTPASS_DATABASE_URL=postgres://ada:hunter2@localhost/x?sslmode=disable",
		"GUESTPASS_DATABASE_SCHEMA=acme"}, "restore", whole)
	if code != 1 || !strings.Contains(stderr, "pg_restore --clean --if-exists --single-transaction --schema=acme "+
		"--dbname='postgres://ada@localhost/x?sslmode=disable' FILE") {
		t.Errorf("Postgres: exit code %d, %s", code, stderr)
	}
}

// damaged returns a file with pages overwritten that are neither the first nor the last.
func damaged(b []byte) []byte {
	for i := len(b) / 3; i < len(b)/2; i++ {
		b[i] = 0xff
	}
	return b
}

// alter changes a SQLite file past the program, which has its driver.
func alter(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// TestAPersonsDataIsExportedAndErasedBesideAServer by the commands, with the server's own tables and those of its
// resources.
func TestAPersonsDataIsExportedAndErasedBesideAServer(t *testing.T) {
	s := startServer(t)
	for i := range 3 {
		s.call("POST", "/api/v1/tasks", fmt.Sprintf(`{"title":"written by Ada, %d"}`, i))
	}
	member, organization := s.seed.Members[0].ID, s.seed.Members[0].OrganizationID
	whose := []string{"--organization", organization, "--member", member}
	person := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		code, stdout, stderr := execute(t, s.environ, append([]string{"person"}, args...)...)
		if code != want {
			t.Errorf("%v: exit code %d, %s", args, code, stderr)
		}
		return stdout, stderr
	}
	exported, _ := person(0, append([]string{"export"}, whose...)...)
	tables := map[string]int{}
	for line := range strings.Lines(exported) {
		var row struct {
			Table string         `json:"table"`
			Row   map[string]any `json:"row"`
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		tables[row.Table]++
	}
	if tables["tasks"] != 3 || tables["activity"] != 3 || tables["replies"] != 3 || tables["quota_usage"] != 1 {
		t.Errorf("exported: %v", tables)
	}
	if _, stderr := person(2, append([]string{"erase"}, whose...)...); !strings.Contains(stderr, "activity 3") ||
		!strings.Contains(stderr, "say --yes") {
		t.Error(stderr)
	}
	stdout, _ := person(0, append([]string{"erase", "--yes"}, whose...)...)
	if !strings.Contains(stdout, "tasks: 3 rows") || !strings.Contains(stdout, "the person at Stytch; backups") {
		t.Error(stdout)
	}
	if _, stderr := person(1, append([]string{"erase"}, whose...)...); !strings.Contains(stderr,
		"no table names this") {
		t.Error(stderr)
	}
	if status, id := s.call("POST", "/api/v1/tasks", `{"title":"the server goes on"}`); status != http.StatusCreated ||
		id == "" {
		t.Errorf("%d", status)
	}
	if code, stdout, stderr := execute(t, s.environ, "audit", "verify"); code != 0 {
		t.Errorf("%s%s", stdout, stderr)
	}
	for _, args := range [][]string{{}, {"--member", member}, {"--organization", organization}, {"--user", "ada"},
		append(whose, "--user", "user-test-aaaaaaaa-0000-4000-8000-000000000003")} {
		for _, command := range []string{"export", "erase"} {
			if stdout, stderr := person(2, append([]string{command}, args...)...); stdout != "" || stderr == "" {
				t.Errorf("%s %v: %s%s", command, args, stdout, stderr)
			}
		}
	}
}

// TestWhichCommandsGoBesideAServer on a SQLite file, and which are refused by the name of its process.
func TestWhichCommandsGoBesideAServer(t *testing.T) {
	s := startServer(t)
	s.call("POST", "/api/v1/tasks", `{"title":"kept"}`)
	whose := " --organization " + s.seed.Members[0].OrganizationID + " --member " + s.seed.Members[0].ID
	for command, beside := range map[string]bool{
		"migrate status": true, "audit verify": true, "backup " + s.path() + ".copy": true,
		"person export" + whose: true, "person erase --yes" + whose: true,
		"migrate up": false, "migrate down-to tasks/6": false, "serve": false,
		"restore " + os.Args[0]: false,
	} {
		code, stdout, stderr := execute(t, s.environ, strings.Fields(command)...)
		named := strings.Contains(stderr, fmt.Sprintf("process id %d)", s.command.Process.Pid)) &&
			(runtime.GOOS != "linux" || strings.Contains(stderr, "("+filepath.Base(os.Args[0])+", "))
		if (code == 0) != beside || named == beside {
			t.Errorf("%s: exit code %d, %s%s", command, code, stdout, stderr)
		}
	}
	if status, _ := s.call("POST", "/api/v1/tasks", `{"title":"after it"}`); status != http.StatusCreated {
		t.Errorf("the server does not go on: %d", status)
	}
}

// TestTablesOfAnEarlierVersionAreReadAsTheyAre by a newer program: the backup before an upgrade is made with either.
func TestTablesOfAnEarlierVersionAreReadAsTheyAre(t *testing.T) {
	s := startServer(t)
	s.call("POST", "/api/v1/tasks", `{"title":"kept"}`)
	s.stop(t)
	for _, step := range []struct {
		command, stdout, stderr string
		code                    int
	}{
		{"migrate down-to 6 tasks/6 --yes", "undone  00007_compatibility.sql", "", 0},
		{"backup " + s.path() + ".copy", "is a whole copy", "", 0},
		{"audit verify", "1 rows, all as they were written", "", 0},
		{"migrate down-to tasks/3", "", "of the 1 rows of tasks", 2},
		{"migrate down-to tasks/3 --yes", "undone  tasks/00004_quotas.sql", "", 0},
		{"migrate status", "missing  tasks/00004_quotas.sql", "steps are missing", 1},
	} {
		code, stdout, stderr := execute(t, s.environ, strings.Fields(step.command)...)
		if code != step.code || !strings.Contains(stdout, step.stdout) || !strings.Contains(stderr, step.stderr) ||
			strings.HasPrefix(step.command, "migrate down-to") && strings.Contains(stderr, "migrate up") {
			t.Errorf("%s: exit code %d, %s%s", step.command, code, stdout, stderr)
		}
	}
}

// TestAStartThatMayNotMigrateSaysWhatToDoFirst of what is there, and of what is not.
func TestAStartThatMayNotMigrateSaysWhatToDoFirst(t *testing.T) {
	s := startServer(t, "GUESTPASS_MIGRATE=on")
	s.stop(t)
	if code, _, stderr := execute(t, s.environ, "migrate", "down-to", "6", "--yes"); code != 0 {
		t.Fatal(stderr)
	}
	off := append(s.environ, "GUESTPASS_MIGRATE=off")
	for place, want := range map[string]string{
		s.path():                             "GUESTPASS_MIGRATE is off: run `guestpass migrate up` first",
		filepath.Join(t.TempDir(), "new.db"): "GUESTPASS_MIGRATE is off, so that a start makes none",
	} {
		code, _, stderr := execute(t, append(off, "GUESTPASS_DATABASE_URL=sqlite:"+place), "serve")
		if code != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d, %s", place, code, stderr)
		}
	}
}
