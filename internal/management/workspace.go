package management

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// WorkspaceURL is where Stytch has its management API.
const WorkspaceURL = "https://management.stytch.com"

// A Workspace has projects, and each of those environments. It is known by a key, whose id and secret the dashboard
// shows under Workspace settings.
type Workspace struct{ client }

// NewWorkspace returns one. Nothing is asked yet.
func NewWorkspace(o Options) *Workspace { return &Workspace{*newClient(o)} }

// A Listed project is one of a workspace's.
type Listed struct {
	Slug     string `json:"project_slug"`
	Name     string `json:"name"`
	Vertical string `json:"vertical"` // B2B or CONSUMER
}

// An Environment of a project: what a server knows as the project.
type Environment struct {
	ProjectSlug      string `json:"project_slug"`
	Slug             string `json:"environment_slug"`
	Name             string `json:"name"`
	Type             string `json:"type"` // LIVE or TEST
	ProjectID        string `json:"project_id"`
	AuthorizationURL string `json:"idp_authorization_url"`
	Registration     bool   `json:"idp_dynamic_client_registration_enabled"`
}

func (e Environment) path() string {
	return projectPath(e.ProjectSlug) + "/environments/" + url.PathEscape(e.Slug)
}

const projectsPath = "/pwa/v3/projects"

func projectPath(slug string) string { return projectsPath + "/" + url.PathEscape(slug) }

// Projects returns those of the workspace.
func (w *Workspace) Projects(ctx context.Context) ([]Listed, error) {
	var answer struct {
		Projects []Listed `json:"projects"`
	}
	err := w.call(ctx, "list the workspace's projects", http.MethodGet, projectsPath, nil, &answer)
	return answer.Projects, err
}

// CreateProject makes a project without an environment.
func (w *Workspace) CreateProject(ctx context.Context, name, vertical string) (Listed, error) {
	var answer struct {
		Project Listed `json:"project"`
	}
	err := w.call(ctx, "make the project "+name, http.MethodPost, projectsPath,
		Object{"name": name, "vertical": vertical}, &answer)
	return answer.Project, err
}

// Environments returns those of a project.
func (w *Workspace) Environments(ctx context.Context, projectSlug string) ([]Environment, error) {
	var answer struct {
		Environments []Environment `json:"environments"`
	}
	err := w.call(ctx, "list the environments of "+projectSlug, http.MethodGet,
		projectPath(projectSlug)+"/environments",
		nil, &answer)
	for i := range answer.Environments {
		answer.Environments[i].ProjectSlug = projectSlug
	}
	return answer.Environments, err
}

// mostProjects bounds how many projects are looked through.
const mostProjects = 200

// ErrNoEnvironment is FindEnvironment's answer if there is none.
var ErrNoEnvironment = errors.New("the workspace of the key has no environment with this project id")

// FindEnvironment looks in the projects for the environment that a server knows as its project.
func (w *Workspace) FindEnvironment(ctx context.Context, projects []Listed, projectID string) (Listed, Environment,
	error) {
	for _, project := range projects[:min(len(projects), mostProjects)] {
		environments, err := w.Environments(ctx, project.Slug)
		if err != nil {
			return Listed{}, Environment{}, err
		}
		for _, environment := range environments {
			if environment.ProjectID == projectID {
				return project, environment, nil
			}
		}
	}
	return Listed{}, Environment{}, fmt.Errorf("%w, %s", ErrNoEnvironment, projectID)
}

// CreateEnvironment makes one of the type TEST or LIVE.
func (w *Workspace) CreateEnvironment(ctx context.Context, projectSlug, name, kind string) (Environment, error) {
	return w.environment(ctx, "make the environment "+name, http.MethodPost, projectPath(projectSlug)+"/environments",
		projectSlug, Object{"name": name, "type": kind})
}

// UpdateEnvironment sets members of an environment and leaves the others.
func (w *Workspace) UpdateEnvironment(ctx context.Context, e Environment, members Object) (Environment, error) {
	return w.environment(ctx, "change the environment "+e.Slug, http.MethodPatch, e.path(), e.ProjectSlug, members)
}

func (w *Workspace) environment(ctx context.Context, what, method, path, projectSlug string, body Object) (Environment,
	error) {
	var answer struct {
		Environment Environment `json:"environment"`
	}
	err := w.call(ctx, what, method, path, body, &answer)
	answer.Environment.ProjectSlug = projectSlug
	return answer.Environment, err
}

