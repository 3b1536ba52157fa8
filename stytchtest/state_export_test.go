package stytchtest_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// TestImportElsewhereKeepsWhatIsHeld: everything but what the old keys signed goes on in
// another emulator, also by way of a file.
func TestImportElsewhereKeepsWhatIsHeld(t *testing.T) {
	for _, way := range []struct {
		name string
		move func(*testing.T, *stytchtest.Server, *stytchtest.Server)
	}{
		{"in Go", func(t *testing.T, from, to *stytchtest.Server) {
			if err := to.Import(from.Export()); err != nil {
				t.Fatal(err)
			}
		}},
		{"by the control endpoints", func(t *testing.T, from, to *stytchtest.Server) {
			_, exported, _ := ask(t, "GET", from.URL+"/_emulator/export", nil)
			if status, reply, _ := ask(t, "POST", to.URL+"/_emulator/import", exported); status != 200 {
				t.Fatal(status, reply)
			}
		}},
		{"by a file", func(t *testing.T, from, to *stytchtest.Server) {
			path := filepath.Join(t.TempDir(), "state.json")
			if err := os.WriteFile(path, must[[]byte](t)(json.Marshal(from.Export())), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := to.Import(must[stytchtest.Seed](t)(stytchtest.ReadSeed(path))); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(way.name, func(t *testing.T) {
			from, to := open(t), open(t)
			from.Advance(time.Minute)
			session, code := login(t, from, "ada@acme.example", acme), authorize(t, from, withChallenge)
			granted := tokens(t, from, exchange(authorize(t, from)))
			intermediate, _ := discover(t, from, "grace@acme.example")
			invite(t, from, "guest@acme.example")
			provider := tokenOf(t, atProvider(t, from, discoveryStart, "ada@acme.example"))
			rawClients(t, from, "PUT", "/"+gpt, object{"client_name": "Renamed"})
			before := from.Export()
			way.move(t, from, to)

			if after := to.Export(); !sameJSON(t, before, after) {
				t.Error("what is exported again is another state")
			}
			if !to.Now().Equal(noon.Add(time.Minute)) {
				t.Errorf("the clock stands at %s", to.Now())
			}
			if status, reply := sdk(t, to, session, "/b2b/sessions/authenticate", object{}); status != 200 ||
				reply["member_id"] != ada {
				t.Errorf("session: %d %v", status, reply)
			}
			tokens(t, to, exchange(code, "code_verifier", verifier))
			tokens(t, to, form("grant_type", "refresh_token", "refresh_token", granted["refresh_token"].(string),
				"client_id", gpt, "client_secret", gptSecret))
			if in := exchangeIntermediate(t, to, intermediate, acme); in.MemberID != grace {
				t.Errorf("intermediate session: %+v", in)
			}
			if status, reply := sdk(t, to, "", "/b2b/magic_links/authenticate",
				object{"magic_links_token": newestToken(t, to), "session_duration_minutes": 60}); status != 200 {
				t.Errorf("invitation: %d %v", status, reply)
			}
			if status, reply := sdk(t, to, "", "/b2b/oauth/discovery/authenticate",
				object{"discovery_oauth_token": provider}); status != 200 {
				t.Errorf("provider: %d %v", status, reply)
			}
			status, reply, _ := ask(t, "POST", to.URL+"/v1/b2b/idp/oauth/authorize/start",
				object{"organization_id": acme, "member_id": ada, "client_id": gpt, "redirect_uri": callback,
					"scopes": []string{"openid", "tasks:read"}}, basic(project, projectSecret))
			if status != 200 || reply["consent_required"] != false ||
				reply["client"].(object)["client_name"] != "Renamed" {
				t.Errorf("consent: %d %v", status, reply)
			}
			if status, _, _ := ask(t, "GET", to.URL+"/v1/oauth2/userinfo", nil,
				bearer(granted["access_token"].(string))); status != 401 {
				t.Errorf("a token of the other emulator's key: %d", status)
			}
			// The one that it came from goes on by itself.
			if status, _ := sdk(t, from, session, "/b2b/sessions/revoke", nil); status != 200 {
				t.Error("not revoked")
			}
			if status, _ := sdk(t, to, session, "/b2b/sessions/authenticate", object{}); status != 200 {
				t.Error("both share their sessions")
			}
		})
	}
}

func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	return string(must[[]byte](t)(json.Marshal(a))) == string(must[[]byte](t)(json.Marshal(b)))
}

func TestImportOfUsers(t *testing.T) {
	from, to := openConsumer(t), openConsumer(t)
	session := userSession(t, from, "ada@example.com")
	if err := to.Import(from.Export()); err != nil {
		t.Fatal(err)
	}
	if status, reply := sdk(t, to, session, "/sessions/authenticate", object{}); status != 200 ||
		reply["user_id"] != userAda {
		t.Errorf("%d %v", status, reply)
	}
}

func TestImportRefuses(t *testing.T) {
	s := open(t)
	login(t, s, "ada@acme.example", acme)
	before := s.Export()
	live := stytchtest.Development()
	live.Project.ID = "project-live-11111111-1111-4111-8111-111111111111"
	for want, seed := range map[string]stytchtest.Seed{
		"the seed is of a consumer project, this emulator's is b2b": stytchtest.DevelopmentConsumer(), "live": live,
		"empty": {}} {
		if err := s.Import(seed); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for body, want := range map[string]string{"{": "", `{"projects":{}}`: "projects", "a: [": ""} {
		status, reply, _ := ask(t, "POST", s.URL+"/_emulator/import", body)
		if message, _ := reply["error_message"].(string); status != 400 || reply["error_type"] != "invalid_seed" ||
			!strings.Contains(message, want) {
			t.Errorf("%q: %d %v", body, status, reply)
		}
	}
	if !sameJSON(t, s.Export(), before) {
		t.Error("a refused import had an effect")
	}
}

func TestReset(t *testing.T) {
	s := open(t)
	session := login(t, s, "ada@acme.example", acme)
	token := must[string](t)(s.Mint(stytchtest.MintRequest{Subject: ada}))
	s.SetAuthorizationURL("https://app.example/idp")
	s.SetRedirectURLs("https://app.example/idp", "http://localhost:8080/idp") // the second is the page that asks below
	s.FailNext("/", 500)
	s.Advance(time.Hour)
	if err := s.SetStatus(grace, "deleted"); err != nil {
		t.Fatal(err)
	}
	s.Reset()
	if status, _ := sdk(t, s, session, "/b2b/sessions/authenticate", object{}); status != 401 {
		t.Errorf("a session is left: %d", status)
	}
	if status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil, bearer(token)); status != 200 {
		t.Errorf("signatures must stay good: %d", status)
	}
	p := s.Export().Project
	if len(s.Inbox()) != 0 || len(s.Tokens()) != 0 || !s.Now().Equal(noon) ||
		p.AuthorizationURL != "https://app.example/idp" || p.RedirectURLs[0].URL != "https://app.example/idp" ||
		s.Export().Members[1].Status != "active" {
		t.Errorf("%+v", s.Export())
	}
}

const seedYAML = `
project:
  project_id: project-test-yaml
  secret: secret-test-yaml
  public_token: public-token-test-yaml
  name: YAML
  vertical: b2b
  redirect_urls:
    - https://app.example/idp
    - {url: https://app.example/up, valid_types: [{type: SIGNUP}]}
organizations:
  - {organization_id: organization-test-1, organization_name: One, organization_slug: one}
members:
  - member_id: member-test-1
    organization_id: organization-test-1
    email_address: ada@one.example
    status: active
    created_at: 2025-06-01T00:00:00Z
    trusted_metadata: {desk: 7}
connected_apps:
  - {client_id: connected-app-test-1, client_secret: hush, client_type: third_party,
     redirect_urls: [https://chatgpt.com/cb]}
policy: {}
`

func TestReadSeed(t *testing.T) {
	write := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	seed := must[stytchtest.Seed](t)(stytchtest.ReadSeed(write("seed.yaml", seedYAML)))
	asJSON := string(must[[]byte](t)(json.Marshal(seed)))
	if again := must[stytchtest.Seed](t)(stytchtest.ReadSeed(write("seed.json", asJSON))); !reflect.DeepEqual(seed,
		again) {
		t.Errorf("JSON\n%+v, YAML\n%+v", again, seed)
	}
	urls := seed.Project.RedirectURLs
	if len(urls) != 2 || len(urls[0].Types) != 5 || !urls[0].Types[0].Default || len(urls[1].Types) != 1 ||
		urls[1].Types[0].Default || seed.Members[0].TrustedMetadata["desk"] != 7.0 ||
		!seed.Members[0].CreatedAt.Equal(time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", seed)
	}
	s := serve(t, stytchtest.Options{Seed: &seed})
	if status, reply, _ := ask(t, "GET", s.URL+"/v1/b2b/organizations/one/member?member_id=member-test-1", nil,
		basic("project-test-yaml", "secret-test-yaml")); status != http.StatusOK ||
		reply["member"].(object)["email_address"] != "ada@one.example" {
		t.Errorf("%d %v", status, reply)
	}
	for name, tt := range map[string]struct{ old, new, want string }{
		"a misspelt name":        {"organization_slug: one", "organization_slugg: one", "organization_slugg"},
		"a misspelt nested name": {"desk: 7}", "desk: 7}\n    emial_address: x", "emial_address"},
		"a list for a text":      {"name: YAML", "name: [YAML]", "name"},
		"no YAML":                {"policy: {}", "policy: {", ""},
		"a live id":              {"project-test-yaml", "project-live-yaml", "live"},
		"an unknown status":      {"status: active", "status: awake", "awake"},
		"a bad address":          {"ada@one.example", "ada", `"ada"`},
		"a bad type of client":   {"client_type: third_party", "client_type: friend", "friend"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write("faulty.yaml", strings.Replace(seedYAML, tt.old, tt.new, 1))
			_, err := stytchtest.ReadSeed(path)
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tt.want) ||
				strings.Contains(err.Error(), "hush") {
				t.Errorf("%v: it must name the file and %q", err, tt.want)
			}
		})
	}
	if _, err := stytchtest.ReadSeed(filepath.Join(t.TempDir(), "none.yaml")); err == nil ||
		!strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("%v", err)
	}
}

