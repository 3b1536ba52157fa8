package stytchtest_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	stytchidp "github.com/stytchauth/stytch-go/v16/stytch/b2b/idp"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/idp/oauth"
	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"

	"guestpass/stytchtest"
)

func TestAuthorizeThroughTheServerAPI(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s)
	start := &oauth.AuthorizeStartParams{OrganizationID: acme, MemberID: grace, ClientID: gpt, RedirectURI: callback,
		Scopes: []string{"openid", "members:read", "members:invite"}}
	got := must[*oauth.AuthorizeStartResponse](t)(api.IDP.OAuth.AuthorizeStart(t.Context(), start))
	if !got.ConsentRequired || got.Client.ClientName != "ChatGPT" || got.MemberID != grace ||
		got.Organization.OrganizationSlug != "acme" {
		t.Errorf("%+v", got)
	}
	grantable := map[string]bool{}
	for _, r := range got.ScopeResults {
		grantable[r.Scope] = r.IsGrantable
		if r.Scope == "members:invite" && r.Description != "Invite people to your organization" {
			t.Errorf("%+v", r)
		}
	}
	if !grantable["openid"] || !grantable["members:read"] || grantable["members:invite"] {
		t.Errorf("grantable: %v; Grace may not invite", grantable)
	}

	params := oauth.AuthorizeParams{OrganizationID: acme, MemberID: grace, ClientID: gpt, RedirectURI: callback,
		Scopes: start.Scopes, State: "a b&c=d+é"}
	denied := must[*oauth.AuthorizeResponse](t)(api.IDP.OAuth.Authorize(t.Context(), &params)) // false is not sent
	back := must[*url.URL](t)(url.Parse(denied.RedirectURI))
	if denied.AuthorizationCode != "" || back.Query().Get("error") != "access_denied" ||
		back.Query().Get("error_description") == "" || back.Query().Get("state") != params.State {
		t.Errorf("denied: %+v", denied)
	}
	params.ConsentGranted = true
	allowed := must[*oauth.AuthorizeResponse](t)(api.IDP.OAuth.Authorize(t.Context(), &params))
	back = must[*url.URL](t)(url.Parse(allowed.RedirectURI))
	if !strings.HasPrefix(allowed.RedirectURI, callback+"?code=") ||
		back.Query().Get("code") != allowed.AuthorizationCode || back.Query().Get("state") != params.State {
		t.Errorf("allowed: %+v", allowed)
	}
	if scope := tokens(t, s, exchange(allowed.AuthorizationCode))["scope"]; scope != "openid members:read" {
		t.Errorf("scope %v: what cannot be granted must be dropped", scope)
	}
	if again, err := api.IDP.OAuth.AuthorizeStart(t.Context(), start); err != nil || again.ConsentRequired {
		t.Errorf("consent is not remembered: %+v %v", again, err)
	}
	// Without need for consent an absent consent_granted must yield a code.
	params.ConsentGranted = false
	if silent, err := api.IDP.OAuth.Authorize(t.Context(), &params); err != nil || silent.AuthorizationCode == "" {
		t.Errorf("%+v %v", silent, err)
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) { seed.Organizations[1].ThirdPartyApps = "NOT_ALLOWED" })
	api := lazyClient(t, s)
	for _, tt := range []struct {
		name   string
		change func(*oauth.AuthorizeStartParams)
		status int
		kind   string
	}{
		{"an unknown client", func(p *oauth.AuthorizeStartParams) { p.ClientID = "connected-app-test-none" }, 404,
			"connected_app_not_found"},
		{"another redirect URI", func(p *oauth.AuthorizeStartParams) { p.RedirectURI += "/" }, 401,
			"connected_app_supplied_redirect_url_not_found_in_client"},
		{"a redirect URI with a query", func(p *oauth.AuthorizeStartParams) { p.RedirectURI += "?a=1" }, 401,
			"connected_app_supplied_redirect_url_not_found_in_client"},
		{"an unknown scope", func(p *oauth.AuthorizeStartParams) { p.Scopes = []string{"tasks:burn"} }, 400,
			"oauth_invalid_scope_requested"},
		{"full access for others", func(p *oauth.AuthorizeStartParams) { p.Scopes = []string{"full_access"} }, 400,
			"third_party_clients_cannot_use_full_access"},
		{"a token response", func(p *oauth.AuthorizeStartParams) { p.ResponseType = "token" }, 400,
			"oauth_invalid_response_type"},
		{"nobody", func(p *oauth.AuthorizeStartParams) { p.MemberID, p.OrganizationID = "", "" }, 400,
			"no_oauth_authorize_member_selector"},
		{"two selectors", func(p *oauth.AuthorizeStartParams) { p.SessionToken = "x" }, 400,
			"no_oauth_authorize_member_selector"},
		{"an organization that forbids it", func(p *oauth.AuthorizeStartParams) {
			p.MemberID, p.OrganizationID = hank,
				globex
		}, 403, "connected_app_not_allowed_for_org"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &oauth.AuthorizeStartParams{OrganizationID: acme, MemberID: ada, ClientID: gpt, RedirectURI: callback}
			tt.change(p)
			_, err := api.IDP.OAuth.AuthorizeStart(t.Context(), p)
			refused(t, err, tt.status, tt.kind)
		})
	}
}

