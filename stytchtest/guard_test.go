package stytchtest_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"guestpass/stytchtest"
)

// everything returns each method and path of both verticals' emulators, with something in the
// places of paths.
func everything(t *testing.T, o stytchtest.Options, f func(e *stytchtest.Emulator, method, path string)) (routes int) {
	t.Helper()
	place := regexp.MustCompile(`\{[^}]+\}`)
	for _, seed := range []stytchtest.Seed{stytchtest.Development(), stytchtest.DevelopmentConsumer()} {
		o.Seed = &seed
		e := must[*stytchtest.Emulator](t)(stytchtest.New(o))
		e.Walk(func(method, path string) {
			routes++
			f(e, method, place.ReplaceAllString(path, "x"))
		})
		for _, path := range []string{"/nothing", "/v1/nothing", "/sdk/v1/nothing", "/_emulator/nothing", "/healthz"} {
			f(e, "GET", path)
		}
	}
	return routes
}

// knock sends what a browser might: as its page chooses, but for what browsers write themselves.
func knock(e http.Handler, method, path, host string, header map[string]string,
	body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr, r.Host = "127.0.0.1:5", host
	for name, value := range header {
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func turnedAway(w *httptest.ResponseRecorder) bool {
	return w.Code == http.StatusForbidden && strings.Contains(w.Body.String(), `"loopback_only"`) &&
		w.Header().Get("Access-Control-Allow-Origin") == ""
}

var (
	foreignHosts = []string{"rebind.example:8081", "rebind.example", "evil.test:8081", "localhost.evil.test:8081",
		"127.0.0.1.evil.test:8081", "localhost.:8081", "localhost.", "127.0.0.1.:8081", "user@localhost:8081",
		"localhost:8081@evil.test", "0.0.0.0:8081", "[::]:8081", "192.168.1.5:8081", "10.0.0.1", "2130706433:8081",
		"127.1:8081", "0x7f.0.0.1:8081", "127.0.0.1:8081.", "[localhost]:8081", "[127.0.0.1]:8081", "::1", "::1:8081",
		"[::1%25lo]:8081", "localhost:", "localhost:8081:8081", "app.localhost:8081", "localhost:80a",
		"localhost,evil.test",
		"localhost evil.test", "lоcalhost:8081", "", ":8081"}
	ownHosts = []string{"localhost:8081", "localhost", "127.0.0.1:8081", "127.0.0.1", "127.8.9.10:1", "[::1]:8081",
		"[::1]", "LOCALHOST:8081", "localhost:65535", "[::ffff:127.0.0.1]:8081"}
	foreignOrigins = []string{"http://evil.test", "https://evil.test", "http://localhost", "http://localhost:9999",
		"http://127.0.0.1:8080", "http://127.0.0.1:8081", "http://[::1]:8080", "https://localhost:8080",
		"http://localhost:8080.",
		"http://localhost.:8080", "http://LOCALHOST:8080", "http://user@localhost:8080", "http://localhost:8080/",
		"http://localhost:8080@evil.test", "http://localhost:8080, http://evil.test", "http://localhost:80800", "null",
		"",
		"file://", "chrome-extension://abcdefghijklmnop", "http://localhost:8080.evil.test", "*"}
)

// A name that is not this machine's is a website's own, made to point here: it is of no use
// on any path, whatever is sent along.
func TestNoPathAnswersToAForeignHost(t *testing.T) {
	secrets := map[string]string{"Authorization": "Basic cHJvamVjdDpzZWNyZXQ=", "Content-Type": "application/json"}
	routes := everything(t, stytchtest.Options{}, func(e *stytchtest.Emulator, method, path string) {
		for _, host := range foreignHosts {
			for _, header := range []map[string]string{nil, secrets, {"Origin": "http://" + host},
				{"Sec-Fetch-Site": "same-origin"},
				{"Origin": "http://localhost:8080"}, {"X-Forwarded-Host": "localhost:8081",
					"Forwarded": "host=localhost"}} {
				if w := knock(e, method, path, host, header, "{}"); !turnedAway(w) {
					t.Fatalf("%s %s for Host %q with %v: %d %s", method, path, host, header, w.Code, w.Body)
				}
			}
		}
		for _, host := range ownHosts {
			if w := knock(e, method, path, host, nil, "{}"); turnedAway(w) {
				t.Fatalf("%s %s for Host %q: %d %s", method, path, host, w.Code, w.Body)
			}
		}
	})
	if routes < 100 {
		t.Fatalf("%d routes were walked", routes)
	}
	t.Logf("%d routes, %d foreign hosts", routes, len(foreignHosts))
}

// Pages of other origins are refused on every path, before anything is done for them: what
// they may not read they could still cause. Only the SDK is for other pages, and they are listed.
func TestNoPathAnswersAForeignPage(t *testing.T) {
	ways := map[string]map[string]string{
		"a request":       {"Content-Type": "application/json"},
		"a form":          {"Content-Type": "application/x-www-form-urlencoded"},
		"a simple POST":   {"Content-Type": "text/plain", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "cross-site"},
		"a same-site one": {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-site"},
		"a websocket": {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "AA==",
			"Sec-WebSocket-Version": "13"},
	}
	everything(t, stytchtest.Options{}, func(e *stytchtest.Emulator, method, path string) {
		for _, origin := range foreignOrigins {
			for way, header := range ways {
				header["Origin"] = origin
				if w := knock(e, method, path, "localhost:8081", header, "{}"); !turnedAway(w) {
					t.Fatalf("%s %s as %s from %q: %d %s", method, path, way, origin, w.Code, w.Body)
				}
			}
			preflight := map[string]string{"Origin": origin, "Access-Control-Request-Method": method,
				"Access-Control-Request-Headers":         "authorization,content-type",
				"Access-Control-Request-Private-Network": "true"}
			if w := knock(e, "OPTIONS", path, "localhost:8081", preflight, ""); !turnedAway(w) {
				t.Fatalf("a preflight of %s %s from %q: %d %v", method, path, origin, w.Code, w.Header())
			}
		}
		for _, fetch := range []map[string]string{{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors",
			"Sec-Fetch-Dest": "image"},
			{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
			{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
			{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "websocket"}, {"Sec-Fetch-Site": "something new"}} {
			if w := knock(e, method, path, "localhost:8081", fetch, ""); !turnedAway(w) {
				t.Fatalf("%s %s with %v: %d %s", method, path, fetch, w.Code, w.Body)
			}
		}
		listed := knock(e, method, path, "localhost:8081", map[string]string{"Origin": "http://localhost:8080"}, "{}")
		if forSDK := strings.HasPrefix(path, "/sdk/"); forSDK == turnedAway(listed) ||
			forSDK && listed.Header().Get("Access-Control-Allow-Origin") != "http://localhost:8080" {
			t.Fatalf("%s %s from the listed page: %d %v", method, path, listed.Code, listed.Header())
		}
		if w := knock(e, method, path, "localhost:8081", map[string]string{"Origin": "http://localhost:8081",
			"Sec-Fetch-Site": "same-origin"},
			"{}"); turnedAway(w) {
			t.Fatalf("%s %s from its own page: %d %s", method, path, w.Code, w.Body)
		}
	})
}

// Which pages are listed follows the project: where people consent, and where links lead.
func TestThePagesOfTheProjectAreListed(t *testing.T) {
	e := must[*stytchtest.Emulator](t)(stytchtest.New(stytchtest.Options{Origins: []string{"http://localhost:3000"},
		Hosts: []string{"stytch.proxy.example"}}))
	e.SetAuthorizationURL("https://Tunnel.example:443/idp")
	e.SetRedirectURLs("http://localhost:5173/done?next={}", "myapp://done", "http://127.0.0.1:80/idp")
	const path = "/sdk/v1/projects/bootstrap/" + publicToken
	from := func(origin string) bool {
		return !turnedAway(knock(e, "GET", path, "localhost:8081", map[string]string{"Origin": origin}, ""))
	}
	for origin, listed := range map[string]bool{"https://tunnel.example": true, "http://localhost:5173": true,
		"http://localhost:3000": true, "http://127.0.0.1": true, "myapp://done": false, "http://localhost:8080": false,
		"http://tunnel.example": false, "https://tunnel.example:443": false, "https://localhost:3000": false,
		"": false} {
		if from(origin) != listed {
			t.Errorf("%q is listed: %t", origin, !listed)
		}
	}
	for path, answered := range map[string]bool{path: true, "/.well-known/jwks.json": true, "/": false,
		"/_emulator/state": false} {
		if w := knock(e, "GET", path, "stytch.proxy.example", nil, ""); turnedAway(w) == answered {
			t.Errorf("%s by the configured name: %d", path, w.Code)
		}
	}
	if w := knock(e, "GET", "/sdk/v1/projects/bootstrap/"+publicToken, "localhost:8081", nil,
		""); w.Header().Get("Vary") != "Origin" {
		t.Errorf("a cache may give one page's reply to another: %v", w.Header())
	}
}

func TestWhoMayAsk(t *testing.T) {
	e := must[*stytchtest.Emulator](t)(stytchtest.New(stytchtest.Options{}))
	link := map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate",
		"Sec-Fetch-Dest": "document"}
	for name, tt := range map[string]struct {
		method, peer, path string
		header             map[string]string
		want               int
	}{
		"another machine":                        {"GET", "192.0.2.1:5", "/.well-known/jwks.json", nil, 403},
		"this one":                               {"GET", "127.0.0.1:5", "/.well-known/jwks.json", nil, 200},
		"by IPv6":                                {"GET", "[::1]:5", "/_emulator/state", nil, 200},
		"a followed link":                        {"GET", "127.0.0.1:5", "/", link, 200},
		"a form of another page in a new window": {"POST", "127.0.0.1:5", "/_emulator/reset", link, 403},
	} {
		r := httptest.NewRequest(tt.method, tt.path, nil)
		r.RemoteAddr, r.Host = tt.peer, "localhost:8081"
		for name, value := range tt.header {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		if e.ServeHTTP(w, r); w.Code != tt.want {
			t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, tt.want)
		}
	}
}
