package server_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"

	"guestpass/stytchtest"
)

func TestInABrowserTheEmulatorsPageStaysUpToDateAndInPlace(t *testing.T) {
	t.Parallel()
	stytch := stytchtest.NewServer(t, stytchtest.Options{})
	get := func(path string) {
		t.Helper()
		response, err := http.Get(stytch.URL + path)
		must(t, err)
		must(t, response.Body.Close())
	}
	b := newTab(t, newBrowser(t))
	do := func(script string) {
		t.Helper()
		_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](script+"; true"))
		must(t, err)
	}
	get("/.well-known/openid-configuration")
	b.open(stytch.URL, "openid-configuration")
	do("document.querySelector('#requests details').open = true; window.stayed = true")
	get("/.well-known/jwks.json")
	b.waitFor("document.querySelectorAll('#requests details').length === 2")
	b.waitFor("document.querySelectorAll('#requests details')[1].open && !document.querySelectorAll('#requests " +
		"details')[0].open")
	for range 20 {
		get("/v1/nothing")
	}
	// not folded away from under a reader
	b.waitFor("[...document.querySelectorAll('#old-requests details')].some(d => d.open && d.checkVisibility())")

	do(`document.querySelector('button[value="24h"]').click()`)
	b.waitFor("document.querySelector('#notice').innerText === 'The clock went on by 1 d.'")
	b.waitFor(fmt.Sprintf("document.querySelector('#controls').innerText.includes(%s)", quoted("1 d ahead")))
	do("document.querySelector('#pause').click()")
	b.waitFor("document.querySelector('#state').innerText === 'Paused'")
	b.waitFor("window.stayed && document.querySelectorAll('details[open]').length === 2") // never loaded anew
	b.picture("emulator-in-use")
	b.check("emulator", stytch.URL)
}
