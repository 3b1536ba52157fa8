package server_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// faint lists the texts that are harder to read than WCAG AA wants: 4.5:1, or 3:1 for large ones.
const faint = `(() => {
	const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return { r, g, b, a }; };
	const over = (top, below) => ({ a: 1, ...Object.fromEntries(["r", "g", "b"].map(
		(c) => [c, top[c] * top.a + below[c] * (1 - top.a)])) });
	const behind = (e) => {
		if (!e) return parse(getComputedStyle(document.documentElement).colorScheme.includes("dark")
			? "rgb(18,18,18)" : "rgb(255,255,255)");
		const own = parse(getComputedStyle(e).backgroundColor);
		return own.a === 1 ? own : over(own, behind(e.parentElement));
	};
	const light = ({ r, g, b }) => [r, g, b].map(
		(v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const found = new Set();
	for (const e of document.querySelectorAll("body *")) {
		const written = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
		if (!written || !e.checkVisibility() || e.closest("script, style, noscript, option, :disabled")) continue;
		const style = getComputedStyle(e), ground = behind(e);
		const [a, b] = [light(over(parse(style.color), ground)), light(ground)].sort((x, y) => y - x);
		const large = parseFloat(style.fontSize) >= 24 ||
			parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700;
		const ratio = (a + 0.05) / (b + 0.05);
		if (ratio < (large ? 3 : 4.5)) found.add(ratio.toFixed(2) + ":1 " + e.tagName + "." + e.className + " " +
			e.textContent.trim().slice(0, 30));
	}
	return [...found].join("\n");
})()`

func TestInABrowserTheOperationsCanBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, scheme := range []string{"light", "dark"} {
		p := w.newPerson()
		must(t, p.do(newTabAt(w.url+"/privacy"), device(375, scheme), // the page asks for the scheme once
			func(p *person) error {
				return p.evaluate("location.href = " + quoted(w.url+"/docs#updateTask"))
			},
			see("Code samples"), see("updateTask"), unfoldAll, see("in the query"), look(scheme+"-phone")))
		for _, width := range []int64{375, 1200} {
			must(t, device(width, scheme)(p))
			found, err := chromedp.Run(p.tab, chromedp.Evaluate[string](faint))
			if err != nil || found != "" {
				t.Errorf("%s, %d pixels: %v\n%s", scheme, width, err, found)
			}
		}
		must(t, look(scheme)(p))
	}
}
