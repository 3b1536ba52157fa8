package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"net/http"
	"slices"
	"testing"
)

// weakPrime returns a prime of the form k·M + 65537^a mod M, M being the product of the first 126
// primes: as the library of CVE-2017-15361 made them for keys of 2,048 bits
// (Nemec and others, The Return of Coppersmith's Attack, 2017, section 2.1).
func weakPrime(t *testing.T) *big.Int {
	t.Helper()
	product := big.NewInt(1)
	for n, primes := int64(2), 0; primes < 126; n++ {
		if big.NewInt(n).ProbablyPrime(0) {
			product.Mul(product, big.NewInt(n))
			primes++
		}
	}
	most := new(big.Int).Lsh(big.NewInt(1), uint(1024-product.BitLen()))
	for {
		k, err := rand.Int(rand.Reader, most)
		if err != nil {
			t.Fatal(err)
		}
		exponent, err := rand.Int(rand.Reader, product)
		if err != nil {
			t.Fatal(err)
		}
		p := new(big.Int).Exp(big.NewInt(65537), exponent, product)
		p.Add(p, k.Mul(k, product))
		if p.BitLen() == 1024 && p.Bit(1022) == 1 && p.ProbablyPrime(20) {
			return p
		}
	}
}

// A key that the weak generator could have made signs as any other, and is refused.
func TestAKnownWeakKeyIsNotUsed(t *testing.T) {
	p, q := weakPrime(t), weakPrime(t)
	one, e := big.NewInt(1), big.NewInt(65537)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	weak := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537},
		D: new(big.Int).ModInverse(e, phi), Primes: []*big.Int{p, q}}
	weak.Precompute()
	if err := weak.Validate(); err != nil || weak.N.BitLen() != 2048 {
		t.Fatalf("a key of %d bits, %v", weak.N.BitLen(), err)
	}
	f := newFixture(t)
	f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne()), jwk("weak", weak)))
	token := f.by("weak", weak, nil)
	if err := verifyVector(token, &weak.PublicKey); err != nil {
		t.Fatalf("the signature is not even good: %v", err)
	}
	f.refuses(t, token, "unknown kid")
	_, skipped, err := parseKeySet([]byte(keySetOf(jwk("weak", weak))))
	if err == nil || !slices.Equal(skipped,
		[]string{"key 0: its modulus has the fingerprint of a known-weak generator (CVE-2017-15361)"}) {
		t.Errorf("skipped %q, %v", skipped, err)
	}
}

// Every prime of the fingerprint counts: a modulus that is a power of 65537 modulo all but
// one of them is not of that generator.
func TestEveryPrimeOfTheFingerprintCounts(t *testing.T) {
	product := big.NewInt(1)
	for _, prime := range rocaPrimes {
		product.Mul(product, big.NewInt(prime))
	}
	weak := new(big.Int).Exp(big.NewInt(65537), big.NewInt(2047), nil)
	if !rocaFingerprint(weak) {
		t.Fatal("a power of 65537 has not the fingerprint")
	}
	for _, prime := range rocaPrimes {
		powers := map[int64]bool{}
		for power := int64(1); !powers[power]; power = power * (65537 % prime) % prime {
			powers[power] = true
		}
		other := int64(2)
		for ; powers[other]; other++ {
		}
		// The same remainders as weak, but for this prime.
		rest := new(big.Int).Div(product, big.NewInt(prime))
		n := new(big.Int).Set(weak)
		for new(big.Int).Mod(n, big.NewInt(prime)).Int64() != other%prime {
			n.Add(n, rest)
		}
		if rocaFingerprint(n) {
			t.Errorf("the prime %d does not count", prime)
		}
	}
	if rocaFingerprint(keyOne().N) || rocaFingerprint(keyTwo().N) {
		t.Error("a key of ours has the fingerprint") // one in 2^27 does
	}
}
