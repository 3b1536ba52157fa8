// Package table keeps tasks and their comments in tables of their own, in the transactions of package store: it lists
// them in order, finds them by their words, records and undoes changes, and counts what they use of a quota. It knows
// neither operations nor who may do what within an owner.
package table

import (
	"context"
	"embed"
	"io/fs"
	"slices"

	"guestpass/store"
)

// The kinds of what is counted, as a [store.Quota] names them.
const (
	Tasks    = "tasks"
	Comments = "comments"
)

//go:embed migrations
var embedded embed.FS

// Schema returns the schema of the tables.
func Schema() store.Schema {
	files, _ := fs.Sub(embedded, "migrations") // fails for an invalid name only
	return store.Schema{Name: "tasks", Files: files, WasBuiltIn: true, Purge: purge, Erase: erase,
		Migrated: func(ctx context.Context, s *store.Store) error { return indexOldTasks(ctx, s, s.Log()) },
		Postgres: func(columns map[string][]string) { // whose search index is a column
			for _, name := range []string{"task_words", "task_words_data", "task_words_idx", "task_words_content",
				"task_words_docsize", "task_words_config"} {
				delete(columns, name)
			}
			if tasks := columns["tasks"]; !slices.Contains(tasks, "words") {
				columns["tasks"] = append(tasks, "words")
			}
		}}
}
