package guestpass

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"guestpass/internal/inside"
	"guestpass/internal/limits"
	"guestpass/internal/stytch"
)

func init() {
	inside.RetryRevocations = func(s any, ctx context.Context) { s.(*Server).connections.Retry(ctx) }
	inside.CheckIssuer = func(s any, ctx context.Context) bool { return s.(*Server).checkIssuer(ctx) }
	inside.CheckProject = func(s any, ctx context.Context) bool { return s.(*Server).checkProject(ctx) }
	inside.Directory = func(s any) stytch.Directory { return s.(*Server).directory }
	inside.Refusals = func(s any) map[string]int { return s.(*Server).provider.Refusals() }
	inside.Limits = func(s any) *limits.Limits { return s.(*Server).limits }
	inside.ServeAtMost = func(ctx context.Context, connections int, listener net.Listener, handler http.Handler) error {
		return serve(ctx, listener, handler, slog.New(slog.DiscardHandler), 0, connections)
	}
}
