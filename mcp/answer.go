package mcp

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"guestpass/api"
)

// listTime is how long a client may keep a list, in milliseconds. It changes with a new start only.
const listTime = 300_000

// answer carries out a request of somebody who was admitted.
func (s *Server) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, m message) {
	switch {
	case m.method == "tools/call":
		s.call(ctx, w, r, m)
	case m.method == "tools/list":
		if fault := checkCursor(m); fault != nil {
			fail(w, m.id, fault)
			return
		}
		s.succeed(w, m, http.StatusOK, s.list, true)
	case m.method == "server/discover" && m.modern:
		s.succeed(w, m, http.StatusOK, s.discovery, true)
	case m.method == "ping" && !m.modern:
		s.succeed(w, m, http.StatusOK, json.RawMessage(`{}`), false)
	case m.method == "initialize" && !m.modern:
		s.initialize(w, m)
	case strings.HasPrefix(m.method, "resources/") && len(s.widgets) > 0:
		s.answerResources(w, m)
	default:
		unknown(w, m)
	}
}

// unknown refuses a method that there is not, in this era or on this server.
func unknown(w http.ResponseWriter, m message) {
	status := http.StatusOK
	if m.modern {
		status = http.StatusNotFound
	}
	fail(w, m.id, refuse(status, methodNotFound, "there is no such method"))
}

// initialize agrees on a version. Nothing else comes of it.
func (s *Server) initialize(w http.ResponseWriter, m message) {
	version := m.text("protocolVersion")
	if !slices.Contains(legacyVersions, version) {
		version = legacyVersions[0]
	}
	result, err := json.Marshal(map[string]any{"protocolVersion": version, "capabilities": s.capabilities,
		"serverInfo": s.identity(), "instructions": s.instructions})
	if err != nil {
		fail(w, m.id, refuse(http.StatusInternalServerError, -32603, "internal error"))
		return
	}
	s.succeed(w, m, http.StatusOK, result, false)
}

// checkCursor refuses one that was made up: there is one page.
func checkCursor(m message) *rpcError {
	switch string(m.params["cursor"]) {
	case "", "null", `""`:
		return nil
	}
	return refuse(http.StatusOK, invalidParams, "there is no such page: the list has one")
}

// succeed answers with a result, an object that is written already. In the modern era the result itself says that it is
// whole, who sends it, and for a list how long and for whom a client may keep it.
func (s *Server) succeed(w http.ResponseWriter, m message, status int, result json.RawMessage, kept bool) {
	out := append([]byte(`{"jsonrpc":"2.0","id":`), m.id...)
	out = append(out, `,"result":`...)
	if m.modern {
		result = s.modernize(result, kept)
	}
	out = append(append(out, result...), '}', '\n')
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(out) // whoever went away hears nothing
}

// modernize puts what the modern era wants before the members of a result.
func (s *Server) modernize(result json.RawMessage, kept bool) json.RawMessage {
	head := s.modernHead
	if kept {
		head = s.modernListHead
	}
	out := append(json.RawMessage(nil), head...)
	if len(result) > len(`{}`) {
		out = append(out, ',')
	}
	return append(out, result[1:]...)
}

// carriedOut answers with what the operation did. The same JSON is there twice: some clients show a model the
// one, some the other. It is written as it came, which takes half the time of encoding it once more.
func (s *Server) carriedOut(w http.ResponseWriter, m message, body json.RawMessage) {
	text, err := marshal(string(body))
	if err != nil {
		fail(w, m.id, refuse(http.StatusInternalServerError, -32603, "internal error"))
		return
	}
	result := make(json.RawMessage, 0, len(text)+len(body)+100)
	result = append(append(result, `{"content":[{"type":"text","text":`...), text...)
	result = append(append(result, `}],"structuredContent":`...), body...)
	s.succeed(w, m, http.StatusOK, append(result, `,"isError":false}`...), false)
}

// A callResult is what tools/call answers for what was not carried out. It has no structuredContent: that would
// not fit the output schema.
type callResult struct {
	Content []textContent `json:"content"`
	IsError bool          `json:"isError"`
	Meta    *callMeta     `json:"_meta,omitempty"`
}

