// Package profile says who is signed in and what can be done here: what a model asks first.
package profile

import "guestpass/api"

// Resource returns getNextSteps and, if people are known, getUserInfo.
func Resource() api.Resource {
	return api.Resource{Name: "profile", Basic: true, Register: func(service *api.Service) {
		s := &profile{service}
		s.registerNextSteps()
		if s.Directory() != nil {
			s.registerUserInfo()
		}
	}}
}

type profile struct{ *api.Service }
