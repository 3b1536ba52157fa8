package lint

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"guestpass/gpttest"
)

var callChecks = []check{
	{[]string{"M106"}, []need{talks}, (*visit).lookAtUnknownTool},
	{[]string{"M028", "M098", "M099", "M109", "M110", "M111", "M112"}, []need{talks, hasList}, (*visit).callEach},
	{[]string{"M100"}, []need{talks, hasList, hasCalled}, (*visit).lookAtNoArguments},
	{[]string{"M101"}, []need{talks, hasList, hasCalled}, (*visit).lookAtNull},
	{[]string{"M102"}, []need{talks, hasList, hasCalled}, (*visit).lookAtText},
	{[]string{"M103", "M104", "M113"}, []need{talks, hasList, hasCalled}, (*visit).lookAtOddCalls},
	{[]string{"M105", "M107", "M108"}, []need{talks, hasList, hasCalled}, (*visit).lookAtWrongArguments},
	{[]string{"M114"}, []need{talks, hasList, hasCalled}, func(*visit) {}}, // each call says it
}

// noCall is why nothing is said of calls.
const noCall = "no tool that says readOnlyHint could be called with arguments made from its schema"

func hasCalled(v *visit) string {
	if len(v.called) == 0 {
		return noCall
	}
	return ""
}

const noneWent = "no call went well with arguments made from a schema"

func (v *visit) lookAtUnknownTool() {
	got, result := v.callTool("guestpass_lint_no_such_tool", "{}")
	if got.err == nil && got.code() != invalidParams {
		what := got.described()
		if result.IsError {
			what = "with a result that is an error"
		}
		v.fail("M106", "an unknown tool", "it is answered %s", what)
	}
}

// callable returns the tools that may be called: those of whose permission there is no doubt.
func (v *visit) callable() (reading, writing []tool) {
	named := map[string]int{}
	for _, t := range v.list.tools {
		named[t.Name]++
	}
	for _, t := range v.list.tools {
		switch {
		case named[t.Name] > 1 || t.changed:
		case t.onlyReads():
			reading = append(reading, t)
		case v.options.Writes:
			writing = append(writing, t)
		}
	}
	return reading, writing
}

// Bounds of an input schema, beyond which nothing is made from it.
const (
	maxInput     = 256 << 10 // bytes
	mostRequired = 100
	mostOptional = 1000
)

// isHuge reports whether making arguments from the input schema would take too long.
func (t tool) isHuge() bool {
	if len(t.InputSchema) > maxInput {
		return true
	}
	var schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
		Required   []json.RawMessage          `json:"required"`
	}
	_ = json.Unmarshal(t.InputSchema, &schema) // of another shape it is none
	return len(schema.Properties) > mostOptional || len(schema.Required) > mostRequired
}

// lookAtUnmade says why a tool was not called, unless the schema itself was found fault with.
func (v *visit) lookAtUnmade(t tool, problem error) {
	place := t.Name + ".inputSchema"
	if _, err := gpttest.ReadSchema(t.InputSchema); err != nil || v.found("M095", place) {
		return
	}
	v.failAs(Note, "M095", place, "no arguments could be made, so that it was not called: %s", v.shown(problem.Error()))
}

// callSome calls tools with arguments as a model makes them, who knows the schema alone.
func (v *visit) callSome(tools []tool) {
	before := len(v.called)
	for _, t := range tools {
		if len(v.called)-before == mostCalled || v.ctx.Err() != nil {
			break
		}
		if t.isHuge() {
			v.failAs(Note, "M095", t.Name+".inputSchema", "it is too large for making arguments, so that it was "+
				"not called")
			continue
		}
		op, err := gpttest.ToolOperation(t.Name, http.MethodGet, t.InputSchema, nil, http.StatusOK)
		if err != nil {
			continue
		}
		arguments, err := new(gpttest.Maker).Arguments(op, nil, nil)
		if err != nil {
			v.lookAtUnmade(t, err)
			continue
		}
		c := call{tool: t, arguments: arguments}
		c.answer, c.result = v.callArguments(t.Name, arguments)
		v.called = append(v.called, c)
		v.lookAtCall(c)
		v.lost = false // the other calls tell enough; M030 has this one
	}
}

