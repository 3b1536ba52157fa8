package server_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/stytchtest"
)

// withDeputies returns a project in which the role deputy alone may write, and inviter invite:
// Ada, of either vertical, is a deputy.
func withDeputies(seed stytchtest.Seed) stytchtest.Seed {
	allow := func(resource string, actions ...string) stytchtest.Permission {
		return stytchtest.Permission{ResourceID: resource, Actions: actions}
	}
	reads := []stytchtest.Permission{allow("members", "read"), allow("tasks", "read"), allow("activity", "read")}
	everybody := "stytch_member"
	if len(seed.Users) > 0 {
		everybody = "stytch_user"
	}
	seed.Policy.Roles = []stytchtest.Role{{ID: everybody, Permissions: reads},
		{ID: "deputy", Permissions: []stytchtest.Permission{allow("members", "*"), allow("tasks", "*"), allow("shelf",
			"*")}},
		{ID: "inviter", Permissions: []stytchtest.Permission{allow("members", "invite")}},
		{ID: "clerk", Permissions: []stytchtest.Permission{allow("tasks", "write")}}}
	if everybody == "stytch_member" {
		seed.Policy.Roles = append(seed.Policy.Roles, stytchtest.Role{ID: "stytch_admin", Permissions: reads})
	}
	seed.Policy.Resources = append(slices.Clone(seed.Policy.Resources), stytchtest.Resource{ID: "shelf",
		Actions: []string{"write", "clear"}})
	seed.Policy.Scopes = slices.Clone(seed.Policy.Scopes)
	for _, action := range []string{"write", "clear"} {
		seed.Policy.Scopes = append(seed.Policy.Scopes, stytchtest.CustomScope{Name: "shelf:" + action,
			Permissions: []stytchtest.Permission{allow("shelf", action)}})
	}
	seed.Members, seed.Users = slices.Clone(seed.Members), slices.Clone(seed.Users)
	for i := range seed.Members {
		seed.Members[i].Roles = []string{everybody, "deputy"}
	}
	for i := range seed.Users {
		seed.Users[i].Roles = []string{everybody, "deputy"}
	}
	return seed
}

// give leaves the person with those roles.
func (w *world) give(person string, roles ...string) {
	w.t.Helper()
	w.changeProject(func(seed *stytchtest.Seed) {
		for i := range seed.Members {
			if seed.Members[i].ID == person {
				seed.Members[i].Roles = append([]string{"stytch_member"}, roles...)
			}
		}
		for i := range seed.Users {
			if seed.Users[i].ID == person {
				seed.Users[i].Roles = append([]string{"stytch_user"}, roles...)
			}
		}
	})
}

// writing are the scopes of all that writes.
var writing = []string{"openid", "members:invite", "tasks:write", "shelf:write", "shelf:clear", "activity:read",
	"tasks:read", "members:read"}

// refusedByRole reports whether the reply is 403 and says what is missing, without asking the
// client for another token, which would not help.
func refusedByRole(r reply, missing string) bool {
	var p struct{ Detail, Hint string }
	_ = json.Unmarshal([]byte(r.body), &p)
	return r.status == http.StatusForbidden && len(r.header.Values("WWW-Authenticate")) == 0 &&
		r.header.Get("Cache-Control") == "no-store" &&
		r.header.Get("Content-Type") == "application/problem+json" && strings.Contains(p.Detail, missing) &&
		strings.Contains(p.Hint, "signing in again does not help")
}

