package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"guestpass"
)

func assetsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "assets DIR",
		Short: "Write the browser's bundles, for programs that embed Guestpass",
		Long: `Writes the files that come from npm, and that this program was built with, into a
folder: Stytch's sign-in component, for each kind of project. A program that embeds
Guestpass, and is built where there is no npm, gives them to Options.Assets. They
belong to this version.`,
		Example: "  guestpass assets ./guestpass-assets",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("`%s` takes one folder; see `%s --help`", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			names, err := guestpass.WriteAssets(args[0])
			if err != nil {
				return err
			}
			for _, name := range names {
				fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(args[0], name))
			}
			return nil
		},
	}
}
