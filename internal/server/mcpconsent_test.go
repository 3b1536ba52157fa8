package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"guestpass"
	"guestpass/internal/inside"
	"guestpass/stytchtest"
)

// dynamic admits clients that nobody listed.
func dynamic(o *guestpass.Options) {
	o.ClientIDs, o.AddScopes = append(slices.Clone(o.ClientIDs), "dynamic"), "mcp"
}

// describedBy returns the address of a document in which a client describes itself, as ChatGPT does at present.
func (w *world) describedBy(name string, redirects ...string) string {
	w.t.Helper()
	var far *httptest.Server
	far = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(map[string]any{"client_id": far.URL + "/client.json", "client_name": name,
			"redirect_uris":              redirects,
			"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_methods_supported": []string{"none",
				"private_key_jwt"}})
	}))
	w.t.Cleanup(far.Close)
	return far.URL + "/client.json"
}

const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // those of RFC 7636 appendix B
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// asksAs returns a request of an MCP client.
func (w *world) asksAs(clientID, scope, state string) string {
	return w.url + "/idp?" + url.Values{"response_type": {"code"}, "client_id": {clientID},
		"redirect_uri": {w.callbacks.url},
		"scope":        {scope}, "state": {state}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
		"resource": {w.url + "/mcp"}, "id_token_hint": {"a.b.c"}}.Encode()
}

// redeemAtStytch exchanges the code at Stytch's own endpoint, as clients do that know its metadata.
func (w *world) redeemAtStytch(form url.Values) (status int, answer map[string]any) {
	w.t.Helper()
	r, err := http.PostForm(w.stytch.URL+"/v1/oauth2/token", form)
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		w.t.Fatal(err)
	}
	return r.StatusCode, answer
}

// came wants the browser to be back, hands the query to check, and leaves the rest to it.
func came(check func(url.Values) error) step {
	return func(p *person) error {
		back, err := p.comesBack()
		if err != nil {
			return err
		}
		return check(back.Query())
	}
}

// A client that nobody knew says who it is by a document. The page names it by the host of that, and
// says where it leads to; no iss reaches it that its library would refuse; what it asked for too little
// is asked for, and the tools take the pass until the person takes it back.
func TestEndToEndAClientWithADocument(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		id := w.describedBy("ChatGPT", strings.Replace(w.callbacks.url, hostOf(w.callbacks.url), "127.0.0.1", 1))
		host := hostOf(id)
		p := w.newPerson()
		var form url.Values
		err := p.do(slices.Concat([]step{newTabAt(w.asksAs(id, "openid offline_access", "s1")),
			see("continue to " + host), see("a program on this computer (" + hostOf(w.callbacks.url) + ")"),
			look("sign-in")},
			byCode("ada@acme.example", "Acme"),
			[]step{see("Allow " + host + " (“ChatGPT”) to:"), see("Read tasks"), look("consent"), press("Allow"),
				came(func(q url.Values) error {
					form = url.Values{"grant_type": {"authorization_code"}, "code": {q.Get("code")}, "client_id": {id},
						"redirect_uri": {w.callbacks.url}, "code_verifier": {verifier}, "resource": {w.url + "/mcp"}}
					if q.Get("state") != "s1" || q.Get("code") == "" || q.Has("iss") {
						return fmt.Errorf("came back with %v", q)
					}
					return nil
				})})...)
		if err != nil {
			return err
		}
		return w.usesAndLoses(p, form, "this computer (“ChatGPT”)")
	}, dynamic)
}

func hostOf(address string) string {
	u, _ := url.Parse(address)
	return u.Host
}

// usesAndLoses is what follows a consent: tokens, a tool, the name in the record and on the account page, and the end.
func (w *world) usesAndLoses(p *person, form url.Values, label string) error {
	status, got := w.redeemAtStytch(form)
	token, _ := got["access_token"].(string)
	if status != 200 || token == "" {
		return fmt.Errorf("redeem: %d %v", status, got)
	}
	c := w.modelsClient(token)
	if r := c.tool("createTask", `{"title":"Water the plants"}`); r.IsError {
		return fmt.Errorf("createTask: %+v", r)
	}
	activities := c.tool("listActivity", `{}`).Structured["activities"].([]any)
	if name := activities[0].(map[string]any)["app_name"]; !strings.Contains(fmt.Sprint(name), label) {
		return fmt.Errorf("the record names %v", name)
	}
	if err := p.do(newTabAt(w.url+"/account"), see(label), look("account"), press("Revoke access"),
		see("Once it is revoked"), press("Revoke access"), see("Access is revoked.")); err != nil {
		return err
	}
	if r := c.post(listTools); r.status != 401 || !strings.Contains(r.header.Get("WWW-Authenticate"),
		`error="invalid_token"`) {
		return fmt.Errorf("after the revocation: %d %v", r.status, r.header)
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {fmt.Sprint(got["refresh_token"])},
		"client_id": {form.Get("client_id")}}
	if status, got := w.redeemAtStytch(refresh); status != 400 || got["error"] != "invalid_grant" {
		return fmt.Errorf("refresh after the revocation: %d %v", status, got)
	}
	return nil
}

