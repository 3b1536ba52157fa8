//go:build !production

package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// An owner is a part of an operation: what is put back as a whole. The zero owner is all.
type owner struct{ call, part string }

// Parts of an operation.
const (
	wholePart      = ""
	parametersPart = "parameters"
	bodyPart       = "requestBody"
	responsesPart  = "responses"
)

// String returns the operation, and which part of it.
func (o owner) String() string {
	if o.part == wholePart {
		return o.call
	}
	return o.call + ", " + map[string]string{parametersPart: "parameters", bodyPart: "body",
		responsesPart: "responses"}[o.part]
}

// A difference is one thing that two documents do not say alike.
type difference struct {
	owner
	at      string // pointer into the first
	problem string // "the property name is lost"
}

// comparison walks two views side by side.
type comparison struct {
	before, after *view
	announced     func(of owner, origins []string, aspect string) bool
	owner         owner
	at            string
	seen          map[string]*outcome
	found         []difference
}

// outcome is what two schemas differ in, for the other places where they are used.
type outcome struct{ at, problem string }

// compare returns how after differs from before in what can be called, with what, and what
// comes back, but for what was announced.
func compare(before, after *view, announced func(owner, []string, string) bool) []difference {
	c := &comparison{before: before, after: after, announced: announced}
	c.document()
	theirs := map[string]call{}
	for _, one := range after.calls() {
		theirs[one.name] = one
	}
	for _, one := range before.calls() {
		other, there := theirs[one.name]
		delete(theirs, one.name)
		c.owner, c.at = owner{one.name, wholePart}, one.node.pointer
		if !there {
			c.differ([]string{one.node.pointer}, "operation", "the operation is lost")
			continue
		}
		c.call(one, other)
	}
	for name, one := range theirs {
		c.owner, c.at = owner{name, wholePart}, one.node.pointer
		c.differ(nil, "operation", "there was no such operation")
	}
	return c.found
}

// document looks for members of the document and paths that are lost, with or without operations.
func (c *comparison) document() {
	c.before.root.each(func(name string, member *value) bool {
		if !c.after.root.has(name) {
			c.lost(member, []string{member.pointer, ""}, name, name)
		}
		return true
	})
	paths := c.after.root.get("paths")
	c.before.root.get("paths").each(func(path string, item *value) bool {
		if !paths.has(path) && !paths.has("/"+path) {
			c.lost(item, append(pointersOf(c.before.target(c.before.root, item)), item.pointer), "path",
				"the path "+path)
		}
		return true
	})
}

func (c *comparison) lost(what *value, origins []string, aspect, name string) {
	if what.is(null) {
		aspect = nullThere
	}
	c.differ(origins, aspect, "%s is lost", name)
}

func (c *comparison) differ(origins []string, aspect, format string, args ...any) {
	if c.announced(c.owner, origins, aspect) {
		return
	}
	at := c.at
	if len(origins) > 0 {
		at = origins[0]
	}
	c.found = append(c.found, difference{c.owner, at, fmt.Sprintf(format, args...)})
}

func (c *comparison) call(b, a call) {
	c.seen = map[string]*outcome{}                           // announcements are those of an operation
	pointers := []string{b.node.pointer, b.item.pointer, ""} // the last for what the document says of all
	c.maps(pointers, c.before.words(b), c.after.words(a))
	c.owner.part = parametersPart
	c.parameters(pointers, b, a)
	c.owner.part = bodyPart
	c.seen = map[string]*outcome{}
	c.body(pointers, b.node.get("requestBody"), a.node.get("requestBody"))
	c.owner.part = responsesPart
	c.seen = map[string]*outcome{}
	c.responses(pointers, b.node.get("responses"), a.node.get("responses"))
}

// maps compares texts and other words.
func (c *comparison) maps(origins []string, b, a map[string]string) {
	for _, name := range names(b, a) {
		if b[name] != a[name] {
			c.differ(origins, name, "%s is %s, and was %s", name, said(a[name]), said(b[name]))
		}
	}
}

