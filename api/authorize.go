package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"guestpass/auth"
	"guestpass/directory"
	"guestpass/internal/limits"
	"guestpass/store"
)

// authorize decides whether a request reaches the operation at all, before any of the body is read. An operation that
// is not public needs a verified token that was not revoked and satisfies the declared access, and a person who is
// active: now for a write, a minute ago for a read. For a write the person's roles count as well.
func (s *Service) authorize(ctx huma.Context, next func(huma.Context)) {
	op, ok := ctx.Operation().Metadata[metadataOperation].(Operation)
	if !ok { // registered past Register: nobody decided who may call it
		s.refuse(ctx, &Problem{Status: http.StatusForbidden, Detail: "this operation admits nobody"})
		return
	}
	request, w := humachi.Unwrap(ctx)
	if invoked, ok := request.Context().Value(invokedKey{}).(string); ok && invoked != op.ID { // by its path
		writeError(w, request, s.refusal(request.Context(), op, errors.New("an argument led to another operation")))
		return
	}
	admitted, err := s.admit(request, op)
	if err != nil {
		writeError(w, request, s.refusal(admitted, op, err))
		return
	}
	ctx = huma.WithContext(ctx, admitted)
	if !op.Access.IsPublic() {
		ctx.SetHeader("Cache-Control", "no-store")
	}
	next(ctx)
}

// admit asks who calls, unless that is known, and whether they may. The refusal needs the context that it returns, too.
func (s *Service) admit(r *http.Request, op Operation) (ctx context.Context, err error) {
	ctx = r.Context()
	caller := CallerOf(ctx)
	if caller != nil && caller.Operation != op.ID { // lines of the log read it at any time
		caller.Operation = op.ID
	}
	known := s.admitted(r)
	switch {
	case !op.Access.IsPublic() && !known:
		if ctx, err = s.who(r, op); err != nil {
			return ctx, err
		}
	case caller != nil && caller.Exceeded != nil && !known:
		return ctx, caller.Exceeded
	default:
		party := limits.PartyOf(ctx)
		party.Operation = op.ID
		ctx = limits.WithParty(ctx, party)
	}
	if op.Access.IsPublic() {
		return ctx, nil
	}
	identity := auth.From(ctx)
	if err := s.may(ctx, op, identity); err != nil {
		return ctx, err
	}
	if s.options.Connections != nil && !s.inPerson(ctx) {
		s.options.Connections.Note(identity)
	}
	return ctx, nil
}

// An admission says that the context's identity has passed [Service.who] of the service, by the token.
type admission struct {
	by    *Service
	token string
}

type admissionKey struct{}

// admitted reports whether the request is of whom this service has admitted in its context. Another service has other
// rules, and another token may be another person's: whoever brings one is asked again. An operation that is invoked may
// leave out the token, see [Service.Invoke].
func (s *Service) admitted(r *http.Request) bool {
	a, known := r.Context().Value(admissionKey{}).(admission)
	if !known || a.by != s {
		return false
	}
	if _, invoked := r.Context().Value(invokedKey{}).(string); invoked && len(r.Header.Values("Authorization")) == 0 {
		return true
	}
	token, err := auth.Bearer(r)
	return err == nil && token == a.token
}

// inPerson reports whether the person in the context was admitted without an app between, see [Service.UndoFor]. A
// token, whatever it says, is never empty.
func (s *Service) inPerson(ctx context.Context) bool {
	known, admitted := ctx.Value(admissionKey{}).(admission)
	return admitted && known.by == s && known.token == ""
}

// who finds out whose request it is. The token must be good and not revoked, and its person, organization and app must
// have calls left in their rates, against which the request counts once. The operation is the zero value where a
// request asks for several.
func (s *Service) who(r *http.Request, op Operation) (context.Context, error) {
	ctx := r.Context()
	token, identity, err := s.identify(r)
	ctx = auth.NewContext(ctx, identity)
	if err != nil {
		return ctx, err
	}
	// A revoked token counts for the address, not for the person, as any bad token does. What is not known here, may
	// asks again.
	if err := s.checkRevoked(ctx, identity, Read); errors.Is(err, auth.ErrInvalidToken) {
		return ctx, err
	}
	CallerOf(ctx).note(identity)
	return s.count(ctx, op, identity, token)
}

