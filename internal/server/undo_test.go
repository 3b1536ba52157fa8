package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/store"
)

// shelf is a resource whose changes can be undone. Who puts something on it needs another
// scope than who clears it.
func shelf(o *guestpass.Options) {
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
	o.Resources = ownOperations(func(s *api.Service) {
		for id, scope := range map[string]string{"putOnShelf": "shelf:write", "clearShelf": "shelf:clear"} {
			api.Register(s, api.Operation{ID: id, Method: http.MethodPost, Path: "/api/v1/" + id,
				Summary: "Change the shelf", Description: "Changes the shelf.",
				Access: auth.Scope(scope), Effect: api.Write}, func(ctx context.Context, in *input) (*output, error) {
				return api.InTransaction(ctx, s, func(tx *store.Tx) (*output, error) {
					tx.Changed("shf_"+in.Body.Name, nil, in.Body)
					return &output{}, nil
				})
			})
		}
		s.Undoable("shf_", nil, func(*store.Tx, store.Activity) error { return nil })
	})
}

func withModules(names ...string) func(*guestpass.Options) {
	return func(o *guestpass.Options) { o.Modules = names }
}

// lastActivity returns what was done last for Ada, whatever her tokens may.
func (w *world) lastActivity() string {
	w.t.Helper()
	var list struct {
		Activities []struct {
			ID string `json:"activity_id"`
		}
	}
	r := w.call("GET", "/api/v1/activity", w.token(ada, "activity:read", "openid"), "")
	if err := json.Unmarshal([]byte(r.body), &list); err != nil || len(list.Activities) == 0 {
		w.t.Fatalf("%v %s", err, r.body)
	}
	return list.Activities[0].ID
}

// Undoing takes the scope of what is undone, also when that was an undo; a token with the scope
// of something else is told which one it lacks.
func TestUndoingWantsTheScopeOfWhatIsUndone(t *testing.T) {
	w := newWorld(t, shelf)
	challenge := func(scope string) string {
		return `Bearer realm="api", error="insufficient_scope", scope="` + scope + `", resource_metadata="` + w.url +
			`/.well-known/oauth-protected-resource"`
	}
	others := map[string][]string{"tasks:write": {"shelf:write", "shelf:clear"},
		"shelf:write": {"tasks:write", "shelf:clear"}, "shelf:clear": {"tasks:write", "shelf:write"}}
	for _, change := range []struct{ path, body, scope string }{
		{"/api/v1/tasks", `{"title":"Water the plants"}`, "tasks:write"},
		{"/api/v1/putOnShelf", `{"name":"a"}`, "shelf:write"},
		{"/api/v1/clearShelf", `{"name":"b"}`, "shelf:clear"},
	} {
		if r := w.call("POST", change.path, w.token(ada, change.scope), change.body); r.status/100 != 2 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		for _, what := range []string{"change", "undo", "undo of the undo"} {
			undo := "/api/v1/activity/" + w.lastActivity() + "/undo"
			if r := w.call("POST", undo, w.token(ada, append(others[change.scope], "activity:read")...),
				""); r.status != 403 || r.header.Get("WWW-Authenticate") != challenge(change.scope) {
				t.Errorf("the %s of %s without its scope: %d %s", what, change.path, r.status,
					r.header.Get("WWW-Authenticate"))
			}
			if r := w.call("POST", undo, w.token(ada, "activity:read", "openid"), ""); r.status != 403 ||
				r.header.Get("WWW-Authenticate") != challenge("tasks:write shelf:write shelf:clear members:invite") &&
					r.header.Get("WWW-Authenticate") != challenge(
						"tasks:write shelf:clear shelf:write members:invite") {
				t.Errorf("without any: %d %s", r.status, r.header.Get("WWW-Authenticate"))
			}
			if r := w.call("POST", undo, w.token(ada, change.scope), ""); r.status != 200 {
				t.Errorf("the %s of %s: %d %s", what, change.path, r.status, r.body)
			}
		}
	}
	if !strings.Contains(w.log.String(), `"msg":"refused","reason":"needs \"shelf:clear\""`) {
		t.Error("the refusal is not in the log")
	}
}

