package server_test

import (
	"context"
	"fmt"
	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/widget"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// tasks has Ada create tasks, and returns their identifiers.
func (w *world) tasks(bodies ...string) (ids []string) {
	w.t.Helper()
	for _, body := range bodies {
		ids = append(ids, w.as(ada).do(201, "POST", "/api/v1/tasks", body)["task_id"].(string))
	}
	return ids
}

func TestInABrowserTasksAreCompletedAndAddedInAWidget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.tasks(`{"title":"Water the plants","due":"2020-01-02","assignee":"`+grace+`","priority":"urgent"}`,
		`{"title":"Feed the cat","due":"2190-05-01"}`, `{"title":"Read","state":"in_progress","assignee":"me"}`)
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks",
		"context": map[string]any{"locale": "en-GB", "timeZone": "Europe/Berlin"}}, "Water the plants")
	for _, text := range []string{"Overdue, 2 Jan 2020", "Urgent", "Assigned", "Due 1 May 2190", "In progress"} {
		s.sees(text)
	}
	state := func(id string) any { return w.as(ada).do(200, "GET", "/api/v1/tasks/"+id, "")["state"] }
	box := func(id string) string { return `[data-key="` + id + `"]` }
	s.press(box(ids[0]))
	s.sees("Done: Water the plants")
	if state(ids[0]) != "done" || !in[bool](s.view, `document.querySelector('`+box(ids[0])+`').checked`) {
		t.Error("it is not done")
	}
	s.press(box(ids[0])) // by mistake
	s.sees("Open again: Water the plants")
	if state(ids[0]) != "open" {
		t.Error("it is not open again")
	}
	s.press("#title")
	s.keys("Call <b>mum</b>\r")
	s.sees("Added: Call <b>mum</b>")
	found := w.as(ada).do(200, "GET", "/api/v1/tasks?search=mum", "")["tasks"].([]any)
	if len(found) != 1 || in[string](s.view, "document.querySelector('.title').textContent") != "Call <b>mum</b>" ||
		in[string](s.view, "document.activeElement.id + document.getElementById('title').value") != "title" {
		t.Errorf("added %v", found)
	}
	s.press("#title")
	s.keys("Call <b>mum</b>") // another one, of the same name
	s.press("#send")
	s.waitFor("host.contexts.length === 4")
	s.press("#send")
	s.sees("Write what is to be done.")
	if found := w.as(ada).do(200, "GET", "/api/v1/tasks?search=mum", "")["tasks"].([]any); len(found) != 2 {
		t.Errorf("%d of two equal tasks were added", len(found))
	}
	if told := in[string](s.tab, "host.contexts.at(-1).content[0].text"); strings.Count(told, "\n") != 3 ||
		!strings.Contains(told, ids[0]+" to done") || strings.Contains(told, "mum") {
		t.Errorf("the model is told: %s", told)
	}
	s.press("#link")
	s.waitFor("host.opened.length === 1")
	if opened := in[string](s.tab, "host.opened[0]"); opened != w.url+"/account" {
		t.Errorf("opened %s", opened)
	}
	s.behaves()
}

func TestInABrowserALongListIsShownPageByPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 15 {
		w.tasks(fmt.Sprintf(`{"title":"Task %02d","due":"2190-01-%02d","labels":["home"]}`, n+1, n+1))
	}
	w.tasks(`{"title":"Another"}`)
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks",
		"arguments": map[string]any{"label": "home", "limit": 8}}, "1–5 of 15")
	for _, step := range []struct {
		button, count string
		calls         int
	}{{"#after", "6–8 of 15", 0}, {"#after", "9–13 of 15", 1}, {"#after", "14–15 of 15", 1},
		{"#after", "14–15 of 15", 1}, {"#before", "9–13 of 15", 1}, {"#before", "6–10 of 15", 1},
		{"#before", "1–5 of 15", 1}, {"#before", "1–5 of 15", 1}, {"#after", "6–10 of 15", 1}} {
		s.press(step.button)
		s.view.waitFor(`document.getElementById("count").textContent === ` + quoted(step.count))
		if calls := in[int](s.tab, "host.calls.length"); calls != step.calls {
			t.Errorf("%s: %d calls, want %d", step.count, calls, step.calls)
		}
	}
	if got := in[string](s.view, "document.activeElement.id"); got != "after" {
		t.Errorf("the focus is on %q", got)
	}
	if tallest := in[int](s.tab, "Math.max(...host.heights)"); tallest > 500 {
		t.Errorf("it was %d pixels high", tallest)
	}
	s.behaves()
}

