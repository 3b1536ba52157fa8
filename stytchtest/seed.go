package stytchtest

import (
	"strings"
	"time"
)

// A Seed is what an emulator starts with.
type Seed struct {
	Project       Project        `json:"project"`
	Organizations []Organization `json:"organizations"`
	Members       []Member       `json:"members"`
	ConnectedApps []ConnectedApp `json:"connected_apps"`
	Policy        Policy         `json:"policy"`
}

// A Project has the credentials that clients must present.
type Project struct {
	ID               string   `json:"project_id"`
	Secret           string   `json:"secret"`
	PublicToken      string   `json:"public_token"`
	Name             string   `json:"name"`
	Vertical         string   `json:"vertical"` // "b2b"
	AuthorizationURL string   `json:"authorization_url"`
	RedirectURLs     []string `json:"redirect_urls"` // of the SDK: where e-mail links may lead
	PKCERequired     bool     `json:"pkce_required"` // for magic links
}

// An Organization, as Stytch's API shows it. The settings may be empty, which is the
// first value named.
type Organization struct {
	ID                  string   `json:"organization_id"`
	Name                string   `json:"organization_name"`
	Slug                string   `json:"organization_slug"`
	EmailInvites        string   `json:"email_invites"` // ALL_ALLOWED, RESTRICTED (to EmailAllowedDomains) or NOT_ALLOWED
	EmailAllowedDomains []string `json:"email_allowed_domains"`
	FirstPartyApps      string   `json:"first_party_connected_apps_allowed_type"` // ALL_ALLOWED, RESTRICTED (to AllowedApps) or NOT_ALLOWED
	ThirdPartyApps      string   `json:"third_party_connected_apps_allowed_type"`
	AllowedApps         []string `json:"allowed_connected_apps"` // client ids, of both parties
}

// A Member of an organization.
type Member struct {
	ID                string         `json:"member_id"`
	OrganizationID    string         `json:"organization_id"`
	Email             string         `json:"email_address"`
	Name              string         `json:"name"`
	Status            string         `json:"status"` // active, invited, pending or deleted
	Roles             []string       `json:"roles"`
	CreatedAt         time.Time      `json:"created_at"`
	TrustedMetadata   map[string]any `json:"trusted_metadata"`
	UntrustedMetadata map[string]any `json:"untrusted_metadata"`
}

// A ConnectedApp is an OAuth client of the project.
type ConnectedApp struct {
	ClientID               string   `json:"client_id"`
	ClientSecret           string   `json:"client_secret"`                // "" for public clients
	NextSecret             string   `json:"next_client_secret,omitempty"` // while the secret is being rotated
	Name                   string   `json:"client_name"`
	Description            string   `json:"client_description"`
	Type                   string   `json:"client_type"`   // first_party, third_party, and both with _public
	RedirectURLs           []string `json:"redirect_urls"` // compared exactly; loopback without a port admits any
	PostLogoutRedirectURLs []string `json:"post_logout_redirect_urls"`
	Audience               string   `json:"access_token_custom_audience"`
	Minutes                int      `json:"access_token_expiry_minutes"` // 0: 60
	LogoURL                string   `json:"logo_url"`
	FullAccess             bool     `json:"full_access_allowed"` // first party only
	BypassOfflineConsent   bool     `json:"bypass_consent_for_offline_access"`
}

func (a *ConnectedApp) public() bool     { return strings.HasSuffix(a.Type, "_public") }
func (a *ConnectedApp) firstParty() bool { return strings.HasPrefix(a.Type, "first_party") }

// lifetime is that of its access tokens.
func (a *ConnectedApp) lifetime() time.Duration {
	if a.Minutes == 0 {
		return time.Hour
	}
	return time.Duration(a.Minutes) * time.Minute
}

// Policy is the RBAC policy.
type Policy struct {
	Roles     []Role        `json:"roles"`
	Resources []Resource    `json:"resources"`
	Scopes    []CustomScope `json:"scopes"`
}

