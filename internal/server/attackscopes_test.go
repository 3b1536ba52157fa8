package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"guestpass/stytchtest"
)

// required are the scopes that the document says an operation needs; nil if it is public.
func (a *target) required(t *testing.T) map[string][]string {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			ID       string                `json:"operationId"`
			Security []map[string][]string `json:"security"`
		}
	}
	if err := json.Unmarshal(a.app.Document().JSON(), &document); err != nil {
		t.Fatal(err)
	}
	required := map[string][]string{}
	for _, methods := range document.Paths {
		for _, op := range methods {
			required[op.ID] = nil
			for _, schemes := range op.Security {
				for _, scopes := range schemes {
					required[op.ID] = scopes
				}
			}
		}
	}
	return required
}

// TestAttackScopes calls every operation with every subset of the scopes: it is admitted if
// and only if the document says so.
func TestAttackScopes(t *testing.T) {
	a := newTarget(t, ada, stytchtest.Development())
	required := a.required(t)
	var all []string
	for _, scopes := range required {
		for _, scope := range scopes {
			if !slices.Contains(all, scope) {
				all = append(all, scope)
			}
		}
	}
	slices.Sort(all)
	fmt.Fprintf(t.Output(), "     %-34s %6s %8s %9s\n", "operation", "tried", "refused", "admitted")
	for _, op := range a.app.Operations() {
		scopes, published := required[op.ID]
		if !published || (scopes == nil) != op.Access.IsPublic() {
			t.Errorf("%s: published %t, the document wants %v", op.ID, published, scopes)
		}
		path := strings.NewReplacer("{", "no-", "}", "").Replace(op.Path)
		count := tally{}
		for subset := range 1 << len(all) {
			granted := []string{"profile"} // no token is without
			for i, scope := range all {
				if subset&(1<<i) != 0 {
					granted = append(granted, scope)
				}
			}
			missing := slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(granted, scope) })
			r := a.call(op.Method, path, a.bad(object{"scope": strings.Join(granted, " "), "jti": fmt.Sprint(subset)}), "")
			count.tried++
			if r.status == 403 {
				count.refused++
			} else {
				count.admitted++
			}
			if (r.status == 403) != missing || r.status == 401 || r.status >= 500 {
				t.Errorf("%s with %v: %d %s, the document wants %v", op.ID, granted, r.status, r.body, scopes)
			}
			if challenge := `error="insufficient_scope", scope="` + strings.Join(scopes, " ") + `"`; missing && !strings.Contains(r.header.Get("WWW-Authenticate"), challenge) {
				t.Errorf("%s with %v: %q", op.ID, granted, r.header.Get("WWW-Authenticate"))
			}
		}
		fmt.Fprintf(t.Output(), "     %-34s %6d %8d %9d\n", op.ID, count.tried, count.refused, count.admitted)
	}
}
