package lint

import (
	"fmt"
	"slices"
	"strings"
)

// A Profile is an importer, and what it asks of a document.
type Profile struct {
	Name     string // as "m365"
	Title    string // who it is
	Versions string // of documents that it takes, in words
	Address  string // where Guestpass serves one; "" for none that it would take
	Evidence string // class of what is known of the versions, as in [Rule]

	takes    func(version string) Severity // "" if it does
	maxBytes int                           // 0: none is known
	rules    []string                      // that hold for it, besides those of every importer
	refuses  []string                      // rules that hold too, and are errors to it alone
}

// GPT is the name of the profile that has all rules of the GPT editor.
const GPT = "gpt"

// Profiles returns all importers that are known, the GPT editor first.
func Profiles() []Profile { return slices.Clone(profiles) }

// LookUpProfile returns the profile of a name, in any letter case.
func LookUpProfile(name string) (Profile, bool) {
	i := slices.IndexFunc(profiles, func(p Profile) bool { return strings.EqualFold(p.Name, name) })
	if i < 0 {
		return Profile{}, false
	}
	return profiles[i], true
}

// only takes versions that begin with one of the given ones, each up to a dot or as a whole.
func only(versions ...string) func(string) Severity {
	return func(version string) Severity {
		if slices.ContainsFunc(versions, func(one string) bool {
			return version == one || strings.HasPrefix(version, one+".")
		}) {
			return ""
		}
		return Error
	}
}

// perhaps takes other versions too, with a warning where nothing is promised.
func perhaps(sure func(string) Severity, versions ...string) func(string) Severity {
	unsure := only(versions...)
	return func(version string) Severity {
		if sure(version) != "" && unsure(version) == "" {
			return Warning
		}
		return sure(version)
	}
}

// sound are rules that every importer needs: what can be read, and says what there is to call, and how.
var sound = []string{"G002", "G003", "G004", "G010", "G043", "G071", "G072", "G073", "G080", "G101", "X001", "X002",
	"X003"}

const address30, address31, address20 = "/openapi-3.0.json", "/openapi.json", "/swagger.json"

var profiles = []Profile{
	{Name: GPT, Title: "GPT editor of ChatGPT", Versions: "3.1.0 and 3.1.1", Address: address31, Evidence: "C"},
	{Name: "m365", Title: "Microsoft 365 Copilot, API plugin of a declarative agent", Versions: "3.0.x",
		Address: address30, Evidence: "B", takes: only("3.0"),
		rules: []string{"G011", "G050", "G074", "G111", "G112", "X010", "X011", "X013", "X030"}},
	{Name: "power-platform", Title: "custom connector of Power Platform and Logic Apps", Versions: "2.0",
		Address: address20, Evidence: "A", takes: only("2.0"), maxBytes: 1_000_000,
		rules: []string{"G011", "G100", "G102", "G111", "G112", "X020", "X021", "X022", "X023", "X024", "X025"}},
	{Name: "copilot-studio", Title: "REST API tool of Copilot Studio", Versions: "2.0 and 3.0, which it converts",
		Address: address20, Evidence: "A", takes: perhaps(only("2.0", "3.0"), "3"), maxBytes: 1_000_000,
		rules: []string{"G011", "G100", "G102", "G111", "X020", "X022", "X025"}},
	{Name: "bedrock", Title: "action group of Amazon Bedrock Agents", Versions: "3.0.0 and no other",
		Address: address30, Evidence: "A", takes: only("3.0.0"),
		rules: []string{"X012", "X032"}, refuses: []string{"X030"}},
	{Name: "agentcore", Title: "target of Amazon Bedrock AgentCore Gateway", Versions: "3.0.x and 3.1.x",
		Address: address31, Evidence: "A", takes: only("3.0", "3.1"),
		rules: []string{"G011", "G050", "X010", "X015", "X030"}},
	{Name: "salesforce", Title: "External Services and Agentforce of Salesforce", Versions: "2.0 and part of 3.0",
		Address: address30, Evidence: "A", takes: only("2.0", "3.0"), maxBytes: 10_000_000,
		rules: []string{"X020", "X031"}},
	{Name: "librechat", Title: "Actions of LibreChat", Versions: "3.x", Address: address31, Evidence: "B",
		takes: only("3"),
		rules: []string{"G014", "G025", "G052", "G053", "G054", "G060"}},
	{Name: "dify", Title: "custom tool of Dify", Versions: "3.x", Address: address31, Evidence: "B", takes: only("3"),
		rules: []string{"X030", "X032"}},
	{Name: "open-webui", Title: "tool server of Open WebUI", Versions: "3.x", Address: address31, Evidence: "I",
		takes: only("3"), rules: []string{"X030"}},
	{Name: "postman", Title: "import of Postman", Versions: "2.0, 3.0.0 to 3.0.3 and 3.1.0", Address: address31,
		Evidence: "A", takes: only("2.0", "3.0.0", "3.0.1", "3.0.2", "3.0.3", "3.1.0")},
}

// imported looks at the document as an importer other than the GPT editor does, by all rules: those that hold for it
// are kept afterwards.
func (l *linter) imported() {
	if !l.takes(l.options.For) {
		return
	}
	if l.isSwagger() {
		l.root = l.upgraded(l.root)
	}
	l.document()
	l.importer()
}

// keepOwn keeps the findings of rules that hold for the importer.
func (l *linter) keepOwn() {
	if l.options.For == nil {
		return
	}
	l.findings = slices.DeleteFunc(l.findings, func(f Finding) bool { return !l.options.For.asks(f.Rule) })
	for i, f := range l.findings {
		if slices.Contains(l.options.For.refuses, f.Rule) {
			l.findings[i].Severity = Error
		}
	}
}

func (p *Profile) asks(rule string) bool {
	return slices.Contains(sound, rule) || slices.Contains(p.rules, rule) || slices.Contains(p.refuses, rule)
}

// takes is X001, and reports whether it is worth while to look further.
func (l *linter) takes(p *Profile) bool {
	name := "openapi"
	if l.isSwagger() {
		name = "swagger"
	}
	written := l.root.get(name)
	if l.root.has("swagger") && l.root.has("openapi") {
		l.find("X001", l.root.get("swagger"), "the document has both openapi and swagger; nothing else was looked at",
			"Keep openapi for version 3, or swagger for version 2.0.")
		return false
	}
	if written.is(number) { // as 2.0 in YAML without quotes
		l.findAs(Warning, "X001", written, name+" is a number", "Write it as a text, in quotes.")
	} else if !written.is(text) {
		written = or(written, l.root)
	}
	problem := fmt.Sprintf("%s is %s, and %s takes %s", name, shown(l.root.get(name)), p.Name, p.Versions)
	severity := p.takes(written.scalar)
	older := strings.HasPrefix(written.scalar, "2")
	if older != (name == "swagger") || older && written.scalar != "2.0" {
		severity = Error
		problem += " (the word is swagger, and its value 2.0, in version 2 alone)"
	}
	switch severity {
	case Warning:
		l.findAs(severity, "X001", written, problem+"; nothing is promised of others", p.convert())
	case Error:
		l.findAs(severity, "X001", written, problem+"; nothing else was looked at", p.convert())
	}
	return severity != Error
}

func (p *Profile) convert() string {
	return "Convert it, or import another: a Guestpass server has one at " + p.Address + "."
}
