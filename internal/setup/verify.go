package setup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"guestpass/internal/management"
)

// A Report says what the project publishes about itself.
type Report struct {
	Confirmed []string
	Faults    []string // what is not as it must be
	ByHand    []Step
}

// metadata are of RFC 8414, as far as they matter.
type metadata struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Registration  string `json:"registration_endpoint"`
	Documents     bool   `json:"client_id_metadata_document_supported"`
}

// Verify asks the project's domain, an origin, what came of it all; "" is a domain that is not known. base is the
// API's. What no API tells is told there: the domain, and whether clients may have documents of their own.
func (s *Setup) Verify(ctx context.Context, domain, base string) (r Report) {
	if domain == "" {
		r.ByHand = append(r.ByHand, domainStep)
		return r
	}
	var m metadata
	err := management.Published(ctx, "read what "+domain+" says of itself",
		domain+"/.well-known/oauth-authorization-server", &m)
	switch {
	case management.IsType(err, "authorization_endpoint_not_configured_for_project"):
		r.Faults = append(r.Faults, "the project has no Authorization URL: set it to "+s.page()+" under Connected Apps")
		return r
	case err != nil:
		r.Faults = append(r.Faults, err.Error()+"; STYTCH_DOMAIN must be the domain that the dashboard shows under "+
			"Project overview")
		return r
	}
	expect := func(what, got, want, otherwise string) {
		if got == want {
			r.Confirmed = append(r.Confirmed, what+" "+want)
		} else {
			r.Faults = append(r.Faults, fmt.Sprintf("%s: %s says %q, expected %q: %s", what, domain, got, want,
				otherwise))
		}
	}
	expect("issuer", m.Issuer, domain, "write STYTCH_DOMAIN as the issuer is written")
	expect("Authorization URL", m.Authorization, s.page(), "set it under Connected Apps")
	if s.goal.Registration && m.Registration == "" {
		r.ByHand = append(r.ByHand, Step{"Connected Apps", []string{"switch on Dynamic Client Registration"}})
	}
	if !m.Documents {
		r.ByHand = append(r.ByHand, Step{"Connected Apps", []string{metadataDocuments}})
	}
	s.verifyKeys(ctx, &r, domain, base)
	return r
}

// keySet is a JWKS (RFC 7517) without its keys.
type keySet struct {
	Keys []struct {
		ID string `json:"kid"`
	} `json:"keys"`
}

func (k keySet) ids() (ids []string) {
	for _, key := range k.Keys {
		ids = append(ids, key.ID)
	}
	return ids
}

// verifyKeys looks whether the domain is of this project: its keys are the project's.
func (s *Setup) verifyKeys(ctx context.Context, r *Report, domain, base string) {
	id := s.ProjectID()
	if id == "" {
		return
	}
	var ofDomain, ofProject keySet
	err := management.Published(ctx, "read the keys of "+domain, domain+"/.well-known/jwks.json", &ofDomain)
	if err == nil {
		err = management.Published(ctx, "read the keys of "+id, base+"/v1/sessions/jwks/"+id, &ofProject)
	}
	switch {
	case err != nil:
		r.Faults = append(r.Faults, err.Error())
	case !slices.ContainsFunc(ofDomain.ids(), func(key string) bool { return slices.Contains(ofProject.ids(), key) }):
		r.Faults = append(r.Faults, fmt.Sprintf("%s has other keys than %s: it is the domain of another project or "+
			"environment (keys %s)", domain, id, strings.Join(ofDomain.ids(), ", ")))
	default:
		r.Confirmed = append(r.Confirmed, "keys of "+id)
	}
}
