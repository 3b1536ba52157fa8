package stytch_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"guestpass/directory"
	"guestpass/internal/stytch"
)

// farSide is a Stytch that answers as it is told, and counts. It closes its connections:
// time stands still in a bubble while somebody waits for the network.
type farSide struct {
	*httptest.Server
	answer   atomic.Pointer[http.HandlerFunc]
	attempts atomic.Int32
}

func newFarSide(t *testing.T) *farSide {
	f := new(farSide)
	f.answers(503, `{}`)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.attempts.Add(1)
		w.Header().Set("Connection", "close")
		w.Header().Set("Content-Type", "application/json")
		(*f.answer.Load())(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *farSide) answers(status int, body string) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	f.answer.Store(&answer)
}

const goodAda = `{"status_code":200,"member":{"organization_id":"` + acme + `","member_id":"` + ada +
	`","status":"active"}}`

func (f *farSide) directory(t *testing.T) *stytch.B2B {
	d, err := stytch.NewB2B(stytch.Options{ProjectID: "project-test-1", Secret: "secret-test-1", BaseURL: f.URL})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// wait is what an unavailable Stytch asks for; -1 when the call went well.
func lookUp(t *testing.T, d *stytch.B2B) time.Duration {
	t.Helper()
	_, err := d.Person(t.Context(), acme, ada)
	var unavailable *directory.UnavailableError
	if err == nil {
		return -1
	}
	if !errors.As(err, &unavailable) {
		t.Fatalf("an outage is told as %v", err)
	}
	return unavailable.RetryAfter
}

func TestTheBreakerOpensAndCloses(t *testing.T) {
	far := newFarSide(t)
	synctest.Test(t, func(t *testing.T) {
		d := far.directory(t)
		lookUp(t, d) // three attempts
		lookUp(t, d) // two more, and the breaker opens
		if n := far.attempts.Load(); n != 5 {
			t.Fatalf("%d attempts before it opened", n)
		}
		before := time.Now()
		for range 100 {
			if wait := lookUp(t, d); wait <= 29*time.Second || wait > 30*time.Second {
				t.Fatalf("an open breaker asks to wait %v", wait)
			}
		}
		if took := time.Since(before); took != 0 || far.attempts.Load() != 5 {
			t.Errorf("an open breaker took %v and asked %d times", took, far.attempts.Load()-5)
		}
		time.Sleep(30*time.Second + time.Nanosecond)
		lookUp(t, d) // half open: one attempt, which fails
		if n := far.attempts.Load(); n != 6 {
			t.Errorf("%d attempts of a half-open breaker", n-5)
		}
		far.answers(200, goodAda)
		if wait := lookUp(t, d); wait < 29*time.Second {
			t.Errorf("it did not open again: %v", wait)
		}
		time.Sleep(30*time.Second + time.Nanosecond)
		for range 3 {
			if wait := lookUp(t, d); wait != -1 {
				t.Errorf("after the outage: wait %v", wait)
			}
		}
	})
}

// Failures far apart, or few among many good answers, are no outage.
func TestTheBreakerIsPatient(t *testing.T) {
	far := newFarSide(t)
	synctest.Test(t, func(t *testing.T) {
		d := far.directory(t)
		for range 6 {
			before := far.attempts.Load()
			lookUp(t, d)
			if n := far.attempts.Load() - before; n != 3 {
				t.Fatalf("%d attempts of three", n)
			}
			time.Sleep(11 * time.Second)
		}
		far.answers(200, goodAda)
		for range 40 {
			lookUp(t, d)
		}
		far.answers(503, `{}`)
		for range 10 {
			lookUp(t, d)
		}
		before := far.attempts.Load()
		if lookUp(t, d); far.attempts.Load() == before {
			t.Error("30 failures after 40 good answers opened it")
		}
	})
}

func TestWhatOpensTheBreaker(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	for name, tt := range map[string]struct {
		status int
		body   string
		call   func(*stytch.B2B) error
		opens  bool
	}{
		"500 as Stytch writes it": {500, `{"status_code":500,"error_type":"internal_server_error"}`, nil, true},
		"429 for a read":          {429, `{}`, nil, false}, // Stytch is well, and limits somebody
		// complete, but not understood: a fault of one reply
		"no JSON": {200, `{"member":`, nil, false},
		"404":     {404, `{"status_code":404,"error_type":"member_not_found"}`, nil, false},
		"401":     {401, `{"status_code":401,"error_type":"unauthorized_credentials"}`, nil, false},
		"a caller who went away": {503, `{}`, func(d *stytch.B2B) error {
			_, err := d.Person(ended, acme,
				ada)
			return err
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			far := newFarSide(t)
			far.answers(tt.status, tt.body)
			d := far.directory(t)
			if tt.call == nil {
				tt.call = func(d *stytch.B2B) error { _, err := d.Person(t.Context(), acme, ada); return err }
			}
			for range 8 {
				_ = tt.call(d)
			}
			before := far.attempts.Load()
			lookUpAny(t, d)
			if opened := far.attempts.Load() == before; opened != tt.opens {
				t.Errorf("opened: %v", opened)
			}
		})
	}
}

func lookUpAny(t *testing.T, d *stytch.B2B) { _, _ = d.Person(t.Context(), acme, ada) }

// Stytch limits invitations to one address; that must not shut everybody out.
func TestLimitedInvitationsDoNotOpenTheBreaker(t *testing.T) {
	far := newFarSide(t)
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/invite") {
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"status_code":429,"error_type":"too_many_requests"}`)
			return
		}
		_, _ = io.WriteString(w, `{"status_code":404,"error_type":"member_not_found"}`)
	})
	far.answer.Store(&answer)
	d := far.directory(t)
	for range 20 {
		_, _ = d.Invite(t.Context(), acme, directory.Invitation{Email: "x@acme.example"})
	}
	before := far.attempts.Load()
	if lookUpAny(t, d); far.attempts.Load() == before {
		t.Error("the breaker is open")
	}
}

// A black hole takes two seconds of those who ask first, and none of the others.
func TestABlackHoleOpensTheBreaker(t *testing.T) {
	t.Parallel()
	far, release := newFarSide(t), make(chan struct{})
	answer := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release })
	far.answer.Store(&answer)
	defer close(release)
	d := far.directory(t)
	start := time.Now()
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() { lookUp(t, d) })
	}
	group.Wait()
	if took := time.Since(start); took < 2*time.Second || took > 8*time.Second {
		t.Errorf("gave up after %v", took)
	}
	if wait := lookUp(t, d); wait < 20*time.Second {
		t.Errorf("not open: wait %v", wait)
	}
}

// Whoever waits for a slow Stytch holds up others, so that few may.
func TestFewWaitForASlowStytch(t *testing.T) {
	t.Parallel()
	far, asked, release := newFarSide(t), make(chan struct{}), make(chan struct{})
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		_, _ = io.WriteString(w, goodAda)
	})
	far.answer.Store(&answer)
	d, err := stytch.NewB2B(stytch.Options{ProjectID: "project-test-1", Secret: "secret-test-1", BaseURL: far.URL,
		MaxCalls: 2})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			if wait := lookUp(t, d); wait != -1 {
				t.Errorf("one of two was told to wait %v", wait)
			}
		})
		<-asked
	}
	if wait := lookUp(t, d); wait != time.Second || far.attempts.Load() != 2 {
		t.Errorf("the third: wait %v; Stytch was asked %d times", wait, far.attempts.Load())
	}
	group.Go(func() { _ = d.CheckActive(t.Context(), acme, ada) })
	<-asked // admission has places of its own
	close(release)
	group.Wait()
	go func() { <-asked }()
	if wait := lookUp(t, d); wait != -1 {
		t.Errorf("after the others: wait %v", wait)
	}
}

func TestStytchIsAskedOnceForAPersonWhoCallsManyTimesAtOnce(t *testing.T) {
	t.Parallel()
	far, release := newFarSide(t), make(chan struct{})
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		_, _ = io.WriteString(w, goodAda)
	})
	far.answer.Store(&answer)
	d := far.directory(t)
	var begun, ended sync.WaitGroup
	for range 20 {
		begun.Add(1)
		ended.Go(func() {
			begun.Done()
			if err := d.CheckRecentlyActive(t.Context(), acme, ada); err != nil {
				t.Error(err)
			}
		})
	}
	begun.Wait()
	for far.attempts.Load() == 0 {
		runtime.Gosched()
	}
	close(release)
	ended.Wait()
	if n := far.attempts.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// Whoever calls with little time left, because a database took it, learns nothing of Stytch.
func TestTimeThatTheCallerDoesNotHaveOpensNothing(t *testing.T) {
	far := newFarSide(t)
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	far.answer.Store(&hang)
	d := far.directory(t)
	for range 12 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := d.Person(ctx, acme, ada); err == nil {
			t.Error("a call that hangs is answered")
		}
		cancel()
	}
	far.answers(200, goodAda)
	if wait := lookUp(t, d); wait != -1 {
		t.Errorf("Stytch is not asked for %v, and nothing is wrong with it", wait)
	}
}

func TestAClockThatIsNotStytchsIsTold(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		ours time.Duration
		told bool
	}{{0, false}, {3 * time.Second, false}, {-3 * time.Second, false}, {20 * time.Second, true},
		{-20 * time.Second, true}} {
		log := new(bytes.Buffer)
		d, _ := open(t, func(o *stytch.Options) {
			o.Now = func() time.Time { return now.Add(tt.ours) }
			o.Log = slog.New(slog.NewTextHandler(log, nil))
		})
		_, _ = d.Person(t.Context(), acme, ada)
		if told := strings.Contains(log.String(), "the clock of this machine"); told != tt.told {
			t.Errorf("ours is ahead by %v: %s", tt.ours, log)
		}
	}
}
