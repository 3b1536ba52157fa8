//go:build !production

package cli

import (
	"fmt"
	"net/http"
	"strings"

	"guestpass/gpttest"
	"guestpass/mcptest"
)

// discovered shows how the client found out who issues tokens.
func (p *printer) discovered(address string, found *mcptest.Discovery, trace []mcptest.Step) {
	text := address + "\n" + requests(trace) +
		"\nresource  " + found.Resource.Resource +
		"\nissuer    " + found.Issuer.Issuer +
		"\nchallenge " + strings.Join(found.Challenge.Scopes(), " ")
	p.step("discover", "ok", map[string]any{"url": address, "requests": trace, "resource": found.Resource.Resource,
		"issuer": found.Issuer.Issuer, "challenge_scope": strings.Join(found.Challenge.Scopes(), " ")}, text)
}

// trace shows the requests before something went wrong.
func (p *printer) trace(name string, trace []mcptest.Step) {
	p.step(name, outcome(false), map[string]any{"requests": trace}, requests(trace))
}

// requests returns the requests, one a line, each with what decided how the client went on.
func requests(trace []mcptest.Step) string {
	var lines []string
	for _, step := range trace {
		line := step.Request
		if step.Status > 0 {
			line = fmt.Sprintf("%s %d", step.Request, step.Status)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// kinds say how a client became known.
var kinds = map[mcptest.Kind]string{mcptest.Given: "the client id given",
	mcptest.Document:   "the address of its metadata document",
	mcptest.Registered: "registered"}

func (p *printer) identified(identity *mcptest.Identity, scopes []string, note string, trace []mcptest.Step) {
	text := fmt.Sprintf("%s (%s)\nasks for  %s", identity.ClientID, kinds[identity.Kind], strings.Join(scopes, " "))
	if len(trace) > 0 {
		text = requests(trace) + "\n" + text
	}
	notes := []string{}
	if note != "" {
		notes = append(notes, note)
		text += "\nnote: " + note
	}
	p.step("identify", "ok", map[string]any{"client": p.client, "kind": identity.Kind, "client_id": identity.ClientID,
		"scope": strings.Join(scopes, " "), "requests": append([]mcptest.Step{}, trace...), "notes": notes}, text)
}

func (p *printer) connected(server *mcptest.Server, trace []mcptest.Step) {
	var methods []string
	for _, step := range trace {
		if step.Name == "stream" && step.Status == http.StatusMethodNotAllowed { // as a server without one should
			methods = append(methods, fmt.Sprintf("no stream (%d)", step.Status))
			continue
		}
		methods = append(methods, fmt.Sprintf("%s %d", step.Name, step.Status))
	}
	text := fmt.Sprintf("%s\n%s, version %s of the protocol, %d characters of "+
		"instructions", strings.Join(methods, ", "),
		server.Title, server.Version, len([]rune(server.Instructions)))
	p.step("connect", "ok", map[string]any{"version": server.Version, "name": server.Name, "title": server.Title,
		"instructions": server.Instructions, "requests": trace}, text)
}

func (p *printer) listed(list *mcptest.List, operations []gpttest.Operation, unusable []string) {
	text := fmt.Sprintf("%s, %d characters, %s", count(len(list.Tools), "tool"), list.Characters,
		count(len(list.Problems()), "problem"))
	for _, problem := range list.Problems() {
		text += "\n  " + problem
	}
	notes := append([]string{}, list.Notes()...)
	for _, why := range unusable {
		notes = append(notes, "left out: "+why)
	}
	for _, note := range notes {
		text += "\nnote: " + note
	}
	p.step("tools", outcome(len(list.Problems()) == 0), map[string]any{"tools": operationIDs(operations),
		"characters": list.Characters, "problems": append([]string{}, list.Problems()...),
		"notes": notes}, text)
}
