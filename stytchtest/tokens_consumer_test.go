package stytchtest_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	consumeridp "github.com/stytchauth/stytch-go/v16/stytch/consumer/idp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/idp/oauth"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/rbac"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"guestpass/stytchtest"
)

func TestAccessTokenOfAUserIsExactlyAsStytchMakesIt(t *testing.T) {
	s := openConsumer(t)
	reply := tokens(t, s,
		exchange(authorizeUser(t, s, func(b object) {
			b["nonce"], b["scopes"] = "n-1", []string{"openid", "email",
				"profile", "tasks:read"}
		})))
	claims := claimsOf(t, reply["access_token"])
	if id, _ := claims["jti"].(string); id == "" {
		t.Errorf("jti %v", claims["jti"])
	}
	delete(claims, "jti")
	at := float64(noon.Unix())
	if want := (object{"iss": s.URL, "sub": userAda, "aud": []any{consumerProject}, "client_id": gpt,
		"scope": "openid email profile tasks:read",
		"iat":   at, "nbf": at, "exp": at + 3600}); !reflect.DeepEqual(claims, want) {
		t.Errorf("access token\n%v, want\n%v", claims, want)
	}
	id := claimsOf(t, reply["id_token"])
	if want := (object{"iss": s.URL, "sub": userAda, "aud": []any{gpt}, "iat": at, "nbf": at, "exp": at + 3600,
		"nonce": "n-1", "email": "ada@example.com",
		"email_verified": true, "name": "Ada Lovelace", "given_name": "Ada",
		"family_name": "Lovelace"}); !reflect.DeepEqual(id, want) {
		t.Errorf("ID token\n%v, want\n%v", id, want)
	}
	status, public, _ := ask(t, "POST", s.URL+"/v1/public/"+consumerProject+"/oauth2/token",
		exchange(authorizeUser(t, s)))
	if claims := claimsOf(t, public["access_token"]); status != 200 || claims["iss"] != "stytch.com/"+consumerProject {
		t.Errorf("public form: %d %v", status, claims)
	}
}

func TestUserinfoOfAUserHasThePartsOfTheName(t *testing.T) {
	for _, tt := range []struct {
		name string
		user stytchtest.UserName
		want object
	}{
		{"all three", stytchtest.UserName{First: "Ada", Middle: "King", Last: "Lovelace"},
			object{"name": "Ada King Lovelace", "given_name": "Ada", "middle_name": "King", "family_name": "Lovelace"}},
		{"one", stytchtest.UserName{First: "Ada"}, object{"name": "Ada", "given_name": "Ada"}},
		{"none", stytchtest.UserName{}, object{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openConsumer(t, func(seed *stytchtest.Seed) { seed.Users[0].Name = tt.user })
			token := must[string](t)(s.Mint(stytchtest.MintRequest{Subject: userAda,
				Scopes: []string{"openid", "profile"}}))
			status, reply, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil, bearer(token))
			delete(reply, "request_id")
			tt.want["sub"], tt.want["status_code"] = userAda, 200.0
			if status != 200 || !reflect.DeepEqual(reply, tt.want) {
				t.Errorf("%d %v, want %v", status, reply, tt.want)
			}
		})
	}
}

