package idp

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"guestpass/internal/credentials"
	"guestpass/internal/pageurl"
)

func TestLoginPagesThatAreRefused(t *testing.T) {
	for _, address := range []string{"https://app.example.com/login", "https://app.example.com/login?from=guestpass",
		"https://app.example.com/login,@de",
		"http://localhost:3000/login", "http://127.0.0.1:3000/", "https://app.example.com"} {
		if err := CheckLoginURL(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"", "/login", "app.example.com/login", "//app.example.com/login",
		"http://app.example.com/login", "http://localhost.example.com/login", "ftp://app.example.com/login",
		"javascript:alert(1)", "https:app.example.com", "https:///login", "https://user@app.example.com/login",
		"https://app.example.com/login#top", "https://app.example.com/login#", "https://App.example.com/login",
		"https://app.example.com/login?a=%zz", "https://app.example.com/login?a=1;b=2", "https://app.example.com/%zz",
		"https://app.example.com/log in", "https://app.example.com/?a=\"",
		"https://app.example.com/" + strings.Repeat("x", pageurl.Most)} {
		if CheckLoginURL(address) == nil {
			t.Errorf("%s is admitted", address)
		}
	}
}

func TestLoginPagesThatContradict(t *testing.T) {
	const own, app = "https://gpt.example.com", "https://app.example.com/login"
	for name, tt := range map[string]struct {
		login Login
		want  error
	}{
		"nothing":                  {Login{}, nil},
		"another host":             {Login{URL: app, CookieDomain: "example.com", ReturnParameter: "next"}, nil},
		"the same host":            {Login{URL: own + "/login", CookieDomain: "gpt.example.com"}, nil},
		"the page itself":          {Login{URL: own + "/idp"}, ErrLoginURL},
		"the page with a slash":    {Login{URL: own + "/idp/"}, ErrLoginURL},
		"the account page":         {Login{URL: own + "/account?x=1"}, ErrLoginURL},
		"the parameter is there":   {Login{URL: app + "?return_to=x"}, ErrReturnTaken},
		"the named one is there":   {Login{URL: app + "?next=x", ReturnParameter: "next"}, ErrReturnTaken},
		"prompt is there":          {Login{URL: app + "?prompt=none"}, ErrReturnTaken},
		"another domain":           {Login{URL: app, CookieDomain: "example.org"}, ErrCookieDomain},
		"a domain within ours":     {Login{URL: app, CookieDomain: "x.gpt.example.com"}, ErrCookieDomain},
		"a domain that ends alike": {Login{URL: app, CookieDomain: "ample.com"}, ErrCookieDomain},
	} {
		if err := tt.login.Check(own); !errors.Is(err, tt.want) || (err != nil) != (tt.want != nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoginValues(t *testing.T) {
	for _, tt := range []struct {
		check      func(string) error
		good, evil []string
	}{
		{CheckReturnParameter, []string{"return_to", "next", "ReturnUrl", "redirect.url"},
			[]string{"", "return to", "prompt", "login_state", "trusted_auth_token", "a&b", "a=b",
				strings.Repeat("x", 41)}},
		{CheckTokenProfile, []string{"trusted-token-profile-live-b3f0c1de-0000-4000-8000-000000000001"},
			[]string{"", "trusted-token-profile-live-", "connected-app-live-1", "trusted-token-profile-test-a b"}},
		{CheckCookieDomain, []string{"example.com", "a.example.co.uk"},
			[]string{"", "com", ".example.com", "example.com.", "Example.com", "https://example.com", "10.1.2.3",
				"example.com:443", "*.example.com"}},
	} {
		for _, value := range tt.good {
			if err := tt.check(value); err != nil {
				t.Errorf("%q: %v", value, err)
			}
		}
		for _, value := range tt.evil {
			if tt.check(value) == nil {
				t.Errorf("%q is admitted", value)
			}
		}
	}
	if _, err := New(Options{Vertical: "b2b", ProjectID: testProject, PublicToken: "public-token-test-x",
		Login: Login{TokenProfile: "trusted-token-profile-test-1"}}); err == nil {
		t.Error("a profile without a login page is admitted")
	}
	if err := (Login{URL: "https://app.example.com", TokenProfile: "trusted-token-profile-live-1"}).checkForm(
		credentials.Test); err == nil {
		t.Error("a profile of another environment is admitted")
	}
}

func withLogin(o *Options) {
	o.Login = Login{URL: "https://app.example.com/login", TokenProfile: "trusted-token-profile-test-1"}
}

// A token that is returned is on the page and nowhere else: neither in the cookie that keeps the request, nor in what
// is kept of it.
func TestAReturnedTokenIsNotKept(t *testing.T) {
	p := pageProvider(t, withLogin)
	r := httptest.NewRequest(http.MethodPost, "/idp?"+chatGPT("login_state", "f47ac10b"),
		strings.NewReader(url.Values{"trusted_auth_token": {"eyJh.eyJi.c2ln"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	p.Return(w, r)
	body := w.Body.String()
	if w.Code != http.StatusOK || strings.Count(body, "eyJh.eyJi.c2ln") != 1 || strings.Contains(body, "login_state") {
		t.Fatalf("%d %s", w.Code, body)
	}
	for _, cookie := range w.Result().Cookies() {
		kept, err := p.open(cookie.Value)
		if err != nil || strings.Contains(kept, "eyJh") || strings.Contains(kept, "login_state") {
			t.Errorf("kept: %q %v", kept, err)
		}
	}
}

// A token in the address is refused also where nothing is asked for, and by the old name of its parameter.
func TestATokenInTheAddress(t *testing.T) {
	for _, query := range []string{chatGPT("trusted_auth_token", "eyJh.eyJi.c2ln"), "trusted_auth_token=",
		"return=account&trusted_auth_token=x", chatGPT("token", "eyJh.eyJi.c2ln"),
		chatGPT() + "&%74rusted_auth_token=eyJh.eyJi.c2ln"} {
		w := get(pageProvider(t, withLogin), query)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "This sign-in is not safe") ||
			strings.Contains(w.Body.String(), "eyJh") || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v", query, w.Code, w.Header())
		}
	}
	if w := get(pageProvider(t), chatGPT("trusted_auth_token", "eyJh.eyJi.c2ln")); w.Code != http.StatusBadRequest {
		t.Errorf("without a login page: %d", w.Code)
	}
}

func TestThePageKnowsOfASessionThatScriptsDoNotSee(t *testing.T) {
	p := pageProvider(t, withLogin)
	if body := get(p, chatGPT()).Body.String(); strings.Contains(body, "data-session-sent") {
		t.Error("without a cookie")
	}
	with := get(p, chatGPT(), &http.Cookie{Name: "stytch_session", Value: "secret-of-a-session"}).Body.String()
	if !strings.Contains(with, "data-session-sent") || strings.Contains(with, "secret-of-a-session") {
		t.Error("with a cookie")
	}
}

func TestThePageOffersNothingWherePeopleSignInElsewhere(t *testing.T) {
	if methods := pageProvider(t, withLogin).LoginMethods(); len(methods) > 0 {
		t.Errorf("it offers %v", methods)
	}
	if methods := pageProvider(t).LoginMethods(); len(methods) != 1 {
		t.Errorf("it offers %v", methods)
	}
}
