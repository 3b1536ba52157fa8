package stytchtest_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations/members"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/sessions"

	"guestpass/stytchtest"
)

func TestAMemberFromTheirMakingToTheirReturn(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s).Organizations.Members
	made := must[*members.CreateResponse](t)(api.Create(t.Context(), &members.CreateParams{OrganizationID: "acme",
		EmailAddress: "alan@acme.example", Name: "Alan Turing",
		Roles: []string{"stytch_admin"}, ExternalID: "at-1", TrustedMetadata: map[string]any{"desk": 8.0, "hut": 8.0},
		UntrustedMetadata: map[string]any{"tea": true}}))
	if m := made.Member; m.MemberID != made.MemberID || m.Status != "active" || m.EmailAddressVerified || !m.IsAdmin ||
		len(m.Roles) != 2 || m.ExternalID != "at-1" ||
		m.MemberPasswordID != "" || made.Organization.OrganizationID != acme || !m.CreatedAt.Equal(noon) {
		t.Errorf("made: %+v", m)
	}
	s.Advance(time.Minute)
	changed := must[*members.UpdateResponse](t)(api.Update(t.Context(), &members.UpdateParams{OrganizationID: acme,
		MemberID: "at-1", Name: "A. M. Turing",
		EmailAddress: "amt@acme.example", TrustedMetadata: map[string]any{"desk": nil, "phone": "x"},
		UntrustedMetadata: map[string]any{"tea": false}, Roles: &[]string{}})).Member
	if changed.Name != "A. M. Turing" || changed.EmailAddress != "amt@acme.example" || changed.IsAdmin ||
		len(changed.Roles) != 1 || changed.Roles[0].RoleID != "stytch_member" ||
		!reflect.DeepEqual(changed.TrustedMetadata, map[string]any{"hut": 8.0, "phone": "x"}) ||
		changed.UntrustedMetadata["tea"] != false || !changed.UpdatedAt.Equal(noon.Add(time.Minute)) {
		t.Errorf("changed: %+v", changed)
	}
	same := must[*members.UpdateResponse](t)(api.Update(t.Context(), &members.UpdateParams{OrganizationID: acme,
		MemberID: made.MemberID})).Member
	if same.Name != "A. M. Turing" || len(same.TrustedMetadata) != 2 {
		t.Errorf("a change of nothing changed %+v", same)
	}
	session := login(t, s, "amt@acme.example", acme) // shows that the address is theirs
	authorize(t, s, func(b object) { b["member_id"] = made.MemberID })
	if gone := must[*members.DeleteResponse](t)(api.Delete(t.Context(), &members.DeleteParams{OrganizationID: acme,
		MemberID: made.MemberID})); gone.MemberID != made.MemberID {
		t.Errorf("deleted: %+v", gone)
	}
	_, err := api.Get(t.Context(), &members.GetParams{OrganizationID: acme, MemberID: made.MemberID})
	refused(t, err, 404, "member_not_found")
	_, err = api.Update(t.Context(), &members.UpdateParams{OrganizationID: acme, MemberID: made.MemberID,
		Name: "Ghost"})
	refused(t, err, 404, "member_not_found")
	_, err = api.Delete(t.Context(), &members.DeleteParams{OrganizationID: acme, MemberID: made.MemberID})
	refused(t, err, 404, "member_not_found")
	_, err = lazyClient(t, s).Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: session})
	refused(t, err, 404, "session_not_found")

	back := must[*members.ReactivateResponse](t)(api.Reactivate(t.Context(),
		&members.ReactivateParams{OrganizationID: acme, MemberID: made.MemberID}))
	if back.Member.Status != "active" || back.Member.EmailAddress != "amt@acme.example" {
		t.Errorf("back: %+v", back.Member)
	}
	if apps := must[*members.GetConnectedAppsResponse](t)(api.GetConnectedApps(t.Context(),
		&members.GetConnectedAppsParams{OrganizationID: acme, MemberID: made.MemberID})); len(apps.ConnectedApps) != 0 {
		t.Errorf("consent came back with the member: %+v", apps)
	}
	_, err = api.Reactivate(t.Context(), &members.ReactivateParams{OrganizationID: acme, MemberID: made.MemberID})
	refused(t, err, 404, "no_deleted_member_found_for_reactivation")
}

