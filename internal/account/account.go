// Package account is the page on which people see which apps they have connected, what
// was done through them, and revoke. Who they are says the Stytch session that the
// sign-in page keeps in their browser; it counts on this page only, never for operations.
package account

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"guestpass/internal/connections"
	"guestpass/internal/directory"
	"guestpass/internal/headers"
	"guestpass/internal/limits"
	"guestpass/internal/store"
)

//go:embed account.html
var pageText string

var page = template.Must(template.New("account").Parse(pageText))

// adminRole is Stytch's own role for an organization's administrators.
const adminRole = "stytch_admin"

const (
	listedActivities = 10 // of each app
	readActivities   = 200
	pageTimeout      = 15 * time.Second
)

// Options configure an [Account].
type Options struct {
	Title     string // of the app
	PublicURL string

	Connections *connections.Connections
	Directory   directory.Directory
	Members     *directory.B2B // the same directory in a B2B project, whose administrators see more; else nil
	Store       *store.Store

	Pages  *limits.Slots  // places among the pages that are made at once; required
	Limits *limits.Limits // counts what each person does here, as calls of one more app; revoking takes an operation's place. nil: none

	DescribeScopes func(context.Context) map[string]string // what scopes are for, by name
	Operations     map[string]string                       // what operations do, by id

	FormKey []byte // signs the forms; the same on every instance
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
}

// An Account serves the page. Safe for concurrent use.
type Account struct {
	options    Options
	protection *http.CrossOriginProtection
	headers    headers.Page
}

// New needs no network.
func New(o Options) *Account {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Account{options: o, protection: http.NewCrossOriginProtection(), headers: headers.Page{
		Policy: "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
		Secure: strings.HasPrefix(o.PublicURL, "https://"),
	}}
}

// view is what the page is told.
type view struct {
	Title    string
	Failure  string // instead of everything else
	SignedIn bool
	Revoked  bool // somebody has just revoked
	Who      string
	Apps     []app
	Members  []app // of the whole organization, for its administrators
	Admin    bool
	Cut      bool // there are more
}

// app is a connection as it is shown.
type app struct {
	connections.Connection
	Person     string // whose it is
	May        []string
	Activities []activity
	Form       string
}

type activity struct {
	At      time.Time
	What    string
	Outcome string // "" for done
}

// Page is GET /account.
func (a *Account) Page(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageTimeout)
	defer cancel()
	shown := session(r)
	v, err := a.view(ctx, shown)
	if err != nil {
		a.fail(w, r, "This page cannot be shown at the moment. Wait a little and load it again.", err)
		return
	}
	v.Revoked = v.SignedIn && a.revokedBefore(r, shown)
	a.write(w, r, http.StatusOK, v)
}

// view is made in a place among the pages; it is written to the client, who may be slow,
// when that is free again.
func (a *Account) view(ctx context.Context, shown shownSession) (v view, err error) {
	if shown == (shownSession{}) {
		return view{}, nil
	}
	if err := a.options.Pages.Enter(ctx); err != nil {
		return view{}, err
	}
	defer a.options.Pages.Leave()
	person, err := a.person(ctx, shown)
	if errors.Is(err, errNotSignedIn) {
		return view{}, nil
	}
	if err == nil {
		err = a.admit(person.ID)
	}
	if err != nil {
		return view{}, err
	}
	v.SignedIn = true
	return v, a.fill(ctx, &v, person, shown)
}

// admit counts what a person does here. One page of an administrator is many calls of Stytch.
func (a *Account) admit(subject string) error {
	if exceeded := a.options.Limits.Admit("account page", subject, ""); exceeded != nil {
		return exceededError{exceeded}
	}
	return nil
}

type exceededError struct{ *limits.Exceeded }

func (e exceededError) Error() string {
	return fmt.Sprintf("more than %d requests a minute for each %s", e.Quota, e.Policy)
}

