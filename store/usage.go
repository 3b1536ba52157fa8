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
	Tasks      int64 // that are not deleted
	Comments   int64 // that are not deleted
	Activities int64 // rows of the record
	Bytes      int64 // of all there is, with indexes, about: deleted things until they are final, too
}

// DefaultQuota is a year with 270 changes each day, of 2 kB, and lets a hundred organizations at their
// limits share a disk of 30 GB.
var DefaultQuota = Quota{Tasks: 10_000, Comments: 50_000, Activities: 100_000, Bytes: 200 << 20}

// withDefaults fills in what is not set.
func (q Quota) withDefaults() Quota {
	return Quota{cmp.Or(q.Tasks, DefaultQuota.Tasks), cmp.Or(q.Comments, DefaultQuota.Comments),
		cmp.Or(q.Activities, DefaultQuota.Activities), cmp.Or(q.Bytes, DefaultQuota.Bytes)}
}

// share is what one of an owner's many people may use of it, so that nobody uses up all of it alone.
func (q Quota) share() Quota {
	return Quota{(q.Tasks + 1) / 2, (q.Comments + 1) / 2, (q.Activities + 1) / 2, (q.Bytes + 1) / 2}
}

// A QuotaError refuses a change for which there is no room left. Nothing was changed.
type QuotaError struct {
	Quota       string // tasks, comments, activity or bytes
	Used, Limit int64
	Person      bool // it is the person's share, not the owner's quota
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("the quota of %s is used up: %d of %d", e.Quota, e.Used, e.Limit)
}

// usage is how much there is, or how much more. A task is its payer's, a comment its author's, and a change
// on record is of whoever made it.
type usage struct{ tasks, comments, activities, bytes int64 }

func (u usage) plus(more usage) usage {
	return usage{u.tasks + more.tasks, u.comments + more.comments, u.activities + more.activities, u.bytes + more.bytes}
}

func (u usage) minus(less usage) usage {
	return u.plus(usage{-less.tasks, -less.comments, -less.activities, -less.bytes})
}

// exceeds names what the change grows beyond the quota.
func (u usage) exceeds(q Quota, change usage) *QuotaError {
	for _, one := range []struct {
		name               string
		used, limit, added int64
	}{
		{"tasks", u.tasks, q.Tasks, change.tasks}, {"comments", u.comments, q.Comments, change.comments},
		{"activity", u.activities, q.Activities, change.activities}, {"bytes", u.bytes, q.Bytes, change.bytes},
	} {
		if one.added > 0 && one.used > one.limit {
			return &QuotaError{Quota: one.name, Used: one.used - one.added, Limit: one.limit}
		}
	}
	return nil
}

// whose is a row of quota_usage: of a person within an owner, or with an empty person of all.
type whose struct{ owner, person string }

// use counts what the change adds, or takes away.
func (tx *Tx) use(owner, person string, more usage) {
	if tx.used == nil {
		tx.used = map[whose]usage{}
	}
	all := whose{owner: owner}
	tx.used[all] = tx.used[all].plus(more)
	if person != "" {
		one := whose{owner, person}
		tx.used[one] = tx.used[one].plus(more)
	}
}

// takesAway reports whether there are fewer tasks or comments after the change.
func (tx *Tx) takesAway() bool {
	for who, change := range tx.used {
		if who.person == "" && (change.tasks < 0 || change.comments < 0) {
			return true
		}
	}
	return false
}

// BeyondQuota lets the change be kept whatever the quotas say: it tells of what has happened elsewhere.
func (tx *Tx) BeyondQuota() { tx.beyondQuota = true }

// settle adds what the change used to what there is, and refuses what no quota has room for. The rows
// are locked until the transaction ends, always in the same order, so that changes at once are
// counted one after the other. What takes tasks or comments away is never refused: it is how room
// is made, and there are no more of them than the quotas let in.
func (tx *Tx) settle() error {
	free := tx.beyondQuota || tx.takesAway()
	for _, who := range slices.SortedFunc(maps.Keys(tx.used), func(a, b whose) int {
		return cmp.Or(strings.Compare(a.owner, b.owner), strings.Compare(a.person, b.person))
	}) {
		change := tx.used[who]
		if change == (usage{}) {
			continue
		}
		var now usage
		err := tx.QueryRow(`INSERT INTO quota_usage (owner, person, tasks, comments, activities, bytes)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (owner, person) DO UPDATE SET
				tasks = quota_usage.tasks + excluded.tasks, comments = quota_usage.comments + excluded.comments,
				activities = quota_usage.activities + excluded.activities, bytes = quota_usage.bytes + excluded.bytes
			RETURNING tasks, comments, activities, bytes`, who.owner, who.person, change.tasks, change.comments,
			change.activities, change.bytes).Scan(&now.tasks, &now.comments, &now.activities, &now.bytes)
		if err != nil {
			return fmt.Errorf("count what is kept: %w", err)
		}
		if free {
			continue
		}
		quota := tx.quota
		if who.person != "" && who.person != who.owner {
			quota = quota.share()
		}
		if exceeded := now.exceeds(quota, change); exceeded != nil {
			exceeded.Person = who.person != ""
			return exceeded
		}
	}
	return nil
}

// removeCounted runs a DELETE that returns owner, person and bytes of each row, and says how many there were.
func (tx *Tx) removeCounted(each usage, query string, args ...any) (rows int64, err error) {
	if err := tx.check(); err != nil {
		return 0, err
	}
	found, err := tx.sql.QueryContext(tx.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer found.Close()
	for found.Next() {
		var who whose
		if err := found.Scan(&who.owner, &who.person, &each.bytes); err != nil {
			return rows, err
		}
		rows++
		if who.owner != "" { // else from before it was counted
			tx.use(who.owner, who.person, usage{}.minus(each))
		}
	}
	return rows, found.Err()
}

// How much is kept of a row beside its texts: identifiers, and its entries in the indexes. Measured, and
// rounded up.
const (
	taskOverhead     = 1200
	commentOverhead  = 600
	activityOverhead = 900
	replyOverhead    = 300
	labelOverhead    = 300
)

// termOverhead is what a word takes in the search index, beside its letters, where no other task has it.
var termOverhead = map[database]int64{sqliteDatabase: 10, postgresDatabase: 64}

// size is what a task takes without its words in the search index.
func (t Task) size() int64 {
	return int64(taskOverhead + len(t.Title) + len(t.Notes) + labelOverhead*len(t.Labels))
}

// terms are the words and pairs of a task, each once.
func (t Task) terms() map[string]bool {
	terms := map[string]bool{}
	for _, piece := range t.pieces() {
		for _, unit := range piece {
			terms[unit] = true
		}
		for _, pair := range piece.pairs() {
			terms[pair] = true
		}
	}
	return terms
}

// sizeOf is what a task takes, in place of an old one. Postgres never removes a word from an index, so that
// there only new ones are added to what is counted.
func (tx *Tx) sizeOf(t, old Task) int64 {
	if old.ID != "" && t.Title == old.Title && t.Notes == old.Notes {
		return old.bytes + t.size() - old.size()
	}
	terms, size := t.terms(), t.size()
	if tx.database == postgresDatabase && old.ID != "" {
		for term := range old.terms() {
			delete(terms, term)
		}
		size += old.bytes - old.size()
	}
	for term := range terms {
		size += int64(len(term)) + termOverhead[tx.database]
	}
	return size
}

// size is what a row of the record takes.
func (a Activity) size() int64 {
	return int64(activityOverhead + len(a.Before) + len(a.After) + len(a.Conversation))
}
