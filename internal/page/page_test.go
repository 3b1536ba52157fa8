package page

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAssetsAreKeptAndCompressed by browsers for an hour, for no page of another origin.
func TestAssetsAreKeptAndCompressed(t *testing.T) {
	content := strings.Repeat("body { color: red }\n", 500)
	r, w := httptest.NewRequest("GET", "/assets/guestpass.css", nil), httptest.NewRecorder()
	r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
	Asset("text/css; charset=utf-8", []byte(content)).ServeHTTP(w, r)
	for name, want := range map[string]string{"Content-Type": "text/css; charset=utf-8", "Content-Encoding": "br",
		"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding",
		"Cross-Origin-Resource-Policy": "same-origin"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if w.Code != 200 || w.Body.Len() == 0 || w.Body.Len() > len(content)/10 {
		t.Errorf("%d with %d bytes", w.Code, w.Body.Len())
	}
}
