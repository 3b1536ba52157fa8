package setup_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"guestpass/internal/management"
	"guestpass/internal/setup"
	"guestpass/stytchtest"
)

// TestTheDomainIsVerified: what no API does is seen in what the project publishes.
func TestTheDomainIsVerified(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*stytchtest.Seed)
		domain func(s *site) string
		want   string // in the report
	}{
		{"all is well", nil, nil, "confirmed keys of project-test-"},
		{"no domain", nil, func(*site) string { return "" }, "by hand Project overview: copy the project's domain"},
		{"another project's domain", nil, func(*site) string { return newSite(t, setup.B2B, there, atPage).URL },
			"it is the domain of another project"},
		{"another name of it", nil, func(*site) string {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"issuer":"https://login.example.com"}`)
			}))
			t.Cleanup(server.Close)
			return server.URL
		}, "write STYTCH_DOMAIN as the issuer is written"},
		{"nobody there", nil, func(*site) string { return "http://127.0.0.1:1" }, "does not answer"},
		{"no documents", func(seed *stytchtest.Seed) { seed.Project.MetadataDocuments = false }, nil,
			"by hand Connected Apps: switch on Client ID Metadata Documents"},
		{"no registration", func(seed *stytchtest.Seed) { seed.Project.Registration = false }, nil,
			"by hand Connected Apps: switch on Dynamic Client Registration"},
		{"no Authorization URL", func(seed *stytchtest.Seed) { seed.Project.AuthorizationURL = "" }, nil,
			"fault the project has no Authorization URL"},
		{"another Authorization URL", func(seed *stytchtest.Seed) {
			seed.Project.AuthorizationURL = "https://old.example/idp"
		}, nil, `says "https://old.example/idp", expected "https://gpt.example.com/idp"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changes := []func(*stytchtest.Seed){there, atPage}
			if tt.change != nil {
				changes = append(changes, tt.change)
			}
			s := newSite(t, setup.B2B, changes...)
			s.kept["STYTCH_PROJECT_ID"] = s.Export().Project.ID
			domain := s.URL
			if tt.domain != nil {
				domain = tt.domain(s)
			}
			var lines []string
			r := s.run().Verify(t.Context(), domain, s.URL)
			for _, line := range r.Confirmed {
				lines = append(lines, "confirmed "+line)
			}
			for _, line := range r.Faults {
				lines = append(lines, "fault "+line)
			}
			for _, step := range r.ByHand {
				lines = append(lines, "by hand "+step.Page+": "+strings.Join(step.Do, "; "))
			}
			if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, tt.want) }) {
				t.Errorf("%q, want %q", lines, tt.want)
			}
			if (tt.name == "all is well") != (len(r.Faults)+len(r.ByHand) == 0) {
				t.Errorf("%q", lines)
			}
		})
	}
}

func atPage(seed *stytchtest.Seed) { seed.Project.AuthorizationURL = "https://gpt.example.com/idp" }

// A GPT comes back to whichever host a person uses, a plugin to one.
func TestCallbacksAreOfTheHostsThatUseThem(t *testing.T) {
	for address, path := range map[string]string{
		"https://chat.openai.com/aip/g-0a1b/oauth/callback":          "/aip/g-0a1b/oauth/callback",
		"https://chatgpt.com/aip/g-0a1b/oauth/callback":              "/aip/g-0a1b/oauth/callback",
		"https://chatgpt.com/connector/oauth/Ab_c-1":                 "/connector/oauth/Ab_c-1",
		"https://chatgpt.com/connector_platform_oauth_redirect":      "/connector_platform_oauth_redirect",
		"https://chat.openai.com/connector/oauth/Ab_c-1":             "",
		"http://chatgpt.com/aip/g-0a1b/oauth/callback":               "",
		"https://chatgpt.com.evil.example/aip/g-0a1b/oauth/callback": "",
		"https://user@chatgpt.com/aip/g-0a1b/oauth/callback":         "",
		"https://chatgpt.com:8443/aip/g-0a1b/oauth/callback":         "",
		"https://chatgpt.com/aip/g-0a1b/oauth/callback?x=1":          "",
		"https://chatgpt.com/aip/g-0a1b/oauth/callback#x":            "",
		"https://chatgpt.com/aip/g-0a1b/../g-x/oauth/callback":       "",
		"https://chatgpt.com/aip/g-0a1b%2f..%2fx/oauth/callback":     "",
		"https://chatgpt.com/":                                       "",
		"https://claude.ai/api/mcp/auth_callback":                    "",
		"g-0a1b": "",
		"https://chatgpt.com/aip/g-" + strings.Repeat("a", 200) + "/oauth/callback": "",
	} {
		urls, err := setup.Callbacks(address)
		want := []string{"https://chat.openai.com" + path, "https://chatgpt.com" + path}
		if !strings.HasPrefix(path, "/aip/") {
			want = want[1:]
		}
		if path == "" && err == nil || path != "" && (err != nil || !slices.Equal(urls, want)) {
			t.Errorf("%s: %v %v", address, urls, err)
		}
	}
}

