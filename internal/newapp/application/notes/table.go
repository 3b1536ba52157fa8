package notes

import (
	"context"
	"fmt"
	"time"

	"guestpass/store"
)

// newest returns the newest notes of an owner. Every query names the owner.
func newest(ctx context.Context, s *store.Store, owner string) ([]Note, error) {
	return store.List(ctx, s, func(row store.Scanner) (n Note, err error) { return n, row.Scan(&n.ID, &n.Text) },
		"SELECT id, note FROM notes WHERE owner = $1 AND deleted_at = 0 ORDER BY created_at DESC, id DESC LIMIT 50",
		owner)
}

// insert keeps a note, counts it for the quota, and notes it for the record of changes.
func insert(tx *store.Tx, owner, creator, text string) (Note, error) {
	const row = 300 // bytes that a row takes beside its text, with indexes
	n := Note{ID: store.NewID(prefix), Text: text}
	size := int64(row + len(text))
	_, err := tx.Exec("INSERT INTO notes (id, owner, creator, note, created_at, deleted_at, bytes) "+
		"VALUES ($1, $2, $3, $4, $5, 0, $6)", n.ID, owner, creator, text, tx.Now().UnixMilli(), size)
	if err != nil {
		return n, fmt.Errorf("add a note: %w", err)
	}
	tx.Use(owner, creator, store.Usage{Kind: kind, Number: 1, Bytes: size})
	tx.Changed(n.ID, nil, n)
	return n, nil
}

// setDeleted deletes a note or brings it back; one that is so already counts as missing. A deleted note takes room, but
// is no longer one of those that an owner has, until purge removes it for good.
func setDeleted(tx *store.Tx, owner, id string, deleted bool) (n Note, err error) {
	at, number := int64(0), int64(1)
	if deleted {
		at, number = store.Millis(tx.Now()), -1
	}
	var creator string
	err = tx.QueryRow("UPDATE notes SET deleted_at = $1 WHERE id = $2 AND owner = $3 AND (deleted_at = 0) = $4 "+
		"RETURNING id, note, creator", at, id, owner, deleted).Scan(&n.ID, &n.Text, &creator)
	if err == nil {
		tx.Use(owner, creator, store.Usage{Kind: kind, Number: number})
	}
	return n, err
}

// purge removes for good what was deleted before.
func purge(ctx context.Context, s *store.Store, before time.Time) error {
	const atOnce = 500
	return s.InSteps(ctx, atOnce, func(tx *store.Tx) (int64, error) {
		return tx.DeleteCounted(`DELETE FROM notes WHERE id IN (SELECT id FROM notes
			WHERE deleted_at > 0 AND deleted_at <= $1 ORDER BY deleted_at LIMIT $2)
			RETURNING owner, creator, bytes`, store.Millis(before), atOnce)
	})
}
