package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// What bounds the use of a Postgres. The first three are what [defaultBounds] has.
const (
	lockTimeout      = 2 * time.Second  // for a row that somebody else holds
	statementTimeout = 10 * time.Second // of one statement
	idleTimeout      = 5 * time.Second  // of a transaction that does nothing, as its program is frozen
	connectTimeout   = 2 * time.Second
	connectSeveral   = 800 * time.Millisecond // to all addresses of the URL: less than a look for revocations has

	maxWait = 2 * time.Second // for one of the connections
	// answerMargin is how much longer than a statement may take a server is waited for that does not end it by itself,
	// and a transaction with all of its statements.
	answerMargin = time.Second
)

// Connections to a Postgres.
const (
	DefaultConnections = 16 // see [Options]
	FewestConnections  = 4  // of which each owner has one to read with, and one to change
	DefaultIdle        = 10 * time.Minute

	maxApart  = 2 // beside those, see [Apart], to look; and as many for revocations, of which one owner has one
	maxToMake = 4 // beside those, while the schema is brought up to date
)

type contextKey int

const (
	ownerKey contextKey = iota
	apartKey
	makingKey
	unpreparedKey
)

// ForOwner says on whose behalf the context's calls read and write: an organization, or in Consumer projects a user.
// One owner has a share of the connections to Postgres. Calls of a context without an owner have no such bound.
func ForOwner(ctx context.Context, owner string) context.Context {
	return context.WithValue(ctx, ownerKey, owner)
}

// Apart gives the context's calls connections to Postgres that nobody else uses: what looks, such as health checks, and
// what changes, which are revocations, wait neither for what people do nor for each other.
func Apart(ctx context.Context) context.Context { return context.WithValue(ctx, apartKey, true) }

var (
	errAway   = fmt.Errorf("%w: Postgres does not answer; it is asked again every second", ErrUnavailable)
	errShare  = fmt.Errorf("%w: others of the same owner wait for Postgres", ErrUnavailable)
	errNoConn = fmt.Errorf("%w: no connection to Postgres is free", ErrUnavailable)
)

// A session is a connection for one statement or one transaction. End it after use.
type session struct {
	*sql.Conn
	ctx context.Context // of what is done with it
	end func()
}

// session takes a connection of the pool of readers, which on Postgres is everybody's. It waits for one no longer than
// the caller and maxWait allow.
func (s *Store) session(ctx context.Context, changes bool) (session, error) {
	if s.database != Postgres {
		conn, err := s.read.Conn(ctx)
		return session{conn, ctx, func() {
			if conn != nil {
				_ = conn.Close()
			}
		}}, err
	}
	waiting, stop := context.WithTimeoutCause(ctx, maxWait, errNoConn)
	defer stop()
	pool, use := s.poolFor(ctx, changes)
	if (use == reading || use == changing) && s.away.now() {
		return session{}, errAway
	}
	leave, err := s.shares.enter(waiting, ctx, use)
	if err != nil {
		return session{}, err
	}
	conn, err := pool.Conn(waiting)
	if err != nil {
		leave()
		if ctx.Err() == nil && context.Cause(waiting) == errNoConn {
			err = errNoConn
		}
		return session{}, err
	}
	bounded, cancel := ctx, func() {}
	if s.answer > 0 && use != making {
		bounded, cancel = context.WithTimeout(ctx, s.answer)
	}
	return session{conn, bounded, func() {
		_ = conn.Close()
		cancel()
		leave()
	}}, nil
}

// A use is what a connection is for.
type use int

const (
	reading use = iota
	changing
	revoking
	looking // nobody's in particular
	making  // tables
)

// poolFor returns the pool that a context's calls use, and for what.
func (s *Store) poolFor(ctx context.Context, changes bool) (*sql.DB, use) {
	apart, _ := ctx.Value(apartKey).(bool)
	migrating, _ := ctx.Value(makingKey).(bool)
	switch {
	case migrating:
		return s.making, making
	case apart && changes:
		return s.revoking, revoking
	case apart:
		return s.apart, looking
	case changes:
		return s.read, changing
	}
	return s.read, reading
}

// shares are how many connections each owner holds or waits for.
type shares struct {
	// each has as many to read with, and as many to change: whoever waits for a row that is locked leaves others theirs
	each int64
	mu   sync.Mutex // guards of
	of   map[share]*places
}

type share struct {
	owner string
	use   use
}

type places struct {
	*semaphore.Weighted
	users int // hold one, or wait
}

// enter waits for a place in the owner's share.
func (s *shares) enter(waiting, ctx context.Context, purpose use) (leave func(), err error) {
	owner, _ := ctx.Value(ownerKey).(string)
	if owner == "" || purpose == looking || purpose == making {
		return func() {}, nil
	}
	key := share{owner, purpose}
	own := s.join(key)
	if err := own.Acquire(waiting, 1); err != nil {
		s.part(key, own)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, errShare
	}
	return func() {
		own.Release(1)
		s.part(key, own)
	}, nil
}

func (s *shares) join(key share) *places {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[share]*places{}
	}
	own := s.of[key]
	if own == nil {
		number := s.each
		if key.use == revoking {
			number = 1
		}
		own = &places{Weighted: semaphore.NewWeighted(number)}
		s.of[key] = own
	}
	own.users++
	return own
}

func (s *shares) part(key share, own *places) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(s.of, key)
	}
}

// absence knows whether Postgres answers. Who looks every second at what it keeps says so. While it does not, others
// are refused at once: each would hold a place until its time is over.
type absence struct {
	failures atomic.Int32
	noted    atomic.Int64 // when the last look ended, in nanoseconds since 1970
}

// staleAfter is when what looks have found says nothing any more, as nobody looks.
const staleAfter = 5 * time.Second

// note takes what a look has found. One look may be late on a machine that is busy, two are not.
func (a *absence) note(err error) {
	a.noted.Store(time.Now().UnixNano())
	switch {
	case err == nil, errors.Is(err, ErrTables): // it answers
		a.failures.Store(0)
	case errors.Is(err, ErrUnavailable):
		a.failures.Add(1)
	}
}

func (a *absence) now() bool {
	return a.failures.Load() >= 2 && time.Since(time.Unix(0, a.noted.Load())) < staleAfter
}
