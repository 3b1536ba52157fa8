package guestpass

import (
	"net/http"
	"strings"
	"sync"

	"github.com/go-chi/chi/v5/middleware"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/internal/limits"
)

// clientAddress finds out who is at the other end: the connection's address, or what trusted proxies say it is. Anybody
// could write the header, so it believes nobody else.
func (s *Server) clientAddress() func(http.Handler) http.Handler {
	if len(s.options.TrustedProxies) == 0 {
		return middleware.ClientIPFromRemoteAddr
	}
	var prefixes []string
	for _, prefix := range s.options.TrustedProxies {
		prefixes = append(prefixes, prefix.String())
	}
	return middleware.ClientIPFromXFF(prefixes...)
}

// limitAddress refuses addresses that have sent too many requests without a valid token, before anything is checked.
// Requests with a valid one count only until they end: ChatGPT sends those of everybody from few addresses. Health
// checks always get an answer.
//
// If others have used up the limit of an address, people there whose token was verified lately still reach the
// operations that want a token. The token endpoint counts by itself: a connected app that proves its secret there
// shares its address with everybody.
func (s *Server) limitAddress(next http.Handler) http.Handler {
	counted := s.countAddress(next, wantsToken)
	addressed := s.noteAddress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == tokenPath && s.options.ForwardTokens {
			next.ServeHTTP(w, r)
			return
		}
		counted.ServeHTTP(w, r)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
			next.ServeHTTP(w, r)
			return
		}
		addressed.ServeHTTP(w, r)
	})
}

// noteAddress notes the address in the context, for as long as the caller is not known.
func (s *Server) noteAddress(next http.Handler) http.Handler {
	var unknown sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address := middleware.GetClientIPAddr(r.Context())
		if !address.IsValid() {
			unknown.Do(func() {
				s.log.WarnContext(r.Context(), "a client's address cannot be read; all such requests are limited "+
					"together: "+
					"the proxies that GUESTPASS_TRUSTED_PROXIES names must write addresses without ports into "+
					"X-Forwarded-For")
			})
		}
		party := limits.Party{Address: limits.Network(address)}
		next.ServeHTTP(w, r.WithContext(limits.WithParty(r.Context(), party)))
	})
}

// countAddress counts a request for its address. wantsToken reports whether a request is of no use to anybody without a
// good token.
func (s *Server) countAddress(next http.Handler, wantsToken func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := api.CallerOf(r.Context())
		takeBack, exceeded := s.limits.CountAddress(limits.PartyOf(r.Context()).Address)
		if exceeded != nil {
			if caller == nil || !wantsToken(r) || !s.remembersToken(r) {
				api.WriteExceeded(w, r, exceeded)
				return
			}
			caller.Exceeded = exceeded
			next.ServeHTTP(w, r)
			return
		}
		defer func() {
			if caller != nil && caller.Subject != "" {
				takeBack()
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// wantsToken reports whether a request is for an operation, or asks about one of another program.
func wantsToken(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || isMCP(r.URL.Path) || r.URL.Path == verifyPath
}

// remembersToken reports whether the request has a token that was verified lately.
func (s *Server) remembersToken(r *http.Request) bool {
	token, err := auth.Bearer(r)
	return err == nil && s.verifier.Remembers(token)
}

func isMCP(path string) bool {
	path = strings.TrimSuffix(path, "/")
	return path == mcpPath || path == readonlyPath
}
