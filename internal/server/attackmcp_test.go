package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"guestpass/stytchtest"
)

// TestAttackTokensAtTools sends the tokens of the attack matrix to /mcp: what is no good by REST is none there, with
// 401
// for all of them, since MCP clients take nothing else for a token that they have to renew.
func TestAttackTokensAtTools(t *testing.T) {
	t.Parallel()
	a := newTarget(t, ada, stytchtest.Development())
	attacks := slices.Concat(a.algorithmAttacks(), a.headerAttacks("https://attacker.example"), a.formAttacks(),
		a.claimAttacks(), a.kindAttacks())
	tried, admitted := 0, 0
	for _, attack := range attacks {
		if attack.raw != nil || attack.change != nil { // of requests, not of tokens
			continue
		}
		r := a.call(http.MethodPost, "/mcp", "", listTools, headers("Content-Type: application/json"),
			func(r *http.Request) {
				r.Header["Authorization"] = []string{"Bearer " + attack.token}
			})
		tried++
		switch attack.want {
		case accepted, insufficient: // a list needs no scope
			if admitted++; r.status != 200 {
				t.Errorf("%02d %s: %d %s", attack.row, attack.what, r.status, r.body)
			}
		case malformed, tooLarge:
			if r.status == 200 {
				t.Errorf("%02d %s is admitted", attack.row, attack.what)
			}
		default:
			if r.status != 401 || !hasParts(r.header.Get("WWW-Authenticate"),
				`Bearer | /.well-known/oauth-protected-resource/mcp" | scope=`) {
				t.Errorf("%02d %s: %d %v", attack.row, attack.what, r.status, r.header)
			}
		}
	}
	if tried < 250 || admitted == 0 || admitted > tried/4 {
		t.Errorf("%d tokens, %d admitted", tried, admitted)
	}
	fmt.Fprintf(t.Output(), "     %d tokens at /mcp, %d refused, %d admitted as they must be\n", tried, tried-admitted,
		admitted)
}

// TestAttackScopesOfTools calls every tool with every set of scopes: who may is who may by REST.
func TestAttackScopesOfTools(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	needs := w.needs()
	names := []string{"openid", "members:read", "members:invite", "tasks:read", "tasks:write", "activity:read"}
	arguments := map[string]string{"getMember": `{"member_id":"` + ada + `"}`,
		"undoActivity": `{"activity_id":"act_x"}`}
	for _, id := range []string{"getTask", "updateTask", "completeTask", "deleteTask", "restoreTask",
		"listTaskComments", "addTaskComment"} {
		arguments[id] = `{"task_id":"tsk_x"}`
	}
	for set := range 1 << len(names) {
		scopes := []string{"profile"}
		for i, name := range names {
			if set&(1<<i) != 0 {
				scopes = append(scopes, name)
			}
		}
		c := w.modelsClient(w.token(ada, scopes...))
		for _, op := range w.app.Operations() {
			sent := "{}"
			if arguments[op.ID] != "" {
				sent = arguments[op.ID]
			}
			r := c.tool(op.ID, sent)
			need := needs[op.Method+" "+op.Path]
			may := need == "" || slices.ContainsFunc(scopes,
				func(one string) bool { return slices.Contains(strings.Fields(need), one) })
			if may != (r.status == 200) || !may && r.status != 403 || !may && !r.IsError {
				t.Errorf("%s with %v: %d %s, the document says it needs %q", op.ID, scopes, r.status, r.text(), need)
			}
		}
	}
}
