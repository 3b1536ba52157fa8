package setup_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"guestpass/internal/setup"
	"guestpass/stytchtest"
)

type object = map[string]any

// foreign fills a project with what another application needs, in the way of the same things as ours.
func foreign(seed *stytchtest.Seed) {
	p := &seed.Project
	p.NoProject, p.AuthorizationURL, p.Registration = false, "https://old.example/authorize", false
	p.RedirectURLs = []stytchtest.RedirectURL{
		{URL: "https://app.example/login", Types: []stytchtest.RedirectURLType{{Type: "LOGIN", Default: true}}},
		{URL: "https://gpt.example.com/idp", Types: []stytchtest.RedirectURLType{{Type: "INVITE", Default: true}}}}
	p.SDK = object{"basic": object{"enabled": true, "bundle_ids": []any{"com.example.app"},
		"domains": []any{object{"domain": "https://app.example",
			"slug_pattern": "https://{{slug}}.example"}},
		"allow_self_onboarding": false}, "sessions": object{"max_session_duration_minutes": 480.0},
		"totps": object{"enabled": true, "create_totps": true}, "sso": object{"enabled": true, "pkce_required": true},
		"cookies": object{"http_only": "ENABLED"}, "dfppa": object{"enabled": "ENABLED", "on_challenge": "BLOCK"},
		"otps": object{"sms_enabled": true, "sms_autofill_metadata": []any{object{"metadata_type": "domain"}}}}
	permission := func(resource string, actions ...string) []stytchtest.Permission {
		return []stytchtest.Permission{{ResourceID: resource, Actions: actions}}
	}
	policy := &seed.Policy
	policy.Resources = append(slices.DeleteFunc(policy.Resources, func(r stytchtest.Resource) bool {
		return !strings.HasPrefix(r.ID, "stytch.")
	}), stytchtest.Resource{ID: "tasks", Description: "Our tasks", Actions: []string{"archive", "read"}},
		stytchtest.Resource{ID: "invoices", Description: "Invoices", Actions: []string{"pay"}})
	policy.Scopes = []stytchtest.CustomScope{
		{Name: "tasks:read", Description: "In our own words", Permissions: permission("tasks", "archive", "read")},
		{Name: "invoices:pay", Description: "Pay", Permissions: permission("invoices", "pay")}}
	for i := range policy.Roles {
		policy.Roles[i].Permissions = slices.DeleteFunc(policy.Roles[i].Permissions,
			func(p stytchtest.Permission) bool { return !strings.HasPrefix(p.ResourceID, "stytch.") })
	}
	policy.Roles = append(policy.Roles, stytchtest.Role{ID: "reader", Description: "Readers",
		Permissions: permission("tasks", "*")})
	seed.ConnectedApps = append(seed.ConnectedApps, stytchtest.ConnectedApp{ClientID: "connected-app-test-theirs",
		ClientSecret: "theirs", Name: "ChatGPT", Type: "third_party", RedirectURLs: []string{setup.TryCallback}})
}

// TestNothingOfTheUsersIsLost: everything foreign is there afterwards as it was, also what this program has never heard
// of. Decisions of others stay: who has a permission, how a scope is described.
func TestNothingOfTheUsersIsLost(t *testing.T) {
	s := newSite(t, setup.B2B, foreign)
	before := s.Export()
	plan := setUp(t, s.run())
	after := s.Export()
	if len(plan.Notes) != 2 || !strings.Contains(plan.Notes[0], "HttpOnly cookies are ENABLED") {
		t.Errorf("%v", plan.Notes)
	}
	if after.Project.AuthorizationURL != "https://gpt.example.com/idp" || !after.Project.Registration {
		t.Errorf("%+v", after.Project)
	}
	sdk := after.Project.SDK
	for part, members := range before.Project.SDK {
		for member, value := range members.(object) {
			now := sdk[part].(object)[member]
			if list, isList := now.([]any); isList && member == "domains" {
				now = list[:1]
				if len(list) != 2 || !reflect.DeepEqual(list[1], object{"domain": "https://gpt.example.com"}) {
					t.Errorf("%v", list)
				}
			}
			if !reflect.DeepEqual(now, value) {
				t.Errorf("%s.%s is %v and was %v", part, member, now, value)
			}
		}
	}
	urls := after.Project.RedirectURLs
	if !reflect.DeepEqual(urls[0].Types[0], before.Project.RedirectURLs[0].Types[0]) || len(urls) != 2 ||
		urls[1].Types[0] != (stytchtest.RedirectURLType{Type: "INVITE", Default: true}) || len(urls[1].Types) != 5 {
		t.Errorf("%+v", urls)
	}
	if !slices.EqualFunc(before.ConnectedApps, after.ConnectedApps[:len(before.ConnectedApps)],
		func(a, b stytchtest.ConnectedApp) bool { return reflect.DeepEqual(a, b) }) {
		t.Errorf("%+v", after.ConnectedApps)
	}
	policyKept(t, before.Policy, after.Policy)
}

