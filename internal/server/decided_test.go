package server_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"guestpass"
	"guestpass/api"
	"guestpass/stytchtest"
)

// evaluates wants the expression to have the value once it is looked at.
func evaluates[T comparable](expression string, want T) step {
	return func(p *person) error {
		got, err := chromedp.Run(p.tab, chromedp.Evaluate[T](expression))
		if err == nil && got != want {
			err = fmt.Errorf("%s is %v, want %v; the page shows: %s", expression, got, want, p.shown())
		}
		return err
	}
}

// waits wants it to be true after a while.
func waits(expression string) step { return func(p *person) error { return p.until(expression) } }

// everywhere takes pictures on each device, and checks the page on each.
func everywhere(name string) step {
	return func(p *person) error {
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{1280, 390, 320} {
				if err := p.do(device(width, scheme), look(fmt.Sprintf("%s-%d-%s", name, width, scheme))); err != nil {
					return fmt.Errorf("%s at %d: %w", name, width, err)
				}
			}
		}
		return fits(p)
	}
}

// listed is what the consent page lists, by heading.
const listed = `JSON.stringify([...document.querySelectorAll("#consent ul")].map((list) =>
	[list.previousElementSibling.innerText, ...[...list.children].map((item) => item.innerText)].join(" | ")))`

// What an app may only look at is apart from what it may change, and that from what is not this person's to give; the
// page says who asks, where it leads, and where all of it can be taken back. To deny is as easy as to allow.
func TestEndToEndWhatIsDecidedIsSaid(t *testing.T) {
	t.Parallel()
	const own = "Allow ChatGPT to: | Know who you are here | See your name | See your e-mail address | " +
		"Stay connected until you disconnect"
	looks := func(members string) string {
		return "Allow ChatGPT to see, without changing anything: | " + members +
			"Read tasks | See what was done on your behalf"
	}
	const changes = "Allow ChatGPT to make changes and remove things: | Create, change and delete tasks"
	for _, tt := range []struct {
		name, vertical string
		seed           stytchtest.Seed
		signIn         []step
		change         func(*guestpass.Options)
		want           []string
	}{
		{"an administrator", "b2b", stytchtest.Development(), byCode("ada@acme.example", "Acme"), nil, []string{own,
			looks("See who is in your organization | "),
			"Allow ChatGPT to make changes: | Invite people to your organization", changes}},
		{"a member", "b2b", stytchtest.Development(), byCode("grace@acme.example", "Acme"), nil, []string{own,
			looks("See who is in your organization | "), changes,
			"Asked for, but not yours to give. This will not be allowed: | Invite people to your organization"}},
		{"a user", "consumer", stytchtest.DevelopmentConsumer(), byCode("ada@example.com", ""), nil, []string{own,
			looks(""), changes}},
		{"by role", "b2b", stytchtest.Development(), byCode("grace@acme.example", "Acme"),
			func(o *guestpass.Options) { o.Access = api.ByRole }, []string{own,
				"Allow ChatGPT to make changes and remove things: | Everything that you may do here yourself"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, tt.seed, func(w *world) error {
				return w.newPerson().do(w.visit(slices.Concat(tt.signIn, []step{see("Allow ChatGPT to:"),
					evaluates(listed, asJSON(tt.want)),
					see("a program on this computer (" + host4(w.callbacks.url) + ")"),
					see("Signed in as"), see("you can take back at any time: Connected apps"), asEasy,
					absent("You do not have permissions"), everywhere("consent"), press("Allow")})))
			}, func(o *guestpass.Options) {
				if tt.change != nil {
					tt.change(o)
				}
			})
		})
	}
}

func asJSON(lines []string) string {
	quotedLines := make([]string, len(lines))
	for i, line := range lines {
		quotedLines[i] = quoted(line)
	}
	return "[" + strings.Join(quotedLines, ",") + "]"
}

// asEasy wants two buttons of one size in one row, and one step of the keyboard between them.
func asEasy(p *person) error {
	const boxes = `(() => {
		const [allow, deny] = [...document.querySelectorAll("#consent button")].map((e) => e.getBoundingClientRect());
		return ["width", "height", "top"].every((side) => Math.abs(allow[side] - deny[side]) < 1);
	})()`
	for _, width := range []int64{1280, 390, 320} {
		if err := p.do(device(width, "light"), evaluates(boxes, true)); err != nil {
			return fmt.Errorf("at %d: %w", width, err)
		}
	}
	return p.do(tabTo("Allow"), key(kb.Tab), evaluates("document.activeElement.innerText", "Deny"))
}