// failedWith is the result of a call that was not carried out, as the host's page writes it.
func failedWith(text string) string {
	return `{ result: { isError: true, content: [{ type: "text", text: ` + quoted(text) + ` }] } }`
}

// TestInABrowserAWidgetSaysWhyACallFailed has each kind of failure: the list stays as it was, the focus where it was,
// and the person is told in words of theirs.
func TestInABrowserAWidgetSaysWhyACallFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.tasks(`{"title":"Mine"}`, `{"title":"Done","state":"done"}`)
	box := func(id string) string { return `[data-key="` + id + `"]` }
	s := w.show(t, w.token(ada, "openid", "tasks:read"), map[string]any{"tool": "listTasks"}, "Mine")
	s.press(box(ids[0]))
	s.sees("You have not allowed this here.")
	s.press("#title")
	s.keys("New\r")
	s.sees("You have not allowed this here.")
	if kept := in[string](s.view, "document.getElementById('title').value"); kept != "New" {
		t.Errorf("what was typed is %q", kept)
	}
	s.behaves()

	s.again(t, w.token(grace, everything...), map[string]any{"tool": "listTasks"}, "Mine")
	s.press(box(ids[0]))
	s.sees("Only who created the task, who is assigned to it, or an admin may change it.")
	if in[bool](s.view, `document.querySelector('`+box(ids[0])+`').checked`) {
		t.Error("it looks done")
	}
	s.behaves()

	s.again(t, w.token(ada, everything...), map[string]any{"tool": "listTasks"}, "Mine")
	w.as(ada).do(200, "PATCH", "/api/v1/tasks/"+ids[1], `{"title":"Changed by another"}`)
	s.press(box(ids[1]))
	s.sees("Somebody has changed this task meanwhile.")
	s.sees("Changed by another")
	w.as(ada).do(200, "DELETE", "/api/v1/tasks/"+ids[0], "")
	s.press(box(ids[0]))
	s.sees("It is not there any more.")
	const refused = `{ error: { code: -32000, message: "denied by the person" } }`
	for answer, told := range map[string]string{
		refused: "The call was not made. Denied by the person.",
		failedWith(`{"error":{"code":503,"message":"x"}}`): "The server could not do it.",
		failedWith(`<b>rubbish`):                           "The server could not do it.",
		failedWith(`{"error":{"code":422,"errors":[{"location":"title","message":"is long"}]}}`): "Title " +
			"is long.",
	} {
		in[any](s.tab, `host.answers.set("createTask", `+answer+`)`)
		s.press("#title")
		s.keys("x")
		s.press("#send")
		s.sees(told)
		if role := in[string](s.view, "document.getElementById('problem').getAttribute('role')"); role != "alert" {
			t.Error("nobody hears of it")
		}
	}
	in[any](s.tab, `host.answers.set("open", { error: { code: -32000, message: "no" } })`)
	s.press("#link")
	s.sees("Its address is " + w.url + "/account")
	s.behaves()
}

func TestInABrowserAWidgetSaysHowLongToWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *guestpass.Options) { o.Limits.Member = 10 })
	w.tasks(`{"title":"Mine"}`)
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks"}, "Mine")
	for range 12 {
		w.call("GET", "/api/v1/userinfo", w.token(ada, "openid"), "")
	}
	s.press(".tick input")
	s.sees("The call was not made. More than 10 requests a minute for each member.")
	s.behaves()
}

