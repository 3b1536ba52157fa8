package stytchtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"guestpass/stytchtest/internal/wire"
)

// The RBAC policy, as the management API has it: default roles under names of their own,
// Stytch's own resources apart.

var defaultRoles = []string{"stytch_member", "stytch_admin", "stytch_user"}

func ofStytch(resource string) bool { return strings.HasPrefix(resource, "stytch") }

// managedResource has another name for the actions than the policy that servers read.
type managedResource struct {
	ID          string   `json:"resource_id"`
	Description string   `json:"description"`
	Actions     []string `json:"available_actions"`
}

// managedPolicy leaves out the permissions that default roles have from the start: who
// sets a policy reads the same again.
func (e *Emulator) managedPolicy(*call) (any, *wire.Failure) {
	custom, policy := []Role{}, map[string]any{"custom_scopes": e.state.policy.Scopes}
	for _, role := range e.state.policy.Roles {
		if !slices.Contains(defaultRoles, role.ID) {
			custom = append(custom, role)
			continue
		}
		mandatory := e.mandatory(role.ID)
		policy[role.ID] = map[string]any{"permissions": slices.DeleteFunc(slices.Clone(role.Permissions),
			func(p Permission) bool { return p.in(mandatory) })}
	}
	own, others := []managedResource{}, []managedResource{}
	for _, r := range e.state.policy.Resources {
		if ofStytch(r.ID) {
			own = append(own, managedResource(r))
		} else {
			others = append(others, managedResource(r))
		}
	}
	policy["custom_roles"], policy["stytch_resources"], policy["custom_resources"] = custom, own, others
	return map[string]any{"policy": policy}, nil
}

// mandatory returns a default role's permissions on Stytch's own resources, as the seed has them.
func (e *Emulator) mandatory(roleID string) (permissions []Permission) {
	for _, role := range e.seed.Policy.Roles {
		for _, p := range role.Permissions {
			if role.ID == roleID && ofStytch(p.ResourceID) {
				permissions = append(permissions, p)
			}
		}
	}
	return permissions
}

func (p Permission) in(list []Permission) bool {
	return slices.ContainsFunc(list, func(other Permission) bool {
		return other.ResourceID == p.ResourceID && slices.Equal(other.Actions, p.Actions)
	})
}

// managedRules is the body of a PUT.
type managedRules struct {
	Member    *Role             `json:"stytch_member"`
	Admin     *Role             `json:"stytch_admin"`
	User      *Role             `json:"stytch_user"`
	Roles     []Role            `json:"custom_roles"`
	Scopes    []CustomScope     `json:"custom_scopes"`
	Resources []managedResource `json:"custom_resources"`
}

func (r managedRules) defaults() map[string]*Role {
	return map[string]*Role{"stytch_member": r.Member, "stytch_admin": r.Admin, "stytch_user": r.User}
}

// replacePolicy replaces the whole of it, but for Stytch's own resources and the
// permissions on them that the default roles must keep.
func (e *Emulator) replacePolicy(c *call) (any, *wire.Failure) {
	var rules managedRules
	data, err := json.Marshal(c.Body)
	if err == nil {
		err = json.Unmarshal(data, &rules)
	}
	if err != nil {
		return nil, c.Unreadable(http.StatusBadRequest, "The policy is malformed.")
	}
	policy := Policy{Scopes: rules.Scopes}
	for id, role := range rules.defaults() {
		if role != nil && !e.seed.Policy.hasRole(id) {
			return nil, wire.Fail(http.StatusBadRequest, "invalid_role_for_vertical", "The project has no role "+id+".")
		}
	}
	for _, old := range e.seed.Policy.Roles {
		if slices.Contains(defaultRoles, old.ID) {
			role := Role{ID: old.ID, Description: old.Description, Permissions: e.mandatory(old.ID)}
			if given := rules.defaults()[old.ID]; given != nil {
				role.Permissions = append(role.Permissions, slices.DeleteFunc(given.Permissions,
					func(p Permission) bool { return p.in(role.Permissions) })...)
			}
			policy.Roles = append(policy.Roles, role)
		}
	}
	policy.Roles = append(policy.Roles, rules.Roles...)
	for _, r := range e.seed.Policy.Resources {
		if ofStytch(r.ID) {
			policy.Resources = append(policy.Resources, r)
		}
	}
	for _, r := range rules.Resources {
		if ofStytch(r.ID) {
			return nil, wire.Fail(http.StatusBadRequest, "invalid_stytch_prefixed_resource",
				"Custom resources may not begin with stytch.")
		}
		policy.Resources = append(policy.Resources, Resource(r))
	}
	policy.fill()
	if bad := policy.consistent(); bad != nil {
		return nil, bad
	}
	e.state.policy = policy
	return e.managedPolicy(c)
}

