package store_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/internal/postgrestest"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// TestASchemaIsLeftAsItIs: whoever has others change the schema is refused until they have, and nothing is made.
func TestASchemaIsLeftAsItIs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kept.db")
	places := map[string]string{"SQLite": "sqlite:" + file}
	if !testing.Short() {
		places["Postgres"] = postgrestest.Shared(t).Database(t)
	}
	for name, url := range places {
		asItIs := store.Options{URL: url, AsItIs: true, Schemas: []store.Schema{table.Schema()}}
		if _, err := store.Open(t.Context(), asItIs); !errors.Is(err, store.ErrOutdated) &&
			!errors.Is(err, store.ErrNoFile) {
			t.Errorf("%s, without any table: %v", name, err)
		}
		if _, err := os.Stat(file); name == "SQLite" && err == nil {
			t.Error("a file was made")
		}
		must(t, openWith(t, store.Options{URL: url}).Close())
		more := asItIs
		more.Schemas = []store.Schema{table.Schema(), bookmarks}
		if _, err := store.Open(t.Context(), more); !errors.Is(err, store.ErrOutdated) {
			t.Errorf("%s, without the tables of one resource: %v", name, err)
		}
		s, err := store.Open(t.Context(), asItIs)
		if err != nil {
			t.Fatalf("%s, up to date: %v", name, err)
		}
		create(t, s, "acme", table.Task{Title: "kept"})
		if steps, err := s.Migrations(t.Context()); err != nil || len(steps) == 0 {
			t.Errorf("%s: %d steps, %v", name, len(steps), err)
		}
		must(t, s.Close())
	}
}

// TestConnectionsAreAsManyAsSaid has more calls wait for a lock than there may be connections.
func TestConnectionsAreAsManyAsSaid(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	s := openWith(t, store.Options{URL: address, Connections: 5, Idle: time.Second})
	db := openRaw(t, "pgx", address)
	tx, err := db.Begin()
	must(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.Exec("SELECT pg_advisory_xact_lock(5)")
	must(t, err)
	const calls = 8
	var failed [calls]error
	var group sync.WaitGroup
	for i := range calls {
		group.Go(func() {
			var nothing any
			failed[i] = s.QueryRow(context.WithoutCancel(t.Context()), "SELECT pg_advisory_xact_lock(5)").Scan(&nothing)
		})
	}
	const ours = "FROM pg_stat_activity WHERE application_name = 'guestpass' AND datname = current_database()"
	db.waitFor("SELECT count(*) "+ours+" AND wait_event = 'advisory'", "5")
	group.Wait()
	for _, err := range failed {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("who waited got %v", err)
		}
	}
	db.waitFor("SELECT count(*) "+ours, "0") // unused ones are closed
}

func TestConnectionsThatCannotBeAreRefused(t *testing.T) {
	for _, o := range []store.Options{{URL: "sqlite:x.db", Connections: 8}, {URL: "sqlite:x.db", Idle: time.Minute},
		{URL: "postgres://localhost/x", Connections: store.FewestConnections - 1},
		{URL: "postgres://localhost/x", Connections: -1}} {
		if _, err := store.Open(t.Context(), o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// TestOneOfTwoServersIsFound: the first address of the URL is dead, and the second takes no changes at first.
func TestOneOfTwoServersIsFound(t *testing.T) {
	address, err := url.Parse(postgrestest.Shared(t).Database(t))
	must(t, err)
	query := address.Query()
	query.Set("host", filepath.Join(t.TempDir(), "nobody")+","+query.Get("host"))
	query.Set("target_session_attrs", "read-write")
	address.RawQuery = query.Encode()
	s := openWith(t, store.Options{URL: address.String()})
	must(t, createOf(s, "acme", "ada")(t.Context()))
}

// TestTheRoleOfTheDocsServes has an administrator do what docs/operating.md says.
func TestTheRoleOfTheDocsServes(t *testing.T) {
	docs, err := os.ReadFile("../docs/operating.md")
	must(t, err)
	blocks := regexp.MustCompile("(?s)<!-- role -->\n```sql\n(.*?)```").FindAllStringSubmatch(string(docs), -1)
	if len(blocks) != 2 {
		t.Fatalf("docs/operating.md has %d blocks after <!-- role -->, want one before guestpass migrate up and one "+
			"after", len(blocks))
	}
	address := postgrestest.Shared(t).Database(t)
	db := openRaw(t, "pgx", address)
	role := "serves_" + db.one("SELECT current_database()")
	ours := strings.NewReplacer("guestpass_serves", role, "guestpass_owns", db.one("SELECT current_user"))
	db.exec(ours.Replace(blocks[0][1]))
	must(t, openWith(t, store.Options{URL: address}).Close())
	least, err := url.Parse(address)
	must(t, err)
	least.User = url.User(role)
	serves := func() (s *store.Store, warned bool) {
		var log bytes.Buffer
		s, err := store.Open(t.Context(), store.Options{URL: least.String(), AsItIs: true, Schemas: []store.Schema{
			table.Schema()}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		must(t, err)
		return s, strings.Contains(log.String(), "no space is reserved for revocations")
	}
	s, warned := serves()
	must(t, s.Close())
	if !warned {
		t.Error("nobody is told that the role may not give the reserve back, which its owner has filled")
	}
	db.exec(ours.Replace(blocks[1][1]))
	if s, warned = serves(); warned {
		t.Error("the role is said to have no reserve, and may have it")
	}
	defer func() { must(t, s.Close()) }()
	must(t, createOf(s, "acme", "ada")(t.Context()))
	must(t, s.Purge(t.Context()))
	must(t, s.Ping(t.Context()))
	if _, err := openRaw(t, "pgx", least.String()).Exec("DROP TABLE guestpass.tasks"); err == nil {
		t.Error("the role may drop tables")
	}
}
