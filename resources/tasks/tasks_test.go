package tasks_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/guestpasstest"
	"guestpass/resources/activity"
	"guestpass/resources/tasks"
	"guestpass/store"
	"guestpass/stytchtest"
)

const ada, grace, hank = guestpasstest.Ada, guestpasstest.Grace, guestpasstest.Hank

// start has tasks, and the record by which what was done to them is undone.
func start(t *testing.T, o guestpasstest.Options) *guestpasstest.World {
	t.Helper()
	o.Resources = []api.Resource{tasks.Resource(), activity.Resource()}
	return guestpasstest.New(t, o)
}

func onBoth(t *testing.T, test func(*testing.T, *guestpasstest.World)) {
	guestpasstest.OnEachDatabase(t, func(t *testing.T, url string) {
		test(t, start(t, guestpasstest.Options{DatabaseURL: url}))
	})
}

// create makes a task of a body, and returns its id.
func create(p *guestpasstest.Person, body string) string {
	return p.Do(201, "POST", "/api/v1/tasks", body)["task_id"].(string)
}

// undoLast is the path that undoes what somebody did last.
func undoLast(p *guestpasstest.Person) string {
	done := p.Do(200, "GET", "/api/v1/activity?limit=1", "")["activities"].([]any)
	return "/api/v1/activity/" + done[0].(map[string]any)["activity_id"].(string) + "/undo"
}

func TestATaskFromCreationToUndo(t *testing.T) {
	onBoth(t, func(t *testing.T, w *guestpasstest.World) {
		p := w.As(ada)
		id := create(p, `{"title":"Water the plants","due":"2030-01-31","labels":["Home"],"assignee":"`+grace+`"}`)
		path := "/api/v1/tasks/" + id
		p.Do(200, "PATCH", path, `{"priority":"high","version":1}`)
		if conflict := p.Do(409, "PATCH", path, `{"priority":"low",`+
			`"version":1}`); conflict["current"].(map[string]any)["priority"] != "high" {
			t.Errorf("a stale version does not get the current task: %v", conflict)
		}
		done := p.Do(200, "POST", path+"/complete", "")
		if again := p.Do(200, "POST", path+"/complete", ""); again["version"] != done["version"] ||
			done["completed_at"] == nil {
			t.Errorf("completing twice: %v, %v", done, again)
		}
		p.Do(201, "POST", path+"/comments", `{"text":"Cactus too"}`)
		if comments := p.Do(200, "GET", path+"/comments", "")["comments"].([]any); len(comments) != 1 {
			t.Errorf("comments: %v", comments)
		}
		p.Do(200, "DELETE", path, "")
		p.Do(404, "GET", path, "")
		p.Do(200, "DELETE", path, "") // a repeated call
		p.Do(200, "POST", path+"/restore", "")
		activities := p.Do(200, "GET", "/api/v1/activity", "")["activities"].([]any)
		var operations []string
		for _, a := range activities {
			operations = append(operations, a.(map[string]any)["operation"].(string))
		}
		if got := strings.Join(operations,
			" "); got != "restoreTask deleteTask addTaskComment completeTask updateTask createTask" {
			t.Errorf("activity: %s", got)
		}
		activity := func(i int) string { return activities[i].(map[string]any)["activity_id"].(string) }
		if later := p.Do(409, "POST", "/api/v1/activity/"+activity(4)+"/undo",
			""); !strings.Contains(later["detail"].(string), activity(0)) {
			t.Errorf("what was done later is not named: %v", later)
		}
		p.Do(200, "POST", "/api/v1/activity/"+activity(0)+"/undo", "")
		p.Do(404, "GET", path, "")
		w.Stytch.Advance(31 * 24 * time.Hour)
		p.Do(409, "POST", path+"/restore", "")
	})
}

