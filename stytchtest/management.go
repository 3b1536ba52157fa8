package stytchtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// The management API, below /pwa/v3/projects/{slug}/environments/{env}: what a set-up
// program changes of a project, with the workspace's key instead of the project's secret.

func (e *Emulator) workspaceAuth(c *call) *failure {
	id, key, _ := c.r.BasicAuth()
	p := e.state.project
	if !same(id, p.WorkspaceKey) || !same(key, p.WorkspaceSecret) {
		return unauthorizedCredentials
	}
	if c.path("project") != p.Slug {
		return notFound("project_not_found", "The project could not be found.")
	}
	if c.path("environment") != p.Environment {
		return notFound("environment_not_found", "The environment could not be found.")
	}
	return nil
}

func (e *Emulator) environment(*call) (any, *failure) {
	p := e.state.project
	return map[string]any{"environment": map[string]any{"environment_slug": p.Environment, "project_id": p.ID, "name": p.Name, "type": "TEST",
		"idp_authorization_url": p.AuthorizationURL, "idp_dynamic_client_registration_enabled": p.Registration,
		"idp_dynamic_client_registration_access_token_template_content": p.RegistrationTemplate}}, nil
}

// changeEnvironment sets what the body has and leaves the rest.
func (e *Emulator) changeEnvironment(c *call) (any, *failure) {
	p := &e.state.project
	authorizationURL, template := p.AuthorizationURL, p.RegistrationTemplate
	c.set("idp_authorization_url", &authorizationURL)
	c.set("idp_dynamic_client_registration_access_token_template_content", &template)
	if bad := checkRedirectURL(authorizationURL); authorizationURL != "" && bad != nil {
		return nil, fail(http.StatusBadRequest, "invalid_idp_authorization_url", "idp_authorization_url must be an absolute https URL, or http on loopback.")
	}
	if bad := checkTemplate(template); bad != nil {
		return nil, bad
	}
	p.AuthorizationURL, p.RegistrationTemplate = authorizationURL, template
	if on, given := c.body["idp_dynamic_client_registration_enabled"].(bool); given {
		p.Registration = on
	}
	return e.environment(c)
}

// The policy has its default roles under names of their own.

func (e *Emulator) managedPolicy(*call) (any, *failure) {
	policy := map[string]any{"custom_resources": []any{}, "custom_scopes": e.state.policy.Scopes}
	custom, resources := []Role{}, []map[string]any{}
	for _, role := range e.state.policy.Roles {
		if slices.Contains(defaultRoles, role.ID) {
			policy[role.ID] = map[string]any{"permissions": role.Permissions}
		} else {
			custom = append(custom, role)
		}
	}
	for _, r := range e.state.policy.Resources {
		if !strings.HasPrefix(r.ID, "stytch.") {
			resources = append(resources, map[string]any{"resource_id": r.ID, "description": r.Description, "available_actions": r.Actions})
		}
	}
	policy["custom_roles"], policy["custom_resources"] = custom, resources
	return map[string]any{"policy": policy}, nil
}

var defaultRoles = []string{"stytch_member", "stytch_admin", "stytch_user"}

// managedRules is the body of a PUT.
type managedRules struct {
	Member    *Role         `json:"stytch_member"`
	Admin     *Role         `json:"stytch_admin"`
	User      *Role         `json:"stytch_user"`
	Roles     []Role        `json:"custom_roles"`
	Scopes    []CustomScope `json:"custom_scopes"`
	Resources []struct {
		ID          string   `json:"resource_id"`
		Description string   `json:"description"`
		Actions     []string `json:"available_actions"`
	} `json:"custom_resources"`
}

// replacePolicy replaces the whole of it, but for Stytch's own resources and the
// permissions on them that the default roles must keep.
func (e *Emulator) replacePolicy(c *call) (any, *failure) {
	var rules managedRules
	data, err := json.Marshal(c.body)
	if err == nil {
		err = json.Unmarshal(data, &rules)
	}
	if err != nil {
		return nil, fail(http.StatusBadRequest, "invalid_rbac_policy", "The policy is malformed.")
	}
	policy := Policy{Roles: e.replacedDefaults(rules), Scopes: rules.Scopes}
	policy.Roles = append(policy.Roles, rules.Roles...)
	for _, r := range e.state.policy.Resources {
		if strings.HasPrefix(r.ID, "stytch.") {
			policy.Resources = append(policy.Resources, r)
		}
	}
	for _, r := range rules.Resources {
		if strings.HasPrefix(r.ID, "stytch") {
			return nil, fail(http.StatusBadRequest, "rbac_reserved_resource", "Custom resources may not begin with stytch.")
		}
		policy.Resources = append(policy.Resources, Resource(r))
	}
	policy.fill()
	if bad := policy.consistent(); bad != nil {
		return nil, bad
	}
	e.state.policy = policy
	return e.managedPolicy(c)
}

