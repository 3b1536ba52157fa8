package server_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/internal/postgrestest"
)

// actor calls operations with a token of everything.
type actor struct {
	*world
	token string
}

var everything = []string{"openid", "profile", "email", "members:read", "members:invite", "tasks:read", "tasks:write",
	"activity:read"}

func (w *world) as(subject string) actor { return actor{w, w.token(subject, everything...)} }

// do calls and decodes; the test fails if the status is another one.
func (p actor) do(status int, method, path, body string, change ...func(*http.Request)) map[string]any {
	p.t.Helper()
	r := p.call(method, path, p.token, body, change...)
	if r.status != status {
		p.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, r.status, r.body, status)
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(r.body), &fields); err != nil {
		p.t.Fatalf("%s %s: %v in %s", method, path, err, r.body)
	}
	return fields
}

func (p actor) create(body string) string {
	p.t.Helper()
	return p.do(201, "POST", "/api/v1/tasks", body)["task_id"].(string)
}

// onBothDatabases runs a story with SQLite and with Postgres behind the server.
func onBothDatabases(t *testing.T, story func(*testing.T, *world)) {
	t.Run("SQLite", func(t *testing.T) { story(t, newWorld(t)) })
	t.Run("Postgres", func(t *testing.T) {
		url := postgrestest.Shared(t).Database(t)
		story(t, newWorld(t, func(o *guestpass.Options) { o.Store = openStore(t, url, o.Now) }))
	})
}

func TestATaskFromCreationToUndo(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, w *world) {
		p := w.as(ada)
		id := p.create(`{"title":"Water the plants","due":"2030-01-31","labels":["Home"],"assignee":"` + grace + `"}`)
		path := "/api/v1/tasks/" + id
		p.do(200, "PATCH", path, `{"priority":"high","version":1}`)
		if conflict := p.do(409, "PATCH", path, `{"priority":"low",`+
			`"version":1}`); conflict["current"].(map[string]any)["priority"] != "high" {
			t.Errorf("a stale version does not get the current task: %v", conflict)
		}
		done := p.do(200, "POST", path+"/complete", "")
		if again := p.do(200, "POST", path+"/complete", ""); again["version"] != done["version"] ||
			done["completed_at"] == nil {
			t.Errorf("completing twice: %v, %v", done, again)
		}
		p.do(201, "POST", path+"/comments", `{"text":"Cactus too"}`)
		if comments := p.do(200, "GET", path+"/comments", "")["comments"].([]any); len(comments) != 1 {
			t.Errorf("comments: %v", comments)
		}
		p.do(200, "DELETE", path, "")
		p.do(404, "GET", path, "")
		p.do(200, "DELETE", path, "") // a repeated call
		p.do(200, "POST", path+"/restore", "")
		activities := p.do(200, "GET", "/api/v1/activity", "")["activities"].([]any)
		var operations []string
		for _, a := range activities {
			operations = append(operations, a.(map[string]any)["operation"].(string))
		}
		if got := strings.Join(operations,
			" "); got != "restoreTask deleteTask addTaskComment completeTask updateTask createTask" {
			t.Errorf("activity: %s", got)
		}
		activity := func(i int) string { return activities[i].(map[string]any)["activity_id"].(string) }
		if later := p.do(409, "POST", "/api/v1/activity/"+activity(4)+"/undo",
			""); !strings.Contains(later["detail"].(string), activity(0)) {
			t.Errorf("what was done later is not named: %v", later)
		}
		p.do(200, "POST", "/api/v1/activity/"+activity(0)+"/undo", "")
		p.do(404, "GET", path, "")
		w.stytch.Advance(31 * 24 * time.Hour)
		p.token = w.token(ada, everything...)
		p.do(409, "POST", path+"/restore", "")
	})
}