// Whoever lost the role that a scope was granted for changes nothing by it any more, neither
// at once nor with a token renewed much later: by no operation that is declared to write.
func TestAttackWhoLostTheirRoleChangesNothing(t *testing.T) {
	t.Parallel()
	b2b, consumer := withDeputies(stytchtest.Development()), withDeputies(stytchtest.DevelopmentConsumer())
	for name, tt := range map[string]struct {
		seed   *stytchtest.Seed
		person string
	}{"b2b": {&b2b, ada}, "consumer": {&consumer, userAda}} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOf(t, stytchtest.Options{Seed: tt.seed}, shelf)
			token := w.token(tt.person, writing...)
			if r := w.call("POST", "/api/v1/tasks", token, `{"title":"Water the plants"}`); r.status != 201 {
				t.Fatalf("before: %d %s", r.status, r.body)
			}
			record := func() string {
				return w.call("GET", "/api/v1/activity", w.token(tt.person, "activity:read"),
					"").body
			}
			before, tried := "", 0
			for _, op := range w.app.Operations() {
				if op.Effect == api.Read {
					continue
				}
				path := strings.NewReplacer("{task_id}", "task_x", "{activity_id}", "act_x").Replace(op.Path)
				call := func() reply {
					tried++
					return w.call(op.Method, path, w.token(tt.person, writing...), `{"title":"x","name":"x"}`)
				}
				w.give(tt.person, "deputy")
				if r := call(); r.status == 401 || r.status == 403 {
					t.Errorf("%s with the role: %d %s", op.ID, r.status, r.body)
				}
				before = record()
				w.give(tt.person)
				for range 2 {
					if r := call(); !refusedByRole(r, op.Access.ScopeName()) {
						t.Errorf("%s without the role: %d %v %s", op.ID, r.status, r.header, r.body)
					}
					w.stytch.Advance(72 * time.Hour)
				}
				if record() != before {
					t.Errorf("%s without the role has done something", op.ID)
				}
			}
			if log := w.log.String(); !strings.Contains(log,
				`"reason":"no role for \"tasks:write\"","found":"stytch_`) ||
				!strings.Contains(log, `"expected":"write on tasks"`) || !strings.Contains(log,
				"another token would not help") {
				t.Error("the log does not say why")
			}
			if r := w.call("GET", "/api/v1/tasks", w.token(tt.person, "tasks:read"), ""); r.status != 200 {
				t.Errorf("reading: %d %s", r.status, r.body)
			}
			t.Logf("%d calls, half of them without the role: 0 changed anything", tried)
		})
	}
}

// Undoing, of undos too, takes the role for what is undone, whatever else somebody may do.
func TestAttackUndoingTakesTheRoleOfWhatIsUndone(t *testing.T) {
	seed := withDeputies(stytchtest.Development())
	w := newWorldOf(t, stytchtest.Options{Seed: &seed})
	token := w.token(ada, writing...)
	var created struct {
		ID string `json:"task_id"`
	}
	_ = json.Unmarshal([]byte(w.call("POST", "/api/v1/tasks", token, `{"title":"Water the plants"}`).body), &created)
	if r := w.call("DELETE", "/api/v1/tasks/"+created.ID, token, ""); r.status/100 != 2 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	for _, what := range []string{"the deletion", "the undo"} {
		undo := "/api/v1/activity/" + w.lastActivity() + "/undo"
		w.give(ada, "inviter") // which lets in to undoActivity
		if r := w.call("POST", undo, token, ""); !refusedByRole(r, "tasks:write") {
			t.Errorf("undoing %s: %d %s", what, r.status, r.body)
		}
		if r := w.call("POST", "/api/v1/tasks/"+created.ID+"/restore", token, ""); !refusedByRole(r, "tasks:write") {
			t.Errorf("restoring: %d %s", r.status, r.body)
		}
		w.give(ada, "clerk")
		if r := w.call("POST", undo, token, ""); r.status != 200 {
			t.Errorf("undoing %s with the role: %d %s", what, r.status, r.body)
		}
	}
	// A scope that the token lacks can still be granted: that is told instead.
	w.give(ada)
	if r := w.call("POST", "/api/v1/activity/"+w.lastActivity()+"/undo", w.token(ada, "members:invite"),
		""); r.status != 403 ||
		!strings.Contains(r.header.Get("WWW-Authenticate"), `error="insufficient_scope"`) {
		t.Errorf("without the scope: %d %v", r.status, r.header)
	}
}