func TestAuthorizeUsersThroughTheServerAPI(t *testing.T) {
	s := openConsumer(t)
	api := lazyConsumerClient(t, s)
	start := &oauth.AuthorizeStartParams{UserID: userAda, ClientID: gpt, RedirectURI: callback,
		Scopes: []string{"openid", "tasks:read"}}
	got := must[*oauth.AuthorizeStartResponse](t)(api.IDP.OAuth.AuthorizeStart(t.Context(), start))
	if got.UserID != userAda || got.User.Emails[0].Email != "ada@example.com" || !got.ConsentRequired ||
		got.Client.ClientID != gpt || got.Client.ClientType != "third_party" ||
		len(got.ScopeResults) != 2 || !got.ScopeResults[1].IsGrantable ||
		got.ScopeResults[1].Description != "Read tasks" {
		t.Errorf("%+v", got)
	}
	params := oauth.AuthorizeParams{UserID: userAda, ClientID: gpt, RedirectURI: callback, Scopes: start.Scopes,
		State: "s"}
	denied := must[*oauth.AuthorizeResponse](t)(api.IDP.OAuth.Authorize(t.Context(), &params))
	if back := must[*url.URL](t)(url.Parse(denied.RedirectURI)).Query(); denied.AuthorizationCode != "" ||
		back.Get("error") != "access_denied" || back.Get("state") != "s" {
		t.Errorf("%+v", denied)
	}
	params.ConsentGranted = true
	allowed := must[*oauth.AuthorizeResponse](t)(api.IDP.OAuth.Authorize(t.Context(), &params))
	tokens(t, s, exchange(allowed.AuthorizationCode))
	again := must[*oauth.AuthorizeStartResponse](t)(api.IDP.OAuth.AuthorizeStart(t.Context(), start))
	if again.ConsentRequired {
		t.Error("consent is not remembered")
	}
	others := *start
	others.UserID = userGrace
	if got := must[*oauth.AuthorizeStartResponse](t)(api.IDP.OAuth.AuthorizeStart(t.Context(),
		&others)); !got.ConsentRequired {
		t.Error("Ada's consent counts for Grace")
	}
	bySession := *start
	bySession.UserID, bySession.SessionToken = "", userSession(t, s, "grace@example.com")
	if got := must[*oauth.AuthorizeStartResponse](t)(api.IDP.OAuth.AuthorizeStart(t.Context(),
		&bySession)); got.UserID != userGrace {
		t.Errorf("%+v", got)
	}
	for name, tt := range map[string]struct {
		change func(*oauth.AuthorizeStartParams)
		status int
		kind   string
	}{
		"nobody": {func(p *oauth.AuthorizeStartParams) { p.UserID = "" }, 400,
			"no_oauth_authorize_member_selector"},
		"two selectors": {func(p *oauth.AuthorizeStartParams) { p.SessionToken = "x" }, 400,
			"no_oauth_authorize_member_selector"},
		"an unknown user": {func(p *oauth.AuthorizeStartParams) { p.UserID = "user-test-none" }, 404,
			"user_not_found"},
		"a made-up session": {func(p *oauth.AuthorizeStartParams) { p.UserID, p.SessionToken = "", "x" }, 404,
			"session_not_found"},
		"an unknown scope": {func(p *oauth.AuthorizeStartParams) { p.Scopes = []string{"members:read"} }, 400,
			"oauth_invalid_scope_requested"},
		"an unknown client": {func(p *oauth.AuthorizeStartParams) { p.ClientID = "x" }, 404, "connected_app_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			p := *start
			tt.change(&p)
			_, err := api.IDP.OAuth.AuthorizeStart(t.Context(), &p)
			refused(t, err, tt.status, tt.kind)
		})
	}
}

