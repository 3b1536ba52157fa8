package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// A Claim is one call's right to be carried out: while it stands, an equal call is
// not, and gets the answer that was kept.
type Claim struct {
	Key  string // of owner, subject, client, operation and what the client sent; see [Digest]
	Body string // digest of the request
	For  time.Duration
}

// A Reply is what became of an equal call. An empty JSON is one that is under way.
type Reply struct{ JSON string }

// ErrOtherBody is returned for a key that was used with another request.
var ErrOtherBody = errors.New("the key was used with another request")

// Digest names the parts as one; with their lengths, so that no two rows of parts read
// alike.
func Digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Reply returns what was kept for the claim's key, and false if nothing was.
func (s *Store) Reply(ctx context.Context, c Claim) (Reply, bool, error) {
	return readReply(s.QueryRow(ctx, selectReply, c.Key, millis(s.now())), c)
}

const selectReply = "SELECT body, reply FROM replies WHERE key = $1 AND expires_at > $2"

func readReply(row Row, c Claim) (r Reply, found bool, err error) {
	var body string
	err = row.Scan(&body, &r.JSON)
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

// Claim takes the key, or returns the reply of who has it. On Postgres it waits for a
// transaction that is about to take the same key.
func (tx *Tx) Claim(c Claim) (earlier Reply, taken bool, err error) {
	inserted, err := tx.Exec(`INSERT INTO replies (key, body, reply, expires_at) VALUES ($1, $2, '', $3)
		ON CONFLICT (key) DO UPDATE SET body = excluded.body, reply = '', expires_at = excluded.expires_at
		WHERE replies.expires_at <= $4`, c.Key, c.Body, millis(tx.now.Add(c.For)), millis(tx.now))
	if err != nil {
		return earlier, false, fmt.Errorf("claim: %w", err)
	}
	if inserted > 0 {
		return earlier, true, nil
	}
	earlier, _, err = readReply(tx.QueryRow(selectReply, c.Key, millis(tx.now)), c)
	return earlier, false, err
}

// KeepReply keeps the answer for as long as the claim says, from now.
func (tx *Tx) KeepReply(c Claim, json string) error {
	_, err := tx.Exec("UPDATE replies SET reply = $1, expires_at = $2 WHERE key = $3", json, millis(tx.now.Add(c.For)), c.Key)
	return err
}

// Release gives a key back: the call came to nothing and may be made again.
func (tx *Tx) Release(c Claim) error {
	_, err := tx.Exec("DELETE FROM replies WHERE key = $1", c.Key)
	return err
}

// forgetReplies removes what has expired, some at a time.
func (s *Store) forgetReplies(ctx context.Context) error {
	for {
		var forgotten int64
		err := s.Write(ctx, func(tx *Tx) (err error) {
			forgotten, err = tx.Exec(`DELETE FROM replies WHERE key IN
				(SELECT key FROM replies WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)`, millis(tx.now))
			return err
		})
		if err != nil || forgotten < 500 {
			return err
		}
	}
}
