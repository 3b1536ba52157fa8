package server

import (
	"encoding/json"
	"net/http"

	"github.com/go-chi/chi/v5"

	"guestpass/api"
	"guestpass/internal/site"
)

const metadataPath = "/.well-known/oauth-protected-resource"

// A route is one line of the table. Every path of the server is here, but for the
// operations below /api/, which declare themselves.
type route struct {
	methods []string
	path    string
	handler http.Handler
}

var (
	read   = []string{http.MethodGet, http.MethodHead}
	shared = []string{http.MethodGet, http.MethodHead, http.MethodOptions} // readable from pages of other origins
	all    = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
)

func (s *Server) routes() []route {
	routes := []route{
		{read, "/", s.site.Landing},
		{read, "/docs", s.site.Docs},
		{read, "/privacy", s.site.Privacy},
		{shared, "/openapi.json", http.HandlerFunc(s.document.ServeJSON)},
		{shared, "/openapi.yaml", http.HandlerFunc(s.document.ServeYAML)},
		{read, "/idp", s.shed(http.HandlerFunc(s.provider.Page))},
		{read, "/account", http.HandlerFunc(s.account.Page)},
		{[]string{http.MethodPost}, "/account/revoke", http.HandlerFunc(s.account.Revoke)},
		{read, metadataPath, http.HandlerFunc(s.protectedResource)},
		{read, "/healthz", http.HandlerFunc(s.healthz)},
		{read, "/readyz", http.HandlerFunc(s.readyz)},
		{all, "/api/*", s.service},
	}
	for name, handler := range site.Assets() {
		routes = append(routes, route{read, "/assets/" + name, handler})
	}
	for name, handler := range s.provider.Assets() {
		routes = append(routes, route{read, "/idp/assets/" + name, handler})
	}
	if s.options.ForwardTokens {
		routes = append(routes, route{all, "/oauth2/token", s.provider.Token()})
	}
	return routes
}

func (s *Server) router() http.Handler {
	r := chi.NewMux()
	r.NotFound(api.NotFound)
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) { api.MethodNotAllowed(r, w, req) })
	for _, route := range s.routes() {
		for _, method := range route.methods {
			r.Method(method, route.path, route.handler)
		}
	}
	return r
}

// protectedResource is the metadata of RFC 9728, which WWW-Authenticate names.
func (s *Server) protectedResource(w http.ResponseWriter, _ *http.Request) {
	names := []string{}
	for _, scope := range s.scopes() {
		names = append(names, scope.Name)
	}
	writeJSON(w, http.StatusOK, "public, max-age=300", map[string]any{
		"resource":                 s.options.PublicURL,
		"authorization_servers":    []string{s.options.Domain},
		"scopes_supported":         names,
		"bearer_methods_supported": []string{"header"},
		"resource_name":            s.options.Title,
		"resource_documentation":   s.options.PublicURL + "/docs",
	})
}

// healthz says that the process answers.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, "no-store", map[string]string{"status": "ok"})
}

func writeJSON(w http.ResponseWriter, status int, cache string, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", cache)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
