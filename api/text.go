package api

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"guestpass/internal/directory"
)

// cleanText removes what people cannot see and a model might obey: control, zero-width
// and direction characters, and the tag characters U+E0000 to U+E007F. Text of several
// lines keeps line feeds and tabs.
func cleanText(text string, lines bool) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			if lines {
				return r
			}
			return ' '
		case unicode.IsControl(r), r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F,
			r == 0xFEFF, r == 0x061C, r == 0x180E, r >= 0xE0000 && r <= 0xE007F:
			return -1
		}
		return r
	}, text))
}

// visible leaves of somebody's names what people can see: anybody may call themselves, or their
// organization, anything at Stytch.
func visible(p directory.Person) directory.Person {
	p.Name, p.Email = cleanText(p.Name, false), cleanText(p.Email, false)
	p.Organization.Name, p.Organization.Slug = cleanText(p.Organization.Name, false), cleanText(p.Organization.Slug, false)
	return p
}

// checkDate refuses a day that the calendar does not have, such as 2026-02-30. Empty is
// no date.
func checkDate(location, date string) error {
	if date == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return Invalid(location, "is not a day of the calendar; write YYYY-MM-DD, such as 2026-12-31")
	}
	return nil
}

const maxLabels, maxLabel = 20, 50

// checkLabels returns the labels in lower case, each once.
func checkLabels(location string, labels []string) ([]string, error) {
	kept := []string{}
	seen := map[string]bool{}
	for i, label := range labels {
		label = strings.ToLower(cleanText(label, false))
		switch at := fmt.Sprintf("%s[%d]", location, i); {
		case label == "":
			return nil, Invalid(at, "is empty; give the label a name or leave it out")
		case len([]rune(label)) > maxLabel:
			return nil, Invalid(at, fmt.Sprintf("is longer than %d characters; shorten it", maxLabel))
		case strings.Contains(label, ","):
			return nil, Invalid(at, "has a comma; send each label as an element of its own")
		}
		if !seen[label] {
			kept, seen[label] = append(kept, label), true
		}
	}
	return kept, nil
}
