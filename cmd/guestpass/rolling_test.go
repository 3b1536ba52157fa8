//go:build !production

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"guestpass/internal/store/postgrestest"
	"guestpass/stytchtest"
)

var (
	restarts    = flag.Int("restarts", 2, "how often TestARollingRestartLosesNothing restarts a server")
	rollingRate = flag.Int("rolling-rate", 100, "requests a second meanwhile")
	stopGrace   = flag.Duration("stop-grace", time.Second, "GUESTPASS_STOP_GRACE of the servers")
)

const rollingAda = "member-test-aaaaaaaa-0000-4000-8000-000000000001"

// TestARollingRestartLosesNothing restarts two processes of `guestpass serve` in turn
// under load: no call fails, and what was created is there.
func TestARollingRestartLosesNothing(t *testing.T) {
	seed := stytchtest.Development()
	stytch := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	token, err := stytch.Mint(stytchtest.MintRequest{Kind: "access", Subject: rollingAda, Scopes: []string{"tasks:read", "tasks:write"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(postgrestest.StopShared)
	environ := append(os.Environ(), "GUESTPASS_SERVE_FOR_ROLLING_TEST=yes",
		"GUESTPASS_LIMIT_MEMBER=1000000", "GUESTPASS_LIMIT_ORGANIZATION=1000000", "GUESTPASS_LIMIT_CLIENT=1000000",
		"GUESTPASS_DATABASE_URL="+postgrestest.Shared(t).Database(t), "GUESTPASS_STOP_GRACE="+stopGrace.String(),
		"GUESTPASS_PUBLIC_URL=http://localhost:9999", "GUESTPASS_ADDR=localhost:0", "STYTCH_PROJECT_ID="+seed.Project.ID,
		"STYTCH_SECRET="+seed.Project.Secret, "STYTCH_PUBLIC_TOKEN="+seed.Project.PublicToken, "STYTCH_DOMAIN="+stytch.URL, "STYTCH_BASE_URL="+stytch.URL)
	b := &balancer{nodes: make([]*node, 2), changed: make(chan struct{}, 1)}
	for i := range b.nodes {
		b.add(t.Context(), i, startNode(t, environ))
	}
	b.wait(2)
	load := startLoad(t.Context(), b, token)
	for i := range *restarts {
		b.restart(t, i%2, environ)
	}
	load.stop()
	load.check(t)
}

// node is one server process.
type node struct {
	url     string
	command *exec.Cmd
	unwatch func()
	ready   bool // guarded by balancer.mu
}

func startNode(t *testing.T, environ []string) *node {
	t.Helper()
	log := newFollower()
	n := &node{command: exec.Command(os.Args[0], "-test.run", "^TestServeForTheRollingTest$")}
	n.command.Env, n.command.Stderr = environ, log
	if err := n.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.command.Process.Kill() })
	n.url = "http://" + log.wait(t, `"addr":"([^"]+)"`)[1]
	return n
}

// TestServeForTheRollingTest is no test but the process that is restarted.
func TestServeForTheRollingTest(t *testing.T) {
	if os.Getenv("GUESTPASS_SERVE_FOR_ROLLING_TEST") == "" {
		return // run with the others, it has nothing to do
	}
	environ := slices.DeleteFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, "GUESTPASS_SERVE_FOR") })
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, []string{"serve"}, environ, io.Discard, os.Stderr))
}

// balancer sends calls to the nodes that say they are ready, in turn. It repeats none.
type balancer struct {
	mu      sync.Mutex // guards nodes
	nodes   []*node
	changed chan struct{}
	turn    atomic.Uint64
}

// add begins to look at the node 50 times a second, as others do once in a second or two.
func (b *balancer) add(ctx context.Context, i int, n *node) {
	ctx, n.unwatch = context.WithCancel(ctx)
	b.mu.Lock()
	b.nodes[i] = n
	b.mu.Unlock()
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			response, err := http.Get(n.url + "/readyz")
			if err == nil {
				response.Body.Close()
			}
			b.mu.Lock()
			n.ready = err == nil && response.StatusCode == http.StatusOK
			b.mu.Unlock()
			select {
			case b.changed <- struct{}{}:
			default:
			}
			<-tick.C
		}
	}()
}

