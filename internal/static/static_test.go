package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

var text = []byte(strings.Repeat("the same for everybody; ", 100))

// ask sends a request with that method and further header fields.
func ask(h http.Handler, method string, header ...string) *http.Response {
	r, w := httptest.NewRequest(method, "/", nil), httptest.NewRecorder()
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	h.ServeHTTP(w, r)
	return w.Result()
}

// read undoes the encoding that the response says it has.
func read(t *testing.T, response *http.Response) []byte {
	t.Helper()
	var body io.Reader = response.Body
	var err error
	switch encoding := response.Header.Get("Content-Encoding"); encoding {
	case "":
	case "gzip":
		body, err = gzip.NewReader(body)
	case "br":
		body = brotli.NewReader(body)
	default:
		t.Errorf("an encoding %q", encoding)
	}
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestEachEncodingIsItsOwnVariant(t *testing.T) {
	content, tags := New("text/plain", text), map[string]string{}
	for _, accepted := range []string{"", "gzip", "gzip, br"} {
		whole := ask(content, http.MethodGet, "Accept-Encoding", accepted)
		encoding, tag := whole.Header.Get("Content-Encoding"), whole.Header.Get("ETag")
		length := whole.Header.Get("Content-Length")
		if body := read(t, whole); whole.StatusCode != 200 || !bytes.Equal(body, text) ||
			whole.Header.Get("Vary") != "Accept-Encoding" || whole.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("%q: %d %v %.50s", accepted, whole.StatusCode, whole.Header, body)
		}
		if n, err := strconv.Atoi(length); err != nil || (n < len(text)/10) != (accepted != "") {
			t.Errorf("%q: %s bytes", accepted, length)
		}
		if other, twice := tags[tag]; twice || strings.HasPrefix(tag, "W/") {
			t.Errorf("%q has the tag %s, as %q has", accepted, tag, other)
		}
		tags[tag] = accepted

		head := ask(content, http.MethodHead, "Accept-Encoding", accepted)
		if body, _ := io.ReadAll(head.Body); len(body) != 0 || head.Header.Get("Content-Length") != length ||
			head.Header.Get("Content-Encoding") != encoding || head.Header.Get("ETag") != tag {
			t.Errorf("%q: HEAD has %d bytes and %v", accepted, len(body), head.Header)
		}
		for _, condition := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			known := ask(content, http.MethodGet, "Accept-Encoding", accepted, "If-None-Match", condition)
			if body, _ := io.ReadAll(known.Body); known.StatusCode != 304 || len(body) != 0 ||
				known.Header.Get("ETag") != tag || known.Header.Get("Vary") != "Accept-Encoding" ||
				known.Header.Get("Content-Encoding")+known.Header.Get("Content-Length") != "" {
				t.Errorf("%q, %s: %d %v", accepted, condition, known.StatusCode, known.Header)
			}
		}
		other := ask(content, http.MethodGet, "Accept-Encoding", accepted, "If-None-Match", `"other"`)
		if other.StatusCode != 200 {
			t.Errorf("%q, with another tag: %d", accepted, other.StatusCode)
		}
	}
}

func TestWhatGetsNoShorterStaysAsItIs(t *testing.T) {
	response := ask(New("text/plain", []byte("short")), http.MethodGet, "Accept-Encoding", "gzip, br")
	if body := read(t, response); response.Header.Get("Content-Encoding") != "" || string(body) != "short" {
		t.Errorf("%v %q", response.Header, body)
	}
}

// A page that says that there is nothing says so whatever the client has.
func TestAnErrorIsNoVariant(t *testing.T) {
	content := New("text/plain", text)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Language")
		content.ServeStatus(w, r, http.StatusNotFound)
	})
	response := ask(handler, http.MethodGet, "If-None-Match", "*", "Accept-Encoding", "br")
	if body := read(t, response); response.StatusCode != 404 || !bytes.Equal(body, text) ||
		strings.Join(response.Header["Vary"], ", ") != "Accept-Language, Accept-Encoding" ||
		response.Header.Get("ETag") != "" {
		t.Errorf("%d %v", response.StatusCode, response.Header)
	}
}
