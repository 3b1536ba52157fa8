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

// What is switched off is asked for nowhere.
func TestScopesOfModulesSwitchedOffAreAskedForNowhere(t *testing.T) {
	for name, tt := range map[string]struct {
		change []func(*guestpass.Options)
		undo   []map[string][]string // security of undoActivity; nil if there is none
	}{
		"members only": {[]func(*guestpass.Options){withModules("members")}, nil},
		"basic ones":   {[]func(*guestpass.Options){withModules("profile")}, nil},
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
