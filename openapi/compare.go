package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Comparison is what a stored copy of a document lacks.
type Comparison struct {
	// Differences are one line each, in words, the operations first. None: the copy is up to date.
	Differences []string
	// Version is that of the copy if it is another program's; alone it is no reason to
	// import again, for ChatGPT does not use it.
	Version string
}

// Compare tells how a copy of the document, as JSON or YAML, differs from the document:
// the editor keeps what was imported or pasted once, and does not look again. Its error
// means that copy is no such document.
func (d *Document) Compare(copy []byte) (Comparison, error) {
	stored, err := readCopy(copy)
	if err != nil {
		return Comparison{}, err
	}
	present, err := readCopy(d.JSON())
	if err != nil {
		return Comparison{}, err
	}
	var c Comparison
	c.operations(stored.operations(), present.operations())
	c.rest(stored, present)
	if hash, has := stored["x-schema-hash"]; has && hash != d.hash && len(c.Differences) == 0 && c.Version == "" {
		c.differ("changed: x-schema-hash, so something that is not named here")
	}
	return c, nil
}

func (c *Comparison) differ(format string, args ...any) {
	c.Differences = append(c.Differences, fmt.Sprintf(format, args...))
}

func (c *Comparison) operations(stored, present map[string]any) {
	for _, id := range sortedKeys(present) {
		switch old, known := stored[id]; {
		case !known:
			c.differ("added: %s", id)
		case !reflect.DeepEqual(old, present[id]):
			c.differ("changed: %s (%s)", id, changedMembers(old, present[id]))
		}
	}
	for _, id := range sortedKeys(stored) {
		if present[id] == nil {
			c.differ("removed: %s", id)
		}
	}
}

// rest compares everything but the operations, by the member that holds it.
func (c *Comparison) rest(stored, present tree) {
	for _, part := range []struct {
		name string
		path []string
	}{
		{"the title", []string{"info", "title"}}, {"the description", []string{"info", "description"}},
		{"the contact", []string{"info", "contact"}}, {"the privacy policy", []string{"info", "x-privacy-policy-url"}},
		{"the server", []string{"servers"}},
		{"OAuth URLs or scopes (also set under Authentication in the editor)",
			[]string{"components", "securitySchemes"}},
	} {
		if !reflect.DeepEqual(stored.at(part.path...), present.at(part.path...)) {
			c.differ("changed: %s", part.name)
		}
	}
	if version := stored.at("info", "version"); version != present.at("info", "version") {
		c.Version = fmt.Sprint(version)
	}
}

// A tree is a document as it was read; nothing in it is trusted to be of its kind.
type tree map[string]any

var errNoDocument = errors.New("it is no OpenAPI document: there are no operations with an operationId under paths")

func readCopy(text []byte) (tree, error) {
	var t tree
	if json.Unmarshal(text, &t) != nil {
		var fromYAML tree
		if err := yaml.Unmarshal(text, &fromYAML); err != nil {
			return nil, errors.New("it is neither JSON nor YAML")
		}
		asJSON, err := json.Marshal(fromYAML) // so that numbers are of one type
		if err != nil {
			return nil, errNoDocument
		}
		if err := json.Unmarshal(asJSON, &t); err != nil {
			return nil, errNoDocument
		}
	}
	if len(t.operations()) == 0 {
		return nil, errNoDocument
	}
	return t, nil
}

func (t tree) at(path ...string) any {
	var v any = map[string]any(t)
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}

// operations returns them by id, each with its method and path, which are part of what it is.
func (t tree) operations() map[string]any {
	found := map[string]any{}
	paths, _ := t["paths"].(map[string]any)
	for path, item := range paths {
		methods, _ := item.(map[string]any)
		for method, declared := range methods {
			op, _ := declared.(map[string]any)
			if id, _ := op["operationId"].(string); id != "" {
				op = maps.Clone(op)
				op["method"], op["path"] = method, path
				found[id] = op
			}
		}
	}
	return found
}

// changedMembers names what differs between two operations.
func changedMembers(a, b any) string {
	old, present := a.(map[string]any), b.(map[string]any)
	var names []string
	for _, side := range []map[string]any{old, present} {
		for name := range side {
			if !reflect.DeepEqual(old[name], present[name]) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
