package openapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the golden file anew")

const golden = "testdata/golden.json"

// The types of a realistic API, with much of what Huma says and a GPT must not see.
type (
	task struct {
		ID       string     `json:"task_id" doc:"Identifier" example:"tsk_1"`
		Title    string     `json:"title" doc:"What is to be done"`
		State    string     `json:"state" enum:"open,done" doc:"State of the task"`
		Points   int64      `json:"points" minimum:"0" doc:"Effort"`
		Share    float64    `json:"share" doc:"Part that is done, 0 to 1"`
		Due      *time.Time `json:"due" doc:"When it is due; absent if it is not"`
		Assignee *assignee  `json:"assignee,omitempty" doc:"Who does it"`
		Labels   []string   `json:"labels" doc:"Labels"`
		Note     string     `json:"note,omitempty" hidden:"true" doc:"Not for a GPT"`
	}
	assignee struct {
		Name  string `json:"name" doc:"Full name"`
		Email string `json:"email" format:"email" doc:"E-mail address"`
	}
	taskReply struct {
		ETag string `header:"ETag" doc:"Version"`
		Body task
	}
	listInput struct {
		State string `query:"state" enum:"open,done" doc:"Only tasks in this state. Leave out for all"`

		Most int `query:"limit" minimum:"1" maximum:"100" default:"25" doc:"How many tasks to return at most, 1 to 100"`

		Above   float64 `query:"above" exclusiveMinimum:"0" exclusiveMaximum:"10" doc:"Only tasks with more effort"`
		Cursor  string  `query:"cursor" maxLength:"512" doc:"next_cursor of the previous page. Leave out for the first"`
		Request string  `header:"X-Request-ID" hidden:"true"`
	}
	listReply struct {
		Body struct {
			Tasks []task `json:"tasks" doc:"Tasks of this page"`
			Total int    `json:"total" doc:"Number of tasks on all pages"`
			Next  string `json:"next_cursor,omitempty" doc:"Pass as cursor for the next page; absent on the last page"`
		}
	}
	idInput struct {
		ID taskID `path:"task_id" maxLength:"36" doc:"Identifier, as listTasks returns it"`
	}
	createInput struct {
		Body struct {
			Title    title   `json:"title" doc:"What is to be done" example:"Buy <milk> & \"bread\""`
			Priority string  `json:"priority,omitempty" enum:"low,normal,high" default:"normal" doc:"How urgent it is"`
			Estimate *int    `json:"estimate,omitempty" minimum:"0" doc:"Minutes; leave out if not known"`
			Assignee person  `json:"assignee,omitempty" doc:"Who does it"`
			Steps    []step  `json:"steps,omitempty" maxItems:"20" doc:"Steps in order"`
			Share    float32 `json:"share,omitempty" minimum:"0" maximum:"1" doc:"Part that is done"`
		}
	}
	person struct {
		Email string `json:"email" format:"email" doc:"E-mail address"`
	}
	step struct {
		Text  string `json:"text" doc:"What to do"`
		Owner person `json:"owner,omitempty" doc:"Who does this step"`
	}
	updateInput struct {
		idInput
		ID   string `path:"task_id" maxLength:"36" doc:"Identifier, as listTasks returns it"`
		Body struct {
			Title string   `json:"title,omitempty" maxLength:"200" doc:"New title"`
			Tags  []string `json:"tags,omitempty" uniqueItems:"true" doc:"New labels, replacing all"`
		}
	}
)

type (
	taskID string
	title  string
)

func (taskID) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: "^[a-z0-9_]+$", PatternDescription: "an identifier"}
}

func (title) Schema(huma.Registry) *huma.Schema {
	least, most := 1, 200
	return &huma.Schema{Type: huma.TypeString, MinLength: &least, MaxLength: &most}
}

