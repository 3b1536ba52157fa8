package api

import (
	"context"
	"net/http"
	"slices"

	"guestpass/auth"
)

// Authorize decides whether something that is not an operation may carry out a request: a handler of the program that
// embeds Guestpass, or an application behind a proxy. It checks what it would check before an operation, and counts the
// request as one call: the token and its revocation, the rates of its person, organization and app, every one of the
// accesses, whether the person is active and, unless the effect is [Read], their roles as they are now. A zero effect
// counts as [Write].
//
// The context that it returns has the identity for [auth.From] and suits [Service.Invoke], too. A caller who was
// admitted in the request's context is neither identified nor counted again. If refused is not nil, nobody is admitted,
// and it is the answer. That is always so without an access, or with the zero one among them.
func (s *Service) Authorize(r *http.Request, effect Effect, needed ...auth.Access) (ctx context.Context,
	refused *Reply) {
	if effect == 0 {
		effect = Write
	}
	op := Operation{Effect: effect, needs: needed}
	if len(needed) == 1 {
		op = Operation{Effect: effect, Access: needed[0]}
	}
	// Where roles decide, the zero access would need no more than a signed-in person.
	if len(needed) == 0 || slices.ContainsFunc(needed, auth.Access.IsZero) {
		nobody := &Problem{Status: http.StatusForbidden, Detail: "this admits nobody"}
		return r.Context(), s.refused(r.Context(), r, op, nobody)
	}
	ctx, err := s.admit(r, op)
	if err != nil {
		return ctx, s.refused(ctx, r, op, err)
	}
	return ctx, nil
}

// refused turns a refusal into a reply.
func (s *Service) refused(ctx context.Context, r *http.Request, op Operation, err error) *Reply {
	w := newReplyWriter()
	writeError(w, r.WithContext(ctx), s.refusal(ctx, op, err))
	reply := w.reply()
	return &reply
}

// Send writes the reply. Headers that are set already stay, unless the reply has them, too.
func (r *Reply) Send(w http.ResponseWriter) {
	for name, values := range r.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body)
}
