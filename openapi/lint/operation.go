package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"guestpass/openapi/internal/actions"
)

var methods = []string{"get", "post", "put", "patch", "delete"}

var otherMethods = []string{"head", "options", "trace", "connect", "query"}

// operation is one operation while it is looked at.
type operation struct {
	*linter
	method, path string
	node         *value
	arguments    map[string]string // where each name is used
	inPath       []string          // path parameters declared
	lost         bool              // a parameter that is not found
}

func (l *linter) operations() {
	l.ids = map[string]string{}
	count, lost := 0, 0
	paths := l.root.get("paths")
	paths.each(func(path string, item *value) bool {
		if strings.HasPrefix(path, "x-") {
			return true
		}
		l.path(path, item)
		if target := l.target(l.root, item); target == nil {
			l.notFound(item)
			lost++
			return true
		} else if target != item {
			l.find("G025", item, "a $ref stands for the path")
			item = target
		}
		item.each(func(member string, node *value) bool {
			switch {
			case slices.Contains(methods, member):
				count++
				(&operation{linter: l, method: member, path: path, node: node, arguments: map[string]string{}}).check(
					item)
			case slices.Contains(otherMethods, member):
				l.find("G022", node, "the editor skips the method "+member)
			default:
				l.find("G025", node, "the path has the member "+member)
			}
			return true
		})
		return true
	})
	switch {
	case count == 0 && lost > 0:
	case count == 0:
		l.find("G020", or(paths, l.root), "there is no operation")
	case count > actions.MaxOperations:
		l.find("G020", paths, fmt.Sprintf("there are %d operations, at most %d", count, actions.MaxOperations))
	case count > actions.ManyOperations:
		l.find("G021", paths, fmt.Sprintf("there are %d operations", count))
	}
	l.security(l.root.get("security"))
}

// path is G013 (M12, D, I).
func (l *linter) path(path string, item *value) {
	switch {
	case !strings.HasPrefix(path, "/"):
		l.findAs(Error, "G013", item, "the path does not begin with a slash, so that the editor skips it")
	case strings.Contains(path, "//") || len(path) > 1 && strings.HasSuffix(path, "/"):
		l.find("G013", item, "the path ends in a slash or has an empty segment")
	}
	if item.has("servers") {
		l.find("G014", item.get("servers"), "the path has servers of its own")
	}
}

func (o *operation) check(item *value) {
	if !o.node.is(object) {
		return // G003 says so
	}
	o.id()
	o.texts()
	o.consequence()
	for _, name := range []string{"callbacks", "servers"} {
		if o.node.has(name) {
			o.find(map[string]string{"callbacks": "G026", "servers": "G014"}[name], o.node.get(name),
				"the operation has "+name)
		}
	}
	o.security(o.node.get("security"))
	if !o.node.has("security") && !o.root.has("security") && len(o.schemes) > 0 {
		o.find("G103", o.node, "security is said nowhere, so that nobody knows whether to sign in")
	}
	o.parameters(item)
	o.body()
	o.responses()
	o.list(item)
}

// id is G030 and G031 (C).
func (o *operation) id() {
	written := o.node.get("operationId")
	id := written.str()
	switch {
	case id == "":
		o.find("G030", or(written, o.node), "operationId is "+shown(written), "name it, as "+o.suggestedID())
		return
	case len(id) > actions.MaxOperationID || !actions.OperationID.MatchString(id):
		severity := Error
		if actions.ToolName.MatchString(id) { // which OpenAI's tools may be called
			severity = Warning
		}
		o.findAs(severity, "G030", written,
			fmt.Sprintf("operationId %q is not a letter and up to 63 letters, digits and underscores",
				abbreviated(id)), "call it "+o.renamed(id))
	case len(id) > actions.ComfortableIDSize:
		o.find("G031", written, fmt.Sprintf("operationId has %d characters", len(id)))
	}
	here, folded := strings.ToUpper(o.method)+" "+o.path, "case of "+strings.ToLower(id)
	if other, taken := o.ids[id]; taken {
		o.find("G030", written, fmt.Sprintf("operationId %s is that of %s as well", abbreviated(id), other),
			"choose another")
	} else if other, taken := o.ids[folded]; taken {
		o.findAs(Warning, "G030", written,
			fmt.Sprintf("operationId %s is that of %s, letter case ignored", abbreviated(id), other), "choose another")
	}
	o.ids[id], o.ids[folded] = here, here
}

