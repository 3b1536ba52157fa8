package server_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"guestpass/stytchtest"
)

// outOfReach wants that a click on Allow does not meet it right after the page's script has heard of what happens.
func outOfReach(happens string) step {
	return func(p *person) error {
		script := fmt.Sprintf(`(() => {
			%s;
			const button = [...document.querySelectorAll("#consent button")]
				.find((e) => e.innerText.trim() === "Allow");
			const { x, y, width, height } = button.getBoundingClientRect();
			scrollTo(0, y - 100);
			const at = button.getBoundingClientRect();
			const hit = document.elementFromPoint(at.x + width / 2, at.y + height / 2);
			return !button.contains(hit) && button.matches("[inert] *");
		})()`, happens)
		out, err := chromedp.Run(p.tab, chromedp.Evaluate[bool](script))
		if err == nil && !out {
			err = errors.New("Allow can be pressed right after " + happens)
		}
		return err
	}
}

// Somebody who lures people into a double click can have the consent page come to the front between the two clicks.
func TestEndToEndAllowIsOutOfReachUntilItWasInSight(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		const watch = `new MutationObserver(() => {
			const button = [...document.querySelectorAll("#consent button")]
				.find((e) => e.innerText.trim() === "Allow");
			if (button) window.atFirst ??= button.matches("[inert] *");
		}).observe(document.getElementById("consent"), { childList: true, subtree: true })`
		allow := "!!" + fmt.Sprintf(findButton, quoted("Allow"))
		steps := []step{newTabAt(w.authorizeURL()), is("!!document.getElementById('consent')"), script(watch)}
		signIn := byCode("ada@acme.example", "Acme")
		last := len(signIn) - 1
		steps = slices.Concat(steps, signIn[:last], []step{is("!document.getElementById('consent').inert"),
			signIn[last]})
		return w.newPerson().do(append(steps, see("Allow ChatGPT to:"), is(allow), is("window.atFirst === true"),
			outOfReach("dispatchEvent(new Event('focus'))"), is(allow),
			outOfReach("document.dispatchEvent(new Event('visibilitychange'))"), is(allow),
			outOfReach("dispatchEvent(new Event('pageshow'))"), press("Allow"), returns(""))...)
	})
}

var longName = strings.Repeat("a very long name ", 20)

// The component shows an app's name as Stytch answers it, which is as somebody has chosen it.
func TestEndToEndTheNameOfAnAppIsClean(t *testing.T) {
	t.Parallel()
	seed := stytchtest.Development()
	seed.ConnectedApps[0].Name = "Chat\u202eGPT\u200b\U000E0041 \n" + longName
	endToEnd(t, seed, func(w *world) error {
		clean := is(`(([...text]) => text.includes("…") && !text.some((c) => ` +
			`/[\u202e\u200b\u{E0041}]/u.test(c)))(document.body.innerText)`)
		once := is(fmt.Sprintf(`!document.body.innerText.includes(%s)`, quoted(longName)))
		steps := append([]step{newTabAt(w.authorizeURL())}, byCode("ada@acme.example", "Acme")...)
		return w.newPerson().do(append(steps, see("Allow ChatGPT"), see("wants to access"), clean, once, press("Deny"),
			returns("access_denied"))...)
	})
}

// Stytch may want no consent in spite of prompt=consent: the component would then grant without a click.
func TestEndToEndStytchThatWantsNoConsentGrantsNothing(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		const wantsNone = `(() => {
			const ask = fetch;
			window.fetch = async (...args) => {
				const answer = await ask(...args);
				if (!String(args[0]?.url ?? args[0]).includes("authorize/start")) return answer;
				const told = await answer.json();
				(told.data ?? told).consent_required = false;
				window.wantedNone = true;
				return new Response(JSON.stringify(told), { status: answer.status,
					headers: { "Content-Type": "application/json" } });
			};
		})()`
		steps := []step{newTabAt(w.authorizeURL()), is("!!document.getElementById('consent')"), script(wantsNone)}
		steps = append(steps, byCode("ada@acme.example", "Acme")...)
		return w.newPerson().do(append(steps, is("window.wantedNone === true"), see("Allow ChatGPT to:"),
			nobodyReturned,
			press("Allow"), returns(""))...)
	})
}
