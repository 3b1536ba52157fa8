package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"guestpass/stytchtest"
)

type fields = map[string]any

// stytchPost returns a request as Stytch's component makes it, of whoever has the session.
func (w *world) stytchPost(session, path string, body fields) (int, fields) {
	w.t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, w.stytch.URL+"/sdk/v1"+path, bytes.NewReader(content))
	if err != nil {
		w.t.Fatal(err)
	}
	public := w.stytch.Export().Project.PublicToken
	if session == "" {
		session = public
	}
	r.SetBasicAuth(public, session)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Sdk-Client", "eyJzZGsiOnsidmVyc2lvbiI6IkBzdHl0Y2gvdmFuaWxsYS1qc0A2LjMuMCJ9fQ==") // vanilla-js 6.3.0
	r.Header.Set("X-Sdk-Parent-Host", w.url)
	r.Header.Set("Origin", w.url)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	var reply fields
	_ = json.NewDecoder(response.Body).Decode(&reply)
	if data, ok := reply["data"].(fields); ok {
		reply = data
	}
	return response.StatusCode, reply
}

// session signs somebody in with a code.
func (w *world) session(email, organization string) string {
	w.t.Helper()
	w.stytchPost("", "/b2b/otps/email/discovery/send", fields{"email_address": email})
	_, reply := w.stytchPost("", "/b2b/otps/email/discovery/authenticate", fields{"email_address": email,
		"code": w.stytch.Inbox()[0].Code})
	_, reply = w.stytchPost("", "/b2b/discovery/intermediate_sessions/exchange", fields{"organization_id": organization,
		"session_duration_minutes": 60, "intermediate_session_token": reply["intermediate_session_token"]})
	token, _ := reply["session_token"].(string)
	if token == "" {
		w.t.Fatalf("no session: %v", reply)
	}
	return token
}

// tampered are changes to a decision by which somebody could try to allow more than they may.
func tampered() (bodies []fields) {
	const forbidden = "members:invite"
	scopes := []any{
		[]any{"openid", forbidden}, []any{forbidden}, []any{"openid", "full_access"}, []any{"openid", "*"},
		[]any{"openid", "members:*"},
		[]any{"openid", "MEMBERS:INVITE"}, []any{"openid", " " + forbidden}, []any{"openid", forbidden + "\x00"},
		[]any{"openid " + forbidden},
		[]any{"openid,members:invite"}, []any{"openid", forbidden, forbidden}, []any{[]any{forbidden}},
		[]any{fields{"scope": forbidden, "is_grantable": true}},
		forbidden, "openid " + forbidden, fields{"0": forbidden}, []any{"openid", "stytch_admin"},
		[]any{"openid", "members:read", "members:invite", "tasks:write", "offline_access"},
		[]any{}, nil,
	}
	others := []fields{
		{}, {"scope": "openid " + forbidden}, {"granted_scopes": []any{forbidden}, "scopes_granted": forbidden},
		{"scope_results": []any{fields{"scope": forbidden, "is_grantable": true}}},
		{"member_id": ada, "organization_id": acme},
		{"member": fields{"roles": []any{"stytch_admin"}}, "roles": []any{"stytch_admin"}},
		{"client_type": "first_party", "full_access_allowed": true},
		{"custom_claims": fields{"scope": forbidden, "sub": ada}, "session_custom_claims": fields{"scope": forbidden}},
		{"consent_granted": "true"}, {"response_type": "token", "prompt": "none"},
	}
	for _, scope := range scopes {
		for _, other := range others {
			body := fields{"client_id": stytchtest.Development().ConnectedApps[0].ClientID,
				"redirect_uri":  "http://localhost:8090/callback",
				"response_type": "code", "state": "s", "scopes": scope, "consent_granted": true}
			maps.Copy(body, other)
			bodies = append(bodies, body)
		}
	}
	return bodies
}

// Grace may not invite. Whatever her browser submits, no token of hers does.
func TestTamperedDecisionsNeverWidenScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.session("grace@acme.example", acme)
	hers := strings.Fields("openid profile email offline_access members:read tasks:read tasks:write activity:read")
	bodies := tampered()
	if len(bodies) < 200 {
		t.Fatalf("%d submits", len(bodies))
	}
	granted, widened := 0, 0
	for _, body := range bodies {
		status, reply := w.stytchPost(session, "/idp/b2b/oauth/authorize/submit", body)
		code, _ := reply["authorization_code"].(string)
		if to, _ := reply["redirect_uri"].(string); to != "" && !strings.HasPrefix(to,
			"http://localhost:8090/callback?") {
			t.Errorf("%v: leads to %s", body, to)
		}
		if code == "" {
			continue
		}
		granted++
		token := w.redeem(code)
		for _, scope := range strings.Fields(token.Scope) {
			if !slices.Contains(hers, scope) {
				widened++
				t.Errorf("%v: %d, granted %q", body, status, token.Scope)
			}
		}
		want := http.StatusForbidden
		if token.Scope == "" { // a token for nothing is none
			want = http.StatusUnauthorized
		}
		if got := w.call("POST", "/api/v1/members/invitations", token.AccessToken,
			`{"email":"guest@acme.example","name":"Guest"}`); got.status != want {
			t.Errorf("%v: inviting is answered %d %s", body, got.status, got.body)
		}
		if got := w.call("GET", "/api/v1/userinfo", token.AccessToken, ""); got.status == http.StatusOK &&
			!strings.Contains(got.body, grace) {
			t.Errorf("%v: is for %s", body, got.body)
		}
	}
	t.Logf("%d tampered submits, %d granted something, %d widened the scopes", len(bodies), granted, widened)
	if granted < 50 {
		t.Errorf("only %d of %d submits were granted anything", granted, len(bodies))
	}
}

