package connections_test

import (
	"testing"
	"time"

	"guestpass/internal/connections"
	"guestpass/internal/stytch"
	"guestpass/stytchtest"
)

// TestARevocationElsewhereForgetsPeople has two instances show somebody, of whom one revokes something.
func TestARevocationElsewhereForgetsPeople(t *testing.T) {
	w := newWorld(t)
	now := w.stytch.Now() // which stands still, so that no answer grows old by itself
	project := stytchtest.Development().Project
	instance := func() (*connections.Connections, *stytch.B2B) {
		people, err := stytch.NewB2B(stytch.Options{ProjectID: project.ID, Secret: project.Secret,
			BaseURL: w.stytch.URL, Recent: time.Minute, Now: func() time.Time { return now }})
		w.must(err)
		return connections.New(connections.Options{Store: w.store, Directory: people,
			Now: func() time.Time { return now }}), people
	}
	status := func(people *stytch.B2B) string {
		person, err := people.RecentPerson(t.Context(), acme, grace)
		w.must(err)
		return person.Status
	}
	here, peopleHere := instance()
	there, peopleThere := instance()
	w.must(there.Check(t.Context(), issued(grace, now), false)) // it knows of no revocation
	status(peopleHere)
	status(peopleThere)
	w.must(w.stytch.SetStatus(grace, "pending"))
	here.Revoke(t.Context(), ada, target(grace))
	if got := status(peopleHere); got != "pending" {
		t.Errorf("where it was revoked: %s", got)
	}
	if got := status(peopleThere); got != "active" {
		t.Errorf("elsewhere, before it is known there: %s", got)
	}
	now = now.Add(5 * time.Second) // the other instance looks
	if err := there.Check(t.Context(), issued(grace, now.Add(-time.Minute)), false); !revoked(err) {
		t.Fatal(err)
	}
	if got := status(peopleThere); got != "pending" {
		t.Errorf("elsewhere, once it is known: %s", got)
	}
}
