//go:build !production

package cli

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// whole is an environment in which every setting has a value that serve takes, each of its own.
func whole() map[string]string {
	variables := realistic()
	for name, value := range map[string]string{
		"GUESTPASS_TLS": "auto", "GUESTPASS_PLAIN_ADDR": "127.0.0.1:8088",
		"GUESTPASS_ADMIN_ADDR": "127.0.0.1:9464", "GUESTPASS_LOG_LEVEL": "warn",
		"GUESTPASS_ACME_DIRECTORY": "https://acme.example.com/directory",
		"GUESTPASS_ADDR":           "127.0.0.1:8443", "GUESTPASS_TITLE": "Acme Tasks",
		"GUESTPASS_LOGO": "https://static.example.com/logo.svg", "GUESTPASS_COLOR": "#7a1fa2",
		"GUESTPASS_SUPPORT_URL": "mailto:support@example.com", "GUESTPASS_LANGUAGE": "de",
		"GUESTPASS_WORDS": "/etc/guestpass/words.json",
		"GUESTPASS_DATABASE_URL": "postgres://guestpass:Kp8vR2mX5qT9wL4s@db.example.com/guestpass" +
			"?sslmode=verify-full",
		"GUESTPASS_DATABASE_SCHEMA": "acme", "GUESTPASS_MODULES": "tasks", "GUESTPASS_OPERATIONS": "listTasks,getTask",
		"GUESTPASS_SCOPES": "notes:read=Read your notes,notes:write=Change your notes",
		"GUESTPASS_MCP":    "on", "GUESTPASS_MCP_OPERATIONS": "listTasks",
		"GUESTPASS_ADD_SCOPES":       "mcp",
		"GUESTPASS_PLUGIN_CHALLENGE": "oa-challenge-7Qm2xVbT", "GUESTPASS_APP_URL": "https://acme.example/tasks",
		"GUESTPASS_DESCRIPTION": "Tasks of Acme’s people.", "GUESTPASS_CONTACT_EMAIL": "help@example.com",
		"GUESTPASS_PRIVACY_URL": "https://example.com/privacy", "GUESTPASS_ACCESS": "roles",
		"GUESTPASS_AUDIENCE": "https://api.example.com", "GUESTPASS_LIVE_ROLES": "on",
		"GUESTPASS_TOKEN_HEADER_MEMBERS": "x5t", "GUESTPASS_LOGIN_METHODS": "google,password",
		"GUESTPASS_LOGIN_URL": "https://acme.example/sign-in", "GUESTPASS_LOGIN_RETURN_PARAMETER": "next",
		"GUESTPASS_LOGIN_TOKEN_PROFILE": "trusted-token-profile-live-7d1c",
		"GUESTPASS_LOGIN_COOKIE_DOMAIN": "example.com",
		"GUESTPASS_TOKEN_FORWARDER":     "on",
		"GUESTPASS_INTROSPECT":          "writes", "GUESTPASS_ALLOW_TEST_PROJECT": "no",
		"GUESTPASS_MAX_TOKEN_LIFETIME": "8h", "GUESTPASS_TOKENS_ISSUED_AFTER": "2026-11-30T10:00:00Z",
		"GUESTPASS_STOP_GRACE": "7s", "GUESTPASS_RECENT_PEOPLE": "9s",
		"GUESTPASS_REDIS_URL":     "rediss://:Rd8vR2mX5qT9wL4s@redis.example.com",
		"GUESTPASS_LIMIT_ADDRESS": "4000", "GUESTPASS_LIMIT_MEMBER": "70", "GUESTPASS_LIMIT_ORGANIZATION": "700",
		"GUESTPASS_LIMIT_CLIENT": "7000", "GUESTPASS_MAX_IN_FLIGHT": "128", "STYTCH_VERTICAL": "b2b",
		"GUESTPASS_QUOTA_TASKS": "9000", "GUESTPASS_QUOTA_COMMENTS": "9000", "GUESTPASS_QUOTA_ACTIVITY": "9000",
		"GUESTPASS_QUOTA_MEGABYTES": "90", "GUESTPASS_KEEP_DAYS": "90",
		"GUESTPASS_DATABASE_CONNECTIONS": "20", "GUESTPASS_DATABASE_IDLE": "3m", "GUESTPASS_MIGRATE": "on",
		"GUESTPASS_KEEP_CONNECTIONS_DAYS": "80", "GUESTPASS_KEEP_REPLIES_HOURS": "48",
		"GUESTPASS_ARCHIVE_DIR":       "/var/lib/guestpass/archive",
		"GUESTPASS_TRY_CLIENT_SECRET": "Tr8vR2mX5qT9wL4sZk3v",
		"GUESTPASS_TRY_CLIENT_ID":     "connected-app-live-77777777-7777-4777-8777-777777777777",
		"STYTCH_WORKSPACE_KEY_ID":     "workspace-key-prod-44444444-4444-4444-8444-444444444444",
		"STYTCH_WORKSPACE_SECRET":     "Wk8vR2mX5qT9wL4sZk3vPq6n",
	} {
		variables[name] = value
	}
	return variables
}

