package setup_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"guestpass/internal/management"
	"guestpass/internal/setup"
	"guestpass/stytchtest"
)

// A site is a project at the emulator, and the file that is kept beside it.
type site struct {
	*stytchtest.Server
	url   string // where the APIs are asked: the emulator, or somebody before it
	kept  map[string]string
	broke error // what keeping settings ends in
}

// newSite starts an emulator, of an empty workspace unless the seed is changed further.
func newSite(t *testing.T, vertical string, change ...func(*stytchtest.Seed)) *site {
	t.Helper()
	seed := stytchtest.Development()
	if vertical == setup.Consumer {
		seed = stytchtest.DevelopmentConsumer()
	}
	seed.Project.NoProject = true
	for _, c := range change {
		c(&seed)
	}
	s := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	return &site{Server: s, url: s.URL, kept: map[string]string{}}
}

func (s *site) keep(settings []setup.Setting) error {
	if s.broke != nil {
		return s.broke
	}
	for _, set := range settings {
		s.kept[set.Name] = set.Value
	}
	return nil
}

func needs(vertical string) ([]setup.Need, error) {
	list := []setup.Need{{Scope: "tasks:read", Description: "Read tasks", Resource: "tasks", Action: "read"},
		{Scope: "tasks:write", Description: "Change tasks", Resource: "tasks", Action: "write"}}
	if vertical == setup.B2B {
		list = append(list, setup.Need{Scope: "members:invite", Description: "Invite people", Resource: "members",
			Action: "invite", Admin: true})
	}
	return list, nil
}

func (s *site) goal(change ...func(*setup.Goal)) setup.Goal {
	goal := setup.Goal{PublicURL: "https://gpt.example.com", Title: "Example", Environment: "test", Needs: needs,
		LoginMethods: []string{"email_code", "google"}, Registration: true, GPT: true, Docs: true,
		Settings: s.kept, File: s.kept}
	for _, c := range change {
		c(&goal)
	}
	return goal
}

// run returns a run with the workspace's key.
func (s *site) run(change ...func(*setup.Goal)) *setup.Setup {
	p := s.Export().Project
	return setup.New(setup.Options{Goal: s.goal(change...), Keep: s.keep, Project: s.project,
		Workspace: management.NewWorkspace(management.Options{BaseURL: s.url, User: p.WorkspaceKey,
			Password: p.WorkspaceSecret})})
}

func (s *site) project(id, secret string) *management.Project {
	return management.NewProject(management.Options{BaseURL: s.url, User: id, Password: secret,
		UserIs: "STYTCH_PROJECT_ID", SecretIs: "STYTCH_SECRET"})
}

