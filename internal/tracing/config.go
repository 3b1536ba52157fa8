// Package tracing keeps OpenTelemetry traces as the standard variables OTEL_* say. It knows nothing of what is traced,
// and of the program around no more than its version.
//
// It sends them by OTLP over HTTP, in protobuf. The exporter of OpenTelemetry's own that does so brings gRPC along,
// which makes the program larger by a third: so what is sent is theirs, and how is ours.
package tracing

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/net/http/httpguts"
)

// Defaults of OpenTelemetry's, and bounds of ours.
const (
	defaultEndpoint = "http://localhost:4318"
	tracesPath      = "/v1/traces"
	defaultTimeout  = 10 * time.Second
	longestTimeout  = time.Minute
	mostSpans       = 100_000 // that wait, or are sent at once
	defaultService  = "guestpass"
)

// exporter is a value of OTEL_TRACES_EXPORTER.
type exporter string

const (
	otlp    exporter = "otlp"
	console exporter = "console"
	none    exporter = "none"
)

// A Config is what the variables say. The zero value keeps no traces.
type Config struct {
	exporter   exporter
	endpoint   *url.URL
	headers    http.Header
	timeout    time.Duration
	gzip       bool
	sampler    sdk.Sampler
	attributes []attribute.KeyValue
	batches    []sdk.BatchSpanProcessorOption

	Warnings []string // about what is set and does nothing here, or is unwise
}

// On reports whether traces are kept.
func (c Config) On() bool { return c.exporter == otlp || c.exporter == console }

// Read reads the variables of an environment. They count as OpenTelemetry says, but that an unknown value is an error:
// whoever set it expects something of it. Errors repeat no value, which may be a secret.
func Read(variables map[string]string) (c Config, err error) {
	r := reader{values: variables}
	if r.choose("OTEL_SDK_DISABLED", "false", "true", "false") == "true" {
		return Config{}, r.err()
	}
	endpoint := cmp.Or(r.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), r.text("OTEL_EXPORTER_OTLP_ENDPOINT"))
	otherwise := none
	if endpoint != "" {
		otherwise = otlp
	}
	c.exporter = exporter(r.choose("OTEL_TRACES_EXPORTER", string(otherwise), string(otlp), string(console),
		string(none)))
	if !c.On() {
		return Config{}, r.err()
	}
	if c.exporter == otlp {
		c.readOTLP(&r)
	}
	c.sampler, c.attributes, c.batches = r.sampler(), r.resource(), r.batches()
	for _, signal := range []string{"OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"} {
		if value := r.text(signal); value != "" && value != string(none) {
			c.Warnings = append(c.Warnings, signal+" does nothing: Guestpass exports traces alone; metrics are at "+
				"GUESTPASS_ADMIN_ADDR, and the log is on standard error")
		}
	}
	return c, r.err()
}

func (c *Config) readOTLP(r *reader) {
	const protocol = "http/protobuf"
	r.choose(r.of("PROTOCOL"), protocol, protocol)
	for _, name := range []string{"CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"} {
		if r.text(r.of(name)) != "" {
			r.fault(r.of(name), "cannot be used: authorities of your own are taken from SSL_CERT_FILE; for "+
				"certificates of clients put a collector beside this server")
		}
	}
	c.gzip = r.choose(r.of("COMPRESSION"), "none", "none", "gzip") == "gzip"
	c.endpoint, c.timeout, c.headers = r.endpoint(), r.milliseconds(r.of("TIMEOUT"), defaultTimeout,
		longestTimeout), http.Header{}
	for _, pair := range r.pairs(r.of("HEADERS")) {
		if !httpguts.ValidHeaderFieldName(string(pair.Key)) || !httpguts.ValidHeaderFieldValue(pair.Value.AsString()) {
			r.fault(r.of("HEADERS"), "has what no header of HTTP can have, such as blanks in a name")
		}
		c.headers.Set(string(pair.Key), pair.Value.AsString())
	}
	if c.endpoint != nil && c.endpoint.Scheme == "http" && len(c.headers) > 0 && !onThisMachine(c.endpoint.Hostname()) {
		c.Warnings = append(c.Warnings, r.of("HEADERS")+" is sent unencrypted: write https://… in "+r.of("ENDPOINT"))
	}
}

func onThisMachine(host string) bool {
	return host == "localhost" || strings.HasPrefix(host, "127.") || host == "::1"
}

// A reader reads variables and keeps what is wrong with them.
type reader struct {
	values map[string]string
	faults []error
}

func (r *reader) err() error { return errors.Join(r.faults...) }

func (r *reader) fault(name, words string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf("%s "+words, append([]any{name}, args...)...))
}

// text returns a value; one that is empty counts as not set, says OpenTelemetry.
func (r *reader) text(name string) string { return strings.TrimSpace(r.values[name]) }

// of returns which variable about OTLP counts: the one of traces, or the one of all signals.
func (r *reader) of(name string) string {
	if traces := "OTEL_EXPORTER_OTLP_TRACES_" + name; r.text(traces) != "" {
		return traces
	}
	return "OTEL_EXPORTER_OTLP_" + name
}

