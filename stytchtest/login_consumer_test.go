package stytchtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks"
	linkemail "github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks/email"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/otp"
	otpemail "github.com/stytchauth/stytch-go/v16/stytch/consumer/otp/email"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/passwords"
	passwordemail "github.com/stytchauth/stytch-go/v16/stytch/consumer/passwords/email"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/passwords/existingpassword"
	passwordsession "github.com/stytchauth/stytch-go/v16/stytch/consumer/passwords/session"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"guestpass/stytchtest"
)

func TestCodesOfUsers(t *testing.T) {
	s := openConsumer(t)
	api := lazyConsumerClient(t, s).OTPs
	sent := must[*otpemail.LoginOrCreateResponse](t)(api.Email.LoginOrCreate(t.Context(),
		&otpemail.LoginOrCreateParams{Email: "new@example.com"}))
	if !sent.UserCreated || sent.UserID == "" || sent.EmailID == "" {
		t.Errorf("%+v", sent)
	}
	again := must[*otpemail.LoginOrCreateResponse](t)(api.Email.LoginOrCreate(t.Context(),
		&otpemail.LoginOrCreateParams{Email: "New@example.com", ExpirationMinutes: 10}))
	if again.UserCreated || again.UserID != sent.UserID || again.EmailID != sent.EmailID {
		t.Errorf("%+v", again)
	}
	code := s.Inbox()[0].Code
	for name, p := range map[string]otp.AuthenticateParams{"another method": {MethodID: "email-test-x", Code: code},
		"another code": {MethodID: sent.EmailID, Code: "x"}, "no code": {MethodID: sent.EmailID}} {
		_, err := api.Authenticate(t.Context(), &p)
		if refused(t, err, 401, "otp_code_not_found"); t.Failed() {
			t.Fatal(name)
		}
	}
	in := must[*otp.AuthenticateResponse](t)(api.Authenticate(t.Context(),
		&otp.AuthenticateParams{MethodID: sent.EmailID, Code: code, SessionDurationMinutes: 60}))
	if in.UserID != sent.UserID || in.MethodID != sent.EmailID || in.User.Status != "active" ||
		!in.User.Emails[0].Verified || in.SessionToken == "" || in.SessionJWT == "" ||
		in.Session == nil || in.Session.UserID != in.UserID || in.ResetSessions || in.Session.Attributes == nil {
		t.Errorf("%+v", in)
	}
	_, err := api.Authenticate(t.Context(), &otp.AuthenticateParams{MethodID: sent.EmailID, Code: code})
	refused(t, err, 401, "otp_code_not_found")

	known := must[*otpemail.SendResponse](t)(api.Email.Send(t.Context(), &otpemail.SendParams{Email: "ada@example.com",
		ExpirationMinutes: 1}))
	if known.UserID != userAda || known.EmailID != "email-test-cccccccc-0000-4000-8000-000000000001" {
		t.Errorf("%+v", known)
	}
	s.Advance(time.Minute)
	_, err = api.Authenticate(t.Context(), &otp.AuthenticateParams{MethodID: known.EmailID, Code: s.Inbox()[0].Code})
	refused(t, err, 401, "otp_code_not_found")
	_, err = api.Email.Send(t.Context(), &otpemail.SendParams{Email: "nobody@example.com"})
	refused(t, err, 404, "email_not_found")
	_, err = api.Email.LoginOrCreate(t.Context(), &otpemail.LoginOrCreateParams{Email: "ada@example.com",
		ExpirationMinutes: 11})
	refused(t, err, 400, "invalid_expiration_otp")
	_, err = api.Email.LoginOrCreate(t.Context(), &otpemail.LoginOrCreateParams{Email: "nobody"})
	refused(t, err, 400, "invalid_email")
}

