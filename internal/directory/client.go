package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch"
	"github.com/stytchauth/stytch-go/v16/stytch/config"
	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"
	"golang.org/x/sync/singleflight"
)

// client is what both verticals share, each of which embeds it.
type client struct {
	options    Options
	raw        *stytch.DefaultClient
	policyPath string
	person     func(ctx context.Context, organizationID, id string) (Person, error) // the vertical's own

	asking singleflight.Group // CheckRecentlyActive, by organization and person

	mu        sync.Mutex // guards what follows
	policy    cached[policy]
	standings map[string]standing // by organization and person
	apps      map[string]cached[*ConnectedApp]
	lastPing  cached[error]
}

// maxCached bounds each of the client's maps; a full map is emptied, which costs
// a few look-ups and needs no bookkeeping.
const maxCached = 10_000

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
	raw := stytch.New(o.ProjectID, o.Secret)
	raw.HTTPClient = &http.Client{
		Timeout:       overallTimeout,
		Transport:     newTransport(o),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if o.BaseURL != "" {
		raw.Config.BaseURI = config.BaseURI(strings.TrimSuffix(o.BaseURL, "/"))
	}
	return &client{options: o, raw: raw, policyPath: policyPath,
		standings: map[string]standing{}, apps: map[string]cached[*ConnectedApp]{}}
}

func (c *client) CheckActive(ctx context.Context, organizationID, id string) error {
	p, err := c.person(forAdmission(ctx), organizationID, id)
	if err == nil && p.Status != "active" {
		err = fmt.Errorf("%s is %s: %w", id, p.Status, ErrInactive)
	}
	return err
}

func (c *client) Ping(ctx context.Context) error {
	c.mu.Lock()
	last := c.lastPing
	c.mu.Unlock()
	if c.options.Now().Before(last.until) {
		return last.value
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout) // a health check is not patient
	defer cancel()
	_, err := c.fetchPolicy(ctx)
	c.mu.Lock()
	c.lastPing = cached[error]{value: err, until: c.options.Now().Add(5 * time.Second)}
	c.mu.Unlock()
	return err
}

func (c *client) ConnectedApp(ctx context.Context, clientID string) (ConnectedApp, error) {
	return remembered(c, c.apps, clientID, func() (ConnectedApp, error) { return c.fetchConnectedApp(ctx, clientID) })
}

// remembered asks fetch for what the map lacks or has had for too long. That there is no
// such thing is remembered as well.
func remembered[T any](c *client, in map[string]cached[*T], key string, fetch func() (T, error)) (thing T, err error) {
	c.mu.Lock()
	known, ok := in[key]
	c.mu.Unlock()
	if !ok || !c.options.Now().Before(known.until) {
		known = cached[*T]{until: c.options.Now().Add(cacheFor)}
		if thing, err = fetch(); err == nil {
			known.value = &thing
		} else if !errors.Is(err, ErrNotFound) {
			return thing, err
		}
		c.mu.Lock()
		if len(in) >= maxCached {
			clear(in)
		}
		in[key] = known
		c.mu.Unlock()
	}
	if known.value == nil {
		return thing, ErrNotFound
	}
	return *known.value, nil
}

// fetchConnectedApp goes past stytch-go's typed client, which neither sends nor
// reads redirect URLs: it names the member redirect_url_s (fixed in v17).
func (c *client) fetchConnectedApp(ctx context.Context, clientID string) (ConnectedApp, error) {
	var answer struct {
		ConnectedApp struct {
			ClientID     string   `json:"client_id"`
			ClientName   string   `json:"client_name"`
			RedirectURLs []string `json:"redirect_urls"`
		} `json:"connected_app"`
	}
	err := c.raw.NewRequest(ctx, stytch.RequestParams{
		Method: http.MethodGet, Path: "/v1/connected_apps/clients/" + clientID, V: &answer,
	})
	if err != nil {
		return ConnectedApp{}, fmt.Errorf("get connected app %s: %w", clientID, c.translate(ctx, err))
	}
	app := answer.ConnectedApp
	return ConnectedApp{ID: app.ClientID, Name: app.ClientName, RedirectURLs: app.RedirectURLs}, nil
}

// translate maps what stytch-go returned to this package's errors.
func (c *client) translate(ctx context.Context, err error) error {
	var fault stytcherror.Error
	switch {
	case errors.As(err, &fault):
		return c.translateType(ctx, fault)
	case errors.As(err, new(*UnavailableError)):
		return err
	case errors.As(err, new(*json.SyntaxError)), errors.As(err, new(*json.UnmarshalTypeError)):
		return &UnavailableError{cause: err}
	case context.Cause(ctx) != nil:
		return &UnavailableError{cause: context.Cause(ctx)}
	}
	return &UnavailableError{cause: err}
}

func (c *client) translateType(ctx context.Context, fault stytcherror.Error) error {
	if fault.ErrorType == "unauthorized_credentials" {
		c.options.Log.ErrorContext(ctx, "Stytch refused our project id and secret: check STYTCH_PROJECT_ID and STYTCH_SECRET; every call to Stytch fails until they are right",
			"project_id", c.options.ProjectID, "error_type", string(fault.ErrorType), "stytch_request_id", fault.RequestID)
		return ErrCredentials
	}
	switch fault.ErrorType {
	case "member_not_found", "user_not_found", "organization_not_found", "connected_app_not_found":
		return ErrNotFound
	case "duplicate_member_email":
		return ErrExists
	case "invalid_email", "invalid_email_address":
		return &InvalidError{Field: "email", Reason: "is not an e-mail address that can be written to; send it as name@example.com"}
	case "invalid_email_for_invites":
		return &InvalidError{Field: "email", Reason: "may not be invited: the organization does not admit this address or its domain"}
	case "invalid_rbac_role_assignment":
		return &InvalidError{Field: "roles", Reason: "names a role that does not exist in this project or cannot be assigned"}
	case "user_search_invalid_cursor", "member_search_invalid_cursor", "invalid_cursor":
		return &InvalidError{Field: "cursor", Reason: "is not one that this list returned; leave it out to start again"}
	}
	if fault.StatusCode == http.StatusNotFound {
		return ErrNotFound // of a kind that is not listed above
	}
	if fault.StatusCode == http.StatusTooManyRequests || fault.StatusCode >= http.StatusInternalServerError {
		return &UnavailableError{cause: fault}
	}
	return fault
}
