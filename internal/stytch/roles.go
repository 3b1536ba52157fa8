package stytch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/stytchauth/stytch-go/v16/stytch"
	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"
	"golang.org/x/sync/singleflight"

	"guestpass/directory"
	"guestpass/internal/text"
)

// A Policy is the project's RBAC policy: what each role may do, which actions there are, and
// what the custom scopes are for, in the project's own words.
type Policy struct {
	roles     map[string][]permission
	resources []permission // each with all its actions
	scopes    map[string]string
	allows    map[string][]permission // by scope
}

// HasScope reports whether the project has the custom scope.
func (p Policy) HasScope(name string) bool { _, has := p.scopes[name]; return has }

// IsFree reports whether the project has the custom scope without any permission: Stytch
// grants it to everybody.
func (p Policy) IsFree(scope string) bool {
	return p.HasScope(scope) && len(p.apart(p.allows[scope])) == 0
}

// HasAction reports whether there is the action on the resource, or a role that covers it:
// else nobody can ever have the permission.
func (p Policy) HasAction(resource, action string) bool {
	return covers(p.resources, resource, action) ||
		permits(p.roles, slices.Collect(maps.Keys(p.roles)), resource, action)
}

// RolesFor returns the project's roles that cover the action on the resource, in order.
func (p Policy) RolesFor(resource, name string) []string {
	return p.rolesCovering([]action{{resource, name}})
}

// RolesForScope returns the project's roles that cover all of the scope's permissions, which is when Stytch grants it.
func (p Policy) RolesForScope(scope string) []string {
	return p.rolesCovering(p.apart(p.allows[scope]))
}

// StandsFor returns the permissions of the scope, each as resource:action; none for one that is free.
func (p Policy) StandsFor(scope string) (permissions []string) {
	for _, a := range p.apart(p.allows[scope]) {
		permissions = append(permissions, a.resource+":"+a.action)
	}
	return permissions
}

func (p Policy) rolesCovering(wanted []action) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(p.roles)) {
		if !slices.ContainsFunc(wanted, func(a action) bool { return !covers(p.roles[name], a.resource, a.action) }) {
			names = append(names, name)
		}
	}
	return names
}

type permission struct {
	ResourceID string   `json:"resource_id"`
	Actions    []string `json:"actions"`
}

// permits reports whether one of the roles covers the action; "*" stands for every action.
func permits(defined map[string][]permission, roles []string, resource, action string) bool {
	return slices.ContainsFunc(roles, func(role string) bool {
		return covers(defined[role], resource, action)
	})
}

func covers(permissions []permission, resource, action string) bool {
	return slices.ContainsFunc(permissions, func(p permission) bool {
		return p.ResourceID == resource && (slices.Contains(p.Actions, action) || slices.Contains(p.Actions, "*"))
	})
}

func (c *client) ScopeDescriptions(ctx context.Context) (map[string]string, error) {
	rules, err := c.currentPolicy(ctx)
	return rules.scopes, err
}

// organizationRoles returns the roles that an organization has beside the project's, by id;
// nil for none. They are believed for 60 seconds, and count in that organization alone.
func (d *B2B) organizationRoles(ctx context.Context, organizationID string) (map[string][]permission, error) {
	ctx = ask(ctx, askOwnRoles, organizationID, "")
	roles, err := shared(ctx, &d.reading, organizationID, func(ctx context.Context) (map[string][]permission, error) {
		return d.own.get(ctx, d.client, organizationID,
			func() (map[string][]permission, error) { return d.fetchOrganizationRoles(ctx, organizationID) })
	})
	if errors.Is(err, directory.ErrNotFound) {
		return nil, nil
	}
	return roles, err
}

// shared makes one call for all who want the same at the same time. Who gives up before it
// has ended does not end it for the others.
func shared[T any](ctx context.Context, calls *singleflight.Group, key string,
	call func(context.Context) (T, error)) (none T, err error) {
	answer := calls.DoChan(key, func() (any, error) { return call(context.WithoutCancel(ctx)) })
	select {
	case <-ctx.Done():
		return none, &directory.UnavailableError{Cause: context.Cause(ctx)}
	case got := <-answer:
		if got.Err != nil {
			return none, got.Err
		}
		return got.Val.(T), nil
	}
}

