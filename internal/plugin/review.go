package plugin

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
)

// form is the file that OpenAI's form for apps takes.
type form struct {
	Schema        string              `json:"$schema"`
	SchemaVersion int                 `json:"schema_version"`
	Tools         map[string]formTool `json:"tools"`
	Cases         []formCase          `json:"test_cases"`
	NegativeCases []formCase          `json:"negative_test_cases"`
}

type formTool struct {
	Annotations    map[string]bool `json:"annotations"`
	Justifications justification   `json:"justifications"`
}

type formCase struct {
	Description string   `json:"description"`
	Prompt      string   `json:"user_prompt"`
	Files       []string `json:"file_attachment_urls"`
	Tools       *string  `json:"tools_triggered"`
	Expected    string   `json:"expected_output"`
	ExpectedURL *string  `json:"expected_output_url"`
}

const formSchema = "https://developers.openai.com/apps-sdk/schemas/chatgpt-app-submission.v1.json"

// review writes what the portal asks beside the ZIP: for a person who types it, and as a file.
func (m *maker) review() error {
	f := form{Schema: formSchema, SchemaVersion: 1, Tools: map[string]formTool{}}
	for _, t := range m.tools {
		f.Tools[t.Name] = formTool{map[string]bool{"readOnlyHint": t.reads(), "destructiveHint": t.destroys(),
			"openWorldHint": t.reachesOut()}, m.justify(t)}
	}
	for _, c := range m.cases.Positive {
		f.Cases = append(f.Cases, formCase{Description: c.Description, Prompt: c.Prompt, Tools: &c.Tools,
			Expected: c.Expected})
	}
	for _, c := range m.cases.Negative {
		f.NegativeCases = append(f.NegativeCases, formCase{Description: c.Description, Prompt: c.Prompt,
			Expected: c.Description})
	}
	text, err := marshal(f)
	m.pkg.Files[FormFile], m.pkg.Files[ReviewFile] = text, m.notes()
	return err
}

func (m *maker) notes() []byte {
	var b strings.Builder
	l := m.listing
	fmt.Fprintf(&b, "# What the portal asks: %s %s\n\nMade by `guestpass plugin`. Change listing.json and the "+
		"declarations, not this file.\n", l.DisplayName, l.Version)
	section := func(title string) { fmt.Fprintf(&b, "\n## %s\n\n", title) }
	if len(m.pkg.Refused) > 0 {
		section("OpenAI would refuse it")
		for _, f := range m.pkg.Refused {
			fmt.Fprintf(&b, "- %s\n", f)
		}
	}
	if len(m.pkg.Objections) > 0 {
		section("OpenAI's reviewers may object")
		for _, f := range m.pkg.Objections {
			fmt.Fprintf(&b, "- %s\n", f)
		}
	}
	section("Only you can give")
	for _, f := range m.pkg.Missing {
		fmt.Fprintf(&b, "- [ ] %s\n", f)
	}
	section("The server")
	fmt.Fprintf(&b, "- URL of the tools: %s\n- Authentication: OAuth, which it finds by itself\n- The domain: the "+
		"token of the portal at %s/.well-known/openai-apps-challenge (`GUESTPASS_PLUGIN_CHALLENGE`)\n", m.URL,
		m.about.publicURL)
	section("Instructions for the reviewer")
	organization := "Choose the organization if you are asked, and allow"
	if m.Consumer {
		organization = "Allow"
	}
	fmt.Fprintf(&b, "Connect the plugin: a page of %s opens. Type the address of the account, choose the password "+
		"as the way to sign in, and type it: no code is sent. %s what is shown. What was allowed can be taken back at "+
		"%s/account.\n", m.about.publicURL, organization, m.about.publicURL)
	if names := m.withWidgets(); len(names) > 0 {
		section("Widgets")
		b.WriteString(m.aboutWidgets(names))
	}
	m.writeHints(&b)
	m.writeCases(&b)
	section("Release notes")
	fmt.Fprintf(&b, "%s\n", l.ReleaseNotes)
	return []byte(b.String())
}

// aboutWidgets says what a reviewer asks about the widgets of the tools.
func (m *maker) aboutWidgets(names []string) string {
	link := cmp.Or(m.AppURL, m.about.publicURL+"/account")
	host := link
	if u, err := url.Parse(link); err == nil {
		host = u.Host
	}
	tools, widgets := "These tools show their answers in widgets", "Each is"
	if len(names) == 1 {
		tools, widgets = "This tool shows its answer in a widget", "It is"
	}
	return fmt.Sprintf("%s: %s. %s a self-contained document and loads nothing. Its content security policy (CSP) "+
		"allows no domain, and none for frames, so there is none to justify. Its one link opens %s; for Claude, list "+
		"its host, %s, under Allowed link URIs. `ui.domain` is not set, because the value differs per client and "+
		"Claude does not render a widget that carries another client's.\n", tools, strings.Join(names, ", "), widgets,
		link, host)
}

func (m *maker) writeHints(b *strings.Builder) {
	b.WriteString("\n## Annotations and their justifications\n")
	for _, t := range m.tools {
		j := m.justify(t)
		fmt.Fprintf(b, "\n### %s: %s\n\n- `readOnlyHint` %t: %s\n- `destructiveHint` %t: %s\n- `openWorldHint` %t: "+
			"%s\n", t.Name, t.Title, t.reads(), j.ReadOnly, t.destroys(), j.Destructive, t.reachesOut(), j.OpenWorld)
	}
}

func (m *maker) writeCases(b *strings.Builder) {
	b.WriteString("\n## Test cases\n\nTry each with the reviewer's account before you submit. Write better ones in " +
		"listing.json, as `test_cases`.\n")
	for i, c := range m.cases.Positive {
		fmt.Fprintf(b, "\n%d. **%s**\n   - Prompt: %s\n   - Tools: %s\n   - Expected: %s\n", i+1, c.Description,
			c.Prompt, c.Tools, c.Expected)
	}
	b.WriteString("\nNone of these should lead to a tool call:\n\n")
	for i, c := range m.cases.Negative {
		fmt.Fprintf(b, "%d. %s\n   - %s\n", i+1, c.Prompt, c.Description)
	}
}
