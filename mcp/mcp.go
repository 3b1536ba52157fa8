// Package mcp serves the published operations as tools of the Model Context Protocol, at one address for
// both of its eras: 2024-11-05 to 2025-11-25, which begin with initialize, and 2026-07-28, where each
// request says its version in _meta. It keeps no session: a request is answered by what it carries.
//
// A tool is an operation of the published document, in the document's words; a call is carried out by
// [api.Service.Invoke], so that checks, limits, record and answers are those of the REST call. What cannot
// be a tool is an error of [New].
//
// The protocol is written by hand. The official SDK answers plain text where clients want JSON-RPC, refuses
// requests by their Accept, accepts batches, changes large ids, and writes every list anew: a handler that
// put all of that right would be as long as this one, and would take apart each message twice.
//
// The package knows neither tokens nor Stytch: api admits.
package mcp

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"guestpass/api"
	"guestpass/openapi"
)

// Options are what a server is told beside the operations.
type Options struct {
	Service  *api.Service
	Document *openapi.Document

	URL     string   // of this server, as clients are told of it: https://api.example.com/mcp
	Title   string   // of the app
	Version string   // of the program
	Only    []string // ids of the operations that become tools; none: all that the document has
	Reads   bool     // those alone that change nothing

	Link Link // for widgets; the zero value: none

	ResourceMetadata string   // URL of the RFC 9728 document for this server
	Scopes           []string // named where a token is missing
}

// A Server is an http.Handler for one address. It never changes and is safe for concurrent use.
type Server struct {
	options Options
	origins map[string]bool
	tools   map[string]*tool
	surface api.Surface

	// Answers that never change, made once.
	list, discovery, capabilities json.RawMessage
	modernHead, modernListHead    json.RawMessage            // of results in the modern era, without the closing brace
	widgets                       map[string]json.RawMessage // what resources/read answers, by URI
	resources                     json.RawMessage            // their list
	instructions                  string
}

// New makes the tools. Its error names every operation that cannot be one, and why.
func New(o Options) (*Server, error) {
	public, err := url.Parse(o.URL)
	if err != nil || public.Host == "" {
		return nil, fmt.Errorf("mcp: the server's URL %q has no host", o.URL)
	}
	tools, err := toolsOf(o)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, tools: map[string]*tool{},
		origins:      map[string]bool{public.Scheme + "://" + public.Host: true},
		surface:      api.Surface{ResourceMetadata: o.ResourceMetadata, Scopes: o.Scopes},
		instructions: instructionsOf(o.Title, tools)}
	for _, origin := range clientOrigins {
		s.origins[origin] = true
	}
	for _, t := range tools {
		s.tools[t.Name] = t
	}
	if err := errors.Join(s.giveWidgets(tools), s.listTools(tools), s.describe()); err != nil {
		return nil, err
	}
	return s, nil
}

// listTools prepares the answer to tools/list, in which the tools name their widgets.
func (s *Server) listTools(tools []*tool) (err error) {
	if s.list, err = marshal(struct {
		Tools []*tool `json:"tools"`
	}{tools}); err != nil {
		return err
	}
	if len(s.list) > maxList {
		return fmt.Errorf("mcp: the list of %d tools has %d characters, more than the %d that clients take: "+
			"shorten descriptions, or leave operations out with "+
			"GUESTPASS_MCP_OPERATIONS", len(tools), len(s.list), maxList)
	}
	return nil
}

// describe prepares what the server says of itself. Extensions are of the modern era.
func (s *Server) describe() (err error) {
	s.capabilities = json.RawMessage(`{"tools":{}}`)
	modern := s.capabilities
	if len(s.widgets) > 0 {
		s.capabilities = json.RawMessage(`{"tools":{},"resources":{}}`)
		modern = json.RawMessage(`{"tools":{},"resources":{},"extensions":{"` + uiExtension + `":{"mimeTypes":["` +
			widgetType + `"]}}}`)
	}
	if s.discovery, err = marshal(struct {
		Versions     []string        `json:"supportedVersions"`
		Capabilities json.RawMessage `json:"capabilities"`
		Instructions string          `json:"instructions"`
	}{append([]string{modernVersion}, legacyVersions...), modern, s.instructions}); err != nil {
		return err
	}
	identity, err := marshal(s.identity())
	if err != nil {
		return err
	}
	s.modernHead = json.RawMessage(fmt.Sprintf(`{"resultType":"complete","_meta":{%q:%s}`, metaServer, identity))
	s.modernListHead = json.RawMessage(fmt.Sprintf(`%s,"ttlMs":%d,"cacheScope":"private"`, s.modernHead, listTime))
	return nil
}

// Tools returns the result of tools/list, a JSON object.
func (s *Server) Tools() []byte { return slices.Clone(s.list) }

// identity returns what the server says of itself.
func (s *Server) identity() map[string]string {
	return map[string]string{"name": "guestpass", "title": s.options.Title, "version": s.options.Version}
}

var _ http.Handler = (*Server)(nil)
