// Package limits bounds what anybody may ask of the server: requests a minute, by
// address as long as nobody knows who calls and by identity from then on, and
// operations carried out at once. It counts in memory, or in a Redis that several
// instances share.
//
// It knows neither tokens nor replies: whoever asks it answers the client.
package limits

import (
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
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

// Options configure [Limits]. A number that is 0 is the default: there is no way to
// have no limit.
type Options struct {
	Address      int // requests a minute of one address that bring no valid token
	Member       int // calls a minute of one person through one connected app
	Organization int // calls a minute of all people of one organization
	Client       int // calls a minute through one connected app
	InFlight     int // operations carried out at once

	RedisURL string       // redis://, rediss:// or unix://; "": counted in this process's memory
	Project  string       // whose instances count together in a Redis that others use as well
	Log      *slog.Logger // nil: discard
}

// Limits counts. It is safe for concurrent use. A nil *Limits admits everything, for
// programs that serve nobody but themselves.
type Limits struct {
	address, member, organization, client *rate

	slots  *Slots
	shared *sharedCounts // nil: this process counts alone

	mu sync.Mutex // guards the counts of the rates, so that looking and counting are one step
}

// New does not touch the network: while Redis is away, this process's own counts apply.
func New(o Options) (*Limits, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	inFlight := or(o.InFlight, DefaultInFlight)
	l := &Limits{slots: NewSlots(inFlight, inFlight)}
	if o.RedisURL != "" {
		var err error
		if l.shared, err = openShared(o.RedisURL, o.Project, o.Log); err != nil {
			return nil, err
		}
	}
	for _, r := range []struct {
		rate   **rate
		name   string
		number int
	}{
		{&l.address, "address", or(o.Address, DefaultAddress)},
		{&l.member, "member", or(o.Member, DefaultMember)},
		{&l.organization, "organization", or(o.Organization, DefaultOrganization)},
		{&l.client, "client", or(o.Client, DefaultClient)},
	} {
		if r.number < 0 {
			return nil, fmt.Errorf("the limit for each %s is %d: it must be at least 1", r.name, r.number)
		}
		*r.rate = &rate{name: r.name, quota: r.number, counts: newCounts(maxKeys)}
	}
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
	return l.shared.client.Close()
}

// Exceeded says which limit a request would exceed.
type Exceeded struct {
	Policy     string // address, member, organization or client
	Quota      int    // requests a minute
	RetryAfter time.Duration
}

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
func (l *Limits) Admit(clientID, subject, organization string) *Exceeded {
	if l == nil {
		return nil
	}
	claims := []claim{{l.member, clientID + " " + subject}}
	if organization != "" {
		claims = append(claims, claim{l.organization, organization})
	}
	_, exceeded := l.take(append(claims, claim{l.client, clientID})...)
	return exceeded
}

// CountAddress counts a request of an address before it is known who calls, or returns
// the limit if the address has used it up. Call takeBack, which is not nil, once if it
// turns out that the request does not matter to the address.
func (l *Limits) CountAddress(address netip.Addr) (takeBack func(), exceeded *Exceeded) {
	if l == nil {
		return func() {}, nil
	}
	return l.take(claim{l.address, Network(address)})
}

// Network is the address for IPv4 and its /64 for IPv6, which one person has whole.
// Requests of whom no address is known share one.
func Network(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	if address.Is6() {
		return netip.PrefixFrom(address, 64).Masked().String()
	}
	return address.String()
}

// A rate is one limit, counted for each key.
type rate struct {
	name   string
	quota  int
	counts *counts
}

// A claim is one request for which one key of one limit has to have room.
type claim struct {
	rate *rate
	key  string
}

// take counts a request for all claims, or for none, and then returns the first limit
// that it would exceed. This process counts by itself before it asks Redis: so what it
// admits keeps to the limits whatever becomes of Redis meanwhile.
func (l *Limits) take(claims ...claim) (takeBack func(), exceeded *Exceeded) {
	now := time.Now().UTC()
	if exceeded := l.takeHere(now, claims); exceeded != nil {
		return func() {}, exceeded
	}
	here := func() { l.takeBackHere(now, claims) }
	if l.shared == nil {
		return here, nil
	}
	counted, exceeded := l.shared.take(now, claims)
	if exceeded != nil {
		here()
		return func() {}, exceeded
	}
	return func() {
		here()
		if counted {
			l.shared.takeBack(now, claims)
		}
	}, nil
}

func (l *Limits) takeHere(now time.Time, claims []claim) *Exceeded {
	start := now.Truncate(window)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range claims {
		if current, previous := c.rate.counts.get(c.key, start); !c.rate.allows(now, current, previous) {
			return c.rate.exceeded(now, current, previous)
		}
	}
	for _, c := range claims {
		c.rate.counts.add(c.key, start)
	}
	return nil
}

func (l *Limits) takeBackHere(now time.Time, claims []claim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range claims {
		c.rate.counts.takeBack(c.key, now.Truncate(window))
	}
}

// allows says whether one more fits to what was counted in this minute and in the one
// before. The script in redis.go asks the same.
func (r *rate) allows(now time.Time, current, previous int) bool {
	return int(math.Round(float64(previous)*weight(now)+float64(current)))+1 <= r.quota
}

// weight is the part of the last minute that is within a minute of now.
func weight(now time.Time) float64 {
	return 1 - float64(now.Sub(now.Truncate(window)))/float64(window)
}

func (r *rate) exceeded(now time.Time, current, previous int) *Exceeded {
	return &Exceeded{Policy: r.name, Quota: r.quota, RetryAfter: r.wait(now, current, previous)}
}

// wait is how long it takes until one more fits, if nothing else is counted.
func (r *rate) wait(now time.Time, current, previous int) time.Duration {
	start := now.Truncate(window)
	room, fades := float64(r.quota)-0.5-float64(current), previous
	if room <= 0 { // not before this minute's own count fades, in the next one
		start, room, fades = start.Add(window), float64(r.quota)-0.5, current
	}
	part := 1 - room/float64(max(1, fades)) // of the window, until what fades leaves just no room
	return max(0, start.Add(time.Duration(part*float64(window))).Sub(now)) + time.Millisecond
}