// redirectsTo has the GPT ask for the address.
func redirectsTo(address string) func(url.Values) {
	return func(q url.Values) { q.Set("redirect_uri", address) }
}

// ofTheDevice is where an app on the device waits. The emulator registers https and loopback alone, so it knows the
// address under another name, which is changed on the way.
const (
	ofTheDevice = "cursor://anysphere.cursor-mcp/oauth/callback"
	known       = "https://cursor.example/oauth/callback"
)

// registersOfTheDevice puts between server, browser and Stytch what changes the name.
func registersOfTheDevice(t *testing.T) func(*guestpass.Options) {
	return func(o *guestpass.Options) {
		far, err := url.Parse(o.Domain)
		must(t, err)
		between := httptest.NewServer(&httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(far)
				r.Out.Header.Del("Accept-Encoding")
				r.Out.Body, r.Out.ContentLength = replaced(r.In.Body, ofTheDevice, known)
			},
			ModifyResponse: func(r *http.Response) error {
				r.Body, r.ContentLength = replaced(r.Body, known, ofTheDevice)
				r.Header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
				return nil
			},
		})
		t.Cleanup(between.Close)
		o.Domain, o.BaseURL = between.URL, between.URL
	}
}

func replaced(body io.Reader, from, to string) (io.ReadCloser, int64) {
	var text []byte
	if body != nil {
		text, _ = io.ReadAll(body)
	}
	text = bytes.ReplaceAll(text, []byte(from), []byte(to))
	return io.NopCloser(bytes.NewReader(text)), int64(len(text))
}

// An app on the device takes over in a window of its own, or is not there: the page stays in any case, and says what
// was decided, what to do, and where to take it back.
func TestEndToEndAnAppOnTheDevice(t *testing.T) {
	t.Parallel()
	seed := stytchtest.Development()
	seed.ConnectedApps[0].RedirectURLs = append(seed.ConnectedApps[0].RedirectURLs, known)
	endToEnd(t, seed, func(w *world) error {
		const link = `(document.querySelector("#left-link a")?.href ?? "")`
		request := w.authorizeURL(redirectsTo(ofTheDevice))
		state := stateOf(request)
		return w.newPerson().do(slices.Concat([]step{newTabAt(request)}, byCode("ada@acme.example", "Acme"),
			[]step{see("you go back to an app on this device (cursor)"), press("Allow"), see("Access allowed"),
				see("ChatGPT may now do what you allowed."),
				see("Your browser opens an app on this device (cursor) now"),
				see("Open the app"), see("take back at any time: Connected apps"), absent("Allow ChatGPT to:"),
				evaluates("document.activeElement.innerText", "Access allowed"), see("Did nothing happen?"),
				see("Start it again"), evaluates(link+`.startsWith("`+ofTheDevice+`?")`, true),
				evaluates(`new URL(`+link+`).searchParams.get("state")`, state), everywhere("app"), reload,
				see("You decided this a moment ago"), see("Access allowed"), absent("Open the app"),
				everywhere("again"),
				press("Decide again"), see("Allow ChatGPT to:"), press("Deny"), see("Access denied"),
				see("Nothing was allowed"), absent("take back"), see("You can close this page"),
				evaluates(`new URL(`+link+`).searchParams.get("error")`, "access_denied"), everywhere("denied")})...)
	}, registersOfTheDevice(t))
}

func stateOf(request string) string {
	u, _ := url.Parse(request)
	return u.Query().Get("state")
}

// A site that shows nothing leaves the page as it is, which says so after a while.
func TestEndToEndASiteThatShowsNothing(t *testing.T) {
	t.Parallel()
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent) // whom nobody answers at all Chromium shows no script either
	}))
	t.Cleanup(silent.Close)
	callback := silent.URL + "/callback"
	for name, tt := range map[string]struct {
		press string
		words []string
	}{
		"allowed": {"Allow", []string{"Access allowed", "You go back to a program", "Start it again",
			"Connected apps"}},
		"denied": {"Deny", []string{"Access denied", "Nothing was allowed.", "You can close this page."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := stytchtest.DevelopmentConsumer()
			seed.ConnectedApps[0].RedirectURLs = append(seed.ConnectedApps[0].RedirectURLs, callback)
			endToEnd(t, seed, func(w *world) error {
				steps := append([]step{newTabAt(w.authorizeURL(redirectsTo(callback)))},
					byCode("ada@example.com", "")...)
				steps = append(steps, press(tt.press), see("Did nothing happen?"), see("Go to the app"))
				for _, words := range tt.words {
					steps = append(steps, see(words))
				}
				return w.newPerson().do(append(steps, look("silent"))...)
			})
		})
	}
}

