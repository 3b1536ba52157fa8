package server_test

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"strings"

	"guestpass/stytchtest"
)

// numeric returns a JSON number as it is written.
func numeric(text string) json.RawMessage { return json.RawMessage(text) }

// each makes an attack of one row for every value of a claim, signed as it should be.
func (a *target) each(row int, claim, want string, values ...any) (list []attack) {
	for _, value := range values {
		what := fmt.Sprintf("%s %.60q", claim, fmt.Sprint(value))
		if value == any(removed) {
			what = claim + " missing"
		}
		list = append(list, attack{row: row, what: what, want: want, token: a.bad(object{claim: value})})
	}
	return list
}

// eachHeader returns each for a member of the header.
func (a *target) eachHeader(row int, member, want string, values ...any) (list []attack) {
	for _, value := range values {
		what := fmt.Sprintf("%s %.60q", member, fmt.Sprint(value))
		if value == any(removed) {
			what = member + " missing"
		}
		list = append(list, attack{row: row, what: what, want: want, token: a.headed(object{member: value})})
	}
	return list
}

// algorithmAttacks are rows 01 to 08: signatures by another algorithm, or by none.
func (a *target) algorithmAttacks() (list []attack) {
	payload := base64url(a.claims().json())
	input := func(alg any) string { return base64url(a.header().with(object{"alg": alg}).json()) + "." + payload }
	add := func(row int, what, token string) {
		list = append(list, attack{row: row, what: what, want: invalidToken, token: token})
	}
	kept := strings.Split(a.good(), ".")[2]
	for i, alg := range []string{"none", "None", "NONE", "nOnE"} {
		add(min(i+1, 2), alg+" without a signature", input(alg)+".")
		add(min(i+1, 2), alg+" without its dot", input(alg))
		add(3, alg+" with the signature kept", input(alg)+"."+kept)
		add(3, alg+", signed", a.headed(object{"alg": alg}))
	}
	public := &ownKey().PublicKey
	spki, _ := x509.MarshalPKIXPublicKey(public)
	pkcs1 := x509.MarshalPKCS1PublicKey(public)
	secrets := map[string][]byte{"DER": spki, "PKCS #1": pkcs1, "JWK": []byte(jwk(ownKid, ownKey()).json()),
		"modulus":              public.N.Bytes(),
		"modulus as base64url": []byte(base64url(public.N.Bytes())),
		"PEM":                  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}),
		"PEM without its last newline": bytes.TrimSpace(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY",
			Bytes: spki})),
		"PKCS #1 as PEM": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1})}
	for name, secret := range secrets {
		add(4, "HS256 with the public key as "+name, input("HS256")+"."+base64url(mac(secret, input("HS256"))))
	}
	for _, alg := range []string{"HS256", "RS256"} {
		add(5, alg+" over an HMAC with the empty key", input(alg)+"."+base64url(mac(nil, input(alg))))
	}
	for name, signature := range foreignSignatures(input) {
		alg, _, _ := strings.Cut(name, " ")
		add(6, name, input(alg)+"."+base64url(signature))
	}
	for _, alg := range []any{"rs256", "Rs256", "RS256 ", " RS256", "RS256\x00", "ＲＳ256", []string{"RS256"}, 256,
		nil,
		true, "", object{"RS256": 1}, removed} {
		list = append(list, a.eachHeader(7, "alg", invalidToken, alg)...)
	}
	for _, member := range []string{`"alg":"RS256"`, `"alg":"none"`, `"\u0061lg":"RS256"`, `"kid":"` + ownKid + `"`,
		`"kid":"other"`, `"k\u0069d":"other"`, `"typ":"JWT"`} {
		header := a.header().json()
		add(8, "twice "+member+" in front", signed("{"+member+","+header[1:], a.claims().json(), ownKey()))
		add(8, "twice "+member+" behind", signed(header[:len(header)-1]+","+member+"}", a.claims().json(), ownKey()))
	}
	return list
}

func mac(secret []byte, input string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(input))
	return h.Sum(nil)
}

