package cluster_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// lasting is how long a fault lasts.
func lasting() time.Duration {
	if *whole {
		return 20 * time.Second
	}
	return 3 * time.Second
}

func TestAKilledInstanceLosesNothing(t *testing.T) {
	onlyWhole(t)
	scenario{"kill -9 of an instance under load", "what was acknowledged is there once; the others go on",
		func(b *bed, w *watcher) (string, error) {
			kills := 0
			for _, i := range b.instances {
				b.amidWrites(func() {
					w.excuse(i)
					i.began.kill()
				})
				b.restart(i)
				kills++
			}
			took, err := w.writesAgain(10 * time.Second)
			return fmt.Sprintf("%d kills, written again after %s", kills, seconds(took)), err
		}}.try(t)
}

// amidWrites does f while others write, and waits for them.
func (b *bed) amidWrites(f func()) {
	var group sync.WaitGroup
	token := b.token(grace)
	for range 20 {
		group.Go(func() {
			title := fmt.Sprintf("amid-%d", rand.Int64())
			b.create(b.t.Context(), b.front, token, title, title)
		})
	}
	f()
	group.Wait()
}

func TestARollingRestartIsNotFelt(t *testing.T) {
	onlyWhole(t)
	scenario{"rolling restart under load", "no write fails, nothing is lost",
		func(b *bed, w *watcher) (string, error) {
			w.mu.Lock()
			before, had := w.writes, len(w.acked)
			w.mu.Unlock()
			for _, i := range b.instances {
				i.out.Store(true) // what is asked of it directly fails; through the balancer nothing may
				b.terminate(i)
				b.restart(i)
			}
			w.mu.Lock()
			tried, done := w.writes-before, len(w.acked)-had
			w.mu.Unlock()
			var err error
			if tried-done > 3 { // some may be under way
				err = fmt.Errorf("%d of %d writes failed", tried-done, tried)
			}
			return fmt.Sprintf("3 restarts, %d writes meanwhile, %d failed", tried, max(0, tried-done-3)), err
		}}.try(t)
}

// TestAFrozenInstanceHoldsNobodyUp freezes one in the middle of writes, so that its transactions stay open.
func TestAFrozenInstanceHoldsNobodyUp(t *testing.T) {
	onlyWhole(t)
	scenario{"frozen instance", "the others read and write on; after it everything as before",
		func(b *bed, w *watcher) (string, error) {
			frozen := b.instances[2]
			tries := b.freezeInTransaction(w, frozen)
			w.require(true)
			took, err := w.writesAgain(lasting())
			pause(lasting() - took)
			w.require(false)
			frozen.began.signal(b.t, syscall.SIGCONT)
			b.ready(frozen)
			after, again := w.writesAgain(10 * time.Second)
			return fmt.Sprintf("frozen in a transaction at try %d; written meanwhile after %s, afterwards after %s",
				tries, seconds(took), seconds(after)), errors.Join(err, again)
		}}.try(t)
}

// freezeInTransaction tries until a frozen instance holds what everybody's writes in the organization need.
func (b *bed) freezeInTransaction(w *watcher, i *instance) (tries int) {
	db := b.postgres.open("guestpass")
	defer db.Close()
	token := b.token(ada)
	for tries = range 200 {
		ctx, end := context.WithCancel(b.t.Context())
		var group sync.WaitGroup
		for range 8 { // one after the other, so that some are under way whenever it is frozen
			group.Go(func() {
				for ctx.Err() == nil {
					title := fmt.Sprintf("frozen %d", rand.Int64())
					b.call(ctx, "POST", i.url()+"/api/v1/tasks", token, fmt.Sprintf(`{"title":%q}`, title))
				}
			})
		}
		pause(time.Duration(5+rand.IntN(25)) * time.Millisecond)
		i.began.signal(b.t, syscall.SIGSTOP)
		held := b.heldUp(db)
		if held {
			w.excuse(i)
		} else {
			i.began.signal(b.t, syscall.SIGCONT)
		}
		end()
		group.Wait()
		if held {
			return tries + 1
		}
	}
	b.t.Fatal("no transaction was open whenever the instance was frozen")
	return 0
}

