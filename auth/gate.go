package auth

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
)

// maxToken bounds a token before anything else looks at it.
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
		return parts, invalid("length")
	}
	first := strings.IndexByte(token, '.')
	last := strings.LastIndexByte(token, '.')
	if first <= 0 || last == first || last == len(token)-1 || last == first+1 || strings.IndexByte(token[first+1:last], '.') >= 0 {
		return parts, invalid("not three parts")
	}
	parts = [3]string{token[:first], token[first+1 : last], token[last+1:]}
	for _, part := range parts {
		if !canonicalBase64(part) {
			return parts, invalid("not canonical base64url")
		}
	}
	return parts, nil
}

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

// base64Values is the alphabet of RFC 4648 section 5 turned round; -1 for all else.
var base64Values = func() (values [256]int8) {
	for i := range values {
		values[i] = int8(strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", byte(i)))
	}
	return values
}()

func decodeParts(parts [3]string) (jws compactJWS, err error) {
	for i, to := range []*[]byte{&jws.header, &jws.payload, &jws.signature} {
		if *to, err = base64.RawURLEncoding.Strict().DecodeString(parts[i]); err != nil {
			return jws, invalid("not canonical base64url")
		}
	}
	return jws, nil
}

// idPattern is what key ids, subjects and client ids may look like.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// memberName keeps the name of a refused header member fit for a log.
var memberName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// checkHeader admits alg, kid and typ, and what the options add. That refuses crit,
// b64, jku, jwk, x5u, x5c, zip, cty and all that may be invented, without a rule for
// each. It returns the key id.
func (v *Verifier) checkHeader(data []byte) (kid string, err error) {
	header, err := strictObject(data)
	if err != nil {
		return "", invalid("header")
	}
	for name := range header {
		if !slices.Contains([]string{"alg", "kid", "typ"}, name) && !slices.Contains(v.options.HeaderMembers, name) {
			if !memberName.MatchString(name) {
				name = "(unprintable)"
			}
			return "", invalid("header_member " + name)
		}
	}
	if header["alg"] != "RS256" { // jws.Verify does not compare it
		return "", invalid("alg")
	}
	if typ, present := header["typ"]; present {
		name, _ := typ.(string)
		if !slices.Contains([]string{"jwt", "at+jwt", "application/at+jwt"}, strings.ToLower(name)) {
			return "", invalid("typ")
		}
	}
	kid, _ = header["kid"].(string)
	if !idPattern.MatchString(kid) {
		return "", invalid("kid")
	}
	return kid, nil
}
