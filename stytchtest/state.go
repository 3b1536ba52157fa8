package stytchtest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// state is everything that changes; guarded by Emulator.mu.
type state struct {
	project       Project
	organizations []*Organization
	people        []*person
	apps          []*ConnectedApp
	policy        Policy
	profiles      []*TokenProfile
	held
}

// Held is what an emulator holds beside its people and apps. Its JSON is for
// [Emulator.Import], whose only promise is that the same version reads it.
type Held struct{ held }

type held struct {
	Advanced      time.Duration            `json:"advanced,omitempty"` // of the clock
	Sessions      map[string]*session      `json:"sessions"`           // by session token
	Intermediates map[string]*intermediate `json:"intermediate_sessions"`
	Codes         map[string]*emailCode    `json:"codes"`          // by codeKey
	Links         map[string]*emailLink    `json:"links"`          // by token
	Logins        map[string]*oauthLogin   `json:"oauth_logins"`   // by token, begun and ended ones
	Grants        map[string]*grant        `json:"codes_granted"`  // by authorization code
	Refreshes     map[string]*grant        `json:"refresh_tokens"` // by refresh token
	Issued        map[string]*issue        `json:"access_tokens"`  // by jti
	Consents      map[consentKey]*consent  `json:"consents"`
	Inbox         []Mail                   `json:"inbox"` // newest first
	// until when tokens that made a session would be good, by profile and token id
	Attested map[string]time.Time `json:"attested,omitempty"`
}

// A session is of the person who signed in.
type session struct {
	ID       string    `json:"id"`
	PersonID string    `json:"person_id"`
	Started  time.Time `json:"started_at"`
	Accessed time.Time `json:"last_accessed_at"`
	Expires  time.Time `json:"expires_at"`
	Factors  []factor  `json:"factors"` // in the order in which they were shown
}

// A factor is how somebody signed in: email_otp, magic_link, password, oauth or trusted_auth_token.
type factor struct {
	Type     string    `json:"type"`
	Provider string    `json:"provider,omitempty"` // of oauth
	TokenID  string    `json:"token_id,omitempty"` // of trusted_auth_token
	Shown    time.Time `json:"shown_at,omitzero"`  // last
}

// An intermediate session is between sign-in and the choice of an organization.
type intermediate struct {
	Email    string    `json:"email_address"`
	Factor   factor    `json:"factor"`
	Password string    `json:"password,omitempty"` // set before an organization was joined
	Subject  string    `json:"provider_subject,omitempty"`
	Expires  time.Time `json:"expires_at"`
}

type emailCode struct {
	Code    string    `json:"code"`
	Email   string    `json:"email_address"`
	Expires time.Time `json:"expires_at"`
}

// An emailLink is what a link in a mail stands for.
type emailLink struct {
	Kind           string    `json:"kind"` // the stytch_token_type of its URL
	Email          string    `json:"email_address"`
	OrganizationID string    `json:"organization_id,omitempty"` // "" for discovery, and in Consumer projects
	PersonID       string    `json:"person_id,omitempty"`       // "" for discovery
	Challenge      string    `json:"code_challenge,omitempty"`
	Reset          bool      `json:"reset,omitempty"` // it sets a password
	Expires        time.Time `json:"expires_at"`
}

// An oauthLogin is a sign-in at a provider, from its start until its token is redeemed.
type oauthLogin struct {
	Provider       string    `json:"provider"`
	Kind           string    `json:"kind"` // the stytch_token_type of the URL it returns to
	Redirect       string    `json:"redirect_url"`
	SignupRedirect string    `json:"signup_redirect_url,omitempty"` // "" for discovery
	OrganizationID string    `json:"organization_id,omitempty"`     // "" for discovery, and in Consumer projects
	Challenge      string    `json:"code_challenge,omitempty"`
	Email          string    `json:"email_address,omitempty"` // of whoever continued; "" until then
	Expires        time.Time `json:"expires_at"`
}

// A grant is what an authorization code, and later a refresh token, stands for.
type grant struct {
	ClientID    string    `json:"client_id"`
	PersonID    string    `json:"person_id"`
	RedirectURI string    `json:"redirect_uri"`
	Challenge   string    `json:"code_challenge,omitempty"`
	Nonce       string    `json:"nonce,omitempty"`
	Scopes      []string  `json:"scopes"`
	Expires     time.Time `json:"expires_at"`
	Used        bool      `json:"used"`
	Lineage     string    `json:"lineage"` // shared by all that comes from one code
}

