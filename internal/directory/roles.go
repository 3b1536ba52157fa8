package directory

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/stytchauth/stytch-go/v16/stytch"
)

// policy is the project's RBAC policy: what each role may do, and what the custom
// scopes are for, in the project's own words.
type policy struct {
	roles  map[string][]permission
	scopes map[string]string
}

type permission struct {
	ResourceID string   `json:"resource_id"`
	Actions    []string `json:"actions"`
}

// permits says whether a role covers the action; "*" stands for every action.
func (p policy) permits(role, resource, action string) bool {
	return slices.ContainsFunc(p.roles[role], func(granted permission) bool {
		return granted.ResourceID == resource &&
			(slices.Contains(granted.Actions, action) || slices.Contains(granted.Actions, "*"))
	})
}

func (c *client) Permits(ctx context.Context, organizationID, id, resource, action string) (bool, error) {
	person, _, err := c.standingOf(ctx, organizationID, id)
	if err != nil {
		return false, err
	}
	rules, err := c.currentPolicy(forAdmission(ctx))
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(person.roles, func(role string) bool { return rules.permits(role, resource, action) }), nil
}

func (c *client) ScopeDescriptions(ctx context.Context) (map[string]string, error) {
	rules, err := c.currentPolicy(ctx)
	return rules.scopes, err
}

func (c *client) currentPolicy(ctx context.Context) (policy, error) {
	c.mu.Lock()
	known := c.policy
	c.mu.Unlock()
	if c.options.Now().Before(known.until) {
		return known.value, nil
	}
	return c.fetchPolicy(ctx)
}

// fetchPolicy goes past stytch-go's typed clients: the two verticals have the same
// policy at different paths, and there in types that are equal but not the same.
func (c *client) fetchPolicy(ctx context.Context) (policy, error) {
	var answer struct {
		Policy struct {
			Roles []struct {
				RoleID      string       `json:"role_id"`
				Permissions []permission `json:"permissions"`
			} `json:"roles"`
			Scopes []struct {
				Scope       string `json:"scope"`
				Description string `json:"description"`
			} `json:"scopes"`
		} `json:"policy"`
	}
	err := c.raw.NewRequest(ctx, stytch.RequestParams{Method: http.MethodGet, Path: c.policyPath, V: &answer})
	if err != nil {
		return policy{}, fmt.Errorf("read the RBAC policy: %w", c.translate(ctx, err))
	}
	rules := policy{map[string][]permission{}, map[string]string{}}
	for _, role := range answer.Policy.Roles {
		rules.roles[role.RoleID] = role.Permissions
	}
	for _, scope := range answer.Policy.Scopes {
		rules.scopes[scope.Scope] = scope.Description
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.policy = cached[policy]{value: rules, until: c.options.Now().Add(cacheFor)}
	return rules, nil
}
