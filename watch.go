package guestpass

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/directory"
	"guestpass/internal/stytch"
)

const (
	checkEvery   = time.Hour
	recheckEvery = time.Minute // while Stytch does not answer
	checkTimeout = 15 * time.Second
)

// watch checks at once and then every hour, until ctx ends. After a check that could not be made it tries again sooner.
func watch(ctx context.Context, check func(context.Context) (done bool)) {
	for {
		wait := checkEvery
		if !check(ctx) {
			wait = recheckEvery
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// checkProject asks Stytch with our credentials what the project has, and logs what operations need beyond that. It
// stops nothing: Stytch may be down when we start, and what is wrong there can be mended there. If Stytch refuses our
// credentials, the directory logs which, and readyz answers 503.
func (s *Server) checkProject(ctx context.Context) (done bool) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	policy, err := s.directory.Policy(ctx)
	switch {
	case errors.As(err, new(*directory.UnavailableError)):
		s.log.WarnContext(ctx, "Stytch project not checked: Stytch does not answer; it is asked again in a minute",
			"error", err)
		return false
	case errors.Is(err, directory.ErrCredentials): // told
	case err != nil:
		s.log.ErrorContext(ctx, "Stytch project not checked: is STYTCH_VERTICAL the kind of the project?", "vertical",
			string(s.options.Vertical), "error", err)
	default:
		s.tellGaps(ctx, s.gaps(policy))
		s.warnOfFree(ctx, policy)
	}
	if counts := s.provider.Refusals(); len(counts) > 0 {
		s.log.InfoContext(ctx, "trouble on the sign-in page since the start", "reasons", counts)
	}
	return true
}

// A gap is what operations need and the project lacks.
type gap struct {
	what       string // a scope, or an action on a resource
	operations []string
}

// gaps returns what the project lacks, in the order of the operations. That the project has more does no harm.
func (s *Server) gaps(policy stytch.Policy) (gaps []gap) {
	lacks := func(what, operation string) {
		i := slices.IndexFunc(gaps, func(g gap) bool { return g.what == what })
		if i < 0 {
			i, gaps = len(gaps), append(gaps, gap{what: what})
		}
		gaps[i].operations = append(gaps[i].operations, operation)
	}
	for _, op := range s.service.Operations() {
		if s.options.Access == api.ByRole {
			if resource, action := op.Access.RBAC(); resource != "" && !policy.HasAction(resource, action) {
				lacks(action+" on "+resource, op.ID)
			}
			continue
		}
		for _, scope := range s.service.Scopes(op) {
			if !isStandard(scope) && !policy.HasScope(scope) {
				lacks(scope, op.ID)
			}
		}
	}
	for _, scope := range s.options.Scopes {
		resource, action := auth.Scope(scope.Name).RBAC()
		switch byRole := s.options.Access == api.ByRole; {
		case byRole && !policy.HasAction(resource, action):
			lacks(action+" on "+resource, "GUESTPASS_SCOPES")
		case !byRole && !policy.HasScope(scope.Name):
			lacks(scope.Name, "GUESTPASS_SCOPES")
		}
	}
	return gaps
}

// warnOfFree logs the scopes by which something can be changed and that the project gives to everybody: taking a role
// away takes none of them away.
func (s *Server) warnOfFree(ctx context.Context, policy stytch.Policy) {
	if s.options.Access == api.ByRole || s.options.ScopesAlone {
		return
	}
	var logged []string
	for _, op := range s.service.Operations() {
		for _, scope := range s.service.Scopes(op) {
			if op.Effect != api.Read && policy.IsFree(scope) && !slices.Contains(logged, scope) {
				logged = append(logged, scope)
				s.log.InfoContext(ctx, "the project's scope has no permissions: everybody may have it, whatever "+
					"their roles; "+
					"add some under Roles & Permissions in the Stytch dashboard if that is not meant", "scope", scope)
			}
		}
	}
}

func isStandard(scope string) bool {
	for _, standard := range standardScopes {
		if standard.Name == scope {
			return true
		}
	}
	return false
}

func (s *Server) tellGaps(ctx context.Context, gaps []gap) {
	kind, consequence := "scope", "people who sign in are refused by Stytch, since the GPT asks for it "+
		"(oauth_invalid_scope_requested)"
	if s.options.Access == api.ByRole {
		kind, consequence = "permission", "nobody can have it, so these operations are refused to everybody"
	}
	for _, g := range gaps {
		s.log.WarnContext(ctx, "the Stytch project lacks a "+kind+" that operations need: "+consequence+
			"; add it under Roles & Permissions in the Stytch dashboard, or leave the operations out with "+
			"GUESTPASS_MODULES",
			kind, g.what, "operations", strings.Join(g.operations, " "))
	}
	if len(gaps) == 0 {
		s.log.InfoContext(ctx, "the Stytch project has every "+kind+" that operations need")
	}
}