func TestReactivationHasConditions(t *testing.T) {
	for _, tt := range []struct {
		name   string
		verify bool
		again  bool // somebody else has taken the address
		id     string
		status int
		kind   string
	}{
		{"an address never verified", false, false, "", 400, "email_unverified_for_reactivation"},
		{"an address that was taken", true, true, "", 400, "reactivation_email_belongs_to_another_member"},
		{"an external id", true, false, "x-1", 404, "no_deleted_member_found_for_reactivation"},
		{"nobody", true, false, "member-test-none", 404, "member_not_found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			api := lazyClient(t, s).Organizations.Members
			made := must[*members.CreateResponse](t)(api.Create(t.Context(), &members.CreateParams{OrganizationID: acme,
				EmailAddress: "new@acme.example", ExternalID: "x-1"}))
			if tt.verify {
				login(t, s, "new@acme.example", acme)
			}
			if _, err := api.Delete(t.Context(), &members.DeleteParams{OrganizationID: acme,
				MemberID: made.MemberID}); err != nil {
				t.Fatal(err)
			}
			if tt.again {
				if _, err := api.Create(t.Context(), &members.CreateParams{OrganizationID: acme,
					EmailAddress: "new@acme.example"}); err != nil {
					t.Fatal(err)
				}
			}
			if tt.id == "" {
				tt.id = made.MemberID
			}
			_, err := api.Reactivate(t.Context(), &members.ReactivateParams{OrganizationID: acme, MemberID: tt.id})
			refused(t, err, tt.status, tt.kind)
		})
	}
}

func TestMembersAreChecked(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) { seed.Members[0].ExternalID, seed.Members[2].ExternalID = "one", "two" })
	api := lazyClient(t, s).Organizations.Members
	for _, tt := range []struct {
		name   string
		params members.CreateParams
		status int
		kind   string
	}{
		{"an address that is taken", members.CreateParams{EmailAddress: "ADA@acme.example"}, 400,
			"duplicate_member_email"},
		{"no address", members.CreateParams{}, 400, "invalid_email"},
		{"half an address", members.CreateParams{EmailAddress: "ada@"}, 400, "invalid_email"},
		{"a role that does not exist", members.CreateParams{EmailAddress: "new@acme.example", Roles: []string{"king"}},
			400, "invalid_rbac_role_assignment"},
		{"an external id that is taken", members.CreateParams{EmailAddress: "new@acme.example", ExternalID: "one"}, 400,
			"duplicate_member_external_id"},
		{"an unknown organization", members.CreateParams{OrganizationID: "nowhere", EmailAddress: "new@acme.example"},
			404, "organization_not_found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.params.OrganizationID == "" {
				tt.params.OrganizationID = acme
			}
			_, err := api.Create(t.Context(), &tt.params)
			refused(t, err, tt.status, tt.kind)
		})
	}
	if made, err := api.Create(t.Context(), &members.CreateParams{OrganizationID: acme,
		EmailAddress: "hank@globex.example", ExternalID: "two", CreateMemberAsPending: true}); err != nil ||
		made.Member.Status != "pending" {
		t.Errorf("what is taken elsewhere is free here: %+v %v", made, err)
	}
	_, err := api.Update(t.Context(), &members.UpdateParams{OrganizationID: acme, MemberID: grace,
		EmailAddress: "ada@acme.example"})
	refused(t, err, 400, "duplicate_member_email")
	_, err = api.Update(t.Context(), &members.UpdateParams{OrganizationID: acme, MemberID: hank, Name: "x"})
	refused(t, err, 404, "member_not_found")
	_, err = api.Get(t.Context(), &members.GetParams{OrganizationID: acme})
	refused(t, err, 400, "invalid_member_get_fields")
	_, err = api.Get(t.Context(), &members.GetParams{OrganizationID: acme, MemberID: ada,
		EmailAddress: "grace@acme.example"})
	refused(t, err, 404, "member_not_found")
}

func TestMembersAreSearchedAcrossOrganizations(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s).Organizations.Members
	search := func(name string, value any) *members.SearchResponse {
		t.Helper()
		return must[*members.SearchResponse](t)(api.Search(t.Context(),
			&members.SearchParams{OrganizationIds: []string{"acme", globex}, Query: &organizations.SearchQuery{
				Operator: "AND", Operands: []map[string]any{{"filter_name": name, "filter_value": value}}}}))
	}
	for _, tt := range []struct {
		filter string
		value  any
		want   string
	}{
		{"statuses", []string{"active"}, "ada@acme.example grace@acme.example hank@globex.example"},
		{"member_email_fuzzy", "globex", "hank@globex.example"},
		{"member_password_exists", true, "ada@acme.example grace@acme.example hank@globex.example"},
		{"member_password_exists", false, ""},
		{"member_is_breakglass", true, ""},
		{"member_mfa_phone_numbers", []string{"+12025550162"}, ""},
		{"member_mfa_phone_number_fuzzy", "2025", ""},
	} {
		t.Run(tt.filter, func(t *testing.T) {
			if found := search(tt.filter, tt.value); emails(found.Members) != tt.want {
				t.Errorf("%s; want %s", emails(found.Members), tt.want)
			}
		})
	}
	if found := search("member_ids", []string{hank}); len(found.Organizations) != 1 ||
		found.Organizations[globex].OrganizationSlug != "globex" {
		t.Errorf("organizations other than those of the members: %v", found.Organizations)
	}
}

