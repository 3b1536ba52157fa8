package gpttest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

// serve answers every request with one document.
func serve(t *testing.T, contentType, text string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" {
			t.Error("the document was fetched with credentials")
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("ETag", `"v1"`)
		fmt.Fprint(w, text)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestImportFetchesTheDocument(t *testing.T) {
	server := serve(t, "application/json", clean)
	imp, err := Import(t.Context(), server.URL+"/openapi.json", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !imp.OK() || imp.ETag != `"v1"` || imp.Bytes != 3491 {
		t.Errorf("OK %v, ETag %s, %d bytes", imp.OK(), imp.ETag, imp.Bytes)
	}
	want := []string{"waived on loopback: OpenAI's servers could not fetch " + server.URL + "/openapi.json"}
	if !reflect.DeepEqual(imp.Notes, want) {
		t.Errorf("notes %q", imp.Notes)
	}
}

func TestImportRefusesWhatCannotBeFetched(t *testing.T) {
	redirect := httptest.NewServer(http.RedirectHandler(serve(t, "application/json", clean).URL, http.StatusFound))
	defer redirect.Close()
	missing := httptest.NewServer(http.NotFoundHandler())
	defer missing.Close()
	for _, tt := range []struct {
		name, address, want string
		options             Options
	}{
		{"no host", "/openapi.json", "not a URL with a host name", Options{}},
		{"http elsewhere", "http://api.example.com/openapi.json", "the address must be https", Options{}},
		{"loopback, when nothing is waived", missing.URL, "the address must be https", Options{Strict: true}},
		{"a redirect", redirect.URL, "must be served without a redirect", Options{}},
		{"not 200", missing.URL, "the document must be public and answer 200", Options{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Import(t.Context(), tt.address, tt.options)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if imp, err := Import(t.Context(), redirect.URL, Options{FollowRedirects: true}); err != nil || !imp.OK() {
		t.Errorf("with redirects followed: %v", err)
	}
}

func TestTheContentTypeDoesNotDecide(t *testing.T) {
	for kind, noted := range map[string]bool{
		"application/json": false, "text/yaml; charset=utf-8": false, "application/vnd.oai.openapi+json": false,
		"text/plain; charset=utf-8": true, "application/octet-stream": true, "text/html": true, "": true,
	} {
		imp, err := Import(t.Context(), serve(t, kind, clean).URL, Options{})
		if err != nil || !imp.OK() || strings.Contains(strings.Join(imp.Notes, "\n"), "content type is") != noted {
			t.Errorf("%q: %v, notes %q", kind, err, imp.Notes)
		}
	}
}

// TestYAMLIsReadAsTheEditorReadsIt has the kinds that parsers differ in; package yaml is
// held against the editor's parser itself.
func TestYAMLIsReadAsTheEditorReadsIt(t *testing.T) {
	const document = "openapi: 3.1.0\ninfo: {title: Tea, version: '1'}\nservers: [{url: https://api.example.com}]\n" +
		"components: {schemas: {}}\npaths:\n  /teas:\n    get: {operationId: listTeas, responses: {}}\n"
	for name, tt := range map[string]struct {
		text, refused string
	}{
		"as it is":             {document, ""},
		"a directive":          {"%YAML 1.2\n---\n" + document, ""},
		"an escaped slash":     {document + `x: "https:\/\/example.com"`, ""},
		"a pair of surrogates": {document + `x: "\ud83c\udf75"`, ""},
		"a line separator":     {document + "x: a\u2028b", ""},
		"tabs":                 {document + "x: |\n  \ta\ny:\n  a: 1\n\t\n  b: 2\n", ""},
		"a key twice": {document + "  /teas:\n    post: {}\n",
			`line 8: the key "/teas" is there already, in line 6`},
		"two documents":  {document + "---\n" + document, "line 8: here a second document begins"},
		"an indentation": {document + " x: 1\n", "line 8: "},
	} {
		imp := importText(t, tt.text, Options{})
		if notes := strings.Join(imp.Notes, "\n"); imp.Refused() != (tt.refused != "") ||
			!strings.Contains(notes, tt.refused) {
			t.Errorf("%s: refused %v, notes %q", name, imp.Refused(), notes)
		}
	}
	merging := strings.Replace(document, "{operationId: listTeas, ", "{<<: {operationId: listTeas}, ", 1)
	if imp := importText(t, merging, Options{}); !imp.Refused() || imp.Errors == nil && imp.Warnings == nil {
		t.Errorf("<< is a name like others, but %v was taken", imp.Operations)
	}
}

func TestLoopbackServersAreWaived(t *testing.T) {
	for _, host := range []string{"localhost:8080", "127.0.0.2:8080", "[::1]:8080"} {
		text := with(t, `"https://api.example.com"}]`, `"http://`+host+`"}]`)
		imp := importText(t, text, Options{})
		if !imp.OK() || imp.ServerURL != "http://"+host {
			t.Errorf("%s: %q, server %q", host, imp.Errors, imp.ServerURL)
		}
		if want := "waived on loopback: M6 would refuse the server " +
			"http://" + host; len(imp.Notes) != 1 || imp.Notes[0] != want {
			t.Errorf("%s: notes %q", host, imp.Notes)
		}
	}
}

func TestOperationsAreReadAsTheModelSeesThem(t *testing.T) {
	imp := importText(t, clean, Options{})
	for i := range imp.Operations {
		for j := range imp.Operations[i].Arguments {
			imp.Operations[i].Arguments[j].known, imp.Operations[i].Arguments[j].Schema = nil, nil
		}
		imp.Operations[i].body, imp.Operations[i].bodyExamples, imp.Operations[i].replies = nil, nil, nil
	}
	get, _ := imp.Operation("getTask")
	wantGet := Operation{
		ID: "getTask", Method: "GET", Path: "/tasks/{id}", Summary: "Get one task", Scopes: []string{"tasks:read"},
		Arguments: []Argument{
			{Name: "id", In: "path", Type: "string", Required: true},
			{Name: "fields", In: "query", Type: "array", Items: "string", Description: "Members to return"},
		},
	}
	if !reflect.DeepEqual(get, wantGet) {
		t.Errorf("got  %+v\nwant %+v", get, wantGet)
	}
	create, _ := imp.Operation("createTask")
	wantCreate := Operation{
		ID: "createTask", Method: "POST", Path: "/tasks", Summary: "Create a task", Consequential: true,
		Scopes: []string{"tasks:read", "tasks:write"}, hasBody: true, bodyRequired: true,
		Arguments: []Argument{
			{Name: "title", In: "body", Type: "string", Required: true},
			{Name: "state", In: "body", Type: "string", Enum: []any{"open", "done"}, Default: "open"},
			{Name: "place", In: "body", Type: "object"},
		},
	}
	if !reflect.DeepEqual(create, wantCreate) {
		t.Errorf("got  %+v\nwant %+v", create, wantCreate)
	}
	if ping, _ := imp.Operation("ping"); !ping.Public {
		t.Error("ping is not public")
	}
	wantOAuth := OAuth{
		SchemeName: "oauth", AuthorizationURL: "https://app.example.com/idp",
		TokenURL: "https://api.example.com/oauth2/token",
		Scopes:   []Scope{{"tasks:read", "Read tasks"}, {"tasks:write", "Change tasks"}},
	}
	if !reflect.DeepEqual(imp.OAuth, wantOAuth) {
		t.Errorf("got %+v", imp.OAuth)
	}
}

func TestConsequentialDefaultsByMethod(t *testing.T) { // class A
	imp := importText(t, with(t, `"x-openai-isConsequential": true,`, ``), Options{})
	get, _ := imp.Operation("getTask")
	post, _ := imp.Operation("createTask")
	if get.Consequential || !post.Consequential {
		t.Errorf("GET %v, POST %v", get.Consequential, post.Consequential)
	}
}

func TestADocumentSilentAboutSecurityIsNotPublic(t *testing.T) {
	imp := importText(t, with(t, `"security": [{"oauth": ["tasks:read"]}],`, ``), Options{})
	if get, _ := imp.Operation("getTask"); get.Public {
		t.Error("getTask is public")
	}
}

func TestYAMLIsReadToo(t *testing.T) {
	text := `
openapi: 3.1.0
info: {title: Tasks, version: "1"}
servers: [{url: https://api.example.com}]
components: {schemas: {}}
x-shared: &answer
  200: {description: OK}
paths:
  /a: {get: {operationId: a, responses: *answer}}
  /b:
    get:
      operationId: b
      responses:
        <<: *answer
`
	imp := importText(t, text, Options{})
	if !imp.OK() || ids(imp) != "a b" || imp.Bytes != len(text) {
		t.Errorf("errors %q, warnings %q, operations %q", imp.Errors, imp.Warnings, ids(imp))
	}
}

func TestYAMLAliasesCannotExplode(t *testing.T) {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		a := fmt.Sprintf("*a%d", i)
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.Join([]string{a, a, a, a, a, a, a, a, a, a}, ", "))
	}
	if imp := importText(t, text, Options{}); !imp.Refused() || len(imp.Notes) != 1 {
		t.Errorf("notes %q", imp.Notes)
	}
}

func TestNumbersThatJavaScriptRoundsAreNoted(t *testing.T) { // class I
	imp := importText(t, with(t, `"default": "open"`, `"maximum": 9007199254740993`), Options{})
	if want := "the editor's JavaScript rounds the number " +
		"9007199254740993"; len(imp.Notes) != 1 || imp.Notes[0] != want {
		t.Errorf("notes %q", imp.Notes)
	}
}

func TestPiecesOfTheDocumentArePrintedAsPythonDoes(t *testing.T) {
	root, err := parseJSON(`{"a": [1, true, null, "it's"], "b": {"c": false}}`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := repr(root), `{'a': [1, True, None, "it's"], 'b': {'c': False}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
