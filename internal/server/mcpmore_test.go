package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/stytchtest"
)

// TestMCPWhatElseClientsSend is what browsers, crawlers and careless clients do.
func TestMCPWhatElseClientsSend(t *testing.T) {
	w := newWorld(t)
	c := w.modelsClient(w.token(ada, everything...))
	none := w.modelsClient("")
	call := func(params string) reply {
		return c.post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":` + params + `}`)
	}
	for _, tt := range []struct {
		name   string
		r      reply
		status int
		body   string
	}{
		{"27 a browser looks", none.call("GET", "/mcp", "", "", headers("Accept: text/html",
			"User-Agent: facebookexternalhit/1.1")), 405, `"error" | POST | !<html`},
		{"28 HEAD", none.call("HEAD", "/mcp", "", ""), 405, ``},
		{"29 PUT", none.call("PUT", "/mcp", "", "{}"), 405, `POST`},
		{"37 a notification without params", c.post(
			`{"jsonrpc":"2.0","method":"notifications/initialized","params":null}`), 202, ``},
		{"37 a cancelled call", c.post(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`),
			202, ``},
		{"40 ping with params", c.post(`{"jsonrpc":"2.0","id":0,"method":"ping","params":{"x":1}}`), 200,
			`"id":0,"result":{}`},
		{"46 no version", c.post(listTools, headers("MCP-Protocol-Version")), 200, `"tools"`},
		{"48 initialized before initialize", c.post(`{"jsonrpc":"2.0","method":"notifications/initialized"}`), 202, ``},
		{"48 initialize again", c.post(`{"jsonrpc":"2.0","id":1,"method":"initialize",` +
			`"params":{"protocolVersion":"2025-06-18"}}`), 200, `"2025-06-18"`},
		{"49 a name twice", c.post(listTools, func(r *http.Request) {
			r.Header["Mcp-Name"] = []string{"listTasks",
				"deleteTask"}
		}),
			400, `-32020`},
		{"49 a method twice", c.modern("tools/list", "", "",
			func(r *http.Request) { r.Header.Add("Mcp-Method", "ping") }),
			400, `-32020`},
		{"49 another name, legacy",
			c.post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"listTasks"}}`,
				headers("Mcp-Name: deleteTask")), 400, `-32020`},
		{"49 another method, legacy", c.post(listTools, headers("Mcp-Method: tools/call")), 400, `-32020`},
		{"61 a cursor of null", c.post(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":null}}`), 200,
			`"tools"`},
		{"65 no arguments", call(`{"name":"listTasks"}`), 200, `"structuredContent"`},
		{"66 a null for what is optional", call(`{"name":"listTasks","arguments":{"state":null,"cursor":null}}`), 200,
			`"structuredContent"`},
		{"66 the word null", call(`{"name":"listTasks","arguments":{"state":"null"}}`), 200, `"isError":true | state`},
		{"79 what is said besides", call(`{"name":"listTasks","arguments":{},"task":{"ttl":1},` +
			`"_meta":{"progressToken":7,"openai/locale":"de"}}`), 200, `"structuredContent"`},
		{"82 a widget that there is not", c.post(
			`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"ui://x"}}`), 200, `-32602`},
		{"82 a widget that there is not, modern", c.modern("resources/read", "ui://x", `"uri":"ui://x"`), 200,
			`-32602`},
		{"82 another widget than the header says", c.modern("resources/read", "ui://y", `"uri":"ui://x"`), 400,
			`-32020`},
		{"82 a second page", c.post(`{"jsonrpc":"2.0","id":1,"method":"resources/list","params":{"cursor":"2"}}`), 200,
			`-32602`},
		{"82 templates", c.modern("resources/templates/list", "", ""), 200, `"resourceTemplates":[] | "ttlMs"`},
		{"82 what nobody offers", c.post(
			`{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"ui://x"}}`), 200, `-32601`},
	} {
		if tt.r.status != tt.status || !hasParts(tt.r.body, tt.body) {
			t.Errorf("%s: %d %s, want %d %s", tt.name, tt.r.status, tt.r.body, tt.status, tt.body)
		}
		if tt.r.header.Get("WWW-Authenticate") != "" || strings.Contains(tt.r.header.Get("Content-Type"), "html") {
			t.Errorf("%s: %v", tt.name, tt.r.header)
		}
	}
}

// TestMCPTheIssuerIsTheSameEverywhere is case 3: our metadata and Stytch's name it in the same letters.
func TestMCPTheIssuerIsTheSameEverywhere(t *testing.T) {
	w := newWorld(t)
	var ours struct {
		Servers []string `json:"authorization_servers"`
	}
	var theirs struct {
		Issuer string `json:"issuer"`
	}
	read := func(body string, into any) {
		if err := json.Unmarshal([]byte(body), into); err != nil {
			t.Fatal(err)
		}
	}
	read(w.call("GET", "/.well-known/oauth-protected-resource/mcp", "", "").body, &ours)
	r, err := http.Get(w.stytch.URL + "/.well-known/oauth-authorization-server")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(&theirs); err != nil {
		t.Fatal(err)
	}
	if len(ours.Servers) != 1 || ours.Servers[0] != theirs.Issuer {
		t.Errorf("%q, and %q", ours.Servers, theirs.Issuer)
	}
}

// TestMCPMetadataAreForPagesToo is case 11: clients in a browser find them without the challenge.
func TestMCPMetadataAreForPagesToo(t *testing.T) {
	w := newWorld(t, func(o *guestpass.Options) { o.PublicURL = "https://api.example.com" })
	const path = "/.well-known/oauth-protected-resource/mcp"
	for _, method := range []string{"GET", "HEAD"} {
		r := w.call(method, path, "", "", headers("Origin: https://x.example"))
		if r.status != 200 || r.header.Get("Access-Control-Allow-Origin") != "*" ||
			r.header.Get("Content-Type") != "application/json" ||
			!strings.Contains(r.header.Get("Cache-Control"), "max-age") {
			t.Errorf("%s: %d %v", method, r.status, r.header)
		}
	}
	r := w.call("OPTIONS", path, "", "", headers("Origin: https://x.example", "Access-Control-Request-Method: GET",
		"Access-Control-Request-Headers: mcp-protocol-version"))
	if r.status != 204 || !strings.Contains(strings.ToLower(r.header.Get("Access-Control-Allow-Headers")),
		"mcp-protocol-version") {
		t.Errorf("%d %v", r.status, r.header)
	}
}

// TestMCPNothingOfStytchIsNeededToBeginWith is case 24: clients wait for seconds, and Stytch may not answer.
func TestMCPNothingOfStytchIsNeededToBeginWith(t *testing.T) {
	w := newWorld(t)
	before := len(w.stytch.Requests())
	w.call("GET", "/.well-known/oauth-protected-resource/mcp", "", "")
	none := w.modelsClient("")
	none.post(listTools)
	none.modern("server/discover", "", "")
	if asked := w.stytch.Requests()[before:]; len(asked) > 0 {
		t.Errorf("Stytch was asked: %v", asked)
	}
}

// TestMCPATooNarrowPassSaysHowToWiden is cases 8b and 9: a client asked for openid alone.
func TestMCPATooNarrowPassSaysHowToWiden(t *testing.T) {
	w := newWorld(t)
	w.as(ada).do(201, "POST", "/api/v1/tasks", `{"title":"One"}`)
	r := w.modelsClient(w.token(ada, "openid")).tool("listTasks", `{}`)
	if r.status != 403 || !r.IsError || r.Structured != nil || !hasParts(r.text(),
		"tasks:read | sign in for the app again") {
		t.Errorf("%d %+v", r.status, r)
	}
	if told := r.header.Get("WWW-Authenticate"); !hasParts(told, `scope="openid tasks:read"`) {
		t.Error(told)
	}
}

// TestMCPAPassWithoutAResource is case 18: some clients send no resource, and Stytch names none.
func TestMCPAPassWithoutAResource(t *testing.T) {
	w := newWorld(t)
	project := stytchtest.Development().Project.ID
	for _, aud := range []any{[]string{project}, project} {
		token := w.mint(stytchtest.MintRequest{Kind: "access", Subject: ada, Scopes: everything,
			Claims: map[string]any{"aud": aud}})
		if r := w.modelsClient(token).post(listTools); r.status != 200 {
			t.Errorf("aud %v: %d %s", aud, r.status, r.body)
		}
	}
	// case 20
	for _, same := range []string{w.url + "/mcp/", strings.Replace(w.url, "http://", "HTTP://", 1) + "/mcp"} {
		token := w.mint(stytchtest.MintRequest{Kind: "access", Subject: ada, Scopes: everything,
			Claims: map[string]any{"aud": []string{project, same}}})
		if r := w.modelsClient(token).post(listTools); r.status != 200 {
			t.Errorf("aud %s: %d %s", same, r.status, r.body)
		}
	}
}

// TestMCPARevokedPassIsNoMore is case 17: the client must hear invalid_token, or it calls on for ever.
func TestMCPARevokedPassIsNoMore(t *testing.T) {
	w := newWorld(t)
	token, p, form := w.beforeRevoking()
	c := w.modelsClient(token)
	if r := c.post(listTools); r.status != 200 {
		t.Fatalf("before: %d %s", r.status, r.body)
	}
	if r := p.revoke(form); r.status != 303 {
		t.Fatalf("revoke: %d %s", r.status, r.body)
	}
	if r := c.post(listTools); r.status != 401 || !strings.Contains(r.header.Get("WWW-Authenticate"),
		`error="invalid_token"`) {
		t.Errorf("after: %d %v", r.status, r.header)
	}
}

// TestMCPIsSmall is cases 58 to 60, 63 and 78: names that clients lengthen, words that they cut, lists that they keep.
func TestMCPIsSmall(t *testing.T) {
	w := newWorld(t)
	c := w.modelsClient(w.token(ada, everything...))
	var answer struct {
		Result struct {
			Tools []struct {
				Name, Description string
				InputSchema       struct {
					Properties map[string]struct{ Default any }
				}
			}
		}
	}
	listed := c.post(listTools).body
	if err := json.Unmarshal([]byte(listed), &answer); err != nil {
		t.Fatal(err)
	}
	names, plain := regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]{0,39}$`), map[string]bool{}
	for _, tool := range answer.Result.Tools {
		alike := strings.ReplaceAll(strings.ToLower(tool.Name), "-", "_")
		if !names.MatchString(tool.Name) || plain[alike] || len(tool.Description) > 1024 {
			t.Errorf("%s, with a description of %d", tool.Name, len(tool.Description))
		}
		plain[alike] = true
		if limit, given := tool.InputSchema.Properties["limit"]; given {
			if number, _ := limit.Default.(float64); number < 1 || number > 50 {
				t.Errorf("%s returns %v at once if nothing is said", tool.Name, limit.Default)
			}
		}
	}
	if other := w.modelsClient(w.token(grace, everything...)).post(listTools).body; other != listed {
		t.Error("the list is another for somebody else with the same scopes")
	}
	var begun struct{ Result struct{ Instructions string } }
	if err := json.Unmarshal([]byte(c.post(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`).body),
		&begun); err != nil {
		t.Fatal(err)
	}
	opening, _, _ := strings.Cut(begun.Result.Instructions, "\n")
	if len(begun.Result.Instructions) > 2048 || len(opening) > 512 || !strings.HasSuffix(opening, ".") {
		t.Errorf("instructions of %d, whose opening has %d: %s", len(begun.Result.Instructions), len(opening), opening)
	}
}

