package tracing

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	collected "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	attempts     = 3
	firstBackoff = time.Second
	maxAnswer    = 64 << 10 // of a collector, which is read so that the connection can be used again
	stopTimeout  = 5 * time.Second
	tellEvery    = time.Minute // between lines on traces that are not sent
)

// A Provider keeps traces until it is stopped. What cannot be sent is dropped: at most 2,048 spans wait, unless
// OTEL_BSP_MAX_QUEUE_SIZE says otherwise.
type Provider struct {
	trace.TracerProvider
	sdk *sdk.TracerProvider
	log *slog.Logger
}

// Start returns a provider for a Config that is On. Traces for the console are written to out.
func (c Config) Start(ctx context.Context, version string, out io.Writer, log *slog.Logger) (*Provider, error) {
	for _, warning := range c.Warnings {
		log.WarnContext(ctx, warning)
	}
	var to sdk.SpanExporter
	var err error
	if c.exporter == console {
		to, err = stdouttrace.New(stdouttrace.WithWriter(out))
	} else {
		to, err = otlptrace.New(ctx, newClient(c))
	}
	if err != nil {
		return nil, fmt.Errorf("keep traces: %w", err)
	}
	from := resource.NewSchemaless(append(c.attributes, attribute.String("service.version", version))...)
	provider := sdk.NewTracerProvider(sdk.WithBatcher(discreet{to}, c.batches...),
		sdk.WithSampler(c.sampler), sdk.WithResource(from))
	otel.SetErrorHandler(&complaints{log: log}) // which is the whole process's, and else writes to standard error
	return &Provider{TracerProvider: provider, sdk: provider, log: log}, nil
}

// Stop sends what is left, within five seconds.
func (p *Provider) Stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if err := p.sdk.Shutdown(ctx); err != nil {
		p.log.WarnContext(ctx, "the last traces were not sent", "error", err)
	}
}

// complaints log what goes wrong, once a minute at most.
type complaints struct {
	log *slog.Logger

	mu   sync.Mutex // guards told
	told time.Time
}

func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.told) >= tellEvery {
		c.told = now
		c.log.Warn("traces are not sent", "error", err)
	}
}

// discreet leaves out the texts of errors, which may repeat what a request carried; the log has them.
type discreet struct{ sdk.SpanExporter }

func (d discreet) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	list := make([]sdk.ReadOnlySpan, len(spans))
	for i, span := range spans {
		list[i] = withoutTexts{span}
	}
	return d.SpanExporter.ExportSpans(ctx, list)
}

type withoutTexts struct{ sdk.ReadOnlySpan }

func (withoutTexts) Events() []sdk.Event { return nil }

func (s withoutTexts) Status() sdk.Status { return sdk.Status{Code: s.ReadOnlySpan.Status().Code} }

// client sends traces to a collector (OTLP 1, section OTLP/HTTP).
type client struct {
	Config
	http    *http.Client
	backoff time.Duration // after the first attempt; then twice as long
}

func newClient(c Config) *client {
	return &client{c, &http.Client{Timeout: c.timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, firstBackoff}
}

func (c *client) Start(context.Context) error { return nil }

func (c *client) Stop(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
}

// UploadTraces repeats what a collector says it may take later.
func (c *client) UploadTraces(ctx context.Context, spans []*collected.ResourceSpans) error {
	// The request of the protocol, of which the package has gRPC in it, has the same members with the same numbers.
	body, err := proto.Marshal(&collected.TracesData{ResourceSpans: spans})
	if err != nil {
		return err
	}
	if c.gzip {
		if body, err = compressed(body); err != nil {
			return err
		}
	}
	for attempt, wait := 1, c.backoff; ; attempt, wait = attempt+1, 2*wait {
		again, err := c.send(ctx, body)
		if err == nil || !again || attempt == attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

func (c *client) send(ctx context.Context, body []byte) (again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	request.Header = c.headers.Clone()
	request.Header.Set("Content-Type", "application/x-protobuf")
	if c.gzip {
		request.Header.Set("Content-Encoding", "gzip")
	}
	response, err := c.http.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return true, fmt.Errorf("send traces to %s: %w", c.endpoint.Host, err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer)
	switch response.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return false, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		again = true
	}
	return again, fmt.Errorf("send traces to %s: status %d", c.endpoint.Host, response.StatusCode)
}

func compressed(body []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(body)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}
