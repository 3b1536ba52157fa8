package stytchtest

import (
	_ "embed"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"guestpass/stytchtest/internal/page"
	"guestpass/stytchtest/internal/wire"
)

// The providers that the browser SDK has buttons for, in each vertical.
var oauthProviders = map[string][]string{
	b2b.name: {"google", "microsoft", "hubspot", "slack", "github"},
	consumer.name: {"amazon", "apple", "bitbucket", "coinbase", "discord", "facebook", "figma", "github", "gitlab",
		"google", "linkedin",
		"microsoft", "salesforce", "slack", "snapchat", "tiktok", "twitch", "twitter", "yahoo"},
}

const loginLifetime = 10 * time.Minute

// startOAuth begins a sign-in at a provider, whom a page of the emulator stands in for.
// The browser comes here by itself, so that mistakes are answered as JSON on a page.
func (e *Emulator) startOAuth(discovery bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		token, bad := e.beginLogin(r, discovery)
		e.mu.Unlock()
		if bad != nil {
			bad.Answer(w)
			return
		}
		// #nosec G710 -- begins with a path, and the token is made here
		http.Redirect(w, r, "/_emulator/provider/"+token, http.StatusFound)
	}
}

func (e *Emulator) beginLogin(r *http.Request, discovery bool) (string, *wire.Failure) {
	query := r.URL.Query()
	provider := chi.URLParam(r, "provider")
	switch public := query.Get("public_token"); {
	case public == "":
		return "", wire.Fail(http.StatusBadRequest, "public_token_required", "public_token is required.")
	case !e.state.project.hasPublicToken(public):
		return "", wire.NotFound("public_token_not_found", "No project has this public token.")
	case !e.state.project.sdkAllows("basic", "enabled") || !e.state.project.sdkAllows("oauth", "enabled"):
		return "", notForSDK
	case !slices.Contains(oauthProviders[e.vertical.name], provider):
		return "", wire.Fail(http.StatusBadRequest, "invalid_oauth_provider",
			"There is no OAuth provider "+provider+".")
	}
	l := &oauthLogin{Provider: provider, Kind: "oauth", Challenge: query.Get("pkce_code_challenge") +
		query.Get("code_challenge"), Expires: e.now().Add(loginLifetime)}
	if e.state.project.needsPKCE("oauth") && l.Challenge == "" {
		return "", wire.Fail(http.StatusBadRequest, "pkce_expected_code_challenge", "The project requires PKCE.")
	}
	var bad *wire.Failure
	if discovery {
		l.Kind = "discovery_oauth"
		l.Redirect, bad = e.redirectURL(query.Get("discovery_redirect_url"), "DISCOVERY", unknownOAuthURL)
	} else {
		bad = e.locate(l, query)
	}
	if bad != nil {
		return "", bad
	}
	token := secret()
	e.state.Logins[token] = l
	return token, nil
}

const unknownOAuthURL = "no_match_for_provided_oauth_url"

// locate finds the organization that a login is for, if there are any, and where it leads:
// one URL for those who are known and one for those who are new. Without one of its own
// the latter is the former.
func (e *Emulator) locate(l *oauthLogin, query url.Values) (bad *wire.Failure) {
	if e.vertical.name == b2b.name {
		if l.OrganizationID, bad = e.located(query.Get("organization_id"), query.Get("slug")); bad != nil {
			return bad
		}
	}
	if l.Redirect, bad = e.redirectURL(query.Get("login_redirect_url"), "LOGIN", unknownOAuthURL); bad != nil {
		return bad
	}
	if l.SignupRedirect, bad = e.redirectURL(query.Get("signup_redirect_url"), "SIGNUP", unknownOAuthURL); bad != nil &&
		query.Get("signup_redirect_url") == "" {
		l.SignupRedirect, bad = l.Redirect, nil
	}
	return bad
}

// located names the organization in one of two ways.
func (e *Emulator) located(id, slug string) (string, *wire.Failure) {
	switch o := e.state.organization(id + slug); {
	case id+slug == "":
		return "", wire.Fail(http.StatusBadRequest, "missing_oauth_organization_locator",
			"Give organization_id or slug.")
	case id != "" && slug != "":
		return "", wire.Fail(http.StatusBadRequest, "too_many_oauth_organization_locators",
			"Give organization_id or slug, not both.")
	case o == nil:
		return "", organizationNotFound
	default:
		return o.ID, nil
	}
}

