package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Outcomes of an activity. What happens in one transaction is Done at once; what has
// its effect elsewhere is Started, then Done or Failed in a row of its own.
const (
	Started = "started"
	Done    = "done"
	Failed  = "failed"
)

// A Change is what an activity did: JSON of the target before and after, "" for none.
type Change struct{ Target, Before, After string }

// An Activity is one row of the append-only record.
type Activity struct {
	Owner        string
	Seq          int64 // 1, 2, 3… for each owner
	ID           string
	At           time.Time
	Subject      string // who
	Client       string // through which connected app
	Operation    string
	Target       string
	Before       string
	After        string
	Outcome      string
	RefersTo     string // id of the activity that this one finishes or undoes
	Request      string // request id, as in the log
	Conversation string // ChatGPT's, if it sent one
}

const activityColumns = `owner, seq, id, at, subject, client, operation, target, before, after, outcome, refers_to, request, conversation`

// hash binds the row to all rows before it.
func (a Activity) hash(previous string) string {
	row, _ := json.Marshal([]string{previous, a.Owner, strconv.FormatInt(a.Seq, 10), a.ID, strconv.FormatInt(millis(a.At), 10),
		a.Subject, a.Client, a.Operation, a.Target, a.Before, a.After, a.Outcome, a.RefersTo, a.Request, a.Conversation})
	sum := sha256.Sum256(row)
	return hex.EncodeToString(sum[:])
}

