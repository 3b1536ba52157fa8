package idp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"guestpass/internal/form"
	"guestpass/internal/limits"
	"guestpass/internal/upstream"
)

// Numbers that bound each token request; limits.go has those of many.
const (
	maxTokenRequest = 8 << 10
	maxTokenReply   = 64 << 10
	tokenTimeout    = 10 * time.Second // in all
	upstreamTimeout = 5 * time.Second
)

// forwarder is POST /oauth2/token: it makes a new request of what it understood of
// the old one, sends it to Stytch once, and passes on what it understood of the
// reply. GPT Actions demand that the token URL is on the API's own domain, which
// Stytch's is not. It is no reverse proxy: that would forward more than it checked.
type forwarder struct {
	target string
	admits func(clientID string) bool
	client *http.Client
	limits *tokenLimits
	log    *slog.Logger
}

func newForwarder(o Options) (*forwarder, error) {
	target, err := url.Parse(o.TokenURL)
	if err != nil || target.Host == "" || (target.Scheme != "https" && !isLoopback(o.TokenURL)) {
		return nil, fmt.Errorf("the token endpoint %q must be an https URL (http on loopback only)", o.TokenURL)
	}
	transport := o.Transport
	if transport == nil {
		transport = upstreamTransport()
	}
	return &forwarder{
		target: target.String(), admits: o.admits, log: o.Log,
		client: &http.Client{Transport: transport, Timeout: upstreamTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		limits: newTokenLimits(o),
	}, nil
}

// upstreamTransport refuses private addresses, so that a name that resolves inwards
// cannot carry codes and secrets there. No proxy is taken from the environment.
func upstreamTransport() http.RoundTripper {
	return &http.Transport{DialContext: upstream.Dial(2 * time.Second), TLSHandshakeTimeout: 2 * time.Second,
		MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		ResponseHeaderTimeout: upstreamTimeout}
}

// oauthError is a reply of RFC 6749 section 5.2.
type oauthError struct {
	status           int
	Code             string `json:"error"`
	Description      string `json:"error_description"`
	allow, challenge string
	acceptEncoding   string
	retryAfter       int
}

func (e *oauthError) Error() string { return e.Code + ": " + e.Description }

func badRequest(description string) *oauthError {
	return &oauthError{status: http.StatusBadRequest, Code: "invalid_request", Description: description}
}

// tokenRequest is what was understood of a request.
type tokenRequest struct {
	form     url.Values // rebuilt, without the client's credentials if those came by Basic
	clientID string
	basic    string // Authorization header to pass on, or ""
}

// tokenFields are forwarded, each at most once; all others are dropped.
var tokenFields = []string{"grant_type", "code", "redirect_uri", "client_id", "client_secret", "refresh_token",
	"code_verifier"}

func (f *forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), tokenTimeout)
	defer cancel()
	request, refused := f.understand(w, r)
	turn := f.limits.turn(request, clientAddress(r))
	if over := f.limits.admit(&turn); over != nil { // what is malformed counts as well
		refused = over
	}
	var status int
	var reply map[string]any
	if refused == nil {
		status, reply, refused = f.askInTurn(ctx, request, turn)
	}
	if refused != nil {
		turn.forgive() // which Stytch was not asked about
		f.note(ctx, request, refused.status, refused.Code)
		writeOAuthError(w, refused)
		return
	}
	f.limits.note(turn, status, reply)
	code, _ := reply["error"].(string)
	f.note(ctx, request, status, code)
	writeToken(w, status, reply)
}

// askInTurn holds a place until Stytch has answered, not while the reply is written to
// somebody who may be slow.
func (f *forwarder) askInTurn(ctx context.Context, request tokenRequest, turn tokenTurn) (int, map[string]any,
	*oauthError) {
	leave, err := turn.class.places.Enter(limits.WithParty(ctx, turn.party))
	if err != nil {
		return 0, nil, unavailable("too many sign-ins at the moment", 1)
	}
	defer leave()
	status, reply := f.send(ctx, request)
	return status, reply, nil
}

// note logs all that may be logged of a token request.
func (f *forwarder) note(ctx context.Context, request tokenRequest, status int, code string) {
	f.log.InfoContext(ctx, "token request", "grant_type", known(request.form.Get("grant_type")),
		"client_id", request.clientID, "status", status, "error", code)
}

