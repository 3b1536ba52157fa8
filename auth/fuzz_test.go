package auth

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever a header holds, a token comes out only whole and in RFC 6750 characters.
func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"Bearer abc.def", "bearer  x", "Bearer", "Bearer =", "Basic x", "Bearer a,b", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, err := bearer(header)
		if (token == "") != (err != nil) {
			t.Fatalf("bearer = %q, %v", token, err)
		}
		if err != nil {
			return
		}
		if !strings.EqualFold(header, "bearer "+token) || strings.ContainsAny(token, " \t\r\n,\"") ||
			strings.Trim(token, "=") == "" {
			t.Fatalf("bearer(%q) = %q", header, token)
		}
	})
}

// Whatever is signed, what is accepted obeys the rules as encoding/json reads it.
func FuzzClaims(f *testing.F) {
	fix := newFixture(f)
	good := fix.claims().json()
	for _, seed := range []string{good, good[:len(good)-1], `{"Sub":"x"}`, `{"a":[[[[[[[[[1]]]]]]]]]}`,
		`{"a":"\ud800"}`, "{\"a\":\"\xff\"}",
		`{"groups":[1e400,{"sub":1,"sub":2}],` + good[1:], `{"exp":1e400,` + good[1:], `{"\ud800":1,` + good[1:],
		strings.Replace(good, `"sub"`, `"\u0073ub"`, 1), `[1}`, `{"a":1,}`, good + good} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		identity, err := fix.identity(payload, testEpoch)
		if err != nil {
			if identity.Subject != "" || identity.Owner() != "" || identity.Scopes.names != nil {
				t.Fatalf("an identity with the refusal: %+v", identity)
			}
			return
		}
		var read struct {
			Sub    string `json:"sub"`
			Client string `json:"client_id"`
			Exp    int64  `json:"exp"`
			Issuer string `json:"iss"`
		}
		if err := json.Unmarshal(payload, &read); err != nil || !utf8.Valid(payload) {
			t.Fatalf("accepted %q, which is not JSON: %v", payload, err)
		}
		if read.Sub != identity.Subject || read.Client != identity.ClientID || read.Exp != identity.ExpiresAt.Unix() ||
			!slices.Contains(fix.options.Issuers, read.Issuer) ||
			!strings.HasPrefix(identity.Subject, "member-test-") || !strings.HasPrefix(identity.OrganizationID,
			"organization-test-") || !identity.ExpiresAt.Add(Skew).After(testEpoch) {
			t.Fatalf("accepted %q as %+v", payload, identity)
		}
	})
}

// Nothing that is not the good token gets in without its signature.
func FuzzGate(f *testing.F) {
	fix := newFixture(f)
	good := fix.token(nil)
	parts := strings.Split(good, ".")
	if _, err := fix.Verify(f.Context(), good); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{good, good + "=", good[:len(good)-1] + "B", parts[0] + "." + parts[1] + ".",
		encode(`{"alg":"none"}`) + "." + parts[1] + "." + parts[2],
		encode(`{"alg":"RS256","kid":"jwk-test-1","crit":["x"]}`) + "." + parts[1] + "." + parts[2], "..", "\n" +
			good} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := fix.Verify(t.Context(), token); err == nil && token != good {
			t.Fatalf("accepted %q", token)
		}
		if split, err := splitCompact(token); err == nil {
			decoded, err := decodeParts(split)
			if err != nil || encode(decoded.header)+"."+encode(decoded.payload)+"."+encode(decoded.signature) != token {
				t.Fatalf("%q has another spelling, %v", token, err)
			}
			fix.checkHeader(decoded.header)
		}
	})
}

// Whatever the endpoint sends, a key that is used obeys the rules.
func FuzzKeySet(f *testing.F) {
	good := jwk(testKid, keyOne())
	for _, seed := range []string{keySetOf(good), keySetOf(good, good), keySetOf(good.with(object{"e": "AQ"})),
		keySetOf(good.with(object{"n": ""})),
		`{"keys":[]}`, `{"keys":[null]}`, "<html>", keySetOf(good.with(object{"d": "x"}))} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		keys, _, err := parseKeySet(document)
		if (len(keys) == 0) != (err != nil) || len(keys) > 16 {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for kid, key := range keys {
			if !idPattern.MatchString(kid) || key.E != 65537 || key.N.BitLen() < 2048 || key.N.BitLen() > 4096 ||
				key.N.Bit(0) == 0 {
				t.Fatalf("key %q: %v", kid, key)
			}
		}
	})
}
