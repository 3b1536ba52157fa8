package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"guestpass/auth"
)

const (
	introspectedFor = 30 * time.Second
	maxIntrospected = 10_000
)

// introspections remembers what Stytch said of tokens. That it said nothing is not
// remembered.
type introspections struct {
	mu   sync.Mutex // guards said
	said map[[sha256.Size]byte]introspection
}

type introspection struct {
	active bool
	until  time.Time
}

// introspect asks Stytch whether the token is still good (RFC 7662).
func (s *Service) introspect(ctx context.Context, token string, identity auth.Identity) error {
	key, now := sha256.Sum256([]byte(token)), s.options.Now()
	known := &s.introspections
	known.mu.Lock()
	last, found := known.said[key]
	known.mu.Unlock()
	if !found || !now.Before(last.until) {
		active, err := s.options.Directory.Introspect(ctx, token, identity.Subject, identity.ClientID)
		if err != nil {
			return err
		}
		last = introspection{active, now.Add(introspectedFor)}
		known.mu.Lock()
		if known.said == nil || len(known.said) >= maxIntrospected {
			known.said = map[[sha256.Size]byte]introspection{}
		}
		known.said[key] = last
		known.mu.Unlock()
	}
	if !last.active {
		return fmt.Errorf("%w: Stytch says it is not active", auth.ErrInvalidToken)
	}
	return nil
}
