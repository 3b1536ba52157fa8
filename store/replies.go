package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// A Claim is one call's right to be carried out. While it stands, an equal call is not carried out and gets the answer
// that was kept.
type Claim struct {
	Key           string // of owner, subject, client, operation and what the client sent; see [Digest]
	Body          string // digest of the request
	Owner, Person string // whose the answer is
	For           time.Duration
	Gone          string // target of an answer that does not count any more, as there is no such thing now
}

// A Reply is what became of an equal call. JSON is empty while that call is under way.
type Reply struct{ JSON, Target string }

// ErrOtherBody is returned for a key that was used with another request.
var ErrOtherBody = errors.New("the key was used with another request")

// Digest returns one name for the parts. It includes their lengths, so that no two rows of parts read alike.
func Digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Reply returns what was kept for the claim's key, and false if nothing was.
func (s *Store) Reply(ctx context.Context, c Claim) (Reply, bool, error) {
	return readReply(s.QueryRow(ctx, selectReply, c.Key, Millis(s.now())), c)
}

const selectReply = "SELECT body, reply, target FROM replies WHERE key = $1 AND expires_at > $2"

func readReply(row Row, c Claim) (r Reply, found bool, err error) {
	var body string
	err = row.Scan(&body, &r.JSON, &r.Target)
	switch {
	case errors.Is(err, ErrNotFound):
		return r, false, nil
	case err != nil:
		return r, false, err
	case body != c.Body:
		return r, true, ErrOtherBody
	}
	return r, true, nil
}

// Claim takes the key, or returns the reply of the call that has it. On Postgres it waits for a transaction that is
// about to take the same key.
func (tx *Tx) Claim(c Claim) (earlier Reply, taken bool, err error) {
	if _, err := tx.DeleteCounted(`DELETE FROM replies
		WHERE key = $1 AND (expires_at <= $2 OR target = $3 AND target <> '') RETURNING owner, person, bytes`,
		c.Key, Millis(tx.now), c.Gone); err != nil {
		return earlier, false, fmt.Errorf("claim: %w", err)
	}
	inserted, err := tx.Exec(`INSERT INTO replies (key, body, reply, expires_at, owner, person, target, bytes)
		VALUES ($1, $2, '', $3, $4, $5, '', $6) ON CONFLICT (key) DO NOTHING`,
		c.Key, c.Body, Millis(tx.now.Add(c.For)), c.Owner, c.Person, replyOverhead)
	if err != nil {
		return earlier, false, fmt.Errorf("claim: %w", err)
	}
	if inserted > 0 {
		tx.use(c.Owner, c.Person, usage{bytes: replyOverhead})
		return earlier, true, nil
	}
	earlier, _, err = readReply(tx.QueryRow(selectReply, c.Key, Millis(tx.now)), c)
	return earlier, false, err
}

// KeepReply keeps the answer and its target for as long as the claim says, from now.
func (tx *Tx) KeepReply(c Claim, r Reply) error {
	kept, err := tx.Exec(`UPDATE replies SET reply = $1, target = $2, expires_at = $3, bytes = bytes + $4
		WHERE key = $5`,
		r.JSON, r.Target, Millis(tx.now.Add(c.For)), len(r.JSON), c.Key)
	if kept > 0 {
		tx.use(c.Owner, c.Person, usage{bytes: int64(len(r.JSON))})
	}
	return err
}

// Release gives a key back: the call came to nothing and may be made again.
func (tx *Tx) Release(c Claim) error {
	_, err := tx.DeleteCounted("DELETE FROM replies WHERE key = $1 RETURNING owner, person, bytes", c.Key)
	return err
}

// forgetReplies removes replies that have expired, some at a time.
func (s *Store) forgetReplies(ctx context.Context) error {
	return s.InSteps(ctx, stepRows, func(tx *Tx) (int64, error) {
		return tx.DeleteCounted(`DELETE FROM replies WHERE key IN
			(SELECT key FROM replies WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
			RETURNING owner, person, bytes`,
			Millis(tx.now), stepRows)
	})
}
