// Package directory says what Guestpass wants to know of people: who somebody is, whether they may act now, and what
// their roles permit. It has no more than the interfaces, what they return, and their errors: internal/stytch
// answers them from Stytch, and whoever keeps people elsewhere can answer them in its place.
//
// It knows neither tokens nor HTTP. Whom a call is about, and in which organization, are arguments: take them from
// the verified token, never from a request.
package directory

import (
	"context"
	"errors"
	"time"
)

// The errors that callers branch on. The text of any other error is for the log.
var (
	// ErrNotFound: no such person, organization or app. Whether it exists elsewhere is not told.
	ErrNotFound = errors.New("not found in the directory")
	// ErrExists: the person to invite is a member already.
	ErrExists = errors.New("already a member")
	// ErrCredentials: the directory refused this server's own credentials.
	ErrCredentials = errors.New("the project's credentials were refused by Stytch")
	// ErrInactive: the person exists but may not act any more.
	ErrInactive = errors.New("the person is not active")
)

// InvalidError says which value the directory does not take, in words for whoever sent it.
type InvalidError struct {
	Field  string // name of the input: "email", "roles", "cursor"
	Reason string
}

func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

// UnavailableError says that the directory did not answer, or not usefully.
type UnavailableError struct {
	RetryAfter time.Duration // what it asked for; 0 when it said nothing
	Cause      error
}

func (e *UnavailableError) Error() string { return "Stytch is unavailable: " + e.Cause.Error() }
func (e *UnavailableError) Unwrap() error { return e.Cause }

// RolesError says what a person's roles do not cover. Its text is for the log.
type RolesError struct {
	Roles []string // of the person, as they count
	Lacks string   // such as "invite on members"
}

func (e *RolesError) Error() string { return "no role covers " + e.Lacks }

// A Directory knows people. In a Consumer project there are no organizations: there organizationID is "". It is safe
// for concurrent use.
type Directory interface {
	// Person returns one person of the organization.
	Person(ctx context.Context, organizationID, id string) (Person, error)
	// RecentPerson is Person with an answer that may be some seconds old, for what is shown to
	// somebody. What is decided by the answer is asked for by Person.
	RecentPerson(ctx context.Context, organizationID, id string) (Person, error)
	// CheckActive returns nil if the person may act now, ErrInactive or ErrNotFound
	// otherwise. It asks each time: it stands before writes. The roles that come with the
	// answer are what Permits and CheckScope go by from then on.
	CheckActive(ctx context.Context, organizationID, id string) error
	// CheckRecentlyActive is CheckActive with an answer that may be a minute old: it
	// stands before reads. While the directory is away the last answer goes on to count; without
	// one the error is an [UnavailableError].
	CheckRecentlyActive(ctx context.Context, organizationID, id string) error
	// Permits reports whether the person's own roles cover the action on the RBAC
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
	// Introspect asks whether the access token of the person and app is still good (RFC 7662).
	Introspect(ctx context.Context, token, id, clientID string) (bool, error)
}

// Members is a Directory whose people are members of organizations: a B2B project's.
type Members interface {
	Directory
	// Members lists the members of one organization.
	Members(ctx context.Context, organizationID string, q MemberQuery) (MemberPage, error)
	// RecentMembers is Members with an answer that may be some seconds old. What this server
	// changes shows at once.
	RecentMembers(ctx context.Context, organizationID string, q MemberQuery) (MemberPage, error)
	// Invite sends the invitation and returns the new member, whose status is "invited".
	// [ErrExists] when that address belongs to a member, also to one who was invited and has not answered;
	// [InvalidError] for what cannot be used. It is never repeated: every invitation is an e-mail.
	Invite(ctx context.Context, organizationID string, i Invitation) (Person, error)
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

// Admin is the id of the role that Stytch gives to whoever administers an organization.
const Admin = "stytch_admin"

// An Organization, by its id, name and slug.
type Organization struct{ ID, Name, Slug string }

// MemberQuery narrows and pages a list of members.
type MemberQuery struct {
	Search string // part of a name or e-mail address, letter case ignored; "" for all
	Status string // one of Stytch's member statuses; "" for all but deleted
	Limit  int    // 1 to 100
	Cursor string // MemberPage.Next of the page before; "" for the first
}

// MemberPage is one page. Total counts all pages, -1 when it is not known.
type MemberPage struct {
	Members []Person // never nil
	Total   int
	Next    string // "" on the last page
}

// An Invitation to an organization.
type Invitation struct {
	Email     string
	Name      string   // may be empty
	Roles     []string // beyond those that every member has
	InvitedBy string   // member id
}