// callEach calls tools that only read, then those that may change something: the former tell more, and are not crowded
// out by the latter.
func (v *visit) callEach() {
	rules := []string{"M028", "M098", "M099", "M109", "M110", "M111", "M112"}
	reading, writing := v.callable()
	v.callSome(reading)
	v.callSome(writing)
	if len(v.called) == 0 {
		v.skip(noCall, rules...)
		return
	}
	if !slices.ContainsFunc(v.called, func(c call) bool { return c.answer.status == http.StatusForbidden }) {
		v.skip("no call was refused for want of a scope", "M028")
	}
	if !slices.ContainsFunc(v.called, call.went) {
		v.skip(noneWent, "M099", "M109", "M110", "M111")
	}
	if !slices.ContainsFunc(v.called, func(c call) bool {
		return c.went() && (c.result.Structured != nil || len(c.tool.OutputSchema) > 0)
	}) {
		v.skip("no tool that was called has an outputSchema or answers structuredContent", "M099", "M109", "M110")
	}
}

// went reports whether the tool did what it was asked.
func (c call) went() bool { return c.answer.carries() && !c.result.IsError }

func (v *visit) lookAtCall(c call) {
	got := c.answer
	switch {
	case got.err != nil:
		return
	case got.status == http.StatusForbidden:
		v.lookAtRefusal(c)
		return
	case !got.isResult():
		v.fail("M098", c.tool.Name, "a call that its schema allows is answered %s", got.described())
		return
	case utf8.RuneCount(got.rpc.Result) > maxResult:
		v.fail("M112", c.tool.Name, "the result has %d characters", utf8.RuneCount(got.rpc.Result))
	}
	if c.result.IsError {
		v.lookAtError(c.tool.Name, c.result)
		return
	}
	if len(c.result.Content) == 0 && c.result.Structured == nil {
		v.fail("M111", c.tool.Name, "the result has neither content nor structuredContent")
	}
	v.lookAtStructured(c)
}

// maxResult is what clients leave a model of a result, in characters: about 25,000 tokens.
const maxResult = 100_000

func (v *visit) lookAtStructured(c call) {
	name, structured := c.tool.Name, c.result.Structured
	if structured == nil {
		if len(c.tool.OutputSchema) > 0 {
			v.fail("M109", name, "there is an outputSchema, and the result has no structuredContent")
		}
		return
	}
	var value any
	_ = json.Unmarshal(structured, &value) // it was read as JSON
	if _, isObject := value.(map[string]any); !isObject {
		v.fail("M109", name, "structuredContent is no object")
	}
	if len(c.tool.OutputSchema) == 0 {
		v.fail("M099", name, "it answers structuredContent, and has no outputSchema")
	} else if schema, err := gpttest.ReadSchema(c.tool.OutputSchema); err == nil {
		switch err := schema.Validate(value); {
		case errors.Is(err, gpttest.ErrSteps):
			v.fail("M095", name+".outputSchema", "%s for the result of a call", err)
		case err != nil:
			v.fail("M109", name, "structuredContent is not as outputSchema says: %s", v.shown(err.Error()))
		}
	}
	var twin any
	if len(c.result.Content) == 0 || json.Unmarshal([]byte(c.result.Content[0].Text), &twin) != nil ||
		!reflect.DeepEqual(twin, value) {
		v.fail("M110", name, "content[0] is not the JSON of structuredContent")
	}
}

