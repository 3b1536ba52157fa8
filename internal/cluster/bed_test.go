package cluster_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"guestpass/internal/limits/redistest"
	"guestpass/stytchtest"
)

var whole = flag.Bool("whole", false, "run every scenario, at full length and with bounds that a slow machine may miss")

// binary is the program, as it is built for everybody; everything of this test is in a folder below root, with a path
// short enough for a socket's.
var binary, root string

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run()) // each test skips itself
	}
	code, err := prepareAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// guardOfRoot cleans up when its input ends, however this program has ended. The servers' own guards may come too late:
// they need the folder.
const guardOfRoot = `cat
for file in "$0"/*/data/postmaster.pid; do
	pid=$(head -n 1 "$file") && kill -QUIT $pid && kill -CONT $pid $(cat /proc/$pid/task/$pid/children)
done 2>/dev/null
rm -rf "$0"`

func prepareAndRun(m *testing.M) (code int, err error) {
	if root, err = os.MkdirTemp("/tmp", "guestpass-cluster-"); err != nil {
		return 1, err
	}
	guard := exec.Command("sh", "-c", guardOfRoot, root)
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	alive, err := guard.StdinPipe()
	if err == nil {
		err = guard.Start()
	}
	if err != nil {
		return 1, err
	}
	defer func() { _ = alive.Close(); _ = guard.Wait() }()
	if err := os.Chmod(root, 0o711); err != nil { // #nosec G302 -- Postgres runs as somebody else
		return 1, err
	}
	binary = filepath.Join(root, "guestpass")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/guestpass").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the program: %w: %s", err, out)
	}
	return m.Run(), nil
}

// onlyWhole is the beginning of scenarios that take too long for every day.
func onlyWhole(t *testing.T) {
	t.Helper()
	if !*whole {
		t.Skip("left out unless -whole: make cluster runs it")
	}
}

// The people of the bed, each for one purpose. Who is not of the seed is added to it.
const (
	acme   = "organization-test-aaaaaaaa-0000-4000-8000-000000000001"
	globex = "organization-test-bbbbbbbb-0000-4000-8000-000000000001"
	ada    = "member-test-aaaaaaaa-0000-4000-8000-000000000001" // writes all the time
	grace  = "member-test-aaaaaaaa-0000-4000-8000-000000000002" // has the locked row
	hank   = "member-test-bbbbbbbb-0000-4000-8000-000000000001" // reads, in another organization
	rita   = "member-test-eeeeeeee-0000-4000-8000-000000000001" // has revoked before the fault
	lea    = "member-test-eeeeeeee-0000-4000-8000-000000000002" // revokes during it
)

// A bed is three instances of the program behind haproxy, and what they stand on.
type bed struct {
	t         *testing.T
	seed      stytchtest.Seed
	stytch    *stytchtest.Server
	postgres  *postgres
	way       *way
	redis     *redistest.Server
	pooler    *program // nil: none
	environ   []string
	instances []*instance
	front     string // haproxy's URL
	admin     string // its socket
	client    *http.Client
}

// An instance is one process of the program. Its address changes when it is started anew.
type instance struct {
	name  string
	at    atomic.Pointer[string] // its URL
	out   atomic.Bool            // the scenario has taken it away: what is asked of it may fail
	logs  []*logBuffer
	began *program
}

func (i *instance) url() string     { return *i.at.Load() }
func (i *instance) move(url string) { i.at.Store(&url) }

// log is what all its processes wrote.
func (i *instance) log() string {
	var all strings.Builder
	for _, log := range i.logs {
		all.WriteString(log.String())
	}
	return all.String()
}

// end is the last of the log.
func (i *instance) end() string {
	all := i.log()
	return all[max(0, len(all)-2000):]
}

