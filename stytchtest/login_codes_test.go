package stytchtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/b2b/magiclinks"
	linkdiscovery "github.com/stytchauth/stytch-go/v16/stytch/b2b/magiclinks/discovery"
	linkemail "github.com/stytchauth/stytch-go/v16/stytch/b2b/magiclinks/email"
	maildiscovery "github.com/stytchauth/stytch-go/v16/stytch/b2b/magiclinks/email/discovery"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations/members"
	otpemail "github.com/stytchauth/stytch-go/v16/stytch/b2b/otp/email"
	otpdiscovery "github.com/stytchauth/stytch-go/v16/stytch/b2b/otp/email/discovery"

	"guestpass/stytchtest"
)

// byDomain lets addresses of acme.example join Acme.
func byDomain(seed *stytchtest.Seed) {
	seed.Organizations[0].JITProvisioning, seed.Organizations[0].EmailAllowedDomains = "RESTRICTED",
		[]string{"acme.example"}
}

func TestCodesOfAnOrganization(t *testing.T) {
	s := open(t, byDomain)
	api := lazyClient(t, s).OTPs.Email
	sent := must[*otpemail.LoginOrSignupResponse](t)(api.LoginOrSignup(t.Context(),
		&otpemail.LoginOrSignupParams{OrganizationID: acme, EmailAddress: "ada@acme.example"}))
	if sent.MemberID != ada || sent.MemberCreated || sent.Organization.OrganizationSlug != "acme" ||
		s.Inbox()[0].Kind != "otp" || s.Inbox()[0].To != "ada@acme.example" {
		t.Errorf("sent: %+v", sent)
	}
	authenticate := func(p otpemail.AuthenticateParams) (*otpemail.AuthenticateResponse, error) {
		if p.OrganizationID == "" {
			p.OrganizationID = acme
		}
		return api.Authenticate(t.Context(), &p)
	}
	code := s.Inbox()[0].Code
	_, err := authenticate(otpemail.AuthenticateParams{EmailAddress: "grace@acme.example", Code: code})
	refused(t, err, 401, "otp_code_not_found")
	_, err = authenticate(otpemail.AuthenticateParams{OrganizationID: globex, EmailAddress: "ada@acme.example",
		Code: code})
	refused(t, err, 401, "otp_code_not_found")
	_, err = authenticate(otpemail.AuthenticateParams{EmailAddress: "ada@acme.example", Code: code,
		SessionDurationMinutes: 527041})
	refused(t, err, 400, "invalid_session_duration_minutes")
	in := must[*otpemail.AuthenticateResponse](t)(
		authenticate(otpemail.AuthenticateParams{EmailAddress: "ada@acme.example", Code: code,
			SessionDurationMinutes: 30}))
	if in.MemberID != ada || in.OrganizationID != acme || !in.MemberAuthenticated || in.MethodID == "" ||
		in.SessionToken == "" || in.MemberSession == nil ||
		!in.MemberSession.ExpiresAt.Equal(noon.Add(30*time.Minute)) ||
		in.MemberSession.AuthenticationFactors[0].Type != "email_otp" ||
		in.MemberSession.AuthenticationFactors[0].DeliveryMethod != "email" || in.IntermediateSessionToken != "" ||
		in.MFARequired != nil || in.PrimaryRequired != nil {
		t.Errorf("in: %+v", in)
	}
	_, err = authenticate(otpemail.AuthenticateParams{EmailAddress: "ada@acme.example", Code: code})
	refused(t, err, 401, "otp_code_not_found")

	fresh := must[*otpemail.LoginOrSignupResponse](t)(api.LoginOrSignup(t.Context(),
		&otpemail.LoginOrSignupParams{OrganizationID: acme, EmailAddress: "new@acme.example"}))
	if !fresh.MemberCreated || fresh.Member.Status != "pending" {
		t.Errorf("somebody new: %+v", fresh)
	}
	joined := must[*otpemail.AuthenticateResponse](t)(
		authenticate(otpemail.AuthenticateParams{EmailAddress: "new@acme.example", Code: s.Inbox()[0].Code}))
	if joined.Member.Status != "active" || !joined.Member.EmailAddressVerified || !joined.MemberSession.ExpiresAt.Equal(
		noon.Add(time.Hour)) {
		t.Errorf("joined: %+v", joined)
	}
	for email, kind := range map[string]string{"x@elsewhere.example": "invalid_email_for_jit_provisioning",
		"x": "invalid_email"} {
		_, err := api.LoginOrSignup(t.Context(), &otpemail.LoginOrSignupParams{OrganizationID: acme,
			EmailAddress: email})
		refused(t, err, 400, kind)
	}
	_, err = api.LoginOrSignup(t.Context(), &otpemail.LoginOrSignupParams{OrganizationID: globex,
		EmailAddress: "new@globex.example"})
	refused(t, err, 400, "email_jit_provisioning_not_allowed")
	_, err = api.LoginOrSignup(t.Context(), &otpemail.LoginOrSignupParams{OrganizationID: "nowhere",
		EmailAddress: "ada@acme.example"})
	refused(t, err, 404, "organization_not_found")
}

