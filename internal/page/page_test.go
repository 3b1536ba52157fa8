package page

import (
	"compress/gzip"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAssetsAreCompressed for whoever takes them so; each form has a tag of its own, by which it is not sent again.
func TestAssetsAreCompressed(t *testing.T) {
	content := strings.Repeat("body { color: red }\n", 500)
	asset := Asset("text/css; charset=utf-8", []byte(content))
	ask := func(encoding, tag string) *httptest.ResponseRecorder {
		r, w := httptest.NewRequest("GET", "/assets/guestpass.css", nil), httptest.NewRecorder()
		r.Header.Set("Accept-Encoding", encoding)
		r.Header.Set("If-None-Match", tag)
		asset.ServeHTTP(w, r)
		return w
	}
	tags := map[string]bool{}
	for encoding, packed := range map[string]bool{"": false, "br": false, "gzip;q=0": false, "gzip": true,
		"gzip, deflate, br, zstd": true} {
		w := ask(encoding, "")
		var body io.Reader = w.Body
		if (w.Header().Get("Content-Encoding") == "gzip") != packed || packed && w.Body.Len() > len(content)/10 {
			t.Errorf("%q: %v, %d bytes", encoding, w.Header(), w.Body.Len())
		}
		if packed {
			var err error
			if body, err = gzip.NewReader(w.Body); err != nil {
				t.Fatal(err)
			}
		}
		got, err := io.ReadAll(body)
		if err != nil || string(got) != content || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: %v %d bytes, Vary %q", encoding, err, len(got), w.Header().Get("Vary"))
		}
		tags[w.Header().Get("ETag")] = true
		if again := ask(encoding, w.Header().Get("ETag")); again.Code != 304 || again.Body.Len() > 0 {
			t.Errorf("%q: again %d", encoding, again.Code)
		}
	}
	if len(tags) != 2 {
		t.Errorf("tags %v", tags)
	}
}
