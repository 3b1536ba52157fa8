package store

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryListReadsAnIndexInItsOrder asks SQLite how it would run each list: without an
// index it scans the table, and without the right one it sorts.
func TestEveryListReadsAnIndexInItsOrder(t *testing.T) {
	s, err := Open(t.Context(), Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	plan := func(text string, values ...any) string {
		rows, err := s.read.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, values...)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		defer rows.Close()
		var steps []string
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			steps = append(steps, step)
		}
		return strings.Join(steps, "; ")
	}
	for name, query := range map[string]TaskQuery{
		"due":            {Sort: "due"},
		"updated":        {Sort: "updated"},
		"priority":       {Sort: "priority"},
		"created":        {Sort: "created"},
		"state by due":   {Sort: "due", State: "open"},
		"assignee":       {Sort: "due", Assignee: "m"},
		"due before":     {Sort: "due", DueBefore: "2026-01-01"},
		"state, updated": {Sort: "updated", State: "open"},
		"search":         {Sort: "created", Search: "word"},
		"search, state":  {Sort: "created", Search: "word", State: "open"},
	} {
		for _, after := range []string{"", "2 7"} {
			query.After, query.Limit = after, 25
			selected, err := s.selectTasks("acme", query)
			if err != nil {
				t.Fatal(err)
			}
			got := plan("SELECT "+taskColumns+selected.text, selected.values...)
			if strings.Contains(got, "SCAN t") && !strings.Contains(got, "VIRTUAL TABLE") || strings.Contains(got, "TEMP B-TREE") {
				t.Errorf("%s after %q: %s", name, after, got)
			}
		}
	}
	for _, text := range []string{
		"SELECT 1 FROM tasks t WHERE t.id = 'x' AND t.owner = 'o' AND t.deleted_at = 0",
		"SELECT 1 FROM task_comments WHERE owner = 'o' AND task_id = 'x' AND seq > 3 AND deleted_at = 0 ORDER BY seq LIMIT 4",
		"SELECT 1 FROM activity a WHERE owner = 'o' AND subject = 's' AND seq < 9 ORDER BY seq DESC LIMIT 4",
		"SELECT 1 FROM activity WHERE owner = 'o' AND target = 't' ORDER BY seq DESC LIMIT 1",
		"DELETE FROM task_labels WHERE task = 1",
		selectReply,
		"SELECT key FROM replies WHERE expires_at <= 1 ORDER BY expires_at LIMIT 500",
	} {
		values := []any{}
		if text == selectReply {
			values = []any{"k", 1}
		}
		if got := plan(text, values...); strings.Contains(got, "SCAN") || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%s: %s", text, got)
		}
	}
}
