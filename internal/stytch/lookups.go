package stytch

import (
	"context"
	"errors"
	"time"

	"guestpass/directory"
	"guestpass/internal/limits"
)

const (
	maxCached = 10_000 // entries of each cache
	maxID     = 128    // bytes of an id or a slug, at most

	// staleFor is how long an answer that gives no rights goes on to count while Stytch cannot be asked.
	staleFor = 15 * time.Minute

	// What visitors may ask for in a minute that Stytch then does not know. Who asks for what is
	// there is not counted.
	inVainOfAddress = 20
	inVainOfAll     = 600
)

// lookUps remember what was looked up by an id, also that there is no such thing.
type lookUps[T any] struct {
	stale  time.Duration // for which an answer counts beyond its minute while Stytch cannot be asked
	found  *limits.Cache[cached[T]]
	absent *limits.Cache[struct{}]
}

func newLookUps[T any](l *limits.Limits, of string, stale time.Duration) lookUps[T] {
	shares := limits.Shares{limits.Address: 100, limits.Organization: maxCached / 4, limits.Person: 100}
	return lookUps[T]{
		stale: stale,
		found: limits.NewCache[cached[T]](l, limits.Bound{Name: of + " that were looked up", Number: maxCached,
			Shares: shares}),
		absent: limits.NewCache[struct{}](l, limits.Bound{Name: of + " that Stytch does not know", Number: maxCached,
			Shares: shares}),
	}
}

// get calls fetch for what was not asked for lately. A visitor's question counts unless there is
// such a thing.
func (k lookUps[T]) get(ctx context.Context, c *client, key string, fetch func() (T, error)) (thing T, err error) {
	now, party := c.options.Now(), limits.PartyOf(ctx)
	known, found := k.found.Get(key, now)
	if found && now.Before(known.until) {
		return known.value, nil
	}
	if _, absent := k.absent.Get(key, now); absent {
		return thing, directory.ErrNotFound
	}
	err = c.asVisitor(ctx, func() (err error) {
		thing, err = fetch()
		return err
	})
	switch {
	case err == nil:
		k.found.Put(party, key, cached[T]{thing, now.Add(cacheFor)}, now.Add(cacheFor+k.stale))
	case errors.Is(err, directory.ErrNotFound):
		k.found.Drop(key)
		k.absent.Put(party, key, struct{}{}, now.Add(cacheFor))
	case found && (errors.As(err, new(*directory.UnavailableError)) || errors.As(err, new(*ExceededError))):
		return known.value, nil
	}
	return thing, err
}

// asVisitor counts a visitor's asking to their address. It does not count that of people who
// are known.
func (c *client) asVisitor(ctx context.Context, do func() error) error {
	if !isVisit(ctx) {
		return do()
	}
	return countInVain(ctx, c.inVain, do)
}

// countInVain counts what is asked, unless it was for something that there is, or Stytch was not asked.
func countInVain(ctx context.Context, inVain *limits.Rate, do func() error) error {
	takeBack, exceeded := inVain.Take(limits.PartyOf(ctx))
	if exceeded != nil {
		return &ExceededError{exceeded}
	}
	err := do()
	if err == nil || refused(err) || errors.Is(err, limits.ErrBusy) {
		takeBack()
	}
	return err
}
