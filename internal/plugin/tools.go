package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A tool is one of tools/list, with what the document says of its operation.
type tool struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Annotations struct {
		ReadOnly    *bool `json:"readOnlyHint"`
		Destructive *bool `json:"destructiveHint"`
		OpenWorld   *bool `json:"openWorldHint"`
	} `json:"annotations"`
	Meta struct {
		UI *struct {
			ResourceURI string `json:"resourceUri"`
		} `json:"ui"`
	} `json:"_meta"`

	method    string
	undoes    bool       // takes back what others have done
	arguments []argument // those of the path first, then by name
	answers   map[string]bool
	pages     bool // it answers in pages
}

type argument struct {
	name     string
	inPath   bool
	required bool
	schema   *schema
}

// schema is the part of one that an example can be made of.
type schema struct {
	Type       string             `json:"type"`
	Example    any                `json:"example"`
	Enum       []any              `json:"enum"`
	Format     string             `json:"format"`
	Pattern    string             `json:"pattern"`
	Minimum    *float64           `json:"minimum"`
	MaxLength  *int               `json:"maxLength"`
	Required   []string           `json:"required"`
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
}

// operation is what the document says of one.
type operation struct {
	ID         string `json:"operationId"`
	Parameters []struct {
		Name     string  `json:"name"`
		In       string  `json:"in"`
		Required bool    `json:"required"`
		Schema   *schema `json:"schema"`
	} `json:"parameters"`
	Body      content            `json:"requestBody"`
	Responses map[string]content `json:"responses"`
}

type content struct {
	Content struct {
		JSON struct {
			Schema *schema `json:"schema"`
		} `json:"application/json"`
	} `json:"content"`
}

// about is what the document says of the whole.
type about struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	PrivacyURL  string `json:"x-privacy-policy-url"`

	publicURL string // of the server, without a slash at its end
}

// read returns what the document says, and the tools in the order in which their operations were declared.
func read(o Options) (about, []*tool, error) {
	var list struct {
		Tools []*tool `json:"tools"`
	}
	var document struct {
		Info    about `json:"info"`
		Servers []struct {
			URL string `json:"url"`
		} `json:"servers"`
		Paths map[string]map[string]operation `json:"paths"`
	}
	if err := errors.Join(json.Unmarshal(o.Tools, &list), json.Unmarshal(o.Document, &document)); err != nil {
		return about{}, nil, fmt.Errorf("plugin: read what is published: %w", err)
	}
	if len(list.Tools) == 0 || len(document.Servers) == 0 {
		return about{}, nil, errors.New("plugin: there are no tools, or the document names no server")
	}
	document.Info.publicURL = document.Servers[0].URL
	for _, item := range document.Paths {
		for method, op := range item {
			if at := slices.IndexFunc(list.Tools, func(t *tool) bool { return t.Name == op.ID }); at >= 0 {
				list.Tools[at].describe(method, op)
			}
		}
	}
	for _, t := range list.Tools {
		if t.method == "" {
			return about{}, nil, fmt.Errorf("plugin: the document has no operation for the tool %s", t.Name)
		}
		t.undoes = slices.Contains(o.Undoes, t.Name)
	}
	slices.SortStableFunc(list.Tools, func(a, b *tool) int {
		return slices.Index(o.Order, a.Name) - slices.Index(o.Order, b.Name)
	})
	return document.Info, list.Tools, nil
}

func (t *tool) describe(method string, op operation) {
	t.method, t.answers = method, map[string]bool{}
	for _, p := range op.Parameters {
		t.arguments = append(t.arguments, argument{p.Name, p.In == "path", p.Required, p.Schema})
		t.pages = t.pages || p.Name == "cursor"
	}
	if body := op.Body.Content.JSON.Schema; body != nil {
		for _, name := range slices.Sorted(maps.Keys(body.Properties)) {
			t.arguments = append(t.arguments, argument{name, false, slices.Contains(body.Required, name),
				body.Properties[name]})
		}
	}
	slices.SortStableFunc(t.arguments, func(a, b argument) int {
		switch {
		case a.inPath == b.inPath:
			return 0
		case a.inPath:
			return -1
		}
		return 1
	})
	for _, response := range op.Responses {
		response.Content.JSON.Schema.collect(t.answers)
	}
}

// collect adds the names of all properties, however deep.
func (s *schema) collect(names map[string]bool) {
	if s == nil {
		return
	}
	for name, property := range s.Properties {
		names[name] = true
		property.collect(names)
	}
	s.Items.collect(names)
}

// introductions tell a model who is signed in and what there is to do. Nobody takes a plugin for their sake.
var introductions = []string{"getUserInfo", "getNextSteps"}

// purposes returns the tools that people come for, or all if there are no others.
func purposes(tools []*tool) []*tool {
	others := slices.DeleteFunc(slices.Clone(tools),
		func(t *tool) bool { return slices.Contains(introductions, t.Name) })
	if len(others) == 0 {
		return tools
	}
	return others
}

func is(hint *bool) bool { return hint != nil && *hint }

// reads reports whether calling it changes nothing.
func (t *tool) reads() bool { return is(t.Annotations.ReadOnly) }

// destroys reports whether it removes, overwrites, takes back, or sends what nobody can call back.
func (t *tool) destroys() bool { return is(t.Annotations.Destructive) }

// overwrites reports whether it gives something that exists other values.
func (t *tool) overwrites() bool { return t.method == "patch" || t.method == "put" }

// removes reports whether calling it takes something away.
func (t *tool) removes() bool { return t.destroys() && !t.overwrites() && !t.undoes && !t.reachesOut() }

// reachesOut reports whether people outside notice a call.
func (t *tool) reachesOut() bool { return is(t.Annotations.OpenWorld) }
