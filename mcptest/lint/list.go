package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"guestpass/gpttest"
	"guestpass/mcptest"
)

// list is what tools/list answered.
type list struct {
	tools      []tool
	characters int
	pages      int
	problem    string // why there is none
}

// tool is one of the list, with what mcptest does not read.
type tool struct {
	mcptest.Tool
	Meta            map[string]json.RawMessage `json:"_meta"`
	SecuritySchemes json.RawMessage            `json:"securitySchemes"`

	raw     json.RawMessage
	changed bool // it was another one when the list was read again
}

// onlyReads reports whether the tool says so, to the letter and once. What one reader takes for a permission and
// another does not is none.
func (t tool) onlyReads() bool {
	members, plain := mcptest.Members(t.raw)
	hints, plainHints := mcptest.Members(members["annotations"])
	return plain && plainHints && string(hints["readOnlyHint"]) == "true" && string(hints["destructiveHint"]) != "true"
}

var listChecks = []check{
	{[]string{"M068"}, []need{talks}, (*visit).readList},
	{[]string{"M069"}, []need{talks, hasList}, (*visit).lookAtTypes},
	{[]string{"M070", "M071", "M072", "M073", "M074", "M075", "M076", "M077", "M080", "M081", "M082", "M083", "M084",
		"M086", "M087", "M089"}, []need{talks, hasList}, (*visit).lookAtDefects},
	{[]string{"M078", "M079", "M095", "M096", "M097"}, []need{talks, hasList}, (*visit).lookAtSchemas},
	{[]string{"M085"}, []need{talks}, (*visit).lookAtInstructions},
	{[]string{"M088"}, []need{speaksLegacy, hasList}, (*visit).lookAtCursors},
	{[]string{"M090", "M091"}, []need{talks, hasList}, (*visit).lookAtHints},
	{[]string{"M092"}, []need{talks, hasList}, (*visit).lookAtListOrder},
	{[]string{"M093"}, []need{talks}, (*visit).lookAtListChanges},
	{[]string{"M094"}, []need{talks, wantsToken, hasList}, (*visit).lookAtSecuritySchemes},
}

func hasList(v *visit) string {
	if v.list.problem != "" {
		return "the list of tools could not be read"
	}
	return ""
}

// page reads one page of the list.
func (v *visit) page(cursor string) (tools []json.RawMessage, next, problem string) {
	members := ""
	if cursor != "" {
		quoted, _ := json.Marshal(cursor) // of a string never fails
		members = `"cursor":` + string(quoted)
	}
	got := v.ask("tools/list", "", members)
	var said struct {
		Tools []json.RawMessage `json:"tools"`
		Next  string            `json:"nextCursor"`
	}
	if !got.carries() {
		return nil, "", "it is answered " + got.described()
	}
	if err := json.Unmarshal(got.rpc.Result, &said); err != nil || said.Tools == nil {
		return nil, "", "the result has no list of tools"
	}
	if problem := pageShape.problem(got.rpc.Result); problem != "" {
		v.failOnce("M069", "tools/list", "%s", v.shown(problem))
	}
	return said.Tools, said.Next, ""
}

// readList keeps the list as it is answered first.
func (v *visit) readList() {
	v.list = v.pages(func(format string, args ...any) { v.fail("M068", "tools/list", format, args...) })
}

// pages reads the whole list. say is told what is wrong with it.
func (v *visit) pages(say func(format string, args ...any)) (l list) {
	cursor := ""
	for l.pages < mostPages {
		tools, next, problem := v.page(cursor)
		if problem != "" {
			if l.problem = problem; !v.lost {
				say("%s", problem)
			}
			return l
		}
		l.pages++
		for i, raw := range tools {
			if len(l.tools) == mostTools {
				say("there are more than %d tools, and no more were read", mostTools)
				return l
			}
			l.characters += utf8.RuneCount(raw)
			t := tool{}
			if err := json.Unmarshal(raw, &t); err != nil || t.Name == "" {
				say("tool %d of page %d cannot be read", i+1, l.pages)
				continue
			}
			t.raw = raw
			l.tools = append(l.tools, t)
		}
		switch next {
		case "":
			return l
		case cursor:
			say("nextCursor %q leads to itself", v.said(cursor))
			return l
		}
		cursor = next
	}
	say("there are more than %d pages", mostPages)
	return l
}

// lookAtTypes holds the tools against the specification's; reading the pages has looked at what is around them.
func (v *visit) lookAtTypes() {
	for _, t := range v.list.tools {
		if problem := toolShape.problem(t.raw); problem != "" {
			v.fail("M069", t.Name, "%s", v.shown(problem))
		}
	}
}

