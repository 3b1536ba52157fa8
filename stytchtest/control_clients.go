package stytchtest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"guestpass/stytchtest/internal/wire"
)

// A client is a connected app and what hangs on it. The text of no token is in it.
type client struct {
	ID         string    `json:"client_id"`
	Name       string    `json:"client_name"`            // "" for one that there is not, for which a token was minted
	Registered time.Time `json:"registered_at,omitzero"` // by itself, or by its document
	Consents   []allowed `json:"consents"`
	Tokens     []good    `json:"tokens"` // that can be used now, the ones that end last first
}

// Allowed is what a person has allowed a client.
type allowed struct {
	PersonID string    `json:"subject"`
	Scope    string    `json:"scope"`
	Since    time.Time `json:"since,omitzero"`
}

// A good token can be used now.
type good struct {
	ID       string    `json:"id"`   // names it to POST /_emulator/tokens/revoke, and is no secret
	Kind     string    `json:"kind"` // access or refresh
	PersonID string    `json:"subject"`
	Scope    string    `json:"scope"`
	Audience []string  `json:"aud"`
	Expires  time.Time `json:"expires_at"`
}

// clients returns them in the order of the connected apps, and behind them those that are no more.
func (e *Emulator) clients() []*client {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state.clients(e.now())
}

func (s *state) clients(now time.Time) []*client {
	list, byID := []*client{}, map[string]*client{}
	known := func(id string) *client {
		if byID[id] == nil {
			byID[id] = &client{ID: id, Consents: []allowed{}, Tokens: []good{}}
			list = append(list, byID[id])
		}
		return byID[id]
	}
	for _, a := range s.apps {
		c := known(a.ClientID)
		c.Name, c.Registered = a.Name, a.Registered
		for _, p := range s.people {
			if given := s.Consents[consentKey{p.id, a.ClientID}]; given != nil {
				c.Consents = append(c.Consents, allowed{p.id, strings.Join(given.Scopes, " "), given.Since})
			}
		}
	}
	made := len(list)
	add := func(key consentKey, token good) {
		if now.Before(token.Expires) && s.person(key.personID).mayAct() {
			token.PersonID = key.personID
			c := known(key.clientID)
			c.Tokens = append(c.Tokens, token)
		}
	}
	for id, i := range s.Issued {
		if !i.Revoked {
			add(i.Key, good{ID: id, Kind: "access", Scope: i.Scope,
				Audience: append([]string{}, i.Audience...), Expires: i.Expires})
		}
	}
	for _, g := range s.Refreshes {
		if !g.Used {
			add(g.key(), good{ID: g.Lineage, Kind: "refresh", Scope: strings.Join(g.Scopes, " "),
				Audience: []string{s.project.ID}, Expires: g.Expires})
		}
	}
	for _, c := range list {
		slices.SortFunc(c.Tokens, func(a, b good) int {
			return cmp.Or(b.Expires.Compare(a.Expires), strings.Compare(a.ID, b.ID))
		})
	}
	slices.SortStableFunc(list[made:], func(a, b *client) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// revokeToken ends one token by its id, and with a refresh token those that came from the same code, as revocation
// by the client does. It reports whether there was one.
func (s *state) revokeToken(id string) bool {
	if id == "" {
		return false
	}
	if issued := s.Issued[id]; issued != nil {
		was := issued.Revoked
		issued.Revoked = true
		return !was
	}
	for _, g := range s.Refreshes {
		if g.Lineage == id {
			s.revoke(func(_ consentKey, lineage string) bool { return lineage == id })
			return true
		}
	}
	return false
}

// revokeTokens ends all tokens of a client, and codes that were not redeemed. What people allowed stays.
func (s *state) revokeTokens(clientID string) {
	s.revoke(func(key consentKey, _ string) bool { return key.clientID == clientID })
}

func (e *Emulator) revokeIssued(c *call) (any, *wire.Failure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	id, clientID := c.Text("id"), c.Text("client_id")
	switch {
	case (id == "") == (clientID == ""):
		return nil, wire.Fail(http.StatusBadRequest, "invalid_revocation",
			"Say either which token, as id, or of which client all, as client_id: both are in GET /_emulator/clients.")
	case clientID != "":
		e.state.revokeTokens(clientID)
	case !e.state.revokeToken(id):
		return nil, wire.NotFound("token_not_found", "No good token has this id.")
	}
	return map[string]any{}, nil
}
