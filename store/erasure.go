package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"

	"guestpass/internal/pattern"
)

// An Erasure is the change that takes a person out of all tables.
type Erasure struct {
	Person
	Pseudonym string           // what stands for the person from now on; nobody keeps whose it is
	Rows      map[string]int64 // how many rows of each table were removed or changed
}

const pseudonym = "erased-"

// IsPseudonym reports whether an identifier stands for a person whose data was erased.
func IsPseudonym(id string) bool { return strings.HasPrefix(id, pseudonym) }

// Count adds to the rows of a table that were removed or changed.
func (e *Erasure) Count(table string, rows int64) {
	if rows > 0 {
		e.Rows[table] += rows
	}
}

// Replace returns the text with the pseudonym in place of the person.
func (e *Erasure) Replace(text string) string { return strings.ReplaceAll(text, e.ID, e.Pseudonym) }

// EraseOperation is what the record calls an erasure. Nobody in particular does it: its subject is empty.
const EraseOperation = "erasePerson"

// ErrStytchNotTold refuses to erase somebody for whom a revocation has not reached Stytch yet.
var ErrStytchNotTold = errors.New("a revocation of this person's has not reached Stytch yet, which needs their id: " +
	"it is tried every minute while a server runs; erase again once the log says that it is done")

// Erase removes a person from all tables in one transaction. What is the person's alone is removed, and what belongs to
// an organization goes on with a pseudonym: resources say what of theirs is which, with Erase of their [Schema], and in
// every other column of text the pseudonym takes the place of the person. Revocations go on to count. The person's
// changes stay on record without what they were about, and the record is chained anew from the first of them on; a
// record that does not verify is refused. Erasing again finds nothing, and changes nothing.
//
// An error after the transaction names what is left, as somebody has written it meanwhile.
func (s *Store) Erase(ctx context.Context, p Person) (e Erasure, err error) {
	if err := p.Check(); err != nil {
		return e, err
	}
	all, err := s.textTables(ctx)
	if err != nil {
		return e, fmt.Errorf("read the database's schema: %w", err)
	}
	if err := s.refuseUnserved(ctx, p, all); err != nil {
		return e, err
	}
	err = s.Write(ctx, func(tx *Tx) error {
		tx.reserved, tx.beyondQuota = true, true
		e = Erasure{Person: p, Pseudonym: NewID(pseudonym), Rows: map[string]int64{}}
		return tx.erase(&e, all)
	})
	if err != nil {
		return e, fmt.Errorf("erase %s: %w", p.ID, err)
	}
	if err := s.emptyLog(ctx); err != nil {
		return e, err
	}
	left, err := s.Leftovers(ctx, p)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("erased, but the person is named again, or in another owner's rows, in %s: has the person "+
			"still access? Delete them in Stytch, and erase again", strings.Join(slices.Sorted(maps.Keys(left)), ", "))
	}
	return e, err
}

// refuseUnserved returns an error if a table that belongs to no resource which is served names the person: nobody knows
// what its rows are to become.
func (s *Store) refuseUnserved(ctx context.Context, p Person, all []textTable) error {
	known := tables{}
	err := s.eachSchema(func(schema Schema, provider *goose.Provider) error {
		made, err := s.expected(schema, latest(provider))
		maps.Copy(known, made)
		return err
	})
	if err != nil { // migrations in words that only Postgres knows
		return nil
	}
	for _, t := range all {
		if known[t.name] != nil {
			continue
		}
		var rows int64
		err := s.QueryRow(ctx, "SELECT count(*) FROM "+in(s.schema, t.name)+" WHERE "+s.names(t), p.ID).Scan(&rows)
		if err != nil {
			return fmt.Errorf("search %s: %w", t.name, err)
		}
		if rows > 0 {
			return fmt.Errorf("the table %s names the person in %d rows, and is that of no resource which is served: "+
				"run this with the GUESTPASS_MODULES of the server whose it is", t.name, rows)
		}
	}
	return nil
}

