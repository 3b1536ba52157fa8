package plugin

import (
	"fmt"
	"strings"

	"guestpass/internal/pattern"
)

// A claim is what OpenAI's guidelines keep out of a listing. The portal takes it, and the people who review it do not.
type claim struct {
	words  *pattern.Pattern
	advice string
}

var (
	// nameClaims are for the name alone.
	nameClaims = claim{pattern.New(`(?i)\b(mcp|plug-?ins?)\b`),
		"which OpenAI's guidelines do not allow in names"}
	// lineClaims are for the name and for the line below it.
	lineClaims = []claim{
		{pattern.New(`(?i)\b(best|official)\b`), "which OpenAI's guidelines do not allow there"},
		{pattern.New(`(?i)[$€£¥]\s?\d+([.,]\d+)?|` +
			`\d+([.,]\d+)?\s?([$€£¥]|(usd|eur|gbp|dollars?|euros?|pounds?)\b)`),
			"a price, which OpenAI's guidelines do not allow there"},
	}
)

// checkClaims lists what the portal's checks let pass.
func (m *maker) checkClaims() {
	for _, line := range []struct {
		member, text string
		claims       []claim
	}{
		{"displayName", m.listing.DisplayName, append([]claim{nameClaims}, lineClaims...)},
		{"shortDescription", m.Listing.ShortDescription, lineClaims}, // one that is made says the name again
	} {
		for _, c := range line.claims {
			if found := c.words.Regexp().FindAllString(line.text, -1); len(found) > 0 {
				m.object(line.member, fmt.Sprintf("contains “%s”, %s", strings.Join(found, "” and “"), c.advice))
			}
		}
	}
}
