package lint

import (
	"fmt"
	"slices"
	"strings"
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
}

func (l *linter) operations() {
	l.ids = map[string]string{}
	count := 0
	paths := l.root.get("paths")
	paths.each(func(path string, item *value) bool {
		if strings.HasPrefix(path, "x-") {
			return true
		}
		l.path(path, item)
		item.each(func(member string, node *value) bool {
			switch {
			case slices.Contains(methods, member):
				count++
				(&operation{linter: l, method: member, path: path, node: node, arguments: map[string]string{}}).check(item)
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
			o.find(map[string]string{"callbacks": "G026", "servers": "G014"}[name], o.node.get(name), "the operation has "+name)
		}
	}
	o.security(o.node.get("security"))
	if !o.node.has("security") && !o.root.has("security") && len(o.schemes) > 0 {
		o.find("G103", o.node, "security is said nowhere, so that nobody knows whether to sign in")
	}
	o.parameters(item)
	o.body()
	o.responses()
	o.list()
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
		o.find("G030", written, fmt.Sprintf("operationId %q is not a letter and up to 63 letters, digits and underscores", abbreviated(id)), "call it "+actions.CamelCase(id))
	case len(id) > actions.ComfortableIDSize:
		o.find("G031", written, fmt.Sprintf("operationId has %d characters", len(id)))
	}
	folded := strings.ToLower(id)
	if other, taken := o.ids[folded]; taken {
		o.find("G030", written, fmt.Sprintf("operationId %s is that of %s, letter case ignored", abbreviated(id), other), "choose another")
	}
	o.ids[folded] = strings.ToUpper(o.method) + " " + o.path
}

// suggestedID makes a name of method and path: POST /tasks/{id}/notes is postTasksNotes.
func (o *operation) suggestedID() string {
	return actions.CamelCase(o.method + " " + actions.PathVariable.ReplaceAllString(o.path, ""))
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
			o.find("G032", written, fmt.Sprintf("the %s has %d characters, at most %d", name, n, actions.MaxOperationText))
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
		o.find("G060", or(declared, o.node), consequential+" is "+shown(declared), fmt.Sprintf("write %v", o.method != "get"))
	case o.method == "get" && declared.isTrue():
		o.find("G061", declared, "a get is consequential, so that ChatGPT asks before every call")
	case o.method == "delete" && !declared.isTrue():
		o.find("G061", declared, "a delete is not consequential, so that people can allow all of them for good")
	}
	if o.method != "get" && o.method != "post" {
		o.find("G023", o.node, "the method is "+o.method)
	}
}

// component follows a $ref to something other than a schema.
func (o *operation) component(kind string, node *value) *value {
	ref := node.get("$ref").str()
	if name, ok := strings.CutPrefix(ref, "#/components/"+kind+"/"); ok {
		return o.root.at("/components/" + kind + "/" + name)
	}
	return nil
}

// parameters is G024 (C), G040 (M13, C) and what holds for each one.
func (o *operation) parameters(item *value) {
	if !o.node.has("parameters") {
		o.find("G024", o.node, "parameters is missing")
	}
	for _, list := range []*value{item.get("parameters"), o.node.get("parameters")} {
		for _, node := range list.list() {
			if !node.is(object) {
				continue
			}
			if node.has("$ref") {
				o.find("G040", node, "a $ref stands for the parameter")
				if node = o.component("parameters", node); node == nil {
					continue
				}
			}
			o.parameter(node)
		}
	}
	o.template()
}

// parameter is G035 and G036 (A), G041 (M14, C, A), and G043 (M13, C) to G046 (I).
func (o *operation) parameter(node *value) {
	name, in, schema := node.get("name").str(), node.get("in").str(), o.follow(node.get("schema"))
	switch {
	case name == "" || in == "":
		o.find("G043", node, "the parameter has no name, or does not say where it is")
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
		o.find("G043", node, "the parameter has no schema")
	}
	if in == "path" {
		o.inPath = append(o.inPath, name)
		if !node.get("required").isTrue() {
			o.find("G043", or(node.get("required"), node), "the path parameter "+name+" is not required", "write required: true")
		}
	} else if actions.SecretName(name) {
		o.find("G117", node, "the query parameter "+name+" looks like a secret")
	}
	o.argument(name, in, node)
	o.described(node, node.get("description"), schema.get("description"))
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
func (l *linter) described(at, own, inner *value) {
	written := own
	if written.str() == "" {
		written = inner
	}
	if strings.TrimSpace(written.str()) == "" {
		l.find("G036", at, "there is no description")
		return
	}
	if n := utf8.RuneCountInString(written.scalar); n > actions.MaxArgumentText {
		l.find("G035", written, fmt.Sprintf("the description has %d characters, at most %d", n, actions.MaxArgumentText))
	}
}

// argument is G042 (M15, D, T) and G044 (I, T).
func (o *operation) argument(name, in string, at *value) {
	if other, taken := o.arguments[name]; taken {
		o.find("G042", at, fmt.Sprintf("the name %s is used in the %s as well", abbreviated(name), other))
	}
	o.arguments[name] = in
	if !actions.ArgumentName.MatchString(name) {
		o.find("G044", at, fmt.Sprintf("the name %q has more than letters, digits and underscores", abbreviated(name)))
	}
}

// template is the half of G043 that compares the path with the parameters.
func (o *operation) template() {
	var named []string
	for _, match := range actions.PathVariable.FindAllStringSubmatch(o.path, -1) {
		named = append(named, match[1])
		if !slices.Contains(o.inPath, match[1]) {
			o.find("G043", o.node, "the path has {"+abbreviated(match[1])+"}, but there is no such parameter")
		}
	}
	for _, name := range o.inPath {
		if !slices.Contains(named, name) {
			o.find("G043", o.node, "the path has no {"+abbreviated(name)+"}")
		}
	}
}

const jsonType = "application/json"

// body is G050 (A, T), G051 (M16, C), G052 (T), G055 (I) and G056 (D).
func (o *operation) body() {
	body := o.node.get("requestBody")
	if !body.is(object) {
		return
	}
	if body.has("$ref") {
		o.find("G052", body, "a $ref stands for the request body")
		if body = o.component("requestBodies", body); body == nil {
			return
		}
	}
	if o.method == "get" || o.method == "delete" {
		o.find("G055", body, "the "+o.method+" has a body")
	}
	if !body.get("required").is(boolean) {
		o.find("G056", body, "required is "+shown(body.get("required")))
	}
	media := body.get("content", jsonType)
	body.get("content").each(func(kind string, other *value) bool {
		if kind != jsonType {
			o.find("G050", other, "the body may be "+abbreviated(kind))
		}
		return true
	})
	schema := o.follow(media.get("schema"))
	if media == nil || schema == nil {
		o.find("G050", or(body.get("content"), body), "there is no schema of "+jsonType)
		return
	}
	o.bodyRoot(schema)
	schema.get("properties").each(func(name string, inner *value) bool { o.argument(name, "body", inner); return true })
	o.schema(media.get("schema"), asRequest)
	o.deep(schema, actions.MaxRequestDepth)
	o.files(schema)
}

func (o *operation) bodyRoot(schema *value) {
	combined := slices.ContainsFunc([]string{"oneOf", "anyOf", "allOf", "not"}, schema.has)
	switch {
	case combined:
		o.find("G051", schema, "the root of the body is a union or combination of schemas")
	case !hasType(schema, "object"):
		o.find("G051", schema, fmt.Sprintf("the root of the body is of type %s", shown(schema.get("type"))))
	case schema.get("properties").isEmpty() && !schema.get("additionalProperties").is(object): // else G057 says it better
		o.find("G051", schema, "the body has no properties")
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
	o.node.get("responses").each(func(status string, response *value) bool {
		if response.has("$ref") {
			if response = o.component("responses", response); response == nil {
				return true
			}
		}
		switch {
		case status == "default":
			o.find("G091", response, "there is a response for everything else")
		case status == "204":
			o.find("G093", response, "it answers without content")
			successes++
		case strings.HasPrefix(status, "2"):
			successes++
			o.success(response)
		}
		response.get("content").each(func(kind string, media *value) bool {
			if kind == "application/problem+json" {
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
	schema := o.follow(response.get("content", jsonType, "schema"))
	if schema == nil || !hasType(schema, "object") {
		o.find("G090", response, "no JSON object comes back")
		return
	}
	o.deep(schema, actions.MaxResponseDepth)
	if files := o.follow(schema.get("properties", "openaiFileResponse")); files != nil && !hasType(files, "array") {
		o.find("G131", files, "openaiFileResponse is no array")
	}
}

// list is G092 (A): what returns next_cursor, or a list at the top, has pages.
func (o *operation) list() {
	if o.method != "get" {
		return
	}
	paged := false
	o.node.get("responses").each(func(status string, response *value) bool {
		schema := o.follow(response.get("content", jsonType, "schema"))
		paged = paged || strings.HasPrefix(status, "2") && (schema.get("properties").has("next_cursor") || hasType(schema, "array"))
		return true
	})
	if !paged {
		return
	}
	limit := o.query("limit", "page_size", "per_page", "pageSize", "perPage", "first", "max_results")
	switch {
	case limit == nil:
		o.find("G092", o.node, "it returns a list but takes no limit")
	case !o.follow(limit.get("schema")).has("maximum"):
		o.find("G092", limit, limit.get("name").str()+" has no maximum")
	}
	if o.query("cursor", "page", "offset", "after", "page_token", "pageToken") == nil {
		o.find("G092", o.node, "it returns a list but takes no cursor")
	}
}

// query returns the first query parameter with one of the names.
func (o *operation) query(names ...string) *value {
	for _, node := range o.node.get("parameters").list() {
		if node.has("$ref") {
			node = o.component("parameters", node)
		}
		if node.get("in").str() == "query" && slices.Contains(names, node.get("name").str()) {
			return node
		}
	}
	return nil
}
