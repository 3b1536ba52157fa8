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

	"github.com/go-chi/httprate"
	"github.com/redis/go-redis/v9"
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
	Log      *slog.Logger // nil: discard
}

// Limits counts. It is safe for concurrent use. A nil *Limits admits everything, for
// programs that serve nobody but themselves.
type Limits struct {
	address, member, organization, client *rate

	slots *Slots
	redis *redis.Client

	// mu makes looking and counting one step. With Redis it is not taken: other
	// processes count in between all the same, and a slow Redis would let one call at
	// a time through.
	mu sync.Mutex
}

// New does not touch the network: while Redis is away, this process's own counts apply.
func New(o Options) (*Limits, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	inFlight := or(o.InFlight, DefaultInFlight)
	l := &Limits{slots: NewSlots(inFlight, inFlight)}
	var away *outage
	if o.RedisURL != "" {
		var err error
		if l.redis, err = openRedis(o.RedisURL, o.Log); err != nil {
			return nil, err
		}
		away = &outage{log: o.Log}
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
		*r.rate = newRate(r.name, r.number, l.redis, away)
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
	if l == nil || l.redis == nil {
		return nil
	}
	return l.redis.Close()
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
	if l.redis == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
	}
	limits := [...]struct {
		rate *rate
		key  string
	}{{l.member, clientID + " " + subject}, {l.organization, organization}, {l.client, clientID}}
	for _, limit := range limits {
		if limit.key == "" {
			continue
		}
		if e := limit.rate.exceeded(limit.key); e != nil {
			return e
		}
	}
	for _, limit := range limits {
		if limit.key != "" {
			limit.rate.count(limit.key)
		}
	}
	return nil
}

// CheckAddress returns the limit if the address has used it up. It counts nothing:
// who calls, and whether that matters to the address, is not known yet.
func (l *Limits) CheckAddress(address netip.Addr) *Exceeded {
	if l == nil {
		return nil
	}
	return l.address.exceeded(network(address))
}

// NoteUnauthenticated counts a request that brought no valid token.
func (l *Limits) NoteUnauthenticated(address netip.Addr) {
	if l != nil {
		l.address.count(network(address))
	}
}

// network is the address for IPv4 and its /64 for IPv6, which one person has whole.
// Requests of whom no address is known share one.
func network(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	if address.Is6() {
		return netip.PrefixFrom(address, 64).Masked().String()
	}
	return address.String()
}

// A rate is one limit, counted for each key.
type rate struct {
	name    string
	quota   int
	limiter *httprate.RateLimiter
}

func newRate(name string, quota int, client *redis.Client, away *outage) *rate {
	var counter httprate.LimitCounter = newCounts(maxKeys)
	if client != nil {
		counter = newSharedCounts(name, client, counter, away)
	}
	return &rate{name: name, quota: quota,
		limiter: httprate.NewRateLimiter(quota, window, httprate.WithLimitCounter(counter))}
}

func (r *rate) count(key string) {
	_ = r.limiter.Counter().IncrementBy(key, time.Now().UTC().Truncate(window), 1) // our counters never fail
}

func (r *rate) exceeded(key string) *Exceeded {
	if _, used, _ := r.limiter.Status(key); r.allows(used) {
		return nil
	}
	return &Exceeded{Policy: r.name, Quota: r.quota, RetryAfter: r.wait(key)}
}

// allows says whether one more fits, rounded as httprate does.
func (r *rate) allows(used float64) bool { return int(math.Round(used))+1 <= r.quota }

// wait is how long it takes until one more fits, if nothing else is counted.
func (r *rate) wait(key string) time.Duration {
	now := time.Now().UTC()
	start := now.Truncate(window)
	current, previous, _ := r.limiter.Counter().Get(key, start, start.Add(-window))
	room, fades := float64(r.quota)-0.5-float64(current), previous
	if room <= 0 { // not before this minute's own count fades, in the next one
		start, room, fades = start.Add(window), float64(r.quota)-0.5, current
	}
	part := 1 - room/float64(max(1, fades)) // of the window, until what fades leaves just no room
	return max(0, start.Add(time.Duration(part*float64(window))).Sub(now)) + time.Millisecond
}
