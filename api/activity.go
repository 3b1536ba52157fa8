package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"guestpass/auth"
	"guestpass/internal/store"
)

func (s *Service) registerActivity() {
	Register(s, Operation{
		ID: "listActivity", Method: http.MethodGet, Path: "/api/v1/activity",
		Summary:     "List what was done for the signed-in person",
		Description: "Returns the changes made here in the signed-in person's name, the newest first, each with what it changed and whether it can be undone. For the next page pass next_cursor as cursor.",
		Access:      auth.Scope("activity:read"),
	}, s.listActivity)
	if len(s.undoing) == 0 {
		return
	}
	Register(s, Operation{
		ID: "undoActivity", Method: http.MethodPost, Path: "/api/v1/activity/{activity_id}/undo",
		Summary:     "Undo one change",
		Description: "Takes back one change that listActivity shows as undoable, and returns the undo as an activity, which can be undone as well. Answers 409 if something was changed since, and says what.",
		Access:      auth.Scope("tasks:write"), Effect: Write,
	}, s.undoActivity)
}

// undoing is how changes to targets of one kind are taken back.
type undoing struct {
	prefix string
	permit func(context.Context, store.Activity) error
	revert func(*store.Tx, store.Activity) error
}

// Undoable lets undoActivity take back changes of targets whose identifiers begin with
// prefix. revert puts the target back to what a.Before says, in the transaction of the
// undo, and notes that with [store.Tx.Changed], so that the undo can be undone as well.
// permit, if not nil, is asked before whether the caller may still change the target.
// Call it where the operations are registered.
func (s *Service) Undoable(prefix string, permit func(context.Context, store.Activity) error, revert func(*store.Tx, store.Activity) error) {
	s.undoing = append(s.undoing, undoing{prefix, permit, revert})
}

func (s *Service) undoingOf(a store.Activity) (undoing, bool) {
	for _, u := range s.undoing {
		if a.Outcome == store.Done && strings.HasPrefix(a.Target, u.prefix) {
			return u, true
		}
	}
	return undoing{}, false
}

// Activity is one change, as it is shown.
type Activity struct {
	ID        string        `json:"activity_id" doc:"Identifier, to be used with undoActivity"`
	At        string        `json:"at" doc:"When it was done, RFC 3339, UTC"`
	Operation string        `json:"operation" doc:"Name of the operation that did it"`
	Target    string        `json:"target,omitempty" doc:"Identifier of what it changed"`
	Outcome   string        `json:"outcome" enum:"started,done,failed" doc:"done; failed; or started, if its end is not known"`
	Undoable  bool          `json:"undoable" doc:"Whether undoActivity can take it back, unless something was changed since"`
	Changes   []FieldChange `json:"changes" doc:"What was changed, field by field"`
}

// FieldChange is the change of one field. Long values are cut.
type FieldChange struct {
	Field  string `json:"field" doc:"Name of the field"`
	Before string `json:"before" doc:"Value before, empty for none, cut after 200 characters"`
	After  string `json:"after" doc:"Value after, empty for none, cut after 200 characters"`
}

func (s *Service) activityFrom(a store.Activity) Activity {
	_, undoable := s.undoingOf(a)
	return Activity{ID: a.ID, At: rfc3339(a.At), Operation: a.Operation, Target: a.Target, Outcome: a.Outcome,
		Undoable: undoable, Changes: fieldChanges(a)}
}

// bookkeeping fields change with everything, and tell nothing.
var bookkeeping = []string{"ID", "Version", "CreatedAt", "UpdatedAt", "Creator", "TaskID", "Author"}

func fieldChanges(a store.Activity) []FieldChange {
	before, after := map[string]any{}, map[string]any{}
	_ = json.Unmarshal([]byte(a.Before), &before) // empty for none
	_ = json.Unmarshal([]byte(a.After), &after)
	names := []string{}
	for _, side := range []map[string]any{before, after} {
		for name := range side {
			if !slices.Contains(names, name) && !slices.Contains(bookkeeping, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	changes := []FieldChange{}
	for _, name := range names {
		if b, c := shown(before[name]), shown(after[name]); b != c {
			changes = append(changes, FieldChange{Field: snake(name), Before: b, After: c})
		}
	}
	return changes
}

// shown is a stored value in words; the zero time is none.
func shown(value any) string {
	text := ""
	switch v := value.(type) {
	case nil:
	case string:
		text = v
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = fmt.Sprint(part)
		}
		text = strings.Join(parts, ", ")
	default:
		text = fmt.Sprint(v)
	}
	if text == "0001-01-01T00:00:00Z" {
		return ""
	}
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:199]) + "…"
	}
	return text
}

