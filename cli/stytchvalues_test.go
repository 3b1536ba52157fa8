//go:build !production

package cli

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"guestpass/stytchtest"
)

const (
	liveID     = "22222222-2222-4222-8222-222222222222"
	realSecret = "secret-live-Zk3vQ9xT7mW2pL5rN8sB4dF6hJ1cYgEa"
	appSecret  = "Wn7bR4kX9tM2vQ6pL3sD8fH5jC1yGzEu"
)

// realistic are settings that start, each of a form of its own.
func realistic() map[string]string {
	return map[string]string{
		"GUESTPASS_PUBLIC_URL": "https://gpt.example.com", "GUESTPASS_TRUSTED_PROXIES": "127.0.0.1/32",
		"STYTCH_PROJECT_ID": "project-live-" +
			liveID, "STYTCH_SECRET": realSecret, "STYTCH_PUBLIC_TOKEN": "public-token-live-" + liveID,
		"STYTCH_DOMAIN": "words-1234.customers.stytch.com", "GUESTPASS_CLIENT_IDS": "connected-app-live-" + liveID,
		"GUESTPASS_DOCS_CLIENT_ID":     "connected-app-live-33333333-3333-4333-8333-333333333333",
		"GUESTPASS_INTROSPECT_SECRETS": "connected-app-live-" + liveID + "=" + appSecret,
	}
}

// starting is what is wrong with the settings, as serve tells it.
func starting(variables map[string]string) error {
	var list []string
	for name, value := range variables {
		list = append(list, name+"="+value)
	}
	c, err := readConfig(list, nil)
	if err == nil {
		err = c.check()
	}
	return err
}

// pieces are what must not be repeated of a secret: no eight characters in a row.
func pieces(secret string) (list []string) {
	body := secret[strings.LastIndex(secret, "-")+1:]
	for i := 0; i+8 <= len(body); i++ {
		list = append(list, body[i:i+8])
	}
	return list
}

func refusesWithoutRepeating(t *testing.T, name, what string, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("%s with %s: %v", name, what, err)
		return
	}
	for _, part := range append(pieces(realSecret), pieces(appSecret)...) {
		if strings.Contains(err.Error(), part) {
			t.Errorf("%s with %s: a part of the secret is repeated: %v", name, what, err)
			return
		}
	}
}

// Every value of Stytch, in place of every other and as it comes when it is badly copied.
func TestEveryValueOfStytchHasItsForm(t *testing.T) {
	if err := starting(realistic()); err != nil {
		t.Fatal(err)
	}
	stytch := []string{"STYTCH_PROJECT_ID", "STYTCH_SECRET", "STYTCH_PUBLIC_TOKEN", "STYTCH_DOMAIN",
		"GUESTPASS_CLIENT_IDS", "GUESTPASS_DOCS_CLIENT_ID", "GUESTPASS_INTROSPECT_SECRETS"}
	for _, name := range stytch {
		own := realistic()[name]
		tried := map[string]string{
			"double quotes": `"` + own + `"`, "single quotes": "'" + own + "'", "typographic quotes": "“" + own +
				"”", "a quote at its end": own + `"`,
			"a BOM": "\ufeff" + own, "a zero-width space": own + "\u200b", "a NUL": own +
				"\x00", "a soft hyphen within": own[:14] + "\u00ad" + own[14:],
			"a blank within": own[:14] + " " + own[14:], "a line end within": own[:14] + "\n" + own[14:],
			"the other environment": strings.NewReplacer("-live-", "-test-", ".stytch.com", ".stytch.dev").Replace(own),
			"a word":                "x y",
		}
		// lists, around whose entries blanks are usual
		if !slices.Contains([]string{"STYTCH_DOMAIN", "GUESTPASS_CLIENT_IDS", "GUESTPASS_INTROSPECT_SECRETS"}, name) {
			for what, blank := range map[string]string{"a blank": " ", "a tab": "\t", "a line end": "\n",
				"a Windows line end": "\r\n", "a no-break space": "\u00a0"} {
				tried[what+" after it"], tried[what+" before it"] = own+blank, blank+own
			}
		}
		for other, value := range realistic() {
			interchangeable := strings.HasSuffix(name, "CLIENT_IDS") && strings.HasSuffix(other, "CLIENT_ID") ||
				strings.HasSuffix(name, "CLIENT_ID") && strings.HasSuffix(other, "CLIENT_IDS")
			custom := name == "STYTCH_DOMAIN" && other == "GUESTPASS_PUBLIC_URL" // could be a custom domain
			if other != name && !interchangeable && !custom {
				tried["the value of "+other] = value
			}
		}
		for what, value := range tried {
			variables := realistic()
			variables[name] = value
			refusesWithoutRepeating(t, blamed(name, what), what, starting(variables))
		}
	}
	for _, required := range stytch[:4] {
		variables := realistic()
		variables[required] = ""
		refusesWithoutRepeating(t, required, "nothing", starting(variables))
	}
}