// TestMCPWhatAListReturnsIsTaken is case 76.
func TestMCPWhatAListReturnsIsTaken(t *testing.T) {
	w := newWorld(t)
	c := w.modelsClient(w.token(ada, everything...))
	c.tool("createTask", `{"title":"One"}`)
	for _, tt := range []struct{ list, of, id, get string }{
		{"listTasks", "tasks", "task_id", "getTask"}, {"listMembers", "members", "member_id", "getMember"},
	} {
		first := c.tool(tt.list, `{}`).Structured[tt.of].([]any)[0].(map[string]any)
		if r := c.tool(tt.get, fmt.Sprintf(`{%q:%q}`, tt.id, first[tt.id])); r.IsError {
			t.Errorf("%s of what %s returned: %+v", tt.get, tt.list, r)
		}
	}
}

// TestMCPIdentifiersStayInTheirPlace is case 77: none of them leads to another route.
func TestMCPIdentifiersStayInTheirPlace(t *testing.T) {
	w := newWorld(t)
	c := w.modelsClient(w.token(ada, everything...))
	for _, id := range []string{"../members", "a/b", "%2e%2e", "..", ".", "x?y=1", "x#y", "%00", "a\\b",
		"//evil.example"} {
		argument, _ := json.Marshal(id)
		r := c.tool("getTask", fmt.Sprintf(`{"task_id":%s}`, argument))
		if !r.IsError || strings.Contains(r.text(), "members") && !strings.Contains(r.text(), "task_id") {
			t.Errorf("%q: %+v", id, r)
		}
	}
	for line := range strings.SplitSeq(w.log.String(), "\n") {
		if strings.Contains(line, `"operation":"listMembers"`) {
			t.Errorf("another route was called: %s", line)
		}
	}
}