// suggestedID makes a name of method and path: POST /tasks/{id}/notes is postTasksNotes.
func (o *operation) suggestedID() string {
	return actions.CamelCase(o.method + " " + actions.PathVariable.ReplaceAllString(o.path, ""))
}

// renamed returns an operationId with the letters and digits of another, or that of the method and
// path where some would get lost: über is not ber, nor 9lives lives.
func (o *operation) renamed(id string) string {
	if strings.ContainsFunc(id, func(r rune) bool { return r > unicode.MaxASCII }) ||
		id != strings.TrimLeft(id, "0123456789") {
		return o.suggestedID()
	}
	return actions.CamelCase(id)
}

// texts is G032 (M21, A), G033 (T, A) and G034 (A).
func (o *operation) texts() {
	for _, name := range []string{"summary", "description"} {
		written := o.node.get(name)
		if strings.TrimSpace(written.str()) == "" {
			o.find("G033", or(written, o.node), "the "+name+" is "+shown(written))
			continue
		}
		if n := utf8.RuneCountInString(written.scalar); n > actions.MaxOperationText {
			o.find("G032", written, fmt.Sprintf("the %s has %d characters, at most %d", name, n,
				actions.MaxOperationText))
		}
		if match := actions.Trigger.FindString(written.scalar); match != "" {
			o.find("G034", written, fmt.Sprintf("the %s says %q", name, match))
		}
	}
}

const consequential = "x-openai-isConsequential"

// consequence is G060 (A, T), G061 (A) and G023 (D).
func (o *operation) consequence() {
	declared := o.node.get(consequential)
	switch {
	case !declared.is(boolean):
		o.find("G060", or(declared, o.node), consequential+" is "+shown(declared),
			fmt.Sprintf("write %v", o.method != "get"))
	case o.method == "get" && declared.isTrue():
		o.find("G061", declared, "a get is consequential, so that ChatGPT asks before every call")
	case o.method == "delete" && !declared.isTrue():
		o.find("G061", declared, "a delete is not consequential, so that people can allow all of them for good")
	}
	if o.method != "get" && o.method != "post" {
		o.find("G023", o.node, "the method is "+o.method)
	}
}

// notFound is G073 (M17, M13, C), of whatever a reference stands for. It is told alone: what
// else is missing there follows from it.
func (l *linter) notFound(at *value) {
	ref := at.get("$ref")
	switch {
	case ref.str() == "":
		l.find("G073", at, fmt.Sprintf("$ref is %s", shown(ref)))
	case strings.HasPrefix(ref.scalar, "#"):
		l.find("G073", at, shown(ref)+" is not found")
	case l.options.Fetch != nil:
		l.find("G073", at, shown(ref)+" is in another document, and is not found", bundle)
	default:
		l.find("G073", at, shown(ref)+" is in another document", bundle)
	}
}

const bundle = "Bundle first: write all files into one, as redocly bundle does. The editor opens no other."

// parameters is G024 (C), G040 (M13, C) and what holds for each one.
func (o *operation) parameters(item *value) {
	if !o.node.has("parameters") {
		o.find("G024", o.node, "parameters is missing")
	}
	for _, one := range o.effective(o.root, item, o.node) {
		node := o.target(o.root, one)
		switch {
		case one.has("$ref") && node == nil:
			o.notFound(one)
			o.lost = true
		case node.is(object):
			if node != one {
				o.find("G040", one, "a $ref stands for the parameter")
			}
			o.parameter(node)
		}
	}
	o.template()
}

// sentByScheme reports whether a parameter is the header that a security scheme names, which
// ChatGPT sends once the key is entered.
func (o *operation) sentByScheme(node *value) bool {
	for _, scheme := range o.root.get("components", "securitySchemes").inOrder() {
		if scheme.get("type").str() == "apiKey" && scheme.get("in").str() == "header" &&
			parameterKey(node) == [2]string{"header", strings.ToLower(scheme.get("name").str())} {
			return true
		}
	}
	return false
}