// The same in German, of which no word is English.
func TestEndToEndWhatBecomesOfADecisionIsToldInGerman(t *testing.T) {
	t.Parallel()
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(silent.Close)
	callback := silent.URL + "/callback"
	seed := stytchtest.DevelopmentConsumer()
	seed.ConnectedApps[0].RedirectURLs = append(seed.ConnectedApps[0].RedirectURLs, callback)
	endToEnd(t, seed, func(w *world) error {
		return w.newPerson().do(inGerman(w.authorizeURL(redirectsTo(callback))),
			fill("input[type=email]", "ada@example.com"), press("Weiter mit E-Mail"), typeCode,
			see("ChatGPT erlauben:"), see("ChatGPT Änderungen und das Löschen erlauben:"), german("consent"),
			press("Erlauben"), see("Zugriff erlaubt"), see("Ist nichts geschehen?"), german("allowed"), reload,
			see("Sie haben das eben entschieden"), german("again"), press("Neu entscheiden"), press("Ablehnen"),
			see("Zugriff abgelehnt"), see("Ist nichts geschehen?"), german("denied"),
			inGerman(w.authorizeURL(scopes("openid nonsense:read"))), see("Das hat nicht geklappt"),
			see("Zurück zu ChatGPT"), see("Kennung: req-"), german("scope"))
	})
}

// Where a program on this computer has ended the browser says so itself, on a page of its own. Who goes back from there
// is told what they decided, and does not decide anew unawares.
func TestEndToEndAProgramThatHasEnded(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String() + "/callback"
	must(t, listener.Close())
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		p := w.newPerson()
		back := func(p *person) error {
			_, err := chromedp.Call(p.tab, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{
				EntryID: p.entryBefore()})
			return err
		}
		return p.do(slices.Concat([]step{newTabAt(w.authorizeURL(redirectsTo(address)))},
			byCode("ada@acme.example", "Acme"),
			[]step{press("Allow"), waits("location.protocol === 'chrome-error:'"), back, see("Access allowed"),
				see("You decided this a moment ago"), see("could not be reached"), see("Connected apps"),
				absent("Allow ChatGPT to:"), look("back")})...)
	})
}

// entryBefore returns the one of the tab's history to which Back leads.
func (p *person) entryBefore() int64 {
	history, err := chromedp.Call(p.tab, page.GetNavigationHistory, cdp.Empty{})
	if err != nil || history.CurrentIndex == 0 {
		return 0
	}
	return history.Entries[history.CurrentIndex-1].ID
}

// What is typed after a step goes where that step wants it, without a click: digits into the code, and Tab and Enter
// to what there is to choose.
func TestEndToEndTheFocusFollowsTheSteps(t *testing.T) {
	t.Parallel()
	const focused = "document.activeElement.innerText.trim()"
	inCode := waits("document.activeElement.autocomplete === 'one-time-code'")
	wrong := func(p *person) error { return typeText("000000")(p) }
	for _, tt := range []struct {
		vertical string
		seed     stytchtest.Seed
		email    string
		choose   []step
	}{
		{"members", stytchtest.Development(), "ada@acme.example", []step{
			waits(focused + " === 'Select an organization to continue'"), key(kb.Tab),
			evaluates(focused+".endsWith('Acme')", true), key(kb.Enter)}},
		{"users", stytchtest.DevelopmentConsumer(), "ada@example.com", nil},
	} {
		t.Run(tt.vertical, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, tt.seed, func(w *world) error {
				return w.newPerson().do(slices.Concat([]step{newTabAt(w.authorizeURL()), tabTo("Email"),
					typeText(tt.email), key(kb.Enter), inCode, wrong, see("Invalid passcode"), inCode,
					evaluates("document.activeElement.disabled", false), func(p *person) error {
						for range 6 {
							if err := key(kb.Backspace)(p); err != nil {
								return err
							}
						}
						return nil
					}, typeMailed}, tt.choose, []step{see("Allow ChatGPT to:"),
					waits(focused + " === 'Allow access?'")})...)
			})
		})
	}
}
