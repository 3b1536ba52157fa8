package server_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/store"
	"guestpass/stytchtest"
)

// What must be seen nowhere, each as itself and as it would be found.
const (
	canaryHeader   = "canary-header-q1w2e3r4"
	canaryCode     = "canary-code-t5y6u7i8"
	canaryRefresh  = "canary-refresh-o9p0a1s2"
	canaryClient   = "canary-client-secret-d3f4g5h6"
	canaryProject  = "secret-test-canary-j7k8l9z0"
	canarySession  = "canary-session-x1c2v3b4"
	canaryState    = "canary-state-n5m6q7w8"
	canaryCookie   = "canary-cookie-e9r0t1y2"
	canaryDatabase = "canary-database-u3i4o5p6"
	canaryBody     = "canary-body-a7s8d9f0"
	canaryVerifier = "canary-verifier-g1h2j3k4-of-at-least-43-characters"
)

// canaries are the words to look for, by what they are; real tokens are added on the way.
type canaries struct {
	words   map[string]string
	replies strings.Builder // those that tell of a failure
}

// failing panics with what it was sent, and worse.
func failing(s *api.Service) {
	type input struct {
		Body struct {
			How  string `json:"how" enum:"value,error,runtime" doc:"In which way"`
			Text string `json:"text" maxLength:"100" doc:"With what"`
		}
	}
	type output struct {
		Body struct {
			OK bool `json:"ok" doc:"Always true"`
		}
	}
	api.Register(s, api.Operation{ID: "failWrite", Method: http.MethodPost, Path: "/api/v1/failures", Summary: "Fail",
		Description: "Fails.",
		Access:      auth.Scope("tasks:write"), Effect: api.Write},
		func(_ context.Context, in *input) (*output, error) {
			switch in.Body.How {
			case "value":
				panic(in)
			case "error":
				panic(fmt.Errorf("cannot do %s", in.Body.Text))
			}
			var none []*output
			return none[len(in.Body.Text)], nil
		})
}

// TestSecretsAreSeenNowhere takes twelve words through everything that the server does, with
// debug messages, panics and a broken Stytch, and looks for them in its log, in its
// database's files and in its refusals.
func TestSecretsAreSeenNowhere(t *testing.T) {
	t.Parallel()
	seed := stytchtest.Development()
	seed.Project.Secret, seed.ConnectedApps[0].ClientSecret = canaryProject, canaryClient
	folder := t.TempDir()
	text := new(logBuffer)
	w := newWorldOf(t, stytchtest.Options{Seed: &seed}, func(o *guestpass.Options) {
		o.Resources = ownOperations(failing)
		o.Store = openStore(t, "sqlite:"+filepath.Join(folder, "guestpass.db"), o.Now)
		both := &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}
		o.Log = slog.New(slog.NewMultiHandler(slog.NewJSONHandler(text, both), slog.NewTextHandler(text, both)))
	})
	c := &canaries{words: map[string]string{"header": canaryHeader, "code": canaryCode, "refresh token": canaryRefresh,
		"client secret":  canaryClient,
		"project secret": canaryProject, "session": canarySession, "state": canaryState, "cookie": canaryCookie,
		"database": canaryDatabase,
		"body":     canaryBody, "verifier": canaryVerifier,
		"Basic": base64.StdEncoding.EncodeToString([]byte(seed.ConnectedApps[0].ClientID + ":" + canaryClient))}}
	token := c.signIn(w, seed)
	c.pages(w, seed)
	c.operations(w, token)
	c.tokenRequests(w, seed)
	w.stytch.Fail(stytchtest.Fault{Path: "/v1", Kind: "drop"})
	c.operations(w, token)
	c.tokenRequests(w, seed)
	c.databases(t, text)

	reading, err := store.Connect(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(folder, "guestpass.db")})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(reading.Backup(t.Context(), filepath.Join(folder, "backup.db")),
		reading.Close()); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{"the log": text.String(), "a refusal": c.replies.String()}
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			var content []byte
			content, err = os.ReadFile(path)
			found[filepath.Base(path)] = string(content)
		}
		return err
	})
	if err != nil || len(found) < 4 {
		t.Fatalf("%v, %d places", err, len(found))
	}
	for place, content := range found {
		for name, word := range c.words {
			if at := strings.Index(content, word); at >= 0 {
				t.Errorf("%s has the %s: …%s…", place, name, content[max(0, at-200):min(len(content), at+100)])
			}
		}
	}
	for _, want := range []string{`"msg":"panic"`, "token request", "Stytch", "req-"} { // it is a log, and saw all this
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
}

// wayBack is the one place for a request's state: the link by which the client hears what was wrong.
var wayBack = regexp.MustCompile(`href="http://localhost:8090/callback\?[^"]*"`)

