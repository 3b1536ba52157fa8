// Package directory knows people, their roles and the connected apps, as Stytch
// keeps them: in a B2B project the members of organizations, in a Consumer project
// the users. It speaks to Stytch through stytch-go with a transport of its own
// (bounded in time, patient with outages, never repeating a write) and turns
// Stytch's answers into our types, so that nothing that Stytch may add to a person
// reaches a language model by accident.
//
// It does not know tokens or HTTP replies. Whom a call is about, and in which
// organization, are arguments: callers take them from the verified token.
package directory

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// The errors that callers branch on. Every other error of this package is a fault
// whose text is for the log.
var (
	// ErrNotFound: no such person, organization or app. Whether it exists elsewhere is not told.
	ErrNotFound = errors.New("not found in the directory")
	// ErrExists: the person to invite is a member already.
	ErrExists = errors.New("already a member")
	// ErrCredentials: Stytch refused our own project id and secret.
	ErrCredentials = errors.New("the project's credentials were refused by Stytch")
	// ErrInactive: the person exists but may not act any more.
	ErrInactive = errors.New("the person is not active")
)

// InvalidError says which value Stytch would not take, in words for whoever sent it.
type InvalidError struct {
	Field  string // name of the input: "email", "roles", "cursor"
	Reason string
}

func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

// UnavailableError says that Stytch did not answer, or not usefully.
type UnavailableError struct {
	RetryAfter time.Duration // what Stytch asked for; 0 when it said nothing
	cause      error
}

func (e *UnavailableError) Error() string { return "Stytch is unavailable: " + e.cause.Error() }
func (e *UnavailableError) Unwrap() error { return e.cause }

// A Directory is what [B2B] and [Consumer] projects have in common. Consumer
// projects have no organizations: there organizationID is "". Safe for concurrent use.
type Directory interface {
	// Person returns one person of the organization.
	Person(ctx context.Context, organizationID, id string) (Person, error)
	// CheckActive returns nil if the person may act now, ErrInactive or ErrNotFound
	// otherwise. It asks Stytch each time: it stands before writes.
	CheckActive(ctx context.Context, organizationID, id string) error
	// CheckRecentlyActive is CheckActive with an answer that may be a minute old: it
	// stands before reads. While Stytch is away the last answer goes on to count; without
	// one the error is an [UnavailableError].
	CheckRecentlyActive(ctx context.Context, organizationID, id string) error
	// Permits says whether the person's own Stytch roles cover the action on the RBAC
	// resource. Roles and policy are believed for 60 seconds. Who is gone or not active
	// has no permissions: false, without an error.
	Permits(ctx context.Context, organizationID, id, resource, action string) (bool, error)
	// ConnectedApp returns the app with that client id, or ErrNotFound. Answers, also
	// that there is no such app, are kept for a minute.
	ConnectedApp(ctx context.Context, clientID string) (ConnectedApp, error)
	// ScopeDescriptions returns what the project says of its custom scopes, by name; it is
	// believed for 60 seconds and must not be changed.
	ScopeDescriptions(ctx context.Context) (map[string]string, error)
	// Session returns whose Stytch session it is that a browser shows by its token or its
	// JWT. ErrNotFound if it has ended or never was, ErrInactive if the person may not act.
	Session(ctx context.Context, token, jwt string) (Person, error)
	// Connections are the apps that the person has connected.
	Connections(ctx context.Context, organizationID, id string) ([]Connection, error)
	// Disconnect has Stytch end consent and everything issued by it, refresh tokens too.
	// That there is nothing to end is no error.
	Disconnect(ctx context.Context, organizationID, id, clientID string) error
	// Introspect asks Stytch whether the access token of the person and app is still good.
	Introspect(ctx context.Context, token, id, clientID string) (bool, error)
	// Ping says whether Stytch answers and takes our credentials. Its answer is kept for
	// five seconds, so that a health check cannot become a load on Stytch.
	Ping(ctx context.Context) error
}

// A Person as the rest of Guestpass may know one: a member or a user. Stytch keeps
// far more (phone numbers, metadata, registrations); none of it is read.
type Person struct {
	ID, Name, Email string
	EmailVerified   bool
	Status          string       // active, invited, pending or deleted; of users only active and pending
	Roles           []string     // role ids; never nil
	Organization    Organization // the zero value in Consumer projects
}

// An Organization, by its id, name and slug.
type Organization struct{ ID, Name, Slug string }

// A ConnectedApp is a client of the project: for a custom GPT, the GPT.
type ConnectedApp struct {
	ID, Name     string
	RedirectURLs []string
}

// Options configure a [Directory].
type Options struct {
	ProjectID, Secret string
	BaseURL           string            // another API base than Stytch's own; for the emulator
	InviteRedirectURL string            // where an invitation's link leads: a redirect URL registered with Stytch; B2B only
	ClientSecrets     map[string]string // of connected apps, by client id, for Introspect; public ones have none
	MaxCalls          int               // to Stytch, under way at once for admission, and as many for everything else; 0: 32
	Log               *slog.Logger
	Now               func() time.Time                // nil: time.Now
	Backoff           func(attempt int) time.Duration // nil: 100 ms, then 400 ms
}
