//go:build !production

package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"guestpass/gpttest"
	"guestpass/mcptest"
)

// tools calls operations as an MCP client does.
type tools struct {
	*mcptest.Client
	list []mcptest.Tool
}

// call turns a tool's answer into one of an operation: a result counts as the status that the operation declares, and
// an error as the status that it names, or 400.
func (s tools) call(ctx context.Context, op gpttest.Operation, arguments map[string]any) (*reply, error) {
	result, err := s.Call(ctx, op.ID, arguments)
	if err != nil {
		return nil, err
	}
	answer := &gpttest.Result{Status: http.StatusOK, Body: []byte(result.Text), Header: result.Header}
	shown := strconv.Itoa(result.Status)
	if len(result.Structured) > 0 {
		answer.Body = result.Structured
	}
	if op.Declares(http.StatusCreated) {
		answer.Status = http.StatusCreated
	}
	if result.IsError {
		shown += " isError"
		answer.Status = statusOf(result)
		if result.Challenge != "" {
			answer.Header = http.Header{"Www-Authenticate": {result.Challenge}}
		}
	}
	return &reply{answer, shown}, nil
}

// statusOf returns the status that an error counts as: 403 by HTTP, or the code that its text names.
func statusOf(result *mcptest.Result) int {
	if result.Status >= http.StatusBadRequest {
		return result.Status
	}
	var named struct {
		Error struct {
			Code int `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal([]byte(result.Text), &named) == nil && named.Error.Code >= 400 && named.Error.Code < 600 {
		return named.Error.Code
	}
	return http.StatusBadRequest
}

// toolOperations returns the tools as operations, for the walk, and why others are none.
func toolOperations(tools []mcptest.Tool) (operations []gpttest.Operation, unusable []string) {
	for _, t := range tools {
		status := http.StatusOK
		if adds(t) {
			status = http.StatusCreated
		}
		op, err := gpttest.ToolOperation(t.Name, methodOf(t), t.InputSchema, t.OutputSchema, status)
		if err != nil {
			unusable = append(unusable, err.Error())
			continue
		}
		op.Summary = t.Title
		operations = append(operations, op)
	}
	return operations, unusable
}

// methodOf returns the method that says in REST what the tool's hints say. A tool that may change something existing,
// as far as its hints tell, and whose name does not say that it makes something, is PUT: without an identifier it is
// not called.
func methodOf(t mcptest.Tool) string {
	name := words(t.Name)
	switch {
	case is(t.Annotations.ReadOnly, true):
		return http.MethodGet
	case is(t.Annotations.Destructive, false) && !is(t.Annotations.Idempotent, true),
		len(name) > 0 && slices.Contains(creating, name[0]), anyOf(name, undoing):
		return http.MethodPost
	}
	return http.MethodPut
}

// adds reports whether a tool makes something new each time: its name and its hints say so. It stands for the status
// 201, which tools do not have.
func adds(t mcptest.Tool) bool {
	name := words(t.Name)
	sends := is(t.Annotations.OpenWorld, true) // what cannot be called back, and so is destructive
	return is(t.Annotations.ReadOnly, false) && (is(t.Annotations.Destructive, false) || sends) &&
		is(t.Annotations.Idempotent, false) && len(name) > 0 && slices.Contains(creating, name[0])
}

func is(hint *bool, value bool) bool { return hint != nil && *hint == value }