// TestCodesAndLinksLastAsLongAsAsked holds the bounds of every expiry.
func TestCodesAndLinksLastAsLongAsAsked(t *testing.T) {
	bounds := map[string][2]uint32{"otp": {2, 15}, "link": {5, 10080}}
	s := open(t)
	api := lazyClient(t, s)
	for _, tt := range []struct {
		name, bound, wrong string
		usual              time.Duration
		send               func(minutes uint32) error
		redeem             func() error
	}{
		{"a code of an organization", "otp", "invalid_expiration_otp", 10 * time.Minute, func(minutes uint32) error {
			_, err := api.OTPs.Email.LoginOrSignup(t.Context(), &otpemail.LoginOrSignupParams{OrganizationID: acme,
				EmailAddress: "ada@acme.example", LoginExpirationMinutes: minutes})
			return err
		}, func() error {
			_, err := api.OTPs.Email.Authenticate(t.Context(), &otpemail.AuthenticateParams{OrganizationID: acme,
				EmailAddress: "ada@acme.example", Code: s.Inbox()[0].Code})
			return err
		}},
		{"a code of discovery", "otp", "invalid_expiration_otp", 10 * time.Minute, func(minutes uint32) error {
			_, err := api.OTPs.Email.Discovery.Send(t.Context(),
				&otpdiscovery.SendParams{EmailAddress: "ada@acme.example", DiscoveryExpirationMinutes: minutes})
			return err
		}, func() error {
			_, err := api.OTPs.Email.Discovery.Authenticate(t.Context(),
				&otpdiscovery.AuthenticateParams{EmailAddress: "ada@acme.example", Code: s.Inbox()[0].Code})
			return err
		}},
		{"a link of an organization", "link", "invalid_expiration", time.Hour, func(minutes uint32) error {
			_, err := api.MagicLinks.Email.LoginOrSignup(t.Context(),
				&linkemail.LoginOrSignupParams{OrganizationID: acme, EmailAddress: "ada@acme.example",
					LoginExpirationMinutes: minutes})
			return err
		}, func() error {
			_, err := api.MagicLinks.Authenticate(t.Context(),
				&magiclinks.AuthenticateParams{MagicLinksToken: newestToken(t, s)})
			return err
		}},
		{"a link of discovery", "link", "invalid_expiration", time.Hour, func(minutes uint32) error {
			_, err := api.MagicLinks.Email.Discovery.Send(t.Context(),
				&maildiscovery.SendParams{EmailAddress: "ada@acme.example", DiscoveryExpirationMinutes: minutes})
			return err
		}, func() error {
			_, err := api.MagicLinks.Discovery.Authenticate(t.Context(),
				&linkdiscovery.AuthenticateParams{DiscoveryMagicLinksToken: newestToken(t, s)})
			return err
		}},
		{"an invitation", "link", "invalid_expiration", 7 * 24 * time.Hour, func(minutes uint32) error {
			_, err := api.MagicLinks.Email.Invite(t.Context(), &linkemail.InviteParams{OrganizationID: acme,
				EmailAddress: "guest@acme.example", InviteExpirationMinutes: minutes})
			return err
		}, func() error {
			_, err := api.MagicLinks.Authenticate(t.Context(),
				&magiclinks.AuthenticateParams{MagicLinksToken: newestToken(t, s)})
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			least, most := bounds[tt.bound][0], bounds[tt.bound][1]
			refused(t, tt.send(least-1), 400, tt.wrong)
			refused(t, tt.send(most+1), 400, tt.wrong)
			for minutes, life := range map[uint32]time.Duration{0: tt.usual,
				least: time.Duration(least) * time.Minute} {
				if err := tt.send(minutes); err != nil {
					t.Fatal(err)
				}
				s.Advance(life)
				if err := tt.redeem(); err == nil {
					t.Errorf("%d minutes: good at its end", minutes)
				}
				if err := tt.send(minutes); err != nil {
					t.Fatal(err)
				}
				s.Advance(life - time.Second)
				if err := tt.redeem(); err != nil && tt.name != "an invitation" {
					t.Errorf("%d minutes: %v a second before its end", minutes, err)
				} else if tt.name == "an invitation" {
					return // the guest is active now and cannot be invited again
				}
			}
		})
	}
}

