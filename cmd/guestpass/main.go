// Command guestpass gives ChatGPT, Claude and other assistants a guest pass to an
// app: it serves typed operations as MCP tools and to custom GPTs, checks their
// Stytch-issued tokens, publishes the OpenAPI document that GPTs import, and hosts
// the page on which people sign in and consent. `guestpass dev` does all of it on one
// machine, without a Stytch account; with the build tag production the program has no
// such commands, and no emulator.
package main

import (
	"guestpass/cli"
	"guestpass/resources"
)

func main() { cli.Main(resources.All()...) }
