package cli

import (
	"slices"

	"guestpass/api"
	"guestpass/store"
)

// resources are what the program serves, as [Main] was told.
var resources []api.Resource

// modules are the names that GUESTPASS_MODULES may have.
func modules() []string {
	names := append([]string{}, api.Modules...)
	for _, r := range resources {
		names = append(names, r.Name)
	}
	return names
}

// noModules is the word for none of them: for an application of one's own that Guestpass stands beside.
const noModules = "none"

// served are the names of those to serve; nil: all.
func (c config) served() []string {
	if slices.Equal(c.Modules, []string{noModules}) {
		return []string{}
	}
	return c.Modules
}

// schemas are the tables of the resources.
func schemas() (all []store.Schema) {
	for _, r := range resources {
		if r.Migrations != nil {
			all = append(all, store.Schema{Name: r.Name, Files: r.Migrations})
		}
	}
	return all
}
