package stytch_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"guestpass/directory"
	"guestpass/internal/stytch"
	"guestpass/stytchtest"
)

// withOwnRoles returns a project whose organization Acme has roles of its own.
func withOwnRoles(t *testing.T, now func() time.Time) (*stytch.B2B, *stytchtest.Server) {
	t.Helper()
	allows := func(resource string, actions ...string) []stytchtest.Permission {
		return []stytchtest.Permission{{ResourceID: resource, Actions: actions}}
	}
	seed := stytchtest.Development()
	seed.Policy.Roles = append(seed.Policy.Roles,
		stytchtest.Role{ID: "auditor", Permissions: allows("activity", "read")})
	seed.Organizations[0].Roles = []stytchtest.Role{{ID: "inviter", Permissions: allows("members", "invite")},
		{ID: "auditor", Permissions: allows("members", "*")},
		{ID: "unused", Permissions: allows("stytch.member", "*")}}
	seed.Organizations[1].Roles = []stytchtest.Role{{ID: "janitor", Permissions: allows("tasks", "*")}}
	seed.Members[0].Roles = []string{"auditor"}
	seed.Members[1].Roles = []string{"inviter", "unheard-of"}
	if seed.Members[1].ID != grace || seed.Organizations[1].ID != globex {
		t.Fatal("the seed is another")
	}
	// Stytch would refuse the assignment of a role that is not there, but may take one away later.
	seed.Organizations[0].Roles = append(seed.Organizations[0].Roles, stytchtest.Role{ID: "unheard-of"})
	emulator := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	d, err := stytch.NewB2B(stytch.Options{ProjectID: seed.Project.ID, Secret: seed.Project.Secret,
		BaseURL: emulator.URL, Now: now,
		Backoff: func(int) time.Duration { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	return d, emulator
}

func asked(s *stytchtest.Server, path string) (times int) {
	for _, r := range s.Requests() {
		if strings.HasPrefix(r.Path, path) {
			times++
		}
	}
	return times
}

const ownRolesPath = "/v1/b2b/rbac/organizations/"

func TestRolesOfTheOrganizationCountInItAlone(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d, emulator := withOwnRoles(t, func() time.Time { return now })
	for _, tt := range []struct {
		name, organization, member, resource, action string
		want                                         bool
	}{
		{"an own role", acme, grace, "members", "invite", true},
		{"not what it does not cover", acme, grace, "stytch.member", "delete", false},
		{"a role that the member has not", acme, ada, "stytch.member", "delete", false},
		{"a project's role", acme, ada, "activity", "read", true},
		{"an own role does not change a project's of the same name", acme, ada, "members", "invite", false},
		{"implied, and listed nowhere", acme, ada, "tasks", "read", true},
		{"of another organization", globex, hank, "members", "invite", true}, // Hank is an administrator there
		{"one organization's member in another", acme, hank, "members", "invite", false},
	} {
		if got, err := d.Permits(t.Context(), tt.organization, tt.member, tt.resource, tt.action); got != tt.want ||
			err != nil {
			t.Errorf("%s: %t, %v", tt.name, got, err)
		}
	}
	for range 5 {
		_, _ = d.Permits(t.Context(), acme, grace, "members", "invite")
	}
	if n := asked(emulator, ownRolesPath+acme); n != 1 {
		t.Errorf("Acme's roles were asked for %d times in a minute", n)
	}
	if n := asked(emulator, ownRolesPath+globex); n != 0 { // all of Hank's roles are the project's
		t.Errorf("Globex's roles were asked for %d times, for nothing", n)
	}
}

// The same name means in each organization what that organization says.
func TestTheSameOwnRoleOfTwoOrganizations(t *testing.T) {
	seed := stytchtest.Development()
	for i, action := range []string{"invite", "read"} {
		seed.Organizations[i].Roles = []stytchtest.Role{{ID: "helper",
			Permissions: []stytchtest.Permission{{ResourceID: "members", Actions: []string{action}}}}}
	}
	for i := range seed.Members {
		seed.Members[i].Roles = []string{"helper"}
	}
	seed.Policy.Roles[0].Permissions = nil
	emulator := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	d, err := stytch.NewB2B(stytch.Options{ProjectID: seed.Project.ID, Secret: seed.Project.Secret,
		BaseURL: emulator.URL})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, who := range []struct{ organization, member, may, mayNot string }{{acme, grace, "invite", "read"},
			{globex, hank, "read", "invite"}} {
			if got, err := d.Permits(t.Context(), who.organization, who.member, "members", who.may); !got ||
				err != nil {
				t.Errorf("%s: %t %v", who.organization, got, err)
			}
			if got, err := d.Permits(t.Context(), who.organization, who.member, "members", who.mayNot); got ||
				err != nil {
				t.Errorf("%s has the other's role: %t %v", who.organization, got, err)
			}
		}
	}
}

func TestAnOwnRoleThatIsTakenAwayIsBelievedForAMinute(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d, emulator := withOwnRoles(t, func() time.Time { return now })
	may := func() (bool, error) { return d.Permits(t.Context(), acme, grace, "members", "invite") }
	if got, err := may(); !got || err != nil {
		t.Fatal(got, err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, emulator.URL+ownRolesPath+acme,
		strings.NewReader(`{"org_policy":{"roles":[]}}`))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(emulator.Export().Project.ID, emulator.Export().Project.Secret)
	r.Header.Set("Content-Type", "application/json")
	if reply, err := http.DefaultClient.Do(r); err != nil || reply.StatusCode != 200 {
		t.Fatal(reply, err)
	}
	now = now.Add(59 * time.Second)
	if got, err := may(); !got || err != nil {
		t.Errorf("not kept for a minute: %t %v", got, err)
	}
	now = now.Add(2 * time.Second)
	if got, err := may(); got || err != nil {
		t.Errorf("believed for more than a minute: %t %v", got, err)
	}
}

// Whatever goes wrong, nobody is let in by it; and whom the project's roles let in is not kept out.
func TestTroubleWithOwnRolesLetsNobodyIn(t *testing.T) {
	for name, tt := range map[string]struct {
		status      int
		body        string
		unavailable bool // else an unexpected answer, or none
		refused     bool // no error: no such roles
	}{
		"no such roles": {404, `{"status_code":404,"error_type":"organization_not_found"}`, false, true},
		"no such call":  {404, `{"status_code":404,"error_type":"route_not_found"}`, false, true},
		"none":          {200, `{"org_policy":{"roles":[]}}`, false, true},
		"null":          {200, `{"org_policy":{"roles":null}}`, false, true},
		"others": {200,
			`{"org_policy":{"roles":[{"role_id":"other","permissions":[{"resource_id":"members","actions":["*"]}]}]}}`,
			false, true},
		"another letter case": {200,
			`{"org_policy":{"roles":[{"role_id":"Inviter","permissions":[{"resource_id":"members",` +
				`"actions":["*"]}]}]}}`, false, true},
		"no policy": {200, `{"status_code":200}`, false, false},
		"a role twice": {200,
			`{"org_policy":{"roles":[{"role_id":"inviter"},{"role_id":"inviter",` +
				`"permissions":[{"resource_id":"members","actions":["*"]}]}]}}`, false, false},
		"a role without a name": {200,
			`{"org_policy":{"roles":[{"permissions":[{"resource_id":"members","actions":["*"]}]}]}}`, false, false},
		"roles that are an object": {200, `{"org_policy":{"roles":{"inviter":{}}}}`, true, false},
		"actions that are a text": {200,
			`{"org_policy":{"roles":[{"role_id":"inviter","permissions":[{"resource_id":"members","actions":"*"}]}]}}`,
			true, false},
		"cut off":     {200, `{"org_policy":{"roles":[{"role_id":"inv`, true, false},
		"limited":     {429, `{"status_code":429,"error_type":"too_many_requests"}`, true, false},
		"away":        {503, `{}`, true, false},
		"broken":      {500, `{"status_code":500,"error_type":"internal_server_error"}`, true, false},
		"not allowed": {403, `{"status_code":403,"error_type":"never_seen"}`, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				switch {
				case strings.HasPrefix(r.URL.Path, ownRolesPath):
					w.WriteHeader(tt.status)
					fmt.Fprint(w, tt.body)
				case r.URL.Path == "/v1/b2b/rbac/policy":
					fmt.Fprint(w, `{"policy":{"roles":[{"role_id":"stytch_member",`+
						`"permissions":[{"resource_id":"tasks","actions":["read"]}]}]}}`)
				default:
					fmt.Fprint(w, `{"member":{"organization_id":"`+acme+`","member_id":"`+grace+
						`","status":"active","roles":[{"role_id":"inviter"}]}}`)
				}
			}))
			defer far.Close()
			d, err := stytch.NewB2B(stytch.Options{ProjectID: "project-test-1", Secret: "secret-test-1",
				BaseURL: far.URL, Backoff: func(int) time.Duration { return 0 }})
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.Permits(t.Context(), acme, grace, "members", "invite")
			if got || tt.refused != (err == nil) || tt.unavailable != errors.As(err, new(*directory.UnavailableError)) {
				t.Errorf("%t, %v", got, err)
			}
			if got, err := d.Permits(t.Context(), acme, grace, "tasks", "read"); !got || err != nil {
				t.Errorf("by a project's role: %t, %v", got, err)
			}
		})
	}
}

