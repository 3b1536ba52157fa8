//go:build !production

package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	collected "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"

	"guestpass/internal/metrics"
	"guestpass/internal/postgrestest"
	"guestpass/stytchtest"
)

// watchedProcess is a server with an admin address that has had a short life: calls by REST, by MCP and of /verify, one
// of each that is refused, and a change.
func watchedProcess(t *testing.T, environ ...string) (p *process, admin string) {
	t.Helper()
	seed := stytchtest.Development()
	stytch := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	p = startProcess(t, forStytch(stytch, seed, append(environ, "GUESTPASS_ADMIN_ADDR=127.0.0.1:0")...))
	admin = "http://" + p.log.wait(t, `"admin_addr":"([^"]+)"`)[1]
	token := tokenOf(t, stytch, seed.Members[0].ID)
	const tool = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"listTasks","arguments":{}}}`
	for _, call := range []struct {
		method, path, token, body string
		status                    int
	}{
		{"GET", "/api/v1/tasks", token, "", 200},
		{"POST", "/api/v1/tasks", token, `{"title":"Water the plants"}`, 201},
		{"GET", "/api/v1/tasks", "made-up", "", 401},
		{"GET", "/api/v1/members", token, "", 200},
		{"POST", "/mcp", token, tool, 200},
		{"POST", "/mcp", forged(token), tool, 401},
		{"GET", "/verify?scope=tasks:read", token, "", 204},
		{"GET", "/verify?scope=tasks:read", "", "", 401},
		{"GET", "/openapi.json", "", "", 200},
	} {
		if status := ask(t, p.url, call.method, call.path, call.token, call.body); status != call.status {
			t.Fatalf("%s %s: %d", call.method, call.path, status)
		}
	}
	return p, admin
}

func ask(t *testing.T, url, method, path, token, body string) int {
	t.Helper()
	r, err := http.NewRequest(method, url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// scrape returns what Prometheus would be given.
func scrape(t *testing.T, admin string) string {
	t.Helper()
	response, err := http.Get(admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%d %v %s", response.StatusCode, err, text)
	}
	return string(text)
}

// databases are those that a server may have.
func databases(t *testing.T) map[string]func(t *testing.T) string {
	return map[string]func(*testing.T) string{
		"SQLite":   func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/watched.db" },
		"Postgres": func(t *testing.T) string { return postgrestest.Shared(t).Database(t) },
	}
}

// ofOneDatabase are families that the other one has not.
var ofOneDatabase = map[string]string{"guestpass_sqlite_write_group_size": "SQLite",
	"guestpass_sqlite_file_bytes": "SQLite"}

// A server tells everything that the table in docs/operating.md names, in a form that Prometheus and its own linter
// take, and nothing in it says who called or for what.
func TestWhatAServerTellsPrometheus(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out by make quick: it starts servers")
	}
	for name, url := range databases(t) {
		t.Run(name, func(t *testing.T) {
			_, admin := watchedProcess(t, "GUESTPASS_DATABASE_URL="+url(t))
			text := scrape(t, admin)
			for _, f := range metrics.Families() {
				if of := ofOneDatabase[f.Name]; of != "" && of != name || f.Name == "guestpass_sign_in_troubles_total" {
					continue
				}
				if !strings.Contains(text, "# TYPE "+f.Name+" "+f.Kind+"\n") {
					t.Errorf("%s is not there, or no %s", f.Name, f.Kind)
				}
			}
			for _, series := range []string{
				`guestpass_request_duration_seconds_count{operation="listTasks",outcome="ok",surface="rest"} 1`,
				`guestpass_request_duration_seconds_count{operation="createTask",outcome="ok",surface="rest"} 1`,
				`guestpass_request_duration_seconds_count{operation="listTasks",outcome="ok",surface="mcp"} 1`,
				`guestpass_request_duration_seconds_count{operation="",outcome="unauthenticated",surface="mcp"} 1`,
				`guestpass_request_duration_seconds_count{operation="",outcome="ok",surface="verify"} 1`,
				`guestpass_refusals_total{reason="signature"} 1`, `guestpass_refusals_total{reason="no header"} 1`,
				`guestpass_refusals_total{reason="not three parts"} 1`,
				`guestpass_stytch_request_duration_seconds_count{call="member list",outcome="ok"}`,
				`guestpass_database_up 1`, `guestpass_revocations_unwritten 0`, `guestpass_limits_fallback 0`,
				`guestpass_places{bound="operations carried out at once"} 64`, `go_goroutines`, `process_start_time`,
			} {
				if !strings.Contains(text, "\n"+series) {
					t.Errorf("there is no %s", series)
				}
			}
			for _, foreign := range []string{"member-test", "organization-test", "connected-app", "/api/",
				"127.0.0.1"} {
				if strings.Contains(text, foreign) {
					t.Errorf("the metrics have %s", foreign)
				}
			}
			promtool(t, strings.NewReader(text), "check", "metrics")
		})
	}
}

// promtool runs Prometheus's own checks.
func promtool(t *testing.T, stdin io.Reader, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is missing: sudo apt-get install prometheus, or make prometheus, which starts no service")
	}
	command := exec.Command(path, args...)
	command.Stdin = stdin
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// alertRules are deploy/alerts.yaml.
type alertRules struct {
	Groups []struct {
		Rules []struct {
			Alert, Expr string
			Annotations map[string]string
		}
	}
}

func readAlerts(t *testing.T) (rules alertRules) {
	t.Helper()
	text, err := os.ReadFile("../deploy/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	return rules
}

var (
	metricName   = regexp.MustCompile(`\b(guestpass|process|go)_[a-z0-9_]+\b`)
	labelMatcher = regexp.MustCompile(`\b([a-z_]+) *(=~|!~|!=|=) *"([^"]*)"`)
)

