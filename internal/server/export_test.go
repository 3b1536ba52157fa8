package server

import (
	"context"

	"guestpass/internal/directory"
)

// RetryRevocations does what Run does every few seconds.
func (s *Server) RetryRevocations(ctx context.Context) { s.connections.Retry(ctx) }

// Directory is what the server knows of people.
func (s *Server) Directory() directory.Directory { return s.directory }
