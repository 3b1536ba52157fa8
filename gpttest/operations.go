package gpttest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	methods = []string{"get", "post", "put", "patch", "delete"}
	// otherMethods are refused by M11: head class D, the others class I.
	otherMethods = []string{"head", "options", "trace"}
	// pathItemMembers are the members of a path item that are no methods.
	pathItemMembers = []string{"summary", "description", "servers", "parameters", "$ref"}
	// toolName is what OpenAI's tools may be called (G030, class C).
	toolName         = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	templateVariable = regexp.MustCompile(`\{([^{}]*)\}`)
)

const (
	operationTextLimit = 300 // M21, class A
	argumentTextLimit  = 700 // M21, class A
)

// paths walks every operation: M10 to M12 here, the rest further down.
func (v *validator) paths() {
	if v.root.has("paths") && v.root.get("paths") == nil {
		v.null()
	}
	paths := v.root.object("paths")
	for _, path := range paths.names() {
		item := paths.object(path)
		switch {
		case paths.values[path] == nil:
			v.null()
			continue
		case item == nil:
			v.say("M22", "Could not parse valid OpenAPI spec")
			continue
		case !strings.HasPrefix(path, "/") && v.say("M12", "Path %s does not start with a slash; skipping", path):
			continue
		}
		for _, method := range item.keys {
			v.method(path, method, item)
		}
	}
}

func (v *validator) method(path, method string, item *object) {
	if slices.Contains(pathItemMembers, method) || strings.HasPrefix(method, "x-") {
		return
	}
	if !slices.Contains(methods, method) {
		dropped := v.say("M11", "Path %s has unrecognized method %s; skipping", path, method)
		if dropped || !slices.Contains(otherMethods, method) {
			return
		}
	}
	v.counted++
	operation := item.object(method)
	if operation == nil {
		v.null()
		return
	}
	id, _ := operation.get("operationId").(string)
	if id == "" {
		v.say("M10", "In path %s, method %s is missing operationId; skipping", path, method)
		return
	}
	c := &operationCheck{
		validator: v, path: path, method: method, item: item, node: operation,
		where: fmt.Sprintf("In path %s, method %s, operationId %s, ", path, method, id),
		out:   Operation{ID: id, Method: strings.ToUpper(method), Path: path},
	}
	c.check()
	if !c.dropped {
		v.imp.Operations = append(v.imp.Operations, c.out)
	}
}

// operationCheck builds one operation and finds its faults.
type operationCheck struct {
	*validator
	path, method string
	item, node   *object
	where        string // how messages begin
	out          Operation
	dropped      bool
	failed       bool // the closing "skipping function" line is due
}

func (c *operationCheck) check() {
	c.name()
	c.texts()
	c.parameters()
	c.body()
	c.duplicates()
	c.template()
	c.responses()
	c.access()
	if c.failed {
		c.dropped = true
	}
}

// name is G030. The editor's own text is not known.
func (c *operationCheck) name() {
	if !toolName.MatchString(c.out.ID) {
		c.dropped = c.say("G030", "%soperationId must match %s", c.where, toolName) || c.dropped
	}
	if _, taken := c.imp.Operation(c.out.ID); taken {
		c.dropped = c.say("G030", "%soperationId is used twice", c.where) || c.dropped
	}
}

// texts is M21 for the operation itself.
func (c *operationCheck) texts() {
	c.out.Summary, c.out.Description = c.node.string("summary"), c.node.string("description")
	for _, member := range []string{"description", "summary"} {
		c.limit(member, c.node.string(member), operationTextLimit)
	}
	consequential, ok := c.node.get("x-openai-isConsequential").(bool)
	if !ok {
		consequential = c.method != "get" // class A
	}
	c.out.Consequential = consequential
}

func (c *operationCheck) limit(what, text string, limit int) {
	if n := utf8.RuneCountInString(text); n > limit {
		c.say("M21", "%s%s has length %d exceeding limit of %d", c.where, what, n, limit)
	}
}

// skipFunction is the line that closes M13 and M16.
func (c *operationCheck) skipFunction(rule string) {
	c.failed = true
	c.say(rule, "%sskipping function due to errors", c.where)
}

