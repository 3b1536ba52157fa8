package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"guestpass"
	"guestpass/internal/inside"
	"guestpass/stytchtest"
)

// A gallery shows the states of one vertical, in one browser and on one server for each place.
type gallery struct {
	t        *testing.T
	vertical string
	seed     func() stytchtest.Seed
	browser  context.Context
	worlds   map[string]*world

	visited  int
	seen     map[string]bool // keys of words
	reasons  map[string]bool // for which nobody came in
	needed   map[exception]bool
	headings map[string]string // by title
}

// newPlace starts the server of a place.
func (g *gallery) newPlace(name string) *world {
	seed, at, app := g.seed(), places[name], newLoginApp(g.t)
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	g.t.Cleanup(silent.Close)
	seed.ConnectedApps[0].RedirectURLs = append(seed.ConnectedApps[0].RedirectURLs, "http://127.0.0.1/callback",
		silent.URL+"/callback")
	seed.Project.Registration = true
	if at.seed != nil {
		at.seed(&seed)
	}
	changes := []func(*guestpass.Options){func(o *guestpass.Options) { o.Limits.Now = o.Now }}
	if at.change != nil {
		changes = append(changes, at.change)
	}
	if at.login != nil {
		changes = append(changes, at.login(app, &seed))
	}
	w := newWorldOf(g.t, stytchtest.Options{Seed: &seed, LoopbackDocuments: true}, changes...)
	w.callbacks, w.silent = newCallbacks(g.t), silent.URL+"/callback"
	if at.login != nil {
		w.login = app
	}
	switch name {
	case "":
		w.lived()
	case "without its store":
		w.lived()
		must(g.t, w.options.Store.Close())
	}
	return w
}

// lived has Ada, and who else is in her organization, connect the GPT, and the GPT do something.
func (w *world) lived() {
	w.consent(w.ada().subject)
	if w.options.Vertical != "consumer" {
		w.consent(grace)
	}
	token := w.token(w.ada().subject, "tasks:read", "tasks:write")
	for _, title := range []string{"Water the plants", "Read the minutes", "Order coffee"} {
		var task struct {
			ID string `json:"task_id"`
		}
		r := w.call("POST", "/api/v1/tasks", token, `{"title":"`+title+`"}`)
		if err := json.Unmarshal([]byte(r.body), &task); err != nil || task.ID == "" {
			w.t.Fatalf("createTask: %d %s", r.status, r.body)
		}
		if title == "Order coffee" {
			w.call("DELETE", "/api/v1/tasks/"+task.ID, token, "")
		}
	}
}

// visits goes to a state in a browser that knows nothing yet, and hands over who is there.
func (g *gallery) visits(s state, look func(p *person)) {
	g.t.Run(s.name, func(t *testing.T) {
		w := *g.worlds[s.at]
		w.t = t
		p := &person{w: &w, browser: g.browser, name: s.name}
		must(t, p.do(newTabAt("about:blank"), forgetting))
		if w.login == nil { // whose tokens last as long
			w.stytch.Advance(time.Minute) // limits are by the minute
		}
		p.mailed = len(w.stytch.Inbox())
		defer w.stytch.ClearFaults()
		for _, do := range s.steps(&w) {
			must(t, do(p))
		}
		must(t, p.until("document.readyState === 'complete' && !!document.querySelector('h1') && "+
			"!document.querySelector('[inert]')"))
		look(p)
	})
}

// forgetting clears what the browser keeps.
func forgetting(p *person) error {
	_, err := chromedp.Call(p.tab, network.ClearBrowserCookies, cdp.Empty{})
	for _, origin := range []string{p.w.url} {
		_, err2 := chromedp.Call(p.tab, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: origin,
			StorageTypes: "local_storage,session_storage"})
		err = errors.Join(err, err2)
	}
	_, err2 := chromedp.Call(p.tab, emulation.SetFocusEmulationEnabled,
		emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return errors.Join(err, err2)
}

// everyPage are the functions with which pages are looked at.
var everyPage = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile("testdata/everypage.js")
	return string(source), err
})

