package api

import (
	"context"
	"crypto/sha256"
	"time"

	"guestpass/auth"
	"guestpass/internal/limits"
)

const (
	introspectedFor = 30 * time.Second
	maxIntrospected = 10_000
)

// newIntrospections returns a cache of what Stytch said about tokens. It does not keep that Stytch said nothing. Its
// bound is on the list of the limits, if they keep one.
func newIntrospections(l any) *limits.Cache[bool] {
	listed, _ := l.(*limits.Limits)
	return limits.NewCache[bool](listed, limits.Bound{Name: "tokens that were introspected", Number: maxIntrospected,
		Shares: limits.Shares{limits.Organization: maxIntrospected / 4, limits.Person: 20}})
}

// introspect asks Stytch whether the token is still good (RFC 7662).
func (s *Service) introspect(ctx context.Context, token string, identity auth.Identity) error {
	sum, now := sha256.Sum256([]byte(token)), s.options.Now()
	active, known := s.introspections.Get(string(sum[:]), now)
	if !known {
		var err error
		active, err = s.options.Directory.Introspect(ctx, token, identity.Subject, identity.ClientID)
		if err != nil {
			return err
		}
		party := limits.Party{Person: identity.Subject, Organization: identity.OrganizationID}
		s.introspections.Put(party, string(sum[:]), active, now.Add(introspectedFor))
	}
	if !active {
		return auth.Invalid("Stytch says it is not active")
	}
	return nil
}
