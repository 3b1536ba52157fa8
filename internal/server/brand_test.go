package server_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"guestpass"
	"guestpass/stytchtest"
)

// asBrowser asks for a page, as a browser does.
func asBrowser(r *http.Request) { r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8") }

// everyPage is htmlPages and the page of an address that there is not.
func (w *world) everyPage() []htmlPage {
	return append(w.htmlPages(), htmlPage{"mistyped address", "/acount", 404, false})
}

func TestEveryPageIsTheApps(t *testing.T) {
	for vertical, newWorld := range map[string]func(testing.TB, ...func(*guestpass.Options)) *world{
		"b2b": newWorld, "consumer": newConsumerWorld} {
		w := newWorld(t, func(o *guestpass.Options) { o.Title = "Büro & <Söhne>" })
		for _, page := range w.everyPage() {
			body := w.call("GET", page.path, "", "", asBrowser).body
			const name = "Büro &amp; &lt;Söhne&gt;"
			title, _, _ := strings.Cut(body, "</title>")
			header, _, _ := strings.Cut(body, "</header>")
			if !strings.Contains(title, name) || !strings.Contains(header, "<bdi>"+name+"</bdi>") {
				t.Errorf("%s, %s: does not say whose it is:\n%s", vertical, page.name, header)
			}
			if strings.Contains(header, "Guestpass") {
				t.Errorf("%s, %s: speaks of Guestpass, which nobody knows:\n%s", vertical, page.name, header)
			}
			if n := strings.Count(body, "<main>"); n != 1 || strings.Count(body, "<html") != 1 {
				t.Errorf("%s, %s: has %d main parts", vertical, page.name, n)
			}
		}
	}
}

// scripted is a logo with everything in it that would do harm if it did anything.
const scripted = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
	`viewBox="0 0 32 32" width="32" height="32" onload="document.documentElement.dataset.ran = 'onload'">` +
	`<style>@import url(https://evil.example/x.css); .body { fill: #7a1fa2 }</style>` +
	`<script>document.documentElement.dataset.ran = "script"; fetch("/account")</script>` +
	`<image href="https://evil.example/x.png" width="1" height="1"/>` +
	`<circle class="body" cx="16" cy="16" r="15"/><path d="M16 6l8 18H8z" fill="#fff"/></svg>`

// brand is that of an app whose colour cannot be read on white.
func brand(o *guestpass.Options) {
	o.Title = "Büro Nord"
	o.Brand = guestpass.Brand{Color: "#ffd400", Logo: []byte(scripted), Support: "mailto:help@example.com"}
}

// unbranded says what the page lacks of brand.
const unbranded = `(() => {
	const lacks = [];
	const logo = document.querySelector(".top img");
	if (!logo?.complete || !logo.naturalWidth || logo.alt !== "") lacks.push("the logo");
	if (document.documentElement.dataset.ran) lacks.push("a logo whose script does not run");
	if (!document.querySelector(".mark").innerText.includes("Büro Nord")) lacks.push("the title");
	if (!document.querySelector("footer a[href='mailto:help@example.com']")) lacks.push("the way to help");
	const button = getComputedStyle(document.documentElement).getPropertyValue("--button").trim();
	if (button !== "#ffd400") lacks.push("the colour; it is " + button);
	if (document.documentElement.scrollWidth > innerWidth) lacks.push("room");
	return lacks.join(", ");
})()`

// branded looks at a page in every device and scheme.
func branded(name string) step {
	return func(p *person) error {
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{1200, 390, 320} {
				as := fmt.Sprintf("%s-%s-%d", name, scheme, width)
				if err := p.do(device(width, scheme), is("document.querySelector('.top img').complete"),
					look(as)); err != nil {
					return fmt.Errorf("%s: %w", as, err)
				}
				for _, script := range []string{unbranded, faint} { // colours change gradually
					if err := p.until(script + ` === ""`); err != nil {
						found, _ := chromedp.Run(p.tab, chromedp.Evaluate[string](script))
						return fmt.Errorf("%s: %s: %w", as, found, err)
					}
				}
			}
		}
		return nil
	}
}

