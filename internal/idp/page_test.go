package idp

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass/internal/clients"
)

const callback = "https://chatgpt.com/aip/g-dev/oauth/callback"

func pageProvider(t *testing.T, change ...func(*Options)) *Provider {
	t.Helper()
	o := Options{PublicURL: "https://gpt.example.com", ProjectID: testProject, PublicToken: "public-token-test-x",
		Vertical:   "b2b",
		SDKBaseURL: "https://login.example.com", TokenURL: "https://login.example.com/v1/oauth2/token",
		CookieKey: []byte("key"),
		LookUpClient: func(_ context.Context, id string) (Client, error) {
			if id != testClient {
				return Client{}, ErrUnknownClient
			}
			return Client{Name: "Acme's <b>GPT</b>", RedirectURIs: []string{callback}}, nil
		}}
	for _, c := range change {
		c(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func get(p *Provider, query string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/idp?"+query, nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	p.Page(w, r)
	return w
}

func chatGPT(pairs ...string) string {
	q := url.Values{"response_type": {"code"}, "client_id": {testClient}, "redirect_uri": {callback},
		"scope": {"openid members:read"}, "state": {"st-1"}}
	for i := 0; i < len(pairs); i += 2 {
		if q.Del(pairs[i]); pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q.Encode()
}

func TestPageTakesWhatChatGPTSends(t *testing.T) {
	for name, query := range map[string]string{
		"as documented":                   chatGPT(),
		"without response_type":           chatGPT("response_type", ""),
		"without scope":                   chatGPT("scope", ""),
		"with an empty scope":             chatGPT() + "&nonce=", // other values may be empty, too
		"with unknown parameters":         chatGPT() + "&access_type=offline&foo=1&foo=2",
		"with a state of 2,048":           chatGPT("state", strings.Repeat("s", 2048)),
		"with PKCE":                       chatGPT("code_challenge", "x", "code_challenge_method", "S256"),
		"with two resources":              chatGPT() + "&resource=a&resource=b",
		"with a loopback address":         chatGPT("redirect_uri", "http://localhost:9999/callback"),
		"with a client name that is HTML": chatGPT(),
	} {
		t.Run(name, func(t *testing.T) {
			w := get(pageProvider(t), query)
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `id="login"`) {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), "<b>GPT</b>") {
				t.Error("HTML in the client's name is not escaped")
			}
		})
	}
}

func TestPageRefusesWithoutRedirecting(t *testing.T) {
	for name, query := range map[string]string{
		"unknown client":                chatGPT("client_id", "connected-app-test-other"),
		"client id with markup":         chatGPT("client_id", "<script>"),
		"no client":                     chatGPT("client_id", ""),
		"no redirect_uri":               chatGPT("redirect_uri", ""),
		"two redirect_uris":             chatGPT() + "&redirect_uri=https%3A%2F%2Fevil.example",
		"two states":                    chatGPT() + "&state=2",
		"implicit flow":                 chatGPT("response_type", "token"),
		"plain challenge":               chatGPT("code_challenge", "x", "code_challenge_method", "plain"),
		"state of 2,049":                chatGPT("state", strings.Repeat("s", 2049)),
		"long query":                    chatGPT() + "&x=" + strings.Repeat("y", maxQuery),
		"malformed query":               "client_id=%zz",
		"a malformed unknown parameter": chatGPT() + "&evil.example=%",
		"a malformed unknown name":      chatGPT() + "&%=evil.example",
		"text that is no UTF-8":         chatGPT() + "&x=%ff",
		"a semicolon":                   chatGPT() + "&x=1;y=2",
		"a value without a name":        chatGPT() + "&=evil.example",
		"a name encoded and plain":      chatGPT() + "&%73tate=2",
		"nothing at all":                "",
		"another path":                  chatGPT("redirect_uri", callback+"/x"),
		"a path that climbs": chatGPT("redirect_uri",
			"https://chatgpt.com/aip/g-dev/oauth/../callback"),
		"another host": chatGPT("redirect_uri",
			"https://chatgpt.com.evil.example/aip/g-dev/oauth/callback"),
		"user information": chatGPT("redirect_uri",
			"https://chatgpt.com@evil.example/aip/g-dev/oauth/callback"),
		"http": chatGPT("redirect_uri", "http://chatgpt.com/aip/g-dev/oauth/callback"),
		"another port": chatGPT("redirect_uri",
			"https://chatgpt.com:8443/aip/g-dev/oauth/callback"),
		"a fragment":                          chatGPT("redirect_uri", callback+"#x"),
		"a query":                             chatGPT("redirect_uri", callback+"?x=1"),
		"letter case":                         chatGPT("redirect_uri", "https://ChatGPT.com/aip/g-dev/oauth/callback"),
		"a trailing slash":                    chatGPT("redirect_uri", callback+"/"),
		"a script":                            chatGPT("redirect_uri", "javascript:alert(1)"),
		"a loopback name that is no loopback": chatGPT("redirect_uri", "http://localhost.evil.example/callback"),
	} {
		t.Run(name, func(t *testing.T) {
			w := get(pageProvider(t), query)
			if w.Code != http.StatusBadRequest || w.Header().Get("Location") != "" || w.Header().Get("Refresh") != "" {
				t.Errorf("%d, Location %q", w.Code, w.Header().Get("Location"))
			}
			body := w.Body.String()
			if !strings.Contains(body, `role="alert"`) || strings.Contains(body, "<script") || strings.Contains(body,
				"evil.example") {
				t.Errorf("page: %s", body)
			}
		})
	}
}

func TestEveryReplyOfThePageCarriesTheHeaders(t *testing.T) {
	for name, query := range map[string]string{"page": chatGPT(), "error": ""} {
		h := get(pageProvider(t), query).Header()
		for header, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' " +
				"'sha256-goG6NTJVb+JLlVfyyLcbrBJO1e6OPG6DpOWkP/MQIRQ=' " +
				"'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; img-src 'self'; connect-src 'self' " +
				"https://login.example.com; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
				"require-trusted-types-for 'script'",
			"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
			"Strict-Transport-Security": "max-age=63072000",
		} {
			if h.Get(header) != want {
				t.Errorf("%s: %s is %q, want %q", name, header, h.Get(header), want)
			}
		}
	}
}

func TestEachVerticalHasItsOwnComponent(t *testing.T) {
	for vertical, want := range map[string]struct{ bundle, style string }{
		"b2b":      {"stytch-b2b.js", "'sha256-goG6NTJVb+JLlVfyyLcbrBJO1e6OPG6DpOWkP/MQIRQ='"},
		"consumer": {"stytch-consumer.js", "'sha256-CbrfRrFsqa4jd8s2MnVLtg2+Rg+fX+Lx21DVlX4zEBI='"},
	} {
		p := pageProvider(t, func(o *Options) { o.Vertical = vertical })
		w := get(p, chatGPT())
		for _, part := range []string{`src="/idp/assets/` + want.bundle + `"`, `data-vertical="` + vertical + `"`} {
			if !strings.Contains(w.Body.String(), part) {
				t.Errorf("%s: the page lacks %s", vertical, part)
			}
		}
		if styles := w.Header().Get("Content-Security-Policy"); strings.Count(styles, "'sha256-") != 2 ||
			!strings.Contains(styles, want.style) {
			t.Errorf("%s: %s", vertical, styles)
		}
		names := slices.Sorted(maps.Keys(p.Assets()))
		if !slices.Equal(names, []string{"cookies.js", "idp.js", "login.js", "report.js", "session.js",
			want.bundle, "words.js"}) {
			t.Errorf("%s: served are %v", vertical, names)
		}
		script := httptest.NewRecorder()
		p.Assets()[want.bundle].ServeHTTP(script, httptest.NewRequest(http.MethodGet, "/idp/assets/"+want.bundle, nil))
		if script.Code != http.StatusOK || script.Body.Len() < 100_000 {
			t.Errorf("%s: %d, a bundle of %d bytes", vertical, script.Code, script.Body.Len())
		}
	}
	if _, err := New(Options{Vertical: "b2c", CookieKey: []byte("key"),
		TokenURL: "https://login.example.com/v1/oauth2/token"}); err == nil {
		t.Error("an unknown vertical is admitted")
	}
}

func TestRequestSurvivesTheWayThroughAnEMail(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := pageProvider(t, func(o *Options) { o.Now = func() time.Time { return now } })
	cookies := get(p, chatGPT("state", "st-&=7")).Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies %v", cookies)
	}
	c := cookies[0]
	if c.Name != "__Host-guestpass-request" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode ||
		c.Path != "/" {
		t.Errorf("cookie %+v", c)
	}
	link := "stytch_token_type=discovery&token=T"
	if body := get(p, link, c).Body.String(); !strings.Contains(body, "state=st-%26%3D7") {
		t.Errorf("the link's page has lost the request: %s", body)
	}
	forged := *c
	forged.Value = "A" + c.Value[1:]
	if body := get(p, link, &forged).Body.String(); strings.Contains(body, "state=") {
		t.Error("a forged cookie was believed")
	}
	now = now.Add(requestLifetime)
	if body := get(p, link, c).Body.String(); strings.Contains(body, "state=") {
		t.Error("a cookie was believed after its time")
	}
}