// parameters reads those of the path item, then those of the operation; a parameter
// of the operation replaces one of the same name and place.
func (c *operationCheck) parameters() {
	unnamed := false
	for _, owner := range []*object{c.item, c.node} {
		if !owner.has("parameters") {
			continue
		}
		list, ok := owner.get("parameters").([]any)
		if !ok {
			c.say("M22", "Could not parse valid OpenAPI spec")
		}
		for i, entry := range list {
			parameter, _ := entry.(*object)
			name, ok := parameter.get("name").(string)
			if !ok {
				unnamed = true
				c.say("M13", "%sparameter %s is has missing or non-string name; skipping", c.where, repr(entry))
				continue
			}
			c.parameter(name, parameter, i, owner == c.node)
		}
	}
	if unnamed {
		c.skipFunction("M13")
	}
}

func (c *operationCheck) parameter(name string, parameter *object, i int, own bool) {
	in := parameter.string("in")
	switch {
	case in == "header", in == "cookie" && !c.options.CookieParameters:
		c.say("M14", "parameter %s has location %s; ignoring", name, in)
		return
	case in != "path" && in != "query" && in != "cookie":
		c.dropped = c.say("G043", "%sparameter %s has no known location", c.where, name) || c.dropped
		return
	}
	at := place{
		context: []any{"paths", c.path, c.method, "parameters", name, "schema"},
		path:    []any{"paths", c.path, c.method, "parameters", i, "schema"},
	}
	if parameter.has("schema") {
		c.schema(parameter.get("schema"), at)
	}
	required, _ := parameter.get("required").(bool)
	argument := c.argument(name, in, parameter.object("schema"), required || in == "path")
	if text := parameter.string("description"); text != "" {
		argument.Description = text
	}
	if beside := examplesBeside(parameter); len(beside) > 0 {
		argument.Example = beside[0]
	}
	c.limit("parameter "+name+" description", argument.Description, argumentTextLimit)
	if own {
		c.out.Arguments = slices.DeleteFunc(c.out.Arguments, func(a Argument) bool {
			return a.Name == name && a.In == in && a.inherited
		})
	}
	argument.inherited = !own
	c.out.Arguments = append(c.out.Arguments, argument)
}

func (c *operationCheck) argument(name, in string, node *object, required bool) Argument {
	schema := c.follow(node)
	a := Argument{Name: name, In: in, Type: typeName(schema), Required: required}
	if a.Description = node.string("description"); a.Description == "" {
		a.Description = schema.string("description")
	}
	if a.Type == "array" {
		a.Items = typeName(c.follow(schema.object("items")))
	}
	if enum, ok := schema.get("enum").([]any); ok {
		a.Enum = plain(enum).([]any)
	}
	a.Default, a.Format, a.Example = plain(schema.get("default")), schema.string("format"), plain(schema.get("example"))
	if examples, ok := schema.get("examples").([]any); ok && a.Example == nil && len(examples) > 0 {
		a.Example = plain(examples[0])
	}
	a.known, a.Schema = c.members(schema, 0), c.published(node)
	return a
}

// body is M16 and G050.
func (c *operationCheck) body() {
	if !c.node.has("requestBody") {
		return
	}
	at := place{context: []any{"paths", c.path, c.method, "requestBody"}, path: []any{"paths", c.path, c.method,
		"requestBody"}}
	body := c.node.object("requestBody")
	if ref, ok := body.get("$ref").(string); ok {
		if body = c.component("requestBodies", ref); body == nil {
			c.unknownComponent(ref, at)
		}
	}
	if body.has("content") && body.get("content") == nil {
		c.null()
		return
	}
	content := body.object("content")
	if len(content.names()) > 0 && !content.has("application/json") {
		c.dropped = c.say("G050", "%srequest body has no application/json", c.where) || c.dropped
		return
	}
	media := content.object("application/json")
	node := media.object("schema")
	c.schema(orEmpty(node), at.in("content", "application/json", "schema"))
	schema := c.follow(node)
	if schema.string("type") != "object" || schema.has("oneOf") || schema.has("anyOf") {
		c.say("M16", "%srequest body schema is not an object schema; skipping", c.where)
		c.skipFunction("M16")
		return
	}
	c.out.hasBody, c.out.body, c.out.bodyExamples = true, c.published(node), examplesBeside(media)
	c.out.bodyRequired, _ = body.get("required").(bool)
	required, _ := schema.get("required").([]any)
	properties := schema.object("properties")
	for _, name := range properties.names() {
		argument := c.argument(name, "body", properties.object(name), slices.Contains(required, any(name)))
		c.limit("parameter "+name+" description", argument.Description, argumentTextLimit)
		c.out.Arguments = append(c.out.Arguments, argument)
	}
}