// missing are the settings of [whole] that cannot be beside the others: the emulator's, in a live project.
var missing = []string{"STYTCH_BASE_URL", "GUESTPASS_EMULATOR"}

// TestEverySettingIsDeclaredOnce: a field of config that no setting fills would silently never be set,
// and a setting that no test tries would be checked by nobody.
func TestEverySettingIsDeclaredOnce(t *testing.T) {
	c := new(config)
	names := variableNames(t)
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			t.Errorf("%s is declared twice", name)
		}
		if _, tried := whole()[name]; !tried && !slices.Contains(missing, name) {
			t.Errorf("%s is not tried here", name)
		}
	}
	filled := map[string]bool{}
	for _, s := range c.settings() {
		value := whole()[s.name]
		if slices.Contains(missing, s.name) {
			value = map[string]string{"STYTCH_BASE_URL": "http://localhost:8081",
				"GUESTPASS_EMULATOR": "state.json"}[s.name]
		}
		before := *c
		if err := s.take(value); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		for i := range reflect.TypeFor[config]().NumField() {
			field := reflect.TypeFor[config]().Field(i)
			if !reflect.DeepEqual(exported(&before, i), exported(c, i)) {
				if filled[field.Name] {
					t.Errorf("%s fills %s, which another setting fills", s.name, field.Name)
				}
				filled[field.Name] = true
			}
		}
	}
	for _, kind := range []string{"tasks", "comments"} { // behind one map: resources say which there are
		if want := whole()["GUESTPASS_QUOTA_"+strings.ToUpper(kind)]; strconv.Itoa(*c.Quotas[kind]) != want {
			t.Errorf("the quota of %s is %d, want %s", kind, *c.Quotas[kind], want)
		}
	}
	filled["Quotas"] = true
	for i := range reflect.TypeFor[config]().NumField() {
		if field := reflect.TypeFor[config]().Field(i); field.IsExported() && !filled[field.Name] {
			t.Errorf("no setting fills %s", field.Name)
		}
	}
}

// exported is the value of a field, also of one that reflect would not give away.
func exported(c *config, i int) any {
	field := reflect.ValueOf(c).Elem().Field(i)
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Interface()
}

// raced reports whether the race detector watches, see race_test.go.
var raced bool

