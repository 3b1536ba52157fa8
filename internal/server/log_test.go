package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	otelsdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/stytchtest"
)

// failures are operations that fail in ways of their own.
func failures(o *guestpass.Options) {
	o.Resources = ownOperations(func(s *api.Service) {
		type output struct {
			Body struct {
				OK bool `json:"ok" doc:"Always true"`
			}
		}
		for id, fail := range map[string]func() error{"getFailure": func() error { return errors.New("broken") },
			"getPanic": func() error { panic("broken") }} {
			api.Register(s, api.Operation{ID: id, Method: http.MethodGet, Path: "/api/v1/" + id, Summary: "Fail",
				Description: "Fails.", Access: auth.Public},
				func(context.Context, *struct{}) (*output, error) { return nil, fail() })
		}
	})
}

// Whoever has the request id of a reply finds every line about it, and which operation and which trace it was, on
// whatever surface.
func TestEveryLineOfARequestNamesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, failures, traced(tracetest.NewSpanRecorder(), otelsdk.NeverSample()))
	scopes := []string{"openid", "tasks:read", "tasks:write", "members:read"}
	token, visitor := w.token(ada, scopes...), w.signIn(grace)
	known := map[string][]string{} // messages, by request id
	operations := map[string]string{}
	call := func(operation, method, path, token, body string, change ...func(*http.Request)) {
		r := w.call(method, path, token, body, change...)
		known[r.header.Get("X-Request-Id")] = nil
		operations[r.header.Get("X-Request-Id")] = operation
	}
	everywhere := func() {
		call("listTasks", "GET", "/api/v1/tasks", "made-up", "")
		call("listTasks", "GET", "/api/v1/tasks", w.token(ada, "openid"), "")
		call("listTasks", "GET", "/api/v1/tasks?limit=%", token, "")
		call("createTask", "POST", "/api/v1/tasks", token, `{"title":"Water the plants"}`)
		call("listMembers", "GET", "/api/v1/members", token, "")
		call("getFailure", "GET", "/api/v1/getFailure", "", "")
		call("getPanic", "GET", "/api/v1/getPanic", "", "")
		for tool, arguments := range map[string]string{"listTasks": `{}`, "listMembers": `{}`,
			"createTask": `{"title":"Feed the cat"}`, "addTaskComment": `"not an object"`,
			"updateTask": `{"no such":1}`,
			"getFailure": `{}`, "getPanic": `{}`} {
			call(tool, "POST", "/mcp", token, toolCall(tool, arguments))
		}
		call("", "POST", "/mcp", "made-up", toolCall("listTasks", `{}`)) // whose body nobody reads
		call("", "GET", "/verify?scope=tasks:write", token, "")
		call("", "GET", "/verify?scope=tasks:read", "made-up", "")
		call("", "GET", "/verify?scope=members:read", w.token(ada, "openid"), "")
		call("", "GET", "/verify?scope=nothing", token, "")
		call("", "GET", "/api/v1/nothing", "", "")
		call("", "GET", "/idp?"+authorization(w), "", "")
		call("", "GET", "/account", "", "", func(r *http.Request) { r.Header.Set("Cookie", visitor.cookie) })
		call("", "POST", "/account/revoke", "", "form=x")
		call("", "POST", "/oauth2/token", "", "grant_type=refresh_token&refresh_token=x&client_id="+
			stytchtest.Development().ConnectedApps[0].ClientID,
			func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") })
	}
	everywhere()
	if err := w.options.Store.Close(); err != nil {
		t.Fatal(err)
	}
	everywhere()
	w.stytch.Fail(stytchtest.Fault{Path: "/v1", Kind: "drop"})
	w.stytch.Advance(16 * time.Minute) // past what is remembered
	everywhere()

	for line := range strings.Lines(w.log.String()) {
		var entry struct {
			Message   string `json:"msg"`
			RequestID string `json:"request_id"`
			Operation string
			TraceID   string `json:"trace_id"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil || strings.Count(line, `"request_id"`) > 1 ||
			strings.Count(line, `"operation"`) > 1 {
			t.Fatalf("%v: %s", err, line)
		}
		messages, ours := known[entry.RequestID]
		if !ours && !slices.Contains(background, entry.Message) {
			t.Errorf("of no request: %s", line)
		}
		if ours && entry.Operation != operations[entry.RequestID] || ours && len(entry.TraceID) != 32 {
			t.Errorf("of %s: %s", operations[entry.RequestID], line)
		}
		if ours {
			known[entry.RequestID] = append(messages, entry.Message)
		}
	}
	var seen []string
	for id, messages := range known {
		if !slices.Contains(messages, "request") {
			t.Errorf("%s (%s) has no line in the access log", id, operations[id])
		}
		seen = append(seen, messages...)
	}
	for _, message := range []string{"refused", "request failed", "panic", "Stytch unavailable", "store unavailable",
		"trouble on the sign-in page",
		"account page failed", "refused on the account page", "token request",
		"token endpoint of Stytch does not answer"} {
		if !slices.Contains(seen, message) {
			t.Errorf("%q was not logged", message)
		}
	}
}

func toolCall(name, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, name,
		arguments)
}

// background are lines about the whole process.
var background = []string{"circuit breaker to Stytch", "verification keys changed", "schema changed",
	"use of connected apps not written"}

func authorization(w *world) string {
	app := stytchtest.Development().ConnectedApps[0]
	return "client_id=" + app.ClientID + "&redirect_uri=" + app.RedirectURLs[0] +
		"&scope=openid&state=x&response_type=code"
}

// Neither log nor answer repeats a token, wherever somebody has put it, nor what is left of one.
func TestATokenIsNeverRepeated(t *testing.T) {
	w := newWorld(t)
	token := w.token(ada, everything...)
	opaque := strings.Repeat("Zx9_", 11)
	for name, stray := range map[string]string{"a token": token, "half a token": token[:len(token)/2],
		"an opaque token": opaque} {
		paths := []string{"/" + stray, "/api/v1/tasks/" + stray, "/api/v1/tasks/" + stray + "/comments", "/api/v1/" +
			stray + "/tasks", "/api/v1/tasks/" + strings.ReplaceAll(stray, ".", "%2E"),
			"/api/v1/tasks/" + strings.ReplaceAll(stray, ".", "%252E"), "/api/v1/tasks?" + stray +
				"=1", "/api/v1/tasks?state=" + stray, "/api/v1/tasks?" + stray, "/api/v1/tasks?limit=" + stray,
			"/api/v1/tasks?cursor=" + stray, "/api/v1/tasks?" + stray + "=%zz", "/idp?" + stray, "/account?" + stray +
				"=a&" + stray + "=b", "/oauth2/token?" + stray}
		for _, path := range paths {
			w.repeatsNothing(w.call("GET", path, token, ""), name+" in "+path[:10], stray)
			w.repeatsNothing(w.call("DELETE", path, "", ""), name+" in "+path[:10], stray)
		}
		for _, path := range []string{"/api/v1/tasks", "/api/v1/nothing", "/healthz", "/oauth2/token"} {
			w.repeatsNothing(w.call(stray, path, token, ""), name+" as the method of "+path, stray)
		}
		for _, body := range []string{`{"` + stray + `":1}`, `{"title":"a","` + stray + `":1,"` + stray + `":2}`,
			`{"title":"a","` + stray + `":{"` + stray + `":1e999}}`, `{"title":"a","state":"` + stray + `"}`,
			`{"title":"a","assignee":"` + stray + `"}`, `{"title":"a","due":"` + stray + `"}`, `"` + stray +
				`"`, stray, `{` + stray, `{"title":` + stray + `}`} {
			w.repeatsNothing(w.call("POST", "/api/v1/tasks", token, body), name+" in a body", stray)
		}
		w.repeatsNothing(w.call("GET", "/api/v1/tasks", stray+".x", ""), name+" as a token", stray)
		w.repeatsNothing(w.call("POST", "/api/v1/tasks", token, `{}`,
			func(r *http.Request) { r.Header.Set("Idempotency-Key", stray+" ") }), name+" as a key", stray)
	}
	log := w.log.String()
	if !strings.Contains(log, `"path":"/api/v1/tasks/[token]"`) || !strings.Contains(log, `"method":"[token]"`) ||
		!strings.Contains(log, `"subject":"`+ada+`"`) {
		t.Errorf("what was masked is not seen, or too much was:\n%s", log)
	}
}

