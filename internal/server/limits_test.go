package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/internal/limits"
	"guestpass/internal/limits/redistest"
	"guestpass/internal/server"
	"guestpass/stytchtest"
)

// limited replaces the roomy limits of the tests.
func limited(t testing.TB, o limits.Options) func(*server.Options) {
	t.Helper()
	l, err := limits.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return func(options *server.Options) { options.Limits = l }
}

func isLimited(t *testing.T, r reply, policy string, quota int) {
	t.Helper()
	wantPolicy, want := fmt.Sprintf("%q;q=%d;w=60", policy, quota), fmt.Sprintf("%q;r=0;t=%s", policy, r.header.Get("Retry-After"))
	if r.status != 429 || r.header.Get("Retry-After") == "" || r.header.Get("RateLimit-Policy") != wantPolicy || r.header.Get("RateLimit") != want ||
		r.header.Get("Content-Type") != "application/problem+json" || r.header.Get("Cache-Control") != "no-store" || !strings.Contains(r.body, "Retry-After") {
		t.Errorf("%d %v %s\nwant a problem with 429, Retry-After, RateLimit-Policy: %s and RateLimit: %s", r.status, r.header, r.body, wantPolicy, want)
	}
}

// Every operation counts, and the one after the last is refused, whichever it is.
func TestCallsOfAMemberAreLimited(t *testing.T) {
	w := newWorld(t, limited(t, limits.Options{Member: 5}))
	token := w.token(ada, "openid", "tasks:read", "tasks:write")
	for i := range 5 {
		if r := w.call("GET", "/api/v1/userinfo", token, ""); r.status != 200 {
			t.Fatalf("call %d: %d %s", i+1, r.status, r.body)
		}
	}
	isLimited(t, w.call("GET", "/api/v1/userinfo", token, ""), "member", 5)
	isLimited(t, w.call("POST", "/api/v1/tasks", w.token(ada, "tasks:write"), `{"title":"x"}`), "member", 5) // another token of the same person
	isLimited(t, w.call("GET", "/api/v1/members", token, ""), "member", 5)                                   // before the scope
	if r := w.call("GET", "/api/v1/userinfo", w.token(grace, "openid"), ""); r.status != 200 {
		t.Errorf("another member: %d", r.status)
	}
	if r := w.call("GET", "/api/v1/next-steps", "", ""); r.status != 200 {
		t.Errorf("a public operation: %d", r.status)
	}
	if strings.Count(w.log.String(), `"policy":"member"`) != 3 {
		t.Errorf("the log does not say which limit: %s", w.log)
	}
}

// One call more than each limit admits is refused with all headers, whichever operation it is.
func TestEveryOperationIsLimited(t *testing.T) {
	const quota = 3
	refused := 0
	for policy, o := range map[string]limits.Options{"member": {Member: quota}, "organization": {Organization: quota},
		"client": {Client: quota}, "address": {Address: quota}} {
		w := newWorld(t, limited(t, o))
		token := w.token(ada, everything...)
		if policy == "address" {
			token = "" // what brings a good one does not count there
		}
		for i := range quota {
			if r := w.call("GET", "/api/v1/userinfo", token, ""); r.status == 429 {
				t.Fatalf("%s: call %d of %d is refused", policy, i+1, quota)
			}
		}
		for _, op := range w.app.Operations() {
			if op.Access.IsPublic() && policy != "address" {
				continue
			}
			if isLimited(t, w.call(op.Method, op.Path, token, ""), policy, quota); t.Failed() {
				t.Fatalf("%s, policy %s", op.ID, policy)
			}
			refused++
		}
	}
	t.Logf("%d calls beyond a limit, of every operation and policy: 429 with all headers %d", refused, refused)
}

