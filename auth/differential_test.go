package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	jwxkey "github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

var mutations = flag.Int("mutations", 1000, "how many tokens TestNothingIsAcceptedThatOthersRefuse makes")

// TestNothingIsAcceptedThatOthersRefuse holds our verdict on mutated tokens against those
// of two implementations that are not ours: jwx/v3 and jose of npm. What we accept both
// must accept, unreadNumber aside. Where only we refuse, the reason must be one of stricter.
func TestNothingIsAcceptedThatOthersRefuse(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by make quick: it needs Node.js, and jose from npm")
	}
	f := newFixture(t)
	tokens := append(unharmed(f), mutants(f, *mutations)...)
	harmless := len(tokens) - *mutations
	ofJWX, ofJose := jwxVerdicts(t, f, tokens), joseVerdicts(t, f, tokens)

	accepted, wrong, refused := 0, 0, map[string]int{}
	for i, token := range tokens {
		if strings.Contains(ofJWX[i], unreadNumber) && ofJose[i] == "" {
			ofJWX[i] = "" // jwx reads every claim, and cannot hold the number; we leave what we do not need as it is
		}
		_, err := f.Verify(t.Context(), token)
		verdicts := fmt.Sprintf("we say %q, jwx %q, jose %q of %s", Reason(err), ofJWX[i], ofJose[i], token)
		switch {
		case i < harmless && (err != nil || ofJWX[i] != "" || ofJose[i] != ""):
			t.Errorf("a token without a fault: %s", verdicts)
		case err == nil && (ofJWX[i] != "" || ofJose[i] != ""):
			wrong++
			t.Errorf("accepted by us, not by all: %s", verdicts)
		case err == nil:
			accepted++
		case ofJWX[i] == "" && ofJose[i] == "" && stricter[reasonClass(err)] == "":
			t.Errorf("refused by us alone, and nobody wrote down why: %s", verdicts)
		case ofJWX[i] == "" && ofJose[i] == "":
			refused[reasonClass(err)]++
		}
	}
	byJWX, byJose := count(ofJWX[harmless:]), count(ofJose[harmless:])
	fmt.Fprintf(t.Output(), "%d mutated tokens: jwx/v3 refuses %d, jose %d, we %d; accepted by us and refused by one "+
		"of them: %d\n",
		*mutations, byJWX, byJose, len(tokens)-accepted-wrong, wrong)
	for _, reason := range slices.Sorted(maps.Keys(refused)) {
		fmt.Fprintf(t.Output(), "  refused by us alone: %5d  %-22s %s\n", refused[reason], reason, stricter[reason])
	}
	if byJWX < *mutations/4 || byJose < *mutations/4 || accepted < harmless+*mutations/100 {
		t.Errorf("jwx refuses %d, jose %d, we accept %d: the mutations prove little", byJWX, byJose, accepted)
	}
}

// unreadNumber is what jwx says of a number that no double holds, in whichever claim.
const unreadNumber = "cannot unmarshal number 1e400 into Go value of type float64"

func count(verdicts []string) (refused int) {
	for _, verdict := range verdicts {
		if verdict != "" {
			refused++
		}
	}
	return refused
}

// stricter are the reasons for which we refuse what both others accept.
var stricter = map[string]string{
	"header":                  "RFC 7515 section 4: names are unique; they take the last",
	"header_member":           "nothing but alg, kid and typ",
	"payload":                 "names are unique, and text",
	"typ":                     "a JWT of another kind (RFC 8725 section 3.11)",
	"not canonical base64url": "a token has one spelling",
	"claim_case":              "some libraries read names without letter case",
	"aud":                     "no audience but ours, and once",
	"sub":                     "Stytch's form of a member's id",
	"client_id":               "Stytch's form of a client's id",
	"scope":                   "a string that is not empty",
	"exp":                     "whole seconds since 1970",
	"iat":                     "whole seconds since 1970",
	"nbf":                     "whole seconds since 1970",
	"lifetime":                "a day at most",
	"jti":                     "printable, at most 256 characters",
	"a session token":         "Stytch's other tokens have the same keys",
	"an ID token":             "Stytch's other tokens have the same keys",
	"organization":            "a member belongs to one",
}

// reasonClass returns the reason without the name of a header member.
func reasonClass(err error) string {
	reason := Reason(err)
	if strings.HasPrefix(reason, "header_member ") {
		return "header_member"
	}
	return reason
}

