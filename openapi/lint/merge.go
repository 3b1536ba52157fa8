//go:build !production

package lint

import (
	"slices"
	"strings"
)

// flatten is G076 and G078: it writes as one schema what holds together by allOf, by words
// beside $ref, or as the only alternative of a union. What cannot be put together stays.
func (f *fixer) flatten(schema *value, as use) {
	f.withoutNothing(schema)
	if schema.has("$ref") && len(schema.names) > 1 {
		beside := schema.shallow()
		beside.remove("$ref")
		f.mergeParts(schema, beside, []*value{schema}, as, false)
		return
	}
	if parts := schema.get("allOf").list(); len(parts) > 0 {
		beside := schema.shallow()
		beside.remove("allOf")
		f.mergeParts(schema, beside, parts, as, true)
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		list := schema.get(word).list()
		others := slices.DeleteFunc(slices.Clone(list), isNull)
		if len(others) != 1 || others[0].has("$ref") || !others[0].is(object) {
			continue
		}
		part := f.copied(others[0])
		if f.flatten(part, as); len(others) < len(list) {
			if slices.ContainsFunc([]string{"allOf", "anyOf", "oneOf", "$ref"}, part.has) {
				continue
			}
			part = admitNull(part)
		}
		beside := schema.shallow()
		beside.remove(word)
		if merged, ok := conjoin(beside, part); ok && refused(part, merged) == "" {
			*schema = *merged
		}
	}
}

// mergeParts puts parts into what stands beside them, and the whole in place of schema. A
// component stays the heir of a base with a discriminator, which leads to its heirs.
func (f *fixer) mergeParts(schema, beside *value, parts []*value, as use, inherit bool) {
	within := f.merging
	defer func() { f.merging = within }()
	if f.leaveRing(schema) {
		return
	}
	whole := beside
	var closed, led []*value
	for _, part := range parts {
		base := f.copied(part)
		if ref := part.get("$ref").str(); ref != "" && (!inherit || len(part.names) == 1) {
			target := f.lookUp(f.root, ref)
			if target == nil || target == schema || f.left < 0 || slices.Contains(f.merging, target) ||
				f.leads(target, schema, as, inherit) {
				return
			}
			f.merging = append(slices.Clip(within), target)
			base = f.copied(target)
			f.writeOut(count(base))
		}
		if f.flatten(base, asResponse); base.has("$ref") || base.has("allOf") {
			return
		}
		if inherit && !wraps(schema) && base.has("discriminator") {
			led = append(led, base.shallow())
			base.remove("discriminator")
		}
		f.visit(count(whole))
		merged, ok := conjoin(whole, base)
		if !ok {
			return
		}
		whole = merged
		closed = append(closed, base)
	}
	for _, base := range closed {
		if name := refused(base, whole); name != "" {
			f.keepOnly(schema, "allOf is left: one of its parts refuses other properties, such as "+abbreviated(name)+
				" of another part")
			return
		}
	}
	f.announceOpened(schema, beside, whole)
	for _, base := range led {
		f.announceLed(schema, base)
	}
	*schema = *whole
}

// announceOpened tells that properties of a base are admitted which additionalProperties
// beside the base refuses by the letter: their authors mean that nothing else is admitted.
func (f *fixer) announceOpened(schema, beside, whole *value) {
	others := beside.get("additionalProperties")
	if others == nil || admitsAll(others) {
		return
	}
	if name := refused(beside, whole); name != "" {
		f.announce(schema, "additionalProperties", "properties of its base, such as %s, are admitted: "+
			"by the letter, additionalProperties beside the base refuses them", abbreviated(name))
	}
}

// announceLed tells that an heir no longer says by which values its base knows the heirs.
func (f *fixer) announceLed(schema, base *value) {
	discriminator := base.get("discriminator")
	var known []string
	discriminator.get("mapping").each(func(name string, to *value) bool {
		known = append(known, abbreviated(name)+" for "+abbreviated(to.str()))
		return true
	})
	told := "the discriminator " + abbreviated(discriminator.get("propertyName").str()) + " of its base is removed"
	if len(known) > 0 {
		told += ", which stands " + strings.Join(known, ", ")
	}
	f.announce(schema, "discriminator of a base", "%s", told)
}

