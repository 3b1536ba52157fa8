package cli

import (
	"errors"
	"fmt"
	"strings"

	"guestpass/internal/credentials"
)

// introspectWrites is the value of GUESTPASS_INTROSPECT besides off.
const introspectWrites = "writes"

// checkAppSecret checks that an entry is CLIENT_ID=SECRET.
func checkAppSecret(entry string) error {
	id, secret, _ := strings.Cut(entry, "=")
	if _, err := credentials.ConnectedApp.Check(id); err != nil || secret == "" {
		return errors.New("must be CLIENT_ID=SECRET, with the id and the secret of a connected app")
	}
	if err := credentials.CheckText(secret); err != nil {
		return fmt.Errorf("has a secret that %w", err)
	}
	return nil
}

// checkIntrospection returns faults that never repeat a secret.
func (c config) checkIntrospection() (faults []error) {
	const name = "GUESTPASS_INTROSPECT_SECRETS"
	if got, entries := len(c.clientSecrets()), len(c.IntrospectSecrets); got < entries {
		faults = append(faults, c.fault(name, "has two secrets of one connected app: leave the older one out"))
	}
	if c.Introspect == introspectWrites && len(c.IntrospectSecrets) == 0 && !c.wrong[name] {
		faults = append(faults, c.fault("GUESTPASS_INTROSPECT",
			"is %s and %s is not set: Stytch tells of a token to the "+
				"connected app that has it only, as CLIENT_ID=SECRET", introspectWrites, name))
	}
	return faults
}

// clientSecrets returns the secrets of the connected apps whose tokens are introspected.
func (c config) clientSecrets() map[string]string {
	secrets := map[string]string{}
	for _, entry := range c.IntrospectSecrets {
		id, secret, _ := strings.Cut(entry, "=")
		secrets[id] = secret
	}
	return secrets
}
