package account

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
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
	maxForm        = 8 << 10
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

// An authority is what a form holds: that to revoke the connections of one person to clients that are one
// app, which this server gave to one session when it listed them.
type authority struct {
	Session      string // digest
	Actor        string
	Organization string // "" in Consumer projects
	Subject      string
	Clients      []string
	Expires      int64
}

// Purposes of what is signed: one does not pass for the other.
const (
	toRevoke   = "revoke"
	hasRevoked = "revoked" // of an authority only session and time count
	// hasRevokedHere is hasRevoked while Stytch has yet to end the connection.
	hasRevokedHere = "revoked here"
)

func (a *Account) sign(purpose string, f authority) string {
	content, err := json.Marshal(f)
	if err != nil {
		panic(err) // strings and a number
	}
	return base64.RawURLEncoding.EncodeToString(append(a.mac(purpose, content), content...))
}

func (a *Account) mac(purpose string, content []byte) []byte {
	h := hmac.New(sha256.New, a.options.FormKey)
	h.Write([]byte(purpose + " "))
	h.Write(content)
	return h.Sum(nil)
}

// open reports false for what this server did not sign for the purpose and session, or too long ago.
func (a *Account) open(purpose, text string, shown shownSession) (f authority, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < sha256.Size || !hmac.Equal(raw[:sha256.Size], a.mac(purpose, raw[sha256.Size:])) {
		return authority{}, false
	}
	if json.Unmarshal(raw[sha256.Size:], &f) != nil || shown == (shownSession{}) || !hmac.Equal([]byte(f.Session),
		[]byte(shown.digest())) {
		return authority{}, false
	}
	return f, a.options.Now().Unix() < f.Expires
}

// A notice is what this server has told a browser after a revocation: a link that anybody made
// must not say that access is revoked.
type notice struct {
	Given  bool
	Stytch bool // has ended the connection as well
}

func (a *Account) notice(query url.Values, shown shownSession) (n notice) {
	for purpose, stytch := range map[string]bool{hasRevoked: true, hasRevokedHere: false} {
		if _, ok := a.open(purpose, query.Get("revoked"), shown); ok {
			n = notice{Given: true, Stytch: stytch}
		}
	}
	return n
}

// Revoke is POST /account/revoke. What is revoked already is revoked again, with success.
func (a *Account) Revoke(w http.ResponseWriter, r *http.Request) {
	if err := a.checkOrigin(r); err != nil {
		a.refuse(w, r, err)
		return
	}
	shown := session(r)
	f, err := a.receive(w, r, shown)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	// who leaves the page now has revoked
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), pageTimeout)
	defer cancel()
	outcome, err := a.revoke(ctx, f, shown)
	switch {
	case errors.Is(err, errNotSignedIn), errors.Is(err, errNotAdmin):
		a.refuse(w, r, err)
	case err != nil:
		a.fail(w, r, "account.not_revoked", "account.repeat", err)
	case outcome.Written != nil:
		a.tellHalf(w, r, outcome)
	default:
		a.tellRevoked(w, r, outcome, shown)
	}
}

// tellRevoked leads back to the page, which says of a revocation that is written whether Stytch
// knows of it.
func (a *Account) tellRevoked(w http.ResponseWriter, r *http.Request, o connections.Outcome, shown shownSession) {
	purpose := hasRevoked
	if o.Told != nil {
		purpose = hasRevokedHere
	}
	a.headers.Set(w.Header())
	notice := a.sign(purpose, authority{Session: shown.digest(), Expires: a.options.Now().Add(noticeLifetime).Unix()})
	http.Redirect(w, r, "/account?revoked="+notice, http.StatusSeeOther)
}

// tellHalf says of a revocation that is not written exactly what became of it, and what to do:
// 507 if there is no space for it, else 503.
func (a *Account) tellHalf(w http.ResponseWriter, r *http.Request, o connections.Outcome) {
	status := http.StatusServiceUnavailable
	if errors.Is(o.Written, store.ErrFull) {
		status = http.StatusInsufficientStorage
	}
	w.Header().Set("Retry-After", "5")
	a.write(w, r, status, view{Failure: halfDone(o)})
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

// receive waits for the form, and so holds no place.
func (a *Account) receive(w http.ResponseWriter, r *http.Request, shown shownSession) (authority, error) {
	fields, err := form.Read(w, r, maxForm)
	if err != nil || len(fields["form"]) != 1 {
		return authority{}, errors.New("no form")
	}
	f, ok := a.open(toRevoke, fields.Get("form"), shown)
	if !ok {
		return authority{}, errors.New("the form is not of this session, or too old")
	}
	return f, nil
}

// revoke takes a place among those of revocations, of which nobody else's work takes any.
func (a *Account) revoke(ctx context.Context, f authority, shown shownSession) (o connections.Outcome, err error) {
	party := partyOf(f.Actor, f.Organization, connections.RevokeOperation)
	if err := a.countRevocations(party, len(f.Clients)); err != nil {
		return o, err
	}
	ctx = limits.WithParty(ctx, party)
	leave, err := a.bounds.revoking.Enter(ctx)
	if err != nil {
		return o, err
	}
	defer leave()
	if err := a.checkActor(ctx, f, shown); err != nil {
		return o, err
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

// revokingAtOnce is how many clients of one app are revoked at the same time, each of which may have
// Stytch wait for seconds.
const revokingAtOnce = 8

// revokeAll returns what is true of all the clients: what failed for one failed.
func (a *Account) revokeAll(ctx context.Context, f authority) connections.Outcome {
	outcomes := make([]connections.Outcome, len(f.Clients))
	var group errgroup.Group
	group.SetLimit(revokingAtOnce)
	for i, client := range f.Clients {
		group.Go(func() error {
			outcomes[i] = a.options.Connections.Revoke(ctx, f.Actor,
				connections.Target{OrganizationID: f.Organization, Subject: f.Subject, Client: client})
			return nil
		})
	}
	_ = group.Wait()
	all := connections.Outcome{Refused: true}
	for _, o := range outcomes {
		all.Written, all.Told = cmp.Or(all.Written, o.Written), cmp.Or(all.Told, o.Told)
		all.Refused = all.Refused && o.Refused
	}
	return all
}

// errCrossOrigin does not repeat the header: it is for the log, which has none.
var errCrossOrigin = errors.New("from another origin")

// checkOrigin admits what this server's own page has sent. The library lets through what
// says nothing of where it comes from, and goes by the request's Host.
func (a *Account) checkOrigin(r *http.Request) error {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	switch {
	case site == "" && origin == "":
		return errors.New("neither Sec-Fetch-Site nor Origin")
	case site == "none", origin != "" && origin != "null" && origin != a.options.PublicURL:
		return errCrossOrigin
	}
	if a.protection.Check(r) != nil {
		return errCrossOrigin
	}
	return nil
}

var errNotAdmin = errors.New("not an administrator any more")

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
	case f.Subject != f.Actor && !a.admin(person):
		return errNotAdmin
	}
	return nil
}

// refuse changes nothing, and says so.
func (a *Account) refuse(w http.ResponseWriter, r *http.Request, reason error) {
	a.options.Log.InfoContext(r.Context(), "revocation refused", "reason", reason.Error())
	a.write(w, r, http.StatusForbidden, view{Failure: []string{"account.refused"}})
}
