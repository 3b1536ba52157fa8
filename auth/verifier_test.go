package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	liveProject = "project-live-11111111-1111-4111-8111-111111111111"
	day         = 24 * 3600 // in seconds
)

// A case changes one thing about the claims of a good token. An empty reason means
// that it stays good.
type claimCase struct {
	name    string
	changes object
	reason  string
}

// checkClaims runs the cases, each beside its twin: the token without the changes.
func checkClaims(t *testing.T, f *fixture, cases []claimCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			f.accepts(t, f.token(nil))
			if tt.reason == "" {
				f.accepts(t, f.token(tt.changes))
			} else {
				f.refuses(t, f.token(tt.changes), tt.reason)
			}
		})
	}
}

func number(text string) json.RawMessage { return json.RawMessage(text) }

func TestVerifierSaysWhoseTokenItIs(t *testing.T) {
	f := newFixture(t)
	identity := f.accepts(t, f.token(nil))
	if identity.Subject != testMember || identity.OrganizationID != testOrg || identity.Owner() != testOrg ||
		identity.ClientID != testClient || identity.TokenID != "token-1" ||
		identity.Scopes.String() != "openid tasks:read" ||
		!identity.IssuedAt.Equal(testEpoch) || !identity.ExpiresAt.Equal(testEpoch.Add(time.Hour)) {
		t.Errorf("identity %+v", identity)
	}
	c := newFixture(t, forConsumers)
	identity = c.accepts(t, c.token(nil))
	if identity.Subject != testUser || identity.OrganizationID != "" || identity.Owner() != testUser {
		t.Errorf("identity %+v", identity)
	}
}

// The other tokens of the same project carry signatures by the same keys.
func TestVerifierRefusesTokensOfAnotherKind(t *testing.T) {
	f, c := newFixture(t), newFixture(t, forConsumers)
	for _, tt := range []struct {
		name    string
		f       *fixture
		changes object
		reason  string
	}{
		{"session token", f, object{"client_id": absent, "scope": absent,
			sessionClaim: object{"id": "member-session-test-1"}}, "a session token"},
		{"session token with everything else in order",
			f, object{sessionClaim: object{"id": "member-session-test-1"}}, "a session token"},
		{"session claim that is null", f, object{sessionClaim: nil}, "a session token"},
		{"session token of a user", c, object{"client_id": absent, "scope": absent,
			sessionClaim: object{"id": "session-test-1"}}, "a session token"},
		{"session token of a user with everything else in order",
			c, object{sessionClaim: object{"id": "session-test-1"}}, "a session token"},
		{"ID token", f, object{"aud": []string{testClient}, "nonce": "n", "scope": absent, "client_id": absent},
			"an ID token"},
		{"ID token without nonce", f, object{"aud": []string{testClient}, "scope": absent, "client_id": absent}, "aud"},
		{"ID token with everything else in order", f, object{"nonce": "n"}, "an ID token"},
		{"nonce that is null", f, object{"nonce": nil}, "an ID token"},
		{"audience is the client as well", f, object{"aud": []string{testProject, testClient}}, "aud"},
		{"M2M token", f, object{"sub": "m2m-client-test-1", "client_id": "m2m-client-test-1",
			organizationClaim: absent}, "sub"},
		{"M2M client with a member as subject", f, object{"client_id": "m2m-client-test-1"}, "client_id"},
		{"ID token of a user", c, object{"aud": []string{testClient}, "nonce": "n", "scope": absent,
			"client_id": absent}, "an ID token"},
		{"ID token of a user without nonce", c,
			object{"aud": []string{testClient}, "scope": absent, "client_id": absent}, "aud"},
		{"M2M token at a Consumer verifier", c, object{"sub": "m2m-client-test-1", "client_id": "m2m-client-test-1"},
			"sub"},
		{"issuer of another project", f, object{"iss": "stytch.com/project-test-9", "aud": []string{"project-test-9"}},
			"iss"},
		{"audience of another project", f, object{"aud": []string{"project-test-9"}}, "aud"},
		{"live project", f, object{"aud": []string{liveProject}}, "aud"},
		{"live member", f, object{"sub": "member-live-1"}, "sub"},
		{"live user", c, object{"sub": "user-live-1"}, "sub"},
		{"live client", f, object{"client_id": "connected-app-live-1"}, "client_id"},
		{"live organization", f, object{organizationClaim: object{"organization_id": "organization-live-1"}},
			"organization"},
		{"Consumer token at a B2B verifier", f, object{"sub": testUser, organizationClaim: absent}, "sub"},
		{"Consumer token with an organization", f, object{"sub": testUser}, "sub"},
		{"member without organization", f, object{organizationClaim: absent}, "organization"},
		{"B2B token at a Consumer verifier", c,
			object{"sub": testMember, organizationClaim: object{"organization_id": testOrg}}, "sub"},
		{"member at a Consumer verifier, without an organization", c, object{"sub": testMember}, "sub"},
		{"user with an organization", c, object{organizationClaim: object{"organization_id": testOrg}}, "organization"},
		{"user with an organization that is null", c, object{organizationClaim: nil}, "organization"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.f.accepts(t, tt.f.token(nil))
			tt.f.refuses(t, tt.f.token(tt.changes), tt.reason)
		})
	}
	for _, opaque := range []string{"", "token-1", testMember, strings.Repeat("a", 43), "WyI1.refresh",
		"eyJhbGciOiJSUzI1NiJ9", "a.b.c", "mnopqrs.tuvwxyz"} {
		if _, err := f.Verify(t.Context(), opaque); Reason(err) != "length" && Reason(err) != "not three parts" &&
			Reason(err) != "not canonical base64url" {
			t.Errorf("Verify(%q): %v, want a refusal of its form", opaque, err)
		}
	}
}

