package stytchtest

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"guestpass/stytchtest/internal/wire"
)

// The management API, below /pwa/v3/projects/{slug}/environments/{env}: what a set-up
// program changes of a project, with the workspace's key instead of the project's secret.

// workspaceAuth wants the workspace's key.
func (e *Emulator) workspaceAuth(c *call) *wire.Failure {
	id, key, _ := c.Request.BasicAuth()
	if !same(id, e.state.project.WorkspaceKey) || !same(key, e.state.project.WorkspaceSecret) {
		return unauthorizedCredentials
	}
	return nil
}

func (e *Emulator) inProject(c *call) *wire.Failure {
	if bad := e.workspaceAuth(c); bad != nil {
		return bad
	}
	if e.state.project.NoProject || c.Path("project") != e.state.project.Slug {
		return wire.NotFound("project_not_found", "The project could not be found.")
	}
	return nil
}

func (e *Emulator) inEnvironment(c *call) *wire.Failure {
	if bad := e.inProject(c); bad != nil {
		return bad
	}
	if e.state.project.NoEnvironment || c.Path("environment") != e.state.project.Environment {
		return wire.NotFound("environment_not_found", "The environment could not be found.")
	}
	return nil
}

func (e *Emulator) environment(*call) (any, *wire.Failure) {
	return map[string]any{"environment": e.state.project.environmentObject()}, nil
}

// withoutEffect are settings that are given back as they were set, each with what a new environment has.
var withoutEffect = map[string]any{"cross_org_passwords_enabled": false, "user_impersonation_enabled": false,
	"zero_downtime_session_migration_url": "", "use_custom_domain_in_magic_link_emails": false,
	"user_lock_self_serve_enabled": false, "user_lock_threshold": 10.0, "user_lock_ttl": 3600.0}

func (p Project) environmentObject() map[string]any {
	name := p.EnvironmentName
	if name == "" {
		name = p.Name
	}
	object := maps.Clone(withoutEffect)
	maps.Copy(object, p.Kept)
	maps.Copy(object, map[string]any{"environment_slug": p.Environment, "project_slug": p.Slug, "project_id": p.ID,
		"name": name, "type": "TEST", "created_at": born, "oauth_callback_id": "oauth-callback-" + p.Environment,
		"idp_authorization_url":                                         p.AuthorizationURL,
		"idp_dynamic_client_registration_enabled":                       p.Registration,
		"idp_dynamic_client_registration_access_token_template_content": p.RegistrationTemplate})
	return object
}

// changeEnvironment sets what the body has, "" and false included, and leaves the rest.
func (e *Emulator) changeEnvironment(c *call) (any, *wire.Failure) {
	p := &e.state.project
	authorizationURL, template := p.AuthorizationURL, p.RegistrationTemplate
	c.Set("idp_authorization_url", &authorizationURL)
	c.Set("idp_dynamic_client_registration_access_token_template_content", &template)
	if bad := checkRedirectURL(authorizationURL); authorizationURL != "" && bad != nil {
		return nil, wire.Fail(http.StatusBadRequest, "invalid_idp_authorization_url",
			"idp_authorization_url must be an absolute https URL, or http on loopback.")
	}
	if bad := checkTemplate(template); bad != nil {
		return nil, bad
	}
	p.AuthorizationURL, p.RegistrationTemplate = authorizationURL, template
	c.Set("name", &p.EnvironmentName)
	if on, given := c.Body["idp_dynamic_client_registration_enabled"].(bool); given {
		p.Registration = on
	}
	kept := maps.Clone(p.Kept)
	for name := range withoutEffect {
		if value := c.Body[name]; value != nil {
			if kept == nil {
				kept = map[string]any{}
			}
			kept[name] = value
		}
	}
	p.Kept = kept
	return e.environment(c)
}

// SDK redirect URLs. A type has one default: the URL that says so last, and unless the
// caller does not want that, another one once there would be none.

func (e *Emulator) listRedirectURLs(c *call) (any, *wire.Failure) {
	if given := c.Request.URL.Query().Get("url"); given != "" {
		if i := e.redirectIndex(given); i >= 0 {
			return map[string]any{"redirect_url": e.state.project.RedirectURLs[i]}, nil
		}
		return nil, redirectURLNotFound
	}
	return map[string]any{"redirect_urls": e.state.project.RedirectURLs}, nil
}

var redirectURLNotFound = wire.NotFound("redirect_url_not_found", "The redirect URL could not be found.")

func (e *Emulator) redirectIndex(given string) int {
	return slices.IndexFunc(e.state.project.RedirectURLs, func(u RedirectURL) bool { return u.URL == given })
}