// foreignSignatures returns those of other algorithms, each good in its own, by the
// algorithm that the header is to name.
func foreignSignatures(input func(alg any) string) map[string][]byte {
	must := func(signature []byte, err error) []byte {
		if err != nil {
			panic(err) // keys and hashes are fixed
		}
		return signature
	}
	h256 := func(alg string) []byte { h := sha256.Sum256([]byte(input(alg))); return h[:] }
	h384, h512 := sha512.Sum384([]byte(input("RS384"))), sha512.Sum512([]byte(input("RS512")))
	hidden := sha512.Sum384([]byte(input("RS256")))
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return map[string][]byte{
		"RS384 signed as such":         must(rsa.SignPKCS1v15(nil, ownKey(), crypto.SHA384, h384[:])),
		"RS512 signed as such":         must(rsa.SignPKCS1v15(nil, ownKey(), crypto.SHA512, h512[:])),
		"PS256 signed as such":         must(rsa.SignPSS(rand.Reader, ownKey(), crypto.SHA256, h256("PS256"), nil)),
		"ES256 signed as such":         must(ecdsa.SignASN1(rand.Reader, curve, h256("ES256"))),
		"EdDSA signed as such":         ed25519.Sign(edwards, []byte(input("EdDSA"))),
		"RS384 over a signature RS256": must(rsa.SignPKCS1v15(nil, ownKey(), crypto.SHA256, h256("RS384"))),
		"PS256 over a signature RS256": must(rsa.SignPKCS1v15(nil, ownKey(), crypto.SHA256, h256("PS256"))),
		"RS256 over a signature RS384": must(rsa.SignPKCS1v15(nil, ownKey(), crypto.SHA384, hidden[:])),
		"RS256 over a signature PS256": must(rsa.SignPSS(rand.Reader, ownKey(), crypto.SHA256, h256("RS256"), nil)),
		"RS256 over another key's":     must(rsa.SignPKCS1v15(nil, foreignKey(), crypto.SHA256, h256("RS256"))),
		"RS256 over zeros":             make([]byte, 256),
		"RS256 over one byte too many": append([]byte{0},
			must(rsa.SignPKCS1v15(nil, ownKey(), crypto.SHA256, h256("RS256")))...),
		"RS256 over one byte too few":    must(rsa.SignPKCS1v15(nil, ownKey(), crypto.SHA256, h256("RS256")))[:255],
		"RS256 over the digest in clear": h256("RS256"),
	}
}

// headerAttacks are rows 09 to 19: members of the header that lead elsewhere. foreign is
// the URL of a host that must never be asked.
func (a *target) headerAttacks(foreign string) (list []attack) {
	list = append(list, a.eachHeader(9, "kid", invalidToken, "jwk-test-unknown", strings.ToUpper(ownKid), ownKid+"0",
		strings.Repeat("k", 128))...)
	list = append(list, a.eachHeader(10, "kid", invalidToken, removed, "", 1, nil, []string{ownKid}, true)...)
	list = append(list, a.eachHeader(11, "kid", invalidToken, "../../etc/passwd", "../../../../../../dev/null",
		"file:///etc/passwd", ownKid+"\x00", ownKid+"\x00.pem", "/proc/self/environ", `..\..\windows\win.ini`)...)
	list = append(list, attack{row: 11, what: "kid of 1 MB", want: tooLarge, raw: func(write func(string)) {
		write("Authorization: Bearer " + base64url(a.header().with(object{"kid": strings.Repeat("k", 1<<20)}).json()) +
			".e30.AAAA")
	}})
	list = append(list, a.eachHeader(12, "kid", invalidToken, "' OR '1'='1", "x' UNION SELECT 'key", "$(id)", "`id`",
		"| cat", "{{7*7}}", ownKid+"\r\nX-Injected: 1",
		ownKid+"\n{\"level\":\"ERROR\",\"msg\":\"injected\"}", foreign)...)

	self := jwk("attacker", foreignKey())
	foreignSigned := func(row int, what string, header object) {
		list = append(list, attack{row: row, what: what, want: invalidToken,
			token: signed(a.header().with(header).json(), a.claims().json(), foreignKey())},
			attack{row: row, what: what + ", and our signature", want: invalidToken, token: a.headed(header)})
	}
	for _, path := range []string{"/jwks", "/.well-known/jwks.json#" + a.authority.URL, "/?" + a.authority.URL} {
		foreignSigned(13, "jku "+path, object{"jku": foreign + path})
	}
	foreignSigned(13, "jku and a kid of its own", object{"jku": foreign + "/jwks", "kid": "attacker"})
	foreignSigned(13, "jku of our own authority", object{"jku": a.authority.URL + "/.well-known/jwks.json"})
	foreignSigned(14, "x5u", object{"x5u": foreign + "/cert.pem"})
	foreignSigned(14, "self-signed x5c", object{"x5c": []string{"MIIC"}})
	foreignSigned(14, "x5t", object{"x5t": base64url(strings.Repeat("x", 20))})
	foreignSigned(14, "x5t#S256", object{"x5t#S256": base64url(strings.Repeat("x", 32))})
	foreignSigned(15, "embedded jwk", object{"jwk": self})
	foreignSigned(15, "embedded jwk with our kid", object{"jwk": self.with(object{"kid": ownKid})})
	foreignSigned(15, "embedded jwk and its kid", object{"jwk": self, "kid": "attacker"})

	list = append(list, a.eachHeader(16, "crit", invalidToken, []string{"x"}, []string{}, []string{"exp"},
		[]string{"absent"}, []string{"alg"}, nil, "exp", true)...)
	list = append(list, attack{row: 16, what: "crit with what it names", want: invalidToken,
		token: a.headed(object{"crit": []string{"x"}, "x": 1})})
	list = append(list, a.eachHeader(17, "b64", invalidToken, false, true, "false")...)
	for _, b64 := range []bool{false, true} {
		list = append(list, attack{row: 17, what: fmt.Sprint("b64 in crit, ", b64), want: invalidToken,
			token: a.headed(object{"b64": b64, "crit": []string{"b64"}})})
	}
	list = append(list, a.eachHeader(18, "typ", invalidToken, "logout+jwt", "dpop+jwt", "id_token", "JOSE",
		"secevent+jwt", "application/jwt", "JWT ", "at+jwt;x=1", "", nil, 1, []string{"JWT"})...)
	list = append(list, a.eachHeader(18, "typ", accepted, "JWT", "jwt", "at+jwt", "application/at+jwt", removed)...)
	list = append(list, a.eachHeader(19, "cty", invalidToken, "JWT", "jwt", "")...)
	nested := a.good()
	return append(list, attack{row: 19, what: "a token in a token", want: invalidToken, token: a.payload(nested)},
		attack{row: 19, what: "a token in a token with cty", want: invalidToken,
			token: signed(a.header().with(object{"cty": "JWT"}).json(), nested, ownKey())},
		attack{row: 19, what: "a token as a JSON string", want: invalidToken, token: a.payload(`"` + nested + `"`)})
}

