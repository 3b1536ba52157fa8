package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"guestpass/internal/clients"
	"guestpass/internal/doctor"
	"guestpass/internal/idp"
	"guestpass/internal/management"
	"guestpass/internal/setup"
	"guestpass/internal/stytch"
)

func setupCommand(environ []string) *cobra.Command {
	s := &setupRun{environ: environ}
	command := &cobra.Command{
		Use:   "setup",
		Short: "Set up a Stytch project, and the file of settings",
		Long: `Brings a Stytch project into the state that the server needs, and writes the settings into
a file that only you can read, .env or the one of --env-file. It finds or makes the project
and its environment, public token and secret; sets the Authorization URL, the redirect URLs,
the authorized domain and the ways to sign in of the frontend SDK, dynamic registration;
adds what the operations need to the RBAC policy; makes the connected apps of the GPT and of
the page /docs. It only adds: whatever else the project has stays.

First it shows what it would do, as a diff, and asks. Running it again changes nothing more.
Secrets go into the file alone. What no API can do it tells, with the page of the dashboard,
and looks afterwards whether it was done.

It needs the key of your workspace in STYTCH_WORKSPACE_KEY_ID and STYTCH_WORKSPACE_SECRET; the
server does not, so they are not written. Without one it does what STYTCH_PROJECT_ID and
STYTCH_SECRET allow, and tells the rest.` + setupWithout,
		Example: "  guestpass setup --dry-run --public-url https://gpt.example.com\n" +
			"  guestpass setup --public-url https://gpt.example.com --domain words-1234.customers.stytch.com\n" +
			"  guestpass setup --print --public-url https://gpt.example.com\n" +
			"  guestpass setup callback https://chatgpt.com/aip/g-…/oauth/callback",
		Annotations: map[string]string{makesFile: ""},
		Args:        noArguments,
		RunE:        func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	settingFlag(command, "public-url", "GUESTPASS_PUBLIC_URL", "https origin under which the world sees the server")
	settingFlag(command, "domain", "STYTCH_DOMAIN", "the project's domain, which no API tells")
	settingFlag(command, "vertical", "STYTCH_VERTICAL", "kind of the project: b2b or consumer")
	choices(command, "vertical", verticals...)
	flags := command.Flags()
	flags.StringVar(&s.project, "project", "", "slug or name of the project; it is made if there is none")
	flags.StringVar(&s.environment, "environment", "", "test, live, or the slug of an environment (default live, and "+
		"test for a server on this machine)")
	choices(command, "environment", "test", "live")
	flags.BoolVar(&s.registration, "dynamic-registration", true,
		"let clients register themselves; false: leave it as it is")
	flags.BoolVar(&s.gpt, "gpt", true, "make the connected app of a GPT")
	flags.BoolVar(&s.docs, "docs", true, "make the connected app of the page /docs")
	flags.BoolVar(&s.show, "show-secrets", false, "print the secrets as well, at the end")
	flags.BoolVar(&s.print, "print", false, "only print what a person does in the dashboard instead")
	s.common(command)
	emulatorFlag(command, s)
	command.AddCommand(callbackCommand(environ))
	return command
}

// setupRun is one run of guestpass setup, or of its command callback.
type setupRun struct {
	standingIn
	environ                                        []string
	project, environment                           string
	registration, gpt, docs, show, print, dry, yes bool

	cmd       *cobra.Command
	config    config
	workspace *management.Workspace
	base      string          // of Stytch's API, for the project; "": it goes by the project's id
	more      []setup.Setting // that the file is to have
	kept      bool            // settings were written into the file
	finish    func(applied bool) error
}

func (s *setupRun) common(command *cobra.Command) {
	command.Flags().BoolVar(&s.dry, "dry-run", false, "only show what would be done")
	command.Flags().BoolVar(&s.yes, "yes", false, "do not ask")
}

func (s *setupRun) run(cmd *cobra.Command) (err error) {
	goal, err := s.begin(cmd)
	if err != nil {
		return err
	}
	if s.print {
		steps, err := setup.ByHand(goal)
		if err != nil {
			return usageError{err}
		}
		return setup.WriteSteps(cmd.OutOrStdout(), steps)
	}
	applied := false
	if err := s.writable(nil); err != nil {
		return err
	}
	release, err := s.alone()
	if err != nil {
		return err
	}
	defer release()
	if err := s.account(cmd.Context()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.finish(applied)) }()
	if goal, err = s.goal(); err != nil {
		return err
	}
	run := setup.New(setup.Options{Workspace: s.workspace, Project: s.client, Keep: s.keep, Goal: goal})
	plan, err := run.Read(cmd.Context())
	if err == nil {
		err = plan.Write(cmd.OutOrStdout(), s.file())
	}
	if err != nil {
		return err
	}
	if !plan.Nothing() {
		if err := s.writable(run.Settings()); err != nil {
			return err
		}
		if done, err := s.confirm(); err != nil || !done {
			return err
		}
		applied = true
		if plan, err = s.apply(run, plan); err != nil {
			return err
		}
	}
	return s.tell(run, plan)
}

