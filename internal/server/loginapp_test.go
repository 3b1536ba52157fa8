package server_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"guestpass"
	"guestpass/stytchtest"
)

// A loginApp is an application that people know, with a login page and sessions of its own.
type loginApp struct {
	t         testing.TB
	url       string
	listens   string // its host, whatever the URL calls it
	guestpass string // the origin of the server that sends people here
	mayReturn func(address string) bool
	key       *ecdsa.PrivateKey // signs its tokens

	signedIn answering
	atOnce   bool // without a page: it knows who they are

	routes *http.ServeMux
	mu     sync.Mutex // guards what follows
	visits []url.Values
	pages  int
}

// answering answers once somebody has signed in, and is to be taken back.
type answering func(w http.ResponseWriter, r *http.Request, returnTo string)

// newLoginApp starts one.
func newLoginApp(t testing.TB) *loginApp {
	a := &loginApp{t: t, routes: http.NewServeMux()}
	a.routes.HandleFunc("GET /login", a.page)
	a.routes.HandleFunc("POST /login", a.login)
	server := httptest.NewServer(a.routes)
	t.Cleanup(server.Close)
	a.url, a.listens = server.URL, server.Listener.Addr().String()
	return a
}

// isAt reports whether a host is the application's.
func (a *loginApp) isAt(host string) bool {
	return a != nil && (host == host4(a.url) || host == a.listens)
}

// forGuestpass configures a server and the application for each other.
func (a *loginApp) forGuestpass(o *guestpass.Options) {
	a.guestpass, a.mayReturn = o.PublicURL, returnsTo(o.PublicURL)
	o.Login.URL = a.url + "/login"
}

// returnsTo is what docs/existing-login.md has applications check.
func returnsTo(guestpass string) func(address string) bool {
	return regexp.MustCompile(returnPattern(guestpass)).MatchString
}

func returnPattern(guestpass string) string {
	return "^" + regexp.QuoteMeta(guestpass) + `/idp\?[A-Za-z0-9*._+%&=-]+$`
}

var loginPage = template.Must(template.New("login").Parse(`<!doctype html><html lang="en"><meta charset="utf-8">
<title>Log in to Acme</title><link rel="icon" href="data:,"><main><h1>Log in to Acme</h1>
<form method="post" action="/login"><input type="hidden" name="return_to" value="{{.}}">
<button>Log in as Ada</button></form></main></html>`))

// page is where people are sent. It returns nobody to an address that it does not know.
func (a *loginApp) page(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.visits = append(a.visits, r.URL.Query())
	a.mu.Unlock()
	returnTo := r.URL.Query().Get("return_to")
	if !a.mayReturn(returnTo) {
		http.Error(w, "This page returns people to Guestpass alone.", http.StatusBadRequest)
		return
	}
	if a.atOnce {
		a.signedIn(w, r, returnTo)
		return
	}
	_ = loginPage.Execute(w, returnTo)
}

// serve has another page answer, and returns its path.
func (a *loginApp) serve(page http.HandlerFunc) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pages++
	path := fmt.Sprintf("/pages/%d", a.pages)
	a.routes.HandleFunc("GET "+path, page)
	return path
}

func (a *loginApp) login(w http.ResponseWriter, r *http.Request) {
	returnTo := r.PostFormValue("return_to")
	if !a.mayReturn(returnTo) {
		http.Error(w, "This page returns people to Guestpass alone.", http.StatusBadRequest)
		return
	}
	a.signedIn(w, r, returnTo)
}

// visited are the queries with which people were sent.
func (a *loginApp) visited() []url.Values {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]url.Values{}, a.visits...)
}

// session has Stytch sign Ada in, as the application's server does, and returns the cookies of the session.
func (a *loginApp) session(w *world) []*http.Cookie {
	body := map[string]any{"password": stytchtest.DevelopmentPassword, "session_duration_minutes": 60}
	path := "/v1/passwords/authenticate"
	if body["email"] = "ada@example.com"; w.options.Vertical == "b2b" {
		path = "/v1/b2b/passwords/authenticate"
		delete(body, "email")
		body["email_address"], body["organization_id"] = "ada@acme.example", acme
	}
	sent, _ := json.Marshal(body)
	request, _ := http.NewRequest(http.MethodPost, w.stytch.URL+path, bytes.NewReader(sent))
	request.SetBasicAuth(w.options.ProjectID, w.options.Secret)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		a.t.Error(err)
		return nil
	}
	defer response.Body.Close()
	var got struct {
		Token string `json:"session_token"`
		JWT   string `json:"session_jwt"`
	}
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil || got.Token == "" {
		a.t.Errorf("%s: %d %v", path, response.StatusCode, err)
	}
	return []*http.Cookie{{Name: "stytch_session", Value: got.Token, Path: "/"},
		{Name: "stytch_session_jwt", Value: got.JWT, Path: "/"}}
}

