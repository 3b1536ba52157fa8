package stytch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"guestpass/directory"
	"guestpass/internal/limits"
)

const (
	maxRecent     = 1_000            // answers
	maxRecentSize = 32 << 10         // bytes of one, as JSON: a longer one is not kept
	recentWithin  = 15 * time.Second // a question is answered, or not at all

	// LongestRecent is how old an answer that is shown may be at most: as old as one by which somebody may read.
	LongestRecent = cacheFor
)

// recent are answers about people, for what is shown alone: what decides asks anew. An answer depends on the
// organization or user and on the question, never on who asks, as Stytch answers this server.
type recent struct {
	lasts   time.Duration // 0: nothing is kept
	now     func() time.Time
	asking  singleflight.Group
	answers *limits.Cache[any]

	mu      sync.Mutex // so that nothing is kept that was asked before it was emptied
	emptied uint64     // how often anything was
}

func newRecent(o Options) *recent {
	return &recent{lasts: min(o.Recent, LongestRecent), now: o.Now, answers: limits.NewCache[any](o.Limits,
		limits.Bound{Name: "answers about people that are shown again", Number: maxRecent,
			Shares: limits.Shares{limits.Organization: maxRecent / 4, limits.Person: maxRecent / 4}})}
}

// partyOf returns whose the answers are, of an organization or else of a user.
func partyOf(organizationID, id string) limits.Party {
	if organizationID != "" {
		return limits.Party{Organization: organizationID}
	}
	return limits.Party{Person: id}
}

// Forget has the next question about the organization, or in Consumer projects the user, asked anew.
func (c *client) Forget(owner string) {
	r := c.recent
	r.mu.Lock()
	defer r.mu.Unlock()
	r.emptied++
	r.answers.DropOf(limits.Party{Organization: owner, Person: owner})
}

// recently returns an answer that is kept, or asks once for all who want the same. Whoever gives up does not end it for
// the others.
func recently[T any](ctx context.Context, r *recent, of limits.Party, question string,
	ask func(context.Context) (T, error)) (T, error) {
	if r.lasts <= 0 {
		return ask(ctx)
	}
	question = cmp.Or(of.Organization, of.Person) + " " + question
	if known, found := r.answers.Get(question, r.now()); found {
		return known.(T), nil
	}
	r.mu.Lock()
	emptied := r.emptied
	r.mu.Unlock()
	// what was asked before something was emptied is no answer to who asks since
	return shared(ctx, &r.asking, fmt.Sprint(emptied, " ", question), func(ctx context.Context) (T, error) {
		ctx, cancel := context.WithTimeout(ctx, recentWithin)
		defer cancel()
		until := r.now().Add(r.lasts) // from before the question
		answer, err := ask(ctx)
		if err == nil {
			r.keep(of, question, answer, until, emptied)
		}
		return answer, err
	})
}

// keep keeps an answer unless anything was emptied since the question, or it is too long.
func (r *recent) keep(of limits.Party, question string, answer any, until time.Time, emptied uint64) {
	if text, err := json.Marshal(answer); err != nil || len(text) > maxRecentSize {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.emptied == emptied {
		r.answers.Put(of, question, answer, until)
	}
}

// RecentPerson is Person with an answer of some seconds ago.
func (c *client) RecentPerson(ctx context.Context, organizationID, id string) (directory.Person, error) {
	person, err := recently(ctx, c.recent, partyOf(organizationID, id), "person "+id,
		func(ctx context.Context) (directory.Person, error) { return c.person(ctx, organizationID, id) })
	person.Roles = slices.Clone(person.Roles) // others have the same answer
	return person, err
}

// RecentMembers is Members with an answer of some seconds ago.
func (d *B2B) RecentMembers(ctx context.Context, organizationID string,
	q directory.MemberQuery) (directory.MemberPage, error) {
	question, err := json.Marshal(q)
	if err != nil {
		return directory.MemberPage{}, err
	}
	page, err := recently(ctx, d.recent, partyOf(organizationID, ""), "members "+string(question),
		func(ctx context.Context) (directory.MemberPage, error) { return d.Members(ctx, organizationID, q) })
	page.Members = slices.Clone(page.Members) // others have the same answer
	for i := range page.Members {
		page.Members[i].Roles = slices.Clone(page.Members[i].Roles)
	}
	return page, err
}
