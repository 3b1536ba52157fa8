package stytchtest_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/b2b/b2bstytchapi"
	discoverysessions "github.com/stytchauth/stytch-go/v16/stytch/b2b/discovery/intermediatesessions"
	stytchidp "github.com/stytchauth/stytch-go/v16/stytch/b2b/idp"
	linkdiscovery "github.com/stytchauth/stytch-go/v16/stytch/b2b/magiclinks/discovery"
	maildiscovery "github.com/stytchauth/stytch-go/v16/stytch/b2b/magiclinks/email/discovery"
	otpdiscovery "github.com/stytchauth/stytch-go/v16/stytch/b2b/otp/email/discovery"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/passwords"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/sessions"
	consumersessions "github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"

	"guestpass/stytchtest"
)

func TestSessions(t *testing.T) {
	s := open(t)
	api := client(t, s) // with its key set, as a server that checks sessions locally has it
	token := login(t, s, "ada@acme.example", acme)
	got := must[*sessions.AuthenticateResponse](t)(api.Sessions.Authenticate(t.Context(),
		&sessions.AuthenticateParams{SessionToken: token}))
	if got.Member.MemberID != ada || got.MemberSession.OrganizationSlug != "acme" || got.SessionToken != token ||
		!slices.Contains(got.MemberSession.Roles, "stytch_admin") {
		t.Errorf("%+v", got)
	}
	claims := claimsOf(t, got.SessionJWT)
	about, _ := claims["https://stytch.com/session"].(object)
	if claims["exp"].(float64)-claims["iat"].(float64) != 300 || about["id"] != got.MemberSession.MemberSessionID ||
		claims["client_id"] != nil || claims["scope"] != nil || claims["jti"] != nil {
		t.Errorf("session JWT %v", claims)
	}
	s.Advance(6 * time.Minute) // the JWT has ended, its session has not
	if _, err := api.Sessions.Authenticate(t.Context(),
		&sessions.AuthenticateParams{SessionJWT: got.SessionJWT}); err != nil {
		t.Error(err)
	}
	_, err := api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionJWT: got.SessionJWT,
		SessionToken: token})
	refused(t, err, 400, "too_many_session_arguments")
	check := &sessions.AuthorizationCheck{OrganizationID: acme, ResourceID: "members", Action: "invite"}
	if verdict, err := api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token,
		AuthorizationCheck: check}); err != nil || verdict.Verdict == nil ||
		verdict.Verdict.GrantingRoles[0] != "stytch_admin" {
		t.Errorf("%+v %v", verdict, err)
	}
	check.OrganizationID = globex
	_, err = api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token,
		AuthorizationCheck: check})
	refused(t, err, 403, "session_authorization_tenancy_error")
	_, err = api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token,
		SessionDurationMinutes: 4})
	refused(t, err, 400, "invalid_session_duration_minutes")

	if _, err := api.Sessions.Revoke(t.Context(),
		&sessions.RevokeParams{MemberSessionID: got.MemberSession.MemberSessionID}); err != nil {
		t.Error(err)
	}
	_, err = api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token})
	refused(t, err, 404, "session_not_found")
}

