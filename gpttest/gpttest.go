// Package gpttest is ChatGPT's side of a GPT Action, simulated. [Import] takes an
// OpenAPI document as the GPT editor does and says what the editor would print in
// red; a [GPT] runs OAuth as ChatGPT does and calls operations as the Actions
// runtime does.
//
// Nothing here was checked against a live editor. Every rule carries the class of
// its evidence:
//
//	A  OpenAI's documentation or help centre
//	B  code that OpenAI shipped
//	C  the same text or behaviour in at least two independent public reports
//	D  one public report
//	I  inference
//	T  executed against the named software
//
// Rules of class D and I can be switched off with [Options].Without. [Rules] lists
// them all.
//
// The package shares no code with the server it is pointed at: a simulator that
// borrowed the server's parser would also borrow its mistakes.
package gpttest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// roundTrip is how long the Actions runtime waits for an answer (class A).
	roundTrip = 45 * time.Second
	// maxCharacters bounds request and response: each must stay under it (class A).
	maxCharacters = 100_000

	defaultCallbackID    = "g-dev"
	defaultLoopbackPort  = 8090
	defaultWarnBytes     = 100_000
	defaultDocumentBytes = 800_000
	userAgent            = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; " +
		"+https://openai.com/bot"
)

// Options changes what the simulated ChatGPT does. The zero value is ready for use
// and is the strictest reading of what is known.
type Options struct {
	// HTTP sends the requests. Nil means a client of its own. Either way 45 seconds
	// pass at most and FollowRedirects decides about redirects.
	HTTP *http.Client
	// Now tells the time at which tokens expire. Nil means time.Now.
	Now func() time.Time
	// CallbackID is the action's id in https://chatgpt.com/aip/{id}/oauth/callback.
	// Empty means "g-dev".
	CallbackID string
	// LoopbackPort is the port of http://127.0.0.1:{port}/callback. Zero means 8090.
	LoopbackPort int
	// Log receives the debug records, one line each. Nil means none. Tokens, codes
	// and secrets are never in them.
	Log io.Writer
	// Approve answers the prompt shown before a call. Nil allows everything.
	Approve func(Operation, map[string]any) Decision

	// Strict waives nothing on loopback: Import says what the real editor would say
	// of a document that names http://localhost.
	Strict bool
	// Without names rules that are not applied, such as "M11". Only rules of class D
	// and I may be named.
	Without []string
	// FollowRedirects follows redirects of the document and of API calls. What the
	// editor does is unknown, so the default is to refuse them (class I).
	FollowRedirects bool
	// QueryArrays is how an array in the query is written (unknown; class I).
	QueryArrays QueryArrays
	// Only310 refuses OpenAPI 3.1.1 too, as the editor once did (class C).
	Only310 bool
	// CookieParameters keeps cookie parameters as arguments and sends them. The
	// default ignores them like header parameters (class I).
	CookieParameters bool
	// IgnorePrivateSuffixes makes the domain rule compare under the registries'
	// suffixes only: a.vercel.app and b.vercel.app then share a root (class I).
	IgnorePrivateSuffixes bool
	// OmitEmptyScope leaves scope out of the authorization URL when it is empty; the
	// default writes "scope=". Both were seen (class C).
	OmitEmptyScope bool
	// KeepTokenOn401 stays signed in after the API answered 401 (class I).
	KeepTokenOn401 bool
	// DuplicateCalls sends each call twice, as was seen around the approval prompt
	// (class D). The second answer counts.
	DuplicateCalls bool
	// WarnDocumentBytes and MaxDocumentBytes bound the indented document (class D).
	// Zero means 100,000 and 800,000.
	WarnDocumentBytes, MaxDocumentBytes int
}

// QueryArrays is a way of writing an array argument into a query string.
type QueryArrays int

const (
	// Comma writes ids=a,b.
	Comma QueryArrays = iota
	// Repeat writes ids=a&ids=b.
	Repeat
	// Brackets writes ids[]=a&ids[]=b.
	Brackets
)

// Decision is an answer to the prompt that ChatGPT shows before a call.
type Decision int

const (
	// Allow lets this one call through.
	Allow Decision = iota
	// AlwaysAllow also stops further prompts for the domain. For a consequential
	// operation ChatGPT does not offer it; there it means Allow.
	AlwaysAllow
	// Decline refuses this one call.
	Decline
)

// GPT is one custom GPT with one action. It is safe for concurrent use.
type GPT struct {
	imp            *Imported
	options        Options
	client         *http.Client
	conversationID string
	ephemeralID    string

	mu        sync.Mutex // guards what follows
	auth      *Auth
	token     *Token
	states    map[string]string // state to the redirect URI it was made for
	always    bool              // "Always allow" was chosen for the domain
	throttled int
	broken    int
	notes     []string
}

// New makes a GPT from an imported document. Import problems do not stop it: the
// operations that the editor kept can be called.
func New(imp *Imported, o Options) *GPT {
	o = o.withDefaults()
	return &GPT{
		imp:            imp,
		options:        o,
		client:         o.client(),
		conversationID: uuid.NewString(),
		ephemeralID:    uuid.NewString(),
		states:         map[string]string{},
	}
}

// Notes returns what was waived because the action is on loopback, one line each,
// beyond the Notes of the import.
func (g *GPT) Notes() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.notes...)
}

// Failures counts the answers that make ChatGPT back off: 429, and 5xx.
func (g *GPT) Failures() (throttled, broken int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.throttled, g.broken
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CallbackID == "" {
		o.CallbackID = defaultCallbackID
	}
	if o.LoopbackPort == 0 {
		o.LoopbackPort = defaultLoopbackPort
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Approve == nil {
		o.Approve = func(Operation, map[string]any) Decision { return Allow }
	}
	if o.WarnDocumentBytes == 0 {
		o.WarnDocumentBytes = defaultWarnBytes
	}
	if o.MaxDocumentBytes == 0 {
		o.MaxDocumentBytes = defaultDocumentBytes
	}
	return o
}

// client returns a copy, so that the caller's client keeps its own settings.
func (o Options) client() *http.Client {
	client := http.Client{Timeout: roundTrip}
	if o.HTTP != nil {
		client = *o.HTTP
		if client.Timeout == 0 || client.Timeout > roundTrip {
			client.Timeout = roundTrip
		}
	}
	client.CheckRedirect = nil
	if !o.FollowRedirects {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return &client
}

// oauthClient returns the client for the token endpoint, which may never redirect: a
// redirected POST would lose its form or show the client secret to another host.
func (g *GPT) oauthClient() *http.Client {
	client := *g.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// checkWithout refuses names that are no rule, and rules known too well to doubt.
func (o Options) checkWithout() error {
	for _, id := range o.Without {
		r, ok := ruleByID(id)
		switch {
		case !ok:
			return fmt.Errorf("options: no rule %q", id)
		case !r.Switchable():
			return fmt.Errorf("options: rule %s is of class %s and cannot be switched off", id,
				strings.Join(r.Class, ", "))
		}
	}
	return nil
}
