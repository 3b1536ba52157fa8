package account

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"guestpass/directory"
	"guestpass/internal/connections"
	"guestpass/internal/form"
	"guestpass/internal/limits"
	"guestpass/internal/stytch"
	"guestpass/store"
)

const (
	formLifetime   = time.Hour   // as long as the sign-in page keeps a session
	noticeLifetime = time.Minute // in which the page says once more that access is revoked
	maxForm        = 32 << 10
	maxCookie      = 4 << 10
)

// shownSession is what the browser shows of its Stytch session: a token, or its JWT.
type shownSession struct{ token, jwt string }

// owned puts the owner of the JWT into the context that the browser shows beside or in place of the
// token, if it is one of Stytch's. It lets nobody in: it only tells people from visitors who make
// cookies up, and who may have spent all that their address may ask in vain.
func (a *Account) owned(r *http.Request) context.Context {
	ctx, jwts := r.Context(), r.CookiesNamed("stytch_session_jwt")
	if a.options.SessionOwner == nil || len(jwts) != 1 {
		return ctx
	}
	if subject, organization, ok := a.options.SessionOwner(jwts[0].Value); ok {
		ctx = limits.WithParty(ctx, limits.Party{Person: subject, Organization: organization})
	}
	return ctx
}

// session reads the cookies that Stytch's script has set. Two of a name that are not the same count
// as none: a page on a neighbouring host may have added one. An application's page on such a host may well
// have set the same.
func session(r *http.Request) shownSession {
	one := func(name string) string {
		found := r.CookiesNamed(name)
		if len(found) == 0 || len(found[0].Value) > maxCookie || slices.ContainsFunc(found,
			func(c *http.Cookie) bool { return c.Value != found[0].Value }) {
			return ""
		}
		return found[0].Value
	}
	if token := one("stytch_session"); token != "" {
		return shownSession{token: token}
	}
	return shownSession{jwt: one("stytch_session_jwt")}
}

func (s shownSession) digest() string {
	sum := sha256.Sum256([]byte("session " + s.token + " " + s.jwt))
	return hex.EncodeToString(sum[:])
}

var errNotSignedIn = errors.New("not signed in")

// person returns whose session it is.
func (a *Account) person(ctx context.Context, shown shownSession) (directory.Person, error) {
	if shown == (shownSession{}) {
		return directory.Person{}, errNotSignedIn
	}
	person, err := a.options.Directory.Session(ctx, shown.token, shown.jwt)
	var exceeded *stytch.ExceededError
	switch {
	case errors.Is(err, directory.ErrNotFound), errors.Is(err, directory.ErrInactive):
		return person, errNotSignedIn
	case errors.As(err, &exceeded):
		return person, exceededError{exceeded.Exceeded}
	}
	return person, err
}

// asking is what the page says that asks once more.
type asking struct {
	authority
	May  []scope
	All  bool // it is for all other members
	More int  // who have connected it, too, and are not among those
	Form string
}

// AskRevoke is GET /account/revoke. What it shows is in the link, so that it needs neither Stytch nor the database: for
// one person revoking depends on neither.
func (a *Account) AskRevoke(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(a.owned(r), pageTimeout)
	defer cancel()
	query, err := form.Parse(r.URL.RawQuery)
	if err != nil || len(query["about"]) != 1 {
		a.refuse(w, r, "account.bad_address", errBadAddress)
		return
	}
	shown := session(r)
	if f, ok := a.open(toAskAll, query.Get("about"), shown); ok {
		a.askAll(ctx, w, r, shown, f)
		return
	}
	f, ok := a.open(toAsk, query.Get("about"), shown)
	if !ok {
		a.refuse(w, r, "account.refused", errors.New("the link is not of this session, or too old"))
		return
	}
	a.write(w, r, http.StatusOK, view{SignedIn: true, Asking: &asking{authority: f, Form: a.sign(toRevoke, f),
		May: described(f.May, a.options.DescribeScopes(ctx))}})
}

// A notice is what this server has told a browser after a revocation: a link that anybody made
// must not say that access is revoked.
type notice struct {
	Given  bool
	Stytch bool // has ended the connection as well
	App    string
	Person string // whose access it was; "" for one's own
	Number int    // of people whose access it was
}

func (a *Account) notice(query url.Values, shown shownSession) (n notice) {
	for purpose, stytch := range map[string]bool{hasRevoked: true, hasRevokedHere: false} {
		f, ok := a.open(purpose, query.Get("revoked"), shown)
		if !ok {
			continue
		}
		n = notice{Given: true, Stytch: stytch, App: f.App, Number: len(f.Of)}
		if len(f.Of) == 1 {
			n.Person = f.Of[0].Person
		}
	}
	return n
}

// Revoke is POST /account/revoke. What is revoked already is revoked again, with success.
func (a *Account) Revoke(w http.ResponseWriter, r *http.Request) {
	if err := a.checkOrigin(r); err != nil {
		a.refuse(w, r, "account.refused", err)
		return
	}
	shown := session(r)
	f, err := a.receive(w, r, toRevoke, shown)
	if err != nil {
		a.refuse(w, r, "account.refused", err)
		return
	}
	// who leaves the page now has revoked
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), pageTimeout)
	defer cancel()
	outcomes, err := a.revoke(ctx, f, shown)
	switch {
	case errors.Is(err, errNotSignedIn), errors.Is(err, errNotAdmin):
		a.refuse(w, r, "account.refused", err)
	case err != nil:
		a.fail(w, r, "account.not_revoked", "account.repeat", err)
	default:
		a.tell(w, r, f, outcomes, shown)
	}
}

// partly says for whom something was revoked and for whom not.
type partly struct {
	App    string
	Number int // of people for whom it was
	Failed []failed
}