// known keeps what is no grant type out of the log.
func known(grant string) string {
	if grant == "authorization_code" || grant == "refresh_token" {
		return grant
	}
	return "other"
}

// understand checks everything that can be checked without Stytch.
func (f *forwarder) understand(w http.ResponseWriter, r *http.Request) (tokenRequest, *oauthError) {
	if r.Method != http.MethodPost {
		return tokenRequest{}, &oauthError{status: http.StatusMethodNotAllowed, Code: "invalid_request",
			Description: "use POST", allow: http.MethodPost}
	}
	if r.URL.RawQuery != "" && form.Is(r.Header) {
		return tokenRequest{}, badRequest("send the parameters in the body, not in the URL")
	}
	fields, refused := readFields(w, r)
	if refused != nil {
		return tokenRequest{}, refused
	}
	request := tokenRequest{form: url.Values{}}
	for _, name := range tokenFields {
		switch values := fields[name]; {
		case len(values) > 1:
			return tokenRequest{}, badRequest(name + " is given more than once")
		case len(values) == 1 && values[0] != "":
			request.form.Set(name, values[0])
		}
	}
	return request, f.checkRequest(&request, r)
}

// readFields reads the form. What is wrong with it is told without names that are not ours: a
// description may have few characters (RFC 6749 section 5.2).
func readFields(w http.ResponseWriter, r *http.Request) (url.Values, *oauthError) {
	fields, err := form.Read(w, r, maxTokenRequest)
	var fault *form.Fault
	switch {
	case err == nil:
		return fields, nil
	case errors.Is(err, form.ErrNotForm):
		return nil, &oauthError{status: http.StatusUnsupportedMediaType, Code: "invalid_request",
			Description:    "send the parameters as application/x-www-form-urlencoded, not compressed",
			acceptEncoding: "identity"}
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, &oauthError{status: http.StatusRequestEntityTooLarge, Code: "invalid_request",
			Description: "the body is longer than " + strconv.Itoa(maxTokenRequest) + " bytes"}
	case errors.As(err, &fault):
		name := "a parameter"
		if slices.Contains(tokenFields, fault.Name) {
			name = fault.Name
		}
		return nil, badRequest("the body is not a valid form: " + name + " " + fault.Reason)
	}
	return nil, badRequest("the body cannot be read")
}

func (f *forwarder) checkRequest(request *tokenRequest, r *http.Request) *oauthError {
	if refused := request.authenticate(r); refused != nil {
		return refused
	}
	switch grant := request.form.Get("grant_type"); {
	case grant == "":
		return badRequest("grant_type is missing")
	case known(grant) == "other":
		return &oauthError{status: http.StatusBadRequest, Code: "unsupported_grant_type",
			Description: "only authorization_code and refresh_token are possible here"}
	case grant == "authorization_code" && request.form.Get("code") == "":
		return badRequest("code is missing")
	case grant == "refresh_token" && request.form.Get("refresh_token") == "":
		return badRequest("refresh_token is missing")
	}
	if !f.admits(request.clientID) {
		return &oauthError{status: http.StatusUnauthorized, Code: "invalid_client", Description: "no such client",
			challenge: request.challenge()}
	}
	return nil
}

// authenticate finds the client in the form or in a Basic header, not in both
// (RFC 6749 section 2.3). The secret is only carried.
func (t *tokenRequest) authenticate(r *http.Request) *oauthError {
	headers := r.Header.Values("Authorization")
	t.clientID = t.form.Get("client_id")
	if len(headers) == 0 {
		t.clientID = printable(t.clientID)
		return nil
	}
	id, _, ok := r.BasicAuth()
	if len(headers) > 1 || !ok {
		t.clientID = ""
		return badRequest("the Authorization header is not one Basic header")
	}
	if decoded, err := url.QueryUnescape(id); err == nil { // RFC 6749 section 2.3.1 encodes it
		id = decoded
	}
	if t.form.Has("client_secret") || (t.clientID != "" && t.clientID != id) {
		t.clientID = ""
		return badRequest("the client authenticates twice: use the form or the Authorization header, not both")
	}
	t.form.Del("client_id")
	t.clientID, t.basic = printable(id), headers[0]
	return nil
}

// printable keeps anything that is no client id out of log and limiter.
func printable(clientID string) string {
	if !isClientID(clientID) {
		return ""
	}
	return clientID
}