// TestConsentTableOfUsers goes through Stytch's table, client type by client type.
func TestConsentTableOfUsers(t *testing.T) {
	const bypass, firstPublic = "connected-app-test-bypass", "connected-app-test-first-public"
	setUp := func(seed *stytchtest.Seed) {
		seed.ConnectedApps = append(seed.ConnectedApps,
			stytchtest.ConnectedApp{ClientID: bypass, ClientSecret: "b", Type: "first_party",
				RedirectURLs: []string{callback}, BypassOfflineConsent: true, FullAccess: true},
			stytchtest.ConnectedApp{ClientID: firstPublic, Type: "first_party_public",
				RedirectURLs: []string{callback}})
		seed.Policy.Resources = append(seed.Policy.Resources, stytchtest.Resource{ID: "vault",
			Actions: []string{"open"}})
		seed.Policy.Scopes = append(seed.Policy.Scopes, stytchtest.CustomScope{Name: "vault:open",
			Permissions: []stytchtest.Permission{{ResourceID: "vault", Actions: []string{"open"}}}})
	}
	s := openConsumer(t, setUp)
	api := lazyConsumerClient(t, s)
	authorizeUser(t, s, func(b object) { b["scopes"] = []string{"openid", "tasks:read"} })
	authorizeUser(t, s, toPhone)
	for _, tt := range []struct {
		name, client, scopes, prompt string
		want                         bool
	}{
		{"third party, nothing new", gpt, "openid tasks:read", "", false},
		{"third party, fewer", gpt, "openid", "", false},
		{"third party, more", gpt, "openid tasks:write", "", true},
		{"third party, more that cannot be granted", gpt, "openid vault:open", "", false},
		{"third party, offline", gpt, "openid offline_access", "", true},
		{"third party, asked to ask", gpt, "openid", "consent", true},
		{"public third party, nothing new", phone, "openid email tasks:read", "", false},
		{"public third party, offline again", phone, "openid email tasks:read offline_access", "", true},
		{"first party, never seen", ours, "openid tasks:read", "", false},
		{"first party, offline", ours, "openid offline_access", "", true},
		{"first party, asked to ask", ours, "openid", "consent", true},
		{"public first party, never seen", firstPublic, "openid", "", false},
		{"public first party, offline", firstPublic, "offline_access", "", true},
		{"bypass, offline", bypass, "openid offline_access", "", false},
		{"bypass, full access", bypass, "openid full_access", "", false},
		{"bypass, asked to ask", bypass, "openid offline_access", "consent", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			redirect := map[string]string{phone: "http://127.0.0.1:5/cb", ours: callback + "?tenant=b&a=1"}[tt.client]
			if redirect == "" {
				redirect = callback
			}
			got, err := api.IDP.OAuth.AuthorizeStart(t.Context(), &oauth.AuthorizeStartParams{UserID: userAda,
				ClientID: tt.client, RedirectURI: redirect, Scopes: strings.Fields(tt.scopes), Prompt: tt.prompt})
			if err != nil || got.ConsentRequired != tt.want {
				t.Errorf("consent required: %v, %v", got.ConsentRequired, err)
			}
		})
	}
	_, err := api.IDP.OAuth.AuthorizeStart(t.Context(), &oauth.AuthorizeStartParams{UserID: userAda, ClientID: gpt,
		RedirectURI: callback, Scopes: []string{"full_access"}})
	refused(t, err, 400, "third_party_clients_cannot_use_full_access")
	reply := tokens(t, s,
		exchange(authorizeUser(t, s, func(b object) { b["scopes"] = []string{"openid", "vault:open", "tasks:read"} })))
	if reply["scope"] != "openid tasks:read" {
		t.Errorf("granted %v: what Ada's roles do not cover must be dropped", reply["scope"])
	}
}

func TestPublicClientsOfUsersNeedPKCEAndRotate(t *testing.T) {
	s := openConsumer(t)
	status, reply, _ := ask(t, "POST", s.URL+"/v1/idp/oauth/authorize", object{"user_id": userAda, "client_id": phone,
		"redirect_uri": "http://127.0.0.1:5/cb", "consent_granted": true}, basic(consumerProject, projectSecret))
	if status != 400 || reply["error_type"] != "pkce_required_for_idp_authorization_flow" {
		t.Errorf("%d %v", status, reply)
	}
	code := authorizeUser(t, s, toPhone)
	for name, values := range map[string]url.Values{"no verifier": phoneForm(code, "code_verifier", ""),
		"another one":  phoneForm(code, "code_verifier", verifier+"x"),
		"another port": phoneForm(code, "redirect_uri", "http://127.0.0.1:6/cb")} {
		if status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", values); status != 400 ||
			reply["error"] != "invalid_grant" {
			t.Errorf("%s: %d %v", name, status, reply)
		}
	}
	if status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", phoneForm(code, "client_secret",
		"x")); status != 400 || reply["error"] != "invalid_client" {
		t.Errorf("a public client with a secret: %d %v", status, reply)
	}
	first := tokens(t, s, phoneForm(code))
	refresh := func(token any) url.Values {
		return form("grant_type", "refresh_token", "refresh_token", token.(string), "client_id", phone)
	}
	second := tokens(t, s, refresh(first["refresh_token"]))
	if status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", refresh(first["refresh_token"])); status != 400 ||
		reply["error"] != "invalid_grant" {
		t.Errorf("the old one: %d %v", status, reply)
	}
	if claims := claimsOf(t, tokens(t, s, refresh(second["refresh_token"]))["access_token"]); claims["sub"] != userAda {
		t.Errorf("%v", claims)
	}
}