// Stytch may leave out the roles that everybody has.
func TestEverybodysRoleIsImplied(t *testing.T) {
	policy := func(role string) string {
		return `{"policy":{"roles":[{"role_id":"` + role +
			`","permissions":[{"resource_id":"tasks","actions":["read"]}]}]}}`
	}
	for _, status := range []string{"active", "pending"} {
		far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, map[string]string{"/v1/b2b/rbac/policy": policy("stytch_member"),
				"/v1/rbac/policy":       policy("stytch_user"),
				"/v1/users/user-test-1": `{"user_id":"user-test-1","status":"` + status + `"}`,
				"/v1/b2b/organizations/" + acme + "/member": `{"member":{"organization_id":"` + acme +
					`","member_id":"` + ada + `","status":"` + status + `"}}`}[r.URL.Path])
		}))
		defer far.Close()
		o := stytch.Options{ProjectID: "project-test-1", Secret: "secret-test-1", BaseURL: far.URL}
		b2b, err := stytch.NewB2B(o)
		if err != nil {
			t.Fatal(err)
		}
		consumer, err := stytch.NewConsumer(o)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b2b.Permits(t.Context(), acme, ada, "tasks", "read"); got != (status == "active") || err != nil {
			t.Errorf("a member who is %s: %t %v", status, got, err)
		}
		if got, err := consumer.Permits(t.Context(), "", "user-test-1", "tasks", "read"); got != (status == "active") ||
			err != nil {
			t.Errorf("a user who is %s: %t %v", status, got, err)
		}
		if got, err := consumer.Permits(t.Context(), "", "user-test-1", "tasks", "write"); got || err != nil {
			t.Errorf("what the role does not cover: %t %v", got, err)
		}
	}
}
