package gpttest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// api answers every call with one answer and remembers what it was asked.
type api struct {
	status int
	answer string
	header http.Header

	calls  []string // method, address and body
	tokens []string
	last   http.Header
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.calls = append(a.calls, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
	a.tokens = append(a.tokens, r.Header.Get("Authorization"))
	a.last = r.Header
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.status == 0 {
		a.status = 200
	}
	w.WriteHeader(a.status)
	io.WriteString(w, a.answer)
}

func TestCallSplitsTheArguments(t *testing.T) {
	for _, tt := range []struct {
		name, operation string
		options         Options
		args            map[string]any
		want            string
	}{
		{"path, escaped", "getTask", Options{}, map[string]any{"id": "a/b ?%{id}é"},
			"GET /tasks/a%2Fb%20%3F%25%7Bid%7D%C3%A9"},
		{"query array with commas", "getTask", Options{}, map[string]any{"id": "1", "fields": []any{"ti,tle", "state"}},
			"GET /tasks/1?fields=ti%2Ctle,state"},
		{"query array repeated", "getTask", Options{QueryArrays: Repeat},
			map[string]any{"id": "1", "fields": []string{"title", "state"}}, "GET /tasks/1?fields=title&fields=state"},
		{"query array with brackets", "getTask", Options{QueryArrays: Brackets},
			map[string]any{"id": "1", "fields": []any{"title", "state"}}, "GET /tasks/1?fields[]=title&fields[]=state"},
		{"a whole number", "getTask", Options{}, map[string]any{"id": 1e6}, "GET /tasks/1000000"},
		{"nothing for nil", "getTask", Options{}, map[string]any{"id": 7, "fields": nil}, "GET /tasks/7"},
		{"body", "createTask", Options{}, map[string]any{"title": "Milk & <eggs>", "place": map[string]any{
			"room": "K"}}, `POST /tasks {"place":{"room":"K"},"title":"Milk \u0026 \u003ceggs\u003e"}`},
		{"no arguments", "ping", Options{}, nil, "GET /ping"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := &api{answer: `{"ok":true}`, header: http.Header{"Content-Type": {"application/json"}}}
			g := local(t, a, &tokenEndpoint{}, tt.options, "")
			result, err := g.Call(t.Context(), tt.operation, tt.args)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(a.calls, []string{tt.want}) {
				t.Errorf("got %q, want %q", a.calls, tt.want)
			}
			if result.Status != 200 || string(result.Body) != `{"ok":true}` ||
				result.ContentType != "application/json" {
				t.Errorf("result %+v", result)
			}
		})
	}
}