// harmless are the values of other settings that one takes, each looked at: what follows is no more
// than what is meant, or nobody is admitted.
var harmless = map[string]func(other string) bool{
	// any text that is no secret may be said to people
	"GUESTPASS_TITLE":       func(other string) bool { return true },
	"GUESTPASS_DESCRIPTION": func(other string) bool { return true },
	// an audience that no token has keeps everybody out
	"GUESTPASS_AUDIENCE": func(other string) bool { return true },
	// a member that no token has; auth refuses those that mean something
	"GUESTPASS_TOKEN_HEADER_MEMBERS": func(other string) bool { return len(whole()[other]) <= 17 },
	// a schema of that name is made, or is not there
	"GUESTPASS_DATABASE_SCHEMA": func(other string) bool { return len(whole()[other]) <= 16 },
	"GUESTPASS_CLIENT_IDS": func(other string) bool {
		return strings.HasSuffix(other, "CLIENT_ID") || other == "GUESTPASS_LOGIN_COOKIE_DOMAIN"
	},
	"GUESTPASS_DOCS_CLIENT_ID": func(other string) bool { return strings.Contains(other, "CLIENT_ID") },
	// a token that the portal did not give proves nothing to it
	"GUESTPASS_PLUGIN_CHALLENGE": func(other string) bool { return true },
	// a custom domain, and another page, can be on any public host
	"STYTCH_DOMAIN": func(other string) bool {
		return slices.Contains([]string{"GUESTPASS_PUBLIC_URL", "GUESTPASS_AUDIENCE", "GUESTPASS_LOGIN_COOKIE_DOMAIN"},
			other)
	},
	"GUESTPASS_PUBLIC_URL": func(other string) bool { return other == "GUESTPASS_AUDIENCE" },
	"GUESTPASS_PRIVACY_URL": func(other string) bool {
		return slices.Contains([]string{"GUESTPASS_PUBLIC_URL", "GUESTPASS_AUDIENCE", "GUESTPASS_APP_URL",
			"GUESTPASS_LOGO", "GUESTPASS_ACME_DIRECTORY"}, other)
	},
	// a page of the application can be at any address
	"GUESTPASS_APP_URL": func(other string) bool {
		return slices.Contains([]string{"GUESTPASS_PUBLIC_URL", "GUESTPASS_AUDIENCE", "GUESTPASS_PRIVACY_URL",
			"GUESTPASS_LOGIN_URL", "GUESTPASS_LOGO", "GUESTPASS_ACME_DIRECTORY"}, other)
	},
	// people find help, and a logo, at any address of the operator's
	"GUESTPASS_SUPPORT_URL": isAddress,
	"GUESTPASS_LOGO":        isAddress,
	// an authority can be at any address
	"GUESTPASS_ACME_DIRECTORY": isAddress,
	// where no words of a language are, nothing starts
	"GUESTPASS_LANGUAGE": func(other string) bool { return len(whole()[other]) <= 3 },
	// a login page can be at any address, and return by any name
	"GUESTPASS_LOGIN_URL": func(other string) bool {
		return slices.Contains([]string{"GUESTPASS_PUBLIC_URL", "GUESTPASS_AUDIENCE", "GUESTPASS_PRIVACY_URL",
			"GUESTPASS_APP_URL", "GUESTPASS_LOGO", "GUESTPASS_ACME_DIRECTORY"}, other)
	},
	"GUESTPASS_LOGIN_RETURN_PARAMETER": func(string) bool { return true },
	// of the same operations
	"GUESTPASS_OPERATIONS":     func(other string) bool { return other == "GUESTPASS_MCP_OPERATIONS" },
	"GUESTPASS_MCP_OPERATIONS": func(other string) bool { return other == "GUESTPASS_OPERATIONS" },
	// numbers, among themselves
	"GUESTPASS_LIMIT_ADDRESS": isNumber, "GUESTPASS_LIMIT_MEMBER": isNumber, "GUESTPASS_LIMIT_ORGANIZATION": isNumber,
	"GUESTPASS_LIMIT_CLIENT": isNumber, "GUESTPASS_MAX_IN_FLIGHT": isNumber, "GUESTPASS_QUOTA_TASKS": isNumber,
	"GUESTPASS_QUOTA_COMMENTS": isNumber, "GUESTPASS_QUOTA_ACTIVITY": isNumber, "GUESTPASS_QUOTA_MEGABYTES": isNumber,
	"GUESTPASS_KEEP_DAYS":             isNumber,
	"GUESTPASS_DATABASE_CONNECTIONS":  isNumber,
	"GUESTPASS_DATABASE_IDLE":         isDuration,
	"GUESTPASS_STOP_GRACE":            isDuration,
	"GUESTPASS_MAX_TOKEN_LIFETIME":    isDuration,
	"GUESTPASS_TOKENS_ISSUED_AFTER":   func(string) bool { return false },
	"GUESTPASS_LOGIN_METHODS":         func(string) bool { return false },
	"GUESTPASS_RECENT_PEOPLE":         isDuration,
	"GUESTPASS_KEEP_CONNECTIONS_DAYS": isNumber, "GUESTPASS_KEEP_REPLIES_HOURS": isNumber,
	// a file is no folder: nothing starts
	"GUESTPASS_ARCHIVE_DIR": func(other string) bool { return other == "GUESTPASS_WORDS" },
	// of the same values; used by guestpass try alone
	"GUESTPASS_TRY_CLIENT_SECRET": func(string) bool { return true },
	"GUESTPASS_TRY_CLIENT_ID":     func(other string) bool { return strings.Contains(other, "CLIENT_ID") },
	// of no form that Stytch promises; used by guestpass setup alone
	"STYTCH_WORKSPACE_SECRET": func(string) bool { return true },
	// without STYTCH_BASE_URL, which a live project may not have, nothing starts
	"GUESTPASS_EMULATOR": func(string) bool { return true },
}