// asks returns the faults that a function of testdata/everypage.js finds.
func (p *person) asks(function string) ([]string, error) {
	source, err := everyPage()
	if err != nil {
		return nil, err
	}
	return chromedp.Run(p.tab, chromedp.Evaluate[[]string](source+"; everyPage."+function+"()"))
}

// A screen is what a page is shown on.
type screen struct {
	width        int64
	scheme       string // light, dark or forced: the reader's own colours
	text         int64  // the size of the reader's text in pixels; 0: 16
	still, paper bool
}

func (s screen) String() string {
	name := fmt.Sprintf("%d %s", s.width, s.scheme)
	if s.text > 0 {
		name += fmt.Sprintf(" text of %d", s.text)
	}
	return name
}

// show pretends to be the screen.
func (p *person) show(s screen) error {
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme},
		{Name: "forced-colors", Value: "none"}, {Name: "prefers-reduced-motion", Value: "no-preference"}}
	if s.scheme == "forced" {
		features[0].Value, features[1].Value = "dark", "active"
	}
	if s.still {
		features[2].Value = "reduce"
	}
	media := ""
	if s.paper {
		media = "print"
	}
	text := s.text
	if text == 0 {
		text = 16
	}
	_, err := chromedp.Call(p.tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media,
		Features: features})
	_, err2 := chromedp.Call(p.tab, page.SetFontSizes, page.SetFontSizesParams{
		FontSizes: &page.FontSizes{Standard: text, Fixed: text * 13 / 16}})
	return errors.Join(err, err2, chromedp.Do(p.tab, chromedp.EmulateViewport(s.width, 900)))
}

// faultsOfPage are what is wrong with a page, each with the screens on which it is. A zoom of 200 % on a screen of 1280
// pixels is one of 640, one of 400 % is one of 320.
func (p *person) faultsOfPage(alike bool) (faults map[string][]string, err error) {
	faults = map[string][]string{}
	world, err := p.bringAxe()
	if err != nil {
		return nil, err
	}
	violations := func() ([]string, error) {
		answer, err := p.evaluateIn(world, findViolations)
		if err != nil {
			return nil, err
		}
		return violationsIn(answer)
	}
	var on screen
	look := func(with func() ([]string, error)) {
		list, err2 := with()
		for _, fault := range list {
			faults[fault] = append(faults[fault], on.String())
		}
		err = errors.Join(err, err2)
	}
	asks := func(function string) { look(func() ([]string, error) { return p.asks(function) }) }
	screens := []screen{{width: 320, scheme: "light"}, {width: 320, scheme: "dark"}, {width: 1280, scheme: "light"}}
	if alike {
		screens = screens[:1]
	}
	for _, on = range screens {
		err = errors.Join(err, p.show(on), p.settle())
		look(violations)
		if on.scheme == "light" {
			asks("layout")
		}
	}
	if alike {
		return faults, err
	}
	for _, on = range []screen{{width: 640, scheme: "light"}, {width: 1280, scheme: "light", text: 32}} {
		err = errors.Join(err, p.show(on))
		asks("layout")
	}
	on = screen{width: 1280, scheme: "forced"}
	err = errors.Join(err, p.show(on))
	asks("forced")
	on = screen{width: 1280, scheme: "light", still: true}
	err = errors.Join(err, p.show(on))
	look(p.byKeys)
	asks("moving")
	asks("head")
	look(p.spoken)
	return faults, err
}

// settle waits until colours have changed.
func (p *person) settle() error {
	source, err := everyPage()
	return errors.Join(err, p.until(source+"; everyPage.settled()"))
}

// byKeys presses Tab as often as it takes to come by everything.
func (p *person) byKeys() ([]string, error) {
	source, err := everyPage()
	if err != nil {
		return nil, err
	}
	controls, err := chromedp.Run(p.tab, chromedp.Evaluate[int](source+"; everyPage.walk()"))
	for range controls + 2 {
		err = errors.Join(err, key(kb.Tab)(p))
	}
	if err != nil {
		return nil, err
	}
	return p.asks("walked")
}