func names[V any](b, a map[string]V) []string {
	all := maps.Clone(b)
	maps.Copy(all, a)
	return slices.Sorted(maps.Keys(all))
}

func (c *comparison) parameters(pointers []string, b, a call) {
	mine, lost := c.before.parameters(b)
	theirs, lostToo := c.after.parameters(a)
	if !slices.Equal(lost, lostToo) {
		c.differ(pointers, "references", "the parameters %s are %s", strings.Join(lost, " "),
			said(strings.Join(lostToo, " ")))
	}
	for _, name := range names(mine, theirs) {
		one, other := mine[name], theirs[name]
		if one == nil || other == nil {
			c.differ(append(pointersOf(one), pointers...), "parameter "+name,
				"the parameter %s is lost, or was not there", name)
			continue
		}
		c.members([]string{one.pointer}, one, other, func(in string, v *value) *value {
			if in == "required" && !v.isTrue() {
				return nil
			}
			return v
		})
	}
}

func pointersOf(v *value) []string {
	if v == nil {
		return nil
	}
	return []string{v.pointer}
}

// members compares the members of what is no schema, but may hold one, or media types.
func (c *comparison) members(origins []string, b, a *value, meant func(string, *value) *value) {
	if !b.is(object) || !a.is(object) {
		if !b.is(null) && b.compact() != a.compact() {
			c.differ(origins, "kind", "it is %s, and was %s", shown(a), shown(b))
		}
		return
	}
	for _, name := range sortedNames(b, a) {
		one, other := b.get(name), a.get(name)
		if one.is(null) && !strings.HasPrefix(name, "x-") {
			one = nil
		}
		if meant != nil {
			one, other = meant(name, one), meant(name, other)
		}
		switch {
		case name == "schema" && one != nil && other != nil:
			c.schemas([]*value{one}, []*value{other})
		case name == "content":
			c.content(origins, one, other)
		case (one == nil) != (other == nil) || one != nil && one.compact() != other.compact():
			c.differ(origins, name, "%s is %s, and was %s", name, shown(other), shown(one))
		}
	}
}

