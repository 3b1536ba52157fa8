package cli

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"guestpass/internal/credentials"
	"guestpass/internal/pattern"
)

// checkSecrets refuses a secret in any other setting than its own: public pages show many settings, and errors and the
// log repeat them. A value that is shown must not even look like a secret.
func (c config) checkSecrets(values map[string]string) error {
	var faults []error
	for _, s := range c.settings() {
		value, found := values[s.name]
		if !found || ownForm[s.name] {
			continue
		}
		foreign := secretsOf(values, s.name)
		own := s.name == "GUESTPASS_INTROSPECT_SECRETS" &&
			credentials.Holds(strings.Join(appIDs(value), " "), appSecrets(value)...)
		has := credentials.HasSecret
		if s.name == "STYTCH_WORKSPACE_SECRET" { // which may have the form of one
			has = credentials.Holds
		}
		if own || has(value, foreign...) ||
			s.shown && (slices.Contains(foreign, value) || credentials.LooksSecret(value)) ||
			s.secrets == nil && credentials.HasPair(value) {
			faults = append(faults, c.fault(s.name, "holds a secret (it is not repeated here): the project's belongs "+
				"in STYTCH_SECRET, a connected app's in GUESTPASS_INTROSPECT_SECRETS, a password in the URL "+
				"that it is for; if another person may have seen it, replace it where it comes from"))
		}
	}
	return errors.Join(faults...)
}

// ownForm are the settings whose own form tells a foreign secret.
var ownForm = map[string]bool{"STYTCH_SECRET": true, "STYTCH_WORKSPACE_KEY_ID": true}

// workspaceKey is how the id of a workspace's key begins.
const workspaceKey = "workspace-key-"

func checkWorkspaceKey(value string) error {
	if !strings.HasPrefix(value, workspaceKey) || len(value) == len(workspaceKey) || strings.ContainsAny(value, ",=") {
		return errors.New("must begin with " + workspaceKey + ": it is the id of the key")
	}
	return noLongerThan(longestSecret)(value)
}

// workspaceKeys returns the id of a key as something that nothing may show.
func workspaceKeys(value string) []string {
	if strings.HasPrefix(value, workspaceKey) {
		return []string{value}
	}
	return nil
}

// checkWorkspaceSecret refuses the values that stand beside the secret in the dashboard. Stytch promises no form for
// it.
func checkWorkspaceSecret(value string) error {
	_, err := credentials.Secret.Check(value)
	foreign := projectSecret(value) == nil || credentials.HasPair(value) || strings.ContainsAny(value, ",.")
	if foreign || err == nil || strings.HasPrefix(value, workspaceKey) {
		return errors.New("must be the secret of the workspace's key, neither its id nor of a project")
	}
	return noLongerThan(longestSecret)(value)
}

// secretsOf returns the secrets in all settings but one.
func secretsOf(values map[string]string, but string) (secrets []string) {
	for _, s := range new(config).settings() {
		if s.secrets != nil && s.name != but && values[s.name] != "" {
			secrets = append(secrets, s.secrets(values[s.name])...)
		}
	}
	return slices.DeleteFunc(secrets, func(secret string) bool { return secret == "" })
}

// checkClientSecret refuses the values that stand beside the secret in the dashboard.
func checkClientSecret(value string) error {
	if projectSecret(value) == nil {
		return errors.New("must be the secret of a connected app, not an id or a public token")
	}
	return noLongerThan(longestSecret)(value)
}

// longestSecret bounds what is read of a file, or taken for a secret, that is something else.
const longestSecret = 4 << 10

// projectSecret returns the secret itself. It returns none if the form shows that something else stands in its place.
func projectSecret(secret string) []string {
	for _, public := range []credentials.Kind{credentials.ProjectID, credentials.PublicToken,
		credentials.ConnectedApp} {
		if _, err := public.Check(secret); err == nil {
			return nil
		}
	}
	return []string{secret}
}

// appSecrets returns the secrets of connected apps; appIDs returns what stands before them.
func appSecrets(value string) (secrets []string) {
	for entry := range strings.SplitSeq(value, ",") {
		_, secret, _ := strings.Cut(entry, "=")
		secrets = append(secrets, strings.TrimSpace(secret))
	}
	return secrets
}

func appIDs(value string) (ids []string) {
	for entry := range strings.SplitSeq(value, ",") {
		id, _, _ := strings.Cut(entry, "=")
		ids = append(ids, id)
	}
	return ids
}

// userinfo matches what stands before the host of a URL, even of one that cannot be parsed; a password may hold any
// character.
var userinfo = pattern.New(`^[^/]*://[^:/?#]*:(.*)@`)

// inQuery matches passwords in the query, which Postgres accepts beside those before the host.
var inQuery = pattern.New(`[?&](?:ssl)?password=([^&#]*)`)

// urlSecrets returns the passwords in a URL, as they are written and as they are meant.
func urlSecrets(value string) (passwords []string) {
	for _, form := range []*pattern.Pattern{userinfo, inQuery} {
		for _, found := range form.Regexp().FindAllStringSubmatch(value, -1) {
			passwords = append(passwords, found[1])
			if clear, err := url.PathUnescape(found[1]); err == nil && clear != found[1] {
				passwords = append(passwords, clear)
			}
		}
	}
	return passwords
}

// withheld stands in place of a secret.
const withheld = "[secret]"

// maskAll returns no more of a secret than the environment that it belongs to.
func maskAll(value string) string {
	if environment, err := credentials.Secret.Check(value); err == nil {
		return fmt.Sprintf("%s-%s-%s", credentials.Secret, environment, withheld)
	}
	return withheld
}

func maskApps(value string) string {
	ids := appIDs(value)
	for i, id := range ids {
		ids[i] = strings.TrimSpace(id) + "=" + withheld
	}
	return strings.Join(ids, ",")
}

// maskURL takes the passwords out of a URL, see urlSecrets.
func maskURL(value string) string {
	for _, form := range []*pattern.Pattern{userinfo, inQuery} {
		var masked strings.Builder
		copied := 0
		for _, at := range form.Regexp().FindAllStringSubmatchIndex(value, -1) {
			masked.WriteString(value[copied:at[2]] + withheld)
			copied = at[3]
		}
		value = masked.String() + value[copied:]
	}
	return value
}

// withoutSecrets returns a text without its secrets, so that it may be printed: arguments may hold secrets as well.
func withoutSecrets(text string, environ []string, flags *pflag.FlagSet) string {
	values, _, _ := said(environ, flags)
	return credentials.Withhold(text, secretsOf(values, "")...)
}