func TestClaimsOfTime(t *testing.T) {
	f := newFixture(t)
	now := testEpoch.Unix()
	at := func(iat, exp int64) object { return object{"iat": now + iat, "exp": now + exp, "nbf": absent} }
	const expired, early, lifetime = "expired", "issued in the future", "lifetime"
	cases := []claimCase{
		{"expired 29 s ago", at(-3600, -29), ""},
		{"expired 30 s ago", at(-3600, -30), expired},
		{"expired 31 s ago", at(-3600, -31), expired},
		{"issued in 30 s", at(30, 3600), ""},
		{"issued in 31 s", at(31, 3600), early},
		{"issued in 31 s, good from now on", object{"iat": now + 31}, early},
		{"good from in 30 s", object{"nbf": now + 30}, ""},
		{"good from in 31 s", object{"nbf": now + 31}, "not good yet"},
		{"no nbf", object{"nbf": absent}, ""},
		{"nbf is null", object{"nbf": nil}, "nbf"},
		{"nbf is a string", object{"nbf": "1"}, "nbf"},
		{"nbf is 0", object{"nbf": 0}, "nbf"},
		{"nbf is beyond what a clock can hold", object{"nbf": number("9223372036854775807")}, "nbf"},
		{"lives 8 h, as seen of Stytch", at(0, 8*3600), ""},
		{"lives the maximum of 24 h", at(-10, day-10), ""},
		{"lives 1 s longer", at(-10, day-9), lifetime},
		{"expires when issued", at(20, 20), lifetime},
		{"lives 1 s", at(20, 21), ""},
		{"expires before issued", at(20, 19), lifetime},
		{"issued in 1970", object{"iat": 1}, lifetime},
		{"expires in 9999", object{"exp": maxTime}, lifetime},
	}
	for _, name := range []string{"exp", "iat"} {
		cases = append(cases, claimCase{name + " missing", object{name: absent}, name})
		for _, value := range []string{"null", "true", "-1", "0", "1e9", "1e400", "1000000000000000000", "253402300800",
			"99999999999999999999",
			"9223372036854775807", "1767323045.5", "1767323045.0", `"1767323045"`, "[1767323045]", "{}", "-0"} {
			cases = append(cases, claimCase{name + " is " + value, object{name: number(value)}, name})
		}
	}
	checkClaims(t, f, cases)

	for _, bound := range []time.Duration{ShortestLifetime, 8 * time.Hour, LongestLifetime} {
		f := newFixture(t, func(o *Options) { o.MaxLifetime = bound })
		f.accepts(t, f.token(object{"exp": now + int64(bound/time.Second)}))
		f.refuses(t, f.token(object{"exp": now + int64(bound/time.Second) + 1}), lifetime)
	}
}

