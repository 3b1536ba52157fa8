package profile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/guestpasstest"
	"guestpass/resources/activity"
	"guestpass/resources/members"
	"guestpass/resources/profile"
	"guestpass/resources/tasks"
	"guestpass/stytchtest"
)

const (
	ada, grace         = guestpasstest.Ada, guestpasstest.Grace
	userAda, userGrace = guestpasstest.UserAda, guestpasstest.UserGrace
)

// start has the resource alone, or whatever else is given in its place.
func start(t *testing.T, o guestpasstest.Options) *guestpasstest.World {
	t.Helper()
	if o.Resources == nil {
		o.Resources = []api.Resource{profile.Resource()}
	}
	return guestpasstest.New(t, o)
}

func TestUserInfoOfBothVerticals(t *testing.T) {
	b2b := start(t, guestpasstest.Options{})
	consumer := start(t, guestpasstest.Options{Vertical: auth.Consumer})
	for _, tt := range []struct {
		name string
		w    *guestpasstest.World
		who  string
		with []string
		want string
	}{
		{"a member", b2b, ada, []string{"openid", "profile", "email"},
			`{"member_id":"` + ada +
				`","name":"Ada Lovelace","email":"ada@acme.example","email_verified":true,"status":"active",` +
				`"organization_id":"` + guestpasstest.Acme + `","organization_name":"Acme","roles":["stytch_member",` +
				`"stytch_admin"],"granted_scopes":["openid","profile","email"]}`},
		{"a member who shares nothing", b2b, grace, []string{"openid"},
			`{"member_id":"` + grace + `","status":"active","organization_id":"` + guestpasstest.Acme +
				`","organization_name":"Acme","roles":["stytch_member"],"granted_scopes":["openid"]}`},
		{"a member who shares the name", b2b, grace, []string{"openid", "profile"},
			`{"member_id":"` + grace + `","name":"Grace Hopper","status":"active","organization_id":"` +
				guestpasstest.Acme + `","organization_name":"Acme","roles":["stytch_member"],` +
				`"granted_scopes":["openid","profile"]}`},
		{"a member who shares the address", b2b, grace, []string{"openid", "email"},
			`{"member_id":"` + grace + `","email":"grace@acme.example","email_verified":true,"status":"active",` +
				`"organization_id":"` + guestpasstest.Acme + `","organization_name":"Acme","roles":["stytch_member"],` +
				`"granted_scopes":["openid","email"]}`},
		{"a user", consumer, userAda, []string{"openid", "profile", "email"},
			`{"user_id":"` + userAda +
				`","name":"Ada Lovelace","email":"ada@example.com","email_verified":true,"status":"active",` +
				`"roles":["stytch_user"],"granted_scopes":["openid","profile","email"]}`},
		{"a user who shares nothing", consumer, userGrace, []string{"openid"},
			`{"user_id":"` + userGrace + `","status":"active","roles":["stytch_user"],"granted_scopes":["openid"]}`},
		{"a user who shares the address", consumer, userGrace, []string{"openid", "email"},
			`{"user_id":"` + userGrace + `","email":"grace@example.com","email_verified":true,"status":"active",` +
				`"roles":["stytch_user"],"granted_scopes":["openid","email"]}`},
	} {
		r := tt.w.As(tt.who, tt.with...).Call("GET", "/api/v1/userinfo", "")
		if r.Status != 200 || strings.TrimSpace(r.Body) != tt.want {
			t.Errorf("%s: %d %s\nwant %s", tt.name, r.Status, r.Body, tt.want)
		}
	}
}

func TestUserInfoIsForWhomTheTokenNames(t *testing.T) {
	w := start(t, guestpasstest.Options{})
	if r := w.Call("GET", "/api/v1/userinfo", "", ""); r.Status != 401 {
		t.Errorf("without a token: %d %s", r.Status, r.Body)
	}
	if r := w.As(ada, "profile", "email").Call("GET", "/api/v1/userinfo", ""); r.Status != 403 ||
		!strings.Contains(r.Header.Get("WWW-Authenticate"), `scope="openid"`) {
		t.Errorf("without openid: %d %v", r.Status, r.Header)
	}
	p := w.As(grace, "openid")
	w.GiveRoles(grace, "stytch_admin")
	if roles := fmt.Sprint(p.Do(200, "GET", "/api/v1/userinfo", "")["roles"]); roles != "[stytch_member stytch_admin]" {
		t.Errorf("with another role: %s", roles)
	}
	if err := w.Stytch.SetStatus(grace, "deleted"); err != nil {
		t.Fatal(err)
	}
	w.Stytch.Advance(61 * time.Second) // what was known of Grace is believed for a minute
	p.Do(401, "GET", "/api/v1/userinfo", "")
}