func isAddress(other string) bool {
	return slices.Contains([]string{"GUESTPASS_PUBLIC_URL", "GUESTPASS_AUDIENCE", "GUESTPASS_PRIVACY_URL",
		"GUESTPASS_LOGIN_URL", "GUESTPASS_APP_URL", "GUESTPASS_LOGO", "GUESTPASS_ACME_DIRECTORY"}, other)
}

func isDuration(other string) bool {
	return slices.Contains([]string{"GUESTPASS_DATABASE_IDLE", "GUESTPASS_MAX_TOKEN_LIFETIME", "GUESTPASS_STOP_GRACE",
		"GUESTPASS_RECENT_PEOPLE"}, other)
}

func isNumber(other string) bool {
	return strings.HasPrefix(other, "GUESTPASS_LIMIT_") || strings.HasPrefix(other, "GUESTPASS_QUOTA_") ||
		strings.HasPrefix(other, "GUESTPASS_KEEP_") ||
		slices.Contains([]string{"GUESTPASS_MAX_IN_FLIGHT", "GUESTPASS_DATABASE_CONNECTIONS"}, other)
}

// wrong are the ways in which a value goes wrong, whatever it is.
func wrong(own string) map[string]string {
	return map[string]string{
		"nothing": "", "blanks": "   ", "a tab": "\t", "a comma": ",", "commas": " , ,", "an empty entry": own + ",",
		"an empty entry before": "," + own, "twice": own + "," + own, "double quotes": `"` + own + `"`,
		"single quotes": "'" + own + "'", "typographic quotes": "“" + own + "”", "a line end": own + "\n",
		"a Windows line end": own + "\r\n", "a NUL": own + "\x00", "an escape": own + "\x1b[2J",
		"a zero-width space": own + "\u200b", "a BOM": "\ufeff" + own, "a direction override": "\u202e" + own,
		"a variation selector": own + "\U000E0100", "full width": strings.Map(wide, own), "not UTF-8": own + "\xff",
		"a secret": realSecret, "another project's secret": "secret-test-" + realSecret[12:],
		"a workspace key":        "workspace-key-" + realSecret[12:],
		"an app with its secret": "connected-app-live-1=" + appSecret,
		"a token":                "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZW1iZXIifQ.c2lnbmF0dXJl",
	}
}

func wide(r rune) rune {
	if r > ' ' && r <= '~' {
		return r - '!' + '\uff01'
	}
	return r
}

