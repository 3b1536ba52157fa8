package auth

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"guestpass/internal/pattern"
	"guestpass/internal/upstream"
)

// Options configure a [Verifier].
type Options struct {
	ProjectID string   // required; its environment (test or live) is read off it
	Vertical  Vertical // required
	Issuers   []string // required; iss must be exactly one of them
	// JWKSURLs serve the same keys; the first that has any counts. Required; https on a public host,
	// or for a test project on a loopback host.
	JWKSURLs  []string
	Audience  string   // custom audience that aud must contain as well; "" for none
	Resources []string // further URLs tolerated in aud (RFC 8707), also with a slash at the end
	ClientIDs []string // admitted connected apps; empty: every one of the project, unless AdmitClient is set
	// AdmitClient decides on connected apps that ClientIDs does not list. It is asked once for each token
	// that is otherwise good; its error makes Verify's ErrUnavailable. nil: none of them is admitted.
	AdmitClient   func(ctx context.Context, clientID string) (bool, error)
	HeaderMembers []string      // header members tolerated besides alg, kid and typ
	MaxLifetime   time.Duration // exp - iat at most, from ShortestLifetime to LongestLifetime; 0: DefaultLifetime
	IssuedAfter   time.Time     // tokens with an earlier iat are refused, as if revoked then; zero: none is
	Now           func() time.Time
	Log           *slog.Logger
	Transport     http.RoundTripper // fetches the keys; nil: our own, bounded, without a proxy
}

// Bounds of Options.MaxLifetime. A token that was revoked has to be remembered for as long
// as it could live, so there is an end to what may be admitted.
const (
	ShortestLifetime = time.Minute
	DefaultLifetime  = 24 * time.Hour
	LongestLifetime  = 30 * 24 * time.Hour
)

// A Verifier verifies access tokens. Safe for concurrent use.
type Verifier struct {
	options         Options
	environment     string
	personKind      string // member or user
	subject, client *regexp.Regexp
	audiences       []string // what aud may have, in canonical form: the project first
	keys            *keySource
	cache           tokenCache
}

// NewVerifier lists every fault of the options in one error. It does not touch the network.
func NewVerifier(o Options) (*Verifier, error) {
	if o.MaxLifetime == 0 {
		o.MaxLifetime = DefaultLifetime
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := listFaults(o.faults()); err != nil {
		return nil, err
	}
	v := &Verifier{options: o, environment: strings.Split(o.ProjectID, "-")[1],
		cache: newTokenCache()}
	v.personKind = map[Vertical]string{B2B: "member", Consumer: "user"}[o.Vertical]
	for _, audience := range nonEmpty(append([]string{o.ProjectID, o.Audience}, o.Resources...)) {
		v.audiences = append(v.audiences, canonical(audience))
	}
	v.subject = regexp.MustCompile(`^` + v.personKind + `-` + v.environment + `-[A-Za-z0-9._-]{1,100}$`)
	v.client = regexp.MustCompile(`^connected-app-` + v.environment + `-[A-Za-z0-9._-]{1,100}$`)
	v.keys = newKeySource(o)
	return v, nil
}

var projectPattern = pattern.New(`^project-(test|live)-[A-Za-z0-9._-]{1,100}$`)

func (o Options) faults() (faults []string) {
	if !projectPattern.MatchString(o.ProjectID) {
		faults = append(faults, "the project id must be project-test-… or project-live-…")
	}
	if o.Vertical != B2B && o.Vertical != Consumer {
		faults = append(faults, "the vertical must be b2b or consumer")
	}
	if len(o.Issuers) == 0 || slices.Contains(o.Issuers, "") {
		faults = append(faults, "at least one issuer is needed, and none may be empty")
	}
	if len(o.JWKSURLs) == 0 || slices.ContainsFunc(o.JWKSURLs, o.unfitForKeys) {
		faults = append(faults, "the JWKS URL must be https on a public host, or for a test project on loopback")
	}
	if slices.Contains(o.HeaderMembers, "crit") || slices.Contains(o.HeaderMembers, "b64") {
		faults = append(faults, "the header members crit and b64 cannot be tolerated, only understood")
	}
	if o.MaxLifetime < ShortestLifetime || o.MaxLifetime > LongestLifetime {
		faults = append(faults, fmt.Sprintf("the maximum lifetime is %s, it must be from %s to %s",
			o.MaxLifetime, ShortestLifetime, LongestLifetime))
	}
	return faults
}

// unfitForKeys reports whether keys from there could be anybody's. For a live project that includes
// keys from this machine and from its own network.
func (o Options) unfitForKeys(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return true
	}
	if upstream.Loopback(u.Hostname()) {
		return strings.HasPrefix(o.ProjectID, "project-live-") || u.Scheme != "https" && u.Scheme != "http"
	}
	return u.Scheme != "https" || upstream.Internal(u.Hostname())
}

