package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// A Foreign key is the public one of somebody else, with which they sign tokens of their own.
type Foreign struct {
	ID  string // "": any token may be signed with it
	Key crypto.PublicKey
}

// ParsePEM reads a public key: RSA of 2,048 bits or more, or of the curve P-256.
func ParsePEM(text string) (Foreign, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return Foreign{}, errors.New("no PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Foreign{}, errors.New("no public key in PEM")
	}
	return Foreign{Key: key}, checkForeign(key)
}

// ParseSet reads a JSON Web Key Set. It leaves out keys of other kinds, and is refused without any that is left.
func ParseSet(data []byte) (found []Foreign, err error) {
	var set struct {
		Keys []struct {
			KeyType string `json:"kty"`
			Curve   string `json:"crv"`
			Use     string `json:"use"`
			ID      string `json:"kid"`
			N, E    string
			X, Y    string
		}
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, errors.New("no JSON Web Key Set")
	}
	for _, k := range set.Keys {
		var key crypto.PublicKey
		switch {
		case k.Use != "" && k.Use != "sig":
			continue
		case k.KeyType == "RSA":
			key = &rsa.PublicKey{N: new(big.Int).SetBytes(bytesOf(k.N)),
				E: int(new(big.Int).SetBytes(bytesOf(k.E)).Int64())}
		case k.KeyType == "EC" && k.Curve == "P-256":
			point := slices.Concat([]byte{4}, bytesOf(k.X), bytesOf(k.Y))
			if key, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point); err != nil {
				continue
			}
		}
		if checkForeign(key) == nil {
			found = append(found, Foreign{k.ID, key})
		}
	}
	if len(found) == 0 {
		return nil, errors.New("no key in the set that can be used")
	}
	return found, nil
}

func bytesOf(text string) []byte {
	data, _ := base64.RawURLEncoding.DecodeString(text) // of a text that is none, no bytes, and so no key
	return data
}

func checkForeign(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 || k.E < 3 {
			return errors.New("an RSA key of fewer than 2,048 bits")
		}
		return nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return nil
		}
	}
	return fmt.Errorf("a key of the kind %T", key)
}

// Claims returns those of a token that one of the keys has signed, by RS256 or ES256.
func Claims(token string, from []Foreign) (claims map[string]any, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("it is no JWT")
	}
	var header struct{ Alg, Kid string }
	if json.Unmarshal(bytesOf(parts[0]), &header) != nil || json.Unmarshal(bytesOf(parts[1]), &claims) != nil {
		return nil, errors.New("it is no JWT")
	}
	digest, signature := sha256.Sum256([]byte(parts[0]+"."+parts[1])), bytesOf(parts[2])
	signed := slices.ContainsFunc(from, func(f Foreign) bool {
		return (f.ID == "" || header.Kid == "" || f.ID == header.Kid) && f.signed(header.Alg, digest[:], signature)
	})
	if !signed {
		return nil, errors.New("no key of the profile has signed it")
	}
	return claims, nil
}

func (f Foreign) signed(algorithm string, digest, signature []byte) bool {
	switch key := f.Key.(type) {
	case *rsa.PublicKey:
		return algorithm == "RS256" && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, signature) == nil
	case *ecdsa.PublicKey:
		if algorithm != "ES256" || len(signature) != 64 {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		return ecdsa.Verify(key, digest, r, s)
	}
	return false
}
