package cluster_test

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"

	"guestpass/internal/postgrestest"
)

// A postgres is a server of its own with its processes in hand, which postgrestest's is not: they are frozen, their
// data is put back, and a second one takes over. It answers on a socket in its folder.
type postgres struct {
	t      testing.TB
	folder string
}

// guardOfPostgres stops the server when its input ends, also a frozen one.
const guardOfPostgres = `cat; pid=$(head -n 1 "$1/data/postmaster.pid") &&
	kill -CONT $pid $(cat /proc/$pid/task/$pid/children)
"$0" --pgdata "$1/data" --wait stop --mode immediate; rm -rf "$1"`

// newPostgres makes an empty one, with the role and the database guestpass.
func newPostgres(t testing.TB) *postgres {
	t.Helper()
	p := preparePostgres(t)
	p.run("initdb", "--pgdata", p.data(), "--username", "postgres", "--auth", "trust", "--encoding", "UTF8",
		"--locale", "C.UTF-8", "--no-sync")
	p.start()
	p.exec("CREATE ROLE guestpass LOGIN")
	p.exec("CREATE DATABASE guestpass OWNER guestpass")
	return p
}

func preparePostgres(t testing.TB) *postgres {
	t.Helper()
	p := &postgres{t: t, folder: newFolder(t)}
	guard := exec.Command("sh", "-c", guardOfPostgres, postgrestest.Program(t, "pg_ctl"), p.folder)
	guard.Dir = "/"
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: postgrestest.Unprivileged()}
	alive, err := guard.StdinPipe()
	must(t, err)
	must(t, guard.Start())
	t.Cleanup(func() { _ = alive.Close(); _ = guard.Wait() })
	return p
}

func (p *postgres) data() string   { return filepath.Join(p.folder, "data") }
func (p *postgres) socket() string { return filepath.Join(p.folder, ".s.PGSQL.5432") }

func (p *postgres) run(program string, args ...string) {
	p.t.Helper()
	command := exec.Command(postgrestest.Program(p.t, program), args...)
	command.Dir, command.SysProcAttr = p.folder, &syscall.SysProcAttr{Credential: postgrestest.Unprivileged()}
	log := filepath.Join(p.folder, program+".out")
	out, err := os.Create(log)
	must(p.t, err)
	defer out.Close()
	command.Stdout, command.Stderr = out, out // a file: the server inherits it and would keep a pipe open
	if err := command.Run(); err != nil {
		text, _ := os.ReadFile(log)
		p.t.Fatalf("%s: %v: %s", program, err, text)
	}
}

func (p *postgres) start() {
	p.t.Helper()
	p.run("pg_ctl", "--pgdata", p.data(), "--wait", "--log", filepath.Join(p.folder, "log"), "start", "--options",
		"-k "+p.folder+" -c listen_addresses= -c max_connections=100 -c shared_buffers=32MB")
}

// stop is "fast", which ends sessions, or "immediate", as a crash.
func (p *postgres) stop(mode string) {
	p.t.Helper()
	p.run("pg_ctl", "--pgdata", p.data(), "--wait", "stop", "--mode", mode)
}

// processes are the server and all it has started, the server first.
func (p *postgres) processes() (pids []int) {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.data(), "postmaster.pid"))
	must(p.t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	children, err := os.ReadFile(filepath.Join("/proc", first, "task", first, "children"))
	must(p.t, err)
	for _, field := range append([]string{first}, strings.Fields(string(children))...) {
		pid, err := strconv.Atoi(field)
		must(p.t, err)
		pids = append(pids, pid)
	}
	return pids
}

// signal reaches every process; one may have ended in between.
func (p *postgres) signal(s syscall.Signal) {
	p.t.Helper()
	for _, pid := range p.processes() {
		_ = syscall.Kill(pid, s)
	}
}

// address is the URL of the database by its socket.
func (p *postgres) address(role, database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database,
		RawQuery: url.Values{"host": {p.folder}, "sslmode": {"disable"}}.Encode()}).String()
}

// open is for the test's own sessions.
func (p *postgres) open(role string) *sql.DB {
	p.t.Helper()
	database := "guestpass"
	if role == "postgres" {
		database = "postgres"
	}
	db, err := sql.Open("pgx", p.address(role, database))
	must(p.t, err)
	return db
}

// exec runs a statement as administrator.
func (p *postgres) exec(statement string) {
	p.t.Helper()
	db := p.open("postgres")
	defer db.Close()
	_, err := db.Exec(statement)
	must(p.t, err)
}

// copyTo takes a copy of what there is now, as backups are taken.
func (p *postgres) copyTo(folder string, more ...string) {
	p.t.Helper()
	p.run("pg_basebackup", append([]string{"-d", p.address("postgres", ""), "-D", folder, "-X", "stream", "-c", "fast",
		"--no-sync"}, more...)...)
}

// standby starts a second server that follows this one, and waits until commits wait for it.
func (p *postgres) standby() *postgres {
	p.t.Helper()
	s := preparePostgres(p.t)
	p.copyTo(s.data(), "-R")
	s.start()
	p.exec("ALTER SYSTEM SET synchronous_standby_names = '*'")
	p.exec("SELECT pg_reload_conf()")
	db := p.open("postgres")
	defer db.Close()
	eventually(p.t, "the standby follows", func() error {
		var n int
		err := db.QueryRow("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").Scan(&n)
		if err == nil && n == 0 {
			err = fmt.Errorf("it does not yet")
		}
		return err
	})
	return s
}

// A way leads to the database's server, as an address does that operators move to another one.
type way struct {
	address string
	mu      sync.Mutex // guards the rest
	socket  string
	open    map[net.Conn]bool
}

func newWay(t testing.TB, socket string) *way {
	t.Helper()
	w := &way{socket: socket, open: map[net.Conn]bool{}}
	t.Cleanup(w.cut)
	w.address = postgrestest.Relay(t, w.leadsTo, w.lead)
	return w
}

func (w *way) leadsTo() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.socket
}

func (w *way) lead(client, server net.Conn) {
	w.mu.Lock()
	w.open[client] = true
	w.mu.Unlock()
	_, _ = io.Copy(client, server)
	w.mu.Lock()
	delete(w.open, client)
	w.mu.Unlock()
}

// moveTo leads new connections to another server. Those that are open stay where they are.
func (w *way) moveTo(socket string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.socket = socket
}

// cut closes what is open.
func (w *way) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for client := range w.open {
		_ = client.Close()
	}
}

func (w *way) url() string {
	return "postgres://guestpass@" + w.address + "/guestpass?sslmode=disable"
}
