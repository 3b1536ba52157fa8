package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stytchauth/stytch-go/v16/stytch/b2b/idp"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations/members"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations/members/connectedapps"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/sessions"
)

func (d *B2B) Session(ctx context.Context, token, jwt string) (Person, error) {
	if err := checkSession(token, jwt); err != nil {
		return Person{}, err
	}
	answer, err := d.api.Sessions.Authenticate(ctx, &sessions.AuthenticateParams{SessionToken: token, SessionJWT: jwt})
	if err != nil {
		return Person{}, fmt.Errorf("authenticate a session: %w", noSession(d.translate(ctx, err)))
	}
	member := answer.Member
	if member.MemberID == "" || answer.MemberSession.MemberID != member.MemberID || answer.Organization.OrganizationID != member.OrganizationID {
		return Person{}, fmt.Errorf("authenticate a session: it is not one member's: %w", ErrNotFound)
	}
	return memberFrom(member, answer.Organization), onlyActive(member.Status)
}

func (d *B2B) Connections(ctx context.Context, organizationID, memberID string) ([]Connection, error) {
	answer, err := d.api.Organizations.Members.GetConnectedApps(ctx, &members.GetConnectedAppsParams{OrganizationID: organizationID, MemberID: memberID})
	if err != nil {
		return nil, fmt.Errorf("list the apps of %s: %w", memberID, d.translate(ctx, err))
	}
	connections := []Connection{}
	for _, a := range answer.ConnectedApps {
		connections = append(connections, Connection{memberID, a.ConnectedAppID, a.Name, strings.Fields(a.ScopesGranted)})
	}
	return connections, nil
}

func (d *B2B) Disconnect(ctx context.Context, organizationID, memberID, clientID string) error {
	_, err := d.api.Organizations.Members.ConnectedApps.Revoke(ctx, &connectedapps.RevokeParams{
		OrganizationID: organizationID, MemberID: memberID, ConnectedAppID: clientID})
	return d.disconnected(ctx, clientID, err)
}

// OrganizationConnections are the apps of all members.
func (d *B2B) OrganizationConnections(ctx context.Context, organizationID string) ([]Connection, error) {
	apps, err := d.api.Organizations.ConnectedApps(ctx, &organizations.ConnectedAppsParams{OrganizationID: organizationID})
	if err != nil {
		return nil, fmt.Errorf("list the apps of %s: %w", organizationID, d.translate(ctx, err))
	}
	connections := []Connection{}
	for _, a := range apps.ConnectedApps {
		app, err := d.api.Organizations.GetConnectedApp(ctx, &organizations.GetConnectedAppParams{
			OrganizationID: organizationID, ConnectedAppID: a.ConnectedAppID})
		if err != nil {
			return nil, fmt.Errorf("list who uses %s: %w", a.ConnectedAppID, d.translate(ctx, err))
		}
		for _, m := range app.ActiveMembers {
			connections = append(connections, Connection{m.MemberID, a.ConnectedAppID, app.Name, slices.Clone(m.GrantedScopes)})
		}
	}
	return connections, nil
}

func (d *B2B) Introspect(ctx context.Context, token, memberID, clientID string) (bool, error) {
	answer, err := d.api.IDP.IntrospectTokenNetwork(forAdmission(ctx), &idp.IntrospectTokenNetworkParams{
		Token: token, ClientID: clientID, ClientSecret: d.clientSecret(clientID)})
	var got introspection
	if err == nil {
		got = introspection{answer.Subject, answer.ClientID}
	}
	return d.active(ctx, got, err, introspection{memberID, clientID})
}
