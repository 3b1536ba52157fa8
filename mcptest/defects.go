package mcptest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// DefectKind says what is wrong with a list of tools.
type DefectKind string

// The kinds.
const (
	SeveralPages    DefectKind = "several pages"
	LongList        DefectKind = "long list"
	SameName        DefectKind = "same name"
	OddName         DefectKind = "odd name"
	LongName        DefectKind = "long name"
	NoDescription   DefectKind = "no description"
	LongDescription DefectKind = "long description"
	NoHints         DefectKind = "no hints"
	NoObject        DefectKind = "no object"
	NoProperties    DefectKind = "no properties"
	Alternatives    DefectKind = "alternatives"  // oneOf and the like
	SeveralTypes    DefectKind = "several types" // type is an array, or nullable is there
	References      DefectKind = "references"    // $ref, $defs
	DialectWords    DefectKind = "dialect"       // $schema, $id
	OpenAPIWords    DefectKind = "words of OpenAPI"
	BadRequired     DefectKind = "bad required"
)

// advice are the kinds that every client takes.
var advice = []DefectKind{LongList, NoDescription, NoHints}

// A Defect is a reason for which one client or another drops a tool, or the whole list, or advice.
type Defect struct {
	Kind DefectKind
	// Place is the tool or the schema: "createTask.inputSchema"; "" is the list.
	Place string
	// What is wrong, and why it matters.
	What, Why string
}

// Advice reports whether every client takes what the defect is about.
func (d Defect) Advice() bool { return slices.Contains(advice, d.Kind) }

func (d Defect) String() string {
	text := d.What + ": " + d.Why
	if d.Place == "" {
		return text
	}
	return d.Place + ": " + text
}

// Problems returns the defects for which one client or another drops a tool, or the whole list. One line each.
func (l *List) Problems() []string { return l.lines(false) }

// Notes returns advice. One line each.
func (l *List) Notes() []string { return l.lines(true) }

func (l *List) lines(advice bool) (lines []string) {
	for _, d := range l.Defects() {
		if d.Advice() == advice {
			lines = append(lines, d.String())
		}
	}
	return lines
}

// Defects returns all that is wrong with the list, in the order of its tools.
func (l *List) Defects() []Defect {
	var j judge
	if l.Pages > 1 {
		j.say(SeveralPages, "", fmt.Sprintf("the list has %d pages", l.Pages), "several clients read the first alone")
	}
	if l.Characters > maxCharacters {
		j.say(LongList, "", fmt.Sprintf("the list has %d characters, and more than %d take much of a model's room",
			l.Characters, maxCharacters), "publish fewer tools (of a Guestpass, GUESTPASS_MCP_OPERATIONS or "+
			"GUESTPASS_MODULES choose them)")
	}
	seen := map[string]string{}
	for _, t := range l.Tools {
		folded := strings.ReplaceAll(strings.ToLower(t.Name), "-", "_")
		if other, taken := seen[folded]; taken {
			j.say(SameName, "", other+" and "+t.Name, "some clients take the names for the same")
		}
		seen[folded] = t.Name
		j.tool(t)
	}
	return j.found
}

// judge collects defects.
type judge struct{ found []Defect }

func (j *judge) say(kind DefectKind, place, what, why string) {
	j.found = append(j.found, Defect{kind, place, what, why})
}

