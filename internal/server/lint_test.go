package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"guestpass"
	"guestpass/mcptest"
	"guestpass/mcptest/lint"
)

// linted returns the rules that a server breaks, each once, in order, and all that was found, to be read.
func linted(t *testing.T, address string, o lint.Options) (broken, all string) {
	t.Helper()
	report, err := lint.Check(t.Context(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, f := range report.Findings {
		rules = append(rules, f.Rule)
		all += fmt.Sprintf("%s %s: %s\n", f.Rule, f.Place, f.Problem)
	}
	for _, s := range report.Skipped {
		all += fmt.Sprintf("skipped, %s: %v\n", s.Reason, s.Rules)
	}
	slices.Sort(rules)
	return strings.Join(slices.Compact(rules), " "), all
}

// proxied sends requests for the public host to a listener, as a proxy in front does.
type proxied struct{ public, to string }

func (p proxied) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == p.public {
		r = r.Clone(r.Context())
		r.Host, r.URL.Scheme, r.URL.Host = p.public, "http", p.to
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestOurServerHasNothingForTheLint: at its public address it keeps every rule that can be looked at, and each of the
// others has a reason.
func TestOurServerHasNothingForTheLint(t *testing.T) {
	w := newWorld(t, func(o *guestpass.Options) { o.PublicURL = "https://api.example.com" })
	client := &http.Client{Transport: proxied{"api.example.com", strings.TrimPrefix(w.url, "http://")},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, path := range []string{"/mcp", "/mcp/readonly"} {
		address := "https://api.example.com" + path
		o := lint.Options{HTTP: client, Client: mcptest.New(address, mcptest.Options{HTTP: client})}
		o.Client.SetToken(&mcptest.Token{AccessToken: w.token(ada, everything...)})
		broken, all := linted(t, address, o)
		const skipped = "skipped, nobody signed in: [M023 M024 M025]\n" +
			"skipped, no call was refused for want of a scope: [M028]\n"
		if broken != "" || all != skipped {
			t.Errorf("%s breaks %s\n%s", path, broken, all)
		}
		o.Client.SetToken(&mcptest.Token{AccessToken: w.token(ada, "openid", "activity:read")})
		if broken, all := linted(t, address, o); broken != "" || strings.Contains(all, "M028") {
			t.Errorf("%s with a narrow token breaks %s\n%s", path, broken, all)
		}
	}
}

// TestOurServerIsSignedInToByTheLint on this machine, where only pages of the same machine are let in.
func TestOurServerIsSignedInToByTheLint(t *testing.T) {
	w := newWorld(t, dynamic)
	client := mcptest.New(w.url+"/mcp", mcptest.Options{})
	if err := enter(t.Context(), client, w.person("ada@acme.example")); err != nil {
		t.Fatal(err)
	}
	broken, all := linted(t, w.url+"/mcp", lint.Options{Client: client, SignedIn: true})
	if broken != "" || strings.Contains(all, "M023") || strings.Contains(all, "M025") {
		t.Errorf("it breaks %s\n%s", broken, all)
	}
}

const callbackHere = "http://127.0.0.1:49567/callback"

// enter signs in as a client does that registers itself.
func enter(ctx context.Context, client *mcptest.Client, person mcptest.Visitor) error {
	if _, err := client.Discover(ctx); err != nil {
		return err
	}
	if _, err := client.Identify(ctx, callbackHere); err != nil {
		return err
	}
	grant, err := client.Authorize(ctx, callbackHere, person)
	if err != nil {
		return err
	}
	_, err = client.Exchange(ctx, grant)
	return err
}

// TestTheLintKnowsTheOfficialGoServer, unmodified, with and without sessions.
func TestTheLintKnowsTheOfficialGoServer(t *testing.T) {
	server := mcp.NewServer(&mcp.Implementation{Name: "go", Version: "1"}, &mcp.ServerOptions{Instructions: "Notes."})
	type input struct {
		Query string `json:"query,omitempty"`
	}
	type output struct {
		Notes []string `json:"notes"`
	}
	mcp.AddTool(server, &mcp.Tool{Name: "findNotes", Title: "Find notes", Description: "Finds notes.",
		Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true, DestructiveHint: new(bool), OpenWorldHint: new(bool)}},
		func(context.Context, *mcp.CallToolRequest, input) (*mcp.CallToolResult, output, error) {
			return nil, output{[]string{"a"}}, nil
		})
	for _, tt := range []struct {
		name    string
		options *mcp.StreamableHTTPOptions
		want    string
	}{
		{"stateless", &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true},
			"M036 M037 M038 M040 M044 M045 M047 M048 M049 M050 M051 M054 M063 M073 M093 M096 M101"},
		{"with sessions", nil,
			"M033 M036 M037 M038 M040 M044 M045 M047 M048 M049 M050 M051 M052 M054 M060 M073 M093 M096 M101"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, tt.options)
			running := httptest.NewServer(handler)
			t.Cleanup(running.Close)
			if broken, all := linted(t, running.URL+"/mcp", lint.Options{}); broken != tt.want {
				t.Errorf("it breaks %s\n%s", broken, all)
			}
		})
	}
}