// A consent is what a person has allowed an app. Its scopes may be none.
type consent struct {
	Scopes []string  `json:"scopes"`
	Since  time.Time `json:"since,omitzero"` // when it was first given; zero if nobody knows any more
}

// UnmarshalJSON takes the scopes alone too, as states have them that an older version kept.
func (c *consent) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &c.Scopes) == nil {
		return nil
	}
	type whole consent
	return json.Unmarshal(data, (*whole)(c))
}

func (g *grant) key() consentKey { return consentKey{g.PersonID, g.ClientID} }

// An issue is an access token that was handed out, minted ones included.
type issue struct {
	Key      consentKey `json:"key"`
	Lineage  string     `json:"lineage,omitempty"`
	Scope    string     `json:"scope"`
	Audience []string   `json:"audience"`
	Expires  time.Time  `json:"expires_at"`
	Revoked  bool       `json:"revoked"`
}

// A consentKey is written as person and client with a space between.
type consentKey struct{ personID, clientID string }

func (k consentKey) MarshalText() ([]byte, error) { return []byte(k.personID + " " + k.clientID), nil }

func (k *consentKey) UnmarshalText(text []byte) error {
	k.personID, k.clientID, _ = strings.Cut(string(text), " ")
	return nil
}

// Mail is one message of the inbox.
type Mail struct {
	To   string `json:"to"`
	Kind string `json:"kind"` // otp, magic_link, invite or reset_password
	Code string `json:"code,omitempty"`
	Link string `json:"link,omitempty"`
	// LoginLink is beside Link in reset_password mails of Consumer projects.
	LoginLink string    `json:"login_link,omitempty"`
	SentAt    time.Time `json:"sent_at"`
}

func newState(seed Seed) state {
	seed = seed.clone()
	s := state{project: seed.Project, policy: seed.Policy}
	if seed.Held != nil {
		s.held = seed.Held.held
	}
	s.held.fill()
	for i := range seed.Organizations {
		s.organizations = append(s.organizations, &seed.Organizations[i])
	}
	for _, m := range seed.Members {
		s.people = append(s.people, personOfMember(m))
	}
	for _, u := range seed.Users {
		s.people = append(s.people, personOfUser(u))
	}
	for i := range seed.ConnectedApps {
		s.apps = append(s.apps, &seed.ConnectedApps[i])
	}
	for i := range seed.TokenProfiles {
		s.profiles = append(s.profiles, &seed.TokenProfiles[i])
	}
	return s
}

// seed returns the state as a seed, without what is held.
func (s *state) seed() Seed {
	seed := Seed{Project: s.project, Policy: s.policy}
	for _, o := range s.organizations {
		seed.Organizations = append(seed.Organizations, *o)
	}
	for _, p := range s.people {
		if p.organizationID != "" {
			seed.Members = append(seed.Members, p.member())
		} else {
			seed.Users = append(seed.Users, p.user())
		}
	}
	for _, a := range s.apps {
		seed.ConnectedApps = append(seed.ConnectedApps, *a)
	}
	for _, p := range s.profiles {
		seed.TokenProfiles = append(seed.TokenProfiles, *p)
	}
	return seed.clone()
}

func (h *held) fill() {
	fillMap(&h.Sessions)
	fillMap(&h.Intermediates)
	fillMap(&h.Codes)
	fillMap(&h.Links)
	fillMap(&h.Logins)
	fillMap(&h.Grants)
	fillMap(&h.Refreshes)
	fillMap(&h.Issued)
	fillMap(&h.Consents)
	fillMap(&h.Attested)
}

func fillMap[K comparable, V any](m *map[K]V) {
	if *m == nil {
		*m = map[K]V{}
	}
}

func (s *state) person(id string) *person {
	for _, p := range s.people {
		if p.id == id {
			return p
		}
	}
	return nil
}

// peopleWith returns those of the address that are not deleted.
func (s *state) peopleWith(email string) (found []*person) {
	for _, p := range s.people {
		if p.status != "deleted" && p.hasEmail(email) {
			found = append(found, p)
		}
	}
	return found
}

