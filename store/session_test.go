package store_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"guestpass/internal/postgrestest"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// longest is how long any call waits that must not wait: far above what it takes, far below what it waits for.
const longest = 1500 * time.Millisecond

// soon runs f with a context that ends soon, for what has to go on whatever others wait for.
func soon(t *testing.T, what string, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	if err := f(ctx); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func tasksOf(s *store.Store, owner string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := table.List(store.ForOwner(ctx, owner), s, owner, table.TaskQuery{Sort: "created", Limit: 1})
		return err
	}
}

func createOf(s *store.Store, owner, person string) func(context.Context) error {
	return func(ctx context.Context) error {
		return s.Write(store.ForOwner(ctx, owner), func(tx *store.Tx) error {
			tx.By(person)
			_, err := table.CreateTask(tx, owner, table.Task{Title: "t", State: "open", Priority: 2, Creator: person})
			return err
		})
	}
}

// A row of one person is locked, by whoever it may be: whoever waits for it leaves others connections, and stops
// waiting.
func TestOneBlockedRowLeavesOthersTheirConnections(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	s, db := openWith(t, store.Options{URL: address}), openRaw(t, "pgx", address)
	for _, owner := range []string{"acme", "globex"} {
		must(t, createOf(s, owner, "ada")(t.Context()))
	}
	tx, err := db.Begin()
	must(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.Exec("SELECT 1 FROM guestpass.quota_usage WHERE owner = 'acme' AND person = 'ada' FOR UPDATE")
	must(t, err)
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() {
			if err := createOf(s, "acme", "ada")(t.Context()); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("who waits for the row gets %v", err)
			}
		})
	}
	db.waitFor("SELECT CAST(count(*) > 0 AS text) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "true")
	soon(t, "another owner reads", tasksOf(s, "globex"))
	soon(t, "another owner changes something", createOf(s, "globex", "ada"))
	soon(t, "the same owner reads", tasksOf(s, "acme"))
	soon(t, "revocations are looked for", func(ctx context.Context) error {
		_, err := s.Denials(ctx, time.Now())
		return err
	})
	group.Wait()
}

// All connections are taken by many owners at once: who checks health, and who revokes, have their own.
func TestHealthAndRevocationHaveConnectionsOfTheirOwn(t *testing.T) {
	s := openWith(t, store.Options{URL: postgrestest.Shared(t).Database(t)})
	hold, held := make(chan struct{}), make(chan struct{}, 40)
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			_ = s.Write(store.ForOwner(t.Context(), string(rune('a'+i))), func(*store.Tx) error {
				held <- struct{}{}
				<-hold
				return errors.New("no")
			})
		})
	}
	defer group.Wait()
	defer close(hold)
	for range 16 {
		<-held
	}
	soon(t, "health", s.Ping)
	soon(t, "a revocation", func(ctx context.Context) error {
		return s.Write(store.Apart(ctx), func(tx *store.Tx) error {
			return tx.Deny(store.Denial{Subject: "ada", Client: "app", Owner: "acme", RevokedAt: time.Now(),
				ExpiresAt: time.Now().Add(time.Hour)})
		})
	})
	if err := tasksOf(s, "globex")(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("without a connection a read gets %v", err)
	}
}

