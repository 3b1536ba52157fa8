package measure_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass/stytchtest"
)

var (
	compareInto = flag.String("compare", "", "measure beside the peers, and write the table into this file")
	beside      = flag.String("beside", "", "another build of ./server, whose calls are measured in the same run")
	turn        = flag.Duration("turn", time.Second, "how long each request is repeated in each of the rounds")
	rounds      = flag.Int("rounds", 5, "how often all servers get their turn; the median counts")
)

// A call is a kind of request to one server, with what it cost in each round.
type call struct {
	of    *program
	what  string
	sent  request
	costs []cost
}

func (c *call) median() cost {
	slices.SortFunc(c.costs, func(a, b cost) int { return int(a.cpu - b.cpu) })
	return c.costs[len(c.costs)/2]
}

// BenchmarkCompare starts the program and its peers, and has them answer in turns, so that whatever else the machine
// does meets all of them. All check the same token with the same keys. What the peers answer is in their memory; the
// program reads a task from its database, and writes a line of log for each request, which they do not.
func BenchmarkCompare(b *testing.B) {
	if *compareInto == "" {
		b.Skip("left out without -compare FILE: make compare runs it")
	}
	seed := stytchtest.Development()
	stytch := stytchtest.NewServer(b, stytchtest.Options{Seed: &seed})
	token := mint(b, stytch, seed.Members[0].ID)
	ours := startOurs(b, stytch, seed, "sqlite:"+filepath.Join(b.TempDir(), "compare.db"))
	task := create(b, ours, token)
	calls := append(callsOfOurs(b, ours, token, task), callsOfFiles(b, ours, token)...)
	if *beside != "" {
		database := "sqlite:" + filepath.Join(b.TempDir(), "beside.db")
		other := startBuilt(b, "Guestpass, before", *beside, stytch, seed, database)
		calls = append(calls, callsOfOurs(b, other, token, create(b, other, token))...)
	}
	calls = append(calls, callsOfPeers(b, stytch, seed, token, task)...)
	for _, c := range calls {
		c.of.drive(b, c.sent, *turn/2)
	}
	for range *rounds {
		for _, c := range calls {
			c.costs = append(c.costs, c.of.drive(b, c.sent, *turn))
		}
	}
	if err := os.WriteFile(*compareInto, []byte(table(calls)), 0o600); err != nil {
		b.Fatal(err)
	}
}

func mint(b *testing.B, stytch *stytchtest.Server, person string) string {
	b.Helper()
	token, err := stytch.Mint(stytchtest.MintRequest{Subject: person, ExpiresIn: 4 * 3600,
		Scopes: []string{"openid", "profile", "email", "tasks:read", "tasks:write", "members:read", "activity:read"}})
	if err != nil {
		b.Fatal(err)
	}
	return token
}

// startOurs starts the program as production has it, but that no rate limits anybody.
func startOurs(b *testing.B, stytch *stytchtest.Server, seed stytchtest.Seed, database string,
	more ...string) *program {
	b.Helper()
	return startBuilt(b, "Guestpass", buildOurs(b), stytch, seed, database, more...)
}

func buildOurs(b *testing.B) string {
	b.Helper()
	return build(b, "./server", "guestpass", "-tags", "production", "-ldflags", "-s -w")
}

func startBuilt(b *testing.B, name, binary string, stytch *stytchtest.Server, seed stytchtest.Seed, database string,
	more ...string) *program {
	b.Helper()
	const many = "=1000000"
	environ := append([]string{"GUESTPASS_ADDR=127.0.0.1:{port}", "GUESTPASS_PUBLIC_URL=https://gpt.example.com",
		"GUESTPASS_ALLOW_TEST_PROJECT=yes", "GUESTPASS_TRUSTED_PROXIES=none",
		"GUESTPASS_DATABASE_URL=" + database, "GUESTPASS_LIMIT_ADDRESS" + many, "GUESTPASS_LIMIT_MEMBER" + many,
		"GUESTPASS_LIMIT_ORGANIZATION" + many, "GUESTPASS_LIMIT_CLIENT" + many,
		"STYTCH_PROJECT_ID=" + seed.Project.ID, "STYTCH_SECRET=" + seed.Project.Secret,
		"STYTCH_PUBLIC_TOKEN=" + seed.Project.PublicToken, "STYTCH_DOMAIN=" + stytch.URL,
		"STYTCH_BASE_URL=" + stytch.URL}, more...)
	return start(b, name, b.TempDir(), []string{binary, "serve"}, environ, "/readyz")
}