// returnsWith answers with cookies and the way back.
func returnsWith(w http.ResponseWriter, r *http.Request, returnTo string, cookies ...*http.Cookie) {
	for _, cookie := range cookies {
		http.SetCookie(w, cookie)
	}
	http.Redirect(w, r, returnTo, http.StatusSeeOther)
}

// came wants so many visits of the login page.
func (a *loginApp) came(times int) error {
	if visits := a.visited(); len(visits) != times {
		return fmt.Errorf("people were sent to the login page %d times, want %d", len(visits), times)
	}
	return nil
}

// hasCome waits until people were sent to the login page so many times.
func (a *loginApp) hasCome(times int) step {
	return func(p *person) error {
		ctx, cancel := context.WithTimeout(p.tab, patience())
		defer cancel()
		tick := time.NewTicker(30 * time.Millisecond)
		defer tick.Stop()
		for a.came(times) != nil {
			select {
			case <-ctx.Done():
				return a.came(times)
			case <-tick.C:
			}
		}
		return nil
	}
}

// tokenProfile is the one by which Stytch takes the application's tokens.
const tokenProfile = "trusted-token-profile-test-acme"

// signsTokens has the application sign tokens, which are its own way of saying who has signed in.
func (a *loginApp) signsTokens(seed *stytchtest.Seed) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		a.t.Fatal(err)
	}
	a.key = key
	seed.TokenProfiles = []stytchtest.TokenProfile{{ID: tokenProfile, Issuer: a.url, Audience: "stytch",
		PublicKeys: []string{string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))},
		Attributes: map[string]string{"email": "email", "token_id": "jti", "organization_id": "org"}}}
}

// token signs one for somebody.
func (a *loginApp) token(email string) string {
	claims, _ := json.Marshal(map[string]any{"iss": a.url, "aud": "stytch", "exp": time.Now().Add(time.Minute).Unix(),
		"jti": rand.Text(), "email": email, "org": acme})
	token, err := jws.Sign(claims, jws.WithKey(jwa.ES256, a.key))
	if err != nil {
		a.t.Error(err)
	}
	return string(token)
}

// tokensForGuestpass is forGuestpass where people come back with a token.
func (a *loginApp) tokensForGuestpass(o *guestpass.Options) {
	a.forGuestpass(o)
	o.Login.TokenProfile = tokenProfile
}

var postPage = template.Must(template.New("post").Parse(`<!doctype html><html lang="en"><meta charset="utf-8">
<title>Back</title><link rel="icon" href="data:,"><main><h1>One moment</h1>
<form method="post" action="{{.To}}"><input type="hidden" name="trusted_auth_token" value="{{.Token}}">
<button>Go back</button></form></main><script>document.forms[0].submit()</script></html>`))

// sending is a way in which a login page sends a token.
type sending func(w http.ResponseWriter, r *http.Request, returnTo, token string)

func byForm(w http.ResponseWriter, _ *http.Request, returnTo, token string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = postPage.Execute(w, map[string]string{"To": returnTo, "Token": token})
}

// byFormUnnamed is byForm of a page that tells nobody where it is.
func byFormUnnamed(w http.ResponseWriter, r *http.Request, returnTo, token string) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	byForm(w, r, returnTo, token)
}

func byFragment(w http.ResponseWriter, r *http.Request, returnTo, token string) {
	http.Redirect(w, r, returnTo+"#trusted_auth_token="+token, http.StatusSeeOther)
}

// byQuery is what no login page may do.
func byQuery(w http.ResponseWriter, r *http.Request, returnTo, token string) {
	http.Redirect(w, r, returnTo+"&trusted_auth_token="+token, http.StatusSeeOther)
}
