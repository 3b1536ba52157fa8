package auth

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

func TestBearerTakesTheTokenOrSaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name    string
		headers []string
		target  string
		want    string
		err     error
	}{
		{name: "a token", headers: []string{"Bearer abc.def.ghi"}, want: "abc.def.ghi"},
		{name: "scheme in lower case", headers: []string{"bearer abc"}, want: "abc"},
		{name: "scheme in upper case", headers: []string{"BEARER abc"}, want: "abc"},
		{name: "every character a token may have", headers: []string{"Bearer aZ09-._~+/=="}, want: "aZ09-._~+/=="},
		{name: "no header", err: ErrNoToken},
		{name: "empty header", headers: []string{""}, err: ErrNoToken},
		{name: "token without scheme", headers: []string{"abc"}, err: ErrNoToken},
		{name: "Basic", headers: []string{"Basic dXNlcjpwYXNz"}, err: ErrNoToken},
		{name: "a scheme as long as ours", headers: []string{"Digest abc"}, err: ErrNoToken},
		{name: "DPoP", headers: []string{"DPoP abc"}, err: ErrNoToken},
		{name: "a scheme that only begins like ours", headers: []string{"Bearertoken abc"}, err: ErrNoToken},
		{name: "look-alike scheme", headers: []string{"Вearer abc"}, err: ErrNoToken},
		{name: "two equal headers", headers: []string{"Bearer abc", "Bearer abc"}, err: ErrInvalidRequest},
		{name: "two different headers", headers: []string{"Bearer abc", "Basic abc"}, err: ErrInvalidRequest},
		{name: "an empty second header", headers: []string{"Bearer abc", ""}, err: ErrInvalidRequest},
		{name: "two joined by a comma", headers: []string{"Bearer abc, Bearer def"}, err: ErrInvalidRequest},
		{name: "two joined without space", headers: []string{"Bearer abc,def"}, err: ErrInvalidRequest},
		{name: "two spaces", headers: []string{"Bearer  abc"}, err: ErrInvalidRequest},
		{name: "tab", headers: []string{"Bearer\tabc"}, err: ErrInvalidRequest},
		{name: "nothing after the scheme", headers: []string{"Bearer"}, err: ErrInvalidRequest},
		{name: "only a space after the scheme", headers: []string{"Bearer "}, err: ErrInvalidRequest},
		{name: "comma after the scheme", headers: []string{"Bearer,"}, err: ErrInvalidRequest},
		{name: "colon after the scheme", headers: []string{"Bearer: abc"}, err: ErrInvalidRequest},
		{name: "space after the token", headers: []string{"Bearer abc "}, err: ErrInvalidRequest},
		{name: "space in the token", headers: []string{"Bearer abc def"}, err: ErrInvalidRequest},
		{name: "quotes", headers: []string{`Bearer "abc"`}, err: ErrInvalidRequest},
		{name: "padding before the end", headers: []string{"Bearer ab=c"}, err: ErrInvalidRequest},
		{name: "padding and nothing else", headers: []string{"Bearer ="}, err: ErrInvalidRequest},
		{name: "not ASCII", headers: []string{"Bearer abcé"}, err: ErrInvalidRequest},
		{name: "line break", headers: []string{"Bearer abc\r\n def"}, err: ErrInvalidRequest},
		{name: "NUL", headers: []string{"Bearer abc\x00"}, err: ErrInvalidRequest},
		{name: "a JSON serialization", headers: []string{`Bearer {"payload":"e30"}`}, err: ErrInvalidRequest},

		{name: "token in the query", target: "/?access_token=abc", err: ErrInvalidRequest},
		{name: "token in the query beside a good header",
			headers: []string{"Bearer abc"}, target: "/?a=1&access_token=abc", err: ErrInvalidRequest},
		{name: "empty token in the query", headers: []string{"Bearer abc"}, target: "/?access_token",
			err: ErrInvalidRequest},
		{name: "escaped name in the query", headers: []string{"Bearer abc"}, target: "/?%61ccess_token=abc",
			err: ErrInvalidRequest},
		{name: "token in the query before a semicolon",
			headers: []string{"Bearer abc"}, target: "/?access_token=abc;x=1", err: ErrInvalidRequest},
		{name: "token in the query with a broken escape",
			headers: []string{"Bearer abc"}, target: "/?access_token=%zz", err: ErrInvalidRequest},
		{name: "another name in the query", headers: []string{"Bearer abc"},
			target: "/?my_access_token=x&q=access_token", want: "abc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := "/"
			if tt.target != "" {
				target = tt.target
			}
			r := httptest.NewRequest(http.MethodGet, target, nil)
			r.Header["Authorization"] = tt.headers
			got, err := Bearer(r)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("Bearer = %q, %v, want %q, %v", got, err, tt.want, tt.err)
			}
			if err != nil && strings.Contains(err.Error(), "abc") {
				t.Errorf("the error contains the token: %v", err)
			}
		})
	}
}