func TestATaskIsAsItWasGiven(t *testing.T) {
	p := start(t, guestpasstest.Options{}).As(ada)
	now := p.Do(201, "POST", "/api/v1/tasks", `{"title":"  Two\n words ","notes":"one\n\n- two"}`)
	id := now["task_id"].(string)
	delete(now, "task_id")
	at := now["created_at"]
	if got := fmt.Sprint(now); got != fmt.Sprintf("map[created_at:%s creator:%s labels:[] notes:one\n\n- two "+
		"priority:normal state:open title:Two  words updated_at:%[1]s version:1]", at, ada) {
		t.Errorf("%s", got)
	}
	if same := p.Do(200, "GET", "/api/v1/tasks/"+id, ""); same["title"] != "Two  words" || same["created_at"] != at {
		t.Errorf("%v", same)
	}
	full := p.Do(201, "POST", "/api/v1/tasks", `{"title":"x","state":"done","due":"2032-02-29","priority":"urgent",`+
		`"labels":["Home","HOME"," a b "],"assignee":"me"}`)
	if full["state"] != "done" || full["completed_at"] != full["created_at"] || full["due"] != "2032-02-29" ||
		full["priority"] != "urgent" || fmt.Sprint(full["labels"]) != "[home a b]" || full["assignee"] != ada {
		t.Errorf("%v", full)
	}
}

func TestAnUpdateChangesWhatItNamesAndEmptiesWhatIsEmpty(t *testing.T) {
	p := start(t, guestpasstest.Options{}).As(ada)
	path := "/api/v1/tasks/" + create(p,
		`{"title":"One","notes":"n","due":"2030-01-31","labels":["a"],"assignee":"me","priority":"urgent"}`)
	changed := p.Do(200, "PATCH", path, `{"title":" Two ","state":"in_progress"}`)
	if changed["title"] != "Two" || changed["state"] != "in_progress" || changed["notes"] != "n" ||
		changed["due"] != "2030-01-31" ||
		len(changed["labels"].([]any)) != 1 || changed["assignee"] != ada || changed["priority"] != "urgent" {
		t.Errorf("two fields changed: %v", changed)
	}
	emptied := p.Do(200, "PATCH", path, `{"notes":"","due":"","labels":[],"assignee":""}`)
	if emptied["title"] != "Two" || emptied["notes"] != nil || emptied["due"] != nil ||
		len(emptied["labels"].([]any)) != 0 || emptied["assignee"] != nil {
		t.Errorf("four fields emptied: %v", emptied)
	}
	if full := p.Do(
		200,
		"PATCH",
		path,
		`{"due":"2031-01-01","priority":"low","labels":["B","b","c"],"assignee":"`+grace+
			`"}`,
	); full["due"] != "2031-01-01" || full["priority"] != "low" ||
		fmt.Sprint(full["labels"]) != "[b c]" ||
		full["assignee"] != grace {
		t.Errorf("four fields changed: %v", full)
	}
}

// When a task was done is kept as long as it is done, whoever says so how often.
func TestATaskIsDoneSinceItWasCompleted(t *testing.T) {
	w := start(t, guestpasstest.Options{})
	p := w.As(ada)
	path := "/api/v1/tasks/" + create(p, `{"title":"x"}`)
	done := p.Do(200, "PATCH", path, `{"state":"done"}`)
	w.Stytch.Advance(time.Hour)
	for _, later := range []map[string]any{p.Do(200, "PATCH", path, `{"state":"done","title":"y"}`),
		p.Do(200, "POST", path+"/complete", "")} {
		if later["completed_at"] != done["completed_at"] || later["version"] != 3. {
			t.Errorf("%v, then %v", done, later)
		}
	}
	if open := p.Do(200, "PATCH", path, `{"state":"open"}`); open["completed_at"] != nil {
		t.Errorf("open again: %v", open)
	}
	if again := p.Do(200, "POST", path+"/complete", ""); again["completed_at"] == done["completed_at"] ||
		again["state"] != "done" {
		t.Errorf("done again: %v", again)
	}
}

