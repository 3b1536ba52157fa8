package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

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
