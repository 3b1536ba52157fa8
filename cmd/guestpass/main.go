// Command guestpass gives ChatGPT a guest pass to an app: it serves typed
// operations to custom GPTs, checks their Stytch-issued tokens, publishes the
// OpenAPI document they import, and hosts the page on which people sign in and
// consent. `guestpass dev` does all of it on one machine, without a Stytch account;
// with the build tag production the program has no such commands, and no emulator.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// usageError is a mistake of whoever called the program, as against a failure of
// its work: exit code 2 instead of 1.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run is the program; it returns the exit code. Tests call it.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	root := newRoot(environ)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.As(err, new(usageError)):
		fmt.Fprintln(stderr, "guestpass:", err)
		return 2
	case errors.Is(err, errQuiet):
		return 1
	}
	fmt.Fprintln(stderr, "guestpass:", err)
	return 1
}

// errQuiet is a failure that the command has already told in its own words.
var errQuiet = errors.New("failed")

func newRoot(environ []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "guestpass",
		Short: "Give ChatGPT a guest pass to your app",
		Long: `Guestpass gives ChatGPT a guest pass to your app.

It serves typed operations to a custom GPT, checks the access tokens that Stytch
issues, publishes the OpenAPI document that the GPT editor imports, and hosts the
page on which your users sign in and decide what to allow.

` + startWith,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args:              cobra.NoArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("guestpass {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see `%s --help`", err, cmd.CommandPath())
	})
	root.AddCommand(serveCommand(environ), openapiCommand(environ), gptCommand(environ), migrateCommand(environ), auditCommand(environ))
	root.AddCommand(developmentCommands(environ)...)
	for _, command := range root.Commands() {
		positional := command.Args
		command.Args = func(cmd *cobra.Command, args []string) error {
			if err := positional(cmd, args); err != nil {
				return usagef("%w; see `%s --help`", err, cmd.CommandPath())
			}
			return nil
		}
	}
	root.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("there is no command %q; see `guestpass --help`", args[0])
		}
		return nil
	}
	return root
}

// version is what the Go tool recorded of the build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "0.1.0-dev"
	}
	return info.Main.Version
}
