package api_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/guestpasstest"
)

// What the operations of these tests take: texts that are free, of a form and of a list, and numbers.
type (
	findingsInput struct {
		Search string `query:"search" json:"search,omitempty" maxLength:"100" doc:"Words"`
		State  string `query:"state" json:"state,omitempty" enum:"open,done" doc:"A state"`
		Person string `query:"person" json:"person,omitempty" pattern:"^[a-z]+$" doc:"Somebody"`
		Limit  int    `query:"limit" json:"limit,omitempty" minimum:"1" maximum:"100" default:"25" doc:"How many"`
		Cursor string `query:"cursor" json:"cursor,omitempty" doc:"For nothing"`
	}
	findingInput struct {
		ID   int    `path:"id" json:"id" doc:"A number"`
		Ids  []int  `query:"ids" json:"ids,omitempty" doc:"Numbers"`
		More []int  `query:"more,explode" json:"more,omitempty" doc:"Numbers"`
		Text string `query:"text" json:"text,omitempty" doc:"A text"`
	}
	newFinding struct {
		Body struct {
			Title string `json:"title" minLength:"1" maxLength:"100" doc:"A title"`
		}
	}
	understood struct {
		Body struct {
			Understood string `json:"understood" doc:"What was understood, as JSON"`
		}
	}
)

func understand(what any) (*understood, error) {
	text, err := json.Marshal(what)
	out := &understood{}
	out.Body.Understood = string(text)
	return out, err
}

// findings answers what it has understood, and changes nothing.
var findings = api.Resource{Name: "findings", Register: func(s *api.Service) {
	declare := func(id, method, path string) api.Operation {
		op := api.Operation{ID: id, Method: method, Path: "/api/v1/findings" + path, Summary: "Understand",
			Description: "Tells what it has understood.", Access: auth.Scope("tasks:write")}
		if method != http.MethodGet {
			op.Effect = api.Write
		}
		return op
	}
	api.Register(s, declare("listFindings", http.MethodGet, ""),
		func(_ context.Context, in *findingsInput) (*understood, error) { return understand(in) })
	api.Register(s, declare("addFinding", http.MethodPost, ""),
		func(ctx context.Context, in *newFinding) (*understood, error) {
			api.Unchanged(ctx)
			return understand(in.Body)
		})
	one := func(ctx context.Context, in *findingInput) (*understood, error) {
		api.Unchanged(ctx)
		return understand(in)
	}
	api.Register(s, declare("getFinding", http.MethodGet, "/{id}"), one)
	api.Register(s, declare("endFinding", http.MethodPost, "/{id}/end"), one)
	api.Register(s, declare("deleteFinding", http.MethodDelete, "/{id}"), one)
}}

func startFindings(t *testing.T) *guestpasstest.Person {
	t.Helper()
	return guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{findings, reading("open")}}).As(
		guestpasstest.Ada)
}

