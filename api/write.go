package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5/middleware"

	"guestpass/auth"
	"guestpass/internal/pattern"
	"guestpass/store"
)

// A call is one call of an operation that changes something, on its way to the store.
type call struct {
	claim    *store.Claim // nil: nothing to recognise a repetition by
	keep     time.Duration
	creates  bool
	activity store.Activity

	operation Operation
	output    reflect.Type
	unchanged bool // the handler says so
	mutex     sync.Mutex
	begun     bool  // a transaction that was not undone; there is one
	fault     error // of the handler, which it cannot take back
}

type callKey struct{}

// handled calls the handler. A mistake that the handler makes with its transaction fails the call, whatever it returns.
func handled[In, Out any](ctx context.Context, c *call, in *In, handler func(context.Context, *In) (*Out, error)) (*Out,
	error) {
	out, err := handler(context.WithValue(ctx, callKey{}, c), in)
	if c.fault != nil {
		return nil, c.fault
	}
	return out, err
}

// carryOut calls the handler of an operation. It records a change in the transaction that makes it (see
// [InTransaction]) or, if the effect is outside of the database, before and after. A repetition gets the first answer.
func carryOut[In, Out any](ctx context.Context, s *Service, op Operation, in *In, handler func(context.Context,
	*In) (*Out, error)) (*Out, error) {
	if op.Effect == Read {
		return handled(ctx, &call{operation: op}, in, handler)
	}
	if s.options.Store == nil {
		return nil, fmt.Errorf("no store to record %s in: %w", op.ID, store.ErrUnavailable)
	}
	c, err := newCall(ctx, s, op, in)
	if err != nil {
		return nil, err
	}
	c.output = reflect.TypeFor[Out]()
	if c.claim != nil {
		earlier, found, err := s.options.Store.Reply(ctx, *c.claim)
		if err != nil {
			return nil, err
		}
		if found && !(c.creates && s.isGone(ctx, c.activity.Owner, earlier.Target)) {
			return repeat[Out](earlier)
		}
		c.claim.Gone = earlier.Target // another call may take the key meanwhile, whose answer counts
	}
	if op.External {
		return carryOutExternally(ctx, s, c, in, handler)
	}
	out, err := handled(ctx, c, in, handler)
	var earlier *repeatedError
	switch {
	case errors.As(err, &earlier):
		return repeat[Out](earlier.reply)
	case err == nil && !c.begun && !c.unchanged:
		return nil, fmt.Errorf("the handler of %s neither used InTransaction nor said Unchanged, so what it did is "+
			"not recorded: change things in api.InTransaction, say api.Unchanged if nothing had to be, or declare the "+
			"operation External if its effect is elsewhere", op.ID)
	}
	return out, err
}

func newCall[In any](ctx context.Context, s *Service, op Operation, in *In) (*call, error) {
	identity, headers := auth.From(ctx), headersFrom(ctx)
	c := &call{operation: op, activity: store.Activity{
		Owner: identity.Owner(), Subject: identity.Subject, Client: identity.ClientID, Operation: op.ID,
		Outcome: store.Done,
		Removes: op.Effect == Destroy,
		Request: middleware.GetReqID(ctx), Conversation: headers.conversation,
	}}
	content := *in
	given := headers.idempotencyKey
	if body, ok := bodyOf(&content).(interface{ once() *Once }); ok {
		c.creates = true
		if id := body.once().RequestID; id != "" {
			given = string(id)
		}
		body.once().RequestID = ""
	}
	if given == "" && !c.creates {
		return c, nil
	}
	canonical, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	digest := store.Digest(string(canonical))
	kind, key := "given", given
	c.keep = s.options.Store.KeepReplies()
	if given == "" {
		kind, key, c.keep = "derived", digest, rememberDerived
	}
	c.claim = &store.Claim{Body: digest, For: c.keep, Owner: identity.Owner(), Person: identity.Subject,
		Key: store.Digest(identity.Owner(), identity.Subject, identity.ClientID, op.ID, kind, key)}
	return c, nil
}

// InTransaction is the part of a handler that changes something: f, the record of it, and the answer to repetitions are
// kept together or not at all. Ask others (Stytch, say) before: all writers may have to wait for f. f may run more than
// once. It notes what it has changed with [store.Tx.Changed], or says [Unchanged].
//
// A call has one transaction: what belongs together is kept together. A second one is refused before
// it begins, and the call fails with 500; what the first has kept stays, with its record, as it cannot be undone
// here. So does one inside of another, and then nothing is kept. After one that has failed, and so left nothing,
// another may be tried.
func InTransaction[Out any](ctx context.Context, s *Service, f func(*store.Tx) (*Out, error)) (*Out, error) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return nil, errors.New("InTransaction outside of an operation: pass on the context that the handler was given")
	}
	if err := c.begin(reflect.TypeFor[Out]()); err != nil {
		return nil, err
	}
	var out *Out
	err := s.options.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if err := c.take(tx); err != nil {
			return err
		}
		tx.By(c.activity.Subject)
		c.unchanged = false
		if out, err = f(tx); err != nil {
			return err
		}
		if err := cmp.Or(c.fault, checkOutput(c.operation, out)); err != nil {
			return err
		}
		target, err := c.record(tx)
		if err != nil {
			return err
		}
		return c.answer(tx, target, bodyOf(out))
	})
	if err != nil {
		c.undone()
	}
	return out, err
}

