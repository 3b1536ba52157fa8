package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"guestpass/internal/pattern"
)

// plainWord is what names a subcommand, and no value of an argument that nobody else should see.
var plainWord = pattern.New(`^[a-z][a-z-]{0,19}$`)

// commandOf returns by which command a process was started, as "guestpass serve, "; "" if the system does not tell.
func commandOf(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // only Linux has it
	words := strings.Split(strings.TrimRight(string(text), "\x00"), "\x00")
	if err != nil || words[0] == "" {
		return ""
	}
	name := filepath.Base(words[0])
	if len(words) > 1 && plainWord.MatchString(words[1]) {
		name += " " + words[1]
	}
	return name + ", "
}
