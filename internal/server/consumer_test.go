package server_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/stytchtest"
)

const (
	userAda   = "user-test-cccccccc-0000-4000-8000-000000000001"
	userGrace = "user-test-cccccccc-0000-4000-8000-000000000002"
)

// work adds operations of one's own: a read and a write that every user's roles cover,
// and a read that they do not. The write counts how often it was reached.
func work(written *int) func(*guestpass.Options) {
	type output struct {
		Body struct {
			Subject string `json:"subject" doc:"Who called"`
		}
	}
	return func(o *guestpass.Options) {
		o.Resources = ownOperations(func(s *api.Service) {
			read := func(ctx context.Context, _ *struct{}) (*output, error) {
				out := &output{}
				out.Body.Subject = auth.From(ctx).Owner()
				return out, nil
			}
			write := func(ctx context.Context, in *struct{}) (*output, error) {
				*written++
				return read(ctx, in)
			}
			api.Register(s, api.Operation{ID: "readWork", Method: http.MethodGet, Path: "/api/v1/work",
				Summary:     "Read the work",
				Description: "Reads.", Access: auth.Scope("tasks:read")}, read)
			api.Register(s, api.Operation{ID: "doWork", Method: http.MethodPost, Path: "/api/v1/work",
				Summary:     "Do the work",
				Description: "Writes.", Access: auth.Scope("tasks:write"), Effect: api.Write, External: true}, write)
			api.Register(s, api.Operation{ID: "ruleWork", Method: http.MethodGet, Path: "/api/v1/rule",
				Summary:     "Rule the work",
				Description: "Reads.", Access: auth.Scope("tasks:rule")}, read)
		})
	}
}

func TestTheDocumentSaysWhatTheServerIsGoodFor(t *testing.T) {
	const tasks = "list tasks; create a task; change a task; get one task; mark a task as done; delete a task; bring " +
		"back a deleted task; list the comments on a task; comment on a task"
	const activity = "; list what was done for the signed-in person; undo one change."
	for _, tt := range []struct {
		w    *world
		want string
	}{
		{newWorld(t), "get who is signed in; list the members of the organization; get one member; invite a person " +
			"to the organization; " + tasks + activity},
		{newConsumerWorld(t), "get who is signed in; " + tasks + activity},
		{newConsumerWorld(t, work(new(int))), "get who is signed in; " + tasks +
			"; read the work; do the work; rule the work" + activity},
	} {
		want := fmt.Sprintf(`"description": %q`, "Lets you act in Guestpass Demo for the signed-in person: "+tt.want)
		if document := string(tt.w.app.Document().JSON()); !strings.Contains(strings.ReplaceAll(document, `":"`,
			`": "`), want) {
			t.Errorf("no %s in\n%s", want, document)
		}
	}
}

