// Package account is the page on which people see which apps they have connected, what was done
// through them, and revoke. The Stytch session that the sign-in page keeps in their browser says
// who they are. It counts on this page only, never for operations.
package account

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"guestpass/api"
	"guestpass/directory"
	"guestpass/internal/connections"
	"guestpass/internal/form"
	"guestpass/internal/headers"
	"guestpass/internal/limits"
	"guestpass/internal/page"
	"guestpass/internal/stytch"
	"guestpass/internal/text"
	"guestpass/store"
)

//go:embed *.html
var templates embed.FS

// adminRole is Stytch's own role for an organization's administrators.
const adminRole = "stytch_admin"

const (
	pageTimeout = 15 * time.Second
)

// Options configure an [Account].
type Options struct {
	Pages     *page.Pages // in whose layout the page is
	PublicURL string
	LoginHost string // of the login page of the application; "": people sign in here

	Connections *connections.Connections
	Directory   stytch.Directory
	Members     *stytch.B2B // the same directory in a B2B project, whose administrators see more; else nil
	Store       *store.Store

	SessionOwner func(jwt string) (subject, organization string, ok bool) // by its signature alone; nil: not told

	Limits *limits.Limits // makes what the page is bounded by; nil: for this page alone

	DescribeScopes func(context.Context) map[string]string // what scopes are for, by name
	Service        *api.Service                            // says what its operations have done, and undoes it

	FormKey []byte // signs the forms; the same on every instance
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
}

// An Account serves the page. Safe for concurrent use.
type Account struct {
	options    Options
	page       *page.Page
	bounds     *bounds
	operations map[string]api.Operation // by id
	protection *http.CrossOriginProtection
	headers    headers.Page
}

// New needs no network.
func New(o Options) (*Account, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	parsed, err := o.Pages.Parse(page.Layout{Path: "/account"}, templates, "account.html", "changes.html",
		"asking.html", "organization.html")
	if err != nil {
		return nil, err
	}
	operations := map[string]api.Operation{}
	for _, op := range o.Service.Operations() {
		operations[op.ID] = op
	}
	return &Account{options: o, page: parsed, bounds: newBounds(o.Limits), operations: operations,
		protection: http.NewCrossOriginProtection(),
		headers: headers.Page{
			Policy: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; " +
				"form-action 'self'; frame-ancestors 'none'",
			Secure: strings.HasPrefix(o.PublicURL, "https://"),
		}}, nil
}

// view is what the page is told.
type view struct {
	Login   string   // host of the application's login page, if people sign in there
	Failure []string // keys of the words: instead of everything else
	// Reference is the request's id, which finds in the log why something was refused, or failed.
	Reference string
	Fault     string // the request's id where waiting does not help: it is for whoever runs the server
	SignedIn  bool
	Revoked   notice
	Undone    *activity // what was taken back just now
	Who       string
	// Organization is that of who is signed in; "" for none.
	Organization string
	Apps         []app
	Others       []sharedApp // of the other members of the organization, for its administrators
	Admin        bool
	Cut          bool   // there are more
	Unknown      bool   // our database cannot be read: there is no more than what Stytch says
	Next         string // where the organization's further apps are listed; "" if there are none

	// One of these instead of the apps.
	Changes *changes
	Asking  *asking  // whether to revoke
	Undoing *undoing // whether to undo, or why that was not possible
	Partly  *partly  // for whom it was revoked and for whom not
}

// app is what is shown as one: the person's connections to clients of one name and host. Some programs
// register themselves anew at every start.
type app struct {
	connections.Connection          // of all of them together; its Client is the first
	Clients                []string // each of them
	Person                 string   // whose it is: the address, which nobody else has
	Called                 string   // what they call themselves
	May                    []scope
	Done                   done   // of the person's own
	Unknown                bool   // whether and when it was used
	Ask                    string // link to where it is revoked
	Overseen               string // link to what was done through it that administrators may see; "" for nothing
}

// A scope, and what its declaration says that it is for.
type scope struct{ Name, For string }

// Page is GET /account.
func (a *Account) Page(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(a.owned(r), pageTimeout)
	defer cancel()
	query, err := form.Parse(r.URL.RawQuery)
	asked, understood := askedChanges(query)
	if err != nil || len(query["revoked"]) > 1 || len(query["after"]) > 1 || !understood {
		a.refuse(w, r, "account.bad_address", errBadAddress)
		return
	}
	shown := session(r)
	a.show(ctx, w, r, shown, func(ctx context.Context, v *view, person directory.Person) error {
		v.Revoked = a.notice(query, shown)
		v.Undone = a.undone(ctx, query, shown, person)
		if asked != nil {
			return a.fillChanges(ctx, v, person, *asked)
		}
		return a.fill(ctx, v, person, shown, query.Get("after"))
	})
}

// Refusals of what somebody asks to see.
var (
	errBadAddress = errors.New("the address cannot be understood")
	errNotAdmin   = errors.New("not an administrator, or not any more")
	errNoChange   = errors.New("no such change in the person's name")
)

// show writes a page that fill makes for whom the session is of.
func (a *Account) show(ctx context.Context, w http.ResponseWriter, r *http.Request, shown shownSession, fill filling) {
	v, err := a.view(ctx, shown, fill)
	switch {
	case errors.Is(err, errNoChange):
		a.refuse(w, r, "account.no_change", err)
	case errors.Is(err, errNotAdmin):
		a.refuse(w, r, "account.not_admin", err)
	case err != nil:
		a.fail(w, r, "account.not_shown", "account.load_again", err)
	default:
		a.write(w, r, http.StatusOK, v)
	}
}

