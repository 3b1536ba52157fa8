package stytchtest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations/members"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations/members/connectedapps"
	"github.com/stytchauth/stytch-go/v16/stytch/config"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/connectedapps/clients"
)

func TestConnectedAppsAreSeenAndRevoked(t *testing.T) {
	s := open(t)
	api := lazyClient(t, s)
	of := func(member string) *members.GetConnectedAppsResponse {
		return must[*members.GetConnectedAppsResponse](t)(api.Organizations.Members.GetConnectedApps(t.Context(),
			&members.GetConnectedAppsParams{OrganizationID: acme, MemberID: member}))
	}
	if len(of(ada).ConnectedApps) != 0 {
		t.Error("an app without consent is listed")
	}
	reply, code := tokens(t, s, exchange(authorize(t, s))), authorize(t, s)
	if apps := of(ada).ConnectedApps; len(apps) != 1 || apps[0].ConnectedAppID != gpt ||
		apps[0].ScopesGranted != "openid email tasks:read offline_access" {
		t.Errorf("%+v", apps)
	}
	if len(of(grace).ConnectedApps) != 0 {
		t.Error("Grace has Ada's app")
	}
	all := must[*organizations.ConnectedAppsResponse](t)(api.Organizations.ConnectedApps(t.Context(),
		&organizations.ConnectedAppsParams{OrganizationID: acme}))
	one := must[*organizations.GetConnectedAppResponse](t)(api.Organizations.GetConnectedApp(t.Context(),
		&organizations.GetConnectedAppParams{OrganizationID: acme, ConnectedAppID: gpt}))
	if len(all.ConnectedApps) != 1 || one.Name != "ChatGPT" || len(one.ActiveMembers) != 1 ||
		one.ActiveMembers[0].MemberID != ada || len(one.ActiveMembers[0].GrantedScopes) != 4 {
		t.Errorf("%+v %+v", all, one)
	}

	revoke := &connectedapps.RevokeParams{OrganizationID: acme, MemberID: ada, ConnectedAppID: gpt}
	if _, err := api.Organizations.Members.ConnectedApps.Revoke(t.Context(), revoke); err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string]url.Values{
		"refresh token": form("grant_type", "refresh_token", "refresh_token", reply["refresh_token"].(string),
			"client_id", gpt, "client_secret", gptSecret),
		"code": exchange(code),
	} {
		if status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", values); status != 400 ||
			reply["error"] != "invalid_grant" {
			t.Errorf("%s after revocation: %d %v", name, status, reply)
		}
	}
	if status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil,
		bearer(reply["access_token"].(string))); status != 401 {
		t.Errorf("access token after revocation: %d", status)
	}
	_, err := api.Organizations.Members.ConnectedApps.Revoke(t.Context(), revoke)
	refused(t, err, 404, "connected_app_not_found")

	// The clock stands still: consent given in the same second as the revocation counts.
	again := tokens(t, s, exchange(authorize(t, s)))
	if status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil,
		bearer(again["access_token"].(string))); status != 200 {
		t.Errorf("after new consent: %d", status)
	}
}

// TestClientsIgnoreTheNameThatStytchGoUses: stytch-go v16 sends redirect_url_s, which
// Stytch does not know; the raw client must be used.
func TestClientsIgnoreTheNameThatStytchGoUses(t *testing.T) {
	s := open(t)
	created := must[*clients.CreateResponse](t)(lazyClient(t, s).ConnectedApp.Clients.Create(t.Context(),
		&clients.CreateParams{ClientType: "third_party", RedirectURLS: []string{callback}}))
	if created.ConnectedApp.ClientSecret == "" || len(created.ConnectedApp.RedirectURLS) != 0 {
		t.Errorf("%+v", created.ConnectedApp)
	}
	var out object
	call := func(method, path string, body any) error {
		data := must[[]byte](t)(json.Marshal(body))
		raw := stytch.New(project, "secret-test-guestpass-dev")
		raw.Config.BaseURI, raw.HTTPClient, out = config.BaseURI(s.URL), &http.Client{Timeout: time.Minute}, nil
		return raw.NewRequest(t.Context(), stytch.RequestParams{Method: method, Path: "/v1/connected_apps/clients" +
			path, Body: data, V: &out})
	}
	id := "/" + created.ConnectedApp.ClientID
	if err := call("GET", id, object{}); err != nil ||
		len(out["connected_app"].(object)["redirect_urls"].([]any)) != 0 {
		t.Errorf("redirect_url_s had an effect: %v %v", out, err)
	}
	if err := call("PUT", id, object{"redirect_urls": []string{callback}}); err != nil {
		t.Fatal(err)
	}
	app := out["connected_app"].(object)
	if urls, _ := app["redirect_urls"].([]any); len(urls) != 1 || urls[0] != callback || app["client_secret"] != nil {
		t.Errorf("%v", app)
	}
	for address, kind := range map[string]string{"chatgpt.com/cb": "must_include_scheme",
		"ftp://chatgpt.com/cb": "must_use_https_scheme", "http://chatgpt.com/cb": "http_scheme_must_use_loopback"} {
		refused(t, call("PUT", id, object{"redirect_urls": []string{address}}), 400, "connected_app_redirect_url_"+kind)
	}
	if err := call("POST", "/search", object{"limit": 2}); err != nil || len(out["connected_apps"].([]any)) != 2 {
		t.Errorf("%v %v", out, err)
	}
	if err := call("DELETE", id, object{}); err != nil || "/"+out["client_id"].(string) != id {
		t.Errorf("%v %v", out, err)
	}
	refused(t, call("GET", id, object{}), 404, "connected_app_not_found")
}
