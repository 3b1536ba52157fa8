package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Outcomes of an activity. A change within one transaction is Done at once; one whose effect is elsewhere is Started,
// then Done or Failed in a row of its own.
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
	Removes      bool   // whether it took something away; not part of what the hash binds
}

const activityColumns = `owner, seq, id, at, subject, client, operation, target, before, after, outcome, refers_to, ` +
	`request, conversation, removes`

// hash binds the row to all rows before it.
func (a Activity) hash(previous string) string {
	row, _ := json.Marshal([]string{previous, a.Owner, strconv.FormatInt(a.Seq, 10), a.ID,
		strconv.FormatInt(Millis(a.At), 10),
		a.Subject, a.Client, a.Operation, a.Target, a.Before, a.After, a.Outcome, a.RefersTo, a.Request,
		a.Conversation})
	sum := sha256.Sum256(row)
	return hex.EncodeToString(sum[:])
}

// Record appends a to its owner's chain, with what the transaction has changed unless a says so itself, and returns the
// row as it was kept. It locks the owner's head until the transaction ends, so that the chain has one order.
func (tx *Tx) Record(a Activity) (Activity, error) {
	if a.Target == "" {
		a.Target, a.Before, a.After = tx.changed.Target, tx.changed.Before, tx.changed.After
	}
	if tx.repeats {
		return a, nil
	}
	a.ID, a.At = NewID("act_"), tx.now
	a.Removes = a.Removes || tx.takesAway() || a.Before != "" && a.After == ""
	var previous string
	err := tx.QueryRow(`INSERT INTO activity_heads (owner, seq, hash) VALUES ($1, 1, '')
		ON CONFLICT (owner) DO UPDATE SET seq = activity_heads.seq + 1 RETURNING seq, hash`,
		a.Owner).Scan(&a.Seq, &previous)
	if err != nil {
		return a, fmt.Errorf("record activity: %w", err)
	}
	tx.noteRecorded(a.Owner, a.Seq)
	hash := a.hash(previous)
	_, err = tx.Exec("INSERT INTO activity ("+activityColumns+`, hash, bytes)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		a.Owner, a.Seq, a.ID, Millis(a.At), a.Subject, a.Client, a.Operation, a.Target, a.Before, a.After, a.Outcome,
		a.RefersTo,
		a.Request, a.Conversation, oneIf(a.Removes), hash, a.size())
	if err != nil {
		return a, fmt.Errorf("record activity: %w", err)
	}
	if _, err = tx.Exec("UPDATE activity_heads SET hash = $1 WHERE owner = $2", hash, a.Owner); err != nil {
		return a, fmt.Errorf("record activity: %w", err)
	}
	tx.use(a.Owner, a.Subject, usage{activities: 1, bytes: a.size()})
	return a, nil
}

func oneIf(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

func scanActivity(row Scanner, more ...any) (a Activity, err error) {
	var at, removes int64
	err = row.Scan(append([]any{&a.Owner, &a.Seq, &a.ID, &at, &a.Subject, &a.Client, &a.Operation, &a.Target, &a.Before,
		&a.After,
		&a.Outcome, &a.RefersTo, &a.Request, &a.Conversation, &removes}, more...)...)
	a.At, a.Removes = FromMillis(at), removes == 1
	return a, err
}

// Position returns where a list goes on after the activity.
func (a Activity) Position() string { return strconv.FormatInt(a.Seq, 10) }

// An ActivityQuery selects activities of one subject. Empty fields select everything.
type ActivityQuery struct {
	Subject    string // required
	Client     string // through which they were done
	NoClient   bool   // only those that were done through none
	Removals   bool   // only those that took something away
	Kind       ActivityKind
	Operations []string // only those of these operations
	Limit      int
	After      string // Position of the last activity of the page before
	Since      string // Position of the first activity of the page after, in place of After: the page ends there
}

// ActivityKind is what an activity did to its target.
type ActivityKind string

// The kinds beside [ActivityQuery.Removals].
const (
	Created ActivityKind = "created" // there was nothing before
	Changed ActivityKind = "changed" // there was something, and there still is
)

// Activities returns up to q.Limit activities of one subject, the newest first. It leaves out the started row of an
// activity that has ended.
func (s *Store) Activities(ctx context.Context, owner string, q ActivityQuery) ([]Activity, error) {
	query, err := q.statement(owner)
	if err != nil {
		return nil, err
	}
	activities, err := List(ctx, s, func(row Scanner) (Activity, error) { return scanActivity(row) },
		"SELECT "+activityColumns+query.Text, append(query.Values, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list activity: %w", err)
	}
	if q.Since != "" {
		slices.Reverse(activities)
	}
	return activities, nil
}

// statement returns the query. What one app did, and what was taken away, has an index of its own, so that it is found
// quickly among whatever many others did. A kind and operations are looked for among the rest, of which a person has no
// more than their quota.
func (q ActivityQuery) statement(owner string) (*Statement, error) {
	beyond, order, from := "<", "DESC", q.After
	position := int64(math.MaxInt64)
	if q.Since != "" {
		beyond, order, from = ">", "ASC", q.Since
	}
	if from != "" {
		var err error
		if position, err = strconv.ParseInt(from, 10, 64); err != nil {
			return nil, fmt.Errorf("position %q of an activity list: %w", from, err)
		}
	}
	s := new(Statement)
	s.And(" FROM activity a WHERE owner = ? AND subject = ? AND seq "+beyond+" ?", owner, q.Subject, position)
	if q.Client != "" || q.NoClient {
		s.And(" AND client = ?", q.Client)
	}
	if q.Removals {
		s.And(" AND removes = 1")
	}
	switch q.Kind {
	case Created:
		s.And(" AND removes = 0 AND before = ''")
	case Changed:
		s.And(" AND removes = 0 AND before <> ''")
	}
	if len(q.Operations) > 0 {
		s.And(" AND operation IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(q.Operations)), ", ")+")",
			anys(q.Operations)...)
	}
	s.And(` AND NOT (outcome = 'started' AND EXISTS
			(SELECT 1 FROM activity f WHERE f.owner = a.owner AND f.refers_to = a.id))
		ORDER BY seq ` + order + " LIMIT ?")
	return s, nil
}

func anys(texts []string) []any {
	values := make([]any, len(texts))
	for i, text := range texts {
		values[i] = text
	}
	return values
}

// LatestOf returns, by target, the latest activity that touched it, whoever's that is. It is for saying what has become
// of a target, not for showing others' changes.
func (s *Store) LatestOf(ctx context.Context, owner string, targets ...string) (map[string]Activity, error) {
	latest := map[string]Activity{}
	if len(targets) == 0 {
		return latest, nil
	}
	query := new(Statement)
	query.And("SELECT "+activityColumns+" FROM activity WHERE owner = ?", owner)
	query.And(" AND seq IN (SELECT max(seq) FROM activity WHERE owner = ? AND target IN ("+
		strings.TrimSuffix(strings.Repeat("?, ", len(targets)), ", ")+") GROUP BY target)",
		append([]any{owner}, anys(targets)...)...)
	list, err := List(ctx, s, func(row Scanner) (Activity, error) { return scanActivity(row) }, query.Text,
		query.Values...)
	if err != nil {
		return nil, fmt.Errorf("find the latest activity: %w", err)
	}
	for _, a := range list {
		latest[a.Target] = a
	}
	return latest, nil
}

// Activity returns one activity of the subject, [ErrNotFound] for that of anybody else.
func (s *Store) Activity(ctx context.Context, owner, subject, id string) (Activity, error) {
	return scanActivity(s.QueryRow(ctx, "SELECT "+activityColumns+` FROM activity
		WHERE id = $1 AND owner = $2 AND subject = $3`, id, owner, subject))
}

// A LaterError says what has happened to the target since.
type LaterError struct{ Later Activity }

func (e *LaterError) Error() string { return "the target was changed later" }

// Undo has revert put the target of an activity back to what it was before. It returns a [LaterError] if anything later
// has touched the target. If revert notes no change itself, Undo records the activity turned round.
func (tx *Tx) Undo(a Activity, revert func(*Tx, Activity) error) error {
	if err := tx.isLast(a); err != nil {
		return err
	}
	tx.changed = Change{Target: a.Target, Before: a.After, After: a.Before}
	failure := revert(tx, a)
	// On Postgres somebody may have changed the target since it was looked at, whether revert noticed or not. Nobody
	// can from now on: whoever holds the head of the record is the next in it.
	err := tx.holdRecord(a.Owner)
	if err == nil {
		err = tx.isLast(a)
	}
	if later := new(LaterError); failure != nil && !errors.As(err, &later) {
		return failure
	}
	return err
}

// isLast returns a [LaterError] if the target of an activity was changed by a later one.
func (tx *Tx) isLast(a Activity) error {
	later, err := scanActivity(tx.QueryRow("SELECT "+activityColumns+` FROM activity
		WHERE owner = $1 AND target = $2 ORDER BY seq DESC LIMIT 1`, a.Owner, a.Target))
	if err == nil && later.ID != a.ID {
		return &LaterError{later}
	}
	return err
}

// holdRecord has others who change something of the owner wait until the transaction ends. SQLite has one writer.
func (tx *Tx) holdRecord(owner string) error {
	if tx.database == SQLite {
		return nil
	}
	return tx.QueryRow("SELECT seq FROM activity_heads WHERE owner = $1 FOR UPDATE", owner).Scan(new(int64))
}

// A Break is a place where the record differs from what was written.
type Break struct {
	Owner string
	Seq   int64
	What  string
}

// VerifyActivity reads the whole record and returns how many rows it has, and every
// place where a row was altered, is missing, or was put in. It may run beside writers: one
// statement sees one moment.
func (s *Store) VerifyActivity(ctx context.Context) (rows int, breaks []Break, err error) {
	var c chain
	err = s.each(ctx, func(row Scanner) error {
		var next chain
		var hash string
		a, err := scanActivity(row, &hash, &next.owner, &next.end.seq, &next.end.hash, &next.last.seq, &next.last.hash)
		if err != nil {
			return err
		}
		if next.owner != c.owner {
			c.finish()
			next.breaks = c.breaks
			c = next
		}
		if a.Seq > 0 { // else nothing is kept of it
			rows++
			c.check(a, hash)
		}
		return nil
	}, verifyActivity())
	if err != nil {
		return rows, c.breaks, fmt.Errorf("verify activity: %w", err)
	}
	c.finish()
	foreign, err := List(ctx, s, func(row Scanner) (b Break, err error) {
		b.What = "rows were put in for an owner who has no record"
		return b, row.Scan(&b.Owner, &b.Seq)
	}, `SELECT owner, max(seq) FROM activity WHERE owner NOT IN (SELECT owner FROM activity_heads) GROUP BY owner`)
	return rows, append(c.breaks, foreign...), err
}

// verifyActivity returns each owner's head with each of its rows, in order; without rows, zero values.
func verifyActivity() string {
	columns := []string{}
	for _, name := range append(strings.Split(activityColumns, ", "), "hash") {
		none := "''"
		if slices.Contains([]string{"seq", "at", "removes"}, name) {
			none = "0"
		}
		columns = append(columns, "coalesce(a."+name+", "+none+")")
	}
	return "SELECT " + strings.Join(columns, ", ") + `, h.owner, h.seq, h.hash, h.floor_seq, h.floor_hash
		FROM activity_heads h LEFT JOIN activity a ON a.owner = h.owner ORDER BY h.owner, a.seq`
}

// link is a place in a chain.
type link struct {
	seq  int64
	hash string
}

// chain is the chain of an owner, as far as it was read.
type chain struct {
	owner     string
	last, end link // read last, at first what is no longer kept; and as it was recorded
	breaks    []Break
}

func (c *chain) found(seq int64, format string, args ...any) {
	c.breaks = append(c.breaks, Break{c.owner, seq, fmt.Sprintf(format, args...)})
}

func (c *chain) check(a Activity, hash string) {
	switch {
	case a.Seq <= c.last.seq:
		c.found(a.Seq, "the row was put in")
		return
	case a.Seq != c.last.seq+1:
		c.found(a.Seq, "%d rows before it are missing", a.Seq-c.last.seq-1)
	case a.hash(c.last.hash) != hash:
		c.found(a.Seq, "the row, or its hash, was altered")
	}
	c.last = link{a.Seq, hash}
}

// finish compares the end that was read with the recorded one.
func (c *chain) finish() {
	switch {
	case c.last.seq < c.end.seq:
		c.found(c.end.seq, "%d rows at the end are missing", c.end.seq-c.last.seq)
	case c.last.seq > c.end.seq:
		c.found(c.last.seq, "rows were put in past the recorded end")
	case c.last.hash != c.end.hash:
		c.found(c.last.seq, "the last row, or the recorded end, was altered")
	}
}