// parameter is G035 and G036 (A), G041 (M14, C, A), and G043 (M13, C) to G046 (I).
func (o *operation) parameter(node *value) {
	name, in, schema := node.get("name").str(), node.get("in").str(), o.follow(node.get("schema"))
	switch {
	case name == "" || in == "":
		o.find("G043", node, "the parameter has no name, or does not say where it is")
		return
	case notThere(node):
		o.findAs(Note, "G041", node, "the header "+name+" counts as not there",
			"Remove it: it is sent without being declared.")
		return
	case o.sentByScheme(node):
		o.findAs(Note, "G041", node, "the header "+name+" is that of the security scheme",
			"Remove it: the scheme says that it is sent.")
		return
	case in == "header" || in == "cookie":
		if node.get("required").isTrue() {
			o.findAs(Error, "G041", node, "the "+in+" "+name+" is required, so that every call fails")
		} else {
			o.find("G041", node, "a GPT sends no "+in)
		}
		return
	case in != "path" && in != "query":
		o.find("G043", node, fmt.Sprintf("the parameter is in %q", abbreviated(in)), "write path or query")
		return
	case node.has("content"):
		o.find("G045", node.get("content"), "the parameter is described by content")
	case !node.has("schema"):
		o.findAs(Warning, "G043", node, "the parameter has no schema")
	}
	if in == "path" {
		o.inPath = append(o.inPath, name)
		if !node.get("required").isTrue() {
			o.findAs(Warning, "G043", or(node.get("required"), node), "the path parameter "+name+" is not required",
				"write required: true")
		}
	} else if actions.Secret(actions.Argument{Name: name, Type: schema.get("type").str(),
		Format: schema.get("format").str(), Description: node.get("description").str()}) {
		o.find("G117", node, "the query parameter "+name+" looks like a secret")
	}
	o.argument(name, in, node)
	o.described("parameter "+name, node, node.get("description"), node.get("schema"))
	elements := schema
	if hasType(schema, "array") {
		elements = o.follow(schema.get("items"))
		if in == "query" {
			o.find("G046", node, "the query parameter "+name+" is a list")
		}
	}
	if hasType(elements, "object") || hasType(elements, "array") {
		o.find("G045", node, "the parameter is neither a scalar nor a list of scalars")
	}
	o.schema(node.get("schema"), asRequest)
}

// described is G035 (A) and G036 (A) for a parameter or property, whose text may stand at
// the schema.
func (l *linter) described(what string, at, own, schema *value) {
	if l.lostIn(schema) {
		return
	}
	if strings.TrimSpace(own.str()) == "" &&
		strings.TrimSpace(l.viewOf(l.root).gathered([]*value{schema}).description) == "" {
		l.find("G036", at, "the "+what+" has no description")
	}
	for _, written := range []*value{own, schema.get("description"), l.follow(schema).get("description")} {
		if n := utf8.RuneCountInString(written.str()); n > actions.MaxArgumentText {
			l.find("G035", written, fmt.Sprintf("the description has %d characters, at most %d", n,
				actions.MaxArgumentText))
			return
		}
	}
}

// argument is G042 (M15, D, T) and G044 (I, T).
func (o *operation) argument(name, in string, at *value) {
	if other, taken := o.arguments[name]; taken {
		o.find("G042", at, fmt.Sprintf("the name %s is used in the %s as well", abbreviated(name), other))
	}
	o.arguments[name] = in
	if !actions.ArgumentName.MatchString(name) && name != "$schema" { // G054
		o.find("G044", at, fmt.Sprintf("the name %q has more than letters, digits and underscores", abbreviated(name)))
	}
}

// template is the half of G043 that compares the path with the parameters.
func (o *operation) template() {
	var named []string
	for _, match := range actions.PathVariable.Regexp().FindAllStringSubmatch(o.path, -1) {
		named = append(named, match[1])
		if !slices.Contains(o.inPath, match[1]) && !o.lost {
			o.find("G043", o.node, "the path has {"+abbreviated(match[1])+"}, but there is no such parameter")
		}
	}
	for _, name := range o.inPath {
		if !slices.Contains(named, name) {
			o.findAs(Warning, "G043", o.node, "the path has no {"+abbreviated(name)+"}")
		}
	}
}

const jsonType = "application/json"

