package stytch

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stytchauth/stytch-go/v16/stytch/b2b/b2bstytchapi"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/magiclinks/email"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations/members"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"guestpass/directory"
	"guestpass/internal/pattern"
	"guestpass/internal/text"
)

// B2B is the [Directory] of a B2B project: organizations and their members.
type B2B struct {
	*client
	api *b2bstytchapi.API

	named lookUps[directory.Organization]  // by id or slug
	own   lookUps[map[string][]permission] // roles of organizations, by their ids
}

// NewB2B needs no network.
func NewB2B(o Options) (*B2B, error) {
	d := &B2B{client: newClient(o, "/v1/b2b/rbac/policy"),
		named: newLookUps[directory.Organization](o.Limits, "organizations", staleFor),
		own:   newLookUps[map[string][]permission](o.Limits, "roles of organizations", 0)}
	api, err := b2bstytchapi.NewClient(o.ProjectID, o.Secret, b2bstytchapi.WithClient(d.raw),
		b2bstytchapi.WithSkipJWKSInitialization())
	if err != nil {
		return nil, fmt.Errorf("make the Stytch client: %w", err)
	}
	d.api, d.person, d.everybody, d.ownRoles = api, d.Person, "stytch_member", d.organizationRoles
	return d, nil
}

// Person returns one member of the organization.
func (d *B2B) Person(ctx context.Context, organizationID, memberID string) (directory.Person, error) {
	ctx = ask(ctx, askPerson, organizationID, memberID)
	answer, err := d.api.Organizations.Members.Get(ctx, &members.GetParams{OrganizationID: organizationID,
		MemberID: memberID})
	if err != nil {
		return directory.Person{}, fmt.Errorf("get member %s: %w", memberID, d.translate(ctx, err))
	}
	if answer.Member.MemberID == "" {
		return directory.Person{}, fmt.Errorf("get member %s: %w", memberID, &UnexpectedError{"no member in it"})
	}
	// An organization may also be named by its slug, a member by an external id: only the ids count here.
	if answer.Member.OrganizationID != organizationID || answer.Member.MemberID != memberID {
		return directory.Person{}, fmt.Errorf("get member %s: %w", memberID, directory.ErrNotFound)
	}
	return memberFrom(answer.Member, answer.Organization), nil
}

// Organization returns the one with that id or slug, or [directory.ErrNotFound]. Answers are kept
// for a minute.
func (d *B2B) Organization(ctx context.Context, idOrSlug string) (directory.Organization, error) {
	if !organizationForm.MatchString(idOrSlug) {
		return directory.Organization{}, fmt.Errorf(
			"an organization whose name has not the form of an id or a slug: %w", directory.ErrNotFound)
	}
	ctx = askForAnybody(ctx, askOrganization)
	return d.named.get(ctx, d.client, idOrSlug, func() (directory.Organization, error) {
		answer, err := d.api.Organizations.Get(ctx, &organizations.GetParams{OrganizationID: idOrSlug})
		if err != nil {
			return directory.Organization{}, fmt.Errorf("get organization %s: %w", idOrSlug, d.translate(ctx, err))
		}
		o := answer.Organization
		if o.OrganizationID == "" {
			return directory.Organization{}, fmt.Errorf("get organization %s: %w", idOrSlug,
				&UnexpectedError{"no organization in it"})
		}
		return organizationFrom(o), nil
	})
}

// organizationForm is that of ids and slugs: Stytch's slugs have 2 to 128 letters, digits, -, ., _ and ~.
var organizationForm = pattern.New(`^[A-Za-z0-9._~-]{2,128}$`)

// A text search reads the organization's members itself, because Stytch searches
// e-mail addresses only, not names, and demands three characters.
const (
	scanPage    = 1000 // Stytch's own maximum
	maxScanned  = 5    // pages; members beyond the first 5,000 are not searched
	totalHidden = -1   // what Stytch answers when totals are switched off
)

// Members lists the members of one organization.
func (d *B2B) Members(ctx context.Context, organizationID string,
	q directory.MemberQuery) (directory.MemberPage, error) {
	if q.Search != "" {
		return d.searchMembers(ctx, organizationID, q)
	}
	return d.memberPage(ctx, organizationID, q.Status, q.Limit, q.Cursor)
}

func (d *B2B) memberPage(ctx context.Context, organizationID, status string, limit int,
	cursor string) (directory.MemberPage, error) {
	// #nosec G115 -- 1 to 1,000: the operations have a range, the rest are constants
	params := &members.SearchParams{OrganizationIds: []string{organizationID}, Limit: uint32(limit), Cursor: cursor}
	if status != "" {
		params.Query = &organizations.SearchQuery{
			Operator: organizations.SearchQueryOperatorAND,
			Operands: []map[string]any{{"filter_name": "statuses", "filter_value": []string{status}}},
		}
	}
	ctx = ask(ctx, askMembers, organizationID, "")
	answer, err := d.api.Organizations.Members.Search(ctx, params)
	if err != nil {
		return directory.MemberPage{}, fmt.Errorf("list members: %w", d.translate(ctx, err))
	}
	page := directory.MemberPage{Members: make([]directory.Person, 0, len(answer.Members)),
		Next:  answer.ResultsMetadata.NextCursor,
		Total: max(int(answer.ResultsMetadata.Total), totalHidden)}
	for _, m := range answer.Members {
		// Stytch has filtered already; a fault there must not cross tenants here
		if m.OrganizationID == organizationID {
			page.Members = append(page.Members, memberFrom(m, answer.Organizations[m.OrganizationID]))
		}
	}
	return page, nil
}

