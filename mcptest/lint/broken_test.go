package lint

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass/mcptest"
)

// brokenServer is one way to break each rule, and nothing else.
type brokenServer struct {
	rule    string
	spoil   func(*lab)
	options func(*lab, *Options)
}

// The parts of which the table is made.

type wrongly = func(w http.ResponseWriter, r *http.Request, m *incoming) bool

func answering(answer wrongly) func(*lab) { return func(l *lab) { l.wrong = answer } }

// toPath answers a path.
func toPath(path string, status int, body any) func(*lab) {
	return answering(func(w http.ResponseWriter, r *http.Request, _ *incoming) bool {
		if r.URL.Path != path {
			return false
		}
		reply(w, status, body)
		return true
	})
}

// toMethod answers a method of HTTP at the server itself.
func toMethod(method, accept string, status int, header ...string) func(*lab) {
	return answering(func(w http.ResponseWriter, r *http.Request, _ *incoming) bool {
		if r.URL.Path != "/mcp" || r.Method != method || accept != "" && r.Header.Get("Accept") != accept {
			return false
		}
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		reply(w, status, map[string]any{})
		return true
	})
}

// toHeader answers messages by a header.
func toHeader(name, value string, status, code int) func(*lab) {
	return answering(func(w http.ResponseWriter, r *http.Request, m *incoming) bool {
		if r.Method != http.MethodPost || r.Header.Get(name) != value {
			return false
		}
		refuseMessage(w, m, status, code)
		return true
	})
}

// pretends changes a header before the lab sees it.
func pretends(name, value, instead string) func(*lab) {
	return answering(func(_ http.ResponseWriter, r *http.Request, _ *incoming) bool {
		if r.Method == http.MethodPost && r.Header.Get(name) == value {
			r.Header.Del(name)
			if instead != "" {
				r.Header.Set(name, instead)
			}
		}
		return false
	})
}

// toMessage answers messages that are so.
func toMessage(is func(m *incoming) bool, answer func(w http.ResponseWriter, m *incoming)) func(*lab) {
	return answering(func(w http.ResponseWriter, r *http.Request, m *incoming) bool {
		if r.Method != http.MethodPost || r.URL.Path != "/mcp" || !is(m) ||
			r.Header.Get("Authorization") != "Bearer "+goodToken {
			return false
		}
		answer(w, m)
		return true
	})
}

func method(name string) func(m *incoming) bool {
	return func(m *incoming) bool { return m.Method == name }
}

func body(text string) func(m *incoming) bool {
	return func(m *incoming) bool { return m.body == text }
}

func id(text string) func(m *incoming) bool {
	return func(m *incoming) bool { return string(m.ID) == text }
}

func calls(tool string, is func(arguments map[string]any) bool) func(m *incoming) bool {
	return func(m *incoming) bool { return m.Method == "tools/call" && m.name() == tool && is(m.arguments()) }
}

func without(name string) func(map[string]any) bool {
	return func(arguments map[string]any) bool { _, there := arguments[name]; return !there }
}

func refuses(status, code int) func(http.ResponseWriter, *incoming) {
	return func(w http.ResponseWriter, m *incoming) { refuseMessage(w, m, status, code) }
}

func answers(result any) func(http.ResponseWriter, *incoming) {
	return func(w http.ResponseWriter, m *incoming) { rpcResult(w, m, 200, result) }
}

