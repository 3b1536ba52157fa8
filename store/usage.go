package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Quota is how much one owner may keep. Zero fields are those of [DefaultQuota].
type Quota struct {
	Activities int64 // rows of the record
	Bytes      int64 // of all there is, with indexes, about: deleted things until they are final, too

	// Things is how many of each kind there may be, by the kind's name, of those that are not deleted. For a kind that
	// is missing the schemas of the resources decide; one that none of them names has no quota of its own.
	Things map[string]int64
}

// DefaultQuota allows a year with 270 changes each day, of 2 kB each, and lets a hundred organizations at their limits
// share a disk of 30 GB.
var DefaultQuota = Quota{Activities: 100_000, Bytes: 200 << 20}

// withDefaults fills in what is not set.
func (q Quota) withDefaults(schemas []Schema) Quota {
	full := Quota{Activities: cmp.Or(q.Activities, DefaultQuota.Activities), Bytes: cmp.Or(q.Bytes, DefaultQuota.Bytes),
		Things: map[string]int64{}}
	for _, schema := range schemas {
		maps.Copy(full.Things, schema.Quotas)
	}
	for kind, number := range q.Things {
		full.Things[kind] = cmp.Or(number, full.Things[kind])
	}
	return full
}

// share returns how much one of an owner's many people may use, so that nobody uses up the quota alone.
func (q Quota) share() Quota {
	half := Quota{Activities: (q.Activities + 1) / 2, Bytes: (q.Bytes + 1) / 2, Things: map[string]int64{}}
	for kind, number := range q.Things {
		half.Things[kind] = (number + 1) / 2
	}
	return half
}

// A QuotaError refuses a change for which there is no room left. Nothing was changed.
type QuotaError struct {
	Quota       string // activity, bytes, or the name of a kind
	Used, Limit int64
	Person      bool // it is the person's share, not the owner's quota
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("the quota of %s is used up: %d of %d", e.Quota, e.Used, e.Limit)
}

// A Usage is how much more of a resource there is after a change, or less.
type Usage struct {
	Kind   string // of what is counted, as a [Quota] names it
	Number int64
	Bytes  int64 // about, with indexes
}

// usage is how much there is, or how much more. A recorded change counts for whoever made it.
type usage struct {
	activities, bytes int64
	things            map[string]int64 // by kind
}

func (u *usage) add(more usage) {
	u.activities += more.activities
	u.bytes += more.bytes
	for kind, number := range more.things {
		if u.things == nil {
			u.things = map[string]int64{}
		}
		u.things[kind] += number
	}
}

// less reports whether there are fewer things of some kind.
func (u *usage) less() bool {
	for _, number := range u.things {
		if number < 0 {
			return true
		}
	}
	return false
}

// grown returns an error that names the quota if the change makes something grow beyond it, else nil.
func grown(name string, used, limit, added int64) *QuotaError {
	if limit > 0 && added > 0 && used > limit {
		return &QuotaError{Quota: name, Used: used - added, Limit: limit}
	}
	return nil
}

// whose names a row of quota_usage: of a person within an owner or, with an empty person, of all people.
type whose struct{ owner, person string }

// Use counts what the change adds for a person of the owner, or takes away. The person is whoever made what is counted,
// "" for nobody. Count only what the rows say, so that it can be counted anew.
func (tx *Tx) Use(owner, person string, more ...Usage) {
	for _, one := range more {
		u := usage{bytes: one.Bytes}
		if one.Number != 0 {
			u.things = map[string]int64{one.Kind: one.Number}
		}
		tx.use(owner, person, u)
	}
}

func (tx *Tx) use(owner, person string, more usage) {
	if tx.used == nil {
		tx.used = map[whose]*usage{}
	}
	count := func(who whose) {
		if tx.used[who] == nil {
			tx.used[who] = new(usage)
		}
		tx.used[who].add(more)
	}
	count(whose{owner: owner})
	if person != "" {
		count(whose{owner, person})
	}
}

// takesAway reports whether there are fewer things after the change.
func (tx *Tx) takesAway() bool {
	for who, change := range tx.used {
		if who.person == "" && change.less() {
			return true
		}
	}
	return false
}

