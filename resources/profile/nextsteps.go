package profile

import (
	"context"
	"net/http"

	"guestpass/api"
	"guestpass/auth"
)

func (s *profile) registerNextSteps() {
	api.Register(s.Service, api.Operation{
		ID: "getNextSteps", Method: http.MethodGet, Path: "/api/v1/next-steps",
		Summary: "Get what can be done here",
		Description: "Returns what can be done here in a sensible order: the name to call each by, what it does, and " +
			"whether it changes something.",
		Access: auth.Public,
	}, s.getNextSteps)
}

// NextStep is one thing that can be done.
type NextStep struct {
	Operation   string `json:"operation" doc:"Name of the operation to call"`
	Does        string `json:"does" doc:"What it does"`
	NeedsSignIn bool   `json:"needs_sign_in" doc:"Whether the person must sign in before it can be called"`

	Effect string `json:"effect" enum:"read,write,destroy" doc:"Whether it only reads, or changes or removes something"`
}

type nextStepsOutput struct {
	Body struct {
		Steps []NextStep `json:"steps" doc:"Operations, the first to call first"`
	}
}

// getNextSteps lists the operations themselves, so that it can never be out of date.
func (s *profile) getNextSteps(context.Context, *struct{}) (*nextStepsOutput, error) {
	out := &nextStepsOutput{}
	published := s.Published()
	out.Body.Steps = make([]NextStep, 0, len(published))
	for _, op := range published {
		if op.ID != "getNextSteps" {
			out.Body.Steps = append(out.Body.Steps, NextStep{Operation: op.ID, Does: op.Summary,
				NeedsSignIn: !op.Access.IsPublic(), Effect: op.Effect.String()})
		}
	}
	return out, nil
}