// setUp reads and applies, and returns the plan that was carried out.
func setUp(t *testing.T, run *setup.Setup) *setup.Plan {
	t.Helper()
	plan, err := run.Read(t.Context())
	if err == nil {
		err = run.Apply(t.Context(), plan, func(setup.Change) {})
	}
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// changing returns the requests that change something, the newest first, as the emulator's ledger has them.
func (s *site) changing() (calls []string) {
	for _, r := range s.Requests() {
		if r.Method != http.MethodGet && !strings.HasSuffix(r.Path, "/clients/search") {
			calls = append(calls, r.Method+" "+r.Path)
		}
	}
	return calls
}

// TestAnEmptyWorkspaceGetsAllThatIsNeeded, and a second run changes nothing: the ledger of the emulator has no call
// that would.
func TestAnEmptyWorkspaceGetsAllThatIsNeeded(t *testing.T) {
	for _, vertical := range []string{setup.B2B, setup.Consumer} {
		t.Run(vertical, func(t *testing.T) {
			s := newSite(t, vertical)
			run := s.run(func(g *setup.Goal) { g.Vertical = vertical })
			plan, err := run.Read(t.Context())
			if err != nil || plan.Nothing() {
				t.Fatal(err)
			}
			if calls := s.changing(); len(calls) > 0 {
				t.Errorf("planning did %v", calls)
			}
			if err := run.Apply(t.Context(), plan, func(setup.Change) {}); err != nil {
				t.Fatal(err)
			}
			s.isSetUp(t, vertical)
			before := len(s.changing())
			for name, again := range map[string]*setup.Setup{"the same run": run, "another": s.run()} {
				plan, err := again.Read(t.Context())
				if err == nil {
					err = again.Apply(t.Context(), plan, func(setup.Change) {})
				}
				if err != nil || !plan.Nothing() || len(s.changing()) != before {
					t.Errorf("%s is not done: %v %+v, calls %v", name, err, plan, s.changing())
				}
			}
			var out bytes.Buffer
			plan, _ = s.run().Read(t.Context())
			if err := plan.Write(&out, ".env"); err != nil || !strings.Contains(out.String(), "nothing to change") {
				t.Errorf("%v\n%s", err, &out)
			}
		})
	}
}

// isSetUp looks at the emulator's state.
func (s *site) isSetUp(t *testing.T, vertical string) {
	t.Helper()
	state := s.Export()
	p := state.Project
	if p.AuthorizationURL != "https://gpt.example.com/idp" || !p.Registration || len(p.Secrets) != 1 ||
		len(p.PublicTokens) != 1 || len(p.RedirectURLs) != 1 || p.RedirectURLs[0].URL != p.AuthorizationURL ||
		len(p.RedirectURLs[0].Types) != map[string]int{setup.B2B: 5, setup.Consumer: 3}[vertical] {
		t.Errorf("%+v", p)
	}
	code := map[string]string{setup.B2B: "email_enabled", setup.Consumer: "email_login_or_create_enabled"}[vertical]
	for part, member := range map[string]string{"basic": "enabled", "otps": code, "oauth": "enabled"} {
		if of, _ := p.SDK[part].(map[string]any); of[member] != true {
			t.Errorf("%s.%s is off: %v", part, member, p.SDK)
		}
	}
	if len(state.ConnectedApps) != 2 || state.ConnectedApps[0].Type != "third_party" ||
		state.ConnectedApps[1].Type != "third_party_public" ||
		!slices.Equal(state.ConnectedApps[1].RedirectURLs, []string{"https://gpt.example.com/docs"}) {
		t.Errorf("%+v", state.ConnectedApps)
	}
	roles := map[string]string{}
	for _, role := range state.Policy.Roles {
		for _, permission := range role.Permissions {
			roles[role.ID] += permission.ResourceID + ":" + strings.Join(permission.Actions, ",") + " "
		}
	}
	everybody := map[string]string{setup.B2B: "stytch_member", setup.Consumer: "stytch_user"}[vertical]
	if !strings.Contains(roles[everybody], "tasks:read,write") || strings.Contains(roles[everybody], "invite") ||
		vertical == setup.B2B && !strings.Contains(roles["stytch_admin"], "members:invite") {
		t.Errorf("%v", roles)
	}
	want := map[string]string{"GUESTPASS_PUBLIC_URL": "https://gpt.example.com",
		"GUESTPASS_TRUSTED_PROXIES": "127.0.0.1/32,::1/128", "GUESTPASS_ALLOW_TEST_PROJECT": "yes",
		"STYTCH_VERTICAL": vertical, "STYTCH_PROJECT_ID": p.ID, "STYTCH_PUBLIC_TOKEN": p.PublicToken,
		"STYTCH_SECRET": p.Secret, "GUESTPASS_TRY_CLIENT_ID": state.ConnectedApps[0].ClientID,
		"GUESTPASS_TRY_CLIENT_SECRET": state.ConnectedApps[0].ClientSecret,
		"GUESTPASS_DOCS_CLIENT_ID":    state.ConnectedApps[1].ClientID}
	if !maps.Equal(s.kept, want) {
		t.Errorf("kept\n%v, want\n%v", s.kept, want)
	}
}

// TestAnInterruptedRunLosesNothing: whatever step fails, what was made before is kept and found again.
func TestAnInterruptedRunLosesNothing(t *testing.T) {
	whole := newSite(t, setup.B2B)
	steps := len(setUp(t, whole.run()).Changes)
	if steps < 10 {
		t.Fatalf("%d steps", steps)
	}
	for stop := range steps {
		s := newSite(t, setup.B2B)
		ctx, cancel := context.WithCancel(t.Context())
		run := s.run()
		plan, err := run.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		done := 0
		err = run.Apply(ctx, plan, func(setup.Change) {
			if done++; done > stop { // the interruption meets this very step
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) && (err != nil || stop < steps-1) { // the last one ends well
			t.Fatalf("step %d: %v", stop, err)
		}
		setUp(t, s.run())
		s.isSetUp(t, setup.B2B)
	}
}

// TestWhatCannotBeKeptIsTold: then nothing more is made.
func TestWhatCannotBeKeptIsTold(t *testing.T) {
	s := newSite(t, setup.B2B)
	s.broke = errors.New("the disk is full")
	run := s.run()
	plan, err := run.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = run.Apply(t.Context(), plan, func(setup.Change) {})
	if err == nil || !strings.Contains(err.Error(), "keep the settings: the disk is full") {
		t.Errorf("%v", err)
	}
	if p := s.Export().Project; len(p.PublicTokens)+len(p.Secrets) != 1 {
		t.Errorf("%+v", p)
	}
}

func TestASecretThatIsRefusedIsReplaced(t *testing.T) {
	s := newSite(t, setup.B2B)
	setUp(t, s.run())
	s.kept["STYTCH_SECRET"] = "secret-test-of-before"
	plan := setUp(t, s.run())
	p := s.Export().Project
	if len(p.Secrets) != 2 || s.kept["STYTCH_SECRET"] != p.Secrets[1].Secret || len(s.Export().ConnectedApps) != 2 ||
		!strings.Contains(plan.Changes[1].Lines[0], "if there is none yet") {
		t.Errorf("%+v, kept %v", plan, s.kept)
	}
	plan, err := s.run().Read(t.Context())
	if err != nil || !plan.Nothing() {
		t.Errorf("%v %+v", err, plan)
	}
}

// TestTheEnvironmentWinsOverTheFile: what would be written there and never read is not made.
func TestTheEnvironmentWinsOverTheFile(t *testing.T) {
	s := newSite(t, setup.B2B)
	setUp(t, s.run())
	before := len(s.changing())
	for name, tt := range map[string]struct{ value, want string }{
		"STYTCH_SECRET":            {"secret-test-of-before", "is refused by Stytch, and it wins over .env: unset it"},
		"STYTCH_PUBLIC_TOKEN":      {"public-token-test-of-before", "is not public-token-test-"},
		"GUESTPASS_TRY_CLIENT_ID":  {"connected-app-test-of-before", "is not connected-app-test-"},
		"GUESTPASS_DOCS_CLIENT_ID": {"", "is empty, and it wins"},
		"GUESTPASS_PUBLIC_URL":     {"https://old.example.com", "is not https://gpt.example.com, and"},
	} {
		_, err := s.run(func(g *setup.Goal) {
			g.Settings, g.FileName, g.Environ = maps.Clone(s.kept), ".env", map[string]string{name: tt.value}
			if name != "GUESTPASS_PUBLIC_URL" { // which a flag says
				g.Settings[name] = tt.value
			}
		}).Read(t.Context())
		if err == nil || !strings.Contains(err.Error(), name+" of the environment "+tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	plan, err := s.run(func(g *setup.Goal) { g.Environ = maps.Clone(s.kept) }).Read(t.Context())
	if err != nil || !plan.Nothing() || len(s.changing()) != before {
		t.Errorf("%v %+v %v", err, plan, s.changing())
	}
}

// TestAnotherEnvironmentThanThatOfTheSettings is set up if it is named.
func TestAnotherEnvironmentThanThatOfTheSettings(t *testing.T) {
	s := newSite(t, setup.B2B)
	setUp(t, s.run())
	for environment, want := range map[string]string{"live": "+ environment Production, LIVE", "test": "",
		"": ""} {
		run := s.run(func(g *setup.Goal) { g.Environment, g.Settings = environment, maps.Clone(s.kept) })
		plan, err := run.Read(t.Context())
		if err != nil || plan.Nothing() != (want == "") {
			t.Fatalf("%q: %v %+v", environment, err, plan)
		}
		if want != "" && (plan.Changes[0].Lines[0] != want || plan.Project != "a new environment") {
			t.Errorf("%q: %+v", environment, plan)
		}
	}
	_, err := s.run(func(g *setup.Goal) { g.Environment = "staging" }).Read(t.Context())
	if err == nil || !strings.Contains(err.Error(), "has no environment staging") {
		t.Errorf("%v", err)
	}
	_, err = s.run(func(g *setup.Goal) { g.Environment, g.Local = "live", true }).Read(t.Context())
	if err == nil || !strings.Contains(err.Error(), "a live environment was chosen") {
		t.Errorf("%v", err)
	}
}

// TestAnAppThatIsFoundWithANewSecretIsExtended: without a good secret nobody knew that it was there.
func TestAnAppThatIsFoundWithANewSecretIsExtended(t *testing.T) {
	s := newSite(t, setup.B2B)
	setUp(t, s.run())
	s.kept["STYTCH_SECRET"] = "secret-test-of-before"
	moved := func(g *setup.Goal) { g.PublicURL = "https://moved.example.com" }
	run := s.run(moved)
	setUp(t, run)
	plan, err := run.Read(t.Context())
	if err != nil || !plan.Nothing() || len(s.Export().ConnectedApps) != 2 {
		t.Errorf("%v %+v", err, plan)
	}
	if urls := s.Export().ConnectedApps[1].RedirectURLs; !slices.Contains(urls, "https://moved.example.com/docs") ||
		!slices.Contains(urls, "https://gpt.example.com/docs") {
		t.Errorf("%v", urls)
	}
}

func there(seed *stytchtest.Seed) { seed.Project.NoProject = false }

// TestTheProjectIsChosenWithCare: nothing is set up that may not be meant.
func TestTheProjectIsChosenWithCare(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*setup.Goal)
		want   string
	}{
		{"no such project id", func(g *setup.Goal) {
			g.Settings = map[string]string{"STYTCH_PROJECT_ID": "project-test-other"}
		}, "has no project with the id of STYTCH_PROJECT_ID, project-test-other"},
		{"the other vertical", func(g *setup.Goal) { g.Vertical = setup.Consumer },
			"is of the kind b2b, and STYTCH_VERTICAL"},
		{"no such environment", func(g *setup.Goal) { g.Environment = "staging" }, "has no environment staging"},
		{"a second project", func(g *setup.Goal) { g.Project = "another" }, "too_many_projects"},
		{"a live environment at the emulator", func(g *setup.Goal) { g.Environment = "" },
			"never stands in for a live one"},
		{"ways to sign in that do not go together", func(g *setup.Goal) {
			g.Needs = func(string) ([]setup.Need, error) { return nil, errors.New("cannot be used") }
		}, "cannot be used"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, setup.B2B, there)
			before := s.Export().Project
			run := s.run(tt.change)
			plan, err := run.Read(t.Context())
			if err == nil {
				err = run.Apply(t.Context(), plan, func(setup.Change) {})
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if after := s.Export().Project; after.AuthorizationURL != before.AuthorizationURL ||
				len(after.Secrets) != len(before.Secrets) || len(s.kept) > 0 {
				t.Errorf("something was changed: %v", s.changing())
			}
		})
	}
	for _, change := range []func(*setup.Goal){func(g *setup.Goal) { g.Project = "guestpass-demo" },
		func(g *setup.Goal) { g.Project = "Guestpass Demo" },
		func(g *setup.Goal) { g.Project = ""; g.Environment = "test" }} {
		s := newSite(t, setup.B2B, there)
		if plan, err := s.run(change).Read(t.Context()); err != nil || !strings.Contains(plan.Project,
			"guestpass-demo") {
			t.Errorf("%v %+v", err, plan)
		}
	}
}

// TestWithoutAWorkspacesKey makes the connected apps, and says what to click.
func TestWithoutAWorkspacesKey(t *testing.T) {
	s := newSite(t, setup.B2B, there, func(seed *stytchtest.Seed) {
		seed.Policy.Scopes = seed.Policy.Scopes[:4]
		seed.Policy.Scopes = slices.DeleteFunc(seed.Policy.Scopes,
			func(c stytchtest.CustomScope) bool { return c.Name == "members:invite" })
	})
	p := s.Export().Project
	s.kept = map[string]string{"STYTCH_PROJECT_ID": p.ID, "STYTCH_SECRET": p.Secret}
	run := setup.New(setup.Options{Goal: s.goal(), Keep: s.keep, Project: s.project})
	plan := setUp(t, run)
	if len(plan.Changes) != 2 || len(s.changing()) != 2 || s.kept["GUESTPASS_TRY_CLIENT_SECRET"] == "" ||
		s.kept["GUESTPASS_DOCS_CLIENT_ID"] == "" {
		t.Errorf("%+v, calls %v, kept %v", plan, s.changing(), s.kept)
	}
	var out bytes.Buffer
	if err := setup.WriteSteps(&out, plan.ByHand); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Frontend SDK", "add https://gpt.example.com to the authorized domains",
		"one-time passcodes by e-mail, OAuth (google)", "add https://gpt.example.com/idp with the types DISCOVERY, " +
			"LOGIN",
		"add a custom scope members:invite", "give members: invite to stytch_admin;", "STYTCH_PUBLIC_TOKEN"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "tasks:read") {
		t.Errorf("a scope that is there is asked for:\n%s", &out)
	}
	if plan := setUp(t, setup.New(setup.Options{Goal: s.goal(), Keep: s.keep, Project: s.project})); !plan.Nothing() {
		t.Errorf("%+v", plan)
	}
	s.kept["STYTCH_SECRET"] = "secret-test-wrong"
	_, err := setup.New(setup.Options{Goal: s.goal(), Project: s.project}).Read(t.Context())
	if err == nil || !strings.Contains(err.Error(), "check STYTCH_PROJECT_ID and STYTCH_SECRET") {
		t.Errorf("%v", err)
	}
	delete(s.kept, "STYTCH_SECRET")
	_, err = setup.New(setup.Options{Goal: s.goal(), Project: s.project}).Read(t.Context())
	if err == nil || !strings.Contains(err.Error(), "STYTCH_WORKSPACE_KEY_ID") {
		t.Errorf("%v", err)
	}
}

func TestStepsByHandNameEveryPage(t *testing.T) {
	s := newSite(t, setup.B2B)
	for vertical, pages := range map[string][]string{setup.B2B: {"members:invite", "discovery flow", "INVITE"},
		setup.Consumer: {"stytch_user"}} {
		steps, err := setup.ByHand(s.goal(func(g *setup.Goal) { g.Vertical = vertical }))
		var out bytes.Buffer
		if err != nil || setup.WriteSteps(&out, steps) != nil {
			t.Fatal(err)
		}
		for _, want := range append(pages, "API keys", "Project overview", "Frontend SDK", "Redirect URLs",
			"Connected Apps",
			"Roles & Permissions", "Client ID Metadata Documents", "Dynamic Client Registration",
			"https://gpt.example.com/docs", "guestpass setup callback", "Enable for production", "HttpOnly cookies",
			"device fingerprinting") {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", vertical, want, &out)
			}
		}
	}
}
