package stytchtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"guestpass/stytchtest"
)

func TestControlEndpoints(t *testing.T) {
	s := open(t)
	control := func(method, path string, body any) object {
		t.Helper()
		status, reply, _ := ask(t, method, s.URL+"/_emulator/"+path, body)
		if status != 200 {
			t.Fatalf("%s %s: %d %v", method, path, status, reply)
		}
		return reply
	}
	state := control("GET", "state", nil)
	if app := state["connected_apps"].([]any)[0].(object); app["client_id"] != gpt ||
		app["client_secret"] != gptSecret || len(state["members"].([]any)) != 3 ||
		len(state["organizations"].([]any)) != 2 {
		t.Errorf("%v", state)
	}
	if inbox := control("GET", "inbox", nil); strings.TrimSpace(inbox["body"].(string)) != "[]" {
		t.Errorf("an empty inbox is %v", inbox)
	}
	invite(t, s, "guest@acme.example")
	var inbox []object
	if err := json.Unmarshal([]byte(control("GET", "inbox", nil)["body"].(string)), &inbox); err != nil ||
		len(inbox) != 1 || inbox[0]["kind"] != "invite" || inbox[0]["to"] != "guest@acme.example" ||
		inbox[0]["sent_at"] != "2026-03-02T12:00:00Z" {
		t.Errorf("%v %v", inbox, err)
	}
	minted := control("POST", "tokens", object{"kind": "access", "subject": ada, "scopes": []string{"tasks:read"},
		"expires_in": 60, "claims": object{"jti": nil, "x": 1}})
	if c := claimsOf(t, minted["token"]); c["scope"] != "tasks:read" || c["iss"] != s.URL || c["x"] != 1.0 ||
		c["jti"] != nil {
		t.Errorf("%v", c)
	}
	control("POST", "keys/rotate", object{})
	if _, set, _ := ask(t, "GET", s.URL+"/.well-known/jwks.json", nil); len(set["keys"].([]any)) != 2 {
		t.Error("keys were not rotated")
	}
	if moved := control("POST", "clock", object{"advance": "2h"}); moved["now"] != "2026-03-02T14:00:00Z" {
		t.Errorf("%v", moved)
	}
	control("POST", "reset", object{})
	if state := control("GET", "state", nil); len(state["members"].([]any)) != 3 || len(s.Inbox()) != 0 ||
		len(s.Requests()) != 0 {
		t.Error("reset left something")
	}
	for path, body := range map[string]object{"clock": {"advance": "soon"}, "tokens": {"subject": "nobody"},
		"faults": {"path": "/v1", "status": 200}} {
		if status, _, _ := ask(t, "POST", s.URL+"/_emulator/"+path, body); status != 400 {
			t.Errorf("%s took %v: %d", path, body, status)
		}
	}
}

func TestFaults(t *testing.T) {
	s := open(t)
	at := s.URL + "/.well-known/jwks.json"
	add := func(f object) {
		t.Helper()
		if status, reply, _ := ask(t, "POST", s.URL+"/_emulator/faults", f); status != 200 {
			t.Fatalf("%d %v", status, reply)
		}
	}
	add(object{"path": "/.well-known", "status": 429, "count": 1})
	if status, reply, _ := ask(t, "GET", at, nil); status != 429 || reply["error_type"] != "too_many_requests" {
		t.Errorf("%d %v", status, reply)
	}
	if status, _, _ := ask(t, "GET", at, nil); status != 200 {
		t.Errorf("one fault hit twice: %d", status)
	}
	add(object{"path": "/", "status": 502, "body_kind": "html"})
	if status, reply, header := ask(t, "GET", at, nil); status != 502 || header.Get("Content-Type") != "text/html" ||
		!strings.Contains(reply["body"].(string), "<h1>") {
		t.Errorf("%d %v", status, reply)
	}
	if status, _, _ := ask(t, "DELETE", s.URL+"/_emulator/faults", nil); status != 200 {
		t.Errorf("the faults hit the control endpoints: %d", status)
	}
	s.Fail(stytchtest.Fault{Path: "/.well-known", Kind: "drop", Count: 1})
	// On a connection that was used before, net/http would repeat the request unasked.
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if response, err := fresh.Get(at); err == nil {
		response.Body.Close()
		t.Error("the connection was not dropped")
	}
	if newest := s.Requests()[0]; newest.Status != 0 {
		t.Errorf("%+v", newest)
	}
	add(object{"path": "/.well-known", "body_kind": "reset", "count": 1})
	if _, err := fresh.Get(at); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection was not reset: %v", err)
	}
	add(object{"path": "/.well-known", "body_kind": "trickle", "count": 1})
	response, err := fresh.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if n, err := response.Body.Read(make([]byte, 1000)); n != 1 || err != nil || response.StatusCode != 200 {
		t.Errorf("%d bytes of %d at once, %v", n, response.StatusCode, err)
	}
	if status, reply, _ := ask(t, "POST", s.URL+"/_emulator/faults", object{"path": "/", "status": 500,
		"body_kind": "htlm"}); status != 400 {
		t.Errorf("a misspelt kind: %d %v", status, reply)
	}
}

