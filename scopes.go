package guestpass

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/openapi"
)

// standardScopes are asked for beside the operations' own: they tell who the person is and let ChatGPT renew the pass
// (without offline_access it must ask every hour).
var standardScopes = []openapi.Scope{
	{Name: "openid", Description: "Know who you are here"},
	{Name: "profile", Description: "See your name"},
	{Name: "email", Description: "See your e-mail address"},
	{Name: "offline_access", Description: "Stay connected until you disconnect"},
}

// describeTimeout is how long the sign-in page waits for what the project says of its scopes.
const describeTimeout = 2 * time.Second

// checkScopes returns every fault of Options.Scopes.
func (s *Server) checkScopes() error {
	var faults []error
	taken := map[string]string{}
	for _, op := range slices.Backward(s.service.Operations()) { // the first is told
		taken[op.Access.ScopeName()] = "belongs to the operation " + op.ID + ", which describes it: leave it out"
	}
	for i, scope := range s.options.Scopes {
		fault := scope.CheckForm()
		resource, _ := auth.Scope(scope.Name).RBAC()
		switch {
		case fault != nil:
		case taken[scope.Name] != "":
			fault = errors.New(taken[scope.Name])
		case s.options.Access == api.ByRole && resource == "":
			fault = errors.New("is no permission that a role could have: write it as RESOURCE:ACTION")
		}
		if taken[scope.Name] = "is there twice"; fault != nil {
			faults = append(faults, fmt.Errorf("entry %d of Scopes (GUESTPASS_SCOPES) %w", i+1, fault))
		}
	}
	return errors.Join(faults...)
}

// scopes returns the scopes of all operations, published or not, and those that Options.Scopes declares.
func (s *Server) scopes() []openapi.Scope { return s.withDeclared(s.scopesOf(s.service.Operations())) }

// withDeclared adds the scopes that Options.Scopes declares. Where roles decide, nobody asks for scopes.
func (s *Server) withDeclared(scopes []openapi.Scope) []openapi.Scope {
	if s.options.Access == api.ByRole {
		return scopes
	}
	for _, scope := range s.options.Scopes {
		scopes = append(scopes, openapi.Scope(scope))
	}
	return scopes
}

// scopesOf returns the standard scopes, then those of the operations in their order, each described by what it allows.
func (s *Server) scopesOf(operations []api.Operation) []openapi.Scope {
	scopes := append([]openapi.Scope(nil), standardScopes...)
	at := map[string]int{}
	for i, scope := range scopes {
		at[scope.Name] = i
	}
	words := s.scopeWords()
	for _, op := range operations {
		for _, name := range s.service.Scopes(op) {
			i, known := at[name]
			switch {
			case !known:
				at[name] = len(scopes)
				scopes = append(scopes, openapi.Scope{Name: name, Description: cmp.Or(words[name], op.Summary)})
			case i >= len(standardScopes) && words[name] == "":
				scopes[i].Description += "; " + lowerFirst(op.Summary)
			}
		}
	}
	return scopes
}

// scopeWords returns what the resources say of their scopes, by name.
func (s *Server) scopeWords() map[string]string {
	words := map[string]string{}
	for _, r := range s.service.Resources() {
		for _, scope := range r.Scopes {
			words[scope.Name] = scope.Description
		}
	}
	return words
}

// scopeEffects returns the strongest effect of what each scope allows, by name. The standard ones allow nothing by
// themselves.
func (s *Server) scopeEffects() map[string]string {
	strongest := map[string]api.Effect{}
	for _, op := range s.service.Operations() {
		for _, name := range s.service.Scopes(op) {
			if !isStandard(name) {
				strongest[name] = max(strongest[name], op.Effect)
			}
		}
	}
	effects := map[string]string{}
	for name, effect := range strongest {
		effects[name] = effect.String()
	}
	return effects
}

// roleEffect returns the strongest effect of all operations where roles decide, and "" where scopes do.
func (s *Server) roleEffect() string {
	if s.options.Access != api.ByRole {
		return ""
	}
	var strongest api.Effect
	for _, op := range s.service.Operations() {
		strongest = max(strongest, op.Effect)
	}
	return strongest.String()
}

// toolScopes returns the scopes that a client of the tools is told to ask for: enough for all of them, so that nobody
// is asked a second time. The client finds offline_access at the authorization server.
func (s *Server) toolScopes(reads bool) (names []string) {
	tools := slices.DeleteFunc(s.published(), func(op api.Operation) bool {
		only := s.options.MCPOperations
		return reads && op.Effect != api.Read || len(only) > 0 && !slices.Contains(only, op.ID)
	})
	for _, scope := range s.scopesOf(tools) {
		if scope.Name != "offline_access" {
			names = append(names, scope.Name)
		}
	}
	return names
}

// scopesToAdd returns those of the tools at the resources that a request names, or of all published operations where it
// names none of ours; as far as the project has them and Stytch tells.
func (s *Server) scopesToAdd(ctx context.Context, resources []string) (names []string) {
	ctx, cancel := context.WithTimeout(ctx, describeTimeout)
	defer cancel()
	has, err := s.directory.ScopeDescriptions(ctx)
	for _, name := range s.scopesAt(resources) {
		if _, found := has[name]; !isStandard(name) && (found || err != nil) {
			names = append(names, name)
		}
	}
	return names
}

func (s *Server) scopesAt(resources []string) (names []string) {
	at := func(path string) bool {
		return slices.ContainsFunc(resources, func(resource string) bool {
			return strings.TrimSuffix(resource, "/") == s.options.PublicURL+path
		})
	}
	switch {
	case at(""):
	case at(mcpPath):
		return s.toolScopes(false)
	case at(readonlyPath):
		return s.toolScopes(true)
	}
	for _, scope := range s.withDeclared(s.scopesOf(s.published())) {
		names = append(names, scope.Name)
	}
	return names
}

// describeScopes returns what each scope allows, in the words of the project's policy, else in ours. Stytch's component
// asks Stytch itself, but lists nothing when that fails, and people must see what they grant.
func (s *Server) describeScopes(ctx context.Context) map[string]string {
	words := map[string]string{}
	for _, scope := range s.scopes() {
		words[scope.Name] = scope.Description
	}
	ctx, cancel := context.WithTimeout(ctx, describeTimeout)
	defer cancel()
	described, err := s.directory.ScopeDescriptions(ctx)
	if err != nil {
		s.log.WarnContext(ctx, "scopes not described by the project", "error", err)
	}
	for name, description := range described {
		if description != "" {
			words[name] = description
		}
	}
	return words
}
