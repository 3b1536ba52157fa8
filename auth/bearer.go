package auth

import (
	"net/http"
	"net/url"
	"strings"
)

// Bearer takes the token out of a request, as RFC 6750 section 2.1 has it: one
// Authorization header, the scheme in any letter case, one space, the token. A token
// in the query is an error, one in a cookie is not looked at, one in a form body is
// left to whoever reads bodies. Errors wrap [ErrNoToken] or [ErrInvalidRequest].
func Bearer(r *http.Request) (string, error) {
	if inQuery(r.URL.RawQuery, "access_token") {
		return "", &refusal{ErrInvalidRequest, "token in the query"}
	}
	headers := r.Header.Values("Authorization")
	switch len(headers) {
	case 0:
		return "", &refusal{ErrNoToken, "no header"}
	case 1:
		return bearer(headers[0])
	}
	return "", &refusal{ErrInvalidRequest, "more than one header"}
}

// inQuery also finds what url.ParseQuery drops: pairs with a semicolon or a broken escape.
func inQuery(query, name string) bool {
	for pair := range strings.FieldsFuncSeq(query, func(r rune) bool { return r == '&' || r == ';' }) {
		key, _, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(key); err == nil && key == name {
			return true
		}
	}
	return false
}

func bearer(header string) (string, error) {
	const scheme = "bearer"
	if len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return "", &refusal{ErrNoToken, "another scheme"}
	}
	rest := header[len(scheme):]
	if rest != "" && rest[0] != ' ' && tokenCharacters[rest[0]] {
		return "", &refusal{ErrNoToken, "another scheme"} // Bearerx is a scheme of its own
	}
	token, ok := strings.CutPrefix(rest, " ")
	if !ok || token == "" {
		return "", &refusal{ErrInvalidRequest, "no token after the scheme"}
	}
	body := strings.TrimRight(token, "=") // b64token of RFC 6750 section 2.1
	if body == "" {
		return "", &refusal{ErrInvalidRequest, "nothing but padding"}
	}
	for i := range len(body) {
		if !tokenCharacters[body[i]] {
			return "", &refusal{ErrInvalidRequest, "characters that no token has"}
		}
	}
	return token, nil
}

// tokenCharacters are those of b64token in RFC 6750 section 2.1, without the padding.
var tokenCharacters = func() (set [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/") {
		set[c] = true
	}
	return set
}()