// count counts the request of somebody who is known, and admits them; token is "" for who has come without an app.
func (s *Service) count(ctx context.Context, op Operation, identity auth.Identity, token string) (context.Context,
	error) {
	if err := s.options.Limits.Admit(identity.ClientID, identity.Subject, identity.OrganizationID); err != nil {
		return ctx, err
	}
	ctx = limits.WithParty(ctx, limits.Party{Client: identity.ClientID, Person: identity.Subject,
		Organization: identity.OrganizationID, Operation: op.ID})
	ctx = store.ForOwner(ctx, identity.Owner())
	return context.WithValue(ctx, admissionKey{}, admission{s, token}), nil
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

// checkRevoked refuses a token that somebody took back here since it was issued. Before a write it must be known that
// nobody did.
func (s *Service) checkRevoked(ctx context.Context, identity auth.Identity, effect Effect) error {
	if s.options.Connections == nil {
		return nil
	}
	return s.options.Connections.Check(ctx, identity, effect != Read)
}

// may checks what Stytch may have to be asked about: whether the person may call the operation and, before a write, if
// the server is told to, whether Stytch still accepts the token. The directory has places of its own for that; the
// operation takes its place later.
func (s *Service) may(ctx context.Context, op Operation, identity auth.Identity) error {
	if err := s.checkRevoked(ctx, identity, op.Effect); err != nil {
		return err
	}
	if err := s.mayCall(ctx, op, identity); err != nil {
		return err
	}
	if s.options.Introspect && op.Effect != Read && !s.inPerson(ctx) {
		known, _ := ctx.Value(admissionKey{}).(admission)
		return s.introspect(ctx, known.token, identity)
	}
	return nil
}

// mayCall checks the token's scopes, then that the person is still active, since a token may outlive its owner, then
// their roles where those count. Before a write it asks Stytch for the person once and gets both answers.
func (s *Service) mayCall(ctx context.Context, op Operation, identity auth.Identity) error {
	parts := op.parts()
	for _, part := range parts {
		if err := s.hasScope(part, identity); err != nil {
			return err
		}
	}
	if s.options.Directory != nil {
		if err := s.checkActive(ctx, op, identity); err != nil {
			return err
		}
	}
	for _, part := range parts {
		if err := s.permitted(ctx, part, identity); err != nil {
			return err
		}
	}
	return nil
}

// checkActive asks Stytch before each write, and once a minute for reads.
func (s *Service) checkActive(ctx context.Context, op Operation, identity auth.Identity) error {
	check := s.options.Directory.CheckActive
	if op.Effect == Read {
		check = s.options.Directory.CheckRecentlyActive
	}
	return orGone(check(ctx, identity.OrganizationID, identity.Subject))
}

// refusal returns what a caller who may not call the operation is told, whatever refuses and on every surface: errors
// of package auth and limits become what RFC 6750 says, everything else (Stytch is down, our secret is wrong) what a
// handler's error becomes.
func (s *Service) refusal(ctx context.Context, op Operation, err error) error {
	var exceeded *limits.Exceeded
	limited := errors.As(err, &exceeded)
	if s.options.Refused != nil {
		s.options.Refused(refusalClass(err, limited))
	}
	if limited {
		s.log.InfoContext(ctx, "limited", "policy", exceeded.Policy)
		return withHeaders(ctx, exceededProblem(exceeded), exceeded.SetHeaders)
	}
	s.logRefusal(ctx, err)
	if !auth.Refused(err) {
		return s.problem(ctx, err)
	}
	status, challenge := auth.Challenge(err, s.challenge(ctx, op))
	p := Problem{Status: status, Detail: refusals[status]}
	var lacking *roleError
	switch {
	case errors.As(err, &lacking):
		p.Detail, p.Hint = lacking.detail, roleHint
	case errors.Is(err, auth.ErrInsufficientScope):
		p.Detail, p.Hint = "this app has not been given the permission "+strings.Join(s.Scopes(op), ", "), scopeHint
	}
	return withHeaders(ctx, p, func(header http.Header) {
		if challenge != "" {
			header.Set("WWW-Authenticate", challenge)
		}
		if status == http.StatusServiceUnavailable {
			header.Set("Retry-After", "5")
		}
	})
}

// refusalClass returns why somebody was refused, without what depends on who it was and what for.
func refusalClass(err error, limited bool) string {
	switch {
	case limited:
		return "limited"
	case auth.Refused(err):
		return auth.Class(err)
	case errors.Is(err, limits.ErrBusy), errors.Is(err, store.ErrUnavailable),
		errors.As(err, new(*directory.UnavailableError)), errors.Is(err, context.DeadlineExceeded):
		return "not known in time" // whether they may
	}
	return "other"
}

// challenge returns what a refusal on the context's surface says about tokens.
func (s *Service) challenge(ctx context.Context, op Operation) auth.Challenged {
	surface := s.surfaceOf(ctx)
	needed := s.Scopes(op)
	if surface.Scopes != nil { // whose clients replace what they had by what they are told to ask for
		needed = slices.Compact(slices.Sorted(slices.Values(append(auth.From(ctx).Scopes.List(), needed...))))
	}
	return auth.Challenged{ResourceMetadata: surface.ResourceMetadata, Needed: needed, Offered: surface.Scopes}
}

// refusals say in words what package auth refuses, by status.
var refusals = map[int]string{
	http.StatusBadRequest: "the Authorization header is malformed, given twice, or the token is in the wrong place",

	http.StatusUnauthorized:       "a valid access token is required",
	http.StatusServiceUnavailable: "access tokens cannot be verified at the moment",
}

// scopeHint is for a token that is good, and not enough.
const scopeHint = "Do not try again. Tell the person that they have not allowed this app to do it: to allow it they " +
	"sign in for the app again and grant it. If it is not theirs to grant, somebody who administers their roles " +
	"has to give it to them first."

func withHeaders(ctx context.Context, p Problem, set func(http.Header)) error {
	header := http.Header{}
	set(header)
	return huma.ErrorWithHeaders(finish(ctx, &p).(*Problem), header)
}

// writeError writes an error that [Service.refusal] or [Service.problem] made in place of a reply.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	var headers huma.HeadersError
	if errors.As(err, &headers) {
		for name, values := range headers.GetHeaders() {
			w.Header()[name] = values
		}
	}
	var p *Problem
	if errors.As(err, &p) {
		WriteProblem(w, r, *p)
	}
}

