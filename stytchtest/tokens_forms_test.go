package stytchtest_test

import (
	"testing"

	"guestpass/stytchtest"
)

// TestBothFormsOfTheOAuthEndpoints goes one way through all of them, in root and in public
// form, in both verticals: what one form issues is good at the other.
func TestBothFormsOfTheOAuthEndpoints(t *testing.T) {
	registration := func(seed *stytchtest.Seed) { seed.Project.Registration = true }
	for _, v := range []struct {
		s         *stytchtest.Server
		authorize func(*testing.T, *stytchtest.Server, ...func(object)) string
		subject   string
	}{{open(t, registration), authorize, ada}, {openConsumer(t, registration), authorizeUser, userAda}} {
		for _, tt := range []struct{ name, wellKnown, oauth, other, issuer string }{
			{"root", "/.well-known", "/v1/oauth2", "/v1/public/" + projectOf(v.s) + "/oauth2", v.s.URL},
			{"public", "/v1/public/" + projectOf(v.s) + "/.well-known", "/v1/public/" + projectOf(v.s) + "/oauth2",
				"/v1/oauth2", "stytch.com/" + projectOf(v.s)},
		} {
			t.Run(v.subject+" "+tt.name, func(t *testing.T) {
				ok := func(method, path string, body any, want int, bearerToken string) object {
					t.Helper()
					status, reply, _ := ask(t, method, v.s.URL+path, body, bearer(bearerToken))
					if status != want || reply["status_code"] != float64(want) {
						t.Fatalf("%s %s: %d %v", method, path, status, reply)
					}
					return reply
				}
				for _, document := range []string{"/openid-configuration", "/oauth-authorization-server"} {
					got := ok("GET", tt.wellKnown+document, nil, 200, "")
					if got["issuer"] != tt.issuer || got["jwks_uri"] != v.s.URL+tt.wellKnown+"/jwks.json" ||
						got["token_endpoint"] != v.s.URL+tt.oauth+"/token" || got["userinfo_endpoint"] != v.s.URL+
						tt.oauth+"/userinfo" {
						t.Errorf("%s: %v", document, got)
					}
				}
				if keys := ok("GET", tt.wellKnown+"/jwks.json", nil, 200, ""); len(keys["keys"].([]any)) != 1 {
					t.Errorf("%v", keys)
				}
				granted := ok("POST", tt.oauth+"/token", exchange(v.authorize(t, v.s)), 200, "")
				token := granted["access_token"].(string)
				if claims := claimsOf(t, token); claims["iss"] != tt.issuer || claimsOf(t,
					granted["id_token"])["iss"] != tt.issuer {
					t.Errorf("%v", claims)
				}
				for _, base := range []string{tt.oauth, tt.other} {
					for _, method := range []string{"GET", "POST"} {
						if info := ok(method, base+"/userinfo", nil, 200, token); info["sub"] != v.subject {
							t.Errorf("%v", info)
						}
					}
					if got := ok("POST", base+"/introspect", form("token", token, "client_id", gpt, "client_secret",
						gptSecret), 200, ""); got["active"] != true || got["iss"] != tt.issuer {
						t.Errorf("%v", got)
					}
				}
				ok("POST", tt.oauth+"/revoke", form("token", granted["refresh_token"].(string), "client_id", gpt,
					"client_secret", gptSecret), 200, "")
				if got := ok("POST", tt.other+"/introspect", form("token", token, "client_id", gpt, "client_secret",
					gptSecret), 200, ""); got["active"] != false {
					t.Errorf("after revocation: %v", got)
				}
				ok("POST", tt.oauth+"/register", object{"redirect_uris": []string{callback}}, 201, "")
			})
		}
	}
}
