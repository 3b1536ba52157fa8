package account

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"guestpass/directory"
	"guestpass/internal/form"
)

// An authority is what a form or a link holds: that to do one thing, which this server gave to one session when it
// showed what it is about.
type authority struct {
	Session      string // digest
	Actor        string `json:",omitempty"`
	Organization string `json:",omitempty"` // "" in Consumer projects
	Expires      int64

	App string      `json:",omitempty"` // what it is called
	Of  []connected `json:",omitempty"` // whose connections to it
	All []string    `json:",omitempty"` // its clients, to ask about all members
	May []string    `json:",omitempty"` // scopes

	Activity string `json:",omitempty"`
}

// connected is one person with clients that are one app.
type connected struct {
	Subject string
	Clients []string
	Person  string `json:",omitempty"` // what they are called; "" for whoever looks at it
}

// Purposes of what is signed: one does not pass for the other.
const (
	toAsk      = "ask to revoke"
	toAskAll   = "ask to revoke for all"
	toRevoke   = "revoke"
	hasRevoked = "revoked" // of an authority only session, app, persons and time count
	// hasRevokedHere is hasRevoked while Stytch has yet to end the connection.
	hasRevokedHere = "revoked here"

	toUndo    = "undo"
	hasUndone = "undone"
)

// authorityOf returns one of a person and session, about nothing yet.
func (a *Account) authorityOf(person directory.Person, shown shownSession) authority {
	return authority{Session: shown.digest(), Actor: person.ID, Organization: person.Organization.ID,
		Expires: a.options.Now().Add(formLifetime).Unix()}
}

// askLink leads to the page that asks once more.
func (a *Account) askLink(purpose string, f authority) string {
	return "/account/revoke?" + url.Values{"about": {a.sign(purpose, f)}}.Encode()
}

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

// receive waits for the form, and so holds no place.
func (a *Account) receive(w http.ResponseWriter, r *http.Request, purpose string, shown shownSession) (authority,
	error) {
	fields, err := form.Read(w, r, maxForm)
	if err != nil || len(fields["form"]) != 1 {
		return authority{}, errors.New("no form")
	}
	f, ok := a.open(purpose, fields.Get("form"), shown)
	if !ok {
		return authority{}, errors.New("the form is not of this session, or too old")
	}
	return f, nil
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

// refuse changes nothing, and says so, by the key of the words. The log has the reason.
func (a *Account) refuse(w http.ResponseWriter, r *http.Request, words string, reason error) {
	status := http.StatusForbidden
	switch {
	case errors.Is(reason, errBadAddress):
		status = http.StatusBadRequest
	case errors.Is(reason, errNoChange):
		status = http.StatusNotFound
	}
	a.options.Log.InfoContext(r.Context(), "refused on the account page", "path", r.URL.Path, "reason", reason.Error())
	a.write(w, r, status, view{Failure: []string{words}})
}