func (r *reader) choose(name, otherwise string, known ...string) string {
	value := cmp.Or(strings.ToLower(r.text(name)), otherwise)
	if !slices.Contains(known, value) {
		r.fault(name, "must be %s, or be left out", strings.Join(known, " or "))
	}
	return value
}

// endpoint returns where traces are sent. The variable of all signals says the beginning of the address.
func (r *reader) endpoint() *url.URL {
	name := r.of("ENDPOINT")
	u, err := url.Parse(cmp.Or(r.text(name), defaultEndpoint))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" ||
		u.Fragment != "" {
		r.fault(name, "must be the address of a collector, such as http://localhost:4318, without a query; what it "+
			"asks for goes into OTEL_EXPORTER_OTLP_HEADERS")
		return nil
	}
	if name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
		u = u.JoinPath(tracesPath)
	}
	return u
}

// milliseconds returns a duration of a millisecond at least: for 0 and less, what waits for it would go round and
// round.
func (r *reader) milliseconds(name string, otherwise, longest time.Duration) time.Duration {
	number := r.number(name, "milliseconds", int(otherwise.Milliseconds()), int(longest.Milliseconds()))
	return time.Duration(number) * time.Millisecond
}

// number returns a number from 1 on.
func (r *reader) number(name, of string, otherwise, most int) int {
	if r.text(name) == "" {
		return otherwise
	}
	number, err := strconv.Atoi(r.text(name))
	if err != nil || number < 1 || number > most {
		r.fault(name, "must be a number of %s from 1 to %d", of, most)
		return otherwise
	}
	return number
}

// batches returns how spans wait until they are sent. The library reads the same variables by itself, and ends the
// program for numbers that it does not expect.
func (r *reader) batches() []sdk.BatchSpanProcessorOption {
	const of = "OTEL_BSP_"
	queue := r.number(of+"MAX_QUEUE_SIZE", "spans", sdk.DefaultMaxQueueSize, mostSpans)
	return []sdk.BatchSpanProcessorOption{sdk.WithMaxQueueSize(queue),
		sdk.WithMaxExportBatchSize(min(queue, r.number(of+"MAX_EXPORT_BATCH_SIZE", "spans",
			sdk.DefaultMaxExportBatchSize, mostSpans))),
		sdk.WithBatchTimeout(r.milliseconds(of+"SCHEDULE_DELAY", sdk.DefaultScheduleDelay*time.Millisecond, time.Hour)),
		sdk.WithExportTimeout(r.milliseconds(of+"EXPORT_TIMEOUT", sdk.DefaultExportTimeout*time.Millisecond,
			longestTimeout))}
}

// samplers are those of OTEL_TRACES_SAMPLER. Ours begin each trace, so that those that ask a parent first do the same
// as those that ask none.
var samplers = map[string]func(ratio float64) sdk.Sampler{
	"always_on":    func(float64) sdk.Sampler { return sdk.AlwaysSample() },
	"always_off":   func(float64) sdk.Sampler { return sdk.NeverSample() },
	"traceidratio": func(ratio float64) sdk.Sampler { return sdk.TraceIDRatioBased(ratio) },
}

func (r *reader) sampler() sdk.Sampler {
	const name, parentBased = "OTEL_TRACES_SAMPLER", "parentbased_"
	known := slices.Sorted(maps.Keys(samplers))
	for _, sampler := range slices.Clone(known) {
		known = append(known, parentBased+sampler)
	}
	chosen := r.choose(name, parentBased+"always_on", known...)
	make := samplers[strings.TrimPrefix(chosen, parentBased)]
	if make == nil {
		return sdk.NeverSample() // and nothing starts
	}
	ratio := 1.0
	if text := r.text(name + "_ARG"); text != "" && strings.HasSuffix(chosen, "traceidratio") {
		var err error
		if ratio, err = strconv.ParseFloat(text, 64); err != nil || !(ratio >= 0 && ratio <= 1) {
			r.fault(name+"_ARG", "must be the part of all traces to keep, from 0 to 1, such as 0.1")
		}
	}
	if strings.HasPrefix(chosen, parentBased) {
		return sdk.ParentBased(make(ratio))
	}
	return make(ratio)
}

// resource returns who sends the traces.
func (r *reader) resource() []attribute.KeyValue {
	attributes := r.pairs("OTEL_RESOURCE_ATTRIBUTES")
	isName := func(a attribute.KeyValue) bool { return a.Key == "service.name" }
	if name := r.text("OTEL_SERVICE_NAME"); name != "" {
		attributes = append(slices.DeleteFunc(attributes, isName), attribute.String("service.name", name))
	}
	if !slices.ContainsFunc(attributes, isName) {
		attributes = append(attributes, attribute.String("service.name", defaultService))
	}
	return attributes
}

// pairs reads KEY=VALUE,… with percent signs for what would end a value.
func (r *reader) pairs(name string) (list []attribute.KeyValue) {
	for pair := range strings.SplitSeq(r.text(name), ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		key, value, found := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if key = strings.TrimSpace(key); !found || key == "" || err != nil {
			r.fault(name, "must be KEY=VALUE,…, with %%2C for a comma in a value")
			return nil
		}
		list = append(list, attribute.String(key, value))
	}
	return list
}
