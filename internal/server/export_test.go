package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"guestpass/internal/directory"
)

// RetryRevocations does what Run does every few seconds.
func (s *Server) RetryRevocations(ctx context.Context) { s.connections.Retry(ctx) }

// Directory is what the server knows of people.
func (s *Server) Directory() directory.Directory { return s.directory }

// ServeAtMost is Serve with fewer connections at once.
func ServeAtMost(ctx context.Context, connections int, listener net.Listener, handler http.Handler) error {
	return serve(ctx, listener, handler, slog.New(slog.DiscardHandler), 0, connections)
}

// Refusals are what the sign-in page has counted.
func (s *Server) Refusals() map[string]int { return s.provider.Refusals() }

// CheckIssuer and CheckProject do what Run does at once and every hour.
func (s *Server) CheckIssuer(ctx context.Context) bool { return s.checkIssuer(ctx) }

func (s *Server) CheckProject(ctx context.Context) bool { return s.checkProject(ctx) }
