package openapi

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
)

func TestMain(m *testing.M) {
	huma.DefaultArrayNullable = false // process-wide, before the first Register
	os.Exit(m.Run())
}

// newAPI returns an API configured as package api configures it.
func newAPI() huma.API {
	config := huma.DefaultConfig("ignored", "ignored")
	config.CreateHooks = nil
	config.SchemasPath, config.OpenAPIPath, config.DocsPath = "", "", ""
	return humachi.New(chi.NewMux(), config)
}

// example are options without fault, warning or waiver.
func example() Options {
	return Options{
		PublicURL: "https://api.example.com", Title: "Tasks", Version: "1.2.0",
		Description: "Tasks of the signed-in person's organization.",
		Scopes: []Scope{
			{"openid", "Know who you are"}, {"offline_access", "Stay connected"},
			{"tasks:write", "Change tasks"}, {"tasks:read", "Read tasks"},
		},
	}
}

// declare registers an operation that is published. What it leaves out is filled in.
func declare[In, Out any](api huma.API, op huma.Operation) {
	if op.Method == "" {
		op.Method = http.MethodGet
	}
	if op.Path == "" {
		op.Path = "/api/v1/thing"
	}
	if op.Security == nil {
		op.Security = []map[string][]string{{"oauth2": {"tasks:read"}}}
	}
	if op.Metadata == nil {
		op.Metadata = map[string]any{"gpt": true}
	}
	if op.OperationID == "" {
		op.OperationID = strings.ToLower(op.Method) + "Thing"
	}
	if op.Summary == "" {
		op.Summary = "Get a thing"
	}
	if op.Description == "" {
		op.Description = "Returns a thing."
	}
	huma.Register(api, op, func(context.Context, *In) (*Out, error) { return nil, nil })
}

type none struct{}

type done struct {
	Body struct {
		OK bool `json:"ok" doc:"Always true"`
	}
}

// parse returns the document as an importer sees it.
func parse(t testing.TB, text []byte) map[string]any {
	t.Helper()
	var d map[string]any
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// at returns what is found by following the names and indexes in path.
func at(t testing.TB, v any, path ...any) any {
	t.Helper()
	for i, step := range path {
		switch step := step.(type) {
		case string:
			object, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("%v is no object", path[:i])
			}
			v = object[step]
		case int:
			list, ok := v.([]any)
			if !ok || step >= len(list) {
				t.Fatalf("%v has no element %d", path[:i], step)
			}
			v = list[step]
		}
	}
	return v
}

