package server_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
)

// A listedWidget is a resource as clients see it.
type listedWidget struct {
	URI, Name, MimeType, Text string
	Meta                      map[string]map[string]any `json:"_meta"`
}

// widgets returns the URIs of the widgets by their tool, and reads each of them.
func (c modelsClient) widgets(path string) (uris map[string]string, read map[string]listedWidget) {
	c.t.Helper()
	ask := func(method, params string, into any) {
		c.t.Helper()
		r := c.call("POST", path, c.token, `{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":{`+params+`}}`,
			headers("Content-Type: application/json"))
		if err := json.Unmarshal([]byte(r.body), into); err != nil || r.status != 200 {
			c.t.Fatalf("%s: %d %s, %v", method, r.status, r.body, err)
		}
	}
	var tools struct {
		Result struct {
			Tools []struct {
				Name string
				Meta struct {
					UI       struct{ ResourceURI string }
					Flat     string `json:"ui/resourceUri"`
					Template string `json:"openai/outputTemplate"`
				} `json:"_meta"`
			}
		}
	}
	ask("tools/list", "", &tools)
	uris, read = map[string]string{}, map[string]listedWidget{}
	for _, tool := range tools.Result.Tools {
		uri := tool.Meta.UI.ResourceURI
		if tool.Meta.Flat != uri || tool.Meta.Template != uri {
			c.t.Errorf("%s: not every client finds its widget: %+v", tool.Name, tool.Meta)
		}
		if uri == "" {
			continue
		}
		var answer struct {
			Result struct{ Contents []listedWidget }
		}
		ask("resources/read", `"uri":"`+uri+`"`, &answer)
		if len(answer.Result.Contents) != 1 || answer.Result.Contents[0].URI != uri {
			c.t.Fatalf("%s: %+v", uri, answer)
		}
		uris[tool.Name], read[tool.Name] = uri, answer.Result.Contents[0]
	}
	var list struct {
		Result struct{ Resources []listedWidget }
	}
	ask("resources/list", "", &list)
	for _, resource := range list.Result.Resources {
		if !slices.Contains(slices.Collect(maps.Values(uris)), resource.URI) || resource.Name == "" {
			c.t.Errorf("it lists %+v", resource)
		}
	}
	return uris, read
}

var factsIn = regexp.MustCompile(`<script id="guestpass" type="application/json">(.*?)</script>`)

// factsOf is what the server has told a widget.
func factsOf(t *testing.T, w listedWidget) (facts struct {
	Tools []string
	Link  struct{ Label, URL string }
}) {
	t.Helper()
	found := factsIn.FindStringSubmatch(w.Text)
	if found == nil || json.Unmarshal([]byte(found[1]), &facts) != nil {
		t.Fatalf("%s has no facts: %.300s", w.URI, w.Text)
	}
	return facts
}

// TestMCPWidgetsAreResources is case 82: a whole document for each list, of the type that clients look for, which may
// load nothing, under an address that changes with it.
func TestMCPWidgetsAreResources(t *testing.T) {
	w := newWorld(t)
	c := w.modelsClient(w.token(ada, everything...))
	uris, read := c.widgets("/mcp")
	if got := slices.Sorted(maps.Keys(uris)); !slices.Equal(got, []string{"listMembers", "listTasks"}) {
		t.Fatalf("there are widgets for %v", got)
	}
	none := map[string]any{"connectDomains": []any{}, "resourceDomains": []any{}, "frameDomains": []any{},
		"baseUriDomains": []any{}}
	for name, widget := range read {
		ui := widget.Meta["ui"]
		_, domain := ui["domain"]
		if widget.MimeType != "text/html;profile=mcp-app" || domain || ui["prefersBorder"] != true ||
			!maps.EqualFunc(ui["csp"].(map[string]any), none, func(a, b any) bool { return len(a.([]any)) == 0 }) {
			t.Errorf("%s: %s %v", name, widget.MimeType, ui)
		}
		if !regexp.MustCompile(`^ui://guestpass/[a-z]+-[0-9a-f]{8}$`).MatchString(widget.URI) {
			t.Errorf("%s is at %s", name, widget.URI)
		}
		if facts := factsOf(t, widget); !slices.Contains(facts.Tools, "completeTask") ||
			facts.Link.URL != w.url+"/account" {
			t.Errorf("%s is told %+v", name, facts)
		}
		if strings.Contains(widget.Text, "/* widget.") || strings.Contains(widget.Text, "<!-- facts") {
			t.Errorf("%s is not put together", name)
		}
	}
	narrow, reads := c.widgets("/mcp/readonly")
	if narrow["listTasks"] == uris["listTasks"] ||
		slices.Contains(factsOf(t, reads["listTasks"]).Tools, "completeTask") {
		t.Errorf("at /mcp/readonly the widget is %s and told %+v", narrow["listTasks"], factsOf(t, reads["listTasks"]))
	}
	modern := c.modern("resources/read", uris["listTasks"], `"uri":"`+uris["listTasks"]+`"`)
	if !hasParts(modern.body, `"resultType":"complete" | "ttlMs":300000 | "cacheScope":"private" | <!doctype html>`) {
		t.Errorf("%.300s", modern.body)
	}
	for params, want := range map[string]string{`{}`: "params.uri is missing", `{"uri":5}`: "or no text",
		`{"uri":"ui://guestpass/tasks-0"}`: "there is no such resource"} {
		r := c.post(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":` + params + `}`)
		if !hasParts(r.body, `-32602 | `+want) {
			t.Errorf("read %s: %s", params, r.body)
		}
	}
	discovered := c.modern("server/discover", "", "").body
	if !strings.Contains(discovered, `"capabilities":{"tools":{},"resources":{},"extensions":{"io.modelcontextprotocol`+
		`/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}`) {
		t.Error(discovered)
	}
}

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`

// TestMCPWithoutWidgetsThereAreNoResources: nobody is told of what there is not.
func TestMCPWithoutWidgetsThereAreNoResources(t *testing.T) {
	w := newWorld(t, func(o *guestpass.Options) { o.MCPOperations = []string{"getTask"} })
	c := w.modelsClient(w.token(ada, everything...))
	for name, r := range map[string]reply{"initialize": c.post(initialize),
		"discover": c.modern("server/discover", "", ""), "the tools": c.post(listTools)} {
		if strings.Contains(r.body, `"resources"`) || strings.Contains(r.body, "resourceUri") {
			t.Errorf("%s: %s", name, r.body)
		}
	}
	if r := c.post(`{"jsonrpc":"2.0","id":1,"method":"resources/list"}`); !strings.Contains(r.body, `-32601`) {
		t.Errorf("resources/list: %s", r.body)
	}
	if r := c.modern("resources/list", "", ""); r.status != 404 || !strings.Contains(r.body, `-32601`) {
		t.Errorf("resources/list, modern: %d %s", r.status, r.body)
	}
}

// TestMCPAWidgetChangesNothingForOthers: whoever shows none gets the answers of before, text and data, and the document
// knows nothing of widgets.
func TestMCPAWidgetChangesNothingForOthers(t *testing.T) {
	with := func(widget api.Widget) func(*guestpass.Options) {
		return func(o *guestpass.Options) {
			o.PublicURL = "https://api.example.com"
			o.Resources = ownOperations(func(s *api.Service) {
				op := thingWithWidget
				op.Widget = widget
				own[nothing, ok](s, op)
			})
		}
	}
	var seen [2][]string
	for i, widget := range []api.Widget{thingWithWidget.Widget, {}} {
		w := newWorld(t, with(widget))
		c := w.modelsClient(w.token(ada, everything...))
		host := func(r *http.Request) { r.Host = "api.example.com" }
		for _, r := range []reply{w.call("GET", "/openapi.json", "", "", host),
			c.post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getThing"}}`, host),
			c.modern("tools/call", "getThing", `"name":"getThing"`, host), w.call("GET", "/api/v1/thing", c.token, "",
				host)} {
			seen[i] = append(seen[i], r.body)
		}
	}
	if !slices.Equal(seen[0], seen[1]) {
		t.Errorf("with a widget\n%s\nwithout\n%s", seen[0][1:], seen[1][1:])
	}
}

