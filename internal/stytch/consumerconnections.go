package stytch

import (
	"context"
	"fmt"
	"strings"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/idp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"guestpass/directory"
	"guestpass/internal/text"
)

func (d *Consumer) Session(ctx context.Context, token, jwt string) (directory.Person, error) {
	return d.session(ctx, token, jwt, func(ctx context.Context) (directory.Person, error) {
		return d.authenticate(ctx, token,
			jwt)
	})
}

func (d *Consumer) authenticate(ctx context.Context, token, jwt string) (directory.Person, error) {
	answer, err := d.api.Sessions.Authenticate(ctx, &sessions.AuthenticateParams{SessionToken: token, SessionJWT: jwt})
	if err != nil {
		return directory.Person{}, fmt.Errorf("authenticate a session: %w", d.translateSession(ctx, err))
	}
	if answer.User.UserID == "" || answer.Session.UserID != answer.User.UserID {
		return directory.Person{}, &UnexpectedError{"a session that is not one user's"}
	}
	u := answer.User
	return userFrom(&users.GetResponse{UserID: u.UserID, Name: u.Name, Emails: u.Emails, Status: u.Status,
		Roles: u.Roles}), onlyActive(u.Status)
}

func (d *Consumer) Connections(ctx context.Context, _, userID string) ([]Connection, error) {
	ctx = ask(ctx, askConnections, "", userID)
	answer, err := d.api.Users.ConnectedApps(ctx, &users.ConnectedAppsParams{UserID: userID})
	if err != nil {
		return nil, fmt.Errorf("list the apps of %s: %w", userID, d.translate(ctx, err))
	}
	connections := []Connection{}
	for _, a := range answer.ConnectedApps {
		connections = append(connections, Connection{userID, a.ConnectedAppID, text.Name(a.Name),
			strings.Fields(a.ScopesGranted)})
	}
	return connections, nil
}

func (d *Consumer) Disconnect(ctx context.Context, _, userID, clientID string) error {
	ctx = ask(ctx, askRevocation, "", userID)
	_, err := d.api.Users.Revoke(ctx, &users.RevokeParams{UserID: userID, ConnectedAppID: clientID})
	return d.disconnected(ctx, clientID, err)
}

func (d *Consumer) Introspect(ctx context.Context, token, userID, clientID string) (bool, error) {
	answer, err := d.api.IDP.IntrospectTokenNetwork(ask(forAdmission(ctx), askIntrospection, "", userID),
		&idp.IntrospectTokenNetworkParams{
			Token: token, ClientID: clientID, ClientSecret: d.clientSecret(clientID)})
	var got introspection
	if err == nil {
		got = introspection{answer.Subject, answer.ClientID}
	}
	return d.active(ctx, got, err, introspection{userID, clientID})
}
