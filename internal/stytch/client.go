package stytch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch"
	"github.com/stytchauth/stytch-go/v16/stytch/config"
	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"
	"golang.org/x/sync/singleflight"

	"guestpass/directory"
	"guestpass/internal/credentials"
	"guestpass/internal/limits"
	"guestpass/internal/text"
)

// client is what both verticals share, each of which embeds it.
type client struct {
	options    Options
	raw        *stytch.DefaultClient
	transport  *transport
	policyPath string
	person     func(ctx context.Context, organizationID, id string) (directory.Person, error) // the vertical's own
	// the role that every active person has
	everybody string
	// ownRoles are those of organizations; nil where there are none.
	ownRoles func(ctx context.Context, organizationID string) (map[string][]permission, error)

	asking  singleflight.Group // CheckRecentlyActive, by organization and person
	reading singleflight.Group // policies, by organization or, the project's, by who asks

	questions atomic.Uint64 // for people

	recent    *recent
	standings *limits.Cache[standing] // by organization and person
	apps      lookUps[ConnectedApp]
	sessions  sessionMemory
	inVain    *limits.Rate // what visitors ask for that Stytch does not know

	mu       sync.Mutex // guards what follows
	policy   cached[Policy]
	lastPing cached[error]
	told     map[string]time.Time // errors in the log, by their messages
}

// cacheFor is how long roles, standing, the policy and connected apps are believed.
const cacheFor = 60 * time.Second

type cached[T any] struct {
	value T
	until time.Time
}

