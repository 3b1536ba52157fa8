package site

import (
	"net/http/httptest"
	"strings"
	"testing"

	"guestpass/internal/page"
)

func sitePage(t *testing.T, o Options, which func(*Site) string) string {
	t.Helper()
	o.Title, o.Operations = "Acme", []Operation{{ID: "createTask", Summary: "Create a task", Effect: "write"}}
	o.Published = o.Operations
	return which(siteOf(t, o))
}

func siteOf(t *testing.T, o Options) *Site {
	t.Helper()
	o.Pages = pagesOf(t, page.Options{Brand: page.Brand{Title: o.Title}, Documented: true})
	built, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return built
}

func pagesOf(t *testing.T, o page.Options) *page.Pages {
	t.Helper()
	pages, err := page.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func landing(s *Site) string {
	w := httptest.NewRecorder()
	s.Landing.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w.Body.String()
}

func privacy(s *Site) string {
	w := httptest.NewRecorder()
	s.Privacy.ServeHTTP(w, httptest.NewRequest("GET", "/privacy", nil))
	return w.Body.String()
}

// TestPagesNameWhoCanConnect: a page promises no assistant that cannot connect, and the privacy page leaves out
// nobody who can.
func TestPagesNameWhoCanConnect(t *testing.T) {
	const public = "https://gpt.example.com"
	for name, which := range map[string]func(*Site) string{"landing": landing, "privacy": privacy} {
		with := sitePage(t, Options{PublicURL: public, MCP: public + "/mcp"}, which)
		if !strings.Contains(with, "ChatGPT") || !strings.Contains(with, "Claude") {
			t.Errorf("%s, with MCP, names ChatGPT or Claude not:\n%s", name, with)
		}
		without := sitePage(t, Options{PublicURL: public}, which)
		for _, word := range []string{"Claude", "Anthropic", "assistants", "MCP"} {
			if strings.Contains(without, word) {
				t.Errorf("%s, without MCP, speaks of %s:\n%s", name, word, without)
			}
		}
	}
}

// TestAnAddressOfThisMachineIsSaidToBeOne in each part of the landing page in which somebody would use it.
func TestAnAddressOfThisMachineIsSaidToBeOne(t *testing.T) {
	const local = "http://localhost:8080"
	o := Options{PublicURL: local, MCP: local + "/mcp", Notes: []string{"The GPT editor wants https."}}
	connect, gpt, found := strings.Cut(sitePage(t, o, landing), "<h2>Make a GPT with it</h2>")
	if !found || !strings.Contains(connect, "cannot reach this address") || !strings.Contains(gpt, o.Notes[0]) ||
		strings.Index(gpt, o.Notes[0]) > strings.Index(gpt, "<ol") {
		t.Errorf("the notes are elsewhere:\n%s", connect+gpt)
	}
	o.PublicURL = "https://gpt.example.com"
	if strings.Contains(sitePage(t, o, landing), "cannot reach this address") {
		t.Error("a public address is said to be out of reach")
	}
}

// TestTheLandingPageSaysWhichDocumentIsForWhom, in full, as importers want it.
func TestTheLandingPageSaysWhichDocumentIsForWhom(t *testing.T) {
	text := sitePage(t, Options{PublicURL: "https://gpt.example.com"}, landing)
	_, elsewhere, _ := strings.Cut(text, "<h2>Import it elsewhere</h2>")
	for address, importers := range map[string][]string{"/swagger.json": {"Power Platform", "Copilot Studio"},
		"/openapi-3.0.json": {"Microsoft 365", "Bedrock", "Salesforce"}, "/openapi.json": {"AgentCore", "LibreChat"}} {
		before, _, found := strings.Cut(elsewhere, ">https://gpt.example.com"+address+"<")
		row := before[strings.LastIndex(before, "<dt>")+1:]
		for _, importer := range importers {
			if !found || !strings.Contains(row, importer) {
				t.Errorf("%s is not said to be for %s:\n%s", address, importer, elsewhere)
			}
		}
	}
}

// TestOperationsAreGroupedByResource, each with its effect in words.
func TestOperationsAreGroupedByResource(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v1/tasks/{task_id}/comments": "Tasks", "/api/v2/next-steps": "Next steps", "/expenses": "Expenses",
		"/v1/cost_centers/{id}": "Cost centers", "/{id}": "Others", "/": "Others",
	} {
		if got := resourceOf(path); got != want {
			t.Errorf("%s is of %q, want %q", path, got, want)
		}
	}
	operations := []Operation{
		{ID: "listTasks", Effect: "read", Path: "/api/v1/tasks",
			Scopes: []Scope{{Name: "tasks:read"}, {Name: "tasks"}}},
		{ID: "listMembers", Effect: "read", Path: "/api/v1/members"},
		{ID: "updateTask", Effect: "write", Path: "/api/v1/tasks/{task_id}"},
		{ID: "deleteTask", Effect: "destroy", Path: "/api/v1/tasks/{task_id}"}}
	built := siteOf(t, Options{Title: "Acme", PublicURL: "https://gpt.example.com", Published: operations,
		Operations: operations})
	if shown := privacy(built); !strings.Contains(shown, "<td><code>tasks:read</code> or <code>tasks</code></td>") {
		t.Errorf("the privacy page does not tell the permissions of an operation:\n%s", shown)
	}
	shown, last := landing(built), 0
	for _, want := range []string{`scope="rowgroup" colspan="4">Tasks</th>`, "listTasks", ">reads<",
		"<code>tasks:read</code> or <code>tasks</code>", "updateTask",
		"changes", "deleteTask", "removes", `scope="rowgroup" colspan="4">Members</th>`, "listMembers"} {
		at := strings.Index(shown[last:], want)
		if at < 0 {
			t.Fatalf("%s is not where it should be:\n%s", want, shown)
		}
		last += at
	}
}

