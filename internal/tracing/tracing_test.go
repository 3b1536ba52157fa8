package tracing

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	collected "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector takes traces as OpenTelemetry's does. Its answers are statuses, the last one again and again.
type collector struct {
	answers []int

	mu       sync.Mutex // guards what follows
	requests []*http.Request
	spans    []*collected.ResourceSpans
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r)
	status := c.answers[min(len(c.requests), len(c.answers))-1]
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	content, _ := io.ReadAll(body)
	var told collected.TracesData
	if err := proto.Unmarshal(content, &told); err != nil {
		status = http.StatusBadRequest
	}
	if status == http.StatusOK {
		c.spans = append(c.spans, told.ResourceSpans...)
	}
	w.WriteHeader(status)
}

func read(t *testing.T, variables map[string]string) Config {
	t.Helper()
	c, err := Read(variables)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What is sent is what a collector understands, with what the variables say of who sends it.
func TestTracesReachACollector(t *testing.T) {
	for _, compression := range []string{"none", "gzip"} {
		far := &collector{answers: []int{200}}
		server := httptest.NewServer(far)
		defer server.Close()
		var log bytes.Buffer
		p, err := read(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL + "/otlp/",
			"OTEL_EXPORTER_OTLP_HEADERS": "Api-Key=a%2Cb, other = c", "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
			"OTEL_SERVICE_NAME": "shop", "OTEL_RESOURCE_ATTRIBUTES": "service.name=no,deployment.environment=test"}).
			Start(t.Context(), "1.2.3", io.Discard, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		_, span := p.Tracer("test").Start(t.Context(), "rest getTask")
		span.RecordError(errors.New("of somebody"))
		span.End()
		p.Stop(t.Context())
		if len(far.spans) != 1 || len(far.requests) != 1 || log.Len() > 0 {
			t.Fatalf("%d requests, %v, %s", len(far.requests), far.spans, &log)
		}
		r, text := far.requests[0], far.spans[0].String()
		if r.URL.Path != "/otlp/v1/traces" || r.Header.Get("Api-Key") != "a,b" || r.Header.Get("Other") != "c" ||
			r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		for _, part := range []string{"rest getTask", `"shop"`, "deployment.environment", `"1.2.3"`} {
			if !strings.Contains(text, part) {
				t.Errorf("%s is not in %s", part, text)
			}
		}
		if strings.Contains(text, "of somebody") || strings.Contains(text, `"no"`) {
			t.Errorf("what must not be sent is: %s", text)
		}
	}
}

// A collector that is busy is asked again, one that refuses is not, and one that is never well is given up.
func TestACollectorThatIsBusyIsAskedAgain(t *testing.T) {
	for _, tt := range []struct {
		answers []int
		asked   int
		sent    bool
	}{{[]int{503, 429, 200}, 3, true}, {[]int{400}, 1, false}, {[]int{401, 200}, 1, false}, {[]int{503}, 3, false},
		{[]int{302}, 1, false}} {
		far := &collector{answers: tt.answers}
		server := httptest.NewServer(far)
		defer server.Close()
		c := newClient(read(t, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": server.URL}))
		c.backoff = 0
		err := c.UploadTraces(t.Context(), []*collected.ResourceSpans{{}})
		if len(far.requests) != tt.asked || (err == nil) != tt.sent {
			t.Errorf("%v: asked %d times, %v", tt.answers, len(far.requests), err)
		}
	}
}

// Whoever sends nothing anywhere, or says that nothing is to be sent, keeps no traces.
func TestWithoutAnEndpointNoTracesAreKept(t *testing.T) {
	for _, variables := range []map[string]string{{}, {"OTEL_SERVICE_NAME": "shop"},
		{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"},
		{"OTEL_SDK_DISABLED": "TRUE", "OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "whatever"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "  "}} {
		if c := read(t, variables); c.On() {
			t.Errorf("%v: traces are kept", variables)
		}
	}
	if c := read(t, map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}); c.endpoint.String() !=
		"http://localhost:4318/v1/traces" {
		t.Errorf("by default traces are sent to %s", c.endpoint)
	}
}

// What is set and not understood is refused by name, and never repeated: it may be a secret.
func TestUnknownValuesAreRefused(t *testing.T) {
	for name, values := range map[string][]string{
		"OTEL_SDK_DISABLED": {"yes", "1"}, "OTEL_TRACES_EXPORTER": {"zipkin", "otlp,console", "jaeger"},
		"OTEL_TRACES_SAMPLER":     {"sometimes", "jaeger_remote"},
		"OTEL_TRACES_SAMPLER_ARG": {"x", "-1", "1.1", "NaN", "10%"},
		"OTEL_EXPORTER_OTLP_ENDPOINT": {"localhost:4318", "ftp://localhost", "http://user:canary@localhost",
			"https://localhost/?key=canary", "http://"},
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": {"collector"},
		"OTEL_EXPORTER_OTLP_PROTOCOL":        {"grpc", "http/json"}, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": {"grpc"},
		"OTEL_EXPORTER_OTLP_HEADERS":     {"canary", "=canary", "key=%zz", "a canary=b", "key=canary%0Ab"},
		"OTEL_EXPORTER_OTLP_TIMEOUT":     {"0", "10s", "-1", "60001"},
		"OTEL_EXPORTER_OTLP_COMPRESSION": {"zstd"}, "OTEL_EXPORTER_OTLP_CERTIFICATE": {"ca.pem"},
		"OTEL_EXPORTER_OTLP_CLIENT_KEY": {"key.pem"}, "OTEL_RESOURCE_ATTRIBUTES": {"canary"},
		"OTEL_BSP_MAX_QUEUE_SIZE": {"-1", "0", "99999999999999", "many"}, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": {"-1"},
		"OTEL_BSP_SCHEDULE_DELAY": {"0", "-1", "5s"}, "OTEL_BSP_EXPORT_TIMEOUT": {"0", "-1"},
	} {
		for _, value := range values {
			variables := map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "traceidratio"}
			variables[name] = value
			_, err := Read(variables)
			if err == nil || !strings.Contains(err.Error(), name+" ") || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s=%s: %v", name, value, err)
			}
		}
	}
}

// The sampler decides of each trace, and none that begins elsewhere is ours.
func TestTheSamplerIsTheOneOfTheVariables(t *testing.T) {
	for sampler, kept := range map[string]bool{"": true, "always_on": true, "always_off": false,
		"parentbased_always_off": false, "parentbased_traceidratio": true, "traceidratio": true} {
		c := read(t, map[string]string{"OTEL_TRACES_EXPORTER": "console", "OTEL_TRACES_SAMPLER": sampler})
		var out bytes.Buffer
		p, err := c.Start(t.Context(), "1", &out, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		_, span := p.Tracer("test").Start(context.Background(), "named", trace.WithNewRoot())
		span.End()
		p.Stop(t.Context())
		if strings.Contains(out.String(), "named") != kept {
			t.Errorf("%s: %s", sampler, &out)
		}
	}
	half := read(t, map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "traceidratio",
		"OTEL_TRACES_SAMPLER_ARG": "0.5"})
	if half.sampler.Description() != sdk.TraceIDRatioBased(.5).Description() {
		t.Errorf("the sampler is %s", half.sampler.Description())
	}
}
