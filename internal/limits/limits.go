// Package limits bounds what anybody may ask of the server: requests a minute, by
// address as long as nobody knows who calls and by identity from then on, and
// operations carried out at once. It counts in memory, or in a Redis that several
// instances share.
//
// It knows neither tokens nor replies: its caller answers the client.
package limits

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// window is the time over which requests are counted. It slides: what was counted in
// the minute before weighs less the longer the present one lasts.
const window = time.Minute

// Defaults of [Options]; docs/security.md says how they were chosen.
const (
	DefaultAddress      = 3000
	DefaultMember       = 60
	DefaultOrganization = 600
	DefaultClient       = 6000
	DefaultInFlight     = 64
)

// allApps is how many times as much as through one connected app a person may call through all
// of them: else whoever connects many apps would have the numbers of many people.
const allApps = 2

// Options configure [Limits]. A number that is 0 is the default: there is no way to
// have no limit.
type Options struct {
	Address      int // requests a minute of one address that bring no valid token
	Member       int // calls a minute of one person through one connected app
	Organization int // calls a minute of all people of one organization
	Client       int // calls a minute through one connected app
	InFlight     int // operations carried out at once

	RedisURL string           // redis://, rediss:// or unix://; "": counted in this process's memory
	Project  string           // whose instances count together in a Redis that others use as well
	Log      *slog.Logger     // nil: discard
	Now      func() time.Time // of rates; nil: time.Now
}

// Limits counts. It is safe for concurrent use. A nil *Limits admits everything, for
// programs that serve nobody but themselves.
type Limits struct {
	address, calls *Rate
	operations     *Places

	numbers  Options       // as they count
	shared   *sharedCounts // nil: this process counts alone
	declared declared
}

// New does not touch the network: while Redis is away, this process's own counts apply.
func New(o Options) (*Limits, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Address, o.Member, o.Organization = or(o.Address, DefaultAddress), or(o.Member, DefaultMember),
		or(o.Organization, DefaultOrganization)
	o.Client, o.InFlight = or(o.Client, DefaultClient), or(o.InFlight, DefaultInFlight)
	l, inFlight := &Limits{numbers: o}, o.InFlight
	if o.RedisURL != "" {
		var err error
		if l.shared, err = openShared(o.RedisURL, o.Project, o.Log); err != nil {
			return nil, err
		}
	}
	for _, r := range []struct {
		name   string
		number int
	}{
		{"address", o.Address}, {"member", o.Member}, {"organization", o.Organization}, {"client", o.Client},
	} {
		if r.number < 0 {
			return nil, fmt.Errorf("the limit for each %s is %d: it must be at least 1", r.name, r.number)
		}
	}
	l.operations = l.Places(Bound{Name: "operations carried out at once", Number: inFlight, Queue: inFlight,
		Shares: Shares{
			Anonymous: Part(inFlight, 1, 2), Address: Part(inFlight, 1, 4), Person: Part(inFlight, 1, 4),
			Organization: Part(inFlight, 1, 2), Operation: Part(inFlight, 3, 4), Client: Part(inFlight, 3, 4)}})
	l.address = l.Rate(Bound{Name: "requests without a valid token", Shares: Shares{Address: o.Address}})
	l.calls = l.Rate(Bound{Name: "calls", Shares: Shares{Member: o.Member, Person: allApps * o.Member,
		Organization: o.Organization, Client: o.Client}})
	return l, nil
}

func or(number, otherwise int) int {
	if number == 0 {
		return otherwise
	}
	return number
}

// Close lets go of Redis.
func (l *Limits) Close() error {
	if l == nil || l.shared == nil {
		return nil
	}
	return l.shared.pool.Close()
}

// Exceeded says which limit a request would exceed.
type Exceeded struct {
	Policy     string // which number: the [Kind] of the share, or the bound's name
	Quota      int    // requests a minute
	RetryAfter time.Duration

	kind Kind // of the share; "": the whole
}

func (e *Exceeded) Error() string { return "the limit for each " + e.Policy + " is used up" }

// SetHeaders tells a client when to come again (RFC 9110 section 10.2.3, and
// draft-ietf-httpapi-ratelimit-headers).
func (e *Exceeded) SetHeaders(header http.Header) {
	seconds := strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds())))
	header.Set("Retry-After", seconds)
	header.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", e.Policy, e.Quota, int(window.Seconds())))
	header.Set("RateLimit", fmt.Sprintf("%q;r=0;t=%s", e.Policy, seconds))
}

// Admit counts a call of somebody who is known, or returns the limit that it would
// exceed; then it counts for none. organization is "" where people belong to none.
func (l *Limits) Admit(clientID, subject, organization string) error {
	if l == nil {
		return nil
	}
	_, exceeded := l.calls.Take(Party{Client: clientID, Person: subject, Organization: organization})
	if exceeded == nil {
		return nil
	}
	return exceeded
}

// CountAddress counts a request of an address before it is known who calls, or returns
// the limit if the address has used it up. Call takeBack, which is not nil, once if it
// turns out that the request does not matter to the address.
func (l *Limits) CountAddress(network string) (takeBack func(), exceeded *Exceeded) {
	if l == nil {
		return func() {}, nil
	}
	return l.address.Take(Party{Address: network})
}

// Numbers returns those that count; other packages' own are in proportion to them.
func (l *Limits) Numbers() Options {
	if l == nil {
		return Options{Address: DefaultAddress, Member: DefaultMember, Organization: DefaultOrganization,
			Client: DefaultClient, InFlight: DefaultInFlight}
	}
	return l.numbers
}

// InFlight returns how many operations may be carried out at once.
func (l *Limits) InFlight() int { return l.Numbers().InFlight }

// Enter waits shortly until another operation of the context's party may be carried out, and
// returns [ErrBusy] if none may. After nil, call leave.
func (l *Limits) Enter(ctx context.Context) (leave func(), err error) {
	if l == nil {
		return func() {}, nil
	}
	return l.operations.Enter(ctx)
}

// Network returns the address for IPv4 and its /64 for IPv6, which one person has whole.
// Requests of whom no address is known share one.
func Network(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	if address.Is6() {
		return netip.PrefixFrom(address, 64).Masked().String()
	}
	return address.String()
}
