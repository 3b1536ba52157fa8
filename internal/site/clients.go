package site

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"strings"
)

// A Client of MCP, as the landing page shows it: each way to add this server that the client has.
type Client struct {
	Name        string
	Unreachable bool // it calls from its company's servers, and this server is on the visitor's machine
	Links       []Link
	Menu        []string // what to choose in it, one after the other
	Commands    []string
	Say         string // what to type in the client itself, after the commands
	File        string // into which the snippet goes
	Snippet     string
	Trap        string // what people stumble over
}

// A Link opens a client, or its page.
type Link struct {
	Text string
	URL  template.URL
}

// Kinds says how the client is added, in few words.
func (c Client) Kinds() string {
	var kinds []string
	for _, kind := range []struct {
		name string
		has  bool
	}{{"link", len(c.Links) > 0}, {"command", len(c.Commands) > 0}, {"settings file", c.Snippet != ""},
		{"menu", len(c.Menu) > 0}} {
		if kind.has {
			kinds = append(kinds, kind.name)
		}
	}
	return strings.Join(kinds, ", ")
}

// A target is the server that is added.
type target struct {
	Title string // as people call it: any characters
	Name  string // as programs call it, see [Options.Name]
	URL   string // of the tools
}

// A clientRow is how one client is added. The functions may be nil.
type clientRow struct {
	name    string
	afar    bool // it calls from its company's servers
	links   func(target) []Link
	menu    []string
	runs    func(target) []string
	say     func(target) string
	file    string
	snippet func(target) string
	trap    string
}

// clientRows are those that the page knows, the best known first. Each has been read in the client's own
// documentation, unless a comment says otherwise; none has been tried with this server but mcp-remote.
var clientRows = []clientRow{
	{name: "ChatGPT", afar: true,
		links: func(target) []Link { return []Link{{"Open ChatGPT's plugins", "https://chatgpt.com/plugins"}} },
		menu:  []string{"+", "Add custom MCP server", "OAuth", "Create as a plugin"},
		trap: "Not every plan offers it, and in a workspace an administrator may have to. After the operations " +
			"have changed, refresh the plugin there: it keeps its list of tools."},
	// Reported to open the form filled in on 2026-09-25; documented nowhere.
	{name: "Claude on the web, desktop and phone", afar: true,
		links: one("Add to Claude", func(t target) string {
			return "https://claude.ai/customize/connectors?modal=add-custom-connector&" +
				query("connectorName", t.Title, "connectorUrl", t.URL)
		}),
		menu: []string{"Settings", "Connectors", "Add custom connector"},
		trap: "If the link opens no form that is filled in, go by the menu. The free plan has room for one " +
			"connector, and what was entered cannot be changed later."},
	{name: "Claude Code",
		runs: func(t target) []string {
			return []string{"claude mcp add --transport http --scope user " + t.Name + " " + t.URL,
				"claude mcp login " + t.Name}
		},
		trap: "Without “--scope user” it is there in the current folder alone."},
	{name: "Cursor",
		links: one("Add to Cursor", func(t target) string {
			return "https://cursor.com/en/install-mcp?" + query("name", t.Name, "config",
				base64.StdEncoding.EncodeToString([]byte(compact(object{"url": t.URL}))))
		}),
		file: "~/.cursor/mcp.json", snippet: under("mcpServers", "url", nil),
		trap: "The link wants the app on this device. If nothing opens, put the lines into the file."},
	{name: "Visual Studio Code",
		links: func(t target) []Link {
			address := "https://vscode.dev/redirect/mcp/install?" +
				query("name", t.Name, "config", compact(object{"type": "http", "url": t.URL}))
			return []Link{{"Add to VS Code", template.URL(address)}, // #nosec G203 -- its values are escaped
				{"Add to VS Code Insiders", template.URL(address + "&quality=insiders")}} // #nosec G203 -- likewise
		},
		file: ".vscode/mcp.json", snippet: under("servers", "url", object{"type": "http"}),
		trap: "If it asks for a client ID, it could not register itself: give it the ID of a connected app."},
	{name: "Codex, and ChatGPT on the desktop",
		runs: func(t target) []string {
			return []string{"codex mcp add " + t.Name + " --url " + t.URL, "codex mcp login " + t.Name}
		},
		file: "~/.codex/config.toml", snippet: func(t target) string {
			return "[mcp_servers." + t.Name + "]\nurl = " + compact(t.URL)
		},
		trap: "Command line, editor and desktop app share one file. Adding signs nobody in: the second command does."},
	{name: "GitHub Copilot CLI",
		runs: func(t target) []string { return []string{"copilot mcp add --transport http " + t.Name + " " + t.URL} },
		trap: "It has a list of its own, ~/.copilot/mcp-config.json: what Visual Studio Code has is not in it."},
	{name: "Gemini CLI",
		runs: func(t target) []string { return []string{"gemini mcp add -s user -t http " + t.Name + " " + t.URL} },
		say:  func(t target) string { return "/mcp auth " + t.Name },
		file: "~/.gemini/settings.json", snippet: under("mcpServers", "httpUrl", nil),
		trap: "In the file the key is “httpUrl”: “url” stands for an older way to connect."},
	// Claimed by its page; the form was not seen in its source.
	{name: "Goose",
		links: one("Add to Goose", func(t target) string {
			return "goose://extension?" + query("url", t.URL, "type", "streamable_http", "id", t.Name,
				"name", t.Title, "description", t.Title, "timeout", "300")
		}),
		trap: "The link opens the desktop app alone: at the command line there is “goose configure”."},
	{name: "Windsurf", file: "~/.codeium/windsurf/mcp_config.json", snippet: under("mcpServers", "serverUrl", nil),
		trap: "The key is “serverUrl”: with “url”, as elsewhere, nothing is connected."},
	{name: "Zed", file: "settings.json", snippet: under("context_servers", "url", nil),
		trap: "The key is “context_servers”: “mcpServers”, as elsewhere, is ignored."},
	{name: "LM Studio",
		links: one("Add to LM Studio", func(t target) string {
			return "lmstudio://add_mcp?" + query("name", t.Name, "config",
				base64.StdEncoding.EncodeToString([]byte(compact(object{"url": t.URL}))))
		}),
		trap: "The sign-in returns to port 33389 of this computer, which no other program may use then."},
	// The link is claimed by others; its manual describes the form alone.
	{name: "Raycast",
		links: one("Add to Raycast", func(t target) string {
			return "raycast://mcp/install?" + component(compact(object{"name": t.Name, "type": "stdio",
				"command": "npx", "args": []string{"-y", "mcp-remote", t.URL}}))
		}),
		menu: []string{"Install MCP Server", "HTTP", "OAuth"},
		trap: "The link goes through mcp-remote, which wants Node.js; the menu does without."},
	{name: "LibreChat", file: "librechat.yaml", snippet: func(t target) string {
		return "mcpServers:\n  " + t.Name + ":\n    type: streamable-http\n    url: " + compact(t.URL)
	},
		trap: "Its administrator adds it. In a container, localhost is the container itself."},
	{name: "Open WebUI",
		menu: []string{"Admin Settings", "Integrations", "+", "MCP (Streamable HTTP)", "OAuth 2.1", "Register Client"},
		trap: "Its administrator adds it, and must have set WEBUI_SECRET_KEY: without it no sign-in can be kept."},
	// Of the credential, as version 2.38.7 was reported and found to do.
	{name: "n8n", menu: []string{"MCP Client Tool", "HTTP Streamable", "MCP OAuth2 API"},
		trap: "Enter the URL as “resourceUrl” in the credential too: by itself it does not say for which server " +
			"it asks."},
	{name: "Copilot Studio", afar: true, menu: []string{"Tools", "Add a tool", "New tool", "Model Context Protocol"},
		trap: "It shows its redirect URL only after it was added: a connected app made by hand needs it."},
	{name: "Dify", menu: []string{"Integrations", "Tools", "MCP"},
		trap: "If it cannot register itself it wants ID and secret of a connected app, which needs the redirect " +
			"URL that it shows."},
	{name: "Others that only start programs",
		runs: func(t target) []string { return []string{"npx -y mcp-remote " + t.URL} },
		file: "mcp.json", snippet: func(t target) string {
			return indented(object{"mcpServers": object{t.Name: object{"command": "npx",
				"args": []string{"-y", "mcp-remote", t.URL}}}})
		},
		trap: "It wants Node.js. Do not run the command by hand: the client starts it."},
}

