package idp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"guestpass/internal/limits"
)

// A reason for which nobody comes in, or out again, through the page, that whoever runs the
// server can mend. The list is fixed: anybody may cause some of them, as often as they like.
type reason string

const (
	unknownClient        reason = "unknown_client"
	unlistedHost         reason = "unlisted_host"
	unregisteredCallback reason = "unregistered_callback"
	unknownOrganization  reason = "unknown_organization"
	malformedRequest     reason = "malformed_request"
	stytchUnavailable    reason = "stytch_unavailable"
	credentialsRefused   reason = "credentials_refused"
	tokenInQuery         reason = "token_in_query"
	unreadableToken      reason = "unreadable_token"
	noRequest            reason = "no_request"
)

// unmended are reasons that nobody who runs the server can mend: they are in the log for who asks after one of them.
var unmended = []reason{noRequest, "link_spent", "link_elsewhere", "link_refused", "no_cookies", "nothing_to_grant"}

// hints say for each reason what to look at.
var hints = map[reason]string{ // #nosec G101 -- the word credentials
	unknownClient: "the client id in the GPT editor is no connected app of this project and environment, or " +
		"not in GUESTPASS_CLIENT_IDS",
	unlistedHost: "a client came that has its document on a host that GUESTPASS_CLIENT_IDS does not list; add the " +
		"host, such as claude.ai, if its clients may connect",
	unregisteredCallback: "add the callback URL that the GPT editor shows to the redirect URLs of the connected app " +
		"in the Stytch dashboard",
	unknownOrganization: "organization_id in the authorization URL names no organization of the project",
	malformedRequest:    "the authorization URL in the GPT editor must be the bare address of /idp",
	credentialsRefused:  "Stytch refuses this server: check STYTCH_PROJECT_ID and STYTCH_SECRET",
	stytchUnavailable:   "Stytch could not be asked; look for what is said of that elsewhere in this log",
	tokenInQuery: "the login page of GUESTPASS_LOGIN_URL has put a token into the address: it must send it by POST " +
		"or behind #; other logs may have that token",
	unreadableToken: "the login page of GUESTPASS_LOGIN_URL has sent a form without a readable trusted_auth_token",

	// These only the page's script sees.
	"bad_domain": "add GUESTPASS_PUBLIC_URL to the authorized domains under Frontend SDK in the Stytch dashboard",
	"wrong_public_token": "STYTCH_PUBLIC_TOKEN is not one of the project's; copy it again from API keys in " +
		"the Stytch dashboard",
	"wrong_vertical": "STYTCH_VERTICAL is not the kind of the project: b2b or consumer",
	"not_enabled": "a way to sign in of GUESTPASS_LOGIN_METHODS is not enabled under Frontend SDK in " +
		"the Stytch dashboard",
	"unregistered_redirect_url": "add GUESTPASS_PUBLIC_URL with /idp to the redirect URLs in the Stytch dashboard, " +
		"for every type",
	"missing_scope": "an app asks for a scope that the project does not have: if it is one of this server's " +
		"operations, add it under Roles & Permissions in the Stytch dashboard; any other, the app must not ask for",
	"captcha": "captchas and device fingerprints do not work on this page; switch them off under " +
		"Frontend SDK in the Stytch dashboard",
	"http_only_cookies": "HttpOnly cookies do not work on this page; switch them off under Frontend SDK in " +
		"the Stytch dashboard",
	"session_duration": "the longest session under Frontend SDK in the Stytch dashboard must be 60 minutes or more",
	"login_without_session": "people come back from GUESTPASS_LOGIN_URL without a session in a cookie that this page " +
		"can read: on another host they need GUESTPASS_LOGIN_COOKIE_DOMAIN, see docs/existing-login.md",
	"login_http_only": "the session that people bring from GUESTPASS_LOGIN_URL is in an HttpOnly cookie, which " +
		"Stytch's component cannot read; the application must set it without HttpOnly, or use a token profile",
	"login_other_session": "Stytch does not know the session that people bring from GUESTPASS_LOGIN_URL: it has " +
		"ended, or is of another project or environment",
	"login_without_token": "people come back from GUESTPASS_LOGIN_URL without a trusted_auth_token",
	"login_unasked": "a sign-in came back from GUESTPASS_LOGIN_URL to a browser that was not sent there, and was not " +
		"used. The login page must return to the address that it was given, in the same browser",
	"login_token_refused": "Stytch refuses the tokens of GUESTPASS_LOGIN_URL: look at issuer, audience, keys, " +
		"lifetime and token id of the trusted auth token profile",
	"login_profile": "the project has no trusted auth token profile GUESTPASS_LOGIN_TOKEN_PROFILE that fits the " +
		"tokens of GUESTPASS_LOGIN_URL",
	"login_unknown_person": "somebody signed in at GUESTPASS_LOGIN_URL whom the Stytch project does not know; the " +
		"token profile may make members and users (JIT provisioning)",
	"limited": "Stytch has refused requests because there were too many",
	"refused_by_stytch": "Stytch has refused something for a reason that this page has no words for; the event log " +
		"in the Stytch dashboard has it",
	"unreachable": "browsers do not reach Stytch, or its component shows nothing",
}

