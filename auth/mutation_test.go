package auth

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var removeChecks = flag.Bool("remove-checks", false,
	"have TestEveryCheckIsMissed run the tests without each check in turn")

// A mutant is the package with one check taken out: a piece of its source, which occurs
// once, replaced by another.
type mutant struct{ step, file, old, new string }

// never and always take a condition's effect away and let the rest of it compile.
func never(step, file, condition string) mutant {
	return mutant{step, file, condition, "false && " + condition}
}

func always(step, file, condition string) mutant {
	return mutant{step, file, condition, "(true || " + condition + ")"}
}

// rule returns one of the list in Verifier.identity.
func rule(step, check string) mutant {
	return mutant{step, "claims.go", "\t\t" + check + ",\n", "\t\tfunc() error { _ = " + check + "; return nil }(),\n"}
}

// What is checked in other packages: objects of tokens and key sets are read, and tokens remembered.
const (
	objects = "../internal/strictjson/object.go"
	cached  = "../internal/cache/cache.go"
)

// checks are by the steps of the token gate: 1 to 3 the request, 4 to 11 the form, 12 the
// signature and the cache, 13 to 22 the claims; then the rules on keys.
var checks = []mutant{
	{"1 two headers", "bearer.go", "case 1:", "case 1, 2:"},
	never("2 token in the query", "bearer.go", `inQuery(r.URL.RawQuery, "access_token")`),
	never("2 token in a form", "bearer.go", `inForm(r, "access_token")`),
	{"2 what is looked at of a form",
		"bearer.go", `io.LimitReader(r.Body, maxForm)`, `io.LimitReader(r.Body, 2*maxForm)`},
	never("3 another scheme", "bearer.go", `!strings.EqualFold(header[:len(scheme)], scheme)`),
	never("3 characters of a token", "bearer.go", `!tokenCharacters[body[i]]`),
	never("4 length", "gate.go", `len(token) > maxToken`),
	never("5 no header", "gate.go", `first <= 0`),
	never("5 no payload", "gate.go", `last == first+1`),
	never("5 no signature", "gate.go", `last == len(token)-1`),
	never("5 a third dot", "gate.go", `strings.IndexByte(token[first+1:last], '.') >= 0`),
	never("6 alphabet", "gate.go", `base64Values[part[i]] < 0`),
	always("6 four unused bits", "gate.go", `last&0b1111 == 0`),
	always("6 two unused bits", "gate.go", `last&0b11 == 0`),
	never("7 UTF-8", objects, `!utf8.Valid(data)`),
	never("7 names that are text", objects, `strings.ContainsRune(name, utf8.RuneError)`),
	never("7 an object", objects, `trimmed[0] != '{'`),
	never("7 JSON, and nothing behind", objects, `!json.Valid(data)`),
	never("7 names once", objects, `twice {`),
	never("7 header members", "gate.go", `!slices.Contains([]string{"alg", "kid", "typ"}, name)`),
	never("8 alg", "gate.go", `text(header["alg"]) != "RS256"`),
	never("9 typ", "gate.go", `!slices.Contains(tokenTypes, strings.ToLower(text(typ)))`),
	never("10 kid", "gate.go", `!idPattern.MatchString(kid)`),
	{"10 unknown kid", "keys.go", `key := set.keys[kid]
	if key == nil {`, `key := set.keys[kid]
	for _, key = range set.keys {
		return key, set.generation, nil
	}
	if key == nil {`},
	{"10 no keys", "keys.go", `&refusal{sentinel: ErrUnavailable, reason: "no keys"}`, `invalid("no keys", "", "")`},
	never("11 signature length", "verifier.go", `len(signature) != key.Size()`),
	{"12 signature", "verifier.go", `payload, err := jws.Verify([]byte(token), jws.WithKey(jwa.RS256, key))`,
		"_ = jwa.RS256\n\tmessage, err := jws.Parse([]byte(token))\n\tif err != nil {\n\t\treturn nil, " +
			"invalid(\"signature\", \"\", \"\")\n\t}\n\tpayload := message.Payload()"},
	{"12 the whole token is the cache's key", "verifier.go", `append(room[:0], token...)`,
		`append(room[:0], strings.Split(token, ".")[1]...)`},
	never("12 generation of a cached token", "cache.go", `token.generation != generation`),
	never("12 end of a cached token", cached, `!now.Before(e.until)`),
	never("12 a cached token ends with exp", "cache.go", `end.Before(until)`),
	never("12 bound of the cache", cached, `len(c.entries) >= c.whole`),
	never("12 what of it is one person's", cached, `len(own) >= c.size(p)`),
	rule("13 letter case", `c.spelling()`),
	rule("14 iss", `v.issuer(c)`),
	rule("15 aud", `v.audience(c)`),
	never("15 aud without repetition", "claims.go", `slices.Contains(values[:i], value)`),
	never("15 no empty aud", "verifier.go", `value == ""`),
	never("15 no foreign aud", "claims.go", `!slices.Contains(v.audiences, canonical(value))`),
	never("15 aud has the project", "claims.go", `!slices.Contains(values, v.options.ProjectID)`),
	never("15 aud has the custom audience", "claims.go", `!slices.Contains(values, v.options.Audience)`),
	rule("16 sub", `v.person(c)`),
	{"16 prefix of sub", "verifier.go", "`^` + v.personKind + `-`",
		"`^(member|user|m2m-client)` + v.personKind[:0] + `-`"},
	{"16 environment of sub", "verifier.go", "v.personKind + `-` + v.environment",
		"v.personKind + `-` + `(test|live)`"},
	rule("17 client_id", `v.clientID(c)`),
	{"17 environment of client_id", "verifier.go", "connected-app-` + v.environment",
		"connected-app-` + `(test|live)`"},
	rule("17 clients that are admitted", `v.admittedClient(c)`),
	never("17 clients that somebody has to know more about", "claims.go", `!admitted`),
	{"17 clients that could not be looked up", "claims.go",
		`&refusal{sentinel: ErrUnavailable, reason: "the client could not`,
		`&refusal{sentinel: ErrInvalidToken, reason: "the client could not`},
	rule("18 scope", `c.scope()`),
	never("18 scopes by single spaces", "auth.go", `name == "" ||`),
	never("18 characters of scopes", "auth.go", `strings.ContainsFunc(name, func(r rune)`),
	{"18 whole scopes", "auth.go", `slices.Contains(s.names, name)`,
		`strings.Contains(s.String(), name) || slices.Contains(s.names, name)`},
	rule("19 times", `ofTimes`),
	{"19 exp is a time", "claims.go", `[]string{"exp", "iat", "nbf"}`, `[]string{"iat", "nbf"}`},
	{"19 iat is a time", "claims.go", `[]string{"exp", "iat", "nbf"}`, `[]string{"exp", "nbf"}`},
	{"19 nbf is a time", "claims.go", `[]string{"exp", "iat", "nbf"}`, `[]string{"exp", "iat"}`},
	never("19 expired", "claims.go", `!now.Before(expires.Add(Skew))`),
	never("19 issued in the future", "claims.go", `issued.After(latest)`),
	never("19 not yet good", "claims.go", `time.Unix(nbf, 0).After(latest)`),
	never("19 expires after it was issued", "claims.go", `iat >= exp`),
	never("19 lifetime", "claims.go", `lifetime > maxLifetime`),
	never("19 issued too early", "claims.go", `issued.Before(after)`),
	never("19 no lifetime below a minute", "verifier.go", `o.MaxLifetime < ShortestLifetime`),
	never("19 no lifetime above a month", "verifier.go", `o.MaxLifetime > LongestLifetime`),
	always("19 from 1970 on", "claims.go", `n >= 1`),
	always("19 until 9999", "claims.go", `n <= maxTime`),
	{"19 skew", "claims.go", `Skew = 30 * time.Second`, `Skew = 31 * time.Second`},
	rule("20 jti", `c.tokenID()`),
	always("20 jti is not empty", "claims.go", `len(text) >= 1`),
	always("20 length of jti", "claims.go", `len(text) <= 256`),
	never("20 jti without spaces", "claims.go", `r < 0x21`),
	never("20 jti is ASCII", "claims.go", `r > 0x7e`),
	rule("21 other tokens", `c.kind()`),
	never("21 session token", "claims.go", `c.has(sessionClaim)`),
	never("21 ID token", "claims.go", `c.has("nonce")`),
	rule("22 organization", `ofOrganization`),
	never("22 an object with names once", "claims.go", `err != nil:
		return "", wrong(err.Error()`),
	never("22 pattern of the organization", "claims.go", `!organizationPattern.MatchString(id)`),
	never("22 environment of the organization", "claims.go",
		`!strings.HasPrefix(id, "organization-"+v.environment+"-")`),
	never("22 no organization in Consumer", "claims.go", `c.has(organizationClaim) {
			return "", wrong(kindOf`),

	never("keys: status", "keys.go", `response.StatusCode != http.StatusOK`),
	{"keys: redirects", "keys.go", `return http.ErrUseLastResponse`, `return nil`},
	never("keys: 64 KiB", "keys.go", `len(body) > maxKeyDocument`),
	never("keys: a day", "keys.go", `now.Sub(set.fetched) > keepFor`),
	never("keys: one fetch in 25 s", "keys.go", `s.coolsFor() > 0:`),
	never("keys: one fetch in 2 s without any", "keys.go", `now.Sub(s.lastTry) < 2*time.Second`),
	never("keys: another look after a miss", "keys.go", `retry == nil {`),
	never("keys: no other look after a call's", "keys.go", `s.coolsFor() > 0 {`),
	never("keys: another look after one that failed", "keys.go", `!s.refetch(ctx)`),
	{"keys: a call waits after a look", "keys.go", `	s.lastMiss = s.now()
	s.mu.Unlock()`, `	s.mu.Unlock()`},
	{"keys: no cache in between", "keys.go", `"no-cache"`, `""`},
	{"keys: the next domain", "keys.go", `failures = append(failures, fmt.Errorf("%s: %w", url, err))`,
		`return nil, fmt.Errorf("%s: %w", url, err)`},
	{"keys: every domain is https", "verifier.go", `slices.ContainsFunc(o.JWKSURLs, o.unfitForKeys)`,
		`o.unfitForKeys(o.JWKSURLs[0])`},
	never("keys: 1 at least", "jwk.go", `len(keys) == 0`),
	never("keys: 16 at most", "jwk.go", `len(list) > 16`),
	never("keys: a kid once", "jwk.go", `seen[kid]:`),
	never("keys: kid", "jwk.go", `!idPattern.MatchString(kid)`),
	never("keys: kty", "jwk.go", `of("kty") != "RSA"`),
	never("keys: use", "jwk.go", `of("use") != "sig"`),
	never("keys: alg", "jwk.go", `of("alg") != "RS256"`),
	never("keys: key_ops", "jwk.go", `!slices.Contains(operations, "verify")`),
	never("keys: private members", "jwk.go", `present {
			return kid, nil, errors.New("it carries`),
	never("keys: canonical modulus", "jwk.go", `!canonicalBase64(of("n"))`),
	never("keys: exponent", "jwk.go", `of("e") != "AQAB"`),
	never("keys: 2,048 bits at least", "jwk.go", `n.BitLen() < 2048`),
	never("keys: 4,096 bits at most", "jwk.go", `n.BitLen() > 4096`),
	never("keys: even modulus", "jwk.go", `n.Bit(0) == 0`),
	never("keys: known-weak modulus", "jwk.go", `rocaFingerprint(n):`),
}

