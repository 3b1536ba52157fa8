package mcptest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Step is one request and its answer, as far as they may be shown: no token, code, secret, state or verifier is
// in it.
type Step struct {
	// Name says what the step is for: "challenge", "metadata", "registration", "token", "tools/list".
	Name string `json:"step"`
	// Request is the method and the address, without its query.
	Request string `json:"request"`
	// Status is that of HTTP; 0 if there was no answer.
	Status int `json:"status"`
	// Headers are those of the answer that decide what is done next.
	Headers map[string]string `json:"headers,omitempty"`
}

// deciding are the headers of a Step.
var deciding = []string{"WWW-Authenticate", "Location", "Retry-After", "Allow", "Mcp-Session-Id"}

// Trace returns what the client saw until now.
func (c *Client) Trace() []Step {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.trace)
}

// saw adds a step. res is nil if no answer came.
func (c *Client) saw(name string, req *http.Request, res *http.Response) {
	step := Step{Name: name, Request: req.Method + " " + withoutQuery(req.URL)}
	if res != nil {
		step.Status = res.StatusCode
		for _, header := range deciding {
			if value := strings.Join(res.Header.Values(header), ", "); value != "" {
				if step.Headers == nil {
					step.Headers = map[string]string{}
				}
				step.Headers[header] = c.hide(value)
			}
		}
	}
	c.mu.Lock()
	c.trace = append(c.trace, step)
	c.mu.Unlock()
	if c.options.OnStep != nil {
		c.options.OnStep(step)
	}
}

// keep remembers what is never to be shown.
func (c *Client) keep(secrets ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, secret := range secrets {
		if secret != "" && !slices.Contains(c.secrets, secret) {
			c.secrets = append(c.secrets, secret)
		}
	}
}

// hide takes out of a text what a server may have repeated.
func (c *Client) hide(text string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, secret := range c.secrets {
		text = strings.ReplaceAll(text, secret, "…")
	}
	return text
}

func withoutQuery(u *url.URL) string {
	shown := *u
	shown.RawQuery, shown.Fragment, shown.User = "", "", nil
	return shown.String()
}
