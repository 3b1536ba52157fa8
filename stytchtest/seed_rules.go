package stytchtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"guestpass/stytchtest/internal/wire"
)

// clone returns a deep copy with empty lists where s has none: Stytch sends [] and {},
// never null.
func (s Seed) clone() (copied Seed) {
	data, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(data, &copied)
	}
	if err != nil {
		panic(err) // plain data
	}
	copied.fill()
	return copied
}

func (s *Seed) fill() {
	fill(&s.Project.RedirectURLs)
	fill(&s.Organizations)
	for i := range s.Organizations {
		o := &s.Organizations[i]
		fill(&o.EmailAllowedDomains, &o.AllowedApps)
		o.TrustedMetadata = orEmptyMap(o.TrustedMetadata)
		fillRoles(o.Roles)
		for _, setting := range []*string{&o.EmailInvites, &o.FirstPartyApps, &o.ThirdPartyApps} {
			if *setting == "" {
				*setting = "ALL_ALLOWED"
			}
		}
		if o.JITProvisioning == "" {
			o.JITProvisioning = "NOT_ALLOWED"
		}
	}
	fill(&s.Members)
	fill(&s.Users)
	fill(&s.ConnectedApps)
	fill(&s.TokenProfiles)
	for i := range s.ConnectedApps {
		fill(&s.ConnectedApps[i].RedirectURLs, &s.ConnectedApps[i].PostLogoutRedirectURLs)
	}
	s.Policy.fill()
}

func (p *Policy) fill() {
	fill(&p.Roles)
	fill(&p.Resources)
	fill(&p.Scopes)
	fillRoles(p.Roles)
	for i := range p.Scopes {
		fillPermissions(&p.Scopes[i].Permissions)
	}
	for i := range p.Resources {
		fill(&p.Resources[i].Actions)
	}
}

func fillRoles(roles []Role) {
	for i := range roles {
		fillPermissions(&roles[i].Permissions)
	}
}

func fillPermissions(list *[]Permission) {
	fill(list)
	for i := range *list {
		fill(&(*list)[i].Actions)
	}
}

func fill[T any](lists ...*[]T) {
	for _, list := range lists {
		if *list == nil {
			*list = []T{}
		}
	}
}

// check names every fault of the seed. Values are named but for secrets.
func (s Seed) check() error {
	c := &seedCheck{seen: map[string]bool{}}
	c.project(s.Project)
	organizations, roles := map[string]bool{}, map[string][]Role{}
	for _, o := range s.Organizations {
		c.id("organization", o.ID)
		organizations[o.ID], roles[o.ID] = true, append(slices.Clone(s.Policy.Roles), o.Roles...)
		if bad := s.Policy.checkOwnRoles(o.Roles); bad != nil {
			c.fault("organization %s: custom_roles: %s", o.ID, bad.Message)
		}
	}
	for _, m := range s.Members {
		c.person("member", m.ID, m.Status, m.Roles, b2b, roles[m.OrganizationID])
		c.email("member "+m.ID, m.Email)
		if !organizations[m.OrganizationID] {
			c.fault("member %s: no organization %q", m.ID, m.OrganizationID)
		}
	}
	for _, u := range s.Users {
		c.person("user", u.ID, u.Status, u.Roles, consumer, s.Policy.Roles)
		if len(u.Emails) == 0 {
			c.fault("user %s: no e-mail address", u.ID)
		}
		for _, e := range u.Emails {
			c.email("user "+u.ID, e.Address)
			c.id("e-mail address", e.ID)
		}
	}
	if s.Project.Vertical == b2b.name && len(s.Users) > 0 {
		c.fault("users are of Consumer projects, this one is b2b: give members")
	}
	if s.Project.Vertical == consumer.name && len(s.Members)+len(s.Organizations) > 0 {
		c.fault("members and organizations are of B2B projects, this one is consumer: give users")
	}
	for _, a := range s.ConnectedApps {
		c.app(a)
	}
	for _, p := range s.TokenProfiles {
		c.tokenProfile(p)
	}
	return errors.Join(c.faults...)
}

// seedCheck collects faults.
type seedCheck struct {
	faults []error
	seen   map[string]bool
}

func (c *seedCheck) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("stytchtest: "+format, args...))
}

func (c *seedCheck) id(kind, id string) {
	switch {
	case id == "" || c.seen[id]:
		c.fault("%s %q: the id is empty or used twice", kind, id)
	case strings.Contains(id, "-live-"):
		c.fault("%s %s: a live id", kind, id)
	}
	c.seen[id] = true
}

func (c *seedCheck) email(whose, address string) {
	if !goodAddress(address) {
		c.fault("%s: %q is no e-mail address", whose, address)
	}
}

