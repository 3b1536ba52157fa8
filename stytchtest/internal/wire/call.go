// Package wire has the manners of Stytch's API: how bodies are read and what type their
// members have, and how failures are written. It knows no endpoint.
package wire

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"
)

// MaxBody bounds every request body.
const MaxBody = 128 << 10

// A Dialect is the manner of one group of endpoints.
type Dialect int

// The three groups.
const (
	Platform Dialect = iota // /v1: members at top level, Stytch's errors
	OAuth                   // as Platform, with the errors of RFC 6749 section 5.2
	Browser                 // /sdk/v1: members in an envelope, Stytch's errors
)

// A Call is one request with its decoded body.
type Call struct {
	Request *http.Request
	Dialect Dialect
	Body    map[string]any
	Form    bool // the body was a form, not JSON
	Status  int  // of the reply; 0: 200
}

// Path returns a variable of the route.
func (c *Call) Path(name string) string { return chi.URLParam(c.Request, name) }

// Text returns a string of the body, or "".
func (c *Call) Text(name string) string { s, _ := c.Body[name].(string); return s }

// Flag returns a boolean of the body, or false.
func (c *Call) Flag(name string) bool { b, _ := c.Body[name].(bool); return b }

// Texts returns the strings of a list in the body.
func (c *Call) Texts(name string) []string {
	out := []string{}
	list, _ := c.Body[name].([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Set changes the field to a string that the body has.
func (c *Call) Set(name string, field *string) {
	if value, given := c.Body[name].(string); given {
		*field = value
	}
}

// SetList changes the field to a list that the body has.
func (c *Call) SetList(name string, field *[]string) {
	if _, given := c.Body[name].([]any); given {
		*field = c.Texts(name)
	}
}

// Merge is for metadata: members are merged at the top level, null removes one.
func (c *Call) Merge(name string, old map[string]any, keep func(map[string]any)) {
	given, ok := c.Body[name].(map[string]any)
	if !ok {
		return
	}
	merged := maps.Clone(old)
	for member, value := range given {
		if merged[member] = value; value == nil {
			delete(merged, member)
		}
	}
	keep(merged)
}

// Number returns a whole number of the body; one too large for any purpose is cut, so
// that range checks see it.
func (c *Call) Number(name string, otherwise int) int {
	n, ok := c.Body[name].(float64)
	if !ok {
		return otherwise
	}
	return int(max(-1e9, min(n, 1e9)))
}

// Read decodes a JSON or form body into one map.
func (c *Call) Read(w http.ResponseWriter) *Failure {
	c.Body = map[string]any{}
	data, err := io.ReadAll(http.MaxBytesReader(w, c.Request.Body, MaxBody))
	if errors.As(err, new(*http.MaxBytesError)) {
		return c.Unreadable(http.StatusRequestEntityTooLarge, "The request body is too large.")
	}
	if err != nil {
		return c.Unreadable(http.StatusBadRequest, "The request body could not be read.")
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil
	}
	switch kind, _, _ := mime.ParseMediaType(c.Request.Header.Get("Content-Type")); {
	case Own(c.Request) || kind == "application/json":
		// The control endpoints take JSON from curl -d, which calls it a form.
		return c.readJSON(data)
	case kind == "application/x-www-form-urlencoded" && c.Dialect == OAuth:
		return c.readForm(string(data))
	}
	return c.Unreadable(http.StatusBadRequest, "The Content-Type of the body must be application/json.")
}

func (c *Call) readJSON(data []byte) *Failure {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return c.Unreadable(http.StatusBadRequest, "The request body is not valid JSON.")
	}
	members, isObject := value.(map[string]any)
	if !isObject {
		return c.Unreadable(http.StatusBadRequest, "The request body must be a JSON object.")
	}
	c.Body = members
	return nil
}

// readForm holds RFC 6749 section 3.2: no parameter twice, but for the one of RFC 8707.
func (c *Call) readForm(data string) *Failure {
	form, err := url.ParseQuery(data)
	if err != nil {
		return c.Unreadable(http.StatusBadRequest, "The form is malformed.")
	}
	for name, values := range form {
		if len(values) > 1 && name != "resource" {
			return c.Unreadable(http.StatusBadRequest, "The parameter "+name+" is given twice.")
		}
		c.Body[name] = values[0]
	}
	c.Form = true
	return nil
}

// Unreadable returns the error for bodies that are not what they must be.
func (c *Call) Unreadable(status int, message string) *Failure {
	if c.Dialect == OAuth {
		return OAuthFail(status, "invalid_request", message)
	}
	return Fail(status, "bad_request", message)
}

// Members returns a reply as a map of its own.
func Members(v any) map[string]any {
	switch m := v.(type) {
	case nil:
		return map[string]any{}
	case map[string]any:
		return maps.Clone(m)
	}
	data, err := json.Marshal(v)
	m := map[string]any{}
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		panic(err) // replies are plain data
	}
	return m
}

// Own reports whether the request is for the emulator itself, not for what it emulates.
func Own(r *http.Request) bool {
	return r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, "/_emulator/")
}
