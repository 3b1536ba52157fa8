package stytchtest_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"guestpass/stytchtest"
)

func TestAUserFromTheirMakingToTheirEnd(t *testing.T) {
	s := openConsumer(t)
	api := lazyConsumerClient(t, s)
	made := must[*users.CreateResponse](t)(api.Users.Create(t.Context(), &users.CreateParams{Email: "alan@example.com",
		ExternalID:      "at|1",
		Name:            &users.Name{FirstName: "Alan", MiddleName: "Mathison", LastName: "Turing"},
		TrustedMetadata: map[string]any{"hut": 8.0}, CreateUserAsPending: true}))
	if made.Status != "pending" || made.UserID != made.User.UserID || made.EmailID != made.User.Emails[0].EmailID ||
		made.User.Emails[0].Verified ||
		made.User.Name.MiddleName != "Mathison" || made.User.Password != nil || !slices.Equal(made.User.Roles,
		[]string{"stytch_user"}) || !made.User.CreatedAt.Equal(noon) {
		t.Errorf("made: %+v", made)
	}
	changed := must[*users.UpdateResponse](t)(api.Users.Update(t.Context(), &users.UpdateParams{UserID: "at|1",
		Name:            &users.Name{FirstName: "A."},
		TrustedMetadata: map[string]any{"hut": nil}, UntrustedMetadata: map[string]any{"tea": true},
		Roles: &[]string{}}))
	if changed.User.Name.FirstName != "A." || changed.User.Name.LastName != "Turing" ||
		len(changed.User.TrustedMetadata) != 0 || changed.User.UntrustedMetadata["tea"] != true ||
		len(changed.Emails) != 1 || changed.Emails[0].Email != "alan@example.com" {
		t.Errorf("changed: %+v", changed)
	}
	got := must[*users.GetResponse](t)(api.Users.Get(t.Context(), &users.GetParams{UserID: made.UserID}))
	if got.UserID != made.UserID || got.Name.FirstName != "A." || got.ExternalID != "at|1" || got.Status != "pending" ||
		got.RequestID == "" || got.UntrustedMetadata["tea"] != true {
		t.Errorf("the user stands at top level: %+v", got)
	}
	_, err := api.Users.DeleteEmail(t.Context(), &users.DeleteEmailParams{EmailID: made.EmailID})
	refused(t, err, 400, "cannot_delete_last_primary_factor")
	if gone := must[*users.DeleteResponse](t)(api.Users.Delete(t.Context(),
		&users.DeleteParams{UserID: made.UserID})); gone.UserID != made.UserID {
		t.Errorf("%+v", gone)
	}
	_, err = api.Users.Get(t.Context(), &users.GetParams{UserID: made.UserID})
	refused(t, err, 404, "user_not_found")
	_, err = api.Users.Delete(t.Context(), &users.DeleteParams{UserID: made.UserID})
	refused(t, err, 404, "user_not_found")
	_, err = api.Users.Update(t.Context(), &users.UpdateParams{UserID: "at|1"})
	refused(t, err, 404, "user_not_found")
}

func TestASecondAddressOfAUserCanGo(t *testing.T) {
	s := openConsumer(t, func(seed *stytchtest.Seed) {
		seed.Users[0].Emails = append(seed.Users[0].Emails, stytchtest.Email{ID: "email-test-second",
			Address: "ada@home.example"})
	})
	api := lazyConsumerClient(t, s)
	left := must[*users.DeleteEmailResponse](t)(api.Users.DeleteEmail(t.Context(),
		&users.DeleteEmailParams{EmailID: "email-test-second"}))
	if left.UserID != userAda || len(left.User.Emails) != 1 || left.User.Emails[0].Email != "ada@example.com" {
		t.Errorf("%+v", left)
	}
	_, err := api.Users.DeleteEmail(t.Context(), &users.DeleteEmailParams{EmailID: "email-test-second"})
	refused(t, err, 404, "email_not_found")
}