// What cannot be undone is told to those who may do it, and only for what was done in their name.
func TestWhatCannotBeUndoneTakesItsOwnScope(t *testing.T) {
	w := newWorld(t)
	w.give(grace, "stytch_admin")
	if r := w.call("POST", "/api/v1/members/invitations", w.token(ada, "members:invite"),
		`{"email":"new@acme.example"}`); r.status/100 != 2 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	invitation := "/api/v1/activity/" + w.lastActivity() + "/undo"
	for _, tt := range []struct {
		what, path, token string
		status            int
		answer            string
	}{
		{"with its scope", invitation, w.token(ada, "members:invite"), 409, "this activity cannot be undone here"},
		{"with the scope of something else", invitation, w.token(ada, "tasks:write"), 403, `scope="members:invite"`},
		{"with no scope that writes", invitation, w.token(ada, "activity:read"), 403,
			`scope="tasks:write members:invite"`},
		{"somebody else's", invitation, w.token(grace, "members:invite"), 404, "no such record"},
		{"somebody else's with another scope", invitation, w.token(grace, "tasks:write"), 404, "no such record"},
		{"one that does not exist", "/api/v1/activity/act_x/undo", w.token(ada, "members:invite"), 404,
			"no such record"},
	} {
		r := w.call("POST", tt.path, tt.token, "")
		if r.status != tt.status || !strings.Contains(r.body+r.header.Get("WWW-Authenticate"), tt.answer) {
			t.Errorf("%s: %d %s %s", tt.what, r.status, r.header.Get("WWW-Authenticate"), r.body)
		}
	}
	if r := w.call("POST", "/api/v1/tasks", w.token(ada, "tasks:write"),
		`{"title":"Water the plants"}`); r.status != 201 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := w.call("POST", "/api/v1/activity/"+w.lastActivity()+"/undo", w.token(ada, "members:invite"),
		""); r.status != 403 || !strings.Contains(r.header.Get("WWW-Authenticate"), `scope="tasks:write"`) {
		t.Errorf("a task with the scope of invitations: %d %s", r.status, r.header.Get("WWW-Authenticate"))
	}
}

func TestUndoingByRoleWantsThePermissionOfWhatIsUndone(t *testing.T) {
	w := newWorld(t, byRole)
	token := w.token(grace, "openid")
	created := w.call("POST", "/api/v1/tasks", token, `{"title":"Water the plants"}`)
	var list struct {
		Activities []struct {
			ID string `json:"activity_id"`
		}
	}
	_ = json.Unmarshal([]byte(w.call("GET", "/api/v1/activity", token, "").body), &list)
	if created.status != 201 || len(list.Activities) != 1 {
		t.Fatalf("%d %s, %v", created.status, created.body, list)
	}
	if r := w.call("POST", "/api/v1/activity/"+list.Activities[0].ID+"/undo", token, ""); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// What is switched off is asked for nowhere.
func TestScopesOfModulesSwitchedOffAreAskedForNowhere(t *testing.T) {
	for name, tt := range map[string]struct {
		change []func(*guestpass.Options)
		undo   []map[string][]string // security of undoActivity; nil if there is none
	}{
		"members only": {[]func(*guestpass.Options){withModules("members")}, nil},
		"nothing":      {[]func(*guestpass.Options){withModules("none")}, nil},
		"members and a resource": {[]func(*guestpass.Options){shelf, withModules("members", "own")},
			[]map[string][]string{{"oauth2": {"shelf:write"}}, {"oauth2": {"shelf:clear"}},
				{"oauth2": {"members:invite"}}}},
		"everything": {[]func(*guestpass.Options){shelf}, []map[string][]string{{"oauth2": {"tasks:write"}},
			{"oauth2": {"shelf:write"}}, {"oauth2": {"shelf:clear"}}, {"oauth2": {"members:invite"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.change...)
			var d struct {
				Paths map[string]map[string]struct{ Security []map[string][]string }
			}
			if err := json.Unmarshal(w.app.Document().JSON(), &d); err != nil {
				t.Fatal(err)
			}
			undo, published := d.Paths["/api/v1/activity/{activity_id}/undo"]["post"]
			wanted := map[string]bool{}
			for _, s := range undo.Security {
				wanted[s["oauth2"][0]] = true
			}
			if published != (tt.undo != nil) || len(wanted) != len(tt.undo) {
				t.Errorf("undoActivity is published: %t, with %v", published, undo.Security)
			}
			for _, s := range tt.undo {
				if !wanted[s["oauth2"][0]] {
					t.Errorf("undoActivity does not want %v: %v", s, undo.Security)
				}
			}
			if wanted["tasks:write"] || name == "everything" {
				return
			}
			token := w.token(ada, "openid")
			for what, r := range map[string]reply{
				"the document": w.call("GET", "/openapi.json", "", ""), "the YAML": w.call("GET", "/openapi.yaml", "",
					""), "the privacy page": w.call("GET", "/privacy", "", ""),
				"the landing page": w.call("GET", "/", "", ""), "the operations' page": w.call("GET", "/docs", "",
					""), "the account page": w.call("GET", "/account", "", ""),
				"the consent page": w.call("GET", "/idp?"+authorization(w), "", ""), "the metadata": w.call("GET",
					"/.well-known/oauth-protected-resource", "", ""),
				"a refusal": w.call("GET", "/api/v1/activity", token, ""), "an undo": w.call("POST",
					"/api/v1/activity/act_x/undo", token, ""),
				"next steps": w.call("GET", "/api/v1/next-steps", "", ""),
			} {
				if r.status >= 500 || strings.Contains(r.body, "tasks:") ||
					strings.Contains(r.header.Get("WWW-Authenticate"), "tasks:") {
					t.Errorf("%s: %d %v %s", what, r.status, r.header, r.body)
				}
			}
		})
	}
}
