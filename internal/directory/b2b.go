package directory

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/stytchauth/stytch-go/v16/stytch/b2b/b2bstytchapi"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/magiclinks/email"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/organizations/members"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"guestpass/internal/text"
)

// B2B is the [Directory] of a B2B project: organizations and their members.
type B2B struct {
	*client
	api *b2bstytchapi.API

	named lookUps[Organization]            // by id or slug
	own   lookUps[map[string][]permission] // roles of organizations, by their ids
}

// NewB2B needs no network.
func NewB2B(o Options) (*B2B, error) {
	d := &B2B{client: newClient(o, "/v1/b2b/rbac/policy"), named: newLookUps[Organization](o.Limits, "organizations",
		staleFor),
		own: newLookUps[map[string][]permission](o.Limits, "roles of organizations", 0)}
	api, err := b2bstytchapi.NewClient(o.ProjectID, o.Secret, b2bstytchapi.WithClient(d.raw),
		b2bstytchapi.WithSkipJWKSInitialization())
	if err != nil {
		return nil, fmt.Errorf("make the Stytch client: %w", err)
	}
	d.api, d.person, d.everybody, d.ownRoles = api, d.Person, "stytch_member", d.organizationRoles
	return d, nil
}

// Person returns one member of the organization.
func (d *B2B) Person(ctx context.Context, organizationID, memberID string) (Person, error) {
	ctx = ask(ctx, askPerson, organizationID, memberID)
	answer, err := d.api.Organizations.Members.Get(ctx, &members.GetParams{OrganizationID: organizationID,
		MemberID: memberID})
	if err != nil {
		return Person{}, fmt.Errorf("get member %s: %w", memberID, d.translate(ctx, err))
	}
	if answer.Member.MemberID == "" {
		return Person{}, fmt.Errorf("get member %s: %w", memberID, &UnexpectedError{"no member in it"})
	}
	// An organization may also be named by its slug, a member by an external id: only the ids count here.
	if answer.Member.OrganizationID != organizationID || answer.Member.MemberID != memberID {
		return Person{}, fmt.Errorf("get member %s: %w", memberID, ErrNotFound)
	}
	return memberFrom(answer.Member, answer.Organization), nil
}

// Organization returns the one with that id or slug, or [ErrNotFound]. Answers are kept
// for a minute.
func (d *B2B) Organization(ctx context.Context, idOrSlug string) (Organization, error) {
	if !organizationForm.MatchString(idOrSlug) {
		return Organization{}, fmt.Errorf("an organization whose name has not the form of an id or a slug: %w",
			ErrNotFound)
	}
	ctx = askForAnybody(ctx, askOrganization)
	return d.named.get(ctx, d.client, idOrSlug, func() (Organization, error) {
		answer, err := d.api.Organizations.Get(ctx, &organizations.GetParams{OrganizationID: idOrSlug})
		if err != nil {
			return Organization{}, fmt.Errorf("get organization %s: %w", idOrSlug, d.translate(ctx, err))
		}
		o := answer.Organization
		if o.OrganizationID == "" {
			return Organization{}, fmt.Errorf("get organization %s: %w", idOrSlug,
				&UnexpectedError{"no organization in it"})
		}
		return organizationFrom(o), nil
	})
}

