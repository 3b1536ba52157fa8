package members_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/guestpasstest"
	"guestpass/resources/activity"
	"guestpass/resources/members"
	"guestpass/stytchtest"
)

const ada, grace, hank = guestpasstest.Ada, guestpasstest.Grace, guestpasstest.Hank

// start has members, and the record of what was done with them.
func start(t *testing.T, change ...func(*guestpass.Options)) *guestpasstest.World {
	t.Helper()
	return guestpasstest.New(t, guestpasstest.Options{
		Resources: []api.Resource{members.Resource(), activity.Resource()},
		Change: func(o *guestpass.Options) {
			for _, f := range change {
				f(o)
			}
		}})
}

// page is what listMembers answers.
type page struct {
	Members    []members.Member
	Total      int
	NextCursor string `json:"next_cursor"`
}

func list(p *guestpasstest.Person, query string) (list page, r guestpasstest.Reply) {
	r = p.Call("GET", "/api/v1/members"+query, "")
	_ = json.Unmarshal([]byte(r.Body), &list)
	return list, r
}

func TestListMembersPagesSearchesAndKeepsToItsOrganization(t *testing.T) {
	w := start(t)
	p := w.As(ada, "members:read")
	first, _ := list(p, "?limit=1")
	second, _ := list(p, "?limit=1&cursor="+first.NextCursor)
	if first.Total != 2 || len(first.Members) != 1 || len(second.Members) != 1 ||
		first.Members[0].ID == second.Members[0].ID || second.NextCursor != "" {
		t.Errorf("pages %+v %+v", first, second)
	}
	if found, _ := list(p, "?search=HOPPER&status=active"); len(found.Members) != 1 ||
		found.Members[0].Email != "grace@acme.example" {
		t.Errorf("search %+v", found)
	}
	if none, r := list(p, "?search=hank"); len(none.Members) != 0 || !strings.Contains(r.Body, `"members":[]`) {
		t.Errorf("another organization's member: %s", r.Body)
	}
	for name, query := range map[string]string{
		"with other filters": "?limit=1&status=active&cursor=" + first.NextCursor,
		"changed":            "?cursor=A" + first.NextCursor[1:],
		"made up":            "?cursor=MTA",
	} {
		if _, r := list(p, query); r.Status != 422 || !strings.Contains(r.Body, `"location":"query.cursor"`) {
			t.Errorf("cursor %s: %d %s", name, r.Status, r.Body)
		}
	}
	if _, r := list(w.As(hank, "members:read"), "?limit=1&cursor="+first.NextCursor); r.Status != 422 {
		t.Errorf("cursor in another organization: %d", r.Status)
	}
	if _, r := list(w.As(grace, "members:read"), "?limit=1&cursor="+first.NextCursor); r.Status != 422 {
		t.Errorf("cursor of another member: %d", r.Status)
	}
}

// among adds so many members to Acme, with what change makes of each.
func among(w *guestpasstest.World, number int, change func(i int, m *stytchtest.Member)) {
	w.ChangeProject(func(seed *stytchtest.Seed) {
		for i := range number {
			m := stytchtest.Member{ID: fmt.Sprintf("member-test-aaaaaaaa-0000-4000-9000-%012d", i),
				OrganizationID: guestpasstest.Acme, Email: fmt.Sprintf("number%d@acme.example", i), Status: "active",
				Roles: []string{"stytch_member"}}
			change(i, &m)
			seed.Members = append(seed.Members, m)
		}
	})
}