func TestAVersionMayBeWrittenWithAPoint(t *testing.T) {
	p := start(t, guestpasstest.Options{}).As(ada)
	path := "/api/v1/tasks/" + create(p, `{"title":"Count me"}`)
	for _, step := range []struct {
		version string
		status  int
	}{{"1.0", 200}, {"20e-1", 200}, {"1.0", 409}, {"3.5", 422}, {"0", 422}, {"-1", 422}, {"99", 409}, {"3", 200}} {
		r := p.Call("PATCH", path, `{"notes":"`+step.version+`","version":`+step.version+`}`)
		if r.Status != step.status || step.status == 422 && !strings.Contains(r.Body, `"location":"body.version"`) {
			t.Errorf("version %s: %d %s", step.version, r.Status, r.Body)
		}
	}
}

// A conflict has the task as it is, and says how to go on.
func TestAStaleVersionIsToldTheTaskAsItIs(t *testing.T) {
	w := start(t, guestpasstest.Options{})
	p := w.As(ada)
	path := "/api/v1/tasks/" + create(p, `{"title":"first"}`)
	p.Do(200, "PATCH", path, `{"title":"second"}`)
	refused := p.Do(409, "PATCH", path, `{"title":"third","version":1}`)
	current := p.Do(200, "GET", path, "")
	if fmt.Sprint(refused["current"]) != fmt.Sprint(current) || current["title"] != "second" ||
		!strings.Contains(fmt.Sprint(refused["detail"]), "it has version 2") ||
		!strings.Contains(fmt.Sprint(refused["hint"]), "send it with the version from there") {
		t.Errorf("%v, and the task is %v", refused, current)
	}
	p.Do(200, "PATCH", path, `{"title":"third","version":2}`)
}

func TestADeletedTaskIsThereForThirtyDaysMore(t *testing.T) {
	w := start(t, guestpasstest.Options{})
	p := w.As(ada)
	id := create(p, `{"title":"x","labels":["a"]}`)
	path := "/api/v1/tasks/" + id
	gone := p.Do(200, "DELETE", path, "")
	until, err := time.Parse(time.RFC3339, fmt.Sprint(gone["restorable_until"]))
	if err != nil || until.Sub(w.Stytch.Now().Add(store.RestoreWindow)).Abs() > time.Minute ||
		gone["deleted"] != true ||
		gone["task_id"] != id {
		t.Errorf("%v, %v", gone, err)
	}
	w.Stytch.Advance(time.Hour)
	if again := p.Do(200, "DELETE", path, ""); fmt.Sprint(again) != fmt.Sprint(gone) {
		t.Errorf("deleted again: %v, first %v", again, gone)
	}
	for _, call := range []string{"GET " + path, "PATCH " + path, "POST " + path + "/complete",
		"GET " + path + "/comments"} {
		method, path, _ := strings.Cut(call, " ")
		body := ""
		if method == "PATCH" {
			body = `{"title":"y"}`
		}
		p.Do(404, method, path, body)
	}
	if total := p.Do(200, "GET", "/api/v1/tasks", "")["total"]; total != 0. {
		t.Errorf("%v are listed", total)
	}
	back := p.Do(200, "POST", path+"/restore", "")
	if same := p.Do(200, "POST", path+"/restore", ""); same["version"] != back["version"] ||
		fmt.Sprint(back["labels"]) != "[a]" || back["title"] != "x" {
		t.Errorf("restored: %v, and again %v", back, same)
	}
	if total := p.Do(200, "GET", "/api/v1/tasks?label=a", "")["total"]; total != 1. {
		t.Errorf("%v are listed after", total)
	}
}