// blamed is the variable that the refusal names: a project of the other environment makes
// the others wrong.
func blamed(name, what string) string {
	if name == "STYTCH_PROJECT_ID" && what == "the other environment" {
		return "STYTCH_SECRET"
	}
	return name
}

func TestExchangedSecretAndPublicTokenDoNotStart(t *testing.T) {
	variables := realistic()
	variables["STYTCH_SECRET"], variables["STYTCH_PUBLIC_TOKEN"] = variables["STYTCH_PUBLIC_TOKEN"],
		variables["STYTCH_SECRET"]
	refusesWithoutRepeating(t, "STYTCH_PUBLIC_TOKEN", "the secret", starting(variables))
}

// Whatever variable there is, now or later: a secret in it is refused, and told nowhere.
func TestASecretInAnyOtherVariableIsRefused(t *testing.T) {
	tried := 0
	defer func() { t.Logf("%d secrets in the wrong variable", tried) }()
	for _, name := range variableNames(t) {
		secrets := map[string]string{"the secret": realSecret, "the secret in a sentence": "Our app, " + realSecret +
			"!", "the secret without its beginning": realSecret[len("secret-live-"):],
			"the secret in a URL": "https://gpt.example.com/?key=" +
				realSecret, "another project's secret": "secret-test-" + realSecret[len("secret-live-"):],
			"a workspace key": "workspace-key-prod-" +
				realSecret[len("secret-live-"):], "an app's secret": appSecret,
			"id and secret of an app": "connected-app-live-" + liveID + "=" + appSecret}
		for what, value := range secrets {
			switch {
			case name == "STYTCH_SECRET" && (what == "the secret" || what == "an app's secret"),
				name == "STYTCH_WORKSPACE_KEY_ID" && what == "a workspace key",
				strings.HasPrefix(what, "id and secret") && name == "GUESTPASS_INTROSPECT_SECRETS":
				continue
			}
			tried++
			variables := realistic()
			variables[name] = value
			refusesWithoutRepeating(t, name, what, starting(variables))
		}
	}
}

// However a secret is written, and whichever of them it is: it does not get into a page.
func TestNoSpellingOfASecretGetsIntoASetting(t *testing.T) {
	const password = "Kp8#vR2!mX5@qT9wL4"
	body := realSecret[len("secret-live-"):]
	encoded, wide := "", ""
	for _, b := range []byte(body) {
		encoded += fmt.Sprintf("%%%02X", b)
		wide += string(rune(b) - '!' + '\uff01')
	}
	for _, name := range []string{"GUESTPASS_TITLE", "GUESTPASS_DESCRIPTION", "GUESTPASS_PRIVACY_URL",
		"GUESTPASS_CONTACT_EMAIL", "GUESTPASS_CLIENT_IDS", "GUESTPASS_DOCS_CLIENT_ID",
		"GUESTPASS_AUDIENCE", "STYTCH_PUBLIC_TOKEN", "STYTCH_DOMAIN", "GUESTPASS_OPERATIONS", "GUESTPASS_ADDR"} {
		for what, value := range map[string]string{
			"an app's secret in upper case": strings.ToUpper(appSecret),
			"the secret in upper case":      strings.ToUpper(body), "the secret encoded": encoded,
			"the secret spaced": strings.Join(strings.Split(body, ""),
				" "), "the secret in full width": wide, "the secret with underscores": strings.ReplaceAll(realSecret,
				"-", "_"),
			"the secret in an id": "connected-app-live-" +
				body, "the secret in an id, in lower case": "connected-app-live-" + strings.ToLower(body),
			"the password of the database": password, "that of Redis": "redis" +
				url.QueryEscape("Rd-"+password), "the password in upper case": "x " + strings.ToUpper(password),
		} {
			variables := realistic()
			variables["GUESTPASS_DATABASE_URL"] = "postgres://guestpass:" + url.QueryEscape(password) +
				"@db.example.com/guestpass"
			variables["GUESTPASS_REDIS_URL"] = "rediss://:Rd-" + url.QueryEscape(password) + "@redis.example.com"
			variables[name] = value
			refusesWithoutRepeating(t, name+" holds a secret", what, starting(variables))
		}
	}
	for url, want := range map[string]string{"postgres://u:Kp8#vR2!mX5@qT9wL4@db.example.com/g": password,
		"postgres://db.example.com/g?user=u&password=Kp8xvR2xmX5xqT9w": "Kp8xvR2xmX5xqT9w"} {
		variables := realistic()
		variables["GUESTPASS_DATABASE_URL"], variables["GUESTPASS_TITLE"] = url, want
		if err := starting(variables); err == nil || !strings.Contains(err.Error(), "GUESTPASS_TITLE holds a secret") {
			t.Errorf("the password of %s: %v", url, err)
		}
	}
	variables := realistic()
	variables["GUESTPASS_INTROSPECT_SECRETS"] = "connected-app-live-" + appSecret + "=" + appSecret
	refusesWithoutRepeating(t, "GUESTPASS_INTROSPECT_SECRETS holds a secret", "its own secret in the id",
		starting(variables))
}