func TestSessionJWTsCheckLocally(t *testing.T) {
	// stytch-go looks at the real clock and the real expiry.
	s := stytchtest.NewServer(t, stytchtest.Options{})
	api := client(t, s)
	jwt := must[string](t)(s.Mint(stytchtest.MintRequest{Kind: "session", Subject: grace,
		Issuer: "stytch.com/" + project}))
	session, err := api.Sessions.AuthenticateJWTLocal(t.Context(), jwt, 5*time.Minute, nil)
	if err != nil || session.MemberID != grace || session.OrganizationSlug != "acme" ||
		!session.ExpiresAt.After(time.Now()) {
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
	if _, err := api.OTPs.Email.Discovery.Send(t.Context(),
		&otpdiscovery.SendParams{EmailAddress: "ada@acme.example"}); err != nil {
		t.Fatal(err)
	}
	code := s.Inbox()[0].Code
	found := must[*otpdiscovery.AuthenticateResponse](t)(api.OTPs.Email.Discovery.Authenticate(t.Context(),
		&otpdiscovery.AuthenticateParams{EmailAddress: "ada@acme.example", Code: code}))
	if len(found.DiscoveredOrganizations) != 1 ||
		found.DiscoveredOrganizations[0].Organization.OrganizationID != acme ||
		found.DiscoveredOrganizations[0].Membership.Type != "active_member" {
		t.Errorf("%+v", found)
	}
	_, err := api.Discovery.IntermediateSessions.Exchange(t.Context(),
		&discoverysessions.ExchangeParams{IntermediateSessionToken: found.IntermediateSessionToken,
			OrganizationID: globex})
	refused(t, err, 403, "invalid_intermediate_session_token_for_organization")
	signedIn := must[*discoverysessions.ExchangeResponse](t)(api.Discovery.IntermediateSessions.Exchange(t.Context(),
		&discoverysessions.ExchangeParams{IntermediateSessionToken: found.IntermediateSessionToken,
			OrganizationID: acme}))
	if !signedIn.MemberAuthenticated || signedIn.SessionJWT == "" ||
		signedIn.MemberSession.AuthenticationFactors[0].Type != "email_otp" {
		t.Errorf("%+v", signedIn)
	}
	if _, err := api.MagicLinks.Email.Discovery.Send(t.Context(),
		&maildiscovery.SendParams{EmailAddress: "hank@globex.example", DiscoveryRedirectURL: idp}); err != nil {
		t.Fatal(err)
	}
	u := must[*url.URL](t)(url.Parse(s.Inbox()[0].Link))
	linked, err := api.MagicLinks.Discovery.Authenticate(t.Context(),
		&linkdiscovery.AuthenticateParams{DiscoveryMagicLinksToken: u.Query().Get("token")})
	if err != nil || linked.DiscoveredOrganizations[0].Organization.OrganizationID != globex {
		t.Errorf("%+v %v", linked, err)
	}
}

func TestSessionsAreListedExchangedAndRevoked(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) {
		seed.Members = append(seed.Members, stytchtest.Member{ID: "member-test-1", OrganizationID: globex,
			Email: "ada@acme.example", Status: "invited"})
	})
	api := lazyClient(t, s).Sessions
	list := func(organization, member string) []sessions.MemberSession {
		t.Helper()
		return must[*sessions.GetResponse](t)(api.Get(t.Context(), &sessions.GetParams{OrganizationID: organization,
			MemberID: member})).MemberSessions
	}
	one, two, three := login(t, s, "ada@acme.example", acme), login(t, s, "ada@acme.example", acme),
		login(t, s, "ada@acme.example", acme)
	login(t, s, "grace@acme.example", acme)
	if found := list("acme", ada); len(found) != 3 || found[0].MemberID != ada || found[0].OrganizationID != acme {
		t.Errorf("%+v", found)
	}
	_, err := api.Get(t.Context(), &sessions.GetParams{OrganizationID: globex, MemberID: ada})
	refused(t, err, 404, "member_not_found")

	moved := must[*sessions.ExchangeResponse](t)(api.Exchange(t.Context(), &sessions.ExchangeParams{SessionToken: one,
		OrganizationID: globex, SessionDurationMinutes: 15}))
	if moved.MemberID != "member-test-1" || moved.Member.Status != "active" ||
		moved.Organization.OrganizationID != globex || !moved.MemberSession.ExpiresAt.Equal(noon.Add(15*time.Minute)) ||
		moved.MemberSession.AuthenticationFactors[0].Type != "email_otp" {
		t.Errorf("%+v", moved)
	}
	_, err = api.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: one})
	refused(t, err, 404, "session_not_found")
	same := must[*sessions.ExchangeResponse](t)(api.Exchange(t.Context(),
		&sessions.ExchangeParams{SessionToken: moved.SessionToken, OrganizationID: globex}))
	if _, err := api.Authenticate(t.Context(),
		&sessions.AuthenticateParams{SessionToken: same.SessionToken}); err != nil {
		t.Errorf("exchanged for the same organization: %v", err)
	}
	_, err = api.Exchange(t.Context(), &sessions.ExchangeParams{SessionToken: two, OrganizationID: "nowhere"})
	refused(t, err, 404, "organization_not_found")
	_, err = api.Exchange(t.Context(), &sessions.ExchangeParams{SessionToken: login(t, s, "grace@acme.example", acme),
		OrganizationID: globex})
	refused(t, err, 404, "member_not_found")
	_, err = api.Exchange(t.Context(), &sessions.ExchangeParams{SessionToken: two, OrganizationID: globex,
		SessionDurationMinutes: 1})
	refused(t, err, 400, "invalid_session_duration_minutes")

	got := must[*sessions.AuthenticateResponse](t)(api.Authenticate(t.Context(),
		&sessions.AuthenticateParams{SessionToken: two}))
	for name, p := range map[string]sessions.RevokeParams{"by JWT": {SessionJWT: got.SessionJWT},
		"by token": {SessionToken: three}, "an unknown one": {MemberSessionID: "member-session-test-none"},
		"all of a member": {MemberID: grace}} {
		if _, err := api.Revoke(t.Context(), &p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(list(acme, ada)) != 0 || len(list(acme, grace)) != 0 {
		t.Error("something was not revoked")
	}
	_, err = api.Revoke(t.Context(), &sessions.RevokeParams{})
	refused(t, err, 400, "no_session_revoke_arguments")
	_, err = api.Revoke(t.Context(), &sessions.RevokeParams{SessionToken: two, MemberID: ada})
	refused(t, err, 400, "too_many_session_revoke_arguments")
	_, err = api.Authenticate(t.Context(), &sessions.AuthenticateParams{})
	refused(t, err, 400, "no_session_arguments")
}

func TestASessionLastsAsLongAsAsked(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s)
	in := must[*passwords.AuthenticateResponse](t)(api.Passwords.Authenticate(t.Context(),
		&passwords.AuthenticateParams{OrganizationID: acme, EmailAddress: "ada@acme.example",
			Password: stytchtest.DevelopmentPassword, SessionDurationMinutes: 5}))
	authenticate := func(minutes int32) (*sessions.AuthenticateResponse, error) {
		return api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: in.SessionToken,
			SessionDurationMinutes: minutes})
	}
	s.Advance(5*time.Minute - time.Second)
	got := must[*sessions.AuthenticateResponse](t)(authenticate(0))
	if !got.MemberSession.ExpiresAt.Equal(noon.Add(5*time.Minute)) || !got.MemberSession.LastAccessedAt.Equal(
		noon.Add(5*time.Minute-time.Second)) || !got.MemberSession.StartedAt.Equal(noon) {
		t.Errorf("unasked it is not extended: %+v", got.MemberSession)
	}
	for _, minutes := range []int32{4, 527041} {
		_, err := authenticate(minutes)
		refused(t, err, 400, "invalid_session_duration_minutes")
	}
	longest := must[*sessions.AuthenticateResponse](t)(authenticate(527040))
	if !longest.MemberSession.ExpiresAt.Equal(noon.Add(5*time.Minute-time.Second+366*24*time.Hour)) ||
		longest.MemberSession.MemberSessionID != in.MemberSession.MemberSessionID {
		t.Errorf("extended: %+v", longest.MemberSession)
	}
	s.Advance(366 * 24 * time.Hour)
	_, err := authenticate(0)
	refused(t, err, 404, "session_not_found")
	_, err = api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionJWT: longest.SessionJWT})
	refused(t, err, 404, "session_not_found")
}