// Names are what people like, and a model reads them: what nobody can see could be orders to it.
func TestUserInfoShowsWhatPeopleCanSee(t *testing.T) {
	const hidden = "\u202e\u200b\u0007\U000e0041\ufeff"
	w := start(t, guestpasstest.Options{})
	w.ChangeProject(func(seed *stytchtest.Seed) {
		seed.Organizations[0].Name = "Ac" + hidden + "me"
		seed.Members[0].Name = "Ada" + hidden + "\nLovelace"
	})
	r := w.As(ada, "openid", "profile").Call("GET", "/api/v1/userinfo", "")
	if r.Status != 200 || !strings.Contains(r.Body, `"Ada Lovelace"`) || !strings.Contains(r.Body, `"Acme"`) ||
		strings.ContainsAny(r.Body, hidden) || strings.Contains(r.Body, `\u`) {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

// steps are what somebody who has not signed in is told of.
func steps(t *testing.T, w *guestpasstest.World) (told []profile.NextStep) {
	t.Helper()
	var list struct{ Steps []profile.NextStep }
	r := w.Call("GET", "/api/v1/next-steps", "", "")
	if err := json.Unmarshal([]byte(r.Body), &list); err != nil || r.Status != 200 {
		t.Fatalf("%d %s, %v", r.Status, r.Body, err)
	}
	return list.Steps
}

func names(told []profile.NextStep) string {
	var names []string
	for _, step := range told {
		names = append(names, step.Operation)
	}
	return strings.Join(names, " ")
}

func TestNextStepsAreThePublishedOperations(t *testing.T) {
	all := []api.Resource{profile.Resource(), members.Resource(), tasks.Resource(), activity.Resource()}
	const ofTasks = "listTasks createTask updateTask getTask completeTask deleteTask restoreTask listTaskComments " +
		"addTaskComment"
	for name, tt := range map[string]struct {
		vertical auth.Vertical
		change   func(*guestpass.Options)
		want     string
	}{
		"all": {auth.B2B, nil, "getUserInfo listMembers getMember inviteMember " + ofTasks +
			" listActivity undoActivity"},
		"of a Consumer project": {auth.Consumer, nil, "getUserInfo " + ofTasks + " listActivity undoActivity"},
		"of one module": {auth.B2B, func(o *guestpass.Options) { o.Modules = []string{"members"} },
			"getUserInfo listMembers getMember inviteMember listActivity"},
		"that were chosen": {auth.B2B,
			func(o *guestpass.Options) { o.Operations = []string{"createTask", "getNextSteps", "listTasks"} },
			"listTasks createTask"},
	} {
		w := start(t, guestpasstest.Options{Resources: all, Vertical: tt.vertical, Change: tt.change})
		if told := names(steps(t, w)); told != tt.want {
			t.Errorf("%s: %s, want %s", name, told, tt.want)
		}
	}
}

// A step says what its operation's declaration says, and nothing else.
func TestAStepSaysWhatItsOperationDoes(t *testing.T) {
	w := start(t, guestpasstest.Options{Resources: []api.Resource{profile.Resource(), tasks.Resource(), {Name: "open",
		Register: func(s *api.Service) {
			api.Register(s, api.Operation{ID: "getOpen", Method: "GET", Path: "/api/v1/open", Access: auth.Public,
				Summary: "Get what is open", Description: "Returns nothing."},
				func(context.Context, *struct{}) (*openOutput, error) { return &openOutput{}, nil })
		}}}})
	told := steps(t, w)
	for _, op := range w.App.Operations() {
		want := profile.NextStep{Operation: op.ID, Does: op.Summary, NeedsSignIn: op.ID != "getOpen",
			Effect: op.Effect.String()}
		if there := slices.Contains(told, want); there == (op.ID == "getNextSteps") {
			t.Errorf("%s: %t, told of are %+v", op.ID, there, told)
		}
	}
	for _, want := range []profile.NextStep{{"getUserInfo", "Get who is signed in", true, "read"},
		{"createTask", "Create a task", true, "write"}, {"deleteTask", "Delete a task", true, "destroy"},
		{"getOpen", "Get what is open", false, "read"}} {
		if !slices.Contains(told, want) {
			t.Errorf("%+v is not told of: %+v", want, told)
		}
	}
}

type openOutput struct {
	Body struct {
		OK bool `json:"ok" doc:"Always true"`
	}
}

// A program that knows nobody still tells what can be done there.
func TestWhereNobodyIsKnownThereIsNobodyToTellOf(t *testing.T) {
	service := api.New(api.Options{Resources: []api.Resource{profile.Resource()}})
	if err := service.Err(); err != nil || len(service.Operations()) != 1 {
		t.Fatalf("%v, %v", service.Operations(), err)
	}
	answer := httptest.NewRecorder()
	service.ServeHTTP(answer, httptest.NewRequest("GET", "/api/v1/next-steps", nil))
	if body := strings.TrimSpace(answer.Body.String()); answer.Code != 200 || body != `{"steps":[]}` {
		t.Errorf("%d %s", answer.Code, body)
	}
}
