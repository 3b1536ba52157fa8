package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	targets "github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// tab is a page of a headless browser that remembers what went wrong on it.
type tab struct {
	ctx context.Context
	t   testing.TB

	mu     sync.Mutex // guards what follows
	faults []string
	hosts  map[string]bool
}

// withoutAddressBar leaves out the pages that Chromium makes its address bar of: two in every window, though nobody
// sees them, which cost more than the page itself. The first two names are chromedp's own.
var withoutAddressBar = chromedp.Flag("disable-features",
	"Translate,BlinkGenPropertyTrees,WebUIOmniboxPopup,WebUIOmniboxAimPopup")

// chrome is one browser for all tests. TestMain closes it.
var chrome = sync.OnceValues(func() (context.Context, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), withoutAddressBar,
		chromedp.Flag("accept-lang", "en")) // whatever the machine's language is
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	if *browserProgram != "" {
		options = append(options, chromedp.ExecPath(*browserProgram))
	}
	allocated, _ := chromedp.NewExecAllocator(context.Background(), options...)
	browser, _ := chromedp.NewContext(allocated)
	chromeStarted.Store(true)
	return browser, chromedp.Do(browser)
})

var chromeStarted atomic.Bool

// newBrowser returns a fresh profile of it, without a window yet; its tabs share cookies and storage, with no others'.
func newBrowser(t testing.TB) context.Context {
	t.Helper()
	return newBrowserFor(t, 2*time.Minute)
}

// newBrowserFor returns one for a test that takes longer.
func newBrowserFor(t testing.TB, most time.Duration) context.Context {
	t.Helper()
	needsBrowser(t)
	browser, err := chrome()
	if err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	process := chromedp.FromContext(browser).Browser
	profile, err := cdp.Call(browser, process, targets.CreateBrowserContext, targets.CreateBrowserContextParams{})
	if err != nil {
		t.Fatalf("open a profile: %v", err)
	}
	t.Cleanup(func() {
		_, _ = cdp.Call(browser, process, targets.DisposeBrowserContext,
			targets.DisposeBrowserContextParams(profile))
	})
	// Whatever hangs in a browser ends here, and fails what waits for it.
	bounded, end := context.WithTimeout(browser, most)
	t.Cleanup(end)
	tabs, closeTabs := chromedp.NewContext(bounded, chromedp.WithExistingBrowserContext(profile.BrowserContextID))
	t.Cleanup(closeTabs)
	return tabs
}

func newTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	return watched(t, ctx)
}

// watched returns the page, or the frame, of a context, and remembers what goes wrong on it from now on, and what its
// console has already.
func watched(t *testing.T, ctx context.Context) *tab {
	t.Helper()
	b := &tab{ctx: ctx, t: t, hosts: map[string]bool{}}
	must(t, chromedp.Do(ctx))
	must(t, chromedp.Listen(ctx, b.event))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	must(t, err)
	_, err = chromedp.Call(ctx, log.Enable, cdp.Empty{})
	must(t, err)
	_, err = chromedp.Call(ctx, runtime.Enable, cdp.Empty{})
	must(t, err)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *tab) event(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if strings.HasPrefix(e.Request.URL, "http") {
			b.hosts[host4(e.Request.URL)] = true
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "status of 400") {
			b.faults = append(b.faults, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, e.ExceptionDetails.Text)
	}
}

// open shows the address and waits until the page contains the text.
func (b *tab) open(address, text string) {
	b.t.Helper()
	must(b.t, chromedp.Do(b.ctx, chromedp.Navigate(address)))
	b.waitFor(fmt.Sprintf("document.body.innerText.includes(%s)", quoted(text)))
}

func quoted(text string) string { q, _ := json.Marshal(text); return string(q) }

