//go:build !production

package lint

import (
	"fmt"
	"slices"
	"strings"
)

// An announcement says that the copy will differ from the original in one aspect of what
// stands at a pointer, in the part of its owner.
type announcement struct {
	owner
	pointer, aspect string
}

// ended is at the end of the pointers of what stands where a schema would contain itself.
const ended = "#ended"

// announce is said of each change that alters what the document says of the API. at is a
// value of the document or a copy of one, which keeps its pointer.
func (f *fixer) announce(at *value, aspect, format string, args ...any) {
	a := announcement{f.owner, at.pointer, aspect}
	if _, said := f.announcements[a]; !said {
		f.order = append(f.order, a)
		places, pointer := &linter{root: f.original}, strings.TrimSuffix(at.pointer, ended)
		place := places.place(pointer)
		switch {
		case f.owner.call == "" || strings.HasPrefix(place, f.owner.call):
		case strings.HasPrefix(place, "path "):
			place = f.owner.String()
		default: // a component, as it is used there
			place = f.owner.String() + ", " + place
		}
		f.announcements[a] = Change{pointer, at.line, place, fmt.Sprintf(format, args...)}
	}
}

// announced reports whether a difference was announced, of this part or of what all share.
func (f *fixer) announced(of owner, origins []string, aspect string) bool {
	return slices.ContainsFunc(origins, func(pointer string) bool {
		_, own := f.announcements[announcement{of, pointer, aspect}]
		_, shared := f.announcements[announcement{owner{}, pointer, aspect}]
		return own || shared
	})
}

// changes returns the announcements, each told once for a schema that is used in many places.
func (f *fixer) changes() []Change {
	var changes []Change
	said := map[Change]bool{}
	for _, a := range f.order {
		change, stands := f.announcements[a]
		if stands && !said[change] {
			said[change] = true
			changes = append(changes, change)
		}
	}
	return changes
}

// lost returns what differs by what the schemas say, or if nothing does, by what they admit.
func (f *fixer) lost() []difference {
	if lost := compare(f.viewOf(f.original), f.viewOf(f.root), f.announced); len(lost) > 0 {
		return lost
	}
	return f.admitted()
}

// putBack compares the copy with the original. Parts of operations that differ are put back
// as they stood, then operations and components as a whole. It reports false if even so the
// copy says something else than the original.
func (f *fixer) putBack() bool {
	for round := range 3 {
		lost := f.lost()
		if len(lost) == 0 {
			break
		}
		f.keep(lost)
		from := f.modern
		if round == 2 { // what is lost is lost by the words of 3.1
			from = f.original
		}
		if round > 0 {
			f.restoreComponents(from)
		}
		for _, one := range lost {
			f.restore(one.owner, from, round > 0)
		}
	}
	components := f.root.get("components")
	if !components.is(object) || !components.get("schemas").is(object) {
		return f.alike()
	}
	whole := components.shallow()
	whole.set("schemas", components.get("schemas").shallow())
	removed := f.unused(components)
	if len(f.lost()) > 0 {
		f.root.set("components", whole)
		return f.alike()
	}
	for _, one := range removed {
		f.announce(one, "component", "it is removed: nothing in the copy refers to it")
	}
	return true
}

// alike reports whether the copy says what the original does, and notes what it does not.
func (f *fixer) alike() bool {
	lost := f.lost()
	f.keep(lost)
	if len(lost) > 0 {
		all := Change{Place: "document",
			What: "nothing is mended at all: even with these parts put back, the copy would say something else"}
		f.kept = slices.Insert(f.kept, 0, all)
	}
	return len(lost) == 0
}

// keepOnly notes of a schema that it is left, since mending it would admit other values.
func (f *fixer) keepOnly(schema *value, what string) {
	place := (&linter{root: f.original}).place(schema.pointer)
	change := Change{Pointer: schema.pointer, Line: schema.line, Place: place, What: what}
	if !slices.Contains(f.kept, change) {
		f.kept = append(f.kept, change)
	}
}

// keep notes what could not be mended, and once for each part.
func (f *fixer) keep(lost []difference) {
	places := &linter{root: f.original}
	for _, one := range lost {
		place := one.owner.String()
		if slices.ContainsFunc(f.kept, func(c Change) bool { return c.Place == place }) {
			continue
		}
		at := f.original.at(one.at)
		change := Change{Pointer: one.at, Place: place,
			What: "left as it was, since mending it would have changed something: at " + places.place(one.at) + " " +
				one.problem}
		if at != nil {
			change.Line = at.line
		}
		f.kept = append(f.kept, change)
	}
}

