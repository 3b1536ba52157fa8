package limits

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomodule/redigo/redis"

	"guestpass/internal/limits/redistest"
)

func open(t testing.TB, o Options) *Limits {
	t.Helper()
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// admitted returns how many of so many calls are.
func admitted(l *Limits, calls int, client, subject, organization string) (number int) {
	for range calls {
		if l.Admit(client, subject, organization) == nil {
			number++
		}
	}
	return number
}

func TestEachLimitAdmitsItsNumberAndNoMore(t *testing.T) {
	for _, tt := range []struct {
		policy string
		limits Options
	}{
		{"member", Options{Member: 5}}, {"organization", Options{Organization: 5}}, {"client", Options{Client: 5}},
	} {
		t.Run(tt.policy, func(t *testing.T) {
			l := open(t, tt.limits)
			if n := admitted(l, 20, "gpt", "ada", "acme"); n != 5 {
				t.Errorf("%d of 20 calls are admitted, want 5", n)
			}
			var e *Exceeded
			if err := l.Admit("gpt", "ada", "acme"); !errors.As(err, &e) || e.Policy != tt.policy || e.Quota != 5 {
				t.Errorf("refused for %v", err)
			}
		})
	}
}

func TestOnesLimitIsNotAnothers(t *testing.T) {
	l := open(t, Options{Member: 5, Organization: 8, Client: 10})
	admitted(l, 100, "gpt", "ada", "acme")
	if n := admitted(l, 100, "gpt", "grace", "acme"); n != 3 {
		t.Errorf("another member of the organization: %d, want the organization's remaining 3", n)
	}
	if n := admitted(l, 100, "gpt", "hank", "globex"); n != 2 {
		t.Errorf("another organization: %d, want the app's remaining 2", n)
	}
	if n := admitted(l, 100, "docs", "hank", "globex"); n != 5 {
		t.Errorf("another app: %d, want 5", n)
	}
}

func TestManyCallsAtOnceAreCountedExactly(t *testing.T) {
	l := open(t, Options{Member: 100})
	var number atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { number.Add(int64(admitted(l, 100, "gpt", "ada", "acme"))) })
	}
	if group.Wait(); number.Load() != 100 {
		t.Errorf("%d of 800 calls are admitted, want 100", number.Load())
	}
}

func TestAnAddressCountsWhoBringsNoToken(t *testing.T) {
	l := open(t, Options{Address: 5})
	one, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:0:1::1")
	for range 5 {
		if _, e := l.CountAddress(Network(netip.MustParseAddr("2001:db8::ffff"))); e != nil { // the same /64
			t.Fatalf("refused too early: %+v", e)
		}
	}
	if _, e := l.CountAddress(Network(one)); e == nil || e.Policy != "address" {
		t.Errorf("the sixth: %+v", e)
	}
	if _, e := l.CountAddress(Network(other)); e != nil {
		t.Errorf("another network: %+v", e)
	}
	if a, b := Network(netip.MustParseAddr("::ffff:192.0.2.1")), Network(netip.MustParseAddr("192.0.2.1")); a != b {
		t.Errorf("%s and %s are the same address", a, b)
	}
}

// Whoever waits as long as Retry-After says is admitted, and not a second earlier.
func TestRetryAfterIsWhenOneMoreIsAdmitted(t *testing.T) {
	for _, quota := range []int{1, 2, 60, 600} {
		for _, offset := range []time.Duration{0, 7 * time.Second, 29500 * time.Millisecond, 59 * time.Second} {
			t.Run(fmt.Sprintf("%d a minute from second %s on", quota, offset), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := open(t, Options{Member: quota})
					time.Sleep(offset)
					if n := admitted(l, quota, "gpt", "ada", "acme"); n != quota {
						t.Fatalf("%d are admitted, want %d", n, quota)
					}
					for range 3 {
						header := http.Header{}
						var e *Exceeded
						if !errors.As(l.Admit("gpt", "ada", "acme"), &e) {
							t.Fatal("a call beyond the limit is admitted")
						}
						e.SetHeaders(header)
						wait, err := time.ParseDuration(header.Get("Retry-After") + "s")
						if err != nil {
							t.Fatal(err)
						}
						time.Sleep(wait - 1200*time.Millisecond) // as seconds are rounded up
						if wait > 2*time.Second && l.Admit("gpt", "ada", "acme") == nil {
							t.Errorf("admitted before %s were over", wait)
						}
						time.Sleep(1200 * time.Millisecond)
						if e := l.Admit("gpt", "ada", "acme"); e != nil {
							t.Errorf("after %s still refused: %+v", wait, e)
						}
						admitted(l, quota, "gpt", "ada", "acme")
					}
				})
			})
		}
	}
}