func TestAConsumerProjectKnowsNoOrganizations(t *testing.T) {
	w := newConsumerWorld(t)
	organizational := regexp.MustCompile(`(?i)\b.{0,60}\b(organi[sz]ation|member|invit).{0,60}`)
	var ids []string
	for _, op := range w.app.Operations() {
		ids = append(ids, op.ID)
	}
	if strings.Join(ids, " ") != "getNextSteps getUserInfo listTasks createTask updateTask getTask completeTask "+
		"deleteTask restoreTask listTaskComments addTaskComment listActivity undoActivity" {
		t.Errorf("operations %v", ids)
	}
	for _, path := range []string{"/openapi.json", "/openapi.yaml", "/", "/privacy", "/docs", "/api/v1/next-steps",
		"/.well-known/oauth-protected-resource"} {
		if found := organizational.FindString(w.call("GET", path, "", "").body); found != "" {
			t.Errorf("%s says %q", path, found)
		}
	}
	token := w.token(userAda, "openid", "members:read", "members:invite")
	for _, path := range []string{"/api/v1/members", "/api/v1/members/" + userAda, "/api/v1/members/invitations"} {
		if r := w.call("GET", path, token, ""); r.status != 404 {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	landing := w.call("GET", "/", "", "").body
	for _, want := range []string{w.url + "/openapi.json", w.url + "/idp", w.url + "/oauth2/token",
		stytchtest.DevelopmentConsumer().ConnectedApps[0].ClientID,
		"openid profile email offline_access tasks:read tasks:write activity:read<", w.url + "/privacy"} {
		if !strings.Contains(landing, want) {
			t.Errorf("the landing page lacks %q", want)
		}
	}
}

func TestWhatBelongsToTheOtherVerticalIsRefused(t *testing.T) {
	const claim = "https://stytch.com/organization"
	organization := map[string]any{"organization_id": acme, "slug": "acme"}
	b2b, consumer := newWorld(t), newConsumerWorld(t)
	access := func(w *world, subject string, claims map[string]any) string {
		return w.mint(stytchtest.MintRequest{Kind: "access", Subject: subject, Scopes: []string{"openid"},
			Claims: claims})
	}
	kind := func(w *world, kind, subject string) string {
		return w.mint(stytchtest.MintRequest{Kind: kind, Subject: subject})
	}
	for _, tt := range []struct {
		name   string
		w      *world
		token  string
		status int
	}{
		{"a user's own token", consumer, access(consumer, userAda, nil), 200},
		{"a member's token, signed by this project's key", consumer,
			access(consumer, userAda, map[string]any{"sub": ada, claim: organization}), 401},
		{"a member's token without an organization",
			consumer, access(consumer, userAda, map[string]any{"sub": ada}), 401},
		{"a user's token with an organization", consumer,
			access(consumer, userAda, map[string]any{claim: organization}), 401},
		{"a token of a B2B project", consumer, access(b2b, ada, nil), 401},
		{"a user's session JWT", consumer, kind(consumer, "session", userAda), 401},
		{"a user's ID token", consumer, kind(consumer, "id", userAda), 401},
		{"an M2M token", consumer, kind(consumer, "m2m", "m2m-client-test-eeeeeeee-0000-4000-8000-000000000001"), 401},
		{"a member's session JWT", consumer, kind(b2b, "session", ada), 401},

		{"a member's own token", b2b, access(b2b, ada, nil), 200},
		{"a user's token, signed by this project's key", b2b,
			access(b2b, ada, map[string]any{"sub": userAda, claim: nil}), 401},
		{"a user as subject", b2b, access(b2b, ada, map[string]any{"sub": userAda}), 401},
		{"a token of a Consumer project", b2b, access(consumer, userAda, nil), 401},
		{"a user's session JWT at a B2B server", b2b, kind(consumer, "session", userAda), 401},
	} {
		r := tt.w.call("GET", "/api/v1/userinfo", tt.token, "")
		if r.status != tt.status || (tt.status == 401) != strings.Contains(r.header.Get("WWW-Authenticate"),
			`error="invalid_token"`) {
			t.Errorf("%s: %d %s %s", tt.name, r.status, r.header.Get("WWW-Authenticate"), r.body)
		}
	}
}

func TestAUserWhoIsGoneIsRefused(t *testing.T) {
	written := 0
	w := newConsumerWorld(t, work(&written))
	token := w.token(userAda, "openid", "tasks:read", "tasks:write")
	if r := w.call("GET", "/api/v1/work", token, ""); r.status != 200 {
		t.Fatalf("an active user reads: %d %s", r.status, r.body)
	}
	do := func() reply { return w.call("POST", "/api/v1/work", token, "") }
	if r := do(); r.status != 200 || written != 1 || !strings.Contains(r.body, userAda) {
		t.Fatalf("an active user: %d %s", r.status, r.body)
	}
	for _, status := range []string{"pending", "deleted"} {
		if err := w.stytch.SetStatus(userAda, status); err != nil {
			t.Fatal(err)
		}
		if r := do(); r.status != 401 || written != 1 {
			t.Errorf("a %s user writes: %d %s", status, r.status, r.body)
		}
		w.stytch.Advance(61 * time.Second) // what was known of Ada is believed for a minute
		if r := w.call("GET", "/api/v1/work", token, ""); r.status != 401 {
			t.Errorf("a %s user reads: %d %s", status, r.status, r.body)
		}
	}
}

func TestAUsersRolesDecideInRolesMode(t *testing.T) {
	w := newConsumerWorld(t, byRole, work(new(int)))
	token := w.token(userAda, "openid")
	for _, tt := range []struct {
		method, path string
		status       int
	}{{"GET", "/api/v1/userinfo", 200}, {"GET", "/api/v1/work", 200}, {"POST", "/api/v1/work", 200},
		{"GET", "/api/v1/rule", 403}} {
		if r := w.call(tt.method, tt.path, token, ""); r.status != tt.status {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, r.status, r.body)
		}
	}
}

func TestTroubleInAConsumerProject(t *testing.T) {
	w := newConsumerWorld(t)
	token := w.token(userAda, "openid")
	w.call("GET", "/api/v1/userinfo", token, "") // keys are loaded now
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/users", Status: 503})
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/rbac", Status: 503})
	if r := w.call("GET", "/api/v1/userinfo", token, ""); r.status != 503 || r.header.Get("Retry-After") == "" {
		t.Errorf("Stytch down: %d %s", r.status, r.body)
	}
	w.stytch.ClearFaults() // before the circuit breaker opens
	if r := w.call("GET", "/api/v1/userinfo", token, ""); r.status != 200 {
		t.Errorf("Stytch back: %d %s", r.status, r.body)
	}
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/rbac", Status: 503})
	if r := w.call("GET", "/readyz", "", ""); r.status != 200 ||
		!strings.Contains(r.body, `"directory":"unavailable"`) {
		t.Errorf("ready while Stytch is down: %d %s", r.status, r.body)
	}
	wrong := newConsumerWorld(t, func(o *guestpass.Options) { o.Secret = "secret-test-wrong" })
	if r := wrong.call("GET", "/api/v1/userinfo", wrong.token(userAda, "openid"), ""); r.status != 502 ||
		r.header.Get("WWW-Authenticate") != "" {
		t.Errorf("our secret is wrong: %d %s", r.status, r.body)
	}
}
