package stytchtest

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"guestpass/stytchtest/internal/loopback"
	"guestpass/stytchtest/internal/wire"
)

// A route is one line of the table of everything that the emulator answers. The table is
// made into the one of README.md, which a test compares.
type route struct {
	method, path string
	dialect      wire.Dialect
	authenticate func(*call) *wire.Failure
	do           endpoint
	page         http.HandlerFunc // instead of do: what takes no body that is looked at

	clients []string // the real clients that tests drive it with
}

// The real clients.
const (
	stytchGo  = "stytch-go"
	vanillaJS = "vanilla-js"
	oidc      = "openid-client, oauth4webapi"
)

func (e *Emulator) routes() http.Handler {
	guard := &loopback.Guard{Hosts: e.options.Hosts, Lists: e.lists, Now: e.Now, Log: e.log}
	r := chi.NewMux()
	r.Use(guard.Admit, e.withoutSDK, loopback.CORS, e.record, e.faults.Inject, e.chaos.Unsettle)
	r.NotFound(e.routeNotFound)
	r.MethodNotAllowed(e.routeNotFound)
	for _, t := range e.table() {
		if t.page != nil {
			r.Method(t.method, t.path, t.page)
		} else {
			r.Method(t.method, t.path, e.serve(t.dialect, t.authenticate, t.do))
		}
	}
	e.refuseOtherVertical(r)
	r.Group(e.control)
	return r
}

// refuseOtherVertical answers what the browser SDK and the management API have for the other kind of project alone.
func (e *Emulator) refuseOtherVertical(r chi.Router) {
	own := map[string]bool{}
	for _, t := range e.table() {
		own[t.method+" "+t.path] = true
	}
	other := &Emulator{vertical: b2b}
	if e.vertical.name == b2b.name {
		other.vertical = consumer
	}
	for _, t := range other.table() {
		switch {
		case own[t.method+" "+t.path]:
		case t.dialect == wire.Browser:
			r.Method(t.method, t.path, e.serve(t.dialect, anybody, badVerticalForSDK))
		case strings.HasPrefix(t.path, managementPath):
			r.Method(t.method, t.path, e.serve(t.dialect, e.inEnvironment, badVertical))
		}
	}
}

func (e *Emulator) table() []route {
	routes := slices.Concat(e.publicRoutes(), e.managementRoutes(), below("/v1", e.serverRoutes()),
		below("/sdk/v1", e.browserRoutes()))
	if e.vertical.name == b2b.name {
		return slices.Concat(routes, e.oauthRoutes(), below("/v1/b2b", e.b2bServerRoutes()),
			below("/sdk/v1/b2b", e.b2bBrowserRoutes()))
	}
	return slices.Concat(routes, e.oauthRoutes(), below("/v1", e.consumerServerRoutes()),
		below("/sdk/v1", e.consumerBrowserRoutes()))
}

func below(prefix string, routes []route) []route {
	for i := range routes {
		routes[i].path = prefix + routes[i].path
	}
	return routes
}

// publicRoutes returns keys, discovery and OAuth, in root and in public form. They do not
// know the project's credentials.
func (e *Emulator) publicRoutes() (routes []route) {
	on := func(method, path string, d wire.Dialect, do endpoint, clients ...string) {
		routes = append(routes, route{method: method, path: path, dialect: d, authenticate: e.ownProject, do: do,
			clients: clients})
	}
	for _, form := range []struct {
		wellKnown, oauth string
		strict           []string
	}{
		{"/.well-known", "/v1/oauth2", []string{oidc}}, {"/v1/public/{pid}/.well-known", "/v1/public/{pid}/oauth2",
			nil},
	} {
		on("GET", form.wellKnown+"/jwks.json", wire.Platform, e.jwks, form.strict...)
		on("GET", form.wellKnown+"/openid-configuration", wire.Platform, e.openIDConfiguration, form.strict...)
		on("GET", form.wellKnown+"/oauth-authorization-server", wire.Platform, e.authorizationServer, form.strict...)
		on("POST", form.oauth+"/token", wire.OAuth, e.token, form.strict...)
		on("POST", form.oauth+"/revoke", wire.OAuth, e.revokeToken, form.strict...)
		on("GET", form.oauth+"/userinfo", wire.OAuth, e.userinfo, form.strict...)
		on("POST", form.oauth+"/userinfo", wire.OAuth, e.userinfo)
		on("POST", form.oauth+"/register", wire.OAuth, e.register, form.strict...)
	}
	on("POST", "/v1/oauth2/introspect", wire.OAuth, e.introspect, oidc)
	on("POST", "/v1/public/{pid}/oauth2/introspect", wire.OAuth, e.introspect, stytchGo)
	on("GET", "/v1/b2b/sessions/jwks/{pid}", wire.Platform, e.jwks, stytchGo) // the two that stytch-go reads
	on("GET", "/v1/sessions/jwks/{pid}", wire.Platform, e.jwks, stytchGo)
	return routes
}