// spoken returns what a screen reader cannot name, of the tree that the browser gives it.
func (p *person) spoken() (faults []string, err error) {
	tree, err := chromedp.Call(p.tab, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		return nil, err
	}
	landmarks := map[string]int{}
	for _, node := range tree.Nodes {
		role, name := heard(node.Role), strings.TrimSpace(heard(node.Name))
		if node.Ignored {
			continue
		}
		landmarks[role]++
		if slices.Contains([]string{"button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio",
			"DisclosureTriangle", "image", "img", "navigation", "region", "RootWebArea"}, role) && name == "" {
			faults = append(faults, "nothing is said of a "+role)
		}
	}
	for _, role := range []string{"main", "banner"} {
		if landmarks[role] != 1 {
			faults = append(faults, fmt.Sprintf("%d landmarks %s", landmarks[role], role))
		}
	}
	return faults, nil
}

func heard(value *accessibility.Value) (text string) {
	if value != nil {
		_ = json.Unmarshal([]byte(value.Value), &text)
	}
	return text
}

// An exception is a fault that is not ours to mend. It has to be needed.
type exception struct{ state, fault, why string }

const (
	turns = "two texts of Stytch's component turn up in one place, of which one is out of sight"
	peeks = "the button of Stytch's component that shows a password stands in its field, behind what is written"
	otp   = "the boxes of Stytch's component stand in front of the field that is written in; the one in use is marked"
)

var exceptions = []exception{
	{"", "VerticalTransition_module_secondary", turns},
	{"", "Verifying passcode...", turns},
	{"", `type="password"`, peeks},
	{"", `the focus is not seen on <input autocomplete="one-time-code"`, otp},
	{"", "overlaps <span>0</span>", otp},
	{"", "nothing is said of a image", "icons of Stytch's component, beside words that say the same"},
	{"", "the title \"Sign in", "the sign-in page says in its heading for whom"},
}

func (e exception) is(state, fault string) bool {
	return (e.state == "" || e.state == state) && strings.Contains(fault, e.fault)
}

// TestInABrowserEveryStateIsForEverybody looks at every state of every page: with axe, on screens of all widths, with
// large text, in the dark, in the reader's own colours, by keyboard alone and as a screen reader has it.
func TestInABrowserEveryStateIsForEverybody(t *testing.T) {
	t.Parallel()
	galleries := map[string]*gallery{}
	t.Run("states", func(t *testing.T) {
		for vertical, seed := range map[string]func() stytchtest.Seed{"b2b": stytchtest.Development,
			"consumer": stytchtest.DevelopmentConsumer} {
			g := &gallery{seed: seed, vertical: vertical}
			galleries[vertical] = g
			t.Run(vertical, func(t *testing.T) {
				t.Parallel()
				g.t = t
				g.visitAll()
			})
		}
	})
	both := &gallery{}
	for _, g := range galleries {
		both.add(g)
	}
	if t.Failed() || both.visited < len(of("b2b"))+len(of("consumer")) {
		return // only some were asked for, or seen
	}
	for _, e := range exceptions {
		if !both.needed[e] {
			t.Errorf("the exception is not needed any more: %+v", e)
		}
	}
	both.complete(t)
}

func (g *gallery) visitAll() {
	g.worlds, g.seen, g.reasons = map[string]*world{}, map[string]bool{}, map[string]bool{}
	g.needed, g.headings = map[exception]bool{}, map[string]string{}
	g.browser = newBrowserFor(g.t, 10*time.Minute)
	for _, s := range of(g.vertical) {
		if g.worlds[s.at] == nil {
			g.worlds[s.at] = g.newPlace(s.at)
		}
		g.visits(s, func(p *person) { g.look(s, p) })
	}
	for _, w := range g.worlds {
		for reason := range inside.Refusals(w.app) {
			g.reasons[reason] = true
		}
	}
}

