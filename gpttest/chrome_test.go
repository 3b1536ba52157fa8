package gpttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// signInPage asks for what Stytch's components ask for, with the same kinds of
// elements and the same words, but does not talk to anybody.
const signInPage = `<!doctype html><html><head><meta charset="utf-8"><title>Sign in</title>
<script src="/page.js" defer></script></head>
<body><header><a href="/">Guestpass</a></header><main>
<div id="login"><form><input type="email"><button>Continue with email</button></form></div>
<div id="consent"></div></main></body></html>`

const signInScript = `
const query = new URLSearchParams(location.search), login = document.getElementById("login");
const consent = document.getElementById("consent");
const button = (parent, text, press) => {
  const b = document.createElement("button");
  b.textContent = text;
  b.onclick = press;
  parent.append(b);
};
let email = "";
login.querySelector("form").onsubmit = (event) => {
  event.preventDefault();
  email = login.querySelector("input").value;
  login.replaceChildren();
  button(login, "Email me a login link", () => {});
  button(login, "Email me a login code", askCode);
};
function askCode() {
  login.innerHTML = '<div style="position:relative">' +
    '<input autocomplete="one-time-code" maxlength="6" style="opacity:0"></div>';
  login.querySelector("input").oninput = (event) => { if (event.target.value === "123456") choose(); };
}
function choose() {
  login.innerHTML = "<h1>Select an organization to continue</h1>";
  for (const name of ["Acme", "Globex"]) button(login, name, () => decide(name));
  button(login, "Create an organization", () => {});
}
function decide(name) {
  login.replaceChildren();
  button(consent, "Deny", () => leave({ error: "access_denied", state: query.get("state") }));
  button(consent, "Allow", () => leave({ code: email + " at " + name, state: query.get("state") }));
}
const leave = (answer) => { location.href = query.get("redirect_uri") + "?" + new URLSearchParams(answer); };
`

// authorizationPages serves one kind of authorization page at each path.
func authorizationPages(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	html := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, text)
		}
	}
	mux.HandleFunc("/authorize", html(signInPage))
	mux.HandleFunc("/alert",
		html(`<p role="alert" hidden>not this</p><div role="alert"><b>Unknown</b> application</div>`))
	mux.HandleFunc("/heading", html(`<div role="alert"><h1>Unknown <i>application</i></h1>
<p>None is known
here.</p></div>`))
	mux.HandleFunc("/question", html(`<div role="alert"><h2>Who are you?</h2><p>Nobody knows.</p></div>`))
	mux.HandleFunc("/heading-alone", html(`<div role="alert"><h1>Gone</h1></div>`))
	mux.HandleFunc("/broken-page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `<p>Guestpass</p><h1>Not found</h1><p>There is no such page.</p>`)
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no such thing here", http.StatusBadRequest)
	})
	mux.HandleFunc("/page.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, signInScript)
	})
	mux.HandleFunc("/favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/violating", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'")
		html(signInPage+`<img src="http://elsewhere.invalid/x.png"><script>alert(1)</script>`)(w, r)
	})
	mux.HandleFunc("/at-once", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.FormValue("redirect_uri")+"?code=quick&state="+r.FormValue("state"), http.StatusFound)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// browser returns the path of a browser. Without one it checks what the person would
// read, and ends the test there.
func browser(t *testing.T) (path string, found bool) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it needs a browser")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	_, err := (&Chrome{}).Visit(t.Context(), "http://localhost/", "http://localhost:8090/callback")
	if err == nil || !strings.Contains(err.Error(), "start the browser") {
		t.Errorf("without a browser: %v", err)
	}
	return "", false
}

const chatGPTCallback = "https://chatgpt.com/aip/g-dev/oauth/callback"

