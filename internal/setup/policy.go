package setup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"guestpass/internal/management"
)

// readPolicy plans resources, scopes and grants that operations need and the policy lacks.
func (s *Setup) readPolicy(ctx context.Context, p *Plan) error {
	needs, err := s.goal.Needs(s.vertical())
	if err != nil {
		return err
	}
	policy := management.Object{}
	if s.environment.Slug != "" {
		if policy, err = s.options.Workspace.Policy(ctx, s.environment); err != nil {
			return err
		}
	}
	lines, err := mergePolicy(policy, s.vertical(), needs)
	if err != nil {
		return err
	}
	p.tellScopes(policy, needs)
	if len(lines) == 0 {
		return nil
	}
	p.Changes = append(p.Changes, Change{What: "Roles & Permissions", Lines: lines,
		do: func(ctx context.Context) error {
			policy, err := s.options.Workspace.Policy(ctx, s.environment) // as it is now
			if err != nil {
				return err
			}
			lines, err := mergePolicy(policy, s.vertical(), needs)
			if err != nil || len(lines) == 0 {
				return err
			}
			delete(policy, "stytch_resources") // which Stytch shows, and nobody can set
			return s.options.Workspace.SetPolicy(ctx, s.environment, policy)
		}})
	return nil
}

// A policy is one that is being merged.
type policy struct {
	object    management.Object
	lists     map[string][]any // custom_resources, custom_scopes and custom_roles
	defaults  map[string]management.Object
	everybody string // the default role that everybody has
	lines     []string
}

// mergePolicy adds what is needed to a policy, and tells how as lines of a diff. Nothing that is there changes: a scope
// keeps its description and its permissions, and a permission that somebody gave to a role, whichever, is given to no
// other.
func mergePolicy(object management.Object, vertical string, needs []Need) (lines []string, err error) {
	p := &policy{object: object, everybody: "stytch_member"}
	roles := []string{"stytch_member", "stytch_admin"}
	if vertical == Consumer {
		p.everybody, roles = "stytch_user", []string{"stytch_user"}
	}
	if err := p.open(roles); err != nil {
		return nil, err
	}
	granted := p.granted()
	for _, need := range needs {
		if scope := find(p.lists["custom_scopes"], "scope", need.Scope); scope != nil && !standsFor(scope, need) {
			continue // what is needed would count for nothing
		}
		if err := p.resource(need); err != nil {
			return nil, err
		}
		p.scope(need)
		if need.Resource == "" || granted[need.permission()] {
			continue
		}
		for _, role := range roles {
			if role == p.everybody && need.Admin && vertical == B2B {
				continue
			}
			if err := p.grant(role, need); err != nil {
				return nil, err
			}
		}
	}
	maps.Copy(object, p.members())
	return p.lines, nil
}

func (n Need) permission() string { return n.Resource + ": " + n.Action }

// ofStytch reports whether a resource is Stytch's own, which is always there.
func ofStytch(resource string) bool { return strings.HasPrefix(resource, "stytch.") }

// open takes the policy apart, and refuses one of another form than is known.
func (p *policy) open(roles []string) error {
	p.lists, p.defaults = map[string][]any{}, map[string]management.Object{}
	for _, name := range []string{"custom_resources", "custom_scopes", "custom_roles"} {
		list, isList := p.object[name].([]any)
		if p.object[name] != nil && !isList {
			return errShape(name)
		}
		p.lists[name] = slices.Clone(list)
	}
	for _, name := range roles {
		role, err := partOf(p.object, name)
		if err != nil {
			return err
		}
		p.defaults[name] = role
	}
	return nil
}

// members puts together again what was changed.
func (p *policy) members() management.Object {
	members := management.Object{}
	for name, list := range p.lists {
		if len(list) > 0 || p.object[name] != nil {
			members[name] = list
		}
	}
	return members
}

// granted are the permissions that some role has.
func (p *policy) granted() map[string]bool {
	granted := map[string]bool{}
	roles := slices.Clone(p.lists["custom_roles"])
	for _, role := range p.defaults {
		roles = append(roles, role)
	}
	for _, entry := range roles {
		role, _ := entry.(management.Object)
		permissions, _ := role["permissions"].([]any)
		for _, entry := range permissions {
			permission, _ := entry.(management.Object)
			resource, _ := permission["resource_id"].(string)
			for _, action := range texts(permission["actions"]) {
				granted[resource+": "+action] = true
				if action == "*" {
					p.allActions(resource, granted)
				}
			}
		}
	}
	return granted
}

// allActions adds what * means.
func (p *policy) allActions(resource string, granted map[string]bool) {
	if found := find(p.lists["custom_resources"], "resource_id", resource); found != nil {
		for _, action := range texts(found["available_actions"]) {
			granted[resource+": "+action] = true
		}
	}
}

func texts(value any) (list []string) {
	entries, _ := value.([]any)
	for _, entry := range entries {
		if text, isText := entry.(string); isText {
			list = append(list, text)
		}
	}
	return list
}

// find returns the entry of a list whose member has the value; nil if there is none.
func find(list []any, member, value string) management.Object {
	for _, entry := range list {
		if object, _ := entry.(management.Object); object != nil && object[member] == value {
			return object
		}
	}
	return nil
}

// resource adds a resource, or to one the action.
func (p *policy) resource(need Need) error {
	if need.Resource == "" || ofStytch(need.Resource) {
		return nil
	}
	resource := find(p.lists["custom_resources"], "resource_id", need.Resource)
	if resource == nil {
		p.lists["custom_resources"] = append(p.lists["custom_resources"], management.Object{
			"resource_id": need.Resource, "description": "For assistants, by Guestpass",
			"available_actions": []any{need.Action}})
		p.lines = append(p.lines, "+ resource "+need.permission())
		return nil
	}
	actions, isList := resource["available_actions"].([]any)
	if resource["available_actions"] != nil && !isList {
		return errShape("available_actions of " + need.Resource)
	}
	if !slices.Contains(actions, any(need.Action)) {
		resource["available_actions"] = append(slices.Clone(actions), need.Action)
		p.lines = append(p.lines, "~ resource "+need.Resource+": + "+need.Action)
	}
	return nil
}

// scope adds a scope that is not there.
func (p *policy) scope(need Need) {
	if need.Scope == "" || find(p.lists["custom_scopes"], "scope", need.Scope) != nil {
		return
	}
	permissions := []any{management.Object{"resource_id": need.Resource, "actions": []any{need.Action}}}
	p.lists["custom_scopes"] = append(p.lists["custom_scopes"], management.Object{"scope": need.Scope,
		"description": need.Description, "permissions": permissions})
	p.lines = append(p.lines, fmt.Sprintf("+ scope %s: %q (%s)", need.Scope, need.Description, need.permission()))
}

// grant gives a default role the permission, within what it has on the resource.
func (p *policy) grant(name string, need Need) error {
	role := p.defaults[name]
	permissions, isList := role["permissions"].([]any)
	if role["permissions"] != nil && !isList {
		return errShape("permissions of " + name)
	}
	permission := find(permissions, "resource_id", need.Resource)
	if permission == nil {
		permission = management.Object{"resource_id": need.Resource}
		role["permissions"] = append(slices.Clone(permissions), permission)
	}
	actions, isList := permission["actions"].([]any)
	if permission["actions"] != nil && !isList {
		return errShape("actions of " + name)
	}
	if slices.Contains(actions, any("*")) || slices.Contains(actions, any(need.Action)) {
		return nil
	}
	permission["actions"] = append(slices.Clone(actions), need.Action)
	p.lines = append(p.lines, "+ role "+name+": "+need.permission())
	return nil
}
