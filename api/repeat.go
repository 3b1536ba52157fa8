package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"guestpass/store"
)

// How long an equal call gets the answer of the first one; by a key that the client made up it is for the store to say.
const (
	rememberDerived = 10 * time.Minute // by content: ChatGPT repeats within seconds
	rememberRunning = time.Minute      // after which a call that never ended is given up
)

// Once is embedded in the request body of an operation that creates something, so
// that a repeated call does not create it twice. Without a request_id an equal call of
// the same person through the same app within ten minutes counts as a repetition.
type Once struct {
	RequestID requestID `json:"request_id,omitempty" minLength:"1" maxLength:"64"`
}

func (o *Once) once() *Once { return o }

type requestID string

// Schema has the text that would be too long for a tag.
func (requestID) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString,
		Description: "Leave out unless two equal calls within 10 minutes are both meant: then give each a text of " +
			"its own. For 24 hours the same text is a repetition"}
}

// Repeatable is embedded in the reply body of such an operation.
type Repeatable struct {
	Repeated repeated `json:"repeated,omitempty"`
}

type repeated bool

// Schema has the text that would be too long for a tag.
func (repeated) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeBoolean,
		Description: "true: an equal call was carried out before, this is its answer, and nothing was done again"}
}

func (r *Repeatable) markRepeated() { r.Repeated = true }

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

// answer keeps the reply for repetitions, as long as its target exists.
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

// Existing says how to find out whether something that an operation created still exists, for targets whose identifiers
// begin with prefix. A repeated call whose target is gone meanwhile creates it anew, instead of getting the first
// answer. Call it where the operations are registered.
func (s *Service) Existing(prefix string, exists func(ctx context.Context, owner, id string) (bool, error)) {
	var others []string
	for _, e := range s.existing {
		others = append(others, e.prefix)
	}
	s.checkPrefix("Existing", prefix, exists != nil, others)
	s.existing = append(s.existing, existing{prefix, exists})
}

// isGone reports whether a target is gone. It reports false if that cannot be looked up, so that nothing is created
// twice because something else fails.
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

// repeat turns the earlier answer into this call's.
func repeat[Out any](earlier store.Reply) (*Out, error) {
	if earlier.JSON == "" {
		return nil, huma.ErrorWithHeaders(Conflict("an equal call is still being carried out",
			"Wait as long as Retry-After says, then make the same call again to get its "+
				"answer.").(*Problem), retryAfter(2*time.Second))
	}
	out := new(Out)
	body := bodyOf(out)
	if body == nil { // 204
		return out, nil
	}
	if err := json.Unmarshal([]byte(earlier.JSON), body); err != nil {
		return nil, fmt.Errorf("read the earlier answer: %w", err)
	}
	if r, ok := body.(interface{ markRepeated() }); ok {
		r.markRepeated()
	}
	return out, nil
}

// bodyOf returns a pointer to the field Body of a Huma input or output; nil without one.
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
	_, once := bodyOf(new(In)).(interface{ once() *Once })
	_, repeatable := bodyOf(new(Out)).(interface{ markRepeated() })
	switch {
	case op.Effect == Read && (once || repeatable):
		return errors.New("it only reads, and repeating that does no harm: leave api.Once and api.Repeatable out")
	case op.Effect != Read && op.Status == http.StatusCreated && !(once && repeatable):
		return errors.New("it creates something (status 201), so embed api.Once in its request body and " +
			"api.Repeatable in its reply body: ChatGPT may repeat a call")
	case op.Effect != Read && once != repeatable:
		return errors.New("it embeds one of api.Once and api.Repeatable: embed both, the first in its request body, " +
			"the other in its reply body, or none")
	}
	return nil
}
