// Package expenses is a resource of one's own: what an organization, or in Consumer projects a user, has spent. It
// shows all that a resource can have: a list with filters, a cursor and pages cut to size; a summary; create once;
// update with a version; delete with undo; a rule of its own on who may change what; words for its scopes; a quota; a
// widget.
//
// operations.go declares what can be done, table.go keeps it, record.go is what the record of changes has of it.
package expenses

import (
	"embed"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/store"
)

//go:embed *.sql
var migrations embed.FS

// page is what MCP clients that can do so show of the list.
//
//go:embed expenses.html
var page string

const (
	prefix = "exp_"     // of identifiers
	kind   = "expenses" // what is counted
)

// Resource is what a main serves.
func Resource() api.Resource {
	return api.Resource{
		Name:   "expenses",
		Schema: store.Schema{Files: migrations, Purge: purge, Erase: erase},
		Scopes: []api.Scope{
			{Name: "expenses:read", Description: "See what was spent"},
			{Name: "expenses:write", Description: "Enter expenses, and change or delete them"},
		},
		Quotas: []api.Quota{{Kind: kind, Default: 100_000,
			Room: "Delete expenses that are not needed any more, if the person wants that, then try again"}},
		Register: func(s *api.Service) { (&expenses{s}).register() },
	}
}

type expenses struct{ *api.Service }

var (
	mayRead  = auth.Scope("expenses:read")
	mayWrite = auth.Scope("expenses:write")
)
