package server

import (
	"bytes"
	"net/http"
	"strings"
	"sync"

	"github.com/go-chi/chi/v5/middleware"

	"guestpass/api"
	"guestpass/auth"
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
// verified here lately: they still reach the operations that want a token.
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
				s.log.WarnContext(r.Context(), "a client's address cannot be read; all such requests are limited together: "+
					"the proxies that GUESTPASS_TRUSTED_PROXIES names must write addresses without ports into X-Forwarded-For")
			})
		}
		caller := api.CallerOf(r.Context())
		takeBack, exceeded := s.options.Limits.CountAddress(address)
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
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		return false
	}
	token, err := auth.Bearer(r)
	return err == nil && s.verifier.Remembers(token)
}

// maxPages is how many pages that ask Stytch are made at once. Anybody may load them, so
// they have places of their own, apart from the operations'.
const maxPages = 16

// shed has a page take its place, and refuses when there are too many. What it writes is
// sent when the place is free again: whoever is slow to take it keeps nobody out.
func (s *Server) shed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.pages.Enter(r.Context()); err != nil {
			w.Header().Set("Retry-After", "1")
			api.WriteProblem(w, r, api.Problem{Status: http.StatusServiceUnavailable, Detail: "the server has too much to do at the moment"})
			return
		}
		made := &heldReply{ResponseWriter: w, status: http.StatusOK}
		func() {
			defer s.pages.Leave()
			next.ServeHTTP(made, r)
		}()
		w.WriteHeader(made.status)
		_, _ = made.body.WriteTo(w)
	})
}

// heldReply keeps status and body back; the header is the client's at once.
type heldReply struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *heldReply) WriteHeader(status int)            { h.status = status }
func (h *heldReply) Write(content []byte) (int, error) { return h.body.Write(content) }
