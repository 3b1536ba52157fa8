package idp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"guestpass/internal/clients"
	"guestpass/internal/credentials"
	"guestpass/internal/form"
	"guestpass/internal/pattern"
)

// parameters of an authorization request that we know. Others are passed on as they came (RFC
// 6749 section 3.1 has them ignored, by whoever does not know them). resource (RFC 8707) may be
// repeated, none other of these may. organization_id, Stytch's word, takes an id or a slug.
var parameters = []string{"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "prompt",
	"code_challenge", "code_challenge_method", "resource", "organization_id", "id_token_hint"}

// others are the further parameters that the page's scripts read: those of a link in an e-mail, of
// a log-out, and our own. They are never part of an authorization request.
var others = []string{linkParameter, "stytch_redirect_type", "token", logOutParameter, returnParameter,
	restartParameter, stateParameter, tokenParameter}

const (
	linkParameter    = "stytch_token_type"
	logOutParameter  = "post_logout_redirect_uri"
	returnParameter  = "return"
	restartParameter = "again" // a page that somebody has left open begins anew by itself
)

const (
	maxQuery = 8 << 10
	maxState = 2048
)

// forAccount is no authorization request, but stands for one: somebody signs in to see
// their account page. It is one word, so that no address is ever returned to that came
// with the request.
var forAccount = url.Values{returnParameter: {"account"}}