// TestServersAskForASession: without a duration a Consumer project makes none, as
// stytch-go documents it.
func TestServersAskForASession(t *testing.T) {
	s := openConsumer(t)
	api := lazyConsumerClient(t, s)
	p := passwords.AuthenticateParams{Email: "ada@example.com", Password: stytchtest.DevelopmentPassword}
	in := must[*passwords.AuthenticateResponse](t)(api.Passwords.Authenticate(t.Context(), &p))
	if in.UserID != userAda || in.User.UserID != userAda || in.SessionToken != "" || in.SessionJWT != "" ||
		in.Session != nil {
		t.Errorf("%+v", in)
	}
	p.SessionDurationMinutes = 30
	in = must[*passwords.AuthenticateResponse](t)(api.Passwords.Authenticate(t.Context(), &p))
	if in.SessionToken == "" || !in.Session.ExpiresAt.Equal(noon.Add(30*time.Minute)) ||
		in.Session.AuthenticationFactors[0].Type != "password" {
		t.Errorf("%+v", in)
	}
	p.SessionDurationMinutes, p.SessionToken = 0, in.SessionToken
	if again, err := api.Passwords.Authenticate(t.Context(), &p); err != nil || again.SessionToken != in.SessionToken ||
		!again.Session.ExpiresAt.Equal(noon.Add(30*time.Minute)) {
		t.Errorf("with a session shown: %+v %v", again, err)
	}
}

func TestSessionsOfUsers(t *testing.T) {
	s := openConsumer(t)
	api := lazyConsumerClient(t, s).Sessions
	token := userSession(t, s, "ada@example.com")
	got := must[*sessions.AuthenticateResponse](t)(api.Authenticate(t.Context(),
		&sessions.AuthenticateParams{SessionToken: token}))
	claims := claimsOf(t, got.SessionJWT)
	about, _ := claims["https://stytch.com/session"].(object)
	if got.User.UserID != userAda || got.Session.UserID != userAda || got.SessionToken != token ||
		!strings.HasPrefix(got.Session.SessionID, "session-test-") ||
		claims["sub"] != userAda || about["id"] != got.Session.SessionID ||
		claims["https://stytch.com/organization"] != nil || claims["exp"].(float64)-claims["iat"].(float64) != 300 {
		t.Errorf("%+v, JWT %v", got, claims)
	}
	userSession(t, s, "ada@example.com")
	if listed := must[*sessions.GetResponse](t)(api.Get(t.Context(), &sessions.GetParams{UserID: userAda})); len(
		listed.Sessions) != 2 {
		t.Errorf("%+v", listed)
	}
	check := &sessions.AuthorizationCheck{ResourceID: "tasks", Action: "write"}
	if verdict, err := api.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionJWT: got.SessionJWT,
		AuthorizationCheck: check}); err != nil || verdict.Verdict == nil ||
		verdict.Verdict.GrantingRoles[0] != "stytch_user" {
		t.Errorf("%+v %v", verdict, err)
	}
	check.Action = "burn"
	_, err := api.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token,
		AuthorizationCheck: check})
	refused(t, err, 403, "session_authorization_error")
	if _, err := api.Revoke(t.Context(), &sessions.RevokeParams{SessionID: got.Session.SessionID}); err != nil {
		t.Error(err)
	}
	_, err = api.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token})
	refused(t, err, 404, "session_not_found")
	_, err = api.Get(t.Context(), &sessions.GetParams{UserID: "user-test-none"})
	refused(t, err, 404, "user_not_found")

	// stytch-go looks at the real clock
	real := serve(t, stytchtest.Options{Seed: seedOf(stytchtest.DevelopmentConsumer())})
	jwt := must[string](t)(real.Mint(stytchtest.MintRequest{Kind: "session", Subject: userGrace,
		Issuer: "stytch.com/" + consumerProject}))
	if session, err := consumerClient(t, real).Sessions.AuthenticateJWTLocal(jwt, 5*time.Minute); err != nil ||
		session.UserID != userGrace {
		t.Errorf("locally: %+v %v", session, err)
	}
}

func seedOf(s stytchtest.Seed) *stytchtest.Seed { return &s }

