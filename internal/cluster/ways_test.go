package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/internal/postgrestest"
	"guestpass/resources"
	"guestpass/store"
)

// behind is how far the clock of one instance is behind all others.
const behind = 20 * time.Second

// TestAnInstanceThatIsBehindRevokes has an instance of this process take the place of the third: the program has no
// setting for a wrong clock.
func TestAnInstanceThatIsBehindRevokes(t *testing.T) {
	onlyWhole(t)
	b := newBed(t)
	third := b.instances[2]
	b.terminate(third)
	b.slow(third)
	scenario{"clock of one instance 20 s behind, which revokes",
		"refused by all within 5 s; the log warns of the clock",
		func(b *bed, w *watcher) (string, error) {
			line, err := b.revokes(b.connect(lea, "lea"), third)
			warned := within(patience, func() error {
				if !regexp.MustCompile(`(?i)"level":"WARN".*clock`).MatchString(third.log()) {
					return errors.New("no warning of the clock")
				}
				return nil
			})
			return line + fmt.Sprintf("; warned %t", warned == nil), errors.Join(err, warned)
		}}.on(t, b)
}

// slow starts an instance with a slow clock.
func (b *bed) slow(i *instance) {
	b.t.Helper()
	now := func() time.Time { return time.Now().Add(-behind) }
	out := new(logBuffer)
	i.logs = append(i.logs, out)
	log := slog.New(slog.NewJSONHandler(out, nil))
	database, err := store.Open(b.t.Context(), store.Options{URL: b.way.url(), Now: now, Log: log,
		Schemas: api.Schemas(resources.All())})
	must(b.t, err)
	b.t.Cleanup(func() { _ = database.Close() })
	app, err := guestpass.New(guestpass.Options{PublicURL: b.front, ProjectID: b.seed.Project.ID,
		Secret: b.seed.Project.Secret, PublicToken: b.seed.Project.PublicToken,
		Vertical: auth.Vertical(b.seed.Project.Vertical), Domain: b.stytch.URL, BaseURL: b.stytch.URL,
		Access: api.ByScope, ForwardTokens: true, Title: "Guestpass", Version: "test", Log: log, Now: now,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Limits: guestpass.Limits{Address: 1e6, Member: 1e6, Organization: 1e6, Client: 1e6, InFlight: 64,
			RedisURL: b.redis.URL()}, Resources: resources.All(), Store: database})
	must(b.t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(b.t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(b.t.Context()))
	var group sync.WaitGroup
	group.Go(func() { _ = app.Run(ctx) })
	group.Go(func() { _ = guestpass.Serve(ctx, listener, app, log, 0) })
	b.t.Cleanup(func() { stop(); b.client.CloseIdleConnections(); group.Wait(); _ = app.Close() })
	i.move("http://" + listener.Addr().String())
	b.tell(i)
	b.ready(i)
}

const poolerConfiguration = `[databases]
guestpass = host=%[1]s dbname=guestpass user=app pool_size=20
[pgbouncer]
pool_mode = transaction
auth_type = any
listen_addr =
unix_socket_dir = %[2]s
unix_socket_mode = 0777
listen_port = 6432
max_client_conn = 500
logfile =
pidfile =
`

// startPooler returns the URL of the database through pgbouncer in transaction mode, for a role of another name than
// the schema: what is to be done for that is said by the instance that refuses.
func (b *bed) startPooler() string {
	b.t.Helper()
	for _, statement := range []string{"CREATE ROLE app LOGIN", "GRANT CREATE ON DATABASE guestpass TO app",
		"GRANT app TO guestpass"} {
		b.postgres.exec(statement)
	}
	folder := newFolder(b.t)
	file := filepath.Join(folder, "pgbouncer.ini")
	text := fmt.Appendf(nil, poolerConfiguration, b.postgres.folder, folder)
	must(b.t, os.WriteFile(file, text, 0o644)) // #nosec G306 -- somebody else reads it
	b.pooler = startProgram(b.t, postgrestest.Unprivileged(), []string{find(b.t, "pgbouncer"), file}, os.Environ())
	eventually(b.t, "pgbouncer listens", func() error {
		_, err := os.Stat(filepath.Join(folder, ".s.PGSQL.6432"))
		if err != nil && !b.pooler.running() {
			b.t.Fatal(b.pooler.log)
		}
		return err
	})
	return "postgres://app@/guestpass?sslmode=disable&port=6432&host=" + folder
}

var wanted = regexp.MustCompile(`(?m)^guestpass: .*run (ALTER ROLE .*?), and`) // not the same in JSON before it

// TestAPoolerInTransactionModeWorks starts all three through it, once it is done what an instance says that refuses.
func TestAPoolerInTransactionModeWorks(t *testing.T) {
	b := prepareBed(t)
	through, first := b.startPooler(), b.instances[0]
	b.begin(first, through)
	if first.began.says(t, listening) != nil {
		t.Fatal("an instance starts although nothing chooses its schema")
	}
	found := wanted.FindStringSubmatch(first.log())
	if found == nil {
		t.Fatalf("an instance does not start, and names nothing that helps: %s\n%s", first.end(), b.pooler.log)
	}
	b.postgres.exec(found[1])
	b.postgres.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'") // as it says
	start := time.Now()
	b.startAll(through)
	took := time.Since(start)
	scenario{"pgbouncer in transaction mode", "refused with what helps, then works as without: equal creates, " +
		"revocation, a locked row", func(b *bed, w *watcher) (string, error) {
		w.require(true)
		steps, err := b.migrations()
		equal, creates := equalCreates(b, w)
		revoked, revocation := b.revokes(b.connect(lea, "lea"), b.instances[1])
		row, lock := lockRow(b, w)
		return fmt.Sprintf("refused until %s; %s, all ready after %s; %s; %s; %s", found[1], steps, seconds(took),
			equal, revoked, row), errors.Join(err, creates, revocation, lock)
	}}.on(t, b)
}

// keysWithin is how long tokens of a new key may be refused: unknown keys are not asked for more often.
const keysWithin = 30 * time.Second

func TestNewKeysAreTaken(t *testing.T) {
	scenario{"key rotation at Stytch", "old tokens stay good, new ones are within 30 s on all instances",
		func(b *bed, w *watcher) (string, error) {
			w.require(true)
			old := b.token(lea)
			b.stytch.RotateKeys()
			start, fresh := time.Now(), b.token(lea)
			err := within(keysWithin+tolerance, func() error {
				for _, i := range b.instances {
					for name, token := range map[string]string{"old": old, "new": fresh} {
						if a := b.call(b.t.Context(), "GET", i.url()+"/api/v1/tasks", token, ""); a.status != 200 {
							return fmt.Errorf("%s at instance %s: %s", name, i.name, a)
						}
					}
				}
				return nil
			})
			took := time.Since(start)
			b.stytch.DropOldKeys()
			if a := b.call(b.t.Context(), "GET", b.instances[0].url()+"/api/v1/userinfo", fresh, ""); a.status != 200 {
				err = errors.Join(err, fmt.Errorf("once the old keys are dropped: %s", a))
			}
			return "new ones good on all after " + seconds(took), err
		}}.try(t)
}