func TestBearerLooksNowhereElse(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`access_token=abc`))
	r.Header.Set("Content-Type", "application/json")
	r.AddCookie(&http.Cookie{Name: "access_token", Value: "abc"})
	for _, name := range []string{"Author_ization", "X-Forwarded-Authorization", "X-Original-URL",
		"Proxy-Authorization"} {
		r.Header.Set(name, "Bearer abc")
	}
	if token, err := Bearer(r); token != "" || !errors.Is(err, ErrNoToken) {
		t.Errorf("Bearer = %q, %v, want ErrNoToken", token, err)
	}
	r.Header.Set("Authorization", "Bearer def")
	if token, err := Bearer(r); token != "def" || err != nil {
		t.Errorf("Bearer = %q, %v, want the header's token", token, err)
	}
}

func TestBearerRefusesATokenInAForm(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	pairs := func(size int) string { return strings.Repeat("x", size-1) + "&" }
	for _, tt := range []struct {
		name, kind, body string
		found            bool
	}{
		{"alone", form, "access_token=abc", true},
		{"behind another field", form, "title=x&access_token=abc", true},
		{"an escaped name", form, "%61ccess_token=abc", true},
		{"without a value", form, "access_token", true},
		{"with a character set", form + "; charset=utf-8", "access_token=abc", true},
		{"in capitals", strings.ToUpper(form), "access_token=abc", true},
		{"with a malformed parameter", form + "; charset", "access_token=abc", true},
		{"at the end of what is looked at", form, pairs(maxForm-len("access_token")) + "access_token=abc", true},
		{"a byte later", form, pairs(maxForm-len("access_token")+1) + "access_token=abc", false},
		{"another name", form, "my_access_token=abc&q=access_token", false},
		{"nothing", form, "", false},
		{"text", "text/plain", "access_token=abc", false},
		{"no content type", "", "access_token=abc", false},
	} {
		for _, headers := range [][]string{nil, {"Bearer def"}, {"Basic def"}, {"Bearer def", "Bearer def"}} {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
			r.Header["Authorization"] = headers
			r.Header.Set("Content-Type", tt.kind)
			_, err := Bearer(r)
			if found := Reason(err) == "token in a form" && errors.Is(err, ErrInvalidRequest); found != tt.found {
				t.Errorf("%s, beside %q: %v, want found %t", tt.name, headers, err, tt.found)
			}
			if body, err := io.ReadAll(r.Body); err != nil || string(body) != tt.body {
				t.Errorf("%s: %d bytes of %d are left to read, %v", tt.name, len(body), len(tt.body), err)
			}
		}
	}
}

// A body that breaks off is judged by what came, and one that never ends is not read on.
func TestBearerReadsNoMoreOfAForm(t *testing.T) {
	for name, body := range map[string]io.Reader{
		"broken": io.MultiReader(strings.NewReader("access_token=abc"), iotest.ErrReader(errors.New("gone"))),
		"longer": io.MultiReader(strings.NewReader("access_token=abc&"+strings.Repeat("x", maxForm)),
			iotest.ErrReader(errors.New("read too far"))),
	} {
		r := httptest.NewRequest(http.MethodPost, "/", body)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if _, err := Bearer(r); Reason(err) != "token in a form" {
			t.Errorf("%s: %v", name, err)
		}
	}
	body := &endless{Closer: io.NopCloser(nil)}
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if _, err := Bearer(r); !errors.Is(err, ErrNoToken) || body.taken > maxForm {
		t.Errorf("%v after %d bytes", err, body.taken)
	}
}