// ownRedirectURLs makes the list anew before it is changed: replies with the old one may
// be on their way still.
func (e *Emulator) ownRedirectURLs() {
	urls := slices.Clone(e.state.project.RedirectURLs)
	for i := range urls {
		urls[i].Types = slices.Clone(urls[i].Types)
	}
	e.state.project.RedirectURLs = urls
}

// maxSDKRedirectURLs bounds a project's redirect URLs; Stytch names no number.
const maxSDKRedirectURLs = 100

func (e *Emulator) addRedirectURL(c *call) (any, *wire.Failure) {
	u := RedirectURL{URL: c.Text("url")}
	switch bad := checkRedirectURL(u.URL); {
	case bad != nil && strings.HasPrefix(u.URL, "http:"):
		return nil, wire.Fail(http.StatusBadRequest, "redirect_url_must_use_https", "Only loopback URLs may use http.")
	case bad != nil:
		return nil, wire.Fail(http.StatusBadRequest, "invalid_url",
			"url must be an absolute https URL, or http on loopback.")
	}
	var bad *wire.Failure
	if u.Types, bad = readTypes(c); bad != nil {
		return nil, bad
	}
	if e.redirectIndex(u.URL) >= 0 {
		return nil, wire.Fail(http.StatusBadRequest, "duplicate_redirect_url",
			"The project has this redirect URL already: change its types with PUT.")
	}
	if len(e.state.project.RedirectURLs) >= maxSDKRedirectURLs {
		return nil, wire.Fail(http.StatusBadRequest, "too_many_redirect_urls", "The project has no room for another.")
	}
	e.ownRedirectURLs()
	e.state.project.RedirectURLs = append(e.state.project.RedirectURLs, RedirectURL{URL: u.URL})
	return e.keepRedirectURL(u, c.Flag("do_not_promote_defaults")), nil
}

// changeRedirectURL replaces the types of the one in the query.
func (e *Emulator) changeRedirectURL(c *call) (any, *wire.Failure) {
	i := e.redirectIndex(c.Request.URL.Query().Get("url"))
	if i < 0 {
		return nil, redirectURLNotFound
	}
	u := e.state.project.RedirectURLs[i]
	var bad *wire.Failure
	if u.Types, bad = readTypes(c); bad != nil {
		return nil, bad
	}
	e.ownRedirectURLs()
	return e.keepRedirectURL(u, c.Flag("do_not_promote_defaults")), nil
}

func readTypes(c *call) ([]RedirectURLType, *wire.Failure) {
	types := []RedirectURLType{}
	list, _ := c.Body["valid_types"].([]any)
	for _, entry := range list {
		t := &wire.Call{}
		t.Body, _ = entry.(map[string]any)
		if !slices.Contains(redirectTypes, t.Text("type")) {
			return nil, wire.Fail(http.StatusBadRequest, "invalid_redirect_url_type",
				"The types are "+strings.Join(redirectTypes, ", ")+".")
		}
		types = append(types, RedirectURLType{Type: t.Text("type"), Default: t.Flag("is_default")})
	}
	if len(types) == 0 {
		return nil, wire.Fail(http.StatusBadRequest, "invalid_redirect_url_type",
			"valid_types needs at least one type.")
	}
	return types, nil
}

// keepRedirectURL puts it in its place and answers with it.
func (e *Emulator) keepRedirectURL(u RedirectURL, leaveDefaults bool) map[string]any {
	for i, other := range e.state.project.RedirectURLs {
		for k := range other.Types {
			if slices.Contains(u.Types, RedirectURLType{Type: other.Types[k].Type, Default: true}) {
				other.Types[k].Default = false
			}
		}
		if other.URL == u.URL {
			e.state.project.RedirectURLs[i] = u
		}
	}
	if !leaveDefaults {
		e.promoteDefaults()
	}
	return map[string]any{"redirect_url": u}
}

// promoteDefaults gives each type that has URLs, but no default, the first of them.
func (e *Emulator) promoteDefaults() {
	for _, kind := range redirectTypes {
		var first *RedirectURLType
		hasDefault := false
		for _, u := range e.state.project.RedirectURLs {
			for k := range u.Types {
				if t := &u.Types[k]; t.Type == kind {
					hasDefault = hasDefault || t.Default
					if first == nil {
						first = t
					}
				}
			}
		}
		if first != nil && !hasDefault {
			first.Default = true
		}
	}
}

func (e *Emulator) deleteRedirectURL(c *call) (any, *wire.Failure) {
	query := c.Request.URL.Query()
	i := e.redirectIndex(query.Get("url"))
	if i < 0 {
		return nil, redirectURLNotFound
	}
	e.ownRedirectURLs()
	e.state.project.RedirectURLs = slices.Delete(e.state.project.RedirectURLs, i, i+1)
	if query.Get("do_not_promote_defaults") != "true" {
		e.promoteDefaults()
	}
	return nil, nil
}
