package gpttest

import (
	"crypto/sha1" // #nosec G505 -- the editor shows a SHA-1; nothing is protected with it
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

// debugRecord collects the lines that the editor's preview shows of one call
// (class C). They hold arguments and answers, but no credentials.
type debugRecord struct {
	gpt   *GPT
	lines []string
}

// record begins with the line that precedes the request.
func (g *GPT) record(op Operation, args map[string]any) *debugRecord {
	r := &debugRecord{gpt: g}
	// What the hash covers is not known; only that it is a SHA-1 (class C).
	// #nosec G401 -- as the import says
	hash := sha1.Sum([]byte(g.imp.RootDomain + " " + op.Method + " " + op.Path + " " + op.ID))
	params := map[string]any{}
	maps.Copy(params, args)
	r.add("[debug] Calling HTTP endpoint", map[string]any{
		"domain":           g.imp.RootDomain,
		"method":           strings.ToLower(op.Method),
		"path":             op.Path,
		"operation":        op.ID,
		"operation_hash":   hex.EncodeToString(hash[:]),
		"is_consequential": op.Consequential,
		"params":           params,
	})
	return r
}

func (r *debugRecord) answered(result *Result) []string {
	var data any = string(result.Body)
	if json.Valid(result.Body) {
		data = json.RawMessage(result.Body)
	}
	r.add("[debug] Response received", map[string]any{
		"response_data": data,
		"status_code":   result.Status,
		"action_id":     r.gpt.options.CallbackID,
	})
	if result.Status >= http.StatusBadRequest {
		r.failed()
	} else {
		r.line("Talked to " + r.gpt.imp.RootDomain)
	}
	return r.lines
}

func (r *debugRecord) failed() { r.line("Error talking to " + r.gpt.imp.RootDomain) }

func (r *debugRecord) add(title string, fields map[string]any) {
	text, err := json.Marshal(fields)
	if err != nil {
		text = []byte("{}")
	}
	r.line(title + " " + string(text))
}

func (r *debugRecord) line(text string) {
	r.lines = append(r.lines, text)
	r.gpt.mu.Lock() // one writer at a time
	defer r.gpt.mu.Unlock()
	fmt.Fprintln(r.gpt.options.Log, text)
}