// restore puts back a part of an operation, or all of it, and forgets what was announced.
func (f *fixer) restore(of owner, from *value, whole bool) {
	here, there := callOf(f.viewOf(f.root), of.call), callOf(f.viewOf(from), of.call)
	switch whole = whole || of.part == wholePart; {
	case there == nil && here != nil:
		here.item.remove(here.method)
		return
	case there == nil:
		return
	case here == nil:
		whole, here = true, f.place(there)
	}
	parameters := there.node.get("parameters").cloneOr(array)
	if parameters.is(array) {
		parameters = newArray()
		for _, one := range f.effective(from, there.item, there.node) {
			parameters.append(one.clone())
		}
	}
	switch node := there.node.clone(); {
	case whole:
		node.set("parameters", parameters)
		here.item.set(here.method, node)
		defer f.fromPath(&operation{linter: f.linter, method: there.method, path: there.path, node: node}, there.item,
			of)
	case of.part == parametersPart:
		here.node.set("parameters", parameters)
	case node.has(of.part):
		here.node.set(of.part, node.get(of.part))
	default:
		here.node.remove(of.part)
	}
	for a := range f.announcements {
		if a.call == of.call && (whole || a.part == of.part) {
			delete(f.announcements, a)
		}
	}
}

// place makes room for an operation that the copy has lost.
func (f *fixer) place(of *call) *call {
	paths := f.root.get("paths")
	item := or(f.target(f.root, paths.get(of.path)), paths.get("/"+of.path))
	if !item.is(object) {
		item = newObject()
		paths.set(of.path, item)
	}
	return &call{method: of.method, item: item}
}

// fromPath gives an operation that is put back what its path says of it.
func (f *fixer) fromPath(o *operation, item *value, of owner) {
	f.owner = owner{of.call, wholePart}
	f.ownServers(o, item)
	for _, text := range []string{"summary", "description"} {
		f.pathText(o, item, text)
	}
	f.owner = owner{}
}

func callOf(v *view, name string) *call {
	for _, one := range v.calls() {
		if one.name == name {
			return &one
		}
	}
	return nil
}

func (f *fixer) restoreComponents(from *value) {
	components := from.get("components").cloneOr(object)
	if components.is(object) {
		mappingAt(components, "schemas")
	}
	f.root.set("components", components)
	for a := range f.announcements {
		if a.owner == (owner{}) && strings.HasPrefix(a.pointer, "/components/") {
			delete(f.announcements, a)
		}
	}
}

// cloneOr returns a copy, or an empty value of the kind where there is nothing.
func (v *value) cloneOr(want kind) *value {
	if v == nil || v.is(null) {
		return &value{kind: want, members: map[string]*value{}}
	}
	return v.clone()
}

// unused removes components that nothing refers to, since an importer looks at them all the
// same, and returns them.
func (f *fixer) unused(components *value) (removed []*value) {
	used := map[string]map[string]bool{}
	for _, kind := range []string{"schemas", "parameters", "requestBodies", "responses"} {
		used[kind] = map[string]bool{}
	}
	var mark func(v *value)
	mark = func(v *value) {
		for _, ref := range mappedIn(v, referencesIn(v, nil)) {
			kind, name, _ := strings.Cut(strings.TrimPrefix(ref, "#/components/"), "/")
			name, _, _ = strings.Cut(name, "/")
			name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
			if used[kind] == nil || used[kind][name] {
				continue
			}
			used[kind][name] = true
			one := components.get(kind, name)
			mark(one)
			components.get("schemas").each(func(heir string, other *value) bool { // found by a discriminator only
				if one.has("discriminator") && slices.ContainsFunc(other.get("allOf").list(),
					func(part *value) bool { return part.get("$ref").str() == ref }) && !used["schemas"][heir] {
					used["schemas"][heir] = true
					mark(other)
				}
				return true
			})
		}
	}
	f.root.each(func(name string, v *value) bool {
		if name != "components" {
			mark(v)
		}
		return true
	})
	components.each(func(kind string, of *value) bool {
		if used[kind] == nil { // headers and the like stay
			mark(of)
		}
		return true
	})
	for _, kind := range []string{"schemas", "parameters", "requestBodies", "responses"} {
		of := components.get(kind)
		of.each(func(name string, one *value) bool {
			if !used[kind][name] {
				removed = append(removed, one)
				of.remove(name)
			}
			return true
		})
		if kind != "schemas" && of.is(object) && of.isEmpty() {
			components.remove(kind)
		}
	}
	return removed
}

// mappedIn appends the references that discriminators in v make.
func mappedIn(v *value, refs []string) []string {
	for _, to := range v.get("discriminator", "mapping").inOrder() {
		refs = append(refs, mappingRef(to.str()))
	}
	for _, inner := range append(v.inOrder(), v.list()...) {
		refs = mappedIn(inner, refs)
	}
	return refs
}