func TestAQueryIsUnderstoodWholeOrRefused(t *testing.T) {
	p := startFindings(t)
	for _, tt := range []struct{ query, place, words string }{
		{"search=100%", "query.search", "write %25"},
		{"state=%zz", "query.state", "write %25"},
		{"limit=%", "query.limit", "write %25"},
		{"person=%G1", "query.person", "write %25"},
		{"%73earch=100%", "query.search", "write %25"},
		{"unknown=%", "query.unknown", "write %25"},
		{"search%=plants", "query", "write %25"},
		{"search=plants;state=open", "query.search", "write %3B"},
		{"search=%ff", "query.search", "UTF-8"},
		{"search=%00", "query.search", "U+0000"},
		{"=plants", "query", "no name"},
		{"search", "query.search", "is empty"},
		{"search&search", "query.search", "more than once"},
		{"search=plants&%73earch=plants", "query.search", "more than once"},
		{"limit=1&limit=1", "query.limit", "more than once"},
		{"search=plants&search", "query.search", "more than once"},
		{"Search=plants", "query.Search", "unknown"},
		{"search%20=plants", "query.search ", "unknown"},
		{"search[]=plants", "query.search[]", "unknown"},
		{"%00=plants", `query.\\u0000`, "unknown"},
		{"limit=+5", "query.limit", "whole number"},
		{"limit=1.5", "query.limit", "whole number"},
		{"limit=101", "query.limit", "<= 100"},
		{"state=gone", "query.state", "open"},
	} {
		r := p.Call("GET", "/api/v1/findings?"+tt.query, "")
		if r.Status != 422 || !strings.Contains(r.Body, `"location":"`+tt.place+`"`) ||
			!strings.Contains(r.Body, tt.words) {
			t.Errorf("%s: %d %s, want %q at %s", tt.query, r.Status, r.Body, tt.words, tt.place)
		}
	}
	for query, want := range map[string]string{
		"": `{"limit":25}`, "?": `{"limit":25}`, "?search=plants": `{"search":"plants","limit":25}`,
		"?%73earch=%70lants":                 `{"search":"plants","limit":25}`,
		"?search=water+plants":               `{"search":"water plants","limit":25}`,
		"?search=100%25":                     `{"search":"100%","limit":25}`,
		"?search=a%3Bb":                      `{"search":"a;b","limit":25}`,
		"?search=%20a%0Ab%E2%80%8B":          `{"search":"a b","limit":25}`,
		"?&search=plants&":                   `{"search":"plants","limit":25}`,
		"?limit=2.0":                         `{"limit":2}`,
		"?limit=1e0&state=open":              `{"state":"open","limit":1}`,
		"?search=water%20plants&state=open":  `{"search":"water plants","state":"open","limit":25}`,
		"?person=ada&cursor=a%2Bb&limit=100": `{"person":"ada","limit":100,"cursor":"a+b"}`,
	} {
		if got := p.Do(200, "GET", "/api/v1/findings"+query, "")["understood"]; got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestAPathIsUnderstoodWholeOrRefused(t *testing.T) {
	p := startFindings(t)
	for _, tt := range []struct{ segment, words string }{{"%ff", "UTF-8"}, {"%00", "U+0000"}, {"1%2F2", "slash"},
		{"x", "whole number"}, {"1%20", "whole number"}} {
		if r := p.Call("GET", "/api/v1/findings/"+tt.segment, ""); r.Status != 422 ||
			!strings.Contains(r.Body, `"location":"path.id"`) || !strings.Contains(r.Body, tt.words) {
			t.Errorf("%s: %d %s", tt.segment, r.Status, r.Body)
		}
	}
	got := p.Do(200, "GET", "/api/v1/findings/%31%2e0?ids=1.0,2e1&more=3&more=%34&text=a%26b%3Dc", "")["understood"]
	if got != `{"id":1,"ids":[1,20],"more":[3,4],"text":"a\u0026b=c"}` {
		t.Errorf("%s", got)
	}
}

func TestABodyIsWhatItSays(t *testing.T) {
	p := startFindings(t)
	with := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	var zipped strings.Builder
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(`{"title":"Zipped"}`))
	_ = z.Close()
	for name, tt := range map[string]struct {
		body           string
		change         func(*http.Request)
		status         int
		header, answer string
	}{
		"gzip": {zipped.String(), with("Content-Encoding", "gzip"), 415, "Accept-Encoding",
			"identity"},
		"gzip that is none": {`{"title":"a"}`, with("Content-Encoding", "GZIP"), 415, "Accept-Encoding",
			"identity"},
		"br": {`{"title":"b"}`, with("Content-Encoding", "br"), 415, "Accept-Encoding", "identity"},
		"zstd": {`{"title":"c"}`, with("Content-Encoding", "zstd"), 415, "Accept-Encoding",
			"identity"},
		"identity, then gzip": {`{"title":"d"}`, with("Content-Encoding", "identity, gzip"), 415, "Accept-Encoding",
			"identity"},
		"deflate in a second": {`{"title":"e"}`, with("Content-Encoding", "identity", "deflate"), 415,
			"Accept-Encoding", "identity"},
		"gzip without a body": {``, with("Content-Encoding", "gzip"), 415, "Accept-Encoding", "identity"},
		"gzip without saying": {zipped.String(), with("Content-Type", "application/json"), 400, "", ""},
		"identity":            {`{"title":"f"}`, with("Content-Encoding", "Identity"), 200, "", ""},
		"an empty coding":     {`{"title":"g"}`, with("Content-Encoding", ""), 200, "", ""},
		"UTF-8": {`{"title":"h"}`, with("Content-Type", `application/json; charset="UTF-8"`), 200, "",
			""},
		"Latin-1": {`{"title":"i"}`, with("Content-Type", "application/json; charset=iso-8859-1"), 415,
			"Accept", "application/json"},
		"UTF-16": {`{"title":"j"}`, with("Content-Type", "application/json; charset=utf-16"), 415,
			"Accept", "application/json"},
		"text": {`{"title":"k"}`, with("Content-Type", "text/plain"), 415, "Accept",
			"application/json"},
		"a form": {`title=l`, with("Content-Type", "application/x-www-form-urlencoded"), 415, "Accept",
			"application/json"},
		"two types": {`{"title":"m"}`, with("Content-Type", "application/json", "text/plain"), 415,
			"Accept", "application/json"},
		"no type that is read": {`{"title":"n"}`, with("Content-Type", "application/json; ="), 415, "Accept",
			"application/json"},
		"no type":               {`{"title":"o"}`, with("Content-Type"), 200, "", ""},
		"another JSON":          {`{"title":"p"}`, with("Content-Type", "application/vnd.api+json"), 200, "", ""},
		"a type in big letters": {`{"title":"q"}`, with("Content-Type", "Application/JSON"), 200, "", ""},
	} {
		r := p.Call("POST", "/api/v1/findings", tt.body, tt.change)
		if r.Status != tt.status || tt.header != "" && r.Header.Get(tt.header) != tt.answer {
			t.Errorf("%s: %d %v %s", name, r.Status, r.Header, r.Body)
		}
		if r.Status == 415 && !strings.Contains(r.Body, "not compressed") {
			t.Errorf("%s: no hint: %s", name, r.Body)
		}
	}
	if r := p.Call("GET", "/api/v1/findings", "", with("Content-Encoding", "gzip")); r.Status != 200 {
		t.Errorf("a call without a body: %d %s", r.Status, r.Body)
	}
}

func TestABodyThatIsNotTakenIsRefused(t *testing.T) {
	p := startFindings(t)
	chunked := func(r *http.Request) { r.ContentLength = -1 }
	for _, body := range []string{`{"junk":1}`, `{"id":1}`, `[]`, `null`, `junk`, "{}{}",
		strings.Repeat(" ", 100) + `{"junk":1}`} {
		for _, path := range []string{"DELETE /api/v1/findings/1", "POST /api/v1/findings/1/end",
			"GET /api/v1/findings/1",
			"GET /api/v1/findings", "GET /api/v1/open"} {
			method, path, _ := strings.Cut(path, " ")
			r := p.Call(method, path, body)
			if streamed := p.Call(method, path, body, chunked); r.Status != 422 || streamed.Status != 422 ||
				!strings.Contains(r.Body, `"location":"body","message":"is not taken by this operation`) {
				t.Errorf("%s %s with %s: %d %s", method, path, body, r.Status, r.Body)
			}
		}
	}
	without := func(r *http.Request) { r.Header.Del("Authorization") }
	if r := p.Call("DELETE", "/api/v1/findings/1", `{"junk":1}`, without); r.Status != 401 {
		t.Errorf("without a token: %d %s", r.Status, r.Body)
	}
	for _, body := range []string{"", " { }\n", "{}", "\n"} {
		if r := p.Call("DELETE", "/api/v1/findings/1", body, chunked); r.Status != 200 {
			t.Errorf("with %q: %d %s", body, r.Status, r.Body)
		}
	}
}
