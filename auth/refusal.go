package auth

import (
	"cmp"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"guestpass/internal/credentials"
	"guestpass/internal/pattern"
)

// A refusal is a sentinel with its reason. What else it holds is for the log alone and is
// fit for it: printable ASCII of bounded length, never a token, signature or secret.
type refusal struct {
	sentinel error
	reason   string // a class, such as "iss" or "expired"
	claim    string // or the header member at fault
	found    string
	expected string
	hint     string // what to do, and the setting that it is about
}

// Error does not tell what was found: it may be wrapped into something that a client sees.
func (r *refusal) Error() string { return r.sentinel.Error() + ": " + r.reason }
func (r *refusal) Unwrap() error { return r.sentinel }

func invalid(reason, expected, hint string) error {
	return &refusal{sentinel: ErrInvalidToken, reason: reason, expected: expected, hint: hint}
}

// Invalid returns an error that wraps [ErrInvalidToken], for a token that is good by itself, with the reason why it
// counts no more: words of the program, such as "revoked".
func Invalid(reason string) error { return &refusal{sentinel: ErrInvalidToken, reason: reason} }

// Class returns the reason of a refusal without what depends on the request or on the operation, to count by: one of a
// few dozen that this package and callers of [Invalid] have. "" is no judgement of this package.
func Class(err error) string {
	var r *refusal
	switch {
	case errors.Is(err, ErrInsufficientScope):
		return ErrInsufficientScope.Error()
	case errors.Is(err, ErrInsufficientRole):
		return ErrInsufficientRole.Error()
	case errors.As(err, &r):
		class, _, _ := strings.Cut(r.reason, headerMember)
		return cmp.Or(class, strings.TrimSpace(headerMember))
	}
	for _, sentinel := range judgements {
		if errors.Is(err, sentinel) {
			return sentinel.Error()
		}
	}
	return ""
}

// headerMember is how the reason begins whose end a request has chosen.
const headerMember = "header_member "

// Reason returns a short class for the log, such as "expired" or "header_member x5u". It
// never contains a token or the value of a claim.
func Reason(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.reason
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// LogAttrs tells an operator why a request was refused: the reason and, where they are
// known, the claim, what was found in it, what was expected, and a hint which setting
// that is about. It is not for clients.
func LogAttrs(err error) []slog.Attr {
	attributes := []slog.Attr{slog.String("reason", Reason(err))}
	var r *refusal
	if !errors.As(err, &r) {
		return attributes
	}
	for _, detail := range []struct{ name, text string }{
		{"claim", r.claim}, {"found", r.found}, {"expected", r.expected}, {"hint", r.hint},
	} {
		if detail.text != "" {
			attributes = append(attributes, slog.String(detail.name, detail.text))
		}
	}
	return attributes
}

// maxShown bounds a value in the log.
const maxShown = 200

// shown makes text fit for a log: printable ASCII, everything else escaped, cut at maxShown.
// A look-alike letter is seen as what it is, and what has the form of a token is left out.
func shown(text string) string {
	text = credentials.Mask(text)                                 // before it is cut: half a token tells much of it
	pieces := strings.Split(text[:min(len(text), maxShown)], `"`) // which need no escape: the log has its own
	for i, piece := range pieces {
		piece = strconv.QuoteToASCII(piece)
		pieces[i] = piece[1 : len(piece)-1]
	}
	quoted := strings.Join(pieces, `"`)
	if len(text) > maxShown || len(quoted) > maxShown {
		return quoted[:min(len(quoted), maxShown)] + "..."
	}
	return quoted
}

// kindOf tells what a value is without the value: an address, an id or a text in a token may be somebody's.
func kindOf(value json.RawMessage) string {
	switch {
	case len(value) == 0:
		return "nothing"
	case value[0] == '"':
		return kindOfText(text(value))
	case value[0] == '{':
		return "an object"
	case value[0] == '[':
		return kindOfList(value)
	case value[0] == '-', value[0] >= '0' && value[0] <= '9':
		return "a number"
	}
	return string(value) // true, false or null
}

func kindOfList(value json.RawMessage) string {
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		return "a list"
	}
	var kinds []string
	for _, one := range list[:min(len(list), maxKinds)] {
		kinds = append(kinds, kindOf(one))
	}
	if len(list) > maxKinds {
		kinds = append(kinds, strconv.Itoa(len(list)-maxKinds)+" more")
	}
	return shown("[" + strings.Join(kinds, ", ") + "]")
}

// maxKinds is of how many entries of a list the log tells the kind.
const maxKinds = 5

// stytchID is how Stytch's ids begin: what they are of, and in which environment. The first are issuers.
var stytchID = pattern.New(`^(?:stytch\.com/project|[a-z0-9]+(?:-[a-z0-9]+)?)-(?:test|live)-`)

// words that tokens have in their header, and that are nobody's.
var words = []string{"none", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
	"HS256", "HS384", "HS512", "JWT", "at+jwt", "id+jwt", "logout+jwt"}

func kindOfText(text string) string {
	start := stytchID.FindString(text)
	switch {
	case text == "":
		return "an empty string"
	case slices.Contains(words, text):
		return text
	case start != "" && slices.Contains(stytchKinds, start[:len(start)-len("test-")]):
		return start + "..."
	case strings.HasPrefix(text, "https://"):
		return "an https address"
	case strings.HasPrefix(text, "http://"):
		return "an http address"
	}
	return "a string, length " + strconv.Itoa(len(text))
}

// stytchKinds are what Stytch's ids are of.
var stytchKinds = []string{"stytch.com/project-", "project-", "member-", "user-", "organization-", "connected-app-",
	"m2m-client-"}

// anyOf lists what would have been right.
func anyOf(values []string) string { return shown(strings.Join(values, " or ")) }
