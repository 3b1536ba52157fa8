// Package cli is the program guestpass: its commands, one file each, their flags, settings and output. A main of your
// own calls [Main] with the resources that it serves.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"guestpass/api"
	"guestpass/internal/text"
)

// Main runs the program with the arguments, settings and streams of the process, and ends the process. The resources
// are served in this order.
func Main(resources ...api.Resource) {
	offered = resources
	hideArguments(os.Args, os.Environ(), os.Stderr)
	collectSeldom(os.Getenv("GOGC"))
	ctx, stop := context.Background(), func() {}
	if !onlyComputes(os.Args[1:], os.Environ()) {
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop) // a second signal ends the process at once
	}
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// collectSeldom has the garbage collector run when what is garbage is four times as much as what is in use, unless the
// environment says otherwise. A server has some megabytes in use, so that by default it would collect with every few
// hundred requests, which takes a fifth of their time; see docs/performance.md.
func collectSeldom(gogc string) {
	if gogc == "" {
		debug.SetGCPercent(400)
	}
}

// onlyComputes reports whether a command has nothing to clean up, so that the first signal may end the process, which
// may be in the middle of a computation that looks at no context. lint of a URL has sessions, and perhaps a browser.
func onlyComputes(args, environ []string) bool {
	command, _, err := newRoot(environ).Find(args)
	remote := slices.ContainsFunc(args, func(arg string) bool { return strings.Contains(arg, "://") })
	return err == nil && (command.Name() == "lint" && !remote || command.Name() == "openapi" || command.Name() == "gpt")
}

// usageError is a mistake of whoever called the program, as against a failure of
// its work: exit code 2 instead of 1.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run runs the program and returns the exit code. Tests call it.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	stdout, stderr = text.NewTerminal(stdout), text.NewTerminal(stderr)
	root := newRoot(environ)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	called, err := root, checkCommand(root, args)
	if err == nil {
		called, err = root.ExecuteContextC(ctx)
	}
	if err == nil {
		return 0
	}
	if !errors.Is(err, errQuiet) {
		fmt.Fprintln(stderr, "guestpass:", withoutSecrets(err.Error(), environ, called.Flags()))
	}
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

// errQuiet is a failure that the command has already reported in its own words.
var errQuiet = errors.New("failed")

func newRoot(environ []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "guestpass",
		Short: "Give ChatGPT, Claude and other assistants a guest pass to your app",
		Long: `Guestpass gives ChatGPT, Claude and other assistants a guest pass to your app.

It serves typed operations as MCP tools and to custom GPTs, checks the access tokens
that Stytch issues, publishes the OpenAPI document that the GPT editor imports, and
hosts the page on which your users sign in and decide what to allow.

` + startWith,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			if _, later := cmd.Annotations[trustsLater]; !later {
				trustRoots()
			}
			return checkCall(cmd, args, environ)
		},
	}
	root.SetVersionTemplate("guestpass {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see `%s --help`", err, cmd.CommandPath())
	})
	root.AddCommand(readingFiles(serveCommand(environ), openapiCommand(environ), gptCommand(environ),
		pluginCommand(environ), configCommand(environ), setupCommand(environ), doctorCommand(environ),
		migrateCommand(environ), backupCommand(environ), restoreCommand(environ), auditCommand(environ),
		personCommand(environ), healthCommand(environ))...)
	root.AddCommand(assetsCommand(), versionCommand())
	root.AddCommand(developmentCommands(environ)...)
	completeNoFiles(root)
	return root
}

// noArguments refuses arguments, for commands that take flags alone.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("`%s` takes no argument, and %q is one; see `%s --help`", cmd.CommandPath(), args[0],
			cmd.CommandPath())
	}
	return nil
}
