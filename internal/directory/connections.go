package directory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"
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
)

// standing is what a person may be taken for.
type standing struct {
	roles []string // nil for who is gone or not active
	err   error    // nil, ErrInactive or ErrNotFound

	until     time.Time // the minute in which it is believed
	postponed time.Time // while Stytch does not answer, to let somebody read; never for roles
}

// standingOf asks Stytch once a minute. When it cannot be asked the last answer comes with
// the error, and whether there is one.
func (c *client) standingOf(ctx context.Context, organizationID, id string) (known standing, found bool, err error) {
	key := organizationID + " " + id
	c.mu.Lock()
	last, found := c.standings[key]
	c.mu.Unlock()
	if found && c.options.Now().Before(last.until) {
		return last, true, nil
	}
	known.until = c.options.Now().Add(cacheFor) // from before the question: the answer may be on its way for long
	p, err := c.person(forAdmission(ctx), organizationID, id)
	switch {
	case errors.Is(err, ErrNotFound):
		known.err = ErrNotFound
	case err != nil:
		return last, found, err
	case p.Status != "active":
		known.err = fmt.Errorf("%s is %s: %w", id, p.Status, ErrInactive)
	default:
		known.roles = p.Roles
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.standings) >= maxCached {
		clear(c.standings)
	}
	c.standings[key] = known
	return known, true, nil
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
		if !errors.As(err, new(*UnavailableError)) || !found {
			return nil, errors.Join(err, known.err)
		}
		c.postpone(key)
		return nil, known.err
	})
	return err
}

// believed is an answer that is postponed.
func (c *client) believed(key string) (standing, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, found := c.standings[key]
	return last, found && c.options.Now().Before(last.postponed)
}

// postpone believes an answer for some seconds more, so that reads do not all wait for a
// Stytch that does not answer.
func (c *client) postpone(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last, ok := c.standings[key]; ok {
		last.postponed = c.options.Now().Add(believeFor)
		c.standings[key] = last
	}
}

// noSession makes ErrNotFound of every verdict on a session; those on our own credentials
// and outages stay what they are.
func noSession(err error) error {
	var fault stytcherror.Error
	if errors.As(err, &fault) && fault.StatusCode < http.StatusInternalServerError {
		return ErrNotFound
	}
	return err
}

// checkSession wants exactly one way to show a session.
func checkSession(token, jwt string) error {
	if (token == "") == (jwt == "") {
		return fmt.Errorf("a session is shown by its token or by its JWT: %w", ErrNotFound)
	}
	return nil
}

func onlyActive(status string) error {
	if status != "active" {
		return fmt.Errorf("the session's person is %s: %w", status, ErrInactive)
	}
	return nil
}

// disconnected turns what Stytch said of a revocation into an error: none if there was
// nothing to revoke, or nobody.
func (c *client) disconnected(ctx context.Context, clientID string, err error) error {
	if err == nil {
		return nil
	}
	if err = c.translate(ctx, err); errors.Is(err, ErrNotFound) {
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
	case errors.As(err, &fault) && fault.StatusCode < http.StatusInternalServerError:
		c.options.Log.ErrorContext(ctx, "Stytch refused to introspect a token: check GUESTPASS_INTROSPECT_SECRETS; every write through this app fails until it is right",
			"client_id", asked.client, "status", fault.StatusCode)
		return false, ErrCredentials
	}
	return false, fmt.Errorf("introspect: %w", c.translate(ctx, err))
}

// clientSecret is nil for a public client.
func (c *client) clientSecret(clientID string) *string {
	if secret := c.options.ClientSecrets[clientID]; secret != "" {
		return &secret
	}
	return nil
}