func mustPublish(t testing.TB, api huma.API, o Options) *Document {
	t.Helper()
	d, err := New(api.OpenAPI(), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOnlyOperationsMarkedForGPTsArePublished(t *testing.T) {
	api := newAPI()
	declare[none, done](api, huma.Operation{})
	declare[none, done](api, huma.Operation{Path: "/internal", OperationID: "internal",
		Metadata: map[string]any{"gpt": false}})
	declare[none, done](api, huma.Operation{Path: "/other", OperationID: "other", Metadata: map[string]any{}})
	declare[none, done](api, huma.Operation{Path: "/hidden", OperationID: "hidden", Hidden: true})
	d := mustPublish(t, api, example())
	if got := d.Operations(); !slices.Equal(got, []string{"getThing"}) {
		t.Errorf("operations are %v", got)
	}
	if got := sortedKeys(at(t, parse(t, d.JSON()), "paths").(map[string]any)); !slices.Equal(got,
		[]string{"/api/v1/thing"}) {
		t.Errorf("paths are %v", got)
	}
}

func TestOperationsAreInTheOrderOfTheDocument(t *testing.T) {
	api := newAPI()
	type byID struct {
		ID string `path:"thing_id" doc:"Identifier"`
	}
	declare[byID, done](api, huma.Operation{OperationID: "deleteThing", Method: "DELETE", Path: "/things/{thing_id}"})
	declare[none, done](api, huma.Operation{OperationID: "zebra", Path: "/a"})
	declare[byID, done](api, huma.Operation{OperationID: "getThing", Path: "/things/{thing_id}"})
	declare[none, done](api, huma.Operation{OperationID: "listThings", Path: "/things"})
	want := []string{"zebra", "listThings", "getThing", "deleteThing"}
	if got := mustPublish(t, api, example()).Operations(); !slices.Equal(got, want) {
		t.Errorf("operations are %v, want %v", got, want)
	}
}

func TestConsequentialIsAlwaysSaid(t *testing.T) {
	for _, tt := range []struct {
		name, method string
		declared     any
		want         bool
	}{
		{"GET by default", "GET", nil, false},
		{"POST by default", "POST", nil, true},
		{"DELETE by default", "DELETE", nil, true},
		{"POST that only searches", "POST", false, false},
		{"GET that does something", "GET", true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := newAPI()
			op := huma.Operation{Method: tt.method}
			if tt.declared != nil {
				op.Extensions = map[string]any{"x-openai-isConsequential": tt.declared, "x-other": 1}
			}
			declare[none, done](api, op)
			d := parse(t, mustPublish(t, api, example()).JSON())
			method := map[string]string{"GET": "get", "POST": "post", "DELETE": "delete"}[tt.method]
			published := at(t, d, "paths", "/api/v1/thing", method).(map[string]any)
			if published["x-openai-isConsequential"] != tt.want {
				t.Errorf("x-openai-isConsequential is %v, want %v", published["x-openai-isConsequential"], tt.want)
			}
			if _, leaked := published["x-other"]; leaked {
				t.Error("another extension is published")
			}
		})
	}
}

func TestNewDoesNotChangeTheOperations(t *testing.T) {
	api := realistic()
	before, err := json.Marshal(api.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	first := mustPublish(t, api, example())
	after, err := json.Marshal(api.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("the source differs after New")
	}
	if again := mustPublish(t, api, example()); string(again.JSON()) != string(first.JSON()) ||
		again.ETag() != first.ETag() {
		t.Error("the same operations give another document")
	}
}

func TestHashChangesWithTheDocument(t *testing.T) {
	first := mustPublish(t, realistic(), example())
	if got := parse(t, first.JSON())["x-schema-hash"]; got != first.Hash() || first.Hash() == "" {
		t.Errorf("x-schema-hash is %v, Hash %q", got, first.Hash())
	}
	o := example()
	o.Description += " More."
	if second := mustPublish(t, realistic(), o); second.Hash() == first.Hash() || second.ETag() == first.ETag() {
		t.Error("another description has the same hash or entity tag")
	}
}

func TestWithoutRegistryThereIsAnErrorAndNoPanic(t *testing.T) {
	for _, doc := range []*huma.OpenAPI{nil, {}} {
		if _, err := New(doc, example()); err == nil {
			t.Error("no error")
		}
	}
}

func TestOnThisMachineRulesAreWaivedAndNamed(t *testing.T) {
	for _, origin := range []string{"http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080",
		"https://localhost:8443"} {
		o := example()
		o.PublicURL, o.TokenURL, o.PrivacyURL = origin, "http://localhost:8081/v1/oauth2/token", origin+"/privacy"
		d := mustPublish(t, realistic(), o)
		notes := d.Notes()
		if len(notes) == 0 || !reflect.DeepEqual(notes, d.Notes()) {
			t.Errorf("%s: notes are %v", origin, notes)
		}
		for _, rule := range []string{"G011", "G110", "G111"} {
			if !slices.ContainsFunc(notes, func(note string) bool { return note[:4] == rule }) {
				t.Errorf("%s: %s is not noted as waived in %v", origin, rule, notes)
			}
		}
		if got := at(t, parse(t, d.JSON()), "servers", 0, "url"); got != origin {
			t.Errorf("server is %v", got)
		}
	}
	if notes := mustPublish(t, realistic(), example()).Notes(); len(notes) > 0 {
		t.Errorf("a public host has notes %v", notes)
	}
}

func TestPublicURLIsNormalised(t *testing.T) {
	o := example()
	o.PublicURL = "https://API.Example.com:443/"
	d := parse(t, mustPublish(t, realistic(), o).JSON())
	flow := at(t, d, "components", "securitySchemes", "oauth2", "flows", "authorizationCode")
	for _, got := range []any{at(t, d, "servers", 0, "url").(string) + "/idp", at(t, flow, "authorizationUrl")} {
		if got != "https://api.example.com/idp" {
			t.Errorf("got %v", got)
		}
	}
}