// call keeps the answer if it tells of a failure.
func (c *canaries) call(w *world, method, path, token, body string, change ...func(*http.Request)) reply {
	change = append(change, func(r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "stytch_session", Value: canarySession})
		r.AddCookie(&http.Cookie{Name: "guestpass-request", Value: canaryCookie})
	})
	got := w.call(method, path, token, body, change...)
	if got.status >= 400 {
		fmt.Fprintln(&c.replies, got.status, got.header, wayBack.ReplaceAllString(got.body, ""))
	}
	return got
}

func asTokenForm(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }

// signIn goes the whole way, and looks from then on for the code and the tokens, too.
func (c *canaries) signIn(w *world, seed stytchtest.Seed) string {
	app := seed.ConnectedApps[0]
	session := w.session("ada@acme.example", acme)
	_, decided := w.stytchPost(session, "/idp/b2b/oauth/authorize/submit", fields{"client_id": app.ClientID,
		"redirect_uri":  "http://localhost:8090/callback",
		"response_type": "code", "state": canaryState, "scopes": []any{"openid", "offline_access", "tasks:read",
			"tasks:write", "members:read", "members:invite"}, "consent_granted": true})
	code, _ := decided["authorization_code"].(string)
	var first, second struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	got := c.call(w, "POST", "/oauth2/token", "", url.Values{"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {"http://localhost:8090/callback"},
		"client_id":    {app.ClientID}, "client_secret": {canaryClient}}.Encode(), asTokenForm)
	if err := json.Unmarshal([]byte(got.body), &first); err != nil || first.Access == "" {
		w.t.Fatalf("no token: %d %s", got.status, got.body)
	}
	got = c.call(w, "POST", "/oauth2/token", "", url.Values{"grant_type": {"refresh_token"},
		"refresh_token": {first.Refresh}}.Encode(), asTokenForm,
		func(r *http.Request) { r.SetBasicAuth(app.ClientID, canaryClient) })
	if err := json.Unmarshal([]byte(got.body), &second); err != nil || second.Access == "" {
		w.t.Fatalf("not renewed: %d %s", got.status, got.body)
	}
	for name, value := range map[string]string{"real session": session, "real code": code, "first token": first.Access,
		"first refresh token": first.Refresh,
		"second token":        second.Access, "second refresh token": second.Refresh} {
		if value != "" { // a refresh token may stay as it is
			c.words[name] = value
		}
	}
	for i, part := range strings.Split(second.Access, ".")[1:] { // claims and signature
		c.words[fmt.Sprint("part of the token ", i)] = part
	}
	return second.Access
}

func (c *canaries) pages(w *world, seed stytchtest.Seed) {
	request := url.Values{"client_id": {seed.ConnectedApps[0].ClientID},
		"redirect_uri": {"http://localhost:8090/callback"}, "state": {canaryState},
		"code_challenge": {canaryVerifier}}.Encode()
	for _, query := range []string{request, request + "&state=" + canaryState, request + "&response_type=" +
		canaryState, request + "&organization_id=" + canaryState,
		"client_id=" + canaryState + "&redirect_uri=x", "code=" + canaryCode + "&state=" + canaryState,
		"stytch_token_type=discovery&token=" + canarySession, "state=%zz" + canaryState} {
		c.call(w, "GET", "/idp?"+query, "", "")
		c.call(w, "POST", "/idp?"+query, "", canaryBody)
		c.call(w, "GET", "/docs?"+query, "", "")
		c.call(w, "GET", "/nowhere?"+query, "", "")
	}
}

func (c *canaries) operations(w *world, token string) {
	for _, how := range []string{"value", "error", "runtime"} {
		c.call(w, "POST", "/api/v1/failures", token, `{"how":"`+how+`","text":"`+canaryBody+`"}`)
	}
	for _, body := range []string{`{"x":"` + canaryBody + `"}`, `{"title":"` + canaryBody,
		`{"title":7,"x":"` + canaryBody + `"}`, `{"title":"x","due":"` + canaryBody + `"}`,
		`{"title":"` + strings.Repeat(canaryBody, 8000) + `"}`, canaryBody} {
		c.call(w, "POST", "/api/v1/tasks", token, body)
		c.call(w, "POST", "/api/v1/members/invitations", token, body)
	}
	c.call(w, "POST", "/api/v1/members/invitations", token, `{"email":"`+canaryBody+`","name":"x"}`)
	for _, credentials := range []string{canaryHeader, "Bearer " + canaryHeader, "Bearer a." + canaryHeader + ".b",
		"Basic " + canaryHeader, "Bearer " + token + canaryHeader, token} {
		c.call(w, "GET", "/api/v1/userinfo", "", "",
			func(r *http.Request) { r.Header.Set("Authorization", credentials) })
		c.call(w, "POST", "/api/v1/tasks", "", canaryBody,
			func(r *http.Request) { r.Header.Set("Authorization", credentials) })
	}
	c.tools(w, token)
	c.call(w, "GET", "/api/v1/userinfo?access_token="+token, "", "")
	c.call(w, "GET", "/api/v1/tasks?cursor="+canaryHeader, token, "")
	for _, path := range []string{"/api/v1/members", "/api/v1/userinfo", "/api/v1/tasks", "/api/v1/activity",
		"/readyz"} {
		c.call(w, "GET", path, token, "")
	}
}

