package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// redraw has the host do what makes a view draw its rows anew.
func (s *hosted) redraw() {
	s.t.Helper()
	in[any](s.tab, `host.notify("ui/notifications/host-context-changed", { locale: "en-GB" })`)
	in[any](s.tab, `host.request("ping", {})`) // which comes after it
}

// calls are the names of the tools that the view has called.
func (s *hosted) calls() string {
	s.t.Helper()
	return in[string](s.tab, `host.calls.map((call) => call.name).join(" ")`)
}

// of returns the text of an element of the view.
func (s *hosted) of(id string) string {
	s.t.Helper()
	return in[string](s.view, `document.getElementById(`+quoted(id)+`).textContent`)
}

// result is what a tool answers with these data, as the host's page writes it.
func result(data string) string {
	return `{ result: { content: [], structuredContent: ` + data + ` } }`
}

// manyTasks are tasks of a hostile server, or of a large one.
func manyTasks(count int, title string) map[string]any {
	tasks := make([]any, count)
	for i := range tasks {
		tasks[i] = map[string]any{"task_id": fmt.Sprintf("tsk_%d", i+1), "title": title, "state": "open",
			"due": "2020-01-02", "priority": "urgent"}
	}
	return map[string]any{"content": []any{}, "structuredContent": map[string]any{"tasks": tasks, "total": count}}
}

// TestInABrowserAWidgetCallsNothingUnasked: a client may ask the person for a permission that only the widget missed.
func TestInABrowserAWidgetCallsNothingUnasked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 7 {
		w.tasks(fmt.Sprintf(`{"title":"Task %d","due":"2190-01-0%d","assignee":"me"}`, n+1, n+1))
	}
	s := w.show(t, w.token(ada, "openid", "tasks:read"), map[string]any{"tool": "listTasks",
		"arguments": map[string]any{"limit": 5}}, "Assigned")
	s.redraw()
	s.press("#after")
	s.sees("6–7 of 7")
	if calls := s.calls(); calls != "listTasks" {
		t.Errorf("it has called %s", calls)
	}
	s.behaves()
	s.again(t, w.token(ada, "openid", "tasks:read"), map[string]any{"tool": "listTasks",
		"arguments": map[string]any{"assignee": "me"}}, "Assigned to you")
	if calls := s.calls(); calls != "" {
		t.Errorf("it has called %s", calls)
	}
	s.behaves()
}

// TestInABrowserWhatRunsInAWidgetOutlivesARedraw: rows and buttons are drawn anew while a call runs, and it is not made
// twice, is seen to run, and its late answer counts.
func TestInABrowserWhatRunsInAWidgetOutlivesARedraw(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tasks(`{"title":"Mine","state":"done","due":"2190-01-01"}`, `{"title":"B"}`, `{"title":"C"}`, `{"title":"D"}`)
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks",
		"arguments": map[string]any{"limit": 2}}, "1–2 of 4")
	in[any](s.tab, `for (const tool of ["listTasks", "updateTask", "createTask"]) host.answers.set(tool, "never")`)
	s.press("#after")
	s.redraw()
	s.press("#after")
	in[any](s.tab, `host.notify("ui/notifications/tool-input", { arguments: { label: "of another list" } })`)
	in[any](s.tab, "host.reply("+result(`{ tasks: [{ task_id: "tsk_3", title: "Third", state: "open" }], total: 4,
		next_cursor: "more" }`)+")")
	s.sees("Showing 3 of 4")
	s.press("#after")
	s.waitFor("host.calls.length === 2")
	if limit := in[int](s.tab, "host.calls[1].arguments.limit"); limit != 2 {
		t.Errorf("it asks for pages of %d", limit)
	}
	in[any](s.tab, "host.reply("+result(`{}`)+")")
	s.sees("The answer cannot be read here.")
	s.press("#before")
	s.sees("Showing 1–3 of 4")

	const box = ".done .tick input"
	s.press(box)
	s.sees("Working on it…")
	s.redraw()
	s.press(box)
	if calls := s.calls(); calls != "listTasks listTasks updateTask" ||
		in[string](s.view, `document.querySelector("`+box+`").ariaDisabled`) != "true" {
		t.Errorf("it has called %s", calls)
	}
	in[any](s.tab, "host.reply("+result(`{ task_id: "tsk_0" }`)+")")
	s.sees("The answer cannot be read here.")

	s.press("#title")
	s.keys("First\r")
	in[any](s.view, `document.getElementById("title").value = ""`)
	s.keys("Second thought")
	in[any](s.tab, "host.reply("+result(`{ task_id: "tsk_9", title: "First", state: "open" }`)+")")
	s.sees("Added: First")
	if kept := in[string](s.view, `document.activeElement.id + document.activeElement.value`); kept !=
		"titleSecond thought" {
		t.Errorf("what was typed meanwhile is %q", kept)
	}
	in[any](s.view, `const own = setTimeout; window.setTimeout = (work, ms) => own(work, Math.min(ms, 50));`)
	s.press("#send")
	s.sees("No answer has come yet.")
	in[any](s.tab, "host.reply("+result(`{ task_id: "tsk_10", title: "Second thought", state: "open" }`)+")")
	s.sees("Added: Second thought")
	if problem := s.of("problem"); problem != "" {
		t.Errorf("it still says %s", problem)
	}
	s.behaves()
}

