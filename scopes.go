package guestpass

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"guestpass/api"
	"guestpass/openapi"
)

// standardScopes are asked for beside the operations' own: who the person is, and
// that ChatGPT may renew the pass (without offline_access it must ask every hour).
var standardScopes = []openapi.Scope{
	{Name: "openid", Description: "Know who you are here"},
	{Name: "profile", Description: "See your name"},
	{Name: "email", Description: "See your e-mail address"},
	{Name: "offline_access", Description: "Stay connected until you disconnect"},
}

// describeTimeout is how long the sign-in page waits for what the project says of its scopes.
const describeTimeout = 2 * time.Second

// scopes are those of all operations, published or not.
func (s *Server) scopes() []openapi.Scope { return s.scopesOf(s.service.Operations()) }

// scopesOf are the standard ones, then those of the operations in their order, each
// described by what it allows.
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

// scopeWords are what the resources say of their scopes, by name.
func (s *Server) scopeWords() map[string]string {
	words := map[string]string{}
	for _, r := range s.service.Resources() {
		for _, scope := range r.Scopes {
			words[scope.Name] = scope.Description
		}
	}
	return words
}

// toolScopes are what a client of the tools is told to ask for: enough for all of them, so that nobody is
// asked a second time. offline_access is for it to find at the authorization server.
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

// scopesToAdd are those of the tools at the resources that a request names, or of all published operations
// where it names none of ours; as far as the project has them and Stytch tells.
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
	for _, scope := range s.scopesOf(s.published()) {
		names = append(names, scope.Name)
	}
	return names
}

// describeScopes are our own words, which those of the project's policy replace. The
// component takes them from Stytch by itself, but lists nothing when that fails, and what
// is granted must be seen.
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