func TestConfidentialClientsOfUsersKeepTheirRefreshToken(t *testing.T) {
	s := openConsumer(t)
	first := tokens(t, s, exchange(authorizeUser(t, s)))
	refresh := form("grant_type", "refresh_token", "refresh_token", first["refresh_token"].(string), "client_id", gpt,
		"client_secret", gptSecret)
	if again := tokens(t, s, refresh); again["refresh_token"] != nil || again["scope"] != first["scope"] ||
		again["id_token"] == nil {
		t.Errorf("%v", again)
	}
	if status, _, _ := ask(t, "POST", s.URL+"/v1/oauth2/revoke", form("token", first["refresh_token"].(string)),
		basic(gpt, gptSecret)); status != 200 {
		t.Error("not revoked")
	}
	if status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", refresh); status != 400 ||
		reply["error"] != "invalid_grant" {
		t.Errorf("%d %v", status, reply)
	}
	if status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil,
		bearer(first["access_token"].(string))); status != 401 {
		t.Error("the access token of a revoked refresh token is good")
	}
}

func TestIntrospectionOfUsersThroughTheNetwork(t *testing.T) {
	s := openConsumer(t)
	api := lazyConsumerClient(t, s)
	reply := tokens(t, s, exchange(authorizeUser(t, s)))
	secret := gptSecret
	for name, token := range map[string]any{"access_token": reply["access_token"],
		"refresh_token": reply["refresh_token"]} {
		got, err := api.IDP.IntrospectTokenNetwork(t.Context(),
			&consumeridp.IntrospectTokenNetworkParams{Token: token.(string), ClientID: gpt, ClientSecret: &secret})
		if err != nil || got.Subject != userAda || got.TokenType != name || got.Audience[0] != consumerProject ||
			got.Scope != "openid email tasks:read offline_access" {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	if _, err := api.Users.Delete(t.Context(), &users.DeleteParams{UserID: userAda}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.IDP.IntrospectTokenNetwork(t.Context(),
		&consumeridp.IntrospectTokenNetworkParams{Token: reply["access_token"].(string), ClientID: gpt,
			ClientSecret: &secret}); err == nil {
		t.Error("a deleted user's token is active")
	}
	// stytch-go looks at the real clock when it checks locally.
	real := serve(t, stytchtest.Options{Seed: seedOf(stytchtest.DevelopmentConsumer())})
	token := must[string](t)(real.Mint(stytchtest.MintRequest{Subject: userGrace,
		Issuer: "stytch.com/" + consumerProject, ExpiresIn: int(time.Hour.Seconds())}))
	if local, err := consumerClient(t, real).IDP.IntrospectTokenLocal(t.Context(),
		&consumeridp.IntrospectTokenLocalParams{Token: token}); err != nil || local.Subject != userGrace ||
		local.ClientID != gpt {
		t.Errorf("%+v %v", local, err)
	}
}

func TestPolicyOfAConsumerProject(t *testing.T) {
	got := must[*rbac.PolicyResponse](t)(lazyConsumerClient(t, openConsumer(t)).RBAC.Policy(t.Context(),
		&rbac.PolicyParams{})).Policy
	if len(got.Roles) != 1 || got.Roles[0].RoleID != "stytch_user" || len(got.Scopes) != 3 ||
		got.Scopes[0].Scope != "tasks:read" || len(got.Resources) != 3 || got.Resources[1].Actions[0] != "read" {
		t.Errorf("%+v", got)
	}
}