func TestUsersAreChecked(t *testing.T) {
	s := openConsumer(t, func(seed *stytchtest.Seed) { seed.Users[0].ExternalID = "one" })
	api := lazyConsumerClient(t, s)
	for _, tt := range []struct {
		name   string
		params users.CreateParams
		kind   string
	}{
		{"an address that is taken", users.CreateParams{Email: "Ada@example.com"}, "duplicate_email"},
		{"no address", users.CreateParams{}, "invalid_email"},
		{"an external id that is taken", users.CreateParams{Email: "new@example.com", ExternalID: "one"},
			"duplicate_user_external_id"},
		{"a role that does not exist", users.CreateParams{Email: "new@example.com", Roles: []string{"king"}},
			"invalid_rbac_role_assignment"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := api.Users.Create(t.Context(), &tt.params)
			refused(t, err, 400, tt.kind)
		})
	}
	if found := must[*users.SearchResponse](t)(api.Users.Search(t.Context(),
		&users.SearchParams{})); found.ResultsMetadata.Total != 2 {
		t.Errorf("a refused user was made: %+v", found)
	}
	_, err := api.Users.Update(t.Context(), &users.UpdateParams{UserID: userGrace, ExternalID: "one"})
	refused(t, err, 400, "duplicate_user_external_id")
}

