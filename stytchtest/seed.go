package stytchtest

import (
	"slices"
	"strings"
	"time"
)

// A Seed is what an emulator starts with, and what [Emulator.Export] returns. A B2B
// project has organizations and members, a Consumer project has users.
type Seed struct {
	Project       Project        `json:"project"`
	Organizations []Organization `json:"organizations,omitempty"`
	Members       []Member       `json:"members,omitempty"`
	Users         []User         `json:"users,omitempty"`
	ConnectedApps []ConnectedApp `json:"connected_apps"`
	Policy        Policy         `json:"policy"`
	TokenProfiles []TokenProfile `json:"trusted_token_profiles,omitempty"`

	// Held is what came of it since: sessions, consents, codes, mail. Export fills it in;
	// a seed of your own needs none.
	Held *Held `json:"held,omitempty"`
}

// A Project has the credentials that clients must present.
type Project struct {
	ID               string        `json:"project_id"`
	Secret           string        `json:"secret"`       // "": a new one at each start, as for the next
	PublicToken      string        `json:"public_token"` // of the browser SDK
	Name             string        `json:"name"`
	Vertical         string        `json:"vertical"` // "b2b" or "consumer"
	AuthorizationURL string        `json:"authorization_url,omitempty"`
	RedirectURLs     []RedirectURL `json:"redirect_urls,omitempty"` // of the SDK: where e-mail links may lead
	PKCERequired     bool          `json:"pkce_required,omitempty"` // for magic links, password resets and OAuth logins

	// Registration switches dynamic client registration on (RFC 7591).
	Registration bool `json:"dynamic_registration,omitempty"`
	// RegistrationTemplate holds the custom claims of clients made so, a JSON object.
	RegistrationTemplate string `json:"dynamic_registration_template,omitempty"`
	// MetadataDocuments admits clients whose id is the https URL of a document that describes them.
	MetadataDocuments bool `json:"client_id_metadata_documents,omitempty"`
	// AdvertiseIssuer has the metadata say that authorization responses hold iss (RFC 9207). They do
	// in any case; Stytch was not seen to say so.
	AdvertiseIssuer bool `json:"advertise_response_issuer,omitempty"`
	// NoOrganizationCreation keeps people from making organizations when they sign in.
	NoOrganizationCreation bool `json:"no_organization_creation,omitempty"`

	// Captcha has whoever signs in through the SDK solve a captcha first.
	Captcha bool `json:"captcha,omitempty"`
	// NoSDKOnDomain has the project's domain, which is the host of Options.Issuer or, without one, every
	// host, refuse what the browser SDK asks.
	NoSDKOnDomain bool `json:"no_sdk_on_domain,omitempty"`

	// For the management API: /pwa/v3/projects/{Slug}/environments/{Environment}, with the
	// workspace's key. What is empty is made up at start.
	Slug            string `json:"slug,omitempty"`
	Environment     string `json:"environment,omitempty"`
	EnvironmentName string `json:"environment_name,omitempty"` // "": Name
	WorkspaceKey    string `json:"workspace_key,omitempty"`
	WorkspaceSecret string `json:"workspace_secret,omitempty"`
	// NoEnvironment says that the project's only environment, and NoProject that the project itself, is to be
	// made through the management API first. It then has what the seed says, without what a new one lacks:
	// credentials, URLs, apps, custom roles, resources and scopes, dynamic registration, and an SDK that is on.
	NoProject     bool `json:"no_project,omitempty"`
	NoEnvironment bool `json:"no_environment,omitempty"`
	// PublicTokens and Secrets are all that are good; nil: PublicToken, and Secret, alone. Of several, those two are
	// the first of the list.
	PublicTokens []PublicToken `json:"public_tokens,omitzero"`
	Secrets      []Secret      `json:"secrets,omitzero"`
	// SDK is the configuration of the frontend SDK, as the management API has it: what is not in it is off. nil:
	// everything is on, for the pages that the other URLs name.
	SDK map[string]any `json:"sdk,omitzero"`
	// Kept are settings of the environment that have no effect here.
	Kept map[string]any `json:"kept,omitempty"`
}

// A PublicToken is one of a project's, for the browser SDK.
type PublicToken struct {
	Token     string    `json:"public_token"`
	CreatedAt time.Time `json:"created_at"`
}

// A Secret is one of a project's.
type Secret struct {
	ID        string    `json:"secret_id"`
	Secret    string    `json:"secret"`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at,omitzero"`
}

// A RedirectURL is one of the project's SDK redirect URLs. In JSON and YAML a plain
// string stands for one that is good, and the default, for every type.
type RedirectURL struct {
	URL   string            `json:"url"`
	Types []RedirectURLType `json:"valid_types"`
}

// A RedirectURLType is LOGIN, SIGNUP, INVITE, RESET_PASSWORD or DISCOVERY.
type RedirectURLType struct {
	Type    string `json:"type"`
	Default bool   `json:"is_default"`
}

