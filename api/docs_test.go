package api_test

import (
	"testing"

	"guestpass/api"
)

func TestDocsDescribeParametersAndProperties(t *testing.T) {
	s := api.New(api.Options{Resources: []api.Resource{{Name: "own",
		Register: taking[untold, ok](docs("size", "How large", "note", "What to know"))}}})
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	described := s.OpenAPI().Paths["/api/v1/thing"].Post
	for _, p := range described.Parameters {
		want := map[string]string{"size": "How large", "told": "A number"}[p.Name]
		if p.Description != want || p.Schema.Description != want {
			t.Errorf("%s is described as %q and %q, want %q", p.Name, p.Description, p.Schema.Description, want)
		}
	}
	body := described.RequestBody.Content["application/json"].Schema
	if body.Ref != "" {
		body = s.OpenAPI().Components.Schemas.SchemaFromRef(body.Ref)
	}
	if got := body.Properties["note"].Description; got != "What to know" {
		t.Errorf("note is described as %q", got)
	}
}
