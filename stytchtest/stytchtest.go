// Package stytchtest is an emulator of Stytch, for tests, demos and `guestpass dev`,
// named as net/http/httptest is. The real stytch-go and the real browser SDK talk to
// it over HTTP. It signs with keys made at start, keeps everything in memory, answers
// on loopback only and refuses live ids.
//
// It emulates B2B projects: organizations, members, Connected Apps, consent, tokens,
// e-mail codes and magic links, whose mail arrives in an inbox. What of that is
// documented behaviour and what is a choice stands in README.md. It shares no code
// with the server that it is used to test.
package stytchtest

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options configure an [Emulator]. The zero value is the development seed.
type Options struct {
	Seed   *Seed            // nil: [Development]
	Issuer string           // iss of root-form tokens; "": scheme and host of the request
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: nothing is logged
}

// An Emulator is an http.Handler that behaves as one Stytch project does. Safe for
// concurrent use.
type Emulator struct {
	options Options
	log     *slog.Logger
	handler http.Handler

	mu       sync.Mutex // guards what follows
	seed     Seed
	state    state
	keys     []signingKey // the newest last
	offset   time.Duration
	faults   []*Fault
	requests []Request // the newest last
	issuer   string    // of tokens minted without a request
}

// New makes an emulator with fresh keys. It refuses live ids, faulty seeds and
// verticals other than b2b.
func New(o Options) (*Emulator, error) {
	if o.Seed == nil {
		seed := Development()
		o.Seed = &seed
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for _, id := range []string{o.Seed.Project.ID, o.Seed.Project.Secret, o.Seed.Project.PublicToken} {
		if strings.Contains(id, "-live-") {
			return nil, fmt.Errorf("stytchtest: %s… is a live id: the emulator never stands in for a live project", id[:strings.Index(id, "-live-")+5])
		}
	}
	if o.Seed.Project.Vertical != "b2b" {
		return nil, fmt.Errorf("stytchtest: vertical %q is not emulated: only b2b is", o.Seed.Project.Vertical)
	}
	e := &Emulator{options: o, log: o.Log, seed: o.Seed.clone(), issuer: o.Issuer}
	e.state = newState(e.seed)
	e.keys = []signingKey{newSigningKey()}
	e.handler = e.routes()
	return e, nil
}

// Listen binds a loopback address; any other is refused.
func (e *Emulator) Listen(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if !isLoopback(host) {
		return nil, errors.New("the emulator listens on loopback only")
	}
	return net.Listen("tcp", addr)
}

// A Server is an Emulator on a loopback port.
type Server struct {
	*Emulator
	URL string // without a trailing slash
}

// NewServer starts an emulator for a test and stops it at the test's end.
func NewServer(t testing.TB, o Options) *Server {
	t.Helper()
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	running := httptest.NewServer(e)
	t.Cleanup(running.Close)
	if e.issuer == "" {
		e.issuer = running.URL
	}
	return &Server{e, running.URL}
}

func isLoopback(host string) bool {
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// now is the emulator's clock. The caller holds mu.
func (e *Emulator) now() time.Time { return e.options.Now().Add(e.offset) }

// Advance moves the emulator's clock; tokens, codes and sessions end by it.
func (e *Emulator) Advance(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.offset += d
}

// Reset goes back to the seed. Keys, and with them tokens' signatures, stay.
func (e *Emulator) Reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	project := e.state.project
	e.state = newState(e.seed)
	e.state.project.AuthorizationURL, e.state.project.RedirectURLs = project.AuthorizationURL, project.RedirectURLs
	e.faults, e.requests, e.offset = nil, nil, 0
}

// SetAuthorizationURL sets the project's Authorization URL, which discovery documents echo.
func (e *Emulator) SetAuthorizationURL(u string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.project.AuthorizationURL = u
}

// SetRedirectURLs sets the SDK redirect URLs: where e-mail links may lead, compared
// exactly, query included.
func (e *Emulator) SetRedirectURLs(urls ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.project.RedirectURLs = urls
}

// SetMemberStatus changes a member's status: active, invited, pending or deleted.
func (e *Emulator) SetMemberStatus(memberID, status string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.state.member(memberID)
	if m == nil {
		return fmt.Errorf("stytchtest: no member %s", memberID)
	}
	m.Status = status
	return nil
}