func TestEndToEndTheBrandIsOnEveryPage(t *testing.T) {
	t.Parallel()
	for vertical, tt := range map[string]struct {
		seed  stytchtest.Seed
		steps []step
	}{
		"b2b":      {stytchtest.Development(), byCode("ada@acme.example", "Acme")},
		"consumer": {stytchtest.DevelopmentConsumer(), byCode("ada@example.com", "")},
	} {
		t.Run(vertical, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, tt.seed, func(w *world) error {
				steps := []step{newTabAt(w.authorizeURL()), see("Continue with email"), branded("login")}
				steps = append(steps, tt.steps[:2]...)
				steps = append(steps, see("passcode"), branded("code"))
				steps = append(steps, tt.steps[2:]...)
				steps = append(steps, see("Allow"), branded("consent"))
				for _, page := range []struct{ name, path, text string }{{"account", "/account", "Signed in as"},
					{"privacy", "/privacy", "Ending it"}, {"landing", "/", "Make a GPT"},
					{"refusal", "/idp?client_id=connected-app-test-x&redirect_uri=https%3A%2F%2Fexample.com",
						"Unknown application"}} {
					steps = append(steps, newTabAt(w.url+page.path), see(page.text), branded(page.name))
				}
				return w.newPerson().do(steps...)
			}, brand)
		})
	}
}

// TestInABrowserALogoIsOnlyAPicture: whoever opens its address has a document of our origin, beside our cookies.
func TestInABrowserALogoIsOnlyAPicture(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(evil.Close)
	w := newWorld(t, brand, func(o *guestpass.Options) {
		o.Brand.Logo = bytes.ReplaceAll(o.Brand.Logo, []byte("https://evil.example"), []byte(evil.URL))
	})
	b := newTab(t, newBrowser(t))
	must(t, chromedp.Do(b.ctx, chromedp.Navigate(w.url+"/assets/logo.svg")))
	b.waitFor("document.readyState === 'complete' && !!document.querySelector('circle')")
	ran, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.documentElement.dataset.ran ?? ''"))
	own, err2 := chromedp.Run(b.ctx, chromedp.Evaluate[string]("origin"))
	if err != nil || err2 != nil || ran != "" || own != "null" {
		t.Errorf("%s ran, of the origin %s (%v, %v)", ran, own, err, err2)
	}
	b.open(w.url+"/privacy", "Ending it")
	b.waitFor("document.querySelector('.top img').naturalWidth > 0")
	if n := asked.Load(); n > 0 {
		t.Errorf("it loaded %d things", n)
	}
}

// TestInABrowserTheComponentFollowsTheScheme, as the page does, without being loaded anew.
func TestInABrowserTheComponentFollowsTheScheme(t *testing.T) {
	t.Parallel()
	for vertical, newWorld := range map[string]func(testing.TB, ...func(*guestpass.Options)) *world{
		"b2b": newWorld, "consumer": newConsumerWorld} {
		w := newWorld(t, func(o *guestpass.Options) { o.Brand.Color = "#7a1fa2" })
		b := newTab(t, newBrowser(t))
		authorize, _, err := w.gpt().AuthorizeURL("http://localhost:8090/callback")
		must(t, err)
		b.look(390, "light")
		b.open(authorize, "Continue with email")
		const colours = `(() => {
			const button = [...document.querySelectorAll("#login button")].find((b) => b.innerText.includes("email"));
			const field = document.querySelector("#login input[type=email]");
			let box = field.parentElement;
			while (getComputedStyle(box).backgroundColor === "rgba(0, 0, 0, 0)") box = box.parentElement;
			return [box, button].map((e) => getComputedStyle(e).backgroundColor).join(" ") + " " +
				getComputedStyle(button).borderColor + " " + getComputedStyle(field).color;
		})()`
		for scheme, want := range map[string]string{
			"light": "rgb(246, 248, 250) rgb(122, 31, 162) rgb(122, 31, 162) rgb(22, 32, 42)",
			"dark":  "rgb(23, 28, 34) rgb(122, 31, 162) rgb(167, 107, 193) rgb(230, 235, 240)",
		} {
			b.look(390, scheme)
			b.waitFor(colours + " === " + quoted(want))
			b.picture("component-" + vertical + "-" + scheme)
		}
		b.check(vertical, w.url, w.stytch.URL)
	}
}
