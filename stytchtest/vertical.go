package stytchtest

import "guestpass/stytchtest/internal/wire"

// A vertical is what Stytch's two kinds of project call the same things. Where more than
// names differ there are two functions: memberObject and userObject, and so on.
type vertical struct {
	name      string // Project.Vertical
	bootstrap string // as the browser SDK is told
	path      string // what stands before the paths of both APIs
	person    string // a person, as ids and members of bodies begin: person + "_id"
	session   string // the member of bodies that holds a session
	sessionID string // how ids of sessions begin
	role      string // the role that everybody has
	statuses  []string
	unknown   *wire.Failure
}

var (
	b2b = vertical{name: "b2b", bootstrap: "B2B", path: "/b2b", person: "member", session: "member_session",
		sessionID: "member-session",
		role:      "stytch_member", statuses: []string{"active", "invited", "pending", "deleted"},
		unknown: memberNotFound}
	consumer = vertical{name: "consumer", bootstrap: "CONSUMER", path: "", person: "user", session: "session",
		sessionID: "session",
		role:      "stytch_user", statuses: []string{"active", "pending", "deleted"}, unknown: userNotFound}
)

func (p Project) vertical() vertical {
	if p.Vertical == consumer.name {
		return consumer
	}
	return b2b
}