// Role, Resource, CustomScope and Permission are the policy's parts.
type Role struct {
	ID          string       `json:"role_id"`
	Description string       `json:"description"`
	Permissions []Permission `json:"permissions"`
}
type Resource struct {
	ID          string   `json:"resource_id"`
	Description string   `json:"description"`
	Actions     []string `json:"actions"`
}
type CustomScope struct {
	Name        string       `json:"scope"`
	Description string       `json:"description"`
	Permissions []Permission `json:"permissions"`
}
type Permission struct {
	ResourceID string   `json:"resource_id"`
	Actions    []string `json:"actions"`
}

// Development returns the pinned seed of `guestpass dev`: two organizations, three
// people, one GPT. Scripts and documentation may rely on every value.
func Development() Seed {
	const acme, globex = "organization-test-aaaaaaaa-0000-4000-8000-000000000001", "organization-test-bbbbbbbb-0000-4000-8000-000000000001"
	born := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	person := func(id, organization, email, name string, roles ...string) Member {
		return Member{ID: id, OrganizationID: organization, Email: email, Name: name, Status: "active",
			Roles: append([]string{"stytch_member"}, roles...), CreatedAt: born}
	}
	permission := func(resource string, actions ...string) Permission { return Permission{resource, actions} }
	return Seed{
		Project: Project{ID: "project-test-11111111-1111-4111-8111-111111111111", Secret: "secret-test-guestpass-dev",
			PublicToken: "public-token-test-11111111-1111-4111-8111-111111111111", Name: "Guestpass Demo", Vertical: "b2b",
			AuthorizationURL: "http://localhost:8080/idp", RedirectURLs: []string{"http://localhost:8080/idp"}},
		Organizations: []Organization{{ID: acme, Name: "Acme", Slug: "acme"}, {ID: globex, Name: "Globex", Slug: "globex"}},
		Members: []Member{
			person("member-test-aaaaaaaa-0000-4000-8000-000000000001", acme, "ada@acme.example", "Ada Lovelace", "stytch_admin"),
			person("member-test-aaaaaaaa-0000-4000-8000-000000000002", acme, "grace@acme.example", "Grace Hopper"),
			person("member-test-bbbbbbbb-0000-4000-8000-000000000001", globex, "hank@globex.example", "Hank Scorpio", "stytch_admin"),
		},
		ConnectedApps: []ConnectedApp{{ClientID: "connected-app-test-dddddddd-0000-4000-8000-000000000001", ClientSecret: "gpt-secret-dev",
			Name: "ChatGPT", Description: "The GPT of the development seed", Type: "third_party", RedirectURLs: []string{
				"https://chat.openai.com/aip/g-dev/oauth/callback", "https://chatgpt.com/aip/g-dev/oauth/callback", "http://localhost:8090/callback"}}},
		Policy: Policy{
			Roles: []Role{
				{"stytch_member", "Every member", []Permission{permission("stytch.self", "*"), permission("stytch.member", "search"),
					permission("members", "read"), permission("tasks", "read", "write"), permission("activity", "read")}},
				{"stytch_admin", "Administrators", []Permission{permission("stytch.self", "*"), permission("stytch.organization", "*"), permission("stytch.member", "*"),
					permission("members", "*"), permission("tasks", "*"), permission("activity", "*")}},
			},
			Resources: []Resource{
				{"stytch.self", "The member themselves", []string{"*"}},
				{"stytch.organization", "The organization", []string{"update.info.name", "update.info.slug", "delete"}},
				{"stytch.member", "Members of the organization", []string{"create", "search", "delete"}},
				{"members", "People in the organization", []string{"read", "invite"}},
				{"tasks", "Tasks", []string{"read", "write"}},
				{"activity", "What was done", []string{"read"}},
			},
			Scopes: []CustomScope{
				{"members:read", "See who is in your organization", []Permission{permission("members", "read")}},
				{"members:invite", "Invite people to your organization", []Permission{permission("members", "invite")}},
				{"tasks:read", "Read tasks", []Permission{permission("tasks", "read")}},
				{"tasks:write", "Create and change tasks", []Permission{permission("tasks", "write")}},
				{"activity:read", "See what was done on your behalf", []Permission{permission("activity", "read")}},
			},
		},
	}
}
