//go:build !production

package lint

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"guestpass/openapi/internal/actions"
)

// Mended is what Fix made of a document.
type Mended struct {
	Document []byte    // the copy, in the syntax of the original
	Changes  []Change  // what the copy says otherwise about the API than the original
	Kept     []Change  // what was put back as it stood, since mending it would have lost something
	Left     []Finding // what is wrong with the copy
}

// A Change is one thing that the copy says otherwise.
type Change struct {
	Pointer string `json:"pointer"` // into the original
	Line    int    `json:"line"`
	Place   string `json:"place"`
	What    string `json:"what"`
}

var errSwagger = errors.New("it is a document of Swagger 2.0: convert it to OpenAPI 3 first")

// Fix returns a copy of the document in which what can be mended without asking is mended, for
// the GPT editor whatever o.For says.
// Nothing is guessed that would change what a call does: names that clash, texts that are
// missing and shapes that mean several things are left. The copy is then compared with the
// original, references followed; what differs and is not among the changes is put back. The
// error says why there is no copy.
func Fix(ctx context.Context, source []byte, o Options) (Mended, error) {
	o.For = nil
	f, findings, err := mendedCopy(ctx, source, o, maxInlined)
	if err == nil && f.left < 0 && !f.endless {
		if f, findings, err = mendedCopy(ctx, source, o, -1); err == nil {
			f.kept = append(f.kept,
				Change{Place: "document", What: fmt.Sprintf("nothing is written out that is referred "+
					"to: there would be more than %d values", maxInlined)})
		}
	}
	if err != nil {
		return Mended{Left: findings}, err
	}
	alike := false
	if f.endless || !ends(func() { alike = f.putBack() }) {
		f.kept = []Change{{Place: "document", What: "nothing is mended at all: " + tooMuch + " to be compared"}}
	}
	if !alike {
		return Mended{Document: source, Kept: f.kept, Left: findings}, nil
	}
	fixed, err := f.root.write(f.isJSON)
	if err != nil {
		return Mended{Left: findings}, err
	}
	return Mended{Document: fixed, Changes: f.changes(), Kept: f.kept, Left: Check(ctx, fixed, o)}, nil
}

const mostPasses = 4

// mendedCopy makes the copy, in which as many values may be added as are left.
func mendedCopy(ctx context.Context, source []byte, o Options, left int) (*fixer, []Finding, error) {
	findings, l := check(ctx, source, o)
	switch {
	case l.unread != nil:
		return nil, findings, l.unread
	case l.isSwagger():
		return nil, findings, errSwagger
	}
	f := &fixer{linter: l, left: left, writesOut: left >= 0, steps: maxSteps, original: l.root.clone(),
		announcements: map[announcement]Change{},
		partial:       map[*value]bool{}, rings: map[*value]string{}}
	f.visits = 0
	f.endless = f.endless || !ends(f.passes) && f.visits > maxVisited
	return f, findings, nil
}

// passes mends until nothing changes: what one pass has made may be mended by the next.
func (f *fixer) passes() {
	f.modernize()
	f.modern = f.root.clone()
	for range mostPasses {
		was := f.root.compact()
		if f.document(); f.root.compact() == was {
			break
		}
	}
}

// fixer changes the values of the linter's document in place.
type fixer struct {
	*linter
	original *value // as it was written
	modern   *value // the original in the words of OpenAPI 3.1
	left     int    // values that inlining may still add

	steps     int  // schemas that may still look at values
	writesOut bool // what is referred to, unless it is too much

	owner         owner // whose part is being mended; nobody's are components and the document
	announcements map[announcement]Change
	order         []announcement
	kept          []Change
	partial       map[*value]bool // schemas that hold together with others, or alternatively
	merging       []*value        // what is being written out
	rings         map[*value]string
}