// ruleOf says which rule a defect breaks.
var ruleOf = map[mcptest.DefectKind]string{
	mcptest.NoObject: "M070", mcptest.NoProperties: "M071", mcptest.Alternatives: "M072",
	mcptest.SeveralTypes: "M073", mcptest.References: "M074", mcptest.DialectWords: "M075",
	mcptest.OpenAPIWords: "M076", mcptest.BadRequired: "M077", mcptest.OddName: "M080", mcptest.LongName: "M081",
	mcptest.SameName: "M082", mcptest.NoDescription: "M083", mcptest.LongDescription: "M084",
	mcptest.LongList: "M086", mcptest.SeveralPages: "M087", mcptest.NoHints: "M089",
}

// allowedName is the specification's.
var allowedName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)

func (v *visit) lookAtDefects() {
	l := mcptest.List{Characters: v.list.characters, Pages: v.list.pages}
	for _, t := range v.list.tools {
		l.Tools = append(l.Tools, t.Tool)
	}
	for _, d := range l.Defects() {
		v.fail(ruleOf[d.Kind], d.Place, "%s", v.shown(d.What))
	}
	for _, t := range v.list.tools {
		if !allowedName.MatchString(t.Name) {
			v.failAs(Error, "M080", t.Name, "the specification allows 1 to 128 letters, digits, _, - and .")
		}
	}
}

// lookAtSchemas reads each schema as a validator does, and looks for what is of one kind alone.
func (v *visit) lookAtSchemas() {
	for _, t := range v.list.tools {
		for _, s := range []struct {
			place string
			text  json.RawMessage
		}{{t.Name + ".inputSchema", t.InputSchema}, {t.Name + ".outputSchema", t.OutputSchema}} {
			if len(s.text) == 0 {
				continue
			}
			switch _, err := gpttest.ReadSchema(s.text); {
			case errors.Is(err, gpttest.ErrSteps):
				v.fail("M095", s.place, "%s to be read", err)
			case err != nil:
				v.fail("M078", s.place, "%s", v.shown(err.Error()))
			}
			var schema any
			_ = json.Unmarshal(s.text, &schema) // of what is no JSON nothing is known
			for _, problem := range emptyOf(schema, "", nil) {
				v.fail("M095", s.place, "%s", v.shown(problem))
			}
		}
		var input, output any
		_ = json.Unmarshal(t.InputSchema, &input)
		_ = json.Unmarshal(t.OutputSchema, &output)
		if formats := slices.Compact(slices.Sorted(slices.Values(formatsOf(input, nil)))); len(formats) > 0 {
			v.fail("M079", t.Name+".inputSchema", "format %s", v.shown(strings.Join(formats, ", ")))
		}
		if isClosed(output) {
			v.fail("M096", t.Name+".outputSchema", "additionalProperties is false")
		}
		if !isClosed(input) {
			v.fail("M097", t.Name+".inputSchema", "additionalProperties is not false")
		}
	}
}

// isClosed reports whether a schema admits no members but those that it names.
func isClosed(schema any) bool {
	object, _ := schema.(map[string]any)
	return object["additionalProperties"] == false
}

// formatsOf collects the formats of properties, at any depth.
func formatsOf(schema any, found []string) []string {
	object, _ := schema.(map[string]any)
	if format, is := object["format"].(string); is {
		found = append(found, format)
	}
	properties, _ := object["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		found = formatsOf(properties[name], found)
	}
	if object["items"] != nil {
		found = formatsOf(object["items"], found)
	}
	return found
}

// emptyOf says which schemas, at any depth of properties and items, admit nothing.
func emptyOf(schema any, at string, problems []string) []string {
	object, _ := schema.(map[string]any)
	say := func(problem string) {
		if at != "" {
			problem = at + ": " + problem
		}
		problems = append(problems, problem)
	}
	if values, is := object["enum"].([]any); is && len(values) == 0 {
		say("enum is empty")
	}
	for _, bounds := range [][2]string{{"minimum", "maximum"}, {"minLength", "maxLength"}, {"minItems", "maxItems"},
		{"minProperties", "maxProperties"}} {
		least, isLeast := object[bounds[0]].(float64)
		most, isMost := object[bounds[1]].(float64)
		if isLeast && isMost && least > most {
			say(fmt.Sprintf("%s %g is more than %s %g", bounds[0], least, bounds[1], most))
		}
	}
	properties, _ := object["properties"].(map[string]any)
	required, _ := object["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if properties[name] == false && slices.Contains(required[:min(len(required), mostRequired)], any(name)) {
			say(name + " is required, and its schema is false")
		}
		problems = emptyOf(properties[name], strings.TrimPrefix(at+"."+name, "."), problems)
	}
	if object["items"] != nil {
		problems = emptyOf(object["items"], strings.TrimPrefix(at+".items", "."), problems)
	}
	return problems
}

// What clients keep of a server's instructions, in characters, and how much some of them show a model.
const (
	maxInstructions   = 2048
	firstInstructions = 512
)