// What a role may is believed for a minute at most; who has it is asked each time.
func TestAttackAPolicyIsBelievedForAMinute(t *testing.T) {
	seed := withDeputies(stytchtest.Development())
	seed.Organizations = slices.Clone(seed.Organizations)
	seed.Organizations[0].Roles = []stytchtest.Role{{ID: "own",
		Permissions: []stytchtest.Permission{{ResourceID: "tasks", Actions: []string{"write"}}}}}
	for name, tt := range map[string]struct {
		roles  []string
		change func(*stytchtest.Seed)
		want   string
	}{
		"a role of the project loses it": {[]string{"clerk"}, func(s *stytchtest.Seed) {
			for i := range s.Policy.Roles {
				if s.Policy.Roles[i].ID == "clerk" {
					s.Policy.Roles[i].Permissions = nil
				}
			}
		}, "tasks:write"},
		"a role of the organization loses it": {[]string{"own"},
			func(s *stytchtest.Seed) { s.Organizations[0].Roles[0].Permissions = nil }, "tasks:write"},
		"the scope wants more": {[]string{"clerk"}, func(s *stytchtest.Seed) {
			for i := range s.Policy.Scopes {
				if s.Policy.Scopes[i].Name == "tasks:write" {
					s.Policy.Scopes[i].Permissions = append(s.Policy.Scopes[i].Permissions,
						stytchtest.Permission{ResourceID: "members", Actions: []string{"invite"}})
				}
			}
		}, "tasks:write"},
		"the scope is gone": {[]string{"clerk"}, func(s *stytchtest.Seed) {
			s.Policy.Scopes = slices.DeleteFunc(s.Policy.Scopes,
				func(c stytchtest.CustomScope) bool { return c.Name == "tasks:write" })
		}, "tasks:write"},
	} {
		t.Run(name, func(t *testing.T) {
			seed := seed
			w := newWorldOf(t, stytchtest.Options{Seed: &seed})
			w.give(ada, tt.roles...)
			write := func() reply { return w.call("POST", "/api/v1/tasks", w.token(ada, writing...), `{"title":"x"}`) }
			if r := write(); r.status != 201 {
				t.Fatalf("before: %d %s", r.status, r.body)
			}
			w.changeProject(tt.change)
			w.stytch.Advance(61 * time.Second)
			if r := write(); !refusedByRole(r, tt.want) {
				t.Errorf("a minute later: %d %s", r.status, r.body)
			}
		})
	}
}

// One organization's roles are nobody else's business.
func TestAttackADemotionIsOfOneOrganization(t *testing.T) {
	seed := withDeputies(stytchtest.Development())
	w := newWorldOf(t, stytchtest.Options{Seed: &seed})
	write := func(who string) int {
		return w.call("POST", "/api/v1/tasks", w.token(who, writing...), `{"title":"x"}`).status
	}
	if a, h := write(ada), write(hank); a != 201 || h != 201 {
		t.Fatal(a, h)
	}
	w.give(ada)
	if a, h := write(ada), write(hank); a != 403 || h != 201 {
		t.Errorf("Ada, demoted in Acme: %d; Hank of Globex: %d", a, h)
	}
	w.changeProject(func(s *stytchtest.Seed) { s.Members[0].OrganizationID = globexID }) // Stytch has moved her
	if r := w.call("POST", "/api/v1/tasks", w.mint(stytchtest.MintRequest{Kind: "access", Subject: ada, Scopes: writing,
		Claims: map[string]any{"https://stytch.com/organization": map[string]any{"organization_id": acme,
			"slug": "acme"}}}), `{"title":"x"}`); r.status != 401 {
		t.Errorf("Ada, moved, with a token of Acme: %d %s", r.status, r.body)
	}
	for _, status := range []string{"deleted", "pending", "invited"} {
		if err := w.stytch.SetStatus(hank, status); err != nil {
			t.Fatal(err)
		}
		if h := write(hank); h != 401 {
			t.Errorf("Hank, %s: %d", status, h)
		}
	}
}

