package server_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"guestpass"
	"guestpass/gpttest"
	"guestpass/stytchtest"
)

// The end-to-end tests run with the emulator misbehaving, too: `make chaos`.
var (
	chaosPercent = flag.Int("chaos", 0, "percent of the emulator's answers that go wrong in the end-to-end tests")
	chaosSeed    = flag.Uint64("chaos-seed", 1, "which of them")

	browserProgram = flag.String("browser", "", "another browser than the Chromium that is found by its usual names")
)

// maxAttempts bounds how often a person begins again when Stytch misbehaves on purpose.
const maxAttempts = 25

// endToEnd runs one story in a world of its own: the assembled server, the emulator and a
// real browser. With chaos the story is begun again, in another world, until it ends well.
func endToEnd(t *testing.T, seed stytchtest.Seed, story func(w *world) error, change ...func(*guestpass.Options)) {
	t.Helper()
	seed.ConnectedApps[0].RedirectURLs = append(seed.ConnectedApps[0].RedirectURLs, "http://127.0.0.1/callback")
	attempts := 1
	if *chaosPercent > 0 {
		attempts = maxAttempts
	}
	var err error
	for n := range attempts {
		chaos := stytchtest.Chaos{Percent: *chaosPercent, Seed: fates(t.Name(), *chaosSeed, n)}
		if err = attempt(t, stytchtest.Options{Seed: &seed, Chaos: chaos, LoopbackDocuments: true}, story,
			change); err == nil {
			return
		}
		if attempts > 1 {
			t.Logf("attempt %d: %v", n+1, err)
		}
	}
	t.Error(err)
}

// fates is another number for each story, run and attempt, and the same one next time.
func fates(story string, run uint64, attempt int) uint64 {
	hash := fnv.New64a()
	_, _ = fmt.Fprintln(hash, story, run, attempt)
	return hash.Sum64()
}

// attempt makes a world, tells the story in it, and takes it down.
func attempt(t *testing.T, o stytchtest.Options, story func(w *world) error, change []func(*guestpass.Options)) error {
	s := &scope{T: t}
	defer s.end()
	w := newWorldOf(s, o, change...)
	w.callbacks = newCallbacks(s)
	return story(w)
}

// A scope is a test within a test, whose clean-up does not wait for the other's end.
type scope struct {
	*testing.T
	cleanups []func()
}

func (s *scope) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *scope) end() {
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
}

// callbacks is where ChatGPT waits for people to come back.
type callbacks struct {
	url  string
	came chan *url.URL
}

func newCallbacks(t testing.TB) *callbacks {
	c := &callbacks{came: make(chan *url.URL, 8)}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			back := *r.URL
			back.Scheme, back.Host = "http", r.Host
			c.came <- &back
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(
			`<!doctype html><html lang="en"><title>Back</title><link rel="icon" href="data:,"><h1>Back at ` +
				`ChatGPT</h1></html>`))
	}))
	t.Cleanup(s.Close)
	c.url = s.URL + "/callback"
	return c
}

// connect takes a GPT from the authorization URL to its token.
func (w *world) connect(gpt *gpttest.GPT, person *person, steps ...step) (*gpttest.Token, error) {
	code, err := gpt.Authorize(w.t.Context(), w.callbacks.url, journey{person, steps})
	if err != nil {
		return nil, err
	}
	return gpt.Exchange(w.t.Context(), code, w.callbacks.url)
}

// A person has a browser, whose cookies last from one visit to the next.
type person struct {
	w       *world
	browser context.Context
	tab     context.Context  // the one in front
	name    string           // of the pictures
	mailed  int              // how many mails had been read
	request func(url.Values) // changes the authorization request; nil: nothing

	mu     sync.Mutex // guards faults
	faults []string
}

// patience returns how long a step may take; when Stytch misbehaves, a person begins again sooner.
func patience() time.Duration {
	if *chaosPercent > 0 {
		return 8 * time.Second
	}
	return 20 * time.Second
}

var pictureNames sync.Map // names that were taken: each story's pictures once

// newPerson starts a browser with a fresh profile.
func (w *world) newPerson() *person {
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(strings.TrimPrefix(w.t.Name(),
		"TestEndToEnd")))
	return &person{w: w, browser: newBrowser(w.t), name: name}
}

// A step is something that a person does or sees.
type step func(p *person) error

// A journey is a gpttest.Visitor who takes these steps in a tab of their own.
type journey struct {
	person *person
	steps  []step
}

func (j journey) Visit(_ context.Context, authorizeURL, _ string) (*url.URL, error) {
	p := j.person
	if p.request != nil {
		authorizeURL = changed(authorizeURL, p.request)
	}
	if err := p.do(append([]step{newTabAt(authorizeURL)}, j.steps...)...); err != nil {
		return nil, err
	}
	return p.comesBack()
}

// comesBack waits for the browser to be sent to ChatGPT.
func (p *person) comesBack() (*url.URL, error) {
	select {
	case came := <-p.w.callbacks.came:
		return came, p.complaints()
	case <-time.After(patience()):
		return nil, fmt.Errorf("nobody came back; the page shows: %s", p.shown())
	}
}

