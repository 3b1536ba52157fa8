package stytchtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The project's own view of its clients. The members are called redirect_urls and
// post_logout_redirect_urls; what stytch-go v16 sends as redirect_url_s is ignored, as
// Stytch ignores it.

func clientObject(a *ConnectedApp) map[string]any {
	object := map[string]any{"client_id": a.ClientID, "client_name": a.Name, "client_description": a.Description,
		"client_type": a.Type,
		"status":      "active", "redirect_urls": a.RedirectURLs, "post_logout_redirect_urls": a.PostLogoutRedirectURLs,
		"full_access_allowed": a.FullAccess, "bypass_consent_for_offline_access": a.BypassOfflineConsent,
		"access_token_expiry_minutes": int(a.lifetime().Minutes()), "access_token_custom_audience": a.Audience,
		"access_token_template_content": a.Template, "logo_url": a.LogoURL,
		"client_secret_last_four": lastFour(a.ClientSecret)}
	if a.MetadataURL != "" {
		object["client_id_metadata_url"] = a.MetadataURL
	}
	if a.NextSecret != "" {
		object["next_client_secret_last_four"] = lastFour(a.NextSecret)
	}
	return object
}

func lastFour(secret string) string { return secret[max(0, len(secret)-4):] }

func (e *Emulator) getClient(c *call) (any, *failure) {
	a := e.state.app(c.path("app"))
	if a == nil {
		return nil, connectedAppNotFound
	}
	return map[string]any{"connected_app": clientObject(a)}, nil
}

func (e *Emulator) searchClients(c *call) (any, *failure) {
	all := []any{}
	for _, a := range e.state.apps {
		all = append(all, clientObject(a))
	}
	return page(c, "", "connected_apps", all)
}

// createClient shows the secret this once.
func (e *Emulator) createClient(c *call) (any, *failure) {
	a := &ConnectedApp{ClientID: newID("connected-app"), Type: c.text("client_type"), RedirectURLs: []string{},
		PostLogoutRedirectURLs: []string{}}
	if !slices.Contains(clientTypes, a.Type) {
		return nil, fail(http.StatusBadRequest, "invalid_connected_app_client_type", "client_type must be one of "+
			strings.Join(clientTypes, ", ")+".")
	}
	if len(e.state.apps) >= maxApps {
		return nil, tooManyApps
	}
	if bad := a.change(c); bad != nil {
		return nil, bad
	}
	if !a.public() {
		a.ClientSecret = secret()
	}
	e.state.apps = append(e.state.apps, a)
	object := clientObject(a)
	if !a.public() {
		object["client_secret"] = a.ClientSecret
	}
	return map[string]any{"connected_app": object}, nil
}

func (e *Emulator) updateClient(c *call) (any, *failure) {
	a := e.state.app(c.path("app"))
	if a == nil {
		return nil, connectedAppNotFound
	}
	changed := *a
	if bad := changed.change(c); bad != nil {
		return nil, bad
	}
	*a = changed
	return map[string]any{"connected_app": clientObject(a)}, nil
}

// change sets what the body has and leaves the rest.
func (a *ConnectedApp) change(c *call) *failure {
	c.set("client_name", &a.Name)
	c.set("client_description", &a.Description)
	c.set("access_token_custom_audience", &a.Audience)
	c.set("access_token_template_content", &a.Template)
	c.set("logo_url", &a.LogoURL)
	for name, field := range map[string]*bool{"full_access_allowed": &a.FullAccess,
		"bypass_consent_for_offline_access": &a.BypassOfflineConsent} {
		if value, given := c.body[name].(bool); given {
			*field = value
		}
	}
	if bad := checkTemplate(a.Template); bad != nil {
		return bad
	}
	for name, field := range map[string]*[]string{"redirect_urls": &a.RedirectURLs,
		"post_logout_redirect_urls": &a.PostLogoutRedirectURLs} {
		if _, given := c.body[name].([]any); !given {
			continue
		}
		*field = c.texts(name)
		for _, u := range *field {
			if bad := checkRedirectURL(u); bad != nil {
				return bad
			}
		}
	}
	if a.FullAccess && !a.firstParty() {
		return fail(http.StatusBadRequest, "third_party_clients_cannot_use_full_access",
			"Third party clients cannot use full_access.")
	}
	minutes := c.number("access_token_expiry_minutes", a.Minutes)
	if minutes < 0 || minutes > maxExpiry {
		return fail(http.StatusBadRequest, "idp_invalid_access_token_expiry_minutes",
			fmt.Sprintf("access_token_expiry_minutes must be between 1 and %d.", maxExpiry))
	}
	a.Minutes = minutes
	return nil
}

