package stytchtest_test

import (
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/b2b/passwords"
	passworddiscovery "github.com/stytchauth/stytch-go/v16/stytch/b2b/passwords/discovery"
	discoveryreset "github.com/stytchauth/stytch-go/v16/stytch/b2b/passwords/discovery/email"
	passwordemail "github.com/stytchauth/stytch-go/v16/stytch/b2b/passwords/email"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/passwords/existingpassword"
	passwordsession "github.com/stytchauth/stytch-go/v16/stytch/b2b/passwords/session"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/sessions"
	consumerpasswords "github.com/stytchauth/stytch-go/v16/stytch/consumer/passwords"

	"guestpass/stytchtest"
)

const fresh = "Another-pass-2"

func TestPasswordStrength(t *testing.T) {
	api, users := lazyClient(t, open(t)).Passwords, openConsumer(t)
	for _, tt := range []struct {
		password                            string
		valid                               bool
		missingCharacters, missingClasses   int32
		hasLower, hasUpper, hasDigit, other bool
	}{
		{"", false, 8, 3, false, false, false, false},
		{"abc", false, 5, 2, true, false, false, false},
		{"abcdefgh", false, 0, 2, true, false, false, false},
		{"Abcdefg1", true, 0, 0, true, true, true, false},
		{"pass-w0rd", true, 0, 0, true, false, true, true},
	} {
		t.Run(tt.password, func(t *testing.T) {
			got := must[*passwords.StrengthCheckResponse](t)(api.StrengthCheck(t.Context(),
				&passwords.StrengthCheckParams{Password: tt.password}))
			l := got.LudsFeedback
			if got.ValidPassword != tt.valid || (got.Score == 4) != tt.valid || got.StrengthPolicy != "luds" ||
				got.BreachedPassword || got.ZxcvbnFeedback == nil ||
				l.MissingCharacters != tt.missingCharacters || l.MissingComplexity != tt.missingClasses ||
				l.HasLowerCase != tt.hasLower || l.HasUpperCase != tt.hasUpper ||
				l.HasDigit != tt.hasDigit || l.HasSymbol != tt.other {
				t.Errorf("%+v %+v", got, l)
			}
			consumer := must[*consumerpasswords.StrengthCheckResponse](t)(lazyConsumerClient(t,
				users).Passwords.StrengthCheck(t.Context(),
				&consumerpasswords.StrengthCheckParams{Password: tt.password}))
			if consumer.ValidPassword != tt.valid || consumer.Feedback == nil ||
				consumer.Feedback.LudsRequirements == nil ||
				consumer.Feedback.LudsRequirements.MissingCharacters != tt.missingCharacters {
				t.Errorf("Consumer: %+v", consumer)
			}
		})
	}
}

func TestPasswordOfAMember(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s).Passwords
	p := passwords.AuthenticateParams{OrganizationID: "acme", EmailAddress: "Ada@acme.example",
		Password: stytchtest.DevelopmentPassword, SessionDurationMinutes: 5}
	in := must[*passwords.AuthenticateResponse](t)(api.Authenticate(t.Context(), &p))
	if in.MemberID != ada || in.MemberSession.AuthenticationFactors[0].Type != "password" ||
		in.MemberSession.AuthenticationFactors[0].DeliveryMethod != "knowledge" ||
		!in.MemberSession.ExpiresAt.Equal(noon.Add(5*time.Minute)) || in.Member.MemberPasswordID == "" {
		t.Errorf("%+v", in)
	}
	for name, change := range map[string]func(*passwords.AuthenticateParams){
		"a wrong password":     func(p *passwords.AuthenticateParams) { p.Password = "x" },
		"no password":          func(p *passwords.AuthenticateParams) { p.Password = "" },
		"nobody":               func(p *passwords.AuthenticateParams) { p.EmailAddress = "nobody@acme.example" },
		"another organization": func(p *passwords.AuthenticateParams) { p.OrganizationID = globex },
	} {
		t.Run(name, func(t *testing.T) {
			wrong := p
			change(&wrong)
			_, err := api.Authenticate(t.Context(), &wrong)
			refused(t, err, 401, "unauthorized_credentials")
		})
	}
	changed := must[*existingpassword.ResetResponse](t)(api.ExistingPassword.Reset(t.Context(),
		&existingpassword.ResetParams{OrganizationID: acme, EmailAddress: "ada@acme.example",
			ExistingPassword: stytchtest.DevelopmentPassword, NewPassword: fresh}))
	if changed.MemberID != ada || changed.SessionToken == "" || !changed.MemberAuthenticated {
		t.Errorf("%+v", changed)
	}
	_, err := api.Authenticate(t.Context(), &p)
	refused(t, err, 401, "unauthorized_credentials")
	_, err = api.ExistingPassword.Reset(t.Context(), &existingpassword.ResetParams{OrganizationID: acme,
		EmailAddress: "ada@acme.example", ExistingPassword: fresh, NewPassword: "weak"})
	refused(t, err, 400, "weak_password")
	_, err = api.ExistingPassword.Reset(t.Context(), &existingpassword.ResetParams{OrganizationID: acme,
		EmailAddress: "ada@acme.example", ExistingPassword: "wrong", NewPassword: fresh})
	refused(t, err, 401, "unauthorized_credentials")
}

