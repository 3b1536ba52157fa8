package activity_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/guestpasstest"
	"guestpass/resources/activity"
	"guestpass/resources/members"
	"guestpass/resources/tasks"
	"guestpass/store"
	"guestpass/stytchtest"
)

const ada, grace, hank = guestpasstest.Ada, guestpasstest.Grace, guestpasstest.Hank

// start has tasks and members, whose changes are on record, and what is more.
func start(t *testing.T, url string, more ...api.Resource) *guestpasstest.World {
	t.Helper()
	return startWith(t, guestpasstest.Options{DatabaseURL: url}, more...)
}

func startWith(t *testing.T, o guestpasstest.Options, more ...api.Resource) *guestpasstest.World {
	t.Helper()
	o.Resources = slices.Concat([]api.Resource{tasks.Resource(), members.Resource()}, more,
		[]api.Resource{activity.Resource()})
	return guestpasstest.New(t, o)
}

// list are activities, the newest first.
func list(p *guestpasstest.Person, query string) (activities []map[string]any) {
	for _, a := range p.Do(200, "GET", "/api/v1/activity"+query, "")["activities"].([]any) {
		activities = append(activities, a.(map[string]any))
	}
	return activities
}

// operations are the names of what was done, the newest first.
func operations(activities []map[string]any) string {
	var names []string
	for _, a := range activities {
		names = append(names, a["operation"].(string))
	}
	return strings.Join(names, " ")
}

func create(p *guestpasstest.Person, title string) (id string) {
	return p.Do(201, "POST", "/api/v1/tasks", fmt.Sprintf(`{"title":%q}`, title))["task_id"].(string)
}

// milliseconds are what a record has of a time, and the time of an activity is shown without.
var milliseconds = regexp.MustCompile(`\.\d+Z$`)

func TestAnActivitySaysWhatWasDone(t *testing.T) {
	guestpasstest.OnEachDatabase(t, func(t *testing.T, url string) {
		w := start(t, url)
		p := w.As(ada)
		created := p.Do(201, "POST", "/api/v1/tasks", `{"title":"Water","labels":["home"],"due":"2030-01-31"}`)
		task := created["task_id"].(string)
		path := "/api/v1/tasks/" + task
		long := strings.Repeat("ä", 300)
		p.Do(200, "PATCH", path, fmt.Sprintf(`{"title":"Water them","notes":%q,"labels":["home","soon"]}`, long))
		p.Do(200, "PATCH", path, fmt.Sprintf(`{"notes":%q}`, long+"!"))
		p.Do(200, "POST", path+"/complete", "")
		p.Do(200, "GET", path, "")
		done := list(p, "")
		if got := operations(done); got != "completeTask updateTask updateTask createTask" {
			t.Fatalf("%s", got)
		}
		cut := strings.Repeat("ä", 199) + "…"
		for i, want := range []string{
			"completed_at:>" + done[0]["at"].(string) + " state:open>done",
			"notes:" + cut + ">" + cut, // they differ after what is shown
			"labels:home>home, soon notes:>" + cut + " title:Water>Water them",
			"due:>2030-01-31 labels:>home priority:>2 state:>open title:>Water",
		} {
			var changes []string
			for _, c := range done[i]["changes"].([]any) {
				c := c.(map[string]any)
				after := milliseconds.ReplaceAllString(c["after"].(string), "Z")
				changes = append(changes, fmt.Sprintf("%s:%s>%s", c["field"], c["before"], after))
			}
			if got := strings.Join(changes, " "); got != want {
				t.Errorf("%s changed %s, want %s", done[i]["operation"], got, want)
			}
			at, err := time.Parse(time.RFC3339, done[i]["at"].(string))
			if err != nil || w.Stytch.Now().Sub(at).Abs() > time.Minute || done[i]["target"] != task ||
				done[i]["outcome"] != "done" || done[i]["undoable"] != true ||
				done[i]["app"] != stytchtest.Development().ConnectedApps[0].ClientID ||
				done[i]["app_name"] != "ChatGPT" {
				t.Errorf("%v, %v", done[i], err)
			}
		}
	})
}

// Nobody else's are shown, of the same organization or of another.
func TestActivityIsOnesOwn(t *testing.T) {
	w := start(t, "")
	create(w.As(ada), "Ada's")
	create(w.As(grace), "Grace's")
	create(w.As(hank), "Hank's")
	for who, title := range map[string]string{ada: "Ada's", grace: "Grace's", hank: "Hank's"} {
		done := list(w.As(who), "")
		if len(done) != 1 || !strings.Contains(fmt.Sprint(done[0]["changes"]), title) {
			t.Errorf("%s sees %v", who, done)
		}
	}
	if r := w.As(ada, "tasks:read", "tasks:write").Call("GET", "/api/v1/activity", ""); r.Status != 403 ||
		!strings.Contains(r.Header.Get("WWW-Authenticate"), `scope="activity:read"`) {
		t.Errorf("without its scope: %d %v", r.Status, r.Header)
	}
}

