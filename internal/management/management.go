// Package management speaks the two interfaces by which a program sets up a project at Stytch: the management API, with
// the key of a workspace ([Workspace]), and the part of the project's own API that keeps connected apps, with the
// project's secret ([Project]).
//
// What Stytch keeps as a whole, such as a policy, is an [Object]: whoever changes a part of it writes the rest back as
// it was read. The package does not know what Guestpass needs of a project.
package management

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"guestpass/internal/upstream"
)

// Every number that bounds a call.
const (
	connectTimeout = 5 * time.Second // TCP, and again for TLS
	callTimeout    = 20 * time.Second
	maxReply       = 8 << 20 // bytes; a list of 1,000 connected apps has about 1 MB
	maxAttempts    = 3
	maxWait        = 10 * time.Second // before a call is repeated
)

// An Object is one of JSON, with members that nobody here knows. Its numbers are [json.Number].
type Object = map[string]any

// Options say whom to ask and as whom.
type Options struct {
	BaseURL          string // without a slash at the end
	User, Password   string
	UserIs, SecretIs string // what errors call the two, such as STYTCH_PROJECT_ID

	// Wait is what happens before a call is repeated; nil: time passes.
	Wait func(ctx context.Context, d time.Duration) error
}

type client struct {
	options Options
	http    *http.Client
}

