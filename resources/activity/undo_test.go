package activity_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/guestpasstest"
	"guestpass/store"
	"guestpass/stytchtest"
)

// shelf is a resource whose changes can be undone. Who puts something on it needs another
// scope than who clears it.
func shelf() api.Resource {
	type input struct {
		Body struct {
			Name string `json:"name" maxLength:"20" doc:"Name of the thing"`
		}
	}
	type output struct {
		Body struct {
			OK bool `json:"ok" doc:"Always true"`
		}
	}
	return api.Resource{Name: "shelf", Register: func(s *api.Service) {
		for _, op := range [][2]string{{"putOnShelf", "shelf:write"}, {"clearShelf", "shelf:clear"}} {
			api.Register(s, api.Operation{ID: op[0], Method: http.MethodPost, Path: "/api/v1/" + op[0],
				Summary: "Change the shelf", Description: "Changes the shelf.",
				Access: auth.Scope(op[1]), Effect: api.Write}, func(ctx context.Context, in *input) (*output, error) {
				return api.InTransaction(ctx, s, func(tx *store.Tx) (*output, error) {
					tx.Changed("shf_"+in.Body.Name, nil, in.Body)
					return &output{}, nil
				})
			})
		}
		s.Undoable("shf_", nil, func(*store.Tx, store.Activity) error { return nil })
	}}
}

// last is the path that undoes what was done last in somebody's name, whatever their tokens may.
func last(w *guestpasstest.World, who string) string {
	done := list(w.As(who, "activity:read", "openid"), "?limit=1")
	return "/api/v1/activity/" + done[0]["activity_id"].(string) + "/undo"
}

// Undoing takes the scope of what is undone, also when that was an undo; a token with the scope
// of something else is told which one it lacks.
func TestUndoingWantsTheScopeOfWhatIsUndone(t *testing.T) {
	w := start(t, "", shelf())
	challenge := func(scope string) string {
		return `Bearer realm="api", error="insufficient_scope", scope="` + scope + `", resource_metadata="` + w.URL +
			`/.well-known/oauth-protected-resource"`
	}
	others := map[string][]string{"tasks:write": {"shelf:write", "shelf:clear"},
		"shelf:write": {"tasks:write", "shelf:clear"}, "shelf:clear": {"tasks:write", "shelf:write"}}
	for _, change := range []struct{ path, body, scope string }{
		{"/api/v1/tasks", `{"title":"Water the plants"}`, "tasks:write"},
		{"/api/v1/putOnShelf", `{"name":"a"}`, "shelf:write"},
		{"/api/v1/clearShelf", `{"name":"b"}`, "shelf:clear"},
	} {
		if r := w.As(ada, change.scope).Call("POST", change.path, change.body); r.Status/100 != 2 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		for _, what := range []string{"change", "undo", "undo of the undo"} {
			undo := last(w, ada)
			if r := w.As(ada, append(others[change.scope], "activity:read")...).
				Call("POST", undo, ""); r.Status != 403 ||
				r.Header.Get("WWW-Authenticate") != challenge(change.scope) {
				t.Errorf("the %s of %s without its scope: %d %s", what, change.path, r.Status,
					r.Header.Get("WWW-Authenticate"))
			}
			if r := w.As(ada, "activity:read", "openid").Call("POST", undo, ""); r.Status != 403 ||
				r.Header.Get("WWW-Authenticate") != challenge("tasks:write shelf:write shelf:clear members:invite") {
				t.Errorf("without any: %d %s", r.Status, r.Header.Get("WWW-Authenticate"))
			}
			if r := w.As(ada, change.scope).Call("POST", undo, ""); r.Status != 200 {
				t.Errorf("the %s of %s: %d %s", what, change.path, r.Status, r.Body)
			}
		}
	}
	if !strings.Contains(w.Log.String(), `"msg":"refused","reason":"needs \"shelf:clear\""`) {
		t.Error("the refusal is not in the log")
	}
}

