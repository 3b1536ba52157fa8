package cli

import (
	"slices"

	"guestpass/api"
	"guestpass/store"
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

// servesNothing reports whether the operations are another program's.
func (c config) servesNothing() bool { return slices.Contains(c.Modules, noModules) }

// modules returns the modules of a checked config, in the form that the server wants.
func (c config) modules() []string {
	if c.servesNothing() {
		return []string{}
	}
	return c.Modules
}

// schemas returns the tables of the resources that are served.
func (c config) schemas() []store.Schema {
	return api.Schemas(api.Chosen(offered, c.modules()))
}