func sortedNames(b, a *value) []string {
	var all []string
	for _, v := range []*value{b, a} {
		if v != nil {
			all = append(all, v.names...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// content compares by media type; JSON is JSON in whatever way it is written.
func (c *comparison) content(origins []string, b, a *value) {
	if b != nil && !b.is(object) && !b.is(null) {
		if a == nil || b.compact() != a.compact() {
			c.differ(origins, "content", "content is %s, and was %s", shown(a), shown(b))
		}
		return
	}
	kind, json := jsonOf(b)
	otherKind, otherJSON := jsonOf(a)
	both := json != nil && otherJSON != nil
	if both {
		if kind != otherKind {
			c.differ(origins, "media "+kind, "the type %s is %s", kind, otherKind)
		}
		c.members(append([]string{json.pointer}, origins...), json, otherJSON, nil)
	}
	for _, name := range sortedNames(b, a) {
		one, other := b.get(name), a.get(name)
		switch {
		case both && (name == kind || name == otherKind && one == nil), one.is(null) && other == nil:
		case one == nil || other == nil:
			c.differ(origins, "media "+name, "the type %s is lost, or was not there", name)
		default:
			c.members(append([]string{one.pointer}, origins...), one, other, nil)
		}
	}
}

func (c *comparison) body(pointers []string, b, a *value) {
	one, other := c.before.target(c.before.root, b), c.after.target(c.after.root, a)
	if one.is(null) {
		b, one = nil, nil
	}
	if other.is(null) {
		a, other = nil, nil
	}
	if one == nil || other == nil {
		if (b == nil) != (a == nil) || (one == nil) != (other == nil) {
			c.differ(pointers, "body", "the body is lost, or was not there")
		}
		return
	}
	c.members(append([]string{one.pointer}, pointers...), one, other, func(name string, v *value) *value {
		if name == "required" && !v.isTrue() {
			return nil
		}
		return v
	})
}

func (c *comparison) responses(pointers []string, b, a *value) {
	for _, status := range sortedNames(b, a) {
		one, other := c.before.target(c.before.root, b.get(status)), c.after.target(c.after.root, a.get(status))
		if one == nil && other == nil && b.has(status) == a.has(status) || one.is(null) && other == nil {
			continue
		}
		if one == nil || other == nil {
			c.differ(append(pointersOf(one), pointers...), "response "+status,
				"the response %s is lost, or was not there", status)
			continue
		}
		c.members(append([]string{one.pointer}, pointers...), one, other, nil)
	}
}

// schemas compares what two lists of schemas say that each hold together. Schemas that are
// being compared further up count as alike: so circles end.
func (c *comparison) schemas(b, a []*value) {
	b, a = distinct(b), distinct(a)
	c.before.visit(1 + len(b) + len(a))
	key := addresses(b) + addresses(a)
	if done := c.seen[key]; done != nil {
		if done.problem != "" {
			c.found = append(c.found, difference{c.owner, done.at, done.problem})
		}
		return
	}
	done := &outcome{}
	c.seen[key] = done
	count := len(c.found)
	c.shapes(c.before.shape(b), c.after.shape(a))
	if len(c.found) > count {
		done.at, done.problem = c.found[count].at, c.found[count].problem
	}
}

// distinct returns each schema once: those that are made of themselves name a property again and again.
func distinct(list []*value) []*value {
	seen := map[*value]bool{}
	return slices.DeleteFunc(slices.Clone(list), func(v *value) bool {
		known := seen[v]
		seen[v] = true
		return known
	})
}

func addresses(list []*value) string {
	var b strings.Builder
	for _, one := range list {
		fmt.Fprintf(&b, "%p ", one)
	}
	return b.String() + ";"
}

func (c *comparison) shapes(b, a *shape) {
	b.origins = append(b.origins, a.origins...)
	// the text and null are kept
	if slices.ContainsFunc(a.origins, func(at string) bool { return strings.HasSuffix(at, ended) }) {
		if b.description != "" && b.description != a.description {
			c.differ(b.origins, "description", "the description is %s, and was %s", said(a.description),
				said(b.description))
		}
		if b.null != a.null {
			c.differ(b.origins, "null", "null is admitted: %v, and was: %v", a.null, b.null)
		}
		return
	}
	if lost, too := unique(b.lost), unique(a.lost); !slices.Equal(lost, too) {
		c.differ(b.origins, "references", "the reference %s is %s", strings.Join(lost, " "),
			said(strings.Join(too, " ")))
	}
	if b.null != a.null {
		c.differ(b.origins, "null", "null is admitted: %v, and was: %v", a.null, b.null)
	}
	if !slices.Equal(b.kinds, a.kinds) {
		c.differ(b.origins, "type", "the type is %s, and was %s", said(strings.Join(a.kinds, " ")),
			said(strings.Join(b.kinds, " ")))
	}
	for _, name := range names(b.required, a.required) {
		if b.required[name] != a.required[name] {
			c.differ(b.origins, "required "+name, "%s is required: %v, and was: %v", name, a.required[name],
				b.required[name])
		}
	}
	c.maps(b.origins, b.words, a.words)
	c.inner(b.origins, "property ", b.properties, a.properties)
	c.inner(b.origins, "", b.inner, a.inner)
}

func unique(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

func (c *comparison) inner(origins []string, kind string, b, a map[string][]*value) {
	for _, name := range names(b, a) {
		if b[name] == nil || a[name] == nil {
			c.differ(origins, kind+name, "%s is lost, or was not there", kind+name)
			continue
		}
		c.schemas(b[name], a[name])
	}
}