// Each limit of time has an edge on either side, and holds to the nanosecond of the
// injected clock: a nanosecond further, and the answer is the other one.
func TestTheSkewIsExact(t *testing.T) {
	f := newFixture(t)
	f.accepts(t, f.token(nil))
	at := func(iat, nbf, exp int64) string {
		claims := object{"jti": fmt.Sprintf("%d,%d,%d", iat, nbf, exp), "nbf": absent}
		for name, seconds := range map[string]int64{"iat": iat, "nbf": nbf, "exp": exp} {
			if seconds != 0 {
				claims[name] = testEpoch.Unix() + seconds
			}
		}
		return f.token(claims)
	}
	edges := 0
	for _, tt := range []struct {
		name, token, reason string
		good, beyond        time.Duration // a nanosecond apart
	}{
		{"exp", at(0, 0, 60), "expired", 90*time.Second - 1, 90 * time.Second},
		{"iat", at(3600, 0, 7200), "issued in the future", time.Hour - 30*time.Second, time.Hour - 30*time.Second - 1},
		{"nbf", at(0, 1800, 3600), "not good yet", 30*time.Minute - 30*time.Second,
			30*time.Minute - 30*time.Second - 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.clock.Set(testEpoch.Add(tt.beyond))
			f.refuses(t, tt.token, tt.reason)
			// last: then it is in the cache, which a clock that is set back does not empty
			f.clock.Set(testEpoch.Add(tt.good))
			f.accepts(t, tt.token)
			edges += 2
		})
	}
	f.clock.Set(testEpoch) // the fourth limit is between two claims
	f.accepts(t, at(-10, 0, day-10))
	f.refuses(t, at(-10, 0, day-9), "lifetime")
	edges += 2
	t.Logf("%d edges of exp, iat, nbf and the lifetime are looked at", edges)
}

func TestClaimIssuer(t *testing.T) {
	f := newFixture(t)
	cases := []claimCase{
		{"the second of the set", object{"iss": "stytch.com/" + testProject}, ""},
		{"missing", object{"iss": absent}, "iss"},
		{"an array", object{"iss": []string{testIssuer}}, "iss"},
		{"null", object{"iss": nil}, "iss"},
	}
	for _, iss := range []string{"", "https://example.customers.stytch.de", testIssuer + "/",
		testIssuer + ".evil.example", testIssuer + " ",
		"https://EXAMPLE.customers.stytch.dev", "http://example.customers.stytch.dev",
		"https://example.customers.stytch．dev",
		"https://exаmple.customers.stytch.dev", "stytch.com", "stytch.com/" + liveProject,
		"example.customers.stytch.dev", testIssuer + "\x00"} {
		cases = append(cases, claimCase{"other " + iss, object{"iss": iss}, "iss"})
	}
	checkClaims(t, f, cases)
}

func TestClaimAudience(t *testing.T) {
	const custom, resource, second = "https://api.example", "https://guestpass.example/mcp",
		"https://guestpass.example/api"
	plain := newFixture(t)
	checkClaims(t, plain, []claimCase{
		{"a plain string", object{"aud": testProject}, ""},
		{"another plain string", object{"aud": "other"}, "aud"},
		{"missing", object{"aud": absent}, "aud"},
		{"null", object{"aud": nil}, "aud"},
		{"empty", object{"aud": ""}, "aud"},
		{"no values", object{"aud": []string{}}, "aud"},
		{"a number", object{"aud": 1}, "aud"},
		{"an object", object{"aud": object{testProject: true}}, "aud"},
		{"nested", object{"aud": []any{[]string{testProject}}}, "aud"},
		{"a number beside ours", object{"aud": []any{testProject, 1}}, "aud"},
		{"null beside ours", object{"aud": []any{testProject, nil}}, "aud"},
		{"a prefix", object{"aud": testProject[:len(testProject)-1]}, "aud"},
		{"more behind", object{"aud": testProject + "0"}, "aud"},
		{"letter case", object{"aud": strings.ToUpper(testProject)}, "aud"},
		{"ours twice", object{"aud": []string{testProject, testProject}}, "aud"},
		{"ours and a foreign one", object{"aud": []string{testProject, "https://other.example"}}, "aud"},
		{"a foreign one and ours", object{"aud": []string{"https://other.example", testProject}}, "aud"},
		{"ours and nothing", object{"aud": []string{testProject, ""}}, "aud"},
		{"an unconfigured resource", object{"aud": []string{testProject, resource}}, "aud"},
	})
	checkClaims(t, newFixture(t, func(o *Options) { o.Resources = []string{resource, second} }), []claimCase{
		{"a resource", object{"aud": []string{testProject, resource}}, ""},
		{"both resources", object{"aud": []string{second, testProject, resource}}, ""},
		{"a resource twice", object{"aud": []string{testProject, resource, resource}}, "aud"},
		{"a resource without the project", object{"aud": []string{resource}}, "aud"},
		{"another resource", object{"aud": []string{testProject, resource + "x"}}, "aud"},
	})
	checkClaims(t, newFixture(t, func(o *Options) { o.Resources = []string{"", resource} }), []claimCase{
		{"a resource beside an empty setting", object{"aud": []string{testProject, resource}}, ""},
		{"an empty value is never ours", object{"aud": []string{testProject, ""}}, "aud"},
	})
	audience := newFixture(t, func(o *Options) { o.Audience, o.Resources = custom, []string{resource} })
	both := []string{testProject, custom}
	audience.accepts(t, audience.token(object{"aud": both}))
	for _, tt := range []struct {
		name   string
		aud    any
		reason string
	}{
		{"in either order", []string{custom, testProject}, ""},
		{"with a resource", []string{custom, testProject, resource}, ""},
		{"custom audience missing", []string{testProject}, "aud"},
		{"resource instead of it", []string{testProject, resource}, "aud"},
		{"only the custom audience", custom, "aud"},
		{"a third", []string{custom, testProject, "x"}, "aud"},
	} {
		if tt.reason == "" {
			audience.accepts(t, audience.token(object{"aud": tt.aud}))
		} else {
			audience.refuses(t, audience.token(object{"aud": tt.aud}), tt.reason)
		}
	}
}