// TestInABrowserACallIsMadeOnce: what runs is not begun again, however often somebody presses.
func TestInABrowserACallIsMadeOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.tasks(`{"title":"Mine"}`)
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks"}, "Mine")
	in[any](s.tab, `host.answers.set("createTask", "never"); host.answers.set("completeTask", "never")`)
	s.press("#title")
	s.keys("New\r\r")
	s.press("#send")
	for range 3 {
		s.press(`[data-key="` + ids[0] + `"]`)
	}
	s.waitFor("host.calls.length >= 2")
	if calls := in[[]map[string]any](s.tab, "host.calls"); len(calls) != 2 {
		t.Errorf("there were %v", calls)
	}
	if in[bool](s.view, `document.querySelector("[data-key]").checked`) ||
		!in[bool](s.view, `document.getElementById("send").ariaDisabled === "true"`) {
		t.Error("it looks done, or can be pressed")
	}
	s.behaves()
}

// TestInABrowserAWidgetOffersWhatThereIs: without calls, links or tools to change anything, the list is there to read.
func TestInABrowserAWidgetOffersWhatThereIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tasks(`{"title":"Mine","state":"in_progress","assignee":"me"}`, `{"title":"Finished","state":"done"}`)
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks", "capabilities": map[string]any{}},
		"Mine")
	const offered = `[...document.querySelectorAll("input, button, a, [tabindex]")].
		filter((e) => e.checkVisibility()).length`
	for _, text := range []string{"In progress", "Done", "Assigned"} {
		s.sees(text)
	}
	if n := in[int](s.view, offered); n != 0 {
		t.Errorf("%d things can be pressed", n)
	}
	s.behaves()
	s.again(t, w.token(ada, everything...), map[string]any{"tool": "listTasks", "reads": true}, "Mine")
	if n := in[int](s.view, offered); n != 1 {
		t.Errorf("beside the link %d things can be pressed", n-1)
	}
	s.behaves()
	s.again(t, w.token(ada, everything...), map[string]any{"tool": "listMembers", "reads": true}, "Grace Hopper")
	if n := in[int](s.view, offered); n != 1 {
		t.Errorf("beside the link %d things can be pressed", n-1)
	}
	s.behaves()
}

// TestInABrowserAWidgetTakesWhatClientsSend: text without data, answers of later calls, requests that it does not know,
// and the end.
func TestInABrowserAWidgetTakesWhatClientsSend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tasks(`{"title":"Mine"}`)
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks", "textOnly": true}, "Mine")
	in[any](s.tab, `host.notify("ui/notifications/tool-result", { content: [], structuredContent: { tasks: [
		{ task_id: "tsk_2", title: "Of a later call", state: "open", labels: [] }], total: 1 } });
		host.notify("ui/notifications/of-the-future", {}); host.notify("ui/notifications/tool-input-partial", {});`)
	for request, want := range map[string]string{"ping": `{"result":{}}`,
		"roots/list": `{"error":{"code":-32601,"message":"there is no such method"}}`,
		"toString":   `{"error":{"code":-32601,"message":"there is no such method"}}`} {
		got := in[string](s.tab, `host.request(`+quoted(request)+`, {}).then((a) => JSON.stringify(a))`)
		if got != want {
			t.Errorf("%s is answered with %s", request, got)
		}
	}
	if shown := in[string](s.view, "document.body.innerText"); strings.Contains(shown, "later") {
		t.Errorf("it shows %s", shown)
	}
	s.behaves()
	if got := in[string](s.tab, "host.close().then((a) => JSON.stringify(a))"); got != `{"result":{}}` {
		t.Errorf("the end is answered with %s", got)
	}
	s.again(t, w.token(ada, everything...), map[string]any{"tool": "listTasks", "silent": true}, "Loading…")
	for _, sent := range []string{`null`, `{}`, `{ structuredContent: { members: [] } }`,
		`{ content: [{ type: "text", text: "3" }] }`} {
		in[any](s.tab, `host.notify("ui/notifications/tool-result", `+sent+`)`)
	}
	in[any](s.tab, `host.notify("ui/notifications/tool-result", { isError: true, content: [{ type: "text", text:
		'{"error":{"code":422,"message":"the cursor is of another list"}}' }] })`)
	s.sees("The cursor is of another list.")
	in[any](s.tab, `host.notify("ui/notifications/tool-cancelled", {})`)
	s.sees("This was cancelled")
	in[any](s.tab, `host.notify("ui/notifications/tool-result", { structuredContent: { tasks: [], total: 0 } })`)
	s.sees("No tasks.")
	s.behaves()
}

