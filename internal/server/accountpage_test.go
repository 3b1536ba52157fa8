package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"guestpass"
	"guestpass/api"
	"guestpass/store"
	"guestpass/stytchtest"
)

var undoPattern = regexp.MustCompile(
	`href="(/account/undo\?activity=[a-z0-9_]+)">Undo<span class="unseen">: ([^<]+)</span>`)

// undoLink returns where the page asks whether to undo a change, which it tells in these words; "" for nowhere.
func (s signedIn) undoLink(words string) string {
	s.w.t.Helper()
	for _, found := range undoPattern.FindAllStringSubmatch(s.at("/account?changes=all").body, -1) {
		if found[2] == words {
			return found[1]
		}
	}
	return ""
}

// undoForm returns what the button there sends.
func (s signedIn) undoForm(words string) string {
	s.w.t.Helper()
	r := s.at(s.undoLink(words))
	form := formPattern.FindStringSubmatch(r.body)
	if form == nil {
		s.w.t.Fatalf("%s cannot be undone: %d %s", words, r.status, r.body)
	}
	return form[1]
}

func (s signedIn) sendUndo(form string, change ...func(*http.Request)) reply {
	s.w.t.Helper()
	r := s.send("/account/undo", form, change...)
	r.body = strings.NewReplacer("<bdi>", "", "</bdi>", "").Replace(r.body)
	return r
}

// says fails unless a page has each of the texts.
func (w *world) says(page reply, status int, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if !strings.Contains(page.body, text) {
			w.t.Errorf("it does not say %q", text)
		}
	}
	if page.status != status || w.t.Failed() {
		w.t.Fatalf("%d, want %d:\n%s", page.status, status, page.body)
	}
}

func TestEveryChangeIsToldInItsOwnWords(t *testing.T) {
	w := newWorld(t)
	p := w.as(ada)
	path := "/api/v1/tasks/" + p.create(`{"title":"Water <the> plants","due":"2026-11-30"}`)
	p.do(200, "PATCH", path, `{"due":"2026-12-02"}`)
	p.do(201, "POST", path+"/comments", `{"text":"The cactus too?\nYes. `+strings.Repeat("x", 200)+`"}`)
	p.do(200, "POST", path+"/complete", "")
	p.do(200, "DELETE", path, "")
	p.do(200, "POST", path+"/restore", "")
	p.do(201, "POST", "/api/v1/members/invitations", `{"email":"mary@acme.example"}`)
	list := p.do(200, "GET", "/api/v1/activity", "")["activities"].([]any)
	last := list[len(list)-1].(map[string]any)["activity_id"].(string)
	s := w.signIn(ada)
	w.says(s.at("/account?changes=all"), 200, "Created task “Water &lt;the&gt; plants”",
		"Changed task “Water &lt;the&gt; plants”", "Commented on a task: “The cactus too? Yes. xxx", "…”",
		"Completed task “Water", "Deleted task “Water", "Brought back task “Water", "Invited mary@acme.example",
		`<dt>due</dt><dd>2026-11-30 <span class="becomes"><span class="unseen">becomes</span></span> 2026-12-02</dd>`,
		"through ChatGPT", `id="`+last+`"`, `<time datetime="`)
	german := w.call("GET", "/account?changes=all", "", "", accepts("de"),
		func(r *http.Request) { r.Header.Set("Cookie", s.cookie) })
	w.says(german, 200, "Aufgabe „<bdi>Water &lt;the&gt; plants</bdi>“ angelegt", "<dt>Fällig</dt>",
		"<bdi>mary@acme.example</bdi> eingeladen")
	if strings.Contains(german.body, "member_id") && !strings.Contains(german.body, "Mitglied") {
		t.Error("fields have no German names")
	}
}

