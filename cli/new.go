//go:build !production

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"guestpass/internal/newapp"
	"guestpass/stytchtest"
)

func newCommand() *cobra.Command {
	var o newapp.Options
	command := &cobra.Command{
		Use:   "new [FOLDER/]NAME",
		Short: "Start an application: its own module, one resource, tests",
		Long: `Makes the folder NAME with an application of your own: a module with a main, a resource
with three typed operations, a test that calls them, settings for this machine in .env,
and a Dockerfile. It compiles and runs as it is, and has every command of guestpass.

The module takes Guestpass from its source on this machine, which is found if this program
was built there. Nothing that exists is overwritten.`,
		Example: "  guestpass new team-notes\n  guestpass new ../team-notes --module github.com/you/team-notes",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("`%s` takes one name, such as team-notes; see `%s --help`", cmd.CommandPath(),
					cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if last := filepath.Base(args[0]); args[0] == "" || last == "." || last == ".." {
				return usagef("%q names no application: write the name of a new folder, such as team-notes", args[0])
			}
			path, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			o.Name = filepath.Base(path)
			if err := o.Check(); err != nil {
				return usageError{err}
			}
			if named := o.Guestpass; named != "" {
				if o.Guestpass, err = newapp.Checkout(named); err != nil {
					return usagef("%s has no source of Guestpass: name the folder with its go.mod", named)
				}
			} else if o.Guestpass, err = checkout(); err != nil {
				return usagef("%w: name its folder with --guestpass", err)
			}
			if err := o.CheckModule(); err != nil {
				return usageError{err}
			}
			project := stytchtest.Development().Project
			o.ProjectID, o.Secret, o.PublicToken = project.ID, project.Secret, project.PublicToken
			names, err := newapp.Write(filepath.Dir(path), o)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is made: %s\nGuestpass is taken from %s (go.mod).\n\n"+
				"  cd %s\n  go test ./...\n  go run . dev\n", o.Name, strings.Join(names, ", "), o.Guestpass,
				shellWord(args[0]))
			return err
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.Module, "module", "", "`PATH` of the module; example.com/NAME unless told otherwise")
	flags.StringVar(&o.Guestpass, "guestpass", "", "`FOLDER` that has the source of Guestpass")
	return command
}

// checkout returns the folder of Guestpass's source: that of which this program was made, or one above the program or
// the working directory.
func checkout() (string, error) {
	_, source, _, _ := runtime.Caller(0)
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	return newapp.Checkout(filepath.Dir(source), filepath.Dir(program), ".")
}
