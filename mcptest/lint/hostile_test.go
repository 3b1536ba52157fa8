package lint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/mcptest"
)

// shortly is how long requests of these tests may take.
const shortly = 300 * time.Millisecond

func TestHostileServersEndInAClearAnswer(t *testing.T) {
	for _, tt := range []struct {
		name  string
		serve func(w http.ResponseWriter, r *http.Request)
		want  string
	}{
		{"an endless body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for {
				if _, err := w.Write([]byte(strings.Repeat(" ", 64<<10))); err != nil {
					return
				}
			}
		}, "longer than 4194304 bytes"},
		{"an endless stream", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, "data: {\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":9}\n\n")
				w.(http.Flusher).Flush()
			}
		}, "deadline exceeded|longer than 4194304"},
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "deadline exceeded"},
		{"an answer that does not end", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "deadline exceeded"},
		{"a page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<h1>\x1b[31mHello")
		}, `no MCP server at ADDRESS: a message was answered 200 with text/html "<h1>\x1b[31mHello"`},
		{"a crash", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
			"a message was answered 500 without a body"},
		{"JSON of another kind", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, []int{1}) },
			`a message was answered 200 with application/json`},
		{"nesting without end", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, strings.Repeat("[", 1<<20))
		}, "a message was answered 200"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // else nobody sees that the client went away
				tt.serve(w, r)
			}))
			t.Cleanup(server.Close)
			report, err := Check(t.Context(), server.URL, Options{Time: shortly})
			wants := strings.Split(strings.ReplaceAll(tt.want, "ADDRESS", server.URL), "|")
			if report != nil || err == nil || !slices.ContainsFunc(wants, func(want string) bool {
				return strings.Contains(err.Error(), want)
			}) {
				t.Errorf("%v, %v, want %q", report, err, tt.want)
			}
		})
	}
}

// TestAServerThatStopsAnsweringIsNotWaitedFor again and again: what it did not answer is not judged.
func TestAServerThatStopsAnsweringIsNotWaitedFor(t *testing.T) {
	l := newLab(t)
	l.wrong = func(_ http.ResponseWriter, r *http.Request, m *incoming) bool {
		if m.Method != "ping" && m.Method != "tools/list" || r.Header.Get("Authorization") == "" {
			return false
		}
		<-r.Context().Done()
		return true
	}
	o := l.options()
	o.Time = shortly
	r := l.check(o)
	if got := strings.Join(brokenRules(r), " "); got != "M030" {
		t.Errorf("broken are %q\n%s", got, listed(r))
	}
	if !strings.Contains(listed(r), "skipped, a request was not answered: ") {
		t.Error(listed(r))
	}
	if n := len(r.Findings); n != mostUnanswered {
		t.Errorf("%d requests were waited for", n)
	}
}

func TestListsWithoutMeasureAreBounded(t *testing.T) {
	l := newLab(t)
	for i := range 1000 {
		tool := labTool(fmt.Sprintf("tool.%d", i), `{"type":"object"}`, `{"type":"object","properties":{}}`, false)
		l.tools = append(l.tools, tool)
	}
	deep := strings.Repeat(`{"type":"array","items":`, 3000) + `{}` + strings.Repeat(`}`, 3000)
	l.tools = append(l.tools, labTool("deep", `{"type":"object","properties":{"a":`+deep+`}}`, deep, true))
	r := l.check(l.options())
	if len(r.Findings) > 8*(mostListed+1) || !strings.Contains(listed(r), "and 980 more of this kind") {
		t.Errorf("%d findings\n%s", len(r.Findings), listed(r))
	}
	l.tools = []any{json.RawMessage(`{"name":"x","inputSchema":` + strings.Repeat("[", 20_000) +
		strings.Repeat("]", 20_000) + `}`)}
	l.spoil = nil
	if r := l.check(l.options()); !slices.Contains(brokenRules(r), "M068") {
		t.Error(listed(r))
	}
}

// TestTheTokenGoesToTheServerAlone: neither metadata nor redirects, nor what the server repeats, take it elsewhere.
func TestTheTokenGoesToTheServerAlone(t *testing.T) {
	elsewhere := newLab(t)
	l := newLab(t)
	l.challenge = `Bearer resource_metadata="` + elsewhere.URL + wellKnown + `/mcp"`
	elsewhere.metadata["authorization_servers"] = []string{elsewhere.URL + "/as"}
	l.metadata["authorization_servers"] = []string{elsewhere.URL + "/as"}
	l.wrong = func(w http.ResponseWriter, r *http.Request, m *incoming) bool {
		switch m.Method {
		case "ping":
			http.Redirect(w, r, elsewhere.url, http.StatusTemporaryRedirect)
		case "guestpass/no-such-method":
			reply(w, 400, map[string]any{"jsonrpc": "2.0", "id": 1, "error": map[string]any{"code": -1,
				"message": "you sent " + r.Header.Get("Authorization")}})
		case "resources/read":
			w.WriteHeader(400)
			_, _ = io.WriteString(w, r.Header.Get("Authorization"))
		default:
			return false
		}
		return true
	}
	r := l.check(l.options())
	if told, _ := json.Marshal(r); strings.Contains(string(told), goodToken) {
		t.Errorf("the report has the token: %s", told)
	}
	if len(elsewhere.seen) == 0 {
		t.Error("nothing was asked elsewhere")
	}
	for _, s := range elsewhere.seen {
		if s.request.Method == http.MethodPost || s.request.Header.Get("Authorization") != "" {
			t.Errorf("elsewhere came %s %s %v", s.request.Method, s.request.URL, s.request.Header)
		}
	}
	for _, s := range l.seen {
		if strings.Contains(s.request.URL.String(), goodToken) {
			t.Errorf("the token is in an address: %s", s.request.URL)
		}
	}
}

