package plugin

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"guestpass/openapi"
)

// How many test cases OpenAI wants, no more and no fewer.
const (
	positiveCases = 5
	negativeCases = 3
)

// Cases are what a reviewer tries.
type Cases struct {
	Positive []Case `json:"positive,omitempty"`
	Negative []Case `json:"negative,omitempty"`
}

func (c Cases) none() bool { return len(c.Positive)+len(c.Negative) == 0 }

// A Case is a prompt, and what is to come of it. A negative one has neither tools nor expected behavior: its
// description says what must not happen.
type Case struct {
	Description string `json:"description"`
	Prompt      string `json:"prompt"`
	Tools       string `json:"tools_triggered,omitempty"` // names, with a comma between two
	Expected    string `json:"expected_behavior,omitempty"`

	// Steps are the calls, in a case that was made of the operations.
	Steps []Step `json:"-"`
}

// A Step is one call. Its arguments are said in the prompt, or are in the answer to the step before.
type Step struct {
	Tool  string
	Given []Given
	Taken []string // arguments that the answer before has under the same names

	tool *tool
}

// Given is an argument with the value that the prompt names.
type Given struct {
	Name  string
	Value any
}

// casesOf returns five prompts that lead to calls and three that do not. Where there are fewer operations than cases,
// the same ones are asked for in other words.
func casesOf(title string, tools []*tool) Cases {
	var cases Cases
	tools = purposes(tools)
	plans := chosen(tools)
	manners := []string{"", " Answer in one sentence.", " Answer with a table.", " Answer with a list.",
		" Answer in Spanish."}
	for i := 0; len(plans) > 0 && len(cases.Positive) < positiveCases; i++ {
		steps := numbered(plans[i%len(plans)], i+1)
		cases.Positive = append(cases.Positive, positive(title, steps, manners[i/len(plans)]))
	}
	cases.Negative = negatives(title, tools)
	return cases
}

// chosen returns the best plans, at most as many as cases: one of each kind, then the second of each. What people
// outside would notice comes last.
func chosen(tools []*tool) (plans [][]Step) {
	kinds := make([][][]Step, 7)
	for _, t := range tools {
		if steps, ok := planOf(t, tools); ok {
			kind := kindOf(steps)
			kinds[kind] = append(kinds[kind], steps)
		}
	}
	const named = 5 // kinds that differ in what a person wants
	for i := range tools {
		for _, plansOf := range kinds[:named] {
			if i < len(plansOf) {
				plans = append(plans, plansOf[i])
			}
		}
	}
	plans = append(plans, slices.Concat(kinds[named:]...)...)
	return plans[:min(len(plans), positiveCases)]
}

// numbered returns the steps with the number of the case in the first text of what is created. Two equal calls within
// some minutes are taken for one, and a reviewer tries all cases in a row.
func numbered(steps []Step, number int) []Step {
	steps = slices.Clone(steps)
	if steps[0].tool.reads() {
		return steps
	}
	given := slices.Clone(steps[0].Given)
	for i, g := range given {
		if text, ok := g.Value.(string); ok && strings.Contains(text, " ") { // prose, which may be any
			given[i].Value = fmt.Sprintf("%s (%d)", text, number)
			break
		}
	}
	steps[0].Given = given
	return steps
}

// kindOf returns the place of a plan in the order of choice.
func kindOf(steps []Step) int {
	last, made := steps[len(steps)-1].tool, len(steps) > 1 && !steps[0].tool.reads()
	switch {
	case last.reachesOut():
		return 6
	case len(steps) == 1 && last.reads() && last.pages:
		return 0
	case len(steps) == 1 && !last.reads() && last.method == "post":
		return 1
	case made && !last.reads() && !last.removes():
		return 2
	case made && last.reads():
		return 3
	case made:
		return 4
	}
	return 5
}

// planOf returns the calls that lead to the tool, at most two: its own, and one whose answer has what it needs. What
// creates the thing comes before what lists such things, since a list may be empty.
func planOf(t *tool, tools []*tool) ([]Step, bool) {
	last, ok := stepOf(t)
	if !ok || len(last.Taken) == 0 {
		return []Step{last}, ok
	}
	for _, fits := range []func(*tool) bool{
		func(source *tool) bool { return !source.reads() && !source.removes() && !source.reachesOut() },
		func(source *tool) bool { return source.reads() && source.pages },
		func(source *tool) bool { return source.reads() },
	} {
		for _, source := range tools {
			first, ok := stepOf(source)
			if ok && fits(source) && len(first.Taken) == 0 && source != t &&
				!slices.ContainsFunc(last.Taken, func(name string) bool { return !source.answers[name] }) {
				return []Step{first, last}, true
			}
		}
	}
	return nil, false
}

// stepOf returns a call of the tool with what it cannot do without; false if no value can be made up for that.
func stepOf(t *tool) (Step, bool) {
	step := Step{Tool: t.Name, tool: t}
	for _, a := range t.arguments {
		switch value, ok := a.schema.example(); {
		case a.inPath, a.required && a.name == "version":
			step.Taken = append(step.Taken, a.name)
		case !a.required:
		case !ok:
			return step, false
		default:
			step.Given = append(step.Given, Given{a.name, value})
		}
	}
	if len(step.Given) > 0 || t.method != "patch" && t.method != "put" {
		return step, true
	}
	for _, a := range t.arguments { // a change of nothing is none
		if !a.inPath && a.schema != nil && a.schema.Example != nil {
			step.Given = append(step.Given, Given{a.name, a.schema.Example})
			return step, true
		}
	}
	return step, false
}

