package cluster_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	deadline  = 20 * time.Second // of an operation
	tolerance = 2 * time.Second  // for a busy machine
)

// prompt is how long a call may take that needs no table.
func prompt() time.Duration {
	if *whole {
		return time.Second
	}
	return 5 * time.Second
}

// A watcher asks for what no fault may touch, of every instance and of the balancer, for as long as a scenario runs.
type watcher struct {
	*bed
	watching context.Context
	end      context.CancelFunc
	group    sync.WaitGroup

	mu       sync.Mutex // guards the rest
	revoked  []string   // tokens
	faults   map[string]*fault
	calls    int
	slowest  time.Duration     // of what needs no table
	acked    map[string]string // ids of tasks by their title
	writes   int               // tried
	excused  time.Time         // until then the balancer has not noticed who is gone
	patience context.Context   // of writes
	giveUp   context.CancelFunc
	strict   bool // another organization's reads must succeed
	reads    int
	failed   int // reads of the other organization
	longest  time.Duration
}

type fault struct {
	number int
	first  string
	worst  time.Duration
}

// watch revokes one token and begins.
func (b *bed) watch() *watcher {
	b.t.Helper()
	before := b.connect(rita, "rita")
	must(b.t, pressed(before.press(b.instances[0])))
	if _, err := b.seen(before.token, 20*time.Second); err != nil {
		b.t.Fatal(err)
	}
	ctx, end := context.WithCancel(b.t.Context())
	patience, giveUp := context.WithCancel(ctx)
	w := &watcher{watching: ctx, patience: patience, giveUp: giveUp, bed: b, end: end,
		revoked: []string{before.token}, faults: map[string]*fault{}, acked: map[string]string{}}
	b.t.Cleanup(func() { w.end(); w.group.Wait() })
	reader, other := b.token(ada), b.token(hank)
	for _, i := range b.instances {
		for _, path := range []string{"/openapi.json", "/.well-known/oauth-protected-resource"} {
			w.every(ctx, 500*time.Millisecond, func() { w.tableless(ctx, i, i.url()+path, path, "") })
		}
		w.every(ctx, 500*time.Millisecond, func() {
			w.tableless(ctx, i, i.url()+"/api/v1/userinfo", "getUserInfo", reader)
		})
		w.every(ctx, 500*time.Millisecond, func() { w.othersRead(ctx, i, other) })
		w.every(ctx, time.Second, func() { w.denied(ctx, i) })
	}
	w.every(ctx, 500*time.Millisecond, func() { w.throughBalancer(ctx) })
	for writer := range 3 {
		w.group.Go(func() { w.write(ctx, writer, reader) })
	}
	pause(lasting() / 8)
	return w
}

// every does f again and again until ctx ends, and does not begin before it has ended.
func (w *watcher) every(ctx context.Context, interval time.Duration, f func()) {
	w.group.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				f()
			}
		}
	})
}

// found notes that something happened that no fault may do.
func (w *watcher) found(kind string, took time.Duration, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.faults[kind]
	if f == nil {
		f = &fault{first: fmt.Sprintf(format, args...)}
		w.faults[kind] = f
	}
	f.number++
	f.worst = max(f.worst, took)
}

// ask calls an instance and reports what no answer may be. It returns false if nothing follows from the answer: the
// scenario has taken the instance away, or the watcher ends.
func (w *watcher) ask(ctx context.Context, i *instance, address, token string) (a answer, counts bool) {
	out := i.out.Load()
	a = w.call(ctx, "GET", address, token, "")
	if ctx.Err() != nil || out || i.out.Load() || !strings.HasPrefix(address, i.url()+"/") {
		return a, false
	}
	w.judge("instance "+i.name+" "+strings.TrimPrefix(address, i.url()), a)
	return a, true
}

// judge says what no answer of an instance may be.
func (w *watcher) judge(what string, a answer) {
	w.mu.Lock()
	w.calls++
	w.longest = max(w.longest, a.took)
	w.mu.Unlock()
	if a.took > deadline+tolerance {
		w.found("hangs past its deadline", a.took, "%s: %s after %s", what, a, a.took)
	}
	if a.status == http.StatusInternalServerError {
		w.found("500", a.took, "%s: %s", what, a)
	}
	if a.own && a.status == http.StatusServiceUnavailable && !a.retryAfter {
		w.found("503 without Retry-After", a.took, "%s: %s", what, a)
	}
}

// tableless asks for what needs no table.
func (w *watcher) tableless(ctx context.Context, i *instance, address, name, token string) {
	a, counts := w.ask(ctx, i, address, token)
	if !counts {
		return
	}
	w.mu.Lock()
	w.slowest = max(w.slowest, a.took)
	w.mu.Unlock()
	if a.took > prompt() {
		w.found(name+" waits", a.took, "instance %s: %s", i.name, a)
	}
	if a.status != http.StatusOK {
		w.found(name+" fails", a.took, "instance %s: %s", i.name, a)
	}
}

// othersRead reads in the other organization.
func (w *watcher) othersRead(ctx context.Context, i *instance, token string) {
	a, counts := w.ask(ctx, i, i.url()+"/api/v1/tasks?limit=5", token)
	if !counts {
		return
	}
	w.mu.Lock()
	strict := w.strict
	w.reads++
	if a.status != http.StatusOK {
		w.failed++
	}
	w.mu.Unlock()
	if strict && a.status != http.StatusOK {
		w.found("another organization's read fails", a.took, "instance %s: %s", i.name, a)
	}
}