// hostile is a title of everything that a page could take for something else.
const hostile = `<img src=x onerror=alert(1)><script>alert(2)</script>&amp;"'` +
	"\u202eevil\u202c שלום 👩\u200d👩\u200d👧\u200d👦 "

func TestInABrowserTitlesAreTextWhateverTheySay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks", "result": map[string]any{
		"content": []any{}, "structuredContent": map[string]any{"total": -1, "tasks": []any{
			map[string]any{"task_id": `tsk_1"]<b>`, "title": hostile, "state": "open", "due": "no day", "labels": nil},
			map[string]any{"task_id": "__proto__", "title": strings.Repeat("long", 500), "state": "of the future"},
			map[string]any{"task_id": "tsk_3", "title": strings.Repeat("W", 2000), "state": "done"},
			map[string]any{"task_id": "tsk_4", "title": "", "state": "open", "assignee": "constructor"},
		}}}}, "of the future")
	const shown = `[...document.querySelectorAll(".title")].map((e) => e.textContent)`
	titles := in[[]string](s.view, shown)
	s.press("#after") // they are long
	s.sees("3–4 of 4")
	titles = append(titles, in[[]string](s.view, shown)...)
	if len(titles) != 4 || titles[0] != hostile || len(titles[1]) != 2000 || len(titles[2]) != 2000 {
		t.Errorf("%.300q", titles)
	}
	if n := in[int](s.view, `document.querySelectorAll("img, .title *, b").length`); n != 0 {
		t.Errorf("there are %d elements of theirs", n)
	}
	s.fits()
	s.press("#before")
	s.fits()
	s.press(".tick input")
	s.view.waitFor(`document.getElementById("problem").textContent !== ""`)
	s.behaves()
}

// TestInABrowserAWidgetWorksByKeyboard walks through everything with Tab, and hears what a screen reader would.
func TestInABrowserAWidgetWorksByKeyboard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ids []string
	for n := range 7 {
		ids = append(ids, w.tasks(fmt.Sprintf(`{"title":"Task %d","due":"2190-01-0%d"}`, n+1, n+1))...)
	}
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks"}, "Task 5")
	in[any](s.tab, "frame.focus()")
	s.keys("\t")
	s.view.waitFor(`document.activeElement.dataset.key === "` + ids[0] + `"`)
	if outline := in[string](s.view, "getComputedStyle(document.activeElement).outlineStyle"); outline != "solid" {
		t.Errorf("the focus is not seen: %s", outline)
	}
	s.keys(" ")
	s.sees("Done: Task 1")
	if focus := in[string](s.view, "document.activeElement.dataset.key"); focus != ids[0] {
		t.Errorf("the focus went to %q", focus)
	}
	s.keys(strings.Repeat("\t", 5) + "New")
	s.view.waitFor(`document.activeElement.id === "title" && document.activeElement.value === "New"`)
	s.keys("\t ")
	s.sees("Added: New")
	s.keys("\t\t")
	s.view.waitFor(`document.activeElement.id === "link"`)
	s.keys("\r")
	s.waitFor("host.opened.length === 1")
	s.keys("\t\t\r")
	s.sees("Showing 6–8 of 8")
	tree, err := chromedp.Call(s.view.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	must(t, err)
	var heard []string
	for _, node := range tree.Nodes {
		if !node.Ignored && node.Role != nil && node.Name != nil {
			heard = append(heard, textOf(node.Role.Value)+" "+textOf(node.Name.Value))
		}
	}
	for _, want := range []string{"heading Tasks", "list Tasks", "checkbox Task 7", "textbox What is to be done",
		"button Add", "form Add a task", "button Back", "button More", "group More tasks", "button Connected apps"} {
		if !slices.Contains(heard, want) {
			t.Errorf("nobody hears %q of %q", want, heard)
		}
	}
	s.behaves()
}

