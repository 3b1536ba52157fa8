package mcptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// Server is what the server says of itself.
type Server struct {
	// Version is that of the protocol.
	Version      string
	Name, Title  string
	Instructions string
	// StreamStatus is the status of GET, if the profile opens a stream.
	StreamStatus int
}

// Connect begins to speak: by server/discover in the modern era, else, or where the server does not know that, by
// initialize, notifications/initialized and, as the profile has it, GET.
func (c *Client) Connect(ctx context.Context) (*Server, error) {
	c.setVersion("")
	if c.profile.Modern {
		server, err := c.discoverServer(ctx)
		if err != nil || server != nil {
			return server, err
		}
		c.setVersion("")
	}
	return c.initialize(ctx)
}

func (c *Client) setVersion(version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version = version
}

// discoverServer returns nil if the server is of the earlier era.
func (c *Client) discoverServer(ctx context.Context) (*Server, error) {
	c.setVersion(modernVersion)
	answer, err := c.request(ctx, "server/discover", map[string]any{}, "")
	if err != nil {
		return nil, err
	}
	status := answer.http.StatusCode
	if answer.problem != nil || answer.result == nil {
		if status == http.StatusBadRequest || status == http.StatusNotFound || answer.problem != nil &&
			slices.Contains([]int{methodNotFound, unsupportedVersion}, answer.problem.Code) {
			return nil, nil
		}
		return nil, answer.failure("server/discover")
	}
	var said struct {
		Versions     []string                   `json:"supportedVersions"`
		Instructions string                     `json:"instructions"`
		ResultType   string                     `json:"resultType"`
		Meta         map[string]json.RawMessage `json:"_meta"`
	}
	if err := json.Unmarshal(answer.result, &said); err != nil {
		return nil, fmt.Errorf("server/discover: the result cannot be read: %w", err)
	}
	switch {
	case !slices.Contains(said.Versions, modernVersion):
		return nil, nil
	case said.ResultType != "complete":
		return nil, fmt.Errorf("server/discover: resultType is %q, not complete", said.ResultType)
	}
	server := &Server{Version: modernVersion, Instructions: said.Instructions}
	var info struct{ Name, Title string }
	_ = json.Unmarshal(said.Meta[metaPrefix+"serverInfo"], &info) // it need not be there
	server.Name, server.Title = info.Name, info.Title
	return server, nil
}

func (c *Client) initialization() map[string]any {
	return map[string]any{"protocolVersion": legacyVersion, "capabilities": map[string]any{}, "clientInfo": c.info()}
}

// spoken are the versions of the earlier era that the client goes on with.
var spoken = []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"}

func (c *Client) initialize(ctx context.Context) (*Server, error) {
	answer, err := c.request(ctx, "initialize", c.initialization(), "")
	if err != nil {
		return nil, err
	}
	if answer.result == nil {
		return nil, answer.failure("initialize")
	}
	var said struct {
		Version      string                       `json:"protocolVersion"`
		Info         struct{ Name, Title string } `json:"serverInfo"`
		Capabilities map[string]map[string]any    `json:"capabilities"`
		Instructions string                       `json:"instructions"`
	}
	if err := json.Unmarshal(answer.result, &said); err != nil {
		return nil, fmt.Errorf("initialize: the result cannot be read: %w", err)
	}
	switch {
	case !slices.Contains(spoken, said.Version):
		return nil, fmt.Errorf("initialize: the server chose the version %q, which the client does not speak",
			said.Version)
	case said.Capabilities["tools"] == nil:
		return nil, errors.New("initialize: the server has no capability tools")
	}
	c.setVersion(said.Version)
	server := &Server{Version: said.Version, Name: said.Info.Name, Title: said.Info.Title,
		Instructions: said.Instructions}
	notice, err := c.post(ctx, "notifications/initialized", "notifications/initialized", nil, "", false)
	if err != nil {
		return nil, err
	}
	if notice.StatusCode != http.StatusAccepted {
		return nil, fmt.Errorf("notifications/initialized was answered %s, not 202", notice.Status)
	}
	if c.profile.OpensStream {
		server.StreamStatus, err = c.openStream(ctx)
	}
	return server, err
}