// serverRoutes returns those of the API for servers that both verticals have alike, below
// /v1, the vertical's own prefix included.
func (e *Emulator) serverRoutes() (routes []route) {
	v := e.vertical.path
	on := func(method, path string, do endpoint) {
		routes = append(routes, route{method: method, path: path, authenticate: e.projectAuth, do: do,
			clients: []string{stytchGo}})
	}
	on("POST", v+"/idp/oauth/authorize/start", e.authorizeStart)
	on("POST", v+"/idp/oauth/authorize", e.authorizeSubmit)
	on("GET", v+"/sessions", e.getSessions)
	on("POST", v+"/sessions/authenticate", e.authenticateSession)
	on("POST", v+"/sessions/revoke", e.revokeSession)
	on("POST", v+"/sessions/attest", e.attest)
	on("GET", v+"/rbac/policy", e.rbacPolicy)
	on("POST", v+"/passwords/strength_check", e.checkStrength)
	on("POST", v+"/passwords/email/reset/start", e.startReset)
	on("POST", v+"/passwords/email/reset", e.reset)
	on("POST", v+"/passwords/session/reset", e.resetBySession)
	on("POST", v+"/passwords/existing_password/reset", e.resetByExisting)
	on("POST", v+"/oauth/authenticate", e.authenticateOAuth)
	on("POST", "/connected_apps/clients", e.createClient)
	on("POST", "/connected_apps/clients/search", e.searchClients)
	on("GET", "/connected_apps/clients/{app}", e.getClient)
	on("PUT", "/connected_apps/clients/{app}", e.updateClient)
	on("DELETE", "/connected_apps/clients/{app}", e.deleteClient)
	on("POST", "/connected_apps/clients/{app}/secrets/rotate/start", e.startRotation)
	on("POST", "/connected_apps/clients/{app}/secrets/rotate", e.finishRotation)
	on("POST", "/connected_apps/clients/{app}/secrets/rotate/cancel", e.cancelRotation)
	return routes
}