// formAttacks are rows 20, 21, 44 to 46, 48 and 49: other spellings and sizes.
func (a *target) formAttacks() (list []attack) {
	good := a.good()
	parts := strings.Split(good, ".")
	add := func(row int, what, want, token string) {
		list = append(list, attack{row: row, what: what, want: want, token: token})
	}
	var bomb bytes.Buffer
	deflate, _ := flate.NewWriter(&bomb, flate.BestCompression)
	_, _ = deflate.Write(bytes.Repeat([]byte(" "), 4<<20))
	_ = deflate.Close()
	encrypted := base64url(`{"alg":"RSA-OAEP","enc":"A256GCM","zip":"DEF"}`)
	add(20, "zip DEF", invalidToken, a.headed(object{"zip": "DEF"}))
	add(20, "zip over a bomb", invalidToken, signed(a.header().with(object{"zip": "DEF"}).json(), bomb.String(),
		ownKey()))
	add(20, "five parts of a JWE", invalidToken, encrypted+".AAAA.AAAA.AAAA.AAAA")
	add(20, "a JWE around a bomb", invalidToken, encrypted+".AAAA.AAAA."+base64url(bomb.Bytes())[:5000]+".AAAA")
	add(20, "a JWE with PBES2 and a billion rounds", invalidToken,
		base64url(`{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":1000000000,"p2s":"AAAA"}`)+".AAAA.AAAA.AAAA.AAAA")

	flat := object{"protected": parts[0], "payload": parts[1], "signature": parts[2]}
	add(21, "flattened JSON", invalidCall, flat.json())
	add(21, "general JSON", invalidCall, object{"payload": parts[1],
		"signatures": []object{flat.with(object{"payload": removed})}}.json())
	add(21, "JSON with an unprotected header", invalidCall, flat.with(object{"header": object{"kid": "x"}}).json())
	add(21, "JSON as base64url", invalidToken, base64url(flat.json()))

	add(44, "8,193 bytes", invalidToken, good+strings.Repeat("A", 8193-len(good)))
	for what, junk := range map[string]string{"1 MB": strings.Repeat("A", 1<<20), "a million dots": strings.Repeat(".",
		1e6), "1 MB behind the good token": good + strings.Repeat("A", 1<<20)} {
		list = append(list, attack{row: 44, what: what, want: tooLarge,
			raw: func(write func(string)) { write("Authorization: Bearer " + junk) }})
	}
	add(44, "8,000 dots", invalidToken, strings.Repeat(".", 8000))
	nest := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	for _, depth := range []int{8, 9, 2500} { // inside the object
		add(45, fmt.Sprint("a claim that is not read, nested ", depth), accepted,
			a.bad(object{"x": numeric(nest(depth))}))
		add(45, fmt.Sprint("a claim that is read, nested ", depth), invalidToken,
			a.bad(object{"sub": numeric(nest(depth))}))
		add(45, fmt.Sprint("the organization, nested ", depth), invalidToken,
			a.bad(object{organizationClaim: numeric(nest(depth))}))
		add(45, fmt.Sprint("payload nested ", depth), invalidToken, a.payload(nest(depth)))
		add(45, fmt.Sprint("unclosed nesting ", depth), invalidToken, a.payload(`{"x":`+strings.Repeat("[", depth)))
		add(45, fmt.Sprint("header nested ", depth), invalidToken, a.headed(object{"x": numeric(nest(depth))}))
	}
	list = append(list, attack{row: 45, what: "payload nested a million times", want: tooLarge,
		raw: func(write func(string)) {
			write("Authorization: Bearer " + parts[0] + "." + base64url(nest(1e6)) + "." + parts[2])
		}})

	payload := a.claims().json()
	for what, text := range map[string]string{"byte order mark": "\ufeff" + payload,
		"invalid UTF-8": "{\"x\":\"\xff\"," + payload[1:], "overlong UTF-8": "{\"x\":\"\xc0\xaf\"," + payload[1:],
		"lone surrogate in a name": `{"\ud800":"x",` + payload[1:], "surrogate as UTF-8": "{\"x\":\"\xed\xa0\x80\"," +
			payload[1:],
		"UTF-16": "\xff\xfe{\x00}\x00", "something behind": payload + "{}", "garbage behind": payload + "x",
		"NUL behind": payload + "\x00", "cut off": payload[:len(payload)-1],
		"in an array": "[" + payload + "]", "null": "null", "a number": "1", "a comment": payload + "/**/",
		"a trailing comma": payload[:len(payload)-1] + ",}"} {
		add(46, "payload: "+what, invalidToken, a.payload(text))
		header := strings.ReplaceAll(text, payload[1:], a.header().json()[1:])
		if header != text && what != "something behind" {
			add(46, "header: "+what, invalidToken, signed(header, payload, ownKey()))
		}
	}
	for what, character := range map[string]string{"é": "é", "a zero-width space": "\u200b", "a byte 0xff": "\xff",
		"a full-width A": "Ａ"} {
		add(46, "token with "+what, invalidCall, good[:50]+character+good[50:])
	}
	return append(list, a.spellingAttacks(good, parts)...)
}

