package stytchtest_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"guestpass/stytchtest"
)

func keyCount(t *testing.T, s *stytchtest.Server) int {
	t.Helper()
	_, set, _ := ask(t, "GET", s.URL+"/.well-known/jwks.json", nil)
	return len(set["keys"].([]any))
}

func TestRetiredKeysStayForAMonth(t *testing.T) {
	s := open(t)
	year := int((365 * 24 * time.Hour).Seconds())
	old := must[string](t)(s.Mint(stytchtest.MintRequest{Subject: ada, ExpiresIn: year}))
	s.Advance(90 * 24 * time.Hour) // how long a key has signed does not matter
	s.RotateKeys()
	good := func() bool {
		t.Helper()
		status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil, bearer(old))
		return status == 200
	}
	s.Advance(30*24*time.Hour - time.Second)
	if keyCount(t, s) != 2 || !verify(t, s, old) || !good() {
		t.Error("a second before its month has ended the old key must be there")
	}
	s.Advance(time.Second)
	if keyCount(t, s) != 1 || verify(t, s, old) || good() {
		t.Error("after a month the old key must be gone")
	}
	s.Advance(-time.Second)
	if keyCount(t, s) != 2 {
		t.Error("the clock decides, whichever way it goes")
	}
}

func TestKeysRotateManyTimes(t *testing.T) {
	s := open(t)
	var minted []string
	for range 18 {
		minted = append(minted, must[string](t)(s.Mint(stytchtest.MintRequest{Subject: ada})))
		s.RotateKeys()
	}
	if n := keyCount(t, s); n != 16 {
		t.Errorf("%d keys are published, 16 at most should be", n)
	}
	if verify(t, s, minted[0]) || verify(t, s, minted[2]) || !verify(t, s, minted[3]) || !verify(t, s, minted[17]) {
		t.Error("the newest keys must be kept")
	}
	if !verify(t, s, must[string](t)(s.Mint(stytchtest.MintRequest{Subject: ada}))) {
		t.Error("the newest key is not published")
	}
}

func TestIssuedTokensAreRemembered(t *testing.T) {
	s := open(t)
	login(t, s, "ada@acme.example", acme) // session JWTs of the browser are left out
	granted := tokens(t, s, exchange(authorize(t, s)))
	s.RotateKeys()
	s.Advance(time.Minute)
	minted := must[string](t)(s.Mint(stytchtest.MintRequest{Kind: "m2m", Subject: "m2m-client-test-1",
		Claims: map[string]any{"x": 1}}))
	got := s.Tokens()
	if len(got) != 3 || got[0].Kind != "m2m" || got[1].Kind != "id" || got[2].Kind != "access" ||
		!got[0].Time.Equal(noon.Add(time.Minute)) || !got[2].Time.Equal(noon) {
		t.Fatalf("%+v", got)
	}
	for i, token := range []string{minted, granted["id_token"].(string), granted["access_token"].(string)} {
		if got[i].KeyID != decodePart(t, token, 0)["kid"] || !sameJSON(t, got[i].Claims, claimsOf(t, token)) {
			t.Errorf("%+v is not what %s says", got[i], token)
		}
	}
	if got[0].KeyID == got[1].KeyID {
		t.Error("the key was not rotated")
	}
	_, reply, _ := ask(t, "GET", s.URL+"/_emulator/tokens", nil)
	var listed []stytchtest.Token
	if err := json.Unmarshal([]byte(reply["body"].(string)), &listed); err != nil || !sameJSON(t, listed, got) {
		t.Errorf("%v %v", listed, err)
	}
	got[0].Claims["x"] = 2
	if s.Tokens()[0].Claims["x"] != 1 {
		t.Error("what is returned is the emulator's own")
	}
	for range 250 {
		must[string](t)(s.Mint(stytchtest.MintRequest{Subject: grace, Scopes: []string{}}))
	}
	if n := len(s.Tokens()); n != 200 || s.Tokens()[0].Claims["sub"] != grace {
		t.Errorf("%d tokens are kept", n)
	}
}

func TestRequestsNameRouteAndClient(t *testing.T) {
	s := open(t)
	lazyClient(t, s)
	invite(t, s, "guest@acme.example")
	sdk(t, s, "", "/b2b/organizations/members/search", object{"email_address": "ada@acme.example",
		"organization_id": acme})
	ask(t, "GET", s.URL+"/v1/b2b/organizations/"+acme+"/members/"+ada+"/connected_apps", nil,
		basic(project, projectSecret), func(r *http.Request) { r.Header.Set("User-Agent", "curl/8.5.0") })
	ask(t, "GET", s.URL+"/v1/b2b/nothing", nil)
	s.FailNext("/v1/oauth2", 503)
	ask(t, "POST", s.URL+"/v1/oauth2/token", exchange("x"))
	for i, want := range []struct {
		client, route string
		status        int
		kind          string
	}{
		{"go-http-client", "", 503, "internal_server_error"},
		{"go-http-client", "", 404, "route_not_found"},
		{"curl", "/v1/b2b/organizations/{organization}/members/{member}/connected_apps", 200, ""},
		{"vanilla-js", "/sdk/v1/b2b/organizations/members/search", 200, ""},
		{stytchGo, "/v1/b2b/magic_links/email/invite", 200, ""},
	} {
		if r := s.Requests()[i]; r.Client != want.client || r.Route != want.route || r.Status != want.status ||
			r.Error != want.kind {
			t.Errorf("%d: %+v, want %+v", i, r, want)
		}
	}
}

func TestFailNextFailsOnce(t *testing.T) {
	s := open(t)
	s.FailNext("/v1/oauth2/token", 500)
	s.FailNext("/v1/oauth2", 429)
	for i, want := range []struct {
		path   string
		status int
		kind   any
	}{
		{"/v1/oauth2/userinfo", 429, "too_many_requests"}, {"/v1/oauth2/userinfo", 401, nil},
		{"/v1/oauth2/token", 500, "internal_server_error"}, {"/v1/oauth2/token", 400, nil},
	} {
		status, reply, _ := ask(t, "POST", s.URL+want.path, form())
		if status != want.status || reply["error_type"] != want.kind {
			t.Errorf("%d: %d %v, want %d %v", i, status, reply, want.status, want.kind)
		}
	}
	s.FailNext("/v1/oauth2", 500)
	s.ClearFaults()
	if status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil); status != 401 {
		t.Errorf("a cleared fault acts: %d", status)
	}
}
