package stytchtest_test

import (
	"testing"
	"time"

	discovery "github.com/stytchauth/stytch-go/v16/stytch/b2b/discovery"
	discoverysessions "github.com/stytchauth/stytch-go/v16/stytch/b2b/discovery/intermediatesessions"
	discoveryorganizations "github.com/stytchauth/stytch-go/v16/stytch/b2b/discovery/organizations"
	otpdiscovery "github.com/stytchauth/stytch-go/v16/stytch/b2b/otp/email/discovery"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/sessions"

	"guestpass/stytchtest"
)

// discover signs in with a code and returns the intermediate session token and what was found.
func discover(t *testing.T, s *stytchtest.Server, email string) (string, []discovery.DiscoveredOrganization) {
	t.Helper()
	api := lazyClient(t, s).OTPs.Email.Discovery
	if _, err := api.Send(t.Context(), &otpdiscovery.SendParams{EmailAddress: email}); err != nil {
		t.Fatal(err)
	}
	found := must[*otpdiscovery.AuthenticateResponse](t)(api.Authenticate(t.Context(),
		&otpdiscovery.AuthenticateParams{EmailAddress: email, Code: s.Inbox()[0].Code}))
	return found.IntermediateSessionToken, found.DiscoveredOrganizations
}

func exchangeIntermediate(t *testing.T, s *stytchtest.Server, token,
	organization string) *discoverysessions.ExchangeResponse {
	t.Helper()
	return must[*discoverysessions.ExchangeResponse](t)(lazyClient(t, s).Discovery.IntermediateSessions.Exchange(
		t.Context(),
		&discoverysessions.ExchangeParams{IntermediateSessionToken: token, OrganizationID: organization}))
}

// memberships are slug=type of what was discovered.
func memberships(found []discovery.DiscoveredOrganization) map[string]string {
	types := map[string]string{}
	for _, d := range found {
		types[d.Organization.OrganizationSlug] = d.Membership.Type
	}
	return types
}

