package directory_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"guestpass/internal/directory"
	"guestpass/stytchtest"
)

const (
	acme   = "organization-test-aaaaaaaa-0000-4000-8000-000000000001"
	globex = "organization-test-bbbbbbbb-0000-4000-8000-000000000001"
	ada    = "member-test-aaaaaaaa-0000-4000-8000-000000000001"
	grace  = "member-test-aaaaaaaa-0000-4000-8000-000000000002"
	hank   = "member-test-bbbbbbbb-0000-4000-8000-000000000001"
)

// open returns a directory that talks to an emulator through the real stytch-go.
func open(t *testing.T, change ...func(*directory.Options)) (*directory.B2B, *stytchtest.Server) {
	t.Helper()
	stytch := stytchtest.NewServer(t, stytchtest.Options{})
	stytch.SetRedirectURLs("http://localhost:8080/idp")
	seed := stytchtest.Development()
	o := directory.Options{ProjectID: seed.Project.ID, Secret: seed.Project.Secret, BaseURL: stytch.URL,
		InviteRedirectURL: "http://localhost:8080/idp", Backoff: func(int) time.Duration { return 0 }}
	for _, c := range change {
		c(&o)
	}
	d, err := directory.NewB2B(o)
	if err != nil {
		t.Fatal(err)
	}
	return d, stytch
}

func TestMembersAreThoseOfTheOrganization(t *testing.T) {
	d, _ := open(t)
	page, err := d.Members(t.Context(), acme, directory.MemberQuery{Limit: 25})
	if err != nil {
		t.Fatal(err)
	}
	var emails []string
	for _, m := range page.Members {
		emails = append(emails, m.Email)
		if m.Organization.Name != "Acme" {
			t.Errorf("%s is of %+v", m.Email, m.Organization)
		}
	}
	slices.Sort(emails)
	if got := strings.Join(emails, " "); got != "ada@acme.example grace@acme.example" || page.Total != 2 || page.Next != "" {
		t.Errorf("%s, total %d, next %q", got, page.Total, page.Next)
	}
}

func TestMembersComeInPages(t *testing.T) {
	d, _ := open(t)
	for i := range 5 {
		if _, err := d.Invite(t.Context(), acme, directory.Invitation{Email: fmt.Sprintf("guest%d@acme.example", i), Name: "Guest"}); err != nil {
			t.Fatal(err)
		}
	}
	for name, query := range map[string]directory.MemberQuery{"all": {Limit: 3}, "search": {Limit: 3, Search: "ACME"}} {
		seen, cursor, pages := map[string]bool{}, "", 0
		for {
			query.Cursor = cursor
			page, err := d.Members(t.Context(), acme, query)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page.Members {
				seen[m.ID] = true
			}
			if pages++; page.Next == "" || pages > 9 {
				break
			}
			cursor = page.Next
		}
		if len(seen) != 7 || pages != 3 {
			t.Errorf("%s: %d members on %d pages, want 7 on 3", name, len(seen), pages)
		}
	}
}

func TestMembersAreFoundByNameAndByEMail(t *testing.T) {
	d, _ := open(t)
	for search, want := range map[string]int{"hopper": 1, "GRACE@": 1, "acme.example": 2, "lov": 1, "hank": 0, "%": 0} {
		page, err := d.Members(t.Context(), acme, directory.MemberQuery{Limit: 25, Search: search})
		if err != nil || len(page.Members) != want || page.Total != want || page.Members == nil {
			t.Errorf("%q: %d of %d members, %v; want %d", search, len(page.Members), page.Total, err, want)
		}
	}
}

func TestMembersAreFilteredByStatus(t *testing.T) {
	d, stytch := open(t)
	if err := stytch.SetStatus(grace, "deleted"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Invite(t.Context(), acme, directory.Invitation{Email: "guest@acme.example", Name: "Guest"}); err != nil {
		t.Fatal(err)
	}
	for status, want := range map[string]string{"": "active invited", "active": "active", "invited": "invited", "deleted": "deleted", "pending": ""} {
		page, err := d.Members(t.Context(), acme, directory.MemberQuery{Limit: 25, Status: status})
		var got []string
		for _, m := range page.Members {
			got = append(got, m.Status)
		}
		slices.Sort(got)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v; want %s", status, got, err, want)
		}
	}
}

func TestMemberOfAnotherOrganizationIsNotFound(t *testing.T) {
	d, _ := open(t)
	m, err := d.Person(t.Context(), acme, ada)
	if err != nil || m.Name != "Ada Lovelace" || m.Organization != (directory.Organization{ID: acme, Name: "Acme", Slug: "acme"}) || !slices.Contains(m.Roles, "stytch_admin") {
		t.Errorf("Ada: %+v %v", m, err)
	}
	for _, id := range []string{hank, "member-test-ffffffff-0000-4000-8000-000000000001"} {
		if _, err := d.Person(t.Context(), acme, id); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := d.Person(t.Context(), "acme", ada); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("an organization named by its slug: %v", err)
	}
}