// PublicTokens returns those of an environment.
func (w *Workspace) PublicTokens(ctx context.Context, e Environment) (tokens []string, err error) {
	var answer struct {
		PublicTokens []struct {
			Token string `json:"public_token"`
		} `json:"public_tokens"`
	}
	err = w.call(ctx, "list the public tokens", http.MethodGet, e.path()+"/public_tokens", nil, &answer)
	for _, token := range answer.PublicTokens {
		tokens = append(tokens, token.Token)
	}
	return tokens, err
}

// CreatePublicToken makes another one.
func (w *Workspace) CreatePublicToken(ctx context.Context, e Environment) (string, error) {
	var answer struct {
		PublicToken struct {
			Token string `json:"public_token"`
		} `json:"public_token"`
	}
	err := w.call(ctx, "make a public token", http.MethodPost, e.path()+"/public_tokens", Object{}, &answer)
	return answer.PublicToken.Token, err
}

// CreateSecret makes another secret, which Stytch shows this once.
func (w *Workspace) CreateSecret(ctx context.Context, e Environment) (string, error) {
	var answer struct {
		Secret struct {
			Secret string `json:"secret"`
		} `json:"secret"`
	}
	err := w.call(ctx, "make a secret", http.MethodPost, e.path()+"/secrets", Object{}, &answer)
	return answer.Secret.Secret, err
}

// A RedirectURL is one to which the frontend SDK may have links lead.
type RedirectURL struct {
	URL   string         `json:"url"`
	Types []RedirectType `json:"valid_types"`
}

// A RedirectType is LOGIN, SIGNUP, INVITE, RESET_PASSWORD or DISCOVERY.
type RedirectType struct {
	Type    string `json:"type"`
	Default bool   `json:"is_default"`
}

// RedirectURLs returns those of an environment.
func (w *Workspace) RedirectURLs(ctx context.Context, e Environment) ([]RedirectURL, error) {
	var answer struct {
		RedirectURLs []RedirectURL `json:"redirect_urls"`
	}
	err := w.call(ctx, "list the redirect URLs", http.MethodGet, e.path()+"/redirect_urls/all", nil, &answer)
	return answer.RedirectURLs, err
}

// CreateRedirectURL registers one. The defaults of its types are left alone where there are some.
func (w *Workspace) CreateRedirectURL(ctx context.Context, e Environment, u RedirectURL) error {
	return w.call(ctx, "register the redirect URL "+u.URL, http.MethodPost, e.path()+"/redirect_urls", u, &Object{})
}

// SetRedirectTypes replaces the types of one.
func (w *Workspace) SetRedirectTypes(ctx context.Context, e Environment, u RedirectURL) error {
	return w.call(ctx, "change the types of the redirect URL "+u.URL, http.MethodPut,
		e.path()+"/redirect_urls?url="+url.QueryEscape(u.URL), Object{"valid_types": u.Types}, &Object{})
}

// SDK returns the configuration of the frontend SDK. The vertical is b2b or consumer.
func (w *Workspace) SDK(ctx context.Context, e Environment, vertical string) (Object, error) {
	return w.whole(ctx, "read the configuration of the frontend SDK", http.MethodGet, e.path()+"/sdk/"+vertical,
		"config",
		nil)
}

// SetSDK replaces the configuration of the frontend SDK.
func (w *Workspace) SetSDK(ctx context.Context, e Environment, vertical string, config Object) error {
	_, err := w.whole(ctx, "change the configuration of the frontend SDK", http.MethodPut, e.path()+"/sdk/"+vertical,
		"config", Object{"config": config})
	return err
}

// Policy returns the RBAC policy, with what is Stytch's own in it as stytch_resources.
func (w *Workspace) Policy(ctx context.Context, e Environment) (Object, error) {
	return w.whole(ctx, "read the RBAC policy", http.MethodGet, e.path()+"/rbac_policy", "policy", nil)
}

// SetPolicy replaces the RBAC policy.
func (w *Workspace) SetPolicy(ctx context.Context, e Environment, policy Object) error {
	_, err := w.whole(ctx, "change the RBAC policy", http.MethodPut, e.path()+"/rbac_policy", "policy", policy)
	return err
}

// whole reads or replaces an object, which is a member of the answer.
func (w *Workspace) whole(ctx context.Context, what, method, path, member string, body any) (Object, error) {
	answer := Object{}
	if err := w.call(ctx, what, method, path, body, &answer); err != nil {
		return nil, err
	}
	object, _ := answer[member].(Object)
	if object == nil {
		return nil, &Error{What: what, Status: http.StatusOK, advice: "the answer lacks " + member +
			": this program does not know that answer, and changes nothing"}
	}
	return object, nil
}