// TestUndoingADeletionEndsAsRestoringDoes, to the second.
func TestUndoingADeletionEndsAsRestoringDoes(t *testing.T) {
	onBoth(t, func(t *testing.T, w *guestpasstest.World) {
		p := w.As(ada)
		for _, tt := range []struct {
			after  time.Duration
			status int
		}{{store.RestoreWindow - time.Second, 200}, {store.RestoreWindow + time.Second, 409}} {
			for _, how := range []string{"restore", "undo"} {
				task := create(p, fmt.Sprintf(`{"title":"%s %s"}`, how, tt.after))
				p.Do(200, "DELETE", "/api/v1/tasks/"+task, "")
				path := "/api/v1/tasks/" + task + "/restore"
				if how == "undo" {
					path = undoLast(p)
				}
				w.Stytch.Advance(tt.after)
				answer := p.Do(tt.status, "POST", path, "")
				if tt.status == 409 && !strings.Contains(fmt.Sprint(answer["detail"]), "30 days ago") {
					t.Errorf("%s: %v", how, answer)
				}
				last := p.Do(200, "GET", "/api/v1/activity?limit=1", "")["activities"].([]any)[0].(map[string]any)
				if tt.status == 409 && last["undoable"] != false {
					t.Errorf("it is shown as undoable: %v", last)
				}
			}
		}
	})
}

// Whatever changed a task is undone, and leaves it as it was.
func TestEveryOperationOnATaskIsUndone(t *testing.T) {
	onBoth(t, func(t *testing.T, w *guestpasstest.World) {
		p := w.As(ada)
		path := "/api/v1/tasks/" + create(p, `{"title":"x","labels":["a"],"notes":"n","due":"2030-01-31"}`)
		for _, change := range []struct{ method, path, body string }{
			{"PATCH", path, `{"title":"y","labels":[],"notes":"","due":"","priority":"low","state":"done",` +
				`"assignee":"me"}`},
			{"POST", path + "/complete", ""},
		} {
			before := p.Do(200, "GET", path, "")
			p.Do(200, change.method, change.path, change.body)
			p.Do(200, "POST", undoLast(p), "")
			after := p.Do(200, "GET", path, "")
			if after["version"] != before["version"].(float64)+2 {
				t.Errorf("version %v, before %v", after["version"], before["version"])
			}
			for _, counted := range []string{"version", "updated_at"} {
				delete(before, counted)
				delete(after, counted)
			}
			if fmt.Sprint(before) != fmt.Sprint(after) {
				t.Errorf("%s: %v, before %v", change.path, after, before)
			}
		}
		p.Do(200, "DELETE", path, "")
		p.Do(200, "POST", undoLast(p), "")
		p.Do(200, "GET", path, "")
		p.Do(200, "DELETE", path, "")
		p.Do(200, "POST", path+"/restore", "")
		p.Do(200, "POST", undoLast(p), "")
		p.Do(404, "GET", path, "")
	})
}