// A declaration without words, and a record without the field, leave the summary.
func TestWhereThereAreNoWordsTheSummaryStands(t *testing.T) {
	w := newWorld(t, shelf)
	must(t, w.options.Store.Write(t.Context(), func(tx *store.Tx) error {
		for _, operation := range []string{"createTask", "putOnShelf", "longGone"} {
			tx.Changed("shf_1", nil, map[string]string{"name": "jar"})
			if _, err := tx.Record(store.Activity{Owner: acme, Subject: ada, Operation: operation,
				Outcome: store.Done}); err != nil {
				return err
			}
		}
		tx.Changed("tsk_1", nil, map[string]string{"title": "jar"})
		_, err := tx.Record(store.Activity{Owner: acme, Subject: ada, Operation: "createTask", Outcome: store.Failed})
		return err
	}))
	w.says(w.signIn(ada).at("/account?changes=all"), 200, "Create a task shf_1", "Change the shelf shf_1",
		"longGone shf_1", "Create a task tsk_1 (failed)")
}

func TestUndoOnThePage(t *testing.T) {
	t.Parallel()
	b2b, consumer := stytchtest.Development(), stytchtest.DevelopmentConsumer()
	for name, tt := range map[string]struct {
		subject string
		seed    stytchtest.Seed
		change  func(*guestpass.Options)
	}{
		"member":  {ada, b2b, func(*guestpass.Options) {}},
		"user":    {userAda, consumer, func(*guestpass.Options) {}},
		"by role": {ada, b2b, byRole},
		// there is no token to ask about, and so no app whose secret would be needed
		"introspecting": {ada, b2b, func(o *guestpass.Options) { o.Introspect = true }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, stytchtest.Options{Seed: &tt.seed}, tt.change)
			introspects := w.options.Introspect
			if introspects { // what the app does would be refused
				w.options.Introspect = false
				other := w.twin()
				other.as(tt.subject).create(`{"title":"Water the plants"}`)
			} else {
				w.as(tt.subject).create(`{"title":"Water the plants"}`)
			}
			const words = "Created task “Water the plants”"
			s := w.signIn(tt.subject)
			w.says(s.at(s.undoLink(words)), 200, "Undo this change?", words, "What was made is taken away again.")
			r := s.sendUndo(s.undoForm(words))
			w.says(r, 303)
			page := s.at(r.header.Get("Location"))
			w.says(page, 200, "Undone: "+words, "Undid: "+words, "on this page", "It was undone.")
			if s.undoLink(words) != "" {
				t.Error("it can be undone once more")
			}
			if list := w.as(tt.subject).do(200, "GET", "/api/v1/tasks", ""); len(list["tasks"].([]any)) != 0 {
				t.Errorf("the task is there: %v", list)
			}
			w.says(s.sendUndo(s.undoForm("Undid: "+words)), 303)
			w.says(s.at("/account?changes=all"), 200, "Did again: "+words)
			if list := w.as(tt.subject).do(200, "GET", "/api/v1/tasks", ""); len(list["tasks"].([]any)) != 1 {
				t.Errorf("the task is not there again: %v", list)
			}
			if log := w.log.String(); !strings.Contains(log, `"path":"/account/undo","status":303`) {
				t.Error("the undo is not in the log")
			}
		})
	}
}

