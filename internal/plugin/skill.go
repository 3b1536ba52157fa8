package plugin

import (
	"fmt"
	"strings"
)

// skillDescription says what the skill is for and when to use it, which is all that an assistant reads at first. Angle
// brackets are left out: some refuse them here.
func (m *maker) skillDescription() string {
	when := fmt.Sprintf(" Use when the person asks for something in %s, or speaks of what it keeps.", m.about.Title)
	text := cut(m.about.Description, maxSkillDescription-length(when)) + when
	return strings.NewReplacer("<", "", ">", "", "\n", " ").Replace(text)
}

// skill returns the SKILL.md. Its description is quoted as JSON, which YAML reads as it is.
func (m *maker) skill() []byte {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(m.skillDescription())
	return fmt.Appendf(nil, "---\nname: %s\ndescription: \"%s\"\n---\n\n# %s\n\n%s\n", m.listing.Name, quoted,
		m.about.Title,
		strings.TrimSpace(m.Skill))
}
