package stytchtest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/b2b/oauth"
	oauthdiscovery "github.com/stytchauth/stytch-go/v16/stytch/b2b/oauth/discovery"
	consumeroauth "github.com/stytchauth/stytch-go/v16/stytch/consumer/oauth"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"guestpass/stytchtest"
)

// unfollowed returns a browser's request, without what the browser does next.
func unfollowed(t *testing.T, address string) (int, string) {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request,
		[]*http.Request) error {
		return http.ErrUseLastResponse
	}}
	response := must[*http.Response](t)(browser.Get(address))
	defer response.Body.Close()
	return response.StatusCode, response.Header.Get("Location")
}

// atProvider goes to the stand-in for a provider, continues there as somebody, and returns
// the URL that the browser is sent to.
func atProvider(t *testing.T, s *stytchtest.Server, start, email string) string {
	t.Helper()
	status, page := unfollowed(t, s.URL+start)
	if status != 302 || !strings.HasPrefix(page, "/_emulator/provider/") {
		t.Fatalf("start: %d to %q", status, page)
	}
	status, back := unfollowed(t, s.URL+page+"?email="+url.QueryEscape(email))
	if status != 302 {
		t.Fatalf("continue as %s: %d", email, status)
	}
	if status, _ := unfollowed(t, s.URL+page+"?email="+url.QueryEscape(email)); status != 404 {
		t.Errorf("the provider's page works twice: %d", status)
	}
	return back
}

const (
	discoveryStart    = "/v1/b2b/public/oauth/google/discovery/start?public_token=" + publicToken
	organizationStart = "/v1/b2b/public/oauth/microsoft/start?public_token=" + publicToken
	userStart         = "/v1/public/oauth/github/start?public_token=" + consumerPublicToken
)

func TestOAuthDiscovery(t *testing.T) {
	s := open(t, byDomain)
	api := lazyClient(t, s)
	back := atProvider(t, s, discoveryStart+"&discovery_redirect_url="+url.QueryEscape(idp)+"&pkce_code_challenge="+
		challenge+"&provider_prompt=consent&custom_scopes=a+b", "new@acme.example")
	if !strings.HasPrefix(back, idp+"?stytch_token_type=discovery_oauth&token=") {
		t.Fatalf("back to %s", back)
	}
	token := tokenOf(t, back)
	authenticate := func(verifier string) (*oauthdiscovery.AuthenticateResponse, error) {
		return api.OAuth.Discovery.Authenticate(t.Context(),
			&oauthdiscovery.AuthenticateParams{DiscoveryOAuthToken: token, PkceCodeVerifier: verifier})
	}
	_, err := authenticate("")
	refused(t, err, 400, "pkce_expected_code_verifier")
	_, err = authenticate("x")
	refused(t, err, 400, "pkce_mismatch")
	_, err = api.OAuth.Authenticate(t.Context(), &oauth.AuthenticateParams{OAuthToken: token,
		PkceCodeVerifier: verifier})
	refused(t, err, 404, "oauth_token_not_found")
	in := must[*oauthdiscovery.AuthenticateResponse](t)(authenticate(verifier))
	if in.ProviderType != "google" || in.EmailAddress != "new@acme.example" ||
		memberships(in.DiscoveredOrganizations)["acme"] != "eligible_to_join_by_email_domain" {
		t.Errorf("%+v", in)
	}
	_, err = authenticate(verifier)
	refused(t, err, 404, "oauth_token_not_found")
	joined := exchangeIntermediate(t, s, in.IntermediateSessionToken, acme)
	factor := joined.MemberSession.AuthenticationFactors[0]
	if r := joined.Member.OAuthRegistrations; len(r) != 1 || r[0].ProviderType != "google" || factor.Type != "oauth" ||
		factor.DeliveryMethod != "oauth_google" ||
		factor.GoogleOAuthFactor == nil || factor.GoogleOAuthFactor.ID != r[0].MemberOAuthRegistrationID ||
		factor.GoogleOAuthFactor.ProviderSubject != r[0].ProviderSubject {
		t.Errorf("%+v, factor %+v", joined.Member, factor)
	}
}