// jsonOf returns the media type of a content that is JSON, and the name by which it stands
// there: as it is, with parameters, or among all types.
func jsonOf(content *value) (kind string, media *value) {
	for _, fits := range []func(string) bool{
		func(kind string) bool { return kind == jsonType },
		func(kind string) bool { return mediaName(kind) == jsonType },
		func(kind string) bool { return mediaName(kind) == "application/*" || mediaName(kind) == "*/*" },
	} {
		for _, kind := range content.order() {
			if fits(kind) {
				return kind, content.get(kind)
			}
		}
	}
	return "", nil
}

// replyOf returns the media type of a response that a model reads as JSON, such as hal+json too.
func replyOf(content *value) *value {
	if _, media := jsonOf(content); media != nil {
		return media
	}
	for _, kind := range content.order() {
		if strings.HasSuffix(mediaName(kind), "+json") {
			return content.get(kind)
		}
	}
	return nil
}

// mediaName returns a media type in lower case, without parameters.
func mediaName(kind string) string {
	kind, _, _ = strings.Cut(kind, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// body is G050 (A, T), G051 (M16, C), G052 (T), G055 (I) and G056 (D).
func (o *operation) body() {
	written := o.node.get("requestBody")
	if !written.is(object) {
		return
	}
	body := o.target(o.root, written)
	if body == nil {
		o.notFound(written)
		return
	}
	if body != written {
		o.find("G052", written, "a $ref stands for the request body")
	}
	if o.method == "get" || o.method == "delete" {
		o.find("G055", written, "the "+o.method+" has a body")
	}
	if !body.get("required").is(boolean) {
		o.find("G056", body, "required is "+shown(body.get("required")))
	}
	content := body.get("content")
	kind, media := jsonOf(content)
	if media == nil {
		o.find("G050", or(content, body),
			fmt.Sprintf("the body is %s, not %s", said(strings.Join(content.order(), ", ")), jsonType))
		return
	}
	for _, other := range content.order() {
		if mediaName(other) != jsonType || other != kind {
			o.findAs(Warning, "G050", content.get(other), "the body may be "+abbreviated(other))
		}
	}
	o.bodySchema(media)
}

func (o *operation) bodySchema(media *value) {
	schema := o.follow(media.get("schema"))
	o.schema(media.get("schema"), asRequest)
	switch {
	case !media.has("schema"):
		o.find("G050", media, "there is no schema of "+jsonType)
		return
	case schema == nil:
		return // G073 says so
	}
	o.bodyRoot(schema)
	for name, inner := range o.viewOf(o.root).gathered([]*value{schema}).properties {
		o.argument(name, "body", inner[0])
	}
	o.deep(schema, actions.MaxRequestDepth)
	o.files(schema)
}

// bodyRoot is G051. That an object without properties is dropped is not known.
func (o *operation) bodyRoot(schema *value) {
	combined := slices.ContainsFunc([]string{"oneOf", "anyOf", "allOf", "not"}, schema.has)
	switch {
	case combined:
		o.find("G051", schema, "the root of the body is a union or combination of schemas")
	case !hasType(schema, "object"):
		o.find("G051", schema, fmt.Sprintf("the root of the body is of type %s", shown(schema.get("type"))))
	// else G057 says it better
	case schema.get("properties").isEmpty() && !schema.get("additionalProperties").is(object):
		o.findAs(Warning, "G051", schema, "the body has no properties")
	}
}

// files is G130 (A).
func (o *operation) files(body *value) {
	refs := o.follow(body.get("properties", "openaiFileIdRefs"))
	if refs == nil {
		return
	}
	if o.method != "post" || !hasType(refs, "array") || !hasType(o.follow(refs.get("items")), "string") {
		o.find("G130", refs, "openaiFileIdRefs is not an array of strings in the body of a post")
	}
	if refs.get("description").str() == "" {
		o.find("G130", refs, "openaiFileIdRefs does not say which files, and how many")
	}
}

// responses is G090 (A, C), G091 (T, I), G093 (I) and G131 (A).
func (o *operation) responses() {
	successes := 0
	o.node.get("responses").each(func(status string, written *value) bool {
		response := o.target(o.root, written)
		if strings.HasPrefix(status, "2") {
			successes++
		}
		if response == nil {
			o.notFound(written)
			return true
		}
		switch {
		case status == "default":
			o.find("G091", response, "there is a response for everything else")
		case status == "204":
			o.find("G093", response, "it answers without content")
		case strings.HasPrefix(status, "2"):
			o.success(response)
		}
		response.get("content").each(func(kind string, media *value) bool {
			if mediaName(kind) == "application/problem+json" {
				o.find("G091", media, "the response is "+kind)
			}
			o.schema(media.get("schema"), asResponse)
			return true
		})
		if response.has("links") {
			o.find("G026", response.get("links"), "the response has links")
		}
		return true
	})
	if successes == 0 {
		o.find("G090", or(o.node.get("responses"), o.node), "no successful response is declared")
	}
}

func (o *operation) success(response *value) {
	written := replyOf(response.get("content")).get("schema")
	if o.lostIn(written) {
		return
	}
	if written == nil || !o.isOf(written, "object") {
		o.find("G090", response, "no JSON object comes back")
		return
	}
	schema := o.follow(written)
	o.deep(schema, actions.MaxResponseDepth)
	if files := o.follow(schema.get("properties", "openaiFileResponse")); files != nil && !hasType(files, "array") {
		o.find("G131", files, "openaiFileResponse is no array")
	}
}

// isOf reports whether all that a schema admits is of a type.
func (l *linter) isOf(schema *value, kind string) bool {
	return l.isAllOf(schema, kind, map[*value]bool{})
}

// isAllOf is isOf within unions: those that it is about to judge are false in seen, and are no
// alternatives to themselves. One that was is of the type, else there was no need to go on.
func (l *linter) isAllOf(schema *value, kind string, seen map[*value]bool) bool {
	seen[schema] = false
	s := l.viewOf(l.root).gathered([]*value{schema})
	if len(s.kinds) > 0 {
		seen[schema] = slices.Contains(s.kinds, kind)
		return seen[schema]
	}
	for _, name := range slices.Sorted(maps.Keys(s.inner)) {
		if !strings.HasPrefix(name, "anyOf ") && !strings.HasPrefix(name, "oneOf ") {
			continue
		}
		one := s.inner[name][0]
		isOf, known := seen[one]
		if !known && !l.isAllOf(one, kind, seen) {
			return false
		}
		seen[schema] = seen[schema] || isOf || !known
	}
	return seen[schema]
}

// list is G092 (A): what returns next_cursor, or a list at the top, has pages.
func (o *operation) list(item *value) {
	if o.method != "get" || o.lost {
		return
	}
	paged := false
	o.node.get("responses").each(func(status string, response *value) bool {
		schema := o.follow(replyOf(o.target(o.root, response).get("content")).get("schema"))
		paged = paged || strings.HasPrefix(status, "2") && (schema.get("properties").has("next_cursor") ||
			hasType(schema, "array"))
		return true
	})
	if !paged {
		return
	}
	limit := o.query(item, limits)
	switch {
	case limit == nil:
		o.find("G092", o.node, "it returns a list but takes no limit")
	case o.noMaximum(limit):
		o.find("G092", limit, limit.get("name").str()+" has no maximum")
	}
	if o.query(item, cursors) == nil {
		o.find("G092", o.node, "it returns a list but takes no cursor")
	}
}

// Names of parameters, in lower case and without what separates words.
var (
	limits  = []string{"limit", "pagesize", "perpage", "size", "first", "maxresults", "count", "take", "top"}
	cursors = []string{"cursor", "page", "offset", "after", "pagetoken", "pagenumber", "skip", "start", "startingafter",
		"nexttoken", "continuationtoken"}
)

func (o *operation) noMaximum(limit *value) bool {
	words := o.viewOf(o.root).gathered([]*value{limit.get("schema")}).words
	return words["maximum"] == "" && words["exclusiveMaximum"] == ""
}

// query returns the first query parameter with one of the names.
func (o *operation) query(item *value, names []string) *value {
	for _, one := range o.effective(o.root, item, o.node) {
		node := o.target(o.root, one)
		name := strings.NewReplacer("_", "", "-", "", "$", "").Replace(strings.ToLower(node.get("name").str()))
		if node.get("in").str() == "query" && slices.Contains(names, name) {
			return node
		}
	}
	return nil
}