func TestInstancesShareLimitsThroughRedis(t *testing.T) {
	redis := redistest.Start(t)
	o := limits.Options{Member: 5, RedisURL: redis.URL()}
	one, two := newWorld(t, limited(t, o)), newWorld(t, limited(t, o))
	for _, w := range []*world{one, two, one, two, one} {
		if r := w.call("GET", "/api/v1/userinfo", w.token(ada, "openid"), ""); r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	isLimited(t, two.call("GET", "/api/v1/userinfo", two.token(ada, "openid"), ""), "member", 5)
}

// ChatGPT's calls come from few addresses for everybody: what brings a valid token does
// not count there, however much it is.
func TestAnAddressIsLimitedByWhatBringsNoValidToken(t *testing.T) {
	w := newWorld(t, limited(t, limits.Options{Address: 5}))
	for i := range 20 {
		if r := w.call("GET", "/api/v1/userinfo", w.token(ada, "openid"), ""); r.status != 200 {
			t.Fatalf("call %d with a token: %d", i+1, r.status)
		}
	}
	for i, path := range []string{"/api/v1/userinfo", "/api/v1/next-steps", "/idp", "/openapi.json", "/nothing"} {
		if r := w.call("GET", path, "", ""); r.status == 429 {
			t.Fatalf("request %d without a token: %d", i+1, r.status)
		}
	}
	isLimited(t, w.call("GET", "/api/v1/userinfo", "x.y.z", ""), "address", 5)
	isLimited(t, w.call("GET", "/", "", ""), "address", 5)
	isLimited(t, w.call("POST", "/oauth2/token", "", ""), "address", 5)
	for _, path := range []string{"/healthz", "/readyz"} {
		if r := w.call("GET", path, "", ""); r.status == 429 {
			t.Errorf("%s: %d", path, r.status)
		}
	}
}

// Where many people share an address, a visitor who uses it up does not end the calls of
// those whose tokens were verified: that is all that passes.
func TestAUsedUpAddressAdmitsTokensThatWereVerified(t *testing.T) {
	const many = 20
	w := newWorld(t, limited(t, limits.Options{Address: many, Member: 8}))
	w.consent(grace)
	token, revoked := w.token(ada, "openid", "tasks:read"), w.token(grace, everything...)
	if r := w.call("GET", "/api/v1/userinfo", token, ""); r.status != 200 || w.reads(revoked) != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	p := w.signIn(grace)
	if status := p.revoke(p.form(gptName())).status; status != 303 {
		t.Fatalf("revoke: %d", status)
	}
	for range many {
		w.call("GET", "/nothing", "", "")
	}
	if status := w.reads(revoked); status != 401 {
		t.Errorf("a revoked token: %d", status)
	}
	for i := range 7 {
		if r := w.call("GET", "/api/v1/userinfo", token, ""); r.status != 200 {
			t.Errorf("call %d with a token that was verified: %d %s", i+1, r.status, r.body)
		}
	}
	isLimited(t, w.call("GET", "/api/v1/userinfo", token, ""), "member", 8)
	forged := token[:len(token)-10] + "AAAAAAAAAA"
	for path, tokens := range map[string][]string{
		"/api/v1/userinfo":   {"", "x.y.z", forged, w.token(hank, "openid")},
		"/api/v1/next-steps": {"", token},
		"/idp":               {"", token},
		"/openapi.json":      {"", token},
		"/nothing":           {token},
	} {
		for _, token := range tokens {
			isLimited(t, w.call("GET", path, token, ""), "address", many)
		}
	}
	w.stytch.Advance(5 * time.Minute)
	isLimited(t, w.call("GET", "/api/v1/userinfo", token, ""), "address", many)
}

// What a proxy writes wrongly must not silently make one address of everybody.
func TestAnAddressThatCannotBeReadIsLoggedOnce(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	from := func(address string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Forwarded-For", address) }
	}
	w.call("GET", "/nothing", "", "", from("192.0.2.1"))
	w.call("GET", "/healthz", "", "")
	if strings.Contains(w.log.String(), "cannot be read") {
		t.Errorf("an address that can be read: %s", w.log)
	}
	for range 3 {
		w.call("GET", "/nothing", "", "", from("192.0.2.1:4711"))
	}
	if n := strings.Count(w.log.String(), "a client's address cannot be read"); n != 1 {
		t.Errorf("logged %d times: %s", n, w.log)
	}
}

func TestForwardedAddressesAreBelievedOfTrustedProxiesOnly(t *testing.T) {
	spoofed := []http.Header{}
	for i := range 10 {
		address := fmt.Sprintf("198.51.100.%d", i)
		spoofed = append(spoofed, http.Header{"X-Forwarded-For": {address}}, http.Header{"X-Forwarded-For": {"10.0.0.1, " + address}},
			http.Header{"X-Real-Ip": {address}}, http.Header{"Forwarded": {"for=" + address}}, http.Header{"True-Client-Ip": {address}})
	}
	tried, moved := 0, 0
	defer func() { t.Logf("%d requests with a spoofed address: %d moved a limit", tried, moved) }()
	isRefused := func(t *testing.T, what any, status int) {
		if tried++; status != 429 {
			moved++
			t.Errorf("%v moves the limit: %d", what, status)
		}
	}
	send := func(w *world, header http.Header, remote string) int {
		r, recorded := httptest.NewRequest("GET", "/nothing", nil), httptest.NewRecorder()
		r.Header, r.RemoteAddr = header, remote
		w.app.ServeHTTP(recorded, r)
		return recorded.Code
	}
	t.Run("without a proxy", func(t *testing.T) {
		w := newWorld(t, limited(t, limits.Options{Address: 1}))
		send(w, http.Header{}, "192.0.2.1:1")
		for _, header := range spoofed {
			isRefused(t, header, send(w, header, "192.0.2.1:2"))
		}
		if status := send(w, http.Header{}, "192.0.2.2:1"); status != 404 {
			t.Errorf("another address: %d", status)
		}
	})
	t.Run("behind one", func(t *testing.T) {
		w := newWorld(t, limited(t, limits.Options{Address: 1}), func(o *server.Options) {
			o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		})
		for _, client := range []string{"192.0.2.1", "192.0.2.2"} {
			through := func(said string) int {
				return send(w, http.Header{"X-Forwarded-For": {said + client + ", 10.0.0.7"}}, "10.0.0.8:1")
			}
			if status := through(""); status != 404 {
				t.Errorf("%s through the proxy: %d", client, status)
			}
			for i := range 20 {
				isRefused(t, "an address before that of "+client, through(fmt.Sprintf("198.51.100.%d, ", i)))
			}
		}
		send(w, http.Header{}, "203.0.113.1:1")
		for _, header := range spoofed {
			isRefused(t, fmt.Sprint("past the proxy ", header), send(w, header, "203.0.113.1:2"))
		}
	})
}

// waiting adds an operation that ends when it is let, or its time is over.
func waiting(t *testing.T, arrived chan<- struct{}, let <-chan struct{}) func(*server.Options) {
	t.Helper()
	return func(o *server.Options) {
		o.Resources = ownOperations(func(s *api.Service) {
			type output struct{ Body struct{} }
			api.Register(s, api.Operation{ID: "getPatience", Method: http.MethodGet, Path: "/api/v1/patience",
				Summary: "Wait", Description: "Waits.", Access: auth.Public,
			}, func(ctx context.Context, _ *struct{}) (*output, error) {
				if arrived != nil {
					arrived <- struct{}{}
				}
				select {
				case <-let:
					return &output{}, nil
				case <-ctx.Done():
					return nil, fmt.Errorf("wait: %w", ctx.Err())
				}
			})
		})
	}
}

// Requests count for their address when they arrive: whoever sends many slow ones at once
// is not limited only after they have ended.
func TestRequestsCountForTheirAddressBeforeTheyEnd(t *testing.T) {
	const most = 5
	arrived, let := make(chan struct{}), make(chan struct{})
	w := newWorld(t, limited(t, limits.Options{Address: most}), waiting(t, arrived, let))
	done := make(chan struct{})
	for range most {
		go func() {
			w.call("GET", "/api/v1/patience", "", "")
			done <- struct{}{}
		}()
		<-arrived
	}
	isLimited(t, w.call("GET", "/nothing", "", ""), "address", most)
	close(let)
	for range most {
		<-done
	}
}

func TestTooManyOperationsAtOnceAreRefusedQuickly(t *testing.T) {
	const places = 4
	arrived, let := make(chan struct{}), make(chan struct{})
	w := newWorld(t, limited(t, limits.Options{InFlight: places}), waiting(t, arrived, let))
	w.call("GET", "/api/v1/userinfo", w.token(ada, "openid"), "") // loads the keys, without which the server is not ready
	var answered atomic.Int64
	done := make(chan struct{})
	for range places {
		go func() {
			if w.call("GET", "/api/v1/patience", "", "").status == 200 {
				answered.Add(1)
			}
			done <- struct{}{}
		}()
	}
	for range places {
		<-arrived
	}
	w.call("GET", "/api/v1/patience", "", "") // waits for a place in vain
	for _, path := range []string{"/api/v1/patience", "/api/v1/next-steps"} {
		start := time.Now()
		r := w.call("GET", path, "", "")
		took := time.Since(start)
		if r.status != 503 || r.header.Get("Retry-After") != "1" || r.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %v %s", path, r.status, r.header, r.body)
		}
		if took > 200*time.Millisecond { // not the queue's 250; package limits measures the wait itself: none
			t.Errorf("%s is refused after %s", path, took)
		}
	}
	if r := w.call("GET", "/healthz", "", ""); r.status != 200 {
		t.Errorf("/healthz: %d", r.status)
	}
	if r := w.call("GET", "/readyz", "", ""); r.status != 200 {
		t.Errorf("/readyz: %d %s", r.status, r.body)
	}
	close(let)
	for range places {
		<-done
	}
	if answered.Load() != places {
		t.Errorf("%d of %d operations under way were answered", answered.Load(), places)
	}
	if r := w.call("GET", "/api/v1/next-steps", "", ""); r.status != 200 {
		t.Errorf("afterwards: %d", r.status)
	}
}