// A page that was left open loads itself when the session changes in another tab. The link of a mail goes on
// belonging to the request of the tab in which somebody asked for it.
func TestAPageThatLoadsItselfTakesNoMailsRequest(t *testing.T) {
	p := pageProvider(t)
	kept := get(p, chatGPT("state", "newer")).Result().Cookies()
	again := get(p, chatGPT("state", "older")+"&again=1", kept...)
	if got := carried(t, again.Body.String()); got.Get("state") != "older" || got.Has("again") {
		t.Errorf("the page itself goes on with %v", got)
	}
	if cookies := again.Result().Cookies(); len(cookies) > 0 {
		t.Errorf("it takes the request's place: %v", cookies)
	}
	if cookies := get(p, chatGPT("state", "older")+"&again=1").Result().Cookies(); len(cookies) != 1 {
		t.Errorf("where none is kept its own is: %v", cookies)
	}
}

func TestStytchDecidesWhenTheClientCannotBeLookedUp(t *testing.T) {
	p := pageProvider(t, func(o *Options) {
		o.LookUpClient = func(context.Context, string) (Client, error) { return Client{}, errors.New("Stytch is away") }
	})
	if w := get(p, chatGPT()); w.Code != http.StatusOK {
		t.Errorf("%d", w.Code)
	}
}

