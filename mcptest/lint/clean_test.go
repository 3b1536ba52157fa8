package lint

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// TestWhatIsRightIsNotFoundFaultWith: servers that do what clients can live with.
func TestWhatIsRightIsNotFoundFaultWith(t *testing.T) {
	everyTenth := func(header string, status int) func(*lab) {
		var n atomic.Int64
		return answering(func(w http.ResponseWriter, _ *http.Request, _ *incoming) bool {
			if n.Add(1)%20 != 19 {
				return false
			}
			w.Header().Set("Retry-After", header)
			w.WriteHeader(status)
			return true
		})
	}
	for name, spoil := range map[string]func(*lab){
		"one in twenty is 503": everyTenth("0", 503),
		"one in twenty is 429": everyTenth("0", 429),
		"a name that is not ASCII": func(l *lab) {
			l.legacy = false
			l.tool(listNotes)["name"] = "naïve"
			l.tools = append(l.tools, labTool("new\nline", `{"type":"object","properties":{},`+
				`"additionalProperties":false}`, `{"type":"object","properties":{}}`, true))
		},
		"a widget from domains": page(func(widget, ui map[string]any) {
			widget["text"] = `<!doctype html><script src="https://cdn.Example.com/a.js"></script>` +
				`<img src="//ok.example/a"><img src="https://plain.example/a">`
			ui["csp"] = map[string]any{"connectDomains": []string{}, "resourceDomains": []string{
				"https://*.example.com", "https://OK.example/", "plain.example"}}
		}),
		"numbers by any name": func(l *lab) {
			l.tool(listNotes)["inputSchema"] = schemaOf(`{"type":"object","properties":{"limit":{"type":"integer"}},` +
				`"additionalProperties":{"type":"integer"}}`)
			l.tool(getNote)["annotations"].(map[string]any)["readOnlyHint"] = false
			l.wrong = func(_ http.ResponseWriter, _ *http.Request, m *incoming) bool {
				delete(m.arguments(), "guestpass_lint_unknown")
				return false
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			spoil(l)
			r := l.check(l.options())
			want := map[string]string{"a name that is not ASCII": "M080 M098", "numbers by any name": "M097"}[name]
			if got := strings.Join(brokenRules(r), " "); got != want || strings.Contains(listed(r), "-32020") {
				t.Errorf("broken are %q\n%s", got, listed(r))
			}
		})
	}
}

func TestSourcesOfWidgets(t *testing.T) {
	for pair, want := range map[string]bool{
		"https://x.com https://x.co": false, "https://x.co https://x.com": false,
		"https://*.example.com https://example.com": false, "https://*.example.com https://a.b.example.com": true,
		"http://a.example https://a.example": true, "https://a.example http://a.example": false,
	} {
		source, origin, _ := strings.Cut(pair, " ")
		if allows(source, origin) != want {
			t.Errorf("%s of %s: %v", origin, source, !want)
		}
	}
}

// TestAServerThatLimitsRequestsIsNotJudgedByIt: what came before counts, and the rest was not looked at.
func TestAServerThatLimitsRequestsIsNotJudgedByIt(t *testing.T) {
	l := newLab(t)
	var n atomic.Int64
	l.wrong = func(w http.ResponseWriter, _ *http.Request, _ *incoming) bool {
		if n.Add(1) <= 30 {
			return false
		}
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	r := l.check(l.options())
	if len(r.Findings) > 0 || len(r.Kept) == 0 || n.Load() > 31 ||
		!strings.Contains(listed(r), "skipped, the server limits requests (429, wait for 1m0s)") {
		t.Errorf("%d requests\n%s", n.Load(), listed(r))
	}
}

// TestAServerThatHangsUpWithoutAWord after each answer is asked again on a new connection.
func TestAServerThatHangsUpWithoutAWord(t *testing.T) {
	l := newLab(t)
	l.wrong = func(w http.ResponseWriter, r *http.Request, m *incoming) bool {
		if r.Method != http.MethodPost || r.URL.Path != "/mcp" {
			return false
		}
		recorded := &recorder{header: w.Header()}
		l.endpoint(recorded, r, m)
		connection, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return false
		}
		recorded.write(buffered)
		_ = connection.Close()
		return true
	}
	r := l.check(l.options())
	if len(r.Findings) > 0 {
		t.Error(listed(r))
	}
}

// recorder keeps an answer, to be written by hand.
type recorder struct {
	header http.Header
	status int
	body   strings.Builder
}

func (r *recorder) Header() http.Header               { return r.header }
func (r *recorder) WriteHeader(status int)            { r.status = status }
func (r *recorder) Write(content []byte) (int, error) { return r.body.Write(content) }

func (r *recorder) write(to *bufio.ReadWriter) {
	fmt.Fprintf(to, "HTTP/1.1 %d %s\r\nContent-Length: %d\r\n", max(r.status, 200), "Word", r.body.Len())
	_ = r.header.Write(to)
	fmt.Fprintf(to, "\r\n%s", r.body.String())
	_ = to.Flush()
}
