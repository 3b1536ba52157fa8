package connections_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"guestpass/internal/connections"
	"guestpass/store"
	"guestpass/stytchtest"
)

// refuseWrites has the database take no denial, and no change of one, until it is told to.
func (w *world) refuseWrites() (admit func()) {
	w.t.Helper()
	run := func(statements ...string) {
		w.must(w.store.Write(context.Background(), func(tx *store.Tx) error {
			for _, s := range statements {
				if _, err := tx.Exec(s); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	run("CREATE TRIGGER no_insert BEFORE INSERT ON denials BEGIN SELECT RAISE(FAIL, 'no'); END",
		"CREATE TRIGGER no_update BEFORE UPDATE ON denials BEGIN SELECT RAISE(FAIL, 'no'); END")
	return func() { run("DROP TRIGGER no_insert", "DROP TRIGGER no_update") }
}

func (w *world) connected(subject string) int {
	w.t.Helper()
	list, err := w.people(0).Connections(w.t.Context(), acme, subject)
	w.must(err)
	return len(list)
}

// Stytch is told of a revocation that our own database does not take, this instance refuses
// what the app has, and writes it as soon as it can.
func TestStytchIsToldOfWhatCannotBeWritten(t *testing.T) {
	w := newWorld(t)
	w.consent(grace)
	c := w.instance(0)
	token := issued(grace, w.stytch.Now())
	w.must(c.Check(t.Context(), token, true))
	admit := w.refuseWrites()
	o := c.Revoke(t.Context(), grace, target(grace))
	if o.Written == nil || o.Told != nil || !o.Refused {
		t.Fatalf("%+v", o)
	}
	if n := w.connected(grace); n != 0 {
		t.Errorf("Stytch still has %d connections", n)
	}
	if !revoked(c.Check(t.Context(), token, false)) {
		t.Error("this instance admits the token")
	}
	w.must(w.instance(0).Check(t.Context(), token, true)) // another one cannot know yet
	admit()
	c.Retry(t.Context())
	if !revoked(w.instance(0).Check(t.Context(), token, false)) {
		t.Error("it was not written when that was possible again")
	}
	w.stytch.Advance(40 * time.Second)                                // as far as clocks may differ
	w.must(c.Check(t.Context(), issued(grace, w.stytch.Now()), true)) // connected again
	rows, err := w.store.Activities(t.Context(), acme, store.ActivityQuery{Subject: grace, Limit: 10})
	w.must(err)
	if len(rows) != 1 || rows[0].Operation != connections.RevokeOperation {
		t.Errorf("on record are %+v", rows)
	}
}

// What an instance knows alone is lost when it ends, unless the database takes it then.
func TestAnInstanceThatEndsSaysWhatIsLostWithIt(t *testing.T) {
	w := newWorld(t)
	w.consent(grace)
	var log bytes.Buffer
	project := connections.Options{Store: w.store, Directory: w.people(0), Now: w.stytch.Now,
		Log: slog.New(slog.NewTextHandler(&log, nil))}
	c := connections.New(project)
	token := issued(grace, w.stytch.Now())
	admit := w.refuseWrites()
	w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: 503})
	c.Revoke(t.Context(), grace, target(grace))
	c.Finish(t.Context())
	lost := "revocations are lost"
	if text := log.String(); strings.Count(text, lost) != 1 || !strings.Contains(text,
		"revocations=1 stytch_not_told=1") || !strings.Contains(text, "level=ERROR msg=\""+lost) {
		t.Error(text)
	}
	log.Reset()
	admit()
	c.Finish(t.Context())
	if strings.Contains(log.String(), lost) || !revoked(w.instance(0).Check(t.Context(), token, false)) {
		t.Errorf("the database takes it, and the log says %s", log.String())
	}
}

// Neither could be told: this instance refuses every token, and both are tried again.
func TestARevocationThatNobodyTookIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.consent(grace)
	c := w.instance(0)
	w.must(c.Check(t.Context(), issued(grace, w.stytch.Now()), true))
	w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: 503})
	admit := w.refuseWrites()
	if o := c.Revoke(t.Context(), grace, target(grace)); o.Written == nil || o.Told == nil || !o.Refused {
		t.Fatalf("%+v", o)
	}
	w.stytch.Advance(20 * time.Second)
	if !revoked(c.Check(t.Context(), issued(grace, w.stytch.Now()), false)) {
		t.Error("a token that was renewed since is good, although nobody has revoked")
	}
	w.stytch.ClearFaults()
	c.Retry(t.Context())
	if n := w.connected(grace); n != 0 {
		t.Errorf("Stytch still has %d connections", n)
	}
	admit()
	c.Retry(t.Context())
	w.stytch.Advance(40 * time.Second)
	for name, c := range map[string]*connections.Connections{"here": c, "another": w.instance(0)} {
		if !revoked(c.Check(t.Context(), issued(grace, w.stytch.Now().Add(-20*time.Second)), false)) {
			t.Errorf("%s: a token from before is good", name)
		}
		w.must(c.Check(t.Context(), issued(grace, w.stytch.Now()), true))
	}
}

