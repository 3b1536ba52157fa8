package site

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// hostile has what ends a value, a parameter or a query where it is not escaped.
const hostile = `A&B #1 "q" ü + %41 </script> ' ;=?`

// TestLinksToClientsSayWhatTheyShould decodes each as the client does: with exactly these parameters, and exactly the
// name and the URL of the server in them.
func TestLinksToClientsSayWhatTheyShould(t *testing.T) {
	server := target{Title: hostile, Name: hostile, URL: "https://tasks.example.org/mcp?a=1&b=ü#c"}
	inJSON := func(text string) any {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		return value
	}
	inBase64 := func(text string) any {
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		return inJSON(string(decoded))
	}
	plain := func(text string) any { return text }
	type parameter struct {
		decode func(string) any
		want   any
	}
	alone := map[string]any{"url": server.URL}
	name, config := parameter{plain, hostile}, parameter{inBase64, alone}
	overHTTP := parameter{inJSON, map[string]any{"type": "http", "url": server.URL}}
	wanted := map[string]map[string]parameter{
		"https://chatgpt.com/plugins": {},
		"https://claude.ai/customize/connectors": {"modal": {plain, "add-custom-connector"}, "connectorName": name,
			"connectorUrl": {plain, server.URL}},
		"https://cursor.com/en/install-mcp":       {"name": name, "config": config},
		"https://vscode.dev/redirect/mcp/install": {"name": name, "config": overHTTP},
		"https://vscode.dev/redirect/mcp/install insiders": {"name": name, "config": overHTTP,
			"quality": {plain, "insiders"}},
		"goose://extension": {"url": {plain, server.URL}, "type": {plain, "streamable_http"}, "id": name,
			"name": name, "description": name, "timeout": {plain, "300"}},
		"lmstudio://add_mcp": {"name": name, "config": config},
	}
	for _, c := range clientsOf(server, false) {
		for _, link := range c.Links {
			u, err := url.Parse(string(link.URL))
			if err != nil || u.Fragment != "" || strings.Contains(string(link.URL), "+") {
				t.Errorf("%s: %s: %v", c.Name, link.URL, err)
				continue
			}
			if c.Name == "Raycast" { // its query is one value
				decoded, err := url.PathUnescape(u.RawQuery)
				want := map[string]any{"name": hostile, "type": "stdio", "command": "npx",
					"args": []any{"-y", "mcp-remote", server.URL}}
				if got := inJSON(decoded); err != nil || !reflect.DeepEqual(got, want) ||
					strings.ContainsAny(u.RawQuery, "&=") {
					t.Errorf("%s: %v %v", link.URL, got, err)
				}
				continue
			}
			key := u.Scheme + "://" + u.Host + u.Path
			if strings.HasSuffix(link.Text, "Insiders") {
				key += " insiders"
			}
			parameters, known := wanted[key]
			query, err := url.ParseQuery(u.RawQuery)
			if names := slices.Sorted(maps.Keys(query)); !known || err != nil ||
				!slices.Equal(names, slices.Sorted(maps.Keys(parameters))) {
				t.Errorf("%s has %q (%v)", link.URL, names, err)
			}
			for name, want := range parameters {
				if got := query[name]; len(got) != 1 || !reflect.DeepEqual(want.decode(got[0]), want.want) {
					t.Errorf("%s: %s is %q, want %v", key, name, got, want.want)
				}
			}
			delete(wanted, key)
		}
	}
	if len(wanted) > 0 {
		t.Errorf("nothing links to %q", slices.Sorted(maps.Keys(wanted)))
	}
}

// TestLinksAreAsClientsDocumentThem, to the byte, for a name without anything to escape.
func TestLinksAreAsClientsDocumentThem(t *testing.T) {
	const inBase64 = "eyJ1cmwiOiJodHRwczovL3Rhc2tzLmV4YW1wbGUub3JnL21jcCJ9"
	const inJSON = "%7B%22type%22%3A%22http%22%2C%22url%22%3A%22https%3A%2F%2Ftasks.example.org%2Fmcp%22%7D"
	wanted := map[string]string{
		"Cursor":             "https://cursor.com/en/install-mcp?name=guild&config=" + inBase64,
		"Visual Studio Code": "https://vscode.dev/redirect/mcp/install?name=guild&config=" + inJSON,
		"LM Studio":          "lmstudio://add_mcp?name=guild&config=" + inBase64,
	}
	for _, c := range clientsOf(target{Title: "Guild", Name: "guild", URL: "https://tasks.example.org/mcp"}, false) {
		if want := wanted[c.Name]; want != "" && string(c.Links[0].URL) != want {
			t.Errorf("%s: %s, want %s", c.Name, c.Links[0].URL, want)
		}
		delete(wanted, c.Name)
	}
	if len(wanted) > 0 {
		t.Errorf("there is no %v", wanted)
	}
}