func (b *balancer) ready() (urls []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.nodes {
		if n.ready {
			urls = append(urls, n.url)
		}
	}
	return urls
}

// wait returns once so many nodes are ready.
func (b *balancer) wait(n int) {
	for len(b.ready()) != n {
		<-b.changed
	}
}

func (b *balancer) pick() (string, error) {
	ready := b.ready()
	if len(ready) == 0 {
		return "", errors.New("no server is ready")
	}
	return ready[b.turn.Add(1)%uint64(len(ready))], nil
}

// restart is what a deployment does.
func (b *balancer) restart(t *testing.T, i int, environ []string) {
	t.Helper()
	if err := b.nodes[i].command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := b.nodes[i].command.Wait(); err != nil {
		t.Errorf("a server that was asked to stop: %v", err)
	}
	b.nodes[i].unwatch()
	b.add(t.Context(), i, startNode(t, environ))
	b.wait(2)
}

// rollingLoad is a steady load: nine reads, then a create.
type rollingLoad struct {
	b      *balancer
	token  string
	client *http.Client
	stop   func()
	group  sync.WaitGroup

	mu       sync.Mutex // guards the rest
	start    time.Time
	took     time.Duration
	requests int
	failures map[string]int
	created  []string
}

func startLoad(ctx context.Context, b *balancer, token string) *rollingLoad {
	ctx, cancel := context.WithCancel(ctx)
	l := &rollingLoad{b: b, token: token, client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 200}}, failures: map[string]int{}, start: time.Now()}
	ticking := make(chan struct{})
	go func() {
		defer close(ticking)
		tick := time.NewTicker(time.Second / time.Duration(*rollingRate))
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
				l.group.Go(func() { l.one(i) })
			case <-ctx.Done():
				return
			}
		}
	}()
	l.stop = func() {
		cancel()
		<-ticking
		l.group.Wait()
		l.took = time.Since(l.start)
	}
	return l
}

func (l *rollingLoad) one(i int) {
	method, path, body, want := "GET", "/api/v1/tasks?limit=5", "", http.StatusOK
	if i%10 == 9 {
		method, path, body, want = "POST", "/api/v1/tasks", fmt.Sprintf(`{"title":"number %d"}`, i), http.StatusCreated
	}
	status, content, err := l.call(method, path, body)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	if err != nil || status != want {
		l.failures[fmt.Sprintf("%s: %d %.200s %v", method, status, content, err)]++
		return
	}
	var task struct {
		ID string `json:"task_id"`
	}
	if method == "POST" && json.Unmarshal([]byte(content), &task) == nil {
		l.created = append(l.created, task.ID)
	}
}

func (l *rollingLoad) call(method, path, body string) (int, string, error) {
	url, err := l.b.pick()
	if err != nil {
		return 0, "", err
	}
	r, err := http.NewRequest(method, url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+l.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := l.client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}

// check reads back what was created.
func (l *rollingLoad) check(t *testing.T) {
	t.Helper()
	lost := 0
	for _, id := range l.created {
		if status, content, err := l.call("GET", "/api/v1/tasks/"+id, ""); status != http.StatusOK {
			lost++
			t.Errorf("lost %s: %d %s %v", id, status, content, err)
		}
	}
	failed := 0
	for _, cause := range slices.Sorted(maps.Keys(l.failures)) {
		failed += l.failures[cause]
		t.Errorf("%d times: %s", l.failures[cause], cause)
	}
	if len(l.created) == 0 {
		t.Error("nothing was created")
	}
	t.Logf("%d restarts, %d requests, %.0f a second, %d failed; %d created, %d lost",
		*restarts, l.requests, float64(l.requests)/l.took.Seconds(), failed, len(l.created), lost)
}
