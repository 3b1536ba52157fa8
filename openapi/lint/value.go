package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pb33f/go-yaml"
	"github.com/pb33f/libopenapi/datamodel"
)

// Bounds of what is looked through.
const (
	maxText   = 4 << 20 // bytes; larger is one finding
	maxValues = 400_000 // after aliases are expanded
	maxNested = 200
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

var (
	errTooDeep  = fmt.Errorf("values are nested deeper than %d", maxNested)
	errTooMany  = fmt.Errorf("it has more than %d values, aliases counted", maxValues)
	errNothing  = errors.New("there is nothing in it")
	errNotUTF8  = errors.New("it is not UTF-8")
	errNoSyntax = errors.New("it is neither JSON nor YAML")
)

// parse reads JSON or YAML as libopenapi does, which gives every value its line. JSON that
// encoding/json takes is JSON, everything else YAML, in the editor's order.
func parse(source []byte) (root *value, isJSON bool, err error) {
	switch {
	case !utf8.Valid(source):
		return nil, false, errNotUTF8
	case len(bytes.TrimSpace(source)) == 0:
		return nil, false, errNothing
	}
	defer func() {
		if recover() != nil { // of the parser, which is not ours
			root, err = nil, errNoSyntax
		}
	}()
	parsed, err := datamodel.ExtractSpecInfoWithConfig(source, &datamodel.DocumentConfiguration{BypassDocumentCheck: true, SkipJSONConversion: true})
	if err != nil || parsed.RootNode == nil {
		return nil, false, fmt.Errorf("%w: %v", errNoSyntax, err)
	}
	r := reader{left: maxValues}
	root, err = r.value(parsed.RootNode, "", 0)
	if err == nil && root.kind == text { // of a text that is no document libopenapi makes one value
		return nil, false, syntaxError(source)
	}
	return root, json.Valid(source), err
}

// syntaxError tells where YAML, which JSON is as well, cannot be read.
func syntaxError(source []byte) error {
	if err := yaml.Unmarshal(source, new(yaml.Node)); err != nil {
		return fmt.Errorf("%w: %s", errNoSyntax, abbreviated(err.Error()))
	}
	return errNoSyntax
}

// reader makes values of a YAML tree, whose aliases may be many more than it looks.
type reader struct{ left int }

func (r *reader) value(node *yaml.Node, pointer string, depth int) (*value, error) {
	if r.left--; r.left < 0 {
		return nil, errTooMany
	}
	if depth > maxNested {
		return nil, errTooDeep
	}
	v := &value{pointer: pointer, line: node.Line}
	switch node.Kind {
	case yaml.DocumentNode:
		if len(node.Content) == 0 {
			return nil, errNothing
		}
		return r.value(node.Content[0], pointer, depth+1)
	case yaml.AliasNode:
		if node.Alias == nil {
			return v, nil
		}
		return r.value(node.Alias, pointer, depth+1)
	case yaml.SequenceNode:
		v.kind = array
		for i, element := range node.Content {
			inner, err := r.value(element, pointer+"/"+strconv.Itoa(i), depth+1)
			if err != nil {
				return nil, err
			}
			v.elements = append(v.elements, inner)
		}
	case yaml.MappingNode:
		v.kind, v.members = object, map[string]*value{}
		return v, r.members(v, node, depth)
	case yaml.ScalarNode:
		v.kind, v.scalar = scalarKind(node.ShortTag()), node.Value
	}
	return v, nil
}

// members reads the pairs of a mapping. Of two with the same name the last counts, as in
// JavaScript; what << merges counts only where nothing else has the name.
func (r *reader) members(v *value, node *yaml.Node, depth int) error {
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, content := node.Content[i], node.Content[i+1]
		inner, err := r.value(content, v.pointer+"/"+escape(key.Value), depth+1)
		if err != nil {
			return err
		}
		if key.ShortTag() == "!!merge" {
			for _, name := range inner.names {
				if !v.has(name) {
					v.set(name, inner.members[name])
				}
			}
			continue
		}
		inner.line = max(key.Line, 1)
		v.set(key.Value, inner)
	}
	return nil
}

func scalarKind(tag string) kind {
	switch tag {
	case "!!null":
		return null
	case "!!bool":
		return boolean
	case "!!int", "!!float":
		return number
	}
	return text // dates too: the editor sees texts
}

func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

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
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
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
