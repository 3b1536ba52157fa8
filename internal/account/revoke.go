package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"guestpass/internal/connections"
	"guestpass/internal/directory"
)

const (
	formLifetime   = time.Hour   // as long as the sign-in page keeps a session
	noticeLifetime = time.Minute // in which the page says once more that access is revoked
	maxForm        = 8 << 10
	maxCookie      = 4 << 10
)

// shownSession is what the browser shows of its Stytch session: a token, or its JWT.
type shownSession struct{ token, jwt string }

// session reads the cookies that Stytch's script has set. One that is there twice counts
// as none: a page on a neighbouring host may have added it.
func session(r *http.Request) shownSession {
	one := func(name string) string {
		if found := r.CookiesNamed(name); len(found) == 1 && len(found[0].Value) <= maxCookie {
			return found[0].Value
		}
		return ""
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

// person is whose session it is.
func (a *Account) person(ctx context.Context, shown shownSession) (directory.Person, error) {
	if shown == (shownSession{}) {
		return directory.Person{}, errNotSignedIn
	}
	person, err := a.options.Directory.Session(ctx, shown.token, shown.jwt)
	if errors.Is(err, directory.ErrNotFound) || errors.Is(err, directory.ErrInactive) {
		return person, errNotSignedIn
	}
	return person, err
}

// form is the authority to revoke one connection, which this server gave to one session
// when it listed the connection.
type form struct {
	Session      string // digest
	Actor        string
	Organization string // "" in Consumer projects
	Subject      string
	Client       string
	Expires      int64
}

// Purposes of what is signed: one does not pass for the other.
const (
	toRevoke   = "revoke"
	hasRevoked = "revoked" // of a form only session and time count
)

func (a *Account) sign(purpose string, f form) string {
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

// open is false for what this server did not sign for the purpose and session, or too long ago.
func (a *Account) open(purpose, text string, shown shownSession) (f form, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < sha256.Size || !hmac.Equal(raw[:sha256.Size], a.mac(purpose, raw[sha256.Size:])) {
		return form{}, false
	}
	if json.Unmarshal(raw[sha256.Size:], &f) != nil || shown == (shownSession{}) || !hmac.Equal([]byte(f.Session), []byte(shown.digest())) {
		return form{}, false
	}
	return f, a.options.Now().Unix() < f.Expires
}

// revokedBefore says whether this server has led the browser here after a revocation: a
// link that anybody made must not say that access is revoked.
func (a *Account) revokedBefore(r *http.Request, shown shownSession) bool {
	_, ok := a.open(hasRevoked, r.URL.Query().Get("revoked"), shown)
	return ok
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), pageTimeout) // who leaves the page now has revoked
	defer cancel()
	err = a.revoke(ctx, f, shown)
	switch {
	case errors.Is(err, errNotSignedIn), errors.Is(err, errNotAdmin):
		a.refuse(w, r, err)
		return
	case err != nil:
		a.fail(w, r, "Nothing was revoked: that is not possible at the moment. Wait a little, load your account page again and repeat it there.", err)
		return
	}
	a.headers.Set(w.Header())
	notice := a.sign(hasRevoked, form{Session: shown.digest(), Expires: a.options.Now().Add(noticeLifetime).Unix()})
	http.Redirect(w, r, "/account?revoked="+notice, http.StatusSeeOther)
}

// receive waits for the form, and so holds no place.
func (a *Account) receive(w http.ResponseWriter, r *http.Request, shown shownSession) (form, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil || len(r.PostForm["form"]) != 1 {
		return form{}, errors.New("no form")
	}
	f, ok := a.open(toRevoke, r.PostForm.Get("form"), shown)
	if !ok {
		return form{}, errors.New("the form is not of this session, or too old")
	}
	return f, nil
}

// revoke takes its place among the operations: visitors of pages, whom nobody knows, do not
// keep people from revoking.
func (a *Account) revoke(ctx context.Context, f form, shown shownSession) error {
	if err := a.admit(f.Actor); err != nil {
		return err
	}
	if err := a.options.Limits.Enter(ctx); err != nil {
		return err
	}
	defer a.options.Limits.Leave()
	if err := a.checkActor(ctx, f, shown); err != nil {
		return err
	}
	return a.options.Connections.Revoke(ctx, f.Actor, connections.Target{OrganizationID: f.Organization, Subject: f.Subject, Client: f.Client})
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
func (a *Account) checkActor(ctx context.Context, f form, shown shownSession) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
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
	a.write(w, r, http.StatusForbidden, view{Failure: "Nothing was revoked: this was not sent from your page, or the page is too old. Load your account page again and repeat it there."})
}