type issued struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
}

// redeem is at Stytch itself: ours slows down whoever asks so often.
func (w *world) redeem(code string) (token issued) {
	w.t.Helper()
	app := stytchtest.Development().ConnectedApps[0]
	response, err := http.PostForm(w.stytch.URL+"/v1/oauth2/token", url.Values{"grant_type": {"authorization_code"},
		"code":         {code},
		"redirect_uri": {"http://localhost:8090/callback"}, "client_id": {app.ClientID},
		"client_secret": {app.ClientSecret}})
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	content, _ := io.ReadAll(response.Body)
	if err := json.Unmarshal(content, &token); err != nil || token.AccessToken == "" {
		w.t.Fatalf("no token: %s", content)
	}
	return token
}

// What others have chosen for a name is shown as it is, whatever it would be to a browser.
func TestEndToEndNamesThatAreHTMLAreText(t *testing.T) {
	t.Parallel()
	const app, organization = `GPT <img src=x onerror=alert(1)> & <b>Co</b>`,
		`Acme </script><script>alert(2)</script> "Ltd"`
	seed := stytchtest.Development()
	seed.ConnectedApps[0].Name, seed.Organizations[0].Name = app, organization
	endToEnd(t, seed, func(w *world) error {
		none := func(p *person) error {
			found, err := chromedp.Run(p.tab,
				chromedp.Evaluate[int](
					`document.querySelectorAll("main b, main img[src=x], `+
						`main script:not(#scopes, #words, #component-words)").length`))
			if err == nil && found > 0 {
				err = fmt.Errorf("%d elements are made of a name", found)
			}
			return err
		}
		return w.newPerson().do(w.visit([]step{see("to continue to " + app), see("Sign in to " + organization), none,
			fill("input[type=email]", "ada@acme.example"), press("Continue with email"), typeCode,
			see("Allow " + app + " to:"), see("Signed in as ada@acme.example at " + organization), none, look("html"),
			press("Allow")},
			func(q url.Values) { q.Set("organization_id", "acme") }))
	})
}

// Nothing in the address leads elsewhere, for somebody who is signed in and has allowed
// this before.
func TestEndToEndNoAddressLeadsAstray(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		openid := scopes("openid")
		astray := []string{"https://evil.example", "//evil.example", `/\evil.example`, "https:evil.example",
			"javascript:location='https://evil.example'", "data:text/html,x",
			"https://chatgpt.com@evil.example", "/%09/evil.example", w.callbacks.url + ".evil.example/"}
		everywhere := func(q url.Values) {
			for i, name := range []string{"return", "next", "url", "return_to", "redirect", "redirect_url", "target",
				"continue", "organization"} {
				q.Set(name, astray[i])
			}
		}
		p := w.newPerson()
		if err := p.do(w.visit(append(byCode("ada@acme.example", "Acme"), press("Allow")), openid),
			w.visit([]step{see("Allow ChatGPT to:"), press("Allow")}, openid, everywhere)); err != nil {
			return err
		}
		here := is("location.origin === " + quoted(w.url))
		client := stytchtest.Development().ConnectedApps[0].ClientID
		for _, address := range append(astray, "http://localhost:8090/other", "http://127.0.0.1:8090/callback/../x",
			"http://localhost:1@evil.example/") {
			logOut := w.url + "/idp?" + url.Values{"client_id": {client},
				"post_logout_redirect_uri": {address}}.Encode()
			refused := is(
				`[...document.querySelectorAll("[role=alert]")].some((e) => e.checkVisibility() && e.innerText.trim())`)
			if err := p.do(newTabAt(w.authorizeURL(openid, func(q url.Values) { q.Set("redirect_uri", address) })),
				refused, here,
				newTabAt(logOut), refused, here); err != nil {
				return fmt.Errorf("%s: %w", address, err)
			}
		}
		return p.complaints()
	})
}

// The state comes back as it went.
func TestEndToEndStateComesBackByteForByte(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		var ascii strings.Builder
		for c := ' '; c <= '~'; c++ {
			ascii.WriteRune(c)
		}
		p, steps := w.newPerson(), append(byCode("ada@acme.example", "Acme"), press("Allow"))
		for _, state := range []string{ascii.String(), strings.Repeat("%2B+", 512), "é漢😀\u202e", "a\r\nb\tc"} {
			back := func(p *person) error {
				came, err := p.comesBack()
				if err != nil {
					return err
				}
				if got := came.Query().Get("state"); got != state {
					return fmt.Errorf("the state %q came back as %q", state, got)
				}
				return nil
			}
			address := w.authorizeURL(scopes("openid"), func(q url.Values) { q.Set("state", state) })
			if err := p.do(slices.Concat([]step{newTabAt(address)}, steps, []step{back})...); err != nil {
				return err
			}
			steps = []step{press("Allow")} // signed in
		}
		return nil
	})
}