func nonEmpty(values []string) []string {
	return slices.DeleteFunc(values, func(value string) bool { return value == "" })
}

// Run loads the keys, refreshes them every five minutes and looks again for those that
// tokens name and nobody knew, until ctx ends, then returns nil. Without it the keys are
// fetched when tokens come.
func (v *Verifier) Run(ctx context.Context) error { return v.keys.run(ctx) }

// Ready returns nil while a key set is loaded and not older than 24 hours.
func (v *Verifier) Ready() error { return v.keys.ready() }

// KeyFetches are how often the keys were fetched.
type KeyFetches struct{ OK, Failed uint64 }

// Keys returns how many keys there are, when they were fetched, and how often that was tried. No keys: the zero time.
func (v *Verifier) Keys() (number int, fetched time.Time, fetches KeyFetches) {
	v.keys.mu.Lock()
	fetches = v.keys.fetches
	v.keys.mu.Unlock()
	if set := v.keys.snapshot.Load(); set != nil {
		number, fetched = len(set.keys), set.fetched
	}
	return number, fetched, fetches
}

// Verify returns whose token it is. Its error wraps [ErrInvalidToken], or
// [ErrUnavailable] when there are no keys to tell. It may wait up to a second for
// keys that are being fetched.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	now := v.options.Now()
	identity, hash, ok := v.remembered(token, now)
	if ok {
		return identity, nil
	}
	// Form, before a key is looked for.
	parts, err := splitCompact(token)
	if err != nil {
		return Identity{}, err
	}
	decoded, err := decodeParts(parts)
	if err != nil {
		return Identity{}, err
	}
	kid, err := v.checkHeader(decoded.header)
	if err != nil {
		return Identity{}, err
	}

	// Signature.
	key, generation, err := v.keys.find(ctx, kid)
	if err != nil {
		return Identity{}, err
	}
	payload, err := verifySignature(token, decoded.signature, key)
	if err != nil {
		return Identity{}, err
	}

	// Claims.
	identity, err = v.identity(payload, now)
	if err != nil {
		return Identity{}, err
	}
	if err := v.admitUnlisted(ctx, identity.ClientID); err != nil {
		return Identity{}, err
	}
	v.cache.put(hash, identity, now, generation)
	return identity, nil
}

// Remembers reports whether [Verifier.Verify] would return an identity from memory: the
// token was verified here in the last minutes and is still good. It costs a hash, never
// a signature, so it may be asked about what anybody sends. It admits nobody: call
// Verify for that.
func (v *Verifier) Remembers(token string) bool {
	_, _, ok := v.remembered(token, v.options.Now())
	return ok
}

// usualToken is the length in bytes that most tokens keep to.
const usualToken = 2048

// remembered looks a token up in the cache. It does not check the form: what is there has passed these checks with the
// same bytes.
func (v *Verifier) remembered(token string, now time.Time) (identity Identity, hash [sha256.Size]byte, ok bool) {
	if len(token) > maxToken {
		return identity, hash, false
	}
	var room [usualToken]byte // so that a token of usual length is copied to no heap
	hash = sha256.Sum256(append(room[:0], token...))
	if keys := v.keys.at(now); keys != nil {
		identity, ok = v.cache.get(hash, now, keys.generation)
	}
	return identity, hash, ok
}

// verifySignature returns the payload that the key signed with RS256. It wants a token
// that has passed the gate, and does not read the header.
func verifySignature(token string, signature []byte, key *rsa.PublicKey) ([]byte, error) {
	if len(signature) != key.Size() {
		return nil, invalid("signature length", "a signature as long as the key", hintAltered)
	}
	payload, err := jws.Verify([]byte(token), jws.WithKey(jwa.RS256, key))
	if err != nil {
		return nil, invalid("signature", "one by the key that kid names", hintAltered)
	}
	return payload, nil
}
