// Package resources lists the resources that come with Guestpass. Each is a package of its own, on what packages api,
// auth, directory and store export, as a resource of yours is.
package resources

import (
	"guestpass/api"
	"guestpass/resources/activity"
	"guestpass/resources/members"
	"guestpass/resources/profile"
	"guestpass/resources/tasks"
)

// All returns the resources that the program guestpass serves, in the order in which clients see them.
func All() []api.Resource {
	return []api.Resource{profile.Resource(), members.Resource(), tasks.Resource(), activity.Resource()}
}
