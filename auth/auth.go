// Package auth decides who is calling. A [Verifier] turns a bearer token into an
// [Identity]; an [Access] says which identities an operation admits. It knows JWTs
// and issuers (RFC 6750, 7515, 7517, 7519) but nothing about storage or routes.
//
// It accepts one thing: an access token that Stytch Connected Apps issued for this
// project. Session JWTs, ID tokens and M2M tokens of the same project have the same
// keys, and most of them the same audience and issuer; the claims tell them apart.
package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The refusals. Their texts are for the log; what a client learns comes from [Challenge] and is the
// same for every reason.
var (
	ErrNoToken           = errors.New("no access token")
	ErrInvalidToken      = errors.New("invalid access token")
	ErrInsufficientScope = errors.New("insufficient scope")
	// ErrInsufficientRole: the token would do, the person's roles do not.
	ErrInsufficientRole = errors.New("insufficient role")
)

// Two failures that are no judgement on a token.
var (
	// ErrInvalidRequest: the token was sent in a wrong way (RFC 6750 section 3.1, invalid_request).
	ErrInvalidRequest = errors.New("malformed authorization")
	// ErrUnavailable: no verification keys could be loaded yet, or not for 24 hours.
	ErrUnavailable = errors.New("verification keys are unavailable")
)

// Vertical is the kind of Stytch project.
type Vertical string

const (
	B2B      Vertical = "b2b"      // organizations and their members
	Consumer Vertical = "consumer" // users
)

// Identity is who is calling, as a verified token says. It is immutable.
type Identity struct {
	Subject        string // member-… (B2B) or user-… (Consumer)
	OrganizationID string // "" in Consumer projects
	ClientID       string // the connected app, connected-app-…
	Scopes         Scopes
	TokenID        string // jti, "" if the token has none
	IssuedAt       time.Time
	ExpiresAt      time.Time
}

// Owner returns whom stored data belongs to: the organization, or in Consumer projects the user.
func (i Identity) Owner() string {
	if i.OrganizationID != "" {
		return i.OrganizationID
	}
	return i.Subject
}

// Scopes is an immutable set of granted scopes.
type Scopes struct{ names []string }

// NewScopes returns the set of these names. What a token grants comes from the token alone.
func NewScopes(names ...string) Scopes { return Scopes{slices.Clone(names)} }

// parseScopes reads tokens joined by single spaces (RFC 6749 section 3.3). Any other
// spelling grants nothing.
func parseScopes(text string) Scopes {
	names := strings.Split(text, " ")
	for _, name := range names {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool {
			return r < 0x21 || r > 0x7e || r == '"' ||
				r == '\\'
		}) {
			return Scopes{}
		}
	}
	return Scopes{names}
}

// Has compares whole names, with letter case.
func (s Scopes) Has(name string) bool { return slices.Contains(s.names, name) }

// List returns a copy, in the token's order; never nil.
func (s Scopes) List() []string { return append([]string{}, s.names...) }

func (s Scopes) String() string { return strings.Join(s.names, " ") }

type identityKey struct{}

// NewContext returns a context that carries the identity.
func NewContext(ctx context.Context, identity Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, &identity)
}

// From returns the caller, or the zero Identity when nobody is authenticated.
func From(ctx context.Context) Identity {
	identity, _ := FromContext(ctx)
	return identity
}

// FromContext is [From], and reports whether anybody is authenticated.
func FromContext(ctx context.Context) (Identity, bool) {
	identity, ok := ctx.Value(identityKey{}).(*Identity)
	if !ok {
		return Identity{}, false
	}
	return *identity, true
}

// listFaults joins the faults of Options into one error.
func listFaults(faults []string) error {
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("auth: %s", strings.Join(faults, "; "))
}
