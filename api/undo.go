package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"guestpass/auth"
	"guestpass/store"
)

// undoing says how changes to targets of one kind are taken back.
type undoing struct {
	prefix string
	permit func(context.Context, store.Activity) error
	revert func(*store.Tx, store.Activity) error
}

// Undoable lets [Undo] take back changes of targets whose identifiers begin with prefix. revert puts the target back to
// what a.Before says, in the transaction of the undo, and notes that with [store.Tx.Changed], so that the undo can be
// undone as well. permit, if not nil, is asked first whether the caller may still change the target. Call it where the
// operations are registered.
func (s *Service) Undoable(prefix string, permit func(context.Context, store.Activity) error,
	revert func(*store.Tx, store.Activity) error) {
	var others []string
	for _, u := range s.undoing {
		others = append(others, u.prefix)
	}
	s.checkPrefix("Undoable", prefix, revert != nil, others)
	s.undoing = append(s.undoing, undoing{prefix, permit, revert})
}

// Undoes reports whether [Undo] can take the activity back, unless its target was changed since. What was deleted long
// ago is final.
func (s *Service) Undoes(a store.Activity) bool {
	_, ok := s.undoingOf(a)
	return ok && !s.TooLate(a)
}

// TooLate reports whether an activity took something away so long ago that it is not kept any more.
func (s *Service) TooLate(a store.Activity) bool {
	return a.Removes && s.Now().After(a.At.Add(store.RestoreWindow))
}

// AnythingUndoable reports whether there is any operation whose changes can be taken back.
func (s *Service) AnythingUndoable() bool { return len(s.undoing) > 0 && len(s.undoes()) > 0 }

func (s *Service) undoingOf(a store.Activity) (undoing, bool) {
	served := slices.ContainsFunc(s.operations, func(op Operation) bool { return op.ID == a.Operation })
	for _, u := range s.undoing {
		if served && a.Outcome == store.Done && strings.HasPrefix(a.Target, u.prefix) {
			return u, true
		}
	}
	return undoing{}, false
}

// undoes returns the accesses of the operations whose changes are recorded, last those whose changes cannot be undone:
// whoever made one is told so. Which access a call needs depends on what it undoes, see [Service.admitAgain].
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

// Undo takes back what was done in the caller's own name by the activity with that id, in the transaction of the
// operation under way, whose declaration says Undoes; done makes its answer. Whoever may no longer make the change may
// not undo it either: the caller needs the scope, and the roles, of the operation that made it. The context is the
// handler's. The activity of another person is reported as missing.
func Undo[Out any](ctx context.Context, s *Service, id string, done func(store.Activity) *Out) (*Out, error) {
	identity := auth.From(ctx)
	activity, err := s.options.Store.Activity(ctx, identity.Owner(), identity.Subject, id)
	if err != nil {
		return nil, fmt.Errorf("undo: %w", err)
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
			return nil, fmt.Errorf("undo: %w", err)
		}
	}
	referTo(ctx, activity.ID)
	return InTransaction(ctx, s, func(tx *store.Tx) (*Out, error) {
		return done(activity), tx.Undo(activity, undoing.revert)
	})
}

var errNotUndoable = Conflict("this activity cannot be undone here",
	"What was sent, such as an invitation, cannot be taken back. Tell the person so; only activities with "+
		"undoable true can be undone.")

// admitAgain checks that the caller may call the operation that made the change; for an undo, the one whose change was
// undone.
func (s *Service) admitAgain(ctx context.Context, a store.Activity) error {
	identity := auth.From(ctx)
	for s.isUndo(a.Operation) {
		before, err := s.options.Store.Activity(ctx, a.Owner, a.Subject, a.RefersTo)
		if err != nil {
			return fmt.Errorf("undo: %w", err)
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

// undoOperation returns the operation that takes back an activity, and by which parameter it is told which; false if
// there is none.
func (s *Service) undoOperation() (op Operation, parameter string, ok bool) {
	for _, op := range s.operations {
		described := s.described[op.ID]
		if op.Undoes && described != nil && len(described.Parameters) == 1 && described.RequestBody == nil {
			return op, described.Parameters[0].Name, true
		}
	}
	return Operation{}, "", false
}

// CanUndoFor reports whether [Service.UndoFor] has an operation to carry out.
func (s *Service) CanUndoFor() bool {
	_, _, ok := s.undoOperation()
	return ok
}

// UndoFor carries out the operation that Undoes, and takes nothing but the activity's identifier, for a person of whom
// the caller knows by their session that they are it. No app is between them, so there is no token that could lack a
// scope, be revoked, or be asked about. Everything else is as always: whether the person is active and their roles
// still cover what they did, the rules of the resource, limits, quotas and the record, which has no app then.
func (s *Service) UndoFor(ctx context.Context, subject, organizationID, activityID string) Reply {
	op, parameter, ok := s.undoOperation()
	if !ok {
		return s.Invoke(ctx, Call{}) // 404
	}
	ctx, refused := s.admitPerson(ctx, auth.Identity{Subject: subject, OrganizationID: organizationID,
		Scopes: auth.NewScopes(append(s.Scopes(op), "openid")...), IssuedAt: s.options.Now()})
	if refused != nil {
		return *refused
	}
	id, _ := json.Marshal(activityID) // a string
	return s.Invoke(ctx, Call{Operation: op.ID, Arguments: map[string]json.RawMessage{parameter: id}})
}

// admitPerson is [Service.Admit] for somebody without a token.
func (s *Service) admitPerson(ctx context.Context, person auth.Identity) (context.Context, *Reply) {
	ctx = auth.NewContext(ctx, person)
	CallerOf(ctx).note(person)
	admitted, err := s.count(ctx, Operation{}, person, "")
	if err == nil {
		return admitted, nil
	}
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, "/", nil) // never fails: for the request's id
	return ctx, s.refused(ctx, r, Operation{}, err)
}

// isUndo reports whether an operation takes back what others did.
func (s *Service) isUndo(id string) bool {
	return slices.ContainsFunc(s.operations, func(op Operation) bool { return op.ID == id && op.Undoes })
}

// referTo names the activity that this call takes back.
func referTo(ctx context.Context, id string) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.activity.RefersTo = id
	}
}
