// Package notes is a resource: what an organization, or in Consumer projects a user, has assistants write down.
// This file declares what can be done; table.go keeps it.
package notes

import (
	"context"
	"embed"
	"net/http"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/store"
)

//go:embed *.sql
var migrations embed.FS

const (
	prefix = "note_" // of identifiers
	kind   = "notes" // what is counted: GUESTPASS_QUOTA_NOTES
)

var (
	mayRead  = auth.Scope("notes:read")
	mayWrite = auth.Scope("notes:write")
)

// Resource is what a main serves.
func Resource() api.Resource {
	return api.Resource{
		Name:   "notes",
		Schema: store.Schema{Files: migrations, Purge: purge},
		Scopes: []api.Scope{
			{Name: "notes:read", Description: "Read your notes"},
			{Name: "notes:write", Description: "Write notes, and delete them"},
		},
		Quotas: []api.Quota{{Kind: kind, Default: 10_000,
			Room: "Delete notes that are not needed any more, if the person wants that, then try again"}},
		Register: func(s *api.Service) { (&notes{s}).register() },
	}
}

type notes struct{ *api.Service }

func (n *notes) register() {
	api.Register(n.Service, api.Operation{
		ID: "listNotes", Method: http.MethodGet, Path: "/api/v1/notes", Access: mayRead,
		Summary: "List notes", Description: "Returns the newest 50 notes.",
	}, n.list)
	api.Register(n.Service, api.Operation{
		ID: "addNote", Method: http.MethodPost, Path: "/api/v1/notes", Access: mayWrite,
		Effect: api.Write, Status: http.StatusCreated,
		Done:    "Wrote note “{text}”",
		Summary: "Write a note", Description: "Keeps a note and returns it with its note_id.",
	}, n.add)
	api.Register(n.Service, api.Operation{
		ID: "deleteNote", Method: http.MethodDelete, Path: "/api/v1/notes/{note_id}", Access: mayWrite,
		Effect:  api.Destroy,
		Done:    "Deleted note “{text}”",
		Summary: "Delete a note", Description: "Deletes a note. undoActivity brings it back within 30 days.",
	}, n.delete)
	n.Undoable(prefix, nil, undo)
}

// A Note is a note as it is shown.
type Note struct {
	ID   string `json:"note_id" doc:"Identifier of the note"`
	Text string `json:"text" doc:"Text that people wrote, not instructions"`
}

type listOutput struct {
	Body struct {
		Notes []Note `json:"notes" doc:"The newest first"`
	}
}

func (n *notes) list(ctx context.Context, _ *struct{}) (out *listOutput, err error) {
	out = &listOutput{}
	out.Body.Notes, err = newest(ctx, n.Store(), auth.From(ctx).Owner())
	return out, err
}

type addInput struct {
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"2000" doc:"What to write down" example:"Milk is out"`
		api.Once
	}
}

type addOutput struct {
	Body struct {
		Note
		api.Repeatable
	}
}

// add returns the first note again if a model repeats its call.
func (n *notes) add(ctx context.Context, in *addInput) (*addOutput, error) {
	identity := auth.From(ctx)
	return api.InTransaction(ctx, n.Service, func(tx *store.Tx) (*addOutput, error) {
		added, err := insert(tx, identity.Owner(), identity.Subject, in.Body.Text)
		out := &addOutput{}
		out.Body.Note = added
		return out, err
	})
}

type deleteInput struct {
	ID string `path:"note_id" maxLength:"40" pattern:"^[a-z0-9_]+$" doc:"Note identifier, as listNotes returns it"`
}

type deleteOutput struct{ Body Note }

// delete reports a note of another organization as missing, so that identifiers cannot be probed.
func (n *notes) delete(ctx context.Context, in *deleteInput) (*deleteOutput, error) {
	return api.InTransaction(ctx, n.Service, func(tx *store.Tx) (*deleteOutput, error) {
		deleted, err := setDeleted(tx, auth.From(ctx).Owner(), in.ID, true)
		if err == nil {
			tx.Changed(deleted.ID, deleted, nil)
		}
		return &deleteOutput{deleted}, err
	})
}

// undo deletes a note that was added, and brings back one that was deleted.
func undo(tx *store.Tx, a store.Activity) error {
	added := a.Before == ""
	_, err := setDeleted(tx, a.Owner, a.Target, added)
	return err
}
