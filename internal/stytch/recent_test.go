package stytch_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"guestpass/directory"
	"guestpass/internal/stytch"
	"guestpass/stytchtest"
)

const (
	membersPath = "/v1/b2b/organizations/members/search"
	memberPath  = "/v1/b2b/organizations/" + acme + "/member"
)

// A gate holds the first answer back that comes from a path, until it is opened.
type gate struct {
	path            string
	arrived, opened chan struct{}
	first           atomic.Bool
}

// openRecent has a directory that may show answers of five seconds ago, by a clock that only the test moves. What goes
// to the emulator passes the gate.
func openRecent(t *testing.T) (d *stytch.B2B, emulator *stytchtest.Server, clock *time.Time, g *gate) {
	t.Helper()
	now := time.Now()
	g = &gate{path: memberPath, arrived: make(chan struct{}), opened: make(chan struct{})}
	d, emulator = open(t, func(o *stytch.Options) {
		o.Recent, o.Now = 5*time.Second, func() time.Time { return now }
		target, err := url.Parse(o.BaseURL)
		if err != nil {
			t.Fatal(err)
		}
		pass := httputil.NewSingleHostReverseProxy(target)
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			pass.ServeHTTP(answer, r)
			if r.URL.Path == g.path && g.first.CompareAndSwap(false, true) {
				close(g.arrived)
				<-g.opened
			}
			w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		}))
		t.Cleanup(proxy.Close)
		o.BaseURL = proxy.URL
	})
	return d, emulator, &now, g
}

func emails(t *testing.T, d *stytch.B2B, organization string) string {
	t.Helper()
	page, err := d.RecentMembers(t.Context(), organization, directory.MemberQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range page.Members {
		all = append(all, m.Email)
		m.Roles = append(m.Roles[:0], "changed") // by whoever got it, for nobody else
	}
	return strings.Join(all, " ")
}

func TestWhatIsShownOfPeopleIsSecondsOldAtMost(t *testing.T) {
	d, emulator, clock, gate := openRecent(t)
	close(gate.opened)
	status := func() string {
		t.Helper()
		person, err := d.RecentPerson(t.Context(), acme, grace)
		if err != nil {
			t.Fatal(err)
		}
		person.Roles[0] = "changed" // by whoever got it, for nobody else
		return person.Status
	}
	before := status()
	if err := emulator.SetStatus(grace, "pending"); err != nil {
		t.Fatal(err)
	}
	*clock = clock.Add(5*time.Second - time.Millisecond)
	if got := status(); before != "active" || got != "active" || asked(emulator, memberPath) != 1 {
		t.Errorf("%s, then %s, asked %d times", before, got, asked(emulator, memberPath))
	}
	if person, err := d.Person(t.Context(), acme, grace); err != nil || person.Status != "pending" {
		t.Errorf("what decides: %s %v", person.Status, err)
	}
	*clock = clock.Add(time.Millisecond)
	if got := status(); got != "pending" {
		t.Errorf("five seconds later: %s", got)
	}
	if person, err := d.RecentPerson(t.Context(), acme, grace); err != nil || person.Roles[0] != "stytch_member" {
		t.Errorf("somebody else's change is in %v", person.Roles)
	}
	// Another organization's, another question, and a failure are no answers.
	if _, err := d.RecentPerson(t.Context(), globex, grace); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("elsewhere: %v", err)
	}
	if page, err := d.RecentMembers(t.Context(), acme, directory.MemberQuery{Limit: 1}); err != nil ||
		len(page.Members) != 1 || len(strings.Fields(emails(t, d, acme))) != 2 {
		t.Errorf("%d members, %v", len(page.Members), err)
	}
}

func TestWhatWeChangeShowsAtOnce(t *testing.T) {
	d, emulator, _, gate := openRecent(t)
	close(gate.opened)
	first, other := emails(t, d, acme), emails(t, d, globex)
	if _, err := d.Invite(t.Context(), acme, directory.Invitation{Email: "new@acme.example"}); err != nil {
		t.Fatal(err)
	}
	if got := emails(t, d, acme); !strings.Contains(got, "new@") || strings.Contains(first, "new@") {
		t.Errorf("%s, after the invitation %s", first, got)
	}
	before := asked(emulator, membersPath)
	emails(t, d, acme)
	if emails(t, d, globex); asked(emulator, membersPath) != before || other == "" {
		t.Error("another organization's answer was forgotten, too")
	}
	d.Forget(acme)
	if emails(t, d, acme); asked(emulator, membersPath) != before+1 {
		t.Error("a revocation empties nothing")
	}
}

// TestAnAnswerToAnEarlierQuestionIsNotKept has a change happen while a question is under way.
func TestAnAnswerToAnEarlierQuestionIsNotKept(t *testing.T) {
	d, emulator, _, gate := openRecent(t)
	slow := make(chan error)
	go func() {
		_, err := d.RecentPerson(t.Context(), acme, grace)
		slow <- err
	}()
	<-gate.arrived
	if err := emulator.SetStatus(grace, "pending"); err != nil {
		t.Fatal(err)
	}
	d.Forget(acme)
	close(gate.opened)
	if err := <-slow; err != nil {
		t.Fatal(err)
	}
	person, err := d.RecentPerson(t.Context(), acme, grace)
	if err != nil || person.Status != "pending" {
		t.Errorf("afterwards: %s %v", person.Status, err)
	}
}

func TestManyWhoWantTheSameAskOnce(t *testing.T) {
	d, emulator, _, gate := openRecent(t)
	impatient, giveUp := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() {
		_, err := d.RecentPerson(impatient, acme, grace)
		gaveUp <- err
	}()
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if person, err := d.RecentPerson(t.Context(), acme, grace); err != nil || person.ID != grace {
				t.Errorf("%s %v", person.ID, err)
			}
		})
	}
	<-gate.arrived
	giveUp()
	if err := <-gaveUp; err == nil {
		t.Error("who gives up gets an answer")
	}
	close(gate.opened)
	group.Wait()
	if n := asked(emulator, memberPath); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestFailuresAreNotKept(t *testing.T) {
	d, emulator, _, gate := openRecent(t)
	close(gate.opened)
	emulator.Fail(stytchtest.Fault{Path: memberPath, Status: 503, Count: 3})
	if _, err := d.RecentPerson(t.Context(), acme, grace); !errors.As(err, new(*directory.UnavailableError)) {
		t.Errorf("while Stytch is away: %v", err)
	}
	if person, err := d.RecentPerson(t.Context(), acme, grace); err != nil || person.ID != grace {
		t.Errorf("once it is back: %v", err)
	}
}
