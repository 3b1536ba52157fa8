package tasks_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/guestpasstest"
	"guestpass/store"
)

var rounds = flag.Int("rounds", 10, "how often a hundred equal calls are made at once, on each database")

func TestARepeatedCreateIsNotDoneTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, w *guestpasstest.World) {
		p := w.As(ada)
		for round := range *rounds {
			oneTaskFromManyCalls(t, p, fmt.Sprintf(`{"title":"round %d"}`, round))
		}
		if total := p.Do(200, "GET", "/api/v1/tasks", "")["total"]; total != float64(*rounds) { // counted up to 1,000
			t.Errorf("%v tasks of %d rounds", total, *rounds)
		}
		const once = `{"title":"once","notes":"x"}`
		create(p, once)
		other := w.As(grace) // the same words of somebody else are another task
		if other.Do(201, "POST", "/api/v1/tasks", once)["repeated"] != nil {
			t.Error("an answer went to another person")
		}
		p.Do(201, "POST", "/api/v1/tasks", `{"title":"once","request_id":"a"}`)
		p.Do(409, "POST", "/api/v1/tasks", `{"title":"another","request_id":"a"}`)
		key := func(r *http.Request) { r.Header.Set("Idempotency-Key", "k-1") }
		first := p.Do(201, "POST", "/api/v1/tasks", `{"title":"by header"}`, key)
		if again := p.Do(201, "POST", "/api/v1/tasks", `{"title":"by header"}`,
			key); again["task_id"] != first["task_id"] || again["repeated"] != true {
			t.Errorf("%v, then %v", first, again)
		}
		w.Stytch.Advance(11 * time.Minute)
		if p.Do(201, "POST", "/api/v1/tasks", once)["repeated"] != nil {
			t.Error("after ten minutes an equal task is still a repetition")
		}
		if again := p.Do(201, "POST", "/api/v1/tasks", `{"title":"by header"}`, key); again["repeated"] != true {
			t.Errorf("a call with a key of its own, eleven minutes later: %v", again)
		}
		w.Stytch.Advance(24 * time.Hour)
		if p.Do(201, "POST", "/api/v1/tasks", `{"title":"by header"}`, key)["repeated"] != nil {
			t.Error("after a day an equal key is still a repetition")
		}
	})
}

// oneTaskFromManyCalls makes a hundred equal calls at once: all get the same answer. Who is told that the server has
// too much to do, as a slow machine may have, calls again.
func oneTaskFromManyCalls(t *testing.T, p *guestpasstest.Person, body string) {
	t.Helper()
	const callers = 100
	ids, repeated := map[string]int{}, 0
	var mutex sync.Mutex // guards both
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			r := p.Call("POST", "/api/v1/tasks", body)
			for tries := 0; r.Status == 503 && tries < 100; tries++ {
				r = p.Call("POST", "/api/v1/tasks", body)
			}
			var fields map[string]any
			_ = json.Unmarshal([]byte(r.Body), &fields)
			mutex.Lock()
			defer mutex.Unlock()
			ids[fmt.Sprint(r.Status, fields["task_id"])]++
			if fields["repeated"] == true {
				repeated++
			}
		})
	}
	group.Wait()
	if len(ids) != 1 || repeated != callers-1 {
		t.Errorf("%s: %v, %d repeated", body, ids, repeated)
	}
}

