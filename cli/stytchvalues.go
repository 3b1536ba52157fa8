package cli

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"guestpass/internal/clients"
	"guestpass/internal/credentials"
	"guestpass/internal/upstream"
)

// ofKind returns a check that a value of Stytch's has the form of its kind.
func ofKind(kind credentials.Kind) func(string) error {
	return func(value string) error {
		_, err := kind.Check(value)
		return err
	}
}

func checkProjectID(value string) error     { return ofKind(credentials.ProjectID)(value) }
func checkProjectSecret(value string) error { return ofKind(credentials.Secret)(value) }
func checkPublicToken(value string) error   { return ofKind(credentials.PublicToken)(value) }
func checkClientID(value string) error      { return ofKind(credentials.ConnectedApp)(value) }

// checkEnvironment checks that all values from Stytch are of the project's environment.
func (c config) checkEnvironment() (faults []error) {
	environment, err := credentials.ProjectID.Check(c.ProjectID)
	if err != nil { // told elsewhere
		return nil
	}
	one := func(name string, kind credentials.Kind, value string) {
		if of, err := kind.Check(value); err == nil && of != environment {
			faults = append(faults,
				c.fault(name, "is of the %s environment, STYTCH_PROJECT_ID of the %s one: take all "+
					"values from the same", of, environment))
		}
	}
	one("STYTCH_SECRET", credentials.Secret, c.Secret)
	one("STYTCH_PUBLIC_TOKEN", credentials.PublicToken, c.PublicToken)
	for _, id := range clients.Parse(c.ClientIDs).IDs {
		one("GUESTPASS_CLIENT_IDS", credentials.ConnectedApp, id)
	}
	one("GUESTPASS_LOGIN_TOKEN_PROFILE", credentials.TokenProfile, c.LoginTokenProfile)
	one("GUESTPASS_DOCS_CLIENT_ID", credentials.ConnectedApp, c.DocsClientID)
	one("GUESTPASS_TRY_CLIENT_ID", credentials.ConnectedApp, c.TryClientID)
	for _, kind := range []credentials.Kind{credentials.ProjectID, credentials.PublicToken, credentials.ConnectedApp} {
		one("GUESTPASS_AUDIENCE", kind, c.Audience)
	}
	for _, entry := range c.IntrospectSecrets {
		id, _, _ := strings.Cut(entry, "=")
		one("GUESTPASS_INTROSPECT_SECRETS", credentials.ConnectedApp, id)
	}
	return faults
}

// projectDomains are the domains under which Stytch has those of projects, except custom ones.
var projectDomains = map[credentials.Environment]string{credentials.Live: ".customers.stytch.com",
	credentials.Test: ".customers.stytch.dev"}

// domainOrigin returns a domain as an origin, however it was written.
func domainOrigin(domain string) string {
	domain = strings.TrimSuffix(domain, "/")
	if !strings.Contains(domain, "://") {
		domain = "https://" + domain
	}
	return domain
}

func (c config) domains() (origins []string) {
	for _, domain := range c.Domains {
		origins = append(origins, domainOrigin(domain))
	}
	return origins
}

// checkDomain admits a host that can be a project's: one of Stytch's for projects, another public
// one, or the emulator on this machine.
func checkDomain(domain string) error {
	u, err := checkSecureOrigin(domainOrigin(domain))
	if err != nil {
		return err
	}
	host := u.Hostname()
	if loopback(host) {
		return nil
	}
	if upstream.Internal(host) {
		return errors.New("is no whole public domain, such as word-word-1234.customers.stytch.com")
	}
	for _, suffix := range projectDomains {
		if strings.HasSuffix(host, suffix) {
			return nil
		}
	}
	for _, theirs := range []string{"stytch.com", "stytch.dev"} {
		if host == theirs || strings.HasSuffix(host, "."+theirs) {
			return errors.New("is a host of Stytch's that belongs to no project: it must be the project's own " +
				"domain, such as word-word-1234.customers.stytch.com, or a custom one")
		}
	}
	return nil
}

// checkDomains names each entry of STYTCH_DOMAIN that does not suit the project, by its place: one of the other
// environment and, for a live project, this machine, whose processes could sign as the project.
func (c config) checkDomains() (faults []error) {
	environment, _ := credentials.ProjectID.Check(c.ProjectID)
	origins := c.domains()
	for i, origin := range origins {
		where := place(i, len(origins))
		u, err := url.Parse(origin)
		if err != nil {
			continue // told elsewhere
		}
		if c.live() && (u.Scheme != "https" || upstream.Internal(u.Hostname())) {
			faults = append(faults,
				c.fault("STYTCH_DOMAIN", "%sis this machine, whose processes could sign as the live "+
					"project", where))
		}
		if slices.Contains(origins[:i], origin) {
			faults = append(faults, c.fault("STYTCH_DOMAIN", "%sis there twice", where))
		}
		for of, suffix := range projectDomains {
			if environment != "" && of != environment && strings.HasSuffix(u.Hostname(), suffix) {
				faults = append(faults,
					c.fault("STYTCH_DOMAIN", "%sis of the %s environment (%s), STYTCH_PROJECT_ID of "+
						"the %s one: take all values from the same", where, of, suffix, environment))
			}
		}
	}
	return faults
}