// TestInABrowserAWidgetDrawsAgainWhatCameEarly: some clients send the answer before they say what a page may do.
func TestInABrowserAWidgetDrawsAgainWhatCameEarly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks", "early": manyTasks(3, "Mine"),
		"silent": true}, "Mine")
	in[any](s.tab, "host.agree()")
	s.view.waitFor(`document.getElementById("add").checkVisibility() && document.querySelector(".tick") !== null`)
	s.behaves()
}

// TestInABrowserAWidgetSaysWhatItCannotShow: nobody waits before "Loading…" for what does not come, and a good answer
// that comes after all is shown.
func TestInABrowserAWidgetSaysWhatItCannotShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks", "silent": true}, "Loading…")
	const cannot = "This cannot be shown here. The answer is in the chat."
	for _, step := range [][2]string{
		{`tool-result", { content: [{ type: "text", text: '{"tasks":[{"task_id":"ts' }] }`, cannot},
		{`tool-result", { content: [{ type: "text", text: "saved to /tmp/answer.json" }] }`, cannot},
		{`tool-result", { content: [], structuredContent: {} }`, cannot},
		{`tool-result", { content: {}, structuredContent: [] }`, cannot},
		{`tool-result", { structuredContent: { tasks: {} } }`, cannot},
		{`tool-result", undefined`, cannot},
		{`tool-result", { isError: true, structuredContent: { error: { code: 422, errors: {} } } }`,
			"It did not work."},
		{`tool-result", { isError: true }`, "The server could not do it."},
		{`tool-cancelled", {}`, "This was cancelled"},
	} {
		in[any](s.view, `document.getElementById("problem").textContent = "";
			document.getElementById("loading").hidden = false;`)
		in[any](s.tab, `host.notify("ui/notifications/`+step[0]+`)`)
		s.sees(step[1])
		if in[bool](s.view, `document.getElementById("loading").checkVisibility()`) {
			t.Errorf("after %s it goes on loading", step[0])
		}
	}
	in[any](s.tab, `host.notify("ui/notifications/tool-result", { structuredContent: {}, content: [{ type: "text",
		text: '{"tasks":[null,{"task_id":"a","title":"Mine","state":"open","due":2026},{"due":"2027-02-30"},'
			+ '{"task_id":"b","title":"Far","state":"open","due":"10000-01-01"}]}' }] })`)
	for _, text := range []string{"One that cannot be shown", "Mine", "Due 2026", "Due 2027-02-30", "Due 10000-01-01"} {
		s.sees(text)
	}
	if problem := s.of("problem"); problem != "" {
		t.Errorf("it still says %s", problem)
	}
	s.behaves()
	s.again(t, w.token(ada, everything...), map[string]any{"tool": "listMembers", "result": map[string]any{
		"structuredContent": map[string]any{"members": []any{map[string]any{"member_id": "m", "email": "m@acme.example",
			"roles": "admin"}}}}}, "m@acme.example")
	in[any](s.tab, `host.answers.set("inviteMember", `+result(`{ member_id: "n" }`)+`)`)
	s.press("#email")
	s.keys("n@acme.example\r")
	s.sees("The answer cannot be read here.")
	if strings.Contains(in[string](s.view, "document.body.innerText"), "undefined") {
		t.Error("it says undefined")
	}
	s.behaves()
}