// look holds a state to what every page is held to.
func (g *gallery) look(s state, p *person) {
	t := p.w.t
	g.visited++
	ambiguous, err := g.reads(p)
	must(t, err)
	if *screenshots != "" {
		must(t, p.pictures(strings.NewReplacer(" ", "-", ":", "").Replace(s.name)+"-"+g.vertical))
	}
	if at, ok := readmePictures[s.name]; ok && *readmeFolder != "" && g.vertical == "b2b" {
		must(t, p.pictureForReadme(at))
	}
	// Beside the sign-in page the verticals differ by words alone.
	faults, err := p.faultsOfPage(s.alike || g.vertical == "consumer" && s.route != "GET /idp")
	must(t, errors.Join(err, p.complaints()))
	for _, fault := range ambiguous {
		faults[fault] = nil
	}
	for _, fault := range slices.Sorted(maps.Keys(faults)) {
		i := slices.IndexFunc(exceptions, func(e exception) bool { return e.is(s.name, fault) })
		if i < 0 {
			t.Errorf("%s (%s)", fault, strings.Join(faults[fault], ", "))
			continue
		}
		g.needed[exceptions[i]] = true
	}
}

// reads notes which words a page has, and wants its title to be of no other page. Words that may stand within others
// have to be all that an element says.
func (g *gallery) reads(p *person) ([]string, error) {
	page, err := chromedp.Run(p.tab, chromedp.Evaluate[struct {
		Title, Heading, Text string
		Pieces               []string
	}](`({ title: document.title, heading: document.querySelector("h1").innerText, text: document.body.innerText,
		pieces: [...document.querySelectorAll("a, button, summary, bdi, h1, h2, p, span, li, div")]
			.filter((e) => e.checkVisibility() && e.innerText.length < 100).map((e) => e.innerText.trim()) })`))
	if err != nil {
		return nil, err
	}
	name, _, _ := strings.Cut(page.Title, " – ")
	pieces := append(page.Pieces, name)
	for key, pattern := range patterns(p.w.t) {
		if slices.ContainsFunc(pieces, pattern.whole.MatchString) ||
			pattern.long && pattern.within.MatchString(page.Text) {
			g.seen[key] = true
		}
	}
	if heading, ok := g.headings[page.Title]; ok && heading != page.Heading {
		return []string{fmt.Sprintf("the title %q is of another page too, %q", page.Title, heading)}, nil
	}
	g.headings[page.Title] = page.Heading
	return nil, nil
}

// A wording is how words are told in what an element says, or within it.
type wording struct {
	whole, within *regexp.Regexp
	long          bool // enough to be told within others
}

// patterns are those of all words by key.
var patterns = func() func(testing.TB) map[string]wording {
	var once sync.Once
	found := map[string]wording{}
	return func(t testing.TB) map[string]wording {
		once.Do(func() {
			words := english(t)
			for key := range words {
				pattern := saying(words, key)
				found[key] = wording{whole: regexp.MustCompile("^" + pattern + "$"),
					within: regexp.MustCompile(pattern), long: len(strings.ReplaceAll(pattern, anything, "")) > 8}
			}
		})
		return found
	}
}()

func (g *gallery) add(other *gallery) {
	g.visited += other.visited
	if g.seen == nil {
		g.seen, g.reasons, g.needed = map[string]bool{}, map[string]bool{}, map[exception]bool{}
	}
	maps.Copy(g.seen, other.seen)
	maps.Copy(g.reasons, other.reasons)
	maps.Copy(g.needed, other.needed)
}

// stateless are words that no state shows, for a reason.
var stateless = map[string]string{
	"script.one_moment":   "it is there for a moment only",
	"signin.one_moment":   "it is there for a moment only",
	"script.no_answer":    "it takes 15 seconds, and looks like the others",
	"signin.at_app":       "Stytch registers no return address of an app's own scheme, and nor does the emulator",
	"signin.needs_script": "TestInABrowserPagesNeedNoScript sees it",
	"signin.sign_out":     "it is there until Stytch has answered",
	"script.open":         "TestEndToEndAnAppOnTheDevice sees it",
	"script.opens":        "TestEndToEndAnAppOnTheDevice sees it",
	"no_request":          "nobody has to mend it, so that it is not counted",
}

