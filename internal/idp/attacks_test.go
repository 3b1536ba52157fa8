package idp

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// astray are addresses by which a page that redirects could be made to lead to evil.example.
var astray = []string{
	"https://evil.example", "http://evil.example/", "//evil.example", "///evil.example", "////evil.example",
	`/\evil.example`, `\/evil.example`, `\\evil.example`,
	`/\/evil.example`, `//\evil.example`, "https:evil.example", "https:/evil.example", "https:///evil.example",
	`https:\\evil.example`, `https:/\evil.example`,
	"HTTPS://EVIL.EXAMPLE", "hTtPs:evil.example", "ftp://evil.example", "ws://evil.example", "file://evil.example/x",
	"blob:https://evil.example/x", "view-source:https://evil.example",
	"%2f%2fevil.example", "%2F%2Fevil.example", "%5c%5cevil.example", "/%5cevil.example", "%252f%252fevil.example",
	"%255cevil.example", "/%2f%2fevil.example", "%68ttps://evil.example",
	"/%09/evil.example", "/\t/evil.example", "\thttps://evil.example", " https://evil.example",
	"\x01https://evil.example", "\u00a0//evil.example", "\ufeff//evil.example", "ht\ntps://evil.example",
	"javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "\x01javascript:alert(1)",
	"javascript://evil.example/%0aalert(1)", "data:text/html,<script>alert(1)</script>",
	"data:text/html;base64,PHNjcmlwdD4=", "vbscript:msgbox(1)", "/\r\nLocation: https://evil.example",
	"/%0d%0aLocation:%20https://evil.example", "x\r\n\r\n<script>alert(1)</script>",
	"/\x00//evil.example", "https://evil.example\x00.chatgpt.com", "https://chatgpt.com@evil.example",
	"https://chatgpt.com:x@evil.example/", `https://evil.example\@chatgpt.com`,
	"https://evil.example%2f@chatgpt.com", "https://evil.example／chatgpt.com", "//evil。example",
	"https://evil．example",
	"https://chatgpt.com:8443", "https://chatgpt.com:443@evil.example",
	"https://[::1]/", "https://[::ffff:203.0.113.9]/", "https://3405803785/", "https://chatgpt.com.evil.example",
	"https://chatgpt.com./aip", "https://evil.example#https://chatgpt.com/aip/g-dev/oauth/callback",
	"https://evil.example?https://chatgpt.com/aip/g-dev/oauth/callback",
	`"><meta http-equiv="refresh" content="0;url=https://evil.example">`, `" onload="location='https://evil.example'`,
	`'><script>location='https://evil.example'</script>`, "/idp/../../evil.example", ".evil.example", "@evil.example",
}

// carriers are parameters that a page could take for an address: those that ours knows,
// and those by which others lead astray.
var carriers = []string{"redirect_uri", "post_logout_redirect_uri", "client_id", "state", "scope", "nonce", "prompt",
	"resource", "response_type",
	"code_challenge", "organization_id", "organization", "stytch_token_type", "stytch_redirect_type", "token",
	"id_token_hint",
	"return", "return_to", "returnUrl", "next", "url", "continue", "redirect", "redirect_url", "target", "goto"}

func TestNoParameterIsANavigationTarget(t *testing.T) {
	if len(astray) < 60 {
		t.Fatalf("%d payloads", len(astray))
	}
	p, pages := pageProvider(t), 0
	for _, payload := range astray {
		for _, name := range carriers {
			alone := url.Values{name: {payload}}.Encode()
			for _, query := range []string{chatGPT(name, payload), chatGPT() + "&" + alone, alone} {
				w := get(p, query)
				pages++
				if w.Code != http.StatusOK && w.Code != http.StatusBadRequest || w.Header().Get("Location") != "" ||
					w.Header().Get("Refresh") != "" {
					t.Errorf("%s=%q: %d %v", name, payload, w.Code, w.Header())
				}
				if found := besidesTheWayBack(addresses(t, w.Body.String())); !slices.Equal(found, refusalAddresses) &&
					!slices.Equal(found, pageAddresses) {
					t.Errorf("%s=%q: the page leads to %q", name, payload, found)
				}
			}
		}
	}
	t.Logf("%d addresses in %d parameters: %d pages, none of which may lead off this "+
		"site", len(astray), len(carriers), pages)
}

