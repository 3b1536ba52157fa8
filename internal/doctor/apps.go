package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"guestpass/directory"
	"guestpass/internal/stytch"
)

// appChecks are about who may connect: clients that come by themselves, and connected apps that somebody made.
var appChecks = []Check[*visit]{
	{Name: "clients", Asks: "does GUESTPASS_CLIENT_IDS let MCP clients in?",
		Expected: "hosts of clients that come with a document of their own, or the word dynamic",
		Remedy:   "add hosts such as chatgpt.com,claude.ai or the word dynamic, or say GUESTPASS_MCP=off",
		Look:     lookAtClients},
	{Name: "registration", Asks: "may clients register themselves, where GUESTPASS_CLIENT_IDS admits them?",
		Expected: "Dynamic Client Registration switched on",
		Remedy:   "switch on Dynamic Client Registration under Connected Apps in the Stytch dashboard",
		Look:     lookAtRegistration},
	{Name: "metadata-documents", Asks: "may clients come with a document of their own, where they are admitted?",
		Expected: "Client ID Metadata Documents switched on",
		Remedy:   "switch on Client ID Metadata Documents under Connected Apps in the Stytch dashboard",
		Look:     lookAtDocuments},
	{Name: "apps", Asks: "has the project the connected apps that the settings name, and are they active?",
		Expected: "active connected apps of the project",
		Remedy: "compare GUESTPASS_CLIENT_IDS, GUESTPASS_DOCS_CLIENT_ID and GUESTPASS_TRY_CLIENT_ID with Connected " +
			"Apps in the Stytch dashboard",
		Look: lookAtApps},
	{Name: "app-types", Asks: "are they of the types that their clients can use (PKCE)?",
		Expected: "third party; confidential for a GPT, which sends no PKCE; public for /docs, which has no secret",
		Remedy: "make the app anew with the right type under Connected Apps in the Stytch dashboard: a type cannot " +
			"be changed",
		Look: eachApp((*visit).typeOf, "third party, confidential or public as their clients need")},
	{Name: "callbacks", Asks: "are the redirect URLs of the connected apps those that their clients return to?",
		Remedy: "add it to the redirect URLs of the app under Connected Apps in the Stytch dashboard",
		Look:   eachApp((*visit).callbacksOf, "the redirect URLs are as their clients need")},
	{Name: "token-lifetime", Asks: "do access tokens live no longer than GUESTPASS_MAX_TOKEN_LIFETIME?",
		Remedy: "raise GUESTPASS_MAX_TOKEN_LIFETIME, or lower the access token expiry of the app under Connected " +
			"Apps in the Stytch dashboard: longer tokens are refused",
		Look: eachApp((*visit).lifetimeOf, "tokens live no longer than is taken")},
	{Name: "audience", Asks: "is the custom audience of the connected apps GUESTPASS_AUDIENCE?",
		Remedy: "set GUESTPASS_AUDIENCE to the custom audience of the app under Connected Apps in the Stytch " +
			"dashboard, or leave out both: tokens with another audience are refused",
		Look: eachApp((*visit).audienceOf, "the custom audience is as the setting says")},
	{Name: "app-secrets", Asks: "does Stytch take the secrets of GUESTPASS_INTROSPECT_SECRETS?",
		Expected: "the secret of each connected app",
		Remedy: "copy the secret again when it is rotated under Connected Apps in the Stytch dashboard: every write " +
			"through this app fails until it is right",
		Look: lookAtAppSecrets},
}

// An app is a connected app that the settings name, with what kept it from being looked up.
type app struct {
	stytch.ConnectedApp
	docs bool // the one of the page /docs
	try  bool // only `guestpass try` and a GPT are known to use it: nobody else is kept out
	err  error
}

// told returns a finding about the app, which is no worse than a warning if it concerns a trial alone.
func (a app) told(f Finding) Finding {
	if a.try && f.Severity == Error {
		f.Severity = Warning
	}
	return f
}

func (s Server) lookUpApps(ctx context.Context) (apps []app) {
	for _, id := range s.Clients.IDs {
		if id != s.DocsClientID {
			apps = append(apps, app{ConnectedApp: stytch.ConnectedApp{ID: id}})
		}
	}
	if s.DocsClientID != "" {
		apps = append(apps, app{ConnectedApp: stytch.ConnectedApp{ID: s.DocsClientID}, docs: true})
	}
	if id := s.TryClientID; id != "" && id != s.DocsClientID && !s.Clients.Lists(id) {
		apps = append(apps, app{ConnectedApp: stytch.ConnectedApp{ID: id}, try: true})
	}
	var hangs error // which one app shows for all
	for i := range apps {
		if apps[i].err = hangs; hangs != nil {
			continue
		}
		found, err := s.lookUpApp(ctx, apps[i].ID)
		if apps[i].err = err; err == nil {
			apps[i].ConnectedApp = found
		} else if errors.Is(err, context.DeadlineExceeded) {
			hangs = err
		}
	}
	return apps
}

