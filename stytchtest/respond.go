package stytchtest

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

// maxBody bounds every request body.
const maxBody = 128 << 10

// failure is an error in Stytch's form: a platform error, or on OAuth endpoints one
// of RFC 6749 section 5.2.
type failure struct {
	status    int
	kind      string
	message   string
	oauth     bool
	challenge string
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
	body    map[string]any
	session *session // SDK calls that carry a good session token
}

func (c *call) path(name string) string { return chi.URLParam(c.r, name) }

func (c *call) text(name string) string { s, _ := c.body[name].(string); return s }

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

func (c *call) number(name string, otherwise int) int {
	if n, ok := c.body[name].(float64); ok {
		return int(n)
	}
	return otherwise
}

// A endpoint answers with the members of the reply. It runs under Emulator.mu.
type endpoint func(*call) (any, *failure)

// serve makes a handler of an endpoint. In the SDK's API the members stand in an
// envelope, in the server API they do not.
func (e *Emulator) serve(do endpoint, envelope bool, authenticate func(*call) *failure) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{r: r}
		bad := c.read(w)
		var answer any
		if bad == nil {
			e.mu.Lock()
			if bad = authenticate(c); bad == nil {
				answer, bad = do(c)
			}
			e.mu.Unlock()
		}
		if bad != nil {
			writeFailure(w, bad)
			return
		}
		members := asMap(answer)
		members["request_id"], members["status_code"] = newID("request-id"), http.StatusOK
		if envelope {
			members = map[string]any{"data": members}
		}
		writeJSON(w, http.StatusOK, members)
	}
}

// read decodes a JSON or form body into one map.
func (c *call) read(w http.ResponseWriter) *failure {
	c.body = map[string]any{}
	data, err := io.ReadAll(http.MaxBytesReader(w, c.r.Body, maxBody))
	if errors.As(err, new(*http.MaxBytesError)) {
		return fail(http.StatusRequestEntityTooLarge, "request_body_too_large", "The request body is too large.")
	}
	if err != nil {
		return fail(http.StatusBadRequest, "invalid_request_body", "The request body could not be read.")
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil
	}
	if kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(string(data))
		if err != nil {
			return oauthFail(http.StatusBadRequest, "invalid_request", "The form is malformed.")
		}
		for name := range form {
			c.body[name] = form.Get(name)
		}
		return nil
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return fail(http.StatusBadRequest, "invalid_json", "The request body is not valid JSON.")
	}
	if object, ok := value.(map[string]any); ok {
		c.body = object
	}
	return nil
}

func asMap(v any) map[string]any {
	switch m := v.(type) {
	case nil:
		return map[string]any{}
	case map[string]any:
		return maps.Clone(m)
	}
	data, _ := json.Marshal(v)
	m := map[string]any{}
	_ = json.Unmarshal(data, &m)
	return m
}

func writeFailure(w http.ResponseWriter, f *failure) {
	id := newID("request-id")
	if f.challenge != "" {
		w.Header().Set("WWW-Authenticate", f.challenge)
	}
	if f.oauth {
		writeJSON(w, f.status, map[string]any{"error": f.kind, "error_description": f.message,
			"error_uri": "https://stytch.com/docs/api/errors/400", "status_code": f.status, "request_id": id})
		return
	}
	writeJSON(w, f.status, map[string]any{"status_code": f.status, "request_id": id, "error_type": f.kind,
		"error_message": f.message, "error_url": "https://stytch.com/docs/api/errors/400", "error_details": map[string]any{}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