// TestCallbacksAreRegisteredAndTidied: the app keeps what else it has.
func TestCallbacksAreRegisteredAndTidied(t *testing.T) {
	app := stytchtest.Development().ConnectedApps[0]
	s := newSite(t, setup.B2B, there, func(seed *stytchtest.Seed) {
		a := &seed.ConnectedApps[0]
		a.Minutes, a.Audience, a.LogoURL, a.Template = 480, "https://api.example.com", "https://x.example/a.png",
			`{"a":1}`
		a.RedirectURLs = append(a.RedirectURLs, "https://chatgpt.com/connector/oauth/kept")
	})
	before := s.Export().ConnectedApps[0]
	p := s.Export().Project
	api := s.project(p.ID, p.Secret)
	change := func(id string, tidy bool) string {
		t.Helper()
		urls, err := setup.Callbacks("https://chatgpt.com/aip/" + id + "/oauth/callback")
		var plan *setup.Plan
		if err == nil {
			plan, err = setup.ReadCallbacks(t.Context(), api, app.ClientID, urls, tidy)
		}
		if err == nil {
			err = setup.ApplyCallbacks(t.Context(), plan)
		}
		if err != nil {
			t.Fatal(err)
		}
		if plan.Nothing() {
			return "nothing"
		}
		return fmt.Sprint(len(plan.Changes[0].Lines))
	}
	for _, tt := range []struct {
		id   string
		tidy bool
		want string // lines of the diff
		urls int    // of the app, afterwards
	}{{"g-new", false, "2", 7}, {"g-new", false, "nothing", 7}, {"g-newer", true, "6", 5}, {"g-newer", true,
		"nothing", 5}} {
		lines := change(tt.id, tt.tidy)
		if has := s.Export().ConnectedApps[0].RedirectURLs; lines != tt.want || len(has) != tt.urls {
			t.Errorf("%+v: %s lines, %q", tt, lines, has)
		}
	}
	after := s.Export().ConnectedApps[0]
	if !slices.Contains(after.RedirectURLs, "https://chatgpt.com/connector/oauth/kept") ||
		!slices.Contains(after.RedirectURLs, setup.TryCallback) || after.Minutes != before.Minutes ||
		after.Audience != before.Audience || after.LogoURL != before.LogoURL || after.Template != before.Template ||
		after.Description != before.Description || after.ClientSecret != before.ClientSecret {
		t.Errorf("%+v", after)
	}
	urls, _ := setup.Callbacks("https://chatgpt.com/aip/g-x/oauth/callback")
	if _, err := setup.ReadCallbacks(t.Context(), api, "connected-app-test-none", urls, false); err == nil ||
		!strings.Contains(err.Error(), "no connected app connected-app-test-none") {
		t.Errorf("%v", err)
	}
	stranger := management.NewProject(management.Options{BaseURL: s.URL, User: p.ID, Password: "wrong"})
	if _, err := setup.ReadCallbacks(t.Context(), stranger, app.ClientID, urls,
		false); !management.IsUnauthorized(err) {
		t.Errorf("%v", err)
	}
}