// TestACreateThatRepeatsADeletedThingMakesANewOne, and one that repeats what is there again does not.
func TestACreateThatRepeatsADeletedThingMakesANewOne(t *testing.T) {
	onBoth(t, func(t *testing.T, w *guestpasstest.World) {
		p := w.As(ada)
		for _, body := range []string{`{"title":"by content"}`, `{"title":"by key","request_id":"r1"}`} {
			first := create(p, body)
			p.Do(200, "DELETE", "/api/v1/tasks/"+first, "")
			var group sync.WaitGroup
			var mutex sync.Mutex // guards ids
			ids := map[string]bool{}
			for range 10 {
				group.Go(func() {
					r := p.Call("POST", "/api/v1/tasks", body)
					var task struct {
						ID string `json:"task_id"`
					}
					_ = json.Unmarshal([]byte(r.Body), &task)
					mutex.Lock()
					defer mutex.Unlock()
					ids[fmt.Sprint(r.Status, task.ID)] = true
				})
			}
			group.Wait()
			if len(ids) != 1 || ids["201"+first] || ids["201 "+first] {
				t.Fatalf("%s deleted, then there are %v", first, ids)
			}
			again := p.Do(201, "POST", "/api/v1/tasks", body)
			if again["repeated"] != true || again["task_id"] == first {
				t.Errorf("%v", again)
			}
			p.Do(200, "GET", "/api/v1/tasks/"+again["task_id"].(string), "")
		}
		task := create(p, `{"title":"with comments"}`)
		comment := func() map[string]any {
			return p.Do(201, "POST", "/api/v1/tasks/"+task+"/comments", `{"text":"hello"}`)
		}
		first := comment()["comment_id"]
		p.Do(200, "POST", undoLast(p), "")
		second := comment()
		if second["comment_id"] == first || second["repeated"] == true {
			t.Errorf("a comment that was undone: %v", second)
		}
		p.Do(200, "DELETE", "/api/v1/tasks/"+task, "")
		p.Do(404, "POST", "/api/v1/tasks/"+task+"/comments", `{"text":"hello"}`)
		p.Do(200, "POST", "/api/v1/tasks/"+task+"/restore", "")
		if third := comment(); third["comment_id"] != second["comment_id"] || third["repeated"] != true {
			t.Errorf("a comment that is there again: %v, want %v", third, second)
		}
		set := func(r *http.Request) { r.Header.Set("Idempotency-Key", "delete-once") }
		gone := create(p, `{"title":"to be deleted"}`)
		p.Do(200, "DELETE", "/api/v1/tasks/"+gone, "", set)
		p.Do(200, "DELETE", "/api/v1/tasks/"+gone, "", set) // what is no create gets its answer
	})
}

// A quota is told with how there is room again, and there is when something is deleted.
func TestTasksAndCommentsHaveQuotas(t *testing.T) {
	guestpasstest.OnEachDatabase(t, func(t *testing.T, url string) {
		w := start(t, guestpasstest.Options{DatabaseURL: url,
			Quota: store.Quota{Things: map[string]int64{"tasks": 4, "comments": 4}}})
		p := w.As(ada) // one person has half
		create(p, `{"title":"first"}`)
		path := "/api/v1/tasks/" + create(p, `{"title":"second"}`)
		p.Do(201, "POST", path+"/comments", `{"text":"first"}`)
		p.Do(201, "POST", path+"/comments", `{"text":"second"}`)
		for _, tt := range []struct{ path, body, name, setting string }{
			{"/api/v1/tasks", `{"title":"third"}`, "tasks", "GUESTPASS_QUOTA_TASKS"},
			{path + "/comments", `{"text":"third"}`, "comments", "GUESTPASS_QUOTA_COMMENTS"},
		} {
			refused := p.Do(507, "POST", tt.path, tt.body)
			if fmt.Sprint(refused["quota"]) != "map[limit:2 name:"+tt.name+" used:2]" ||
				!strings.Contains(fmt.Sprint(refused["hint"]), "Delete tasks that are not needed any more") ||
				!strings.Contains(fmt.Sprint(refused["hint"]), tt.setting) {
				t.Errorf("%v", refused)
			}
		}
		p.Do(200, "PATCH", path, `{"title":"changing is no more"}`)
		p.Do(200, "DELETE", path, "")
		third := "/api/v1/tasks/" + create(p, `{"title":"third"}`)
		p.Do(201, "POST", third+"/comments", `{"text":"third"}`)
		p.Do(507, "POST", path+"/restore", "")
	})
}