// formats have an example each.
var formats = map[string]string{"email": "guest@example.com", "date": "2030-01-31", "uri": "https://example.com/",
	"date-time": "2030-01-31T12:00:00Z"}

// example returns the declared example of a value, or one that fits its schema.
func (s *schema) example() (any, bool) {
	switch {
	case s == nil:
		return nil, false
	case s.Example != nil:
		return s.Example, true
	case len(s.Enum) > 0:
		return s.Enum[0], true
	case formats[s.Format] != "":
		return formats[s.Format], true
	case s.Type == "string" && s.Pattern == "":
		const text, number = "Example for the review", " (5)"
		return text, s.MaxLength == nil || *s.MaxLength >= len(text+number)
	case s.Type == "integer", s.Type == "number":
		if s.Minimum != nil {
			return max(*s.Minimum, 1), true
		}
		return float64(1), true
	case s.Type == "boolean":
		return true, true
	}
	return nil, false
}

func positive(title string, steps []Step, manner string) Case {
	first, last := steps[0], steps[len(steps)-1]
	prompt := fmt.Sprintf("In %s, %s%s.", title, first.tool.asked(), first.words(" with ", " and "))
	if len(steps) > 1 {
		prompt += " Then " + last.continued(first.tool.pages) + last.words(" with ", " and ") + "."
	}
	var names, calls []string
	for _, step := range steps {
		names = append(names, step.Tool)
		call, with := step.Tool+step.words(" with ", " and "), " with "
		if len(step.Given) > 0 {
			with = " and "
		}
		if len(step.Taken) > 0 {
			call += with + "the " + strings.Join(step.Taken, " and ") + " from that answer"
		}
		calls = append(calls, call)
	}
	expected := "Calls " + strings.Join(calls, ", then ") + ". " + firstSentence(last.tool.Description) +
		". The reply reports only what the tool returned."
	if first.tool.reads() && last.tool.reads() {
		expected += " Nothing is changed."
	} else {
		expected += " Before each change the person is told what it will do, and afterwards what has changed."
	}
	return Case{Description: last.tool.Title, Prompt: prompt + manner, Tools: strings.Join(names, ", "),
		Expected: expected, Steps: steps}
}

// asked returns what a person asks for, as it stands within a sentence.
func (t *tool) asked() string { return lowerFirst(openapi.Asked(t.Title)) }

// continued returns what is asked for with what the step before has returned: “delete a task” of a new one becomes
// “delete that task”.
func (s Step) continued(fromList bool) string {
	text, which, article := s.tool.asked(), "that one", "that"
	if fromList {
		which, article = "the first of them", "the first"
	}
	for _, name := range s.Taken {
		noun := strings.ReplaceAll(strings.TrimSuffix(name, "_id"), "_", " ")
		named := regexp.MustCompile(`\b(a|an|one|the) ` + regexp.QuoteMeta(noun) + `\b`)
		if noun != name && named.MatchString(text) {
			return named.ReplaceAllString(text, article+" "+noun)
		}
	}
	return fmt.Sprintf("do this with %s: %s", which, text)
}

// words say what is given, such as: with title “Water the plants”.
func (s Step) words(before, between string) string {
	var parts []string
	for _, given := range s.Given {
		value := fmt.Sprint(given.Value)
		if list, ok := given.Value.([]any); ok {
			value = strings.Trim(fmt.Sprint(list), "[]")
		}
		parts = append(parts, fmt.Sprintf("%s “%s”", strings.ReplaceAll(given.Name, "_", " "), value))
	}
	if len(parts) == 0 {
		return ""
	}
	return before + strings.Join(parts, between)
}

// negatives are prompts that are near to operations, and ask for none.
func negatives(title string, tools []*tool) []Case {
	pick := func(fits func(*tool) bool) *tool {
		if at := slices.IndexFunc(tools, fits); at >= 0 {
			return tools[at]
		}
		return tools[0]
	}
	removing := pick(func(t *tool) bool { return t.removes() })
	if !removing.removes() {
		removing = pick(func(t *tool) bool { return !t.reads() })
	}
	changing := pick(func(t *tool) bool { return !t.reads() && !t.removes() && !t.reachesOut() })
	listing := pick(func(t *tool) bool { return t.reads() && t.pages })
	return []Case{
		{Description: fmt.Sprintf("A question about %s is not a request to call it: no tool is called.", removing.Name),
			Prompt: fmt.Sprintf("In %s, what would happen if I asked you to %s? Explain it, but do not do it.",
				title, removing.asked())},
		{Description: fmt.Sprintf("%s acts in %s alone: it is not called for another app, and the reply says so.",
			changing.Name, title),
			Prompt: fmt.Sprintf("In another app, not in %s, %s.", title, changing.asked())},
		{Description: fmt.Sprintf("Made-up data is asked for: %s is not called, and nothing real is shown.",
			listing.Name),
			Prompt: fmt.Sprintf("For a slide, make up three rows of what “%s” could show. Do not look up real ones.",
				openapi.Asked(listing.Title))},
	}
}
