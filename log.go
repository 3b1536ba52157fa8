package guestpass

import (
	"context"
	"log/slog"

	"github.com/go-chi/chi/v5/middleware"

	"guestpass/api"
	"guestpass/internal/credentials"
)

// requestLog adds to every line written within a request which request it was, once known which operation, and where
// traces are kept which trace. So whoever has the request_id of a reply finds all its lines. It masks everything in the
// form of a token: anybody may put one where none is expected.
type requestLog struct{ slog.Handler }

func (l requestLog) Handle(ctx context.Context, record slog.Record) error {
	attributes := make([]slog.Attr, 0, maxAttributes)
	record.Attrs(func(a slog.Attr) bool {
		attributes = append(attributes, withoutTokens(a))
		return true
	})
	if id := middleware.GetReqID(ctx); id != "" {
		attributes = append(attributes, slog.String("request_id", id))
		if caller := api.CallerOf(ctx); caller != nil {
			attributes = appendCaller(attributes, caller)
		}
	}
	written := slog.NewRecord(record.Time, record.Level, credentials.Mask(record.Message), record.PC)
	written.AddAttrs(attributes...)
	return l.Handler.Handle(ctx, written)
}

// appendCaller adds what is known of the request.
func appendCaller(attributes []slog.Attr, caller *api.Caller) []slog.Attr {
	if caller.Operation != "" {
		attributes = append(attributes, slog.String("operation", caller.Operation))
	}
	if caller.TraceID != "" {
		attributes = append(attributes, slog.String("trace_id", caller.TraceID))
	}
	return attributes
}

func (l requestLog) WithAttrs(attributes []slog.Attr) slog.Handler {
	return requestLog{l.Handler.WithAttrs(allWithoutTokens(attributes))}
}

func (l requestLog) WithGroup(name string) slog.Handler { return requestLog{l.Handler.WithGroup(name)} }

func withoutTokens(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(credentials.Mask(a.Value.String()))
	case slog.KindGroup:
		a.Value = slog.GroupValue(allWithoutTokens(a.Value.Group())...)
	case slog.KindAny:
		switch v := a.Value.Any().(type) {
		case error:
			a.Value = slog.StringValue(credentials.Mask(v.Error()))
		case []string:
			a.Value = slog.AnyValue(masked(v))
		}
	}
	return a
}

func allWithoutTokens(attributes []slog.Attr) []slog.Attr {
	written := make([]slog.Attr, len(attributes))
	for i, a := range attributes {
		written[i] = withoutTokens(a)
	}
	return written
}

func masked(texts []string) []string {
	written := make([]string, len(texts))
	for i, text := range texts {
		written[i] = credentials.Mask(text)
	}
	return written
}
