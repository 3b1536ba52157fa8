// Package directory knows organizations, members, their roles and the connected
// apps, as Stytch keeps them. It speaks to Stytch through stytch-go with a
// transport of its own (bounded in time, patient with outages, never repeating a
// write) and turns Stytch's answers into our types, so that nothing that Stytch
// may add to a member reaches a language model by accident.
//
// It does not know tokens or HTTP replies. The organization is an argument of
// every call: callers take it from the verified token.
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
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/b2bstytchapi"
	"github.com/stytchauth/stytch-go/v16/stytch/config"
	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"
)

// The errors that callers branch on. Every other error of this package is a fault
// whose text is for the log.
var (
	// ErrNotFound: no such organization, member or app. Whether it exists elsewhere is not told.
	ErrNotFound = errors.New("not found in the directory")
	// ErrExists: the member to invite is a member already.
	ErrExists = errors.New("already a member")
	// ErrCredentials: Stytch refused our own project id and secret.
	ErrCredentials = errors.New("the project's credentials were refused by Stytch")
	// ErrInactive: the member exists but may not act any more.
	ErrInactive = errors.New("the member is not active")
)

// InvalidError says which value Stytch would not take, in words for whoever sent it.
type InvalidError struct {
	Field  string // name of the input: "email", "roles", "cursor"
	Reason string
}

func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

// UnavailableError says that Stytch did not answer, or not usefully.
type UnavailableError struct {
	RetryAfter time.Duration // what Stytch asked for; 0 when it said nothing
	cause      error
}

func (e *UnavailableError) Error() string { return "Stytch is unavailable: " + e.cause.Error() }
func (e *UnavailableError) Unwrap() error { return e.cause }

// Options configure a [Directory].
type Options struct {
	ProjectID, Secret string
	BaseURL           string // another API base than Stytch's own; for the emulator
	InviteRedirectURL string // where an invitation's link leads: a redirect URL registered with Stytch
	Log               *slog.Logger
	Now               func() time.Time                // nil: time.Now
	Backoff           func(attempt int) time.Duration // nil: 100 ms, then 400 ms
}

// A Directory is safe for concurrent use. Making one needs no network.
type Directory struct {
	options Options
	api     *b2bstytchapi.API
	raw     *stytch.DefaultClient

	mu       sync.Mutex // guards what follows
	policy   cached[policy]
	roles    map[string]cached[[]string]
	apps     map[string]cached[ConnectedApp]
	lastPing cached[error]
}

// maxCached bounds each of the directory's maps; a full map is emptied, which costs
// a few look-ups and needs no bookkeeping.
const maxCached = 10_000

// cacheFor is how long roles, the policy and connected apps are believed.
const cacheFor = 60 * time.Second

type cached[T any] struct {
	value T
	until time.Time
}

