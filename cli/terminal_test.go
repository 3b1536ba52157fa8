//go:build !production

package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// steers reports whether a text moves a cursor, changes colours, titles or directions, or hides.
func steers(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
			unicode.Variation_Selector)
	})
}

// Whatever a document, a server, a file's name, an argument or a setting has in it, no command
// steers the terminal, and JSON stays JSON.
func TestNothingThatIsPrintedSteersTheTerminal(t *testing.T) {
	const evil = "\x1b]0;pwned\x07\x1b[31m\u009b31m\r\u202Eevil\u2066\U000E0041\u200B"
	quoted, _ := json.Marshal(evil)
	written := strings.Trim(string(quoted), `"`)
	document := strings.ReplaceAll(`{"openapi":"3.1.0","info":{"title":"WRITTEN","version":"WRITTEN"},
		"servers":[{"url":"https://a.example/WRITTEN"}],
		"paths":{"/WRITTEN":{"get":{"operationId":"WRITTEN","summary":"WRITTEN",
			"responses":{"200":{"description":"WRITTEN"}},"WRITTEN":1}}}}`, "WRITTEN", written)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/\u009bhtml")
		if r.URL.Path == "/moved" {
			w.Header().Set("Location", "https://evil.example/\u009b\u202E")
			w.WriteHeader(http.StatusFound)
			return
		}
		_, _ = w.Write([]byte(document))
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "a"+strings.ReplaceAll(evil, "/", "")+".json")
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), evil)
	for _, args := range [][]string{
		{"lint", file}, {"lint", "--json", file}, {"lint", "--sarif", file}, {"lint", server.URL}, {"lint", missing},
		{"lint", "--fix", file + ".fixed", file},
		{"lint", "--explain", evil}, {"openapi", "--check", file}, {"openapi", "--check", server.URL + "/moved"},
		{"openapi", "--check", missing},
		{"try", "--url", server.URL}, {"try", "--json", "--url", server.URL}, {"try", "--url", server.URL + "/moved"},
		{"migrate", evil}, {"backup", missing}, {"audit", evil}, {evil}, {"--" + evil}, {"serve", "--addr", evil},
	} {
		for _, environ := range [][]string{nil, {"GUESTPASS_" + evil + "=x"},
			{"GUESTPASS_DATABASE_URL=sqlite:" + missing + "/x.db"},
			{"GUESTPASS_ACCESS=" + evil}} {
			_, stdout, stderr := execute(t, environ, args...)
			if steers(stdout + stderr) {
				t.Errorf("%q with %q prints\n%q\n%q", args, environ, stdout, stderr)
			}
			if stdout != "" && len(args) > 1 && args[1] == "--json" {
				for decoder := json.NewDecoder(strings.NewReader(stdout)); decoder.More(); {
					if err := decoder.Decode(new(any)); err != nil {
						t.Errorf("%q prints no JSON: %v\n%s", args, err, stdout)
						break
					}
				}
			}
		}
	}
}

// A document that goes to a program keeps each of its bytes.
func TestADocumentThatIsNotForTheTerminalIsExact(t *testing.T) {
	source := "openapi: 3.1.0\ninfo: {title: \"a\u202Eb\", version: '1'}\nservers: [{url: " +
		"https://a.example}]\npaths: {}\n"
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stdout, _ := execute(t, nil, "lint", "--fix", "-", file)
	if !strings.Contains(stdout, "\u202E") {
		t.Errorf("changed:\n%q", stdout)
	}
}
