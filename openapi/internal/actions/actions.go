// Package actions is what is known of GPT Actions in numbers, words and predicates: the
// limits of the editor, which hosts it calls, what a name may be. The generator of our own
// document (openapi) and the judge of any document (openapi/lint) share it, so that each
// of these is decided once. It knows no documents.
//
// The letters behind a rule are its evidence; package openapi explains them.
package actions

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"

	"guestpass/internal/pattern"
)

// Limits. Texts are counted in code points. Those of classes C and D may turn out stricter
// than the editor.
const (
	MaxOperations     = 30      // G020 (M9, C)
	ManyOperations    = 15      // G021 (C)
	MaxOperationText  = 300     // G032 (M21, A)
	MaxArgumentText   = 700     // G035 (A)
	MaxOperationID    = 64      // G030 (C, I)
	ComfortableIDSize = 40      // G031 (C)
	MaxEnum           = 50      // G077 (D)
	MaxRequestDepth   = 3       // G058 (D)
	MaxResponseDepth  = 5       // G058 (D)
	WarnBytes         = 100_000 // G007 (D), of the indented document
	MaxBytes          = 800_000 // G007 (D)
)

var (
	// OperationID is what an operationId may be, but for its length (G030; M10, C, I).
	OperationID = pattern.New(`^[a-zA-Z][a-zA-Z0-9_]*$`)
	// ArgumentName is what the name of a parameter or property should be (G044; I, T).
	// ToolName is what OpenAI takes for the name of a tool (G030, C).
	ToolName     = pattern.New(`^[a-zA-Z0-9_-]{1,64}$`)
	ArgumentName = pattern.New(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// PathVariable finds {name} in a path.
	PathVariable = pattern.New(`\{([^{}]*)\}`)
	// Trigger finds words that press a model to call (G034, A).
	Trigger = pattern.New(
		`(?i)\b(always (call|use)|whenever|must (be )?(call|use|invoke)|before (answering|responding))`)
)

// CamelCase suggests an operationId: list-all-items becomes listAllItems.
func CamelCase(id string) string {
	words := strings.FieldsFunc(id, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
	})
	var b strings.Builder
	for i, word := range words {
		if i > 0 {
			word = strings.ToUpper(word[:1]) + word[1:]
		}
		b.WriteString(word)
	}
	suggestion := strings.TrimLeft(b.String(), "0123456789")
	if suggestion == "" {
		return "something like listMembers"
	}
	return suggestion[:min(len(suggestion), ComfortableIDSize)]
}

// Absolute returns nil for what the editor calls no valid URL (M5): empty, relative, or a
// template.
func Absolute(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(text,
		"{}<>") {
		return nil
	}
	return u
}

// exemptHosts are the OAuth hosts of Google, Microsoft and Adobe, which may differ from
// the API's domain (A). OpenAI publishes no list (I).
var exemptHosts = []string{
	"accounts.google.com", "oauth2.googleapis.com", "www.googleapis.com",
	"login.microsoftonline.com", "login.live.com",
	"ims-na1.adobelogin.com",
}

// SharesDomain reports whether the editor takes an OAuth host beside the API's (G110; M25, C, A).
// Whether it counts private suffixes such as vercel.app is not known; here they count.
func SharesDomain(host, api string) bool {
	return Registrable(host) == Registrable(api) || slices.Contains(exemptHosts, strings.ToLower(host))
}

// Registrable returns the eTLD+1 with private suffixes, or the host itself if it has none.
func Registrable(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return host
	}
	return domain
}

// Names reports whether a text has a value in it, as a word or words of its own: "an" is not in "Any band".
func Names(text, value string) bool {
	word := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	for from := 0; value != ""; from++ {
		at := strings.Index(text[from:], value)
		if at < 0 {
			return false
		}
		from += at
		before, _ := utf8.DecodeLastRuneInString(text[:from])
		after, _ := utf8.DecodeRuneInString(text[from+len(value):])
		if !word(before) && !word(after) {
			return true
		}
	}
	return true
}
