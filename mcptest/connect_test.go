package mcptest

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestClientsSpeakAsTheyWereSeenToSpeak is the order of messages to servers of both eras, and of one.
func TestClientsSpeakAsTheyWereSeenToSpeak(t *testing.T) {
	for _, tt := range []struct {
		profile Profile
		modern  bool // the server
		want    string
	}{
		{ChatGPT(), true, "server/discover tools/list tools/call"},
		{ChatGPT(), false, "server/discover initialize notifications/initialized tools/list " +
			"initialize notifications/initialized tools/call"},
		{Claude(), true, "initialize notifications/initialized GET /mcp tools/list tools/call"},
		{VSCode(), true, "initialize notifications/initialized GET /mcp tools/list tools/call"},
		{Profile{}, true, "initialize notifications/initialized tools/list tools/call"},
	} {
		l := newLab(t)
		if !tt.modern {
			l.answer["server/discover"] = func(m *incoming) answer { return m.problem(200, methodNotFound) }
		}
		c := New(l.url, Options{Profile: tt.profile})
		if err := l.signIn(c); err != nil {
			t.Fatal(err)
		}
		l.requests()
		_, err := c.Connect(t.Context())
		_, listing := c.Tools(t.Context())
		_, calling := c.Call(t.Context(), "listNotes", map[string]any{"x": 1})
		if got := strings.Join(l.requests(), " "); err != nil || listing != nil || calling != nil || got != tt.want {
			t.Errorf("%s: %v %v %v, said %s\nwant %s", tt.profile.Name, err, listing, calling, got, tt.want)
		}
	}
}

func TestModernMessagesSayWhatTheyAre(t *testing.T) {
	l := newLab(t)
	var got *incoming
	result := l.answer
	result["tools/call"] = func(m *incoming) answer {
		got = m
		return m.result(map[string]any{"content": []any{}})
	}
	c := l.connected(Options{Profile: ChatGPT()})
	if _, err := c.Call(t.Context(), "größe", nil); err != nil {
		t.Fatal(err)
	}
	meta, _ := json.Marshal(got.Params["_meta"])
	for name, want := range map[string]string{"Mcp-Method": "tools/call", "Mcp-Name": "=?base64?Z3LDtsOfZQ==?=",
		"Mcp-Protocol-Version": modernVersion, "User-Agent": ChatGPT().UserAgent, "Accept": acceptBoth} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), want)
		}
	}
	if !strings.Contains(string(meta), `"io.modelcontextprotocol/protocolVersion":"2026-07-28"`) {
		t.Errorf("_meta is %s", meta)
	}
}

func TestConnectingFindsWhatBreaksClients(t *testing.T) {
	for _, tt := range []struct {
		name    string
		profile Profile
		spoil   func(l *lab)
		want    string
	}{
		{"a version that nobody knows", Profile{}, func(l *lab) {
			l.answer["initialize"] = func(m *incoming) answer {
				return m.result(
					map[string]any{"protocolVersion": "2099-01-01"})
			}
		}, `chose the version "2099-01-01"`},
		{"no tools", Profile{}, func(l *lab) {
			l.answer["initialize"] = func(m *incoming) answer {
				return m.result(
					map[string]any{"protocolVersion": legacyVersion})
			}
		}, "has no capability tools"},
		{"a notification that is answered", Profile{}, func(l *lab) {
			l.answer["notifications/initialized"] = func(*incoming) answer { return answer{200, "{}", nil} }
		}, "not 202"},
		{"no stream and no 405", Claude(), func(l *lab) { l.get = 404 }, "clients want a stream, or 405 for none"},
		{"a result that says nothing of itself", ChatGPT(), func(l *lab) {
			l.answer["server/discover"] = func(m *incoming) answer {
				return m.result(map[string]any{"supportedVersions": []string{modernVersion}})
			}
		}, `resultType is "", not complete`},
		{"text", Profile{}, func(l *lab) {
			l.answer["initialize"] = func(*incoming) answer { return answer{200, "hello", nil} }
		}, "something else than JSON-RPC"},
		{"another id", Profile{}, func(l *lab) {
			l.answer["initialize"] = func(m *incoming) answer {
				m.ID = json.RawMessage(`"7"`)
				return m.result(map[string]any{"protocolVersion": legacyVersion})
			}
		}, "another id"},
		{"trouble", ChatGPT(), func(l *lab) {
			l.answer["server/discover"] = func(m *incoming) answer { return answer{503, "", nil} }
		}, "server/discover was answered 503"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			c := New(l.url, Options{Profile: tt.profile})
			if err := l.signIn(c); err != nil {
				t.Fatal(err)
			}
			tt.spoil(l)
			_, err := c.Connect(t.Context())
			wantError(t, err, tt.want)
		})
	}
}

