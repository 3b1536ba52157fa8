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
	const issuer, page = "issuer", "authorization-url"
	for name, tt := range map[string]struct {
		change      func(document map[string]any)
		status      int
		check, told string // "" for nothing that is told of either
	}{
		"the same": {func(map[string]any) {}, 200, "", ""},
		"a slash": {func(d map[string]any) { d["issuer"] = d["issuer"].(string) + "/" }, 200, issuer,
			"error STYTCH_DOMAIN is not the issuer that Stytch names there"},
		"the project's id": {func(d map[string]any) { d["issuer"] = "stytch.com/project-test-1" }, 200, issuer,
			`error STYTCH_DOMAIN is not the issuer that Stytch names there, "stytch.com/project-test-1"`},
		"no issuer": {func(d map[string]any) { delete(d, "issuer") }, 200, issuer,
			`error STYTCH_DOMAIN is not the issuer that Stytch names there, ""`},
		"another page": {func(d map[string]any) { d["authorization_endpoint"] = "https://old.example/idp" }, 200, page,
			`error the Authorization URL of the project is "https://old.example/idp"`},
		"no page": {func(d map[string]any) { d["error_type"] = "authorization_endpoint_not_configured_for_project" },
			400, page, "error the project has no Authorization URL"},
		"an outage":   {func(map[string]any) {}, 503, issuer, "unknown the metadata of http://127.0.0.1:"},
		"a redirect":  {func(map[string]any) {}, 302, issuer, "unknown the metadata of http://127.0.0.1:"},
		"no document": {func(d map[string]any) { clear(d) }, 200, issuer, "error STYTCH_DOMAIN is not the issuer"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *guestpass.Options) {
				o.Domain = metadataServer(t, o.PublicURL, tt.status, tt.change)
			})
			inside.Diagnose(w.app, t.Context())
			for _, check := range []string{issuer, page} {
				f, told := lastTold(w.log.String(), check)
				switch line := string(f.Severity) + " " + f.Found; {
				case tt.check == check && !strings.HasPrefix(line, tt.told):
					t.Errorf("%s: %s", check, line)
				case tt.check == "" && told:
					t.Errorf("%s: %s", check, line)
				}
			}
		})
	}
}

// metadataServer returns a domain of Stytch's whose metadata lead to our page, and are changed as wanted.
func metadataServer(t testing.TB, publicURL string, status int, change func(map[string]any)) string {
	t.Helper()
	var far *httptest.Server
	far = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/oauth-authorization-server" {
			http.NotFound(w, r)
			return
		}
		document := map[string]any{"issuer": far.URL, "authorization_endpoint": publicURL + "/idp",
			"token_endpoint": far.URL + "/v1/oauth2/token", "jwks_uri": far.URL + "/.well-known/jwks.json"}
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
