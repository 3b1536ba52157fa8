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

// clientAddress finds out who is at the other end: the connection's address, or what
// trusted proxies say of it. Anybody could write the header, so nobody else is believed.
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

// limitAddress refuses addresses that have sent too many requests without a valid
// token, before anything is checked. Requests with one count only until they end:
// ChatGPT's come from few addresses, for everybody. Health checks are always answered.
//
// What others at the same address have used up is not for people whose token was
// verified here lately: they still reach the operations that want a token. The token
// endpoint counts by itself: a connected app that proves its secret there calls from an
// address that it shares with everybody's.
func (s *Server) limitAddress(next http.Handler) http.Handler {
	var unknown sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
			next.ServeHTTP(w, r)
			return
		}
		address := middleware.GetClientIPAddr(r.Context())
		if !address.IsValid() {
			unknown.Do(func() {
				s.log.WarnContext(r.Context(), "a client's address cannot be read; all such requests are limited "+
					"together: "+
					"the proxies that GUESTPASS_TRUSTED_PROXIES names must write addresses without ports into "+
					"X-Forwarded-For")
			})
		}
		network := limits.Network(address)
		r = r.WithContext(limits.WithParty(r.Context(), limits.Party{Address: network}))
		if r.URL.Path == tokenPath && s.options.ForwardTokens {
			next.ServeHTTP(w, r)
			return
		}
		caller := api.CallerOf(r.Context())
		takeBack, exceeded := s.limits.CountAddress(network)
		if exceeded != nil {
			if caller == nil || !s.remembersToken(r) {
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

// remembersToken says whether an operation is called with a token that was verified lately.
func (s *Server) remembersToken(r *http.Request) bool {
	if !strings.HasPrefix(r.URL.Path, "/api/") && !isMCP(r.URL.Path) {
		return false
	}
	token, err := auth.Bearer(r)
	return err == nil && s.verifier.Remembers(token)
}

func isMCP(path string) bool {
	path = strings.TrimSuffix(path, "/")
	return path == mcpPath || path == readonlyPath
}