func (f *fixer) document() {
	root := f.root
	if root.has("webhooks") {
		f.announce(root, "webhooks", "webhooks is removed")
		root.remove("webhooks") // G026
	}
	f.info()
	f.servers()
	if components := mappingAt(root, "components"); components != nil {
		for _, kind := range []string{"callbacks", "links"} {
			if components.has(kind) {
				f.announce(components.get(kind), kind, "%s is removed", kind)
				components.remove(kind)
			}
		}
		mappingAt(components, "schemas") // G006
	}
	components := root.get("components")
	components.get("schemas").each(func(_ string, schema *value) bool { f.flatten(schema, asComponent); return true })
	f.cut(components.get("schemas"))
	f.paths()
	f.security(root)
	components.get("schemas").each(func(_ string, schema *value) bool { f.schema(schema, asComponent); return true })
}

// mappingAt returns the mapping of that name, and makes it where there is nothing. It returns
// nil for what is of another kind, which nobody but its author can mend (G003).
func mappingAt(v *value, name string) *value {
	inner := v.get(name)
	if inner == nil || inner.is(array) && inner.isEmpty() {
		v.set(name, newObject())
	} else if !inner.is(object) {
		return nil
	}
	return v.get(name)
}

// info is G004.
func (f *fixer) info() {
	info := f.root.get("info")
	if !info.is(object) {
		return
	}
	for _, name := range []string{"title", "version"} {
		if written := info.get(name); written.is(number) {
			info.set(name, newText(written.scalar))
		}
	}
	if info.get("version") == nil {
		info.set("version", newText("1"))
	}
}

// servers is G011 to G013: the first that ChatGPT could call is kept.
func (f *fixer) servers() {
	servers := f.root.get("servers")
	for i, server := range servers.list() {
		u := normalServer(server.get("url").str())
		if u == nil || actions.NotPublic(u) != "" && i+1 < len(servers.list()) {
			continue
		}
		for _, other := range slices.Delete(slices.Clone(servers.elements), i, i+1) {
			f.announce(other, "server", "the server %s is removed", other.get("url").str())
		}
		kept := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
		if i > 0 || kept != u.String() {
			f.announce(f.root, "server", "the server is %s", kept)
		}
		servers.elements = []*value{server}
		server.remove("variables")
		server.set("url", newText(kept))
		return
	}
}

func (f *fixer) paths() {
	paths := f.root.get("paths")
	ids := map[string]bool{}
	for _, one := range f.viewOf(f.root).calls() { // no mended name may be that of a later operation
		if id := one.node.get("operationId").str(); actions.OperationID.MatchString(id) {
			ids[strings.ToLower(id)] = true
		}
	}
	paths.each(func(path string, item *value) bool {
		if !item.is(object) || strings.HasPrefix(path, "x-") {
			return true
		}
		if target := f.target(f.root, item); item.has("$ref") && target.is(object) { // G025
			item = target.clone()
			paths.set(path, item)
		}
		item.each(func(member string, node *value) bool {
			if slices.Contains(methods, member) && node.is(object) {
				f.operation(&operation{linter: f.linter, method: member, path: path, node: node}, item, ids)
			}
			return true
		})
		f.members(path, item)
		switch {
		case len(item.names) == 0:
			f.announce(item, "path", "the path is removed: it has no operation")
			paths.remove(path)
		case path != "" && path[0] != '/' && !paths.has("/"+path): // G013: the editor would skip it
			f.announce(item, "path", "the path is /%s", path)
			paths.remove(path)
			paths.set("/"+path, item)
		}
		return true
	})
}

// members is G014, G022 and G025: what stands at a path beside its operations.
func (f *fixer) members(path string, item *value) {
	if item.has("$ref") { // which leads nowhere
		return
	}
	for _, member := range slices.Clone(item.names) {
		if slices.Contains(methods, member) {
			continue
		}
		if slices.Contains(otherMethods, member) {
			f.owner = owner{f.viewOf(f.root).name(member, path), wholePart}
			f.announce(item.get(member), "operation", "the operation is removed: the editor skips its method")
			f.owner = owner{}
		} else if (member == "parameters" || member == "servers") && !takenOver(item, member) {
			continue
		} else if !slices.Contains([]string{"parameters", "servers", "summary", "description"}, member) {
			f.announce(item.get(member), member, "%s is removed", member)
		}
		item.remove(member)
	}
}

