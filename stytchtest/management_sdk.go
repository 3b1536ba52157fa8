package stytchtest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"guestpass/stytchtest/internal/loopback"
	"guestpass/stytchtest/internal/wire"
)

// The configuration of the frontend SDK: who may use it from where, for what. It is kept as it was set, since most of
// it has no effect here.

// sdkParts are the members that a configuration has, by vertical.
var sdkParts = map[string][]string{
	b2b.name: {"basic", "sessions", "magic_links", "oauth", "totps", "sso", "otps", "dfppa", "passwords", "cookies",
		"user_impersonation"},
	consumer.name: {"basic", "sessions", "magic_links", "otps", "oauth", "totps", "webauthn", "crypto_wallets", "dfppa",
		"biometrics", "passwords", "cookies", "user_impersonation"},
}

func (e *Emulator) getSDK(*call) (any, *wire.Failure) {
	config := map[string]any{}
	for _, part := range sdkParts[e.vertical.name] {
		config[part] = map[string]any{}
	}
	if p := e.state.project; p.SDK == nil {
		maps.Copy(config, e.everythingOn())
	} else {
		maps.Copy(config, p.SDK)
	}
	return map[string]any{"config": config}, nil
}

// everythingOn is the configuration of a seed that has none.
func (e *Emulator) everythingOn() map[string]any {
	p, domains := e.state.project, []any{}
	origins := []string{loopback.Origin(p.AuthorizationURL)}
	for _, u := range p.RedirectURLs {
		origins = append(origins, loopback.Origin(u.URL))
	}
	slices.Sort(origins)
	for _, origin := range slices.Compact(origins) {
		switch {
		case origin == "":
		case e.vertical.name == b2b.name:
			domains = append(domains, map[string]any{"domain": origin, "slug_pattern": ""})
		default:
			domains = append(domains, origin)
		}
	}
	on := func(names ...string) map[string]any {
		part := map[string]any{"pkce_required": p.PKCERequired}
		for _, name := range names {
			part[name] = true
		}
		return part
	}
	return map[string]any{
		"basic": map[string]any{"enabled": true, "domains": domains, "bundle_ids": []any{},
			"allow_self_onboarding": !p.NoOrganizationCreation, "enable_member_permissions": true},
		"sessions":    map[string]any{"max_session_duration_minutes": longestSession},
		"magic_links": on("enabled", "login_or_create_enabled", "send_enabled"),
		"oauth":       on("enabled"),
		"otps": map[string]any{"email_enabled": true, "email_login_or_create_enabled": true,
			"email_send_enabled": true},
		"passwords": map[string]any{"enabled": true, "pkce_required_for_password_resets": p.PKCERequired},
		"dfppa":     map[string]any{"enabled": "DISABLED", "on_challenge": "ALLOW"},
		"cookies":   map[string]any{"http_only": "DISABLED"},
	}
}

// sdkValues are those that a member may have, where there are few.
var sdkValues = map[string][]string{"dfppa.enabled": {"ENABLED", "PASSIVE", "DISABLED"},
	"dfppa.on_challenge": {"ALLOW", "BLOCK", "TRIGGER_CAPTCHA"},
	"cookies.http_only":  {"DISABLED", "ENABLED", "ENFORCED"}}

func (e *Emulator) replaceSDK(c *call) (any, *wire.Failure) {
	config, _ := c.Body["config"].(map[string]any)
	if config == nil {
		return nil, c.Unreadable(http.StatusBadRequest, "config is required.")
	}
	kept := map[string]any{}
	for name, value := range config {
		part, isObject := value.(map[string]any)
		if !slices.Contains(sdkParts[e.vertical.name], name) || value != nil && !isObject {
			return nil, c.Unreadable(http.StatusBadRequest,
				"The configuration of this vertical has no object "+name+".")
		}
		for member, allowed := range sdkValues {
			of, member, _ := strings.Cut(member, ".")
			if value, given := part[member]; of == name && given && !slices.Contains(allowed, text(value)) {
				return nil, c.Unreadable(http.StatusBadRequest, of+"."+member+" must be one of "+
					strings.Join(allowed, ", ")+".")
			}
		}
		kept[name] = part
	}
	if bad := e.checkSDK(c, Project{SDK: kept, Vertical: e.vertical.name}); bad != nil {
		return nil, bad
	}
	e.state.project.SDK = cloneJSON(kept)
	return e.getSDK(c)
}

// checkSDK looks at what has an effect.
func (e *Emulator) checkSDK(c *call, p Project) *wire.Failure {
	if minutes, given := p.sdkMember("sessions", "max_session_duration_minutes").(float64); given &&
		(minutes < 5 || minutes > longestSession) {
		return wire.Fail(http.StatusBadRequest, "invalid_session_duration_minutes",
			"max_session_duration_minutes must be between 5 and 527040.")
	}
	listed, _ := p.sdkMember("basic", "domains").([]any)
	if len(listed) != len(p.sdkDomains()) {
		return c.Unreadable(http.StatusBadRequest, "Each of basic.domains must be the origin of pages, "+
			"in a B2B project as the member domain of an object.")
	}
	return nil
}

func badVertical(*call) (any, *wire.Failure) {
	return nil, wire.Fail(http.StatusBadRequest, "invalid_vertical", "The project is of the other vertical.")
}

func badVerticalForSDK(*call) (any, *wire.Failure) {
	return nil, wire.Fail(http.StatusBadRequest, "bad_vertical_for_stytch_sdk",
		"The project is of the other vertical: use the SDK's client for that.")
}

func text(value any) string { s, _ := value.(string); return s }

