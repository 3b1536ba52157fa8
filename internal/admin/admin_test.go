package admin

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// serving is a server on an address, as long as the context lasts.
func serving(t *testing.T, ctx context.Context, addr string) (url string, ended chan error) {
	t.Helper()
	listener, err := Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	ended = make(chan error, 1)
	log := slog.New(slog.DiscardHandler)
	go func() { ended <- New(addr, log).Serve(ctx, listener, log) }()
	return "http://" + listener.Addr().String(), ended
}

func get(t *testing.T, url string, change ...func(*http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(r)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

// There are metrics, profiles and a page that leads to them, and nothing else.
func TestTheAdminAddressServesWhatItSays(t *testing.T) {
	url, _ := serving(t, t.Context(), ":0")
	if !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Fatalf("without a host it is on %s", url)
	}
	for path, want := range map[string]string{"/": `href="/metrics"`, "/metrics": "go_goroutines",
		"/debug/pprof/": "heap", "/debug/pprof/goroutine?debug=1": "goroutine profile", "/debug/pprof/cmdline": "",
		"/debug/pprof/profile?seconds=1": "", "/debug/pprof/trace?seconds=0.1": "",
		"/debug/pprof/symbol": "num_symbols"} {
		if status, body := get(t, url+path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.100s", path, status, body)
		}
	}
	for _, path := range []string{"/metrics/", "/healthz", "/api/v1/tasks", "/mcp", "/debug", "/debug/vars", "/x"} {
		if status, body := get(t, url+path); status != 404 {
			t.Errorf("%s: %d %.100s", path, status, body)
		}
	}
	response, err := http.Post(url+"/metrics", "text/plain", strings.NewReader("x"))
	if err != nil || response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v %v", response, err)
	}
	if status, body := get(t, url+"/debug/pprof/profile?seconds=600"); status != 400 {
		t.Errorf("a profile of ten minutes: %d %.100s", status, body)
	}
	begun := time.Now()
	status, body := get(t, url+"/debug/pprof/trace?debug=1", func(r *http.Request) { // where pprof looks as well
		r.Body = io.NopCloser(strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"seconds\"\r\n\r\n" +
			"600\r\n--x--\r\n"))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	}, func(r *http.Request) {
		long, cancel := context.WithTimeout(r.Context(), 30*time.Second)
		t.Cleanup(cancel)
		*r = *r.WithContext(long)
	})
	if took := time.Since(begun); status != 200 || took > 20*time.Second {
		t.Errorf("a trace of ten minutes: %d %.100s, %s", status, body, took)
	}
}

// A website that the operator visits reads none of it, by whatever name it has this address called.
func TestWebsitesDoNotReachTheAdminAddress(t *testing.T) {
	local, elsewhere := New(":9464", slog.New(slog.DiscardHandler)),
		New("metrics.Example.com:9464", slog.New(slog.DiscardHandler))
	for _, tt := range []struct {
		host             string
		local, elsewhere bool
	}{
		{"localhost:9464", true, true}, {"127.0.0.1:9464", true, true}, {"[::1]:9464", true, true},
		{"LOCALHOST:9464", true, true}, {"evil.example:9464", false, false}, {"localhost.:9464", false, false},
		{"localhost.evil.example", false, false}, {"127.0.0.1.evil.example", false, false}, {"", false, false},
		{"10.0.0.7:9464", false, true}, {"[fd00::7]:9464", false, true}, {"guestpass:9464", false, true},
		{"metrics.example.com:9464", false, true}, {"other.example.com:9464", false, false},
		{"user@localhost", false, false}, {"localhost:", false, false},
	} {
		if local.answersTo(tt.host) != tt.local || elsewhere.answersTo(tt.host) != tt.elsewhere {
			t.Errorf("%q: %v, %v", tt.host, local.answersTo(tt.host), elsewhere.answersTo(tt.host))
		}
	}
	url, _ := serving(t, t.Context(), "localhost:0")
	for name, change := range map[string]func(*http.Request){
		"by a name of its own":     func(r *http.Request) { r.Host = "evil.example" },
		"from another site":        func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"from the site's neighbor": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
		"with an origin":           func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"in a sandbox":             func(r *http.Request) { r.Header.Set("Origin", "null") },
	} {
		if status, body := get(t, url+"/metrics", change); status != 403 || strings.Contains(body, "go_") {
			t.Errorf("%s: %d %.100s", name, status, body)
		}
	}
	if status, _ := get(t, url+"/", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") }); status != 200 {
		t.Errorf("typed into a browser: %d", status)
	}
}

// It ends with the server, whoever is having a profile made.
func TestTheAdminAddressEndsWithTheServer(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	url, ended := serving(t, ctx, "127.0.0.1:0")
	begun := make(chan struct{})
	go func() {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "GET /debug/pprof/profile?seconds=60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
		close(begun)
		_, _ = io.Copy(io.Discard, conn)
	}()
	<-begun
	get(t, url+"/")
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it does not end")
	}
}
