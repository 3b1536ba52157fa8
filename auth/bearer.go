package auth

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// maxForm is how much of a form's body is looked at: any token fits, under a long name too.
const maxForm = 16 << 10

// Bearer takes the token out of a request, as RFC 6750 section 2.1 has it: one Authorization
// header, the scheme in any letter case, one space, the token. A token in the query, or in the
// first 16 KiB of a form, is an error whatever the header says; one in a cookie is not looked at.
// It waits for these bytes of a form and puts them back into the body; it touches no other body.
// Errors wrap [ErrNoToken] or [ErrInvalidRequest].
func Bearer(r *http.Request) (string, error) {
	if inQuery(r.URL.RawQuery, "access_token") {
		return "", &refusal{sentinel: ErrInvalidRequest, reason: "token in the query"}
	}
	if inForm(r, "access_token") {
		return "", &refusal{sentinel: ErrInvalidRequest, reason: "token in a form"}
	}
	headers := r.Header.Values("Authorization")
	switch len(headers) {
	case 0:
		return "", &refusal{sentinel: ErrNoToken, reason: "no header"}
	case 1:
		return bearer(headers[0])
	}
	return "", &refusal{sentinel: ErrInvalidRequest, reason: "more than one header"}
}

// inForm looks at what has come when the body ends, breaks off or grows too long.
func inForm(r *http.Request, name string) bool {
	if r.Body == nil || r.Body == http.NoBody {
		return false
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" {
		return false
	}
	head, _ := io.ReadAll(io.LimitReader(r.Body, maxForm))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
	return inQuery(string(head), name)
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
		return "", &refusal{sentinel: ErrNoToken, reason: "another scheme"}
	}
	rest := header[len(scheme):]
	if rest != "" && rest[0] != ' ' && tokenCharacters[rest[0]] {
		return "", &refusal{sentinel: ErrNoToken, reason: "another scheme"} // Bearerx is a scheme of its own
	}
	token, ok := strings.CutPrefix(rest, " ")
	if !ok || token == "" {
		return "", &refusal{sentinel: ErrInvalidRequest, reason: "no token after the scheme"}
	}
	body := strings.TrimRight(token, "=") // b64token of RFC 6750 section 2.1
	if body == "" {
		return "", &refusal{sentinel: ErrInvalidRequest, reason: "nothing but padding"}
	}
	for i := range len(body) {
		if !tokenCharacters[body[i]] {
			return "", &refusal{sentinel: ErrInvalidRequest, reason: "characters that no token has"}
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
