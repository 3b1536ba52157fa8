//go:build !production

package cli

import (
	"strings"
	"testing"
)

// Whoever reads the help finds every setting, and no line that a terminal breaks.
func TestTheHelpOfServeListsEverySetting(t *testing.T) {
	_, help, _ := execute(t, nil, "serve", "--help")
	_, list, _ := strings.Cut(help, "\nSettings, ")
	group := ""
	for _, s := range new(config).settings() {
		group = s.group
		if s.summary == "" || strings.Count(list, "  "+s.name+" ") != 1 || strings.Count(list, "\n"+group+":\n") != 1 {
			t.Errorf("%s is not told once, in its group:\n%s", s.name, list)
		}
	}
	for line := range strings.Lines(list) {
		if len([]rune(line)) > 101 {
			t.Errorf("more than 100 columns: %s", line)
		}
	}
}

// The page that explains the settings names the defaults that the program has.
func TestTheDefaultsOfThePageAreThoseOfTheProgram(t *testing.T) {
	page := readFile(t, "../docs/settings.md")
	for _, s := range new(config).settings() {
		for line := range strings.Lines(page) {
			cells := strings.Split(line, " | ")
			row := len(cells) > 2 && strings.Contains(cells[0], "`"+s.name+"`")
			if row && s.otherwise != "" && !strings.Contains(cells[len(cells)-1], "`"+s.otherwise+"`") {
				t.Errorf("docs/settings.md has another default than %q: %s", s.otherwise, line)
			}
		}
	}
}