// whyNotLookedUp returns the reason of an error of LookUpClient or LookUpOrganization.
func whyNotLookedUp(err error) reason {
	if errors.Is(err, ErrCredentials) {
		return credentialsRefused
	}
	return stytchUnavailable
}

// tellEvery is how often the same reason is in the log.
const tellEvery = time.Minute

// refusals counts reasons. The first of a kind is in the log at once, the next ones together.
type refusals struct {
	log *slog.Logger
	now func() time.Time

	reports    *limits.Rate
	references *limits.Rate

	mu     sync.Mutex // guards counts
	counts map[reason]*count
}

type count struct {
	total, told int // told: of the total, those that were in the log
	last        time.Time
}

func newRefusals(o Options) *refusals {
	return &refusals{log: o.Log, now: o.Now, counts: map[reason]*count{}, reports: o.Limits.Rate(limits.Bound{
		Name: "reports of the sign-in page", Shares: limits.Shares{limits.Address: reportsInMinute}}),
		references: o.Limits.Rate(limits.Bound{Name: "references of the sign-in page",
			Shares: limits.Shares{limits.Address: referencesInMinute}})}
}

// referencesInMinute are the refusals of one address that are in the log each by itself.
const referencesInMinute = 10

// note counts a refusal, and returns the reference under which that very one is in the log; "" where it is not, since
// the address has had too many.
func (f *refusals) note(r *http.Request, why reason, seenBy string, err error) (reference string) {
	reference = middleware.GetReqID(r.Context())
	if f.count(r.Context(), why, seenBy, err) {
		return reference
	}
	if _, exceeded := f.references.Take(limits.Party{Address: clientAddress(r)}); exceeded != nil {
		return ""
	}
	f.log.WarnContext(r.Context(), "refused on the sign-in page", "reason", string(why), "seen_by", seenBy)
	return reference
}

// count counts what somebody has to mend, and reports whether it is in the log. It takes an error where there is one
// to tell.
func (f *refusals) count(ctx context.Context, why reason, seenBy string, err error) (told bool) {
	if hints[why] == "" {
		return false
	}
	f.mu.Lock()
	c := f.counts[why]
	if c == nil {
		c = &count{}
		f.counts[why] = c
	}
	c.total++
	now := f.now()
	if since := now.Sub(c.last); c.told > 0 && since >= 0 && since < tellEvery {
		f.mu.Unlock()
		return false
	}
	times, total := c.total-c.told, c.total
	c.told, c.last = c.total, now
	f.mu.Unlock()
	arguments := []any{"reason", string(why), "hint", hints[why], "seen_by", seenBy, "times", times, "since_start",
		total}
	if err != nil {
		arguments = append(arguments, "error", err)
	}
	f.log.WarnContext(ctx, "trouble on the sign-in page", arguments...)
	return true
}

// Refusals returns how often since the start there was trouble on the page, by reason.
func (p *Provider) Refusals() map[string]int {
	p.refusals.mu.Lock()
	defer p.refusals.mu.Unlock()
	counts := map[string]int{}
	for why, c := range p.refusals.counts {
		counts[string(why)] = c.total
	}
	return counts
}

// What Report returns for a report that does not count.
var (
	ErrUnknownReason  = errors.New("there is no such reason")
	ErrTooManyReports = errors.New("too many reports")
)

// reportsInMinute are those of one address: a page sends one or two.
const reportsInMinute = 10

// Report counts what the page's script has seen: one word of a fixed list. Nobody can say
// anything else by it. It returns the reference under which it is in the log, if it is.
func (p *Provider) Report(r *http.Request, word string) (reference string, err error) {
	if why := reason(word); hints[why] == "" && !slices.Contains(unmended, why) {
		return "", ErrUnknownReason
	}
	if _, exceeded := p.refusals.reports.Take(limits.Party{Address: clientAddress(r)}); exceeded != nil {
		return "", ErrTooManyReports
	}
	return p.refusals.note(r, reason(word), "browser", nil), nil
}
