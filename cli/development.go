//go:build !production

package cli

import (
	"io"
	"os"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
)

// developmentCommands returns the commands that need the emulator of Stytch or the simulator of ChatGPT. Only files of
// this side of the build tag may import either; production.go is the other side.
func developmentCommands(environ []string) []*cobra.Command {
	return append(readingFiles(devCommand(environ), tryCommand(environ)), stytchCommand(), lintCommand(),
		newCommand())
}

const builtForProduction = false

// forTrials is whom the settings of a connected app of the operator's own are for.
const forTrials = "For guestpass try, guestpass setup callback and guestpass doctor alone"

const startWith = `Start with:

  guestpass dev                                everything on this machine, no account
  guestpass try --mcp --as ada@acme.example    act as ChatGPT with a custom MCP server
  guestpass try --as ada@acme.example          act as a custom GPT: import, sign in, call`

const documentDefault = "Without STYTCH_PROJECT_ID the settings are those of guestpass dev."

// withoutProject returns the config of guestpass openapi when no project is set.
func (c config) withoutProject() config { return c.development("http://localhost:8081") }

// hideArguments starts the program anew in the same process, without a secret that is among its arguments, so that the
// process list shows it only for a moment. If the system cannot do that, the argument stays, and guestpass try warns of
// it.
func hideArguments(args, environ []string, stderr io.Writer) {
	fewer, more, found := moveClientSecret(args, environ)
	program, err := os.Executable()
	if !found || err != nil || runtime.GOOS == "windows" {
		return
	}
	warnOfArgument(stderr)
	_ = syscall.Exec(program, fewer, more) // #nosec G204 G702 -- this program itself, with its own arguments
}
