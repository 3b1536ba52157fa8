package idp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"guestpass/internal/clients"
	"guestpass/internal/limits"
	"guestpass/internal/limits/redistest"
)

// project answers as Stytch's token endpoint does: it knows the secret of testClient, and takes
// codes that begin with good.
func project(w http.ResponseWriter, r *http.Request) {
	secret := r.Form.Get("client_secret")
	if _, basic, ok := r.BasicAuth(); ok {
		secret = basic
	}
	switch {
	case secret != "s-1":
		answer(401, "application/json", `{"error":"invalid_client"}`)(w, r)
	case !strings.HasPrefix(r.Form.Get("code"), "good"):
		answer(400, "application/json", `{"error":"invalid_grant"}`)(w, r)
	default:
		token(w, r)
	}
}

// readable lets the far side read the form, which far has read already.
func readable(next http.HandlerFunc) func(*far) {
	return func(f *far) {
		f.answer = func(w http.ResponseWriter, r *http.Request) {
			f.mu.Lock()
			body := f.bodies[len(f.bodies)-1]
			f.mu.Unlock()
			form, _ := url.ParseQuery(body)
			r.Form = form
			next(w, r)
		}
	}
}

// tokenEndpoint is ours before such a project. Clients that are listed may be none.
func tokenEndpoint(t *testing.T, listed ...string) (*Provider, *far) {
	t.Helper()
	f := new(far)
	readable(project)(f)
	p, _, _ := forwarding(t, f, listed...)
	return p, f
}

func redeem(client, secret, code string) string {
	return pairs("grant_type", "authorization_code", "code", code, "redirect_uri",
		"https://chatgpt.com/aip/g-dev/oauth/callback",
		"client_id", client, "client_secret", secret)
}

func from(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address + ":4711" }
}

// One of ChatGPT's users can have it redeem any number of made-up codes, from the addresses
// and with the secret that everybody's are redeemed with.
func TestWrongCodesLockNobodyOut(t *testing.T) {
	p, f := tokenEndpoint(t, testClient)
	for i := range 20 { // no token was issued yet, so that the secret is not known to be right
		post(p, redeem(testClient, "s-1", fmt.Sprintf("cold %d", i)))
	}
	if w := post(p, redeem(testClient, "s-1", "good 1")); w.Code != http.StatusOK {
		t.Fatalf("the first right code: %d %s", w.Code, w.Body)
	}
	for i := range 500 {
		if w := post(p, redeem(testClient, "s-1", fmt.Sprintf("junk %d", i))); w.Code != http.StatusBadRequest {
			t.Fatalf("junk %d: %d %s", i, w.Code, w.Body)
		}
	}
	if w := post(p, redeem(testClient, "s-1", "good 2")); w.Code != http.StatusOK {
		t.Errorf("a right code: %d %s", w.Code, w.Body)
	}
	basic := func(r *http.Request) { r.SetBasicAuth(testClient, "s-1") }
	if w := post(p, pairs("grant_type", "authorization_code", "code", "good 3"), basic); w.Code != http.StatusOK {
		t.Errorf("with the same secret in a header: %d", w.Code)
	}
	calls := f.calls()
	refused := 0
	for range 50 { // one that is tried again and again counts for itself
		if post(p, redeem(testClient, "s-1", "junk again")).Code == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 50-requestsOfGrant || f.calls()-calls != requestsOfGrant {
		t.Errorf("one code 50 times: %d refused, %d calls", refused, f.calls()-calls)
	}
}

// Whoever guesses secrets gets few answers, also by naming other clients, and locks nobody out.
func TestWrongSecretsAreCountedForWhoSendsThem(t *testing.T) {
	p, f := tokenEndpoint(t, testClient)
	if w := post(p, redeem(testClient, "s-1", "good 1")); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	calls := f.calls()
	for i := range 100 {
		post(p, redeem(testClient, fmt.Sprintf("guess %d", i), fmt.Sprintf("good %d", i)))
	}
	if guesses := f.calls() - calls; guesses != wrongSecrets {
		t.Errorf("%d guesses are answered, want %d", guesses, wrongSecrets)
	}
	w := post(p, redeem(testClient, "guess", "good 9"))
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(),
		"temporarily_unavailable") {
		t.Errorf("one more: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := post(p, redeem(testClient, "s-1", "good 10")); w.Code != http.StatusOK {
		t.Errorf("the right secret, from the same address: %d %s", w.Code, w.Body)
	}
	if w := post(p, redeem(testClient, "guess", "good 11"), from("203.0.113.9")); w.Code != http.StatusUnauthorized {
		t.Errorf("another address: %d", w.Code)
	}
}

// A client id that nobody has heard of is no fresh number: the address has one for all.
func TestMadeUpClientsMultiplyNothing(t *testing.T) {
	p, f := tokenEndpoint(t)
	for i := range 300 {
		post(p, redeem(fmt.Sprintf("connected-app-test-%d", i), "guess", fmt.Sprintf("code %d", i)))
	}
	for range 100 {
		post(p, "what is no request counts as well")
	}
	if f.calls() > requestsOfStranger {
		t.Errorf("%d calls, want at most %d", f.calls(), requestsOfStranger)
	}
	for i := range 2000 {
		post(p, redeem(fmt.Sprintf("connected-app-test-%d", i), "guess", fmt.Sprintf("code %d", i)),
			from(fmt.Sprintf("198.51.100.%d", i%250)))
	}
	if f.calls() > requestsOfStrangers {
		t.Errorf("%d calls for all whom nobody knows, want at most %d", f.calls(), requestsOfStrangers)
	}
}

// One that nobody listed can prove its secret, and be anybody's all the same.
func TestAClientThatNobodyListedIsCountedByAddress(t *testing.T) {
	p, f := tokenEndpoint(t)
	for i := range requestsOfUnlisted + 100 {
		post(p, redeem(testClient, "s-1", fmt.Sprintf("good %d", i)))
	}
	if f.calls() > requestsOfUnlisted+1 {
		t.Errorf("%d calls, want at most %d", f.calls(), requestsOfUnlisted+1)
	}
	listed, g := tokenEndpoint(t, testClient)
	for i := range requestsOfUnlisted + 100 {
		post(listed, redeem(testClient, "s-1", fmt.Sprintf("good %d", i)))
	}
	if g.calls() != requestsOfUnlisted+100 {
		t.Errorf("one that is listed: %d calls", g.calls())
	}
}

// slowProject answers codes that begin with slow when it is let.
func slowProject(t *testing.T, listed ...string) (p *Provider, f *far, arrived chan struct{}, let func()) {
	t.Helper()
	p, f = tokenEndpoint(t, listed...)
	arrived, gate := make(chan struct{}, 1000), make(chan struct{})
	readable(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Form.Get("code"), "slow") {
			arrived <- struct{}{}
			<-gate
		}
		project(w, r)
	})(f)
	return p, f, arrived, sync.OnceFunc(func() { close(gate) })
}