// searchFaults returns what is wrong with a search and how its error ends, for every search.
func searchFaults() []struct{ name, query, kind string } {
	return []struct{ name, query, kind string }{
		{"no filter name", `{"operator":"AND","operands":[{"filter_value":["x"]}]}`, "*missing_filter_name"},
		{"no operand at all", `{"operator":"AND","operands":["x"]}`, "*missing_filter_name"},
		{"a number as name", `{"operator":"AND","operands":[{"filter_name":7,"filter_value":["x"]}]}`,
			"*filter_name_must_be_string"},
		{"an unknown name", `{"operator":"AND","operands":[{"filter_name":"shoe_size","filter_value":["x"]}]}`,
			"*filter_name_not_recognized"},
		{"another operator", `{"operator":"XOR","operands":[]}`, "user_search_invalid_operator"},
		{"no operator", `{"operands":[{"filter_name":"x","filter_value":["x"]}]}`, "user_search_invalid_operator"},
	}
}

func TestSearchFaults(t *testing.T) {
	b2bServer, consumerServer := open(t), openConsumer(t)
	for _, tt := range []struct {
		s                   *stytchtest.Server
		path, prefix, extra string
		value               map[string]string // filter value → the error's end
	}{
		{b2bServer, "/v1/b2b/organizations/search", "organization_search_", "", map[string]string{
			`"organization_ids","filter_value":"x"`:            "*expected_array_of_strings",
			`"organization_ids","filter_value":[1]`:            "*expected_array_of_strings",
			`"organization_ids"`:                               "*missing_filter_value",
			`"organization_name_fuzzy","filter_value":"ab"`:    "*organization_name_fuzzy_too_short",
			`"organization_slug_fuzzy","filter_value":["abc"]`: "*expected_string",
			`"has_active_sso_connection","filter_value":"yes"`: "*expected_boolean"}},
		{b2bServer, "/v1/b2b/organizations/members/search", "member_search_", `"organization_ids":["` + acme + `"],`,
			map[string]string{
				`"member_ids","filter_value":"x"`:           "*expected_array_of_strings",
				`"statuses","filter_value":["awake"]`:       "search_invalid_status_filter",
				`"member_email_fuzzy","filter_value":"ad"`:  "*member_email_fuzzy_too_short",
				`"member_password_exists","filter_value":1`: "*expected_boolean"}},
		{consumerServer, "/v1/users/search", "user_search_", "", map[string]string{
			`"user_id","filter_value":"x"`:                                             "*expected_array_of_string",
			`"status","filter_value":["active"]`:                                       "*expected_string",
			`"status","filter_value":"awake"`:                                          "*invalid_status_filter",
			`"email_verified","filter_value":"true"`:                                   "*expected_bool",
			`"created_at_less_than","filter_value":"yesterday"`:                        "*expected_timestamp",
			`"created_at_between","filter_value":"x"`:                                  "*expected_object",
			`"created_at_between","filter_value":{"less_than":"2026-01-01T00:00:00Z"}`: "*expected_timestamp",
			`"full_name_fuzzy","filter_value":"Lo"`:                                    "*full_name_fuzzy_too_short"}},
	} {
		check := func(name, body, kind string) {
			t.Helper()
			status, reply, _ := ask(t, "POST", tt.s.URL+tt.path, body, basic(projectOf(tt.s), projectSecret))
			if want := strings.ReplaceAll(kind, "*", tt.prefix); status != 400 || reply["error_type"] != want {
				t.Errorf("%s, %s: %d %v, want %s", tt.path, name, status, reply["error_type"], want)
			}
		}
		for _, f := range searchFaults() {
			check(f.name, `{`+tt.extra+`"query":`+f.query+`}`, f.kind)
		}
		for value, kind := range tt.value {
			check(value, `{`+tt.extra+`"query":{"operator":"AND","operands":[{"filter_name":`+value+`}]}}`, kind)
		}
		check("too many", `{`+tt.extra+`"limit":1001}`, "user_search_invalid_limit")
		check("none", `{`+tt.extra+`"limit":0}`, "user_search_invalid_limit")
		check("another cursor", `{`+tt.extra+`"cursor":"bm9uc2Vuc2U"}`, "user_search_invalid_cursor")
		if status, _, _ := ask(t, "POST", tt.s.URL+tt.path, `{`+tt.extra+`"query":{}}`,
			basic(projectOf(tt.s), projectSecret)); status != 200 {
			t.Errorf("%s: an empty query is refused: %d", tt.path, status)
		}
	}
}