type failed struct {
	Person string
	Words  []string // keys
}

// tell says what has become of each of the connections.
func (a *Account) tell(w http.ResponseWriter, r *http.Request, f authority, outcomes []connections.Outcome,
	shown shownSession) {
	told := partly{App: f.App}
	all := connections.Outcome{Refused: true}
	for i, o := range outcomes {
		all.Written, all.Told = cmp.Or(all.Written, o.Written), cmp.Or(all.Told, o.Told)
		all.Refused = all.Refused && o.Refused
		if o.Written == nil {
			told.Number++
			continue
		}
		told.Failed = append(told.Failed, failed{f.Of[i].Person, halfDone(o)})
	}
	switch {
	case len(told.Failed) == 0:
		a.tellRevoked(w, r, f, all, shown)
	case len(outcomes) == 1:
		a.tellHalf(w, r, all, view{Failure: halfDone(all)})
	default:
		a.tellHalf(w, r, all, view{SignedIn: true, Partly: &told})
	}
}

// tellRevoked leads back to the page, which says of a revocation that is written whether Stytch
// knows of it.
func (a *Account) tellRevoked(w http.ResponseWriter, r *http.Request, f authority, o connections.Outcome,
	shown shownSession) {
	purpose := hasRevoked
	if o.Told != nil {
		purpose = hasRevokedHere
	}
	a.headers.Set(w.Header())
	to := authority{Session: shown.digest(), App: f.App, Expires: a.options.Now().Add(noticeLifetime).Unix()}
	for _, one := range f.Of {
		to.Of = append(to.Of, connected{Person: one.Person})
	}
	http.Redirect(w, r, "/account?revoked="+a.sign(purpose, to), http.StatusSeeOther)
}

// tellHalf says of a revocation that is not written exactly what became of it, and what to do:
// 507 if there is no space for it, else 503.
func (a *Account) tellHalf(w http.ResponseWriter, r *http.Request, o connections.Outcome, v view) {
	status := http.StatusServiceUnavailable
	if errors.Is(o.Written, store.ErrFull) {
		status = http.StatusInsufficientStorage
	}
	w.Header().Set("Retry-After", "5")
	a.write(w, r, status, v)
}

func halfDone(o connections.Outcome) []string {
	switch {
	case o.Told == nil && o.Refused:
		return []string{"account.half_refused", "account.revoke_again"}
	case o.Told == nil:
		return []string{"account.half", "account.revoke_again"}
	case o.Refused:
		return []string{"account.not_lasting", "account.revoke_again"}
	}
	return []string{"account.not_stored", "account.repeat"}
}

// revoke takes a place among those of revocations, of which nobody else's work takes any.
func (a *Account) revoke(ctx context.Context, f authority, shown shownSession) ([]connections.Outcome, error) {
	party := partyOf(f.Actor, f.Organization, connections.RevokeOperation)
	number := 0
	for _, one := range f.Of {
		number += len(one.Clients)
	}
	if err := a.countRevocations(party, number); err != nil {
		return nil, err
	}
	ctx = limits.WithParty(ctx, party)
	leave, err := a.bounds.revoking.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := a.checkActor(ctx, f, shown); err != nil {
		return nil, err
	}
	return a.revokeAll(ctx, f), nil
}

// countRevocations counts all or none.
func (a *Account) countRevocations(party limits.Party, number int) error {
	var back []func()
	for range number {
		takeBack, exceeded := a.bounds.revocations.Take(party)
		if exceeded != nil {
			for _, takeBack := range back {
				takeBack()
			}
			return exceededError{exceeded}
		}
		back = append(back, takeBack)
	}
	return nil
}

// revokingAtOnce is how many connections are revoked at the same time, each of which may have
// Stytch wait for seconds.
const revokingAtOnce = 8

// revokeAll returns for each person what is true of all their clients: what failed for one failed.
func (a *Account) revokeAll(ctx context.Context, f authority) []connections.Outcome {
	outcomes := make([][]connections.Outcome, len(f.Of))
	var group errgroup.Group
	group.SetLimit(revokingAtOnce)
	for i, one := range f.Of {
		outcomes[i] = make([]connections.Outcome, len(one.Clients))
		for j, client := range one.Clients {
			group.Go(func() error {
				outcomes[i][j] = a.options.Connections.Revoke(ctx, f.Actor,
					connections.Target{OrganizationID: f.Organization, Subject: one.Subject, Client: client})
				return nil
			})
		}
	}
	_ = group.Wait()
	all := make([]connections.Outcome, len(f.Of))
	for i, ofPerson := range outcomes {
		all[i].Refused = true
		for _, o := range ofPerson {
			all[i].Written, all[i].Told = cmp.Or(all[i].Written, o.Written), cmp.Or(all[i].Told, o.Told)
			all[i].Refused = all[i].Refused && o.Refused
		}
	}
	return all
}

// checkActor asks Stytch whether the session is still the form's. While Stytch is away the
// form is enough: revoking must not depend on it, and takes nothing but access away.
func (a *Account) checkActor(ctx context.Context, f authority, shown shownSession) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	// The form is one that this server gave to this session: it is no visitor's question.
	ctx = limits.WithParty(ctx, limits.Party{Organization: f.Organization, Person: f.Actor})
	person, err := a.person(ctx, shown)
	switch {
	case errors.As(err, new(*directory.UnavailableError)):
		a.options.Log.WarnContext(ctx, "session not checked; the form counts", "subject", f.Actor, "error", err)
		return nil
	case err != nil:
		return err
	case person.ID != f.Actor || person.Organization.ID != f.Organization:
		return errNotSignedIn
	case !a.admin(person) && slices.ContainsFunc(f.Of, func(one connected) bool { return one.Subject != f.Actor }):
		return errNotAdmin
	}
	return nil
}
