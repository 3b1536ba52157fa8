package lint

import (
	"slices"
	"strings"
)

// upgraded returns a document of Swagger 2.0 in the words of OpenAPI 3.0, so that one set of rules does for both.
// Values keep the pointers and lines that they have in the document; schemas are shared with it, not copied.
func (l *linter) upgraded(root *value) *value {
	u := upgrade{l, root}
	out := like(root)
	root.each(func(name string, v *value) bool {
		switch name {
		case "swagger":
			out.set("openapi", word(v, "3.0.0"))
		case "host", "basePath", "schemes", "consumes", "produces", "securityDefinitions":
		case "paths":
			out.set(name, u.paths(v))
		default: // definitions, parameters and responses too, to which references lead
			out.set(name, v)
		}
		return true
	})
	if servers := u.servers(); servers != nil {
		out.set("servers", servers)
	}
	components := like(root)
	if definitions := root.get("definitions"); definitions != nil {
		components.set("schemas", definitions)
	}
	if schemes := root.get("securityDefinitions"); schemes != nil {
		components.set("securitySchemes", each(schemes, scheme))
	}
	out.set("components", components)
	return out
}

// like returns an empty object that stands where v does.
func like(v *value) *value {
	return &value{kind: object, members: map[string]*value{}, pointer: v.pointer, line: v.line}
}

func listLike(v *value, elements ...*value) *value {
	return &value{kind: array, elements: elements, pointer: v.pointer, line: v.line}
}

func word(at *value, written string) *value {
	return &value{kind: text, scalar: written, pointer: at.pointer, line: at.line}
}

// each returns an object whose members are changed, and what is none as it is.
func each(v *value, change func(*value) *value) *value {
	if !v.is(object) {
		return v
	}
	out := like(v)
	v.each(func(name string, inner *value) bool { out.set(name, change(inner)); return true })
	return out
}

type upgrade struct {
	*linter
	from *value
}

// servers returns nil where no host is named: the document's own is meant.
func (u upgrade) servers() *value {
	host := u.from.get("host")
	if host.str() == "" {
		return nil
	}
	scheme := "https"
	if schemes := u.from.get("schemes").list(); len(schemes) > 0 &&
		!slices.ContainsFunc(schemes, func(v *value) bool { return v.str() == scheme }) {
		scheme = schemes[0].str()
	}
	server := like(host)
	server.set("url", word(host, scheme+"://"+host.scalar+strings.TrimSuffix(u.from.get("basePath").str(), "/")))
	return listLike(host, server)
}

func (u upgrade) paths(paths *value) *value {
	return each(paths, func(item *value) *value {
		if !item.is(object) {
			return item
		}
		out := like(item)
		item.each(func(name string, v *value) bool {
			switch {
			case slices.Contains(methods, name) || slices.Contains(otherMethods, name):
				out.set(name, u.operation(v, item))
			case name == "parameters": // of a body and forms too, so they are given to each operation
			default:
				out.set(name, v)
			}
			return true
		})
		return out
	})
}

func (u upgrade) operation(node, item *value) *value {
	if !node.is(object) {
		return node
	}
	out := like(node)
	node.each(func(name string, v *value) bool {
		switch name {
		case "parameters", "consumes", "produces", "schemes":
		case "responses":
			out.set(name, each(v, func(one *value) *value { return u.response(one, node) }))
		default:
			out.set(name, v)
		}
		return true
	})
	if list := node.get("parameters"); list != nil && !list.is(array) {
		out.set("parameters", list) // which is wrong, and is told
		return out
	}
	u.parameters(out, node, item)
	return out
}

// parameters gives an operation its parameters, and its body if one of them is that or a field of a form.
func (u upgrade) parameters(out, node, item *value) {
	list, fields := listLike(or(node.get("parameters"), node)), []*value{}
	for _, one := range u.effective(u.from, item, node) {
		param := u.target(u.from, one)
		switch in := param.get("in").str(); {
		case !param.is(object):
			list.elements = append(list.elements, one) // leads nowhere, which is told
		case in == "body":
			out.set("requestBody", u.body(param, u.media(node, "consumes", jsonType), schemaOf(param.get("schema"))))
		case in == "formData":
			fields = append(fields, param)
		default:
			list.elements = append(list.elements, u.parameter(param))
		}
	}
	if len(fields) > 0 {
		out.set("requestBody", u.body(fields[0], u.media(node, "consumes", "application/x-www-form-urlencoded"),
			u.form(fields)))
	}
	out.set("parameters", list)
}