// snake is the name under which the API shows a stored field.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToLower(string(r)))
	}
	return b.String()
}

type listActivityInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"50" default:"20" doc:"How many activities to return at most, 1 to 50"`
	Cursor string `query:"cursor" maxLength:"2000" doc:"next_cursor of the previous page. Leave out for the first page"`
}

type listActivityOutput struct {
	Body struct {
		Activities []Activity `json:"activities" doc:"Activities of this page, the newest first"`
		NextCursor string     `json:"next_cursor,omitempty" doc:"Pass as cursor for the next page; absent on the last page"`
	}
}

// listActivity shows the caller's own only.
func (s *Service) listActivity(ctx context.Context, in *listActivityInput) (*listActivityOutput, error) {
	identity := auth.From(ctx)
	list := []string{"listActivity", identity.Owner(), identity.Subject}
	position, ok := s.cursors.open(in.Cursor, list...)
	if !ok {
		return nil, Invalid("query.cursor", "is not a cursor of this list; pass next_cursor unchanged, or leave it out")
	}
	activities, err := s.options.Store.Activities(ctx, identity.Owner(), identity.Subject, position, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &listActivityOutput{}
	shown, last, err := cutPage(activities, in.Limit, s.activityFrom)
	if err != nil {
		return nil, err
	}
	out.Body.Activities = shown
	if last >= 0 {
		out.Body.NextCursor = s.cursors.seal(activities[last].Position(), list...)
	}
	return out, nil
}

type undoActivityInput struct {
	ID string `path:"activity_id" maxLength:"40" pattern:"^[a-z0-9_]+$" doc:"Activity identifier, as listActivity returns it"`
}

type undoActivityOutput struct {
	Body struct {
		Undone string `json:"undone" doc:"Identifier of the activity that was taken back"`
		Target string `json:"target" doc:"Identifier of what is now as it was before"`
	}
}

// undoActivity takes back what was done in the caller's own name. Whoever may not make
// the change any more may not undo it either.
func (s *Service) undoActivity(ctx context.Context, in *undoActivityInput) (*undoActivityOutput, error) {
	identity := auth.From(ctx)
	activity, err := s.options.Store.Activity(ctx, identity.Owner(), identity.Subject, in.ID)
	if err != nil {
		return nil, fmt.Errorf("undo activity: %w", err)
	}
	undoing, ok := s.undoingOf(activity)
	if !ok {
		return nil, Conflict("this activity cannot be undone here", "listActivity says which can be.")
	}
	if err := s.admitAgain(ctx, activity); err != nil {
		return nil, err
	}
	if undoing.permit != nil {
		if err := undoing.permit(ctx, activity); err != nil {
			return nil, fmt.Errorf("undo activity: %w", err)
		}
	}
	referTo(ctx, activity.ID)
	return InTransaction(ctx, s, func(tx *store.Tx) (*undoActivityOutput, error) {
		out := &undoActivityOutput{}
		out.Body.Undone, out.Body.Target = activity.ID, activity.Target
		return out, tx.Undo(activity, undoing.revert)
	})
}

// admitAgain asks whether the caller may call the operation that made the change.
func (s *Service) admitAgain(ctx context.Context, a store.Activity) error {
	for _, op := range s.operations {
		if op.ID != a.Operation {
			continue
		}
		err := s.mayCall(ctx, op, auth.From(ctx))
		if errors.Is(err, auth.ErrInsufficientScope) {
			return &Problem{Status: http.StatusForbidden, Detail: "your access does not cover " + op.ID + ", so you cannot take it back"}
		}
		return err
	}
	return nil // of an operation that is gone
}

// referTo names the activity that this call takes back.
func referTo(ctx context.Context, id string) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.activity.RefersTo = id
	}
}
