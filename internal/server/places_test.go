package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/stytchtest"
)

// waiting adds an operation that ends when it is let, or its time is over.
func waiting(t *testing.T, arrived chan<- struct{}, let <-chan struct{}) func(*guestpass.Options) {
	t.Helper()
	return func(o *guestpass.Options) {
		o.Resources = ownOperations(func(s *api.Service) {
			type output struct{ Body struct{} }
			api.Register(s, api.Operation{ID: "getPatience", Method: http.MethodGet, Path: "/api/v1/patience",
				Summary: "Wait", Description: "Waits.", Access: auth.Public,
			}, func(ctx context.Context, _ *struct{}) (*output, error) {
				if arrived != nil {
					arrived <- struct{}{}
				}
				select {
				case <-let:
					return &output{}, nil
				case <-ctx.Done():
					return nil, fmt.Errorf("wait: %w", ctx.Err())
				}
			})
		})
	}
}

func TestTooManyOperationsAtOnceAreRefusedQuickly(t *testing.T) {
	const inFlight, places = 16, 4 // those of one address
	arrived, let := make(chan struct{}), make(chan struct{})
	w := newWorld(t, limited(guestpass.Limits{InFlight: inFlight}), waiting(t, arrived, let))
	token := w.token(ada, "openid")
	w.call("GET", "/api/v1/userinfo", token, "") // loads the keys, without which the server is not ready
	var answered atomic.Int64
	done := make(chan struct{})
	for range places {
		go func() {
			if w.call("GET", "/api/v1/patience", "", "").status == 200 {
				answered.Add(1)
			}
			done <- struct{}{}
		}()
	}
	for range places {
		<-arrived
	}
	w.call("GET", "/api/v1/patience", "", "") // waits for a place in vain
	for _, path := range []string{"/api/v1/patience", "/api/v1/next-steps"} {
		start := time.Now()
		r := w.call("GET", path, "", "")
		took := time.Since(start)
		if r.status != 503 || r.header.Get("Retry-After") != "1" ||
			r.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %v %s", path, r.status, r.header, r.body)
		}
		if took > 200*time.Millisecond { // not the queue's 250; package limits measures the wait itself: none
			t.Errorf("%s is refused after %s", path, took)
		}
	}
	if r := w.call("GET", "/api/v1/userinfo", token, ""); r.status != 200 {
		t.Errorf("somebody who is known, beside the address: %d %s", r.status, r.body)
	}
	if r := w.call("GET", "/healthz", "", ""); r.status != 200 {
		t.Errorf("/healthz: %d", r.status)
	}
	if r := w.call("GET", "/readyz", "", ""); r.status != 200 {
		t.Errorf("/readyz: %d %s", r.status, r.body)
	}
	close(let)
	for range places {
		<-done
	}
	if answered.Load() != places {
		t.Errorf("%d of %d operations under way were answered", answered.Load(), places)
	}
	if r := w.call("GET", "/api/v1/next-steps", "", ""); r.status != 200 {
		t.Errorf("afterwards: %d", r.status)
	}
}

// An operation that looks whether another one would be admitted does so in its own place:
// when all were taken by such ones, none could go on.
func TestAnUndoTakesOnePlace(t *testing.T) {
	w := newWorld(t, limited(guestpass.Limits{InFlight: 1}))
	p := w.as(ada)
	p.create(`{"title":"x"}`)
	created := p.do(200, "GET", "/api/v1/activity", "")["activities"].([]any)[0].(map[string]any)
	p.do(200, "POST", "/api/v1/activity/"+created["activity_id"].(string)+"/undo", "")
}

// While Stytch is slow, those who need it wait, are refused when they are too many, and
// leave places for those who do not.
func TestWhoNeedsNoStytchDoesNotWaitForIt(t *testing.T) {
	w := newWorld(t, limited(guestpass.Limits{InFlight: 16}))
	token, other := w.token(ada, "members:read"), w.token(grace, "tasks:read")
	if r := w.call("GET", "/api/v1/tasks", other, ""); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/organizations/members/search", Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan int)
	const callers, waiting = 8, 2 // half of the places that there are for lists
	for range callers {
		go func() {
			r, _ := http.NewRequestWithContext(ctx, "GET", w.url+"/api/v1/members", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			response, err := http.DefaultClient.Do(r)
			if err != nil { // given up by us, in the end
				answers <- 0
				return
			}
			response.Body.Close()
			answers <- response.StatusCode
		}()
	}
	for range callers - waiting {
		if status := <-answers; status != 503 {
			t.Errorf("too many wait for Stytch: %d", status)
		}
	}
	for i := range 10 {
		if r := w.call("GET", "/api/v1/tasks", other, ""); r.status != 200 {
			t.Errorf("read %d beside them: %d %s", i+1, r.status, r.body)
		}
	}
	cancel()
	for range waiting {
		if status := <-answers; status != 0 {
			t.Errorf("one of those who wait got %d", status)
		}
	}
}

// A client that is slow with its body holds no place: else a few would keep everybody out.
func TestWhoIsSlowHoldsNoPlace(t *testing.T) {
	w := newWorld(t, limited(guestpass.Limits{InFlight: 1}))
	token := w.token(ada, "tasks:read", "tasks:write")
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct{ path, kind string }{{"/api/v1/tasks", "application/json"}, {"/api/v1/tasks", form},
		{"/oauth2/token", form}} {
		body := &slowBody{began: make(chan struct{}), finish: make(chan struct{})}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r := httptest.NewRequest("POST", "http://localhost"+tt.path, body)
			r.Header.Set("Content-Type", tt.kind)
			r.Header.Set("Authorization", "Bearer "+token)
			w.app.ServeHTTP(httptest.NewRecorder(), r)
		}()
		<-body.began
		if r := w.call("GET", "/api/v1/tasks", token, ""); r.status != 200 {
			t.Errorf("while a %s comes slowly to %s: %d %s", tt.kind, tt.path, r.status, r.body)
		}
		close(body.finish)
		<-ended
	}
}

type slowBody struct{ began, finish chan struct{} }

func (b *slowBody) Read([]byte) (int, error) {
	close(b.began)
	<-b.finish
	return 0, fmt.Errorf("gone")
}

// An operation has 20 seconds, and says so when they are over.
func TestAnOperationHasTwentySeconds(t *testing.T) {
	w := newWorld(t, waiting(t, nil, nil))
	synctest.Test(t, func(t *testing.T) {
		recorded, start := httptest.NewRecorder(), time.Now()
		w.app.ServeHTTP(recorded, httptest.NewRequest("GET", "http://localhost/api/v1/patience", nil))
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("answered after %s", took)
		}
		if recorded.Code != 503 || recorded.Header().Get("Retry-After") == "" ||
			!strings.Contains(recorded.Body.String(), "could not finish this in time") {
			t.Errorf("%d %v %s", recorded.Code, recorded.Header(), recorded.Body)
		}
	})
}
