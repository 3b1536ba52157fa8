package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5/middleware"

	"guestpass/auth"
	"guestpass/internal/store"
)

// How long the answer to a call is given again to an equal one.
const (
	rememberDerived = 10 * time.Minute // by content: ChatGPT repeats within seconds
	rememberGiven   = 24 * time.Hour   // by a key that the client made up
	rememberRunning = time.Minute      // after which a call that never ended is given up
)

// Once is embedded in the request body of an operation that creates something, so
// that a repeated call does not create it twice. Without a request_id an equal call of
// the same person through the same app within ten minutes counts as a repetition.
type Once struct {
	RequestID string `json:"request_id,omitempty" minLength:"1" maxLength:"64" doc:"Leave it out unless two equal calls within 10 minutes are both meant: then give each a text of its own. A call with the same text is a repetition, for 24 hours"`
}

func (o *Once) once() *Once { return o }

// Repeatable is embedded in the reply body of such an operation.
type Repeatable struct {
	Repeated bool `json:"repeated,omitempty" doc:"true: an equal call was carried out before, this is its answer, and nothing was done again"`
}

func (r *Repeatable) markRepeated() { r.Repeated = true }

// call is one call of an operation that changes something, on its way to the store.
type call struct {
	claim    *store.Claim // nil: nothing to recognise a repetition by
	keep     time.Duration
	creates  bool
	activity store.Activity
	settled  bool // recorded, or known to have changed nothing
}

type callKey struct{}

// carryOut calls the handler of an operation. What changes something is recorded in
// the transaction that changes it (see [InTransaction]) or, if its effect is outside of
// the database, before and after; a repetition gets the first answer.
func carryOut[In, Out any](ctx context.Context, s *Service, op Operation, in *In, handler func(context.Context,
	*In) (*Out, error)) (*Out, error) {
	if op.Effect == Read {
		return handler(ctx, in)
	}
	if s.options.Store == nil {
		return nil, fmt.Errorf("no store to record %s in: %w", op.ID, store.ErrUnavailable)
	}
	c, err := newCall(ctx, op, in)
	if err != nil {
		return nil, err
	}
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
	ctx = context.WithValue(ctx, callKey{}, c)
	if op.External {
		return carryOutExternally(ctx, s, c, in, handler)
	}
	out, err := handler(ctx, in)
	var earlier *repeatedError
	switch {
	case errors.As(err, &earlier):
		return repeat[Out](earlier.reply)
	case err == nil && !c.settled:
		return nil, fmt.Errorf("%s neither used InTransaction nor said Unchanged: its effect is not recorded", op.ID)
	}
	return out, err
}

func newCall[In any](ctx context.Context, op Operation, in *In) (*call, error) {
	identity, headers := auth.From(ctx), headersFrom(ctx)
	c := &call{activity: store.Activity{
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
			given = id
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
	c.keep = rememberGiven
	if given == "" {
		kind, key, c.keep = "derived", digest, rememberDerived
	}
	c.claim = &store.Claim{Body: digest, For: c.keep, Owner: identity.Owner(), Person: identity.Subject,
		Key: store.Digest(identity.Owner(), identity.Subject, identity.ClientID, op.ID, kind, key)}
	return c, nil
}

// InTransaction is the part of a handler that changes something: f, the record of it,
// and the answer to repetitions are kept together or not at all. What must be asked of
// others (Stytch, say) is asked before: all writers may have to wait for f. f may run
// more than once.
func InTransaction[Out any](ctx context.Context, s *Service, f func(*store.Tx) (*Out, error)) (*Out, error) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return nil, errors.New("InTransaction outside of an operation that writes")
	}
	var out *Out
	err := s.options.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if err := c.take(tx); err != nil {
			return err
		}
		tx.By(c.activity.Subject)
		if out, err = f(tx); err != nil {
			return err
		}
		kept, err := tx.Record(c.activity)
		if err != nil {
			return err
		}
		return c.answer(tx, kept.Target, bodyOf(out))
	})
	c.settled = err == nil
	return out, err
}

// Unchanged says that the operation found things as they should be, and recorded
// nothing because nothing happened.
func Unchanged(ctx context.Context) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.settled = true
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
	out, failure := handler(ctx, in)
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

