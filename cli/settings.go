package cli

import (
	"slices"
	"strconv"
	"time"

	"guestpass"
	"guestpass/auth"
	"guestpass/internal/clients"
	"guestpass/internal/idp"
	"guestpass/internal/limits"
	"guestpass/internal/page"
	"guestpass/store"
)

// A setting is one variable of the environment: its name, the form that its value must have, what it is in a line, its
// default, and who sees it.
type setting struct {
	name      string
	take      form
	summary   string // for help; docs/settings.md tells all of it
	group     string
	otherwise string                      // the default, in the same form; "" for nothing
	unset     string                      // what is without it where otherwise cannot say so
	shown     bool                        // on pages, in the document, in metadata or in a header
	trial     bool                        // means nothing to a program that was built for production
	secrets   func(value string) []string // what nothing may show of the value; nil: it has no secrets
	mask      func(value string) string   // the value without them
}

func set(name string, take form, summary string) setting {
	return setting{name: name, take: take, summary: summary, unset: "none"}
}

func (s setting) or(value string) setting { s.otherwise, s.unset = value, ""; return s }

func (s setting) without(what string) setting { s.unset = what; return s }

func (s setting) inDevelopment() setting { s.trial = true; return s }

func (s setting) published() setting { s.shown = true; return s }

func (s setting) holding(secrets func(string) []string, mask func(string) string) setting {
	s.secrets, s.mask = secrets, mask
	return s
}

// required is what is said of settings without which serve does not start.
const required = "required"

// settings declares every variable, once. docs/settings.md tells what each means.
func (c *config) settings() []setting {
	return slices.Concat(
		group("The Stytch project", c.projectSettings()),
		group("The server", c.serverSettings()),
		group("What it offers", c.offerSettings()),
		group("Who may do what", c.accessSettings()),
		group("Tokens", c.tokenSettings()),
		group("What is kept", c.storeSettings()),
		group("Limits, in requests a minute", c.limitSettings()),
		group("For guestpass setup and guestpass doctor alone", []setting{
			set("STYTCH_WORKSPACE_KEY_ID", word(&c.WorkspaceKeyID, checkWorkspaceKey),
				"key of your workspace, see Workspace settings").holding(workspaceKeys, maskAll),
			set("STYTCH_WORKSPACE_SECRET", word(&c.WorkspaceSecret, checkWorkspaceSecret),
				"the key's secret, from the same place").holding(projectSecret, maskAll),
		}),
		group(forTrials, []setting{
			set("GUESTPASS_TRY_CLIENT_ID", word(&c.TryClientID, checkClientID), "connected app of a GPT").
				without("in development the GPT's"),
			set("GUESTPASS_TRY_CLIENT_SECRET", word(&c.TryClientSecret, checkClientSecret),
				"client secret of that app").inDevelopment().holding(projectSecret, maskAll),
		}),
	)
}

func group(name string, settings []setting) []setting {
	for i := range settings {
		settings[i].group = name
	}
	return settings
}

func (c *config) projectSettings() []setting {
	return []setting{
		set("STYTCH_PROJECT_ID", word(&c.ProjectID, checkProjectID), "project-live-… or project-test-…, see API keys").
			without(required).published(),
		set("STYTCH_SECRET", word(&c.Secret, checkProjectSecret), "the project's secret, from the same place").
			without(required).holding(projectSecret, maskAll),
		set("STYTCH_PUBLIC_TOKEN", word(&c.PublicToken, checkPublicToken), "public-token-…, from the same place").
			without(required).published(),
		set("STYTCH_DOMAIN", list(&c.Domains, checkDomain), "the project's domain; several: the first is shown").
			without(required).published(),
		set("STYTCH_VERTICAL", word(&c.Vertical, oneOf(verticals...)), "kind of the project: b2b or consumer").
			or(verticals[0]).published(),
		set("STYTCH_BASE_URL", webOrigin(&c.BaseURL, checkEmulatorURL), "address of the emulator, in Stytch's place"),
		set("GUESTPASS_EMULATOR", line(&c.Emulator, checkStateFile), "file of the project that serve emulates itself").
			inDevelopment(),
	}
}

