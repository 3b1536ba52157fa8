package cli

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"guestpass/internal/doctor"
	"guestpass/internal/management"
)

// managed reads what Stytch's management API tells of the environment that has the project's id.
type managed struct {
	workspace   *management.Workspace
	vertical    string
	environment func() (management.Environment, error) // looked for once
}

// managed returns what guestpass doctor asks the management API; nil without the workspace's key.
func (c config) managed(ctx context.Context) doctor.Management {
	if c.WorkspaceKeyID == "" || c.WorkspaceSecret == "" {
		return nil
	}
	workspace := openWorkspace(c.BaseURL, c.WorkspaceKeyID, c.WorkspaceSecret)
	return &managed{workspace, c.Vertical, sync.OnceValues(func() (management.Environment, error) {
		ctx, cancel := context.WithTimeout(ctx, findTimeout)
		defer cancel()
		projects, err := workspace.Projects(ctx)
		if err != nil {
			return management.Environment{}, err
		}
		_, environment, err := workspace.FindEnvironment(ctx, projects, c.ProjectID)
		return environment, err
	})}
}

// openWorkspace takes a workspace's key. base is of the emulator; "" is Stytch's.
func openWorkspace(base, key, secret string) *management.Workspace {
	// #nosec G101 -- the names of settings
	return management.NewWorkspace(management.Options{BaseURL: or(base, management.WorkspaceURL), User: key,
		Password: secret, UserIs: "STYTCH_WORKSPACE_KEY_ID", SecretIs: "STYTCH_WORKSPACE_SECRET"})
}

// findTimeout is for the calls that find the environment.
const findTimeout = 8 * time.Second

func (m *managed) RedirectURLs(ctx context.Context) (map[string][]string, error) {
	environment, err := m.environment()
	if err != nil {
		return nil, err
	}
	list, err := m.workspace.RedirectURLs(ctx, environment)
	types := map[string][]string{}
	for _, u := range list {
		types[u.URL] = []string{}
		for _, t := range u.Types {
			types[u.URL] = append(types[u.URL], t.Type)
		}
	}
	return types, err
}

// sdkConfig is the part of the configuration of the frontend SDK that matters here. What a vertical does not have is
// off.
type sdkConfig struct {
	Basic    struct{ Enabled bool }
	Sessions struct {
		Minutes int `json:"max_session_duration_minutes"`
	}
	Cookies struct {
		HTTPOnly string `json:"http_only"`
	}
	Codes struct {
		OfMembers bool `json:"email_enabled"`
		OfUsers   bool `json:"email_login_or_create_enabled"`
	} `json:"otps"`
	Links struct {
		OfMembers bool `json:"enabled"`
		OfUsers   bool `json:"login_or_create_enabled"`
	} `json:"magic_links"`
	Passwords struct{ Enabled bool }
	OAuth     struct{ Enabled bool }
}

func (m *managed) SDK(ctx context.Context) (doctor.SDK, error) {
	environment, err := m.environment()
	if err != nil {
		return doctor.SDK{}, err
	}
	object, err := m.workspace.SDK(ctx, environment, m.vertical)
	if err != nil {
		return doctor.SDK{}, err
	}
	var c sdkConfig
	text, err := json.Marshal(object)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	return doctor.SDK{Enabled: c.Basic.Enabled, SessionMinutes: c.Sessions.Minutes, HTTPOnly: c.Cookies.HTTPOnly,
		Codes: c.Codes.OfMembers || c.Codes.OfUsers, Links: c.Links.OfMembers || c.Links.OfUsers,
		Passwords: c.Passwords.Enabled, OAuth: c.OAuth.Enabled}, err
}