func (e *Emulator) b2bServerRoutes() (routes []route) {
	on := func(method, path string, do endpoint) {
		routes = append(routes, route{method: method, path: path, authenticate: e.projectAuth, do: do,
			clients: []string{stytchGo}})
	}
	on("POST", "/organizations", e.createOrganization)
	on("POST", "/organizations/search", e.searchOrganizations)
	on("GET", "/organizations/{organization}", e.getOrganization)
	on("PUT", "/organizations/{organization}", e.updateOrganization)
	on("DELETE", "/organizations/{organization}", e.deleteOrganization)
	on("GET", "/organizations/{organization}/connected_apps", e.organizationApps)
	on("GET", "/organizations/{organization}/connected_apps/{app}", e.organizationApp)
	routes = append(routes, // of stytch-go only v18 has them
		route{method: "GET", path: "/rbac/organizations/{organization}", authenticate: e.projectAuth,
			do: e.organizationPolicy},
		route{method: "PUT", path: "/rbac/organizations/{organization}", authenticate: e.projectAuth,
			do: e.replaceOrganizationPolicy})
	on("POST", "/organizations/members/search", e.searchMembers)
	on("GET", "/organizations/members/dangerously_get/{member}", e.dangerouslyGetMember)
	on("GET", "/organizations/{organization}/member", e.getMember)
	on("POST", "/organizations/{organization}/members", e.createMember)
	on("PUT", "/organizations/{organization}/members/{member}", e.updateMember)
	on("DELETE", "/organizations/{organization}/members/{member}", e.deleteMember)
	on("PUT", "/organizations/{organization}/members/{member}/reactivate", e.reactivateMember)
	on("GET", "/organizations/{organization}/members/{member}/connected_apps", e.personApps)
	on("POST", "/organizations/{organization}/members/{member}/connected_apps/{app}/revoke", e.revokeApp)
	on("POST", "/otps/email/discovery/send", e.sendDiscoveryCode)
	on("POST", "/otps/email/discovery/authenticate", e.authenticateDiscoveryCode)
	on("POST", "/otps/email/login_or_signup", e.sendOrganizationCode)
	on("POST", "/otps/email/authenticate", e.authenticateOrganizationCode)
	on("POST", "/magic_links/email/invite", e.invite)
	on("POST", "/magic_links/email/login_or_signup", e.sendOrganizationLink)
	on("POST", "/magic_links/authenticate", e.authenticateOrganizationLink)
	on("POST", "/magic_links/email/discovery/send", e.sendDiscoveryLink)
	on("POST", "/magic_links/discovery/authenticate", e.authenticateDiscoveryLink)
	on("POST", "/passwords/authenticate", e.authenticateOrganizationPassword)
	on("POST", "/passwords/discovery/authenticate", e.authenticateDiscoveryPassword)
	on("POST", "/passwords/discovery/email/reset/start", e.startDiscoveryReset)
	on("POST", "/passwords/discovery/email/reset", e.resetDiscoveryPassword)
	on("POST", "/oauth/discovery/authenticate", e.authenticateDiscoveryOAuth)
	on("POST", "/discovery/organizations", e.discoverOrganizations)
	on("POST", "/discovery/organizations/create", e.createDiscovered)
	on("POST", "/discovery/intermediate_sessions/exchange", e.exchangeIntermediate)
	on("POST", "/sessions/exchange", e.exchangeSession)
	return routes
}

func (e *Emulator) consumerServerRoutes() (routes []route) {
	on := func(method, path string, do endpoint) {
		routes = append(routes, route{method: method, path: path, authenticate: e.projectAuth, do: do,
			clients: []string{stytchGo}})
	}
	on("POST", "/users", e.createUser)
	on("POST", "/users/search", e.searchUsers)
	on("GET", "/users/{user}", e.getUser)
	on("PUT", "/users/{user}", e.updateUser)
	on("DELETE", "/users/{user}", e.deleteUser)
	on("DELETE", "/users/emails/{email}", e.deleteUserEmail)
	on("GET", "/users/{user}/connected_apps", e.personApps)
	on("POST", "/users/{user}/connected_apps/{app}/revoke", e.revokeApp)
	on("POST", "/otps/email/login_or_create", e.sendUserCode)
	on("POST", "/otps/email/send", e.sendKnownUserCode)
	on("POST", "/otps/authenticate", e.authenticateUserCode)
	on("POST", "/magic_links/email/login_or_create", e.sendUserLink)
	on("POST", "/magic_links/authenticate", e.authenticateUserLink)
	on("POST", "/passwords", e.createUserPassword)
	on("POST", "/passwords/authenticate", e.authenticateUserPassword)
	return routes
}

