package guestpass

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"guestpass/internal/doctor"
	"guestpass/internal/inside"
	"guestpass/internal/limits"
	"guestpass/internal/stytch"
)

func init() {
	inside.RetryRevocations = func(s any, ctx context.Context) { s.(*Server).connections.Retry(ctx) }
	inside.Diagnose = func(s any, ctx context.Context) bool { again, _ := s.(*Server).diagnose(ctx); return !again }
	inside.Doctor = func(s any) doctor.Server { return s.(*Server).patient() }
	inside.Directory = func(s any) stytch.Directory { return s.(*Server).directory }
	inside.Refusals = func(s any) map[string]int { return s.(*Server).provider.Refusals() }
	inside.Routes = func(s any) (names []string) {
		for _, route := range s.(*Server).routes() {
			for _, method := range route.methods {
				names = append(names, method+" "+route.path)
			}
		}
		return names
	}
	inside.Limits = func(s any) *limits.Limits { return s.(*Server).limits }
	inside.ServeAtMost = func(ctx context.Context, connections int, listener net.Listener, handler http.Handler) error {
		return serve(ctx, listener, handler, slog.New(slog.DiscardHandler), 0, nil, connections)
	}
}
