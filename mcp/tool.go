package mcp

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"guestpass/api"
	"guestpass/internal/pattern"
)

// Bounds of what clients are told. Some put a prefix of their own before names, which have 64 characters
// then; some refuse a list that takes too much of the model's room: ours stays below 20,000 characters.
const (
	maxDescription = 1024
	maxList        = 60_000
)

var names = pattern.New(`^[a-zA-Z][a-zA-Z0-9_-]{0,39}$`)

// A tool is an operation as tools/list has it.
type tool struct {
	Name            string      `json:"name"`
	Title           string      `json:"title"`
	Description     string      `json:"description"`
	InputSchema     *schema     `json:"inputSchema"`
	OutputSchema    *schema     `json:"outputSchema"`
	Annotations     annotations `json:"annotations"`
	SecuritySchemes []security  `json:"securitySchemes"`
	Meta            meta        `json:"_meta"`

	widget api.Widget
}

// annotations are hints. All are written, as clients take what is missing for the worst.
type annotations struct {
	Title       string `json:"title"`
	ReadOnly    bool   `json:"readOnlyHint"`
	Destructive bool   `json:"destructiveHint"`
	Idempotent  bool   `json:"idempotentHint"`
	OpenWorld   bool   `json:"openWorldHint"`
}

type security struct {
	Type   string   `json:"type"`
	Scopes []string `json:"scopes,omitempty"`
}

// meta has the security schemes again, where older clients look for them.
type meta struct {
	SecuritySchemes []security `json:"securitySchemes"`
	widgetOf
}

// The part of the published document that tools are made of.
type document struct {
	Paths map[string]map[string]operation `json:"paths"`
}

type operation struct {
	ID          string                `json:"operationId"`
	Summary     string                `json:"summary"`
	Description string                `json:"description"`
	Security    []map[string][]string `json:"security"`
	Parameters  []struct {
		Name        string  `json:"name"`
		Description string  `json:"description"`
		Required    bool    `json:"required"`
		Schema      *schema `json:"schema"`
	} `json:"parameters"`
	Body *struct {
		Content content `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content *content `json:"content"`
	} `json:"responses"`
}

type content struct {
	JSON struct {
		Schema *schema `json:"schema"`
	} `json:"application/json"`
}

// toolsOf makes a tool of every operation that is to be one, ordered by name.
func toolsOf(o Options) ([]*tool, error) {
	var published document
	if err := json.Unmarshal(o.Document.JSON(), &published); err != nil {
		return nil, fmt.Errorf("mcp: read the published document: %w", err)
	}
	operations := map[string]operation{}
	for _, item := range published.Paths {
		for _, op := range item {
			operations[op.ID] = op
		}
	}
	chosen := o.Only
	if len(chosen) == 0 {
		chosen = slices.Collect(maps.Keys(operations))
	}
	var tools []*tool
	var faults []error
	for _, id := range slices.Sorted(slices.Values(chosen)) {
		op, found := operations[id]
		at := slices.IndexFunc(o.Service.Operations(), func(declared api.Operation) bool { return declared.ID == id })
		switch {
		case !found || at < 0:
			faults = append(faults, fmt.Errorf("mcp: %s is no published operation", id))
			continue
		case o.Reads && o.Service.Operations()[at].Effect != api.Read:
			continue
		}
		t, err := toolOf(op, o.Service.Operations()[at])
		if err != nil {
			faults = append(faults, fmt.Errorf("mcp: %s cannot be a tool: %w", id, err))
			continue
		}
		tools = append(tools, t)
	}
	return tools, errors.Join(append(faults, clashes(tools)...)...)
}

func toolOf(op operation, declared api.Operation) (*tool, error) {
	input, err := op.input()
	if err != nil {
		return nil, err
	}
	output := op.output()
	t := &tool{Name: op.ID, Title: op.Summary, Description: op.Description, InputSchema: input, OutputSchema: output,
		Annotations:     hints(declared, op.Summary),
		SecuritySchemes: op.schemes(), widget: declared.Widget}
	t.Meta.SecuritySchemes = t.SecuritySchemes
	if output == nil { // it answers without a body
		t.OutputSchema = &schema{Type: "object", Properties: map[string]*schema{"ok": {Type: "boolean"}},
			Required: []string{"ok"}}
	}
	switch {
	case !names.MatchString(t.Name):
		return nil, errors.New("its id must be a letter, then up to 39 letters, digits, _ or -")
	case t.Description == "":
		return nil, errors.New("it has no description")
	case len([]rune(t.Description)) > maxDescription:
		return nil, fmt.Errorf("its description has more than %d characters", maxDescription)
	case t.OutputSchema.Type != "object":
		return nil, errors.New("its answer is no object, and clients throw away the whole list for that")
	}
	return t, nil
}

// clashes finds names that clients take for the same.
func clashes(tools []*tool) (faults []error) {
	seen := map[string]string{}
	for _, t := range tools {
		folded := strings.ReplaceAll(strings.ToLower(t.Name), "-", "_")
		if other, taken := seen[folded]; taken {
			faults = append(faults, fmt.Errorf("mcp: %s cannot be a tool: clients take its name for that of %s", t.Name,
				other))
		}
		seen[folded] = t.Name
	}
	return faults
}

// hints say what the declared effect means. What reaches people outside is the operation's External. As OpenAI counts,
// destructive is not only what removes: so is what overwrites, takes back, or sends what nobody can call back
// (developers.openai.com/plugins/deploy/submission).
func hints(op api.Operation, title string) annotations {
	overwrites := op.Method == http.MethodPatch || op.Method == http.MethodPut
	return annotations{Title: title, ReadOnly: op.Effect == api.Read,
		Destructive: op.Effect == api.Destroy || op.Effect == api.Write && (overwrites || op.External || op.Undoes),
		Idempotent:  op.Effect == api.Read || op.Method == http.MethodDelete || op.Method == http.MethodPut,
		OpenWorld:   op.External}
}

// input returns one flat object of all that the operation takes: the document has no name twice.
func (op operation) input() (*schema, error) {
	in := &schema{Type: "object", Properties: map[string]*schema{}, closed: true}
	for _, p := range op.Parameters {
		property := p.Schema.portable(asInput)
		property.Description = p.Description
		in.Properties[p.Name] = property
		if p.Required {
			in.Required = append(in.Required, p.Name)
		}
	}
	if op.Body == nil {
		return in, nil
	}
	body := op.Body.Content.JSON.Schema
	if body == nil || body.Type != "object" || body.Properties == nil {
		return nil, errors.New("its body is no object with named members")
	}
	for name, property := range body.Properties {
		if in.Properties[name] != nil {
			return nil, fmt.Errorf("%s is in its body and in its path or query", name)
		}
		in.Properties[name] = property.portable(asInput)
		in.Properties[name].mayBeEmpty = property.emptyAllowed()
	}
	in.Required = append(in.Required, body.Required...)
	return in, nil
}

// output returns what a success answers; nil for none.
func (op operation) output() *schema {
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if response := op.Responses[status]; strings.HasPrefix(status, "2") && response.Content != nil {
			return response.Content.JSON.Schema.portable(asOutput)
		}
	}
	return nil
}

func (op operation) schemes() []security {
	if len(op.Security) == 0 { // anybody who is signed in: this server answers nobody else
		return []security{{Type: "oauth2"}}
	}
	var list []security
	for _, one := range op.Security { // any of which is enough
		list = append(list, security{Type: "oauth2", Scopes: one["oauth2"]})
	}
	return list
}
