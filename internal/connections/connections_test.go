package connections_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"guestpass/auth"
	"guestpass/internal/connections"
	"guestpass/internal/stytch"
	"guestpass/store"
	"guestpass/stytchtest"
)

const (
	acme  = "organization-test-aaaaaaaa-0000-4000-8000-000000000001"
	ada   = "member-test-aaaaaaaa-0000-4000-8000-000000000001"
	grace = "member-test-aaaaaaaa-0000-4000-8000-000000000002"
)

// world is a database and the emulator, whose clock all go by.
type world struct {
	t      *testing.T
	stytch *stytchtest.Server
	store  *store.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, stytch: stytchtest.NewServer(t, stytchtest.Options{})}
	var err error
	w.store, err = store.Open(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "guestpass.db"),
		Now: w.stytch.Now})
	w.must(err)
	t.Cleanup(func() { _ = w.store.Close() })
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// instance returns one of several on the database, whose clock is ahead of the others'.
func (w *world) instance(ahead time.Duration) *connections.Connections {
	w.t.Helper()
	now := func() time.Time { return w.stytch.Now().Add(ahead) }
	return connections.New(connections.Options{Store: w.store, Directory: w.people(ahead), Now: now})
}

func (w *world) people(ahead time.Duration) *stytch.B2B {
	w.t.Helper()
	project := stytchtest.Development().Project
	people, err := stytch.NewB2B(stytch.Options{ProjectID: project.ID, Secret: project.Secret,
		BaseURL:           w.stytch.URL,
		InviteRedirectURL: "http://localhost:8080/idp", Backoff: func(int) time.Duration { return 0 },
		Now: func() time.Time { return w.stytch.Now().Add(ahead) }})
	w.must(err)
	return people
}

// consent connects the GPT at Stytch.
func (w *world) consent(subject string) {
	w.t.Helper()
	content, err := json.Marshal(map[string]any{"organization_id": acme, "member_id": subject, "client_id": client(),
		"state":        "s",
		"redirect_uri": stytchtest.Development().ConnectedApps[0].RedirectURLs[0], "response_type": "code",
		"consent_granted": true, "scopes": []string{"openid"}})
	w.must(err)
	r, err := http.NewRequest("POST", w.stytch.URL+"/v1/b2b/idp/oauth/authorize", bytes.NewReader(content))
	w.must(err)
	project := stytchtest.Development().Project
	r.SetBasicAuth(project.ID, project.Secret)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	w.must(err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		w.t.Fatalf("consent: %d", response.StatusCode)
	}
}

func client() string { return stytchtest.Development().ConnectedApps[0].ClientID }

func target(subject string) connections.Target {
	return connections.Target{OrganizationID: acme, Subject: subject, Client: client()}
}

// issued returns who a token of that time is of.
func issued(subject string, at time.Time) auth.Identity {
	return auth.Identity{OrganizationID: acme, Subject: subject, ClientID: client(), IssuedAt: at}
}

func revoked(err error) bool { return errors.Is(err, auth.ErrInvalidToken) }

// hold keeps every other change waiting until it is let go.
func (w *world) hold() (letGo func()) {
	w.t.Helper()
	held, hold, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		ended <- w.store.Write(context.Background(), func(*store.Tx) error {
			close(held)
			<-hold
			return nil
		})
	}()
	<-held
	letGo = sync.OnceFunc(func() {
		close(hold)
		w.must(<-ended)
	})
	w.t.Cleanup(letGo)
	return letGo
}

// begin revokes as long as the database does not write, and returns once the token is refused.
func (w *world) begin(ctx context.Context, c *connections.Connections, subject string) (outcome <-chan error) {
	w.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- c.Revoke(ctx, subject, target(subject)).Written }()
	token := issued(subject, w.stytch.Now())
	for limit := time.Now().Add(2 * time.Second); !revoked(c.Check(w.t.Context(), token, false)); {
		if time.Now().After(limit) {
			w.t.Fatal("the token is good as long as the database takes to write the revocation")
		}
	}
	return ended
}

// However long the database takes to write one revocation, its token is refused already
// and all others' are checked.
func TestASlowDatabaseHoldsNobodyUp(t *testing.T) {
	w := newWorld(t)
	c := w.instance(0)
	w.must(c.Check(t.Context(), issued(ada, w.stytch.Now()), true))
	letGo := w.hold()
	outcome := w.begin(t.Context(), c, grace)
	w.stytch.Advance(5 * time.Second) // the denials have to be read again
	checked := make(chan error)
	go func() { checked <- c.Check(t.Context(), issued(ada, w.stytch.Now()), true) }()
	select {
	case err := <-checked:
		w.must(err)
	case <-time.After(10 * time.Second):
		t.Error("another's token waits for the write")
		defer func() { <-checked }()
	}
	if !revoked(c.Check(t.Context(), issued(grace, w.stytch.Now()), false)) {
		t.Error("a look at the denials has forgotten the one that is being written")
	}
	letGo()
	w.must(<-outcome)
	if !revoked(w.instance(0).Check(t.Context(), issued(grace, w.stytch.Now().Add(-time.Minute)), false)) {
		t.Error("it is not in the database")
	}
}

