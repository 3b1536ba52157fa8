package credentials_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"strings"
	"testing"

	"guestpass/internal/credentials"
)

const uuid = "11111111-1111-4111-8111-111111111111"

func TestEachKindHasItsForm(t *testing.T) {
	for _, tt := range []struct {
		kind  credentials.Kind
		value string
		of    credentials.Environment
	}{
		{credentials.ProjectID, "project-live-" + uuid, credentials.Live},
		{credentials.ProjectID, "project-test-" + uuid, credentials.Test},
		{credentials.ProjectID, "project-test-", ""},
		{credentials.ProjectID, "project-test-1", ""},
		{credentials.ProjectID, "project-prod-" + uuid, ""},
		{credentials.ProjectID, "project-live-" + uuid + "x", ""},
		{credentials.ProjectID, "PROJECT-LIVE-" + uuid, ""},
		{credentials.PublicToken, "public-token-live-" + uuid, credentials.Live},
		{credentials.PublicToken, "public-token-test-x", credentials.Test},
		{credentials.PublicToken, "public-token-live-", ""},
		{credentials.PublicToken, "public-token-live-a=b", ""},
		{credentials.PublicToken, "project-live-" + uuid, ""},
		{credentials.PublicToken, "public-token-test-secret-test-abc", ""},
		{credentials.Secret, "secret-live-aB3_-xyz=", credentials.Live},
		{credentials.Secret, "secret-test-guestpass-dev", credentials.Test},
		{credentials.Secret, "secret-live-", ""},
		{credentials.Secret, "secret-live-abcdef,secret-live-ghijkl", ""},
		{credentials.Secret, "secret-live-abcdef|secret-live-ghijkl", ""},
		{credentials.Secret, "secret-live-abcdef,ghijkl", ""},
		{credentials.Secret, "secret-live-abcdef;ghijkl", ""},
		{credentials.Secret, "public-token-live-" + uuid, ""},
		{credentials.ConnectedApp, "connected-app-test-" + uuid, credentials.Test},
		{credentials.ConnectedApp, "connected-app-test-1=abc", ""},
		{credentials.ConnectedApp, "https://client.example.com/metadata.json", ""},
		{credentials.ConnectedApp, "", ""},
	} {
		if of, err := tt.kind.Check(tt.value); of != tt.of || (err == nil) != (tt.of != "") {
			t.Errorf("%s %q: %q, %v", tt.kind, tt.value, of, err)
		}
	}
}

func TestWhatComesAlongWithACopiedValueIsRefused(t *testing.T) {
	values := map[credentials.Kind]string{credentials.ProjectID: "project-live-" + uuid,
		credentials.Secret:      "secret-live-abcdefgh",
		credentials.PublicToken: "public-token-live-" + uuid, credentials.ConnectedApp: "connected-app-live-" + uuid}
	for kind, value := range values {
		half := len(value) / 2
		for _, pasted := range []string{`"` + value + `"`, "'" + value + "'", `"` + value, value + "'", "“" + value +
			"”", "`" + value + "`", " " + value, value + " ",
			value + "\n", value + "\r\n", "\t" + value, "\ufeff" + value, value + "\u00a0", value +
				"\u200b", value[:half] + "\u200b" + value[half:],
			value[:half] + " " + value[half:], value + "\x00", value + "\u202e", value + "\u00ad", value + "é", value +
				"\xff"} {
			if _, err := kind.Check(pasted); err == nil {
				t.Errorf("%s: %q passes", kind, pasted)
			} else if strings.Contains(err.Error(), value[len(value)-8:]) {
				t.Errorf("%s: the error repeats the value: %v", kind, err)
			}
		}
	}
}