func TestInvitations(t *testing.T) {
	d, stytch := open(t)
	m, err := d.Invite(t.Context(), acme, directory.Invitation{Email: "new@acme.example", Name: "New Person", Roles: []string{"stytch_admin"}, InvitedBy: ada})
	if err != nil || m.Status != "invited" || m.Email != "new@acme.example" || !slices.Contains(m.Roles, "stytch_admin") {
		t.Fatalf("%+v %v", m, err)
	}
	if mail := stytch.Inbox(); len(mail) != 1 || mail[0].To != "new@acme.example" {
		t.Errorf("inbox %+v", mail)
	}
	var invalid *directory.InvalidError
	for name, tt := range map[string]struct {
		invitation directory.Invitation
		is         func(error) bool
	}{
		"active member":  {directory.Invitation{Email: "grace@acme.example", Name: "G"}, func(err error) bool { return errors.Is(err, directory.ErrExists) }},
		"invited member": {directory.Invitation{Email: "new@acme.example", Name: "N"}, func(err error) bool { return errors.Is(err, directory.ErrExists) }},
		"bad address":    {directory.Invitation{Email: "no-address", Name: "N"}, func(err error) bool { return errors.As(err, &invalid) && invalid.Field == "email" }},
		"unknown role":   {directory.Invitation{Email: "x@acme.example", Name: "N", Roles: []string{"emperor"}}, func(err error) bool { return errors.As(err, &invalid) && invalid.Field == "roles" }},
	} {
		if _, err := d.Invite(t.Context(), acme, tt.invitation); !tt.is(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if mail := stytch.Inbox(); len(mail) != 1 {
		t.Errorf("refused invitations were mailed: %+v", mail)
	}
}

func TestRolesPermitWhatThePolicySays(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d, stytch := open(t, func(o *directory.Options) { o.Now = func() time.Time { return now } })
	for _, tt := range []struct {
		member, resource, action string
		want                     bool
	}{
		{ada, "stytch.member", "create", true}, {grace, "stytch.member", "create", false},
		{grace, "stytch.member", "search", true}, {grace, "members", "read", true}, {grace, "members", "invite", false},
		{grace, "members", "", false}, {grace, "unknown", "read", false}, {hank, "members", "read", false}, // not of Acme
	} {
		if got, err := d.Permits(t.Context(), acme, tt.member, tt.resource, tt.action); got != tt.want || err != nil {
			t.Errorf("%s %s %s: %v %v", tt.member, tt.resource, tt.action, got, err)
		}
	}
	if err := stytch.SetStatus(grace, "deleted"); err != nil {
		t.Fatal(err)
	}
	if got, _ := d.Permits(t.Context(), acme, grace, "members", "read"); !got {
		t.Error("roles are not cached")
	}
	if err := d.CheckActive(t.Context(), acme, grace); !errors.Is(err, directory.ErrInactive) && !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("a write would be let through: %v", err)
	}
	now = now.Add(61 * time.Second)
	if got, _ := d.Permits(t.Context(), acme, grace, "members", "read"); got {
		t.Error("roles are believed for more than 60 s")
	}
}

func TestConnectedApp(t *testing.T) {
	d, _ := open(t)
	gpt := stytchtest.Development().ConnectedApps[0]
	app, err := d.ConnectedApp(t.Context(), gpt.ClientID)
	if err != nil || app.ID != gpt.ClientID || app.Name == "" || len(app.RedirectURLs) != 3 {
		t.Errorf("%+v %v", app, err)
	}
	for range 2 { // the second answer comes from memory
		if _, err := d.ConnectedApp(t.Context(), "connected-app-test-ffffffff-0000-4000-8000-000000000001"); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%v", err)
		}
	}
}

func TestOurWrongSecretIsSaidLoudly(t *testing.T) {
	log := new(bytes.Buffer)
	d, _ := open(t, func(o *directory.Options) {
		o.Secret = "secret-test-wrong"
		o.Log = slog.New(slog.NewJSONHandler(log, nil))
	})
	if err := d.Ping(t.Context()); !errors.Is(err, directory.ErrCredentials) {
		t.Errorf("%v", err)
	}
	if !strings.Contains(log.String(), `"level":"ERROR"`) || !strings.Contains(log.String(), "STYTCH_SECRET") || strings.Contains(log.String(), "secret-test-wrong") {
		t.Errorf("log: %s", log)
	}
}

