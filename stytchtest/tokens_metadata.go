package stytchtest

import (
	"net/http"
	"net/url"

	"guestpass/stytchtest/internal/loopback"
	"guestpass/stytchtest/internal/wire"
)

// jwtBearer is a grant type of RFC 7523 that Stytch's metadata names. Here as there it needs a
// profile of trusted tokens, which the emulator does not have.
const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer" // #nosec G101 -- the name of a grant

// openIDConfiguration and authorizationServer are the two discovery documents.
func (e *Emulator) openIDConfiguration(c *call) (any, *wire.Failure) {
	return e.discovery(c, map[string]any{"grant_types_supported": []string{"authorization_code"},
		"response_types_supported": []string{"code"},
		"subject_types_supported":  []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"}})
}

func (e *Emulator) authorizationServer(c *call) (any, *wire.Failure) {
	document := map[string]any{"grant_types_supported": []string{"authorization_code", "refresh_token", jwtBearer},
		"response_types_supported":              []string{"code", "code token"},
		"code_challenge_methods_supported":      []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
		"client_id_metadata_document_supported": e.state.project.MetadataDocuments}
	if e.state.project.Registration {
		document["registration_endpoint"] = e.oauthBase(c) + "/register"
	}
	return e.discovery(c, document)
}

func (e *Emulator) discovery(c *call, document map[string]any) (any, *wire.Failure) {
	if e.state.project.AuthorizationURL == "" {
		return nil, wire.Fail(http.StatusBadRequest, "authorization_endpoint_not_configured_for_project",
			"Set an Authorization URL for the project first.")
	}
	root, jwks := e.oauthBase(c), e.base(c.Request)+"/.well-known/jwks.json"
	if c.Path("pid") != "" {
		jwks = e.base(c.Request) + "/v1/public/" + c.Path("pid") + "/.well-known/jwks.json"
	}
	scopes := []string{"openid", "profile", "email", "phone", "offline_access"}
	for _, s := range e.state.policy.Scopes {
		scopes = append(scopes, s.Name)
	}
	document["issuer"] = e.issuerOf(c)
	document["authorization_endpoint"] = e.state.project.AuthorizationURL
	document["token_endpoint"], document["userinfo_endpoint"] = root+"/token", root+"/userinfo"
	document["jwks_uri"], document["scopes_supported"] = jwks, scopes
	if e.state.project.AdvertiseIssuer {
		document["authorization_response_iss_parameter_supported"] = true
	}
	return document, nil
}

// oauthBase returns where the OAuth endpoints are, in the form of the path that was asked.
func (e *Emulator) oauthBase(c *call) string {
	if pid := c.Path("pid"); pid != "" {
		return e.base(c.Request) + "/v1/public/" + pid + "/oauth2"
	}
	return e.base(c.Request) + "/v1/oauth2"
}

// base returns scheme and host of the request, or what the options name instead: behind a
// tunnel the emulator sees another host than its clients do.
func (e *Emulator) base(r *http.Request) string {
	if e.options.Issuer != "" {
		return e.options.Issuer
	}
	return loopback.Scheme(r) + "://" + r.Host
}

// issuerOf depends on the form of the path: Stytch's own host names the project.
func (e *Emulator) issuerOf(c *call) string {
	if c.Path("pid") != "" {
		return "stytch.com/" + e.state.project.ID
	}
	return e.base(c.Request)
}

// responseIssuer returns the iss of an authorization response. It follows the host that the browser SDK
// or the server has called: under any other than the issuer's own it names the project, and is
// not what the metadata says (https://stytch.com/docs/connected-apps/resources/faq).
func (e *Emulator) responseIssuer(c *call) string {
	issuer := e.base(c.Request)
	if u, err := url.Parse(issuer); err == nil && u.Host == c.Request.Host {
		return issuer
	}
	return "stytch.com/" + e.state.project.ID
}