// What Postgres, or whoever runs it, ends is told as a database that does not answer now. The URL sets the bounds.
func TestWhatPostgresEndsMayBeTriedAgain(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	db := openRaw(t, "pgx", address)
	s := openWith(t, store.Options{URL: address + "&lock_timeout=50&statement_timeout=200&" +
		"idle_in_transaction_session_timeout=100"})
	task := create(t, s, "acme", table.Task{Title: "t"})
	tx, err := db.Begin()
	must(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.Exec("SELECT 1 FROM guestpass.tasks WHERE id = $1 FOR UPDATE", task.ID)
	must(t, err)
	err = s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE tasks SET title = 'u' WHERE id = $1", task.ID)
		return err
	})
	if !errors.Is(err, store.ErrLocked) || !regexp.MustCompile(`relation "tasks": backend \d+ waited`).MatchString(
		err.Error()) {
		t.Errorf("a lock: %v", err)
	}
	for name, change := range map[string]func(*store.Tx) error{
		"a row that stays locked": func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE tasks SET title = 'u' WHERE id = $1", task.ID)
			return err
		},
		"a statement that takes too long": func(tx *store.Tx) error {
			_, err := tx.Exec("SELECT pg_sleep(30)")
			return err
		},
		"a transaction that does nothing": func(tx *store.Tx) error {
			var process string
			if err := tx.QueryRow("SELECT CAST(pg_backend_pid() AS text)").Scan(&process); err != nil {
				return err
			}
			db.waitFor("SELECT CAST(count(*) AS text) FROM pg_stat_activity WHERE pid = "+process, "0")
			_, err := tx.Exec("SELECT 1")
			return err
		},
	} {
		if err := s.Write(t.Context(), change); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func (r raw) waitFor(query, want string) {
	r.t.Helper()
	for limit := time.Now().Add(20 * time.Second); r.one(query) != want; {
		if time.Now().After(limit) {
			r.t.Fatalf("%s does not become %s", query, want)
		}
	}
}

// A server that takes no changes any more is seen, and once another one takes them behind the same name, it is found.
func TestAReadOnlyPostgresIsSeenAndLeft(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	s, db := openWith(t, store.Options{URL: address}), openRaw(t, "pgx", address)
	name := db.one("SELECT current_database()")
	become := func(setting string) {
		db.exec("ALTER DATABASE "+name+" SET default_transaction_read_only = "+setting,
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "+
				"WHERE datname = '"+name+"' AND pid <> pg_backend_pid()")
	}
	become("on")
	_ = s.Ping(t.Context()) // its connections have ended
	err := s.Ping(t.Context())
	if !errors.Is(err, store.ErrReadOnly) || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a server that takes no changes: %v", err)
	}
	if err := createOf(s, "acme", "ada")(t.Context()); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("a change: %v", err)
	}
	must(t, tasksOf(s, "acme")(t.Context()))
	db.exec("ALTER DATABASE " + name + " SET default_transaction_read_only = off") // and nobody ends our connections
	_ = s.Ping(t.Context())
	must(t, s.Ping(t.Context()))
	must(t, createOf(s, "acme", "ada")(t.Context()))
}

// While the tables are elsewhere, as somebody puts a backup back, it is told which are missing, and that this passes.
// A table that nobody has made is a fault of whoever asks for it.
func TestTablesThatAreGonePass(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	s, db := openWith(t, store.Options{URL: address}), openRaw(t, "pgx", address)
	must(t, createOf(s, "acme", "ada")(t.Context()))
	for _, change := range []string{"ALTER SCHEMA guestpass RENAME TO kept",
		"CREATE SCHEMA guestpass"} {
		db.exec(change)
		for range 3 { // more than make an absence
			_, err := s.Denials(t.Context(), time.Now())
			for table, err := range map[string]error{"tasks": tasksOf(s, "acme")(t.Context()), "denials": err,
				"quota_": createOf(s, "acme", "ada")(t.Context())} {
				if !errors.Is(err, store.ErrTables) || !errors.Is(err, store.ErrUnavailable) ||
					!strings.Contains(err.Error(), "schema guestpass has no table") ||
					table != "quota_" && !strings.Contains(err.Error(), "no table "+table+":") {
					t.Errorf("%s: %s: %v", change, table, err)
				}
			}
		}
	}
	db.exec("DROP SCHEMA guestpass", "ALTER SCHEMA kept RENAME TO guestpass")
	must(t, createOf(s, "acme", "ada")(t.Context()))
	var one string
	if err := s.QueryRow(t.Context(), "SELECT x FROM no_table_of_ours").Scan(&one); err == nil ||
		errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a table that nobody made: %v", err)
	}
}

// An instance whose clock is behind revokes by the clock of Postgres.
func TestARevocationIsNoOlderThanPostgresSays(t *testing.T) {
	now := time.Now()
	for _, behind := range []time.Duration{20 * time.Second, -20 * time.Second} {
		s := openWith(t, store.Options{URL: postgrestest.Shared(t).Database(t),
			Now: func() time.Time { return time.Now().Add(-behind) }})
		ours := s.Now()
		d := store.Denial{Subject: "ada", Client: "app", Owner: "acme", RevokedAt: ours, ExpiresAt: ours.Add(time.Hour),
			RetryAt: ours.Add(time.Minute)}
		must(t, s.Write(t.Context(), func(tx *store.Tx) error { return tx.Deny(d) }))
		must(t, s.Write(t.Context(), func(tx *store.Tx) error { return tx.Settle(d, ours, ours.Add(time.Hour)) }))
		list, err := s.Denials(t.Context(), ours.Add(-time.Hour))
		must(t, err)
		if len(list) != 1 || list[0].RevokedAt.Before(now.Add(-time.Second)) {
			t.Errorf("behind by %v: %+v, and it is %v", behind, list, now)
		}
		if ahead, err := s.ClockDifference(t.Context()); err != nil || (ahead-behind).Abs() > 2*time.Second {
			t.Errorf("behind by %v: it finds %v, %v", behind, ahead, err)
		}
	}
}

// stall is a way to Postgres that can fall silent, as a network or a frozen server does.
type stall struct {
	silent atomic.Bool
	url    string
}

