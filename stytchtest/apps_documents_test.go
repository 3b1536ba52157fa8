package stytchtest_test

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"guestpass/stytchtest"
)

const clientCallback = "https://client.example/callback"

// A documentHost serves whatever its handler answers, and counts how often.
type documentHost struct {
	URL   string // of the document
	reads atomic.Int32
	serve atomic.Pointer[http.HandlerFunc]
}

func hostDocument(t *testing.T) *documentHost {
	t.Helper()
	host := new(documentHost)
	server := httptest.NewServer(host)
	t.Cleanup(server.Close)
	host.URL = server.URL + "/client.json"
	return host
}

func (h *documentHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.reads.Add(1)
	(*h.serve.Load())(w, r)
}

func (h *documentHost) answer(handler http.HandlerFunc) { h.serve.Store(&handler) }

// document has the host serve a client's good metadata with these members changed; nil removes one.
func (h *documentHost) document(t *testing.T, change object) {
	t.Helper()
	document := object{"client_id": h.URL, "client_name": "Agent", "client_uri": "https://client.example",
		"redirect_uris": []string{clientCallback}, "token_endpoint_auth_method": "none"}
	for name, value := range change {
		if document[name] = value; value == nil {
			delete(document, name)
		}
	}
	h.text("application/json", string(must[[]byte](t)(json.Marshal(document))))
}

func (h *documentHost) text(kind, body string) {
	h.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, body)
	})
}

// openLoopback is open, with documents from this machine.
func openLoopback(t *testing.T, change ...func(*stytchtest.Options)) *stytchtest.Server {
	t.Helper()
	o := stytchtest.Options{Now: func() time.Time { return noon }, LoopbackDocuments: true}
	for _, c := range change {
		c(&o)
	}
	return serve(t, o)
}

// askConsent returns the start of an authorization by the server API.
func askConsent(t *testing.T, s *stytchtest.Server, clientID string) (int, object) {
	t.Helper()
	status, reply, _ := ask(t, "POST", s.URL+"/v1/b2b/idp/oauth/authorize/start", object{"organization_id": acme,
		"member_id": ada,
		"client_id": clientID, "redirect_uri": clientCallback, "scopes": []string{"openid", "tasks:read"}},
		basic(project, projectSecret))
	return status, reply
}

// asClient has a public client with that id ask for a code.
func asClient(id string) func(object) {
	return func(b object) {
		withChallenge(b)
		b["client_id"], b["redirect_uri"] = id, clientCallback
	}
}

func clientForm(id, code string) url.Values {
	return form("grant_type", "authorization_code", "code", code, "client_id", id, "redirect_uri", clientCallback,
		"code_verifier", verifier)
}

func TestAClientIsDescribedByItsDocument(t *testing.T) {
	s, host := openLoopback(t), hostDocument(t)
	host.document(t, nil)
	session := login(t, s, "grace@acme.example", acme)
	status, reply := sdk(t, s, session, "/idp/b2b/oauth/authorize/start", object{"client_id": host.URL,
		"redirect_uri":  clientCallback,
		"response_type": "code", "scopes": []string{"openid"}, "code_challenge": challenge})
	client, _ := reply["client"].(object)
	id, _ := client["client_id"].(string)
	if status != 200 || client["client_name"] != "Agent" || client["client_type"] != "third_party_public" ||
		reply["consent_required"] != true ||
		!strings.HasPrefix(id, "connected-app-test-") {
		t.Fatalf("%d %v", status, reply)
	}
	granted := tokens(t, s, clientForm(host.URL, authorize(t, s, asClient(host.URL))))
	if claims := claimsOf(t, granted["access_token"]); claims["client_id"] != id || !reflect.DeepEqual(claims["aud"],
		[]any{project}) {
		t.Errorf("%v", claims)
	}
	app, _ := rawClients(t, s, "GET", "/"+id, object{})
	if app["client_id_metadata_url"] != host.URL || app["client_type"] != "third_party_public" ||
		!reflect.DeepEqual(app["redirect_urls"], []any{clientCallback}) {
		t.Errorf("%v", app)
	}
	access, refresh := granted["access_token"].(string), granted["refresh_token"].(string)
	_, told, _ := ask(t, "POST", s.URL+"/v1/oauth2/introspect", form("client_id", host.URL, "token", access))
	if told["active"] != true || told["client_id"] != id {
		t.Errorf("introspection: %v", told)
	}
	again := tokens(t, s, form("grant_type", "refresh_token", "refresh_token", refresh, "client_id", host.URL))
	access = again["access_token"].(string)
	if status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/revoke", form("client_id", host.URL, "token",
		access)); status != 200 {
		t.Errorf("revocation: %d %v", status, reply)
	}
	if status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil, bearer(access)); status != 401 {
		t.Errorf("a revoked token: %d", status)
	}
	if n := host.reads.Load(); n != 1 {
		t.Errorf("the document was read %d times within moments", n)
	}
}

