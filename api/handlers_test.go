package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/guestpasstest"
	"guestpass/store"
)

// A handling is a handler that does something wrong, or just not, with what comes of the first call.
type handling struct {
	name    string
	change  func(*api.Operation)
	handler func(context.Context, *api.Service) (*ok, error)
	status  int
	log     string // "" if nothing is wrong
	kept    string // outcome of the change on record; "" for none
}

// put keeps a change that says what it has changed.
func put(ctx context.Context, s *api.Service) (*ok, error) {
	return api.InTransaction(ctx, s, func(tx *store.Tx) (*ok, error) {
		tx.Changed("shf_1", nil, nothing{})
		return new(ok), nil
	})
}

func reads(op *api.Operation) { op.Effect = api.Read }

func elsewhere(op *api.Operation) { op.External = true }

var handlings = []handling{
	{"nothing, of what reads", reads, func(context.Context, *api.Service) (*ok, error) { return nil, nil },
		500, "the handler of doThing returned nil for its output, and no error", ""},
	{"nothing, of a transaction", nil, func(ctx context.Context, s *api.Service) (*ok, error) {
		return api.InTransaction(ctx, s, func(tx *store.Tx) (*ok, error) {
			tx.Changed("shf_1", nil, nothing{})
			return nil, nil
		})
	}, 500, "the handler of doThing returned nil for its output, and no error", ""},
	{"nothing, after a transaction", nil, func(ctx context.Context, s *api.Service) (*ok, error) {
		_, err := put(ctx, s)
		return nil, err
	}, 500, "the handler of doThing returned nil for its output, and no error", store.Done},
	{"nothing, of what is done elsewhere", elsewhere, func(context.Context, *api.Service) (*ok, error) {
		return nil, nil
	}, 500, "the handler of doThing returned nil for its output, and no error", store.Failed},
	{"a second transaction", nil, func(ctx context.Context, s *api.Service) (*ok, error) {
		if _, err := put(ctx, s); err != nil {
			return nil, err
		}
		return put(ctx, s)
	}, 500, "the handler of doThing uses InTransaction a second time: change in one what belongs together", store.Done},
	{"a second transaction whose error is passed over", nil, func(ctx context.Context, s *api.Service) (*ok, error) {
		out, err := put(ctx, s)
		_, _ = put(ctx, s)
		return out, err
	}, 500, "the handler of doThing uses InTransaction a second time", store.Done},
	{"a second transaction whose error becomes another", nil, func(ctx context.Context, s *api.Service) (*ok, error) {
		_, _ = put(ctx, s)
		if _, err := put(ctx, s); err != nil {
			return nil, api.Conflict("no", "no")
		}
		return new(ok), nil
	}, 500, "the handler of doThing uses InTransaction a second time", store.Done},
	{"a transaction in another", nil, func(ctx context.Context, s *api.Service) (*ok, error) {
		return api.InTransaction(ctx, s, func(tx *store.Tx) (*ok, error) {
			tx.Changed("shf_1", nil, nothing{})
			_, _ = put(ctx, s)
			return new(ok), nil
		})
	}, 500, "the handler of doThing uses InTransaction a second time", ""},
	{"a transaction after one that failed", nil, func(ctx context.Context, s *api.Service) (*ok, error) {
		_, err := api.InTransaction(ctx, s, func(*store.Tx) (*ok, error) { return nil, errors.New("not this way") })
		if err == nil {
			return nil, errors.New("it did not fail")
		}
		return put(ctx, s)
	}, 200, "", store.Done},
	{"a transaction of another output", nil, func(ctx context.Context, s *api.Service) (*ok, error) {
		_, err := api.InTransaction(ctx, s, func(tx *store.Tx) (*nothing, error) {
			tx.Changed("shf_1", nil, nothing{})
			return new(nothing), nil
		})
		return new(ok), err
	}, 500, "InTransaction in the handler of doThing returns a api_test.nothing", ""},
	{"a transaction in what reads", reads, put,
		500, "the handler of doThing uses InTransaction, and its Effect is api.Read", ""},
	{"a transaction in what is done elsewhere", elsewhere, put,
		500, "the handler of doThing uses InTransaction, and doThing is External", store.Failed},
	{"a transaction that does not say what it changed", nil, func(ctx context.Context, s *api.Service) (*ok, error) {
		return api.InTransaction(ctx, s, func(*store.Tx) (*ok, error) { return new(ok), nil })
	}, 500, "the transaction of doThing does not say what it has changed, so it was undone", ""},
	{"a transaction that says it changed nothing", nil, func(ctx context.Context, s *api.Service) (*ok, error) {
		return api.InTransaction(ctx, s, func(*store.Tx) (*ok, error) {
			api.Unchanged(ctx)
			return new(ok), nil
		})
	}, 200, "", ""},
	{"a transaction that changes all the same", nil, func(ctx context.Context, s *api.Service) (*ok, error) {
		return api.InTransaction(ctx, s, func(tx *store.Tx) (*ok, error) {
			api.Unchanged(ctx)
			tx.Changed("shf_1", nil, nothing{})
			return new(ok), nil
		})
	}, 200, "", store.Done},
	{"no transaction", nil, func(context.Context, *api.Service) (*ok, error) { return new(ok), nil },
		500, "the handler of doThing neither used InTransaction nor said Unchanged", ""},
	{"no transaction, as nothing had to be changed", nil, func(ctx context.Context, _ *api.Service) (*ok, error) {
		api.Unchanged(ctx)
		return new(ok), nil
	}, 200, "", ""},
	{"no transaction, as it is done elsewhere", elsewhere, func(context.Context, *api.Service) (*ok, error) {
		return new(ok), nil
	}, 200, "", store.Done},
}

