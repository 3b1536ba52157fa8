package cli

import (
	"slices"

	"guestpass/api"
)

// offered are the resources that the program serves, as [Main] was told.
var offered []api.Resource

// noModules is the word of GUESTPASS_MODULES for a server without operations of its own.
const noModules = "none"

// modules returns the names that GUESTPASS_MODULES may have.
func modules() (names []string) {
	for _, r := range offered {
		if !r.Basic {
			names = append(names, r.Name)
		}
	}
	return names
}

// modules returns the modules of a checked config, in the form that the server wants.
func (c config) modules() []string {
	if slices.Contains(c.Modules, noModules) {
		return []string{}
	}
	return c.Modules
}

// checkModules refuses the word none together with names.
func (c config) checkModules() error {
	if len(c.Modules) > 1 && slices.Contains(c.Modules, noModules) {
		return c.fault("GUESTPASS_MODULES", "says %s beside others: say it alone, or leave it out", noModules)
	}
	return nil
}