func (tx *Tx) erase(e *Erasure, all []textTable) error {
	if err := tx.eraseDenials(e); err != nil {
		return err
	}
	for _, schema := range tx.store.schemas {
		if schema.Erase == nil {
			continue
		}
		if err := schema.Erase(tx, e); err != nil {
			return fmt.Errorf("the tables of %s: %w", schema.Name, err)
		}
	}
	if e.Alone() {
		return tx.eraseOwner(e, all)
	}
	if err := tx.removeOwn(e); err != nil {
		return err
	}
	before, after, err := tx.eraseActivity(e)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.name == "activity" { // whose chain would break
			continue
		}
		if err := tx.replaceIn(t, e); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	tx.countFor(e)
	if len(e.Rows) == 0 {
		return nil
	}
	rows, err := EncodeJSON(map[string]any{"rows": e.Rows, "record": after})
	if err != nil {
		return err
	}
	was, err := EncodeJSON(map[string]any{"record": before})
	if err != nil {
		return err
	}
	_, err = tx.Record(Activity{Owner: e.Owner, Operation: EraseOperation, Target: e.Pseudonym, Before: was,
		After: rows, Outcome: Done})
	return err
}

// removeOwn removes what the store keeps for the person alone.
func (tx *Tx) removeOwn(e *Erasure) error {
	rows, err := tx.Exec("DELETE FROM connections WHERE owner = $1 AND subject = $2", e.Owner, e.ID)
	if err != nil {
		return err
	}
	e.Count("connections", rows)
	rows, err = tx.DeleteCounted("DELETE FROM replies WHERE owner = $1 AND person = $2 RETURNING owner, person, bytes",
		e.Owner, e.ID)
	e.Count("replies", rows)
	return err
}