// prepareBed starts all but the instances.
func prepareBed(t *testing.T) *bed {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it needs Postgres, Redis and haproxy")
	}
	b := &bed{t: t, seed: stytchtest.Development(), client: &http.Client{Timeout: 40 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConnsPerHost: 300, MaxIdleConns: 1000}}}
	t.Cleanup(b.client.CloseIdleConnections)
	for name, id := range map[string]string{"rita": rita, "lea": lea} {
		member := b.seed.Members[1]
		member.ID, member.Email, member.Name = id, name+"@acme.example", name
		b.seed.Members = append(b.seed.Members, member)
	}
	b.stytch = stytchtest.NewServer(t, stytchtest.Options{Seed: &b.seed})
	b.postgres = newPostgres(t)
	b.way = newWay(t, b.postgres.socket())
	b.redis = redistest.Start(t)
	b.startBalancer()
	b.stytch.SetAuthorizationURL(b.front + "/idp")
	b.stytch.SetRedirectURLs(b.front + "/idp")
	environ := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return strings.HasPrefix(pair, "GUESTPASS_") || strings.HasPrefix(pair, "STYTCH_")
	})
	b.environ = append(environ, "GUESTPASS_LIMIT_ADDRESS=1000000", "GUESTPASS_LIMIT_MEMBER=1000000",
		"GUESTPASS_LIMIT_ORGANIZATION=1000000", "GUESTPASS_LIMIT_CLIENT=1000000", "GUESTPASS_QUOTA_TASKS=100000",
		"GUESTPASS_STOP_GRACE=2s", "GUESTPASS_PUBLIC_URL="+b.front, "GUESTPASS_ADDR=127.0.0.1:0",
		"GUESTPASS_TRUSTED_PROXIES=127.0.0.0/8", "GUESTPASS_REDIS_URL="+b.redis.URL(),
		"STYTCH_PROJECT_ID="+b.seed.Project.ID, "STYTCH_SECRET="+b.seed.Project.Secret,
		"STYTCH_PUBLIC_TOKEN="+b.seed.Project.PublicToken, "STYTCH_DOMAIN="+b.stytch.URL,
		"STYTCH_BASE_URL="+b.stytch.URL)
	for _, name := range instanceNames {
		b.instances = append(b.instances, &instance{name: name})
	}
	return b
}

var instanceNames = []string{"one", "two", "three"}

// newBed has three instances that are ready.
func newBed(t *testing.T) *bed {
	t.Helper()
	b := prepareBed(t)
	b.startAll(b.way.url())
	return b
}

// startAll starts all at once and waits until the balancer has them.
func (b *bed) startAll(database string) {
	b.t.Helper()
	for _, i := range b.instances {
		b.begin(i, database)
	}
	for _, i := range b.instances {
		b.listens(i)
	}
	b.ready(b.instances...)
}

// begin starts an instance's process.
func (b *bed) begin(i *instance, database string) {
	b.t.Helper()
	i.began = startProgram(b.t, nil, []string{binary, "serve"}, append(slices.Clone(b.environ),
		"GUESTPASS_DATABASE_URL="+database))
	i.logs = append(i.logs, i.began.log)
}

var listening = regexp.MustCompile(`"addr":"([^"]+)"`)

// listens waits until the instance listens, and has the balancer ask it there.
func (b *bed) listens(i *instance) {
	b.t.Helper()
	found := i.began.says(b.t, listening)
	if found == nil {
		b.t.Fatalf("instance %s has ended: %s", i.name, i.began.log)
	}
	i.move("http://" + found[1])
	b.tell(i)
}

// tell has the balancer ask the instance where it listens now.
func (b *bed) tell(i *instance) {
	b.t.Helper()
	host, port, err := net.SplitHostPort(strings.TrimPrefix(i.url(), "http://"))
	must(b.t, err)
	b.order(fmt.Sprintf("set server guestpass/%s addr %s port %s", i.name, host, port))
	b.order(fmt.Sprintf("set server guestpass/%s state ready", i.name))
}

