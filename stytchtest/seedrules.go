package stytchtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// clone is a deep copy with empty lists where s has none: Stytch sends [] and {},
// never null.
func (s Seed) clone() (copied Seed) {
	data, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(data, &copied)
	}
	if err != nil {
		panic(err) // plain data
	}
	copied.fill()
	return copied
}

func (s *Seed) fill() {
	fill(&s.Project.RedirectURLs)
	fill(&s.Organizations)
	for i := range s.Organizations {
		o := &s.Organizations[i]
		fill(&o.EmailAllowedDomains, &o.AllowedApps)
		for _, setting := range []*string{&o.EmailInvites, &o.FirstPartyApps, &o.ThirdPartyApps} {
			if *setting == "" {
				*setting = "ALL_ALLOWED"
			}
		}
	}
	fill(&s.Members)
	for i := range s.Members {
		m := &s.Members[i]
		fill(&m.Roles)
		for _, metadata := range []*map[string]any{&m.TrustedMetadata, &m.UntrustedMetadata} {
			if *metadata == nil {
				*metadata = map[string]any{}
			}
		}
	}
	fill(&s.ConnectedApps)
	for i := range s.ConnectedApps {
		fill(&s.ConnectedApps[i].RedirectURLs, &s.ConnectedApps[i].PostLogoutRedirectURLs)
	}
	s.Policy.fill()
}

func (p *Policy) fill() {
	fill(&p.Roles)
	fill(&p.Resources)
	fill(&p.Scopes)
	permissions := []*[]Permission{}
	for i := range p.Roles {
		permissions = append(permissions, &p.Roles[i].Permissions)
	}
	for i := range p.Scopes {
		permissions = append(permissions, &p.Scopes[i].Permissions)
	}
	for i := range p.Resources {
		fill(&p.Resources[i].Actions)
	}
	fill(permissions...)
	for _, list := range permissions {
		for i := range *list {
			fill(&(*list)[i].Actions)
		}
	}
}

func fill[T any](lists ...*[]T) {
	for _, list := range lists {
		if *list == nil {
			*list = []T{}
		}
	}
}

// check names every fault of the seed. Values are named but for secrets.
func (s Seed) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("stytchtest: "+format, args...)) }
	s.checkProject(fault)
	seen := map[string]bool{}
	id := func(kind, id string) {
		switch {
		case id == "" || seen[id]:
			fault("%s %q: the id is empty or used twice", kind, id)
		case strings.Contains(id, "-live-"):
			fault("%s %s: a live id", kind, id)
		}
		seen[id] = true
	}
	organizations := map[string]bool{}
	for _, o := range s.Organizations {
		id("organization", o.ID)
		organizations[o.ID] = true
	}
	for _, m := range s.Members {
		id("member", m.ID)
		if !organizations[m.OrganizationID] {
			fault("member %s: no organization %q", m.ID, m.OrganizationID)
		}
		if !slices.Contains(memberStatuses, m.Status) {
			fault("member %s: status %q", m.ID, m.Status)
		}
		for _, role := range m.Roles {
			if !s.Policy.hasRole(role) {
				fault("member %s: no role %q in the policy", m.ID, role)
			}
		}
	}
	for _, a := range s.ConnectedApps {
		id("connected app", a.ClientID)
		if !slices.Contains(clientTypes, a.Type) {
			fault("connected app %s: client type %q", a.ClientID, a.Type)
		} else if a.public() != (a.ClientSecret == "") {
			fault("connected app %s: %s clients and secrets do not go together so", a.ClientID, a.Type)
		}
	}
	return errors.Join(faults...)
}

func (s Seed) checkProject(fault func(string, ...any)) {
	p := s.Project
	for _, c := range []struct{ name, value string }{{"project id", p.ID}, {"project secret", p.Secret}, {"public token", p.PublicToken}} {
		before, _, live := strings.Cut(c.value, "-live-")
		switch {
		case live:
			fault("the %s %s-live-… is live: the emulator never stands in for a live project", c.name, before)
		case c.value == "":
			fault("the %s is empty", c.name)
		}
	}
	switch p.Vertical {
	case "b2b":
	case "consumer":
		fault("consumer projects are not emulated yet, only b2b ones are")
	default:
		fault("vertical %q: it must be b2b", p.Vertical)
	}
}

var (
	memberStatuses = []string{"active", "invited", "pending", "deleted"}
	clientTypes    = []string{"first_party", "first_party_public", "third_party", "third_party_public"}
)

func (p Policy) hasRole(id string) bool {
	return slices.ContainsFunc(p.Roles, func(r Role) bool { return r.ID == id })
}
