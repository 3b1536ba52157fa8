package stytch

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
	"golang.org/x/sync/errgroup"

	"guestpass/directory"
	"guestpass/internal/text"
)

func (d *B2B) Session(ctx context.Context, token, jwt string) (directory.Person, error) {
	return d.session(ctx, token, jwt, func(ctx context.Context) (directory.Person, error) {
		return d.authenticate(ctx, token,
			jwt)
	})
}

func (d *B2B) authenticate(ctx context.Context, token, jwt string) (directory.Person, error) {
	answer, err := d.api.Sessions.Authenticate(ctx, &sessions.AuthenticateParams{SessionToken: token, SessionJWT: jwt})
	if err != nil {
		return directory.Person{}, fmt.Errorf("authenticate a session: %w", d.translateSession(ctx, err))
	}
	member := answer.Member
	if member.MemberID == "" || answer.MemberSession.MemberID != member.MemberID ||
		answer.Organization.OrganizationID != member.OrganizationID {
		return directory.Person{}, &UnexpectedError{"a session that is not one member's"}
	}
	return memberFrom(member, answer.Organization), onlyActive(member.Status)
}

func (d *B2B) Connections(ctx context.Context, organizationID, memberID string) ([]Connection, error) {
	ctx = ask(ctx, askConnections, organizationID, memberID)
	answer, err := d.api.Organizations.Members.GetConnectedApps(ctx,
		&members.GetConnectedAppsParams{OrganizationID: organizationID, MemberID: memberID})
	if err != nil {
		return nil, fmt.Errorf("list the apps of %s: %w", memberID, d.translate(ctx, err))
	}
	connections := []Connection{}
	for _, a := range answer.ConnectedApps {
		connections = append(connections, Connection{memberID, a.ConnectedAppID, text.Name(a.Name),
			strings.Fields(a.ScopesGranted)})
	}
	return connections, nil
}

func (d *B2B) Disconnect(ctx context.Context, organizationID, memberID, clientID string) error {
	ctx = ask(ctx, askRevocation, organizationID, memberID)
	_, err := d.api.Organizations.Members.ConnectedApps.Revoke(ctx, &connectedapps.RevokeParams{
		OrganizationID: organizationID, MemberID: memberID, ConnectedAppID: clientID})
	return d.disconnected(ctx, clientID, err)
}

// An AppPage is a part of an organization's apps: those of all members that have some of them.
type AppPage struct {
	Connections []Connection
	Elsewhere   map[string]bool // client ids of connected apps that are on other pages
	First       bool
	Next        string // "" on the last page
}

const (
	appsOfPage = 50 // Stytch is asked for each who uses it
	appsAtOnce = 4
)

// OrganizationConnections returns the connections of all members to the apps that follow the one with
// the id after; "" for the first.
func (d *B2B) OrganizationConnections(ctx context.Context, organizationID, after string) (page AppPage, err error) {
	answer, err := d.api.Organizations.ConnectedApps(ask(ctx, askOrganizationApps, organizationID, ""),
		&organizations.ConnectedAppsParams{OrganizationID: organizationID})
	if err != nil {
		return page, fmt.Errorf("list the apps of %s: %w", organizationID, d.translate(ctx, err))
	}
	page.First, page.Elsewhere = after == "", map[string]bool{}
	var here []string
	for _, a := range answer.ConnectedApps {
		page.Elsewhere[a.ConnectedAppID] = true
		if a.ConnectedAppID > after {
			here = append(here, a.ConnectedAppID)
		}
	}
	slices.Sort(here)
	if len(here) > appsOfPage {
		here = here[:appsOfPage]
		page.Next = here[appsOfPage-1]
	}
	for _, clientID := range here {
		delete(page.Elsewhere, clientID)
	}
	page.Connections, err = d.AppConnections(ctx, organizationID, here)
	return page, err
}

// AppConnections returns the connections of all members to the apps with these ids.
func (d *B2B) AppConnections(ctx context.Context, organizationID string, clients []string) ([]Connection, error) {
	lists := make([][]Connection, len(clients))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(appsAtOnce)
	for i, clientID := range clients {
		group.Go(func() (err error) {
			lists[i], err = d.appConnections(ctx, organizationID, clientID)
			return err
		})
	}
	err := group.Wait()
	return slices.Concat(lists...), err
}

// appConnections returns those of all members to one app.
func (d *B2B) appConnections(ctx context.Context, organizationID, clientID string) (list []Connection, err error) {
	app, err := d.api.Organizations.GetConnectedApp(ask(ctx, askAppMembers, organizationID, ""),
		&organizations.GetConnectedAppParams{OrganizationID: organizationID, ConnectedAppID: clientID})
	if err != nil {
		return nil, fmt.Errorf("list who uses %s: %w", clientID, d.translate(ctx, err))
	}
	for _, m := range app.ActiveMembers {
		list = append(list, Connection{m.MemberID, clientID, text.Name(app.Name), slices.Clone(m.GrantedScopes)})
	}
	return list, nil
}

func (d *B2B) Introspect(ctx context.Context, token, memberID, clientID string) (bool, error) {
	answer, err := d.api.IDP.IntrospectTokenNetwork(ask(forAdmission(ctx), askIntrospection, "", memberID),
		&idp.IntrospectTokenNetworkParams{
			Token: token, ClientID: clientID, ClientSecret: d.clientSecret(clientID)})
	var got introspection
	if err == nil {
		got = introspection{answer.Subject, answer.ClientID}
	}
	return d.active(ctx, got, err, introspection{memberID, clientID})
}