func TestHeadersNameTheLimit(t *testing.T) {
	header := http.Header{}
	(&Exceeded{Policy: "member", Quota: 60, RetryAfter: 16200 * time.Millisecond}).SetHeaders(header)
	for name, want := range map[string]string{"Retry-After": "17", "RateLimit-Policy": `"member";q=60;w=60`,
		"RateLimit": `"member";r=0;t=17`} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c, start := newCounts(100), time.Now().Truncate(window)
	for i := range 10_000 {
		c.add(fmt.Sprint(i), start)
	}
	if len(c.current) != 100 {
		t.Errorf("%d keys are kept, want 100", len(c.current))
	}
	c.add("late", start.Add(window))
	if current, previous := c.get("late", start.Add(window)); current != 1 || previous != 0 || len(c.previous) != 100 {
		t.Errorf("in the next minute: %d, %d, %d kept of the last", current, previous, len(c.previous))
	}
}

func TestInstancesShareTheCountsOfARedis(t *testing.T) {
	server := redistest.Start(t)
	one, two := open(t, Options{Member: 10, Address: 5, RedisURL: server.URL()}),
		open(t, Options{Member: 10, Address: 5, RedisURL: server.URL()})
	if n := admitted(one, 6, "gpt", "ada", "acme") + admitted(two, 20, "gpt", "ada", "acme"); n != 10 {
		t.Errorf("%d calls are admitted by two instances together, want 10", n)
	}
	address := netip.MustParseAddr("192.0.2.1")
	for range 5 {
		one.CountAddress(Network(address))
	}
	if _, e := two.CountAddress(Network(address)); e == nil {
		t.Error("an address that one instance refuses is admitted by the other")
	}
}

