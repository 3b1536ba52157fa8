package stytchtest

import (
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// state is everything that changes; guarded by Emulator.mu.
type state struct {
	project       Project
	organizations []Organization
	members       []*Member
	apps          []*ConnectedApp
	policy        Policy

	sessions      map[string]*session      // by session token
	intermediates map[string]*intermediate // by intermediate session token
	codes         map[string]*emailCode    // by e-mail address
	links         map[string]*emailLink    // by token
	grants        map[string]*grant        // by authorization code
	refreshes     map[string]*grant        // by refresh token
	issued        map[string]*issue        // access tokens, by jti
	consents      map[consentKey][]string  // scopes granted; present, though empty, once consent was given
	inbox         []Mail                   // newest first
}

type session struct {
	id, memberID     string
	started, expires time.Time
	factor           string // email_otp or magic_link
}

type intermediate struct {
	email, factor string
	expires       time.Time
}

type emailCode struct {
	code    string
	expires time.Time
}

type emailLink struct {
	email, memberID, challenge string // memberID for invitations
	expires                    time.Time
}

// A grant is what an authorization code, and later a refresh token, stands for.
type grant struct {
	clientID, memberID, redirectURI, challenge, nonce string
	scopes, resources                                 []string
	expires                                           time.Time
	used                                              bool
	lineage                                           string // shared by all that comes from one code
}

func (g *grant) key() consentKey { return consentKey{g.memberID, g.clientID} }

// An issue is an access token that was handed out, minted ones included.
type issue struct {
	key     consentKey
	lineage string
	expires time.Time
	revoked bool
}

type consentKey struct{ memberID, clientID string }

// Mail is one message of the inbox.
type Mail struct {
	To     string    `json:"to"`
	Kind   string    `json:"kind"` // otp, magic_link or invite
	Code   string    `json:"code,omitempty"`
	Link   string    `json:"link,omitempty"`
	SentAt time.Time `json:"sent_at"`
}

func newState(seed Seed) state {
	seed = seed.clone()
	s := state{project: seed.Project, organizations: seed.Organizations, policy: seed.Policy,
		sessions: map[string]*session{}, intermediates: map[string]*intermediate{}, codes: map[string]*emailCode{},
		links: map[string]*emailLink{}, grants: map[string]*grant{}, refreshes: map[string]*grant{},
		issued: map[string]*issue{}, consents: map[consentKey][]string{}}
	for i := range seed.Members {
		s.members = append(s.members, &seed.Members[i])
	}
	for i := range seed.ConnectedApps {
		s.apps = append(s.apps, &seed.ConnectedApps[i])
	}
	return s
}

func (s *state) member(id string) *Member {
	for _, m := range s.members {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// membersOf returns those of the address that may still sign in.
func (s *state) membersOf(email string) (found []*Member) {
	for _, m := range s.members {
		if strings.EqualFold(m.Email, email) && m.Status != "deleted" {
			found = append(found, m)
		}
	}
	return found
}

// memberOf returns the one of the address in the organization, if not deleted.
func (s *state) memberOf(organizationID, email string) *Member {
	for _, m := range s.membersOf(email) {
		if m.OrganizationID == organizationID {
			return m
		}
	}
	return nil
}

// organization finds by id or slug, as Stytch's parameters do.
func (s *state) organization(id string) *Organization {
	for i, o := range s.organizations {
		if o.ID == id || o.Slug == id {
			return &s.organizations[i]
		}
	}
	return nil
}

func (s *state) app(clientID string) *ConnectedApp {
	for _, a := range s.apps {
		if a.ClientID == clientID {
			return a
		}
	}
	return nil
}

func (s *state) scope(name string) *CustomScope {
	for i, c := range s.policy.Scopes {
		if c.Name == name {
			return &s.policy.Scopes[i]
		}
	}
	return nil
}

// covers says whether the member's roles cover all of the permissions.
func (s *state) covers(m *Member, needed []Permission) bool {
	for _, p := range needed {
		for _, action := range p.Actions {
			if !slices.ContainsFunc(s.policy.Roles, func(r Role) bool {
				return slices.Contains(m.Roles, r.ID) && slices.ContainsFunc(r.Permissions, func(has Permission) bool {
					return has.ResourceID == p.ResourceID && (slices.Contains(has.Actions, action) || slices.Contains(has.Actions, "*"))
				})
			}) {
				return false
			}
		}
	}
	return true
}

func (s *state) mail(m Mail) { s.inbox = append([]Mail{m}, s.inbox[:min(len(s.inbox), 199)]...) }

// record keeps an access token for revocation. Ended ones are dropped now and then.
func (s *state) record(id string, i issue, now time.Time) {
	if len(s.issued) >= 10_000 {
		maps.DeleteFunc(s.issued, func(_ string, i *issue) bool { return !now.Before(i.expires) })
	}
	s.issued[id] = &i
}

// revoke ends what was issued and matches.
func (s *state) revoke(match func(consentKey, string) bool) {
	for _, i := range s.issued {
		i.revoked = i.revoked || match(i.key, i.lineage)
	}
	for _, grants := range []map[string]*grant{s.grants, s.refreshes} {
		maps.DeleteFunc(grants, func(_ string, g *grant) bool { return match(g.key(), g.lineage) })
	}
}

// newID makes an id of Stytch's form.
func newID(kind string) string { return kind + "-test-" + uuid.NewString() }

// secret makes an opaque string for tokens and codes.
func secret() string { return rand.Text() + rand.Text() }

// Inbox returns what was mailed, newest first.
func (e *Emulator) Inbox() []Mail {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.state.inbox)
}
