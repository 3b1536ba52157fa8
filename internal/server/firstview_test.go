package server_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"guestpass/stytchtest"
)

// maxFirstView is what a page may weigh with all that it loads at first, but for Stytch's component.
const maxFirstView = 60_000 // bytes, as they are transferred

// firstViews are the states whose weight is looked at: one of each page.
var firstViews = []string{"landing", "operations", "privacy", "mistyped address", "unknown client", "sign in",
	"consent", "account", "account of nobody"}

// A scale weighs what a page loads.
type scale struct {
	mu    sync.Mutex // guards what follows
	paths map[network.RequestID]string
	bytes map[string]int64
}

func (s *scale) event(event any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		s.paths[e.RequestID] = e.Request.URL
	case *network.EventLoadingFinished:
		s.bytes[s.paths[e.RequestID]] += int64(e.EncodedDataLength)
	}
}

// weigh loads the page anew and returns its weight, and what of it is Stytch's component.
func (p *person) weigh() (own, component int64, err error) {
	s := &scale{paths: map[network.RequestID]string{}, bytes: map[string]int64{}}
	yes := network.SetCacheDisabledParams{CacheDisabled: true}
	if _, err := chromedp.Call(p.tab, network.SetCacheDisabled, yes); err != nil {
		return 0, 0, err
	}
	if err := errors.Join(chromedp.Listen(p.tab, s.event), reload(p), p.until("document.readyState === 'complete' && "+
		"!!document.querySelector('h1')")); err != nil {
		return 0, 0, err
	}
	err = eventually(func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if own, component = 0, 0; len(s.bytes) < 2 {
			return fmt.Errorf("only this was loaded: %v", s.bytes)
		}
		for address, bytes := range s.bytes {
			switch {
			case strings.Contains(address, "/idp/assets/stytch-"):
				component += bytes
			case strings.HasPrefix(address, p.w.url):
				own += bytes
			}
		}
		return nil
	})
	return own, component, err
}

// TestInABrowserFirstViewsAreSmall, with all that a page loads from here when nothing of it is kept.
func TestInABrowserFirstViewsAreSmall(t *testing.T) {
	t.Parallel()
	g := &gallery{t: t, seed: stytchtest.Development, vertical: "b2b", browser: newBrowser(t),
		worlds: map[string]*world{}}
	g.worlds[""] = g.newPlace("")
	for _, s := range named(t, firstViews) {
		g.visits(s, func(p *person) {
			own, component, err := p.weigh()
			must(p.w.t, err)
			p.w.t.Logf("%d bytes, and %d of Stytch's component", own, component)
			if own > maxFirstView {
				p.w.t.Errorf("%d bytes, more than %d", own, maxFirstView)
			}
		})
	}
}

// named are states by their names.
func named(t *testing.T, names []string) (some []state) {
	t.Helper()
	for _, name := range names {
		before := len(some)
		for _, s := range states() {
			if s.name == name {
				some = append(some, s)
			}
		}
		if len(some) == before {
			t.Errorf("there is no state %q", name)
		}
	}
	return some
}

// TestInABrowserPagesNeedNoScript but for those on which people sign in, which say so.
func TestInABrowserPagesNeedNoScript(t *testing.T) {
	t.Parallel()
	g := &gallery{t: t, seed: stytchtest.Development, vertical: "b2b", browser: newBrowser(t),
		worlds: map[string]*world{}}
	g.worlds[""] = g.newPlace("")
	for _, s := range named(t, []string{"landing", "operations", "privacy", "mistyped address", "unknown client",
		"account", "changes", "account of nobody", "revoked"}) {
		steps := s.steps
		s.steps = func(w *world) []step { return append([]step{withoutScripts}, steps(w)...) }
		g.visits(s, func(p *person) {
			must(p.w.t, p.show(screen{width: 1280, scheme: "light"}))
			found, err := p.asks("layout")
			if err != nil || len(found) > 0 {
				p.w.t.Errorf("%v %v", found, err)
			}
		})
	}
	g.visits(state{name: "sign in", steps: func(w *world) []step {
		return []step{withoutScripts, open(w.authorizeURL()), says("signin.needs_script")}
	}}, func(*person) {})
}

// withoutScripts has pages run none; what the test asks of them runs all the same.
func withoutScripts(p *person) error {
	_, err := chromedp.Call(p.tab, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true})
	return err
}

// TestInABrowserPrivacyCanBePrinted: what is on paper says where its links lead, and nothing of it is to be pressed.
func TestInABrowserPrivacyCanBePrinted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.newPerson()
	must(t, p.do(newTabAt(w.url+"/privacy"), says("privacy.ends_itself")))
	for _, scheme := range []string{"light", "dark"} {
		must(t, p.show(screen{width: 794, scheme: scheme, paper: true})) // A4
		must(t, p.do(is(`(() => {
			const gone = [...document.querySelectorAll("nav, button, footer")].every((e) => !e.checkVisibility());
			const told = [...document.querySelectorAll("main a[href^='/'], main a[href^='http']")].every(
				(e) => getComputedStyle(e, "::after").content.includes(e.getAttribute("href")));
			const whole = [...document.querySelectorAll("tr")].every(
				(e) => getComputedStyle(e).breakInside === "avoid");
			const ink = getComputedStyle(document.body);
			return gone && told && whole && document.links.length > 2 &&
				ink.color === "rgb(0, 0, 0)" && ink.backgroundColor === "rgb(255, 255, 255)";
		})()`)))
	}
}
