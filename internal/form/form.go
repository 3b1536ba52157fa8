// Package form reads application/x-www-form-urlencoded: the query of a URL, and the body that a
// form sends. It refuses what two readers could understand differently. [url.ParseQuery] and
// [url.URL.Query] go on without the pairs that they cannot decode, so that a filter would be
// left out where the caller believes it was applied.
package form

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// A Fault is the first part of a text that cannot be read.
type Fault struct {
	Name   string // of the parameter; "" where the name itself is at fault
	Reason string // in words for whoever sent it; never repeats what they sent
}

func (f *Fault) Error() string {
	if f.Name == "" {
		return "a parameter " + f.Reason
	}
	return f.Name + " " + f.Reason
}

// Parse decodes pairs that & separates, each after the WHATWG's rules (a + is a space, a name
// alone has the empty value, an empty pair is none). Names are compared as they are decoded, so
// values under one name are together however it was spelled. The error is a [*Fault].
func Parse(text string) (url.Values, error) {
	values := url.Values{}
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		encodedName, encodedValue, _ := strings.Cut(pair, "=")
		name, reason := decode(encodedName)
		if reason == "" && name == "" {
			reason = "has a value but no name; write name=value"
		}
		if reason != "" {
			return nil, &Fault{Reason: reason}
		}
		value, reason := decode(encodedValue)
		if reason != "" {
			return nil, &Fault{Name: name, Reason: reason}
		}
		values[name] = append(values[name], value)
	}
	return values, nil
}

// decode returns the reason if it cannot.
func decode(encoded string) (text, reason string) {
	if strings.Contains(encoded, ";") { // a separator to some readers, a letter to others
		return "", "has a semicolon; write %3B for one, and & between parameters"
	}
	text, err := url.QueryUnescape(encoded)
	switch {
	case err != nil:
		return "", "has a % without two hexadecimal digits behind it; write %25 for a percent sign"
	case !utf8.ValidString(text):
		return "", "is not text in UTF-8"
	}
	return text, ""
}

// Is reports whether a request's body is a form as it stands, without an encoding around it.
func Is(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded" && len(h.Values("Content-Type")) == 1 &&
		h.Get("Content-Encoding") == ""
}

// ErrNotForm is the error of [Read] for a body of another kind.
var ErrNotForm = errors.New("not application/x-www-form-urlencoded")

// Read reads and decodes a request's body of at most limit bytes. A longer one is an
// [*http.MaxBytesError].
func Read(w http.ResponseWriter, r *http.Request, limit int64) (url.Values, error) {
	if !Is(r.Header) {
		return nil, ErrNotForm
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return nil, fmt.Errorf("read the form: %w", err)
	}
	return Parse(string(body))
}
