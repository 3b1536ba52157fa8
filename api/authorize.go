package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"guestpass/auth"
	"guestpass/internal/directory"
	"guestpass/internal/limits"
)

// authorize decides whether the operation is reached at all, before any of the
// body is read. What is not declared public needs a verified token that was not revoked
// and satisfies the declared access, of a person who is active: now for what writes, a
// minute ago for what reads.
func (s *Service) authorize(ctx huma.Context, next func(huma.Context)) {
	op, ok := ctx.Operation().Metadata[metadataOperation].(Operation)
	if !ok { // registered past Register: nobody decided who may call it
		_ = huma.WriteErr(s.huma, ctx, http.StatusForbidden, "this operation admits nobody")
		return
	}
	request, _ := humachi.Unwrap(ctx)
	if op.Access.IsPublic() {
		if c := CallerOf(request.Context()); c != nil && c.Exceeded != nil {
			s.refuseExceeded(ctx, c.Exceeded)
			return
		}
		next(ctx)
		return
	}
	token, identity, err := s.identify(request)
	if err != nil {
		s.logRefusal(ctx.Context(), op, identity, err)
		s.refuse(ctx, op, err)
		return
	}
	revoked := s.checkRevoked(ctx.Context(), op, identity)
	if errors.Is(revoked, auth.ErrInvalidToken) { // as any bad token: it counts for the address, not for the person
		s.logRefusal(ctx.Context(), op, identity, revoked)
		s.refuse(ctx, op, revoked)
		return
	}
	noteIdentity(request, op, identity)
	if exceeded := s.options.Limits.Admit(identity.ClientID, identity.Subject, identity.OrganizationID); exceeded != nil {
		s.refuseExceeded(ctx, exceeded)
		return
	}
	if err = revoked; err == nil { // or it is not known whether it was
		err = s.admit(ctx.Context(), op, token, identity)
	}
	if err != nil {
		s.logRefusal(ctx.Context(), op, identity, err)
		s.refuseAdmission(ctx, op, err)
		return
	}
	if s.options.Connections != nil {
		s.options.Connections.Note(identity)
	}
	ctx.SetHeader("Cache-Control", "no-store")
	next(huma.WithContext(ctx, auth.NewContext(ctx.Context(), identity)))
}

func (s *Service) identify(r *http.Request) (token string, identity auth.Identity, err error) {
	if token, err = auth.Bearer(r); err != nil {
		return "", auth.Identity{}, err
	}
	if s.options.Verifier == nil {
		return "", auth.Identity{}, fmt.Errorf("no verifier: %w", auth.ErrInvalidToken)
	}
	identity, err = s.options.Verifier.Verify(r.Context(), token)
	return token, identity, err
}

// checkRevoked refuses a token that somebody took back here since it was issued.
func (s *Service) checkRevoked(ctx context.Context, op Operation, identity auth.Identity) error {
	if s.options.Connections == nil {
		return nil
	}
	return s.options.Connections.Check(ctx, identity, op.Effect != Read)
}

// admit checks what Stytch may have to be asked about: whether the person may call the
// operation and, before what writes, where the server is told to, that Stytch takes the
// token still. The directory has places for that; an operation's place is taken later.
func (s *Service) admit(ctx context.Context, op Operation, token string, identity auth.Identity) error {
	if err := s.mayCall(ctx, op, identity); err != nil {
		return err
	}
	if s.options.Introspect && op.Effect != Read {
		return s.introspect(ctx, token, identity)
	}
	return nil
}

// mayCall checks scope or role, then that the person is still active: a token outlives its
// owner by up to an hour.
func (s *Service) mayCall(ctx context.Context, op Operation, identity auth.Identity) error {
	if s.options.Access == ByRole {
		if err := s.admitByRole(ctx, op.Access, identity); err != nil {
			return err
		}
	} else if err := op.Access.CheckScope(identity); err != nil {
		return err
	}
	if s.options.Directory == nil {
		return nil
	}
	return s.checkActive(ctx, op, identity)
}

