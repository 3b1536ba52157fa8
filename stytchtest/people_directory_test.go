package stytchtest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stytchauth/stytch-go/v16/stytch/b2b/idp/oauth"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/magiclinks/email"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations/members"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations/members/connectedapps"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/rbac"
	"github.com/stytchauth/stytch-go/v16/stytch/methodoptions"

	"guestpass/stytchtest"
)

func emails(found []organizations.Member) string {
	var list []string
	for _, m := range found {
		list = append(list, m.EmailAddress)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestMemberSearchFilters(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s)
	invite(t, s, "guest@acme.example")
	if err := s.SetStatus(grace, "deleted"); err != nil {
		t.Fatal(err)
	}
	operand := func(name string, value any) []map[string]any {
		return []map[string]any{{"filter_name": name, "filter_value": value}}
	}
	for _, tt := range []struct {
		name     string
		operator organizations.SearchQueryOperator
		operands []map[string]any
		want     string
	}{
		{"nothing leaves out the deleted", "", nil, "ada@acme.example guest@acme.example"},
		{"ids", "AND", operand("member_ids", []string{ada, hank}), "ada@acme.example"},
		{"e-mail addresses", "AND", operand("member_emails", []string{"ADA@acme.example"}), "ada@acme.example"},
		{"part of an address", "AND", operand("member_email_fuzzy", "Gues"), "guest@acme.example"},
		{"roles", "AND", operand("member_roles", []string{"stytch_admin"}), "ada@acme.example"},
		{"status", "AND", operand("statuses", []string{"invited"}), "guest@acme.example"},
		{"the deleted, asked for", "AND", operand("statuses", []string{"deleted"}), "grace@acme.example"},
		{"all of two", "AND", append(operand("statuses", []string{"active"}), operand("member_email_fuzzy",
			"guest")...), ""},
		{"any of two", "OR", append(operand("statuses", []string{"active"}), operand("member_email_fuzzy", "guest")...),
			"ada@acme.example guest@acme.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, err := api.Organizations.Members.Search(t.Context(),
				&members.SearchParams{OrganizationIds: []string{acme},
					Query: &organizations.SearchQuery{Operator: tt.operator, Operands: tt.operands}})
			if err != nil || emails(found.Members) != tt.want || len(found.Organizations) != min(1,
				len(found.Members)) {
				t.Errorf("%s, %v; want %s", emails(found.Members), err, tt.want)
			}
		})
	}
	_, err := api.Organizations.Members.Search(t.Context(), &members.SearchParams{OrganizationIds: []string{acme},
		Query: &organizations.SearchQuery{Operator: "AND", Operands: operand("member_phone_numbers", []string{"+1"})}})
	refused(t, err, 400, "member_search_filter_name_not_recognized")
	_, err = api.Organizations.Members.Search(t.Context(), &members.SearchParams{})
	refused(t, err, 400, "member_search_organization_ids_empty")
	_, err = api.Organizations.Members.Search(t.Context(),
		&members.SearchParams{OrganizationIds: []string{"organization-test-none"}})
	refused(t, err, 404, "organization_not_found")
}

func TestMemberSearchComesInPages(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s)
	for _, name := range []string{"one", "two", "three"} {
		invite(t, s, name+"@acme.example")
	}
	var seen []organizations.Member
	cursor, pages := "", 0
	for pages = 1; pages < 9; pages++ {
		found, err := api.Organizations.Members.Search(t.Context(),
			&members.SearchParams{OrganizationIds: []string{acme}, Limit: 2, Cursor: cursor})
		if err != nil || found.ResultsMetadata.Total != 5 {
			t.Fatalf("%+v %v", found.ResultsMetadata, err)
		}
		seen = append(seen, found.Members...)
		if cursor = found.ResultsMetadata.NextCursor; cursor == "" {
			break
		}
	}
	if pages != 3 || emails(seen) != "ada@acme.example grace@acme.example one@acme.example three@acme.example "+
		"two@acme.example" {
		t.Errorf("%d pages: %s", pages, emails(seen))
	}
	_, err := api.Organizations.Members.Search(t.Context(), &members.SearchParams{OrganizationIds: []string{acme},
		Cursor: "2"})
	refused(t, err, 400, "user_search_invalid_cursor")
}

