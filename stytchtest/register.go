package stytchtest

import (
	"net/http"
	"slices"
	"strings"
)

// register is RFC 7591, where the project has switched it on. Clients made so are always
// third party. The same metadata of a public client is the same client, so that programs
// that register at every start do not pile up; a confidential one is always new.
func (e *Emulator) register(c *call) (any, *failure) {
	if !e.state.project.Registration {
		return nil, oauthFail(http.StatusForbidden, "access_denied", "Dynamic client registration is off for this project.")
	}
	if c.form {
		return nil, invalidRequest("The body must be application/json.")
	}
	a, bad := registered(c)
	if bad != nil {
		return nil, bad
	}
	a.Template, c.status = e.state.project.RegistrationTemplate, http.StatusCreated // RFC 7591 section 3.2.1
	i := slices.IndexFunc(e.state.apps, func(known *ConnectedApp) bool {
		return a.public() && known.public() && known.Name == a.Name && known.URI == a.URI && slices.Equal(known.RedirectURLs, a.RedirectURLs)
	})
	if i >= 0 {
		return registration(e.state.apps[i], c.text("token_endpoint_auth_method")), nil
	}
	e.state.apps = append(e.state.apps, a)
	return registration(a, c.text("token_endpoint_auth_method")), nil
}

// registered is the client that the metadata describe. Absent, the method is that of
// RFC 7591 section 2: client_secret_basic.
func registered(c *call) (*ConnectedApp, *failure) {
	a := &ConnectedApp{ClientID: newID("connected-app"), Type: "third_party", Name: c.text("client_name"), URI: c.text("client_uri"),
		LogoURL: c.text("logo_uri"), RedirectURLs: c.texts("redirect_uris"), PostLogoutRedirectURLs: []string{}}
	switch c.text("token_endpoint_auth_method") {
	case "none":
		a.Type = "third_party_public"
	case "", "client_secret_basic", "client_secret_post":
		a.ClientSecret = secret()
	default:
		return nil, oauthFail(http.StatusBadRequest, "invalid_client_metadata", "token_endpoint_auth_method must be none, client_secret_basic or client_secret_post.")
	}
	if len(a.RedirectURLs) == 0 {
		return nil, oauthFail(http.StatusBadRequest, "invalid_redirect_uri", "redirect_uris needs at least one URL.")
	}
	for _, u := range a.RedirectURLs {
		if bad := checkRedirectURL(u); bad != nil {
			return nil, oauthFail(http.StatusBadRequest, "invalid_redirect_uri", u+": "+bad.message)
		}
	}
	for name, supported := range map[string][]string{"grant_types": {"authorization_code", "refresh_token"}, "response_types": {"code"}} {
		for _, value := range c.texts(name) {
			if !slices.Contains(supported, value) {
				return nil, oauthFail(http.StatusBadRequest, "invalid_client_metadata", name+" may hold "+strings.Join(supported, " and ")+".")
			}
		}
	}
	return a, nil
}

func registration(a *ConnectedApp, method string) map[string]any {
	reply := map[string]any{"client_id": a.ClientID, "client_name": a.Name, "redirect_uris": a.RedirectURLs,
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"}, "token_endpoint_auth_method": method}
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