func policyKept(t *testing.T, before, after stytchtest.Policy) {
	t.Helper()
	role := func(p stytchtest.Policy, id string) (found stytchtest.Role) {
		for _, r := range p.Roles {
			if r.ID == id {
				found = r
			}
		}
		return found
	}
	if !reflect.DeepEqual(role(after, "reader"), role(before, "reader")) {
		t.Errorf("%+v", role(after, "reader"))
	}
	for _, id := range []string{"stytch_member", "stytch_admin"} {
		for _, permission := range role(after, id).Permissions { // reader has it, by *
			if permission.ResourceID == "tasks" && slices.Contains(permission.Actions, "read") {
				t.Errorf("%s was given what the project's owner gave to another role", id)
			}
		}
		if permissions := role(before, id).Permissions; !reflect.DeepEqual(role(after,
			id).Permissions[:len(permissions)],
			permissions) {
			t.Errorf("%s: %+v", id, role(after, id))
		}
	}
	if !reflect.DeepEqual(after.Scopes[:2], before.Scopes) || len(after.Scopes) != 4 {
		t.Errorf("%+v", after.Scopes)
	}
	for _, r := range after.Resources {
		if r.ID == "tasks" && (r.Description != "Our tasks" || !slices.Equal(r.Actions, []string{"archive", "read",
			"write"})) {
			t.Errorf("%+v", r)
		}
		if r.ID == "invoices" && !slices.Equal(r.Actions, []string{"pay"}) {
			t.Errorf("%+v", r)
		}
	}
}

// TestAScopeOfTheSameNameIsTold: it stays, and nothing is granted that does not count for it.
func TestAScopeOfTheSameNameIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		stands     []stytchtest.Permission
		heldBy     []stytchtest.Permission // a role of theirs
		step, note string
		granted    bool // our permission, to the roles
	}{
		"another permission, which nobody has": {
			[]stytchtest.Permission{{ResourceID: "todo", Actions: []string{"edit"}}}, nil,
			"stands for todo: edit, which no role has as a whole", "", false},
		"another permission, which a role has": {
			[]stytchtest.Permission{{ResourceID: "todo", Actions: []string{"edit"}}},
			[]stytchtest.Permission{{ResourceID: "todo", Actions: []string{"edit"}}},
			"", "stands for todo: edit: roles with that count for it, and tasks: write does not", false},
		"a further permission, which nobody has": {
			[]stytchtest.Permission{{ResourceID: "todo", Actions: []string{"edit"}},
				{ResourceID: "tasks", Actions: []string{"write"}}}, nil,
			"stands for todo: edit; tasks: write, which no role has as a whole", "", true},
		"all of a resource, which a role has": {
			[]stytchtest.Permission{{ResourceID: "tasks", Actions: []string{"*"}}},
			[]stytchtest.Permission{{ResourceID: "tasks", Actions: []string{"read", "write"}}}, "", "", false},
		"ours": {[]stytchtest.Permission{{ResourceID: "tasks", Actions: []string{"write"}}}, nil, "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, setup.B2B, func(seed *stytchtest.Seed) {
				foreign(seed)
				p := &seed.Policy
				p.Resources[len(p.Resources)-2].Actions = []string{"read", "write"} // of tasks
				p.Resources = append(p.Resources, stytchtest.Resource{ID: "todo", Actions: []string{"edit"}})
				p.Roles[len(p.Roles)-1].Permissions = tt.heldBy
				p.Scopes = []stytchtest.CustomScope{{Name: "tasks:write", Permissions: tt.stands}}
			})
			before := len(setUp(t, s.run()).Changes)
			plan, err := s.run().Read(t.Context())
			if err != nil || !plan.Nothing() || before == 0 {
				t.Fatalf("%v %+v", err, plan)
			}
			var told bytes.Buffer
			if err := errors.Join(plan.Write(&told, ".env"), setup.WriteSteps(&told, plan.ByHand)); err != nil {
				t.Fatal(err)
			}
			if tt.step+tt.note == "" && strings.Contains(told.String(), "the scope") ||
				!strings.Contains(told.String(), tt.step) || !strings.Contains(told.String(), tt.note) {
				t.Errorf("told\n%s", &told)
			}
			policy := s.Export().Policy
			granted := slices.ContainsFunc(policy.Roles, func(r stytchtest.Role) bool {
				writes := func(p stytchtest.Permission) bool {
					return p.ResourceID == "tasks" && slices.Contains(p.Actions, "write")
				}
				return r.ID == "stytch_member" && slices.ContainsFunc(r.Permissions, writes)
			})
			if granted != tt.granted || !slices.EqualFunc(policy.Scopes[0].Permissions, tt.stands,
				func(a, b stytchtest.Permission) bool { return reflect.DeepEqual(a, b) }) {
				t.Errorf("granted %v, scope %+v", granted, policy.Scopes[0])
			}
		})
	}
}

