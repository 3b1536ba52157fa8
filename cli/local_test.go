//go:build !production

package cli

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"guestpass/stytchtest"
)

// What everybody may know of a developer's project is of no use to a website, over the wire.
func TestDevelopmentIsForThisMachine(t *testing.T) {
	app, emulator := development(t)
	seed := stytchtest.Development()
	ask := func(method, address, host, origin, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Basic "+
			base64.StdEncoding.EncodeToString([]byte(seed.Project.PublicToken+":"+seed.Project.PublicToken)))
		r.Header.Set("Content-Type", "application/json")
		if host != "" {
			r.Host = host
		}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		reply, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer reply.Body.Close()
		return reply.StatusCode, reply.Header.Get("Access-Control-Allow-Origin")
	}
	password := `{"organization_id":"` + seed.Organizations[0].ID + `","email_address":"ada@acme.example",` +
		`"password":"` + stytchtest.DevelopmentPassword + `","session_duration_minutes":60}`
	const signIn = "/sdk/v1/b2b/passwords/authenticate"
	for name, tt := range map[string]struct {
		method, address, host, origin, body string
		status                              int
		readable                            string // by pages of that origin
	}{
		"the page signs in":           {"POST", emulator + signIn, "", app, password, 200, app},
		"a website signs in":          {"POST", emulator + signIn, "", "http://evil.test", password, 403, ""},
		"a website asks whether":      {"OPTIONS", emulator + signIn, "", "http://evil.test", "", 403, ""},
		"a rebound website signs in":  {"POST", emulator + signIn, "rebind.test", "", password, 403, ""},
		"a rebound website mints":     {"POST", emulator + "/_emulator/tokens", "rebind.test", "", "{}", 403, ""},
		"the app":                     {"GET", app + "/healthz", "", "", "", 200, ""},
		"a balancer asks":             {"GET", app + "/healthz", "10.0.0.7", "", "", 200, ""},
		"a rebound website asks":      {"GET", app + "/readyz?verbose", "rebind.test", "", "", 403, ""},
		"a rebound website reads":     {"GET", app + "/api/v1/tasks", "rebind.test:80", "", "", 403, ""},
		"a website reads":             {"GET", app + "/api/v1/tasks", "", "null", "", 403, ""},
		"a website gets the document": {"GET", app + "/openapi.json", "", "http://evil.test", "", 403, ""},
	} {
		if status, readable := ask(tt.method, tt.address, tt.host, tt.origin, tt.body); status != tt.status ||
			readable != tt.readable {
			t.Errorf("%s: %d, readable from %q", name, status, readable)
		}
	}
}

func TestTheEmulatorsFurtherNamesAreChecked(t *testing.T) {
	for _, origin := range []string{"localhost:3000", "http://localhost:3000/", "http://localhost:3000/page", "*",
		"null", ""} {
		code, _, stderr := execute(t, nil, "stytch", "--addr", "localhost:0", "--origin", origin)
		if code != 2 || !strings.Contains(stderr, "is no origin, such as http://localhost:3000") {
			t.Errorf("%q: exit code %d, %s", origin, code, stderr)
		}
	}
}
