package stytchtest

import "github.com/go-chi/chi/v5"

// Walk calls f for everything that the emulator answers, its own pages included.
func (e *Emulator) Walk(f func(method, path string)) {
	var walk func(r chi.Routes, prefix string)
	walk = func(r chi.Routes, prefix string) {
		for _, route := range r.Routes() {
			for method := range route.Handlers {
				if route.SubRoutes == nil {
					f(method, prefix+route.Pattern)
				}
			}
			if route.SubRoutes != nil {
				walk(route.SubRoutes, prefix+route.Pattern)
			}
		}
	}
	walk(e.handler.(chi.Routes), "")
}
