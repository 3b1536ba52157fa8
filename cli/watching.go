package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/exaring/otelpgx"

	"guestpass"
	"guestpass/internal/admin"
	"guestpass/internal/tracing"
	"guestpass/store"
)

// logLevels are the values of GUESTPASS_LOG_LEVEL.
var logLevels = []string{"debug", "info", "warn", "error"}

// level returns which lines the log has.
func (c config) level() (level slog.Level) {
	_ = level.UnmarshalText([]byte(or(c.LogLevel, "info"))) // one of logLevels
	return level
}

// checkAdmin finds what would put the admin address where the world is.
func (c config) checkAdmin() (faults []error) {
	for name, other := range map[string]string{"GUESTPASS_ADDR": c.Addr, "GUESTPASS_PLAIN_ADDR": c.PlainAddr} {
		if c.AdminAddr != "" && other != "" && portOf(c.AdminAddr) == portOf(other) && portOf(other) != "0" {
			faults = append(faults, c.fault("GUESTPASS_ADMIN_ADDR", "must have another port than %s, such as :9464: "+
				"who reaches it may read all of it", name))
		}
	}
	return faults
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr) // checkAddr has
	return port
}

// watched is what lets whoever runs the server see what it does.
type watched struct {
	admin    *admin.Server // nil: nobody looks
	listener net.Listener
	grace    time.Duration     // for which the admin address goes on, as the server does
	traces   *tracing.Provider // nil: none are kept
	log      *slog.Logger
}

// watch opens the admin address and begins to keep traces, as far as the settings say so. Traces for the console are
// written to stdout.
func (c config) watch(ctx context.Context, version string, stdout io.Writer, log *slog.Logger) (w watched, err error) {
	w.log, w.grace = log, c.StopGrace
	if c.AdminAddr != "" {
		if w.listener, err = admin.Listen(c.AdminAddr); err != nil {
			return w, usagef("cannot listen on the address of GUESTPASS_ADMIN_ADDR: %s", cause(err))
		}
		w.admin = admin.New(c.AdminAddr, log)
		log.Info("metrics and profiles", "admin_addr", w.listener.Addr().String())
		if !admin.Local(c.AdminAddr) {
			log.Warn("GUESTPASS_ADMIN_ADDR has a host that others than programs of this machine may reach: whoever "+
				"does reads metrics and memory profiles, and has the server make profiles; keep it behind a firewall",
				"admin_addr", w.listener.Addr().String())
		}
	}
	if c.traces.On() {
		if w.traces, err = c.traces.Start(ctx, version, stdout, log); err != nil {
			return w, errors.Join(err, w.close(ctx))
		}
	}
	return w, nil
}

// have has the server and its database tell what they do.
func (w watched) have(o *guestpass.Options, database *store.Options) {
	if w.admin != nil {
		o.Metrics = w.admin.Registry()
	}
	if w.traces != nil {
		o.TracerProvider = w.traces
		// Statements are constants of the program; their values are not told.
		database.Tracer = otelpgx.NewTracer(otelpgx.WithTracerProvider(w.traces),
			otelpgx.WithDisableConnectionDetailsInAttributes())
	}
}

// serve answers on the admin address until ctx ends, and then for the grace: a server that stops is still watched.
func (w watched) serve(ctx context.Context) error {
	if w.admin == nil {
		return nil
	}
	lasting, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	context.AfterFunc(ctx, func() { time.AfterFunc(w.grace, end) })
	return w.admin.Serve(lasting, w.listener, w.log)
}

// close sends the last traces. Call it when nothing is served any more.
func (w watched) close(ctx context.Context) error {
	if w.traces != nil {
		w.traces.Stop(context.WithoutCancel(ctx))
	}
	if w.listener == nil {
		return nil
	}
	if err := w.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