// TestInABrowserAWidgetKeepsTheFocusInLittleRoom: the row that was pressed stays, however long the message is, and the
// whole of its title is there to read.
func TestInABrowserAWidgetKeepsTheFocusInLittleRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	title := strings.Repeat("Water the plants in the meeting rooms. ", 5) // 195 characters; a task has 200 at most
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks", "silent": true}, "Loading…")
	s.behaves()
	for _, room := range []struct {
		width int64
		title string
	}{{720, "Short"}, {320, "Short"}, {320, title}, {240, title}} {
		s.look(room.width, "light")
		s.again(t, w.token(ada, everything...), map[string]any{"tool": "listTasks", "result": manyTasks(20,
			room.title)}, "Overdue")
		refusal := `{ error: { code: -32000, message: "` + strings.Repeat("This is not for you, ", 15) + `" } }`
		in[any](s.tab, `host.answers.set("completeTask", `+refusal+`)`)
		s.settle()
		if room.width > 240 && in[bool](s.view, `(({ clientHeight, scrollHeight }) => scrollHeight > clientHeight)(
			document.querySelector(".title"))`) {
			t.Errorf("%d wide: a title cannot be read", room.width)
		}
		last := in[string](s.view, `[...document.querySelectorAll(".rows [data-key]")].at(-1).dataset.key`)
		s.press(`[data-key="` + last + `"]`)
		s.sees("This is not for you")
		if focus := in[string](s.view, `document.activeElement.dataset.key ?? "the page"`); focus != last {
			t.Errorf("%d wide: the focus went from %s to %s", room.width, last, focus)
		}
		if high := in[int](s.view, "Math.ceil(document.documentElement.getBoundingClientRect().height)"); high > 500 {
			t.Errorf("%d wide: it is %d high", room.width, high)
		}
		if !in[bool](s.view, `document.querySelector('[data-key="tsk_1"]') !== null`) {
			s.press("#before")
			s.view.waitFor(`document.querySelector('[data-key="tsk_1"]') !== null`)
		}
		s.behaves()
	}
	s.look(720, "light")
	for dimensions, most := range map[string]int{`{"height":300}`: 300, `{"maxHeight":160}`: 160,
		`{"maxHeight":-50}`: 500, `{"maxHeight":"abc"}`: 500} {
		s.again(t, w.token(ada, everything...), map[string]any{"tool": "listTasks", "result": manyTasks(20, "Short"),
			"context": map[string]any{"containerDimensions": json.RawMessage(dimensions)}}, "Overdue")
		s.settle()
		if high := in[int](s.tab, "host.heights.at(-1)"); high > most || high < most*2/3 {
			t.Errorf("in %s it is %d high", dimensions, high)
		}
		s.behaves()
	}
}

// TestInABrowserAWidgetIsHeardAndSeenInAnyClient: of what clients send, what would make it silent or unreadable.
func TestInABrowserAWidgetIsHeardAndSeenInAnyClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.tasks(`{"title":"Mine","due":"2190-12-03"}`, `{"title":"Other"}`)
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks"}, "Mine")
	for _, id := range []string{"told", "problem"} { // which screen readers listen to when it is there before it speaks
		display := in[string](s.view, `getComputedStyle(document.getElementById("`+id+`")).display`)
		if display != "block" {
			t.Errorf("%s is not there: %s", id, display)
		}
	}
	in[any](s.tab, `for (const method of ["__proto__", "__defineGetter__", "constructor"]) host.notify(method, {});`)
	w.as(ada).do(200, "DELETE", "/api/v1/tasks/"+ids[0], "")
	s.press(`[data-key="` + ids[0] + `"]`)
	s.sees("It is not there any more.")
	s.view.waitFor(`document.activeElement.dataset.key === "` + ids[1] + `" &&
		document.querySelectorAll("li").length === 1`)
	in[any](s.tab, `host.answers.set("completeTask", "never")`)
	s.press(`[data-key="` + ids[1] + `"]`)
	s.waitFor("host.held.length === 1")
	in[any](s.tab, `host.request("ui/resource-teardown", {})`)
	in[any](s.tab, "host.reply("+result(`{ task_id: "`+ids[1]+`", title: "Other", state: "done" }`)+")")
	s.sees("Done: Other")
	if told := in[int](s.tab, "host.request('ping', {}).then(() => host.contexts.length)"); told != 0 {
		t.Error("it speaks after the end")
	}
	s.behaves()
	for _, context := range []string{
		`{"theme":"dark","locale":"de","styles":{"variables":{"--color-text-primary":"#111"}}}`,
		`{"theme":"light","locale":"de","styles":{"variables":{"--color-background-primary":"#0b6b53"}}}`,
		`{"theme":"light","locale":"de","safeAreaInsets":{"right":1000000000},"styles":{"variables":{` +
			`"--color-text-primary":"url(https://elsewhere.example/x.png)","--color-background-primary":"#fff"}}}`,
	} {
		s.again(t, w.token(ada, everything...), map[string]any{"tool": "listMembers",
			"context": json.RawMessage(context)}, "Grace Hopper")
		found := in[string](s.view, faint)
		if strings.Contains(found, "Invite") && !strings.Contains(context, "url(") {
			t.Errorf("%s: %s", context, found)
		}
		s.view.waitFor(`document.documentElement.scrollWidth <= innerWidth`)
		s.behaves()
	}
	w.tasks(`{"title":"Dated","due":"2190-12-03"}`)
	s.again(t, w.token(ada, everything...), map[string]any{"tool": "listTasks",
		"context": map[string]any{"locale": "de"}}, "3. Dez. 2190")
	if lang := in[string](s.view, `document.querySelector("bdi").lang`); lang != "de" {
		t.Errorf("the date is read in %q", lang)
	}
	s.behaves()
}