// unharmed are tokens as Stytch may issue them, whatever the vertical of its tests.
func unharmed(f *fixture) []string {
	now := f.clock.Now().Unix()
	return []string{f.token(nil), f.token(object{"aud": testProject}),
		f.token(object{"iss": "stytch.com/" + testProject}), f.token(object{"nbf": absent}),
		f.token(object{"jti": absent}), f.token(object{"custom": object{"a": []int{1}}}),
		f.token(object{"iat": now + 29, "nbf": now + 29, "exp": now + 100}),
		f.token(object{"iat": now - 3600, "nbf": now - 3600, "exp": now - 29}),
		f.headerOf(f.header().with(object{"typ": "at+jwt"}).json()),
		f.headerOf(f.header().with(object{"typ": absent}).json())}
}

// mutants are deterministic but for the key: what is changed in which token, is the same in every run.
func mutants(f *fixture, n int) (tokens []string) {
	good := f.token(nil)
	m := &mutator{Rand: rand.New(rand.NewPCG(7519, 7515)), fixture: f}
	for range n {
		switch m.IntN(5) {
		case 0, 1:
			tokens = append(tokens, m.spelling(good))
		case 2:
			tokens = append(tokens, sign(m.members(f.header(), m.headerValue), f.claims().json(), keyOne()))
		case 3:
			tokens = append(tokens, sign(f.header().json(), m.members(f.claims(), m.claimValue), keyOne()))
		default:
			tokens = append(tokens, sign(m.text(f.header().json(), 3), m.text(f.claims().json(), 2), keyOne()))
		}
	}
	return tokens
}

// mutator changes tokens at random.
type mutator struct {
	*rand.Rand
	fixture *fixture
}

func pick[T any](m *mutator, from ...T) T { return from[m.IntN(len(from))] }

// spelling changes the characters of a signed token.
func (m *mutator) spelling(token string) string {
	at := m.IntN(len(token))
	if m.IntN(3) == 0 {
		at = len(token) - 1 - m.IntN(4)
	}
	parts := strings.Split(token, ".")
	switch m.IntN(7) {
	case 0:
		return token[:at] + string(rune(m.IntN(126)+1)) + token[at+1:]
	case 1:
		return token[:at] + token[at+1:]
	case 2:
		return token[:at] + pick(m, "=", "A", " ", "\n", "\r\n", ".", "é", "+", "/", "\x00", "\t") + token[at:]
	case 3:
		i, j := m.IntN(3), m.IntN(3)
		parts[i], parts[j] = parts[j], parts[i]
	case 4:
		parts[m.IntN(3)] = pick(m, "", "e30", "AA", parts[0], parts[1]+"=", "bnVsbA")
	case 5:
		parts[2] = encode(bytes.Repeat([]byte{byte(m.IntN(256))}, pick(m, 0, 1, 255, 256, 257)))
	case 6:
		other := m.fixture.claims().with(object{"sub": "member-test-0"}).json()
		parts[1] = encode(pick(m, other, "{}", m.fixture.claims().json()+" "))
	}
	return strings.Join(parts, ".")
}

// members changes, adds, removes, renames and repeats members.
func (m *mutator) members(o object, value func(name string) any) string {
	repeated := ""
	for range 1 + m.IntN(2) {
		name := pick(m, slices.Sorted(maps.Keys(o))...)
		switch m.IntN(8) {
		case 0:
			o = o.with(object{name: absent})
		case 1:
			o = o.with(object{name: absent, pick(m, strings.ToUpper(name), strings.ToUpper(name[:1])+name[1:], name+" ",
				"x"+name): o[name]})
		case 2:
			repeated = object{name: value(name)}.json()
		case 3:
			name = pick(m, "crit", "b64", "jku", "jwk", "x5u", "zip", "cty", "nonce", sessionClaim, organizationClaim,
				"x", "jti", "nbf", "enc")
			o = o.with(object{name: value(name)})
		default:
			o = o.with(object{name: value(name)})
		}
	}
	text := o.json()
	if len(repeated) > 2 && len(text) > 2 {
		text = pick(m, repeated[:len(repeated)-1]+","+text[1:], text[:len(text)-1]+","+repeated[1:])
	}
	return text
}

func (m *mutator) odd() any {
	return pick[any](m, nil, "", 0, -1, 1, true, []int{}, object{}, "x", []any{nil}, number("1e400"), number("1.5"),
		"\x00", "é", strings.Repeat("x", 300), []string{"x", "x"})
}

