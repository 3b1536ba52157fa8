package auth

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
)

// headerOf returns a good token but for its header, with a signature that is good.
func (f *fixture) headerOf(header string) string { return sign(header, f.claims().json(), keyOne()) }

func TestHeaderTricksAreRefused(t *testing.T) {
	f := newFixture(t)
	good := f.token(nil)
	parts := strings.Split(good, ".")
	unsigned := func(alg string) string {
		return encode(f.header().with(object{"alg": alg}).json()) + "." + parts[1] + "."
	}
	for _, tt := range []struct{ name, token, reason string }{
		{"none without signature", unsigned("none"), "not three parts"},
		{"None", unsigned("None"), "not three parts"},
		{"NONE", unsigned("NONE"), "not three parts"},
		{"nOnE", unsigned("nOnE"), "not three parts"},
		{"none with the signature kept", unsigned("none") + parts[2], "alg"},
		{"nOnE with the signature kept", unsigned("nOnE") + parts[2], "alg"},
		{"none, signed", f.headerOf(f.header().with(object{"alg": "none"}).json()), "alg"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.accepts(t, good)
			f.refuses(t, tt.token, tt.reason)
		})
	}

	type change struct {
		name    string
		changes object
		reason  string
	}
	cases := []change{
		{"no typ", object{"typ": absent}, ""},
		{"typ is null", object{"typ": nil}, "typ"},
		{"typ is an array", object{"typ": []string{"JWT"}}, "typ"},
		{"typ is empty", object{"typ": ""}, "typ"},
		{"alg missing", object{"alg": absent}, "alg"},
		{"kid missing", object{"kid": absent}, "kid"},
		{"unknown kid", object{"kid": "jwk-test-2"}, "unknown kid"},
		{"kid of another letter case", object{"kid": strings.ToUpper(testKid)}, "unknown kid"},
		{"kid of 128 characters", object{"kid": strings.Repeat("k", 128)}, "unknown kid"},
		{"kid of 129 characters", object{"kid": strings.Repeat("k", 129)}, "kid"},
		{"a member of no known name", object{"a b\n\u202e": 1}, `header_member a b\n\u202e`},
		{"two of them", object{"x5u": 1, "jku": 1}, "header_member jku"},
		{"Alg", object{"Alg": "RS256"}, "header_member Alg"},
	}
	for _, typ := range []string{"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"} {
		cases = append(cases, change{"typ " + typ, object{"typ": typ}, ""})
	}
	for _, typ := range []string{"logout+jwt", "dpop+jwt", "id_token", "JOSE", "application/jwt", "JWT ",
		"at+jwt;x=1"} {
		cases = append(cases, change{"typ " + typ, object{"typ": typ}, "typ"})
	}
	for _, alg := range []any{"rs256", "RS256 ", "RS384", "RS512", "PS256", "ES256", "EdDSA", "HS256", "none", "",
		[]string{"RS256"}, 256, nil, true, object{"RS256": 1}} {
		cases = append(cases, change{"alg", object{"alg": alg}, "alg"})
	}
	for _, kid := range []any{"", 1, nil, []string{testKid}, "../../etc/passwd", "file:///dev/null", testKid + "\x00",
		testKid + "\r\nX: y",
		"' OR 1=1 --", "$(id)", "https://evil.example/jwks", testKid + "\n", " " + testKid, "jwk‐test‐1"} {
		cases = append(cases, change{"kid", object{"kid": kid}, "kid"})
	}
	own := jwk("own", keyOne())
	for name, values := range map[string][]any{
		"crit": {[]string{"x"}, []string{}, []string{"exp"}, []string{"b64"}, nil}, "b64": {true, false},
		"jku": {"https://evil.example/jwks"}, "x5u": {"https://evil.example/cert"}, "x5c": {[]string{"MIIC"}},
		"x5t": {"x"}, "x5t#S256": {"x"},
		"jwk": {own}, "zip": {"DEF"}, "cty": {"JWT"}, "enc": {"A256GCM"}, "p2c": {1000000000}, "epk": {own},
		"nonce": {"n"}, "url": {"x"}, "iss": {testIssuer},
	} {
		for _, value := range values {
			cases = append(cases, change{name, object{name: value}, "header_member " + name})
		}
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			f.accepts(t, good)
			token := f.headerOf(f.header().with(tt.changes).json())
			if tt.reason == "" {
				f.accepts(t, token)
			} else {
				f.refuses(t, token, tt.reason)
			}
		})
	}
	// Only the one unknown kid was a reason to ask the endpoint again.
	if hits := f.jwks.Hits(); hits != 2 {
		t.Errorf("%d fetches, want 2", hits)
	}
	if strings.Contains(f.log.String(), "evil") {
		t.Error("a header's value is in the log")
	}
}