func newClient(o Options, policyPath string) *client {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxCalls == 0 {
		o.MaxCalls = defaultMaxCalls
	}
	raw, transport := stytch.New(o.ProjectID, o.Secret), newTransport(o)
	raw.HTTPClient = &http.Client{
		Timeout:       overallTimeout,
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if o.BaseURL != "" {
		raw.Config.BaseURI = config.BaseURI(strings.TrimSuffix(o.BaseURL, "/"))
	}
	c := &client{options: o, raw: raw, transport: transport, policyPath: policyPath, told: map[string]time.Time{},
		standings: limits.NewCache[standing](o.Limits, limits.Bound{Name: "people whose standing is remembered",
			Number: maxCached, Shares: limits.Shares{limits.Organization: maxCached / 4,
				limits.Person: maxCached / 4}}),
		recent:   newRecent(o),
		apps:     newLookUps[ConnectedApp](o.Limits, "connected apps", staleFor),
		sessions: newSessionMemory(o.Limits),
		inVain: o.Limits.Rate(limits.Bound{Name: "look-ups of what Stytch does not know, for visitors",
			Number: inVainOfAll,
			Shares: limits.Shares{limits.Address: inVainOfAddress}})}
	transport.tell = func(ctx context.Context, ahead time.Duration) {
		c.tellOnce(ctx, "the clock of this machine and that of Stytch differ: have this machine's set by time servers "+
			"(NTP), since tokens are good and revoked by both", "stytch_is_ahead_s", ahead.Round(time.Second).Seconds())
	}
	return c
}

func (c *client) CheckActive(ctx context.Context, organizationID, id string) error {
	person, err := c.currentStanding(ctx, organizationID, id)
	if err != nil {
		return err
	}
	return person.err
}

func (c *client) Ping(ctx context.Context) error {
	c.mu.Lock()
	last := c.lastPing
	c.mu.Unlock()
	if c.options.Now().Before(last.until) {
		return last.value
	}
	ctx, cancel := context.WithTimeout(because(ctx, health), lookUpTimeout)
	defer cancel()
	_, err := c.fetchPolicy(ctx)
	if purposes := c.transport.troubled(); err == nil && len(purposes) > 0 {
		err = &PartlyUnavailableError{purposes}
	}
	c.mu.Lock()
	c.lastPing = cached[error]{value: err, until: c.options.Now().Add(5 * time.Second)}
	c.mu.Unlock()
	return err
}

func (c *client) ConnectedApp(ctx context.Context, clientID string) (ConnectedApp, error) {
	if _, err := credentials.ConnectedApp.Check(clientID); err != nil || len(clientID) > maxID {
		return ConnectedApp{}, fmt.Errorf("a connected app whose id has not the form of one: %w", directory.ErrNotFound)
	}
	ctx = askForAnybody(ctx, askApp)
	return c.apps.get(ctx, c, clientID, func() (ConnectedApp, error) { return c.fetchConnectedApp(ctx, clientID) })
}

// fetchConnectedApp goes past stytch-go's typed client, which neither sends nor
// reads redirect URLs: it names the member redirect_url_s (fixed in v17).
func (c *client) fetchConnectedApp(ctx context.Context, clientID string) (ConnectedApp, error) {
	var answer struct {
		ConnectedApp struct {
			ClientID     string   `json:"client_id"`
			ClientName   string   `json:"client_name"`
			RedirectURLs []string `json:"redirect_urls"`
			MetadataURL  string   `json:"client_id_metadata_url"`
			Type         string   `json:"client_type"`
			Status       string   `json:"status"`
			Minutes      int32    `json:"access_token_expiry_minutes"`
			Audience     string   `json:"access_token_custom_audience"`
		} `json:"connected_app"`
	}
	err := c.raw.NewRequest(ctx, stytch.RequestParams{
		Method: http.MethodGet, Path: "/v1/connected_apps/clients/" + url.PathEscape(clientID), V: &answer,
	})
	if err != nil {
		return ConnectedApp{}, fmt.Errorf("get connected app %s: %w", clientID, c.translate(ctx, err))
	}
	app := answer.ConnectedApp
	if app.ClientID == "" {
		return ConnectedApp{}, &UnexpectedError{"no connected app in it"}
	}
	return ConnectedApp{ID: app.ClientID, Name: text.Name(app.ClientName), RedirectURLs: app.RedirectURLs,
		MetadataURL: app.MetadataURL, Type: app.Type, Status: app.Status,
		TokenLifetime: time.Duration(app.Minutes) * time.Minute, Audience: app.Audience}, nil
}

// translate maps what stytch-go returned to this package's errors.
func (c *client) translate(ctx context.Context, err error) error {
	var fault stytcherror.Error
	switch {
	case errors.As(err, &fault):
		return c.translateType(ctx, fault)
	case errors.As(err, new(*directory.UnavailableError)):
		return err
	case errors.As(err, new(*json.SyntaxError)), errors.As(err, new(*json.UnmarshalTypeError)):
		return &directory.UnavailableError{Cause: err}
	case context.Cause(ctx) != nil:
		return &directory.UnavailableError{Cause: context.Cause(ctx)}
	}
	return &directory.UnavailableError{Cause: err}
}

// The types of Stytch's errors that have a meaning here, ordered by it. No other type and no status
// has one: an unknown error says nothing of people, sessions and apps.
var (
	credentialFaults = []stytcherror.Type{"unauthorized_credentials", "unauthorized_credentials_homepage",
		"invalid_project_id_authentication",
		"invalid_secret_authentication", "unauthorized_project_id_live", "unauthorized_project_id_test",
		"invalid_project_id", "project_not_found"}
	notFound = []stytcherror.Type{"member_not_found", "user_not_found", "organization_not_found",
		"connected_app_not_found",
		"invalid_user_id", "invalid_organization_id", "invalid_organization_slug"} // what cannot be one is none

	// noSession are the errors for a session that never was, or has ended.
	noSession = []stytcherror.Type{"session_not_found", "invalid_session_token", "invalid_session_id",
		"unable_to_parse_session_jwt",
		"jwt_invalid_audience", "jwt_invalid_claims", "jwt_invalid_issuer", "incompatible_session_type",
		"user_unauthenticated"}

	invalidEmail  = []stytcherror.Type{"invalid_email", "invalid_email_address"}
	invalidCursor = []stytcherror.Type{"user_search_invalid_cursor", "member_search_invalid_cursor", "invalid_cursor"}
)

func (c *client) translateType(ctx context.Context, fault stytcherror.Error) error {
	is := func(types ...stytcherror.Type) bool { return slices.Contains(types, fault.ErrorType) }
	switch {
	case is(credentialFaults...):
		c.tellOnce(ctx, "Stytch refused our project id and secret: check STYTCH_PROJECT_ID and STYTCH_SECRET, and "+
			"that both are of one project and environment; every call to Stytch fails until they are right",
			"project_id", c.options.ProjectID, "error_type", string(fault.ErrorType), "stytch_request_id",
			fault.RequestID)
		return directory.ErrCredentials
	case is(notFound...):
		return directory.ErrNotFound
	case is("duplicate_member_email"):
		return directory.ErrExists
	case is(invalidEmail...):
		return &directory.InvalidError{Field: "email",
			Reason: "is not an e-mail address that can be written to; send it as name@example.com"}
	case is("invalid_email_for_invites"):
		return &directory.InvalidError{Field: "email",
			Reason: "may not be invited: the organization does not admit this address or its domain"}
	case is("invalid_rbac_role_assignment"):
		return &directory.InvalidError{Field: "roles",
			Reason: "names a role that does not exist in this project or cannot be assigned"}
	case is(invalidCursor...):
		return &directory.InvalidError{Field: "cursor",
			Reason: "is not one that this list returned; leave it out to start again"}
	case fault.StatusCode == http.StatusTooManyRequests || fault.StatusCode >= http.StatusInternalServerError:
		return &directory.UnavailableError{Cause: fault}
	}
	return unexpected(fault)
}

// unexpected leaves out Stytch's message, which may repeat what was sent.
func unexpected(fault stytcherror.Error) error {
	return &UnexpectedError{fmt.Sprintf("status %d, type %q, request %s", fault.StatusCode, fault.ErrorType,
		fault.RequestID)}
}

// tellOnce writes an error to the log, the same one once a minute at most: anybody's requests
// may meet it.
func (c *client) tellOnce(ctx context.Context, message string, arguments ...any) {
	c.mu.Lock()
	now := c.options.Now()
	last, told := c.told[message]
	if told = told && !now.Before(last) && now.Sub(last) < time.Minute; !told {
		c.told[message] = now
	}
	c.mu.Unlock()
	if !told {
		c.options.Log.ErrorContext(ctx, message, arguments...)
	}
}
