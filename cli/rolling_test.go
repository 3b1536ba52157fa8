//go:build !production

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"guestpass/internal/postgrestest"
	"guestpass/stytchtest"
)

var (
	restarts    = flag.Int("restarts", 2, "how often TestARollingRestartLosesNothing restarts a server")
	rollingRate = flag.Int("rolling-rate", 100, "requests a second meanwhile")
	stopGrace   = flag.Duration("stop-grace", time.Second, "GUESTPASS_STOP_GRACE of the servers")
)

// TestARollingRestartLosesNothing restarts two processes of `guestpass serve` in turn
// under load: no call fails, and what was created is there.
func TestARollingRestartLosesNothing(t *testing.T) {
	seed := stytchtest.Development()
	stytch := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	token := tokenOf(t, stytch, seed.Members[0].ID)
	// A process that starts takes the cores of those that serve, here and only here: what piles
	// up for half a second finds places. One person makes all of it, and has a quarter of them.
	environ := forStytch(stytch, seed, "GUESTPASS_MAX_IN_FLIGHT=1024", "GUESTPASS_QUOTA_TASKS=100000",
		"GUESTPASS_DATABASE_URL="+postgrestest.Shared(t).Database(t), "GUESTPASS_STOP_GRACE="+stopGrace.String())
	b := &balancer{nodes: make([]*node, 2), changed: make(chan struct{}, 1)}
	for i := range b.nodes {
		b.add(t.Context(), i, startProcess(t, environ))
	}
	b.wait(2)
	var first string // a task that is there
	load := newLoad(*rollingRate, b.pick, func(i int) job {
		if i%10 == 9 {
			body := fmt.Sprintf(`{"title":"number %d"}`, i)
			return job{"write", "POST", "/api/v1/tasks", token, body, []int{http.StatusCreated}}
		}
		return job{"read", "GET", "/api/v1/tasks/" + first, token, "", []int{http.StatusOK}}
	})
	created := &created{}
	load.done = created.note
	load.send(job{"write", "POST", "/api/v1/tasks", token, `{"title":"the first"}`, []int{http.StatusCreated}})
	if len(created.ids) == 0 {
		t.Fatal(load.of("write").failed)
	}
	first = created.ids[0]
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); load.run(ctx) }()
	for i := range *restarts {
		b.restart(t, i%2, environ)
	}
	end()
	<-ended
	load.report(t, "rolling")
	reads, writes := load.of("read"), load.of("write")
	failed := sum(reads.failed) + sum(writes.failed)
	lost := created.missing(t, load, token)
	t.Logf("%d restarts, %d requests, %.0f a second, %d failed; %d created, %d lost",
		*restarts, reads.total()+writes.total(), float64(reads.total()+writes.total())/load.took.Seconds(), failed,
		len(created.ids), lost)
	if failed > 0 || lost > 0 || len(created.ids) == 0 {
		t.Error("a restart was felt")
	}
}

// created are the ids of the tasks that the server said it has.
type created struct{ ids []string }

func (c *created) note(j job, body string) {
	var task struct {
		ID string `json:"task_id"`
	}
	if j.kind == "write" && json.Unmarshal([]byte(body), &task) == nil {
		c.ids = append(c.ids, task.ID)
	}
}

// missing reads them all back.
func (c *created) missing(t *testing.T, l *load, token string) (lost int) {
	t.Helper()
	for _, id := range c.ids {
		if status, _, body, err := l.call(job{method: "GET", path: "/api/v1/tasks/" + id,
			token: token}); status != http.StatusOK {
			lost++
			t.Errorf("lost %s: %d %s %v", id, status, body, err)
		}
	}
	return lost
}

// A node is a process that a balancer looks at.
type node struct {
	*process
	unwatch func()
	ready   bool // guarded by balancer.mu
}

// balancer sends calls to the nodes that say they are ready, in turn. It repeats none.
type balancer struct {
	mu      sync.Mutex // guards nodes
	nodes   []*node
	changed chan struct{}
	turn    atomic.Uint64
}

// add begins to look at the node 50 times a second, as others do once in a second or two.
func (b *balancer) add(ctx context.Context, i int, p *process) {
	ctx, cancel := context.WithCancel(ctx)
	n := &node{process: p, unwatch: cancel}
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
	b.nodes[i].stop(t)
	b.nodes[i].unwatch()
	b.add(t.Context(), i, startProcess(t, environ))
	b.wait(2)
}
