package stytch

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"guestpass/directory"
	"guestpass/internal/text"
)

// Consumer is the [Directory] of a Consumer project: users, who belong to nobody.
type Consumer struct {
	*client
	api *stytchapi.API
}

// NewConsumer needs no network.
func NewConsumer(o Options) (*Consumer, error) {
	d := &Consumer{client: newClient(o, "/v1/rbac/policy")}
	api, err := stytchapi.NewClient(o.ProjectID, o.Secret, stytchapi.WithClient(d.raw),
		stytchapi.WithSkipJWKSInitialization())
	if err != nil {
		return nil, fmt.Errorf("make the Stytch client: %w", err)
	}
	d.api, d.person, d.everybody = api, d.Person, "stytch_user"
	return d, nil
}

// Person returns one user. There are no organizations: in the one that is named here
// there is nobody.
func (d *Consumer) Person(ctx context.Context, organizationID, userID string) (directory.Person, error) {
	if organizationID != "" {
		return directory.Person{}, fmt.Errorf("get user %s of an organization: %w", userID, directory.ErrNotFound)
	}
	ctx = ask(ctx, askPerson, "", userID)
	answer, err := d.api.Users.Get(ctx, &users.GetParams{UserID: userID})
	if err != nil {
		return directory.Person{}, fmt.Errorf("get user %s: %w", userID, d.translate(ctx, err))
	}
	if answer.UserID == "" {
		return directory.Person{}, fmt.Errorf("get user %s: %w", userID, &UnexpectedError{"no user in it"})
	}
	if answer.UserID != userID { // a user may also be named by an external id: only the id counts here
		return directory.Person{}, fmt.Errorf("get user %s: %w", userID, directory.ErrNotFound)
	}
	return userFrom(answer), nil
}

func userFrom(u *users.GetResponse) directory.Person {
	p := directory.Person{ID: u.UserID, Status: u.Status, Roles: append([]string{}, u.Roles...)}
	if u.Name != nil {
		p.Name = text.Name(strings.Join(strings.Fields(u.Name.FirstName+" "+u.Name.MiddleName+" "+u.Name.LastName),
			" "))
	}
	// Of several addresses the first that somebody is known to read.
	if i := max(0, slices.IndexFunc(u.Emails, func(e users.Email) bool { return e.Verified })); i < len(u.Emails) {
		p.Email, p.EmailVerified = text.Line(u.Emails[i].Email), u.Emails[i].Verified
	}
	return p
}
