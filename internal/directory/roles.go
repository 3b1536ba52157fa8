package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/stytchauth/stytch-go/v16/stytch/b2b/rbac"
)

// policy is what each role of the project may do.
type policy map[string][]rbac.PolicyRolePermission

// permits says whether a role covers the action; "*" stands for every action.
func (p policy) permits(role, resource, action string) bool {
	return slices.ContainsFunc(p[role], func(granted rbac.PolicyRolePermission) bool {
		return granted.ResourceID == resource &&
			(slices.Contains(granted.Actions, action) || slices.Contains(granted.Actions, "*"))
	})
}

// Permits says whether the member's own Stytch roles cover the action on the RBAC
// resource. Roles and policy are believed for 60 seconds. A member who is gone or
// not active has no permissions: false, without an error.
func (d *Directory) Permits(ctx context.Context, organizationID, memberID, resource, action string) (bool, error) {
	roles, err := d.memberRoles(ctx, organizationID, memberID)
	if err != nil {
		return false, err
	}
	rules, err := d.currentPolicy(ctx)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(roles, func(role string) bool { return rules.permits(role, resource, action) }), nil
}

func (d *Directory) memberRoles(ctx context.Context, organizationID, memberID string) ([]string, error) {
	key := organizationID + " " + memberID
	d.mu.Lock()
	known, ok := d.roles[key]
	d.mu.Unlock()
	if ok && d.options.Now().Before(known.until) {
		return known.value, nil
	}
	m, _, err := d.Member(ctx, organizationID, memberID)
	switch {
	case errors.Is(err, ErrNotFound):
		m.Roles = nil
	case err != nil:
		return nil, err
	case m.Status != "active":
		m.Roles = nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.roles) >= maxCached {
		clear(d.roles)
	}
	d.roles[key] = cached[[]string]{value: m.Roles, until: d.options.Now().Add(cacheFor)}
	return m.Roles, nil
}

func (d *Directory) currentPolicy(ctx context.Context) (policy, error) {
	d.mu.Lock()
	known := d.policy
	d.mu.Unlock()
	if d.options.Now().Before(known.until) {
		return known.value, nil
	}
	return d.fetchPolicy(ctx)
}

func (d *Directory) fetchPolicy(ctx context.Context) (policy, error) {
	answer, err := d.api.RBAC.Policy(ctx, &rbac.PolicyParams{})
	if err != nil {
		return nil, fmt.Errorf("read the RBAC policy: %w", d.translate(ctx, err))
	}
	rules := policy{}
	for _, role := range answer.Policy.Roles {
		rules[role.RoleID] = role.Permissions
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.policy = cached[policy]{value: rules, until: d.options.Now().Add(cacheFor)}
	return rules, nil
}
