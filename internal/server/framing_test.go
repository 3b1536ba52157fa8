package server_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"guestpass/stytchtest"
)

// A framing is a page of another origin with each page of ours in a frame, behind one that
// may be framed, which shows that frames are seen.
type framing struct {
	url    string
	framed []string
}

func newFraming(w *world) *framing {
	f := &framing{}
	s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path != "/" {
			return
		}
		for _, address := range f.framed {
			fmt.Fprintf(out, "<iframe src=%q></iframe>\n", html.EscapeString(address))
		}
	}))
	w.t.Cleanup(s.Close)
	f.url = s.URL + "/"
	f.framed = append(f.framed, s.URL+"/may-be-framed")
	for _, page := range w.htmlPages() {
		f.framed = append(f.framed, w.url+page.path)
	}
	return f
}

// check wants all frames but the first to show the browser's own words.
func (f *framing) check(t *testing.T, shown []string) {
	t.Helper()
	if len(shown) != len(f.framed) || shown[0] != f.framed[0] {
		t.Fatalf("%d frames for %d pages: %q", len(shown), len(f.framed), shown)
	}
	for i, address := range shown[1:] {
		if strings.HasPrefix(address, "http") {
			t.Errorf("%s is shown in a frame of another origin: %s", f.framed[i+1], address)
		}
	}
}

func TestInABrowserNoPageIsFramed(t *testing.T) {
	t.Parallel()
	seed := stytchtest.Development()
	w := newWorldOf(t, stytchtest.Options{Seed: &seed})
	framing := newFraming(w)
	tab, closeTab := chromedp.NewContext(newBrowser(t))
	defer closeTab()
	if err := chromedp.Do(tab, chromedp.Navigate(framing.url)); err != nil {
		t.Fatal(err)
	}
	tree, err := chromedp.Call(tab, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, child := range tree.FrameTree.ChildFrames {
		shown = append(shown, child.Frame.URL)
	}
	framing.check(t, shown)
}