func TestAnotherFactorJoinsTheSession(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s)
	token := login(t, s, "ada@acme.example", acme)
	p := passwords.AuthenticateParams{OrganizationID: acme, EmailAddress: "ada@acme.example",
		Password: stytchtest.DevelopmentPassword, SessionToken: token}
	both := must[*passwords.AuthenticateResponse](t)(api.Passwords.Authenticate(t.Context(), &p))
	if f := both.MemberSession.AuthenticationFactors; both.SessionToken != token || len(f) != 2 ||
		f[0].Type != "email_otp" || f[1].Type != "password" {
		t.Errorf("%+v", both.MemberSession)
	}
	again := must[*passwords.AuthenticateResponse](t)(api.Passwords.Authenticate(t.Context(), &p))
	if len(again.MemberSession.AuthenticationFactors) != 2 {
		t.Errorf("%+v", again.MemberSession)
	}
	p.EmailAddress = "grace@acme.example" // somebody else's session is no ground for anything
	if other, err := api.Passwords.Authenticate(t.Context(), &p); err != nil || other.SessionToken == token ||
		other.MemberSession.MemberID != grace {
		t.Errorf("%+v %v", other, err)
	}
	p.SessionJWT = both.SessionJWT
	_, err := api.Passwords.Authenticate(t.Context(), &p)
	refused(t, err, 400, "too_many_session_arguments")
}

// TestKeysAtConstruction: each client reads the key set under the path of its own vertical;
// both paths are there for both.
func TestKeysAtConstruction(t *testing.T) {
	for _, s := range []*stytchtest.Server{open(t), openConsumer(t)} {
		b2bAPI, consumerAPI := client(t, s), consumerClient(t, s)
		var paths []string
		for _, r := range s.Requests() {
			paths = append(paths, r.Path)
		}
		slices.Sort(paths)
		if want := []string{"/v1/b2b/sessions/jwks/" + projectOf(s),
			"/v1/sessions/jwks/" + projectOf(s)}; !slices.Equal(paths, want) {
			t.Errorf("%v, want %v", paths, want)
		}
		s.RotateKeys()
		b2bKeys := must[*sessions.GetJWKSResponse](t)(b2bAPI.Sessions.GetJWKS(t.Context(),
			&sessions.GetJWKSParams{ProjectID: projectOf(s)}))
		consumerKeys := must[*consumersessions.GetJWKSResponse](t)(consumerAPI.Sessions.GetJWKS(t.Context(),
			&consumersessions.GetJWKSParams{ProjectID: projectOf(s)}))
		if len(b2bKeys.Keys) != 2 || len(consumerKeys.Keys) != 2 || b2bKeys.Keys[0].Kid != consumerKeys.Keys[0].Kid ||
			b2bKeys.Keys[1].X5C[0] == "" {
			t.Errorf("%+v %+v", b2bKeys, consumerKeys)
		}
	}
	s := open(t)
	s.FailNext("/v1/b2b/sessions/jwks", 503)
	if _, err := b2bstytchapi.NewClient(project, projectSecret, b2bstytchapi.WithBaseURI(s.URL)); err == nil {
		t.Error("a client was made without keys")
	}
}
