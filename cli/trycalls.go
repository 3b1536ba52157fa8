//go:build !production

package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"guestpass/gpttest"
	"guestpass/mcptest"
)

// walk calls every published operation once, in an order and with arguments that follow
// from the document, or the list of tools, and from earlier answers:
//
//   - first it looks at what is there, so that it knows what is not its own;
//   - then it creates, and reads what it created;
//   - it changes what it created itself or what speaks of that, and removes what it
//     created itself and nothing else, parts before the whole;
//   - at last it restores and undoes.
//
// An operation that lacks an identifier waits for the answers of the others.
type walk struct {
	*try
	surface surface
	maker   gpttest.Maker
	memory  memory
	all     []*planned
	pending []*planned
	failed  int
	calls   answered
	// onlyReads is set for a server that is not on this machine.
	onlyReads bool
	stuck     bool // nothing else is known: the document's examples of identifiers have to do
}

// surface is the way in which operations are called: as the action of a GPT, or as tools of an MCP client.
type surface interface {
	// call returns what was answered, whatever it was.
	call(ctx context.Context, op gpttest.Operation, arguments map[string]any) (*reply, error)
	// SignedIn reports whether there is a token.
	SignedIn() bool
}

// A reply is an answer, and how it is shown.
type reply struct {
	*gpttest.Result
	shown string // in place of the status
}

// action calls operations as ChatGPT does.
type action struct{ *gpttest.GPT }

func (a action) call(ctx context.Context, op gpttest.Operation, arguments map[string]any) (*reply, error) {
	result, err := a.Call(ctx, op.ID, arguments)
	if err != nil {
		return nil, err
	}
	return &reply{result, strconv.Itoa(result.Status)}, nil
}

// callAll calls all operations and returns how many failed. An error means that it ended early.
func (t *try) callAll(ctx context.Context, s surface, operations []gpttest.Operation, onlyReads bool) (failed int,
	err error) {
	w := &walk{try: t, surface: s, all: plan(operations), onlyReads: onlyReads}
	w.pending = slices.Clone(w.all)
	within, cancel := context.WithTimeoutCause(ctx, cmp.Or(t.within, callsTogether), errTooSlow)
	defer cancel()
	for len(w.pending) > 0 {
		if err := w.next(within); err != nil {
			return w.failed, err
		}
	}
	return w.failed, w.calls.verdict(t.print.source)
}

// callsTogether is how long all calls together may take, unless --within says otherwise.
const callsTogether = 2 * time.Minute

// errTooSlow is why the calls of a walk end before they are done.
var errTooSlow = errors.New("the calls took too long together")

// answered counts the calls that went well, and those of them that were answered as the
// document says.
type answered struct{ well, asDeclared int }

func (a *answered) count(status int, one answer) {
	if status < 300 {
		a.well++
		if one.problem == "" {
			a.asDeclared++
		}
	}
}

// verdict returns an error if the source, a document or a list, does not describe the server.
func (a *answered) verdict(source string) error {
	if a.well == 0 || a.asDeclared > 0 {
		return nil
	}
	return fmt.Errorf("none of the answers is what the %s declares (%s): is it the %[1]s of this server?", source,
		count(a.well, "answer"))
}

// next calls the first operation whose identifiers are known. If there is none, it reads
// once more what may tell one for the first, and else leaves that out.
func (w *walk) next(ctx context.Context) error {
	for _, op := range w.pending {
		if reason := w.unsafe(op); reason != "" {
			w.leave(op, reason)
			return nil
		}
		if given, lacking := w.given(op); lacking == nil {
			return w.settle(ctx, op, given)
		}
	}
	op := w.pending[0]
	_, lacking := w.given(op)
	for _, source := range w.sources(op, *lacking) {
		arguments, err := w.maker.Arguments(source.Operation, nil, source.omitted())
		if err != nil {
			continue // it was left out before
		}
		if err := w.call(ctx, source, arguments); err != nil {
			return err
		}
		if given, still := w.given(op); still == nil {
			return w.settle(ctx, op, given)
		}
	}
	w.stuck = true
	given, still := w.given(op)
	if w.stuck = false; still == nil {
		return w.settle(ctx, op, given)
	}
	w.leave(op, w.memory.reason(op, *lacking))
	return nil
}