// take claims the call's key, if it has one.
func (c *call) take(tx *store.Tx) error {
	if c.claim == nil {
		return nil
	}
	earlier, taken, err := tx.Claim(*c.claim)
	if err != nil || taken {
		return err
	}
	return &repeatedError{earlier}
}

// answer keeps the reply for repetitions, as long as there is what it tells of.
func (c *call) answer(tx *store.Tx, target string, body any) error {
	if c.claim == nil {
		return nil
	}
	reply, err := store.EncodeJSON(body)
	if err != nil {
		return err
	}
	kept := *c.claim
	kept.For = c.keep
	return tx.KeepReply(kept, store.Reply{JSON: reply, Target: target})
}

// existing says how targets of one kind are looked up.
type existing struct {
	prefix string
	exists func(ctx context.Context, owner, id string) (bool, error)
}

// Existing says how to find out whether there is still what an operation has created: targets whose
// identifiers begin with prefix. A repeated call is not answered with what is gone meanwhile, it
// creates anew. Call it where the operations are registered.
func (s *Service) Existing(prefix string, exists func(ctx context.Context, owner, id string) (bool, error)) {
	s.existing = append(s.existing, existing{prefix, exists})
}

// isGone is false for what cannot be looked up: nothing is created twice because something else fails.
func (s *Service) isGone(ctx context.Context, owner, target string) bool {
	for _, e := range s.existing {
		if target != "" && strings.HasPrefix(target, e.prefix) {
			there, err := e.exists(ctx, owner, target)
			return err == nil && !there
		}
	}
	return false
}

// repeatedError carries the earlier answer out of a transaction that is not needed.
type repeatedError struct{ reply store.Reply }

func (e *repeatedError) Error() string { return "repeated" }

// repeat makes the earlier answer into this call's.
func repeat[Out any](earlier store.Reply) (*Out, error) {
	if earlier.JSON == "" {
		return nil, huma.ErrorWithHeaders(Conflict("an equal call is still being carried out",
			"Wait as long as Retry-After says, then make the same call again to get its "+
				"answer.").(*Problem), retryAfter(2*time.Second))
	}
	out := new(Out)
	body := bodyOf(out)
	if err := json.Unmarshal([]byte(earlier.JSON), body); err != nil {
		return nil, fmt.Errorf("read the earlier answer: %w", err)
	}
	if r, ok := body.(interface{ markRepeated() }); ok {
		r.markRepeated()
	}
	return out, nil
}

// bodyOf points to the field Body of a Huma input or output; nil without one.
func bodyOf(message any) any {
	value := reflect.ValueOf(message)
	if value.IsNil() {
		return nil
	}
	body := value.Elem().FieldByName("Body")
	if !body.IsValid() {
		return nil
	}
	return body.Addr().Interface()
}

// checkCreation finds an operation that creates but would do so twice.
func checkCreation[In, Out any](op Operation) error {
	if op.Effect == Read || op.Status != http.StatusCreated {
		return nil
	}
	_, once := bodyOf(new(In)).(interface{ once() *Once })
	_, repeatable := bodyOf(new(Out)).(interface{ markRepeated() })
	if once && repeatable {
		return nil
	}
	return errors.New("it creates something (status 201), so embed api.Once in its request body and api.Repeatable " +
		"in its reply body: ChatGPT may repeat a call")
}

// callHeaders are the request headers that operations which write take notice of.
type callHeaders struct{ idempotencyKey, conversation string }

type callHeadersKey struct{}

func headersFrom(ctx context.Context) callHeaders {
	h, _ := ctx.Value(callHeadersKey{}).(callHeaders)
	return h
}

var printable = regexp.MustCompile(`^[!-~]{1,255}$`)

// noteHeaders keeps Idempotency-Key and ChatGPT's conversation for operations that write.
func (s *Service) noteHeaders(ctx huma.Context, next func(huma.Context)) {
	key, conversation := ctx.Header("Idempotency-Key"), ctx.Header("Openai-Conversation-Id")
	if key != "" && !printable.MatchString(key) {
		_ = huma.WriteErr(s.huma, ctx, http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Location: "header.Idempotency-Key",
				Message: "must be 1 to 255 printable characters without spaces"})
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