func TestOAuthOfAnOrganization(t *testing.T) {
	s := open(t, byDomain, func(seed *stytchtest.Seed) {
		seed.Project.RedirectURLs = append(stytchtest.RedirectURLs(idp), stytchtest.RedirectURL{URL: idp + "?new",
			Types: []stytchtest.RedirectURLType{{Type: "SIGNUP"}}})
	})
	api := lazyClient(t, s).OAuth
	authenticate := func(start, email string) (*oauth.AuthenticateResponse, error) {
		t.Helper()
		return api.Authenticate(t.Context(),
			&oauth.AuthenticateParams{OAuthToken: tokenOf(t, atProvider(t, s, start, email)),
				SessionDurationMinutes: 20})
	}
	for _, locator := range []string{"&organization_id=" + acme, "&slug=acme"} {
		in, err := authenticate(organizationStart+locator, "ada@acme.example")
		if err != nil || in.MemberID != ada || in.OrganizationID != acme || in.ProviderType != "microsoft" ||
			in.ProviderSubject == "" || in.ProviderValues == nil || in.ProviderValues.Scopes == nil ||
			in.MemberSession.AuthenticationFactors[0].MicrosoftOAuthFactor == nil ||
			len(in.Member.OAuthRegistrations) != 1 || !in.MemberSession.ExpiresAt.Equal(noon.Add(20*time.Minute)) {
			t.Errorf("%s: %+v %v", locator, in, err)
		}
	}
	if in, err := authenticate(organizationStart+"&slug=acme", "new@acme.example"); err != nil ||
		in.Member.Status != "active" || !in.Member.EmailAddressVerified {
		t.Errorf("joining: %+v %v", in, err)
	}
	_, err := authenticate(organizationStart+"&slug=globex", "new@acme.example")
	refused(t, err, 404, "member_not_found")
	signup := organizationStart + "&slug=acme&signup_redirect_url=" + url.QueryEscape(idp+"?new")
	if back := atProvider(t, s, signup, "another@acme.example"); !strings.HasPrefix(back,
		idp+"?new&stytch_token_type=oauth&token=") {
		t.Errorf("somebody new goes to %s", back)
	}
	if back := atProvider(t, s, signup, "ada@acme.example"); !strings.HasPrefix(back,
		idp+"?stytch_token_type=oauth&token=") {
		t.Errorf("Ada goes to %s", back)
	}
}

func TestOAuthOfUsers(t *testing.T) {
	s := openConsumer(t)
	api := lazyConsumerClient(t, s)
	for _, email := range []string{"ada@example.com", "new@example.com"} {
		token := tokenOf(t, atProvider(t, s, userStart+"&code_challenge="+challenge, email))
		_, err := api.OAuth.Authenticate(t.Context(), &consumeroauth.AuthenticateParams{Token: token,
			CodeVerifier: "x"})
		refused(t, err, 400, "pkce_mismatch")
		in := must[*consumeroauth.AuthenticateResponse](t)(api.OAuth.Authenticate(t.Context(),
			&consumeroauth.AuthenticateParams{Token: token, CodeVerifier: verifier, SessionDurationMinutes: 60}))
		if in.User.Emails[0].Email != email || !in.User.Emails[0].Verified || in.UserSession == nil ||
			in.UserSession.AuthenticationFactors[0].GithubOAuthFactor == nil ||
			in.OAuthUserRegistrationID == "" ||
			in.OAuthUserRegistrationID != in.User.Providers[0].OAuthUserRegistrationID || in.ProviderType != "github" ||
			in.ProviderValues.Scopes == nil {
			t.Errorf("%s: %+v", email, in)
		}
		_, err = api.OAuth.Authenticate(t.Context(), &consumeroauth.AuthenticateParams{Token: token,
			CodeVerifier: verifier})
		refused(t, err, 404, "oauth_token_not_found")
	}
	if found := must[*users.SearchResponse](t)(api.Users.Search(t.Context(),
		&users.SearchParams{})); found.ResultsMetadata.Total != 3 {
		t.Errorf("%d users", found.ResultsMetadata.Total)
	}
	expired := tokenOf(t, atProvider(t, s, userStart, "ada@example.com"))
	s.Advance(10 * time.Minute)
	_, err := api.OAuth.Authenticate(t.Context(), &consumeroauth.AuthenticateParams{Token: expired})
	refused(t, err, 404, "oauth_token_not_found")
	_, page := unfollowed(t, s.URL+userStart)
	_, err = api.OAuth.Authenticate(t.Context(), &consumeroauth.AuthenticateParams{Token: strings.TrimPrefix(page,
		"/_emulator/provider/")})
	refused(t, err, 404, "oauth_token_not_found") // nobody has continued yet
}