// A revocation that fails takes none back that has succeeded.
func TestAFailedRevocationLeavesTheOneBefore(t *testing.T) {
	w := newWorld(t)
	c := w.instance(0)
	token := issued(grace, w.stytch.Now())
	w.must(c.Check(t.Context(), token, true))
	w.must(c.Revoke(t.Context(), grace, target(grace)).Written)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if c.Revoke(ctx, grace, target(grace)).Written == nil {
		t.Fatal("it is a success")
	}
	if !revoked(c.Check(t.Context(), token, false)) {
		t.Error("the token is good again")
	}
}

// An instance that never could read the denials refuses everything, also when it has made
// one itself.
func TestOneRevocationIsNotAllOfThem(t *testing.T) {
	w := newWorld(t)
	w.must(w.instance(0).Revoke(t.Context(), grace, target(grace)).Written)
	restarted := w.instance(0)
	w.must(restarted.Revoke(t.Context(), ada, target(ada)).Written)
	w.must(w.store.Close())
	for _, subject := range []string{ada, grace} {
		if restarted.Check(t.Context(), issued(subject, w.stytch.Now().Add(-time.Minute)), false) == nil {
			t.Errorf("%s reads", subject)
		}
	}
}

// Of two instances whose clocks differ, the one behind revokes what was revoked, and
// connected again, before. Stytch is away.
func TestRevokingByTheClockThatIsBehind(t *testing.T) {
	w := newWorld(t)
	ahead, behind := w.instance(3*time.Second), w.instance(0)
	w.must(ahead.Revoke(t.Context(), grace, target(grace)).Written)
	w.stytch.Advance(time.Second)
	w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: 503})
	w.must(behind.Revoke(t.Context(), grace, target(grace)).Written)
	w.stytch.Advance(14 * time.Second)
	for name, c := range map[string]*connections.Connections{"ahead": ahead, "behind": behind,
		"restarted": w.instance(0)} {
		if !revoked(c.Check(t.Context(), issued(grace, w.stytch.Now()), false)) {
			t.Errorf("%s: a token that was renewed since is good, although Stytch has not revoked", name)
		}
	}
	w.stytch.ClearFaults()
	w.stytch.Advance(time.Minute)
	behind.Retry(t.Context())
	w.stytch.Advance(10 * time.Second)
	for name, c := range map[string]*connections.Connections{"ahead": ahead, "behind": behind} {
		if err := c.Check(t.Context(), issued(grace, w.stytch.Now().Add(-time.Second)), true); err != nil {
			t.Errorf("%s: connected again, after Stytch has revoked: %v", name, err)
		}
		if !revoked(c.Check(t.Context(), issued(grace, w.stytch.Now().Add(-15*time.Second)), false)) {
			t.Errorf("%s: a token from before Stytch has revoked is good", name)
		}
	}
}

// Stytch's clock is ahead of ours, as far as is assumed: a token that it issued just before
// is revoked as well, and stays so.
func TestATokenFromAClockThatIsAheadIsRevoked(t *testing.T) {
	w := newWorld(t)
	c := w.instance(-5 * time.Second)
	before := issued(grace, w.stytch.Now())
	w.must(c.Check(t.Context(), before, true))
	w.must(c.Revoke(t.Context(), grace, target(grace)).Written)
	for range 3 {
		if !revoked(c.Check(t.Context(), before, false)) {
			t.Error("it is good")
		}
		w.stytch.Advance(50 * time.Minute)
	}
	w.must(c.Check(t.Context(), issued(grace, w.stytch.Now()), true))
}

// What Stytch refuses to revoke stays refused here, and is not asked for every few seconds
// for ever. It ends when the connection has ended at Stytch, whoever did that.
func TestStytchRefusesToRevoke(t *testing.T) {
	w := newWorld(t)
	w.consent(grace)
	c := w.instance(0)
	w.must(c.Check(t.Context(), issued(grace, w.stytch.Now()), true))
	path := "/v1/b2b/organizations/" + acme + "/members/" + grace + "/connected_apps/" + client() + "/revoke"
	refuse := func() { w.stytch.Fail(stytchtest.Fault{Path: path, Status: 400}) }
	refuse()
	asked := func() (n int) {
		for _, r := range w.stytch.Requests() {
			if r.Path == path {
				n++
			}
		}
		return n
	}
	w.must(c.Revoke(t.Context(), grace, target(grace)).Written)
	for range 3 * 60 {
		w.stytch.Advance(time.Minute)
		c.Retry(t.Context())
	}
	if got := asked(); got < 3 || got > 6 {
		t.Errorf("in three hours Stytch was asked %d times", got)
	}
	token := issued(grace, w.stytch.Now())
	if !revoked(c.Check(t.Context(), token, false)) {
		t.Error("the app has its access back, and is still connected at Stytch")
	}
	w.stytch.ClearFaults()
	w.must(w.people(0).Disconnect(t.Context(), acme, grace, client())) // as in Stytch's dashboard
	refuse()
	w.stytch.Advance(time.Hour)
	c.Retry(t.Context())
	w.stytch.Advance(10 * time.Second)
	w.must(c.Check(t.Context(), issued(grace, w.stytch.Now()), true))
	if !revoked(c.Check(t.Context(), token, false)) {
		t.Error("a token from before it ended is good")
	}
}

