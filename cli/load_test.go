//go:build !production

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// A process is `guestpass serve`, which this test program becomes when it is told so.
type process struct {
	url     string
	command *exec.Cmd
	log     *follower
}

const servesForTests = "GUESTPASS_SERVE_FOR_TESTS=yes"

// startProcess waits until the server listens; it is killed at the test's end.
func startProcess(t testing.TB, environ []string) *process {
	t.Helper()
	p := &process{command: exec.Command(os.Args[0], "-test.run", "^TestServeForOtherTests$"), log: newFollower()}
	p.command.Env, p.command.Stderr = append(slices.Clone(environ), servesForTests), p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.command.Process.Kill(); _ = p.command.Wait() })
	p.url = "http://" + p.log.wait(t, `"addr":"([^"]+)"`)[1]
	return p
}

// stop asks it to, as a deployment does, and waits.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.command.Wait(); err != nil {
		t.Errorf("a server that was asked to stop: %v", err)
	}
}

// usage is what a process has in use once all garbage is gone.
type usage struct {
	Heap       int // MiB
	Goroutines int
}

// usage asks the process itself; what it logged before is forgotten.
func (p *process) usage(t testing.TB) (u usage) {
	t.Helper()
	p.log.forget()
	if err := p.command.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(p.log.wait(t, `(?m)^usage (.*)$`)[1]), &u); err != nil {
		t.Fatal(err)
	}
	return u
}

// TestServeForOtherTests is no test but the process that other tests start.
func TestServeForOtherTests(t *testing.T) {
	if !slices.Contains(os.Environ(), servesForTests) {
		return // run with the others, it has nothing to do
	}
	environ := slices.DeleteFunc(os.Environ(), func(pair string) bool { return pair == servesForTests })
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			line, _ := json.Marshal(usage{int(m.HeapAlloc >> 20), runtime.NumGoroutine()})
			fmt.Fprintf(os.Stderr, "\nusage %s\n", line)
		}
	}()
	os.Exit(run(ctx, []string{"serve"}, environ, io.Discard, os.Stderr))
}

// forStytch is an environment in which serve uses the emulator and no rate limits anybody.
func forStytch(stytch *stytchtest.Server, seed stytchtest.Seed, more ...string) []string {
	return append(append(os.Environ(), "GUESTPASS_LIMIT_ADDRESS=1000000", "GUESTPASS_LIMIT_MEMBER=1000000",
		"GUESTPASS_LIMIT_ORGANIZATION=1000000", "GUESTPASS_LIMIT_CLIENT=1000000", "GUESTPASS_STOP_GRACE=0s",
		"GUESTPASS_PUBLIC_URL=http://localhost:9999", "GUESTPASS_ADDR=localhost:0",
		"STYTCH_PROJECT_ID="+seed.Project.ID,
		"STYTCH_SECRET="+seed.Project.Secret, "STYTCH_PUBLIC_TOKEN="+seed.Project.PublicToken,
		"STYTCH_DOMAIN="+stytch.URL, "STYTCH_BASE_URL="+stytch.URL), more...)
}

// tokenOf is a token that may do everything with tasks and look at members.
func tokenOf(t testing.TB, stytch *stytchtest.Server, member string) string {
	t.Helper()
	token, err := stytch.Mint(stytchtest.MintRequest{Kind: "access", Subject: member,
		Scopes: []string{"openid", "tasks:read", "tasks:write", "members:read", "activity:read"}})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// A job is one request of a load, and what may become of it.
type job struct {
	kind         string // under which it is counted
	method, path string
	token, body  string
	want         []int // statuses; all but the first with Retry-After
}

// outcomes of one kind of job.
type outcomes struct {
	took    []time.Duration // of those that got what is wanted first
	refused []time.Duration // of others
	others  map[string]int  // by status, of those that were refused as they may be
	failed  map[string]int  // by cause
}

func (o *outcomes) total() int { return len(o.took) + sum(o.others) + sum(o.failed) }

func sum(of map[string]int) (n int) {
	for _, count := range of {
		n += count
	}
	return n
}

// A load sends jobs at a steady rate, however long they take. It repeats none.
type load struct {
	url    func() (string, error) // of the server that is next
	next   func(i int) job
	rate   int // jobs a second
	done   func(j job, body string)
	client *http.Client

	mu       sync.Mutex // guards outcomes
	outcomes map[string]*outcomes
	took     time.Duration
}

func newLoad(rate int, url func() (string, error), next func(i int) job) *load {
	return &load{url: url, next: next, rate: rate, done: func(job, string) {}, outcomes: map[string]*outcomes{},
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConns: 1000,
			MaxIdleConnsPerHost: 1000}}}
}