var toolName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]*$`)

func (j *judge) tool(t Tool) {
	switch {
	case !toolName.MatchString(t.Name):
		j.say(OddName, "", fmt.Sprintf("%q", t.Name), "some clients take a letter, then letters, digits, _ and - "+
			"for a "+
			"name")
	case len(t.Name) > maxNameLength:
		j.say(LongName, t.Name, fmt.Sprintf("the name has more than %d characters", maxNameLength),
			"some clients put a prefix before it")
	}
	switch n := utf8.RuneCountInString(t.Description); {
	case n == 0:
		j.say(NoDescription, t.Name, "there is no description", "a model goes by it")
	case n > maxDescription:
		j.say(LongDescription, t.Name, fmt.Sprintf("the description has %d characters", n),
			fmt.Sprintf("some clients take no more than %d", maxDescription))
	}
	if t.Annotations.ReadOnly == nil || t.Annotations.Destructive == nil || t.Annotations.OpenWorld == nil {
		j.say(NoHints, t.Name, "readOnlyHint, destructiveHint or openWorldHint is missing",
			"ChatGPT wants all three, and takes what is missing for the worst")
	}
	j.schema(t.Name+".inputSchema", t.InputSchema)
	if len(t.OutputSchema) > 0 {
		j.schema(t.Name+".outputSchema", t.OutputSchema)
	}
}

func (j *judge) schema(where string, schema json.RawMessage) {
	var root map[string]any
	if json.Unmarshal(schema, &root) != nil || root["type"] != "object" {
		j.say(NoObject, where, "the type is not object", "clients throw the whole list away")
		return
	}
	if _, ok := root["properties"].(map[string]any); !ok {
		j.say(NoProperties, where, "properties is no object", "some clients refuse the tool")
	}
	all := words{}
	all.look(root, "")
	for _, word := range slices.Sorted(maps.Keys(all)) {
		found, at := all[word], ""
		if found.at != "" {
			at = " (in " + found.at + ")"
		}
		j.say(found.kind, where, word+at, found.why)
	}
}

// unportable are the words of JSON Schema that a client is known to refuse, and those of OpenAPI.
var unportable = map[string]struct {
	kind DefectKind
	why  string
}{
	"oneOf":         {Alternatives, "Claude Code drops the tool, Cursor refuses it"},
	"anyOf":         {Alternatives, "Claude Code drops the tool, Cursor refuses it"},
	"allOf":         {Alternatives, "Claude Code drops the tool"},
	"not":           {Alternatives, "some clients refuse the tool"},
	"if":            {Alternatives, "some clients refuse the tool"},
	"$ref":          {References, "Gemini CLI and others refuse the tool"},
	"$defs":         {References, "Gemini CLI and others refuse the tool"},
	"definitions":   {References, "Gemini CLI and others refuse the tool"},
	"$schema":       {DialectWords, "some clients refuse the tool"},
	"$id":           {DialectWords, "some clients refuse the tool"},
	"nullable":      {SeveralTypes, "it is OpenAPI's, and some clients refuse the tool"},
	"example":       {OpenAPIWords, "it is OpenAPI's, and Claude refuses the tool"},
	"discriminator": {OpenAPIWords, "it is OpenAPI's, and Claude refuses the tool"},
	"xml":           {OpenAPIWords, "it is OpenAPI's, and Claude refuses the tool"},
}

// words are those that were found in a schema and where each was first.
type words map[string]found

type found struct {
	kind    DefectKind
	at, why string
}

func (w words) add(word string, f found) {
	if _, there := w[word]; !there {
		w[word] = f
	}
}

// look looks into schema and those inside it.
func (w words) look(schema map[string]any, at string) {
	for word, u := range unportable {
		if _, there := schema[word]; there {
			w.add(word, found{u.kind, at, u.why})
		}
	}
	if _, several := schema["type"].([]any); several {
		w.add("type is an array", found{SeveralTypes, at, "Cursor refuses the tool"})
	}
	properties, _ := schema["properties"].(map[string]any)
	w.lookAtRequired(schema, properties, at)
	for _, word := range []string{"properties", "$defs", "definitions", "patternProperties"} {
		named, _ := schema[word].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(named)) {
			w.into(named[name], at, name)
		}
	}
	for _, word := range []string{"items", "additionalProperties", "not", "if", "then", "else"} {
		w.into(schema[word], at, word)
	}
	for _, word := range []string{"oneOf", "anyOf", "allOf", "prefixItems"} {
		several, _ := schema[word].([]any)
		for _, inner := range several {
			w.into(inner, at, word)
		}
	}
}

func (w words) into(schema any, at, name string) {
	if inner, ok := schema.(map[string]any); ok {
		w.look(inner, strings.TrimPrefix(at+"."+name, "."))
	}
}

func (w words) lookAtRequired(schema, properties map[string]any, at string) {
	required, there := schema["required"]
	if !there {
		return
	}
	names, ok := required.([]any)
	if !ok {
		w.add("required is no array", found{BadRequired, at, "some clients refuse the tool"})
	}
	for _, name := range names {
		if text, _ := name.(string); properties[text] == nil {
			w.add(fmt.Sprintf("%v is required", name), found{BadRequired, at, "it is not among the properties"})
		}
	}
}