// A filling adds to the view what a page shows a person.
type filling func(context.Context, *view, directory.Person) error

// view makes the page in a place of the person's, which nobody else needs. The page is written to
// the client, who may be slow, when that place is free again.
func (a *Account) view(ctx context.Context, shown shownSession, fill filling) (v view, err error) {
	if shown == (shownSession{}) {
		return view{}, nil
	}
	counted, err := a.countSeen(shown)
	if err != nil {
		return view{}, err
	}
	person, err := a.person(ctx, shown)
	if errors.Is(err, errNotSignedIn) {
		return view{}, nil
	}
	if err != nil {
		return view{}, err
	}
	party := partyOf(person.ID, person.Organization.ID, showOperation)
	a.bounds.seen.Put(party, shown.digest(), party, a.options.Now().Add(seenFor))
	if !counted {
		if err := admit(a.bounds.views, party); err != nil {
			return view{}, err
		}
	}
	ctx = store.ForOwner(limits.WithParty(ctx, party), cmp.Or(person.Organization.ID, person.ID))
	leave, err := a.bounds.pages.Enter(ctx)
	if err != nil {
		return view{}, err
	}
	defer leave()
	v.SignedIn, v.Who = true, text.Name(cmp.Or(person.Email, person.Name, person.ID))
	v.Organization = person.Organization.Name
	return v, fill(ctx, &v, person)
}

// fill lists the person's connections, and for administrators everybody's, of the apps that
// follow the one with the id after.
func (a *Account) fill(ctx context.Context, v *view, person directory.Person, shown shownSession, after string) error {
	own, err := a.options.Connections.Of(ctx, person.Organization.ID, person.ID)
	if err != nil {
		return err
	}
	record := a.record(ctx, person)
	v.Unknown = own.Unknown || record.err != nil
	words := a.options.DescribeScopes(ctx)
	for _, clients := range grouped(own.Connections) {
		entry := a.app(clients, words, person, shown, "")
		entry.Done, entry.Unknown = record.through(ctx, entry.Clients...), v.Unknown
		v.Apps = append(v.Apps, entry)
	}
	if v.Admin = a.admin(person); !v.Admin {
		return nil
	}
	return a.fillOthers(ctx, v, person, shown, after)
}

func (a *Account) admin(person directory.Person) bool {
	return a.options.Members != nil && slices.Contains(person.Roles, adminRole)
}

// app returns what is shown of clients that are one; whose is "" for those of the person who looks at it.
func (a *Account) app(clients []connections.Connection, words map[string]string, person directory.Person,
	shown shownSession, whose string) app {
	entry := app{Connection: together(clients), Person: whose}
	for _, c := range clients {
		entry.Clients = append(entry.Clients, c.Client)
	}
	f := a.authorityOf(person, shown)
	f.App, f.May = entry.Label(), entry.Scopes
	f.Of = []connected{{Subject: entry.Subject, Clients: entry.Clients, Person: whose}}
	entry.Ask = a.askLink(toAsk, f)
	entry.May = described(entry.Scopes, words)
	return entry
}

func described(scopes []string, words map[string]string) (may []scope) {
	for _, name := range scopes {
		may = append(may, scope{name, cmp.Or(words[name], name)})
	}
	return may
}

// members returns those of the organization by id, as far as one page of Stytch's goes.
func (a *Account) members(ctx context.Context, organizationID string) (map[string]directory.Person, error) {
	found, err := a.options.Members.Members(ctx, organizationID, directory.MemberQuery{Limit: 1000})
	if err != nil {
		return nil, err
	}
	members := map[string]directory.Person{}
	for _, m := range found.Members {
		members[m.ID] = m
	}
	return members, nil
}

// fail tells the person in words, by their keys, that something is not possible now, and what to do; the log has the
// reason. Where something is set up wrongly neither waiting nor signing in again helps.
func (a *Account) fail(w http.ResponseWriter, r *http.Request, words, wait string, err error) {
	if errors.Is(err, directory.ErrCredentials) || errors.As(err, new(*stytch.UnexpectedError)) {
		a.options.Log.ErrorContext(r.Context(), "account page failed, and will until this is mended", "error", err)
		a.write(w, r, http.StatusServiceUnavailable,
			view{Failure: []string{words}, Fault: cmp.Or(middleware.GetReqID(r.Context()), "none")})
		return
	}
	a.options.Log.WarnContext(r.Context(), "account page failed", "error", err)
	status := http.StatusServiceUnavailable
	w.Header().Set("Retry-After", "5")
	var exceeded exceededError
	if errors.As(err, &exceeded) {
		status = http.StatusTooManyRequests
		exceeded.SetHeaders(w.Header())
	}
	a.write(w, r, status, view{Failure: []string{words, wait}})
}

func (a *Account) write(w http.ResponseWriter, r *http.Request, status int, v view) {
	a.headers.Set(w.Header())
	v.Login = a.options.LoginHost
	if len(v.Failure) > 0 && v.Fault == "" {
		v.Reference = middleware.GetReqID(r.Context())
	}
	body, err := a.page.Render(a.options.Pages.Language(w, r), v)
	if err != nil {
		a.options.Log.ErrorContext(r.Context(), "page not rendered", "error", err)
		status, body = http.StatusInternalServerError, nil
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // #nosec G705 -- rendered by html/template, which escapes
}
