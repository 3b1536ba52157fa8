package stytch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"guestpass/directory"
	"guestpass/internal/limits"
	"guestpass/internal/stytch"
	"guestpass/stytchtest"
)

const gpt = "connected-app-test-dddddddd-0000-4000-8000-000000000001"

// visitor is somebody whom nobody knows.
func visitor(t *testing.T, address string) context.Context {
	t.Helper()
	return limits.WithParty(t.Context(), limits.Party{Address: address})
}

// signIn returns a session of Ada's.
func signIn(t *testing.T, emulator *stytchtest.Server) (token string) {
	t.Helper()
	answer := platform(t, emulator, "/v1/b2b/passwords/authenticate", map[string]any{"organization_id": acme,
		"email_address": "ada@acme.example", "password": stytchtest.DevelopmentPassword,
		"session_duration_minutes": 60})
	return answer["session_token"].(string)
}

// platform calls Stytch's API for servers.
func platform(t *testing.T, emulator *stytchtest.Server, path string, body map[string]any) (answer map[string]any) {
	t.Helper()
	content, _ := json.Marshal(body)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, emulator.URL+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	project := stytchtest.Development().Project
	r.SetBasicAuth(project.ID, project.Secret)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v %v", path, response.StatusCode, answer, err)
	}
	return answer
}

// A question is one of Stytch's endpoints, asked in the way that it is asked here.
type question struct {
	path string // how the endpoint's begins
	ask  func(context.Context, *stytch.B2B) error
}

// questions returns all of them, those of visitors first.
func questions(t *testing.T, session string) map[string]question {
	t.Helper()
	of := "/v1/b2b/organizations/" + acme
	n := 0
	once := func() string { n++; return fmt.Sprint("x", n) }
	return map[string]question{
		"session": {"/v1/b2b/sessions", func(_ context.Context, d *stytch.B2B) error {
			_, err := d.Session(visitor(t, once()), session, "")
			return err
		}},
		"organization": {"/v1/b2b/organizations/acme", func(_ context.Context, d *stytch.B2B) error {
			_, err := d.Organization(visitor(t, once()), "acme")
			return err
		}},
		"app": {"/v1/connected_apps", func(_ context.Context, d *stytch.B2B) error {
			_, err := d.ConnectedApp(visitor(t, once()), gpt)
			return err
		}},
		"policy": {"/v1/b2b/rbac/policy", func(ctx context.Context, d *stytch.B2B) error {
			_, err := d.Policy(ctx)
			return err
		}},
		"person, for admission": {of + "/member", func(ctx context.Context, d *stytch.B2B) error {
			return d.CheckActive(ctx, acme, ada)
		}},
		"member list": {"/v1/b2b/organizations/members/search", func(ctx context.Context, d *stytch.B2B) error {
			_, err := d.Members(ctx, acme, directory.MemberQuery{Limit: 5})
			return err
		}},
		"invitation": {"/v1/b2b/magic_links", func(ctx context.Context, d *stytch.B2B) error {
			_, err := d.Invite(ctx, acme, directory.Invitation{Email: once() + "@acme.example"})
			return err
		}},
		"connections": {of + "/members/" + ada + "/connected_apps", func(ctx context.Context, d *stytch.B2B) error {
			_, err := d.Connections(ctx, acme, ada)
			return err
		}},
		"connections of all": {of + "/connected_apps", func(ctx context.Context, d *stytch.B2B) error {
			_, err := d.OrganizationConnections(ctx, acme, "")
			return err
		}},
		"revocation": {of + "/members/" + grace + "/connected_apps", func(ctx context.Context, d *stytch.B2B) error {
			return d.Disconnect(ctx, acme, grace, gpt)
		}},
	}
}