func (m *mutator) headerValue(name string) any {
	values := map[string][]any{
		"alg":  {"RS256", "none", "HS256", "RS384", "PS256", "rs256", "ES256"},
		"kid":  {testKid, "other", testKid + "\x00", "../" + testKid},
		"typ":  {"JWT", "jwt", "at+jwt", "application/at+jwt", "JOSE", "dpop+jwt", "logout+jwt"},
		"crit": {[]string{"x"}, []string{}, []string{"b64"}, []string{"exp"}}, "b64": {true, false},
		"jku": {"https://evil.example"}, "zip": {"DEF"}, "cty": {"JWT"},
	}[name]
	return pick(m, append(values, m.odd())...)
}

func (m *mutator) claimValue(name string) any {
	now := m.fixture.clock.Now().Unix()
	near := now + pick[int64](m, -86500, -3600, -31, -30, -29, -1, 0, 1, 29, 30, 31, 3600, 86400, 86401)
	values := map[string][]any{
		"iss": {testIssuer, "stytch.com/" + testProject, testIssuer + "/", strings.ToUpper(testIssuer),
			[]string{testIssuer}},
		"aud": {testProject, []string{testProject}, []string{testProject, testProject}, []string{"x", testProject},
			[]string{testClient}, testProject + "0", []string{}},
		"sub":       {testMember, testUser, "member-live-1", "m2m-client-test-1"},
		"client_id": {testClient, "connected-app-live-1", "m2m-client-test-1"},
		"exp":       {near, near, fmt.Sprint(near), number(fmt.Sprint(near, ".0")), maxTime},
		"iat":       {near, near, fmt.Sprint(near)}, "nbf": {near, near, fmt.Sprint(near)},
		"scope": {"openid", "tasks:read openid", []string{"openid"}}, "jti": {"1", strings.Repeat("j", 256)},
		organizationClaim: {object{"organization_id": testOrg}, object{"organization_id": "organization-live-1"},
			testOrg},
	}[name]
	return pick(m, append(values, m.odd())...)
}

// text changes bytes of JSON, in one of so many cases.
func (m *mutator) text(text string, of int) string {
	if m.IntN(of) > 0 {
		return text
	}
	at := m.IntN(len(text))
	return pick(m, text[:at]+string([]byte{byte(m.IntN(256))})+text[at+1:], text[:at]+text[at+1:], text[:at],
		text[:at]+pick(m, "\x00", "\xff", "\xc0\xaf", "\u202e", `\ud800`, "{", "[", ",", " ", "null", `"`)+text[at:],
		text+pick(m, "{}", " ", "x", "\x00", ","), pick(m, " ", "\ufeff", "\n", "[")+text)
}

// jwxVerdicts are "" or why a token is refused.
func jwxVerdicts(t *testing.T, f *fixture, tokens []string) (verdicts []string) {
	t.Helper()
	keys, err := jwxkey.Parse([]byte(publicKeySet()))
	if err != nil {
		t.Fatal(err)
	}
	issuer := jwt.ValidatorFunc(func(_ context.Context, token jwt.Token) error {
		if name, _ := token.Issuer(); !slices.Contains(f.options.Issuers, name) {
			return errors.New("another issuer")
		}
		return nil
	})
	options := []jwt.ParseOption{jwt.WithKeySet(keys), jwt.WithValidate(true), jwt.WithAcceptableSkew(Skew),
		jwt.WithClock(jwt.ClockFunc(func() time.Time { return f.clock.Now() })),
		jwt.WithAudience(testProject), jwt.WithValidator(issuer)}
	for _, name := range []string{"sub", "exp", "iat", "client_id", "scope"} {
		options = append(options, jwt.WithRequiredClaim(name))
	}
	for _, token := range tokens {
		verdict := ""
		if _, err := jwt.Parse([]byte(token), options...); err != nil {
			verdict = "refused: " + err.Error()
		}
		verdicts = append(verdicts, verdict)
	}
	return verdicts
}

func joseVerdicts(t *testing.T, f *fixture, tokens []string) (verdicts []string) {
	t.Helper()
	settings, err := json.Marshal(map[string]any{"keySet": json.RawMessage(publicKeySet()),
		"issuers": f.options.Issuers, "audience": testProject,
		"now": f.clock.Now().Unix(), "tokens": tokens})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "node", "jose.mjs")
	command.Dir, command.Stdin = "../acceptance", bytes.NewReader(settings)
	var stderr strings.Builder
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v: run make acceptance once\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(output, &verdicts); err != nil || len(verdicts) != len(tokens) {
		t.Fatalf("jose.mjs: %d verdicts on %d tokens, %v", len(verdicts), len(tokens), err)
	}
	return verdicts
}

// publicKeySet returns the fixture's, without certificates that are none.
func publicKeySet() string {
	return keySetOf(jwk(testKid, keyOne()).with(object{"x5c": absent, "x5tS256": absent}))
}