func TestOAuthStartRefuses(t *testing.T) {
	b2bServer := open(t)
	strict := open(t, func(seed *stytchtest.Seed) { seed.Project.PKCERequired = true })
	for _, tt := range []struct {
		name, path string
		s          *stytchtest.Server
		status     int
		kind       string
	}{
		{"no public token", "/v1/b2b/public/oauth/google/discovery/start", b2bServer, 400, "public_token_required"},
		{"another project's", "/v1/b2b/public/oauth/google/discovery/start?public_token=" + consumerPublicToken,
			b2bServer, 404, "public_token_not_found"},
		{"a provider of Consumer projects only",
			strings.Replace(discoveryStart, "google", "tiktok", 1), b2bServer, 400, "invalid_oauth_provider"},
		{"no organization", organizationStart, b2bServer, 400, "missing_oauth_organization_locator"},
		{"two of them", organizationStart + "&slug=acme&organization_id=" + acme, b2bServer, 400,
			"too_many_oauth_organization_locators"},
		{"an unknown one", organizationStart + "&slug=nowhere", b2bServer, 404, "organization_not_found"},
		{"another URL", discoveryStart + "&discovery_redirect_url=https%3A%2F%2Fevil.example%2F", b2bServer, 400,
			"no_match_for_provided_oauth_url"},
		{"another query", discoveryStart + "&discovery_redirect_url=" + url.QueryEscape(idp+"?x=1"), b2bServer, 400,
			"query_params_do_not_match"},
		{"another URL for signing up",
			organizationStart + "&slug=acme&signup_redirect_url=https%3A%2F%2Fevil.example%2F", b2bServer, 400,
			"no_match_for_provided_oauth_url"},
		{"no challenge where it is required", discoveryStart, strict, 400, "pkce_expected_code_challenge"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, reply, _ := ask(t, "GET", tt.s.URL+tt.path, nil)
			if status != tt.status || reply["error_type"] != tt.kind || reply["request_id"] == nil {
				t.Errorf("%d %v, want %d %s", status, reply, tt.status, tt.kind)
			}
		})
	}
}

func TestTheProvidersPageOffersEverybody(t *testing.T) {
	s := openConsumer(t, func(seed *stytchtest.Seed) { seed.Users[1].Name.First = "<i>Grace" })
	_, page := unfollowed(t, s.URL+userStart)
	status, reply, header := ask(t, "GET", s.URL+page, nil)
	text, _ := reply["body"].(string)
	if status != 200 || !strings.Contains(text, "Github") || !strings.Contains(text, "?email=ada%40example.com") ||
		!strings.Contains(text, "&lt;i&gt;Grace") || strings.Contains(text, "<i>Grace") {
		t.Errorf("%d %s", status, text)
	}
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") ||
		strings.Contains(csp, "unsafe") {
		t.Errorf("CSP %s", csp)
	}
	if status, reply, _ := ask(t, "GET", s.URL+page+"?email=nonsense", nil); status != 200 ||
		!strings.Contains(reply["body"].(string), "nonsense") {
		t.Errorf("what is no address must be asked for again: %d", status)
	}
}
