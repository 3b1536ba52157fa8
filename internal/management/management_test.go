package management_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass/internal/management"
	"guestpass/stytchtest"
)

func workspace(s *stytchtest.Server) *management.Workspace {
	p := s.Export().Project
	return management.NewWorkspace(management.Options{BaseURL: s.URL, User: p.WorkspaceKey, Password: p.WorkspaceSecret,
		UserIs: "STYTCH_WORKSPACE_KEY_ID", SecretIs: "STYTCH_WORKSPACE_SECRET"})
}

func project(s *stytchtest.Server) *management.Project {
	p := s.Export().Project
	return management.NewProject(management.Options{BaseURL: s.URL, User: p.ID, Password: p.Secret,
		UserIs: "STYTCH_PROJECT_ID", SecretIs: "STYTCH_SECRET"})
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func TestAWorkspaceIsFilledAndRead(t *testing.T) {
	seed := stytchtest.Development()
	seed.Project.NoProject = true
	s, ctx := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed}), t.Context()
	w := workspace(s)
	if list := must[[]management.Listed](t)(w.Projects(ctx)); len(list) != 0 {
		t.Errorf("%v", list)
	}
	made := must[management.Listed](t)(w.CreateProject(ctx, "Our Project", "B2B"))
	e := must[management.Environment](t)(w.CreateEnvironment(ctx, made.Slug, "Test", "TEST"))
	if made.Slug != "our-project" || e.Slug != "test" || e.ProjectSlug != "our-project" || e.Type != "TEST" ||
		e.ProjectID != seed.Project.ID {
		t.Errorf("%+v %+v", made, e)
	}
	e = must[management.Environment](t)(w.UpdateEnvironment(ctx, e, management.Object{
		"idp_authorization_url": "https://gpt.example.com/idp"}))
	all := must[[]management.Environment](t)(w.Environments(ctx, made.Slug))
	if len(all) != 1 || all[0] != e || e.AuthorizationURL != "https://gpt.example.com/idp" {
		t.Errorf("%+v %+v", all, e)
	}
	token := must[string](t)(w.CreatePublicToken(ctx, e))
	if tokens := must[[]string](t)(w.PublicTokens(ctx, e)); !slices.Equal(tokens, []string{token}) {
		t.Errorf("%v", tokens)
	}
	secret := must[string](t)(w.CreateSecret(ctx, e))
	u := management.RedirectURL{URL: "https://gpt.example.com/idp?x=1&y",
		Types: []management.RedirectType{{Type: "LOGIN"}}}
	if err := w.CreateRedirectURL(ctx, e, u); err != nil {
		t.Fatal(err)
	}
	u.Types = append(u.Types, management.RedirectType{Type: "SIGNUP"})
	if err := w.SetRedirectTypes(ctx, e, u); err != nil {
		t.Fatal(err)
	}
	if urls := must[[]management.RedirectURL](t)(w.RedirectURLs(ctx, e)); len(urls) != 1 || urls[0].URL != u.URL ||
		len(urls[0].Types) != 2 {
		t.Errorf("%+v", urls)
	}
	sdk := must[management.Object](t)(w.SDK(ctx, e, "b2b"))
	sdk["sessions"] = management.Object{"max_session_duration_minutes": 90}
	if err := w.SetSDK(ctx, e, "b2b", sdk); err != nil {
		t.Fatal(err)
	}
	policy := must[management.Object](t)(w.Policy(ctx, e))
	delete(policy, "stytch_resources")
	if err := w.SetPolicy(ctx, e, policy); err != nil {
		t.Fatal(err)
	}
	if s.Export().Project.Secret != secret {
		t.Error("the secret is another")
	}
	if scopes := must[[]string](t)(project(s).Scopes(ctx, "b2b")); len(scopes) != 0 {
		t.Errorf("%v", scopes)
	}
}

func TestConnectedAppsAreMadeFoundAndChanged(t *testing.T) {
	s, ctx := stytchtest.NewServer(t, stytchtest.Options{}), t.Context()
	p := project(s)
	made := must[management.App](t)(p.CreateApp(ctx, management.App{Name: "GPT", Type: "third_party",
		Description: "Ours", RedirectURLs: []string{"http://127.0.0.1:8090/callback"}}))
	if made.ID == "" || made.Secret == "" {
		t.Errorf("%+v", made)
	}
	for range 3 {
		must[management.App](t)(p.CreateApp(ctx, management.App{Name: "More", Type: "third_party_public",
			RedirectURLs: []string{"https://more.example/cb"}}))
	}
	if err := p.SetRedirectURLs(ctx, made.ID, []string{"https://chatgpt.com/aip/g-1/oauth/callback"}); err != nil {
		t.Fatal(err)
	}
	// Stytch takes the app as a whole: with what it had, and without what cannot be set.
	written := s.Requests()[0]
	for _, name := range []string{"client_name", "client_description", "post_logout_redirect_urls",
		"access_token_expiry_minutes", "access_token_custom_audience", "access_token_template_content", "logo_url"} {
		if written.Method != "PUT" || !strings.Contains(written.Body, `"`+name+`":`) {
			t.Errorf("%s %s lacks %s", written.Method, written.Body, name)
		}
	}
	for _, name := range []string{"client_id", "client_type", "status", "client_secret_last_four",
		"full_access_allowed", "bypass_consent_for_offline_access"} {
		if strings.Contains(written.Body, `"`+name+`":`) {
			t.Errorf("%s has %s", written.Body, name)
		}
	}
	apps := must[[]management.App](t)(p.Apps(ctx))
	i := slices.IndexFunc(apps, func(a management.App) bool { return a.ID == made.ID })
	if len(apps) != 6 || apps[i].Name != "GPT" || apps[i].Description != "Ours" || apps[i].Secret != "" ||
		!slices.Equal(apps[i].RedirectURLs, []string{"https://chatgpt.com/aip/g-1/oauth/callback"}) {
		t.Errorf("%+v", apps)
	}
	err := p.SetRedirectURLs(ctx, "connected-app-test-none", nil)
	if !management.IsNotFound(err) || !management.IsType(err, "connected_app_not_found") {
		t.Errorf("%v", err)
	}
}