func TestBadInputIsNamedWhereItIs(t *testing.T) {
	w := start(t, guestpasstest.Options{})
	w.ChangeProject(func(seed *stytchtest.Seed) {
		seed.Members = append(seed.Members, stytchtest.Member{ID: invited, OrganizationID: guestpasstest.Acme,
			Email: "invited@acme.example", Status: "invited", Roles: []string{"stytch_member"}})
	})
	p := w.As(ada)
	task := "/api/v1/tasks/" + create(p, `{"title":"one"}`)
	labels := strings.TrimSuffix(strings.Repeat(`"a",`, 21), ",")
	for _, tt := range []struct{ method, path, body, location string }{
		{"POST", "/api/v1/tasks", `{"title":""}`, "body.title"},
		{"POST", "/api/v1/tasks", `{"notes":"x"}`, "body"},
		{"POST", "/api/v1/tasks", `{"title":"\u200b"}`, "body.title"},
		{"POST", "/api/v1/tasks", `{"title":"` + strings.Repeat("é", 201) + `"}`, "body.title"},
		{"POST", "/api/v1/tasks", `{"title":"x","notes":"` + strings.Repeat("é", 10001) + `"}`, "body.notes"},
		{"POST", "/api/v1/tasks", `{"title":"x","due":"tomorrow"}`, "body.due"},
		{"POST", "/api/v1/tasks", `{"title":"x","due":"2026-02-30"}`, "body.due"},
		{"POST", "/api/v1/tasks", `{"title":"x","due":null}`, "body.due"},
		{"POST", "/api/v1/tasks", `{"title":"x","state":"gone"}`, "body.state"},
		{"POST", "/api/v1/tasks", `{"title":"x","labels":["a,b"]}`, "body.labels[0]"},
		{"POST", "/api/v1/tasks", `{"title":"x","labels":["a",""]}`, "body.labels[1]"},
		{"POST", "/api/v1/tasks", `{"title":"x","labels":["` + strings.Repeat("é", 51) + `"]}`, "body.labels[0]"},
		{"POST", "/api/v1/tasks", `{"title":"x","labels":[` + labels + `]}`, "body.labels"},
		{"POST", "/api/v1/tasks", `{"title":"x","assignee":"` + hank + `"}`, "body.assignee"},
		{"POST", "/api/v1/tasks", `{"title":"x","assignee":"` + invited + `"}`, "body.assignee"},
		{"POST", "/api/v1/tasks", `{"title":"x","assignee":"nobody"}`, "body.assignee"},
		{"POST", "/api/v1/tasks", `{"title":"x","assignee":"a b"}`, "body.assignee"},
		{"POST", "/api/v1/tasks", `{"title":"x","creator":"` + hank + `"}`, "body.creator"},
		{"POST", "/api/v1/tasks", `{"title":"x","priority":"very"}`, "body.priority"},
		{"POST", "/api/v1/tasks", `{"title":"a","request_id":null}`, "body.request_id"},
		{"POST", "/api/v1/tasks", `{"title":"a","request_id":"` + strings.Repeat("r", 65) + `"}`, "body.request_id"},
		{"PATCH", task, `{"version":"two","title":"x"}`, "body.version"},
		{"PATCH", task, `{"version":9007199254740992,"title":"x"}`, "body.version"},
		{"PATCH", task, `{"notes":"n","version":null}`, "body.version"},
		{"PATCH", task, `{"due":null}`, "body.due"},
		{"PATCH", task, `{"due":"2026-02-30"}`, "body.due"},
		{"PATCH", task, `{"notes":"n","labels": null}`, "body.labels"},
		{"PATCH", task, `{"labels":["a,b"]}`, "body.labels[0]"},
		{"PATCH", task, `{"title":""}`, "body.title"},
		{"PATCH", task, `{"assignee":"` + hank + `"}`, "body.assignee"},
		{"PATCH", task, `{"state":""}`, "body.state"},
		{"PATCH", task, `{}`, "body"},
		{"PATCH", task, `{"version":1}`, "body"},
		{"GET", "/api/v1/tasks?cursor=AAAA", "", "query.cursor"},
		{"GET", "/api/v1/tasks?state=gone", "", "query.state"},
		{"GET", "/api/v1/tasks?limit=101", "", "query.limit"},
		{"GET", "/api/v1/tasks?limit=0", "", "query.limit"},
		{"GET", "/api/v1/tasks?due_before=2026-13-01", "", "query.due_before"},
		{"GET", "/api/v1/tasks?due_before=soon", "", "query.due_before"},
		{"GET", "/api/v1/tasks?label=a,b", "", "query.label[0]"},
		{"GET", "/api/v1/tasks?search=x&sort=due", "", "query.sort"},
		{"GET", "/api/v1/tasks?sort=title", "", "query.sort"},
		{"GET", "/api/v1/tasks?search=%26+%2B", "", "query.search"},
		{"GET", "/api/v1/tasks?lable=x", "", "query.lable"},
		{"GET", "/api/v1/tasks/" + strings.Repeat("a", 41), "", "path.task_id"},
		{"GET", "/api/v1/tasks/TSK_X", "", "path.task_id"},
	} {
		r := p.Call(tt.method, tt.path, tt.body)
		if r.Status != 422 || !strings.Contains(r.Body, `"location":"`+tt.location+`"`) {
			t.Errorf("%s %s %.60s: %d %s", tt.method, tt.path, tt.body, r.Status, r.Body)
		}
	}
	if r := p.Call("GET", "/api/v1/tasks", ""); strings.Count(r.Body, `"task_id"`) != 1 ||
		!strings.Contains(r.Body, `"version":1`) {
		t.Errorf("something was done: %s", r.Body)
	}
}

