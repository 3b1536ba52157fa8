package stytchtest_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"guestpass/stytchtest"
)

// cutOff names what a reader would have to scroll sideways for, or could not see at all, or what sticks out of its
// card.
const cutOff = `[document.documentElement, ...document.querySelectorAll("main *")]
	.filter((e) => e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1 &&
		(e === document.documentElement || getComputedStyle(e).overflowX !== "visible"))
	.concat([...document.querySelectorAll(".app *")].filter((e) => e.checkVisibility() && e.clientWidth > 1 &&
		e.getBoundingClientRect().right > e.closest(".app").getBoundingClientRect().right))
	.map((e) => e.tagName + " " + (e.getAttribute("aria-labelledby") || e.className)).join(", ")`

const unfold = `document.querySelectorAll("details").forEach((e) => { e.open = true; })`

// TestThePageFitsEveryScreen with all that is long on it: scopes, and an address without a place to break it.
func TestThePageFitsEveryScreen(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by make quick: it needs a browser")
	}
	s := open(t, func(seed *stytchtest.Seed) {
		seed.Members[1].Email = "a.person.of.many.names.and.no.place.to.break.them@departments.acme.example"
	})
	tokens(t, s, exchange(authorize(t, s)))
	for range 9 {
		must[string](t)(s.Mint(stytchtest.MintRequest{Subject: grace, ClientID: gpt,
			Scopes: strings.Fields(strings.Repeat("a.scope.that.is.long:and-longer.yet ", 9))}))
	}
	status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/register", object{
		"client_name":   strings.Repeat("Client-without-a-place-to-break-it", 3),
		"redirect_uris": []string{"https://client.example/" + strings.Repeat("long", 40)}})
	if status != 201 {
		t.Fatal(status, reply)
	}
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
	for _, width := range []int64{320, 390, 640, 1024, 1200, 1920} {
		if err := chromedp.Do(tab, chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.URL),
			chromedp.Evaluate[chromedp.Void](unfold)); err != nil {
			t.Fatal(err)
		}
		if found := must[string](t)(chromedp.Run(tab, chromedp.Evaluate[string](cutOff))); found != "" {
			t.Errorf("%d pixels wide, cut off: %s", width, found)
		}
	}
}
