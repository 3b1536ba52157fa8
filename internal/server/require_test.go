package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
)

// host is an application that protects two handlers of its own.
type host struct {
	*world
	url string
}

func newHost(t *testing.T, change ...func(*guestpass.Options)) host {
	t.Helper()
	w := newNotesWorld(t, change...)
	notes := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "notes of %s, sent %s", auth.From(r.Context()).Subject, body)
	}
	routes := http.NewServeMux()
	routes.Handle("GET /notes", w.app.Require(auth.Scope("notes:read"), api.Read)(http.HandlerFunc(notes)))
	routes.Handle("POST /notes", w.app.Require(auth.Scope("notes:write"), api.Write)(http.HandlerFunc(notes)))
	running := httptest.NewServer(routes)
	t.Cleanup(running.Close)
	return host{w, running.URL}
}

// ask calls the host, not Guestpass.
func (h host) ask(method, path, token, body string, change ...func(*http.Request)) reply {
	h.t.Helper()
	at := *h.world
	at.url = h.url
	return at.call(method, path, token, body, change...)
}

func TestRequireGuardsHandlersOfAHost(t *testing.T) {
	h := newHost(t)
	r := h.ask("GET", "/notes", h.token(grace, "notes:read"), "")
	if r.status != 200 || r.body != "notes of "+grace+", sent " || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v %s", r.status, r.header, r.body)
	}
	if r := h.ask("POST", "/notes", h.token(ada, "notes:write"), `{"text":"x"}`); r.status != 200 ||
		!strings.HasSuffix(r.body, `sent {"text":"x"}`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	for name, tt := range map[string]struct {
		method, token     string
		status            int
		challenge, detail string
	}{
		"no token":    {"GET", "", 401, `Bearer realm="api", resource_metadata=`, "a valid access token is required"},
		"a bad token": {"GET", "x.y.z", 401, `error="invalid_token"`, "a valid access token is required"},
		"no scope":    {"GET", h.token(ada, "openid"), 403, `scope="notes:read"`, "permission notes:read"},
		"no role":     {"POST", h.token(grace, "notes:write"), 403, "", "none of the signed-in person's roles"},
	} {
		r := h.ask(tt.method, "/notes", tt.token, "")
		if got := r.header.Get("WWW-Authenticate"); r.status != tt.status || !strings.Contains(got, tt.challenge) ||
			tt.challenge == "" && got != "" || !strings.Contains(r.body, tt.detail) ||
			!strings.Contains(r.body, `"request_id":"req-`) || strings.Contains(r.body, "notes of") {
			t.Errorf("%s: %d %v %s", name, r.status, r.header, r.body)
		}
	}
}

