package plugin

import (
	"fmt"
	"path"
	"strings"
)

// claudeManifest is what Claude's programs and its directory read.
type claudeManifest struct {
	head
	PrivacyPolicyURL string `json:"privacyPolicyUrl"`
}

// claude makes the package of Claude, and the marketplace from which Claude Code installs it.
func (m *maker) claude() error {
	l := m.listing
	add := func(name string, content []byte) {
		m.pkg.Files[path.Join(claudeFolder, "plugins", l.Name, name)] = content
	}
	owner := author{Name: l.DeveloperName, Email: l.DeveloperEmail}
	if owner.Name == "" {
		owner.Name = l.DisplayName
	}
	ofPlugin, err := marshal(claudeManifest{m.head(), l.PrivacyPolicyURL})
	if err != nil {
		return err
	}
	servers, err := marshal(m.servers())
	if err != nil {
		return err
	}
	market, err := marshal(map[string]any{"name": l.Name, "owner": owner, "plugins": []any{map[string]any{
		"name": l.Name, "description": m.head().Description, "author": owner, "category": strings.ToLower(l.Category),
		"homepage": l.WebsiteURL, "source": "./plugins/" + l.Name}}})
	if err != nil {
		return err
	}
	add(".claude-plugin/plugin.json", ofPlugin)
	add(".mcp.json", servers)
	add("skills/"+l.Name+"/SKILL.md", m.skill())
	add("README.md", m.readme())
	if text := m.license(); len(text) > 0 {
		add("LICENSE", text)
	}
	m.pkg.Files[claudeFolder+"/.claude-plugin/marketplace.json"] = market
	return nil
}

// readme is for the directory, which wants some words and a section on privacy.
func (m *maker) readme() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\nIt connects to %s. When you use it for the first time you sign in there, see "+
		"what is asked for, and allow or deny it. It acts with your rights alone, and you can take back what you have "+
		"allowed at %s/account.\n\n## What it can do\n\n", m.listing.DisplayName, m.listing.LongDescription, m.URL,
		m.about.publicURL)
	for _, t := range purposes(m.tools) {
		fmt.Fprintf(&b, "- %s\n", t.Title)
	}
	fmt.Fprintf(&b, "\n## Privacy Policy\n\nWhat is kept, for how long, and who sees it: %s\n",
		m.listing.PrivacyPolicyURL)
	if m.listing.SupportURL != "" {
		fmt.Fprintf(&b, "\n## Support\n\n%s\n", m.listing.SupportURL)
	}
	return []byte(b.String())
}

// license returns the text of the license that the listing names; nil for none.
func (m *maker) license() []byte {
	if m.listing.LicenseFile == "" {
		return nil
	}
	text, err := m.file(m.listing.LicenseFile, maxText)
	if err != nil {
		return nil // which missing has told
	}
	return text
}
