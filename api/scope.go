package api

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"guestpass/internal/pattern"
)

// A Scope is a permission that people give to an app.
type Scope struct {
	Name string // as in tokens and in the Stytch project, such as notes:read

	// What it allows, such as "Read your notes", for the page on which people decide. The words that the Stytch project
	// has for the scope take precedence there.
	Description string
}

// scopeName matches the name of a scope. It is narrower than RFC 6749 section 3.3: a name stands in settings, queries
// and headers.
var scopeName = pattern.New(`^[A-Za-z][A-Za-z0-9_./-]*(:[A-Za-z0-9_./-]+)*$`)

const (
	maxScopeName        = 64
	maxScopeDescription = 200 // characters
)

// standardScopes are those of OpenID Connect that Stytch has itself.
var standardScopes = []string{"openid", "profile", "email", "phone", "offline_access"}

// IsScopeName reports whether a scope may have the name.
func IsScopeName(name string) bool { return len(name) <= maxScopeName && scopeName.MatchString(name) }

// IsStandardScope reports whether a scope is one of those that every project has.
func IsStandardScope(name string) bool { return slices.Contains(standardScopes, name) }

// CheckForm returns what is wrong with the scope by itself.
func (s Scope) CheckForm() error {
	switch {
	case !IsScopeName(s.Name):
		return fmt.Errorf("must have a name of letters, digits and _ . : / -, such as notes:read, of %d characters at "+
			"most", maxScopeName)
	case IsStandardScope(s.Name):
		return errors.New("has the name of a scope that is there anyway: leave it out")
	case strings.TrimSpace(s.Description) == "":
		return errors.New("does not say what it allows: people read that before they decide")
	case utf8.RuneCountInString(s.Description) > maxScopeDescription:
		return fmt.Errorf("must say what it allows in %d characters", maxScopeDescription)
	}
	return nil
}
