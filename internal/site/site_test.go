package site

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func page(t *testing.T, o Options, which func(*Site) string) string {
	t.Helper()
	o.Title, o.Operations = "Acme", []Operation{{ID: "createTask", Summary: "Create a task", Effect: "write"}}
	o.Published = o.Operations
	built, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return which(built)
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
		with := page(t, Options{PublicURL: public, MCP: public + "/mcp"}, which)
		if !strings.Contains(with, "ChatGPT") || !strings.Contains(with, "Claude") {
			t.Errorf("%s, with MCP, names ChatGPT or Claude not:\n%s", name, with)
		}
		without := page(t, Options{PublicURL: public}, which)
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
	connect, gpt, found := strings.Cut(page(t, o, landing), "<h2>Make a GPT with it</h2>")
	if !found || !strings.Contains(connect, "cannot reach this address") || !strings.Contains(gpt, o.Notes[0]) ||
		strings.Index(gpt, o.Notes[0]) > strings.Index(gpt, "<ol") {
		t.Errorf("the notes are elsewhere:\n%s", connect+gpt)
	}
	o.PublicURL = "https://gpt.example.com"
	if strings.Contains(page(t, o, landing), "cannot reach this address") {
		t.Error("a public address is said to be out of reach")
	}
}
