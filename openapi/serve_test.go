package openapi

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// serve starts a real server for d and returns a function that asks it.
func serve(t *testing.T, d *Document) func(method, path string, header ...string) (*http.Response, []byte) {
	server := httptest.NewServer(d.Handler())
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	t.Cleanup(client.CloseIdleConnections)
	return func(method, path string, header ...string) (*http.Response, []byte) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			request.Header.Add(header[i], header[i+1])
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, text
	}
}

func expect(t *testing.T, response *http.Response, status int, header map[string]string) {
	t.Helper()
	if response.StatusCode != status {
		t.Errorf("status is %d, want %d", response.StatusCode, status)
	}
	for name, want := range header {
		if got := strings.Join(response.Header.Values(name), "|"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestBothSyntaxesAreServed(t *testing.T) {
	d := mustPublish(t, realistic(), example())
	ask := serve(t, d)
	for _, tt := range []struct {
		path, contentType, vary string
		want                    []byte
	}{
		{"/openapi.json", "application/json", "Accept, Accept-Encoding", d.JSON()},
		{"/openapi.yaml", "application/yaml", "Accept-Encoding", d.YAML()},
	} {
		response, text := ask("GET", tt.path)
		expect(t, response, 200, map[string]string{
			"Content-Type": tt.contentType, "Content-Length": strconv.Itoa(len(tt.want)), "Content-Encoding": "",
			"Cache-Control": "public, max-age=60", "Vary": tt.vary, "Access-Control-Allow-Origin": "*",
			"Access-Control-Expose-Headers": "ETag", "Access-Control-Allow-Credentials": "",
		})
		if !bytes.Equal(text, tt.want) {
			t.Errorf("%s: another document is served", tt.path)
		}
		plain := response.Header.Get("ETag")

		response, text = ask("GET", tt.path, "Accept-Encoding", "gzip, deflate")
		expect(t, response, 200, map[string]string{"Content-Encoding": "gzip", "Content-Type": tt.contentType,
			"Content-Length": strconv.Itoa(len(text)), "Vary": tt.vary})
		reader, err := gzip.NewReader(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if text, err = io.ReadAll(reader); err != nil || !bytes.Equal(text, tt.want) {
			t.Errorf("%s: unzipped it is another document (%v)", tt.path, err)
		}
		if compressed := response.Header.Get("ETag"); compressed == plain || strings.HasPrefix(compressed, "W/") {
			t.Errorf("%s: entity tags are %s and %s", tt.path, plain, compressed)
		}
	}
	if response, _ := ask("GET", "/openapi.json"); response.Header.Get("ETag") != d.ETag() {
		t.Errorf("ETag() is %s, served is %s", d.ETag(), response.Header.Get("ETag"))
	}
	response, _ := ask("GET", "/")
	expect(t, response, 404, nil)
}

func TestHeadHasTheHeadersOfGet(t *testing.T) {
	d := mustPublish(t, realistic(), example())
	response, text := serve(t, d)("HEAD", "/openapi.json")
	expect(t, response, 200, map[string]string{"Content-Type": "application/json", "ETag": d.ETag(),
		"Content-Length": strconv.Itoa(len(d.JSON()))})
	if len(text) > 0 {
		t.Errorf("HEAD has a body of %d bytes", len(text))
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	ask := serve(t, mustPublish(t, realistic(), example()))
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		response, _ := ask(method, "/openapi.yaml")
		expect(t, response, 405, map[string]string{"Allow": "GET, HEAD, OPTIONS", "Access-Control-Allow-Origin": "*",
			"ETag": ""})
	}
}

// A script on another page may read the document, conditionally too, but not as somebody.
func TestScriptsOfOtherOriginsMayRead(t *testing.T) {
	ask := serve(t, mustPublish(t, realistic(), example()))
	for _, path := range []string{"/openapi.json", "/openapi.yaml", "/openapi-3.0.json", "/swagger.json"} {
		response, _ := ask("OPTIONS", path, "Origin", "https://elsewhere.example", "Access-Control-Request-Method",
			"GET",
			"Access-Control-Request-Headers", "if-none-match")
		expect(t, response, 204, map[string]string{"Access-Control-Allow-Origin": "*",
			"Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
			"Access-Control-Allow-Headers": "If-None-Match", "Access-Control-Max-Age": "86400",
			"Access-Control-Allow-Credentials": "", "ETag": ""})
	}
}

func TestTheSyntaxIsTheOneThatIsWanted(t *testing.T) {
	d := mustPublish(t, realistic(), example())
	ask := serve(t, d)
	const yaml, json = "application/yaml", "application/json"
	for _, tt := range []struct{ accept, want string }{
		{"", json},
		{"*/*", json},
		{"application/json", json},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", json},
		{"text/plain", json}, // rather than 406: whoever asks for .json gets it
		{"application/yaml", yaml},
		{"Application/YAML; charset=utf-8", yaml},
		{"application/x-yaml", yaml},
		{"text/yaml", yaml},
		{"application/yaml, */*", yaml},
		{"application/yaml, */*;q=0.1", yaml},
		{"application/yaml, application/json", json},
		{"application/json;q=0.5, application/yaml", yaml},
		{"application/json; version=1; q=0.5, application/yaml; q=0.6", yaml},
		{"application/yaml;q=0.5, application/json", json},
		{"application/yaml;q=0.5, application/*", json},
		{"application/yaml;q=0", json},
		{"application/yaml;q=bad", json},
		{";;,,q=1", json},
	} {
		response, text := ask("GET", "/openapi.json", "Accept", tt.accept)
		if got := response.Header.Get("Content-Type"); got != tt.want || (tt.want == yaml) != bytes.Equal(text,
			d.YAML()) {
			t.Errorf("Accept %q gets %s, want %s", tt.accept, got, tt.want)
		}
		response, _ = ask("GET", "/openapi.yaml", "Accept", tt.accept)
		expect(t, response, 200, map[string]string{"Content-Type": yaml})
	}
}

func TestIfNoneMatch(t *testing.T) {
	d := mustPublish(t, realistic(), example())
	ask := serve(t, d)
	tag := d.ETag()
	for _, tt := range []struct {
		name  string
		field []string
		want  int
	}{
		{"the tag", []string{tag}, 304},
		{"any", []string{"*"}, 304},
		{"the tag, weak", []string{"W/" + tag}, 304},
		{"the tag in a list", []string{`"a,b" , W/"c",` + tag}, 304},
		{"the tag in a second field", []string{`"a"`, tag}, 304},
		{"empty members", []string{",, " + tag}, 304},
		{"another tag", []string{`"other"`}, 200},
		{"the tag without quotes", []string{strings.Trim(tag, `"`)}, 200},
		{"part of the tag", []string{tag[:5] + `"`}, 200},
		{"the tag inside another", []string{`"x ` + strings.Trim(tag, `"`) + ` x"`}, 200},
		{"a list that ends early", []string{`"open`}, 200},
		{"weak mark alone", []string{"W/"}, 200},
		{"nothing", []string{""}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var header []string
			for _, value := range tt.field {
				header = append(header, "If-None-Match", value)
			}
			for _, method := range []string{"GET", "HEAD"} {
				response, text := ask(method, "/openapi.json", header...)
				expect(t, response, tt.want, map[string]string{"ETag": tag, "Vary": "Accept, Accept-Encoding",
					"Cache-Control": "public, max-age=60", "Access-Control-Allow-Origin": "*"})
				if tt.want == 304 && (len(text) > 0 || response.Header.Get("Content-Type") != "") {
					t.Error("304 has a body or a content type")
				}
			}
		})
	}
	response, _ := ask("GET", "/openapi.json", "Accept-Encoding", "gzip", "If-None-Match", tag)
	expect(t, response, 200, map[string]string{"Content-Encoding": "gzip"}) // the tag is that of another encoding
	response, _ = ask("GET", "/openapi.json", "Accept-Encoding", "gzip", "If-None-Match", response.Header.Get("ETag"))
	expect(t, response, 304, map[string]string{"Content-Encoding": ""})
}

func TestVaryOfOthersIsKept(t *testing.T) {
	d := mustPublish(t, realistic(), example())
	for range 2 {
		w := httptest.NewRecorder()
		w.Header().Add("Vary", "Origin")
		d.ServeJSON(w, httptest.NewRequest("GET", "/", nil))
		if got := strings.Join(w.Header().Values("Vary"), "|"); got != "Origin|Accept, Accept-Encoding" {
			t.Errorf("Vary is %q", got)
		}
		w.Header().Add("Cache-Control", "no-transform") // must not reach the next response
	}
	w := httptest.NewRecorder()
	d.ServeJSON(w, httptest.NewRequest("GET", "/", nil))
	if got := len(w.Header().Values("Cache-Control")); got != 1 {
		t.Errorf("a value added to one response is in another: %d values", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	d := mustPublish(t, realistic(), example())
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 50 {
				w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
				if i%2 == 0 {
					r.Header.Set("Accept-Encoding", "gzip")
				}
				if i%3 == 0 {
					r.Header.Set("If-None-Match", d.ETag())
				}
				d.ServeJSON(w, r)
				d.ServeYAML(httptest.NewRecorder(), r)
				w.Header().Add("Vary", "Cookie")
				d.Notes()
				d.Warnings()
				d.Operations()
			}
		})
	}
	group.Wait()
}