// TestAChangedDocumentChangesTheClient once the old one has aged; its id stays, and so does
// what people consented to.
func TestAChangedDocumentChangesTheClient(t *testing.T) {
	s, host := openLoopback(t), hostDocument(t)
	host.document(t, nil)
	id := claimsOf(t, tokens(t, s,
		clientForm(host.URL, authorize(t, s, asClient(host.URL))))["access_token"])["client_id"].(string)
	host.document(t, object{"client_name": "Agent 2", "redirect_uris": []string{clientCallback,
		"https://client.example/other"}})
	for _, want := range []struct {
		after time.Duration
		name  string
	}{{4 * time.Minute, "Agent"}, {2 * time.Minute, "Agent 2"}} {
		s.Advance(want.after)
		status, reply := askConsent(t, s, host.URL)
		client, _ := reply["client"].(object)
		if status != 200 || client["client_name"] != want.name || client["client_id"] != id ||
			reply["consent_required"] != false {
			t.Errorf("%d %v, want %s", status, reply, want.name)
		}
	}
	app, _ := rawClients(t, s, "GET", "/"+id, object{})
	if len(app["redirect_urls"].([]any)) != 2 || len(s.Export().ConnectedApps) != 3 {
		t.Errorf("%v", app)
	}
	host.document(t, object{"redirect_uris": []string{"https://client.example/other"}})
	s.Advance(6 * time.Minute)
	if status, reply := askConsent(t, s, host.URL); status != 401 {
		t.Errorf("the redirect URL is gone: %d %v", status, reply)
	}
	to := openLoopback(t)
	if err := to.Import(s.Export()); err != nil {
		t.Fatal(err)
	}
	host.document(t, nil)
	if _, reply := askConsent(t, to, host.URL); reply["client"].(object)["client_id"] != id {
		t.Errorf("in another emulator: %v", reply)
	}
}