// Whatever one endpoint answers, however often, every other is asked as before.
func TestOneEndpointThatFailsStopsNoOther(t *testing.T) {
	for name, fault := range map[string]stytchtest.Fault{
		"503":                {Status: 503},
		"500 in HTML":        {Status: 500, Kind: "html"},
		"403 in HTML":        {Status: 403, Kind: "html"},
		"400":                {Status: 400},
		"429":                {Status: 429},
		"200 in HTML":        {Status: 200, Kind: "html"},
		"a dropped call":     {Kind: "drop"},
		"an empty 200":       {Status: 204, Kind: "html"},
		"a 200 without data": {Status: 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, emulator := open(t)
			asked := questions(t, signIn(t, emulator))
			for failing, q := range asked {
				fault := fault
				fault.Path = q.path
				emulator.Fail(fault)
				for range 12 {
					if err := q.ask(t.Context(), d); err == nil && failing != "organization" && failing != "app" &&
						fault.Status != 200 {
						t.Errorf("%s does not fail", failing)
						break
					}
				}
				emulator.ClearFaults()
				for other, q := range asked {
					if other == failing || strings.HasPrefix(asked[failing].path, q.path) || strings.HasPrefix(q.path,
						asked[failing].path) {
						continue
					}
					if err := q.ask(t.Context(), d); err != nil {
						t.Errorf("after %s failed: %s: %v", failing, other, err)
					}
				}
				d, _ = reopen(t, emulator)
			}
		})
	}
}

