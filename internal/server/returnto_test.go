package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
)

// hostileReturns are addresses that somebody could have a login page return people to; OWN is the origin of Guestpass,
// HOST its host.
var hostileReturns = []string{
	"",
	"OWN",
	"OWN/",
	"OWN/idp",
	"OWN/idp/",
	"OWN/idp/?client_id=x",
	"OWN/idp/../account?x=1",
	"OWN/idp/assets/idp.js?x=1",
	"OWN/account/revoke?x=1",
	"OWN/account?x=1",
	"OWN/%69dp?x=1",
	"OWN//idp?x=1",
	"OWN/IDP?x=1",
	"OWN/idp;x?x=1",
	"OWN/idp#?client_id=x",
	"OWN/idp?client_id=x#trusted_auth_token=a.b.c",
	"OWN/idp?x=1\r\nSet-Cookie: stytch_session=x",
	"OWN/idp?x=1\n",
	"OWN/idp?x=1\t",
	" OWN/idp?x=1",
	"\tOWN/idp?x=1",
	"OWN/idp?x=\x00",
	"OWN/idp?x=<script>alert(1)</script>",
	"OWN/idp?x=\"><script>alert(1)</script>",
	"OWN/idp?x='onload='alert(1)",
	"OWN/idp?x=grün",
	"OWN/idp?next=https://evil.example",
	"OWN/idp?x=1&y=//evil.example",
	"OWN\\idp?x=1",
	"OWN.evil.example/idp?x=1",
	"OWN@evil.example/idp?x=1",
	"OWN:80@evil.example/idp?x=1",
	"OWN%2eevil.example/idp?x=1",
	"OWN\\@evil.example/idp?x=1",
	"http://evil.example/idp?x=1",
	"https://evil.example/idp?x=1",
	"https://evil.example/?OWN/idp?x=1",
	"https://evil.example/#OWN/idp?x=1",
	"https://evil.example\\@HOST/idp?x=1",
	"https://HOST/idp?x=1",
	"//evil.example/idp?x=1",
	"//HOST/idp?x=1",
	"///evil.example",
	"/\\evil.example",
	"\\\\evil.example\\idp?x=1",
	"/idp?x=1",
	"idp?x=1",
	"?x=1",
	"http:/HOST/idp?x=1",
	"http:HOST/idp?x=1",
	"hTTp://HOST/idp?x=1",
	"http://user:password@HOST/idp?x=1",
	"http://evil.example:80#@HOST/idp?x=1",
	"http://evil.example?@HOST/idp?x=1",
	"http://HOST:1/idp?x=1",
	"http://localhost/idp?x=1",
	"http://[::1]/idp?x=1",
	"javascript:alert(document.domain)//OWN/idp?x=1",
	"java\nscript:alert(1)",
	"data:text/html,<script>alert(1)</script>",
	"blob:OWN/idp?x=1",
	"view-source:OWN/idp?x=1",
	"intent://HOST/idp?x=1#Intent;scheme=https;end",
	"file:///idp?x=1",
	"OWN/idp?x=1 OWN/idp?x=1",
	"OWN/idp?x=1,https://evil.example",
}

// No login page that checks as docs/existing-login.md has it returns anybody there, and /idp neither goes there by
// itself nor has its own address to return to changed.
func TestHostileReturnAddresses(t *testing.T) {
	t.Parallel()
	app := newLoginApp(t)
	app.signedIn = func(w http.ResponseWriter, r *http.Request, returnTo string) { returnsWith(w, r, returnTo) }
	w := newWorld(t, app.forGuestpass)
	request, _, err := w.gpt().AuthorizeURL("http://localhost:8090/callback")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(hostileReturns); n < 40 {
		t.Fatalf("%d addresses", n)
	}
	for _, text := range hostileReturns {
		address := strings.NewReplacer("OWN", w.url, "HOST", host4(w.url)).Replace(text)
		t.Run(text, func(t *testing.T) {
			asked := httptest.NewRequest(http.MethodGet, "/login?return_to="+url.QueryEscape(address), nil)
			for name, reply := range map[string]*httptest.ResponseRecorder{"page": ask(app, asked),
				"form": ask(app, filled("/login", url.Values{"return_to": {address}}))} {
				if reply.Code != http.StatusBadRequest || len(reply.Header()["Location"]) > 0 ||
					strings.Contains(reply.Body.String(), "evil.example") {
					t.Errorf("%s: %d %v %s", name, reply.Code, reply.Header(), reply.Body)
				}
			}
			page := w.call("GET", strings.TrimPrefix(request, w.url)+"&return_to="+url.QueryEscape(address), "", "")
			staysHere(t, page)
			if page.status == http.StatusOK && (!strings.Contains(page.body, `data-return-url="`+w.url+`/idp"`) ||
				!strings.Contains(page.body, `data-login-url="`+app.url+`/login"`)) {
				t.Errorf("the page is told: %s", page.body)
			}
			if back, err := url.Parse(address); err == nil && back.Scheme+"://"+back.Host == w.url {
				staysHere(t, w.call("GET", back.RequestURI(), "", ""))
			}
		})
	}
}