func TestPasswordResetOfAMember(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) { seed.Members[1].Password = "" })
	all := lazyClient(t, s)
	api := all.Passwords
	old := login(t, s, "grace@acme.example", acme)
	started := must[*passwordemail.ResetStartResponse](t)(api.Email.ResetStart(t.Context(),
		&passwordemail.ResetStartParams{OrganizationID: acme, EmailAddress: "grace@acme.example",
			ResetPasswordRedirectURL: idp, CodeChallenge: challenge}))
	mail := s.Inbox()[0]
	if started.MemberID != grace || started.MemberEmailID == "" ||
		started.Member.EmailAddress != "grace@acme.example" || mail.Kind != "reset_password" ||
		mail.Link != idp+"?slug=acme&stytch_redirect_type=reset_password&"+
			"stytch_token_type=multi_tenant_passwords&token="+newestToken(t, s) {
		t.Errorf("started: %+v, mail %+v", started, mail)
	}
	token := newestToken(t, s)
	for name, tt := range map[string]struct {
		params passwordemail.ResetParams
		status int
		kind   string
	}{
		"no verifier": {passwordemail.ResetParams{PasswordResetToken: token, Password: fresh}, 400,
			"pkce_expected_code_verifier"},
		"another one": {passwordemail.ResetParams{PasswordResetToken: token, Password: fresh, CodeVerifier: "x"},
			400, "pkce_mismatch"},
		"a weak password": {passwordemail.ResetParams{PasswordResetToken: token, Password: "weak",
			CodeVerifier: verifier}, 400, "weak_password"},
		"a bad duration": {passwordemail.ResetParams{PasswordResetToken: token, Password: fresh,
			CodeVerifier: verifier, SessionDurationMinutes: 1}, 400, "invalid_session_duration_minutes"},
		"a made-up token": {passwordemail.ResetParams{PasswordResetToken: "x", Password: fresh}, 401,
			"unable_to_auth_password_reset_token"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := api.Email.Reset(t.Context(), &tt.params)
			refused(t, err, tt.status, tt.kind)
		})
	}
	done := must[*passwordemail.ResetResponse](t)(api.Email.Reset(t.Context(),
		&passwordemail.ResetParams{PasswordResetToken: token, Password: fresh, CodeVerifier: verifier}))
	if done.MemberID != grace || done.OrganizationID != acme || done.MemberEmailID == "" ||
		done.Member.MemberPasswordID == "" || done.MemberSession.AuthenticationFactors[0].Type != "password" {
		t.Errorf("%+v", done)
	}
	_, err := all.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: old})
	refused(t, err, 404, "session_not_found")
	_, err = api.Email.Reset(t.Context(), &passwordemail.ResetParams{PasswordResetToken: token, Password: fresh,
		CodeVerifier: verifier})
	refused(t, err, 401, "unable_to_auth_password_reset_token")
	if _, err := api.Authenticate(t.Context(), &passwords.AuthenticateParams{OrganizationID: acme,
		EmailAddress: "grace@acme.example", Password: fresh}); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if _, err := api.Email.ResetStart(t.Context(), &passwordemail.ResetStartParams{OrganizationID: acme,
		EmailAddress: "ada@acme.example"}); err != nil {
		t.Fatal(err)
	}
	s.Advance(30 * time.Minute)
	_, err = api.Email.Reset(t.Context(), &passwordemail.ResetParams{PasswordResetToken: newestToken(t, s),
		Password: fresh})
	refused(t, err, 401, "unable_to_auth_password_reset_token")
	_, err = api.Email.ResetStart(t.Context(), &passwordemail.ResetStartParams{OrganizationID: acme,
		EmailAddress: "nobody@acme.example"})
	refused(t, err, 404, "member_not_found")
	_, err = api.Email.ResetStart(t.Context(), &passwordemail.ResetStartParams{OrganizationID: acme,
		EmailAddress: "ada@acme.example", ResetPasswordExpirationMinutes: 4})
	refused(t, err, 400, "invalid_expiration")
	_, err = api.Email.ResetStart(t.Context(), &passwordemail.ResetStartParams{OrganizationID: acme,
		EmailAddress: "ada@acme.example", ResetPasswordRedirectURL: "https://elsewhere.example/"})
	refused(t, err, 400, "no_match_for_provided_magic_link_url")
	s.SetRedirectURLs()
	_, err = api.Email.ResetStart(t.Context(), &passwordemail.ResetStartParams{OrganizationID: acme,
		EmailAddress: "ada@acme.example"})
	refused(t, err, 400, "no_password_reset_redirect_url")
}