// What is before, the page shows by field; what stands in the way it says in words, and changes nothing.
func TestThePageSaysWhyItDoesNotUndo(t *testing.T) {
	w := newWorld(t)
	a, s := w.as(ada), w.signIn(ada)
	task := a.create(`{"title":"Plants","due":"2026-11-30","assignee":"` + grace + `"}`)
	path := "/api/v1/tasks/" + task
	a.do(200, "PATCH", path, `{"due":"2026-12-02"}`)
	const words = "Changed task “Plants”"
	link, form := s.undoLink(words), s.undoForm(words)
	w.says(s.at(link), 200, "<dd>2026-12-02 ", "</span></span> 2026-11-30</dd>")
	w.says(s.at("/account?changes=all"), 200, "Changed again since, so it cannot be undone by itself.") // the creation

	a.do(200, "PATCH", path, `{"title":"Plant"}`)
	w.says(s.at(link), 200, "This is not undone", "It was changed later in your name.", "Changed task “Plant”",
		"See the later change")
	see := regexp.MustCompile(`href="([^"#]+)[^"]*">See the later change`).FindStringSubmatch(s.at(link).body)
	if told, _, _ := deeds(s.at(see[1])); len(told) != 3 || told[0] != "Changed task “Plant”" {
		t.Errorf("the page that begins with the later change tells of %q", told)
	}
	w.says(s.sendUndo(form), 409, "It was changed later in your name.")

	w.as(grace).do(200, "PATCH", path, `{"title":"Grace's own words"}`)
	later := s.sendUndo(form)
	w.says(later, 409, "Somebody else changed it later, on ")
	if strings.Contains(later.body, "own words") {
		t.Errorf("the page shows what another person did:\n%s", later.body)
	}

	own := a.create(`{"title":"Mine"}`)
	form = s.undoForm("Created task “Mine”")
	other := w.signIn(grace)
	activity := strings.TrimPrefix(s.undoLink("Created task “Mine”"), "/account/undo?")
	w.says(other.at("/account/undo?"+activity), 404, "There is no such change in your name.")
	w.says(other.sendUndo(form), 403, "Nothing was undone")
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/sessions", Status: 503})
	w.says(s.sendUndo(form), 503, "Nothing was undone: that is not possible at the moment.")
	w.stytch.ClearFaults()
	w.stytch.Advance(time.Minute)
	w.changeProject(func(seed *stytchtest.Seed) {
		for i := range seed.Policy.Roles {
			seed.Policy.Roles[i].Permissions = nil
		}
	})
	w.says(s.sendUndo(form), 403, "You may not change it any more.")
	if status := w.call("GET", "/api/v1/tasks/"+own, a.token, "").status; status != 200 {
		t.Errorf("it was undone all the same: %d", status)
	}
}

func TestWhatWasDeletedLongAgoIsNotUndone(t *testing.T) {
	w := newWorld(t)
	a := w.as(ada)
	a.do(200, "DELETE", "/api/v1/tasks/"+a.create(`{"title":"Old"}`), "")
	link := w.signIn(ada).undoLink("Deleted task “Old”")
	w.says(w.signIn(ada).at(link), 200, "What was taken away is there again.")
	w.stytch.Advance(31 * 24 * time.Hour)
	s := w.signIn(ada)
	if again := s.undoLink("Deleted task “Old”"); again != "" {
		t.Errorf("it is offered: %s", again)
	}
	w.says(s.at(link), 200, "It was deleted more than 30 days ago, which is final.")
}

func TestUndoingKeepsToTheQuota(t *testing.T) {
	w := newWorld(t, func(o *guestpass.Options) {
		database, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + t.TempDir() + "/g.db", Now: o.Now,
			Schemas: api.Schemas(o.Resources), Quota: store.Quota{Activities: 4}})
		must(t, err)
		t.Cleanup(func() { _ = database.Close() })
		o.Store = database
	})
	a, s := w.as(ada), w.signIn(ada)
	a.do(200, "DELETE", "/api/v1/tasks/"+a.create(`{"title":"One"}`), "")
	w.says(s.sendUndo(s.undoForm("Deleted task “One”")), 507, "There is no room left for it.")
}

// A server without anything that can be undone offers nothing.
func TestWithoutUndoThereIsNoButton(t *testing.T) {
	w := newWorld(t, withModules("members"))
	w.as(ada).do(201, "POST", "/api/v1/members/invitations", `{"email":"mary@acme.example"}`)
	s := w.signIn(ada)
	page := s.at("/account?changes=all")
	w.says(page, 200, "Invited mary@acme.example")
	if strings.Contains(page.body, "Undo") {
		t.Errorf("%s", page.body)
	}
	found := regexp.MustCompile(`id="(act_[^"]+)"`).FindStringSubmatch(page.body)
	w.says(s.at("/account/undo?activity="+found[1]), 200, "It cannot be undone here.")
}