func addresses(found []users.User) string {
	var list []string
	for _, u := range found {
		list = append(list, strings.TrimSuffix(u.Emails[0].Email, "@example.com"))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestUserSearchFilters(t *testing.T) {
	s := openConsumer(t, func(seed *stytchtest.Seed) {
		seed.Users = append(seed.Users, stytchtest.User{ID: "user-test-hedy",
			Emails: []stytchtest.Email{{ID: "email-test-hedy", Address: "hedy@example.com"}},
			Name:   stytchtest.UserName{First: "Hedy", Last: "Lamarr"}, Status: "pending", CreatedAt: noon,
			Providers: []stytchtest.OAuthProvider{{ID: "oauth-registration-test-1", Provider: "google",
				Subject: "hedy"}}})
	})
	api := lazyConsumerClient(t, s)
	for _, tt := range []struct {
		filter string
		value  any
		want   string
	}{
		{"user_id", []string{userAda, "user-test-hedy"}, "ada hedy"},
		{"status", "active", "ada grace"},
		{"status", "pending", "hedy"},
		{"email_address", []string{"GRACE@example.com"}, "grace"},
		{"email_address_fuzzy", "edy@", "hedy"},
		{"email_id", []string{"email-test-hedy"}, "hedy"},
		{"email_verified", false, "hedy"},
		{"full_name_fuzzy", "ada love", "ada"},
		{"oauth_provider", []string{"google"}, "hedy"},
		{"password_exists", true, "ada grace"},
		{"created_at_greater_than", "2025-06-01T00:00:00Z", "hedy"},
		{"created_at_less_than", "2025-06-01T00:00:00Z", "ada grace"},
		{"created_at_between", map[string]any{"greater_than": "2024-01-01T00:00:00Z",
			"less_than": "2025-06-01T00:00:00Z"}, "ada grace"},
		{"phone_number", []string{"+12025550162"}, ""},
		{"phone_id", []string{"phone-number-test-1"}, ""},
		{"phone_number_fuzzy", "2025", ""},
		{"phone_verified", true, ""},
		{"webauthn_registration_id", []string{"x"}, ""},
		{"webauthn_registration_verified", true, ""},
		{"biometric_registration_id", []string{"x"}, ""},
		{"biometric_registration_verified", true, ""},
		{"crypto_wallet_id", []string{"x"}, ""},
		{"crypto_wallet_address", []string{"x"}, ""},
		{"crypto_wallet_verified", true, ""},
		{"totp_id", []string{"x"}, ""},
		{"totp_verified", true, ""},
	} {
		t.Run(tt.filter, func(t *testing.T) {
			found, err := api.Users.Search(t.Context(),
				&users.SearchParams{Query: &users.SearchUsersQuery{Operator: "AND",
					Operands: []map[string]any{{"filter_name": tt.filter, "filter_value": tt.value}}}})
			if err != nil || addresses(found.Results) != tt.want {
				t.Errorf("%q, %v; want %q", addresses(found.Results), err, tt.want)
			}
		})
	}
	either := []map[string]any{{"filter_name": "status", "filter_value": "pending"}, {"filter_name": "email_address",
		"filter_value": []string{"ada@example.com"}}}
	for operator, want := range map[users.SearchUsersQueryOperator]string{"OR": "ada hedy", "AND": ""} {
		if found, err := api.Users.Search(t.Context(),
			&users.SearchParams{Query: &users.SearchUsersQuery{Operator: operator, Operands: either}}); err != nil ||
			addresses(found.Results) != want {
			t.Errorf("%s: %q %v", operator, addresses(found.Results), err)
		}
	}
	var seen []users.User
	cursor := ""
	for range 3 {
		found := must[*users.SearchResponse](t)(api.Users.Search(t.Context(), &users.SearchParams{Limit: 1,
			Cursor: cursor}))
		seen, cursor = append(seen, found.Results...), found.ResultsMetadata.NextCursor
	}
	if cursor != "" || addresses(seen) != "ada grace hedy" {
		t.Errorf("page by page: %q, cursor %q", addresses(seen), cursor)
	}
}

func TestConnectedAppsOfAUser(t *testing.T) {
	s := openConsumer(t)
	api := lazyConsumerClient(t, s)
	reply := tokens(t, s, exchange(authorizeUser(t, s)))
	session := userSession(t, s, "ada@example.com")
	apps := must[*users.ConnectedAppsResponse](t)(api.Users.ConnectedApps(t.Context(),
		&users.ConnectedAppsParams{UserID: userAda})).ConnectedApps
	if len(apps) != 1 || apps[0].ConnectedAppID != gpt || apps[0].Name != "ChatGPT" ||
		apps[0].ClientType != "third_party" || apps[0].ScopesGranted != "openid email tasks:read offline_access" {
		t.Errorf("%+v", apps)
	}
	if others := must[*users.ConnectedAppsResponse](t)(api.Users.ConnectedApps(t.Context(),
		&users.ConnectedAppsParams{UserID: userGrace})).ConnectedApps; others == nil || len(others) != 0 {
		t.Errorf("Grace has Ada's: %+v", others)
	}
	_, err := api.Users.Revoke(t.Context(), &users.RevokeParams{UserID: userGrace, ConnectedAppID: gpt})
	refused(t, err, 404, "connected_app_not_found")
	if _, err := api.Users.Revoke(t.Context(), &users.RevokeParams{UserID: userAda, ConnectedAppID: gpt}); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil,
		bearer(reply["access_token"].(string))); status != 401 {
		t.Errorf("the access token outlives the consent: %d", status)
	}
	if _, err := api.Sessions.Authenticate(t.Context(),
		&sessions.AuthenticateParams{SessionToken: session}); err != nil {
		t.Errorf("the user was signed out: %v", err)
	}
	for _, u := range []string{"user-test-none", ""} {
		status, reply, _ := ask(t, "GET", s.URL+"/v1/users/"+u+"/connected_apps", nil,
			basic(consumerProject, projectSecret))
		if status != 404 || reply["error_type"] == nil {
			t.Errorf("user %q: %d %v", u, status, reply)
		}
	}
}

// userSession signs in with a code, as a server does it.
func userSession(t *testing.T, s *stytchtest.Server, email string) string {
	t.Helper()
	status, reply, _ := ask(t, "POST", s.URL+"/v1/otps/email/login_or_create", object{"email": email},
		basic(consumerProject, projectSecret))
	if status != 200 {
		t.Fatal(status, reply)
	}
	_, reply, _ = ask(t, "POST", s.URL+"/v1/otps/authenticate", object{"method_id": reply["email_id"],
		"code": s.Inbox()[0].Code, "session_duration_minutes": 60}, basic(consumerProject, projectSecret))
	token, _ := reply["session_token"].(string)
	if token == "" {
		t.Fatalf("no session: %v", reply)
	}
	return token
}

func TestADeletedUserTakesEverythingAlong(t *testing.T) {
	s := openConsumer(t)
	api := lazyConsumerClient(t, s)
	session, reply, code := userSession(t, s, "ada@example.com"), tokens(t, s, exchange(authorizeUser(t, s))),
		authorizeUser(t, s)
	if _, err := api.Users.Delete(t.Context(), &users.DeleteParams{UserID: userAda}); err != nil {
		t.Fatal(err)
	}
	_, err := api.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: session})
	refused(t, err, 404, "session_not_found")
	if status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil,
		bearer(reply["access_token"].(string))); status != 401 {
		t.Errorf("the access token is good: %d", status)
	}
	introspection := form("token", reply["access_token"].(string), "client_id", gpt, "client_secret", gptSecret)
	if _, got, _ := ask(t, "POST", s.URL+"/v1/oauth2/introspect", introspection); !reflect.DeepEqual(got["active"],
		false) {
		t.Errorf("the access token is active: %v", got)
	}
	for name, values := range map[string]any{"code": exchange(code),
		"refresh token": form("grant_type", "refresh_token", "refresh_token", reply["refresh_token"].(string),
			"client_id", gpt, "client_secret", gptSecret)} {
		if status, got, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", values); status != 400 ||
			got["error"] != "invalid_grant" {
			t.Errorf("%s: %d %v", name, status, got)
		}
	}
	if made, err := api.Users.Create(t.Context(), &users.CreateParams{Email: "ada@example.com"}); err != nil ||
		made.UserID == userAda {
		t.Errorf("the address must be free again: %+v %v", made, err)
	}
}