func TestActivityOfAUser(t *testing.T) {
	w := startWith(t, guestpasstest.Options{Vertical: auth.Consumer})
	p, other := w.As(guestpasstest.UserAda), w.As(guestpasstest.UserGrace)
	create(p, "Ada's")
	done := list(p, "")
	if len(done) != 1 || len(list(other, "")) != 0 {
		t.Fatalf("%v", done)
	}
	undo := "/api/v1/activity/" + done[0]["activity_id"].(string) + "/undo"
	other.Do(404, "POST", undo, "")
	p.Do(200, "POST", undo, "")
	if got := p.Do(200, "GET", "/api/v1/tasks", "")["total"]; got != 0. {
		t.Errorf("%v tasks after the undo", got)
	}
}

const otherApp = "connected-app-test-dddddddd-0000-4000-8000-000000000009"

// throughAnotherApp is a token of Ada's for an app of its own.
func throughAnotherApp(w *guestpasstest.World) string {
	w.ChangeProject(func(seed *stytchtest.Seed) {
		app := seed.ConnectedApps[0]
		app.ClientID, app.Name = otherApp, "Another"
		seed.ConnectedApps = append(seed.ConnectedApps, app)
	})
	return w.Mint(stytchtest.MintRequest{Kind: "access", Subject: ada, ClientID: otherApp,
		Scopes: []string{"activity:read", "tasks:write", "tasks:read"}})
}