func (c *config) serverSettings() []setting {
	return []setting{
		set("GUESTPASS_ADDR", word(&c.Addr, checkAddr), "address to listen on").or("localhost:8080"),
		set("GUESTPASS_PUBLIC_URL", webOrigin(&c.PublicURL, checkPublicURL), "https origin that the world sees").
			without(required).published(),
		set("GUESTPASS_TLS", list(&c.TLS, checkTLS),
			"auto: of Let's Encrypt; or files, CERTIFICATE,KEY").or(noTLS),
		set("GUESTPASS_PLAIN_ADDR", word(&c.PlainAddr, checkAddr), "address whose plain http leads to https, with TLS"),
		set("GUESTPASS_ADMIN_ADDR", word(&c.AdminAddr, checkAddr), "address of metrics and profiles, such as :9464"),
		set("GUESTPASS_LOG_LEVEL", word(&c.LogLevel, oneOf(logLevels...)),
			"least that is logged: debug, info, warn or error").or("info"),
		set("GUESTPASS_ACME_DIRECTORY", word(&c.ACMEDirectory, checkDirectory),
			"directory of another authority than Let's Encrypt"),
		set("GUESTPASS_TRUSTED_PROXIES", list(&c.TrustedProxies, checkProxy),
			"address ranges of proxies, or none").without("required behind TLS"),
		set("GUESTPASS_ALLOW_TEST_PROJECT", word(&c.AllowTestProject, oneOf("yes", "no")),
			"yes: serve a test project to the world").or("no"),
		set("GUESTPASS_STOP_GRACE", duration(&c.StopGrace, 0, time.Minute),
			"how long to serve on after SIGTERM, up to 1m").or("5s"),
		set("GUESTPASS_RECENT_PEOPLE", duration(&c.RecentPeople, 0, time.Minute),
			"how old may be what is shown of people, 0s to 1m").or("5s"),
	}
}

func (c *config) offerSettings() []setting {
	return []setting{
		set("GUESTPASS_TITLE", prose(&c.Title, 100), "name of your app").or(defaultTitle).published(),
		set("GUESTPASS_LOGO", line(&c.Logo, checkLogo), "logo for the pages: a file or an https address").
			without("a mark"),
		set("GUESTPASS_COLOR", word(&c.Color, page.CheckColor), "colour of buttons and links, such as #0b6b53").
			without("green").published(),
		set("GUESTPASS_SUPPORT_URL", word(&c.SupportURL, page.CheckSupport),
			"where people find help: https://… or mailto:…").published(),
		set("GUESTPASS_LANGUAGE", word(&c.Language, page.CheckLanguage),
			"language of the pages, such as de").without("each reader's own").published(),
		set("GUESTPASS_WORDS", line(&c.Words, checkWordsFile), "file of words for the pages, as JSON"),
		set("GUESTPASS_MODULES", list(&c.Modules, oneOf(append(modules(), noModules)...)),
			"resources to serve, or none").without("all").published(),
		set("GUESTPASS_OPERATIONS", list(&c.Operations, checkOperationID), "operations to publish").
			without("all").published(),
		set("GUESTPASS_MCP", word(&c.MCP, oneOf("on", "off")), "off: no MCP tools").or("on"),
		set("GUESTPASS_MCP_OPERATIONS", list(&c.MCPOperations, checkOperationID), "operations that become MCP tools").
			without("all that are published").published(),
		set("GUESTPASS_SCOPES", scopes(&c.Scopes), "scopes of an application behind /verify, NAME=MEANING,…").
			published(),
		set("GUESTPASS_PLUGIN_CHALLENGE", word(&c.PluginChallenge, checkChallenge),
			"token by which OpenAI's portal knows your host").published(),
		set("GUESTPASS_APP_URL", word(&c.AppURL, guestpass.CheckAppURL), "page of your app that widgets open").
			without("the page /account").published(),
		set("GUESTPASS_DESCRIPTION", prose(&c.Description, 2000), "what the API is good for, for models").
			without("made of the operations").published(),
		set("GUESTPASS_CONTACT_EMAIL", line(&c.ContactEmail, checkContact), "whom to write to about the API").
			published(),
		set("GUESTPASS_PRIVACY_URL", word(&c.PrivacyURL, checkPrivacyURL), "privacy policy of your own").
			without("the page /privacy").published(),
	}
}