// BeyondQuota makes the store keep the change whatever the quotas say: it records something that has happened
// elsewhere.
func (tx *Tx) BeyondQuota() { tx.beyondQuota = true }

// settle adds what the change used to what there is, and refuses a change for which a quota has no room. It locks the
// rows until the transaction ends, always in the same order, so that changes at once are counted one after the other.
// It never refuses a change that takes things away: that is how room is made, and the quotas bound how many there are.
func (tx *Tx) settle() error {
	free := tx.beyondQuota || tx.takesAway()
	for _, who := range slices.SortedFunc(maps.Keys(tx.used), func(a, b whose) int {
		return cmp.Or(strings.Compare(a.owner, b.owner), strings.Compare(a.person, b.person))
	}) {
		quota := tx.quota
		if who.person != "" && who.person != who.owner {
			quota = quota.share()
		}
		exceeded, err := tx.count(who, tx.used[who], quota)
		if err != nil {
			return fmt.Errorf("count what is kept: %w", err)
		}
		if exceeded != nil && !free {
			exceeded.Person = who.person != ""
			return exceeded
		}
	}
	return nil
}

// count adds the change to what there is, and returns the first quota that it exceeds.
func (tx *Tx) count(who whose, change *usage, quota Quota) (exceeded *QuotaError, err error) {
	if change.activities != 0 || change.bytes != 0 {
		var activities, bytes int64
		err := tx.QueryRow(`INSERT INTO quota_usage (owner, person, activities, bytes)
			VALUES ($1, $2, $3, $4) ON CONFLICT (owner, person) DO UPDATE SET
				activities = quota_usage.activities + excluded.activities, bytes = quota_usage.bytes + excluded.bytes
			RETURNING activities, bytes`,
			who.owner, who.person, change.activities, change.bytes).Scan(&activities, &bytes)
		if err != nil {
			return nil, err
		}
		exceeded = cmp.Or(grown("activity", activities, quota.Activities, change.activities),
			grown("bytes", bytes, quota.Bytes, change.bytes))
	}
	for _, kind := range slices.Sorted(maps.Keys(change.things)) {
		added := change.things[kind]
		if added == 0 {
			continue
		}
		var number int64
		err := tx.QueryRow(`INSERT INTO quota_things (owner, person, kind, number) VALUES ($1, $2, $3, $4)
			ON CONFLICT (owner, person, kind) DO UPDATE SET number = quota_things.number + excluded.number
			RETURNING number`, who.owner, who.person, kind, added).Scan(&number)
		if err != nil {
			return nil, err
		}
		exceeded = cmp.Or(grown(kind, number, quota.Things[kind], added), exceeded)
	}
	return exceeded, nil
}

// DeleteCounted runs a DELETE that returns owner, person and bytes of each row, subtracts the bytes from what is
// counted, and returns how many rows there were.
func (tx *Tx) DeleteCounted(query string, args ...any) (rows int64, err error) {
	return tx.deleteCounted(0, query, args...)
}

func (tx *Tx) deleteCounted(activities int64, query string, args ...any) (rows int64, err error) {
	if err := tx.check(); err != nil {
		return 0, err
	}
	found, err := tx.sql.QueryContext(tx.ctx, query, tx.store.toPrepare(tx.ctx, args)...)
	if err != nil {
		return 0, err
	}
	defer found.Close()
	for found.Next() {
		var who whose
		var bytes int64
		if err := found.Scan(&who.owner, &who.person, &bytes); err != nil {
			return rows, err
		}
		rows++
		if who.owner != "" { // else from before it was counted
			tx.use(who.owner, who.person, usage{activities: -activities, bytes: -bytes})
		}
	}
	return rows, found.Err()
}

// How much space a row takes beside its texts, for identifiers and its entries in the indexes. Measured, and rounded
// up.
const (
	activityOverhead = 900
	replyOverhead    = 300
)

// size returns how many bytes a row of the record takes.
func (a Activity) size() int64 {
	return int64(activityOverhead + len(a.Before) + len(a.After) + len(a.Conversation))
}