func TestActivityIsFilteredByAppAndByWhatWasTakenAway(t *testing.T) {
	guestpasstest.OnEachDatabase(t, func(t *testing.T, url string) {
		w := startWith(t, guestpasstest.Options{DatabaseURL: url,
			Change: func(o *guestpass.Options) { o.ClientIDs = append(o.ClientIDs, otherApp) }})
		p := w.As(ada)
		token := throughAnotherApp(w)
		deleted := create(p, "to be deleted")
		p.Do(200, "DELETE", "/api/v1/tasks/"+deleted, "")
		if r := w.Call("POST", "/api/v1/tasks", token, `{"title":"through another app"}`); r.Status != 201 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		comment := create(p, "with a comment")
		p.Do(201, "POST", "/api/v1/tasks/"+comment+"/comments", `{"text":"hello"}`)
		p.Do(200, "POST", "/api/v1/activity/"+list(p, "?limit=1")[0]["activity_id"].(string)+"/undo", "")
		own := stytchtest.Development().ConnectedApps[0].ClientID
		for query, want := range map[string]string{
			"":                               "undoActivity addTaskComment createTask createTask deleteTask createTask",
			"?app=this":                      "undoActivity addTaskComment createTask deleteTask createTask",
			"?app=" + own:                    "undoActivity addTaskComment createTask deleteTask createTask",
			"?app=" + otherApp:               "createTask",
			"?app=nobody":                    "",
			"?removals=true":                 "undoActivity deleteTask",
			"?removals=false&app=this":       "undoActivity addTaskComment createTask deleteTask createTask",
			"?removals=true&app=this":        "undoActivity deleteTask",
			"?removals=true&app=" + own:      "undoActivity deleteTask",
			"?app=this&limit=2":              "undoActivity addTaskComment",
			"?removals=true&limit=1":         "undoActivity",
			"?removals=true&app=" + otherApp: "",
		} {
			if got := operations(list(p, query)); got != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
		r := w.Call("GET", "/api/v1/activity?app=this", token, "")
		if strings.Count(r.Body, `"activity_id"`) != 1 || !strings.Contains(r.Body, "through another app") {
			t.Errorf("the other app's own: %s", r.Body)
		}
		for query, place := range map[string]string{"?app=a%20b": "query.app", "?removals=yes": "query.removals",
			"?limit=51": "query.limit", "?limit=0": "query.limit", "?since=2026": "query.since"} {
			if r := p.Call("GET", "/api/v1/activity"+query, ""); r.Status != 422 || !strings.Contains(r.Body, place) {
				t.Errorf("%s: %d %s", query, r.Status, r.Body)
			}
		}
	})
}

func TestPagesOfActivityGoThroughAllOnce(t *testing.T) {
	w := start(t, "")
	p := w.As(ada)
	for i := range 7 {
		create(p, fmt.Sprintf("number %d", i))
	}
	seen, after, first := "", "", ""
	for pages := 1; ; pages++ {
		page := p.Do(200, "GET", "/api/v1/activity?app=this&limit=3"+after, "")
		for _, a := range page["activities"].([]any) {
			changes := fmt.Sprint(a.(map[string]any)["changes"])
			seen += changes[strings.Index(changes, "number ")+len("number "):][:1]
		}
		next, more := page["next_cursor"].(string)
		if !more {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
		if first == "" {
			first = next
			create(p, "meanwhile") // which is before what the cursor stands for
		}
		after = "&cursor=" + next
	}
	if seen != "6543210" {
		t.Errorf("the pages have %s", seen)
	}
	for name, tt := range map[string]struct{ who, query string }{
		"with another app":        {ada, "?app=another&cursor="},
		"without the app":         {ada, "?cursor="},
		"with another filter":     {ada, "?app=this&removals=true&cursor="},
		"of somebody else":        {grace, "?app=this&cursor="},
		"of another organization": {hank, "?app=this&cursor="},
	} {
		if r := w.As(tt.who).Call("GET", "/api/v1/activity"+tt.query+first, ""); r.Status != 422 ||
			!strings.Contains(r.Body, "query.cursor") {
			t.Errorf("%s: %d %s", name, r.Status, r.Body)
		}
	}
}

func TestAPageOfLongChangesStaysUnderWhatChatGPTTakes(t *testing.T) {
	w := start(t, "")
	p := w.As(ada)
	text := strings.Repeat("\\\"", 100)
	path := "/api/v1/tasks/" + create(p, "x")
	for i := range 49 {
		p.Do(200, "PATCH", path, fmt.Sprintf(`{"title":"%d%s","notes":"%[1]d%[2]s",`+
			`"labels":["%[1]d%[3]s","b%[3]s","c%[3]s","d%[3]s"]}`,
			i, text[:200], text[:90]))
	}
	seen, after := 0, ""
	for {
		r := p.Call("GET", "/api/v1/activity?limit=50"+after, "")
		if r.Status != 200 || len(r.Body) > 95_000 {
			t.Fatalf("%d, %d bytes", r.Status, len(r.Body))
		}
		seen += strings.Count(r.Body, `"activity_id"`)
		_, rest, more := strings.Cut(r.Body, `"next_cursor":"`)
		if !more {
			break
		}
		after = "&cursor=" + rest[:strings.Index(rest, `"`)]
	}
	if seen != 50 {
		t.Errorf("%d of 50 activities", seen)
	}
}

func TestTheListSaysSinceWhenItKnows(t *testing.T) {
	guestpasstest.OnEachDatabase(t, func(t *testing.T, url string) {
		w := start(t, url)
		p := w.As(ada)
		create(p, "a year ago")
		begin := w.Stytch.Now()
		w.Stytch.Advance(200 * 24 * time.Hour)
		create(p, "half a year ago")
		if since := p.Do(200, "GET", "/api/v1/activity", "")["known_since"]; since != nil {
			t.Errorf("everything is known, it says since %v", since)
		}
		w.Stytch.Advance(166 * 24 * time.Hour)
		if err := w.Store.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		page := p.Do(200, "GET", "/api/v1/activity", "")
		since, err := time.Parse(time.RFC3339, fmt.Sprint(page["known_since"]))
		if err != nil || since.Sub(begin).Abs() > time.Minute || len(page["activities"].([]any)) != 1 {
			t.Errorf("%v, %v", page, err)
		}
		if other := w.As(hank).Do(200, "GET", "/api/v1/activity", ""); other["known_since"] != nil {
			t.Errorf("another organization's knows since %v", other["known_since"])
		}
	})
}

// A call whose end nobody has recorded is told as begun, as it may have been carried out.
func TestWhatWasBegunAndNotEndedIsShown(t *testing.T) {
	w := start(t, "")
	err := w.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Record(store.Activity{Owner: guestpasstest.Acme, Subject: ada, Operation: "inviteMember",
			Outcome: store.Started})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p := w.As(ada)
	begun := list(p, "")
	if len(begun) != 1 || begun[0]["outcome"] != "started" || begun[0]["undoable"] != false || begun[0]["app"] != nil {
		t.Errorf("%v", begun)
	}
	p.Do(409, "POST", "/api/v1/activity/"+begun[0]["activity_id"].(string)+"/undo", "")
}

func TestWhatIsServedFollowsWhatThereIsToUndo(t *testing.T) {
	for name, tt := range map[string]struct {
		resources []api.Resource
		want      string
	}{
		"nothing": {nil, "listActivity"},
		"what cannot be undone": {[]api.Resource{members.Resource()},
			"listMembers getMember inviteMember listActivity"},
		"what cannot be, and is": {[]api.Resource{shelf()}, "putOnShelf clearShelf listActivity undoActivity"},
	} {
		w := guestpasstest.New(t, guestpasstest.Options{Resources: append([]api.Resource{activity.Resource()},
			tt.resources...)})
		var served []string
		for _, op := range w.App.Operations() {
			served = append(served, op.ID)
		}
		if got := strings.Join(served, " "); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
	nobody := api.New(api.Options{Resources: []api.Resource{activity.Resource()}})
	if err := nobody.Err(); err != nil || len(nobody.Operations()) != 0 {
		t.Errorf("where nobody is known: %v, %v", nobody.Operations(), err)
	}
}