func TestMembersAreFilteredByStatusAndSearchedByNameAndAddress(t *testing.T) {
	w := start(t)
	statuses := []string{"active", "invited", "pending", "deleted"}
	among(w, len(statuses), func(i int, m *stytchtest.Member) {
		m.Status, m.Name = statuses[i], "Mary "+strings.ToUpper(statuses[i])
	})
	p := w.As(grace, "members:read")
	for query, want := range map[string]string{
		"":                               "Ada Lovelace, Grace Hopper, Mary ACTIVE, Mary INVITED, Mary PENDING",
		"?status=active":                 "Ada Lovelace, Grace Hopper, Mary ACTIVE",
		"?status=invited":                "Mary INVITED",
		"?status=pending":                "Mary PENDING",
		"?status=deleted":                "Mary DELETED",
		"?search=mary":                   "Mary ACTIVE, Mary INVITED, Mary PENDING",
		"?search=NUMBER1@acme":           "Mary INVITED",
		"?search=mary&status=deleted":    "Mary DELETED",
		"?search=love":                   "Ada Lovelace",
		"?search=globex":                 "",
		"?search=mary&status=active":     "Mary ACTIVE",
		"?search=no+such&status=invited": "",
	} {
		found, r := list(p, query)
		names := []string{}
		for _, m := range found.Members {
			names = append(names, m.Name)
		}
		if got := strings.Join(names, ", "); r.Status != 200 || got != want || found.Total != len(names) {
			t.Errorf("%s: %d %s, %d in total, want %s", query, r.Status, got, found.Total, want)
		}
	}
}

// A page that is too large for a client is read again, half as long: nobody is left out, and nobody is shown twice.
func TestPagesOfMembersStayUnderWhatChatGPTTakes(t *testing.T) {
	w := start(t)
	many := []string{"stytch_member"}
	w.ChangeProject(func(seed *stytchtest.Seed) {
		for i := range 10 {
			many = append(many, fmt.Sprintf("role_%d_%s", i, strings.Repeat("x", 60)))
			seed.Policy.Roles = append(seed.Policy.Roles, stytchtest.Role{ID: many[i+1]})
		}
	})
	among(w, 148, func(i int, m *stytchtest.Member) {
		m.Email, m.Roles = fmt.Sprintf("%d%s@acme.example", i, strings.Repeat("x", 235)), many
		m.Name = strings.Repeat("\u2028\"", 100)
	})
	p := w.As(ada, "members:read")
	seen, pages, after := map[string]bool{}, 0, ""
	for {
		got, r := list(p, "?limit=100"+after)
		if r.Status != 200 || len(r.Body) > 95_000 || got.Total != 150 {
			t.Fatalf("%d, %d bytes, %d in total", r.Status, len(r.Body), got.Total)
		}
		for _, m := range got.Members {
			if seen[m.ID] {
				t.Errorf("%s is shown twice", m.ID)
			}
			seen[m.ID] = true
		}
		pages++
		if got.NextCursor == "" {
			break
		}
		after = "&cursor=" + url.QueryEscape(got.NextCursor)
	}
	if len(seen) != 150 || pages < 3 {
		t.Errorf("%d members on %d pages", len(seen), pages)
	}
}

func TestAForeignMemberLooksLikeNone(t *testing.T) {
	w := start(t)
	p := w.As(ada, "members:read")
	get := func(id string) guestpasstest.Reply { return p.Call("GET", "/api/v1/members/"+id, "") }
	foreign, unknown := get(hank), get("member-test-ffffffff-0000-4000-8000-000000000009")
	if foreign.Status != 404 || unknown.Status != 404 || withoutRequest(foreign) != withoutRequest(unknown) {
		t.Errorf("foreign %d %s, unknown %d %s", foreign.Status, foreign.Body, unknown.Status, unknown.Body)
	}
	if own := get(grace); own.Status != 200 || strings.TrimSpace(own.Body) != `{"member_id":"`+grace+
		`","name":"Grace Hopper","email":"grace@acme.example","status":"active","roles":["stytch_member"]}` {
		t.Errorf("own: %d %s", own.Status, own.Body)
	}
}

// withoutRequest is a problem without the id of its request.
func withoutRequest(r guestpasstest.Reply) string {
	return strings.ReplaceAll(r.Body, r.Header.Get("X-Request-Id"), "")
}

