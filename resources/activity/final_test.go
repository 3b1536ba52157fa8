package activity_test

import (
	"testing"
	"time"

	"guestpass/api"
	"guestpass/guestpasstest"
	"guestpass/resources/activity"
	"guestpass/resources/tasks"
)

// What an undo deletes can be brought back for 30 days from then on, however long ago it was deleted before.
func TestWhatAnUndoDeletesCanBeBroughtBack(t *testing.T) {
	guestpasstest.OnEachDatabase(t, func(t *testing.T, url string) {
		w := guestpasstest.New(t, guestpasstest.Options{DatabaseURL: url,
			Resources: []api.Resource{tasks.Resource(), activity.Resource()}})
		p := w.As(ada, "tasks:read", "tasks:write", "activity:read")
		task := "/api/v1/tasks/" + p.Do(201, "POST", "/api/v1/tasks", `{"title":"Water"}`)["task_id"].(string)
		p.Do(200, "DELETE", task, "")
		p.Do(200, "POST", task+"/restore", "")
		w.Stytch.Advance(60 * 24 * time.Hour)
		last := func() string {
			list := p.Do(200, "GET", "/api/v1/activity?limit=1", "")["activities"].([]any)
			return "/api/v1/activity/" + list[0].(map[string]any)["activity_id"].(string) + "/undo"
		}
		p.Do(200, "POST", last(), "") // takes the restoring back
		p.Do(404, "GET", task, "")
		p.Do(200, "POST", last(), "")
		p.Do(200, "GET", task, "")
	})
}
