package stytchtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// The OpenID Connect clients of npm that act below, each in a program of its name.
const (
	clientPrograms = "../web/oidc"
	clientModules  = "../web/node_modules"
)

var clientLibraries = []string{"openid-client", "oauth4webapi"}

// An openIDPerson signs in. There is one of each vertical.
type openIDPerson struct {
	vertical       string
	seed           func() stytchtest.Seed
	authorize      string // path of the server API
	selector       object // the person, in the words of that path
	subject, email string
}

var openIDPeople = []openIDPerson{
	{"b2b", stytchtest.Development, "/v1/b2b/idp/oauth/authorize", object{"organization_id": acme, "member_id": ada},
		ada, "ada@acme.example"},
	{"consumer", stytchtest.DevelopmentConsumer, "/v1/idp/oauth/authorize", object{"user_id": userAda}, userAda,
		"ada@example.com"},
}

// An openIDClient is a client of one kind.
type openIDClient struct {
	authentication string
	app            stytchtest.ConnectedApp
	redirect       string
}

const strictClient = "connected-app-test-dddddddd-0000-4000-8000-000000000009"

// The odd secret shows that both sides encode Basic as RFC 6749 section 2.3.1 says.
var openIDClients = []openIDClient{
	{"client_secret_post", stytchtest.ConnectedApp{ClientID: strictClient, ClientSecret: "body", Type: "third_party",
		RedirectURLs: []string{callback}}, callback},
	{"client_secret_basic", stytchtest.ConnectedApp{ClientID: strictClient, ClientSecret: "odd: +%41&é",
		Type: "third_party", RedirectURLs: []string{callback}}, callback},
	{"registered", stytchtest.ConnectedApp{}, "http://127.0.0.1:53124/cb"}, // by itself, as a public client (RFC 7591)
	{"none", stytchtest.ConnectedApp{ClientID: strictClient, Type: "third_party_public",
		RedirectURLs: []string{"http://127.0.0.1/cb"}}, "http://127.0.0.1:53123/cb"},
}

// TestOpenIDClients has strict clients, none of them patched, discover the emulator, sign
// in, refresh, introspect and revoke, and refuse what does not fit.
func TestOpenIDClients(t *testing.T) {
	node := nodeWithModules(t)
	for _, library := range clientLibraries {
		for _, person := range openIDPeople {
			for _, client := range openIDClients {
				t.Run(library+"/"+person.vertical+"/"+client.authentication, func(t *testing.T) {
					seed := person.seed()
					if seed.Project.Registration = client.app.ClientID == ""; !seed.Project.Registration {
						seed.ConnectedApps = append(seed.ConnectedApps, client.app)
					}
					// The clients look at this machine's clock, so the emulator must, too.
					s := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
					runProgram(t, node, library, programSettings(s, seed.Project, person, client))
					sawEverything(t, s, person.authorize)
				})
			}
		}
	}
}

// programSettings returns what a program reads; the client in the words of RFC 7591.
func programSettings(s *stytchtest.Server, project stytchtest.Project, person openIDPerson,
	client openIDClient) object {
	metadata := object{"token_endpoint_auth_method": client.authentication, "redirect_uris": []string{client.redirect}}
	if client.app.ClientID == "" {
		metadata["token_endpoint_auth_method"], metadata["client_name"] = "none", "Registered by itself"
	} else {
		metadata["client_id"] = client.app.ClientID
	}
	if client.app.ClientSecret != "" {
		metadata["client_secret"] = client.app.ClientSecret
	}
	return object{
		"issuer": s.URL, "page": project.AuthorizationURL, "client": metadata,
		"scope":   "openid email tasks:read offline_access",
		"subject": person.subject, "email": person.email,
		"authorize": object{"url": s.URL + person.authorize, "credentials": project.ID + ":" + project.Secret,
			"person": person.selector},
		"rotate": s.URL + "/_emulator/keys/rotate",
	}
}

// nodeWithModules returns the program that runs the clients.
func nodeWithModules(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it needs Node.js")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("Node.js 20 or later is missing, install it and run make web: %v", err)
	}
	for _, library := range clientLibraries {
		if _, err := os.Stat(filepath.Join(clientModules, library, "package.json")); err != nil {
			t.Fatalf("npm's %s is missing, run make web: %v", library, err)
		}
	}
	// Node reads the programs unseen by go test, which would keep an old result.
	if _, err := os.ReadDir(clientPrograms); err != nil {
		t.Fatal(err)
	}
	return node
}

func runProgram(t *testing.T, node, library string, settings object) {
	t.Helper()
	input, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	program := exec.CommandContext(ctx, node, filepath.Join(clientPrograms, library+".mjs"))
	program.Stdin = bytes.NewReader(input)
	if output, err := program.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, output)
	}
}

// sawEverything wants each endpoint to have been of use: a program that ends early
// proves nothing.
func sawEverything(t *testing.T, s *stytchtest.Server, authorize string) {
	t.Helper()
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server",
		"/.well-known/jwks.json", authorize,
		"/v1/oauth2/token", "/v1/oauth2/userinfo", "/v1/oauth2/introspect", "/v1/oauth2/revoke"} {
		if !slices.ContainsFunc(s.Requests(), func(r stytchtest.Request) bool {
			return r.Path == path &&
				r.Status == http.StatusOK
		}) {
			t.Errorf("nothing came of %s", path)
		}
	}
}
