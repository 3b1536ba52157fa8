package stytchtest_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"guestpass/stytchtest"
)

// cutOff names what a reader would have to scroll sideways for, or could not see at all.
const cutOff = `[document.documentElement, ...document.querySelectorAll("main *")]
	.filter((e) => e.scrollWidth > e.clientWidth + 1 &&
		(e === document.documentElement || getComputedStyle(e).overflowX !== "visible"))
	.map((e) => e.tagName + " " + (e.getAttribute("aria-labelledby") || e.className)).join(", ")`

// TestThePageFitsEveryScreen with all that is long on it: scopes, and an address without a place to break it.
func TestThePageFitsEveryScreen(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by make quick: it needs a browser")
	}
	s := open(t, func(seed *stytchtest.Seed) {
		seed.Members[1].Email = "a.person.of.many.names.and.no.place.to.break.them@departments.acme.example"
	})
	authorize(t, s)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.Flag("disable-component-update", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses root
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	allocated, release := chromedp.NewExecAllocator(ctx, options...)
	defer release()
	tab, closeTab := chromedp.NewContext(allocated)
	defer closeTab()
	for _, width := range []int64{390, 640, 1024, 1200, 1920} {
		if err := chromedp.Do(tab, chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.URL)); err != nil {
			t.Fatal(err)
		}
		if found := must[string](t)(chromedp.Run(tab, chromedp.Evaluate[string](cutOff))); found != "" {
			t.Errorf("%d pixels wide, cut off: %s", width, found)
		}
	}
}
