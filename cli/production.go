//go:build production

package cli

import (
	"context"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
)

// clientSecretFlag is a flag of guestpass try, which this program lacks.
const clientSecretFlag = ""

// hideArguments has nothing to hide: no command here takes a secret.
func hideArguments([]string, []string, io.Writer) {}

// developmentCommands returns none; see development.go, the other side of the build tag.
func developmentCommands([]string) []*cobra.Command { return nil }

// emulator refuses: it is not in this program.
func (c config) emulator(*slog.Logger) (*companion, error) {
	return nil, usageError{c.fault("GUESTPASS_EMULATOR", "is set, and this program was built for production, without "+
		"the emulator of Stytch: leave the setting out")}
}

// standingIn is what a run knows of the emulator: nothing, here.
type standingIn struct{}

// standIn returns none: without a project there is nothing to set up.
func (s *setupRun) standIn(context.Context, io.Writer) error { return nil }

// emulatorFlag has nothing to say where.
func emulatorFlag(*cobra.Command, *setupRun) {}

const setupWithout = ""

const builtForProduction = true

// forTrials is whom the settings of a connected app of the operator's own are for.
const forTrials = "For guestpass setup callback and guestpass doctor alone"

const emulatorRuns = ""

// thisCall returns how to call this program, to be pasted.
func thisCall() string { return "guestpass" }

// nextTry returns nothing: that command is not in this program.
func (standingIn) nextTry() string { return "" }

const startWith = `This program was built for production: the commands for development, and with them
the emulator of Stytch, are not in it. Start with:

  guestpass serve --help    what it needs to know of your Stytch project`

const documentDefault = "The settings are those of guestpass serve."

// withoutProject changes nothing, so that the missing settings are refused by name.
func (c config) withoutProject() config { return c }
