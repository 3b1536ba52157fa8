// Package mcptest is an MCP client, as ChatGPT, Claude and VS Code are ones, for tests and for guestpass try. A
// [Client] does what they do with nothing but a URL: it is refused, learns from the challenge who issues tokens,
// becomes known there, sends the person to sign in, and calls tools.
//
// It is stricter than most: what one of the three would refuse, it refuses, in words that say what is wrong and
// where. Where clients differ, a [Profile] says how; each of its fields names the class of its evidence:
//
//	measured    seen on the wire of the live service, and written down publicly
//	documented  by the vendor
//	reported    by users, in one place or several
//	assumed     nothing is known, and the specification is followed
//
// The package shares no code with the server it is pointed at, which would share its mistakes.
package mcptest

import (
	"net/http"
	"sync"
	"time"
)

// Bounds of what is read.
const (
	maxDocument = 64 << 10  // metadata, a registration, a token
	maxAnswer   = 1_000_000 // one message of the server
	maxPages    = 20        // of tools/list
)

// Options change what the client does. The zero value is ready for use: a client of the specification alone.
type Options struct {
	// Profile says which client it behaves like.
	Profile Profile
	// HTTP sends the requests. Nil means a client of its own. Redirects are never followed: a redirected POST
	// would lose its body or show the token to another host.
	HTTP *http.Client
	// Now tells the time at which tokens expire. Nil means time.Now.
	Now func() time.Time
	// ClientID and ClientSecret are of a client that the authorization server knows already. A ClientID that is
	// a URL is that of a metadata document.
	ClientID, ClientSecret string
	// DocumentURL is where this client's metadata document can be read; [Profile.ServeDocument] serves one. Empty
	// means that there is none, and that the client registers.
	DocumentURL string
	// OnStep is told each step as it is made. Nil means nobody is.
	OnStep func(Step)
}

// Client is one MCP client, connected to one server. It is safe for concurrent use.
type Client struct {
	url     string
	options Options
	profile Profile
	http    *http.Client

	mu       sync.Mutex // guards what follows
	found    *Discovery
	identity *Identity
	flows    map[string]flow // by state
	token    *Token
	version  string // of the protocol; "" before Connect
	nextID   int
	trace    []Step
	secrets  []string // never shown
}

// New makes a client for the server at url, which counts byte for byte: it is what a person types.
func New(url string, o Options) *Client {
	if o.Now == nil {
		o.Now = time.Now
	}
	client := http.Client{}
	if o.HTTP != nil {
		client = *o.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{url: url, options: o, profile: o.Profile.withDefaults(), http: &client, flows: map[string]flow{}}
}