const invited = "member-test-aaaaaaaa-0000-4000-8000-000000000009"

// What people need comes back as it was sent, byte for byte.
func TestTextsOfAllScriptsComeBack(t *testing.T) {
	onBoth(t, func(t *testing.T, w *guestpasstest.World) {
		p := w.As(ada)
		for _, text := range []string{"I ❤️ NY 👨\u200d👩\u200d👧\u200d👦 👍🏽 " +
			"🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f 🏳️\u200d🌈 1️⃣",
			"علی\u200cرضا می\u200cخواهد", "क्\u200dष क्\u200cष", "র\u200d্যাব",
			"അവന്\u200d", "ශ්\u200dරී ලංකාව",
			"דוד Levi (Acme בע״מ)",
			"أحمد (Ahmed) الفاسي", "សុខា ចាន់", "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ᠌",
			"བཀྲ་ཤིས", "Nguyễn Thị Ánh", "Seán O'Connor",
			"Liliʻuokalani", "Andrianampoinimerina"} {
			id := create(p, fmt.Sprintf(`{"title":%s,"notes":%s}`, inJSON(text), inJSON(text+"\n\n\t- "+text)))
			got := p.Do(200, "GET", "/api/v1/tasks/"+id, "")
			if got["title"] != text || got["notes"] != text+"\n\n\t- "+text {
				t.Errorf("%+q came back as %+q", text, got)
			}
		}
	})
}

// inJSON writes a text with escapes for what is not ASCII.
func inJSON(text string) string {
	quoted, _ := json.Marshal(api.Raw(text))
	return string(quoted)
}

// A user's tasks are theirs alone, and there is nobody to assign them to.
func TestTasksOfAUser(t *testing.T) {
	w := start(t, guestpasstest.Options{Vertical: auth.Consumer})
	p, other := w.As(guestpasstest.UserAda), w.As(guestpasstest.UserGrace)
	made := p.Do(201, "POST", "/api/v1/tasks", `{"title":"Ada's","labels":["Home"]}`)
	path := "/api/v1/tasks/" + made["task_id"].(string)
	if made["creator"] != guestpasstest.UserAda || made["assignee"] != nil {
		t.Errorf("%v", made)
	}
	for _, tt := range []struct{ method, path, body, location string }{
		{"POST", "/api/v1/tasks", `{"title":"x","assignee":"me"}`, "body.assignee"},
		{"PATCH", path, `{"assignee":"me"}`, "body.assignee"},
		{"GET", "/api/v1/tasks?assignee=me", "", "query.assignee"},
		{"PATCH", path, `{}`, "body"},
	} {
		if r := p.Call(tt.method, tt.path, tt.body); r.Status != 422 || !strings.Contains(r.Body, tt.location+`"`) {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, r.Status, r.Body)
		}
	}
	for _, call := range []struct{ method, path, body string }{{"GET", path, ""}, {"PATCH", path, `{"title":"mine"}`},
		{"DELETE", path, ""}, {"POST", path + "/complete", ""}, {"POST", path + "/restore", ""},
		{"GET", path + "/comments", ""}, {"POST", path + "/comments", `{"text":"x"}`}} {
		other.Do(404, call.method, call.path, call.body)
	}
	if total := other.Do(200, "GET", "/api/v1/tasks", "")["total"]; total != 0. {
		t.Errorf("another user sees %v", total)
	}
	if changed := p.Do(200, "PATCH", path, `{"state":"in_progress","version":1}`); changed["version"] != 2. {
		t.Errorf("%v", changed)
	}
	p.Do(409, "PATCH", path, `{"state":"open","version":1}`)
	p.Do(200, "POST", path+"/complete", "")
	p.Do(200, "DELETE", path, "")
	p.Do(200, "POST", undoLast(p), "")
	if list := p.Do(200, "GET", "/api/v1/tasks?state=done&label=home", ""); list["total"] != 1. {
		t.Errorf("%v", list)
	}
}
