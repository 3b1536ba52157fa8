package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	targets "github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A hosted is a widget in the frame of a client: a page of ours that takes MCP Apps at its word, in a real browser,
// which calls the tools of a real server.
type hosted struct {
	*tab       // the client's page
	view  *tab // within it
	world *world
	url   string // of the client
}

// newWidgetHost serves the client's page, and its sandbox under another origin of the same port. As with Claude and
// ChatGPT it is not the page that calls the server, but what is behind it.
func newWidgetHost(t *testing.T, server string) (host, sandbox string) {
	t.Helper()
	to, err := url.Parse(server)
	must(t, err)
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("testdata/host")))
	own := &http.Transport{} // the default one is closed whenever another test closes a server
	t.Cleanup(own.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{Transport: own, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Header.Del("Origin")
		for name := range r.Out.Header {
			if strings.HasPrefix(name, "Sec-") {
				r.Out.Header.Del(name)
			}
		}
	}, ModifyResponse: func(r *http.Response) error { // the page reads what the server says, whatever the status
		r.StatusCode = http.StatusOK
		return nil
	}}
	mux.HandleFunc("/mcp/", func(w http.ResponseWriter, r *http.Request) {
		// Read it first: once an answer is written, Go reads the rest of a body itself, and a proxy that is not done
		// with it would break the connection.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL + "/", strings.Replace(s.URL, "127.0.0.1", "localhost", 1) + "/sandbox.html"
}

// show has a client show the answer of a tool, and waits until the view has a text. settings are those of host.open.
func (w *world) show(t *testing.T, token string, settings map[string]any, text string) *hosted {
	t.Helper()
	s := &hosted{tab: newTab(t, newBrowser(t)), world: w}
	s.look(720, "light")
	s.again(t, token, settings, text)
	return s
}

// again shows another one in the same tab.
func (s *hosted) again(t *testing.T, token string, settings map[string]any, text string) {
	t.Helper()
	host, sandbox := newWidgetHost(t, s.world.url)
	s.url = host
	given := map[string]any{"url": host + "mcp/", "token": token, "sandbox": sandbox}
	maps.Copy(given, settings)
	if settings["reads"] == true {
		given["url"] = host + "mcp/readonly"
	}
	encoded, err := json.Marshal(given)
	must(t, err)
	s.open(host, "")
	if _, err := chromedp.Run(s.ctx, chromedp.Evaluate[any]("host.open("+string(encoded)+")",
		chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
	s.view = s.attach(t)
	s.sees(text)
}

// attach returns the view's own frame: Chromium gives each frame of another origin a process, so each is a target.
func (s *hosted) attach(t *testing.T) *tab {
	t.Helper()
	s.waitFor("host.sent.length > 0")
	open, err := chromedp.Targets(s.ctx)
	must(t, err)
	id := string(chromedp.FromContext(s.ctx).Target.TargetID)
	for range open { // no frame is deeper
		for _, target := range open {
			if target.Type == "iframe" && string(target.ParentFrameID) == id {
				id = string(target.TargetID)
			}
		}
	}
	ctx, cancel := chromedp.NewContext(s.ctx, chromedp.WithTargetID(targets.ID(id)))
	t.Cleanup(cancel)
	return watched(t, ctx)
}

// in returns the value of an expression on a page.
func in[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// press clicks on an element of the view, with the mouse. While a frame changes its height, Chromium does not know for
// a moment where it is.
func (s *hosted) press(selector string) {
	s.t.Helper()
	type point struct{ X, Y float64 }
	const corner = `(({ x, y }) => ({ X: x, Y: y }))(document.querySelector("iframe").getBoundingClientRect())`
	middle := fmt.Sprintf(`(() => {
		const element = document.querySelector(%s), box = element.getBoundingClientRect();
		window.pressed = false;
		element.addEventListener("click", () => { window.pressed = true; }, { once: true, capture: true });
		return { X: box.x + box.width / 2, Y: box.y + box.height / 2 };
	})()`, quoted(selector))
	for range 20 {
		s.settle()
		frame, element := in[point](s.tab, corner), in[point](s.view, middle)
		must(s.t, chromedp.Do(s.ctx, chromedp.MouseClickXY(frame.X+element.X, frame.Y+element.Y)))
		if in[bool](s.view, `new Promise((resolve) => {
			let frames = 30;
			const look = () => window.pressed || !frames-- ? resolve(window.pressed) : setTimeout(look, 10);
			look();
		})`) {
			return
		}
	}
	s.t.Fatalf("%s cannot be pressed", selector)
}

// keys types where the focus is.
func (s *hosted) keys(text string) {
	s.t.Helper()
	must(s.t, chromedp.Do(s.ctx, chromedp.KeyEvent(text)))
}

// sees waits until the view has the text.
func (s *hosted) sees(text string) {
	s.t.Helper()
	s.view.waitFor(fmt.Sprintf("document.body.innerText.includes(%s)", quoted(text)))
}

// appsSchema is the schema of the messages, by those who wrote the specification.
var appsSchema = sync.OnceValues(func() (*jsonschema.Compiler, error) {
	file, err := os.Open(filepath.Join(acceptance,
		"node_modules/@modelcontextprotocol/ext-apps/dist/src/generated/schema.json"))
	if err != nil {
		return nil, fmt.Errorf("the packages of acceptance/ are missing, run make acceptance: %w", err)
	}
	defer file.Close()
	schema, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	return compiler, compiler.AddResource("apps.json", schema)
})

// messages are the views' own in the schema. A call of a tool is as MCP has it.
var messages = map[string]string{"ui/initialize": "McpUiInitializeRequest",
	"ui/notifications/initialized":  "McpUiInitializedNotification",
	"ui/notifications/size-changed": "McpUiSizeChangedNotification",
	"ui/open-link":                  "McpUiOpenLinkRequest",
	"ui/update-model-context":       "McpUiUpdateModelContextRequest"}

// behaves fails on everything that a view may not do: a message of another form or at another time, a request to the
// network, anything in the console.
func (s *hosted) behaves() {
	s.t.Helper()
	for _, fault := range in[[]string](s.tab, "host.faults") {
		s.t.Errorf("the view: %s", fault)
	}
	for _, message := range in[[]map[string]any](s.tab, "host.sent") {
		if err := checkMessage(message); err != nil {
			s.t.Errorf("%v: %v", message, err)
		}
	}
	loaded := in[[]string](s.view, `performance.getEntriesByType("resource").map((e) => e.name)`)
	if len(loaded) > 0 {
		s.t.Errorf("it has loaded %q", loaded)
	}
	s.view.check("the view")
	s.check("the host", s.url, strings.Replace(s.url, "127.0.0.1", "localhost", 1))
}

func checkMessage(message map[string]any) error {
	method, _ := message["method"].(string)
	_, isRequest := message["id"]
	plain := map[string]any{}
	for name, value := range message {
		if name != "jsonrpc" && name != "id" {
			plain[name] = value
		}
	}
	switch {
	case method == "": // an answer, which the host has matched
		if len(plain) != 1 || plain["result"] == nil && plain["error"] == nil {
			return errors.New("an answer has either result or error")
		}
		return nil
	case strings.Contains(method, "/notifications/") == isRequest:
		return errors.New("requests have an id, and notifications have none")
	case method == "tools/call":
		params, _ := plain["params"].(map[string]any)
		_, named := params["name"].(string)
		if _, given := params["arguments"].(map[string]any); !named || !given || len(params) != 2 {
			return errors.New("a call has name and arguments")
		}
		return nil
	case messages[method] == "":
		return errors.New("there is no such message")
	}
	compiler, err := appsSchema()
	if err != nil {
		return err
	}
	schema, err := compiler.Compile("apps.json#/$defs/" + messages[method])
	if err != nil {
		return err
	}
	return schema.Validate(plain)
}

// fits wants a view that is as wide as the frame and low enough, with room for a finger on everything to press, on the
// narrowest screens too.
func (s *hosted) fits() {
	s.t.Helper()
	for _, width := range []int64{320, 390, 720} {
		s.look(width, "light")
		s.view.waitFor(fmt.Sprintf("innerWidth <= %d", width))
		s.settle()
		wrong := in[string](s.view, `(() => {
			const root = document.documentElement, found = [], height = root.getBoundingClientRect().height;
			if (root.scrollWidth > innerWidth) found.push("it is " + root.scrollWidth + " wide of " + innerWidth);
			if (height > 500) found.push("it is " + height + " high");
			for (const e of document.querySelectorAll("body *")) {
				if (["auto", "scroll"].includes(getComputedStyle(e).overflowY)) found.push(e.id + " scrolls");
			}
			for (const e of document.querySelectorAll("button, input:not([type=checkbox]), .tick")) {
				const box = e.getBoundingClientRect();
				if (e.checkVisibility() && (box.height < 44 || box.width < 44)) found.push("small: " + e.outerHTML);
			}
			return found.join("\n");
		})()`)
		if wrong != "" {
			s.t.Errorf("on a screen of %d: %s", width, wrong)
		}
	}
	s.look(720, "light")
	s.settle()
}

// settle waits until the frame is as high as the view, which may change once more when it draws again.
func (s *hosted) settle() {
	s.t.Helper()
	var view, frame int
	for range 200 {
		view = in[int](s.view, `new Promise((resolve) => requestAnimationFrame(() =>
			resolve(Math.ceil(document.documentElement.getBoundingClientRect().height))))`)
		if frame = in[int](s.tab, "document.querySelector('iframe').clientHeight"); frame == view {
			return
		}
	}
	s.t.Fatalf("the view is %d pixels high, and its frame %d", view, frame)
}
