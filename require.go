package guestpass

import (
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5/middleware"

	"guestpass/api"
	"guestpass/auth"
)

// Require protects handlers of the program that Guestpass is part of as it protects its own operations: a request needs
// a good token with the access, of an active person, within the limits. Unless the effect is [api.Read], the person's
// roles count as they are now. [auth.From] tells the handler who calls. A refused caller gets the answer that an
// operation gives. The handler itself must bound how much it reads, and for how long.
//
// Its arguments are part of the program. So it panics for an access that admits everybody or nobody: [auth.Public], the
// zero Access, and a scope that neither an operation nor Options.Scopes has, which nobody is ever asked to allow.
func (s *Server) Require(access auth.Access, effect api.Effect) func(http.Handler) http.Handler {
	switch {
	case access.IsPublic():
		panic("guestpass: Require(auth.Public) keeps nobody out: leave it away")
	case access.IsZero():
		panic("guestpass: Require has no access, and would admit nobody: say auth.Scope(…)")
	case s.accesses[access.ScopeName()] == nil:
		panic(fmt.Sprintf("guestpass: nobody is asked for the scope %q, which is required: add it to Options.Scopes",
			access.ScopeName()))
	}
	return func(next http.Handler) http.Handler {
		guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, refused := s.service.Authorize(r, effect, access)
			if refused != nil {
				refused.Send(w)
				return
			}
			w.Header().Set("Cache-Control", "no-store")
			next.ServeHTTP(w, r.WithContext(ctx))
		})
		always := func(*http.Request) bool { return true }
		return asRequest(s.clientAddress()(s.noteAddress(s.countAddress(guarded, always))))
	}
}

// asRequest gives a request what the server's chain gives one, unless it has that already: an id, and a place for who
// calls.
func asRequest(next http.Handler) http.Handler {
	named := requestID(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if api.CallerOf(r.Context()) == nil {
			ctx, _ := api.WithCaller(r.Context())
			r = r.WithContext(ctx)
		}
		if middleware.GetReqID(r.Context()) != "" {
			next.ServeHTTP(w, r)
			return
		}
		named.ServeHTTP(w, r)
	})
}
