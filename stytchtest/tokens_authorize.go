package stytchtest

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"guestpass/stytchtest/internal/loopback"
	"guestpass/stytchtest/internal/wire"
)

const authorizationCodeLifetime = 10 * time.Minute

// builtInScopes need no policy.
var builtInScopes = map[string]string{"openid": "Know who you are", "profile": "See your name",
	"email": "See your e-mail address",
	"phone": "See your phone number", "offline_access": "Stay connected", "full_access": "Do everything you can do"}

// An authorization is a checked authorization request of somebody who has signed in.
type authorization struct {
	app       *ConnectedApp
	person    *person
	requested []scopeResult
	granted   []string
	consent   bool // must be asked for
}

type scopeResult struct {
	Scope       string `json:"scope"`
	Description string `json:"description"`
	IsGrantable bool   `json:"is_grantable"`
}

// authorization returns what start and submit have in common, for the SDK and the server API.
func (e *Emulator) authorization(c *call) (a authorization, bad *wire.Failure) {
	if a.person, bad = e.authorizing(c); bad != nil {
		return a, bad
	}
	if a.app, bad = e.authorizedApp(c); bad != nil {
		return a, bad
	}
	if !a.app.redirectsTo(c.Text("redirect_uri")) {
		return a, redirectNotOfClient
	}
	if kind := c.Text("response_type"); kind != "" && kind != "code" {
		return a, wire.Fail(http.StatusBadRequest, "oauth_invalid_response_type",
			"Only the response type code is supported.")
	}
	if a.app.public() && c.Text("code_challenge") == "" && !strings.HasSuffix(c.Request.URL.Path, "/start") {
		return a, wire.Fail(http.StatusBadRequest, "pkce_required_for_idp_authorization_flow",
			"Public clients must use PKCE.")
	}
	if o := e.state.organization(a.person.organizationID); o != nil && !o.allows(a.app) {
		return a, wire.Fail(http.StatusForbidden, "connected_app_not_allowed_for_org",
			"The organization does not allow this connected app.")
	}
	if bad := e.judgeScopes(&a, c.Texts("scopes")); bad != nil {
		return a, bad
	}
	a.consent = e.consentRequired(a, c.Text("prompt"))
	return a, nil
}

var (
	connectedAppNotFound = wire.NotFound("connected_app_not_found", "The connected app could not be found.")
	redirectNotOfClient  = wire.Fail(http.StatusUnauthorized, "connected_app_supplied_redirect_url_not_found_in_client",
		"The redirect URL is not one of the connected app's.")
)

// redirectsTo compares exactly. A registered loopback URL without a port stands for
// every port (RFC 8252 section 7.3).
func (a *ConnectedApp) redirectsTo(given string) bool {
	if given == "" {
		return false
	}
	return slices.ContainsFunc(a.RedirectURLs, func(registered string) bool {
		if registered == given {
			return true
		}
		u, err := url.Parse(registered)
		v, err2 := url.Parse(given)
		if err != nil || err2 != nil || u.Port() != "" || v.Port() == "" || !loopback.Is(u.Hostname()) ||
			u.Hostname() != v.Hostname() {
			return false
		}
		u.Host = net.JoinHostPort(u.Hostname(), v.Port())
		return u.String() == given
	})
}

// allows applies the organization's own rule about connected apps.
func (o *Organization) allows(a *ConnectedApp) bool {
	rule := o.ThirdPartyApps
	if a.firstParty() {
		rule = o.FirstPartyApps
	}
	return rule == "ALL_ALLOWED" || rule == "RESTRICTED" && slices.Contains(o.AllowedApps, a.ClientID)
}

func (e *Emulator) judgeScopes(a *authorization, names []string) *wire.Failure {
	if len(names) == 0 {
		names = []string{"openid", "email", "profile"}
	}
	for _, name := range names {
		if slices.ContainsFunc(a.requested, func(r scopeResult) bool { return r.Scope == name }) {
			continue
		}
		result, bad := e.judgeScope(*a, name)
		if bad != nil {
			return bad
		}
		a.requested = append(a.requested, result)
		if result.IsGrantable {
			a.granted = append(a.granted, name)
		}
	}
	return nil
}