// What the page and a refusal lead to, all of it.
var (
	refusalAddresses = []string{"/assets/icon.svg", "/assets/guestpass.css", "/privacy"}
	pageAddresses    = []string{"/assets/icon.svg", "/assets/guestpass.css", "/idp/assets/stytch-b2b.js",
		"/idp/assets/idp.js", "/account", "/privacy"}
)

// besidesTheWayBack leaves out the one address off this site to which a refusal may lead: the client's own, to the
// letter as it is registered, with an error and the state as it came.
func besidesTheWayBack(found []string) []string {
	return slices.DeleteFunc(found, func(address string) bool {
		answer, isCallback := strings.CutPrefix(address, callback+"?")
		query, err := url.ParseQuery(answer)
		return isCallback && err == nil && query.Get("error") != "" && len(query) <= 2 && len(query["state"]) <= 1
	})
}

// addresses returns those to which a browser goes by itself or by a click, and what would run.
func addresses(t *testing.T, body string) (found []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		for _, a := range node.Attr {
			switch {
			case slices.Contains([]string{"href", "src", "action", "formaction", "srcset", "ping", "style"}, a.Key),
				strings.HasPrefix(a.Key, "on"):
				found = append(found, a.Val)
			case a.Key == "http-equiv":
				found = append(found, "http-equiv "+a.Val)
			}
		}
	}
	return found
}

// carried returns the authorization request that the page's script is told.
func carried(t *testing.T, body string) url.Values {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		for _, a := range node.Attr {
			if a.Key == "data-request" {
				request, err := url.ParseQuery(a.Val)
				if err != nil {
					t.Fatal(err)
				}
				return request
			}
		}
	}
	return nil
}

// Whoever changes a registered return address in any way gets a page of ours without
// script: nothing of Stytch's is started, and nobody is sent anywhere.
func TestChangedReturnAddressesAreRefused(t *testing.T) {
	changed := []string{
		"https://chatgpt.com.evil.example/aip/g-dev/oauth/callback",
		"https://evil-chatgpt.com/aip/g-dev/oauth/callback", "https://evil.example/aip/g-dev/oauth/callback",
		"https://sub.chatgpt.com/aip/g-dev/oauth/callback", "https://chatgpt.co/aip/g-dev/oauth/callback",
		"https://chatgpt.com./aip/g-dev/oauth/callback",
		"https://chatgpt.com@evil.example/aip/g-dev/oauth/callback", "https://x@chatgpt.com/aip/g-dev/oauth/callback",
		"https://x:y@chatgpt.com/aip/g-dev/oauth/callback",
		"https://chatgpt.com:443/aip/g-dev/oauth/callback", "https://chatgpt.com:8443/aip/g-dev/oauth/callback",
		"https://chatgpt.com:/aip/g-dev/oauth/callback",
		"http://chatgpt.com/aip/g-dev/oauth/callback", "HTTPS://chatgpt.com/aip/g-dev/oauth/callback",
		"https://ChatGPT.com/aip/g-dev/oauth/callback",
		"https://chatgpt.com/AIP/g-dev/oauth/callback", "https:/chatgpt.com/aip/g-dev/oauth/callback",
		"https:chatgpt.com/aip/g-dev/oauth/callback",
		"//chatgpt.com/aip/g-dev/oauth/callback", "/aip/g-dev/oauth/callback", callback + "/", callback + "/x",
		callback + "x", callback[:len(callback)-1],
		callback + "?", callback + "?x=1", callback + "#", callback + "#x", callback + "%00", callback + "%20",
		callback + " ", " " + callback, callback + "\n", callback + "\x00",
		"https://chatgpt.com/aip/g-dev/oauth/../oauth/callback", "https://chatgpt.com/aip/g-dev/./oauth/callback",
		"https://chatgpt.com/aip/g-dev//oauth/callback",
		"https://chatgpt.com/aip/g-dev/oauth/%2e%2e/oauth/callback", "https://chatgpt.com/aip/g-dev/oauth%2fcallback",
		"https://chatgpt.com/aip/g-dev/oauth/c%61llback",
		"https://chatgpt.com/aip/g-dev/oauth/callback;x", `https://chatgpt.com\aip\g-dev\oauth\callback`,
		"https://chatgpt.com/aip/g-other/oauth/callback",
		"https://сhatgpt.com/aip/g-dev/oauth/callback", "https://chatgpt。com/aip/g-dev/oauth/callback",
		callback + "," + callback, callback + " " + callback, "javascript:" + callback,
		"http://localhost.evil.example/callback", "http://localhost@evil.example/callback",
		"https://localhost/callback", "http://127.0.0.1.evil.example/", "http://[::1].evil.example/",
	}
	if len(changed) < 30 {
		t.Fatalf("%d mutations", len(changed))
	}
	p := pageProvider(t)
	for _, redirect := range changed {
		w := get(p, chatGPT("redirect_uri", redirect))
		if w.Code != http.StatusBadRequest || len(w.Header()["Location"])+len(w.Header()["Set-Cookie"]) > 0 {
			t.Errorf("%q: %d %v", redirect, w.Code, w.Header())
		}
		if found := addresses(t, w.Body.String()); !slices.Equal(found, refusalAddresses) {
			t.Errorf("%q: the page leads to %q", redirect, found)
		}
	}
	t.Logf("%d changed return addresses, each to be refused on a page that leads nowhere", len(changed))
	if w := get(p, chatGPT("redirect_uri", callback)); w.Code != http.StatusOK { // the twin
		t.Errorf("the registered address: %d", w.Code)
	}
}