type textContent struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// callMeta has the challenge where ChatGPT looks for it.
type callMeta struct {
	Challenge []string `json:"mcp/www_authenticate,omitempty"`
}

func failed(text string) callResult {
	return callResult{Content: []textContent{{"text", text}}, IsError: true}
}

// call carries out a tool. Only a tool that does not exist is an error of the protocol. A model can mend wrong
// arguments, so it is told what is wrong with them.
func (s *Server) call(ctx context.Context, w http.ResponseWriter, r *http.Request, m message) {
	t := s.tools[m.text("name")]
	if t == nil {
		fail(w, m.id, refuse(http.StatusOK, invalidParams, "there is no such tool; see tools/list"))
		return
	}
	caller := api.CallerOf(ctx)
	if caller != nil { // also if it is not carried out
		caller.Operation = t.Name
	}
	arguments, wrong := t.arguments(m.params["arguments"])
	if wrong != "" {
		if caller != nil {
			caller.Status = http.StatusUnprocessableEntity
		}
		s.result(w, m, http.StatusOK,
			failed(problemText(api.Problem{Status: http.StatusUnprocessableEntity, Detail: wrong})))
		return
	}
	reply := s.options.Service.Invoke(ctx, api.Call{Operation: t.Name, Arguments: arguments, Header: r.Header})
	switch challenge := reply.Header.Get("WWW-Authenticate"); {
	case reply.Status < 300:
		if len(reply.Body) == 0 {
			reply.Body = json.RawMessage(`{"ok":true}`)
		}
		s.carriedOut(w, m, trimmed(reply.Body))
	// a token that was good a moment ago; a text would not have it renewed
	case reply.Status == http.StatusUnauthorized:
		s.deny(w, m.id, &reply)
	// one family of clients reads the header, one the result
	case reply.Status == http.StatusForbidden && challenge != "":
		w.Header().Set("WWW-Authenticate", challenge)
		out := failed(replyText(reply))
		out.Meta = &callMeta{Challenge: []string{challenge +
			`, error_description="The person has not granted what this tool needs"`}}
		s.result(w, m, http.StatusForbidden, out)
	default:
		s.result(w, m, http.StatusOK, failed(replyText(reply)))
	}
}

func (s *Server) result(w http.ResponseWriter, m message, status int, result callResult) {
	text, err := marshal(result)
	if err != nil {
		fail(w, m.id, refuse(http.StatusInternalServerError, -32603, "internal error"))
		return
	}
	s.succeed(w, m, status, text, false)
}

// replyText tells a model what a problem says that it can act on.
func replyText(reply api.Reply) string {
	var p api.Problem
	if json.Unmarshal(reply.Body, &p) != nil || p.Detail == "" {
		p = api.Problem{Detail: http.StatusText(reply.Status)}
	}
	p.Status = reply.Status
	if p.Status < http.StatusInternalServerError { // else whoever runs the server is asked for it
		p.RequestID, p.TraceID = "", ""
	}
	if wait := reply.Header.Get("Retry-After"); wait != "" {
		p.Hint += " Retry-After: " + wait + " seconds."
	}
	return problemText(p)
}

func problemText(p api.Problem) string {
	told := toldProblem{p.Status, p.Detail, p.Hint, flat(p.Errors), p.Current, p.Quota, p.RequestID, p.TraceID}
	text, err := marshal(map[string]any{"error": told})
	if err != nil {
		return p.Detail
	}
	return string(text)
}

// flat names inputs as the tool does: an argument has no place in a request.
func flat(errors []api.FieldProblem) (named []api.FieldProblem) {
	for _, e := range errors {
		for _, place := range []string{"body.", "query.", "path."} {
			if name, found := strings.CutPrefix(e.Location, place); found {
				e.Location = name
				break
			}
		}
		named = append(named, e)
	}
	return named
}

type toldProblem struct {
	Status    int                `json:"code"`
	Message   string             `json:"message"`
	Hint      string             `json:"hint,omitempty"`
	Errors    []api.FieldProblem `json:"errors,omitempty"`
	Current   any                `json:"current,omitempty"`
	Quota     *api.QuotaProblem  `json:"quota,omitempty"`
	RequestID string             `json:"request_id,omitempty"`
	TraceID   string             `json:"trace_id,omitempty"`
}