// ofParameters are the members of a parameter that are not its schema's.
var ofParameters = []string{"name", "in", "description", "required", "collectionFormat", "allowEmptyValue"}

// parameter puts into a schema what Swagger 2.0 says of a parameter itself.
func (u upgrade) parameter(param *value) *value {
	out, schema := like(param), like(param)
	param.each(func(name string, v *value) bool {
		if slices.Contains(ofParameters, name) || strings.HasPrefix(name, "x-") {
			out.set(name, v)
		} else {
			schema.set(name, v)
		}
		return true
	})
	out.set("schema", schemaOf(schema))
	return out
}

// form returns the schema of a body that has the fields as properties.
func (u upgrade) form(fields []*value) *value {
	schema, properties := like(fields[0]), like(fields[0])
	required := listLike(fields[0])
	for _, field := range fields {
		param := u.parameter(field)
		inner := param.get("schema")
		if description := field.get("description"); description != nil {
			inner.set("description", description)
		}
		properties.set(field.get("name").str(), inner)
		if field.get("required").isTrue() {
			required.elements = append(required.elements, word(field, field.get("name").str()))
		}
	}
	schema.set("type", word(fields[0], "object"))
	schema.set("properties", properties)
	if len(required.elements) > 0 {
		schema.set("required", required)
	}
	return schema
}

func (u upgrade) body(param *value, kinds []string, schema *value) *value {
	out := like(param)
	for _, name := range []string{"required", "description"} {
		if v := param.get(name); v != nil {
			out.set(name, v)
		}
	}
	out.set("content", content(param, kinds, schema))
	return out
}

// maxMedia media types of an operation are looked at.
const maxMedia = 20

// media returns the media types that an operation names, or the document for all.
func (u upgrade) media(node *value, name, otherwise string) (kinds []string) {
	list := or(node.get(name), u.from.get(name)).list()
	for _, kind := range list[:min(len(list), maxMedia)] {
		kinds = append(kinds, kind.str())
	}
	if len(kinds) == 0 {
		return []string{otherwise}
	}
	return kinds
}

func content(at *value, kinds []string, schema *value) *value {
	out := like(at)
	for _, kind := range kinds {
		media := like(at)
		if schema != nil {
			media.set("schema", schema)
		}
		out.set(kind, media)
	}
	return out
}

func (u upgrade) response(one, node *value) *value {
	response := u.target(u.from, one)
	if !response.is(object) {
		return one
	}
	out := like(response)
	response.each(func(name string, v *value) bool {
		if name != "schema" && name != "examples" {
			out.set(name, v)
		}
		return true
	})
	if schema := response.get("schema"); schema != nil {
		out.set("content", content(schema, u.media(node, "produces", jsonType), schemaOf(schema)))
	}
	return out
}

// schemaOf says what a file is in the words of 3.0.
func schemaOf(schema *value) *value {
	if schema.get("type").str() != "file" {
		return schema
	}
	out := like(schema)
	schema.each(func(name string, v *value) bool { out.set(name, v); return true })
	out.set("type", word(schema, "string"))
	out.set("format", word(schema, "binary"))
	return out
}

// flows are the names of OAuth's flows in 3.0, by those of 2.0.
var flows = map[string]string{"accessCode": "authorizationCode", "application": "clientCredentials",
	"implicit": "implicit", "password": "password"}

func scheme(from *value) *value {
	if !from.is(object) {
		return from
	}
	out := like(from)
	switch from.get("type").str() {
	case "basic":
		out.set("type", word(from, "http"))
		out.set("scheme", word(from, "basic"))
		return out
	case "oauth2":
		flow, name := like(from), flows[from.get("flow").str()]
		for _, member := range []string{"authorizationUrl", "tokenUrl", "scopes"} {
			if v := from.get(member); v != nil {
				flow.set(member, v)
			}
		}
		out.set("type", from.get("type"))
		out.set("flows", like(or(from.get("flow"), from)))
		if name != "" {
			out.get("flows").set(name, flow)
		}
		return out
	}
	return from
}