// TestEveryClientCanBeAdded, to the server by its name and URL, and every snippet of JSON can be read.
func TestEveryClientCanBeAdded(t *testing.T) {
	server := target{Title: hostile, Name: "a-b", URL: "https://tasks.example.org/mcp"}
	for _, c := range clientsOf(server, false) {
		if c.Trap == "" || strings.Contains(c.Trap, "\n") || c.Kinds() == "" || c.Unreachable {
			t.Errorf("%+v", c)
		}
		for _, text := range append(c.Commands[:len(c.Commands):len(c.Commands)], c.Snippet) {
			if text != "" && !strings.Contains(text, server.URL) && !strings.HasSuffix(text, " login a-b") {
				t.Errorf("%s: %s lacks the URL", c.Name, text)
			}
		}
		if strings.HasPrefix(c.Snippet, "{") && !json.Valid([]byte(c.Snippet)) ||
			c.Snippet != "" && (c.File == "" || !strings.Contains(c.Snippet, "a-b")) {
			t.Errorf("%s: %s", c.Name, c.Snippet)
		}
	}
}

// TestSettingsHaveEachClientsOwnKeys: hardly two clients have the same.
func TestSettingsHaveEachClientsOwnKeys(t *testing.T) {
	wanted := map[string]string{
		"Cursor":             `{"mcpServers":{"guild":{"url":"URL"}}}`,
		"Visual Studio Code": `{"servers":{"guild":{"type":"http","url":"URL"}}}`,
		"Gemini CLI":         `{"mcpServers":{"guild":{"httpUrl":"URL"}}}`,
		"Windsurf":           `{"mcpServers":{"guild":{"serverUrl":"URL"}}}`,
		"Zed":                `{"context_servers":{"guild":{"url":"URL"}}}`,
		"Others that only start programs": `{"mcpServers":{"guild":{"args":["-y","mcp-remote","URL"],` +
			`"command":"npx"}}}`,
		"Codex, and ChatGPT on the desktop": "[mcp_servers.guild]\nurl = \"URL\"",
		"LibreChat":                         "mcpServers:\n  guild:\n    type: streamable-http\n    url: \"URL\"",
	}
	for _, c := range clientsOf(target{Title: "Guild", Name: "guild", URL: "URL"}, false) {
		text := c.Snippet
		if strings.HasPrefix(text, "{") {
			var b bytes.Buffer
			if err := json.Compact(&b, []byte(text)); err != nil {
				t.Error(err)
			}
			text = b.String()
		}
		if text != wanted[c.Name] {
			t.Errorf("%s: %s, want %s", c.Name, text, wanted[c.Name])
		}
	}
}

// TestTheLandingPageLinksToClients: html/template lets the schemes of programs pass, and escapes nothing twice.
func TestTheLandingPageLinksToClients(t *testing.T) {
	o := Options{PublicURL: "https://gpt.example.com", MCP: "https://gpt.example.com/mcp"}
	text := sitePage(t, o, landing)
	o.Title = "Acme"
	for _, c := range o.Clients() {
		for _, link := range c.Links {
			if !strings.Contains(text, `href="`+strings.ReplaceAll(string(link.URL), "&", "&amp;")+`"`) {
				t.Errorf("the page lacks %s", link.URL)
			}
		}
	}
	if strings.Contains(text, "cannot reach this machine") || strings.Contains(text, "ZgotmplZ") {
		t.Error("links are missing")
	}
}

// TestClientsFromAfarAreNotSentToThisMachine: those who call from elsewhere are told so, the others are added.
func TestClientsFromAfarAreNotSentToThisMachine(t *testing.T) {
	text := sitePage(t, Options{PublicURL: "http://localhost:8080", MCP: "http://localhost:8080/mcp"}, landing)
	for _, link := range []string{"https://claude.ai/customize", "https://chatgpt.com/plugins"} {
		if strings.Contains(text, link) {
			t.Errorf("the page links to %s", link)
		}
	}
	if n := strings.Count(text, "cannot reach this machine"); n != 3 ||
		!strings.Contains(text, "https://vscode.dev/redirect") {
		t.Errorf("%d clients cannot reach it", n)
	}
}

// TestNamesForPrograms have nothing that a shell or a file would take for its own.
func TestNamesForPrograms(t *testing.T) {
	for title, want := range map[string]string{"Acme Tasks": "acme-tasks", hostile[:15]: "a-b-1-q", "任务": "guestpass",
		"$(reboot); `x`": "reboot-x", "The longest title that there is": "guestpass"} {
		if got := (Options{Title: title}).Name(); got != want {
			t.Errorf("%q is called %q, want %q", title, got, want)
		}
	}
}
