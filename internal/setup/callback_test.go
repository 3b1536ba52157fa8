package setup_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"guestpass/internal/management"
	"guestpass/internal/setup"
	"guestpass/stytchtest"
)

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