func TestASessionMaySetAPasswordForFiveMinutes(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s)
	token := login(t, s, "grace@acme.example", acme)
	reset := func(password string) (*passwordsession.ResetResponse, error) {
		return api.Passwords.Sessions.Reset(t.Context(), &passwordsession.ResetParams{OrganizationID: acme,
			SessionToken: token, Password: password})
	}
	_, err := reset("weak")
	refused(t, err, 400, "weak_password")
	s.Advance(5*time.Minute - time.Second)
	if done, err := reset(fresh); err != nil || done.MemberID != grace || done.SessionToken != token ||
		done.MemberSession == nil {
		t.Errorf("%+v %v", done, err)
	}
	s.Advance(time.Second)
	_, err = reset("A-third-pass-3")
	refused(t, err, 403, "session_too_old_to_reset_password")
	if _, err := api.Passwords.Authenticate(t.Context(), &passwords.AuthenticateParams{OrganizationID: acme,
		EmailAddress: "grace@acme.example", Password: fresh, SessionToken: token}); err != nil {
		t.Fatal(err) // a new factor of the same session …
	}
	if _, err := reset("A-third-pass-3"); err != nil {
		t.Errorf("… makes it young again: %v", err)
	}
	token = "made up"
	_, err = reset(fresh)
	refused(t, err, 404, "session_not_found")
}

func TestPasswordsOfDiscovery(t *testing.T) {
	s := open(t, byDomain)
	api := lazyClient(t, s).Passwords.Discovery
	in := must[*passworddiscovery.AuthenticateResponse](t)(api.Authenticate(t.Context(),
		&passworddiscovery.AuthenticateParams{EmailAddress: "ada@acme.example",
			Password: stytchtest.DevelopmentPassword}))
	if in.EmailAddress != "ada@acme.example" || in.IntermediateSessionToken == "" ||
		len(in.DiscoveredOrganizations) != 1 || in.DiscoveredOrganizations[0].Membership.Type != "active_member" {
		t.Errorf("%+v", in)
	}
	for _, p := range []passworddiscovery.AuthenticateParams{{EmailAddress: "ada@acme.example", Password: "x"},
		{EmailAddress: "nobody@acme.example", Password: stytchtest.DevelopmentPassword},
		{EmailAddress: "ada@acme.example"}} {
		_, err := api.Authenticate(t.Context(), &p)
		refused(t, err, 401, "unauthorized_credentials")
	}
	if _, err := api.Email.ResetStart(t.Context(), &discoveryreset.ResetStartParams{EmailAddress: "new@acme.example",
		ResetPasswordRedirectURL: idp, DiscoveryRedirectURL: idp, PkceCodeChallenge: challenge}); err != nil {
		t.Fatal(err)
	}
	token := newestToken(t, s)
	if want := idp + "?stytch_redirect_type=reset_password&stytch_token_type=discovery&token=" +
		token; s.Inbox()[0].Link != want {
		t.Errorf("link %s, want %s", s.Inbox()[0].Link, want)
	}
	status, reply := sdk(t, s, "", "/b2b/magic_links/discovery/authenticate",
		object{"discovery_magic_links_token": token, "pkce_code_verifier": verifier})
	if status != 401 || reply["error_type"] != "unable_to_auth_magic_link" {
		t.Errorf("a reset link signs in without a password: %d %v", status, reply)
	}
	_, err := api.Email.Reset(t.Context(), &discoveryreset.ResetParams{PasswordResetToken: token, Password: fresh,
		PkceCodeVerifier: "x"})
	refused(t, err, 400, "pkce_mismatch")
	_, err = api.Email.Reset(t.Context(), &discoveryreset.ResetParams{PasswordResetToken: token, Password: "weak",
		PkceCodeVerifier: verifier})
	refused(t, err, 400, "weak_password")
	done := must[*discoveryreset.ResetResponse](t)(api.Email.Reset(t.Context(),
		&discoveryreset.ResetParams{PasswordResetToken: token, Password: fresh, PkceCodeVerifier: verifier}))
	if len(done.DiscoveredOrganizations) != 1 ||
		done.DiscoveredOrganizations[0].Membership.Type != "eligible_to_join_by_email_domain" {
		t.Fatalf("%+v", done)
	}
	_, err = api.Email.Reset(t.Context(), &discoveryreset.ResetParams{PasswordResetToken: token, Password: fresh,
		PkceCodeVerifier: verifier})
	refused(t, err, 401, "unable_to_auth_password_reset_token")
	joined := exchangeIntermediate(t, s, done.IntermediateSessionToken, acme)
	if joined.Member.Status != "active" || !joined.Member.EmailAddressVerified ||
		joined.Member.MemberPasswordID == "" || joined.MemberSession.AuthenticationFactors[0].Type != "password" {
		t.Errorf("joined: %+v", joined)
	}
	if _, err := api.Authenticate(t.Context(), &passworddiscovery.AuthenticateParams{EmailAddress: "new@acme.example",
		Password: fresh}); err != nil {
		t.Errorf("the password set before joining: %v", err)
	}
}