// spellingAttacks are rows 48 and 49.
func (a *target) spellingAttacks(good string, parts []string) (list []attack) {
	add := func(row int, what, want, token string) {
		list = append(list, attack{row: row, what: what, want: want, token: token})
	}
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(parts[2])
	if standard == parts[2] { // a signature without either is rare
		standard = "+/" + standard[2:]
	}
	for what, token := range map[string]string{"a space inside": good[:50] + " " + good[50:],
		"a tab inside":     good[:50] + "\t" + good[50:],
		"a space in front": " " + good, "a tab in front": "\t" + good, "= inside": parts[0] + "=." + parts[1] + "." +
			parts[2], "a comma": good + ",", "quotes": `"` + good + `"`} {
		add(48, what, invalidCall, token)
	}
	for what, token := range map[string]string{"= behind": good + "=", "== behind": good + "==",
		"the standard alphabet": parts[0] + "." + parts[1] + "." + standard,
		"~ inside":              parts[0] + ".~" + parts[1] + "." + parts[2], "one part": parts[0],
		"two parts": parts[0] + "." +
			parts[1], "four parts": good + "." + parts[2],
		"a dot behind": good + ".", "a dot in front": "." + good, "no header": "." + parts[1] + "." + parts[2],
		"no payload": parts[0] + ".." + parts[2],
		"two dots":   "..", "parts in another order": parts[1] + "." + parts[0] + "." + parts[2],
		"a header repeated": parts[0] + "." + parts[0] + "." + parts[2],
		"payload of another token": parts[0] + "." + base64url(a.claims().with(object{"sub": grace}).json()) + "." +
			parts[2],
		"header of another token": base64url(a.header().with(object{"typ": "at+jwt"}).json()) + "." + parts[1] + "." +
			parts[2],
		"a bit of the header's end": parts[0] + "A." + parts[1] + "." + parts[2], "upper case": strings.ToUpper(good)} {
		add(48, what, invalidToken, token)
	}
	// A signature of 256 bytes ends in a character with four unused bits.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, good[len(good)-1])
	for bits := 1; bits < 16; bits++ {
		add(49, fmt.Sprint("unused bits ", bits), invalidToken, good[:len(good)-1]+alphabet[last+bits:last+bits+1])
	}
	for cut := 1; cut <= 10; cut++ {
		add(49, fmt.Sprint(cut, " characters cut off"), invalidToken, good[:len(good)-cut])
	}
	return list
}