// A middleman has Stytch know more than the emulator does: every object that is read has further members, and what is
// written must have them still.
type middleman struct {
	emulator string
	written  []object
}

// more are members that nobody here has heard of.
func more() object {
	return object{"since_2031": json.Number("1.10"), "nested": object{"list": []any{nil, true, "x"}}}
}

// enrich adds them to an object and to the objects in it.
func enrich(value any) any {
	switch v := value.(type) {
	case object:
		for name := range v {
			v[name] = enrich(v[name])
		}
		maps.Copy(v, more())
	case []any:
		for i := range v {
			v[i] = enrich(v[i])
		}
	}
	return value
}

// poor takes them away again.
func poor(value any) any {
	switch v := value.(type) {
	case object:
		for name := range more() {
			delete(v, name)
		}
		for name := range v {
			v[name] = poor(v[name])
		}
	case []any:
		for i := range v {
			v[i] = poor(v[i])
		}
	}
	return value
}

func decode(data []byte) (decoded object) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	_ = decoder.Decode(&decoded)
	return decoded
}

func (m *middleman) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	whole := strings.HasSuffix(r.URL.Path, "/rbac_policy") || strings.Contains(r.URL.Path, "/sdk/")
	if r.Method == http.MethodPut && whole {
		m.written = append(m.written, decode(body))
		body, _ = json.Marshal(poor(decode(body)))
	}
	forwarded, _ := http.NewRequestWithContext(r.Context(), r.Method, m.emulator+r.URL.RequestURI(),
		bytes.NewReader(body))
	forwarded.Header = r.Header.Clone()
	response, err := http.DefaultClient.Do(forwarded)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	reply, _ := io.ReadAll(response.Body)
	if whole && response.StatusCode == http.StatusOK {
		reply, _ = json.Marshal(enrich(decode(reply)))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(reply)
}

// TestUnknownMembersAreWrittenBack, wherever they are, numbers included.
func TestUnknownMembersAreWrittenBack(t *testing.T) {
	s := newSite(t, setup.B2B, foreign)
	between := &middleman{emulator: s.URL}
	server := httptest.NewServer(between)
	defer server.Close()
	s.url = server.URL
	setUp(t, s.run())
	if len(between.written) != 2 {
		t.Fatalf("%d objects were written", len(between.written))
	}
	holds := func(what string, value any) {
		t.Helper()
		members, _ := value.(object)
		for name, want := range more() {
			if !reflect.DeepEqual(members[name], want) && name != "nested" || members[name] == nil {
				t.Errorf("%s has lost %s: %v", what, name, members)
			}
		}
	}
	for _, written := range between.written {
		if config, isSDK := written["config"].(object); isSDK {
			holds("the configuration", config)
			holds("basic", config["basic"])
			holds("the first domain", config["basic"].(object)["domains"].([]any)[0])
			continue
		}
		holds("the policy", written)
		if written["stytch_resources"] != nil {
			t.Error("Stytch's own resources are written")
		}
		for _, list := range []string{"custom_roles", "custom_resources", "custom_scopes"} {
			holds(list, written[list].([]any)[0])
		}
		holds("stytch_member", written["stytch_member"])
		holds("a permission", written["custom_roles"].([]any)[0].(object)["permissions"].([]any)[0])
	}
}

// TestAnAnswerOfAnotherFormChangesNothing: what is not understood is not written over.
func TestAnAnswerOfAnotherFormChangesNothing(t *testing.T) {
	for name, answer := range map[string]string{
		"lists that are objects": `{"policy":{"custom_scopes":{"tasks:read":{}}}}`,
		"a role that is a list":  `{"policy":{"stytch_member":[]}}`,
		"permissions as a text":  `{"policy":{"stytch_member":{"permissions":"all"}}}`,
		"actions as a text": `{"policy":{"custom_resources":[{"resource_id":"tasks",` +
			`"available_actions":"all"}]}}`,
		"no policy": `{"rules":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, setup.B2B, there)
			wrote := false
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/rbac_policy") {
					wrote = wrote || r.Method != http.MethodGet
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, answer)
					return
				}
				(&middleman{emulator: s.URL}).ServeHTTP(w, r)
			}))
			defer server.Close()
			s.url = server.URL
			if plan, err := s.run().Read(t.Context()); err == nil || wrote {
				t.Errorf("%v %+v", err, plan)
			}
		})
	}
}
