package guestpass

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"guestpass/resources"

	"github.com/go-chi/chi/v5"
)

// at is a server at that public URL; local as `guestpass dev` makes it.
func at(t *testing.T, publicURL string, local bool) *Server {
	t.Helper()
	s, err := New(Options{PublicURL: publicURL, Local: local,
		ProjectID: "project-test-11111111-1111-4111-8111-111111111111",
		Secret:    "secret-test-x", PublicToken: "public-token-test-x", Vertical: "b2b",
		Domain:  "http://localhost:8081",
		BaseURL: "http://localhost:8081", ForwardTokens: true, Title: "Demo", Version: "1", Resources: resources.All()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// walked is every method and path that the routers answer, with something in the places of
// paths, and one that they do not.
func walked(t *testing.T, s *Server) (routes [][2]string) {
	t.Helper()
	place := regexp.MustCompile(`\{[^}]+\}|\*`)
	for _, r := range []chi.Routes{s.router().(chi.Routes), s.service.Routes()} {
		err := chi.Walk(r, func(method, path string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
			routes = append(routes, [2]string{method, place.ReplaceAllString(path, "x")})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(routes) < 50 {
		t.Fatalf("%d routes were walked", len(routes))
	}
	return append(routes, [2]string{"GET", "/nothing"}, [2]string{"TRACE", "/"})
}

func knock(s *Server, method, path, host string, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader("x"))
	r.Host = host
	for name, value := range header {
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// refusedLocally wants nothing that another page's script can make something of.
func refusedLocally(w *httptest.ResponseRecorder) bool {
	return w.Code == http.StatusForbidden && strings.HasPrefix(w.Body.String(),
		"This server runs on somebody's own machine.") &&
		w.Header().Get("Content-Type") == "text/plain; charset=utf-8" &&
		w.Header().Get("X-Content-Type-Options") == "nosniff" &&
		w.Header().Get("Access-Control-Allow-Origin") == "" && len(w.Header().Values("Set-Cookie")) == 0
}

var (
	foreignHosts = []string{"rebind.example:8080", "rebind.example", "evil.test", "localhost.evil.test:8080",
		"127.0.0.1.evil.test:8080", "localhost.:8080", "localhost.", "127.0.0.1.:8080", "user@localhost:8080",
		"localhost:8080@evil.test", "0.0.0.0:8080", "[::]:8080", "192.168.1.5:8080", "2130706433:8080", "127.1:8080",
		"0x7f.0.0.1:8080", "127.0.0.1:8080.", "[localhost]:8080", "[127.0.0.1]:8080", "::1", "::1:8080",
		"[::1%25lo]:8080", "localhost:", "localhost:8080:8080", "app.localhost:8080", "localhost:80a",
		"localhost,evil.test",
		"localhost evil.test", "lоcalhost:8080", "", ":8080", "localhost/x", "localhost#x", "localhost?x"}
	loopbackHosts = []string{"localhost:8080", "localhost", "127.0.0.1:8080", "127.8.9.10:1", "[::1]:8080", "[::1]",
		"LOCALHOST:8080"}
	foreignOrigins = []string{"http://evil.test", "http://localhost", "http://localhost:8081", "http://localhost:9999",
		"http://127.0.0.1:8080", "http://[::1]:8080", "https://localhost:8080", "http://localhost.:8080",
		"http://localhost:8080.",
		"http://user@localhost:8080", "http://localhost:8080/", "http://localhost:8080@evil.test",
		"http://localhost:8080, http://evil.test", "null", "", "file://", "https://chatgpt.com", "*"}
	localClients = []string{"http://localhost", "http://localhost:8081", "http://localhost:9999",
		"http://127.0.0.1:8080", "http://[::1]:8080"}
)

// forTools reports whether a path is that of the tools, or says where people sign in for them.
func forTools(path string) bool {
	path = strings.TrimPrefix(path, metadataPath)
	return path == mcpPath || strings.HasPrefix(path, mcpPath+"/")
}

// Pages of other programs of the same machine may be clients of the tools, as MCP Inspector is. They see nothing else.
func TestALocalServerAnswersClientsOfThisMachine(t *testing.T) {
	s := at(t, "http://localhost:8080", true)
	for _, route := range walked(t, s) {
		if method, path := route[0], route[1]; forTools(path) {
			for _, origin := range localClients {
				w := knock(s, method, path, "localhost:8080", map[string]string{"Origin": origin,
					"Sec-Fetch-Site": "same-site"})
				if allowed := w.Header().Get("Access-Control-Allow-Origin"); allowed != "*" && allowed != origin {
					t.Errorf("%s %s for %s: %d %v", method, path, origin, w.Code, w.Header())
				}
			}
		}
	}
}

// A website is of no use on any path of a developer's server, neither by a name of its own
// that points here nor from its own origin.
func TestAttackNoPathOfALocalServerAnswersAWebsite(t *testing.T) {
	knocks := 0
	for name, s := range map[string]*Server{"guestpass dev": at(t, "http://localhost:8080", true),
		"guestpass serve on loopback": at(t, "http://localhost:8080", false),
		"guestpass dev by a tunnel":   at(t, "https://tunnel.example.com", true)} {
		for _, route := range walked(t, s) {
			method, path := route[0], route[1]
			refused := func(host string, header map[string]string) {
				t.Helper()
				path := path
				if path == "/healthz" || path == "/readyz" {
					path += "?verbose&address=192.0.2.1" // by itself it tells any program the same
				}
				knocks++
				if w := knock(s, method, path, host, header); !refusedLocally(w) {
					t.Fatalf("%s: %s %s for %q with %v: %d %v %s", name, method, path, host, header, w.Code, w.Header(),
						w.Body)
				}
			}
			for _, host := range foreignHosts {
				for _, header := range []map[string]string{nil, {"Origin": "http://" + host,
					"Sec-Fetch-Site": "same-origin"},
					{"Origin": "http://localhost:8080"}, {"X-Forwarded-Host": "localhost:8080",
						"Forwarded": "host=localhost"}} {
					refused(host, header)
				}
			}
			for _, origin := range foreignOrigins {
				if forTools(path) && slices.Contains(localClients, origin) {
					continue
				}
				for _, site := range []string{"cross-site", "same-site", "something new"} {
					refused("localhost:8080", map[string]string{"Origin": origin, "Sec-Fetch-Site": site})
				}
				refused("localhost:8080", map[string]string{"Origin": origin, "Content-Type": "text/plain"})
				refused("localhost:8080", map[string]string{"Origin": origin, "Connection": "Upgrade",
					"Upgrade":           "websocket",
					"Sec-WebSocket-Key": "AA==", "Sec-WebSocket-Version": "13"})
				refused("localhost:8080", map[string]string{"Origin": origin, "Access-Control-Request-Method": method,
					"Access-Control-Request-Private-Network": "true"})
			}
			if !forTools(path) {
				refused("localhost:8080", map[string]string{"Origin": "http://localhost:8080",
					"Sec-Fetch-Site": "cross-site"})
			}
			for _, dest := range []string{"image", "iframe", "script", "empty"} {
				refused("localhost:8080", map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors",
					"Sec-Fetch-Dest": dest})
				refused("localhost:8080", map[string]string{"Sec-Fetch-Site": "cross-site",
					"Sec-Fetch-Mode": "navigate",
					"Sec-Fetch-Dest": "iframe"})
			}
		}
	}
	t.Logf("%d knocks of websites: 0 answered", knocks)
}

// A balancer, or whatever else looks whether the server is well, may know it by any name.
func TestALocalServerTellsItsHealthByAnyName(t *testing.T) {
	s := at(t, "http://localhost:8080", false)
	if w := knock(s, "GET", "/readyz?pid=1&verbose", "rebind.example", nil); !refusedLocally(w) {
		t.Errorf("what the checks found, by another name: %d %s", w.Code, w.Body)
	}
	for _, path := range []string{"/healthz", "/readyz", "/readyz?pid=1"} {
		for _, host := range []string{"", "10.0.0.7:8080", "guestpass.internal", "localhost:8080"} {
			if w := knock(s, "GET", path, host, nil); refusedLocally(w) {
				t.Errorf("%s for %q: %d %s", path, host, w.Code, w.Body)
			}
		}
		for name, header := range map[string]map[string]string{
			"its own page":           {"Sec-Fetch-Site": "same-origin"},
			"another's page":         {"Origin": "http://rebind.example", "Sec-Fetch-Site": "same-origin"},
			"a page of old browsers": {"Origin": "http://rebind.example"},
		} {
			if w := knock(s, "GET", path, "rebind.example", header); !refusedLocally(w) {
				t.Errorf("%s for %s: %d %s", path, name, w.Code, w.Body)
			}
		}
	}
}

// Programs, its own pages and followed links go on.
func TestALocalServerAnswersThisMachine(t *testing.T) {
	for name, s := range map[string]*Server{"dev": at(t, "http://localhost:8080", true), "tunnel": at(t,
		"https://tunnel.example.com", true)} {
		for _, route := range walked(t, s) {
			method, path := route[0], route[1]
			answered := func(host string, header map[string]string) {
				t.Helper()
				if w := knock(s, method, path, host, header); refusedLocally(w) || w.Code >= 500 &&
					!slices.Contains([]int{502, 503}, w.Code) {
					t.Errorf("%s: %s %s for %q with %v: %d %s", name, method, path, host, header, w.Code, w.Body)
				}
			}
			if path == "/readyz" || path == "/idp" || path == "/oauth2/token" {
				continue // which ask Stytch: the whole loop is walked elsewhere
			}
			for _, host := range loopbackHosts {
				answered(host, nil)
			}
			answered("localhost:8080", map[string]string{"Origin": "http://localhost:8080",
				"Sec-Fetch-Site": "same-origin"})
			answered("localhost:8080", map[string]string{"Origin": "http://localhost:8080"})
			answered("localhost:8080", map[string]string{"Origin": "null", "Sec-Fetch-Site": "same-origin"})
			answered("localhost:8080", map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate",
				"Sec-Fetch-Dest": "document"})
			if method == http.MethodGet {
				answered("localhost:8080", map[string]string{"Sec-Fetch-Site": "cross-site",
					"Sec-Fetch-Mode": "navigate",
					"Sec-Fetch-Dest": "document"})
			}
		}
	}
	tunnelled := at(t, "https://tunnel.example.com", true)
	for header, value := range map[string]string{"User-Agent": "ChatGPT", "Origin": "https://chatgpt.com"} {
		if w := knock(tunnelled, "GET", "/openapi.json", "tunnel.example.com",
			map[string]string{header: value}); w.Code != 200 {
			t.Errorf("by the tunnel's name with %s: %d %s", header, w.Code, w.Body)
		}
	}
	if w := knock(tunnelled, "GET", "/", "localhost:8080",
		map[string]string{"Origin": "https://tunnel.example.com"}); w.Code != 200 {
		t.Errorf("by a tunnel that writes its own Host: %d %s", w.Code, w.Body)
	}
}

// A proxy may ask by any name where the public URL is the world's.
func TestAServerOfTheWorldAnswersWhateverTheProxyCallsIt(t *testing.T) {
	s := at(t, "https://gpt.example.com", false)
	for _, host := range []string{"gpt.example.com", "10.1.2.3:8080", "guestpass:8080", "localhost:8080",
		"gpt.example.com.", ""} {
		for path, header := range map[string]map[string]string{"/healthz": nil, "/": {"Sec-Fetch-Site": "cross-site"},
			"/openapi.json": {"Origin": "https://editor.example"}} {
			if w := knock(s, "GET", path, host, header); w.Code != 200 {
				t.Errorf("%s for %q: %d %s", path, host, w.Code, w.Body)
			}
		}
	}
}