// claimAttacks are rows 22 to 33, 38 to 43, 47, 54 and 55: good signatures over claims
// that are not ours.
func (a *target) claimAttacks() (list []attack) {
	now := a.stytch.Now().Unix()
	at := func(row int, what, want string, claims object) {
		list = append(list, attack{row: row, what: what, want: want, token: a.bad(claims)})
	}
	for past, want := range map[int64]string{29: accepted, 30: invalidToken, 31: invalidToken, 3600: invalidToken} {
		row := 22
		if want == accepted {
			row = 23
		}
		at(row, fmt.Sprint("expired ", past, " s ago"), want, object{"iat": now - 3700, "nbf": now - 3700,
			"exp": now - past})
	}
	absurd := []any{removed, nil, "1893456000", numeric("-1"), 0, numeric("1e400"), numeric("1e18"),
		numeric("1000000000000000000"), numeric("99999999999999999999"),
		numeric(fmt.Sprint(now+3600, ".5")), numeric(fmt.Sprint(now+3600, ".0")), true, []int64{now + 3600}, object{},
		numeric("9223372036854775807")}
	list = append(list, a.each(24, "exp", invalidToken, absurd...)...)
	at(25, "lives 24 h and 1 s", invalidToken, object{"exp": now + 86401})
	at(25, "lives a year", invalidToken, object{"exp": now + 365*86400})
	at(25, "lives 8 h", accepted, object{"exp": now + 8*3600})
	at(25, "lives 24 h", accepted, object{"exp": now + 86400})
	list = append(list, a.each(26, "nbf", invalidToken, now+31, now+3600, nil, "1", 0, numeric("1.5"),
		numeric("9223372036854775807"), true)...)
	list = append(list, a.each(26, "nbf", accepted, now+30, now-3600, removed)...)
	list = append(list, a.each(27, "iat", invalidToken, now+31, now+1800, now+3600, now+3601, removed, nil, "1", 0,
		numeric("1e9"), 1)...)
	list = append(list, a.each(27, "iat", accepted, now+30)...)

	iss := a.authority.URL
	project := stytchtest.Development().Project.ID
	list = append(list, a.each(28, "iss", invalidToken, "https://evil.customers.stytch.dev", iss[:len(iss)-1], iss+"0",
		iss+"/", " "+iss, iss+"\x00", strings.ToUpper(iss), strings.Replace(iss, "http:", "https:", 1),
		strings.ReplaceAll(iss, ".", "．"), strings.Replace(iss, "://", "://evil@", 1), iss+".evil.example", iss+"#",
		[]string{iss}, removed, "", nil, 1, object{"iss": iss})...)
	list = append(list, a.each(28, "iss", accepted, "stytch.com/"+project)...)
	other := "project-test-99999999-9999-4999-8999-999999999999"
	live := strings.Replace(project, "-test-", "-live-", 1)
	list = append(list, a.each(29, "iss", invalidToken, "stytch.com/"+other, "stytch.com/"+live,
		"stytch.com/"+project+"/", "stytch.com", "https://stytch.com/"+project)...)
	at(29, "another project", invalidToken, object{"iss": "stytch.com/" + other, "aud": []string{other}})
	at(29, "the live project", invalidToken, object{"iss": "stytch.com/" + live, "aud": []string{live}})
	at(29, "a live member", invalidToken, object{"sub": strings.Replace(ada, "-test-", "-live-", 1)})

	client := a.claims()["client_id"].(string)
	list = append(list, a.each(30, "aud", invalidToken, []string{"other"}, "other", project[:len(project)-1],
		project+"0", strings.ToUpper(project), []string{}, removed, 1, nil, "", object{project: true},
		[]any{[]string{project}}, []any{project, 1}, []any{project, nil}, other, live, client)...)
	list = append(list, a.each(31, "aud", invalidToken, []string{project, "https://other.example"},
		[]string{"https://other.example", project}, []string{project, project}, []string{project, ""},
		[]string{project, client})...)
	list = append(list, a.each(32, "aud", accepted, project, []string{project}, []string{project, a.resource()})...)
	list = append(list, a.each(33, "sub", invalidToken, removed, "", nil, 1, []string{ada},
		"m2m-client-test-eeeeeeee-0000-4000-8000-000000000001", "user-test-cccccccc-0000-4000-8000-000000000001",
		"member-test", "member-test-", "Member-test-1", "member-prod-1", acme, client, "x"+ada,
		"member-test-"+strings.Repeat("a", 200))...)
	list = append(list, a.each(38, "client_id", invalidToken, "connected-app-test-99999999-0000-4000-8000-000000000001",
		removed, []string{client}, nil, "", client+"0", strings.ToUpper(client), "m2m-client-test-1",
		strings.Replace(client, "-test-", "-live-", 1))...)
	list = append(list, a.each(39, "scope", invalidToken, removed, "", []string{"tasks:read"}, 1, nil, true)...)
	list = append(list, a.each(40, "scope", insufficient, "openid", "openid profile email", "tasks:write",
		"members:read")...)
	list = append(list, a.each(41, "scope", insufficient, "tasks:read:all", "tasks", "read", "xtasks:read",
		"tasks:readx", "TASKS:READ", "tasks:*", "*", "tasks:read\topenid", "tasks:read,openid",
		"tasks:read\u00a0openid",
		"openid  tasks:read", "tasks:read ", " tasks:read", "tasks:read\n", "tasks:reаd", `tasks:read "`, " ")...)
	list = append(list, a.each(41, "scope", accepted, "tasks:read", "a tasks:read b")...)
	return append(list, a.payloadAttacks()...)
}