func TestAnUpdateChangesWhatItNamesAndEmptiesWhatIsEmpty(t *testing.T) {
	w := newWorld(t)
	p := w.as(ada)
	path := "/api/v1/tasks/" +
		p.create(`{"title":"One","notes":"n","due":"2030-01-31","labels":["a"],"assignee":"me","priority":"urgent"}`)
	changed := p.do(200, "PATCH", path, `{"title":" Two ","state":"in_progress"}`)
	if changed["title"] != "Two" || changed["state"] != "in_progress" || changed["notes"] != "n" ||
		changed["due"] != "2030-01-31" ||
		len(changed["labels"].([]any)) != 1 || changed["assignee"] != ada || changed["priority"] != "urgent" {
		t.Errorf("two fields changed: %v", changed)
	}
	emptied := p.do(200, "PATCH", path, `{"notes":"","due":"","labels":[],"assignee":""}`)
	if emptied["title"] != "Two" || emptied["notes"] != nil || emptied["due"] != nil ||
		len(emptied["labels"].([]any)) != 0 || emptied["assignee"] != nil {
		t.Errorf("four fields emptied: %v", emptied)
	}
}

func TestWhoMayChangeATask(t *testing.T) {
	w := newWorld(t)
	admin, member := w.as(ada), w.as(grace)
	adas := "/api/v1/tasks/" + admin.create(`{"title":"Ada's"}`)
	assigned := "/api/v1/tasks/" + admin.create(`{"title":"for Grace","assignee":"`+grace+`"}`)
	graces := "/api/v1/tasks/" + member.create(`{"title":"Grace's"}`)
	member.do(200, "GET", adas, "")
	member.do(403, "PATCH", adas, `{"title":"mine"}`)
	member.do(403, "DELETE", adas, "")
	member.do(200, "PATCH", assigned, `{"state":"in_progress"}`)
	member.do(201, "POST", adas+"/comments", `{"text":"may I?"}`)
	admin.do(200, "PATCH", graces, `{"title":"an admin may"}`)
	if mine := member.do(200, "GET", "/api/v1/tasks?assignee=me", "")["tasks"].([]any); len(mine) != 1 {
		t.Errorf("assigned to me: %v", mine)
	}
}

var rounds = flag.Int("rounds", 10, "how often a hundred equal calls are made at once, on each database")

func TestARepeatedCreateIsNotDoneTwice(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, w *world) {
		p := w.as(ada)
		for round := range *rounds {
			oneTaskFromManyCalls(p, fmt.Sprintf(`{"title":"round %d"}`, round))
		}
		if total := p.do(200, "GET", "/api/v1/tasks", "")["total"]; total != float64(*rounds) { // counted up to 1,000
			t.Errorf("%v tasks of %d rounds", total, *rounds)
		}
		const once = `{"title":"once","notes":"x"}`
		p.create(once)
		other := w.as(grace) // the same words of somebody else are another task
		if other.do(201, "POST", "/api/v1/tasks", once)["repeated"] != nil {
			t.Error("an answer went to another person")
		}
		p.do(201, "POST", "/api/v1/tasks", `{"title":"once","request_id":"a"}`)
		p.do(409, "POST", "/api/v1/tasks", `{"title":"another","request_id":"a"}`)
		key := func(r *http.Request) { r.Header.Set("Idempotency-Key", "k-1") }
		first := p.do(201, "POST", "/api/v1/tasks", `{"title":"by header"}`, key)
		if again := p.do(201, "POST", "/api/v1/tasks", `{"title":"by header"}`,
			key); again["task_id"] != first["task_id"] || again["repeated"] != true {
			t.Errorf("%v, then %v", first, again)
		}
		w.stytch.Advance(11 * time.Minute)
		if p.do(201, "POST", "/api/v1/tasks", once)["repeated"] != nil {
			t.Error("after ten minutes an equal task is still a repetition")
		}
	})
}

// oneTaskFromManyCalls makes a hundred equal calls at once: all get the same answer. Who is told that the server has
// too much to do, as a slow machine may have, calls again.
func oneTaskFromManyCalls(p actor, body string) {
	p.t.Helper()
	const callers = 100
	ids, repeated := map[string]int{}, 0
	var mu sync.Mutex // guards both
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			r := p.call("POST", "/api/v1/tasks", p.token, body)
			for tries := 0; r.status == 503 && tries < 100; tries++ {
				r = p.call("POST", "/api/v1/tasks", p.token, body)
			}
			var fields map[string]any
			_ = json.Unmarshal([]byte(r.body), &fields)
			mu.Lock()
			defer mu.Unlock()
			ids[fmt.Sprint(r.status, fields["task_id"])]++
			if fields["repeated"] == true {
				repeated++
			}
		})
	}
	group.Wait()
	if len(ids) != 1 || repeated != callers-1 {
		p.t.Errorf("%s: %v, %d repeated", body, ids, repeated)
	}
}

