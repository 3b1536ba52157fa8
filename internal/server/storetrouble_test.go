package server_test

import (
	"database/sql"
	"strings"
	"testing"

	"guestpass"
	"guestpass/internal/postgrestest"
)

// While the database is away every call has its line, the trouble has one, and tokens are not to blame.
func TestAnOutageOfTheStoreFillsNoLog(t *testing.T) {
	w := newWorld(t)
	token := w.token(ada, "openid", "tasks:read", "tasks:write")
	must(t, w.options.Store.Close())
	const calls = 20
	for range calls {
		if r := w.call("POST", "/api/v1/tasks", token, `{"title":"Water the plants"}`); r.status != 503 ||
			r.header.Get("Retry-After") == "" {
			t.Fatalf("%d %v %s", r.status, r.header, r.body)
		}
	}
	log := w.log.String()
	for line, want := range map[string]int{`"msg":"refused"`: 0, `"msg":"store unavailable"`: 1,
		`"path":"/api/v1/tasks","status":503`: calls} {
		if n := strings.Count(log, line); n != want {
			t.Errorf("%d lines with %s, want %d", n, line, want)
		}
	}
}

// Somebody renames the schema under a running server, to put a backup back: calls are to come again later, and the log
// says what is missing.
func TestTablesThatAreAwayForARestoreAreWaitedFor(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	db, err := sql.Open("pgx", address)
	must(t, err)
	defer db.Close()
	w := newWorld(t, func(o *guestpass.Options) { o.Store = openStore(t, address, o.Now) })
	token := w.token(ada, "openid", "tasks:read", "tasks:write")
	call := func(method, body string) reply { return w.call(method, "/api/v1/tasks", token, body) }
	if r := call("POST", `{"title":"Water the plants"}`); r.status != 201 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	_, err = db.ExecContext(t.Context(), "ALTER SCHEMA guestpass RENAME TO kept; CREATE SCHEMA guestpass")
	must(t, err)
	for method, body := range map[string]string{"GET": "", "POST": `{"title":"Water them"}`} {
		if r := call(method, body); r.status != 503 || r.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v %s", method, r.status, r.header, r.body)
		}
	}
	if log := w.log.String(); !strings.Contains(log, "the schema guestpass has no table ") {
		t.Error(log)
	}
	_, err = db.ExecContext(t.Context(), "DROP SCHEMA guestpass; ALTER SCHEMA kept RENAME TO guestpass")
	must(t, err)
	if r := call("GET", ""); r.status != 200 || !strings.Contains(r.body, "Water the plants") {
		t.Errorf("%d %s", r.status, r.body)
	}
}
