//go:build production

package cli

import (
	"io"

	"github.com/spf13/cobra"
)

// clientSecretFlag is a flag of guestpass try, which this program lacks.
const clientSecretFlag = ""

// hideArguments has nothing to hide: no command here takes a secret.
func hideArguments([]string, []string, io.Writer) {}

// developmentCommands returns none; see development.go, the other side of the build tag.
func developmentCommands([]string) []*cobra.Command { return nil }

const startWith = `This program was built for production: the commands for development, and with them
the emulator of Stytch, are not in it. Start with:

  guestpass serve --help    what it needs to know of your Stytch project`

const documentDefault = "The settings are those of guestpass serve."

// withoutProject changes nothing, so that the missing settings are refused by name.
func (c config) withoutProject() config { return c }
