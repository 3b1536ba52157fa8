// Command server is the program with two operations more, which do nothing: one for everybody, one for who may read
// tasks. What they cost is what every operation costs before its own work.
package main

import (
	"context"
	"net/http"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/cli"
	"guestpass/resources"
)

// answer is as large as a task.
type answer struct {
	ID          string   `json:"id" doc:"Its id"`
	Title       string   `json:"title" doc:"What it is"`
	Description string   `json:"description" doc:"More about it"`
	Labels      []string `json:"labels" doc:"Its labels" maxItems:"10"`
}

type output struct{ Body answer }

func main() { cli.Main(append(resources.All(), nothing())...) }

func nothing() api.Resource {
	return api.Resource{Name: "nothing", Register: func(s *api.Service) {
		register(s, "getPublic", "/api/v1/public", auth.Public)
		register(s, "getPrivate", "/api/v1/private", auth.Scope("tasks:read"))
	}}
}

func register(s *api.Service, id, path string, access auth.Access) {
	api.Register(s, api.Operation{ID: id, Method: http.MethodGet, Path: path, Access: access,
		Summary: "Get an answer", Description: "Returns the same answer to everybody.",
	}, func(context.Context, *struct{}) (*output, error) {
		return &output{answer{ID: "task-00000000-0000-4000-8000-000000000001", Title: "Water the plants",
			Description: "Those at the window need more than the others.", Labels: []string{"office", "weekly"}}}, nil
	})
}
