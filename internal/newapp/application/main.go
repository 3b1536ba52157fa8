// The program serves notes to assistants. It has every command of Guestpass: dev, serve, try and the rest.
package main

import (
	"guestpass/cli"
	"guestpass/resources/activity"
	"guestpass/resources/profile"

	"guestpass/internal/newapp/application/notes"
)

// Clients see the resources in this order. Beside yours are who is signed in, and the record of changes with undo.
func main() { cli.Main(profile.Resource(), notes.Resource(), activity.Resource()) }
