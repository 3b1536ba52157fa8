package profile

import (
	"context"
	"fmt"
	"net/http"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/directory"
)

// registerUserInfo declares one operation with the answer of the project's vertical.
func (s *profile) registerUserInfo() {
	op := api.Operation{
		ID: "getUserInfo", Method: http.MethodGet, Path: "/api/v1/userinfo",
		Summary: "Get who is signed in",
		Access:  auth.Scope("openid"),
	}
	const shared = "what they have allowed you to do. Name and e-mail address are there only if the person has " +
		"shared them."
	if s.Vertical() == auth.Consumer {
		op.Description = "Returns the signed-in person, their roles, and " + shared
		api.Register(s.Service, op, s.getConsumerUserInfo)
		return
	}
	op.Description = "Returns the signed-in person, their organization, their roles, and " + shared
	api.Register(s.Service, op, s.getUserInfo)
}

// UserInfo is what the token allows to show of the caller, a member of an organization.
type UserInfo struct {
	MemberID         string   `json:"member_id" doc:"Identifier of the signed-in member"`
	Name             string   `json:"name,omitempty" doc:"Full name, if shared"`
	Email            string   `json:"email,omitempty" doc:"E-mail address, if shared"`
	EmailVerified    bool     `json:"email_verified,omitempty" doc:"Whether the e-mail address is confirmed, if shared"`
	Status           string   `json:"status" doc:"State of the membership, normally active"`
	OrganizationID   string   `json:"organization_id" doc:"Identifier of the organization"`
	OrganizationName string   `json:"organization_name" doc:"Name of the organization"`
	Roles            []string `json:"roles" doc:"Roles of the person in the organization"`
	GrantedScopes    []string `json:"granted_scopes" doc:"What the person has allowed you to do"`
}

// ConsumerUserInfo is UserInfo in a Consumer project, where people belong to nobody.
type ConsumerUserInfo struct {
	UserID        string   `json:"user_id" doc:"Identifier of the signed-in user"`
	Name          string   `json:"name,omitempty" doc:"Full name, if shared"`
	Email         string   `json:"email,omitempty" doc:"E-mail address, if shared"`
	EmailVerified bool     `json:"email_verified,omitempty" doc:"Whether the e-mail address is confirmed, if shared"`
	Status        string   `json:"status" doc:"State of the account, normally active"`
	Roles         []string `json:"roles" doc:"Roles of the person"`
	GrantedScopes []string `json:"granted_scopes" doc:"What the person has allowed you to do"`
}

type userInfoOutput struct{ Body UserInfo }

type consumerUserInfoOutput struct{ Body ConsumerUserInfo }

func (s *profile) getUserInfo(ctx context.Context, _ *struct{}) (*userInfoOutput, error) {
	person, scopes, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	return &userInfoOutput{UserInfo{
		MemberID: person.ID, Name: person.Name, Email: person.Email, EmailVerified: person.EmailVerified,
		Status: person.Status, Roles: person.Roles, GrantedScopes: scopes,
		OrganizationID: person.Organization.ID, OrganizationName: person.Organization.Name,
	}}, nil
}

func (s *profile) getConsumerUserInfo(ctx context.Context, _ *struct{}) (*consumerUserInfoOutput, error) {
	person, scopes, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	return &consumerUserInfoOutput{ConsumerUserInfo{
		UserID: person.ID, Name: person.Name, Email: person.Email, EmailVerified: person.EmailVerified,
		Status: person.Status, Roles: person.Roles, GrantedScopes: scopes,
	}}, nil
}

// caller returns the person that the token names, as they were some seconds ago at most, and keeps of them what the
// granted OpenID Connect scopes cover (OpenID Connect Core section 5.4).
func (s *profile) caller(ctx context.Context) (person directory.Person, scopes []string, err error) {
	identity := auth.From(ctx)
	person, err = s.Directory().RecentPerson(ctx, identity.OrganizationID, identity.Subject)
	if err != nil {
		return person, nil, fmt.Errorf("get user info: %w", err)
	}
	if !identity.Scopes.Has("profile") {
		person.Name = ""
	}
	if !identity.Scopes.Has("email") {
		person.Email, person.EmailVerified = "", false
	}
	return person, identity.Scopes.List(), nil
}