func (s Server) lookUpApp(ctx context.Context, id string) (stytch.ConnectedApp, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.Stytch.ConnectedApp(stytch.InBackground(ctx), id)
}

func lookAtClients(_ context.Context, v *visit) Finding {
	switch id := v.TryClientID; {
	case id != "" && !v.Clients.Everyone() && !v.Clients.Lists(id):
		return Doubtful("GUESTPASS_CLIENT_IDS does not admit the connected app of GUESTPASS_TRY_CLIENT_ID, %s: to "+
			"`guestpass try`, and to a GPT with it, the page says Unknown application", id).
			Expecting("it among GUESTPASS_CLIENT_IDS").
			MendedBy("add it to GUESTPASS_CLIENT_IDS, or leave GUESTPASS_TRY_CLIENT_ID out")
	case !v.MCP:
		return Well("the operations are no MCP tools")
	case v.Clients.Everyone():
		return Well("every client of the project is admitted")
	case len(v.Clients.Hosts) == 0:
		return Doubtful("only the connected apps that GUESTPASS_CLIENT_IDS lists can use the tools at /mcp: " +
			"ChatGPT's plugins, Claude and others come with a document of their own, or register themselves")
	}
	return Well("clients of %s are admitted", strings.Join(v.Clients.Hosts, ", "))
}

func lookAtRegistration(_ context.Context, v *visit) Finding {
	m, err := v.metadata()
	switch {
	case err != nil:
		return NotLooked("the metadata could not be read; see issuer and authorization-url")
	case m.RegistrationEndpoint != "":
		return Well("Dynamic Client Registration is on")
	case v.Clients.Dynamic:
		return Doubtful("Dynamic Client Registration is off, and GUESTPASS_CLIENT_IDS admits clients that register " +
			"themselves")
	}
	return Well("Dynamic Client Registration is off, and GUESTPASS_CLIENT_IDS does not ask for it")
}

func lookAtDocuments(_ context.Context, v *visit) Finding {
	m, err := v.metadata()
	switch {
	case err != nil:
		return NotLooked("the metadata could not be read; see issuer and authorization-url")
	case m.TakesDocuments:
		return Well("Client ID Metadata Documents are on")
	case len(v.Clients.Hosts) > 0:
		return Wrong("Client ID Metadata Documents are off, and clients of %s identify themselves by one",
			strings.Join(v.Clients.Hosts, ", "))
	case v.MCP && v.Clients.Everyone() && m.RegistrationEndpoint == "":
		return Doubtful("Client ID Metadata Documents and Dynamic Client Registration are off: MCP clients cannot " +
			"connect by themselves")
	}
	return Well("Client ID Metadata Documents are off, and GUESTPASS_CLIENT_IDS names no hosts")
}

func lookAtApps(_ context.Context, v *visit) Finding {
	var names []string
	for _, a := range v.apps() {
		switch {
		case errors.Is(a.err, directory.ErrNotFound):
			return a.told(Wrong("the project has no connected app %s", a.ID))
		case errors.Is(a.err, directory.ErrCredentials):
			return NotLooked("it cannot be told without a secret that Stytch takes; see secret")
		case a.err != nil:
			return unanswered(a.err)
		case a.Status != "" && a.Status != "active":
			return a.told(Wrong("the connected app %s (%s) is %s", a.Name, a.ID, a.Status))
		}
		names = append(names, fmt.Sprintf("%s (%s)", a.Name, a.ID))
	}
	if len(names) == 0 {
		return Well("the settings name no connected apps")
	}
	return Well("the project has %s", strings.Join(names, ", "))
}

// eachApp returns a check of one thing at all connected apps that could be looked up, and what it says if all are well.
func eachApp(look func(*visit, app) Finding, well string) func(context.Context, *visit) Finding {
	return func(_ context.Context, v *visit) Finding {
		apps := v.apps()
		known := slices.DeleteFunc(slices.Clone(apps), func(a app) bool { return a.err != nil })
		worst := Well("%s", well)
		for _, a := range known {
			if f := a.told(look(v, a)); Worst([]Finding{worst, f}) != worst.Severity {
				worst = f
			}
		}
		switch {
		case len(apps) == 0:
			return Well("the settings name no connected apps")
		case len(known) < len(apps) && !worst.Fails():
			return NotLooked("not all connected apps could be looked up; see apps")
		}
		return worst
	}
}

