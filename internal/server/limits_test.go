package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/internal/limits/redistest"
	"guestpass/stytchtest"
)

// limited replaces the roomy limits of the tests.
func limited(l guestpass.Limits) func(*guestpass.Options) {
	return func(o *guestpass.Options) { o.Limits = l }
}

func isLimited(t *testing.T, r reply, policy string, quota int) {
	t.Helper()
	wantPolicy, want := fmt.Sprintf("%q;q=%d;w=60", policy, quota), fmt.Sprintf("%q;r=0;t=%s", policy,
		r.header.Get("Retry-After"))
	if r.status != 429 || r.header.Get("Retry-After") == "" || r.header.Get("RateLimit-Policy") != wantPolicy ||
		r.header.Get("RateLimit") != want ||
		r.header.Get("Content-Type") != "application/problem+json" || r.header.Get("Cache-Control") != "no-store" ||
		!strings.Contains(r.body, "Retry-After") {
		t.Errorf("%d %v %s\nwant a problem with 429, Retry-After, RateLimit-Policy: %s and RateLimit: %s", r.status,
			r.header, r.body, wantPolicy, want)
	}
}

// Every operation counts, and the one after the last is refused, whichever it is.
func TestCallsOfAMemberAreLimited(t *testing.T) {
	w := newWorld(t, limited(guestpass.Limits{Member: 5}))
	token := w.token(ada, "openid", "tasks:read", "tasks:write")
	for i := range 5 {
		if r := w.call("GET", "/api/v1/userinfo", token, ""); r.status != 200 {
			t.Fatalf("call %d: %d %s", i+1, r.status, r.body)
		}
	}
	isLimited(t, w.call("GET", "/api/v1/userinfo", token, ""), "member", 5)
	// another token of the same person
	isLimited(t, w.call("POST", "/api/v1/tasks", w.token(ada, "tasks:write"), `{"title":"x"}`), "member", 5)
	// before the scope
	isLimited(t, w.call("GET", "/api/v1/members", token, ""), "member", 5)
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
	t.Parallel()
	const quota = 3
	refused := 0
	for policy, o := range map[string]guestpass.Limits{"member": {Member: quota}, "organization": {Organization: quota},
		"client": {Client: quota}, "address": {Address: quota}} {
		w := newWorld(t, limited(o))
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
	o := guestpass.Limits{Member: 5, RedisURL: redis.URL()}
	one, two := newWorld(t, limited(o)), newWorld(t, limited(o))
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
	w := newWorld(t, limited(guestpass.Limits{Address: 5}))
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
	if r := w.call("POST", "/oauth2/token", "", ""); r.status == 429 {
		t.Errorf("the token endpoint, which counts by itself: %d", r.status)
	}
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
	w := newWorld(t, limited(guestpass.Limits{Address: many, Member: 8}))
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
	w := newWorld(t, func(o *guestpass.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(
			"127.0.0.1/32")}
	})
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
		spoofed = append(spoofed, http.Header{"X-Forwarded-For": {address}},
			http.Header{"X-Forwarded-For": {"10.0.0.1, " + address}},
			http.Header{"X-Real-Ip": {address}}, http.Header{"Forwarded": {"for=" + address}},
			http.Header{"True-Client-Ip": {address}})
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
		r, recorded := httptest.NewRequest("GET", "http://localhost/nothing", nil), httptest.NewRecorder()
		r.Header, r.RemoteAddr = header, remote
		w.app.ServeHTTP(recorded, r)
		return recorded.Code
	}
	t.Run("without a proxy", func(t *testing.T) {
		w := newWorld(t, limited(guestpass.Limits{Address: 1}))
		send(w, http.Header{}, "192.0.2.1:1")
		for _, header := range spoofed {
			isRefused(t, header, send(w, header, "192.0.2.1:2"))
		}
		if status := send(w, http.Header{}, "192.0.2.2:1"); status != 404 {
			t.Errorf("another address: %d", status)
		}
	})
	t.Run("behind one", func(t *testing.T) {
		w := newWorld(t, limited(guestpass.Limits{Address: 1}), func(o *guestpass.Options) {
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

// Requests count for their address when they arrive: whoever sends many slow ones at once
// is not limited only after they have ended.
func TestRequestsCountForTheirAddressBeforeTheyEnd(t *testing.T) {
	const most = 5
	arrived, let := make(chan struct{}), make(chan struct{})
	w := newWorld(t, limited(guestpass.Limits{Address: most}), waiting(t, arrived, let))
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

// A token that was revoked, because it was stolen perhaps, is nobody's: it uses up the
// requests of the address that sends it, not the calls of its former owner.
func TestARevokedTokenCountsForTheAddressOnly(t *testing.T) {
	const many, calls = 30, 5
	w := newWorld(t, limited(guestpass.Limits{Address: many, Member: calls}))
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

// introspections returns how often Stytch was asked about a token.
func (w *world) introspections() (number int) {
	for _, r := range w.stytch.Requests() {
		if strings.HasSuffix(r.Path, "/introspect") {
			number++
		}
	}
	return number
}

// Who comes with many tokens has their own asked about anew, and nobody else's.
func TestManyTokensHaveNobodyElsesIntrospectedAnew(t *testing.T) {
	app := stytchtest.Development().ConnectedApps[0]
	w := newWorld(t, func(o *guestpass.Options) {
		o.Introspect, o.ClientSecrets = true, map[string]string{app.ClientID: app.ClientSecret}
	})
	creates := func(token string, introspections int) {
		t.Helper()
		if r := w.call("POST", "/api/v1/tasks", token, `{"title":"x"}`); r.status != 201 ||
			w.introspections() != introspections {
			t.Fatalf("%d after %d introspections, want %d: %s", r.status, w.introspections(), introspections, r.body)
		}
	}
	another := w.token(grace, "tasks:write")
	creates(another, 1)
	tokens := make([]string, 21) // one more than a person's share
	for i := range tokens {
		tokens[i] = w.token(ada, "tasks:write")
		creates(tokens[i], 2+i)
	}
	creates(another, 22)
	creates(tokens[20], 22)
	forgotten := func() bool {
		return slices.ContainsFunc(tokens[:20], func(token string) bool {
			w.call("POST", "/api/v1/tasks", token, `{"title":"x"}`)
			return w.introspections() > 22
		})
	}
	if !forgotten() {
		t.Error("of 21 tokens of one person all are remembered")
	}
}

// Stytch is asked about a token for those only who may call the operation.
func TestNobodyIsIntrospectedInVain(t *testing.T) {
	app := stytchtest.Development().ConnectedApps[0]
	w := newWorld(t, func(o *guestpass.Options) {
		o.Introspect, o.ClientSecrets = true, map[string]string{app.ClientID: app.ClientSecret}
	})
	introspections := w.introspections
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