// A token that was revoked, because it was stolen perhaps, is nobody's: it uses up the
// requests of the address that sends it, not the calls of its former owner.
func TestARevokedTokenCountsForTheAddressOnly(t *testing.T) {
	const many, calls = 30, 5
	w := newWorld(t, limited(t, limits.Options{Address: many, Member: calls}))
	w.consent(grace)
	stolen, p := w.token(grace, everything...), w.signIn(grace)
	if status := p.revoke(p.form(gptName())).status; status != 303 {
		t.Fatalf("revoke: %d", status)
	}
	for i := range calls {
		if status := w.reads(stolen); status != 401 {
			t.Errorf("call %d with the revoked token: %d", i+1, status)
		}
	}
	w.stytch.Advance(10 * time.Second)
	w.reads(w.token(ada, everything...)) // has the revocations read again, as Run does every second
	renewed := w.token(grace, everything...)
	for i := range calls {
		if status := w.reads(renewed); status != 200 {
			t.Errorf("call %d of the person who has connected again: %d", i+1, status)
		}
	}
	for range many {
		w.reads(stolen)
	}
	isLimited(t, w.call("GET", "/nothing", "", ""), "address", many)
}

// Stytch is asked about a token for those only who may call the operation.
func TestNobodyIsIntrospectedInVain(t *testing.T) {
	app := stytchtest.Development().ConnectedApps[0]
	w := newWorld(t, func(o *server.Options) {
		o.Introspect, o.ClientSecrets = true, map[string]string{app.ClientID: app.ClientSecret}
	})
	introspections := func() (number int) {
		for _, r := range w.stytch.Requests() {
			if strings.HasSuffix(r.Path, "/introspect") {
				number++
			}
		}
		return number
	}
	create := func(scope string) int {
		return w.call("POST", "/api/v1/tasks", w.token(ada, scope), `{"title":"x"}`).status
	}
	if status := create("tasks:read"); status != 403 || introspections() != 0 {
		t.Errorf("without the scope: %d after %d introspections", status, introspections())
	}
	if status := create("tasks:write"); status != 201 || introspections() != 1 {
		t.Errorf("with it: %d after %d introspections", status, introspections())
	}
}

