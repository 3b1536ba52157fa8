package auth

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"guestpass/internal/pattern"
)

// maxToken bounds a token before anything else looks at it. Longer ones would not arrive
// anyway: with the name of its header such a line is over the 8 KiB that nginx and Apache
// take by default.
const maxToken = 8192

// A compactJWS is a token that has passed the gate: the only spelling of its bytes.
type compactJWS struct {
	header, payload, signature []byte
}

// splitCompact checks the form of RFC 7515 section 7.1 and nothing else: length, two
// dots, the base64url alphabet without padding, and no unused bits set. What passes
// has exactly one spelling, on which cache and revocation rely.
func splitCompact(token string) (parts [3]string, err error) {
	if len(token) == 0 || len(token) > maxToken {
		return parts, &refusal{sentinel: ErrInvalidToken, reason: "length", found: strconv.Itoa(len(token)) + " bytes",
			expected: "8192 bytes at most",
			hint:     "shorten the claims in the connected app's access token template in Stytch"}
	}
	first := strings.IndexByte(token, '.')
	last := strings.LastIndexByte(token, '.')
	if first <= 0 || last == first || last == len(token)-1 || last == first+1 ||
		strings.IndexByte(token[first+1:last], '.') >= 0 {
		return parts, invalid("not three parts", "header, payload and signature, with a dot between two",
			hintAccessToken)
	}
	parts = [3]string{token[:first], token[first+1 : last], token[last+1:]}
	for _, part := range parts {
		if !canonicalBase64(part) {
			return parts, invalid("not canonical base64url", expectedBase64, hintAltered)
		}
	}
	return parts, nil
}

const expectedBase64 = "base64url without padding, in its only spelling"

// canonicalBase64 is base64.RawURLEncoding.Strict() without the decoding, and without
// its tolerance for line breaks.
func canonicalBase64(part string) bool {
	for i := range len(part) {
		if base64Values[part[i]] < 0 {
			return false
		}
	}
	if part == "" {
		return false
	}
	last := base64Values[part[len(part)-1]]
	switch len(part) % 4 {
	case 1:
		return false
	case 2:
		return last&0b1111 == 0
	case 3:
		return last&0b11 == 0
	}
	return true
}

// base64Values inverts the alphabet of RFC 4648 section 5; everything else is -1.
var base64Values = func() (values [256]int8) {
	for i := range values {
		values[i] = int8(strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", byte(i)))
	}
	return values
}()

func decodeParts(parts [3]string) (jws compactJWS, err error) {
	for i, to := range []*[]byte{&jws.header, &jws.payload, &jws.signature} {
		if *to, err = base64.RawURLEncoding.Strict().DecodeString(parts[i]); err != nil {
			return jws, invalid("not canonical base64url", expectedBase64, hintAltered)
		}
	}
	return jws, nil
}

// idPattern is what key ids, subjects and client ids may look like.
var idPattern = pattern.New(`^[A-Za-z0-9._-]{1,128}$`)

// tokenTypes are the types of an access token, in lower case.
var tokenTypes = []string{"jwt", "at+jwt", "application/at+jwt"}

// checkHeader admits alg, kid and typ, and what the options add. That refuses crit,
// b64, jku, jwk, x5u, x5c, zip, cty and all that may be invented, without a rule for
// each. It returns the key id.
func (v *Verifier) checkHeader(data []byte) (kid string, err error) {
	header, err := members(data)
	if err != nil {
		return "", &refusal{sentinel: ErrInvalidToken, reason: "header", found: err.Error(),
			expected: "one JSON object", hint: hintAccessToken}
	}
	if err := v.checkHeaderMembers(header); err != nil {
		return "", err
	}
	wrong := func(name, expected string) error {
		return &refusal{sentinel: ErrInvalidToken, reason: name, claim: name, found: kindOf(header[name]),
			expected: expected, hint: hintAccessToken}
	}
	if text(header["alg"]) != "RS256" { // jws.Verify does not compare it
		return "", wrong("alg", "RS256")
	}
	if typ, present := header["typ"]; present && !slices.Contains(tokenTypes, strings.ToLower(text(typ))) {
		return "", wrong("typ", anyOf(tokenTypes)+", or none")
	}
	kid = text(header["kid"])
	if !idPattern.MatchString(kid) {
		return "", wrong("kid", "at most 128 letters, digits, dots, dashes and underscores")
	}
	return kid, nil
}

func (v *Verifier) checkHeaderMembers(header map[string]json.RawMessage) error {
	var foreign []string
	for name := range header {
		if !slices.Contains([]string{"alg", "kid", "typ"}, name) && !slices.Contains(v.options.HeaderMembers, name) {
			foreign = append(foreign, shown(name))
		}
	}
	if len(foreign) == 0 {
		return nil
	}
	slices.Sort(foreign)
	return &refusal{sentinel: ErrInvalidToken, reason: headerMember + foreign[0],
		found: shown(strings.Join(foreign, ", ")), expected: "alg, kid and typ",
		hint: "if Stytch sends it with every token, name it in GUESTPASS_TOKEN_HEADER_MEMBERS"}
}