func (c *config) accessSettings() []setting {
	return []setting{
		set("GUESTPASS_ACCESS", word(&c.Access, oneOf(accessModes...)), "what operations are measured against: "+
			"scopes or roles").or(accessModes[0]).published(),
		set("GUESTPASS_LIVE_ROLES", word(&c.LiveRoles, oneOf("on", "off")),
			"off: the scope alone allows a change").or("on"),
		set("GUESTPASS_CLIENT_IDS", list(&c.ClientIDs, clients.CheckWord), "clients admitted, such as claude.ai,…").
			without("all of the project").published(),
		set("GUESTPASS_ADD_SCOPES", word(&c.AddScopes, oneOf("mcp", "all", "off")),
			"add scopes to requests without any: mcp, all or off").or("mcp"),
		set("GUESTPASS_DOCS_CLIENT_ID", word(&c.DocsClientID, checkClientID), "public connected app of the page /docs").
			published(),
		set("GUESTPASS_LOGIN_METHODS", list(&c.LoginMethods, checkLoginMethod), "ways to sign in, such as google,…").
			or("email_code").published(),
		set("GUESTPASS_LOGIN_URL", word(&c.LoginURL, idp.CheckLoginURL), "your own login page, in place of those").
			published(),
		set("GUESTPASS_LOGIN_RETURN_PARAMETER", word(&c.LoginReturn, idp.CheckReturnParameter),
			"its parameter with the address to return to").or(idp.DefaultReturnParameter).published(),
		set("GUESTPASS_LOGIN_TOKEN_PROFILE", word(&c.LoginTokenProfile, idp.CheckTokenProfile),
			"profile of its trusted auth tokens").without("a Stytch session").published(),
		set("GUESTPASS_LOGIN_COOKIE_DOMAIN", word(&c.LoginCookieDomain, idp.CheckCookieDomain),
			"domain of its session's cookies").without("the host alone").published(),
	}
}

func (c *config) tokenSettings() []setting {
	return []setting{
		set("GUESTPASS_AUDIENCE", word(&c.Audience, noLongerThan(200)), "custom audience that tokens must carry"),
		set("GUESTPASS_MAX_TOKEN_LIFETIME", duration(&c.MaxTokenLifetime, auth.ShortestLifetime, auth.LongestLifetime),
			"how long a token may live, 1m to 720h").or("24h"),
		set("GUESTPASS_TOKENS_ISSUED_AFTER", moment(&c.TokensIssuedAfter),
			"refuse tokens issued before, as 2026-12-01T08:00:00Z"),
		set("GUESTPASS_TOKEN_HEADER_MEMBERS", list(&c.TokenHeaderMembers, checkHeaderMember),
			"header members of tokens to admit besides the usual"),
		set("GUESTPASS_TOKEN_FORWARDER", word(&c.TokenForwarder, oneOf("on", "off")),
			"off: ChatGPT uses STYTCH_DOMAIN itself").or("on").published(),
		set("GUESTPASS_INTROSPECT", word(&c.Introspect, oneOf("off", introspectWrites)),
			"writes: ask Stytch before each change").or("off"),
		set("GUESTPASS_INTROSPECT_SECRETS", list(&c.IntrospectSecrets, checkAppSecret),
			"CLIENT_ID=SECRET,… of connected apps, for that").holding(appSecrets, maskApps),
	}
}

