package gpttest

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	// lookEvery is how often the page is looked at.
	lookEvery       = 100 * time.Millisecond
	defaultPatience = 60 * time.Second
	// graceful is how long the browser may take to close by itself.
	graceful = 3 * time.Second
)

//go:embed chrome.js
var stepScript string

// Chrome is a [Visitor] that plays the person in a headless Chromium or Chrome with
// a fresh profile: it signs in with an e-mail address and a one-time code in Stytch's
// login component, chooses an organization if asked, and decides. It catches the
// navigation to the redirect URI before it leaves the browser, so nothing needs to
// listen there.
//
// A Chrome can be used for several visits, one after the other.
type Chrome struct {
	// Email is typed into the login form.
	Email string
	// Code returns the one-time code that was sent to email. It is called once the page
	// asks for it.
	Code func(ctx context.Context, email string) (string, error)
	// Organization is part of the name of the organization to choose. Empty chooses the
	// first.
	Organization string
	// Deny presses Deny instead of Allow.
	Deny bool
	// OnStep is called before each step is taken: "login", "method" (if several ways to
	// sign in are offered), "code", "organization" and "consent". png takes a picture of
	// the page as it is then.
	OnStep func(step string, png func() ([]byte, error))
	// Path is the browser's program. Empty looks for Chromium and Chrome by their usual
	// names.
	Path string
	// Patience bounds the whole visit. Zero means 60 s.
	Patience time.Duration

	report recorder
}

// Visit returns the address that the browser was about to open. A page that shows an
// error instead of asking for something is reported with its visible text at once.
func (c *Chrome) Visit(ctx context.Context, authorizeURL, redirectURI string) (*url.URL, error) {
	target, err := url.Parse(redirectURI)
	if err != nil {
		return nil, err
	}
	patience := c.Patience
	if patience == 0 {
		patience = defaultPatience
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	program, err := c.program()
	if err != nil {
		return nil, err
	}
	allocated, release := chromedp.NewExecAllocator(ctx, append(c.flags(), chromedp.ExecPath(program))...)
	defer release()
	tab, closeTab := chromedp.NewContext(allocated)
	defer closeTab()
	defer closeBrowser(tab)

	v := &visit{chrome: c, target: target, paused: make(chan *fetch.EventRequestPaused, 16)}
	if err := chromedp.Do(tab); err != nil {
		return nil, fmt.Errorf("start the browser: %w: %w", ErrNoBrowser, err)
	}
	if err := v.open(tab, authorizeURL); err != nil {
		return nil, fmt.Errorf("open the page: %w", err)
	}
	callback, err := v.run(tab)
	c.report.end()
	return callback, err
}

// closeBrowser asks the browser to close. One that does not is killed by the deferred
// calls of Visit, which also wait until its profile is gone.
func closeBrowser(tab context.Context) {
	ctx, cancel := context.WithTimeout(tab, graceful)
	defer cancel()
	_ = chromedp.Cancel(ctx)
}

func (c *Chrome) flags() []chromedp.ExecAllocatorOption {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		// The address bar is made of pages of its own, which nobody sees and which cost more
		// than the page that is visited. The first two names are chromedp's.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,WebUIOmniboxPopup,WebUIOmniboxAimPopup"),
		chromedp.Flag("accept-lang", "en"), // chrome.js knows buttons by their words, whatever the machine's language
		chromedp.WindowSize(1024, 900),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses root
	}
	return options
}

// ErrNoBrowser says that there is no browser to visit a page with, whatever the page is.
var ErrNoBrowser = errors.New("no browser")

// program finds the browser before anything is started: without one there would be
// nothing to wait for.
func (c *Chrome) program() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"}
	if c.Path != "" {
		names = []string{c.Path}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w found (%s): install Chromium (Debian: apt-get install "+
		"chromium)", ErrNoBrowser, strings.Join(names, ", "))
}

// visit is one run of a browser. The event callback only hands over; run acts.
type visit struct {
	chrome *Chrome
	target *url.URL
	last   string // the step taken last

	paused chan *fetch.EventRequestPaused
	// interrupt ends the look in progress: a page whose navigation is paused may leave a
	// script unanswered.
	interrupt atomic.Pointer[context.CancelFunc]
}

