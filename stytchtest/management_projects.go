package stytchtest

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"guestpass/stytchtest/internal/wire"
)

// What a workspace has: one project with one environment, and the credentials of that. Either may have to be made
// first, see Project.NoProject.

// managed reports whether a request is for the management API.
func managed(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, managementPath) }

const managementPath = "/pwa/v3"

// managementRoutes returns the part of the management API that a set-up program needs. They
// were read in the released code of its client.
func (e *Emulator) managementRoutes() (routes []route) {
	const projects = managementPath + "/projects"
	routes = []route{
		{method: "GET", path: projects, authenticate: e.workspaceAuth, do: e.listProjects},
		{method: "POST", path: projects, authenticate: e.workspaceAuth, do: e.createProject},
		{method: "GET", path: projects + "/{project}", authenticate: e.inProject, do: e.getProject},
		{method: "GET", path: projects + "/{project}/environments", authenticate: e.inProject, do: e.listEnvironments},
		{method: "POST", path: projects + "/{project}/environments", authenticate: e.inProject,
			do: e.createEnvironment},
	}
	on := func(method, path string, do endpoint) {
		routes = append(routes, route{method: method, path: projects + "/{project}/environments/{environment}" + path,
			authenticate: e.inEnvironment, do: do})
	}
	on("GET", "/public_tokens", e.listPublicTokens)
	on("POST", "/public_tokens", e.createPublicToken)
	on("GET", "/public_tokens/{token}", e.getPublicToken)
	on("DELETE", "/public_tokens/{token}", e.deletePublicToken)
	on("GET", "/secrets", e.listSecrets)
	on("POST", "/secrets", e.createSecret)
	on("GET", "/secrets/{secret}", e.getSecret)
	on("DELETE", "/secrets/{secret}", e.deleteSecret)
	on("GET", "/sdk/"+e.vertical.name, e.getSDK)
	on("PUT", "/sdk/"+e.vertical.name, e.replaceSDK)
	on("GET", "", e.environment)
	on("PATCH", "", e.changeEnvironment)
	on("GET", "/rbac_policy", e.managedPolicy)
	on("PUT", "/rbac_policy", e.replacePolicy)
	on("POST", "/redirect_urls", e.addRedirectURL)
	on("PUT", "/redirect_urls", e.changeRedirectURL)
	on("DELETE", "/redirect_urls", e.deleteRedirectURL)
	on("GET", "/redirect_urls", e.listRedirectURLs)
	on("GET", "/redirect_urls/all", e.listRedirectURLs)
	return routes
}

func (p Project) projectObject() map[string]any {
	return map[string]any{"project_slug": p.Slug, "name": p.Name, "vertical": p.vertical().bootstrap,
		"created_at": born}
}

func (e *Emulator) listProjects(*call) (any, *wire.Failure) {
	projects := []any{}
	if !e.state.project.NoProject {
		projects = append(projects, e.state.project.projectObject())
	}
	return map[string]any{"projects": projects}, nil
}

func (e *Emulator) getProject(*call) (any, *wire.Failure) {
	return map[string]any{"project": e.state.project.projectObject()}, nil
}