const globexID = "organization-test-bbbbbbbb-0000-4000-8000-000000000001"

// While Stytch cannot say what somebody may do, nothing is changed by what it said long ago.
func TestAttackAnOutageKeepsNobodyInTheirRole(t *testing.T) {
	seed := withDeputies(stytchtest.Development())
	w := newWorldOf(t, stytchtest.Options{Seed: &seed})
	token := w.token(ada, writing...)
	write := func() reply { return w.call("POST", "/api/v1/tasks", token, `{"title":"x"}`) }
	if r := write(); r.status != 201 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	unavailable := func(what string) {
		t.Helper()
		if r := write(); r.status != 503 || r.header.Get("Retry-After") == "" ||
			r.header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %d %v %s", what, r.status, r.header, r.body)
		}
	}
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/rbac/policy", Status: 503})
	if r := write(); r.status != 201 {
		t.Errorf("the policy is away, and seconds old: %d %s", r.status, r.body)
	}
	w.stytch.Advance(61 * time.Second)
	unavailable("the policy is away, and a minute old")
	w.stytch.ClearFaults()
	if r := write(); r.status != 201 {
		t.Errorf("Stytch is back: %d %s", r.status, r.body)
	}
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/organizations/" + acme + "/member", Status: 503})
	unavailable("who has which role is not to be had")
	if r := w.call("GET", "/api/v1/tasks", token, ""); r.status != 200 {
		t.Errorf("reading meanwhile: %d %s", r.status, r.body)
	}
}

// Reads ask for no roles, writes for nothing that was not asked anyway but the policy once a
// minute, however many come at once.
func TestRolesCostOneCallAMinute(t *testing.T) {
	seed := withDeputies(stytchtest.Development())
	w := newWorldOf(t, stytchtest.Options{Seed: &seed})
	token := w.token(ada, writing...)
	asked := func(part string) (times int) {
		for _, r := range w.stytch.Requests() {
			if strings.Contains(r.Path, part) {
				times++
			}
		}
		return times
	}
	for range 50 {
		if r := w.call("GET", "/api/v1/tasks", token, ""); r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	if policies, people := asked("/rbac"), asked("/member"); policies != 0 || people != 1 {
		t.Errorf("50 reads asked for the policy %d times, for the person %d times", policies, people)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if r := w.call("POST", "/api/v1/tasks", token, `{"title":"x"}`); r.status != 201 {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
	all.Wait()
	if policies, people := asked("/rbac"), asked("/member"); policies != 1 || people != 21 {
		t.Errorf("50 reads and 20 writes at once asked for the policy %d times, for the person %d times", policies,
			people)
	}
}

func TestScopesAloneDecideWhereThatIsWanted(t *testing.T) {
	seed := withDeputies(stytchtest.Development())
	w := newWorldOf(t, stytchtest.Options{Seed: &seed}, func(o *guestpass.Options) { o.ScopesAlone = true })
	w.give(ada)
	if r := w.call("POST", "/api/v1/tasks", w.token(ada, writing...), `{"title":"x"}`); r.status != 201 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := w.call("POST", "/api/v1/tasks", w.token(ada, "tasks:read"), `{"title":"x"}`); r.status != 403 {
		t.Errorf("without the scope: %d %s", r.status, r.body)
	}
}

// In projects that go by role a refusal is told in the same way, for reads too.
func TestARoleThatIsMissingIsNoMissingScope(t *testing.T) {
	w := newWorld(t, byRole)
	r := w.call("POST", "/api/v1/members/invitations", w.token(grace, "openid"), `{"email":"new@acme.example"}`)
	if !refusedByRole(r, "create on stytch.member") {
		t.Errorf("%d %v %s", r.status, r.header, r.body)
	}
}
