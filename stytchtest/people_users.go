package stytchtest

import (
	"net/http"
	"slices"

	"guestpass/stytchtest/internal/wire"
)

var userNotFound = wire.NotFound("user_not_found", "The user could not be found.")

func userObject(p *person) map[string]any {
	providers := []any{}
	for _, registered := range p.providers {
		providers = append(providers, map[string]any{"provider_type": registered.Provider,
			"provider_subject":           registered.Subject,
			"oauth_user_registration_id": registered.ID, "profile_picture_url": "", "locale": ""})
	}
	var password any // null
	if p.password != "" {
		password = map[string]any{"password_id": p.passwordID(), "requires_reset": false}
	}
	return map[string]any{"user_id": p.id, "status": p.status, "name": p.parts, "emails": p.emails,
		"phone_numbers": []any{},
		"providers":     providers, "roles": p.roles, "password": password, "trusted_metadata": p.trusted,
		"untrusted_metadata": p.untrusted,
		"external_id":        p.externalID, "created_at": timestamp(p.created), "is_locked": false,
		"webauthn_registrations": []any{}, "totps": []any{},
		"crypto_wallets": []any{}, "biometric_registrations": []any{}}
}

func (e *Emulator) newUser(email string) *person {
	return &person{id: wire.NewID("user"), emails: []Email{{ID: wire.NewID("email"), Address: email}},
		status:  "pending",
		roles:   []string{consumer.role},
		created: e.now(), updated: e.now(), trusted: map[string]any{}, untrusted: map[string]any{}}
}

// pathUser returns the one that the path names.
func (e *Emulator) pathUser(c *call) (*person, *wire.Failure) {
	for _, p := range e.state.people {
		if p.status != "deleted" && p.is(c.Path("user")) {
			return p, nil
		}
	}
	return nil, userNotFound
}

// getUser answers with the user at top level.
func (e *Emulator) getUser(c *call) (any, *wire.Failure) {
	p, bad := e.pathUser(c)
	if bad != nil {
		return nil, bad
	}
	return userObject(p), nil
}

func (e *Emulator) searchUsers(c *call) (any, *wire.Failure) {
	q, bad := readQuery(c, userSearch, userFilters)
	if bad != nil {
		return nil, bad
	}
	matches := []any{}
	for _, p := range e.state.people {
		if p.status != "deleted" && q.match(p) {
			matches = append(matches, userObject(p))
		}
	}
	return cutList(c, userSearch, "results", matches)
}

func (e *Emulator) createUser(c *call) (any, *wire.Failure) {
	email, bad := address(c, "email")
	if bad != nil {
		return nil, bad
	}
	if e.state.personIn("", email) != nil {
		return nil, wire.Fail(http.StatusBadRequest, "duplicate_email", "A user with this email exists already.")
	}
	p := e.newUser(email)
	if !c.Flag("create_user_as_pending") {
		p.status = "active"
	}
	if bad := e.changePerson(c, p); bad != nil {
		return nil, bad
	}
	e.keep(p)
	reply := e.personReply(p)
	reply["email_id"], reply["status"], reply["phone_id"] = p.emails[0].ID, p.status, ""
	return reply, nil
}

func (e *Emulator) updateUser(c *call) (any, *wire.Failure) {
	p, bad := e.pathUser(c)
	if bad != nil {
		return nil, bad
	}
	changed := *p
	if bad := e.changePerson(c, &changed); bad != nil {
		return nil, bad
	}
	*p = changed
	reply := e.personReply(p)
	reply["emails"], reply["phone_numbers"], reply["crypto_wallets"] = p.emails, []any{}, []any{}
	return reply, nil
}

// deleteUser leaves nothing.
func (e *Emulator) deleteUser(c *call) (any, *wire.Failure) {
	p, bad := e.pathUser(c)
	if bad != nil {
		return nil, bad
	}
	e.state.forget(p.id)
	e.state.people = slices.DeleteFunc(e.state.people, func(other *person) bool { return other == p })
	return map[string]any{"user_id": p.id}, nil
}

// deleteUserEmail leaves at least one address, by which the user can be found.
func (e *Emulator) deleteUserEmail(c *call) (any, *wire.Failure) {
	id := c.Path("email")
	for _, p := range e.state.people {
		i := slices.IndexFunc(p.emails, func(address Email) bool { return address.ID == id })
		if i < 0 || p.status == "deleted" {
			continue
		}
		if len(p.emails) == 1 {
			return nil, wire.Fail(http.StatusBadRequest, "cannot_delete_last_primary_factor",
				"The user has no other way to sign in.")
		}
		p.emails = slices.Delete(slices.Clone(p.emails), i, i+1)
		return e.personReply(p), nil
	}
	return nil, emailNotFound
}