func TestLinksOfAnOrganization(t *testing.T) {
	s := open(t, byDomain, func(seed *stytchtest.Seed) {
		seed.Project.RedirectURLs = []stytchtest.RedirectURL{
			{URL: "https://app.example/login", Types: []stytchtest.RedirectURLType{{Type: "LOGIN", Default: true},
				{Type: "DISCOVERY"}}},
			{URL: "https://app.example/welcome", Types: []stytchtest.RedirectURLType{{Type: "SIGNUP", Default: true}}},
			{URL: "https://app.example/other", Types: []stytchtest.RedirectURLType{{Type: "LOGIN"}}},
		}
	})
	api := lazyClient(t, s).MagicLinks
	send := func(p linkemail.LoginOrSignupParams) (*linkemail.LoginOrSignupResponse, error) {
		p.OrganizationID = acme
		return api.Email.LoginOrSignup(t.Context(), &p)
	}
	const kind = "&stytch_token_type=multi_tenant_magic_links&token="
	for _, tt := range []struct {
		name, email, login, signup, link string
		created                          bool
	}{
		{"somebody known", "ada@acme.example", "", "",
			"https://app.example/login?slug=acme&stytch_redirect_type=login" + kind, false},
		{"to another page", "ada@acme.example", "https://app.example/other", "",
			"https://app.example/other?slug=acme&stytch_redirect_type=login" + kind, false},
		{"somebody new", "new@acme.example", "", "https://app.example/welcome",
			"https://app.example/welcome?slug=acme&stytch_redirect_type=signup" + kind, true},
		{"the same, still pending", "new@acme.example", "https://app.example/other", "",
			"https://app.example/welcome?slug=acme&stytch_redirect_type=signup" + kind, true},
	} {
		sent, err := send(linkemail.LoginOrSignupParams{EmailAddress: tt.email, LoginRedirectURL: tt.login,
			SignupRedirectURL: tt.signup})
		if err != nil || sent.MemberCreated != tt.created && tt.name != "the same, still pending" ||
			!strings.HasPrefix(s.Inbox()[0].Link, tt.link) {
			t.Errorf("%s: %+v %v, mail %+v", tt.name, sent, err, s.Inbox()[0])
		}
	}
	in := must[*magiclinks.AuthenticateResponse](t)(api.Authenticate(t.Context(),
		&magiclinks.AuthenticateParams{MagicLinksToken: newestToken(t, s)}))
	if in.Member.EmailAddress != "new@acme.example" || in.Member.Status != "active" || in.OrganizationID != acme ||
		in.MemberSession.AuthenticationFactors[0].Type != "magic_link" {
		t.Errorf("in: %+v", in)
	}
	_, err := api.Authenticate(t.Context(), &magiclinks.AuthenticateParams{MagicLinksToken: newestToken(t, s)})
	refused(t, err, 401, "unable_to_auth_magic_link")
	_, err = send(linkemail.LoginOrSignupParams{EmailAddress: "ada@acme.example",
		LoginRedirectURL: "https://app.example/welcome"})
	refused(t, err, 400, "no_match_for_provided_magic_link_url") // of another type
	if _, err := send(linkemail.LoginOrSignupParams{EmailAddress: "ada@acme.example",
		PkceCodeChallenge: challenge}); err != nil {
		t.Fatal(err)
	}
	token := newestToken(t, s)
	_, err = api.Authenticate(t.Context(), &magiclinks.AuthenticateParams{MagicLinksToken: token})
	refused(t, err, 400, "pkce_expected_code_verifier")
	_, err = api.Authenticate(t.Context(), &magiclinks.AuthenticateParams{MagicLinksToken: token,
		PkceCodeVerifier: verifier + "x"})
	refused(t, err, 400, "pkce_mismatch")
	if _, err := api.Authenticate(t.Context(), &magiclinks.AuthenticateParams{MagicLinksToken: token,
		PkceCodeVerifier: verifier}); err != nil {
		t.Errorf("a refused verifier spent the link: %v", err)
	}
	_, err = api.Discovery.Authenticate(t.Context(), &linkdiscovery.AuthenticateParams{DiscoveryMagicLinksToken: token})
	refused(t, err, 401, "unable_to_auth_magic_link")
}

func TestLinksOfSomebodyWhoIsGone(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s)
	if _, err := api.MagicLinks.Email.LoginOrSignup(t.Context(), &linkemail.LoginOrSignupParams{OrganizationID: acme,
		EmailAddress: "grace@acme.example"}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.Organizations.Members.Delete(t.Context(), &members.DeleteParams{OrganizationID: acme,
		MemberID: grace}); err != nil {
		t.Fatal(err)
	}
	_, err := api.MagicLinks.Authenticate(t.Context(), &magiclinks.AuthenticateParams{MagicLinksToken: newestToken(t,
		s)})
	refused(t, err, 401, "unable_to_auth_magic_link")
}
