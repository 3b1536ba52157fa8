// Package credentials knows the forms of what Stytch gives a project: its id, its public
// token, the ids of its connected apps, and its secrets. It tells a secret from what may be
// shown, so that settings and pages decide that alike.
//
// Its errors never repeat a value, nor a part of one: it may be a secret in the wrong place.
package credentials

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"guestpass/internal/pattern"
)

// An Environment of Stytch's. The values and people of one are unknown in the other.
type Environment string

const (
	Live Environment = "live"
	Test Environment = "test"
)

// A Kind of value, by what stands before the name of its environment.
type Kind string

const (
	ProjectID    Kind = "project"
	Secret       Kind = "secret"
	PublicToken  Kind = "public-token"
	ConnectedApp Kind = "connected-app"
	TokenProfile Kind = "trusted-token-profile"
)

// rests are what follows the environment. The length of a secret is not promised by Stytch.
var rests = map[Kind]*pattern.Pattern{
	ProjectID:    pattern.New(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
	Secret:       pattern.New("^[^\"'`\\\\,;]+$"),
	PublicToken:  pattern.New(`^[A-Za-z0-9-]+$`),
	ConnectedApp: pattern.New(`^[A-Za-z0-9-]+$`),
	TokenProfile: pattern.New(`^[A-Za-z0-9-]+$`),
}

// Check returns the environment of a value of the kind, or in words what is wrong with it.
func (k Kind) Check(value string) (Environment, error) {
	if err := CheckText(value); err != nil {
		return "", err
	}
	if k != Secret && HasSecret(value) {
		return "", errors.New("holds a secret")
	}
	for _, environment := range []Environment{Live, Test} {
		rest, found := strings.CutPrefix(value, string(k)+"-"+string(environment)+"-")
		switch {
		case !found:
		case k == Secret && secretForm.MatchString(rest):
			return "", errors.New("holds more than one secret: a project has one at a time, so name the newest alone")
		case !rests[k].MatchString(rest):
			return "", fmt.Errorf("is not whole, or something was added: it must be %s", k.form(environment))
		default:
			return environment, nil
		}
	}
	return "", fmt.Errorf("must begin with %s-live- or %s-test-", k, k)
}

func (k Kind) form(environment Environment) string {
	form := string(k) + "-" + string(environment) + "-…"
	if k == ProjectID {
		return form + ", with a UUID in lower case at its end"
	}
	return form
}

// CheckText tells of what comes along when a value is copied from a page, a shell or a file.
func CheckText(value string) error {
	switch {
	case strings.Trim(value, "\"'`“”‘’«»") != value:
		return errors.New("has quotation marks around it: leave them out")
	case strings.ContainsFunc(value, invisible):
		return errors.New("has blanks, line ends or invisible characters in it or around it: type its beginning and " +
			"end anew")
	case strings.ContainsFunc(value, func(r rune) bool { return r > unicode.MaxASCII }):
		return errors.New("has characters that no such value has: copy it again")
	}
	return nil
}

// invisible reports whether no eye tells the character from nothing, or it is a blank.
func invisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zs, unicode.Zl, unicode.Zp,
		unicode.Variation_Selector) || r == unicode.ReplacementChar
}

// secretForm is how a secret of a project, or the key of a workspace, begins.
var secretForm = pattern.New(`(?i)(secret[-_](live|test)|workspace[-_](key|secret))[-_][\pL\pN]`)

// pair is the id of a connected app with something behind it, as its secret is written.
var pair = pattern.New(`(?i)connected-app-(live|test)-[A-Za-z0-9-]*\s*[=:]\s*\S`)

// HasPair reports whether a connected app's id is in the text together with what may be its secret.
func HasPair(text string) bool { return pair.MatchString(visible(decoded(text))) }

// foreignForms are those of tokens, private keys, passwords in URLs, and keys of well-known services.
var foreignForms = pattern.New(`eyJ[A-Za-z0-9_-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s]*:[^/\s]+@|` +
	`\b(sk-[A-Za-z0-9_-]{20,}|gh[a-z]_[A-Za-z0-9]{20,}|AKIA[A-Z0-9]{16}|xox[a-z]-[A-Za-z0-9-]{10,})`)

// LooksSecret reports whether a text that everybody is to see has something in it that has the form
// of a secret, whoever's it may be: see [HasPair] and [Mask]. A long path of a URL is none.
func LooksSecret(text string) bool {
	text = visible(decoded(text))
	opaque := func(word string) bool { return Mask(word) == masked }
	return pair.MatchString(text) || foreignForms.MatchString(text) || slices.ContainsFunc(strings.Fields(text), opaque)
}

// HasSecret reports whether something in the text has the form of a secret of Stytch, or is
// one of the secrets, whole or without its beginning, however it is written: see [Holds].
func HasSecret(text string, secrets ...string) bool {
	return secretForm.MatchString(visible(decoded(text))) || Holds(text, secrets...)
}

// Holds reports whether one of the secrets is in the text, whole or without its beginning.
// Letter case, width, encoding and whatever stands between letters and digits do not hide it.
// Secrets that could be ordinary words are found as they are only, and the shortest not at all.
func Holds(text string, secrets ...string) bool {
	letters := ""
	for _, secret := range secrets {
		if secret = strings.TrimSpace(secret); len(secret) >= shortest && strings.Contains(text, secret) {
			return true
		}
		for _, hidden := range []string{plain(secret), plain(body(secret))} {
			if !unlikely(hidden) {
				continue
			}
			if letters == "" {
				letters = plain(text)
			}
			if strings.Contains(letters, hidden) {
				return true
			}
		}
	}
	return len(secrets) > 0 && holdsEncoded(text, secrets)
}

