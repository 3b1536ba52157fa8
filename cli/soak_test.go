//go:build !production

package cli

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// By default these tests take seconds and show that nothing fails that may not; `make soak`
// gives them minutes, in which it shows what they are for.
var (
	soakRate  = flag.Int("soak-rate", 60, "requests a second, and a second for people who are not slow")
	soakFault = flag.Duration("soak-fault", 500*time.Millisecond, "how long Stytch has each kind of trouble")
	soakWell  = flag.Duration("soak-well", 500*time.Millisecond,
		"how long it is well after each; the circuit breaker opens for 30s")
	soakDark    = flag.Duration("soak-dark", 500*time.Millisecond, "how long it is not there at all, in the end")
	slowClients = flag.Int("slow-clients", 20, "how many connections send their header slowly, and how many their body")
	slowFor     = flag.Duration("slow-for", time.Second, "how long they do")
	overloadFor = flag.Duration("overload-for", time.Second, "how long five times as much is asked for as can be done")
)

// troubles are what Stytch can have.
var troubles = []struct {
	name  string
	fault stytchtest.Fault
}{
	{"slow", stytchtest.Fault{Path: "/", Delay: 10 * time.Second}},
	{"reset", stytchtest.Fault{Path: "/", Kind: "reset"}},
	{"500", stytchtest.Fault{Path: "/", Status: 500}},
	{"503", stytchtest.Fault{Path: "/", Status: 503}},
	{"HTML", stytchtest.Fault{Path: "/", Status: 500, Kind: "html"}},
	{"429", stytchtest.Fault{Path: "/", Status: 429}},
	{"black hole", stytchtest.Fault{Path: "/", Delay: time.Hour}},
	{"byte by byte", stytchtest.Fault{Path: "/", Kind: "trickle"}},
}

// TestTroubleAtStytchStaysThere has a hundred people read, write and look each other up
// while Stytch has trouble. What they read does not depend on Stytch and goes on; the rest
// works or is refused with the time after which to come back; nothing else happens.
func TestTroubleAtStytchStaysThere(t *testing.T) {
	t.Parallel() // they mostly wait; make soak runs one after the other
	stytch, seed := crowd(t)
	p := startProcess(t, forStytch(stytch, seed, "GUESTPASS_DATABASE_URL=sqlite:"+t.TempDir()+"/soak.db",
		"GUESTPASS_ADMIN_ADDR=127.0.0.1:0"))
	admin := "http://" + p.log.wait(t, `"admin_addr":"([^"]+)"`)[1]
	next := mixed(t, stytch, seed)
	reads, readsFailed := 0, 0
	phase := func(name string, lasts time.Duration) *load {
		l, told := newLoad(*soakRate, p.to, next), figuresOf(t, admin)
		l.runFor(t.Context(), lasts)
		t.Logf("%-12s %s", name, figuresOf(t, admin).since(told))
		l.client.CloseIdleConnections()
		l.report(t, name)
		read := l.of("read")
		reads, readsFailed = reads+read.total(), readsFailed+sum(read.failed)+sum(read.others)
		for kind := range l.outcomes {
			if failed := l.of(kind).failed; kind != "read" && len(failed) > 0 {
				t.Errorf("%s, %s: %v", name, kind, failed)
			}
		}
		used := p.usage(t)
		t.Logf("%-12s heap %d MiB, %d goroutines", name, used.Heap, used.Goroutines)
		return l
	}
	phase("well", max(*soakWell, 3*time.Second)) // everybody is seen once
	before := p.usage(t)
	for _, trouble := range troubles {
		stytch.Fail(trouble.fault)
		phase(trouble.name, *soakFault)
		stytch.ClearFaults()
		phase("well again", *soakWell)
	}
	stytch.Fail(stytchtest.Fault{Path: "/", Kind: "drop"})
	phase("dark", *soakDark)
	stytch.ClearFaults()
	last := phase("well again", *soakWell)
	after := p.usage(t)
	t.Logf("%d reads, %d failed: %.3f %% succeeded; heap %d to %d MiB, goroutines %d to %d", reads, readsFailed,
		100-100*float64(readsFailed)/float64(reads), before.Heap, after.Heap, before.Goroutines, after.Goroutines)
	if readsFailed*1000 > reads {
		t.Error("fewer than 99.9 % of all reads succeeded")
	}
	// connections to Stytch are kept for a minute, two goroutines each
	if after.Heap > before.Heap+64 || after.Goroutines > before.Goroutines+64 {
		t.Error("the server has grown")
	}
	if writes := last.of("write"); *soakWell > 40*time.Second && len(writes.took) == 0 {
		t.Error("nobody can write although Stytch is well again")
	}
}