// What cannot be undone is told to those who may do it, and only for what was done in their name.
func TestWhatCannotBeUndoneTakesItsOwnScope(t *testing.T) {
	w := start(t, "")
	w.GiveRoles(grace, "stytch_admin")
	w.As(ada, "members:invite").Do(201, "POST", "/api/v1/members/invitations", `{"email":"new@acme.example"}`)
	invitation := last(w, ada)
	for _, tt := range []struct {
		what, path string
		who        *guestpasstest.Person
		status     int
		answer     string
	}{
		{"with its scope", invitation, w.As(ada, "members:invite"), 409, "such as an invitation, cannot be taken back"},
		{"with the scope of something else", invitation, w.As(ada, "tasks:write"), 403, `scope="members:invite"`},
		{"with no scope that writes", invitation, w.As(ada, "activity:read"), 403,
			`scope="tasks:write members:invite"`},
		{"somebody else's", invitation, w.As(grace, "members:invite"), 404, "no such record"},
		{"somebody else's with another scope", invitation, w.As(grace, "tasks:write"), 404, "no such record"},
		{"one that does not exist", "/api/v1/activity/act_x/undo", w.As(ada, "members:invite"), 404, "no such record"},
	} {
		r := tt.who.Call("POST", tt.path, "")
		if r.Status != tt.status || !strings.Contains(r.Body+r.Header.Get("WWW-Authenticate"), tt.answer) {
			t.Errorf("%s: %d %s %s", tt.what, r.Status, r.Header.Get("WWW-Authenticate"), r.Body)
		}
	}
	create(w.As(ada), "Water the plants")
	if r := w.As(ada, "members:invite").Call("POST", last(w, ada), ""); r.Status != 403 ||
		!strings.Contains(r.Header.Get("WWW-Authenticate"), `scope="tasks:write"`) {
		t.Errorf("a task with the scope of invitations: %d %s", r.Status, r.Header.Get("WWW-Authenticate"))
	}
}

func TestUndoingByRoleWantsThePermissionOfWhatIsUndone(t *testing.T) {
	w := startWith(t, guestpasstest.Options{Change: func(o *guestpass.Options) { o.Access = api.ByRole }})
	p := w.As(grace, "openid")
	create(p, "Water the plants")
	done := list(p, "")
	if len(done) != 1 {
		t.Fatalf("%v", done)
	}
	undo := "/api/v1/activity/" + done[0]["activity_id"].(string) + "/undo"
	tasksPermission := func(actions ...string) func(*stytchtest.Seed) {
		return func(seed *stytchtest.Seed) {
			permissions := seed.Policy.Roles[0].Permissions
			at := slices.IndexFunc(permissions, func(p stytchtest.Permission) bool { return p.ResourceID == "tasks" })
			permissions[at].Actions = actions
		}
	}
	w.ChangeProject(tasksPermission("read"))
	w.Stytch.Advance(61 * time.Second) // what a role may is believed for a minute
	p.Do(403, "POST", undo, "")
	w.ChangeProject(tasksPermission("read", "write"))
	w.Stytch.Advance(61 * time.Second)
	p.Do(200, "POST", undo, "")
}

// Whoever may not change a thing any more does not change it by undoing what they once did to it.
func TestWhoLostTheirRoleUndoesNothingOfOthers(t *testing.T) {
	w := start(t, "")
	member, admin := w.As(grace), w.As(ada)
	task := "/api/v1/tasks/" + create(member, "Grace's")
	admin.Do(200, "PATCH", task, `{"title":"an admin may"}`)
	undo := last(w, ada)
	w.GiveRoles(ada)
	if refused := admin.Do(
		403,
		"POST",
		undo,
		"",
	); !strings.Contains(
		fmt.Sprint(refused["detail"]),
		"only who created",
	) {
		t.Errorf("%v", refused)
	}
	if got := member.Do(200, "GET", task, ""); got["title"] != "an admin may" {
		t.Errorf("it was undone: %v", got)
	}
	w.GiveRoles(ada, "stytch_admin")
	admin.Do(200, "POST", undo, "")
	if got := member.Do(200, "GET", task, ""); got["title"] != "Grace's" {
		t.Errorf("it was not undone: %v", got)
	}
}

