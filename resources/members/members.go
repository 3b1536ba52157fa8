// Package members is the members of the caller's organization: to list, look up and invite.
package members

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/directory"
)

// Resource returns the operations on the members of the caller's organization. A Consumer project has no members, and
// so none of these operations.
func Resource() api.Resource {
	return api.Resource{Name: "members",
		Scopes: []api.Scope{
			{Name: "members:read", Description: "See who is in your organization"},
			{Name: "members:invite", Description: "Invite people to your organization"},
		},
		Register: func(service *api.Service) {
			if people, ok := service.Members(); ok {
				(&members{service, people}).register()
			}
		}}
}

type members struct {
	*api.Service
	people directory.Members
}

func (s *members) register() {
	api.Register(s.Service, api.Operation{
		ID: "listMembers", Method: http.MethodGet, Path: "/api/v1/members",
		Summary: "List the members of the organization",
		Description: "Returns members of the signed-in person's organization with name, e-mail address, status and " +
			"roles, one page at a time. Search by part of a name or e-mail address. For the next page pass " +
			"next_cursor as cursor.",
		Access: auth.Scope("members:read").Permission("stytch.member", "search"), Widget: list,
		Docs: map[string]string{
			"search": "Part of a name or e-mail address, letter case ignored. Leave out for all",
			"status": "Only members with this status. Leave out for all but deleted ones",
			"limit":  "How many members at most, 1 to 100",
			"cursor": "next_cursor of the previous page, with the same search and status. Leave out for the first",
		},
	}, s.listMembers)
	api.Register(s.Service, api.Operation{
		ID: "getMember", Method: http.MethodGet, Path: "/api/v1/members/{member_id}",
		Summary: "Get one member",
		Description: "Returns one member of the signed-in person's organization with name, e-mail address, status " +
			"and roles.",
		Access: auth.Scope("members:read").Permission("stytch.member", "search"),
		Docs:   map[string]string{"member_id": "As listMembers returns it"},
	}, s.getMember)
	api.Register(s.Service, api.Operation{
		ID: "inviteMember", Method: http.MethodPost, Path: "/api/v1/members/invitations",
		Summary: "Invite a person to the organization",
		Description: "Sends an invitation by e-mail to join the signed-in person's organization and returns the new " +
			"member with status invited. Fails with 409 if the address belongs to a member already.",
		Access: auth.Scope("members:invite").Permission("stytch.member", "create"),
		Effect: api.Write, Status: http.StatusCreated, External: true,
		Done: "Invited {email}",
		Docs: map[string]string{
			"name": "Full name of the person to invite. Leave out if it is not known",
			"roles": "Roles besides that of every member; only some that the signed-in person has (see getUserInfo). " +
				"Leave out for none",
		},
	}, s.inviteMember)
	s.Existing("member-", func(ctx context.Context, owner, id string) (bool, error) {
		member, err := s.people.Person(ctx, owner, id)
		if errors.Is(err, directory.ErrNotFound) {
			return false, nil
		}
		return err == nil && member.Status != "deleted", err
	})
}

// Member is a member of the caller's organization.
type Member struct {
	ID     string   `json:"member_id" doc:"Identifier, to be used with getMember"`
	Name   string   `json:"name" doc:"Full name; empty if not known"`
	Email  string   `json:"email" doc:"E-mail address"`
	Status string   `json:"status" doc:"active, invited (has not accepted yet), pending or deleted"`
	Roles  []string `json:"roles" doc:"Role names, such as stytch_admin"`
}

func memberFrom(m directory.Person) Member {
	return Member{ID: m.ID, Name: m.Name, Email: m.Email, Status: m.Status, Roles: m.Roles}
}

type listMembersInput struct {
	Search string `query:"search" maxLength:"100"`
	Status string `query:"status" enum:"active,invited,pending,deleted"`
	api.Paged
}

type listMembersOutput struct {
	Body struct {
		Members []Member `json:"members" doc:"Members of this page"`
		Total   int      `json:"total" doc:"Number of members on all pages; -1 if not known"`

		NextCursor string `json:"next_cursor,omitempty" doc:"Pass as cursor for the next page; absent on the last page"`
	}
}

