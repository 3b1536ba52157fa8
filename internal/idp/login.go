package idp

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"guestpass/internal/credentials"
	"guestpass/internal/form"
	"guestpass/internal/pageurl"
	"guestpass/internal/pattern"
)

// A Login is the login page that an application has already, on which people sign in instead of on ours. They come
// back to our page with the request that they left with, and either with a session of the same Stytch project in the
// cookies of its SDK, or with a token that Stytch takes for one (a trusted auth token).
//
// Where they come back to is made here, of our own origin and the request; no address is ever returned to that came
// with a request. The page's script knows which returns this browser waits for, see login.js.
type Login struct {
	URL             string // "": people sign in on our page
	ReturnParameter string // of the URL, with the address to come back to; "": DefaultReturnParameter
	TokenProfile    string // id of the project's trusted auth token profile; "": the page leaves a session
	CookieDomain    string // of the session's cookies; "": they are of our host alone
}

// DefaultReturnParameter is the name that most login pages use.
const DefaultReturnParameter = "return_to"

const (
	// stateParameter is ours: it tells the script which of its own journeys to the login page has ended.
	stateParameter = "login_state"
	// tokenParameter is where the login page puts the token: into a form, or behind #.
	tokenParameter = "trusted_auth_token" // #nosec G101 -- a name
	// promptParameter asks the login page to let people choose who they are (OpenID Connect Core section 3.1.2.1).
	promptParameter = "prompt"
)

const maxToken = 8 << 10 // bytes of a trusted auth token

var (
	returnName   = pattern.New(`^[A-Za-z][A-Za-z0-9_.-]{0,39}$`)
	cookieDomain = pattern.New(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
	compactJWS   = pattern.New(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)
)

// CheckLoginURL checks the form of Login.URL by itself.
func CheckLoginURL(text string) error {
	u, err := pageurl.Parse(text)
	switch {
	case err != nil:
		return err
	case strings.Contains(text, "#"):
		return errors.New("must have nothing behind #: a fragment is lost on the way")
	case u.Host != strings.ToLower(u.Host):
		return errors.New("must have its host in lower case")
	}
	if _, err := form.Parse(u.RawQuery); err != nil {
		return errors.New("has a query that cannot be read")
	}
	return nil
}

// CheckReturnParameter checks Login.ReturnParameter.
func CheckReturnParameter(name string) error {
	taken := []string{promptParameter, stateParameter, tokenParameter}
	if !returnName.MatchString(name) || slices.Contains(taken, name) {
		return errors.New("must be the name of a parameter, such as return_to or next")
	}
	return nil
}

// CheckTokenProfile checks the form of Login.TokenProfile.
func CheckTokenProfile(id string) error {
	_, err := credentials.TokenProfile.Check(id)
	return err
}

// CheckCookieDomain checks the form of Login.CookieDomain.
func CheckCookieDomain(domain string) error {
	if !cookieDomain.MatchString(domain) {
		return errors.New("must be a domain such as example.com: no address, no scheme and no dot before it")
	}
	return nil
}

// Contradictions of a Login, each of which is about one of its fields.
var (
	ErrLoginURL     = errors.New("is a page of this server: people would be sent round in a circle")
	ErrReturnTaken  = errors.New("is in the query of the login page's address already, or is the parameter prompt")
	ErrCookieDomain = errors.New("is no domain of the public URL, so browsers would not keep the cookies")
)

// Check finds values that contradict each other. Each is checked by itself before.
func (l Login) Check(publicURL string) error {
	login, err := url.Parse(l.URL)
	if err != nil {
		return ErrLoginURL
	}
	public, err := url.Parse(publicURL)
	if err != nil {
		return ErrCookieDomain
	}
	query := login.Query()
	switch {
	case l.URL == "":
		return nil
	case login.Scheme == public.Scheme && login.Host == public.Host &&
		slices.Contains([]string{"/idp", "/account"}, strings.TrimRight(login.Path, "/")):
		return ErrLoginURL
	case query.Has(l.returnParameter()) || query.Has(promptParameter):
		return ErrReturnTaken
	case l.CookieDomain != "" && public.Hostname() != l.CookieDomain &&
		!strings.HasSuffix(public.Hostname(), "."+l.CookieDomain):
		return ErrCookieDomain
	}
	return nil
}

// checkForm checks each value by itself.
func (l Login) checkForm(environment credentials.Environment) error {
	if l.URL == "" {
		if l != (Login{}) {
			return errors.New("the login page has no address")
		}
		return nil
	}
	err := errors.Join(CheckLoginURL(l.URL), CheckReturnParameter(l.returnParameter()))
	if l.TokenProfile != "" {
		of, wrong := credentials.TokenProfile.Check(l.TokenProfile)
		if wrong == nil && of != environment {
			wrong = errors.New("the token profile is of another environment than the project")
		}
		err = errors.Join(err, wrong)
	}
	if l.CookieDomain != "" {
		err = errors.Join(err, CheckCookieDomain(l.CookieDomain))
	}
	return err
}

func (l Login) returnParameter() string { return cmp.Or(l.ReturnParameter, DefaultReturnParameter) }

// Host is that of the login page, as people are told; "" without one.
func (l Login) Host() string {
	u, err := url.Parse(l.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// TakesTokens reports whether people come back with a token, for which there is [Provider.Return].
func (l Login) TakesTokens() bool { return l.TokenProfile != "" }

var errTokenInQuery = &requestError{Title: "failure.unsafe", Text: "failure.unsafe_text", reason: tokenInQuery}

var errUnreadableToken = &requestError{Title: "failure.unreadable", Text: "failure.unreadable_text",
	reason: unreadableToken}

// checkNoToken refuses a token in the address: addresses are kept in histories and logs. Nothing of it is logged here.
func (l Login) checkNoToken(query url.Values) error {
	if query.Has(tokenParameter) || l.TakesTokens() && query.Has("token") && !query.Has(linkParameter) {
		return errTokenInQuery
	}
	return nil
}

// Return is POST /idp, by which the login page sends people back with a token in a form. Such a form comes from another
// site, and anybody's page may send one: it does nothing here but show the page of GET, with the token in it. The
// script there uses the token only if it was this browser that was sent to sign in for it, and once. So no cookie has
// to come along, and none does (SameSite).
func (p *Provider) Return(w http.ResponseWriter, r *http.Request) {
	fields, err := form.Read(w, r, maxToken+1024)
	token := fields.Get(tokenParameter)
	if err != nil || len(fields[tokenParameter]) > 1 || len(token) > maxToken ||
		token != "" && !compactJWS.MatchString(token) {
		p.show(w, r, "", errUnreadableToken)
		return
	}
	p.show(w, r, token, nil)
}

// cameWithSession reports whether the browser shows cookies of a session, which the script may not see (HttpOnly).
func cameWithSession(r *http.Request) bool {
	return len(r.CookiesNamed("stytch_session"))+len(r.CookiesNamed("stytch_session_jwt")) > 0
}