func TestCallSendsChatGPTsHeaders(t *testing.T) { // class C
	a := &api{}
	g := local(t, a, &tokenEndpoint{}, Options{CallbackID: "g-7"}, "")
	if _, err := g.Call(t.Context(), "ping", nil); err != nil {
		t.Fatal(err)
	}
	const id = `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`
	for name, pattern := range map[string]string{
		"User-Agent": `^Mozilla/5\.0 .*ChatGPT-User/1\.0; \+https://openai\.com/bot$`,
		"Accept":     `^\*/\*$`, "Accept-Encoding": `^gzip, deflate$`, "Content-Type": `^application/json$`,
		"Openai-Conversation-Id": id, "Openai-Ephemeral-User-Id": id, "Openai-Gpt-Id": `^g-7$`,
		"Openai-Subdivision-1-Iso-Code": `^US-CA$`, "Traceparent": `^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`,
	} {
		if got := a.last.Get(name); !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestCallRefusesBeforeAnyRequest(t *testing.T) {
	for _, tt := range []struct {
		name, operation string
		args            map[string]any
		want            string
	}{
		{"unknown arguments", "getTask", map[string]any{"id": "1", "b": 1, "a": 2},
			"UnrecognizedKwargsError: ('a', 'b')"},
		{"one unknown argument", "getTask", map[string]any{"args": 1}, "UnrecognizedKwargsError: args"},
		{"an undeclared member", "createTask", map[string]any{"title": "x", "place": map[string]any{"city": "Oslo"}},
			"UnrecognizedKwargsError: city"},
		{"missing", "createTask", map[string]any{"state": "open"}, "createTask: required arguments are missing: title"},
		{"another operation", "dropTables", nil, `the action has no operation "dropTables"`},
		{"a path that leads elsewhere", "getTask", map[string]any{"id": ".."},
			`argument id: ".." cannot stand in a path`},
		{"too large", "createTask", map[string]any{"title": strings.Repeat("é", 100_000)},
			"ResponseTooLargeError: the request has 100012 characters; it must stay under 100000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := &api{}
			g := local(t, a, &tokenEndpoint{}, Options{}, "")
			_, err := g.Call(t.Context(), tt.operation, tt.args)
			if err == nil || err.Error() != tt.want || len(a.calls) > 0 {
				t.Errorf("got %v after %d calls", err, len(a.calls))
			}
		})
	}
}

func TestResponsesAreCountedInCharacters(t *testing.T) { // class A
	for _, tt := range []struct {
		characters int
		refused    bool
	}{{99_999, false}, {100_000, true}, {300_000, true}} {
		a := &api{answer: strings.Repeat("é", tt.characters)}
		_, err := local(t, a, &tokenEndpoint{}, Options{}, "").Call(t.Context(), "ping", nil)
		var tooLarge *TooLargeError
		if refused := errors.As(err, &tooLarge); refused != tt.refused || !refused && err != nil {
			t.Errorf("%d characters: %v", tt.characters, err)
		}
	}
}

func TestCompressedAnswersAreRead(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	io.WriteString(w, `{"ok":true}`)
	w.Close()
	a := &api{answer: packed.String(), header: http.Header{"Content-Encoding": {"gzip"}}}
	result, err := local(t, a, &tokenEndpoint{}, Options{}, "").Call(t.Context(), "ping", nil)
	if err != nil || string(result.Body) != `{"ok":true}` {
		t.Errorf("got %v, %v", result, err)
	}
}

func TestAnswersThatAreNoTextAreRefused(t *testing.T) {
	a := &api{answer: "\xff\xfe"}
	_, err := local(t, a, &tokenEndpoint{}, Options{}, "").Call(t.Context(), "ping", nil)
	var failure *ClientResponseError
	if !errors.As(err, &failure) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyProtectedOperationsGetTheToken(t *testing.T) {
	a := &api{}
	g := local(t, a, &tokenEndpoint{}, Options{}, "")
	g.Call(t.Context(), "getTask", map[string]any{"id": "1"})
	g.SetToken(&Token{AccessToken: "at-1"})
	g.Call(t.Context(), "getTask", map[string]any{"id": "1"})
	g.Call(t.Context(), "ping", nil)
	if want := []string{"", "Bearer at-1", ""}; !slices.Equal(a.tokens, want) {
		t.Errorf("got %q", a.tokens)
	}
}

func TestCallRefreshesWhenTheClockSaysSo(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := &api{}
	endpoint := &tokenEndpoint{status: 200, contentType: "application/json",
		body: `{"access_token":"at-2","token_type":"bearer","expires_in":60}`}
	g := local(t, a, endpoint, Options{Now: func() time.Time { return now }}, "")
	g.SetToken(&Token{AccessToken: "at-1", RefreshToken: "rt-1", ExpiresAt: now.Add(time.Minute)})
	call := func() error {
		_, err := g.Call(t.Context(), "getTask", map[string]any{"id": "1"})
		return err
	}
	if err := call(); err != nil || endpoint.calls != 0 {
		t.Fatalf("before it expired: %v, %d refreshes", err, endpoint.calls)
	}
	now = now.Add(time.Minute)
	if err := call(); err != nil || endpoint.calls != 1 {
		t.Fatalf("after it expired: %v, %d refreshes", err, endpoint.calls)
	}
	now = now.Add(time.Hour)
	endpoint.status, endpoint.body = 400, `{"error":"invalid_grant"}`
	var signIn *SignInError
	if err := call(); !errors.As(err, &signIn) || signIn.Host != "127.0.0.1" || g.SignedIn() {
		t.Errorf("after the refresh was refused: %v", err)
	}
	if want := []string{"Bearer at-1", "Bearer at-2"}; !slices.Equal(a.tokens, want) {
		t.Errorf("tokens %q", a.tokens)
	}
}

func TestA401IsShownAndSignsOut(t *testing.T) {
	for _, keep := range []bool{false, true} {
		a := &api{status: 401, answer: `{"error":{"code":"invalid_token"}}`}
		g := local(t, a, &tokenEndpoint{}, Options{KeepTokenOn401: keep}, "")
		g.SetToken(&Token{AccessToken: "at-1"})
		result, err := g.Call(t.Context(), "getTask", map[string]any{"id": "1"})
		if err != nil || result.Status != 401 || string(result.Body) != a.answer || g.SignedIn() != keep {
			t.Errorf("keep %v: %+v, %v, signed in %v", keep, result, err, g.SignedIn())
		}
	}
}

func TestApprovalIsRememberedForWhatIsNotConsequential(t *testing.T) { // class A
	var asked []string
	answers := []Decision{Decline, AlwaysAllow, AlwaysAllow, Decline}
	o := Options{Approve: func(op Operation, _ map[string]any) Decision {
		asked = append(asked, op.ID)
		return answers[len(asked)-1]
	}}
	a := &api{}
	g := local(t, a, &tokenEndpoint{}, o, "")
	task := map[string]any{"title": "x"}
	steps := []struct {
		operation string
		args      map[string]any
		want      error
	}{{"ping", nil, ErrDeclined}, {"createTask", task, nil}, {"ping", nil, nil}, {"ping", nil, nil},
		{"createTask", task, ErrDeclined}}
	for i, step := range steps {
		if _, err := g.Call(t.Context(), step.operation, step.args); !errors.Is(err, step.want) {
			t.Errorf("step %d: %v", i, err)
		}
	}
	if want := []string{"ping", "createTask", "ping", "createTask"}; !slices.Equal(asked, want) || len(a.calls) != 3 {
		t.Errorf("asked %q, %d calls", asked, len(a.calls))
	}
}

func TestDebugRecordsHoldNoToken(t *testing.T) { // class C
	var log bytes.Buffer
	a := &api{answer: `{"id":"1"}`}
	g := local(t, a, &tokenEndpoint{}, Options{Log: &log}, "")
	g.SetToken(&Token{AccessToken: "at-secret"})
	result, err := g.Call(t.Context(), "getTask", map[string]any{"id": "1"})
	if err != nil {
		t.Fatal(err)
	}
	hash := regexp.MustCompile(`"operation_hash":"[0-9a-f]{40}"`)
	got := hash.ReplaceAllString(strings.Join(result.Debug, "\n"), `"operation_hash":"…"`)
	want := `[debug] Calling HTTP endpoint {"domain":"127.0.0.1","is_consequential":false,"method":"get",` +
		`"operation":"getTask","operation_hash":"…","params":{"id":"1"},"path":"/tasks/{id}"}
[debug] Response received {"action_id":"g-dev","response_data":{"id":"1"},"status_code":200}
Talked to 127.0.0.1`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if log.String() != strings.Join(result.Debug, "\n")+"\n" {
		t.Errorf("logged %s", &log)
	}
	a.status = 500
	result, _ = g.Call(t.Context(), "ping", nil)
	if last := result.Debug[len(result.Debug)-1]; last != "Error talking to 127.0.0.1" {
		t.Errorf("after 500: %s", last)
	}
	if _, broken := g.Failures(); broken != 1 || strings.Contains(log.String(), "at-secret") {
		t.Errorf("%d failures, log %s", broken, &log)
	}
}

func TestRedirectsOfTheAPIAreNotFollowed(t *testing.T) { // class I
	mux := http.NewServeMux()
	mux.Handle("/ping", http.RedirectHandler("/pong", http.StatusFound))
	mux.HandleFunc("/pong", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "pong") })
	for follow, want := range map[bool]int{false: 302, true: 200} {
		// The caller's own client changes nothing about it.
		g := local(t, mux, &tokenEndpoint{}, Options{FollowRedirects: follow, HTTP: &http.Client{}}, "")
		if result, err := g.Call(t.Context(), "ping", nil); err != nil || result.Status != want {
			t.Errorf("follow %v: %v, %v", follow, result, err)
		}
	}
}

func TestADuplicateCallCanBeMade(t *testing.T) { // class D
	a := &api{}
	g := local(t, a, &tokenEndpoint{}, Options{DuplicateCalls: true}, "")
	if _, err := g.Call(t.Context(), "createTask", map[string]any{"title": "x"}); err != nil || len(a.calls) != 2 {
		t.Errorf("%d calls, %v", len(a.calls), err)
	}
}

func TestCallHonoursItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := local(t, &api{}, &tokenEndpoint{}, Options{}, "").Call(ctx, "ping", nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
