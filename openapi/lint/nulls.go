package lint

import "slices"

// nulls are what is known of which schemas let null pass. Schemas refer to each other in circles,
// where each lets it pass as long as nothing in the circle refuses it. So one that is being looked
// at counts as one that does: until that is known, what relies on it is so in part only.
type nulls struct {
	known   map[*value]*nullness
	relying []*nullness // those that rely on a schema which is being looked at
	depth   int         // of schemas that are being looked at
}

// A nullness is whether a schema lets null pass.
type nullness struct {
	permits bool
	depth   int       // where it is being looked at, from 1; 0 if it is not
	on      *nullness // the outermost that is being looked at and that it relies on, or nil
	void    bool      // what it relied on turned out not to let null pass
}

// relies returns the outermost that n relies on and that is still being looked at, or nil.
func (n *nullness) relies() *nullness {
	for n.on != nil && n.on.depth == 0 {
		n.on = n.on.on
	}
	return n.on
}

// permitsNull reports whether a schema lets null pass. nullable decides for what stands
// beside it, as its authors mean it, although allOf would not admit it by the letter.
func (v *view) permitsNull(schema *value) bool {
	permits, _ := v.nullness(schema)
	return permits
}

// nullness also returns the outermost schema that the answer relies on, or nil. An answer of no
// relies on nothing: it would be the same if the others did not let null pass.
func (v *view) nullness(schema *value) (permits bool, on *nullness) {
	v.visit(1)
	if schema == nil || schema.is(null) || schema.isTrue() {
		return true, nil
	}
	n := &v.nulls
	if known := n.known[schema]; known != nil && !known.void {
		switch {
		case known.depth > 0:
			return true, known
		case known.permits:
			return true, known.relies()
		}
		return false, nil
	}
	if n.known == nil {
		n.known = map[*value]*nullness{}
	}
	n.depth++
	own, first := &nullness{depth: n.depth}, len(n.relying)
	n.known[schema] = own
	own.permits, on = v.nullOf(schema)
	n.depth--
	if on == own {
		on = nil
	}
	own.depth, own.on = 0, on
	n.settle(own, first)
	return own.permits, on
}

// settle says what an answer means for those that may rely on it: relying from first on.
func (n *nulls) settle(own *nullness, first int) {
	if own.on != nil { // those rely on what it relies on
		n.relying = append(n.relying, own)
		return
	}
	others := n.relying[first:]
	n.relying = n.relying[:first]
	for _, one := range others {
		if one.void = !own.permits; !one.void && one.relies() != nil {
			n.relying = append(n.relying, one)
		}
	}
}

// nullOf returns the nullness of a schema by what it says and what it is made of.
func (v *view) nullOf(schema *value) (permits bool, relies *nullness) {
	all := func(parts ...*value) bool {
		return !slices.ContainsFunc(parts, func(part *value) bool {
			permits, on := v.nullness(part)
			relies = outermost(relies, on)
			return !permits
		})
	}
	target := func() *value { return v.lookUp(v.root, schema.get("$ref").str()) }
	refers := schema.get("$ref").str() != ""
	if refers && v.old {
		return all(target()), relies
	}
	isNotNull := func(one *value) bool { return !one.is(null) }
	enum := schema.get("enum")
	switch {
	case schema.get("nullable").isTrue():
		return true, nil
	case admitsNothing(schema), admitsAll(schema.get("not")),
		schema.has("type") && !hasType(schema, "null"),
		schema.has("const") && isNotNull(schema.get("const")),
		enum.is(array) && !slices.ContainsFunc(enum.list(), func(one *value) bool { return one.is(null) }):
		return false, nil
	}
	if refers && !all(target()) || !all(schema.get("allOf").list()...) {
		return false, nil
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if list := schema.get(word).list(); len(list) > 0 && !slices.ContainsFunc(list, func(one *value) bool {
			permits, on := v.nullness(one)
			if permits = permits && v.gathered([]*value{one}).null; permits {
				relies = outermost(relies, on)
			}
			return permits
		}) {
			return false, nil
		}
	}
	return true, relies
}

// outermost returns one of two that are being looked at; nil is none.
func outermost(a, b *nullness) *nullness {
	if a == nil || b != nil && b.depth < a.depth {
		return b
	}
	return a
}
