package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"guestpass/internal/postgrestest"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// startPooler is a way to the server that treats the start-up parameter search_path as poolers
// do: it refuses it, or drops it. It returns the URL through it.
func startPooler(t *testing.T, address string, refuses bool) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	server := filepath.Join(query.Get("host"), ".s.PGSQL.5432")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go pool(client, server, refuses)
		}
	}()
	query.Del("host")
	u.Host, u.RawQuery = listener.Addr().String(), query.Encode()
	return u.String()
}

func pool(client net.Conn, server string, refuses bool) {
	defer client.Close()
	backend := pgproto3.NewBackend(client, client)
	message, err := backend.ReceiveStartupMessage()
	startup, ok := message.(*pgproto3.StartupMessage)
	if err != nil || !ok {
		return
	}
	if startup.Parameters["search_path"] != "" && refuses {
		backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "08P01",
			Message: "unsupported startup parameter: search_path"})
		_ = backend.Flush()
		return
	}
	delete(startup.Parameters, "search_path")
	upstream, err := net.Dial("unix", server)
	if err != nil {
		return
	}
	defer upstream.Close()
	frontend := pgproto3.NewFrontend(upstream, upstream)
	frontend.Send(startup)
	if frontend.Flush() != nil {
		return
	}
	go func() { _, _ = io.Copy(upstream, client) }()
	_, _ = io.Copy(client, upstream)
}

func TestAPoolerThatDoesNotPassTheSchemaOnWantsARoleThatHasIt(t *testing.T) {
	for name, refuses := range map[string]bool{"refuses": true, "drops": false} {
		t.Run(name, func(t *testing.T) {
			address := postgrestest.Shared(t).Database(t)
			db := openRaw(t, "pgx", address)
			through := withTasks(startPooler(t, address, refuses))
			_, err := store.Open(t.Context(), through)
			if err == nil || !strings.Contains(err.Error(), "run ALTER ROLE") {
				t.Fatalf("%v", err)
			}
			if n := db.one("SELECT count(*)::text FROM pg_namespace WHERE nspname = 'guestpass'"); n != "0" {
				t.Error("a schema was made")
			}
			_, command, _ := strings.Cut(err.Error(), "run ")
			command, _, _ = strings.Cut(command, ", and ")
			db.exec(command)
			s, err := store.Open(t.Context(), through)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			create(t, s, "acme", table.Task{Title: "会议"})
			if n := found(t, s, "会议"); n != 1 || db.one("SELECT title FROM guestpass.tasks") != "会议" {
				t.Errorf("found %d times", n)
			}
		})
	}
}

const bouncerConfiguration = `[databases]
* = host=%[1]s user=postgres pool_size=6
[pgbouncer]
pool_mode = transaction
auth_type = any
listen_addr =
unix_socket_dir = %[2]s
unix_socket_mode = 0777
listen_port = 6432
logfile =
pidfile =
%[3]s
`

// startBouncer is PgBouncer in transaction mode with a line of configuration. It returns the URL through it.
func startBouncer(t *testing.T, address, line string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	folder, err := os.MkdirTemp("/tmp", "guestpass-bouncer-") // a socket's path must be short
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	must(t, os.Chmod(folder, 0o777)) // #nosec G302 -- it runs as somebody else
	file, query := filepath.Join(folder, "ini"), u.Query()
	text := fmt.Appendf(nil, bouncerConfiguration, query.Get("host"), folder, line)
	must(t, os.WriteFile(file, text, 0o644)) // #nosec G306 -- it runs as somebody else
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			t.Fatal("PgBouncer is missing: sudo apt-get install pgbouncer")
		}
	}
	bouncer := exec.Command(path, file)
	said, err := bouncer.StderrPipe()
	must(t, err)
	bouncer.Dir = "/"
	bouncer.SysProcAttr = &syscall.SysProcAttr{Credential: postgrestest.Unprivileged(), Pdeathsig: syscall.SIGKILL}
	must(t, bouncer.Start())
	ended := make(chan struct{})
	t.Cleanup(func() {
		_ = bouncer.Process.Kill()
		<-ended
		_ = bouncer.Wait()
	})
	query.Set("host", folder)
	query.Set("port", "6432")
	u.RawQuery = query.Encode()
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "listening on unix:"+folder) {
			go func() { defer close(ended); _, _ = io.Copy(io.Discard, said) }() // else it would wait for a reader
			return u.String()
		}
		t.Log(lines.Text())
	}
	close(ended)
	t.Fatal("PgBouncer does not listen")
	return ""
}