// TestEveryCheckIsMissed takes out each check in turn: the tests must fail. Otherwise only
// the list is checked, so that who changes a check changes it here.
func TestEveryCheckIsMissed(t *testing.T) {
	folder, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	var killed atomic.Int64
	t.Run("each", func(t *testing.T) { // which ends when all have
		for _, m := range checks {
			t.Run(m.step, func(t *testing.T) { m.check(t, folder, &killed) })
		}
	})
	if *removeChecks {
		t.Logf("%d checks removed in turn: the tests notice %d", len(checks), killed.Load())
	}
}

// check finds the check in the source and, where asked to, removes it.
func (m mutant) check(t *testing.T, folder string, killed *atomic.Int64) {
	path := filepath.Join(folder, m.file)
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		t.Fatalf("%s has %q %d times: say here how the check is written now", m.file, m.old, n)
	}
	if !*removeChecks {
		return
	}
	t.Parallel()
	if noticed(t, path, strings.Replace(string(source), m.old, m.new, 1)) {
		killed.Add(1)
	} else {
		t.Errorf("no test fails when %s has %q in the place of %q", m.file, m.new, m.old)
	}
}

// testsOf are the tests that must notice a change to a file, where not all are wanted: it saves
// half of the time.
var testsOf = map[string]string{"claims.go": "^Test(Claims?|Verifier|TheSkew|WhatIsNotRead|Refusals)",
	"bearer.go": "^TestBearer", "cache.go": "Cache|Remembered|Entries|CachedTokens|OnePersons"}

// noticed runs the tests of the package with another text of one file.
func noticed(t *testing.T, path, source string) bool {
	t.Helper()
	folder := t.TempDir()
	changed, overlay := filepath.Join(folder, "changed.go"), filepath.Join(folder, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{changed: []byte(source), overlay: replace} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	output, err := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-count=1", "-failfast", "-vet=off",
		"-timeout=9m", "-ldflags=-s -w",
		"-run", testsOf[filepath.Base(path)], "-skip",
		"^(TestNothingIsAcceptedThatOthersRefuse|TestEveryCheckIsMissed)$", ".").CombinedOutput()
	text := string(output)
	if err != nil && (!strings.Contains(text, "--- FAIL") && !strings.Contains(text, "panic:") ||
		strings.Contains(text, "test timed out")) {
		t.Fatalf("the tests did not run: %v\n%s", err, text)
	}
	return err != nil
}
