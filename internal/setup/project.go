package setup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"guestpass/internal/management"
)

// readProject finds the project, or plans to make it.
func (s *Setup) readProject(ctx context.Context, p *Plan) error {
	projects, err := s.options.Workspace.Projects(ctx)
	if err != nil {
		return err
	}
	id := s.current["STYTCH_PROJECT_ID"]
	switch {
	case s.project.Slug != "": // found before
	case s.goal.Project != "":
		i := slices.IndexFunc(projects, func(l management.Listed) bool {
			return l.Slug == s.goal.Project || l.Name == s.goal.Project
		})
		if i >= 0 {
			s.project = projects[i]
		}
	case id != "":
		s.project, s.environment, err = s.options.Workspace.FindEnvironment(ctx, projects, id)
		if errors.Is(err, management.ErrNoEnvironment) {
			err = fmt.Errorf("the workspace of this key has no project with the id of STYTCH_PROJECT_ID, %s: take the "+
				"key of its workspace, or leave the setting out", id)
		}
	default:
		err = s.onlyProject(projects)
	}
	if err != nil {
		return err
	}
	if s.project.Slug != "" {
		return s.sameVertical()
	}
	name := s.goal.Project
	if name == "" {
		name = s.goal.Title
	}
	kind := map[string]string{B2B: "B2B", Consumer: "CONSUMER"}[s.vertical()]
	p.Changes = append(p.Changes, Change{What: "project", Lines: []string{"+ project " + name + ", " + kind},
		do: func(ctx context.Context) (err error) {
			s.project, err = s.options.Workspace.CreateProject(ctx, name, kind)
			return err
		}})
	return nil
}

func (s *Setup) sameVertical() error {
	if s.goal.Vertical == "" || s.goal.Vertical == s.vertical() {
		return nil
	}
	return fmt.Errorf("the project %s is of the kind %s, and STYTCH_VERTICAL says %s: correct the setting, or choose "+
		"another project with --project", s.project.Slug, s.vertical(), s.goal.Vertical)
}

// onlyProject takes the one that can be meant.
func (s *Setup) onlyProject(projects []management.Listed) error {
	var names []string
	for _, project := range projects {
		s.project = project
		names = append(names, project.Slug)
	}
	if len(projects) > 1 {
		s.project = management.Listed{}
		return fmt.Errorf("the workspace has several projects: choose one with --project: %s", strings.Join(names,
			", "))
	}
	return nil
}

// The types of environments.
const (
	test = "TEST"
	live = "LIVE"
)

// kind is that of the environment that is wanted.
func (s *Setup) kind() string {
	switch {
	case strings.EqualFold(s.goal.Environment, live) || s.goal.Environment == "" && !s.goal.Local:
		return live
	}
	return test
}

// readEnvironment finds the environment, or plans to make it.
func (s *Setup) readEnvironment(ctx context.Context, p *Plan) error {
	if s.project.Slug != "" && (s.environment.Slug == "" || s.goal.Environment != "") {
		environments, err := s.options.Workspace.Environments(ctx, s.project.Slug)
		if err == nil {
			err = s.choose(environments)
		}
		if err != nil {
			return err
		}
	}
	if s.goal.Local && (s.environment.Type == live || s.environment.Slug == "" && s.kind() == live) {
		return fmt.Errorf("a live environment was chosen, and %s is on this machine: choose --environment test, or "+
			"say with --public-url under which https origin the world sees the server", s.goal.PublicURL)
	}
	if e := s.environment; e.Slug != "" {
		p.Project = fmt.Sprintf("project %s (%s), environment %s, %s", s.project.Slug, s.vertical(), e.Slug,
			e.ProjectID)
		return nil
	}
	name := map[string]string{test: "Test", live: "Production"}[s.kind()]
	p.Project = "a new environment"
	p.Changes = append(p.Changes, Change{What: "environment", Lines: []string{"+ environment " + name + ", " +
		"" + s.kind()},
		do: func(ctx context.Context) (err error) {
			s.environment, err = s.options.Workspace.CreateEnvironment(ctx, s.project.Slug, name, s.kind())
			return err
		}})
	return nil
}

// choose takes the environment that is wanted, if there is one. Of several of its type it is the one of before, which
// STYTCH_PROJECT_ID named.
func (s *Setup) choose(environments []management.Environment) error {
	before := s.environment
	s.environment = management.Environment{}
	var fitting []management.Environment
	var slugs []string
	for _, e := range environments {
		if e.Slug == s.goal.Environment {
			s.environment = e
			return nil
		}
		if e.Type == s.kind() {
			fitting, slugs = append(fitting, e), append(slugs, e.Slug)
		}
	}
	named := s.goal.Environment != "" && !strings.EqualFold(s.goal.Environment, test) &&
		!strings.EqualFold(s.goal.Environment, live)
	switch {
	case named:
		return fmt.Errorf("the project %s has no environment %s", s.project.Slug, s.goal.Environment)
	case before.Slug != "" && before.Type == s.kind():
		s.environment = before
	case len(fitting) > 1:
		return fmt.Errorf("the project %s has several environments of that type: choose one with --environment: %s",
			s.project.Slug, strings.Join(slugs, ", "))
	case len(fitting) == 1:
		s.environment = fitting[0]
	}
	return nil
}

// readCredentials finds the public token and a good secret, or plans to make them.
func (s *Setup) readCredentials(ctx context.Context, p *Plan) error {
	if s.environment.Slug != "" {
		tokens, err := s.options.Workspace.PublicTokens(ctx, s.environment)
		if err != nil {
			return err
		}
		s.publicToken = ""
		if len(tokens) > 0 {
			s.publicToken = tokens[0]
		}
		if current := s.current["STYTCH_PUBLIC_TOKEN"]; slices.Contains(tokens, current) {
			s.publicToken = current
		}
		if err := s.trySecret(ctx); err != nil {
			return err
		}
	}
	if s.publicToken == "" {
		p.Changes = append(p.Changes, Change{What: "public token", Lines: []string{"+ public token"},
			do: s.makePublicToken})
	}
	if s.api == nil {
		p.Changes = append(p.Changes, Change{What: "secret", Lines: []string{"+ secret (not shown here)"},
			do: s.makeSecret})
	}
	return nil
}

// trySecret asks whether the secret of the settings is one of the project.
func (s *Setup) trySecret(ctx context.Context) error {
	secret := s.current["STYTCH_SECRET"]
	if s.api = nil; secret == "" {
		return nil
	}
	api := s.options.Project(s.environment.ProjectID, secret)
	_, err := api.Scopes(ctx, s.vertical())
	switch {
	case management.IsUnauthorized(err):
		return nil
	case err != nil:
		return err
	}
	s.api = api
	return nil
}

// makePublicToken, as everything that makes what is known by its answer alone, waits for the answer also if the run is
// interrupted.
func (s *Setup) makePublicToken(ctx context.Context) error {
	token, err := s.options.Workspace.CreatePublicToken(context.WithoutCancel(ctx), s.environment)
	if err != nil {
		return err
	}
	s.publicToken = token
	return s.keep()
}

// makeSecret keeps the secret before anything else can go wrong.
func (s *Setup) makeSecret(ctx context.Context) error {
	secret, err := s.options.Workspace.CreateSecret(context.WithoutCancel(ctx), s.environment)
	if err != nil {
		return err
	}
	if secret == "" {
		return errNoSecret
	}
	s.api, s.current["STYTCH_SECRET"] = s.options.Project(s.environment.ProjectID, secret), secret
	return s.keep()
}
