package expenses

import (
	"encoding/json"
	"fmt"

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
	DeletedAt int64  `json:"deleted_at,omitempty"` // milliseconds since 1970
}

func (r record) deleted() bool { return r.DeletedAt != 0 }

// undo puts an expense back to what it was before the activity. One that was added is deleted.
func undo(tx *store.Tx, a store.Activity) error {
	_, err := replace(tx, a.Owner, a.Target, func(x *expense) error {
		if a.Before == "" {
			x.DeletedAt = store.Millis(tx.Now())
			return nil
		}
		before := record{}
		if err := json.Unmarshal([]byte(a.Before), &before); err != nil {
			return fmt.Errorf("undo %s: %w", a.ID, err)
		}
		if before.Format != format {
			return fmt.Errorf("undo %s: a record of format %d", a.ID, before.Format)
		}
		x.record = before
		return nil
	})
	return err
}