// personIn returns the one of the address in the organization, or with "" the user, if
// not deleted.
func (s *state) personIn(organizationID, email string) *person {
	for _, p := range s.peopleWith(email) {
		if p.organizationID == organizationID {
			return p
		}
	}
	return nil
}

// organization finds by id, slug or external id, as Stytch's parameters do.
func (s *state) organization(id string) *Organization {
	for _, o := range s.organizations {
		if id != "" && (o.ID == id || o.Slug == id || o.ExternalID == id) {
			return o
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

// rolesOf returns the roles that count in the organization: the project's, and its own ones.
func (s *state) rolesOf(organizationID string) []Role {
	if o := s.organization(organizationID); o != nil {
		return append(slices.Clone(s.policy.Roles), o.Roles...)
	}
	return s.policy.Roles
}

// covers reports whether the roles, as they are defined, cover all of the permissions.
func covers(defined []Role, roles []string, needed []Permission) bool {
	for _, p := range needed {
		for _, action := range p.Actions {
			if !slices.ContainsFunc(defined, func(r Role) bool {
				return slices.Contains(roles, r.ID) && slices.ContainsFunc(r.Permissions, func(has Permission) bool {
					return has.ResourceID == p.ResourceID && (slices.Contains(has.Actions, action) ||
						slices.Contains(has.Actions, "*"))
				})
			}) {
				return false
			}
		}
	}
	return true
}

func (s *state) mail(m Mail) { s.Inbox = append([]Mail{m}, s.Inbox[:min(len(s.Inbox), 199)]...) }

// record keeps an access token for revocation. Ended ones are dropped now and then.
func (s *state) record(id string, i issue, now time.Time) {
	if len(s.Issued) >= 10_000 {
		maps.DeleteFunc(s.Issued, func(_ string, i *issue) bool { return !now.Before(i.Expires) })
	}
	s.Issued[id] = &i
}

// revoke ends what was issued and matches.
func (s *state) revoke(match func(consentKey, string) bool) {
	for _, i := range s.Issued {
		i.Revoked = i.Revoked || match(i.Key, i.Lineage)
	}
	for _, grants := range []map[string]*grant{s.Grants, s.Refreshes} {
		maps.DeleteFunc(grants, func(_ string, g *grant) bool { return match(g.key(), g.Lineage) })
	}
}

// forget takes away everything that hangs on somebody who is gone.
func (s *state) forget(personID string) {
	maps.DeleteFunc(s.Sessions, func(_ string, held *session) bool { return held.PersonID == personID })
	maps.DeleteFunc(s.Links, func(_ string, l *emailLink) bool { return l.PersonID == personID })
	maps.DeleteFunc(s.Consents, func(k consentKey, _ *consent) bool { return k.personID == personID })
	s.revoke(func(k consentKey, _ string) bool { return k.personID == personID })
}

// secret makes an opaque string for tokens and codes.
func secret() string { return rand.Text() + rand.Text() }

// Inbox returns what was mailed, newest first.
func (e *Emulator) Inbox() []Mail {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.state.Inbox)
}

// Export returns everything that the emulator holds but its signing keys, as a seed.
func (e *Emulator) Export() Seed {
	e.mu.Lock()
	defer e.mu.Unlock()
	seed := e.state.seed()
	data, err := json.Marshal(e.state.held) // a deep copy
	if err != nil {
		panic(err) // plain data
	}
	seed.Held = new(Held)
	if err := json.Unmarshal(data, &seed.Held.held); err != nil {
		panic(err)
	}
	return seed
}

// Import replaces everything by a seed, such as one that [Emulator.Export] returned, also
// of another emulator; of a project of the other vertical it is refused. The signing keys
// stay: access tokens of another emulator are not good here, refresh tokens are.
func (e *Emulator) Import(seed Seed) error {
	if err := seed.check(); err != nil {
		return err
	}
	seed = seed.clone()
	seed.invent()
	e.mu.Lock()
	defer e.mu.Unlock()
	if seed.Project.Vertical != e.seed.Project.Vertical {
		return fmt.Errorf("stytchtest: the seed is of a %s project, this emulator's is %s", seed.Project.Vertical,
			e.seed.Project.Vertical)
	}
	e.state = newState(seed)
	e.faults.Clear()
	e.requests, e.issued = nil, nil
	return nil
}
