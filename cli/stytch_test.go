//go:build !production

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"guestpass/stytchtest"
)

// emulatorAlone runs `guestpass stytch` beside the test on a port that the system
// chooses, and stops it at the end. It returns the settings that were printed.
func emulatorAlone(t *testing.T, args ...string) (settings map[string]string) {
	t.Helper()
	out := newFollower()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"stytch", "--addr", "localhost:0"}, args...), nil, out, io.Discard)
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("guestpass stytch ended with exit code %d", code)
		}
	})
	out.wait(t, `export STYTCH_BASE_URL=\S+\n`)
	settings = map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)^export (\w+)=(\S+)$`).FindAllStringSubmatch(out.String(), -1) {
		settings[match[1]] = match[2]
	}
	return settings
}

func TestStytchEmulatesTheProjectThatItPrints(t *testing.T) {
	settings := emulatorAlone(t, "--authorization-url", "http://localhost:3000/consent",
		"--redirect-url", "http://localhost:3000/signed-in", "--redirect-url", "myapp://signed-in")
	var discovery struct {
		AuthorizationEndpoint string `json:"authorization_endpoint"`
	}
	body := get(t, settings["STYTCH_DOMAIN"]+"/.well-known/openid-configuration")
	if err := json.Unmarshal([]byte(body), &discovery); err != nil ||
		discovery.AuthorizationEndpoint != "http://localhost:3000/consent" {
		t.Errorf("discovery: %v %s", err, body)
	}
	for _, tt := range []struct {
		redirect, secret string
		want             int
	}{
		{"http://localhost:3000/signed-in", settings["STYTCH_SECRET"], http.StatusOK},
		{"myapp://signed-in", settings["STYTCH_SECRET"], http.StatusOK},
		{"http://localhost:8080/idp", settings["STYTCH_SECRET"], http.StatusBadRequest},
		{"http://localhost:3000/signed-in", "another", http.StatusUnauthorized},
	} {
		mail := `{"email_address":"ada@acme.example","discovery_redirect_url":"` + tt.redirect + `"}`
		request, err := http.NewRequest(http.MethodPost, settings["STYTCH_BASE_URL"]+
			"/v1/b2b/magic_links/email/discovery/send", strings.NewReader(mail))
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(settings["STYTCH_PROJECT_ID"], tt.secret)
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != tt.want {
			t.Errorf("link to %s with the secret %s: status %d, want %d", tt.redirect, tt.secret, response.StatusCode,
				tt.want)
		}
	}
}

func TestStytchPrintsAllThatServeNeeds(t *testing.T) {
	environ := []string{"GUESTPASS_PUBLIC_URL=http://localhost:8080"}
	for name, value := range emulatorAlone(t) {
		environ = append(environ, name+"="+value)
	}
	c, err := readConfig(environ, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.check(); err != nil || c.Vertical != "b2b" {
		t.Errorf("%v, vertical %q", err, c.Vertical)
	}
	address := c.BaseURL + "/.well-known/openid-configuration"
	if body := get(t, address); !strings.Contains(body, `"http://localhost:8080/idp"`) {
		t.Errorf("the authorization URL is not the default: %s", body)
	}
}

func TestStytchAnnouncesWhateverTheSeedHas(t *testing.T) {
	seed := stytchtest.Development()
	seed.Project.Secret = "it's `not` \"$HOME\""
	seed.Members[0].Status, seed.Members[2].Email = "deleted", seed.Members[1].Email
	seed.ConnectedApps[0].ClientSecret = ""
	var out bytes.Buffer
	announceStytch(&out, seed, "http://localhost:8081")
	for _, want := range []string{"a b2b project", "page               http://localhost:8081 ",
		seed.ConnectedApps[0].ClientID + "   secret none",
		"People who can sign in: grace@acme.example.\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, &out)
		}
	}
	_, lines, _ := strings.Cut(out.String(), "tests:\n")
	seen, err := exec.Command("sh", "-c", lines+`printf %s "$STYTCH_SECRET"`).Output()
	if err != nil || string(seen) != seed.Project.Secret {
		t.Errorf("a shell reads the secret as %q, %v", seen, err)
	}
}

func TestStytchEmulatesTheSeedOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seed.yaml")
	seed := `
project: {project_id: project-test-ours, name: Ours, vertical: consumer}
users:
  - user_id: user-test-ours
    status: active
    emails: [{email_id: email-test-ours, email: mary@ours.example}]
    name: {first_name: Mary}
connected_apps: []
policy: {}
`
	if err := os.WriteFile(file, []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := emulatorAlone(t, "--seed", file)
	if settings["STYTCH_PROJECT_ID"] != "project-test-ours" || settings["STYTCH_VERTICAL"] != "consumer" ||
		// made up
		len(settings["STYTCH_SECRET"]) < 40 || !strings.HasPrefix(settings["STYTCH_PUBLIC_TOKEN"],
		"public-token-test-") {
		t.Errorf("%v", settings)
	}
	state := get(t, settings["STYTCH_BASE_URL"]+"/_emulator/state")
	if !strings.Contains(state, `"user_id":"user-test-ours"`) {
		t.Errorf("%s", state)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(seed, "mary@", "mary at ", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--seed", file}, {"--seed", filepath.Join(t.TempDir(), "missing.yaml")},
		{"--chaos", "101"}, {"--vertical", "b2c"}} {
		code, _, stderr := execute(t, nil, append([]string{"stytch", "--addr", "localhost:0"}, args...)...)
		if code != 2 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, %s", args, code, stderr)
		}
	}
}