func (v *visit) lookAtInstructions() {
	switch n := utf8.RuneCountInString(v.about().Instructions); {
	case n == 0:
		v.fail("M085", "initialize", "there are no instructions")
	case n > maxInstructions:
		v.fail("M085", "initialize", "the instructions have %d characters", n)
	}
}

func (v *visit) lookAtCursors() {
	for _, cursor := range []string{`""`, `null`} {
		if got := v.say("tools/list", `{"cursor":`+cursor+`}`); got.err == nil && !got.carries() {
			v.fail("M088", "tools/list", "the cursor %s is answered %s", cursor, got.described())
		}
	}
	got := v.say("tools/list", `{"cursor":"guestpass-lint"}`)
	if got.err == nil && got.code() != invalidParams {
		v.fail("M088", "tools/list", "a cursor that was made up is answered %s", got.described())
	}
}

func (v *visit) lookAtHints() {
	for _, t := range v.list.tools {
		if is(t.Annotations.ReadOnly) && is(t.Annotations.Destructive) {
			v.fail("M090", t.Name, "readOnlyHint and destructiveHint are both true")
		}
		var said struct {
			Annotations struct{ Title string }
		}
		_ = json.Unmarshal(t.raw, &said) // it was read before
		if t.Title == "" && said.Annotations.Title == "" {
			v.fail("M091", t.Name, "it has no title")
		}
	}
}

func is(hint *bool) bool { return hint != nil && *hint }

// lookAtListOrder reads the list again. Tools that are not as they were have taken back what they permitted.
func (v *visit) lookAtListOrder() {
	again := v.pages(func(string, ...any) {})
	if again.problem != "" && !v.lost {
		v.fail("M092", "tools/list", "asked again, %s", again.problem)
	}
	now := map[string]json.RawMessage{}
	for _, t := range again.tools {
		now[t.Name] = t.raw
	}
	same := len(again.tools) == len(v.list.tools)
	for i := range v.list.tools {
		t := &v.list.tools[i]
		t.changed = !bytes.Equal(now[t.Name], t.raw)
		same = same && again.tools[i].Name == t.Name && !t.changed
	}
	if !same && again.problem == "" {
		v.fail("M092", "tools/list", "asked again, the list is another one, or in another order")
	}
}

func (v *visit) lookAtListChanges() {
	var tools struct {
		Changes bool `json:"listChanged"`
	}
	_ = json.Unmarshal(v.about().Capabilities["tools"], &tools)
	if tools.Changes {
		v.fail("M093", "initialize", "capabilities.tools.listChanged is true")
	}
}

func (v *visit) lookAtSecuritySchemes() {
	var without []string
	for _, t := range v.list.tools {
		if t.SecuritySchemes == nil && t.Meta["securitySchemes"] == nil {
			without = append(without, v.shown(t.Name))
		}
	}
	if len(without) > 0 {
		v.fail("M094", "tools/list", "%d of %d tools have no securitySchemes, %s among them", len(without),
			len(v.list.tools), without[0])
	}
}

// call is a tool's answer to arguments that its schema admits.
type call struct {
	tool      tool
	arguments map[string]any
	answer    answer
	result    callResult
}

// callResult is what tools/call answers.
type callResult struct {
	Content    []content       `json:"content"`
	Structured json.RawMessage `json:"structuredContent"`
	IsError    bool            `json:"isError"`
}

type content struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// text returns all that the result says in words.
func (r callResult) text() string {
	var texts []string
	for _, c := range r.Content {
		if c.Type == "text" {
			texts = append(texts, c.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// callTool calls a tool with arguments as they are written, "" for none.
func (v *visit) callTool(name, arguments string, more ...string) (answer, callResult) {
	quoted, _ := json.Marshal(name) // of a string never fails
	members := `"name":` + string(quoted)
	if arguments != "" {
		members += `,"arguments":` + arguments
	}
	for _, member := range more {
		members += "," + member
	}
	got := v.ask("tools/call", name, members)
	var result callResult
	got.read(&result)
	if got.isResult() {
		if problem := resultShape.problem(got.rpc.Result); problem != "" {
			v.failOnce("M114", name, "%s", v.shown(problem))
			got.err = errors.New("the result is not as the specification has it")
		}
	}
	return got, result
}

// callArguments calls a tool with arguments.
func (v *visit) callArguments(name string, arguments map[string]any) (answer, callResult) {
	written, err := json.Marshal(arguments)
	if err != nil {
		return answer{err: fmt.Errorf("arguments of %s: %w", name, err)}, callResult{}
	}
	return v.callTool(name, string(written))
}

// isResult reports whether a call was answered with a result of a tool, good or bad.
func (a answer) isResult() bool {
	return a.err == nil && a.rpc != nil && a.rpc.Result != nil && (a.status == http.StatusOK ||
		a.status == http.StatusForbidden)
}