// consistent refuses what is there twice, has no name or nothing in it, is reserved, or
// speaks of what does not exist.
func (p Policy) consistent() *wire.Failure {
	seen := map[string]bool{}
	named := func(kind, name string) *wire.Failure {
		empty := map[string]string{"role": "empty_rbac_role_id", "resource": "empty_rbac_resource_id",
			"scope": "empty_rbac_scope"}
		if name == "" {
			return wire.Fail(http.StatusBadRequest, empty[kind], "A "+kind+" has no name.")
		}
		if seen[kind+" "+name] {
			return wire.Fail(http.StatusBadRequest, "rbac_"+kind+"_duplicate", "The "+kind+" "+name+" is there twice.")
		}
		seen[kind+" "+name] = true
		return nil
	}
	for _, r := range p.Resources {
		if bad := named("resource", r.ID); bad != nil {
			return bad
		}
		if len(r.Actions) == 0 {
			return wire.Fail(http.StatusBadRequest, "rbac_resource_missing_actions",
				"The resource "+r.ID+" has no actions.")
		}
	}
	for _, r := range p.Roles {
		bad := named("role", r.ID)
		if bad == nil {
			bad = p.exist(r.Permissions)
		}
		if bad != nil {
			return bad
		}
	}
	for _, s := range p.Scopes {
		bad := named("scope", s.Name)
		if _, reserved := builtInScopes[s.Name]; reserved {
			bad = wire.Fail(http.StatusBadRequest, "rbac_reserved_scope", "The scope "+s.Name+" is reserved.")
		} else if bad == nil && len(s.Permissions) == 0 {
			bad = wire.Fail(http.StatusBadRequest, "rbac_scope_missing_permissions",
				"The scope "+s.Name+" has no permissions.")
		}
		if bad == nil {
			bad = p.exist(s.Permissions)
		}
		if bad != nil {
			return bad
		}
	}
	return nil
}

// exist looks whether the policy has what permissions speak of. The actions of Stytch's
// own resources are more than the emulator knows.
func (p Policy) exist(permissions []Permission) *wire.Failure {
	for _, permission := range permissions {
		i := slices.IndexFunc(p.Resources, func(r Resource) bool { return r.ID == permission.ResourceID })
		if i < 0 {
			return wire.Fail(http.StatusBadRequest, "invalid_permission_resource",
				"The resource "+permission.ResourceID+
					" does not exist.")
		}
		if len(permission.Actions) == 0 {
			return wire.Fail(http.StatusBadRequest, "rbac_permission_missing_actions",
				"A permission on "+permission.ResourceID+" has no actions.")
		}
		if slices.Contains(permission.Actions, "*") && len(permission.Actions) > 1 {
			return wire.Fail(http.StatusBadRequest, "invalid_wildcard_action", "* stands alone.")
		}
		for _, action := range permission.Actions {
			if action != "*" && !ofStytch(permission.ResourceID) && !slices.Contains(p.Resources[i].Actions, action) {
				return wire.Fail(http.StatusBadRequest, "invalid_permission_action",
					"The resource "+permission.ResourceID+
						" has no action "+action+".")
			}
		}
	}
	return nil
}
