package tasks

import (
	"fmt"
	"strings"

	"guestpass/api"
)

const maxLabels, maxLabel = 20, 50

// checkLabels returns the labels in lower case, each once.
func checkLabels(location string, labels []string) ([]string, error) {
	kept := []string{}
	seen := map[string]bool{}
	for i, label := range labels {
		label = strings.ToLower(label)
		switch at := fmt.Sprintf("%s[%d]", location, i); {
		case label == "":
			return nil, api.Invalid(at, "is empty; give the label a name or leave it out")
		case len([]rune(label)) > maxLabel:
			return nil, api.Invalid(at, fmt.Sprintf("is longer than %d characters; shorten it", maxLabel))
		case strings.Contains(label, ","):
			return nil, api.Invalid(at, "has a comma; send each label as an element of its own")
		}
		if !seen[label] {
			kept, seen[label] = append(kept, label), true
		}
	}
	return kept, nil
}
