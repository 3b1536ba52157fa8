package stytchtest

import (
	"crypto/subtle"
	"net/http"

	"github.com/go-chi/chi/v5"
)

// routes is every path that the emulator answers.
func (e *Emulator) routes() http.Handler {
	r := chi.NewMux()
	r.Use(e.onlyLoopback, cors, e.record, e.inject)
	r.NotFound(e.routeNotFound)
	r.MethodNotAllowed(e.routeNotFound)
	e.publicRoutes(func(method, path string, d dialect, do endpoint) {
		r.Method(method, path, e.serve(d, e.ownProject, do))
	})
	e.serverRoutes(func(method, path string, do endpoint) {
		r.Method(method, "/v1"+path, e.serve(platform, e.projectAuth, do))
	})
	e.browserRoutes(func(method, path string, authenticate func(*call) *failure, do endpoint) {
		r.Method(method, "/sdk/v1"+path, e.serve(browser, authenticate, do))
	})
	r.Group(e.control)
	return r
}

// publicRoutes are keys, discovery and OAuth, in root and in public form. They do not
// know the project's credentials.
func (e *Emulator) publicRoutes(on func(method, path string, d dialect, do endpoint)) {
	for _, form := range []struct{ wellKnown, oauth string }{
		{"/.well-known", "/v1/oauth2"}, {"/v1/public/{pid}/.well-known", "/v1/public/{pid}/oauth2"},
	} {
		on("GET", form.wellKnown+"/jwks.json", platform, e.jwks)
		on("GET", form.wellKnown+"/openid-configuration", platform, e.openIDConfiguration)
		on("GET", form.wellKnown+"/oauth-authorization-server", platform, e.authorizationServer)
		on("POST", form.oauth+"/token", oauth, e.token)
		on("POST", form.oauth+"/introspect", oauth, e.introspect)
		on("POST", form.oauth+"/revoke", oauth, e.revokeToken)
		on("GET", form.oauth+"/userinfo", oauth, e.userinfo)
		on("POST", form.oauth+"/userinfo", oauth, e.userinfo)
	}
	on("GET", "/v1/b2b/sessions/jwks/{pid}", platform, e.jwks) // the two that stytch-go reads
	on("GET", "/v1/sessions/jwks/{pid}", platform, e.jwks)
}

// serverRoutes are the API for servers, below /v1.
func (e *Emulator) serverRoutes(on func(method, path string, do endpoint)) {
	on("POST", "/b2b/idp/oauth/authorize/start", e.authorizeStart)
	on("POST", "/b2b/idp/oauth/authorize", e.authorizeSubmit)
	on("POST", "/b2b/organizations/search", e.searchOrganizations)
	on("POST", "/b2b/organizations/members/search", e.searchMembers)
	on("GET", "/b2b/organizations/members/dangerously_get/{member}", e.dangerouslyGetMember)
	on("GET", "/b2b/organizations/{organization}", e.getOrganization)
	on("GET", "/b2b/organizations/{organization}/member", e.getMember)
	on("GET", "/b2b/organizations/{organization}/members/{member}/connected_apps", e.memberApps)
	on("POST", "/b2b/organizations/{organization}/members/{member}/connected_apps/{app}/revoke", e.revokeApp)
	on("GET", "/b2b/organizations/{organization}/connected_apps", e.organizationApps)
	on("GET", "/b2b/organizations/{organization}/connected_apps/{app}", e.organizationApp)
	on("POST", "/b2b/magic_links/email/invite", e.invite)
	on("POST", "/b2b/magic_links/authenticate", e.acceptInvitation)
	on("POST", "/b2b/sessions/authenticate", e.authenticateSession)
	on("POST", "/b2b/sessions/revoke", e.revokeSession)
	on("GET", "/b2b/rbac/policy", e.rbacPolicy)
	on("POST", "/b2b/otps/email/discovery/send", e.sendCode)
	on("POST", "/b2b/otps/email/discovery/authenticate", e.authenticateCode)
	on("POST", "/b2b/magic_links/email/discovery/send", e.sendLink)
	on("POST", "/b2b/magic_links/discovery/authenticate", e.authenticateLink)
	on("POST", "/b2b/discovery/organizations", e.discoverOrganizations)
	on("POST", "/b2b/discovery/intermediate_sessions/exchange", e.exchangeIntermediate)
	on("POST", "/connected_apps/clients", e.createClient)
	on("POST", "/connected_apps/clients/search", e.searchClients)
	on("GET", "/connected_apps/clients/{app}", e.getClient)
	on("PUT", "/connected_apps/clients/{app}", e.updateClient)
	on("DELETE", "/connected_apps/clients/{app}", e.deleteClient)
	on("POST", "/connected_apps/clients/{app}/secrets/rotate/start", e.startRotation)
	on("POST", "/connected_apps/clients/{app}/secrets/rotate", e.finishRotation)
	on("POST", "/connected_apps/clients/{app}/secrets/rotate/cancel", e.cancelRotation)
}

