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

// modules returns those of a checked config, as the server wants them.
func (c config) modules() []string {
	if slices.Contains(c.Modules, noModules) {
		return []string{}
	}
	return c.Modules
}

// checkModules refuses none together with others.
func (c config) checkModules() error {
	if len(c.Modules) > 1 && slices.Contains(c.Modules, noModules) {
		return c.fault("GUESTPASS_MODULES", "says %s beside others: say it alone, or leave it out", noModules)
	}
	return nil
}
