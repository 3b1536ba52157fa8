package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"guestpass"
	"guestpass/stytchtest"
)

// inGerman opens a tab of somebody who reads German.
func inGerman(address string) step {
	return func(p *person) error {
		if err := newTabAt("about:blank")(p); err != nil {
			return err
		}
		_, err := chromedp.Call(p.tab, network.SetExtraHTTPHeaders,
			network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}})
		if err != nil {
			return err
		}
		return p.evaluate("location.href = " + quoted(address))
	}
}

// german looks at a page on each device: it is said to be in German, and nothing of it is English.
func german(name string) step {
	const english = `(() => {
		if (document.documentElement.lang !== "de") return "lang is " + document.documentElement.lang;
		const said = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() &&
			!e.closest("script, code"))
			.flatMap((e) => [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data));
		const words = /\b(the|you|your|with|and|sign|of|to|allow|is|enter|expires|read|see|create|get|list)\b/i;
		return said.filter((text) => words.test(text)).join(" | ");
	})()`
	return func(p *person) error {
		for _, width := range []int64{1200, 390, 320} {
			if err := p.do(device(width, "light"), look(fmt.Sprintf("%s-%d", name, width))); err != nil {
				return fmt.Errorf("%s at %d: %w", name, width, err)
			}
		}
		found, err := chromedp.Run(p.tab, chromedp.Evaluate[string](english))
		if err != nil || found != "" {
			return fmt.Errorf("%s says in English: %s %v", name, found, err)
		}
		return nil
	}
}

func TestEndToEndWhoReadsGermanIsSpokenToInGerman(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		email, code := "input[type=email]", see("Code eingeben")
		return w.newPerson().do(inGerman(w.authorizeURL()), see("Weiter mit E-Mail"), german("login"),
			fill(email, "ada@acme.example"), press("Weiter mit E-Mail"), code, german("code"), typeCode,
			see("Wählen Sie eine Organisation"), german("organization"), press("Acme"),
			see("Zugriff erlauben?"), see("ChatGPT erlauben:"), see("Ihr Konto bei Büro Nord"),
			german("consent"), press("Erlauben"), returns(""),
			inGerman(w.url+"/account"), see("Angemeldet als ada@acme.example bei Acme."), german("account"),
			inGerman(w.url+"/privacy"), see("Was wohin geht"), german("privacy"),
			inGerman(w.url+"/idp?client_id=x&redirect_uri=https%3A%2F%2Fexample.com"), see("Unbekannte Anwendung"),
			german("refusal"))
	}, func(o *guestpass.Options) { o.Title = "Büro Nord" })
}

// TestEndToEndAConsumerReadsGerman: the other component has words of its own.
func TestEndToEndAConsumerReadsGerman(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.DevelopmentConsumer(), func(w *world) error {
		return w.newPerson().do(inGerman(w.authorizeURL()), see("Weiter mit E-Mail"), german("login"),
			fill("input[type=email]", "ada@example.com"), press("Weiter mit E-Mail"), see("Code eingeben"),
			german("code"), typeCode, see("ChatGPT erlauben:"),
			see("Ihr Konto bei L'{büro} <Nord> zugreifen"), see("Ihren Namen sehen"), german("consent"),
			press("Ablehnen"),
			returns("access_denied"))
	}, func(o *guestpass.Options) { o.Title = "L'{büro} <Nord>" })
}

// accepts asks for a language.
func accepts(languages string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Accept-Language", languages) }
}

// TestPagesForBuildersAreInEnglish, and say so; the others are in the reader's language, for caches too.
func TestPagesForBuildersAreInEnglish(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, page := range w.everyPage() {
		builders := page.path == "/" || page.path == "/docs"
		for accepted, want := range map[string]string{"de": "de", "fr": "en", "": "en"} {
			r := w.call("GET", page.path, "", "", asBrowser, accepts(accepted))
			if builders {
				want = "en"
			}
			varies := strings.Contains(strings.Join(r.header.Values("Vary"), ","), "Accept-Language")
			if !strings.Contains(r.body, `<html lang="`+want+`">`) || varies == builders {
				t.Errorf("%s for %q: Vary %q\n%.200s", page.name, accepted, r.header.Values("Vary"), r.body)
			}
		}
	}
	fixed := newWorld(t, func(o *guestpass.Options) {
		o.Language, o.Words = "de", map[string]map[string]string{"de": {"account.lead": "Hallo <b>Welt</b>"}}
	})
	r := fixed.call("GET", "/account", "", "", accepts("en"))
	if !strings.Contains(r.body, `<html lang="de">`) || !strings.Contains(r.body, "Hallo &lt;b&gt;Welt&lt;/b&gt;") {
		t.Errorf("%s", r.body)
	}
}