func newClient(o Options) *client {
	if o.Wait == nil {
		o.Wait = wait
	}
	return &client{options: o, http: &http.Client{
		Timeout: callTimeout,
		Transport: &http.Transport{DialContext: upstream.Dial(connectTimeout), TLSHandshakeTimeout: connectTimeout,
			ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// call sends a body as JSON, unless it is nil, and decodes the answer into a pointer. what is the deed in words, such
// as "list the projects". A call that may have been carried out is repeated only if it changes nothing.
func (c *client) call(ctx context.Context, what, method, path string, body, into any) error {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	for attempt := 1; ; attempt++ {
		pause, err := c.once(ctx, what, method, path, content, into)
		var fault *Error
		again := errors.As(err, &fault) && fault.Status == http.StatusTooManyRequests ||
			err != nil && method == http.MethodGet && (fault == nil || fault.Status >= http.StatusInternalServerError)
		if !again || attempt == maxAttempts || ctx.Err() != nil {
			return err
		}
		if c.options.Wait(ctx, min(max(pause, 300*time.Millisecond<<(2*attempt-2)), maxWait)) != nil {
			return err
		}
	}
}

// once makes one attempt. pause is how long Stytch wants to be left alone.
func (c *client) once(ctx context.Context, what, method, path string, content []byte, into any) (pause time.Duration,
	err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.options.BaseURL+path, bytes.NewReader(content))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	if c.options.User != "" {
		r.SetBasicAuth(c.options.User, c.options.Password)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "guestpass-setup")
	if content != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(r)
	if err != nil {
		return 0, fmt.Errorf("%s: %s does not answer: %w", what, c.options.BaseURL, err)
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	if err != nil {
		return 0, fmt.Errorf("%s: the answer of %s breaks off: %w", what, c.options.BaseURL, err)
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		pause = time.Duration(min(seconds, 3600)) * time.Second
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case len(reply) > maxReply:
		return 0, fmt.Errorf("%s: the answer of %s has more than %d bytes", what, c.options.BaseURL, maxReply)
	case response.StatusCode != http.StatusOK && response.StatusCode != http.StatusCreated:
		return pause, c.failure(what, response.StatusCode, reply)
	case kind != "application/json":
		return 0, fmt.Errorf("%s: %s answered with %q and not with JSON: is it Stytch's?", what, c.options.BaseURL,
			kind)
	}
	decoder := json.NewDecoder(bytes.NewReader(reply))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return 0, fmt.Errorf("%s: the answer of %s is not as expected: %w", what, c.options.BaseURL, err)
	}
	return 0, nil
}

// An Error is Stytch's own.
type Error struct {
	What      string // the deed that was refused
	Status    int
	Type      string // error_type; "" if the answer had none
	Message   string
	RequestID string
	advice    string
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: Stytch answered %d", e.What, e.Status)
	if e.Type != "" {
		fmt.Fprintf(&b, " %s", e.Type)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, " (%s)", strings.TrimSuffix(e.Message, "."))
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, ", request %s", e.RequestID)
	}
	if e.advice != "" {
		b.WriteString(": " + e.advice)
	}
	return b.String()
}

// IsType reports whether an error is Stytch's and of that type.
func IsType(err error, kinds ...string) bool {
	var fault *Error
	if !errors.As(err, &fault) {
		return false
	}
	for _, kind := range kinds {
		if fault.Type == kind {
			return true
		}
	}
	return false
}

// credentialFaults are the types of errors that say that nobody is known by these credentials.
var credentialFaults = []string{"unauthorized_credentials", "unauthorized_credentials_homepage",
	"invalid_project_id_authentication", "invalid_secret_authentication", "unauthorized_project_id_live",
	"unauthorized_project_id_test", "invalid_project_id"}

// IsUnauthorized reports whether Stytch refused the credentials.
func IsUnauthorized(err error) bool {
	var fault *Error
	return IsType(err, credentialFaults...) || errors.As(err, &fault) && fault.Status == http.StatusUnauthorized
}

// IsNotFound reports whether Stytch has nothing of the name that was asked for.
func IsNotFound(err error) bool {
	var fault *Error
	return errors.As(err, &fault) && fault.Status == http.StatusNotFound
}

// maxMessage bounds what is repeated of an error's text.
const maxMessage = 300

func (c *client) failure(what string, status int, reply []byte) error {
	var said struct {
		Type      string `json:"error_type"`
		Message   string `json:"error_message"`
		RequestID string `json:"request_id"`
	}
	_ = json.Unmarshal(reply, &said) // what is no JSON has none of these
	fault := &Error{What: what, Status: status, Type: said.Type, RequestID: said.RequestID,
		Message: said.Message[:min(len(said.Message), maxMessage)]}
	switch {
	case IsUnauthorized(fault):
		fault.advice = fmt.Sprintf("check %s and %s: both are of one key, and it is not revoked", c.options.UserIs,
			c.options.SecretIs)
	case status == http.StatusTooManyRequests:
		fault.advice = "Stytch wants to be asked less often; run this again in a minute, nothing is lost"
	case status >= http.StatusInternalServerError:
		fault.advice = "Stytch has a fault of its own; run this again later, nothing is lost"
	default:
		fault.advice = advice[said.Type]
	}
	return fault
}

// advice says what to do about the types of errors that a person can do something about.
var advice = map[string]string{
	"project_not_found":     "the workspace of this key has no such project",
	"environment_not_found": "the project has no such environment",
	"too_many_projects": "the workspace has room for no other project: delete one, or choose one that is " +
		"there with --project",
	"too_many_secrets":          "delete a secret that nobody uses, under API keys in the dashboard",
	"too_many_public_tokens":    "delete a public token that nobody uses, under API keys in the dashboard",
	"too_many_redirect_urls":    "delete redirect URLs that nobody uses, under Redirect URLs in the dashboard",
	"too_many_connected_apps":   "delete connected apps that nobody uses, under Connected Apps in the dashboard",
	"invalid_role_for_vertical": "the project is of the other vertical: set STYTCH_VERTICAL",
	"invalid_vertical":          "the project is of the other vertical: set STYTCH_VERTICAL",
	"invalid_rbac_stytch_role_edit": "a default role has lost a permission that Stytch demands: give it back under " +
		"Roles & Permissions in the dashboard",
	"redirect_url_must_use_https": "only a public URL with https, or one on this machine, can " +
		"be registered",
	"connected_app_redirect_url_cannot_use_localhost": "write 127.0.0.1 instead of localhost",
	"dynamic_client_registration_not_enabled":         "switch on Dynamic Client Registration under Connected Apps",
}