// ring returns the name of a schema that a schema is made of and that is made of itself, or "".
// There is no end to writing it out.
func (f *fixer) ring(schema *value) string {
	if f.visit(1); !schema.is(object) {
		return ""
	}
	parts := schema.get("allOf").list()
	for _, word := range []string{"not", "if", "then", "else"} {
		parts = append(slices.Clip(parts), schema.get(word))
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if one := f.viewOf(f.modern).alternatives(schema.get(word)); len(one) == 1 {
			parts = append(slices.Clip(parts), one...)
		}
	}
	for _, part := range parts {
		if name := f.ring(part); name != "" {
			return name
		}
	}
	ref := schema.get("$ref").str()
	if ref == "" {
		return ""
	}
	target := f.lookUp(f.modern, ref)
	if target == nil {
		return ""
	}
	found, seen := f.rings[target]
	if !seen {
		f.rings[target] = ref[strings.LastIndex(ref, "/")+1:] // until it is known: it is one if the way comes back
		found = f.ring(target)
		f.rings[target] = found
	}
	return found
}

// leaveRing notes that a schema is left as it is, and reports whether it is: since it is made
// of one that is made of itself.
func (f *fixer) leaveRing(schema *value) bool {
	name := f.ring(schema)
	if name != "" {
		f.keepOnly(schema, "it is left: the schema "+name+" is made of itself, and cannot be written out")
	}
	return name != ""
}

// refused returns a property that whole has, but one of its parts would not admit, or "".
func refused(part, whole *value) string {
	if !closes(part) {
		return ""
	}
	for _, word := range []string{"properties", "patternProperties"} {
		for _, name := range whole.get(word).order() {
			if !part.get(word).has(name) {
				return name
			}
		}
	}
	return ""
}

// leads reports whether a base leads to its heirs, and schema has to keep its reference.
func (f *fixer) leads(target, schema *value, as use, inherit bool) bool {
	return (as == asComponent || !inherit || wraps(schema)) && len(subtypes(f.linter, f.root, target)) > 0
}

// withoutNothing takes out of unions what admits nothing.
func (f *fixer) withoutNothing(schema *value) {
	for _, word := range []string{"anyOf", "oneOf"} {
		list := schema.get(word).list()
		if others := slices.DeleteFunc(slices.Clone(list), admitsNothing); len(others) > 0 && len(others) < len(list) {
			schema.get(word).elements = others
		}
	}
}

// conjoin returns one schema for two that hold together. Of texts the first counts. It reports
// false for what it cannot put together.
func conjoin(a, b *value) (*value, bool) {
	out := a.clone()
	if strings.HasSuffix(b.pointer, ended) {
		out.pointer = b.pointer
	}
	for _, word := range b.names {
		mine, theirs := out.get(word), b.get(word)
		switch {
		case mine == nil:
			out.set(word, theirs.clone())
		case isAnnotation(word) || mine.compact() == theirs.compact():
		case word == "properties" && mine.is(object) && theirs.is(object):
			if !conjoinMembers(mine, theirs) {
				return nil, false
			}
		case word == "required" && mine.is(array) && theirs.is(array):
			for _, name := range theirs.elements {
				if !slices.ContainsFunc(mine.elements, func(v *value) bool { return v.str() == name.str() }) {
					mine.append(name)
				}
			}
		case word == "type":
			kind := commonType(mine, theirs)
			if kind == nil {
				return nil, false
			}
			out.set(word, kind)
		case word == "additionalProperties" && theirs.isTrue():
		case word == "additionalProperties" && mine.isTrue():
			out.set(word, theirs.clone())
		case word == "items" && mine.is(object) && theirs.is(object) && !mine.has("$ref") && !theirs.has("$ref"):
			both, ok := conjoin(mine, theirs)
			if !ok {
				return nil, false
			}
			out.set(word, both)
		default:
			return nil, false
		}
	}
	return out, true
}

func conjoinMembers(mine, theirs *value) bool {
	for _, name := range theirs.names {
		one, other := mine.get(name), theirs.get(name)
		if one == nil {
			mine.set(name, other.clone())
			continue
		}
		if one.compact() == other.compact() {
			continue
		}
		if !one.is(object) || !other.is(object) || one.has("$ref") || other.has("$ref") {
			return false
		}
		both, ok := conjoin(one, other)
		if !ok {
			return false
		}
		mine.set(name, both)
	}
	return true
}

// commonType returns what two types have in common, or nil.
func commonType(a, b *value) *value {
	kinds := func(v *value) []string {
		if v.is(text) {
			return []string{v.scalar}
		}
		var all []string
		for _, one := range v.list() {
			all = append(all, one.str())
		}
		return all
	}
	common := newArray()
	for _, kind := range kinds(a) {
		others := kinds(b)
		switch {
		case slices.Contains(others, kind):
			common.append(newText(kind))
		case kind == "number" && slices.Contains(others, "integer"), kind == "integer" &&
			slices.Contains(others, "number"):
			common.append(newText("integer"))
		}
	}
	switch len(common.elements) {
	case 0:
		return nil
	case 1:
		return common.elements[0]
	}
	return common
}
