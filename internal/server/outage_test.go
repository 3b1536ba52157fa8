package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/internal/postgrestest"
	"guestpass/stytchtest"
)

// outage is a server process whose disk is about to fail, with Ada calling.
type outage struct {
	*crashing
	actor
	acknowledged []string // paths of tasks
}

func startOutage(t *testing.T, database string, through ...string) *outage {
	t.Helper()
	seed := stytchtest.Development()
	stytch := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	server := startCrashing(t, stytch.URL, "sqlite:"+database, through...)
	w := &world{t: t, url: server.url, stytch: stytch}
	return &outage{crashing: server, actor: w.as(ada)}
}

// create returns the status.
func (o *outage) create(number int) int {
	o.t.Helper()
	r := o.call("POST", "/api/v1/tasks", o.token,
		fmt.Sprintf(`{"title":"number %d","notes":"%s"}`, number, strings.Repeat("words ", 1500)))
	var task struct {
		ID string `json:"task_id"`
	}
	if r.status == http.StatusCreated && json.Unmarshal([]byte(r.body), &task) == nil {
		o.acknowledged = append(o.acknowledged, "/api/v1/tasks/"+task.ID)
	}
	return r.status
}

func (o *outage) readAll() {
	o.t.Helper()
	if len(o.acknowledged) == 0 {
		o.t.Fatal("nothing was written before the outage")
	}
	for _, path := range o.acknowledged {
		o.do(200, "GET", path, "")
	}
}

// TestAFullDisk runs a server on a disk of 8 MB: writes are refused as such, reads go on,
// and writes are taken again as soon as there is space.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	if err := exec.Command("unshare", "--map-root-user", "--mount", "true").Run(); err != nil {
		t.Skipf("a small disk cannot be mounted here: unshare: %v", err)
	}
	disk := t.TempDir()
	o := startOutage(t, filepath.Join(disk, "guestpass.db"), "unshare", "--map-root-user", "--mount",
		"sh", "-c", `mount -t tmpfs -o size=8m tmpfs "$0" && exec "$@"`, disk)
	// this process does not see that disk otherwise
	ballast := fmt.Sprintf("/proc/%d/root%s/ballast", o.command.Process.Pid, disk)
	if err := os.WriteFile(ballast, make([]byte, 4<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	number, status := 0, http.StatusCreated
	for ; status == http.StatusCreated && number < 2000; number++ {
		status = o.create(number)
	}
	if status != http.StatusInsufficientStorage {
		t.Fatalf("call %d on a full disk: %d", number, status)
	}
	for range 20 {
		number++
		if status := o.create(number); status != http.StatusInsufficientStorage && status != http.StatusCreated {
			t.Errorf("on a full disk: %d", status)
		}
		o.do(200, "GET", "/api/v1/tasks?limit=5", "")
	}
	status = http.StatusCreated
	for n := 0; status != http.StatusInsufficientStorage && n < 50; n++ { // where no task fits a comment still may
		status = o.call("POST", o.acknowledged[0]+"/comments", o.token,
			fmt.Sprintf(`{"text":"%d %s"}`, n, strings.Repeat("words ", 300))).status
	}
	if status != http.StatusInsufficientStorage {
		t.Errorf("a comment on a full disk: %d", status)
	}
	o.readAll()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if status := o.create(number + 1); status != http.StatusCreated {
		t.Errorf("with space again: %d", status)
	}
	o.readAll()
	o.do(200, "DELETE", o.acknowledged[0], "")
}

// TestADiskThatDoesNotKeep has every fsync fail from some moment on. What a system
// answers to the next fsync says nothing about the pages that were lost, so the server
// takes no more writes, and says so to whoever watches it.
func TestADiskThatDoesNotKeep(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by make quick: it kills servers")
	}
	t.Parallel()
	if err := exec.Command("strace", "-o", "/dev/null", "true").Run(); err != nil {
		t.Skipf("the system's calls cannot be made to fail here: strace: %v", err)
	}
	// The database and its schema take 30 of them or so, and each task one.
	o := startOutage(t, filepath.Join(t.TempDir(), "guestpass.db"), "strace", "-D", "-f", "-qq", "-o", "/dev/null",
		"-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=60..70")
	number, status := 0, http.StatusCreated
	// strace counts for each thread of its own, and the writer moves from one to another.
	for ; status == http.StatusCreated && number < 2000; number++ {
		status = o.create(number)
	}
	if status != http.StatusServiceUnavailable {
		t.Fatalf("call %d on a broken disk: %d", number, status)
	}
	for range 20 { // the disk pretends to be well again
		number++
		if status := o.create(number); status != http.StatusServiceUnavailable {
			t.Errorf("after a failed fsync: %d", status)
		}
	}
	o.readAll()
	if r := o.call("GET", "/readyz", "", ""); r.status != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d", r.status)
	}
}

// TestADatabaseThatGoesAway stops Postgres under the server and starts it again.
func TestADatabaseThatGoesAway(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out by make quick: it needs Postgres")
	}
	postgres, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = postgres.Stop() })
	url := postgres.Database(t)
	w := newWorld(t, func(o *guestpass.Options) { o.Store = openStore(t, url, o.Now) })
	p := w.as(ada)
	path := "/api/v1/tasks/" + p.create(`{"title":"before"}`)
	ready := func(w *world, status int, database string) {
		t.Helper()
		w.stytch.Advance(time.Second)
		r := w.call("GET", "/readyz", "", "")
		if r.status != status || !strings.Contains(r.body, `"database":"`+database+`"`) {
			t.Errorf("readyz: %d %s, want %d and %s", r.status, r.body, status, database)
		}
	}
	ready(w, 200, "ok")
	if err := postgres.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		p.do(503, "POST", "/api/v1/tasks", `{"title":"while"}`)
		p.do(503, "GET", path, "")
	}
	p.do(200, "GET", "/api/v1/members", "") // needs no database
	ready(w, 200, "unavailable")            // all instances share it, and none of them is taken out for it
	starting := newWorld(t, func(o *guestpass.Options) { o.Store = w.options.Store })
	ready(starting, 503, "unavailable") // but none is sent calls that never was well
	if err := postgres.Restart(); err != nil {
		t.Fatal(err)
	}
	p.do(200, "GET", path, "")
	p.do(201, "POST", "/api/v1/tasks", `{"title":"while"}`)
	ready(w, 200, "ok")
}