// openStream asks for a stream of the server's own messages. A server without one answers 405; anything else but a
// stream makes clients ask over and over, or take the server for broken.
func (c *Client) openStream(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.profile.CallTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return 0, err
	}
	c.headers(req.Header, "", "", false)
	req.Header.Del("Content-Type")
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("User-Agent", c.profile.UserAgent)
	res, err := c.http.Do(req)
	c.saw("stream", req, res)
	if err != nil {
		return 0, err
	}
	_ = res.Body.Close() // nothing is expected on a stream
	isStream := res.StatusCode == http.StatusOK && res.Header.Get("Content-Type") == "text/event-stream"
	if !isStream && res.StatusCode != http.StatusMethodNotAllowed {
		return res.StatusCode, fmt.Errorf("GET %s was answered %s: clients want a stream, or 405 for none", c.url,
			res.Status)
	}
	return res.StatusCode, nil
}

// failure tells why a message has no result.
func (r *reply) failure(method string) error {
	if r.problem != nil {
		return fmt.Errorf("%s: %w", method, r.problem)
	}
	return fmt.Errorf("%s was answered %s", method, r.http.Status)
}

// Result is a tool's answer.
type Result struct {
	// Status is that of HTTP.
	Status int
	// IsError says that the tool was not carried out; Text says why.
	IsError bool
	// Text is the content of type text, one piece a line.
	Text string
	// Structured is structuredContent; nil without.
	Structured json.RawMessage
	// Challenge is what a missing permission would take: of WWW-Authenticate, or of the result where the profile
	// reads that.
	Challenge string
	Header    http.Header
}

// Call calls a tool. What the tool itself says, refusals with 403 among it, is a Result; the error is a *[RPCError] if
// the server did not take the message, a *[SignInError], or that nothing came.
func (c *Client) Call(ctx context.Context, tool string, arguments map[string]any) (*Result, error) {
	c.mu.Lock()
	legacy := c.version != modernVersion
	c.mu.Unlock()
	if legacy && c.profile.InitializesEveryCall {
		if _, err := c.initialize(ctx); err != nil {
			return nil, err
		}
	}
	if arguments == nil {
		arguments = map[string]any{}
	}
	answer, err := c.request(ctx, "tools/call", map[string]any{"name": tool, "arguments": arguments}, tool)
	if err != nil {
		return nil, err
	}
	result := &Result{Status: answer.http.StatusCode, Header: answer.http.Header}
	if challenge := answer.http.Header.Get("WWW-Authenticate"); result.Status == http.StatusForbidden {
		result.IsError, result.Challenge = true, c.hide(challenge)
	}
	switch {
	case answer.problem != nil && result.Status != http.StatusForbidden:
		return nil, answer.problem
	case answer.problem != nil:
		result.Text = answer.problem.Message
	case answer.result != nil:
		return result, c.readResult(result, answer.result)
	case result.Status != http.StatusForbidden:
		return nil, answer.failure("tools/call")
	}
	return result, nil
}

func (c *Client) readResult(result *Result, said json.RawMessage) error {
	var body struct {
		Content    []struct{ Type, Text string } `json:"content"`
		Structured json.RawMessage               `json:"structuredContent"`
		IsError    bool                          `json:"isError"`
		Meta       struct {
			Challenge json.RawMessage `json:"mcp/www_authenticate"`
		} `json:"_meta"`
	}
	if err := json.Unmarshal(said, &body); err != nil {
		return fmt.Errorf("tools/call: the result cannot be read: %w", err)
	}
	for i, content := range body.Content {
		if content.Type == "text" {
			if i > 0 {
				result.Text += "\n"
			}
			result.Text += content.Text
		}
	}
	result.IsError = result.IsError || body.IsError
	result.Structured = body.Structured
	if c.profile.ReadsToolChallenge && result.IsError {
		result.Challenge = c.hide(toolChallenge(body.Meta.Challenge))
	}
	return nil
}

// toolChallenge returns one string, or the first of several.
func toolChallenge(said json.RawMessage) string {
	var one string
	var several []string
	if json.Unmarshal(said, &one) == nil {
		return one
	}
	if json.Unmarshal(said, &several) == nil && len(several) > 0 {
		return several[0]
	}
	return ""
}