// resource is our own URL, which Stytch may put into aud (RFC 8707).
func (a *target) resource() string {
	return strings.TrimSuffix(a.metadata, "/.well-known/oauth-protected-resource")
}

// payloadAttacks are rows 42, 43, 47, 54 and 55.
func (a *target) payloadAttacks() (list []attack) {
	payload := a.claims().json()
	for _, member := range []string{`"sub":"` + ada + `"`, `"sub":"` + hank + `"`, `"\u0073ub":"` + ada + `"`,
		`"scope":"openid"`, `"sc\u006fpe":"openid"`, `"aud":"x"`, `"\u0061ud":"x"`, `"exp":9999999999`, `"e\u0078p":1`,
		`"iss":"` + a.authority.URL + `"`, `"client_id":"x"`, `"` + organizationClaim +
			`":{}`, `"groups":1,"groups":1`} {
		list = append(list, attack{row: 42, what: "also " + member + " in front", want: invalidToken,
			token: a.payload("{" + member + "," + payload[1:])},
			attack{row: 42, what: "also " + member + " behind", want: invalidToken,
				token: a.payload(payload[:len(payload)-1] + "," + member + "}")})
	}
	list = append(list, attack{row: 42, what: "a name twice within a claim that is not read", want: accepted,
		token: a.bad(object{"x": numeric(`{"sub":1,"sub":2}`)})},
		attack{row: 42, what: "the organization's id twice", want: invalidToken,
			token: a.bad(object{organizationClaim: numeric(`{"organization_id":"` + acme + `","organization_id":"` +
				acme + `"}`)})},
		attack{row: 43, what: "letter case within a claim that is not read", want: accepted,
			token: a.bad(object{"x": object{"Sub": 1, "sub": 2}})})
	for _, name := range []string{"Sub", "SUB", "AUD", "Exp", "ISS", "\u017fub", "Client_ID", "Scope", "JTI", "Iat",
		"NBF", "Nonce", "https://stytch.com/Organization", "https://stytch.com/SESSION"} {
		list = append(list, a.each(43, name, invalidToken, "x")...)
	}
	for _, tail := range []string{"a\x00", "a\x01", "a\nb", "a\u202eb", "a\u2066", "а", "a b", "a/b", "a\u200b", "é",
		"a'--", "a%00"} {
		list = append(list, a.each(47, "sub", invalidToken, "member-test-"+tail)...)
		list = append(list, a.each(47, "client_id", invalidToken, "connected-app-test-"+tail)...)
		list = append(list, a.each(47, organizationClaim, invalidToken,
			object{"organization_id": "organization-test-" + tail})...)
	}
	list = append(list, a.each(47, "jti", invalidToken, "", "a b", "a\nb", "é", strings.Repeat("j", 257), 1, nil)...)
	list = append(list, a.each(54, organizationClaim, invalidToken, removed, nil, acme, []string{acme}, object{},
		object{"organization_id": 1}, object{"organization_id": ""}, object{"organization_id": []string{acme}},
		object{"organization_id": strings.ToUpper(acme)}, object{"organization_id": strings.Replace(acme, "-test-",
			"-live-", 1)}, object{"slug": "acme"}, object{"organization_id": ada})...)
	for _, issuer := range []string{"https://other.customers.stytch.dev",
		"stytch.com/project-test-99999999-9999-4999-8999-999999999999"} {
		list = append(list, a.each(55, "iss", invalidToken, issuer)...)
	}
	return list
}