// lookAtRefusal looks at a refusal for want of a scope.
func (v *visit) lookAtRefusal(c call) {
	challenge, ok := bearer(c.answer.header)
	switch {
	case !ok || challenge.Parameters["error"] != "insufficient_scope":
		v.fail("M028", c.tool.Name, "403 comes without a challenge error=\"insufficient_scope\"")
	case challenge.Parameters["scope"] == "" || challenge.Parameters["resource_metadata"] == "":
		v.fail("M028", c.tool.Name, "the challenge of 403 has no scope, or no resource_metadata")
	case !says(c.answer, "isError") || !strings.Contains(string(c.answer.body), "mcp/www_authenticate"):
		v.fail("M028", c.tool.Name, "the body of 403 has no result with _meta[\"mcp/www_authenticate\"]")
	}
}

// lookAtError looks at what a tool answers that did not do what it was asked.
func (v *visit) lookAtError(place string, result callResult) {
	if result.Structured != nil && string(result.Structured) != "null" {
		v.fail("M108", place, "a result with isError has structuredContent")
	}
}

// one returns a call to try others by: one that went well, of a tool that fits.
func (v *visit) one(fits func(call) bool) (call, bool) {
	i := slices.IndexFunc(v.called, func(c call) bool { return c.went() && fits(c) })
	if i < 0 {
		return call{}, false
	}
	return v.called[i], true
}

func (v *visit) lookAtNoArguments() {
	c, found := v.one(func(c call) bool { return len(c.arguments) == 0 })
	if !found {
		v.skip("no tool that was called went well without arguments", "M100")
		return
	}
	for _, arguments := range []string{"", "null"} {
		if got, result := v.callTool(c.tool.Name, arguments); got.err == nil && (!got.carries() || result.IsError) {
			v.fail("M100", c.tool.Name, "a call whose arguments are %s is answered %s", orLeftOut(arguments),
				v.told(got, result))
		}
	}
}

func orLeftOut(arguments string) string {
	if arguments == "" {
		return "left out"
	}
	return arguments
}

// told describes the answer to a call.
func (v *visit) told(got answer, result callResult) string {
	if got.carries() && result.IsError {
		return fmt.Sprintf("with isError %q", v.said(result.text()))
	}
	return got.described()
}

// property returns a property of the tool that the call leaves out, and that fits.
func (c call) property(fits func(kind string) bool) (string, bool) {
	var schema struct {
		Properties map[string]struct {
			Type json.RawMessage `json:"type"`
		} `json:"properties"`
	}
	_ = json.Unmarshal(c.tool.InputSchema, &schema)
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		var kind string
		_ = json.Unmarshal(schema.Properties[name].Type, &kind)
		if _, given := c.arguments[name]; !given && fits(kind) {
			return name, true
		}
	}
	return "", false
}

// with returns the arguments of a call with one more.
func (c call) with(name string, value any) map[string]any {
	arguments := maps.Clone(c.arguments)
	if arguments == nil {
		arguments = map[string]any{}
	}
	arguments[name] = value
	return arguments
}

func (v *visit) lookAtNull() {
	anyKind := func(string) bool { return true }
	c, found := v.one(func(c call) bool { _, has := c.property(anyKind); return has })
	if !found {
		v.skip("no tool that was called and went well has an optional argument", "M101")
		return
	}
	name, _ := c.property(anyKind)
	if got, result := v.callArguments(c.tool.Name, c.with(name, nil)); got.err == nil && (!got.carries() ||
		result.IsError) {
		v.fail("M101", c.tool.Name, "%s: null, which is optional, is answered %s", v.shown(name), v.told(got, result))
	}
}

// lookAtText sends a number as a text, as models do. It is read, or the refusal names the argument.
func (v *visit) lookAtText() {
	number := func(kind string) bool { return kind == "integer" || kind == "number" }
	c, found := v.one(func(c call) bool { _, has := c.property(number); return has })
	if !found {
		v.skip("no tool that was called and went well has an optional number", "M102")
		return
	}
	name, _ := c.property(number)
	got, result := v.callArguments(c.tool.Name, c.with(name, "5"))
	if got.err == nil && (!got.isResult() || result.IsError && !strings.Contains(result.text(), name)) {
		v.fail("M102", c.tool.Name, "%s: \"5\" is answered %s", v.shown(name), v.told(got, result))
	}
}