// listMembers lists the caller's own organization, whichever it is.
func (s *members) listMembers(ctx context.Context, in *listMembersInput) (*listMembersOutput, error) {
	organization := auth.From(ctx).OrganizationID
	asked, err := api.PageOf(ctx, s.Service, in)
	if err != nil {
		return nil, err
	}
	query := directory.MemberQuery{Search: in.Search, Status: in.Status, Limit: asked.Limit, Cursor: asked.After}
	page, members, err := s.membersPage(ctx, organization, query)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	out := &listMembersOutput{}
	out.Body.Members = members
	out.Body.Total = page.Total
	out.Body.NextCursor = asked.Next(page.Next)
	return out, nil
}

// membersPage reads a page that ChatGPT accepts. The position of the next one comes from Stytch and is behind a whole
// page, so a page that is too large is not cut but read once more, half as long.
func (s *members) membersPage(ctx context.Context, organization string, query directory.MemberQuery) (
	page directory.MemberPage, shown []Member, err error) {
	for {
		if page, err = s.people.RecentMembers(ctx, organization, query); err != nil {
			return page, nil, err
		}
		shown = make([]Member, 0, len(page.Members))
		for _, m := range page.Members {
			shown = append(shown, memberFrom(m))
		}
		encoded, err := json.Marshal(shown)
		if err != nil || len(encoded) <= api.MaxPage || query.Limit <= 1 {
			return page, shown, err
		}
		query.Limit /= 2
	}
}

type getMemberInput struct {
	ID string `path:"member_id" maxLength:"128" pattern:"^[A-Za-z0-9._-]+$"`
}

type memberOutput struct{ Body Member }

// getMember returns one member of the caller's organization. A member of another
// organization is reported as missing, so that identifiers cannot be probed.
func (s *members) getMember(ctx context.Context, in *getMemberInput) (*memberOutput, error) {
	member, err := s.people.RecentPerson(ctx, auth.From(ctx).OrganizationID, in.ID)
	if err != nil {
		return nil, fmt.Errorf("get member: %w", err)
	}
	return &memberOutput{Body: memberFrom(member)}, nil
}

type inviteMemberInput struct {
	Body struct {
		Email address  `json:"email" doc:"E-mail address of the person to invite"`
		Name  string   `json:"name,omitempty" text:"line" minLength:"1" maxLength:"200" example:"Mary Guest"`
		Roles []string `json:"roles,omitempty" maxItems:"10"`
		api.Once
	}
}

// An address is an e-mail address.
type address string

// Schema is for Huma.
func (address) Schema(huma.Registry) *huma.Schema {
	most := 254
	return &huma.Schema{Type: huma.TypeString, Format: "email", MaxLength: &most, Pattern: `^[^@\s<>]+@[^@\s<>]+$`,
		PatternDescription: "one e-mail address, name@example.com"}
}

type inviteMemberOutput struct {
	Body struct {
		Member
		api.Repeatable
	}
}

// inviteMember invites on behalf of the caller, into the caller's organization only.
func (s *members) inviteMember(ctx context.Context, in *inviteMemberInput) (*inviteMemberOutput, error) {
	identity := auth.From(ctx)
	if err := s.mayGive(ctx, identity, in.Body.Roles); err != nil {
		return nil, fmt.Errorf("invite member: %w", err)
	}
	member, err := s.people.Invite(ctx, identity.OrganizationID, directory.Invitation{
		Email: string(in.Body.Email), Name: in.Body.Name, Roles: in.Body.Roles, InvitedBy: identity.Subject,
	})
	if errors.Is(err, directory.ErrExists) {
		return nil, api.Conflict("this e-mail address belongs to a member of the organization, or to somebody "+
			"invited already", "Find the member with listMembers; there is no need to invite again.")
	}
	if err != nil {
		return nil, fmt.Errorf("invite member: %w", err)
	}
	api.NoteTarget(ctx, member.ID)
	out := &inviteMemberOutput{}
	out.Body.Member = memberFrom(member)
	return out, nil
}

// mayGive refuses roles that the caller does not have: to Stytch we are the
// project, which may assign anything, so nobody else would stop a member from
// inviting an administrator.
func (s *members) mayGive(ctx context.Context, caller auth.Identity, roles []string) error {
	if len(roles) == 0 {
		return nil
	}
	inviter, err := s.people.Person(ctx, caller.OrganizationID, caller.Subject)
	if err != nil {
		return err
	}
	for i, role := range roles {
		if !slices.Contains(inviter.Roles, role) {
			return api.Invalid(fmt.Sprintf("body.roles[%d]", i),
				"is not a role of the signed-in person, who may give only roles they have; getUserInfo lists them")
		}
	}
	return nil
}