func TestMembersStayInTheirOrganization(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s)
	got, err := api.Organizations.Members.Get(t.Context(), &members.GetParams{OrganizationID: "acme", MemberID: ada})
	if err != nil || got.Member.EmailAddress != "ada@acme.example" || !got.Member.IsAdmin ||
		got.Organization.OrganizationID != acme || got.Member.Roles[0].RoleID != "stytch_member" {
		t.Errorf("%+v %v", got, err)
	}
	if byMail, err := api.Organizations.Members.Get(t.Context(), &members.GetParams{OrganizationID: acme,
		EmailAddress: "grace@acme.example"}); err != nil || byMail.MemberID != grace || byMail.Member.IsAdmin {
		t.Errorf("%+v %v", byMail, err)
	}
	_, err = api.Organizations.Members.Get(t.Context(), &members.GetParams{OrganizationID: acme, MemberID: hank})
	refused(t, err, 404, "member_not_found")
	_, err = api.Organizations.Members.Get(t.Context(), &members.GetParams{OrganizationID: globex,
		EmailAddress: "ada@acme.example"})
	refused(t, err, 404, "member_not_found")
	_, err = api.Organizations.Members.ConnectedApps.Revoke(t.Context(),
		&connectedapps.RevokeParams{OrganizationID: acme, MemberID: hank, ConnectedAppID: gpt})
	refused(t, err, 404, "member_not_found")
	_, err = api.IDP.OAuth.AuthorizeStart(t.Context(), &oauth.AuthorizeStartParams{OrganizationID: acme, MemberID: hank,
		ClientID: gpt, RedirectURI: callback})
	refused(t, err, 404, "member_not_found")

	if err := s.SetStatus(grace, "deleted"); err != nil {
		t.Fatal(err)
	}
	_, err = api.Organizations.Members.DangerouslyGet(t.Context(), &members.DangerouslyGetParams{MemberID: grace})
	refused(t, err, 404, "member_not_found")
	if gone, err := api.Organizations.Members.DangerouslyGet(t.Context(), &members.DangerouslyGetParams{MemberID: grace,
		IncludeDeleted: true}); err != nil || gone.Member.Status != "deleted" {
		t.Errorf("%+v %v", gone, err)
	}
}

func TestOrganizations(t *testing.T) {
	api := lazyClient(t, open(t))
	if got, err := api.Organizations.Get(t.Context(), &organizations.GetParams{OrganizationID: "globex"}); err != nil ||
		got.Organization.OrganizationID != globex {
		t.Errorf("%+v %v", got, err)
	}
	_, err := api.Organizations.Get(t.Context(), &organizations.GetParams{OrganizationID: "nobody"})
	refused(t, err, 404, "organization_not_found")
	found, err := api.Organizations.Search(t.Context(), &organizations.SearchParams{Limit: 1})
	if err != nil || len(found.Organizations) != 1 || found.ResultsMetadata.NextCursor == "" {
		t.Errorf("%+v %v", found, err)
	}
}

func invite(t *testing.T, s *stytchtest.Server, address string) *email.InviteResponse {
	t.Helper()
	return must[*email.InviteResponse](t)(lazyClient(t, s).MagicLinks.Email.Invite(t.Context(),
		&email.InviteParams{OrganizationID: acme, EmailAddress: address, InviteRedirectURL: idp, Name: "A Guest"}))
}