// to is the url of a load of one server.
func (p *process) to() (string, error) { return p.url, nil }

// run sends jobs until ctx ends, and waits for the last answers.
func (l *load) run(ctx context.Context) {
	var group sync.WaitGroup
	start, sent := time.Now(), 0
	tick := time.NewTicker(max(time.Second/time.Duration(l.rate), time.Millisecond))
	defer tick.Stop()
	for ctx.Err() == nil {
		// ticks may be dropped, jobs are not
		for due := int(time.Since(start).Seconds()*float64(l.rate)) + 1; sent < due; sent++ {
			i := sent
			group.Go(func() { l.send(l.next(i)) })
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	group.Wait()
	l.took = time.Since(start)
}

func (l *load) runFor(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	l.run(ctx)
}

func (l *load) send(j job) {
	start := time.Now()
	status, retryAfter, body, err := l.call(j)
	took := time.Since(start)
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.outcomes[j.kind]
	if o == nil {
		o = &outcomes{others: map[string]int{}, failed: map[string]int{}}
		l.outcomes[j.kind] = o
	}
	switch {
	case err != nil:
		for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) { // the outer ones name ports and ids
			err = inner
		}
		o.failed[err.Error()]++
	case status == j.want[0]:
		o.took = append(o.took, took)
		l.done(j, body)
	case slices.Contains(j.want, status) && retryAfter:
		o.others[fmt.Sprint(status)]++
		o.refused = append(o.refused, took)
	default:
		o.failed[fmt.Sprintf("%d %.150s", status, body)]++
	}
}

func (l *load) call(j job) (status int, retryAfter bool, body string, err error) {
	url, err := l.url()
	if err != nil {
		return 0, false, "", err
	}
	r, err := http.NewRequest(j.method, url+j.path, strings.NewReader(j.body))
	if err != nil {
		return 0, false, "", err
	}
	if j.token != "" {
		r.Header.Set("Authorization", "Bearer "+j.token)
	}
	if j.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := l.client.Do(r)
	if err != nil {
		return 0, false, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header.Get("Retry-After") != "", string(content), err
}

// of returns what became of one kind so far.
func (l *load) of(kind string) outcomes {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o := l.outcomes[kind]; o != nil {
		return *o
	}
	return outcomes{}
}

// report logs a line for each kind, and one for each cause of a failure.
func (l *load) report(t *testing.T, phase string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, kind := range slices.Sorted(maps.Keys(l.outcomes)) {
		o := l.outcomes[kind]
		t.Logf("%-12s %-11s %7d: %7d as wanted (p50 %v, p99 %v), refused for a while: %s, failed: %d", phase, kind,
			o.total(),
			len(o.took), percentile(o.took, 50), percentile(o.took, 99), counted(o.others), sum(o.failed))
		for _, cause := range slices.Sorted(maps.Keys(o.failed)) {
			t.Logf("%-12s %-11s failed %d times: %s", phase, kind, o.failed[cause], cause)
		}
	}
}

func counted(of map[string]int) string {
	if len(of) == 0 {
		return "none"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		parts = append(parts, fmt.Sprintf("%d × %s", of[name], name))
	}
	return strings.Join(parts, ", ")
}

func percentile(of []time.Duration, percent int) time.Duration {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[(len(sorted)-1)*percent/100].Round(10 * time.Microsecond)
}
