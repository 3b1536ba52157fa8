package limits

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A Party is on whose behalf something is done, as far as that is known. Whoever learns more of a
// request's party puts it into the context: the server's chain adds the address, and whoever has
// verified a token or a session adds the person.
type Party struct {
	Address      string // [Network] of somebody whom nobody knows; "" once it is known who calls
	Client       string // connected app; of somebody who is known, or what somebody unknown claims to be
	Person       string
	Organization string // "" where people belong to none
	Operation    string // what is done; "" for whatever is not told apart
}

type partyKey struct{}

// WithParty tells what the context is used for on whose behalf it happens.
func WithParty(ctx context.Context, p Party) context.Context {
	return context.WithValue(ctx, partyKey{}, p)
}

// PartyOf returns what WithParty was told last; the zero value is the server itself.
func PartyOf(ctx context.Context) Party {
	p, _ := ctx.Value(partyKey{}).(Party)
	return p
}

// A Kind is a sort of party; a bound can have a share for each one of a kind.
type Kind string

// The kinds. Clients read these words as the names of policies.
const (
	Anonymous    Kind = "anonymous" // all together whom nobody knows
	Address      Kind = "address"   // each of their addresses (IPv6: each /64)
	Client       Kind = "client"    // each connected app
	Person       Kind = "person"
	Organization Kind = "organization"
	Operation    Kind = "operation"

	ClientOfAddress Kind = "client and address"
	Member          Kind = "member" // each person through one connected app
)

// kinds are in the order in which they refuse: the nearest first.
var kinds = []Kind{ClientOfAddress, Address, Anonymous, Member, Person, Organization, Operation, Client}

// key returns which one of the kind the party is; "" for none, which its number does not bind.
func (k Kind) key(p Party) string {
	switch k {
	case Anonymous:
		if p.Address == "" {
			return ""
		}
		return "anonymous"
	case Address:
		return p.Address
	case Client:
		return p.Client
	case Person:
		return p.Person
	case Organization:
		return p.Organization
	case Operation:
		return p.Operation
	case ClientOfAddress:
		return both(p.Client, p.Address)
	case Member:
		return both(p.Client, p.Person)
	}
	panic("no such kind: " + string(k))
}

func both(a, b string) string {
	if a == "" || b == "" {
		return ""
	}
	return a + " " + b
}

// Shares are how much one of each kind may have.
type Shares map[Kind]int

// A Bound is a line of the table of limits in docs/security.md: how much there is of
// something, and how much of it one party may have, so that no party takes what another
// needs. Number is of all parties together; 0 where only shares are bounded, which is
// possible for rates. Where Shares are empty, Of says who has the whole to itself.
type Bound struct {
	Name   string // of its own, in the table's words
	Number int
	Queue  int // of places: how many may wait for one
	Shares Shares
	Of     string // who, of parties whom Number is not for; required without Shares

	order []Kind // those of Shares, in the order in which they refuse; see ordered
}

// ordered returns the bound for who asks it for parts, which each request does.
func (b Bound) ordered() Bound {
	b.order = nil
	for _, kind := range kinds {
		if b.Shares[kind] > 0 {
			b.order = append(b.order, kind)
		}
	}
	return b
}

// check panics for a bound that does not say whose it is: else the people whom it locks out would
// find it.
func (b Bound) check() {
	fault := ""
	switch {
	case b.Name == "":
		fault = "it has no name"
	case len(b.Shares) == 0 && b.Of == "":
		fault = "it does not say whose it is"
	case b.Number < 0 || b.Number == 0 && len(b.Shares) == 0:
		fault = "it has no number"
	}
	for kind, share := range b.Shares {
		switch {
		case !slices.Contains(kinds, kind):
			fault = fmt.Sprintf("there is no kind %q", kind)
		case share < 1:
			fault = fmt.Sprintf("the share of each %s is %d", kind, share)
		case b.Number > 1 && share >= b.Number && b.Of == "":
			fault = fmt.Sprintf("one %s could have the whole", kind)
		}
	}
	if fault != "" {
		panic(fmt.Sprintf("limits: the bound %q: %s", b.Name, fault))
	}
}

// Part returns a share of the number, one at least.
func Part(number, of, outOf int) int { return max(1, number*of/outOf) }

// A slot is one party's part of a bound; the zero value is the whole.
type slot struct {
	kind Kind
	key  string
}

// slots returns the party's parts, the nearest first, and the whole.
func (b Bound) slots(p Party) []slot {
	of := b.parts(p)
	if b.Number > 0 {
		of = append(of, slot{})
	}
	return of
}

// parts returns those of the party, the nearest first.
func (b Bound) parts(p Party) (of []slot) {
	of = make([]slot, 0, len(b.order)+1) // and the whole
	for _, kind := range b.order {
		if key := kind.key(p); key != "" {
			of = append(of, slot{kind, key})
		}
	}
	return of
}

// number returns how much there is for the slot.
func (b Bound) number(s slot) int {
	if s == (slot{}) {
		return b.Number
	}
	return b.Shares[s.kind]
}

// declared are the bounds that were made for one server.
type declared struct {
	mu     sync.Mutex // guards the rest
	bounds map[string]Bound
	used
}

// keep puts what was made for the server where [Limits.Uses] finds it.
func (l *Limits) keep(add func(*used)) {
	if l == nil {
		return
	}
	l.declared.mu.Lock()
	defer l.declared.mu.Unlock()
	add(&l.declared.used)
}

// Declare puts a bound on the list of [Limits.Bounds] and returns its name. It is for what a
// library bounds: what this package makes is declared already. Two bounds of one name must be the
// same.
func (l *Limits) Declare(b Bound) string {
	b.check()
	if l == nil {
		return b.Name
	}
	l.declared.mu.Lock()
	defer l.declared.mu.Unlock()
	if l.declared.bounds == nil {
		l.declared.bounds = map[string]Bound{}
	}
	l.declared.bounds[b.Name] = b
	return b.Name
}

// Bounds returns all that were made, by name.
func (l *Limits) Bounds() (list []Bound) {
	l.declared.mu.Lock()
	defer l.declared.mu.Unlock()
	for _, b := range l.declared.bounds {
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b Bound) int { return strings.Compare(a.Name, b.Name) })
	return list
}