func TestWaysInWhichDescribedClientsAuthenticate(t *testing.T) {
	both := []string{"none", "private_key_jwt"}
	for name, tt := range map[string]struct {
		change object
		want   bool
	}{
		"none":            {object{}, true},
		"nothing is said": {object{"token_endpoint_auth_method": nil}, true},
		"as ChatGPT has it": {object{"token_endpoint_auth_method": "private_key_jwt",
			"token_endpoint_auth_methods_supported": both}, true},
		"none among several": {object{"token_endpoint_auth_method": nil,
			"token_endpoint_auth_methods_supported": both}, true},
		"assertions alone": {object{"token_endpoint_auth_method": "private_key_jwt"}, false},
		"assertions in a list": {object{"token_endpoint_auth_method": nil,
			"token_endpoint_auth_methods_supported": both[1:]}, false},
		"a secret in the body": {object{"token_endpoint_auth_method": "client_secret_post"}, false},
		"an unknown one":       {object{"token_endpoint_auth_method": "None"}, false},
		"application and more": {object{"application_type": "native", "jwks_uri": "https://client.example/jwks",
			"scope": "openid", "x": object{"y": []int{1}}}, true},
		"grants as a native": {object{"grant_types": []string{"authorization_code", "refresh_token"},
			"response_types": []string{"code"}}, true},
		"another grant":         {object{"grant_types": []string{"client_credentials"}}, false},
		"another response type": {object{"response_types": []string{"token"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, host := openLoopback(t), hostDocument(t)
			host.document(t, tt.change)
			status, reply := askConsent(t, s, host.URL)
			if tt.want && status != 200 {
				t.Errorf("%d %v", status, reply)
			} else if !tt.want {
				wantError(t, name, status, reply, 400, "invalid_client_id_metadata_document")
			}
		})
	}
}

func TestDocumentsThatAreRefused(t *testing.T) {
	many := []string{}
	for range 51 {
		many = append(many, clientCallback)
	}
	members := func(change object) func(*testing.T, *documentHost) {
		return func(t *testing.T, h *documentHost) { h.document(t, change) }
	}
	body := func(kind, text string) func(*testing.T, *documentHost) {
		return func(_ *testing.T, h *documentHost) { h.text(kind, strings.ReplaceAll(text, "URL", h.URL)) }
	}
	const good = `"client_id":"URL","redirect_uris":["` + clientCallback + `"]`
	for name, tt := range map[string]struct {
		prepare func(*testing.T, *documentHost)
		words   string
	}{
		"another client_id": {members(object{"client_id": "https://claude.ai/client.json"}),
			"character by character"},
		"no client_id":    {members(object{"client_id": nil}), "character by character"},
		"no redirect URL": {members(object{"redirect_uris": nil}), "at least one URL"},
		"an empty list":   {members(object{"redirect_uris": []string{}}), "at least one URL"},
		"a script to redirect to": {members(object{"redirect_uris": []string{clientCallback,
			"javascript:alert(1)"}}), "javascript:alert(1)"},
		"data to redirect to": {members(object{"redirect_uris": []string{"data:text/html,x"}}),
			"data:text/html,x"},
		"plain http to redirect to": {members(object{"redirect_uris": []string{"http://client.example/"}}),
			"loopback"},
		"a redirect that is text": {members(object{"redirect_uris": clientCallback}),
			"redirect_uris must not be of type string"},
		"a redirect that is a number":   {members(object{"redirect_uris": []int{1}}), "redirect_uris"},
		"more redirects than anybody's": {members(object{"redirect_uris": many}), "50 URLs at most"},
		"a list of redirects of 1 MB": {members(object{"redirect_uris": []string{clientCallback + strings.Repeat("x",
			1<<20)}}), "larger than 16 KiB"},
		"a secret": {members(object{"client_secret": "x"}), "everybody can read it"},
		"a secret that is null": {body("application/json", `{`+good+`,"client_secret":null}`),
			"everybody can read it"},
		"when a secret ends": {members(object{"client_secret_expires_at": 0}), "everybody can read it"},
		"a name that is a list": {members(object{"client_name": []string{"x"}}),
			"client_name must not be of type array"},
		"a member twice": {body("application/json", `{"client_id":"https://x.example/",`+good+`}`),
			`"client_id" is in it twice`},
		"a member twice, in other case": {body("application/json",
			`{`+good+`,"Redirect_URIs":["https://evil.example/"]}`), "twice"},
		"a member twice, further inside": {body("application/json", `{`+good+`,"x":[{"y":1,"y":2}]}`),
			`"y" is in it twice`},
		"HTML":                     {body("text/html", "<!doctype html><p>Not found"), "Content-Type"},
		"JSON that is called HTML": {body("text/html", "{"+good+"}"), "Content-Type"},
		"no type":                  {body("", "{"+good+"}"), "Content-Type"},
		"HTML that is called JSON": {body("application/json", "<!doctype html>"), "not a JSON object"},
		"a list":                   {body("application/json", "[{"+good+"}]"), "not a JSON object"},
		"two documents":            {body("application/json", "{"+good+"}{}"), "not a JSON object"},
		"nothing":                  {body("application/json", ""), "not a JSON object"},
		"deep": {body("application/json", `{`+good+`,"x":`+strings.Repeat("[", 15000)+`}`),
			"not a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			s, host := openLoopback(t), hostDocument(t)
			tt.prepare(t, host)
			status, reply := askConsent(t, s, host.URL)
			wantError(t, name, status, reply, 400, "invalid_client_id_metadata_document")
			if message, _ := reply["error_message"].(string); !strings.Contains(message, tt.words) ||
				len(message) > 2000 {
				t.Errorf("%.300q does not say %q", message, tt.words)
			}
			if n := len(s.Export().ConnectedApps); n != 2 {
				t.Errorf("%d connected apps", n)
			}
		})
	}
}

