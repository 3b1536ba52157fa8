//go:build !production

package main

import "github.com/spf13/cobra"

// developmentCommands are those that need the emulator of Stytch or the simulator of
// ChatGPT. Only files of this side of the build tag may import either; production.go
// is the other side.
func developmentCommands(environ []string) []*cobra.Command {
	return []*cobra.Command{devCommand(environ), stytchCommand(environ), tryCommand(environ), lintCommand()}
}

const startWith = `Start with:

  guestpass dev                          everything on this machine, no account
  guestpass try --as ada@acme.example    be the GPT: import, sign in, call`

const documentDefault = "Without STYTCH_PROJECT_ID the settings are those of guestpass dev."

// withoutProject is what guestpass openapi goes by when no project is set.
func (c config) withoutProject() config { return c.development("http://localhost:8081") }