// handle starts a server whose resource has one operation, that of a handling.
func handle(t *testing.T, op api.Operation, register func(*api.Service, api.Operation)) *guestpasstest.World {
	t.Helper()
	return guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{{Name: "things",
		Register: func(s *api.Service) { register(s, op) }}}})
}

// What a handler does wrong is found when it does, and the log says which operation and which request.
func TestEveryMistakeInAHandlerIsToldAtTheFirstCall(t *testing.T) {
	for _, h := range handlings {
		t.Run(h.name, func(t *testing.T) {
			op := api.Operation{ID: "doThing", Method: http.MethodPost, Path: "/api/v1/thing", Summary: "Do it",
				Description: "Does it.", Access: auth.Scope("tasks:write"), Effect: api.Write}
			if h.change != nil {
				h.change(&op)
			}
			w := handle(t, op, func(s *api.Service, op api.Operation) {
				api.Register(s, op, func(ctx context.Context, _ *nothing) (*ok, error) { return h.handler(ctx, s) })
			})
			r := w.As(guestpasstest.Ada, "tasks:write").Call("POST", "/api/v1/thing", "")
			var problem api.Problem
			if err := json.Unmarshal([]byte(r.Body), &problem); err != nil || r.Status != h.status {
				t.Fatalf("%d %s", r.Status, r.Body)
			}
			if h.log != "" && !loggedFor(w.Log.String(), h.log, problem.RequestID) {
				t.Errorf("the log lacks %q for %s:\n%s", h.log, problem.RequestID, w.Log)
			}
			if kept := strings.Join(recorded(t, w), " "); kept != h.kept {
				t.Errorf("on record is %q, want %q", kept, h.kept)
			}
		})
	}
}

// loggedFor reports whether a line of the log tells of an error in doThing with that request.
func loggedFor(log, text, request string) bool {
	for line := range strings.Lines(log) {
		var said struct{ Level, Error, Operation, Request_ID string }
		if json.Unmarshal([]byte(line), &said) == nil && said.Level == "ERROR" && strings.Contains(said.Error, text) &&
			said.Operation == "doThing" && said.Request_ID == request && request != "" {
			return true
		}
	}
	return false
}

// recorded returns the outcomes of Ada's activities.
func recorded(t *testing.T, w *guestpasstest.World) (outcomes []string) {
	t.Helper()
	activities, err := w.Store.Activities(t.Context(), guestpasstest.Acme,
		store.ActivityQuery{Subject: guestpasstest.Ada, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, activity := range activities {
		outcomes = append(outcomes, activity.Outcome)
	}
	return outcomes
}

// 204 is said by an output that is nil, also to a repetition.
func TestAnAnswerWithoutABodyIsNil(t *testing.T) {
	w := handle(
		t,
		api.Operation{
			ID:          "clearThing",
			Method:      http.MethodDelete,
			Path:        "/api/v1/thing",
			Summary:     "Clear it",
			Description: "Clears it.",
			Access:      auth.Scope("tasks:write"),
			Effect:      api.Destroy,
			Status:      http.StatusNoContent,
		},
		func(s *api.Service, op api.Operation) {
			api.Register(s, op, func(ctx context.Context, _ *nothing) (*nothing, error) {
				return api.InTransaction(ctx, s, func(tx *store.Tx) (*nothing, error) {
					tx.Changed("shf_1", nothing{}, nil)
					return nil, nil
				})
			})
		},
	)
	p := w.As(guestpasstest.Ada)
	for range 2 {
		p.Do(204, "DELETE", "/api/v1/thing", "", func(r *http.Request) { r.Header.Set("Idempotency-Key", "once") })
	}
	if kept := recorded(t, w); len(kept) != 1 {
		t.Errorf("on record is %q", kept)
	}
}
