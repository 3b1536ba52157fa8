//go:build linux && !production

package cli

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/stytchtest"
)

// greetings are two operations that differ in nothing but whether they need a token.
func greetings() api.Resource {
	type output struct {
		Body struct {
			Greeting string `json:"greeting" doc:"The greeting"`
		}
	}
	greet := func(context.Context, *struct{}) (*output, error) {
		out := &output{}
		out.Body.Greeting = "Hello!"
		return out, nil
	}
	return api.Resource{Name: "greetings", Basic: true, Register: func(s *api.Service) {
		api.Register(s, api.Operation{ID: "greetAnybody", Method: http.MethodGet, Path: "/api/v1/greetings/anybody",
			Summary: "Greet anybody", Description: "Returns a greeting.", Access: auth.Public}, greet)
		api.Register(s, api.Operation{ID: "greetPerson", Method: http.MethodGet, Path: "/api/v1/greetings/person",
			Summary: "Greet a person", Description: "Returns a greeting.", Access: auth.Scope("openid")}, greet)
	}}
}

// filesForTests names a folder that the process for other tests serves by net/http's file server, beside Guestpass and
// through nothing of it.
const filesForTests = "GUESTPASS_FILES_FOR_TESTS"

// TestServeForBenchmarks is no test but the process that BenchmarkServe measures.
func TestServeForBenchmarks(t *testing.T) {
	folder := os.Getenv(filesForTests)
	if folder == "" {
		return // run with the others, it has nothing to do
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(os.Stderr, "files at %s.\n", listener.Addr())
	go func() { _ = http.Serve(listener, http.FileServer(http.Dir(folder))) }()
	offered = append(slices.Clone(offered), greetings())
	collectSeldom("")
	environ := slices.DeleteFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, filesForTests) })
	os.Exit(run(t.Context(), []string{"serve"}, environ, io.Discard, os.Stderr))
}

// cpu returns the processor time that a process has used so far, that of threads that have ended included.
func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	const cpuclockSched = 2 // the clock of a process, as clock_getcpuclockid(3) makes it
	var spent unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|cpuclockSched), &spent); err != nil {
		b.Fatal(err)
	}
	return time.Duration(spent.Nano())
}

// A question is what is asked again and again, on connections that stay open.
type question struct {
	name, host, path, token string
	header                  []string // further lines
	status                  int
}

func (q question) bytes() []byte {
	lines := append([]string{"GET " + q.path + " HTTP/1.1", "Host: localhost"}, q.header...)
	if q.token != "" {
		lines = append(lines, "Authorization: Bearer "+q.token)
	}
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}

// askers are the connections of one question.
type askers []*asker

type asker struct {
	net.Conn
	*bufio.Reader
}

func (q question) connect(b *testing.B) (all askers) {
	b.Helper()
	const connections = 8 // enough that the server seldom has nothing to do
	for range connections {
		conn, err := net.Dial("tcp", q.host)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		all = append(all, &asker{conn, bufio.NewReaderSize(conn, 64<<10)})
	}
	return all
}

