package idp

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"golang.org/x/time/rate"

	"guestpass/internal/limits"
)

// Rates of the token endpoint, for each client and address.
const (
	tokensPerSecond   = 10
	tokenBurst        = 20
	badGrantsInMinute = 5
	maxLimiters       = 100_000
)

// tokenLimits slows down whoever tries codes or secrets. Kept in memory, per
// process; a full map is emptied, which errs on the side of letting people in.
type tokenLimits struct {
	now func() time.Time

	mu        sync.Mutex // guards the maps
	requests  map[string]*rate.Limiter
	badGrants map[string]*rate.Limiter
}

func newTokenLimits(now func() time.Time) *tokenLimits {
	return &tokenLimits{now: now, requests: map[string]*rate.Limiter{}, badGrants: map[string]*rate.Limiter{}}
}

// clientAddress is that of the request's context, which knows of trusted proxies, or
// the connection's.
func clientAddress(r *http.Request) string {
	if address := middleware.GetClientIPAddr(r.Context()); address.IsValid() {
		return limits.Network(address)
	}
	if to, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return limits.Network(to.Addr())
	}
	return r.RemoteAddr
}

func (l *tokenLimits) admit(request tokenRequest, address string) *oauthError {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if !limiter(l.requests, request.clientID+" "+address, tokensPerSecond, tokenBurst).AllowN(now, 1) {
		return tooMany(1)
	}
	if request.form.Get("grant_type") != "authorization_code" {
		return nil
	}
	if bad := l.badGrants[request.clientID+" "+address]; bad != nil && bad.TokensAt(now) < 1 {
		return tooMany(60 / badGrantsInMinute)
	}
	return nil
}

// noteBadGrant counts a code that Stytch refused. Anybody can send such codes in the name of
// a public client, so they count for the address that sent them, too.
func (l *tokenLimits) noteBadGrant(clientID, address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter(l.badGrants, clientID+" "+address, float64(badGrantsInMinute)/60, badGrantsInMinute).AllowN(l.now(), 1)
}

func limiter(of map[string]*rate.Limiter, key string, perSecond float64, burst int) *rate.Limiter {
	found := of[key]
	if found == nil {
		if len(of) >= maxLimiters {
			clear(of)
		}
		found = rate.NewLimiter(rate.Limit(perSecond), burst)
		of[key] = found
	}
	return found
}

func tooMany(retryAfter int) *oauthError {
	return &oauthError{status: http.StatusTooManyRequests, Code: "temporarily_unavailable",
		Description: "too many token requests; wait as long as Retry-After says", retryAfter: retryAfter}
}
