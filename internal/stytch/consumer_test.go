package stytch_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"
	"time"

	"guestpass/directory"
	"guestpass/internal/stytch"
	"guestpass/stytchtest"
)

const (
	userAda   = "user-test-cccccccc-0000-4000-8000-000000000001"
	userGrace = "user-test-cccccccc-0000-4000-8000-000000000002"
	userOther = "user-test-ffffffff-0000-4000-8000-000000000001"
)

// openConsumer returns a directory that talks to an emulator through the real stytch-go.
func openConsumer(t *testing.T, seed stytchtest.Seed, change ...func(*stytch.Options)) (*stytch.Consumer,
	*stytchtest.Server) {
	t.Helper()
	emulator := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	o := stytch.Options{ProjectID: seed.Project.ID, Secret: seed.Project.Secret, BaseURL: emulator.URL,
		Backoff: func(int) time.Duration { return 0 }}
	for _, c := range change {
		c(&o)
	}
	d, err := stytch.NewConsumer(o)
	if err != nil {
		t.Fatal(err)
	}
	return d, emulator
}

func TestUsers(t *testing.T) {
	seed := stytchtest.DevelopmentConsumer()
	grace := &seed.Users[1]
	grace.Status, grace.Roles, grace.ExternalID = "pending", nil, "grace-elsewhere"
	grace.Name = stytchtest.UserName{First: "Grace", Middle: " Brewster", Last: "Hopper "}
	grace.Emails = []stytchtest.Email{
		{ID: "email-test-1", Address: "new@example.com"},
		{ID: "email-test-2", Address: "grace@example.com", Verified: true},
		{ID: "email-test-3", Address: "third@example.com", Verified: true},
	}
	d, _ := openConsumer(t, seed)
	for id, want := range map[string]directory.Person{
		userAda: {ID: userAda, Name: "Ada Lovelace", Email: "ada@example.com", EmailVerified: true, Status: "active",
			Roles: []string{"stytch_user"}},
		userGrace: {ID: userGrace, Name: "Grace Brewster Hopper", Email: "grace@example.com", EmailVerified: true,
			Status: "pending",
			Roles:  []string{"stytch_user"}},
	} {
		if p, err := d.Person(t.Context(), "", id); err != nil || !reflect.DeepEqual(p, want) {
			t.Errorf("%+v %v\nwant %+v", p, err, want)
		}
	}
	for name, call := range map[string]struct{ organization, id string }{
		"nobody":                  {"", userOther},
		"an external id":          {"", "grace-elsewhere"},
		"a user, in organization": {acme, userAda},
	} {
		if p, err := d.Person(t.Context(), call.organization, call.id); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
}

// A user may have no name, no address and no roles: somebody who signed up with a
// passkey, or by telephone.
func TestUsersOfWhomLittleIsKnown(t *testing.T) {
	for emails, want := range map[string]directory.Person{
		``: {},
		`,"emails":[{"email_id":"email-test-1","email":"ada@example.com","verified":false}]`: {
			Email: "ada@example.com"},
	} {
		far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"status_code":200,"user_id":"`+userAda+`","status":"active"`+emails+`}`)
		}))
		defer far.Close()
		d, _ := openConsumer(t, stytchtest.DevelopmentConsumer(), func(o *stytch.Options) { o.BaseURL = far.URL })
		want.ID, want.Status, want.Roles = userAda, "active", []string{}
		if p, err := d.Person(t.Context(), "", userAda); err != nil || !reflect.DeepEqual(p, want) {
			t.Errorf("%+v %v\nwant %+v", p, err, want)
		}
	}
}

func TestAUsersRolesPermitWhatThePolicySays(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d, emulator := openConsumer(t, stytchtest.DevelopmentConsumer(),
		func(o *stytch.Options) { o.Now = func() time.Time { return now } })
	for _, tt := range []struct {
		user, resource, action string
		want                   bool
	}{
		{userAda, "tasks", "write", true}, {userAda, "activity", "read", true}, {userAda, "stytch.self", "anything",
			true},
		{userAda, "activity", "write", false}, {userAda, "stytch.member", "search", false}, {userOther, "tasks", "read",
			false},
	} {
		if got, err := d.Permits(t.Context(), "", tt.user, tt.resource, tt.action); got != tt.want || err != nil {
			t.Errorf("%s %s %s: %v %v", tt.user, tt.resource, tt.action, got, err)
		}
	}
	if err := d.CheckActive(t.Context(), "", userAda); err != nil {
		t.Errorf("an active user: %v", err)
	}
	for status, want := range map[string]error{"pending": directory.ErrInactive, "deleted": directory.ErrNotFound} {
		if err := emulator.SetStatus(userAda, status); err != nil {
			t.Fatal(err)
		}
		if err := d.CheckActive(t.Context(), "", userAda); !errors.Is(err, want) {
			t.Errorf("a %s user: %v", status, err)
		}
		if got, err := d.Permits(t.Context(), "", userAda, "tasks", "write"); got || err != nil {
			t.Errorf("a %s user has roles, although Stytch was just asked: %v", status, err)
		}
	}
}

func TestConsumerProjectsHaveAppsAndHealthToo(t *testing.T) {
	d, emulator := openConsumer(t, stytchtest.DevelopmentConsumer())
	gpt := stytchtest.DevelopmentConsumer().ConnectedApps[0]
	if app, err := d.ConnectedApp(t.Context(), gpt.ClientID); err != nil || app.ID != gpt.ClientID ||
		!slices.Equal(app.RedirectURLs, gpt.RedirectURLs) {
		t.Errorf("%+v %v", app, err)
	}
	if err := d.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	emulator.Fail(stytchtest.Fault{Path: "/v1/users", Status: 503, Count: 2})
	if _, err := d.Person(t.Context(), "", userAda); err != nil {
		t.Errorf("a read did not outlast two failures: %v", err)
	}
	wrong, _ := openConsumer(t, stytchtest.DevelopmentConsumer(),
		func(o *stytch.Options) { o.Secret = "secret-test-wrong" })
	if err := wrong.Ping(t.Context()); !errors.Is(err, directory.ErrCredentials) {
		t.Errorf("our secret is wrong: %v", err)
	}
}
