package auth

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// details returns what LogAttrs tells.
func details(err error) map[string]string {
	told := map[string]string{}
	for _, attribute := range LogAttrs(err) {
		told[attribute.Key] = attribute.Value.String()
	}
	return told
}

// A refusal names the claim, what was found, what was expected and the setting to look at.
func TestRefusalsTellTheOperatorWhatToDo(t *testing.T) {
	f, c := newFixture(t), newFixture(t, forConsumers)
	listed := newFixture(t, func(o *Options) { o.ClientIDs = []string{"connected-app-test-0"} })
	custom := newFixture(t, func(o *Options) { o.Audience = "https://api.example" })
	later := newFixture(t, func(o *Options) { o.IssuedAfter = testEpoch.Add(time.Second) })
	now := testEpoch.Unix()
	for _, tt := range []struct {
		name                         string
		f                            *fixture
		token                        string
		reason, claim, found, expect string
		hint                         string // a part of it
	}{
		{"lifetime", f, f.token(object{"exp": now + 30*3600}), "lifetime", "exp", "a lifetime of 30h0m0s",
			"24h0m0s at most", "GUESTPASS_MAX_TOKEN_LIFETIME"},
		{"issued too early", later, later.token(object{"iat": now}), "issued too early", "iat",
			testEpoch.UTC().Format(time.RFC3339), testEpoch.Add(time.Second).UTC().Format(time.RFC3339) + " or later",
			"GUESTPASS_TOKENS_ISSUED_AFTER"},
		{"another domain", f, f.token(object{"iss": "https://login.example.com"}), "iss", "iss",
			"an https address", testIssuer + " or stytch.com/" + testProject, "STYTCH_DOMAIN"},
		{"another project", f, f.token(object{"iss": "stytch.com/project-test-9"}), "iss", "iss",
			"stytch.com/project-test-...", testIssuer + " or stytch.com/" + testProject, "STYTCH_PROJECT_ID"},
		{"no issuer", f, f.token(object{"iss": absent}), "iss", "iss", "nothing", testIssuer + " or stytch.com/" +
			testProject, "STYTCH_DOMAIN"},
		{"another audience", f, f.token(object{"aud": []string{testProject, "https://api.example"}}), "aud", "aud",
			"[project-test-..., an https address]", testProject, "GUESTPASS_AUDIENCE"},
		{"another project's audience", f, f.token(object{"aud": "project-test-9"}), "aud", "aud", "project-test-...",
			testProject, "STYTCH_PROJECT_ID"},
		{"no audience", f, f.token(object{"aud": absent}), "aud", "aud", "nothing", testProject, "STYTCH_PROJECT_ID"},
		{"the custom audience missing", custom, f.token(nil), "aud", "aud", "[project-test-...]", testProject +
			" and https://api.example", "GUESTPASS_AUDIENCE"},
		{"ID token", f, f.token(object{"aud": testClient}), "aud", "aud", "connected-app-test-...", testProject,
			"access_token"},
		{"session token", f, f.token(object{sessionClaim: object{"id": "canary"}}), "a session token", sessionClaim, "",
			"", "access_token"},
		{"the other vertical", f, f.token(object{"sub": testUser}), "sub", "sub", "user-test-...", "member-test-...",
			"STYTCH_VERTICAL"},
		{"the other vertical, Consumer", c, c.token(object{"sub": testMember}), "sub", "sub", "member-test-...",
			"user-test-...", "STYTCH_VERTICAL"},
		{"the other environment", f, f.token(object{"sub": "member-live-1"}), "sub", "sub", "member-live-...",
			"member-test-...", "STYTCH_PROJECT_ID"},
		{"a machine", f, f.token(object{"sub": "m2m-client-test-1"}), "sub", "sub", "m2m-client-test-...",
			"member-test-...", "a machine's token"},
		{"no client", f, f.token(object{"client_id": absent}), "client_id", "client_id", "nothing",
			"connected-app-test-...", "access_token"},
		{"the other environment's client", f, f.token(object{"client_id": "connected-app-live-1"}), "client_id",
			"client_id", "connected-app-live-...", "connected-app-test-...", "STYTCH_PROJECT_ID"},
		{"not on the list", listed, f.token(nil), "client_id not admitted", "client_id", testClient,
			"connected-app-test-0", "GUESTPASS_CLIENT_IDS"},
		{"no scope", f, f.token(object{"scope": absent}), "scope", "scope", "nothing", "a string of scopes",
			"landing page"},
		{"empty scope", f, f.token(object{"scope": ""}), "scope", "scope", "an empty string", "a string of scopes",
			"landing page"},
		{"expired", f, f.token(object{"iat": now - 7200, "nbf": absent, "exp": now - 3600}), "expired", "exp",
			"2026-01-02T02:04:05Z", "later than 2026-01-02T03:03:35Z", "clock"},
		{"skew", f, f.token(object{"iat": now + 120, "nbf": absent}), "issued in the future", "iat",
			"2026-01-02T03:06:05Z", "2026-01-02T03:04:35Z or earlier", "clock"},
		{"not good yet", f, f.token(object{"nbf": now + 120}), "not good yet", "nbf", "2026-01-02T03:06:05Z",
			"2026-01-02T03:04:35Z or earlier", "clock"},
		{"a time that is none", f, f.token(object{"exp": number("1e400")}), "exp", "exp", "a number",
			"a whole number of seconds since 1970", "template"},
		{"no time", f, f.token(object{"iat": absent}), "iat", "iat", "nothing", "a whole number of seconds since 1970",
			"template"},
		{"no organization", f, f.token(object{organizationClaim: absent}), "organization", organizationClaim, "nothing",
			"the member's organization", "STYTCH_VERTICAL"},
		{"an organization of a user", c, c.token(object{organizationClaim: object{}}), "organization",
			organizationClaim, "an object", "no such claim", "STYTCH_VERTICAL"},
		{"a live organization", f, f.token(object{organizationClaim: object{"organization_id": "organization-live-1"}}),
			"organization", organizationClaim, "organization_id: organization-live-...", "organization-test-...", ""},
		{"an organization with two ids", f,
			f.token(object{organizationClaim: number(`{"organization_id":"a","organization_id":"b"}`)}), "organization",
			organizationClaim, "the member organization_id is given twice", "an object with organization_id", ""},
		{"letter case", f, f.token(object{"Sub": 1}), "claim_case", "sub", "a claim named Sub",
			"no other spelling of sub", "template"},
		{"a claim twice", f, sign(f.header().json(), `{"groups":1,"groups":2}`, keyOne()), "payload", "",
			"the member groups is given twice", "one JSON object, each name once", "template"},
		{"header members", f, f.headerOf(f.header().with(object{"x5u": 1, "jku": 1}).json()), "header_member jku", "",
			"jku, x5u", "alg, kid and typ", "GUESTPASS_TOKEN_HEADER_MEMBERS"},
		{"alg", f, f.headerOf(f.header().with(object{"alg": "ES256"}).json()), "alg", "alg", "ES256", "RS256", ""},
		{"two parts", f, "e30.e30", "not three parts", "", "", "header, payload and signature, with a dot between two",
			"access_token"},
		{"padding", f, "e30=.e30.AAAA", "not canonical base64url", "", "", expectedBase64, "altered"},
		{"a signature of another", f, f.by(testKid, keyTwo(), nil), "signature", "", "",
			"one by the key that kid names", "altered"},
		{"a fraction of a second", f, f.token(object{"iat": number("1.5")}), "iat", "iat", "a number",
			"a whole number of seconds since 1970", "template"},
		{"a time in words", f, f.token(object{"exp": "soon"}), "exp", "exp", "a string, length 4",
			"a whole number of seconds since 1970", "template"},
		{"jti", f, f.token(object{"jti": []string{"a", "b"}}), "jti", "jti", "[a string, length 1, a string, length 1]",
			"1 to 256 printable characters, or no such claim", "template"},
		{"no person", f, f.token(object{"sub": ""}), "sub", "sub", "an empty string", "member-test-...",
			"access_token"},
		{"an audience twice", f, f.token(object{"aud": []string{testProject, testProject}}), "aud", "aud",
			"[project-test-..., project-test-...]", "each value once", "template"},
		{"quotes", f, f.token(object{"sub": `a"b`}), "sub", "sub", "a string, length 3", "member-test-...",
			"access_token"},
		{"unknown key", f, f.by("other", keyTwo(), nil), "unknown kid", "kid", "another key id, length 5", testKid,
			"STYTCH_DOMAIN"},
		{"length", f, strings.Repeat("A", 9000), "length", "", "9000 bytes", "8192 bytes at most", "template"},
		{"a token in a claim", f, f.token(object{"iss": "x" + f.token(nil)}), "iss", "iss",
			"a string, length " + strconv.Itoa(len(f.token(nil))+1), testIssuer + " or stytch.com/" + testProject,
			"STYTCH_DOMAIN"},
		{"a token in a list", f, f.token(object{"aud": []string{"https://api.example/" + f.token(nil)}}), "aud", "aud",
			"[an https address]", testProject, "GUESTPASS_AUDIENCE"},
		{"many in a list", f, f.token(object{"aud": []any{1, true, "", "a", object{}, []int{}, "b"}}), "aud", "aud",
			"[a number, true, an empty string, a string, length 1, an object, 2 more]", testProject,
			"STYTCH_PROJECT_ID"},
		{"what looks like an id", f, f.token(object{"sub": "anybody-test-1"}), "sub", "sub", "a string, length 14",
			"member-test-...", "access_token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.f.Verify(t.Context(), tt.token)
			got := details(err)
			if got["reason"] != tt.reason || got["claim"] != tt.claim || got["found"] != tt.found ||
				got["expected"] != tt.expect || got["hint"] == "" || !strings.Contains(got["hint"], tt.hint) {
				t.Errorf("LogAttrs: %q", got)
			}
		})
	}
	scope := details(Scope("tasks:write").CheckScope(f.accepts(t, f.token(nil))))
	if scope["reason"] != `needs "tasks:write"` || scope["found"] != "openid tasks:read" ||
		scope["expected"] != "tasks:write" {
		t.Errorf("LogAttrs of a missing scope: %q", scope)
	}
	if got := details(ErrNoToken); got["reason"] != ErrNoToken.Error() || len(got) != 1 || Reason(nil) != "" {
		t.Errorf("LogAttrs of an error without details: %q", got)
	}
}