// heldUp reports whether a transaction keeps the record of the organization for longer than writing takes.
func (b *bed) heldUp(db *sql.DB) bool {
	b.t.Helper()
	tx, err := db.Begin()
	must(b.t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.Exec("SET LOCAL lock_timeout = '300ms'")
	must(b.t, err)
	_, err = tx.Exec("SELECT 1 FROM guestpass.activity_heads WHERE owner = $1 FOR UPDATE", acme)
	var refused *pgconn.PgError
	if err != nil && !(errors.As(err, &refused) && refused.Code == "55P03") { // lock_not_available
		b.t.Fatal(err)
	}
	return err != nil
}

// TestALockedRowStopsOneMember locks what one member's writes count in. They come in a burst, as a model makes them.
func TestALockedRowStopsOneMember(t *testing.T) {
	scenario{"lock on one member's row", "others read and write on; the member's writes end as 503 with Retry-After",
		lockRow}.try(t)
}

func lockRow(b *bed, w *watcher) (string, error) {
	token := b.token(grace)
	if id, a := b.create(b.t.Context(), b.front, token, "before the lock", "before-the-lock"); id == "" {
		return "", fmt.Errorf("before the lock: %s", a)
	}
	db := b.postgres.open("guestpass")
	defer db.Close()
	tx := locked(b.t, db, "SELECT 1 FROM guestpass.quota_usage WHERE person = $1 FOR UPDATE", grace)
	w.require(true)
	before := w.acknowledged()
	statuses, group := b.burst(w, token, 60)
	pause(lasting())
	meanwhile := w.acknowledged() - before
	must(b.t, tx.Rollback())
	group.Wait()
	w.require(false)
	took, err := w.writesAgain(10 * time.Second)
	return fmt.Sprintf("locked for %s; %d writes of another member meanwhile; the member's 60 ended %s; written "+
		"again after %s", lasting(), meanwhile, statuses(), seconds(took)), err
}

func locked(t testing.TB, db *sql.DB, statement string, args ...any) *sql.Tx {
	t.Helper()
	tx, err := db.Begin()
	must(t, err)
	var one int
	must(t, tx.QueryRow(statement, args...).Scan(&one))
	return tx
}

// burst creates so many tasks at once, a third at each instance, and judges the answers.
func (b *bed) burst(w *watcher, token string, number int) (statuses func() string, group *sync.WaitGroup) {
	found, mu := map[int]int{}, sync.Mutex{}
	group = new(sync.WaitGroup)
	for n := range number {
		i := b.instances[n%len(b.instances)]
		group.Go(func() {
			title := fmt.Sprintf("burst-%d", rand.Int64())
			_, a := b.create(b.t.Context(), i.url(), token, title, title)
			w.judge("a write in a burst at instance "+i.name, a)
			mu.Lock()
			defer mu.Unlock()
			found[a.status]++
		})
	}
	return func() string { mu.Lock(); defer mu.Unlock(); return counted(found) }, group
}

func TestAHungPostgresHoldsUpWhatNeedsIt(t *testing.T) {
	onlyWhole(t)
	scenario{"Postgres hung", "what needs no table goes on, the rest ends in time; written again soon after",
		func(b *bed, w *watcher) (string, error) {
			b.postgres.signal(syscall.SIGSTOP)
			defer b.postgres.signal(syscall.SIGCONT)
			statuses, group := b.burst(w, b.token(grace), 30)
			pause(lasting())
			group.Wait()
			b.postgres.signal(syscall.SIGCONT)
			took, err := w.writesAgain(15 * time.Second)
			return fmt.Sprintf("for %s; 30 writes ended %s; written again after %s", lasting(), statuses(),
				seconds(took)), err
		}}.try(t)
}

func TestAStoppedPostgresIsWaitedFor(t *testing.T) {
	onlyWhole(t)
	scenario{"Postgres stopped", "what needs no table goes on; written again soon after",
		func(b *bed, w *watcher) (string, error) {
			b.postgres.stop("immediate")
			pause(lasting())
			b.postgres.start()
			took, err := w.writesAgain(15 * time.Second)
			return fmt.Sprintf("for %s; written again after %s", lasting(), seconds(took)), err
		}}.try(t)
}

func TestARestartedPostgresIsHardlyFelt(t *testing.T) {
	onlyWhole(t)
	scenario{"Postgres restarted", "written again soon after, nothing lost",
		func(b *bed, w *watcher) (string, error) {
			var slowest time.Duration
			for range 3 {
				b.postgres.stop("fast")
				b.postgres.start()
				took, err := w.writesAgain(15 * time.Second)
				if slowest = max(slowest, took); err != nil {
					return "", err
				}
			}
			return "3 times; written again after " + seconds(slowest) + " at most", nil
		}}.try(t)
}

// TestAReadOnlyPostgresIsSeen has reads go on, and readyz tell.
func TestAReadOnlyPostgresIsSeen(t *testing.T) {
	onlyWhole(t)
	scenario{"Postgres read-only", "reads go on, writes are 503, /readyz tells; written again soon after",
		func(b *bed, w *watcher) (string, error) {
			b.postgres.readOnly(true)
			pause(2 * time.Second) // sessions learn it with their next statement
			w.require(true)
			_, a := b.create(b.t.Context(), b.instances[0].url(), b.token(grace), "read-only", "read-only")
			pause(lasting())
			told := 0
			for _, i := range b.instances {
				ready := b.call(b.t.Context(), "GET", i.url()+"/readyz", "", "")
				if ready.status != 0 && !strings.Contains(ready.body, `"database":"ok"`) {
					told++
				}
			}
			w.require(false)
			b.postgres.readOnly(false)
			took, err := w.writesAgain(15 * time.Second)
			if a.status != 503 || !a.retryAfter {
				err = errors.Join(err, fmt.Errorf("a write: %s", a))
			}
			if told != 3 {
				err = errors.Join(err, fmt.Errorf("/readyz of %d instances tells that the database only reads", told))
			}
			return fmt.Sprintf("a write is %d; /readyz of %d tells; written again after %s", a.status, told,
				seconds(took)), err
		}}.try(t)
}

func (p *postgres) readOnly(on bool) {
	p.t.Helper()
	p.exec(fmt.Sprintf("ALTER SYSTEM SET default_transaction_read_only = %t", on))
	p.exec("SELECT pg_reload_conf()")
}

// TestOlderDataReviveNoToken puts the data back to what they were before a revocation.
func TestOlderDataReviveNoToken(t *testing.T) {
	onlyWhole(t)
	scenario{"Postgres put back to older data", "what was revoked since stays refused, by everybody; the log says so",
		func(b *bed, w *watcher) (string, error) {
			older := b.postgres.folder + "/older"
			b.postgres.copyTo(older)
			kept := w.soFar()
			r := b.connect(lea, "lea")
			line, err := b.revokes(r, b.instances[0])
			if err != nil {
				return line, err
			}
			w.alsoRevoked(r.token)
			pause(3 * time.Second)
			b.postgres.stop("immediate")
			b.postgres.replaceBy(older)
			b.postgres.start()
			w.forget(kept)
			took, err := w.writesAgain(15 * time.Second)
			pause(8 * time.Second) // as long as it takes instances to look again
			var noticed, denials int
			for _, i := range b.instances {
				if olderTold.MatchString(i.log()) {
					noticed++
				}
			}
			db := b.postgres.open("guestpass")
			defer db.Close()
			must(b.t, db.QueryRow("SELECT count(*) FROM guestpass.denials WHERE subject = $1", lea).Scan(&denials))
			if noticed == 0 {
				err = errors.Join(err, errors.New("no log says that the data are older"))
			}
			if denials != 1 {
				err = errors.Join(err, errors.New("the revocation is not written back"))
			}
			return fmt.Sprintf("%s before; written again after %s; %d instances tell; the revocation is written back: "+
				"%t", line, seconds(took), noticed, denials == 1), err
		}}.try(t)
}

// replaceBy puts a copy in the place of the data.
func (p *postgres) replaceBy(copied string) {
	p.t.Helper()
	must(p.t, os.RemoveAll(p.data()))
	must(p.t, os.Rename(copied, p.data()))
}

var olderTold = regexp.MustCompile(`"level":"(WARN|ERROR)".*older data`)

// TestAPromotedStandbyTakesOver kills the first server, and has its address lead to the second one.
func TestAPromotedStandbyTakesOver(t *testing.T) {
	onlyWhole(t)
	scenario{"standby promoted, the first one killed", "written again soon after, nothing lost, no token revived",
		func(b *bed, w *watcher) (string, error) {
			second := b.postgres.standby()
			r := b.connect(lea, "lea")
			line, err := b.revokes(r, b.instances[0])
			if err != nil {
				return line, err
			}
			w.alsoRevoked(r.token)
			pause(2 * time.Second)
			b.postgres.stop("immediate")
			pause(2 * time.Second)
			b.promote(second)
			took, err := w.writesAgain(15 * time.Second)
			return fmt.Sprintf("%s before; written again after %s", line, seconds(took)), err
		}}.try(t)
}

func (b *bed) promote(second *postgres) {
	b.t.Helper()
	second.run("pg_ctl", "--pgdata", second.data(), "--wait", "promote")
	second.exec("ALTER SYSTEM RESET synchronous_standby_names")
	second.exec("SELECT pg_reload_conf()")
	b.way.moveTo(second.socket())
	b.postgres = second
}

// TestAStandbyIsPromotedWhileTheFirstOneOnlyReads leaves connections to the first one open, as a switchover does:
// whoever keeps to them never writes again.
func TestAStandbyIsPromotedWhileTheFirstOneOnlyReads(t *testing.T) {
	onlyWhole(t)
	scenario{"standby promoted, the first one read-only", "its connections are dropped: written again soon after",
		func(b *bed, w *watcher) (string, error) {
			first, second := b.postgres, b.postgres.standby()
			first.readOnly(true)
			pause(2 * time.Second)
			b.promote(second)
			took, err := w.writesAgain(20 * time.Second)
			return "written again after " + seconds(took), err
		}}.try(t)
}

// TestConnectionsThatOthersTakeAreWaitedFor has the instances connect anew, and others take all places before.
func TestConnectionsThatOthersTakeAreWaitedFor(t *testing.T) {
	onlyWhole(t)
	scenario{"connections exhausted", "503 with Retry-After meanwhile, no 500; written again soon after",
		func(b *bed, w *watcher) (string, error) {
			taken, free := b.takeConnections()
			statuses, group := b.burst(w, b.token(grace), 30)
			pause(lasting())
			group.Wait()
			free()
			took, err := w.writesAgain(15 * time.Second)
			return fmt.Sprintf("%d taken for %s; 30 writes ended %s; written again after %s", taken, lasting(),
				statuses(), seconds(took)), err
		}}.try(t)
}

// takeConnections takes every place that there is, also those of the instances.
func (b *bed) takeConnections() (taken int, free func()) {
	b.t.Helper()
	b.postgres.exec("CREATE ROLE other LOGIN")
	b.postgres.exec("GRANT CONNECT ON DATABASE guestpass TO other")
	db := b.postgres.open("other")
	var held []*sql.Conn
	fill := func() {
		for {
			conn, err := db.Conn(b.t.Context())
			if err != nil {
				return
			}
			held = append(held, conn)
		}
	}
	fill()
	for range 20 { // instances are quick to connect again
		b.postgres.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guestpass'")
		fill()
	}
	return len(held), func() {
		for _, conn := range held {
			_ = conn.Close()
		}
		_ = db.Close()
	}
}

func TestRedisIsNotNeeded(t *testing.T) {
	onlyWhole(t)
	for _, trouble := range []struct {
		name          string
		begin, finish func(b *bed, pid int)
	}{
		{"stopped", func(b *bed, _ int) { b.redis.Stop() }, func(b *bed, _ int) { b.redis.Restart(b.t) }},
		{"frozen", func(b *bed, pid int) { must(b.t, syscall.Kill(pid, syscall.SIGSTOP)) },
			func(b *bed, pid int) { must(b.t, syscall.Kill(pid, syscall.SIGCONT)) }},
		{"read-only", func(b *bed, _ int) { b.redisSays("REPLICAOF 127.0.0.1 1") },
			func(b *bed, _ int) { b.redisSays("REPLICAOF NO ONE") }},
	} {
		t.Run(trouble.name, func(t *testing.T) {
			scenario{"Redis " + trouble.name, "every instance counts by itself; nothing else is felt",
				func(b *bed, w *watcher) (string, error) {
					w.require(true)
					before := w.acknowledged()
					process := redisProcess.FindStringSubmatch(b.redisSays("INFO server"))
					pid, err := strconv.Atoi(process[1])
					must(t, err)
					trouble.begin(b, pid)
					pause(lasting() / 2)
					meanwhile := w.acknowledged() - before
					trouble.finish(b, pid)
					took, err := w.writesAgain(5 * time.Second)
					if meanwhile < int(lasting().Seconds()) {
						err = errors.Join(err, fmt.Errorf("%d writes meanwhile", meanwhile))
					}
					return fmt.Sprintf("for %s; %d writes meanwhile; written again after %s", lasting()/2, meanwhile,
						seconds(took)), err
				}}.try(t)
		})
	}
}

var redisProcess = regexp.MustCompile(`process_id:(\d+)`)

// redisSays sends Redis a command and returns the beginning of the answer.
func (b *bed) redisSays(command string) string {
	b.t.Helper()
	connection, err := net.Dial("unix", strings.TrimPrefix(b.redis.URL(), "unix://"))
	must(b.t, err)
	defer connection.Close()
	must(b.t, connection.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = fmt.Fprintf(connection, "%s\r\n", command)
	must(b.t, err)
	answer := make([]byte, 8<<10)
	n, err := connection.Read(answer)
	must(b.t, err)
	return string(answer[:n])
}
