//go:build !production

package cli

import (
	"strings"
	"testing"
)

// Whoever sets both expects one of them, and which is not to be guessed.
func TestRolesCannotDecideAndNotBeLookedUp(t *testing.T) {
	t.Chdir(t.TempDir())
	code, _, stderr := execute(t, environ("GUESTPASS_ACCESS=roles", "GUESTPASS_LIVE_ROLES=off"), "serve")
	if code != 2 || !strings.Contains(stderr, "GUESTPASS_LIVE_ROLES is off and GUESTPASS_ACCESS is roles") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