// denied shows the revoked tokens, to what needs a table and to what needs none.
func (w *watcher) denied(ctx context.Context, i *instance) {
	w.mu.Lock()
	tokens := slices.Clone(w.revoked)
	w.mu.Unlock()
	for _, token := range tokens {
		for _, path := range []string{"/api/v1/tasks?limit=1", "/api/v1/userinfo"} {
			if a, counts := w.ask(ctx, i, i.url()+path, token); counts && a.status < 400 && a.err == nil {
				w.found("a revoked token is accepted", a.took, "instance %s %s: %s", i.name, path, a)
			}
		}
	}
}

// alsoRevoked adds a token that every instance refuses already.
func (w *watcher) alsoRevoked(token string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.revoked = append(w.revoked, token)
}

// throughBalancer asks for the document as everybody does.
func (w *watcher) throughBalancer(ctx context.Context) {
	start := time.Now()
	a := w.call(ctx, "GET", w.front+"/openapi.json", "", "")
	w.mu.Lock()
	excused := start.Before(w.excused)
	w.mu.Unlock()
	if ctx.Err() != nil || excused {
		return
	}
	w.judge("through the balancer", a)
	if a.status != http.StatusOK {
		w.found("the document fails behind the balancer", a.took, "%s", a)
	}
	if a.took > prompt() {
		w.found("the document waits behind the balancer", a.took, "%s", a)
	}
}

// noticing is how long the balancer may take to see that an instance is gone.
const noticing = 6 * time.Second

// excuse is called when an instance is taken away without a word. Whoever writes then gives up what was sent there,
// as people do.
func (w *watcher) excuse(i *instance) {
	i.out.Store(true)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.excused = time.Now().Add(noticing)
	time.AfterFunc(noticing, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.giveUp()
		w.patience, w.giveUp = context.WithCancel(w.watching)
	})
}

// write creates a task after the other through the balancer, and repeats with the same key what was not acknowledged.
func (w *watcher) write(ctx context.Context, writer int, token string) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		title := fmt.Sprintf("watched-%d-%d", writer, n)
		for id := ""; id == ""; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			id = w.writeOnce(ctx, token, title)
		}
	}
}

func (w *watcher) writeOnce(ctx context.Context, token, title string) string {
	w.mu.Lock()
	patience, start := w.patience, time.Now()
	w.mu.Unlock()
	id, a := w.create(patience, w.front, token, title, title)
	w.mu.Lock()
	excused := start.Before(w.excused)
	if w.writes++; id != "" {
		w.acked[title] = id
	}
	w.mu.Unlock()
	if ctx.Err() == nil && !excused {
		w.judge("a write through the balancer", a)
	}
	return id
}

// require has reads of the other organization succeed from now on.
func (w *watcher) require(strict bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.strict = strict
}

// acknowledged is how many writes were so far.
func (w *watcher) acknowledged() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// forget drops the acknowledged writes that older data cannot have: those that are not among the given.
func (w *watcher) forget(kept map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acked = maps.Clone(kept)
}

func (w *watcher) soFar() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.acked)
}

// writesAgain waits until further writes are acknowledged, and returns how long that took.
func (w *watcher) writesAgain(limit time.Duration) (time.Duration, error) {
	start, before := time.Now(), w.acknowledged()
	err := within(limit, func() error {
		if w.acknowledged() < before+2 {
			return fmt.Errorf("no write is acknowledged %s after the fault has ended", limit)
		}
		return nil
	})
	return time.Since(start), err
}

// close ends the watch and looks at what is kept. The line says what was measured; the rest was not to happen.
func (w *watcher) close() (line string, faults []string) {
	w.t.Helper()
	w.end()
	w.group.Wait()
	lost, doubled := w.compare()
	if lost > 0 {
		w.found("acknowledged writes are gone", 0, "%d", lost)
	}
	if doubled > 0 {
		w.found("writes are doubled", 0, "%d", doubled)
	}
	for _, i := range w.instances {
		for entry := range strings.SplitSeq(i.log(), "\n") {
			if strings.Contains(entry, "circuit breaker to Stytch") && strings.Contains(entry, `"to":"open"`) {
				w.found("the breaker to Stytch opens", 0, "instance %s: %s", i.name, entry)
			}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(w.faults)) {
		f := w.faults[kind]
		faults = append(faults, fmt.Sprintf("%s: %d times, at worst %s: %.400s", kind, f.number,
			f.worst.Round(10*time.Millisecond), f.first))
	}
	return fmt.Sprintf("%d calls, longest %s, without a table %s; %d of %d reads of others failed; %d writes "+
		"acknowledged, %d lost, %d doubled", w.calls, w.longest.Round(10*time.Millisecond),
		w.slowest.Round(10*time.Millisecond), w.failed, w.reads, len(w.acked), lost, doubled), faults
}

// compare reads what the database has.
func (w *watcher) compare() (lost, doubled int) {
	w.t.Helper()
	db := w.postgres.open("guestpass")
	defer db.Close()
	rows, err := db.Query("SELECT id, title FROM guestpass.tasks WHERE deleted_at = 0")
	must(w.t, err)
	defer rows.Close()
	ids, titles := map[string]bool{}, map[string]int{}
	for rows.Next() {
		var id, title string
		must(w.t, rows.Scan(&id, &title))
		ids[id] = true
		if titles[title]++; titles[title] == 2 {
			doubled++
		}
	}
	must(w.t, rows.Err())
	for _, id := range w.acked {
		if !ids[id] {
			lost++
		}
	}
	return lost, doubled
}