// secret returns the client's, however it was sent; "" for a public client's request.
func (t *tokenRequest) secret() string {
	if t.basic == "" {
		return t.form.Get("client_secret")
	}
	_, secret, _ := (&http.Request{Header: http.Header{"Authorization": {t.basic}}}).BasicAuth()
	if decoded, err := url.QueryUnescape(secret); err == nil { // RFC 6749 section 2.3.1 encodes it
		return decoded
	}
	return secret
}

func (t *tokenRequest) challenge() string {
	if t.basic != "" {
		return `Basic realm="token"`
	}
	return ""
}

// send makes the one upstream call: a code works once, so nothing is repeated.
func (f *forwarder) send(ctx context.Context, t tokenRequest) (int, map[string]any) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.target, strings.NewReader(t.form.Encode()))
	if err != nil {
		return failure(http.StatusBadGateway)
	}
	request.GetBody = nil // net/http would send it again on a broken connection
	request.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"},
		"User-Agent": {"Guestpass"}}
	if t.basic != "" {
		request.Header.Set("Authorization", t.basic)
	}
	response, err := f.client.Do(request)
	if err != nil {
		f.log.WarnContext(ctx, "token endpoint of Stytch does not answer", "error", withoutURL(err))
		if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
			return failure(http.StatusServiceUnavailable)
		}
		return failure(http.StatusBadGateway)
	}
	defer response.Body.Close()
	return f.reply(ctx, response)
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

// withoutURL unwraps *url.Error, whose text repeats the address.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// replyFields are passed on, nothing else of Stytch's reply is.
var replyFields = []string{"access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token",
	"error", "error_description", "error_uri"}

// standardErrors are the codes of RFC 6749 section 5.2.
var standardErrors = []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
	"unsupported_grant_type", "invalid_scope"}

func (f *forwarder) reply(ctx context.Context, response *http.Response) (int, map[string]any) {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	body, err := io.ReadAll(io.LimitReader(response.Body, maxTokenReply+1))
	var all map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err != nil || kind != "application/json" || len(body) > maxTokenReply || decoder.Decode(&all) != nil ||
		response.StatusCode >= http.StatusInternalServerError || (response.StatusCode >= 300 &&
		response.StatusCode < 400) {
		f.log.WarnContext(ctx, "token endpoint of Stytch answers with something else than a token or an OAuth error",
			"status", response.StatusCode, "content_type", kind, "bytes", len(body))
		if response.StatusCode == http.StatusServiceUnavailable {
			return failure(http.StatusServiceUnavailable)
		}
		return failure(http.StatusBadGateway)
	}
	fields := map[string]any{}
	for _, name := range replyFields {
		if value, ok := all[name]; ok {
			fields[name] = value
		}
	}
	status := response.StatusCode
	switch status {
	case http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusTooManyRequests:
	default:
		status = http.StatusBadRequest
	}
	if code, _ := fields["error"].(string); status != http.StatusOK && !slices.Contains(standardErrors, code) {
		fields["error"] = "invalid_request"
	}
	return status, fields
}

func failure(status int) (int, map[string]any) {
	return status, map[string]any{"error": "temporarily_unavailable",
		"error_description": "the identity provider does not answer at the moment; try again"}
}

func unavailable(description string, retryAfter int) *oauthError {
	return &oauthError{status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", Description: description,
		retryAfter: retryAfter}
}

func writeOAuthError(w http.ResponseWriter, e *oauthError) {
	header := w.Header()
	if e.allow != "" {
		header.Set("Allow", e.allow)
	}
	if e.challenge != "" {
		header.Set("WWW-Authenticate", e.challenge)
	}
	if e.acceptEncoding != "" {
		header.Set("Accept-Encoding", e.acceptEncoding) // RFC 9110 section 15.5.16
	}
	if e.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	writeToken(w, e.status, map[string]any{"error": e.Code, "error_description": e.Description})
}

// writeToken sends the headers of RFC 6749 section 5.1.
func writeToken(w http.ResponseWriter, status int, fields map[string]any) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("Pragma", "no-cache")
	header.Set("X-Content-Type-Options", "nosniff")
	if status == http.StatusServiceUnavailable && header.Get("Retry-After") == "" {
		header.Set("Retry-After", "5")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(fields)
}