// An Organization, as Stytch's API shows it. The settings may be empty, which is the
// first value named.
type Organization struct {
	ID   string `json:"organization_id"`
	Name string `json:"organization_name"`
	Slug string `json:"organization_slug"`
	// ALL_ALLOWED, RESTRICTED (to EmailAllowedDomains) or NOT_ALLOWED
	EmailInvites        string   `json:"email_invites"`
	EmailAllowedDomains []string `json:"email_allowed_domains,omitempty"`
	// NOT_ALLOWED, or RESTRICTED: whoever has an address of EmailAllowedDomains may join
	JITProvisioning string `json:"email_jit_provisioning"`
	// ALL_ALLOWED, RESTRICTED (to AllowedApps) or NOT_ALLOWED
	FirstPartyApps string   `json:"first_party_connected_apps_allowed_type"`
	ThirdPartyApps string   `json:"third_party_connected_apps_allowed_type"`
	AllowedApps    []string `json:"allowed_connected_apps,omitempty"` // client ids, of both parties

	Roles []Role `json:"custom_roles,omitempty"` // the organization's own, beside those of the policy

	ExternalID      string         `json:"organization_external_id,omitempty"`
	LogoURL         string         `json:"organization_logo_url,omitempty"`
	TrustedMetadata map[string]any `json:"trusted_metadata,omitempty"`
	CreatedAt       time.Time      `json:"created_at,omitzero"`
	UpdatedAt       time.Time      `json:"updated_at,omitzero"`
}

// A Member of an organization.
type Member struct {
	ID                string          `json:"member_id"`
	OrganizationID    string          `json:"organization_id"`
	Email             string          `json:"email_address"`
	Name              string          `json:"name,omitempty"`
	Status            string          `json:"status"`          // active, invited, pending or deleted
	Roles             []string        `json:"roles,omitempty"` // stytch_member is implied
	Password          string          `json:"password,omitempty"`
	ExternalID        string          `json:"external_id,omitempty"`
	CreatedAt         time.Time       `json:"created_at"`
	UpdatedAt         time.Time       `json:"updated_at,omitzero"`
	TrustedMetadata   map[string]any  `json:"trusted_metadata,omitempty"`
	UntrustedMetadata map[string]any  `json:"untrusted_metadata,omitempty"`
	Providers         []OAuthProvider `json:"oauth_registrations,omitempty"`
}

// A User of a Consumer project.
type User struct {
	ID                string          `json:"user_id"`
	Emails            []Email         `json:"emails"` // the first is the one that is shown
	Name              UserName        `json:"name"`
	Status            string          `json:"status"`          // active, pending or deleted
	Roles             []string        `json:"roles,omitempty"` // stytch_user is implied
	Password          string          `json:"password,omitempty"`
	ExternalID        string          `json:"external_id,omitempty"`
	CreatedAt         time.Time       `json:"created_at"`
	UpdatedAt         time.Time       `json:"updated_at,omitzero"`
	TrustedMetadata   map[string]any  `json:"trusted_metadata,omitempty"`
	UntrustedMetadata map[string]any  `json:"untrusted_metadata,omitempty"`
	Providers         []OAuthProvider `json:"providers,omitempty"`
}

// A UserName has three parts, each of which may be empty.
type UserName struct {
	First  string `json:"first_name"`
	Middle string `json:"middle_name"`
	Last   string `json:"last_name"`
}

// An Email is an address of a user.
type Email struct {
	ID       string `json:"email_id"`
	Address  string `json:"email"`
	Verified bool   `json:"verified"`
}

// An OAuthProvider is an account at a provider with which a person has signed in.
type OAuthProvider struct {
	ID       string `json:"registration_id"`
	Provider string `json:"provider_type"` // google, microsoft, …
	Subject  string `json:"provider_subject"`
}

// A ConnectedApp is an OAuth client of the project.
type ConnectedApp struct {
	ClientID string `json:"client_id"`
	// "" for public clients; for others: a new one at each start
	ClientSecret           string   `json:"client_secret"`
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
	Template               string   `json:"access_token_template_content,omitempty"` // JSON object of custom claims
	// of registered clients, and of described ones
	URI string `json:"client_uri,omitempty"`
	// when it registered itself, or its document was first read; zero for one that somebody has made
	Registered time.Time `json:"registered_at,omitzero"`
	// of the document that describes it: OAuth endpoints take it as client_id
	MetadataURL string `json:"client_id_metadata_url,omitempty"`
	// of the metadata with which a public client registered itself
	RegistrationDigest string `json:"registration_digest,omitempty"`

	fetched time.Time // when its document was read
}

func (a *ConnectedApp) public() bool     { return strings.HasSuffix(a.Type, "_public") }
func (a *ConnectedApp) firstParty() bool { return strings.HasPrefix(a.Type, "first_party") }

// lifetime returns that of its access tokens.
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

// Allow gives the project a custom scope and every role what it allows, as somebody does in Stytch's dashboard: the
// action on the RBAC resource. Without a resource the scope has no permissions, and Stytch grants it to everybody. A
// scope that is there already stays as it is.
func (p *Policy) Allow(scope, description, resource, action string) {
	if slices.ContainsFunc(p.Scopes, func(s CustomScope) bool { return s.Name == scope }) {
		return
	}
	made := CustomScope{Name: scope, Description: description}
	if resource == "" {
		p.Scopes = append(p.Scopes, made)
		return
	}
	permission := Permission{ResourceID: resource, Actions: []string{action}}
	made.Permissions = []Permission{permission}
	p.Scopes = append(p.Scopes, made)
	for i := range p.Roles {
		p.Roles[i].Permissions = append(p.Roles[i].Permissions, permission)
	}
	at := slices.IndexFunc(p.Resources, func(r Resource) bool { return r.ID == resource })
	if at < 0 {
		p.Resources, at = append(p.Resources, Resource{ID: resource, Description: resource}), len(p.Resources)
	}
	if !slices.Contains(p.Resources[at].Actions, action) {
		p.Resources[at].Actions = append(p.Resources[at].Actions, action)
	}
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
