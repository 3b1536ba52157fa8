package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"guestpass/api"
	"guestpass/auth"
)

// A greeting is an operation of your own: one declaration, one input, one output,
// one method. auth.From(ctx) says who is calling; plain errors come back.
func ExampleRegister() {
	type greetInput struct {
		Name string `query:"name" maxLength:"80" doc:"Whom to greet, in their own spelling"`
	}
	type greetOutput struct {
		Body struct {
			Greeting string `json:"greeting" doc:"The greeting, ready to be shown"`
		}
	}
	service := api.New(api.Options{})
	api.Register(service, api.Operation{
		ID: "greetPerson", Method: http.MethodGet, Path: "/api/v1/greetings",
		Summary:     "Greet a person",
		Description: "Returns a greeting for the named person. Changes nothing.",
		Access:      auth.Public, // or auth.Scope("greetings:read"): then only people who granted it
	}, func(_ context.Context, in *greetInput) (*greetOutput, error) {
		out := &greetOutput{}
		out.Body.Greeting = "Hello, " + in.Name + "!"
		return out, nil
	})

	reply := httptest.NewRecorder()
	service.ServeHTTP(reply, httptest.NewRequest(http.MethodGet, "/api/v1/greetings?name=Ada", nil))
	fmt.Print(reply.Body)
	// Output: {"greeting":"Hello, Ada!"}
}
