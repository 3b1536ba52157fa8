package cli

import (
	"fmt"
	"strings"
)

// settingsHelp returns all settings with a line each, in their groups.
func settingsHelp() string {
	all, widest := new(config).settings(), 0
	for _, s := range all {
		widest = max(widest, len(s.name))
	}
	var b strings.Builder
	b.WriteString("\nSettings, with what applies to those that are not set:\n")
	group := ""
	for _, s := range all {
		if s.trial && builtForProduction {
			continue
		}
		if s.group != group {
			group = s.group
			fmt.Fprintf(&b, "\n%s:\n", group)
		}
		fmt.Fprintf(&b, "  %-*s   %s [%s]\n", widest, s.name, s.summary, s.absent())
	}
	return b.String()
}

// absent returns what applies if the setting is not set.
func (s setting) absent() string { return or(s.otherwise, s.unset) }
