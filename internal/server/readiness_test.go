package server_test

import (
	"context"
	"database/sql"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/internal/inside"
	"guestpass/internal/postgrestest"
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

// What the checks found an hour ago does not contradict what readyz finds now.
func TestTheChecksOfReadyzHaveTheDatabaseOfNow(t *testing.T) {
	w := newWorld(t)
	inside.Diagnose(w.app, t.Context())
	const well = "the database answers, takes changes"
	if r := w.call("GET", "/readyz?verbose", "", ""); !strings.Contains(r.body, well) {
		t.Fatalf("%d %s", r.status, r.body)
	}
	must(t, w.options.Store.Close())
	later := newWorld(t, func(o *guestpass.Options) { o.Store = w.options.Store })
	inside.Diagnose(later.app, t.Context())
	fine := newWorld(t)
	inside.Diagnose(fine.app, t.Context())
	must(t, fine.options.Store.Close())
	for name, w := range map[string]*world{"at the look already": later, "since the look": fine} {
		r := w.call("GET", "/readyz?verbose", "", "")
		if strings.Contains(r.body, well) || !strings.Contains(r.body, `"check":"database","severity":"error"`) ||
			!strings.Contains(r.body, `"database":"unavailable"`) {
			t.Errorf("%s: %s", name, r.body)
		}
	}
}

// Balancers and people see why a Postgres takes no changes.
func TestAReadOnlyPostgresHasAWordOfItsOwn(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	w := newWorld(t, func(o *guestpass.Options) { o.Store = openStore(t, address, o.Now) })
	must(t, w.options.Store.Close())
	db, err := sql.Open("pgx", address)
	must(t, err)
	defer db.Close()
	var name string
	must(t, db.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name))
	_, err = db.ExecContext(t.Context(), "ALTER DATABASE "+name+" SET default_transaction_read_only = on")
	must(t, err)
	w = newWorld(t, func(o *guestpass.Options) { o.Store = openStore(t, address, o.Now) })
	if r := w.call("GET", "/readyz", "", ""); !strings.Contains(r.body, `"database":"read-only"`) {
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

// What the checks found is for whoever runs the server, at the machine itself: not for those behind a proxy, and not
// for a page whose name points here.
func TestReadyzTellsThisMachineWhatTheChecksFound(t *testing.T) {
	seed := without(stytchtest.Development(), []string{"tasks:write"})
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	for _, tt := range []struct {
		name    string
		proxies []netip.Prefix
		change  func(*http.Request)
		tells   bool
	}{
		{"a program", nil, func(*http.Request) {}, true},
		{"by the name of the machine", nil, func(r *http.Request) { r.Host = "localhost" }, true},
		{"without asking for it", nil, func(r *http.Request) { r.URL.RawQuery = "" }, false},
		{"through a proxy", nil, headers("X-Forwarded-For: 127.0.0.1"), false},
		{"through a proxy of RFC 7239", nil, headers("Forwarded: for=127.0.0.1"), false},
		{"through one that says who it is", nil, headers("Via: 1.1 proxy"), false},
		{"through one that is silent, and trusted", proxies, func(*http.Request) {}, false},
		{"beside the proxy that is trusted", []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")},
			func(*http.Request) {}, true},
		{"by the name of the server", nil, func(r *http.Request) { r.Host = "gpt.example.com" }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorldOf(t, stytchtest.Options{Seed: &seed}, func(o *guestpass.Options) {
				o.TrustedProxies, o.PublicURL, o.Domain = tt.proxies, "https://gpt.example.com", o.BaseURL
			})
			if r := w.call("GET", "/readyz?verbose", "", "", tt.change); tt.tells != strings.Contains(r.body,
				`"checks":null`) {
				t.Errorf("before the first look: %s", r.body)
			}
			inside.Diagnose(w.app, t.Context())
			r := w.call("GET", "/readyz?verbose", "", "", tt.change)
			if told := strings.Contains(r.body, "the project lacks scopes"); told != tt.tells {
				t.Errorf("told: %t, %s", told, r.body)
			}
			if tt.tells != strings.Contains(r.body, `"checked_at":"`) || !strings.Contains(r.body, `"directory":"ok"`) {
				t.Error(r.body)
			}
		})
	}
	t.Run("from elsewhere", func(t *testing.T) {
		w := newWorldOf(t, stytchtest.Options{Seed: &seed})
		inside.Diagnose(w.app, t.Context())
		for _, address := range []string{"192.0.2.1:4711", "[2001:db8::1]:4711", "", "@"} {
			answer, r := httptest.NewRecorder(), httptest.NewRequest("GET", "http://localhost/readyz?verbose", nil)
			r.RemoteAddr = address
			w.app.ServeHTTP(answer, r)
			if strings.Contains(answer.Body.String(), "checks") {
				t.Errorf("%q: %s", address, answer.Body)
			}
		}
	})
}

// Who looks from outside learns what kind of address counts for them, and none.
func TestHealthzTellsWhatKindOfAddressIsSeen(t *testing.T) {
	const asked = "192.0.2.77"
	for _, tt := range []struct {
		name, forwarded, remote string
		proxied                 bool
		want                    string
	}{
		{"its own", "", "93.184.216.77:1", false, `{"address":"public","status":"ok"}`},
		{"a neighbour's", "", "10.1.2.3:1", false, `{"address":"internal","status":"ok"}`},
		{"one that nobody forwards", asked, "93.184.216.77:1", false, `{"address":"public","status":"ok"}`},
		{"one that a proxy forwards", "93.184.216.77", "10.0.0.8:1", true, `{"address":"public","status":"ok"}`},
		{"one that is believed", asked, "10.0.0.8:1", true, `{"address":"as asked","status":"ok"}`},
		{"one with a port", "93.184.216.77:4711", "10.0.0.8:1", true, `{"address":"unknown","status":"ok"}`},
	} {
		w := newWorld(t, func(o *guestpass.Options) {
			if o.PublicURL = "https://gpt.example.com"; tt.proxied {
				o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
			}
		})
		for query, want := range map[string]string{"?address=" + asked: tt.want, "": `{"status":"ok"}`} {
			answer, r := httptest.NewRecorder(), httptest.NewRequest("GET", "https://gpt.example.com/healthz"+query,
				nil)
			if r.RemoteAddr = tt.remote; tt.forwarded != "" {
				r.Header.Set("X-Forwarded-For", tt.forwarded)
			}
			w.app.ServeHTTP(answer, r)
			if got := strings.TrimSpace(answer.Body.String()); got != want {
				t.Errorf("%s: %s, want %s", tt.name, got, want)
			}
		}
	}
}
