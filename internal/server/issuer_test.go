package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"guestpass"
	"guestpass/internal/inside"
)

// Clients compare the issuer that our metadata name with the one that Stytch names for itself, to the
// letter. Whoever runs the server hears of a difference before they do.
func TestTheIssuerIsComparedAtTheStart(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change       func(document map[string]any)
		status       int
		done         bool
		told, absent []string
	}{
		"the same": {func(map[string]any) {}, 200, true, nil, []string{`"level":"ERROR"`, `"level":"WARN"`}},
		"a slash": {func(d map[string]any) { d["issuer"] = d["issuer"].(string) + "/" }, 200, true,
			[]string{`"level":"ERROR"`, "STYTCH_DOMAIN is not the issuer"}, nil},
		"the project's id": {func(d map[string]any) { d["issuer"] = "stytch.com/project-test-1" }, 200, true,
			[]string{"STYTCH_DOMAIN is not the issuer", "stytch.com/project-test-1"}, nil},
		"no issuer": {func(d map[string]any) { delete(d, "issuer") }, 200, true,
			[]string{"STYTCH_DOMAIN is not the issuer"}, nil},
		"another page": {func(d map[string]any) { d["authorization_endpoint"] = "https://old.example/idp" }, 200, true,
			[]string{`"level":"WARN"`, "Authorization URL", "https://old.example/idp"}, []string{`"level":"ERROR"`}},
		"no page": {func(d map[string]any) { d["error_type"] = "authorization_endpoint_not_configured_for_project" },
			400, false,
			[]string{"set the Authorization URL"}, nil},
		"an outage": {func(map[string]any) {}, 503, false, []string{"trying again in a minute", "status 503"},
			nil},
		"a redirect": {func(map[string]any) {}, 302, false, []string{"status 302"}, nil},
		"no document": {func(d map[string]any) { clear(d) }, 200, true, []string{"STYTCH_DOMAIN is not the issuer"},
			nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *guestpass.Options) {
				o.Domain = metadataServer(t, o.PublicURL, tt.status,
					tt.change)
			})
			if done := inside.CheckIssuer(w.app, t.Context()); done != tt.done {
				t.Errorf("done: %t", done)
			}
			log := w.log.String()
			for _, want := range tt.told {
				if !strings.Contains(log, want) {
					t.Errorf("not told: %s in\n%s", want, log)
				}
			}
			for _, other := range tt.absent {
				if strings.Contains(log, other) {
					t.Errorf("told: %s in\n%s", other, log)
				}
			}
		})
	}
}

// metadataServer returns a domain of Stytch's whose metadata lead to our page, and are changed as wanted.
func metadataServer(t *testing.T, publicURL string, status int, change func(map[string]any)) string {
	t.Helper()
	var far *httptest.Server
	far = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/oauth-authorization-server" {
			http.NotFound(w, r)
			return
		}
		document := map[string]any{"issuer": far.URL, "authorization_endpoint": publicURL + "/idp"}
		change(document)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		body, _ := json.Marshal(document)
		_, _ = w.Write(body)
	}))
	t.Cleanup(far.Close)
	return far.URL
}

// Who opens the page has it asked for if nobody knows it, but not one after the other while Stytch is away.
func TestPagesDoNotAskForTheIssuerAgainAndAgain(t *testing.T) {
	var asked atomic.Int64
	w := newWorld(t, func(o *guestpass.Options) {
		o.Domain = metadataServer(t, o.PublicURL, 503, func(map[string]any) { asked.Add(1) })
	})
	w.call("GET", "/idp", "", "") // which nobody can decide on
	request := "/idp?client_id=" + w.options.ClientIDs[0] + "&redirect_uri=http%3A%2F%2F127.0.0.1%3A8090%2Fcallback"
	for _, tt := range []struct {
		later time.Duration
		want  int64
	}{{0, 1}, {9 * time.Second, 1}, {2 * time.Second, 2}} {
		w.stytch.Advance(tt.later)
		for range 5 {
			if r := w.call("GET", request, "", ""); r.status != 200 {
				t.Fatalf("%d %s", r.status, r.body)
			}
		}
		if got := asked.Load(); got != tt.want {
			t.Errorf("%v later it was asked for %d times, want %d", tt.later, got, tt.want)
		}
	}
}