// TestHostsOfDocumentsThatMisbehave: nothing is waited for or read beyond the limits.
func TestHostsOfDocumentsThatMisbehave(t *testing.T) {
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		words   string
	}{
		"a body without end": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			block := strings.Repeat(" ", 1<<20)
			for range 1 << 10 {
				if _, err := io.WriteString(w, block); err != nil {
					return
				}
			}
			<-r.Context().Done() // whoever reads all of it hears no end
		}, "larger than 16 KiB"},
		"a body that stops": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, "within 100ms"},
		"no answer": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "within 100ms"},
		"a broken connection": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			"cannot be reached"},
		"headers without end": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X",
				strings.Repeat("x", 1<<20))
		}, "cannot be reached"},
		"a redirect to itself": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}, "redirect (302)"},
		"not found":    {http.NotFound, "404"},
		"no content":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "204"},
		"out of order": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "502"},
	} {
		t.Run(name, func(t *testing.T) {
			s, host := openLoopback(t), hostDocument(t)
			host.answer(tt.handler)
			if strings.Contains(tt.words, "100ms") {
				s.Fetcher().Timeout = 100 * time.Millisecond
			}
			status, reply := askConsent(t, s, host.URL)
			wantError(t, name, status, reply, 400, "invalid_client_id_metadata_document")
			if message, _ := reply["error_message"].(string); !strings.Contains(message, tt.words) {
				t.Errorf("%q does not say %q", message, tt.words)
			}
			if n := host.reads.Load(); n != 1 {
				t.Errorf("asked %d times", n)
			}
			host.document(t, nil)
			if status, reply := askConsent(t, s, host.URL); status != 200 {
				t.Errorf("put right: %d %v: a failure must not be remembered", status, reply)
			}
		})
	}
}

// TestASlowDocumentKeepsNobodyElseWaiting: the emulator answers others meanwhile.
func TestASlowDocumentKeepsNobodyElseWaiting(t *testing.T) {
	s, host := openLoopback(t), hostDocument(t)
	s.Fetcher().Timeout = 0 // it waits until the end of the test
	asked, release := make(chan struct{}), make(chan struct{})
	host.answer(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-release
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		askConsent(t, s, host.URL)
	}()
	<-asked
	other := &http.Client{Timeout: 10 * time.Second}
	if response, err := other.Get(s.URL + "/.well-known/oauth-authorization-server"); err != nil {
		t.Errorf("somebody else: %v", err)
	} else if response.Body.Close(); response.StatusCode != 200 {
		t.Errorf("somebody else: %d", response.StatusCode)
	}
	close(release)
	<-done
}

