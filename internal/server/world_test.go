package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/gpttest"
	"guestpass/resources"
	"guestpass/store"
	"guestpass/stytchtest"
)

const (
	acme  = "organization-test-aaaaaaaa-0000-4000-8000-000000000001"
	ada   = "member-test-aaaaaaaa-0000-4000-8000-000000000001"
	grace = "member-test-aaaaaaaa-0000-4000-8000-000000000002"
	hank  = "member-test-bbbbbbbb-0000-4000-8000-000000000001"
)

// world is the whole loop: the assembled server and the emulator, both over HTTP.
type world struct {
	t      testing.TB
	url    string
	app    *guestpass.Server
	stytch *stytchtest.Server
	log    *logBuffer

	options   guestpass.Options // of app
	callbacks *callbacks        // of the end-to-end tests
	login     *loginApp         // where people sign in; nil: here
	silent    string            // where the GPT has people return to, and nothing is shown; of states
}

// logBuffer is a log that many goroutines write.
type logBuffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// newWorld returns one of a B2B project.
func newWorld(t testing.TB, change ...func(*guestpass.Options)) *world {
	t.Helper()
	seed := stytchtest.Development()
	return newWorldOf(t, stytchtest.Options{Seed: &seed}, change...)
}

func newConsumerWorld(t testing.TB, change ...func(*guestpass.Options)) *world {
	t.Helper()
	seed := stytchtest.DevelopmentConsumer()
	return newWorldOf(t, stytchtest.Options{Seed: &seed}, change...)
}

func newWorldOf(t testing.TB, o stytchtest.Options, change ...func(*guestpass.Options)) *world {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seed := *o.Seed
	w := &world{t: t, url: "http://" + listener.Addr().String(), log: new(logBuffer)}
	seed.ConnectedApps = slices.Clone(seed.ConnectedApps)
	seed.ConnectedApps[1].RedirectURLs = append([]string{w.url + "/docs"}, seed.ConnectedApps[1].RedirectURLs...)
	o.Seed = &seed
	stytch := stytchtest.NewServer(t, o)
	w.stytch = stytch
	t.Cleanup(func() { collect(stytch) })
	stytch.SetAuthorizationURL(w.url + "/idp")
	stytch.SetRedirectURLs(w.url + "/idp")
	options := guestpass.Options{
		PublicURL: w.url, ProjectID: seed.Project.ID, Secret: seed.Project.Secret,
		PublicToken: seed.Project.PublicToken,
		Vertical:    auth.Vertical(seed.Project.Vertical), Domain: stytch.URL, BaseURL: stytch.URL, Access: api.ByScope,
		ClientIDs: []string{seed.ConnectedApps[0].ClientID}, DocsClientID: seed.ConnectedApps[1].ClientID,
		ForwardTokens: true,
		Title:         "Guestpass Demo", Version: "test", Log: slog.New(slog.NewJSONHandler(w.log, nil)),
		Emulator: stytch.URL, Now: stytch.Now, Limits: roomy, Resources: resources.All(),
	}
	for _, c := range change {
		c(&options)
	}
	if options.Store == nil {
		url := "sqlite:" + filepath.Join(t.TempDir(), "guestpass.db")
		options.Store = openStore(t, url, stytch.Now, options.Resources...)
	}
	w.options = options
	if w.app, err = guestpass.New(options); err != nil {
		t.Fatal(err)
	}
	w.giveScopes()
	running := &httptest.Server{Listener: listener, Config: &http.Server{Handler: w.app}}
	running.Start()
	t.Cleanup(running.Close)
	t.Cleanup(func() { _ = w.app.Close() })
	return w
}

// giveScopes gives the project the scopes of one's own operations that write, and every role
// what they allow, as somebody does in Stytch's dashboard.
func (w *world) giveScopes() {
	if w.options.Access != api.ByScope || len(w.options.Resources) == len(resources.All()) {
		return
	}
	w.changeProject(func(seed *stytchtest.Seed) {
		for _, op := range w.app.Operations() {
			if resource, action := op.Access.RBAC(); op.Effect != api.Read && resource != "" {
				seed.Policy.Allow(op.Access.ScopeName(), op.Summary, resource, action)
			}
		}
	})
}

// changeProject changes what Stytch has.
func (w *world) changeProject(change func(*stytchtest.Seed)) {
	w.t.Helper()
	seed := w.stytch.Export()
	change(&seed)
	if err := w.stytch.Import(seed); err != nil {
		w.t.Fatal(err)
	}
}

// migrated is a SQLite database without rows, of Guestpass's own resources. To copy it is quicker than to migrate each
// test's own.
var migrated = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "guestpass-migrated-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "guestpass.db")
	database, err := store.Open(context.Background(), store.Options{URL: "sqlite:" + path,
		Schemas: api.Schemas(resources.All())})
	if err != nil {
		return nil, err
	}
	if err := database.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// openStore has the tables of the resources; where none are named, of Guestpass's own.
func openStore(t testing.TB, url string, now func() time.Time, own ...api.Resource) *store.Store {
	t.Helper()
	if len(own) == 0 {
		own = resources.All()
	}
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		content, err := migrated()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	database, err := store.Open(t.Context(), store.Options{URL: url, Now: now, Schemas: api.Schemas(own)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	return database
}

// roomy are limits for tests that are about something else.
var roomy = guestpass.Limits{Address: many, Member: many, Organization: many, Client: many, InFlight: 512}

const many = 1 << 30

func byRole(o *guestpass.Options) { o.Access = api.ByRole }

// token returns one that Stytch could have issued.
func (w *world) token(subject string, scopes ...string) string {
	w.t.Helper()
	return w.mint(stytchtest.MintRequest{Kind: "access", Subject: subject, Scopes: scopes})
}

func (w *world) mint(m stytchtest.MintRequest) string {
	w.t.Helper()
	token, err := w.stytch.Mint(m)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

type reply struct {
	status int
	header http.Header
	body   string
}

// call sends one request; token "" for none.
func (w *world) call(method, path, token, body string, change ...func(*http.Request)) reply {
	w.t.Helper()
	r, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(r)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	content, _ := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(content)}
}

// gpt imports the document and is ready to authorize, as a builder has set it up.
func (w *world) gpt() *gpttest.GPT {
	w.t.Helper()
	imported, err := gpttest.Import(w.t.Context(), w.url+"/openapi.json", gpttest.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	if !imported.OK() {
		w.t.Fatalf("the editor shows %v %v", imported.Errors, imported.Warnings)
	}
	var scopes []string
	for _, s := range imported.OAuth.Scopes {
		scopes = append(scopes, s.Name)
	}
	app := stytchtest.Development().ConnectedApps[0]
	gpt := gpttest.New(imported, gpttest.Options{})
	err = gpt.Configure(gpttest.Auth{ClientID: app.ClientID, ClientSecret: app.ClientSecret, Scope: strings.Join(scopes,
		" "),
		AuthorizationURL: imported.OAuth.AuthorizationURL, TokenURL: imported.OAuth.TokenURL,
		TokenExchangeMethod: "default_post"})
	if err != nil {
		w.t.Fatal(err)
	}
	return gpt
}