// reason says why there is no value for an identifier.
func (m *memory) reason(op *planned, lacking identifier) string {
	if !op.actsOn(lacking) {
		return fmt.Sprintf("no answer has told a %s for %s", or(lacking.kind, "value"), lacking.Name)
	}
	for _, t := range slices.Backward(m.things) {
		switch {
		case t.kind != lacking.kind:
		case t.made && t.gone:
			return fmt.Sprintf("this run has deleted the %s %v that it made, and has no other for %s", t.kind, t.id,
				lacking.Name)
		case t.made:
			return fmt.Sprintf("the %s %v that this run made does not do for %s", t.kind, t.id, lacking.Name)
		case t.doubt:
			return fmt.Sprintf("nothing proves that this run made the %s %v, which %s would name: its creation was "+
				"not answered 201, "+
				"and no whole list was read before", t.kind, t.id, lacking.Name)
		}
	}
	if lacking.kind == "" {
		return "this run made nothing of its own for " + lacking.Name
	}
	return fmt.Sprintf("this run made no %s of its own for %s", lacking.kind, lacking.Name)
}

// settle calls op or leaves it out, and is done with it.
func (w *walk) settle(ctx context.Context, op *planned, given map[string]any) error {
	if w.maker.EmailDomain = w.memory.domain; w.as != "" {
		_, w.maker.EmailDomain, _ = strings.Cut(w.as, "@")
	}
	arguments, err := w.maker.Arguments(op.Operation, given, op.omitted())
	if err != nil {
		w.leave(op, err.Error())
		return nil
	}
	if place := w.invented(op, given, arguments); place != "" {
		w.leave(op, "no answer has told a value for "+place+", and a made-up one might be that of something else")
		return nil
	}
	w.pending = slices.DeleteFunc(w.pending, func(other *planned) bool { return other == op })
	return w.call(ctx, op, arguments)
}

// invented returns where in the arguments of a change an identifier stands that neither an answer nor a list in the
// document tells; "" is nowhere. It looks into objects and lists, whose members cannot be given one by one.
func (w *walk) invented(op *planned, given, arguments map[string]any) string {
	if !op.writes() {
		return ""
	}
	for _, a := range op.Arguments {
		value, sent := arguments[a.Name]
		if _, known := given[a.Name]; !sent || known || len(a.Enum) > 0 {
			continue
		}
		if place := w.inventedIn(op, a.Name, a.Name, value); place != "" {
			return place
		}
	}
	return ""
}

func (w *walk) inventedIn(op *planned, place, name string, value any) string {
	switch value := value.(type) {
	case map[string]any:
		for _, inner := range slices.Sorted(maps.Keys(value)) {
			if found := w.inventedIn(op, place+"."+inner, inner, value[inner]); found != "" {
				return found
			}
		}
	case []any:
		for _, element := range value {
			if found := w.inventedIn(op, place, name, element); found != "" {
				return found
			}
		}
	case nil, bool:
	default:
		if kind, ok := identified(name); ok && kind != "" || op.isBare(name) {
			return place
		}
	}
	return ""
}

// unsafe says why the operation is not called at all: on a server that is somewhere else
// it changes something, or it changes or removes what nothing names, so that it cannot be
// something of this run's own.
func (w *walk) unsafe(op *planned) string {
	const byName = "; name it with --call to call it all the same"
	switch {
	case w.onlyReads && op.writes():
		return "changes something on a server that is not on this machine" + byName
	case len(op.needs) > 0:
		return ""
	case op.effect == removes:
		return "removes something that this run did not make" + byName
	case op.effect == changes && op.Method != http.MethodPost, op.effect == undoes, op.effect == restores:
		return "changes something that this run did not make" + byName
	}
	return ""
}

func (w *walk) leave(op *planned, reason string) {
	w.print.step("call", "skipped", map[string]any{"operation": op.ID, "reason": reason}, op.ID+" is left out: "+reason)
	w.pending = slices.DeleteFunc(w.pending, func(other *planned) bool { return other == op })
}

// call makes one call and learns from the answer.
func (w *walk) call(ctx context.Context, op *planned, arguments map[string]any) error {
	if op.stale = false; op.writes() {
		w.memory.wrote = true
		for _, other := range w.all {
			other.stale = true
		}
	}
	signedIn := w.surface.SignedIn()
	result, err := w.surface.call(ctx, op.Operation, arguments)
	if err != nil {
		return w.noAnswer(ctx, op, arguments, err)
	}
	w.print.called(op.Operation, arguments, result, false)
	answer := judged(op.Operation, result.Result)
	w.calls.count(result.Status, answer)
	switch {
	case answer.unreadable:
		w.failed++
	case result.Status < 300:
		w.memory.learn(op, arguments, result.Status, result.Body)
		w.memory.forget(op, arguments)
	case result.Status != http.StatusForbidden:
		w.failed++
	}
	if signedIn && !w.surface.SignedIn() {
		return fmt.Errorf("%s was answered 401: %s would ask the person to sign in again; %s not called", op.ID,
			w.print.client, count(len(w.pending), "operation"))
	}
	return nil
}