func newStall(t *testing.T, address string) *stall {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	query := u.Query()
	server := filepath.Join(query.Get("host"), ".s.PGSQL.5432")
	query.Del("host")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	u.Host, u.RawQuery = listener.Addr().String(), query.Encode()
	s := &stall{url: u.String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go s.pass(client, server)
		}
	}()
	return s
}

func (s *stall) pass(client net.Conn, server string) {
	defer client.Close()
	upstream, err := net.Dial("unix", server)
	if err != nil {
		return
	}
	defer upstream.Close()
	go func() { _, _ = io.Copy(upstream, client) }()
	buffer := make([]byte, 16<<10)
	for {
		n, err := upstream.Read(buffer)
		if err != nil {
			return
		}
		if s.silent.Load() {
			continue // what it says reaches nobody
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// Once looks have shown that Postgres does not answer, nobody waits for it until one shows that it does.
func TestNobodyWaitsForAPostgresThatIsAway(t *testing.T) {
	way := newStall(t, postgrestest.Shared(t).Database(t))
	s := openWith(t, store.Options{URL: way.url})
	look := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := s.Denials(ctx, time.Now())
		return err
	}
	must(t, look())
	way.silent.Store(true)
	for range 2 {
		if err := look(); !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("a look is told %v", err)
		}
	}
	for range 100 { // each would wait two seconds or more
		ctx, cancel := context.WithTimeout(t.Context(), longest)
		if err := tasksOf(s, "acme")(ctx); !errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
			t.Errorf("%v, %v", err, ctx.Err())
		}
		cancel()
	}
	way.silent.Store(false)
	must(t, look())
	must(t, tasksOf(s, "acme")(t.Context()))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// While Postgres takes no changes, as between two of its servers, an instance that is started again serves what is
// read.
func TestAStartNeedsNoChangeThatWasMade(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	s, db := openWith(t, store.Options{URL: address}), openRaw(t, "pgx", address)
	must(t, createOf(s, "acme", "ada")(t.Context()))
	must(t, s.Close())
	db.exec("ALTER DATABASE " + db.one("SELECT current_database()") + " SET default_transaction_read_only = on")
	must(t, tasksOf(openWith(t, store.Options{URL: address}), "acme")(t.Context()))
}

// Bounds are written as for Postgres, and the URL is refused by its form already.
func TestBoundsOfTheURLAreDurations(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	for _, value := range []string{"-1", "x", "", "2 weeks", "2m", "1e3", "25d", "2147483648"} {
		_, err := store.Open(t.Context(), store.Options{URL: address + "&lock_timeout=" + url.QueryEscape(value)})
		for _, err := range []error{err, store.CheckURL(address + "&lock_timeout=" + url.QueryEscape(value))} {
			if err == nil || !strings.Contains(err.Error(), "must give lock_timeout a duration") {
				t.Errorf("%q: %v", value, err)
			}
		}
	}
	for value, want := range map[string]string{"2s": "2s", "1500": "1500ms", "0.5s": "500ms", "1 min": "1min",
		"800us": "1ms", "24d": "24d", "2147483647": "2147483647ms", "0": "0"} {
		through := address + "&lock_timeout=" + url.PathEscape(value)
		if err := store.CheckURL(through); err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		s := openWith(t, store.Options{URL: through})
		var got string
		must(t, s.QueryRow(t.Context(), "SELECT current_setting('lock_timeout')").Scan(&got))
		if got != want {
			t.Errorf("%s: lock_timeout is %q", value, got)
		}
	}
}

// Many people of one owner revoke while a row that all of them need is locked: looks, health and another owner's
// revocations go on.
func TestRevocationsThatWaitHoldNothingUp(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	s, db := openWith(t, store.Options{URL: address}), openRaw(t, "pgx", address)
	revoke := func(owner, client string) func(context.Context) error {
		return func(ctx context.Context) error {
			return s.Write(store.Apart(store.ForOwner(ctx, owner)), func(tx *store.Tx) error {
				return tx.Deny(store.Denial{Subject: "ada", Client: client, Owner: owner, RevokedAt: time.Now(),
					ExpiresAt: time.Now().Add(time.Hour)})
			})
		}
	}
	must(t, revoke("acme", "app")(t.Context()))
	tx, err := db.Begin()
	must(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.Exec("SELECT 1 FROM guestpass.denials FOR UPDATE")
	must(t, err)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { _ = revoke("acme", "app")(t.Context()) })
	}
	db.waitFor("SELECT CAST(count(*) > 0 AS text) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "true")
	soon(t, "health", s.Ping)
	soon(t, "a look", func(ctx context.Context) error {
		_, err := s.Denials(ctx, time.Now())
		return err
	})
	soon(t, "another owner's revocation", revoke("globex", "other"))
	group.Wait()
}
