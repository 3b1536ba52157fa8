package stytchtest

import (
	"context"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

// routes is every path that the emulator answers.
func (e *Emulator) routes() http.Handler {
	r := chi.NewMux()
	r.Use(e.onlyLoopback, cors, e.record, e.inject)
	r.NotFound(e.routeNotFound)
	r.MethodNotAllowed(e.routeNotFound)

	open := func(*call) *failure { return nil }
	v1 := func(method, path string, do endpoint) { r.Method(method, path, e.serve(do, false, e.projectAuth)) }
	public := func(method, path string, do endpoint) { r.Method(method, path, e.serve(do, false, open)) }
	sdk := func(method, path string, do endpoint) { r.Method(method, "/sdk/v1"+path, e.serve(do, true, e.sdkAuth)) }

	// Keys, discovery and OAuth, in root and public form.
	for _, form := range []struct{ wellKnown, oauth string }{
		{"/.well-known", "/v1/oauth2"}, {"/v1/public/{pid}/.well-known", "/v1/public/{pid}/oauth2"},
	} {
		public("GET", form.wellKnown+"/jwks.json", e.jwks)
		public("GET", form.wellKnown+"/openid-configuration", e.openIDConfiguration)
		public("GET", form.wellKnown+"/oauth-authorization-server", e.authorizationServer)
		public("POST", form.oauth+"/token", e.token)
		public("POST", form.oauth+"/introspect", e.introspect)
		public("POST", form.oauth+"/revoke", e.revokeToken)
		public("GET", form.oauth+"/userinfo", e.userinfo)
		public("POST", form.oauth+"/userinfo", e.userinfo)
	}
	public("GET", "/v1/b2b/sessions/jwks/{pid}", e.jwks)
	public("GET", "/v1/sessions/jwks/{pid}", e.jwks)

	// The server API.
	v1("POST", "/v1/b2b/idp/oauth/authorize/start", e.authorizeStart)
	v1("POST", "/v1/b2b/idp/oauth/authorize", e.authorizeSubmit)
	v1("POST", "/v1/b2b/organizations/members/search", e.searchMembers)
	v1("GET", "/v1/b2b/organizations/members/dangerously_get/{member}", e.dangerouslyGetMember)
	v1("GET", "/v1/b2b/organizations/{organization}", e.getOrganization)
	v1("POST", "/v1/b2b/organizations/search", e.searchOrganizations)
	v1("GET", "/v1/b2b/organizations/{organization}/member", e.getMember)
	v1("GET", "/v1/b2b/organizations/{organization}/members/{member}/connected_apps", e.memberApps)
	v1("POST", "/v1/b2b/organizations/{organization}/members/{member}/connected_apps/{app}/revoke", e.revokeApp)
	v1("GET", "/v1/b2b/organizations/{organization}/connected_apps", e.organizationApps)
	v1("GET", "/v1/b2b/organizations/{organization}/connected_apps/{app}", e.organizationApp)
	v1("POST", "/v1/b2b/magic_links/email/invite", e.invite)
	v1("POST", "/v1/b2b/sessions/authenticate", e.authenticateSession)
	v1("POST", "/v1/b2b/sessions/revoke", e.revokeSession)
	v1("GET", "/v1/b2b/rbac/policy", e.rbacPolicy)
	v1("POST", "/v1/b2b/otps/email/discovery/send", e.sendCode)
	v1("POST", "/v1/b2b/otps/email/discovery/authenticate", e.authenticateCode)
	v1("POST", "/v1/b2b/magic_links/email/discovery/send", e.sendLink)
	v1("POST", "/v1/b2b/magic_links/discovery/authenticate", e.authenticateLink)
	v1("POST", "/v1/b2b/discovery/intermediate_sessions/exchange", e.exchangeIntermediate)
	v1("GET", "/v1/connected_apps/clients/{app}", e.getClient)
	v1("POST", "/v1/connected_apps/clients/search", e.searchClients)

	// The browser SDK's API.
	r.Get("/sdk/v1/projects/bootstrap/{token}", e.serve(e.bootstrap, true, open))
	r.Post("/sdk/v1/events", e.serve(func(*call) (any, *failure) { return nil, nil }, true, open)) // telemetry, without credentials
	sdk("POST", "/idp/b2b/oauth/authorize/start", e.authorizeStart)
	sdk("POST", "/idp/b2b/oauth/authorize/submit", e.authorizeSubmit)
	sdk("POST", "/b2b/otps/email/discovery/send", e.sendCode)
	sdk("POST", "/b2b/otps/email/discovery/authenticate", e.authenticateCode)
	sdk("POST", "/b2b/magic_links/email/discovery/send", e.sendLink)
	sdk("POST", "/b2b/magic_links/discovery/authenticate", e.authenticateLink)
	sdk("POST", "/b2b/magic_links/authenticate", e.acceptInvitation)
	sdk("POST", "/b2b/discovery/organizations", e.discoverOrganizations)
	sdk("POST", "/b2b/discovery/intermediate_sessions/exchange", e.exchangeIntermediate)
	sdk("POST", "/b2b/sessions/authenticate", e.authenticateSession)
	sdk("POST", "/b2b/sessions/revoke", e.revokeSession)
	sdk("GET", "/b2b/organizations/me", e.ownOrganization)
	sdk("GET", "/b2b/organizations/members/me", e.ownMember)
	sdk("POST", "/b2b/oauth/logout/start", e.logoutStart)

	r.Group(e.control)
	return r
}

func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.handler.ServeHTTP(w, r) }

