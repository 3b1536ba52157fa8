package stytchtest_test

import (
	"bytes"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"guestpass/stytchtest"
)

func TestNewRefusesWhatItMustNotBe(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*stytchtest.Seed)
		want   string
	}{
		{"a live project", func(s *stytchtest.Seed) {
			s.Project.ID = "project-live-11111111-1111-4111-8111-111111111111"
		}, "live project"},
		{"a live secret", func(s *stytchtest.Seed) { s.Project.Secret = "secret-live-hush" }, "live project"},
		{"a live public token", func(s *stytchtest.Seed) { s.Project.PublicToken = "public-token-live-x" },
			"live project"},
		{"a live client", func(s *stytchtest.Seed) { s.ConnectedApps[0].ClientID = "connected-app-live-x" }, "live id"},
		{"members of a Consumer project", func(s *stytchtest.Seed) { s.Project.Vertical = "consumer" }, "give users"},
		{"users of a B2B project", func(s *stytchtest.Seed) { s.Users = stytchtest.DevelopmentConsumer().Users },
			"give members"},
		{"no vertical", func(s *stytchtest.Seed) { s.Project.Vertical = "" }, "must be b2b or consumer"},
		{"no e-mail address", func(s *stytchtest.Seed) { s.Members[0].Email = "ada" }, "no e-mail address"},
		{"an http redirect URL",
			func(s *stytchtest.Seed) { s.ConnectedApps[0].RedirectURLs = []string{"http://example.com/cb"} },
			"loopback"},
		{"a member of nowhere", func(s *stytchtest.Seed) { s.Members[0].OrganizationID = "x" }, "no organization"},
		{"an unknown role", func(s *stytchtest.Seed) { s.Members[0].Roles = []string{"king"} }, "no role"},
		{"two of one id", func(s *stytchtest.Seed) { s.Members[1].ID = s.Members[0].ID }, "used twice"},
		{"a public client with a secret", func(s *stytchtest.Seed) { s.ConnectedApps[0].Type = "third_party_public" },
			"have no secret"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			seed := stytchtest.Development()
			tt.change(&seed)
			_, err := stytchtest.New(stytchtest.Options{Seed: &seed})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestListenIsLoopbackOnly(t *testing.T) {
	e := must[*stytchtest.Emulator](t)(stytchtest.New(stytchtest.Options{}))
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", "nonsense"} {
		if l, err := e.Listen(addr); err == nil {
			l.Close()
			t.Errorf("%s was bound", addr)
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "localhost:0"} {
		l, err := e.Listen(addr)
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		l.Close()
	}
}

func TestUnknownRoutesAreLoud(t *testing.T) {
	var log bytes.Buffer
	s := stytchtest.NewServer(t, stytchtest.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, path := range []string{"/v1/b2b/sso/authenticate", "/sdk/v1/nothing", "/v1/oauth2/jwks",
		"/_emulator/nothing"} {
		status, reply, _ := ask(t, "POST", s.URL+path, object{})
		if status != 404 || reply["error_type"] != "route_not_found" || !strings.Contains(log.String(), "path="+path) ||
			!strings.Contains(log.String(), "level=WARN") {
			t.Errorf("%s: %d %v, log %s", path, status, reply, &log)
		}
	}
}

func TestSeedIsThePinnedOne(t *testing.T) {
	seed := stytchtest.Development()
	if seed.Project.ID != project || seed.Project.PublicToken != publicToken ||
		seed.Project.Secret != "secret-test-guestpass-dev" {
		t.Errorf("%+v", seed.Project)
	}
	var people []string
	for _, m := range seed.Members {
		people = append(people, m.ID+" "+m.Email+" "+m.Name+" "+strings.Join(m.Roles, ","))
	}
	want := []string{ada + " ada@acme.example Ada Lovelace stytch_member,stytch_admin",
		grace + " grace@acme.example Grace Hopper stytch_member",
		hank + " hank@globex.example Hank Scorpio stytch_member,stytch_admin"}
	if !reflect.DeepEqual(people, want) {
		t.Errorf("%q", people)
	}
	if app := seed.ConnectedApps[0]; len(seed.ConnectedApps) != 2 || app.ClientID != gpt ||
		app.ClientSecret != gptSecret || app.Type != "third_party" ||
		strings.Join(app.RedirectURLs, " ") != "https://chat.openai.com/aip/g-dev/oauth/callback "+callback+
			" http://127.0.0.1:8090/callback http://localhost:8090/callback" {
		t.Errorf("%+v", app)
	}
	if app := seed.ConnectedApps[1]; app.ClientID != docs || app.ClientSecret != "" ||
		app.Type != "third_party_public" ||
		strings.Join(app.RedirectURLs, " ") != "http://localhost:8080/docs" {
		t.Errorf("%+v", app)
	}
	seed.Members[0].Roles[0] = "changed"
	if stytchtest.Development().Members[0].Roles[0] != "stytch_member" {
		t.Error("the seed is shared")
	}
}