func TestLinksOfUsers(t *testing.T) {
	s := openConsumer(t, func(seed *stytchtest.Seed) {
		seed.Project.RedirectURLs = []stytchtest.RedirectURL{{URL: "https://app.example/in",
			Types: []stytchtest.RedirectURLType{{Type: "LOGIN", Default: true}}},
			{URL: "https://app.example/up?from=mail", Types: []stytchtest.RedirectURLType{{Type: "SIGNUP"}}}}
	})
	api := lazyConsumerClient(t, s).MagicLinks
	send := func(p linkemail.LoginOrCreateParams) (*linkemail.LoginOrCreateResponse, error) {
		p.SignupMagicLinkURL = "https://app.example/up?from=mail"
		return api.Email.LoginOrCreate(t.Context(), &p)
	}
	sent := must[*linkemail.LoginOrCreateResponse](t)(send(linkemail.LoginOrCreateParams{Email: "ada@example.com",
		CodeChallenge: challenge}))
	if sent.UserID != userAda || sent.UserCreated ||
		s.Inbox()[0].Link != "https://app.example/in?stytch_token_type=magic_links&token="+newestToken(t, s) {
		t.Errorf("%+v, mail %+v", sent, s.Inbox()[0])
	}
	token := newestToken(t, s)
	_, err := api.Authenticate(t.Context(), &magiclinks.AuthenticateParams{Token: token, CodeVerifier: "x"})
	refused(t, err, 400, "pkce_mismatch")
	_, err = api.Authenticate(t.Context(), &magiclinks.AuthenticateParams{Token: token})
	refused(t, err, 400, "pkce_expected_code_verifier")
	in := must[*magiclinks.AuthenticateResponse](t)(api.Authenticate(t.Context(),
		&magiclinks.AuthenticateParams{Token: token, CodeVerifier: verifier, SessionDurationMinutes: 60}))
	if in.UserID != userAda || in.MethodID != sent.EmailID || in.Session.AuthenticationFactors[0].Type != "magic_link" {
		t.Errorf("%+v", in)
	}
	_, err = api.Authenticate(t.Context(), &magiclinks.AuthenticateParams{Token: token, CodeVerifier: verifier})
	refused(t, err, 401, "unable_to_auth_magic_link")

	fresh := must[*linkemail.LoginOrCreateResponse](t)(send(linkemail.LoginOrCreateParams{Email: "new@example.com"}))
	if !fresh.UserCreated || !strings.HasPrefix(s.Inbox()[0].Link,
		"https://app.example/up?from=mail&stytch_token_type=magic_links&token=") {
		t.Errorf("%+v, mail %+v", fresh, s.Inbox()[0])
	}
	s.Advance(7*24*time.Hour - time.Second) // a sign-up link lasts a week
	if up, err := api.Authenticate(t.Context(), &magiclinks.AuthenticateParams{Token: newestToken(t, s)}); err != nil ||
		up.User.Status != "active" {
		t.Errorf("%+v %v", up, err)
	}
	if _, err := send(linkemail.LoginOrCreateParams{Email: "ada@example.com"}); err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Hour) // a login link does not
	_, err = api.Authenticate(t.Context(), &magiclinks.AuthenticateParams{Token: newestToken(t, s)})
	refused(t, err, 401, "unable_to_auth_magic_link")
	_, err = send(linkemail.LoginOrCreateParams{Email: "ada@example.com",
		LoginMagicLinkURL: "https://app.example/in?x=1"})
	refused(t, err, 400, "query_params_do_not_match")
	_, err = send(linkemail.LoginOrCreateParams{Email: "ada@example.com", LoginExpirationMinutes: 4})
	refused(t, err, 400, "invalid_expiration")
}

func TestPasswordsOfUsers(t *testing.T) {
	s := openConsumer(t)
	api := lazyConsumerClient(t, s).Passwords
	made := must[*passwords.CreateResponse](t)(api.Create(t.Context(), &passwords.CreateParams{Email: "new@example.com",
		Password: fresh, Name: &users.Name{FirstName: "New"}, SessionDurationMinutes: 60}))
	if made.User.Status != "active" || made.User.Emails[0].Verified || made.EmailID != made.User.Emails[0].EmailID ||
		made.User.Name.FirstName != "New" || made.User.Password == nil || made.Session == nil {
		t.Errorf("%+v", made)
	}
	_, err := api.Create(t.Context(), &passwords.CreateParams{Email: "new@example.com", Password: fresh})
	refused(t, err, 400, "duplicate_email")
	_, err = api.Create(t.Context(), &passwords.CreateParams{Email: "other@example.com", Password: "weak"})
	refused(t, err, 400, "weak_password")
	otherwise := must[*users.CreateResponse](t)(lazyConsumerClient(t, s).Users.Create(t.Context(),
		&users.CreateParams{Email: "bare@example.com"}))
	for _, tt := range []struct {
		email, password string
		status          int
		kind            string
	}{
		{"new@example.com", "wrong", 401, "unauthorized_credentials"},
		{"nobody@example.com", fresh, 404, "email_not_found"},
		{otherwise.User.Emails[0].Email, fresh, 404, "no_user_password"},
	} {
		_, err := api.Authenticate(t.Context(), &passwords.AuthenticateParams{Email: tt.email, Password: tt.password})
		refused(t, err, tt.status, tt.kind)
	}
	changed := must[*existingpassword.ResetResponse](t)(api.ExistingPassword.Reset(t.Context(),
		&existingpassword.ResetParams{Email: "new@example.com", ExistingPassword: fresh, NewPassword: "A-third-pass-3",
			SessionDurationMinutes: 60}))
	if changed.UserID != made.UserID || changed.Session == nil {
		t.Errorf("%+v", changed)
	}
	_, err = api.ExistingPassword.Reset(t.Context(), &existingpassword.ResetParams{Email: "new@example.com",
		ExistingPassword: fresh, NewPassword: "A-third-pass-3"})
	refused(t, err, 401, "unauthorized_credentials")
	bySession := must[*passwordsession.ResetResponse](t)(api.Sessions.Reset(t.Context(),
		&passwordsession.ResetParams{SessionToken: changed.SessionToken, Password: fresh}))
	if bySession.UserID != made.UserID || bySession.SessionToken != changed.SessionToken {
		t.Errorf("%+v", bySession)
	}
	s.Advance(5 * time.Minute)
	_, err = api.Sessions.Reset(t.Context(), &passwordsession.ResetParams{SessionToken: changed.SessionToken,
		Password: fresh})
	refused(t, err, 403, "session_too_old_to_reset_password")
}