// complete fails for words of the sign-in page and for reasons that no state shows.
func (g *gallery) complete(t *testing.T) {
	t.Helper()
	source, err := os.ReadFile("../idp/refusals.go")
	must(t, err)
	wanted := map[string]bool{}
	for key := range english(t) {
		if group, _, _ := strings.Cut(key, "."); slices.Contains([]string{"failure", "script", "signin", "notfound"},
			group) {
			wanted[key] = g.seen[key]
		}
	}
	listed := regexp.MustCompile(`(?m)reason = "([a-z_]+)"$|^\t"([a-z_]+)": `)
	for _, found := range listed.FindAllStringSubmatch(string(source), -1) {
		wanted[found[1]+found[2]] = g.reasons[found[1]+found[2]]
	}
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		switch why := stateless[key]; {
		case !wanted[key] && why == "":
			t.Errorf("no state shows %s: add one to states()", key)
		case wanted[key] && why != "":
			t.Errorf("%s has a state: it needs no excuse", key)
		}
	}
	if len(wanted) < 80 {
		t.Errorf("only %d words and reasons were found", len(wanted))
	}
}

// TestEveryPageHasAState: whatever a browser gets a page from is in the list of states.
func TestEveryPageHasAState(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, s := range states() {
		listed[s.route] = false
	}
	for name := range places {
		g := &gallery{t: t, seed: stytchtest.Development}
		w := g.newPlace(name)
		for _, route := range inside.Routes(w.app) {
			method, path, _ := strings.Cut(route, " ")
			if strings.Contains(path, "*") || method != "GET" && method != "POST" {
				continue
			}
			r := w.call(method, path, "", "", asBrowser)
			if !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
				continue
			}
			if _, ok := listed[route]; !ok {
				t.Errorf("%s answers with a page, of which no state is listed in states()", route)
			}
			listed[route] = true
		}
	}
	for route, answers := range listed {
		if route != "" && !answers {
			t.Errorf("states are listed of %s, which answers with no page", route)
		}
	}
}

// spoil puts what must be noticed on a page: each makes one kind of fault.
const spoil = `(() => {
	const put = (tag, style, text) => {
		const e = document.createElement(tag);
		for (const [name, value] of Object.entries(style)) e.style[name] = value;
		e.textContent = text;
		document.querySelector("main").append(e);
		return e;
	};
	put("p", { width: "200vw" }, "wide");
	put("p", { color: "#999", background: "#fff" }, "faint");
	put("p", { overflow: "hidden", width: "2em", whiteSpace: "nowrap" }, "cut off by its box");
	put("button", { outline: "none", border: "none" }, "unseen");
	put("button", {}, "").tabIndex = -1;
	put("button", { marginLeft: "-3em" }, "upon another");
	put("p", {}, "moving").animate([{ opacity: 0.5 }, { opacity: 1 }], { duration: 1000, iterations: Infinity });
	put("h1", {}, "another");
})()`

// noticed are the faults that come of it.
var noticed = []string{"scrolls sideways", "color-contrast", "cut", "the focus is not seen", "button-name", "overlaps",
	"moves", "2 of h1", "no edge in forced colours"}

func missed(faults []string) (kinds []string) {
	for _, kind := range noticed {
		if !slices.ContainsFunc(faults, func(fault string) bool { return strings.Contains(fault, kind) }) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// TestInABrowserWhatKeepsPeopleOutIsNoticed: a look that finds nothing has looked.
func TestInABrowserWhatKeepsPeopleOutIsNoticed(t *testing.T) {
	t.Parallel()
	w, f := newFirefoxWorld(t)
	p := w.newPerson()
	must(t, p.do(newTabAt(w.url+"/privacy"), says("privacy.ends_itself"), script(spoil)))
	found, err := p.faultsOfPage(false)
	if kinds := missed(slices.Collect(maps.Keys(found))); err != nil || len(kinds) > 0 {
		t.Errorf("Chromium: %v %q is not among %q", err, kinds, slices.Collect(maps.Keys(found)))
	}
	must(t, f.open(w.url+"/privacy"))
	must(t, f.see("Ending it"))
	must(t, f.evaluate(spoil, nil))
	faults, err := f.faultsOfPage()
	if kinds := missed(faults); err != nil || len(kinds) > 0 {
		t.Errorf("Firefox: %v %q is not among %q", err, kinds, faults)
	}
}
