package idp

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"guestpass/internal/clients"
)

//go:embed page.html
var templates embed.FS

// pageData is what the page and, through data attributes, its script are told.
type pageData struct {
	Failure      *requestError // shown instead of everything else
	Back         back          // of a failure: where its app hears of it
	Reference    string        // of a failure in the log; "": it is not there
	ClientName   string
	Request      string // canonical query of the authorization request, "" for none
	PublicToken  string
	Vertical     string
	Bundle       string // the script with Stytch's component
	Methods      string // ways to sign in, separated by spaces
	APIBase      string // the origin that the browser SDK talks to
	Issuer       string // that a response may name; "": none
	IssuerKnown  bool
	ClientHost   string      // of the client's document; "" for a connected app
	Unchecked    bool        // the client's name: anybody may have chosen it
	ReturnsTo    destination // the zero value for no application
	ReturnURL    string      // where e-mail links lead: the bare page
	Scopes       scopesInWords
	RoleEffect   string       // the strongest effect of what roles allow; "" where scopes decide
	Organization Organization // that the request names; the zero value for none
	Link         string       // that led here: "" for none, "offered" or "refused"
	LogOut       bool         // an OpenID Connect logout (post_logout_redirect_uri)

	Login           Login
	ReturnParameter string
	Token           string // with which the login page has sent the person back
	SessionSent     bool   // the browser has shown cookies of a session
}

// Page is GET /idp. Every reply, errors included, carries the same headers.
func (p *Provider) Page(w http.ResponseWriter, r *http.Request) { p.show(w, r, "", nil) }

