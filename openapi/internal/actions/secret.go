package actions

import (
	"slices"
	"strings"

	"guestpass/internal/pattern"
)

// An Argument is what tells a secret from a word that is used for many things.
type Argument struct{ Name, Type, Format, Description string }

var (
	wordEnd       = pattern.New(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)
	secretsInText = pattern.New(
		`(?i)\b(api|secret|private|access|auth\w*)[ -]?(key|token)\b|\bcredentials?\b|\bauthenticat`)
	// secretNouns are secrets whatever stands before them.
	secretNouns = []string{"password", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets", "clientsecret",
		"userpassword", "credential", "credentials",
		"authorization", "jwt", "bearer", "otp", "totp", "cvv", "cvc"}
	// secretKinds make secrets of a key and of a token. Others tell where a key leads (sort,
	// issue, account, partition) or how far a list was read (page, next, sync).
	secretKinds = map[string][]string{
		"key": {"api", "access", "secret", "private", "auth", "app", "application", "subscription", "encryption",
			"signing",
			"session", "master", "service", "function"},
		"token": {"access", "refresh", "auth", "authentication", "authorization", "id", "bearer", "session", "security",
			"api",
			"app", "user", "bot", "personal", "private", "secret", "jwt", "oauth", "oauth2", "login", "reset", "csrf",
			"xsrf", "device"},
		"id": {"session"}, // who has it is signed in
	}
	// aboutSecrets begin the names of switches, such as has_password.
	aboutSecrets = []string{"has", "is", "with", "include", "show", "hide"}
)

// Secret reports whether a query parameter would show a secret: the approval prompt shows
// query parameters (G117, D). A name ends in what it names: a passwordHint is a hint. A key
// needs more than this word in its name: pageToken and accountKey open nothing.
func Secret(a Argument) bool {
	if a.Type == "boolean" || a.Type == "integer" || a.Type == "number" || a.Type == "object" {
		return false
	}
	words := nameWords(a.Name)
	if len(words) == 0 || len(words) > 1 && slices.Contains(aboutSecrets, words[0]) {
		return false
	}
	last := words[len(words)-1]
	switch {
	case a.Format == "password" || slices.Contains(secretNouns, last):
		return true
	case len(words) == 1 && (last == "token" || last == "pin"): // a signature may be that of a letter
		return true
	case len(words) == 1 && last == "key":
		return secretsInText.MatchString(a.Description)
	}
	for noun, kinds := range secretKinds {
		before, ok := strings.CutSuffix(strings.Join(words[max(0, len(words)-2):], ""), noun)
		if ok && slices.Contains(kinds, before) {
			return true
		}
	}
	return false
}

// nameWords splits client_secret, clientSecret, X-Client-Secret and client.secret[0] alike,
// in lower case and without numbers at the end.
func nameWords(name string) []string {
	spaced := wordEnd.ReplaceAllString(name, "${1}${3} ${2}${4}")
	words := strings.FieldsFunc(strings.ToLower(spaced),
		func(r rune) bool { return !('a' <= r && r <= 'z' || '0' <= r && r <= '9') })
	for len(words) > 0 {
		last := strings.TrimRight(words[len(words)-1], "0123456789")
		if last != "" {
			words[len(words)-1] = last
			break
		}
		words = words[:len(words)-1]
	}
	return words
}
