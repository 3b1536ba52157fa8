package stytchtest

import (
	"strings"

	"guestpass/stytchtest/internal/wire"
)

// Connected apps, as people and organizations see them.

// appObject returns an app as the server API shows it to people's administrators.
func appObject(a *ConnectedApp) map[string]any {
	return map[string]any{"connected_app_id": a.ClientID, "name": a.Name, "description": a.Description,
		"client_type": a.Type, "logo_url": a.LogoURL}
}

// pathPerson returns the member or user that the path names.
func (e *Emulator) pathPerson(c *call) (*person, *wire.Failure) {
	if e.vertical.name == consumer.name {
		return e.pathUser(c)
	}
	return e.pathMember(c)
}

func (e *Emulator) personApps(c *call) (any, *wire.Failure) {
	p, bad := e.pathPerson(c)
	if bad != nil {
		return nil, bad
	}
	return e.appsOf(p), nil
}

// ownApps returns those of the session's person.
func (e *Emulator) ownApps(c *call) (any, *wire.Failure) {
	p, bad := e.self(c)
	if bad != nil {
		return nil, bad
	}
	return e.appsOf(p), nil
}

func (e *Emulator) appsOf(p *person) map[string]any {
	apps := []any{}
	for _, a := range e.state.apps {
		if given := e.state.Consents[consentKey{p.id, a.ClientID}]; given != nil {
			app := appObject(a)
			app["scopes_granted"] = strings.Join(given.Scopes, " ")
			apps = append(apps, app)
		}
	}
	return map[string]any{"connected_apps": apps}
}

func (e *Emulator) revokeApp(c *call) (any, *wire.Failure) {
	p, bad := e.pathPerson(c)
	if bad != nil {
		return nil, bad
	}
	return nil, e.disconnect(p, c.Path("app"))
}

func (e *Emulator) revokeOwnApp(c *call) (any, *wire.Failure) {
	p, bad := e.self(c)
	if bad != nil {
		return nil, bad
	}
	return nil, e.disconnect(p, c.Path("app"))
}

// disconnect ends consent and everything issued by it; the next authorization asks
// again (https://stytch.com/docs/connected-apps/resources/consent-management).
func (e *Emulator) disconnect(p *person, clientID string) *wire.Failure {
	key := consentKey{p.id, clientID}
	if e.state.Consents[key] == nil {
		return connectedAppNotFound
	}
	delete(e.state.Consents, key)
	e.state.revoke(func(k consentKey, _ string) bool { return k == key })
	return nil
}

func (e *Emulator) organizationApps(c *call) (any, *wire.Failure) {
	o := e.state.organization(c.Path("organization"))
	if o == nil {
		return nil, organizationNotFound
	}
	apps := []any{}
	for _, a := range e.state.apps {
		if len(e.activeMembers(o.ID, a.ClientID)) > 0 {
			apps = append(apps, appObject(a))
		}
	}
	return map[string]any{"connected_apps": apps}, nil
}

func (e *Emulator) organizationApp(c *call) (any, *wire.Failure) {
	o, a := e.state.organization(c.Path("organization")), e.state.app(c.Path("app"))
	if o == nil {
		return nil, organizationNotFound
	}
	if a == nil {
		return nil, connectedAppNotFound
	}
	reply := appObject(a)
	reply["active_members"] = e.activeMembers(o.ID, a.ClientID)
	return reply, nil
}

func (e *Emulator) activeMembers(organizationID, clientID string) []any {
	active := []any{}
	for _, p := range e.state.people {
		if given := e.state.Consents[consentKey{p.id, clientID}]; given != nil && p.organizationID == organizationID {
			active = append(active, map[string]any{"member_id": p.id, "granted_scopes": given.Scopes})
		}
	}
	return active
}