func TestDiscoveryShowsEveryKindOfMembership(t *testing.T) {
	s := open(t, byDomain, func(seed *stytchtest.Seed) {
		member := func(id, organization, status string) stytchtest.Member {
			return stytchtest.Member{ID: id, OrganizationID: organization, Email: "alan@acme.example", Status: status}
		}
		for _, slug := range []string{"invites", "waits", "left"} {
			seed.Organizations = append(seed.Organizations, stytchtest.Organization{ID: "organization-test-" + slug,
				Name: slug, Slug: slug})
		}
		seed.Members = append(seed.Members, member("member-test-1", globex, "active"),
			member("member-test-2", "organization-test-invites", "invited"),
			member("member-test-3", "organization-test-waits", "pending"),
			member("member-test-4", "organization-test-left", "deleted"))
	})
	token, found := discover(t, s, "Alan@acme.example")
	got := memberships(found)
	want := map[string]string{"globex": "active_member", "invites": "invited_member", "waits": "pending_member",
		"acme": "eligible_to_join_by_email_domain"}
	for slug, kind := range want {
		if got[slug] != kind {
			t.Errorf("%s: %q, want %q", slug, got[slug], kind)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
	for _, d := range found {
		if known := d.Membership.Type != "eligible_to_join_by_email_domain"; known != (d.Membership.Member != nil) ||
			!d.MemberAuthenticated || d.PrimaryRequired != nil || d.MFARequired != nil {
			t.Errorf("%s: %+v", d.Organization.OrganizationSlug, d)
		}
		if d.Membership.Type == "eligible_to_join_by_email_domain" && d.Membership.Details["domain"] != "acme.example" {
			t.Errorf("details %v", d.Membership.Details)
		}
	}
	api := lazyClient(t, s).Discovery
	listed := must[*discoveryorganizations.ListResponse](t)(api.Organizations.List(t.Context(),
		&discoveryorganizations.ListParams{IntermediateSessionToken: token}))
	if listed.EmailAddress != "Alan@acme.example" || len(listed.DiscoveredOrganizations) != 4 ||
		listed.OrganizationIDHint != "" {
		t.Errorf("listed: %+v", listed)
	}
	_, err := api.Organizations.List(t.Context(), &discoveryorganizations.ListParams{IntermediateSessionToken: token,
		SessionToken: "x"})
	refused(t, err, 400, "too_many_session_arguments")
	_, err = api.Organizations.List(t.Context(), &discoveryorganizations.ListParams{IntermediateSessionToken: "x"})
	refused(t, err, 401, "intermediate_session_not_found")

	in := exchangeIntermediate(t, s, token, "waits")
	if in.MemberID != "member-test-3" || in.Member.Status != "active" {
		t.Errorf("in: %+v", in)
	}
	_, err = api.IntermediateSessions.Exchange(t.Context(),
		&discoverysessions.ExchangeParams{IntermediateSessionToken: token, OrganizationID: globex})
	refused(t, err, 401, "intermediate_session_not_found")
	bySession := must[*discoveryorganizations.ListResponse](t)(api.Organizations.List(t.Context(),
		&discoveryorganizations.ListParams{SessionToken: in.SessionToken}))
	if got := memberships(bySession.DiscoveredOrganizations); got["waits"] != "active_member" ||
		got["globex"] != "active_member" {
		t.Errorf("by session: %v", got)
	}
}

func TestJoiningByDomain(t *testing.T) {
	s := open(t, byDomain)
	token, _ := discover(t, s, "new@acme.example")
	_, err := lazyClient(t, s).Discovery.IntermediateSessions.Exchange(t.Context(),
		&discoverysessions.ExchangeParams{IntermediateSessionToken: token, OrganizationID: globex})
	refused(t, err, 403, "invalid_intermediate_session_token_for_organization")
	in := exchangeIntermediate(t, s, token, acme)
	if in.Member.EmailAddress != "new@acme.example" || in.Member.Status != "active" ||
		!in.Member.EmailAddressVerified || in.Member.IsAdmin || in.Organization.OrganizationID != acme ||
		in.MemberSession == nil {
		t.Errorf("%+v", in)
	}
	if _, again := discover(t, s, "new@acme.example"); memberships(again)["acme"] != "active_member" ||
		len(again) != 1 {
		t.Errorf("%v", memberships(again))
	}
	expired, _ := discover(t, s, "other@acme.example")
	s.Advance(10 * time.Minute)
	_, err = lazyClient(t, s).Discovery.IntermediateSessions.Exchange(t.Context(),
		&discoverysessions.ExchangeParams{IntermediateSessionToken: expired, OrganizationID: acme})
	refused(t, err, 401, "intermediate_session_not_found")
}

func TestWhoeverMakesAnOrganizationRunsIt(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s).Discovery
	token, found := discover(t, s, "founder@new.example")
	if len(found) != 0 {
		t.Errorf("%v", memberships(found))
	}
	_, err := api.Organizations.Create(t.Context(),
		&discoveryorganizations.CreateParams{IntermediateSessionToken: token, OrganizationName: "Acme",
			OrganizationSlug: "acme"})
	refused(t, err, 400, "organization_slug_already_used")
	_, err = api.Organizations.Create(t.Context(), &discoveryorganizations.CreateParams{IntermediateSessionToken: token,
		SessionDurationMinutes: 1})
	refused(t, err, 400, "invalid_session_duration_minutes")
	made := must[*discoveryorganizations.CreateResponse](t)(api.Organizations.Create(t.Context(),
		&discoveryorganizations.CreateParams{IntermediateSessionToken: token,
			OrganizationName: "New Works", SessionDurationMinutes: 90}))
	if made.Organization == nil || made.Organization.OrganizationSlug != "new-works" || !made.Member.IsAdmin ||
		made.Member.EmailAddress != "founder@new.example" ||
		!made.MemberSession.ExpiresAt.Equal(noon.Add(90*time.Minute)) || !made.MemberAuthenticated {
		t.Errorf("%+v", made)
	}
	token, _ = discover(t, s, "other@new.example")
	unnamed := must[*discoveryorganizations.CreateResponse](t)(api.Organizations.Create(t.Context(),
		&discoveryorganizations.CreateParams{IntermediateSessionToken: token}))
	if unnamed.Organization.OrganizationName != "Other's Organization" ||
		unnamed.Organization.OrganizationSlug != "other-s-organization" {
		t.Errorf("%+v", unnamed.Organization)
	}
	_, err = api.Organizations.Create(t.Context(),
		&discoveryorganizations.CreateParams{IntermediateSessionToken: token})
	refused(t, err, 401, "intermediate_session_not_found")
	if found := must[*sessions.GetResponse](t)(lazyClient(t, s).Sessions.Get(t.Context(),
		&sessions.GetParams{OrganizationID: made.Organization.OrganizationID, MemberID: made.MemberID})); len(
		found.MemberSessions) != 1 {
		t.Errorf("%+v", found)
	}
}
