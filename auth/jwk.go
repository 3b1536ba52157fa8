package auth

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// parseKeySet reads a JWK set (RFC 7517 section 5). A key that breaks a rule is left
// out and named in skipped; a key id that two keys share drops both. An error means
// that no key is usable.
func parseKeySet(data []byte) (keys map[string]*rsa.PublicKey, skipped []string, err error) {
	document, err := members(data)
	if err != nil {
		return nil, nil, fmt.Errorf("the key set is not JSON as it should be: %w", err)
	}
	var list []json.RawMessage
	_ = json.Unmarshal(document["keys"], &list) // what is no array has no keys
	if len(list) > 16 {
		return nil, nil, fmt.Errorf("the key set has %d keys, 16 at most are taken", len(list))
	}
	keys, seen := map[string]*rsa.PublicKey{}, map[string]bool{}
	for i, element := range list {
		kid, key, err := parseKey(element)
		switch {
		case seen[kid]: // whatever else is wrong with it
			delete(keys, kid)
			skipped = append(skipped, fmt.Sprintf("key %d: its kid is used twice", i))
		case err != nil:
			skipped = append(skipped, fmt.Sprintf("key %d: %v", i, err))
		default:
			keys[kid] = key
		}
		if kid != "" {
			seen[kid] = true
		}
	}
	if len(keys) == 0 {
		return nil, skipped, errors.New("the key set has no usable key")
	}
	return keys, skipped, nil
}

// parseKey holds the rules for one key: an RSA verification key for RS256, of 2,048
// to 4,096 bits, public exponent 65537, without private members.
func parseKey(data []byte) (kid string, key *rsa.PublicKey, err error) {
	member, err := members(data)
	if err != nil {
		return "", nil, err
	}
	of := func(name string) string { return text(member[name]) }
	if kid = of("kid"); !idPattern.MatchString(kid) {
		return "", nil, errors.New("its kid is missing or malformed")
	}
	if of("kty") != "RSA" || of("use") != "sig" || of("alg") != "RS256" {
		return kid, nil, errors.New("it is not an RSA key for RS256 signatures")
	}
	if value, present := member["key_ops"]; present {
		var operations []string
		if err := json.Unmarshal(value, &operations); err != nil || !slices.Contains(operations, "verify") {
			return kid, nil, errors.New("its key_ops do not include verify")
		}
	}
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, present := member[private]; present {
			return kid, nil, errors.New("it carries private members")
		}
	}
	modulus, err := base64.RawURLEncoding.Strict().DecodeString(of("n"))
	if err != nil || !canonicalBase64(of("n")) {
		return kid, nil, errors.New("its modulus is not base64url")
	}
	n := new(big.Int).SetBytes(modulus)
	switch {
	case of("e") != "AQAB":
		return kid, nil, errors.New("its exponent is not 65537")
	case n.BitLen() < 2048 || n.BitLen() > 4096:
		return kid, nil, fmt.Errorf("its modulus has %d bits", n.BitLen())
	case n.Bit(0) == 0:
		return kid, nil, errors.New("its modulus is even")
	case rocaFingerprint(n):
		return kid, nil, errors.New("its modulus has the fingerprint of a known-weak generator (CVE-2017-15361)")
	}
	return kid, &rsa.PublicKey{N: n, E: 65537}, nil
}

// rocaPrimes and the powers of 65537 modulo each: moduli of the weak generator are
// such a power modulo every one of them; of others, one in about 2^27 is.
var rocaPrimes = []int64{11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157}

func rocaFingerprint(n *big.Int) bool {
	remainder := new(big.Int)
	for _, prime := range rocaPrimes {
		want := remainder.Mod(n, big.NewInt(prime)).Int64()
		power, found := int64(1), false
		for range prime {
			if found = power == want; found {
				break
			}
			power = power * (65537 % prime) % prime
		}
		if !found {
			return false
		}
	}
	return true
}