// TestDocumentsComeFromPublicAddresses unless this machine's are admitted, whatever name leads
// there.
func TestDocumentsComeFromPublicAddresses(t *testing.T) {
	private := []string{"10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
		"224.0.0.1", "255.255.255.255", "198.18.0.1",
		"[fd00::1]", "[fe80::1]", "[::]", "[ff02::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::]"}
	machine := []string{"127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "localhost"}
	for _, loopback := range []bool{false, true} {
		s := openLoopback(t, func(o *stytchtest.Options) { o.LoopbackDocuments = loopback })
		hosts := private
		if !loopback {
			hosts = append(machine, private...)
		}
		for _, host := range hosts {
			status, reply := askConsent(t, s, "https://"+host+":8443/client.json")
			wantError(t, host, status, reply, 400, "invalid_client_id_metadata_document")
			if message, _ := reply["error_message"].(string); !strings.Contains(message, "no public address") {
				t.Errorf("%s: %q", host, message)
			}
		}
	}
	host := hostDocument(t)
	host.document(t, nil)
	strict := openLoopback(t, func(o *stytchtest.Options) { o.LoopbackDocuments = false })
	if status, reply := askConsent(t, strict, host.URL); status != 400 || host.reads.Load() != 0 {
		t.Errorf("plain http: %d %v", status, reply)
	}
}

func TestDocumentsOverHTTPS(t *testing.T) {
	host := new(documentHost)
	server := httptest.NewUnstartedServer(host)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the connection that the emulator breaks off
	server.StartTLS()
	defer server.Close()
	host.URL = server.URL + "/client.json"
	host.document(t, nil)
	s := openLoopback(t)
	if status, reply := askConsent(t, s, host.URL); status != 400 {
		t.Errorf("a certificate that nobody knows: %d %v", status, reply)
	}
	trusting := server.Client().Transport.(*http.Transport)
	s.Fetcher().Transport.(*http.Transport).TLSClientConfig = trusting.TLSClientConfig
	if status, reply := askConsent(t, s, host.URL); status != 200 {
		t.Errorf("%d %v", status, reply)
	}
}

func TestURLsThatAreNoClient(t *testing.T) {
	s := openLoopback(t)
	for id, words := range map[string]string{
		"http://client.example/client.json":                   "https://",
		"ftp://client.example/client.json":                    "https://",
		"https:client.json":                                   "absolute",
		"https:///client.json":                                "absolute",
		"javascript:alert(1)":                                 "absolute",
		"https://client.example":                              "path",
		"https://client.example/":                             "path",
		"https://client.example?x=/client.json":               "path",
		"https://client.example/client.json#":                 "fragment",
		"https://client.example/client.json#x":                "fragment",
		"https://claude.ai@client.example/client.json":        "user name",
		"https://a:b@client.example/client.json":              "user name",
		"https://client.example/a/../client.json":             "..",
		"https://client.example/./client.json":                "..",
		"https://client.example/%2e%2E/client.json":           "..",
		"https://client.example/%zz":                          "absolute",
		"https://client.example/" + strings.Repeat("x", 2000): "2000 characters",
	} {
		status, reply := askConsent(t, s, id)
		wantError(t, id, status, reply, 400, "invalid_client_id_metadata_document")
		if message, _ := reply["error_message"].(string); !strings.Contains(message, words) {
			t.Errorf("%.60s: %q does not say %q", id, message, words)
		}
		status, reply, _ = ask(t, "POST", s.URL+"/v1/oauth2/token", clientForm(id, "code"))
		wantFault(t, id, oauthAPI, status, reply, 400, "invalid_client")
	}
}

func TestDocumentsAreSwitchedOn(t *testing.T) {
	host := hostDocument(t)
	host.document(t, nil)
	for _, on := range []bool{true, false} {
		seed := stytchtest.Development()
		seed.Project.MetadataDocuments = on
		s := openLoopback(t, func(o *stytchtest.Options) { o.Seed = &seed })
		_, document, _ := ask(t, "GET", s.URL+"/.well-known/oauth-authorization-server", nil)
		if document["client_id_metadata_document_supported"] != on {
			t.Errorf("%t: the metadata say %v", on, document["client_id_metadata_document_supported"])
		}
		status, reply := askConsent(t, s, host.URL)
		if on && status != 200 {
			t.Errorf("%d %v", status, reply)
		} else if !on {
			wantError(t, "switched off", status, reply, 404, "connected_app_not_found")
		}
	}
	if n := host.reads.Load(); n != 1 {
		t.Errorf("%d reads", n)
	}
	// Who may not ask has nothing fetched.
	s := openLoopback(t)
	if status, _, _ := ask(t, "POST", s.URL+"/v1/b2b/idp/oauth/authorize/start", object{"organization_id": acme,
		"member_id": ada, "client_id": host.URL,
		"redirect_uri": clientCallback}, basic(project, "wrong")); status != 401 || host.reads.Load() != 1 {
		t.Errorf("%d, %d reads", status, host.reads.Load())
	}
}

// TestRevokedConsentEndsPublicClients: whoever made itself a client begins anew with a person.
func TestRevokedConsentEndsPublicClients(t *testing.T) {
	s, host := openLoopback(t), hostDocument(t)
	host.document(t, nil)
	_, registered, _ := ask(t, "POST", s.URL+"/v1/oauth2/register", object{"redirect_uris": []string{clientCallback},
		"token_endpoint_auth_method": "none"})
	for _, id := range []string{host.URL, registered["client_id"].(string)} {
		granted, code := tokens(t, s, clientForm(id, authorize(t, s, asClient(id)))), authorize(t, s, asClient(id))
		access := granted["access_token"].(string)
		app := claimsOf(t, access)["client_id"].(string)
		path := "/v1/b2b/organizations/" + acme + "/members/" + ada + "/connected_apps/" + app + "/revoke"
		if status, reply, _ := ask(t, "POST", s.URL+path, object{}, basic(project, projectSecret)); status != 200 {
			t.Fatal(status, reply)
		}
		status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", form("grant_type", "refresh_token",
			"refresh_token", granted["refresh_token"].(string), "client_id", id))
		wantFault(t, "refresh", oauthAPI, status, reply, 400, "invalid_grant")
		status, reply, _ = ask(t, "POST", s.URL+"/v1/oauth2/token", clientForm(id, code))
		wantFault(t, "code", oauthAPI, status, reply, 400, "invalid_grant")
		if status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil, bearer(access)); status != 401 {
			t.Errorf("the access token: %d", status)
		}
		if _, reply := askConsent(t, s, id); reply["consent_required"] != true {
			t.Errorf("%v", reply)
		}
	}
}
