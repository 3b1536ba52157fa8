package stytchtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"guestpass/stytchtest/internal/loopback"
	"guestpass/stytchtest/internal/wire"
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

func (e *Emulator) getClient(c *call) (any, *wire.Failure) {
	a := e.state.app(c.Path("app"))
	if a == nil {
		return nil, connectedAppNotFound
	}
	return map[string]any{"connected_app": clientObject(a)}, nil
}

func (e *Emulator) searchClients(c *call) (any, *wire.Failure) {
	all := []any{}
	for _, a := range e.state.apps {
		all = append(all, clientObject(a))
	}
	return cutList(c, "", "connected_apps", all)
}

// createClient shows the secret this once.
func (e *Emulator) createClient(c *call) (any, *wire.Failure) {
	a := &ConnectedApp{ClientID: wire.NewID("connected-app"), Type: c.Text("client_type"), RedirectURLs: []string{},
		PostLogoutRedirectURLs: []string{}}
	if !slices.Contains(clientTypes, a.Type) {
		return nil, wire.Fail(http.StatusBadRequest, "invalid_connected_app_client_type", "client_type must be one of "+
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

func (e *Emulator) updateClient(c *call) (any, *wire.Failure) {
	a := e.state.app(c.Path("app"))
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
func (a *ConnectedApp) change(c *call) *wire.Failure {
	c.Set("client_name", &a.Name)
	c.Set("client_description", &a.Description)
	c.Set("access_token_custom_audience", &a.Audience)
	c.Set("access_token_template_content", &a.Template)
	c.Set("logo_url", &a.LogoURL)
	for name, field := range map[string]*bool{"full_access_allowed": &a.FullAccess,
		"bypass_consent_for_offline_access": &a.BypassOfflineConsent} {
		if value, given := c.Body[name].(bool); given {
			*field = value
		}
	}
	if bad := checkTemplate(a.Template); bad != nil {
		return bad
	}
	for name, field := range map[string]*[]string{"redirect_urls": &a.RedirectURLs,
		"post_logout_redirect_urls": &a.PostLogoutRedirectURLs} {
		if _, given := c.Body[name].([]any); !given {
			continue
		}
		*field = c.Texts(name)
		for _, u := range *field {
			if bad := checkRedirectURL(u); bad != nil {
				return bad
			}
		}
	}
	if a.FullAccess && !a.firstParty() {
		return wire.Fail(http.StatusBadRequest, "third_party_clients_cannot_use_full_access",
			"Third party clients cannot use full_access.")
	}
	minutes := c.Number("access_token_expiry_minutes", a.Minutes)
	if minutes < 0 || minutes > maxExpiry {
		return wire.Fail(http.StatusBadRequest, "idp_invalid_access_token_expiry_minutes",
			fmt.Sprintf("access_token_expiry_minutes must be between 1 and %d.", maxExpiry))
	}
	a.Minutes = minutes
	return nil
}

// maxExpiry is a year in minutes; Stytch names no most.
const maxExpiry = 365 * 24 * 60

// reservedClaims are Stytch's own.
var reservedClaims = []string{"iss", "aud", "sub", "iat", "nbf", "exp", "jti", "scope", "client_id"}

func checkTemplate(template string) *wire.Failure {
	if template == "" {
		return nil
	}
	var claims map[string]any
	if json.Unmarshal([]byte(template), &claims) != nil {
		return wire.Fail(http.StatusBadRequest, "idp_invalid_access_token_template_content",
			"access_token_template_content must be a JSON object.")
	}
	for name := range claims {
		if slices.Contains(reservedClaims, name) || strings.HasPrefix(name, "https://stytch.com/") {
			return wire.Fail(http.StatusBadRequest, "idp_invalid_access_token_template_content",
				"The claim "+name+" is reserved.")
		}
	}
	return nil
}

func checkRedirectURL(address string) *wire.Failure {
	const prefix = "connected_app_redirect_url_"
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme == "" || u.Host == "":
		return wire.Fail(http.StatusBadRequest, prefix+"must_include_scheme", "Redirect URLs must be absolute.")
	case u.Scheme == "https":
	case u.Scheme != "http":
		return wire.Fail(http.StatusBadRequest, prefix+"must_use_https_scheme", "Redirect URLs must use https.")
	case !loopback.Is(u.Hostname()):
		return wire.Fail(http.StatusBadRequest, prefix+"http_scheme_must_use_loopback",
			"Only loopback redirect URLs may use http.")
	}
	return nil
}

// deleteClient takes consents and tokens of the client along.
func (e *Emulator) deleteClient(c *call) (any, *wire.Failure) {
	a := e.state.app(c.Path("app"))
	if a == nil {
		return nil, connectedAppNotFound
	}
	e.state.deleteApp(a.ClientID)
	return map[string]any{"client_id": a.ClientID}, nil
}

func (s *state) deleteApp(clientID string) {
	s.apps = slices.DeleteFunc(s.apps, func(a *ConnectedApp) bool { return a.ClientID == clientID })
	maps.DeleteFunc(s.Consents, func(key consentKey, _ *consent) bool { return key.clientID == clientID })
	s.revoke(func(key consentKey, _ string) bool { return key.clientID == clientID })
}

// startRotation shows the next secret once; both hold until the rotation ends.
func (e *Emulator) startRotation(c *call) (any, *wire.Failure) {
	a, bad := e.rotating(c, false)
	if bad != nil {
		return nil, bad
	}
	a.NextSecret = secret()
	object := clientObject(a)
	object["next_client_secret"] = a.NextSecret
	return map[string]any{"connected_app": object}, nil
}

func (e *Emulator) finishRotation(c *call) (any, *wire.Failure) {
	a, bad := e.rotating(c, true)
	if bad != nil {
		return nil, bad
	}
	a.ClientSecret, a.NextSecret = a.NextSecret, ""
	return map[string]any{"connected_app": clientObject(a)}, nil
}

func (e *Emulator) cancelRotation(c *call) (any, *wire.Failure) {
	a, bad := e.rotating(c, true)
	if bad != nil {
		return nil, bad
	}
	a.NextSecret = ""
	return map[string]any{"connected_app": clientObject(a)}, nil
}

// rotating returns the client if a rotation is under way, or is not, as wanted.
func (e *Emulator) rotating(c *call, wanted bool) (*ConnectedApp, *wire.Failure) {
	a := e.state.app(c.Path("app"))
	switch {
	case a == nil:
		return nil, connectedAppNotFound
	case a.public():
		return nil, wire.Fail(http.StatusBadRequest, "public_connected_apps_do_not_have_secrets",
			"Public connected apps have no secrets.")
	case wanted && a.NextSecret == "":
		return nil, wire.Fail(http.StatusBadRequest, "connected_app_not_rotating_secret",
			"The connected app's secret is not being rotated.")
	case !wanted && a.NextSecret != "":
		return nil, wire.Fail(http.StatusBadRequest, "connected_app_already_rotating_secret",
			"The connected app's secret is being rotated already.")
	}
	return a, nil
}
