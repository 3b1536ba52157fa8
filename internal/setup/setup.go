// Package setup brings a project at Stytch into the state that a Guestpass server needs: it reads what is there, plans
// what is missing, carries that out, and reads again. It only ever adds: what others have in the project stays as it
// is.
//
// It knows Stytch by package management, and of Guestpass what a [Goal] says. It asks nobody and prints nothing: that
// is for whoever calls it.
package setup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"guestpass/internal/management"
)

// The two kinds of project, as settings name them.
const (
	B2B      = "b2b"
	Consumer = "consumer"
)

// A Goal is what the project is to be like.
type Goal struct {
	PublicURL string // origin of the server
	Local     bool   // the public URL is of this machine
	Title     string // of the app, and of a project that is made

	// Project is the slug or the name of the project; "": the one of STYTCH_PROJECT_ID, else the workspace's only one,
	// else a new one.
	Project string
	// Environment is its slug, or test or live; "": the one of STYTCH_PROJECT_ID, else test for a server on this
	// machine and live for others.
	Environment string
	Vertical    string // "": that of the project, or b2b for a new one

	LoginMethods []string
	// Needs are the permissions and scopes of a server for a vertical.
	Needs        func(vertical string) ([]Need, error)
	Registration bool // clients may register themselves
	GPT, Docs    bool // which connected apps to make

	Settings map[string]string // those in force
	File     map[string]string // those that the file has
	FileName string
	Environ  map[string]string // those of the environment, which win over the file
	More     []Setting         // further ones that the file is to have
}

// A Need is what an operation needs of the project's policy.
type Need struct {
	Scope       string // "" where roles decide
	Description string // of the scope, for people
	Resource    string
	Action      string
	Admin       bool // only for administrators, unless somebody decides otherwise
}

// Options say with what a [Setup] works.
type Options struct {
	Workspace *management.Workspace // nil: there is no key, and only what the project's secret can do is done
	// Project makes the client of the project's own API.
	Project func(id, secret string) *management.Project
	// Keep keeps settings, at once and for good: a secret that was made is shown by nobody again.
	Keep func([]Setting) error
	Goal Goal
}

// A Setting is one that the server will need.
type Setting struct {
	Name, Value string
	Secret      bool
	pending     bool // its value is not known before the plan is carried out
}

// A Setup is one run.
type Setup struct {
	options Options
	goal    Goal
	current map[string]string // settings in force, those included that were kept
	file    map[string]string // settings that the file has

	project     management.Listed
	environment management.Environment
	publicToken string
	api         *management.Project // nil until there is a secret
	gpt, docs   management.App
	sdk         management.Object
}

// New returns a run. Nothing is asked yet.
func New(o Options) *Setup {
	return &Setup{options: o, goal: o.Goal, current: orEmpty(o.Goal.Settings), file: orEmpty(o.Goal.File)}
}

func orEmpty(values map[string]string) map[string]string {
	if values == nil {
		return map[string]string{}
	}
	return maps.Clone(values)
}

// A Plan is what is missing, and what only a person can do.
type Plan struct {
	Project  string // what is set up, in words
	Changes  []Change
	Settings []Change // of the file, which are kept after the others
	Notes    []string // what was found and left alone
	ByHand   []Step
}

// A Change is one call, or a few, that make one thing so.
type Change struct {
	What  string
	Lines []string // as a diff: each begins with +, - or ~
	do    func(context.Context) error
}

// Nothing reports whether all is as it should be.
func (p *Plan) Nothing() bool { return len(p.Changes)+len(p.Settings) == 0 }

// Read looks at what is there, changes nothing, and plans. It may be called again after [Setup.Apply].
func (s *Setup) Read(ctx context.Context) (*Plan, error) {
	p := &Plan{}
	steps := []func(context.Context, *Plan) error{s.readProject, s.readEnvironment, s.readCredentials}
	if s.options.Workspace == nil {
		steps = []func(context.Context, *Plan) error{s.readBySecret}
	} else {
		steps = append(steps, s.readConnectedApps, s.readRedirectURLs, s.readSDK, s.readPolicy)
	}
	steps = append(steps, s.readApps)
	for _, step := range steps {
		if err := step(ctx, p); err != nil {
			return nil, err
		}
	}
	if err := s.overruled(); err != nil {
		return nil, err
	}
	p.Settings = s.settingChanges()
	p.ByHand = append(p.ByHand, s.appSteps()...)
	return p, nil
}

// Apply carries a plan out, in order, and reports each change before it is made. What was done before a failure stays,
// and a run that follows finds it.
func (s *Setup) Apply(ctx context.Context, p *Plan, report func(Change)) error {
	for _, change := range p.Changes {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		report(change)
		if err := change.do(ctx); err != nil {
			return err
		}
	}
	for _, change := range p.Settings {
		report(change)
	}
	return s.keep()
}

// keep keeps those settings that differ and are known, all of them: a secret in the file would be of no use without
// those that say of which project it is, and where that is.
func (s *Setup) keep() error {
	changed := slices.DeleteFunc(s.desired(), func(set Setting) bool {
		return set.pending || s.file[set.Name] == set.Value
	})
	if len(changed) == 0 {
		return nil
	}
	if err := s.options.Keep(changed); err != nil {
		return fmt.Errorf("keep the settings: %w", err)
	}
	for _, set := range changed {
		s.current[set.Name], s.file[set.Name] = set.Value, set.Value
	}
	return nil
}

// longestMade bounds the length of a value that Stytch makes.
const longestMade = 256

