package server_test

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTheAccountPageRefusesWhatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	for query, status := range map[string]int{"": 200, "?utm=x": 200, "?revoked=made-up": 200, "?revoked=%": 400,
		"?x=%zz": 400, "?a;b": 400, "?revoked=a&revoked=b": 400, "?revoked=%ff": 400} {
		if r := w.call("GET", "/account"+query, "", ""); r.status != status ||
			!strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d", query, r.status)
		}
	}
	_, p, form := w.beforeRevoking()
	for name, body := range map[string]string{"twice": "form=" + form + "&%66orm=" + form,
		"with a broken field": "form=" + form + "&x=%", "with a semicolon": "form=" + form + ";x"} {
		answer := httptest.NewRecorder()
		if w.app.ServeHTTP(answer, p.request(strings.NewReader(body))); answer.Code != 403 {
			t.Errorf("%s: %d", name, answer.Code)
		}
	}
}
