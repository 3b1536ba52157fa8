package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"guestpass/directory"
	"guestpass/internal/stytch"
)

// policyChecks are about what people may be granted.
var policyChecks = []Check[*visit]{
	{Name: "scopes", Asks: "has the project every scope, or by role every permission, that operations need?",
		Remedy: "add it under Roles & Permissions in the Stytch dashboard, or leave the operations out with " +
			"GUESTPASS_MODULES",
		Look: ruled(lookAtScopes)},
	{Name: "roles", Asks: "which roles cover what operations need?",
		Expected: "a role for each, and none that everybody has for what changes something",
		Remedy:   "give the permissions to a role under Roles & Permissions in the Stytch dashboard",
		Look:     ruled(lookAtRoles)},
}

// ruled returns a check of the project's policy.
func ruled(look func(*visit, stytch.Policy) Finding) func(context.Context, *visit) Finding {
	return func(_ context.Context, v *visit) Finding {
		policy, err := v.policy()
		switch {
		case errors.As(err, new(*directory.UnavailableError)):
			return NotLooked("it cannot be told while Stytch does not answer; see secret")
		case err != nil:
			return NotLooked("the project's policy could not be read; see secret and vertical")
		}
		return look(v, policy)
	}
}

func lookAtScopes(v *visit, policy stytch.Policy) Finding {
	var lacking []string
	for _, n := range v.Needs {
		if has := policy.HasScope(n.Scope); v.ByRole && !policy.HasAction(n.Resource, n.Action) || !v.ByRole && !has {
			lacking = append(lacking, fmt.Sprintf("%s (%s)", v.nameOf(n), strings.Join(n.For, ", ")))
		}
	}
	switch {
	case len(lacking) > 0 && v.ByRole:
		return Wrong("the project lacks permissions, which nobody can have, so that operations are refused to "+
			"everybody: %s", strings.Join(lacking, "; ")).Expecting("every permission that operations need")
	case len(lacking) > 0:
		return Wrong("the project lacks scopes, so that Stytch refuses whoever is asked for them "+
			"(oauth_invalid_scope_requested): %s", strings.Join(lacking, "; ")).
			Expecting("every scope that operations need")
	case v.ByRole:
		return Well("the project has every permission that operations need")
	}
	return Well("the project has every scope that operations need")
}

// nameOf returns a need as the dashboard has it.
func (v *visit) nameOf(n Need) string {
	if v.ByRole {
		return n.Action + " on " + n.Resource
	}
	return n.Scope
}

// standingFor says for what a scope stands, if that is something else than its name says.
func standingFor(policy stytch.Policy, n Need) string {
	if permissions := strings.Join(policy.StandsFor(n.Scope), ", "); permissions != "" && permissions != n.Scope {
		return " (which stands for " + permissions + ")"
	}
	return ""
}

func lookAtRoles(v *visit, policy stytch.Policy) Finding {
	var held, free, nobodys []string
	for _, n := range v.Needs {
		roles := policy.RolesForScope(n.Scope)
		if v.ByRole {
			roles = policy.RolesFor(n.Resource, n.Action)
		}
		switch {
		case v.ByRole && !policy.HasAction(n.Resource, n.Action), !v.ByRole && !policy.HasScope(n.Scope):
			continue // see scopes
		case !v.ByRole && policy.IsFree(n.Scope):
			if n.Changes && !v.FreeIsMeant {
				free = append(free, n.Scope)
			}
			held = append(held, n.Scope+": everybody")
		case len(roles) == 0:
			nobodys = append(nobodys, v.nameOf(n)+standingFor(policy, n))
		default:
			held = append(held, v.nameOf(n)+": "+strings.Join(roles, ", "))
		}
	}
	switch {
	case len(nobodys) > 0:
		return Doubtful("no role of the project covers %s", strings.Join(nobodys, ", "))
	case len(free) > 0:
		return Doubtful("no permissions stand behind %s: everybody may have it, whatever their roles",
			strings.Join(free, ", ")).
			MendedBy("give the scope permissions under Roles & Permissions in the Stytch dashboard, if that is not " +
				"meant")
	case len(held) == 0:
		return Well("operations need no role")
	}
	return Well("%s", strings.Join(held, "; "))
}