// kindAttacks are rows 34 to 37: what else Stytch issues, with its own signature.
func (a *target) kindAttacks() (list []attack) {
	mint := func(row int, kind string, want string, claims map[string]any) {
		subject := ada
		if kind == "m2m" {
			subject = "m2m-client-test-eeeeeeee-0000-4000-8000-000000000001"
		}
		token := a.mint(stytchtest.MintRequest{Kind: kind, Subject: subject, Scopes: []string{"openid", "tasks:read"},
			Claims: claims})
		list = append(list, attack{row: row, what: fmt.Sprintf("%s token with %v", kind, claims), want: want,
			token: token})
	}
	client, project := a.claims()["client_id"], a.claims()["aud"]
	mint(34, "access", accepted, nil)
	mint(34, "id", invalidToken, nil)
	mint(34, "id", invalidToken, map[string]any{"nonce": "n"})
	mint(34, "id", invalidToken, map[string]any{"aud": project, "client_id": client, "scope": "tasks:read",
		"nonce": "n", organizationClaim: map[string]any{"organization_id": acme}})
	mint(35, "session", invalidToken, nil)
	mint(35, "session", invalidToken, map[string]any{"client_id": client, "scope": "tasks:read"})
	mint(35, "access", invalidToken,
		map[string]any{"https://stytch.com/session": map[string]any{"id": "member-session-test-1"}})
	mint(36, "m2m", invalidToken, nil)
	mint(36, "m2m", invalidToken, map[string]any{"client_id": client})
	mint(36, "m2m", invalidToken, map[string]any{"client_id": client,
		organizationClaim: map[string]any{"organization_id": acme}})
	for what, token := range map[string]string{"refresh token": "v1.MnJlZnJlc2g",
		"refresh token of 43 characters": strings.Repeat("r", 43),
		"session token":                  "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT8ds245v7Q",
		"magic-link token":               "DOYoip3rvIMMW5lgItikFK-Ak1CfMsgjuiCyI7uuU94=",
		"jti":                            a.claims()["jti"].(string),
		"client id":                      "connected-app-test-dddddddd-0000-4000-8000-000000000009", "member id": grace,
		"client secret": "secret-test-11111111"} {
		list = append(list, attack{row: 37, what: what, want: invalidToken, token: token})
	}
	return list
}

