package server_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/internal/server"
	"guestpass/stytchtest"
)

// Health checks need no token and have no limit: however many ask, the parts are asked once.
func TestManyHealthChecksAreOneLook(t *testing.T) {
	const checks = 50
	start := time.Now()
	w := newWorld(t, func(o *server.Options) { o.Now = func() time.Time { return start } })
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/rbac", Delay: 200 * time.Millisecond}) // for the others to come meanwhile
	before := len(w.stytch.Requests())
	var group sync.WaitGroup
	for range checks {
		group.Go(func() {
			if r := w.call("GET", "/readyz", "", ""); !strings.Contains(r.body, `"directory":"ok"`) {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
	group.Wait()
	if n := len(w.stytch.Requests()) - before; n != 1 {
		t.Errorf("%d health checks make %d calls of Stytch, want 1", checks, n)
	}
}

func TestAHealthCheckCountsForASecond(t *testing.T) {
	w := newWorld(t)
	if r := w.call("GET", "/readyz", "", ""); r.status != 503 || !strings.Contains(r.body, `"keys":"unavailable"`) {
		t.Fatalf("without keys: %d %s", r.status, r.body)
	}
	w.call("GET", "/api/v1/userinfo", w.token(ada, "openid"), "") // loads them
	w.stytch.Advance(time.Second)
	if r := w.call("GET", "/readyz", "", ""); r.status != 200 {
		t.Errorf("a second later: %d %s", r.status, r.body)
	}
}

// Who asks and does not wait for the answer must not decide what others are told.
func TestAHealthCheckOutlivesWhoAsked(t *testing.T) {
	w := newWorld(t)
	w.call("GET", "/api/v1/userinfo", w.token(ada, "openid"), "") // loads the keys
	gone, leave := context.WithCancel(t.Context())
	leave()
	w.app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/readyz", nil).WithContext(gone))
	if r := w.call("GET", "/readyz", "", ""); r.status != 200 || strings.Contains(r.body, "unavailable") {
		t.Errorf("%d %s", r.status, r.body)
	}
}
