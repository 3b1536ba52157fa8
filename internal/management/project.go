package management

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// A Project is known by its id and secret.
type Project struct{ client }

// NewProject returns one. Nothing is asked yet.
func NewProject(o Options) *Project { return &Project{*newClient(o)} }

// An App is a connected app. Only one that was just made has its secret.
type App struct {
	ID           string   `json:"client_id"`
	Secret       string   `json:"client_secret"`
	Name         string   `json:"client_name"`
	Description  string   `json:"client_description"`
	Type         string   `json:"client_type"` // first_party, third_party, and both with _public
	Status       string   `json:"status"`
	RedirectURLs []string `json:"redirect_urls"`
}

const appsPath = "/v1/connected_apps/clients"

// maxPages bounds the list of connected apps, each page with 1,000 of them.
const maxPages = 20

// Apps returns all connected apps.
func (p *Project) Apps(ctx context.Context) (apps []App, err error) {
	cursor := ""
	for range maxPages {
		var answer struct {
			Apps     []App `json:"connected_apps"`
			Metadata struct {
				NextCursor string `json:"next_cursor"`
			} `json:"results_metadata"`
		}
		body := Object{"limit": 1000}
		if cursor != "" {
			body["cursor"] = cursor
		}
		if err := p.call(ctx, "list the connected apps", http.MethodPost, appsPath+"/search", body,
			&answer); err != nil {
			return nil, err
		}
		apps, cursor = append(apps, answer.Apps...), answer.Metadata.NextCursor
		if cursor == "" {
			return apps, nil
		}
	}
	return nil, fmt.Errorf("list the connected apps: there are more than %d", maxPages*1000)
}

// CreateApp makes a connected app of the type, name, description and redirect URLs of this one.
func (p *Project) CreateApp(ctx context.Context, app App) (App, error) {
	var answer struct {
		App App `json:"connected_app"`
	}
	err := p.call(ctx, "make the connected app "+app.Name, http.MethodPost, appsPath, Object{"client_type": app.Type,
		"client_name": app.Name, "client_description": app.Description, "redirect_urls": app.RedirectURLs}, &answer)
	return answer.App, err
}

// writable are the members of a connected app that may be set; those at the end of first-party apps alone.
var writable = []string{"client_name", "client_description", "redirect_urls", "post_logout_redirect_urls",
	"access_token_expiry_minutes", "access_token_custom_audience", "access_token_template_content",
	"id_token_template_content", "logo_url", "full_access_allowed", "bypass_consent_for_offline_access"}

// ofFirstParty is how many of the last of those others may not have.
const ofFirstParty = 2

// SetRedirectURLs replaces the redirect URLs of a connected app. Stytch takes an app as a whole: it is read and written
// back with what else it has.
func (p *Project) SetRedirectURLs(ctx context.Context, id string, redirectURLs []string) error {
	var answer struct {
		App Object `json:"connected_app"`
	}
	path := appsPath + "/" + url.PathEscape(id)
	if err := p.call(ctx, "read the connected app "+id, http.MethodGet, path, nil, &answer); err != nil {
		return err
	}
	names := writable
	if kind, _ := answer.App["client_type"].(string); kind != "first_party" && kind != "first_party_public" {
		names = writable[:len(writable)-ofFirstParty]
	}
	body := Object{}
	for _, name := range names {
		if value, given := answer.App[name]; given {
			body[name] = value
		}
	}
	body["redirect_urls"] = redirectURLs
	return p.call(ctx, "change the redirect URLs of the connected app "+id, http.MethodPut, path, body, &Object{})
}

// Scopes returns the names of the custom scopes of the project's policy. The vertical is b2b or consumer.
func (p *Project) Scopes(ctx context.Context, vertical string) (names []string, err error) {
	path := "/v1/rbac/policy"
	if vertical == "b2b" {
		path = "/v1/b2b/rbac/policy"
	}
	var answer struct {
		Policy struct {
			Scopes []struct {
				Name string `json:"scope"`
			} `json:"scopes"`
		} `json:"policy"`
	}
	err = p.call(ctx, "read the project's policy", http.MethodGet, path, nil, &answer)
	for _, scope := range answer.Policy.Scopes {
		names = append(names, scope.Name)
	}
	return names, err
}