func TestResetMailOfAUserHasTwoLinks(t *testing.T) {
	s := openConsumer(t)
	all := lazyConsumerClient(t, s)
	api := all.Passwords.Email
	start := func() {
		t.Helper()
		started := must[*passwordemail.ResetStartResponse](t)(api.ResetStart(t.Context(),
			&passwordemail.ResetStartParams{Email: "ada@example.com", ResetPasswordRedirectURL: idp,
				LoginRedirectURL: idp, CodeChallenge: challenge}))
		mail := s.Inbox()[0]
		if started.UserID != userAda || started.EmailID == "" || mail.Kind != "reset_password" ||
			!strings.HasPrefix(mail.Link, idp+"?stytch_token_type=reset_password&token=") ||
			!strings.HasPrefix(mail.LoginLink, idp+"?stytch_token_type=login&token=") {
			t.Fatalf("%+v, mail %+v", started, mail)
		}
	}
	old := userSession(t, s, "ada@example.com")
	start()
	token := newestToken(t, s)
	_, err := api.Reset(t.Context(), &passwordemail.ResetParams{Token: tokenOf(t, s.Inbox()[0].LoginLink),
		Password: fresh, CodeVerifier: verifier})
	refused(t, err, 401, "unable_to_auth_password_reset_token")
	_, err = api.Reset(t.Context(), &passwordemail.ResetParams{Token: token, Password: "weak", CodeVerifier: verifier})
	refused(t, err, 400, "weak_password")
	done := must[*passwordemail.ResetResponse](t)(api.Reset(t.Context(), &passwordemail.ResetParams{Token: token,
		Password: fresh, CodeVerifier: verifier, SessionDurationMinutes: 60}))
	if done.UserID != userAda || done.Session == nil || done.Session.AuthenticationFactors[0].Type != "password" {
		t.Errorf("%+v", done)
	}
	_, err = all.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: old})
	refused(t, err, 404, "session_not_found")
	for _, link := range []func(stytchtest.Mail) string{func(m stytchtest.Mail) string { return m.Link },
		func(m stytchtest.Mail) string { return m.LoginLink }} {
		start()
		token := tokenOf(t, link(s.Inbox()[0]))
		if in, err := all.MagicLinks.Authenticate(t.Context(), &magiclinks.AuthenticateParams{Token: token,
			CodeVerifier: verifier}); err != nil || in.UserID != userAda {
			t.Errorf("both links sign in: %+v %v", in, err)
		}
		_, err = api.Reset(t.Context(), &passwordemail.ResetParams{Token: token, Password: fresh,
			CodeVerifier: verifier})
		refused(t, err, 401, "unable_to_auth_password_reset_token")
	}
	_, err = api.ResetStart(t.Context(), &passwordemail.ResetStartParams{Email: "nobody@example.com"})
	refused(t, err, 404, "email_not_found")
	_, err = api.ResetStart(t.Context(), &passwordemail.ResetStartParams{Email: "ada@example.com",
		LoginRedirectURL: "https://evil.example/"})
	refused(t, err, 400, "no_match_for_provided_magic_link_url")
}
