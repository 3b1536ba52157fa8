//go:build !production

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"guestpass/gpttest"
)

// thing is something that an answer named with an identifier.
type thing struct {
	kind   string         // "task"
	id     any            // as the answer had it
	fields map[string]any // by plain name, of the latest answer
	parent map[string]any // the arguments with which it was made
	before bool           // seen before this run changed anything
	made   bool           // by this run: its creation was answered with an identifier never seen before
	doubt  bool           // a creation was answered with it, but nothing proves that it was not there before
	gone   bool           // deleted by this run
}

// memory is what the answers of one run have shown.
type memory struct {
	things []*thing // in the order in which they were met
	wrote  bool     // this run has called something that may change things
	listed []string // kinds of things of which all were listed
	domain string   // of the first e-mail address that was seen
}

// creation is a call whose answer may be about what it made.
type creation struct {
	arguments map[string]any
	created   bool // answered 201: a 200 may also be of something that was there
}

// learn takes up an answer.
func (m *memory) learn(op *planned, arguments map[string]any, status int, body []byte) {
	var answer any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&answer) != nil {
		return
	}
	var made *creation
	if op.makes() {
		made = &creation{arguments, status == http.StatusCreated}
	}
	m.walk(answer, op.subjects, made)
	if op.effect == lists && len(arguments) == 0 && !goesOn(answer) {
		m.listed = append(m.listed, listsAll(answer, op.subjects)...)
	}
}

// goesOn reports whether an answer says that there are further pages.
func goesOn(answer any) bool {
	object, _ := answer.(map[string]any)
	for name, value := range object {
		parts := words(name)
		if _, isObject := value.(map[string]any); isObject && goesOn(value) {
			return true
		}
		if value != nil && value != false && value != "" &&
			anyOf(parts, []string{"next", "more", "cursor", "truncated"}) {
			return true
		}
	}
	return false
}

// listsAll returns the kinds of things that an answer about kinds lists.
func listsAll(answer any, kinds []string) []string {
	switch answer := answer.(type) {
	case []any:
		return kinds
	case map[string]any:
		for name, value := range answer {
			if slices.Contains(wrappers, plain(name)) || slices.Contains(kinds, singular(plain(name))) {
				if found := listsAll(value, kinds); found != nil {
					return found
				}
			}
		}
	}
	return nil
}

// walk looks for things in value, which is about one of kinds. made are the arguments of
// a creation if value may be what it created.
func (m *memory) walk(value any, kinds []string, made *creation) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			m.walk(element, kinds, nil)
		}
	case map[string]any:
		own := m.own(value, kinds, made)
		for _, name := range slices.Sorted(maps.Keys(value)) {
			m.member(name, value[name], own, kinds, made)
		}
	}
}

func (m *memory) member(name string, value any, own *thing, kinds []string, made *creation) {
	switch value := value.(type) {
	case map[string]any, []any:
		inner := []string{singular(plain(name))}
		if slices.Contains(wrappers, plain(name)) {
			inner = kinds
		} else if !slices.Contains(kinds, inner[0]) {
			made = nil
		}
		m.walk(value, inner, made)
	case string:
		if _, domain, found := strings.Cut(value, "@"); found && m.domain == "" &&
			strings.Contains(plain(name), "email") {
			m.domain = domain
		}
		m.reference(name, value, own)
	case json.Number:
		m.reference(name, value, own)
	}
}

// reference notes that something of that kind exists.
func (m *memory) reference(name string, id any, own *thing) {
	if kind, ok := identified(name); ok && kind != "" && (own == nil || own.id != id) {
		m.meet(kind, id)
	}
}

// own returns the thing that an object of an answer describes: the one whose identifier belongs to the first of kinds
// that has one, or the only identifier that there is.
func (m *memory) own(object map[string]any, kinds []string, made *creation) *thing {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if _, ok := identified(name); ok && isScalar(object[name]) {
			names = append(names, name)
		}
	}
	for i, kind := range kinds {
		for _, name := range names {
			if of, _ := identified(name); of == kind || of == "" && i == 0 {
				return m.describe(kind, object[name], object, made)
			}
		}
	}
	if len(names) == 1 {
		if kind, _ := identified(names[0]); kind != "" {
			return m.describe(kind, object[names[0]], object, nil)
		}
	}
	return nil
}

func (m *memory) describe(kind string, id any, object map[string]any, made *creation) *thing {
	known := len(m.things)
	t := m.meet(kind, id)
	t.fields = map[string]any{}
	for name, value := range object {
		if isScalar(value) || value == nil {
			t.fields[plain(name)] = value
		}
	}
	if made != nil && len(m.things) > known && !slices.ContainsFunc(slices.Collect(maps.Values(made.arguments)),
		func(value any) bool { return same(value, id) }) {
		t.made, t.parent = made.created || slices.Contains(m.listed, kind), made.arguments
		t.doubt = !t.made
	}
	return t
}

func (m *memory) meet(kind string, id any) *thing {
	for _, t := range m.things {
		if t.kind == kind && same(t.id, id) {
			return t
		}
	}
	t := &thing{kind: kind, id: id, before: !m.wrote}
	m.things = append(m.things, t)
	return t
}

// mayChange reports whether the run may act on t: it made t, or t appeared since and names something that the run made,
// as the record of a change does.
func (m *memory) mayChange(t *thing) bool {
	if t.made || t.before || t.doubt {
		return t.made
	}
	return slices.ContainsFunc(m.things, func(other *thing) bool {
		return other.made && slices.ContainsFunc(slices.Collect(maps.Values(t.fields)),
			func(value any) bool { return same(value, other.id) })
	})
}

// candidates returns the things that op may be called with for one of its identifiers, the best first.
func (m *memory) candidates(op *planned, need identifier) (found []*thing) {
	actsOnIt := op.actsOn(need)
	var others []*thing
	for _, t := range slices.Backward(m.things) {
		switch {
		case t.kind != need.kind || t.gone && op.effect != restores || op.refusedBy(t):
		case t.made:
			found = append(found, t)
		case actsOnIt && (op.effect == removes || op.effect == restores):
		case m.mayChange(t):
			others = slices.Insert(others, 0, t)
		case !actsOnIt:
			others = append(others, t)
		}
	}
	if !actsOnIt { // the first of a list is as good as the last, and shown first
		slices.Reverse(others)
	}
	return append(found, others...)
}

// refusedBy reports whether t itself says that this cannot be done to it: "undoable":
// false for undoActivity.
func (p *planned) refusedBy(t *thing) bool {
	return slices.ContainsFunc(p.words, func(word string) bool {
		return t.fields[word+"able"] == false ||
			t.fields["can"+word] == false
	})
}

// value returns t's value for an argument: its identifier, or the member of that name, as slug.
func (t *thing) value(a gpttest.Argument) (any, bool) {
	value := t.id
	if _, ok := identified(a.Name); !ok {
		if value, ok = t.fields[plain(a.Name)]; !ok {
			return nil, false
		}
	}
	if a.Type == "string" {
		value = fmt.Sprint(value)
	}
	if a.Type == "array" {
		value = []any{value}
	}
	return value, value != nil && a.Schema.Validate(value) == nil
}

func isScalar(value any) bool {
	switch value.(type) {
	case string, json.Number, bool:
		return true
	}
	return false
}

// same compares values of answers and arguments, where a number may be a text.
func same(a, b any) bool {
	if list, ok := a.([]any); ok {
		return slices.ContainsFunc(list, func(element any) bool { return same(element, b) })
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}
