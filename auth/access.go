package auth

import (
	"fmt"
	"strings"
)

// Access says which identities an operation admits. The zero Access admits nobody.
type Access struct {
	public           bool
	scope            string
	resource, action string
}

// Public admits everybody, signed in or not. It is a value to be written down where
// an operation is declared: nothing is public by omission.
var Public = Access{public: true}

// Scope admits identities whose token carries the scope. For projects that go by
// role, "members:read" also stands for the RBAC action read on the resource members;
// a scope without a colon, like openid, for no permission but being signed in.
func Scope(name string) Access {
	resource, action, ok := strings.Cut(name, ":")
	if !ok {
		resource = ""
	}
	return Access{scope: name, resource: resource, action: action}
}

// Permission names the RBAC resource and action that stand for the access in
// projects that go by role, where they differ from the scope's.
func (a Access) Permission(resource, action string) Access {
	a.resource, a.action = resource, action
	return a
}

// IsPublic, IsZero, ScopeName and RBAC take the declaration apart.
func (a Access) IsPublic() bool                  { return a.public }
func (a Access) IsZero() bool                    { return !a.public && a.scope == "" }
func (a Access) ScopeName() string               { return a.scope }
func (a Access) RBAC() (resource, action string) { return a.resource, a.action }

// CheckScope returns nil if the identity is admitted by scope, else an error that
// wraps [ErrInsufficientScope].
func (a Access) CheckScope(identity Identity) error {
	if a.public || (a.scope != "" && identity.Scopes.Has(a.scope)) {
		return nil
	}
	return &refusal{sentinel: ErrInsufficientScope, reason: fmt.Sprintf("needs %q", a.scope), claim: "scope",
		found: shown(identity.Scopes.String()), expected: a.scope,
		hint: "the person did not grant it, or the project's RBAC policy gives it to none of their roles"}
}

// RefuseRoles returns the error for somebody whom the token would admit but whose roles do not:
// it wraps [ErrInsufficientRole]. roles and lacks, what none of them covers, are for the log.
func (a Access) RefuseRoles(roles []string, lacks string) error {
	return &refusal{sentinel: ErrInsufficientRole, reason: fmt.Sprintf("no role for %q", a.scope),
		found: shown(strings.Join(roles, " ")), expected: shown(lacks),
		hint: "in Stytch the person's roles do not cover this, or not any more; another token would not help"}
}