func (e *Emulator) routeNotFound(w http.ResponseWriter, r *http.Request) {
	e.log.Warn("not emulated", "method", r.Method, "path", r.URL.Path)
	writeFailure(w, notFound("route_not_found", r.Method+" "+r.URL.Path+" is not emulated, or does not exist."))
}

// projectAuth wants the project id and secret (server API).
func (e *Emulator) projectAuth(c *call) *failure {
	id, secret, _ := c.r.BasicAuth()
	if !same(id, e.state.project.ID) || !same(secret, e.state.project.Secret) {
		return fail(http.StatusUnauthorized, "unauthorized_credentials", "Unauthorized credentials.")
	}
	return nil
}

// sdkAuth wants the public token; behind it stands a session token, or the public
// token again.
func (e *Emulator) sdkAuth(c *call) *failure {
	public, token, _ := c.r.BasicAuth()
	if !same(public, e.state.project.PublicToken) {
		return fail(http.StatusUnauthorized, "unauthorized_credentials", "Unauthorized credentials.")
	}
	c.session = e.goodSession(token)
	return nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// onlyLoopback refuses everybody else, and names that a foreign page could point at
// this machine.
func (e *Emulator) onlyLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, _, _ := net.SplitHostPort(r.RemoteAddr)
		if !isLoopback(peer) {
			writeFailure(w, fail(http.StatusForbidden, "loopback_only", "The emulator answers on loopback only."))
			return
		}
		private := r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, "/_emulator/")
		if origin := r.Header.Get("Origin"); private && (!loopbackHost(r.Host) || origin != "" && origin != "http://"+r.Host) {
			writeFailure(w, fail(http.StatusForbidden, "loopback_only", "The emulator's own pages are for this machine only."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func loopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return isLoopback(host)
}

// cors answers as Stytch does for pages of another origin.
func cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin != "" && strings.HasPrefix(r.URL.Path, "/sdk/") {
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Set("Access-Control-Allow-Headers", "authorization, content-type, x-sdk-client, x-sdk-parent-host")
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
			h.Add("Vary", "Origin")
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// A Request is one that the emulator answered. Queries, headers and bodies are not kept.
type Request struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Status int       `json:"status"`
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (e *Emulator) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := &statusRecorder{w, http.StatusOK}
		defer func() {
			if r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, "/_emulator/") {
				return
			}
			e.mu.Lock()
			defer e.mu.Unlock()
			e.requests = append(e.requests[max(0, len(e.requests)-499):], Request{e.now(), r.Method, r.URL.Path, recorder.status})
		}()
		next.ServeHTTP(recorder, r)
	})
}

// Requests returns the last 500, newest first.
func (e *Emulator) Requests() []Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]Request, 0, len(e.requests))
	for i := len(e.requests) - 1; i >= 0; i-- {
		out = append(out, e.requests[i])
	}
	return out
}

// A Fault makes requests whose path begins with Path fail or wait.
type Fault struct {
	Path   string
	Status int           // 0: answer normally, after the delay
	Delay  time.Duration // before anything else
	Count  int           // how many requests; 0: until cleared
	Kind   string        // "": JSON; "html": an HTML body; "drop": the connection is closed

	spent int
}

// Fail adds a fault, ClearFaults removes all.
func (e *Emulator) Fail(f Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = append(e.faults, &f)
}

func (e *Emulator) ClearFaults() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = nil
}

func (e *Emulator) faultFor(path string) (Fault, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.faults {
		if strings.HasPrefix(path, f.Path) && (f.Count == 0 || f.spent < f.Count) {
			f.spent++
			return *f, true
		}
	}
	return Fault{}, false
}

func (e *Emulator) inject(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, hit := e.faultFor(r.URL.Path)
		if !hit || strings.HasPrefix(r.URL.Path, "/_emulator/") {
			next.ServeHTTP(w, r)
			return
		}
		wait(r.Context(), f.Delay)
		switch {
		case f.Kind == "drop":
			panic(http.ErrAbortHandler)
		case f.Status == 0:
			next.ServeHTTP(w, r)
		case f.Kind == "html":
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(f.Status)
			_, _ = w.Write([]byte("<html><body><h1>Something went wrong</h1></body></html>"))
		default:
			writeFailure(w, fail(f.Status, "internal_server_error", "A fault on purpose."))
		}
	})
}

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
