//go:build !production

package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"guestpass/internal/page"
)

const svgLogo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8z"/></svg>`

func TestALogoIsReadFromAFileOrAnAddress(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/logo": // as a badly configured server names it
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write([]byte(svgLogo))
		case "/page":
			_, _ = w.Write([]byte("<!doctype html><title>Sign in</title>"))
		case "/elsewhere":
			http.Redirect(w, r, "/logo", http.StatusFound)
		case "/large":
			_, _ = w.Write([]byte(svgLogo + strings.Repeat(" ", page.MaxLogo)))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	folder := t.TempDir()
	file := filepath.Join(folder, "logo.svg")
	if err := os.WriteFile(file, []byte(svgLogo), 0o600); err != nil {
		t.Fatal(err)
	}
	for logo, want := range map[string]string{
		file: "", server.URL + "/logo": "",
		server.URL + "/page":            "is no picture",
		server.URL + "/elsewhere":       "is answered with a redirect",
		server.URL + "/large":           "has more than 256 KiB",
		server.URL + "/none":            "is answered with 404 Not Found",
		folder + "/none.svg":            "names a file that is not there",
		folder:                          "names something that is no file",
		"http://127.0.0.1:1/logo.svg":   "cannot be fetched",
		"https://10.1.2.3/logo.svg":     "internal address",
		"https://169.254.169.254/l.svg": "internal address",
		"https://logo.invalid/logo.svg": "cannot be fetched",
	} {
		content, err := config{Logo: logo}.readLogo(t.Context())
		switch {
		case want == "" && (err != nil || string(content) != svgLogo):
			t.Errorf("%s: %q, %v", logo, content, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), "GUESTPASS_LOGO "+want) &&
			!strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", logo, err, want)
		case err != nil && strings.Contains(err.Error(), logo):
			t.Errorf("%s is repeated: %v", logo, err)
		}
	}
	if content, err := (config{}).readLogo(t.Context()); content != nil || err != nil {
		t.Errorf("without a logo: %q, %v", content, err)
	}
}

func TestServeSaysWhatIsWrongWithTheLogo(t *testing.T) {
	code, _, stderr := execute(t, environ("GUESTPASS_LOGO="+t.TempDir()+"/none.svg"), "serve")
	if code != 2 || !strings.Contains(stderr, "GUESTPASS_LOGO names a file that is not there") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