// noAnswer reports why there is no answer. It ends the walk only if further calls are in vain.
func (w *walk) noAnswer(ctx context.Context, op *planned, arguments map[string]any, err error) error {
	if errors.Is(context.Cause(ctx), errTooSlow) {
		return fmt.Errorf("call %s: the calls took longer than %s together (--within says how long they may): %s not "+
			"called",
			op.ID, w.within, count(len(w.pending), "operation"))
	}
	if ctx.Err() != nil || errors.As(err, new(*url.Error)) || errors.As(err, new(*gpttest.SignInError)) ||
		errors.As(err, new(*mcptest.SignInError)) {
		return fmt.Errorf("call %s: %w", op.ID, err)
	}
	w.failed++
	sent, _ := json.Marshal(arguments)
	w.print.step("call", "failed", map[string]any{"operation": op.ID, "arguments": arguments, "error": err.Error()},
		fmt.Sprintf("%s %s\n  %v", op.ID, sent, err))
	return nil
}

// forget notes what op deleted or brought back: of several things that a body names the
// one that the operation is about, or the first.
func (m *memory) forget(op *planned, arguments map[string]any) {
	concerned := op.main()
	if i := slices.IndexFunc(concerned, func(need identifier) bool { return need.own }); len(concerned) > 1 {
		concerned = concerned[max(i, 0):][:1]
	}
	for _, need := range concerned {
		for _, t := range m.things {
			if t.kind == need.kind && same(arguments[need.Name], t.id) {
				t.gone = op.effect == removes && op.deletes() || t.gone && op.effect != restores
			}
		}
	}
}

// given returns the arguments that earlier answers tell: identifiers, versions, and a name for this call, without which
// an equal call of an earlier run would be taken for the same. lacking is the first identifier that is not known.
func (w *walk) given(op *planned) (given map[string]any, lacking *identifier) {
	given = map[string]any{}
	for _, need := range slices.Backward(op.needs) { // what is acted on first: it knows its parents
		if _, known := given[need.Name]; known {
			continue
		}
		t, value := w.find(op, need)
		if value == nil {
			return nil, &need
		}
		given[need.Name] = value
		if t == nil || !slices.ContainsFunc(op.main(), need.is) {
			continue
		}
		for _, a := range op.Arguments {
			if parent, ok := t.parent[a.Name]; ok && a.In == "path" && given[a.Name] == nil {
				given[a.Name] = parent
			}
			if version, ok := t.fields[plain(a.Name)]; ok && op.writes() && slices.Contains(versions, plain(a.Name)) &&
				a.Schema.Validate(version) == nil {
				given[a.Name] = version
			}
		}
	}
	for _, a := range op.Arguments {
		if op.writes() && slices.Contains(repeating, plain(a.Name)) {
			if value, err := w.maker.Value(a.Name, a.Schema); err == nil {
				given[a.Name] = value
			}
		}
	}
	return given, nil
}

// actsOn reports whether need names what the operation changes, not merely where that is.
// What creates may overwrite what its own identifier names.
func (p *planned) actsOn(need identifier) bool {
	return p.writes() && need.own || p.effect >= changes && slices.ContainsFunc(p.main(), need.is)
}

// find returns a thing of the right kind and its value for the argument. What the document gives as an example is taken
// only where nothing is changed.
func (w *walk) find(op *planned, need identifier) (*thing, any) {
	for _, t := range w.memory.candidates(op, need) {
		if value, ok := t.value(need.Argument); ok {
			return t, value
		}
	}
	if w.stuck && !op.writes() && need.Example != nil && need.Schema.Validate(need.Example) == nil {
		return nil, need.Example
	}
	return nil, nil
}

// sources returns the operations whose answers may tell by now what op lacks. No answer can repeat what this run made.
func (w *walk) sources(op *planned, lacking identifier) (sources []*planned) {
	if op.effect == removes || op.effect == restores {
		return nil
	}
	for _, source := range w.all {
		if source.effect == lists && source.stale &&
			(slices.Contains(source.subjects, lacking.kind) || source.Reply(http.StatusOK).Names()[lacking.Name]) {
			sources = append(sources, source)
		}
	}
	return sources
}

// omitted returns the arguments that are left out where they may be: they would name something that is not known, or
// make a removal take more than what is named.
func (p *planned) omitted() (names []string) {
	for _, a := range p.Arguments {
		if _, id := identified(a.Name); !a.Required &&
			(id || p.isBare(a.Name) || p.effect == removes || slices.Contains(versions, plain(a.Name))) {
			names = append(names, a.Name)
		}
	}
	return names
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