func TestEveryKnownParameterMayComeOnce(t *testing.T) {
	p := pageProvider(t)
	for _, name := range slices.Concat(parameters, others) {
		for _, second := range []string{"", "x", "https://evil.example"} {
			query := url.Values{name: {"x", second}}.Encode()
			if name != "resource" { // RFC 8707 repeats it
				query = chatGPT(name, "") + "&" + query
			}
			want := http.StatusBadRequest
			if name == "resource" {
				query, want = chatGPT()+"&"+query, http.StatusOK
			}
			if w := get(p, query); w.Code != want {
				t.Errorf("%s: %d, want %d", query, w.Code, want)
			}
		}
	}
	if w := get(p, chatGPT("state", "\xff")); w.Code != http.StatusBadRequest {
		t.Errorf("a state that is no text: %d", w.Code)
	}
}

// The state reaches Stytch, and through the cookie too, as the bytes that ChatGPT sent.
func TestStateIsKeptByteForByte(t *testing.T) {
	p := pageProvider(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		state := randomState(random)
		w := get(p, chatGPT("state", state)+"&passed=1&passed=2")
		if w.Code != http.StatusOK {
			t.Fatalf("state %q: %d", state, w.Code)
		}
		if got := carried(t, w.Body.String()); got.Get("state") != state || len(got["passed"]) != 2 {
			t.Fatalf("state %q became %q", state, got)
		}
		for _, cookie := range w.Result().Cookies() { // none when it would be too large
			if got := carried(t, get(p, "stytch_token_type=discovery&token=t", cookie).Body.String()).Get(
				"state"); got != state {
				t.Fatalf("state %q became %q on the way through an e-mail", state, got)
			}
		}
	}
}

// randomState is of printable ASCII (RFC 6749 appendix A.5), sometimes of any text, and at
// most as long as the page takes.
func randomState(random *rand.Rand) string {
	length := 1 + random.IntN(maxState)
	if random.IntN(4) == 0 {
		length = maxState
	}
	if random.IntN(4) > 0 {
		text := make([]byte, length)
		for i := range text {
			text[i] = byte(' ' + random.IntN('~'-' '+1))
		}
		return string(text)
	}
	var text []rune
	for range length / 4 {
		text = append(text, []rune("aé漢😀\u202e\x00\r\n\t&=+%#\"'<>")[random.IntN(18)])
	}
	return string(text)
}

