package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
		{name: "token in the query beside a good header", headers: []string{"Bearer abc"}, target: "/?a=1&access_token=abc", err: ErrInvalidRequest},
		{name: "empty token in the query", headers: []string{"Bearer abc"}, target: "/?access_token", err: ErrInvalidRequest},
		{name: "escaped name in the query", headers: []string{"Bearer abc"}, target: "/?%61ccess_token=abc", err: ErrInvalidRequest},
		{name: "token in the query before a semicolon", headers: []string{"Bearer abc"}, target: "/?access_token=abc;x=1", err: ErrInvalidRequest},
		{name: "token in the query with a broken escape", headers: []string{"Bearer abc"}, target: "/?access_token=%zz", err: ErrInvalidRequest},
		{name: "another name in the query", headers: []string{"Bearer abc"}, target: "/?my_access_token=x&q=access_token", want: "abc"},
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
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("access_token=abc"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "access_token", Value: "abc"})
	for _, name := range []string{"Author_ization", "X-Forwarded-Authorization", "X-Original-URL", "Proxy-Authorization"} {
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