// tools are the same operations, by messages that break in their own ways.
func (c *canaries) tools(w *world, token string) {
	json := headers("Content-Type: application/json", "Mcp-Session-Id: "+canarySession, "Mcp-Name: "+canaryHeader)
	call := func(params string) {
		c.call(w, "POST", "/mcp", token, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":`+params+`}`, json)
	}
	for _, how := range []string{"value", "error", "runtime"} {
		call(`{"name":"failWrite","arguments":{"how":"` + how + `","text":"` + canaryBody + `"}}`)
	}
	for _, arguments := range []string{`{"x":"` + canaryBody + `"}`, `{"title":{"x":"` + canaryBody + `"}}`,
		`"` + canaryBody + `"`,
		`{"title":"x","due":"` + canaryBody + `"}`, `{"` + canaryBody + `":1}`} {
		call(`{"name":"createTask","arguments":` + arguments + `}`)
	}
	call(`{"name":"` + canaryBody + `"}`)
	call(`{"name":"listTasks","_meta":{"openai/subject":"` + canaryBody + `"}}`)
	for _, body := range []string{canaryBody, `{"jsonrpc":"` + canaryBody + `"}`,
		`{"jsonrpc":"2.0","id":1,"method":"` + canaryBody + `"}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"` + canaryBody + `"}}`} {
		c.call(w, "POST", "/mcp", token, body, json)
		c.call(w, "POST", "/mcp?access_token="+token, "", body, json)
	}
	for _, credentials := range []string{"Bearer " + canaryHeader, "Basic " + canaryHeader,
		"Bearer " + token + canaryHeader} {
		c.call(w, "POST", "/mcp", "", listTools, json, headers("Authorization: "+credentials))
	}
}

func (c *canaries) tokenRequests(w *world, seed stytchtest.Seed) {
	id := seed.ConnectedApps[0].ClientID
	good := url.Values{"grant_type": {"authorization_code"}, "code": {canaryCode},
		"redirect_uri": {"http://localhost:8090/callback"}, "client_id": {id},
		"client_secret": {canaryClient}, "code_verifier": {canaryVerifier}}.Encode()
	renewal := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {canaryRefresh}, "client_id": {id},
		"client_secret": {canaryClient}}.Encode()
	for _, body := range []string{good, renewal, good + "&code=" + canaryCode, good + "&code=%zz",
		"grant_type=" + canaryBody, strings.Replace(good, id, canaryBody+"%0a", 1),
		strings.Replace(good, "authorization_code", canaryCode, 1), good + "&x=" + strings.Repeat(canaryBody, 1000)} {
		c.call(w, "POST", "/oauth2/token", "", body, asTokenForm)
		c.call(w, "POST", "/oauth2/token", "", body, asTokenForm,
			func(r *http.Request) { r.SetBasicAuth(id, canaryClient) })
		c.call(w, "POST", "/oauth2/token?code="+canaryCode, "", body, asTokenForm)
		c.call(w, "PUT", "/oauth2/token", "", body)
	}
}

// databases are opened in vain; what is said of that goes to the log.
func (c *canaries) databases(t *testing.T, text *logBuffer) {
	log := slog.New(slog.NewJSONHandler(text, nil))
	for _, address := range []string{"postgres://user:" + canaryDatabase + "@127.0.0.1:1/db",
		"postgres://user:" + canaryDatabase + "@127.0.0.1:port/db",
		"postgres://user:%zz" + canaryDatabase + "@127.0.0.1/db", "postgres://127.0.0.1:1/db?password=" +
			canaryDatabase, "postgres:user " + canaryDatabase, "mysql://user:" + canaryDatabase + "@host/db"} {
		err := store.CheckURL(address)
		if err == nil {
			_, err = store.Open(t.Context(), store.Options{URL: address, Log: log})
		}
		if err == nil {
			t.Errorf("%s was opened", address)
		}
		log.Error("not started", "error", err)
	}
}