func plain(status int, text string) func(http.ResponseWriter, *incoming) {
	return func(w http.ResponseWriter, _ *incoming) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

const (
	asJSON = "application/json"
	pong   = `{"jsonrpc":"2.0","id":1,"result":{}}`
)

// written answers a body as it stands, "" for no type.
func written(kind, text string) func(http.ResponseWriter, *incoming) {
	return func(w http.ResponseWriter, _ *incoming) {
		w.Header()["Content-Type"] = nil
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		_, _ = w.Write([]byte(text))
	}
}

// input gives addNote, which is not called, another schema.
func input(schema string) func(*lab) {
	return func(l *lab) { l.tool(addNote)["inputSchema"] = schemaOf(schema) }
}

func property(schema string) func(*lab) {
	return input(`{"type":"object","properties":{"text":` + schema + `},"additionalProperties":false}`)
}

func toolOf(name string, change func(tool map[string]any)) func(*lab) {
	return func(l *lab) { change(l.tool(name)) }
}

// results changes what a method answers.
func results(name string, change func(m *incoming, result map[string]any)) func(*lab) {
	return func(l *lab) {
		l.spoil = func(m *incoming, result map[string]any) {
			if m.Method == name && result["isError"] == nil {
				change(m, result)
			}
		}
	}
}

func answersNotes(notes any) func(m *incoming, result map[string]any) {
	return func(_ *incoming, result map[string]any) {
		structured := map[string]any{"notes": notes}
		text, _ := json.Marshal(structured)
		result["structuredContent"] = structured
		result["content"] = []any{map[string]any{"type": "text", "text": string(text)}}
	}
}

func page(change func(widget, ui map[string]any)) func(*lab) {
	return func(l *lab) { change(l.widget, l.widget["_meta"].(map[string]any)["ui"].(map[string]any)) }
}

func isModern(m *incoming) bool {
	about, _ := m.Params["_meta"].(map[string]any)
	return about[metaPrefix+"protocolVersion"] != nil
}

// person allows everything.
type person struct{}

func (person) Visit(_ context.Context, authorizeURL, redirectURI string) (*url.URL, error) {
	u, err := url.Parse(authorizeURL)
	if err != nil {
		return nil, err
	}
	return url.Parse(redirectURI + "?code=c&state=" + url.QueryEscape(u.Query().Get("state")))
}

// signsInAs signs in as a client does.
func (l *lab) signsIn(o *Options) {
	c := mcptest.New(l.url, mcptest.Options{})
	_, err := c.Discover(l.t.Context())
	if err == nil {
		_, err = c.Identify(l.t.Context(), labCallback)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	grant, err := c.Authorize(l.t.Context(), labCallback, person{})
	if err == nil {
		_, err = c.Exchange(l.t.Context(), grant)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	o.Client, o.SignedIn = c, true
}

var brokenServers = []brokenServer{
	{"M001", func(l *lab) {
		l.challenge = `Bearer resource_metadata="` + l.URL + `/meta", scope="notes:read"`
		l.wrong = func(w http.ResponseWriter, r *http.Request, _ *incoming) bool {
			switch r.URL.Path {
			case wellKnown + "/mcp":
				reply(w, 404, map[string]any{})
			case "/meta":
				reply(w, 200, l.metadata)
			default:
				return false
			}
			return true
		}
	}, nil},
	{"M002", func(l *lab) { l.metadata["resource"] = l.URL }, nil},
	{"M003", toPath(wellKnown, 200, map[string]any{"resource": "https://other.example"}), nil},
	{"M004", func(l *lab) { delete(l.issuer, "token_endpoint") }, nil},
	{"M005", func(l *lab) { l.issuer["issuer"] = l.URL + "/as/" }, nil},
	{"M006", func(l *lab) { l.metadata["authorization_servers"] = []string{l.URL + "/as", l.URL + "/other"} }, nil},
	{"M007", func(l *lab) { l.issuer["code_challenge_methods_supported"] = []string{"plain"} }, nil},
	{"M008", func(l *lab) {
		delete(l.issuer, "registration_endpoint")
		delete(l.issuer, "client_id_metadata_document_supported")
	}, nil},
	{"M009", func(l *lab) {
		l.issuer["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
	}, nil},
	{"M010", answering(func(w http.ResponseWriter, r *http.Request, m *incoming) bool {
		bare := r.URL.Path == "/mcp" && r.Method == http.MethodPost && r.Header.Get("Authorization") == ""
		if bare {
			refuseMessage(w, m, 401, invalidRequest)
		}
		return bare
	}), nil},
	{"M011", func(l *lab) { l.challenge = `Bearer scope="notes:read"` }, nil},
	{"M012", func(l *lab) { l.challenge += `, error="invalid_token"` }, nil},
	{"M013", func(l *lab) {
		l.challenge = strings.Replace(l.challenge, "scope", "realm", 1)
		delete(l.metadata, "scopes_supported")
	}, nil},
	{"M014", func(l *lab) { l.metadata["scopes_supported"] = []string{"notes:read", "offline_access"} }, nil},
	{"M015", answering(func(w http.ResponseWriter, r *http.Request, m *incoming) bool {
		ping := m.Method == "ping" && r.Header.Get("Authorization") == ""
		if ping {
			rpcResult(w, m, 200, map[string]any{})
		}
		return ping
	}), nil},
	{"M016", toHeader("Authorization", "Basic Z3Vlc3Q6cGFzcw==", 400, invalidRequest), nil},
	{"M017", pretends("Authorization", "Bearer guestpass-lint-no-token", ""), nil},
	{"M018", func(l *lab) {
		l.wrong = func(w http.ResponseWriter, r *http.Request, _ *incoming) bool {
			if r.URL.Path == wellKnown+"/mcp" {
				w.Header().Del("Access-Control-Allow-Origin")
			}
			return false
		}
	}, nil},
	{"M019", answering(func(w http.ResponseWriter, r *http.Request, _ *incoming) bool {
		head := r.Method == http.MethodHead && r.URL.Path != "/mcp"
		if head {
			w.WriteHeader(405)
		}
		return head
	}), nil},
	{"M020", answering(func(w http.ResponseWriter, r *http.Request, _ *incoming) bool {
		page := r.URL.Path == "/.well-known/openid-configuration"
		if page {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>"))
		}
		return page
	}), nil},
	{"M021", toPath("/.well-known/oauth-authorization-server", 200, map[string]any{"issuer": "https://other.example"}),
		nil},
	{"M022", toPath("/register", 201, map[string]any{"client_id": "x"}), nil},
	{"M023", func(*lab) {}, func(_ *lab, o *Options) { o.SignIn = errors.New("the page is empty") }},
	{"M024", func(*lab) {}, func(_ *lab, o *Options) { o.SignIn = &mcptest.IssuerError{Problem: "another iss"} }},
	{"M025", func(*lab) {}, func(l *lab, o *Options) {
		l.signsIn(o)
		toPath("/as/token", 400, map[string]any{"error": "invalid_grant"})(l)
	}},
	{"M026", pretends("Authorization", "bearer "+goodToken, "Bearer x"), nil},
	{"M027", func(l *lab) { l.issuer["authorization_endpoint"] = "/authorize" }, nil},
	{"M027", func(l *lab) { l.issuer["token_endpoint"] = "ldap://as.example/token" }, nil},
	{"M027", func(l *lab) { l.issuer["response_types_supported"] = []string{"token"} }, nil},
	{"M027", func(l *lab) { l.issuer["grant_types_supported"] = []string{"client_credentials"} }, nil},
	{"M028", toMessage(calls(listNotes, func(map[string]any) bool { return true }), refuses(403, invalidRequest)), nil},
	{"M030", answering(func(_ http.ResponseWriter, r *http.Request, m *incoming) bool {
		if m.Method == "ping" && r.Header.Get("Authorization") != "" {
			<-r.Context().Done()
			return true
		}
		return false
	}), func(_ *lab, o *Options) { o.Time = time.Second }},
	{"M030", toMessage(method("ping"), written("text/event-stream", "event: foo\ndata: "+pong+"\n\n")), nil},
	{"M030", toMessage(method("ping"), written("text/event-stream", "data: "+pong+"\n")), nil},
	{"M031", toMethod("POST", "", 307, "Location", "https://other.example/mcp"), nil},
	{"M032", toMethod("GET", "text/event-stream", 404), nil},
	{"M033", toMethod("GET", "text/html", 400), nil},
	{"M034", toMethod("DELETE", "", 401, "WWW-Authenticate", "Bearer"), nil},
	{"M035", answering(func(w http.ResponseWriter, r *http.Request, _ *incoming) bool {
		slash := r.URL.Path == "/mcp/"
		if slash {
			http.Redirect(w, r, "/mcp", http.StatusPermanentRedirect)
		}
		return slash
	}), nil},
	{"M036", toMethod("OPTIONS", "", 405), nil},
	{"M037", answering(func(w http.ResponseWriter, r *http.Request, m *incoming) bool {
		if m.body == "{" {
			w.Header().Del("Access-Control-Allow-Origin")
		}
		return false
	}), nil},
	{"M038", pretends("Origin", "https://guestpass-lint.example", ""), nil},
	{"M039", toHeader("Origin", "http://localhost:6274", 403, invalidRequest), nil},
	{"M040", toHeader("Accept", "application/json", 406, invalidRequest), nil},
	{"M041", toHeader("Content-Type", "application/json; charset=utf-8", 415, invalidRequest), nil},
	{"M042", pretends("Content-Type", "text/plain", "application/json"), nil},
	{"M043", toMessage(method("notifications/initialized"), plain(200, "ok")), nil},
	{"M044", toMessage(method("notifications/roots/list_changed"), plain(400, "unknown")), nil},
	{"M045", toMessage(func(m *incoming) bool { return m.Method == "guestpass/no-such-method" && !isModern(m) },
		refuses(400, methodNotFound)), nil},
	{"M046", toMessage(method("ping"), refuses(200, methodNotFound)), nil},
	{"M046", toMessage(method("ping"), answers(nil)), nil},
	{"M046", toMessage(method("ping"), answers("pong")), nil},
	{"M047", toMessage(func(m *incoming) bool { return strings.HasPrefix(m.body, "[") }, plain(200, "[]")), nil},
	{"M048", toMessage(id(`"abc"`), func(w http.ResponseWriter, m *incoming) {
		m.ID = json.RawMessage("1")
		rpcResult(w, m, 200, map[string]any{"tools": []any{}})
	}), nil},
	{"M049", toMessage(id(`1.5`), answers(map[string]any{"tools": []any{}})), nil},
	{"M050", toMessage(body("7"), plain(400, "no message")), nil},
	{"M051", toMessage(func(m *incoming) bool { return strings.Count(m.body, `"method"`) > 1 },
		answers(map[string]any{"tools": []any{}})), nil},
	{"M052", answering(func(w http.ResponseWriter, r *http.Request, m *incoming) bool {
		if m.Method == "initialize" && r.Header.Get("Authorization") != "" {
			w.Header().Set(headerSession, "a-session")
		}
		return false
	}), nil},
	{"M053", toHeader(headerSession, "guestpass-lint-stale-session", 400, invalidRequest), nil},
	{"M054", toHeader("Last-Event-Id", "guestpass-lint", 400, invalidRequest), nil},
	{"M055", toHeader(headerVersion, "2024-11-05", 400, invalidRequest), nil},
	{"M056", pretends(headerVersion, "2099-01-01", legacyVersion), nil},
	{"M057", toMessage(func(m *incoming) bool { return m.Params["protocolVersion"] == "1.0" },
		refuses(200, invalidParams)), nil},
	{"M058", toMessage(method("ping"), plain(200, pong)), nil},
	{"M058", toMessage(method("ping"), written("", pong)), nil},
	{"M058", toMessage(method("ping"), written(asJSON, `{"jsonrpc":"2.0","id":1,"result":{},"error":null}`)), nil},
	{"M058", toMessage(method("ping"), written(asJSON, `{"jsonrpc":"2.0","id":1,"result":{},"more":1}`)), nil},
	{"M058", toMessage(method("ping"), written(asJSON, `{"jsonrpc":"2.0","id":1,"Result":{}}`)), nil},
	{"M059", func(l *lab) { delete(l.about["serverInfo"].(map[string]any), "version") }, nil},
	{"M059", func(l *lab) { l.about["capabilities"].(map[string]any)["resources"] = nil }, nil},
	{"M059", func(l *lab) { l.about["serverInfo"] = map[string]any{} }, nil},
	{"M060", func(l *lab) { l.modern = false }, nil},
	{"M061", toMessage(method("server/discover"), plain(500, "crash")), nil},
	{"M062", pretends("Mcp-Method", "ping", "tools/list"), nil},
	{"M063", answering(func(w http.ResponseWriter, r *http.Request, m *incoming) bool {
		encoded := strings.HasPrefix(r.Header.Get("Mcp-Name"), "=?base64?")
		if encoded {
			refuseMessage(w, m, 400, headerMismatch)
		}
		return encoded
	}), nil},
	{"M064", toMessage(func(m *incoming) bool {
		about, _ := m.Params["_meta"].(map[string]any)
		return isModern(m) && about[metaPrefix+"clientCapabilities"] == nil
	}, answers(map[string]any{"tools": []any{}})), nil},
	{"M065", results("server/discover", func(_ *incoming, result map[string]any) {
		delete(result, "resultType")
	}), nil},
	{"M066", toMessage(func(m *incoming) bool { return m.Method == "guestpass/no-such-method" && isModern(m) },
		refuses(200, methodNotFound)), nil},
	{"M067", results("tools/list", func(m *incoming, result map[string]any) {
		if isModern(m) {
			result["cacheScope"] = "public"
		}
	}), nil},
	{"M068", results("tools/list", func(_ *incoming, result map[string]any) { result["nextCursor"] = "two" }), nil},
	{"M069", results("tools/list", func(_ *incoming, result map[string]any) { result["nextCursor"] = nil }), nil},
	{"M069", toolOf(addNote, func(tool map[string]any) { tool["icons"] = nil }), nil},
	{"M069", toolOf(addNote, func(tool map[string]any) { tool["_meta"] = nil }), nil},
	{"M069", func(l *lab) {
		tool := l.tool(addNote)
		tool["Name"] = addNote
		delete(tool, "name")
	}, nil},
	{"M070", input(`{"type":"array","properties":{},"additionalProperties":false}`), nil},
	{"M071", input(`{"type":"object","additionalProperties":false}`), nil},
	{"M072", property(`{"anyOf":[{"type":"string"}]}`), nil},
	{"M073", property(`{"type":["string","null"]}`), nil},
	{"M074", input(`{"type":"object","properties":{"text":{"$ref":"#/$defs/t"}},"$defs":{"t":{"type":"string"}},` +
		`"additionalProperties":false}`), nil},
	{"M075", input(`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{},` +
		`"additionalProperties":false}`), nil},
	{"M076", property(`{"type":"string","example":"x"}`), nil},
	{"M077", input(`{"type":"object","properties":{},"required":["text"],"additionalProperties":false}`), nil},
	{"M078", property(`{"type":"text"}`), nil},
	{"M079", property(`{"type":"string","format":"uri"}`), nil},
	{"M080", toolOf(addNote, func(tool map[string]any) { tool["name"] = "add.note" }), nil},
	{"M081", toolOf(addNote, func(tool map[string]any) { tool["name"] = strings.Repeat("a", 41) }), nil},
	{"M082", toolOf(addNote, func(tool map[string]any) { tool["name"] = "LISTNOTES" }), nil},
	{"M083", toolOf(addNote, func(tool map[string]any) { delete(tool, "description") }), nil},
	{"M084", toolOf(addNote, func(tool map[string]any) { tool["description"] = strings.Repeat("a", 1025) }), nil},
	{"M085", func(l *lab) { delete(l.about, "instructions") }, nil},
	{"M086", toolOf(addNote, func(tool map[string]any) { tool["title"] = strings.Repeat("a", 20_001) }), nil},
	{"M087", func(l *lab) {
		results("tools/list", func(_ *incoming, result map[string]any) {
			result["tools"], result["nextCursor"] = l.tools[:1], "two"
		})(l)
		toMessage(func(m *incoming) bool { return m.Params["cursor"] == "two" },
			func(w http.ResponseWriter, m *incoming) { answers(map[string]any{"tools": l.tools[1:]})(w, m) })(l)
	}, nil},
	{"M088", toMessage(func(m *incoming) bool { return m.Params["cursor"] == "guestpass-lint" },
		answers(map[string]any{"tools": []any{}})), nil},
	{"M089", toolOf(addNote, func(tool map[string]any) {
		tool["annotations"] = map[string]any{"readOnlyHint": false, "destructiveHint": false}
	}), nil},
	{"M090", toolOf(addNote, func(tool map[string]any) {
		tool["annotations"] = map[string]any{"readOnlyHint": true, "destructiveHint": true, "openWorldHint": false}
	}), nil},
	{"M091", toolOf(addNote, func(tool map[string]any) { delete(tool, "title") }), nil},
	{"M092", results("tools/list", func(_ *incoming, result map[string]any) {
		tools := result["tools"].([]any)
		slices.Reverse(tools)
	}), nil},
	{"M093", func(l *lab) {
		l.about["capabilities"] = map[string]any{"tools": map[string]any{"listChanged": true},
			"resources": map[string]any{}}
	}, nil},
	{"M094", toolOf(addNote, func(tool map[string]any) { delete(tool, "securitySchemes") }), nil},
	{"M099", toolOf(listNotes, func(tool map[string]any) { delete(tool, "outputSchema") }), nil},
	{"M095", property(`{"type":"string","enum":[]}`), nil},
	{"M095", property(`{"type":"integer","minimum":5,"maximum":1}`), nil},
	{"M095", func(l *lab) {
		l.tool(getNote)["inputSchema"] = schemaOf(`{"type":"object","properties":{"id":{"type":"string",` +
			`"pattern":"^(?=a)b$"}},"required":["id"],"additionalProperties":false}`)
	}, nil},
	{"M096", toolOf(addNote, func(tool map[string]any) {
		tool["outputSchema"] = schemaOf(`{"type":"object","properties":{},"additionalProperties":false}`)
	}), nil},
	{"M097", input(`{"type":"object","properties":{}}`), nil},
	{"M098", toMessage(calls(getNote, func(arguments map[string]any) bool { return arguments["id"] != nil }),
		plain(500, "crash")), nil},
	{"M100", toMessage(func(m *incoming) bool { return m.name() == listNotes && m.Params["arguments"] == nil },
		answers(toolError("arguments are missing"))), nil},
	{"M101", toMessage(calls(listNotes, func(arguments map[string]any) bool {
		value, there := arguments["limit"]
		return there && value == nil
	}), answers(toolError("limit is no number"))), nil},
	{"M102", toMessage(calls(listNotes, func(arguments map[string]any) bool { return arguments["limit"] == "5" }),
		answers(toolError("invalid"))), nil},
	{"M103", toMessage(func(m *incoming) bool { return m.Params["arguments"] == "{}" }, plain(500, "crash")), nil},
	{"M104", answering(func(_ http.ResponseWriter, _ *http.Request, m *incoming) bool {
		delete(m.arguments(), "guestpass_lint_unknown")
		return false
	}), nil},
	{"M105", toMessage(calls(getNote, without("id")), refuses(200, invalidParams)), nil},
	{"M106", toMessage(func(m *incoming) bool { return m.name() == "guestpass_lint_no_such_tool" && !isModern(m) },
		answers(toolError("unknown tool"))), nil},
	{"M107", toMessage(calls(getNote, without("id")), answers(toolError("no"))), nil},
	{"M108", toMessage(calls(getNote, without("id")), func(w http.ResponseWriter, m *incoming) {
		result := toolError("id is missing")
		result["structuredContent"] = map[string]any{}
		rpcResult(w, m, 200, result)
	}), nil},
	{"M109", results("tools/call", answersNotes("none")), nil},
	{"M110", results("tools/call", func(_ *incoming, result map[string]any) {
		result["content"] = []any{map[string]any{"type": "text", "text": "1 note"}}
	}), nil},
	{"M111", func(l *lab) {
		delete(l.tool(listNotes), "outputSchema")
		results("tools/call", func(m *incoming, result map[string]any) {
			if m.name() == listNotes {
				delete(result, "structuredContent")
				result["content"] = []any{}
			}
		})(l)
	}, nil},
	{"M112", results("tools/call", answersNotes([]any{map[string]any{"text": strings.Repeat("a", maxResult)}})), nil},
	{"M113", toMessage(func(m *incoming) bool {
		about, _ := m.Params["_meta"].(map[string]any)
		return about["guestpass.example/unknown"] != nil
	}, answers(toolError("_meta"))), nil},
	{"M114", results("tools/call", func(_ *incoming, result map[string]any) { result["isError"] = nil }), nil},
	{"M114", results("tools/call", func(_ *incoming, result map[string]any) { result["isError"] = "true" }), nil},
	{"M114", results("tools/call", func(_ *incoming, result map[string]any) { result["content"] = "hello" }), nil},
	{"M114", results("tools/call", func(_ *incoming, result map[string]any) {
		result["content"] = []any{map[string]any{"type": "json"}}
	}), nil},
	{"M114", results("tools/call", func(_ *incoming, result map[string]any) {
		result["content"] = []any{map[string]any{"type": "text"}}
	}), nil},
	{"M114", results("tools/call", func(_ *incoming, result map[string]any) {
		result["content"] = append(result["content"].([]any), map[string]any{"type": "image"})
	}), nil},
	{"M120", toMessage(func(m *incoming) bool { return m.Method == "resources/read" && m.Params["uri"] != widgetURI },
		answers(map[string]any{"contents": []any{}})), nil},
	{"M121", page(func(widget, _ map[string]any) { widget["uri"] = "ui://lab/another.html" }), nil},
	{"M122", page(func(widget, _ map[string]any) { widget["mimeType"] = "text/html" }), nil},
	{"M123", page(func(_, ui map[string]any) { delete(ui, "csp") }), nil},
	{"M124", page(func(_, ui map[string]any) { ui["domain"] = "https://notes.example" }), nil},
	{"M125", toolOf(listNotes, func(tool map[string]any) {
		delete(tool["_meta"].(map[string]any), "openai/outputTemplate")
	}), nil},
	{"M126", page(func(widget, _ map[string]any) {
		widget["text"] = `<!doctype html><script src="https://cdn.example/x.js"></script>`
	}), nil},
}

// TestEachRuleIsBrokenByOneServer: a rule that no server breaks says nothing, and one that breaks with another is not
// told from it.
func TestEachRuleIsBrokenByOneServer(t *testing.T) {
	tested := []string{}
	for _, tt := range brokenServers {
		tested = append(tested, tt.rule)
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			tt.spoil(l)
			o := l.options()
			if tt.options != nil {
				tt.options(l, &o)
			}
			r := l.check(o)
			if got := strings.Join(brokenRules(r), " "); got != tt.rule {
				t.Errorf("broken are %q\n%s", got, listed(r))
			}
		})
	}
	for _, rule := range Rules() {
		if !slices.Contains(tested, rule.ID) {
			t.Errorf("no server breaks %s", rule.ID)
		}
	}
}