// checkActive asks Stytch before each write, and once a minute for reads.
func (s *Service) checkActive(ctx context.Context, op Operation, identity auth.Identity) error {
	check := s.options.Directory.CheckActive
	if op.Effect == Read {
		check = s.options.Directory.CheckRecentlyActive
	}
	err := check(ctx, identity.OrganizationID, identity.Subject)
	if errors.Is(err, directory.ErrNotFound) || errors.Is(err, directory.ErrInactive) {
		return fmt.Errorf("%w: %w", auth.ErrInvalidToken, err) // the person is gone, and the token with them
	}
	return err
}

func (s *Service) admitByRole(ctx context.Context, access auth.Access, identity auth.Identity) error {
	resource, action := access.RBAC()
	if resource == "" {
		return auth.Scope("openid").CheckScope(identity)
	}
	if s.options.Directory == nil {
		return fmt.Errorf("no directory to look roles up in: %w", auth.ErrInsufficientScope)
	}
	permitted, err := s.options.Directory.Permits(ctx, identity.OrganizationID, identity.Subject, resource, action)
	if err != nil {
		return err
	}
	if !permitted {
		return fmt.Errorf("no role permits %s on %s: %w", action, resource, auth.ErrInsufficientScope)
	}
	return nil
}

// refuseAdmission answers for errors of auth as RFC 6750 says and for everything
// else (Stytch away, our secret wrong) as for a handler's error.
func (s *Service) refuseAdmission(ctx huma.Context, op Operation, err error) {
	if errors.Is(err, auth.ErrInsufficientScope) || errors.Is(err, auth.ErrInvalidToken) {
		s.refuse(ctx, op, err)
		return
	}
	failure := s.problem(ctx.Context(), err)
	var headers huma.HeadersError
	if errors.As(failure, &headers) {
		for name, values := range headers.GetHeaders() {
			ctx.SetHeader(name, values[0])
		}
	}
	var p *Problem
	if errors.As(failure, &p) {
		_, w := humachi.Unwrap(ctx)
		r, _ := humachi.Unwrap(ctx)
		WriteProblem(w, r, *p)
	}
}

func (s *Service) logRefusal(ctx context.Context, op Operation, identity auth.Identity, err error) {
	if errors.Is(err, auth.ErrNoToken) {
		return // how every client begins; the access log has it
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "refused", slog.String("operation", op.ID), slog.String("reason", auth.Reason(err)),
		slog.String("subject", identity.Subject), slog.String("client_id", identity.ClientID))
}

// Caller is filled while a request is served, for the access log around the service.
type Caller struct {
	Operation, Subject, OrganizationID, ClientID string

	// Exceeded, set before the service is reached, is the limit of an address that has
	// used it up: operations that anybody may call are refused for it.
	Exceeded *limits.Exceeded
}

type callerKey struct{}

// WithCaller prepares a request's context so that the returned Caller learns who
// called which operation.
func WithCaller(ctx context.Context) (context.Context, *Caller) {
	c := new(Caller)
	return context.WithValue(ctx, callerKey{}, c), c
}

// CallerOf is what WithCaller has prepared, or nil.
func CallerOf(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}

func noteIdentity(r *http.Request, op Operation, id auth.Identity) {
	if c := CallerOf(r.Context()); c != nil {
		*c = Caller{Operation: op.ID, Subject: id.Subject, OrganizationID: id.OrganizationID, ClientID: id.ClientID}
	}
}

// refuseAmbiguousQuery refuses a parameter given twice or empty: Huma takes the
// first, or the default, and a model would believe its filter had been applied.
func (s *Service) refuseAmbiguousQuery(ctx huma.Context, next func(huma.Context)) {
	u := ctx.URL()
	if u.RawQuery == "" {
		next(ctx)
		return
	}
	var faults []error
	query := u.Query()
	for _, p := range ctx.Operation().Parameters {
		values := query[p.Name]
		if p.In != "query" || len(values) == 0 || (p.Schema != nil && p.Schema.Type == huma.TypeArray) {
			continue
		}
		switch {
		case len(values) > 1:
			faults = append(faults, &huma.ErrorDetail{Location: "query." + p.Name, Message: "given more than once; send it once"})
		case values[0] == "":
			faults = append(faults, &huma.ErrorDetail{Location: "query." + p.Name, Message: "is empty; leave it out or give it a value"})
		}
	}
	if len(faults) > 0 {
		_ = huma.WriteErr(s.huma, ctx, http.StatusUnprocessableEntity, "validation failed", faults...)
		return
	}
	next(ctx)
}
