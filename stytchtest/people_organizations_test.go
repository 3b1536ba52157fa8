package stytchtest_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations/members"
	"github.com/stytchauth/stytch-go/v16/stytch/methodoptions"

	"guestpass/stytchtest"
)

func TestAnOrganizationFromItsMakingToItsEnd(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s)
	made := must[*organizations.CreateResponse](t)(api.Organizations.Create(t.Context(), &organizations.CreateParams{
		OrganizationName: "Bletchley Park", OrganizationExternalID: "bp|1",
		OrganizationLogoURL: "https://bp.example/logo.png",
		TrustedMetadata:     map[string]any{"plan": "free", "seats": 3.0}})).Organization
	if made.OrganizationSlug != "bletchley-park" || made.EmailInvites != "ALL_ALLOWED" ||
		made.EmailJITProvisioning != "NOT_ALLOWED" ||
		made.OrganizationLogoURL != "https://bp.example/logo.png" || made.TrustedMetadata["plan"] != "free" ||
		made.CreatedAt == nil || !made.CreatedAt.Equal(noon) {
		t.Errorf("made: %+v", made)
	}
	s.Advance(time.Hour)
	restricted := organizations.UpdateRequestThirdPartyConnectedAppsAllowedType("RESTRICTED")
	changed := must[*organizations.UpdateResponse](t)(api.Organizations.Update(t.Context(),
		&organizations.UpdateParams{OrganizationID: "bp|1",
			OrganizationName: "Station X", OrganizationSlug: "Station_X", EmailInvites: "RESTRICTED",
			EmailAllowedDomains:  []string{"bp.example"},
			EmailJITProvisioning: "RESTRICTED", TrustedMetadata: map[string]any{"plan": "paid", "seats": nil},
			ThirdPartyConnectedAppsAllowedType: &restricted,
			AllowedThirdPartyConnectedApps:     []string{gpt}})).Organization
	if changed.OrganizationID != made.OrganizationID || changed.OrganizationName != "Station X" ||
		changed.OrganizationLogoURL != made.OrganizationLogoURL ||
		!reflect.DeepEqual(changed.TrustedMetadata, map[string]any{"plan": "paid"}) ||
		!reflect.DeepEqual(changed.EmailAllowedDomains, []string{"bp.example"}) ||
		changed.ThirdPartyConnectedAppsAllowedType != "RESTRICTED" ||
		!reflect.DeepEqual(changed.AllowedThirdPartyConnectedApps, []string{gpt}) ||
		!changed.UpdatedAt.Equal(noon.Add(time.Hour)) || !changed.CreatedAt.Equal(noon) {
		t.Errorf("changed: %+v", changed)
	}
	member := must[*members.CreateResponse](t)(api.Organizations.Members.Create(t.Context(),
		&members.CreateParams{OrganizationID: "Station_X", EmailAddress: "alan@bp.example"}))
	gone := must[*organizations.DeleteResponse](t)(api.Organizations.Delete(t.Context(),
		&organizations.DeleteParams{OrganizationID: made.OrganizationID}))
	if gone.OrganizationID != made.OrganizationID {
		t.Errorf("deleted: %+v", gone)
	}
	_, err := api.Organizations.Get(t.Context(), &organizations.GetParams{OrganizationID: made.OrganizationID})
	refused(t, err, 404, "organization_not_found")
	_, err = api.Organizations.Members.DangerouslyGet(t.Context(),
		&members.DangerouslyGetParams{MemberID: member.MemberID, IncludeDeleted: true})
	refused(t, err, 404, "member_not_found")
	if _, err := api.Organizations.Get(t.Context(), &organizations.GetParams{OrganizationID: acme}); err != nil {
		t.Errorf("another organization went along: %v", err)
	}
}

