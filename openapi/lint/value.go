package lint

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

type kind int

const (
	null kind = iota
	boolean
	number
	text
	array
	object
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// value is one value of a document as it stands there, in JSON or YAML. The methods take
// a nil value, which is one that is missing: so a path of names can be followed at once.
type value struct {
	kind     kind
	scalar   string            // of booleans, numbers and strings
	names    []string          // of an object's members, in order, each once
	members  map[string]*value // of an object
	elements []*value          // of an array

	pointer string // JSON pointer (RFC 6901)
	line    int    // from 1
}

func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

func unescape(part string) string {
	if !strings.Contains(part, "~") {
		return part
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
}

func (v *value) has(name string) bool { return v != nil && v.members[name] != nil }

// get returns the member of that name, or nil.
func (v *value) get(path ...string) *value {
	for _, name := range path {
		if v == nil {
			return nil
		}
		v = v.members[name]
	}
	return v
}

func (v *value) is(k kind) bool { return v != nil && v.kind == k }

// str is "" for what is no string.
func (v *value) str() string {
	if !v.is(text) {
		return ""
	}
	return v.scalar
}

func (v *value) isTrue() bool { return v.is(boolean) && strings.EqualFold(v.scalar, "true") }

// each yields the members of an object in their order.
func (v *value) each(yield func(string, *value) bool) {
	if v == nil {
		return
	}
	for _, name := range slices.Clone(v.names) {
		if inner := v.members[name]; inner != nil && !yield(name, inner) {
			return
		}
	}
}

// list returns the elements of an array.
func (v *value) list() []*value {
	if v == nil {
		return nil
	}
	return v.elements
}

func (v *value) set(name string, inner *value) {
	if v.members[name] == nil {
		v.names = append(v.names, name)
	}
	v.members[name] = inner
}

func (v *value) remove(name string) {
	delete(v.members, name)
	v.names = slices.DeleteFunc(v.names, func(other string) bool { return other == name })
}

// at follows a JSON pointer.
func (v *value) at(pointer string) *value {
	if pointer == "" {
		return v
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = unescape(part)
		if v.is(array) {
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(v.elements) {
				return nil
			}
			v = v.elements[i]
			continue
		}
		if v = v.get(part); v == nil {
			return nil
		}
	}
	return v
}

// shallow returns a copy that shares what is inside.
func (v *value) shallow() *value {
	out := *v
	out.names, out.elements, out.members = slices.Clone(v.names), slices.Clone(v.elements), maps.Clone(v.members)
	return &out
}

func said(s string) string {
	if s == "" {
		return "not said"
	}
	return abbreviated(s)
}