// replacedDefaults are the vertical's default roles with the permissions of the body, or
// none, beside those on Stytch's own resources.
func (e *Emulator) replacedDefaults(rules managedRules) (roles []Role) {
	given := map[string]*Role{"stytch_member": rules.Member, "stytch_admin": rules.Admin, "stytch_user": rules.User}
	for _, old := range e.state.policy.Roles {
		if !slices.Contains(defaultRoles, old.ID) {
			continue
		}
		role := Role{ID: old.ID, Description: old.Description}
		for _, p := range old.Permissions {
			if strings.HasPrefix(p.ResourceID, "stytch.") {
				role.Permissions = append(role.Permissions, p)
			}
		}
		if replaced := given[old.ID]; replaced != nil {
			for _, p := range replaced.Permissions {
				if !strings.HasPrefix(p.ResourceID, "stytch.") {
					role.Permissions = append(role.Permissions, p)
				}
			}
		}
		roles = append(roles, role)
	}
	return roles
}

// consistent refuses permissions on what does not exist and names that Stytch reserves.
func (p Policy) consistent() *failure {
	check := func(what string, permissions []Permission) *failure {
		for _, permission := range permissions {
			i := slices.IndexFunc(p.Resources, func(r Resource) bool { return r.ID == permission.ResourceID })
			if i < 0 {
				return fail(http.StatusBadRequest, "invalid_rbac_policy", what+" names the resource "+permission.ResourceID+", which does not exist.")
			}
		}
		return nil
	}
	for _, s := range p.Scopes {
		if _, reserved := builtInScopes[s.Name]; reserved || s.Name == "" {
			return fail(http.StatusBadRequest, "rbac_reserved_scope", "The scope "+s.Name+" is reserved.")
		}
		if bad := check("The scope "+s.Name, s.Permissions); bad != nil {
			return bad
		}
	}
	for _, r := range p.Roles {
		if bad := check("The role "+r.ID, r.Permissions); bad != nil {
			return bad
		}
	}
	return nil
}

// SDK redirect URLs. A type has one default.

func (e *Emulator) listRedirectURLs(c *call) (any, *failure) {
	if given := c.r.URL.Query().Get("url"); given != "" {
		if i := e.redirectIndex(given); i >= 0 {
			return map[string]any{"redirect_url": e.state.project.RedirectURLs[i]}, nil
		}
		return nil, redirectURLNotFound
	}
	return map[string]any{"redirect_urls": e.state.project.RedirectURLs}, nil
}

var redirectURLNotFound = notFound("redirect_url_not_found", "The redirect URL could not be found.")

func (e *Emulator) redirectIndex(given string) int {
	return slices.IndexFunc(e.state.project.RedirectURLs, func(u RedirectURL) bool { return u.URL == given })
}

// putRedirectURL adds one, or changes the types of the one in the query.
func (e *Emulator) putRedirectURL(c *call) (any, *failure) {
	u, bad := readRedirectURL(c)
	if bad != nil {
		return nil, bad
	}
	i := e.redirectIndex(u.URL)
	if c.r.Method == http.MethodPut && i < 0 {
		return nil, redirectURLNotFound
	}
	if c.r.Method == http.MethodPost && i >= 0 {
		return nil, fail(http.StatusBadRequest, "duplicate_redirect_url", "The redirect URL is registered already.")
	}
	for _, other := range e.state.project.RedirectURLs {
		for k := range other.Types {
			if slices.Contains(u.Types, RedirectURLType{Type: other.Types[k].Type, Default: true}) {
				other.Types[k].Default = false
			}
		}
	}
	if i >= 0 {
		e.state.project.RedirectURLs[i] = u
	} else {
		e.state.project.RedirectURLs = append(e.state.project.RedirectURLs, u)
	}
	return map[string]any{"redirect_url": u}, nil
}

func readRedirectURL(c *call) (RedirectURL, *failure) {
	u := RedirectURL{URL: c.text("url"), Types: []RedirectURLType{}}
	if c.r.Method == http.MethodPut {
		u.URL = c.r.URL.Query().Get("url")
	}
	if bad := checkRedirectURL(u.URL); bad != nil {
		return u, fail(http.StatusBadRequest, "invalid_redirect_url", "url must be an absolute https URL, or http on loopback.")
	}
	list, _ := c.body["valid_types"].([]any)
	for _, entry := range list {
		t := &call{}
		t.body, _ = entry.(map[string]any)
		if !slices.Contains(redirectTypes, t.text("type")) {
			return u, fail(http.StatusBadRequest, "invalid_redirect_url_type", "The types are "+strings.Join(redirectTypes, ", ")+".")
		}
		u.Types = append(u.Types, RedirectURLType{Type: t.text("type"), Default: t.flag("is_default")})
	}
	if len(u.Types) == 0 {
		return u, fail(http.StatusBadRequest, "invalid_redirect_url_type", "valid_types needs at least one type.")
	}
	return u, nil
}

func (e *Emulator) deleteRedirectURL(c *call) (any, *failure) {
	i := e.redirectIndex(c.r.URL.Query().Get("url"))
	if i < 0 {
		return nil, redirectURLNotFound
	}
	e.state.project.RedirectURLs = slices.Delete(e.state.project.RedirectURLs, i, i+1)
	return map[string]any{}, nil
}
