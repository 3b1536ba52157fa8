package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/exaring/otelpgx"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	otelsdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"guestpass"
	"guestpass/api"
	"guestpass/internal/postgrestest"
	"guestpass/resources"
	"guestpass/store"
)

// traced has the server keep its traces in the recorder.
func traced(kept *tracetest.SpanRecorder, sampler otelsdk.Sampler) func(*guestpass.Options) {
	return func(o *guestpass.Options) {
		o.TracerProvider = otelsdk.NewTracerProvider(otelsdk.WithSpanProcessor(kept), otelsdk.WithSampler(sampler))
	}
}

const (
	strangersTrace = "0af7651916cd43dd8448eb211c80319c"
	stranger       = "00-" + strangersTrace + "-b7ad6b7169203331-01" // sampled
)

func fromStranger(r *http.Request) {
	r.Header.Set("Traceparent", stranger)
	r.Header.Set("Tracestate", "canary=canary")
}

func spansOf(kept *tracetest.SpanRecorder, named string) (list []otelsdk.ReadOnlySpan) {
	for _, span := range kept.Ended() {
		if span.Name() == named {
			list = append(list, span)
		}
	}
	return list
}

// A trace has what was done and for how long, under the same id as log and answer, and nothing of what a client wrote.
func TestATraceTellsWhatWasDone(t *testing.T) {
	kept := tracetest.NewSpanRecorder()
	w := newWorld(t, traced(kept, otelsdk.AlwaysSample()))
	token := w.token(ada, "tasks:read", "members:read")
	const secret = "canary-of-a-query"
	missing := w.call("GET", "/api/v1/tasks/task_canarycanarycanary?x="+secret, token, "", fromStranger)
	w.call("GET", "/api/v1/members", token, "")
	w.call("GET", "/verify?scope=tasks:read", token, "")
	w.call("GET", "/idp?"+authorization(w)+"&code="+secret, "", "")
	w.call("GET", "/nothing/"+secret, "", "")
	w.call("BREW-"+strings.ToUpper(secret), "/nothing", "", "")
	w.call("POST", "/mcp", token, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"createTask",`+
		`"arguments":{"title":"`+secret+`"}}}`)
	w.call("POST", "/mcp", token, toolCall("getTask", `{"task_id":"task_canarycanarycanary"}`))
	for _, name := range []string{"mcp getTask", "rest getTask", "rest listMembers", "Stytch member list",
		"GET /verify", "GET /idp", "GET", "_OTHER", "mcp createTask"} {
		if len(spansOf(kept, name)) == 0 {
			t.Errorf("there is no span %q", name)
		}
	}
	var problem struct {
		TraceID string `json:"trace_id"`
	}
	must(t, json.Unmarshal([]byte(missing.body), &problem))
	span := spansOf(kept, "rest getTask")[0]
	if id := span.SpanContext().TraceID().String(); problem.TraceID != id ||
		!strings.Contains(w.log.String(), `"operation":"getTask","trace_id":"`+id+`"`) {
		t.Errorf("trace %s, problem %s, log %s", id, missing.body, w.log)
	}
	members := spansOf(kept, "rest listMembers")[0]
	if call := spansOf(kept, "Stytch member list")[0]; call.Parent().SpanID() != members.SpanContext().SpanID() {
		t.Error("the call to Stytch is not of the request that needed it")
	}
	// The latter is answered with 200, as MCP has it.
	for name, want := range map[string]int64{"mcp createTask": 403, "mcp getTask": 404} {
		if status := attributeOf(spansOf(kept, name)[0], "http.response.status_code"); status.AsInt64() != want {
			t.Errorf("%s: %v", name, status)
		}
	}
	for _, span := range kept.Ended() {
		text := fmt.Sprint(span.Name(), span.Attributes(), span.Events(), span.Status(), span.Links())
		for _, foreign := range []string{"canary", "CANARY", ada, acme, token[:20], "127.0.0.1", "?"} {
			if strings.Contains(text, foreign) {
				t.Errorf("a span has %s: %s", foreign, text)
			}
		}
	}
}

func attributeOf(span otelsdk.ReadOnlySpan, key attribute.Key) attribute.Value {
	i := slices.IndexFunc(span.Attributes(), func(a attribute.KeyValue) bool { return a.Key == key })
	if i < 0 {
		return attribute.Value{}
	}
	return span.Attributes()[i].Value
}

// A stranger can have a trace of ours point to theirs, and no more: neither keep it, nor be in it.
func TestAStrangersTraceIsNotOurs(t *testing.T) {
	kept := tracetest.NewSpanRecorder()
	w := newWorld(t, traced(kept, otelsdk.ParentBased(otelsdk.AlwaysSample())))
	w.call("GET", "/healthz", "", "", fromStranger)
	span := spansOf(kept, "GET /healthz")[0]
	links := span.Links()
	if span.Parent().IsValid() || span.SpanContext().TraceID().String() == strangersTrace || len(links) != 1 ||
		links[0].SpanContext.TraceID().String() != strangersTrace || links[0].SpanContext.TraceState().Len() > 0 {
		t.Errorf("%v, parent %v, links %v", span.SpanContext(), span.Parent(), links)
	}
	none := tracetest.NewSpanRecorder()
	w = newWorld(t, traced(none, otelsdk.ParentBased(otelsdk.NeverSample())))
	r := w.call("GET", "/healthz", "", "", fromStranger)
	if len(none.Ended()) > 0 || r.header.Get("Traceparent") != "" {
		t.Errorf("a stranger had a trace kept: %v %v", none.Ended(), r.header)
	}
}

// The program around has traces of its own, and a request of it is one of them.
func TestASpanOfTheProgramAroundIsTheParent(t *testing.T) {
	kept := tracetest.NewSpanRecorder()
	w := newWorld(t, traced(kept, otelsdk.AlwaysSample()))
	provider := w.options.TracerProvider
	around := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ctx, span := provider.Tracer("around").Start(r.Context(), "around", trace.WithNewRoot())
		defer span.End()
		w.app.ServeHTTP(rw, r.WithContext(ctx))
	})
	r, err := http.NewRequest("GET", "http://localhost/healthz", nil)
	must(t, err)
	fromStranger(r)
	around.ServeHTTP(newDiscarded(), r)
	theirs := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1},
		TraceFlags: trace.FlagsSampled, Remote: true})
	ctx := trace.ContextWithRemoteSpanContext(t.Context(), theirs) // read from a header, without a span of its own
	w.app.ServeHTTP(newDiscarded(), r.WithContext(ctx))
	if of := spansOf(kept, "GET /healthz")[1]; of.Parent().IsValid() {
		t.Errorf("a stranger's trace is the parent: %v", of.Parent())
	}
	outer, inner := spansOf(kept, "around")[0], spansOf(kept, "GET /healthz")[0]
	if inner.Parent().SpanID() != outer.SpanContext().SpanID() || len(inner.Links()) > 0 {
		t.Errorf("parent %v, links %v", inner.Parent(), inner.Links())
	}
}

// discarded is an answer that nobody reads.
type discarded struct{ header http.Header }

func newDiscarded() discarded                   { return discarded{http.Header{}} }
func (d discarded) Header() http.Header         { return d.header }
func (d discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d discarded) WriteHeader(int)             {}

// Statements of Postgres are parts of the request's trace, without what they were about.
func TestStatementsOfPostgresAreTraced(t *testing.T) {
	url := postgrestest.Shared(t).Database(t)
	kept := tracetest.NewSpanRecorder()
	w := newWorld(t, traced(kept, otelsdk.AlwaysSample()), func(o *guestpass.Options) {
		database, err := store.Open(t.Context(), store.Options{URL: url, Schemas: api.Schemas(resources.All()),
			Tracer: otelpgx.NewTracer(otelpgx.WithTracerProvider(o.TracerProvider),
				otelpgx.WithDisableConnectionDetailsInAttributes())})
		must(t, err)
		t.Cleanup(func() { _ = database.Close() })
		o.Store = database
	})
	w.as(ada).create(`{"title":"canary-of-a-title"}`)
	request := spansOf(kept, "rest createTask")[0].SpanContext().TraceID()
	inserts := 0
	for _, span := range kept.Ended() {
		text := fmt.Sprint(span.Name(), span.Attributes())
		if strings.Contains(text, "canary") || strings.Contains(text, ada) || strings.Contains(text, acme) {
			t.Errorf("a span has what was written: %s", text)
		}
		if strings.Contains(text, "INSERT") && span.SpanContext().TraceID() == request {
			inserts++
		}
	}
	if inserts == 0 {
		t.Errorf("no statement is in the request's trace: %v", kept.Ended())
	}
}

// Without a provider nothing of traces is in answers or in the log, whatever a client sends.
func TestWithoutAProviderNothingTellsOfTraces(t *testing.T) {
	w := newWorld(t)
	r := w.call("GET", "/api/v1/tasks", "made-up", "", fromStranger)
	if strings.Contains(r.body, "trace") || strings.Contains(w.log.String(), "trace_id") || r.status != 401 {
		t.Errorf("%s\n%s", r.body, w.log)
	}
}

// One registry has one server at a time: a second one is refused, and one that is closed makes room.
func TestARegistryHasOneServerAtATime(t *testing.T) {
	registry := prometheus.NewRegistry()
	w := newWorld(t, func(o *guestpass.Options) { o.Metrics = registry })
	if _, err := guestpass.New(w.options); err == nil {
		t.Error("two servers in one registry")
	}
	must(t, w.app.Close())
	second, err := guestpass.New(w.options)
	must(t, err)
	families, err := registry.Gather()
	if err != nil || len(families) == 0 {
		t.Errorf("%d families, %v", len(families), err)
	}
	must(t, second.Close())
}