// create makes a task and returns it as getTask does.
func create(b *testing.B, ours *program, token string) (task json.RawMessage) {
	b.Helper()
	c, err := connect(strings.TrimPrefix(ours.url, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	r := request{method: "POST", path: "/api/v1/tasks", token: token,
		body: `{"title":"Water the plants in the office: the ones at the window need more than the others"}`}
	status, body, err := c.ask(r.text("localhost"))
	if err != nil || status != http.StatusCreated {
		b.Fatal(status, err, string(body))
	}
	return body
}

func callsOfOurs(b *testing.B, ours *program, token string, task json.RawMessage) []*call {
	b.Helper()
	var made struct {
		ID string `json:"task_id"`
	}
	if err := json.Unmarshal(task, &made); err != nil {
		b.Fatal(err)
	}
	get := func(what, path, token string, want int) *call {
		return &call{of: ours, what: what, sent: request{method: "GET", path: path, token: token, want: want}}
	}
	return []*call{
		get("without a token", "/api/v1/public", "", 200),
		get("the same with a token's header", "/api/v1/public", token, 200),
		get("the same for who has a token", "/api/v1/private", token, 200),
		get("with a token", "/api/v1/tasks/"+made.ID, token, 200),
		get("refused", "/api/v1/tasks/"+made.ID, "", 401),
		get("refused, with a forged token", "/api/v1/tasks/"+made.ID, forged(token), 401),
		get("getNextSteps, without a token", "/api/v1/next-steps", "", 200),
		get("/healthz", "/healthz", "", 200),
		get("listTasks", "/api/v1/tasks", token, 200),
		get("getUserInfo", "/api/v1/userinfo", token, 200),
		get("listMembers", "/api/v1/members", token, 200),
		get("/openapi.json", "/openapi.json", "", 200),
		{of: ours, what: "/openapi.json, gzip", sent: request{method: "GET", path: "/openapi.json", want: 200,
			more: "Accept-Encoding: gzip\r\n"}},
	}
}

// forged has another character somewhere in the signature.
func forged(token string) string {
	at, other := len(token)-50, "A"
	if token[at:at+1] == other {
		other = "B"
	}
	return token[:at] + other + token[at+1:]
}

// callsOfFiles are the program's document, served by net/http's own file server, and what is the least of a request to
// net/http, and of a token's header.
func callsOfFiles(b *testing.B, ours *program, token string) []*call {
	b.Helper()
	size, folder := documentOf(b, ours)
	binary := build(b, "./fileserver", "fileserver")
	files := start(b, "net/http alone", folder, []string{binary, "-addr", "127.0.0.1:{port}", "-folder", folder}, nil,
		"/openapi.json")
	return []*call{
		{of: files, what: fmt.Sprintf("a file of %d bytes", size),
			sent: request{method: "GET", path: "/openapi.json", want: 200}},
		{of: files, what: "nothing", sent: request{method: "GET", path: "/nothing", want: 200}},
		{of: files, what: "nothing, with a token's header",
			sent: request{method: "GET", path: "/nothing", token: token, want: 200}},
	}
}

// documentOf writes the program's document into a folder, and says how many bytes it has.
func documentOf(b *testing.B, ours *program) (size int, folder string) {
	b.Helper()
	response, err := http.Get(ours.url + "/openapi.json")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	folder = b.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "openapi.json"), text, 0o600); err != nil {
		b.Fatal(err)
	}
	return len(text), folder
}

// peers are servers that others made, in the folder of that name. The interpreter is Debian's, with Debian's packages.
var peers = []struct {
	name, folder string
	needs        string // a file that says whether it is there
	prepare, run []string
}{
	{"express + jose", "peers", "peers/node_modules/express", nil, []string{"node", "express.mjs"}},
	{"fastify + jose", "peers", "peers/node_modules/fastify", nil, []string{"node", "fastify.mjs"}},
	{"Next.js + jose", "peers/next", "peers/node_modules/next", []string{"../node_modules/.bin/next", "build"},
		[]string{"../node_modules/.bin/next", "start", "--hostname", "127.0.0.1", "--port", "{port}"}},
	{"FastAPI + PyJWT", "peers", "/usr/lib/python3/dist-packages/fastapi", nil, []string{"/usr/bin/python3", "-m",
		"uvicorn", "--port", "{port}", "--no-access-log", "--log-level", "warning", "fastapi_peer:app"}},
}

func callsOfPeers(b *testing.B, stytch *stytchtest.Server, seed stytchtest.Seed, token string,
	task json.RawMessage) (calls []*call) {
	b.Helper()
	environ := []string{"PORT={port}", "ISSUER=" + stytch.URL, "AUDIENCE=" + seed.Project.ID,
		"JWKS_URL=" + stytch.URL + "/.well-known/jwks.json", "ANSWER=" + string(task), "NODE_ENV=production",
		"NEXT_TELEMETRY_DISABLED=1"}
	for _, peer := range peers {
		if _, err := os.Stat(peer.needs); err != nil {
			b.Logf("%s is not here: %v", peer.name, err)
			continue
		}
		if peer.prepare != nil {
			prepare := exec.Command(peer.prepare[0], peer.prepare[1:]...)
			prepare.Dir, prepare.Env = peer.folder, append(os.Environ(), environ...)
			if out, err := prepare.CombinedOutput(); err != nil {
				b.Fatalf("%s: %v: %s", peer.name, err, out)
			}
		}
		p := start(b, peer.name, peer.folder, peer.run, environ, "/public")
		calls = append(calls,
			&call{of: p, what: "without a token", sent: request{method: "GET", path: "/public", want: 200}},
			&call{of: p, what: "with a token", sent: request{method: "GET", path: "/task", token: token, want: 200}},
			&call{of: p, what: "refused", sent: request{method: "GET", path: "/task", want: 401}})
	}
	return calls
}

// table is in Markdown, ready for docs/performance.md.
func table(calls []*call) string {
	var text strings.Builder
	text.WriteString("| server | request | CPU a request | to ours without one | a second | p50 | p99 | memory |\n" +
		"|---|---|---|---|---|---|---|---|\n")
	base := calls[0].median().cpu
	for _, c := range calls {
		cost := c.median()
		fmt.Fprintf(&text, "| %s | %s | %d µs | %.2f | %.0f | %s | %s | %d MiB |\n", c.of.name, c.what,
			cost.cpu.Microseconds(), float64(cost.cpu)/float64(base), cost.rate, short(cost.percentile(0.5)),
			short(cost.percentile(0.99)), c.of.memory())
	}
	return text.String()
}

func short(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
