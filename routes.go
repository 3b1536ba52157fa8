package guestpass

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"guestpass/api"
	"guestpass/internal/upstream"
)

const (
	metadataPath   = "/.well-known/oauth-protected-resource"
	mcpPath        = "/mcp"
	readonlyPath   = mcpPath + "/readonly" // the tools that change nothing
	operationsPath = "/api/*"
	tokenPath      = "/oauth2/token" // #nosec G101 -- a path
	verifyPath     = "/verify"
	loginPath      = "/idp"
	challengePath  = "/.well-known/openai-apps-challenge"
)

// A route is one line of the table. It has every path of the server except for the operations below /api/, which
// declare themselves.
type route struct {
	methods []string
	path    string
	handler http.Handler
}

var (
	read   = []string{http.MethodGet, http.MethodHead}
	shared = []string{http.MethodGet, http.MethodHead, http.MethodOptions} // readable from pages of other origins
	all    = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions}
)

func (s *Server) routes() []route {
	routes := []route{
		{read, "/", s.site.Landing},
		{read, "/privacy", s.site.Privacy},
		{read, loginPath, s.guarded(s.provider.Page)},
		{[]string{http.MethodPost}, "/idp/report", http.HandlerFunc(s.report)},
		{read, "/account", s.guarded(s.account.Page)},
		{read, "/account/revoke", s.guarded(s.account.AskRevoke)},
		{[]string{http.MethodPost}, "/account/revoke", http.HandlerFunc(s.account.Revoke)},
		{read, "/account/undo", s.guarded(s.account.AskUndo)},
		{[]string{http.MethodPost}, "/account/undo", http.HandlerFunc(s.account.Undo)},
		{read, "/account/changes.csv", http.HandlerFunc(s.account.CSV)},
		{read, "/account/changes.json", http.HandlerFunc(s.account.JSON)},
		{read, metadataPath, s.protectedResource("")},
		{read, "/healthz", http.HandlerFunc(s.healthz)},
		{read, "/readyz", http.HandlerFunc(s.readyz)},
		{all, operationsPath, s.service},
		{all, verifyPath, http.HandlerFunc(s.verify)},
		{read, verifyPath + "/keys", http.HandlerFunc(s.verifyKeys)},
	}
	if s.document != nil {
		routes = append(routes, route{read, "/docs", s.site.Docs},
			route{shared, "/openapi.json", http.HandlerFunc(s.document.ServeJSON)},
			route{shared, "/openapi.yaml", http.HandlerFunc(s.document.ServeYAML)},
			route{shared, "/openapi-3.0.json", http.HandlerFunc(s.document.ServeJSON30)},
			route{shared, "/swagger.json", http.HandlerFunc(s.document.ServeSwagger)})
	}
	for path, tools := range s.mcp {
		for _, slash := range []string{"", "/"} { // a redirect would lose token or body
			routes = append(routes, route{all, path + slash, tools},
				route{shared, metadataPath + path + slash, s.protectedResource(path)})
		}
	}
	for _, assets := range []map[string]http.Handler{s.pages.Assets(), s.site.Assets()} {
		for name, handler := range assets {
			routes = append(routes, route{read, "/assets/" + name, handler})
		}
	}
	for name, handler := range s.provider.Assets() {
		routes = append(routes, route{read, "/idp/assets/" + name, handler})
	}
	if s.options.Login.TokenProfile != "" {
		routes = append(routes, route{[]string{http.MethodPost}, loginPath, s.guarded(s.provider.Return)})
	}
	if s.options.PluginChallenge != "" {
		routes = append(routes, route{read, challengePath, http.HandlerFunc(s.challenge)})
	}
	if s.options.ForwardTokens {
		routes = append(routes, route{all, tokenPath, s.provider.Token()})
	}
	return routes
}

func (s *Server) router() http.Handler {
	r := chi.NewMux()
	r.NotFound(s.notFound)
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) { api.MethodNotAllowed(r, w, req) })
	for _, route := range s.routes() {
		for _, method := range route.methods {
			r.Method(method, route.path, route.handler)
		}
	}
	return r
}

// machines are the beginnings of paths that programs ask for, which get JSON whatever they accept.
var machines = []string{"/api", "/.well-known", "/oauth2", "/openapi", "/openapi-3.0", "/swagger", "/mcp",
	"/authorize", "/token", "/register", "/verify"}

// notFound answers a person who has mistyped an address with a page, everybody else with a problem.
func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept")
	asks := func(beginning string) bool {
		rest, found := strings.CutPrefix(r.URL.Path, beginning)
		return found && (rest == "" || rest[0] == '/' || rest[0] == '.')
	}
	reads := slices.Contains(read, r.Method)
	if reads && strings.Contains(r.Header.Get("Accept"), "text/html") && !slices.ContainsFunc(machines, asks) {
		s.site.NotFound.ServeHTTP(w, r)
		return
	}
	if s.document == nil { // which api.NotFound speaks of
		api.WriteProblem(w, r, api.Problem{Status: http.StatusNotFound, Detail: "there is nothing at this path",
			Hint: "This server has no operations of its own: those of the application beside it have paths of theirs."})
		return
	}
	api.NotFound(w, r)
}

// protectedResource returns the metadata of RFC 9728 for the resource at a path of ours, which WWW-Authenticate names.
// Clients compare the resource with the URL that they were given, to the letter.
func (s *Server) protectedResource(path string) http.HandlerFunc {
	names := s.toolScopes(path == readonlyPath)
	if path == "" {
		names = nil
		for _, scope := range s.scopes() {
			names = append(names, scope.Name)
		}
	}
	document := map[string]any{
		"resource":                 s.options.PublicURL + path,
		"authorization_servers":    []string{s.options.Domain},
		"scopes_supported":         names,
		"bearer_methods_supported": []string{"header"},
		"resource_name":            s.options.Title,
	}
	if s.document != nil {
		document["resource_documentation"] = s.options.PublicURL + "/docs"
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if path != "" { // read by pages that are clients
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Access-Control-Allow-Headers", "MCP-Protocol-Version")
		}
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		writeJSON(w, http.StatusOK, "public, max-age=300", document)
	}
}

// challenge answers with the token of OpenAI's portal and nothing else, as the portal compares the whole body.
func (s *Server) challenge(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(s.options.PluginChallenge))
}

// healthz answers that the process is alive. Who asks by ?address= also learns what kind of address this server takes
// theirs for, and whether it is the one they name: so that whoever looks from outside sees whether a proxy forwards
// addresses, and whether anybody else's word for one counts. It tells no address.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	answer := map[string]string{"status": "ok"}
	if asked := r.URL.Query().Get("address"); asked != "" {
		seen := middleware.GetClientIPAddr(r.Context()).Unmap()
		switch {
		case !seen.IsValid():
			answer["address"] = "unknown"
		case seen.String() == asked:
			answer["address"] = "as asked"
		case upstream.Public(seen):
			answer["address"] = "public"
		default:
			answer["address"] = "internal"
		}
	}
	writeJSON(w, http.StatusOK, "no-store", answer)
}

func writeJSON(w http.ResponseWriter, status int, cache string, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", cache)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
