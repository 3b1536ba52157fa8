package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"guestpass/internal/stytch"
)

// browserChecks are about what the sign-in page needs in people's browsers, where no server sees it fail.
var browserChecks = []Check[*visit]{
	{Name: "public-token", Asks: "does Stytch know STYTCH_PUBLIC_TOKEN?",
		Expected: "a public token of the project",
		Remedy:   "copy STYTCH_PUBLIC_TOKEN again from API keys in the Stytch dashboard",
		Look:     lookAtPublicToken},
	{Name: "authorized-domain", Asks: "may pages of GUESTPASS_PUBLIC_URL use the frontend SDK?",
		Remedy: "add GUESTPASS_PUBLIC_URL to the authorized domains under Frontend SDK in the Stytch dashboard",
		Look:   lookAtAuthorizedDomain},
	{Name: "sdk-domain", Asks: "may browsers call STYTCH_DOMAIN, and which iss will responses name?",
		Expected: "what a browser asks for before it calls another origin (CORS)",
		Remedy: "name first in STYTCH_DOMAIN a domain of the project that browsers may call: a custom domain, see " +
			"docs/doctor.md",
		Look: lookAtSDKDomain},
	{Name: "captcha", Asks: "are captchas off, which do not work on the sign-in page?",
		Expected: "captchas switched off",
		Remedy:   "switch captchas off under Frontend SDK in the Stytch dashboard",
		Look:     told(lookAtCaptcha)},
	{Name: "fingerprint", Asks: "is device fingerprinting off, which does not work on the sign-in page?",
		Expected: "protected auth switched off",
		Remedy:   "switch device fingerprinting (protected auth) off under Frontend SDK in the Stytch dashboard",
		Look:     told(lookAtFingerprint)},
	{Name: "http-only-cookies", Asks: "are HttpOnly cookies off, which do not work on the sign-in page?",
		Expected: "HttpOnly cookies switched off",
		Remedy:   "switch HttpOnly cookies off under Frontend SDK in the Stytch dashboard",
		Look:     configured(lookAtCookies)},
	{Name: "session-length", Asks: "may a session last the 60 minutes that the sign-in page asks for?",
		Expected: "60 minutes or more",
		Remedy:   "set the longest session under Frontend SDK in the Stytch dashboard to 60 minutes or more",
		Look:     configured(lookAtSessions)},
	{Name: "login-methods", Asks: "are the ways to sign in of GUESTPASS_LOGIN_METHODS enabled for the frontend SDK?",
		Remedy: "enable them under Frontend SDK in the Stytch dashboard, or leave them out of GUESTPASS_LOGIN_METHODS",
		Look:   configured(lookAtLoginMethods)},
	{Name: "redirect-urls", Asks: "is the sign-in page a redirect URL of every type?",
		Remedy: "add GUESTPASS_PUBLIC_URL with /idp to the redirect URLs in the Stytch dashboard, for every type",
		Look:   lookAtRedirectURLs},
}

// wrongToken are the types by which Stytch says that there is no such public token.
var wrongToken = []string{"public_token_not_found", "invalid_public_token_id", "public_token_required",
	"project_has_no_public_tokens", "project_not_found", "unauthorized_credentials"}

const wrongDomain = "bad_domain_for_stytch_sdk"

func lookAtPublicToken(_ context.Context, v *visit) Finding {
	_, err := v.browser()
	switch {
	case err == nil, refusedFor(err, wrongDomain):
		return Well("Stytch knows the public token")
	case refusedFor(err, wrongToken...):
		return Wrong("Stytch does not know the public token")
	case errors.As(err, new(*stytch.AnswerError)): // the API is private: a new type says nothing certain
		return Doubtful("Stytch answers the frontend SDK with %v", err)
	}
	return unanswered(err)
}

func lookAtAuthorizedDomain(_ context.Context, v *visit) Finding {
	_, err := v.browser()
	switch {
	case err == nil:
		return Well("pages of %s may use the frontend SDK", v.PublicURL)
	case refusedFor(err, wrongDomain):
		return Wrong("pages of %s may not use the frontend SDK", v.PublicURL).
			Expecting("%s among the authorized domains", v.PublicURL)
	}
	return NotLooked("it cannot be told without Stytch's answer to the frontend SDK; see public-token")
}

func lookAtSDKDomain(ctx context.Context, v *visit) Finding {
	domain := v.Domains[0]
	switch err := v.Public.CheckPreflight(ctx, domain, v.PublicToken, v.PublicURL); {
	case errors.Is(err, stytch.ErrNoAnswer):
		return Unclear("%s does not answer: %v", domain, err).
			MendedBy("see whether STYTCH_DOMAIN is the project's domain, and whether this machine reaches it")
	case err != nil:
		return Wrong("browsers may not call %s from %s: %v", domain, v.PublicURL, err)
	}
	return Well("browsers may call %s, so that responses name the issuer %s", domain, domain)
}

