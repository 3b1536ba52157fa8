package server_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestAttackScopes calls every operation with every set of scopes and compares the answer with
// what the published document says the operation needs.
func TestAttackScopes(t *testing.T) {
	t.Parallel()
	t.Run("B2B", func(t *testing.T) {
		checkScopes(t, newWorld(t), ada, []string{"openid", "members:read", "members:invite", "tasks:read",
			"tasks:write", "activity:read"})
	})
	t.Run("Consumer", func(t *testing.T) {
		checkScopes(t, newConsumerWorld(t), userAda, []string{"openid", "tasks:read", "tasks:write", "activity:read"})
	})
}

func checkScopes(t *testing.T, w *world, subject string, names []string) {
	needs, pairs := w.needs(), 0
	for _, op := range w.app.Operations() {
		if need, published := needs[op.Method+" "+op.Path]; !published || (need == "") != op.Access.IsPublic() {
			t.Errorf("%s: published %t, and the document says it needs %q", op.ID, published, need)
		}
	}
	for set := range 1 << len(names) {
		scopes := []string{"profile"} // which opens nothing
		for i, name := range names {
			if set&(1<<i) != 0 {
				scopes = append(scopes, name)
			}
		}
		token := w.token(subject, scopes...)
		for route, need := range needs {
			method, path, _ := strings.Cut(route, " ")
			// Nothing has these identifiers and no body is complete: who is let in changes nothing.
			path = strings.NewReplacer("{member_id}", ada, "{task_id}", "tsk_x", "{activity_id}", "act_x").Replace(path)
			body := ""
			if method != http.MethodGet {
				body = "{}"
			}
			r := w.call(method, path, token, body)
			pairs++
			let := r.status != http.StatusForbidden
			if wanted := need == "" || slices.ContainsFunc(strings.Fields(need),
				func(one string) bool { return slices.Contains(scopes, one) }); let != wanted ||
				r.status == http.StatusUnauthorized || r.status >= 500 {
				t.Errorf("%s with %v: %d, the document says it needs %q", route, scopes, r.status, need)
			}
			if !let && !strings.Contains(r.header.Get("WWW-Authenticate"), `error="insufficient_scope", scope="`+need+
				`"`) {
				t.Errorf("%s with %v: %s", route, scopes, r.header.Get("WWW-Authenticate"))
			}
		}
	}
	t.Logf("%d operations, %d sets of scopes, %d pairs", len(needs), 1<<len(names), pairs)
}

// needs returns the scopes of each operation, one of which is enough, by method and path, as the document says; "" for
// none.
func (w *world) needs() map[string]string {
	w.t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal([]byte(w.call("GET", "/openapi.json", "", "").body), &document); err != nil {
		w.t.Fatal(err)
	}
	found := map[string]string{}
	for path, operations := range document.Paths {
		for method, operation := range operations {
			route := strings.ToUpper(method) + " " + path
			found[route] = ""
			for _, alternative := range operation.Security {
				if len(alternative["oauth2"]) != 1 || len(operation.Security) != 1 &&
					!strings.HasSuffix(path, "/undo") {
					w.t.Fatalf("%s: %v is not one scope", route, operation.Security)
				}
				found[route] = strings.TrimSpace(found[route] + " " + alternative["oauth2"][0])
			}
		}
	}
	return found
}