func TestConsentTable(t *testing.T) {
	third := func(scopes ...string) *oauth.AuthorizeStartParams {
		return &oauth.AuthorizeStartParams{OrganizationID: acme, MemberID: ada, ClientID: gpt, RedirectURI: callback,
			Scopes: scopes}
	}
	first := func(scopes ...string) *oauth.AuthorizeStartParams {
		return &oauth.AuthorizeStartParams{OrganizationID: acme, MemberID: ada, ClientID: ours,
			RedirectURI: callback + "?tenant=b&a=1", Scopes: scopes}
	}
	s := open(t)
	authorize(t, s, func(b object) { b["scopes"] = []string{"openid", "tasks:read"} })
	for _, tt := range []struct {
		name   string
		params *oauth.AuthorizeStartParams
		prompt string
		want   bool
	}{
		{"third party, the same scopes", third("openid", "tasks:read"), "", false},
		{"third party, fewer scopes", third("openid"), "", false},
		{"third party, one more", third("openid", "tasks:read", "tasks:write"), "", true},
		{"third party, offline", third("openid", "offline_access"), "", true},
		{"third party, asked to ask", third("openid"), "consent", true},
		{"first party", first("openid", "tasks:write"), "", false},
		{"first party, offline", first("openid", "offline_access"), "", true},
		{"first party, asked to ask", first("openid"), "consent", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.params.Prompt = tt.prompt
			got, err := lazyClient(t, s).IDP.OAuth.AuthorizeStart(t.Context(), tt.params)
			if err != nil || got.ConsentRequired != tt.want {
				t.Errorf("consent required %v, %v", got.ConsentRequired, err)
			}
		})
	}
}

func TestIntrospectionThroughTheNetwork(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s)
	reply := tokens(t, s, exchange(authorize(t, s)))
	secret := gptSecret
	introspect := func(token any) (*stytchidp.IntrospectTokenResponse, error) {
		return api.IDP.IntrospectTokenNetwork(t.Context(),
			&stytchidp.IntrospectTokenNetworkParams{Token: token.(string), ClientID: gpt, ClientSecret: &secret})
	}
	got, err := introspect(reply["access_token"])
	if err != nil || !got.Active || got.TokenType != "access_token" || got.Subject != ada ||
		got.Audience[0] != project || got.ClientID != gpt ||
		got.Issuer != s.URL || got.Organization.OrganizationID != acme ||
		got.Scope != "openid email tasks:read offline_access" {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := introspect(reply["refresh_token"]); err != nil || got.TokenType != "refresh_token" ||
		got.Audience[0] != project {
		t.Errorf("%+v %v", got, err)
	}
	s.Advance(time.Hour)
	var e stytcherror.Error
	if _, err := introspect(reply["access_token"]); !errors.As(err, &e) || e.ErrorType != "oauth2_invalid_token_error" {
		t.Errorf("expired: %v", err)
	}
	secret = "wrong"
	var o stytcherror.OAuth2Error
	if _, err := introspect(reply["access_token"]); !errors.As(err, &o) || o.ErrorType != "invalid_client" ||
		o.StatusCode != 400 {
		t.Errorf("wrong secret: %v", err)
	}
}
