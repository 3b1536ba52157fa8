package guestpass

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The portal compares the whole body with the token that it has shown.
func TestTheChallengeOfThePortal(t *testing.T) {
	with := inventoried(t)
	without, err := New(func() Options { o := with.options; o.PluginChallenge = ""; return o }())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(s *Server, method string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(method, "https://gpt.example.com/.well-known/openai-apps-challenge", nil))
		return w
	}
	if w := ask(with, http.MethodGet); w.Code != http.StatusOK || w.Body.String() != challenge ||
		!strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("%d %v %q", w.Code, w.Header(), w.Body)
	}
	if w := ask(with, http.MethodPost); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	if w := ask(without, http.MethodGet); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(),
		challenge) {
		t.Errorf("without the setting: %d %s", w.Code, w.Body)
	}
}