// Record appends a to its owner's chain: what the transaction has changed, unless a
// says it itself. It returns the row as it was kept. The owner's head is locked until
// the transaction ends, so that the chain has one order.
func (tx *Tx) Record(a Activity) (Activity, error) {
	if a.Target == "" {
		a.Target, a.Before, a.After = tx.changed.Target, tx.changed.Before, tx.changed.After
	}
	a.ID, a.At = NewID("act_"), tx.now
	var previous string
	err := tx.QueryRow(`INSERT INTO activity_heads (owner, seq, hash) VALUES ($1, 1, '')
		ON CONFLICT (owner) DO UPDATE SET seq = activity_heads.seq + 1 RETURNING seq, hash`, a.Owner).Scan(&a.Seq, &previous)
	if err != nil {
		return a, fmt.Errorf("record activity: %w", err)
	}
	hash := a.hash(previous)
	_, err = tx.Exec("INSERT INTO activity ("+activityColumns+`, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		a.Owner, a.Seq, a.ID, millis(a.At), a.Subject, a.Client, a.Operation, a.Target, a.Before, a.After, a.Outcome, a.RefersTo,
		a.Request, a.Conversation, hash)
	if err != nil {
		return a, fmt.Errorf("record activity: %w", err)
	}
	if _, err = tx.Exec("UPDATE activity_heads SET hash = $1 WHERE owner = $2", hash, a.Owner); err != nil {
		return a, fmt.Errorf("record activity: %w", err)
	}
	return a, nil
}

func scanActivity(row Scanner, more ...any) (a Activity, err error) {
	var at int64
	err = row.Scan(append([]any{&a.Owner, &a.Seq, &a.ID, &at, &a.Subject, &a.Client, &a.Operation, &a.Target, &a.Before, &a.After,
		&a.Outcome, &a.RefersTo, &a.Request, &a.Conversation}, more...)...)
	a.At = fromMillis(at)
	return a, err
}

// Position is where the list goes on after the activity.
func (a Activity) Position() string { return strconv.FormatInt(a.Seq, 10) }

// Activities returns up to limit activities of one subject, the newest first, before a
// position ("": from the newest). A started one is left out when it has ended.
func (s *Store) Activities(ctx context.Context, owner, subject, position string, limit int) ([]Activity, error) {
	before := int64(math.MaxInt64)
	if position != "" {
		var err error
		if before, err = strconv.ParseInt(position, 10, 64); err != nil {
			return nil, fmt.Errorf("position %q of an activity list: %w", position, err)
		}
	}
	activities, err := List(ctx, s, func(row Scanner) (Activity, error) { return scanActivity(row) },
		"SELECT "+activityColumns+` FROM activity a
		WHERE owner = $1 AND subject = $2 AND seq < $3 AND NOT (outcome = 'started' AND EXISTS
			(SELECT 1 FROM activity f WHERE f.owner = a.owner AND f.refers_to = a.id))
		ORDER BY seq DESC LIMIT $4`, owner, subject, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list activity: %w", err)
	}
	return activities, nil
}

// Activity returns one activity of the subject; [ErrNotFound] for anybody else's.
func (s *Store) Activity(ctx context.Context, owner, subject, id string) (Activity, error) {
	return scanActivity(s.QueryRow(ctx, "SELECT "+activityColumns+` FROM activity
		WHERE id = $1 AND owner = $2 AND subject = $3`, id, owner, subject))
}

// A LaterError says what has happened to the target since.
type LaterError struct{ Later Activity }

func (e *LaterError) Error() string { return "the target was changed later" }

// Undo has revert put the target of an activity back to what it was before, if nothing
// later has touched it, else it returns a [LaterError]. What revert does not note itself
// is recorded as the activity turned round.
func (tx *Tx) Undo(a Activity, revert func(*Tx, Activity) error) error {
	later, err := scanActivity(tx.QueryRow("SELECT "+activityColumns+` FROM activity
		WHERE owner = $1 AND target = $2 ORDER BY seq DESC LIMIT 1`, a.Owner, a.Target))
	if err != nil {
		return err
	}
	if later.ID != a.ID {
		return &LaterError{later}
	}
	tx.changed = Change{Target: a.Target, Before: a.After, After: a.Before}
	return revert(tx, a)
}

// UndoTask puts a task back to what it was before the activity; one that the activity
// created is deleted.
func (tx *Tx) UndoTask(a Activity) error {
	current, err := tx.task(a.Owner, a.Target)
	if err != nil {
		return err
	}
	restored := current
	if a.Before == "" { // it was created
		restored.DeletedAt = tx.now
	} else {
		var before Task
		if err := json.Unmarshal([]byte(a.Before), &before); err != nil {
			return fmt.Errorf("undo %s: %w", a.ID, err)
		}
		before.seq, before.ID, before.Creator, before.CreatedAt = current.seq, current.ID, current.Creator, current.CreatedAt
		restored = before
	}
	_, err = tx.replaceTask(a.Owner, current, restored)
	return err
}

// A Break is a place where the record is not what was written.
type Break struct {
	Owner string
	Seq   int64
	What  string
}

// VerifyActivity reads the whole record and returns how many rows it has, and every
// place where a row was altered, is missing, or was put in. It may run beside writers.
func (s *Store) VerifyActivity(ctx context.Context) (rows int, breaks []Break, err error) {
	heads, err := s.activityHeads(ctx)
	if err != nil {
		return 0, nil, err
	}
	at := map[string]head{} // the last row seen of each owner
	err = s.each(ctx, func(row Scanner) error {
		var hash string
		a, err := scanActivity(row, &hash)
		if err != nil {
			return err
		}
		rows++
		last := at[a.Owner]
		switch {
		case a.Seq != last.seq+1:
			breaks = append(breaks, Break{a.Owner, a.Seq, fmt.Sprintf("%d rows before it are missing", a.Seq-last.seq-1)})
		case a.hash(last.hash) != hash:
			breaks = append(breaks, Break{a.Owner, a.Seq, "the row, or its hash, was altered"})
		}
		at[a.Owner] = head{a.Seq, hash}
		return nil
	}, "SELECT "+activityColumns+", hash FROM activity ORDER BY owner, seq")
	if err != nil {
		return rows, breaks, fmt.Errorf("verify activity: %w", err)
	}
	now, err := s.activityHeads(ctx) // once more: the record may have grown while it was read
	if err != nil {
		return rows, breaks, err
	}
	return rows, append(breaks, compareHeads(heads, now, at)...), nil
}

// head is the end of a chain.
type head struct {
	seq  int64
	hash string
}

func (s *Store) activityHeads(ctx context.Context) (map[string]head, error) {
	heads := map[string]head{}
	err := s.each(ctx, func(row Scanner) error {
		var owner string
		var h head
		err := row.Scan(&owner, &h.seq, &h.hash)
		heads[owner] = h
		return err
	}, "SELECT owner, seq, hash FROM activity_heads")
	if err != nil {
		return nil, fmt.Errorf("verify activity: %w", err)
	}
	return heads, nil
}

// compareHeads holds the ends that were read against those recorded before and after.
func compareHeads(before, after, read map[string]head) (breaks []Break) {
	for owner, h := range before {
		if last := read[owner]; last.seq < h.seq {
			breaks = append(breaks, Break{owner, h.seq, fmt.Sprintf("%d rows at the end are missing", h.seq-last.seq)})
		}
	}
	for owner, last := range read {
		switch h := after[owner]; {
		case h.seq < last.seq:
			breaks = append(breaks, Break{owner, last.seq, "rows were put in past the recorded end"})
		case h.seq == last.seq && h.hash != last.hash:
			breaks = append(breaks, Break{owner, last.seq, "the last row, or the recorded end, was altered"})
		}
	}
	return breaks
}