// Clients are those that the page knows, with all that adds this server to them.
func (o Options) Clients() []Client {
	return clientsOf(target{Title: o.Title, Name: o.Name(), URL: o.MCP}, o.OnThisMachine())
}

func clientsOf(t target, onThisMachine bool) []Client {
	shown := make([]Client, len(clientRows))
	for i, row := range clientRows {
		c := Client{Name: row.name, Unreachable: row.afar && onThisMachine, Menu: row.menu, File: row.file,
			Trap: row.trap}
		if row.links != nil {
			c.Links = row.links(t)
		}
		if row.runs != nil {
			c.Commands = row.runs(t)
		}
		if row.say != nil {
			c.Say = row.say(t)
		}
		if row.snippet != nil {
			c.Snippet = row.snippet(t)
		}
		shown[i] = c
	}
	return shown
}

// An object of JSON, whose members are written in the order of their names.
type object map[string]any

func compact(value any) string { return written(value, "") }

func indented(value any) string { return written(value, "  ") }

// written is JSON without escapes for HTML: the templates escape.
func written(value any, indent string) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("site: %v", err)) // it is made of texts, or came as JSON
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// under returns a snippet that has the server among others under key, its address as the member named address.
func under(key, address string, rest object) func(target) string {
	return func(t target) string {
		server := object{address: t.URL}
		for name, value := range rest {
			server[name] = value
		}
		return indented(object{key: object{t.Name: server}})
	}
}

// one is for a client with one link. html/template would refuse the schemes of programs.
func one(text string, address func(target) string) func(target) []Link {
	return func(t target) []Link {
		return []Link{{text, template.URL(address(t))}} // #nosec G203 -- made by query and component
	}
}

// query returns names and values in turn as a query, in the order given.
func query(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(pairs[i] + "=" + component(pairs[i+1]))
	}
	return b.String()
}

// component escapes as encodeURIComponent does. Blanks are %20, because not every client takes + for one.
func component(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
