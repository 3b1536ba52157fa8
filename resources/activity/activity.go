// Package activity shows a person what was done in their name, and takes it back.
package activity

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/store"
)

// Resource returns the operations on the record of changes: to list what was done for the caller, and to take it back.
func Resource() api.Resource {
	return api.Resource{Name: "activity", Basic: true,
		Scopes: []api.Scope{{Name: "activity:read", Description: "See what was done on your behalf"}},
		RegisterLast: func(service *api.Service) {
			if service.Directory() != nil {
				(&activity{service}).register()
			}
		}}
}

type activity struct{ *api.Service }

func (s *activity) register() {
	api.Register(s.Service, api.Operation{
		ID: "listActivity", Method: http.MethodGet, Path: "/api/v1/activity",
		Summary: "List what was done for the signed-in person",
		Description: "Returns the changes made here in the signed-in person's name, the newest first, with what each " +
			"changed and whether it can be undone. Filter by app, or by what was taken away. For the next page pass " +
			"next_cursor as cursor with the same filters.",
		Access: auth.Scope("activity:read"),
		Docs: map[string]string{
			"app": "Only changes through this app: its client id, or \"this\" for the calling app. " +
				"Leave out for all",
			"removals": "true: only changes that took something away, such as deleting a task. Leave out for all",
			"limit":    "How many activities at most, 1 to 50",
			"cursor":   "next_cursor of the previous page, with the same filters. Leave out for the first",
		},
	}, s.listActivity)
	if !s.AnythingUndoable() {
		return
	}
	api.Register(s.Service, api.Operation{
		ID: "undoActivity", Method: http.MethodPost, Path: "/api/v1/activity/{activity_id}/undo",
		Summary: "Undo one change",
		Description: "Takes back one change that listActivity shows as undoable, and returns the undo as an " +
			"activity, which can be undone as well. Answers 409 if something was changed since, and says what.",
		Effect: api.Write, Undoes: true,
		Docs: map[string]string{"activity_id": "As listActivity returns it"},
	}, s.undoActivity)
}

// Activity is one change, as it is shown.
type Activity struct {
	ID        string `json:"activity_id" doc:"Identifier, to be used with undoActivity"`
	At        string `json:"at" doc:"When it was done, RFC 3339, UTC"`
	Operation string `json:"operation" doc:"Name of the operation that did it"`
	Target    string `json:"target,omitempty" doc:"Identifier of what it changed"`
	App       string `json:"app,omitempty" doc:"Client identifier of the app; absent if done on the account page"`
	AppName   string `json:"app_name,omitempty" doc:"Name of the app, and its host"`
	Outcome   string `json:"outcome" enum:"started,done,failed" doc:"done; failed; or started, if its end is not known"`
	Undoable  bool   `json:"undoable" doc:"Whether undoActivity can take it back, unless something was changed since"`

	Changes []api.FieldChange `json:"changes" doc:"What was changed, field by field"`
}

func (s *activity) activityFrom(a store.Activity) Activity {
	return Activity{ID: a.ID, At: api.FormatTime(a.At), Operation: a.Operation, App: a.Client, Target: a.Target,
		Outcome:  a.Outcome,
		Undoable: s.Undoes(a), Changes: api.FieldChanges(a)}
}

type listActivityInput struct {
	App      string `query:"app" maxLength:"128" pattern:"^[A-Za-z0-9._-]+$"`
	Removals bool   `query:"removals"`
	Limit    int    `query:"limit" minimum:"1" maximum:"50" default:"20"`
	Cursor   string `query:"cursor" maxLength:"2000"`
}

type listActivityOutput struct {
	Body struct {
		Activities []Activity `json:"activities" doc:"Activities of this page, the newest first"`
		KnownSince knownSince `json:"known_since,omitempty"`

		NextCursor string `json:"next_cursor,omitempty" doc:"Pass as cursor for the next page; absent on the last page"`
	}
}

// A knownSince is the time up to which changes are no longer kept.
type knownSince string

// Schema is for Huma.
func (knownSince) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString,
		Description: "Changes up to this time are not kept any more, RFC 3339, UTC; absent if all are"}
}

// listActivity lists only what was done in the caller's name.
func (s *activity) listActivity(ctx context.Context, in *listActivityInput) (*listActivityOutput, error) {
	identity := auth.From(ctx)
	query := store.ActivityQuery{Subject: identity.Subject, Client: in.App, Removals: in.Removals}
	if in.App == "this" {
		query.Client = identity.ClientID
	}
	page, err := api.PageOf(ctx, s.Service, in)
	if err != nil {
		return nil, err
	}
	query.After, query.Limit = page.After, page.Limit+1
	since, err := s.Store().KnownSince(ctx, identity.Owner())
	if err != nil {
		return nil, err
	}
	activities, err := s.Store().Activities(ctx, identity.Owner(), query)
	if err != nil {
		return nil, err
	}
	out := &listActivityOutput{}
	out.Body.KnownSince = knownSince(api.FormatTime(since))
	var apps []string
	for _, a := range activities {
		if a.Client != "" {
			apps = append(apps, a.Client)
		}
	}
	known := s.AppNames(ctx, apps)
	out.Body.Activities, out.Body.NextCursor, err = api.Cut(page, activities, func(a store.Activity) Activity {
		activity := s.activityFrom(a)
		activity.AppName = known[a.Client]
		return activity
	}, store.Activity.Position)
	return out, err
}

type undoActivityInput struct {
	ID string `path:"activity_id" maxLength:"40" pattern:"^[a-z0-9_]+$"`
}

type undoActivityOutput struct {
	Body struct {
		Undone string `json:"undone" doc:"Identifier of the activity that was taken back"`
		Target string `json:"target" doc:"Identifier of what is now as it was before"`
	}
}

// undoActivity takes back only what was done in the caller's own name.
func (s *activity) undoActivity(ctx context.Context, in *undoActivityInput) (*undoActivityOutput, error) {
	return api.Undo(ctx, s.Service, in.ID, func(undone store.Activity) *undoActivityOutput {
		out := &undoActivityOutput{}
		out.Body.Undone, out.Body.Target = undone.ID, undone.Target
		return out
	})
}