// Whatever PgBouncer takes of the parameters, every way to open the database works behind it, as often as one likes,
// on connections that others have used, and each change has its bounds.
func TestEverythingWorksBehindPgBouncerAgainAndAgain(t *testing.T) {
	const all = "search_path, lock_timeout, statement_timeout, idle_in_transaction_session_timeout"
	for name, line := range map[string]string{"refuses all": "",
		"drops the schema": "ignore_startup_parameters = search_path",
		"drops all":        "ignore_startup_parameters = " + all} {
		for set, want := range map[string]string{"": "2s", "&lock_timeout=3s&statement_timeout=7000": "3s"} {
			t.Run(name+set, func(t *testing.T) {
				address := postgrestest.Shared(t).Database(t)
				db := openRaw(t, "pgx", address)
				db.exec("ALTER DATABASE " + db.one("SELECT current_database()") + " SET search_path = guestpass")
				options := withTasks(startBouncer(t, address, line) + set)
				for range 3 {
					works(t, options, want)
				}
			})
		}
	}
}

// works opens the database in every way, each time anew, and changes and reads something.
func works(t *testing.T, options store.Options, lockTimeout string) {
	t.Helper()
	s, err := store.Open(t.Context(), options)
	must(t, err)
	must(t, createOf(s, "acme", "ada")(t.Context()))
	must(t, tasksOf(s, "acme")(t.Context()))
	must(t, s.Ping(t.Context()))
	must(t, s.Write(store.Apart(t.Context()), func(tx *store.Tx) error {
		var got string
		err := tx.QueryRow("SELECT current_setting('lock_timeout')").Scan(&got)
		if got != lockTimeout {
			t.Errorf("in a change lock_timeout is %q, not %s", got, lockTimeout)
		}
		return err
	}))
	must(t, s.Close())
	must(t, store.Examine(t.Context(), options))
	s, err = store.Connect(t.Context(), options)
	must(t, err)
	_, err = s.Migrations(t.Context())
	must(t, err)
	if err := s.Backup(context.Background(), "file"); err == nil || !strings.Contains(err.Error(), "pg_dump") ||
		strings.Contains(err.Error(), "_timeout") {
		t.Errorf("%v", err)
	}
	must(t, s.Close())
}

// What else the URL has connections begin with is refused by name, with what helps.
func TestAParameterThatPgBouncerRefusesIsNamed(t *testing.T) {
	address := startBouncer(t, postgrestest.Shared(t).Database(t), "")
	_, err := store.Open(t.Context(), withTasks(address+"&work_mem=8MB"))
	if err == nil || !strings.Contains(err.Error(), "work_mem") ||
		!strings.Contains(err.Error(), "ignore_startup_parameters") {
		t.Errorf("%v", err)
	}
}

// Whoever looks at what goes on in Postgres sees whose sessions these are.
func TestSessionsSayWhoseTheyAre(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	for set, want := range map[string]string{"": "guestpass", "&application_name=other": "other"} {
		s := openWith(t, store.Options{URL: address + set})
		var got string
		must(t, s.QueryRow(t.Context(), "SELECT current_setting('application_name')").Scan(&got))
		if got != want {
			t.Errorf("%q: %s", set, got)
		}
	}
}
