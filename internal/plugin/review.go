package plugin

import (
	"fmt"
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
			"openWorldHint": t.reachesOut()}, t.justify(m.about.Title)}
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
	section("Only you can give")
	for _, f := range m.pkg.Missing {
		fmt.Fprintf(&b, "- [ ] %s\n", f)
	}
	section("The server")
	fmt.Fprintf(&b, "- URL of the tools: %s\n- Authentication: OAuth, which it finds by itself\n- The domain: the "+
		"token "+
		"of the portal at %s/.well-known/openai-apps-challenge (`GUESTPASS_PLUGIN_CHALLENGE`)\n", m.URL,
		m.about.publicURL)
	section("Instructions for the reviewer")
	fmt.Fprintf(&b, "Connect the plugin: a page of %s opens. Type the address of the account, choose the password "+
		"as the "+
		"way to sign in, and type it: no code is sent. Choose the organization if you are asked, and allow what is "+
		"shown. What was allowed can be taken back at %s/account.\n", m.about.publicURL, m.about.publicURL)
	if names := m.withWidgets(); len(names) > 0 {
		section("Widgets")
		fmt.Fprintf(&b, "These tools show what they answer in a widget: %s. It is one document that loads nothing. "+
			"Its policy (CSP) names no domain, and none for frames, so there is none to explain; its links are opened "+
			"by the client. It has no domain of its own (`ui.domain`): Claude shows no widget that has another "+
			"client's.\n", strings.Join(names, ", "))
	}
	m.writeHints(&b)
	m.writeCases(&b)
	section("Release notes")
	fmt.Fprintf(&b, "%s\n", l.ReleaseNotes)
	return []byte(b.String())
}

func (m *maker) writeHints(b *strings.Builder) {
	b.WriteString("\n## Annotations, and why each is so\n")
	for _, t := range m.tools {
		j := t.justify(m.about.Title)
		fmt.Fprintf(b, "\n### %s: %s\n\n- `readOnlyHint` %t: %s\n- `destructiveHint` %t: %s\n- `openWorldHint` %t: "+
			"%s\n",
			t.Name, t.Title, t.reads(), j.ReadOnly, t.destroys(), j.Destructive, t.reachesOut(), j.OpenWorld)
	}
}

func (m *maker) writeCases(b *strings.Builder) {
	b.WriteString("\n## Test cases\n\nTry each with the reviewer's account before you submit. Write better ones in " +
		"listing.json, as `test_cases`.\n")
	for i, c := range m.cases.Positive {
		fmt.Fprintf(b, "\n%d. **%s**\n   - Prompt: %s\n   - Tools: %s\n   - Expected: %s\n", i+1, c.Description,
			c.Prompt,
			c.Tools, c.Expected)
	}
	b.WriteString("\nNone of these may lead to a call:\n\n")
	for i, c := range m.cases.Negative {
		fmt.Fprintf(b, "%d. %s\n   - %s\n", i+1, c.Prompt, c.Description)
	}
}
