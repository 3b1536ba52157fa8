package table_test

import (
	"fmt"
	"testing"
	"time"

	"guestpass/resources/tasks/table"
	"guestpass/store"
)

func TestListsGoThroughEveryTaskOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		for i := range 60 {
			due := ""
			if i%3 > 0 {
				due = fmt.Sprintf("2026-12-%02d", i%7+1)
			}
			task := table.Task{Title: fmt.Sprintf("task %d common", i), Due: due, Priority: i%4 + 1,
				Assignee: fmt.Sprint("m", i%2)}
			if i%5 == 0 {
				task.Labels = []string{"fifth"}
			}
			create(t, s, "acme", task)
			create(t, s, "globex", table.Task{Title: "foreign common", Labels: []string{"fifth"}})
			c.advance(time.Millisecond * time.Duration(i%2))
		}
		for name, tt := range map[string]struct {
			query table.TaskQuery
			want  int
		}{
			"due":          {table.TaskQuery{Sort: "due"}, 60},
			"updated":      {table.TaskQuery{Sort: "updated"}, 60},
			"priority":     {table.TaskQuery{Sort: "priority"}, 60},
			"created":      {table.TaskQuery{Sort: "created"}, 60},
			"state":        {table.TaskQuery{Sort: "due", State: "open"}, 60},
			"no state":     {table.TaskQuery{Sort: "due", State: "done"}, 0},
			"assignee":     {table.TaskQuery{Sort: "updated", Assignee: "m1"}, 30},
			"label":        {table.TaskQuery{Sort: "priority", Label: "fifth"}, 12},
			"due before":   {table.TaskQuery{Sort: "due", DueBefore: "2026-12-03"}, 12},
			"search":       {table.TaskQuery{Sort: "created", Search: "COMMON"}, 60},
			"rare word":    {table.TaskQuery{Sort: "created", Search: "common 17"}, 1},
			"search label": {table.TaskQuery{Sort: "created", Search: "task", Label: "fifth"}, 12},
			"operators":    {table.TaskQuery{Sort: "created", Search: `" OR * NEAR( owner:x -`}, 0},
		} {
			seen := map[string]bool{}
			query := tt.query
			for query.Limit = 7; ; {
				page, err := table.List(t.Context(), s, "acme", query)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if page.Total != tt.want {
					t.Errorf("%s: total %d, want %d", name, page.Total, tt.want)
				}
				for _, task := range page.Tasks {
					if seen[task.ID] || task.Title == "foreign common" {
						t.Errorf("%s: %s twice, or foreign", name, task.ID)
					}
					seen[task.ID] = true
				}
				if len(page.Tasks) < query.Limit {
					break
				}
				query.After = page.Position(page.Tasks[len(page.Tasks)-1])
			}
			if len(seen) != tt.want {
				t.Errorf("%s: %d tasks, want %d", name, len(seen), tt.want)
			}
		}
	})
}
