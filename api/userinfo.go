package api

import (
	"context"
	"fmt"
	"net/http"

	"guestpass/auth"
)

func (s *Service) registerUserInfo() {
	Register(s, Operation{
		ID: "getUserInfo", Method: http.MethodGet, Path: "/api/v1/userinfo",
		Summary:     "Get who is signed in",
		Description: "Returns the signed-in person, their organization, their roles, and what they have allowed you to do. Name and e-mail address are there only if the person has shared them.",
		Access:      auth.Scope("openid"),
	}, s.getUserInfo)
}

// UserInfo is the caller as the caller's token allows to show them.
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

type userInfoOutput struct{ Body UserInfo }

// getUserInfo asks Stytch for the member that the token names, and shows of them
// what the granted OpenID Connect scopes cover (OpenID Connect Core section 5.4).
func (s *Service) getUserInfo(ctx context.Context, _ *struct{}) (*userInfoOutput, error) {
	identity := auth.From(ctx)
	member, organization, err := s.options.Directory.Member(ctx, identity.OrganizationID, identity.Subject)
	if err != nil {
		return nil, fmt.Errorf("get user info: %w", err)
	}
	info := UserInfo{
		MemberID: member.ID, Status: member.Status, Roles: member.Roles,
		OrganizationID: organization.ID, OrganizationName: organization.Name,
		GrantedScopes: identity.Scopes.List(),
	}
	if identity.Scopes.Has("profile") {
		info.Name = member.Name
	}
	if identity.Scopes.Has("email") {
		info.Email, info.EmailVerified = member.Email, member.EmailVerified
	}
	return &userInfoOutput{Body: info}, nil
}
