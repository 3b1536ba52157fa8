package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/internal/doctor"
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

// lastTold is what the log says last of a check that fails.
func lastTold(log, check string) (last doctor.Finding, told bool) {
	for line := range strings.Lines(log) {
		var said doctor.Finding
		if err := json.Unmarshal([]byte(line), &said); err == nil && said.Check == check {
			last, told = said, true
		}
	}
	return last, told
}

// What operations need depends on which there are, and on what decides. What is told where something is missing is in
// the table of misconfigurations.
func TestWhatOperationsNeedIsHeldAgainstTheProject(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		seed   stytchtest.Seed
		change func(*guestpass.Options)
		scopes string // what the log says of each check; "" for nothing
		roles  string
	}{
		"nothing is missing": {stytchtest.Development(), func(*guestpass.Options) {}, "", ""},
		"scopes of operations that are switched off": {without(stytchtest.Development(),
			[]string{"members:read", "members:invite"}),
			func(o *guestpass.Options) { o.Modules = []string{"tasks"} }, "", ""},
		"scopes of an application beside it": {stytchtest.Development(),
			func(o *guestpass.Options) {
				o.Scopes = []api.Scope{{Name: "notes:read", Description: "Read your notes"}}
			},
			"notes:read (GUESTPASS_SCOPES)", ""},
		"permissions of an application beside it": {stytchtest.Development(), func(o *guestpass.Options) {
			byRole(o)
			o.Scopes = []api.Scope{{Name: "notes:read", Description: "Read your notes"}}
		}, "read on notes (GUESTPASS_SCOPES)", ""},
		"nothing is missing for roles":   {stytchtest.Development(), byRole, "", ""},
		"scopes do not matter for roles": {without(stytchtest.Development(), []string{"tasks:write"}), byRole, "", ""},
		"a scope for everybody that reads": {free(stytchtest.Development(), "tasks:read"), func(*guestpass.Options) {},
			"", ""},
		"a scope for everybody": {free(stytchtest.Development(), "tasks:write", "tasks:read"),
			func(*guestpass.Options) {}, "", "no permissions stand behind tasks:write: everybody may have it"},
		"which is meant": {free(stytchtest.Development(), "tasks:write"),
			func(o *guestpass.Options) { o.ScopesAlone = true }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOf(t, stytchtest.Options{Seed: &tt.seed}, tt.change)
			if !inside.Diagnose(w.app, t.Context()) {
				t.Error("it could not be checked")
			}
			for check, want := range map[string]string{"scopes": tt.scopes, "roles": tt.roles} {
				if f, told := lastTold(w.log.String(), check); told != (want != "") || !strings.Contains(f.Found,
					want) {
					t.Errorf("%s: %s", check, f)
				}
			}
		})
	}
}

// Whatever Stytch answers at the start, the server goes on; the log and readyz tell.
func TestTroubleAtTheStartIsTold(t *testing.T) {
	t.Run("wrong credentials", func(t *testing.T) {
		w := newWorld(t, func(o *guestpass.Options) { o.Secret = "secret-test-wrong" })
		if !inside.Diagnose(w.app, t.Context()) {
			t.Error("it is asked again in a minute, in vain")
		}
		log := w.log.String()
		if f, _ := lastTold(log, "secret"); f.Severity != doctor.Error || !strings.Contains(f.Remedy,
			"STYTCH_SECRET") ||
			strings.Contains(log, "secret-test-wrong") {
			t.Errorf("log: %s", log)
		}
		if f, told := lastTold(log, "scopes"); told {
			t.Errorf("what cannot be known is told: %s", f)
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
		if inside.Diagnose(w.app, t.Context()) {
			t.Error("it is asked again in an hour only")
		}
		if f, _ := lastTold(w.log.String(), "secret"); f.Severity != doctor.Unknown {
			t.Errorf("log: %s", w.log)
		}
		if f, told := lastTold(w.log.String(), "scopes"); told {
			t.Errorf("what cannot be known is told: %s", f)
		}
	})
	t.Run("a project of the other kind", func(t *testing.T) {
		w := newWorld(t, func(o *guestpass.Options) { o.Vertical = "consumer" })
		if f, _ := lastTold(w.log.String(), "vertical"); !inside.Diagnose(w.app, t.Context()) || f.Check != "" {
			t.Errorf("log: %s", w.log)
		}
		if f, _ := lastTold(w.log.String(), "vertical"); f.Expected != "STYTCH_VERTICAL=b2b" {
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
		if f, _ := lastTold(w.log.String(), "scopes"); !strings.Contains(f.Found, "tasks:write") {
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

// A domain of another project's would make its tokens count: serve does not go on.
func TestADomainOfAnotherProjectEndsTheStart(t *testing.T) {
	other := stytchtest.NewServer(t, stytchtest.Options{})
	w := newWorld(t, func(o *guestpass.Options) { o.OtherDomains = []string{other.URL} })
	err := w.app.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), other.URL+" has none of the project's keys") {
		t.Errorf("it ends with %v", err)
	}
}

// What fails is in the log once an hour, and at once when it is new; what could not be looked at is looked at again.
func TestWhatFailsIsNotLoggedAgainAndAgain(t *testing.T) {
	seed := without(stytchtest.Development(), []string{"tasks:write"})
	w := newWorldOf(t, stytchtest.Options{Seed: &seed})
	for minute := range 70 {
		inside.Diagnose(w.app, t.Context())
		if n := strings.Count(w.log.String(), `"check":"scopes"`); n != 1+minute/60 {
			t.Errorf("after %d minutes the log has it %d times", minute, n)
		}
		w.stytch.Advance(time.Minute)
	}
	w.changeProject(func(s *stytchtest.Seed) {
		*s = free(*s, "tasks:read")
		*s = without(*s,
			[]string{"activity:read"})
	})
	inside.Diagnose(w.app, t.Context())
	if n := strings.Count(w.log.String(), `"check":"scopes"`); n != 3 {
		t.Errorf("what is new is not told at once: %d", n)
	}
}
