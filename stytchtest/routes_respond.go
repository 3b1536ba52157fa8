package stytchtest

import (
	"net/http"

	"guestpass/stytchtest/internal/documents"
	"guestpass/stytchtest/internal/wire"
)

// A call is one request with its decoded body, and what the emulator found for it.
type call struct {
	*wire.Call
	session *session           // SDK calls that carry a good session token
	longest int                // SDK calls: how many minutes a session may last
	wanted  string             // URL of a metadata document, without which the endpoint cannot answer
	fetched *documents.Fetched // what came of wanting it
}

// An endpoint answers with the members of the reply. It runs under Emulator.mu.
type endpoint func(*call) (any, *wire.Failure)

// serve makes a handler of an endpoint.
func (e *Emulator) serve(d wire.Dialect, authenticate func(*call) *wire.Failure, do endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{Call: &wire.Call{Request: r, Dialect: d}}
		unreadable := c.Read(w)
		answer, bad := e.locked(c, unreadable, authenticate, do)
		if c.wanted != "" { // everybody would wait for it, were it fetched under the lock
			c.fetched = e.fetcher.Fetch(r.Context(), c.wanted)
			answer, bad = e.locked(c, unreadable, authenticate, do)
		}
		if bad != nil {
			bad.Answer(w)
			return
		}
		members, status := wire.Members(answer), http.StatusOK
		if c.Status != 0 {
			status = c.Status
		}
		members["request_id"], members["status_code"] = wire.NewID("request-id"), status
		if d == wire.Browser {
			members = map[string]any{"data": members}
		}
		wire.WriteJSON(w, status, members)
	}
}

// locked has the endpoint answer. Who may not ask does not learn what is wrong with the body.
func (e *Emulator) locked(c *call, unreadable *wire.Failure, authenticate func(*call) *wire.Failure, do endpoint) (any,
	*wire.Failure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if bad := authenticate(c); bad != nil {
		return nil, bad
	}
	if unreadable != nil {
		return nil, unreadable
	}
	if bad := c.Mistyped(e.vertical.name == consumer.name && !managed(c.Request)); bad != nil && !c.Form {
		return nil, bad
	}
	return do(c)
}