// Whatever a token holds, the log gets short printable ASCII, never the token or its
// signature; an error's text, which may come to a client, has the reason only.
func TestRefusalsAreFitForTheLog(t *testing.T) {
	f := newFixture(t)
	long := strings.Repeat("\u202ecanary\n\x1b[31m", 100)
	for _, name := range []string{"iss", "aud", "sub", "client_id", "scope", "exp", "iat", "nbf", "jti",
		organizationClaim, sessionClaim, "nonce", "Sub"} {
		for _, value := range []any{long, []string{long}, object{long: long}, object{"organization_id": long},
			number(strings.Repeat("9", 500))} {
			if name == "scope" && value == any(long) {
				continue // a string, which grants nothing
			}
			token := f.token(object{name: value})
			_, err := f.Verify(t.Context(), token)
			if err == nil {
				t.Errorf("%s of %v is accepted", name, value)
				continue
			}
			f.fitForTheLog(t, token, err)
			if name == sessionClaim || name == "nonce" {
				for _, text := range details(err) {
					if strings.Contains(text, "canary") {
						t.Errorf("what is in %s is in the log: %s", name, text)
					}
				}
			}
		}
	}
	for _, name := range []string{"alg", "typ", "kid", long, "x5c"} {
		token := f.headerOf(f.header().with(object{name: long}).json())
		_, err := f.Verify(t.Context(), token)
		f.fitForTheLog(t, token, err)
	}
	good := f.token(nil)
	for _, token := range []string{good + "A", good[:len(good)-8] + "AAAAAAAA", good + ".x",
		good + strings.Repeat("A", 9000), strings.Repeat(good, 10), "\n" + good} {
		_, err := f.Verify(t.Context(), token)
		f.fitForTheLog(t, token, err)
	}
}