// browserRoutes returns those of the browser SDK's private API that both verticals have
// alike, below /sdk/v1, the vertical's own prefix included.
func (e *Emulator) browserRoutes() (routes []route) {
	v := e.vertical.path
	on := func(method, path string, authenticate func(*call) *wire.Failure, do endpoint, clients ...string) {
		routes = append(routes, route{method: method, path: path, dialect: wire.Browser, authenticate: authenticate,
			do:      do,
			clients: clients})
	}
	on("GET", "/projects/bootstrap/{token}", anybody, e.bootstrap, vanillaJS)
	routes = append(routes, route{method: "POST", path: "/events", page: telemetry, clients: []string{vanillaJS}})
	on("POST", "/idp"+v+"/oauth/authorize/start", e.sdkAuth, e.authorizeStart, vanillaJS)
	on("POST", "/idp"+v+"/oauth/authorize/submit", e.sdkAuth, e.authorizeSubmit, vanillaJS)
	on("POST", v+"/oauth/logout/start", e.sdkAuth, e.logoutStart, vanillaJS)
	on("POST", v+"/oauth/authenticate", e.sdkAuth, e.authenticateOAuth, vanillaJS)
	on("POST", v+"/sessions/authenticate", e.sdkAuth, e.authenticateSession, vanillaJS)
	on("POST", v+"/sessions/revoke", e.sdkAuth, e.revokeSession, vanillaJS)
	on("POST", v+"/sessions/attest", e.sdkAuth, e.attest, vanillaJS)
	on("POST", v+"/passwords/strength_check", e.sdkAuth, e.checkStrength, vanillaJS)
	on("POST", v+"/passwords/email/reset/start", e.sdkAuth, e.startReset, vanillaJS)
	on("POST", v+"/passwords/email/reset", e.sdkAuth, e.reset, vanillaJS)
	on("POST", v+"/passwords/session/reset", e.sdkAuth, e.resetBySession)
	on("POST", v+"/passwords/existing_password/reset", e.sdkAuth, e.resetByExisting)
	return routes
}

func (e *Emulator) b2bBrowserRoutes() (routes []route) {
	on := func(method, path string, do endpoint, clients ...string) {
		routes = append(routes, route{method: method, path: path, dialect: wire.Browser, authenticate: e.sdkAuth,
			do:      do,
			clients: clients})
	}
	on("POST", "/otps/email/discovery/send", e.sendDiscoveryCode, vanillaJS)
	on("POST", "/otps/email/discovery/authenticate", e.authenticateDiscoveryCode, vanillaJS)
	on("POST", "/otps/email/login_or_signup", e.sendOrganizationCode, vanillaJS)
	on("POST", "/otps/email/authenticate", e.authenticateOrganizationCode, vanillaJS)
	on("POST", "/magic_links/email/discovery/send", e.sendDiscoveryLink, vanillaJS)
	on("POST", "/magic_links/discovery/authenticate", e.authenticateDiscoveryLink, vanillaJS)
	on("POST", "/magic_links/email/login_or_signup", e.sendOrganizationLink, vanillaJS)
	on("POST", "/magic_links/authenticate", e.authenticateOrganizationLink, vanillaJS)
	on("POST", "/passwords/authenticate", e.authenticateOrganizationPassword, vanillaJS)
	on("POST", "/passwords/discovery/authenticate", e.authenticateDiscoveryPassword, vanillaJS)
	on("POST", "/passwords/discovery/reset/start", e.startDiscoveryReset, vanillaJS)
	on("POST", "/passwords/discovery/reset", e.resetDiscoveryPassword, vanillaJS)
	on("POST", "/oauth/discovery/authenticate", e.authenticateDiscoveryOAuth, vanillaJS)
	on("POST", "/discovery/organizations", e.discoverOrganizations)
	on("POST", "/discovery/organizations/create", e.createDiscovered, vanillaJS)
	on("POST", "/discovery/intermediate_sessions/exchange", e.exchangeIntermediate, vanillaJS)
	on("POST", "/sessions/exchange", e.exchangeSession)
	on("POST", "/organizations/search", e.organizationBySlug, vanillaJS)
	on("GET", "/organizations/me", e.ownOrganization)
	on("POST", "/organizations/members/search", e.searchMember, vanillaJS)
	on("GET", "/organizations/members/me", e.ownMember)
	on("GET", "/organizations/members/connected_apps", e.ownApps)
	on("POST", "/organizations/members/connected_apps/{app}/revoke", e.revokeOwnApp)
	return routes
}