// TestTheDayOnWhichGPTsEndIsTold, wherever one is told how to make one.
func TestTheDayOnWhichGPTsEndIsTold(t *testing.T) {
	for _, tools := range []string{"", "https://gpt.example.com/mcp"} {
		shown := sitePage(t, Options{PublicURL: "https://gpt.example.com", MCP: tools}, landing)
		_, gpt, _ := strings.Cut(shown, "<h2>Make a GPT with it</h2>")
		if before, _, _ := strings.Cut(gpt, "<ol"); !strings.Contains(before, "11 December 2026") {
			t.Errorf("with %q the day is not told:\n%s", tools, gpt)
		}
	}
}

// TestWhatIsForDevelopmentStandsApart, and only on a server for development.
func TestWhatIsForDevelopmentStandsApart(t *testing.T) {
	const heading = "<h2>Only for development</h2>"
	o := Options{PublicURL: "http://localhost:8080", Emulator: "http://localhost:8081"}
	if before, apart, found := strings.Cut(sitePage(t, o, landing), heading); !found ||
		!strings.Contains(apart, o.Emulator) || strings.Contains(before, o.Emulator) {
		t.Errorf("the emulator is not apart:\n%s", apart)
	}
	o.Emulator = ""
	if strings.Contains(sitePage(t, o, landing), heading) {
		t.Error("a server in production speaks of development")
	}
}

// TestPagesOfAServerWithoutOperations: the operations are another program's, so no page lists any, links to their
// document, or says what that program keeps.
func TestPagesOfAServerWithoutOperations(t *testing.T) {
	built, err := New(Options{Pages: pagesOf(t, page.Options{}), Title: "Acme",
		PublicURL: "https://gpt.example.com", Scopes: []Scope{{Name: "notes:read", Description: "Read your notes"}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, shown := range map[string]string{"landing": landing(built), "privacy": privacy(built)} {
		for _, promise := range []string{"/docs", "/openapi.json", "/swagger.json",
			"What can be called", "Make a GPT", "Claude",
			"what was before and after"} {
			if strings.Contains(shown, promise) {
				t.Errorf("%s speaks of %q:\n%s", name, promise, shown)
			}
		}
		if !strings.Contains(shown, "the application beside it") &&
			!strings.Contains(shown, "an application beside it") {
			t.Errorf("%s does not say whose the operations are:\n%s", name, shown)
		}
	}
	if !strings.Contains(privacy(built), "Read your notes") {
		t.Error("the privacy page lacks the application's scope")
	}
}