// ready waits until the balancer sends calls to the instances.
func (b *bed) ready(instances ...*instance) {
	b.t.Helper()
	eventually(b.t, "the balancer has the instances", func() error {
		state := b.order("show stat")
		for _, i := range instances {
			if !regexp.MustCompile(`(?m)^guestpass,` + i.name + `,.*,UP,`).MatchString(state) {
				return fmt.Errorf("%s is not ready: %s", i.name, i.end())
			}
		}
		return nil
	})
	for _, i := range instances {
		i.out.Store(false)
	}
}

// restart starts an instance anew after it has ended, and waits until it has calls.
func (b *bed) restart(i *instance) {
	b.t.Helper()
	b.begin(i, b.way.url())
	b.listens(i)
	b.ready(i)
}

const balancerConfiguration = `global
  stats socket %[1]s/admin.sock level admin
defaults
  mode http
  option forwardfor
  option redispatch
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout check 2s
frontend front
  bind fd@3
  default_backend guestpass
backend guestpass
  option httpchk
  http-check send meth GET uri /readyz
  default-server inter 500ms fall 2 rise 1
  server one 127.0.0.1:1 check disabled
  server two 127.0.0.1:1 check disabled
  server three 127.0.0.1:1 check disabled
`

// startBalancer starts haproxy on a port that the system chooses: it is given the socket.
func (b *bed) startBalancer() {
	b.t.Helper()
	folder := newFolder(b.t)
	file := filepath.Join(folder, "haproxy.cfg")
	must(b.t, os.WriteFile(file, fmt.Appendf(nil, balancerConfiguration, folder), 0o600))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(b.t, err)
	defer listener.Close()
	socket, err := listener.(*net.TCPListener).File()
	must(b.t, err)
	defer socket.Close()
	b.front, b.admin = "http://"+listener.Addr().String(), filepath.Join(folder, "admin.sock")
	p := startProgram(b.t, nil, []string{find(b.t, "haproxy"), "-db", "-f", file}, os.Environ(), socket)
	eventually(b.t, "haproxy listens", func() error {
		_, err := os.Stat(b.admin)
		if err != nil && !p.running() {
			b.t.Fatal(p.log)
		}
		return err
	})
}

// order tells haproxy something and returns its answer.
func (b *bed) order(command string) string {
	b.t.Helper()
	connection, err := net.Dial("unix", b.admin)
	must(b.t, err)
	defer connection.Close()
	_, err = fmt.Fprintln(connection, command)
	must(b.t, err)
	answer, err := io.ReadAll(connection)
	must(b.t, err)
	return string(answer)
}

// token is one that Stytch could have issued to the member.
func (b *bed) token(member string) string {
	b.t.Helper()
	token, err := b.stytch.Mint(stytchtest.MintRequest{Subject: member,
		Scopes: []string{"openid", "tasks:read", "tasks:write", "members:read", "activity:read"}})
	must(b.t, err)
	return token
}

// An answer is what became of one call.
type answer struct {
	status     int // 0: none came
	retryAfter bool
	own        bool // it comes from an instance, not from the balancer
	location   string
	body       string
	took       time.Duration
	err        error
}

func (a answer) String() string {
	if a.err != nil {
		return a.err.Error()
	}
	return fmt.Sprintf("%d %.120s", a.status, a.body)
}

// call sends one request; header pairs are more than the token.
func (b *bed) call(ctx context.Context, method, address, token, body string, header ...string) (a answer) {
	start := time.Now()
	defer func() { a.took = time.Since(start) }()
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := b.client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, retryAfter: response.Header.Get("Retry-After") != "",
		own: response.Header.Get("X-Request-Id") != "", location: response.Header.Get("Location"),
		body: string(content), err: err}
}

// create makes a task and returns its id; "" if that was not acknowledged.
func (b *bed) create(ctx context.Context, at, token, title, key string) (id string, a answer) {
	body, _ := json.Marshal(map[string]string{"title": title})
	a = b.call(ctx, "POST", at+"/api/v1/tasks", token, string(body), "Idempotency-Key", key)
	var task struct {
		ID string `json:"task_id"`
	}
	if a.status == http.StatusCreated && json.Unmarshal([]byte(a.body), &task) == nil {
		id = task.ID
	}
	return id, a
}