// begin reads the settings.
func (s *setupRun) begin(cmd *cobra.Command) (goal setup.Goal, err error) {
	s.cmd, s.finish = cmd, func(bool) error { return nil }
	if s.config, err = readConfig(s.environ, cmd.Flags()); err != nil {
		return goal, err
	}
	if s.print {
		s.config.PublicURL = or(s.config.PublicURL, "https://gpt.example.com")
		return s.goal()
	}
	return goal, nil
}

// account finds out at whose Stytch it works: with the workspace's key, with the project's secret, or at the emulator.
func (s *setupRun) account(ctx context.Context) error {
	c := s.config
	s.base = c.BaseURL
	key, secret := c.WorkspaceKeyID, c.WorkspaceSecret
	switch {
	case (key == "") != (secret == ""):
		return usagef("STYTCH_WORKSPACE_KEY_ID and STYTCH_WORKSPACE_SECRET belong together, and one of them is not set")
	case key != "" && c.Emulator != "":
		return usageError{c.fault("GUESTPASS_EMULATOR", "says that the emulator stands in, and there is the key of a "+
			"workspace: name another file of settings with --"+envFileFlag+", or unset the key")}
	case key != "":
		s.workspace = openWorkspace(s.base, key, secret)
		return nil
	case c.Emulator == "" && c.BaseURL == "" && (c.ProjectID != "" || s.forStytch()):
		return nil
	}
	return s.standIn(ctx, s.cmd.OutOrStdout())
}

// forStytch reports whether what was said can be meant for a project at Stytch alone, which no emulator stands in for.
func (s *setupRun) forStytch() bool {
	return strings.HasPrefix(s.config.PublicURL, "https://") || len(s.config.Domains) > 0 ||
		strings.EqualFold(s.environment, "live")
}

// client makes that of a project's own API.
func (s *setupRun) client(id, secret string) *management.Project {
	// #nosec G101 -- the names of settings
	return management.NewProject(management.Options{BaseURL: s.apiBase(id), User: id, Password: secret,
		UserIs: "STYTCH_PROJECT_ID", SecretIs: "STYTCH_SECRET"})
}

func (s *setupRun) apiBase(projectID string) string {
	return or(s.base, stytch.APIBase(projectID))
}

// goal returns what the project is to be like.
func (s *setupRun) goal() (setup.Goal, error) {
	c := s.config
	public, err := url.Parse(c.PublicURL)
	if c.PublicURL == "" || err != nil {
		return setup.Goal{}, usagef("GUESTPASS_PUBLIC_URL is not set: say with --public-url under which https " +
			"origin the world sees the server, such as https://gpt.example.com")
	}
	values, given, _ := said(s.environ, s.cmd.Flags())
	goal := setup.Goal{PublicURL: c.PublicURL, Local: loopback(public.Hostname()), Title: c.Title, Project: s.project,
		Environment: s.environment, LoginMethods: c.LoginMethods, Needs: c.needs, Registration: s.registration,
		GPT: s.gpt, Docs: s.docs, Settings: values, File: map[string]string{}, FileName: s.file(),
		More: slices.Clone(s.more)}
	if goal.Environ, err = s.ofEnvironment(); err != nil {
		return setup.Goal{}, err
	}
	if _, given := given["STYTCH_VERTICAL"]; given {
		goal.Vertical = c.Vertical
	}
	for _, v := range fileOf(s.cmd.Flags()).variables() {
		goal.File[v.Name] = v.Value
	}
	if len(c.Domains) > 0 {
		goal.More = append(goal.More, setup.Setting{Name: "STYTCH_DOMAIN", Value: strings.Join(c.Domains, ",")})
	}
	if address := public.Host; goal.Local && public.Scheme == "http" && address != c.Addr {
		goal.More = append(goal.More, setup.Setting{Name: "GUESTPASS_ADDR", Value: address})
	}
	return goal, nil
}

// needs returns what the operations need of the policy of a project of that kind.
func (c config) needs(vertical string) (needs []setup.Need, err error) {
	c.Vertical = vertical
	if err := idp.CheckLoginMethods(vertical, c.LoginMethods); err != nil {
		return nil, usageError{c.fault("GUESTPASS_LOGIN_METHODS", "cannot be used: %w", err)}
	}
	operations, err := c.operations()
	if err != nil {
		return nil, err
	}
	return c.needsOf(operations), nil
}

