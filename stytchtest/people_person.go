package stytchtest

import (
	"slices"
	"strings"
	"time"
)

// A person is whoever signs in, consents and owns tokens: a member of an organization,
// or in a Consumer project a user.
type person struct {
	id, organizationID string   // organizationID "" for users
	emails             []Email  // the first is the one that counts; a member has one
	name               string   // whole, of members
	parts              UserName // of users
	status             string
	roles              []string // the one that everybody has included
	password           string   // "" for none; everything here is made up
	externalID         string
	created, updated   time.Time
	trusted, untrusted map[string]any
	providers          []OAuthProvider
}

func (p *person) email() string { return p.emails[0].Address }

// verified reports whether somebody has once shown that they read the address's mail.
func (p *person) verified() bool { return p.emails[0].Verified }

// mayAct reports whether the person may hold sessions, consents and tokens.
func (p *person) mayAct() bool { return p != nil && p.status == "active" }

func (p *person) hasEmail(address string) bool {
	return slices.ContainsFunc(p.emails, func(e Email) bool { return strings.EqualFold(e.Address, address) })
}

func (p *person) fullName() string {
	if p.organizationID != "" {
		return p.name
	}
	return strings.Join(strings.Fields(p.parts.First+" "+p.parts.Middle+" "+p.parts.Last), " ")
}

// nameParts returns given and family name. A member has one name only; it is taken apart
// at the first space.
func (p *person) nameParts() UserName {
	if p.organizationID == "" {
		return p.parts
	}
	if given, family, ok := strings.Cut(p.name, " "); ok {
		return UserName{First: given, Last: family}
	}
	return UserName{}
}

func personOfMember(m Member) *person {
	return &person{id: m.ID, organizationID: m.OrganizationID, name: m.Name, status: m.Status,
		roles:  withRole(b2b.role, m.Roles),
		emails: []Email{{ID: "email-" + m.ID, Address: m.Email, Verified: m.Status == "active"}}, password: m.Password,
		externalID: m.ExternalID, created: m.CreatedAt, updated: later(m.UpdatedAt, m.CreatedAt),
		trusted: orEmptyMap(m.TrustedMetadata), untrusted: orEmptyMap(m.UntrustedMetadata), providers: m.Providers}
}

func personOfUser(u User) *person {
	return &person{id: u.ID, parts: u.Name, status: u.Status, roles: withRole(consumer.role, u.Roles), emails: u.Emails,
		password:   u.Password,
		externalID: u.ExternalID, created: u.CreatedAt, updated: later(u.UpdatedAt, u.CreatedAt),
		trusted: orEmptyMap(u.TrustedMetadata), untrusted: orEmptyMap(u.UntrustedMetadata), providers: u.Providers}
}

func (p *person) member() Member {
	return Member{ID: p.id, OrganizationID: p.organizationID, Email: p.email(), Name: p.name, Status: p.status,
		Roles:    p.roles,
		Password: p.password, ExternalID: p.externalID, CreatedAt: p.created, UpdatedAt: p.updated,
		TrustedMetadata: p.trusted, UntrustedMetadata: p.untrusted, Providers: p.providers}
}

func (p *person) user() User {
	return User{ID: p.id, Emails: p.emails, Name: p.parts, Status: p.status, Roles: p.roles, Password: p.password,
		ExternalID: p.externalID, CreatedAt: p.created, UpdatedAt: p.updated,
		TrustedMetadata: p.trusted, UntrustedMetadata: p.untrusted, Providers: p.providers}
}

// withRole puts the role that everybody has first.
func withRole(role string, others []string) []string {
	roles := []string{role}
	for _, other := range others {
		if !slices.Contains(roles, other) {
			roles = append(roles, other)
		}
	}
	return roles
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func orEmptyMap(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