// A revocation outlives every token that is admitted, under the setting that holds when it
// is checked: it may have been another one when it was made.
func TestARevocationOutlivesEveryToken(t *testing.T) {
	for _, tt := range []struct{ then, now time.Duration }{
		{0, 0}, {2 * time.Hour, 2 * time.Hour}, {2 * time.Hour, 24 * time.Hour}, {time.Minute, auth.LongestLifetime},
	} {
		w := newWorld(t)
		instance := func(lifetime time.Duration) *connections.Connections {
			return connections.New(connections.Options{Store: w.store, Directory: w.people(0), MaxLifetime: lifetime,
				Now: w.stytch.Now})
		}
		lifetime := cmp.Or(tt.now, auth.DefaultLifetime)
		token := issued(grace, w.stytch.Now())
		w.must(instance(tt.then).Revoke(t.Context(), grace, target(grace)).Written)
		w.stytch.Advance(lifetime + 30*time.Second - 1) // the last moment of the token
		if !revoked(instance(tt.now).Check(t.Context(), token, false)) {
			t.Errorf("made with a bound of %v, checked with one of %v: the token is good again", tt.then, tt.now)
		}
	}
}

// The database was put back to a copy from before a revocation, or another server with older data has taken its place.
// What was revoked stays revoked, and is written again.
func TestOlderDataRevivesNoToken(t *testing.T) {
	w := newWorld(t)
	c, other := w.instance(0), w.instance(0)
	w.must(c.Revoke(t.Context(), grace, target(grace)).Written)
	token := issued(grace, w.stytch.Now())
	w.stytch.Advance(5 * time.Second)
	for _, instance := range []*connections.Connections{c, other} {
		if !revoked(instance.Check(t.Context(), token, false)) {
			t.Fatal("it is not known")
		}
	}
	w.must(w.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec("DELETE FROM denials")
		return err
	}))
	for range 3 {
		w.stytch.Advance(5 * time.Second)
		if !revoked(c.Check(t.Context(), token, false)) {
			t.Error("an instance that knew it admits the token")
		}
	}
	if w.instance(0).Check(t.Context(), token, false) != nil {
		t.Error("nobody can know it but from the database")
	}
	other.Retry(t.Context())
	c.Retry(t.Context())
	if !revoked(w.instance(0).Check(t.Context(), token, false)) {
		t.Error("it was not written back")
	}
	w.stytch.Advance(25*time.Hour + 2*time.Minute)               // no token from before is good any more
	_ = c.Check(t.Context(), issued(ada, w.stytch.Now()), false) // looks
	if err := c.Check(t.Context(), token, false); err != nil {
		t.Errorf("it is remembered for ever: %v", err)
	}
}

// While looks at the database fail, none is waited for, however often somebody asks.
func TestNobodyWaitsForLooksThatFail(t *testing.T) {
	w := newWorld(t)
	c := w.instance(0)
	w.must(c.Check(t.Context(), issued(ada, w.stytch.Now()), true))
	w.must(w.store.Close())
	w.stytch.Advance(5 * time.Second)
	_ = c.Check(t.Context(), issued(ada, w.stytch.Now()), false) // learns that a look fails
	gone, leave := context.WithCancel(t.Context())
	leave() // who would wait finds that the time is over
	for range 20 {
		w.stytch.Advance(5 * time.Second)
		w.must(c.Check(gone, issued(ada, w.stytch.Now()), false))
		if err := c.Check(gone, issued(ada, w.stytch.Now()), true); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("a write is told %v", err)
		}
	}
}

// An instance that has seen nothing for longer than tokens live cannot tell what the database has lost from what has
// ended there rightly: who has connected again meanwhile stays connected.
func TestWhatEndedMeanwhileIsNotTakenForLost(t *testing.T) {
	w := newWorld(t)
	away, awake := w.instance(0), w.instance(0)
	w.stytch.Fail(stytchtest.Fault{Path: "/v1", Status: 503})
	w.must(awake.Revoke(t.Context(), grace, target(grace)).Written)
	w.stytch.Advance(5 * time.Second)
	if !revoked(away.Check(t.Context(), issued(grace, w.stytch.Now()), false)) {
		t.Fatal("it does not know what Stytch has not revoked yet")
	}
	w.stytch.ClearFaults()
	w.stytch.Advance(time.Minute)
	awake.Retry(t.Context())
	w.stytch.Advance(auth.DefaultLifetime + 2*time.Minute)
	w.consent(grace)
	token := issued(grace, w.stytch.Now())
	_ = away.Check(t.Context(), token, false) // looks
	w.must(away.Check(t.Context(), token, true))
	away.Retry(t.Context())
	w.must(w.instance(0).Check(t.Context(), token, true))
	if w.connected(grace) != 1 {
		t.Error("the connection that was made since is ended")
	}
}