// show answers with the page; failed is what was wrong with what came beside the address.
func (p *Provider) show(w http.ResponseWriter, r *http.Request, token string, failed *requestError) {
	p.headers.Set(w.Header())
	language := p.options.Pages.Language(w, r)
	data := pageData{RoleEffect: p.options.RoleEffect, PublicToken: p.options.PublicToken,
		Vertical: p.options.Vertical, Bundle: p.bundle.name,
		Methods: strings.Join(p.options.LoginMethods, " "), APIBase: p.options.SDKBaseURL,
		ReturnURL: p.options.PublicURL + "/idp", Login: p.options.Login,
		ReturnParameter: p.options.Login.returnParameter(), Token: token, SessionSent: cameWithSession(r)}
	query, request, failure := p.read(w, r)
	failure = cmp.Or(failed, failure)
	status := http.StatusOK
	data.Link = p.options.linkIn(query)
	switch {
	case failure != nil:
		status, data.Failure = http.StatusBadRequest, failure
	case query.Has(logOutParameter): // Stytch checks the rest of it, and where it leads
		data.LogOut = true
	case request != nil:
		data.Request, data.ClientName = request.Encode(), p.clientName(r.Context(), request)
		data.ClientHost, data.ReturnsTo = clientHost(request), returnsTo(request)
		data.Unchecked = data.ReturnsTo != destination{} && data.ClientHost == "" &&
			!p.options.Clients.Lists(request.Get("client_id"))
		if data.IssuerKnown = true; p.options.AdvertisedIssuer != nil {
			data.Issuer, data.IssuerKnown = p.options.AdvertisedIssuer(r.Context())
		}
		data.Scopes = p.scopes(r.Context(), request, language)
		if data.Organization, failure = p.organization(r.Context(), request); failure != nil {
			status, data.Failure = http.StatusBadRequest, failure
			w.Header().Del("Set-Cookie") // what is refused is not kept
		}
	case data.Link == "":
		status = http.StatusBadRequest
		data.Failure = &requestError{Title: "failure.nothing", Text: "failure.nothing_text", reason: noRequest}
	}
	if data.Failure != nil {
		data.Reference = p.refusals.note(r, data.Failure.reason, "server", p.causeOf(r.URL.RawQuery, data.Failure))
		data.Back = p.wayBack(r.Context(), r.URL.RawQuery, data.Failure)
	}
	body, err := p.page.Render(language, data)
	if err != nil {
		p.log.ErrorContext(r.Context(), "page not rendered", "error", err)
		status, body = http.StatusInternalServerError, nil
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // #nosec G705 -- rendered by html/template, which escapes
}

// causeOf returns what the log says of a failure beside its reason. It names the host that is not listed, for whoever
// may list it.
func (p *Provider) causeOf(rawQuery string, failure *requestError) error {
	if failure != errUnlistedHost {
		return failure.cause
	}
	query, err := readQuery(rawQuery)
	if err != nil {
		return nil
	}
	return fmt.Errorf("clients of %s are not admitted", clientHost(query))
}

// linkIn reports whether a link of a mail, or another service, led here, and whether it may be used.
func (o Options) linkIn(query url.Values) string {
	switch {
	case !query.Has(linkParameter):
		return ""
	case o.redeems(query.Get(linkParameter), query.Get("stytch_redirect_type")):
		return "offered"
	}
	return "refused"
}

// read returns the query and the authorization request in it, or the one kept while the
// person was reading their mail.
func (p *Provider) read(w http.ResponseWriter, r *http.Request) (query, request url.Values, failure *requestError) {
	query, err := readQuery(r.URL.RawQuery)
	if err == nil {
		err = p.options.Login.checkNoToken(query)
	}
	if err == nil {
		request, err = requestOf(query)
	}
	if err == nil && request == nil {
		return query, p.keptRequest(r), nil
	}
	if err == nil && !request.Has(returnParameter) {
		err = p.checkKnown(r.Context(), request)
	}
	if errors.As(err, &failure) {
		return nil, nil, failure
	}
	p.addScopes(r.Context(), request)
	// What is read in the mail belongs to the page on which somebody asked for it, not to another one that was
	// left open and loaded itself since.
	if !query.Has(restartParameter) || p.keptRequest(r) == nil {
		p.keepRequest(w, request)
	}
	return query, request, nil
}

func (p *Provider) checkKnown(ctx context.Context, request url.Values) error {
	if !p.options.admits(request.Get("client_id")) {
		if clientHost(request) != "" {
			return errUnlistedHost
		}
		return errUnknownApplication
	}
	client, err := p.lookUp(ctx, request.Get("client_id"))
	if errors.Is(err, ErrUnknownClient) {
		return errUnknownApplication
	}
	return checkClient(client, request)
}

// lookUp waits briefly: the page can do without. A client with a document is Stytch's to look up, and
// is named by where that is: what it calls itself is anybody's choice.
func (p *Provider) lookUp(ctx context.Context, clientID string) (Client, error) {
	if u, err := clients.ParseURL(clientID); err == nil {
		return Client{Name: u.Host}, nil
	}
	if p.options.LookUpClient == nil {
		return Client{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	client, err := p.options.LookUpClient(ctx, clientID)
	if err != nil && !errors.Is(err, ErrUnknownClient) {
		p.refusals.count(ctx, whyNotLookedUp(err), "server",
			fmt.Errorf("client not looked up; Stytch will decide: %w", err))
		return Client{}, nil
	}
	return client, err
}

// organization returns the one that the request names. It decides where people sign in, so that
// the page cannot do without: an outage is told.
func (p *Provider) organization(ctx context.Context, request url.Values) (Organization, *requestError) {
	named := request.Get("organization_id")
	if named == "" {
		return Organization{}, nil
	}
	if p.options.LookUpOrganization == nil {
		return Organization{}, errUnknownOrganization
	}
	o, err := p.options.LookUpOrganization(ctx, named)
	if errors.Is(err, ErrUnknownOrganization) {
		return Organization{}, errUnknownOrganization
	}
	if err != nil {
		return Organization{}, &requestError{Title: "failure.no_sign_in", Text: "failure.no_sign_in_text",
			reason: whyNotLookedUp(err), cause: fmt.Errorf("organization not looked up: %w", err),
			code: temporarilyUnavailable}
	}
	return o, nil
}

// scopesInWords are what the script is told of scopes, by name.
type scopesInWords map[string]scopeInWords

type scopeInWords struct {
	Words  string `json:"words"`
	Effect string `json:"effect,omitempty"` // see Options.Effects
}

// scopes returns words for those that the request asks for. The project may have more, which are
// nobody's business here.
func (p *Provider) scopes(ctx context.Context, request url.Values, language string) scopesInWords {
	asked := scopesInWords{}
	if p.options.DescribeScopes == nil || request.Has(returnParameter) {
		return asked
	}
	described := p.options.Pages.Scopes(language, p.options.DescribeScopes(ctx))
	for _, scope := range strings.Fields(cmp.Or(request.Get("scope"), defaultScope)) {
		if words, ok := described[scope]; ok {
			asked[scope] = scopeInWords{words, p.options.Effects[scope]}
		}
	}
	return asked
}

// defaultScope is what Stytch's component asks for if the request does not say.
const defaultScope = "openid profile email"

func (p *Provider) clientName(ctx context.Context, request url.Values) string {
	if request.Has(returnParameter) {
		return ""
	}
	client, _ := p.lookUp(ctx, request.Get("client_id"))
	return client.Name
}

func isHTTPS(origin string) bool { return strings.HasPrefix(origin, "https://") }