func TestRequireLearnsOfARevocation(t *testing.T) {
	h := newHost(t)
	token := h.token(grace, "notes:read")
	h.consent(grace)
	if r := h.ask("GET", "/notes", token, ""); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	p := h.signIn(grace)
	if r := p.revoke(p.form(gptName())); r.status != 303 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := h.ask("GET", "/notes", token, ""); r.status != 401 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// Calls of the host's handlers and of operations are counted together, and so are addresses.
func TestRequireKeepsToTheLimits(t *testing.T) {
	t.Run("of a person", func(t *testing.T) {
		h := newHost(t, limited(guestpass.Limits{Member: 2}))
		token := h.token(ada, "openid", "notes:read")
		for range 2 {
			if r := h.ask("GET", "/notes", token, ""); r.status != 200 {
				t.Fatalf("%d %s", r.status, r.body)
			}
		}
		isLimited(t, h.ask("GET", "/notes", token, ""), "member", 2)
		isLimited(t, h.call("GET", "/api/v1/userinfo", token, ""), "member", 2)
	})
	t.Run("of an address", func(t *testing.T) {
		h := newHost(t, limited(guestpass.Limits{Address: 2}))
		token := h.token(ada, "notes:read")
		for range 4 { // what brings a good token does not count
			if r := h.ask("GET", "/notes", token, ""); r.status != 200 {
				t.Fatalf("%d %s", r.status, r.body)
			}
		}
		h.ask("GET", "/notes", "", "")
		h.ask("GET", "/notes", "x.y.z", "")
		isLimited(t, h.ask("GET", "/notes", "", ""), "address", 2)
		isLimited(t, h.call("GET", "/api/v1/userinfo", "", ""), "address", 2)
		if r := h.ask("GET", "/notes", token, ""); r.status != 200 {
			t.Errorf("a token that was verified before: %d %s", r.status, r.body)
		}
	})
	t.Run("of an address behind a proxy", func(t *testing.T) {
		h := newHost(t, limited(guestpass.Limits{Address: 1}), func(o *guestpass.Options) {
			o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		})
		for i := range 5 {
			from := func(r *http.Request) { r.Header.Set("X-Forwarded-For", fmt.Sprintf("192.0.2.%d", i)) }
			if r := h.ask("GET", "/notes", "", "", from); r.status != 401 {
				t.Errorf("address %d: %d", i, r.status)
			}
		}
	})
}

// A handler that is guarded twice, as where routes are nested, is counted once and needs both.
func TestRequireTwiceCountsOnce(t *testing.T) {
	w := newNotesWorld(t, limited(guestpass.Limits{Member: 2}))
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, auth.From(r.Context()).Subject)
	})
	both := w.app.Require(auth.Scope("openid"), api.Read)(w.app.Require(auth.Scope("notes:read"), api.Read)(inner))
	ask := func(token string) *httptest.ResponseRecorder {
		recorded, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/notes", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		both.ServeHTTP(recorded, r)
		return recorded
	}
	for i := range 2 {
		if r := ask(w.token(ada, "openid", "notes:read")); r.Code != 200 || r.Body.String() != ada {
			t.Errorf("call %d: %d %s", i+1, r.Code, r.Body)
		}
	}
	if r := ask(w.token(ada, "openid", "notes:read")); r.Code != 429 {
		t.Errorf("a third call: %d", r.Code)
	}
	if r := ask(w.token(grace, "openid")); r.Code != 403 {
		t.Errorf("one of the scopes: %d", r.Code)
	}
}

func TestRequireOfWhatAdmitsEverybodyOrNobody(t *testing.T) {
	w := newWorld(t)
	for want, access := range map[string]auth.Access{"keeps nobody out": auth.Public, "would admit nobody": {},
		`the scope "notes:read"`: auth.Scope("notes:read")} {
		func() {
			defer func() {
				if cause := fmt.Sprint(recover()); !strings.Contains(cause, want) {
					t.Errorf("%v: it panics with %s", access, cause)
				}
			}()
			w.app.Require(access, api.Read)
		}()
	}
}

// An admission is of one server and one token: behind it, another server and another token are asked about anew.
func TestAnAdmissionIsOfOneServerAndToken(t *testing.T) {
	h, other := newHost(t), newNotesWorld(t)
	reads := auth.Scope("notes:read")
	who := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, auth.From(r.Context()).Subject)
	})
	swapping := func(with string) http.Handler {
		return h.app.Require(reads, api.Read)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Authorization")
			if with != "" {
				r.Header.Set("Authorization", "Bearer "+with)
			}
			h.app.Require(reads, api.Read)(who).ServeHTTP(w, r)
		}))
	}
	for name, tt := range map[string]struct {
		handler http.Handler
		status  int
		body    string
	}{
		"twice":            {h.app.Require(reads, api.Read)(h.app.Require(reads, api.Read)(who)), 200, ada},
		"another server's": {h.app.Require(reads, api.Read)(other.app.Require(reads, api.Read)(who)), 401, ""},
		"another token":    {swapping(h.token(grace, "notes:read")), 200, grace},
		"no token":         {swapping(""), 401, ""},
		"no good token":    {swapping("x.y.z"), 401, ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/notes", nil)
		r.Header.Set("Authorization", "Bearer "+h.token(ada, "notes:read"))
		reply := httptest.NewRecorder()
		tt.handler.ServeHTTP(reply, r)
		if reply.Code != tt.status || tt.body != "" && reply.Body.String() != tt.body {
			t.Errorf("%s: %d %s, want %d %s", name, reply.Code, reply.Body, tt.status, tt.body)
		}
	}
}