// judgeScope: a custom scope is grantable if the person's roles cover all of its
// permissions (https://stytch.com/docs/connected-apps/resources/consent-management).
// Organizations' own roles do not count for scopes.
func (e *Emulator) judgeScope(a authorization, name string) (scopeResult, *wire.Failure) {
	if description, ok := builtInScopes[name]; ok {
		if name == "full_access" && !a.app.firstParty() {
			return scopeResult{}, wire.Fail(http.StatusBadRequest, "third_party_clients_cannot_use_full_access",
				"Third party clients cannot use full_access.")
		}
		return scopeResult{name, description, name != "full_access" || a.app.FullAccess}, nil
	}
	custom := e.state.scope(name)
	if custom == nil {
		return scopeResult{}, wire.Fail(http.StatusBadRequest, "oauth_invalid_scope_requested",
			"The scope "+name+" does not exist.")
	}
	return scopeResult{name, custom.Description, covers(e.state.policy.Roles, a.person.roles, custom.Permissions)}, nil
}

// consentRequired follows Stytch's table: with prompt=consent everybody is asked; third
// parties are when scopes are new or offline_access is among them; first parties for
// offline_access only, and not even then if they may bypass it.
func (e *Emulator) consentRequired(a authorization, prompt string) bool {
	offline := slices.Contains(a.granted, "offline_access")
	switch {
	case prompt == "consent":
		return true
	case a.app.firstParty():
		return offline && !a.app.BypassOfflineConsent
	case offline:
		return true
	}
	before := e.state.Consents[consentKey{a.person.id, a.app.ClientID}]
	return before == nil ||
		slices.ContainsFunc(a.granted, func(s string) bool { return !slices.Contains(before.Scopes, s) })
}

func (e *Emulator) authorizeStart(c *call) (any, *wire.Failure) {
	a, bad := e.authorization(c)
	if bad != nil {
		return nil, bad
	}
	reply := e.personReply(a.person)
	reply["consent_required"], reply["scope_results"] = a.consent, a.requested
	reply["client"] = map[string]any{"client_id": a.app.ClientID, "client_name": a.app.Name,
		"client_description": a.app.Description,
		// server API, SDK
		"client_type": a.app.Type, "logo_url": a.app.LogoURL, "client_logo_url": a.app.LogoURL}
	return reply, nil
}

// authorizeSubmit grants what is grantable, or sends the denial back. An absent
// consent_granted is false (stytch-go omits false), which is right where no consent is
// needed.
func (e *Emulator) authorizeSubmit(c *call) (any, *wire.Failure) {
	a, bad := e.authorization(c)
	if bad != nil {
		return nil, bad
	}
	if a.consent && !c.Flag("consent_granted") {
		return map[string]any{"redirect_uri": e.backTo(c, "error", "access_denied",
			"error_description", "The user denied the request")}, nil
	}
	code := secret()
	e.state.Grants[code] = &grant{ClientID: a.app.ClientID, PersonID: a.person.id, RedirectURI: c.Text("redirect_uri"),
		Challenge: c.Text("code_challenge"), Nonce: c.Text("nonce"), Scopes: a.granted,
		Expires: e.now().Add(authorizationCodeLifetime), Lineage: secret()}
	e.remember(a)
	return map[string]any{"redirect_uri": e.backTo(c, "code", code), "authorization_code": code}, nil
}

// backTo adds to the redirect URI's query, which stays as it was registered (RFC 6749
// section 3.1.2), the issuer (RFC 9207) and the state as it came.
func (e *Emulator) backTo(c *call, pairs ...string) string {
	pairs = append(pairs, "iss", e.responseIssuer(c))
	if state := c.Text("state"); state != "" {
		pairs = append(pairs, "state", state)
	}
	return withQuery(c.Text("redirect_uri"), pairs...)
}

func withQuery(address string, pairs ...string) string {
	address, fragment, hasFragment := strings.Cut(address, "#")
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	for i := 0; i < len(pairs); i += 2 {
		address += separator + pairs[i] + "=" + url.QueryEscape(pairs[i+1]) // #nosec G602 -- they are pairs
		separator = "&"
	}
	if hasFragment {
		address += "#" + fragment
	}
	return address
}

func (e *Emulator) remember(a authorization) {
	key := consentKey{a.person.id, a.app.ClientID}
	given := e.state.Consents[key]
	if given == nil {
		given = &consent{Scopes: []string{}, Since: e.now()}
		e.state.Consents[key] = given
	}
	for _, s := range a.granted {
		if !slices.Contains(given.Scopes, s) {
			given.Scopes = append(given.Scopes, s)
		}
	}
}