func TestARepeatedInvitationIsSentOnceAndRecorded(t *testing.T) {
	w := newWorld(t)
	p := w.as(ada)
	const body = `{"email":"mary@acme.example","name":"Mary"}`
	first := p.do(201, "POST", "/api/v1/members/invitations", body)
	again := p.do(201, "POST", "/api/v1/members/invitations", body)
	if again["repeated"] != true || again["member_id"] != first["member_id"] {
		t.Errorf("%v, then %v", first, again)
	}
	p.do(422, "POST", "/api/v1/members/invitations",
		`{"email":"joe@acme.example","name":"Joe","roles":["none_of_hers"]}`)
	activities := p.do(200, "GET", "/api/v1/activity", "")["activities"].([]any)
	if len(activities) != 2 {
		t.Fatalf("%v", activities)
	}
	failed, sent := activities[0].(map[string]any), activities[1].(map[string]any)
	if failed["outcome"] != "failed" || sent["outcome"] != "done" || sent["target"] != first["member_id"] ||
		sent["undoable"] != false {
		t.Errorf("%v, %v", failed, sent)
	}
}

func TestAServerWithoutDatabaseChangesNothing(t *testing.T) {
	w := newWorld(t, func(o *guestpass.Options) {
		o.Store = openStore(t, "sqlite:"+t.TempDir()+"/gone.db", nil)
		_ = o.Store.Close()
	})
	p := w.as(ada)
	before := len(w.stytch.Requests())
	if r := p.call("POST", "/api/v1/members/invitations", p.token,
		`{"email":"mary@acme.example","name":"Mary"}`); r.status < 500 {
		t.Errorf("%d %s", r.status, r.body)
	}
	for _, request := range w.stytch.Requests()[before:] {
		if strings.Contains(request.Path, "invite") {
			t.Errorf("an invitation that cannot be recorded was sent: %s", request.Path)
		}
	}
}

// TestNobodyReachesAnothersRecords is generated from the registered operations, so that
// a new one is covered: whatever takes an identifier answers alike for a foreign one and
// for one that never was.
func TestNobodyReachesAnothersRecords(t *testing.T) {
	w := newWorld(t)
	owner, colleague, foreigner := w.as(ada), w.as(grace), w.as(hank)
	operations := 0
	for _, op := range w.app.Operations() {
		_, rest, takesID := strings.Cut(op.Path, "{")
		if !takesID {
			continue
		}
		parameter, _, _ := strings.Cut(rest, "}")
		own, unknown, body := w.specimen(owner, op, parameter)
		operations++
		path := func(id string) string { return strings.ReplaceAll(op.Path, "{"+parameter+"}", id) }
		foreign := foreigner.call(op.Method, path(own), foreigner.token, body)
		none := foreigner.call(op.Method, path(unknown), foreigner.token, body)
		if foreign.status != 404 || none.status != 404 || withoutRequestID(t, foreign.body) != withoutRequestID(t,
			none.body) {
			t.Errorf("%s: another organization's %d %s, unknown %d %s", op.ID, foreign.status, foreign.body,
				none.status, none.body)
		}
		if r := colleague.call(op.Method, path(own), colleague.token, body); r.status >= 500 ||
			(op.Effect == api.Read && r.status != 200) || (op.Effect != api.Read && parameter == "task_id" &&
			op.ID != "addTaskComment" && r.status != 403) ||
			(parameter == "activity_id" && r.status != 404) {
			t.Errorf("%s: a colleague gets %d %s", op.ID, r.status, r.body)
		}
		if r := owner.call(op.Method, path(own), owner.token, body); r.status >= 300 {
			t.Errorf("%s: the owner gets %d %s", op.ID, r.status, r.body)
		}
	}
	t.Logf("%d operations that take an identifier: of the owner, of a colleague, of another organization and of "+
		"nobody", operations)
}

