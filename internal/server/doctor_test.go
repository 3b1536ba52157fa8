package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/internal/doctor"
	"guestpass/internal/inside"
	"guestpass/stytchtest"
)

// A misconfiguration is what somebody got wrong, and what each place says of it: guestpass doctor, the log of serve,
// and
// the page on which people sign in.
type misconfiguration struct {
	check, name string

	consumer bool
	stytch   func(*stytchtest.Seed)               // what is wrong at Stytch
	settings func(testing.TB, *guestpass.Options) // or in the settings
	environ  func(*testing.T) []string            // or in those that only the program has
	later    func(*world)                         // or is from later on

	doctor string // its line, from the severity on
	log    string // "": the same words as doctor's
	page   pageShows
}

// pageShows is what people see: words of the page for a request, changed as wanted, or after steps in a browser; or why
// they
// see nothing of it.
type pageShows struct {
	words   string
	request func(url.Values)
	steps   []step
	nothing string
}

// What the log has in place of doctor's words: those with which serve ends, or what browsers see, once one has.
const (
	stops     = "guestpass: "
	byThePage = `"msg":"trouble on the sign-in page","reason":`
)

// sdk changes the configuration of the frontend SDK, in which else everything is on.
func sdk(part, member string, value any) func(*stytchtest.Seed) {
	return func(s *stytchtest.Seed) {
		on := map[string]any{"enabled": true, "email_enabled": true}
		s.Project.SDK = map[string]any{"magic_links": on, "otps": on, "oauth": on, "passwords": on,
			"basic":    map[string]any{"enabled": true, "allow_self_onboarding": true, "domains": thisPage},
			"sessions": map[string]any{"max_session_duration_minutes": 60.0},
			"dfppa":    map[string]any{"enabled": "DISABLED"}, "cookies": map[string]any{"http_only": "DISABLED"}}
		changed := maps.Clone(s.Project.SDK[part].(map[string]any))
		changed[member] = value
		s.Project.SDK[part] = changed
	}
}

// thisPage stands for the origin of the page, which is known later.
const thisPage = "this page"

var typeAddress = []step{fill("input[type=email]", "ada@acme.example"), press("Continue with email")}

// mistold is what the page says of a reason.
func mistold(reason string) step { return see("runs this page: " + reason) }

// domainThat returns a domain whose metadata are changed.
func domainThat(change func(map[string]any)) func(testing.TB, *guestpass.Options) {
	return func(t testing.TB, o *guestpass.Options) { o.Domain = metadataServer(t, o.PublicURL, 200, change) }
}

func gptsApp(change func(*stytchtest.ConnectedApp)) func(*stytchtest.Seed) {
	return func(s *stytchtest.Seed) {
		s.ConnectedApps = slices.Clone(s.ConnectedApps)
		change(&s.ConnectedApps[0])
	}
}

const theGPT = "the connected app ChatGPT (connected-app-test-dddddddd-0000-4000-8000-000000000001)"

