package stytchtest_test

import (
	"net/http"
	"net/url"
	"reflect"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// TestTheResponseNamesTheIssuerByTheHostThatWasCalled, on success and on denial: under another
// host than the issuer's it is the project, which strict clients refuse (RFC 9207).
func TestTheResponseNamesTheIssuerByTheHostThatWasCalled(t *testing.T) {
	const domain = "https://login.example"
	for _, v := range []struct {
		open                   func(*testing.T, ...func(*stytchtest.Seed)) *stytchtest.Server
		seed                   func() stytchtest.Seed
		server, browser, email string
		person                 object
		project, publicToken   string
	}{
		{open, stytchtest.Development, "/v1/b2b/idp/oauth/authorize", "/sdk/v1/idp/b2b/oauth/authorize/submit",
			"ada@acme.example",
			object{"organization_id": acme, "member_id": ada}, project, publicToken},
		{openConsumer, stytchtest.DevelopmentConsumer, "/v1/idp/oauth/authorize", "/sdk/v1/idp/oauth/authorize/submit",
			"ada@example.com",
			object{"user_id": userAda}, consumerProject, consumerPublicToken},
	} {
		seed := v.seed()
		behind := serve(t, stytchtest.Options{Seed: &seed, Now: func() time.Time { return noon }, Issuer: domain,
			Hosts: []string{"login.example"}})
		plain := v.open(t)
		for name, tt := range map[string]struct {
			s          *stytchtest.Server
			host, want string
		}{
			"the issuer's host":               {plain, "", plain.URL},
			"a proxy under the issuer's host": {behind, "login.example", domain},
			"the host of the API":             {behind, "", "stytch.com/" + v.project},
		} {
			called := func(r *http.Request) {
				if tt.host != "" {
					r.Host = tt.host
				}
			}
			session := signedIn(t, tt.s, v.email)
			_, metadata, _ := ask(t, "GET", tt.s.URL+"/.well-known/oauth-authorization-server", nil, called)
			if agrees := metadata["issuer"] == tt.want; agrees != (tt.want != "stytch.com/"+v.project) {
				t.Errorf("%s: the metadata say %v", name, metadata["issuer"])
			}
			for _, consent := range []bool{true, false} {
				body := object{"client_id": gpt, "redirect_uri": callback, "state": "s&iss=x", "prompt": "consent",
					"consent_granted": consent}
				_, inBrowser, _ := ask(t, "POST", tt.s.URL+v.browser, body, basic(v.publicToken, session), called)
				for member, value := range v.person {
					body[member] = value
				}
				_, byServer, _ := ask(t, "POST", tt.s.URL+v.server, body, basic(v.project, projectSecret), called)
				data, _ := inBrowser["data"].(object)
				for _, back := range []any{byServer["redirect_uri"], data["redirect_uri"]} {
					address, _ := back.(string)
					query := must[*url.URL](t)(url.Parse(address)).Query()
					if !reflect.DeepEqual(query["iss"], []string{tt.want}) || query.Has("code") != consent ||
						query.Has("error") == consent {
						t.Errorf("%s, consent %t: %q, want iss %s", name, consent, address, tt.want)
					}
				}
			}
		}
	}
}

// signedIn returns the session token of somebody of either vertical.
func signedIn(t *testing.T, s *stytchtest.Server, email string) string {
	t.Helper()
	if projectOf(s) == consumerProject {
		return userLogin(t, s, email)
	}
	return login(t, s, email, acme)
}

// TestMetadataMayAdvertiseTheIssuer, so that both kinds of authorization server can be tried.
func TestMetadataMayAdvertiseTheIssuer(t *testing.T) {
	for _, advertised := range []bool{true, false} {
		s := open(t, func(seed *stytchtest.Seed) { seed.Project.AdvertiseIssuer = advertised })
		for _, name := range []string{"oauth-authorization-server", "openid-configuration"} {
			_, document, _ := ask(t, "GET", s.URL+"/.well-known/"+name, nil)
			if _, says := document["authorization_response_iss_parameter_supported"]; says != advertised {
				t.Errorf("%s, %t: %v", name, advertised, document)
			}
		}
	}
}

// TestResourcesAreTakenAndForgotten: whatever a client names as resource (RFC 8707), the audience is
// the project and what the connected app is set to.
func TestResourcesAreTakenAndForgotten(t *testing.T) {
	const resource = "https://mcp.example/mcp"
	several := []string{resource, "https://other.example"}
	for name, member := range map[string]object{
		"resources": {"resources": several}, "a resource": {"resource": resource},
		"a list of them": {"resource": several},
		"none":           {}, "an empty one": {"resource": ""}, "an empty list": {"resources": []string{}},
	} {
		s := open(t, func(seed *stytchtest.Seed) { seed.ConnectedApps[0].Audience = "https://api.example" })
		again := func(b object) {
			for name, value := range member {
				b[name] = value
			}
		}
		once, twice := exchange(authorize(t, s, again)), exchange(authorize(t, s, again))
		once.Set("resource", resource)
		twice["resource"] = several
		asJSON := object{"grant_type": "authorization_code", "code": authorize(t, s, again), "redirect_uri": callback,
			"client_id": gpt, "client_secret": gptSecret, "resource": several}
		for _, body := range []any{once, twice, asJSON} {
			status, granted, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", body)
			if status != 200 {
				t.Fatalf("%s: %d %v", name, status, granted)
			}
			refreshed := tokens(t, s, url.Values{"grant_type": {"refresh_token"},
				"refresh_token": {granted["refresh_token"].(string)},
				"client_id":     {gpt}, "client_secret": {gptSecret}, "resource": several})
			for _, reply := range []object{granted, refreshed} {
				if aud := claimsOf(t, reply["access_token"])["aud"]; !reflect.DeepEqual(aud,
					[]any{project, "https://api.example"}) {
					t.Errorf("%s: aud %v", name, aud)
				}
			}
		}
	}
	// Any other parameter counts once, as ever.
	s := open(t)
	values := exchange(authorize(t, s))
	values["client_id"] = []string{gpt, gpt}
	status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", values)
	wantFault(t, "a client twice", oauthAPI, status, reply, 400, "invalid_request")
	minted := must[string](t)(s.Mint(stytchtest.MintRequest{Subject: ada, Claims: object{"aud": []string{resource}}}))
	if aud := claimsOf(t, minted)["aud"]; !reflect.DeepEqual(aud, []any{resource}) {
		t.Errorf("a minted token for %v", aud)
	}
}