// One that registers itself sends no scope when it does, and may ask for all; it names a port only when it asks.
func TestEndToEndAClientThatRegistersItself(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		id, _ := w.registered("Desk", "http://127.0.0.1/callback")
		p := w.newPerson()
		var form url.Values
		err := p.do(slices.Concat(
			[]step{newTabAt(w.asksAs(id, "openid offline_access tasks:read tasks:write activity:read", "s1"))},
			byCode("ada@acme.example", "Acme"),
			[]step{see("nobody here has checked it"), see("Allow an app called “Desk” to:"), press("Allow"),
				came(func(q url.Values) error {
					form = url.Values{"grant_type": {"authorization_code"}, "code": {q.Get("code")}, "client_id": {id},
						"redirect_uri": {w.callbacks.url}, "code_verifier": {verifier}}
					return nil
				})})...)
		if err != nil {
			return err
		}
		return w.usesAndLoses(p, form, "“Desk”")
	}, dynamic)
}

// The issuer in a response is a strict client's to compare. It is there exactly where the metadata say
// that it will be, and is the one that they name; so it is when somebody denies.
func TestEndToEndTheIssuerOfAResponse(t *testing.T) {
	t.Parallel()
	for name, advertised := range map[string]bool{"advertised": true, "not advertised": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := stytchtest.Development()
			seed.Project.AdvertiseIssuer = advertised
			endToEnd(t, seed, func(w *world) error {
				inside.Diagnose(w.app, t.Context())
				want := ""
				if advertised {
					want = w.stytch.URL
				}
				named := came(func(q url.Values) error {
					if got := q["iss"]; strings.Join(got, " ") != want {
						return fmt.Errorf("iss is %q, want %q", got, want)
					}
					return nil
				})
				id, _ := w.registered("Desk", "http://127.0.0.1/callback")
				return w.newPerson().do(slices.Concat([]step{newTabAt(w.asksAs(id, "openid tasks:read", "s1"))},
					byCode("ada@acme.example", "Acme"), []step{press("Allow"), named,
						newTabAt(w.asksAs(id, "openid tasks:read", "s2")), press("Deny"), named})...)
			}, dynamic)
		})
	}
}

// Clients ask anew at every attempt, and people have several open: each decision goes back to its own
// request, whichever tab the person signed in on.
func TestEndToEndThreeRequestsAtOnce(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		ids := map[string]string{}
		for _, state := range []string{"s1", "s2", "s3"} {
			ids[state], _ = w.registered("Desk "+state, "http://127.0.0.1/callback")
		}
		tabs := map[string]context.Context{}
		open := func(state string) step {
			return func(p *person) error {
				err := p.do(newTabAt(w.asksAs(ids[state], "openid tasks:read", state)),
					see("continue to “Desk "+state+"”"),
					see("Continue with email"))
				tabs[state] = p.tab
				return err
			}
		}
		decide := func(state, button, want string) step {
			return func(p *person) error {
				p.tab = tabs[state]
				return p.do(see("Allow an app called “Desk "+state+"” to:"), press(button),
					came(func(q url.Values) error {
						if q.Get("state") != state || !q.Has(want) {
							return fmt.Errorf("the tab of %s came back with %v", state, q)
						}
						return nil
					}))
			}
		}
		return w.newPerson().do(slices.Concat([]step{open("s1"), open("s2"), open("s3")},
			byCode("ada@acme.example", "Acme"),
			[]step{decide("s2", "Allow", "code"), decide("s3", "Deny", "error"), decide("s1", "Allow", "code")})...)
	}, dynamic)
}

// Clients of one name are one app to a person: listed once, and gone at once.
func TestEndToEndClientsOfOneNameAreOneApp(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		p := w.newPerson()
		steps := byCode("ada@acme.example", "Acme")
		for n := range 3 {
			id, _ := w.registered("Desk", fmt.Sprintf("http://127.0.0.1/callback?n=%d", n))
			request := changed(w.asksAs(id, "openid tasks:read", "s"), func(q url.Values) {
				q.Set("redirect_uri", fmt.Sprintf("%s?n=%d", w.callbacks.url, n))
			})
			if err := p.do(slices.Concat([]step{newTabAt(request)}, steps,
				[]step{press("Allow"), returns("")})...); err != nil {
				return err
			}
			steps = nil
		}
		if n := len(w.connected(ada)); n != 3 {
			return fmt.Errorf("%d connections at Stytch", n)
		}
		err := p.do(newTabAt(w.url+"/account"), see("It is connected 3 times."), look("account"),
			press("Revoke access"), see("Once it is revoked"), press("Revoke access"),
			see("Access is revoked."), see("No app acts for you here."))
		if left := w.connected(ada); err == nil && len(left) > 0 {
			err = fmt.Errorf("left at Stytch: %v", left)
		}
		return err
	}, dynamic)
}