func (v *visit) lookAtOddCalls() {
	c, found := v.one(func(call) bool { return true })
	if !found {
		v.skip(noneWent, "M103", "M104", "M113")
		return
	}
	name := c.tool.Name
	if got, _ := v.callTool(name, `"{}"`); got.err == nil && (got.status >= 500 || got.rpc == nil) {
		v.fail("M103", name, "arguments that are a text are answered %s", got.described())
	}
	v.lookAtUnknownArgument()
	written, _ := json.Marshal(c.arguments) // it was sent before
	more := `"_meta":{"progressToken":"guestpass-lint","guestpass.example/unknown":1}`
	if !v.legacy {
		v.skip("not applicable: the server speaks 2026-07-28 alone", "M113")
		return
	}
	if got, result := v.callTool(name, string(written), more); got.err == nil && (!got.carries() || result.IsError) {
		v.fail("M113", name, "a call with unknown members in _meta is answered %s", v.told(got, result))
	}
}

// lookAtUnknownArgument sends one that no schema names, to a tool whose schema does not say that it takes any.
func (v *visit) lookAtUnknownArgument() {
	c, found := v.one(func(c call) bool {
		var schema struct {
			Others   json.RawMessage `json:"additionalProperties"`
			Patterns json.RawMessage `json:"patternProperties"`
		}
		_ = json.Unmarshal(c.tool.InputSchema, &schema) // it was read before
		return schema.Patterns == nil && (schema.Others == nil || string(schema.Others) == "false")
	})
	if !found {
		v.skip("every tool that went well says in its schema that it takes more arguments", "M104")
		return
	}
	got, result := v.callArguments(c.tool.Name, c.with("guestpass_lint_unknown", 1))
	if got.err == nil && !(result.IsError && strings.Contains(result.text(), "guestpass_lint_unknown")) {
		v.fail("M104", c.tool.Name, "an argument guestpass_lint_unknown is answered %s", v.told(got, result))
	}
}

// lookAtWrongArguments leaves out what is required, or sends a value of another type.
func (v *visit) lookAtWrongArguments() {
	rules := []string{"M105", "M107", "M108"}
	for _, c := range v.called {
		name, arguments := wrong(c)
		if name == "" || c.answer.err != nil || c.answer.status == http.StatusForbidden {
			continue
		}
		got, result := v.callArguments(c.tool.Name, arguments)
		if result.IsError && c.result.IsError && result.text() == c.result.text() {
			continue // the tool fails whatever it is given
		}
		switch {
		case got.err != nil:
		case got.code() != 0 || !got.isResult():
			v.fail("M105", c.tool.Name, "%s of another type, or left out, is answered %s", v.shown(name),
				got.described())
			v.skip("see M105", "M107", "M108")
		case !result.IsError:
			v.fail("M105", c.tool.Name, "%s of another type, or left out, is answered as if it were right",
				v.shown(name))
			v.skip("see M105", "M107", "M108")
		default:
			if !strings.Contains(result.text(), name) {
				v.fail("M107", c.tool.Name, "what is wrong is %s, and the text is %q", v.shown(name),
					v.said(result.text()))
			}
			v.lookAtError(c.tool.Name, result)
		}
		return
	}
	v.skip("no tool that was called has an argument that could be wrong", rules...)
}

// wrong returns arguments of which one, whose name it returns, is not as the schema says; "" if there is no such.
func wrong(c call) (string, map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(c.arguments)) {
		arguments := maps.Clone(c.arguments)
		delete(arguments, name)
		return name, arguments
	}
	name, found := c.property(func(kind string) bool {
		return slices.Contains([]string{"integer", "number", "string",
			"boolean", "array"}, kind)
	})
	if !found {
		return "", nil
	}
	return name, c.with(name, map[string]any{"guestpass": "lint"})
}
