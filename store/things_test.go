package store

import (
	"testing"
	"testing/fstest"
)

// things is a schema of the tests inside this package, which cannot import a resource: each of those imports it. They
// are counted as things of a kind, and stay when they are deleted, as those of resources do.
var things = Schema{Name: "things", Quotas: map[string]int64{"things": 100_000},
	Files: fstest.MapFS{"00001_things.sql": {Data: []byte(`-- +goose Up
CREATE TABLE things (
	id         TEXT   PRIMARY KEY,
	owner      TEXT   NOT NULL,
	text       TEXT   NOT NULL,
	deleted_at BIGINT NOT NULL
);`)}}}

// createThing keeps one for Ada, and counts it to her.
func createThing(tx *Tx, owner, text string) (id string, err error) {
	id = NewID("thg_")
	if _, err := tx.Exec("INSERT INTO things (id, owner, text, deleted_at) VALUES ($1, $2, $3, 0)", id, owner,
		text); err != nil {
		return "", err
	}
	tx.Use(owner, "ada", Usage{Kind: "things", Number: 1, Bytes: int64(100 + len(text))})
	tx.Changed(id, nil, map[string]string{"text": beginning(text, maxAfter)})
	return id, nil
}

// countThings returns how many of the owner there are, of those that are not deleted.
func countThings(t *testing.T, s *Store, owner string) (number int) {
	t.Helper()
	err := s.QueryRow(t.Context(), "SELECT count(*) FROM things WHERE owner = $1 AND deleted_at = 0",
		owner).Scan(&number)
	if err != nil {
		t.Fatal(err)
	}
	return number
}
