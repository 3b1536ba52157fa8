package mcptest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The versions that the client speaks: of each era the newest.
const (
	modernVersion = "2026-07-28"
	legacyVersion = "2025-11-25"
)

const metaPrefix = "io.modelcontextprotocol/"

// Codes of errors that mean that there is no such method.
const (
	methodNotFound     = -32601
	unsupportedVersion = -32022
)

// RPCError is an error of JSON-RPC.
type RPCError struct {
	Status  int    `json:"-"` // of HTTP
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *RPCError) Error() string { return fmt.Sprintf("error %d: %s", e.Code, e.Message) }

// SignInError says that the person has to sign in again: a 401 that no renewal mends.
type SignInError struct{ Challenge Challenge }

func (e *SignInError) Error() string {
	return strings.TrimSuffix("answered 401, so the person has to sign in again: "+e.Challenge.Parameters["error"],
		": ")
}

// reply is an answer to a message. With neither result nor problem, it was no JSON-RPC.
type reply struct {
	http    *http.Response
	result  json.RawMessage
	problem *RPCError
}

// request sends a message in the era that was agreed on. An expired token is renewed before, and one that was
// refused is renewed and tried once more.
func (c *Client) request(ctx context.Context, method string, params map[string]any, name string) (*reply, error) {
	token := c.Token()
	if token != nil && !token.ExpiresAt.IsZero() && !c.options.Now().Before(token.ExpiresAt) &&
		token.RefreshToken != "" {
		if _, err := c.Refresh(ctx); err != nil {
			return nil, err
		}
	}
	answer, err := c.exchange(ctx, method, params, name)
	if err != nil || answer.http.StatusCode != http.StatusUnauthorized {
		return answer, err
	}
	challenge, _ := bearerOf(answer.http.Header)
	renewable := challenge.Parameters["error"] == "invalid_token" || c.profile.RenewsAfterAny401
	if token := c.Token(); !renewable || token == nil || token.RefreshToken == "" {
		c.SetToken(nil)
		return nil, &SignInError{challenge}
	}
	if _, err := c.Refresh(ctx); err != nil {
		c.SetToken(nil)
		return nil, fmt.Errorf("%w; %w", &SignInError{challenge}, err)
	}
	answer, err = c.exchange(ctx, method, params, name)
	if err == nil && answer.http.StatusCode == http.StatusUnauthorized {
		c.SetToken(nil)
		challenge, _ := bearerOf(answer.http.Header)
		return nil, &SignInError{challenge}
	}
	return answer, err
}

func (c *Client) exchange(ctx context.Context, method string, params map[string]any, name string) (*reply, error) {
	c.mu.Lock()
	modern := c.version == modernVersion
	c.mu.Unlock()
	answer, err := c.post(ctx, method, method, params, name, modern)
	if err != nil {
		return nil, err
	}
	return c.read(answer)
}

// arrived is an answer as it came to the message with an id.
type arrived struct {
	*http.Response
	body []byte
	id   string
}

// post sends one message. A method of notifications has no id.
func (c *Client) post(ctx context.Context, step, method string, params map[string]any, name string, modern bool) (
	*arrived, error) {
	message := map[string]any{"jsonrpc": "2.0", "method": method}
	if modern {
		params["_meta"] = map[string]any{metaPrefix + "protocolVersion": modernVersion,
			metaPrefix + "clientCapabilities": map[string]any{}, metaPrefix + "clientInfo": c.info()}
	}
	if len(params) > 0 {
		message["params"] = params
	}
	c.mu.Lock()
	c.nextID++
	id := c.nextID
	c.mu.Unlock()
	if !strings.HasPrefix(method, "notifications/") {
		message["id"] = id
	}
	content, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.profile.CallTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	c.headers(req.Header, method, name, modern)
	res, body, err := c.do(step, req, maxAnswer)
	if err != nil {
		return nil, err
	}
	return &arrived{res, body, strconv.Itoa(id)}, nil
}

func (c *Client) info() map[string]string {
	return map[string]string{"name": "mcptest", "title": c.profile.Title, "version": "1"}
}

func (c *Client) headers(h http.Header, method, name string, modern bool) {
	h.Set("Content-Type", "application/json")
	h.Set("Accept", c.profile.Accept)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != nil {
		h.Set("Authorization", "Bearer "+c.token.AccessToken)
	}
	switch {
	case modern:
		h.Set("Mcp-Protocol-Version", modernVersion)
		h.Set("Mcp-Method", method)
		if name != "" {
			h.Set("Mcp-Name", HeaderValue(name))
		}
	case c.version != "" && method != "initialize":
		h.Set("Mcp-Protocol-Version", c.version)
	}
}

// HeaderValue writes a text for a header of 2026-07-28: in base64 what may not stand there, or would be read as base64.
func HeaderValue(text string) string {
	odd := func(r rune) bool { return r < ' ' || r > '~' }
	if strings.ContainsFunc(text, odd) || strings.TrimSpace(text) != text || strings.HasPrefix(text, "=?base64?") {
		return "=?base64?" + base64.StdEncoding.EncodeToString([]byte(text)) + "?="
	}
	return text
}

// read takes an answer apart: JSON, or a stream with one message in it that answers.
func (c *Client) read(res *arrived) (*reply, error) {
	body := res.body
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind == "text/event-stream" {
		body = lastEvent(body)
	}
	answer := &reply{http: res.Response}
	if res.StatusCode == http.StatusUnauthorized {
		return answer, nil
	}
	var message struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Result  json.RawMessage `json:"result"`
		Error   *RPCError       `json:"error"`
	}
	if err := json.Unmarshal(body, &message); err != nil || message.Version != "2.0" {
		if res.StatusCode >= 300 { // the status says enough
			return answer, nil
		}
		return nil, fmt.Errorf("answered %s with something else than JSON-RPC (content type %q)", res.Status,
			res.Header.Get("Content-Type"))
	}
	if message.Error == nil && string(message.ID) != res.id {
		return nil, errors.New("the answer has another id than the message")
	}
	answer.result, answer.problem = message.Result, message.Error
	if answer.problem != nil {
		answer.problem.Status, answer.problem.Message = res.StatusCode, c.hide(answer.problem.Message)
	}
	return answer, nil
}

// lastEvent returns the data of the last event of a stream: requests and notices of the server come before the answer.
func lastEvent(stream []byte) (data []byte) {
	for _, event := range bytes.Split(bytes.ReplaceAll(stream, []byte("\r\n"), []byte("\n")), []byte("\n\n")) {
		var lines [][]byte
		for _, line := range bytes.Split(event, []byte("\n")) {
			if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
				lines = append(lines, bytes.TrimPrefix(value, []byte(" ")))
			}
		}
		if len(lines) > 0 {
			data = bytes.Join(lines, []byte("\n"))
		}
	}
	return data
}
