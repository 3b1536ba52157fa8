package stytchtest_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// visit opens a page as a browser does that runs no script, and fails unless all of the
// texts are on it.
func visit(t *testing.T, address string, texts ...string) (string, http.Header) {
	t.Helper()
	response := must[*http.Response](t)(http.Get(address))
	defer response.Body.Close()
	page := string(must[[]byte](t)(io.ReadAll(response.Body)))
	if response.StatusCode != 200 {
		t.Fatalf("%s: %d %s", address, response.StatusCode, page)
	}
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("%s lacks %s", address, text)
		}
	}
	return page, response.Header
}

func TestThePage(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) { seed.Members[1].Name = "<b>Grace</b>" })
	invite(t, s, "guest@acme.example")
	login(t, s, "ada@acme.example", acme)
	authorize(t, s)
	page, header := visit(t, s.URL, s.Inbox()[0].Code, "Used, replaced or too old", "Good for 7 d", "B2B project",
		"Ada Lovelace", "stytch_admin", "Hank Scorpio", "Acme", globex, ">invited<", stytchtest.DevelopmentPassword,
		gpt, gptSecret, callback, "https://api.example", "openid email tasks:read offline_access",
		"STYTCH_PROJECT_ID="+project, "STYTCH_SECRET=secret-test-guestpass-dev", "STYTCH_PUBLIC_TOKEN="+publicToken,
		"STYTCH_VERTICAL=b2b", "STYTCH_BASE_URL="+s.URL,
		`href="`+idp+`"`, `href="`+idp+`?slug=acme&amp;stytch_redirect_type=invite&amp;stytch_token_type=`, "jwk-test-",
		"12:00:00", "real time",
		"/sdk/v1/b2b/otps/email/discovery/send", "vanilla-js", `<th scope="col">`)
	if strings.Count(page, "<script") != 1 || !strings.Contains(page,
		`<script type="module" src="/_emulator/page.js"></script>`) {
		t.Error("the page has another script than its own")
	}
	for _, bad := range []string{"<b>Grace", "http-equiv", "-live-", "style=", "Faults on purpose"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	if csp := header.Get("Content-Security-Policy"); !strings.HasPrefix(csp,
		"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';") ||
		!strings.Contains(csp, "form-action 'self'") || strings.Contains(csp, "unsafe") {
		t.Errorf("CSP %s", csp)
	}
	visit(t, s.URL+"/?watch=1", `<noscript><meta http-equiv="refresh" content="5;url=/?watch=1"></noscript>`,
		`<input type="hidden" name="watch" value="1">`)
	for path, kind := range map[string]string{"page.css": "text/css; charset=utf-8",
		"page.js": "text/javascript; charset=utf-8"} {
		if _, header := visit(t, s.URL+"/_emulator/"+path); header.Get("Content-Type") != kind {
			t.Errorf("%s is %s", path, header.Get("Content-Type"))
		}
	}
}

func TestThePageOfAConsumerProject(t *testing.T) {
	seed := stytchtest.DevelopmentConsumer()
	s := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed, Chaos: stytchtest.Chaos{Percent: 1, Seed: 7},
		Now: func() time.Time { return noon }})
	s.Advance(49 * time.Hour)
	must[string](t)(s.Mint(stytchtest.MintRequest{Subject: seed.Users[0].ID, ExpiresIn: -60}))
	page, _ := visit(t, s.URL, "Consumer project", "Grace Hopper", "grace@example.com", seed.Users[1].ID,
		stytchtest.DevelopmentPassword, gpt,
		"STYTCH_VERTICAL=consumer", seed.Project.ID, "2 d 1 h ahead", "<b>ada@example.com</b>", "ended 1 min ago",
		"1 % of all requests go wrong, by the seed 7")
	for _, bad := range []string{"organization", "-live-"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
}