// holdsEncoded reports whether one of the secrets, as it is, is in something that the text has in
// base64 or hex.
func holdsEncoded(text string, secrets []string) bool {
	for begin := 0; begin < len(text); begin++ {
		end := begin
		for end < len(text) && (isBase64URL(rune(text[end])) || text[end] == '+' || text[end] == '/') {
			end++
		}
		if end-begin > shortest && holdsRun(text[begin:end], secrets) {
			return true
		}
		begin = end
	}
	return false
}

// holdsRun decodes. With something before it, as in HTTP Basic, base64 of a secret begins at any
// of four places.
func holdsRun(run string, secrets []string) bool {
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(run)
	for start := range 4 {
		end := start + (len(run)-start)/4*4
		bytes, _ := base64.StdEncoding.DecodeString(standard[start:end])
		rest, _ := base64.RawStdEncoding.DecodeString(standard[end:])
		if holdsBytes(append(bytes, rest...), secrets) {
			return true
		}
	}
	bytes, _ := hex.DecodeString(run)
	return holdsBytes(bytes, secrets)
}

func holdsBytes(bytes []byte, secrets []string) bool {
	return slices.ContainsFunc(secrets, func(secret string) bool {
		secret = strings.TrimSpace(secret)
		return len(secret) >= shortest && strings.Contains(string(bytes), secret)
	})
}

// shortest is the length from which a secret is looked for.
const shortest = 10

// unlikely reports whether nobody writes those letters and digits by chance. Words are long at
// times, and rarely have digits in them.
func unlikely(letters string) bool {
	const words, mixed = 16, 12
	return len(letters) >= words || len(letters) >= mixed && strings.ContainsAny(letters, "0123456789")
}

// body returns a secret without what every secret of its kind begins with.
func body(secret string) string {
	if found := secretForm.FindStringIndex(secret); found != nil && found[0] == 0 {
		_, last := utf8.DecodeLastRuneInString(secret[:found[1]])
		return secret[found[1]-last:]
	}
	return secret
}

// plain returns the form in which secrets and texts are compared: letters and digits alone, decoded
// and folded, so that two spellings of the same are equal.
func plain(text string) string {
	text = decoded(text)
	letters := make([]byte, 0, len(text))
	for _, r := range text {
		switch {
		case r >= 'A' && r <= 'Z':
			letters = append(letters, byte(r)+'a'-'A')
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			letters = append(letters, byte(r)) // #nosec G115 -- an ASCII letter or digit
		case r > unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			letters = append(letters, cases.Fold().String(string(r))...)
		}
	}
	return string(letters)
}

// percent is a byte as URLs write it.
var percent = pattern.New(`%[0-9A-Fa-f]{2}`)

// decoded undoes the escapes of pages and URLs, also where one is in the other, and brings
// characters that only look different, such as those of full width, to one form.
func decoded(text string) string {
	const nested = 4
	for range nested {
		before := text
		if strings.Contains(text, "&") {
			text = html.UnescapeString(text)
		}
		if strings.Contains(text, "%") {
			text = percent.ReplaceAllStringFunc(text, func(escape string) string {
				b, _ := hex.DecodeString(escape[1:])
				return string(b)
			})
		}
		if text = norm.NFKD.String(text); text == before {
			break
		}
	}
	return text
}

func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if invisible(r) && r != ' ' {
			return -1
		}
		return r
	}, strings.TrimSpace(text))
}

// wholeSecret is a secret as far as it reaches in a text. What only names the form, such as
// "secret-test-" or "secret-test-…", is none.
var wholeSecret = pattern.New("(?i)(secret[-_](live|test)|workspace[-_](key|secret))[-_][\\pL\\pN][^\\s\"'`]*")

var word = pattern.New("[^\\s\"'`]+")

// Withhold returns the text with a word in place of each secret in it.
func Withhold(text string, secrets ...string) string {
	const withheld = "[secret]"
	// The name of this setting has the form of what it holds.
	const name, shown = "STYTCH_WORKSPACE_KEY_ID", "STYTCH_WORKSPACE\x00KEY_ID"
	text = strings.ReplaceAll(text, name, shown)
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(secret string) bool {
		return len(secret) < shortest || onlyForm.MatchString(secret)
	})
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, withheld)
	}
	text = wholeSecret.ReplaceAllString(text, withheld)
	text = word.ReplaceAllStringFunc(text, func(word string) string {
		if Holds(word, secrets...) || wholeSecret.MatchString(hyphens(word)) {
			return withheld
		}
		return word
	})
	if Holds(text, secrets...) { // over several words
		return withheld
	}
	return strings.ReplaceAll(text, shown, name)
}

// hyphens writes the text's dashes, of which Unicode has many, as ASCII has them.
func hyphens(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Pd, r) {
			return '-'
		}
		return r
	}, decoded(text))
}

// onlyForm is the beginning of a secret without the secret.
var onlyForm = pattern.New(`(?i)^(secret[-_](live|test)|workspace[-_](key|secret))[^\pL\pN]*$`)