// An operation that looks whether another one would be admitted does so in its own place:
// when all were taken by such ones, none could go on.
func TestAnUndoTakesOnePlace(t *testing.T) {
	w := newWorld(t, limited(t, limits.Options{InFlight: 1}))
	p := w.as(ada)
	p.create(`{"title":"x"}`)
	created := p.do(200, "GET", "/api/v1/activity", "")["activities"].([]any)[0].(map[string]any)
	p.do(200, "POST", "/api/v1/activity/"+created["activity_id"].(string)+"/undo", "")
}

// While Stytch is slow, those who need it wait, are refused when they are too many, and
// leave places for those who do not.
func TestWhoNeedsNoStytchDoesNotWaitForIt(t *testing.T) {
	w := newWorld(t, limited(t, limits.Options{InFlight: 4}))
	token := w.token(ada, "members:read", "tasks:read")
	if r := w.call("GET", "/api/v1/tasks", token, ""); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/organizations/members/search", Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan int)
	const callers, waiting = 8, 2 // half of the places
	for range callers {
		go func() {
			r, _ := http.NewRequestWithContext(ctx, "GET", w.url+"/api/v1/members", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			response, err := http.DefaultClient.Do(r)
			if err != nil { // given up by us, in the end
				answers <- 0
				return
			}
			response.Body.Close()
			answers <- response.StatusCode
		}()
	}
	for range callers - waiting {
		if status := <-answers; status != 503 {
			t.Errorf("too many wait for Stytch: %d", status)
		}
	}
	for i := range 10 {
		if r := w.call("GET", "/api/v1/tasks", token, ""); r.status != 200 {
			t.Errorf("read %d beside them: %d %s", i+1, r.status, r.body)
		}
	}
	cancel()
	for range waiting {
		if status := <-answers; status != 0 {
			t.Errorf("one of those who wait got %d", status)
		}
	}
}

// A client that is slow with its body holds no place: else a few would keep everybody out.
func TestWhoIsSlowHoldsNoPlace(t *testing.T) {
	w := newWorld(t, limited(t, limits.Options{InFlight: 1}))
	token := w.token(ada, "tasks:read", "tasks:write")
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct{ path, kind string }{{"/api/v1/tasks", "application/json"}, {"/api/v1/tasks", form}, {"/oauth2/token", form}} {
		body := &slowBody{began: make(chan struct{}), finish: make(chan struct{})}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r := httptest.NewRequest("POST", tt.path, body)
			r.Header.Set("Content-Type", tt.kind)
			r.Header.Set("Authorization", "Bearer "+token)
			w.app.ServeHTTP(httptest.NewRecorder(), r)
		}()
		<-body.began
		if r := w.call("GET", "/api/v1/tasks", token, ""); r.status != 200 {
			t.Errorf("while a %s comes slowly to %s: %d %s", tt.kind, tt.path, r.status, r.body)
		}
		close(body.finish)
		<-ended
	}
}