func TestClaimsThatNameSomebody(t *testing.T) {
	f := newFixture(t)
	organization := func(id any) object { return object{organizationClaim: object{"organization_id": id}} }
	cases := []claimCase{
		{"no sub", object{"sub": absent}, "sub"},
		{"sub is a number", object{"sub": 1}, "sub"},
		{"sub is an array", object{"sub": []string{testMember}}, "sub"},
		{"no client_id", object{"client_id": absent}, "client_id"},
		{"client_id is an array", object{"client_id": []string{testClient}}, "client_id"},
		{"organization is a string", object{organizationClaim: testOrg}, "organization"},
		{"organization is null", object{organizationClaim: nil}, "organization"},
		{"organization without id", object{organizationClaim: object{"slug": "example"}}, "organization"},
		{"organization id is a number", organization(1), "organization"},
		{"organization id is an array", organization([]string{testOrg}), "organization"},
		{"longest ids", object{"sub": "member-test-" + strings.Repeat("a", 100), "client_id": "connected-app-test-" +
			strings.Repeat("a", 100)}, ""},
		{"sub of 129 characters", object{"sub": "member-test-" + strings.Repeat("a", 117)}, "sub"},
		{"client_id of 129 characters", object{"client_id": "connected-app-test-" + strings.Repeat("a", 110)},
			"client_id"},
		{"another claim", object{"email": "ada@example.com", "https://stytch.com/custom": []int{1}}, ""},
		{"no jti", object{"jti": absent}, ""},
		{"jti of 256 characters", object{"jti": strings.Repeat("~", 256)}, ""},
		{"jti of 257 characters", object{"jti": strings.Repeat("~", 257)}, "jti"},
		{"jti is empty", object{"jti": ""}, "jti"},
		{"jti is null", object{"jti": nil}, "jti"},
		{"jti is a number", object{"jti": 7}, "jti"},
		{"jti with a space", object{"jti": "a b"}, "jti"},
		{"jti with a line break", object{"jti": "a\nb"}, "jti"},
		{"jti not ASCII", object{"jti": "é"}, "jti"},
		{"scope missing", object{"scope": absent}, "scope"},
		{"scope empty", object{"scope": ""}, "scope"},
		{"scope is an array", object{"scope": []string{"tasks:read"}}, "scope"},
		{"scope is a number", object{"scope": 1}, "scope"},
		{"scope is null", object{"scope": nil}, "scope"},
	}
	for _, name := range []string{"Sub", "SUB", "AUD", "Exp", "isS", "\u017fub", "Client_ID", "scopE", "Nonce", "JTI",
		"IAT", "NBF", "https://stytch.com/Session", "https://Stytch.com/organization"} {
		cases = append(cases, claimCase{"a claim named " + name, object{name: "x"}, "claim_case"})
	}
	for _, tail := range []string{"", "\x00", "a\x00", "a\nb", "a\u202eb", "а", "a b", "a/b", "a'--", "a%00", "é"} {
		cases = append(cases,
			claimCase{"sub ends in " + tail, object{"sub": "member-test-" + tail}, "sub"},
			claimCase{"client_id ends in " + tail, object{"client_id": "connected-app-test-" + tail}, "client_id"},
			claimCase{"organization ends in " + tail, organization("organization-test-" + tail), "organization"})
	}
	for _, sub := range []string{"", "member-test", "x" + testMember, "Member-test-1", "member-", "member-prod-1",
		"m2m-client-test-1", testOrg, "memberatest-1"} {
		cases = append(cases, claimCase{"sub " + sub, object{"sub": sub}, "sub"})
	}
	checkClaims(t, f, cases)

	listed := newFixture(t, func(o *Options) { o.ClientIDs = []string{"connected-app-test-0", testClient} })
	checkClaims(t, listed, []claimCase{
		{"another on the list", object{"client_id": "connected-app-test-0"}, ""},
		{"not on the list", object{"client_id": "connected-app-test-1"}, "client_id not admitted"},
		{"begins like one on the list", object{"client_id": testClient + "0"}, "client_id not admitted"},
	})
}