// What somebody has changed since is left alone, and named.
func TestWhatWasChangedSinceIsNotUndone(t *testing.T) {
	guestpasstest.OnEachDatabase(t, func(t *testing.T, url string) {
		w := start(t, url)
		member, admin := w.As(grace), w.As(ada)
		task := "/api/v1/tasks/" + create(member, "Grace's")
		member.Do(200, "PATCH", task, `{"title":"second"}`)
		undo := last(w, grace)
		admin.Do(200, "PATCH", task, `{"notes":"by Ada"}`)
		adas := last(w, ada)
		later := fmt.Sprint(member.Do(409, "POST", undo, "")["detail"])
		if id := strings.Split(adas, "/")[4]; !strings.Contains(later, id) || !strings.Contains(later, "updateTask") {
			t.Errorf("what was done later is not named: %s", later)
		}
		admin.Do(200, "POST", adas, "")
		// The undo is a later change too: what came before it has to wait for the undo of that.
		member.Do(409, "POST", undo, "")
		if got := member.Do(200, "GET", task, ""); got["title"] != "second" || got["notes"] != nil {
			t.Errorf("%v", got)
		}
	})
}

// An undo is an activity, which says what it took back, and can be taken back. A second one of the same is refused.
func TestAnUndoIsOnRecordAndCanBeUndone(t *testing.T) {
	w := start(t, "")
	p := w.As(ada)
	id := create(p, "Water the plants")
	created := list(p, "")[0]["activity_id"].(string)
	for _, body := range []string{`{"junk":1}`, `[]`, `null`} {
		p.Do(422, "POST", "/api/v1/activity/"+created+"/undo", body)
	}
	undone := p.Do(200, "POST", "/api/v1/activity/"+created+"/undo", "")
	if undone["undone"] != created || undone["target"] != id {
		t.Errorf("%v", undone)
	}
	p.Do(409, "POST", "/api/v1/activity/"+created+"/undo", "")
	newest := list(p, "")[0]
	if newest["operation"] != "undoActivity" || newest["target"] != id || newest["undoable"] != true ||
		newest["outcome"] != "done" {
		t.Errorf("%v", newest)
	}
	p.Do(404, "GET", "/api/v1/tasks/"+id, "")
	p.Do(200, "POST", "/api/v1/activity/"+newest["activity_id"].(string)+"/undo", "")
	p.Do(200, "GET", "/api/v1/tasks/"+id, "")
}

// Of many who undo the same at once, one does.
func TestAnUndoAtOnceIsDoneOnce(t *testing.T) {
	guestpasstest.OnEachDatabase(t, func(t *testing.T, url string) {
		w := start(t, url)
		p := w.As(ada)
		create(p, "Water the plants")
		undo := last(w, ada)
		statuses := map[int]int{}
		var mutex sync.Mutex // guards statuses
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				r := p.Call("POST", undo, "")
				mutex.Lock()
				defer mutex.Unlock()
				statuses[r.Status]++
			})
		}
		group.Wait()
		if statuses[200] != 1 || statuses[409] != 19 {
			t.Errorf("%v", statuses)
		}
	})
}

// What was taken away is undone as long as it is kept, and shown so.
func TestARemovalIsUndoableForThirtyDays(t *testing.T) {
	w := start(t, "")
	p := w.As(ada)
	p.Do(200, "DELETE", "/api/v1/tasks/"+create(p, "Water the plants"), "")
	for _, tt := range []struct {
		after    time.Duration
		undoable bool
	}{{store.RestoreWindow - time.Second, true}, {2 * time.Second, false}} {
		w.Stytch.Advance(tt.after)
		if newest := list(p, "?removals=true")[0]; newest["undoable"] != tt.undoable {
			t.Errorf("%v", newest)
		}
	}
	if r := p.Call("POST", last(w, ada), ""); r.Status != 409 || !strings.Contains(r.Body, "30 days ago") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

func TestTheIdentifierOfAnActivityIsOne(t *testing.T) {
	p := start(t, "").As(ada)
	for id, status := range map[string]int{"act_aaaaaaaaaaaaaaaa": 404, "tsk_aaaaaaaaaaaaaaaa": 404, "ACT_X": 422,
		strings.Repeat("a", 41): 422, "a%20b": 422} {
		r := p.Call("POST", "/api/v1/activity/"+id+"/undo", "")
		var problem api.Problem
		if err := json.Unmarshal([]byte(r.Body), &problem); r.Status != status || err != nil || problem.Hint == "" {
			t.Errorf("%s: %d %s", id, r.Status, r.Body)
		}
	}
}
