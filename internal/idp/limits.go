package idp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"net/http"
	"net/netip"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"guestpass/internal/limits"
)

// Numbers of the token endpoint, those of rates for a minute. Those of addresses, grants and
// clients are in proportion to the server's, of which these are with the defaults.
const (
	requestsOfClient = 3000 // that has proved its secret and is listed
	requestsOfGrant  = 10   // each code, each refresh token

	requestsOfUnlisted          = 600 // a client that has proved its secret, but that nobody listed
	requestsOfUnlistedAtAddress = 1200

	requestsOfStrangers       = 600
	requestsOfStranger        = 60 // each address
	requestsOfStrangersClient = 30 // for each client in whose name an address asks

	wrongSecrets = 10 // for each client and address

	placesOfClients   = 64
	placesOfUnlisted  = 24
	placesOfStrangers = 24

	provenSecrets = 1000
	provenFor     = 24 * time.Hour
)

// tokenLimits bound what anybody causes at the token endpoint. ChatGPT redeems everybody's
// codes from few addresses, so that a client whose secret Stytch has taken is not counted
// by address: what one of its people has it send counts for that code, and for the client.
// Who has proved nothing is counted by address, whichever client they name, in places of
// their own: anybody can name a client. One that nobody listed may be anybody's as well,
// so it is counted by address even when it has proved its secret.
type tokenLimits struct {
	now      func() time.Time
	isListed func(clientID string) bool
	key      []byte // of the digests by which secrets are remembered

	clients, unlisted, strangers tokenClass
	wrongSecrets                 *limits.Rate
	proven                       *limits.Cache[struct{}] // secrets that Stytch has taken, with their clients
}

// tokenClass are the numbers of those who have proved as much.
type tokenClass struct {
	requests *limits.Rate
	places   *limits.Places
}

func newTokenLimits(o Options) *tokenLimits {
	l := &tokenLimits{now: o.Now, isListed: o.Clients.Lists, key: make([]byte, sha256.Size)}
	_, _ = rand.Read(l.key) // which cannot fail
	set := o.Limits.Numbers()
	ofAddress := func(number int) int { return limits.Part(number, set.Address, limits.DefaultAddress) }
	ofClient := func(number int) int { return limits.Part(number, set.Client, limits.DefaultClient) }
	ofGrant := limits.Part(requestsOfGrant, set.Member, limits.DefaultMember)
	l.clients = tokenClass{
		o.Limits.Rate(limits.Bound{Name: "token requests of listed clients",
			Shares: limits.Shares{limits.Client: ofClient(requestsOfClient), limits.Member: ofGrant}}),
		o.Limits.Places(limits.Bound{Name: "token requests of listed clients at once", Number: placesOfClients,
			Queue: placesOfClients, Shares: limits.Shares{limits.Client: limits.Part(placesOfClients, 1, 2),
				limits.Member: 2}}),
	}
	l.unlisted = tokenClass{
		o.Limits.Rate(limits.Bound{Name: "token requests of clients that nobody listed",
			Shares: limits.Shares{limits.Address: ofAddress(requestsOfUnlistedAtAddress),
				limits.Client: ofClient(requestsOfUnlisted),
				limits.Member: ofGrant}}),
		o.Limits.Places(limits.Bound{Name: "token requests of clients that nobody listed at once",
			Number: placesOfUnlisted,
			Queue:  placesOfUnlisted, Shares: limits.Shares{limits.Address: limits.Part(placesOfUnlisted, 1, 2),
				limits.Client: limits.Part(placesOfUnlisted, 1, 3), limits.Member: 2}}),
	}
	l.strangers = tokenClass{
		o.Limits.Rate(limits.Bound{Name: "token requests without a secret that was proved",
			Number: ofAddress(requestsOfStrangers),
			Shares: limits.Shares{limits.Address: ofAddress(requestsOfStranger),
				limits.ClientOfAddress: ofAddress(requestsOfStrangersClient),
				limits.Member:          min(ofGrant, ofAddress(requestsOfStrangersClient))}}),
		o.Limits.Places(limits.Bound{Name: "token requests without a secret that was proved, at once",
			Number: placesOfStrangers,
			Queue:  placesOfStrangers, Shares: limits.Shares{limits.Address: limits.Part(placesOfStrangers, 1, 4),
				limits.ClientOfAddress: limits.Part(placesOfStrangers, 1, 6), limits.Member: 2}}),
	}
	l.wrongSecrets = o.Limits.Rate(limits.Bound{Name: "wrong secrets",
		Shares: limits.Shares{limits.ClientOfAddress: ofAddress(wrongSecrets)}})
	l.proven = limits.NewCache[struct{}](o.Limits, limits.Bound{Name: "secrets of connected apps that Stytch has taken",
		Number: provenSecrets, Shares: limits.Shares{limits.Client: 4, limits.Anonymous: limits.Part(provenSecrets, 1,
			2)}})
	for client, secret := range o.ClientSecrets {
		l.proven.Put(limits.Party{Client: client}, l.digest(client, secret), struct{}{}, time.Unix(math.MaxInt32, 0))
	}
	return l
}