// Settings returns those that are to be kept. One that is not known yet has some value of the greatest length.
func (s *Setup) Settings() []Setting {
	settings := s.desired()
	for i, set := range settings {
		if set.pending {
			settings[i].Value = strings.Repeat("x", longestMade)
		}
	}
	return settings
}

// ProjectID returns the id of the project as far as it is known.
func (s *Setup) ProjectID() string {
	if s.environment.ProjectID != "" {
		return s.environment.ProjectID
	}
	return s.current["STYTCH_PROJECT_ID"]
}

// Secrets returns the settings that are secrets, for a person who wants to see them, with the id that belongs to one.
func (s *Setup) Secrets() (secrets []Setting) {
	for _, set := range s.desired() {
		if (set.Secret || set.Name == "GUESTPASS_TRY_CLIENT_ID") && !set.pending {
			secrets = append(secrets, set)
		}
	}
	return secrets
}

// vertical is the project's, in the words of settings.
func (s *Setup) vertical() string {
	switch s.project.Vertical {
	case "CONSUMER":
		return Consumer
	case "B2B":
		return B2B
	}
	if s.goal.Vertical != "" {
		return s.goal.Vertical
	}
	return B2B
}

// page is where people sign in and decide: the Authorization URL, and where links in mails lead.
func (s *Setup) page() string { return s.goal.PublicURL + "/idp" }

// desired are the settings that the server needs of what is known so far, and those that will be.
func (s *Setup) desired() (settings []Setting) {
	set := func(name, value string) { settings = append(settings, Setting{Name: name, Value: value}) }
	made := func(name, value string, wanted bool) {
		if wanted || value != "" {
			settings = append(settings, Setting{Name: name, Value: value, pending: value == ""})
		}
	}
	set("GUESTPASS_PUBLIC_URL", s.goal.PublicURL)
	if proxies := s.current["GUESTPASS_TRUSTED_PROXIES"]; proxies != "" {
		set("GUESTPASS_TRUSTED_PROXIES", proxies)
	} else if !s.goal.Local {
		set("GUESTPASS_TRUSTED_PROXIES", "127.0.0.1/32,::1/128") // on the same host
	}
	if !s.goal.Local && s.environment.Type == "TEST" {
		set("GUESTPASS_ALLOW_TEST_PROJECT", "yes")
	}
	set("STYTCH_VERTICAL", s.vertical())
	secret := func(name string, known bool) {
		set := Setting{Name: name, Secret: true, pending: !known}
		if known {
			set.Value = s.current[name]
		}
		if !known || set.Value != "" {
			settings = append(settings, set)
		}
	}
	if s.options.Workspace == nil {
		set("STYTCH_PROJECT_ID", s.current["STYTCH_PROJECT_ID"])
		made("STYTCH_PUBLIC_TOKEN", s.current["STYTCH_PUBLIC_TOKEN"], false)
	} else {
		made("STYTCH_PROJECT_ID", s.environment.ProjectID, true)
		made("STYTCH_PUBLIC_TOKEN", s.publicToken, true)
	}
	secret("STYTCH_SECRET", s.api != nil)
	made("GUESTPASS_DOCS_CLIENT_ID", s.docs.ID, s.goal.Docs && s.makesApps())
	made("GUESTPASS_TRY_CLIENT_ID", s.gpt.ID, s.goal.GPT && s.makesApps())
	if s.goal.GPT && s.makesApps() {
		secret("GUESTPASS_TRY_CLIENT_SECRET", s.gpt.ID != "")
	}
	if ids := s.current["GUESTPASS_CLIENT_IDS"]; ids != "" && s.gpt.ID != "" {
		set("GUESTPASS_CLIENT_IDS", admitting(ids, s.gpt.ID))
	}
	return append(settings, s.goal.More...)
}

// makesApps reports whether connected apps can be made: with a secret, or with a key that makes one.
func (s *Setup) makesApps() bool { return s.api != nil || s.options.Workspace != nil }

// admitting returns the list of admitted clients with one more, unless it admits that one already.
func admitting(list, id string) string {
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry == id || entry == "dynamic" {
			return list
		}
	}
	return list + "," + id
}

// overruled refuses to keep settings of which the environment says something else: the server would never see what is
// kept, and every run would make it anew.
func (s *Setup) overruled() error {
	var faults []error
	for _, set := range s.desired() {
		value, found := s.goal.Environ[set.Name]
		if !found || !set.pending && value == set.Value {
			continue
		}
		is := "is not that of what would be made"
		switch {
		case value == "":
			is = "is empty"
		case set.Name == "STYTCH_SECRET" && s.environment.Slug != "":
			is = "is refused by Stytch"
		case !set.Secret && !set.pending:
			is = "is not " + set.Value
		}
		faults = append(faults, fmt.Errorf("%s of the environment %s, and it wins over %s: unset it, and run this "+
			"again", set.Name, is, s.goal.FileName))
	}
	return errors.Join(faults...)
}

// settingChanges are the settings that differ, as one change.
func (s *Setup) settingChanges() []Change {
	var lines []string
	for _, set := range s.desired() {
		old, value := s.file[set.Name], set.Value
		switch {
		case !set.pending && old == value:
			continue
		case set.Secret:
			value = " (not shown here)"
		case set.pending:
			value = "= (made above)"
		default:
			value = "=" + value
		}
		sign := "+ "
		if old != "" {
			sign = "~ "
		}
		lines = append(lines, sign+set.Name+value)
	}
	if len(lines) == 0 {
		return nil
	}
	return []Change{{What: "settings", Lines: lines}}
}

// errNoSecret says that an answer lacks what it exists for.
var errNoSecret = errors.New("the answer of Stytch has no secret in it: delete what was made in the dashboard, and " +
	"run this again")