// Names are what people like, and a model reads them: what nobody can see could be orders to it.
func TestNamesShowWhatPeopleCanSee(t *testing.T) {
	const hidden = "\u202e\u200b\u0007\U000e0041\ufeff"
	w := start(t)
	w.ChangeProject(func(seed *stytchtest.Seed) {
		seed.Organizations[0].Name = "Ac" + hidden + "me"
		seed.Members[0].Name = "Ada" + hidden + "\nLovelace"
	})
	p := w.As(ada, "members:read", "members:invite")
	for _, r := range []guestpasstest.Reply{
		p.Call("GET", "/api/v1/members", ""), p.Call("GET", "/api/v1/members/"+ada, ""),
		p.Call("POST", "/api/v1/members/invitations",
			`{"email":"new@acme.example","name":"Ada`+hidden[:3]+` Lovelace"}`),
	} {
		if r.Status/100 != 2 || !strings.Contains(r.Body, "Ada Lovelace") || strings.ContainsAny(r.Body, hidden) ||
			strings.Contains(r.Body, `\u`) {
			t.Errorf("%d %s", r.Status, r.Body)
		}
	}
}

func TestScopesAdmitToMembers(t *testing.T) {
	w := start(t)
	for _, tt := range []struct {
		method, path, body, scope string
		status                    int
	}{
		{"GET", "/api/v1/members", "", "members:read", 200},
		{"GET", "/api/v1/members/" + grace, "", "members:read", 200},
		{"POST", "/api/v1/members/invitations", `{"email":"new@acme.example"}`, "members:invite", 201},
	} {
		others := []string{"openid", "profile", "email", "activity:read", "members:read", "members:invite"}
		for i, scope := range others {
			if scope == tt.scope {
				others = append(others[:i], others[i+1:]...)
				break
			}
		}
		if r := w.As(ada, others...).Call(tt.method, tt.path, tt.body); r.Status != 403 ||
			!strings.Contains(r.Header.Get("WWW-Authenticate"), `scope="`+tt.scope+`"`) {
			t.Errorf("%s without %s: %d %v", tt.path, tt.scope, r.Status, r.Header)
		}
		if r := w.As(ada, tt.scope).Call(tt.method, tt.path, tt.body); r.Status != tt.status {
			t.Errorf("%s with %s alone: %d %s", tt.path, tt.scope, r.Status, r.Body)
		}
	}
}

func TestRolesDecideInRolesMode(t *testing.T) {
	w := start(t, func(o *guestpass.Options) { o.Access = api.ByRole })
	for _, tt := range []struct {
		member, method, path, body string
		status                     int
	}{
		{ada, "GET", "/api/v1/members", "", 200}, {grace, "GET", "/api/v1/members", "", 200},
		{grace, "POST", "/api/v1/members/invitations", `{"email":"new@acme.example","name":"New"}`, 403},
		{ada, "POST", "/api/v1/members/invitations", `{"email":"new@acme.example","name":"New"}`, 201},
	} {
		r := w.As(tt.member, "openid", "profile", "email").Call(tt.method, tt.path, tt.body)
		if r.Status != tt.status {
			t.Errorf("%s %s by %s: %d %s", tt.method, tt.path, tt.member, r.Status, r.Body)
		}
	}
}

// People of a Consumer project are members of nothing.
func TestAConsumerProjectHasNoMembers(t *testing.T) {
	w := guestpasstest.New(t, guestpasstest.Options{Vertical: auth.Consumer,
		Resources: []api.Resource{members.Resource(), activity.Resource()}})
	for _, op := range w.App.Operations() {
		if strings.Contains(op.Path, "members") {
			t.Errorf("%s is served", op.ID)
		}
	}
	p := w.As(guestpasstest.UserAda, "openid", "members:read", "members:invite")
	for _, path := range []string{"/api/v1/members", "/api/v1/members/" + guestpasstest.UserAda} {
		if r := p.Call(http.MethodGet, path, ""); r.Status != 404 {
			t.Errorf("%s: %d", path, r.Status)
		}
	}
}

// What Stytch does not answer is told as a wait, and nothing is shown of what it said before.
func TestMembersWhileStytchIsAway(t *testing.T) {
	w := start(t)
	p := w.As(ada, "members:read")
	list(p, "")
	w.Stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/organizations", Status: 503})
	for _, path := range []string{"/api/v1/members", "/api/v1/members/" + grace} {
		if r := p.Call("GET", path, ""); r.Status != 503 || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", path, r.Status, r.Body)
		}
	}
	w.Stytch.ClearFaults()
	w.Stytch.Advance(time.Minute)
	if _, r := list(p, ""); r.Status != 200 {
		t.Errorf("Stytch is back: %d %s", r.Status, r.Body)
	}
}