// waitFor asks until the expression is true.
func (b *tab) waitFor(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		// Between two pages there is nothing to ask; the next round will tell.
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return
		}
		select {
		case <-ctx.Done():
			shown, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
			b.t.Fatalf("waited in vain for %s; the page shows:\n%s", expression, shown)
		case <-tick.C:
		}
	}
}

// check fails on console errors, violated policies, and requests to other hosts.
func (b *tab) check(name string, hosts ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, fault := range b.faults {
		b.t.Errorf("%s: %s", name, fault)
	}
	for host := range b.hosts {
		known := false
		for _, h := range hosts {
			known = known || host == host4(h)
		}
		if !known {
			b.t.Errorf("%s asked %s for something", name, host)
		}
	}
	b.faults, b.hosts = nil, map[string]bool{}
}

// look pretends to be a device.
func (b *tab) look(width int64, scheme string) {
	b.t.Helper()
	must(b.t, chromedp.Do(b.ctx, chromedp.EmulateViewport(width, 900)))
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	must(b.t, err)
}

func (b *tab) picture(name string) {
	b.t.Helper()
	if *screenshots == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	must(b.t, err)
	keepPicture(b.t, name, png)
}

func TestInABrowserPagesAreForEveryDevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := newTab(t, newBrowser(t))
	authorize, _, err := w.gpt().AuthorizeURL("http://localhost:8090/callback")
	must(t, err)
	for _, mail := range []string{"ada@acme.example", "grace@acme.example"} {
		w.call("POST", "/api/v1/members/invitations", w.token(ada, "members:invite"),
			`{"email":"new-`+mail+`","name":"New Person"}`)
	}
	for _, page := range []struct{ name, address, text string }{
		{"nothing-to-do", w.url + "/idp", "opens by itself"}, // before any request is kept
		{"landing", w.url + "/", "Make a GPT with it"},
		{"docs", w.url + "/docs", "Invite a person to the organization"},
		{"privacy", w.url + "/privacy", "Permissions you may be asked for"},
		{"idp", authorize, "Continue with email"},
		{"unknown-client", w.url +
			"/idp?client_id=connected-app-test-99999999-0000-4000-8000-000000000001&" +
			"redirect_uri=https%3A%2F%2Fchatgpt.com%2Faip%2Fg-dev%2Foauth%2Fcallback", "Unknown application"},
		{"emulator", w.stytch.URL + "/", "Connected apps"},
	} {
		for _, device := range []struct {
			name, scheme string
			width        int64
		}{{"desktop", "light", 1200}, {"phone", "light", 390}, {"phone-dark", "dark", 390}} {
			name := page.name + "-" + device.name
			b.look(device.width, device.scheme)
			b.open(page.address, page.text)
			b.picture(name)
			b.check(name, w.url, w.stytch.URL)
			if wide, err := chromedp.Run(b.ctx,
				chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); err != nil || wide > device.width {
				t.Errorf("%s is %d pixels wide on a screen of %d (%v)", name, wide, device.width, err)
			}
			if headings, err := chromedp.Run(b.ctx,
				chromedp.Evaluate[int64]("document.querySelectorAll('main h1').length")); err != nil || headings < 1 {
				t.Errorf("%s has no heading (%v)", name, err)
			}
		}
	}
}

func TestInABrowserTheOperationsCanBeUnfolded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := newTab(t, newBrowser(t))
	b.open(w.url+"/docs#listMembers", "letter case ignored")
	b.picture("docs-unfolded")
	b.check("docs", w.url)
}

func TestInABrowserAnInvitedPersonArrives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.call("POST", "/api/v1/members/invitations", w.token(ada, "members:invite"),
		`{"email":"new@acme.example","name":"New Person"}`)
	if r.status != 201 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	b := newTab(t, newBrowser(t))
	link := w.stytch.Inbox()[0].Link
	b.open(link, "Signed in as new@acme.example at Acme.")
	b.picture("invited")
	again := newTab(t, newBrowser(t))
	again.open(link, "This link cannot be used any more")
}