type slowBody struct{ began, finish chan struct{} }

func (b *slowBody) Read([]byte) (int, error) {
	close(b.began)
	<-b.finish
	return 0, fmt.Errorf("gone")
}

// An operation has 20 seconds, and says so when they are over.
func TestAnOperationHasTwentySeconds(t *testing.T) {
	w := newWorld(t, waiting(t, nil, nil))
	synctest.Test(t, func(t *testing.T) {
		recorded, start := httptest.NewRecorder(), time.Now()
		w.app.ServeHTTP(recorded, httptest.NewRequest("GET", "/api/v1/patience", nil))
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("answered after %s", took)
		}
		if recorded.Code != 503 || recorded.Header().Get("Retry-After") == "" || !strings.Contains(recorded.Body.String(), "could not finish this in time") {
			t.Errorf("%d %v %s", recorded.Code, recorded.Header(), recorded.Body)
		}
	})
}

// Bodies and headers at their limits, and one beyond.
func TestSizesAreExact(t *testing.T) {
	w := newWorld(t)
	w.url = serveAsInProduction(t, w.app)
	token := w.token(ada, "tasks:read", "tasks:write")
	padded := func(size int) string { // JSON of exactly so many bytes
		const body = `{"title":"padded"}`
		return body + strings.Repeat(" ", size-len(body))
	}
	nested := func(depth int) string {
		return `{"title":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
	}
	chunked := func(r *http.Request) { r.ContentLength = -1 }
	header := func(size int) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Padding", strings.Repeat("x", size)) }
	}
	for _, tt := range []struct {
		name   string
		path   string
		body   string
		change []func(*http.Request)
		want   int
	}{
		{"a body of 100,000 characters", "/api/v1/tasks", padded(100_000), nil, 201},
		{"a body of 131,072 bytes", "/api/v1/tasks", padded(131_072), nil, 201},
		{"a body of 131,073 bytes", "/api/v1/tasks", padded(131_073), nil, 413},
		{"a body of 131,072 bytes without a length", "/api/v1/tasks", padded(131_072), []func(*http.Request){chunked}, 201},
		{"a body of 131,073 bytes without a length", "/api/v1/tasks", padded(131_073), []func(*http.Request){chunked}, 413},
		{"a body of a megabyte", "/api/v1/tasks", padded(1 << 20), nil, 413},
		{"nested 16 deep: what is wrong is the title", "/api/v1/tasks", nested(16), nil, 422},
		{"nested 17 deep", "/api/v1/tasks", nested(17), nil, 400},
		{"nested 60,000 deep", "/api/v1/tasks", nested(60_000), nil, 400},
		{"a token request of 8,193 bytes", "/oauth2/token", "code=" + strings.Repeat("x", 8_188), []func(*http.Request){form}, 413},
		{"headers of 15 KiB", "/api/v1/tasks", `{"title":"headers"}`, []func(*http.Request){header(15 << 10)}, 201},
		{"headers of 24 KiB", "/api/v1/tasks", `{"title":"headers"}`, []func(*http.Request){header(24 << 10)}, 431},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := w.call("POST", tt.path, token, tt.body, tt.change...); r.status != tt.want {
				t.Errorf("%d %s, want %d", r.status, r.body, tt.want)
			}
		})
	}
}

// serveAsInProduction returns the address of a server with the real one's limits.
func serveAsInProduction(t *testing.T, handler http.Handler) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener, handler, slog.New(slog.DiscardHandler), 0) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "http://" + listener.Addr().String()
}

func form(r *http.Request) {
	r.Header.Del("Authorization")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
}

// The largest answers that people can cause stay below what ChatGPT reads: texts as long as
// they may be, of characters that JSON writes as two or six, in lists as long as they may be.
func TestRepliesStayBelowWhatAGPTReads(t *testing.T) {
	seed := stytchtest.Development()
	for i := range 120 {
		seed.Members = append(seed.Members, stytchtest.Member{ID: fmt.Sprintf("member-test-aaaaaaaa-0000-4000-9000-%012d", i), OrganizationID: acme,
			Email: fmt.Sprintf("%d%s@acme.example", i, strings.Repeat("x", 235)), Name: strings.Repeat("\u2028", 200), Status: "active"})
	}
	w := newWorldOf(t, stytchtest.Options{Seed: &seed})
	p := w.as(ada)
	for i := range 100 {
		p.do(201, "POST", "/api/v1/tasks", fmt.Sprintf(`{"title":"%d %s","notes":%q}`, i, strings.Repeat("t", 190), strings.Repeat("\"é", 1000)))
	}
	long := "/api/v1/tasks/" + p.create(fmt.Sprintf(`{"title":%q,"notes":%q}`, strings.Repeat("\"", 200), strings.Repeat("\"", 10_000)))
	for range 3 {
		p.do(200, "PATCH", long, fmt.Sprintf(`{"notes":%q}`, strings.Repeat(">", 10_000)))
		p.do(200, "PATCH", long, fmt.Sprintf(`{"notes":%q}`, strings.Repeat("\"", 10_000)))
	}
	for i := range 20 {
		p.do(201, "POST", long+"/comments", fmt.Sprintf(`{"text":%q}`, fmt.Sprint(i)+strings.Repeat("\"", 4_990)))
	}
	most := 0
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/api/v1/tasks?limit=100", "", 200}, {"GET", "/api/v1/tasks?limit=100&sort=updated", "", 200}, {"GET", "/api/v1/activity?limit=50", "", 200},
		{"GET", long, "", 200}, {"GET", long + "/comments?limit=100", "", 200}, {"GET", "/api/v1/members?limit=100", "", 200},
		{"GET", "/api/v1/next-steps", "", 200}, {"PATCH", long, `{"title":"stale","version":1}`, 409}, {"POST", long + "/complete", "", 200},
	} {
		r := w.call(tt.method, tt.path, p.token, tt.body)
		if r.status != tt.status {
			t.Fatalf("%s %s: %d %s", tt.method, tt.path, r.status, r.body)
		}
		n := len([]rune(r.body))
		if most = max(most, n); n > 95_000 {
			t.Errorf("%s %s answers with %d characters, more than 95,000", tt.method, tt.path, n)
		}
	}
	t.Logf("the longest reply has %d characters", most)
}
