package store_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"guestpass/resources/tasks/table"
	"guestpass/store"
)

var bytesOf = flag.Int("bytes-of", 1000, "how many rows of each kind TestBytesOfEachRow makes")

// words are as many as people use, so that the index of words grows as it does with what they write.
func words(from, number int) string {
	text := make([]string, number)
	for i := range text {
		text[i] = fmt.Sprintf("word%d", (from*31+i*i*7)%5000)
	}
	return strings.Join(text, " ")
}

// space returns how many bytes the database takes, with its indexes.
func space(t *testing.T, s *store.Store) (bytes int64) {
	t.Helper()
	query := "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	if s.Database() == store.Postgres {
		query = `SELECT CAST(sum(pg_total_relation_size(c.oid)) AS bigint) FROM pg_class c
			JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'guestpass' AND c.relkind = 'r'`
	}
	if err := s.QueryRow(t.Context(), query).Scan(&bytes); err != nil {
		t.Fatal(err)
	}
	return bytes
}

// TestBytesOfEachRow measures what docs/keeping.md tells of how the database grows: go test -run TestBytesOfEachRow -v
// ./store -args -bytes-of 50000.
func TestBytesOfEachRow(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		rows := []struct {
			what string
			make func(tx *store.Tx, i int) error
		}{
			{"task with 60 words and a label", func(tx *store.Tx, i int) error {
				_, err := table.CreateTask(tx, "acme", table.Task{Title: words(i, 8), Notes: words(i+1, 52),
					State: "open", Priority: 2, Creator: grace, Labels: []string{fmt.Sprint("label", i%50)}})
				return err
			}},
			{"change on record, of 300 bytes", func(tx *store.Tx, i int) error {
				tx.Changed(store.NewID("tsk_"), nil, strings.Repeat("x", 298))
				_, err := tx.Record(store.Activity{Owner: "acme", Subject: grace,
					Client: "connected-app-live-" + grace[12:], Operation: "createTask",
					Outcome: store.Done, Request: store.NewID("req_")})
				return err
			}},
			{"connection", func(tx *store.Tx, i int) error {
				return tx.NoteUse(store.Connection{Owner: fmt.Sprint("organization-live-", i%500, grace[12:]),
					Subject: fmt.Sprint("member-live-", i, grace[12:]), Client: "connected-app-live-" + grace[12:],
					Scopes: "openid profile email tasks:read tasks:write", LastUsed: c.Now().Add(time.Duration(i))})
			}},
			{"answer for a repeated call, of 500 bytes", func(tx *store.Tx, i int) error {
				claim := store.Claim{Key: store.Digest(fmt.Sprint(i)), Body: store.Digest("body"), Owner: "acme",
					Person: grace, For: time.Hour}
				if _, _, err := tx.Claim(claim); err != nil {
					return err
				}
				return tx.KeepReply(claim, store.Reply{JSON: strings.Repeat("x", 500), Target: store.NewID("tsk_")})
			}},
			{"revocation", func(tx *store.Tx, i int) error {
				return tx.Keep(store.Denial{Subject: fmt.Sprint("member-live-", i, grace[12:]), Owner: "acme",
					Client: "connected-app-live-" + grace[12:], RevokedAt: c.Now(), ExpiresAt: c.Now()})
			}},
		}
		for _, row := range rows {
			before := space(t, s)
			const atOnce = 100
			for from := 0; from < *bytesOf; from += atOnce {
				write(t, s, func(tx *store.Tx) error {
					tx.BeyondQuota()
					for i := range atOnce {
						if err := row.make(tx, from+i); err != nil {
							return err
						}
					}
					return nil
				})
			}
			each := (space(t, s) - before) / int64(*bytesOf)
			t.Logf("| %s | %d |", row.what, each)
			if each <= 0 || each > 20_000 {
				t.Errorf("%s: %d bytes", row.what, each)
			}
		}
	})
}
