package table_test

import (
	"strings"
	"testing"

	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// TestIndexingGoesOnWhereItWas interrupts the indexing of old tasks by an error.
func TestIndexingGoesOnWhereItWas(t *testing.T) {
	for name, url := range databases() {
		t.Run(name, func(t *testing.T) {
			o := store.Options{URL: url(t), Schemas: []store.Schema{table.Schema()}}
			s, err := store.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			db := openRaw(t, o.URL)
			db.exec(strings.Replace(seedSQL, "$1", "2500", 1),
				"UPDATE indexing SET done = 0, last = (SELECT max(seq) FROM tasks)")
			db.exec(map[string]string{
				"SQLite": "CREATE TRIGGER stop BEFORE UPDATE OF done ON indexing WHEN new.done > 1500 BEGIN SELECT " +
					"RAISE(ABORT, 'stopped'); END",
				"Postgres": "ALTER TABLE indexing ADD CONSTRAINT stop CHECK (done <= 1500)",
			}[name])
			if s, err := store.Open(t.Context(), o); err == nil {
				_ = s.Close()
				t.Error("it was not interrupted")
			}
			var done int
			if err := db.QueryRow("SELECT done FROM indexing").Scan(&done); err != nil || done != 1000 {
				t.Errorf("done %d, %v", done, err)
			}
			db.exec(map[string]string{"SQLite": "DROP TRIGGER stop",
				"Postgres": "ALTER TABLE indexing DROP CONSTRAINT stop"}[name])
			s = open(t, store.Options{URL: o.URL})
			for _, i := range []string{"1", "1000", "1001", "2500"} {
				if n := found(t, s, "仕事 task "+i); n != 1 {
					t.Errorf("task %s is found %d times", i, n)
				}
			}
		})
	}
}