var (
	clientIDPattern = pattern.New(`^[A-Za-z0-9._-]{1,128}$`)
	// an id or a slug; it becomes a part of a path
	organizationPattern = pattern.New(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
)

// requestError is an authorization request that cannot go on, by the keys of the words for the
// person who sees it. Nobody is redirected.
type requestError struct {
	Title, Text string
	Values      []any  // of the text
	reason      reason // for the log
	cause       error  // for the log; may be nil
	code        string // by which a known app hears of it, see wayBack; "": by none
}

func (e *requestError) Error() string { return e.Title + ": " + e.Text }

// parseRequest returns the parameters of the query that belong to an authorization request. nil
// when the query is none at all.
func parseRequest(rawQuery string) (url.Values, error) {
	query, err := readQuery(rawQuery)
	if err != nil {
		return nil, err
	}
	return requestOf(query)
}

// readQuery refuses what two readers could understand differently: the page's scripts read
// the same address with the browser's rules.
func readQuery(rawQuery string) (url.Values, error) {
	if len(rawQuery) > maxQuery {
		return nil, &requestError{Title: "failure.too_long", Text: "failure.too_long_text", reason: malformedRequest}
	}
	query, err := form.Parse(rawQuery)
	if err != nil { // without its words: they name a parameter, which would be anybody's words on our page
		return nil, &requestError{Title: "failure.malformed", Text: "failure.malformed_text", reason: malformedRequest}
	}
	for _, name := range slices.Concat(parameters, others) {
		if len(query[name]) > 1 && name != "resource" {
			return nil, &requestError{Title: "failure.ambiguous", Text: "failure.ambiguous_text",
				Values: []any{"name", name}, reason: malformedRequest, code: invalidRequest}
		}
	}
	return query, nil
}

func requestOf(query url.Values) (url.Values, error) {
	if query.Has(logOutParameter) {
		return nil, checkAlone(query)
	}
	request := maps.Clone(query)
	maps.DeleteFunc(request, func(name string, _ []string) bool { return slices.Contains(others, name) })
	if !request.Has("client_id") && !request.Has("redirect_uri") {
		if query.Get(returnParameter) == "account" {
			return forAccount, checkAlone(query)
		}
		return nil, nil
	}
	// Whoever chose the client or the state of a request was not the person: without a click no
	// code leaves for it, whether or not Stytch remembers a consent.
	request.Set("prompt", "consent")
	return request, errors.Join(checkAlone(query), checkRequest(request))
}

// checkAlone refuses a link beside something else to do: Stytch sends its links to the bare
// page, so that somebody has put the two together.
func checkAlone(query url.Values) error {
	if query.Has(linkParameter) {
		return &requestError{Title: "failure.malformed", Text: "failure.two_things", reason: malformedRequest}
	}
	return nil
}

// checkRequest holds the form of the parameters; who the client is comes later.
func checkRequest(request url.Values) error {
	switch {
	case !isClientID(request.Get("client_id")):
		return &requestError{Title: "failure.unknown_app", Text: "failure.no_app_text", reason: unknownClient}
	case request.Get("redirect_uri") == "":
		return &requestError{Title: "failure.incomplete", Text: "failure.incomplete_text",
			Values: []any{"name", "redirect_uri"}, reason: malformedRequest}
	case !isReturnAddress(request.Get("redirect_uri")):
		return &requestError{Title: "failure.wrong_return", Text: "failure.wrong_return_kind",
			reason: unregisteredCallback}
	// ChatGPT may leave it out: then it means code
	case request.Has("response_type") && request.Get("response_type") != "code":
		return &requestError{Title: "failure.not_supported", Text: "failure.response_type",
			Values: []any{"name", "code"}, reason: malformedRequest, code: unsupportedResponseType}
	case request.Has("code_challenge_method") && request.Get("code_challenge_method") != "S256":
		return &requestError{Title: "failure.not_supported", Text: "failure.challenge_method",
			Values: []any{"name", "S256"}, reason: malformedRequest, code: invalidRequest}
	case request.Has("organization_id") && !organizationPattern.MatchString(request.Get("organization_id")):
		return errUnknownOrganization
	case len(request.Get("state")) > maxState:
		return &requestError{Title: "failure.too_long", Text: "failure.long_state",
			Values: []any{"number", maxState}, reason: malformedRequest, code: invalidRequest}
	}
	return nil
}

// isClientID reports whether something has a form in which clients are named: that of a connected
// app's id, or a URL.
func isClientID(id string) bool {
	if clients.IsURL(id) {
		_, err := clients.ParseURL(id)
		return err == nil
	}
	return clientIDPattern.MatchString(id)
}

// checkClient refuses, before anything is shown, what Stytch would refuse after the
// sign-in. A loopback redirect_uri is left to Stytch, whose rule for ports we do not know.
func checkClient(client Client, request url.Values) error {
	redirect := request.Get("redirect_uri")
	if len(client.RedirectURIs) > 0 && !slices.Contains(client.RedirectURIs, redirect) && !isLoopback(redirect) {
		return errWrongReturn
	}
	if len(client.RedirectURIs) == 0 && !isLoopback(redirect) && !strings.HasPrefix(redirect, "https://") {
		return errWrongReturn // of a client that nobody could look up no other is known to be its own
	}
	return nil
}

// ownScheme is that of an app on the person's device, with a dot or more letters than what browsers act on
// themselves.
var ownScheme = pattern.New(`^[a-z][a-z0-9+.-]{2,40}$`)

// notReturned are schemes that a browser acts on instead of leaving the page.
var notReturned = []string{"http", "javascript", "data", "blob", "file", "filesystem", "about", "vbscript",
	"view-source", "intent", "ftp", "ws", "wss", "mailto", "tel", "sms"}

// isReturnAddress reports whether the address has one reading, so that the browser goes where the page says: ASCII, and
// neither a user nor a fragment. http leads to the reader's own computer alone.
func isReturnAddress(address string) bool {
	if strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }) {
		return false
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.User != nil || strings.Contains(address, "#"):
		return false
	case u.Scheme == "https":
		return plainHost.MatchString(u.Host)
	case isLoopback(address):
		return true
	}
	return ownScheme.MatchString(u.Scheme) && !slices.Contains(notReturned, u.Scheme)
}

// plainHost has no escapes, and nothing that some would read as the beginning of a path.
var plainHost = pattern.New(`^([A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+(:[0-9]{1,5})?$`)

var errWrongReturn = &requestError{Title: "failure.wrong_return", Text: "failure.wrong_return_text",
	reason: unregisteredCallback}