// Each question to Stytch that anybody can cause is one that others may lack.
func TestStytchIsNotAskedForWhatCannotBe(t *testing.T) {
	asked := 0
	p := pageProvider(t, func(o *Options) {
		o.Clients = clients.Parse([]string{testClient})
		o.LookUpClient = func(_ context.Context, id string) (Client, error) {
			if id != testClient { // which can be
				asked++
			}
			return Client{}, nil
		}
		o.LookUpOrganization = func(context.Context, string) (Organization, error) {
			asked++
			return Organization{},
				nil
		}
	})
	for _, query := range []string{chatGPT("client_id", "connected-app-test-other"),
		chatGPT("client_id", "connected-app-live-x"),
		chatGPT("client_id", ".."), chatGPT("client_id", "x"), chatGPT("client_id", testClient, "organization_id",
			"..")} {
		asked = 0
		if w := get(p, query); w.Code != 400 || asked > 0 {
			t.Errorf("%s: %d, asked %d times", query, w.Code, asked)
		}
	}
}

// Whoever makes a page with a secret in the place of something public gets no page.
func TestThePageIsNotMadeWithWhatIsNotPublic(t *testing.T) {
	const secret = "secret-test-q1w2e3r4t5y6"
	for name, change := range map[string]func(*Options){
		"the secret as public token":         func(o *Options) { o.PublicToken = secret },
		"no public token":                    func(o *Options) { o.PublicToken = "" },
		"the project id as public token":     func(o *Options) { o.PublicToken = testProject },
		"a workspace key as public token":    func(o *Options) { o.PublicToken = "workspace-key-test-q1w2e3r4t5y6" },
		"a secret behind the prefix":         func(o *Options) { o.PublicToken = "public-token-test-" + secret },
		"a public token with quotes":         func(o *Options) { o.PublicToken = `"public-token-test-x"` },
		"a public token of the live project": func(o *Options) { o.PublicToken = "public-token-live-x" },
		"the secret as project id":           func(o *Options) { o.ProjectID = secret },
		"no project id":                      func(o *Options) { o.ProjectID = "" },
		"the secret as client id":            func(o *Options) { o.Clients = clients.Parse([]string{secret}) },
		"the secret in the base of the API":  func(o *Options) { o.SDKBaseURL = "https://x.example/" + secret },
		"id and secret of a client": func(o *Options) {
			o.Clients = clients.Parse(
				[]string{"connected-app-test-1=q1w2e3r4t5y6"})
		},
	} {
		o := Options{PublicURL: "https://gpt.example.com", ProjectID: testProject, PublicToken: "public-token-test-x",
			SDKBaseURL: "https://login.example.com",
			Vertical:   "b2b",
			TokenURL:   "https://login.example.com/v1/oauth2/token", CookieKey: []byte("key")}
		if _, err := New(o); err != nil {
			t.Fatal(err)
		}
		change(&o)
		if _, err := New(o); err == nil || strings.Contains(err.Error(), "q1w2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