// staysHere wants an answer that leads nowhere.
func staysHere(t *testing.T, r reply) {
	t.Helper()
	if r.status >= 300 && r.status < 400 || len(r.header["Location"])+len(r.header["Refresh"]) > 0 ||
		strings.Contains(r.body, `http-equiv="refresh"`) {
		t.Errorf("%d %v", r.status, r.header)
	}
}

func ask(app *loginApp, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	app.routes.ServeHTTP(w, r)
	return w
}

func filled(path string, fields url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(fields.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// What we have people return to is what the documented check admits, whatever a client put into its request.
func TestOurReturnAddressesAreAdmitted(t *testing.T) {
	const own = "https://gpt.example.com"
	document, err := os.ReadFile("../../docs/existing-login.md")
	if err != nil || !strings.Contains(string(document), "\n"+returnPattern(own)+"\n") {
		t.Errorf("the document has another pattern than %s: %v", returnPattern(own), err)
	}
	admits := returnsTo(own)
	back := url.Values{"client_id": {"connected-app-test-1"},
		"redirect_uri": {"https://chatgpt.com/aip/g-1/oauth/callback"}, "scope": {"openid tasks:read"},
		"state":    {"~!@#$%^&*()_+ grün <>\"'\\\r\n|{}[]`\x00😀"},
		"resource": {"https://a.example/mcp", "b"}, "login_state": {"f47ac10b-58cc-4372-a567-0e02b2c3d479"}}
	// The script writes as WHATWG's URLSearchParams does: this differs from Encode in ~ and * alone.
	written := strings.NewReplacer("~", "%7E", "%2A", "*").Replace(back.Encode())
	for _, query := range []string{written, "return=account&login_state=f47ac10b"} {
		if address := own + "/idp?" + query; !admits(address) {
			t.Errorf("%q is not admitted", address)
		}
	}
}

// A form with a token is taken only where one was arranged for, and shows no more than the page.
func TestFormsWithTokens(t *testing.T) {
	t.Parallel()
	app := newLoginApp(t)
	const form = "trusted_auth_token=eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiIxIn0.c2ln"
	post := func(w *world, body string) reply {
		return w.call("POST", "/idp?return=account", "", body, func(r *http.Request) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for name, value := range map[string]string{"Origin": app.url, "Sec-Fetch-Site": "cross-site",
				"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"} {
				r.Header.Set(name, value)
			}
		})
	}
	if r := post(newWorld(t, app.forGuestpass), form); r.status != 403 {
		t.Errorf("without a profile: %d %s", r.status, r.body)
	}
	w := newWorld(t, app.tokensForGuestpass)
	r := post(w, form)
	if r.status != 200 || !strings.Contains(r.body, `data-token="eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiIxIn0.c2ln"`) ||
		r.header.Get("Cache-Control") != "no-store" || !strings.Contains(r.header.Get("Content-Security-Policy"),
		"form-action 'none'") {
		t.Errorf("%d %v %s", r.status, r.header, r.body)
	}
	for name, body := range map[string]string{"two": form + "&" + form, "no JWT": "trusted_auth_token=token",
		"markup": "trusted_auth_token=%22%3E%3Cscript%3E.a.b", "too long": form + strings.Repeat("c", 9<<10),
		"unreadable": "trusted_auth_token=%zz"} {
		r := post(w, body)
		if r.status != 400 || strings.Contains(r.body, "<script") || strings.Contains(r.body, "token=") {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r := post(w, ""); r.status != 200 || !strings.Contains(r.body, `data-token=""`) {
		t.Errorf("empty: %d", r.status)
	}
	if r := w.call("GET", "/idp?return=account&token=eyJ.a.b", "", ""); r.status != 400 ||
		!strings.Contains(r.body, "This sign-in is not safe to use") || strings.Contains(r.body, "eyJ") {
		t.Errorf("in the address: %d %s", r.status, r.body)
	}
	if err := w.neverLogged("eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiIxIn0.c2ln"); err != nil {
		t.Error(err)
	}
}
