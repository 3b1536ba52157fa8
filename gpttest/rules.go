package gpttest

import "slices"

// Effects of a rule.
const (
	// Refuse: nothing is imported.
	Refuse = "refuse"
	// DropOperation: the operation vanishes and a red line shows.
	DropOperation = "drop operation"
	// DropParameter: the parameter vanishes and a red line shows.
	DropParameter = "drop parameter"
	// Warn: a red line shows and nothing else happens.
	Warn = "warn"
)

// Rule is one thing that the editor objects to.
type Rule struct {
	ID string
	// Class is the evidence, strongest first; see the package comment.
	Class []string
	// Effect is what the editor does.
	Effect string
	// Ours says that the wording is this package's, because the editor's is not known.
	Ours bool
	// Trigger says what brings the rule about.
	Trigger string
}

// Switchable reports that the evidence is so thin (classes D and I only) that
// Options.Without may name the rule.
func (r Rule) Switchable() bool {
	return !slices.ContainsFunc(r.Class, func(class string) bool { return class != "D" && class != "I" })
}

// Rules returns every rule that this package applies.
func Rules() []Rule { return slices.Clone(rules) }

func ruleByID(id string) (Rule, bool) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

var rules = []Rule{
	{ID: "M1", Class: []string{"C"}, Effect: Refuse, Trigger: "openapi is not 3.1.0 or 3.1.1"},
	{ID: "M2", Class: []string{"D"}, Effect: Refuse, Trigger: "info, its title or its version is missing or no string"},
	{ID: "M3", Class: []string{"D"}, Effect: Refuse, Trigger: "an enum is empty"},
	{ID: "M4", Class: []string{"C"}, Effect: Refuse, Trigger: "components.schemas is missing or no object"},
	{ID: "M5", Class: []string{"C"}, Effect: Refuse, Trigger: "no server has an absolute URL"},
	{ID: "M6", Class: []string{"C"}, Effect: Refuse,
		Trigger: "a server is not https on its lower-case host at the default port"},
	{ID: "M7", Class: []string{"C"}, Effect: Warn, Trigger: "there is more than one server"},
	{ID: "M8", Class: []string{"C"}, Effect: Warn, Trigger: "there is more than one security scheme"},
	{ID: "M9", Class: []string{"C"}, Effect: Refuse, Trigger: "there are more than 30 operations"},
	{ID: "M10", Class: []string{"C"}, Effect: DropOperation, Trigger: "an operation has no operationId"},
	{ID: "M11", Class: []string{"D", "I"}, Effect: DropOperation,
		Trigger: "a method is not get, post, put, patch or delete"},
	{ID: "M12", Class: []string{"D"}, Effect: DropOperation, Trigger: "a path does not start with a slash"},
	{ID: "M13", Class: []string{"C"}, Effect: DropOperation, Trigger: "a parameter has no name, as when it is a $ref"},
	{ID: "M14", Class: []string{"C", "A"}, Effect: DropParameter,
		Trigger: "a parameter is a header (class I: or a cookie)"},
	{ID: "M15", Class: []string{"D"}, Effect: DropOperation, Trigger: "two of path, query and body share a name"},
	{ID: "M16", Class: []string{"C"}, Effect: DropOperation, Trigger: "the root of a request body is no object schema"},
	{ID: "M17", Class: []string{"C"}, Effect: Warn, Trigger: "a $ref leads nowhere"},
	{ID: "M18", Class: []string{"C"}, Effect: Warn, Trigger: "an object schema has no properties"},
	{ID: "M19", Class: []string{"C", "I"}, Effect: Refuse,
		Trigger: "an array schema has no items (class D: or empty ones)"},
	{ID: "M20", Class: []string{"D"}, Effect: Refuse, Trigger: "schemas refer to each other in a circle"},
	{ID: "M21", Class: []string{"A", "C"}, Effect: Refuse,
		Trigger: "a description or summary of an operation is over 300 characters, or one of an argument over 700"},
	{ID: "M22", Class: []string{"D"}, Effect: Refuse, Trigger: "the text parses but holds no usable document"},
	{ID: "M23", Class: []string{"D"}, Effect: Refuse, Trigger: "null stands where a map is expected"},
	{ID: "M24", Class: []string{"D"}, Effect: Refuse, Ours: true, Trigger: "security is no list of maps"},
	{ID: "M25", Class: []string{"C"}, Effect: Refuse,
		Trigger: "authorization URL, token URL and API do not share a registrable domain"},
	{ID: "M26", Class: []string{"D"}, Effect: Refuse, Trigger: "the authorization or token URL is empty"},
	{ID: "M27", Class: []string{"B"}, Effect: Refuse,
		Trigger: "a GPT is shared by link or in the store, and its action has no https privacy URL"},
	{ID: "G007", Class: []string{"D"}, Effect: Refuse, Ours: true,
		Trigger: "the indented document is too large; already a warning from a lower limit"},
	{ID: "G030", Class: []string{"C", "I"}, Effect: DropOperation, Ours: true,
		Trigger: "an operationId is no tool name, or is used twice"},
	{ID: "G043", Class: []string{"I"}, Effect: DropOperation, Ours: true,
		Trigger: "path template and path parameters disagree, or a parameter has no known location"},
	{ID: "G050", Class: []string{"A"}, Effect: DropOperation, Ours: true,
		Trigger: "a request body has no application/json"},
	{ID: "G111", Class: []string{"I"}, Effect: Refuse, Ours: true,
		Trigger: "the authorization or token URL is not https"},
}