func TestADelayEndsWithTheRequest(t *testing.T) {
	s := open(t)
	s.Fail(stytchtest.Fault{Path: "/.well-known", Delay: time.Hour})
	e := s.Emulator
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		r := httptest.NewRequest("GET", "http://localhost:8081/.well-known/jwks.json", nil).WithContext(ctx)
		r.RemoteAddr = "127.0.0.1:5"
		e.ServeHTTP(httptest.NewRecorder(), r)
	}()
	cancel()
	if err, _ := (<-done).(error); !errors.Is(err, http.ErrAbortHandler) {
		t.Errorf("%v", err)
	}
	s.ClearFaults()
	s.Fail(stytchtest.Fault{Path: "/v1", Delay: time.Hour})
	left, leave := context.WithCancel(t.Context())
	posted, _ := http.NewRequestWithContext(left, "POST", s.URL+"/v1/oauth2/token", strings.NewReader("grant_type=x"))
	go func() {
		response, err := http.DefaultClient.Do(posted)
		if err == nil {
			response.Body.Close()
		}
		done <- err
	}()
	leave()
	if err, _ := (<-done).(error); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	} // and the emulator can be closed, which waits for its requests
	s.ClearFaults()
	s.Fail(stytchtest.Fault{Path: "/.well-known", Delay: time.Millisecond})
	if status, _, _ := ask(t, "GET", s.URL+"/.well-known/jwks.json", nil); status != 200 {
		t.Errorf("after the delay: %d", status)
	}
}

func TestRequestsAreRemembered(t *testing.T) {
	s := open(t)
	code := authorize(t, s)
	ask(t, "POST", s.URL+"/v1/oauth2/token?x=y", exchange("wrong-code"))
	tokens(t, s, exchange(code))
	ask(t, "POST", s.URL+"/sdk/v1/events", "[]")
	got := s.Requests()
	if len(got) != 3 || got[0].Path != "/v1/oauth2/token" || got[0].Status != 200 || got[1].Status != 400 ||
		got[1].Error != "invalid_grant" ||
		got[1].Query != "x=y" || got[2].Route != "/v1/b2b/idp/oauth/authorize" || got[0].Client != "go-http-client" ||
		!got[0].Time.Equal(noon) {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(got[1].Body, "code=wrong-code") || !strings.Contains(got[1].Reply, `"error":"invalid_grant"`) {
		t.Errorf("request %s, reply %s", got[1].Body, got[1].Reply)
	}
	// The project's secret travels in a header; headers are not kept.
	if data := must[[]byte](t)(json.Marshal(got)); bytes.Contains(data, []byte("secret-test-guestpass-dev")) {
		t.Error("the project's secret is remembered")
	}
	ask(t, "POST", s.URL+"/v1/nothing", strings.Repeat("x", 100<<10))
	if got := s.Requests()[0]; len(got.Body) != 16<<10 || got.Route != "" {
		t.Errorf("%d bytes of a body are kept, route %q", len(got.Body), got.Route)
	}
	for range 510 {
		ask(t, "GET", s.URL+"/v1/nothing", nil)
	}
	if n := len(s.Requests()); n != 500 {
		t.Errorf("%d requests are kept", n)
	}
}