// takenOver reports whether the operations of a path have its parameters or servers as their
// own. They have not where something else than a list stands (G003).
func takenOver(item *value, member string) bool {
	if !item.get(member).is(array) {
		return false
	}
	for _, method := range methods {
		if own := item.get(method, member); own != nil && !own.is(array) {
			return false
		}
	}
	return true
}

func (f *fixer) operation(o *operation, item *value, ids map[string]bool) {
	name := f.viewOf(f.root).name(o.method, o.path)
	f.owner = owner{name, wholePart}
	if o.node.has("callbacks") {
		f.announce(o.node, "callbacks", "callbacks is removed")
		o.node.remove("callbacks")
	}
	f.ownServers(o, item)
	f.id(o, ids)
	for _, text := range []string{"summary", "description"} {
		f.pathText(o, item, text)
		f.shorten(o.node, text, actions.MaxOperationText) // G032
	}
	if !o.node.get(consequential).is(boolean) { // G060
		f.announce(o.node, consequential, "%s is %v", consequential, o.method != "get")
		o.node.set(consequential, newBoolean(o.method != "get"))
	}
	f.security(o.node)
	f.owner = owner{name, parametersPart}
	f.parameters(o, item)
	f.owner = owner{name, bodyPart}
	f.body(o)
	f.owner = owner{name, responsesPart}
	f.responses(o)
	f.owner = owner{}
}

// ownServers is G014: servers of an operation or its path are removed where they name the
// one of the document. Others stay, since calls would go elsewhere.
func (f *fixer) ownServers(o *operation, item *value) {
	own := o.node.get("servers")
	if own != nil && !own.is(array) {
		return
	}
	if len(own.list()) == 0 {
		own = item.get("servers")
	}
	o.node.remove("servers")
	if list := own.list(); len(list) > 0 && sameServer(list[0].get("url").str()) != sameServer(first(f.root).str()) {
		o.node.set("servers", own.clone())
	}
}

// first returns the URL of the first server.
func first(root *value) *value {
	if list := root.get("servers").list(); len(list) > 0 {
		return list[0].get("url")
	}
	return nil
}

// id is G030.
func (f *fixer) id(o *operation, ids map[string]bool) {
	id := o.node.get("operationId").str()
	if len(id) > actions.MaxOperationID || !actions.OperationID.MatchString(id) {
		renamed := o.renamed(id)
		if !actions.OperationID.MatchString(renamed) || ids[strings.ToLower(renamed)] {
			renamed = o.suggestedID()
		}
		if actions.OperationID.MatchString(renamed) && !ids[strings.ToLower(renamed)] {
			f.announce(o.node, "operationId", "operationId is %s, and was %s", renamed,
				shown(o.node.get("operationId")))
			o.node.set("operationId", newText(renamed))
			id = renamed
		}
	}
	ids[strings.ToLower(id)] = true
}

// pathText moves a text of the path to an operation that has none of its own.
func (f *fixer) pathText(o *operation, item *value, name string) {
	switch text := item.get(name); {
	case text == nil:
	case o.node.has(name):
		f.announce(item, name+" of the path", "the %s of the path is removed", name)
	default:
		o.node.set(name, text.clone())
	}
}

// shorten cuts a text at a sentence, or a word, under its limit.
func (f *fixer) shorten(v *value, name string, limit int) {
	written := v.get(name).str()
	if utf8.RuneCountInString(written) <= limit {
		return
	}
	cut := string([]rune(written)[:limit-5])
	if end := strings.LastIndex(cut, ". "); end > limit/3 {
		cut = cut[:end+1]
	} else if end := strings.LastIndex(cut, " "); end > 0 {
		cut = cut[:end] + " …"
	}
	f.announce(v, name, "the %s is cut after %d of %d characters", name, utf8.RuneCountInString(cut),
		utf8.RuneCountInString(written))
	v.set(name, newText(cut))
}

// security is G101: an object where a list is wanted.
func (f *fixer) security(v *value) {
	if written := v.get("security"); written.is(object) {
		list := newArray()
		list.append(written)
		v.set("security", list)
	}
}

