package guestpass

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"guestpass/api"
)

// Bounds of every request; docs/security.md lists them.
const (
	maxBody        = 256 << 10 // the last resort: operations and forwarder have smaller limits of their own
	handlerTimeout = 20 * time.Second
)

// chain puts the middleware around the routes, the outermost first.
func (s *Server) chain(next http.Handler) http.Handler {
	layers := []func(http.Handler) http.Handler{requestID, withCaller, s.observe, s.accessLog, s.recoverer,
		secureHeaders, s.onlyThisMachine, s.clientAddress(), s.limitAddress, bound}
	for i := len(layers) - 1; i >= 0; i-- {
		next = layers[i](next)
	}
	return next
}

// requestID names the request in log and replies. It does not use a client's own id, which could be anything.
func requestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := "req-" + strings.ToLower(rand.Text()[:20])
		w.Header()["X-Request-Id"] = []string{id}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), middleware.RequestIDKey, id)))
	})
}

// withCaller prepares a place in which the parts of the server note what they learn of the request.
func withCaller(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, _ := api.WithCaller(r.Context())
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// accessLog writes one line a request. It never logs the query (which may carry a code), headers or bodies.
func (s *Server) accessLog(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, caller := r.Context(), api.CallerOf(r.Context())
		if !s.log.Enabled(ctx, slog.LevelInfo) {
			next.ServeHTTP(w, r)
			return
		}
		start := time.Now()
		recorded, is := w.(middleware.WrapResponseWriter) // of observe
		if !is {
			recorded = middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		}
		defer func() {
			attributes := make([]slog.Attr, 0, maxAttributes)
			attributes = append(attributes, slog.String("method", r.Method), slog.String("path", r.URL.Path),
				slog.Int("status", recorded.Status()), slog.Int64("took_us", time.Since(start).Microseconds()))
			if caller.Subject != "" {
				attributes = append(attributes, slog.String("subject", caller.Subject),
					slog.String("organization", caller.OrganizationID), slog.String("client_id", caller.ClientID))
			}
			s.log.LogAttrs(ctx, slog.LevelInfo, "request", attributes...)
		}()
		next.ServeHTTP(recorded, r)
	})
}

// maxAttributes are those of a line of the access log, with what requestLog adds.
const maxAttributes = 9

// recoverer turns a panic into a problem.
func (s *Server) recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			api.LogPanic(r.Context(), s.log, cause)
			api.WriteProblem(w, r, api.Problem{Status: http.StatusInternalServerError, Detail: "internal error"})
		}()
		next.ServeHTTP(w, r)
	})
}

func secureHeaders(next http.Handler) http.Handler {
	nosniff := []string{"nosniff"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Content-Type-Options"] = nosniff
		next.ServeHTTP(w, r)
	})
}

// bound limits body and time of every request. After a chunked one it closes the connection: the request may have named
// a length too, which net/http does not tell, and then what follows could be a request that a proxy has not seen (RFC
// 9112 section 6.3).
func bound(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), handlerTimeout)
		defer cancel()
		r = r.WithContext(ctx)
		if r.ProtoMajor == 1 && len(r.TransferEncoding) > 0 {
			w.Header()["Connection"] = []string{"close"}
		}
		if r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		next.ServeHTTP(w, r)
	})
}
