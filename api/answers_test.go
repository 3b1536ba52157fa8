package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/directory"
	"guestpass/guestpasstest"
)

// asked is what a handler of these tests is asked, by name.
type asked struct {
	What string `query:"what" doc:"What to do"`
}

// answering is a resource whose one operation does what its caller names.
func answering(handlers map[string]func(context.Context, *api.Service) error) api.Resource {
	return api.Resource{Name: "answers", Register: func(s *api.Service) {
		api.Register(s, api.Operation{ID: "getAnswer", Method: http.MethodGet, Path: "/api/v1/answer",
			Summary: "Get an answer", Description: "Answers.", Access: auth.Scope("tasks:read")},
			func(ctx context.Context, in *asked) (*ok, error) {
				out := &ok{}
				out.Body.OK = true
				return out, handlers[in.What](ctx, s)
			})
	}}
}

// What a handler returns is told in its own words, with what helps.
func TestErrorsOfAHandlerAreAnsweredInItsWords(t *testing.T) {
	type shelf struct {
		Name  string   `json:"name"`
		Books []string `json:"books"`
	}
	returning := func(err error) func(context.Context, *api.Service) error {
		return func(context.Context, *api.Service) error { return err }
	}
	const forbidden = `"detail":"only who entered it may change it",` +
		`"hint":"Tell the person that they may not do this. Do not try again with the same account."`
	cases := map[string]struct {
		err    error
		status int
		body   string // what the answer has beside type, title, status and request_id
	}{
		"nothing": {nil, 200, `{"ok":true}`},
		"stale": {api.Stale("it has changed", shelf{"Left\u200b", []string{"One\u202e", "Two"}}, "Decide again."), 409,
			`"detail":"it has changed","hint":"Decide again.",$,"current":{"name":"Left","books":["One","Two"]}}`},
		"stalelist": {api.Stale("it has changed", []int{1, 2}, "Decide again."), 409,
			`"detail":"it has changed","hint":"Decide again.",$,"current":[1,2]}`},
		"staleraw": {api.Stale("it has changed", map[string]api.Raw{"code": "a\u200b"}, "Decide again."), 409,
			`"detail":"it has changed","hint":"Decide again.",$,"current":{"code":"a\u200b"}}`},
		"forbidden": {api.Forbidden("only who entered it may change it"), 403, forbidden + `,$}`},
		"conflict": {api.Conflict("it is there already", "Use it."), 409,
			`"detail":"it is there already","hint":"Use it.",$}`},
		"missing": {api.NotFoundError("shelf"), 404, `"detail":"no such shelf","hint":"Check the identifier: take it ` +
			`from a list operation, do not make one up.",$}`},
		"invalid": {api.Invalid("body.size", "is more than the shelf has"), 422, `"detail":"an input cannot be used",` +
			`"hint":"Correct what is named under errors and send it again.",$,"errors":[{"location":"body.size",` +
			`"message":"is more than the shelf has"}]}`},
		"nodate": {api.CheckDate("query.from", "2026-02-30"), 422, `"detail":"an input cannot be used",` +
			`"hint":"Correct what is named under errors and send it again.",$,"errors":[{"location":"query.from",` +
			`"message":"is not a day of the calendar; write YYYY-MM-DD, such as 2026-12-31"}]}`},
	}
	handlers := map[string]func(context.Context, *api.Service) error{}
	for name, tt := range cases {
		handlers[name] = returning(tt.err)
	}
	w := guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{answering(handlers)}})
	p := w.As(guestpasstest.Ada)
	for name, tt := range cases {
		r := p.Call("GET", "/api/v1/answer?what="+name, "")
		var problem api.Problem
		if err := json.Unmarshal([]byte(r.Body), &problem); err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(tt.body, "$", `"request_id":"`+problem.RequestID+`"`)
		if r.Status != tt.status || !strings.HasSuffix(strings.TrimSpace(r.Body), want) {
			t.Errorf("%s: %d %s, want %s", name, r.Status, r.Body, want)
		}
		if tt.err != nil && (problem.Status != tt.status || problem.RequestID == "" ||
			r.Header.Get("Content-Type") != "application/problem+json" || r.Header.Get("WWW-Authenticate") != "") {
			t.Errorf("%s: %v %s", name, r.Header, r.Body)
		}
	}
}

func TestADateIsADayOfTheCalendar(t *testing.T) {
	for date, fine := range map[string]bool{"": true, "2026-12-31": true, "2024-02-29": true, "0001-01-01": true,
		"9999-12-31": true, "2026-02-29": false, "2026-02-30": false, "2026-13-01": false, "2026-00-10": false,
		"2026-04-31": false, "2026-1-1": false, "26-01-01": false, "2026-01-01T00:00:00Z": false, " 2026-01-01": false,
		"2026/01/01": false, "today": false} {
		err := api.CheckDate("body.due", date)
		if (err == nil) != fine {
			t.Errorf("%q: %v", date, err)
		}
	}
}

// Roles are asked for now, and each time.
func TestARoleIsWhatTheDirectorySaysNow(t *testing.T) {
	only := func(role string) func(context.Context, *api.Service) error {
		return func(ctx context.Context, s *api.Service) error {
			if has, err := s.HasRole(ctx, role); err != nil || has {
				return err
			}
			return api.Forbidden("only a " + role + " may")
		}
	}
	handlers := map[string]func(context.Context, *api.Service) error{"admin": only(directory.Admin),
		"user": only("stytch_user")}
	b2b := guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{answering(handlers)}})
	ada, grace := b2b.As(guestpasstest.Ada), b2b.As(guestpasstest.Grace)
	const admin, user = "/api/v1/answer?what=admin", "/api/v1/answer?what=user"
	ada.Do(200, "GET", admin, "")
	grace.Do(403, "GET", admin, "")
	b2b.As(guestpasstest.Hank).Do(200, "GET", admin, "")
	b2b.GiveRoles(guestpasstest.Ada)
	b2b.GiveRoles(guestpasstest.Grace, "stytch_admin")
	ada.Do(403, "GET", admin, "")
	grace.Do(200, "GET", admin, "")
	consumer := guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{answering(handlers)},
		Vertical: auth.Consumer})
	consumer.As(guestpasstest.UserAda).Do(200, "GET", user, "")
	consumer.As(guestpasstest.UserAda).Do(403, "GET", admin, "")
}

// Where nobody is known, nobody has a role.
func TestNobodyHasARoleWithoutADirectory(t *testing.T) {
	var told error
	s := api.New(api.Options{})
	api.Register(s, thing(func(op *api.Operation) { op.Access = auth.Public }),
		func(ctx context.Context, _ *nothing) (*ok, error) {
			has, err := s.HasRole(ctx, directory.Admin)
			if told = err; has {
				return nil, api.Conflict("has a role", "")
			}
			return &ok{}, nil
		})
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/v1/thing", nil))
	if answer.Code != 200 || told != nil {
		t.Errorf("%d %s, %v", answer.Code, answer.Body, told)
	}
}
