package guestpass

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// drainTimeout is how long running requests may take to finish once the server accepts no more.
	drainTimeout = 30 * time.Second

	// maxConnections is how many connections are open at once: each takes memory and a file, whatever it does. Further
	// ones wait in the system's queue until one ends.
	maxConnections = 10_000
)

// Serve answers on the listener until ctx ends. It then goes on for the grace, in which a balancer sees that readyz
// answers 503 (see [Server.Run]) and sends its calls elsewhere; each answer closes its connection, so that no call
// meets a connection that is being closed. After that it accepts no more connections and lets running requests finish.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger,
	grace time.Duration) error {
	return serve(ctx, listener, handler, logger, grace, nil, maxConnections)
}

// ServeTLS is Serve without a proxy that speaks TLS. The config has the certificate, or gets it; nil: it is Serve.
func ServeTLS(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger,
	grace time.Duration, config *tls.Config) error {
	return serve(ctx, listener, handler, logger, grace, config, maxConnections)
}

func serve(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger, grace time.Duration,
	config *tls.Config, connections int) error {
	server := &http.Server{
		Handler:           lastAnswers(ctx, handler),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 100},
		ErrorLog:          log.New(quiet{logger}, "", 0),
		TLSConfig:         config,
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		time.Sleep(grace)
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		stopped <- server.Shutdown(drain)
	}()
	listener = netutil.LimitListener(listener, connections)
	answer := server.Serve
	if config != nil {
		answer = func(listener net.Listener) error { return server.ServeTLS(listener, "", "") }
	}
	if err := answer(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// lastAnswers makes answers close their connections once ctx has ended.
func lastAnswers(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// quiet logs net/http's own messages (broken connections, mostly) as debug lines.
type quiet struct{ log *slog.Logger }

func (q quiet) Write(line []byte) (int, error) {
	q.log.Debug("connection", "message", string(line))
	return len(line), nil
}