// New returns a Directory for one B2B project.
func New(o Options) (*Directory, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	client := &http.Client{
		Timeout:       overallTimeout,
		Transport:     newTransport(o.Backoff),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	raw := stytch.New(o.ProjectID, o.Secret)
	raw.HTTPClient = client
	options := []b2bstytchapi.Option{b2bstytchapi.WithHTTPClient(client), b2bstytchapi.WithSkipJWKSInitialization()}
	if o.BaseURL != "" {
		base := strings.TrimSuffix(o.BaseURL, "/")
		raw.Config.BaseURI = config.BaseURI(base)
		options = append(options, b2bstytchapi.WithBaseURI(base))
	}
	api, err := b2bstytchapi.NewClient(o.ProjectID, o.Secret, options...)
	if err != nil {
		return nil, fmt.Errorf("make the Stytch client: %w", err)
	}
	return &Directory{options: o, api: api, raw: raw,
		roles: map[string]cached[[]string]{}, apps: map[string]cached[ConnectedApp]{}}, nil
}

// Ping says whether Stytch answers and takes our credentials. Its answer is kept
// for five seconds, so that a health check cannot become a load on Stytch.
func (d *Directory) Ping(ctx context.Context) error {
	d.mu.Lock()
	last := d.lastPing
	d.mu.Unlock()
	if d.options.Now().Before(last.until) {
		return last.value
	}
	_, err := d.fetchPolicy(ctx)
	d.mu.Lock()
	d.lastPing = cached[error]{value: err, until: d.options.Now().Add(5 * time.Second)}
	d.mu.Unlock()
	return err
}

// A ConnectedApp is a client of the project: for a custom GPT, the GPT.
type ConnectedApp struct {
	ID, Name     string
	RedirectURLs []string
}

// ConnectedApp returns the app with that client id, or [ErrNotFound]. Answers,
// also that there is no such app, are kept for a minute.
func (d *Directory) ConnectedApp(ctx context.Context, clientID string) (ConnectedApp, error) {
	d.mu.Lock()
	known, ok := d.apps[clientID]
	d.mu.Unlock()
	if !ok || !d.options.Now().Before(known.until) {
		app, err := d.fetchConnectedApp(ctx, clientID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return ConnectedApp{}, err
		}
		known = cached[ConnectedApp]{value: app, until: d.options.Now().Add(cacheFor)}
		d.mu.Lock()
		if len(d.apps) >= maxCached {
			clear(d.apps)
		}
		d.apps[clientID] = known
		d.mu.Unlock()
	}
	if known.value.ID == "" {
		return ConnectedApp{}, ErrNotFound
	}
	return known.value, nil
}

// fetchConnectedApp goes past stytch-go's typed client, which neither sends nor
// reads redirect URLs: it names the member redirect_url_s (fixed in v17).
func (d *Directory) fetchConnectedApp(ctx context.Context, clientID string) (ConnectedApp, error) {
	var answer struct {
		ConnectedApp struct {
			ClientID     string   `json:"client_id"`
			ClientName   string   `json:"client_name"`
			RedirectURLs []string `json:"redirect_urls"`
		} `json:"connected_app"`
	}
	err := d.raw.NewRequest(ctx, stytch.RequestParams{
		Method: http.MethodGet, Path: "/v1/connected_apps/clients/" + clientID, V: &answer,
	})
	if err != nil {
		return ConnectedApp{}, fmt.Errorf("get connected app %s: %w", clientID, d.translate(ctx, err))
	}
	app := answer.ConnectedApp
	return ConnectedApp{ID: app.ClientID, Name: app.ClientName, RedirectURLs: app.RedirectURLs}, nil
}

// translate maps what stytch-go returned to this package's errors.
func (d *Directory) translate(ctx context.Context, err error) error {
	var fault stytcherror.Error
	switch {
	case errors.As(err, &fault):
		return d.translateType(ctx, fault)
	case errors.As(err, new(*UnavailableError)):
		return err
	case errors.As(err, new(*json.SyntaxError)), errors.As(err, new(*json.UnmarshalTypeError)):
		return &UnavailableError{cause: err}
	case context.Cause(ctx) != nil:
		return &UnavailableError{cause: context.Cause(ctx)}
	}
	return &UnavailableError{cause: err}
}

func (d *Directory) translateType(ctx context.Context, fault stytcherror.Error) error {
	if fault.StatusCode == http.StatusUnauthorized {
		d.options.Log.ErrorContext(ctx, "Stytch refused our project id and secret: check STYTCH_PROJECT_ID and STYTCH_SECRET; every call to Stytch fails until they are right",
			"project_id", d.options.ProjectID, "error_type", string(fault.ErrorType), "stytch_request_id", fault.RequestID)
		return ErrCredentials
	}
	switch fault.ErrorType {
	case "member_not_found", "organization_not_found", "connected_app_not_found":
		return ErrNotFound
	case "duplicate_member_email":
		return ErrExists
	case "invalid_email", "invalid_email_address":
		return &InvalidError{Field: "email", Reason: "is not an e-mail address that can be written to; send it as name@example.com"}
	case "invalid_email_for_invites":
		return &InvalidError{Field: "email", Reason: "may not be invited: the organization does not admit this address or its domain"}
	case "invalid_rbac_role_assignment":
		return &InvalidError{Field: "roles", Reason: "names a role that does not exist in this project or cannot be assigned"}
	case "member_search_invalid_cursor", "invalid_cursor":
		return &InvalidError{Field: "cursor", Reason: "is not one that this list returned; leave it out to start again"}
	}
	if fault.StatusCode == http.StatusTooManyRequests || fault.StatusCode >= http.StatusInternalServerError {
		return &UnavailableError{cause: fault}
	}
	return fault
}
