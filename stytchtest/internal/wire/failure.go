package wire

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"
)

// A Failure is an error in Stytch's form, or on OAuth endpoints in that of RFC 6749
// section 5.2.
type Failure struct {
	Status    int
	Kind      string // error_type, or error
	Message   string
	OAuth     bool
	Challenge string // WWW-Authenticate
}

// Fail makes an error in Stytch's form.
func Fail(status int, kind, message string) *Failure {
	return &Failure{Status: status, Kind: kind, Message: message}
}

// NotFound makes a 404 in Stytch's form.
func NotFound(kind, message string) *Failure { return Fail(http.StatusNotFound, kind, message) }

// OAuthFail makes an error in the form of RFC 6749 section 5.2.
func OAuthFail(status int, kind, message string) *Failure {
	return &Failure{Status: status, Kind: kind, Message: message, OAuth: true}
}

// Answer writes the failure to w. A [Recorder] learns its kind.
func (f *Failure) Answer(w http.ResponseWriter) {
	if seen, ok := w.(*Recorder); ok {
		seen.Kind = f.Kind
	}
	if f.Challenge != "" {
		w.Header().Set("WWW-Authenticate", f.Challenge)
	}
	id, page := NewID("request-id"), fmt.Sprintf("https://stytch.com/docs/api/errors/%d", f.Status)
	if f.OAuth {
		WriteJSON(w, f.Status, map[string]any{"error": f.Kind, "error_description": f.Message, "error_uri": page,
			"status_code": f.Status, "request_id": id})
		return
	}
	WriteJSON(w, f.Status, map[string]any{"status_code": f.Status, "request_id": id, "error_type": f.Kind,
		"error_message": f.Message, "error_url": page, "error_details": map[string]any{}})
}

// WriteJSON answers with a body that no cache may keep.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// NewID makes an id of Stytch's form.
func NewID(kind string) string { return kind + "-test-" + uuid.NewString() }