// confirm asks, unless somebody has decided already. done is whether to go on.
func (s *setupRun) confirm() (done bool, err error) {
	out := s.cmd.OutOrStdout()
	if s.dry || s.yes {
		return s.yes && !s.dry, nil
	}
	fmt.Fprint(out, "\nDo all of this? [y/N] ")
	answers := make(chan string, 1)
	go func() { // nothing ends the reading of a terminal: if it is not answered, it ends with the program
		answer, _ := bufio.NewReader(io.LimitReader(s.cmd.InOrStdin(), 1<<10)).ReadString('\n')
		answers <- strings.ToLower(strings.TrimSpace(answer))
	}()
	select {
	case answer := <-answers:
		if answer == "y" || answer == "yes" {
			return true, nil
		}
	case <-s.cmd.Context().Done():
	}
	fmt.Fprintln(out, "\nNothing was changed.")
	return false, errQuiet
}

// apply carries the plan out and reads what came of it.
func (s *setupRun) apply(run *setup.Setup, plan *setup.Plan) (*setup.Plan, error) {
	ctx, out := s.cmd.Context(), s.cmd.OutOrStdout()
	fmt.Fprintln(out)
	err := run.Apply(ctx, plan, func(change setup.Change) { fmt.Fprintf(out, "setting up: %s\n", change.What) })
	if err != nil {
		kept := ""
		if s.kept {
			kept = ", and its settings are in " + s.file()
		}
		return nil, fmt.Errorf("%w\nwhat was made so far stays%s: run this again to go on", err, kept)
	}
	after, err := run.Read(ctx)
	if err == nil && !after.Nothing() {
		err = after.Write(out, s.file())
		err = errors.Join(err, errors.New("these changes were taken by Stytch, which does not show them: run this "+
			"again"))
	}
	return after, err
}

// tell says what is left to do, and whether the project is as it should be.
func (s *setupRun) tell(run *setup.Setup, plan *setup.Plan) error {
	out, steps, confirmed, faulty := s.cmd.OutOrStdout(), plan.ByHand, []string{}, false
	for _, f := range s.published(run.ProjectID()) {
		switch {
		case f.Severity == doctor.OK:
			confirmed = append(confirmed, f.Found)
		case f.Fails() && slices.Contains(switches, f.Check):
			steps = append(steps, setup.Step{Page: "Connected Apps", Do: []string{f.Remedy + ": " + f.Found}})
		case f.Fails():
			faulty = true
			fmt.Fprintf(out, "\nnot as it must be: %s\n", f)
		}
	}
	if len(confirmed) > 0 {
		fmt.Fprintf(out, "\nconfirmed by %s: %s\n", s.config.domains()[0], strings.Join(confirmed, "; "))
	}
	if len(s.config.Domains) == 0 {
		faulty, steps = true, append(steps, setup.DomainStep)
	}
	if len(steps) > 0 {
		fmt.Fprintln(out, "\nWhat is left to you, since this program cannot do it:")
		if err := setup.WriteSteps(out, steps); err != nil {
			return err
		}
	}
	if s.show {
		fmt.Fprintln(out)
		for _, set := range run.Secrets() {
			fmt.Fprintf(out, "%s=%s\n", set.Name, set.Value)
		}
	}
	if faulty {
		return errQuiet
	}
	s.next(out)
	return nil
}

// switches are the checks of what a person switches on in the dashboard.
var switches = []string{"registration", "metadata-documents"}

// published asks the project's domain what came of it all, with the doctor's checks: of what no API sets, nothing else
// tells whether it is done. Without a domain there is nobody to ask.
func (s *setupRun) published(projectID string) []doctor.Finding {
	if len(s.config.Domains) == 0 {
		return nil
	}
	domains, public := s.config.domains(), stytch.NewPublic(nil)
	admitted := clients.Admitted{Hosts: []string{"chatgpt.com", "claude.ai"}, Dynamic: s.registration} // the goal
	return doctor.Published(s.cmd.Context(), doctor.Server{PublicURL: s.config.PublicURL, ProjectID: projectID,
		Domains: domains, APIBase: s.apiBase(projectID), MCP: true, Clients: admitted, Public: public,
		Metadata: func(ctx context.Context) (stytch.Metadata, error) { return public.Metadata(ctx, domains[0]) }})
}

// next prints what to call then.
func (s *setupRun) next(out io.Writer) {
	program, file := thisCall(), ""
	if s.file() != standardFile {
		file = " --" + envFileFlag + " " + s.file()
	}
	fmt.Fprintf(out, "\nNext:\n\n  %[1]s serve%[2]s\n  %[1]s doctor%[2]s\n", program, file)
	if try := s.nextTry(); try != "" {
		fmt.Fprintf(out, "  %s %s%s\n", program, try, file)
	}
}