// parameters is G024, G025, G040, G041 and the part of G043 about required. A reference
// that leads nowhere stays.
func (f *fixer) parameters(o *operation, item *value) {
	if own := o.node.get("parameters"); own != nil && !own.is(array) {
		return // G003
	}
	list := newArray()
	for _, one := range f.effective(f.root, item, o.node) {
		node := f.target(f.root, one)
		if !node.is(object) {
			list.append(one)
			continue
		}
		node = node.clone()
		key := parameterKey(node)
		switch in := node.get("in").str(); {
		case notThere(node):
			f.announce(node, "ignored", "the header %s is removed: it counts as not there", node.get("name").str())
			continue
		case o.sentByScheme(node):
			f.announce(node, "parameter "+key[0]+" "+key[1],
				"the header %s is removed: the security scheme says that it is sent", node.get("name").str())
			continue
		case (in == "header" || in == "cookie") && isOptional(node):
			f.announce(node, "parameter "+key[0]+" "+key[1], "the optional %s %s is removed", in,
				node.get("name").str())
			continue
		case in == "path" && !node.get("required").isTrue():
			f.announce(node, "required", "the path parameter %s is required", key[1])
			node.set("required", newBoolean(true))
		}
		f.shorten(node, "description", actions.MaxArgumentText)
		if f.inline(node); node.get("in").str() == "path" || !node.get("required").isTrue() {
			f.withoutNull(node.get("schema"))
		}
		list.append(node)
	}
	o.node.set("parameters", list)
}

// isOptional reports whether a parameter says that it may be left out, or says nothing.
func isOptional(node *value) bool {
	return !node.has("required") || node.get("required").is(boolean) && !node.get("required").isTrue()
}

// body is G050, G052 and G056.
func (f *fixer) body(o *operation) {
	body := f.target(f.root, o.node.get("requestBody"))
	if !body.is(object) {
		return
	}
	if o.node.get("requestBody").has("$ref") {
		body = body.clone()
		o.node.set("requestBody", body)
	}
	f.onlyJSON(body)
	media := body.get("content", jsonType)
	if media == nil {
		return
	}
	f.inline(media)
	if !body.has("required") {
		has := len(media.get("schema", "required").list()) > 0
		if has {
			f.announce(body, "required", "the body is required, as some of its properties are")
		}
		body.set("required", newBoolean(has))
	}
	if schema := media.get("schema"); f.withoutNull(schema) && body.get("required").isTrue() {
		f.announce(body, "required", "the body is not required, since it could be null")
		body.set("required", newBoolean(false))
	}
}

// onlyJSON is G050: JSON is kept, however it is written, and what else could be sent goes.
func (f *fixer) onlyJSON(body *value) {
	content := body.get("content")
	kept, media := jsonOf(content)
	if media == nil {
		return
	}
	for _, kind := range slices.Clone(content.names) {
		switch {
		case kind != kept:
			f.announce(body, "media "+kind, "the body may no longer be %s", kind)
			content.remove(kind)
		case kind != jsonType:
			f.announce(body, "media "+kind, "the body is %s, and was %s", jsonType, kind)
			content.remove(kind)
			content.set(jsonType, media)
		}
	}
}

// responses is G026 and G091.
func (f *fixer) responses(o *operation) {
	responses := o.node.get("responses")
	if responses.has("default") && slices.ContainsFunc(responses.names,
		func(status string) bool { return strings.HasPrefix(status, "2") }) {
		f.announce(or(f.target(f.root, responses.get("default")), o.node), "response default",
			"the response default is removed")
		responses.remove("default")
	}
	responses.each(func(status string, written *value) bool {
		response := f.target(f.root, written)
		if !response.is(object) {
			return true
		}
		if response != written {
			response = response.clone()
			responses.set(status, response)
		}
		if response.has("links") {
			f.announce(response, "links", "links is removed")
			response.remove("links")
		}
		f.withoutProblems(response)
		response.get("content").each(func(_ string,
			media *value) bool {
			f.schema(media.get("schema"), asResponse)
			return true
		})
		return true
	})
}

func (f *fixer) withoutProblems(response *value) {
	const problem = "application/problem+json"
	content := response.get("content")
	if !content.has(problem) {
		return
	}
	f.announce(response, "media "+problem, "the response in %s is removed", problem)
	if content.remove(problem); len(content.names) == 0 {
		response.remove("content")
	}
}
