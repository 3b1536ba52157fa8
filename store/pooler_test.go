package store_test

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
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
