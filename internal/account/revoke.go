package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"guestpass/internal/connections"
	"guestpass/internal/directory"
)

const (
	formLifetime = time.Hour // as long as the sign-in page keeps a session
	maxForm      = 8 << 10
	maxCookie    = 4 << 10
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

func (a *Account) sign(f form) string {
	content, err := json.Marshal(f)
	if err != nil {
		panic(err) // strings and a number
	}
	return base64.RawURLEncoding.EncodeToString(append(a.mac(content), content...))
}

func (a *Account) mac(content []byte) []byte {
	h := hmac.New(sha256.New, a.options.FormKey)
	h.Write([]byte("revoke "))
	h.Write(content)
	return h.Sum(nil)
}

// open is false for what this server did not sign, or too long ago.
func (a *Account) open(text string) (f form, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < sha256.Size || !hmac.Equal(raw[:sha256.Size], a.mac(raw[sha256.Size:])) {
		return form{}, false
	}
	if json.Unmarshal(raw[sha256.Size:], &f) != nil {
		return form{}, false
	}
	return f, a.options.Now().Unix() < f.Expires
}

// Revoke is POST /account/revoke. What is revoked already is revoked again, with success.
func (a *Account) Revoke(w http.ResponseWriter, r *http.Request) {
	if err := a.checkOrigin(r); err != nil {
		a.refuse(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil || len(r.PostForm["form"]) != 1 {
		a.refuse(w, r, errors.New("no form"))
		return
	}
	shown := session(r)
	f, ok := a.open(r.PostForm.Get("form"))
	if !ok || shown == (shownSession{}) || !hmac.Equal([]byte(f.Session), []byte(shown.digest())) {
		a.refuse(w, r, errors.New("the form is not of this session, or too old"))
		return
	}
	if err := a.checkActor(r.Context(), f, shown); err != nil {
		a.refuseActor(w, r, err)
		return
	}
	err := a.options.Connections.Revoke(r.Context(), f.Actor, connections.Target{OrganizationID: f.Organization, Subject: f.Subject, Client: f.Client})
	if err != nil {
		a.unavailable(w, r, err)
		return
	}
	a.setHeaders(w.Header())
	http.Redirect(w, r, "/account?revoked", http.StatusSeeOther)
}

// checkOrigin admits what this server's own page has sent. The library lets through what
// says nothing of where it comes from, and goes by the request's Host.
func (a *Account) checkOrigin(r *http.Request) error {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	switch {
	case site == "" && origin == "":
		return errors.New("neither Sec-Fetch-Site nor Origin")
	case site == "none", origin != "" && origin != "null" && origin != a.options.PublicURL:
		return fmt.Errorf("origin %q", origin)
	}
	return a.protection.Check(r)
}

var errNotAdmin = errors.New("not an administrator any more")

// checkActor asks Stytch whether the session is still the form's. While Stytch is away the
// form is enough: revoking must not depend on it, and takes nothing but access away.
func (a *Account) checkActor(ctx context.Context, f form, shown shownSession) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	person, err := a.person(ctx, shown)
	switch {
	case errors.As(err, new(*directory.UnavailableError)), errors.Is(err, directory.ErrCredentials):
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

func (a *Account) refuseActor(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNotSignedIn) || errors.Is(err, errNotAdmin) {
		a.refuse(w, r, err)
		return
	}
	a.unavailable(w, r, err)
}

// refuse changes nothing, and says so.
func (a *Account) refuse(w http.ResponseWriter, r *http.Request, reason error) {
	a.options.Log.InfoContext(r.Context(), "revocation refused", "reason", reason.Error())
	a.write(w, r, http.StatusForbidden, view{Failure: "Nothing was revoked: this was not sent from your page, or the page is too old. Load your account page again and repeat it there."})
}