// crowd is an emulator with a hundred members in its first organization.
func crowd(t *testing.T) (*stytchtest.Server, stytchtest.Seed) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it is a load for the whole machine")
	}
	seed := stytchtest.Development()
	for i := len(seed.Members); i < 100; i++ {
		member := seed.Members[0]
		member.ID = fmt.Sprintf("member-test-eeeeeeee-0000-4000-8000-%012d", i)
		member.Email, member.Name = fmt.Sprintf("person%d@acme.example", i), fmt.Sprintf("Person %d", i)
		seed.Members = append(seed.Members, member)
	}
	return stytchtest.NewServer(t, stytchtest.Options{Seed: &seed}), seed
}

// mixed is what a busy server is asked: mostly reads; of twenty requests two write, one
// needs Stytch, two bring bad tokens, one is for a page and one for the document.
func mixed(t *testing.T, stytch *stytchtest.Server, seed stytchtest.Seed) func(int) job {
	t.Helper()
	var tokens []string
	for _, member := range seed.Members {
		if member.OrganizationID == seed.Members[0].OrganizationID && member.Status == "active" {
			tokens = append(tokens, tokenOf(t, stytch, member.ID))
		}
	}
	app := seed.ConnectedApps[0]
	page := "/idp?" + url.Values{"client_id": {app.ClientID}, "redirect_uri": {app.RedirectURLs[0]},
		"response_type": {"code"}, "scope": {"openid tasks:read"}, "state": {"x"}}.Encode()
	var numbers atomic.Int64 // so that none is taken for a repetition
	return func(i int) job {
		token := tokens[(i/20+i)%len(tokens)]
		switch i % 20 {
		case 0, 1:
			body := fmt.Sprintf(`{"title":"number %d"}`, numbers.Add(1))
			return job{"write", "POST", "/api/v1/tasks", token, body, []int{201, 503}}
		case 2:
			return job{"directory", "GET", "/api/v1/members?limit=5", token, "", []int{200, 503}}
		case 3:
			return job{"forged", "GET", "/api/v1/tasks", forged(token), "", []int{401}}
		case 4:
			return job{"unknown key", "GET", "/api/v1/tasks", withKey(token, fmt.Sprintf("unknown-%d", i)), "",
				[]int{401, 503}}
		case 5:
			return job{"page", "GET", page, "", "", []int{200, 503}}
		case 6:
			return job{"document", "GET", "/openapi.json", "", "", []int{200}}
		case 7, 8, 9, 10:
			return job{"read", "GET", "/api/v1/activity?limit=5", token, "", []int{200}}
		default:
			return job{"read", "GET", "/api/v1/tasks?limit=5", token, "", []int{200}}
		}
	}
}

// forged has another character somewhere in the signature.
func forged(token string) string {
	at := len(token) - 50
	other := "A"
	if token[at] == 'A' {
		other = "B"
	}
	return token[:at] + other + token[at+1:]
}

// withKey names another key.
func withKey(token, kid string) string {
	_, rest, _ := strings.Cut(token, ".")
	header := fmt.Appendf(nil, `{"alg":"RS256","kid":%q,"typ":"JWT"}`, kid)
	return base64.RawURLEncoding.EncodeToString(header) + "." + rest
}

