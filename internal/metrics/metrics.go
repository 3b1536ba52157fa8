package metrics

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"guestpass/internal/stytch"
)

// A Surface is what a request came to.
type Surface int

// The surfaces.
const (
	Other Surface = iota // pages, documents, metadata
	REST
	MCP
	Verify
	Token // the token endpoint
	surfaces
)

// String returns the surface as labels, lines of the log and spans have it.
func (s Surface) String() string { return [...]string{"other", "rest", "mcp", "verify", "token"}[s] }

// Buckets in seconds. A request has 20 seconds; Stytch 16 for all attempts.
var (
	requestBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20}
	callBuckets    = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 5, 10}
)

// Metrics take what happens. A nil *Metrics takes it and keeps nothing. Safe for concurrent use.
type Metrics struct {
	requests, calls *prometheus.HistogramVec
	refusals        *prometheus.CounterVec
	collector       prometheus.Collector

	// operations have the series of each by surface and outcome, found once: to look them up by their labels costs each
	// request several times as much.
	operations map[string]*series
}

type series [surfaces][outcomes]atomic.Pointer[prometheus.Observer]

// New makes metrics that nobody has asked for yet, see [Metrics.Register].
func New(s Sources) *Metrics {
	return &Metrics{requests: requests.histogram(requestBuckets), calls: calls.histogram(callBuckets),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{Name: refusals.Name, Help: refusals.Help},
			refusals.Labels),
		collector: collector{s}, operations: map[string]*series{"": new(series)}}
}

// Declare says which operations there are, before the first request. What is told of others counts as of none.
func (m *Metrics) Declare(operations ...string) {
	for _, id := range operations {
		m.operations[id] = new(series)
	}
}

// Register has the registerer collect all of it. It fails for a second server in the same one.
func (m *Metrics) Register(r prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{m.requests, m.calls, m.refusals, m.collector} {
		if err := r.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// Unregister ends that.
func (m *Metrics) Unregister(r prometheus.Registerer) {
	for _, c := range []prometheus.Collector{m.requests, m.calls, m.refusals, m.collector} {
		r.Unregister(c)
	}
}

// Request takes a request that was answered.
func (m *Metrics) Request(on Surface, operation string, status int, took time.Duration) {
	if m == nil {
		return
	}
	of := m.operations[operation]
	if of == nil {
		operation, of = "", m.operations[""]
	}
	outcome := outcomeOf(status)
	found := of[on][outcome].Load()
	if found == nil {
		observer := m.requests.WithLabelValues(on.String(), operation, outcome.String())
		found = &observer
		of[on][outcome].Store(found)
	}
	(*found).Observe(took.Seconds())
}

// Refused takes a call that was refused for the reason.
func (m *Metrics) Refused(reason string) { m.refusals.WithLabelValues(reason).Inc() }

// Call takes an attempt to ask Stytch.
func (m *Metrics) Call(c stytch.Call) {
	if m != nil {
		m.calls.WithLabelValues(c.Endpoint, c.Outcome).Observe(c.Took.Seconds())
	}
}

// An outcome is a class of statuses that whoever runs a server tells apart.
type outcome int

const (
	ok outcome = iota
	invalid
	unauthenticated
	forbidden
	missing
	conflict
	tooMany
	full
	unavailable
	failed
	outcomes
)

func (o outcome) String() string {
	return [...]string{"ok", "invalid", "unauthenticated", "forbidden", "not_found", "conflict", "limited", "full",
		"unavailable", "error"}[o]
}

// outcomeOf admits every status. 0 is that of an answer that was never begun, for which net/http says 200.
func outcomeOf(status int) outcome {
	switch {
	case status < http.StatusBadRequest:
		return ok
	case status == http.StatusUnauthorized:
		return unauthenticated
	case status == http.StatusForbidden:
		return forbidden
	case status == http.StatusNotFound, status == http.StatusGone:
		return missing
	case status == http.StatusConflict, status == http.StatusPreconditionFailed:
		return conflict
	case status == http.StatusTooManyRequests:
		return tooMany
	case status < http.StatusInternalServerError:
		return invalid
	case status == http.StatusServiceUnavailable:
		return unavailable
	case status == http.StatusInsufficientStorage:
		return full
	}
	return failed
}