// mayTake are the wrong values that a setting takes nevertheless, each looked at.
func mayTake(name, what string) bool {
	text := name == "GUESTPASS_TITLE" || name == "GUESTPASS_DESCRIPTION"
	url := name == "GUESTPASS_DATABASE_URL" || name == "GUESTPASS_REDIS_URL" // a path or a password may be anything
	switch what {
	case "a comma", "commas", "an empty entry", "an empty entry before", "twice", "full width":
		return text || url || name == "GUESTPASS_AUDIENCE" && what != "commas" && what != "full width" ||
			name == "GUESTPASS_TRY_CLIENT_SECRET" && what != "commas" && what != "full width" ||
			name == "GUESTPASS_WORDS" && (what == "an empty entry before" || what == "twice") || // of a file
			(name == "GUESTPASS_PRIVACY_URL" || name == "GUESTPASS_ACME_DIRECTORY") && // in its path
				(what == "an empty entry" || what == "twice") ||
			slices.Contains([]string{"GUESTPASS_LOGO", "GUESTPASS_APP_URL", "GUESTPASS_LOGIN_URL"}, name) &&
				what == "an empty entry"
	case "a token":
		return name == "GUESTPASS_AUDIENCE" || name == "GUESTPASS_TRY_CLIENT_SECRET" // shown nowhere
	case "an app with its secret":
		return name == "GUESTPASS_INTROSPECT_SECRETS"
	case "a secret":
		return name == "STYTCH_SECRET"
	case "a workspace key":
		return name == "STYTCH_WORKSPACE_KEY_ID"
	}
	return false
}

// TestNoSettingFailsOpen walks every setting through every way in which a value goes wrong: each is
// refused by the setting's name, without the value, or has been looked at and does no harm. It computes in one
// goroutine: `make test` runs it without the race detector, with which it takes ten times as long.
func TestNoSettingFailsOpen(t *testing.T) {
	if raced || testing.Short() {
		t.Skip("make test runs it without the race detector; left out by make quick: it computes for long")
	}
	if err := starting(whole()); err != nil {
		t.Fatal(err)
	}
	tried, refused := 0, 0
	defer func() {
		t.Logf("%d wrong values of %d settings: %d refused by name", tried, len(variableNames(t)), refused)
	}()
	for _, name := range variableNames(t) {
		own := whole()[name]
		if name == "STYTCH_BASE_URL" {
			own = "http://localhost:8081"
		}
		for what, value := range wrong(own) {
			variables := whole()
			variables[name] = value
			err := starting(variables)
			if tried++; err != nil {
				refused++
			}
			judge(t, name, what, value, err, mayTake(name, what))
		}
		for _, other := range variableNames(t) {
			value, found := whole()[other]
			if !found || other == name || value == own {
				continue
			}
			variables := whole()
			variables[name] = value
			err := starting(variables)
			if tried++; err != nil {
				refused++
			}
			judge(t, name, "the value of "+other, value, err, harmless[name] != nil && harmless[name](other))
		}
	}
}

// formless are secrets that may be any text.
var formless = []string{"GUESTPASS_TRY_CLIENT_SECRET", "STYTCH_WORKSPACE_SECRET"}

func judge(t *testing.T, name, what, value string, err error, mayTake bool) {
	t.Helper()
	formItself := strings.HasPrefix("connected-app-live-", value)
	switch {
	case err == nil && !mayTake:
		t.Errorf("%s with %s is taken", name, what)
	case err != nil && !strings.Contains(err.Error(), blamed(name, what)) &&
		!(name == "STYTCH_PROJECT_ID" && strings.Contains(err.Error(), "STYTCH_")) &&
		// what stands in two places is refused where everybody would see it
		!(slices.Contains(formless, name) && strings.Contains(err.Error(), " holds a secret")):
		t.Errorf("%s with %s is not named: %v", name, what, err)
	case err != nil && len(value) > 12 && !formItself && strings.Contains(err.Error(), value):
		t.Errorf("%s with %s repeats it: %v", name, what, err)
	}
}

// The values of the other environment, in each setting that has a value of Stytch's.
func TestTheOtherEnvironmentIsRefusedInEverySetting(t *testing.T) {
	other := strings.NewReplacer("-live-", "-test-", ".stytch.com", ".stytch.dev")
	tried := 0
	for name, own := range whole() {
		if value := other.Replace(own); value != own {
			tried++
			variables := whole()
			variables[name] = value
			refusesWithoutRepeating(t, blamed(name, "the other environment"), "the other environment",
				starting(variables))
		}
	}
	if tried != 9 {
		t.Errorf("%d settings have values of an environment", tried)
	}
}

