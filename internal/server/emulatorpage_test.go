package server_test

import (
	"fmt"
	"net/http"
	"strings"
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

// TestInABrowserTokensAreRevokedInPlace by keyboard alone: one stays where one was, hears what was done, and sees it.
func TestInABrowserTokensAreRevokedInPlace(t *testing.T) {
	t.Parallel()
	stytch := stytchtest.NewServer(t, stytchtest.Options{})
	for range 9 { // more than are unfolded
		_, err := stytch.Mint(stytchtest.MintRequest{Subject: ada, Scopes: []string{"openid", "tasks:read"}})
		must(t, err)
	}
	b := newTab(t, newBrowser(t))
	b.look(390, "dark")
	b.open(stytch.URL, "Those that end sooner (4)")
	press := func(button, key string) {
		t.Helper()
		focus := "document.querySelector(" + quoted(button) + ").focus(); true"
		_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](focus))
		must(t, err)
		must(t, chromedp.Do(b.ctx, chromedp.KeyEvent(key)))
	}
	const seen = `((e) => { const box = e.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; })`
	press(`[formaction$="/revoke-token"]`, "\r")
	b.waitFor("document.querySelector('#notice').innerText.startsWith('The token has ended.')")
	b.waitFor("scrollY > 500 && " + seen + "(document.querySelector('#notice'))")
	b.waitFor("document.body.innerText.includes('Those that end sooner (3)')")
	b.waitFor("document.activeElement.closest('.app')?.querySelector('h3').innerText === 'ChatGPT'")
	press(`[formaction$="/revoke-tokens"]`, " ")
	b.waitFor("document.querySelector('#notice').innerText.startsWith('All tokens of the client have ended.')")
	b.waitFor("!document.querySelector('tr[id^=good-]') && !!document.activeElement.closest('.app')")
	b.picture("emulator-revoked")
	press(`[formaction$="/delete-client"]`, "\r")
	b.waitFor("!document.querySelector('#apps').innerText.includes('ChatGPT')")
	b.check("emulator", stytch.URL)
}

// TestInABrowserTheEmulatorsPageIsForEverybody holds it to what every state of every page is held to.
func TestInABrowserTheEmulatorsPageIsForEverybody(t *testing.T) {
	needsBrowser(t)
	t.Parallel()
	seed := stytchtest.Development()
	seed.Project.Registration = true
	w := newWorldOf(t, stytchtest.Options{Seed: &seed}, dynamic)
	w.lived()
	w.registered("Desk", "http://127.0.0.1/callback")
	p := w.newPerson()
	must(t, p.do(newTabAt(w.stytch.URL), see("ChatGPT"), see("Desk")))
	faults, err := p.faultsOfPage(false)
	must(t, err)
	for fault, screens := range faults {
		t.Errorf("%s (%s)", fault, strings.Join(screens, ", "))
	}
}