// organizationForm is that of ids and slugs: Stytch's slugs have 2 to 128 letters, digits, -, ., _ and ~.
var organizationForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{2,128}$`)

// MemberQuery narrows and pages a list of members.
type MemberQuery struct {
	Search string // part of a name or e-mail address, letter case ignored; "" for all
	Status string // one of Stytch's member statuses; "" for all but deleted
	Limit  int    // 1 to 100
	Cursor string // MemberPage.Next of the page before; "" for the first
}

// MemberPage is one page. Total counts all pages, -1 when it is not known.
type MemberPage struct {
	Members []Person // never nil
	Total   int
	Next    string // "" on the last page
}

// A text search reads the organization's members itself, because Stytch searches
// e-mail addresses only, not names, and demands three characters.
const (
	scanPage    = 1000 // Stytch's own maximum
	maxScanned  = 5    // pages; members beyond the first 5,000 are not searched
	totalHidden = -1   // what Stytch answers when totals are switched off
)

// Members lists the members of one organization.
func (d *B2B) Members(ctx context.Context, organizationID string, q MemberQuery) (MemberPage, error) {
	if q.Search != "" {
		return d.searchMembers(ctx, organizationID, q)
	}
	return d.memberPage(ctx, organizationID, q.Status, q.Limit, q.Cursor)
}

func (d *B2B) memberPage(ctx context.Context, organizationID, status string, limit int, cursor string) (MemberPage,
	error) {
	params := &members.SearchParams{OrganizationIds: []string{organizationID}, Limit: uint32(limit), Cursor: cursor} // #nosec G115 -- 1 to 1,000: the operations have a range, the rest are constants
	if status != "" {
		params.Query = &organizations.SearchQuery{
			Operator: organizations.SearchQueryOperatorAND,
			Operands: []map[string]any{{"filter_name": "statuses", "filter_value": []string{status}}},
		}
	}
	ctx = ask(ctx, askMembers, organizationID, "")
	answer, err := d.api.Organizations.Members.Search(ctx, params)
	if err != nil {
		return MemberPage{}, fmt.Errorf("list members: %w", d.translate(ctx, err))
	}
	page := MemberPage{Members: make([]Person, 0, len(answer.Members)), Next: answer.ResultsMetadata.NextCursor,
		Total: max(int(answer.ResultsMetadata.Total), totalHidden)}
	for _, m := range answer.Members {
		// Stytch has filtered already; a fault there must not cross tenants here
		if m.OrganizationID == organizationID {
			page.Members = append(page.Members, memberFrom(m, answer.Organizations[m.OrganizationID]))
		}
	}
	return page, nil
}

// folded is the one form of a text in which letter case, width and composition make no difference.
func folded(text string) string { return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text))) }

// searchMembers walks the organization's members and keeps those whose name or
// e-mail address contains the text. Its cursor is the number of matches before the page.
func (d *B2B) searchMembers(ctx context.Context, organizationID string, q MemberQuery) (MemberPage, error) {
	skip := 0
	if q.Cursor != "" {
		n, err := strconv.Atoi(q.Cursor)
		if err != nil || n < 0 {
			return MemberPage{}, &InvalidError{Field: "cursor",
				Reason: "is not one that this search returned; leave it out to start again"}
		}
		skip = n
	}
	wanted := folded(q.Search)
	matches, cursor, complete := []Person{}, "", false
	for range maxScanned {
		page, err := d.memberPage(ctx, organizationID, q.Status, scanPage, cursor)
		if err != nil {
			return MemberPage{}, err
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
	result := MemberPage{Total: len(matches)}
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

// An Invitation to an organization.
type Invitation struct {
	Email     string
	Name      string   // may be empty
	Roles     []string // beyond those that every member has
	InvitedBy string   // member id
}

// Invite sends the invitation and returns the new member, whose status is
// "invited" and whose address has its domain in ASCII. [ErrExists] when that address, in
// whatever spelling, belongs to a member, also to one who was invited and has not answered;
// [InvalidError] for what the sign-in page or Stytch refuses.
// Never retried: every invitation is an e-mail.
func (d *B2B) Invite(ctx context.Context, organizationID string, i Invitation) (Person, error) {
	address, err := Mailbox(i.Email)
	if err == nil {
		err = d.refuseSecondInvitation(ctx, organizationID, address)
	}
	if err != nil {
		return Person{}, fmt.Errorf("invite: %w", err)
	}
	answer, err := d.api.MagicLinks.Email.Invite(ask(ctx, askInvitation, organizationID, i.InvitedBy),
		&email.InviteParams{
			OrganizationID: organizationID, EmailAddress: address, Name: i.Name, Roles: i.Roles,
			InvitedByMemberID: i.InvitedBy, InviteRedirectURL: d.options.InviteRedirectURL,
		})
	if err != nil {
		return Person{}, fmt.Errorf("invite: %w", d.translate(ctx, err))
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
		return ErrExists
	}
	return nil
}

func memberFrom(m organizations.Member, o organizations.Organization) Person {
	roles := make([]string, 0, len(m.Roles))
	for _, role := range m.Roles {
		if !slices.Contains(roles, role.RoleID) {
			roles = append(roles, role.RoleID)
		}
	}
	return Person{ID: m.MemberID, Name: text.Name(m.Name), Email: text.Line(m.EmailAddress),
		EmailVerified: m.EmailAddressVerified, Status: m.Status, Roles: roles, Organization: organizationFrom(o)}
}

func organizationFrom(o organizations.Organization) Organization {
	return Organization{ID: o.OrganizationID, Name: text.Name(o.OrganizationName), Slug: text.Name(o.OrganizationSlug)}
}