// TestREADMESeedIsGood: what README shows can be read, and signs Ada in.
func TestREADMESeedIsGood(t *testing.T) {
	readme := string(must[[]byte](t)(os.ReadFile("README.md")))
	_, rest, _ := strings.Cut(readme, "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	path := filepath.Join(t.TempDir(), "seed.yaml")
	if err := os.WriteFile(path, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	seed := must[stytchtest.Seed](t)(stytchtest.ReadSeed(path))
	s := serve(t, stytchtest.Options{Seed: &seed})
	status, reply, _ := ask(t, "POST", s.URL+"/v1/b2b/passwords/authenticate", object{"organization_id": "example",
		"email_address": "ada@example.com", "password": "Guest-pass-1"},
		basic("project-test-example", "secret-test-example"))
	if status != 200 || reply["member"].(object)["is_admin"] != true {
		t.Errorf("%d %v", status, reply)
	}
}

// What a seed leaves out of secrets is new at each start, and never nothing.
func TestSecretsThatASeedLeavesOutAreMadeUp(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		seed := stytchtest.Development()
		seed.Project.Secret, seed.Project.PublicToken, seed.ConnectedApps[0].ClientSecret = "", "", ""
		s := serve(t, stytchtest.Options{Seed: &seed})
		made := s.Export()
		for _, secret := range []string{made.Project.Secret, made.Project.PublicToken,
			made.ConnectedApps[0].ClientSecret} {
			if len(secret) < 30 || seen[secret] {
				t.Errorf("%q is short, or was there before", secret)
			}
			seen[secret] = true
		}
		if status, _, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", exchange("code", "client_secret",
			"")); status != 400 {
			t.Errorf("no secret was taken for the client's: %d", status)
		}
		s.Reset()
		if s.Export().Project.Secret != made.Project.Secret {
			t.Error("a reset changes the secrets")
		}
	}
}
