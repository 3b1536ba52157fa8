package stytch

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"guestpass/directory"
	"guestpass/internal/limits"
	"guestpass/internal/pattern"
)

const (
	knownSessionFor  = time.Hour        // for which a session that was good is not taken for a made-up one
	maxSession       = 1024             // bytes of a token
	absentSessionFor = 10 * time.Minute // one that has ended does not begin again
)

// sessionMemory remembers by their digests which sessions Stytch knew, and which it did not. That one
// was known lets nobody in: it is asked for on behalf of its person, and not of a visitor, whose
// address may have spent what it had.
type sessionMemory struct {
	known  *limits.Cache[limits.Party]
	absent *limits.Cache[struct{}]
	inVain *limits.Rate // that people show who have proved to be somebody
}

func newSessionMemory(l *limits.Limits) sessionMemory {
	return sessionMemory{
		known: limits.NewCache[limits.Party](l, limits.Bound{Name: "sessions that Stytch knew", Number: maxCached,
			Shares: limits.Shares{limits.Organization: maxCached / 4, limits.Person: 20}}),
		absent: limits.NewCache[struct{}](l, limits.Bound{Name: "sessions that Stytch does not know", Number: maxCached,
			Shares: limits.Shares{limits.Address: 100, limits.Person: 20}}),
		inVain: l.Rate(limits.Bound{Name: "sessions shown in vain, for people",
			Shares: limits.Shares{limits.Person: inVainOfAddress}}),
	}
}

// session asks Stytch for a session in a form that one can have, once that is worth a call.
func (c *client) session(ctx context.Context, token, jwt string,
	authenticate func(context.Context) (directory.Person, error)) (directory.Person, error) {
	if err := checkSession(token, jwt); err != nil {
		return directory.Person{}, err
	}
	sum := sha256.Sum256([]byte("session " + token + " " + jwt))
	key, now := string(sum[:]), c.options.Now()
	if _, absent := c.sessions.absent.Get(key, now); absent {
		return directory.Person{}, fmt.Errorf("a session that was not one lately: %w", directory.ErrNotFound)
	}
	party, known := c.sessions.known.Get(key, now)
	if known {
		ctx = limits.WithParty(ctx, party)
	}
	ctx = askForAnybody(ctx, askSession)
	var person directory.Person
	do := func() (err error) {
		person, err = authenticate(ctx)
		return err
	}
	var err error
	switch {
	case known:
		err = do()
	case isVisit(ctx):
		err = countInVain(ctx, c.inVain, do)
	default:
		err = countInVain(ctx, c.sessions.inVain, do)
	}
	switch {
	case err == nil:
		party = limits.Party{Organization: person.Organization.ID, Person: person.ID}
		c.sessions.known.Put(party, key, party, now.Add(knownSessionFor))
	case errors.Is(err, directory.ErrNotFound):
		c.sessions.known.Drop(key)
		c.sessions.absent.Put(limits.PartyOf(ctx), key, struct{}{}, now.Add(absentSessionFor))
	}
	return person, err
}

// checkSession wants exactly one way to show a session, in a form that is not certain to be
// another thing. Stytch promises none for tokens beyond that they are opaque; those that its
// documentation shows have 44 characters of base64url. The form here is wider on purpose.
func checkSession(token, jwt string) error {
	switch {
	case (token == "") == (jwt == ""):
		return fmt.Errorf("a session is shown by its token or by its JWT: %w", directory.ErrNotFound)
	case token != "" && (len(token) > maxSession || !tokenForm.MatchString(token)), jwt != "" && !isJWT(jwt):
		return fmt.Errorf("what is shown has not the form of a session: %w", directory.ErrNotFound)
	}
	return nil
}

var tokenForm = pattern.New(`^[A-Za-z0-9_~.+/=-]{16,}$`)

// isJWT reports whether the text has three parts of base64url, of which the first two are objects.
func isJWT(text string) bool {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return false
	}
	for i, part := range parts {
		content, err := base64.RawURLEncoding.Strict().DecodeString(part)
		object := len(content) > 2 && content[0] == '{' && content[len(content)-1] == '}'
		if err != nil || len(content) == 0 || i < 2 && !object {
			return false
		}
	}
	return true
}