// An alert on what no server tells would never come.
func TestAlertsAreOnWhatServersTell(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out by make quick: it starts servers")
	}
	promtool(t, nil, "check", "rules", "../deploy/alerts.yaml")
	promtool(t, nil, "test", "rules", "../deploy/alerts_test.yaml")
	told := map[string]string{}
	for name, url := range databases(t) {
		_, admin := watchedProcess(t, "GUESTPASS_DATABASE_URL="+url(t))
		told[name] = scrape(t, admin)
	}
	for _, group := range readAlerts(t).Groups {
		for _, rule := range group.Rules {
			for _, metric := range metricName.FindAllString(rule.Expr, -1) {
				for name, text := range told {
					if of := ofOneDatabase[metric]; (of == "" || of == name) && !tells(text, metric) &&
						metric != "guestpass_sign_in_troubles_total" { // which have to be
						t.Errorf("%s: a server on %s does not tell %s", rule.Alert, name, metric)
					}
				}
			}
			for _, matcher := range labelMatcher.FindAllStringSubmatch(rule.Expr, -1) {
				if matcher[1] != "job" && !declared(matcher[1], matcher[3]) {
					t.Errorf("%s: no series has %s", rule.Alert, matcher[0])
				}
			}
			if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%s does not say what to do", rule.Alert)
			}
		}
	}
}

// tells reports whether a series of that name is there.
func tells(text, metric string) bool {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, metric+"{") || strings.HasPrefix(line, metric+" ") {
			return true
		}
	}
	return false
}

// declared reports whether a label can have that value, or one of the values of a pattern.
func declared(label, pattern string) bool {
	known := map[string][]string{
		"surface": {"rest", "mcp", "verify", "token", "other"},
		"outcome": {"ok", "failed", "error", "unavailable", "timeout", "limited", "full"},
		"state":   {"warning", "unknown", "error", "fatal", "in_use"}, "file": {"log"}, "pool": {"reading", "writing"},
		"bound":  {"operations carried out at once"},
		"reason": {"unknown kid", "signature", "iss", "aud"},
	}[label]
	for one := range strings.SplitSeq(pattern, "|") {
		if !slices.Contains(known, one) {
			return false
		}
	}
	return true
}