func (v *visit) typeOf(a app) Finding {
	public := strings.HasSuffix(a.Type, "_public")
	switch {
	case a.Type == "":
		return Well("")
	case a.docs && !public:
		return Wrong("the connected app of /docs (%s) is confidential, and a page keeps no secret", a.ID)
	case public && len(gptCallbacks(a)) > 0:
		return Wrong("the connected app %s (%s) is public, so that PKCE is demanded, which GPTs do not send", a.Name,
			a.ID)
	case !strings.HasPrefix(a.Type, "third_party"):
		return Doubtful("the connected app %s (%s) is of the type %s", a.Name, a.ID, a.Type)
	}
	return Well("")
}

// chatGPTHosts are those to which GPTs return; ChatGPT uses both.
var chatGPTHosts = []string{"chat.openai.com", "chatgpt.com"}

// gptCallbacks returns the redirect URLs of an app that are those of GPTs, without scheme and host, by host.
func gptCallbacks(a app) map[string][]string {
	found := map[string][]string{}
	for _, redirect := range a.RedirectURLs {
		u, err := url.Parse(redirect)
		if err == nil && slices.Contains(chatGPTHosts, u.Host) && strings.HasPrefix(u.Path, "/aip/") {
			found[u.Host] = append(found[u.Host], u.RequestURI())
		}
	}
	return found
}

func (v *visit) callbacksOf(a app) Finding {
	if docs := v.PublicURL + "/docs"; a.docs {
		if !slices.Contains(a.RedirectURLs, docs) {
			return Wrong("the connected app of /docs (%s) does not have %s as redirect URL", a.ID, docs).
				Expecting("%s", docs)
		}
		return Well("")
	}
	if len(a.RedirectURLs) == 0 && a.MetadataURL == "" {
		return Wrong("the connected app %s (%s) has no redirect URL", a.Name, a.ID).
			Expecting("the callback URL that its client shows")
	}
	callbacks := gptCallbacks(a)
	for i, host := range chatGPTHosts {
		other := chatGPTHosts[1-i]
		for _, callback := range callbacks[host] {
			if !slices.Contains(callbacks[other], callback) {
				return Doubtful("the connected app %s (%s) has the callback of a GPT on %s alone, and ChatGPT uses "+
					"both hosts", a.Name, a.ID, host).Expecting("https://%s%s, too", other, callback)
			}
		}
	}
	return Well("")
}

func (v *visit) lifetimeOf(a app) Finding {
	if a.TokenLifetime > v.TokenLifetime {
		return Wrong("tokens of the connected app %s (%s) live %s, and this server takes %s at most", a.Name, a.ID,
			a.TokenLifetime, v.TokenLifetime).Expecting("%s or less", v.TokenLifetime)
	}
	return Well("")
}

func (v *visit) audienceOf(a app) Finding {
	switch {
	case a.Audience == v.Audience:
	case a.Audience == "":
		return Wrong("the connected app %s (%s) has no custom audience, and GUESTPASS_AUDIENCE demands one", a.Name,
			a.ID).Expecting("the custom audience %s", v.Audience)
	case !slices.Contains(v.Resources, a.Audience) || v.Audience != "":
		return Wrong("the connected app %s (%s) has the custom audience %s", a.Name, a.ID, a.Audience).
			Expecting("%s", otherwise(v.Audience, "none, since GUESTPASS_AUDIENCE is not set"))
	}
	return Well("")
}

// noToken is what Stytch is asked about to see whether it takes a secret.
const noToken = "guestpass-doctor" // #nosec G101 -- no token

func lookAtAppSecrets(ctx context.Context, v *visit) Finding {
	for _, id := range v.WithSecret {
		ctx, cancel := context.WithTimeout(ctx, patience)
		_, err := v.Stytch.Introspect(stytch.InBackground(ctx), noToken, "", id)
		cancel()
		switch {
		case errors.Is(err, directory.ErrCredentials):
			return Wrong("Stytch refuses the secret of the connected app %s", id)
		case err != nil:
			return unanswered(err)
		}
	}
	if len(v.WithSecret) == 0 {
		return Well("no secrets of connected apps are set")
	}
	return Well("Stytch takes the %s", verb(len(v.WithSecret), "secret", "%d secrets"))
}

func otherwise(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// verb returns the words for one, or for several with their number.
func verb(number int, one, several string) string {
	if number == 1 {
		return one
	}
	return fmt.Sprintf(several, number)
}