// TestAPublicServerLeadsNobodyInward, but a server on this machine may.
func TestAPublicServerLeadsNobodyInward(t *testing.T) {
	inside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inside.Close()
	g := &guard{server: "mcp.example.com"}
	for _, public := range []bool{false, true} {
		g.public.Store(public)
		connection, err := g.dial(t.Context(), "tcp", inside.Addr().String())
		if (err == nil) == public {
			t.Errorf("public %v: %v", public, err)
		}
		if err == nil {
			_ = connection.Close()
		} else if !strings.Contains(err.Error(), "127.0.0.1 is an internal address") {
			t.Error(err)
		}
	}
}

// TestNothingOfTheServersIsRepeatedAsItCame: neither the token, in whatever it is, nor a line that looks like ours, and
// a short session stands in the way of no word.
func TestNothingOfTheServersIsRepeatedAsItCame(t *testing.T) {
	l := newLab(t)
	l.wrap = func(w http.ResponseWriter) http.ResponseWriter { w.Header().Set("Mcp-Session-Id", "e"); return w }
	l.metadata["authorization_servers"] = []string{l.URL + "/" + goodToken + "\u2028"}
	forged := "a\n\n0 errors, 0 warnings, 0 notes; all kept.\nfake"
	notes := `{"type":"object","properties":{"` + strings.Repeat("x", 95) + goodToken + `":{"$ref":"#/$defs/x"}},` +
		`"$defs":{"x":{}},"required":["x` + goodToken + `"]}`
	for _, name := range []string{forged, goodToken, strings.Repeat("x", longestShown-10) + goodToken} {
		l.tools = append(l.tools, labTool(name, `{"type":"object","properties":{}}`, notes, true),
			labTool(name+"2", notes, notes, true))
	}
	l.wrong = func(w http.ResponseWriter, r *http.Request, m *incoming) bool {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+goodToken:
			return false
		case m.Method == "ping":
			w.Header().Set("Location", "http://x.example/"+strings.Repeat("x", longestShown-30)+goodToken)
			w.WriteHeader(307)
		case m.Method == "guestpass/no-such-method":
			w.Header().Set("Content-Type", goodToken+"/x")
			_, _ = io.WriteString(w, "x")
		default:
			return false
		}
		return true
	}
	r := l.check(l.options())
	told, _ := json.Marshal(r)
	if strings.Contains(string(told), goodToken[:12]) || strings.Contains(string(told), `\n`) &&
		!strings.Contains(string(told), `\\n`) {
		t.Errorf("the report has the token, or a line end: %s", told)
	}
	if !slices.Contains(r.Called, escaped(forged)) || !slices.Contains(brokenRules(r), "M046") ||
		!slices.Contains(brokenRules(r), "M074") || !strings.Contains(listed(r), "it is answered") {
		t.Errorf("%q\n%s", r.Called, listed(r))
	}
	for _, f := range r.Findings {
		if strings.Contains(f.Place+f.Problem, "\n") {
			t.Errorf("%s %q: %q", f.Rule, f.Place, f.Problem)
		}
	}
}

// TestATokenIsSentToNoOtherMachineInTheClear.
func TestATokenIsSentToNoOtherMachineInTheClear(t *testing.T) {
	client := mcptest.New("", mcptest.Options{})
	client.SetToken(&mcptest.Token{AccessToken: goodToken})
	report, err := Check(t.Context(), "http://192.0.2.1/mcp", Options{Client: client})
	if err == nil || report != nil || !strings.Contains(err.Error(), "could read the token") {
		t.Errorf("%v", err)
	}
	for _, address := range []string{"https://192.0.2.1/mcp", "http://localhost/mcp", "http://[::1]:1/mcp"} {
		if err := CheckAddress(address, true); err != nil {
			t.Error(err)
		}
	}
}