func TestSecretsAreFoundWhereverTheyStand(t *testing.T) {
	const long = "secret-live-q1w2e3r4t5y6u7i8o9p0a1s2d3f4"
	for text, want := range map[string]bool{
		"secret-live-abc": true, "Our app (secret-test-abc)": true, "https://x.example/?key=secret-live-abc": true,
		"SECRET-LIVE-ABC":       true,
		"secret-\u200blive-abc": true, "sec\u00adret-live-abc": true, "workspace-key-prod-123": true,
		"workspace-secret-abc":         true,
		"q1w2e3r4t5y6u7i8o9p0a1s2d3f4": true, "x" + long + "x": true, "client-secret-of-an-app": true,
		"": false, "Guestpass": false, "Top secret live shows": false, "secret-live-": false, "q1w2e3r4": false,
		"project-live-" + uuid:      false,
		"public-token-live-" + uuid: false, "client-secret": false, "sqlite:guestpass.db": false,
		"the secret-test - a test of secrets": false,
	} {
		if got := credentials.HasSecret(text, long, "", "short", "client-secret-of-an-app"); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// One normal form for both sides: no spelling hides a secret.
func TestNoSpellingHidesASecret(t *testing.T) {
	const project, app = "secret-test-Zk3vQ9xT7m_W2pL5rN8-sB4dF6hJ1cYgEa=", "Wn7bR4kX9tM2vQ6pL3sD8fH5jC1yGzEu"
	const rest = "Zk3vQ9xT7m_W2pL5rN8-sB4dF6hJ1cYgEa="
	encoded, wide := "", ""
	for _, b := range []byte(rest) {
		encoded += fmt.Sprintf("%%%02x", b)
		wide += string(rune(b) - '!' + '\uff01')
	}
	for name, text := range map[string]string{
		"without beginning and padding": strings.TrimSuffix(rest,
			"="), "upper-cased": strings.ToUpper(rest), "lower-cased": strings.ToLower(rest),
		"percent-encoded": encoded, "percent-encoded twice": strings.ReplaceAll(encoded, "%",
			"%25"), "as entities": html.EscapeString("<" + rest + "&#61;"),
		"spaced": strings.Join(strings.Split(rest, ""), " "), "dotted": strings.Join(strings.Split(rest, ""),
			"."), "full width": wide,
		"underscores for dashes": strings.ReplaceAll(project, "-",
			"_"), "dashes for underscores": strings.ReplaceAll(project, "_", "-"),
		"in an id": "connected-app-test-" + strings.TrimSuffix(strings.ReplaceAll(rest, "_", "-"),
			"="), "in a URL": "https://x.example/" + encoded + "?a=b",
		"an app's": "Demo " + strings.ToUpper(app), "an app's, spaced": strings.Join(strings.Split(app, ""), "  "),
		"in base64": base64.StdEncoding.EncodeToString([]byte(project)), "as HTTP Basic": "x" +
			base64.RawURLEncoding.EncodeToString([]byte("project-test-1:"+project)),
		"in hex":               hex.EncodeToString([]byte(app)),
		"with accents between": strings.Join(strings.Split(app, ""), "\u0301"),
	} {
		if !credentials.HasSecret(text, project, app) {
			t.Errorf("%s: %q passes", name, text)
		}
		if got := credentials.Withhold("there is no "+text, project, app); credentials.Holds(got, project, app) {
			t.Errorf("%s: %q is not withheld", name, got)
		}
	}
	for _, title := range []string{"Guestpass Dev", "GPT secret dev", "Guestpass Test", "Top secret live shows",
		"The secret test of guestpass", "Our passwords", ""} {
		if credentials.HasSecret(title, "secret-test-guestpass-dev", "gpt-secret-dev", "passwords", "") {
			t.Errorf("%q is refused", title)
		}
	}
}

// BenchmarkHolds is what the last guard costs a page.
func BenchmarkHolds(b *testing.B) {
	page := strings.Repeat(`<p class="note">Ordinary text &amp; some <a href="/x?a=%20b">links</a></p>`+"\n", 300)
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		credentials.Holds(page, "secret-test-Zk3vQ9xT7mW2pL5rN8sB4dF6hJ1cYgEa=")
	}
}

func TestSecretsAreWithheld(t *testing.T) {
	for text, want := range map[string]string{
		`there is no command "secret-live-abc"`:         `there is no command "[secret]"`,
		"listen tcp: address secret-test-a/b=: x":       "listen tcp: address [secret] x",
		"workspace-key-prod-1 and an-apps-own-secret":   "[secret] and [secret]",
		"nothing of the kind":                           "nothing of the kind",
		"must begin with secret-live- or secret-test-":  "must begin with secret-live- or secret-test-",
		"it must be secret-live-…, a whole one":         "it must be secret-live-…, a whole one",
		"open secret%2Dlive%2Dabcdefghijklmnop":         "open [secret]",
		"open /srv/secret\u2010live\u2010abcdefghijklm": "open [secret]",
		// too short to be told from words
		"AN-APPS-OWN-SECRET is no command":                      "AN-APPS-OWN-SECRET is no command",
		"STYTCH_WORKSPACE_KEY_ID is not set":                    "STYTCH_WORKSPACE_KEY_ID is not set",
		"STYTCH_WORKSPACE_KEY_ID=workspace-key-prod-1 is known": "STYTCH_WORKSPACE_KEY_ID=[secret] is known",
	} {
		if got := credentials.Withhold(text, "an-apps-own-secret", "secret-test-", ""); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What everybody is to see must not have the form of anybody's secret, and may be anything else.
func TestWhatLooksLikeASecret(t *testing.T) {
	for _, text := range []string{"connected-app-live-1=x", "connected-app-test-1 = x", "connected-app-live-1: x",
		"https://u:p@example.com/", "see postgres://u:p@db/x", "eyJhbGciOiJSUzI1NiJ9", "-----BEGIN PRIVATE KEY-----",
		"-----BEGIN RSA PRIVATE KEY-----", "key AKIAABCDEFGHIJKLMNOP", "ghp_abcdefghijklmnopqrstuvwxyz0123",
		"sk-abcdefghijklmnopqrstuvwxyz", "xoxb-1234567890-abc", "Zk3vQ9xT7mW2pL5rN8sB4dF6hJ1cYgEaZk3vQ9xT7mW2",
		"connected-app-live-1%3Dx", "connected-app-live-\u200b1=x"} {
		if !credentials.LooksSecret(text) {
			t.Errorf("%q passes", text)
		}
	}
	for _, text := range []string{"", "Acme Tasks", "connected-app-live-1", "https://example.com/privacy?id=3#top",
		"https://docs.google.com/document/d/1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEf/edit", "help@example.com",
		"public-token-live-11111111-1111-4111-8111-111111111111", "Ask us: https://example.com, or help@example.com",
		"connected-app-test-dddddddd-0000-4000-8000-000000000001," +
			"connected-app-test-dddddddd-0000-4000-8000-000000000002"} {
		if credentials.LooksSecret(text) {
			t.Errorf("%q is taken for a secret", text)
		}
	}
}
