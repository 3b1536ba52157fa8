package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"guestpass/openapi/internal/actions"
)

// importerRules are asked of a document by importers other than the GPT editor. Their evidence names who asks.
var importerRules = []Rule{
	{ID: "X001", Severity: Error, Title: "the version is one that the importer takes", Evidence: "A, B, D",
		Why: "Power Platform takes 2.0 only, Microsoft 365 3.0, Bedrock's action groups 3.0.0 to the letter. They " +
			"refuse another as a whole.",
		Remedy: "Convert it. Guestpass serves /openapi.json in 3.1.0, /openapi-3.0.json in 3.0.0 and " +
			"/swagger.json in 2.0."},
	{ID: "X002", Severity: Error, Title: "there is an operation", Evidence: "B",
		Why:    "There is nothing to call; Microsoft's toolkit answers that there is no supported API.",
		Remedy: "Declare one. In a document of Guestpass's x-left-out says what is not in it, and why."},
	{ID: "X003", Severity: Error, Title: "every operation has an operationId of its own", Evidence: "A, B",
		Why:    "It becomes the name of the tool, action or method.",
		Remedy: "Name it verb first, as listTasks."},
	{ID: "X010", Severity: Error, Title: "no oneOf, anyOf and allOf", Evidence: "A",
		Why:    "Microsoft 365 and AgentCore do not support them; what a model is to send cannot be told from them.",
		Remedy: "Describe the one shape that is meant; tell cases apart by an enum."},
	{ID: "X011", Severity: Error, Title: "bodies and parameters have no objects within", Evidence: "A",
		Why:    "Microsoft 365 does not support nested objects in what is sent.",
		Remedy: "Make their members properties of the body, or parameters of their own, with longer names."},
	{ID: "X012", Severity: Warning, Title: "a description names the values of an enum", Evidence: "A",
		Why: "Bedrock's action groups do not support enum and ask for the values in the description. Whether they " +
			"refuse an enum is not said.",
		Remedy: "Add \"One of: a, b\" to the description."},
	{ID: "X013", Severity: Warning, Title: "a successful response is JSON with a schema", Evidence: "A",
		Why: "Copilot makes its answer of the fields.", Remedy: "Declare application/json with a schema for 200."},
	{ID: "X015", Severity: Warning, Title: "parameters are written in the usual way", Evidence: "A",
		Why:    "AgentCore knows no other serialisation: it leaves style, explode and content aside.",
		Remedy: "Take one text or number, or a body."},
	{ID: "X020", Severity: Error, Title: "the document is as small as the importer wants", Evidence: "A",
		Why:    "Power Platform takes less than 1 MB, Salesforce 10,000,000 characters.",
		Remedy: "Publish fewer operations, shorten texts, drop examples."},
	{ID: "X021", Severity: Warning, Title: "a default response has no schema", Evidence: "C",
		Why:    "Power Platform's validator wants schemas on the responses that are expected only.",
		Remedy: "Leave the schema out, or say the status."},
	{ID: "X022", Severity: Warning, Title: "operations have a summary, and parameters a description", Evidence: "C",
		Why: "They are what makers of flows see; Power Platform's validator requires both.", Remedy: "Write both."},
	{ID: "X023", Severity: Note, Title: "parameters have x-ms-summary", Evidence: "A, C",
		Why:    "It is the label in the designer, else the name stands there; for certification it is required.",
		Remedy: "Write a title such as \"Due Before\"."},
	{ID: "X024", Severity: Warning, Title: "formats are those that connectors know", Evidence: "B",
		Why: "Microsoft's schema of connector definitions lists int32, int64, float, double, byte, binary, date, " +
			"date-time, date-no-tz, html, password and uri, and no other.",
		Remedy: "Leave the format out, and describe it."},
	{ID: "X025", Severity: Error, Title: "paths differ by more than letter case", Evidence: "D",
		Why: "Power Platform refuses paths that are equal when case is ignored.", Remedy: "Rename one."},
	{ID: "X030", Severity: Warning, Title: "every operation has a description", Evidence: "A",
		Why:    "A model chooses by it. Bedrock requires it.",
		Remedy: "Say what it does and returns."},
	{ID: "X031", Severity: Note, Title: "descriptions have at most 1,333 characters", Evidence: "A",
		Why: "Salesforce cuts the rest.", Remedy: "Shorten it."},
	{ID: "X032", Severity: Note, Title: "nobody has to sign in", Evidence: "A, I",
		Why: "Dify offers no OAuth for such tools; Bedrock's action groups call a Lambda function of yours, which " +
			"has to get a token itself.",
		Remedy: "Use the MCP server instead, where the importer speaks it."},
}

// maxImportedText is what Salesforce keeps of a description, in characters.
const maxImportedText = 1_333

// connectorFormats are those of X024.
var connectorFormats = []string{"int32", "int64", "float", "double", "byte", "binary", "date", "date-time",
	"date-no-tz", "html", "password", "uri"}

// importer looks for what importers other than the GPT editor ask. Which of it holds for one, its profile says.
func (l *linter) importer() {
	if most := l.options.For.maxBytes; most > 0 && l.bytes >= most {
		l.find("X020", nil, fmt.Sprintf("it has %d bytes, and has to have less than %d", l.bytes, most))
	}
	ids, paths, calls := map[string]string{}, map[string]string{}, l.viewOf(l.root).calls()
	for _, c := range calls {
		l.importedCall(c, ids)
	}
	if len(calls) == 0 {
		l.find("X002", or(l.root.get("paths"), l.root), "there is no operation")
	}
	l.root.get("paths").each(func(path string, item *value) bool {
		folded := strings.ToLower(path)
		if other, taken := paths[folded]; taken {
			l.find("X025", item, "the path differs only in letter case from "+abbreviated(other))
		}
		paths[folded] = path
		return true
	})
}

