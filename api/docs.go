package api

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// checkDocs returns what is wrong with the names in op.Docs, which stand for fields of the type in.
func checkDocs(op Operation, in reflect.Type) (faults []error) {
	inputs := inputFields(in)
	for _, name := range slices.Sorted(maps.Keys(op.Docs)) {
		field, found := inputs[name]
		switch {
		case !found && len(inputs) == 0:
			faults = append(faults, fmt.Errorf("its Docs describe %q, and it takes no input: leave that out", name))
		case !found:
			faults = append(faults, fmt.Errorf("its Docs describe %q, which is no input: choose one of %s", name,
				strings.Join(slices.Sorted(maps.Keys(inputs)), ", ")))
		case field.Tag.Get("doc") != "":
			faults = append(faults, fmt.Errorf("its Docs describe %q, and so does the doc tag of field %s: leave one "+
				"of them out", name, field.Name))
		case strings.TrimSpace(op.Docs[name]) == "":
			faults = append(faults, fmt.Errorf("its Docs say nothing of %q: say what it means, or leave it out", name))
		}
	}
	return faults
}

// inputFields returns the parameters of an operation and the properties of its body, by the names under which they are
// sent.
func inputFields(in reflect.Type) map[string]reflect.StructField {
	inputs := map[string]reflect.StructField{}
	if in.Kind() != reflect.Struct {
		return inputs
	}
	for _, field := range ownFields(in) {
		for _, tag := range places {
			if name, _, _ := strings.Cut(field.Tag.Get(tag), ","); name != "" {
				inputs[name] = field
			}
		}
	}
	body, ok := in.FieldByName("Body")
	if ok && body.Type.Kind() == reflect.Pointer {
		body.Type = body.Type.Elem()
	}
	if ok && body.Type.Kind() == reflect.Struct {
		for _, field := range ownFields(body.Type) {
			if name := jsonName(field); name != "-" {
				inputs[name] = field
			}
		}
	}
	return inputs
}

// jsonName returns the name of a field in JSON.
func jsonName(field reflect.StructField) string {
	if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
		return name
	}
	return field.Name
}

// applyDocs puts op.Docs into the description of a registered operation. Operations whose bodies are of one type share
// its schema: a property that another one has described in other words is a fault.
func (s *Service) applyDocs(op Operation, in reflect.Type) (faults []error) {
	described, inputs := s.descriptionOf(op), inputFields(in)
	registry := s.huma.OpenAPI().Components.Schemas
	for _, name := range slices.Sorted(maps.Keys(op.Docs)) {
		if inputs[name].Tag.Get("doc") != "" { // a fault that is known
			continue
		}
		text := op.Docs[name]
		for _, parameter := range described.Parameters {
			if parameter.Name == name {
				parameter.Description, parameter.Schema.Description = text, text
			}
		}
		if !describeProperty(described.RequestBody, registry, name, text) {
			faults = append(faults, fmt.Errorf("its Docs describe %q, and in other words so do those of an operation "+
				"whose body is of the same type: say the same in both, or give each a type of its own", name))
		}
	}
	return faults
}

// describeProperty describes a property of the body, if there is one of that name. It reports false if the property is
// described in other words already.
func describeProperty(body *huma.RequestBody, registry huma.Registry, name, text string) bool {
	if body == nil {
		return true
	}
	for _, media := range body.Content {
		schema := resolve(media.Schema, registry)
		if schema == nil || schema.Properties[name] == nil {
			continue
		}
		property := schema.Properties[name]
		if property.Description != "" && property.Description != text {
			return false
		}
		property.Description = text
	}
	return true
}
