package stytchtest

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"guestpass/stytchtest/internal/documents"
	"guestpass/stytchtest/internal/faults"
	"guestpass/stytchtest/internal/keys"
	"guestpass/stytchtest/internal/loopback"
)

// Options configure an [Emulator]. The zero value is the B2B development seed.
type Options struct {
	Seed   *Seed            // nil: [Development]
	Issuer string           // iss of root-form tokens; "": scheme and host of the request
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: nothing is logged
	Chaos  Chaos            // faults at random; the zero value has none
	KeptIn string           // file in which its owner keeps the project, for the page to name; "": it is forgotten

	// Origins are those of pages that may use the browser SDK here, such as
	// "http://localhost:3000", beside the ones of the project's Authorization URL and redirect URLs.
	Origins []string
	// LoopbackDocuments has metadata documents of clients fetched from this machine too, over http as
	// well. Otherwise they come from public addresses alone, over https.
	LoopbackDocuments bool
	// Hosts are further values of Host under which a proxy of yours on this machine asks for what is
	// emulated, with the port if there is one. Loopback names always count.
	Hosts []string
}

// An Emulator is an http.Handler that behaves as one Stytch project does. Safe for
// concurrent use.
type Emulator struct {
	options  Options
	vertical vertical
	log      *slog.Logger
	handler  http.Handler
	faults   *faults.List
	chaos    *faults.Chaos
	fetcher  *documents.Fetcher
	newKey   func() *keys.Key

	mu       sync.Mutex // guards what follows
	seed     Seed
	state    state
	keys     keys.Ring
	requests []Request // the newest last
	issued   []Token   // the newest last
	recorded int       // requests and tokens so far
	issuer   string    // of tokens minted without a request
}

// New makes an emulator with a fresh key. It refuses live ids and faulty seeds, and
// names every fault.
func New(o Options) (*Emulator, error) { return newEmulator(o, keys.New) }

func newEmulator(o Options, newKey func() *keys.Key) (*Emulator, error) {
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
	if err := o.Seed.check(); err != nil {
		return nil, err
	}
	if o.Chaos.Percent < 0 || o.Chaos.Percent > 100 {
		return nil, fmt.Errorf("stytchtest: chaos of %d percent: it must be between 0 and 100", o.Chaos.Percent)
	}
	e := &Emulator{options: o, log: o.Log, seed: o.Seed.clone(), issuer: o.Issuer, faults: new(faults.List),
		fetcher: documents.New(o.LoopbackDocuments, o.Log), newKey: newKey}
	e.chaos = &faults.Chaos{Percent: o.Chaos.Percent, Seed: o.Chaos.Seed, FreshKey: e.RotateKeys, Log: o.Log}
	e.seed.invent()
	e.vertical = e.seed.Project.vertical()
	e.state = newState(e.seed)
	e.keys = keys.Ring{newKey()}
	e.handler = e.routes()
	return e, nil
}

// Listen binds a loopback address; any other is refused.
func (e *Emulator) Listen(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("stytchtest: listen: %w", err)
	}
	if !loopback.Is(host) {
		return nil, fmt.Errorf("stytchtest: listen on %s: the emulator listens on loopback only", addr)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	// A hosts file can give localhost any address.
	if bound, ok := listener.Addr().(*net.TCPAddr); !ok || !bound.IP.IsLoopback() {
		_ = listener.Close()
		return nil, fmt.Errorf("stytchtest: listen on %s: it is bound to %s, which is not loopback", addr,
			listener.Addr())
	}
	return listener, nil
}

// now returns the emulator's clock. The caller holds mu.
func (e *Emulator) now() time.Time { return e.options.Now().Add(e.state.Advanced) }

// Now returns the emulator's time, for a server under test that must agree with it.
func (e *Emulator) Now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now()
}

// Advance moves the emulator's clock; tokens, codes and sessions end by it.
func (e *Emulator) Advance(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.Advanced += d
}

// farthest is how far whoever calls may move the clock in all, forward or back.
const farthest = 10 * 365 * 24 * time.Hour

// advance is Advance within bounds; it reports whether these let it.
func (e *Emulator) advance(d time.Duration) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d.Abs() > 2*farthest || (e.state.Advanced+d).Abs() > farthest {
		return false
	}
	e.state.Advanced += d
	return true
}

// Reset goes back to the seed, with an empty inbox and the real time. Keys, and with
// them tokens' signatures, stay, as do the URLs of the project: they say where the
// server under test is.
func (e *Emulator) Reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	project := e.state.project
	e.state = newState(e.seed)
	e.state.project.AuthorizationURL, e.state.project.RedirectURLs = project.AuthorizationURL, project.RedirectURLs
	e.faults.Clear()
	e.requests, e.issued = nil, nil
}

// SetAuthorizationURL sets the project's Authorization URL, which discovery documents echo.
func (e *Emulator) SetAuthorizationURL(u string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.project.AuthorizationURL = u
}

// SetRedirectURLs sets the SDK redirect URLs: where e-mail links may lead, compared
// exactly, query included. Each is good for every type, the first is the default.
func (e *Emulator) SetRedirectURLs(urls ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.project.RedirectURLs = RedirectURLs(urls...)
}

// SetStatus changes the status of a member (active, invited, pending or deleted) or a
// user (active, pending or deleted).
func (e *Emulator) SetStatus(personID, status string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Contains(e.vertical.statuses, status) {
		return fmt.Errorf("stytchtest: status %q: it must be one of %s", status, strings.Join(e.vertical.statuses,
			", "))
	}
	p := e.state.person(personID)
	if p == nil {
		return fmt.Errorf("stytchtest: no %s %s", e.vertical.person, personID)
	}
	p.status = status
	return nil
}
