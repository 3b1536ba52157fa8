package server_test

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/store"
	"guestpass/stytchtest"
)

// Health checks need no token and have no limit: however many ask, the parts are asked once.
func TestManyHealthChecksAreOneLook(t *testing.T) {
	const checks = 50
	start := time.Now()
	w := newWorld(t, func(o *guestpass.Options) { o.Now = func() time.Time { return start } })
	// for the others to come meanwhile
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/rbac", Delay: 200 * time.Millisecond})
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

// An instance that starts is sent calls as soon as it has its keys.
func TestKeysMakeReadyAtOnce(t *testing.T) {
	start := time.Now()
	w := newWorld(t, func(o *guestpass.Options) { o.Now = func() time.Time { return start } })
	if r := w.call("GET", "/readyz", "", ""); r.status != 503 || !strings.Contains(r.body, `"keys":"unavailable"`) {
		t.Fatalf("without keys: %d %s", r.status, r.body)
	}
	w.call("GET", "/api/v1/userinfo", w.token(ada, "openid"), "") // loads them
	if r := w.call("GET", "/readyz", "", ""); r.status != 200 {
		t.Errorf("with keys: %d %s", r.status, r.body)
	}
}

func TestAHealthCheckCountsForASecond(t *testing.T) {
	address, now := t.TempDir(), time.Now()
	w := newWorld(t, func(o *guestpass.Options) {
		o.Store = openStore(t, "sqlite:"+filepath.Join(address, "guestpass.db"), o.Now)
		o.Now = func() time.Time { return now }
	})
	database := func() string {
		_, rest, _ := strings.Cut(w.call("GET", "/readyz", "", "").body, `"database":"`)
		word, _, _ := strings.Cut(rest, `"`)
		return word
	}
	if got := database(); got != "ok" {
		t.Fatalf("the database is %q", got)
	}
	must(t, w.options.Store.Close())
	now = now.Add(time.Second - 1)
	if got := database(); got != "ok" {
		t.Errorf("looked at again within a second: %q", got)
	}
	now = now.Add(1)
	if got := database(); got != "unavailable" {
		t.Errorf("not looked at after a second: %q", got)
	}
}

func TestAHealthCheckTellsThatTablesAreGone(t *testing.T) {
	w := newWorld(t)
	if r := w.call("GET", "/readyz", "", ""); !strings.Contains(r.body, `"database":"ok"`) {
		t.Fatalf("%d %s", r.status, r.body)
	}
	must(t, w.options.Store.Write(t.Context(),
		func(tx *store.Tx) error { _, err := tx.Exec("DROP TABLE replies"); return err }))
	later := newWorld(t, func(o *guestpass.Options) { o.Store = w.options.Store }) // whose last look is not this one's
	if r := later.call("GET", "/readyz", "", ""); r.status != 503 ||
		!strings.Contains(r.body, `"database":"unavailable"`) {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// Who asks and does not wait for the answer must not decide what others are told.
func TestAHealthCheckOutlivesWhoAsked(t *testing.T) {
	w := newWorld(t)
	w.call("GET", "/api/v1/userinfo", w.token(ada, "openid"), "") // loads the keys
	gone, leave := context.WithCancel(t.Context())
	leave()
	w.app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "http://localhost/readyz",
		nil).WithContext(gone))
	if r := w.call("GET", "/readyz", "", ""); r.status != 200 || strings.Contains(r.body, "unavailable") {
		t.Errorf("%d %s", r.status, r.body)
	}
}