// looks of a client: its colours too, or none.
var looks = map[string]map[string]any{
	"light": {"theme": "light", "locale": "en-GB"},
	"dark":  {"theme": "dark", "locale": "en-GB"},
	"its-own": {"theme": "dark", "styles": map[string]any{"variables": map[string]any{
		"--color-text-primary": "#faf9f5", "--color-background-primary": "#30302e", "--color-text-secondary": "#c2c0b6",
		"--color-text-danger": "#ee8884", "--color-border-primary": "#73726c", "--font-sans": "Georgia, serif"}}},
}

func TestInABrowserAWidgetLooksAsItsClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tasks(`{"title":"Water the plants in the meeting rooms and on the terrace","due":"2026-11-20","assignee":"`+grace+
		`"}`, `{"title":"Book a room for the workshop","due":"2190-12-03","state":"done","assignee":"me"}`,
		`{"title":"Send the invoices of November","due":"2190-12-04","priority":"urgent","assignee":"me"}`,
		`{"title":"Prepare the slides","due":"2190-12-10","state":"in_progress"}`, `{"title":"Order new chairs"}`,
		`{"title":"לקנות פרחים","priority":"high"}`, `{"title":"Clean up"}`, `{"title":"Plan the summer party"}`)
	for _, name := range []string{"Mary Guest", "Alexander Maximilian von und zu Hohenfels-Wittenstein", "Łukasz Żółć",
		"Noor"} {
		w.call("POST", "/api/v1/members/invitations", w.token(ada, "members:invite"), fmt.Sprintf(
			`{"email":"%x@acme.example","name":%q}`, name[:4], name))
	}
	s := &hosted{tab: newTab(t, newBrowser(t)), world: w}
	for name, context := range looks {
		for _, tool := range []string{"listTasks", "listMembers"} {
			for _, width := range []int64{740, 390} {
				s.look(width, "light")
				s.again(t, w.token(ada, everything...), map[string]any{"tool": tool, "context": context,
					"said": "Here is what you asked for."}, "")
				s.sees(map[string]string{"listTasks": "Assigned", "listMembers": "Mary Guest"}[tool])
				s.settle()
				s.picture(fmt.Sprintf("widget-%s-%s-%d", tool, name, width))
				s.press("#send")
				s.view.waitFor(`document.getElementById("problem").textContent !== ""`)
				if found := in[string](s.view, faint); found != "" {
					t.Errorf("%s, %s: %s", tool, name, found)
				}
				if scheme := in[string](s.view, "getComputedStyle(document.documentElement).colorScheme"); scheme !=
					context["theme"] {
					t.Errorf("%s, %s: the scheme is %s", tool, name, scheme)
				}
				s.settle()
				if high := in[int](s.tab, "Math.max(...host.heights)"); high > 500 {
					t.Errorf("%s, %s, %d wide: it was %d pixels high", tool, name, width, high)
				}
				s.picture(fmt.Sprintf("widget-%s-%s-%d-problem", tool, name, width))
				s.behaves()
			}
		}
	}
}