// fetchOrganizationRoles goes past stytch-go, which has the call from v18 on only.
func (d *B2B) fetchOrganizationRoles(ctx context.Context, organizationID string) (map[string][]permission, error) {
	var answer struct {
		Policy *struct {
			Roles []role `json:"roles"`
		} `json:"org_policy"`
	}
	err := d.raw.NewRequest(ctx, stytch.RequestParams{Method: http.MethodGet,
		Path: "/v1/b2b/rbac/organizations/" + url.PathEscape(organizationID), V: &answer})
	var fault stytcherror.Error
	switch {
	case errors.As(err, &fault) && fault.StatusCode == http.StatusNotFound &&
		!errors.Is(d.translate(ctx, err), directory.ErrCredentials):
		return nil, directory.ErrNotFound // of whatever kind: it takes permissions away, and gives none
	case err != nil:
		return nil, fmt.Errorf("read the roles of %s: %w", organizationID, d.translate(ctx, err))
	case answer.Policy == nil:
		return nil, fmt.Errorf("read the roles of %s: %w", organizationID, &UnexpectedError{"no policy in it"})
	}
	roles, err := rolesByID(answer.Policy.Roles)
	if err != nil {
		return nil, fmt.Errorf("read the roles of %s: %w", organizationID, err)
	}
	return roles, nil
}

// role is one of a policy's.
type role struct {
	RoleID      string       `json:"role_id"`
	Permissions []permission `json:"permissions"`
}

// rolesByID refuses what could be understood in two ways.
func rolesByID(roles []role) (map[string][]permission, error) {
	defined := map[string][]permission{}
	for _, r := range roles {
		if _, twice := defined[r.RoleID]; twice || r.RoleID == "" {
			return nil, &UnexpectedError{"a role without a name, or twice"}
		}
		defined[r.RoleID] = r.Permissions
	}
	return defined, nil
}

func (c *client) Policy(ctx context.Context) (Policy, error) {
	return c.fetchPolicy(InBackground(ctx))
}

// currentPolicy is at most a minute old.
func (c *client) currentPolicy(ctx context.Context) (Policy, error) {
	if known, ok := c.believedPolicy(); ok {
		return known, nil
	}
	ctx = askForAnybody(ctx, askPolicy)
	return shared(ctx, &c.reading, whoAsks(ctx), func(ctx context.Context) (Policy, error) {
		if known, ok := c.believedPolicy(); ok { // fetched since
			return known, nil
		}
		return c.fetchPolicy(ctx)
	})
}

func (c *client) believedPolicy() (Policy, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.policy.value, c.options.Now().Before(c.policy.until)
}

// fetchPolicy goes past stytch-go's typed clients: the two verticals have the same
// policy at different paths, and there in types that are equal but not the same.
func (c *client) fetchPolicy(ctx context.Context) (Policy, error) {
	var answer struct {
		Policy *struct {
			Roles     []role       `json:"roles"`
			Resources []permission `json:"resources"`
			Scopes    []struct {
				Scope       string       `json:"scope"`
				Description string       `json:"description"`
				Permissions []permission `json:"permissions"`
			} `json:"scopes"`
		} `json:"policy"`
	}
	until := c.options.Now().Add(cacheFor) // from before the question
	ctx = askForAnybody(ctx, askPolicy)
	err := c.asVisitor(ctx, func() error {
		return c.raw.NewRequest(ctx, stytch.RequestParams{Method: http.MethodGet, Path: c.policyPath, V: &answer})
	})
	if err != nil {
		return Policy{}, fmt.Errorf("read the RBAC policy: %w", c.translate(ctx, err))
	}
	if answer.Policy == nil {
		return Policy{}, fmt.Errorf("read the RBAC policy: %w", &UnexpectedError{"no policy in it"})
	}
	roles, err := rolesByID(answer.Policy.Roles)
	if err != nil {
		return Policy{}, fmt.Errorf("read the RBAC policy: %w", err)
	}
	rules := Policy{roles, answer.Policy.Resources, map[string]string{}, map[string][]permission{}}
	for _, scope := range answer.Policy.Scopes {
		rules.scopes[scope.Scope] = text.Line(scope.Description)
		rules.allows[scope.Scope] = append(rules.allows[scope.Scope], scope.Permissions...) // twice: it takes both
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.policy = cached[Policy]{value: rules, until: until}
	return rules, nil
}
