package stytchtest_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch"
	"github.com/stytchauth/stytch-go/v16/stytch/config"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/connectedapps/clients"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/connectedapps/clients/secrets"

	"guestpass/stytchtest"
)

// inBothVerticals runs a test against a project of each, with the part of stytch-go that
// its two clients share.
func inBothVerticals(t *testing.T, test func(*testing.T, *stytchtest.Server, *consumer.ConnectedAppClientsClient)) {
	t.Run("b2b", func(t *testing.T) {
		s := open(t)
		test(t, s, lazyClient(t, s).ConnectedApp.Clients)
	})
	t.Run("consumer", func(t *testing.T) {
		s := openConsumer(t)
		test(t, s, lazyConsumerClient(t, s).ConnectedApp.Clients)
	})
}

// rawClients is stytch-go's raw client, which alone can set redirect URLs (v16 has another
// name for them).
func rawClients(t *testing.T, s *stytchtest.Server, method, path string, body object) (object, error) {
	t.Helper()
	raw := stytch.New(projectOf(s), projectSecret)
	raw.Config.BaseURI, raw.HTTPClient = config.BaseURI(s.URL), &http.Client{Timeout: time.Minute}
	var out object
	err := raw.NewRequest(t.Context(), stytch.RequestParams{Method: method, Path: "/v1/connected_apps/clients" + path,
		Body: must[[]byte](t)(json.Marshal(body)), V: &out})
	app, _ := out["connected_app"].(object)
	return app, err
}

func TestAClientFromItsMakingToItsEnd(t *testing.T) {
	inBothVerticals(t, func(t *testing.T, s *stytchtest.Server, api *consumer.ConnectedAppClientsClient) {
		made := must[*clients.CreateResponse](t)(api.Create(t.Context(),
			&clients.CreateParams{ClientType: "first_party", ClientName: "Console", ClientDescription: "Ours",
				FullAccessAllowed: true, BypassConsentForOfflineAccess: true, AccessTokenExpiryMinutes: 15,
				AccessTokenCustomAudience:  "https://api.example",
				AccessTokenTemplateContent: `{"plan":"pro"}`, LogoURL: "https://ours.example/logo.png"})).ConnectedApp
		if made.ClientSecret == "" || made.ClientSecretLastFour != made.ClientSecret[len(made.ClientSecret)-4:] ||
			made.Status != "active" || made.ClientType != "first_party" ||
			!made.FullAccessAllowed || !made.BypassConsentForOfflineAccess || made.AccessTokenExpiryMinutes != 15 ||
			made.AccessTokenTemplateContent != `{"plan":"pro"}` {
			t.Errorf("made: %+v", made)
		}
		id := made.ClientID
		changed := must[*clients.UpdateResponse](t)(api.Update(t.Context(), &clients.UpdateParams{ClientID: id,
			ClientName: "Console 2", AccessTokenExpiryMinutes: 20})).ConnectedApp
		if changed.ClientName != "Console 2" || changed.ClientDescription != "Ours" ||
			changed.AccessTokenExpiryMinutes != 20 || !changed.FullAccessAllowed {
			t.Errorf("changed: %+v", changed)
		}
		app, err := rawClients(t, s, "PUT", "/"+id, object{"redirect_urls": []string{callback, "http://127.0.0.1/cb"},
			"post_logout_redirect_urls": []string{"https://ours.example/bye"}, "client_secret": "mine"})
		if err != nil || !reflect.DeepEqual(app["redirect_urls"], []any{callback, "http://127.0.0.1/cb"}) ||
			!reflect.DeepEqual(app["post_logout_redirect_urls"], []any{"https://ours.example/bye"}) ||
			app["client_secret"] != nil {
			t.Errorf("%v %v", app, err)
		}
		got := must[*clients.GetResponse](t)(api.Get(t.Context(), &clients.GetParams{ClientID: id})).ConnectedApp
		if got.ClientID != id || got.ClientName != "Console 2" ||
			got.ClientSecretLastFour != made.ClientSecretLastFour || got.LogoURL != "https://ours.example/logo.png" {
			t.Errorf("got: %+v", got)
		}
		var seen []string
		cursor := ""
		for range 5 {
			page := must[*clients.SearchResponse](t)(api.Search(t.Context(), &clients.SearchParams{Limit: 1,
				Cursor: cursor}))
			seen, cursor = append(seen, page.ConnectedApps[0].ClientID), page.ResultsMetadata.NextCursor
		}
		if cursor != "" || !slices.Equal(seen, []string{gpt, docs, phone, ours, id}) {
			t.Errorf("page by page: %v, cursor %q", seen, cursor)
		}
		if gone := must[*clients.DeleteResponse](t)(api.Delete(t.Context(),
			&clients.DeleteParams{ClientID: id})); gone.ClientID != id {
			t.Errorf("%+v", gone)
		}
		_, err = api.Get(t.Context(), &clients.GetParams{ClientID: id})
		refused(t, err, 404, "connected_app_not_found")
		_, err = api.Update(t.Context(), &clients.UpdateParams{ClientID: id})
		refused(t, err, 404, "connected_app_not_found")
		_, err = api.Delete(t.Context(), &clients.DeleteParams{ClientID: id})
		refused(t, err, 404, "connected_app_not_found")
	})
}