func TestNumbersDurationsAndWordsHaveOneSpelling(t *testing.T) {
	for name, values := range map[string][]string{
		"GUESTPASS_COLOR": {"0b6b53", "#0b6", "#0b6b5", "#0b6b530", "#0b6b5g", "green", "rgb(1,2,3)", "var(--fg)",
			"#0b6b53;}", "#0B6B53FF"},
		"GUESTPASS_SUPPORT_URL": {"help@example.com", "example.com/help", "http://example.com/help", "//example.com",
			"javascript:alert(1)", "data:text/html,x", "mailto:", "mailto:help", "mailto:a@example.com,b@example.com",
			"mailto:a@example.com?bcc=b@example.com", "https://u:p@example.com", "https:example.com", "tel:+4930",
			"https://example.com/\"x", "https:///help", "HTTPS"},
		"GUESTPASS_LOGO": {"logo", "logo.gif", "logo.ico", "logo.svg.exe", "http://example.com/logo.svg",
			"ftp://example.com/logo.svg", "https://u:p@example.com/logo.svg", "file:///etc/logo.svg",
			"data:image/svg+xml,x", "javascript:alert(1)", "https://", "//example.com/logo",
			"https://Example.com/l.svg",
			"https://example.com/logo.svg#x", "/etc/passwd", "."},
		"GUESTPASS_LANGUAGE": {"DE", "german", "de_DE", "de-de", "en,de", "*", "und", "deutsch"},
		"GUESTPASS_WORDS":    {"words", "words.yaml", "https://example.com/words", ".", "words.json.bak"},
		"GUESTPASS_LIMIT_MEMBER": {"0", "-1", "+60", "060", "6_0", "0x3c", "6e1", "60.0", "60 ", "1000001",
			"99999999999999999999",
			"٦٠", "６０", "unlimited"},
		"GUESTPASS_STOP_GRACE": {"5", "0", "-5s", "+5s", "5 s", "5S", ".5s", "5d", "1h", "61s", "1e1s",
			"5s5", "∞"},
		"GUESTPASS_RECENT_PEOPLE": {"5", "-5s", "+5s", "5 s", "1h", "61s", "∞"},
		"GUESTPASS_TOKENS_ISSUED_AFTER": {"2026-11-30", "10:00", "2026-11-30 10:00:00", "2026-11-30T10:00:00",
			"2026-13-30T10:00:00Z", "1764500000", "yesterday"},
		"GUESTPASS_MAX_TOKEN_LIFETIME": {"24", "59s", "721h", "1d", "-8h", "99999999999h"},
		"GUESTPASS_TOKEN_FORWARDER":    {"ON", "On", "true", "1", "yes", "0", "no", "false", "оn"},
		"GUESTPASS_ALLOW_TEST_PROJECT": {"YES", "true", "1", "on", "y"},
		"GUESTPASS_INTROSPECT":         {"on", "true", "write", "all", "Writes"},
		"GUESTPASS_ACCESS":             {"Scopes", "scope", "role", "both", "scopes,roles"},
		"STYTCH_VERTICAL":              {"B2B", "b2c", "consumers"},
		"GUESTPASS_ADDR": {"8080", ":", "localhost", "localhost:http", "localhost:+80",
			"localhost:080", "localhost:65536", "http://localhost:80", "a@b:80"},
		"GUESTPASS_ADMIN_ADDR": {"9464", ":", "localhost", "on", "http://localhost:9464", "localhost:65536", "a@b:9464",
			"localhost:9464/metrics"},
		"GUESTPASS_LOG_LEVEL": {"INFO", "trace", "verbose", "warning", "0", "debug,info"},
		"GUESTPASS_CLIENT_IDS": {"*", "all", "connected-app-", "connected-app-live-",
			"Connected-App-live-1", "connected-app-live-1=x", "connected-app-live-1;connected-app-live-2", "Dynamic",
			"https://claude.ai/client", "*.claude.ai", "claude.ai/", "localhost", "words-1234.customers.stytch.com"},
		"GUESTPASS_TRUSTED_PROXIES": {"*", "all", "any", "10.0.0.1", "0.0.0.0/0", "::/0",
			"0.0.0.0/1,128.0.0.0/1", "2000::/3", "::ffff:0:0/96", "10.0.0.0/-1", "none,10.0.0.0/8"},
		"GUESTPASS_OPERATIONS":     {"*", "listTasks;getTask", "../x"},
		"GUESTPASS_MCP_OPERATIONS": {"*", "listTasks;getTask", "../x"},
		"GUESTPASS_MCP":            {"On", "true", "yes", "1"},
		"GUESTPASS_ADD_SCOPES":     {"MCP", "true", "on", "mcp,all"},
		"GUESTPASS_MODULES":        {"*", "Tasks", "task", "None", "none,tasks"},
		"GUESTPASS_SCOPES": {"notes:read", "notes:read=", "=Read your notes", "notes read=Read", "notes:=Read",
			":read=Read", "openid=Know you", "notes:read=Read, and write", "notes:read=Read,notes:read=Read again",
			"notes:read=Read;notes:write=Write", "nötes:read=Read"},
		"GUESTPASS_TOKEN_HEADER_MEMBERS": {"*", "crit", "b64", "a b"},
		"GUESTPASS_PUBLIC_URL": {"gpt.example.com", "//gpt.example.com", "https:gpt.example.com", "https://",
			"https:///", "ftp://gpt.example.com",
			"https://u@gpt.example.com", "https://@gpt.example.com", "https://gpt.example.com?",
			"https://gpt.example.com#",
			"https://gpt.example.com/#x", "https://gpt.example.com//", "https://gpt.example.com/x",
			"https://gpt.example.com\\@evil.example",
			"https://gpt.example.com:0x50", "https://gpt.example.com:99999", "https://gpt_example.com",
			"https://*.example.com",
			"https://127.1", "https://2130706433", "https://0x7f.1", "https://gpt.example.com,https://b.example.com",
			"http://localhost:8080", "https://localhost", "https://[::1]:8080", "https://gpt.ехample.com"},
		"STYTCH_DOMAIN": {"http://login.example.com", "localhost", "http://localhost:8081", "https://localhost",
			"https://a.localhost",
			"http://127.0.0.1", "https://127.0.0.1", "127.1", "2130706433", "https://0x7f000001", "https://[::1]",
			"https://[::ffff:127.0.0.1]",
			"10.0.0.1", "192.168.1.1", "169.254.169.254", "metadata.google.internal", "100.100.100.200",
			"[fd00:ec2::254]", "[fe80::1]",
			"0.0.0.0", "login.corp", "printer.local", "stytch", "user@login.example.com", "user:pass@login.example.com",
			"login.example.com?x", "login.example.com#x", "login.example.com/path", "ftp://login.example.com",
			"login.example.com:443",
			"login.example.com;b.example.com", "login.example.com,,", "login.example.com,localhost"},
		"GUESTPASS_DATABASE_URL": {"guestpass.db", "sqlite", "sqlite:", "SQLITE:x.db", "sqlite::memory:",
			"sqlite:x.db?mode=ro", "mysql://x", "https://x", "postgres:",
			"postgres://guestpass:hunter2@db.example.com/guestpass", "postgres://db.example.com/g?sslmode=prefer"},
		"GUESTPASS_REDIS_URL": {"localhost:6379", "http://localhost", "redis", "memcached://x"},
	} {
		for _, value := range values {
			variables := realistic()
			variables[name] = value
			err := starting(variables)
			judge(t, name, fmt.Sprintf("%q", value), value, err, false)
		}
	}
}