// What the database knows already is asked for again although it takes no note of that.
func TestStytchIsAskedAgainByAServerThatCannotWrite(t *testing.T) {
	w := newWorld(t)
	w.consent(grace)
	c := w.instance(0)
	w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: 503})
	w.must(c.Revoke(t.Context(), grace, target(grace)).Written)
	w.must(c.Check(t.Context(), issued(ada, w.stytch.Now()), false)) // reads the denials
	w.stytch.ClearFaults()
	w.stytch.Advance(time.Minute)
	w.refuseWrites()
	for range 3 {
		c.Retry(t.Context())
	}
	if n := w.asked("revoke"); n != 2 {
		t.Errorf("Stytch was asked %d times in all: want the first and one more", n)
	}
	if n := w.connected(grace); n != 0 {
		t.Errorf("Stytch still has %d connections", n)
	}
}

func (w *world) asked(what string) (n int) {
	for _, r := range w.stytch.Requests() {
		if strings.HasSuffix(r.Path, "/"+what) {
			n++
		}
	}
	return n
}

// One organization that revokes much while nothing can be written leaves another its place.
func TestRevocationsThatWaitAreCountedForEachOrganization(t *testing.T) {
	w := newWorld(t)
	w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: 404, Type: "member_not_found"}) // nothing to end
	c := w.instance(0)
	w.refuseWrites()
	refused := 0
	for n := range 250 {
		if c.Revoke(t.Context(), ada, connections.Target{OrganizationID: acme, Subject: fmt.Sprint("member-", n),
			Client: client()}).Refused {
			refused++
		}
	}
	if refused != 200 {
		t.Errorf("%d of 250 wait", refused)
	}
	if o := c.Revoke(t.Context(), "h", connections.Target{OrganizationID: "globex", Subject: "h",
		Client: client()}); !o.Refused {
		t.Errorf("another organization's: %+v", o)
	}
}

// One organization's revocations, which Stytch does not answer, end nobody else's turn.
func TestRevocationsOfOthersAreRetriedBesideOnesThatFail(t *testing.T) {
	w := newWorld(t)
	w.consent(grace)
	c := w.instance(0)
	w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: 503})
	for n := range 8 {
		w.must(c.Revoke(t.Context(), ada, connections.Target{OrganizationID: "hanging", Subject: fmt.Sprint("member-",
			n), Client: client()}).Written)
	}
	w.must(c.Revoke(t.Context(), grace, target(grace)).Written)
	w.stytch.ClearFaults()
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b/organizations/hanging", Status: 503})
	w.stytch.Advance(time.Minute)
	c.Retry(t.Context())
	if n := w.connected(grace); n != 0 {
		t.Errorf("Stytch still has %d connections of another organization", n)
	}
}

// One organization whose people use much leaves another's uses their place.
func TestUsesToBeWrittenAreCountedForEachOrganization(t *testing.T) {
	w := newWorld(t)
	c := w.instance(0)
	for n := range 11_000 {
		c.Note(issued(fmt.Sprint("member-", n), w.stytch.Now()))
	}
	other := issued("member-of-globex", w.stytch.Now())
	other.OrganizationID = "globex"
	c.Note(other)
	c.Flush(t.Context())
	for owner, want := range map[string]int{acme: 2_500, "globex": 1} {
		if list, err := w.store.Connections(t.Context(), owner, "", 20_000); err != nil || len(list) != want {
			t.Errorf("%d uses of %s are written, %v", len(list), owner, err)
		}
	}
}