func TestOrganizationSettingsAreChecked(t *testing.T) {
	long := strings.Repeat("n", 129)
	for _, tt := range []struct {
		name   string
		params organizations.CreateParams
		kind   string
	}{
		{"no name", organizations.CreateParams{OrganizationSlug: "new"}, "organization_name_missing"},
		{"a long name", organizations.CreateParams{OrganizationName: long, OrganizationSlug: "new"},
			"invalid_organization_name"},
		{"a slug that is taken", organizations.CreateParams{OrganizationName: "New", OrganizationSlug: "acme"},
			"organization_slug_already_used"},
		{"a slug with a blank", organizations.CreateParams{OrganizationName: "New", OrganizationSlug: "a b"},
			"invalid_organization_slug"},
		{"a slug too short", organizations.CreateParams{OrganizationName: "New", OrganizationSlug: "a"},
			"invalid_organization_slug"},
		{"an external id that is taken", organizations.CreateParams{OrganizationName: "New",
			OrganizationExternalID: "acme-1"}, "duplicate_organization"},
		{"joining for everybody", organizations.CreateParams{OrganizationName: "New",
			EmailJITProvisioning: "ALL_ALLOWED"}, "invalid_organization_auth_factor_setting"},
		{"invitations for some", organizations.CreateParams{OrganizationName: "New", EmailInvites: "SOME"},
			"invalid_organization_auth_factor_setting"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := lazyClient(t, open(t, func(seed *stytchtest.Seed) { seed.Organizations[0].ExternalID = "acme-1" }))
			_, err := api.Organizations.Create(t.Context(), &tt.params)
			refused(t, err, 400, tt.kind)
			update := &organizations.UpdateParams{OrganizationID: globex, OrganizationName: tt.params.OrganizationName,
				OrganizationSlug:       tt.params.OrganizationSlug,
				OrganizationExternalID: tt.params.OrganizationExternalID,
				EmailJITProvisioning:   tt.params.EmailJITProvisioning, EmailInvites: tt.params.EmailInvites}
			if tt.kind != "organization_name_missing" { // an empty name is not sent, so that it changes nothing
				_, err = api.Organizations.Update(t.Context(), update)
				refused(t, err, 400, tt.kind)
			}
			if got, err := api.Organizations.Get(t.Context(),
				&organizations.GetParams{OrganizationID: globex}); err != nil ||
				got.Organization.OrganizationName != "Globex" {
				t.Errorf("a refused change had an effect: %+v %v", got, err)
			}
		})
	}
	api := lazyClient(t, open(t))
	made := must[*organizations.CreateResponse](t)(api.Organizations.Create(t.Context(),
		&organizations.CreateParams{OrganizationName: "Acme"})).Organization
	if !strings.HasPrefix(made.OrganizationSlug, "acme-") {
		t.Errorf("a slug for a name that is taken: %s", made.OrganizationSlug)
	}
	made = must[*organizations.CreateResponse](t)(api.Organizations.Create(t.Context(),
		&organizations.CreateParams{OrganizationName: "Closed", AuthMethods: "ALL_ALLOWED"})).Organization
	if made.EmailInvites != "NOT_ALLOWED" {
		t.Errorf("with another setting given, invitations are %s", made.EmailInvites)
	}
}

func TestOrganizationSearchFilters(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) {
		seed.Organizations[0].EmailAllowedDomains = []string{"acme.example", "acme.test"}
	})
	api := lazyClient(t, s)
	for _, tt := range []struct {
		filter string
		value  any
		want   string
	}{
		{"organization_ids", []string{globex, "organization-test-none"}, "globex"},
		{"organization_slugs", []string{"acme", "globex"}, "acme globex"},
		{"organization_name_fuzzy", "LOBE", "globex"},
		{"organization_slug_fuzzy", "acm", "acme"},
		{"member_emails", []string{"hank@globex.example"}, "globex"},
		{"member_email_fuzzy", "grace@", "acme"},
		{"allowed_domains", []string{"acme.test"}, "acme"},
		{"allowed_domain_fuzzy", "me.exa", "acme"},
		{"claimed_email_domains", []string{"acme.example"}, ""},
		{"has_active_sso_connection", false, "acme globex"},
		{"has_active_sso_connection", true, ""},
		{"sso_connection_id", "saml-connection-test-1", ""},
	} {
		t.Run(tt.filter, func(t *testing.T) {
			found, err := api.Organizations.Search(t.Context(),
				&organizations.SearchParams{Query: &organizations.SearchQuery{Operator: "AND",
					Operands: []map[string]any{{"filter_name": tt.filter, "filter_value": tt.value}}}})
			var slugs []string
			for _, o := range found.Organizations {
				slugs = append(slugs, o.OrganizationSlug)
			}
			if slices.Sort(slugs); err != nil || strings.Join(slugs, " ") != tt.want {
				t.Errorf("%q, %v; want %q", slugs, err, tt.want)
			}
		})
	}
}

