package server_test

import (
	"encoding/json"
	"slices"
	"strings"

	"guestpass/api"
)

// walk goes through all operations in an order in which each finds what it works on: a
// task is made first and changed later.
type walk struct {
	ids map[string]any // by parameter, as earlier answers gave them
}

var walkOrder = []string{"createTask", "listTasks", "getTask", "updateTask", "completeTask", "addTaskComment",
	"listTaskComments",
	"deleteTask", "restoreTask", "listActivity", "undoActivity"}

func inWalkOrder(operations []api.Operation) []api.Operation {
	ordered := slices.Clone(operations)
	slices.SortStableFunc(ordered, func(a, b api.Operation) int {
		return slices.Index(walkOrder,
			a.ID) - slices.Index(walkOrder, b.ID)
	})
	return ordered
}

func (w *walk) arguments(op api.Operation) map[string]any {
	arguments := map[string]any{}
	for name, value := range map[string]map[string]any{
		"inviteMember":   {"email": "guest@acme.example", "name": "Mary Guest"},
		"listMembers":    {"limit": 1},
		"createTask":     {"title": "Water the plants"},
		"updateTask":     {"priority": "high"},
		"addTaskComment": {"text": "Cactus too"},
	}[op.ID] {
		arguments[name] = value
	}
	if _, rest, found := strings.Cut(op.Path, "{"); found {
		parameter, _, _ := strings.Cut(rest, "}")
		if arguments[parameter] = w.ids[parameter]; parameter == "member_id" {
			arguments[parameter] = ada
		}
	}
	return arguments
}

// learn takes identifiers from an answer.
func (w *walk) learn(body []byte) {
	var answer struct {
		TaskID     string `json:"task_id"`
		Activities []struct {
			ID string `json:"activity_id"`
		}
	}
	if json.Unmarshal(body, &answer) != nil {
		return
	}
	if w.ids == nil {
		w.ids = map[string]any{}
	}
	if answer.TaskID != "" {
		w.ids["task_id"] = answer.TaskID
	}
	if len(answer.Activities) > 0 {
		w.ids["activity_id"] = answer.Activities[0].ID
	}
}