// browserRoutes are the browser SDK's private API, below /sdk/v1.
func (e *Emulator) browserRoutes(on func(method, path string, authenticate func(*call) *failure, do endpoint)) {
	on("GET", "/projects/bootstrap/{token}", anybody, e.bootstrap)
	on("POST", "/events", anybody, func(*call) (any, *failure) { return nil, nil }) // telemetry, without credentials
	on("POST", "/idp/b2b/oauth/authorize/start", e.sdkAuth, e.authorizeStart)
	on("POST", "/idp/b2b/oauth/authorize/submit", e.sdkAuth, e.authorizeSubmit)
	on("POST", "/b2b/otps/email/discovery/send", e.sdkAuth, e.sendCode)
	on("POST", "/b2b/otps/email/discovery/authenticate", e.sdkAuth, e.authenticateCode)
	on("POST", "/b2b/magic_links/email/discovery/send", e.sdkAuth, e.sendLink)
	on("POST", "/b2b/magic_links/discovery/authenticate", e.sdkAuth, e.authenticateLink)
	on("POST", "/b2b/magic_links/authenticate", e.sdkAuth, e.acceptInvitation)
	on("POST", "/b2b/discovery/organizations", e.sdkAuth, e.discoverOrganizations)
	on("POST", "/b2b/discovery/intermediate_sessions/exchange", e.sdkAuth, e.exchangeIntermediate)
	on("POST", "/b2b/sessions/authenticate", e.sdkAuth, e.authenticateSession)
	on("POST", "/b2b/sessions/revoke", e.sdkAuth, e.revokeSession)
	on("GET", "/b2b/organizations/me", e.sdkAuth, e.ownOrganization)
	on("GET", "/b2b/organizations/members/me", e.sdkAuth, e.ownMember)
	on("POST", "/b2b/oauth/logout/start", e.sdkAuth, e.logoutStart)
}

// ServeHTTP answers loopback peers only.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.handler.ServeHTTP(w, r) }

func (e *Emulator) routeNotFound(w http.ResponseWriter, r *http.Request) {
	e.log.Warn("not emulated", "method", r.Method, "path", r.URL.Path)
	writeFailure(w, notFound("route_not_found", r.Method+" "+r.URL.Path+" is not emulated, or does not exist."))
}

func anybody(*call) *failure { return nil }

// ownProject refuses public-form paths of another project.
func (e *Emulator) ownProject(c *call) *failure {
	if pid := c.path("pid"); pid != "" && pid != e.state.project.ID {
		return notFound("project_not_found", "The project could not be found.")
	}
	return nil
}

var unauthorizedCredentials = fail(http.StatusUnauthorized, "unauthorized_credentials", "Unauthorized credentials.")

// projectAuth wants the project id and secret (server API).
func (e *Emulator) projectAuth(c *call) *failure {
	id, secret, _ := c.r.BasicAuth()
	if !same(id, e.state.project.ID) || !same(secret, e.state.project.Secret) {
		return unauthorizedCredentials
	}
	return nil
}

// sdkAuth wants the public token; behind it stands a session token, or the public
// token again.
func (e *Emulator) sdkAuth(c *call) *failure {
	public, token, _ := c.r.BasicAuth()
	if !same(public, e.state.project.PublicToken) {
		return unauthorizedCredentials
	}
	c.session = e.goodSession(token)
	return nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