// ask sends the question so often on each connection.
func (all askers) ask(b *testing.B, q question, times int) {
	b.Helper()
	sent := q.bytes()
	var group sync.WaitGroup
	for _, one := range all {
		group.Go(func() {
			for range times {
				if _, err := one.Conn.Write(sent); err != nil {
					b.Error(err)
					return
				}
				response, err := http.ReadResponse(one.Reader, nil)
				if err != nil {
					b.Error(err)
					return
				}
				body, err := io.ReadAll(response.Body)
				if err != nil || response.StatusCode != q.status {
					b.Errorf("%s: %d %.200s %v", q.name, response.StatusCode, body, err)
					return
				}
			}
		})
	}
	group.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// BenchmarkServe measures the processor time that `guestpass serve`, a process of its own on one processor, takes for
// a request over loopback, and prints one table. The questions are asked in turns, so that whatever else the machine
// does meets all of them alike: compare the ratios of one run. Each -benchtime iteration is one such turn.
func BenchmarkServe(b *testing.B) {
	token, server, files := measured(b)
	asked := questions(b, token, server, files)
	connections, spent := make([]askers, len(asked)), make([][]float64, len(asked))
	for i, q := range asked {
		connections[i] = q.connect(b)
		connections[i].ask(b, q, 20)
	}
	const times = 100
	for b.Loop() {
		for i, q := range asked {
			before := cpu(b, server.command.Process.Pid)
			connections[i].ask(b, q, times)
			took := cpu(b, server.command.Process.Pid) - before
			spent[i] = append(spent[i], float64(took.Nanoseconds())/1000/float64(times*len(connections[i])))
			server.log.forget()
		}
	}
	report(b, asked, spent)
	b.ReportMetric(resident(b, server.command.Process.Pid), "MB-resident")
}

// report prints the table: the median of the turns.
func report(b *testing.B, asked []question, spent [][]float64) {
	var table strings.Builder
	base := 0.0
	for i, q := range asked {
		if q.name == publicOperation {
			base = median(spent[i])
		}
	}
	fmt.Fprintf(&table, "\n%-36s %12s %10s\n", "one request", "µs of CPU", "ratio")
	for i, q := range asked {
		fmt.Fprintf(&table, "%-36s %12.1f %10.2f\n", q.name, median(spent[i]), median(spent[i])/base)
	}
	fmt.Println(table.String()) // b.Log would cut it
	b.ReportMetric(base, "public-µs")
}

func median(of []float64) float64 {
	if len(of) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(of))[len(of)/2]
}

const publicOperation = "public operation"

// measured starts what is measured: an emulator in this process, the server in one of its own.
func measured(b *testing.B) (token string, server *process, files string) {
	b.Helper()
	seed := stytchtest.Development()
	stytch := stytchtest.NewServer(b, stytchtest.Options{Seed: &seed})
	folder := b.TempDir()
	server = &process{command: exec.Command(os.Args[0], "-test.run", "^TestServeForBenchmarks$"), log: newFollower()}
	server.command.Env = append(forStytch(stytch, seed, "GUESTPASS_DATABASE_URL=sqlite:"+b.TempDir()+"/speed.db"),
		filesForTests+"="+folder, "GOMAXPROCS=1", "GOGC=")
	server.command.Stderr = server.log
	if err := server.command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.command.Process.Kill(); _ = server.command.Wait() })
	files = server.log.wait(b, `files at ([^ ]+)\.\n`)[1]
	server.url = "http://" + server.log.wait(b, `"addr":"([^"]+)"`)[1]
	for name, encoding := range map[string]string{"openapi.json": "identity", "openapi.json.gz": "gzip"} {
		content := fetch(b, server.url+"/openapi.json", encoding)
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return tokenOf(b, stytch, seed.Members[0].ID), server, files
}

// fetch returns the bytes as they came, in that encoding.
func fetch(b *testing.B, url, encoding string) []byte {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", encoding)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("%s: %d %v", url, response.StatusCode, err)
	}
	return content
}

func questions(b *testing.B, token string, server *process, files string) []question {
	b.Helper()
	l := newLoad(1, server.to, nil)
	status, _, body, err := l.call(job{method: "POST", path: "/api/v1/tasks", token: token,
		body: `{"title":"Measure"}`})
	if err != nil || status != http.StatusCreated {
		b.Fatal(status, body, err)
	}
	task := regexp.MustCompile(`"task_id":"([^"]+)"`).FindStringSubmatch(body)[1]
	host := strings.TrimPrefix(server.url, "http://")
	asked := []question{
		{name: "/healthz", path: "/healthz"},
		{name: publicOperation, path: "/api/v1/next-steps"},
		{name: "a greeting for anybody", path: "/api/v1/greetings/anybody"},
		{name: "a greeting for a person", path: "/api/v1/greetings/person", token: token},
		{name: "getTask (SQLite)", path: "/api/v1/tasks/" + task, token: token},
		{name: "listTasks (SQLite)", path: "/api/v1/tasks", token: token},
		{name: "getUserInfo", path: "/api/v1/userinfo", token: token},
		{name: "listMembers", path: "/api/v1/members", token: token},
		{name: "a 401, without a token", path: "/api/v1/userinfo", status: http.StatusUnauthorized},
		{name: "a 401, of a forged token", path: "/api/v1/userinfo", token: forged(token),
			status: http.StatusUnauthorized},
		{name: "/openapi.json, as it is", path: "/openapi.json"},
		{name: "the same by net/http's file server", host: files, path: "/openapi.json"},
		{name: "/openapi.json, gzip", path: "/openapi.json", header: []string{"Accept-Encoding: gzip"}},
		{name: "the same by net/http's file server", host: files, path: "/openapi.json.gz"},
	}
	for i := range asked {
		q := &asked[i]
		if q.host == "" {
			q.host = host
		}
		if q.status == 0 {
			q.status = http.StatusOK
		}
	}
	return asked
}

