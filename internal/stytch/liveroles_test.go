package stytch_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"guestpass/directory"
	"guestpass/internal/stytch"
	"guestpass/stytchtest"
)

// withScopes returns a project whose scopes stand for all that scopes can stand for.
func withScopes() stytchtest.Seed {
	allow := func(resource string, actions ...string) stytchtest.Permission {
		return stytchtest.Permission{ResourceID: resource, Actions: actions}
	}
	scope := func(name string, permissions ...stytchtest.Permission) stytchtest.CustomScope {
		return stytchtest.CustomScope{Name: name, Permissions: permissions}
	}
	seed := stytchtest.Development()
	seed.Policy = stytchtest.Policy{
		Resources: []stytchtest.Resource{{ID: "tasks", Actions: []string{"read", "write"}}, {ID: "members",
			Actions: []string{"invite"}},
			{ID: "rooms", Actions: []string{"*"}}},
		Roles: []stytchtest.Role{{ID: "stytch_member", Permissions: []stytchtest.Permission{allow("tasks", "read")}},
			{ID: "stytch_admin"}, {ID: "writer", Permissions: []stytchtest.Permission{allow("tasks", "write")}},
			{ID: "caretaker", Permissions: []stytchtest.Permission{allow("rooms", "open", "close")}},
			{ID: "owner", Permissions: []stytchtest.Permission{allow("rooms", "*"), allow("members", "*")}}},
		Scopes: []stytchtest.CustomScope{scope("tasks:read", allow("tasks", "read")), scope("tasks:write",
			allow("tasks", "write")),
			scope("tasks:all", allow("tasks", "*")), scope("rooms:all", allow("rooms", "*")), scope("free"),
			scope("both", allow("tasks", "write"), allow("members", "invite")), scope("own", allow("members",
				"invite"))},
	}
	seed.Organizations[0].Roles = []stytchtest.Role{{ID: "own_inviter",
		Permissions: []stytchtest.Permission{allow("members", "invite")}}}
	for i := range seed.Members {
		seed.Members[i].Roles = nil
	}
	return seed
}

