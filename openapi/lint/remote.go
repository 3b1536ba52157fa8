package lint

import (
	"net/url"
	"strings"
)

// maxRemote bounds how many external documents are fetched for one.
const maxRemote = 20

// remote returns what an external $ref names; nil if fetching is not wanted or fails.
func (l *linter) remote(ref string) *value {
	if l.options.Fetch == nil {
		return nil
	}
	address, fragment, _ := strings.Cut(ref, "#")
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	if base, err := url.Parse(l.options.Address); err == nil && l.options.Address != "" {
		u = base.ResolveReference(u)
	}
	if !u.IsAbs() {
		return nil
	}
	root, known := l.external[u.String()]
	if !known {
		if len(l.external) >= maxRemote {
			return nil
		}
		l.external[u.String()] = nil
		if source, err := l.options.Fetch(l.ctx, u.String()); err == nil && len(source) <= maxText {
			if p, err := parse(source); err == nil {
				root = p.root
				absolute(root, u)
				l.external[u.String()] = root
			}
		}
	}
	return root.at(fragment)
}

// absolute writes the references in a document that was fetched so that they are found from
// another one.
func absolute(v *value, base *url.URL) {
	if ref := v.get("$ref"); ref.is(text) {
		if u, err := base.Parse(ref.scalar); err == nil {
			v.set("$ref", newText(u.String()))
		}
	}
	for _, inner := range append(v.inOrder(), v.list()...) {
		absolute(inner, base)
	}
}