func TestOnlyThePageItselfCanUndo(t *testing.T) {
	w := newWorld(t, func(o *guestpass.Options) { o.PublicURL = origin })
	task := w.as(grace).create(`{"title":"Plants"}`)
	p, other := w.signIn(grace), w.signIn(ada)
	form := p.undoForm("Created task “Plants”")
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	without := func(names ...string) func(*http.Request) {
		return func(r *http.Request) {
			for _, name := range names {
				r.Header.Del(name)
			}
		}
	}
	w.consent(grace)
	revoke := p.form(gptName())
	for name, tt := range map[string]struct {
		form   string
		change []func(*http.Request)
	}{
		"cross-site":            {form, []func(*http.Request){set("Sec-Fetch-Site", "cross-site")}},
		"same-site":             {form, []func(*http.Request){set("Sec-Fetch-Site", "same-site")}},
		"typed by hand":         {form, []func(*http.Request){set("Sec-Fetch-Site", "none")}},
		"foreign origin":        {form, []func(*http.Request){set("Origin", "https://evil.example")}},
		"absent":                {form, []func(*http.Request){without("Sec-Fetch-Site", "Origin")}},
		"no form":               {"", nil},
		"altered form":          {form[:len(form)/2] + flipped(form[len(form)/2:]), nil},
		"a form to revoke":      {revoke, nil},
		"another's session":     {form, []func(*http.Request){set("Cookie", other.cookie)}},
		"no session":            {form, []func(*http.Request){without("Cookie")}},
		"as JSON":               {form, []func(*http.Request){set("Content-Type", "application/json")}},
		"with somebody's token": {form, []func(*http.Request){without("Cookie"), set("Authorization", "Bearer x")}},
	} {
		if r := p.sendUndo(tt.form, tt.change...); r.status != 403 || !strings.Contains(r.body, "Nothing was undone") ||
			r.header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	w.stytch.Advance(61 * time.Minute)
	if r := w.signIn(grace).sendUndo(form); r.status != 403 {
		t.Errorf("a form that is too old: %d", r.status)
	}
	if status := w.call("GET", "/api/v1/tasks/"+task, w.token(grace, everything...), "").status; status != 200 {
		t.Errorf("it was undone all the same: %d", status)
	}
	for _, address := range []string{"/account/undo", "/account/undo?activity=x",
		"/account/undo?activity=act_1&activity=", "/account/revoke", "/account/revoke?about=a&about=b"} {
		if r := p.at(address); r.status != 400 {
			t.Errorf("%s: %d", address, r.status)
		}
	}
	for _, about := range []string{"x", revoke, form} {
		if r := p.at("/account/revoke?about=" + about); r.status != 403 {
			t.Errorf("to ask about what no link has: %d %s", r.status, r.body)
		}
	}
}

// Pressed twice, by somebody who goes away: it is undone, once.
func TestUndoingTwiceIsUndoingOnce(t *testing.T) {
	w := newWorld(t)
	w.as(ada).create(`{"title":"Plants"}`)
	s := w.signIn(ada)
	form := s.undoForm("Created task “Plants”")
	for range 2 {
		if r := s.sendUndo(form); r.status != 303 {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	if page := s.at("/account?changes=all").body; strings.Count(page, `<p class="deed">Undid: `) != 1 {
		t.Errorf("%s", page)
	}
}

// seeds records that many changes, of which every tenth takes something away, through an app or none.
func (w *world) seedChanges(subject, client string, number int) {
	w.t.Helper()
	for begun := 0; begun < number; begun += 500 {
		must(w.t, w.options.Store.Write(w.t.Context(), func(tx *store.Tx) error {
			for i := begun; i < min(number, begun+500); i++ {
				before, operation := any(map[string]string{"title": "before"}), "updateTask"
				if i%10 == 0 {
					before, operation = nil, "createTask"
				}
				tx.Changed(fmt.Sprint("tsk_", i), before, map[string]string{"title": fmt.Sprint("number ", i)})
				if _, err := tx.Record(store.Activity{Owner: acme, Subject: subject, Client: client,
					Operation: operation, Outcome: store.Done}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

var deedPattern = regexp.MustCompile(`<p class="deed">([^<]+)</p>`)

// deeds returns what a page tells, and its links to the pages beside it.
func deeds(page reply) (told []string, newer, older string) {
	for _, found := range deedPattern.FindAllStringSubmatch(page.body, -1) {
		told = append(told, found[1])
	}
	for _, found := range regexp.MustCompile(`<a href="([^"]+)" rel="(prev|next)"`).FindAllStringSubmatch(page.body,
		-1) {
		if found[2] == "prev" {
			newer = found[1]
		} else {
			older = found[1]
		}
	}
	return told, newer, older
}

func TestChangesAreChosenAndTurnedOver(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, w *world) {
		app := w.options.ClientIDs[0]
		w.seedChanges(ada, app, 130)
		w.seedChanges(ada, "", 3)
		w.as(ada).do(200, "DELETE", "/api/v1/tasks/"+w.as(ada).create(`{"title":"Plants"}`), "")
		s := w.signIn(ada)
		for query, want := range map[string]int{"all": 50, "here": 3, app: 50, "all&kind=created": 15,
			"all&kind=deleted": 1, "here&kind=created": 1, "here&kind=changed": 2, "here&kind=deleted": 0,
			"all&kind=": 50} {
			page := s.at("/account?changes=" + query)
			if told, _, _ := deeds(page); page.status != 200 || len(told) != want {
				t.Errorf("%s: %d, %d changes, want %d", query, page.status, len(told), want)
			}
		}
		for _, query := range []string{"all", app + "&kind=changed"} {
			var forth, back []string
			address, last := "/account?changes="+query, ""
			for ; address != ""; address = func() string { _, _, older := deeds(s.at(address)); return older }() {
				told, _, _ := deeds(s.at(address))
				forth, last = append(forth, told...), address
			}
			first := true
			for address = last; address != ""; {
				told, newer, _ := deeds(s.at(address))
				if first || newer != "" || len(back) < len(forth) {
					back = append(slices.Clone(told), back...)
				}
				if first = false; newer == "" {
					break
				}
				address = newer
			}
			// The first page is a whole one, however few are newer than the second.
			if len(forth) < 100 || !slices.Equal(forth[:50], back[:50]) || !strings.HasSuffix(strings.Join(back, "|"),
				strings.Join(forth[50:], "|")) {
				t.Errorf("%s: forth %d, back %d", query, len(forth), len(back))
			}
		}
		page := s.at("/account?changes=" + app + "&kind=created")
		w.says(page, 200, `value="`+app+`" selected`, `value="created" selected`,
			"/account/changes.csv?changes="+app+"&amp;kind=created")
	})
}

// TestEndToEndUndoingByKeyboardAlone signs in, finds what was done, takes it back, and revokes, as a newcomer does.
func TestEndToEndUndoingByKeyboardAlone(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		w.consent(ada)
		a := w.as(ada)
		path := "/api/v1/tasks/" + a.create(`{"title":"Water the plants","due":"2026-11-30"}`)
		a.do(200, "PATCH", path, `{"due":"2026-12-02"}`)
		p := w.newPerson()
		err := p.do(newTabAt(w.url+"/account"), tabTo("Sign in"), key(kb.Enter), tabTo("Email"),
			typeText("ada@acme.example"), key(kb.Enter), tabTo("One-time passcode"), typeMailed, tabTo("Acme"),
			key(kb.Enter), see("Changed task “Water the plants”"), device(1280, "light"), look("account"),
			tabTo("Everything that was done"), key(kb.Enter), see("Download these changes"), unfoldAll, look("changes"),
			fits, device(1280, "dark"), look("changes-dark"), device(390, "dark"), look("changes-phone"),
			tabTo("Undo"), key(kb.Enter), see("Undo this change?"), look("asking-undo"), fits,
			tabTo("Undo"), key(kb.Enter), see("Undone:"), see("Undid: Changed task “Water the plants”"), fits,
			device(390, "light"), look("undone"),
			tabTo("Your connected apps"), key(kb.Enter), see("It may do this in your name"), fits,
			look("account-narrow"), tabTo("Revoke access"), key(kb.Enter), see("Once it is revoked"), fits,
			look("asking-revoke"),
			tabTo("Revoke access"), key(kb.Enter), see("Access is revoked. Every call that ChatGPT makes"),
			look("revoked"))
		if err != nil {
			return err
		}
		if task := w.call("GET", path, w.token(grace, "tasks:read"), ""); !strings.Contains(task.body,
			`"due":"2026-11-30"`) {
			return errors.New("it was not undone: " + task.body)
		}
		return p.complaints()
	})
}

// inZone has the browser be somewhere else.
func inZone(zone string) step {
	return func(p *person) error {
		if err := p.until(arrived); err != nil {
			return err
		}
		_, err := chromedp.Call(p.tab, emulation.SetTimezoneOverride,
			emulation.SetTimezoneOverrideParams{TimezoneID: zone})
		return err
	}
}

// arrived is of a tab that has left the page with which it was opened. Between the two there is none for the browser to
// pretend something to.
const arrived = `location.href !== "about:blank"`

// withoutScript has pages run none from the next load on.
func withoutScript(p *person) error {
	if err := p.until(arrived); err != nil {
		return err
	}
	_, err := chromedp.Call(p.tab, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true})
	return err
}

// TestEndToEndTimesAreInTheReadersZone, and in UTC for who runs no script.
func TestEndToEndTimesAreInTheReadersZone(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		w.as(ada).create(`{"title":"Water the plants"}`)
		at := w.stytch.Now().In(time.FixedZone("", 5*3600+45*60))
		p := w.newPerson()
		steps := append([]step{newTabAt(w.url + "/account"), inZone("Asia/Kathmandu"), press("Sign in")},
			byCode("ada@acme.example", "Acme")...)
		return p.do(append(steps, see("Everything that was done"), press("Everything that was done"),
			see(at.Format("3:04 PM")+" GMT+5:45"), withoutScript, reload, see(" UTC"), absent("GMT+5:45"))...)
	})
}

// TestARefusalOfTheAccountPageHasAReference by which the log tells why.
func TestARefusalOfTheAccountPageHasAReference(t *testing.T) {
	w := newWorld(t)
	s := w.signIn(ada)
	for path, reason := range map[string]string{
		"/account?after=a&after=b":                       "the address cannot be understood",
		"/account/undo?activity=act_0000000000000000":    "no such change",
		"/account/changes.json?kind=x":                   "the address cannot be understood",
		"/account/revoke?about=x":                        "not of this session",
		"/account?changes=all&from=act_0000000000000000": "no such change",
	} {
		r := s.at(path)
		found := regexp.MustCompile(`Reference: (req-[a-z0-9]+)`).FindStringSubmatch(r.body)
		if r.status < 400 || found == nil {
			t.Errorf("%s: %d %s", path, r.status, r.body)
			continue
		}
		if line := regexp.MustCompile(`\{[^\n]*"refused on the account page"[^\n]*` + reason + `[^\n]*` + found[1] +
			`[^\n]*\}`); !line.MatchString(w.log.String()) {
			t.Errorf("%s: the log does not tell of %s:\n%s", path, found[1], w.log)
		}
	}
}
