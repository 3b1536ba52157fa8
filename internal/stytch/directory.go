// Package stytch knows people, their roles and the connected apps, as Stytch
// keeps them: in a B2B project the members of organizations, in a Consumer project
// the users. It speaks to Stytch through stytch-go with a transport of its own
// (bounded in time, patient with outages, never repeating a write) and turns
// Stytch's answers into our types, so that nothing that Stytch may add to a person
// reaches a language model by accident.
//
// It does not know tokens or HTTP replies. Whom a call is about, and in which
// organization, are arguments: callers take them from the verified token.
package stytch

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"guestpass/directory"
	"guestpass/internal/limits"
)

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

// A Directory is what [B2B] and [Consumer] projects have in common: what everybody may ask, and what only the pages
// and the watch over the project do. Safe for concurrent use.
type Directory interface {
	directory.Directory
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
	Session(ctx context.Context, token, jwt string) (directory.Person, error)
	// Connections are the apps that the person has connected.
	Connections(ctx context.Context, organizationID, id string) ([]Connection, error)
	// Disconnect has Stytch end consent and everything issued by it, refresh tokens too.
	// That there is nothing to end is no error.
	Disconnect(ctx context.Context, organizationID, id, clientID string) error
	// Forget has what is asked next about the organization, or in Consumer projects the user, asked
	// anew, see RecentPerson.
	Forget(owner string)
	// Ping reports whether Stytch answers and takes our credentials; [PartlyUnavailableError] if it
	// does, but calls of people for some purpose are refused since they failed. Its answer is
	// kept for five seconds, so that a health check cannot become a load on Stytch.
	Ping(ctx context.Context) error
	// Breakers are the circuits to Stytch that were used.
	Breakers() []Breaker
}

// A ConnectedApp is a client of the project: for a custom GPT, the GPT.
type ConnectedApp struct {
	ID, Name     string
	RedirectURLs []string
	MetadataURL  string // of its own document, by whose URL it names itself to Stytch; "" if it has none

	Type          string        // first_party, third_party, and both with _public
	Status        string        // active; "" if Stytch does not say
	TokenLifetime time.Duration // of its access tokens; 0 if Stytch does not say
	Audience      string        // custom, which its access tokens carry as well; "" for none
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
	// how old answers may be that are shown, LongestRecent at most; 0: every question is asked
	Recent  time.Duration
	Log     *slog.Logger
	Now     func() time.Time                // nil: time.Now
	Backoff func(attempt int) time.Duration // nil: 100 ms, then 400 ms
	Observe Observer                        // of each attempt; nil: nobody
}