// TestInABrowserAWidgetFollowsItsClient: what changes on the client's side while it is shown.
func TestInABrowserAWidgetFollowsItsClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tasks(`{"title":"Mine","due":"2190-12-03"}`)
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listTasks",
		"context": map[string]any{"locale": "no language at all", "timeZone": "Nowhere/Land"}}, "2190")
	in[any](s.tab, `host.notify("ui/notifications/host-context-changed", { theme: "dark", locale: "de",
		safeAreaInsets: { top: 30, right: 0, bottom: 0, left: 40 },
		styles: { variables: { "--color-text-primary": "rgb(1, 2, 3)" } } })`)
	s.sees("Due 3. Dez. 2190")
	s.view.waitFor(`getComputedStyle(document.documentElement).colorScheme === "dark" &&
		getComputedStyle(document.body).color === "rgb(1, 2, 3)" &&
		getComputedStyle(document.body).paddingTop === "42px"`)
	if ground := in[string](s.view, "getComputedStyle(document.body).backgroundColor"); ground != "rgba(0, 0, 0, 0)" {
		t.Errorf("it has a ground of its own: %s", ground)
	}
	s.behaves()
}

func TestInABrowserMembersAreInvitedInAWidget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.show(t, w.token(ada, everything...), map[string]any{"tool": "listMembers"}, "Grace Hopper")
	s.sees("ada@acme.example")
	s.sees("admin")
	s.press("#send")
	s.sees("Write an e-mail address")
	s.press("#email")
	s.keys("mary@example\r")
	s.sees("Email has no domain behind the @")
	s.press("#email")
	s.keys(strings.Repeat("\b", len("example")) + "acme.example")
	s.press("#name")
	s.keys("Mary Guest")
	s.press("#send")
	s.sees("Invited: mary@acme.example")
	if mails := w.stytch.Inbox(); len(mails) != 1 || mails[0].To != "mary@acme.example" {
		t.Errorf("sent %v", mails)
	}
	if first := in[string](s.view, "document.querySelector('li').innerText"); !strings.Contains(first, "Mary Guest") ||
		!strings.Contains(first, "Invited") || in[string](s.view, "document.activeElement.id") != "email" {
		t.Errorf("the first is %q", first)
	}
	s.keys("grace@acme.example\r")
	s.sees("This e-mail address belongs to a member of the organization")
	if kept := in[string](s.view, "document.getElementById('email').value"); kept != "grace@acme.example" {
		t.Errorf("what was typed is %q", kept)
	}
	s.fits()
	s.behaves()
}

func textOf(value any) string { return strings.Trim(fmt.Sprintf("%s", value), `"`) }

// TestInABrowserAResourceBringsItsWidget shows the page of examples/expenses.
func TestInABrowserAResourceBringsItsWidget(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../examples/expenses/expenses.html")
	must(t, err)
	type expense struct {
		ID       string `json:"expense_id" doc:"Identifier"`
		Cents    int    `json:"cents" doc:"Amount"`
		Currency string `json:"currency" doc:"Currency"`
		SpentOn  string `json:"spent_on" doc:"Day"`
		Note     string `json:"note" doc:"Note"`
	}
	type output struct {
		Body struct {
			Expenses []expense `json:"expenses" doc:"Expenses"`
		}
	}
	w := newWorld(t, func(o *guestpass.Options) {
		o.Title, o.AppURL = "Acme", "https://acme.example/expenses"
		o.Resources = ownOperations(func(s *api.Service) {
			api.Register(s, api.Operation{ID: "listExpenses", Method: "GET", Path: "/api/v1/expenses",
				Summary: "List expenses", Description: "Returns expenses.", Access: auth.Scope("openid"),
				Widget: widget.New("expenses", string(page))},
				func(context.Context, *struct{}) (*output, error) {
					out := &output{}
					out.Body.Expenses = []expense{{"exp_1", 1250, "EUR", "2026-11-30", "Train to Berlin"},
						{"exp_2", 300, "no currency", "yesterday", "Coffee"}}
					return out, nil
				})
		})
	})
	s := w.show(t, w.token(ada, "openid"), map[string]any{"tool": "listExpenses",
		"context": map[string]any{"locale": "en-GB"}}, "Train to Berlin")
	s.sees("30 Nov")
	s.sees("€12.50")
	s.sees("3 no currency")
	s.fits()
	s.press("#link")
	s.waitFor(`host.opened[0] === "https://acme.example/expenses"`)
	s.sees("Open Acme")
	s.behaves()
}
