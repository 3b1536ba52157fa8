package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/resources"
	"guestpass/stytchtest"
)

func ownOperations(register func(*api.Service)) []api.Resource {
	return append(resources.All(), api.Resource{Name: "own", Register: register})
}

// greet adds an operation the way a user does.
func greet(authenticated bool) func(*guestpass.Options) {
	access := auth.Public
	if authenticated {
		access = auth.Scope("openid")
	}
	return func(o *guestpass.Options) {
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
	if r := w.call("GET", "/api/v1/greeting", w.token(grace, "openid"), ""); r.status != 200 ||
		r.body != "{\"greeting\":\"Hello!\"}\n" {
		t.Errorf("with one: %d %q", r.status, r.body)
	}
	if !strings.Contains(string(w.app.Document().JSON()), "getGreeting") {
		t.Error("it is not in the document")
	}
}

func TestWhatAHandlerSaysInternallyStaysInternal(t *testing.T) {
	const secret = "dial tcp: password=hunter2"
	w := newWorld(t, func(o *guestpass.Options) {
		o.Resources = ownOperations(func(s *api.Service) {
			type output struct {
				Body struct {
					OK bool `json:"ok" doc:"Always true"`
				}
			}
			fail := func(id, path string, f func() error) {
				api.Register(s, api.Operation{ID: id, Method: http.MethodGet, Path: path, Summary: "Fail",
					Description: "Fails.", Access: auth.Public},
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

// startWith is the error of a start with these operations.
func startWith(register func(*api.Service), change ...func(*guestpass.Options)) error {
	seed := stytchtest.Development()
	o := guestpass.Options{
		PublicURL: "http://localhost:1", ProjectID: seed.Project.ID, Secret: seed.Project.Secret,
		PublicToken: seed.Project.PublicToken, Vertical: auth.B2B, Domain: "http://localhost:2",
		BaseURL: "http://localhost:2", ForwardTokens: true, Title: "Test", Version: "1",
		Resources: ownOperations(register),
	}
	for _, f := range change {
		f(&o)
	}
	_, err := guestpass.New(o)
	return err
}

// own declares an operation of one's own, with what a test does not speak of filled in.
func own[In, Out any](s *api.Service, op api.Operation) {
	if op.Method == "" {
		op.Method = http.MethodGet
	}
	if op.Summary == "" {
		op.Summary, op.Description = "Do it", "Does it."
	}
	api.Register(s, op, func(context.Context, *In) (*Out, error) { return new(Out), nil })
}

type (
	nothing struct{}
	ok      struct {
		Body struct {
			OK bool `json:"ok" doc:"Always true"`
		}
	}
)

func TestEveryFaultOfEveryDeclarationIsToldAtOnce(t *testing.T) {
	type sized struct {
		Size int8 `query:"size" doc:"A size"`
	}
	type brokenTags struct {
		Name string `query:"name" pattern:"(" doc:"A name"`
		Body struct {
			Title string `json:"title" required:"yes" doc:"A title"`
			Lines []struct {
				Text string `json:"text" maxLength:"ten" doc:"A text"`
			} `json:"lines" doc:"Lines"`
		}
	}
	type brokenAnswer struct {
		Body struct {
			Code string `json:"code" pattern:"[" doc:"A code"`
		}
	}
	long := strings.Repeat("x", 301)
	err := startWith(func(s *api.Service) {
		own[nothing, ok](s, api.Operation{ID: "first", Path: "/api/v1/first"})
		own[nothing, ok](s, api.Operation{ID: "second", Method: "POST", Path: "api/v1/second", Access: auth.Public,
			Summary: "Do it", Description: long})
		own[nothing, ok](s, api.Operation{ID: "ListMembers", Path: "/api/v1/third", Access: auth.Public})
		own[nothing, ok](s, api.Operation{ID: "fourth", Path: "/api/v1/members", Access: auth.Public})
		own[sized, ok](s, api.Operation{ID: "fifth", Path: "/api/v1/fifth", Access: auth.Public})
		own[nothing, ok](s, api.Operation{ID: "count words", Path: "/api/v1/sixth", Access: auth.Public,
			Summary: " ", Description: " "})
		own[brokenTags, brokenAnswer](s, api.Operation{ID: "seventh", Method: "POST", Path: "/api/v1/seventh",
			Access: auth.Scope("sevenths:write"), Effect: api.Write})
		own[nothing, ok](s, api.Operation{ID: "eighth", Path: "/api/v1/eighth", Access: auth.Public,
			Summary: long, Description: "Does it."})
	})
	if err == nil {
		t.Fatal("it started")
	}
	for _, want := range []string{
		"GET /api/v1/first (first): has no Access and would admit nobody",
		"POST api/v1/second (second): has no Effect", "POST api/v1/second (second): its path must begin with a slash",
		"G032 POST /api/v1/second: description has 301 characters",
		"(ListMembers): its ID is taken by GET /api/v1/members",
		"(fourth): its method and path are taken by listMembers",
		"query parameter size: it is of type int8",
		`(count words): its ID "count words" is not a letter and up to 63`, "(count words): has no Summary",
		"(count words): has no Description",
		`(seventh): query parameter name: the tag pattern:"(" is no regular expression: missing closing )`,
		`(seventh): body property title: the tag required:"yes" must be true or false`,
		"(seventh): body property lines[].text: invalid int tag 'maxLength': ten",
		`(seventh): response property code: the tag pattern:"[" is no regular expression`,
		"G032 GET /api/v1/eighth: summary has 301 characters",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	for _, no := range []string{"G020", "G030", "faulty", "did you mean"} {
		if strings.Contains(err.Error(), no) {
			t.Errorf("the error has %q:\n%v", no, err)
		}
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != 16 { // one of them a heading
		t.Errorf("the error has %d lines:\n%v", lines, err)
	}
}

func TestAChosenOperationThatIsFaultyIsNotCalledMisspelt(t *testing.T) {
	type broken struct {
		Name string `query:"name" pattern:"(" doc:"A name"`
	}
	err := startWith(func(s *api.Service) {
		own[broken, ok](s, api.Operation{ID: "getPart", Path: "/api/v1/parts", Access: auth.Public})
	}, func(o *guestpass.Options) { o.Operations = []string{"listTasks", "getPart", "listTask"} })
	if err == nil || !strings.Contains(err.Error(), "parameter name") ||
		!strings.Contains(err.Error(), "did you mean listTasks?") || strings.Contains(err.Error(), `"getPart"`) {
		t.Error(err)
	}
}

func TestWhatTheDocumentDoesNotSayIsLogged(t *testing.T) {
	type bare struct {
		Body struct {
			Size int `json:"size"`
		}
	}
	for name, register := range map[string]func(*api.Service){
		"GET /api/v1/size, response 200 property size": func(s *api.Service) {
			own[nothing, bare](s, api.Operation{ID: "getSize", Path: "/api/v1/size", Access: auth.Public})
		},
		"": func(*api.Service) {},
	} {
		var log strings.Builder
		err := startWith(register, func(o *guestpass.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		if err != nil {
			t.Fatal(err)
		}
		if name == "" && log.Len() > 0 || !strings.Contains(log.String(), name) {
			t.Errorf("%q: the log is %s", name, &log)
		}
	}
}
