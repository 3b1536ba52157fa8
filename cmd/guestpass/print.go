//go:build !production

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"guestpass/gpttest"
)

// printer shows the steps of guestpass try, to a person or as JSON lines.
type printer struct {
	out  io.Writer
	json bool
	last string
}

func newPrinter(out io.Writer, asJSON bool) *printer { return &printer{out: out, json: asJSON} }

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
	text := fmt.Sprintf("%s\n%d operations under %s, %d warnings, %d errors", address, len(i.Operations), i.RootDomain, len(i.Warnings), len(i.Errors))
	for _, m := range append(i.Errors, i.Warnings...) {
		text += "\n  " + m.String()
	}
	for _, note := range i.Notes {
		text += "\nnote: " + note
	}
	p.step("import", outcome(i.OK()), map[string]any{"url": address, "operations": operationIDs(i),
		"warnings": texts(i.Warnings), "errors": texts(i.Errors), "notes": append([]string{}, i.Notes...)}, text)
}

// texts are the editor's messages, as an array also when there are none.
func texts(messages []gpttest.Message) []string {
	list := []string{}
	for _, m := range messages {
		list = append(list, m.String())
	}
	return list
}

func (p *printer) configured(a gpttest.Auth, notes []string) {
	text := "Client ID         " + a.ClientID + "\nAuthorization URL " + a.AuthorizationURL + "\nToken URL         " + a.TokenURL + "\nScope             " + a.Scope
	for _, note := range notes {
		text += "\nnote: " + note
	}
	p.step("configure", "ok", map[string]any{"client_id": a.ClientID, "authorization_url": a.AuthorizationURL, "token_url": a.TokenURL, "scope": a.Scope, "notes": append([]string{}, notes...)}, text)
}

// token shows everything of a token reply but the tokens.
func (p *printer) token(name string, t *gpttest.Token) {
	renewable := "no refresh token"
	if t.RefreshToken != "" {
		renewable = "with a refresh token"
	}
	p.step(name, "ok", map[string]any{"token_type": t.TokenType, "expires_in": int(t.ExpiresIn.Seconds()), "scope": t.Scope, "refresh_token": t.RefreshToken != ""},
		fmt.Sprintf("a %s token for %s, %s\ngranted: %s", t.TokenType, t.ExpiresIn, renewable, t.Scope))
}

// called shows one call. In a walk over all operations a long answer is shortened.
func (p *printer) called(op gpttest.Operation, arguments map[string]any, r *gpttest.Result, whole bool) {
	sent, _ := json.Marshal(arguments)
	asks := ""
	if op.Consequential {
		asks = "   (ChatGPT asks the person first)"
	}
	answer := indented(r.Body)
	if !whole {
		answer = shortened(r.Body)
	}
	text := fmt.Sprintf("%s %s%s\n  %d %s", op.ID, sent, asks, r.Status, answer)
	state := outcome(r.Status < 400)
	if r.Status == 403 {
		state = "refused"
	}
	fields := map[string]any{"operation": op.ID, "arguments": arguments, "status": r.Status}
	if json.Valid(r.Body) {
		fields["body"] = json.RawMessage(r.Body)
	} else {
		fields["body"] = string(r.Body)
	}
	p.step("call", state, fields, text)
}

// indented shows JSON as people read it, in the column of the step's text.
func indented(body []byte) string {
	var pretty bytes.Buffer
	if json.Indent(&pretty, bytes.TrimSpace(body), "  ", "  ") != nil {
		return string(body)
	}
	return pretty.String()
}

// shortened is the beginning of an answer, on one line.
func shortened(body []byte) string {
	const most = 200
	text := []rune(string(bytes.TrimSpace(body)))
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