// examplesBeside returns those of a parameter or a media type, beside its schema.
func examplesBeside(node *object) (values []any) {
	if node.has("example") {
		values = append(values, plain(node.get("example")))
	}
	named := node.object("examples")
	for _, name := range named.names() {
		if one := named.object(name); one.has("value") {
			values = append(values, plain(one.get("value")))
		}
	}
	return values
}

func orEmpty(o *object) *object {
	if o == nil {
		return newObject()
	}
	return o
}

// component resolves a reference to something other than a schema.
func (v *validator) component(kind, ref string) *object {
	name, ok := strings.CutPrefix(ref, "#/components/"+kind+"/")
	if !ok {
		return nil
	}
	return v.root.object("components").object(kind).object(name)
}

// duplicates is M15.
func (c *operationCheck) duplicates() {
	seen := map[string]bool{}
	for _, argument := range c.out.Arguments {
		if seen[argument.Name] && c.say("M15", "parameter %s is duplicated; skipping function due to errors",
			argument.Name) {
			c.dropped = true
		}
		seen[argument.Name] = true
	}
}

// template is G043: what the path names and what the parameters declare must agree,
// or a call leaves a literal {id} in its URL.
func (c *operationCheck) template() {
	if c.failed {
		return
	}
	var inPath []string
	for _, match := range templateVariable.FindAllStringSubmatch(c.path, -1) {
		inPath = append(inPath, match[1])
		if !slices.ContainsFunc(c.out.Arguments,
			func(a Argument) bool { return a.In == "path" && a.Name == match[1] }) {
			c.dropped = c.say("G043", "%sthe path names {%s}, which no parameter declares", c.where, match[1]) ||
				c.dropped
		}
	}
	for _, argument := range c.out.Arguments {
		if argument.In == "path" && !slices.Contains(inPath, argument.Name) {
			c.dropped = c.say("G043", "%sparameter %s is not in the path", c.where, argument.Name) || c.dropped
		}
	}
}

// responses checks their schemas: they reach the model little, but are validated.
// The place names the status and leaves out the method, as the editor does.
func (c *operationCheck) responses() {
	if c.node.has("responses") && c.node.get("responses") == nil {
		c.null()
	}
	responses := c.node.object("responses")
	c.out.replies = map[string]*Schema{}
	for _, status := range responses.names() {
		at := place{
			context: []any{"paths", c.path, status, "response"},
			path:    []any{"paths", c.path, c.method, "responses", status},
		}
		response := responses.object(status)
		if ref, ok := response.get("$ref").(string); ok {
			if response = c.component("responses", ref); response == nil {
				c.unknownComponent(ref, at)
			}
		}
		if response.has("content") && response.get("content") == nil {
			c.null()
		}
		content := response.object("content")
		c.out.replies[status] = c.published(content.object("application/json").object("schema"))
		for _, mediaType := range content.names() {
			if media := content.object(mediaType); media.has("schema") {
				c.schema(media.get("schema"), at.in("content", mediaType, "schema"))
			}
		}
	}
}

// access reads the security requirement that holds for the operation.
func (c *operationCheck) access() {
	c.security(c.where, c.node)
	owner := c.node
	if !owner.has("security") {
		owner = c.root
	}
	list, ok := owner.get("security").([]any)
	c.out.Public = ok
	for _, entry := range list {
		requirement, _ := entry.(*object)
		for _, name := range requirement.names() {
			c.out.Public = false
			scopes, _ := requirement.values[name].([]any)
			for _, scope := range scopes {
				if text, ok := scope.(string); ok && !slices.Contains(c.out.Scopes, text) {
					c.out.Scopes = append(c.out.Scopes, text)
				}
			}
		}
	}
}
