package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// A firefox is a headless Firefox with a fresh profile, driven by its own protocol:
// lengths and JSON arrays (https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html).
type firefox struct {
	w          *world
	connection net.Conn
	replies    *bufio.Reader
	commands   int
}

func (w *world) newFirefox() *firefox {
	w.t.Helper()
	program, err := firefoxProgram()
	if err != nil {
		w.t.Fatal(err)
	}
	profile, err := os.MkdirTemp("", "guestpass-firefox-")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = os.RemoveAll(profile) })
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(`user_pref("marionette.port", 0);`+"\n"),
		0o600); err != nil {
		w.t.Fatal(err)
	}
	command := exec.Command(program, "--headless", "--marionette", "--remote-allow-system-access", "--no-remote",
		"--profile", profile, "about:blank")
	command.Env = append(os.Environ(), "HOME="+profile) // Firefox refuses a home of somebody else
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL); _ = command.Wait() })
	f := &firefox{w: w}
	if err := f.connect(filepath.Join(profile, "MarionetteActivePort")); err != nil {
		w.t.Fatalf("start Firefox: %v", err)
	}
	w.t.Cleanup(func() { _ = f.connection.Close() })
	return f
}

func firefoxProgram() (string, error) {
	for _, name := range []string{"firefox-esr", "firefox"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Firefox found: install it (Debian: apt-get install firefox-esr)")
}

// connect waits for the file that says on which port the browser listens.
func (f *firefox) connect(portFile string) error {
	ctx, cancel := context.WithTimeout(f.w.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		port, _ := os.ReadFile(portFile)
		if connection, err := net.Dial("tcp", "127.0.0.1:"+string(port)); len(port) > 0 && err == nil {
			f.connection, f.replies = connection, bufio.NewReader(connection)
			if _, err := f.read(); err != nil { // it greets
				return err
			}
			return f.call("WebDriver:NewSession", map[string]any{}, nil)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (f *firefox) read() ([]byte, error) {
	length, err := f.replies.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil {
		return nil, err
	}
	message := make([]byte, n)
	_, err = io.ReadFull(f.replies, message)
	return message, err
}

// call runs a command; value, if it is not nil, takes what it returned.
func (f *firefox) call(command string, parameters map[string]any, value any) error {
	f.commands++
	message, err := json.Marshal([]any{0, f.commands, command, parameters})
	if err != nil {
		return err
	}
	if err := f.connection.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f.connection, "%d:%s", len(message), message); err != nil {
		return err
	}
	if message, err = f.read(); err != nil {
		return err
	}
	var failure *struct{ Error, Message string }
	var result struct{ Value json.RawMessage }
	if err := json.Unmarshal(message, &[]any{new(int), new(int), &failure, &result}); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	if failure != nil {
		return fmt.Errorf("%s: %s: %s", command, failure.Error, failure.Message)
	}
	if value == nil {
		return nil
	}
	return json.Unmarshal(result.Value, value)
}

func (f *firefox) open(address string) error {
	return f.call("WebDriver:Navigate", map[string]any{"url": address}, nil)
}

// evaluate returns the value of an expression on the page.
func (f *firefox) evaluate(expression string, value any) error {
	return f.call("WebDriver:ExecuteScript", map[string]any{"script": "return " + expression, "args": []any{}}, value)
}

// browser returns the value of an expression in the browser itself.
func (f *firefox) browser(expression string, value any) error {
	return errors.Join(f.call("Marionette:SetContext", map[string]any{"value": "chrome"}, nil),
		f.evaluate(expression, value),
		f.call("Marionette:SetContext", map[string]any{"value": "content"}, nil))
}

// element waits until the expression is one, and returns a reference to it.
func (f *firefox) element(expression string) (string, error) {
	ctx, cancel := context.WithTimeout(f.w.t.Context(), patience())
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var reference map[string]string
		// Between two pages there is nothing to ask; the next round will tell.
		if err := f.evaluate(expression, &reference); err == nil {
			for _, id := range reference {
				return id, nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("waited in vain for %s; the page shows: %s", expression, f.shown())
		case <-tick.C:
		}
	}
}

func (f *firefox) shown() (text string) {
	_ = f.evaluate("document.body.innerText", &text)
	return text
}

func (f *firefox) see(text string) error {
	_, err := f.element(fmt.Sprintf("document.body.innerText.includes(%s) ? document.body : null", quoted(text)))
	return err
}

func (f *firefox) press(label string) error {
	id, err := f.element(fmt.Sprintf(findButton, quoted(label)) + " ?? null")
	if err != nil {
		return err
	}
	return f.call("WebDriver:ElementClick", map[string]any{"id": id}, nil)
}

func (f *firefox) fill(selector, text string) error {
	id, err := f.element(fmt.Sprintf("[...document.querySelectorAll(%s)].find(e => !e.disabled && "+
		"e.checkVisibility()) ?? null", quoted(selector)))
	if err != nil {
		return err
	}
	return f.call("WebDriver:ElementSendKeys", map[string]any{"id": id, "text": text}, nil)
}

// violations returns the broken policies and the scripts' errors of pages, none of which a
// strict page has. What Firefox says of itself is left out.
func (f *firefox) violations() (list []string, err error) {
	err = f.browser(`Services.console.getMessageArray()
		.filter(m => m instanceof Ci.nsIScriptError && !(m.flags & Ci.nsIScriptError.infoFlag))
		.filter(m => /CSP|Content-Security-Policy/.test(m.category + m.errorMessage) ||
			m.sourceName.startsWith("http") && !(m.flags & Ci.nsIScriptError.warningFlag))
		.map(m => m.errorMessage + " " + m.sourceName)`, &list)
	return list, err
}

// A firefoxVisit is a [gpttest.Visitor]: somebody types an address, signs in with the code
// that comes to it, and allows.
type firefoxVisit struct {
	*firefox
	typed, address string
}

func (f firefoxVisit) Visit(_ context.Context, authorizeURL, _ string) (*url.URL, error) {
	if err := f.open(authorizeURL); err != nil {
		return nil, err
	}
	const tab = "\ue004"
	if err := errors.Join(f.fill("input[type=email]", f.typed+tab), f.press("Continue with email")); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(f.w.t.Context(), patience())
	defer cancel()
	code, err := f.w.person("").Code(ctx, f.address)
	if err != nil {
		return nil, err
	}
	for _, act := range []func() error{
		func() error { return f.fill("input[autocomplete=one-time-code]", code) },
		func() error { return f.press("Acme") },
		func() error { return f.see("Allow ChatGPT to:") },
		func() error { return f.see("Signed in as " + f.address + " at Acme.") },
		func() error { return f.press("Allow") },
	} {
		if err := act(); err != nil {
			return nil, err
		}
	}
	select {
	case came := <-f.w.callbacks.came:
		return came, nil
	case <-time.After(patience()):
		return nil, fmt.Errorf("nobody came back; the page shows: %s", f.shown())
	}
}

func newFirefoxWorld(t *testing.T) (*world, *firefox) {
	t.Helper()
	return newFirefoxWorldOf(t, stytchtest.Development())
}

func newFirefoxWorldOf(t *testing.T, seed stytchtest.Seed) (*world, *firefox) {
	t.Helper()
	needsBrowser(t)
	seed.ConnectedApps[0].RedirectURLs = append(seed.ConnectedApps[0].RedirectURLs, "http://127.0.0.1/callback")
	w := newWorldOf(t, stytchtest.Options{Seed: &seed})
	w.callbacks = newCallbacks(t)
	return w, w.newFirefox()
}

// comesIn fails unless whoever types an address gets a token of the subject.
func (f *firefox) comesIn(t *testing.T, typed, address, subject string) {
	t.Helper()
	gpt := f.w.gpt()
	code, err := gpt.Authorize(t.Context(), f.w.callbacks.url, firefoxVisit{f, typed, address})
	if err != nil {
		t.Fatal(err)
	}
	token, err := gpt.Exchange(t.Context(), code, f.w.callbacks.url)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.w.isFor(gpt, token, subject); err != nil {
		t.Error(err)
	}
}

// Chromium sends the domain of an address in ASCII by itself, as invitations keep it. Firefox
// sends it as it is typed.
func TestInABrowserAnInvitedPersonComesInWithFirefox(t *testing.T) {
	t.Parallel()
	w, f := newFirefoxWorld(t)
	r := w.call("POST", "/api/v1/members/invitations", w.token(ada, "members:invite"), `{"email":"eva@grün.example"}`)
	var eva struct {
		ID string `json:"member_id"`
	}
	if err := json.Unmarshal([]byte(r.body), &eva); err != nil || r.status != 201 {
		t.Fatalf("inviteMember: %d %s", r.status, r.body)
	}
	f.comesIn(t, "eva@grün.example", "eva@xn--grn-ioa.example", eva.ID)
}

// Everything that people see works in Firefox, too, under the same policies.
func TestInABrowserTheWholeLoopWithFirefox(t *testing.T) {
	t.Parallel()
	w, f := newFirefoxWorld(t)
	for path, wanted := range map[string]string{"/": "/openapi.json",
		"/docs#listTasks": "Only tasks in this state", "/privacy": "ChatGPT"} {
		if err := errors.Join(f.open(w.url+path), f.see(wanted)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	f.comesIn(t, "ada@acme.example", "ada@acme.example", ada)
	if violations, err := f.violations(); err != nil || len(violations) > 0 {
		t.Errorf("%v %q", err, violations)
	}
	f.mustNotice(t)
	f.mustNotFrame(t)
}

// mustNotice makes sure that a violation would have been seen.
func (f *firefox) mustNotice(t *testing.T) {
	t.Helper()
	err := errors.Join(f.open(f.w.url+"/privacy"), f.evaluate(`(() => {
		const image = new Image();
		document.body.append(image);
		return new Promise((done) => {
			image.onerror = image.onload = () => done(null);
			image.src = "http://localhost:9/other.png";
		});
	})()`, nil))
	violations, err2 := f.violations()
	if !slices.ContainsFunc(violations, func(v string) bool { return strings.Contains(v, "localhost:9") }) {
		t.Errorf("an image of another host is no violation: %v %v %q", err, err2, violations)
	}
}

// mustNotFrame opens a page of another origin that has ours in frames.
func (f *firefox) mustNotFrame(t *testing.T) {
	t.Helper()
	framing := newFraming(f.w)
	if err := f.open(framing.url); err != nil {
		t.Fatal(err)
	}
	var shown []string
	if err := f.browser("gBrowser.selectedBrowser.browsingContext.children.map(c => "+
		"c.currentWindowGlobal.documentURI.spec)", &shown); err != nil {
		t.Fatal(err)
	}
	framing.check(t, shown)
}

// keys types into what has the focus once it is what is wanted, as somebody does who has no mouse.
func (f *firefox) keys(wanted, text string) error {
	id, err := f.element(wanted + " ? document.activeElement : null")
	if err != nil {
		return err
	}
	return f.call("WebDriver:ElementSendKeys", map[string]any{"id": id, "text": text}, nil)
}

// Firefox gives up the focus with a field that goes, as Chromium does, and in its own way.
func TestInABrowserTheFocusFollowsTheStepsWithFirefox(t *testing.T) {
	t.Parallel()
	const enter, tab = "\ue007", "\ue004"
	const focused = "document.activeElement.innerText.trim()"
	for _, tt := range []struct {
		vertical, email string
		seed            stytchtest.Seed
		choose          bool
	}{
		{"members", "ada@acme.example", stytchtest.Development(), true},
		{"users", "ada@example.com", stytchtest.DevelopmentConsumer(), false},
	} {
		t.Run(tt.vertical, func(t *testing.T) {
			t.Parallel()
			w, f := newFirefoxWorldOf(t, tt.seed)
			must(t, f.open(w.authorizeURL()))
			must(t, f.fill("input[type=email]", tt.email))
			must(t, f.keys("document.activeElement.type === 'email'", enter))
			ctx, cancel := context.WithTimeout(t.Context(), patience())
			defer cancel()
			code, err := w.person("").Code(ctx, tt.email)
			must(t, err)
			must(t, f.keys("document.activeElement.matches('[autocomplete=one-time-code]')", code))
			if tt.choose {
				must(t, f.keys(focused+" === 'Select an organization to continue'", tab))
				must(t, f.keys(focused+".endsWith('Acme')", enter))
			}
			_, err = f.element(focused + " === 'Allow access?' ? document.activeElement : null")
			must(t, err)
			must(t, f.press("Deny"))
			select {
			case back := <-w.callbacks.came:
				if back.Query().Get("error") != "access_denied" {
					t.Errorf("came back with %v", back)
				}
			case <-time.After(patience()):
				t.Errorf("nobody came back; the page shows: %s", f.shown())
			}
			if violations, err := f.violations(); err != nil || len(violations) > 0 {
				t.Errorf("%v %q", err, violations)
			}
		})
	}
}
