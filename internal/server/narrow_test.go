package server_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"guestpass/stytchtest"
)

// fits wants a page that does not scroll sideways, on which nothing to press or to write in sticks
// out of its column, on the narrowest screens that there are.
func fits(p *person) error {
	const sticksOut = `(() => {
		const root = document.documentElement, main = document.querySelector("main").getBoundingClientRect();
		if (root.scrollWidth > innerWidth) return "the page is " + root.scrollWidth + " pixels wide";
		for (const e of document.querySelectorAll("main input, main button, main select, main .card")) {
			const box = e.getBoundingClientRect();
			if (e.checkVisibility() && box.width > 1 && (box.left < main.left - 1 || box.right > main.right + 1))
				return "from " + box.left + " to " + box.right + " reaches " + e.outerHTML.slice(0, 150);
		}
		return "";
	})()`
	if err := p.until("document.readyState === 'complete'"); err != nil { // its text may be there before its styles
		return err
	}
	for _, width := range []int64{320, 375} {
		if err := device(width, "light")(p); err != nil {
			return err
		}
		wrong, err := chromedp.Run(p.tab, chromedp.Evaluate[string](sticksOut))
		if err == nil && wrong != "" {
			err = errors.New(wrong)
		}
		if err != nil {
			return fmt.Errorf("on a screen of %d pixels, with %.60q: %w", width, p.shown(), err)
		}
	}
	return device(320, "light")(p)
}

// unfoldAll opens everything on the page that can be opened.
func unfoldAll(p *person) error {
	return p.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
}

func TestEndToEndNoPageScrollsSideways(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, email, organization string
		seed                      stytchtest.Seed
	}{
		{"member", "ada@acme.example", "Acme", stytchtest.Development()},
		{"user", "ada@example.com", "", stytchtest.DevelopmentConsumer()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, tt.seed, func(w *world) error {
				steps := []step{
					newTabAt(w.url + "/"), device(320, "light"), see("Make a GPT with it"), fits, look("landing"),
					unfoldAll, fits, look("landing-unfolded"),
					newTabAt(w.url + "/privacy"), see("Permissions you may be asked for"), fits,
					newTabAt(w.url + "/docs#createTask"), see("Code samples"), fits, look("docs"),
					newTabAt(w.url + "/account"), see("Sign in to see which apps"), fits,
					newTabAt(w.url + "/idp?client_id=unknown"), see("nothing was allowed"), fits,
					newTabAt(w.authorizeURL()), see("Continue with email"), fits, look("login"),
					fill("input[type=email]", tt.email), press("Continue with email"), see("passcode"), fits,
					look("code"), typeCode,
				}
				if tt.organization != "" {
					steps = append(steps, see(tt.organization), fits, look("organizations"), press(tt.organization))
				}
				steps = append(steps, see("Allow"), fits, look("consent"),
					newTabAt(w.url+"/account"), see("Signed in as"), fits, look("account"))
				return w.newPerson().do(steps...)
			})
		})
	}
}