// cloneJSON returns a copy of its own.
func cloneJSON(of map[string]any) (copied map[string]any) {
	data, err := json.Marshal(of)
	if err == nil {
		err = json.Unmarshal(data, &copied)
	}
	if err != nil {
		panic(err) // plain data
	}
	return copied
}

func (p Project) sdkMember(part, member string) any {
	of, _ := p.SDK[part].(map[string]any)
	return of[member]
}

// sdkAllows reports whether the configuration has the flag.
func (p Project) sdkAllows(part, member string) bool {
	on, _ := p.sdkMember(part, member).(bool)
	return on || p.SDK == nil
}

// sdkDomains returns the authorized domains, as origins.
func (p Project) sdkDomains() (origins []string) {
	listed, _ := p.sdkMember("basic", "domains").([]any)
	for _, entry := range listed {
		domain := text(entry)
		if p.Vertical == b2b.name {
			of, _ := entry.(map[string]any)
			domain = text(of["domain"])
		}
		if origin := loopback.Origin(domain); origin != "" {
			origins = append(origins, origin)
		}
	}
	return origins
}

// needsPKCE reports whether the SDK must send a code challenge: for magic_links, passwords (their resets) or oauth.
func (p Project) needsPKCE(part string) bool {
	if p.SDK == nil {
		return p.PKCERequired
	}
	return p.sdkAllows(part, "pkce_required") || p.sdkAllows(part, "pkce_required_for_password_resets")
}

// fingerprints reports whether the SDK is to take the fingerprint of a device.
func (p Project) fingerprints() bool {
	setting := text(p.sdkMember("dfppa", "enabled"))
	return setting == "ENABLED" || setting == "PASSIVE"
}

// longestSession is the most that Stytch admits, in minutes.
const longestSession = 527_040

func (p Project) longestSession() int {
	if minutes, given := p.sdkMember("sessions", "max_session_duration_minutes").(float64); given {
		return int(minutes)
	}
	return longestSession
}

// authorizedDomain refuses pages of other origins than the configuration has, and requests that name none.
func (e *Emulator) authorizedDomain(c *call) *wire.Failure {
	p, origin := e.state.project, c.Request.Header.Get("Origin")
	if p.SDK == nil || slices.Contains(p.sdkDomains(), origin) {
		return nil
	}
	if origin == "" {
		origin = "null"
	}
	return wire.Fail(http.StatusBadRequest, "bad_domain_for_stytch_sdk",
		"This website has not been registered as an allowed domain for the Stytch SDK: "+origin+".")
}

// sdkRefuses looks whether the configuration lets a call of the SDK through.
func (e *Emulator) sdkRefuses(c *call) *wire.Failure {
	p := e.state.project
	if bad := e.authorizedDomain(c); bad != nil {
		return bad
	}
	path := strings.TrimPrefix(strings.TrimPrefix(c.Request.URL.Path, "/sdk/v1"), e.vertical.path)
	if !p.sdkAllows("basic", "enabled") || !p.offers(path) {
		return notForSDK
	}
	if text(p.sdkMember("cookies", "http_only")) == "ENFORCED" && !slices.Contains(e.options.Hosts, c.Request.Host) {
		return wire.Fail(http.StatusBadRequest, "cname_required_for_http_only_cookies",
			"The project enforces HttpOnly cookies, which need a custom domain.")
	}
	if p.Captcha && starts(path) && c.Text("captcha_token") == "" {
		return wire.Fail(http.StatusBadRequest, "captcha_required", "A captcha must be solved first.")
	}
	return nil
}

var notForSDK = wire.Fail(http.StatusForbidden, "endpoint_not_authorized_for_sdk",
	"The configuration of the frontend SDK does not allow this.")

// starts reports whether a path is for the beginning of signing in, which a captcha protects.
func starts(path string) bool {
	return strings.HasSuffix(path, "/send") || strings.HasSuffix(path, "/login_or_signup") ||
		strings.HasSuffix(path, "/login_or_create") || path == "/passwords/authenticate"
}

// products are the flags of which one must be on for the paths of a product; names that a vertical does not have are
// off there.
var products = []struct {
	path, part string
	flags      []string
}{
	{"/otps/email/", "otps", []string{"email_enabled", "email_login_or_create_enabled", "email_send_enabled"}},
	{"/otps/authenticate", "otps", []string{"email_login_or_create_enabled", "email_send_enabled"}},
	{"/magic_links/", "magic_links", []string{"enabled", "login_or_create_enabled", "send_enabled"}},
	{"/passwords", "passwords", []string{"enabled"}},
	{"/oauth/discovery/", "oauth", []string{"enabled"}},
	{"/oauth/authenticate", "oauth", []string{"enabled"}},
	{"/discovery/organizations/create", "basic", []string{"allow_self_onboarding"}},
}

// offers reports whether the SDK may use a path, without what stands before those of the vertical.
func (p Project) offers(path string) bool {
	for _, product := range products {
		if strings.HasPrefix(path, product.path) &&
			!slices.ContainsFunc(product.flags, func(flag string) bool { return p.sdkAllows(product.part, flag) }) {
			return false
		}
	}
	return true
}

// withoutSDK is the project's domain where it refuses the browser SDK: the answer has nothing that would let a page of
// another origin read it.
func (e *Emulator) withoutSDK(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		refuses := e.state.project.NoSDKOnDomain
		e.mu.Unlock()
		issuer, err := url.Parse(e.options.Issuer)
		if refuses && strings.HasPrefix(r.URL.Path, "/sdk/") && (e.options.Issuer == "" || err == nil &&
			issuer.Host == r.Host) {
			e.routeNotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
