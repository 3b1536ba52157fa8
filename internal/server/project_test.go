package server_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"guestpass"
	"guestpass/internal/inside"
	"guestpass/stytchtest"
)

// without returns the development project without some scopes and resources.
func without(seed stytchtest.Seed, scopes []string, resources ...string) stytchtest.Seed {
	p := &seed.Policy
	p.Scopes = slices.DeleteFunc(slices.Clone(p.Scopes),
		func(s stytchtest.CustomScope) bool { return slices.Contains(scopes, s.Name) })
	p.Resources = slices.DeleteFunc(slices.Clone(p.Resources),
		func(r stytchtest.Resource) bool { return slices.Contains(resources, r.ID) })
	p.Roles = slices.Clone(p.Roles)
	for i := range p.Roles {
		p.Roles[i].Permissions = slices.DeleteFunc(slices.Clone(p.Roles[i].Permissions),
			func(p stytchtest.Permission) bool { return slices.Contains(resources, p.ResourceID) })
	}
	return seed
}

// free returns the project with scopes that stand for no permissions.
func free(seed stytchtest.Seed, scopes ...string) stytchtest.Seed {
	seed.Policy.Scopes = slices.Clone(seed.Policy.Scopes)
	for i, scope := range seed.Policy.Scopes {
		if slices.Contains(scopes, scope.Name) {
			seed.Policy.Scopes[i].Permissions = nil
		}
	}
	return seed
}

func TestWhatTheProjectLacksIsToldByName(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		seed   stytchtest.Seed
		change func(*guestpass.Options)
		wanted []string
		absent []string
	}{
		"nothing is missing": {stytchtest.Development(), func(*guestpass.Options) {}, []string{"has every scope"},
			[]string{"lacks"}},
		"scopes": {without(stytchtest.Development(), []string{"tasks:write", "activity:read"}),
			func(*guestpass.Options) {},
			[]string{`"scope":"tasks:write","operations":"createTask updateTask`,
				`"scope":"activity:read","operations":"listActivity`, `"level":"WARN"`},
			[]string{`"scope":"tasks:read"`, `"scope":"openid"`, "has every"}},
		"scopes of operations that are switched off": {without(stytchtest.Development(),
			[]string{"members:read", "members:invite"}),
			func(o *guestpass.Options) { o.Modules = []string{"tasks"} }, []string{"has every scope"},
			[]string{"lacks"}},
		"nothing is missing for roles": {stytchtest.Development(), byRole, []string{"has every permission"},
			[]string{"lacks"}},
		"scopes do not matter for roles": {without(stytchtest.Development(), []string{"tasks:write"}), byRole,
			[]string{"has every permission"}, []string{"lacks"}},
		"permissions": {without(stytchtest.Development(), []string{"activity:read"}, "activity"), byRole,
			[]string{`"permission":"read on activity","operations":"listActivity`}, []string{"read on tasks",
				"has every"}},
		"a scope for everybody": {free(stytchtest.Development(), "tasks:write", "tasks:read"),
			func(*guestpass.Options) {},
			[]string{"has no permissions: everybody may have it", `"scope":"tasks:write"`},
			[]string{`"scope":"tasks:read"`}},
		"which is meant": {free(stytchtest.Development(), "tasks:write"),
			func(o *guestpass.Options) { o.ScopesAlone = true },
			[]string{"has every scope"}, []string{"has no permissions"}},
		"users": {without(stytchtest.DevelopmentConsumer(), []string{"tasks:read"}), func(*guestpass.Options) {},
			[]string{`"scope":"tasks:read"`}, []string{"has every"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOf(t, stytchtest.Options{Seed: &tt.seed}, tt.change)
			if !inside.CheckProject(w.app, t.Context()) {
				t.Error("it could not be checked")
			}
			log := w.log.String()
			for _, want := range tt.wanted {
				if !strings.Contains(log, want) {
					t.Errorf("the log lacks %s:\n%s", want, log)
				}
			}
			for _, absent := range tt.absent {
				if strings.Contains(log, absent) {
					t.Errorf("the log has %s:\n%s", absent, log)
				}
			}
		})
	}
}

// Whatever Stytch answers at the start, the server goes on; the log and readyz tell.
func TestTroubleAtTheStartIsTold(t *testing.T) {
	t.Run("wrong credentials", func(t *testing.T) {
		w := newWorld(t, func(o *guestpass.Options) { o.Secret = "secret-test-wrong" })
		if !inside.CheckProject(w.app, t.Context()) {
			t.Error("it is asked again in a minute, in vain")
		}
		log := w.log.String()
		if !strings.Contains(log, `"level":"ERROR"`) || !strings.Contains(log, "STYTCH_SECRET") ||
			strings.Contains(log, "secret-test-wrong") || strings.Contains(log, "lacks") {
			t.Errorf("log: %s", log)
		}
		if r := w.call("GET", "/readyz", "", ""); r.status != http.StatusServiceUnavailable ||
			!strings.Contains(r.body, "credentials refused") {
			t.Errorf("%d %s", r.status, r.body)
		}
		if r := w.call("GET", "/openapi.json", "", ""); r.status != 200 {
			t.Errorf("what needs no Stytch: %d", r.status)
		}
	})
	t.Run("Stytch is away", func(t *testing.T) {
		w := newWorld(t)
		w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: 503})
		if inside.CheckProject(w.app, t.Context()) {
			t.Error("it is asked again in an hour only")
		}
		if log := w.log.String(); !strings.Contains(log, "not checked") || strings.Contains(log, "lacks") {
			t.Errorf("log: %s", log)
		}
	})
	t.Run("a project of the other kind", func(t *testing.T) {
		w := newWorld(t, func(o *guestpass.Options) { o.Vertical = "consumer" })
		if !inside.CheckProject(w.app, t.Context()) || !strings.Contains(w.log.String(), "STYTCH_VERTICAL") ||
			strings.Contains(w.log.String(), "lacks") {
			t.Errorf("log: %s", w.log)
		}
		if r := w.call("GET", "/readyz", "", ""); !strings.Contains(r.body, `"directory":"unavailable"`) {
			t.Errorf("%d %s", r.status, r.body)
		}
	})
}

// Running is what checks.
func TestRunChecksTheProject(t *testing.T) {
	seed := without(stytchtest.Development(), []string{"tasks:write"})
	w := newWorldOf(t, stytchtest.Options{Seed: &seed})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.app.Run(ctx) }()
	if err := eventually(func() error {
		if !strings.Contains(w.log.String(), `"scope":"tasks:write"`) {
			return context.DeadlineExceeded
		}
		return nil
	}); err != nil {
		t.Errorf("log: %s", w.log)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// An organization gives one of its members, by a role of its own, what the project's roles do not.
func TestARoleOfTheOrganizationAdmits(t *testing.T) {
	seed := stytchtest.Development()
	seed.Organizations[0].Roles = []stytchtest.Role{{ID: "inviter",
		Permissions: []stytchtest.Permission{{ResourceID: "stytch.member", Actions: []string{"create"}}}}}
	invite := func(w *world) int {
		return w.call("POST", "/api/v1/members/invitations", w.token(grace, "openid"),
			`{"email":"new@acme.example","name":"New"}`).status
	}
	if status := invite(newWorldOf(t, stytchtest.Options{Seed: &seed}, byRole)); status != http.StatusForbidden {
		t.Errorf("without the role: %d", status)
	}
	seed.Members[1].Roles = []string{"inviter"}
	if status := invite(newWorldOf(t, stytchtest.Options{Seed: &seed}, byRole)); status != http.StatusCreated {
		t.Errorf("with the role: %d", status)
	}
}