func TestRefusalsOfToolsAreResults(t *testing.T) {
	const header = `Bearer error="insufficient_scope", scope="notes:write"`
	refusal := map[string]any{"isError": true, "content": []any{map[string]any{"type": "text", "text": "no"}},
		"_meta": map[string]any{"mcp/www_authenticate": []string{"told by the tool"}}}
	for _, tt := range []struct {
		name    string
		profile Profile
		answer  func(m *incoming) answer
		want    Result
	}{
		{"403 with a result", Profile{}, func(m *incoming) answer {
			a := m.result(refusal)
			a.status, a.header = 403, map[string]string{"WWW-Authenticate": header}
			return a
		}, Result{Status: 403, IsError: true, Text: "no", Challenge: header}},
		{"403 with a result, read as ChatGPT does", ChatGPT(), func(m *incoming) answer {
			a := m.result(refusal)
			a.status, a.header = 403, map[string]string{"WWW-Authenticate": header}
			return a
		}, Result{Status: 403, IsError: true, Text: "no", Challenge: "told by the tool"}},
		{"403 with an error", Profile{}, func(m *incoming) answer {
			a := m.problem(403, -32000)
			a.header = map[string]string{"WWW-Authenticate": header}
			return a
		}, Result{Status: 403, IsError: true, Text: "no", Challenge: header}},
		{"403 with nothing", Profile{}, func(*incoming) answer {
			return answer{403, nil, map[string]string{"WWW-Authenticate": header}}
		}, Result{Status: 403, IsError: true, Challenge: header}},
		{"a result alone", ChatGPT(), func(m *incoming) answer { return m.result(refusal) },
			Result{Status: 200, IsError: true, Text: "no", Challenge: "told by the tool"}},
		{"a result alone, which Claude does not read", Claude(), func(m *incoming) answer { return m.result(refusal) },
			Result{Status: 200, IsError: true, Text: "no"}},
		{"a stream", Profile{}, func(m *incoming) answer {
			body := "event: message\r\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\r\n\r\n" +
				"data: {\"jsonrpc\":\"2.0\",\"id\":" + string(m.ID) + ",\r\ndata: \"result\":{\"content\":[]}}\r\n\r\n"
			return answer{200, body, map[string]string{"Content-Type": "text/event-stream"}}
		}, Result{Status: 200}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			l.answer["tools/call"] = tt.answer
			got, err := l.connected(Options{Profile: tt.profile}).Call(t.Context(), "listNotes", nil)
			if err != nil || got.Status != tt.want.Status || got.IsError != tt.want.IsError ||
				got.Text != tt.want.Text ||
				got.Challenge != tt.want.Challenge {
				t.Errorf("%+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestAnUnknownToolIsAnErrorOfTheProtocol(t *testing.T) {
	l := newLab(t)
	l.answer["tools/call"] = func(m *incoming) answer { return m.problem(200, -32602) }
	_, err := l.connected(Options{}).Call(t.Context(), "x", nil)
	var problem *RPCError
	if !errors.As(err, &problem) || problem.Code != -32602 {
		t.Error(err)
	}
}

func TestListsAreHeldAgainstWhatClientsRefuse(t *testing.T) {
	schema := func(text string) func(map[string]any) {
		return func(tool map[string]any) { tool["inputSchema"] = json.RawMessage(text) }
	}
	for _, tt := range []struct {
		name  string
		spoil func(tool map[string]any)
		want  string
	}{
		{"right", func(map[string]any) {}, ""},
		{"a name with a dot", func(tool map[string]any) { tool["name"] = "list.notes" }, "a letter, then letters"},
		{"a long name", func(tool map[string]any) { tool["name"] = strings.Repeat("a", 41) },
			"more than 40 characters"},
		{"a long description", func(tool map[string]any) { tool["description"] = strings.Repeat("a", 1025) },
			"the description has 1025 characters"},
		{"a schema without properties", schema(`{"type":"object"}`), "properties is no object"},
		{"a schema of a string", schema(`{"type":"string"}`), "the type is not object"},
		{"an output that is an array", func(tool map[string]any) {
			tool["outputSchema"] = json.RawMessage(`{"type":"array"}`)
		},
			"clients throw the whole list away"},
		{"anyOf, inside", schema(`{"type":"object","properties":{"a":{"type":"array","items":{"anyOf":[]}}}}`),
			"anyOf (in a.items): Claude Code drops"},
		{"two types", schema(`{"type":"object","properties":{"a":{"type":["string","null"]}}}`), "type is an array " +
			"(in a): Cursor"},
		{"a reference", schema(`{"type":"object","properties":{"a":{"$ref":"#/$defs/b"}},"$defs":{}}`), "$ref (in " +
			"a): "},
		{"an example", schema(`{"type":"object","properties":{"a":{"type":"string","example":"x"}}}`),
			"example (in a): it is OpenAPI's"},
		{"required null", schema(`{"type":"object","properties":{},"required":null}`), "required is no array"},
		{"required and not there", schema(`{"type":"object","properties":{},"required":["a"]}`),
			"a is required: it is not among"},
		{"a property that is called like a word", schema(`{"type":"object","properties":{"not":{"type":"string"}}}`),
			""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			tool := goodTool("listNotes")
			tt.spoil(tool)
			l.answer["tools/list"] = func(m *incoming) answer { return m.result(map[string]any{"tools": []any{tool}}) }
			list, err := l.connected(Options{}).Tools(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(list.Problems(), "\n")
			if tt.want == "" && all != "" || !strings.Contains(all, tt.want) {
				t.Errorf("problems %q, want %q", all, tt.want)
			}
		})
	}
}

// TestWhatEveryClientTakesIsNoProblem but worth a note.
func TestWhatEveryClientTakesIsNoProblem(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(tool map[string]any)
		want  string
	}{
		{"right", func(map[string]any) {}, ""},
		{"no description", func(tool map[string]any) { delete(tool, "description") }, "there is no description"},
		{"no hints", func(tool map[string]any) { delete(tool, "annotations") }, "openWorldHint is missing: ChatGPT " +
			"wants all"},
		{"much to read", func(tool map[string]any) { tool["title"] = strings.Repeat("a", 20_001) },
			"take much of a model's room: publish fewer tools"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			tool := goodTool("listNotes")
			tt.spoil(tool)
			l.answer["tools/list"] = func(m *incoming) answer { return m.result(map[string]any{"tools": []any{tool}}) }
			list, err := l.connected(Options{}).Tools(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(list.Notes(), "\n")
			if tt.want == "" && all != "" || !strings.Contains(all, tt.want) || len(list.Problems()) > 0 {
				t.Errorf("notes %q, want %q; problems %q", all, tt.want, list.Problems())
			}
		})
	}
}

func TestListsAreReadWhole(t *testing.T) {
	l := newLab(t)
	next := map[string]string{"": "two", "two": ""}
	l.answer["tools/list"] = func(m *incoming) answer {
		cursor, _ := m.Params["cursor"].(string)
		names := map[string]string{"": "list-notes", "two": "List_Notes"}
		return m.result(map[string]any{"tools": []any{goodTool(names[cursor])}, "nextCursor": next[cursor]})
	}
	c := l.connected(Options{})
	list, err := c.Tools(t.Context())
	if err != nil || len(list.Tools) != 2 || !slices.ContainsFunc(list.Problems(), func(problem string) bool {
		return strings.Contains(problem, "2 pages")
	}) || !slices.ContainsFunc(list.Problems(), func(problem string) bool {
		return strings.Contains(problem,
			"for the same")
	}) {
		t.Errorf("%+v %v", list, err)
	}
	next["two"] = "two"
	_, err = c.Tools(t.Context())
	wantError(t, err, "leads to itself")
}
