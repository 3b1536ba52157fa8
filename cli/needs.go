package cli

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/internal/setup"
)

// needsOf returns what operations, and the scopes of an application beside Guestpass, need of a project's policy.
func (c config) needsOf(operations []api.Operation) (needs []setup.Need) {
	add := func(need setup.Need) {
		if !slices.ContainsFunc(needs, func(n setup.Need) bool {
			return n.Scope == need.Scope && n.Resource == need.Resource && n.Action == need.Action
		}) {
			needs = append(needs, need)
		}
	}
	words := scopeWords()
	for _, op := range operations {
		name := op.Access.ScopeName()
		if api.IsStandardScope(name) || name == "" {
			continue
		}
		ofRole, roleAction := op.Access.RBAC()
		need := setup.Need{Scope: name, Description: or(words[name], op.Summary), Admin: forAdmins(ofRole, roleAction)}
		need.Resource, need.Action = auth.Scope(name).RBAC()
		if c.Access == string(api.ByRole) {
			need.Scope, need.Description, need.Resource, need.Action = "", "", ofRole, roleAction
		}
		if i := slices.IndexFunc(needs, func(n setup.Need) bool { return n.Scope == name }); i >= 0 &&
			words[name] == "" {
			needs[i].Description = more(needs[i].Description, op.Summary)
			continue
		}
		add(need)
	}
	for _, scope := range c.Scopes {
		need := setup.Need{Scope: scope.Name, Description: scope.Description}
		need.Resource, need.Action = auth.Scope(scope.Name).RBAC()
		if c.Access == string(api.ByRole) {
			need.Scope, need.Description = "", ""
		}
		add(need)
	}
	return slices.DeleteFunc(needs, func(n setup.Need) bool { return n.Scope == "" && n.Resource == "" })
}

// longestDescription bounds what people read of a scope that several operations need.
const longestDescription = 150

// more adds what another operation does to the description of a scope, while it is short.
func more(description, summary string) string {
	first, size := utf8.DecodeRuneInString(summary)
	joined := description + "; " + string(unicode.ToLower(first)) + summary[size:]
	if len(joined) > longestDescription {
		return description
	}
	return joined
}

// forAdmins reports whether the permission that stands for an operation where roles decide is one of Stytch's own that
// Stytch gives to administrators alone: ordinary members may only find each other, and change themselves.
func forAdmins(resource, action string) bool {
	return resource == "stytch.organization" || resource == "stytch.member" && action != "search"
}

// scopeWords returns what the resources say of their scopes, by name.
func scopeWords() map[string]string {
	words := map[string]string{}
	for _, r := range offered {
		for _, scope := range r.Scopes {
			words[scope.Name] = scope.Description
		}
	}
	return words
}
