package cli

import (
	"strconv"
	"time"

	"guestpass/auth"
	"guestpass/internal/clients"
	"guestpass/internal/limits"
	"guestpass/store"
)

// A setting is one variable of the environment: its name, the form that its value must have, its default, and who sees
// it.
type setting struct {
	name      string
	take      form
	otherwise string                      // in the same form; "" for nothing
	shown     bool                        // on pages, in the document, in metadata or in a header
	secrets   func(value string) []string // what nothing may show of the value; nil: it has no secrets
}

func set(name string, take form) setting { return setting{name: name, take: take} }

func (s setting) or(value string) setting { s.otherwise = value; return s }

func (s setting) published() setting { s.shown = true; return s }

func (s setting) holding(secrets func(string) []string) setting { s.secrets = secrets; return s }

// settings declares every variable, once. docs/settings.md tells what each means.
func (c *config) settings() []setting {
	all := []setting{
		set("GUESTPASS_ADDR", word(&c.Addr, checkAddr)).or("localhost:8080"),
		set("GUESTPASS_PUBLIC_URL", webOrigin(&c.PublicURL, checkPublicURL)).published(),
		set("GUESTPASS_TITLE", prose(&c.Title, 100)).or(defaultTitle).published(),
		set("GUESTPASS_DATABASE_URL", line(&c.DatabaseURL, store.CheckURL)).holding(urlSecrets),
		set("GUESTPASS_DATABASE_SCHEMA", word(&c.DatabaseSchema, store.CheckSchema)),
		set("GUESTPASS_MODULES", list(&c.Modules, oneOf(append(modules(), noModules)...))).published(),
		set("GUESTPASS_SCOPES", scopes(&c.Scopes)).published(),
		set("GUESTPASS_OPERATIONS", list(&c.Operations, checkOperationID)).published(),
		set("GUESTPASS_MCP", word(&c.MCP, oneOf("on", "off"))).or("on"),
		set("GUESTPASS_MCP_OPERATIONS", list(&c.MCPOperations, checkOperationID)).published(),
		set("GUESTPASS_DESCRIPTION", prose(&c.Description, 2000)).published(),
		set("GUESTPASS_CONTACT_EMAIL", line(&c.ContactEmail, checkContact)).published(),
		set("GUESTPASS_PRIVACY_URL", word(&c.PrivacyURL, checkPrivacyURL)).published(),
		set("GUESTPASS_ACCESS", word(&c.Access, oneOf(accessModes...))).or(accessModes[0]).published(),
		set("GUESTPASS_LIVE_ROLES", word(&c.LiveRoles, oneOf("on", "off"))).or("on"),
		set("GUESTPASS_CLIENT_IDS", list(&c.ClientIDs, clients.CheckWord)).published(),
		set("GUESTPASS_ADD_SCOPES", word(&c.AddScopes, oneOf("mcp", "all", "off"))).or("mcp"),
		set("GUESTPASS_DOCS_CLIENT_ID", word(&c.DocsClientID, checkClientID)).published(),
		set("GUESTPASS_AUDIENCE", word(&c.Audience, noLongerThan(200))),
		set("GUESTPASS_TOKEN_HEADER_MEMBERS", list(&c.TokenHeaderMembers, checkHeaderMember)),
		set("GUESTPASS_LOGIN_METHODS", list(&c.LoginMethods, checkLoginMethod)).or("email_code").published(),
		set("GUESTPASS_TOKEN_FORWARDER", word(&c.TokenForwarder, oneOf("on", "off"))).or("on").published(),
		set("GUESTPASS_INTROSPECT", word(&c.Introspect, oneOf("off", introspectWrites))).or("off"),
		set("GUESTPASS_INTROSPECT_SECRETS", list(&c.IntrospectSecrets, checkAppSecret)).holding(appSecrets),
		set("GUESTPASS_ALLOW_TEST_PROJECT", word(&c.AllowTestProject, oneOf("yes", "no"))).or("no"),
		set("GUESTPASS_MAX_TOKEN_LIFETIME",
			duration(&c.MaxTokenLifetime, auth.ShortestLifetime, auth.LongestLifetime)).or("24h"),
		set("GUESTPASS_STOP_GRACE", duration(&c.StopGrace, 0, time.Minute)).or("5s"),

		set("GUESTPASS_TRUSTED_PROXIES", list(&c.TrustedProxies, checkProxy)),
		set("GUESTPASS_REDIS_URL", line(&c.RedisURL, limits.CheckRedisURL)).holding(urlSecrets),
		set("GUESTPASS_LIMIT_ADDRESS", number(&c.AddressLimit, 1, mostRequests)).or("3000"),
		set("GUESTPASS_LIMIT_MEMBER", number(&c.MemberLimit, 1, mostRequests)), // see memberLimit
		set("GUESTPASS_LIMIT_ORGANIZATION", number(&c.OrganizationLimit, 1, mostRequests)).or("600"),
		set("GUESTPASS_LIMIT_CLIENT", number(&c.ClientLimit, 1, mostRequests)).or("6000"),
		set("GUESTPASS_MAX_IN_FLIGHT", number(&c.MaxInFlight, 1, mostRequests)).or("64"),
		// Room for one full task at least, and for the record of what can still be undone.
		set("GUESTPASS_QUOTA_ACTIVITY", number(&c.ActivityQuota, 100, 10_000_000)).or("100000"),
		set("GUESTPASS_QUOTA_MEGABYTES", number(&c.MegabyteQuota, 1, 1_000_000)).or("200"),
		set("GUESTPASS_KEEP_DAYS", number(&c.KeepDays, int(store.RestoreWindow/(24*time.Hour)), 36_500)).or("365"),

		set("STYTCH_PROJECT_ID", word(&c.ProjectID, checkProjectID)).published(),
		set("STYTCH_SECRET", word(&c.Secret, checkProjectSecret)).holding(projectSecret),
		set("STYTCH_PUBLIC_TOKEN", word(&c.PublicToken, checkPublicToken)).published(),
		set("STYTCH_VERTICAL", word(&c.Vertical, oneOf(verticals...))).or(verticals[0]).published(),
		set("STYTCH_DOMAIN", list(&c.Domains, checkDomain)).published(), // the first is shown
		set("STYTCH_BASE_URL", webOrigin(&c.BaseURL, checkEmulatorURL)),

		set("GUESTPASS_TRY_CLIENT_SECRET", word(&c.TryClientSecret, checkClientSecret)).holding(projectSecret),
	}
	for _, r := range offered {
		for _, q := range r.Quotas {
			quota := set(q.Setting(), number(c.quotaOf(q.Kind), 1, 10_000_000))
			all = append(all, quota.or(strconv.FormatInt(q.Default, 10)))
		}
	}
	return all
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