// TestMCPAnOperationThatFailsIsAResult holds that an operation of one's own that panics, or answers more than a
// message holds, is told as a result with the request's id, and that nothing of it leaks.
func TestMCPAnOperationThatFailsIsAResult(t *testing.T) {
	type output struct {
		Body struct {
			Text string `json:"text" doc:"Some text"`
		}
	}
	w := newWorld(t, func(o *guestpass.Options) {
		o.Resources = ownOperations(func(s *api.Service) {
			for id, do := range map[string]func() (*output, error){
				"getPanic": func() (*output, error) { panic("canary") },
				"getLong": func() (*output, error) {
					out := &output{}
					out.Body.Text = strings.Repeat("x", 1<<20)
					return out, nil
				},
			} {
				api.Register(s, api.Operation{ID: id, Method: http.MethodGet, Path: "/api/v1/" + strings.ToLower(id),
					Summary:     "Fail",
					Description: "Fails.", Access: auth.Scope("tasks:read")},
					func(context.Context, *struct{}) (*output, error) { return do() })
			}
		})
	})
	c := w.modelsClient(w.token(ada, everything...))
	for name, want := range map[string]string{"getPanic": "internal error",
		"getLong": "longer than fits here | smaller limit"} {
		r := c.tool(name, `{}`)
		if r.status != 200 || !r.IsError || r.Structured != nil || !hasParts(r.text(), want) ||
			strings.Contains(r.text(), "canary") {
			t.Errorf("%s: %d %.300v", name, r.status, r)
		}
	}
	if log := w.log.String(); !strings.Contains(log, `"msg":"panic"`) || strings.Contains(log, "canary") {
		t.Error("the panic is not in the log, or its value is")
	}
}