// BenchmarkStart measures what the program for production, with SQLite, takes from its start to the first 200 of
// /readyz, in time and in processor time, which a busy machine leaves alone, and how much memory it has then, with
// nothing to do.
func BenchmarkStart(b *testing.B) {
	seed := stytchtest.Development()
	stytch := stytchtest.NewServer(b, stytchtest.Options{Seed: &seed})
	path := filepath.Join(b.TempDir(), "guestpass")
	build := exec.Command("go", "build", "-tags", "production", "-trimpath", "-ldflags", "-s -w", "-o", path,
		"../cmd/guestpass")
	if output, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, output)
	}
	old := b.TempDir() + "/old.db"
	startOnce(b, path, forStytch(stytch, seed, "GUESTPASS_DATABASE_URL=sqlite:"+old))
	took, worked, used := map[string][]float64{}, map[string][]float64{}, []float64{}
	for b.Loop() {
		for kind, database := range map[string]string{"new": b.TempDir() + "/new.db", "existing": old} {
			s := startOnce(b, path, forStytch(stytch, seed, "GUESTPASS_DATABASE_URL=sqlite:"+database))
			took[kind], used = append(took[kind], s.ready.Seconds()*1000), append(used, s.resident)
			worked[kind] = append(worked[kind], s.cpu.Seconds()*1000)
		}
	}
	b.ReportMetric(median(took["new"]), "ms-new-file")
	b.ReportMetric(median(took["existing"]), "ms-existing-file")
	b.ReportMetric(median(worked["new"]), "cpu-ms-new-file")
	b.ReportMetric(median(worked["existing"]), "cpu-ms-existing-file")
	b.ReportMetric(median(used), "MB-resident")
}

// A started is what a server has taken once it is ready.
type started struct {
	ready, cpu time.Duration
	resident   float64 // megabytes
}

func startOnce(b *testing.B, path string, environ []string) (s started) {
	b.Helper()
	p := &process{command: exec.Command(path, "serve"), log: newFollower()}
	p.command.Env, p.command.Stderr = environ, p.log
	start := time.Now()
	if err := p.command.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = p.command.Process.Kill(); _ = p.command.Wait() }()
	p.url = "http://" + p.log.wait(b, `"addr":"([^"]+)"`)[1]
	for status := 0; status != http.StatusOK; {
		response, err := http.Get(p.url + "/readyz")
		if err != nil {
			b.Fatal(err)
		}
		status = response.StatusCode
		_ = response.Body.Close()
	}
	s.ready, s.cpu = time.Since(start), cpu(b, p.command.Process.Pid)
	for before := math.Inf(1); ; before = s.resident { // until what starting took is given back
		time.Sleep(200 * time.Millisecond)
		if s.resident = resident(b, p.command.Process.Pid); s.resident > before-0.1 {
			return s
		}
	}
}

// resident returns how many megabytes a process has in memory, those of the program's own file included.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		b.Fatal(err)
	}
	fields := bytes.Fields(regexp.MustCompile(`VmRSS:.*`).Find(text))
	kilobytes, err := strconv.ParseFloat(string(fields[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return kilobytes * 1024 / 1e6
}
