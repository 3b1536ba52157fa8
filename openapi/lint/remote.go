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
			root, _, _ = parse(source)
			l.external[u.String()] = root
		}
	}
	return root.at(fragment)
}
