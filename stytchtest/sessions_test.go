package stytchtest_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	discoverysessions "github.com/stytchauth/stytch-go/v16/stytch/b2b/discovery/intermediatesessions"
	stytchidp "github.com/stytchauth/stytch-go/v16/stytch/b2b/idp"
	linkdiscovery "github.com/stytchauth/stytch-go/v16/stytch/b2b/magiclinks/discovery"
	maildiscovery "github.com/stytchauth/stytch-go/v16/stytch/b2b/magiclinks/email/discovery"
	otpdiscovery "github.com/stytchauth/stytch-go/v16/stytch/b2b/otp/email/discovery"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/sessions"

	"guestpass/stytchtest"
)

func TestSessions(t *testing.T) {
	s := open(t)
	api := client(t, s) // with its key set, as a server that checks sessions locally has it
	token := login(t, s, "ada@acme.example", acme)
	got := must[*sessions.AuthenticateResponse](t)(api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token}))
	if got.Member.MemberID != ada || got.MemberSession.OrganizationSlug != "acme" || got.SessionToken != token || !slices.Contains(got.MemberSession.Roles, "stytch_admin") {
		t.Errorf("%+v", got)
	}
	claims := claimsOf(t, got.SessionJWT)
	about, _ := claims["https://stytch.com/session"].(object)
	if claims["exp"].(float64)-claims["iat"].(float64) != 300 || about["id"] != got.MemberSession.MemberSessionID || claims["client_id"] != nil || claims["scope"] != nil || claims["jti"] != nil {
		t.Errorf("session JWT %v", claims)
	}
	s.Advance(6 * time.Minute) // the JWT has ended, its session has not
	if _, err := api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionJWT: got.SessionJWT}); err != nil {
		t.Error(err)
	}
	_, err := api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionJWT: got.SessionJWT, SessionToken: token})
	refused(t, err, 400, "too_many_session_arguments")
	check := &sessions.AuthorizationCheck{OrganizationID: acme, ResourceID: "members", Action: "invite"}
	if verdict, err := api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token, AuthorizationCheck: check}); err != nil || verdict.Verdict == nil || verdict.Verdict.GrantingRoles[0] != "stytch_admin" {
		t.Errorf("%+v %v", verdict, err)
	}
	check.OrganizationID = globex
	_, err = api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token, AuthorizationCheck: check})
	refused(t, err, 403, "session_authorization_tenancy_error")
	_, err = api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token, SessionDurationMinutes: 4})
	refused(t, err, 400, "invalid_session_duration_minutes")

	if _, err := api.Sessions.Revoke(t.Context(), &sessions.RevokeParams{MemberSessionID: got.MemberSession.MemberSessionID}); err != nil {
		t.Error(err)
	}
	_, err = api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token})
	refused(t, err, 404, "session_not_found")
}

func TestSessionJWTsCheckLocally(t *testing.T) {
	// stytch-go looks at the real clock and the real expiry.
	s := stytchtest.NewServer(t, stytchtest.Options{})
	api := client(t, s)
	jwt := must[string](t)(s.Mint(stytchtest.MintRequest{Kind: "session", Subject: grace, Issuer: "stytch.com/" + project}))
	session, err := api.Sessions.AuthenticateJWTLocal(t.Context(), jwt, 5*time.Minute, nil)
	if err != nil || session.MemberID != grace || session.OrganizationSlug != "acme" || !session.ExpiresAt.After(time.Now()) {
		t.Errorf("%+v %v", session, err)
	}
	access := must[string](t)(s.Mint(stytchtest.MintRequest{Subject: grace, Issuer: "stytch.com/" + project}))
	local, err := api.IDP.IntrospectTokenLocal(t.Context(), &stytchidp.IntrospectTokenLocalParams{Token: access})
	if err != nil || local.Subject != grace || local.ClientID != gpt || local.Organization.Slug != "acme" {
		t.Errorf("%+v %v", local, err)
	}
}

func TestServerLogin(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s)
	if _, err := api.OTPs.Email.Discovery.Send(t.Context(), &otpdiscovery.SendParams{EmailAddress: "ada@acme.example"}); err != nil {
		t.Fatal(err)
	}
	code := s.Inbox()[0].Code
	found := must[*otpdiscovery.AuthenticateResponse](t)(api.OTPs.Email.Discovery.Authenticate(t.Context(), &otpdiscovery.AuthenticateParams{EmailAddress: "ada@acme.example", Code: code}))
	if len(found.DiscoveredOrganizations) != 1 || found.DiscoveredOrganizations[0].Organization.OrganizationID != acme || found.DiscoveredOrganizations[0].Membership.Type != "active_member" {
		t.Errorf("%+v", found)
	}
	_, err := api.Discovery.IntermediateSessions.Exchange(t.Context(), &discoverysessions.ExchangeParams{IntermediateSessionToken: found.IntermediateSessionToken, OrganizationID: globex})
	refused(t, err, 403, "invalid_intermediate_session_token_for_organization")
	signedIn := must[*discoverysessions.ExchangeResponse](t)(api.Discovery.IntermediateSessions.Exchange(t.Context(),
		&discoverysessions.ExchangeParams{IntermediateSessionToken: found.IntermediateSessionToken, OrganizationID: acme}))
	if !signedIn.MemberAuthenticated || signedIn.SessionJWT == "" || signedIn.MemberSession.AuthenticationFactors[0].Type != "email_otp" {
		t.Errorf("%+v", signedIn)
	}
	if _, err := api.MagicLinks.Email.Discovery.Send(t.Context(), &maildiscovery.SendParams{EmailAddress: "hank@globex.example", DiscoveryRedirectURL: idp}); err != nil {
		t.Fatal(err)
	}
	u := must[*url.URL](t)(url.Parse(s.Inbox()[0].Link))
	linked, err := api.MagicLinks.Discovery.Authenticate(t.Context(), &linkdiscovery.AuthenticateParams{DiscoveryMagicLinksToken: u.Query().Get("token")})
	if err != nil || linked.DiscoveredOrganizations[0].Organization.OrganizationID != globex {
		t.Errorf("%+v %v", linked, err)
	}
}
