package stytch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"

	"guestpass/directory"
	"guestpass/internal/limits"
)

// A Connection is one app that a person has connected, as Stytch keeps it.
type Connection struct {
	PersonID string
	ClientID string
	Name     string // of the app
	Scopes   []string
}

const (
	lookUpFor  = 2 * time.Second  // the look-up that a read waits for
	believeFor = 15 * time.Second // an answer that is a minute old while Stytch is away

	staleStanding = 24 * time.Hour // for which it may go on to be believed so, as the keys are
)

// standing is what a person may be taken for.
type standing struct {
	roles []string // nil for who is gone or not active
	err   error    // nil, ErrInactive or ErrNotFound

	question  uint64    // later ones have higher numbers
	until     time.Time // the minute in which it is believed
	postponed time.Time // while Stytch does not answer, to let somebody read; never for roles
}

// standingOf asks Stytch once a minute. When Stytch cannot be asked, it returns the last answer
// with the error, and reports whether there is one.
func (c *client) standingOf(ctx context.Context, organizationID, id string) (known standing, found bool, err error) {
	key := organizationID + " " + id
	last, found := c.standings.Get(key, c.options.Now())
	if found && c.options.Now().Before(last.until) {
		return last, true, nil
	}
	if known, err = c.currentStanding(ctx, organizationID, id); err != nil {
		return last, found, err
	}
	return known, true, nil
}

// currentStanding asks Stytch now, and keeps the answer for a minute.
func (c *client) currentStanding(ctx context.Context, organizationID, id string) (known standing, err error) {
	known.question = c.questions.Add(1)
	known.until = c.options.Now().Add(cacheFor) // from before the question: the answer may be on its way for long
	p, err := c.person(forAdmission(ctx), organizationID, id)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		known.err = err
	case err != nil:
		return known, err
	case p.Status != "active":
		known.err = fmt.Errorf("%s is %s: %w", id, p.Status, directory.ErrInactive)
	default:
		known.roles = p.Roles
	}
	key := organizationID + " " + id
	c.mu.Lock()
	defer c.mu.Unlock()
	// which was answered first
	if last, ok := c.standings.Get(key, c.options.Now()); ok && last.question > known.question {
		return known, nil
	}
	c.standings.Put(limits.Party{Organization: organizationID, Person: id}, key, known, known.until.Add(staleStanding))
	return known, nil
}

func (c *client) CheckRecentlyActive(ctx context.Context, organizationID, id string) error {
	key := organizationID + " " + id
	if last, ok := c.believed(key); ok {
		return last.err
	}
	// People call several times at once. Whoever gives up before Stytch has answered must not
	// pass for a Stytch that does not answer.
	_, err, _ := c.asking.Do(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookUpFor)
		defer cancel()
		known, found, err := c.standingOf(ctx, organizationID, id)
		if !errors.As(err, new(*directory.UnavailableError)) || !found {
			return nil, errors.Join(err, known.err)
		}
		c.postpone(organizationID, id)
		return nil, known.err
	})
	return err
}

// believed returns an answer of the last minute, or one that is postponed.
func (c *client) believed(key string) (standing, bool) {
	last, found := c.standings.Get(key, c.options.Now())
	now := c.options.Now()
	return last, found && (now.Before(last.until) || now.Before(last.postponed))
}

// postpone believes an answer for some seconds more, so that reads do not all wait for a
// Stytch that does not answer.
func (c *client) postpone(organizationID, id string) {
	now, key := c.options.Now(), organizationID+" "+id
	if last, ok := c.standings.Get(key, now); ok {
		last.postponed = now.Add(believeFor)
		c.standings.Put(limits.Party{Organization: organizationID, Person: id}, key, last,
			last.until.Add(staleStanding))
	}
}

// translateSession makes ErrNotFound of what says that there is no such session, and of that
// alone: our own wrong credentials would send people to sign in again and again.
func (c *client) translateSession(ctx context.Context, err error) error {
	var fault stytcherror.Error
	if errors.As(err, &fault) && slices.Contains(noSession, fault.ErrorType) {
		return directory.ErrNotFound
	}
	return c.translate(ctx, err)
}

func onlyActive(status string) error {
	if status != "active" {
		return fmt.Errorf("the session's person is %s: %w", status, directory.ErrInactive)
	}
	return nil
}

// disconnected turns what Stytch said of a revocation into an error: none if there was
// nothing to revoke, or nobody.
func (c *client) disconnected(ctx context.Context, clientID string, err error) error {
	if err == nil {
		return nil
	}
	if err = c.translate(ctx, err); errors.Is(err, directory.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("revoke %s: %w", clientID, err)
}

// introspection is what stytch-go's two verticals answer alike.
type introspection struct{ subject, client string }

// active turns what stytch-go says of an introspection into one word.
func (c *client) active(ctx context.Context, got introspection, err error, asked introspection) (bool, error) {
	var verdict stytcherror.Error
	var fault stytcherror.OAuth2Error
	switch {
	case err == nil:
		return got == asked, nil
	case errors.As(err, &verdict) && verdict.ErrorType == "oauth2_invalid_token_error":
		return false, nil
	case errors.As(err, &fault) && (fault.ErrorType == "invalid_client" || fault.ErrorType == "unauthorized_client"):
		c.tellOnce(ctx, "Stytch refused to introspect a token: check GUESTPASS_INTROSPECT_SECRETS; every write "+
			"through this app fails until it is right",
			"client_id", asked.client, "status", fault.StatusCode)
		return false, directory.ErrCredentials
	case errors.As(err, &fault) && fault.StatusCode < 500:
		return false, fmt.Errorf("introspect: %w", unexpected(stytcherror.Error{StatusCode: fault.StatusCode,
			ErrorType: fault.ErrorType, RequestID: fault.RequestID}))
	}
	return false, fmt.Errorf("introspect: %w", c.translate(ctx, err))
}

// clientSecret returns nil for a public client.
func (c *client) clientSecret(clientID string) *string {
	if secret := c.options.ClientSecrets[clientID]; secret != "" {
		return &secret
	}
	return nil
}
