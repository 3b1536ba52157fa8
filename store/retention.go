package store

import (
	"context"
	"errors"
	"time"
)

// DefaultKeep is how long the store keeps the record of changes, and connections that nobody uses.
const DefaultKeep = 365 * 24 * time.Hour

// DefaultReplies is how long the store keeps the answer to a call that has a key of its own.
const DefaultReplies = 24 * time.Hour

// KeepReplies returns how long the answer to a call that has a key of its own is kept.
func (s *Store) KeepReplies() time.Duration { return s.replies }

// purgeInterval is how often the store removes what is no longer kept.
const purgeInterval = time.Hour

// stepRows is how many rows are removed at once, while all writers wait.
const stepRows = 500

// forget removes what has expired and makes no difference to anybody.
func (s *Store) forget(ctx context.Context) error {
	return errors.Join(s.forgetReplies(ctx), s.forgetDenials(ctx))
}

// RestoreWindow is how long a deleted thing can be restored, or its deletion undone.
const RestoreWindow = 30 * 24 * time.Hour

// ErrFinal says that something was deleted longer ago than that. [Store.Purge] removes it some time.
var ErrFinal = errors.New("it was deleted more than 30 days ago")

// Final reports whether something that was deleted at that time can no longer be brought back.
func Final(deleted, now time.Time) bool {
	return !deleted.IsZero() && now.After(deleted.Add(RestoreWindow))
}

// Purge removes what is no longer kept, a step at a time: what was deleted too long ago to be restored, and the oldest
// rows of the record and of unused connections.
func (s *Store) Purge(ctx context.Context) error {
	until := s.Now().Add(-RestoreWindow - time.Millisecond)
	var errs []error
	for _, schema := range s.schemas {
		if schema.Purge != nil {
			errs = append(errs, schema.Purge(ctx, s, until))
		}
	}
	dropUnused := func(tx *Tx) (int64, error) { return tx.removeUnused(Millis(tx.now.Add(-s.keepUnused))) }
	return errors.Join(append(errs, s.dropOldActivity(ctx), s.InSteps(ctx, stepRows, dropUnused))...)
}

// InSteps repeats a step, each time in a transaction of its own, until it removes fewer rows than it may. A step makes
// room, so it may use the reserve, and no quota refuses it.
func (s *Store) InSteps(ctx context.Context, atOnce int64, step func(*Tx) (removed int64, err error)) error {
	for {
		var removed int64
		err := s.Write(ctx, func(tx *Tx) (err error) {
			tx.reserved, tx.beyondQuota = true, true
			removed, err = step(tx)
			return err
		})
		if err != nil || removed < atOnce {
			return err
		}
	}
}

func (tx *Tx) removeUnused(until int64) (int64, error) {
	return tx.Exec(`DELETE FROM connections WHERE (owner, subject, client) IN
		(SELECT owner, subject, client FROM connections WHERE last_used <= $1 LIMIT $2)`, until, stepRows)
}

// dropOldActivity drops the oldest rows of each owner's record: those older than the time for which rows are kept and,
// if a quota is nearly used up, those too old to undo a deletion.
func (s *Store) dropOldActivity(ctx context.Context) error {
	old, undone := Millis(s.now().Add(-s.keep)), Millis(s.now().Add(-RestoreWindow))
	name := func(row Scanner) (owner string, err error) { return owner, row.Scan(&owner) }
	aged, err := List(ctx, s, name, `SELECT h.owner FROM activity_heads h
		JOIN activity a ON a.owner = h.owner AND a.seq = h.floor_seq + 1 WHERE a.at <= $1`, old)
	for _, owner := range aged {
		err = errors.Join(err, s.InSteps(ctx, stepRows, func(tx *Tx) (int64, error) {
			return tx.dropActivity(owner, old, stepRows)
		}))
	}
	nearly, failed := List(ctx, s, name, "SELECT DISTINCT u.owner FROM quota_usage u WHERE "+nearlyUsed,
		s.quota.nearly()...)
	err = errors.Join(err, failed)
	for _, owner := range nearly {
		err = errors.Join(err, s.InSteps(ctx, 1, func(tx *Tx) (int64, error) { return tx.dropExcess(owner, undone) }))
	}
	return err
}

// nearlyUsed selects rows of quota_usage that are beyond what [Quota.nearly] returns.
const nearlyUsed = `(u.person = '' AND (u.activities > $1 OR u.bytes > $2)
	OR u.person <> '' AND u.person <> u.owner AND (u.activities > $3 OR u.bytes > $4))`

// nearly returns nine tenths of the quota and of a person's share, for nearlyUsed.
func (q Quota) nearly() []any {
	share := q.share()
	return []any{q.Activities * 9 / 10, q.Bytes / 10 * 9, share.Activities * 9 / 10, share.Bytes / 10 * 9}
}

// dropExcess drops some of the oldest rows if the owner, or a person who has older ones, has nearly used up their
// quota. Whoever fills it now makes nobody else's past go away.
func (tx *Tx) dropExcess(owner string, until int64) (int64, error) {
	err := tx.QueryRow("SELECT 1 FROM quota_usage u WHERE "+nearlyUsed+` AND u.owner = $5 AND $6 >=
			CASE WHEN u.person = ''
			THEN (SELECT a.at FROM activity a WHERE a.owner = u.owner ORDER BY a.seq LIMIT 1)
			ELSE (SELECT a.at FROM activity a WHERE a.owner = u.owner AND a.subject = u.person ORDER BY a.seq LIMIT 1)
			END LIMIT 1`,
		append(tx.quota.nearly(), owner, until)...).Scan(new(int))
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return tx.dropActivity(owner, until, max(1, min(stepRows, tx.quota.Activities/20)))
}

// dropActivity drops at most so many rows from the beginning of an owner's record, up to the first one that is younger
// than until. The head keeps the hash that the rest of the chain is checked against.
func (tx *Tx) dropActivity(owner string, until, atMost int64) (int64, error) {
	var floor, last, at int64
	var hash string
	if mine, err := tx.mayArchive(); err != nil || !mine {
		return 0, err
	}
	err := tx.QueryRow("UPDATE activity_heads SET floor_seq = floor_seq WHERE owner = $1 RETURNING floor_seq",
		owner).Scan(&floor)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRow(`SELECT seq, hash, at FROM activity
		WHERE owner = $1 AND seq > $2 AND seq <= $3 AND seq < coalesce(
			(SELECT min(seq) FROM activity WHERE owner = $1 AND seq > $2 AND seq <= $3 AND at > $4), $3 + 1)
		ORDER BY seq DESC LIMIT 1`, owner, floor, floor+atMost, until).Scan(&last, &hash, &at)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if err := tx.archiveRows(owner, floor, last); err != nil {
		return 0, err
	}
	if _, err := tx.Exec("UPDATE activity_heads SET floor_seq = $1, floor_hash = $2, floor_at = $3 WHERE owner = $4",
		last, hash, at, owner); err != nil {
		return 0, err
	}
	return tx.deleteCounted(1, `DELETE FROM activity WHERE owner = $1 AND seq > $2 AND seq <= $3
		RETURNING owner, subject, bytes`, owner, floor, last)
}

// KnownSince returns the time of the newest change that the owner's record has lost: it is complete from then on. The
// time is zero if it has lost none.
func (s *Store) KnownSince(ctx context.Context, owner string) (time.Time, error) {
	var at int64
	err := s.QueryRow(ctx, "SELECT floor_at FROM activity_heads WHERE owner = $1", owner).Scan(&at)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	return FromMillis(at), err
}
