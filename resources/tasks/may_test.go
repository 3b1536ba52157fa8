package tasks_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"guestpass"
	"guestpass/api"
	"guestpass/guestpasstest"
)

func TestWhoMayChangeATask(t *testing.T) {
	w := start(t, guestpasstest.Options{})
	admin, member := w.As(ada), w.As(grace)
	adas := "/api/v1/tasks/" + create(admin, `{"title":"Ada's"}`)
	assigned := "/api/v1/tasks/" + create(admin, `{"title":"for Grace","assignee":"`+grace+`"}`)
	graces := "/api/v1/tasks/" + create(member, `{"title":"Grace's"}`)
	member.Do(200, "GET", adas, "")
	member.Do(403, "PATCH", adas, `{"title":"mine"}`)
	member.Do(403, "DELETE", adas, "")
	member.Do(403, "POST", adas+"/complete", "")
	member.Do(403, "POST", adas+"/restore", "")
	member.Do(200, "PATCH", assigned, `{"state":"in_progress"}`)
	member.Do(201, "POST", adas+"/comments", `{"text":"may I?"}`)
	admin.Do(200, "PATCH", graces, `{"title":"an admin may"}`)
	if mine := member.Do(200, "GET", "/api/v1/tasks?assignee=me", "")["tasks"].([]any); len(mine) != 1 {
		t.Errorf("assigned to me: %v", mine)
	}
	if refused := member.Do(403, "PATCH", adas, `{"title":"mine"}`); !strings.Contains(fmt.Sprint(refused["detail"]),
		"only who created the task, who is assigned to it, or an admin") {
		t.Errorf("%v", refused)
	}
	if got := admin.Do(200, "GET", adas, ""); got["version"] != 1. {
		t.Errorf("a refused change was made: %v", got)
	}
}

// Who is concerned is what the task says now, and who is an admin what the directory says now.
func TestWhoMayChangeATaskIsAskedEachTime(t *testing.T) {
	w := start(t, guestpasstest.Options{})
	admin, member := w.As(ada), w.As(grace)
	path := "/api/v1/tasks/" + create(admin, `{"title":"for Grace","assignee":"`+grace+`"}`)
	own := "/api/v1/tasks/" + create(member, `{"title":"Grace's","assignee":"me"}`)
	member.Do(200, "PATCH", path, `{"assignee":""}`) // and is not concerned any more
	member.Do(403, "PATCH", path, `{"title":"mine"}`)
	member.Do(403, "POST", undoLast(member), "") // which would make her concerned
	w.GiveRoles(ada)
	admin.Do(403, "PATCH", own, `{"title":"an admin may"}`)
	admin.Do(200, "PATCH", path, `{"title":"as who created it"}`)
	w.GiveRoles(ada, "stytch_admin")
	admin.Do(200, "PATCH", own, `{"title":"an admin may"}`)
}

// What another organization has looks like what there never was, whatever the call says besides.
func TestTasksOfAnotherOrganizationAreNotThere(t *testing.T) {
	w := start(t, guestpasstest.Options{})
	id := create(w.As(ada), `{"title":"secret plan","labels":["secret"]}`)
	foreigner := w.As(hank)
	for _, call := range []struct{ method, path, body string }{{"GET", "", ""}, {"PATCH", "", `{"title":"mine"}`},
		{"PATCH", "", `{"assignee":"` + grace + `"}`}, {"DELETE", "", ""}, {"POST", "/complete", ""},
		{"POST", "/restore", ""}, {"GET", "/comments", ""}, {"POST", "/comments", `{"text":"x"}`}} {
		get := func(id string) string {
			r := foreigner.Call(call.method, "/api/v1/tasks/"+id+call.path, call.body)
			return fmt.Sprint(r.Status, strings.ReplaceAll(r.Body, r.Header.Get("X-Request-Id"), ""))
		}
		if foreign, unknown := get(id), get("tsk_aaaaaaaaaaaaaaaa"); foreign != unknown || foreign[:3] != "404" {
			t.Errorf("%s %s: %s, unknown %s", call.method, call.path, foreign, unknown)
		}
	}
	for _, query := range []string{"", "?search=secret", "?label=secret", "?assignee=" + ada} {
		if r := foreigner.Call(
			"GET",
			"/api/v1/tasks"+query,
			"",
		); r.Status != 200 ||
			strings.Contains(r.Body, "secret") ||
			!strings.Contains(r.Body, `"total":0`) {
			t.Errorf("%s: %d %s", query, r.Status, r.Body)
		}
	}
}

func TestScopesAdmitToTasks(t *testing.T) {
	w := start(t, guestpasstest.Options{})
	id := create(w.As(ada), `{"title":"x"}`)
	bodies := map[string]string{"createTask": `{"title":"y"}`, "updateTask": `{"title":"z"}`,
		"addTaskComment": `{"text":"x"}`}
	asked := map[string]string{}
	for _, op := range w.App.Operations() {
		if !strings.HasPrefix(op.Path, "/api/v1/tasks") {
			continue
		}
		path, need := strings.ReplaceAll(op.Path, "{task_id}", id), "tasks:write"
		if op.Effect == api.Read {
			need = "tasks:read"
		}
		asked[op.ID] = need
		others := slices.DeleteFunc([]string{"openid", "profile", "activity:read", "tasks:read", "tasks:write"},
			func(s string) bool { return s == need })
		if r := w.As(ada, others...).Call(op.Method, path, bodies[op.ID]); r.Status != 403 ||
			!strings.Contains(r.Header.Get("WWW-Authenticate"), `scope="`+need+`"`) {
			t.Errorf("%s without %s: %d %v", op.ID, need, r.Status, r.Header)
		}
		if r := w.As(ada, need).Call(op.Method, path, bodies[op.ID]); r.Status/100 != 2 {
			t.Errorf("%s with %s alone: %d %s", op.ID, need, r.Status, r.Body)
		}
	}
	if len(asked) != 9 {
		t.Errorf("%v", asked)
	}
}

func TestRolesAdmitToTasksInRolesMode(t *testing.T) {
	w := start(t, guestpasstest.Options{Change: func(o *guestpass.Options) { o.Access = api.ByRole }})
	p := w.As(grace, "openid")
	path := "/api/v1/tasks/" + create(p, `{"title":"x"}`)
	p.Do(200, "PATCH", path, `{"title":"y"}`)
	p.Do(200, "GET", path, "")
}

// Who is not active any more is nobody to give a task to; who has one keeps it.
func TestATaskIsAssignedToActiveMembersOnly(t *testing.T) {
	w := start(t, guestpasstest.Options{})
	p := w.As(ada)
	path := "/api/v1/tasks/" + create(p, `{"title":"for Grace","assignee":"`+grace+`"}`)
	if err := w.Stytch.SetStatus(grace, "deleted"); err != nil {
		t.Fatal(err)
	}
	refused := p.Call("POST", "/api/v1/tasks", `{"title":"x","assignee":"`+grace+`"}`)
	if refused.Status != 422 || !strings.Contains(refused.Body, "is not an active member of the organization") {
		t.Errorf("%d %s", refused.Status, refused.Body)
	}
	if kept := p.Do(200, "PATCH", path, `{"title":"y"}`); kept["assignee"] != grace {
		t.Errorf("%v", kept)
	}
	if mine := p.Do(200, "PATCH", path, `{"assignee":"`+ada+`"}`); mine["assignee"] != ada {
		t.Errorf("%v", mine)
	}
}