func changed(address string, change func(url.Values)) string {
	u, _ := url.Parse(address)
	query := u.Query()
	change(query)
	u.RawQuery = query.Encode()
	return u.String()
}

func (p *person) do(steps ...step) error {
	for _, s := range steps {
		if err := s(p); err != nil {
			return err
		}
	}
	return nil
}

// newTabAt opens another tab of the same browser, which comes to the front.
func newTabAt(address string) step {
	return func(p *person) error {
		tab, closeTab := chromedp.NewContext(p.browser)
		p.w.t.Cleanup(closeTab)
		p.tab = tab
		if err := chromedp.Do(tab); err != nil {
			return err
		}
		if err := chromedp.Listen(tab, p.event); err != nil {
			return err
		}
		return errors.Join(enable(tab), p.evaluate("location.href = "+quoted(address)))
	}
}

// evaluate runs a script for its effect. One that leads to another page may never be
// answered; that is no failure: what follows will show where the browser is.
func (p *person) evaluate(expression string) error {
	ctx, cancel := context.WithTimeout(p.tab, 5*time.Second)
	defer cancel()
	err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void]("void ("+expression+")"))
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func enable(tab context.Context) error {
	_, err1 := chromedp.Call(tab, network.Enable, network.EnableParams{})
	_, err2 := chromedp.Call(tab, log.Enable, cdp.Empty{})
	_, err3 := chromedp.Call(tab, runtime.Enable, cdp.Empty{})
	return errors.Join(err1, err2, err3)
}

// event collects what a strict page must not do: violated policies, other hosts, errors
// on the console. Refusals that a story wants are errors on the console to Chromium.
func (p *person) event(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		host := host4(e.Request.URL)
		if strings.HasPrefix(e.Request.URL, "http") && host != host4(p.w.url) && host != host4(p.w.stytch.URL) &&
			host != host4(p.w.callbacks.url) && host != host4(p.w.silent) && !p.w.login.isAt(host) {
			p.faults = append(p.faults, "the page asked "+host+" for something")
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "Failed to load resource") {
			p.faults = append(p.faults, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		p.faults = append(p.faults, e.ExceptionDetails.Text)
	}
}

// complaints are what the pages did wrong. When Stytch misbehaves the component may throw.
func (p *person) complaints() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var faults []string
	for _, fault := range p.faults {
		if *chaosPercent == 0 || strings.Contains(fault, "Security Policy") || strings.Contains(fault, "asked") {
			faults = append(faults, fault)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return errors.New(strings.Join(faults, "; "))
}

func (p *person) shown() string {
	ctx, cancel := context.WithTimeout(p.tab, 2*time.Second)
	defer cancel()
	shown, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	return strings.Join(strings.Fields(shown), " ")
}

// until waits for the expression. A page that says what went wrong ends the waiting.
func (p *person) until(expression string) error {
	ctx, cancel := context.WithTimeout(p.tab, patience())
	defer cancel()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		// Between two pages there is nothing to ask; the next round will tell.
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return nil
		}
		if *chaosPercent > 0 && broken(p.shown()) {
			return fmt.Errorf("the page is broken: %s", p.shown())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s; the page shows: %s", expression, p.shown())
		case <-tick.C:
		}
	}
}