func directoryOf(t *testing.T, seed stytchtest.Seed, now func() time.Time) (*stytch.B2B, *stytchtest.Server) {
	t.Helper()
	emulator := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	d, err := stytch.NewB2B(stytch.Options{ProjectID: seed.Project.ID, Secret: seed.Project.Secret,
		BaseURL: emulator.URL,
		Now:     now, Backoff: func(int) time.Duration { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	return d, emulator
}

// A scope is what Stytch would grant today, by the same rule.
func TestAScopeIsCoveredAsStytchWouldGrantIt(t *testing.T) {
	for name, tt := range map[string]struct {
		roles   []string
		covered []string
		lacks   map[string]string
	}{
		"everybody": {nil, []string{"tasks:read", "free", "openid", "profile", "email", "phone", "offline_access"},
			map[string]string{"tasks:write": "write on tasks", "tasks:all": "write on tasks", "both": "write on tasks",
				"rooms:all": "* on rooms",
				"own":       "invite on members", "unheard:of": "a scope that the project's policy does not have",
				"":            "a scope that the project's policy does not have",
				"OPENID":      "a scope that the project's policy does not have",
				"full_access": "a scope that the project's policy does not have"}},
		"roles together": {[]string{"writer"}, []string{"tasks:write", "tasks:all"},
			map[string]string{"both": "invite on members"}},
		"with the organization's": {[]string{"writer", "own_inviter"}, []string{"both", "own"},
			map[string]string{"rooms:all": "* on rooms"}},
		"every action that counts": {[]string{"owner"}, []string{"rooms:all", "own"}, nil},
		"not every action":         {[]string{"caretaker"}, nil, map[string]string{"rooms:all": "* on rooms"}},
	} {
		t.Run(name, func(t *testing.T) {
			seed := withScopes()
			seed.Members[0].Roles = tt.roles
			d, _ := directoryOf(t, seed, nil)
			for _, scope := range tt.covered {
				if err := d.CheckScope(t.Context(), acme, ada, scope); err != nil {
					t.Errorf("%s: %v", scope, err)
				}
			}
			for scope, lacks := range tt.lacks {
				var lacking *directory.RolesError
				if err := d.CheckScope(t.Context(), acme, ada, scope); !errors.As(err, &lacking) ||
					lacking.Lacks != lacks ||
					!slices.Contains(lacking.Roles, "stytch_member") {
					t.Errorf("%q: %v", scope, err)
				}
			}
		})
	}
}

func TestWhoIsGoneHasNoScope(t *testing.T) {
	seed := withScopes()
	d, emulator := directoryOf(t, seed, nil)
	for who, organization := range map[string]string{ada: globex, hank: acme, "member-test-x": acme} {
		if err := d.CheckScope(t.Context(), organization, who, "free"); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s in %s: %v", who, organization, err)
		}
	}
	for status, want := range map[string]error{"invited": directory.ErrInactive, "pending": directory.ErrInactive} {
		if err := emulator.SetStatus(grace, status); err != nil {
			t.Fatal(err)
		}
		if err := d.CheckScope(t.Context(), acme, grace, "free"); !errors.Is(err, want) {
			t.Errorf("%s: %v", status, err)
		}
	}
}

// The question before a write is answered by Stytch as it is now, whatever was kept, and however
// the clock stands.
func TestAskingForAPersonRenewsTheirRoles(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	seed := withScopes()
	seed.Members[0].Roles = []string{"writer"}
	d, emulator := directoryOf(t, seed, func() time.Time { return now })
	check := func() error {
		if err := d.CheckActive(t.Context(), acme, ada); err != nil {
			return err
		}
		return d.CheckScope(t.Context(), acme, ada, "tasks:write")
	}
	if err := check(); err != nil {
		t.Fatal(err)
	}
	give := func(roles ...string) {
		seed.Members[0].Roles = roles
		if err := emulator.Import(seed); err != nil {
			t.Fatal(err)
		}
	}
	give()
	if err := d.CheckScope(t.Context(), acme, ada, "tasks:write"); err != nil {
		t.Errorf("by itself it goes by what was asked a moment ago: %v", err)
	}
	if err := check(); !errors.As(err, new(*directory.RolesError)) {
		t.Errorf("without the role: %v", err)
	}
	give("writer")
	now = now.Add(-time.Hour)
	if err := check(); err != nil {
		t.Errorf("with the role, an hour before: %v", err)
	}
	give()
	if err := check(); !errors.As(err, new(*directory.RolesError)) {
		t.Errorf("without the role, an hour before: %v", err)
	}
}

// However many want to know at once, Stytch is asked for each policy once.
func TestPoliciesAreAskedForOnce(t *testing.T) {
	seed := withScopes()
	seed.Members[0].Roles = []string{"own_inviter"}
	d, emulator := directoryOf(t, seed, nil)
	emulator.Fail(stytchtest.Fault{Path: "/v1/b2b/rbac", Delay: 50 * time.Millisecond,
		Count: 2}) // so that all are waiting
	if err := d.CheckActive(t.Context(), acme, ada); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			if err := d.CheckScope(t.Context(), acme, ada, "own"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if project, own := asked(emulator, "/v1/b2b/rbac/policy"), asked(emulator, ownRolesPath+acme); project != 1 ||
		own != 1 {
		t.Errorf("the project's policy was asked for %d times, the organization's %d times", project, own)
	}
}

// A policy that was long on its way is not believed for longer.
func TestAPolicyIsAsOldAsTheQuestion(t *testing.T) {
	var clock, policies atomic.Int64
	clock.Store(1_800_000_000)
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/v1/b2b/rbac/policy" {
			policies.Add(1)
			clock.Add(40)
			fmt.Fprint(w, `{"policy":{"scopes":[{"scope":"free"}]}}`)
			return
		}
		fmt.Fprint(w, `{"member":{"organization_id":"`+acme+`","member_id":"`+ada+`","status":"active"}}`)
	}))
	defer far.Close()
	d, err := stytch.NewB2B(stytch.Options{ProjectID: "project-test-1", Secret: "secret-test-1", BaseURL: far.URL,
		Now: func() time.Time { return time.Unix(clock.Load(), 0) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ later, asked int64 }{{0, 1}, {19, 1}, {2, 2}} { // 40, 59 and 61 s after the question
		clock.Add(step.later)
		if err := d.CheckScope(t.Context(), acme, ada, "free"); err != nil || policies.Load() != step.asked {
			t.Errorf("%d s later it was asked for %d times, %v", step.later, policies.Load(), err)
		}
	}
}