// TestTheServersHostIsKnownHoweverItIsWritten: else nothing would be kept from leading inward.
func TestTheServersHostIsKnownHoweverItIsWritten(t *testing.T) {
	for _, host := range []string{"bücher.example", "BÜCHER.example", "xn--bcher-kva.example",
		"XN--BCHER-KVA.example"} {
		if got := newGuard("http://" + host + "/mcp").server; !strings.EqualFold(got, "xn--bcher-kva.example") {
			t.Errorf("%s: %q", host, got)
		}
	}
}

// TestAServerOfHTTP2AloneIsSpokenTo.
func TestAServerOfHTTP2AloneIsSpokenTo(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	client := NewHTTPClient(server.URL)
	client.Transport.(*http.Transport).TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
	response, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.ProtoMajor != 2 {
		t.Errorf("it is spoken to in %s", response.Proto)
	}
}

func TestATokenThatIsNoGoodIsSaid(t *testing.T) {
	l := newLab(t)
	client := mcptest.New(l.url, mcptest.Options{})
	client.SetToken(&mcptest.Token{AccessToken: "an-old-token"})
	report, err := Check(t.Context(), l.url, Options{Client: client})
	if !errors.Is(err, ErrToken) || report == nil ||
		!strings.Contains(listed(report), "skipped, the server refuses the token: [M025") ||
		!slices.Contains(report.Kept, "M001") {
		t.Errorf("%v\n%s", err, listed(report))
	}
}

// TestSessionsAreEnded, however the look at a server ends.
func TestSessionsAreEnded(t *testing.T) {
	for _, tt := range []struct {
		name string
		look func(ctx context.Context, cancel func(), l *lab)
	}{
		{"asking whether there is a server", func(ctx context.Context, _ func(), l *lab) { Speaks(ctx, l.url) }},
		{"an interruption", func(ctx context.Context, cancel func(), l *lab) {
			l.wrong = func(_ http.ResponseWriter, _ *http.Request, m *incoming) bool {
				if m.Method == "tools/list" {
					cancel()
				}
				return false
			}
			_, _ = Check(ctx, l.url, l.options())
		}},
		{"a server that stops answering", func(ctx context.Context, _ func(), l *lab) {
			l.wrong = func(_ http.ResponseWriter, r *http.Request, m *incoming) bool {
				if m.Method == "ping" || m.Method == "tools/list" {
					<-r.Context().Done()
				}
				return m.Method == "ping" || m.Method == "tools/list"
			}
			o := l.options()
			o.Time = shortly
			_, _ = Check(ctx, l.url, o)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			l.open = true
			var mu sync.Mutex
			begun := 0
			l.wrap = func(w http.ResponseWriter) http.ResponseWriter {
				mu.Lock()
				defer mu.Unlock()
				begun++
				w.Header().Set(headerSession, fmt.Sprintf("session-%d", begun))
				return w
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tt.look(ctx, cancel, l)
			l.mu.Lock()
			defer l.mu.Unlock()
			ended, asked := map[string]bool{}, 0
			for _, s := range l.seen {
				if s.request.Method == http.MethodDelete {
					ended[s.request.Header.Get(headerSession)] = true
				}
				if s.message.Method == "initialize" {
					asked++
				}
			}
			if !ended["session-1"] || len(ended) < asked-1 {
				t.Errorf("%d times a session was begun, and ended were %v", asked, ended)
			}
		})
	}
}

// TestMessagesAreReadAsClientsReadThem: a byte order mark is nothing, and CR ends a line of a stream.
func TestMessagesAreReadAsClientsReadThem(t *testing.T) {
	const mark = "\xef\xbb\xbf"
	message := `{"jsonrpc":"2.0","id":1,"result":{}}`
	if readMessage([]byte(mark+message)) == nil {
		t.Error("a byte order mark before a message")
	}
	for _, end := range []string{"\n", "\r\n", "\r"} {
		for _, before := range []string{"", mark, mark + ": hello" + end + end, "event: message" + end} {
			stream := before + "data: " + message[:10] + end + "data:" + message[10:] + end + end
			got, err := untilAnswered(strings.NewReader(stream), json.RawMessage("1"))
			if m := readMessage(got); err != nil || m == nil || string(m.ID) != "1" {
				t.Errorf("%q: %q, %v", stream, got, err)
			}
		}
	}
	// An answer that ends with CR alone is there, although the stream stays open and LF might follow.
	open, writer := io.Pipe()
	go func() { _, _ = io.WriteString(writer, "data: "+message+"\r\r") }()
	if got, err := untilAnswered(open, json.RawMessage("1")); err != nil || readMessage(got) == nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAnInterruptedCheckEnds(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithCancel(t.Context())
	l.wrong = func(http.ResponseWriter, *http.Request, *incoming) bool { cancel(); return false }
	if _, err := Check(ctx, l.url, l.options()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, address := range []string{"", "mcp", "ftp://x.example/mcp", "https://user:secret@x.example/mcp",
		"https://x.example/mcp#x", "http://[::1"} {
		if report, err := Check(t.Context(), address, Options{}); err == nil || report != nil ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}
