package stytch

import (
	"context"
	"errors"
	"slices"

	"guestpass/directory"
)

// An authority is what somebody may do, as Stytch had it a minute ago at most.
type authority struct {
	*client
	organizationID string
	roles          []string // with the one that everybody has, which Stytch need not list
	rules          Policy
}

// authorityOf fails with ErrNotFound or ErrInactive for who may do nothing any more.
func (c *client) authorityOf(ctx context.Context, organizationID, id string) (authority, error) {
	person, _, err := c.standingOf(ctx, organizationID, id)
	if err == nil {
		err = person.err
	}
	if err != nil {
		return authority{}, err
	}
	rules, err := c.currentPolicy(forAdmission(ctx))
	return authority{c, organizationID, append(slices.Clone(person.roles), c.everybody), rules}, err
}

// covers goes by the project's roles first: an organization's own are asked for only when
// they matter, and never change what a role of the project means.
func (a authority) covers(ctx context.Context, resource, action string) (bool, error) {
	if permits(a.rules.roles, a.roles, resource, action) {
		return true, nil
	}
	own := slices.DeleteFunc(slices.Clone(a.roles), func(role string) bool {
		_, ofProject := a.rules.roles[role]
		return ofProject || role == a.everybody
	})
	if a.ownRoles == nil || len(own) == 0 {
		return false, nil
	}
	defined, err := a.ownRoles(forAdmission(ctx), a.organizationID)
	if err != nil {
		return false, err
	}
	return permits(defined, own, resource, action), nil
}

func (c *client) Permits(ctx context.Context, organizationID, id, resource, action string) (bool, error) {
	who, err := c.authorityOf(ctx, organizationID, id)
	if errors.Is(err, directory.ErrNotFound) || errors.Is(err, directory.ErrInactive) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return who.covers(ctx, resource, action)
}

// standardScopes are those that Stytch has itself. What each allows is the person's own to
// give, so no role stands behind it.
var standardScopes = []string{"openid", "profile", "email", "phone", "offline_access"}

func (c *client) CheckScope(ctx context.Context, organizationID, id, scope string) error {
	who, err := c.authorityOf(ctx, organizationID, id)
	if err != nil {
		return err
	}
	needed, defined := who.rules.allows[scope]
	if !defined && !slices.Contains(standardScopes, scope) {
		return &directory.RolesError{Roles: who.roles, Lacks: "a scope that the project's policy does not have"}
	}
	for _, p := range who.rules.apart(needed) {
		covered, err := who.covers(ctx, p.resource, p.action)
		if err != nil {
			return err
		}
		if !covered {
			return &directory.RolesError{Roles: who.roles, Lacks: p.action + " on " + p.resource}
		}
	}
	return nil
}

type action struct{ resource, action string }

// apart takes a scope's permissions apart. "*" is every action that the resource has; if the
// policy does not list them, only a role with "*" covers it.
func (p Policy) apart(permissions []permission) (actions []action) {
	for _, needed := range permissions {
		for _, name := range needed.Actions {
			at := slices.IndexFunc(p.resources, func(r permission) bool { return r.ResourceID == needed.ResourceID })
			if name != "*" || at < 0 || len(p.resources[at].Actions) == 0 {
				actions = append(actions, action{needed.ResourceID, name})
				continue
			}
			for _, one := range p.resources[at].Actions {
				actions = append(actions, action{needed.ResourceID, one})
			}
		}
	}
	return actions
}
