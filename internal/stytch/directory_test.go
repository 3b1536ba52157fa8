package stytch_test

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

	"guestpass/directory"
	"guestpass/internal/stytch"
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
func open(t *testing.T, change ...func(*stytch.Options)) (*stytch.B2B, *stytchtest.Server) {
	t.Helper()
	emulator := stytchtest.NewServer(t, stytchtest.Options{})
	emulator.SetRedirectURLs("http://localhost:8080/idp")
	seed := stytchtest.Development()
	o := stytch.Options{ProjectID: seed.Project.ID, Secret: seed.Project.Secret, BaseURL: emulator.URL,
		InviteRedirectURL: "http://localhost:8080/idp", Backoff: func(int) time.Duration { return 0 }}
	for _, c := range change {
		c(&o)
	}
	d, err := stytch.NewB2B(o)
	if err != nil {
		t.Fatal(err)
	}
	return d, emulator
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
	if got := strings.Join(emails, " "); got != "ada@acme.example grace@acme.example" || page.Total != 2 ||
		page.Next != "" {
		t.Errorf("%s, total %d, next %q", got, page.Total, page.Next)
	}
}

func TestMembersComeInPages(t *testing.T) {
	d, _ := open(t)
	for i := range 5 {
		if _, err := d.Invite(t.Context(), acme, directory.Invitation{Email: fmt.Sprintf("guest%d@acme.example", i),
			Name: "Guest"}); err != nil {
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
	d, emulator := open(t)
	if err := emulator.SetStatus(grace, "deleted"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Invite(t.Context(), acme, directory.Invitation{Email: "guest@acme.example",
		Name: "Guest"}); err != nil {
		t.Fatal(err)
	}
	for status, want := range map[string]string{"": "active invited", "active": "active", "invited": "invited",
		"deleted": "deleted", "pending": ""} {
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
	if err != nil || m.Name != "Ada Lovelace" || m.Organization != (directory.Organization{ID: acme, Name: "Acme",
		Slug: "acme"}) || !slices.Contains(m.Roles, "stytch_admin") {
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
	d, emulator := open(t)
	m, err := d.Invite(t.Context(), acme, directory.Invitation{Email: "new@acme.example", Name: "New Person",
		Roles: []string{"stytch_admin"}, InvitedBy: ada})
	if err != nil || m.Status != "invited" || m.Email != "new@acme.example" || !slices.Contains(m.Roles,
		"stytch_admin") {
		t.Fatalf("%+v %v", m, err)
	}
	if mail := emulator.Inbox(); len(mail) != 1 || mail[0].To != "new@acme.example" {
		t.Errorf("inbox %+v", mail)
	}
	var invalid *directory.InvalidError
	for name, tt := range map[string]struct {
		invitation directory.Invitation
		is         func(error) bool
	}{
		"active member": {directory.Invitation{Email: "grace@acme.example", Name: "G"},
			func(err error) bool { return errors.Is(err, directory.ErrExists) }},
		"invited member": {directory.Invitation{Email: "new@acme.example", Name: "N"},
			func(err error) bool { return errors.Is(err, directory.ErrExists) }},
		"bad address": {directory.Invitation{Email: "no-address", Name: "N"},
			func(err error) bool { return errors.As(err, &invalid) && invalid.Field == "email" }},
		"unknown role": {directory.Invitation{Email: "x@acme.example", Name: "N", Roles: []string{"emperor"}},
			func(err error) bool { return errors.As(err, &invalid) && invalid.Field == "roles" }},
	} {
		if _, err := d.Invite(t.Context(), acme, tt.invitation); !tt.is(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if mail := emulator.Inbox(); len(mail) != 1 {
		t.Errorf("refused invitations were mailed: %+v", mail)
	}
}

// What is kept is what a browser's e-mail field sends.
func TestAnAddressIsKeptAsTheSignInPageSendsIt(t *testing.T) {
	d, emulator := open(t)
	mailed := 0
	for want, spellings := range map[string][]string{
		"eva@xn--grn-ioa.example": {"eva@grün.example", "eva@GRÜN.Example", "eva@gru\u0308n.example",
			"eva@XN--GRN-IOA.example", "eva@ｇｒüｎ。example", "Eva@grün.example"},
		// two domains, unlike in IDNA 2003
		"eva@xn--fa-hia.example": {"eva@faß.example"}, "eva@fass.example": {"eva@fass.example"},
		"Eva.O'Neil+x@acme.example":                   {"Eva.O'Neil+x@ACME.Example", "eva.o'neil+x@acme.example"},
		"eva@r3---sn.example":                         {"eva@r3---sn.example"},
		"eva@xn--9dbne9b.example":                     {"eva@שלום.example"},
		"eva@" + strings.Repeat("a", 63) + ".example": {"eva@" + strings.Repeat("a", 63) + ".example"},
		strings.Repeat("e", 64) + "@acme.example":     {strings.Repeat("e", 64) + "@acme.example"},
	} {
		m, err := d.Invite(t.Context(), acme, directory.Invitation{Email: spellings[0]})
		if mailed++; err != nil || m.Email != want || m.Name != "" || emulator.Inbox()[0].To != want {
			t.Errorf("%s is kept as %s, %v; want %s", spellings[0], m.Email, err, want)
		}
		for _, again := range append(spellings, want, strings.ToUpper(want)) {
			if _, err := d.Invite(t.Context(), acme, directory.Invitation{Email: again}); !errors.Is(err,
				directory.ErrExists) {
				t.Errorf("%s after %s: %v", again, spellings[0], err)
			}
		}
	}
	if mail := emulator.Inbox(); len(mail) != mailed {
		t.Errorf("%d mails, want %d", len(mail), mailed)
	}
}

func TestAddressesThatCannotSignInAreNotInvited(t *testing.T) {
	d, emulator := open(t)
	var invalid *directory.InvalidError
	for _, given := range []string{
		"", "@", "eva", "eva@", "@acme.example", "josé@acme.example", "jose\u0301@acme.example", "ｅva@acme.example",
		`"eva"@acme.example`, `"e v"@acme.example`, "eva(x)@acme.example",
		"e va@acme.example", "eva@@acme.example", "eva@ada@acme.example", "<eva@acme.example>",
		"Eva <eva@acme.example>", "eva@acme.example,ada@acme.example",
		"mary@acme", "mary@localhost", "eva@acme.example.", "eva@acme.example。", "eva@.acme.example",
		"eva@acme..example", "eva@[192.0.2.1]", "eva@[IPv6:2001:db8::1]", "eva@192.0.2.1",
		"eva@-acme.example", "eva@acme-.example", "eva@a_b.example", "eva@a b.example", "eva@xn--a.example",
		"eva@xn--.example", "eva@xn--acme-.example", "eva@acme.example:25",
		"eva@" + strings.Repeat("a", 64) + ".example", "eva@" + strings.Repeat("ü", 60) +
			".example", strings.Repeat("e", 65) + "@acme.example",
		"eva@" + strings.Repeat(strings.Repeat("a", 60)+".", 5) +
			"example", "eva\x00@acme.example", "eva@acme\x00.example", "eva@acme.example\n", "eva\u200b@acme.example",
	} {
		_, err := d.Invite(t.Context(), acme, directory.Invitation{Email: given, Name: "Eva"})
		if !errors.As(err, &invalid) || invalid.Field != "email" || len(given) > 1 &&
			strings.Contains(invalid.Reason, given) {
			t.Errorf("%q: %v", given, err)
		}
	}
	if called := emulator.Requests(); len(called) != 0 || len(emulator.Inbox()) != 0 {
		t.Errorf("Stytch was asked: %v", called)
	}
}

// Members whose addresses somebody else has written down differently are members all the same.
func TestAMailboxIsOneMemberInAnySpelling(t *testing.T) {
	seed := stytchtest.Development()
	seed.Members[1].Email = "grace@grün.example"
	emulator := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	emulator.SetRedirectURLs("http://localhost:8080/idp")
	d, err := stytch.NewB2B(stytch.Options{ProjectID: seed.Project.ID, Secret: seed.Project.Secret,
		BaseURL: emulator.URL, InviteRedirectURL: "http://localhost:8080/idp"})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"grace@grün.example", "grace@xn--grn-ioa.example", "Grace@GRÜN.example",
		"ADA@acme.example"} {
		if _, err := d.Invite(t.Context(), acme, directory.Invitation{Email: address}); !errors.Is(err,
			directory.ErrExists) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := d.Invite(t.Context(), acme, directory.Invitation{Email: "eva@grün.example"}); err != nil {
		t.Fatal(err)
	}
	for search, found := range map[string]int{"grün": 2, "GRÜN.EXAMPLE": 2, "xn--grn": 1, "eva@grün": 1,
		"gru\u0308n": 2, "ＧＲÜＮ": 2} {
		if page, err := d.Members(t.Context(), acme, directory.MemberQuery{Search: search, Limit: 10}); err != nil ||
			len(page.Members) != found {
			t.Errorf("search for %s: %+v %v", search, page, err)
		}
	}
}

func TestRolesPermitWhatThePolicySays(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d, emulator := open(t, func(o *stytch.Options) { o.Now = func() time.Time { return now } })
	for _, tt := range []struct {
		member, resource, action string
		want                     bool
	}{
		{ada, "stytch.member", "create", true}, {grace, "stytch.member", "create", false},
		{grace, "stytch.member", "search", true}, {grace, "members", "read", true}, {grace, "members", "invite", false},
		// not of Acme
		{grace, "members", "", false}, {grace, "unknown", "read", false}, {hank, "members", "read", false},
	} {
		if got, err := d.Permits(t.Context(), acme, tt.member, tt.resource, tt.action); got != tt.want || err != nil {
			t.Errorf("%s %s %s: %v %v", tt.member, tt.resource, tt.action, got, err)
		}
	}
	if err := emulator.SetStatus(grace, "deleted"); err != nil {
		t.Fatal(err)
	}
	if got, _ := d.Permits(t.Context(), acme, grace, "members", "read"); !got {
		t.Error("roles are not cached")
	}
	if err := d.CheckActive(t.Context(), acme, grace); !errors.Is(err, directory.ErrInactive) && !errors.Is(err,
		directory.ErrNotFound) {
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
	if err != nil || app.ID != gpt.ClientID || app.Name == "" || !slices.Equal(app.RedirectURLs, gpt.RedirectURLs) {
		t.Errorf("%+v %v", app, err)
	}
	for range 2 { // the second answer comes from memory
		if _, err := d.ConnectedApp(t.Context(), "connected-app-test-ffffffff-0000-4000-8000-000000000001"); !errors.Is(
			err, directory.ErrNotFound) {
			t.Errorf("%v", err)
		}
	}
}

func TestOurWrongSecretIsSaidLoudly(t *testing.T) {
	log := new(bytes.Buffer)
	d, _ := open(t, func(o *stytch.Options) {
		o.Secret = "secret-test-wrong"
		o.Log = slog.New(slog.NewJSONHandler(log, nil))
	})
	if err := d.Ping(t.Context()); !errors.Is(err, directory.ErrCredentials) {
		t.Errorf("%v", err)
	}
	if !strings.Contains(log.String(), `"level":"ERROR"`) || !strings.Contains(log.String(), "STYTCH_SECRET") ||
		strings.Contains(log.String(), "secret-test-wrong") {
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
		// Stytch asks for more patience than we have
		"503":            {reply(503, "application/json", `{}`), 7 * time.Second, 1},
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
			far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
				r *http.Request) {
				attempts.Add(1)
				tt.answer(w, r)
			}))
			defer far.Close()
			d, _ := open(t, func(o *stytch.Options) { o.BaseURL = far.URL })
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
	d, emulator := open(t)
	emulator.Fail(stytchtest.Fault{Path: "/v1/b2b/organizations", Status: 503, Count: 2})
	if _, err := d.Person(t.Context(), acme, ada); err != nil {
		t.Errorf("a read did not outlast two failures: %v", err)
	}
	emulator.Fail(stytchtest.Fault{Path: "/v1/b2b/magic_links/email/invite", Status: 503, Count: 1})
	if _, err := d.Invite(t.Context(), acme, directory.Invitation{Email: "x@acme.example", Name: "X"}); !errors.As(err,
		new(*directory.UnavailableError)) {
		t.Errorf("%v", err)
	}
	invites := 0
	for _, r := range emulator.Requests() {
		if strings.HasSuffix(r.Path, "/invite") {
			invites++
		}
	}
	if invites != 1 {
		t.Errorf("the invitation was sent %d times", invites)
	}
}

func TestACancelledCallEndsAtOnce(t *testing.T) {
	d, emulator := open(t, func(o *stytch.Options) { o.Backoff = func(int) time.Duration { return time.Hour } })
	emulator.Fail(stytchtest.Fault{Path: "/v1/b2b/organizations", Status: 503})
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
	d, emulator := open(t, func(o *stytch.Options) { o.Now = func() time.Time { return now } })
	if err := d.CheckRecentlyActive(t.Context(), acme, grace); err != nil {
		t.Fatal(err)
	}
	if err := emulator.SetStatus(grace, "deleted"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(61 * time.Second)
	given, up := context.WithCancel(t.Context())
	up()
	if err := d.CheckRecentlyActive(given, acme, grace); !errors.Is(err, directory.ErrNotFound) && !errors.Is(err,
		directory.ErrInactive) {
		t.Errorf("who is gone reads on: %v", err)
	}
}

func TestWhileStytchIsAwayPeopleReadOnButNotByTheirRoles(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d, emulator := open(t, func(o *stytch.Options) { o.Now = func() time.Time { return now } })
	if permitted, err := d.Permits(t.Context(), acme, ada, "stytch.member", "create"); !permitted || err != nil {
		t.Fatal(permitted, err)
	}
	emulator.Fail(stytchtest.Fault{Path: "/", Status: 503})
	now = now.Add(61 * time.Second)
	for _, later := range []time.Duration{0, 14 * time.Second, 16 * time.Second} {
		now = now.Add(later)
		if err := d.CheckRecentlyActive(t.Context(), acme, ada); err != nil {
			t.Errorf("after %v more: %v", later, err)
		}
		if permitted, err := d.Permits(t.Context(), acme, ada, "stytch.member", "create"); permitted || !errors.As(err,
			new(*directory.UnavailableError)) {
			t.Errorf("after %v more roles are believed for longer than a minute: %v %v", later, permitted, err)
		}
	}
	if err := d.CheckRecentlyActive(t.Context(), acme, grace); !errors.As(err, new(*directory.UnavailableError)) {
		t.Errorf("somebody who was never seen: %v", err)
	}
}

// meanings are the types of Stytch's errors that mean something here, each with what; every
// other means nothing, whatever its status.
var meanings = map[string]error{
	"unauthorized_credentials": directory.ErrCredentials, "unauthorized_credentials_homepage": directory.ErrCredentials,
	"invalid_project_id_authentication": directory.ErrCredentials,
	"invalid_secret_authentication":     directory.ErrCredentials,
	"unauthorized_project_id_live":      directory.ErrCredentials,
	"unauthorized_project_id_test":      directory.ErrCredentials,
	"invalid_project_id":                directory.ErrCredentials, "project_not_found": directory.ErrCredentials,
	"member_not_found": directory.ErrNotFound, "user_not_found": directory.ErrNotFound,
	"organization_not_found":  directory.ErrNotFound,
	"connected_app_not_found": directory.ErrNotFound, "invalid_user_id": directory.ErrNotFound,
	"invalid_organization_id": directory.ErrNotFound,
	"too_many_requests":       nil, "internal_server_error": nil, // Stytch is not well
	"route_not_found": errUnexpected, "consent_grant_not_found": errUnexpected, "session_not_found": errUnexpected,
	"unauthorized_action":             errUnexpected,
	"endpoint_not_authorized_for_sdk": errUnexpected, "billing_not_verified": errUnexpected,
	"bad_request": errUnexpected, "": errUnexpected,
	"never_seen_before": errUnexpected,
}

var errUnexpected = errors.New("unexpected")

func means(err, want error) bool {
	switch want {
	case nil:
		return errors.As(err, new(*directory.UnavailableError))
	case errUnexpected:
		return errors.As(err, new(*stytch.UnexpectedError)) && !errors.Is(err, directory.ErrNotFound) &&
			!errors.Is(err, directory.ErrCredentials)
	}
	return errors.Is(err, want)
}

func TestOnlyWhatIsKnownOfStytchsErrorsMeansSomething(t *testing.T) {
	for kind, want := range meanings {
		statuses := []int{400, 401, 403, 404, 409}
		if want == nil {
			statuses = []int{429, 500}
		}
		for _, status := range statuses {
			far := newFarSide(t)
			far.answers(status, fmt.Sprintf(
				`{"status_code":%d,"error_type":%q,"error_message":"about ada@acme.example"}`, status, kind))
			d := far.directory(t)
			for name, ask := range map[string]func() error{
				"person":       func() error { _, err := d.Person(t.Context(), acme, ada); return err },
				"organization": func() error { _, err := d.Organization(t.Context(), "acme"); return err },
				"app": func() error {
					_,
						err := d.ConnectedApp(t.Context(), "connected-app-test-1")
					return err
				},
				"health": func() error { return d.Ping(t.Context()) },
				"members": func() error {
					_,
						err := d.Members(t.Context(), acme, directory.MemberQuery{Limit: 1})
					return err
				},
				"connections": func() error { _, err := d.Connections(t.Context(), acme, ada); return err },
			} {
				if err := ask(); !means(err, want) {
					t.Errorf("%s: %d %q: %v", name, status, kind, err)
				} else if errors.As(err, new(*stytch.UnexpectedError)) && strings.Contains(err.Error(), "ada@") {
					t.Errorf("%s: Stytch's message is repeated: %v", name, err)
				}
			}
			if err := d.CheckActive(t.Context(), acme, ada); !means(err, want) {
				t.Errorf("active: %d %q: %v", status, kind, err)
			}
		}
	}
}

// What says that a session is none leads to signing in; all else would lead there again and again.
func TestOnlyWhatIsKnownSaysThatThereIsNoSession(t *testing.T) {
	kinds := map[string]error{}
	for kind, want := range meanings {
		kinds[kind] = want
	}
	for _, kind := range []string{"session_not_found", "invalid_session_token", "unable_to_parse_session_jwt",
		"jwt_invalid_issuer", "jwt_invalid_audience", "user_unauthenticated"} {
		kinds[kind] = directory.ErrNotFound
	}
	for kind, want := range kinds {
		status := 401
		if want == nil {
			status = 500
		}
		far := newFarSide(t)
		far.answers(status, fmt.Sprintf(`{"status_code":%d,"error_type":%q}`, status, kind))
		if _, err := far.directory(t).Session(t.Context(), "a-token-of-the-right-form", ""); !means(err, want) {
			t.Errorf("%q: %v", kind, err)
		}
		consumer, err := stytch.NewConsumer(stytch.Options{ProjectID: "project-test-1", Secret: "secret-test-1",
			BaseURL: far.URL})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := consumer.Session(t.Context(), "a-token-of-the-right-form", ""); !means(err, want) {
			t.Errorf("Consumer: %q: %v", kind, err)
		}
	}
}

// An answer that lacks what it is about does not say that there is no such thing.
func TestAnEmptyAnswerIsNoVerdict(t *testing.T) {
	far := newFarSide(t)
	far.answers(200, `{"status_code":200}`)
	d := far.directory(t)
	consumer, err := stytch.NewConsumer(stytch.Options{ProjectID: "project-test-1", Secret: "secret-test-1",
		BaseURL: far.URL})
	if err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]func() error{
		"member": func() error { _, err := d.Person(t.Context(), acme, ada); return err },
		"user":   func() error { _, err := consumer.Person(t.Context(), "", "user-test-1"); return err },
		"active": func() error { return d.CheckActive(t.Context(), acme, ada) },
		"session": func() error {
			_, err := d.Session(t.Context(), "a-token-of-the-right-form",
				"")
			return err
		},
		"session of a user": func() error {
			_, err := consumer.Session(t.Context(), "a-token-of-the-right-form",
				"")
			return err
		},
		"organization": func() error { _, err := d.Organization(t.Context(), "acme"); return err },
		"app":          func() error { _, err := d.ConnectedApp(t.Context(), "connected-app-test-1"); return err },
		"policy":       func() error { _, err := d.ScopeDescriptions(t.Context()); return err },
	} {
		if err := ask(); !means(err, errUnexpected) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Anybody's requests may be answered so: the log has it once a minute.
func TestRefusedCredentialsDoNotFloodTheLog(t *testing.T) {
	now, log := time.Unix(1_800_000_000, 0), new(bytes.Buffer)
	d, _ := open(t, func(o *stytch.Options) {
		o.Secret, o.Log, o.Now = "secret-test-wrong", slog.New(slog.NewJSONHandler(log,
			nil)), func() time.Time { return now }
	})
	for range 100 {
		_, _ = d.Person(t.Context(), acme, ada)
	}
	now = now.Add(61 * time.Second)
	_, _ = d.Person(t.Context(), acme, ada)
	lines := strings.Count(log.String(), "Stytch refused our project")
	if lines != 2 || strings.Contains(log.String(), "secret-test-wrong") {
		t.Errorf("%d lines: %s", lines, log)
	}
}
