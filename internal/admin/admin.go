// Package admin serves what whoever runs a server looks at, on an address of its own: metrics for Prometheus, profiles
// of Go's package pprof, and a page that names both. It knows nothing of the server that is watched.
//
// Nobody signs in there: who reaches the address may read all of it. So it is served on this machine alone, unless the
// operator says another host.
package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
)

// Bounds of the admin address; docs/security.md lists them.
const (
	maxConnections = 16
	maxScrapes     = 4               // at once
	scrapeTimeout  = 5 * time.Second // for what is collected
	headerTimeout  = 5 * time.Second
	bodyTimeout    = 5 * time.Second  // nothing that is served reads a body
	answerTimeout  = 65 * time.Second // so that a profile may take a minute
	longestProfile = time.Minute
	idleTimeout    = 2 * time.Minute // longer than between two scrapes
	maxHeader      = 16 << 10
	drainTimeout   = 2 * time.Second // for what is being answered when the server ends
)

// Listen returns a listener on an address as GUESTPASS_ADMIN_ADDR has it. Without a host it is one of this machine
// alone.
func Listen(addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.Listen("tcp", net.JoinHostPort(host, port))
}

// Local reports whether nobody but programs of this machine reaches the address.
func Local(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && (host == "" || loopback(host))
}

// A Server is what answers on the address.
type Server struct {
	registry *prometheus.Registry
	host     string // by which others than this machine may call it; "": none
	handler  http.Handler
}

// New returns a Server for an address as [Listen] takes it. Its metrics have those of the process and of Go.
func New(addr string, log *slog.Logger) *Server {
	s := &Server{registry: prometheus.NewRegistry()}
	s.registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if !Local(addr) {
		s.host, _, _ = net.SplitHostPort(addr)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", index)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{ErrorLog: scrapeLog{log},
		MaxRequestsInFlight: maxScrapes, Timeout: scrapeTimeout, ErrorHandling: promhttp.ContinueOnError}))
	for path, handler := range map[string]http.HandlerFunc{"": pprof.Index, "cmdline": pprof.Cmdline,
		"profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace} {
		mux.HandleFunc("GET /debug/pprof/"+path, bounded(handler))
	}
	s.handler = s.guard(mux)
	return s
}

// Registry is where metrics are registered to be served.
func (s *Server) Registry() prometheus.Registerer { return s.registry }

// Serve answers on the listener until ctx ends, and closes it.
func (s *Server) Serve(ctx context.Context, listener net.Listener, logger *slog.Logger) error {
	server := &http.Server{Handler: s.handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout,
		WriteTimeout: answerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: log.New(quiet{logger}, "", 0)}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		err := server.Shutdown(drain)
		if errors.Is(err, context.DeadlineExceeded) { // a profile is being made: its reader waits for nobody
			err = server.Close()
		}
		stopped <- err
	}()
	if err := server.Serve(netutil.LimitListener(listener, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the admin address: %w", err)
	}
	return <-stopped
}

// guard keeps pages of websites out, which a browser on this machine or in its network would let through. A page whose
// own name was made to point here (DNS rebinding) is known by that name in Host: a name from the world's DNS is
// refused, unless the operator has said it. Others are known by what browsers say of them.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		site := r.Header.Get("Sec-Fetch-Site")
		switch {
		case !s.answersTo(r.Host):
			refuse(w, "This address does not answer to the Host of the request. Ask for it by localhost or an IP "+
				"address, or say the name in GUESTPASS_ADMIN_ADDR.\n")
		case len(r.Header.Values("Origin")) > 0 || site != "" && site != "none" && site != "same-origin":
			refuse(w, "This address does not answer pages of other websites.\n")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// bounded refuses profiles of more than a minute, for which pprof would put off the end of the answer.
func bounded(profile http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		asked := r.URL.Query().Get("seconds")
		if seconds, err := strconv.ParseFloat(asked, 64); asked != "" &&
			(err != nil || !(seconds >= 0 && seconds <= longestProfile.Seconds())) {
			http.Error(w, "seconds must be a number up to 60", http.StatusBadRequest)
			return
		}
		r.Body = http.NoBody // pprof would take seconds from a form in it as well
		profile(w, r)
	}
}

func refuse(w http.ResponseWriter, message string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, message)
}

// answersTo reports whether a Host is one that no website has. On this machine that is a loopback name; elsewhere an
// address, the name that the operator has said, and one without a dot, as containers have: nobody else has such names.
func (s *Server) answersTo(hostport string) bool {
	u, err := url.Parse("http://" + hostport)
	if err != nil || u.Host != hostport || strings.HasSuffix(hostport, ":") || u.Hostname() == "" {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if s.host == "" || loopback(host) {
		return loopback(host)
	}
	_, notAddress := netip.ParseAddr(host)
	return notAddress == nil || !strings.Contains(host, ".") || host == strings.ToLower(s.host)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

const indexPage = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Guestpass: admin</title>
<h1>Guestpass</h1><p>For whoever runs this server.</p>
<ul><li><a href="/metrics">/metrics</a>, for Prometheus</li>
<li><a href="/debug/pprof/">/debug/pprof/</a>, for go tool pprof</li></ul>
`

func index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	_, _ = io.WriteString(w, indexPage)
}

// quiet logs net/http's own messages as debug lines.
type quiet struct{ log *slog.Logger }

func (q quiet) Write(line []byte) (int, error) {
	q.log.Debug("admin connection", "message", string(line))
	return len(line), nil
}

// scrapeLog logs what could not be collected.
type scrapeLog struct{ log *slog.Logger }

func (l scrapeLog) Println(values ...any) {
	l.log.Error("not all metrics could be collected", "error", fmt.Sprint(values...))
}