func TestChromeSignsInAndDecides(t *testing.T) {
	path, found := browser(t)
	if !found {
		return
	}
	server := authorizationPages(t)
	host := strings.TrimPrefix(server.URL, "http://")
	for _, tt := range []struct {
		name, page, redirectURI string
		deny                    bool
		want                    url.Values
		steps                   []string
	}{
		{"allow, to a host that is not reachable", "/authorize", chatGPTCallback, false,
			url.Values{"code": {"ada@acme.example at Globex"}, "state": {"s"}}, []string{"login", "method", "code",
				"organization", "consent"}},
		{"deny, to a port where nobody listens", "/authorize", "http://localhost:8090/callback", true,
			url.Values{"error": {"access_denied"}, "state": {"s"}}, []string{"login", "method", "code", "organization",
				"consent"}},
		{"a redirect without a page", "/at-once", chatGPTCallback, false, url.Values{"code": {"quick"}, "state": {"s"}},
			nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var steps []string
			var picture []byte
			c := &Chrome{
				Path: path, Email: "ada@acme.example", Organization: "Globex", Deny: tt.deny,
				Code: func(_ context.Context, email string) (string, error) { return "123456", nil },
				OnStep: func(step string, png func() ([]byte, error)) {
					steps = append(steps, step)
					var err error
					if picture, err = png(); err != nil {
						t.Error(err)
					}
				},
			}
			query := url.Values{"redirect_uri": {tt.redirectURI}, "state": {"s"}}
			callback, err := c.Visit(t.Context(), server.URL+tt.page+"?"+query.Encode(), tt.redirectURI)
			if err != nil {
				t.Fatal(err)
			}
			if !isCallback(callback, tt.redirectURI) || callback.Query().Encode() != tt.want.Encode() {
				t.Errorf("callback %s", callback)
			}
			if !slices.Equal(steps, tt.steps) {
				t.Errorf("steps %q", steps)
			}
			if len(steps) > 0 && !bytes.HasPrefix(picture, []byte("\x89PNG")) {
				t.Error("no picture")
			}
			r := c.Report()
			if !slices.Equal(r.Hosts, []string{host}) || len(r.Violations)+len(r.ConsoleErrors) > 0 {
				t.Errorf("report %+v", r)
			}
		})
	}
}

func TestChromeReportsViolations(t *testing.T) {
	path, found := browser(t)
	if !found {
		return
	}
	server := authorizationPages(t)
	c := &Chrome{Path: path, Email: "a@b.example", Code: func(context.Context, string) (string,
		error) {
		return "123456", nil
	}}
	query := url.Values{"redirect_uri": {chatGPTCallback}, "state": {"s"}}
	callback, err := c.Visit(t.Context(), server.URL+"/violating?"+query.Encode(), chatGPTCallback)
	if err != nil || callback.Query().Get("code") != "a@b.example at Acme" {
		t.Fatalf("callback %s, %v", callback, err)
	}
	all := strings.Join(c.Report().Violations, "\n")
	for _, want := range []string{"img-src", "script-src"} {
		if !strings.Contains(all, want) {
			t.Errorf("no violation of %s in:\n%s", want, all)
		}
	}
}

func TestChromeSaysWhatWentWrong(t *testing.T) {
	path, found := browser(t)
	if !found {
		return
	}
	server := authorizationPages(t)
	errCode := errors.New("no mail came")
	for _, tt := range []struct{ name, page, want string }{
		{"an alert", server.URL + "/alert", "the page says: Unknown application"},
		{"an alert with a heading", server.URL + "/heading", "the page says: Unknown application: None is known here."},
		{"a heading that has a mark", server.URL + "/question", "the page says: Who are you? Nobody knows."},
		{"a heading alone", server.URL + "/heading-alone", "the page says: Gone"},
		{"an error page with a heading", server.URL + "/broken-page",
			"the page answered 404; it says: Guestpass Not found: There is no such page."},
		{"an error status", server.URL + "/broken", "the page answered 400; it says: no such thing here"},
		{"no server", "http://localhost:1/", "the page did not load: net::ERR_"},
		{"a failing code", server.URL + "/authorize", "step code: no mail came"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &Chrome{Path: path, Email: "a@b.example", Code: func(context.Context, string) (string,
				error) {
				return "", errCode
			}}
			_, err := c.Visit(t.Context(), tt.page, chatGPTCallback)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.HasSuffix(err.Error(), ":") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestChromeHonoursItsContextAndLeavesNothing(t *testing.T) {
	path, found := browser(t)
	if !found {
		return
	}
	t.Setenv("TMPDIR", t.TempDir())
	server := authorizationPages(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := &Chrome{Path: path, Email: "a@b.example", OnStep: func(string, func() ([]byte, error)) { cancel() }}
	if _, err := c.Visit(ctx, server.URL+"/authorize", chatGPTCallback); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		if strings.HasPrefix(entry.Name(), "chromedp") {
			t.Errorf("the profile %s is still there", entry.Name())
		}
	}
}

func TestWithoutABrowserThereIsNothingToWaitFor(t *testing.T) {
	c := &Chrome{Path: t.TempDir() + "/no-browser"}
	if _, err := c.Visit(t.Context(), "http://localhost:1/", "http://localhost:8090/callback"); err == nil ||
		!strings.Contains(err.Error(), "install Chromium") {
		t.Errorf("%v", err)
	}
}