// The chapter for operators has every metric, and what to do about every alert.
func TestOperatingNamesMetricsAndAlerts(t *testing.T) {
	page, err := os.ReadFile("../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	var missing bytes.Buffer
	for _, f := range metrics.Families() {
		labels := "–"
		if len(f.Labels) > 0 {
			labels = "`" + strings.Join(f.Labels, "`, `") + "`"
		}
		if row := fmt.Sprintf("| `%s` | %s | %s | %s |", f.Name, f.Kind, labels, f.Help); !bytes.Contains(page,
			[]byte("\n"+row+"\n")) {
			fmt.Fprintln(&missing, row)
		}
	}
	for _, group := range readAlerts(t).Groups {
		for _, rule := range group.Rules {
			if !bytes.Contains(page, []byte("\n| `"+rule.Alert+"` |")) {
				fmt.Fprintf(&missing, "| `%s` | what it means | what to do |\n", rule.Alert)
			}
		}
	}
	rows := bufio.NewScanner(bytes.NewReader(page))
	for rows.Scan() {
		name, is := strings.CutPrefix(rows.Text(), "| `guestpass_")
		name, _, _ = strings.Cut(name, "`")
		if is && !slices.ContainsFunc(metrics.Families(), func(f metrics.Family) bool {
			return f.Name == "guestpass_"+name
		}) {
			t.Errorf("docs/operating.md has guestpass_%s, which there is not", name)
		}
	}
	if missing.Len() > 0 {
		t.Errorf("docs/operating.md lacks\n%s", &missing)
	}
}

// What puts the admin address where the world is, and variables of OpenTelemetry that are not understood, end the
// start.
func TestWatchingSettingsThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		changes map[string]string
		want    string
	}{
		{map[string]string{"GUESTPASS_ADMIN_ADDR": whole()["GUESTPASS_ADDR"]},
			"GUESTPASS_ADMIN_ADDR must have another port than GUESTPASS_ADDR"},
		{map[string]string{"GUESTPASS_ADMIN_ADDR": ":8443"},
			"GUESTPASS_ADMIN_ADDR must have another port than GUESTPASS_ADDR"},
		{map[string]string{"GUESTPASS_ADMIN_ADDR": whole()["GUESTPASS_PLAIN_ADDR"]},
			"GUESTPASS_ADMIN_ADDR must have another port than GUESTPASS_PLAIN_ADDR"},
	} {
		variables := whole()
		maps.Copy(variables, tt.changes)
		refusesWithoutRepeating(t, tt.want, "the value", starting(variables))
	}
	for name, value := range map[string]string{"OTEL_TRACES_EXPORTER": "zipkin", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
		"OTEL_TRACES_SAMPLER": "sometimes"} {
		environ := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317", name + "=" + value}
		for setting, value := range whole() {
			environ = append(environ, setting+"="+value)
		}
		for _, command := range []string{"serve", "dev"} {
			var out bytes.Buffer
			if command == "dev" {
				environ = environ[:2]
			}
			if code := run(t.Context(), []string{command}, environ, io.Discard, &out); code != 2 ||
				!strings.Contains(out.String(), name+" must be ") {
				t.Errorf("%s with %s=%s: %d %s", command, name, value, code, &out)
			}
		}
	}
}

// The last spans are sent when the server ends, and the admin address ends with it. One that others reach is warned of.
func TestAServerSendsItsTracesAndEnds(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out by make quick: it starts servers")
	}
	var sent atomic.Int64
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var told collected.TracesData
		body, _ := io.ReadAll(r.Body)
		if err := proto.Unmarshal(body, &told); err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL, err)
		}
		for _, of := range told.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				sent.Add(int64(len(scope.Spans)))
			}
		}
	}))
	defer far.Close()
	seed := stytchtest.Development()
	stytch := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	p := startProcess(t, forStytch(stytch, seed, "GUESTPASS_DATABASE_URL=sqlite:"+t.TempDir()+"/traced.db",
		"GUESTPASS_ADMIN_ADDR=0.0.0.0:0", "OTEL_EXPORTER_OTLP_ENDPOINT="+far.URL, "OTEL_BSP_SCHEDULE_DELAY=3600000"))
	_, port, _ := net.SplitHostPort(p.log.wait(t, `"admin_addr":"([^"]+)"`)[1])
	p.log.wait(t, "has a host that others than programs of this machine may reach")
	scrape(t, "http://127.0.0.1:"+port)
	const requests = 5
	for range requests {
		ask(t, p.url, "GET", "/healthz", "", "")
	}
	if sent.Load() > 0 {
		t.Fatal("the spans were sent before the end, which this test is about")
	}
	p.stop(t)
	if sent.Load() < requests {
		t.Errorf("%d spans were sent when the server ended", sent.Load())
	}
	if conn, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
		conn.Close()
		t.Error("the admin address is still there")
	}
}

// A server that stops serves on for the grace, and so does the admin address.
func TestAServerThatStopsIsStillWatched(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out by make quick: it starts a server")
	}
	seed := stytchtest.Development()
	stytch := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	p := startProcess(t, append(forStytch(stytch, seed, "GUESTPASS_DATABASE_URL=sqlite:"+t.TempDir()+"/stops.db",
		"GUESTPASS_ADMIN_ADDR=:0"), "GUESTPASS_STOP_GRACE=1m"))
	admin := p.log.wait(t, `"admin_addr":"([^"]+)"`)[1]
	for ask(t, p.url, "GET", "/readyz", "", "") != http.StatusOK {
	}
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for ask(t, p.url, "GET", "/readyz", "", "") == http.StatusOK {
	}
	scrape(t, "http://"+admin)
}

// Lines below the level are left out, and nothing else.
func TestTheLogHasTheLevelThatIsSaid(t *testing.T) {
	for level, want := range map[string]string{"": "IWE", "debug": "DIWE", "info": "IWE", "warn": "WE", "error": "E"} {
		var out bytes.Buffer
		log := newLog(&out, config{LogLevel: level}.level())
		log.Debug("x")
		log.Info("x")
		log.Warn("x")
		log.Error("x")
		got := ""
		for line := range strings.Lines(out.String()) {
			_, rest, _ := strings.Cut(line, `"level":"`)
			got += rest[:1]
		}
		if got != want {
			t.Errorf("%q: %s", level, got)
		}
	}
}