// importedCall looks at one operation.
func (l *linter) importedCall(c call, ids map[string]string) {
	id := c.node.get("operationId")
	switch other, taken := ids[id.str()]; {
	case id.str() == "":
		l.find("X003", or(id, c.node), "operationId is "+shown(id))
	case taken:
		l.find("X003", id, fmt.Sprintf("operationId %s is that of %s as well", abbreviated(id.scalar), other))
	}
	ids[id.str()] = c.name
	for rule, name := range map[string]string{"X022": "summary", "X030": "description"} {
		if written := c.node.get(name); strings.TrimSpace(written.str()) == "" {
			l.find(rule, or(written, c.node), "the "+name+" is "+shown(written))
		}
	}
	l.longText(c.node)
	if security := or(c.node.get("security"), l.root.get("security")); len(security.list()) > 0 {
		l.find("X032", or(l.root.get("components", "securitySchemes"), security),
			"operations want people to sign in, which this importer does not do for them")
	}
	for _, one := range l.effective(l.root, c.item, c.node) {
		if param := l.target(l.root, one); param.is(object) && !notThere(param) {
			l.importedParameter(param)
		}
	}
	for _, media := range l.target(l.root, c.node.get("requestBody")).get("content").inOrder() {
		l.importedSchema(media.get("schema"), schemaUse{as: asRequest})
	}
	l.importedResponses(c)
}

func (l *linter) importedParameter(param *value) {
	for _, name := range []string{"style", "explode", "content"} {
		if param.has(name) && !isUsual(param, name) {
			l.find("X015", param.get(name), "the parameter has "+name)
		}
	}
	if strings.TrimSpace(param.get("description").str()) == "" {
		l.find("X022", param, "the parameter has no description")
	}
	if param.get("x-ms-summary").str() == "" {
		l.find("X023", param, "the parameter has no x-ms-summary")
	}
	l.longText(param)
	l.importedSchema(param.get("schema"), schemaUse{asRequest, param.get("description").str(), true})
}

// isUsual reports whether a member only says how a parameter is written anyway.
func isUsual(param *value, name string) bool {
	inQuery := param.get("in").str() == "query"
	switch name {
	case "style":
		return param.get(name).str() == map[bool]string{true: "form", false: "simple"}[inQuery]
	case "explode":
		return param.get(name).isTrue() == inQuery
	}
	return false
}

func (l *linter) importedResponses(c call) {
	answered, success := false, (*value)(nil)
	c.node.get("responses").each(func(status string, one *value) bool {
		response := l.target(l.root, one)
		for _, media := range response.get("content").inOrder() {
			l.importedSchema(media.get("schema"), schemaUse{as: asResponse})
			if status == "default" && media.has("schema") {
				l.find("X021", media.get("schema"), "the default response has a schema")
			}
		}
		if strings.HasPrefix(status, "2") {
			success = or(success, response)
			answered = answered || replyOf(response.get("content")).has("schema")
		}
		return true
	})
	if !answered {
		l.find("X013", or(success, c.node), "no JSON with a schema comes back")
	}
}

// schemaUse is where a schema stands.
type schemaUse struct {
	as        use
	described string // by the parameter
	inside    bool   // of a body, or in a parameter
}

// importedVisit is one schema in one use, looked at once.
type importedVisit struct {
	schema *value
	as     use
	inside bool
}

// importedSchema looks at a schema and all inside it, references followed.
func (l *linter) importedSchema(schema *value, u schemaUse) {
	schema = l.follow(schema)
	visit := importedVisit{schema, u.as, u.inside}
	if !schema.is(object) || l.importedVisits[visit] {
		return
	}
	l.visit(1)
	l.importedVisits[visit] = true
	for _, name := range []string{"oneOf", "anyOf", "allOf"} {
		if schema.has(name) {
			l.find("X010", schema.get(name), name+" is used")
		}
		for _, part := range schema.get(name).list() {
			l.importedSchema(part, u)
		}
	}
	if u.as == asRequest && u.inside && (hasType(schema, "object") || schema.has("properties")) {
		l.find("X011", schema, "there is an object within what is sent")
	}
	if format := schema.get("format"); format.is(text) && !slices.Contains(connectorFormats, format.scalar) {
		l.find("X024", format, "the format is "+abbreviated(format.scalar))
	}
	l.longText(schema)
	if u.as == asRequest {
		l.unnamedValues(schema, u.described)
	}
	below := schemaUse{as: u.as, inside: true, described: cmp.Or(schema.get("description").str(), u.described)}
	for _, name := range []string{"items", "additionalProperties"} {
		l.importedSchema(schema.get(name), below)
	}
	below.described = ""
	schema.get("properties").each(func(_ string, inner *value) bool { l.importedSchema(inner, below); return true })
}

// maxNamed values of an enum are looked for in a description.
const maxNamed = 200

// unnamedValues is X012. The description may stand at the parameter or the array, too.
func (l *linter) unnamedValues(schema *value, described string) {
	described = cmp.Or(schema.get("description").str(), described)
	values := schema.get("enum").list()
	for _, one := range values[:min(len(values), maxNamed)] {
		if one.scalar != "" && !actions.Names(described, one.scalar) {
			l.find("X012", schema.get("enum"), "the description does not name "+shown(one))
			return
		}
	}
}

func (l *linter) longText(at *value) {
	written := at.get("description")
	if n := utf8.RuneCountInString(written.str()); n > maxImportedText {
		l.find("X031", written, fmt.Sprintf("the description has %d characters, of which %d are kept", n,
			maxImportedText))
	}
}