// What people write in their languages is no fault.
func TestTitlesInAnyLanguage(t *testing.T) {
	for _, title := range []string{"Acme Tasks", "Åsa’s “best” list", "Büro & Söhne",
		"تسک\u200cهای من", "משימות",
		"काम\u200d सूची", "タスク",
		"Team ❤\ufe0f 👩\u200d💻", `The "Tasks" app`, "O'Brien", "L'équipe d'"} {
		variables := realistic()
		variables["GUESTPASS_TITLE"] = title
		if err := starting(variables); err != nil {
			t.Errorf("%q: %v", title, err)
		}
	}
}

// Flags and variables are one setting: the same forms, and the flag counts.
func TestFlagsAreCheckedAsVariablesAre(t *testing.T) {
	for _, command := range []string{"serve", "dev", "openapi", "gpt"} {
		for flag, values := range map[string][]string{"public-url": {"", "  ", `"https://gpt.example.com"`,
			"https://gpt.example.com/x", "http://gpt.example.com",
			"https://" + strings.ToLower(realSecret) + ".example.com", "https://u:pass@gpt.example.com",
			"https://gpt.example.com\n"}} {
			for _, value := range values {
				environ := environ()
				if command == "dev" {
					environ = nil
				}
				code, stdout, stderr := execute(t, environ, command, "--"+flag, value)
				if code != 2 || !strings.Contains(stderr, "--"+flag) || stdout != "" || strings.Contains(stderr,
					"GUESTPASS_PUBLIC_URL is") {
					t.Errorf("%s --%s %q: exit code %d, %s%s", command, flag, value, code, stdout, stderr)
				}
			}
		}
	}
	code, stdout, stderr := execute(t, environ("GUESTPASS_PUBLIC_URL=https://of-the-variable.example.com"), "openapi",
		"--public-url", "https://of-the-flag.example.com")
	if code != 0 || !strings.Contains(stdout, "https://of-the-flag.example.com") || strings.Contains(stdout,
		"of-the-variable") {
		t.Errorf("exit code %d: the flag does not win: %s", code, stderr)
	}
}

