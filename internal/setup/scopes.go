package setup

import (
	"fmt"
	"slices"
	"strings"

	"guestpass/internal/management"
)

// Stytch gives a person a scope for a role that has all permissions of the scope. A scope that is there already, under
// a name that operations need, may have other permissions than those that are meant: it stays, and what it comes to is
// told.

// standsFor reports whether a role with what is needed counts for the scope. One without permissions everybody has.
func standsFor(scope management.Object, need Need) bool {
	permissions, _ := scope["permissions"].([]any)
	return need.Resource == "" || len(permissions) == 0 || allows(permissions, need.Resource, need.Action)
}

// allows reports whether permissions cover an action on a resource.
func allows(permissions []any, resource, action string) bool {
	return slices.ContainsFunc(permissions, func(entry any) bool {
		permission, _ := entry.(management.Object)
		actions := texts(permission["actions"])
		return permission["resource_id"] == resource && (slices.Contains(actions, action) ||
			slices.Contains(actions, "*"))
	})
}

// tellScopes says which scopes nobody is given, which is left to a person, and which are given for something else than
// their name says. The policy is the merged one.
func (p *Plan) tellScopes(policy management.Object, needs []Need) {
	scopes, _ := policy["custom_scopes"].([]any)
	var steps []string
	for _, need := range needs {
		scope := find(scopes, "scope", need.Scope)
		permissions, _ := scope["permissions"].([]any)
		switch told := need.Scope + " is there already, and stands for " + spelled(permissions); {
		case scope == nil || len(permissions) == 0:
		case !held(policy, permissions):
			steps = append(steps, fmt.Sprintf("the scope %s, which no role has as a whole, so that nobody is given "+
				"it: give that to roles, or let the scope stand for %s alone and run this again", told,
				need.permission()))
		case !standsFor(scope, need):
			p.Notes = append(p.Notes, fmt.Sprintf("the scope %s: roles with that count for it, and %s does not",
				told, need.permission()))
		}
	}
	if len(steps) > 0 {
		p.ByHand = append(p.ByHand, Step{"Roles & Permissions", steps})
	}
}

// held reports whether some role has all of the permissions.
func held(policy management.Object, permissions []any) bool {
	custom, _ := policy["custom_roles"].([]any)
	roles := append(slices.Clone(custom), policy["stytch_member"], policy["stytch_admin"], policy["stytch_user"])
	resources, _ := policy["custom_resources"].([]any)
	return slices.ContainsFunc(roles, func(entry any) bool {
		role, _ := entry.(management.Object)
		has, _ := role["permissions"].([]any)
		return !slices.ContainsFunc(permissions, func(entry any) bool {
			wanted, _ := entry.(management.Object)
			resource, _ := wanted["resource_id"].(string)
			actions := texts(wanted["actions"])
			if all := find(resources, "resource_id", resource); slices.Contains(actions, "*") && all != nil {
				actions = texts(all["available_actions"])
			}
			return slices.ContainsFunc(actions, func(action string) bool { return !allows(has, resource, action) })
		})
	})
}

// spelled returns permissions as the dashboard has them.
func spelled(permissions []any) string {
	var words []string
	for _, entry := range permissions {
		permission, _ := entry.(management.Object)
		resource, _ := permission["resource_id"].(string)
		words = append(words, resource+": "+strings.Join(texts(permission["actions"]), ", "))
	}
	return strings.Join(words, "; ")
}
