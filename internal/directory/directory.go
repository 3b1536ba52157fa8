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
	"fmt"
	"log/slog"
	"strings"
	"time"

	"guestpass/internal/limits"
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

// RolesError says what a person's roles do not cover. Its text is for the log.
type RolesError struct {
	Roles []string // of the person, as they count
	Lacks string   // such as "invite on members"
}

func (e *RolesError) Error() string { return "no role covers " + e.Lacks }

// PartlyUnavailableError says that Stytch answers, but not for all purposes.
type PartlyUnavailableError struct{ Purposes []string }

func (e *PartlyUnavailableError) Error() string {
	return "Stytch does not answer for: " + strings.Join(e.Purposes, "; ")
}

// ExceededError says that somebody whom nobody knows has asked for too much that does not exist.
type ExceededError struct{ *limits.Exceeded }

func (e *ExceededError) Error() string {
	return fmt.Sprintf("more than %d look-ups a minute in vain for each %s", e.Quota, e.Policy)
}

// UnexpectedError says that Stytch answered in a way that has no meaning here: a type of
// error that we do not know, or an answer without what it must have. It says nothing of the
// person or session that was asked about; something is set up wrongly, or Stytch has changed.
type UnexpectedError struct{ what string }

func (e *UnexpectedError) Error() string { return "unexpected answer of Stytch: " + e.what }

// A Directory is what [B2B] and [Consumer] projects have in common. Consumer
// projects have no organizations: there organizationID is "". Safe for concurrent use.
type Directory interface {
	// Person returns one person of the organization.
	Person(ctx context.Context, organizationID, id string) (Person, error)
	// CheckActive returns nil if the person may act now, ErrInactive or ErrNotFound
	// otherwise. It asks Stytch each time: it stands before writes. The roles that come with the
	// answer are what Permits and CheckScope go by from then on.
	CheckActive(ctx context.Context, organizationID, id string) error
	// CheckRecentlyActive is CheckActive with an answer that may be a minute old: it
	// stands before reads. While Stytch is away the last answer goes on to count; without
	// one the error is an [UnavailableError].
	CheckRecentlyActive(ctx context.Context, organizationID, id string) error
	// Permits says whether the person's own Stytch roles cover the action on the RBAC
	// resource: those of the project, and in a B2B project those that the organization has
	// beside them; one with the id of a project's role counts as that. Every active person has
	// stytch_member, or stytch_user. Roles and policies are believed for 60 seconds. Who is
	// gone or not active has no permissions: false, without an error.
	Permits(ctx context.Context, organizationID, id, resource, action string) (bool, error)
	// CheckScope returns nil if the person may still have the scope: the project's policy has
	// it, and their roles, counted as by Permits, cover all of its permissions, which is when
	// Stytch grants it. A scope of OpenID Connect, or without permissions, needs no role. Otherwise
	// the error is a [RolesError]; ErrInactive or ErrNotFound if the person may not act at all.
	CheckScope(ctx context.Context, organizationID, id, scope string) error
	// ConnectedApp returns the app with that client id, or ErrNotFound. Answers, also
	// that there is no such app, are kept for a minute.
	ConnectedApp(ctx context.Context, clientID string) (ConnectedApp, error)
	// Policy returns the project's RBAC policy as it is now.
	Policy(ctx context.Context) (Policy, error)
	// ScopeDescriptions returns what the project says of its custom scopes, by name; it is
	// believed for 60 seconds and must not be changed.
	ScopeDescriptions(ctx context.Context) (map[string]string, error)
	// Session returns whose Stytch session it is that a browser shows by its token or its
	// JWT. ErrNotFound if it has ended, never was or has not the form of one, ErrInactive if the
	// person may not act, [ExceededError] if the address has shown too many that are none.
	Session(ctx context.Context, token, jwt string) (Person, error)
	// Connections are the apps that the person has connected.
	Connections(ctx context.Context, organizationID, id string) ([]Connection, error)
	// Disconnect has Stytch end consent and everything issued by it, refresh tokens too.
	// That there is nothing to end is no error.
	Disconnect(ctx context.Context, organizationID, id, clientID string) error
	// Introspect asks Stytch whether the access token of the person and app is still good.
	Introspect(ctx context.Context, token, id, clientID string) (bool, error)
	// Ping says whether Stytch answers and takes our credentials; [PartlyUnavailableError] if it
	// does, but calls of people for some purpose are refused since they failed. Its answer is
	// kept for five seconds, so that a health check cannot become a load on Stytch.
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
	MetadataURL  string // of its own document, by whose URL it names itself to Stytch; "" if it has none
}

// Options configure a [Directory].
type Options struct {
	ProjectID, Secret string
	BaseURL           string // another API base than Stytch's own; for the emulator
	// where an invitation's link leads: a redirect URL registered with Stytch; B2B only
	InviteRedirectURL string
	ClientSecrets     map[string]string // of connected apps, by client id, for Introspect; public ones have none
	MaxCalls          int               // to Stytch, under way at once for admission, and as many for operations; 0: 32
	Limits            *limits.Limits    // on whose list the bounds of calls to Stytch are; nil: on none
	Log               *slog.Logger
	Now               func() time.Time                // nil: time.Now
	Backoff           func(attempt int) time.Duration // nil: 100 ms, then 400 ms
}
