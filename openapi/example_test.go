package openapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"guestpass/openapi"
)

func ExampleNew() {
	type pong struct {
		Body struct {
			Message string `json:"message" doc:"Always pong"`
		}
	}
	config := huma.DefaultConfig("", "")
	config.CreateHooks = nil
	api := humachi.New(chi.NewMux(), config)
	huma.Register(api, huma.Operation{
		OperationID: "list-pings", Method: http.MethodGet, Path: "/ping",
		Summary: "Ping the service", Description: "Answers pong.",
		Security: []map[string][]string{}, // public
		Metadata: map[string]any{"gpt": true},
	}, func(context.Context, *struct{}) (*pong, error) { return &pong{}, nil })

	_, err := openapi.New(api.OpenAPI(), openapi.Options{
		PublicURL: "https://api.example.com", Title: "Ping", Version: "1",
		TokenURL: "https://example.customers.stytch.com/v1/oauth2/token",
	})
	fmt.Println(strings.ReplaceAll(err.Error(), ": ", ":\n  "))
	// Output:
	// G110 document, TokenURL:
	//   example.customers.stytch.com is not under example.com, the domain of the API:
	//   either (1) set up a Stytch custom domain under example.com and use it, or (2) forward on the API's own host:
	//   https://api.example.com/oauth2/token
	// G030 GET /ping:
	//   operationId "list-pings" is not a letter and up to 63 letters, digits and underscores:
	//   call it listPings
}
