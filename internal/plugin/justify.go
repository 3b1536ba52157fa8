package plugin

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"guestpass/internal/pattern"
)

// hints are what reviewers want justified.
var hints = []string{"readOnlyHint", "openWorldHint", "destructiveHint"}

// justification says why the hints of a tool have their values, in a sentence each, as reviewers want.
type justification struct {
	ReadOnly    string `json:"read_only_justification"`
	OpenWorld   string `json:"open_world_justification"`
	Destructive string `json:"destructive_justification"`
}

var sentenceEnd = pattern.New(`\.(?: \p{Lu}|$)`)

// firstSentence returns the description's first one, without its stop.
func firstSentence(text string) string {
	if at := sentenceEnd.FindStringIndex(text); at != nil {
		return text[:at[0]]
	}
	return text
}

// justify returns what the person says of a tool's hints, and what follows from its declaration where they say nothing.
func (m *maker) justify(t *tool) justification {
	own, made := m.listing.Justifications[t.Name], t.justify(m.about.Title)
	return justification{ReadOnly: cmp.Or(own["readOnlyHint"], made.ReadOnly),
		OpenWorld:   cmp.Or(own["openWorldHint"], made.OpenWorld),
		Destructive: cmp.Or(own["destructiveHint"], made.Destructive)}
}

// checkJustifications refuses texts that nothing in the package would say.
func (m *maker) checkJustifications() {
	for _, name := range slices.Sorted(maps.Keys(m.listing.Justifications)) {
		if !m.isTool(name) {
			m.refuse("", "justifications", fmt.Sprintf("names %q, which is not a tool", name))
			continue
		}
		for _, hint := range slices.Sorted(maps.Keys(m.listing.Justifications[name])) {
			if !slices.Contains(hints, hint) {
				m.refuse("", "justifications."+name, fmt.Sprintf("names %q: the hints are %s", hint,
					strings.Join(hints, ", ")))
			}
		}
	}
}

// justify follows from what is declared: the effect of the operation, and whether it reaches people outside.
func (t *tool) justify(title string) justification {
	does := lowerFirst(firstSentence(t.Description))
	var j justification
	switch {
	case t.reads():
		j.ReadOnly = fmt.Sprintf("It only looks up data: it %s, and creates, changes, removes and sends nothing.", does)
		j.Destructive = "It returns data, and so has nothing that it could delete, overwrite or revoke."
	case t.removes():
		j.ReadOnly = fmt.Sprintf("It takes something away in %s: it %s.", title, does)
		j.Destructive = fmt.Sprintf("What the call names is removed: it %s.", does)
	default:
		j.ReadOnly = fmt.Sprintf("It changes what %s keeps: it %s.", title, does)
		j.Destructive = fmt.Sprintf("%s: it %s.", t.losses(), does)
	}
	j.OpenWorld = fmt.Sprintf("It works on what %s keeps and the signed-in person may see there. It publishes "+
		"nothing, and sends nothing to anybody outside.", title)
	if t.reachesOut() {
		j.OpenWorld = fmt.Sprintf("People or systems outside %s notice it: it %s.", title, does)
	}
	return j
}

// losses says what is lost by a call of a tool that changes something.
func (t *tool) losses() string {
	switch {
	case !t.destroys():
		return "It deletes nothing, replaces nothing that anybody has written, and revokes no access"
	case t.undoes:
		return "It puts back what a change has replaced, in place of what is there now"
	case t.reachesOut():
		return "What it sends cannot be called back"
	case t.overwrites():
		return "The values in the call replace those that were there"
	}
	return "It may remove or overwrite what the call names"
}
