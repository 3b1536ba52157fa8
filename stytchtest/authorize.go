package stytchtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// builtInScopes need no policy.
var builtInScopes = map[string]string{"openid": "Know who you are", "profile": "See your name", "email": "See your e-mail address",
	"phone": "See your phone number", "offline_access": "Stay connected", "full_access": "Do everything you can do"}

// An authorization is a checked authorization request of a signed-in member.
type authorization struct {
	app       *ConnectedApp
	member    *Member
	requested []scopeResult
	granted   []string
	consent   bool // must be asked for
}

type scopeResult struct {
	Scope       string `json:"scope"`
	Description string `json:"description"`
	IsGrantable bool   `json:"is_grantable"`
}

// authorization is what start and submit have in common, for the SDK and the server API.
func (e *Emulator) authorization(c *call) (a authorization, bad *failure) {
	if a.member, bad = e.authorizingMember(c); bad != nil {
		return a, bad
	}
	if a.app = e.state.app(c.text("client_id")); a.app == nil {
		return a, notFound("connected_app_not_found", "The connected app could not be found.")
	}
	if !slices.Contains(a.app.RedirectURLs, c.text("redirect_uri")) {
		return a, fail(http.StatusUnauthorized, "connected_app_supplied_redirect_url_not_found_in_client",
			"The redirect URL is not one of the connected app's.")
	}
	if kind := c.text("response_type"); kind != "" && kind != "code" {
		return a, fail(http.StatusBadRequest, "oauth_invalid_response_type", "Only the response type code is supported.")
	}
	if a.app.public() && c.text("code_challenge") == "" {
		return a, fail(http.StatusBadRequest, "pkce_required_for_idp_authorization_flow", "Public clients must use PKCE.")
	}
	scopes := c.texts("scopes")
	if len(scopes) == 0 {
		scopes = []string{"openid", "email", "profile"}
	}
	for _, name := range scopes {
		result, bad := e.judgeScope(a, name)
		if bad != nil {
			return a, bad
		}
		a.requested = append(a.requested, result)
		if result.IsGrantable && !slices.Contains(a.granted, name) {
			a.granted = append(a.granted, name)
		}
	}
	a.consent = e.consentRequired(a, c.text("prompt"))
	return a, nil
}

// authorizingMember is the session's, or for servers the one that is named.
func (e *Emulator) authorizingMember(c *call) (*Member, *failure) {
	s := c.session
	if token := c.text("session_token"); token != "" {
		s = e.goodSession(token)
	}
	id := ""
	if s != nil {
		id = s.memberID
	} else if !strings.HasPrefix(c.r.URL.Path, "/sdk/") {
		id = c.text("member_id")
	}
	m := e.state.member(id)
	if m == nil {
		return nil, fail(http.StatusUnauthorized, "session_not_found", "The session could not be found.")
	}
	if m.Status != "active" {
		return nil, fail(http.StatusUnauthorized, "session_not_found", "The member is not active.")
	}
	return m, nil
}

func (e *Emulator) judgeScope(a authorization, name string) (scopeResult, *failure) {
	if description, ok := builtInScopes[name]; ok {
		if name == "full_access" && strings.HasPrefix(a.app.Type, "third_party") {
			return scopeResult{}, fail(http.StatusBadRequest, "third_party_clients_cannot_use_full_access", "Third party clients cannot use full_access.")
		}
		return scopeResult{name, description, true}, nil
	}
	custom := e.state.scope(name)
	if custom == nil {
		return scopeResult{}, fail(http.StatusBadRequest, "oauth_invalid_scope_requested", "The scope "+name+" does not exist.")
	}
	return scopeResult{name, custom.Description, e.state.covers(a.member, custom.Permissions)}, nil
}

// consentRequired is Stytch's table: third parties are asked when scopes are new or
// offline_access is among them, everybody is with prompt=consent.
func (e *Emulator) consentRequired(a authorization, prompt string) bool {
	if prompt == "consent" {
		return true
	}
	if strings.HasPrefix(a.app.Type, "first_party") {
		return slices.Contains(a.granted, "offline_access")
	}
	if slices.Contains(a.granted, "offline_access") {
		return true
	}
	before := e.state.consents[consentKey{a.member.ID, a.app.ClientID}]
	return before == nil || slices.ContainsFunc(a.granted, func(s string) bool { return !slices.Contains(before, s) })
}

func (e *Emulator) authorizeStart(c *call) (any, *failure) {
	a, bad := e.authorization(c)
	if bad != nil {
		return nil, bad
	}
	return map[string]any{"member_id": a.member.ID, "member": e.memberObject(a.member), "organization": e.organizationObject(a.member.OrganizationID),
		"consent_required": a.consent, "scope_results": a.requested,
		"client": map[string]any{"client_id": a.app.ClientID, "client_name": a.app.Name, "client_description": a.app.Description,
			"client_type": a.app.Type, "logo_url": "", "client_logo_url": ""}}, nil
}

// authorizeSubmit grants what is grantable, or sends the denial back. An absent
// consent_granted is false, which is right where no consent is needed.
func (e *Emulator) authorizeSubmit(c *call) (any, *failure) {
	a, bad := e.authorization(c)
	if bad != nil {
		return nil, bad
	}
	back, err := url.Parse(c.text("redirect_uri"))
	if err != nil {
		return nil, fail(http.StatusBadRequest, "invalid_redirect_url", "The redirect URL is malformed.")
	}
	query := back.Query()
	code := ""
	if granted, _ := c.body["consent_granted"].(bool); a.consent && !granted {
		query.Set("error", "access_denied")
		query.Set("error_description", "The user denied the request")
	} else {
		code = secret()
		e.state.grants[code] = &grant{clientID: a.app.ClientID, memberID: a.member.ID, redirectURI: c.text("redirect_uri"),
			challenge: c.text("code_challenge"), nonce: c.text("nonce"), scopes: a.granted, resources: c.texts("resources"),
			expires: e.now().Add(10 * time.Minute)}
		e.remember(a)
		query.Set("code", code)
	}
	if state := c.text("state"); state != "" {
		query.Set("state", state)
	}
	back.RawQuery = query.Encode()
	reply := map[string]any{"redirect_uri": back.String()}
	if code != "" {
		reply["authorization_code"] = code
	}
	return reply, nil
}

func (e *Emulator) remember(a authorization) {
	key := consentKey{a.member.ID, a.app.ClientID}
	scopes := e.state.consents[key]
	for _, s := range a.granted {
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	e.state.consents[key] = scopes
}

func (e *Emulator) logoutStart(c *call) (any, *failure) {
	app := e.state.app(c.text("client_id"))
	if app == nil {
		return nil, notFound("connected_app_not_found", "The connected app could not be found.")
	}
	back := c.text("post_logout_redirect_uri")
	if !slices.Contains(app.RedirectURLs, back) {
		return nil, fail(http.StatusUnauthorized, "connected_app_supplied_redirect_url_not_found_in_client", "The logout redirect URL is not one of the connected app's.")
	}
	if state := c.text("state"); state != "" {
		back += "?state=" + url.QueryEscape(state)
	}
	return map[string]any{"redirect_uri": back, "consent_required": false}, nil
}
