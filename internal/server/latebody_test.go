package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// A write whose body comes after the revocation is not carried out.
func TestRevokedWhileTheBodyIsOnItsWay(t *testing.T) {
	w := newWorld(t)
	token, p, form := w.beforeRevoking()
	body := &lateBody{Reader: strings.NewReader(`{"title":"after the revocation"}`), before: func() {
		if r := p.revoke(form); r.status != 303 {
			t.Errorf("revoke: %d %s", r.status, r.body)
		}
	}}
	r, recorded := httptest.NewRequest("POST", "http://localhost/api/v1/tasks", body), httptest.NewRecorder()
	r.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
	w.app.ServeHTTP(recorded, r)
	refused := w.call("POST", "/api/v1/tasks", token, `{"title":"after the revocation"}`)
	got := recorded.Result()
	if got.StatusCode != 401 || got.Header.Get("WWW-Authenticate") != refused.header.Get("WWW-Authenticate") ||
		got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v %s, want what comes later: %d %v", got.StatusCode, got.Header, recorded.Body, refused.status,
			refused.header)
	}
	if r := w.call("GET", "/api/v1/tasks", w.token(ada, everything...), ""); strings.Contains(r.body,
		"after the revocation") {
		t.Errorf("it was carried out: %s", r.body)
	}
}

// lateBody is read only after something has happened.
type lateBody struct {
	io.Reader
	before func()
	once   sync.Once
}

func (b *lateBody) Read(p []byte) (int, error) {
	b.once.Do(b.before)
	return b.Reader.Read(p)
}
