package plugin

import (
	"fmt"
	"regexp"
)

// justification says why the hints of a tool have their values, in a sentence each, as reviewers want.
type justification struct {
	ReadOnly    string `json:"read_only_justification"`
	OpenWorld   string `json:"open_world_justification"`
	Destructive string `json:"destructive_justification"`
}

var sentenceEnd = regexp.MustCompile(`\.(?: \p{Lu}|$)`)

// firstSentence returns the description's first one, without its stop.
func firstSentence(text string) string {
	if at := sentenceEnd.FindStringIndex(text); at != nil {
		return text[:at[0]]
	}
	return text
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
	case t.undoes:
		j.ReadOnly = fmt.Sprintf("It changes what %s keeps: it %s.", title, does)
		j.Destructive = fmt.Sprintf("It puts back what an earlier change has replaced, and can be taken back in the "+
			"same way, so that nothing is lost: it %s.", does)
	default:
		j.ReadOnly = fmt.Sprintf("It changes what %s keeps: it %s.", title, does)
		j.Destructive = fmt.Sprintf("It adds or changes what the call names, and deletes nothing and revokes no "+
			"access: it %s.", does)
	}
	j.OpenWorld = fmt.Sprintf("It works on what %s keeps and the signed-in person may see there, and publishes and "+
		"sends nothing to anybody outside.", title)
	if t.reachesOut() {
		j.OpenWorld = fmt.Sprintf("People or systems outside of %s notice it: it %s.", title, does)
	}
	return j
}
