package expenses

import (
	"encoding/json"
	"fmt"
	"time"

	"guestpass/api"
	"guestpass/store"
)

// format is that of record. A later one that cannot be read as this gets another number, and undo reads both.
const format = 1

// A record is what the record of changes keeps of an expense, before and after. Rows of it are read years later: it
// is no more than what can be changed, and its names stay.
type record struct {
	Format    int    `json:"v"`
	Cents     int64  `json:"cents"`
	Currency  string `json:"currency"`
	Category  string `json:"category"`
	SpentOn   string `json:"spent_on"`
	Note      string `json:"note"`
	DeletedAt string `json:"deleted_at"` // RFC 3339; "": it is not deleted
}

func (r record) deleted() bool { return r.DeletedAt != "" }

func (r *record) deleteAt(t time.Time) { r.DeletedAt = api.FormatTime(t) }

// deletedAt is the time, zero for none.
func (r record) deletedAt() time.Time {
	t, _ := time.Parse(time.RFC3339, r.DeletedAt) // fails for "" only
	return t
}

// undo puts an expense back to what it was before the activity. One that was added is deleted.
func undo(tx *store.Tx, a store.Activity) error {
	_, err := replace(tx, a.Owner, a.Target, func(x *expense) error {
		if a.Before == "" {
			x.deleteAt(tx.Now())
			return nil
		}
		before := record{}
		if err := json.Unmarshal([]byte(a.Before), &before); err != nil {
			return fmt.Errorf("undo %s: %w", a.ID, err)
		}
		if before.Format != format {
			return fmt.Errorf("undo %s: a record of format %d", a.ID, before.Format)
		}
		if before.deleted() { // from now on, so that it can be brought back for as long as any other
			before.deleteAt(tx.Now())
		}
		x.record = before
		return nil
	})
	return err
}