func realistic() huma.API {
	api := newAPI()
	read := []map[string][]string{{"oauth2": {"tasks:read"}}}
	write := []map[string][]string{{"oauth2": {"tasks:write"}}}
	const list, one = "/api/v1/tasks", "/api/v1/tasks/{task_id}"
	declare[none, done](api, huma.Operation{OperationID: "getStatus", Path: "/api/v1/status", Tags: []string{"meta"},
		Summary: "Get the status", Description: "Says whether the service works.", Security: []map[string][]string{}})
	declare[listInput, listReply](api, huma.Operation{OperationID: "listTasks", Path: list, Tags: []string{"tasks"},
		Summary: "List tasks", Description: "Returns tasks, one page at a time — newest first.", Security: read,
		Errors: []int{400, 401, 403}})
	declare[idInput, taskReply](api, huma.Operation{OperationID: "getTask", Path: one,
		Summary: "Get one task", Description: "Returns one task.", Security: read})
	declare[createInput, taskReply](api, huma.Operation{OperationID: "createTask", Method: "POST", Path: list,
		DefaultStatus: 201,
		Summary:       "Create a task", Description: "Creates a task and returns it.", Security: write,
		Extensions: map[string]any{"x-openai-isConsequential": true}})
	declare[updateInput, taskReply](api, huma.Operation{OperationID: "updateTask", Method: "PATCH", Path: one,
		Summary: "Change a task", Description: "Changes the given properties of a task.", Security: write})
	declare[idInput, done](api, huma.Operation{OperationID: "deleteTask", Method: "DELETE", Path: one,
		Summary: "Delete a task", Description: "Deletes a task. restoreTask brings it back.", Security: write})
	declare[none, done](api, huma.Operation{OperationID: "internalOnly", Path: "/internal", Metadata: map[string]any{}})
	return api
}

func TestGolden(t *testing.T) {
	o := example()
	o.ContactName, o.ContactEmail, o.PrivacyURL = "Support", "support@example.com", "https://www.example.com/privacy"
	d := mustPublish(t, realistic(), o)
	if *update {
		if err := os.WriteFile(golden, d.JSON(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(d.JSON(), want) {
		t.Errorf("the document differs from %s; run the test with -update and look at the "+
			"difference\n%s", golden, d.JSON())
	}
	checkOlderGoldens(t, d)
	if !warned(d, "X011", "POST /api/v1/tasks, body property assignee") || len(d.Warnings()) > 1 {
		t.Errorf("warnings:\n%v", Faults(d.Warnings()).Error())
	}
}

func TestYAMLSaysTheSameInTheSameOrder(t *testing.T) {
	o := example()
	o.Description = "yes: \"no\"\n# off\ttab \x7f \u2028 \U0001F600 <b>&amp;</b> \\ 1_000 'x' "
	o.Version = "1.0"
	o.Scopes = append(o.Scopes, Scope{"on", "yes"}, Scope{"2024-01-01", "0x10"}, Scope{"12:30:45", "~"},
		Scope{"true", "null"})
	d := mustPublish(t, realistic(), o)
	var fromYAML any
	if err := yaml.Unmarshal(d.YAML(), &fromYAML); err != nil {
		t.Fatal(err)
	}
	if got, want := generic(fromYAML), any(parse(t, d.JSON())); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v\nwant\n%v\n%s", got, want, d.YAML())
	}
	var node yaml.Node
	if err := yaml.Unmarshal(d.YAML(), &node); err != nil {
		t.Fatal(err)
	}
	if got, want := yamlNames(&node), jsonNames(t, d.JSON()); !reflect.DeepEqual(got, want) {
		t.Errorf("order of members differs:\n%v\n%v", got, want)
	}
	for _, boolean := range []string{"on:", ": yes\n", ": no\n", "true:"} {
		if bytes.Contains(d.YAML(), []byte(" "+boolean)) || bytes.Contains(d.YAML(), []byte(boolean+" yes")) {
			t.Errorf("%q stands without quotes, and is a boolean in YAML 1.1", boolean)
		}
	}
}

// yamlNames lists the names of all mappings in document order.
func yamlNames(n *yaml.Node) (names []string) {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			names = append(names, child.Value)
			continue
		}
		names = append(names, yamlNames(child)...)
	}
	return names
}

// jsonNames lists the names of all objects in document order.
func jsonNames(t *testing.T, text []byte) (names []string) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	var value func()
	value = func() {
		token, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch token {
		case json.Delim('{'):
			for decoder.More() {
				name, _ := decoder.Token()
				names = append(names, name.(string))
				value()
			}
			decoder.Token()
		case json.Delim('['):
			for decoder.More() {
				value()
			}
			decoder.Token()
		}
	}
	value()
	return names
}