// misconfigurations are in the order of the checks.
var misconfigurations = []misconfiguration{
	{check: "settings", name: "a value of the other environment",
		environ: func(*testing.T) []string {
			return []string{"STYTCH_PUBLIC_TOKEN=public-token-live-11111111-1111-4111-8111-111111111111"}
		},
		doctor: "fatal settings: STYTCH_PUBLIC_TOKEN is of the live environment, STYTCH_PROJECT_ID of the test one: " +
			"take all values from the same; expected: values of the right kind, all of one project and environment; " +
			"set what is named here",
		log: stops, page: pageShows{nothing: "the server does not start"}},
	{check: "settings", name: "a value of another kind",
		environ: func(*testing.T) []string { return []string{"STYTCH_PROJECT_ID=my-project"} },
		doctor:  "fatal settings: STYTCH_PROJECT_ID must begin with project-live- or project-test-",
		log:     stops, page: pageShows{nothing: "the server does not start"}},
	{check: "secret", name: "of another project", settings: func(_ testing.TB,
		o *guestpass.Options) {
		o.Secret = "secret-test-wrong"
	},
		doctor: "error secret: Stytch refuses the project id and the secret; expected: a project id and a secret of " +
			"one project and environment; copy STYTCH_PROJECT_ID and STYTCH_SECRET again from API keys",
		page: pageShows{request: func(q url.Values) { q.Set("organization_id", "acme") },
			words: "The organization cannot be looked up at the moment."}},
	{check: "vertical", name: "the other one", settings: func(_ testing.TB, o *guestpass.Options) {
		o.Vertical, o.Modules = "consumer", []string{"tasks"}
	},
		doctor: "error vertical: the project is of the kind b2b, and STYTCH_VERTICAL is consumer; expected: " +
			"STYTCH_VERTICAL=b2b; set STYTCH_VERTICAL to b2b or consumer",
		page: pageShows{steps: slices.Concat(typeAddress, []step{mistold("wrong vertical")})}},
	{check: "clock", name: "an hour behind", settings: func(_ testing.TB, o *guestpass.Options) { o.Now = time.Now },
		later: func(w *world) { w.stytch.Advance(time.Hour) },
		doctor: "error clock: the clock of this machine is 1h0m0s behind that of Stytch; expected: less than 5 s " +
			"between the two; have this machine's clock set by time servers (NTP)",
		page: pageShows{nothing: "signing in goes by Stytch's clock alone"}},
	{check: "issuer", name: "another than the domain",
		settings: domainThat(func(d map[string]any) { d["issuer"] = d["issuer"].(string) + "/" }),
		doctor:   "error issuer: STYTCH_DOMAIN is not the issuer that Stytch names there, \"http://127.0.0.1:",
		page:     pageShows{nothing: "clients compare the two, before and after people are there"}},
	{check: "issuer", name: "a domain that is away", settings: func(_ testing.TB,
		o *guestpass.Options) {
		o.Domain = "http://127.0.0.1:9"
	},
		doctor: "unknown issuer: the metadata of http://127.0.0.1:9 could not be read: ",
		page: pageShows{steps: []step{see("Continue with email"), typeAddress[0], typeAddress[1],
			see("Stytch could not be reached")}}},
	{check: "authorization-url", name: "none", later: func(w *world) { w.stytch.SetAuthorizationURL("") },
		doctor: "error authorization-url: the project has no Authorization URL; expected: http://127.0.0.1:",
		page:   pageShows{nothing: "clients do not find it"}},
	{check: "authorization-url", name: "an old one",
		later: func(w *world) { w.stytch.SetAuthorizationURL("https://old.example.com/idp") },
		doctor: `error authorization-url: the Authorization URL of the project is "https://old.example.com/idp", not ` +
			`the ` +
			`sign-in page of this server; expected: http://127.0.0.1:`,
		page: pageShows{nothing: "people are led elsewhere"}},
	{check: "endpoints", name: "elsewhere",
		settings: domainThat(func(d map[string]any) {
			d["token_endpoint"] = "https://login.example.com/v1/oauth2/token"
		}),
		doctor: `warning endpoints: the metadata name the token endpoint ` +
			`"https://login.example.com/v1/oauth2/token"; ` +
			`expected: http://127.0.0.1:`,
		page: pageShows{nothing: "tokens are exchanged after people have left it"}},
	{check: "keys", name: "of another project", settings: func(t testing.TB, o *guestpass.Options) {
		o.OtherDomains = []string{stytchtest.NewServer(t, stytchtest.Options{}).URL}
	},
		doctor: "fatal keys: http://127.0.0.1:",
		page:   pageShows{nothing: "the server ends"}},
	{check: "keys", name: "none", settings: func(t testing.TB, o *guestpass.Options) {
		empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"keys":[]}`)
		}))
		t.Cleanup(empty.Close)
		o.OtherDomains = []string{empty.URL}
	},
		doctor: "error keys: http://127.0.0.1:",
		page:   pageShows{nothing: "tokens are refused after people have left it"}},
	{check: "public-token", name: "of another project", settings: func(_ testing.TB, o *guestpass.Options) {
		o.PublicToken = "public-token-test-99999999-9999-4999-8999-999999999999"
	},
		doctor: "error public-token: Stytch does not know the public token; expected: a public token of the project; " +
			"copy STYTCH_PUBLIC_TOKEN again from API keys in the Stytch dashboard",
		page: pageShows{steps: slices.Concat(typeAddress, []step{mistold("wrong public token")})}},
	{check: "authorized-domain", name: "another page's",
		stytch: sdk("basic", "domains", []any{map[string]any{"domain": "https://www.example.com"}}),
		doctor: "error authorized-domain: pages of http://127.0.0.1:",
		page:   pageShows{steps: slices.Concat(typeAddress, []step{mistold("bad domain")})}},
	{check: "sdk-domain", name: "none that the SDK may use",
		stytch: func(s *stytchtest.Seed) { s.Project.NoSDKOnDomain = true },
		doctor: "error sdk-domain: browsers may not call http://127.0.0.1:",
		page:   pageShows{steps: slices.Concat(typeAddress, []step{see("Stytch could not be reached")})}},
	{check: "captcha", name: "on", stytch: func(s *stytchtest.Seed) { s.Project.Captcha = true },
		doctor: "error captcha: captchas are on, and do not work on the sign-in page; expected: captchas switched " +
			"off; switch captchas off under Frontend SDK in the Stytch dashboard",
		page: pageShows{steps: []step{mistold("captcha")}}},
	{check: "fingerprint", name: "on", stytch: sdk("dfppa", "enabled", "ENABLED"),
		doctor: "error fingerprint: device fingerprinting is on, and does not work on the sign-in page",
		page:   pageShows{steps: []step{mistold("captcha")}}},
	{check: "http-only-cookies", name: "enforced", stytch: sdk("cookies", "http_only", "ENFORCED"),
		doctor: "error http-only-cookies: HttpOnly cookies are enforced, and do not work on the sign-in page; " +
			"expected: HttpOnly cookies switched off; switch HttpOnly cookies off under Frontend SDK",
		log:  byThePage + `"http_only_cookies"`,
		page: pageShows{steps: slices.Concat(typeAddress, []step{mistold("http only cookies")})}},
	{check: "session-length", name: "too short", stytch: sdk("sessions", "max_session_duration_minutes", 30.0),
		doctor: "error session-length: a session may last 30 minutes, and the sign-in page asks for 60; expected: 60 " +
			"minutes or more; set the longest session under Frontend SDK",
		log: byThePage + `"session_duration"`,
		page: pageShows{steps: slices.Concat(typeAddress, []step{typeCode, press("Acme"),
			mistold("session duration")})}},
	{check: "login-methods", name: "not enabled", stytch: sdk("otps", "email_enabled", false),
		doctor: "error login-methods: not enabled: email_code; expected: enabled: email_code; enable them under " +
			"Frontend SDK",
		log:  byThePage + `"not_enabled"`,
		page: pageShows{steps: slices.Concat(typeAddress, []step{mistold("not enabled")})}},
	{check: "login-methods", name: "no SDK at all", stytch: sdk("basic", "enabled", false),
		doctor: "error login-methods: the frontend SDK is switched off; expected: it switched on; enable it under " +
			"Frontend SDK",
		log:  byThePage + `"not_enabled"`,
		page: pageShows{steps: slices.Concat(typeAddress, []step{mistold("not enabled")})}},
	{check: "redirect-urls", name: "not the page",
		settings: func(_ testing.TB, o *guestpass.Options) { o.LoginMethods = []string{"email_link"} },
		later:    func(w *world) { w.stytch.SetRedirectURLs(w.url + "/") },
		doctor:   "error redirect-urls: http://127.0.0.1:",
		log:      byThePage + `"unregistered_redirect_url"`,
		page:     pageShows{steps: slices.Concat(typeAddress, []step{mistold("unregistered redirect url")})}},
	{check: "scopes", name: "missing", stytch: func(s *stytchtest.Seed) {
		*s = without(*s, []string{"tasks:write", "activity:read"})
	},
		doctor: "error scopes: the project lacks scopes, so that Stytch refuses whoever is asked for them " +
			"(oauth_invalid_scope_requested): tasks:write (createTask, updateTask, completeTask, deleteTask, " +
			"restoreTask, addTaskComment, undoActivity); activity:read (listActivity); expected: every scope that " +
			"operations need; add it under Roles & Permissions in the Stytch dashboard, or leave the operations out " +
			"with GUESTPASS_MODULES",
		page: pageShows{steps: slices.Concat(byCode("ada@acme.example", "Acme"), []step{mistold("missing scope")})}},
	{check: "scopes", name: "permissions missing", settings: func(_ testing.TB, o *guestpass.Options) { byRole(o) },
		stytch: func(s *stytchtest.Seed) {
			*s = without(*s, nil, "activity")
			s.Policy.Scopes = slices.DeleteFunc(slices.Clone(s.Policy.Scopes),
				func(s stytchtest.CustomScope) bool { return s.Name == "activity:read" })
		},
		doctor: "error scopes: the project lacks permissions, which nobody can have, so that operations are refused " +
			"to everybody: read on activity (listActivity); expected: every permission that operations need",
		page: pageShows{nothing: "nobody is asked for scopes"}},
	{check: "scopes", name: "missing for users", consumer: true, stytch: func(s *stytchtest.Seed) {
		*s = without(*s, []string{"tasks:read"})
	},
		doctor: "error scopes: the project lacks scopes, so that Stytch refuses whoever is asked for them " +
			"(oauth_invalid_scope_requested): tasks:read (listTasks, getTask, listTaskComments)",
		page: pageShows{steps: []step{fill("input[type=email]", "ada@example.com"), press("Continue with email"),
			typeCode,
			mistold("missing scope")}}},
	{check: "roles", name: "none covers a scope", stytch: func(s *stytchtest.Seed) {
		s.Policy.Roles = slices.Clone(s.Policy.Roles)
		for i := range s.Policy.Roles {
			s.Policy.Roles[i].Permissions = slices.DeleteFunc(slices.Clone(s.Policy.Roles[i].Permissions),
				func(p stytchtest.Permission) bool { return p.ResourceID == "tasks" })
		}
	},
		doctor: "warning roles: no role of the project covers tasks:read, tasks:write; expected: a role for each, " +
			"and none that everybody has for what changes something; give the permissions to a role under Roles & " +
			"Permissions",
		page: pageShows{steps: slices.Concat(byCode("ada@acme.example", "Acme"),
			[]step{see("Asked for, but not yours to give. This will not be allowed:")})}},
	{check: "roles", name: "a scope stands for something else, which nobody has", stytch: func(s *stytchtest.Seed) {
		s.Policy.Resources = append(slices.Clone(s.Policy.Resources), stytchtest.Resource{ID: "todo",
			Actions: []string{"edit"}})
		s.Policy.Scopes = slices.Clone(s.Policy.Scopes)
		for i, scope := range s.Policy.Scopes {
			if scope.Name == "tasks:write" {
				s.Policy.Scopes[i].Permissions = []stytchtest.Permission{{ResourceID: "todo",
					Actions: []string{"edit"}}}
			}
		}
	},
		doctor: "warning roles: no role of the project covers tasks:write (which stands for todo:edit); expected: a " +
			"role for each",
		page: pageShows{steps: slices.Concat(byCode("ada@acme.example", "Acme"),
			[]step{see("Asked for, but not yours to give. This will not be allowed:")})}},
	{check: "roles", name: "everybody has a scope that changes", stytch: func(s *stytchtest.Seed) {
		*s = free(*s,
			"tasks:write")
	},
		doctor: "warning roles: no permissions stand behind tasks:write: everybody may have it, whatever their " +
			"roles; expected: a role for each, and none that everybody has for what changes something; give the " +
			"scope permissions",
		page: pageShows{nothing: "people are asked as ever"}},
	{check: "clients", name: "a GPT's alone", settings: func(_ testing.TB, o *guestpass.Options) {
		o.ClientIDs = []string{stytchtest.Development().ConnectedApps[0].ClientID}
	},
		doctor: "warning clients: only the connected apps that GUESTPASS_CLIENT_IDS lists can use the tools at /mcp: " +
			"ChatGPT's plugins, Claude and others come with a document of their own, or register themselves; " +
			"expected: hosts of clients that come with a document of their own, or the word dynamic; add hosts such as",
		page: pageShows{request: func(q url.Values) {
			q.Set("client_id",
				"https://claude.ai/oauth/claude-code-client-metadata")
		},
			words: "Unknown application"}},
	{check: "registration", name: "off", stytch: func(s *stytchtest.Seed) { s.Project.Registration = false },
		doctor: "warning registration: Dynamic Client Registration is off, and GUESTPASS_CLIENT_IDS admits clients " +
			"that register themselves; expected: Dynamic Client Registration switched on; switch on Dynamic Client " +
			"Registration",
		page: pageShows{nothing: "clients do not get there"}},
	{check: "metadata-documents", name: "off", stytch: func(s *stytchtest.Seed) { s.Project.MetadataDocuments = false },
		settings: func(_ testing.TB, o *guestpass.Options) { o.ClientIDs = append(o.ClientIDs, "claude.ai") },
		doctor: "error metadata-documents: Client ID Metadata Documents are off, and clients of claude.ai identify " +
			"themselves by one; expected: Client ID Metadata Documents switched on; switch on Client ID Metadata " +
			"Documents",
		page: pageShows{nothing: "clients do not get there"}},
	{check: "apps", name: "of another project", settings: func(_ testing.TB, o *guestpass.Options) {
		o.ClientIDs = append(o.ClientIDs, "connected-app-test-99999999-0000-4000-8000-000000000001")
	},
		doctor: "error apps: the project has no connected app " +
			"connected-app-test-99999999-0000-4000-8000-000000000001; expected: active connected apps of the " +
			"project; compare GUESTPASS_CLIENT_IDS",
		page: pageShows{request: func(q url.Values) {
			q.Set("client_id", "connected-app-test-99999999-0000-4000-8000-000000000001")
		}, words: "Unknown application"}},
	{check: "app-types", name: "a GPT that must send PKCE", stytch: gptsApp(func(a *stytchtest.ConnectedApp) {
		a.Type, a.ClientSecret = "third_party_public", ""
	}),
		doctor: "error app-types: " + theGPT + " is public, so that PKCE is demanded, which GPTs do not send; " +
			"expected: third party; confidential for a GPT, which sends no PKCE; public for /docs, which has no " +
			"secret; make the app anew",
		page: pageShows{steps: slices.Concat(byCode("ada@acme.example", "Acme"), []step{press("Allow"),
			see("Public clients must use PKCE.")})}},
	{check: "app-types", name: "a page that has a secret", stytch: func(s *stytchtest.Seed) {
		s.ConnectedApps = slices.Clone(s.ConnectedApps)
		s.ConnectedApps[1].Type, s.ConnectedApps[1].ClientSecret = "third_party", "docs-secret-dev"
	},
		doctor: "error app-types: the connected app of /docs (connected-app-test-",
		page:   pageShows{nothing: "people are asked; the token is refused on /docs afterwards"}},
	{check: "callbacks", name: "on one of ChatGPT's hosts", stytch: gptsApp(func(a *stytchtest.ConnectedApp) {
		a.RedirectURLs = slices.DeleteFunc(slices.Clone(a.RedirectURLs),
			func(u string) bool { return strings.HasPrefix(u, "https://chat.openai.com/") })
	}),
		doctor: "warning callbacks: " + theGPT + " has the callback of a GPT on chatgpt.com alone, and ChatGPT uses " +
			"both hosts; expected: https://chat.openai.com/aip/g-dev/oauth/callback, too; add it to the redirect " +
			"URLs of the app",
		page: pageShows{request: func(q url.Values) {
			q.Set("redirect_uri", "https://chat.openai.com/aip/g-dev/oauth/callback")
		}, words: "Wrong return address"}},
	{check: "callbacks", name: "not that of /docs", later: func(w *world) {
		w.changeProject(func(s *stytchtest.Seed) {
			s.ConnectedApps[1].RedirectURLs = []string{"https://www.example.com/docs"}
		})
	},
		doctor: "error callbacks: the connected app of /docs (connected-app-test-",
		page: pageShows{request: func(q url.Values) {
			q.Set("client_id", stytchtest.Development().ConnectedApps[1].ClientID)
			q.Set("redirect_uri", "https://gpt.example.com/docs")
		}, words: "Wrong return address"}},
	{check: "token-lifetime", name: "too long", stytch: gptsApp(func(a *stytchtest.ConnectedApp) { a.Minutes = 2880 }),
		doctor: "error token-lifetime: tokens of " + theGPT + " live 48h0m0s, and this server takes 24h0m0s at most; " +
			"expected: 24h0m0s or less; raise GUESTPASS_MAX_TOKEN_LIFETIME, or lower the access token expiry of the " +
			"app",
		page: pageShows{nothing: "tokens are refused after people have left it"}},
	{check: "audience", name: "one that is not set", stytch: gptsApp(func(a *stytchtest.ConnectedApp) {
		a.Audience = "https://api.example.com"
	}),
		doctor: "error audience: " + theGPT + " has the custom audience https://api.example.com; expected: none, " +
			"since GUESTPASS_AUDIENCE is not set; set GUESTPASS_AUDIENCE to the custom audience of the app",
		page: pageShows{nothing: "tokens are refused after people have left it"}},
	{check: "audience", name: "one that is missing", settings: func(_ testing.TB,
		o *guestpass.Options) {
		o.Audience = "https://api.example.com"
	},
		doctor: "error audience: " + theGPT + " has no custom audience, and GUESTPASS_AUDIENCE demands one; " +
			"expected: the custom audience https://api.example.com",
		page: pageShows{nothing: "tokens are refused after people have left it"}},
	{check: "app-secrets", name: "an old one", settings: func(_ testing.TB, o *guestpass.Options) {
		o.ClientSecrets = map[string]string{stytchtest.Development().ConnectedApps[0].ClientID: "rotated-since-4Kq9"}
	},
		doctor: "error app-secrets: Stytch refuses the secret of the connected app " +
			"connected-app-test-dddddddd-0000-4000-8000-000000000001; expected: the secret of each connected app; " +
			"copy the secret again",
		page: pageShows{nothing: "writes are refused after people have left it"}},
	{check: "database", name: "of another program", environ: func(t *testing.T) []string {
		folder, err := os.MkdirTemp("", "guestpass-") // a name that is not taken for a token
		must(t, err)
		t.Cleanup(func() { _ = os.RemoveAll(folder) })
		path := filepath.Join(folder, "other.db")
		must(t, os.WriteFile(path, []byte(strings.Repeat("no database at all ", 100)), 0o600))
		return []string{"GUESTPASS_DATABASE_URL=sqlite:" + path}
	},
		doctor: "error database: ",
		log:    stops, page: pageShows{nothing: "the server does not start"}},
	{check: "redis", name: "away", settings: func(_ testing.TB,
		o *guestpass.Options) {
		o.Limits.RedisURL = "redis://127.0.0.1:9"
	},
		doctor: "warning redis: Redis does not count: dial tcp 127.0.0.1:9: connect: connection refused; expected: a " +
			"Redis that answers and runs scripts; see GUESTPASS_REDIS_URL: until Redis counts, each instance counts " +
			"limits by itself",
		page: pageShows{nothing: "limits are counted all the same"}},
}

// world returns one in which it is wrong, and the settings of the program beside it.
func (m misconfiguration) world(t testing.TB, w *world) (environ []string) {
	if m.stytch != nil {
		w.changeProject(func(s *stytchtest.Seed) {
			m.stytch(s)
			if basic, _ := s.Project.SDK["basic"].(map[string]any); basic["domains"] == thisPage {
				basic["domains"] = []any{map[string]any{"domain": w.url}}
			}
		})
	}
	if m.later != nil {
		m.later(w)
	}
	o, project := w.options, w.stytch.Export().Project
	environ = []string{"GUESTPASS_PUBLIC_URL=" + o.PublicURL, "STYTCH_PROJECT_ID=" + o.ProjectID,
		"STYTCH_SECRET=" + o.Secret, "STYTCH_PUBLIC_TOKEN=" + o.PublicToken, "STYTCH_VERTICAL=" + string(o.Vertical),
		"STYTCH_DOMAIN=" + strings.Join(append([]string{o.Domain}, o.OtherDomains...), ","),
		"STYTCH_BASE_URL=" + o.BaseURL, "GUESTPASS_CLIENT_IDS=" + strings.Join(o.ClientIDs, ","),
		"GUESTPASS_DOCS_CLIENT_ID=" + o.DocsClientID, "GUESTPASS_ACCESS=" + string(o.Access),
		"GUESTPASS_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "guestpass.db"),
		"STYTCH_WORKSPACE_KEY_ID=" + project.WorkspaceKey, "STYTCH_WORKSPACE_SECRET=" + project.WorkspaceSecret}
	for name, value := range map[string]string{"GUESTPASS_AUDIENCE": o.Audience,
		"GUESTPASS_REDIS_URL":     o.Limits.RedisURL,
		"GUESTPASS_LOGIN_METHODS": strings.Join(o.LoginMethods, ","), "GUESTPASS_MODULES": strings.Join(o.Modules,
			",")} {
		if value != "" {
			environ = append(environ, name+"="+value)
		}
	}
	for id, secret := range o.ClientSecrets {
		environ = append(environ, "GUESTPASS_INTROSPECT_SECRETS="+id+"="+secret)
	}
	return environ
}

// options are those of the world.
func (m misconfiguration) options(t testing.TB) func(*guestpass.Options) {
	return func(o *guestpass.Options) {
		o.ClientIDs = append(o.ClientIDs, "dynamic") // else clients is always told of
		if m.settings != nil {
			m.settings(t, o)
		}
	}
}

func (m misconfiguration) seed() stytchtest.Seed {
	if m.consumer {
		return stytchtest.DevelopmentConsumer()
	}
	return stytchtest.Development()
}

// wholeProgram is the path of the program, as everybody builds it. TestMain removes it.
var wholeProgram = sync.OnceValues(func() (path string, err error) {
	if programFolder, err = os.MkdirTemp("", "guestpass-program-"); err != nil {
		return "", err
	}
	path = filepath.Join(programFolder, "guestpass")
	if output, err := exec.Command("go", "build", "-o", path, "../../cmd/guestpass").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return path, nil
})

var programFolder string

// command runs the program with no other environment.
func command(t testing.TB, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	path, err := wholeProgram()
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), path, args...)
	var out, errOut bytes.Buffer
	run.Env, run.Stdout, run.Stderr = append([]string{}, environ...), &out, &errOut
	if err := run.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return run.ProcessState.ExitCode(), out.String(), errOut.String()
}

// diagnosed are the findings of guestpass doctor, by check.
func diagnosed(t testing.TB, environ []string) map[string]doctor.Finding {
	t.Helper()
	_, stdout, stderr := command(t, environ, "doctor", "--json")
	var findings []doctor.Finding
	if err := json.Unmarshal([]byte(stdout), &findings); err != nil {
		t.Fatalf("%v: %s %s", err, stdout, stderr)
	}
	found := map[string]doctor.Finding{}
	for _, f := range findings {
		found[f.Check] = f
	}
	return found
}

// TestNoMisconfigurationIsSilent holds what guestpass doctor says, what the log says, and what the page says before its
// script runs.
func TestNoMisconfigurationIsSilent(t *testing.T) {
	t.Parallel()
	for _, m := range misconfigurations {
		t.Run(m.check+" "+m.name, func(t *testing.T) {
			t.Parallel()
			seed := m.seed()
			w := newWorldOf(t, stytchtest.Options{Seed: &seed}, m.options(t))
			environ := m.world(t, w)
			if m.environ != nil {
				environ = append(environ, m.environ(t)...)
			}
			f := m.doctorSays(t, environ)
			inside.Diagnose(w.app, t.Context())
			switch log := w.log.String(); {
			case m.log == stops:
				code, _, stderr := command(t, environ, "serve", "--addr", "localhost:0")
				if code == 0 || !strings.Contains(stderr, m.log) || !strings.Contains(flat(stderr), flat(f.Found)) {
					t.Errorf("serve: exit code %d, %s", code, stderr)
				}
			case m.log == "":
				if said, _ := lastTold(log, m.check); said != f {
					t.Errorf("the log says %v, want %v:\n%s", said, f, log)
				}
			}
			switch {
			case m.page.request != nil:
				w.callbacks = &callbacks{url: stytchtest.Development().ConnectedApps[0].RedirectURLs[0]}
				r := w.call("GET", strings.TrimPrefix(w.authorizeURL(m.page.request), w.url), "", "")
				if r.status != 400 || !strings.Contains(r.body, m.page.words) {
					t.Errorf("the page: %d %s", r.status, r.body)
				}
			case m.page.steps == nil && m.page.nothing == "":
				t.Error("nobody says what the page shows")
			case m.page.nothing != "" && m.log != "" && m.log != stops:
				t.Error("the log is to be written by a page that shows nothing")
			}
		})
	}
}

// flat is a text without line ends, and without what joins lines.
func flat(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer(";", " ", "\n", " ").Replace(text)), " ")
}

// doctorSays holds the line and the exit codes.
func (m misconfiguration) doctorSays(t *testing.T, environ []string) doctor.Finding {
	t.Helper()
	code, stdout, stderr := command(t, environ, "doctor")
	line := ""
	for candidate := range strings.Lines(stdout) {
		if fields := strings.Fields(candidate); len(fields) > 1 && fields[1] == m.check+":" {
			line = strings.Join(fields, " ")
		}
	}
	if !strings.HasPrefix(line, m.doctor) {
		t.Errorf("doctor says %s\nwant %s\n%s", line, m.doctor, stderr)
	}
	f := diagnosed(t, environ)[m.check]
	if got := string(f.Severity) + " " + f.String(); got != line {
		t.Errorf("as JSON it says %s, in a line %s", got, line)
	}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if strings.Contains(name, "SECRET") && strings.Contains(stdout+stderr, value[strings.Index(value, "=")+1:]) {
			t.Errorf("doctor shows %s", name)
		}
	}
	strict, _, _ := command(t, environ, "doctor", "--strict")
	if want := map[bool]int{true: 2}[f.Severity != doctor.Warning]; code < want || strict < max(1, want) {
		t.Errorf("%s: exit code %d, strict %d", f.Severity, code, strict)
	}
	return f
}

// What only a page with its script shows, and what the log says once one has.
func TestInABrowserNoMisconfigurationIsSilent(t *testing.T) {
	needsBrowser(t)
	t.Parallel()
	for _, m := range misconfigurations {
		if m.page.steps == nil {
			continue
		}
		t.Run(m.check+" "+m.name, func(t *testing.T) {
			t.Parallel()
			endToEnd(t, m.seed(), func(w *world) error {
				m.world(w.t, w)
				if err := w.newPerson().do(append([]step{newTabAt(w.authorizeURL())}, m.page.steps...)...); err != nil {
					return err
				}
				if m.log == "" {
					return nil
				}
				return eventually(func() error {
					if log := w.log.String(); !strings.Contains(log, m.log) {
						return fmt.Errorf("the log lacks %s:\n%s", m.log, log)
					}
					return nil
				})
			}, m.options(t))
		})
	}
}

// A check that nothing makes fail is shown by nothing.
func TestEveryCheckIsSeenFailing(t *testing.T) {
	names, asks := doctor.InsideNames()
	for i, name := range names {
		if !slices.ContainsFunc(misconfigurations, func(m misconfiguration) bool { return m.check == name }) {
			t.Errorf("no misconfiguration makes %s fail", name)
		}
		if !strings.HasSuffix(asks[i], "?") {
			t.Errorf("%s asks nothing", name)
		}
	}
	for _, m := range misconfigurations {
		if !slices.Contains(names, m.check) {
			t.Errorf("there is no check %s", m.check)
		}
	}
}

// Doctor only reads: what Stytch has stays as it is, and nothing is sent that could change it.
func TestDoctorChangesNothing(t *testing.T) {
	t.Parallel()
	for _, consumer := range []bool{false, true} {
		m := misconfiguration{consumer: consumer, settings: func(_ testing.TB, o *guestpass.Options) {
			app := stytchtest.Development().ConnectedApps[0]
			o.ClientSecrets = map[string]string{app.ClientID: app.ClientSecret}
		}}
		seed := m.seed()
		w := newWorldOf(t, stytchtest.Options{Seed: &seed}, m.options(t))
		environ := m.world(t, w)
		before, asked := kept(w), len(w.stytch.Requests())
		code, stdout, stderr := command(t, environ, "doctor", "--strict")
		if code != 0 {
			t.Errorf("exit code %d: %s %s", code, stdout, stderr)
		}
		ledger := w.stytch.Requests()
		ledger = ledger[:len(ledger)-asked]
		for _, r := range ledger {
			probe := strings.HasSuffix(r.Path, "/oauth2/introspect") && strings.Contains(r.Body,
				"token=guestpass-doctor")
			if r.Method != "GET" && !probe {
				t.Errorf("%s %s %s", r.Method, r.Path, r.Body)
			}
		}
		if len(ledger) < 10 {
			t.Errorf("the ledger has %d requests", len(ledger))
		}
		if after := kept(w); after != before {
			t.Errorf("Stytch has\n%s\nand had\n%s", after, before)
		}
		if entries, err := os.ReadDir(filepath.Dir(databaseIn(environ))); err != nil || len(entries) > 0 {
			t.Errorf("beside the database there is %v, %v", entries, err)
		}
	}
}

// kept is all that Stytch has, but for when a secret was last used.
func kept(w *world) string {
	seed := w.stytch.Export()
	seed.Project.Secrets = slices.Clone(seed.Project.Secrets)
	for i := range seed.Project.Secrets {
		seed.Project.Secrets[i].UsedAt = time.Time{}
	}
	text, err := json.Marshal(seed)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

func databaseIn(environ []string) (path string) {
	for _, pair := range environ {
		if after, found := strings.CutPrefix(pair, "GUESTPASS_DATABASE_URL=sqlite:"); found {
			path = after
		}
	}
	return path
}
