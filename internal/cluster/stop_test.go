package cluster_test

import (
	"strings"
	"testing"
)

// TestAnInstanceThatStopsSaysWhichRevocationsAreLost has the database take no revocation until an instance that knows
// one has stopped. Another, which knows none, has nothing to say.
func TestAnInstanceThatStopsSaysWhichRevocationsAreLost(t *testing.T) {
	b := newBed(t)
	db := b.postgres.open("guestpass")
	defer db.Close()
	r, knows, other := b.connect(lea, "lea"), b.instances[0], b.instances[1]
	tx, err := db.Begin()
	must(t, err)
	_, err = tx.Exec("LOCK TABLE guestpass.denials IN EXCLUSIVE MODE") // which can be read
	must(t, err)
	if a := r.press(knows); pressed(a) == nil {
		t.Logf("the page tells of the revocation: %s", a.location)
	}
	b.terminate(knows)
	b.terminate(other)
	must(t, tx.Rollback())
	const lost = "revocations are lost with this instance"
	if log := knows.log(); strings.Count(log, lost) != 1 || !strings.Contains(log, `"revocations":1`) ||
		!strings.Contains(log, `another session held a lock`) {
		t.Errorf("the instance that knows says %s", knows.end())
	}
	if strings.Contains(other.log(), lost) {
		t.Errorf("the other says %s", other.end())
	}
}