// TestSlowClientsDisturbNobody holds connections open as long as the server lets it, and
// opens new ones, beside people who are not slow.
func TestSlowClientsDisturbNobody(t *testing.T) {
	t.Parallel() // they mostly wait; make soak runs one after the other
	stytch, seed := crowd(t)
	p := startProcess(t, forStytch(stytch, seed, "GUESTPASS_DATABASE_URL=sqlite:"+t.TempDir()+"/slow.db"))
	next, token := mixed(t, stytch, seed), tokenOf(t, stytch, seed.Members[0].ID)
	alone := newLoad(*soakRate, p.to, next)
	alone.runFor(t.Context(), *slowFor)
	alone.report(t, "alone")
	before := p.usage(t)

	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	var opened atomic.Int64
	address := strings.TrimPrefix(p.url, "http://")
	for i := range *slowClients {
		// They do not all come at once: the server waits 5 s for a header, 15 s for a body.
		after := func(most time.Duration) time.Duration {
			return min(most, *slowFor/2) * time.Duration(i) / time.Duration(*slowClients)
		}
		group.Go(func() {
			beSlow(ctx, after(5*time.Second), address, "GET /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
				&opened)
		})
		group.Go(func() {
			beSlow(ctx, after(15*time.Second), address,
				"POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+token+
					"\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{", &opened)
		})
	}
	beside := newLoad(*soakRate, p.to, next)
	beside.runFor(t.Context(), *slowFor)
	beside.report(t, "beside")
	during := p.usage(t)
	cancel()
	group.Wait()
	total, failed := 0, 0
	for kind := range beside.outcomes {
		o := beside.of(kind)
		total, failed = total+o.total(), failed+sum(o.failed)+sum(o.others)
	}
	one, two := percentile(alone.of("read").took, 99), percentile(beside.of("read").took, 99)
	t.Logf("%d slow connections at a time, %d in all: %d requests beside them, %d failed; a read's p99 %v, alone %v: "+
		"%.2f times; heap %d MiB, %d goroutines, alone %d and %d",
		2**slowClients, opened.Load(), total, failed, two, one, float64(two)/float64(one), during.Heap,
		during.Goroutines, before.Heap, before.Goroutines)
	if failed*1000 > total || opened.Load() < int64(2**slowClients) {
		t.Error("fewer than 99.9 % of all requests succeeded, or there were no slow clients")
	}
}

// beSlow sends the beginning of a request and then a byte a second, again and again, but at
// most once a second.
func beSlow(ctx context.Context, after time.Duration, address, beginning string, opened *atomic.Int64) {
	for begin := time.NewTimer(after); ; begin.Reset(time.Second) {
		select {
		case <-begin.C:
		case <-ctx.Done():
			return
		}
		connection, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		opened.Add(1)
		stop := context.AfterFunc(ctx, func() { _ = connection.Close() })
		go func() { // until the server has had enough
			_, err = io.WriteString(connection, beginning)
			for tick := time.NewTicker(time.Second); err == nil; <-tick.C {
				_, err = io.WriteString(connection, "x")
			}
		}()
		_, _ = io.Copy(io.Discard, connection)
		stop()
		_ = connection.Close()
	}
}

// TestTooMuchIsRefusedAtOnce asks for five times as much as can be done. What that is does
// not depend on this machine: Stytch takes a tenth of a second to look members up.
func TestTooMuchIsRefusedAtOnce(t *testing.T) {
	t.Parallel() // they mostly wait; make soak runs one after the other
	stytch, seed := crowd(t)
	const atOnce = 8 // an eighth of what is carried out at once: of what may wait for Stytch one organization's part
	p := startProcess(t, forStytch(stytch, seed, "GUESTPASS_DATABASE_URL=sqlite:"+t.TempDir()+"/overload.db",
		"GUESTPASS_RECENT_PEOPLE=0s", fmt.Sprintf("GUESTPASS_MAX_IN_FLIGHT=%d", 8*atOnce)))
	token := tokenOf(t, stytch, seed.Members[0].ID)
	lookUp := job{"directory", "GET", "/api/v1/members?limit=5", token, "",
		[]int{http.StatusOK, http.StatusServiceUnavailable}}
	stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/organizations/members/search", Delay: 100 * time.Millisecond})

	capacity := capacityOf(t, newLoad(1, p.to, nil), lookUp, atOnce)
	l := newLoad(int(5*capacity), p.to, func(int) job { return lookUp })
	l.runFor(t.Context(), *overloadFor)
	l.report(t, "overload")
	o := l.of("directory")
	goodput := float64(len(o.took)) / l.took.Seconds()
	t.Logf("%d at once do %.0f a second; of %.0f a second %.0f were done (%.0f %%), %d refused with Retry-After (p50 "+
		"%v, p99 %v), %d failed", atOnce, capacity,
		float64(o.total())/l.took.Seconds(), goodput, 100*goodput/capacity, sum(o.others), percentile(o.refused, 50),
		percentile(o.refused, 99), sum(o.failed))
	if len(o.took) == 0 || sum(o.others) == 0 || len(o.failed) > 0 {
		t.Error("some of it must be done, the rest refused, and nothing else")
	}
}

// capacityOf is how many a second are done when never more are asked for than fit.
func capacityOf(t *testing.T, l *load, j job, atOnce int) float64 {
	t.Helper()
	const each = 10
	start := time.Now()
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for range each {
				l.send(j)
			}
		})
	}
	group.Wait()
	if o := l.of(j.kind); len(o.took) != each*atOnce {
		t.Fatalf("refused or failed without overload: %v %v", o.others, o.failed)
	}
	return float64(each*atOnce) / time.Since(start).Seconds()
}
