//go:build !production

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"guestpass/gpttest"
)

// printer shows the steps of guestpass try, to a person or as JSON lines.
type printer struct {
	out    io.Writer
	json   bool
	client string // that is played: "ChatGPT"
	source string // of the operations: "document"
	last   string
}

func newPrinter(out io.Writer, asJSON bool) *printer {
	return &printer{out: out, json: asJSON, client: "ChatGPT", source: "document"}
}

// step prints one step. Fields are for machines, the text for people.
func (p *printer) step(name, outcome string, fields map[string]any, text string) {
	if p.json {
		line := map[string]any{"step": name, "outcome": outcome}
		for key, value := range fields {
			line[key] = value
		}
		_ = json.NewEncoder(p.out).Encode(line)
		return
	}
	label := name
	if p.last == name {
		label = ""
	}
	p.last = name
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(p.out, "%-11s%s\n", label, line)
	}
}

func (p *printer) imported(address string, i *gpttest.Imported) {
	text := fmt.Sprintf("%s\n%d operations under %s, %d warnings, %d "+
		"errors", address, len(i.Operations), i.RootDomain, len(i.Warnings), len(i.Errors))
	for _, m := range append(i.Errors, i.Warnings...) {
		text += "\n  " + m.String()
	}
	for _, note := range i.Notes {
		text += "\nnote: " + note
	}
	p.step("import", outcome(i.OK()), map[string]any{"url": address, "operations": operationIDs(i.Operations),
		"warnings": texts(i.Warnings), "errors": texts(i.Errors), "notes": append([]string{}, i.Notes...)}, text)
}

// texts returns the editor's messages, as an empty array if there are none.
func texts(messages []gpttest.Message) []string {
	list := []string{}
	for _, m := range messages {
		list = append(list, m.String())
	}
	return list
}

func (p *printer) configured(a gpttest.Auth, notes []string) {
	text := "Client ID         " + a.ClientID + "\nAuthorization URL " + a.AuthorizationURL + "\nToken URL         " +
		a.TokenURL + "\nScope             " + a.Scope
	for _, note := range notes {
		text += "\nnote: " + note
	}
	p.step("configure", "ok", map[string]any{"client_id": a.ClientID, "authorization_url": a.AuthorizationURL,
		"token_url": a.TokenURL, "scope": a.Scope, "notes": append([]string{}, notes...)}, text)
}

// token shows everything of a token reply except the tokens.
func (p *printer) token(name string, t *gpttest.Token) {
	renewable := "no refresh token"
	if t.RefreshToken != "" {
		renewable = "with a refresh token"
	}
	p.step(name, "ok", map[string]any{"token_type": t.TokenType, "expires_in": int(t.ExpiresIn.Seconds()),
		"scope": t.Scope, "refresh_token": t.RefreshToken != ""},
		fmt.Sprintf("a %s token for %s, %s\ngranted: %s", t.TokenType, t.ExpiresIn, renewable, t.Scope))
}

// called shows one call. In a walk over all operations it shortens a long answer, but never a refusal: the fault may
// stand anywhere in it.
func (p *printer) called(op gpttest.Operation, arguments map[string]any, r *reply, whole bool) {
	sent, _ := json.Marshal(arguments)
	asks := ""
	if op.Consequential {
		asks = "   (" + p.client + " asks the person first)"
	}
	fields := map[string]any{"operation": op.ID, "arguments": arguments, "status": r.Status, "body": string(r.Body)}
	if json.Valid(r.Body) {
		fields["body"] = json.RawMessage(r.Body)
	}
	text := fmt.Sprintf("%s %s%s\n  %s %s", op.ID, sent, asks, r.shown, shortened(r.Body))
	if whole || r.Status >= 300 {
		text = fmt.Sprintf("%s %s%s\n  %s %s", op.ID, sent, asks, r.shown, indented(r.Body))
	}
	if r.Status >= 300 {
		for _, name := range tellingHeaders {
			if value := strings.Join(r.Header.Values(name), ", "); value != "" &&
				!bytes.Contains(r.Body, []byte(value)) {
				fields[strings.ToLower(name)] = value
				text += "\n  " + name + ": " + value
			}
		}
	}
	answer := judged(op, r.Result)
	if answer.problem != "" {
		fields["note"] = answer.problem
		text += "\n  note: " + answer.problem
	}
	state := outcome(r.Status < 300 && !answer.unreadable)
	if r.Status == http.StatusForbidden {
		state = "refused"
	}
	p.step("call", state, fields, text)
}

// tellingHeaders say more of a refusal than its body.
var tellingHeaders = []string{"WWW-Authenticate", "Location", "Retry-After", "Allow", "X-Request-Id"}

// An answer is what came back, compared with the document.
type answer struct {
	problem    string // what an answer that went well has in it, or lacks
	unreadable bool   // JSON was declared, and something else came, such as a page to sign in
}

func judged(op gpttest.Operation, r *gpttest.Result) answer {
	if r.Status >= 300 {
		return answer{}
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(r.Body))
	decoder.UseNumber()
	isJSON, schema := decoder.Decode(&value) == nil, op.Reply(r.Status)
	switch undeclared := !op.Expects(r.Status); {
	case undeclared && len(bytes.TrimSpace(r.Body)) > 0 && !isJSON && op.AnswersJSON():
		return answer{fmt.Sprintf("the document declares the status %s with JSON; %d came, and the answer is not JSON",
			strings.Join(op.Successes(), " or "), r.Status), true}
	case undeclared && len(op.Successes()) > 0:
		return answer{problem: fmt.Sprintf("the document declares the status %s, and %d came",
			strings.Join(op.Successes(), " or "), r.Status)}
	case undeclared:
		return answer{problem: fmt.Sprintf("the document declares no answer with the status %d", r.Status)}
	case schema == nil:
		return answer{}
	case !isJSON:
		return answer{"the answer is not JSON, and is declared to be", true}
	}
	if err := schema.Validate(value); err != nil {
		return answer{problem: "the answer is not what is declared: " + err.Error()}
	}
	return answer{}
}

// indented shows JSON as people read it, in the column of the step's text, and anything
// else as it is.
func indented(body []byte) string {
	var pretty bytes.Buffer
	if json.Indent(&pretty, bytes.TrimSpace(body), "  ", "  ") != nil {
		return strings.ReplaceAll(string(bytes.TrimSpace(body)), "\n", "\n  ")
	}
	return pretty.String()
}

// shortened returns the beginning of an answer, on one line.
func shortened(body []byte) string {
	const most = 200
	var compact bytes.Buffer
	if json.Compact(&compact, body) != nil {
		compact.Reset()
		compact.WriteString(strings.Join(strings.Fields(string(body)), " "))
	}
	text := []rune(compact.String())
	if len(text) <= most {
		return string(text)
	}
	return string(text[:most]) + "…"
}

func outcome(ok bool) string {
	if ok {
		return "ok"
	}
	return "failed"
}
