package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// BenchmarkToolCall makes the same call by REST and as an MCP tool in both eras, in turns, so that whatever else
// the machine does meets all. The ratios are to the REST call. list is tools/list, of prepared bytes.
func BenchmarkToolCall(b *testing.B) {
	w := newWorld(b, quiet)
	p := w.as(ada)
	task := p.create(`{"title":"Water the plants","notes":"and the herbs"}`)
	message := func(params string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getTask",`+
			`"arguments":{"task_id":%q}%s}}`, task, params)
	}
	modern := headers("Content-Type: application/json", "MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call",
		"Mcp-Name: getTask")
	legacy := headers("Content-Type: application/json", "MCP-Protocol-Version: 2025-11-25")
	calls := []struct {
		name, method, path, body string
		change                   func(*http.Request)
		took                     time.Duration
	}{
		{name: "REST", method: http.MethodGet, path: "/api/v1/tasks/" + task, change: headers()},
		{name: "legacy", method: http.MethodPost, path: "/mcp", body: message(""), change: legacy},
		{name: "modern", method: http.MethodPost, path: "/mcp", body: message("," + about), change: modern},
		{name: "list", method: http.MethodPost, path: "/mcp", body: listTools, change: legacy},
	}
	out := &sink{header: http.Header{}}
	for b.Loop() {
		for i := range calls {
			c := &calls[i]
			r := httptest.NewRequest(c.method, "http://localhost"+c.path, strings.NewReader(c.body))
			r.Header.Set("Authorization", "Bearer "+p.token)
			c.change(r)
			clear(out.header)
			start := time.Now()
			w.app.ServeHTTP(out, r)
			c.took += time.Since(start)
		}
	}
	for _, c := range calls {
		b.ReportMetric(float64(c.took.Microseconds())/float64(b.N), c.name+"-µs")
		if c.name != "REST" {
			b.ReportMetric(float64(c.took)/float64(calls[0].took), c.name+"-ratio")
		}
	}
}