// slugForm is that of a project's or an environment's name in paths.
var slugForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,126}[a-z0-9])?$`)

// slugOf returns the slug that the body chooses, or one made of the name.
func slugOf(c *call, member, name string) (string, *wire.Failure) {
	slug := c.Text(member)
	if slug == "" {
		slug = strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(name), "-"), "-")
	}
	if !slugForm.MatchString(slug) {
		return "", c.Unreadable(http.StatusBadRequest, member+" must have small letters, digits and hyphens alone.")
	}
	return slug, nil
}

func (e *Emulator) createProject(c *call) (any, *wire.Failure) {
	p := &e.state.project
	name := strings.TrimSpace(c.Text("name"))
	switch {
	case name == "":
		return nil, wire.Fail(http.StatusBadRequest, "invalid_project_name", "A project needs a name.")
	case c.Text("vertical") != "B2B" && c.Text("vertical") != "CONSUMER":
		return nil, c.Unreadable(http.StatusBadRequest, "vertical must be B2B or CONSUMER.")
	case !p.NoProject:
		return nil, wire.Fail(http.StatusBadRequest, "too_many_projects", "The emulator has room for one project.")
	case c.Text("vertical") != e.vertical.bootstrap:
		return nil, c.Unreadable(http.StatusBadRequest, "This emulator has room for a "+e.vertical.bootstrap+
			" project alone: start it with the other vertical.")
	}
	slug, bad := slugOf(c, "project_slug", name)
	if bad != nil {
		return nil, bad
	}
	p.NoProject, p.Name, p.Slug, c.Status = false, name, slug, http.StatusCreated
	return e.getProject(c)
}

func (e *Emulator) listEnvironments(*call) (any, *wire.Failure) {
	environments := []any{}
	if !e.state.project.NoEnvironment {
		environments = append(environments, e.state.project.environmentObject())
	}
	return map[string]any{"environments": environments}, nil
}

func (e *Emulator) createEnvironment(c *call) (any, *wire.Failure) {
	p := &e.state.project
	name := strings.TrimSpace(c.Text("name"))
	switch {
	case name == "":
		return nil, c.Unreadable(http.StatusBadRequest, "An environment needs a name.")
	case c.Text("type") != "TEST":
		return nil, c.Unreadable(http.StatusBadRequest, "The emulator has an environment of type TEST alone: it never "+
			"stands in for a live one.")
	case !p.NoEnvironment:
		return nil, c.Unreadable(http.StatusBadRequest, "The emulator has room for one environment.")
	}
	slug, bad := slugOf(c, "environment_slug", name)
	if bad != nil {
		return nil, bad
	}
	before := *p
	p.NoEnvironment, p.Environment, p.EnvironmentName = false, slug, name
	answer, bad := e.changeEnvironment(c)
	if bad != nil {
		*p = before
		return nil, bad
	}
	c.Status = http.StatusCreated
	return answer, nil
}

// maxCredentials bounds the secrets and the public tokens that a project has at once; Stytch names no number.
const maxCredentials = 5

func (p Project) hasPublicToken(given string) bool {
	return slices.ContainsFunc(p.PublicTokens, func(t PublicToken) bool { return same(given, t.Token) })
}

// usesSecret reports whether a secret is good, and notes that it was used.
func (p *Project) usesSecret(given string, now time.Time) bool {
	i := slices.IndexFunc(p.Secrets, func(s Secret) bool { return same(given, s.Secret) })
	if i < 0 {
		return false
	}
	secrets := slices.Clone(p.Secrets) // replies with the old list may be on their way still
	secrets[i].UsedAt = now
	p.Secrets = secrets
	return true
}

func (e *Emulator) listPublicTokens(*call) (any, *wire.Failure) {
	return map[string]any{"public_tokens": slices.Clone(e.state.project.PublicTokens)}, nil
}

func (e *Emulator) createPublicToken(c *call) (any, *wire.Failure) {
	p := &e.state.project
	if len(p.PublicTokens) >= maxCredentials {
		return nil, wire.Fail(http.StatusBadRequest, "too_many_public_tokens",
			"The project has no room for another public token.")
	}
	made := PublicToken{Token: wire.NewID("public-token"), CreatedAt: e.now().UTC()}
	p.PublicTokens = append(slices.Clone(p.PublicTokens), made)
	p.first()
	c.Status = http.StatusCreated
	return map[string]any{"public_token": made}, nil
}

// publicToken returns the place of the one in the path.
func (e *Emulator) publicToken(c *call) (int, *wire.Failure) {
	i := slices.IndexFunc(e.state.project.PublicTokens, func(t PublicToken) bool { return t.Token == c.Path("token") })
	if i < 0 {
		return 0, wire.NotFound("public_token_not_found", "The public token could not be found.")
	}
	return i, nil
}

func (e *Emulator) getPublicToken(c *call) (any, *wire.Failure) {
	i, bad := e.publicToken(c)
	if bad != nil {
		return nil, bad
	}
	return map[string]any{"public_token": e.state.project.PublicTokens[i]}, nil
}

func (e *Emulator) deletePublicToken(c *call) (any, *wire.Failure) {
	i, bad := e.publicToken(c)
	if bad != nil {
		return nil, bad
	}
	p := &e.state.project
	p.PublicTokens = slices.Delete(slices.Clone(p.PublicTokens), i, i+1)
	p.first()
	return nil, nil
}

// secretObject leaves the secret out: it is shown once.
func secretObject(s Secret) map[string]any {
	object := map[string]any{"secret_id": s.ID, "last_four": lastFour(s.Secret), "created_at": s.CreatedAt,
		"used_at": nil}
	if !s.UsedAt.IsZero() {
		object["used_at"] = s.UsedAt.UTC()
	}
	return object
}

func (e *Emulator) listSecrets(*call) (any, *wire.Failure) {
	secrets := []any{}
	for _, s := range e.state.project.Secrets {
		secrets = append(secrets, secretObject(s))
	}
	return map[string]any{"secrets": secrets}, nil
}

func (e *Emulator) createSecret(c *call) (any, *wire.Failure) {
	p := &e.state.project
	if len(p.Secrets) >= maxCredentials {
		return nil, wire.Fail(http.StatusBadRequest, "too_many_secrets", "The project has no room for another secret.")
	}
	made := Secret{ID: wire.NewID("secret-id"), Secret: "secret-test-" + secret(), CreatedAt: e.now().UTC()}
	p.Secrets = append(slices.Clone(p.Secrets), made)
	p.first()
	c.Status = http.StatusCreated
	return map[string]any{"secret": map[string]any{"secret_id": made.ID, "secret": made.Secret,
		"created_at": made.CreatedAt}}, nil
}

func (e *Emulator) secret(c *call) (int, *wire.Failure) {
	i := slices.IndexFunc(e.state.project.Secrets, func(s Secret) bool { return s.ID == c.Path("secret") })
	if i < 0 {
		return 0, wire.NotFound("secret_not_found", "The secret could not be found.")
	}
	return i, nil
}

func (e *Emulator) getSecret(c *call) (any, *wire.Failure) {
	i, bad := e.secret(c)
	if bad != nil {
		return nil, bad
	}
	return map[string]any{"secret": secretObject(e.state.project.Secrets[i])}, nil
}

func (e *Emulator) deleteSecret(c *call) (any, *wire.Failure) {
	i, bad := e.secret(c)
	if bad != nil {
		return nil, bad
	}
	p := &e.state.project
	p.Secrets = slices.Delete(slices.Clone(p.Secrets), i, i+1)
	p.first()
	return nil, nil
}
