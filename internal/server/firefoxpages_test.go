package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// settings are preferences of Firefox that stand for what a reader has chosen.
var settings = map[string]map[string]int{
	"light": {"layout.css.prefers-color-scheme.content-override": 1, "browser.display.document_color_use": 0},
	"dark":  {"layout.css.prefers-color-scheme.content-override": 0, "browser.display.document_color_use": 0},
	// of colours, and of nothing that moves
	"forced": {"browser.display.document_color_use": 2, "ui.prefersReducedMotion": 1},
}

// show has Firefox show the page so: zoom enlarges everything, text what is written.
func (f *firefox) show(scheme string, zoom, text float64) error {
	set := fmt.Sprintf("gBrowser.selectedBrowser.fullZoom = %v, gBrowser.selectedBrowser.textZoom = %v", zoom, text)
	for name, value := range settings[scheme] {
		set += fmt.Sprintf(", Services.prefs.setIntPref(%q, %d)", name, value)
	}
	if err := f.browser("("+set+", true)", nil); err != nil {
		return err
	}
	// a page is laid out anew with the next frame
	return f.promised("requestAnimationFrame(() => requestAnimationFrame(() => done()))", nil)
}

// promised runs a script, and waits until it calls done with the value.
func (f *firefox) promised(script string, value any) error {
	return f.call("WebDriver:ExecuteAsyncScript", map[string]any{"args": []any{},
		"script": "const [done] = arguments; " + script}, value)
}

// asks returns what a function of testdata/everypage.js finds.
func (f *firefox) asks(function string, value any) error {
	source, err := everyPage()
	if err != nil {
		return err
	}
	return f.call("WebDriver:ExecuteScript", map[string]any{"script": source + "; return everyPage." + function + "()",
		"args": []any{}, "sandbox": "pages", "newSandbox": false}, value)
}

func (f *firefox) axe() ([]string, error) {
	source, err := axe()
	if err != nil {
		return nil, err
	}
	var answer string
	err = f.promised(source+";\n"+findViolations+".then(done, (wrong) => done(String(wrong)))", &answer)
	if err != nil {
		return nil, err
	}
	var list []string
	if err := json.Unmarshal([]byte(answer), &list); err != nil {
		return nil, fmt.Errorf("axe: %s", answer)
	}
	return list, nil
}

// byKeys presses Tab as often as it takes to come by everything.
func (f *firefox) byKeys() (faults []string, err error) {
	controls := 0
	if err := f.asks("walk", &controls); err != nil {
		return nil, err
	}
	const tab = "\ue004"
	var presses []any
	for range controls + 2 {
		presses = append(presses, map[string]any{"type": "keyDown", "value": tab},
			map[string]any{"type": "keyUp", "value": tab})
	}
	err = f.call("WebDriver:PerformActions", map[string]any{"actions": []any{map[string]any{"type": "key", "id": "keys",
		"actions": presses}}}, nil)
	return faults, errors.Join(err, f.asks("walked", &faults))
}

// faultsOfPage are what is wrong with a page in Firefox, as in Chromium.
func (f *firefox) faultsOfPage() (faults []string, err error) {
	collect := func(how string, list []string, err2 error) {
		for _, fault := range list {
			faults = append(faults, fault+" ("+how+")")
		}
		err = errors.Join(err, err2)
	}
	for _, how := range []struct {
		scheme     string
		zoom, text float64
		axe        bool
	}{{"light", 1, 1, true}, {"light", 2, 1, false}, {"light", 4, 1, true}, {"light", 1, 2, false},
		{"dark", 1, 1, true}} {
		name := fmt.Sprintf("%s, zoom %v, text %v", how.scheme, how.zoom, how.text)
		var found []string
		err = errors.Join(err, f.show(how.scheme, how.zoom, how.text), f.asks("layout", &found))
		collect(name, found, nil)
		if how.axe {
			found, err2 := f.axe()
			collect(name, found, err2)
		}
	}
	found, err2 := f.byKeys()
	collect("by keys", found, err2)
	err = errors.Join(err, f.show("forced", 1, 1))
	for _, function := range []string{"forced", "moving", "head"} {
		var found []string
		err = errors.Join(err, f.asks(function, &found))
		collect("forced", found, nil)
	}
	return faults, errors.Join(err, f.show("light", 1, 1))
}

// TestInABrowserPagesAreForEverybodyWithFirefox, which zooms, and lays out and names things in its own way: one state
// of each page.
func TestInABrowserPagesAreForEverybodyWithFirefox(t *testing.T) {
	t.Parallel()
	w, f := newFirefoxWorld(t)
	w.lived()
	must(t, f.call("WebDriver:SetWindowRect", map[string]any{"width": 1280, "height": 900}, nil))
	signedIn := func() error {
		return f.call("WebDriver:AddCookie", map[string]any{"cookie": map[string]any{"name": "stytch_session",
			"value": w.passwordSession("ada@acme.example", acme), "path": "/"}}, nil)
	}
	for _, page := range []struct {
		name, path, shows string
		before            func() error
	}{
		{"landing", "/", "Make a GPT with it", nil},
		{"operations", "/docs", "Operations", nil},
		{"privacy", "/privacy", "Ending it", nil},
		{"mistyped address", "/acount", "There is no page", nil},
		{"unknown client", asked("client_id", "connected-app-test-other"), "Unknown application", nil},
		{"sign in", strings.TrimPrefix(w.authorizeURL(), w.url), "Continue with email", nil},
		{"consent", strings.TrimPrefix(w.authorizeURL(), w.url), "Allow ChatGPT to:", signedIn},
		{"account", "/account", "Signed in as", nil},
	} {
		t.Run(page.name, func(t *testing.T) {
			if page.before != nil {
				must(t, page.before())
			}
			must(t, f.open(w.url+page.path))
			must(t, f.see(page.shows))
			_, err := f.element("document.querySelector('[inert]') ? null : document.body")
			must(t, err)
			faults, err := f.faultsOfPage()
			must(t, err)
			for _, fault := range faults {
				if !slices.ContainsFunc(exceptions, func(e exception) bool { return e.is(page.name, fault) }) {
					t.Error(fault)
				}
			}
		})
	}
	if violations, err := f.violations(); err != nil || len(violations) > 0 {
		t.Errorf("%v %q", err, violations)
	}
}
