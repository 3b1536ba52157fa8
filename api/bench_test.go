package api_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"guestpass/api"
	"guestpass/auth"
)

// Inputs and outputs as those of tasks.
type (
	errand struct {
		Title  string   `json:"title" minLength:"1" maxLength:"200" text:"line" doc:"What is to be done"`
		Notes  string   `json:"notes,omitempty" maxLength:"4000" doc:"Anything more"`
		Due    string   `json:"due,omitempty" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"A day, YYYY-MM-DD"`
		Labels []string `json:"labels,omitempty" maxItems:"10" doc:"Labels"`
		Weight int64    `json:"weight,omitempty" minimum:"0" maximum:"100" doc:"How much it is"`
	}
	errandFilter struct {
		State string `query:"state" enum:"open,done,all" default:"open" doc:"Which ones"`
		Label string `query:"label" maxLength:"40" doc:"With this label"`
		Limit int    `query:"limit" minimum:"1" maximum:"100" default:"25" doc:"How many"`
	}
	errands struct {
		Body struct {
			Errands []errand `json:"errands" doc:"Those that were found"`
		}
	}
)

const errandSent = `{"title":"Water the plants","notes":"Twice a week, and the ficus once. Not on Sundays: nobody is ` +
	`there.","due":"2026-12-31","labels":["home","plants"],"weight":3}`

// BenchmarkPost and BenchmarkList measure a request from the router to the written reply, with a handler that does
// nothing.
func BenchmarkPost(b *testing.B) { benchmarkErrands(b, http.MethodPost, "/api/v1/errands", errandSent) }

func BenchmarkList(b *testing.B) {
	benchmarkErrands(b, http.MethodGet, "/api/v1/errands?state=all&label=home&limit=50", "")
}

// BenchmarkRefusal is of a body with three faults.
func BenchmarkRefusal(b *testing.B) {
	benchmarkErrands(b, http.MethodPost, "/api/v1/errands", `{"title":"","TITLE":"x","weight":"3"}`)
}

func benchmarkErrands(b *testing.B, method, target, body string) {
	s := api.New(api.Options{})
	op := api.Operation{ID: "listErrands", Method: http.MethodGet, Path: "/api/v1/errands", Summary: "List errands",
		Description: "Lists errands.", Access: auth.Public}
	api.Register(s, op, func(context.Context, *errandFilter) (*errands, error) {
		out := &errands{}
		out.Body.Errands = []errand{{Title: "Water the plants", Labels: []string{"home"}}}
		return out, nil
	})
	op.ID, op.Method, op.Effect = "findErrands", http.MethodPost, api.Read
	api.Register(s, op, func(_ context.Context, in *struct{ Body errand }) (*errands, error) {
		out := &errands{}
		out.Body.Errands = []errand{in.Body}
		return out, nil
	})
	if err := s.Err(); err != nil {
		b.Fatal(err)
	}
	sent := strings.NewReader(body)
	r := httptest.NewRequest(method, target, nil)
	w := &discarding{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		if body != "" {
			sent.Reset(body)
			r.Body = io.NopCloser(sent)
		}
		s.ServeHTTP(w, r)
	}
}

// discarding is a ResponseWriter that can be used again.
type discarding struct{ header http.Header }

func (d *discarding) Header() http.Header         { return d.header }
func (d *discarding) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarding) WriteHeader(int)             {}
