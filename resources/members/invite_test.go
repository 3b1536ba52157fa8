package members_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/guestpasstest"
	"guestpass/resources/members"
	"guestpass/store"
	"guestpass/stytchtest"
)

const invitations = "/api/v1/members/invitations"

func TestInviteMember(t *testing.T) {
	w := start(t)
	w.ChangeProject(func(seed *stytchtest.Seed) {
		seed.Policy.Roles = append(seed.Policy.Roles, stytchtest.Role{ID: "inviter",
			Permissions: []stytchtest.Permission{{ResourceID: "members", Actions: []string{"invite"}}}})
	})
	w.GiveRoles(grace, "inviter")
	p, member := w.As(ada, "members:invite"), w.As(grace, "members:invite")
	r := p.Call("POST", invitations, `{"email":"new@acme.example","name":"New Person","roles":["stytch_admin"]}`)
	if r.Status != 201 || !strings.Contains(r.Body, `"status":"invited"`) {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	for name, tt := range map[string]struct {
		who            *guestpasstest.Person
		body, location string
		status         int
	}{
		"again":               {p, `{"email":"new@acme.example","name":"New Person"}`, "", 409},
		"existing member":     {p, `{"email":"grace@acme.example","name":"Grace"}`, "", 409},
		"no address":          {p, `{"email":"nobody","name":"N"}`, "body.email", 422},
		"address with a name": {p, `{"email":"N <n@acme.example>","name":"N"}`, "body.email", 422},
		"an empty name":       {p, `{"email":"n@acme.example","name":""}`, "body.name", 422},
		"no whole domain":     {p, `{"email":"mary@acme"}`, "body.email", 422},
		"an accented address": {p, `{"email":"josé@acme.example","name":"José"}`, "body.email", 422},
		"another spelling":    {p, `{"email":"new@ACME。example"}`, "", 409},
		"unknown field":       {p, `{"email":"n@acme.example","name":"N","organization_id":"x"}`, "body", 422},
		"other letter case":   {p, `{"email":"n@acme.example","name":"N","NAME":"M"}`, "body", 422},
		"a member twice":      {p, `{"email":"n@acme.example","name":"N","n\u0061me":"M"}`, "", 400},
		"a role one has not": {member, `{"email":"n@acme.example","name":"N","roles":["stytch_admin"]}`,
			"body.roles[0]", 422},
		"the second role one has not": {member, `{"email":"n@acme.example","roles":["inviter","stytch_admin"]}`,
			"body.roles[1]", 422},
		"role that is unknown": {p, `{"email":"n@acme.example","name":"N","roles":["emperor"]}`, "body.roles[0]", 422},
		"no address at all":    {p, `{"name":"N"}`, "body", 422},
		"a name too long": {p,
			`{"email":"n@acme.example","name":"` + strings.Repeat("n", 201) + `"}`, "body.name", 422},
		"too many roles": {p, `{"email":"n@acme.example","roles":["a","b","c","d","e","f","g","h","i","j","k"]}`,
			"body.roles", 422},
	} {
		r := tt.who.Call("POST", invitations, tt.body)
		if r.Status != tt.status || !strings.Contains(r.Body, `"location":"`+tt.location) && tt.location != "" {
			t.Errorf("%s: %d %s, want %d at %s", name, r.Status, r.Body, tt.status, tt.location)
		}
	}
	if inbox := w.Stytch.Inbox(); len(inbox) != 1 {
		t.Errorf("%d invitations were mailed", len(inbox))
	}
	if r := p.Call("POST", invitations, `{"email":"eva@Grün.example"}`); r.Status != 201 ||
		!strings.Contains(r.Body, `"name":"","email":"eva@xn--grn-ioa.example"`) {
		t.Errorf("without a name: %d %s", r.Status, r.Body)
	}
	if r := p.Call("POST", invitations, `{"email":"eva@xn--grn-ioa.example","name":"Eva"}`); r.Status != 409 {
		t.Errorf("the same mailbox: %d %s", r.Status, r.Body)
	}
	if r := member.Call("POST", invitations, `{"email":"n@acme.example","roles":["inviter"]}`); r.Status != 201 ||
		!strings.Contains(r.Body, `"inviter"`) {
		t.Errorf("a role one has: %d %s", r.Status, r.Body)
	}
}

// Whom somebody invites is in the organization of who invites, and seen there as invited.
func TestWhoIsInvitedIsListedInTheirOrganizationAlone(t *testing.T) {
	w := start(t)
	invited := w.As(ada).Do(201, "POST", invitations, `{"email":"mary@acme.example","name":"Mary Guest"}`)
	path := "/api/v1/members/" + invited["member_id"].(string)
	if got := w.As(grace, "members:read").Do(200, "GET", path, ""); got["status"] != "invited" ||
		got["name"] != "Mary Guest" || got["email"] != "mary@acme.example" {
		t.Errorf("%v", got)
	}
	foreigner := w.As(hank)
	foreigner.Do(404, "GET", path, "")
	if r := foreigner.Do(201, "POST", invitations, `{"email":"mary@acme.example"}`); r["member_id"] ==
		invited["member_id"] || r["name"] != "" {
		t.Errorf("the same address in another organization: %v", r)
	}
}

func TestAnExistingAddressIsToldWhereItIsFound(t *testing.T) {
	p := start(t).As(ada)
	refused := p.Do(409, "POST", invitations, `{"email":"GRACE@acme.example"}`)
	if !strings.Contains(fmt.Sprint(refused["hint"]), "listMembers") ||
		!strings.Contains(fmt.Sprint(refused["detail"]), "belongs to a member") {
		t.Errorf("%v", refused)
	}
}

func TestWhoIsGoneCannotWrite(t *testing.T) {
	w := start(t)
	token := w.Token(ada, "members:invite", "members:read")
	if err := w.Stytch.SetStatus(ada, "deleted"); err != nil {
		t.Fatal(err)
	}
	r := w.Call("POST", invitations, token, `{"email":"n@acme.example","name":"N"}`)
	if r.Status != 401 || len(w.Stytch.Inbox()) != 0 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

// A member's scope may be older than their roles.
func TestWhoLostTheRoleInvitesNobody(t *testing.T) {
	w := start(t)
	p := w.As(ada)
	w.GiveRoles(ada)
	if r := p.Call("POST", invitations, `{"email":"n@acme.example"}`); r.Status != 403 || len(w.Stytch.Inbox()) != 0 ||
		r.Header.Get("WWW-Authenticate") != "" || !strings.Contains(r.Body, "members:invite") {
		t.Errorf("%d %v %s", r.Status, r.Header, r.Body)
	}
}

func TestARepeatedInvitationIsSentOnceAndRecorded(t *testing.T) {
	w := start(t)
	p := w.As(ada)
	const body = `{"email":"mary@acme.example","name":"Mary"}`
	first := p.Do(201, "POST", invitations, body)
	again := p.Do(201, "POST", invitations, body)
	if again["repeated"] != true || again["member_id"] != first["member_id"] || len(w.Stytch.Inbox()) != 1 {
		t.Errorf("%v, then %v", first, again)
	}
	p.Do(422, "POST", invitations, `{"email":"joe@acme.example","name":"Joe","roles":["none_of_hers"]}`)
	activities := p.Do(200, "GET", "/api/v1/activity", "")["activities"].([]any)
	if len(activities) != 2 {
		t.Fatalf("%v", activities)
	}
	failed, sent := activities[0].(map[string]any), activities[1].(map[string]any)
	if failed["outcome"] != "failed" || sent["outcome"] != "done" || sent["target"] != first["member_id"] ||
		sent["undoable"] != false || sent["operation"] != "inviteMember" {
		t.Errorf("%v, %v", failed, sent)
	}
}

// What was refused is no answer to keep: the same call can succeed later.
func TestARefusedInvitationCanBeTriedAgain(t *testing.T) {
	w := start(t)
	p := w.As(ada)
	const body = `{"email":"mary@acme.example","request_id":"mary-1"}`
	w.Stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/magic_links/email/invite", Status: 503})
	if r := p.Call("POST", invitations, body); r.Status != 503 {
		t.Fatalf("Stytch is away: %d %s", r.Status, r.Body)
	}
	w.Stytch.ClearFaults()
	if sent := p.Do(201, "POST", invitations, body); sent["repeated"] != nil || len(w.Stytch.Inbox()) != 1 {
		t.Errorf("%v", sent)
	}
	p.Do(409, "POST", invitations, `{"email":"joe@acme.example","request_id":"mary-1"}`)
}

func TestARepeatedInvitationOfWhoIsGoneInvitesAnew(t *testing.T) {
	w := start(t)
	p := w.As(ada)
	const body = `{"email":"new@acme.example"}`
	first := p.Do(201, "POST", invitations, body)["member_id"].(string)
	if again := p.Do(201, "POST", invitations, body); again["member_id"] != first || again["repeated"] != true {
		t.Errorf("%v", again)
	}
	if err := w.Stytch.SetStatus(first, "deleted"); err != nil {
		t.Fatal(err)
	}
	w.Stytch.Advance(time.Minute)
	if again := p.Do(201, "POST", invitations, body); again["repeated"] == true {
		t.Errorf("after they were removed: %v", again)
	}
}

func TestAnInvitationThatCannotBeRecordedIsNotSent(t *testing.T) {
	w := start(t, func(o *guestpass.Options) {
		gone, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "gone.db"),
			Schemas: api.Schemas([]api.Resource{members.Resource()})})
		if err != nil {
			t.Fatal(err)
		}
		_ = gone.Close()
		o.Store = gone
	})
	p := w.As(ada)
	before := len(w.Stytch.Requests())
	if r := p.Call("POST", invitations, `{"email":"mary@acme.example","name":"Mary"}`); r.Status < 500 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	for _, request := range w.Stytch.Requests()[before:] {
		if strings.Contains(request.Path, "invite") {
			t.Errorf("an invitation that cannot be recorded was sent: %s", request.Path)
		}
	}
}