// begin admits the one transaction of a call.
func (c *call) begin(output reflect.Type) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	switch op := c.operation; {
	case op.Effect == Read:
		c.fault = fmt.Errorf("the handler of %s uses InTransaction, and its Effect is api.Read: say api.Write or "+
			"api.Destroy, so that people are asked before", op.ID)
	case op.External:
		c.fault = fmt.Errorf("the handler of %s uses InTransaction, and %[1]s is External, so it is recorded already: "+
			"leave External out, or use Store().Write", op.ID)
	case c.begun:
		c.fault = fmt.Errorf("the handler of %s uses InTransaction a second time: change in one what belongs "+
			"together; what the first has kept stays, and nothing of the second", op.ID)
	case output != c.output:
		c.fault = fmt.Errorf("InTransaction in the handler of %s returns a %s, from which no repetition can be "+
			"answered: return the output of the operation, a %s", op.ID, output, c.output)
	default:
		c.begun = true
	}
	return c.fault
}

func (c *call) undone() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.begun = false
}

// record keeps what the transaction has noted, and returns its target.
func (c *call) record(tx *store.Tx) (target string, err error) {
	if tx.Change().Target == "" && c.activity.Target == "" {
		if c.unchanged {
			return "", nil
		}
		return "", fmt.Errorf("the transaction of %s does not say what it has changed, so it was undone: call "+
			"tx.Changed with the target before and after, or api.Unchanged if nothing had to be changed",
			c.operation.ID)
	}
	kept, err := tx.Record(c.activity)
	return kept.Target, err
}

// checkOutput returns an error if a handler returned nothing where an answer is due.
func checkOutput[Out any](op Operation, out *Out) error {
	if out != nil || op.Status == http.StatusNoContent {
		return nil
	}
	return fmt.Errorf("the handler of %s returned nil for its output, and no error: return one of the two, or declare "+
		"Status: http.StatusNoContent", op.ID)
}

// Unchanged says that the operation found things as they should be, and recorded
// nothing because nothing happened. Inside of [InTransaction] it says so of the transaction,
// unless that notes a change all the same.
func Unchanged(ctx context.Context) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.unchanged = true
	}
}

// NoteTarget names what an operation with an external effect has changed, for the
// activity record.
func NoteTarget(ctx context.Context, id string) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.activity.Target = id
	}
}

// carryOutExternally records that the call begins, makes it, and records how it ended.
func carryOutExternally[In, Out any](ctx context.Context, s *Service, c *call, in *In, handler func(context.Context,
	*In) (*Out, error)) (*Out, error) {
	if c.claim != nil {
		c.claim.For = rememberRunning
	}
	var started store.Activity
	err := s.options.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if err := c.take(tx); err != nil {
			return err
		}
		begin := c.activity
		begin.Outcome = store.Started
		started, err = tx.Record(begin)
		return err
	})
	var earlier *repeatedError
	if errors.As(err, &earlier) {
		return repeat[Out](earlier.reply)
	}
	if err != nil {
		return nil, err
	}
	out, failure := handled(ctx, c, in, handler)
	if failure == nil {
		failure = checkOutput(c.operation, out)
	}
	c.activity.RefersTo = started.ID
	err = s.options.Store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		tx.BeyondQuota()
		end := c.activity
		if failure != nil {
			end.Outcome = store.Failed
			if _, err := tx.Record(end); err != nil || c.claim == nil {
				return err
			}
			return tx.Release(*c.claim)
		}
		after, err := store.EncodeJSON(bodyOf(out))
		if err != nil {
			return err
		}
		end.After = after
		if _, err := tx.Record(end); err != nil {
			return err
		}
		return c.answer(tx, end.Target, bodyOf(out))
	})
	if err != nil { // that it began is on record
		s.log.ErrorContext(ctx, "the end of an operation was not recorded", "error", err)
	}
	return out, failure
}

// callHeaders are the request headers that writes take notice of.
type callHeaders struct{ idempotencyKey, conversation string }

type callHeadersKey struct{}

func headersFrom(ctx context.Context) callHeaders {
	h, _ := ctx.Value(callHeadersKey{}).(callHeaders)
	return h
}

var printable = pattern.New(`^[!-~]{1,255}$`)

// noteHeaders keeps Idempotency-Key and ChatGPT's conversation for operations that write.
func (s *Service) noteHeaders(ctx huma.Context, next func(huma.Context)) {
	key, conversation := ctx.Header("Idempotency-Key"), ctx.Header("Openai-Conversation-Id")
	if key != "" && !printable.MatchString(key) {
		s.refuse(ctx, faulty(FieldProblem{Location: "header.Idempotency-Key",
			Message: "must be 1 to 255 printable characters without spaces"}))
		return
	}
	if !printable.MatchString(conversation) {
		conversation = ""
	}
	if key == "" && conversation == "" {
		next(ctx)
		return
	}
	next(huma.WithValue(ctx, callHeadersKey{}, callHeaders{key, conversation}))
}