func TestInvitation(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) {
		seed.Organizations[1].EmailInvites, seed.Organizations[1].EmailAllowedDomains = "RESTRICTED",
			[]string{"globex.example"}
	})
	api := lazyClient(t, s)
	first := invite(t, s, "guest@acme.example")
	if first.Member.Status != "invited" || first.Member.Name != "A Guest" ||
		first.Organization.OrganizationSlug != "acme" {
		t.Errorf("%+v", first)
	}
	if again := invite(t, s, "Guest@acme.example"); again.MemberID != first.MemberID {
		t.Error("inviting twice makes two members")
	}
	mail := s.Inbox()
	if len(mail) != 2 || mail[0].Kind != "invite" || mail[0].To != "Guest@acme.example" ||
		!strings.HasPrefix(mail[0].Link,
			idp+"?slug=acme&stytch_redirect_type=invite&stytch_token_type=multi_tenant_magic_links&token=") {
		t.Errorf("inbox %+v", mail)
	}
	for _, tt := range []struct {
		change func(*email.InviteParams)
		kind   string
	}{
		{func(p *email.InviteParams) { p.EmailAddress = "ada@acme.example" }, "duplicate_member_email"},
		{func(p *email.InviteParams) { p.EmailAddress = "Ada <x@acme.example>" }, "invalid_email"},
		{func(p *email.InviteParams) { p.InviteRedirectURL = idp + "?x=1" }, "query_params_do_not_match"},
		{func(p *email.InviteParams) { p.InviteRedirectURL = idp + "/" }, "no_match_for_provided_magic_link_url"},
		{func(p *email.InviteParams) { p.Roles = []string{"king"} }, "invalid_rbac_role_assignment"},
		{func(p *email.InviteParams) { p.OrganizationID = globex }, "invalid_email_for_invites"},
	} {
		p := &email.InviteParams{OrganizationID: acme, EmailAddress: "new@acme.example", InviteRedirectURL: idp}
		tt.change(p)
		_, err := api.MagicLinks.Email.Invite(t.Context(), p)
		refused(t, err, 400, tt.kind)
	}
	s.SetRedirectURLs()
	_, err := api.MagicLinks.Email.Invite(t.Context(), &email.InviteParams{OrganizationID: acme,
		EmailAddress: "new@acme.example"})
	refused(t, err, 400, "no_invite_redirect_urls_set")
	if len(s.Inbox()) != 2 {
		t.Error("a refused invitation was mailed")
	}
}

func TestMemberSessionsAreEnforced(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s)
	p := &email.InviteParams{OrganizationID: acme, EmailAddress: "guest@acme.example", InviteRedirectURL: idp}
	as := func(token string) *email.InviteRequestOptions {
		return &email.InviteRequestOptions{Authorization: methodoptions.Authorization{SessionToken: token}}
	}
	_, err := api.MagicLinks.Email.Invite(t.Context(), p, as(login(t, s, "grace@acme.example", acme)))
	refused(t, err, 403, "session_authorization_error")
	_, err = api.MagicLinks.Email.Invite(t.Context(), p, as(login(t, s, "hank@globex.example", globex)))
	refused(t, err, 403, "session_authorization_tenancy_error")
	if _, err := api.MagicLinks.Email.Invite(t.Context(), p, as(login(t, s, "ada@acme.example", acme))); err != nil {
		t.Error(err)
	}
}

func TestPolicyIsThatOfTheSeed(t *testing.T) {
	got := must[*rbac.PolicyResponse](t)(lazyClient(t, open(t)).RBAC.Policy(t.Context(), &rbac.PolicyParams{}))
	var scopes, resources []string
	for _, s := range got.Policy.Scopes {
		scopes = append(scopes, s.Scope+"="+s.Permissions[0].ResourceID+"."+strings.Join(s.Permissions[0].Actions, ","))
		if s.Description == "" {
			t.Errorf("%s has no description", s.Scope)
		}
	}
	for _, r := range got.Policy.Resources {
		resources = append(resources, r.ResourceID)
	}
	if s := strings.Join(scopes,
		" "); s != "members:read=members.read members:invite=members.invite tasks:read=tasks.read "+
		"tasks:write=tasks.write activity:read=activity.read" {
		t.Error(s)
	}
	for _, want := range []string{"stytch.self", "stytch.member", "stytch.organization", "members", "tasks",
		"activity"} {
		if !slices.Contains(resources, want) {
			t.Errorf("resources %v lack %s", resources, want)
		}
	}
}