// requestAttacks are rows 56 to 61: a good token that is sent in another way.
func (a *target) requestAttacks() (list []attack) {
	good := a.good()
	second := a.bad(object{"sub": grace})
	header := func(row int, what, want string, values ...string) {
		list = append(list, attack{row: row, what: what, want: want,
			change: func(r *http.Request) { r.Header["Authorization"] = values }})
	}
	header(56, "two equal headers", invalidCall, "Bearer "+good, "Bearer "+good)
	header(56, "two different headers", invalidCall, "Bearer "+good, "Bearer "+second)
	header(56, "a second of another scheme", invalidCall, "Bearer "+good, "Basic eDp5")
	header(56, "an empty second", invalidCall, "Bearer "+good, "")
	header(56, "two joined by a comma", invalidCall, "Bearer "+good+", Bearer "+second)
	header(56, "two joined by a comma alone", invalidCall, "Bearer "+good+","+second)
	send := func(row int, what, want string, change func(*http.Request)) {
		list = append(list, attack{row: row, what: what, want: want, change: change})
	}
	send(57, "in the query", invalidCall, func(r *http.Request) { r.URL.RawQuery = "access_token=" + good })
	send(57, "in the query, its name escaped", invalidCall, func(r *http.Request) {
		r.URL.RawQuery = "%61ccess_token=" +
			good
	})
	send(57, "in the query beside the header", invalidCall, func(r *http.Request) {
		r.URL.RawQuery = "access_token=" + good
		r.Header.Set("Authorization", "Bearer "+good)
	})
	for _, name := range []string{"access_token", "Authorization", "session_jwt", "stytch_session_jwt"} {
		send(57, "in the cookie "+name, noCredentials,
			func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: good}) })
	}
	inForm := func(what, want, body string, change ...func(*http.Request)) {
		send(57, what, want, func(r *http.Request) {
			r.Method, r.Body, r.ContentLength = "POST", io.NopCloser(strings.NewReader(body)), int64(len(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for _, c := range change {
				c(r)
			}
		})
	}
	authorization := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
	inForm("in a form", invalidCall, "access_token="+good)
	inForm("in a form in chunks", invalidCall, "access_token="+good, func(r *http.Request) { r.ContentLength = -1 })
	inForm("in a form, its name escaped", invalidCall, "title=x&%61ccess_token="+good)
	inForm("in a form with a character set", invalidCall, "access_token="+good, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	})
	inForm("in a form beside the header", invalidCall, "access_token="+good, authorization("Bearer "+good))
	inForm("in a form beside another scheme", invalidCall, "access_token="+good, authorization("Basic eDp5"))
	inForm("in a form of 100,000 characters", invalidCall, "access_token="+good+"&x="+strings.Repeat("x", 100_000))
	inForm("in what only looks like a "+
		"form", noCredentials, "access_token="+good,
		func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") })
	inForm("in a form without a token", noCredentials, "title=x")
	for _, scheme := range []string{"bearer", "BEARER", "bEaReR"} {
		header(58, scheme, accepted, scheme+" "+good)
	}
	for what, value := range map[string]string{"two spaces": "Bearer  " + good, "a tab": "Bearer\t" + good,
		"no token": "Bearer ", "the scheme alone": "Bearer", "a comma": "Bearer,",
		"a comma before the token": "Bearer, " + good,
		"a colon":                  "Bearer: " + good, "an equals sign": "Bearer =", "an auth-param": `Bearer token="` +
			good + `"`} {
		header(59, what, invalidCall, value)
	}
	for what, value := range map[string]string{"no space": "Bearer" + good, "no scheme": good, "Basic": "Basic " + good,
		"DPoP": "DPoP " + good, "Digest": "Digest " + good, "Token": "Token " + good, "a look-alike B": "Вearer " +
			good, "nothing": ""} {
		header(59, what, noCredentials, value)
	}
	raw := func(what, want string, lines ...string) {
		list = append(list, attack{row: 60, what: what, want: want, raw: func(write func(string)) {
			for _, line := range lines {
				write(line)
			}
		}})
	}
	raw("space before the colon", malformed, "Authorization : Bearer "+good)
	raw("a folded line in the token", invalidCall, "Authorization: Bearer "+good[:50], " "+good[50:])
	// net/http puts a space in the place of the fold, as RFC 9112 section 5.2 allows.
	raw("a folded line before the token", accepted, "Authorization: Bearer", " "+good)
	raw("a NUL in the header", malformed, "Authorization: Bearer "+good+"\x00")
	for _, name := range []string{"Author_ization", "X-Forwarded-Authorization", "X-Original-Authorization",
		"Proxy-Authorization", "X-Authorization"} {
		raw(name, noCredentials, name+": Bearer "+good)
	}
	for _, name := range []string{"X-Original-URL", "X-Rewrite-URL"} {
		raw(name+" of what is public", noCredentials, name+": /openapi.json")
	}
	raw("a header that is as it should be", accepted, "Authorization: Bearer "+good)
	raw("a header in lower case", accepted, "authorization: bearer "+good)
	list = append(list, attack{row: 61, what: "old kid during the overlap", want: accepted,
		token: a.mint(stytchtest.MintRequest{Subject: ada, Scopes: []string{"tasks:read"}})})
	return list
}