// The secrets of development are words, and words are wanted in a title.
func TestShortSecretsDoNotRefuseOrdinarySettings(t *testing.T) {
	for _, title := range []string{"Guestpass Dev", "Our GPT secret dev team", "Guestpass", "Postgres tasks"} {
		variables := realistic()
		variables["GUESTPASS_TITLE"], variables["GUESTPASS_DATABASE_URL"] = title,
			"postgres://guestpass:postgres@db.example.com/guestpass?sslmode=verify-full"
		variables["STYTCH_SECRET"], variables["GUESTPASS_INTROSPECT_SECRETS"] = "secret-live-guestpass-dev",
			"connected-app-live-"+liveID+"=gpt-secret-dev"
		if err := starting(variables); err != nil {
			t.Errorf("%q: %v", title, err)
		}
	}
}

// What is withheld is a value; the forms that our own messages name stay readable.
func TestMessagesNameTheFormsOfSecrets(t *testing.T) {
	for _, value := range []string{"public-token-live-" + liveID, "secret-live-", "something-of-another-kind"} {
		variables := realistic()
		variables["STYTCH_SECRET"] = value
		var environ []string
		for name, value := range variables {
			environ = append(environ, name+"="+value)
		}
		_, _, stderr := execute(t, environ, "serve")
		if !strings.Contains(stderr, "STYTCH_SECRET must begin with secret-live- or secret-test-") &&
			!strings.Contains(stderr, "it must be secret-live-…") || strings.Contains(stderr, "[secret]") {
			t.Errorf("%s: %s", value, stderr)
		}
	}
}