// fill lists the person's connections, and for administrators everybody's.
func (a *Account) fill(ctx context.Context, v *view, person directory.Person, shown shownSession) error {
	v.Who = cmp.Or(person.Email, person.Name, person.ID)
	if person.Organization.Name != "" {
		v.Who += " at " + person.Organization.Name
	}
	own, err := a.options.Connections.Of(ctx, person.Organization.ID, person.ID)
	if err != nil {
		return err
	}
	done, err := a.activities(ctx, person)
	if err != nil {
		return err
	}
	words := a.options.DescribeScopes(ctx)
	for _, c := range own {
		entry := a.app(c, words, person, shown)
		entry.Activities = done[c.Client]
		v.Apps = append(v.Apps, entry)
	}
	if v.Admin = a.admin(person); !v.Admin {
		return nil
	}
	all, err := a.options.Connections.OfOrganization(ctx, a.options.Members, person.Organization.ID)
	if err != nil {
		return err
	}
	names, err := a.names(ctx, person.Organization.ID)
	if err != nil {
		return err
	}
	v.Cut = len(all) == connections.MaxListed
	for _, c := range all {
		if c.Subject == person.ID {
			continue // listed above
		}
		entry := a.app(c, words, person, shown)
		entry.Person = cmp.Or(names[c.Subject], c.Subject)
		v.Members = append(v.Members, entry)
	}
	return nil
}

func (a *Account) admin(person directory.Person) bool {
	return a.options.Members != nil && slices.Contains(person.Roles, adminRole)
}

func (a *Account) app(c connections.Connection, words map[string]string, person directory.Person, shown shownSession) app {
	entry := app{Connection: c, Form: a.sign(toRevoke, form{Session: shown.digest(), Actor: person.ID, Organization: person.Organization.ID,
		Subject: c.Subject, Client: c.Client, Expires: a.options.Now().Add(formLifetime).Unix()})}
	for _, scope := range c.Scopes {
		entry.May = append(entry.May, cmp.Or(words[scope], scope))
	}
	return entry
}

// activities are the person's latest, by app.
func (a *Account) activities(ctx context.Context, person directory.Person) (map[string][]activity, error) {
	rows, err := a.options.Store.Activities(ctx, cmp.Or(person.Organization.ID, person.ID), person.ID, "", readActivities)
	if err != nil {
		return nil, err
	}
	done := map[string][]activity{}
	for _, row := range rows {
		if len(done[row.Client]) == listedActivities {
			continue
		}
		what := activity{At: row.At, What: cmp.Or(a.options.Operations[row.Operation], row.Operation)}
		switch row.Outcome {
		case store.Failed:
			what.Outcome = "failed"
		case store.Started:
			what.Outcome = "its end is not known"
		}
		done[row.Client] = append(done[row.Client], what)
	}
	return done, nil
}

// names are those of the organization's members, as far as one page of Stytch's goes.
func (a *Account) names(ctx context.Context, organizationID string) (map[string]string, error) {
	found, err := a.options.Members.Members(ctx, organizationID, directory.MemberQuery{Limit: 1000})
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, m := range found.Members {
		names[m.ID] = strings.TrimSpace(m.Name + " " + m.Email)
	}
	return names, nil
}

// fail tells in the words that something is not possible now. Why is in the log.
func (a *Account) fail(w http.ResponseWriter, r *http.Request, words string, err error) {
	a.options.Log.WarnContext(r.Context(), "account page failed", "error", err)
	status := http.StatusServiceUnavailable
	w.Header().Set("Retry-After", "5")
	var exceeded exceededError
	if errors.As(err, &exceeded) {
		status = http.StatusTooManyRequests
		exceeded.SetHeaders(w.Header())
	}
	a.write(w, r, status, view{Failure: words})
}

func (a *Account) write(w http.ResponseWriter, r *http.Request, status int, v view) {
	a.headers.Set(w.Header())
	v.Title = a.options.Title
	var body bytes.Buffer
	if err := page.Execute(&body, v); err != nil {
		a.options.Log.ErrorContext(r.Context(), "page not rendered", "error", err)
		status = http.StatusInternalServerError
		body.Reset()
	}
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}
