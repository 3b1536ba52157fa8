package server_test

import (
	"net/http"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// bearer sends requests with a token.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// TestRealClientForGoCallsTools has the official client for Go do what the others do.
func TestRealClientForGoCallsTools(t *testing.T) {
	for _, version := range []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t)
			session := beginSDK(t, &mcp.StreamableClientTransport{Endpoint: w.url + "/mcp",
				HTTPClient: &http.Client{Transport: bearer(w.token(ada, everything...))}}, version)
			if got := session.InitializeResult().ProtocolVersion; got != version {
				t.Errorf("agreed on %s", got)
			}
			w.checkStory(t, storySDK(t, session))
		})
	}
}

// beginSDK begins a session of one version; "" leaves it to the client.
func beginSDK(t *testing.T, transport mcp.Transport, version string) *mcp.ClientSession {
	t.Helper()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "acceptance", Version: "1"}, nil).
		Connect(t.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	})
	return session
}

// storySDK returns the story of acceptance/mcp-story.mjs.
func storySDK(t *testing.T, session *mcp.ClientSession) seen {
	t.Helper()
	told := seen{Calls: map[string]clientAnswer{}}
	for tool, err := range session.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		told.Tools = append(told.Tools, tool.Name)
	}
	call := func(step, name string, arguments map[string]any) map[string]any {
		result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: arguments})
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		answer := clientAnswer{IsError: result.IsError}
		answer.Structured, _ = result.StructuredContent.(map[string]any)
		for _, content := range result.Content {
			if text, ok := content.(*mcp.TextContent); ok {
				answer.Text += text.Text
			}
		}
		told.Calls[step] = answer
		return answer.Structured
	}
	created := call("created", "createTask", map[string]any{"title": "Water the <plants>"})
	task := map[string]any{"task_id": created["task_id"]}
	call("read", "getTask", task)
	call("deleted", "deleteTask", task)
	call("gone", "getTask", task)
	call("wrong", "createTask", map[string]any{"title": ""})
	return told
}