// folded returns the one form of a text in which letter case, width and composition make no difference.
func folded(text string) string { return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text))) }

// searchMembers walks the organization's members and keeps those whose name or
// e-mail address contains the text. Its cursor is the number of matches before the page.
func (d *B2B) searchMembers(ctx context.Context, organizationID string,
	q directory.MemberQuery) (directory.MemberPage, error) {
	skip := 0
	if q.Cursor != "" {
		n, err := strconv.Atoi(q.Cursor)
		if err != nil || n < 0 {
			return directory.MemberPage{}, &directory.InvalidError{Field: "cursor",
				Reason: "is not one that this search returned; leave it out to start again"}
		}
		skip = n
	}
	wanted := folded(q.Search)
	matches, cursor, complete := []directory.Person{}, "", false
	for range maxScanned {
		page, err := d.memberPage(ctx, organizationID, q.Status, scanPage, cursor)
		if err != nil {
			return directory.MemberPage{}, err
		}
		for _, m := range page.Members {
			if slices.ContainsFunc([]string{m.Name, m.Email, readable(m.Email)}, func(shown string) bool {
				return strings.Contains(folded(shown), wanted)
			}) {
				matches = append(matches, m)
			}
		}
		if cursor = page.Next; cursor == "" {
			complete = true
			break
		}
	}
	result := directory.MemberPage{Total: len(matches)}
	if !complete {
		result.Total = totalHidden
	}
	first, last := min(skip, len(matches)), min(skip+q.Limit, len(matches))
	result.Members = matches[first:last]
	if last < len(matches) {
		result.Next = strconv.Itoa(last)
	}
	return result, nil
}

// Invite sends the invitation and returns the new member, whose status is
// "invited" and whose address has its domain in ASCII. [directory.ErrExists] when that address, in
// whatever spelling, belongs to a member, also to one who was invited and has not answered;
// [directory.InvalidError] for what the sign-in page or Stytch refuses.
// Never retried: every invitation is an e-mail.
func (d *B2B) Invite(ctx context.Context, organizationID string, i directory.Invitation) (directory.Person, error) {
	address, err := Mailbox(i.Email)
	if err == nil {
		err = d.refuseSecondInvitation(ctx, organizationID, address)
	}
	if err != nil {
		return directory.Person{}, fmt.Errorf("invite: %w", err)
	}
	defer d.Forget(organizationID) // also after an error: the invitation may have arrived
	answer, err := d.api.MagicLinks.Email.Invite(ask(ctx, askInvitation, organizationID, i.InvitedBy),
		&email.InviteParams{
			OrganizationID: organizationID, EmailAddress: address, Name: i.Name, Roles: i.Roles,
			InvitedByMemberID: i.InvitedBy, InviteRedirectURL: d.options.InviteRedirectURL,
		})
	if err != nil {
		return directory.Person{}, fmt.Errorf("invite: %w", d.translate(ctx, err))
	}
	return memberFrom(answer.Member, answer.Organization), nil
}

// refuseSecondInvitation looks the address up first: Stytch itself refuses active
// members only and would write again to somebody invited already, so that a
// repeated call of a model would become a second e-mail.
func (d *B2B) refuseSecondInvitation(ctx context.Context, organizationID, address string) error {
	ctx = ask(ctx, askAddress, organizationID, "")
	answer, err := d.api.Organizations.Members.Search(ctx, &members.SearchParams{
		OrganizationIds: []string{organizationID}, Limit: 100,
		Query: &organizations.SearchQuery{Operator: organizations.SearchQueryOperatorAND,
			Operands: []map[string]any{{"filter_name": "member_emails", "filter_value": spellings(address)}}},
	})
	if err != nil {
		return d.translate(ctx, err)
	}
	if slices.ContainsFunc(answer.Members, func(m organizations.Member) bool { return m.Status != "deleted" }) {
		return directory.ErrExists
	}
	return nil
}

func memberFrom(m organizations.Member, o organizations.Organization) directory.Person {
	roles := make([]string, 0, len(m.Roles))
	for _, role := range m.Roles {
		if !slices.Contains(roles, role.RoleID) {
			roles = append(roles, role.RoleID)
		}
	}
	return directory.Person{ID: m.MemberID, Name: text.Name(m.Name), Email: text.Line(m.EmailAddress),
		EmailVerified: m.EmailAddressVerified, Status: m.Status, Roles: roles, Organization: organizationFrom(o)}
}

func organizationFrom(o organizations.Organization) directory.Organization {
	return directory.Organization{ID: o.OrganizationID, Name: text.Name(o.OrganizationName),
		Slug: text.Name(o.OrganizationSlug)}
}