// thingWithWidget is an operation of one's own with a page of one's own, in which nothing of ours is.
var thingWithWidget = api.Operation{ID: "getThing", Path: "/api/v1/thing", Access: auth.Scope("openid"),
	Widget: api.Widget{Name: "thing", HTML: "<!DOCTYPE html><html><head><title>T</title></head><body></body></html>"},
}

// TestMCPAWidgetOfOnesOwn: a resource brings a page; two operations may have the same one, and what its words mean in
// HTML is not for the server to change.
func TestMCPAWidgetOfOnesOwn(t *testing.T) {
	w := newWorld(t, func(o *guestpass.Options) {
		o.Title, o.AppURL = `Acme </script><b>&"`, "https://app.example.com/#/things?x=1&y=2"
		o.Resources = []api.Resource{{Name: "own", Register: func(s *api.Service) {
			own[nothing, ok](s, thingWithWidget)
			op := thingWithWidget
			op.ID, op.Path = "getOther", "/api/v1/other"
			own[nothing, ok](s, op)
			op.ID, op.Path, op.Widget.Name = "getThird", "/api/v1/third", "third"
			op.Widget.HTML = strings.Replace(op.Widget.HTML, "<body>", "<body>"+api.WidgetFacts+"$1", 1)
			own[nothing, ok](s, op)
		}}}
	})
	uris, read := w.modelsClient(w.token(ada, "openid")).widgets("/mcp")
	if len(uris) != 3 || uris["getThing"] != uris["getOther"] || uris["getThing"] == uris["getThird"] ||
		read["getThing"].Text != thingWithWidget.Widget.HTML {
		t.Errorf("%v, %q", uris, read["getThing"].Text)
	}
	facts := factsOf(t, read["getThird"])
	if !slices.Equal(facts.Tools, []string{"getOther", "getThing", "getThird"}) ||
		facts.Link.Label != "Open "+w.options.Title || facts.Link.URL != w.options.AppURL ||
		strings.Count(read["getThird"].Text, "</script>$1") != 1 {
		t.Errorf("it is told %+v\n%s", facts, read["getThird"].Text)
	}
}

// TestAnAppURLIsOneThatAClientOpens refuses what would be opened on a person's machine.
func TestAnAppURLIsOneThatAClientOpens(t *testing.T) {
	for address, good := range map[string]bool{"https://app.example.com": true, "http://localhost:3000/tasks": true,
		"https://app.example.com/a?b=c#/d": true, "http://app.example.com": false, "javascript:alert(1)": false,
		"app.example.com": false, "https://ada:secret@app.example.com": false, "https://app.example.com/ x": false,
		"https://app.example.com/" + strings.Repeat("x", 1000): false, `https://app.example.com/"<`: false} {
		err := startWith(func(s *api.Service) { own[nothing, ok](s, thingWithWidget) },
			func(o *guestpass.Options) { o.AppURL = address })
		if (err == nil) != good || err != nil && !strings.HasPrefix(err.Error(), "AppURL ") {
			t.Errorf("%.60s: %v", address, err)
		}
	}
}