func (c *config) storeSettings() []setting {
	all := []setting{
		set("GUESTPASS_DATABASE_URL", line(&c.DatabaseURL, store.CheckURL), "sqlite:PATH or postgres://…").
			without(defaultDatabase).holding(urlSecrets, maskURL),
		set("GUESTPASS_DATABASE_SCHEMA", word(&c.DatabaseSchema, store.CheckSchema), "schema of a Postgres").
			without("guestpass"),
		set("GUESTPASS_DATABASE_CONNECTIONS", number(&c.Connections, store.FewestConnections, 500),
			"how many to a Postgres").without(strconv.Itoa(store.DefaultConnections)),
		set("GUESTPASS_DATABASE_IDLE", duration(&c.Idle, time.Second, 24*time.Hour),
			"after which an unused one is closed").without("10m"),
		set("GUESTPASS_MIGRATE", word(&c.Migrate, oneOf("on", "off")),
			"off: a start changes no table, migrate up does").or("on"),
		set("GUESTPASS_KEEP_DAYS", number(&c.KeepDays, int(store.RestoreWindow/(24*time.Hour)), 36_500),
			"for how many days changes stay on record").or("365"),
		set("GUESTPASS_KEEP_CONNECTIONS_DAYS", number(&c.KeepConnectionsDays, 30, 36_500),
			"and connections that nobody uses").without("as GUESTPASS_KEEP_DAYS"),
		set("GUESTPASS_KEEP_REPLIES_HOURS", number(&c.KeepRepliesHours, int(store.DefaultReplies/time.Hour), 720),
			"for how many hours a repeated key gets its answer").
			or(strconv.Itoa(int(store.DefaultReplies / time.Hour))),
		set("GUESTPASS_ARCHIVE_DIR", line(&c.ArchiveDir, checkFolder), "folder for the record that is not kept"),
		// Room for one full task at least, and for the record of what can still be undone.
		set("GUESTPASS_QUOTA_ACTIVITY", number(&c.ActivityQuota, 100, 10_000_000),
			"how many changes each owner has on record").or("100000"),
		set("GUESTPASS_QUOTA_MEGABYTES", number(&c.MegabyteQuota, 1, 1_000_000), "how much each owner keeps in all").
			or("200"),
	}
	for _, r := range offered {
		for _, q := range r.Quotas {
			quota := set(q.Setting(), number(c.quotaOf(q.Kind), 1, 10_000_000), "how many "+q.Kind+" each owner keeps")
			all = append(all, quota.or(strconv.FormatInt(q.Default, 10)))
		}
	}
	return all
}

func (c *config) limitSettings() []setting {
	return []setting{
		set("GUESTPASS_LIMIT_ADDRESS", number(&c.AddressLimit, 1, mostRequests), "of each address without a token").
			or("3000"),
		set("GUESTPASS_LIMIT_MEMBER", number(&c.MemberLimit, 1, mostRequests), "of each person, through one app").
			without(strconv.Itoa(limits.DefaultMember)), // in development more
		set("GUESTPASS_LIMIT_ORGANIZATION", number(&c.OrganizationLimit, 1, mostRequests), "of each organization").
			or("600"),
		set("GUESTPASS_LIMIT_CLIENT", number(&c.ClientLimit, 1, mostRequests), "through each connected app").or("6000"),
		set("GUESTPASS_MAX_IN_FLIGHT", number(&c.MaxInFlight, 1, mostRequests),
			"operations at once, over all").or("64"),
		set("GUESTPASS_REDIS_URL", line(&c.RedisURL, limits.CheckRedisURL), "Redis in which instances count together").
			holding(urlSecrets, maskURL),
	}
}

// quotaOf returns a pointer to the quota of a kind.
func (c *config) quotaOf(kind string) *int {
	if c.Quotas == nil {
		c.Quotas = map[string]*int{}
	}
	if c.Quotas[kind] == nil {
		c.Quotas[kind] = new(int)
	}
	return c.Quotas[kind]
}

// mostRequests is the highest limit. Limits are requests a minute, but for those in flight.
const mostRequests = 1_000_000

// defaultTitle is the app's title if nobody chose one.
const defaultTitle = "Guestpass"
