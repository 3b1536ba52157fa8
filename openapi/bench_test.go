package openapi

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// writer is a ResponseWriter that can be used again and counts nothing.
type writer struct {
	header http.Header
	status int
	bytes  int
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) { w.status = status }

func (w *writer) Write(p []byte) (int, error) {
	w.bytes += len(p)
	return len(p), nil
}

// request is as ChatGPT makes it, with further header fields.
func request(header ...string) *http.Request {
	r := httptest.NewRequest("GET", "/openapi.json", nil)
	r.Header.Set("Accept-Encoding", "gzip, deflate")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// serveOnce empties the header first, as net/http does between requests.
func (w *writer) serveOnce(d *Document, r *http.Request) {
	clear(w.header)
	d.ServeJSON(w, r)
}

func newWriter() *writer { return &writer{header: make(http.Header, 16)} }

func conditional(t testing.TB, d *Document) *http.Request {
	t.Helper()
	w := newWriter()
	w.serveOnce(d, request())
	return request("If-None-Match", `W/"other", `+w.header.Get("ETag"))
}

func TestServingAllocatesNothing(t *testing.T) {
	d, w := mustPublish(t, realistic(), example()), newWriter()
	for status, r := range map[int]*http.Request{200: request(), 304: conditional(t, d)} {
		if n := testing.AllocsPerRun(100, func() { w.serveOnce(d, r) }); n != 0 || w.status != status {
			t.Errorf("status %d (want %d) with %v allocations", w.status, status, n)
		}
	}
}

func BenchmarkServe200(b *testing.B) { benchmarkServe(b, 200) }

func BenchmarkServe304(b *testing.B) { benchmarkServe(b, 304) }

func benchmarkServe(b *testing.B, status int) {
	d, w, r := mustPublish(b, realistic(), example()), newWriter(), request()
	if status == http.StatusNotModified {
		r = conditional(b, d)
	}
	b.ReportAllocs()
	for b.Loop() {
		w.serveOnce(d, r)
	}
	if w.status != status {
		b.Fatalf("status is %d", w.status)
	}
}

// BenchmarkServeContent reports how many times as long [http.ServeContent] takes as the document's
// own way, each over a connection on loopback: 1.2 to 1.4 for a whole document, 1.0 for status 304.
func BenchmarkServeContent(b *testing.B) {
	d := mustPublish(b, realistic(), example())
	ours := httptest.NewRecorder()
	d.ServeJSON(ours, request())
	body, tag := ours.Body.Bytes(), ours.Header().Get("ETag")
	theirs := func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), ours.Header())
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}
	for status, header := range map[int]string{http.StatusOK: "X-Nothing", http.StatusNotModified: "If-None-Match"} {
		b.Run(strconv.Itoa(status), func(b *testing.B) {
			ways := []func(){fetch(b, d.ServeJSON, status, header, tag), fetch(b, theirs, status, header, tag)}
			var took [2]time.Duration
			first := 0
			for b.Loop() {
				for _, way := range []int{first, 1 - first} {
					start := time.Now()
					ways[way]()
					took[way] += time.Since(start)
				}
				first = 1 - first // who comes second finds the processor warm
			}
			b.ReportMetric(float64(took[1])/float64(took[0]), "ratio")
		})
	}
}

// fetch returns a function that reads from a server of the handler once.
func fetch(b *testing.B, h http.HandlerFunc, status int, header, value string) func() {
	b.Helper()
	server := httptest.NewServer(h)
	b.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	r.Header.Set(header, value)
	return func() {
		response, err := server.Client().Do(r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != status {
			b.Fatalf("status is %d", response.StatusCode)
		}
	}
}

// BenchmarkPublish30 makes the largest document there can be, as a program does once.
func BenchmarkPublish30(b *testing.B) {
	api := newAPI()
	for i := range 15 {
		read, write := fmt.Sprint("/api/v1/things", i), fmt.Sprint("/api/v1/others", i)
		declare[listInput, listReply](api, huma.Operation{OperationID: fmt.Sprint("listThings", i), Path: read})
		declare[createInput, taskReply](api, huma.Operation{OperationID: fmt.Sprint("createThing", i), Method: "POST",
			Path: write})
	}
	b.ReportAllocs()
	for b.Loop() {
		mustPublish(b, api, example())
	}
}