// specimen makes a record of the owner for an operation to work on, and names one that
// never was.
func (w *world) specimen(owner actor, op api.Operation, parameter string) (own, unknown, body string) {
	w.t.Helper()
	switch op.ID {
	case "updateTask":
		body = `{"title":"changed"}`
	case "addTaskComment":
		body = `{"text":"a remark"}`
	}
	switch parameter {
	case "member_id":
		return ada, strings.Replace(ada, "aaaaaaaa", "99999999", 1), body
	case "task_id":
		own = owner.create(`{"title":"for ` + op.ID + `"}`)
		if op.ID == "restoreTask" {
			owner.do(200, "DELETE", "/api/v1/tasks/"+own, "")
		}
		return own, "tsk_aaaaaaaaaaaaaaaa", body
	case "activity_id":
		owner.create(`{"title":"for ` + op.ID + `"}`)
		newest := owner.do(200, "GET", "/api/v1/activity?limit=1", "")["activities"].([]any)[0].(map[string]any)
		return newest["activity_id"].(string), "act_aaaaaaaaaaaaaaaa", body
	}
	w.t.Fatalf("%s takes %s: say here how to make one", op.ID, parameter)
	return "", "", ""
}

func TestListsShowNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	owner, foreigner := w.as(ada), w.as(hank)
	owner.create(`{"title":"secret plan","labels":["secret"]}`)
	for _, op := range w.app.Operations() {
		if op.Method != http.MethodGet || strings.Contains(op.Path, "{") || op.ID == "getNextSteps" ||
			op.ID == "getUserInfo" {
			continue
		}
		if r := foreigner.call("GET", op.Path, foreigner.token, ""); r.status != 200 || strings.Contains(r.body,
			"secret") || strings.Contains(r.body, "acme") {
			t.Errorf("%s shows %d %s", op.ID, r.status, r.body)
		}
	}
	owner.create(`{"title":"second"}`)
	cursor := owner.do(200, "GET", "/api/v1/tasks?limit=1", "")["next_cursor"].(string)
	foreigner.do(422, "GET", "/api/v1/tasks?limit=1&cursor="+cursor, "")
	owner.do(422, "GET", "/api/v1/tasks?limit=1&state=done&cursor="+cursor, "")
}

func TestBadInputIsNamedWhereItIs(t *testing.T) {
	w := newWorld(t)
	p := w.as(ada)
	task := "/api/v1/tasks/" + p.create(`{"title":"one"}`)
	for _, tt := range []struct{ method, path, body, location string }{
		{"POST", "/api/v1/tasks", `{"title":""}`, "body.title"},
		{"POST", "/api/v1/tasks", `{"title":"\u200b"}`, "body.title"},
		{"POST", "/api/v1/tasks", `{"title":"x","notes":"` + strings.Repeat("é", 10001) + `"}`, "body.notes"},
		{"POST", "/api/v1/tasks", `{"title":"x","due":"tomorrow"}`, "body.due"},
		{"POST", "/api/v1/tasks", `{"title":"x","due":"2026-02-30"}`, "body.due"},
		{"POST", "/api/v1/tasks", `{"title":"x","labels":["a,b"]}`, "body.labels[0]"},
		{"POST", "/api/v1/tasks", `{"title":"x","assignee":"` + hank + `"}`, "body.assignee"},
		{"POST", "/api/v1/tasks", `{"title":"x","creator":"` + hank + `"}`, "body.creator"},
		{"POST", "/api/v1/tasks", `{"title":"x","priority":"very"}`, "body.priority"},
		{"PATCH", task, `{"version":"two","title":"x"}`, "body.version"},
		{"PATCH", task, `{}`, "body"},
		{"GET", "/api/v1/tasks?cursor=AAAA", "", "query.cursor"},
		{"GET", "/api/v1/tasks?state=gone", "", "query.state"},
		{"GET", "/api/v1/tasks?limit=101", "", "query.limit"},
		{"GET", "/api/v1/tasks?due_before=2026-13-01", "", "query.due_before"},
		{"GET", "/api/v1/tasks?search=x&sort=due", "", "query.sort"},
		{"GET", "/api/v1/tasks?search=%26+%2B", "", "query.search"},
		{"GET", "/api/v1/tasks?lable=x", "", "query.lable"},
	} {
		r := p.call(tt.method, tt.path, p.token, tt.body)
		if r.status != 422 || !strings.Contains(r.body, `"location":"`+tt.location+`"`) {
			t.Errorf("%s %s %.60s: %d %s", tt.method, tt.path, tt.body, r.status, r.body)
		}
	}
}

