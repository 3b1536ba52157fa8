// Package guestpasstest starts the whole of Guestpass for a test of your resources: the server with them, a database,
// and the emulator of Stytch, all over HTTP on ports that the system chooses. Nothing in it is a mock: tokens are
// signed and verified, rows are kept, and a test calls what ChatGPT and Claude would call.
//
//	func TestExpensesAreKept(t *testing.T) {
//		w := guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{expenses.Resource()}})
//		ada := w.As(guestpasstest.Ada)
//		ada.Do(201, "POST", "/api/v1/expenses", `{"cents":1250,"currency":"EUR","spent_on":"2026-11-30"}`)
//		list := ada.Do(200, "GET", "/api/v1/expenses", "")
//		…
//	}
//
// What is not a matter of a person with a good token is sent with [World.Call]. The server's clock is the emulator's:
// w.Stytch.Advance moves both.
package guestpasstest

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/internal/postgrestest"
	"guestpass/store"
	"guestpass/stytchtest"
)

// People of the emulator's B2B project. Ada administers Acme, Grace is a member, Hank administers Globex.
const (
	Acme   = "organization-test-aaaaaaaa-0000-4000-8000-000000000001"
	Globex = "organization-test-bbbbbbbb-0000-4000-8000-000000000001"
	Ada    = "member-test-aaaaaaaa-0000-4000-8000-000000000001"
	Grace  = "member-test-aaaaaaaa-0000-4000-8000-000000000002"
	Hank   = "member-test-bbbbbbbb-0000-4000-8000-000000000001"
)

// Users of its Consumer project.
const (
	UserAda   = "user-test-cccccccc-0000-4000-8000-000000000001"
	UserGrace = "user-test-cccccccc-0000-4000-8000-000000000002"
)

// Options say what to start. The zero value serves no operations, in a B2B project.
type Options struct {
	Resources []api.Resource
	Vertical  auth.Vertical // "": B2B

	// DatabaseURL is that of [store.Options]; "": a SQLite file of the test's own.
	DatabaseURL string

	// Quota is that of [store.Options].
	Quota store.Quota

	// Change sets further options of the server, such as Limits or Access; nil: none. Without it, calls are not
	// limited by their rate.
	Change func(*guestpass.Options)
}

// roomy are limits for tests that are about something else.
var roomy = guestpass.Limits{Address: many, Member: many, Organization: many, Client: many, InFlight: 512}

const many = 1 << 30

// A World is what was started. It ends with the test.
type World struct {
	URL    string // of the server
	App    *guestpass.Server
	Stytch *stytchtest.Server
	Store  *store.Store
	Log    *Log // of the server

	t    testing.TB
	http *http.Client
}

// A Log is what was logged, a JSON object on each line. It is safe for concurrent use.
type Log struct {
	mutex sync.Mutex // guards text
	text  strings.Builder
}

// Write is called by the server.
func (l *Log) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

// A Reply is an answer, read to its end.
type Reply struct {
	Status int
	Header http.Header
	Body   string
}

// New starts a world. The people of the project have every scope that the resources' operations need.
func New(t testing.TB, o Options) *World {
	t.Helper()
	seed := stytchtest.Development()
	if o.Vertical == auth.Consumer {
		seed = stytchtest.DevelopmentConsumer()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	w := &World{t: t, Log: new(Log), URL: "http://" + listener.Addr().String(),
		Stytch: stytchtest.NewServer(t, stytchtest.Options{Seed: &seed}),
		http: &http.Client{Timeout: time.Minute, Transport: transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	w.Stytch.SetAuthorizationURL(w.URL + "/idp")
	w.Stytch.SetRedirectURLs(w.URL + "/idp")
	w.Store = openStore(t, o, w.Stytch.Now)
	settings := guestpass.Options{PublicURL: w.URL, ProjectID: seed.Project.ID, Secret: seed.Project.Secret,
		PublicToken: seed.Project.PublicToken, Vertical: auth.Vertical(seed.Project.Vertical), Domain: w.Stytch.URL,
		BaseURL: w.Stytch.URL, ClientIDs: []string{seed.ConnectedApps[0].ClientID}, ForwardTokens: true,
		Title: "Test", Version: "test", Store: w.Store, Resources: o.Resources, Now: w.Stytch.Now,
		Limits: roomy, Log: slog.New(slog.NewJSONHandler(w.Log, nil))}
	if o.Change != nil {
		o.Change(&settings)
	}
	if w.App, err = guestpass.New(settings); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.App.Close() })
	w.grantScopes()
	running := &httptest.Server{Listener: listener,
		Config: &http.Server{Handler: w.App, ReadHeaderTimeout: time.Minute}}
	running.Start()
	t.Cleanup(running.Close)
	return w
}

func openStore(t testing.TB, o Options, now func() time.Time) *store.Store {
	t.Helper()
	url := o.DatabaseURL
	if url == "" {
		url = "sqlite:" + filepath.Join(t.TempDir(), "guestpass.db")
	}
	database, err := store.Open(t.Context(), store.Options{URL: url, Now: now, Quota: o.Quota,
		Schemas: api.Schemas(o.Resources)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	return database
}

// grantScopes gives the project the scopes of the operations, and every role their permissions, as an administrator
// does in Stytch's dashboard.
func (w *World) grantScopes() {
	w.t.Helper()
	w.ChangeProject(func(seed *stytchtest.Seed) {
		for _, op := range w.App.Operations() {
			if resource, action := op.Access.RBAC(); resource != "" {
				seed.Policy.Allow(op.Access.ScopeName(), op.Summary, resource, action)
			}
		}
	})
}

// Token returns an access token of the person with the scopes, as Stytch would issue it to the connected app.
func (w *World) Token(subject string, scopes ...string) string {
	w.t.Helper()
	return w.Mint(stytchtest.MintRequest{Kind: "access", Subject: subject, Scopes: scopes})
}

// Call sends one request and reads the answer. Without a token it sends no Authorization header; a body is JSON.
// change, if given, edits the request first.
func (w *World) Call(method, path, token, body string, change ...func(*http.Request)) Reply {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range change {
		f(r)
	}
	response, err := w.http.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return Reply{response.StatusCode, response.Header, string(content)}
}

// Postgres returns the URL of an empty database of a Postgres that runs for this test program alone. It fails the test
// if Postgres is not installed, and the server ends with the program.
func Postgres(t *testing.T) string {
	t.Helper()
	return postgrestest.Shared(t).Database(t)
}