// The far side answers as Stytch should not, or not at all.
func TestTroubleAtStytch(t *testing.T) {
	reply := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, tt := range map[string]struct {
		answer     http.HandlerFunc
		retryAfter time.Duration
		attempts   int32
	}{
		"503":            {reply(503, "application/json", `{}`), 7 * time.Second, 1}, // Stytch asks for more patience than we have
		"429":            {reply(429, "application/json", `{"error_type":"too_many_requests"}`), 7 * time.Second, 1},
		"HTML error":     {reply(500, "text/html", "<h1>oops</h1>"), 0, 3},
		"empty 500":      {reply(500, "application/json", ""), 0, 1},
		"HTML with 200":  {reply(200, "text/html", "<h1>hello</h1>"), 0, 3},
		"truncated JSON": {reply(200, "application/json", `{"member":`), 0, 1},
		"redirect":       {reply(302, "text/html", ""), 0, 3},
		"reset": {func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			c.Close()
		}, 0, 3},
	} {
		t.Run(name, func(t *testing.T) {
			var attempts atomic.Int32
			far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { attempts.Add(1); tt.answer(w, r) }))
			defer far.Close()
			d, _ := open(t, func(o *directory.Options) { o.BaseURL = far.URL })
			_, err := d.Person(t.Context(), acme, ada)
			var unavailable *directory.UnavailableError
			if !errors.As(err, &unavailable) || unavailable.RetryAfter != tt.retryAfter {
				t.Errorf("%v, retry after %v", err, unavailable)
			}
			if attempts.Load() != tt.attempts {
				t.Errorf("%d attempts, want %d", attempts.Load(), tt.attempts)
			}
		})
	}
}

func TestReadsAreRepeatedAndInvitationsAreNot(t *testing.T) {
	d, stytch := open(t)
	stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/organizations", Status: 503, Count: 2})
	if _, err := d.Person(t.Context(), acme, ada); err != nil {
		t.Errorf("a read did not outlast two failures: %v", err)
	}
	stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/magic_links/email/invite", Status: 503, Count: 1})
	if _, err := d.Invite(t.Context(), acme, directory.Invitation{Email: "x@acme.example", Name: "X"}); !errors.As(err, new(*directory.UnavailableError)) {
		t.Errorf("%v", err)
	}
	invites := 0
	for _, r := range stytch.Requests() {
		if strings.HasSuffix(r.Path, "/invite") {
			invites++
		}
	}
	if invites != 1 {
		t.Errorf("the invitation was sent %d times", invites)
	}
}

func TestACancelledCallEndsAtOnce(t *testing.T) {
	d, stytch := open(t, func(o *directory.Options) { o.Backoff = func(int) time.Duration { return time.Hour } })
	stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/organizations", Status: 503})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Person(ctx, acme, ada); !errors.As(err, new(*directory.UnavailableError)) {
		t.Errorf("%v", err)
	}
}

// Whoever lost access could otherwise keep it for as long as their token lives, by giving
// up every call before Stytch has answered.
func TestWhoGivesUpDoesNotPassForAStytchThatIsAway(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d, stytch := open(t, func(o *directory.Options) { o.Now = func() time.Time { return now } })
	if err := d.CheckRecentlyActive(t.Context(), acme, grace); err != nil {
		t.Fatal(err)
	}
	if err := stytch.SetStatus(grace, "deleted"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(61 * time.Second)
	given, up := context.WithCancel(t.Context())
	up()
	if err := d.CheckRecentlyActive(given, acme, grace); !errors.Is(err, directory.ErrNotFound) && !errors.Is(err, directory.ErrInactive) {
		t.Errorf("who is gone reads on: %v", err)
	}
}

func TestWhileStytchIsAwayPeopleReadOnButNotByTheirRoles(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d, stytch := open(t, func(o *directory.Options) { o.Now = func() time.Time { return now } })
	if permitted, err := d.Permits(t.Context(), acme, ada, "stytch.member", "create"); !permitted || err != nil {
		t.Fatal(permitted, err)
	}
	stytch.Fail(stytchtest.Fault{Path: "/", Status: 503})
	now = now.Add(61 * time.Second)
	for _, later := range []time.Duration{0, 14 * time.Second, 16 * time.Second} {
		now = now.Add(later)
		if err := d.CheckRecentlyActive(t.Context(), acme, ada); err != nil {
			t.Errorf("after %v more: %v", later, err)
		}
		if permitted, err := d.Permits(t.Context(), acme, ada, "stytch.member", "create"); permitted || !errors.As(err, new(*directory.UnavailableError)) {
			t.Errorf("after %v more roles are believed for longer than a minute: %v %v", later, permitted, err)
		}
	}
	if err := d.CheckRecentlyActive(t.Context(), acme, grace); !errors.As(err, new(*directory.UnavailableError)) {
		t.Errorf("somebody who was never seen: %v", err)
	}
}

func TestWhatStytchSaysOfCredentialsAndOfWhatIsNotThere(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		kind   string
		want   error
	}{
		"our secret":               {401, "unauthorized_credentials", directory.ErrCredentials},
		"somebody's session":       {401, "session_not_found", nil},
		"a kind of 404 not listed": {404, "consent_grant_not_found", directory.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			far := newFarSide(t)
			far.answers(tt.status, fmt.Sprintf(`{"status_code":%d,"error_type":%q}`, tt.status, tt.kind))
			_, err := far.directory(t).Person(t.Context(), acme, ada)
			if tt.want != nil && !errors.Is(err, tt.want) || tt.want == nil && (err == nil || errors.Is(err, directory.ErrCredentials)) {
				t.Errorf("%v", err)
			}
		})
	}
}