// Without its Redis an instance goes on counting by itself, from what it has admitted.
func TestWhileRedisIsAwayEachInstanceCounts(t *testing.T) {
	server := redistest.Start(t)
	var log bytes.Buffer
	l := open(t, Options{Member: 10, RedisURL: server.URL(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if n := admitted(l, 4, "gpt", "ada", "acme"); n != 4 {
		t.Fatalf("%d are admitted, want 4", n)
	}
	server.Stop()
	if n := admitted(l, 50, "gpt", "ada", "acme"); n != 6 {
		t.Errorf("without Redis %d more are admitted, want 6", n)
	}
	if n := admitted(l, 50, "gpt", "grace", "acme"); n != 10 {
		t.Errorf("without Redis %d calls of another person are admitted, want 10", n)
	}
	if lines := strings.Count(log.String(), "Redis does not count"); lines != 1 {
		t.Errorf("the log says so %d times: %s", lines, log.String())
	}

	server.Restart(t)
	l.pretendPauseIsOver()
	if n := admitted(l, 50, "gpt", "hank", "globex"); n != 10 || !strings.Contains(log.String(), "Redis counts again") {
		t.Errorf("with Redis again: %d, %s", n, log.String())
	}
	other := open(t, Options{Member: 10, RedisURL: server.URL()})
	if n := admitted(other, 1, "gpt", "hank", "globex"); n != 0 {
		t.Error("what is counted after the return is not in Redis")
	}
}

func TestPingSharedCountsNothing(t *testing.T) {
	server := redistest.Start(t)
	l := open(t, Options{RedisURL: server.URL()})
	if err := l.PingShared(t.Context()); err != nil {
		t.Error(err)
	}
	client := l.shared.pool.Get()
	defer client.Close()
	if keys, err := redis.Int(client.Do("DBSIZE")); keys != 0 || err != nil {
		t.Errorf("it leaves %d keys, %v", keys, err)
	}
	if _, err := client.Do("ACL", "SETUSER", "guest", "on", ">hunter2", "~*", "+@all", "-@scripting"); err != nil {
		t.Fatal(err)
	}
	without := open(t, Options{RedisURL: strings.Replace(server.URL(), "://", "://guest:hunter2@", 1)})
	if err := without.PingShared(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a Redis that runs no scripts: %v", err)
	}
	server.Stop()
	if err := l.PingShared(t.Context()); err == nil {
		t.Error("a Redis that is away answers")
	}
	if err := open(t, Options{}).PingShared(t.Context()); err != nil {
		t.Errorf("who counts alone: %v", err)
	}
}

func (l *Limits) pretendPauseIsOver() { l.shared.away.retryAt.Store(1) }

// However many arrive at once, at however many instances.
func TestManyCallsAtOnceAreCountedExactlyInRedis(t *testing.T) {
	server := redistest.Start(t)
	const quota, instances, calls = 60, 2, 200
	var log bytes.Buffer
	var number atomic.Int64
	var group sync.WaitGroup
	begin, logger := make(chan struct{}), slog.New(slog.NewTextHandler(&log, nil))
	for range instances {
		l := open(t, Options{Member: quota, RedisURL: server.URL(), Log: logger})
		for range calls {
			group.Go(func() {
				<-begin
				number.Add(int64(admitted(l, 1, "gpt", "ada", "acme")))
			})
		}
	}
	close(begin)
	group.Wait()
	most := int64(quota)
	if strings.Contains(log.String(), "Redis does not count") { // on a machine so busy that it took 100 ms
		most *= instances
	}
	if number.Load() < quota || number.Load() > most {
		t.Errorf("%d of %d calls are admitted, want %d", number.Load(), instances*calls, quota)
	}
}

// A replica, or a full disk: what cannot be written is counted by the instance, and a
// Redis that can still be read is not taken for one that counts again.
func TestARedisThatRefusesWritesDoesNotCount(t *testing.T) {
	server := redistest.Start(t)
	var log bytes.Buffer
	l := open(t, Options{Member: 5, Address: 5, RedisURL: server.URL(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if n := admitted(l, 2, "gpt", "ada", "acme"); n != 2 {
		t.Fatalf("%d are admitted, want 2", n)
	}
	other := open(t, Options{Member: 5, RedisURL: server.URL()})
	if n := admitted(other, 5, "gpt", "hank", "globex"); n != 5 {
		t.Fatalf("%d are admitted elsewhere, want 5", n)
	}
	configure := func(value string) {
		conn := l.shared.pool.Get()
		defer conn.Close()
		if _, err := conn.Do("CONFIG", "SET", "min-replicas-to-write", value); err != nil {
			t.Fatal(err)
		}
	}
	configure("1")
	n := 0
	for range 10 {
		n += admitted(l, 20, "gpt", "ada", "acme")
		l.pretendPauseIsOver()
		if admitted(l, 1, "gpt", "hank", "globex") != 0 {
			t.Error("what Redis has counted for another instance is not looked at")
		}
		l.pretendPauseIsOver()
	}
	if n != 3 {
		t.Errorf("%d more are admitted, want 3", n)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(),
		"Redis does not count") {
		t.Errorf("the log: %s", log.String())
	}
	configure("0")
	l.pretendPauseIsOver()
	if n := admitted(l, 1, "gpt", "grace", "acme"); n != 1 || !strings.Contains(log.String(), "Redis counts again") {
		t.Errorf("when it takes writes again: %d, %s", n, log.String())
	}
}

func TestProjectsDoNotShareTheCountsOfARedis(t *testing.T) {
	server := redistest.Start(t)
	address := netip.MustParseAddr("192.0.2.1")
	for _, project := range []string{"project-live-1", "project-live-2"} {
		l := open(t, Options{Address: 1, RedisURL: server.URL(), Project: project})
		if _, e := l.CountAddress(Network(address)); e != nil {
			t.Errorf("%s is limited for what was sent to another project", project)
		}
	}
}

// What was counted and turned out not to matter leaves room again, and no more than that.
func TestWhatIsTakenBackLeavesRoom(t *testing.T) {
	address := netip.MustParseAddr("192.0.2.1")
	for where, o := range map[string]Options{"memory": {Address: 3},
		"Redis": {Address: 3, RedisURL: redistest.Start(t).URL()}} {
		t.Run(where, func(t *testing.T) {
			l := open(t, o)
			takes := func() (number int) {
				for range 10 {
					if _, e := l.CountAddress(Network(address)); e == nil {
						number++
					}
				}
				return number
			}
			first, _ := l.CountAddress(Network(address))
			second, _ := l.CountAddress(Network(address))
			if n := takes(); n != 1 {
				t.Errorf("%d more are counted beside two that run, want 1", n)
			}
			first()
			second()
			if n := takes(); n != 2 {
				t.Errorf("%d are counted after two were taken back, want 2", n)
			}
		})
	}
}

// A request that began in the last minute is taken back there.
func TestTakingBackKeepsToTheMinute(t *testing.T) {
	c, start := newCounts(100), time.Now().Truncate(window)
	for range 3 {
		c.add("ada", start)
	}
	c.add("ada", start.Add(window))
	c.takeBack("ada", start)
	if current, previous := c.get("ada", start.Add(window)); current != 1 || previous != 2 {
		t.Errorf("%d in this minute, %d in the last; want 1 and 2", current, previous)
	}
	c.takeBack("ada", start.Add(window))
	c.takeBack("ada", start.Add(window)) // of one that was forgotten when the memory was full
	c.takeBack("unknown", start)
	if len(c.current) != 0 || len(c.previous) != 1 {
		t.Errorf("%v, %v are kept", c.current, c.previous)
	}
}

func TestARedisThatNeverAnsweredIsNoReasonNotToStart(t *testing.T) {
	l := open(t, Options{Member: 3, RedisURL: "unix:///nonexistent/redis.sock"})
	if n := admitted(l, 10, "gpt", "ada", "acme"); n != 3 {
		t.Errorf("%d are admitted, want 3", n)
	}
}

func TestARedisURLIsCheckedWithoutBeingRepeated(t *testing.T) {
	for _, bad := range []string{"localhost:6379", "http://:hunter2@redis", "redis://:hunter2@redis:x",
		"redis://r/notanumber?password=hunter2", "redis://r/1?read_timeout=9s", "redis:///1", "unix://host/run/x.sock",
		"redis://:hunter2@:6379", "redis:hunter2", "redis://r/-1", "unix:///run/x.sock?db=x", "redis://r/1#f",
		"unix://"} {
		if err := CheckRedisURL(bad); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, good := range []string{"redis://localhost", "rediss://user:pw@redis.example.com:6380/1",
		"redis://[::1]:6379/2", "unix:///run/redis.sock", "unix://u:pw@/run/redis.sock?db=3"} {
		if err := CheckRedisURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

func TestAPasswordOfRedisThatOthersMayReadIsToldOf(t *testing.T) {
	for url, want := range map[string]string{
		"redis://:hunter2@redis.example.com": "unencrypted", "redis://u:hunter2@192.0.2.1:6379/1": "unencrypted",
		"redis://:hunter2@[2001:db8::1]:6379": "unencrypted",
		"rediss://:hunter2@redis.example.com": "", "redis://redis.example.com": "",
		"redis://:hunter2@localhost": "", "redis://:hunter2@127.0.0.1:6379": "", "redis://:hunter2@[::1]:6379": "",
		"unix://u:hunter2@/run/redis.sock": "",
	} {
		var log bytes.Buffer
		shared, err := openShared(url, "project", slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		_ = shared.pool.Close()
		if !strings.Contains(log.String(), want) || (want == "") != (log.Len() == 0) || strings.Contains(log.String(),
			"hunter2") {
			t.Errorf("%s: the log says %q, want %q", url, log.String(), want)
		}
	}
}

func TestAPersonWithManyAppsHasNoNumbersOfManyPeople(t *testing.T) {
	l := open(t, Options{Member: 5})
	calls := 0
	for i := range 10 {
		calls += admitted(l, 5, fmt.Sprintf("app %d", i), "ada", "acme")
	}
	if calls != allApps*5 {
		t.Errorf("%d calls through ten apps, want %d", calls, allApps*5)
	}
	if n := admitted(l, 5, "app 0", "grace", "acme"); n != 5 {
		t.Errorf("%d calls of another person, want 5", n)
	}
}

// Whatever the number is, no party but the whole of it has all the places.
func TestNoPartyCarriesOutAllOperations(t *testing.T) {
	for _, inFlight := range []int{1, 2, 3, 4, 5, 64, 256, 1_000_000} {
		l := open(t, Options{InFlight: inFlight})
		if l.InFlight() != inFlight {
			t.Errorf("%d at once, want %d", l.InFlight(), inFlight)
		}
	}
	var none *Limits
	leave, err := none.Enter(t.Context())
	if err != nil || none.InFlight() != DefaultInFlight {
		t.Errorf("without limits: %v, %d", err, none.InFlight())
	}
	leave()
}

func BenchmarkAdmit(b *testing.B) {
	for _, where := range []string{"memory", "Redis"} {
		b.Run(where, func(b *testing.B) {
			o := Options{Member: 1 << 30, Organization: 1 << 30, Client: 1 << 30}
			if where == "Redis" {
				o.RedisURL = redistest.Start(b).URL()
			}
			l := open(b, o)
			b.ReportAllocs()
			for b.Loop() {
				l.Admit("connected-app-live-1", "member-live-1", "organization-live-1")
			}
		})
	}
}
