package stytchtest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"guestpass/stytchtest/internal/wire"
)

// register is RFC 7591, where the project has switched it on. Clients made so are always
// third party. The same metadata of a public client is the same client, so that programs
// that register at every start do not pile up; a confidential one is always new. What is
// registered as scope binds nobody: every client may ask for all published scopes.
func (e *Emulator) register(c *call) (any, *wire.Failure) {
	if !e.state.project.Registration {
		return nil, wire.OAuthFail(http.StatusForbidden, "access_denied",
			"Dynamic client registration is off for this project.")
	}
	if c.Form {
		return nil, invalidRequest("The body must be application/json.")
	}
	a, bad := registered(c)
	if bad != nil {
		return nil, bad
	}
	a.Template, c.Status = e.state.project.RegistrationTemplate, http.StatusCreated // RFC 7591 section 3.2.1
	i := slices.IndexFunc(e.state.apps, func(known *ConnectedApp) bool {
		return a.public() && known.RegistrationDigest == a.RegistrationDigest
	})
	switch {
	case i >= 0:
		a = e.state.apps[i]
	case len(e.state.apps) >= maxApps:
		return nil, wire.OAuthFail(tooManyApps.Status, tooManyApps.Kind, tooManyApps.Message)
	default:
		a.Registered = e.now()
		e.state.apps = append(e.state.apps, a)
	}
	return registration(c, a), nil
}

// digest returns that of all the client's metadata that RFC 7591 section 2 names, with its redirect URLs as
// they are kept.
func digest(c *call, redirectURLs []string) string {
	said := map[string]any{"redirect_uris": redirectURLs}
	for _, name := range []string{"token_endpoint_auth_method", "grant_types", "response_types", "client_name",
		"client_uri", "logo_uri", "scope", "contacts", "tos_uri", "policy_uri", "jwks_uri", "jwks", "software_id",
		"software_version"} {
		if value := c.Body[name]; value != nil {
			said[name] = value
		}
	}
	data, err := json.Marshal(said) // in the order of the names
	if err != nil {
		panic(err) // it came as JSON
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// registered returns the client that the metadata describe. Absent, the method is that of
// RFC 7591 section 2: client_secret_basic. Unknown metadata, application_type among them, are
// passed over.
func registered(c *call) (*ConnectedApp, *wire.Failure) {
	a := &ConnectedApp{ClientID: wire.NewID("connected-app"), Type: "third_party", Name: c.Text("client_name"),
		URI:     c.Text("client_uri"),
		LogoURL: c.Text("logo_uri"), RedirectURLs: withoutLoopbackPorts(c.Texts("redirect_uris")),
		PostLogoutRedirectURLs: []string{}}
	switch c.Text("token_endpoint_auth_method") {
	case "none":
		a.Type, a.RegistrationDigest = "third_party_public", digest(c, a.RedirectURLs)
	case "", "client_secret_basic", "client_secret_post":
		a.ClientSecret = secret()
	default:
		return nil, wire.OAuthFail(http.StatusBadRequest, "invalid_client_metadata",
			"token_endpoint_auth_method must be none, client_secret_basic or client_secret_post.")
	}
	if err := checkRedirectURLs(c.Texts("redirect_uris")); err != nil {
		return nil, wire.OAuthFail(http.StatusBadRequest, "invalid_redirect_uri", err.Error()+".")
	}
	for name, supported := range map[string][]string{"grant_types": {"authorization_code", "refresh_token"},
		"response_types": {"code"}} {
		for _, value := range c.Texts(name) {
			if !slices.Contains(supported, value) {
				return nil, wire.OAuthFail(http.StatusBadRequest, "invalid_client_metadata",
					name+" may hold "+strings.Join(supported, " and ")+".")
			}
		}
	}
	return a, nil
}

// registration answers with the metadata as they came: a program looks for its own port.
func registration(c *call, a *ConnectedApp) map[string]any {
	method := c.Text("token_endpoint_auth_method")
	reply := map[string]any{"client_id": a.ClientID, "client_name": a.Name, "redirect_uris": c.Texts("redirect_uris"),
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		"token_endpoint_auth_method": method}
	if a.URI != "" {
		reply["client_uri"] = a.URI
	}
	if a.public() {
		return reply
	}
	if method == "" {
		reply["token_endpoint_auth_method"] = "client_secret_basic"
	}
	reply["client_secret"], reply["client_secret_expires_at"] = a.ClientSecret, 0 // never (RFC 7591 section 3.2.1)
	return reply
}