var caseNumber = regexp.MustCompile(`^[0-9]+b?$`)

// notTested are cases that no test here can show, with the reason.
var notTested = map[string]string{
	"25": "what a firewall of somebody's does; docs/mcp.md says which addresses it must let in",
	"64": "a client's own cache; no tool of ours has changed its name",
}

// testedIn are the tests of each case, by its number.
var testedIn = map[string]string{
	"1": "TestMCPWhereAClientLearnsHowToConnect", "2": "TestMCPWhereAClientLearnsHowToConnect",
	"3": "TestMCPTheIssuerIsTheSameEverywhere", "3b": "TestEndToEndAClientWithADocument",
	"4": "TestMCPWhereAClientLearnsHowToConnect", "8": "TestMCPRefusals",
	"8b": "TestMCPATooNarrowPassSaysHowToWiden", "9": "TestMCPATooNarrowPassSaysHowToWiden",
	"11": "TestMCPMetadataAreForPagesToo", "12": "TestMCPWhereAClientLearnsHowToConnect",
	"13": "TestMCPWhereAClientLearnsHowToConnect", "14": "TestEndToEndAClientWithADocument",
	"15": "TestEndToEndAClientThatRegistersItself", "16": "TestEndToEndThreeRequestsAtOnce",
	"17": "TestMCPARevokedPassIsNoMore", "18": "TestMCPAPassWithoutAResource", "19": "TestMCPRefusals",
	"20": "TestMCPAPassWithoutAResource", "21": "TestEndToEndAClientWithADocument",
	"22": "TestEndToEndAClientWithADocument", "23": "TestMCPIsCountedForThePerson",
	"24": "TestMCPNothingOfStytchIsNeededToBeginWith",
	"31": "TestMCPAnswersPagesOfClientsAlone", "32": "TestMCPAnswersPagesOfClientsAlone",
	"33": "TestMCPAnswersPagesOfClientsAlone", "34": "TestMCPAnswersPagesOfClientsAlone",
	"50": "TestMCPToolsAreTheOperations", "51": "TestMCPToolsAreTheOperations", "52": "TestMCPToolsAreTheOperations",
	"53": "TestMCPToolsAreTheOperations", "54": "TestMCPToolsAreTheOperations", "55": "TestMCPToolsAreTheOperations",
	"56": "TestMCPToolsAreTheOperations", "57": "TestMCPToolsAreTheOperations", "62": "TestMCPToolsAreTheOperations",
	"58": "TestMCPIsSmall", "59": "TestMCPIsSmall", "60": "TestMCPIsSmall", "63": "TestMCPIsSmall",
	"78": "TestMCPIsSmall",
	"67": "TestMCPCalls", "68": "TestMCPCalls", "69": "TestMCPCalls", "71": "TestMCPCalls",
	"72": "TestMCPCalls", "73": "TestMCPCalls", "74": "TestMCPToolsAreTheOperations", "75": "TestMCPCalls",
	"76": "TestMCPWhatAListReturnsIsTaken", "77": "TestMCPIdentifiersStayInTheirPlace", "80": "TestMCPCalls",
	"81": "TestMCPRefusals",
}

// TestMCPEveryCaseIsAnswered holds that each of the 82 numbered cases, with 3b and 8b, has a test of that
// name, or a row that begins with its number, or a reason.
func TestMCPEveryCaseIsAnswered(t *testing.T) {
	source := sources(t)
	numbers := []string{"3b", "8b"}
	for n := range 82 {
		numbers = append(numbers, fmt.Sprint(n+1))
	}
	for number := range testedIn {
		if !slices.Contains(numbers, number) || !caseNumber.MatchString(number) {
			t.Errorf("there is no case %s", number)
		}
	}
	for _, number := range numbers {
		test, named := testedIn[number]
		switch _, left := notTested[number]; {
		case left:
		case named && !strings.Contains(source, "func "+test+"("):
			t.Errorf("case %s: there is no %s", number, test)
		case !named && !strings.Contains(source, `{"`+number+" "):
			t.Errorf("case %s has no test", number)
		}
	}
}

// sources returns the tests of this package.
func sources(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