// maxExpiry is a year in minutes; Stytch names no most.
const maxExpiry = 365 * 24 * 60

// reservedClaims are Stytch's own.
var reservedClaims = []string{"iss", "aud", "sub", "iat", "nbf", "exp", "jti", "scope", "client_id"}

func checkTemplate(template string) *failure {
	if template == "" {
		return nil
	}
	var claims map[string]any
	if json.Unmarshal([]byte(template), &claims) != nil {
		return fail(http.StatusBadRequest, "idp_invalid_access_token_template_content",
			"access_token_template_content must be a JSON object.")
	}
	for name := range claims {
		if slices.Contains(reservedClaims, name) || strings.HasPrefix(name, "https://stytch.com/") {
			return fail(http.StatusBadRequest, "idp_invalid_access_token_template_content",
				"The claim "+name+" is reserved.")
		}
	}
	return nil
}

func checkRedirectURL(address string) *failure {
	const prefix = "connected_app_redirect_url_"
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme == "" || u.Host == "":
		return fail(http.StatusBadRequest, prefix+"must_include_scheme", "Redirect URLs must be absolute.")
	case u.Scheme == "https":
	case u.Scheme != "http":
		return fail(http.StatusBadRequest, prefix+"must_use_https_scheme", "Redirect URLs must use https.")
	case !isLoopback(u.Hostname()):
		return fail(http.StatusBadRequest, prefix+"http_scheme_must_use_loopback",
			"Only loopback redirect URLs may use http.")
	}
	return nil
}

// deleteClient takes consents and tokens of the client along.
func (e *Emulator) deleteClient(c *call) (any, *failure) {
	a := e.state.app(c.path("app"))
	if a == nil {
		return nil, connectedAppNotFound
	}
	e.state.apps = slices.DeleteFunc(e.state.apps, func(other *ConnectedApp) bool { return other == a })
	maps.DeleteFunc(e.state.Consents, func(key consentKey, _ []string) bool { return key.clientID == a.ClientID })
	e.state.revoke(func(key consentKey, _ string) bool { return key.clientID == a.ClientID })
	return map[string]any{"client_id": a.ClientID}, nil
}

// startRotation shows the next secret once; both hold until the rotation ends.
func (e *Emulator) startRotation(c *call) (any, *failure) {
	a, bad := e.rotating(c, false)
	if bad != nil {
		return nil, bad
	}
	a.NextSecret = secret()
	object := clientObject(a)
	object["next_client_secret"] = a.NextSecret
	return map[string]any{"connected_app": object}, nil
}

func (e *Emulator) finishRotation(c *call) (any, *failure) {
	a, bad := e.rotating(c, true)
	if bad != nil {
		return nil, bad
	}
	a.ClientSecret, a.NextSecret = a.NextSecret, ""
	return map[string]any{"connected_app": clientObject(a)}, nil
}

func (e *Emulator) cancelRotation(c *call) (any, *failure) {
	a, bad := e.rotating(c, true)
	if bad != nil {
		return nil, bad
	}
	a.NextSecret = ""
	return map[string]any{"connected_app": clientObject(a)}, nil
}

// rotating returns the client if a rotation is under way, or is not, as wanted.
func (e *Emulator) rotating(c *call, wanted bool) (*ConnectedApp, *failure) {
	a := e.state.app(c.path("app"))
	switch {
	case a == nil:
		return nil, connectedAppNotFound
	case a.public():
		return nil, fail(http.StatusBadRequest, "public_connected_apps_do_not_have_secrets",
			"Public connected apps have no secrets.")
	case wanted && a.NextSecret == "":
		return nil, fail(http.StatusBadRequest, "connected_app_not_rotating_secret",
			"The connected app's secret is not being rotated.")
	case !wanted && a.NextSecret != "":
		return nil, fail(http.StatusBadRequest, "connected_app_already_rotating_secret",
			"The connected app's secret is being rotated already.")
	}
	return a, nil
}