// clientAddress returns that of the request's context, which knows of trusted proxies, or
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

// A tokenTurn is one request's: whose it is, and which numbers are for it.
type tokenTurn struct {
	class   tokenClass
	party   limits.Party
	secret  string // digest; "" for none
	proved  bool
	listed  bool
	forgive func() // takes back what counts as a wrong secret; not nil
}

// turn finds out whose the request is. A request that names no client counts for its address.
func (l *tokenLimits) turn(t tokenRequest, address string) tokenTurn {
	turn := tokenTurn{class: l.strangers, party: limits.Party{Address: address, Client: t.clientID}, forgive: func() {}}
	if grant := t.form.Get("code") + t.form.Get("refresh_token"); grant != "" && t.clientID != "" {
		turn.party.Person = "grant " + l.digest(t.form.Get("grant_type"), grant)
	}
	if secret := t.secret(); secret != "" && t.clientID != "" {
		turn.secret = l.digest(t.clientID, secret)
		_, turn.proved = l.proven.Get(turn.secret, l.now())
	}
	turn.listed = l.isListed(t.clientID)
	switch {
	case turn.proved && turn.listed:
		turn.class, turn.party.Address = l.clients, ""
	case turn.proved:
		turn.class = l.unlisted
	}
	return turn
}

// admit counts the request, or says when to come again.
func (l *tokenLimits) admit(turn *tokenTurn) *oauthError {
	takeBack, exceeded := turn.class.requests.Take(turn.party)
	if exceeded == nil && !turn.proved {
		if turn.forgive, exceeded = l.wrongSecrets.Take(turn.party); exceeded != nil {
			takeBack()
		}
	}
	if exceeded != nil {
		return tooMany(int(math.Ceil(exceeded.RetryAfter.Seconds())))
	}
	return nil
}

// note learns from Stytch's answer whether the secret is the client's. Only a token proves
// it: we do not know whether Stytch looks at the secret before it refuses a code.
func (l *tokenLimits) note(turn tokenTurn, status int, reply map[string]any) {
	wrong := reply["error"] == "invalid_client"
	if !wrong {
		turn.forgive()
	}
	switch {
	case turn.secret == "":
	case status == http.StatusOK:
		owner := turn.party
		if owner.Person = ""; turn.listed {
			owner.Address = ""
		}
		l.proven.Put(owner, turn.secret, struct{}{}, l.now().Add(provenFor))
	case wrong:
		l.proven.Drop(turn.secret)
	}
}

// digest is good for this process's memory alone.
func (l *tokenLimits) digest(of, text string) string {
	h := hmac.New(sha256.New, l.key)
	h.Write([]byte(of + "\x00" + text))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func tooMany(retryAfter int) *oauthError {
	return &oauthError{status: http.StatusTooManyRequests, Code: "temporarily_unavailable",
		Description: "too many token requests; wait as long as Retry-After says", retryAfter: retryAfter}
}