// Every command looks at the names, whatever it needs of them.
func TestMisspeltVariablesAreTold(t *testing.T) {
	commands := [][]string{{"serve"}, {"dev"}, {"stytch"}, {"try"}, {"lint", "x.json"}, {"openapi"}, {"gpt"},
		{"migrate", "up"},
		{"migrate", "status"}, {"migrate", "down-to", "6"}, {"backup", "x"}, {"restore", "x"}, {"audit", "verify"},
		{"person", "export"}, {"person", "erase"}}
	for misspelt, want := range map[string]string{
		"GUESTPASS_CLIENT_ID": "GUESTPASS_CLIENT_IDS", "GUESTPASS_CLIENTIDS": "GUESTPASS_CLIENT_IDS",
		"guestpass_client_ids": "GUESTPASS_CLIENT_IDS",
		"Guestpass_Access":     "GUESTPASS_ACCESS", "GUESTPAS_CLIENT_IDS": "GUESTPASS_CLIENT_IDS",
		"GUEST_PASS_ACCESS": "GUESTPASS_ACCESS",
		"STYTCH_SECRETS":    "STYTCH_SECRET", "STITCH_SECRET": "STYTCH_SECRET", "STYTCH_PROJECTID": "STYTCH_PROJECT_ID",
		"GUESTPASS_CLIENT_IDS_FILE": "GUESTPASS_CLIENT_IDS", "GUESTPASSADDR": "GUESTPASS_ADDR",
	} {
		for _, args := range commands {
			code, _, stderr := execute(t, []string{misspelt + "=x"}, args...)
			if code != 2 || !strings.Contains(stderr, "there is no variable "+misspelt+"; did you mean "+want) {
				t.Errorf("%s, %v: exit code %d, %s", misspelt, args, code, stderr)
			}
		}
	}
	code, _, stderr := execute(t, environ("STYTCH_WEBHOOK_SECRET_ID=x", "PATH=/bin", "HOME=/",
		"GUESTPASS=/usr/local/bin/guestpass"), "openapi")
	if code != 0 || !strings.Contains(stderr,
		"the variable STYTCH_WEBHOOK_SECRET_ID means nothing here\n") || strings.Contains(stderr, "PATH") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
