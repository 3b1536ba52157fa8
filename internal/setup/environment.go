package setup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"guestpass/internal/management"
)

// readConnectedApps plans what the environment says of connected apps as a whole.
func (s *Setup) readConnectedApps(_ context.Context, p *Plan) error {
	members, lines := management.Object{}, []string(nil)
	if s.environment.AuthorizationURL != s.page() {
		members["idp_authorization_url"] = s.page()
		lines = append(lines, replaced("Authorization URL", s.environment.AuthorizationURL, s.page())...)
	}
	if s.goal.Registration && !s.environment.Registration {
		members["idp_dynamic_client_registration_enabled"] = true
		lines = append(lines, "+ Dynamic Client Registration: on")
	}
	if len(lines) == 0 {
		return nil
	}
	p.Changes = append(p.Changes, Change{What: "Connected Apps", Lines: lines, do: func(ctx context.Context) error {
		changed, err := s.options.Workspace.UpdateEnvironment(ctx, s.environment, members)
		if err == nil {
			s.environment = changed
		}
		return err
	}})
	return nil
}

// replaced is a value that takes the place of another, as lines of a diff.
func replaced(what, old, value string) []string {
	if old == "" {
		return []string{fmt.Sprintf("+ %s: %s", what, value)}
	}
	return []string{fmt.Sprintf("- %s: %s", what, old), fmt.Sprintf("+ %s: %s", what, value)}
}

// redirectTypes are those that the page needs.
func (s *Setup) redirectTypes() []string {
	if s.vertical() == Consumer {
		return []string{"LOGIN", "SIGNUP", "RESET_PASSWORD"}
	}
	return []string{"DISCOVERY", "LOGIN", "SIGNUP", "INVITE", "RESET_PASSWORD"}
}

// readRedirectURLs plans that links in mails may lead to the page. Types that it has beyond that, and defaults, stay.
func (s *Setup) readRedirectURLs(ctx context.Context, p *Plan) error {
	u, found, err := s.redirectURL(ctx)
	if err != nil {
		return err
	}
	missing := s.missingTypes(u)
	if len(missing) == 0 {
		return nil
	}
	sign := "+ "
	if found {
		sign = "~ "
	}
	p.Changes = append(p.Changes, Change{What: "Redirect URLs",
		Lines: []string{sign + u.URL + ": + " + strings.Join(missing, ", ")}, do: s.registerPage})
	return nil
}

// redirectURL returns the page's as it is now.
func (s *Setup) redirectURL(ctx context.Context) (u management.RedirectURL, found bool, err error) {
	u = management.RedirectURL{URL: s.page()}
	if s.environment.Slug == "" {
		return u, false, nil
	}
	all, err := s.options.Workspace.RedirectURLs(ctx, s.environment)
	if i := slices.IndexFunc(all, func(other management.RedirectURL) bool { return other.URL == u.URL }); i >= 0 {
		return all[i], true, nil
	}
	return u, false, err
}

func (s *Setup) missingTypes(u management.RedirectURL) (missing []string) {
	for _, kind := range s.redirectTypes() {
		if !slices.ContainsFunc(u.Types, func(t management.RedirectType) bool { return t.Type == kind }) {
			missing = append(missing, kind)
		}
	}
	return missing
}

func (s *Setup) registerPage(ctx context.Context) error {
	u, found, err := s.redirectURL(ctx)
	if err != nil {
		return err
	}
	for _, kind := range s.missingTypes(u) {
		u.Types = append(u.Types, management.RedirectType{Type: kind})
	}
	if found {
		return s.options.Workspace.SetRedirectTypes(ctx, s.environment, u)
	}
	return s.options.Workspace.CreateRedirectURL(ctx, s.environment, u)
}
