package lint

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"guestpass/gpttest"
	"guestpass/mcptest"
)

// shape is a type of the specification, as far as clients with a validator hold answers against it. null is not the
// same as left out there, and names count to the letter.
type shape struct{ *gpttest.Schema }

// shapeOf reads one that is written in this package.
func shapeOf(text string) shape {
	schema, err := gpttest.ReadSchema(json.RawMessage(text))
	if err != nil {
		panic(err)
	}
	return shape{schema}
}

var (
	initializeShape = shapeOf(`{"type":"object","required":["protocolVersion","capabilities","serverInfo"],
		"properties":{
		"protocolVersion":{"type":"string"},"instructions":{"type":"string"},"_meta":{"type":"object"},
		"serverInfo":{"type":"object","required":["name","version"],"properties":{"name":{"type":"string"},
			"version":{"type":"string"},"title":{"type":"string"}}},
		"capabilities":{"type":"object","properties":{
			"tools":{"type":"object","properties":{"listChanged":{"type":"boolean"}}},
			"resources":{"type":"object","properties":{"listChanged":{"type":"boolean"},
				"subscribe":{"type":"boolean"}}},
			"prompts":{"type":"object","properties":{"listChanged":{"type":"boolean"}}},
			"logging":{"type":"object"},"completions":{"type":"object"},"experimental":{"type":"object"},
			"extensions":{"type":"object"},"tasks":{"type":"object"}}}}}`)
	pageShape = shapeOf(`{"type":"object","required":["tools"],"properties":{"tools":{"type":"array"},
		"nextCursor":{"type":"string"},"_meta":{"type":"object"}}}`)
	toolShape = shapeOf(`{"type":"object","required":["name","inputSchema"],"properties":{"name":{"type":"string"},
		"title":{"type":"string"},"description":{"type":"string"},"inputSchema":{"type":"object"},
		"outputSchema":{"type":"object"},"_meta":{"type":"object"},"execution":{"type":"object"},
		"icons":{"type":"array","items":{"type":"object","required":["src"],"properties":{"src":{"type":"string"},
			"mimeType":{"type":"string"},"sizes":{"type":"array","items":{"type":"string"}}}}},
		"annotations":{"type":"object","properties":{"title":{"type":"string"},"readOnlyHint":{"type":"boolean"},
			"destructiveHint":{"type":"boolean"},"idempotentHint":{"type":"boolean"},
			"openWorldHint":{"type":"boolean"}}}}}`)
	resultShape = shapeOf(`{"type":"object","properties":{"isError":{"type":"boolean"},"_meta":{"type":"object"},
		"content":{"type":"array","items":{"type":"object","required":["type"],
			"properties":{"type":{"enum":["text","image","audio","resource","resource_link"]}},
			"allOf":[
				{"if":{"properties":{"type":{"const":"text"}}},
					"then":{"required":["text"],"properties":{"text":{"type":"string"}}}},
				{"if":{"properties":{"type":{"enum":["image","audio"]}}},
					"then":{"required":["data","mimeType"],"properties":{"data":{"type":"string"},
						"mimeType":{"type":"string"}}}},
				{"if":{"properties":{"type":{"const":"resource"}}},
					"then":{"required":["resource"],"properties":{"resource":{"type":"object","required":["uri"],
						"properties":{"uri":{"type":"string"}}}}}},
				{"if":{"properties":{"type":{"const":"resource_link"}}},
					"then":{"required":["uri","name"],"properties":{"uri":{"type":"string"},
						"name":{"type":"string"}}}}]}}}}`)
)

// problem says how a text is not of the shape; "" if it is, or if it is too much work to tell.
func (s shape) problem(text json.RawMessage) string {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err.Error()
	}
	if err := s.Validate(value); err != nil && !errors.Is(err, gpttest.ErrSteps) {
		return err.Error()
	}
	return ""
}

// lookAtEnvelope holds an answer to a message against what clients that check each take for one.
func (v *visit) lookAtEnvelope(r request, got answer, kind string) {
	if got.rpc == nil || r.address != "" || got.status >= 300 || idOf(r.body) == nil {
		return
	}
	problem := envelopeProblem(got.body)
	if kind != "application/json" && kind != "text/event-stream" {
		problem = "its Content-Type is " + kindOf(got.header)
	}
	o := v.outcomes["M058"]
	if problem = v.shown(problem); problem == "" || o != nil && slices.ContainsFunc(o.findings, func(f Finding) bool {
		return f.Problem == problem // of one kind one is enough
	}) {
		return
	}
	v.fail("M058", v.what(r), "%s", problem)
}

// envelopeProblem says why a body is no answer of JSON-RPC to the letter; "" if it is.
func envelopeProblem(body []byte) string {
	members, plain := mcptest.Members(body)
	if !plain {
		return "a member of the answer is there twice"
	}
	known := []string{"jsonrpc", "id", "result", "error"}
	for name := range members {
		if !slices.Contains(known, name) {
			return fmt.Sprintf("the answer has a member %q, which JSON-RPC does not have", name)
		}
	}
	_, result := members["result"]
	_, failed := members["error"]
	switch {
	case result && failed:
		return "the answer has both result and error"
	case !result && !failed:
		return "the answer has neither result nor error"
	}
	return ""
}

// lookAtEndpoints looks at what a client does with the authorization server's metadata: it opens one address and sends
// a code to the other.
func (v *visit) lookAtEndpoints() {
	if v.metadata.issuer == nil {
		v.skip("the authorization server's metadata were not found", "M027")
		return
	}
	var m struct {
		Responses []string `json:"response_types_supported"`
		Grants    []string `json:"grant_types_supported"`
	}
	if _, problem := v.document(v.metadata.at, &m); problem != "" {
		return
	}
	for _, endpoint := range []struct{ name, address string }{
		{"authorization_endpoint", v.metadata.issuer.AuthorizationURL},
		{"token_endpoint", v.metadata.issuer.TokenURL},
		{"registration_endpoint", v.metadata.issuer.RegistrationURL}} {
		if endpoint.address != "" && !isEndpoint(endpoint.address) {
			v.fail("M027", "authorization server", "%s is %q", endpoint.name, v.said(endpoint.address))
		}
	}
	if m.Responses != nil && !slices.Contains(m.Responses, "code") {
		v.fail("M027", "authorization server", "response_types_supported is %q", v.said(strings.Join(m.Responses, " ")))
	}
	if m.Grants != nil && !slices.Contains(m.Grants, "authorization_code") {
		v.fail("M027", "authorization server", "grant_types_supported is %q", v.said(strings.Join(m.Grants, " ")))
	}
}

// isEndpoint reports whether an address is one that a client may use: https, or http of the same machine.
func isEndpoint(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()))
}