// platform calls Stytch's API for servers.
func (b *bed) platform(path string, body map[string]any) (reply map[string]any) {
	b.t.Helper()
	content, _ := json.Marshal(body)
	r, err := http.NewRequest("POST", b.stytch.URL+path, strings.NewReader(string(content)))
	must(b.t, err)
	r.SetBasicAuth(b.seed.Project.ID, b.seed.Project.Secret)
	r.Header.Set("Content-Type", "application/json")
	response, err := b.client.Do(r)
	must(b.t, err)
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil || response.StatusCode != 200 {
		b.t.Fatalf("%s: %d %v %v", path, response.StatusCode, reply, err)
	}
	return reply
}

// A revocation is a button that is there to be pressed.
type revocation struct {
	b            *bed
	cookie, form string
	token        string // which it is to end
}

var (
	askPattern  = regexp.MustCompile(`href="(/account/revoke\?about=[^"]+)"`)
	formPattern = regexp.MustCompile(`name="form" value="([^"]+)">\s*<p class="actions"><button class="revoke">`)
)

// connect connects the member to the GPT and loads their account page; name is that of their address.
func (b *bed) connect(member, name string) revocation {
	b.t.Helper()
	app := b.seed.ConnectedApps[0]
	b.platform("/v1/b2b/idp/oauth/authorize", map[string]any{"organization_id": acme, "member_id": member,
		"client_id": app.ClientID, "redirect_uri": app.RedirectURLs[0], "response_type": "code",
		"consent_granted": true, "scopes": []string{"openid", "tasks:read", "tasks:write"}, "state": "s"})
	session := b.platform("/v1/b2b/passwords/authenticate", map[string]any{"organization_id": acme,
		"email_address": name + "@acme.example", "password": stytchtest.DevelopmentPassword,
		"session_duration_minutes": 60})
	r := revocation{b: b, cookie: "stytch_session=" + session["session_token"].(string), token: b.token(member)}
	path := "/account"
	for _, next := range []*regexp.Regexp{askPattern, formPattern} {
		page := b.call(b.t.Context(), "GET", b.instances[0].url()+path, "", "", "Cookie", r.cookie)
		found := next.FindStringSubmatch(page.body)
		if found == nil {
			b.t.Fatalf("there is no button at %s: %s", path, page)
		}
		path, r.form = found[1], found[1]
	}
	return r
}

// press presses the button at one instance.
func (r revocation) press(i *instance) answer {
	return r.b.call(r.b.t.Context(), "POST", i.url()+"/account/revoke", "", url.Values{"form": {r.form}}.Encode(),
		"Content-Type", "application/x-www-form-urlencoded", "Cookie", r.cookie, "Sec-Fetch-Site", "same-origin",
		"Origin", "null")
}

// pressed says what is wrong with the answer to a button that was pressed.
func pressed(a answer) error {
	if a.status != http.StatusSeeOther || !strings.Contains(a.location, "revoked=") {
		return fmt.Errorf("the revocation: %s", a)
	}
	return nil
}

// seen waits until every instance refuses the token, and returns how long that took.
func (b *bed) seen(token string, limit time.Duration) (took time.Duration, err error) {
	start := time.Now()
	err = within(limit, func() error {
		for _, i := range b.instances {
			if a := b.call(b.t.Context(), "GET", i.url()+"/api/v1/tasks", token, ""); a.status != 401 {
				return fmt.Errorf("instance %s: %s", i.name, a)
			}
		}
		return nil
	})
	return time.Since(start), err
}

// terminate asks an instance to stop, as a deployment does, and waits.
func (b *bed) terminate(i *instance) {
	b.t.Helper()
	i.began.signal(b.t, syscall.SIGTERM)
	select {
	case <-i.began.ended:
	case <-time.After(patience):
		b.t.Fatalf("instance %s does not stop", i.name)
	}
}
