package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

// acceptance holds clients that others made, and what it takes to run them.
const acceptance = "../../acceptance"

// seen is what a client tells of a story: acceptance/mcp-story.mjs.
type seen struct {
	Version string // of the protocol, if the client says it
	Tools   []string
	Calls   map[string]clientAnswer
}

// A clientAnswer is what a client makes of an answer.
type clientAnswer struct {
	Text       string
	Structured map[string]any
	IsError    bool
}

// mode tells how a client finds out which era a server speaks.
func mode(mode any) map[string]any {
	return map[string]any{"versionNegotiation": map[string]any{"mode": mode}}
}

// TestRealClientsCallTools has clients that others made list the tools and call one of each kind.
func TestRealClientsCallTools(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, program string
		settings      map[string]any // beside the address and the token
		version       string
	}{
		{"TypeScript 1", "mcp-sdk.mjs", nil, "2025-11-25"},
		{"TypeScript 2", "mcp-client.mjs", nil, "2025-11-25"},
		{"TypeScript 2, which asks", "mcp-client.mjs", mode("auto"), "2026-07-28"},
		{"TypeScript 2, which knows", "mcp-client.mjs", mode(map[string]any{"pin": "2026-07-28"}), "2026-07-28"},
		{"AI SDK", "mcp-ai-sdk.mjs", nil, ""},
		{"LangChain", "mcp-langchain.mjs", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			settings := map[string]any{"url": w.url + "/mcp", "token": w.token(ada, everything...)}
			maps.Copy(settings, tt.settings)
			var told seen
			w.runClient(t, tt.program, settings, &told)
			if told.Version != tt.version {
				t.Errorf("it speaks %q, want %q", told.Version, tt.version)
			}
			w.checkStory(t, told)
		})
	}
}

// checkStory holds what a client saw against what the server has.
func (w *world) checkStory(t *testing.T, told seen) {
	t.Helper()
	published, listed := slices.Sorted(maps.Keys(operationsOf(t, w))), slices.Sorted(slices.Values(told.Tools))
	if !slices.Equal(listed, published) {
		t.Errorf("it lists %v, the document has %v", listed, published)
	}
	for name, text := range map[string]string{
		"created": `"title":"Water the <plants>"`, "read": `"title":"Water the <plants>"`, "deleted": `"deleted"`,
		"gone": `"code":404 | list operation`, "wrong": `"code":422 | title`,
	} {
		call := told.Calls[name]
		refused := name == "gone" || name == "wrong"
		if call.IsError != refused || refused == (call.Structured != nil) {
			t.Errorf("%s: %+v", name, call)
		}
		var same map[string]any
		if !refused && (json.Unmarshal([]byte(call.Text), &same) != nil || !reflect.DeepEqual(same, call.Structured)) {
			t.Errorf("%s: the text says something else than the data: %+v", name, call)
		}
		if !hasParts(call.Text, text) {
			t.Errorf("%s: the text is %s, want %s", name, call.Text, text)
		}
	}
	if activities := w.as(ada).do(200, "GET", "/api/v1/activity", "")["activities"].([]any); len(activities) != 2 {
		t.Errorf("on record: %v", activities)
	}
}

// runClient runs a program of acceptance/ and reads what it saw. Where the program wants a page walked, ada
// walks it in a browser.
func (w *world) runClient(t *testing.T, program string, settings map[string]any, told any) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it needs Node.js")
	}
	if _, err := os.Stat(filepath.Join(acceptance, "node_modules/.package-lock.json")); err != nil {
		t.Fatalf("the packages of acceptance/ are missing, run make acceptance: %v", err)
	}
	// Node reads the folder unseen by go test, which would keep an old result.
	if _, err := os.ReadDir(acceptance); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "node", program)
	command.Dir, command.Env = acceptance, append(os.Environ(), "DO_NOT_TRACK=1") // MCPJam tells its makers else
	command.WaitDelay = time.Second
	var complaints bytes.Buffer
	command.Stderr = &complaints
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("Node.js 20 or later is missing, install it and run make acceptance: %v", err)
	}
	if err := json.NewEncoder(input).Encode(settings); err != nil {
		t.Error(err)
	}
	last := w.follow(t, output, input)
	if err := command.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s%s", program, err, last, complaints.String())
	}
	if err := json.Unmarshal([]byte(last), told); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, last)
	}
}

// follow reads lines until the end, and returns the last.
func (w *world) follow(t *testing.T, output io.Reader, input io.Writer) (last string) {
	t.Helper()
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		last = lines.Text()
		var wish struct{ Visit string }
		if json.Unmarshal([]byte(last), &wish) != nil || wish.Visit == "" {
			continue
		}
		came, err := w.walkPage(t.Context(), wish.Visit)
		if err != nil {
			t.Errorf("%s: %v", wish.Visit, err)
			came = wish.Visit // without a code
		}
		_, _ = fmt.Fprintln(input, came) // the program tells what it misses
	}
	return last
}

// walkPage has ada agree on the page at the address, in a browser, and returns where that leads.
func (w *world) walkPage(ctx context.Context, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	came, err := w.person("ada@acme.example").Visit(ctx, address, u.Query().Get("redirect_uri"))
	if err != nil {
		return "", err
	}
	return came.String(), nil
}