// admits reports whether there can be such a client, before anybody asks Stytch. A document that is
// on the reader's own machine is for a server that is there as well.
func (o Options) admits(clientID string) bool {
	if clients.IsURL(clientID) {
		u, err := clients.ParseURL(clientID)
		return err == nil && o.Clients.Takes(clientID) && (u.Scheme == "https" || isLoopback(o.PublicURL))
	}
	return strings.HasPrefix(clientID, "connected-app-"+string(o.environment())+"-") &&
		(o.Clients.Everyone() || o.Clients.Lists(clientID))
}

func (o Options) environment() credentials.Environment {
	if strings.HasPrefix(o.ProjectID, "project-live-") {
		return credentials.Live
	}
	return credentials.Test
}

var errUnknownApplication = &requestError{Title: "failure.unknown_app", Text: "failure.unknown_app_text",
	reason: unknownClient}

var errUnlistedHost = &requestError{Title: errUnknownApplication.Title, Text: errUnknownApplication.Text,
	reason: unlistedHost}

var errUnknownOrganization = &requestError{Title: "failure.unknown_organization",
	Text: "failure.unknown_organization_text", reason: unknownOrganization, code: invalidRequest}

func isLoopback(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && u.Scheme == "http" && u.User == nil && clients.IsLoopback(u)
}

// clientHost returns the host of the client's document, "" for a connected app.
func clientHost(request url.Values) string {
	if u, err := clients.ParseURL(request.Get("client_id")); err == nil {
		return u.Host
	}
	return ""
}

// A destination is where the person is sent once they have decided: the key of the words for it, with its name.
type destination struct{ Key, Name string }

func returnsTo(request url.Values) destination {
	u, err := url.Parse(request.Get("redirect_uri"))
	switch {
	case err != nil || !request.Has("redirect_uri"):
		return destination{}
	case isLoopback(request.Get("redirect_uri")):
		return destination{"signin.at_program", u.Host}
	case u.Scheme != "https":
		return destination{"signin.at_app", u.Scheme}
	}
	return destination{"signin.at_site", u.Host}
}

// The request cookie keeps an authorization request while the person reads their
// mail: the link in it leads to the bare page, perhaps in another tab, because
// Stytch matches redirect URLs including their query.
const requestLifetime = 15 * time.Minute

func (p *Provider) cookieName() string {
	if p.secure {
		return "__Host-guestpass-request"
	}
	return "guestpass-request" // loopback over http: browsers refuse the prefix there
}

// keepRequest sets the cookie. A request too large for one is not kept: then only
// the e-mail link is affected, not the code.
func (p *Provider) keepRequest(w http.ResponseWriter, request url.Values) {
	expires := strconv.FormatInt(p.options.Now().Add(requestLifetime).Unix(), 10)
	content := expires + " " + request.Encode()
	value := base64.RawURLEncoding.EncodeToString(append(p.sign(content), content...))
	if len(value) > 3800 { // browsers keep about 4,096 bytes with name and attributes
		return
	}
	// #nosec G124 -- not Secure only where the public URL is http, on this machine
	http.SetCookie(w, &http.Cookie{Name: p.cookieName(), Value: value, Path: "/",
		MaxAge: int(requestLifetime.Seconds()), HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode})
}

// keptRequest returns the request in the cookie, or nil.
func (p *Provider) keptRequest(r *http.Request) url.Values {
	cookie, err := r.Cookie(p.cookieName())
	if err != nil {
		return nil
	}
	content, err := p.open(cookie.Value)
	if err != nil {
		return nil
	}
	request, err := parseRequest(content)
	if err != nil {
		return nil
	}
	return request
}

func (p *Provider) open(value string) (string, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil || len(raw) < sha256.Size {
		return "", errors.New("malformed")
	}
	content := string(raw[sha256.Size:])
	if !hmac.Equal(raw[:sha256.Size], p.sign(content)) {
		return "", errors.New("not ours")
	}
	expires, query, _ := strings.Cut(content, " ")
	if seconds, err := strconv.ParseInt(expires, 10, 64); err != nil || p.options.Now().Unix() >= seconds {
		return "", errors.New("expired")
	}
	return query, nil
}

func (p *Provider) sign(content string) []byte {
	h := hmac.New(sha256.New, p.options.CookieKey)
	h.Write([]byte("authorization request " + content))
	return h.Sum(nil)
}