// TestErrorsSayWhatToDo, with the type that Stytch gave.
func TestErrorsSayWhatToDo(t *testing.T) {
	s := stytchtest.NewServer(t, stytchtest.Options{})
	p := s.Export().Project
	stranger := management.NewWorkspace(management.Options{BaseURL: s.URL, User: p.WorkspaceKey, Password: "wrong-hush",
		UserIs: "STYTCH_WORKSPACE_KEY_ID", SecretIs: "STYTCH_WORKSPACE_SECRET"})
	_, unknown := stranger.Projects(t.Context())
	_, tooMany := workspace(s).CreateProject(t.Context(), "More", "B2B")
	_, vertical := workspace(s).SDK(t.Context(), management.Environment{ProjectSlug: p.Slug, Slug: p.Environment},
		"consumer")
	for want, err := range map[string]error{
		"list the workspace's projects: Stytch answered 401 unauthorized_credentials": unknown,
		"check STYTCH_WORKSPACE_KEY_ID and STYTCH_WORKSPACE_SECRET":                   unknown,
		"400 too_many_projects":       tooMany,
		"choose one that is there":    tooMany,
		"request request-id-test-":    tooMany,
		"set STYTCH_VERTICAL":         vertical,
		"Stytch answered 400 invalid": vertical,
	} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if !management.IsUnauthorized(unknown) || management.IsUnauthorized(tooMany) {
		t.Error("who is not known is told from others")
	}
}

// answering serves one answer, and counts.
type answering struct {
	status int
	kind   string
	body   string
	header map[string]string
	asked  int
	good   int // from this attempt on, all is well
}

func (a *answering) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	a.asked++
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	if a.good > 0 && a.asked >= a.good {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"projects":[],"secret":{"secret":"secret-test-made"}}`)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	w.WriteHeader(a.status)
	fmt.Fprint(w, a.body)
}

// TestAnswersAreBoundedAndRepeatedWithCare: what may have been carried out is not sent again.
func TestAnswersAreBoundedAndRepeatedWithCare(t *testing.T) {
	const reads, makes = "reads", "makes"
	for _, tt := range []struct {
		name, does string
		answer     answering
		asked      int
		waited     time.Duration // before the second attempt
		want       string        // in the error; "" for none
	}{
		{"busy, read", reads, answering{status: 503, kind: "text/html", body: "<h1>", good: 3}, 3,
			300 * time.Millisecond, ""},
		{"busy, made", makes, answering{status: 503, kind: "text/html", body: "<h1>", good: 2}, 1, 0,
			"run this again later"},
		{"too often, made", makes, answering{status: 429, kind: "application/json", body: `{}`, good: 2,
			header: map[string]string{"Retry-After": "7"}}, 2, 7 * time.Second, ""},
		{"too often for long", reads, answering{status: 429, kind: "application/json", body: `{}`,
			header: map[string]string{"Retry-After": "600"}}, 3, 10 * time.Second, "asked less often"},
		{"a redirect", reads, answering{status: 302, header: map[string]string{"Location": "https://evil.example/"}},
			1, 0,
			"answered 302"},
		{"a page", reads, answering{status: 200, kind: "text/html", body: "<h1>"}, 3, 300 * time.Millisecond,
			"not with JSON"},
		{"half an answer", makes, answering{status: 200, kind: "application/json", body: `{"secret":`}, 1, 0,
			"not as expected"},
		{"more than anybody reads", makes, answering{status: 200, kind: "application/json",
			body: `{"x":"` + strings.Repeat("a", 8<<20) + `"}`}, 1, 0, "more than 8388608 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(&tt.answer)
			defer server.Close()
			var waits []time.Duration
			w := management.NewWorkspace(management.Options{BaseURL: server.URL, User: "key", Password: "hush",
				Wait: func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }})
			var err error
			if tt.does == reads {
				_, err = w.Projects(t.Context())
			} else {
				_, err = w.CreateSecret(t.Context(), management.Environment{})
			}
			if tt.answer.asked != tt.asked || (err == nil) != (tt.want == "") ||
				err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("asked %d times, %v", tt.answer.asked, err)
			}
			if tt.asked > 1 && waits[0] != tt.waited {
				t.Errorf("waited %v", waits)
			}
		})
	}
}

func TestAnInterruptedCallEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	w := management.NewWorkspace(management.Options{BaseURL: server.URL})
	if _, err := w.Projects(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestAddressesInsideAreNotAsked(t *testing.T) {
	w := management.NewWorkspace(management.Options{BaseURL: "http://10.0.0.1",
		Wait: func(context.Context, time.Duration) error { return errors.New("no further attempt") }})
	if _, err := w.Projects(t.Context()); err == nil || !strings.Contains(err.Error(), "internal address") {
		t.Errorf("an address inside: %v", err)
	}
}