func (c *seedCheck) person(kind, id, status string, roles []string, v vertical, defined []Role) {
	c.id(kind, id)
	if !slices.Contains(v.statuses, status) {
		c.fault("%s %s: status %q, it must be one of %s", kind, id, status, strings.Join(v.statuses, ", "))
	}
	for _, role := range roles {
		if role != v.role && !hasRole(defined, role) {
			c.fault("%s %s: no role %q in the policy", kind, id, role)
		}
	}
}

func (c *seedCheck) app(a ConnectedApp) {
	c.id("connected app", a.ClientID)
	if !slices.Contains(clientTypes, a.Type) {
		c.fault("connected app %s: client type %q, it must be one of %s", a.ClientID, a.Type,
			strings.Join(clientTypes, ", "))
	} else if a.public() && a.ClientSecret != "" {
		c.fault("connected app %s: %s clients have no secret", a.ClientID, a.Type)
	}
	if a.MetadataURL != "" && (!a.public() || c.seen[a.MetadataURL]) {
		c.fault("connected app %s: client_id_metadata_url is of one app alone, and of a public one", a.ClientID)
	}
	c.seen[a.MetadataURL] = true
	for _, u := range append(slices.Clone(a.RedirectURLs), a.PostLogoutRedirectURLs...) {
		if bad := checkRedirectURL(u); bad != nil {
			c.fault("connected app %s: %q: %s", a.ClientID, u, bad.Message)
		}
	}
}

func (c *seedCheck) project(p Project) {
	for _, given := range []struct{ name, value string }{{"project id", p.ID}, {"project secret", p.Secret},
		{"public token", p.PublicToken}} {
		if before, _, live := strings.Cut(given.value, "-live-"); live {
			c.fault("the %s %s-live-… is live: the emulator never stands in for a live project", given.name, before)
		}
	}
	if p.ID == "" {
		c.fault("the project id is empty")
	}
	if p.Vertical != b2b.name && p.Vertical != consumer.name {
		c.fault("vertical %q: it must be b2b or consumer", p.Vertical)
	}
}

// invent makes up the secrets that the seed leaves out: they are new at each start.
func (s *Seed) invent() {
	p := &s.Project
	for _, field := range []struct {
		value *string
		made  string
	}{{&p.Secret, "secret-test-" + secret()}, {&p.PublicToken, wire.NewID("public-token")}, {&p.Slug, "project"},
		{&p.Environment, "test"},
		{&p.WorkspaceKey, "workspace-key-" + secret()[:8]}, {&p.WorkspaceSecret, secret()}} {
		if *field.value == "" {
			*field.value = field.made
		}
	}
	for i := range s.ConnectedApps {
		if a := &s.ConnectedApps[i]; a.ClientSecret == "" && !a.public() {
			a.ClientSecret = secret()
		}
	}
	if p.NoProject || p.NoEnvironment {
		p.NoEnvironment = true
		s.bare()
	}
	if p.PublicTokens == nil {
		p.PublicTokens = []PublicToken{{Token: p.PublicToken, CreatedAt: born}}
	}
	if p.Secrets == nil {
		p.Secrets = []Secret{{ID: "secret-id-test-1", Secret: p.Secret, CreatedAt: born}}
	}
	p.first()
}

// bare takes away what a new environment does not have.
func (s *Seed) bare() {
	p := &s.Project
	p.PublicTokens, p.Secrets, p.AuthorizationURL, p.RedirectURLs = []PublicToken{}, []Secret{}, "", []RedirectURL{}
	p.Registration, p.RegistrationTemplate, p.SDK = false, "", map[string]any{}
	s.ConnectedApps = []ConnectedApp{}
	s.Policy.Scopes = []CustomScope{}
	s.Policy.Roles = slices.DeleteFunc(s.Policy.Roles,
		func(r Role) bool { return !slices.Contains(defaultRoles, r.ID) })
	s.Policy.Resources = slices.DeleteFunc(s.Policy.Resources, func(r Resource) bool { return !ofStytch(r.ID) })
	for i := range s.Policy.Roles {
		role := &s.Policy.Roles[i]
		role.Permissions = slices.DeleteFunc(role.Permissions,
			func(p Permission) bool { return !ofStytch(p.ResourceID) })
	}
}

// first keeps the two fields for one of each what the lists begin with.
func (p *Project) first() {
	p.PublicToken, p.Secret = "", ""
	if len(p.PublicTokens) > 0 {
		p.PublicToken = p.PublicTokens[0].Token
	}
	if len(p.Secrets) > 0 {
		p.Secret = p.Secrets[0].Secret
	}
}

var clientTypes = []string{"first_party", "first_party_public", "third_party", "third_party_public"}

func (p Policy) hasRole(id string) bool { return hasRole(p.Roles, id) }

func hasRole(roles []Role, id string) bool {
	return slices.ContainsFunc(roles, func(r Role) bool { return r.ID == id })
}