// provider is the page of the stand-in, and the return from it once somebody was chosen.
func (e *Emulator) provider(w http.ResponseWriter, r *http.Request) {
	token, email := chi.URLParam(r, "login"), r.URL.Query().Get("email")
	e.mu.Lock()
	l := e.state.Logins[token]
	if l == nil || l.Email != "" || !e.now().Before(l.Expires) {
		e.mu.Unlock()
		wire.NotFound("oauth_login_not_found",
			"This sign-in was used already or has expired; begin again in the app.").Answer(w)
		return
	}
	data := page.Provider{Name: strings.ToUpper(l.Provider[:1]) + l.Provider[1:], Chosen: email}
	if goodAddress(email) {
		l.Email = email
		back := l.Redirect
		if p := e.state.personIn(l.OrganizationID, email); l.SignupRedirect != "" && !p.mayAct() {
			back = l.SignupRedirect
		}
		back = withQuery(back, "stytch_token_type", l.Kind, "token", token)
		e.mu.Unlock()
		http.Redirect(w, r, back, http.StatusFound) // #nosec G710 -- beginLogin let only registered addresses in
		return
	}
	for _, p := range e.state.people {
		if p.status != "deleted" && !slices.Contains(data.Emails(), p.email()) {
			data.People = append(data.People, page.Candidate{Name: p.fullName(), Email: p.email(),
				Link: "?email=" + url.QueryEscape(p.email())})
		}
	}
	e.mu.Unlock()
	if err := data.Write(w); err != nil {
		e.log.Error("page", "error", err)
	}
}

// oauthLogin finds a login that somebody has continued, without spending it.
func (e *Emulator) oauthLogin(c *call, token, kind string) (*oauthLogin, *wire.Failure) {
	l := e.state.Logins[token]
	if l == nil || l.Kind != kind || l.Email == "" || !e.now().Before(l.Expires) {
		return nil, wire.NotFound("oauth_token_not_found", "The OAuth token was used already or has expired.")
	}
	return l, c.checkVerifier(l.Challenge)
}

// subject returns the account's name at the provider; the same address is the same account.
func (l *oauthLogin) subject() string { return l.Provider + "-" + strings.ToLower(l.Email) }

// register remembers that the person has signed in at a provider.
func (p *person) register(provider, subject string) {
	if provider != "" && p.registration(provider).ID == "" {
		p.providers = append(slices.Clone(p.providers), OAuthProvider{ID: wire.NewID("oauth-registration"),
			Provider: provider, Subject: subject})
	}
}

func (e *Emulator) authenticateDiscoveryOAuth(c *call) (any, *wire.Failure) {
	token := c.Text("discovery_oauth_token")
	l, bad := e.oauthLogin(c, token, "discovery_oauth")
	if bad != nil {
		return nil, bad
	}
	delete(e.state.Logins, token)
	reply := e.discovered(l.Email, factor{Type: "oauth", Provider: l.Provider})
	e.state.Intermediates[reply["intermediate_session_token"].(string)].Subject = l.subject()
	reply["provider_type"], reply["provider_tenant_id"], reply["provider_tenant_ids"], reply["full_name"] = l.Provider,
		"", []any{}, ""
	return reply, nil
}

// authenticateOAuth signs in to the organization of the login, or a user, who may be new.
func (e *Emulator) authenticateOAuth(c *call) (any, *wire.Failure) {
	token := c.Text("token")
	if e.vertical.name == b2b.name {
		token = c.Text("oauth_token")
	}
	l, bad := e.oauthLogin(c, token, "oauth")
	if bad != nil {
		return nil, bad
	}
	p := e.state.personIn(l.OrganizationID, l.Email)
	if p == nil && e.vertical.name == consumer.name {
		p = e.newUser(l.Email)
	}
	if o := e.state.organization(l.OrganizationID); p == nil && o.admits(l.Email) {
		p = e.newMember(o, l.Email)
	}
	if p == nil {
		return nil, memberNotFound
	}
	p.register(l.Provider, l.subject())
	reply, bad := e.signIn(c, p, factor{Type: "oauth", Provider: l.Provider})
	if bad != nil {
		return nil, bad
	}
	delete(e.state.Logins, token)
	reply["provider_type"], reply["provider_subject"], reply["oauth_user_registration_id"] = l.Provider, l.subject(),
		p.registration(l.Provider).ID
	reply["provider_values"] = map[string]any{"access_token": "", "refresh_token": "", "id_token": "",
		"scopes": []any{}}
	reply["reset_sessions"] = false
	if e.vertical.name == consumer.name {
		reply["user_session"] = reply["session"] // its name here; the browser SDK reads the other one
	}
	return reply, nil
}