func TestSecretsOfAClientRotate(t *testing.T) {
	inBothVerticals(t, func(t *testing.T, s *stytchtest.Server, api *consumer.ConnectedAppClientsClient) {
		works := func(secret string) bool {
			status, _, _ := ask(t, "POST", s.URL+"/v1/oauth2/introspect", form("token", "x", "client_id", gpt,
				"client_secret", secret))
			return status == 200
		}
		start := func() string {
			t.Helper()
			started := must[*secrets.RotateStartResponse](t)(api.Secrets.RotateStart(t.Context(),
				&secrets.RotateStartParams{ClientID: gpt})).ConnectedApp
			if started.NextClientSecret == "" || started.NextClientSecretLastFour != started.NextClientSecret[len(
				started.NextClientSecret)-4:] || !works(gptSecret) || !works(started.NextClientSecret) {
				t.Errorf("while rotating both must work: %+v", started)
			}
			return started.NextClientSecret
		}
		dropped := start()
		_, err := api.Secrets.RotateStart(t.Context(), &secrets.RotateStartParams{ClientID: gpt})
		refused(t, err, 400, "connected_app_already_rotating_secret")
		if _, err := api.Secrets.RotateCancel(t.Context(), &secrets.RotateCancelParams{ClientID: gpt}); err != nil ||
			works(dropped) || !works(gptSecret) {
			t.Errorf("cancelled: %v", err)
		}
		_, err = api.Secrets.RotateCancel(t.Context(), &secrets.RotateCancelParams{ClientID: gpt})
		refused(t, err, 400, "connected_app_not_rotating_secret")
		_, err = api.Secrets.Rotate(t.Context(), &secrets.RotateParams{ClientID: gpt})
		refused(t, err, 400, "connected_app_not_rotating_secret")
		next := start()
		done := must[*secrets.RotateResponse](t)(api.Secrets.Rotate(t.Context(),
			&secrets.RotateParams{ClientID: gpt})).ConnectedApp
		if works(gptSecret) || !works(next) || done.ClientSecretLastFour != next[len(next)-4:] {
			t.Errorf("rotated: %+v", done)
		}
		_, err = api.Secrets.RotateStart(t.Context(), &secrets.RotateStartParams{ClientID: phone})
		refused(t, err, 400, "public_connected_apps_do_not_have_secrets")
		_, err = api.Secrets.RotateStart(t.Context(), &secrets.RotateStartParams{ClientID: "connected-app-test-none"})
		refused(t, err, 404, "connected_app_not_found")
	})
}

func TestClientsAreChecked(t *testing.T) {
	for _, tt := range []struct {
		name string
		body object
		kind string
	}{
		{"another type", object{"client_type": "second_party"}, "invalid_connected_app_client_type"},
		{"no type", object{}, "invalid_connected_app_client_type"},
		{"full access for others", object{"client_type": "third_party", "full_access_allowed": true},
			"third_party_clients_cannot_use_full_access"},
		{"a year and a minute", object{"client_type": "third_party", "access_token_expiry_minutes": 365*24*60 + 1},
			"idp_invalid_access_token_expiry_minutes"},
		{"a time before", object{"client_type": "third_party", "access_token_expiry_minutes": -1},
			"idp_invalid_access_token_expiry_minutes"},
		{"a template that is no JSON", object{"client_type": "third_party", "access_token_template_content": "{"},
			"idp_invalid_access_token_template_content"},
		{"a template that is a list", object{"client_type": "third_party", "access_token_template_content": "[]"},
			"idp_invalid_access_token_template_content"},
		{"a reserved claim", object{"client_type": "third_party", "access_token_template_content": `{"sub":"x"}`},
			"idp_invalid_access_token_template_content"},
		{"a claim of Stytch's", object{"client_type": "third_party",
			"access_token_template_content": `{"https://stytch.com/x":1}`},
			"idp_invalid_access_token_template_content"},
		{"a relative URL", object{"client_type": "third_party", "redirect_urls": []string{"/cb"}},
			"connected_app_redirect_url_must_include_scheme"},
		{"plain http", object{"client_type": "third_party", "redirect_urls": []string{callback,
			"http://app.example/cb"}}, "connected_app_redirect_url_http_scheme_must_use_loopback"},
		{"another scheme", object{"client_type": "third_party", "post_logout_redirect_urls": []string{"app://cb"}},
			"connected_app_redirect_url_must_use_https_scheme"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			before := s.Export().ConnectedApps
			_, err := rawClients(t, s, "POST", "", tt.body)
			refused(t, err, 400, tt.kind)
			if tt.kind != "invalid_connected_app_client_type" {
				_, err = rawClients(t, s, "PUT", "/"+gpt, tt.body)
				refused(t, err, 400, tt.kind)
			}
			if after := s.Export().ConnectedApps; !reflect.DeepEqual(after, before) {
				t.Errorf("what was refused had an effect: %+v", after)
			}
		})
	}
}