// Whoever wrote the address chose client, state and prompt. The page asks in any case, and
// after an e-mail too.
func TestEveryRequestIsAskedFor(t *testing.T) {
	p := pageProvider(t)
	for _, prompt := range []string{"", "none", "login", "select_account", "none consent", "CONSENT", "consent\x00"} {
		w := get(p, chatGPT("prompt", prompt))
		if got := carried(t, w.Body.String())["prompt"]; !slices.Equal(got, []string{"consent"}) {
			t.Errorf("prompt %q: the page is told %q", prompt, got)
		}
		for _, cookie := range w.Result().Cookies() {
			if got := carried(t, get(p, "stytch_token_type=discovery&token=t",
				cookie).Body.String())["prompt"]; !slices.Equal(got, []string{"consent"}) {
				t.Errorf("prompt %q: after an e-mail the page is told %q", prompt, got)
			}
		}
	}
	// A cookie that an earlier version wrote.
	w := httptest.NewRecorder()
	p.keepRequest(w, url.Values{"client_id": {testClient}, "redirect_uri": {callback}, "prompt": {"none"}})
	if got := carried(t, get(p, "stytch_token_type=discovery&token=t", w.Result().Cookies()...).Body.String()).Get(
		"prompt"); got != "consent" {
		t.Errorf("from an earlier cookie: %q", got)
	}
}

// kinds are all of Stytch's link tokens that its browser client redeems, and some that nobody does.
var kinds = []string{"discovery", "multi_tenant_magic_links", "multi_tenant_passwords", "reset_password", "oauth",
	"discovery_oauth", "magic_links", "login",
	"sso", "multi_tenant_impersonation", "impersonation", "multi_tenant_oauth", "otp", "", "discovery ", "Discovery",
	"discovery\x00", "__proto__", "constructor"}

func TestOnlyLinksOfAKindThatTheSettingsOfferAreUsed(t *testing.T) {
	for _, tt := range []struct {
		vertical string
		methods  string
		invites  bool
		want     string // kind, or redirect type/kind
	}{
		{"b2b", "email_code", false, ""},
		{"b2b", "email_code", true, "invite/multi_tenant_magic_links"},
		{"b2b", "email_link", false, "/discovery login/discovery signup/discovery /multi_tenant_magic_links " +
			"login/multi_tenant_magic_links signup/multi_tenant_magic_links invite/multi_tenant_magic_links"},
		{"b2b", "password", false, "reset_password/discovery reset_password/multi_tenant_magic_links " +
			"*/multi_tenant_passwords"},
		{"b2b", "google", false, "*/oauth */discovery_oauth"},
		{"consumer", "email_code", true, ""},
		{"consumer", "email_link", true, "*/magic_links"},
		{"consumer", "password", true, "*/reset_password */magic_links */login"},
		{"consumer", "apple", true, "*/oauth"},
	} {
		p := pageProvider(t, func(o *Options) {
			o.Vertical, o.LoginMethods, o.Invites = tt.vertical, []string{tt.methods}, tt.invites
		})
		want := strings.Fields(tt.want)
		for _, kind := range kinds {
			for _, redirect := range []string{"", "login", "signup", "invite", "reset_password"} {
				query := url.Values{"stytch_token_type": {kind}, "stytch_redirect_type": {redirect},
					"token": {"t"}}.Encode()
				link := "refused"
				if slices.Contains(want, redirect+"/"+kind) || slices.Contains(want, "*/"+kind) {
					link = "offered"
				}
				if body := get(p, query).Body.String(); !strings.Contains(body, `data-link="`+link+`"`) {
					t.Errorf("%s with %s: a link of the kind %q, said to be for %q, must be %s", tt.vertical,
						tt.methods, kind, redirect, link)
				}
			}
		}
	}
}

// Stytch's links lead to the bare page. One beside a request or a log-out was put together by somebody else.
func TestALinkComesAlone(t *testing.T) {
	p := pageProvider(t, func(o *Options) { o.LoginMethods = []string{"email_link"} })
	const link = "&stytch_token_type=discovery&token=t"
	for _, query := range []string{chatGPT(), "return=account", "client_id=" + testClient +
		"&post_logout_redirect_uri=https://chatgpt.com"} {
		if w := get(p, query); w.Code != http.StatusOK {
			t.Fatalf("%s: %d", query, w.Code)
		}
		if w := get(p, query+link); w.Code != http.StatusBadRequest || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%s: %d %s", query+link, w.Code, w.Body)
		}
	}
}