func reopen(t *testing.T, emulator *stytchtest.Server) (*stytch.B2B, *stytchtest.Server) {
	t.Helper()
	seed := stytchtest.Development()
	d, err := stytch.NewB2B(stytch.Options{ProjectID: seed.Project.ID, Secret: seed.Project.Secret,
		BaseURL:           emulator.URL,
		InviteRedirectURL: "http://localhost:8080/idp", Backoff: func(int) time.Duration { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	return d, emulator
}

// The circuit that all share opens when several organizations' calls fail, not by one's.
func TestOneOrganizationOpensNobodyElsesCircuit(t *testing.T) {
	d, emulator := open(t)
	emulator.Fail(stytchtest.Fault{Path: "/v1/b2b/organizations/" + acme, Status: 500})
	for range 20 {
		_, _ = d.Person(t.Context(), acme, ada)
	}
	before := len(emulator.Requests())
	if _, err := d.Person(t.Context(), acme, ada); err == nil || len(emulator.Requests()) != before {
		t.Errorf("its own circuit is not open: %v", err)
	}
	if _, err := d.Person(t.Context(), globex, hank); err != nil {
		t.Errorf("another organization: %v", err)
	}
	emulator.Fail(stytchtest.Fault{Path: "/v1/b2b/organizations/", Status: 500})
	for _, organization := range []string{"one", "two", "three", "four", "five"} {
		_, _ = d.Person(t.Context(), organization, "member-test-1")
	}
	emulator.ClearFaults()
	before = len(emulator.Requests())
	if _, err := d.Person(t.Context(), globex, hank); err == nil || len(emulator.Requests()) != before {
		t.Errorf("an outage for many is none: %v", err)
	}
	if err := d.CheckActive(t.Context(), acme, ada); err != nil {
		t.Errorf("the same endpoint, for admission: %v", err)
	}
	var partly *stytch.PartlyUnavailableError
	if err := d.Ping(t.Context()); !errors.As(err, &partly) || strings.Join(partly.Purposes, "; ") != "person, work" {
		t.Errorf("a look at what answers: %v", err)
	}
}

// Whatever visitors make fail, nobody else's circuit opens, other visitors' included.
func TestVisitorsOpenNoCircuitOfOthers(t *testing.T) {
	d, emulator := open(t)
	session := signIn(t, emulator)
	if _, err := d.Session(visitor(t, "192.0.2.1"), session, ""); err != nil {
		t.Fatal(err)
	}
	emulator.Fail(stytchtest.Fault{Path: "/v1/b2b/sessions", Status: 500})
	for i := range 200 {
		_, _ = d.Session(visitor(t, fmt.Sprint("198.51.100.", i%20)), fmt.Sprint("made-up-session-", i), "")
	}
	emulator.ClearFaults()
	if _, err := d.Session(visitor(t, "198.51.100.1"), session, ""); err != nil {
		t.Errorf("a session that was good before, from one of their addresses: %v", err)
	}
	if _, err := d.Session(visitor(t, "192.0.2.2"), signIn(t, emulator), ""); err != nil {
		t.Errorf("a new session, from elsewhere: %v", err)
	}
	if err := d.Ping(t.Context()); err != nil {
		t.Errorf("a look at what answers: %v", err)
	}
}

// What visitors make up costs few calls, is counted to their address, and to nobody else's.
func TestVisitorsSpendLittle(t *testing.T) {
	d, emulator := open(t)
	session := signIn(t, emulator)
	if _, err := d.Session(visitor(t, "192.0.2.1"), session, ""); err != nil {
		t.Fatal(err)
	}
	calls := func(do func()) int {
		before := len(emulator.Requests())
		do()
		return len(emulator.Requests()) - before
	}
	var exceeded *stytch.ExceededError
	if n := calls(func() {
		for i := range 50 {
			_, _ = d.Organization(visitor(t, "192.0.2.1"), fmt.Sprint("nobody-", i))
			_, _ = d.ConnectedApp(visitor(t, "192.0.2.1"), fmt.Sprint("connected-app-test-made-up-", i))
			if _, err := d.Session(visitor(t, "192.0.2.1"), fmt.Sprint("made-up-session-", i), ""); i > 20 &&
				!errors.As(err, &exceeded) {
				t.Fatalf("made-up session %d: %v", i, err)
			}
		}
	}); n != 20 {
		t.Errorf("150 made-up things cost %d calls", n)
	}
	if _, err := d.Session(visitor(t, "192.0.2.1"), session, ""); err != nil {
		t.Errorf("somebody at the same address who was signed in: %v", err)
	}
	if _, err := d.Organization(visitor(t, "192.0.2.9"), "acme"); err != nil {
		t.Errorf("somebody elsewhere: %v", err)
	}
	if n := calls(func() {
		for range 50 {
			if _, err := d.Session(visitor(t, "192.0.2.9"), "the-same-made-up-session", ""); !errors.Is(err,
				directory.ErrNotFound) {
				t.Fatal(err)
			}
		}
	}); n != 1 {
		t.Errorf("one made-up session cost %d calls", n)
	}
	for _, known := range []func() error{
		func() error { _, err := d.Members(t.Context(), acme, directory.MemberQuery{Limit: 1}); return err },
		func() error { return d.CheckActive(t.Context(), acme, ada) },
	} {
		if err := known(); err != nil {
			t.Error(err)
		}
	}
}

// What cannot be a session, an app or an organization is not asked for.
func TestWhatHasNotTheFormIsNotAskedFor(t *testing.T) {
	d, emulator := open(t)
	before := len(emulator.Requests())
	for _, token := range []string{"", "short", "<script>alert(1)</script>", strings.Repeat("x", 5000),
		"a session with blanks", "café-café-café-café"} {
		if _, err := d.Session(t.Context(), token, ""); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%.30q: %v", token, err)
		}
	}
	for _, jwt := range []string{"a.b.c", "a.b", "e30.e30.", "<script>.e30.e30", "eyJhIjoxfQ.eyJhIjoxfQ.a b"} {
		if _, err := d.Session(t.Context(), "", jwt); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%q: %v", jwt, err)
		}
	}
	for _, id := range []string{"", "../../v1/users", "connected-app-test-<script>",
		"connected-app-test-" + strings.Repeat("x", 200), "user-test-1"} {
		if _, err := d.ConnectedApp(t.Context(), id); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%.40q: %v", id, err)
		}
	}
	for _, slug := range []string{"", "a", "../x", "<script>", strings.Repeat("x", 200), "a b"} {
		if _, err := d.Organization(t.Context(), slug); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%.40q: %v", slug, err)
		}
	}
	if n := len(emulator.Requests()) - before; n != 0 {
		t.Errorf("Stytch was asked %d times", n)
	}
	if _, err := d.Session(t.Context(), "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT8ds245v7Q", ""); !errors.Is(err,
		directory.ErrNotFound) || len(emulator.Requests()) != before+1 {
		t.Errorf("a token as Stytch's documentation shows it is not asked for: %v", err)
	}
}

// An answer goes on to count while Stytch cannot be asked, and no longer.
func TestLookUpsGoOnToCountWhileStytchIsAway(t *testing.T) {
	now := time.Now()
	d, emulator := open(t, func(o *stytch.Options) { o.Now = func() time.Time { return now } })
	look := func() error { _, err := d.Organization(visitor(t, "192.0.2.1"), "acme"); return err }
	if err := look(); err != nil {
		t.Fatal(err)
	}
	emulator.Fail(stytchtest.Fault{Path: "/v1", Status: 503})
	if now = now.Add(10 * time.Minute); look() != nil {
		t.Error("not ten minutes later")
	}
	if now = now.Add(10 * time.Minute); look() == nil {
		t.Error("twenty minutes later still")
	}
}

