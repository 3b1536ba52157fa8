package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"guestpass/auth"
	"guestpass/store"
)

const undoActivity = "undoActivity"

func (s *Service) registerActivity() {
	Register(s, Operation{
		ID: "listActivity", Method: http.MethodGet, Path: "/api/v1/activity",
		Summary: "List what was done for the signed-in person",
		Description: "Returns the changes made here in the signed-in person's name, the newest first, with what each " +
			"changed and whether it can be undone. Filter by app, or by what was taken away. For the next page pass " +
			"next_cursor as cursor with the same filters.",
		Access: auth.Scope("activity:read"),
	}, s.listActivity)
	undoes := s.undoes()
	if len(s.undoing) == 0 || len(undoes) == 0 {
		return
	}
	Register(s, Operation{
		ID: undoActivity, Method: http.MethodPost, Path: "/api/v1/activity/{activity_id}/undo",
		Summary: "Undo one change",
		Description: "Takes back one change that listActivity shows as undoable, and returns the undo as an " +
			"activity, which can be undone as well. Answers 409 if something was changed since, and says what.",
		Access: undoes[0], Effect: Write, undoes: undoes,
	}, s.undoActivity)
}

// undoes are the accesses of the operations whose changes are kept here, last those of changes
// that cannot be undone, which whoever made one is told. Which of them it takes depends on what
// is undone, see [Service.admitAgain].
func (s *Service) undoes() (accesses []auth.Access) {
	for _, external := range []bool{false, true} {
		for _, op := range s.operations {
			if op.Effect != Read && op.External == external && !op.Access.IsPublic() &&
				!slices.Contains(accesses, op.Access) {
				accesses = append(accesses, op.Access)
			}
		}
	}
	return accesses
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
func (s *Service) Undoable(prefix string, permit func(context.Context, store.Activity) error,
	revert func(*store.Tx, store.Activity) error) {
	var others []string
	for _, u := range s.undoing {
		others = append(others, u.prefix)
	}
	s.checkPrefix("Undoable", prefix, revert != nil, others)
	s.undoing = append(s.undoing, undoing{prefix, permit, revert})
}

func (s *Service) undoingOf(a store.Activity) (undoing, bool) {
	served := slices.ContainsFunc(s.operations, func(op Operation) bool { return op.ID == a.Operation })
	for _, u := range s.undoing {
		if served && a.Outcome == store.Done && strings.HasPrefix(a.Target, u.prefix) {
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
	App       string        `json:"app,omitempty" doc:"Client identifier of the app; absent if done on the account page"`
	AppName   string        `json:"app_name,omitempty" doc:"Name of the app, and its host"`
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
	if a.Removes && s.options.Now().After(a.At.Add(store.RestoreWindow)) {
		undoable = false
	}
	return Activity{ID: a.ID, At: rfc3339(a.At), Operation: a.Operation, App: a.Client, Target: a.Target,
		Outcome:  a.Outcome,
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
		b, c := shown(before[name]), shown(after[name])
		if b != c || strings.HasSuffix(b, "…") && before[name] != after[name] { // they differ after what is shown
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
	App      string `query:"app" maxLength:"128" pattern:"^[A-Za-z0-9._-]+$" doc:"Only changes through this app: its client identifier, or the word \"this\" for the calling app. Leave out for all"`
	Removals bool   `query:"removals" doc:"true: only changes that took something away, such as deleting a task. Leave out for all"`
	Limit    int    `query:"limit" minimum:"1" maximum:"50" default:"20" doc:"How many activities to return at most, 1 to 50"`
	Cursor   string `query:"cursor" maxLength:"2000" doc:"next_cursor of the previous page, with the same filters. Leave out for the first page"`
}

type listActivityOutput struct {
	Body struct {
		Activities []Activity `json:"activities" doc:"Activities of this page, the newest first"`
		KnownSince string     `json:"known_since,omitempty" doc:"Changes up to this time are not kept any more, RFC 3339, UTC; absent if all are"`
		NextCursor string     `json:"next_cursor,omitempty" doc:"Pass as cursor for the next page; absent on the last page"`
	}
}

// listActivity shows the caller's own only.
func (s *Service) listActivity(ctx context.Context, in *listActivityInput) (*listActivityOutput, error) {
	identity := auth.From(ctx)
	query := store.ActivityQuery{Subject: identity.Subject, Client: in.App, Removals: in.Removals, Limit: in.Limit + 1}
	if in.App == "this" {
		query.Client = identity.ClientID
	}
	list := []string{"listActivity", identity.Owner(), identity.Subject, query.Client, strconv.FormatBool(in.Removals)}
	var ok bool
	if query.After, ok = s.cursors.open(in.Cursor, list...); !ok {
		return nil, Invalid("query.cursor",
			"is not a cursor of this list; pass next_cursor unchanged, with the same filters, or leave it out")
	}
	since, err := s.options.Store.KnownSince(ctx, identity.Owner())
	if err != nil {
		return nil, err
	}
	activities, err := s.options.Store.Activities(ctx, identity.Owner(), query)
	if err != nil {
		return nil, err
	}
	out := &listActivityOutput{}
	out.Body.KnownSince = rfc3339(since)
	var apps []string
	for _, a := range activities {
		if a.Client != "" {
			apps = append(apps, a.Client)
		}
	}
	known := s.options.Connections.Apps(ctx, apps)
	shown, last, err := cutPage(activities, in.Limit, func(a store.Activity) Activity {
		activity := s.activityFrom(a)
		activity.AppName = known[a.Client].Label()
		return activity
	})
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
	if err := s.admitAgain(ctx, activity); err != nil {
		return nil, err
	}
	undoing, ok := s.undoingOf(activity)
	if !ok {
		return nil, errNotUndoable
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

var errNotUndoable = Conflict("this activity cannot be undone here", "listActivity says which can be.")

// admitAgain asks whether the caller may call the operation that made the change; of an undo,
// the one whose change was undone.
func (s *Service) admitAgain(ctx context.Context, a store.Activity) error {
	identity := auth.From(ctx)
	for a.Operation == undoActivity {
		before, err := s.options.Store.Activity(ctx, a.Owner, a.Subject, a.RefersTo)
		if err != nil {
			return fmt.Errorf("undo activity: %w", err)
		}
		a = before
	}
	at := slices.IndexFunc(s.operations, func(op Operation) bool { return op.ID == a.Operation })
	if at < 0 {
		return errNotUndoable
	}
	op := s.operations[at]
	if err := s.permitted(ctx, op, identity); err != nil {
		return s.refusal(ctx, op, err)
	}
	return nil
}

// referTo names the activity that this call takes back.
func referTo(ctx context.Context, id string) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.activity.RefersTo = id
	}
}
