package server_test

import (
	"encoding/json"
	"testing"

	"guestpass/stytchtest"
)

// TestRealClientsFindAnswersAsTheSchemasSay has ajv hold each tool's schemas against the dialect, and what is really
// sent and answered against them: clients throw an answer away that its schema refuses.
func TestRealClientsFindAnswersAsTheSchemasSay(t *testing.T) {
	for name, seed := range map[string]stytchtest.Seed{
		"B2B": stytchtest.Development(), "Consumer": stytchtest.DevelopmentConsumer(),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOf(t, stytchtest.Options{Seed: &seed})
			who := ada
			if name == "Consumer" {
				who = seed.Users[0].ID
			}
			c := w.modelsClient(w.token(who, everything...))
			var list struct {
				Result struct{ Tools []json.RawMessage }
			}
			if err := json.Unmarshal([]byte(c.post(listTools).body), &list); err != nil {
				t.Fatal(err)
			}
			calls := c.callEveryTool()
			var told struct {
				Schemas, Values int
				Faults          []string
			}
			w.runClient(t, "mcp-schemas.mjs", map[string]any{"tools": list.Result.Tools, "calls": calls}, &told)
			for _, fault := range told.Faults {
				t.Error(fault)
			}
			if len(calls) != len(list.Result.Tools) || told.Schemas != 2*len(calls) || told.Values != 2*len(calls) {
				t.Errorf("of %d tools %d were called, %d schemas and %d values are valid", len(list.Result.Tools),
					len(calls), told.Schemas, told.Values)
			}
		})
	}
}

// callEveryTool walks through all, and returns what was sent and what came.
func (c modelsClient) callEveryTool() (calls []map[string]any) {
	c.t.Helper()
	var walk walk
	for _, op := range inWalkOrder(c.app.Operations()) {
		arguments := walk.arguments(op)
		sent, err := json.Marshal(arguments)
		if err != nil {
			c.t.Fatal(err)
		}
		r := c.tool(op.ID, string(sent))
		if r.IsError {
			c.t.Errorf("%s: %s", op.ID, r.text())
			continue
		}
		walk.learn([]byte(r.text()))
		calls = append(calls, map[string]any{"name": op.ID, "arguments": arguments, "answer": r.Structured})
	}
	return calls
}
