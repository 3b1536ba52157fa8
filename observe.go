package guestpass

import (
	"cmp"
	"context"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/internal/doctor"
	"guestpass/internal/metrics"
	"guestpass/internal/stytch"
	"guestpass/store"
)

// buildMetrics prepares what is counted, if anybody asks for it.
func (s *Server) buildMetrics() error {
	if s.options.TracerProvider != nil {
		s.tracer = s.options.TracerProvider.Tracer("guestpass")
	}
	if s.options.Metrics == nil {
		return nil
	}
	sources := metrics.Sources{Now: s.options.Now, Uses: s.limits.Uses, Sharing: s.limits.Sharing,
		Breakers:  func() []stytch.Breaker { return s.directory.Breakers() },
		Keys:      func() (int, time.Time, auth.KeyFetches) { return s.verifier.Keys() },
		Unwritten: func() int { return s.connections.Unwritten() },
		Checks: func() (at time.Time, findings []doctor.Finding) {
			if last := s.diagnosis.Load(); last != nil {
				return last.at, last.findings
			}
			return at, nil
		},
		SignIns: func() map[string]int { return s.provider.Refusals() }, Build: s.buildInfo()}
	if s.options.Store != nil {
		sources.Store = func() store.Stats { return s.options.Store.Stats() }
	}
	s.metrics = metrics.New(sources)
	return nil
}

// refusalCounter returns who hears of refusals; nil if nobody does.
func (s *Server) refusalCounter() func(reason string) {
	if s.metrics == nil {
		return nil
	}
	return s.metrics.Refused
}

// registerMetrics comes last: what fails leaves nothing behind in the registry.
func (s *Server) registerMetrics() error {
	if s.metrics == nil {
		return nil
	}
	return s.metrics.Register(s.options.Metrics)
}

// buildInfo returns what runs.
func (s *Server) buildInfo() metrics.Build {
	built := metrics.Build{Version: cmp.Or(s.options.Version, "unknown"), Commit: s.options.Commit,
		Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok && built.Commit == "" {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				built.Commit = setting.Value
			}
		}
	}
	built.Commit = cmp.Or(built.Commit, "unknown")
	return built
}

// observe measures each request and keeps its trace. What is not asked for costs nothing.
func (s *Server) observe(next http.Handler) http.Handler {
	if s.metrics == nil && s.tracer == nil {
		return next
	}
	paths := map[string]string{} // of operations
	for _, op := range s.service.Operations() {
		paths[op.ID] = op.Path
	}
	fixed := map[string]bool{}
	for _, route := range s.routes() {
		fixed[route.path] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, begun := api.CallerOf(r.Context()), time.Now()
		recorded, on := middleware.NewWrapResponseWriter(w, r.ProtoMajor), surfaceOf(r)
		r, span := s.startSpan(r, on)
		defer func() {
			status := recorded.Status()
			if caller.Status != 0 { // of what was asked for; clients of MCP get 200 for most of what fails
				status = caller.Status
			}
			s.metrics.Request(on, caller.Operation, status, time.Since(begun))
			if span == nil {
				return
			}
			route := paths[caller.Operation]
			if fixed[r.URL.Path] {
				route = r.URL.Path
			}
			endSpan(span, r, on, caller.Operation, route, status)
		}()
		next.ServeHTTP(recorded, r)
	})
}

// surfaceOf returns what a request comes to.
func surfaceOf(r *http.Request) metrics.Surface {
	switch {
	case strings.HasPrefix(r.URL.Path, "/api/"):
		return metrics.REST
	case isMCP(r.URL.Path):
		return metrics.MCP
	case r.URL.Path == verifyPath:
		return metrics.Verify
	case r.URL.Path == tokenPath:
		return metrics.Token
	}
	return metrics.Other
}

// startSpan begins the span of a request, and tells the caller's place in the context of its trace; nil where none is
// kept.
//
// A traceparent comes from anybody. Whoever sends one neither decides that a trace is kept, which the sampler would
// follow, nor puts spans of ours into a trace of theirs: the span is the root of a trace of our own, with a link to
// theirs. Of theirs it keeps the ids alone: tracestate is text that anybody may write. A span that the program around
// has begun is no stranger's.
func (s *Server) startSpan(r *http.Request, on metrics.Surface) (*http.Request, trace.Span) {
	if s.tracer == nil {
		return r, nil
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}
	if around := trace.SpanContextFromContext(r.Context()); !around.IsValid() || around.IsRemote() {
		options = append(options, trace.WithNewRoot())
		theirs := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(),
			propagation.HeaderCarrier(r.Header)))
		if theirs.IsValid() {
			options = append(options, trace.WithLinks(trace.Link{
				SpanContext: theirs.WithTraceState(trace.TraceState{})}))
		}
	}
	ctx, span := s.tracer.Start(r.Context(), on.String(), options...)
	if of := span.SpanContext(); of.IsValid() {
		api.CallerOf(ctx).TraceID = of.TraceID().String()
	}
	return r.WithContext(ctx), span
}

// endSpan names the span by what was done. It has nothing of what a client wrote: no path with ids in it, no query, no
// header, no address. So package otelhttp, which records path and client, is not used.
func endSpan(span trace.Span, r *http.Request, on metrics.Surface, operation, route string, status int) {
	method := r.Method
	if !slices.Contains(all, method) {
		method = "_OTHER" // as OpenTelemetry has it
	}
	name := strings.TrimSpace(method + " " + route)
	if operation != "" {
		name = on.String() + " " + operation
		span.SetAttributes(attribute.String("guestpass.operation", operation))
	}
	span.SetName(name)
	if route != "" {
		span.SetAttributes(attribute.String("http.route", route))
	}
	span.SetAttributes(attribute.String("guestpass.surface", on.String()),
		attribute.String("guestpass.request_id", middleware.GetReqID(r.Context())),
		attribute.String("http.request.method", method), attribute.Int("http.response.status_code", max(status, 200)))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// observeStytch returns who hears of calls to Stytch; nil if nobody does. The span tells what was asked for, and not
// the address, which has ids in it. Stytch gets no traceparent: it is not part of this system.
func (s *Server) observeStytch() stytch.Observer {
	if s.metrics == nil && s.tracer == nil {
		return nil
	}
	return func(ctx context.Context, endpoint string) func(stytch.Call) {
		var span trace.Span
		if s.tracer != nil && trace.SpanContextFromContext(ctx).IsValid() { // of nobody's request: no trace
			_, span = s.tracer.Start(ctx, "Stytch "+endpoint, trace.WithSpanKind(trace.SpanKindClient))
		}
		return func(c stytch.Call) {
			s.metrics.Call(c)
			if span == nil {
				return
			}
			span.SetAttributes(attribute.String("guestpass.stytch.call", c.Endpoint),
				attribute.String("guestpass.stytch.cause", c.Cause),
				attribute.String("guestpass.stytch.outcome", c.Outcome))
			if c.Outcome == "unavailable" || c.Outcome == "timeout" || c.Outcome == "limited" {
				span.SetStatus(codes.Error, c.Outcome)
			}
			span.End()
		}
	}
}
