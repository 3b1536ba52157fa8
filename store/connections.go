package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Connection is what is remembered of a person's use of one connected app.
type Connection struct {
	Owner     string // organization, or user in Consumer projects
	Subject   string
	Client    string
	Scopes    string // of the last token, separated by spaces
	FirstUsed time.Time
	LastUsed  time.Time
}

const connectionColumns = "owner, subject, client, scopes, first_used, last_used"

func scanConnection(row Scanner) (c Connection, err error) {
	var first, last int64
	err = row.Scan(&c.Owner, &c.Subject, &c.Client, &c.Scopes, &first, &last)
	c.FirstUsed, c.LastUsed = FromMillis(first), FromMillis(last)
	return c, err
}

// NoteUse keeps that a connection was used at c.LastUsed. It does not read c.FirstUsed.
func (tx *Tx) NoteUse(c Connection) error {
	_, err := tx.Exec("INSERT INTO connections ("+connectionColumns+`) VALUES ($1, $2, $3, $4, $5, $5)
		ON CONFLICT (owner, subject, client) DO UPDATE SET scopes = excluded.scopes, last_used = excluded.last_used
		WHERE excluded.last_used > connections.last_used`, c.Owner, c.Subject, c.Client, c.Scopes, Millis(c.LastUsed))
	if err != nil {
		return fmt.Errorf("note the use of %s: %w", c.Client, err)
	}
	return nil
}

// Connections returns up to limit connections of the owner that were used, the latest first; of
// one subject, or with "" of all.
func (s *Store) Connections(ctx context.Context, owner, subject string, limit int) ([]Connection, error) {
	list, err := List(ctx, s, scanConnection, "SELECT "+connectionColumns+` FROM connections
		WHERE owner = $1 AND ($2 = '' OR subject = $2) ORDER BY last_used DESC, subject, client LIMIT $3`,
		owner, subject, limit)
	if err != nil {
		return nil, fmt.Errorf("list connections: %w", err)
	}
	return list, nil
}

// A Denial refuses tokens of a person and a connected app.
type Denial struct {
	Subject   string
	Client    string
	Owner     string
	RevokedAt time.Time // tokens issued until then are refused
	ExpiresAt time.Time // when it may be forgotten, as the last of them has ended
	RetryAt   time.Time // when Stytch is asked again to revoke; until it has, every token is refused. Zero when it has
}

// Pending: Stytch has not revoked yet, so that it may go on issuing tokens.
func (d Denial) Pending() bool { return !d.RetryAt.IsZero() }

const denialColumns = "subject, client, owner, revoked_at, expires_at, retry_at"

func scanDenial(row Scanner) (d Denial, err error) {
	var revoked, expires, retry int64
	err = row.Scan(&d.Subject, &d.Client, &d.Owner, &revoked, &expires, &retry)
	d.RevokedAt, d.ExpiresAt, d.RetryAt = FromMillis(revoked), FromMillis(expires), FromMillis(retry)
	return d, err
}

// Deny keeps the denial. If the pair has one, the later of their times counts, whichever instance's clock it is from.
// On Postgres, whose clock all instances share, a denial is no older than that says: those of an instance whose clock
// is behind count from then, too.
//
// The new denial says when to ask Stytch; if it says nothing because Stytch has revoked already, the time of the old
// one stays, since that denial may be newer.
//
// Deny does not record a denial that repeats one with no use in between, so that nobody can fill the space that is
// reserved for denials.
func (tx *Tx) Deny(d Denial) error {
	tx.reserved = true
	behind, err := tx.behind()
	if err != nil {
		return fmt.Errorf("deny %s: %w", d.Client, err)
	}
	d.RevokedAt, d.ExpiresAt = d.RevokedAt.Add(behind), d.ExpiresAt.Add(behind)
	return tx.Keep(d)
}

