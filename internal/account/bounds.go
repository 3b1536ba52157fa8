package account

import (
	"fmt"
	"time"

	"guestpass/internal/limits"
)

// Numbers of the page, those of rates for a minute.
const (
	pagesOfPerson       = 30
	pagesOfOrganization = 120 // an administrator's is many calls of Stytch

	downloadsOfPerson       = 6 // each is as many pages
	downloadsOfOrganization = 24

	revocationsOfPerson       = 60
	revocationsOfOrganization = 240

	pagePlaces     = 128
	revokingPlaces = 64

	seenSessions = 10_000
	seenFor      = time.Hour // as long as the sign-in page keeps a session
)

// showOperation is what showing the page is called where operations are told apart.
const showOperation = "showAccount"

// bounds keep what one person causes from being what another waits for: an organization's
// administrator has pages of many calls, and whoever makes an organization is its
// administrator. Showing takes nothing of revoking.
type bounds struct {
	views, downloads, revocations *limits.Rate
	pages, revoking               *limits.Places
	seen                          *limits.Cache[limits.Party] // whose a session was, by its digest; it lets nobody in
}

func newBounds(l *limits.Limits) *bounds {
	return &bounds{
		views: l.Rate(limits.Bound{Name: "account pages",
			Shares: limits.Shares{limits.Person: pagesOfPerson, limits.Organization: pagesOfOrganization}}),
		downloads: l.Rate(limits.Bound{Name: "downloads of changes",
			Shares: limits.Shares{limits.Person: downloadsOfPerson, limits.Organization: downloadsOfOrganization}}),
		revocations: l.Rate(limits.Bound{Name: "revocations",
			Shares: limits.Shares{limits.Person: revocationsOfPerson, limits.Organization: revocationsOfOrganization}}),
		pages: l.Places(limits.Bound{Name: "account pages at once", Number: pagePlaces, Queue: pagePlaces,
			Shares: limits.Shares{limits.Person: limits.Part(pagePlaces, 1, 32),
				limits.Organization: limits.Part(pagePlaces, 1, 16)}}),
		revoking: l.Places(limits.Bound{Name: "revocations at once", Number: revokingPlaces, Queue: revokingPlaces,
			Shares: limits.Shares{limits.Person: limits.Part(revokingPlaces, 1, 16),
				limits.Organization: limits.Part(revokingPlaces, 1, 8)}}),
		seen: limits.NewCache[limits.Party](l, limits.Bound{Name: "sessions seen on the account page",
			Number: seenSessions,
			Shares: limits.Shares{limits.Person: limits.Part(seenSessions, 1, 500),
				limits.Organization: limits.Part(seenSessions, 1, 10)}}),
	}
}

func partyOf(person, organization, operation string) limits.Party {
	return limits.Party{Person: person, Organization: organization, Operation: operation}
}

// countSeen counts a page whose session was seen here before Stytch is asked about it again,
// and reports whether it did.
func (a *Account) countSeen(shown shownSession) (counted bool, err error) {
	party, seen := a.bounds.seen.Get(shown.digest(), a.options.Now())
	if !seen {
		return false, nil
	}
	return true, admit(a.bounds.views, party)
}

// admit counts what a person does here.
func admit(rate *limits.Rate, party limits.Party) error {
	if _, exceeded := rate.Take(party); exceeded != nil {
		return exceededError{exceeded}
	}
	return nil
}

type exceededError struct{ *limits.Exceeded }

func (e exceededError) Error() string {
	return fmt.Sprintf("more than %d requests a minute for each %s", e.Quota, e.Policy)
}