// open switches the reports on and sets out for the page. It does not wait for a page
// to load: there is none if the server redirects at once.
func (v *visit) open(ctx context.Context, authorizeURL string) error {
	address, err := json.Marshal(authorizeURL)
	if err != nil {
		return err
	}
	v.chrome.report.begin(v.target, string(chromedp.FromContext(ctx).Target.TargetID))
	if err := chromedp.Listen(ctx, v.event); err != nil {
		return err
	}
	pattern := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(v.target.String()) + "*"
	return errors.Join(
		call(ctx, network.Enable, network.EnableParams{}),
		call(ctx, runtime.Enable, cdp.Empty{}),
		call(ctx, log.Enable, cdp.Empty{}),
		call(ctx, audits.Enable, cdp.Empty{}),
		call(ctx, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: pattern}}}),
		chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void]("void (location.href = "+string(address)+")")),
	)
}

// call runs a command whose answer does not matter.
func call[P, R any](ctx context.Context, command cdp.Command[P, R], parameters P) error {
	_, err := chromedp.Call(ctx, command, parameters)
	return err
}

func (v *visit) event(event any) {
	if paused, ok := event.(*fetch.EventRequestPaused); ok {
		v.paused <- paused
		if cancel := v.interrupt.Load(); cancel != nil {
			(*cancel)()
		}
		return
	}
	v.chrome.report.event(event)
}

// run looks and acts until the browser wants to go to the redirect URI.
func (v *visit) run(ctx context.Context) (*url.URL, error) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	seen := "nothing"
	for {
		select {
		case paused := <-v.paused:
			u, err := url.Parse(paused.Request.URL)
			if err == nil && isCallback(u, v.target.String()) {
				_ = call(ctx, fetch.FailRequest, fetch.FailRequestParams{RequestID: paused.RequestID,
					ErrorReason: network.ErrorReasonAborted})
				return u, nil
			}
			if err := call(ctx, fetch.ContinueRequest,
				fetch.ContinueRequestParams{RequestID: paused.RequestID}); err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("the browser did not get to %s: %w; after step %q the page shows: %s", v.target,
				context.Cause(ctx), v.last, seen)
		case <-ticker.C:
			text, err := v.glance(ctx)
			if err != nil && ctx.Err() == nil {
				return nil, err
			}
			if text != "" {
				seen = text
			}
		}
	}
}

// glance looks unless, or until, the browser wants to go to the redirect URI.
func (v *visit) glance(ctx context.Context) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v.interrupt.Store(&cancel)
	if len(v.paused) > 0 {
		return "", nil
	}
	text, err := v.takeStep(ctx)
	if len(v.paused) > 0 {
		return text, nil // whatever went wrong, the browser has moved on
	}
	return text, err
}

// sight is what chrome.js answers.
type sight struct {
	Step string `json:"step"`
	Text string `json:"text"`
}

// takeStep takes the next step if there is one. It returns what the page shows.
func (v *visit) takeStep(ctx context.Context) (string, error) {
	now, err := v.ask(ctx, false)
	if err != nil {
		return "", nil // between two pages there is nothing to see
	}
	if now.Step == "problem" {
		return "", fmt.Errorf("the page says: %s", now.Text)
	}
	if err := v.chrome.report.failed(); err != nil && now.Text != "" {
		return "", fmt.Errorf("%w; it says: %s", err, now.Text)
	}
	if now.Step == "" || now.Step == v.last {
		return now.Text, nil
	}
	v.last = now.Step
	if v.chrome.OnStep != nil {
		v.chrome.OnStep(now.Step, func() ([]byte, error) { return chromedp.Run(ctx, chromedp.CaptureScreenshot()) })
	}
	if err := v.act(ctx, now.Step); err != nil {
		return "", fmt.Errorf("step %s: %w", now.Step, err)
	}
	return now.Text, nil
}

func (v *visit) act(ctx context.Context, step string) error {
	if step != "code" {
		if _, err := v.ask(ctx, true); err != nil {
			return err
		}
		if step == "login" {
			return errors.Join(insert(ctx, v.chrome.Email), chromedp.Do(ctx, chromedp.KeyEvent(kb.Enter)))
		}
		return nil
	}
	if v.chrome.Code == nil {
		return errors.New("the page wants a one-time code, and there is no Code function")
	}
	code, err := v.chrome.Code(ctx, v.chrome.Email)
	if err != nil {
		return err
	}
	if _, err := v.ask(ctx, true); err != nil {
		return err
	}
	return insert(ctx, code)
}

// insert types text into the field that has the focus.
func insert(ctx context.Context, text string) error {
	return call(ctx, input.InsertText, input.InsertTextParams{Text: text})
}

func (v *visit) ask(ctx context.Context, act bool) (sight, error) {
	arguments, err := json.Marshal(map[string]any{"act": act, "deny": v.chrome.Deny,
		"organization": v.chrome.Organization})
	if err != nil {
		return sight{}, err
	}
	return chromedp.Run(ctx, chromedp.Evaluate[sight]("("+stepScript+"\n)("+string(arguments)+")"))
}