// While Stytch is slow an address holds a few places, and of those of clients none.
func TestAnAddressDoesNotFillThePlacesOfASlowStytch(t *testing.T) {
	p, _, arrived, let := slowProject(t, testClient)
	if w := post(p, redeem(testClient, "s-1", "good 0")); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var slow sync.WaitGroup
	defer slow.Wait()
	defer let()
	for i := range 20 {
		slow.Go(func() {
			post(p, pairs("grant_type", "authorization_code", "code", fmt.Sprintf("slow %d", i), "client_id",
				testClient), from("203.0.113.9"))
		})
	}
	for range limits.Part(placesOfStrangers, 1, 6) { // as many has the address in one client's name
		<-arrived
	}
	if w := post(p, pairs("grant_type", "authorization_code", "code", "x", "client_id", testClient),
		from("192.0.2.7")); w.Code != http.StatusUnauthorized {
		t.Errorf("another address: %d %s", w.Code, w.Body)
	}
	for i := range 20 {
		if w := post(p, redeem(testClient, "s-1", fmt.Sprintf("good %d", i)),
			from("203.0.113.9")); w.Code != http.StatusOK {
			t.Errorf("a right code of the client, from the address itself: %d %s", w.Code, w.Body)
		}
	}
}

// One code, or one refresh token, that is sent many times at once holds two places.
func TestOneGrantHoldsFewPlaces(t *testing.T) {
	p, _, arrived, let := slowProject(t, testClient)
	if w := post(p, redeem(testClient, "s-1", "good 0")); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var slow sync.WaitGroup
	defer slow.Wait()
	defer let()
	refused := make(chan int, 10)
	for range 8 {
		slow.Go(func() { refused <- post(p, redeem(testClient, "s-1", "slow")).Code })
	}
	<-arrived
	<-arrived
	for range 6 {
		if status := <-refused; status != http.StatusServiceUnavailable {
			t.Errorf("beyond the grant's places: %d", status)
		}
	}
	if w := post(p, redeem(testClient, "s-1", "good 1")); w.Code != http.StatusOK {
		t.Errorf("another code: %d", w.Code)
	}
}

