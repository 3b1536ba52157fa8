package store_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"guestpass/internal/postgrestest"
	"guestpass/store"
)

// The database was put back to a copy under an instance that runs: the next change says so, once.
func TestOlderDataIsNoticedByTheRecord(t *testing.T) {
	address, log := postgrestest.Shared(t).Database(t), new(bytes.Buffer)
	s := openWith(t, store.Options{URL: address, Log: slog.New(slog.NewTextHandler(log, nil))})
	record := func() {
		t.Helper()
		must(t, s.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Record(store.Activity{Owner: "acme", Subject: "ada", Operation: "o", Outcome: store.Done})
			return err
		}))
	}
	const told = "the database has older data"
	for range 4 {
		record()
	}
	if strings.Contains(log.String(), told) {
		t.Fatalf("nothing is older: %s", log)
	}
	openRaw(t, "pgx", address).exec("DELETE FROM guestpass.activity WHERE seq > 2",
		"UPDATE guestpass.activity_heads SET seq = 2")
	for range 3 {
		record()
	}
	if n := strings.Count(log.String(), told); n != 1 || !strings.Contains(log.String(), "record_was=4") {
		t.Errorf("told %d times: %s", n, log)
	}
}