// A refusal names the variable, and repeats nothing that is as long as a secret.
func TestRefusalsNameTheVariableAndNotTheValue(t *testing.T) {
	const canary = "aLongValueThatCouldBeAnything"
	t.Chdir(t.TempDir())
	for _, tt := range []struct{ name, value, want string }{
		{"GUESTPASS_ADDR", "localhost:" + canary, "GUESTPASS_ADDR must be"},
		{"GUESTPASS_ADDR", "localhost:99999", "GUESTPASS_ADDR must be"},
		{"GUESTPASS_ADDR", canary, "GUESTPASS_ADDR must be"},
		{"GUESTPASS_ADDR", "user:" + canary + "@host:80", "GUESTPASS_ADDR must be"},
		{"GUESTPASS_ADDR", "a/" + canary + ":80", "GUESTPASS_ADDR must be"},
		{"GUESTPASS_OPERATIONS", canary,
			"GUESTPASS_OPERATIONS is no operation of this server"},
		{"GUESTPASS_OPERATIONS", "listTasks,listTask",
			"GUESTPASS_OPERATIONS (entry 2 of 2) is no operation of this server: did you mean listTasks?"},
		{"GUESTPASS_OPERATIONS", "listTasks,listTasks", "GUESTPASS_OPERATIONS (entry 2 of 2) is there twice"},
		{"GUESTPASS_LOGIN_METHODS", canary,
			"GUESTPASS_LOGIN_METHODS must be a way to sign in"},
		{"GUESTPASS_LOGIN_METHODS", "email", "GUESTPASS_LOGIN_METHODS cannot be used: entry 1 is no way to sign in"},
		{"GUESTPASS_PRIVACY_URL", "http://example.com/" + canary,
			"GUESTPASS_PRIVACY_URL is no https URL of a public host"},
		{"GUESTPASS_PRIVACY_URL", "https://user:" + canary + "@example.com/",
			"GUESTPASS_PRIVACY_URL holds a secret"},
		{"GUESTPASS_PRIVACY_URL", "https://" + canary + "@example.com/",
			"GUESTPASS_PRIVACY_URL is no https URL of a public host"},
		{"GUESTPASS_PRIVACY_URL", "https://" + canary + "/", "GUESTPASS_PRIVACY_URL is no https URL of a public host"},
		{"GUESTPASS_PRIVACY_URL", "/" + canary, "GUESTPASS_PRIVACY_URL is no https URL of a public host"},
		{"GUESTPASS_PUBLIC_URL", "https://gpt.example.com:443", "GUESTPASS_PUBLIC_URL must have no port"},
		{"GUESTPASS_CONTACT_EMAIL", canary, "GUESTPASS_CONTACT_EMAIL is no e-mail address"},
		{"GUESTPASS_INTROSPECT_SECRETS", "connected-app-live-1=" + canary + ",connected-app-live-1=other",
			"GUESTPASS_INTROSPECT_SECRETS has two secrets of one connected app"},
		{"STYTCH_SECRET", realSecret + "," + realSecret + "x", "STYTCH_SECRET holds more than one secret"},
		{"STYTCH_SECRET", realSecret + ",", "STYTCH_SECRET is not whole, or something was added"},
	} {
		variables := realistic()
		variables[tt.name] = tt.value
		var environ []string
		for name, value := range variables {
			environ = append(environ, name+"="+value)
		}
		code, stdout, stderr := execute(t, environ, "serve")
		if code != 2 || !strings.Contains(stderr, tt.want) || strings.Contains(stdout+stderr, canary) ||
			strings.Contains(stderr, realSecret[12:]) {
			t.Errorf("%s=%s: exit code %d, %s", tt.name, tt.value, code, stderr)
		}
	}
	for _, args := range [][]string{{"serve", "--addr", "localhost:" + canary},
		{"dev", "--addr", "localhost:" + canary}} {
		var environ []string
		for name, value := range realistic() {
			if args[0] == "serve" {
				environ = append(environ, name+"="+value)
			}
		}
		if code, stdout, stderr := execute(t, environ, args...); code != 2 ||
			!strings.Contains(stderr, "--addr must be") || strings.Contains(stdout+stderr, canary) {
			t.Errorf("%q: exit code %d, %s", args, code, stderr)
		}
	}
	if files, _ := filepath.Glob("*"); len(files) > 0 {
		t.Error("it has made", files)
	}
}

// An address is in the document as mail programs take it.
func TestTheContactsAddress(t *testing.T) {
	for address, want := range map[string]string{
		"mary@example.com": "mary@example.com", "mary@b\u00fccher.example": "mary@xn--bcher-kva.example",
		"Mary@EXAMPLE.com": "Mary@example.com",
		"mary@localhost":   "", "m@1.2.3.4": "", "m@[1.2.3.4]": "", "m@example.1": "", "m@example.com.": "",
		"m@.com":          "",
		"m@a@example.com": "", "Mary <m@example.com>": "",
		"m@exa mple.com": "", "@example.com": "", "m@-.example": "",
	} {
		variables := realistic()
		variables["GUESTPASS_CONTACT_EMAIL"] = address
		err := starting(variables)
		if got := mailbox(address); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v, want %q", address, got, err, want)
		}
	}
}

func variableNames(t *testing.T) (names []string) {
	t.Helper()
	for _, s := range new(config).settings() {
		names = append(names, s.name)
	}
	if len(names) < 30 {
		t.Fatal(len(names))
	}
	return names
}

