package stytchtest

import "slices"

// An Endpoint is one line of what the emulator answers.
type Endpoint struct {
	Method  string
	Path    string   // with {names} where something varies, as [Request.Route] has it
	Clients []string // the real clients that tests drive it with
}

// Endpoints returns all that is emulated of Stytch for the project's vertical. The
// emulator's own pages are not among them.
func (e *Emulator) Endpoints() []Endpoint {
	list := []Endpoint{}
	for _, r := range e.table() {
		list = append(list, Endpoint{r.method, r.path, slices.Clone(r.clients)})
	}
	return list
}