// TestRealClientsOwnServerIsLinted looks at the example of the official TypeScript SDK, unmodified, open and with its
// own authorization server.
func TestRealClientsOwnServerIsLinted(t *testing.T) {
	const example = "node_modules/@modelcontextprotocol/sdk/dist/esm/examples/server/simpleStreamableHttp.js"
	if testing.Short() {
		t.Skip("left out by make quick: it needs Node.js")
	}
	if _, err := os.Stat(filepath.Join(acceptance, example)); err != nil {
		t.Fatalf("the packages of acceptance/ are missing, run make acceptance: %v", err)
	}
	start := func(t *testing.T, args ...string) (address string) {
		server, issuer := freePort(t), freePort(t)
		command := exec.Command("node", append([]string{example}, args...)...)
		command.Dir = acceptance
		command.Env = append(os.Environ(), "MCP_PORT="+server, "MCP_AUTH_PORT="+issuer)
		said, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatalf("Node.js 20 or later is missing: %v", err)
		}
		t.Cleanup(func() {
			_ = command.Process.Kill()
			_ = command.Wait()
		})
		awaitLine(t, said, "MCP Streamable HTTP Server listening")
		return "http://localhost:" + server + "/mcp"
	}
	t.Run("open", func(t *testing.T) {
		const want = "M033 M036 M037 M038 M040 M047 M048 M050 M051 M052 M060 M075 M085 M088 M089 M091 M093 M097 M104 " +
			"M106"
		if broken, all := linted(t, start(t), lint.Options{}); broken != want {
			t.Errorf("it breaks %s\n%s", broken, all)
		}
	})
	t.Run("with OAuth", func(t *testing.T) {
		address := start(t, "--oauth")
		client := mcptest.New(address, mcptest.Options{Profile: mcptest.Profile{Tolerant: true}})
		err := enter(t.Context(), client, redirected{})
		broken, all := linted(t, address, lint.Options{Client: client, SignIn: err, SignedIn: err == nil})
		const want = "M012 M016 M019 M021 M034 M036 M037 M038 M040 M047 M048 M050 M051 M052 M060 M075 M085 M088 M089 " +
			"M091 M093 M094 M097 M104 M106"
		if broken != want {
			t.Errorf("it breaks %s\n%s", broken, all)
		}
	})
}

// redirected is a person whose browser is sent back at once.
type redirected struct{}

func (redirected) Visit(ctx context.Context, address, _ string) (*url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return res.Location()
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// awaitLine returns when a program says that it listens, and goes on reading what else it says.
func awaitLine(t *testing.T, said io.Reader, beginning string) {
	t.Helper()
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), beginning) {
			go func() { _, _ = io.Copy(io.Discard, said) }()
			return
		}
	}
	t.Fatalf("it ended without a line that begins with %q: %v", beginning, lines.Err())
}