func TestConnectedAppRulesOfAnOrganization(t *testing.T) {
	forbid := stytchtest.Organization{FirstPartyApps: "NOT_ALLOWED", ThirdPartyApps: "NOT_ALLOWED"}
	for _, tt := range []struct {
		name         string
		rule         stytchtest.Organization
		third, first bool
	}{
		{"nothing said", stytchtest.Organization{}, true, true},
		{"none allowed", forbid, false, false},
		{"third parties listed", stytchtest.Organization{ThirdPartyApps: "RESTRICTED", AllowedApps: []string{gpt}},
			true, true},
		{"another one listed", stytchtest.Organization{ThirdPartyApps: "RESTRICTED", FirstPartyApps: "RESTRICTED",
			AllowedApps: []string{ours}}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, func(seed *stytchtest.Seed) {
				o := &seed.Organizations[0]
				o.FirstPartyApps, o.ThirdPartyApps, o.AllowedApps = tt.rule.FirstPartyApps, tt.rule.ThirdPartyApps,
					tt.rule.AllowedApps
			})
			for client, allowed := range map[string]bool{gpt: tt.third, ours: tt.first} {
				redirect := callback
				if client == ours {
					redirect += "?tenant=b&a=1"
				}
				status, reply, _ := ask(t, "POST", s.URL+"/v1/b2b/idp/oauth/authorize/start",
					object{"organization_id": acme, "member_id": ada,
						"client_id": client, "redirect_uri": redirect}, basic(project, projectSecret))
				if (status == 200) != allowed || !allowed &&
					(status != 403 || reply["error_type"] != "connected_app_not_allowed_for_org") {
					t.Errorf("%s: %d %v", client, status, reply)
				}
			}
		})
	}
}

// TestWhatAMemberMayChange: with a member's session beside the project's secret the
// policy decides, action by action.
func TestWhatAMemberMayChange(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) {
		seed.Policy.Roles = append(seed.Policy.Roles, stytchtest.Role{ID: "scribe",
			Permissions: []stytchtest.Permission{
				{ResourceID: "stytch.organization", Actions: []string{"update.info.name"}},
				{ResourceID: "stytch.member",
					Actions: []string{"update.info.name"}}}})
		seed.Members[1].Roles = append(seed.Members[1].Roles, "scribe")
	})
	api := lazyClient(t, s)
	scribe := methodoptions.Authorization{SessionToken: login(t, s, "grace@acme.example", acme)}
	admin := methodoptions.Authorization{SessionToken: login(t, s, "ada@acme.example", acme)}
	organization := func(as methodoptions.Authorization, p organizations.UpdateParams) error {
		p.OrganizationID = acme
		_, err := api.Organizations.Update(t.Context(), &p, &organizations.UpdateRequestOptions{Authorization: as})
		return err
	}
	member := func(as methodoptions.Authorization, p members.UpdateParams) error {
		p.OrganizationID, p.MemberID = acme, ada
		_, err := api.Organizations.Members.Update(t.Context(), &p, &members.UpdateRequestOptions{Authorization: as})
		return err
	}
	for name, err := range map[string]error{
		"an organization's name by one who may": organization(scribe,
			organizations.UpdateParams{OrganizationName: "Acme & Sons"}),
		"its slug by an administrator": organization(admin,
			organizations.UpdateParams{OrganizationSlug: "acme-sons"}),
		"a member's name by one who may": member(scribe, members.UpdateParams{Name: "Ada King"}),
		"roles by an administrator": member(admin,
			members.UpdateParams{Roles: &[]string{"stytch_admin", "scribe"}}),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused(t, organization(scribe, organizations.UpdateParams{OrganizationName: "X", OrganizationSlug: "xx"}), 403,
		"session_authorization_error")
	refused(t, organization(admin, organizations.UpdateParams{TrustedMetadata: map[string]any{"plan": "paid"}}), 403,
		"cannot_update_trusted_metadata")
	refused(t, member(scribe, members.UpdateParams{Roles: &[]string{}}), 403, "session_authorization_error")
	refused(t, member(admin, members.UpdateParams{TrustedMetadata: map[string]any{"vip": true}}), 403,
		"cannot_update_trusted_metadata")
	_, err := api.Organizations.Members.Create(t.Context(), &members.CreateParams{OrganizationID: acme,
		EmailAddress: "new@acme.example"}, &members.CreateRequestOptions{Authorization: scribe})
	refused(t, err, 403, "session_authorization_error")
	_, err = api.Organizations.Members.Delete(t.Context(), &members.DeleteParams{OrganizationID: acme, MemberID: ada},
		&members.DeleteRequestOptions{Authorization: scribe})
	refused(t, err, 403, "session_authorization_error")
	_, err = api.Organizations.Delete(t.Context(), &organizations.DeleteParams{OrganizationID: globex},
		&organizations.DeleteRequestOptions{Authorization: admin})
	refused(t, err, 403, "session_authorization_tenancy_error")
	_, err = api.Organizations.Members.Search(t.Context(), &members.SearchParams{OrganizationIds: []string{globex}},
		&members.SearchRequestOptions{Authorization: admin})
	refused(t, err, 403, "session_authorization_tenancy_error")
	_, err = api.Organizations.Delete(t.Context(), &organizations.DeleteParams{OrganizationID: acme},
		&organizations.DeleteRequestOptions{Authorization: methodoptions.Authorization{SessionToken: "made up"}})
	refused(t, err, 404, "session_not_found")
}
