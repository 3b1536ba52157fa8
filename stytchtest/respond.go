package stytchtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"
)

// maxBody bounds every request body.
const maxBody = 128 << 10

// A dialect is the manner of one group of endpoints.
type dialect int

const (
	platform dialect = iota // /v1: members at top level, Stytch's errors
	oauth                   // as platform, with the errors of RFC 6749 section 5.2
	browser                 // /sdk/v1: members in an envelope, Stytch's errors
)

// failure is an error in Stytch's form, or on OAuth endpoints in that of RFC 6749
// section 5.2.
type failure struct {
	status    int
	kind      string // error_type, or error
	message   string
	oauth     bool
	challenge string // WWW-Authenticate
}

func fail(status int, kind, message string) *failure {
	return &failure{status: status, kind: kind, message: message}
}
func notFound(kind, message string) *failure { return fail(http.StatusNotFound, kind, message) }
func oauthFail(status int, kind, message string) *failure {
	return &failure{status: status, kind: kind, message: message, oauth: true}
}

// A call is one request with its decoded body.
type call struct {
	r       *http.Request
	dialect dialect
	body    map[string]any
	form    bool     // the body was a form, not JSON
	session *session // SDK calls that carry a good session token
	wanted  string   // URL of a metadata document, without which the endpoint cannot answer
	fetched *fetched // what came of wanting it
	status  int      // of the reply; 0: 200
}

func (c *call) path(name string) string { return chi.URLParam(c.r, name) }

func (c *call) text(name string) string { s, _ := c.body[name].(string); return s }

func (c *call) flag(name string) bool { b, _ := c.body[name].(bool); return b }

func (c *call) texts(name string) []string {
	out := []string{}
	list, _ := c.body[name].([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// set, setList and merge change what the body has and leave the rest. merge is for
// metadata: members are merged at the top level, null removes one.
func (c *call) set(name string, field *string) {
	if value, given := c.body[name].(string); given {
		*field = value
	}
}

func (c *call) setList(name string, field *[]string) {
	if _, given := c.body[name].([]any); given {
		*field = c.texts(name)
	}
}

func (c *call) merge(name string, old map[string]any, keep func(map[string]any)) {
	given, ok := c.body[name].(map[string]any)
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

// number returns a whole number of the body; one too large for any purpose is cut, so
// that range checks see it.
func (c *call) number(name string, otherwise int) int {
	n, ok := c.body[name].(float64)
	if !ok {
		return otherwise
	}
	return int(max(-1e9, min(n, 1e9)))
}

// An endpoint answers with the members of the reply. It runs under Emulator.mu.
type endpoint func(*call) (any, *failure)

// serve makes a handler of an endpoint.
func (e *Emulator) serve(d dialect, authenticate func(*call) *failure, do endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{r: r, dialect: d}
		unreadable := c.read(w)
		answer, bad := e.locked(c, unreadable, authenticate, do)
		if c.wanted != "" { // everybody would wait for it, were it fetched under the lock
			c.fetched = e.fetch(r.Context(), c.wanted)
			answer, bad = e.locked(c, unreadable, authenticate, do)
		}
		if bad != nil {
			writeFailure(w, bad)
			return
		}
		members, status := asMap(answer), http.StatusOK
		if c.status != 0 {
			status = c.status
		}
		members["request_id"], members["status_code"] = newID("request-id"), status
		if d == browser {
			members = map[string]any{"data": members}
		}
		writeJSON(w, status, members)
	}
}

// locked has the endpoint answer. Who may not ask does not learn what is wrong with the body.
func (e *Emulator) locked(c *call, unreadable *failure, authenticate func(*call) *failure, do endpoint) (any,
	*failure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if bad := authenticate(c); bad != nil {
		return nil, bad
	}
	if unreadable != nil {
		return nil, unreadable
	}
	if bad := c.mistyped(e.vertical); bad != nil && !c.form {
		return nil, bad
	}
	return do(c)
}

// read decodes a JSON or form body into one map.
func (c *call) read(w http.ResponseWriter) *failure {
	c.body = map[string]any{}
	data, err := io.ReadAll(http.MaxBytesReader(w, c.r.Body, maxBody))
	if errors.As(err, new(*http.MaxBytesError)) {
		return c.unreadable(http.StatusRequestEntityTooLarge, "The request body is too large.")
	}
	if err != nil {
		return c.unreadable(http.StatusBadRequest, "The request body could not be read.")
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil
	}
	switch kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); {
	case own(c.r) || kind == "application/json": // the control endpoints take JSON from curl -d, which calls it a form
		return c.readJSON(data)
	case kind == "application/x-www-form-urlencoded" && c.dialect == oauth:
		return c.readForm(string(data))
	}
	return c.unreadable(http.StatusBadRequest, "The Content-Type of the body must be application/json.")
}

func (c *call) readJSON(data []byte) *failure {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return c.unreadable(http.StatusBadRequest, "The request body is not valid JSON.")
	}
	members, isObject := value.(map[string]any)
	if !isObject {
		return c.unreadable(http.StatusBadRequest, "The request body must be a JSON object.")
	}
	c.body = members
	return nil
}

// readForm holds RFC 6749 section 3.2: no parameter twice, but for the one of RFC 8707.
func (c *call) readForm(data string) *failure {
	form, err := url.ParseQuery(data)
	if err != nil {
		return c.unreadable(http.StatusBadRequest, "The form is malformed.")
	}
	for name, values := range form {
		if len(values) > 1 && name != "resource" {
			return c.unreadable(http.StatusBadRequest, "The parameter "+name+" is given twice.")
		}
		c.body[name] = values[0]
	}
	c.form = true
	return nil
}

// unreadable is the error for bodies that are not what they must be.
func (c *call) unreadable(status int, message string) *failure {
	if c.dialect == oauth {
		return oauthFail(status, "invalid_request", message)
	}
	return fail(status, "bad_request", message)
}

func asMap(v any) map[string]any {
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

func writeFailure(w http.ResponseWriter, f *failure) {
	if seen, ok := w.(*recorder); ok {
		seen.kind = f.kind
	}
	if f.challenge != "" {
		w.Header().Set("WWW-Authenticate", f.challenge)
	}
	id, page := newID("request-id"), fmt.Sprintf("https://stytch.com/docs/api/errors/%d", f.status)
	if f.oauth {
		writeJSON(w, f.status, map[string]any{"error": f.kind, "error_description": f.message, "error_uri": page,
			"status_code": f.status, "request_id": id})
		return
	}
	writeJSON(w, f.status, map[string]any{"status_code": f.status, "request_id": id, "error_type": f.kind,
		"error_message": f.message, "error_url": page, "error_details": map[string]any{}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
