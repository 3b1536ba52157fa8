// Package inside lets tests of the assembled server do at once what [guestpass.Server.Run] does in its own
// time, and see what the server has counted, and lets guestpass doctor look at a server that does not run. Package
// guestpass fills it in; only they call it.
package inside

import (
	"context"
	"net"
	"net/http"

	"guestpass/internal/doctor"
	"guestpass/internal/limits"
	"guestpass/internal/stytch"
)

// Each takes a *guestpass.Server first, which this package cannot name.
var (
	RetryRevocations func(server any, ctx context.Context)
	Diagnose         func(server any, ctx context.Context) (done bool)
	Doctor           func(server any) doctor.Server
	Directory        func(server any) stytch.Directory
	Limits           func(server any) *limits.Limits
	Refusals         func(server any) map[string]int // of the sign-in page, by reason
	Routes           func(server any) []string       // method and path of each, but for the operations
)

// ServeAtMost is guestpass.Serve with fewer connections at once.
var ServeAtMost func(ctx context.Context, connections int, listener net.Listener, handler http.Handler) error