// Those that nobody listed, of which anybody can have many, take nothing of the listed ones' places.
func TestClientsThatNobodyListedHoldFewPlaces(t *testing.T) {
	p, f, arrived, let := slowProject(t)
	if w := post(p, redeem(testClient, "s-1", "good 0")); w.Code != http.StatusOK || f.calls() != 1 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var slow sync.WaitGroup
	defer slow.Wait()
	defer let()
	for i := range 20 {
		slow.Go(func() { post(p, redeem(testClient, "s-1", fmt.Sprintf("slow %d", i))) })
	}
	for range limits.Part(placesOfUnlisted, 1, 3) {
		<-arrived
	}
	if w := post(p, redeem("connected-app-test-other", "s-1", "good 1"), from("192.0.2.7")); w.Code != http.StatusOK {
		t.Errorf("another client: %d %s", w.Code, w.Body)
	}
}

// However many clients prove secrets, a listed one's is remembered; one that Stytch refuses is not.
func TestNobodyMakesASecretForgotten(t *testing.T) {
	p, f := tokenEndpoint(t, testClient)
	if w := post(p, redeem(testClient, "s-1", "good 0")); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	l := p.forward.limits
	knows := func() bool {
		_, proved := l.proven.Get(l.digest(testClient, "s-1"), l.now())
		return proved
	}
	for i := range 2 * provenSecrets {
		client := fmt.Sprintf("connected-app-test-%d", i)
		l.note(tokenTurn{party: limits.Party{Address: "192.0.2.1", Client: client}, secret: l.digest(client, "s"),
			forgive: func() {}}, http.StatusOK, nil)
	}
	if !knows() {
		t.Error("others have made it forgotten")
	}
	post(p, redeem(testClient, "guess", "good 1"))
	if !knows() {
		t.Error("a wrong secret has made it forgotten")
	}
	f.answer = answer(401, "application/json", `{"error":"invalid_client"}`) // it was rotated
	if post(p, redeem(testClient, "s-1", "good 2")); knows() {
		t.Error("it is taken for right although Stytch refuses it")
	}
}

func TestReportsOfOneAddressAreNotAnothers(t *testing.T) {
	p, _ := tokenEndpoint(t)
	report := func(address string) error {
		r := httptest.NewRequest(http.MethodPost, "/idp/report", nil)
		from(address)(r)
		_, err := p.Report(r, "captcha")
		return err
	}
	for range reportsInMinute {
		if err := report("203.0.113.9"); err != nil {
			t.Fatal(err)
		}
	}
	if report("203.0.113.9") == nil || report("192.0.2.7") != nil {
		t.Error("one address has all, or no end")
	}
}

// Whatever the server's numbers are, there are some of the token endpoint in proportion.
func TestNumbersOfAnySizeHaveProportions(t *testing.T) {
	for _, number := range []int{1, 2, 5, 20, 99, 3000, 1_000_000} {
		for _, member := range []int{1, 60, 1_000_000} {
			l, err := limits.New(limits.Options{Address: number, Member: member, Client: number})
			if err != nil {
				t.Fatal(err)
			}
			newTokenLimits(Options{Limits: l, Now: time.Now})
		}
	}
}

// Instances count wrong secrets together.
func TestInstancesCountGuessesTogether(t *testing.T) {
	redis := redistest.Start(t)
	var log bytes.Buffer
	calls := 0
	for range 3 {
		l, err := limits.New(limits.Options{RedisURL: redis.URL(), Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
		}))
		t.Cleanup(far.Close)
		p, err := New(Options{PublicURL: "http://localhost:8080", ProjectID: testProject,
			PublicToken: "public-token-test-x", Vertical: "b2b",
			TokenURL: far.URL + "/v1/oauth2/token", SDKBaseURL: "https://login.example.com",
			Clients: clients.Admitted{IDs: []string{testClient}}, CookieKey: []byte("key"), Limits: l,
			Now: func() time.Time { return time.Unix(1_800_000_000, 0) }})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			post(p, redeem(testClient, fmt.Sprintf("guess %d", i), fmt.Sprintf("code %d", i)))
		}
	}
	// on a machine so busy that it took 100 ms
	if calls != wrongSecrets && !strings.Contains(log.String(), "Redis does not count") {
		t.Errorf("%d guesses are answered by three instances, want %d", calls, wrongSecrets)
	}
}

func TestReferencesOfOneAddressAreNotAnothers(t *testing.T) {
	p := pageProvider(t)
	refuse := func(address string) string {
		r := httptest.NewRequest(http.MethodGet, "/idp", nil)
		from(address)(r)
		r = r.WithContext(context.WithValue(r.Context(), middleware.RequestIDKey, "req-x"))
		w := httptest.NewRecorder()
		p.Page(w, r)
		return w.Body.String()
	}
	for range referencesInMinute {
		if !strings.Contains(refuse("203.0.113.9"), "req-x") {
			t.Fatal("a refusal has no reference")
		}
	}
	if strings.Contains(refuse("203.0.113.9"), "req-x") || !strings.Contains(refuse("192.0.2.7"), "req-x") {
		t.Error("one address has all, or no end")
	}
}