func TestASearchTakesWordsAsPeopleWriteThem(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, w *world) {
		p := w.as(ada)
		p.create(`{"title":"Water the plants & the lawn (again)","notes":"well-known: O'Neill's"}`)
		for search, found := range map[string]float64{
			"plants & lawn": 1, "LAWN, again": 1, `"water" - lawn`: 1, "well-known": 1, "O'Neill": 1,
			"plants OR rain": 0, "pla*": 0,
		} {
			if total := p.do(200, "GET", "/api/v1/tasks?search="+url.QueryEscape(search), "")["total"]; total != found {
				t.Errorf("%s: %v", search, total)
			}
		}
	})
}

func TestRepliesStayUnderWhatChatGPTTakes(t *testing.T) {
	w := newWorld(t)
	p := w.as(ada)
	for i := range 30 {
		p.create(fmt.Sprintf(`{"title":"%d","notes":"%s"}`, i, strings.Repeat("<", 1500)))
	}
	seen, cursor := 0, ""
	for {
		r := p.call("GET", "/api/v1/tasks?limit=100"+cursor, p.token, "")
		var page struct {
			Tasks      []any
			NextCursor string `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(r.body), &page); err != nil || len(r.body) > 90_000 {
			t.Fatalf("%d characters, %v", len(r.body), err)
		}
		seen += len(page.Tasks)
		if cursor = "&cursor=" + page.NextCursor; page.NextCursor == "" {
			break
		}
	}
	if seen != 30 {
		t.Errorf("%d of 30 tasks", seen)
	}
}

func TestModulesSwitchedOffAreNotInTheDocument(t *testing.T) {
	w := newWorld(t, func(o *guestpass.Options) { o.Modules = []string{"members"} })
	if document := w.call("GET", "/openapi.json", "", "").body; strings.Contains(document, "Task") ||
		!strings.Contains(document, "listMembers") {
		t.Error("the document has tasks, or no members")
	}
}

func TestTwoServersOnOnePostgresAreOne(t *testing.T) {
	url := postgrestest.Shared(t).Database(t)
	on := func(o *guestpass.Options) { o.Store = openStore(t, url, o.Now) }
	first := newWorld(t, on)
	second := *first
	secondWorld := newWorld(t, on, func(o *guestpass.Options) {
		o.Domain, o.BaseURL = first.stytch.URL,
			first.stytch.URL
	})
	second.url = secondWorld.url
	a, b := actor{first, first.token(ada, everything...)}, actor{&second, first.token(ada, everything...)}
	id := a.create(`{"title":"shared"}`)
	if again := b.do(201, "POST", "/api/v1/tasks", `{"title":"shared"}`); again["task_id"] != id ||
		again["repeated"] != true {
		t.Errorf("the second server made another: %v", again)
	}
	a.create(`{"title":"second"}`)
	cursor := a.do(200, "GET", "/api/v1/tasks?limit=1", "")["next_cursor"].(string)
	if rest := b.do(200, "GET", "/api/v1/tasks?limit=1&cursor="+cursor, "")["tasks"].([]any); len(rest) != 1 {
		t.Errorf("the first server's cursor on the second: %v", rest)
	}
	b.do(200, "PATCH", "/api/v1/tasks/"+id, `{"title":"changed","version":1}`)
	a.do(409, "PATCH", "/api/v1/tasks/"+id, `{"title":"stale","version":1}`)
	rows, breaks, err := openStore(t, url, nil).VerifyActivity(t.Context())
	if rows != 3 || len(breaks) > 0 || err != nil {
		t.Errorf("%d rows, %v, %v", rows, breaks, err)
	}
}
