//go:build !production

package cli

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const answersOK = `"responses":{"%s":{"description":"OK","content":{"application/json":{"schema":
	{"type":"object","required":["ok"],"properties":{"ok":{"type":"boolean"}}}}}}}`

// documentOf is the document of an app at the address, with the paths.
func documentOf(address, paths string) string {
	return `{"openapi":"3.1.0","info":{"title":"T","version":"1"},"servers":[{"url":"` + address + `"}],` +
		`"components":{"schemas":{}},"paths":{` + paths + `}}`
}

// answering is an app of one operation that declares a status with JSON, and of what answers.
func answering(t *testing.T, declared string, handler http.HandlerFunc) (code int, stdout, stderr string) {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	document := documentOf(server.URL, `"/things":{"get":{"operationId":"listThings","parameters":[],`+
		strings.Replace(answersOK, "%s", declared, 1)+`}}`)
	mux.HandleFunc("/openapi.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(document)) })
	mux.HandleFunc("/things", handler)
	return execute(t, nil, "try", "--url", server.URL, "--within", "40s")
}

// TestAWalkFailsIfNoAnswerIsAsDeclared, and a call whose answer is no JSON.
func TestAWalkFailsIfNoAnswerIsAsDeclared(t *testing.T) {
	for _, tt := range []struct {
		name, declared, answer string
		status, code           int
		want                   string
	}{
		{"as declared", "200", `{"ok":true}`, 200, 0, "ok"},
		{"a range", "2XX", `{"ok":true}`, 202, 0, "ok"},
		{"a page", "200", "<html>login</html>", 200, 1, "the answer is not JSON, and is declared to be"},
		{"a page with another status", "201", "<html>login</html>", 200, 1,
			"the document declares the status 201 with JSON; 200 came"},
		{"another status", "201", `{"ok":true}`, 200, 1,
			"none of the answers is what the document declares (1 answer)"},
		{"another shape", "200", `{"fine":true}`, 200, 1,
			"none of the answers is what the document declares (1 answer)"},
		{"nothing", "200", "", 200, 1, "the answer is not JSON, and is declared to be"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := answering(t, tt.declared, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.answer))
			})
			if code != tt.code || !strings.Contains(stdout+stderr, tt.want) {
				t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
			}
		})
	}
}

// TestAllCallsTogetherHaveALimit, however slowly a server answers.
func TestAllCallsTogetherHaveALimit(t *testing.T) {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	released := make(chan struct{})
	defer close(released)
	mux.HandleFunc("/things/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(" "))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-released:
		}
	})
	paths := ""
	for _, name := range []string{"a", "b", "c"} {
		paths += `,"/things/` + name + `":{"get":{"operationId":"list` + strings.ToUpper(name) +
			`","parameters":[],"responses":{"200":{"description":"OK"}}}}`
	}
	mux.HandleFunc("/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(documentOf(server.URL, paths[1:])))
	})
	code, stdout, stderr := execute(t, nil, "try", "--url", server.URL, "--within", "100ms")
	if code != 1 || !strings.Contains(stderr, "longer than 100ms together (--within says how long they may): 2 "+
		"operations not called") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if _, help, _ := execute(t, nil, "try", "--help"); !strings.Contains(help, "default 2m0s") {
		t.Errorf("the limit is not told:\n%s", help)
	}
	for _, within := range []string{"0s", "-1m"} {
		if code, _, stderr := execute(t, nil, "try", "--within", within); code != 2 || !strings.Contains(stderr,
			"more than 0") {
			t.Errorf("%s: exit code %d %s", within, code, stderr)
		}
	}
}
