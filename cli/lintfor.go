//go:build !production

package cli

import (
	"fmt"
	"strings"

	"guestpass/openapi/lint"
)

// choose sets the importer that --for names.
func (l *lintSettings) choose() error {
	var known bool
	if l.profile, known = lint.LookUpProfile(l.of); !known {
		names := importers()
		return usagef("--for is %q, which is no importer that is known%s; choose from %s", l.of,
			didYouMean(near(strings.ToLower(l.of), names)), strings.Join(names, ", "))
	}
	if l.profile.Name != lint.GPT && l.fix != "" {
		return usagef("--fix writes what the GPT editor takes: leave --for out")
	}
	return nil
}

// importers returns the names that --for takes.
func importers() (names []string) {
	for _, p := range lint.Profiles() {
		names = append(names, p.Name)
	}
	return names
}

// importersHelp lists the importers, with the document for each.
func importersHelp() string {
	var b strings.Builder
	for _, p := range lint.Profiles() {
		fmt.Fprintf(&b, "  %-15s %-18s %s\n", p.Name, p.Address, p.Title)
	}
	return b.String()
}

// forOthers says for whom the findings are, if it is not the GPT editor.
func (r lintResult) forOthers() string {
	if r.Profile == lint.GPT || r.Profile == "" { // an MCP server has none
		return ""
	}
	return " for " + r.Profile
}