func (f *fixture) fitForTheLog(t *testing.T, token string, err error) {
	t.Helper()
	if err == nil || strings.Contains(err.Error(), "canary") && !strings.Contains(err.Error(), "header_member") {
		t.Errorf("error %v", err)
	}
	parts := strings.Split(token, ".")
	for name, text := range details(err) {
		switch {
		case name == "found" && strings.Contains(text, "canary") && !strings.Contains(err.Error(), headerMember):
			t.Errorf("what was found is told: %s", text)
		case len(text) > 2*maxShown:
			t.Errorf("%s has %d characters", name, len(text))
		case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }):
			t.Errorf("%s has characters that are not printable: %q", name, text)
		}
		for _, part := range parts {
			if len(part) >= 16 && strings.Contains(text, part[:16]) {
				t.Errorf("%s has a part of the token: %s", name, text)
			}
		}
	}
}

// The token from before Stytch's keys are known, and the one that lives eight hours.
func TestALongLifeIsAdmittedToTheSecond(t *testing.T) {
	eight := 8 * 3600
	f := newFixture(t, func(o *Options) { o.MaxLifetime = 8 * time.Hour })
	now := int(testEpoch.Unix())
	f.accepts(t, f.token(object{"exp": now + eight}))
	f.refuses(t, f.token(object{"exp": now + eight + 1}), "lifetime")
	f.clock.Add(8*time.Hour + 29*time.Second)
	f.accepts(t, f.token(object{"iat": now, "nbf": now, "exp": now + eight}))
	f.clock.Add(time.Second)
	f.refuses(t, f.token(object{"iat": now, "nbf": now, "exp": now + eight}), "expired")
}