// Who is not listed may be known by more than the id. It is asked about once, and only with a token
// that is good but for that.
func TestClaimClientThatSomebodyKnowsMoreAbout(t *testing.T) {
	known := map[string]bool{"connected-app-test-7": true}
	var asked []string
	var failure error
	f := newFixture(t, func(o *Options) {
		o.ClientIDs = []string{testClient}
		o.AdmitClient = func(_ context.Context, id string) (bool, error) {
			asked = append(asked, id)
			return known[id], failure
		}
	})
	of := func(id string) string { return f.token(object{"client_id": id}) }
	for _, tt := range []struct {
		name, token string
		failure     error
		want        error
		asked       int
	}{
		{"listed", of(testClient), nil, nil, 0},
		{"known", of("connected-app-test-7"), nil, nil, 1},
		{"unknown", of("connected-app-test-8"), nil, ErrInvalidToken, 1},
		{"not to be told now", of("connected-app-test-9"), errors.New("away"), ErrUnavailable, 1},
		{"expired", f.token(object{"client_id": "connected-app-test-7", "exp": f.clock.Now().Add(-time.Hour).Unix(),
			"iat": f.clock.Now().Add(-2 * time.Hour).Unix()}), nil, ErrInvalidToken, 0},
	} {
		asked, failure = nil, tt.failure
		for range 2 {
			if _, err := f.Verify(t.Context(), tt.token); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
			if tt.want != nil {
				break
			}
		}
		if len(asked) != tt.asked {
			t.Errorf("%s: asked about %q, want %d", tt.name, asked, tt.asked)
		}
	}
}

// Clients write a URL in several ways that are one.
func TestClaimAudienceOfOurOwnURLs(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.Resources = []string{"https://gpt.example.com",
			"https://gpt.example.com/mcp"}
	})
	var cases []claimCase
	for _, same := range []string{"https://gpt.example.com", "https://gpt.example.com/", "https://gpt.example.com/mcp",
		"https://gpt.example.com/mcp/", "HTTPS://GPT.Example.com/mcp", "https://gpt.example.com:443/mcp"} {
		cases = append(cases, claimCase{same, object{"aud": []string{testProject, same}}, ""},
			claimCase{same + " alone", object{"aud": []string{same}}, "aud"})
	}
	for _, other := range []string{"https://other.example/mcp", "http://gpt.example.com/mcp",
		"https://gpt.example.com/MCP",
		"https://gpt.example.com/mcp//", "https://gpt.example.com/mcp?x", "https://gpt.example.com/mcp#x",
		"https://x@gpt.example.com/mcp",
		"https://gpt.example.com:8443/mcp", "https://gpt.example.com.evil.example/mcp", "gpt.example.com/mcp",
		"//gpt.example.com/mcp"} {
		cases = append(cases, claimCase{other, object{"aud": []string{testProject, other}}, "aud"})
	}
	checkClaims(t, f, cases)
}

// A scope that is not tokens joined by single spaces is no reason for a 401: it grants nothing.
func TestScopesGrantByWholeNames(t *testing.T) {
	f := newFixture(t)
	needed := Scope("tasks:read")
	for _, tt := range []struct {
		scope string
		holds bool
	}{
		{"tasks:read", true}, {"openid tasks:read email", true}, {"tasks:read tasks:read", true},
		{"openid", false}, {"tasks:read:all", false}, {"tasks", false}, {"read", false}, {"xtasks:read", false},
		{"TASKS:READ", false},
		{"tasks:read\topenid", false}, {"tasks:read,openid", false}, {"tasks:read\u00a0openid", false},
		{"openid  tasks:read", false},
		{"tasks:read ", false}, {" tasks:read", false}, {"tasks:read \n", false}, {" ", false}, {`tasks:read "`, false},
		{`tasks:read \`, false},
		{"tasks:read é", false}, {"tasks:read\x7f openid", false},
	} {
		identity := f.accepts(t, f.token(object{"scope": tt.scope}))
		if got := needed.CheckScope(identity) == nil; got != tt.holds {
			t.Errorf("scope %q admits: %t, want %t", tt.scope, got, tt.holds)
		}
	}
}