func (s *Service) logRefusal(ctx context.Context, err error) {
	if errors.Is(err, auth.ErrNoToken) {
		return // how every client begins; the access log has it
	}
	if errors.Is(err, store.ErrUnavailable) || errors.As(err, new(*directory.UnavailableError)) {
		return // nothing is wrong with the token, and what is will be logged
	}
	identity := auth.From(ctx)
	s.log.LogAttrs(ctx, slog.LevelInfo, "refused", append(auth.LogAttrs(err),
		slog.String("subject", identity.Subject), slog.String("client_id", identity.ClientID))...)
}

// Caller tells the log around the service about a request while it is served: the operation as soon as it is known, and
// who called it once their token is verified.
type Caller struct {
	Operation, Subject, OrganizationID, ClientID string

	// TraceID is the request's in the traces that are kept, if any are. It is set before the service is reached.
	TraceID string

	// Status is that of the operation where a surface with answers of its own has invoked it; 0 where none was.
	Status int

	// Exceeded is the limit that the address has used up. It is set before the service is reached, which then refuses
	// operations that anybody may call.
	Exceeded error
}

type callerKey struct{}

// WithCaller prepares a request's context so that the returned Caller learns who
// called which operation.
func WithCaller(ctx context.Context) (context.Context, *Caller) {
	c := new(Caller)
	return context.WithValue(ctx, callerKey{}, c), c
}

// CallerOf returns what WithCaller has prepared, or nil.
func CallerOf(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}

// note leaves Operation alone, which lines of the log read at any time.
func (c *Caller) note(id auth.Identity) {
	if c != nil {
		c.Subject, c.OrganizationID, c.ClientID = id.Subject, id.OrganizationID, id.ClientID
	}
}