func TestThePageShowsWhatWasSaid(t *testing.T) {
	s := open(t)
	reply := tokens(t, s, exchange(authorize(t, s)))
	ask(t, "POST", s.URL+"/v1/oauth2/introspect?x=%3Cb%3Equery", form("token", reply["access_token"].(string),
		"client_id", gpt, "client_secret", gptSecret))
	ask(t, "POST", s.URL+"/v1/<b>path", `{"name":"<b>body","n":1}`,
		func(r *http.Request) { r.Header.Set("User-Agent", "<b>agent/1") })
	ask(t, "POST", s.URL+"/v1/oauth2/token", strings.Repeat("x", 20<<10))
	page, _ := visit(t, s.URL)
	if strings.Contains(page, "<b>path") || strings.Contains(page, "<b>body") || strings.Contains(page, "<b>agent") ||
		strings.Contains(page, "<b>query") {
		t.Error("what was sent is not escaped")
	}
	shown := html.UnescapeString(page)
	claims := claimsOf(t, reply["access_token"])
	for _, want := range []string{
		"\ngrant_type=authorization_code\nredirect_uri=" + callback, // a form, in lines
		"\n  \"token_type\": \"bearer\"",                            // JSON, indented
		"{\n  \"name\": \"<b>body\",\n  \"n\": 1\n}",                // in its own order
		"x=<b>query", "<b>agent", "route_not_found", "… the rest was not kept",
		"access_token, decoded", "id_token, decoded", "token, decoded", "\n  \"jti\": \"" + claims["jti"].(string) +
			"\"",
		reply["access_token"].(string), // whole
		"1 h left", "<dt>Subject</dt><dd><code>" + ada,
		`<b>ada@acme.example</b> <span class="muted">for</span> ChatGPT`,
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if newest, oldest := strings.Index(shown, "route_not_found"),
		strings.Index(shown, "/v1/b2b/idp/oauth/authorize"); newest > oldest {
		t.Error("the newest request is not first")
	}
	ask(t, "POST", s.URL+"/v1/oauth2/revoke", form("token", reply["access_token"].(string), "client_id", gpt,
		"client_secret", gptSecret))
	visit(t, s.URL, ">revoked<")
	if page, _ := visit(t, s.URL); strings.Contains(page, "the newest") {
		t.Error("the page says that it leaves out something")
	}
	said := len(s.Requests())
	for range 60 {
		ask(t, "GET", s.URL+"/v1/nothing", nil)
	}
	page, _ = visit(t, s.URL, "Older requests (35)", fmt.Sprintf("the newest 50 of %d<", said+60))
	if strings.Count(page, `<details id="request-`) != 50 {
		t.Error("the page does not have the newest 50 requests")
	}
}

// press sends the form of a button, as a page of the origin does.
func press(t *testing.T, s *stytchtest.Server, action, origin string, fields url.Values) *http.Response {
	t.Helper()
	r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), "POST", s.URL+"/_emulator/page/"+action,
		strings.NewReader(fields.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", origin)
	response := must[*http.Response](t)(http.DefaultTransport.RoundTrip(r)) // follows nothing
	response.Body.Close()
	return response
}

func TestThePagesButtons(t *testing.T) {
	for _, tt := range []struct {
		action string
		fields url.Values
		leads  string
		says   string
		done   func(*stytchtest.Server) bool
	}{
		{"reset", nil, "/?done=reset#controls", "Everything is as the seed has it",
			func(s *stytchtest.Server) bool { return len(s.Inbox())+len(s.Requests()) == 0 }},
		{"rotate", form("watch", "1"), "/?done=rotate&watch=1#controls", "A new key signs",
			func(s *stytchtest.Server) bool {
				_, set, _ := ask(t, "GET", s.URL+"/.well-known/jwks.json", nil)
				return len(set["keys"].([]any)) == 2
			}},
		{"advance", form("by", " 1h30m "), "/?by=1h30m0s&done=advance#controls", "The clock went on by 1 h 30 min.",
			func(s *stytchtest.Server) bool { return s.Now().Equal(noon.Add(90 * time.Minute)) }},
		{"advance", form("by", "-1h"), "/?by=-1h0m0s&done=advance#controls", "The clock went back by 1 h.",
			func(s *stytchtest.Server) bool { return s.Now().Equal(noon.Add(-time.Hour)) }},
		{"advance", form("by", "<b>", "watch", "1"), "/?problem=%3Cb%3E&watch=1#controls",
			"“&lt;b&gt;” is no duration.",
			func(s *stytchtest.Server) bool { return s.Now().Equal(noon) }},
		{"clear-faults", nil, "/?done=clear-faults#controls", "There are no faults any more.",
			func(s *stytchtest.Server) bool {
				status, _, _ := ask(t, "POST", s.URL+"/sdk/v1/nothing", nil)
				return status == 404
			}},
	} {
		t.Run(tt.action+tt.fields.Get("by"), func(t *testing.T) {
			s := open(t)
			invite(t, s, "guest@acme.example")
			s.Fail(stytchtest.Fault{Path: "/sdk", Status: 503, Kind: "html", Delay: time.Millisecond})
			s.Fail(stytchtest.Fault{Path: "/v1/b2b", Kind: "drop", Count: 3})
			visit(t, s.URL, "Faults on purpose", "answers 503 with HTML, after 1ms", "until cleared",
				"drops the connection", "3 of 3",
				`action="/_emulator/page/`+tt.action+`"`)
			for _, foreign := range []string{"http://evil.example", "null"} {
				if response := press(t, s, tt.action, foreign, tt.fields); response.StatusCode != 403 ||
					len(s.Inbox()) != 1 || !s.Now().Equal(noon) {
					t.Errorf("%s may press it: %d", foreign, response.StatusCode)
				}
			}
			response := press(t, s, tt.action, s.URL, tt.fields)
			if response.StatusCode != 303 || response.Header.Get("Location") != tt.leads || !tt.done(s) {
				t.Errorf("%d, leads to %s", response.StatusCode, response.Header.Get("Location"))
			}
			visit(t, s.URL+tt.leads, tt.says)
		})
	}
	s := open(t)
	if response := press(t, s, "explode", s.URL, nil); response.StatusCode != 404 {
		t.Errorf("a button that does not exist: %d", response.StatusCode)
	}
}