// broken knows the words that the page and the component have for trouble.
func broken(text string) bool {
	for _, sign := range []string{"(chaos)", "Something went wrong", "no response from server",
		"could not be reached"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// see waits until the page contains the text.
func see(text string) step {
	return func(p *person) error {
		return p.until(fmt.Sprintf("document.body.innerText.includes(%s)", quoted(text)))
	}
}

// absent wants a page without the text; put it behind a see.
func absent(text string) step {
	return func(p *person) error {
		if shown := p.shown(); strings.Contains(shown, text) {
			return fmt.Errorf("the page must not show %q; it shows: %s", text, shown)
		}
		return nil
	}
}

// findButton is the one with exactly that label, else the first that contains it.
const findButton = `((label) => {
	const all = [...document.querySelectorAll("button, a")]
		.filter((e) => !e.disabled && !e.closest("[inert]") && e.checkVisibility());
	const name = (e) => e.innerText.trim() || e.ariaLabel || "";
	return all.find((e) => name(e) === label) ?? all.find((e) => name(e).includes(label));
})(%s)`

// press waits for a button or link with the label and clicks it.
func press(label string) step {
	return func(p *person) error {
		button := fmt.Sprintf(findButton, quoted(label))
		if err := p.until("!!" + button); err != nil {
			return err
		}
		return p.evaluate(button + ".click()")
	}
}

// fill waits for a field that can be written in, and writes.
func fill(selector, text string) step {
	return func(p *person) error {
		field := fmt.Sprintf("[...document.querySelectorAll(%s)].find(e => !e.disabled && "+
			"e.checkVisibility())", quoted(selector))
		if err := p.until("!!" + field); err != nil {
			return err
		}
		if err := p.evaluate(field + ".focus(), " + field + ".select()"); err != nil {
			return err
		}
		_, err := chromedp.Call(p.tab, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}
}

// mail waits for the next mail of the kind.
func (p *person) mail(kind string) (stytchtest.Mail, error) {
	ctx, cancel := context.WithTimeout(p.tab, patience())
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		inbox := p.w.stytch.Inbox()
		for _, m := range inbox[:len(inbox)-p.mailed] {
			if m.Kind == kind {
				p.mailed = len(inbox)
				return m, nil
			}
		}
		if *chaosPercent > 0 && broken(p.shown()) {
			return stytchtest.Mail{}, fmt.Errorf("the page is broken: %s", p.shown())
		}
		select {
		case <-ctx.Done():
			return stytchtest.Mail{}, fmt.Errorf("no mail of kind %s came; the page shows: %s", kind, p.shown())
		case <-tick.C:
		}
	}
}

// typeCode types the code that was mailed.
func typeCode(p *person) error {
	m, err := p.mail("otp")
	if err != nil {
		return err
	}
	return fill("input[autocomplete=one-time-code]", m.Code)(p)
}

// openLink opens the link of the mail in another tab.
func openLink(kind string) step {
	return func(p *person) error {
		m, err := p.mail(kind)
		if err != nil {
			return err
		}
		return newTabAt(m.Link)(p)
	}
}

// look takes a picture, if they are wanted, and holds every page to what every page must be.
func look(name string) step {
	return func(p *person) error {
		name := path.Base(p.name) + "-" + name
		if _, taken := pictureNames.LoadOrStore(name, true); *screenshots != "" && !taken {
			if err := p.picture(name); err != nil {
				return err
			}
		}
		return p.accessible()
	}
}

// picture waits for a tab in front: of others Chromium takes none, for ever.
func (p *person) picture(name string) error {
	ctx, cancel := context.WithTimeout(p.tab, 10*time.Second)
	defer cancel()
	if _, err := chromedp.Call(ctx, page.BringToFront, cdp.Empty{}); err != nil {
		return err
	}
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		keepPicture(p.w.t, name, picture)
	}
	return err
}

// accessible checks what a screen reader, a keyboard and a narrow screen need.
func (p *person) accessible() error {
	const check = `(() => {
		const faults = [];
		const shown = (e) => e.checkVisibility();
		if (document.querySelectorAll("main h1").length !== 1) faults.push("there must be one main heading");
		if (!document.title || !document.documentElement.lang) faults.push("title or language is missing");
		for (const e of document.querySelectorAll("input, select, textarea")) {
			if (shown(e) && !(e.labels?.length || e.ariaLabel || e.getAttribute("aria-labelledby") || e.placeholder))
				faults.push("a field without a label: " + e.outerHTML.slice(0, 120));
		}
		for (const e of document.querySelectorAll("button, a")) {
			if (shown(e) && !(e.innerText.trim() || e.ariaLabel ||
				e.querySelector("img[alt], svg[aria-label], svg title")))
				faults.push("a button without a name: " + e.outerHTML.slice(0, 120));
			if (shown(e) && e.tabIndex < 0)
				faults.push("not reachable by keyboard: " + e.outerHTML.slice(0, 120));
		}
		if (document.documentElement.scrollWidth > innerWidth) faults.push("the page is wider than the screen");
		return faults.join("; ");
	})()`
	if err := p.until("document.readyState === 'complete' && !!document.querySelector('main')"); err != nil {
		return err
	}
	faults, err := chromedp.Run(p.tab, chromedp.Evaluate[string](check))
	if err == nil && faults != "" {
		err = errors.New(faults)
	}
	return err
}

// device pretends to be one, for all that follows in this tab.
func device(width int64, scheme string) step {
	return func(p *person) error {
		(&tab{ctx: p.tab, t: p.w.t}).look(width, scheme)
		return nil
	}
}

// reload shows the page again.
func reload(p *person) error {
	_, err := chromedp.Call(p.tab, page.Reload, page.ReloadParams{})
	return err
}

// callUntil calls an operation as ChatGPT does: it repeats what was answered 429 or 503, and
// renews a token that was refused. A key that the server has not seen is looked for again
// after 30 seconds of the emulator's clock, which are not waited for but set.
func (w *world) callUntil(gpt *gpttest.GPT, operation string, arguments map[string]any) (*gpttest.Result, error) {
	for attempt := 0; ; attempt++ {
		result, err := gpt.Call(w.t.Context(), operation, arguments)
		if *chaosPercent == 0 || attempt == maxAttempts || err == nil && result.Status < 500 && result.Status != 429 &&
			result.Status != 401 {
			return result, err
		}
		w.stytch.Advance(31 * time.Second)
		if err == nil && result.Status == 401 {
			_, _ = gpt.Refresh(w.t.Context()) // a failure shows in the next round
		}
	}
}