// repeatsNothing looks for each part of a token by itself.
func (w *world) repeatsNothing(r reply, what, token string) {
	w.t.Helper()
	for part := range strings.SplitSeq(token, ".") {
		part = part[:min(len(part), 20)]
		if strings.Contains(r.body, part) || strings.Contains(fmt.Sprint(r.header), part) {
			w.t.Errorf("%s is answered: %d %v %s", what, r.status, r.header, r.body)
		}
		if strings.Contains(w.log.String(), part) {
			w.t.Fatalf("%s is logged:\n%s", what, w.log)
		}
	}
}

func TestLimitedCallsNameTheirOperation(t *testing.T) {
	w := newWorld(t, limited(guestpass.Limits{Member: 1}))
	token := w.token(ada, "tasks:read")
	w.call("GET", "/api/v1/tasks", token, "")
	r := w.call("GET", "/api/v1/tasks", token, "")
	if want := `"policy":"member","request_id":"` + r.header.Get("X-Request-Id") +
		`","operation":"listTasks"}`; r.status != 429 || !strings.Contains(w.log.String(), want) {
		t.Errorf("%d, no %s in\n%s", r.status, want, w.log)
	}
}

// A line that is logged without a context cannot name its request.
func TestLinesAreLoggedWithAContext(t *testing.T) {
	for _, folder := range []string{"../../api", "../account", "../connections", "../stytch", "../idp", "../site",
		"../../store", "../../mcp"} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				method, ok := call.Fun.(*ast.SelectorExpr)
				if of, isPackage := call.Fun.(*ast.SelectorExpr); isPackage && fmt.Sprint(of.X) == "http" {
					return true
				}
				if !ok || !slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, method.Sel.Name) ||
					len(call.Args) == 0 {
					return true
				}
				if line := files.Position(call.Pos()); !slices.Contains(ofTheProcess, filepath.Base(path)) {
					t.Errorf("%s: use %sContext", line, method.Sel.Name)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// ofTheProcess are files whose lines are about connections, or about all requests at once.
var ofTheProcess = []string{"serve.go", "breaker.go"}