// Arguments are repeated in errors, but not what is secret of them.
func TestArgumentsWithASecretAreNotRepeated(t *testing.T) {
	environ := []string{"STYTCH_SECRET=" + realSecret}
	for _, args := range [][]string{{realSecret}, {"serve", realSecret}, {"serve", "--public-url", realSecret},
		{"serve", "--" + realSecret}, {"openapi", "--check", realSecret},
		{realSecret[len("secret-live-"):]}, {"serve", strings.ToUpper(realSecret)}, {"dev", "--addr",
			realSecret}, {"dev", "--access", realSecret}, {"stytch", "--seed", realSecret}, {"lint", realSecret}} {
		code, stdout, stderr := execute(t, environ, args...)
		if code != 2 {
			t.Errorf("%q: exit code %d", args, code)
		}
		for _, part := range pieces(realSecret) {
			if strings.Contains(stdout+stderr, part) {
				t.Errorf("%v: %s%s", args[0], stdout, stderr)
				break
			}
		}
	}
}

func TestDomains(t *testing.T) {
	for domain, want := range map[string]string{
		"words-1234.customers.stytch.com": "", "https://words-1234.customers.stytch.com/": "", "login.example.com": "",
		"https://login.example.com":               "",
		"words-1234.customers.stytch.dev":         "of the test environment",
		"words-1234.customers.stytch.dev.":        "no dot at its end",
		"https://words-1234.customers.stytch.dev": "of the test environment", "api.stytch.com": "belongs to no project",
		"test.stytch.com":                  "belongs to no project",
		"words-1234.customers.stytch.com.": "no dot at its end", "https://login.example.com./": "no dot at its end",
		"login.example.com:443": "no port", "https://login.example.com:": "no port",
		"words-1234.customers.stytch.com:443":                   "no port",
		"login.example.com,words-1234.customers.stytch.com:443": "entry 2 of 2",
		"stytch.com": "belongs to no project", "customers.stytch.com": "belongs to no project",
		"stytch.com.example.com": "", "notstytch.com": "",
	} {
		variables := realistic()
		variables["STYTCH_DOMAIN"] = domain
		if err := starting(variables); (err == nil) != (want == "") || err != nil &&
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", domain, err, want)
		}
	}
}

// What the emulator prints is good for serve.
func TestTheEmulatorsValuesHaveTheForms(t *testing.T) {
	for _, seed := range []stytchtest.Seed{stytchtest.Development(), stytchtest.DevelopmentConsumer()} {
		p := seed.Project
		made := seed
		made.Project.Secret, made.Project.PublicToken = "", ""
		emulator, err := stytchtest.New(stytchtest.Options{Seed: &made})
		if err != nil {
			t.Fatal(err)
		}
		for _, project := range []stytchtest.Project{p, emulator.Export().Project} {
			if err := starting(map[string]string{"GUESTPASS_PUBLIC_URL": "http://localhost:8080",
				"STYTCH_PROJECT_ID": project.ID, "STYTCH_SECRET": project.Secret,
				"STYTCH_PUBLIC_TOKEN": project.PublicToken, "STYTCH_DOMAIN": "http://localhost:8081",
				"STYTCH_BASE_URL": "http://localhost:8081", "STYTCH_VERTICAL": project.Vertical,
				"GUESTPASS_CLIENT_IDS":     seed.ConnectedApps[0].ClientID,
				"GUESTPASS_DOCS_CLIENT_ID": seed.ConnectedApps[1].ClientID,
				"GUESTPASS_INTROSPECT_SECRETS": seed.ConnectedApps[0].ClientID + "=" +
					seed.ConnectedApps[0].ClientSecret}); err != nil {
				t.Error(err)
			}
		}
	}
}

// The program itself, with one of each: refused before anything is opened.
func TestServeRefusesASecretInTheWrongPlace(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"STYTCH_PUBLIC_TOKEN", "GUESTPASS_TITLE", "GUESTPASS_LIMIT_MEMBER",
		"GUESTPASS_DATABASE_URL"} {
		variables := realistic()
		variables[name] = realSecret
		var environ []string
		for name, value := range variables {
			environ = append(environ, name+"="+value)
		}
		code, stdout, stderr := execute(t, environ, "serve")
		if code != 2 || !strings.Contains(stderr, name+" holds a secret") ||
			strings.Contains(stdout+stderr, realSecret[12:20]) {
			t.Errorf("%s: exit code %d, %s", name, code, stderr)
		}
	}
	if files, _ := filepath.Glob("*"); len(files) > 0 {
		t.Error("it has made", files)
	}
}