func (e *Emulator) consumerBrowserRoutes() (routes []route) {
	on := func(method, path string, do endpoint, clients ...string) {
		routes = append(routes, route{method: method, path: path, dialect: wire.Browser, authenticate: e.sdkAuth,
			do:      do,
			clients: clients})
	}
	on("POST", "/otps/email/login_or_create", e.sendUserCode, vanillaJS)
	on("POST", "/otps/authenticate", e.authenticateUserCode, vanillaJS)
	on("POST", "/magic_links/email/login_or_create", e.sendUserLink, vanillaJS)
	on("POST", "/magic_links/authenticate", e.authenticateUserLink, vanillaJS)
	on("POST", "/passwords", e.createUserPassword, vanillaJS)
	on("POST", "/passwords/authenticate", e.authenticateUserPassword, vanillaJS)
	on("POST", "/users/search", e.searchUser, vanillaJS)
	on("GET", "/users/me", e.ownUser)
	on("GET", "/users/connected_apps", e.ownApps)
	on("POST", "/users/connected_apps/{app}/revoke", e.revokeOwnApp)
	return routes
}

// oauthRoutes returns where the browser is sent to sign in at a provider.
func (e *Emulator) oauthRoutes() []route {
	start := "/v1" + e.vertical.path + "/public/oauth/{provider}"
	routes := []route{{method: "GET", path: start + "/start", page: e.startOAuth(false), clients: []string{vanillaJS}}}
	if e.vertical.name == b2b.name {
		routes = append(routes, route{method: "GET", path: start + "/discovery/start", page: e.startOAuth(true),
			clients: []string{vanillaJS}})
	}
	return routes
}

// ServeHTTP answers loopback peers only, by a loopback name, and known pages.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.handler.ServeHTTP(w, r) }

func (e *Emulator) routeNotFound(w http.ResponseWriter, r *http.Request) {
	e.log.Warn("not emulated", "method", r.Method, "path", r.URL.Path)
	wire.NotFound("route_not_found", r.Method+" "+r.URL.Path+" is not emulated, or does not exist.").Answer(w)
}

func anybody(*call) *wire.Failure { return nil }

// ownProject refuses public-form paths of another project, or of none.
func (e *Emulator) ownProject(c *call) *wire.Failure {
	named := strings.Contains(chi.RouteContext(c.Request.Context()).RoutePattern(), "{pid}")
	if e.state.project.NoEnvironment || named && c.Path("pid") != e.state.project.ID {
		return wire.NotFound("project_not_found", "The project could not be found.")
	}
	return nil
}

var unauthorizedCredentials = wire.Fail(http.StatusUnauthorized, "unauthorized_credentials",
	"Unauthorized credentials.")

// projectAuth wants the project id and secret (server API).
func (e *Emulator) projectAuth(c *call) *wire.Failure {
	id, secret, _ := c.Request.BasicAuth()
	if !same(id, e.state.project.ID) || !e.state.project.usesSecret(secret, e.now()) {
		return unauthorizedCredentials
	}
	return nil
}

// sdkAuth wants the public token; behind it stands a session token, or the public
// token again.
func (e *Emulator) sdkAuth(c *call) *wire.Failure {
	public, token, _ := c.Request.BasicAuth()
	if !e.state.project.hasPublicToken(public) {
		return unauthorizedCredentials
	}
	if bad := e.sdkRefuses(c); bad != nil {
		return bad
	}
	c.session, c.longest = e.goodSession(token), e.state.project.longestSession()
	return nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// lists reports whether the SDK may be used from pages of the origin. They are the project's:
// it says where people consent, where e-mail links lead, and from where its SDK may be used.
func (e *Emulator) lists(origin string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.options.Origins, origin) ||
		origin == loopback.Origin(e.state.project.AuthorizationURL) ||
		slices.ContainsFunc(e.state.project.RedirectURLs,
			func(u RedirectURL) bool { return origin == loopback.Origin(u.URL) }) ||
		slices.Contains(e.state.project.sdkDomains(), origin)
}