// TestADeletedClientTakesItsTokensAlong, and nobody else's.
func TestADeletedClientTakesItsTokensAlong(t *testing.T) {
	s := open(t)
	reply, code := tokens(t, s, exchange(authorize(t, s))), authorize(t, s)
	other := tokens(t, s, phoneForm(authorize(t, s, toPhone)))
	if _, err := lazyClient(t, s).ConnectedApp.Clients.Delete(t.Context(),
		&clients.DeleteParams{ClientID: gpt}); err != nil {
		t.Fatal(err)
	}
	if status, got, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", exchange(code)); status != 400 ||
		got["error"] != "invalid_client" {
		t.Errorf("%d %v", status, got)
	}
	for token, want := range map[any]int{reply["access_token"]: 401, other["access_token"]: 200} {
		if status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil, bearer(token.(string))); status != want {
			t.Errorf("%d, want %d", status, want)
		}
	}
}

// TestTokensMayLiveForAWorkingDay: eight hours were seen in the wild.
func TestTokensMayLiveForAWorkingDay(t *testing.T) {
	seeded := open(t, func(seed *stytchtest.Seed) { seed.ConnectedApps[0].Minutes = 480 })
	set := open(t)
	if app, err := rawClients(t, set, "PUT", "/"+gpt, object{"access_token_expiry_minutes": 480}); err != nil ||
		app["access_token_expiry_minutes"] != 480.0 {
		t.Fatal(app, err)
	}
	for name, s := range map[string]*stytchtest.Server{"in the seed": seeded, "by the API": set} {
		reply := tokens(t, s, exchange(authorize(t, s)))
		claims := claimsOf(t, reply["access_token"])
		if reply["expires_in"] != 28800.0 || claims["exp"].(float64)-claims["iat"].(float64) != 28800 {
			t.Errorf("%s: %v %v", name, reply["expires_in"], claims)
		}
		for after, want := range map[time.Duration]int{8*time.Hour - time.Second: 200, 8 * time.Hour: 401} {
			s.Advance(after)
			if status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil,
				bearer(reply["access_token"].(string))); status != want {
				t.Errorf("%s, after %s: %d, want %d", name, after, status, want)
			}
			s.Advance(-after)
		}
	}
}

func TestTokensOfAClientAreAsItIsSet(t *testing.T) {
	s := open(t)
	for _, client := range []string{gpt, phone} {
		if _, err := rawClients(t, s, "PUT", "/"+client, object{"access_token_expiry_minutes": 7,
			"access_token_custom_audience":  "https://api.example",
			"access_token_template_content": `{"plan":"pro","limits":{"calls":5}}`}); err != nil {
			t.Fatal(err)
		}
	}
	for name, reply := range map[string]object{"confidential": tokens(t, s, exchange(authorize(t, s))),
		"public": tokens(t, s, phoneForm(authorize(t, s, toPhone)))} {
		claims := claimsOf(t, reply["access_token"])
		if reply["expires_in"] != 420.0 || claims["exp"].(float64)-claims["iat"].(float64) != 420 ||
			!reflect.DeepEqual(claims["aud"], []any{project, "https://api.example"}) ||
			claims["plan"] != "pro" || !reflect.DeepEqual(claims["limits"], object{"calls": 5.0}) {
			t.Errorf("%s: %v", name, claims)
		}
	}
}
