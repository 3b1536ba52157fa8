package api

import (
	"fmt"
	"slices"
	"strings"

	"guestpass/internal/pattern"
)

// styleToken matches what of a style tells whether it loads something (CSS Syntax 3, section 4): comments, strings,
// url() without quotes, names (of rules by their @, of functions by their bracket) and what encloses. All else is
// between the matches.
var styleToken = pattern.New(`(?is)/\*.*?(?:\*/|$)` +
	`|"(?P<double>(?:\\.|[^"\\\n\r\f])*)"?|'(?P<single>(?:\\.|[^'\\\n\r\f])*)'?` +
	`|url\(\s*(?P<bare>[^"'\s)](?:\\.|[^)\\])*)\)?` +
	`|(?P<name>[@#]?(?:[-\w]|[^\x00-\x7f]|\\[0-9a-f]{1,6}\s?|\\[^\n\r\f])+)(?P<bracket>\(?)` +
	`|(?P<mark>[(){};])`)

// addressed are the functions in which a string is an address.
var addressed = []string{"url", "src", "image", "image-set", "-webkit-image-set", "cross-fade", "-webkit-cross-fade"}

// checkStyle finds what a style, or the declarations of one, would load.
func checkStyle(text string) (faults []error) {
	var rule string        // the last @rule, until it ends
	var functions []string // in which the token is
	address := func(value string) {
		switch err := picture.check(value); {
		case rule == "@namespace": // a name, which is not loaded
		case rule == "@font-face":
			faults = append(faults, fmt.Errorf("a font, %.60q, and clients allow none: leave it out; the client names "+
				"its own in variables such as --font-sans", value))
		case err != nil:
			faults = append(faults, fmt.Errorf("%.60q, %w", value, err))
		}
	}
	for _, found := range styleToken.Regexp().FindAllStringSubmatch(text, -1) {
		get := func(group string) string { return found[styleToken.Regexp().SubexpIndex(group)] }
		name, mark := strings.ToLower(get("name")), get("mark")
		function := get("bracket") != ""
		switch {
		case strings.Contains(name, `\`) && (function || name[0] == '@'):
			faults = append(faults, fmt.Errorf(`%.60q: write the name of a function or rule without \`, found[0]))
		case name == "@import":
			faults = append(faults, fmt.Errorf("%s, and no style is loaded: write the other style into this one", name))
		case strings.HasPrefix(name, "@"):
			rule = name
		case get("bare") != "":
			address(strings.TrimSpace(get("bare")))
		case len(functions) > 0 && slices.Contains(addressed, functions[len(functions)-1]):
			if value := get("double") + get("single"); value != "" {
				address(value)
			}
		}
		switch {
		case function || mark == "(":
			functions = append(functions, name)
		case mark == ")" && len(functions) > 0:
			functions = functions[:len(functions)-1]
		case mark == "}" || mark == ";" && rule != "@font-face":
			rule, functions = "", nil
		}
	}
	return faults
}
