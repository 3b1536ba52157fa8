package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// reserveBytes is the space kept free for denials. A denial takes some 50 kB until SQLite has moved it from its log
// into the file, and 1 kB from then on.
const reserveBytes = 2 << 20

// A reserve is space that the store takes at the start, so that nobody can use it up. When a denial, or the removal of
// old rows, finds the disk full, the store gives the space back for them. Until it can take the space again, it writes
// nothing else.
type reserve struct {
	space space // nil: there is none

	mu    sync.Mutex  // held while it is lent or taken
	lent  atomic.Bool // and not taken again yet: what is no denial waits
	tried time.Time   // to take it again; guarded by mu
}

// A space is where the reserve is.
type space interface {
	give(context.Context) error // to whoever writes next
	take(context.Context) error // does nothing if it is there
}

// errReserved refuses any write but a denial.
var errReserved = fmt.Errorf("%w: what is left is kept for denials", ErrFull)

// retakeInterval is how often the store tries to take the reserve again.
const retakeInterval = time.Second

// prepareReserve takes the reserve at the start. Without one the store works on.
func (s *Store) prepareReserve(ctx context.Context) {
	if s.file != nil {
		s.reserve.space = &fileSpace{s.file.path + reserveSuffix, s.write}
	} else {
		s.reserve.space = tableSpace{s}
	}
	err := s.reserve.space.take(ctx)
	switch {
	case denied(err), errors.Is(err, errMayNotGive):
		s.reserve.space = nil
		s.log.WarnContext(ctx, noReserve, "error", err)
	case err != nil:
		s.reserve.lent.Store(true)
		s.log.ErrorContext(ctx, "no space is left to reserve for revocations; until there is, nothing else is written",
			"bytes", reserveBytes, "error", err)
	}
}

const noReserve = "no space is reserved for revocations: the role may not TRUNCATE the table reserve; have an " +
	"administrator run GRANT TRUNCATE on it"

// lend gives the space to f, which denies, and then takes again what is left of it.
func (s *Store) lend(ctx context.Context, f func() error) error {
	r := &s.reserve
	if r.space == nil {
		return f()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.lent.Swap(true) {
		s.log.ErrorContext(ctx, "the disk is full: a revocation takes reserved space; until there is space again, "+
			"nothing else is written")
	}
	if err := r.space.give(ctx); err != nil {
		return fmt.Errorf("%w: the reserved space is not to be had: %w", ErrFull, s.classify(err))
	}
	err := f()
	s.retake(ctx)
	return err
}

// retakeReserve tries to take the reserve again, if it is lent, once a second.
func (s *Store) retakeReserve(ctx context.Context) {
	r := &s.reserve
	if !r.lent.Load() || !r.mu.TryLock() {
		return
	}
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.tried) >= retakeInterval {
		s.retake(ctx)
	}
}

// retake is retakeReserve for callers that hold mu.
func (s *Store) retake(ctx context.Context) {
	r := &s.reserve
	r.tried = time.Now()
	var err error
	if r.space != nil {
		err = r.space.take(context.WithoutCancel(ctx))
	}
	switch {
	case errors.Is(err, errMayNotGive): // any more: it was taken for a reserve at the start
		s.log.WarnContext(ctx, noReserve, "error", err)
		r.lent.Store(false)
	case err == nil:
		r.lent.Store(false)
	}
}

const reserveSuffix = "-reserve"

// fileSpace is a file beside SQLite's.
type fileSpace struct {
	path string
	log  writer // has what is written before it comes into the file
}

func (f *fileSpace) give(context.Context) error {
	if err := os.Remove(f.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (f *fileSpace) take(ctx context.Context) error {
	if info, err := os.Stat(f.path); err == nil && info.Size() == reserveBytes {
		return nil
	}
	if w, ok := f.log.(*groupWriter); ok {
		if err := w.checkpoint(); err != nil { // which makes the log short; a reader is in the way for moments
			return err
		}
	}
	file, err := openOwn(f.path, os.O_WRONLY|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = file.Write(incompressible(reserveBytes))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(f.path))
	}
	return nil
}

// incompressible returns bytes that cannot be compressed, for file systems that would keep zeros in no space.
func incompressible(n int) []byte {
	content := make([]byte, n)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(content) // never fails
	return content
}

// tableSpace is a table of Postgres, which frees the space of a table when that is truncated. It helps if the disk of
// the tables is full. Without space for its write-ahead log, Postgres stops.
type tableSpace struct{ *Store }

const (
	reserveRows    = reserveBytes / 8192 * 226 // as many as a page holds
	fillReserve    = `INSERT INTO reserve (filler) SELECT * FROM generate_series(1, $1)`
	reserveTimeout = 2 * time.Second // for locks: a pg_dump may hold the table
)

func (t tableSpace) give(ctx context.Context) error {
	return t.emptied(ctx, func(*Tx) error { return nil })
}

// errMayNotGive says so of a reserve that another role may have filled: the day on which it is needed is too late.
var errMayNotGive = errors.New("the role may not TRUNCATE the table reserve")

func (t tableSpace) take(ctx context.Context) error {
	var rows int64
	var may bool
	err := t.QueryRow(ctx, "SELECT count(*), has_table_privilege('reserve', 'TRUNCATE') FROM reserve").Scan(&rows, &may)
	switch {
	case err == nil && !may:
		return errMayNotGive
	case err != nil, rows == reserveRows:
		return err
	}
	return t.emptied(ctx, func(tx *Tx) error {
		_, err := tx.Exec(fillReserve, reserveRows)
		return err
	})
}

// emptied empties the table, and runs f before anybody else sees that.
func (t tableSpace) emptied(ctx context.Context, f func(*Tx) error) error {
	_, err := t.change(ctx, func(tx *Tx) error {
		tx.reserved = true
		for _, statement := range []string{fmt.Sprintf("SET LOCAL lock_timeout = %d", reserveTimeout.Milliseconds()),
			"TRUNCATE reserve"} {
			if _, err := tx.Exec(statement); err != nil {
				return err
			}
		}
		return f(tx)
	})
	return err
}