// Keep is Deny for a denial that was kept before, and has its times already.
func (tx *Tx) Keep(d Denial) error {
	tx.reserved, tx.beyondQuota = true, true
	err := tx.QueryRow(`SELECT 1 FROM denials d WHERE subject = $1 AND client = $2 AND NOT EXISTS (
			SELECT 1 FROM connections c WHERE c.owner = d.owner AND c.subject = d.subject AND c.client = d.client
				AND c.last_used > d.revoked_at)`,
		d.Subject, d.Client).Scan(new(int))
	if tx.repeats = err == nil; err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("deny %s: %w", d.Client, err)
	}
	_, err = tx.Exec("INSERT INTO denials ("+denialColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (subject, client) DO UPDATE SET owner = excluded.owner,
			retry_at = CASE WHEN excluded.retry_at > 0 THEN excluded.retry_at ELSE denials.retry_at END,
			revoked_at = CASE WHEN excluded.revoked_at > denials.revoked_at
				THEN excluded.revoked_at ELSE denials.revoked_at END,
			expires_at = CASE WHEN excluded.expires_at > denials.expires_at
				THEN excluded.expires_at ELSE denials.expires_at END`,
		d.Subject, d.Client, d.Owner, Millis(d.RevokedAt), Millis(d.ExpiresAt), Millis(d.RetryAt))
	if err != nil {
		return fmt.Errorf("deny %s: %w", d.Client, err)
	}
	return nil
}

// Settle says that Stytch has revoked, so that only tokens issued until revoked are
// refused. It does nothing to a denial that was renewed or postponed since d was read.
func (tx *Tx) Settle(d Denial, revoked, expires time.Time) error {
	tx.reserved = true
	behind, err := tx.behind()
	if err != nil {
		return fmt.Errorf("settle the denial of %s: %w", d.Client, err)
	}
	revoked, expires = revoked.Add(behind), expires.Add(behind)
	_, err = tx.Exec(`UPDATE denials SET retry_at = 0,
			revoked_at = CASE WHEN $1 > revoked_at THEN $1 ELSE revoked_at END,
			expires_at = CASE WHEN $2 > expires_at THEN $2 ELSE expires_at END
		WHERE subject = $3 AND client = $4 AND retry_at = $5`,
		Millis(revoked), Millis(expires), d.Subject, d.Client, Millis(d.RetryAt))
	if err != nil {
		return fmt.Errorf("settle the denial of %s: %w", d.Client, err)
	}
	return nil
}

// Postpone sets when to ask Stytch next. It reports false if another instance is asking already.
func (tx *Tx) Postpone(d Denial, until time.Time) (mine bool, err error) {
	tx.reserved = true
	n, err := tx.Exec("UPDATE denials SET retry_at = $1 WHERE subject = $2 AND client = $3 AND retry_at = $4",
		Millis(until), d.Subject, d.Client, Millis(d.RetryAt))
	return n > 0, err
}

// maxBehind is how far the clock of an instance may be wrong for Postgres to correct it. Beyond that nothing is right
// there, and the log says so; see [Store.ClockDifference].
const maxBehind = 10 * time.Minute

// behind returns how far this instance's clock is behind that of Postgres; 0 if it is not, and on SQLite.
func (tx *Tx) behind() (time.Duration, error) {
	if tx.database != Postgres {
		return 0, nil
	}
	var now int64
	if err := tx.QueryRow(postgresNow).Scan(&now); err != nil {
		return 0, err
	}
	if behind := FromMillis(now).Sub(tx.now); behind > 0 && behind <= maxBehind {
		return behind, nil
	}
	return 0, nil
}

const postgresNow = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"

// ClockDifference returns how far the clock of Postgres is ahead of this Store's, to half of what the question took; 0
// on SQLite, whose clock is the machine's.
func (s *Store) ClockDifference(ctx context.Context) (time.Duration, error) {
	if s.database != Postgres {
		return 0, nil
	}
	var now int64
	asked := s.now()
	if err := s.QueryRow(Apart(ctx), postgresNow).Scan(&now); err != nil {
		return 0, fmt.Errorf("compare clocks: %w", err)
	}
	answered := s.now()
	return FromMillis(now).Sub(asked.Add(answered.Sub(asked) / 2)), nil
}

// Denials returns those that count now: of tokens issued after since, and all for which Stytch has not revoked yet.
// Call it every second: while Postgres does not answer this, the Store refuses at once what people do.
func (s *Store) Denials(ctx context.Context, since time.Time) ([]Denial, error) {
	list, err := List(Apart(ctx), s, scanDenial, "SELECT "+denialColumns+` FROM denials
		WHERE (expires_at > $1 AND revoked_at > $2) OR retry_at > 0`, s.timestamp(), Millis(since))
	if s != nil {
		s.away.note(err)
	}
	if err != nil {
		return nil, fmt.Errorf("list denials: %w", err)
	}
	return list, nil
}

// timestamp returns the time in milliseconds; 0 for a nil Store, whose answer is an error anyway.
func (s *Store) timestamp() int64 {
	if s == nil {
		return 0
	}
	return Millis(s.now())
}

// forgetDenials removes denials that no valid token can meet any more.
func (s *Store) forgetDenials(ctx context.Context) error {
	return s.Write(ctx, func(tx *Tx) error {
		tx.reserved = true
		_, err := tx.Exec("DELETE FROM denials WHERE expires_at <= $1 AND retry_at = 0", Millis(tx.now))
		return err
	})
}
