package server_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/internal/server"
	"guestpass/stytchtest"
)

func ownOperations(register func(*api.Service)) []api.Resource {
	return []api.Resource{{Name: "own", Register: register}}
}

// greet adds an operation the way a user does.
func greet(authenticated bool) func(*server.Options) {
	access := auth.Public
	if authenticated {
		access = auth.Scope("openid")
	}
	return func(o *server.Options) {
		o.Resources = ownOperations(func(s *api.Service) {
			type output struct {
				Body struct {
					Greeting string `json:"greeting" doc:"The greeting"`
				}
			}
			api.Register(s, api.Operation{ID: "getGreeting", Method: http.MethodGet, Path: "/api/v1/greeting",
				Summary: "Get a greeting", Description: "Returns a greeting.", Access: access,
			}, func(context.Context, *struct{}) (*output, error) {
				out := &output{}
				out.Body.Greeting = "Hello!"
				return out, nil
			})
		})
	}
}

func TestAnOperationOfOnesOwnIsCheckedAndPublished(t *testing.T) {
	w := newWorld(t, greet(true))
	if r := w.call("GET", "/api/v1/greeting", "", ""); r.status != 401 {
		t.Errorf("without a token: %d", r.status)
	}
	if r := w.call("GET", "/api/v1/greeting", w.token(grace, "openid"), ""); r.status != 200 || r.body != "{\"greeting\":\"Hello!\"}\n" {
		t.Errorf("with one: %d %q", r.status, r.body)
	}
	if !strings.Contains(string(w.app.Document().JSON()), "getGreeting") {
		t.Error("it is not in the document")
	}
}

func TestWhatAHandlerSaysInternallyStaysInternal(t *testing.T) {
	const secret = "dial tcp: password=hunter2"
	w := newWorld(t, func(o *server.Options) {
		o.Resources = ownOperations(func(s *api.Service) {
			type output struct {
				Body struct {
					OK bool `json:"ok" doc:"Always true"`
				}
			}
			fail := func(id, path string, f func() error) {
				api.Register(s, api.Operation{ID: id, Method: http.MethodGet, Path: path, Summary: "Fail", Description: "Fails.", Access: auth.Public},
					func(context.Context, *struct{}) (*output, error) { return nil, f() })
			}
			fail("getFailure", "/api/v1/failure", func() error { return errors.New(secret) })
			fail("getPanic", "/api/v1/panic", func() error { panic(secret) })
		})
	})
	for _, path := range []string{"/api/v1/failure", "/api/v1/panic"} {
		r := w.call("GET", path, "", "")
		if r.status != 500 || strings.Contains(r.body, "hunter2") || !strings.Contains(r.body, `"request_id":"req-`) {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if !strings.Contains(w.log.String(), secret) {
		t.Error("the error's text is not in the log")
	}
}

func TestFaultyDeclarationsStopTheStart(t *testing.T) {
	type output struct {
		Body struct {
			OK bool `json:"ok" doc:"Always true"`
		}
	}
	handler := func(context.Context, *struct{}) (*output, error) { return &output{}, nil }
	seed := stytchtest.Development()
	_, err := server.New(server.Options{
		PublicURL: "http://localhost:1", ProjectID: seed.Project.ID, Secret: seed.Project.Secret, PublicToken: seed.Project.PublicToken,
		Vertical: auth.B2B, Domain: "http://localhost:2", BaseURL: "http://localhost:2", Access: api.ByScope, ForwardTokens: true, Title: "Test", Version: "1",
		Resources: ownOperations(func(s *api.Service) {
			api.Register(s, api.Operation{ID: "first", Method: "GET", Path: "/api/v1/first"}, handler)
			api.Register(s, api.Operation{ID: "second", Method: "POST", Path: "/api/v1/second", Access: auth.Public}, handler)
			api.Register(s, api.Operation{ID: "ListMembers", Method: "GET", Path: "/api/v1/third", Access: auth.Public}, handler)
			api.Register(s, api.Operation{ID: "fourth", Method: "GET", Path: "/api/v1/members", Access: auth.Public}, handler)
		}),
	})
	if err == nil {
		t.Fatal("it started")
	}
	for _, want := range []string{"first", "would admit nobody", "second", "has no Effect", "ListMembers", "taken by GET /api/v1/members", "fourth", "taken by listMembers"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
}