// told returns a check of what Stytch tells the browser SDK.
func told(look func(stytch.Browser) Finding) func(context.Context, *visit) Finding {
	return func(_ context.Context, v *visit) Finding {
		browser, err := v.browser()
		if err != nil {
			return NotLooked("it cannot be told without Stytch's answer to the frontend SDK; see public-token")
		}
		return look(browser)
	}
}

func lookAtCaptcha(b stytch.Browser) Finding {
	if b.Captcha.Enabled {
		return Wrong("captchas are on, and do not work on the sign-in page")
	}
	return Well("captchas are off")
}

func lookAtFingerprint(b stytch.Browser) Finding {
	if b.Fingerprint {
		return Wrong("device fingerprinting is on, and does not work on the sign-in page")
	}
	return Well("device fingerprinting is off")
}

// configured returns a check of the frontend SDK's configuration.
func configured(look func(*visit, SDK) Finding) func(context.Context, *visit) Finding {
	return func(_ context.Context, v *visit) Finding {
		sdk, err := v.sdk()
		if err != nil {
			return unmanaged(err)
		}
		return look(v, sdk)
	}
}

// unmanaged is the finding where the management API does not tell.
func unmanaged(err error) Finding {
	if errors.Is(err, errNoKey) {
		return NotLooked("%v", err).MendedBy(withKey)
	}
	return Unclear("Stytch's management API does not tell: %v", err).Expecting("an answer").
		MendedBy("see whether STYTCH_WORKSPACE_KEY_ID and STYTCH_WORKSPACE_SECRET are of the project's workspace")
}

func lookAtCookies(_ *visit, sdk SDK) Finding {
	if sdk.HTTPOnly == "ENABLED" || sdk.HTTPOnly == "ENFORCED" {
		return Wrong("HttpOnly cookies are %s, and do not work on the sign-in page", strings.ToLower(sdk.HTTPOnly))
	}
	return Well("HttpOnly cookies are off")
}

// sessionMinutes is what the page asks for.
const sessionMinutes = 60

func lookAtSessions(_ *visit, sdk SDK) Finding {
	switch {
	case sdk.SessionMinutes == 0:
		return NotLooked("the configuration of the frontend SDK does not say")
	case sdk.SessionMinutes < sessionMinutes:
		return Wrong("a session may last %d minutes, and the sign-in page asks for %d", sdk.SessionMinutes,
			sessionMinutes)
	}
	return Well("a session may last %d minutes", sdk.SessionMinutes)
}

func lookAtLoginMethods(v *visit, sdk SDK) Finding {
	if !sdk.Enabled {
		return Wrong("the frontend SDK is switched off").Expecting("it switched on").
			MendedBy("enable it under Frontend SDK in the Stytch dashboard")
	}
	if len(v.LoginMethods) == 0 {
		return Well("the frontend SDK is enabled; people sign in at GUESTPASS_LOGIN_URL")
	}
	var off []string
	for _, method := range v.LoginMethods {
		enabled, known := map[string]bool{"email_code": sdk.Codes, "email_link": sdk.Links,
			"password": sdk.Passwords}[method]
		if !known { // an OAuth provider
			enabled = sdk.OAuth
		}
		if !enabled {
			off = append(off, method)
		}
	}
	if len(off) > 0 {
		return Wrong("not enabled: %s", strings.Join(off, ", ")).
			Expecting("enabled: %s", strings.Join(v.LoginMethods, ", "))
	}
	return Well("enabled: %s", strings.Join(v.LoginMethods, ", "))
}

// redirectTypes are those that links to the page have, by the project's kind.
var redirectTypes = map[string][]string{"b2b": {"DISCOVERY", "LOGIN", "SIGNUP", "INVITE", "RESET_PASSWORD"},
	"consumer": {"LOGIN", "SIGNUP", "RESET_PASSWORD"}}

func lookAtRedirectURLs(ctx context.Context, v *visit) Finding {
	if v.Management == nil {
		return unmanaged(errNoKey)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	urls, err := v.Management.RedirectURLs(ctx)
	if err != nil {
		return unmanaged(err)
	}
	page, wanted := v.PublicURL+"/idp", redirectTypes[v.Vertical]
	types, there := urls[page]
	missing := slices.DeleteFunc(slices.Clone(wanted), func(t string) bool { return slices.Contains(types, t) })
	expected := fmt.Sprintf("%s with the types %s", page, strings.Join(wanted, ", "))
	switch {
	case !there:
		return Wrong("%s is no redirect URL of the project", page).Expecting("%s", expected)
	case len(missing) > 0:
		return Wrong("the redirect URL %s lacks the types %s", page, strings.Join(missing, ", ")).
			Expecting("%s", expected)
	}
	return Well("%s", expected)
}
