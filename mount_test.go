package guestpass

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
)

// An application's own paths stay its own: one that both have is told, and nothing is added.
func TestMountTellsWhatIsTaken(t *testing.T) {
	s := inventoried(t)
	host := chi.NewMux()
	own := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }
	for _, path := range []string{"/", "/openapi.json", "/docs", "/api/v1/tasks", "/api/v1/own"} {
		host.Get(path, own)
	}
	err := s.Mount(host)
	if err == nil {
		t.Fatal("paths that are taken are added")
	}
	for _, path := range []string{"/openapi.json ", "/docs ", "/api/v1/tasks "} {
		if !strings.Contains(err.Error(), path) {
			t.Errorf("%s is not told: %v", path, err)
		}
	}
	if strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("told %v", err)
	}
	reply := httptest.NewRecorder()
	if host.ServeHTTP(reply, httptest.NewRequest(http.MethodGet, "/healthz", nil)); reply.Code != http.StatusNotFound {
		t.Errorf("paths were added all the same: %d", reply.Code)
	}
}

// Both kinds of router reach the operations, whose paths have parameters, and keep what is theirs.
func TestMountedPathsAreServed(t *testing.T) {
	own := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }
	withChi, mux := chi.NewMux(), http.NewServeMux()
	withChi.Get("/", own)
	withChi.Get("/api/v1/own", own)
	mux.HandleFunc("GET /{$}", own)
	mux.HandleFunc("GET /api/v1/own", own)
	for name, router := range map[string]interface {
		Router
		http.Handler
	}{"chi": withChi, "ServeMux": mux} {
		s := inventoried(t)
		if err := s.Mount(router); err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]int{"/": 418, "/api/v1/own": 418, "/healthz": 200, "/openapi.json": 200,
			"/api/v1/tasks/tsk_x": 401, "/api/v1/nothing": 404, "/mcp": 405, "/idp": 400,
			"/.well-known/oauth-protected-resource": 200, "/assets/guestpass.css": 200} {
			reply := httptest.NewRecorder()
			router.ServeHTTP(reply, httptest.NewRequest(http.MethodGet, path, nil))
			if reply.Code != want {
				t.Errorf("%s: %s: %d, want %d", name, path, reply.Code, want)
			}
		}
	}
}
