package stytch

import (
	"cmp"
	"context"
	"fmt"

	"guestpass/internal/limits"
)

// An endpoint of Stytch's, by what it is asked for.
type endpoint string

const (
	askPerson           endpoint = "person"
	askMembers          endpoint = "member list"
	askAddress          endpoint = "address to invite"
	askInvitation       endpoint = "invitation"
	askSession          endpoint = "session"
	askIntrospection    endpoint = "introspection"
	askConnections      endpoint = "connections of a person"
	askOrganizationApps endpoint = "apps of an organization"
	askAppMembers       endpoint = "members of an app"
	askRevocation       endpoint = "revocation"
	askOrganization     endpoint = "organization"
	askApp              endpoint = "connected app"
	askPolicy           endpoint = "policy"
	askOwnRoles         endpoint = "roles of an organization"
)

// endpoints are all of them: a call that names none is not made.
var endpoints = []endpoint{askPerson, askMembers, askAddress, askInvitation, askSession, askIntrospection,
	askConnections,
	askOrganizationApps, askAppMembers, askRevocation, askOrganization, askApp, askPolicy, askOwnRoles}

// A cause is why an endpoint is asked, as far as one must not suffer from another.
type cause string

const (
	admission  cause = "admission"  // of somebody whose token is good, before the call is carried out
	work       cause = "work"       // for somebody who is known
	visit      cause = "visit"      // of a page, by somebody whom nobody knows
	background cause = "background" // nobody waits for it
	health     cause = "health"     // readyz
)

var causes = []cause{admission, work, visit, background, health}

// A purpose is what nothing is shared with: each has places, circuits, and repetitions of its own.
type purpose struct {
	endpoint endpoint
	cause    cause
}

func (p purpose) String() string { return fmt.Sprintf("%s, %s", p.endpoint, p.cause) }

type (
	causeKey    struct{}
	endpointKey struct{}
)

// forAdmission marks calls on which it depends whether somebody is let in.
func forAdmission(ctx context.Context) context.Context { return because(ctx, admission) }

// InBackground marks calls for which nobody waits, so that they take nothing of those for
// which somebody does.
func InBackground(ctx context.Context) context.Context { return because(ctx, background) }

func because(ctx context.Context, c cause) context.Context {
	return context.WithValue(ctx, causeKey{}, c)
}

// ask marks a call as one about a person or organization that is known, whoever calls: callers
// take them from a token or a session.
func ask(ctx context.Context, e endpoint, organizationID, id string) context.Context {
	p := limits.PartyOf(ctx)
	p.Address, p.Organization, p.Person = "", cmp.Or(organizationID, p.Organization), cmp.Or(p.Person, id)
	return limits.WithParty(context.WithValue(ctx, endpointKey{}, e), p)
}

// askForAnybody marks a call that everybody can cause. It is a visit, unless the context says
// who calls.
func askForAnybody(ctx context.Context, e endpoint) context.Context {
	p := limits.PartyOf(ctx)
	if _, marked := ctx.Value(causeKey{}).(cause); !marked && p.Person == "" && p.Organization == "" {
		p.Address = cmp.Or(p.Address, unknownAddress)
		ctx = limits.WithParty(because(ctx, visit), p)
	}
	return context.WithValue(ctx, endpointKey{}, e)
}

// unknownAddress is one for all whose address is not known.
const unknownAddress = "unknown"

// whoAsks names the caller's group: one group must not wait because another may not ask.
func whoAsks(ctx context.Context) string {
	cause, _ := ctx.Value(causeKey{}).(cause)
	return string(cause) + " " + limits.PartyOf(ctx).Address
}

// isVisit reports whether nobody knows who causes the call.
func isVisit(ctx context.Context) bool { return purposeOf(ctx).cause == visit }

func purposeOf(ctx context.Context) purpose {
	e, _ := ctx.Value(endpointKey{}).(endpoint)
	c, _ := ctx.Value(causeKey{}).(cause)
	return purpose{e, cmp.Or(c, work)}
}

// ownerOf returns whose failures a call's count as: one organization's, or one person's where there
// are none, or one address's; "" for the server itself.
func ownerOf(ctx context.Context) string {
	p := limits.PartyOf(ctx)
	return cmp.Or(p.Organization, p.Person, p.Address)
}
