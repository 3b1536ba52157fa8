package stytch

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"guestpass/internal/credentials"
	"guestpass/internal/upstream"
)

const (
	publicTimeout = 5 * time.Second
	maxPublic     = 1 << 20 // bytes of an answer: the browser SDK's has the whole policy

	metadataOfIssuer = "/.well-known/oauth-authorization-server"
)

// Public reads what Stytch tells everybody of a project, without its secret: at the project's domain, and what it tells
// browsers. It never sends anything that changes.
type Public struct {
	client *http.Client
	now    func() time.Time
}

// NewPublic returns a reader that follows no redirect, and no name that resolves to an internal address. now is the
// clock that is held against Stytch's; nil: time.Now.
func NewPublic(now func() time.Time) Public {
	if now == nil {
		now = time.Now
	}
	return Public{now: now, client: &http.Client{Timeout: publicTimeout,
		Transport: &http.Transport{DialContext: upstream.Dial(connectTimeout), TLSHandshakeTimeout: connectTimeout,
			MaxResponseHeaderBytes: 16 << 10, ForceAttemptHTTP2: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// AnswerError is an answer of Stytch's that refuses.
type AnswerError struct {
	Status int
	Type   string // Stytch's error_type; "" for none
}

func (e *AnswerError) Error() string {
	if e.Type == "" {
		return fmt.Sprintf("status %d", e.Status)
	}
	return fmt.Sprintf("status %d (%s)", e.Status, e.Type)
}

// Metadata is the part of the project's metadata (RFC 8414) that matters here.
type Metadata struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	KeysURL               string `json:"jwks_uri"`
	RegistrationEndpoint  string `json:"registration_endpoint"` // "": clients cannot register themselves
	TakesDocuments        bool   `json:"client_id_metadata_document_supported"`
	SendsIssuer           bool   `json:"authorization_response_iss_parameter_supported"`

	// Ahead is by how much Stytch's clock is ahead of ours, or behind with a minus; 0 within what does no harm.
	Ahead time.Duration `json:"-"`
}

// NoAuthorizationURL is the type of Stytch's refusal in place of metadata if the project has no Authorization URL.
const NoAuthorizationURL = "authorization_endpoint_not_configured_for_project"

// Metadata reads those at a domain, which is an origin.
func (p Public) Metadata(ctx context.Context, domain string) (m Metadata, err error) {
	asked := p.now()
	header, err := p.get(ctx, domain+metadataOfIssuer, nil, &m)
	m.Ahead = clockDifference(header, asked, p.now())
	return m, err
}

// KeyIDs returns the ids of the keys in a document, in order.
func (p Public) KeyIDs(ctx context.Context, address string) (ids []string, err error) {
	var document struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	_, err = p.get(ctx, address, nil, &document)
	for _, key := range document.Keys {
		ids = append(ids, key.ID)
	}
	slices.Sort(ids)
	return ids, err
}

// Browser is what Stytch tells the browser SDK of the project: a private API, whose members may be missing.
type Browser struct {
	Vertical string `json:"vertical"` // B2B or CONSUMER
	Captcha  struct {
		Enabled bool `json:"enabled"`
	} `json:"captcha_settings"`
	Fingerprint bool   `json:"dfp_protected_auth_enabled"`
	Domain      string `json:"cname_domain"` // a custom one
}

// Browser asks as a page of the origin does.
func (p Public) Browser(ctx context.Context, base, publicToken, origin string) (Browser, error) {
	var answer struct {
		Data Browser `json:"data"`
	}
	_, err := p.get(ctx, base+bootstrapPath+publicToken, func(r *http.Request) {
		r.SetBasicAuth(publicToken, publicToken)
		r.Header.Set("Origin", origin)
		r.Header.Set("X-SDK-Parent-Host", origin)
		r.Header.Set("X-SDK-Client", sdkClient)
	}, &answer)
	return answer.Data, err
}

const bootstrapPath = "/sdk/v1/projects/bootstrap/"

// sdkClient is how the browser SDK says which one it is.
var sdkClient = base64.StdEncoding.EncodeToString([]byte(`{"event_id":"event-id-doctor",` +
	`"app_session_id":"app-session-id-doctor","persistent_id":"persistent-id-doctor","timezone":"UTC",` +
	`"app":{"identifier":"guestpass"},"sdk":{"identifier":"Stytch.js Javascript SDK","version":"6.3.0"}}`))

// sdkHeaders are those that the browser SDK sends, and a browser asks beforehand whether it may.
var sdkHeaders = []string{"authorization", "content-type", "x-sdk-client", "x-sdk-parent-host"}

// CheckPreflight asks as a browser does before the SDK on a page of the origin may call the base (CORS in the Fetch
// standard). Its error says what the browser would miss.
func (p Public) CheckPreflight(ctx context.Context, base, publicToken, origin string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodOptions, base+bootstrapPath+publicToken, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Origin", origin)
	r.Header.Set("Access-Control-Request-Method", http.MethodGet)
	r.Header.Set("Access-Control-Request-Headers", strings.Join(sdkHeaders, ","))
	response, err := p.do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	h := response.Header
	missing := slices.DeleteFunc(slices.Clone(sdkHeaders), func(name string) bool {
		return hasWord(h.Values("Access-Control-Allow-Headers"), name)
	})
	switch {
	case response.StatusCode < 200 || response.StatusCode > 299:
		return &AnswerError{Status: response.StatusCode}
	case h.Get("Access-Control-Allow-Origin") != origin:
		return fmt.Errorf("it admits the origin %q", h.Get("Access-Control-Allow-Origin"))
	case h.Get("Access-Control-Allow-Credentials") != "true":
		return errors.New("it admits no credentials")
	case len(missing) > 0:
		return fmt.Errorf("it does not admit the headers %s", strings.Join(missing, ", "))
	}
	return nil
}

func hasWord(lists []string, word string) bool {
	for _, list := range lists {
		for entry := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(entry), word) {
				return true
			}
		}
	}
	return false
}

// APIBase returns the origin of Stytch's API for a project.
func APIBase(projectID string) string {
	if environment, _ := credentials.ProjectID.Check(projectID); environment == credentials.Live {
		return "https://api.stytch.com"
	}
	return "https://test.stytch.com"
}

// KeysURL is where Stytch's API has a project's keys, whatever its domain.
func KeysURL(base, projectID string) string { return base + "/v1/sessions/jwks/" + projectID }

// ErrNoAnswer is wrapped by errors that say that nobody answered.
var ErrNoAnswer = errors.New("no answer")

// do sends the request. Its error does not repeat the address.
func (p Public) do(r *http.Request) (*http.Response, error) {
	response, err := p.client.Do(r) // #nosec G704 -- a domain of the settings, on no internal address: see NewPublic
	var sent *url.Error
	if errors.As(err, &sent) {
		err = sent.Err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	return response, nil
}

// get reads one JSON object, and returns the answer's header if there was an answer.
func (p Public) get(ctx context.Context, address string, change func(*http.Request), into any) (http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if change != nil {
		change(request)
	}
	response, err := p.do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPublic+1))
	if err != nil {
		return response.Header, err
	}
	if len(body) > maxPublic {
		return response.Header, fmt.Errorf("an answer of more than %d bytes", maxPublic)
	}
	if response.StatusCode != http.StatusOK {
		var refusal struct {
			Type string `json:"error_type"`
		}
		_ = json.Unmarshal(body, &refusal) // a refusal without a type is one, too
		return response.Header, &AnswerError{response.StatusCode, errorType(refusal.Type)}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return response.Header, fmt.Errorf("the answer is no JSON object as it should be: %w", err)
	}
	return response.Header, nil
}

// errorType returns the word if it has the form of Stytch's: it is shown.
func errorType(word string) string {
	if len(word) > 100 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return "unreadable"
	}
	return word
}