// A call that is slow takes places of its own purpose, and of its own organization there.
func TestASlowEndpointTakesNoPlacesOfOthers(t *testing.T) {
	t.Parallel()
	far, release := newFarSide(t), make(chan struct{})
	var hanging atomic.Int32
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.HasSuffix(r.URL.Path, "/search") && strings.Contains(string(body), acme) {
			hanging.Add(1)
			<-release
		}
		if strings.HasSuffix(r.URL.Path, "/search") {
			_, _ = io.WriteString(w, `{"status_code":200,"members":[]}`)
			return
		}
		_, _ = io.WriteString(w, goodAda)
	})
	far.answer.Store(&answer)
	d := far.directory(t)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			by := limits.WithParty(ctx, limits.Party{Organization: acme, Person: fmt.Sprint("member-", i)})
			_, _ = d.Members(by, acme, directory.MemberQuery{Limit: 5})
		})
	}
	for hanging.Load() < 8 { // half of the places
		runtime.Gosched()
	}
	if _, err := d.Members(t.Context(), globex, directory.MemberQuery{Limit: 5}); err != nil {
		t.Errorf("the same endpoint, for another organization: %v", err)
	}
	if _, err := d.Person(t.Context(), acme, ada); err != nil {
		t.Errorf("another endpoint, for the same: %v", err)
	}
	if n := hanging.Load(); n != 8 {
		t.Errorf("%d calls of one organization hang", n)
	}
	cancel()
	close(release)
	group.Wait()
}

// Stytch's wish to wait is followed for what was asked for, on whose behalf it was.
func TestAPauseThatStytchAsksForIsNobodyElses(t *testing.T) {
	far := newFarSide(t)
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/search") {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
		}
		_, _ = io.WriteString(w, goodAda)
	})
	far.answer.Store(&answer)
	synctest.Test(t, func(t *testing.T) {
		d := far.directory(t)
		list := func(organization string) int32 {
			before := far.attempts.Load()
			_, err := d.Members(t.Context(), organization, directory.MemberQuery{Limit: 5})
			var unavailable *directory.UnavailableError
			if !errors.As(err, &unavailable) || unavailable.RetryAfter < time.Second {
				t.Fatalf("%v", err)
			}
			return far.attempts.Load() - before
		}
		for i, want := range []int32{1, 0, 0} {
			if n := list(acme); n != want {
				t.Errorf("%d: Stytch was asked %d times", i, n)
			}
		}
		if n := list(globex); n != 1 {
			t.Errorf("for another organization Stytch was asked %d times", n)
		}
		if wait := lookUp(t, d); wait != -1 {
			t.Errorf("another purpose: %v", wait)
		}
		time.Sleep(31 * time.Second)
		if n := list(acme); n != 1 {
			t.Errorf("afterwards Stytch was asked %d times", n)
		}
	})
}

// The one attempt of a circuit that is half open is its own purpose's and owner's.
func TestAnAttemptOfOnePurposeIsNoneOfAnother(t *testing.T) {
	far := newFarSide(t)
	synctest.Test(t, func(t *testing.T) {
		d := far.directory(t)
		for range 4 {
			lookUp(t, d)
			_, _ = d.Connections(t.Context(), acme, ada)
		}
		before := far.attempts.Load()
		time.Sleep(31 * time.Second)
		lookUp(t, d)
		_, _ = d.Connections(t.Context(), acme, ada)
		if n := far.attempts.Load() - before; n != 2 {
			t.Errorf("%d attempts of two circuits that are half open", n)
		}
	})
}

// Failures that are few among many are repeated so often only.
func TestRepetitionsAreFew(t *testing.T) {
	far := newFarSide(t)
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if far.attempts.Load()%3 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, goodAda)
	})
	far.answer.Store(&answer)
	synctest.Test(t, func(t *testing.T) {
		d := far.directory(t)
		for range 100 {
			lookUp(t, d)
			time.Sleep(100 * time.Millisecond)
		}
		if n := far.attempts.Load(); n < 105 || n > 120 {
			t.Errorf("%d attempts of 100 calls in 20 s", n)
		}
	})
}