// eraseDenials leaves revocations that count for as long as there may be tokens, for a person whom only their own
// tokens tell.
func (tx *Tx) eraseDenials(e *Erasure) error {
	err := tx.QueryRow("SELECT 1 FROM denials WHERE subject = $1 AND retry_at > 0 LIMIT 1", e.ID).Scan(new(int))
	if err == nil {
		return ErrStytchNotTold
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	owner := e.Owner
	if e.Alone() {
		owner = ErasedSubject(e.ID)
	}
	// There may be one of an erasure before, after which the person was there again: the stricter one counts.
	rows, err := tx.Exec("INSERT INTO denials ("+denialColumns+`)
		SELECT $1, client, $2, revoked_at, expires_at, 0 FROM denials WHERE subject = $3
		ON CONFLICT (subject, client) DO UPDATE SET
			revoked_at = CASE WHEN excluded.revoked_at > denials.revoked_at
				THEN excluded.revoked_at ELSE denials.revoked_at END,
			expires_at = CASE WHEN excluded.expires_at > denials.expires_at
				THEN excluded.expires_at ELSE denials.expires_at END`, ErasedSubject(e.ID), owner, e.ID)
	if err != nil {
		return err
	}
	_, err = tx.Exec("DELETE FROM denials WHERE subject = $1", e.ID)
	e.Count("denials", rows)
	return err
}

// eraseOwner removes all rows of an owner who is one person.
func (tx *Tx) eraseOwner(e *Erasure, all []textTable) error {
	for _, t := range slices.Backward(all) {
		if !t.has("owner") {
			if err := tx.replaceIn(t, e); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			continue
		}
		rows, err := tx.Exec("DELETE FROM "+in(tx.store.schema, t.name)+" WHERE owner = $1", e.ID)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		e.Count(t.name, rows)
	}
	tx.used = nil // of an owner of whom nothing is left to count
	return nil
}

// replaceIn has the pseudonym take the person's place in all text of a table.
func (tx *Tx) replaceIn(t textTable, e *Erasure) error {
	sets := []string{}
	for _, column := range t.ordered {
		name := identifier(column)
		set := name + " = replace(" + name + ", $1, $2)"
		if tx.database == Postgres {
			set = name + " = CAST(replace(CAST(" + name + " AS text), $1, $2) AS " + t.texts[column] + ")"
		}
		sets = append(sets, set)
	}
	query := "UPDATE " + in(tx.store.schema, t.name) + " SET " + strings.Join(sets, ", ") + " WHERE " +
		tx.store.names(t)
	args := []any{e.ID, e.Pseudonym}
	if t.has("owner") && !e.Alone() {
		query, args = query+" AND owner = $3", append(args, e.Owner)
	}
	rows, err := tx.Exec(query, args...)
	e.Count(t.name, rows)
	return err
}

// countFor has what the change used up so far count for the pseudonym.
func (tx *Tx) countFor(e *Erasure) {
	old := whose{e.Owner, e.ID}
	if used := tx.used[old]; used != nil {
		delete(tx.used, old)
		now := whose{e.Owner, e.Pseudonym}
		if tx.used[now] == nil {
			tx.used[now] = new(usage)
		}
		tx.used[now].add(*used)
	}
}

// A recordEnd is how a record ends: who has copied it elsewhere finds it in the row of the erasure.
type recordEnd struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// rechained is how many rows of the record are read and written at once.
const rechained = 500

// eraseActivity takes the person out of the owner's record, and chains it anew from the first row that changes.
func (tx *Tx) eraseActivity(e *Erasure) (before, after recordEnd, err error) {
	var floor, last link
	err = tx.QueryRow(`UPDATE activity_heads SET seq = seq WHERE owner = $1
		RETURNING seq, hash, floor_seq, floor_hash`, e.Owner).Scan(&last.seq, &last.hash, &floor.seq, &floor.hash)
	if errors.Is(err, ErrNotFound) {
		return before, after, nil
	}
	if err != nil {
		return before, after, err
	}
	was, now := floor, floor
	for was.seq < last.seq {
		if was, now, err = tx.rechain(e, was, now); err != nil {
			return before, after, err
		}
	}
	if was != last {
		return before, after, errRecordAltered
	}
	if now != was {
		_, err = tx.Exec("UPDATE activity_heads SET hash = $1 WHERE owner = $2", now.hash, e.Owner)
	}
	return recordEnd{was.seq, was.hash}, recordEnd{now.seq, now.hash}, err
}

var errRecordAltered = errors.New("the record of changes is not as it was written: `guestpass audit verify` names " +
	"the rows; nothing is erased, as chaining it anew would hide that")

type hashed struct {
	Activity
	hash string
}

// rechain goes on with the rows behind a place of the record.
func (tx *Tx) rechain(e *Erasure, was, now link) (link, link, error) {
	rows, err := ListTx(tx, func(row Scanner) (a hashed, err error) {
		a.Activity, err = scanActivity(row, &a.hash)
		return a, err
	}, "SELECT "+activityColumns+`, hash FROM activity WHERE owner = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
		e.Owner, was.seq, rechained)
	if err != nil {
		return was, now, err
	}
	if len(rows) == 0 {
		return was, now, errRecordAltered
	}
	var moved, changed [][]any
	for _, row := range rows {
		if row.Seq != was.seq+1 || row.Activity.hash(was.hash) != row.hash {
			return was, now, errRecordAltered
		}
		a := row.Activity.without(e)
		was, now = link{row.Seq, row.hash}, link{row.Seq, a.hash(now.hash)}
		switch {
		case a != row.Activity:
			more := a.size() - row.Activity.size()
			tx.use(a.Owner, a.Subject, usage{bytes: more})
			changed = append(changed, []any{a.Seq, now.hash, a.Subject, a.Client, a.Target, a.Before, a.After,
				a.Request, a.Conversation, more})
		case now.hash != was.hash:
			moved = append(moved, []any{a.Seq, now.hash})
		}
	}
	e.Count("activity", int64(len(changed)))
	return was, now, errors.Join(tx.keepRows(e.Owner, "hash = @1", moved),
		tx.keepRows(e.Owner, `hash = @1, subject = @2, client = @3, target = @4, before = @5, after = @6, request = @7,
			conversation = @8, bytes = bytes + CAST(@9 AS bigint)`, changed))
}

// value matches a place for a value of a row.
var value = pattern.New(`@(\d)`)

// keepRows changes rows of an owner's record, in whose values the first is the seq. Postgres does it in one statement;
// SQLite is slower at that than at one for each.
func (tx *Tx) keepRows(owner, set string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	if tx.database == SQLite {
		query := "UPDATE activity SET " + value.ReplaceAllString(set, "?") + " WHERE owner = ? AND seq = ?"
		for _, row := range rows {
			if _, err := tx.Exec(query, append(row[1:len(row):len(row)], owner, row[0])...); err != nil {
				return err
			}
		}
		return nil
	}
	values, err := EncodeJSON(rows)
	if err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE activity SET "+value.ReplaceAllString(set, "(v.value ->> $1)")+
		" FROM json_array_elements(CAST($1 AS json)) AS v (value) WHERE activity.owner = $2"+
		" AND activity.seq = CAST(v.value ->> 0 AS bigint) AND activity.seq BETWEEN $3 AND $4",
		values, owner, rows[0][0], rows[len(rows)-1][0])
	return err
}

// without returns the row as it is kept once the person is erased. Of the person's own changes it keeps when, by which
// operation and to what.
func (a Activity) without(e *Erasure) Activity {
	if a.Subject == e.ID {
		a.Before, a.After, a.Conversation = "", "", ""
	}
	for _, text := range []*string{&a.Subject, &a.Client, &a.Target, &a.Before, &a.After, &a.Request, &a.Conversation} {
		*text = e.Replace(*text)
	}
	return a
}