// Signatures by what is not our private key, with a header that is as it should be.
func TestForeignSignaturesAreRefused(t *testing.T) {
	f := newFixture(t)
	f.accepts(t, f.token(nil))
	parts := strings.Split(f.token(nil), ".")
	input := parts[0] + "." + parts[1]
	public := keyOne().Public().(*rsa.PublicKey)
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string][]byte{
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "DER": der,
		"PKCS 1": x509.MarshalPKCS1PublicKey(public),
		"JWK":    []byte(jwk(testKid, keyOne()).json()), "modulus": public.N.Bytes(), "empty": nil,
	} {
		for alg, reason := range map[string]string{"HS256": "alg", "RS256": "signature length"} {
			input := encode(f.header().with(object{"alg": alg}).json()) + "." + parts[1]
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(input))
			t.Run(name+" as the secret of "+alg, func(t *testing.T) {
				f.refuses(t, input+"."+encode(mac.Sum(nil)),
					reason)
			})
		}
	}

	hash, hash384 := sha256.Sum256([]byte(input)), sha512.Sum384([]byte(input))
	pkcs := func(key *rsa.PrivateKey, of crypto.Hash, hash []byte) []byte {
		signature, err := rsa.SignPKCS1v15(nil, key, of, hash)
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	good := pkcs(keyOne(), crypto.SHA256, hash[:])
	pss, err := rsa.SignPSS(rand.Reader, keyOne(), crypto.SHA256, hash[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	f.accepts(t, input+"."+encode(good))
	flipped := append([]byte{}, good...)
	flipped[128] ^= 1
	for _, tt := range []struct {
		name, reason string
		signature    []byte
	}{
		{"another key", "signature", pkcs(keyTwo(), crypto.SHA256, hash[:])},
		{"SHA-384", "signature", pkcs(keyOne(), crypto.SHA384, hash384[:])},
		{"PSS", "signature", pss},
		{"one bit", "signature", flipped},
		{"all zero", "signature", make([]byte, 256)},
		{"one zero byte in front", "signature length", append([]byte{0}, good...)},
		{"one byte behind", "signature length", append(append([]byte{}, good...), 0)},
		{"one byte short", "signature length", good[:255]},
		{"one byte", "signature length", good[:1]},
	} {
		t.Run(tt.name, func(t *testing.T) { f.refuses(t, input+"."+encode(tt.signature), tt.reason) })
	}
	t.Run("payload of another token", func(t *testing.T) {
		other := strings.Split(f.token(object{"sub": "member-test-0"}), ".")
		f.refuses(t, parts[0]+"."+other[1]+"."+parts[2], "signature")
	})
	t.Run("embedded key that signed it", func(t *testing.T) {
		header := f.header().with(object{"jwk": jwk(testKid, keyTwo())}).json()
		f.refuses(t, sign(header, f.claims().json(), keyTwo()), "header_member jwk")
	})
}

// Each token has one spelling; whatever else verifies elsewhere is refused for its form.
func TestOneSpellingPerToken(t *testing.T) {
	f := newFixture(t)
	good := f.token(nil)
	f.accepts(t, good)
	parts := strings.Split(good, ".")

	refused := 0
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		changed := good[:len(good)-1] + string(c)
		a, _ := base64.RawURLEncoding.DecodeString(parts[2])
		b, _ := base64.RawURLEncoding.DecodeString(strings.Split(changed, ".")[2])
		if changed != good && string(a) == string(b) {
			refused++
			f.refuses(t, changed, "not canonical base64url")
		}
	}
	if refused != 15 {
		t.Errorf("%d other spellings of the last character, want 15", refused)
	}
	for cut := 1; cut <= 10; cut++ {
		if _, err := f.Verify(t.Context(), good[:len(good)-cut]); Reason(err) != "signature length" &&
			Reason(err) != "not canonical base64url" {
			t.Errorf("%d characters cut off: %v", cut, err)
		}
	}
	const form, count = "not canonical base64url", "not three parts"
	for _, tt := range []struct{ name, token, reason string }{
		{"padding", good + "==", form}, {"one padding", good + "=", form},
		{"padding inside", parts[0] + "=." + parts[1] + "." + parts[2], form},
		{"space in front", " " + good, form}, {"space behind", good + " ", form}, {"tab", good + "\t", form},
		{"newline in front", "\n" + good, form}, {"newline behind", good + "\n", form}, {"CRLF behind", good + "\r\n",
			form},
		{"newline in the header", parts[0][:4] + "\n" + parts[0][4:] + "." + parts[1] + "." + parts[2], form},
		{"newline in the payload", parts[0] + "." + parts[1][:4] + "\r\n" + parts[1][4:] + "." + parts[2], form},
		{"newline in the signature", good[:len(good)-4] + "\n" + good[len(good)-4:], form},
		{"standard alphabet", parts[0] + "." + parts[1] + "." + strings.NewReplacer("-", "+", "_",
			"/").Replace(parts[2]), form},
		{"slash", good[:len(good)-4] + "/" + good[len(good)-3:], form},
		{"NUL", good + "\x00", form}, {"not ASCII", good + "é", form},
		{"full-width letter", good[:len(good)-2] + "Ａ", form},
		{"one part", parts[0], count}, {"two parts", parts[0] + "." + parts[1], count}, {"four parts", good + ".AAAA",
			count},
		{"five parts", good + ".AAAA.AAAA", count}, {"trailing dot", good + ".", count}, {"leading dot", "." + good,
			count},
		{"empty header", "." + parts[1] + "." + parts[2], count}, {"empty payload", parts[0] + ".." + parts[2], count},
		{"two dots", "..", count}, {"one dot", ".", count}, {"only dots", strings.Repeat(".", 8192), count},
		{"flattened JSON", `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] +
			`"}`, count},
		{"with the scheme", "Bearer " + good, form}, {"twice", good + "," + good, count},
		{"8,193 bytes", good + strings.Repeat("A", 8193-len(good)), "length"}, {"1 MB", strings.Repeat("A", 1<<20),
			"length"},
		{"a million dots", strings.Repeat(".", 1e6), "length"}, {"empty", "", "length"},
	} {
		t.Run(tt.name, func(t *testing.T) { f.refuses(t, tt.token, tt.reason) })
	}

	t.Run("8,192 bytes are accepted", func(t *testing.T) {
		pad := 5000
		for ; len(f.token(object{"pad": strings.Repeat("x", pad)})) < maxToken-3; pad++ {
		}
		token := f.token(object{"pad": strings.Repeat("x", pad)})
		if len(token) > maxToken {
			t.Fatalf("%d bytes", len(token))
		}
		f.accepts(t, token)
		f.refuses(t, f.token(object{"pad": strings.Repeat("x", pad+6)}), "length")
	})
	t.Run("junk costs three allocations, for the error", func(t *testing.T) {
		junk := strings.Repeat("A", 1<<20)
		if n := testing.AllocsPerRun(100, func() { f.Verify(t.Context(), junk) }); n > 3 {
			t.Errorf("%v allocations", n)
		}
	})
}

// The texts have a good signature: only the strict reading of JSON refuses them.
func TestJSONIsReadStrictly(t *testing.T) {
	f := newFixture(t)
	header, payload := f.header().json(), f.claims().json()
	f.accepts(t, sign(header, payload, keyOne()))
	f.accepts(t, sign(header, "\t"+payload+" ", keyOne()))
	in := func(text, member string) string { return "{" + member + "," + text[1:] }
	for _, tt := range []struct {
		name   string
		change func(text string) string
	}{
		{"byte order mark", func(s string) string { return "\ufeff" + s }},
		{"invalid UTF-8 in a value", func(s string) string { return in(s, "\"x\":\"\xff\"") }},
		{"overlong UTF-8", func(s string) string { return in(s, "\"x\":\"\xc0\xaf\"") }},
		{"surrogate in UTF-8", func(s string) string { return in(s, "\"x\":\"\xed\xa0\x80\"") }},
		{"invalid UTF-8 behind", func(s string) string { return s + "\xff" }},
		{"surrogate in a name", func(s string) string { return in(s, `"\udfff":1`) }},
		{"something behind", func(s string) string { return s + "{}" }},
		{"a comma behind", func(s string) string { return s + "," }},
		{"a brace behind", func(s string) string { return s + "}" }},
		{"cut off", func(s string) string { return s[:len(s)-1] }},
		{"an array around", func(s string) string { return "[" + s + "]" }},
		{"a string around", func(string) string { return `"x"` }},
		{"null", func(string) string { return `null` }},
		{"nothing but space", func(string) string { return ` ` }},
		{"trailing comma", func(s string) string { return s[:len(s)-1] + ",}" }},
		{"comment", func(s string) string { return s + "//" }},
		{"single quotes", func(s string) string { return in(s, `'x':1`) }},
		{"NaN", func(s string) string { return in(s, `"x":NaN`) }},
		{"control character", func(s string) string { return in(s, "\"x\":\"\x01\"") }},
		{"unclosed nesting", func(s string) string { return in(s, `"x":`+strings.Repeat("[", 3000)) }},
		{"member twice", func(s string) string { return in(s, `"x":1,"x":1`) }},
		{"member twice, once escaped", func(s string) string { return in(s, `"x":1,"\u0078":1`) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.refuses(t, sign(header, tt.change(payload), keyOne()), "payload")
			f.refuses(t, sign(tt.change(header), payload, keyOne()), "header")
		})
	}
	for name, value := range map[string]string{"sub": `"` + testMember + `"`, "\\u0073ub": `"` + testMember + `"`,
		"scope": `"openid"`, "aud": `"` + testProject + `"`, "\\u0061ud": `[]`, "exp": "9", "e\\u0078p": "9",
		"iss": `"` + testIssuer + `"`} {
		t.Run("claim twice "+name,
			func(t *testing.T) { f.refuses(t, sign(header, in(payload, `"`+name+`":`+value), keyOne()), "payload") })
	}
	for name, value := range map[string]string{"alg": "RS256", "al\\u0067": "none", "kid": testKid,
		"\\u006bid": testKid, "typ": "JWT"} {
		t.Run("header twice "+name, func(t *testing.T) {
			f.refuses(t, sign(in(header, `"`+name+`":"`+value+`"`), payload, keyOne()), "header")
		})
	}
	t.Run("an escaped name is the same name", func(t *testing.T) {
		f.accepts(t, sign(strings.Replace(header, `"kid"`, `"\u006bid"`, 1), payload, keyOne()))
	})
}

// What nobody reads only has to be JSON: in a claim of a template, in a header member that
// is tolerated, in a key document.
func TestWhatIsNotReadDoesNotCount(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.HeaderMembers = []string{"x"} })
	header, payload := f.header().json(), f.claims().json()
	nest := func(n int, open, inside, end string) string {
		return strings.Repeat(open, n) + inside + strings.Repeat(end, n)
	}
	groups := make([]string, 300)
	for i := range groups {
		groups[i] = fmt.Sprintf("group-%d", i)
	}
	many := object{"x": groups}.json()
	for name, value := range map[string]string{
		"64 groups": object{"x": groups[:64]}.json()[5:], "65 groups": object{"x": groups[:65]}.json()[5:],
		"300 groups": many[5:],
	} {
		t.Run(name, func(t *testing.T) {
			f.accepts(t, sign(header, `{"https://acme.example/groups":`+value[:len(value)-1]+","+payload[1:], keyOne()))
		})
	}
	for name, value := range map[string]string{
		"nesting of 2,000 arrays": nest(2000, "[", "", "]"), "nesting of 500 objects": nest(500, `{"x":`, "1", "}"),
		"2,000 numbers": "[" + strings.Repeat("1,", 2000) + "1]", "500 members": "{" + strings.Repeat(`"x":1,`, 500) +
			`"y":1}`,
		"a number that no double holds": "1e400", "such a number, deeper": `[{"y":-1e309}]`,
		"a number of 30 digits": strings.Repeat("9", 30),
		"a number of 400 digits": strings.Repeat("9",
			400), "a small number": "1e-400", "names that differ in letter case": `{"Sub":1,"sub":2,"SUB":3}`,
		"a name twice": `{"sub":1,"sub":2}`, "a name twice, deeper": `[{"y":[{"z":1,"z":2}]}]`, "known names": payload,
		"a session":        `{"https://stytch.com/session":{}}`,
		"half a character": `"cut off \ud83d"`, "the other half": `"\uDC00"`, "a whole one": `"\uD83D\ude00"`,
		"half a character as a name": `{"\ud800":1,"\ud801":2}`,
		"NUL":                        `"\u0000"`, "null": "null", "nothing": `""`, "no groups": "[]",
		"no name": `{"":1}`,
		"U+FFFD":  "\"\ufffd\"",
	} {
		t.Run(name, func(t *testing.T) {
			f.accepts(t, sign(header, `{"x":`+value+","+payload[1:], keyOne()))
			f.accepts(t, sign(header, payload[:len(payload)-1]+`,"":`+value+"}", keyOne()))
			// jwx reads the header as well, numbers as doubles
			if len(value) < 400 && !strings.Contains(value, "e4") && !strings.Contains(value, "e309") {
				f.accepts(t, sign(`{"x":`+value+","+header[1:], payload, keyOne()))
			}
			keys, skipped, err := parseKeySet([]byte(`{"x":` + value + `,"keys":[{"x":` + value + "," +
				jwk(testKid, keyOne()).json()[1:] + "]}"))
			if err != nil || len(keys) != 1 || len(skipped) != 0 {
				t.Errorf("in a key document: %d keys, skipped %q, %v", len(keys), skipped, err)
			}
		})
	}
	inside := func(members string) string {
		return object(f.claims()).with(object{organizationClaim: json.RawMessage("{" + members + "}")}).json()
	}
	t.Run("beside the organization's id", func(t *testing.T) {
		f.accepts(t, sign(header, inside(`"organization_id":"`+testOrg+
			`","slug":[[[[[[[[[1e400]]]]]]]]],"Organization_ID":"x"`), keyOne()))
	})
	t.Run("but its id is read", func(t *testing.T) {
		f.refuses(t, sign(header, inside(`"organization_id":"`+testOrg+`","organization_id":"`+testOrg+`"`), keyOne()),
			"organization")
		f.refuses(t, sign(header, inside(`"organization_id":"`+testOrg+`","organization\u005fid":"`+testOrg+`"`),
			keyOne()), "organization")
		f.refuses(t, sign(header, inside(`"organization_id":"organization-test-\ud800"`), keyOne()), "organization")
	})
	t.Run("and a claim is given once", func(t *testing.T) {
		f.refuses(t, sign(header, `{"groups":1,"groups":2,`+payload[1:], keyOne()), "payload")
	})
	for name, value := range map[string]string{"sub": `"member-test-\ud800"`, "iss": `"` + testIssuer + `\ud800"`,
		"jti": `"\udc00"`, "client_id": `"connected-app-test-\ud800"`, "aud": `["` + testProject + `","\ud800"]`} {
		t.Run("half a character in "+name,
			func(t *testing.T) { f.refuses(t, f.token(object{name: json.RawMessage(value)}), name) })
	}
}

// The gate's reading of one part is that of the strict decoder, line breaks aside.
func TestCanonicalBase64IsTheStrictOne(t *testing.T) {
	if canonicalBase64("") {
		t.Error("nothing is canonical")
	}
	for length := 1; length <= 8; length++ {
		for c := range 256 {
			part := strings.Repeat("A", length-1) + string([]byte{byte(c)})
			_, err := base64.RawURLEncoding.Strict().DecodeString(part)
			if want := err == nil && c != '\r' && c != '\n'; canonicalBase64(part) != want {
				t.Errorf("canonicalBase64(%q) = %t", part, !want)
			}
		}
	}
}

func TestConfiguredHeaderMembersAreTolerated(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.HeaderMembers = []string{"x5t", "env"} })
	f.accepts(t, f.headerOf(f.header().with(object{"x5t": "x", "env": 1}).json()))
	f.refuses(t, f.headerOf(f.header().with(object{"x5t": "x", "jku": 1}).json()), "header_member jku")
}
